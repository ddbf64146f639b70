//! What reassembly hands on.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::udp::{Datagram, Unreachable};
use crate::base::{Direction, GapKind, Timestamp};

/// A TCP connection of the capture; unique within one [`super::FlowTable`], never reused, counted
/// up from 0. A reused 4-tuple is a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u32);

/// How it was decided who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleSource {
    /// Its SYN, or the SYN-ACK, was captured.
    Syn,
    /// Well-known or lower port is the server.
    Port,
    /// Who began the session, as the transport's startup says.
    Startup,
}

/// A new flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowInfo {
    /// The connecting peer.
    pub client: SocketAddr,
    /// The accepting peer.
    pub server: SocketAddr,
    /// How the roles were decided.
    pub role: RoleSource,
    /// Time of the first packet.
    pub time: Timestamp,
    /// Number of the first packet.
    pub frame: u64,
    /// Tunnels around the connection, outermost first, such as `vlan 5`, `gtp-u 0x1`, `vxlan 7`.
    pub tunnels: Vec<String>,
}

/// Bytes of one direction, in order.
#[derive(Clone, Copy, Debug)]
pub struct StreamData<'a> {
    /// Stream offset of the first byte; the byte after the SYN is 0. When the SYN was not
    /// captured, the first captured byte is 0.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// When the packet that holds them was captured.
    pub time: Timestamp,
    /// Number of that packet.
    pub frame: u64,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Both sides sent FIN; the direction names who was first.
    Fin(Direction),
    /// A RST, and who sent it.
    Reset(Direction),
    /// Idle for longer than the limit.
    Timeout,
    /// The 4-tuple was used again by a new connection.
    Reused,
    /// The flow table was full and this was the longest idle flow.
    Evicted,
    /// The capture ended first. Holds who had sent FIN by then, if anyone.
    EndOfCapture(Option<Direction>),
}

/// Something odd in TCP; kinds are kebab-case names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowAnomaly {
    /// Stable kebab-case kind: `conflicting-overlap`, `segment-out-of-window`,
    /// `reassembly-limit`, `late-segment` (after its hole was given up), `data-after-fin`,
    /// `implausible-reset`.
    pub kind: &'static str,
    /// Direction it happened in.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// Packet.
    pub frame: u64,
    /// Stream offset it is about.
    pub offset: u64,
    /// The particulars, in words.
    pub detail: Cow<'static, str>,
    /// For a conflicting overlap: the bytes seen first and the later ones (first 16 of each).
    pub versions: Option<(Vec<u8>, Vec<u8>)>,
}

/// Something that TCP did, for a graph over time or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpEvent {
    /// Who sent the packet; of a [`TcpEventKind::Sample`], whose bytes it is about.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// Packet.
    pub frame: u64,
    /// What.
    pub kind: TcpEventKind,
}

/// What TCP did. Offsets are stream offsets of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TcpEventKind {
    /// Bytes that were (partly or wholly) sent before; a SYN has none.
    Retransmission {
        /// Stream offset of the first byte.
        offset: u64,
        /// Payload bytes of the segment.
        len: u64,
    },
    /// A segment that came after later bytes, into the hole before them.
    OutOfOrder {
        /// Stream offset of the first byte.
        offset: u64,
        /// Payload bytes of the segment.
        len: u64,
    },
    /// The receive window is closed from now on.
    ZeroWindow,
    /// It is open again.
    WindowOpen {
        /// Nanoseconds that it was closed.
        after_ns: i64,
    },
    /// A keep-alive probe.
    KeepAlive,
    /// The third acknowledgement in a row that repeats an earlier one while bytes are in flight: a
    /// segment is missing there.
    DuplicateAck {
        /// Stream offset, in the other direction, of the byte that is asked for.
        offset: u64,
    },
    /// The first FIN.
    Fin,
    /// A believable RST.
    Reset,
    /// How the direction stands: at most one per 100 ms, and only when something changed.
    Sample {
        /// Bytes sent and not acknowledged: the most of the interval.
        in_flight: u64,
        /// The peer's receive window, scaled: the smallest of the interval. `None` when the scale
        /// is not known, as the capture begins after the SYN.
        window: Option<u64>,
        /// Round trip from a segment to its acknowledgement, in nanoseconds.
        rtt_ns: Option<i64>,
    },
}

impl TcpEventKind {
    /// A stable kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            TcpEventKind::Retransmission { .. } => "retransmission",
            TcpEventKind::OutOfOrder { .. } => "out-of-order",
            TcpEventKind::ZeroWindow => "zero-window",
            TcpEventKind::WindowOpen { .. } => "window-open",
            TcpEventKind::KeepAlive => "keep-alive",
            TcpEventKind::DuplicateAck { .. } => "duplicate-ack",
            TcpEventKind::Fin => "fin",
            TcpEventKind::Reset => "reset",
            TcpEventKind::Sample { .. } => "sample",
        }
    }
}

/// Counters of one direction of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectionStats {
    /// TCP segments, with or without payload.
    pub packets: u64,
    /// Payload bytes handed on, each counted once.
    pub bytes: u64,
    /// Segments whose payload was (partly or wholly) seen before.
    pub retransmissions: u64,
    /// Segments that came late, into a hole that later bytes had opened before. (At the receiving
    /// side that is also how the retransmission of a lost segment looks.)
    pub out_of_order: u64,
    /// Keep-alive probes.
    pub keep_alives: u64,
    /// Spans during which this side advertised a zero window.
    pub zero_window_spans: u64,
    /// Total time in zero window, in nanoseconds.
    pub zero_window_ns: i64,
    /// Round-trip times of this side's segments to their acknowledgement, in nanoseconds: minimum.
    pub rtt_min_ns: Option<i64>,
    /// Mean round-trip time in nanoseconds.
    pub rtt_mean_ns: Option<i64>,
    /// Maximum round-trip time in nanoseconds.
    pub rtt_max_ns: Option<i64>,
    /// Most bytes this side had sent and not seen acknowledged.
    pub max_in_flight: u64,
    /// Bytes missing although the peer acknowledged them.
    pub capture_lost_bytes: u64,
    /// Bytes missing and never acknowledged.
    pub network_lost_bytes: u64,
    /// Overlaps whose bytes differ.
    pub conflicts: u64,
    /// When this side first sent FIN.
    pub fin_time: Option<Timestamp>,
}

/// Takes what reassembly hands on.
pub trait FlowSink {
    /// A new flow.
    fn opened(&mut self, flow: FlowId, info: &FlowInfo);
    /// The next bytes of a direction.
    fn data(&mut self, flow: FlowId, direction: Direction, data: StreamData<'_>);
    /// A hole in a direction: `len` bytes from stream offset `offset` will not come.
    fn gap(&mut self, flow: FlowId, gap: Gap);
    /// Something odd.
    fn anomaly(&mut self, flow: FlowId, anomaly: FlowAnomaly);
    /// One side has sent FIN and everything before it was handed on.
    fn fin(&mut self, flow: FlowId, direction: Direction, time: Timestamp);
    /// Something that TCP did; only when the table was told to
    /// [watch](super::FlowTable::watch).
    fn tcp(&mut self, _flow: FlowId, _event: TcpEvent) {}
    /// A datagram of UDP.
    fn datagram(&mut self, _datagram: &Datagram<'_>) {}
    /// Some datagram of UDP did not reach anyone.
    fn unreachable(&mut self, _unreachable: &Unreachable) {}
    /// The flow is over; nothing follows for it. Statistics are final.
    fn ended(
        &mut self,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        stats: &[DirectionStats; 2],
    );
}

/// Bytes that are missing from a direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Direction that lacks them.
    pub direction: Direction,
    /// When it was decided that they will not come.
    pub time: Timestamp,
    /// Packet at which it was decided.
    pub frame: u64,
    /// Stream offset of the first missing byte.
    pub offset: u64,
    /// Number of missing bytes.
    pub len: u64,
    /// Why they are missing.
    pub kind: GapKind,
}
