//! What happened on a connection: facts, no judgements.

use std::borrow::Cow;

use bytes::Bytes;

use crate::base::{Direction, Extents, Stop, Timestamp};
use crate::wire::amf::Text;
use crate::wire::message::{Body, MessageType};

/// Something that happened in one direction of a session.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A side's handshake is as complete as it gets.
    Handshake(Handshake),
    /// A message ended: complete, cut short or damaged.
    Message(Box<Message>),
    /// Something odd.
    Anomaly(Anomaly),
}

/// How sure the decoder is that a message is what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Every byte from the handshake on leads here.
    Exact,
    /// Capture began in mid-stream: the position was found by a chain of plausible headers.
    Inferred,
    /// The position was found again after a gap.
    Resynced,
}

impl Confidence {
    /// `exact`, `inferred` or `resynced`.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Exact => "exact",
            Confidence::Inferred => "inferred",
            Confidence::Resynced => "resynced",
        }
    }
}

/// Missing bytes of a payload: `len` bytes from payload offset `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Offset in the payload.
    pub at: u32,
    /// Bytes.
    pub len: u32,
}

/// One message of the chunk stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who sent it.
    pub direction: Direction,
    /// When its last byte was captured.
    pub time: Timestamp,
    /// When its first byte was captured.
    pub first_time: Timestamp,
    /// Chunk stream id.
    pub csid: u32,
    /// Header format (0 to 3) of its first chunk.
    pub fmt: u8,
    /// Number of chunks.
    pub chunks: u32,
    /// Message type id.
    pub type_id: MessageType,
    /// Timestamp in milliseconds, modulo 2^32, deltas added up.
    pub timestamp: u32,
    /// False when deltas were lost or never seen: `timestamp` is then relative.
    pub timestamp_exact: bool,
    /// Whether an extended timestamp field was used.
    pub extended_timestamp: bool,
    /// Message stream id; `None` when a mid-stream capture never showed it.
    pub stream_id: Option<u32>,
    /// Announced payload length in bytes.
    pub length: u32,
    /// Payload bytes that were seen.
    pub received: u32,
    /// Whether all of the payload was seen.
    pub complete: bool,
    /// Parts of the payload that are missing in between.
    pub holes: Vec<Hole>,
    /// How sure the decoder is.
    pub confidence: Confidence,
    /// The payload from its beginning up to its first hole: all of it, or the first bytes of coded
    /// media (see [`super::Limits`]).
    pub payload: Bytes,
    /// The payload decoded as far as it goes.
    pub body: Body,
    /// Where and why decoding the payload stopped early.
    pub stop: Option<Stop>,
    /// For replies: what they answer.
    pub reply: Option<Reply>,
    /// Stream offset of the first byte of the first chunk's header.
    pub offset: u64,
    /// Chunk headers in the stream, extended timestamps included.
    pub headers: Extents,
    /// Payload pieces in the stream.
    pub pieces: Extents,
}

/// What a reply answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Transaction id of the request.
    pub transaction_id: f64,
    /// Command name of the request.
    pub command: Text,
    /// Seconds from the last byte of the request to the last byte of the reply.
    pub response_time: f64,
}

/// How a handshake was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Version field zero or no digest found: random bytes and echoes.
    Simple,
    /// Digest in the first block (from byte 8).
    DigestFirst,
    /// Key in the first block, digest in the second.
    KeyFirst,
}

impl Scheme {
    /// `simple`, `digest-first` or `key-first`.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Simple => "simple",
            Scheme::DigestFirst => "digest-first",
            Scheme::KeyFirst => "key-first",
        }
    }
}

/// One side's handshake: C0 C1 C2 or S0 S1 S2.
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// Who sent it.
    pub direction: Direction,
    /// When its last byte was captured.
    pub time: Timestamp,
    /// When its first byte was captured.
    pub first_time: Timestamp,
    /// C0/S0: 3 for RTMP, 6, 8 and 9 for RTMPE.
    pub version: u8,
    /// First word of C1/S1: the sender's epoch in milliseconds.
    pub epoch: Option<u32>,
    /// Bytes 4 to 7 of C1/S1: zero, or the software's version in the digest handshake.
    pub software: Option<[u8; 4]>,
    /// How it was done.
    pub scheme: Scheme,
    /// Whether C2/S2 holds up: a signature of the peer's digest, or an echo of the peer's C1/S1.
    /// `None` when it cannot be told (one-sided capture, gap).
    pub valid: Option<bool>,
    /// Whether C2/S2 is an echo of the peer's packet.
    pub echo: Option<bool>,
    /// Whether C2/S2 ends in a valid signature.
    pub signature: Option<bool>,
    /// Whether C1/S1 repeats the random bytes of the peer's packet. `None` when it cannot be told.
    pub copy: Option<bool>,
    /// The first bytes of C2/S2, 32 at most, as far as they came without a gap.
    pub answer: Vec<u8>,
    /// Whether all 3073 bytes were seen.
    pub complete: bool,
    /// Stream offset just past the handshake bytes that were seen.
    pub end_offset: u64,
}

/// Something odd, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// Direction it happened in.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// Stream offset it is about.
    pub offset: u64,
    /// Chunk stream it is about.
    pub csid: Option<u32>,
    /// The particulars, in words; never holds payload text.
    pub detail: Cow<'static, str>,
}

/// Kinds of anomalies: a variant per distinct fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// C2/S2 is neither an echo of the peer's C1/S1 nor signed.
    HandshakeMismatch,
    /// C0/S0 announces a version that no document defines.
    HandshakeVersion,
    /// A type 2 or 3 header on a chunk stream that has no earlier header to inherit from.
    NoPreviousHeader,
    /// A type 1 header opens a chunk stream: the message stream id is unknown (rtmpsrv, librtmp).
    Type1OpensChunkStream,
    /// A type 3 header begins a message right after a type 0 one: the specification says that the
    /// delta is that type 0 timestamp, nginx-rtmp and librtmp mean 0.
    Type3AfterType0,
    /// A type 0, 1 or 2 header before the previous message on the chunk stream was complete.
    MessageInterrupted,
    /// Type 3 chunks repeat no extended timestamp although the message has one (librtmp before
    /// 2024, old rtmpdump).
    ExtendedTimestampOmitted,
    /// Type 3 chunks carry an extended timestamp that differs from the message's (gortmplib).
    ExtendedTimestampDiffers,
    /// Set Chunk Size of 0 or with the top bit set.
    InvalidChunkSize,
    /// Abort Message for a chunk stream without a message in progress.
    AbortOfNothing,
    /// A message dropped by Abort Message.
    MessageAborted,
    /// The next chunk header could not be found where it had to be.
    LostSync,
    /// Decoding goes on at a chain of plausible headers.
    Resynced,
    /// Found the chunk size by trying.
    ChunkSizeInferred,
    /// Messages in progress hold more than the limit: payload is no longer kept.
    PendingLimit,
    /// Protocol control or user control message off chunk stream 2 or message stream 0.
    ControlStream,
    /// The payload could not be decoded to its end.
    BadBody,
    /// More requests without a reply than are remembered.
    PendingRequests,
}

impl AnomalyKind {
    /// Stable kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::HandshakeMismatch => "handshake-mismatch",
            AnomalyKind::HandshakeVersion => "handshake-version",
            AnomalyKind::NoPreviousHeader => "no-previous-header",
            AnomalyKind::Type1OpensChunkStream => "type1-opens-chunk-stream",
            AnomalyKind::Type3AfterType0 => "type3-after-type0",
            AnomalyKind::MessageInterrupted => "message-interrupted",
            AnomalyKind::ExtendedTimestampOmitted => "extended-timestamp-omitted",
            AnomalyKind::ExtendedTimestampDiffers => "extended-timestamp-differs",
            AnomalyKind::InvalidChunkSize => "invalid-chunk-size",
            AnomalyKind::AbortOfNothing => "abort-of-nothing",
            AnomalyKind::MessageAborted => "message-aborted",
            AnomalyKind::LostSync => "lost-sync",
            AnomalyKind::Resynced => "resynced",
            AnomalyKind::ChunkSizeInferred => "chunk-size-inferred",
            AnomalyKind::PendingLimit => "pending-limit",
            AnomalyKind::ControlStream => "control-stream",
            AnomalyKind::BadBody => "bad-body",
            AnomalyKind::PendingRequests => "pending-requests",
        }
    }
}
