//! Whether the values fill their message.

use super::{amf0, amf3};
use crate::analysis::MessageRecord;
use crate::base::{Reader, StopReason};
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::rtmp::Message;
use crate::wire::amf;
use crate::wire::message::{Body, MessageType};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "amf/truncated",
        layer: Layer::Amf,
        title: "AMF value runs past the end of the message",
        severity: Severity::Error,
        escalates: None,
        spec: amf0("2.4"),
        basis: Basis::Spec,
        explanation: "A string, array or object announces more than the message holds, or an \
            object has no end marker (00 00 09). A strict receiver drops the message or the \
            connection. nginx-rtmp takes objects without an end marker on purpose.",
        advice: "A fault in the sender's AMF writer, unless the chunk stream was misread before \
            it: look for chunk/desync first.",
        covers: &[
            "amf0/string/truncated",
            "amf0/object/missing-end",
            "amf0/long-string/huge-length",
            "amf0/strict-array/count-bomb",
            "amf3/bytearray/length-bomb",
        ],
        needs: Needs::Direction,
        checks: &[Check::Command(truncated), Check::Data(truncated)],
    },
    Rule {
        id: "amf/extra-bytes",
        layer: Layer::Amf,
        title: "Bytes left after the last value",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: None,
        basis: Basis::Robustness,
        explanation: "The message goes on after all the values that it needs, with bytes that are \
            no value. Most receivers never look, some crash or close.",
        advice: "A fault of the sender: a length that counts padding.",
        covers: &["amf0/command/trailing-bytes"],
        needs: Needs::Direction,
        checks: &[Check::Command(extra), Check::Data(extra)],
    },
    Rule {
        id: "amf0/marker/reserved",
        layer: Layer::Amf,
        title: "AMF type marker that nobody defined",
        severity: Severity::Error,
        escalates: None,
        spec: amf0("2.1"),
        basis: Basis::Spec,
        explanation: "The marker is none of AMF's, or one that is reserved and has no layout \
            (movieclip, recordset). Nothing behind it can be read.",
        advice: "A fault in the sender's AMF writer, or a misread chunk stream.",
        covers: &["amf0/marker/reserved"],
        needs: Needs::Direction,
        checks: &[Check::Command(marker), Check::Data(marker)],
    },
    Rule {
        id: "amf0/reference/out-of-range",
        layer: Layer::Amf,
        title: "AMF reference to something that was not sent",
        severity: Severity::Error,
        escalates: None,
        spec: amf0("2.9"),
        basis: Basis::Spec,
        explanation: "A reference names an object, a string or traits by its number in the \
            message, and there is none of that number. The tables begin anew with each message.",
        advice: "A fault in the sender's AMF writer: mostly it keeps the tables over several \
            messages.",
        covers: &["amf0/reference/out-of-range", "amf3/string/bad-reference", "amf3/tables-reset"],
        needs: Needs::Direction,
        checks: &[Check::Command(reference), Check::Data(reference)],
    },
    Rule {
        id: "amf0/object/nested-depth",
        layer: Layer::Amf,
        title: "AMF values nested or numbered beyond reason",
        severity: Severity::Error,
        escalates: None,
        spec: amf0("2.5"),
        basis: Basis::Robustness,
        explanation: "More than 64 levels, or more values than any program sends. Receivers \
            without a limit run out of stack or memory.",
        advice: "An attack, or a structure that holds itself.",
        covers: &["amf0/object/nested-depth", "amf3/nested-depth"],
        needs: Needs::Message,
        checks: &[Check::Command(too_much), Check::Data(too_much)],
    },
    Rule {
        id: "amf3/object/externalizable-unknown",
        layer: Layer::Amf,
        title: "AMF3 object of a class with a layout of its own",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: amf3("3.12"),
        basis: Basis::Spec,
        explanation: "An externalizable class writes its own bytes without a length: who does not \
            know the class cannot read on in this message.",
        advice: "Send plain objects to servers that are not built for the class.",
        covers: &["amf3/object/externalizable-unknown"],
        needs: Needs::Message,
        checks: &[Check::Command(externalizable), Check::Data(externalizable)],
    },
    Rule {
        id: "robust/message/shared-object-malformed",
        layer: Layer::Amf,
        title: "Shared object message that cannot be read to its end",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("7.1.3"),
        basis: Basis::Robustness,
        explanation: "The events of a shared object message have lengths of their own, and one of \
            them does not fit. Only Flash-age applications use these messages.",
        advice: "A fault of the sender.",
        covers: &["robust/message/shared-object-malformed"],
        needs: Needs::Direction,
        checks: &[Check::Control(shared_object)],
    },
];

/// How many values of a message can be read, and where what cannot be read begins.
struct Layout {
    values: usize,
    end: usize,
}

/// Reads the values of a message one after the other, as AMF0.
fn layout(message: &Message) -> Layout {
    let format = matches!(message.type_id, MessageType::COMMAND_AMF3 | MessageType::DATA_AMF3);
    let mut reader = Reader::new(&message.payload);
    let mut state = amf::State::new();
    if format && reader.peek() == Some(0) && reader.u8("format").is_err() {
        return Layout { values: 0, end: 0 };
    }
    let mut layout = Layout { values: 0, end: reader.pos() };
    while !reader.is_empty() && amf::amf0::decode(&mut reader, &mut state).is_ok() {
        layout.values += 1;
        layout.end = reader.pos();
    }
    layout
}

/// Values that a message needs before anything else in it is too much.
fn needed(body: &Body) -> Option<usize> {
    match body {
        Body::Command(command) => Some(match command.name.lossy().as_ref() {
            "connect" | "createStream" | "closeStream" | "_checkbw" => 3,
            "_result" | "_error" | "onStatus" | "publish" | "play" | "deleteStream"
            | "releaseStream" | "FCPublish" | "FCUnpublish" => 4,
            _ => return None,
        }),
        Body::Data(data) => Some(match data.name().map(|name| name.lossy().into_owned()) {
            Some(name) if name == "@setDataFrame" => 3,
            Some(name) if name == "onMetaData" => 2,
            _ => return None,
        }),
        _ => None,
    }
}

/// Whether all that the message needs was read before what cannot be read.
fn surplus(message: &Message) -> Option<Layout> {
    message.stop.as_ref()?;
    let layout = layout(message);
    let needed = needed(&message.body)?;
    (layout.values >= needed && layout.end < message.payload.len()).then_some(layout)
}

fn truncated(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    let StopReason::Truncated { needed, left } = stop.reason else { return };
    // An empty message, or one that ends before its transaction id, is another rule's.
    let ends_early = matches!(stop.field, "command_name" | "transaction_id");
    if ends_early || surplus(&record.message).is_some() {
        return;
    }
    let words =
        format!("{} at byte {} needs {needed} byte(s), {left} are left", stop.field, stop.at);
    let end = stop.at.saturating_add(left as usize);
    let report = Report::message(record, words).field(stop.at..end);
    // Everything was there but the three bytes of the end.
    let only_the_end = stop.field == "object_end_marker";
    cx.report(if only_the_end { report.severity(Severity::Warning) } else { report });
}

fn extra(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Some(layout) = surplus(&record.message) {
        let len = record.message.payload.len();
        let words = format!(
            "{} bytes after {} values of a {} message",
            len - layout.end,
            layout.values,
            record.message.type_id.kind()
        );
        cx.report(Report::message(record, words).field(layout.end..len));
    }
}

fn marker(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    if let StopReason::UnknownMarker(marker) = stop.reason
        && surplus(&record.message).is_none()
    {
        let words = format!("marker 0x{marker:02x} at byte {}", stop.at);
        cx.report(Report::message(record, words).field(stop.at..stop.at + 1));
    }
}

fn reference(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    if let StopReason::BadReference(index) = stop.reason {
        let words = format!("reference {index} at byte {}", stop.at);
        cx.report(Report::message(record, words).field(stop.at..stop.at + 1));
    }
}

fn too_much(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    let words = match stop.reason {
        StopReason::TooDeep => "nested deeper than 64 levels",
        StopReason::TooMany => "more values than any program sends",
        _ => return,
    };
    let words = format!("{words}, at byte {}", stop.at);
    cx.report(Report::message(record, words).field(stop.at..stop.at + 1));
}

fn externalizable(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    if matches!(stop.reason, StopReason::UnknownExternalizable(_)) {
        let left = record.message.payload.len().saturating_sub(stop.at);
        let words = format!("an externalizable object at byte {}, {left} bytes unread", stop.at);
        cx.report(Report::message(record, words).field(stop.at..stop.at + 1));
    }
}

fn shared_object(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if let (Body::SharedObject(_), Some(stop)) = (&message.body, &message.stop) {
        let words = format!("{} at byte {}: {}", stop.field, stop.at, stop.reason.kind());
        cx.report(Report::message(record, words).field(stop.at..message.payload.len()));
    }
}
