//! What every layer between TCP or UDP and RTMP hands on.

use std::borrow::Cow;

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;

/// Where bytes that a layer hands on come from: a range of one direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The flow below.
    pub flow: FlowId,
    /// The direction of the flow below.
    pub direction: Direction,
    /// Stream offset of the first byte (of a TLS record: of its header).
    pub offset: u64,
    /// Bytes below; those of a whole record where the mapping is not byte for byte.
    pub len: u64,
    /// Whether byte `i` above is byte `offset + i` below (HTTP bodies, RC4). A byte of an
    /// encrypted record comes from all of the record.
    pub bytewise: bool,
}

impl Source {
    /// Where the `len` bytes from byte `from` on come from.
    pub fn part(self, from: usize, len: usize) -> Source {
        match self.bytewise {
            true => Source { offset: self.offset + from as u64, len: len as u64, ..self },
            false => self,
        }
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
        /// How many bytes are missing, if that is known.
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
