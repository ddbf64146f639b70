//! What networks and capture programs do to a connection.

use std::ops::Range;

use bytes::Bytes;
use rtmpscope::base::Direction;

use super::packets::{ACK, Segment, Trace};
use super::rng::Rng;

impl Trace {
    /// Indices of the segments with payload.
    pub fn data(&self) -> Vec<usize> {
        (0..self.segments.len()).filter(|i| self.segments[*i].is_data()).collect()
    }

    /// Indices of the segments of one direction with payload.
    pub fn data_of(&self, direction: Direction) -> Vec<usize> {
        let own = |i: &usize| self.segments[*i].direction == direction;
        self.data().into_iter().filter(own).collect()
    }

    /// Index of the first segment that holds stream byte `offset`.
    pub fn segment_at(&self, direction: Direction, offset: u64) -> usize {
        let holds = |s: &Segment| s.direction == direction && s.range().contains(&offset);
        self.segments.iter().position(holds).expect("a segment with that byte")
    }

    /// The capture misses these segments; the peer got and acknowledged them.
    pub fn drop_from_capture(&mut self, indices: &[usize]) -> &mut Self {
        let mut index = 0;
        self.segments.retain(|_| {
            index += 1;
            !indices.contains(&(index - 1))
        });
        self
    }

    /// Segment `index` is lost before the capture and comes again after `later` more data segments
    /// of its direction; meanwhile the peer acknowledges only what it has.
    pub fn lose_on_network(&mut self, index: usize, later: usize) -> &mut Self {
        let mut lost = self.segments.remove(index);
        let mut at = index;
        let mut left = later;
        while at < self.segments.len() && left > 0 {
            let segment = &self.segments[at];
            left -= usize::from(segment.is_data() && segment.direction == lost.direction);
            at += 1;
        }
        lost.time_ns = self.time_before(at);
        self.segments.insert(at, lost);
        self.acknowledge_what_came()
    }

    /// Segment `index` is lost for good: never seen again, never acknowledged.
    pub fn lose_for_good(&mut self, index: usize) -> &mut Self {
        self.segments.remove(index);
        self.acknowledge_what_came()
    }

    /// Segments `first` and `second` overtake each other before the capture.
    pub fn swap(&mut self, first: usize, second: usize) -> &mut Self {
        self.segments.swap(first, second);
        let time = self.segments[first].time_ns;
        self.segments[first].time_ns = self.segments[second].time_ns;
        self.segments[second].time_ns = time;
        self.acknowledge_what_came()
    }

    /// Shuffles the data segments of each flight: those of one direction with nothing from the
    /// other side in between, so that what is acknowledged had come.
    pub fn shuffle_flights(&mut self, rng: &mut Rng) -> &mut Self {
        let mut start = 0;
        while start < self.segments.len() {
            let first = &self.segments[start];
            let (direction, ack) = (first.direction, first.ack);
            let same = |s: &Segment| s.is_data() && s.direction == direction && s.ack == ack;
            let len = self.segments[start..].iter().take_while(|s| same(s)).count();
            if len > 1 {
                let flight = &mut self.segments[start..start + len];
                let times: Vec<i64> = flight.iter().map(|s| s.time_ns).collect();
                rng.shuffle(flight);
                for (segment, time) in flight.iter_mut().zip(times) {
                    segment.time_ns = time;
                }
            }
            start += len.max(1);
        }
        self
    }

    /// Segment `index` is seen again after `later` more segments.
    pub fn duplicate(&mut self, index: usize, later: usize) -> &mut Self {
        let mut again = self.segments[index].clone();
        let at = (index + 1 + later).min(self.segments.len());
        again.time_ns = self.time_before(at);
        self.segments.insert(at, again);
        self
    }

    /// Segment `index` also carries up to `before` bytes from before it and `after` from after it.
    pub fn widen(&mut self, index: usize, before: usize, after: usize) -> &mut Self {
        let segment = &mut self.segments[index];
        let stream = &self.streams[segment.direction.index()];
        let range = segment.range();
        let start = (range.start as usize).saturating_sub(before);
        let end = stream.len().min(range.end as usize + after);
        segment.seq = start as i64;
        segment.payload = stream.slice(start..end);
        self
    }

    /// After segment `index` comes another version of its bytes: the first must win.
    pub fn contradict(&mut self, index: usize) -> &mut Self {
        let mut other = self.segments[index].clone();
        other.payload = other.payload.iter().map(|byte| byte ^ 0x5a).collect::<Vec<_>>().into();
        other.time_ns += 1000;
        self.segments.insert(index + 1, other);
        self
    }

    /// Cuts the data segments anew, at random lengths up to `max`, within their flights.
    pub fn resplit(&mut self, rng: &mut Rng, max: usize) -> &mut Self {
        let joined = self.joined(usize::MAX);
        self.segments.clear();
        for segment in joined {
            let mut at = 0;
            let len = segment.payload.len();
            if len == 0 {
                self.segments.push(segment);
                continue;
            }
            while at < len {
                let to = len.min(at + rng.between(1, max));
                self.segments.push(Segment {
                    seq: segment.seq + at as i64,
                    payload: segment.payload.slice(at..to),
                    time_ns: segment.time_ns + at as i64,
                    ..segment.clone()
                });
                at = to;
            }
        }
        self
    }

    /// Joins neighbouring segments up to `max` bytes, as receive offload does: long IP packets.
    pub fn coalesce(&mut self, max: usize) -> &mut Self {
        self.segments = self.joined(max);
        self
    }

    /// The same with the IP length field 0, as captures before transmit offload have it.
    pub fn offload(&mut self, max: usize) -> &mut Self {
        self.coalesce(max);
        let full = self.net.mss;
        for segment in &mut self.segments {
            segment.offload = segment.payload.len() > full;
        }
        self
    }

    /// The capture keeps `len` bytes of each frame.
    pub fn snaplen(&mut self, len: usize) -> &mut Self {
        self.segments.iter_mut().for_each(|segment| segment.snaplen = Some(len));
        self
    }

    /// The capture begins with segment `index`.
    pub fn start_at(&mut self, index: usize) -> &mut Self {
        self.segments.drain(..index);
        self
    }

    /// The capture has one direction only.
    pub fn only(&mut self, direction: Direction) -> &mut Self {
        self.segments.retain(|segment| segment.direction == direction);
        self
    }

    /// Before segment `index` its side probes the idle peer: one old byte, or none.
    pub fn keep_alive(&mut self, index: usize, bytes: usize) -> &mut Self {
        let segment = &self.segments[index];
        let (direction, seq) = (segment.direction, segment.seq);
        if seq > 0 {
            let stream = &self.streams[direction.index()];
            let old = stream.slice(seq as usize - 1..(seq as usize - 1 + bytes).min(stream.len()));
            let probe = Segment {
                seq: seq - 1,
                payload: old,
                flags: ACK,
                time_ns: segment.time_ns - 1000,
                ..segment.clone()
            };
            self.segments.insert(index, probe);
        }
        self
    }

    /// Stream bytes that no captured segment holds.
    pub fn missing(&self) -> [Vec<Range<u64>>; 2] {
        let header = self.header_len();
        Direction::BOTH.map(|direction| {
            let mut seen: Vec<Range<u64>> = self
                .segments
                .iter()
                .filter(|segment| segment.direction == direction)
                .map(|segment| {
                    let range = segment.range();
                    let kept =
                        segment.snaplen.map_or(u64::MAX, |len| (len as u64).saturating_sub(header));
                    range.start..range.end.min(range.start.saturating_add(kept))
                })
                .filter(|range| !range.is_empty())
                .collect();
            seen.sort_by_key(|range| range.start);
            let mut missing = Vec::new();
            let mut at = 0;
            for range in seen {
                if range.start > at {
                    missing.push(at..range.start);
                }
                at = at.max(range.end);
            }
            let len = self.streams[direction.index()].len() as u64;
            if at < len {
                missing.push(at..len);
            }
            missing
        })
    }

    /// Bytes before the payload in a frame that is not a SYN.
    fn header_len(&self) -> u64 {
        let frame = Segment {
            time_ns: 0,
            direction: Direction::ClientToServer,
            seq: 0,
            ack: 0,
            flags: ACK,
            payload: Bytes::new(),
            offload: false,
            snaplen: None,
        };
        let one = Trace { segments: vec![frame], ..self.clone() };
        one.frames()[0].data.len() as u64
    }

    fn joined(&self, max: usize) -> Vec<Segment> {
        let mut out: Vec<Segment> = Vec::new();
        for segment in &self.segments {
            if let Some(last) = out.last_mut()
                && last.is_data()
                && segment.is_data()
                && last.direction == segment.direction
                && last.seq + last.payload.len() as i64 == segment.seq
                && last.payload.len() + segment.payload.len() <= max
            {
                last.payload = [&last.payload[..], &segment.payload[..]].concat().into();
                last.flags |= segment.flags;
                continue;
            }
            out.push(segment.clone());
        }
        out
    }

    /// Time for a segment to be inserted at `index`.
    fn time_before(&self, index: usize) -> i64 {
        index.checked_sub(1).map_or(0, |before| self.segments[before].time_ns + 1000)
    }

    /// Lowers acknowledgements to what had come in the order of the capture.
    fn acknowledge_what_came(&mut self) -> &mut Self {
        let mut came: [Vec<Range<i64>>; 2] = Default::default();
        let mut next = [0_i64; 2];
        for segment in &mut self.segments {
            let (own, peer) = (segment.direction.index(), segment.direction.reverse().index());
            segment.ack = segment.ack.min(next[peer].max(0));
            let end = segment.seq + segment.payload.len() as i64;
            came[own].push(segment.seq..end + i64::from(segment.flags & super::packets::FIN != 0));
            while let Some(more) =
                came[own].iter().find(|r| r.start <= next[own] && r.end > next[own])
            {
                next[own] = more.end;
            }
            came[own].retain(|range| range.end > next[own]);
        }
        self
    }
}
