//! Externalizable classes whose layout is known: Flex collections and the small messages of
//! LiveCycle Data Services and BlazeDS. Neither the class nor its length is in any specification;
//! these are the layouts that BlazeDS reads and writes.

use crate::base::{Reader, Stop, StopReason, Writer};

use super::amf3::{decode_lax, encode_to, items};
use super::{Property, State, Text, Value};

/// Continuation bytes of flags one after another; real messages have one or two.
const MAX_FLAG_BYTES: usize = 8;

/// Which properties each flag byte of each section names, lowest bit first. The sections are those
/// of the class's ancestors: AbstractMessage, AsyncMessage, then the class itself.
const ABSTRACT: &[&[&str]] = &[
    &["body", "clientId", "destination", "headers", "messageId", "timestamp", "timeToLive"],
    &["clientIdBytes", "messageIdBytes"],
];
const ASYNC: &[&[&str]] = &[&["correlationId", "correlationIdBytes"]];
const ACKNOWLEDGE: &[&[&str]] = &[&[]];
const COMMAND: &[&[&str]] = &[&["operation"]];

type Section = &'static [&'static [&'static str]];

enum Layout {
    /// One AMF3 value.
    OneValue,
    /// Flag bytes and a value for each flag, section after section.
    Message(&'static [Section]),
}

fn layout(class: &[u8]) -> Option<Layout> {
    Some(match class {
        b"flex.messaging.io.ArrayCollection"
        | b"flex.messaging.io.ArrayList"
        | b"flex.messaging.io.ObjectProxy" => Layout::OneValue,
        b"DSA" => Layout::Message(&[ABSTRACT, ASYNC]),
        b"DSK" => Layout::Message(&[ABSTRACT, ASYNC, ACKNOWLEDGE]),
        b"DSC" => Layout::Message(&[ABSTRACT, ASYNC, COMMAND]),
        _ => return None,
    })
}

/// Reads what the class's `writeExternal` wrote; a small message becomes one anonymous object.
pub(super) fn read<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    class: &[u8],
    content: &mut Vec<Value>,
) -> Result<(), Stop> {
    match layout(class) {
        Some(Layout::OneValue) => items(r, state, "content", 1, content),
        Some(Layout::Message(sections)) => {
            let mut properties = Vec::new();
            let result = (0..).zip(sections).try_for_each(|(number, names)| {
                read_section(r, state, number, names, &mut properties)
            });
            content.push(Value::Object { class: None, properties });
            result
        }
        None => {
            // The name is for the reader of a report: a long one says no more than its beginning.
            let shown = &class[..class.len().min(128)];
            let name = String::from_utf8_lossy(shown).into_owned();
            Err(r.stop("externalizable", StopReason::UnknownExternalizable(name)))
        }
    }
}

fn read_section<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    section: usize,
    names: Section,
    properties: &mut Vec<Property>,
) -> Result<(), Stop> {
    let mut flags = Vec::new();
    loop {
        if flags.len() == MAX_FLAG_BYTES {
            return Err(r.stop("flags", StopReason::TooMany));
        }
        let byte = r.u8("flags")?;
        flags.push(byte);
        if byte & 0x80 == 0 {
            break;
        }
    }
    for (index, byte) in flags.into_iter().enumerate() {
        for bit in (0..slots(section, index)).filter(|bit| byte >> bit & 1 == 1) {
            let name = slot_name(section, names, index, bit);
            let (value, stop) = match decode_lax(r, state, super::Name::Key(name.as_bytes())) {
                Ok(value) => (Some(value), None),
                Err(cut) => (cut.value, Some(cut.stop)),
            };
            properties.extend(value.map(|value| Property { name: Text(name.into()), value }));
            if let Some(stop) = stop {
                return Err(stop);
            }
        }
    }
    Ok(())
}

/// How many bits of a flag byte stand for a value: BlazeDS reads an object for each unknown flag
/// up to bit 5, "for forward compatibility", and knows seven in the very first byte.
fn slots(section: usize, index: usize) -> usize {
    if section == 0 && index == 0 { 7 } else { 6 }
}

fn slot_name(section: usize, names: Section, index: usize, bit: usize) -> String {
    match names.get(index).and_then(|names| names.get(bit)) {
        Some(name) => (*name).to_owned(),
        None => format!("reserved_{section}_{index}_{bit}"),
    }
}

/// Writes the content of an externalizable object.
pub(super) fn write(w: &mut Writer, class: &[u8], content: &[Value]) {
    let (Some(Layout::Message(sections)), [Value::Object { properties, .. }]) =
        (layout(class), content)
    else {
        content.iter().for_each(|value| encode_to(w, value));
        return;
    };
    for (section, names) in sections.iter().enumerate() {
        let mut flags: Vec<u8> = Vec::new();
        let mut values = Vec::new();
        for index in 0..MAX_FLAG_BYTES {
            let mut byte = 0;
            for bit in 0..slots(section, index) {
                let name = slot_name(section, names, index, bit);
                if let Some(found) = properties.iter().find(|p| p.name == name.as_str()) {
                    byte |= 1 << bit;
                    values.push(&found.value);
                }
            }
            flags.push(byte);
        }
        let used = flags.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        for (index, byte) in flags.into_iter().take(used + 1).enumerate() {
            w.u8(if index < used { byte | 0x80 } else { byte });
        }
        values.into_iter().for_each(|value| encode_to(w, value));
    }
}
