//! All connections of a capture.

use std::collections::VecDeque;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::base::{Direction, Extents, LinkType, Packet, Timestamp};

use super::connection::{Flow, FlowKey, State, Work, sender_is_server};
use super::event::{DirectionStats, EndReason, FlowId, FlowSink, RoleSource};
use super::frames::PacketRing;
use super::half::{Clock, Shared, SynFit};
use super::layer::{Bottom, Defragmenter, TcpPacket, Tunnel, descend, fast_path, flags};
use super::limits::{FAR, FlowLimits, SLACK_NS};
use super::lru::Lru;
use super::udp;
use super::watch::Before;

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A TCP segment; what it meant went to the sink.
    Tcp,
    /// A part of an IP datagram that is not whole yet.
    Fragment,
    /// Well-formed as far as it was read, and not TCP.
    NotTcp,
    /// Headers that end early or contradict themselves, or a link type that is not known. Holds
    /// why.
    Undecodable(&'static str),
}

/// Segments of an ended connection with plausible sequence numbers that are taken for its last
/// ones; after so many it cannot have ended.
const MAX_AFTER_END: u32 = 64;

/// Follows all TCP connections of a capture.
///
/// Packets go in through [`push`](FlowTable::push), in the order of the capture; what they mean
/// comes out through a [`FlowSink`]: new flows, bytes in order, gaps, oddities, ends. The bytes are
/// handed on as slices of the packet when they are in order.
///
/// - A capture that begins within a connection: its first packets may be out of order, so that a
///   direction's bytes are held back until 32 packets or a second of capture time have passed (or
///   256 KiB have come). The lowest sequence number until then is stream offset 0; what comes
///   before it later is ignored.
/// - A hole is [`GapKind::Capture`](crate::base::GapKind) once the peer acknowledged past it, but
///   it is only given up after 32 more packets of the flow or a second, because capture points
///   reorder packets. A hole that nobody acknowledged stays open until the flow ends, a limit is
///   hit, or, when none of the peer's packets is in the capture, the sender goes on for 3 seconds
///   or 4 MiB, which it could not without an acknowledgement.
/// - The tail that a snap length cut from a segment is a gap at once.
/// - After a RST the flow is kept for the same slack, for segments that the capture point reordered.
pub struct FlowTable {
    shared: Shared,
    flows: Lru<Flow>,
    keys: FxHashMap<FlowKey, u32>,
    ids: FxHashMap<FlowId, u32>,
    /// The flow of the last packet.
    last: Option<(FlowKey, u32)>,
    next_serial: u64,
    next_id: u32,
    /// Flows to look at again: when, slot, serial. In order of time as far as the capture is.
    deadlines: VecDeque<(Timestamp, u32, u64)>,
    /// Directions that hold segments: slot, serial, direction; longest holding first.
    holders: VecDeque<(u32, u64, Direction)>,
    /// Flows that ended during the last call; their frames can still be asked for.
    ended: Vec<(u32, u64)>,
    defragmenter: Defragmenter,
    tunnels: Vec<Tunnel>,
    /// Time of the packet before.
    previous: Option<Timestamp>,
    clock: Clock,
}

impl Default for FlowTable {
    fn default() -> FlowTable {
        FlowTable::new(FlowLimits::default())
    }
}

impl FlowTable {
    /// An empty table.
    pub fn new(limits: FlowLimits) -> FlowTable {
        FlowTable {
            shared: Shared {
                limits,
                ring: PacketRing::default(),
                buffered: 0,
                watch: false,
                frames: 0,
            },
            flows: Lru::new(),
            keys: FxHashMap::default(),
            ids: FxHashMap::default(),
            last: None,
            next_serial: 0,
            next_id: 0,
            deadlines: VecDeque::new(),
            holders: VecDeque::new(),
            ended: Vec::new(),
            defragmenter: Defragmenter::default(),
            tunnels: Vec::new(),
            previous: None,
            clock: Clock::new(Timestamp::default(), Timestamp::default()),
        }
    }

    /// Asks for (or no longer for) [events of TCP](FlowSink::tcp).
    pub fn watch(&mut self, wanted: bool) {
        self.shared.watch = wanted;
    }

    /// Takes the next packet of the capture.
    #[inline]
    pub fn push(&mut self, packet: &Packet, sink: &mut impl FlowSink) -> Outcome {
        if !self.ended.is_empty() {
            self.bury();
        }
        self.shared.ring.count(packet.data.len());
        self.clock = Clock::new(self.previous.unwrap_or(packet.time), packet.time);
        self.previous = Some(packet.time);
        self.wake(sink);
        self.expire(sink);
        if packet.link == LinkType::ETHERNET
            && let Some(tcp) = fast_path(&packet.data)
        {
            self.tunnels.clear();
            self.segment(&tcp, &packet.data, packet, sink);
            return Outcome::Tcp;
        }
        self.push_slow(packet, sink)
    }

    fn push_slow(&mut self, packet: &Packet, sink: &mut impl FlowSink) -> Outcome {
        let mut tunnels = std::mem::take(&mut self.tunnels);
        let mut defragmenter = std::mem::take(&mut self.defragmenter);
        let outcome = descend(
            packet,
            &mut defragmenter,
            &mut tunnels,
            |bottom, buffer, entered| match bottom {
                Bottom::Tcp(tcp) => {
                    self.tunnels.extend_from_slice(entered);
                    self.segment(&tcp, buffer, packet, sink);
                }
                Bottom::Udp(udp) => sink.datagram(&udp::datagram(&udp, entered, packet)),
                Bottom::Unreachable(udp, code) => {
                    sink.unreachable(&udp::unreachable(&udp, code, packet));
                }
            },
        );
        self.tunnels = tunnels;
        self.defragmenter = defragmenter;
        outcome
    }

    /// Takes a TCP segment whose payload lies in `buffer`.
    fn segment(
        &mut self,
        tcp: &TcpPacket<'_>,
        buffer: &Bytes,
        packet: &Packet,
        sink: &mut impl FlowSink,
    ) {
        let (key, from_low) = FlowKey::of(tcp);
        let known = match self.last {
            Some((last, slot)) if last == key => Some(slot),
            _ => self.keys.get(&key).copied(),
        };
        let slot = match known {
            Some(slot) if self.continues(slot, tcp, from_low) => slot,
            _ => {
                if let Some(slot) = known {
                    let idle = self.idle(slot);
                    let reason = if idle { EndReason::Timeout } else { EndReason::Reused };
                    self.end(slot, reason, sink);
                    self.unlink(slot);
                }
                self.create(tcp, (key, from_low), packet, sink)
            }
        };
        self.last = Some((key, slot));
        self.flows.touch(slot);
        let Some(flow) = self.flows.get_mut(slot) else { return };
        flow.packets += 1;
        flow.last_time = packet.time;
        flow.last_stamp = self.clock.stamp();
        flow.last_frame = packet.frame;
        if flow.state == State::Ended {
            flow.after_end += u32::from(!tcp.payload.is_empty());
            if tcp.has(flags::RST) {
                flow.after_end = 0;
            }
            return;
        }
        let watch = self.shared.watch;
        let before =
            (watch && flow.state == State::Open).then(|| flow.halves.each_ref().map(Before::of));
        let mut work = Work {
            sink,
            shared: &mut self.shared,
            clock: self.clock,
            ids: &mut self.ids,
            next_id: &mut self.next_id,
        };
        flow.packet(tcp, buffer, from_low, &mut work);
        if watch && flow.state == State::Open {
            flow.observe(tcp, from_low, before, &mut work);
        }
        if flow.waits() {
            self.after(slot, sink);
        }
    }

    /// Whether a packet belongs to the flow in `slot` rather than to a new one between the same
    /// endpoints.
    #[inline]
    fn continues(&self, slot: u32, tcp: &TcpPacket<'_>, from_low: bool) -> bool {
        let Some(flow) = self.flows.get(slot) else { return false };
        let direction = flow.direction(from_low);
        if tcp.has(flags::SYN) {
            return flow.syn_fit(tcp, direction) == SynFit::Fits && !self.idle(slot);
        }
        if self.idle(slot) {
            return false;
        }
        let half = &flow.halves[direction.index()];
        if flow.state == State::Ended && !tcp.payload.is_empty() {
            // Either a new connection whose SYN is missing, or the old one goes on.
            let far = half.origin.is_some_and(|origin| {
                let at = half.offset_of(origin, tcp.sequence);
                at.abs_diff(half.max_end as i64) > FAR
            });
            return !far && flow.after_end < MAX_AFTER_END;
        }
        true
    }

    /// Whether the flow in `slot` was idle for longer than the limit.
    #[inline]
    fn idle(&self, slot: u32) -> bool {
        self.flows.get(slot).is_some_and(|flow| {
            self.clock.age(flow.last_stamp) > self.shared.limits.idle_timeout_ns
        })
    }

    /// Adds a flow that begins with `tcp`.
    fn create(
        &mut self,
        tcp: &TcpPacket<'_>,
        (key, from_low): (FlowKey, bool),
        packet: &Packet,
        sink: &mut impl FlowSink,
    ) -> u32 {
        // One too many until the next packet, so that its frames can still be asked for.
        if self.flows.len() >= self.shared.limits.max_flows.max(1)
            && let Some((oldest, _)) = self.flows.longest_idle()
        {
            self.end(oldest, EndReason::Evicted, sink);
            self.unlink(oldest);
        }
        let (role, is_server) = match (tcp.has(flags::SYN), tcp.has(flags::ACK)) {
            (true, ack) => (RoleSource::Syn, ack),
            (false, _) => (RoleSource::Port, sender_is_server(tcp)),
        };
        self.next_serial += 1;
        let mut flow = Flow::new(tcp, role, is_server, (key, from_low), self.next_serial);
        flow.info.time = packet.time;
        flow.info.frame = packet.frame;
        flow.info.tunnels = self.tunnels.iter().map(Tunnel::to_string).collect();
        let slot = self.flows.insert(flow);
        if let Some(flow) = self.flows.get_mut(slot) {
            flow.slot = slot;
        }
        self.keys.insert(key, slot);
        slot
    }

    /// After a packet of a flow in which something waits.
    fn after(&mut self, slot: u32, sink: &mut impl FlowSink) {
        let Some(flow) = self.flows.get_mut(slot) else { return };
        let mut work = Work {
            sink,
            shared: &mut self.shared,
            clock: self.clock,
            ids: &mut self.ids,
            next_id: &mut self.next_id,
        };
        let reason = flow.settle(&mut work);
        let serial = flow.serial;
        if let Some(reason) = reason {
            return self.end(slot, reason, sink);
        }
        // At the end of time nothing is due later: a deadline that is reached as it is set would be
        // set again at once, for ever.
        if !flow.armed
            && flow.needs_clock()
            && let Some(due) = self.clock.stamp().0.checked_add(SLACK_NS)
        {
            flow.armed = true;
            let due = Timestamp(due);
            self.deadlines.push_back((due, slot, serial));
        }
        for direction in Direction::BOTH {
            let half = &mut flow.halves[direction.index()];
            if half.held_cost() > 0 && !half.listed {
                half.listed = true;
                self.holders.push_back((slot, serial, direction));
            }
        }
        while self.shared.buffered > self.shared.limits.max_buffered_total {
            if !self.relieve(sink) {
                break;
            }
        }
        // Entries of flows that are over stay in the lists until their turn comes, which a capture
        // of many short flows, or one whose clock stands still, can put off for ever.
        let (flows, most) = (&self.flows, 4 * self.flows.len() + 64);
        let live = |slot: u32, serial: u64| {
            flows.get(slot).is_some_and(|flow| flow.serial == serial && flow.state != State::Ended)
        };
        if self.holders.len() > most {
            self.holders.retain(|(slot, serial, _)| live(*slot, *serial));
        }
        if self.deadlines.len() > most {
            self.deadlines.retain(|(_, slot, serial)| live(*slot, *serial));
        }
    }

    /// Gives up the holes of the direction that has held segments for longest; false when there
    /// is none.
    fn relieve(&mut self, sink: &mut impl FlowSink) -> bool {
        let Some((slot, serial, direction)) = self.holders.pop_front() else { return false };
        let Some(flow) = self.flows.get_mut(slot) else { return true };
        let half = &mut flow.halves[direction.index()];
        if flow.serial != serial {
            return true;
        }
        half.listed = false;
        if half.held_cost() > 0 {
            let mut work = Work {
                sink,
                shared: &mut self.shared,
                clock: self.clock,
                ids: &mut self.ids,
                next_id: &mut self.next_id,
            };
            flow.open(&mut work);
            let (half, mut ctx) = flow.half(direction, &mut work);
            half.give_up_all(&mut ctx);
        }
        true
    }

    /// Looks again at flows for which the slack has passed.
    #[inline]
    fn wake(&mut self, sink: &mut impl FlowSink) {
        while let Some((due, slot, serial)) = self.deadlines.front().copied() {
            if self.clock.age(due) < 0 {
                return;
            }
            self.deadlines.pop_front();
            if let Some(flow) = self.flows.get_mut(slot)
                && flow.serial == serial
                && flow.state != State::Ended
            {
                flow.armed = false;
                self.after(slot, sink);
            }
        }
    }

    /// Ends flows that were idle for longer than the limit.
    #[inline]
    fn expire(&mut self, sink: &mut impl FlowSink) {
        while let Some((slot, flow)) = self.flows.longest_idle() {
            if flow.unlinked || !self.idle(slot) {
                return;
            }
            self.end(slot, EndReason::Timeout, sink);
            self.unlink(slot);
            // Out of the way until it is buried.
            self.flows.touch(slot);
        }
    }

    /// Ends a flow, whose place is kept for its last packets.
    fn end(&mut self, slot: u32, reason: EndReason, sink: &mut impl FlowSink) {
        let Some(flow) = self.flows.get_mut(slot) else { return };
        if flow.state == State::Ended {
            return;
        }
        let reason = flow.end_reason(reason);
        let mut work = Work {
            sink,
            shared: &mut self.shared,
            clock: self.clock,
            ids: &mut self.ids,
            next_id: &mut self.next_id,
        };
        flow.end(reason, &mut work);
        self.ended.push((slot, flow.serial));
    }

    /// Takes an ended flow's place from it.
    fn unlink(&mut self, slot: u32) {
        let Some(flow) = self.flows.get_mut(slot) else { return };
        if self.keys.get(&flow.key) == Some(&slot) {
            self.keys.remove(&flow.key);
        }
        if self.last.is_some_and(|(_, last)| last == slot) {
            self.last = None;
        }
        flow.unlinked = true;
        // Perhaps a second time; burying it twice does nothing.
        self.ended.push((slot, flow.serial));
    }

    /// Forgets what was kept of ended flows until the next call.
    fn bury(&mut self) {
        for (slot, serial) in std::mem::take(&mut self.ended) {
            let Some(flow) = self.flows.get_mut(slot) else { continue };
            if flow.serial != serial {
                continue;
            }
            self.ids.remove(&flow.id);
            for half in &mut flow.halves {
                half.bury(&mut self.shared);
            }
            if flow.unlinked {
                self.flows.remove(slot);
            }
        }
    }

    /// The end of the capture: hands on what waits and the last holes, and ends every flow, in
    /// the order of their numbers.
    pub fn finish(&mut self, sink: &mut impl FlowSink) {
        self.bury();
        let mut slots: Vec<(FlowId, u64, u32)> =
            self.flows.iter().map(|(slot, flow)| (flow.id, flow.serial, slot)).collect();
        // Flows that were not opened yet have the highest number: they come last, in the order of
        // their first packets.
        slots.sort_unstable();
        for (_, _, slot) in slots {
            self.end(slot, EndReason::EndOfCapture(None), sink);
        }
    }

    /// The packets that hold any of the bytes `extents` of a direction, ascending, each once. For
    /// bytes that came more than once it is the packet that was first.
    ///
    /// Bytes that no packet holds (gaps), that were [released](FlowTable::release), or that are
    /// older than the limits' number of packets have none. A flow that ended during the last call
    /// of [`push`](FlowTable::push) or [`finish`](FlowTable::finish) can still be asked about. A segment that came in IP fragments counts as in the last of them.
    pub fn frames(&self, flow: FlowId, direction: Direction, extents: &Extents) -> Vec<u64> {
        match self.flow(flow) {
            Some(flow) => flow.halves[direction.index()].frames.frames(extents),
            None => Vec::new(),
        }
    }

    /// Which packet holds which bytes of `extents`, in the order of the extents; see
    /// [`FlowTable::frames`].
    pub fn spans(
        &self,
        flow: FlowId,
        direction: Direction,
        extents: &Extents,
    ) -> Vec<super::FrameSpan> {
        match self.flow(flow) {
            Some(flow) => flow.halves[direction.index()].frames.spans(extents),
            None => Vec::new(),
        }
    }

    /// The packet that holds the byte at `offset` of a direction; see [`FlowTable::frames`].
    pub fn frame_at(&self, flow: FlowId, direction: Direction, offset: u64) -> Option<u64> {
        self.flow(flow)?.halves[direction.index()].frames.frame_at(offset)
    }

    /// TCP sequence number of the byte at `offset` of a direction; `None` while it is not known which
    /// byte is the first, and of a flow that is over for longer than a call.
    pub fn sequence(&self, flow: FlowId, direction: Direction, offset: u64) -> Option<u32> {
        let origin = self.flow(flow)?.halves[direction.index()].origin?;
        Some(origin.wrapping_add(offset as u32))
    }

    /// Says that nothing before `offset` of a direction will be asked for again.
    pub fn release(&mut self, flow: FlowId, direction: Direction, offset: u64) {
        if let Some(slot) = self.ids.get(&flow)
            && let Some(flow) = self.flows.get_mut(*slot)
        {
            flow.halves[direction.index()].frames.release(offset, &mut self.shared.frames);
        }
    }

    /// Says that nobody wants the bytes of a flow: from now on nothing of it is held and no data,
    /// gap or byte-level anomaly is reported. Its end still is; of its counters, those that need
    /// the bytes (losses, out-of-order, conflicts) stand still.
    pub fn ignore(&mut self, flow: FlowId) {
        if let Some(slot) = self.ids.get(&flow)
            && let Some(flow) = self.flows.get_mut(*slot)
        {
            for half in &mut flow.halves {
                half.ignore(&mut self.shared);
            }
        }
    }

    /// The counters of a flow so far, client to server first; `None` when it is over.
    pub fn stats(&self, flow: FlowId) -> Option<[DirectionStats; 2]> {
        let flow = self.flow(flow)?;
        Some([flow.halves[0].stats(flow.last_time), flow.halves[1].stats(flow.last_time)])
    }

    /// Cost of all held segments.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.shared.buffered
    }

    /// Datagrams that wait for fragments, and what they hold.
    #[cfg(test)]
    pub(super) fn fragments(&self) -> (usize, usize) {
        (self.defragmenter.waiting(), self.defragmenter.held())
    }

    fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(*self.ids.get(&id)?)
    }
}
