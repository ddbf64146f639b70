//! The TCP header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use super::Bounded;
use super::ip::Addresses;

/// Bits of the TCP header's flags, RFC 9293 section 3.1.
pub(crate) mod flags {
    pub(crate) const FIN: u8 = 0x01;
    pub(crate) const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const ACK: u8 = 0x10;
}

/// A TCP segment as captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpPacket<'a> {
    /// Addresses, IPv4 ones mapped into IPv6.
    pub(crate) addresses: Addresses,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    /// See [`flags`].
    pub(crate) flags: u8,
    /// As on the wire, not scaled.
    pub(crate) window: u16,
    /// Of a SYN: its window scale option (RFC 7323 section 2), if it has one.
    pub(crate) window_scale: Option<u8>,
    /// The captured payload.
    pub(crate) payload: &'a [u8],
    /// Payload bytes that a snap length cut from the end.
    pub(crate) cut: u32,
}

impl TcpPacket<'_> {
    /// Whether all of `flags` are set.
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}

fn window_scale(options: &[u8]) -> Option<u8> {
    TcpOptionsIterator::from_slice(options).find_map(|option| match option {
        Ok(TcpOptionElement::WindowScale(shift)) => Some(shift),
        _ => None,
    })
}

/// Back from the mapped form.
pub(crate) fn ip_addr(addr: u128) -> IpAddr {
    match Ipv6Addr::from_bits(addr) {
        _ if addr >> 32 == 0xffff => IpAddr::V4(Ipv4Addr::from_bits(addr as u32)),
        v6 => IpAddr::V6(v6),
    }
}

/// Decodes a TCP segment; a header whose options were cut off still counts, with its payload cut.
#[inline]
pub(super) fn decode_tcp(
    addresses: Addresses,
    layer: Bounded<'_>,
) -> Result<TcpPacket<'_>, &'static str> {
    let Some(header) = layer.data.first_chunk::<20>() else {
        return Err("TCP header cut");
    };
    let header_len = usize::from(header[12] >> 4) * 4;
    let wire_len = layer.data.len() + layer.missing;
    if header_len < 20 || header_len > wire_len {
        return Err("TCP data offset outside of the segment");
    }
    let payload = layer.data.get(header_len..).unwrap_or(&[]);
    let cut = wire_len - header_len - payload.len();
    let u16_at = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let u32_at = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    Ok(TcpPacket {
        addresses,
        source_port: u16_at(0),
        destination_port: u16_at(2),
        sequence: u32_at(4),
        acknowledgement: u32_at(8),
        flags: header[13],
        window: u16_at(14),
        window_scale: match header[13] & flags::SYN {
            0 => None,
            _ => window_scale(layer.data.get(20..header_len).unwrap_or(&[])),
        },
        payload,
        cut: cut.try_into().unwrap_or(u32::MAX),
    })
}
