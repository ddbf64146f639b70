//! AMF3 (amf-file-format-spec, January 2013).

use crate::base::{FieldValue, Reader, Stop, StopReason};

use super::amf0::{keep, record, text_field};
use super::state::Traits;
use super::{Cut, Name, Property, State, Text, Value, flex};

pub use super::encode::{encode_amf3 as encode, encode_amf3_to as encode_to};

/// The type markers (section 3.1).
pub(super) mod marker {
    pub const UNDEFINED: u8 = 0x00;
    pub const NULL: u8 = 0x01;
    pub const FALSE: u8 = 0x02;
    pub const TRUE: u8 = 0x03;
    pub const INTEGER: u8 = 0x04;
    pub const DOUBLE: u8 = 0x05;
    pub const STRING: u8 = 0x06;
    pub const XML_DOCUMENT: u8 = 0x07;
    pub const DATE: u8 = 0x08;
    pub const ARRAY: u8 = 0x09;
    pub const OBJECT: u8 = 0x0a;
    pub const XML: u8 = 0x0b;
    pub const BYTE_ARRAY: u8 = 0x0c;
    pub const VECTOR_INT: u8 = 0x0d;
    pub const VECTOR_UINT: u8 = 0x0e;
    pub const VECTOR_DOUBLE: u8 = 0x0f;
    pub const VECTOR_OBJECT: u8 = 0x10;
    pub const DICTIONARY: u8 = 0x11;
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
    let Some((&marker, body)) = r.remaining().split_first() else {
        return Err(r.stop("marker", StopReason::Truncated { needed: 1, left: 0 }).into());
    };
    state.count(r, "value")?;
    let text = name.into().text(r);
    let has_members = matches!(marker, marker::ARRAY | marker::OBJECT)
        || (marker::VECTOR_INT..=marker::DICTIONARY).contains(&marker);
    if has_members && !is_reference(body) {
        state.enter(r)?;
        // Entered before the members: an object may refer to itself.
        state.amf3_objects += 1;
        let result = r
            .group(text, |r| Ok(container(r, state, marker)))
            .unwrap_or_else(|stop| Err(stop.into()));
        state.leave();
        return result;
    }
    let start = r.pos();
    let result = r.quiet(|r| leaf(r, state));
    record(r, start, text, result.as_ref());
    Ok(result?)
}

/// Whether the U29 at the beginning of `bytes` has its lowest bit clear.
fn is_reference(bytes: &[u8]) -> bool {
    let last = bytes.iter().take(3).position(|b| b & 0x80 == 0).unwrap_or(3);
    bytes.get(last).is_some_and(|b| b & 1 == 0)
}

/// A variable length 29-bit integer (section 1.3.1): seven bits a byte, the fourth byte has eight.
fn u29(r: &mut Reader<'_, '_>, state: &mut State<'_>, field: &'static str) -> Result<u32, Stop> {
    r.quiet(|r| {
        let mut value = 0;
        for index in 0..4 {
            let byte = u32::from(r.u8(field)?);
            if index == 3 {
                value = value << 8 | byte;
                if value < 1 << 21 {
                    state.note_overlong();
                }
            } else {
                value = value << 7 | byte & 0x7f;
                if byte & 0x80 == 0 {
                    if index > 0 && value < 1 << (7 * index) {
                        state.note_overlong();
                    }
                    break;
                }
            }
        }
        Ok(value)
    })
}

/// A header that is a reference (`Err`, the index) or the value that follows it (`Ok`).
fn header(
    r: &mut Reader<'_, '_>,
    state: &mut State<'_>,
    field: &'static str,
) -> Result<Result<u32, Value>, Stop> {
    let at = r.pos();
    let header = u29(r, state, field)?;
    if header & 1 == 1 {
        return Ok(Ok(header >> 1));
    }
    let index = header >> 1;
    if index >= state.amf3_objects {
        return Err(Stop { field, at, reason: StopReason::BadReference(index) });
    }
    Ok(Err(Value::Reference(index)))
}

/// A string, or a reference to one; not copied yet.
fn string<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    field: &'static str,
) -> Result<&'a [u8], Stop> {
    let at = r.pos();
    let header = u29(r, state, field)?;
    let index = header >> 1;
    if header & 1 == 0 {
        return state.strings.get(index as usize).copied().ok_or(Stop {
            field,
            at,
            reason: StopReason::BadReference(index),
        });
    }
    let bytes = r.quiet(|r| r.bytes(field, index as usize))?;
    if !bytes.is_empty() {
        state.strings.push(bytes);
    }
    Ok(bytes)
}

fn leaf<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<Value, Stop> {
    let at = r.pos();
    let marker = r.u8("marker")?;
    Ok(match marker {
        marker::UNDEFINED => Value::Undefined,
        marker::NULL => Value::Null,
        marker::FALSE => Value::Boolean(false),
        marker::TRUE => Value::Boolean(true),
        // Bit 28 is the sign.
        marker::INTEGER => Value::Integer((u29(r, state, "integer")? << 3) as i32 >> 3),
        marker::DOUBLE => Value::Number(r.f64("double")?),
        marker::STRING => {
            let bytes = string(r, state, "string")?;
            Value::String(state.copy(r, bytes)?)
        }
        marker::XML_DOCUMENT | marker::XML => match header(r, state, "xml_length")? {
            Err(reference) => reference,
            Ok(len) => {
                state.amf3_objects += 1;
                Value::Xml(Text(r.bytes("xml", len as usize)?.to_vec()))
            }
        },
        marker::DATE => match header(r, state, "date_header")? {
            Err(reference) => reference,
            Ok(_) => {
                state.amf3_objects += 1;
                Value::Date { millis: r.f64("date")?, zone: 0 }
            }
        },
        marker::BYTE_ARRAY => match header(r, state, "byte_array_length")? {
            Err(reference) => reference,
            Ok(len) => {
                state.amf3_objects += 1;
                Value::ByteArray(r.bytes("byte_array", len as usize)?.to_vec())
            }
        },
        marker::ARRAY | marker::OBJECT | marker::VECTOR_INT..=marker::DICTIONARY => {
            match header(r, state, "reference")? {
                Err(reference) => reference,
                // Only reached when the header itself is cut: `is_reference` saw the rest.
                Ok(_) => return Err(r.stop("reference", StopReason::Invalid(u64::from(marker)))),
            }
        }
        _ => {
            let reason = StopReason::UnknownMarker(marker);
            return Err(Stop { field: "marker", at, reason });
        }
    })
}

fn container<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>, marker: u8) -> Result<Value, Cut> {
    r.quiet(|r| r.u8("marker"))?;
    if marker == marker::OBJECT {
        return object(r, state);
    }
    let start = r.pos();
    let count = u29(r, state, "count")? >> 1;
    r.leaf(start, || ("count".into(), FieldValue::Uint(u64::from(count))));
    match marker {
        marker::ARRAY => array(r, state, count),
        marker::VECTOR_OBJECT => vector_object(r, state, count),
        marker::DICTIONARY => dictionary(r, state, count),
        _ => vector(r, marker, count),
    }
}

fn array<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>, count: u32) -> Result<Value, Cut> {
    let (mut properties, mut dense) = (Vec::new(), Vec::new());
    let result = named_members(r, state, &mut properties)
        .and_then(|()| items(r, state, "", count, &mut dense));
    let value = if properties.is_empty() {
        Value::StrictArray(dense)
    } else {
        Value::EcmaArray { count, properties, dense }
    };
    keep(value, result)
}

/// Names and values up to the empty name.
fn named_members<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    properties: &mut Vec<Property>,
) -> Result<(), Stop> {
    loop {
        let name = string(r, state, "member_name")?;
        if name.is_empty() {
            return Ok(());
        }
        member(r, state, name, properties)?;
    }
}

fn member<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    name: &'a [u8],
    properties: &mut Vec<Property>,
) -> Result<(), Stop> {
    let (value, stop) = match decode_lax(r, state, Name::Key(name)) {
        Ok(value) => (Some(value), None),
        Err(cut) => (cut.value, Some(cut.stop)),
    };
    if let Some(value) = value {
        let name = state.copy(r, name)?;
        properties.push(Property { name, value });
    }
    stop.map_or(Ok(()), Err)
}

pub(super) fn items<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    name: &'static str,
    count: u32,
    items: &mut Vec<Value>,
) -> Result<(), Stop> {
    for index in 0..count as usize {
        match decode_lax(r, state, Name::Nth(name, index)) {
            Ok(value) => items.push(value),
            Err(cut) => {
                items.extend(cut.value);
                return Err(cut.stop);
            }
        }
    }
    Ok(())
}

fn object<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<Value, Cut> {
    let index = traits(r, state)?;
    let Traits { class, dynamic, externalizable, .. } = state.traits[index];
    let name = state.copy(r, class)?;
    if externalizable {
        let mut content = Vec::new();
        let result = flex::read(r, state, class, &mut content);
        return keep(Value::Externalizable { class: name, content }, result);
    }
    let mut properties = Vec::new();
    let mut result = Ok(());
    let mut next = 0;
    while let (Ok(()), Some(&name)) = (&result, state.traits[index].sealed.get(next)) {
        result = member(r, state, name, &mut properties);
        next += 1;
    }
    if dynamic {
        result = result.and_then(|()| named_members(r, state, &mut properties));
    }
    let class = (!class.is_empty()).then_some(name);
    keep(Value::Object { class, properties }, result)
}

/// The class of an object: its index in the table of traits.
fn traits<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>) -> Result<usize, Stop> {
    let start = r.pos();
    let header = u29(r, state, "object_header")?;
    if header & 3 == 1 {
        let index = header >> 2;
        let Some(found) = state.traits.get(index as usize) else {
            let reason = StopReason::BadReference(index);
            return Err(Stop { field: "traits_reference", at: start, reason });
        };
        let class = found.class;
        r.leaf(start, || ("traits".into(), text_field(class)));
        r.meaning(|| format!("reference to traits {index}"));
        return Ok(index as usize);
    }
    let class = string(r, state, "class_name")?;
    let externalizable = header & 4 != 0;
    let mut sealed = Vec::new();
    if !externalizable {
        for _ in 0..header >> 4 {
            state.count(r, "member_name")?;
            sealed.push(string(r, state, "member_name")?);
        }
    }
    let dynamic = !externalizable && header & 8 != 0;
    r.leaf(start, || ("traits".into(), text_field(class)));
    r.meaning(|| match externalizable {
        true => "externalizable".into(),
        false => format!("{} sealed members{}", sealed.len(), [", dynamic", ""][!dynamic as usize]),
    });
    state.traits.push(Traits { class, sealed, dynamic, externalizable });
    Ok(state.traits.len() - 1)
}

/// Vectors of numbers: nothing in them refers to anything, and the bytes present bound them.
fn vector(r: &mut Reader<'_, '_>, marker: u8, count: u32) -> Result<Value, Cut> {
    let fixed = r.u8("fixed_vector")? != 0;
    match marker {
        marker::VECTOR_INT => {
            let (items, result) = numbers(r, count, |r| {
                r.u32("int").map(|v| (v as i32, FieldValue::Int(i64::from(v as i32))))
            });
            keep(Value::VectorInt { fixed, items }, result)
        }
        marker::VECTOR_UINT => {
            let (items, result) =
                numbers(r, count, |r| r.u32("uint").map(|v| (v, FieldValue::Uint(u64::from(v)))));
            keep(Value::VectorUint { fixed, items }, result)
        }
        _ => {
            let (items, result) =
                numbers(r, count, |r| r.f64("double").map(|v| (v, FieldValue::Number(v))));
            keep(Value::VectorDouble { fixed, items }, result)
        }
    }
}

fn numbers<'a, 't, T>(
    r: &mut Reader<'a, 't>,
    count: u32,
    read: impl Fn(&mut Reader<'a, 't>) -> Result<(T, FieldValue), Stop>,
) -> (Vec<T>, Result<(), Stop>) {
    let mut items = Vec::new();
    for index in 0..count {
        let start = r.pos();
        match r.quiet(&read) {
            Ok((item, value)) => {
                r.leaf(start, || (format!("[{index}]").into(), value));
                items.push(item);
            }
            Err(stop) => return (items, Err(stop)),
        }
    }
    (items, Ok(()))
}

fn vector_object<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    count: u32,
) -> Result<Value, Cut> {
    let fixed = r.u8("fixed_vector")? != 0;
    let start = r.pos();
    let class = string(r, state, "object_type_name")?;
    r.leaf(start, || ("object_type_name".into(), text_field(class)));
    let class = state.copy(r, class)?;
    let mut members = Vec::new();
    let result = items(r, state, "", count, &mut members);
    keep(Value::VectorObject { fixed, class, items: members }, result)
}

fn dictionary<'a>(r: &mut Reader<'a, '_>, state: &mut State<'a>, count: u32) -> Result<Value, Cut> {
    let weak = r.u8("weak_keys")? != 0;
    let mut entries = Vec::new();
    let mut result = Ok(());
    for index in 0..count as usize {
        result = entry(r, state, index, &mut entries);
        if result.is_err() {
            break;
        }
    }
    keep(Value::Dictionary { weak, entries }, result)
}

fn entry<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    index: usize,
    entries: &mut Vec<(Value, Value)>,
) -> Result<(), Stop> {
    let key = decode_lax(r, state, Name::Nth("key", index)).map_err(|cut| cut.stop)?;
    match decode_lax(r, state, Name::Nth("value", index)) {
        Ok(value) => entries.push((key, value)),
        Err(cut) => {
            entries.extend(cut.value.map(|value| (key, value)));
            return Err(cut.stop);
        }
    }
    Ok(())
}
