//! Encapsulations that RTMP has been found in: GRE (with ERSPAN), VXLAN, GTP-U, MPLS, PPP.

use std::fmt;

use super::ethernet::{decode_ether_type, decode_ethernet};
use super::ip::Addresses;
use super::ip::decode_ip;
use super::udp::UdpPacket;
use super::{Bounded, Decoded, Descent};

/// A header around the connection, for the reader's information only: it is no part of the flow's
/// identity, because real captures tag one direction and not the other, and a GTP TEID always
/// differs per direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// 802.1Q or 802.1ad tag with its VLAN identifier.
    Vlan(u16),
    /// MPLS label.
    Mpls(u32),
    /// PPPoE session identifier.
    Pppoe(u16),
    /// GRE, with its key.
    Gre(Option<u32>),
    /// ERSPAN: a switch's mirror port.
    Erspan,
    /// VXLAN network identifier.
    Vxlan(u32),
    /// GTP-U tunnel endpoint identifier.
    GtpU(u32),
    /// IP within IP.
    IpIp,
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tunnel::Vlan(id) => write!(f, "vlan {id}"),
            Tunnel::Mpls(label) => write!(f, "mpls {label}"),
            Tunnel::Pppoe(id) => write!(f, "pppoe {id:#x}"),
            Tunnel::Gre(None) => f.write_str("gre"),
            Tunnel::Gre(Some(key)) => write!(f, "gre {key:#x}"),
            Tunnel::Erspan => f.write_str("erspan"),
            Tunnel::Vxlan(id) => write!(f, "vxlan {id}"),
            Tunnel::GtpU(teid) => write!(f, "gtp-u {teid:#x}"),
            Tunnel::IpIp => f.write_str("ip-in-ip"),
        }
    }
}

/// UDP: only the tunnels that ride on it are of interest.
pub(super) fn decode_udp<'a>(
    addresses: Addresses,
    layer: Bounded<'a>,
    at: &mut Descent<'_>,
) -> Decoded<'a> {
    let (Some(source), Some(destination), Some(len), Some(inner)) =
        (layer.u16(0), layer.u16(2), layer.u16(4), layer.skip(8))
    else {
        return Decoded::Undecodable("UDP header cut");
    };
    // Offloading leaves the length 0, as it does for IP.
    let inner = if len >= 8 { inner.limit(usize::from(len) - 8) } else { inner };
    match (source, destination) {
        // 4789 is IANA's; 8472 is what Linux used before, and still does by default.
        (_, 4789 | 8472) => decode_vxlan(inner, at),
        (2152, _) | (_, 2152) => decode_gtp_u(inner, at),
        _ => Decoded::Udp(UdpPacket {
            addresses,
            source_port: source,
            destination_port: destination,
            payload: inner.data,
            cut: inner.missing.try_into().unwrap_or(u32::MAX),
        }),
    }
}

/// VXLAN, RFC 7348 section 5.
fn decode_vxlan<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    const VNI_PRESENT: u8 = 0x08;
    let (Some(id), Some(inner)) = (layer.u32(4), layer.skip(8)) else {
        return Decoded::NotTcp;
    };
    if layer.data[0] & VNI_PRESENT == 0 {
        return Decoded::NotTcp;
    }
    at.enter(Tunnel::Vxlan(id >> 8));
    decode_ethernet(inner, at)
}

/// GTP-U, 3GPP TS 29.281 section 5.1.
fn decode_gtp_u<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    const G_PDU: u8 = 255;
    // Version 1, protocol type GTP; one of the low three bits adds four bytes.
    let (Some(len), Some(teid), Some(inner)) = (layer.u16(2), layer.u32(4), layer.skip(8)) else {
        return Decoded::NotTcp;
    };
    let flags = layer.data[0];
    if flags >> 4 != 3 || layer.data[1] != G_PDU {
        return Decoded::NotTcp;
    }
    let mut inner = if len == 0 { inner } else { inner.limit(usize::from(len)) };
    if flags & 0x07 != 0 {
        let mut next = inner.data.get(3).copied();
        let Some(rest) = inner.skip(4) else {
            return Decoded::Undecodable("GTP-U header cut");
        };
        inner = rest;
        // Extension headers count when their flag is set; each says its own length in 4-byte units
        // and ends with the type of the next.
        while flags & 0x04 != 0 && next != Some(0) {
            let units = usize::from(inner.data.first().copied().unwrap_or(0));
            if units == 0 {
                return Decoded::Undecodable("GTP-U extension header of length 0 or cut");
            }
            next = inner.data.get(units * 4 - 1).copied();
            let Some(rest) = inner.skip(units * 4) else {
                return Decoded::Undecodable("GTP-U extension header cut");
            };
            inner = rest;
        }
    }
    at.enter(Tunnel::GtpU(teid));
    match inner.data.first().map(|byte| byte >> 4) {
        Some(4 | 6) => decode_ip(inner, at),
        // A PDU session of type Ethernet (5G).
        _ => decode_ethernet(inner, at),
    }
}

/// GRE, RFC 2784 and RFC 2890; version 1 is PPTP's, RFC 2637 section 4.1.
pub(super) fn decode_gre<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    let (Some(flags), Some(protocol)) = (layer.u16(0), layer.u16(2)) else {
        return Decoded::Undecodable("GRE header cut");
    };
    let version = flags & 7;
    if version > 1 || flags & ROUTING != 0 {
        return Decoded::NotTcp;
    }
    let mut len = 4;
    if flags & CHECKSUM != 0 {
        len += 4;
    }
    let mut key = None;
    if flags & KEY != 0 {
        key = layer.u32(len);
        len += 4;
    }
    if flags & SEQUENCE != 0 {
        len += 4;
    }
    if version == 1 && flags & ACKNOWLEDGEMENT != 0 {
        len += 4;
    }
    let Some(inner) = layer.skip(len) else {
        return Decoded::Undecodable("GRE header cut");
    };
    // ERSPAN: type I has no header of its own, which the missing sequence number tells.
    let erspan = match protocol {
        0x88be if flags & SEQUENCE == 0 => Some(0),
        0x88be => Some(8),
        0x22eb => Some(if inner.data.get(11).is_some_and(|b| b & 1 != 0) { 20 } else { 12 }),
        _ => None,
    };
    if let Some(header) = erspan {
        at.enter(Tunnel::Erspan);
        return match inner.skip(header) {
            Some(inner) => decode_ethernet(inner, at),
            None => Decoded::Undecodable("ERSPAN header cut"),
        };
    }
    at.enter(Tunnel::Gre(key));
    decode_ether_type(protocol, inner, at)
}

/// An MPLS label stack, RFC 3032, and a guess at what follows it: nothing in the stack says.
pub(super) fn decode_mpls<'a>(mut layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    const BOTTOM_OF_STACK: u32 = 0x100;
    loop {
        let (Some(entry), Some(rest)) = (layer.u32(0), layer.skip(4)) else {
            return Decoded::Undecodable("MPLS label stack cut");
        };
        if !at.deeper() {
            return Decoded::Undecodable("too many headers within each other");
        }
        at.enter(Tunnel::Mpls(entry >> 12));
        layer = rest;
        if entry & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    match layer.data.first().map(|byte| byte >> 4) {
        Some(4 | 6) => decode_ip(layer, at),
        // RFC 4385: a pseudowire's control word begins with 0, so that it cannot look like IP.
        Some(0) => match layer.skip(4) {
            Some(inner) => decode_ethernet(inner, at),
            None => Decoded::Undecodable("MPLS control word cut"),
        },
        Some(_) => decode_ethernet(layer, at),
        None => Decoded::Undecodable("nothing after the MPLS labels"),
    }
}

/// PPP, RFC 1661, from its protocol field on.
pub(super) fn decode_ppp<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    // RFC 1661 section 6.5: a compressed protocol field is one odd byte.
    let (protocol, len) = match layer.data {
        [first, ..] if first & 1 != 0 => (u16::from(*first), 1),
        [first, second, ..] => (u16::from_be_bytes([*first, *second]), 2),
        _ => return Decoded::Undecodable("PPP header cut"),
    };
    let Some(inner) = layer.skip(len) else {
        return Decoded::Undecodable("PPP header cut");
    };
    match protocol {
        0x0021 | 0x0057 => decode_ip(inner, at),
        0x0281 | 0x0283 => decode_mpls(inner, at),
        _ => Decoded::NotTcp,
    }
}

/// A PPPoE session packet, RFC 2516 section 4.
pub(super) fn decode_pppoe<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    let (Some(session), Some(len), Some(inner)) = (layer.u16(2), layer.u16(4), layer.skip(6))
    else {
        return Decoded::Undecodable("PPPoE header cut");
    };
    at.enter(Tunnel::Pppoe(session));
    decode_ppp(inner.limit(usize::from(len)), at)
}
