//! The passive pipeline: packets in, records out.

pub mod detail;
mod facts;
mod flows;
pub mod index;
mod note;
mod pipeline;
mod probe;
mod record;

pub use pipeline::{Options, Pipeline};
pub use record::{
    AnomalyRecord, Begin, End, GapRecord, HandshakeRecord, MessageRecord, Record, SessionEnd,
    SessionFacts, SessionRecord, TcpRecord, Transport,
};
