//! Stream bytes of one session, caught as they go by.

use std::net::SocketAddr;
use std::ops::Range;

use crate::base::{Direction, Timestamp};

/// What to catch. A session is known by its peers and its first packet, which stay the same however
/// much of the capture before it is left out.
#[derive(Clone, Debug)]
pub(super) struct Catch {
    pub peers: [SocketAddr; 2],
    pub frame: u64,
    pub direction: Direction,
    /// Ranges of the session's stream, ascending and apart.
    pub ranges: Vec<Range<u64>>,
}

/// Bytes that were caught.
#[derive(Clone, Debug)]
pub(super) struct Caught {
    pub offset: u64,
    pub time: Timestamp,
    pub bytes: Vec<u8>,
}

/// A [`Catch`] at work in a session.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    catch: Catch,
    /// Offset of the next byte.
    at: u64,
    pub caught: Vec<Caught>,
}

impl Tap {
    pub fn new(catch: Catch) -> Tap {
        Tap { catch, at: 0, caught: Vec::new() }
    }

    /// The next bytes of a direction.
    pub fn data(&mut self, direction: Direction, time: Timestamp, bytes: &[u8]) {
        if direction != self.catch.direction {
            return;
        }
        let (start, end) = (self.at, self.at + bytes.len() as u64);
        self.at = end;
        let ranges = &self.catch.ranges;
        let first = ranges.partition_point(|range| range.end <= start);
        for range in ranges[first..].iter().take_while(|range| range.start < end) {
            let (from, to) = (range.start.max(start), range.end.min(end));
            let bytes = bytes[(from - start) as usize..(to - start) as usize].to_vec();
            self.caught.push(Caught { offset: from, time, bytes });
        }
    }

    /// `len` bytes of a direction are missing.
    pub fn gap(&mut self, direction: Direction, len: u64) {
        if direction == self.catch.direction {
            self.at += len;
        }
    }

    /// The direction that is looked at.
    pub fn direction(&self) -> Direction {
        self.catch.direction
    }

    /// Whether the stream is past all that is wanted.
    pub fn is_done(&self) -> bool {
        self.catch.ranges.last().is_none_or(|range| range.end <= self.at)
    }
}
