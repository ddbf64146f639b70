//! From a captured record down to its TCP segment, through link layers and tunnels.

mod descent;
mod ethernet;
mod fragment;
mod ip;
mod packet;
mod tcp;
mod tunnel;
mod udp;

pub(super) use descent::{Bounded, Decoded, Descent};
pub(super) use ethernet::decode_link;
pub(super) use fragment::{Defragmenter, Fragment, FragmentKey};
pub(super) use ip::{decode_ip_payload, fast_path};
pub(super) use packet::{Bottom, descend};
pub(super) use tcp::{TcpPacket, flags, ip_addr};
pub(super) use tunnel::Tunnel;
pub(super) use udp::UdpPacket;
