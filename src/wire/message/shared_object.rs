//! Shared object messages (section 7.1.3), either encoding.
//!
//! The specification shows a picture and a list of events. The layout here is what Flash Media
//! Server, Red5 and their clients exchange.

use crate::base::{FieldValue, Reader, Stop, StopReason, Writer};
use crate::wire::amf::{Cut, Name, Property, State, Text, amf0, short_string};

use super::command::{begin, unterminated};
use super::types::MessageType;
use super::{Body, SharedObject, SharedObjectEvent};

/// Events of one message. An object is sent whole as one Change event per member or as one event
/// for all; tens of thousands of members are past any use.
const MAX_EVENTS: usize = 1 << 16;

/// Event types (section 7.1.3).
mod event {
    pub const REQUEST_CHANGE: u8 = 3;
    pub const CHANGE: u8 = 4;
    pub const SUCCESS: u8 = 5;
    pub const SEND_MESSAGE: u8 = 6;
    pub const STATUS: u8 = 7;
    pub const REMOVE: u8 = 9;
    pub const REQUEST_REMOVE: u8 = 10;
}

/// The snake_case name of an event type; `unknown` for a number without one.
pub fn event_name(event: u8) -> &'static str {
    match event {
        1 => "use",
        2 => "release",
        event::REQUEST_CHANGE => "request_change",
        event::CHANGE => "change",
        event::SUCCESS => "success",
        event::SEND_MESSAGE => "send_message",
        event::STATUS => "status",
        8 => "clear",
        event::REMOVE => "remove",
        event::REQUEST_REMOVE => "request_remove",
        11 => "use_success",
        _ => "unknown",
    }
}

/// Decodes types 19 and 16.
pub(super) fn decode<'a>(
    type_id: MessageType,
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
) -> (Body, Option<Stop>) {
    let mut object = SharedObject::default();
    let mut first = None;
    let result = read(type_id, r, state, &mut object, &mut first);
    r.rest("undecoded");
    let stop = first.or(result.err()).or_else(|| unterminated(state));
    (Body::SharedObject(object), stop)
}

fn read<'a>(
    type_id: MessageType,
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    object: &mut SharedObject,
    first: &mut Option<Stop>,
) -> Result<(), Stop> {
    if type_id == MessageType::SHARED_OBJECT_AMF3 {
        let at = r.pos();
        let format = r.u8("format")?;
        if format != 0 {
            let reason = StopReason::Invalid(u64::from(format));
            first.get_or_insert(Stop { field: "format", at, reason });
        }
    }
    object.name = name(r, "name")?;
    object.version = r.u32("version")?;
    object.persistence = r.u32("persistence")?;
    r.meaning(|| if object.persistence == 2 { "persistent" } else { "not persistent" }.into());
    object.flags = r.u32("flags")?;
    while !r.is_empty() {
        if object.events.len() >= MAX_EVENTS {
            return Err(r.stop("event", StopReason::TooMany));
        }
        r.group("event", |r| {
            let kind = r.u8("event_type")?;
            r.meaning(|| event_name(kind).into());
            let mut event = SharedObjectEvent {
                event: kind,
                names: Vec::new(),
                values: Vec::new(),
                data: Vec::new(),
            };
            let at = r.pos();
            let announced = r.u32("event_data_length")?;
            let len = r.left().min(announced as usize);
            if len < announced as usize {
                let reason =
                    StopReason::Truncated { needed: u64::from(announced), left: len as u64 };
                first.get_or_insert(Stop { field: "event_data", at, reason });
            }
            // A length frames the event: whatever is wrong inside, the next one can be read.
            r.within("event_data", len, |r| {
                if let Err(stop) = event_data(r, state, &mut event) {
                    first.get_or_insert(stop);
                } else if event_name(kind) != "unknown" && !r.is_empty() {
                    let reason = StopReason::Trailing(r.left() as u64);
                    first.get_or_insert(r.stop("event_data", reason));
                }
                event.data = r.rest("event_data").to_vec();
                Ok(())
            })?;
            object.events.push(event);
            Ok(())
        })?;
    }
    Ok(())
}

fn event_data<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    event: &mut SharedObjectEvent,
) -> Result<(), Stop> {
    match event.event {
        event::REQUEST_CHANGE | event::CHANGE => {
            while !r.is_empty() {
                state.count(r, "member_name")?;
                let member = name(r, "member_name")?;
                let key = member.0.clone();
                event.names.push(member);
                value(r, state, Name::Key(&key), event)?;
            }
        }
        event::SUCCESS | event::STATUS | event::REMOVE | event::REQUEST_REMOVE => {
            let field = if event.event == event::STATUS { "status" } else { "member_name" };
            while !r.is_empty() {
                state.count(r, field)?;
                event.names.push(name(r, field)?);
            }
        }
        event::SEND_MESSAGE => {
            while !r.is_empty() {
                value(r, state, Name::Nth("value", event.values.len()), event)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn value<'a>(
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
    name: Name<'_>,
    event: &mut SharedObjectEvent,
) -> Result<(), Stop> {
    match amf0::decode_lax(r, state, name) {
        Ok(value) => event.values.push(value),
        Err(Cut { value, stop }) => {
            event.values.extend(value);
            return Err(stop);
        }
    }
    Ok(())
}

fn name(r: &mut Reader<'_, '_>, field: &'static str) -> Result<Text, Stop> {
    let start = r.pos();
    let bytes = r.quiet(|r| {
        let len = r.u16(field)?;
        r.bytes(field, usize::from(len))
    })?;
    r.leaf(start, || {
        let text = String::from_utf8_lossy(bytes).into_owned();
        (field.into(), FieldValue::Text(text))
    });
    Ok(Text(bytes.to_vec()))
}

/// Encodes a shared object message.
pub(super) fn encode(type_id: MessageType, object: &SharedObject) -> Vec<u8> {
    let mut w = begin(type_id);
    short_string(&mut w, &object.name);
    w.u32(object.version).u32(object.persistence).u32(object.flags);
    for event in &object.events {
        let mut data = Writer::new();
        if matches!(event.event, event::REQUEST_CHANGE | event::CHANGE) {
            for (index, name) in event.names.iter().enumerate() {
                short_string(&mut data, name);
                event.values.get(index).inspect(|value| amf0::encode_to(&mut data, value));
            }
        } else {
            event.names.iter().for_each(|name| short_string(&mut data, name));
            event.values.iter().for_each(|value| amf0::encode_to(&mut data, value));
        }
        data.bytes(&event.data);
        let data = data.into_bytes();
        w.u8(event.event).u32(data.len() as u32).bytes(&data);
    }
    w.into_bytes()
}

impl SharedObjectEvent {
    /// The members that a Change or Request Change event sets.
    pub fn members(&self) -> impl Iterator<Item = Property> + '_ {
        let pairs = self.names.iter().zip(&self.values);
        pairs.map(|(name, value)| Property { name: name.clone(), value: value.clone() })
    }
}
