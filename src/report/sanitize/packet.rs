//! Where a packet keeps what is to be rewritten: addresses, checksums, the payload of TCP.
//!
//! It goes down through the same layers as `flow::layer`, but keeps positions instead of values.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::checksum::Sum;
use crate::base::LinkType;

/// An address in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Six bytes.
    Mac(usize),
    /// Four bytes.
    V4(usize),
    /// Sixteen bytes.
    V6(usize),
}

/// A TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tcp {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub sequence: u32,
    pub payload: Range<usize>,
}

/// A piece of an IP datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Addresses, identification and protocol.
    pub key: (Vec<u8>, u32, u8),
    /// Offset in the datagram.
    pub offset: usize,
    pub more: bool,
    pub data: Range<usize>,
}

/// What a packet holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layers {
    pub addresses: Vec<Address>,
    /// Outermost first.
    pub sums: Vec<Sum>,
    pub tcp: Option<Tcp>,
    pub fragment: Option<Fragment>,
    /// Up to here headers were read. What follows, except the payload of TCP and the data of a
    /// fragment, is of no protocol that is known here.
    pub headers: usize,
}

/// Headers within each other, as in `flow::layer`.
const MAX_DEPTH: usize = 16;

/// Reads the headers of a record.
pub(super) fn walk(link: LinkType, data: &[u8], original_len: u32) -> Layers {
    let wire = data.len().max(original_len as usize);
    let mut walk = Walk { data, out: Layers::default(), depth: 0 };
    walk.link(link, Span { start: 0, end: data.len(), wire });
    walk.out
}

/// A TCP segment that was put together from fragments: only the TCP layer of `layers` counts.
pub(super) fn walk_payload(protocol: u8, addresses: &[u8], data: &[u8]) -> Layers {
    // The addresses stand before the segment, so that positions in one buffer name both.
    let mut walk = Walk { data, out: Layers::default(), depth: 0 };
    let at = addresses.len();
    walk.transport(protocol, 0..at, Span { start: at, end: data.len(), wire: data.len() });
    walk.out
}

/// A layer: where it begins, where its captured bytes end, where it ended on the wire.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    wire: usize,
}

impl Span {
    fn skip(self, n: usize) -> Option<Span> {
        (self.start + n <= self.end).then_some(Span { start: self.start + n, ..self })
    }

    /// Ends the layer after `len` bytes; a length beyond the record is a lie.
    fn limit(self, len: usize) -> Span {
        let wire = self.wire.min(self.start + len);
        Span { start: self.start, end: self.end.min(wire), wire }
    }

    fn is_whole(self) -> bool {
        self.end == self.wire
    }
}

struct Walk<'a> {
    data: &'a [u8],
    out: Layers,
    depth: usize,
}

impl Walk<'_> {
    fn u8(&self, at: usize) -> Option<u8> {
        self.data.get(at).copied()
    }

    fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }

    fn deeper(&mut self, span: Span) -> Option<()> {
        self.depth += 1;
        self.out.headers = self.out.headers.max(span.start);
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn link(&mut self, link: LinkType, span: Span) -> Option<()> {
        match link {
            LinkType::ETHERNET => self.ethernet(span),
            LinkType::LINUX_SLL => {
                let inner = span.skip(16)?;
                if self.u16(4) == Some(6) {
                    self.out.addresses.push(Address::Mac(6));
                }
                self.ether_type(self.u16(14)?, inner)
            }
            LinkType::LINUX_SLL2 => {
                let inner = span.skip(20)?;
                if self.u8(11) == Some(6) {
                    self.out.addresses.push(Address::Mac(12));
                }
                self.ether_type(self.u16(0)?, inner)
            }
            LinkType::NULL | LinkType::LOOP => {
                let inner = span.skip(4)?;
                self.ip(inner)
            }
            LinkType::RAW
            | LinkType::RAW_BSD_12
            | LinkType::RAW_BSD_14
            | LinkType::IPV4
            | LinkType::IPV6 => self.ip(span),
            LinkType::PPP | LinkType(50) => self.ppp_link(span),
            LinkType(51) => self.pppoe(span),
            _ => None,
        }
    }

    fn ethernet(&mut self, span: Span) -> Option<()> {
        self.deeper(span)?;
        let inner = span.skip(14)?;
        self.out.addresses.push(Address::Mac(span.start));
        self.out.addresses.push(Address::Mac(span.start + 6));
        self.ether_type(self.u16(span.start + 12)?, inner)
    }

    fn ether_type(&mut self, ether_type: u16, span: Span) -> Option<()> {
        self.deeper(span)?;
        let at = span.start;
        match ether_type {
            0x0800 | 0x86dd => self.ip(span),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => {
                let inner = span.skip(4)?;
                self.ether_type(self.u16(at + 2)?, inner)
            }
            0x8847 | 0x8848 => self.mpls(span),
            0x8864 => self.pppoe(span),
            0x880b => self.ppp_link(span),
            0x6558 => self.ethernet(span),
            0x88e7 => self.ethernet(span.skip(4)?),
            // ARP for IPv4 on Ethernet.
            0x0806 if self.data.get(at..at + 6) == Some(&[0, 1, 8, 0, 6, 4]) => {
                span.skip(28)?;
                self.out.addresses.extend([
                    Address::Mac(at + 8),
                    Address::V4(at + 14),
                    Address::Mac(at + 18),
                    Address::V4(at + 24),
                ]);
                self.out.headers = at + 28;
                Some(())
            }
            0..=1500 if self.data.get(at..at + 6) == Some(&[0xaa, 0xaa, 3, 0, 0, 0]) => {
                let inner = span.skip(8)?;
                self.ether_type(self.u16(at + 6)?, inner)
            }
            _ => None,
        }
    }

    fn mpls(&mut self, mut span: Span) -> Option<()> {
        loop {
            self.deeper(span)?;
            let entry = self.u32(span.start)?;
            span = span.skip(4)?;
            if entry & 0x100 != 0 {
                break;
            }
        }
        match self.u8(span.start)? >> 4 {
            4 | 6 => self.ip(span),
            0 => self.ethernet(span.skip(4)?),
            _ => self.ethernet(span),
        }
    }

    fn ppp_link(&mut self, span: Span) -> Option<()> {
        let address = self.data.get(span.start..span.start + 2) == Some(&[0xff, 0x03]);
        self.ppp(if address { span.skip(2)? } else { span })
    }

    fn ppp(&mut self, span: Span) -> Option<()> {
        let first = self.u8(span.start)?;
        let (protocol, len) = match first & 1 {
            1 => (u16::from(first), 1),
            _ => (self.u16(span.start)?, 2),
        };
        let inner = span.skip(len)?;
        match protocol {
            0x0021 | 0x0057 => self.ip(inner),
            0x0281 | 0x0283 => self.mpls(inner),
            _ => {
                self.out.headers = inner.start;
                None
            }
        }
    }

    fn pppoe(&mut self, span: Span) -> Option<()> {
        let len = self.u16(span.start + 4)?;
        let inner = span.skip(6)?;
        self.ppp(inner.limit(usize::from(len)))
    }

    fn ip(&mut self, span: Span) -> Option<()> {
        self.deeper(span)?;
        match self.u8(span.start)? >> 4 {
            4 => self.ipv4(span),
            6 => self.ipv6(span),
            _ => None,
        }
    }

    fn ipv4(&mut self, span: Span) -> Option<()> {
        let at = span.start;
        let header = usize::from(self.u8(at)? & 0x0f) * 4;
        let inner = span.skip(header.max(20))?;
        let total = usize::from(self.u16(at + 2)?);
        self.out.addresses.extend([Address::V4(at + 12), Address::V4(at + 16)]);
        self.out.headers = inner.start;
        self.out.sums.push(Sum {
            at: at + 10,
            covers: at..inner.start,
            pseudo: None,
            constant: 0,
            whole: true,
            optional: false,
        });
        // Segmentation offload leaves the length 0.
        let inner = if total >= header { inner.limit(total - header) } else { inner };
        let protocol = self.u8(at + 9)?;
        let flags = self.u16(at + 6)?;
        let addresses = at + 12..at + 20;
        if flags & 0x3fff != 0 {
            let key = (self.data.get(addresses)?.to_vec(), u32::from(self.u16(at + 4)?), protocol);
            return self.fragment(key, usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0, inner);
        }
        self.transport(protocol, addresses, inner)
    }

    fn ipv6(&mut self, span: Span) -> Option<()> {
        let at = span.start;
        let mut inner = span.skip(40)?;
        let len = usize::from(self.u16(at + 4)?);
        self.out.addresses.extend([Address::V6(at + 8), Address::V6(at + 24)]);
        if len != 0 {
            inner = inner.limit(len);
        }
        let addresses = at + 8..at + 40;
        let mut protocol = self.u8(at + 6)?;
        loop {
            self.deeper(inner)?;
            let next = self.u8(inner.start);
            match protocol {
                0 | 43 | 60 => {
                    let len = (usize::from(self.u8(inner.start + 1)?) + 1) * 8;
                    inner = inner.skip(len)?;
                }
                51 => {
                    let len = (usize::from(self.u8(inner.start + 1)?) + 2) * 4;
                    inner = inner.skip(len)?;
                }
                44 => {
                    let field = self.u16(inner.start + 2)?;
                    let id = self.u32(inner.start + 4)?;
                    inner = inner.skip(8)?;
                    if field & 0xfff9 != 0 {
                        let key = (self.data.get(addresses)?.to_vec(), id, next?);
                        let offset = usize::from(field & 0xfff8);
                        return self.fragment(key, offset, field & 1 != 0, inner);
                    }
                }
                _ => return self.transport(protocol, addresses, inner),
            }
            protocol = next?;
        }
    }

    fn fragment(
        &mut self,
        key: (Vec<u8>, u32, u8),
        offset: usize,
        more: bool,
        span: Span,
    ) -> Option<()> {
        self.out.headers = span.start;
        self.out.fragment = Some(Fragment { key, offset, more, data: span.start..span.end });
        Some(())
    }

    /// A checksum with a pseudo-header.
    fn sum(&mut self, at: usize, protocol: u8, addresses: &Range<usize>, span: Span) {
        self.out.sums.push(Sum {
            at,
            covers: span.start..span.end,
            pseudo: Some(addresses.clone()),
            constant: u32::from(protocol) + (span.wire - span.start) as u32,
            whole: span.is_whole(),
            optional: protocol == 17,
        });
    }

    fn transport(&mut self, protocol: u8, addresses: Range<usize>, span: Span) -> Option<()> {
        self.deeper(span)?;
        match protocol {
            6 => self.tcp(addresses, span),
            17 => self.udp(addresses, span),
            47 => self.gre(span),
            4 | 41 => self.ip(span),
            137 => self.mpls(span),
            143 => self.ethernet(span),
            1 | 58 => self.icmp(protocol, addresses, span),
            51 => {
                let len = (usize::from(self.u8(span.start + 1)?) + 2) * 4;
                self.transport(self.u8(span.start)?, addresses, span.skip(len)?)
            }
            _ => None,
        }
    }

    fn tcp(&mut self, addresses: Range<usize>, span: Span) -> Option<()> {
        let at = span.start;
        self.data.get(at..at + 20)?;
        let header = usize::from(self.u8(at + 12)? >> 4) * 4;
        if header < 20 || at + header > span.wire {
            return None;
        }
        self.sum(at + 16, 6, &addresses, span);
        let start = (at + header).min(span.end);
        self.out.headers = start;
        let bytes = self.data.get(addresses)?;
        let (source, destination) = bytes.split_at(bytes.len() / 2);
        self.out.tcp = Some(Tcp {
            source: SocketAddr::new(ip(source)?, self.u16(at)?),
            destination: SocketAddr::new(ip(destination)?, self.u16(at + 2)?),
            sequence: self.u32(at + 4)?,
            payload: start..span.end,
        });
        Some(())
    }

    fn udp(&mut self, addresses: Range<usize>, span: Span) -> Option<()> {
        let at = span.start;
        let len = usize::from(self.u16(at + 4)?);
        let span = if len >= 8 { span.limit(len) } else { span };
        let inner = span.skip(8)?;
        self.sum(at + 6, 17, &addresses, span);
        self.out.headers = inner.start;
        match (self.u16(at)?, self.u16(at + 2)?) {
            (_, 4789 | 8472) if self.u8(inner.start)? & 8 != 0 => self.ethernet(inner.skip(8)?),
            (2152, _) | (_, 2152) => self.gtp_u(inner),
            _ => None,
        }
    }

    fn gtp_u(&mut self, span: Span) -> Option<()> {
        let flags = self.u8(span.start)?;
        if flags >> 4 != 3 || self.u8(span.start + 1)? != 255 {
            return None;
        }
        let len = usize::from(self.u16(span.start + 2)?);
        let mut inner = span.skip(8)?;
        if len != 0 {
            inner = inner.limit(len);
        }
        if flags & 7 != 0 {
            let mut next = self.u8(inner.start + 3)?;
            inner = inner.skip(4)?;
            while flags & 4 != 0 && next != 0 {
                let units = usize::from(self.u8(inner.start)?);
                if units == 0 {
                    return None;
                }
                next = self.u8(inner.start + units * 4 - 1)?;
                inner = inner.skip(units * 4)?;
            }
        }
        match self.u8(inner.start)? >> 4 {
            4 | 6 => self.ip(inner),
            _ => self.ethernet(inner),
        }
    }

    fn gre(&mut self, span: Span) -> Option<()> {
        let at = span.start;
        let (flags, protocol) = (self.u16(at)?, self.u16(at + 2)?);
        if flags & 7 > 1 || flags & 0x4000 != 0 {
            return None;
        }
        let mut len = 4;
        if flags & 0x8000 != 0 {
            self.out.sums.push(Sum {
                at: at + 4,
                covers: at..span.end,
                pseudo: None,
                constant: 0,
                whole: span.is_whole(),
                optional: false,
            });
            len += 4;
        }
        for flag in [0x2000, 0x1000] {
            len += if flags & flag != 0 { 4 } else { 0 };
        }
        len += if flags & 7 == 1 && flags & 0x80 != 0 { 4 } else { 0 };
        let inner = span.skip(len)?;
        let header = match protocol {
            0x88be if flags & 0x1000 == 0 => 0,
            0x88be => 8,
            0x22eb if self.u8(inner.start + 11)? & 1 != 0 => 20,
            0x22eb => 12,
            _ => return self.ether_type(protocol, inner),
        };
        self.ethernet(inner.skip(header)?)
    }

    /// Of an error message also the header of the packet that it is about.
    fn icmp(&mut self, protocol: u8, addresses: Range<usize>, span: Span) -> Option<()> {
        let at = span.start;
        let inner = span.skip(8)?;
        self.out.headers = inner.start;
        if protocol == 58 {
            self.sum(at + 2, 58, &addresses, span);
        } else {
            self.out.sums.push(Sum {
                at: at + 2,
                covers: at..span.end,
                pseudo: None,
                constant: 0,
                whole: span.is_whole(),
                optional: false,
            });
        }
        let is_error = match (protocol, self.u8(at)?) {
            (1, kind) => matches!(kind, 3 | 4 | 5 | 11 | 12),
            (_, kind) => kind < 128,
        };
        if !is_error {
            return None;
        }
        let (header, first, last) = match self.u8(inner.start)? >> 4 {
            4 => {
                let header = usize::from(self.u8(inner.start)? & 0x0f) * 4;
                (header, Address::V4(inner.start + 12), Address::V4(inner.start + 16))
            }
            6 => (40, Address::V6(inner.start + 8), Address::V6(inner.start + 24)),
            _ => return None,
        };
        let rest = inner.skip(header.max(20))?;
        self.out.addresses.extend([first, last]);
        // Ports and the first words of the transport header.
        self.out.headers = (rest.start + 8).min(span.end);
        Some(())
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => {
            // As reassembly tells it: IPv4 mapped into IPv6 is IPv4.
            let v6 = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
            Some(v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4))
        }
        _ => None,
    }
}
