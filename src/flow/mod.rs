//! Packets to streams: link layers, IP, TCP reassembly.

mod connection;
mod event;
mod frames;
mod half;
mod layer;
mod limits;
mod lru;
mod reassembly;
mod segments;
mod table;
#[cfg(test)]
mod tests;
mod udp;
mod watch;

pub use event::{
    DirectionStats, EndReason, FlowAnomaly, FlowId, FlowInfo, FlowSink, Gap, RoleSource,
    StreamData, TcpEvent, TcpEventKind,
};
pub use frames::FrameSpan;
pub use limits::FlowLimits;
pub use segments::{SegmentReader, TcpSegment};
pub use table::{FlowTable, Outcome};
pub use udp::{Datagram, Unreachable};
