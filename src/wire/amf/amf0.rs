//! AMF0 (amf0-file-format-specification).

use std::borrow::Cow;

use crate::base::{FieldValue, Reader, Stop, StopReason};

use super::{Cut, Name, Property, State, Text, Value, amf3};

pub use super::encode::{encode_amf0 as encode, encode_amf0_to as encode_to};

/// The type markers (section 2.1).
pub(super) mod marker {
    pub const NUMBER: u8 = 0x00;
    pub const BOOLEAN: u8 = 0x01;
    pub const STRING: u8 = 0x02;
    pub const OBJECT: u8 = 0x03;
    pub const MOVIE_CLIP: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const UNDEFINED: u8 = 0x06;
    pub const REFERENCE: u8 = 0x07;
    pub const ECMA_ARRAY: u8 = 0x08;
    pub const OBJECT_END: u8 = 0x09;
    pub const STRICT_ARRAY: u8 = 0x0a;
    pub const DATE: u8 = 0x0b;
    pub const LONG_STRING: u8 = 0x0c;
    pub const UNSUPPORTED: u8 = 0x0d;
    pub const RECORD_SET: u8 = 0x0e;
    pub const XML_DOCUMENT: u8 = 0x0f;
    pub const TYPED_OBJECT: u8 = 0x10;
    pub const AVMPLUS_OBJECT: u8 = 0x11;
}

/// Decodes one value; a value that cannot be read whole is an error.
pub fn decode<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<Value, Stop> {
    decode_lax(r, state, "value").map_err(|cut| cut.stop)
}

/// Decodes one value as far as it goes, under `name` in the field tree.
pub fn decode_lax<'a, 'n>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    name: impl Into<Name<'n>>,
) -> Result<Value, Cut> {
    let name = name.into();
    let Some(marker) = r.peek() else {
        return Err(r.stop("marker", StopReason::Truncated { needed: 1, left: 0 }).into());
    };
    state.count(r, "value")?;
    match marker {
        marker::OBJECT | marker::ECMA_ARRAY | marker::STRICT_ARRAY | marker::TYPED_OBJECT => {
            state.enter(r)?;
            // Entered before the members: an object may refer to itself.
            state.amf0_objects += 1;
            let text = name.text(r);
            let result =
                r.group(text, |r| Ok(container(r, state))).unwrap_or_else(|stop| Err(stop.into()));
            state.leave();
            result
        }
        marker::AVMPLUS_OBJECT => {
            r.u8("avmplus_object_marker")?;
            amf3::decode_lax(r, state, name)
        }
        _ => {
            let text = name.text(r);
            let start = r.pos();
            let result = r.quiet(|r| scalar(r, state));
            record(r, start, text, result.as_ref());
            result
        }
    }
}

fn scalar(r: &mut Reader<'_, '_>, state: &State<'_>) -> Result<Value, Cut> {
    let at = r.pos();
    let marker = r.u8("marker")?;
    let unknown = |value| Cut {
        value,
        stop: Stop { field: "marker", at, reason: StopReason::UnknownMarker(marker) },
    };
    Ok(match marker {
        marker::NUMBER => Value::Number(r.f64("number")?),
        marker::BOOLEAN => Value::Boolean(r.u8("boolean")? != 0),
        marker::STRING => Value::String(Text(short_string(r, "string_length", "string")?.to_vec())),
        marker::NULL => Value::Null,
        marker::UNDEFINED => Value::Undefined,
        marker::REFERENCE => {
            let at = r.pos();
            let index = u32::from(r.u16("reference")?);
            if index >= state.amf0_objects {
                let reason = StopReason::BadReference(index);
                return Err(Stop { field: "reference", at, reason }.into());
            }
            Value::Reference(index)
        }
        marker::DATE => Value::Date { millis: r.f64("date")?, zone: r.i16("time_zone")? },
        marker::LONG_STRING => Value::String(long_string(r)?),
        marker::XML_DOCUMENT => Value::Xml(long_string(r)?),
        marker::UNSUPPORTED => Value::Unsupported,
        // Reserved: nobody says how long they are, so nothing after them can be read.
        marker::MOVIE_CLIP => return Err(unknown(Some(Value::MovieClip))),
        marker::RECORD_SET => return Err(unknown(Some(Value::RecordSet))),
        _ => return Err(unknown(None)),
    })
}

/// A UTF-8 string with a 16-bit length and no marker: property names, class names, and the names
/// of shared objects.
pub(crate) fn short_string<'a>(
    r: &mut Reader<'a, '_>,
    length: &'static str,
    text: &'static str,
) -> Result<&'a [u8], Stop> {
    let len = r.u16(length)?;
    r.text(text, usize::from(len))
}

fn long_string(r: &mut Reader<'_, '_>) -> Result<Text, Stop> {
    let len = r.u32("string_length")?;
    Ok(Text(r.text("string", len as usize)?.to_vec()))
}

fn container<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<Value, Cut> {
    let marker = r.quiet(|r| r.u8("marker"))?;
    match marker {
        marker::STRICT_ARRAY => strict_array(r, state),
        marker::ECMA_ARRAY => {
            r.meaning(|| "ECMA array".into());
            let count = r.u32("associative_count")?;
            let mut properties = Vec::new();
            let result = read_properties(r, state, &mut properties);
            keep(Value::EcmaArray { count, properties, dense: Vec::new() }, result)
        }
        _ => {
            let mut class = None;
            if marker == marker::TYPED_OBJECT {
                r.meaning(|| "typed object".into());
                let start = r.pos();
                let name = r.quiet(|r| short_string(r, "class_name_length", "class_name"))?;
                r.leaf(start, || ("class_name".into(), text_field(name)));
                class = Some(Text(name.to_vec()));
            } else {
                r.meaning(|| "object".into());
            }
            let mut properties = Vec::new();
            let result = read_properties(r, state, &mut properties);
            keep(Value::Object { class, properties }, result)
        }
    }
}

fn strict_array<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<Value, Cut> {
    r.meaning(|| "strict array".into());
    let count = r.u32("array_count")?;
    let mut items = Vec::new();
    for index in 0..count as usize {
        match decode_lax(r, state, Name::Nth("", index)) {
            Ok(value) => items.push(value),
            Err(cut) => {
                items.extend(cut.value);
                return keep(Value::StrictArray(items), Err(cut.stop));
            }
        }
    }
    Ok(Value::StrictArray(items))
}

fn read_properties<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    properties: &mut Vec<Property>,
) -> Result<(), Stop> {
    loop {
        if r.is_empty() {
            state.note_unterminated(r.pos());
            return Ok(());
        }
        let name = r.quiet(|r| short_string(r, "property_name_length", "property_name"))?;
        if name.is_empty() {
            match r.peek() {
                Some(marker::OBJECT_END) => {
                    r.quiet(|r| r.u8("object_end_marker"))?;
                    return Ok(());
                }
                None => {
                    let reason = StopReason::Truncated { needed: 1, left: 0 };
                    return Err(r.stop("object_end_marker", reason));
                }
                // A property whose name is empty: unusual, but nothing forbids it.
                Some(_) => {}
            }
        }
        let (value, stop) = match decode_lax(r, state, Name::Key(name)) {
            Ok(value) => (Some(value), None),
            Err(cut) => (cut.value, Some(cut.stop)),
        };
        properties.extend(value.map(|value| Property { name: Text(name.to_vec()), value }));
        if let Some(stop) = stop {
            return Err(stop);
        }
    }
}

/// A container with the result of reading its members.
pub(super) fn keep(value: Value, result: Result<(), Stop>) -> Result<Value, Cut> {
    match result {
        Ok(()) => Ok(value),
        Err(stop) => Err(Cut { value: Some(value), stop }),
    }
}

pub(super) fn text_field(bytes: &[u8]) -> FieldValue {
    FieldValue::Text(String::from_utf8_lossy(bytes).into_owned())
}

/// Records a value without members, read since byte `start`.
pub(super) fn record<E>(
    r: &mut Reader<'_, '_>,
    start: usize,
    name: Cow<'static, str>,
    result: Result<&Value, E>,
) {
    if !r.records_fields() || r.pos() == start {
        return;
    }
    r.leaf(start, || (name, result.as_ref().map_or(FieldValue::Bytes, |value| show(value))));
    let meaning = result.map_or_else(|_| Some("cut".into()), explain);
    if let Some(meaning) = meaning {
        r.meaning(|| meaning);
    }
}

/// A value without members as a field of the tree.
fn show(value: &Value) -> FieldValue {
    match value {
        Value::Number(number) => FieldValue::Number(*number),
        Value::Integer(integer) => FieldValue::Int(i64::from(*integer)),
        Value::Boolean(flag) => FieldValue::Uint(u64::from(*flag)),
        Value::String(text) | Value::Xml(text) => text_field(&text.0),
        Value::Reference(index) => FieldValue::Uint(u64::from(*index)),
        Value::Date { millis, .. } => FieldValue::Number(*millis),
        _ => FieldValue::Bytes,
    }
}

/// What a value without members is, where [`show`] does not say it all.
fn explain(value: &Value) -> Option<String> {
    Some(match value {
        Value::Boolean(flag) => flag.to_string(),
        Value::Null => "null".into(),
        Value::Undefined => "undefined".into(),
        Value::Unsupported => "unsupported".into(),
        Value::Xml(_) => "XML".into(),
        Value::Reference(index) => format!("reference to object {index}"),
        Value::Date { zone: 0, .. } => "date, milliseconds since 1970 UTC".into(),
        Value::Date { zone, .. } => format!("date, milliseconds since 1970 UTC, zone {zone} min"),
        Value::ByteArray(bytes) => format!("byte array, {} bytes", bytes.len()),
        _ => return None,
    })
}
