//! The values that commands and metadata consist of.

use super::amf0;
use crate::analysis::MessageRecord;
use crate::base::{Direction, StopReason};
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::rules::amf::values::walk;
use crate::wire::amf::Value;
use crate::wire::message::{Body, Command};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "amf0/command/missing-fields",
        layer: Layer::Amf,
        title: "Command without a name or a transaction id",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("7.2"),
        basis: Basis::Spec,
        explanation: "A command is a name, a transaction id and an object or null. Without the \
            first two a request can neither be run nor answered. FFmpeg as a server sends \
            onFCPublish without a transaction id.",
        advice: "A fault of the sender.",
        covers: &["amf0/command/missing-fields"],
        needs: Needs::Direction,
        checks: &[Check::Command(missing)],
    },
    Rule {
        id: "amf0/command/wrong-types",
        layer: Layer::Amf,
        title: "Name or transaction id of a command has the wrong type",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("7.2"),
        basis: Basis::Spec,
        explanation: "The name must be a string and the transaction id a number. Receivers drop \
            the command or the connection.",
        advice: "A fault of the sender.",
        covers: &["amf0/command/wrong-types"],
        needs: Needs::Direction,
        checks: &[Check::Command(wrong)],
    },
    Rule {
        id: "amf0/number/encoding",
        layer: Layer::Amf,
        title: "Transaction id is no whole number",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: amf0("2.2"),
        basis: Basis::Spec,
        explanation: "NaN, an infinity or a fraction: no reply can be matched to it.",
        advice: "A fault of the sender: a number written with the wrong byte order gives a \
            fraction near 0.",
        covers: &["amf0/number/encoding"],
        needs: Needs::Message,
        checks: &[Check::Command(odd_number)],
    },
    Rule {
        id: "amf/metadata-not-ecma",
        layer: Layer::Amf,
        title: "onMetaData is a plain object",
        severity: Severity::Note,
        escalates: None,
        spec: amf0("2.10"),
        basis: Basis::Spec,
        explanation: "The properties of onMetaData should be an ECMA array (marker 08), not an \
            object (03). Nearly everyone takes both; nginx-rtmp itself sends players an object.",
        advice: "Harmless, unless a receiver ignores the metadata.",
        covers: &["flv/script/onmetadata-shape"],
        needs: Needs::Message,
        checks: &[Check::Data(plain_metadata)],
    },
    Rule {
        id: "amf0/ecma-array/as-command-object",
        layer: Layer::Amf,
        title: "Command object is an ECMA array",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: amf0("2.10"),
        basis: Basis::DeFacto,
        explanation: "The command object should be an object (marker 03). Receivers that look at \
            the marker alone find no properties.",
        advice: "Write an object.",
        covers: &["amf0/ecma-array/as-command-object"],
        needs: Needs::Message,
        checks: &[Check::Command(ecma_object)],
    },
    Rule {
        id: "amf/ecma-count-mismatch",
        layer: Layer::Amf,
        title: "ECMA array count differs from its entries",
        severity: Severity::Note,
        escalates: None,
        spec: amf0("2.10"),
        basis: Basis::Spec,
        explanation: "The count is a hint; readers must go by the end marker. A count of 0 and one \
            that is too small are common.",
        advice: "Harmless, unless a receiver reads by the count.",
        covers: &["amf0/ecma-array/count-is-hint"],
        needs: Needs::Message,
        checks: &[Check::Command(count), Check::Data(count)],
    },
    Rule {
        id: "amf/unexpected-type",
        layer: Layer::Amf,
        title: "Property has an unusual AMF type",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        spec: amf0("2.1"),
        basis: Basis::DeFacto,
        explanation: "Minimal readers know number, boolean, string, object, null, undefined and \
            arrays. nginx-rtmp ends the session at a date or a long string in connect. Where a \
            number is expected, a string is not read as one.",
        advice: "Leave the property out, or send it as a number or a string.",
        covers: &["amf0/long-string/accepted", "amf0/reference/valid"],
        needs: Needs::Message,
        checks: &[Check::Command(unusual_command), Check::Data(unusual_data)],
    },
];

fn command(record: &MessageRecord) -> Option<&Command> {
    match &record.message.body {
        Body::Command(command) => Some(command),
        _ => None,
    }
}

fn missing(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    let early = matches!(stop.field, "command_name" | "transaction_id");
    if early && matches!(stop.reason, StopReason::Truncated { .. }) {
        let words = format!("the message ends before {}", stop.field);
        // Notices of a server need no answer.
        let request = record.message.direction == Direction::ClientToServer;
        cx.report(Report::message(record, words).error_if(request));
    }
}

fn wrong(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(stop) = &record.message.stop else { return };
    let early = matches!(stop.field, "command_name" | "transaction_id");
    if let StopReason::Invalid(marker) = stop.reason
        && early
    {
        let words = format!("{} has the type marker 0x{marker:02x}", stop.field);
        cx.report(Report::message(record, words).field(stop.at..stop.at + 1));
    }
}

fn odd_number(cx: &mut Context<'_>, record: &MessageRecord) {
    let id = command(record).and_then(|command| command.transaction_id);
    if let Some(id) = id.filter(|id| !id.is_finite() || id.fract() != 0.0) {
        cx.report(Report::message(record, format!("transaction id {id:e}")));
    }
}

fn plain_metadata(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Data(data) = &record.message.body else { return };
    let mut values = data.values.iter();
    let named = values.by_ref().any(|value| value.as_text().is_some_and(|t| *t == "onMetaData"));
    if named && matches!(values.next(), Some(Value::Object { .. })) {
        cx.report(Report::message(record, "the properties are an object"));
    }
}

fn ecma_object(cx: &mut Context<'_>, record: &MessageRecord) {
    let object = command(record).and_then(|command| command.object.as_ref());
    if matches!(object, Some(Value::EcmaArray { .. })) {
        cx.report(Report::message(record, "the command object is an ECMA array"));
    }
}

fn count(cx: &mut Context<'_>, record: &MessageRecord) {
    // Cut short by the end of what could be read: the entries are not all there.
    if record.message.stop.is_some() {
        return;
    }
    let mut found = None;
    walk(&record.message.body, &mut |_, value| {
        // With a dense part it is AMF3's, which counts that.
        if let Value::EcmaArray { count, properties, dense } = value
            && dense.is_empty()
            && *count as usize != properties.len()
        {
            found.get_or_insert((*count, properties.len()));
        }
    });
    if let Some((count, entries)) = found {
        let words = format!("the count is {count}, {entries} entries follow");
        cx.report(Report::message(record, words));
    }
}

/// Members whose value must be a number.
const NUMBERS: [&str; 8] = [
    "objectEncoding",
    "audioCodecs",
    "videoCodecs",
    "capabilities",
    "width",
    "height",
    "framerate",
    "capsEx",
];

/// What is unusual about the value of a member.
fn unusual(name: Option<&str>, value: &Value) -> Option<&'static str> {
    let number = name.is_some_and(|name| NUMBERS.iter().any(|n| n.eq_ignore_ascii_case(name)));
    match value {
        Value::Date { .. } => Some("a date"),
        Value::Object { class: Some(_), .. } => Some("a typed object"),
        Value::Reference(_) => Some("a reference"),
        Value::Xml(_) => Some("XML"),
        Value::String(text) if text.0.len() > 0xffff => Some("a long string"),
        Value::String(_) if number => Some("a string in place of a number"),
        _ => None,
    }
}

fn report_unusual(cx: &mut Context<'_>, record: &MessageRecord) {
    let mut found: Option<(Option<String>, &'static str)> = None;
    walk(&record.message.body, &mut |name, value| {
        if found.is_none()
            && let Some(what) = unusual(name, value)
        {
            // Names that are the protocol's may be printed; others may be anybody's.
            let known = name.filter(|name| name.len() <= 32 && name.is_ascii());
            found = Some((known.map(str::to_owned), what));
        }
    });
    if let Some((name, what)) = found {
        let words = crate::lint::words::Words::default();
        let words = match name {
            Some(name) => {
                words.secret(crate::lint::words::SecretKind::Description, &name).text(" is ")
            }
            None => words,
        };
        cx.report(Report::message(record, words.text(what)));
    }
}

fn unusual_command(cx: &mut Context<'_>, record: &MessageRecord) {
    if command(record).is_some_and(|command| command.name == "connect") {
        return report_unusual(cx, record);
    }
    // createStream's result must be a number.
    let create = record.message.reply.as_ref().is_some_and(|r| r.command == "createStream");
    let id = command(record).and_then(|command| command.arguments.first());
    let result = command(record).is_some_and(|command| command.name == "_result");
    if create && result && matches!(id, Some(Value::String(_))) {
        cx.report(Report::message(record, "the stream id of createStream is a string"));
    }
}

fn unusual_data(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Body::Data(data) = &record.message.body
        && data.values.iter().filter_map(Value::as_text).any(|name| *name == "onMetaData")
    {
        report_unusual(cx, record);
    }
}
