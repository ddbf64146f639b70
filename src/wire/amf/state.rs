//! What decoding the values of one message needs besides the bytes.

use std::borrow::Cow;

use crate::base::{Reader, Stop, StopReason};

use super::{Text, Value};

/// Containers inside containers. Real messages nest 4 or 5 deep (`colorInfo`, Flex messages);
/// without a limit 10,000 opening bytes would overflow the stack.
pub const MAX_DEPTH: u32 = 64;

/// Values, property names and class members of one message together. A key frame index of a day of
/// video has 90,000; a 16 MiB message of one-byte nulls would take a gigabyte decoded.
pub const MAX_VALUES: u32 = 1 << 18;

/// Bytes of AMF3 text of one message once string and traits references are resolved: the largest
/// message twice. Without it a long string and a million 2-byte references to it fill the memory.
pub const MAX_COPIED_TEXT: u64 = 32 << 20;

/// Where decoding a value stopped, and what there was of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// A container with the members decoded so far; `None` for a value without parts.
    pub value: Option<Value>,
    /// Where and why.
    pub stop: Stop,
}

impl From<Stop> for Cut {
    fn from(stop: Stop) -> Cut {
        Cut { value: None, stop }
    }
}

/// What a value is called in the field tree.
#[derive(Clone, Copy, Debug)]
pub enum Name<'n> {
    /// The spec's name of the field.
    Field(&'static str),
    /// The key of a property.
    Key(&'n [u8]),
    /// The place in an array, after a name that may be empty.
    Nth(&'static str, usize),
}

impl Name<'_> {
    /// The name as text; empty, at no cost, when nobody listens.
    pub(super) fn text(self, r: &Reader<'_, '_>) -> Cow<'static, str> {
        match self {
            _ if !r.records_fields() => Cow::Borrowed(""),
            Name::Field(name) => Cow::Borrowed(name),
            Name::Key(key) => Cow::Owned(String::from_utf8_lossy(key).into_owned()),
            Name::Nth(name, index) => Cow::Owned(format!("{name}[{index}]")),
        }
    }
}

impl From<&'static str> for Name<'_> {
    fn from(name: &'static str) -> Self {
        Name::Field(name)
    }
}

/// An AMF3 class: its name and members.
#[derive(Clone, Debug)]
pub(super) struct Traits<'a> {
    pub class: &'a [u8],
    pub sealed: Vec<&'a [u8]>,
    pub dynamic: bool,
    pub externalizable: bool,
}

/// The reference tables and limits of one message.
///
/// Objects are only counted: a reference stays an index, so a message that refers to itself costs
/// nothing. AMF3 tables last for the whole message, not for one switched value (Flash Player and
/// Red5 do so).
#[derive(Clone, Debug, Default)]
pub struct State<'a> {
    depth: u32,
    values: u32,
    copied: u64,
    unterminated: Option<usize>,
    overlong: bool,
    /// AMF0 objects, typed objects and arrays seen so far.
    pub(super) amf0_objects: u32,
    /// AMF3 objects, arrays, dates, XML, byte arrays, vectors and dictionaries seen so far.
    pub(super) amf3_objects: u32,
    pub(super) strings: Vec<&'a [u8]>,
    pub(super) traits: Vec<Traits<'a>>,
}

impl<'a> State<'a> {
    /// Empty tables.
    pub fn new() -> State<'a> {
        State::default()
    }

    /// Empties the tables for the next message but keeps counting towards the limits: the messages
    /// of an aggregate share them.
    pub fn next_message(&mut self) {
        let (values, copied) = (self.values, self.copied);
        *self = State { values, copied, ..State::default() };
    }

    /// Where an AMF0 object ended with the message, without its `00 00 09`. Some encoders leave it
    /// out, and nginx-rtmp accepts that.
    pub fn unterminated(&self) -> Option<usize> {
        self.unterminated
    }

    /// Whether an AMF3 integer used more bytes than it needs.
    pub fn overlong(&self) -> bool {
        self.overlong
    }

    pub(super) fn note_unterminated(&mut self, at: usize) {
        self.unterminated.get_or_insert(at);
    }

    pub(super) fn note_overlong(&mut self) {
        self.overlong = true;
    }

    /// Counts a value, or a name that takes memory like one.
    pub(crate) fn count(&mut self, r: &Reader<'_, '_>, field: &'static str) -> Result<(), Stop> {
        if self.is_spent() {
            return Err(r.stop(field, StopReason::TooMany));
        }
        self.values += 1;
        Ok(())
    }

    /// Counts values that were decoded elsewhere.
    pub(crate) fn spend(&mut self, values: usize) {
        self.values = self.values.saturating_add(u32::try_from(values).unwrap_or(u32::MAX));
    }

    /// Whether no value may be decoded any more.
    pub(crate) fn is_spent(&self) -> bool {
        self.values >= MAX_VALUES
    }

    /// Goes one container deeper; [`State::leave`] goes back.
    pub(super) fn enter(&mut self, r: &Reader<'_, '_>) -> Result<(), Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(r.stop("value", StopReason::TooDeep));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Copies AMF3 text, which may have come by reference.
    pub(super) fn copy(&mut self, r: &Reader<'_, '_>, bytes: &[u8]) -> Result<Text, Stop> {
        self.copied += bytes.len() as u64;
        if self.copied > MAX_COPIED_TEXT {
            return Err(r.stop("string", StopReason::TooMany));
        }
        Ok(Text(bytes.to_vec()))
    }
}
