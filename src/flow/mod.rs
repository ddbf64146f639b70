//! Packets to streams: link layers, IP, TCP reassembly.

mod event;

pub use event::{
    DirectionStats, EndReason, FlowAnomaly, FlowId, FlowInfo, FlowSink, Gap, RoleSource, StreamData,
};
