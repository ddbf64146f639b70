//! Stream bytes out of packets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use bytes::Bytes;

use super::replay::Replay;
use crate::analysis::index::{Index, SessionIndex};
use crate::analysis::tap::Catch;
use crate::base::{Direction, PacketSource, Timestamp};
use crate::flow::SegmentReader;

/// Packets read beyond the last one, to find copies of its bytes that came after it.
const BEYOND: u64 = 256;
/// Packets read before the first one, when that turns out to be the last fragment of a datagram.
const BEFORE: u64 = 1024;
/// Packets read from each end of a message: between the chunks of one message may lie an hour of
/// other connections.
const MAX_PACKETS: u64 = 1 << 19;
/// A segment further than this from the ones before it is no part of the stream there.
const FAR: i64 = 16 << 20;

/// Where bytes came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The bytes: a range of the payload, of the chunk header or of the handshake.
    pub range: Range<usize>,
    /// Stream offset of the first of them.
    pub offset: u64,
    /// The packet.
    pub frame: u64,
    /// Where they begin in the packet's data; `None` when it is a part of a datagram that came in
    /// several IP fragments, of which `frame` is the last.
    pub position: Option<usize>,
}

/// Bytes that came again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Stream offset of the first of them.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
    /// The packet.
    pub frame: u64,
    /// Where they begin in the packet's data; see [`Source::position`].
    pub position: Option<usize>,
}

/// What to look for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// Ranges of a TCP stream.
    Stream(Segments),
    /// Ranges of a stream above layers.
    Above(Box<Replay>),
}

/// Ranges of a TCP stream.
#[derive(Clone, Debug)]
pub(super) struct Segments {
    source: SocketAddr,
    destination: SocketAddr,
    /// Sequence number of stream offset 0.
    origin: u32,
    frames: Range<u64>,
    /// Stream ranges, ascending and apart.
    ranges: Vec<Range<u64>>,
}

/// Bytes that one packet was the first to bring.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub bytes: Bytes,
    pub frame: u64,
    pub time: Timestamp,
    pub position: Option<usize>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By stream offset; they do not overlap.
    pub(super) pieces: BTreeMap<u64, Piece>,
    pub repeats: Vec<Repeat>,
}

impl Wanted {
    /// `ranges` of a direction of a session, without what reassembly gave up there.
    pub(super) fn new(
        index: &Index,
        session: &SessionIndex,
        direction: Direction,
        frames: Range<u64>,
        ranges: impl Iterator<Item = Range<u64>>,
    ) -> Result<Wanted, String> {
        let info = &session.session;
        if info.transport.is_layered() {
            let catch = Catch {
                peers: [info.client, info.server],
                frame: info.frame,
                direction,
                ranges: join(ranges),
            };
            let (options, last) = (index.options.clone(), frames.end);
            return Ok(Wanted::Above(Box::new(Replay { options, catch, last })));
        }
        let Some(origin) = session.origins[direction.index()] else {
            return Err(format!(
                "session {}: the sequence numbers of its packets are not known",
                session.number()
            ));
        };
        let (client, server) = (session.session.client, session.session.server);
        let (source, destination) = match direction {
            Direction::ClientToServer => (client, server),
            Direction::ServerToClient => (server, client),
        };
        let ranges = without(join(ranges), &gaps(session, direction));
        Ok(Wanted::Stream(Segments { source, destination, origin, frames, ranges }))
    }

    /// TCP sequence number of a stream offset.
    pub(super) fn sequence(&self, offset: u64) -> Option<u32> {
        match self {
            Wanted::Stream(segments) => Some(segments.origin.wrapping_add(offset as u32)),
            Wanted::Above(_) => None,
        }
    }

    /// Reads the packets, and a few more for what came again.
    pub(super) fn find(&self, packets: &mut dyn PacketSource) -> Result<Found, String> {
        match self {
            Wanted::Stream(segments) => segments.find(packets),
            Wanted::Above(replay) => replay.find(packets),
        }
    }
}

impl Segments {
    fn find(&self, packets: &mut dyn PacketSource) -> Result<Found, String> {
        let mut found = self.walk(self.frames.start, packets)?;
        let first = self.frames.start;
        // The first packet holds some of the bytes: if it seems to hold none, they came in
        // fragments, the others of which are before it.
        if first > 1 && !found.pieces.values().any(|piece| piece.frame == first) {
            found = self.walk(first.saturating_sub(BEFORE).max(1), packets)?;
        }
        Ok(found)
    }

    fn walk(&self, from: u64, packets: &mut dyn PacketSource) -> Result<Found, String> {
        let mut found = Found::default();
        let (Some(first), Some(last)) = (self.ranges.first(), self.ranges.last()) else {
            return Ok(found);
        };
        let end = self.frames.end.saturating_add(BEYOND);
        let mut reader = SegmentReader::new();
        let mut parts = vec![(from..end, first.start)];
        if end - from > 2 * MAX_PACKETS {
            parts =
                vec![(from..from + MAX_PACKETS, first.start), (end - MAX_PACKETS..end, last.start)];
        }
        for (frames, mut near) in parts {
            let mut next = frames.start;
            while next < frames.end {
                let batch = packets.packets(next, frames.end - 1)?;
                let Some(read) = batch.last() else { break };
                // Whatever a source does, this ends.
                next = read.frame.max(next) + 1;
                for packet in &batch {
                    let Some(segment) = reader.read(packet) else { continue };
                    if segment.payload.is_empty()
                        || segment.is_reset()
                        || segment.source != self.source
                        || segment.destination != self.destination
                    {
                        continue;
                    }
                    let expected = self.origin.wrapping_add(near as u32);
                    let ahead = i64::from(segment.sequence.wrapping_sub(expected) as i32);
                    let at = near as i64 + ahead;
                    let end = at + segment.payload.len() as i64;
                    if end <= 0 {
                        continue;
                    }
                    if (0..FAR).contains(&ahead) {
                        near = end as u64;
                    }
                    let piece = Piece {
                        bytes: segment.payload,
                        frame: packet.frame,
                        time: packet.time,
                        position: segment.position,
                    };
                    self.take(at, &piece, &mut found);
                }
            }
        }
        Ok(found)
    }

    /// Takes those bytes of a segment at stream offset `at` that are wanted.
    fn take(&self, at: i64, segment: &Piece, found: &mut Found) {
        let start = at.max(0) as u64;
        let end = (at + segment.bytes.len() as i64).max(0) as u64;
        let index = self.ranges.partition_point(|range| range.end <= start);
        for range in self.ranges.iter().skip(index) {
            if range.start >= end {
                break;
            }
            let part = range.start.max(start)..range.end.min(end);
            found.put(part, |offset| (offset as i64 - at) as usize, segment);
        }
    }
}

impl Found {
    /// Adds stream bytes `part`; `within` tells where in the segment a stream offset is.
    fn put(&mut self, part: Range<u64>, within: impl Fn(u64) -> usize, segment: &Piece) {
        let before = self.pieces.range(..part.start).next_back().map_or(part.start, |(at, _)| *at);
        let mut free = Vec::new();
        let mut at = part.start;
        for (&offset, piece) in self.pieces.range(before..part.end) {
            let end = offset + piece.bytes.len() as u64;
            if end <= at {
                continue;
            }
            if offset > at {
                free.push(at..offset);
            }
            let again = at.max(offset)..end.min(part.end);
            // One byte that came before is a keep-alive probe.
            if piece.frame != segment.frame && segment.bytes.len() > 1 {
                let position = segment.position.map(|position| position + within(again.start));
                let len = again.end - again.start;
                let repeat = Repeat { offset: again.start, len, frame: segment.frame, position };
                match self.repeats.last_mut() {
                    Some(last) if last.frame == repeat.frame && last.end() == repeat.offset => {
                        last.len += len;
                    }
                    _ => self.repeats.push(repeat),
                }
            }
            at = again.end;
        }
        if at < part.end {
            free.push(at..part.end);
        }
        for range in free {
            let (from, to) = (within(range.start), within(range.end));
            let piece = Piece {
                bytes: segment.bytes.slice(from..to),
                position: segment.position.map(|position| position + from),
                ..segment.clone()
            };
            self.pieces.insert(range.start, piece);
        }
    }

    /// The pieces that hold bytes of `range`, cut to it: stream offset, bytes and piece.
    pub(super) fn parts(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = (u64, Bytes, &Piece)> + '_ {
        let before = self.pieces.range(..range.start).next_back().map(|(at, _)| *at);
        let pieces = self.pieces.range(before.unwrap_or(range.start).min(range.end)..range.end);
        pieces.filter_map(move |(&offset, piece)| {
            let from = range.start.max(offset);
            let to = range.end.min(offset + piece.bytes.len() as u64);
            let cut = (from < to).then(|| (from - offset) as usize..(to - offset) as usize)?;
            Some((from, piece.bytes.slice(cut), piece))
        })
    }

    /// Where the bytes of stream range `range` came from, which are bytes `at` and on of what is
    /// shown; the bytes are written to `out`.
    pub(super) fn copy(
        &self,
        range: Range<u64>,
        at: usize,
        out: &mut [u8],
        sources: &mut Vec<Source>,
    ) {
        for (offset, bytes, piece) in self.parts(range.clone()) {
            let start = at + (offset - range.start) as usize;
            let Some(room) = out.get_mut(start..start + bytes.len()) else { continue };
            room.copy_from_slice(&bytes);
            let skipped = bytes.as_ptr() as usize - piece.bytes.as_ptr() as usize;
            sources.push(Source {
                range: start..start + bytes.len(),
                offset,
                frame: piece.frame,
                position: piece.position.map(|position| position + skipped),
            });
        }
    }

    /// When the byte at a stream offset came.
    pub(super) fn time_at(&self, offset: u64) -> Option<Timestamp> {
        self.parts(offset..offset + 1).next().map(|(_, _, piece)| piece.time)
    }

    /// Packets that brought something, ascending, each once.
    pub(super) fn frames(&self) -> Vec<u64> {
        let mut frames: Vec<u64> = self.pieces.values().map(|piece| piece.frame).collect();
        frames.sort_unstable();
        frames.dedup();
        frames
    }
}

impl Repeat {
    fn end(&self) -> u64 {
        self.offset + self.len
    }
}

/// What reassembly gave up in a direction, ascending.
pub(super) fn gaps(session: &SessionIndex, direction: Direction) -> Vec<Range<u64>> {
    if session.session.transport.is_layered() {
        // Their offsets are those of the stream below.
        return Vec::new();
    }
    let of = session.gaps.iter().filter(|gap| gap.direction == direction);
    join(of.map(|gap| gap.offset..gap.offset.saturating_add(gap.len)))
}

/// The same bytes in ranges that are ascending and apart.
fn join(ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = ranges.filter(|range| !range.is_empty()).collect();
    ranges.sort_unstable_by_key(|range| range.start);
    let mut out: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// What `holes` leave of `ranges`; both are ascending and apart.
fn without(ranges: Vec<Range<u64>>, holes: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut out = Vec::with_capacity(ranges.len());
    for range in ranges {
        let mut at = range.start;
        let index = holes.partition_point(|hole| hole.end <= at);
        for hole in holes.iter().skip(index) {
            if hole.start >= range.end {
                break;
            }
            if hole.start > at {
                out.push(at..hole.start);
            }
            at = at.max(hole.end);
        }
        if at < range.end {
            out.push(at..range.end);
        }
    }
    out
}
