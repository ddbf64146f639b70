//! Link layers.

use crate::base::LinkType;

use super::ip::decode_ip;
use super::tunnel::{Tunnel, decode_mpls, decode_ppp, decode_pppoe};
use super::{Bounded, Decoded, Descent};

/// Decodes a record of link type `link`.
pub(crate) fn decode_link<'a>(
    link: LinkType,
    layer: Bounded<'a>,
    at: &mut Descent<'_>,
) -> Decoded<'a> {
    /// PPP in HDLC-like framing.
    const PPP_HDLC: LinkType = LinkType(50);
    /// PPPoE without the Ethernet header.
    const PPP_ETHER: LinkType = LinkType(51);
    match link {
        LinkType::ETHERNET => decode_ethernet(layer, at),
        LinkType::LINUX_SLL => match (layer.u16(14), layer.skip(16)) {
            (Some(protocol), Some(inner)) => decode_ether_type(protocol, inner, at),
            _ => Decoded::Undecodable("Linux cooked header cut"),
        },
        LinkType::LINUX_SLL2 => match (layer.u16(0), layer.skip(20)) {
            (Some(protocol), Some(inner)) => decode_ether_type(protocol, inner, at),
            _ => Decoded::Undecodable("Linux cooked header cut"),
        },
        LinkType::NULL | LinkType::LOOP => decode_loopback(layer, at),
        LinkType::RAW
        | LinkType::RAW_BSD_12
        | LinkType::RAW_BSD_14
        | LinkType::IPV4
        | LinkType::IPV6 => decode_ip(layer, at),
        LinkType::PPP | PPP_HDLC => decode_ppp_link(layer, at),
        PPP_ETHER => decode_pppoe(layer, at),
        _ => Decoded::Undecodable("link type not known"),
    }
}

/// Ethernet II, or 802.3 with LLC/SNAP.
pub(super) fn decode_ethernet<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    if !at.deeper() {
        return Decoded::Undecodable("too many headers within each other");
    }
    match (layer.u16(12), layer.skip(14)) {
        (Some(ether_type), Some(inner)) => decode_ether_type(ether_type, inner, at),
        _ => Decoded::Undecodable("Ethernet header cut"),
    }
}

/// What an EtherType says follows, through any number of tags.
pub(super) fn decode_ether_type<'a>(
    mut ether_type: u16,
    mut layer: Bounded<'a>,
    at: &mut Descent<'_>,
) -> Decoded<'a> {
    loop {
        match ether_type {
            0x0800 | 0x86dd => return decode_ip(layer, at),
            // 802.1Q, 802.1ad, and what older switches used for the outer tag.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
                let (Some(tag), Some(next), Some(inner)) =
                    (layer.u16(0), layer.u16(2), layer.skip(4))
                else {
                    return Decoded::Undecodable("VLAN tag cut");
                };
                if !at.deeper() {
                    return Decoded::Undecodable("too many headers within each other");
                }
                at.enter(Tunnel::Vlan(tag & 0x0fff));
                ether_type = next;
                layer = inner;
            }
            0x8847 | 0x8848 => return decode_mpls(layer, at),
            0x8864 => return decode_pppoe(layer, at),
            // PPP within GRE (PPTP).
            0x880b => return decode_ppp_link(layer, at),
            // Transparent Ethernet bridging, in GRE.
            0x6558 => return decode_ethernet(layer, at),
            // 802.1ah: a 4-byte service tag, then a whole frame.
            0x88e7 => {
                return match layer.skip(4) {
                    Some(inner) => decode_ethernet(inner, at),
                    None => Decoded::Undecodable("802.1ah tag cut"),
                };
            }
            // A length: IEEE 802.3 with LLC; SNAP with the zero organisation holds an EtherType.
            0..=1500 if layer.data.starts_with(&[0xaa, 0xaa, 3, 0, 0, 0]) => {
                let (Some(next), Some(inner)) = (layer.u16(6), layer.skip(8)) else {
                    return Decoded::Undecodable("SNAP header cut");
                };
                if !at.deeper() {
                    return Decoded::Undecodable("too many headers within each other");
                }
                ether_type = next;
                layer = inner;
            }
            _ => return Decoded::NotTcp,
        }
    }
}

/// PPP with or without its address and control bytes.
fn decode_ppp_link<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    let layer = if layer.data.starts_with(&[0xff, 0x03]) { layer.skip(2) } else { Some(layer) };
    match layer {
        Some(layer) => decode_ppp(layer, at),
        None => Decoded::Undecodable("PPP header cut"),
    }
}

/// BSD loopback: an address family in the byte order of whoever captured.
fn decode_loopback<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    let (Some(family), Some(inner)) = (layer.u32(0), layer.skip(4)) else {
        return Decoded::Undecodable("loopback header cut");
    };
    // AF_INET is 2 everywhere; AF_INET6 is 10 (Linux), 24 (NetBSD), 28 (FreeBSD), 30 (macOS).
    match if family > 0xffff { family.swap_bytes() } else { family } {
        2 | 10 | 24 | 28 | 30 => decode_ip(inner, at),
        _ => Decoded::NotTcp,
    }
}
