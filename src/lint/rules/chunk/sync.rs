//! Whether the stream still makes sense.

use crate::analysis::{AnomalyRecord, MessageRecord};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::Confidence;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "chunk/desync",
        layer: Layer::Chunk,
        title: "The byte stream stopped making sense here",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.3.1"),
        basis: Basis::Robustness,
        explanation: "What stands where the next chunk header must be is none: a header that \
            inherits from nothing, message types that nobody defined, message streams that nobody \
            created. Sender and receiver no longer agree where chunks begin.",
        advice: "Where decoding found the way again with another chunk size or without extended \
            timestamps, that is the cause. Otherwise the sender writes from two threads, a proxy \
            lost bytes, or C2 is missing.",
        covers: &[
            "rtmp/chunk/default-size-128",
            "rtmp/chunk/size-per-direction",
            "rtmp/chunk/basic-header-2byte",
            "rtmp/chunk/unseen-csid-fmt1-3",
            "robust/handshake/extra-c0",
        ],
        needs: Needs::Direction,
        checks: &[
            Check::Anomaly("no-previous-header", no_previous),
            Check::Message(implausible),
            Check::Anomaly("chunk-size-inferred", repaired),
        ],
    },
    Rule {
        id: "chunk/message-too-large",
        layer: Layer::Chunk,
        title: "A message is bigger than the server accepts",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.2"),
        basis: Basis::DeFacto,
        explanation: "Servers close the connection when a message header announces more than they \
            accept: nginx-rtmp 1 MiB (max_message). Mostly it is a key frame of a detailed scene, \
            so a stream runs for hours and then breaks.",
        advice: "Raise max_message on nginx-rtmp. Or make key frames smaller: a smaller VBV \
            buffer (-bufsize), a lower bit rate or quality ceiling.",
        covers: &["rtmp/chunk/max-message-length"],
        needs: Needs::Nothing,
        checks: &[Check::Message(too_large)],
    },
    Rule {
        id: "chunk/abort",
        layer: Layer::Chunk,
        title: "Sender abandoned a message",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.2"),
        basis: Basis::DeFacto,
        explanation: "An Abort Message drops a message of which chunks were sent already. nginx, \
            SRS and Node-Media-Server ignore it and misread what follows.",
        advice: "Senders with deadlines do so when the path is full. Lower the bit rate, or let \
            the sender finish what it has begun.",
        covers: &["rtmp/control/abort-drops-partial"],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("message-aborted", aborted)],
    },
    Rule {
        id: "rtmp/chunk/fmt012-mid-message",
        layer: Layer::Chunk,
        title: "A new header before the message was complete",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.3.1.2.4"),
        basis: Basis::Robustness,
        explanation: "The rest of a message must follow in type 3 chunks. A type 0, 1 or 2 header \
            on the same chunk stream leaves receivers with half a message: SRS and gortmplib \
            close, nginx-rtmp goes on with the new header and the old bytes.",
        advice: "A fault of the sender: two threads write on one chunk stream, or it drops \
            messages half-way without Abort.",
        covers: &[
            "rtmp/chunk/fmt012-mid-message",
            "rtmp/chunk/fmt3-continuation-fmt",
            "rtmp/chunk/fmt1-length-change-mid-message",
        ],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("message-interrupted", interrupted)],
    },
];

/// What looked wrong in the last messages, per direction.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    /// A bit per message, the newest lowest: whether its header is implausible.
    recent: [u8; 2],
    first: [Option<Place>; 2],
}

/// Implausible headers among the last four messages that are no accident.
const ENOUGH: u32 = 2;

fn no_previous(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let Some(direction) = record.direction else { return };
    let csid = record.csid.unwrap_or(0);
    let words = format!("chunk stream {csid}: {}", record.detail);
    report(cx, direction, Report::anomaly(record, words));
}

fn implausible(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let direction = message.direction;
    let index = direction.index();
    if message.confidence != Confidence::Exact {
        return;
    }
    let known_type = message.type_id.is_known();
    let used = |id: u32| {
        id == 0
            || cx.state.stream(id).is_some()
            || cx.state.sides.iter().any(|side| {
                side.chunk_streams.iter().any(|c| c.stream_id == Some(id) && c.messages > 1)
            })
    };
    let known_stream = known_type || message.stream_id.is_none_or(used);
    let bad = !known_type
        && (!known_stream || cx.state.side(direction).chunk_stream(message.csid).is_none());
    let suspicion = &mut cx.memory.chunk.sync;
    let recent = &mut suspicion.recent[index];
    *recent = (*recent << 1 | u8::from(bad)) & 0x0f;
    if !bad {
        return;
    }
    let enough = recent.count_ones() >= ENOUGH;
    let first = suspicion.first[index].get_or_insert_with(|| Place::of(record)).clone();
    if enough && !cx.has_reported(direction) {
        let words = format!(
            "message type {} of {} bytes on chunk stream {} and message stream {}, after another \
             of that kind",
            message.type_id.0,
            message.length,
            message.csid,
            message.stream_id.unwrap_or(0)
        );
        report(cx, direction, Report::new(first, words));
    }
}

fn repaired(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let Some(direction) = record.direction else { return };
    if cx.state.side(direction).spoke() {
        let words = format!("{}: the sender does not use the size in force", record.detail);
        report(cx, direction, Report::anomaly(record, words).weight(1.0));
    }
}

fn report(cx: &mut Context<'_>, direction: Direction, report: Report) {
    let side = cx.state.side(direction);
    let report = report.related_if("the last good message", side.last.as_ref().map(|(_, p)| p));
    cx.report(report);
}

fn too_large(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let limit = cx.limit(Limit::MessageMax);
    // After a guess the length may be a bogus one.
    if f64::from(message.length) <= limit || message.confidence != Confidence::Exact {
        return;
    }
    let seen = match message.complete {
        true => String::new(),
        false => format!(", of which {} arrived", message.received),
    };
    let kind = message.type_id.kind();
    let words = format!("{kind} message of {} bytes{seen}; the limit is {limit}", message.length);
    cx.report(Report::message(record, words).weight(f64::from(message.length)));
}

fn aborted(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let words = format!("Abort for chunk stream {}", record.csid.unwrap_or(0));
    cx.report(Report::anomaly(record, words));
}

fn interrupted(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let words = format!("chunk stream {}: {}", record.csid.unwrap_or(0), record.detail);
    cx.report(Report::anomaly(record, words));
}
