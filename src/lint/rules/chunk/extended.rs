//! Extended timestamps (section 5.3.1.3), and what timestamps the headers make.

use crate::analysis::{AnomalyRecord, MessageRecord};
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "chunk/ext-ts-missing-on-type3",
        layer: Layer::Chunk,
        title: "Extended timestamp left out of continuation chunks",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.3.1.3"),
        basis: Basis::Spec,
        explanation: "Once a timestamp needs 32 bits, each type 3 chunk of the message must \
            repeat the extended field. This sender leaves it out, as the draft of 2009 said. A \
            receiver that expects it eats four payload bytes per chunk, and the stream breaks: \
            from 16777.215 s on, which is 4 h 39 min 37 s.",
        advice: "Update the sender (librtmp and OBS repeat the field since 2024). Until then \
            restart the stream before 4 h 39 min, or use a chunk size larger than any message, \
            which needs no type 3 chunks.",
        covers: &[
            "rtmp/chunk/fmt3-extended-timestamp",
            "rtmp/chunk/fmt3-extended-timestamp-server-output",
        ],
        needs: Needs::Nothing,
        checks: &[Check::Anomaly("extended-timestamp-omitted", missing)],
    },
    Rule {
        id: "chunk/ext-ts-wrong-on-type3",
        layer: Layer::Chunk,
        title: "Continuation chunks carry a different extended timestamp",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.3"),
        basis: Basis::DeFacto,
        explanation: "Type 3 chunks have the field, with another value than the header before \
            them. Receivers that look whether the four bytes are the timestamp (SRS, GStreamer) \
            take them for payload.",
        advice: "Repeat the value of the last type 0, 1 or 2 header. gortmplib writes zero.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Anomaly("extended-timestamp-differs", wrong)],
    },
    Rule {
        id: "chunk/ext-ts-delta-as-absolute",
        layer: Layer::Chunk,
        title: "Extended value in a type 1 or 2 header looks absolute",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.3.1.3"),
        basis: Basis::Spec,
        explanation: "In type 1 and 2 headers the extended field holds a delta. Taken as one, \
            time jumps by an hour or more; taken as an absolute time it fits the message before. \
            SRS before 7.0.52 reads it as absolute.",
        advice: "Send a type 0 header when the timestamp is 0xFFFFFF or more: every receiver \
            agrees on that.",
        covers: &["rtmp/chunk/extended-timestamp-delta"],
        needs: Needs::Direction,
        checks: &[Check::Message(absolute)],
    },
    Rule {
        id: "chunk/ext-ts-needless",
        layer: Layer::Chunk,
        title: "Extended timestamp used for a small value",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.3.1.3"),
        basis: Basis::Spec,
        explanation: "The 24-bit field says 0xFFFFFF and the extended one holds less than that: \
            it would have fitted.",
        advice: "Legal to read, and odd enough to break parsers. A fault of the sender.",
        covers: &["rtmp/chunk/extended-timestamp-fmt0"],
        needs: Needs::Direction,
        checks: &[Check::Message(needless)],
    },
    Rule {
        id: "chunk/type3-starts-message",
        layer: Layer::Chunk,
        title: "New message begins with a type 3 header after a type 0 one",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.3.1.2.4"),
        basis: Basis::Spec,
        explanation: "The specification takes the timestamp of the type 0 header for the delta \
            then; nginx-rtmp, librtmp and others take 0. Receivers differ by that much.",
        advice: "Senders should use type 0, 1 or 2 for the message after a type 0 one.",
        covers: &["rtmp/chunk/fmt3-after-fmt0", "rtmp/chunk/fmt3-new-message"],
        needs: Needs::Direction,
        checks: &[Check::Anomaly("type3-after-type0", type3)],
    },
    Rule {
        id: "rtmp/chunk/fmt0-on-time-backwards",
        layer: Layer::Chunk,
        title: "Time goes back with a delta header",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.3.1.2.1"),
        basis: Basis::Spec,
        explanation: "A type 1 or 2 header cannot say a step back in time: this one has a delta of \
            2^31 or more, which some receivers take for a negative one and others for weeks.",
        advice: "Send a type 0 header when time goes back.",
        covers: &["rtmp/chunk/fmt0-on-time-backwards"],
        needs: Needs::Direction,
        checks: &[Check::Message(negative)],
    },
    Rule {
        id: "rtmp/chunk/timestamp-wrap-32",
        layer: Layer::Chunk,
        title: "Timestamps wrapped around at 2^32",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("4"),
        basis: Basis::Spec,
        explanation: "After 49.7 days (or with a high first value) timestamps begin again at 0. \
            That is not a step back, but receivers exist that think so.",
        advice: "If viewers lose the picture at that moment, restart the stream before it.",
        covers: &["rtmp/chunk/timestamp-wrap-32", "rtmp/chunk/timestamp-cross-24bit"],
        needs: Needs::Direction,
        checks: &[Check::Media(wrap)],
    },
];

fn stream_age(cx: &Context<'_>, record: &AnomalyRecord) -> String {
    let time = record.time.unwrap_or(cx.now);
    format!("{:.0} s after the session began", time.seconds_since(cx.state.info.time).max(0.0))
}

fn missing(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let words = format!("chunk stream {}, {}", record.csid.unwrap_or(0), stream_age(cx, record));
    cx.report(Report::anomaly(record, words));
}

fn wrong(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let words = format!("chunk stream {}, {}", record.csid.unwrap_or(0), stream_age(cx, record));
    cx.report(Report::anomaly(record, words));
}

/// The delta that a type 1 or 2 header holds.
fn delta(cx: &Context<'_>, record: &MessageRecord) -> Option<(u32, u32)> {
    let message = &record.message;
    if !matches!(message.fmt, 1 | 2) || !message.timestamp_exact {
        return None;
    }
    let before = cx.state.side(message.direction).chunk_stream(message.csid)?;
    Some((before.timestamp, message.timestamp.wrapping_sub(before.timestamp)))
}

/// An hour, in milliseconds.
const HOUR: u32 = 3_600_000;

fn absolute(cx: &mut Context<'_>, record: &MessageRecord) {
    if !record.message.extended_timestamp {
        return;
    }
    let Some((before, delta)) = delta(cx, record) else { return };
    let off = i64::from(delta) - i64::from(before);
    if delta >= HOUR && (0..=1000).contains(&off) {
        let words = format!("delta of {delta} ms after a timestamp of {before} ms");
        cx.report(Report::message(record, words));
    }
}

fn needless(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if !message.extended_timestamp || !message.timestamp_exact {
        return;
    }
    let value = match message.fmt {
        0 => message.timestamp,
        1 | 2 => match delta(cx, record) {
            Some((_, delta)) => delta,
            None => return,
        },
        _ => return,
    };
    if value < 0x00ff_ffff && !cx.repeats(message.direction, message.time) {
        let what = if message.fmt == 0 { "timestamp" } else { "delta" };
        cx.report(Report::message(record, format!("{what} {value} in an extended field")));
    }
}

fn type3(cx: &mut Context<'_>, record: &AnomalyRecord) {
    let words = format!("chunk stream {}: {}", record.csid.unwrap_or(0), record.detail);
    cx.report(Report::anomaly(record, words));
}

fn negative(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some((before, delta)) = delta(cx, record) else { return };
    if delta >= 1 << 31 {
        let words = format!("delta {delta} after timestamp {before}: {} ms", delta as i32);
        cx.report(Report::message(record, words));
    }
}

fn wrap(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let side = cx.state.side(message.direction);
    let clock = if message.type_id.0 == 8 { &side.audio } else { &side.video };
    let Some(before) = clock.last_timestamp.filter(|_| message.timestamp_exact) else { return };
    if message.timestamp < before && message.timestamp.wrapping_sub(before) < 1 << 31 {
        let words = format!("timestamp {} after {before}", message.timestamp);
        cx.report(Report::message(record, words));
    }
}
