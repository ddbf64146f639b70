//! What is carried down through the layers, and what lies at the bottom.

use super::{Fragment, TcpPacket, Tunnel, UdpPacket};

/// Headers of tunnels and VLANs that may lie within each other before a packet is given up: a
/// hostile packet can nest a header per few bytes.
pub(in crate::flow) const MAX_DEPTH: u8 = 16;

/// What lies at the bottom of a record.
#[derive(Debug)]
pub(in crate::flow) enum Decoded<'a> {
    /// A TCP segment.
    Tcp(TcpPacket<'a>),
    /// A piece of an IP datagram.
    Fragment(Fragment<'a>),
    /// A datagram of UDP that carries no tunnel.
    Udp(UdpPacket<'a>),
    /// An ICMP message that says that a datagram of UDP did not reach anyone, and its code.
    Unreachable(UdpPacket<'a>, u8),
    /// Something else that is well-formed as far as it was read.
    NotTcp,
    /// Headers that end early or contradict themselves.
    Undecodable(&'static str),
}

/// What is carried along on the way down.
pub(in crate::flow) struct Descent<'t> {
    /// Headers passed so far; see [`MAX_DEPTH`].
    pub depth: u8,
    /// Tunnels entered, outermost first.
    pub tunnels: &'t mut Vec<Tunnel>,
}

impl Descent<'_> {
    /// Counts a header; false when there were too many.
    pub(super) fn deeper(&mut self) -> bool {
        self.depth += 1;
        self.depth <= MAX_DEPTH
    }

    /// Enters a tunnel.
    pub(super) fn enter(&mut self, tunnel: Tunnel) {
        self.tunnels.push(tunnel);
    }
}

/// Bytes of a layer, and how many more of them were on the wire behind their end.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow) struct Bounded<'a> {
    /// The captured bytes.
    pub data: &'a [u8],
    /// Bytes that a snap length cut from the end. Zero when the layer ends within the capture.
    pub missing: usize,
}

impl<'a> Bounded<'a> {
    /// Without the first `n` bytes; `None` when fewer were captured.
    pub(super) fn skip(self, n: usize) -> Option<Bounded<'a>> {
        Some(Bounded { data: self.data.get(n..)?, missing: self.missing })
    }

    /// Ends the layer after `len` bytes, as its length field says. A length beyond what was on the
    /// wire is a lie (or a field that offloading left unset) and changes nothing.
    pub(super) fn limit(self, len: usize) -> Bounded<'a> {
        match len.checked_sub(self.data.len()) {
            Some(cut) => Bounded { data: self.data, missing: cut.min(self.missing) },
            None => Bounded { data: &self.data[..len], missing: 0 },
        }
    }

    /// The big-endian 16-bit number at `at`.
    pub(super) fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
    }

    /// The big-endian 32-bit number at `at`.
    pub(super) fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }
}
