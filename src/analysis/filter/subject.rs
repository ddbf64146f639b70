//! What an expression is asked about.

use std::net::SocketAddr;

use crate::analysis::index::{Interner, Row};
use crate::analysis::record::Transport;
use crate::base::{Direction, Timestamp};

/// A record that is no message, yet can be filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pseudo {
    /// One side's handshake.
    Handshake,
    /// Something odd.
    Anomaly,
    /// Missing bytes.
    Gap,
    /// What a layer between TCP or UDP and RTMP says.
    Layer,
}

impl Pseudo {
    /// All of them.
    pub const ALL: [Pseudo; 4] = [Pseudo::Handshake, Pseudo::Anomaly, Pseudo::Gap, Pseudo::Layer];

    /// The name that `type` has for it.
    pub fn name(self) -> &'static str {
        match self {
            Pseudo::Handshake => "handshake",
            Pseudo::Anomaly => "anomaly",
            Pseudo::Gap => "gap",
            Pseudo::Layer => "layer",
        }
    }

    /// Its number beyond those of message types.
    pub fn number(self) -> i64 {
        256 + self as i64
    }
}

/// Findings of a message, looked up when an expression asks for them.
pub trait FindingLookup {
    /// Calls back with severity (1 info, 2 warning, 3 error) and rule id of each finding that
    /// points to the message `row` (from 0) of the session.
    fn findings(&self, session: u32, row: usize, each: &mut dyn FnMut(u8, &str));
}

/// A message, or a record beside the messages, with what surrounds it.
///
/// What an expression does not need ([`super::Filter::needs`]) may be left out.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Session number; `None` for what concerns the capture.
    pub session: Option<u32>,
    /// Client and server.
    pub peers: Option<[SocketAddr; 2]>,
    /// What the connection speaks.
    pub transport: Option<Transport>,
    /// What it is when it is no message.
    pub pseudo: Option<Pseudo>,
    /// Who sent it.
    pub direction: Option<Direction>,
    /// When it was complete.
    pub time: Option<Timestamp>,
    /// Second 0.
    pub epoch: Option<Timestamp>,
    /// The message.
    pub row: Option<&'a Row>,
    /// Strings of the row.
    pub strings: &'a Interner,
    /// Number of the row in its session, from 0.
    pub number: usize,
    /// First and last packet.
    pub frames: Option<(u64, u64)>,
    /// Payload bytes seen.
    pub received: Option<u32>,
    /// Number of chunks.
    pub chunks: Option<u32>,
    /// Stream offset of its first byte.
    pub offset: Option<u64>,
    /// Length of a gap in bytes.
    pub gap_len: Option<u64>,
    /// Chunk stream of an anomaly.
    pub csid: Option<u32>,
    /// Nanoseconds from its first byte to its last.
    pub transfer: Option<i64>,
    /// Nanoseconds since the previous message of type, direction and stream.
    pub gap: Option<i64>,
    /// Timestamp difference to it in nanoseconds.
    pub step: Option<i64>,
    /// Nanoseconds since the previous message of the session.
    pub delta: Option<i64>,
    /// Nanoseconds since the request.
    pub response: Option<i64>,
    /// Packet that holds the end of the request.
    pub request: Option<u64>,
    /// Kinds of anomalies within the message, or the anomaly's own.
    pub anomalies: &'a [&'static str],
    /// Where findings are.
    pub findings: Option<&'a dyn FindingLookup>,
}

impl<'a> Subject<'a> {
    /// A subject of which nothing is known.
    pub fn empty(strings: &'a Interner) -> Subject<'a> {
        Subject {
            session: None,
            peers: None,
            transport: None,
            pseudo: None,
            direction: None,
            time: None,
            epoch: None,
            row: None,
            strings,
            number: 0,
            frames: None,
            received: None,
            chunks: None,
            offset: None,
            gap_len: None,
            csid: None,
            transfer: None,
            gap: None,
            step: None,
            delta: None,
            response: None,
            request: None,
            anomalies: &[],
            findings: None,
        }
    }
}
