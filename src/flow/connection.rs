//! One connection.

use std::net::SocketAddr;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::base::{Direction, Timestamp};

use super::event::{EndReason, FlowAnomaly, FlowId, FlowInfo, FlowSink, RoleSource};
use super::half::{Clock, Ctx, Half, Segment, Shared, SynFit};
use super::layer::{TcpPacket, flags, ip_addr};
use super::limits::{FAR, SLACK_NS, SLACK_PACKETS};
use super::watch::Watch;

/// Two endpoints, the lower one first, so that both directions have the same key.
///
/// Nothing else is part of a flow's identity: real captures tag one direction with a VLAN and not
/// the other, and tunnel identifiers differ per direction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct FlowKey {
    low: u128,
    high: u128,
    ports: u32,
}

impl FlowKey {
    /// The key of a packet, and whether the lower endpoint sent it.
    #[inline]
    pub(super) fn of(tcp: &TcpPacket<'_>) -> (FlowKey, bool) {
        let source = (tcp.addresses.source, tcp.source_port);
        let destination = (tcp.addresses.destination, tcp.destination_port);
        let from_low = source <= destination;
        let (low, high) = if from_low { (source, destination) } else { (destination, source) };
        let ports = u32::from(low.1) << 16 | u32::from(high.1);
        (FlowKey { low: low.0, high: high.0, ports }, from_low)
    }
}

/// Ports that servers listen on for RTMP and what it is tunnelled in.
fn is_server_port(port: u16) -> bool {
    matches!(port, 1935..=1937 | 443 | 80 | 8080 | 8443 | 19350)
}

/// Whether the sender of a packet is the server, judging by the ports.
pub(super) fn sender_is_server(tcp: &TcpPacket<'_>) -> bool {
    let (source, destination) = (tcp.source_port, tcp.destination_port);
    match (is_server_port(source), is_server_port(destination)) {
        (true, false) => true,
        (false, true) => false,
        _ => source < destination,
    }
}

/// How far a flow is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Its role is not yet certain: not told to the sink.
    Unopened,
    Open,
    /// Ended; kept so that its last packets do not look like a new connection.
    Ended,
}

/// The flow will be over after the slack.
#[derive(Clone, Copy)]
struct Closing {
    /// Who sent a RST; nobody when both have sent FIN and only acknowledgements are missing.
    reset: Option<Direction>,
    packet: u64,
    stamp: Timestamp,
}

/// One connection.
pub(super) struct Flow {
    pub(super) key: FlowKey,
    /// Where the table keeps it.
    pub(super) slot: u32,
    /// Unlike a slot never used again.
    pub(super) serial: u64,
    pub(super) id: FlowId,
    pub(super) state: State,
    /// Whether the client is the lower endpoint of the key.
    pub(super) client_is_low: bool,
    pub(super) info: FlowInfo,
    pub(super) halves: [Half; 2],
    pub(super) packets: u64,
    pub(super) last_time: Timestamp,
    pub(super) last_stamp: Timestamp,
    pub(super) last_frame: u64,
    pub(super) first_fin: Option<Direction>,
    closing: Option<Closing>,
    /// Whether the table will look at the flow again after the slack.
    pub(super) armed: bool,
    /// Segments with payload since the end.
    pub(super) after_end: u32,
    /// Another flow has its key, or it was idle for too long: its slot is only kept until the next
    /// packet.
    pub(super) unlinked: bool,
    /// When events of TCP are wanted.
    pub(super) watch: Option<Box<Watch>>,
}

/// What the table lends a flow to work with.
pub(super) struct Work<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) shared: &'a mut Shared,
    pub(super) clock: Clock,
    pub(super) ids: &'a mut FxHashMap<FlowId, u32>,
    pub(super) next_id: &'a mut u32,
}

impl Flow {
    /// A flow that begins with `tcp`.
    pub(super) fn new(
        tcp: &TcpPacket<'_>,
        role: RoleSource,
        sender_is_server: bool,
        (key, from_low): (FlowKey, bool),
        serial: u64,
    ) -> Flow {
        let source = SocketAddr::new(ip_addr(tcp.addresses.source), tcp.source_port);
        let destination = SocketAddr::new(ip_addr(tcp.addresses.destination), tcp.destination_port);
        let (client, server) =
            if sender_is_server { (destination, source) } else { (source, destination) };
        Flow {
            key,
            slot: 0,
            serial,
            id: FlowId(u32::MAX),
            state: State::Unopened,
            client_is_low: from_low != sender_is_server,
            info: FlowInfo {
                client,
                server,
                role,
                time: Timestamp::default(),
                frame: 0,
                tunnels: Vec::new(),
            },
            halves: Default::default(),
            packets: 0,
            last_time: Timestamp::default(),
            last_stamp: Timestamp::default(),
            last_frame: 0,
            first_fin: None,
            closing: None,
            armed: false,
            after_end: 0,
            unlinked: false,
            watch: None,
        }
    }

    /// Direction of a packet.
    #[inline]
    pub(super) fn direction(&self, from_low: bool) -> Direction {
        if from_low == self.client_is_low {
            Direction::ClientToServer
        } else {
            Direction::ServerToClient
        }
    }

    /// A SYN tells the roles, if it came before they had to be decided.
    fn correct_role(&mut self, from_low: bool, sender_is_server: bool) {
        if self.state != State::Unopened {
            return;
        }
        self.info.role = RoleSource::Syn;
        if self.client_is_low == (from_low == sender_is_server) {
            self.client_is_low = !self.client_is_low;
            std::mem::swap(&mut self.info.client, &mut self.info.server);
            self.halves.swap(0, 1);
            self.first_fin = self.first_fin.map(Direction::reverse);
            if let Some(closing) = &mut self.closing {
                closing.reset = closing.reset.map(Direction::reverse);
            }
        }
    }

    /// Whether a SYN can be this connection's.
    pub(super) fn syn_fit(&self, tcp: &TcpPacket<'_>, direction: Direction) -> SynFit {
        let half = &self.halves[direction.index()];
        let peer = &self.halves[direction.reverse().index()];
        // A SYN comes before what answers it, as far as the capture point keeps the order.
        if half.stats.packets == 0 && peer.stats.packets > SLACK_PACKETS {
            return SynFit::Differs;
        }
        half.syn_fit(tcp.sequence)
    }

    /// Tells the sink of the flow, once.
    pub(super) fn open<S: FlowSink>(&mut self, work: &mut Work<'_, S>) {
        if self.state == State::Unopened {
            self.state = State::Open;
            self.id = FlowId(*work.next_id);
            *work.next_id += 1;
            work.ids.insert(self.id, self.slot);
            work.sink.opened(self.id, &self.info);
        }
    }

    /// One direction and the context to work on it in.
    pub(super) fn half<'a, S: FlowSink>(
        &'a mut self,
        direction: Direction,
        work: &'a mut Work<'_, S>,
    ) -> (&'a mut Half, Ctx<'a, S>) {
        let ctx = Ctx {
            flow: self.id,
            direction,
            frame: self.last_frame,
            time: self.last_time,
            clock: work.clock,
            packet: self.packets,
            sink: &mut *work.sink,
            shared: &mut *work.shared,
        };
        (&mut self.halves[direction.index()], ctx)
    }

    /// Takes a packet, whose payload lies in `buffer`. Number and time of the packet are noted
    /// already.
    #[inline]
    pub(super) fn packet<S: FlowSink>(
        &mut self,
        tcp: &TcpPacket<'_>,
        buffer: &Bytes,
        from_low: bool,
        work: &mut Work<'_, S>,
    ) {
        let (frame, time, clock, packet) =
            (self.last_frame, self.last_time, work.clock, self.packets);
        if tcp.has(flags::SYN) {
            self.correct_role(from_low, tcp.has(flags::ACK));
            self.open(work);
        }
        let direction = self.direction(from_low);
        let window = (tcp.flags & (flags::SYN | flags::RST) == 0).then_some(tcp.window);
        self.halves[direction.index()].packet(frame, time, window);
        if tcp.has(flags::SYN) {
            let (half, mut ctx) = self.half(direction, work);
            half.on_syn(&mut ctx, tcp.sequence);
        } else if self.halves[direction.index()].origin.is_none() {
            self.halves[direction.index()].last_sequence = tcp.sequence;
        }
        if tcp.flags & (flags::ACK | flags::RST) == flags::ACK {
            let after_syn = self.halves[direction.index()].syn;
            let peer = &mut self.halves[direction.reverse().index()];
            if after_syn && peer.origin.is_none() && peer.first_ack.is_none() {
                peer.first_ack = Some(tcp.acknowledgement);
            }
            peer.on_ack(tcp.acknowledgement, time, clock, packet);
        }
        if tcp.has(flags::RST) {
            return self.on_reset(tcp, direction, work);
        }
        if tcp.has(flags::FIN) {
            self.first_fin.get_or_insert(direction);
            self.halves[direction.index()].stats.fin_time.get_or_insert(time);
        }
        let syn = tcp.has(flags::SYN);
        if syn && tcp.payload.is_empty() && !tcp.has(flags::FIN) {
            return;
        }
        let mut position = 0;
        if !tcp.payload.is_empty() && !self.halves[direction.index()].ignored {
            position = (tcp.payload.as_ptr() as usize - buffer.as_ptr() as usize) as u32;
            let limits = &work.shared.limits;
            let (packets, bytes) = (limits.recent_packets, limits.recent_bytes);
            work.shared.ring.push(frame, buffer.clone(), packets, bytes);
        }
        let (half, mut ctx) = self.half(direction, work);
        let segment = Segment {
            sequence: tcp.sequence.wrapping_add(u32::from(syn)),
            payload: tcp.payload,
            cut: tcp.cut,
            fin: tcp.has(flags::FIN),
            position,
            frame,
            time,
        };
        half.segment(&mut ctx, &segment);
    }

    /// Takes a RST, if its sequence number can be the connection's (RFC 9293 section 3.10.7.4).
    fn on_reset<S: FlowSink>(
        &mut self,
        tcp: &TcpPacket<'_>,
        direction: Direction,
        work: &mut Work<'_, S>,
    ) {
        let half = &self.halves[direction.index()];
        if let Some(origin) = half.origin {
            let at = half.offset_of(origin, tcp.sequence);
            let known = half.next.max(half.max_end).max(half.acked);
            if at < half.next as i64 - FAR as i64 || at > (known + FAR) as i64 {
                let anomaly = FlowAnomaly {
                    kind: "implausible-reset",
                    direction,
                    time: self.last_time,
                    frame: self.last_frame,
                    offset: half.next,
                    detail: "a RST whose sequence number is far from the stream's is not believed"
                        .into(),
                    versions: None,
                };
                return work.sink.anomaly(self.id, anomaly);
            }
        }
        if self.closing.is_none_or(|closing| closing.reset.is_none()) {
            self.closing = Some(Closing {
                reset: Some(direction),
                packet: self.packets,
                stamp: work.clock.stamp(),
            });
        }
    }

    /// Who sent a RST that was believed.
    pub(super) fn reset_by(&self) -> Option<Direction> {
        self.closing?.reset
    }

    /// Whether something waits that time or further packets may decide.
    #[inline]
    pub(super) fn waits(&self) -> bool {
        self.closing.is_some() || self.halves.iter().any(|half| half.waits() || half.jump.is_some())
    }

    /// Whether time alone may decide something, without a further packet of the flow.
    pub(super) fn needs_clock(&self) -> bool {
        self.closing.is_some() || self.halves.iter().any(|half| half.has_early() || half.has_acks())
    }

    /// Looks again at what waits; gives the reason when that ends the flow.
    pub(super) fn settle<S: FlowSink>(&mut self, work: &mut Work<'_, S>) -> Option<EndReason> {
        if self.state == State::Unopened {
            let early = self.halves.iter().any(|half| half.early_due(self.packets, work.clock));
            if !early && self.closing.is_none() {
                return None;
            }
            self.open(work);
        }
        for direction in Direction::BOTH {
            let peer_frame = self.halves[direction.reverse().index()].last_frame;
            let (half, mut ctx) = self.half(direction, work);
            half.settle(&mut ctx, peer_frame);
        }
        let [client, server] = &self.halves;
        if client.fin_done && server.fin_done {
            // The last acknowledgement may be missing from the capture: then the slack decides.
            if client.fin_acked && server.fin_acked {
                return Some(self.end_reason(EndReason::EndOfCapture(None)));
            }
            self.closing.get_or_insert(Closing {
                reset: None,
                packet: self.packets,
                stamp: work.clock.stamp(),
            });
        }
        let closing = self.closing?;
        let due = self.packets - closing.packet >= SLACK_PACKETS
            || work.clock.age(closing.stamp) >= SLACK_NS;
        due.then(|| self.end_reason(EndReason::EndOfCapture(None)))
    }

    /// Why the flow ended, when it has to end now and `otherwise` is the cause of that.
    pub(super) fn end_reason(&self, otherwise: EndReason) -> EndReason {
        let both = self.halves.iter().all(|half| half.fin.is_some());
        let reset = self.closing.and_then(|closing| closing.reset);
        match (self.first_fin, reset, otherwise) {
            (Some(first), _, _) if both => EndReason::Fin(first),
            (_, Some(by), _) => EndReason::Reset(by),
            (first, None, EndReason::EndOfCapture(_)) => EndReason::EndOfCapture(first),
            _ => otherwise,
        }
    }

    /// Ends the flow: hands on what is left and the last holes, then the end.
    pub(super) fn end<S: FlowSink>(&mut self, reason: EndReason, work: &mut Work<'_, S>) {
        if self.state == State::Ended {
            return;
        }
        self.open(work);
        for direction in Direction::BOTH {
            let (half, mut ctx) = self.half(direction, work);
            half.finish(&mut ctx);
            half.jump = None;
        }
        self.observe_end(work);
        self.state = State::Ended;
        let stats = [self.halves[0].stats(self.last_time), self.halves[1].stats(self.last_time)];
        work.sink.ended(self.id, reason, self.last_time, &stats);
    }
}
