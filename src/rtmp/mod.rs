//! The engine: bytes of a connection to events.

mod encoder;
mod event;

pub use encoder::{
    ChunkEncoder, CsidForm, EncodeError, ExtendedTimestampHabit, MessageChunks, Outgoing,
    WrittenChunk,
};
pub use event::{Anomaly, AnomalyKind, Confidence, Event, Handshake, Hole, Message, Reply, Scheme};
