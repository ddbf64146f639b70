//! Single packets to TCP segments, without following their connections: to read again what
//! [`super::FlowTable`] handed on before.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::base::{LinkType, Packet};

use super::layer::{Bottom, Defragmenter, TcpPacket, Tunnel, descend, fast_path, flags, ip_addr};

/// A TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSegment {
    /// Who sent it.
    pub source: SocketAddr,
    /// Whom to.
    pub destination: SocketAddr,
    /// Sequence number of the first payload byte; a SYN counts as one before it.
    pub sequence: u32,
    /// Acknowledgement number; `None` without the ACK flag.
    pub acknowledgement: Option<u32>,
    /// The flags byte of the TCP header, RFC 9293 section 3.1.
    pub flags: u8,
    /// Receive window as on the wire, not scaled.
    pub window: u16,
    /// The captured payload.
    pub payload: Bytes,
    /// Where the payload begins in the packet's data; `None` when there is no payload, or when it
    /// came in several IP fragments.
    pub position: Option<usize>,
}

impl TcpSegment {
    /// Whether it is a RST, whose payload is no part of the stream.
    pub fn is_reset(&self) -> bool {
        self.flags & flags::RST != 0
    }
}

/// Finds the TCP segments of packets, through the same link layers, tunnels and IP fragments as
/// [`super::FlowTable`].
#[derive(Debug, Default)]
pub struct SegmentReader {
    defragmenter: Defragmenter,
    tunnels: Vec<Tunnel>,
}

impl SegmentReader {
    /// Without any fragments yet.
    pub fn new() -> SegmentReader {
        SegmentReader::default()
    }

    /// The segment in a packet, or in the datagram that the packet completes.
    pub fn read(&mut self, packet: &Packet) -> Option<TcpSegment> {
        if packet.link == LinkType::ETHERNET
            && let Some(tcp) = fast_path(&packet.data)
        {
            return Some(segment(&tcp, &packet.data, packet));
        }
        let mut out = None;
        descend(packet, &mut self.defragmenter, &mut self.tunnels, |bottom, buffer, _| {
            if let Bottom::Tcp(tcp) = bottom {
                out = Some(segment(&tcp, buffer, packet));
            }
        });
        out
    }
}

fn segment(tcp: &TcpPacket<'_>, buffer: &Bytes, packet: &Packet) -> TcpSegment {
    let (mut payload, mut position) = (Bytes::new(), None);
    if !tcp.payload.is_empty() {
        let at = tcp.payload.as_ptr() as usize - buffer.as_ptr() as usize;
        payload = buffer.slice(at..at + tcp.payload.len());
        position = (buffer.as_ptr() == packet.data.as_ptr()).then_some(at);
    }
    TcpSegment {
        source: SocketAddr::new(ip_addr(tcp.addresses.source), tcp.source_port),
        destination: SocketAddr::new(ip_addr(tcp.addresses.destination), tcp.destination_port),
        sequence: tcp.sequence.wrapping_add(u32::from(tcp.has(flags::SYN))),
        acknowledgement: tcp.has(flags::ACK).then_some(tcp.acknowledgement),
        flags: tcp.flags,
        window: tcp.window,
        payload,
        position,
    }
}
