//! The passive pipeline: packets in, records out.

mod record;

pub use record::{
    AnomalyRecord, Begin, End, GapRecord, HandshakeRecord, MessageRecord, Record, SessionEnd,
    SessionFacts, SessionRecord, Transport,
};
