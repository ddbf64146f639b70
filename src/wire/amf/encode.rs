//! Values to bytes, in both encodings. No reference is made up: every value is written out, and a
//! [`Value::Reference`] is written as it stands.

use crate::base::Writer;

use super::amf0::marker as amf0;
use super::amf3::marker as amf3;
use super::{Property, Text, Value, flex};

/// A value in AMF0. See [`encode_amf0_to`].
pub fn encode_amf0(value: &Value) -> Vec<u8> {
    let mut w = Writer::new();
    encode_amf0_to(&mut w, value);
    w.into_bytes()
}

/// Appends a value in AMF0. What AMF0 has no type for (integers, byte arrays, vectors,
/// dictionaries, externalizable objects, arrays with both parts) is written in AMF3 after the
/// AVM+ marker. Names are cut at 65,535 bytes.
pub fn encode_amf0_to(w: &mut Writer, value: &Value) {
    match value {
        Value::Number(number) => {
            w.u8(amf0::NUMBER).f64(*number);
        }
        Value::Boolean(flag) => {
            w.u8(amf0::BOOLEAN).u8(u8::from(*flag));
        }
        Value::String(text) if text.0.len() <= 0xffff => {
            w.u8(amf0::STRING);
            short_string(w, text);
        }
        Value::String(text) => long_string(w.u8(amf0::LONG_STRING), text),
        Value::Xml(text) => long_string(w.u8(amf0::XML_DOCUMENT), text),
        Value::Object { class, properties } => {
            match class {
                Some(class) => short_string(w.u8(amf0::TYPED_OBJECT), class),
                None => {
                    w.u8(amf0::OBJECT);
                }
            }
            amf0_properties(w, properties);
        }
        Value::EcmaArray { count, properties, dense } if dense.is_empty() => {
            w.u8(amf0::ECMA_ARRAY).u32(*count);
            amf0_properties(w, properties);
        }
        Value::StrictArray(items) => {
            w.u8(amf0::STRICT_ARRAY).u32(items.len() as u32);
            items.iter().for_each(|item| encode_amf0_to(w, item));
        }
        Value::Date { millis, zone } => {
            w.u8(amf0::DATE).f64(*millis).u16(*zone as u16);
        }
        Value::Reference(index) => {
            w.u8(amf0::REFERENCE).u16(*index as u16);
        }
        Value::MovieClip => {
            w.u8(amf0::MOVIE_CLIP);
        }
        Value::Null => {
            w.u8(amf0::NULL);
        }
        Value::Undefined => {
            w.u8(amf0::UNDEFINED);
        }
        Value::Unsupported => {
            w.u8(amf0::UNSUPPORTED);
        }
        Value::RecordSet => {
            w.u8(amf0::RECORD_SET);
        }
        Value::Integer(_)
        | Value::Externalizable { .. }
        | Value::EcmaArray { .. }
        | Value::ByteArray(_)
        | Value::VectorInt { .. }
        | Value::VectorUint { .. }
        | Value::VectorDouble { .. }
        | Value::VectorObject { .. }
        | Value::Dictionary { .. } => {
            w.u8(amf0::AVMPLUS_OBJECT);
            encode_amf3_to(w, value);
        }
    }
}

/// A string with a 16-bit length and no marker.
pub(crate) fn short_string(w: &mut Writer, text: &Text) {
    let bytes = &text.0[..text.0.len().min(0xffff)];
    w.u16(bytes.len() as u16).bytes(bytes);
}

fn long_string(w: &mut Writer, text: &Text) {
    w.u32(text.0.len() as u32).bytes(&text.0);
}

fn amf0_properties(w: &mut Writer, properties: &[Property]) {
    for property in properties {
        short_string(w, &property.name);
        encode_amf0_to(w, &property.value);
    }
    w.u16(0).u8(amf0::OBJECT_END);
}

/// A value in AMF3. See [`encode_amf3_to`].
pub fn encode_amf3(value: &Value) -> Vec<u8> {
    let mut w = Writer::new();
    encode_amf3_to(&mut w, value);
    w.into_bytes()
}

/// Appends a value in AMF3. What AMF3 has no type for (movie clip, record set, unsupported) is
/// written as undefined; integers beyond 29 bits as doubles; a date loses its zone, an array its
/// members with an empty name.
pub fn encode_amf3_to(w: &mut Writer, value: &Value) {
    match value {
        Value::Undefined | Value::MovieClip | Value::RecordSet | Value::Unsupported => {
            w.u8(amf3::UNDEFINED);
        }
        Value::Null => {
            w.u8(amf3::NULL);
        }
        Value::Boolean(false) => {
            w.u8(amf3::FALSE);
        }
        Value::Boolean(true) => {
            w.u8(amf3::TRUE);
        }
        Value::Integer(integer) if (-1 << 28..1 << 28).contains(integer) => {
            u29(w.u8(amf3::INTEGER), *integer as u32 & U29_MAX);
        }
        Value::Integer(integer) => {
            w.u8(amf3::DOUBLE).f64(f64::from(*integer));
        }
        Value::Number(number) => {
            w.u8(amf3::DOUBLE).f64(*number);
        }
        Value::String(text) => counted(w.u8(amf3::STRING), &text.0),
        Value::Xml(text) => counted(w.u8(amf3::XML), &text.0),
        Value::ByteArray(bytes) => counted(w.u8(amf3::BYTE_ARRAY), bytes),
        Value::Date { millis, .. } => {
            w.u8(amf3::DATE).u8(1).f64(*millis);
        }
        // Any complex type's marker will do: the index says the rest.
        Value::Reference(index) => u29(w.u8(amf3::OBJECT), index << 1),
        Value::StrictArray(items) => amf3_array(w, &[], items),
        Value::EcmaArray { properties, dense, .. } => amf3_array(w, properties, dense),
        Value::Object { class, properties } => amf3_object(w, class.as_ref(), properties),
        Value::Externalizable { class, content } => {
            w.u8(amf3::OBJECT).u8(0x07);
            counted(w, &class.0);
            flex::write(w, &class.0, content);
        }
        Value::VectorInt { fixed, items } => {
            vector(w, amf3::VECTOR_INT, *fixed, items.len());
            items.iter().for_each(|item| {
                w.u32(*item as u32);
            });
        }
        Value::VectorUint { fixed, items } => {
            vector(w, amf3::VECTOR_UINT, *fixed, items.len());
            items.iter().for_each(|item| {
                w.u32(*item);
            });
        }
        Value::VectorDouble { fixed, items } => {
            vector(w, amf3::VECTOR_DOUBLE, *fixed, items.len());
            items.iter().for_each(|item| {
                w.f64(*item);
            });
        }
        Value::VectorObject { fixed, class, items } => {
            vector(w, amf3::VECTOR_OBJECT, *fixed, items.len());
            counted(w, &class.0);
            items.iter().for_each(|item| encode_amf3_to(w, item));
        }
        Value::Dictionary { weak, entries } => {
            vector(w, amf3::DICTIONARY, *weak, entries.len());
            for (key, value) in entries {
                encode_amf3_to(w, key);
                encode_amf3_to(w, value);
            }
        }
    }
}

const U29_MAX: u32 = 0x1fff_ffff;

/// Appends a variable length integer of 29 bits.
fn u29(w: &mut Writer, value: u32) {
    let value = value & U29_MAX;
    let more = |shift: u32| (value >> shift & 0x7f | 0x80) as u8;
    match value {
        0..0x80 => {
            w.u8(value as u8);
        }
        0x80..0x4000 => {
            w.u8(more(7)).u8((value & 0x7f) as u8);
        }
        0x4000..0x20_0000 => {
            w.u8(more(14)).u8(more(7)).u8((value & 0x7f) as u8);
        }
        _ => {
            w.u8(more(22)).u8(more(15)).u8(more(8)).u8(value as u8);
        }
    }
}

/// Appends a length with its "not a reference" bit, and the bytes.
fn counted(w: &mut Writer, bytes: &[u8]) {
    u29(w, (bytes.len() as u32) << 1 | 1);
    w.bytes(bytes);
}

fn vector(w: &mut Writer, marker: u8, flag: bool, len: usize) {
    u29(w.u8(marker), (len as u32) << 1 | 1);
    w.u8(u8::from(flag));
}

fn amf3_array(w: &mut Writer, properties: &[Property], dense: &[Value]) {
    u29(w.u8(amf3::ARRAY), (dense.len() as u32) << 1 | 1);
    for property in properties.iter().filter(|p| !p.name.0.is_empty()) {
        counted(w, &property.name.0);
        encode_amf3_to(w, &property.value);
    }
    counted(w, b"");
    dense.iter().for_each(|item| encode_amf3_to(w, item));
}

fn amf3_object(w: &mut Writer, class: Option<&Text>, properties: &[Property]) {
    w.u8(amf3::OBJECT);
    let class = class.map_or(&b""[..], |class| &class.0);
    // An empty name ends the dynamic members, so an object that has one is written sealed.
    if properties.iter().any(|p| p.name.0.is_empty()) {
        u29(w, (properties.len() as u32) << 4 | 0b0011);
        counted(w, class);
        properties.iter().for_each(|p| counted(w, &p.name.0));
        properties.iter().for_each(|p| encode_amf3_to(w, &p.value));
    } else {
        w.u8(0b1011);
        counted(w, class);
        for property in properties {
            counted(w, &property.name.0);
            encode_amf3_to(w, &property.value);
        }
        counted(w, b"");
    }
}
