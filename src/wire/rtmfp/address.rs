//! Addresses on the wire, RFC 7016 section 2.1.5.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::base::{Reader, Stop, Writer};

/// Where an address comes from: the low two bits of its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressOrigin {
    /// 0: not said.
    Unknown,
    /// 1: the endpoint told it of itself, usually a local interface.
    Reported,
    /// 2: seen as the source of a packet.
    Observed,
    /// 3: of a redirector or relay.
    Provided,
}

impl AddressOrigin {
    /// `unknown`, `reported`, `observed` or `provided`.
    pub fn name(self) -> &'static str {
        match self {
            AddressOrigin::Unknown => "unknown",
            AddressOrigin::Reported => "reported",
            AddressOrigin::Observed => "observed",
            AddressOrigin::Provided => "provided",
        }
    }
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Address and port.
    pub socket: SocketAddr,
    /// Where it comes from.
    pub origin: AddressOrigin,
}

/// Set for IPv6.
const INTERNET_FAMILY: u8 = 0x80;

impl Address {
    /// Reads an address.
    pub fn read(r: &mut Reader<'_, '_>) -> Result<Address, Stop> {
        let flags = r.u8("address_flags")?;
        let ip = if flags & INTERNET_FAMILY == 0 {
            let bytes = r.bytes("address", 4)?;
            IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
        } else {
            let mut octets = [0; 16];
            octets.copy_from_slice(r.bytes("address", 16)?);
            IpAddr::V6(Ipv6Addr::from(octets))
        };
        let port = r.u16("port")?;
        let origin = match flags & 3 {
            0 => AddressOrigin::Unknown,
            1 => AddressOrigin::Reported,
            2 => AddressOrigin::Observed,
            _ => AddressOrigin::Provided,
        };
        Ok(Address { socket: SocketAddr::new(ip, port), origin })
    }

    /// Appends the address.
    pub fn write(&self, out: &mut Writer) {
        let origin = match self.origin {
            AddressOrigin::Unknown => 0,
            AddressOrigin::Reported => 1,
            AddressOrigin::Observed => 2,
            AddressOrigin::Provided => 3,
        };
        match self.socket.ip() {
            IpAddr::V4(ip) => out.u8(origin).bytes(&ip.octets()),
            IpAddr::V6(ip) => out.u8(INTERNET_FAMILY | origin).bytes(&ip.octets()),
        };
        out.u16(self.socket.port());
    }
}
