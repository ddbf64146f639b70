//! The whole way down, through fragments.

use bytes::Bytes;

use crate::base::Packet;
use crate::flow::Outcome;

use super::{
    Bounded, Decoded, Defragmenter, Descent, TcpPacket, Tunnel, UdpPacket, decode_ip_payload,
    decode_link,
};

/// What lies at the bottom of a packet that is of use.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow) enum Bottom<'a> {
    /// A TCP segment.
    Tcp(TcpPacket<'a>),
    /// A datagram of UDP.
    Udp(UdpPacket<'a>),
    /// A datagram that did not reach anyone, and ICMP's code.
    Unreachable(UdpPacket<'a>, u8),
}

/// Goes down to the segment or datagram of a packet, or of the IP datagram that it completes, and hands it to
/// `found` with the buffer that holds its payload. Tunnels entered are left in `tunnels`.
pub(in crate::flow) fn descend(
    packet: &Packet,
    defragmenter: &mut Defragmenter,
    tunnels: &mut Vec<Tunnel>,
    found: impl FnOnce(Bottom<'_>, &Bytes, &[Tunnel]),
) -> Outcome {
    tunnels.clear();
    let missing = (packet.original_len as usize).saturating_sub(packet.data.len());
    let layer = Bounded { data: &packet.data, missing };
    let mut descent = Descent { depth: 0, tunnels };
    let mut decoded = decode_link(packet.link, layer, &mut descent);
    let mut buffer = packet.data.clone();
    let mut whole;
    loop {
        match decoded {
            Decoded::Tcp(tcp) => {
                found(Bottom::Tcp(tcp), &buffer, descent.tunnels);
                return Outcome::Tcp;
            }
            Decoded::Udp(udp) => {
                found(Bottom::Udp(udp), &buffer, descent.tunnels);
                return Outcome::NotTcp;
            }
            Decoded::Unreachable(udp, code) => {
                found(Bottom::Unreachable(udp, code), &buffer, descent.tunnels);
                return Outcome::NotTcp;
            }
            // A datagram put together from fragments may carry a tunnel whose packets are
            // fragments themselves. The depth goes on, so that this ends.
            Decoded::Fragment(fragment) => {
                let addresses = fragment.key.addresses;
                let Some((protocol, bytes)) = defragmenter.add(&fragment, packet.time) else {
                    return Outcome::Fragment;
                };
                whole = bytes;
                buffer = whole.clone();
                let layer = Bounded { data: &whole, missing: 0 };
                decoded = decode_ip_payload(protocol, addresses, layer, &mut descent);
            }
            Decoded::NotTcp => return Outcome::NotTcp,
            Decoded::Undecodable(reason) => return Outcome::Undecodable(reason),
        }
    }
}
