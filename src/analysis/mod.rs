//! The passive pipeline: packets in, records out.

mod above;
pub mod compare;
pub mod detail;
mod facts;
pub mod figures;
pub mod filter;
pub mod flowctl;
mod flows;
pub mod index;
pub mod ladder;
pub mod lanes;
mod live;
mod note;
mod pipeline;
mod probe;
mod probing;
mod record;
mod rtmfp;
mod sources;
mod tap;
mod through;
mod tunnels;

pub use crate::transport::{Fact, FactValue, Keys};
pub use pipeline::{Options, Pipeline};
pub use record::{
    AnomalyRecord, Begin, End, GapRecord, HandshakeRecord, MessageRecord, OtherFlows, Record,
    SessionEnd, SessionFacts, SessionRecord, TcpRecord, Transport, TransportRecord,
};
