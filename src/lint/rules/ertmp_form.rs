//! How audio and video headers are written: numbers that are reserved, forms that exclude others.

use super::command::{command, from_client};
use super::media_config::{audio, video};
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::state::Kind;
use crate::wire::amf::Value;
use crate::wire::flv::Multitrack;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Ertmp,
    title: "",
    severity: Severity::Error,
    escalates: None,
    spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Enhanced Video, Enhanced Audio" }),
    basis: Basis::Spec,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ertmp/video/unknown-packet-type",
        title: "Unknown video packet type",
        explanation: "The packet type is none that Enhanced RTMP defines. Receivers skip the \
            message or close.",
        advice: "Look at the sender's muxer; a header that is not meant to be an enhanced one \
            looks like this, too.",
        covers: &["ertmp/video/unknown-packet-type"],
        checks: &[Check::Media(video_type)],
        ..BASE
    },
    Rule {
        id: "ertmp/audio/unknown-packet-type",
        title: "Unknown audio packet type",
        explanation: "The packet type is none that Enhanced RTMP defines. Receivers skip the \
            message or close.",
        advice: "Look at the sender's muxer.",
        covers: &["ertmp/audio/unknown-packet-type"],
        checks: &[Check::Media(audio_type)],
        ..BASE
    },
    Rule {
        id: "ertmp/multitrack/reserved-type",
        title: "Reserved multitrack type",
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Multitrack" }),
        explanation: "AvMultitrackType is 0, 1 or 2. With another value nobody knows where the \
            tracks are.",
        advice: "Look at the sender's muxer.",
        covers: &["ertmp/multitrack/reserved-type"],
        checks: &[Check::Media(multitrack_type)],
        ..BASE
    },
    Rule {
        id: "ertmp/multitrack/nested-forbidden",
        title: "Multitrack inside multitrack",
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Multitrack" }),
        explanation: "The packet type inside a multitrack message is multitrack again.",
        advice: "Look at the sender's muxer.",
        covers: &["ertmp/multitrack/nested-forbidden"],
        checks: &[Check::Media(nested)],
        ..BASE
    },
    Rule {
        id: "ertmp/video/mpeg2ts-exclusive",
        title: "Two kinds of sequence start for one track",
        explanation: "SequenceStart and MPEG2TSSequenceStart exclude each other. Decoders take the \
            second one for a change of the configuration that it is not.",
        advice: "The sender must send one of them.",
        covers: &["ertmp/video/mpeg2ts-exclusive"],
        checks: &[Check::Media(both_starts)],
        ..BASE
    },
    Rule {
        id: "ertmp/connect/videofunction",
        title: "videoFunction has bits that nobody defined",
        severity: Severity::Warning,
        spec: Some(SpecRef {
            document: "Enhanced RTMP v2",
            section: "Enhancing NetConnection connect",
        }),
        explanation: "Bits 1, 2, 4 and 8 are seek, HDR, metadata packets and large-scale tiles.",
        advice: "The client must send 0 in the others.",
        covers: &["ertmp/connect/videofunction"],
        checks: &[Check::Command(video_function)],
        ..BASE
    },
    Rule {
        id: "flv/audio/aac-flags",
        layer: Layer::Media,
        title: "AAC with other header flags than 44 kHz, 16 bit, stereo",
        severity: Severity::Note,
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.1" }),
        explanation: "The flags of an AAC message are always 3, 1 and 1; the configuration says \
            what is true. FFmpeg writes the channels into them.",
        advice: "Harmless: receivers look at the configuration.",
        covers: &["flv/audio/aac-flags"],
        checks: &[Check::Media(aac_flags)],
        ..BASE
    },
    Rule {
        id: "flv/audio/speex-flags",
        layer: Layer::Media,
        title: "Speex with wrong header flags",
        severity: Severity::Warning,
        spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.2.1" }),
        explanation: "Speex in FLV is 16 kHz mono; its flags are 0 for the rate, 1 for the size and \
            0 for the channels.",
        advice: "Look at the sender's muxer.",
        covers: &["flv/audio/speex-flags"],
        checks: &[Check::Media(speex_flags)],
        ..BASE
    },
];

fn once(cx: &mut Context<'_>, record: &MessageRecord, words: String) {
    if !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, words));
    }
}

fn video_type(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.enhanced) else { return };
    if let Some(kind) = tag.packet_type.filter(|_| tag.packet_name() == Some("unknown")) {
        once(cx, record, format!("video packet type {kind}"));
    }
}

fn audio_type(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = audio(record).filter(|tag| tag.enhanced) else { return };
    if let Some(kind) = tag.packet_type.filter(|_| tag.packet_name() == Some("unknown")) {
        once(cx, record, format!("audio packet type {kind}"));
    }
}

/// The multitrack layout of a message, and whether the packet inside is one again.
fn layout(record: &MessageRecord) -> Option<(Multitrack, bool)> {
    let video = video(record).and_then(|tag| Some((tag.multitrack?, tag.packet_type == Some(6))));
    video.or_else(|| audio(record).and_then(|t| Some((t.multitrack?, t.packet_type == Some(5)))))
}

fn multitrack_type(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some((kind, _)) = layout(record).filter(|(kind, _)| kind.name() == "unknown") else {
        return;
    };
    once(cx, record, format!("multitrack type {}", kind.0));
}

fn nested(cx: &mut Context<'_>, record: &MessageRecord) {
    if layout(record).is_some_and(|(_, nested)| nested) {
        once(cx, record, "a multitrack packet inside a multitrack packet".to_owned());
    }
}

fn both_starts(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|t| t.enhanced && t.is_sequence_header()) else { return };
    if tag.multitrack.is_some() {
        return;
    }
    let track = cx.state.side(record.message.direction).track(Kind::Video, 0);
    let Some(old) = track.and_then(|track| track.config.as_ref()) else { return };
    // Bit 7 of the first byte says that the header is an enhanced one, bits 0 to 3 the type.
    let before = old.payload.first().filter(|byte| **byte & 0x80 != 0).map(|byte| byte & 0x0f);
    if matches!((before, tag.packet_type), (Some(0), Some(5)) | (Some(5), Some(0))) {
        let place = old.place.clone();
        let words = "SequenceStart and MPEG2TSSequenceStart for one track";
        cx.report(Report::message(record, words).related("the other one", place));
    }
}

fn video_function(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|c| from_client(record) && c.name == "connect")
    else {
        return;
    };
    let object = command.object.as_ref();
    let said = object.and_then(|o| o.get("videoFunction")).and_then(Value::as_number);
    if let Some(bits) = said.filter(|bits| *bits < 0.0 || *bits > 15.0 || bits.fract() != 0.0) {
        cx.report(Report::message(record, format!("videoFunction {bits}")));
    }
}

fn flags(record: &MessageRecord, format: u8) -> Option<(u8, u8, u8)> {
    let tag = audio(record).filter(|tag| tag.sound_format == format && !tag.enhanced)?;
    Some((tag.sound_rate?, tag.sound_size?, tag.sound_type?)).filter(|_| !tag.empty)
}

fn aac_flags(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some((rate, size, kind)) = flags(record, 10).filter(|flags| *flags != (3, 1, 1)) {
        once(cx, record, format!("rate {rate}, size {size}, type {kind}"));
    }
}

fn speex_flags(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some((rate, size, kind)) = flags(record, 11).filter(|flags| *flags != (0, 1, 0)) {
        once(cx, record, format!("rate {rate}, size {size}, type {kind}"));
    }
}
