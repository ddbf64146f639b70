//! What a flow table may hold and how long it waits.

/// Limits of a [`super::FlowTable`], each with its reason. Hitting one is an anomaly and the run
/// goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLimits {
    /// Connections followed at a time. Beyond it the longest idle one ends as
    /// [`super::EndReason::Evicted`]. An idle flow costs about a kilobyte.
    pub max_flows: usize,
    /// Nanoseconds of capture time without a packet after which a flow is over. Players of a
    /// stream that nobody publishes stay connected in silence, hence long.
    pub idle_timeout_ns: i64,
    /// Bytes that one direction may hold behind holes. Twice Linux's default largest receive
    /// window (`tcp_rmem`, 6 MiB), so that an honest sender cannot reach it.
    pub max_buffered: usize,
    /// Bytes that all flows together may hold behind holes.
    pub max_buffered_total: usize,
    /// Packets whose bytes stay comparable with later retransmissions of them.
    pub recent_packets: usize,
    /// Captured bytes after which a packet no longer stays comparable. It also bounds how much
    /// memory of the capture's reader is kept alive.
    pub recent_bytes: u64,
    /// Packets remembered per direction as the holders of delivered bytes, for
    /// [`super::FlowTable::frames`]. The largest RTMP message, 16 MiB, in segments of 536 bytes
    /// needs half of the default.
    pub max_frames: usize,
    /// The same over all flows.
    pub max_frames_total: usize,
}

impl Default for FlowLimits {
    fn default() -> FlowLimits {
        FlowLimits {
            max_flows: 16_384,
            idle_timeout_ns: 3_600_000_000_000,
            max_buffered: 12 << 20,
            max_buffered_total: 64 << 20,
            recent_packets: 4096,
            recent_bytes: 4 << 20,
            max_frames: 1 << 16,
            max_frames_total: 1 << 20,
        }
    }
}

/// Capture points reorder packets, so that an acknowledgement may be recorded before the data it
/// covers: an acknowledged hole is given up only after this many further packets of the flow ...
pub(super) const SLACK_PACKETS: u64 = 32;

/// ... or this much capture time.
pub(super) const SLACK_NS: i64 = 1_000_000_000;

/// How far ahead of everything known a segment may lie and still be believed at once: larger
/// windows are not seen in practice. Also how far back a retransmission may reach.
pub(super) const FAR: u64 = 16 << 20;

/// When none of the peer's packets is captured, a sender that went on for this much capture time
/// after a hole must have had it acknowledged: it would have sent it again by then.
pub(super) const ONE_SIDED_NS: i64 = 3_000_000_000;

/// The same in bytes sent behind the hole: more than most receive windows allow.
pub(super) const ONE_SIDED_BYTES: u64 = 4 << 20;

/// Bytes that one direction holds back at most at the start of a capture that begins within a
/// connection, until it is decided which byte is the first.
pub(super) const MAX_EARLY: usize = 256 << 10;

/// How far before the first captured segment a reordered one may begin, in bytes.
pub(super) const EARLY_REACH: u32 = 1 << 20;

/// What a held segment costs beside its bytes.
pub(super) const HELD_OVERHEAD: usize = 128;
