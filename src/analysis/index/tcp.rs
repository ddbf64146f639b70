//! What TCP did in a session, in bounded memory.

use crate::analysis::record::TcpRecord;
use crate::base::{Direction, Timestamp};
use crate::flow::TcpEventKind;

/// Most events that a session keeps.
const MAX_EVENTS: usize = 1 << 13;
/// Most samples of a direction; when there are more the interval doubles.
const MAX_SAMPLES: usize = 1 << 12;
/// The interval at first: how often reassembly gives one.
const FIRST_NS: i64 = 100_000_000;

/// What TCP did in a session. Empty unless the pipeline was asked for it
/// ([`Options::tcp`](crate::analysis::Options::tcp)).
#[derive(Clone, Debug, Default)]
pub struct TcpFacts {
    /// Everything but samples, in order.
    pub events: Vec<TcpRecord>,
    /// Events that did not fit.
    pub dropped: u64,
    samples: [Samples; 2],
}

/// The samples of a direction: one for each interval in which something was told.
#[derive(Clone, Debug, Default)]
struct Samples {
    list: Vec<TcpSample>,
    /// 0 until the list was full for the first time.
    interval_ns: i64,
    /// When the interval of the last one began.
    since: Timestamp,
}

/// How a direction stood, for about a tenth of a second or, of a long session, a longer interval:
/// the most in flight, the smallest window and the longest round trip of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSample {
    /// When most was in flight.
    pub time: Timestamp,
    in_flight: u32,
    window: u32,
    rtt_us: u32,
}

/// Stands for a number that is not known.
const UNKNOWN: u32 = u32::MAX;

impl TcpSample {
    /// Bytes sent and not acknowledged.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.into()
    }

    /// The receiver's window in bytes; `None` when the capture does not tell its scale.
    pub fn window(&self) -> Option<u64> {
        (self.window != UNKNOWN).then_some(self.window.into())
    }

    /// Round trip in nanoseconds, to within a microsecond.
    pub fn rtt_ns(&self) -> Option<i64> {
        (self.rtt_us != UNKNOWN).then(|| i64::from(self.rtt_us) * 1000)
    }

    fn join(&mut self, other: TcpSample) {
        if other.in_flight > self.in_flight {
            (self.time, self.in_flight) = (other.time, other.in_flight);
        }
        // The unknown one is the largest number.
        self.window = self.window.min(other.window);
        self.rtt_us = match (self.rtt_us, other.rtt_us) {
            (UNKNOWN, rtt) | (rtt, UNKNOWN) => rtt,
            (a, b) => a.max(b),
        };
    }
}

impl TcpFacts {
    /// The samples of a direction, in order of time.
    pub fn samples(&self, direction: Direction) -> &[TcpSample] {
        &self.samples[direction.index()].list
    }

    /// Bytes of memory.
    pub fn memory(&self) -> usize {
        let samples: usize = self.samples.iter().map(|samples| samples.list.capacity()).sum();
        self.events.capacity() * size_of::<TcpRecord>() + samples * size_of::<TcpSample>()
    }

    pub(super) fn push(&mut self, record: &TcpRecord) {
        let TcpEventKind::Sample { in_flight, window, rtt_ns } = record.kind else {
            match self.events.len() < MAX_EVENTS {
                true => self.events.push(record.clone()),
                false => self.dropped += 1,
            }
            return;
        };
        let small = |number: u64| u32::try_from(number).unwrap_or(UNKNOWN).min(UNKNOWN - 1);
        self.samples[record.direction.index()].push(TcpSample {
            time: record.time,
            in_flight: small(in_flight),
            window: window.map_or(UNKNOWN, small),
            rtt_us: rtt_ns.map_or(UNKNOWN, |ns| small(ns.max(0) as u64 / 1000)),
        });
    }
}

impl Samples {
    fn push(&mut self, sample: TcpSample) {
        if let Some(last) = self.list.last_mut()
            && sample.time.nanos_since(self.since) < self.interval_ns
        {
            return last.join(sample);
        }
        if self.list.len() >= MAX_SAMPLES {
            self.interval_ns = (2 * self.interval_ns).max(2 * FIRST_NS);
            self.thin();
        }
        self.since = sample.time;
        self.list.push(sample);
    }

    /// Makes each two neighbours one.
    fn thin(&mut self) {
        let mut to = 0;
        for from in (0..self.list.len()).step_by(2) {
            let mut sample = self.list[from];
            if let Some(next) = self.list.get(from + 1) {
                sample.join(*next);
            }
            self.list[to] = sample;
            to += 1;
        }
        self.list.truncate(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(number: u64) -> TcpRecord {
        TcpRecord {
            session: 1,
            direction: Direction::ClientToServer,
            time: Timestamp(number as i64 * 100_000_000),
            frame: number + 1,
            kind: TcpEventKind::Sample {
                in_flight: if number == 777 { 1 << 20 } else { 100 },
                window: Some(if number == 1234 { 0 } else { 65_535 }),
                rtt_ns: (number >= 4000).then_some(if number == 5000 { 90_000 } else { 20_000 }),
            },
        }
    }

    #[test]
    fn many_samples_keep_their_extremes() {
        let mut facts = TcpFacts::default();
        for number in 0..100_000 {
            facts.push(&sample(number));
        }
        let samples = facts.samples(Direction::ClientToServer);
        assert!((MAX_SAMPLES / 2..=MAX_SAMPLES).contains(&samples.len()), "{}", samples.len());
        assert!(samples.is_sorted_by_key(|sample| sample.time));
        let most = samples.iter().max_by_key(|sample| sample.in_flight()).unwrap();
        assert_eq!((most.in_flight(), most.time), (1 << 20, sample(777).time));
        assert_eq!(samples.iter().filter(|sample| sample.window() == Some(0)).count(), 1);
        assert_eq!(samples.iter().filter_map(TcpSample::rtt_ns).max(), Some(90_000));
        // The first and the last hour are as fine as each other.
        let gaps = samples.windows(2).map(|pair| pair[1].time.nanos_since(pair[0].time));
        assert!(gaps.max().unwrap() <= 2 * 32 * FIRST_NS);
        assert!(samples[0].rtt_ns().is_none());
        assert!(facts.samples(Direction::ServerToClient).is_empty());
    }

    #[test]
    fn events_are_bounded() {
        let mut facts = TcpFacts::default();
        for number in 0..MAX_EVENTS as u64 + 5 {
            facts.push(&TcpRecord { kind: TcpEventKind::KeepAlive, ..sample(number) });
        }
        assert_eq!((facts.events.len(), facts.dropped), (MAX_EVENTS, 5));
    }
}
