//! Codec configuration: there, whole, and not changing.

use super::command::from_client;
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::state::Kind;
use crate::wire::codec::CodecConfig;
use crate::wire::flv::{AudioTag, TrackConfig, VideoTag};
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Error,
    escalates: None,
    spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.3" }),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/avc-config-missing",
        title: "Video frames before (or without) SPS and PPS",
        explanation: "H.264 pictures came without an AVC sequence header before them. Servers drop \
            them or never start the track: a black picture.",
        advice: "The encoder must send the sequence header after Publish.Start, on each connection \
            anew.",
        covers: &["flv/video/avc-sequence-first"],
        checks: &[Check::Media(avc_missing)],
        ..BASE
    },
    Rule {
        id: "media/avc-config-invalid",
        title: "Video configuration record is malformed",
        explanation: "The AVC, HEVC or AV1 configuration record is shorter than it says, or holds \
            parameter sets that cannot be read.",
        advice: "Look at the encoder's muxer: Annex B inside the record, a record cut short.",
        covers: &["flv/video/avcc-valid", "flv/video/avc-header-min-size"],
        needs: Needs::Message,
        checks: &[Check::Media(invalid)],
        ..BASE
    },
    Rule {
        id: "media/aac-config-missing",
        title: "AAC frames without AudioSpecificConfig",
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.2" }),
        explanation: "AAC frames came without an AAC sequence header before them: audio bytes flow \
            and nobody hears anything.",
        advice: "FFmpeg: -bsf:a aac_adtstoasc. Otherwise the encoder must send the header after \
            Publish.Start.",
        covers: &["flv/audio/aac-sequence-first"],
        checks: &[Check::Media(aac_missing)],
        ..BASE
    },
    Rule {
        id: "media/aac-config-empty",
        title: "AAC header without content",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.2" }),
        explanation: "The AAC sequence header has no AudioSpecificConfig. FFmpeg writes it like \
            that when it copies ADTS.",
        advice: "FFmpeg: -bsf:a aac_adtstoasc.",
        covers: &["flv/audio/asc-valid"],
        needs: Needs::Message,
        checks: &[Check::Media(aac_empty)],
        ..BASE
    },
    Rule {
        id: "media/config-changed",
        title: "Codec parameters changed in mid-stream",
        severity: Severity::Warning,
        explanation: "A new configuration record differs from the one before. Many players and \
            recorders break on a change of resolution, profile or sample rate.",
        advice: "Publish anew after a change, or make sure that the receivers start over.",
        covers: &["flv/av/codec-change-mid-stream"],
        checks: &[Check::Media(changed)],
        ..BASE
    },
    Rule {
        id: "media/config-repeated",
        title: "Identical codec header sent again and again",
        severity: Severity::Note,
        explanation: "The same configuration record comes again in mid-stream. Some HLS muxers \
            mark a discontinuity each time.",
        advice: "Harmless for most; otherwise make the sender send it once.",
        checks: &[Check::Media(repeated)],
        ..BASE
    },
    Rule {
        id: "media/codec-unsupported-by-servers",
        title: "Codec that many RTMP servers refuse",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.1, E.4.3.1" }),
        explanation: "The codec is one of Flash's old ones. Today's servers take H.264, AAC and \
            MP3, and drop or refuse the others.",
        advice: "Encode to H.264 and AAC.",
        needs: Needs::Message,
        checks: &[Check::Media(old_codec)],
        ..BASE
    },
];

/// Whether a decoder cannot start without the codec's configuration record.
pub(super) fn needs_config(codec: &str) -> bool {
    matches!(codec, "avc" | "hevc" | "vvc" | "av1" | "aac" | "flac")
}

/// The video tag of a client's message.
pub(super) fn video(record: &MessageRecord) -> Option<&VideoTag> {
    match &record.message.body {
        Body::Video(tag) => Some(tag),
        _ => None,
    }
}

/// The audio tag of a message.
pub(super) fn audio(record: &MessageRecord) -> Option<&AudioTag> {
    match &record.message.body {
        Body::Audio(tag) => Some(tag),
        _ => None,
    }
}

/// The decoded configuration that a message carries.
pub(super) fn config(record: &MessageRecord) -> Option<&CodecConfig> {
    let tracks = match &record.message.body {
        Body::Video(tag) => &tag.tracks,
        Body::Audio(tag) => &tag.tracks,
        _ => return None,
    };
    match tracks.first()?.config.as_ref()? {
        TrackConfig::Codec(config) => Some(config),
        TrackConfig::Multichannel { .. } => None,
    }
}

fn avc_missing(cx: &mut Context<'_>, record: &MessageRecord) {
    // What a server sends its players is another rule's.
    let Some(tag) = video(record).filter(|_| from_client(record)) else { return };
    if tag.enhanced || !tag.is_coded() || tag.codec_name() != "avc" {
        return;
    }
    let side = cx.state.side(record.message.direction);
    if side.track(Kind::Video, 0).is_some_and(|track| track.config.is_some())
        || cx.repeats(record.message.direction, record.message.time)
    {
        return;
    }
    let start = tag.tracks.first().map_or(0, |track| track.range.start);
    let first = record.message.payload.get(start + 4).map(|byte| byte & 0x1f);
    let in_band = match first {
        Some(7) => "; the picture holds the SPS itself",
        _ => "",
    };
    let words = format!("H.264 picture without a sequence header before it{in_band}");
    cx.report(Report::message(record, words));
}

fn invalid(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.is_sequence_header()) else { return };
    // HEVC in an AVC header has a rule of its own.
    if super::ertmp::is_hevc_record(record) && tag.codec_id == Some(7) {
        return;
    }
    let Some(config) = config(record) else { return };
    if let Some(stop) = &config.stop {
        let words =
            format!("{} configuration record: {} at byte {}", config.codec, stop.field, stop.at);
        let at = stop.at;
        cx.report(Report::message(record, words).field(at..at + 1));
    }
}

fn aac_missing(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = audio(record).filter(|_| from_client(record)) else { return };
    if tag.enhanced || tag.codec_name() != "aac" || !tag.is_coded() {
        return;
    }
    let side = cx.state.side(record.message.direction);
    let configured = side.track(Kind::Audio, 0).is_some_and(|track| track.config.is_some());
    if !configured && !cx.repeats(record.message.direction, record.message.time) {
        let words = "AAC frame without a sequence header before it";
        cx.report(Report::message(record, words));
    }
}

fn aac_empty(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = audio(record).filter(|tag| tag.codec_name() == "aac") else { return };
    if tag.is_sequence_header() && tag.tracks.iter().all(|track| track.range.is_empty()) {
        let words = format!("AAC sequence header of {} bytes", record.message.length);
        cx.report(Report::message(record, words));
    }
}

/// The track that a sequence header configures, as it was.
fn before<'a>(
    cx: &Context<'a>,
    record: &MessageRecord,
) -> Option<&'a crate::lint::state::MediaTrack> {
    let (kind, tracks, header) = match &record.message.body {
        Body::Video(tag) => (Kind::Video, &tag.tracks, tag.is_sequence_header()),
        Body::Audio(tag) => (Kind::Audio, &tag.tracks, tag.is_sequence_header()),
        _ => return None,
    };
    let id = tracks.first().and_then(|track| track.id).unwrap_or(0);
    let state: &'a crate::lint::state::SessionState = cx.state;
    state.side(record.message.direction).track(kind, id).filter(|_| header)
}

/// What a record says, in words.
fn describe(config: &CodecConfig) -> String {
    let mut parts = vec![config.codec.to_owned()];
    parts.extend(config.profile.clone());
    if let (Some(width), Some(height)) = (config.width, config.height) {
        parts.push(format!("{width}x{height}"));
    }
    parts.extend(config.sample_rate.map(|rate| format!("{rate} Hz")));
    parts.extend(config.channels.map(|channels| format!("{channels} ch")));
    parts.join(" ")
}

fn changed(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(old) = before(cx, record).and_then(|track| track.config.as_ref()) else { return };
    if old.payload == record.message.payload || old.payload.len() <= 5 {
        return;
    }
    let of = |config: Option<&CodecConfig>| config.map(describe).unwrap_or_default();
    let (from, to) = (of(old.config.as_ref()), of(config(record)));
    let words = match from == to {
        true => format!("another record for the same {to}"),
        false => format!("from {from} to {to}"),
    };
    let same = from == to;
    let report = Report::message(record, words).related("the record before", old.place.clone());
    cx.report(if same { report.severity(Severity::Note) } else { report });
}

fn repeated(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = before(cx, record) else { return };
    let Some(old) = track.config.as_ref().filter(|_| track.frames > 0) else { return };
    if old.payload != record.message.payload
        || cx.repeats(record.message.direction, record.message.time)
    {
        return;
    }
    let words = format!("the same {} configuration record, time {}", track.codec, old.count + 1);
    let often = old.count >= cx.limit(Limit::ConfigRepeats) as u64;
    cx.report(Report::message(record, words).warning_if(often && from_client(record)));
}

fn old_codec(cx: &mut Context<'_>, record: &MessageRecord) {
    let direction = record.message.direction;
    let name = match &record.message.body {
        Body::Video(tag) => match tag.codec_id {
            Some(id @ (1..=6)) => format!("{} video (codec id {id})", tag.codec_name()),
            _ => return,
        },
        Body::Audio(tag) if !tag.enhanced && !tag.empty => match tag.sound_format {
            2 | 9 | 10 | 14 => return,
            format => format!("{} audio (format {format})", tag.codec_name()),
        },
        _ => return,
    };
    if !cx.has_reported(direction) {
        cx.report(Report::message(record, name));
    }
}
