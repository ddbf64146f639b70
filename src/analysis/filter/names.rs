//! Names that stand for numbers.

use super::subject::Pseudo;
use crate::analysis::index::MediaKind;
use crate::wire::message::{MessageType, UserControlEvent};

/// Names that stand for several message types.
const GROUPS: &[(&str, &[i64])] = &[
    ("media", &[8, 9, 22]),
    ("control", &[1, 2, 3, 4, 5, 6]),
    ("command", &[17, 20]),
    ("data", &[15, 18]),
    ("metadata", &[15, 18]),
    ("shared_object", &[16, 19]),
    ("amf0", &[18, 19, 20]),
    ("amf3", &[15, 16, 17]),
    ("ack", &[3]),
];

/// Message types of a name such as `video`, `set-chunk-size` or `command`.
pub(super) fn types(name: &str) -> Option<Vec<i64>> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    if let Some((_, types)) = GROUPS.iter().find(|(group, _)| *group == name) {
        return Some(types.to_vec());
    }
    if let Some(pseudo) = Pseudo::ALL.iter().find(|pseudo| pseudo.name() == name) {
        return Some(vec![pseudo.number()]);
    }
    let types: Vec<i64> =
        (0..=255_u8).filter(|t| MessageType(*t).kind() == name).map(i64::from).collect();
    (!types.is_empty()).then_some(types)
}

/// All names of message types, for completion.
pub(super) fn type_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        (0..=255).map(|t| MessageType(t).kind()).filter(|kind| *kind != "unknown").collect();
    names.extend(GROUPS.iter().map(|(name, _)| *name));
    names.extend(Pseudo::ALL.iter().map(|pseudo| pseudo.name()));
    names.push("unknown");
    names
}

/// Directions, as people and as the output spell them.
pub(super) const DIRECTIONS: &[(&str, i64)] =
    &[("c2s", 0), ("s2c", 1), ("client_to_server", 0), ("server_to_client", 1)];

/// How sure the decoder is, from sure to unsure.
pub(super) const CONFIDENCES: &[(&str, i64)] = &[("exact", 0), ("inferred", 1), ("resynced", 2)];

/// Severities of findings, in order.
pub(super) const SEVERITIES: &[(&str, i64)] =
    &[("info", 1), ("warning", 2), ("error", 3), ("warn", 2)];

/// Limit types of Set Peer Bandwidth.
pub(super) const LIMITS: &[(&str, i64)] = &[("hard", 0), ("soft", 1), ("dynamic", 2)];

/// What media messages are.
pub(super) const KINDS: &[(&str, i64)] = &[
    ("key", MediaKind::Key as i64),
    ("inter", MediaKind::Inter as i64),
    ("disposable", MediaKind::Disposable as i64),
    ("audio", MediaKind::Audio as i64),
    ("seq-header", MediaKind::SequenceHeader as i64),
    ("config", MediaKind::SequenceHeader as i64),
    ("seq-end", MediaKind::SequenceEnd as i64),
    ("command", MediaKind::Command as i64),
    ("metadata", MediaKind::Metadata as i64),
    ("silence", MediaKind::Silence as i64),
    ("other", MediaKind::Other as i64),
];

/// The event number of a user control message.
pub(super) fn event(name: &str) -> Option<i64> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    (0..=0x20_u16).find(|n| UserControlEvent(*n).name() == name && name != "unknown").map(i64::from)
}

/// All names of user control events.
pub(super) fn event_names() -> Vec<&'static str> {
    (0..=0x20).map(|n| UserControlEvent(n).name()).filter(|name| *name != "unknown").collect()
}

/// Codecs by our name, what else people call them, FourCC, and FLV's number (video, then audio).
pub(super) struct Codec {
    pub name: &'static str,
    pub others: &'static [&'static str],
    pub fourcc: Option<&'static str>,
    pub video_format: Option<i64>,
    pub audio_format: Option<i64>,
}

const fn video(
    name: &'static str,
    others: &'static [&'static str],
    fourcc: Option<&'static str>,
    format: Option<i64>,
) -> Codec {
    Codec { name, others, fourcc, video_format: format, audio_format: None }
}

const fn audio(
    name: &'static str,
    others: &'static [&'static str],
    fourcc: Option<&'static str>,
    format: Option<i64>,
) -> Codec {
    Codec { name, others, fourcc, video_format: None, audio_format: format }
}

/// All of them. FLV has two numbers for MP3 and three for Nellymoser; the usual one stands here.
pub(super) const CODECS: &[Codec] = &[
    video("avc", &["h264", "h.264"], Some("avc1"), Some(7)),
    video("hevc", &["h265", "h.265"], Some("hvc1"), Some(12)),
    video("vvc", &["h266", "h.266"], Some("vvc1"), None),
    video("av1", &[], Some("av01"), Some(13)),
    video("vp8", &[], Some("vp08"), None),
    video("vp9", &[], Some("vp09"), None),
    video("jpeg", &[], None, Some(1)),
    video("h263", &["sorenson", "flv1"], None, Some(2)),
    video("screen", &[], None, Some(3)),
    video("vp6", &[], None, Some(4)),
    video("vp6a", &[], None, Some(5)),
    video("screen2", &[], None, Some(6)),
    audio("aac", &[], Some("mp4a"), Some(10)),
    audio("mp3", &[], Some(".mp3"), Some(2)),
    audio("opus", &[], Some("Opus"), None),
    audio("flac", &[], Some("fLaC"), None),
    audio("ac3", &["ac-3"], Some("ac-3"), None),
    audio("eac3", &["ec-3", "e-ac-3"], Some("ec-3"), None),
    audio("pcm", &[], None, Some(0)),
    audio("adpcm", &[], None, Some(1)),
    audio("pcm_le", &[], None, Some(3)),
    audio("nellymoser", &[], None, Some(6)),
    audio("g711a", &["pcma", "alaw"], None, Some(7)),
    audio("g711u", &["pcmu", "ulaw"], None, Some(8)),
    audio("speex", &[], None, Some(11)),
    audio("device", &[], None, Some(15)),
];

/// A codec by our name.
pub(super) fn codec(name: &str) -> Option<&'static Codec> {
    CODECS.iter().find(|codec| codec.name == name)
}

/// Our name of a codec, whatever it was called.
pub(super) fn codec_name(typed: &str) -> Option<&'static str> {
    let lower = typed.to_ascii_lowercase();
    let is = |codec: &&Codec| {
        codec.name == lower
            || codec.others.contains(&&*lower)
            || codec.fourcc.is_some_and(|fourcc| fourcc == typed)
    };
    CODECS.iter().find(is).map(|codec| codec.name)
}
