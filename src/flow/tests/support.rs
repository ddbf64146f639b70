//! Packets to push and a sink that checks what it is told.

use bytes::Bytes;
use etherparse::{PacketBuilder, TcpHeader};

use crate::base::{Direction, GapKind, LinkType, Packet, Timestamp};
use crate::flow::{
    DirectionStats, EndReason, FlowAnomaly, FlowId, FlowInfo, FlowLimits, FlowSink, FlowTable, Gap,
    Outcome, StreamData, TcpEvent,
};

pub(super) const C2S: Direction = Direction::ClientToServer;
pub(super) const S2C: Direction = Direction::ServerToClient;
pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;

/// What a sink was told of one flow.
#[derive(Default, Debug)]
pub(super) struct Told {
    pub(super) info: Option<FlowInfo>,
    /// Bytes, without the gaps.
    pub(super) bytes: [Vec<u8>; 2],
    pub(super) next: [u64; 2],
    /// Frames of the data callbacks.
    pub(super) frames: [Vec<u64>; 2],
    pub(super) gaps: Vec<Gap>,
    pub(super) anomalies: Vec<FlowAnomaly>,
    pub(super) fins: Vec<Direction>,
    pub(super) tcp: Vec<TcpEvent>,
    pub(super) end: Option<(EndReason, [DirectionStats; 2])>,
}

impl Told {
    pub(super) fn gap_list(&self, direction: Direction) -> Vec<(u64, u64, GapKind)> {
        let of = |gap: &&Gap| gap.direction == direction;
        self.gaps.iter().filter(of).map(|gap| (gap.offset, gap.len, gap.kind)).collect()
    }

    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.anomalies.iter().map(|anomaly| anomaly.kind).collect()
    }

    pub(super) fn reason(&self) -> Option<EndReason> {
        self.end.as_ref().map(|(reason, _)| *reason)
    }

    pub(super) fn stats(&self, direction: Direction) -> &DirectionStats {
        &self.end.as_ref().expect("ended").1[direction.index()]
    }
}

/// A sink that keeps everything and checks that it is told in order.
#[derive(Default, Debug)]
pub(super) struct Log {
    pub(super) flows: Vec<Told>,
    pub(super) keep_bytes: bool,
}

impl Log {
    fn flow(&mut self, flow: FlowId) -> &mut Told {
        let told = &mut self.flows[flow.0 as usize];
        assert!(told.end.is_none(), "something follows the end");
        told
    }
}

impl FlowSink for Log {
    fn opened(&mut self, flow: FlowId, info: &FlowInfo) {
        assert_eq!(flow.0 as usize, self.flows.len());
        self.flows.push(Told { info: Some(info.clone()), ..Told::default() });
    }

    fn data(&mut self, flow: FlowId, direction: Direction, data: StreamData<'_>) {
        let keep = self.keep_bytes;
        let told = self.flow(flow);
        let i = direction.index();
        assert_eq!(data.offset, told.next[i]);
        assert!(!data.bytes.is_empty() && !told.fins.contains(&direction));
        told.next[i] += data.bytes.len() as u64;
        told.frames[i].push(data.frame);
        if keep {
            told.bytes[i].extend_from_slice(data.bytes);
        }
    }

    fn gap(&mut self, flow: FlowId, gap: Gap) {
        let told = self.flow(flow);
        let i = gap.direction.index();
        assert_eq!(gap.offset, told.next[i]);
        assert!(gap.len > 0 && !told.fins.contains(&gap.direction));
        told.next[i] += gap.len;
        told.gaps.push(gap);
    }

    fn anomaly(&mut self, flow: FlowId, anomaly: FlowAnomaly) {
        self.flow(flow).anomalies.push(anomaly);
    }

    fn fin(&mut self, flow: FlowId, direction: Direction, _: Timestamp) {
        let told = self.flow(flow);
        assert!(!told.fins.contains(&direction));
        told.fins.push(direction);
    }

    fn tcp(&mut self, flow: FlowId, event: TcpEvent) {
        self.flow(flow).tcp.push(event);
    }

    fn ended(
        &mut self,
        flow: FlowId,
        reason: EndReason,
        _: Timestamp,
        stats: &[DirectionStats; 2],
    ) {
        let told = self.flow(flow);
        told.end = Some((reason, stats.clone()));
        for (i, stats) in stats.iter().enumerate() {
            let lost = stats.capture_lost_bytes + stats.network_lost_bytes;
            assert!(stats.bytes + lost >= told.next[i]);
        }
    }
}

/// One end of a connection that sends segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) client: ([u8; 4], u16),
    pub(super) server: ([u8; 4], u16),
    /// Initial sequence numbers by direction.
    pub(super) isn: [u32; 2],
}

impl Default for Wire {
    fn default() -> Wire {
        Wire {
            client: ([10, 0, 0, 1], 50_000),
            server: ([10, 0, 0, 2], 1935),
            isn: [1_000, 77_000],
        }
    }
}

impl Wire {
    /// The TCP header of a segment at stream offsets.
    pub(super) fn header(&self, dir: Direction, at: i64, ack: Option<u64>, flags: u8) -> TcpHeader {
        let (source, destination) = match dir {
            C2S => (self.client.1, self.server.1),
            _ => (self.server.1, self.client.1),
        };
        let isn = self.isn[dir.index()];
        let sequence = isn.wrapping_add(1).wrapping_add(at as u32);
        let mut header = TcpHeader::new(source, destination, sequence, 60_000);
        if let Some(ack) = ack {
            header.ack = true;
            header.acknowledgment_number =
                self.isn[1 - dir.index()].wrapping_add(1).wrapping_add(ack as u32);
        }
        header.fin = flags & FIN != 0;
        header.syn = flags & SYN != 0;
        header.rst = flags & RST != 0;
        header
    }

    /// An Ethernet frame with that segment.
    pub(super) fn ethernet(&self, dir: Direction, header: TcpHeader, payload: &[u8]) -> Vec<u8> {
        let (source, destination) = match dir {
            C2S => (self.client.0, self.server.0),
            _ => (self.server.0, self.client.0),
        };
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(source, destination, 64)
            .tcp_header(header);
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).expect("a packet");
        packet
    }

    pub(super) fn data(&self, dir: Direction, at: i64, payload: &[u8]) -> Vec<u8> {
        self.ethernet(dir, self.header(dir, at, None, 0), payload)
    }

    pub(super) fn data_ack(&self, dir: Direction, at: i64, payload: &[u8], ack: u64) -> Vec<u8> {
        self.ethernet(dir, self.header(dir, at, Some(ack), 0), payload)
    }

    pub(super) fn ack(&self, dir: Direction, at: i64, ack: u64) -> Vec<u8> {
        self.ethernet(dir, self.header(dir, at, Some(ack), 0), b"")
    }

    /// SYN, SYN-ACK, ACK.
    pub(super) fn handshake(&self) -> [Vec<u8>; 3] {
        [
            self.ethernet(C2S, self.header(C2S, -1, None, SYN), b""),
            self.ethernet(S2C, self.header(S2C, -1, Some(0), SYN), b""),
            self.ack(C2S, 0, 0),
        ]
    }
}

/// A capture being written and read at once.
pub(super) struct Capture {
    pub(super) table: FlowTable,
    pub(super) log: Log,
    pub(super) frame: u64,
    /// Time of the next packet in microseconds.
    pub(super) now: i64,
    pub(super) link: LinkType,
    pub(super) cut_to: usize,
}

impl Capture {
    pub(super) fn new() -> Capture {
        Capture::with(FlowLimits::default())
    }

    pub(super) fn with(limits: FlowLimits) -> Capture {
        Capture {
            table: FlowTable::new(limits),
            log: Log { keep_bytes: true, ..Log::default() },
            frame: 0,
            now: 1_000_000,
            link: LinkType::ETHERNET,
            cut_to: usize::MAX,
        }
    }

    /// A capture that begins with a connection's handshake.
    pub(super) fn connected(wire: &Wire) -> Capture {
        let mut capture = Capture::new();
        capture.all(wire.handshake());
        capture
    }

    pub(super) fn push(&mut self, data: Vec<u8>) -> Outcome {
        self.frame += 1;
        self.now += 10;
        let original_len = data.len() as u32;
        let mut data = Bytes::from(data);
        data.truncate(self.cut_to);
        let time = Timestamp(self.now * 1000);
        let packet = Packet { frame: self.frame, time, link: self.link, data, original_len };
        self.table.push(&packet, &mut self.log)
    }

    pub(super) fn all(&mut self, packets: impl IntoIterator<Item = Vec<u8>>) {
        for packet in packets {
            assert_eq!(self.push(packet), Outcome::Tcp);
        }
    }

    /// Lets time pass; two packets of another connection show that it did.
    pub(super) fn wait_ms(&mut self, ms: i64) {
        self.now += ms * 1000;
        let other = Wire { client: ([10, 9, 9, 9], 4), ..Wire::default() };
        self.all([other.ack(C2S, 0, 0), other.ack(C2S, 0, 0)]);
    }

    pub(super) fn finish(mut self) -> Log {
        self.table.finish(&mut self.log);
        for told in &self.log.flows {
            assert!(told.end.is_some());
        }
        assert_eq!(self.table.held(), 0);
        self.log
            .flows
            .retain(|told| told.info.as_ref().is_some_and(|info| info.client.port() != 4));
        self.log
    }

    pub(super) fn first(&self) -> &Told {
        &self.log.flows[0]
    }

    /// The client's bytes of the first flow so far.
    pub(super) fn c2s(&self) -> &[u8] {
        &self.first().bytes[0]
    }
}

/// Bytes of which every 4 tell where in the stream they are.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=len as u32 / 4).flat_map(|i| (i * 7 + 1).to_be_bytes()).collect();
    bytes.truncate(len);
    bytes
}
