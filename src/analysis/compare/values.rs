//! AMF values as short text.

use super::steps::Fact;
use crate::wire::amf::Value;

/// Facts of a step; a connect object has about a dozen.
const MAX_FACTS: usize = 128;
/// Bytes of a value that are kept.
const MAX_VALUE: usize = 200;
/// Objects within objects that are gone into.
const MAX_DEPTH: usize = 4;

/// Adds a fact, shortened.
pub(super) fn fact(facts: &mut Vec<Fact>, name: impl Into<String>, value: impl Into<String>) {
    if facts.len() < MAX_FACTS {
        facts.push(Fact { name: shorten(name.into()), value: shorten(value.into()) });
    }
}

pub(super) fn shorten(mut text: String) -> String {
    if text.len() > MAX_VALUE {
        let mut end = MAX_VALUE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Adds a value: objects member by member, as `name.member`.
pub(super) fn flatten(facts: &mut Vec<Fact>, name: &str, value: &Value, depth: usize) {
    let properties = value.properties();
    if properties.is_empty() || depth >= MAX_DEPTH {
        fact(facts, name, plain(value));
        return;
    }
    for property in properties {
        if facts.len() >= MAX_FACTS {
            return;
        }
        let member = property.name.lossy();
        match name.is_empty() {
            true => flatten(facts, &member, &property.value, depth + 1),
            false => flatten(facts, &format!("{name}.{member}"), &property.value, depth + 1),
        }
    }
}

/// A value in a line.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Xml(text) => text.lossy().into_owned(),
        Value::Number(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Null => "null".into(),
        Value::Undefined => "undefined".into(),
        Value::Date { millis, .. } => format!("date {millis}"),
        Value::StrictArray(items) => {
            let mut text = String::from("[");
            for (i, item) in items.iter().enumerate() {
                if text.len() > MAX_VALUE {
                    break;
                }
                text += if i == 0 { "" } else { ", " };
                // Arrays within arrays: only that they are there.
                match item {
                    Value::StrictArray(items) => text += &format!("[{} items]", items.len()),
                    item => text += &plain(item),
                }
            }
            text + "]"
        }
        Value::ByteArray(bytes) => format!("{} bytes", bytes.len()),
        Value::Reference(index) => format!("reference {index}"),
        _ if !value.properties().is_empty() => "{…}".into(),
        Value::Object { .. } | Value::EcmaArray { .. } => "{}".into(),
        _ => "…".into(),
    }
}
