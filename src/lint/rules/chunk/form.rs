//! How chunk streams are numbered, shared and mixed.

use crate::analysis::{MessageRecord, SessionEnd};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::{Confidence, Message};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "chunk/csid-wide-form",
        layer: Layer::Chunk,
        title: "Chunk stream id above 63, or written longer than needed",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.1"),
        basis: Basis::DeFacto,
        explanation: "Ids above 63 take a basic header of 2 or 3 bytes, which several servers \
            refuse or misread: FFmpeg continues them with a 1-byte header, Node-Media-Server swaps \
            the bytes of the long form. The specification wants the shortest form that fits.",
        advice: "Use chunk streams 3 to 63 (below 32 for nginx-rtmp).",
        covers: &[
            "rtmp/chunk/basic-header-3byte",
            "rtmp/chunk/basic-header-overlong",
            "rtmp/chunk/basic-header-smallest",
        ],
        needs: Needs::Direction,
        checks: &[Check::Message(wide)],
    },
    Rule {
        id: "chunk/too-many-csids",
        layer: Layer::Chunk,
        title: "More chunk streams than servers allow",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.1"),
        basis: Basis::DeFacto,
        explanation: "nginx-rtmp refuses chunk stream ids of 32 and more (max_streams), gortmplib \
            those of 64 and more.",
        advice: "Raise max_streams on nginx-rtmp, or have the sender use lower ids. If they come \
            after a good time, look for chunk/desync first.",
        covers: &["robust/chunk/many-csids"],
        needs: Needs::Direction,
        checks: &[Check::Message(many)],
    },
    Rule {
        id: "chunk/mixed-types-one-csid",
        layer: Layer::Chunk,
        title: "Audio, video and commands share a chunk stream",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("5.3"),
        basis: Basis::DeFacto,
        explanation: "Messages of one chunk stream cannot be interleaved: a large key frame holds \
            up the sound and the commands behind it. librtmp does it (8, 9, 18 and 20 on 4).",
        advice: "Legal. Matters on slow paths only.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(mixed)],
    },
    Rule {
        id: "chunk/interleaved",
        layer: Layer::Chunk,
        title: "Messages are interleaved chunk by chunk",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3"),
        basis: Basis::Spec,
        explanation: "Chunks of another chunk stream stand between the chunks of a message. That \
            is what chunks are for, and simple receivers break on it.",
        advice: "If the receiver fails here, it needs a buffer per chunk stream. Hardware encoders \
            interleave.",
        covers: &["rtmp/chunk/interleaving"],
        needs: Needs::Direction,
        checks: &[Check::Message(interleaved)],
    },
    Rule {
        id: "rtmp/chunk/multiple-msid-one-csid",
        layer: Layer::Chunk,
        title: "Several message streams share a chunk stream",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.3.1.2.5"),
        basis: Basis::Spec,
        explanation: "A chunk stream carries messages of two message streams other than 0. Legal, \
            and rare enough that receivers which keep one message stream per chunk stream exist.",
        advice: "Use a chunk stream per message stream.",
        covers: &["rtmp/chunk/multiple-msid-one-csid"],
        needs: Needs::Direction,
        checks: &[Check::Message(shared)],
    },
    Rule {
        id: "rtmp/chunk/compact-header",
        layer: Layer::Chunk,
        title: "Headers longer than needed",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("5.3.1.2"),
        basis: Basis::Spec,
        explanation: "Many messages repeat in full what the message before on their chunk stream \
            said: a type 1, 2 or 3 header would do.",
        advice: "Costs a little bandwidth at low bit rates, nothing else.",
        covers: &["rtmp/chunk/compact-header"],
        needs: Needs::Direction,
        checks: &[Check::Message(count_headers), Check::End(headers)],
    },
];

/// Header bytes that a sender could have left out, per direction.
#[derive(Debug, Default)]
pub(super) struct Headers {
    avoidable: [u64; 2],
}

fn count_headers(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let side = cx.state.side(message.direction);
    let Some(before) = side.chunk_stream(message.csid) else { return };
    let forward = message.timestamp.wrapping_sub(before.timestamp) < 0x00ff_ffff;
    let same_kind = before.length == message.length
        && before.types == 1_u32.checked_shl(u32::from(message.type_id.0)).unwrap_or(0);
    // Types 0, 1 and 2 have 11, 7 and 3 bytes.
    let avoidable = match message.fmt {
        0 if forward && before.stream_id == message.stream_id => 4 + u64::from(same_kind) * 4,
        1 if same_kind => 4,
        _ => return,
    };
    cx.memory.chunk.headers.avoidable[message.direction.index()] += avoidable;
}

fn headers(cx: &mut Context<'_>, end: &SessionEnd) {
    let max = cx.limit(Limit::CompactPercent);
    let mut found = Vec::new();
    for side in cx.sides() {
        let avoidable = cx.memory.chunk.headers.avoidable[side.direction.index()];
        let share = 100.0 * avoidable as f64 / side.offset.max(1) as f64;
        if share > max && side.messages > 100 {
            let words = format!("{avoidable} bytes of headers repeat what was said ({share:.1} %)");
            found.push(Report::new(Place::at(end.start, Some(side.direction)), words));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

/// Length of the basic header of a message's first chunk.
fn basic_header_len(message: &Message) -> Option<u64> {
    let first = message.headers.runs().next()?.len;
    let fixed = match message.fmt {
        0 => 11,
        1 => 7,
        2 => 3,
        _ => 0,
    };
    // In a type 3 header the sender may or may not repeat the extended field.
    if message.fmt == 3 && message.extended_timestamp {
        return None;
    }
    first.checked_sub(fixed + if message.extended_timestamp { 4 } else { 0 })
}

fn wide(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let csid = message.csid;
    let Some(len) = basic_header_len(message).filter(|len| (2..=3).contains(len)) else { return };
    if cx.repeats(message.direction, message.time) {
        return;
    }
    let shortest = match csid {
        0..=63 => 1,
        64..=319 => 2,
        _ => 3,
    };
    let overlong = len > shortest;
    let needed = if overlong { format!(", {shortest} would do") } else { String::new() };
    let words = format!("chunk stream {csid} in a basic header of {len} bytes{needed}");
    cx.report(Report::message(record, words).warning_if(overlong).weight(len as f64));
}

fn many(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let max = cx.limit(Limit::ChunkStreamMax);
    if message.confidence != Confidence::Exact || f64::from(message.csid) <= max {
        return;
    }
    if !cx.repeats(message.direction, message.time) {
        let words = format!("chunk stream {}; the limit is {max}", message.csid);
        cx.report(Report::message(record, words).weight(f64::from(message.csid)));
    }
}

/// The types that belong on chunk streams of their own: audio, video, data, commands.
const KINDS: [(u32, &str); 4] = [
    (1 << 8, "audio"),
    (1 << 9, "video"),
    (1 << 15 | 1 << 18, "data"),
    (1 << 17 | 1 << 20, "commands"),
];

fn mixed(cx: &mut Context<'_>, end: &SessionEnd) {
    let mut found = Vec::new();
    for side in &cx.state.sides {
        for stream in &side.chunk_streams {
            let kinds: Vec<&str> = KINDS
                .iter()
                .filter(|(bits, _)| stream.types & bits != 0)
                .map(|(_, name)| *name)
                .collect();
            let media = stream.types & (1 << 8 | 1 << 9) != 0;
            if kinds.len() > 1 && media {
                let words = format!("{} on chunk stream {}", kinds.join(", "), stream.csid);
                let place = Place::at(end.start, Some(side.direction));
                found.push(Report::new(place, words).weight(kinds.len() as f64));
            }
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

fn interleaved(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    if message.chunks < 2 || !message.complete || cx.repeats(message.direction, message.time) {
        return;
    }
    let Some(last) = message.pieces.runs().last() else { return };
    let strides = last.stride.saturating_mul(last.count.saturating_sub(1));
    let end = last.offset.saturating_add(strides).saturating_add(last.len);
    let own = message.headers.len() + message.pieces.len();
    let foreign = end.saturating_sub(message.offset).saturating_sub(own);
    if foreign > 0 {
        let words = format!(
            "{foreign} bytes of other chunk streams within a {} message on chunk stream {}",
            message.type_id.kind(),
            message.csid
        );
        cx.report(Report::message(record, words));
    }
}

fn shared(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let Some(id) = message.stream_id.filter(|id| *id != 0) else { return };
    let stream = cx.state.side(message.direction).chunk_stream(message.csid);
    let Some(before) = stream.and_then(|s| s.stream_id).filter(|other| *other != 0) else { return };
    if before != id && !cx.repeats(message.direction, message.time) {
        let words = format!("message streams {before} and {id} on chunk stream {}", message.csid);
        cx.report(Report::message(record, words));
    }
}
