//! The engine: bytes of a connection to events.
//!
//! [`Session`] is the door. It never sees a packet, a socket or a clock: it is fed bytes and gaps
//! of both directions with the time they were captured, and gives back [`Event`]s.

mod chunk_size;
mod chunk_stream;
mod chunks;
mod encoder;
mod event;
mod handshake;
mod in_progress;
mod limits;
mod plausible;
mod predict;
mod search;
mod session;
mod stash;
mod transactions;
mod unchunked;

pub use encoder::{
    ChunkEncoder, CsidForm, EncodeError, ExtendedTimestampHabit, MessageChunks, Outgoing,
    WrittenChunk,
};
pub use event::{Anomaly, AnomalyKind, Confidence, Event, Handshake, Hole, Message, Reply, Scheme};
pub use limits::Limits;
pub use search::looks_like_chunks;
pub use session::{Options, Session};
pub use unchunked::Unchunked;

#[cfg(test)]
mod tests;
