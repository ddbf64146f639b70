//! What following RTMFP gives.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{Direction, Timestamp};
use crate::transport::Fact;

/// A session of one [`super::Rtmfp`], counted up from 0, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// A session is first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Who began it: in RTMFP's terms the initiator.
    pub client: SocketAddr,
    /// The responder.
    pub server: SocketAddr,
    /// Whether the capture began after its startup.
    pub midstream: bool,
    /// Time of its first packet.
    pub time: Timestamp,
    /// Number of its first packet.
    pub frame: u64,
    /// Tunnels around it.
    pub tunnels: Vec<String>,
    /// The URI or fingerprint asked for, as far as it is known.
    pub target: Option<Target>,
}

/// Whom an initiator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A URI, whose path may hold secrets.
    Uri(String),
    /// A peer id.
    Peer([u8; 32]),
    /// A host name.
    Hostname(String),
}

/// A message of a flow that carries RTMP: type, timestamp and payload (RFC 7425 section 5.1.2).
#[derive(Clone, Debug, PartialEq)]
pub struct FlowMessage {
    /// Who sent it.
    pub direction: Direction,
    /// The flow's id, of that direction.
    pub flow: u64,
    /// Message stream, as the flow's metadata says; `None` when that was not captured.
    pub stream_id: Option<u32>,
    /// Message type.
    pub type_id: u8,
    /// Timestamp in milliseconds.
    pub timestamp: u32,
    /// The payload behind type and timestamp.
    pub payload: Bytes,
    /// When its last fragment was captured.
    pub time: Timestamp,
    /// When its first fragment was captured.
    pub first_time: Timestamp,
    /// How many fragments it came in.
    pub fragments: u32,
    /// Sequence number of its first fragment.
    pub sequence: u64,
    /// Packets it came in, ascending.
    pub frames: Vec<u64>,
    /// How many bytes of messages the direction had before it: type and timestamp count.
    pub offset: u64,
    /// Whether the session's startup was captured.
    pub exact: bool,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Close request and acknowledgement; who asked.
    Closed(Direction),
    /// An acknowledgement that nobody asked for, which closes at once; who sent it.
    Aborted(Direction),
    /// Silent for longer than any session lives.
    Timeout,
    /// Too many sessions; this was silent for longest.
    Evicted,
    /// The capture ended first.
    EndOfCapture,
}

/// Datagrams of a direction of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Of these, bytes of datagrams that could not be decrypted.
    pub opaque_bytes: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum RtmfpEvent {
    /// A session is first seen.
    Opened(SessionId, Opening),
    /// A fact about it, and its packet.
    Fact(SessionId, Fact, u64),
    /// A message.
    Message(SessionId, Box<FlowMessage>),
    /// It is over.
    Ended(SessionId, Ending, Timestamp, [Traffic; 2]),
}
