//! What TCP did, as it happens: for those who ask for it ([`super::FlowTable::watch`]).
//!
//! Reassembly counts these things anyway. Here its counters are compared before and after a packet,
//! so that nobody who does not ask pays more than one question per packet.

use crate::base::{Direction, Timestamp};

use super::connection::{Flow, Work};
use super::event::{FlowSink, TcpEvent, TcpEventKind};
use super::half::Half;
use super::layer::{TcpPacket, flags};

/// Samples of a direction are at least so far apart.
const SAMPLE_NS: i64 = 100_000_000;

/// Equal acknowledgements that make a sender retransmit (RFC 5681 section 3.2).
const DUPLICATES: u32 = 3;

/// What was told of a flow, and what is gathered for the next sample.
#[derive(Debug, Default)]
pub(super) struct Watch {
    sides: [Side; 2],
}

/// One side: what it sent, and what it advertised.
#[derive(Debug, Default)]
struct Side {
    /// Its SYN was seen; holds the window scale option if there was one.
    syn: Option<Option<u8>>,
    /// The receive window it advertised last; `None` while the scale is not known.
    window: Option<u64>,
    raw_window: u16,
    last_ack: Option<u32>,
    duplicates: u32,
    zero_told: Option<Timestamp>,
    fin_told: bool,
    reset_told: bool,
    sampler: Sampler,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    time: Timestamp,
    frame: u64,
    in_flight: u64,
    window: Option<u64>,
    rtt_ns: Option<i64>,
}

/// Gathers an interval: most in flight, smallest window, longest round trip.
#[derive(Debug, Default)]
struct Sampler {
    since: Option<Timestamp>,
    gathered: Option<Sample>,
    told: Option<Sample>,
}

/// Counters of a half before a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    retransmissions: u64,
    out_of_order: u64,
    keep_alives: u64,
}

impl Before {
    pub(super) fn of(half: &Half) -> Before {
        Before {
            retransmissions: half.stats.retransmissions,
            out_of_order: half.stats.out_of_order,
            keep_alives: half.stats.keep_alives,
        }
    }
}

impl Flow {
    /// After a packet: tells what it did. `before` is of both halves, if the flow was open by then.
    pub(super) fn observe<S: FlowSink>(
        &mut self,
        tcp: &TcpPacket<'_>,
        from_low: bool,
        before: Option<[Before; 2]>,
        work: &mut Work<'_, S>,
    ) {
        let mut watch = self.watch.take().unwrap_or_default();
        let direction = self.direction(from_low);
        if tcp.has(flags::SYN) {
            watch.sides[direction.index()].syn = Some(tcp.window_scale);
        }
        let (id, time, frame) = (self.id, self.last_time, self.last_frame);
        let mut tell = |direction, time, frame, kind| {
            work.sink.tcp(id, TcpEvent { direction, time, frame, kind });
        };
        for kind in self.segment_events(tcp, direction, before.map(|b| b[direction.index()])) {
            tell(direction, time, frame, kind);
        }
        let reset = self.reset_by() == Some(direction) && tcp.has(flags::RST);
        let half = &self.halves[direction.index()];
        let side = &mut watch.sides[direction.index()];
        match (half.zero_window_since(), side.zero_told) {
            (Some(since), None) => {
                side.zero_told = Some(since);
                tell(direction, since, frame, TcpEventKind::ZeroWindow);
            }
            (None, Some(since)) => {
                side.zero_told = None;
                let after_ns = time.nanos_since(since).max(0);
                tell(direction, time, frame, TcpEventKind::WindowOpen { after_ns });
            }
            _ => {}
        }
        if half.fin.is_some() && !std::mem::replace(&mut side.fin_told, half.fin.is_some()) {
            tell(direction, time, frame, TcpEventKind::Fin);
        }
        if reset && !std::mem::replace(&mut side.reset_told, true) {
            tell(direction, time, frame, TcpEventKind::Reset);
        }
        if tcp.flags & (flags::ACK | flags::SYN | flags::RST) == flags::ACK {
            let peer = &self.halves[direction.reverse().index()];
            if watch.is_duplicate(tcp, direction, peer)
                && let Some(origin) = peer.origin
            {
                let offset = peer.offset_of(origin, tcp.acknowledgement).max(0) as u64;
                tell(direction, time, frame, TcpEventKind::DuplicateAck { offset });
            }
            watch.advertised(tcp, direction);
        }
        let both =
            [(direction, !tcp.payload.is_empty()), (direction.reverse(), tcp.has(flags::ACK))];
        for (direction, concerned) in both {
            if concerned && let Some(sample) = self.sample(&watch, direction) {
                let sampler = &mut watch.sides[direction.index()].sampler;
                if let Some(sample) = sampler.add(sample) {
                    tell(direction, sample.time, sample.frame, sample.kind());
                }
            }
        }
        self.watch = Some(watch);
    }

    /// At the end: the samples that are still being gathered.
    pub(super) fn observe_end<S: FlowSink>(&mut self, work: &mut Work<'_, S>) {
        let Some(mut watch) = self.watch.take() else { return };
        for direction in Direction::BOTH {
            if let Some(sample) = watch.sides[direction.index()].sampler.end() {
                let Sample { time, frame, .. } = sample;
                work.sink.tcp(self.id, TcpEvent { direction, time, frame, kind: sample.kind() });
            }
        }
    }

    fn segment_events(
        &self,
        tcp: &TcpPacket<'_>,
        direction: Direction,
        before: Option<Before>,
    ) -> impl Iterator<Item = TcpEventKind> + use<> {
        let half = &self.halves[direction.index()];
        let after = Before::of(half);
        let place = half.origin.map(|origin| half.offset_of(origin, tcp.sequence).max(0) as u64);
        let offset = place.unwrap_or(0);
        let len = tcp.payload.len() as u64 + u64::from(tcp.cut);
        let more =
            |count: fn(&Before) -> u64| before.is_some_and(|before| count(&after) > count(&before));
        let again = more(|b| b.retransmissions);
        let late = more(|b| b.out_of_order);
        let probe = more(|b| b.keep_alives);
        let kinds = [
            again.then_some(TcpEventKind::Retransmission { offset, len }),
            late.then_some(TcpEventKind::OutOfOrder { offset, len }),
            probe.then_some(TcpEventKind::KeepAlive),
        ];
        kinds.into_iter().flatten()
    }

    /// What a direction is like now; `None` before anything of it was acknowledged.
    fn sample(&self, watch: &Watch, direction: Direction) -> Option<Sample> {
        let half = &self.halves[direction.index()];
        half.origin.filter(|_| half.ack_seen)?;
        Some(Sample {
            time: self.last_time,
            frame: self.last_frame,
            in_flight: half.max_end.saturating_sub(half.acked),
            window: watch.sides[direction.reverse().index()].window,
            rtt_ns: half.last_rtt,
        })
    }
}

impl Watch {
    /// The receive window that `direction` advertises in a packet.
    fn advertised(&mut self, tcp: &TcpPacket<'_>, direction: Direction) {
        // RFC 7323 section 2.2: scaled only if both SYNs had the option.
        let shift = match (self.sides[direction.index()].syn, self.peer(direction).syn) {
            (Some(Some(shift)), Some(Some(_))) => Some(shift.min(14)),
            (Some(_), Some(_)) => Some(0),
            _ => None,
        };
        let side = &mut self.sides[direction.index()];
        side.raw_window = tcp.window;
        side.window = match shift {
            Some(shift) => Some(u64::from(tcp.window) << shift),
            // Zero is zero, whatever the scale.
            None => (tcp.window == 0).then_some(0),
        };
    }

    fn peer(&self, direction: Direction) -> &Side {
        &self.sides[direction.reverse().index()]
    }

    /// Whether a packet is the acknowledgement that makes `peer` retransmit.
    fn is_duplicate(&mut self, tcp: &TcpPacket<'_>, direction: Direction, peer: &Half) -> bool {
        let side = &mut self.sides[direction.index()];
        let same = side.last_ack == Some(tcp.acknowledgement)
            && side.raw_window == tcp.window
            && tcp.payload.is_empty()
            && tcp.cut == 0
            && !tcp.has(flags::FIN)
            && peer.max_end > peer.acked;
        side.last_ack = Some(tcp.acknowledgement);
        side.duplicates = if same { side.duplicates.saturating_add(1) } else { 0 };
        side.duplicates == DUPLICATES
    }
}

impl Sample {
    fn kind(&self) -> TcpEventKind {
        let Sample { in_flight, window, rtt_ns, .. } = *self;
        TcpEventKind::Sample { in_flight, window, rtt_ns }
    }

    fn same(&self, other: &Sample) -> bool {
        (self.in_flight, self.window, self.rtt_ns) == (other.in_flight, other.window, other.rtt_ns)
    }
}

impl Sampler {
    /// Adds what is now; gives the sample of the interval before when that is over.
    fn add(&mut self, now: Sample) -> Option<Sample> {
        if let (Some(since), Some(gathered)) = (self.since, &mut self.gathered)
            && (0..SAMPLE_NS).contains(&now.time.nanos_since(since))
        {
            let window = match (gathered.window, now.window) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let rtt_ns = gathered.rtt_ns.max(now.rtt_ns);
            if now.in_flight > gathered.in_flight {
                *gathered = now;
            }
            (gathered.window, gathered.rtt_ns) = (window, rtt_ns);
            return None;
        }
        let over = self.end();
        self.since = Some(now.time);
        self.gathered = Some(now);
        over
    }

    /// The sample that is being gathered, unless it says what the last one said.
    fn end(&mut self) -> Option<Sample> {
        let sample = self.gathered.take()?;
        if self.told.is_some_and(|told| told.same(&sample)) {
            return None;
        }
        self.told = Some(sample);
        self.told
    }
}
