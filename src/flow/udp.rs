//! Datagrams of UDP, handed on as they come, and ICMP's word that one was refused.

use std::net::SocketAddr;

use super::layer::{Tunnel, UdpPacket, ip_addr};
use crate::base::{Packet, Timestamp};

/// A datagram of UDP that carries no tunnel.
#[derive(Clone, Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom to.
    pub destination: SocketAddr,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes that a snap length cut from the end.
    pub cut: u32,
    /// When it was captured.
    pub time: Timestamp,
    /// Number of its (last) packet.
    pub frame: u64,
    /// Tunnels around it, outermost first.
    pub tunnels: Vec<String>,
}

/// A datagram that did not reach anyone, as an ICMP message tells (RFC 792, RFC 4443 section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Who sent the datagram.
    pub source: SocketAddr,
    /// Whom it was for.
    pub destination: SocketAddr,
    /// ICMP's code.
    pub code: u8,
    /// When the message was captured.
    pub time: Timestamp,
    /// Number of its packet.
    pub frame: u64,
}

fn sockets(udp: &UdpPacket<'_>) -> (SocketAddr, SocketAddr) {
    (
        SocketAddr::new(ip_addr(udp.addresses.source), udp.source_port),
        SocketAddr::new(ip_addr(udp.addresses.destination), udp.destination_port),
    )
}

/// What the layers found, as it is handed on.
pub(super) fn datagram<'a>(
    udp: &UdpPacket<'a>,
    tunnels: &[Tunnel],
    packet: &Packet,
) -> Datagram<'a> {
    let (source, destination) = sockets(udp);
    Datagram {
        source,
        destination,
        payload: udp.payload,
        cut: udp.cut,
        time: packet.time,
        frame: packet.frame,
        tunnels: tunnels.iter().map(Tunnel::to_string).collect(),
    }
}

/// The same of a refusal.
pub(super) fn unreachable(udp: &UdpPacket<'_>, code: u8, packet: &Packet) -> Unreachable {
    let (source, destination) = sockets(udp);
    Unreachable { source, destination, code, time: packet.time, frame: packet.frame }
}
