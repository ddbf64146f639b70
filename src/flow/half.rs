//! One direction of a connection: what was sent, what of it was captured, what is still missing.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Direction, Timestamp};

use super::event::{DirectionStats, FlowId, FlowSink};
use super::frames::{FrameMap, PacketRing};
use super::limits::{
    EARLY_REACH, FAR, FlowLimits, HELD_OVERHEAD, MAX_EARLY, SLACK_NS, SLACK_PACKETS,
};

/// What all flows of a table share.
pub(super) struct Shared {
    pub(super) limits: FlowLimits,
    pub(super) ring: PacketRing,
    /// Cost of all segments held by all directions.
    pub(super) buffered: usize,
    /// Whether events of TCP are wanted.
    pub(super) watch: bool,
    /// Entries of all frame maps.
    pub(super) frames: usize,
}

/// Capture time to decide by. A single packet with a wrong time, as damaged captures have, must not
/// make everything look old, and after a pause nothing must look as old as the packet before the
/// pause: what happens is stamped with the later time of two packets, and its age is counted to the
/// earlier one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    earlier: Timestamp,
    later: Timestamp,
}

impl Clock {
    /// The clock at a packet, after the packet before it.
    #[inline]
    pub(super) fn new(previous: Timestamp, now: Timestamp) -> Clock {
        Clock { earlier: now.min(previous), later: now.max(previous) }
    }

    /// The time for something that happens now.
    #[inline]
    pub(super) fn stamp(self) -> Timestamp {
        self.later
    }

    /// Age in nanoseconds of what happened at `stamp`.
    #[inline]
    pub(super) fn age(self, stamp: Timestamp) -> i64 {
        self.earlier.nanos_since(stamp)
    }
}

/// Where and when something happens.
pub(super) struct Ctx<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) shared: &'a mut Shared,
    pub(super) flow: FlowId,
    pub(super) direction: Direction,
    /// The packet being processed.
    pub(super) frame: u64,
    pub(super) time: Timestamp,
    pub(super) clock: Clock,
    /// Packets of the flow so far.
    pub(super) packet: u64,
}

/// A segment with payload or FIN.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
    /// Payload bytes that a snap length cut from the end.
    pub(super) cut: u32,
    pub(super) fin: bool,
    /// Where `payload` begins in the buffer that the packet ring keeps for `frame`.
    pub(super) position: u32,
    pub(super) frame: u64,
    pub(super) time: Timestamp,
}

/// A segment that waits for a hole before it to close. Its bytes are a copy: a slice would keep
/// the reader's whole buffer alive, for as long as a hostile capture likes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Box<[u8]>,
    pub(super) cut: u32,
    pub(super) position: u32,
    pub(super) frame: u64,
    pub(super) time: Timestamp,
}

impl Held {
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + HELD_OVERHEAD
    }
}

/// A segment that came before it was known which byte of the direction is the first.
struct Early {
    sequence: u32,
    fin: bool,
    held: Held,
    packet: u64,
    stamp: Timestamp,
}

/// An acknowledgement past a hole, and when it came.
struct AckMark {
    acked: u64,
    packet: u64,
    stamp: Timestamp,
}

/// One direction of a flow. "The peer" is the side that receives it.
#[derive(Default)]
pub(super) struct Half {
    /// Wire sequence number of stream offset 0.
    pub(super) origin: Option<u32>,
    /// Whether `origin` is from a SYN.
    pub(super) syn: bool,
    /// Sequence number of the last packet, while there is no origin.
    pub(super) last_sequence: u32,
    /// Stream offset up to which everything was handed on, as bytes or as a gap.
    pub(super) next: u64,
    /// End of the farthest byte sent.
    pub(super) max_end: u64,
    /// What the peer acknowledged, as a stream offset.
    pub(super) acked: u64,
    pub(super) ack_seen: bool,
    /// The peer's last acknowledgement number, while there is no origin.
    raw_ack: Option<u32>,
    /// The first acknowledgement number after the peer's SYN, while there is no origin: when this
    /// side's SYN is missing from the capture, that is the best guess at where it begins.
    pub(super) first_ack: Option<u32>,
    /// An acknowledgement far beyond all data: believed when another one agrees.
    suspect_ack: Option<u64>,
    /// Acknowledgements past `next` that are younger than the slack.
    acks: VecDeque<AckMark>,
    /// What was acknowledged longer ago than the slack.
    pub(super) settled: u64,
    /// Segments behind holes, by stream offset; they do not overlap and lie at or after `next`.
    pub(super) pending: BTreeMap<u64, Held>,
    pub(super) pending_cost: usize,
    /// A segment too far ahead to believe it alone.
    pub(super) jump: Option<Box<(u64, Held)>>,
    early: Vec<Early>,
    early_cost: usize,
    /// Stream offset of the FIN.
    pub(super) fin: Option<u64>,
    /// FIN handed on.
    pub(super) fin_done: bool,
    /// FIN acknowledged.
    pub(super) fin_acked: bool,
    /// Number and time of the last packet of this direction.
    pub(super) last_frame: u64,
    pub(super) last_time: Timestamp,
    /// The last gaps as offset and end, to recognise what comes too late for them.
    pub(super) gaps: VecDeque<(u64, u64)>,
    pub(super) frames: FrameMap,
    /// Nobody wants the bytes.
    pub(super) ignored: bool,
    /// Whether the table's list of holders has this direction.
    pub(super) listed: bool,
    pub(super) stats: DirectionStats,
    rtt_sum: i64,
    rtt_count: i64,
    pub(super) last_rtt: Option<i64>,
    /// End offset and time of the segment whose acknowledgement is awaited.
    rtt_mark: Option<(u64, Timestamp)>,
    zero_since: Option<Timestamp>,
}

/// Whether a SYN can belong to the connection so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SynFit {
    /// It can: it is the first, a retransmission, or came late.
    Fits,
    /// It begins another connection.
    Differs,
}

impl Half {
    /// Counts a packet of this direction and follows its receive window.
    #[inline]
    pub(super) fn packet(&mut self, frame: u64, time: Timestamp, window: Option<u16>) {
        self.stats.packets += 1;
        self.last_frame = frame;
        self.last_time = time;
        match (window, self.zero_since) {
            (Some(0), None) => {
                self.stats.zero_window_spans += 1;
                self.zero_since = Some(time);
            }
            (Some(1..), Some(since)) => {
                self.stats.zero_window_ns += time.nanos_since(since).max(0);
                self.zero_since = None;
            }
            _ => {}
        }
    }

    /// Stream offset of a sequence number, next to what was handed on last; negative before the
    /// start.
    #[inline]
    pub(super) fn offset_of(&self, origin: u32, sequence: u32) -> i64 {
        let next = origin.wrapping_add(self.next as u32);
        self.next as i64 + i64::from(sequence.wrapping_sub(next) as i32)
    }

    /// How a SYN with initial sequence number `isn` relates to this direction.
    pub(super) fn syn_fit(&self, isn: u32) -> SynFit {
        let first = isn.wrapping_add(1);
        let fits = match (self.origin, self.syn) {
            (Some(origin), true) => origin == first,
            // Reordered: bytes of the connection came before its SYN.
            (Some(origin), false) => origin.wrapping_sub(first) <= EARLY_REACH,
            (None, _) if self.stats.packets == 0 => true,
            (None, _) => self.last_sequence.wrapping_sub(first) <= EARLY_REACH,
        };
        if fits { SynFit::Fits } else { SynFit::Differs }
    }

    /// Takes a SYN that [fits](Half::syn_fit). `mark` is the time to measure its round trip from.
    pub(super) fn on_syn<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, isn: u32) {
        let retransmitted = self.syn;
        if self.origin.is_none() {
            self.start(ctx, isn.wrapping_add(1));
        }
        if self.origin == Some(isn.wrapping_add(1)) {
            self.syn = true;
        }
        if retransmitted {
            self.stats.retransmissions += 1;
            self.rtt_mark = None;
        } else if self.max_end == 0 && !self.ack_seen {
            self.rtt_mark = Some((0, ctx.time));
        }
    }

    /// Decides which sequence number is stream offset 0 and takes what had waited for that.
    pub(super) fn start<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, origin: u32) {
        self.origin = Some(origin);
        if let Some(ack) = self.raw_ack.take() {
            self.on_ack(ack, ctx.time, ctx.clock, ctx.packet);
        }
        ctx.shared.buffered -= std::mem::take(&mut self.early_cost);
        for early in std::mem::take(&mut self.early) {
            let segment = Segment {
                sequence: early.sequence,
                payload: &early.held.bytes,
                cut: early.held.cut,
                fin: early.fin,
                position: early.held.position,
                frame: early.held.frame,
                time: early.held.time,
            };
            self.segment(ctx, &segment);
        }
    }

    /// A capture that begins within a connection: its first packets may be out of order, so that
    /// the first byte is decided a little later.
    pub(super) fn hold_early<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>, segment: &Segment<'_>) {
        if self.ignored {
            return self.start(ctx, segment.sequence);
        }
        let held = Held {
            bytes: segment.payload.into(),
            cut: segment.cut,
            position: segment.position,
            frame: segment.frame,
            time: segment.time,
        };
        self.early_cost += held.cost();
        ctx.shared.buffered += held.cost();
        self.early.push(Early {
            sequence: segment.sequence,
            fin: segment.fin,
            held,
            packet: ctx.packet,
            stamp: ctx.clock.stamp(),
        });
    }

    /// Whether segments wait for the first byte to be decided.
    pub(super) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    /// Whether they have waited long enough.
    pub(super) fn early_due(&self, packet: u64, clock: Clock) -> bool {
        self.early.first().is_some_and(|first| {
            packet - first.packet >= SLACK_PACKETS
                || clock.age(first.stamp) >= SLACK_NS
                || self.early_cost >= MAX_EARLY
        })
    }

    /// Decides the first byte, if segments wait for that.
    pub(super) fn start_early<S: FlowSink>(&mut self, ctx: &mut Ctx<'_, S>) {
        let Some(first) = self.early.first() else { return };
        let others = self.early.iter().map(|early| early.sequence).chain(self.first_ack);
        let before = others.map(|sequence| first.sequence.wrapping_sub(sequence));
        let reach = before.filter(|before| *before <= EARLY_REACH).max().unwrap_or(0);
        self.start(ctx, first.sequence.wrapping_sub(reach));
    }

    /// Takes the peer's acknowledgement number.
    #[inline]
    pub(super) fn on_ack(&mut self, ack: u32, time: Timestamp, clock: Clock, packet: u64) {
        let Some(origin) = self.origin else {
            self.raw_ack = Some(ack);
            return;
        };
        let acked = self.offset_of(origin, ack);
        if acked < self.acked as i64 || (self.ack_seen && acked == self.acked as i64) {
            return;
        }
        let mut acked = acked as u64;
        if let Some(fin) = self.fin
            && acked > fin
        {
            self.fin_acked = true;
            acked = fin;
        }
        if acked > self.max_end.max(self.acked).saturating_add(FAR) {
            // Nobody acknowledges what far exceeds any window, unless much of the capture is
            // missing; a stray packet of another connection may seem to.
            let jumps = self.jump.as_ref().is_some_and(|jump| acked.abs_diff(jump.0) <= FAR);
            let again = self.suspect_ack.is_some_and(|ack| acked.abs_diff(ack) <= FAR);
            self.suspect_ack = Some(acked);
            if !jumps && !again {
                return;
            }
        }
        self.ack_seen = true;
        self.acked = acked;
        if let Some((end, since)) = self.rtt_mark
            && acked >= end
        {
            self.rtt_mark = None;
            self.round_trip(time.nanos_since(since));
        }
        if acked > self.next {
            self.note_acked(acked, packet, clock);
        }
    }

    /// Notes that everything up to `acked`, which is past a hole, was received.
    pub(super) fn note_acked(&mut self, acked: u64, packet: u64, clock: Clock) {
        if self.acks.len() as u64 >= SLACK_PACKETS
            && let Some(old) = self.acks.pop_front()
        {
            self.settled = self.settled.max(old.acked);
        }
        self.acks.push_back(AckMark { acked, packet, stamp: clock.stamp() });
    }

    /// Moves acknowledgements older than the slack to `settled`.
    pub(super) fn age_acks(&mut self, packet: u64, clock: Clock) {
        while let Some(mark) = self.acks.front() {
            if packet - mark.packet < SLACK_PACKETS && clock.age(mark.stamp) < SLACK_NS {
                break;
            }
            self.settled = self.settled.max(mark.acked);
            self.acks.pop_front();
        }
    }

    /// Whether acknowledgements wait for the slack to pass.
    pub(super) fn has_acks(&self) -> bool {
        !self.acks.is_empty()
    }

    fn round_trip(&mut self, ns: i64) {
        if ns < 0 {
            return;
        }
        self.last_rtt = Some(ns);
        let stats = &mut self.stats;
        stats.rtt_min_ns = Some(stats.rtt_min_ns.map_or(ns, |min| min.min(ns)));
        stats.rtt_max_ns = Some(stats.rtt_max_ns.map_or(ns, |max| max.max(ns)));
        self.rtt_sum = self.rtt_sum.saturating_add(ns);
        self.rtt_count += 1;
    }

    /// Notes that bytes up to `end` were sent at `time`.
    #[inline]
    pub(super) fn sent(&mut self, end: u64, time: Timestamp) {
        if end <= self.max_end {
            return;
        }
        self.max_end = end;
        if self.ack_seen {
            let in_flight = end.saturating_sub(self.acked);
            self.stats.max_in_flight = self.stats.max_in_flight.max(in_flight);
        }
        if self.rtt_mark.is_none() && end > self.acked {
            self.rtt_mark = Some((end, time));
        }
    }

    /// Counts a retransmission; Karn: a round trip cannot be told from it.
    pub(super) fn retransmitted(&mut self, offset: i64) {
        self.stats.retransmissions += 1;
        if self.rtt_mark.is_some_and(|(end, _)| offset < end as i64) {
            self.rtt_mark = None;
        }
    }

    /// Since when this side's window is closed.
    pub(super) fn zero_window_since(&self) -> Option<Timestamp> {
        self.zero_since
    }

    /// Whether something waits here that time or further packets may decide.
    #[inline]
    pub(super) fn waits(&self) -> bool {
        !self.pending.is_empty() || !self.early.is_empty() || self.fin.is_some()
    }

    /// Cost of all segments held.
    pub(super) fn held_cost(&self) -> usize {
        self.pending_cost + self.early_cost
    }

    /// Stops handing on bytes and drops what waits.
    pub(super) fn ignore(&mut self, shared: &mut Shared) {
        self.ignored = true;
        shared.buffered -= self.held_cost();
        self.pending.clear();
        self.pending_cost = 0;
        if let Some(first) = self.early.first() {
            self.origin = Some(first.sequence);
        }
        self.early = Vec::new();
        self.early_cost = 0;
        self.jump = None;
        self.acks = VecDeque::new();
        self.next = self.next.max(self.max_end);
        self.frames.clear(&mut shared.frames);
    }

    /// Drops what nobody will ask for after the end.
    pub(super) fn bury(&mut self, shared: &mut Shared) {
        self.frames.clear(&mut shared.frames);
        self.acks = VecDeque::new();
        self.gaps = VecDeque::new();
    }

    /// The counters so far; a zero window that is still open counts up to `time`.
    pub(super) fn stats(&self, time: Timestamp) -> DirectionStats {
        let mut stats = self.stats.clone();
        if self.rtt_count > 0 {
            stats.rtt_mean_ns = Some(self.rtt_sum / self.rtt_count);
        }
        if let Some(since) = self.zero_since {
            stats.zero_window_ns += time.nanos_since(since).max(0);
        }
        stats
    }
}
