//! What every layer between TCP or UDP and RTMP hands on.

use std::borrow::Cow;

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;

/// Where bytes that a layer hands on come from, byte for byte: byte `i` above lies at `offset + i`
/// below. That holds for HTTP bodies, for RC4, and for the ciphers of TLS as well: it is then the
/// place of the byte's ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The flow below.
    pub flow: FlowId,
    /// The direction of the flow below.
    pub direction: Direction,
    /// Stream offset of the first byte.
    pub offset: u64,
}

impl Source {
    /// Where the bytes from byte `from` on come from.
    pub fn part(self, from: usize) -> Source {
        Source { offset: self.offset + from as u64, ..self }
    }
}

/// What a layer hands on.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// The next bytes of a direction.
    Data {
        /// Of the session above.
        direction: Direction,
        /// When the packet was captured that made them readable.
        time: Timestamp,
        /// The bytes.
        bytes: &'a [u8],
        /// Where they come from.
        source: Source,
    },
    /// Bytes of a direction that cannot be had.
    Gap {
        /// Of the session above.
        direction: Direction,
        /// When that became clear.
        time: Timestamp,
        /// How many bytes are missing; the best guess unless `exact`.
        len: u64,
        /// Whether `len` is exact.
        exact: bool,
    },
    /// What follows of a direction is plain, whatever version its handshake announced. (RTMPE: the
    /// engine takes what follows for ciphertext unless it is told this.)
    Readable {
        /// Of the session above.
        direction: Direction,
    },
    /// Something the layer says about the session.
    Fact(Fact),
}

/// A fact of a layer: a TLS hello, an HTTP request, a key agreed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// `tls`, `http`, `rtmpe`, `rtmfp`.
    pub layer: &'static str,
    /// Stable, kebab-case: `client-hello`, `alert`, `no-keys`.
    pub name: &'static str,
    /// Whether it is odd: an anomaly rather than a plain fact.
    pub odd: bool,
    /// Who did it, in the session's terms.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// Stream offset in the flow below.
    pub offset: u64,
    /// Named values in the order to be shown.
    pub fields: Vec<(&'static str, FactValue)>,
}

/// A value of a [`Fact`].
#[derive(Clone, Debug, PartialEq)]
pub enum FactValue {
    /// A count, an id, a length.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Text as it was on the wire or a name of the specification.
    Text(Cow<'static, str>),
    /// Bytes, shown in hexadecimal.
    Bytes(Vec<u8>),
    /// Several texts: names, suites.
    List(Vec<String>),
}

/// Where and when a fact belongs: its direction, time and offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub direction: Direction,
    pub time: Timestamp,
    pub offset: u64,
}

impl At {
    /// A fact of a layer here.
    pub fn fact(
        self,
        layer: &'static str,
        name: &'static str,
        odd: bool,
        fields: Vec<(&'static str, FactValue)>,
    ) -> Fact {
        let At { direction, time, offset } = self;
        Fact { layer, name, odd, direction, time, offset, fields }
    }
}

impl FactValue {
    pub(super) fn text(value: impl Into<Cow<'static, str>>) -> FactValue {
        FactValue::Text(value.into())
    }
}

impl Fact {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&FactValue> {
        self.fields.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// The value of a field that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            FactValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a field that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            FactValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a field says yes.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(FactValue::Flag(true)))
    }
}
