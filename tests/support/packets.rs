//! Streams to TCP segments, segments to frames.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use bytes::Bytes;
use rtmpscope::base::{Direction, LinkType, Packet, Timestamp};

use super::rng::Rng;
use super::scenario::Scenario;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// How writes become segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Each write begins a segment (no Nagle): what real senders mostly do.
    Write,
    /// Writes of a turn are one run of full segments.
    Turn,
    /// Runs as in `Turn`, cut at random lengths from 1 to the MSS.
    Random(u64),
    /// As `Turn`, and also at these stream offsets per direction.
    At([Vec<u64>; 2]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// FIN from the client, then from the server.
    Fin,
    /// RST from the client.
    Reset,
    /// The capture ends first.
    Open,
}

/// How a connection travels.
#[derive(Clone, Debug)]
pub struct Net {
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Initial sequence numbers, client first.
    pub isn: [u32; 2],
    pub mss: usize,
    /// RFC 7323 timestamps option on every segment.
    pub tcp_timestamps: bool,
    /// The receiver acknowledges after so many data segments, and after each write.
    pub ack_every: usize,
    pub cut: Cut,
    pub close: Close,
    pub link: LinkType,
    /// Time of the SYN, nanoseconds since 1970.
    pub epoch_ns: i64,
}

impl Default for Net {
    fn default() -> Net {
        Net {
            client: SocketAddr::new([192, 0, 2, 10].into(), 50_000),
            server: SocketAddr::new([198, 51, 100, 20].into(), 1935),
            isn: [0x1000_0000, 0x7000_0000],
            mss: 1448,
            tcp_timestamps: true,
            ack_every: 2,
            cut: Cut::Write,
            close: Close::Fin,
            link: LinkType::ETHERNET,
            epoch_ns: 1_700_000_000_000_000_000,
        }
    }
}

/// One TCP segment. Sequence positions are stream offsets: -1 is the SYN, 0 the first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub time_ns: i64,
    pub direction: Direction,
    pub seq: i64,
    pub ack: i64,
    pub flags: u8,
    pub payload: Bytes,
    /// Taken before segmentation offload: the IP length field is 0.
    pub offload: bool,
    /// Frame bytes kept in the capture; the rest was cut by the snap length.
    pub snaplen: Option<usize>,
}

impl Segment {
    /// Stream offsets of the payload.
    pub fn range(&self) -> Range<u64> {
        let start = self.seq.max(0) as u64;
        start..start + self.payload.len() as u64
    }

    pub fn is_data(&self) -> bool {
        !self.payload.is_empty()
    }
}

/// A captured connection: segments in capture order, and what they should have carried.
#[derive(Clone, Debug)]
pub struct Trace {
    pub net: Net,
    pub segments: Vec<Segment>,
    /// The whole streams, client first.
    pub streams: [Bytes; 2],
}

impl Net {
    /// The same with IPv6 addresses.
    pub fn v6(mut self) -> Net {
        let client: IpAddr = "2001:db8::10".parse().expect("an address");
        let server: IpAddr = "2001:db8:1::20".parse().expect("an address");
        self.client.set_ip(client);
        self.server.set_ip(server);
        self
    }

    /// The same with another server port.
    pub fn port(mut self, port: u16) -> Net {
        self.server.set_port(port);
        self
    }

    /// All segments of a connection, in a causal order, without any fault.
    pub fn packetize(&self, scenario: &Scenario) -> Trace {
        let streams = Direction::BOTH.map(|d| Bytes::copy_from_slice(scenario.stream(d)));
        let mut wire = Wire { now: 0, next: [0, 0], out: Vec::new() };
        let (c, s) = (Direction::ClientToServer, Direction::ServerToClient);
        wire.next = [-1, -1];
        wire.emit(c, SYN, Bytes::new());
        wire.next[0] = 0;
        wire.emit(s, SYN | ACK, Bytes::new());
        wire.next[1] = 0;
        wire.emit(c, ACK, Bytes::new());
        let base = wire.now;
        let mut rng = Rng::new(match self.cut {
            Cut::Random(seed) => seed,
            _ => 0,
        });
        for run in self.runs(scenario) {
            wire.now = wire.now.max(base + run.time_ns);
            let stream = &streams[run.direction.index()];
            let (mut at, end) = (run.range.start, run.range.end);
            let mut unacknowledged = 0;
            while at < end {
                let len = match &self.cut {
                    Cut::Random(_) => rng.between(1, self.mss) as u64,
                    _ => self.mss as u64,
                };
                let mut to = end.min(at + len);
                if let Cut::At(cuts) = &self.cut
                    && let Some(cut) = cuts[run.direction.index()]
                        .iter()
                        .filter(|cut| (at + 1..to).contains(*cut))
                        .min()
                {
                    to = *cut;
                }
                let push = if to == end { PSH } else { 0 };
                wire.emit(run.direction, ACK | push, stream.slice(at as usize..to as usize));
                at = to;
                unacknowledged += 1;
                if unacknowledged >= self.ack_every || at == end {
                    wire.emit(run.direction.reverse(), ACK, Bytes::new());
                    unacknowledged = 0;
                }
            }
        }
        match self.close {
            Close::Open => {}
            Close::Reset => wire.emit(c, RST | ACK, Bytes::new()),
            Close::Fin => {
                wire.emit(c, FIN | ACK, Bytes::new());
                wire.next[0] += 1;
                wire.emit(s, FIN | ACK, Bytes::new());
                wire.next[1] += 1;
                wire.emit(c, ACK, Bytes::new());
            }
        }
        Trace { net: self.clone(), segments: wire.out, streams }
    }

    fn runs(&self, scenario: &Scenario) -> Vec<super::scenario::Write> {
        let mut runs: Vec<super::scenario::Write> = Vec::new();
        for write in scenario.writes() {
            match runs.last_mut() {
                Some(last)
                    if self.cut != Cut::Write
                        && last.direction == write.direction
                        && last.range.end == write.range.start =>
                {
                    last.range.end = write.range.end;
                }
                _ => runs.push(write.clone()),
            }
        }
        runs
    }
}

struct Wire {
    now: i64,
    next: [i64; 2],
    out: Vec<Segment>,
}

impl Wire {
    fn emit(&mut self, direction: Direction, flags: u8, payload: Bytes) {
        self.now += 10_000;
        let (seq, len) = (self.next[direction.index()], payload.len() as i64);
        self.next[direction.index()] += len;
        self.out.push(Segment {
            time_ns: self.now,
            direction,
            seq,
            ack: self.next[direction.reverse().index()],
            flags,
            payload,
            offload: false,
            snaplen: None,
        });
    }
}

/// One record of a capture.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    pub data: Vec<u8>,
    pub original_len: u32,
}

impl Trace {
    /// The segments as link-layer frames.
    pub fn frames(&self) -> Vec<Frame> {
        let mut ids = [0_u16; 2];
        self.segments
            .iter()
            .map(|segment| {
                let id = &mut ids[segment.direction.index()];
                *id = id.wrapping_add(1);
                let mut data = self.frame(segment, *id);
                let original_len = data.len() as u32;
                if let Some(snaplen) = segment.snaplen {
                    data.truncate(snaplen);
                }
                Frame { time_ns: self.net.epoch_ns + segment.time_ns, data, original_len }
            })
            .collect()
    }

    /// The segments as the decoder takes them.
    pub fn packets(&self) -> Vec<Packet> {
        packets(&self.frames(), self.net.link)
    }

    fn frame(&self, segment: &Segment, id: u16) -> Vec<u8> {
        let net = &self.net;
        let (source, target) = match segment.direction {
            Direction::ClientToServer => (net.client, net.server),
            Direction::ServerToClient => (net.server, net.client),
        };
        let from = segment.direction.index();
        let tcp = self.tcp(segment, source, target, from);
        let mut ip = ip_header(source.ip(), target.ip(), tcp.len(), id, segment.offload);
        ip.extend_from_slice(&tcp);
        let mut out = link_header(net.link, source.is_ipv6(), from);
        out.extend_from_slice(&ip);
        out
    }

    fn tcp(
        &self,
        segment: &Segment,
        source: SocketAddr,
        target: SocketAddr,
        from: usize,
    ) -> Vec<u8> {
        let net = &self.net;
        let absolute = |isn: u32, offset: i64| isn.wrapping_add(1).wrapping_add(offset as u32);
        let syn = segment.flags & SYN != 0;
        let mut options = Vec::new();
        if syn {
            options.extend_from_slice(&[2, 4]);
            options.extend_from_slice(&(net.mss as u16).to_be_bytes());
            options.extend_from_slice(&[1, 3, 3, 7, 1, 1, 4, 2]);
        }
        if net.tcp_timestamps {
            let millis = (segment.time_ns / 1_000_000) as u32;
            options.extend_from_slice(&[1, 1, 8, 10]);
            options.extend_from_slice(&(millis + 1000).to_be_bytes());
            options.extend_from_slice(&millis.to_be_bytes());
        }
        let ack = match segment.flags & ACK {
            0 => 0,
            _ => absolute(net.isn[1 - from], segment.ack),
        };
        let mut out = Vec::with_capacity(20 + options.len() + segment.payload.len());
        out.extend_from_slice(&source.port().to_be_bytes());
        out.extend_from_slice(&target.port().to_be_bytes());
        out.extend_from_slice(&absolute(net.isn[from], segment.seq).to_be_bytes());
        out.extend_from_slice(&ack.to_be_bytes());
        out.push((((20 + options.len()) / 4) << 4) as u8);
        out.push(segment.flags);
        out.extend_from_slice(&[0xff, 0xff, 0, 0, 0, 0]);
        out.extend_from_slice(&options);
        out.extend_from_slice(&segment.payload);
        let mut sum = sum16(&out) + 6 + out.len() as u64;
        for address in [source.ip(), target.ip()] {
            sum += match address {
                IpAddr::V4(v4) => sum16(&v4.octets()),
                IpAddr::V6(v6) => sum16(&v6.octets()),
            };
        }
        out[16..18].copy_from_slice(&fold(sum).to_be_bytes());
        out
    }
}

/// Frames as the decoder takes them, numbered from 1.
pub fn packets(frames: &[Frame], link: LinkType) -> Vec<Packet> {
    frames
        .iter()
        .zip(1..)
        .map(|(frame, number)| Packet {
            frame: number,
            time: Timestamp(frame.time_ns),
            link,
            data: Bytes::from(frame.data.clone()),
            original_len: frame.original_len,
        })
        .collect()
}

/// Frames of several traces in the order of time.
pub fn merge(traces: &[&Trace]) -> Vec<Frame> {
    let mut frames: Vec<Frame> = traces.iter().flat_map(|trace| trace.frames()).collect();
    frames.sort_by_key(|frame| frame.time_ns);
    frames
}

fn link_header(link: LinkType, v6: bool, from: usize) -> Vec<u8> {
    let protocol = if v6 { [0x86, 0xdd] } else { [0x08, 0x00] };
    match link {
        LinkType::RAW => Vec::new(),
        LinkType::LINUX_SLL2 => {
            let mut out = protocol.to_vec();
            out.extend_from_slice(&[0, 0, 0, 0, 0, 2, 0, 1, if from == 0 { 4 } else { 0 }, 6]);
            out.extend_from_slice(&[2, 0, 0, 0, 0, from as u8, 0, 0]);
            out
        }
        _ => {
            let mut out = vec![2, 0, 0, 0, 0, 1 - from as u8, 2, 0, 0, 0, 0, from as u8];
            out.extend_from_slice(&protocol);
            out
        }
    }
}

fn ip_header(source: IpAddr, target: IpAddr, len: usize, id: u16, offload: bool) -> Vec<u8> {
    match (source, target) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let total = u16::try_from(20 + len).ok().filter(|_| !offload).unwrap_or(0);
            let mut out = vec![0x45, 0];
            out.extend_from_slice(&total.to_be_bytes());
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&[0x40, 0, 64, 6, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&target.octets());
            let checksum = fold(sum16(&out));
            out[10..12].copy_from_slice(&checksum.to_be_bytes());
            out
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            let length = u16::try_from(len).ok().filter(|_| !offload).unwrap_or(0);
            let mut out = vec![0x60, 0, 0, 0];
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[6, 64]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&target.octets());
            out
        }
        _ => panic!("both addresses of one family"),
    }
}

fn sum16(bytes: &[u8]) -> u64 {
    bytes
        .chunks(2)
        .map(|pair| u64::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])))
        .sum()
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
