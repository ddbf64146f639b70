//! What TCP did in one direction, when the pipeline tells of it (`analysis::Options::tcp`).

use crate::analysis::TcpRecord;
use crate::base::Timestamp;
use crate::flow::TcpEventKind;
use crate::lint::finding::Place;

/// TCP of one side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transmission {
    /// Segments sent again.
    pub retransmissions: u64,
    /// The bytes that were sent again last, and how often in a row.
    pub stuck: Option<Stuck>,
    /// Where its receive window closed, while it is.
    pub window_closed: Option<Place>,
    /// Where its window closed for longest, and for how many nanoseconds.
    pub longest_closed: Option<(Place, i64)>,
    /// Times that it asked for a missing segment.
    pub duplicate_acks: u64,
    /// Bytes in flight in the last sample, and the most of all.
    pub in_flight: u64,
    /// The most of all samples.
    pub max_in_flight: u64,
    /// Shortest round trip of all samples, in nanoseconds.
    pub min_rtt_ns: Option<i64>,
    /// Round trip of the last sample that has one.
    pub last_rtt_ns: Option<i64>,
    /// When the peer last acknowledged bytes that were sent once.
    pub acknowledged: Option<Timestamp>,
    /// When it was last heard of below RTMP.
    pub last: Option<Timestamp>,
}

/// Bytes that are sent again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Stream offset of the first byte.
    pub offset: u64,
    /// Payload bytes of the segment.
    pub len: u64,
    /// The first time that they were sent again.
    pub first: Place,
    /// When they were sent last.
    pub last: Timestamp,
    /// How often they were sent again.
    pub count: u32,
}

impl Transmission {
    /// Takes note of an event of this side.
    pub(super) fn event(&mut self, record: &TcpRecord) {
        let place = || Place {
            frames: vec![record.frame],
            ..Place::at(record.time, Some(record.direction))
        };
        match record.kind {
            TcpEventKind::Retransmission { offset, len } => {
                self.retransmissions += 1;
                match &mut self.stuck {
                    Some(stuck) if stuck.offset == offset => {
                        stuck.count += 1;
                        stuck.last = record.time;
                    }
                    stuck => {
                        let first =
                            Place { bytes: Some(offset..offset.saturating_add(len)), ..place() };
                        let last = record.time;
                        *stuck = Some(Stuck { offset, len, first, last, count: 1 });
                    }
                }
            }
            TcpEventKind::ZeroWindow => self.window_closed = Some(place()),
            TcpEventKind::WindowOpen { after_ns } => {
                let closed = self.window_closed.take();
                let longest = self.longest_closed.as_ref().map_or(0, |(_, ns)| *ns);
                if let Some(closed) = closed.filter(|_| after_ns > longest) {
                    self.longest_closed = Some((closed, after_ns));
                }
            }
            TcpEventKind::DuplicateAck { .. } => self.duplicate_acks += 1,
            TcpEventKind::Sample { in_flight, rtt_ns, .. } => {
                self.in_flight = in_flight;
                self.max_in_flight = self.max_in_flight.max(in_flight);
                if let Some(rtt) = rtt_ns {
                    self.min_rtt_ns = Some(self.min_rtt_ns.map_or(rtt, |min| min.min(rtt)));
                    self.last_rtt_ns = Some(rtt);
                    self.acknowledged = Some(record.time);
                }
                // A sample is about what the peer acknowledged as well: no sign of this side.
                return;
            }
            _ => {}
        }
        self.last = Some(record.time);
    }
}
