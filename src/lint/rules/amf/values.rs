//! What is odd about single values, wherever they are.

use super::amf0;
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::wire::amf::{Property, Text, Value};
use crate::wire::message::Body;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "amf0/string/utf8",
        layer: Layer::Amf,
        title: "Text that is not UTF-8",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: amf0("1.3.1"),
        basis: Basis::Spec,
        explanation: "Strings must be UTF-8. Programs that check drop the message; others show \
            replacement characters, and a stream name then differs from what was typed.",
        advice: "The sender uses its own code page. Use ASCII in names, or mend the sender.",
        covers: &["amf0/string/utf8"],
        needs: Needs::Message,
        checks: &[Check::Command(utf8), Check::Data(utf8)],
    },
    Rule {
        id: "amf0/object/duplicate-key",
        layer: Layer::Amf,
        title: "A name occurs twice in an object",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: None,
        basis: Basis::Robustness,
        explanation: "Some receivers take the first value, others the last one.",
        advice: "A fault of the sender, or two programs that add the same property.",
        covers: &["amf0/object/duplicate-key"],
        needs: Needs::Message,
        checks: &[Check::Command(duplicate), Check::Data(duplicate)],
    },
    Rule {
        id: "amf0/object/empty-key-not-end",
        layer: Layer::Amf,
        title: "A property without a name",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: amf0("2.5"),
        basis: Basis::Robustness,
        explanation: "The empty name announces the end of an object; receivers that look no \
            further stop there and misread the rest.",
        advice: "Give the property a name.",
        covers: &["amf0/object/empty-key-not-end", "amf0/string/empty-name"],
        needs: Needs::Message,
        checks: &[Check::Command(empty_key), Check::Data(empty_key)],
    },
    Rule {
        id: "amf0/date/timezone",
        layer: Layer::Amf,
        title: "Date with a time zone",
        severity: Severity::Warning,
        escalates: None,
        spec: amf0("2.13"),
        basis: Basis::Spec,
        explanation: "The time zone field is reserved and must be 0: dates are UTC.",
        advice: "Harmless to those who do not look at it.",
        covers: &["amf0/date/timezone"],
        needs: Needs::Message,
        checks: &[Check::Command(zone), Check::Data(zone)],
    },
];

/// Visits every value of a command or data message with the name it has in its object.
///
/// Values are decoded with a limit on depth, which bounds the recursion.
pub(super) fn walk<'b>(body: &'b Body, visit: &mut dyn FnMut(Option<&str>, &'b Value)) {
    match body {
        Body::Command(command) => {
            command.object.iter().chain(&command.arguments).for_each(|v| value(None, v, visit));
        }
        Body::Data(data) => data.values.iter().for_each(|v| value(None, v, visit)),
        _ => {}
    }
}

fn value<'b>(name: Option<&str>, v: &'b Value, visit: &mut dyn FnMut(Option<&str>, &'b Value)) {
    visit(name, v);
    match v {
        Value::Object { properties, .. } => members(properties, visit),
        Value::EcmaArray { properties, dense, .. } => {
            members(properties, visit);
            dense.iter().for_each(|v| value(None, v, visit));
        }
        Value::StrictArray(items)
        | Value::VectorObject { items, .. }
        | Value::Externalizable { content: items, .. } => {
            items.iter().for_each(|v| value(None, v, visit));
        }
        Value::Dictionary { entries, .. } => {
            for (key, v) in entries {
                value(None, key, visit);
                value(None, v, visit);
            }
        }
        _ => {}
    }
}

fn members<'b>(properties: &'b [Property], visit: &mut dyn FnMut(Option<&str>, &'b Value)) {
    for property in properties {
        value(Some(&property.name.lossy()), &property.value, visit);
    }
}

fn is_bad(text: &Text) -> bool {
    std::str::from_utf8(&text.0).is_err()
}

fn utf8(cx: &mut Context<'_>, record: &MessageRecord) {
    let mut bad = 0;
    let body = &record.message.body;
    walk(body, &mut |_, value| {
        bad += usize::from(value.as_text().is_some_and(is_bad));
        bad += value.properties().iter().filter(|p| is_bad(&p.name)).count();
    });
    if let Body::Command(command) = body {
        bad += usize::from(is_bad(&command.name));
    }
    if bad > 0 {
        let words = format!("{bad} string(s) of a {} message", record.message.type_id.kind());
        cx.report(Report::message(record, words));
    }
}

/// Members of an object that are compared with each other: enough for any real one.
const MAX_COMPARED: usize = 64;

fn duplicate(cx: &mut Context<'_>, record: &MessageRecord) {
    let mut found = None;
    walk(&record.message.body, &mut |_, value| {
        let properties = value.properties();
        let properties = &properties[..properties.len().min(MAX_COMPARED)];
        for (at, property) in properties.iter().enumerate() {
            if found.is_none() && properties[..at].iter().any(|p| p.name == property.name) {
                found = Some(property.name.lossy().into_owned());
            }
        }
    });
    if let Some(name) = found {
        let words = crate::lint::words::Words::from("the name ")
            .secret(crate::lint::words::SecretKind::Description, &name)
            .text(" occurs twice");
        cx.report(Report::message(record, words));
    }
}

fn empty_key(cx: &mut Context<'_>, record: &MessageRecord) {
    let mut found = false;
    walk(&record.message.body, &mut |_, value| {
        found |= value.properties().iter().any(|property| property.name.0.is_empty());
    });
    if found {
        cx.report(Report::message(record, "an object has a member without a name"));
    }
}

fn zone(cx: &mut Context<'_>, record: &MessageRecord) {
    let mut found = None;
    walk(&record.message.body, &mut |_, value| {
        if let Value::Date { zone, .. } = value
            && *zone != 0
        {
            found = Some(*zone);
        }
    });
    if let Some(zone) = found {
        cx.report(Report::message(record, format!("time zone {zone}")));
    }
}
