//! What the headers of messages say.

use crate::analysis::{AnomalyRecord, MessageRecord};
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::Message;
use crate::wire::message::MessageType;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "chunk/first-not-type0",
        layer: Layer::Chunk,
        title: "A chunk stream starts with a compressed header",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.2.1"),
        basis: Basis::Spec,
        explanation: "The first chunk of a chunk stream must have a type 0 header: type 1 leaves \
            the message stream open, types 2 and 3 the length and type as well. Strict servers \
            close (\"fmt must be 0\"), others guess. Old librtmp and rtmpsrv do it with type 1.",
        advice: "The sender lost its state, as after a reconnect. On chunk stream 2 type 1 is \
            widely tolerated.",
        covers: &["rtmp/chunk/fmt0-first"],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("no-previous-header", undecodable), Check::Message(compressed)],
    },
    Rule {
        id: "chunk/control-off-csid2",
        layer: Layer::Chunk,
        title: "Protocol control sent on the wrong chunk or message stream",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4"),
        basis: Basis::Spec,
        explanation: "Types 1 to 6 belong on chunk stream 2 and message stream 0. Strict clients \
            stop in the set-up otherwise: they go silent after connect and close.",
        advice: "A fault of the sender (SRS 7 with Larix on Android).",
        covers: &["rtmp/control/csid2-msid0", "rtmp/ucm/csid2-msid0"],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("control-stream", off_stream)],
    },
    Rule {
        id: "chunk/msid-byte-order",
        layer: Layer::Chunk,
        title: "Message stream id looks byte-swapped",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.3.1.2.5"),
        basis: Basis::Spec,
        explanation: "The message stream id is the only little-endian field of the header. This \
            one makes sense read the other way round. nginx-rtmp takes it without a word.",
        advice: "Write the id with its low byte first.",
        covers: &["rtmp/chunk/msid-little-endian"],
        needs: Needs::Message,
        checks: &[Check::Message(byte_order)],
    },
    Rule {
        id: "chunk/msid-unknown",
        layer: Layer::Chunk,
        title: "Media on a stream nobody created",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.2.5"),
        basis: Basis::Spec,
        explanation: "Audio, video or data came on message stream 0 or on one that no createStream \
            gave.",
        advice: "The sender must use the id that createStream returned.",
        covers: &["robust/message/unknown-msid-media"],
        needs: Needs::Both,
        checks: &[Check::Message(unknown_stream)],
    },
    Rule {
        id: "rtmp/chunk/zero-length-message",
        layer: Layer::Chunk,
        title: "Message without a payload",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1"),
        basis: Basis::DeFacto,
        explanation: "An empty audio message means silence. Empty video, data or command messages \
            mean nothing, an empty control message lacks its value; some receivers close.",
        advice: "A fault of the sender. gortmplib refuses empty audio as well.",
        covers: &["rtmp/chunk/zero-length-message"],
        needs: Needs::Message,
        checks: &[Check::Message(empty)],
    },
    Rule {
        id: "rtmp/control/reserved-type",
        layer: Layer::Chunk,
        title: "Message type that nobody defined",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("6.1.1"),
        basis: Basis::Robustness,
        explanation: "Most receivers pass over a type they do not know, gortmplib closes.",
        advice: "An extension of the sender's own, or a misread stream: look for chunk/desync.",
        covers: &["rtmp/control/reserved-type", "robust/message/unknown-type"],
        needs: Needs::Message,
        checks: &[Check::Message(reserved)],
    },
];

fn undecodable(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let Some(direction) = record.direction else { return };
    // After the first good messages it is the stream that is lost, not a habit.
    let csid = record.csid.unwrap_or(0);
    if cx.state.side(direction).chunk_stream(csid).is_none() {
        let words = format!("chunk stream {csid}: {}", record.detail);
        cx.report(Report::anomaly(record, words));
    }
}

fn compressed(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    if message.fmt != 1 || cx.state.side(message.direction).chunk_stream(message.csid).is_some() {
        return;
    }
    let tolerated = message.csid == 2;
    let words = format!(
        "type {} header opens chunk stream {} ({})",
        message.fmt,
        message.csid,
        message.type_id.kind()
    );
    let report = Report::message(record, words);
    cx.report(if tolerated { report.severity(Severity::Note) } else { report });
}

fn off_stream(cx: &mut Context<'_>, record: &AnomalyRecord) {
    cx.report(Report::anomaly(record, record.detail.clone()));
}

fn is_swapped(id: u32) -> bool {
    id != 0 && id & 0x00ff_ffff == 0
}

fn byte_order(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let Some(id) = message.stream_id.filter(|id| is_swapped(*id)) else { return };
    if !cx.repeats(message.direction, message.time) {
        let words = format!("message stream {id} is {} with its bytes swapped", id.swap_bytes());
        cx.report(Report::message(record, words));
    }
}

fn carries_stream(message: &Message) -> bool {
    message.type_id.is_media()
        || matches!(
            message.type_id,
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3 | MessageType::AGGREGATE
        )
}

fn unknown_stream(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let Some(id) = message.stream_id else { return };
    if !carries_stream(message) || is_swapped(id) {
        return;
    }
    // onMetaData and |RtmpSampleAccess on stream 0 are common and harmless.
    let media = message.type_id.is_media() || message.type_id == MessageType::AGGREGATE;
    let known = cx.state.stream(id).is_some_and(|s| s.created.is_some() || s.used.is_some());
    if known || (id == 0 && !media) || cx.repeats(message.direction, message.time) {
        return;
    }
    let kind = message.type_id.kind();
    cx.report(Report::message(record, format!("{kind} on message stream {id}")));
}

fn empty(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if message.length > 0 || message.type_id == MessageType::AUDIO || !message.type_id.is_known() {
        return;
    }
    let is_control = message.type_id.is_control();
    let words = format!("empty {} message", message.type_id.kind());
    cx.report(Report::message(record, words).error_if(is_control));
}

fn reserved(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if !message.type_id.is_known() {
        let words = format!(
            "type {} of {} bytes on chunk stream {}",
            message.type_id.0, message.length, message.csid
        );
        cx.report(Report::message(record, words));
    }
}
