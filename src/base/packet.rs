//! One captured record, and when and on what it was captured.

use std::fmt;

use bytes::Bytes;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
///
/// Signed, so that damaged captures with times before 1970 stay ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Seconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        self.nanos_since(earlier) as f64 / 1e9
    }

    /// Nanoseconds from `earlier` to `self`, saturating.
    pub fn nanos_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A link type as captures number them (`LINKTYPE_*`); unknown numbers stay values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the byte order of the capturing host.
    pub const NULL: LinkType = LinkType(0);
    /// Ethernet.
    pub const ETHERNET: LinkType = LinkType(1);
    /// PPP, RFC 1662 without the HDLC framing or with `ff 03`.
    pub const PPP: LinkType = LinkType(9);
    /// Raw IP as some BSDs number it.
    pub const RAW_BSD_12: LinkType = LinkType(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_BSD_14: LinkType = LinkType(14);
    /// Raw IP, version told by the first nibble.
    pub const RAW: LinkType = LinkType(101);
    /// OpenBSD loopback: a 4-byte address family, big-endian.
    pub const LOOP: LinkType = LinkType(108);
    /// Linux "cooked" capture, version 1 (16-byte header).
    pub const LINUX_SLL: LinkType = LinkType(113);
    /// Raw IPv4.
    pub const IPV4: LinkType = LinkType(228);
    /// Raw IPv6.
    pub const IPV6: LinkType = LinkType(229);
    /// Linux "cooked" capture, version 2 (20-byte header); what `tcpdump -i any` writes today.
    pub const LINUX_SLL2: LinkType = LinkType(276);
}

/// One captured record.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Number of the record, from 1, over all inputs in the order they are handed on; Wireshark's
    /// frame number when there is one input.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// How `data` begins.
    pub link: LinkType,
    /// The captured bytes, possibly fewer than were on the wire.
    pub data: Bytes,
    /// Length on the wire, in bytes; greater than `data.len()` when a snap length cut the packet.
    pub original_len: u32,
}

/// Which way bytes travel. The client is the one that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the connecting peer.
    ClientToServer,
    /// From the accepting peer.
    ServerToClient,
}

impl Direction {
    /// Both, client first.
    pub const BOTH: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];

    /// The other way.
    pub fn reverse(self) -> Direction {
        match self {
            Direction::ClientToServer => Direction::ServerToClient,
            Direction::ServerToClient => Direction::ClientToServer,
        }
    }

    /// 0 for client to server, 1 for server to client: an index into per-direction arrays.
    pub fn index(self) -> usize {
        self as usize
    }

    /// `client_to_server` or `server_to_client`, as JSON output spells it.
    pub fn name(self) -> &'static str {
        match self {
            Direction::ClientToServer => "client_to_server",
            Direction::ServerToClient => "server_to_client",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// The peer acknowledged them: they were on the wire, the capture missed them.
    Capture,
    /// Never acknowledged: lost on the way.
    Network,
}

impl GapKind {
    /// `capture-loss` or `network-loss`.
    pub fn name(self) -> &'static str {
        match self {
            GapKind::Capture => "capture-loss",
            GapKind::Network => "network-loss",
        }
    }
}
