//! IPv4 and IPv6.

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
    LaxIpv4Slice, ip_number,
};

use super::ethernet::decode_ethernet;
use super::tcp::{TcpPacket, decode_tcp};
use super::tunnel::{Tunnel, decode_gre, decode_mpls, decode_udp};
use super::udp::decode_icmp;
use super::{Bounded, Decoded, Descent, Fragment, FragmentKey};

/// Addresses of an IP packet as [`super::tcp::TcpPacket`] keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Addresses {
    pub(crate) source: u128,
    pub(crate) destination: u128,
}

/// An IPv4 address as the IPv6 address it is mapped to.
fn mapped(v4: [u8; 4]) -> u128 {
    0xffff_0000_0000 | u128::from(u32::from_be_bytes(v4))
}

/// Ethernet, IPv4 without options or IPv6 without extension headers, TCP, nothing cut: what nearly
/// every packet of nearly every capture is. `None` says that the long way has to be taken.
#[inline]
pub(crate) fn fast_path(data: &[u8]) -> Option<TcpPacket<'_>> {
    let header = data.get(..54)?;
    if header[12..15] == [0x08, 0x00, 0x45] {
        let total_len = usize::from(u16::from_be_bytes([header[16], header[17]]));
        let fragmented = header[20] & 0x3f != 0 || header[21] != 0;
        if header[23] != ip_number::TCP.0 || fragmented || total_len < 40 {
            return None;
        }
        let addresses = Addresses {
            source: mapped([header[26], header[27], header[28], header[29]]),
            destination: mapped([header[30], header[31], header[32], header[33]]),
        };
        decode_tcp(addresses, Bounded { data: data.get(34..14 + total_len)?, missing: 0 }).ok()
    } else if header[12..14] == [0x86, 0xdd] && header[14] >> 4 == 6 {
        let payload_len = usize::from(u16::from_be_bytes([header[18], header[19]]));
        if header[20] != ip_number::TCP.0 || payload_len < 20 {
            return None;
        }
        let addresses = Addresses {
            source: u128::from_be_bytes(header[22..38].try_into().ok()?),
            destination: u128::from_be_bytes(header[38..54].try_into().ok()?),
        };
        decode_tcp(addresses, Bounded { data: data.get(54..54 + payload_len)?, missing: 0 }).ok()
    } else {
        None
    }
}

/// An IP packet of either version, told by its first nibble.
pub(super) fn decode_ip<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    if !at.deeper() {
        return Decoded::Undecodable("too many headers within each other");
    }
    match layer.data.first().map(|byte| byte >> 4) {
        Some(4) => decode_ipv4(layer, at),
        Some(6) => decode_ipv6(layer, at),
        Some(_) => Decoded::Undecodable("neither IPv4 nor IPv6"),
        None => Decoded::Undecodable("IP header cut"),
    }
}

fn decode_ipv4<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    let Ok((ip, stop)) = LaxIpv4Slice::from_slice(layer.data) else {
        return Decoded::Undecodable("IPv4 header cut or malformed");
    };
    if stop.is_some() {
        return Decoded::Undecodable("IPv4 authentication header cut or malformed");
    }
    let header = ip.header();
    let total_len = usize::from(header.total_len());
    // Segmentation offload leaves the length 0: the packet is then as long as the record.
    let missing = if total_len < header.slice().len() {
        layer.missing
    } else {
        layer.limit(total_len).missing
    };
    let payload = ip.payload();
    let inner = Bounded { data: payload.payload, missing };
    let protocol = payload.ip_number.0;
    let addresses =
        Addresses { source: mapped(header.source()), destination: mapped(header.destination()) };
    if payload.fragmented {
        return Decoded::Fragment(Fragment {
            key: FragmentKey {
                addresses,
                identification: u32::from(header.identification()),
                protocol: Some(protocol),
            },
            protocol,
            offset: usize::from(header.fragments_offset().byte_offset()),
            more: header.more_fragments(),
            data: inner.data,
            whole: missing == 0,
        });
    }
    decode_ip_payload(protocol, addresses, inner, at)
}

fn decode_ipv6<'a>(layer: Bounded<'a>, at: &mut Descent<'_>) -> Decoded<'a> {
    const HEADER_LEN: usize = 40;
    let Ok(header) = Ipv6HeaderSlice::from_slice(layer.data) else {
        return Decoded::Undecodable("IPv6 header cut or malformed");
    };
    let Some(mut rest) = layer.skip(HEADER_LEN) else {
        return Decoded::Undecodable("IPv6 header cut or malformed");
    };
    // Zero is a jumbogram (RFC 2675) or segmentation offload: then the record's length counts.
    if header.payload_length() != 0 {
        rest = rest.limit(usize::from(header.payload_length()));
    }
    let addresses = Addresses {
        source: u128::from_be_bytes(header.source()),
        destination: u128::from_be_bytes(header.destination()),
    };
    decode_ip_payload(header.next_header().0, addresses, rest, at)
}

/// What an IP packet carries, as its protocol number says, through IPv6 extension headers. (IPv4
/// has only the authentication header among them.)
pub(crate) fn decode_ip_payload<'a>(
    protocol: u8,
    addresses: Addresses,
    mut layer: Bounded<'a>,
    at: &mut Descent<'_>,
) -> Decoded<'a> {
    /// Ethernet within IP, RFC 8986 section 10.1.
    const ETHERNET: IpNumber = IpNumber(143);
    let mut next = IpNumber(protocol);
    loop {
        let len = match next {
            ip_number::TCP => {
                return match decode_tcp(addresses, layer) {
                    Ok(tcp) => Decoded::Tcp(tcp),
                    Err(reason) => Decoded::Undecodable(reason),
                };
            }
            ip_number::UDP => return decode_udp(addresses, layer, at),
            ip_number::ICMP => return decode_icmp(layer, false),
            ip_number::IPV6_ICMP => return decode_icmp(layer, true),
            ip_number::GRE => return decode_gre(layer, at),
            ip_number::IPV4 | ip_number::IPV6 => {
                at.enter(Tunnel::IpIp);
                return decode_ip(layer, at);
            }
            // RFC 4023.
            ip_number::MPLS_IN_IP => return decode_mpls(layer, at),
            ETHERNET => return decode_ethernet(layer, at),
            ip_number::IPV6_HOP_BY_HOP | ip_number::IPV6_ROUTE | ip_number::IPV6_DEST_OPTIONS => {
                let Ok(ext) = Ipv6RawExtHeaderSlice::from_slice(layer.data) else {
                    return Decoded::Undecodable("IPv6 extension header cut");
                };
                next = ext.next_header();
                ext.slice().len()
            }
            ip_number::AUTH => {
                let Ok(ext) = IpAuthHeaderSlice::from_slice(layer.data) else {
                    return Decoded::Undecodable("IP authentication header cut or malformed");
                };
                next = ext.next_header();
                ext.slice().len()
            }
            ip_number::IPV6_FRAG => {
                let Ok(ext) = Ipv6FragmentHeaderSlice::from_slice(layer.data) else {
                    return Decoded::Undecodable("IPv6 fragment header cut");
                };
                next = ext.next_header();
                let len = ext.slice().len();
                if ext.is_fragmenting_payload() {
                    // The chain ends here: in all but the first fragment, what follows is data
                    // that must not be read as further headers.
                    return Decoded::Fragment(Fragment {
                        key: FragmentKey {
                            addresses,
                            identification: ext.identification(),
                            // RFC 8200 section 4.5: not a part of the identity.
                            protocol: None,
                        },
                        protocol: next.0,
                        offset: usize::from(ext.fragment_offset().byte_offset()),
                        more: ext.more_fragments(),
                        data: &layer.data[len..],
                        whole: layer.missing == 0,
                    });
                }
                len
            }
            _ => return Decoded::NotTcp,
        };
        if !at.deeper() {
            return Decoded::Undecodable("too many headers within each other");
        }
        layer = match layer.skip(len) {
            Some(rest) => rest,
            None => return Decoded::Undecodable("IP extension header cut"),
        };
    }
}
