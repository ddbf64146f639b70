//! What the first bytes of a coded frame tell.

use super::media_config::{audio, video};
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef, rtmp};
use crate::lint::state::{Kind, SessionState};
use crate::wire::flv::VideoTag;
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Error,
    escalates: None,
    spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.3.1" }),
    basis: Basis::Spec,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/annexb-payload",
        title: "Annex B start codes where length prefixes belong",
        explanation: "The picture begins with 00 00 00 01. RTMP carries NAL units with a length \
            before each; read as one, the start code is a unit of 1 byte.",
        advice: "Convert to AVCC: FFmpeg does it by itself, own muxers must.",
        covers: &["flv/video/nalu-lengths"],
        checks: &[Check::Media(annex_b)],
        ..BASE
    },
    Rule {
        id: "media/nalu-length-bad",
        title: "NAL unit lengths do not add up",
        explanation: "The first NAL unit is longer than the picture, or empty.",
        advice: "Look at the encoder's muxer, and at lengthSizeMinusOne of the configuration.",
        covers: &["flv/video/nalu-lengths"],
        checks: &[Check::Media(length)],
        ..BASE
    },
    Rule {
        id: "media/key-flag-wrong",
        title: "Frame type flag contradicts the NAL units",
        severity: Severity::Warning,
        explanation: "The message is marked as a key frame and holds no IDR picture, or the other \
            way round. Servers cut recordings and start players by that mark.",
        advice: "The muxer must set the frame type from the NAL unit types.",
        covers: &["flv/video/keyframe-flag-vs-nal"],
        checks: &[Check::Media(key_flag)],
        ..BASE
    },
    Rule {
        id: "media/adts-in-aac",
        title: "ADTS headers inside raw AAC",
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.2" }),
        explanation: "The AAC frame begins with an ADTS header, which RTMP does not carry.",
        advice: "FFmpeg: -bsf:a aac_adtstoasc; own muxers must remove the 7 bytes.",
        covers: &["flv/audio/aac-no-adts"],
        checks: &[Check::Media(adts)],
        ..BASE
    },
    Rule {
        id: "media/empty-message",
        title: "Audio or video message without content",
        severity: Severity::Note,
        basis: Basis::DeFacto,
        explanation: "A message of no or of 1 byte, or an end of sequence in mid-stream. An empty \
            audio message stands for silence.",
        advice: "Harmless for most receivers.",
        covers: &["flv/audio/silence", "flv/video/end-of-sequence"],
        checks: &[Check::Media(empty)],
        ..BASE
    },
    Rule {
        id: "media/reserved-frame-type",
        title: "Reserved or command frame type",
        severity: Severity::Note,
        explanation: "Frame type 0, 6 or 7 means nothing; 5 is a command frame of servers that \
            seek.",
        advice: "Look at the sender's muxer.",
        covers: &["flv/video/info-command", "flv/video/header-byte"],
        checks: &[Check::Media(frame_type)],
        ..BASE
    },
    Rule {
        id: "media/aggregate",
        title: "Aggregate messages in use",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("7.1.6"),
        explanation: "Messages of type 22 hold several audio and video messages. Few receivers \
            read them; the timestamps inside count from the first one's.",
        advice: "Turn aggregation off if a receiver shows nothing.",
        covers: &["rtmp/aggregate/receive"],
        checks: &[Check::Media(aggregate)],
        ..BASE
    },
];

/// The coded bytes of a picture, as far as they are kept, and how many there are.
fn body<'a>(record: &'a MessageRecord, tag: &VideoTag) -> Option<(&'a [u8], usize)> {
    let range = tag.tracks.first()?.range.clone();
    let kept = record.message.payload.get(range.start..)?;
    let kept = kept.get(..range.len().min(kept.len()))?;
    Some((kept, range.len()))
}

/// Whether the codec has NAL units.
fn has_nal_units(tag: &VideoTag) -> bool {
    matches!(tag.codec_name(), "avc" | "hevc" | "vvc")
}

/// Bytes of a NAL unit's length.
fn length_size(state: &SessionState, record: &MessageRecord) -> usize {
    let track = state.side(record.message.direction).track(Kind::Video, 0);
    let config = track.and_then(|track| track.config.as_ref()?.config.as_ref());
    usize::from(config.and_then(|config| config.nal_length_size).unwrap_or(4))
}

/// A length of up to 4 bytes.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

fn starts_annex_b(bytes: &[u8], len: usize) -> bool {
    // As a length, 00 00 00 01 would be a unit of one byte: only an access unit delimiter's
    // beginning could be that short, and nobody sends it so.
    bytes.starts_with(&[0, 0, 0, 1]) && len > 8
}

fn annex_b(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.is_coded() && has_nal_units(tag)) else {
        return;
    };
    let Some((bytes, len)) = body(record, tag) else { return };
    if starts_annex_b(bytes, len) && !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, "the picture begins with the start code 00 00 00 01"));
    }
}

fn length(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.is_coded() && has_nal_units(tag)) else {
        return;
    };
    let Some((bytes, len)) = body(record, tag) else { return };
    let size = length_size(cx.state, record);
    let Some(first) = bytes.get(..size).map(number) else { return };
    if starts_annex_b(bytes, len) || len <= size {
        return;
    }
    if (first == 0 || first > len - size)
        && !cx.repeats(record.message.direction, record.message.time)
    {
        let words = format!("the first NAL unit says {first} bytes; {} follow", len - size);
        cx.report(Report::message(record, words));
    }
}

/// The first coded slice's type among the units whose beginning is kept, and whether supplemental
/// information came before it.
pub(super) fn first_slice(
    state: &SessionState,
    record: &MessageRecord,
    tag: &VideoTag,
) -> Option<(u8, bool, Vec<u8>)> {
    let (mut bytes, _) = body(record, tag)?;
    let size = length_size(state, record);
    let hevc = tag.codec_name() == "hevc";
    let mut supplemental = false;
    loop {
        let len = bytes.get(..size).map(number)?;
        let unit = bytes.get(size..)?;
        let head = *unit.first()?;
        let kind = if hevc { head >> 1 & 0x3f } else { head & 0x1f };
        let slice = if hevc { kind <= 31 } else { (1..=5).contains(&kind) };
        if slice {
            return Some((kind, supplemental, unit.to_vec()));
        }
        supplemental |= if hevc { kind == 39 } else { kind == 6 };
        bytes = unit.get(len..)?;
    }
}

fn key_flag(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.is_coded()) else { return };
    let hevc = match tag.codec_name() {
        "avc" => false,
        "hevc" => true,
        _ => return,
    };
    let Some((kind, supplemental, _)) = first_slice(cx.state, record, tag) else { return };
    let idr = if hevc { (16..=23).contains(&kind) } else { kind == 5 };
    // A recovery point in the supplemental information is a key frame of its own kind.
    let wrong = match tag.frame_type {
        1 => !idr && !supplemental,
        2 | 3 => idr,
        _ => false,
    };
    if wrong && !cx.repeats(record.message.direction, record.message.time) {
        let words = format!(
            "marked as {}, but its first slice is NAL unit type {kind}",
            tag.frame_type_name()
        );
        cx.report(Report::message(record, words));
    }
}

fn adts(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = audio(record).filter(|tag| tag.is_coded() && tag.codec_name() == "aac") else {
        return;
    };
    let Some(range) = tag.tracks.first().map(|track| track.range.clone()) else { return };
    let Some(&[a, b, _, d, e, f]) =
        record.message.payload.get(range.start..).and_then(|bytes| bytes.first_chunk::<6>())
    else {
        return;
    };
    let len = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
    if a == 0xff && b & 0xf6 == 0xf0 && len == range.len() {
        if cx.repeats(record.message.direction, record.message.time) {
            return;
        }
        cx.report(Report::message(record, format!("ADTS header of a frame of {len} bytes")));
    }
}

fn empty(cx: &mut Context<'_>, record: &MessageRecord) {
    let what = match &record.message.body {
        Body::Video(tag) if tag.packet_type == Some(2) => "end of sequence in mid-stream",
        _ if record.message.length == 0 => "no payload at all",
        Body::Video(_) if record.message.length == 1 => "a header byte and nothing else",
        _ => return,
    };
    let direction = record.message.direction;
    if !cx.repeats(direction, record.message.time) {
        cx.report(Report::message(record, format!("{}: {what}", record.message.type_id.kind())));
    }
}

fn frame_type(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| !tag.enhanced) else { return };
    if record.message.length > 0
        && !matches!(tag.frame_type, 1..=4)
        && !cx.repeats(record.message.direction, record.message.time)
    {
        cx.report(Report::message(record, format!("frame type {}", tag.frame_type)));
    }
}

fn aggregate(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Aggregate(parts) = &record.message.body else { return };
    if !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, format!("an aggregate of {} messages", parts.len())));
    }
}
