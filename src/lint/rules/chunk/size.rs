//! Set Chunk Size (section 5.4.1).

use crate::analysis::{AnomalyRecord, MessageRecord, SessionEnd};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::StreamUse;
use crate::wire::message::Body;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "chunk/size-too-large",
        layer: Layer::Chunk,
        title: "Announced chunk size is beyond what peers accept",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.1"),
        basis: Basis::DeFacto,
        explanation: "nginx-rtmp refuses chunk sizes above 10485760: it logs that, keeps the old \
            size and goes on, so that the next larger message is misread. gortmplib closes.",
        advice: "Use 4096 to 65536.",
        covers: &["rtmp/control/set-chunk-size-max"],
        needs: Needs::Message,
        checks: &[Check::Control(too_large)],
    },
    Rule {
        id: "chunk/size-invalid",
        layer: Layer::Chunk,
        title: "Chunk size 0 or with the top bit set",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.4.1"),
        basis: Basis::Spec,
        explanation: "The chunk size must be 1 to 0x7FFFFFFF. What receivers make of another one \
            differs: nginx-rtmp resets the connection at 0.",
        advice: "A fault of the sender.",
        covers: &[
            "rtmp/control/set-chunk-size-valid",
            "rtmp/control/set-chunk-size-zero",
            "rtmp/control/set-chunk-size-high-bit",
        ],
        needs: Needs::Nothing,
        checks: &[Check::Anomaly("invalid-chunk-size", invalid)],
    },
    Rule {
        id: "rtmp/control/set-chunk-size-1",
        layer: Layer::Chunk,
        title: "Chunk size below 128",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.1"),
        basis: Basis::Spec,
        explanation: "The chunk size should be at least 128. SRS closes below that, and each chunk \
            costs a header.",
        advice: "Use 4096 to 65536.",
        covers: &["rtmp/control/set-chunk-size-1"],
        needs: Needs::Message,
        checks: &[Check::Control(too_small)],
    },
    Rule {
        id: "chunk/size-left-at-128",
        layer: Layer::Chunk,
        title: "Sender never raised the chunk size",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("5.4.1"),
        basis: Basis::DeFacto,
        explanation: "Media is cut into chunks of 128 bytes: a header each, and work for every \
            receiver. GStreamer's rtmpsink and rtmp2sink do so.",
        advice: "Have the sender announce a chunk size of 4096 or more.",
        covers: &["robust/chunk/tiny-chunks-large-message"],
        needs: Needs::Direction,
        checks: &[Check::End(left_at_128)],
    },
    Rule {
        id: "chunk/size-change-late",
        layer: Layer::Chunk,
        title: "Chunk size changed after publish or play began",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.1"),
        basis: Basis::DeFacto,
        explanation: "Legal at any time. Some servers expect metadata right after publish and stop \
            at another message (MediaMTX before 1.8).",
        advice: "If the receiver stops here, announce the chunk size before publish or play.",
        covers: &["rtmp/chunk/set-chunk-size-immediate"],
        needs: Needs::Message,
        checks: &[Check::Control(late)],
    },
    Rule {
        id: "chunk/size-change-mid-message",
        layer: Layer::Chunk,
        title: "Chunk size changed while another message was in flight",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.1"),
        basis: Basis::Spec,
        explanation: "The new size counts from the next chunk on, also for a message that was \
            begun with the old one. Few receivers are tried with that.",
        advice: "Finish the message first.",
        covers: &["rtmp/chunk/set-chunk-size-mid-message"],
        needs: Needs::Direction,
        checks: &[Check::Message(mid_message)],
    },
    Rule {
        id: "robust/chunk/chunk-size-churn",
        layer: Layer::Chunk,
        title: "Chunk size changed again and again",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.1"),
        basis: Basis::Robustness,
        explanation: "Once or twice is normal. Each change makes receivers reallocate buffers.",
        advice: "A fault of the sender, or an attack.",
        covers: &["robust/chunk/chunk-size-churn"],
        needs: Needs::Message,
        checks: &[Check::Control(churn)],
    },
];

/// Chunk sizes announced, per direction.
#[derive(Debug, Default)]
pub(super) struct Changes {
    count: [u32; 2],
}

fn announced(record: &MessageRecord) -> Option<u32> {
    match record.message.body {
        Body::SetChunkSize { size, reserved_bit: false } if size > 0 => Some(size),
        _ => None,
    }
}

fn too_large(cx: &mut Context<'_>, record: &MessageRecord) {
    let max = cx.limit(Limit::ChunkSizeMax);
    if let Some(size) = announced(record).filter(|size| f64::from(*size) > max) {
        let words = format!("chunk size {size}; the limit is {max}");
        cx.report(Report::message(record, words).weight(f64::from(size)));
    }
}

fn too_small(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some(size) = announced(record).filter(|size| *size < 128) {
        cx.report(Report::message(record, format!("chunk size {size}")));
    }
}

fn invalid(cx: &mut Context<'_>, record: &AnomalyRecord) {
    cx.report(Report::anomaly(record, record.detail.clone()));
}

fn left_at_128(cx: &mut Context<'_>, _end: &SessionEnd) {
    let (min_kbps, max_overhead) =
        (cx.limit(Limit::ChunkDefaultKbps), cx.limit(Limit::ChunkOverheadPercent));
    let mut found = Vec::new();
    for side in cx.sides() {
        let Some((first, last)) = side.media_times() else { continue };
        let bytes = side.audio.bytes + side.video.bytes;
        let kbps = bytes as f64 * 8.0 / last.seconds_since(first).max(0.5) / 1000.0;
        if side.chunk_size == 128 && kbps > min_kbps {
            // Continuation headers alone: what a larger chunk size would save.
            let headers = side.chunks.saturating_sub(side.messages);
            let overhead = 100.0 * headers as f64 / bytes.max(1) as f64;
            let words = format!(
                "{kbps:.0} kbit/s in {} chunks of 128 bytes, {overhead:.1} % more for headers",
                side.chunks
            );
            let place = Place::at(first, Some(side.direction));
            found.push(Report::new(place, words).warning_if(overhead > max_overhead));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

fn late(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(size) = announced(record) else { return };
    let asked = cx.state.streams().iter().find(|s| s.used.is_some() && s.closed.is_none());
    let Some(stream) = asked else { return };
    // A server announces its chunk size to a player when it likes.
    let client = record.message.direction == crate::base::Direction::ClientToServer;
    if client && stream.used == Some(StreamUse::Publish) {
        let before = cx.state.side(record.message.direction).chunk_size;
        // GStreamer's rtmp2sink says again that it stays at 128.
        if before == size {
            return;
        }
        let words = format!("chunk size {before} becomes {size} after publish");
        let report = Report::message(record, words);
        cx.report(report.related_if("publish", stream.asked.as_ref()));
    }
}

fn mid_message(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if message.chunks < 2 {
        return;
    }
    let side = cx.state.side(message.direction);
    let Some(at) = side.chunk_size_at.as_ref() else { return };
    let Some(change) = at.bytes.as_ref() else { return };
    let place = Place::of(record);
    let within = place.bytes.as_ref().is_some_and(|own| own.contains(&change.start));
    if within {
        let words = format!(
            "chunk size became {} within a {} message on chunk stream {}",
            side.chunk_size,
            message.type_id.kind(),
            message.csid
        );
        let report = Report::new(place, words).related("Set Chunk Size", at.clone());
        cx.report(report);
    }
}

fn churn(cx: &mut Context<'_>, record: &MessageRecord) {
    if announced(record).is_none() {
        return;
    }
    let count = &mut cx.memory.chunk.size.count[record.message.direction.index()];
    *count += 1;
    let count = *count;
    if f64::from(count) > cx.limit(Limit::ChunkSizeChanges) {
        cx.report(
            Report::message(record, format!("{count} changes so far")).weight(f64::from(count)),
        );
    }
}
