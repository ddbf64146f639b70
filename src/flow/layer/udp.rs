//! UDP that is no tunnel, and the datagrams that ICMP quotes.

use super::Bounded;
use super::descent::Decoded;
use super::ip::Addresses;

/// A datagram as captured.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow) struct UdpPacket<'a> {
    /// Addresses, IPv4 ones mapped into IPv6.
    pub addresses: Addresses,
    pub source_port: u16,
    pub destination_port: u16,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes that a snap length cut from the end.
    pub cut: u32,
}

/// ICMP and ICMPv6: only "destination unreachable" about a datagram of UDP is of interest.
pub(super) fn decode_icmp(layer: Bounded<'_>, v6: bool) -> Decoded<'_> {
    const UNREACHABLE_V4: u8 = 3;
    const UNREACHABLE_V6: u8 = 1;
    let expected = if v6 { UNREACHABLE_V6 } else { UNREACHABLE_V4 };
    let (Some([kind, code]), Some(quoted)) = (layer.data.first_chunk(), layer.skip(8)) else {
        return Decoded::NotTcp;
    };
    match quoted_udp(quoted) {
        Some(udp) if *kind == expected => Decoded::Unreachable(udp, *code),
        _ => Decoded::NotTcp,
    }
}

/// The IP header and first bytes of a datagram that an ICMP message quotes.
fn quoted_udp(layer: Bounded<'_>) -> Option<UdpPacket<'_>> {
    const UDP: u8 = 17;
    let first = *layer.data.first()?;
    let (addresses, protocol, header_len) = match first >> 4 {
        4 => {
            let mapped = |at| Some(0xffff_0000_0000 | u128::from(layer.u32(at)?));
            let addresses = Addresses { source: mapped(12)?, destination: mapped(16)? };
            (addresses, *layer.data.get(9)?, usize::from(first & 0x0f) * 4)
        }
        6 => {
            let at = |at: usize| {
                let octets: [u8; 16] = layer.data.get(at..at + 16)?.try_into().ok()?;
                Some(u128::from_be_bytes(octets))
            };
            let addresses = Addresses { source: at(8)?, destination: at(24)? };
            (addresses, *layer.data.get(6)?, 40)
        }
        _ => return None,
    };
    let udp = layer.skip(header_len)?;
    (protocol == UDP).then_some(())?;
    Some(UdpPacket {
        addresses,
        source_port: udp.u16(0)?,
        destination_port: udp.u16(2)?,
        payload: &[],
        cut: 0,
    })
}
