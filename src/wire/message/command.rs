//! Command and data messages (sections 7.1.1 and 7.1.2), either encoding.

use crate::base::{Reader, Stop, StopReason, Writer};
use crate::wire::amf::{Cut, Name, State, Text, Value, amf0, amf3};

use super::types::MessageType;
use super::{Body, Command, Data};

/// Reads the values of one message.
struct Values<'s, 'a> {
    state: &'s mut State<'a>,
    /// The body has no AMF0 at all: a habit of some servers after the format byte.
    pure_amf3: bool,
    /// What was wrong first.
    stop: Option<Stop>,
    /// Nothing more can be read.
    ended: bool,
}

impl<'s, 'a> Values<'s, 'a> {
    fn new(state: &'s mut State<'a>, pure_amf3: bool, stop: Option<Stop>) -> Self {
        Values { state, pure_amf3, stop, ended: false }
    }

    /// The next value under that name; `None` at the end of the message or of what can be read.
    fn next(&mut self, r: &mut Reader<'a, '_>, name: Name<'_>) -> Option<Value> {
        if self.ended || r.is_empty() {
            return None;
        }
        let result = if self.pure_amf3 {
            amf3::decode_lax(r, self.state, name)
        } else {
            amf0::decode_lax(r, self.state, name)
        };
        match result {
            Ok(value) => Some(value),
            Err(Cut { value, stop }) => {
                self.ended = true;
                self.stop.get_or_insert(stop);
                value
            }
        }
    }

    fn note(&mut self, field: &'static str, at: usize, reason: StopReason) {
        self.stop.get_or_insert(Stop { field, at, reason });
    }

    /// What was wrong first.
    fn finish(self, r: &mut Reader<'a, '_>) -> Option<Stop> {
        r.rest("undecoded");
        self.stop.or_else(|| unterminated(self.state))
    }
}

/// The stop for an object that ends with the message, without its end marker. Nothing is lost, but
/// strict receivers refuse it.
pub(super) fn unterminated(state: &State<'_>) -> Option<Stop> {
    let reason = StopReason::Truncated { needed: 3, left: 0 };
    state.unterminated().map(|at| Stop { field: "object_end_marker", at, reason })
}

/// Reads the format byte of types 15 and 17. The first value is a string, so a string's marker
/// in its place means that the sender left it out.
fn format<'s, 'a>(
    type_id: MessageType,
    r: &mut Reader<'a, '_>,
    state: &'s mut State<'a>,
) -> Values<'s, 'a> {
    const AMF0_STRINGS: [u8; 3] = [0x02, 0x0c, 0x11];
    const AMF3_STRING: u8 = 0x06;
    if type_id != MessageType::COMMAND_AMF3 && type_id != MessageType::DATA_AMF3 {
        return Values::new(state, false, None);
    }
    let mut stop = None;
    if r.peek().is_some_and(|b| !AMF0_STRINGS.contains(&b) && b != AMF3_STRING) {
        let at = r.pos();
        match r.u8("format") {
            Ok(0) | Err(_) => {}
            Ok(other) => {
                let reason = StopReason::Invalid(u64::from(other));
                stop = Some(Stop { field: "format", at, reason });
            }
        }
    }
    let pure_amf3 = r.peek() == Some(AMF3_STRING);
    Values::new(state, pure_amf3, stop)
}

/// Decodes types 20 and 17.
pub(super) fn decode<'a>(
    type_id: MessageType,
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
) -> (Body, Option<Stop>) {
    let mut values = format(type_id, r, state);
    let mut command = Command::default();
    let (at, first) = (r.pos(), r.peek().unwrap_or(0));
    if r.is_empty() {
        values.note("command_name", at, StopReason::Truncated { needed: 1, left: 0 });
    }
    match values.next(r, Name::Field("command_name")) {
        Some(Value::String(name)) => command.name = name,
        Some(_) => values.note("command_name", at, StopReason::Invalid(u64::from(first))),
        None => {}
    }
    let (at, first) = (r.pos(), r.peek().unwrap_or(0));
    if r.is_empty() {
        values.note("transaction_id", at, StopReason::Truncated { needed: 1, left: 0 });
    }
    match values.next(r, Name::Field("transaction_id")) {
        Some(Value::Number(id)) => command.transaction_id = Some(id),
        Some(Value::Integer(id)) => command.transaction_id = Some(f64::from(id)),
        // No transaction id: what is there must be what comes after it.
        Some(other) => {
            values.note("transaction_id", at, StopReason::Invalid(u64::from(first)));
            command.object = Some(other);
        }
        None => {}
    }
    if command.object.is_none() {
        command.object = values.next(r, Name::Field("command_object"));
    }
    while let Some(value) = values.next(r, Name::Nth("argument", command.arguments.len())) {
        command.arguments.push(value);
    }
    (Body::Command(command), values.finish(r))
}

/// Decodes types 18 and 15.
pub(super) fn decode_data<'a>(
    type_id: MessageType,
    r: &mut Reader<'a, '_>,
    state: &mut State<'a>,
) -> (Body, Option<Stop>) {
    let mut values = format(type_id, r, state);
    let mut data = Data::default();
    while let Some(value) = values.next(r, Name::Nth("value", data.values.len())) {
        data.values.push(value);
    }
    (Body::Data(data), values.finish(r))
}

/// Encodes a command.
pub(super) fn encode(type_id: MessageType, command: &Command) -> Vec<u8> {
    let mut w = begin(type_id);
    amf0::encode_to(&mut w, &Value::String(Text(command.name.0.clone())));
    if let Some(id) = command.transaction_id {
        amf0::encode_to(&mut w, &Value::Number(id));
    }
    for value in command.object.iter().chain(&command.arguments) {
        amf0::encode_to(&mut w, value);
    }
    w.into_bytes()
}

/// Encodes a data message.
pub(super) fn encode_data(type_id: MessageType, data: &Data) -> Vec<u8> {
    let mut w = begin(type_id);
    data.values.iter().for_each(|value| amf0::encode_to(&mut w, value));
    w.into_bytes()
}

/// A buffer that begins with the format byte if the type has one.
pub(super) fn begin(type_id: MessageType) -> Writer {
    let mut w = Writer::new();
    if matches!(
        type_id,
        MessageType::COMMAND_AMF3 | MessageType::DATA_AMF3 | MessageType::SHARED_OBJECT_AMF3
    ) {
        w.u8(0);
    }
    w
}
