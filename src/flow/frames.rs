//! Which packet holds which byte of a stream, and the packets themselves for a while.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use crate::base::Extents;

/// Bytes of a message, or of any other extents of a stream, that one packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSpan {
    /// Offset of the first byte from the beginning of the extents (not of the stream).
    pub at: u64,
    /// Number of bytes.
    pub len: u64,
    /// The packet.
    pub frame: u64,
}

/// A run of delivered bytes that one packet holds.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u64,
    frame: u64,
    /// Where the bytes begin in the packet's buffer; see [`PacketRing`].
    position: u32,
    len: u32,
}

impl Entry {
    fn end(&self) -> u64 {
        self.offset + u64::from(self.len)
    }
}

/// The packets that hold one direction's delivered bytes, by stream offset.
#[derive(Debug, Default)]
pub(super) struct FrameMap {
    entries: VecDeque<Entry>,
}

impl FrameMap {
    /// Notes that `len` bytes from `offset`, which is beyond all offsets so far, are in `frame`.
    /// `total` counts the entries of all maps and is kept within `max_total` at the expense of
    /// this one's oldest.
    #[inline]
    pub(super) fn push(
        &mut self,
        (offset, frame, position, len): (u64, u64, u32, u32),
        (max, max_total): (usize, usize),
        total: &mut usize,
    ) {
        if self.entries.len() >= max || *total >= max_total {
            if self.entries.pop_front().is_none() {
                return;
            }
            *total -= 1;
        }
        self.entries.push_back(Entry { offset, frame, position, len });
        *total += 1;
    }

    /// Forgets what lies before `offset`.
    pub(super) fn release(&mut self, offset: u64, total: &mut usize) {
        while self.entries.front().is_some_and(|entry| entry.end() <= offset) {
            self.entries.pop_front();
            *total -= 1;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, total: &mut usize) {
        *total -= self.entries.len();
        self.entries = VecDeque::new();
    }

    /// Index of the first entry that ends after `offset`.
    fn index_of(&self, offset: u64) -> usize {
        self.entries.partition_point(|entry| entry.end() <= offset)
    }

    /// The packet that holds the byte at `offset`.
    pub(super) fn frame_at(&self, offset: u64) -> Option<u64> {
        let entry = self.entries.get(self.index_of(offset))?;
        (entry.offset <= offset).then_some(entry.frame)
    }

    /// The packets that hold any byte of `extents`, ascending, each once.
    pub(super) fn frames(&self, extents: &Extents) -> Vec<u64> {
        let mut frames = Vec::new();
        for run in extents.runs() {
            // The pieces of a run alternate with other chunks' bytes, and a packet holds many of
            // them: one walk over the run's packets, asking of each whether a piece touches it.
            let run_end = run.offset + run.stride * (run.count - 1) + run.len;
            for entry in self.entries.range(self.index_of(run.offset)..) {
                if entry.offset >= run_end {
                    break;
                }
                let from = entry.offset.max(run.offset);
                // The piece at or before `from`, and whether it or the next one is in the entry.
                let piece = (from - run.offset) / run.stride;
                let within = from < run.offset + piece * run.stride + run.len;
                let next = run.offset + (piece + 1) * run.stride;
                if (within || (piece + 1 < run.count && next < entry.end()))
                    && frames.last() != Some(&entry.frame)
                {
                    frames.push(entry.frame);
                }
            }
        }
        if !frames.is_sorted_by(|a, b| a < b) {
            frames.sort_unstable();
            frames.dedup();
        }
        frames
    }

    /// The pieces of `extents` cut at packet boundaries, in their order. Bytes that no packet is
    /// known to hold are left out.
    pub(super) fn spans(&self, extents: &Extents) -> Vec<FrameSpan> {
        let mut spans: Vec<FrameSpan> = Vec::new();
        let mut at = 0;
        for piece in extents.pieces() {
            for (part, holder) in self.parts(piece.clone()) {
                let Some((frame, _)) = holder else { continue };
                let start = at + (part.start - piece.start);
                let len = part.end - part.start;
                match spans.last_mut() {
                    Some(last) if last.frame == frame && last.at + last.len == start => {
                        last.len += len;
                    }
                    _ => spans.push(FrameSpan { at: start, len, frame }),
                }
            }
            at += piece.end - piece.start;
        }
        spans
    }

    /// Splits `range` at the boundaries of packets: each part with the packet and position that
    /// hold it, or `None` when none is known to.
    pub(super) fn parts(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = (Range<u64>, Option<(u64, usize)>)> + '_ {
        let mut at = range.start;
        let mut index = self.index_of(at);
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (end, holder) = match self.entries.get(index) {
                Some(entry) if entry.offset <= at => {
                    index += 1;
                    let position = u64::from(entry.position) + (at - entry.offset);
                    (entry.end(), Some((entry.frame, position as usize)))
                }
                Some(entry) => (entry.offset, None),
                None => (range.end, None),
            };
            let part = at..end.min(range.end);
            at = part.end;
            Some((part, holder))
        })
    }
}

/// The last packets with payload, to compare retransmissions with.
#[derive(Debug, Default)]
pub(super) struct PacketRing {
    packets: VecDeque<(u64, u64, Bytes)>,
    /// Bytes of all packets of the capture so far, those of other flows too: they share buffers.
    seen: u64,
}

impl PacketRing {
    /// Counts a packet of the capture.
    #[inline]
    pub(super) fn count(&mut self, len: usize) {
        self.seen += len as u64;
    }

    /// Keeps `buffer`, in which the payload of `frame` lies.
    #[inline]
    pub(super) fn push(&mut self, frame: u64, buffer: Bytes, max_packets: usize, max_bytes: u64) {
        while let Some((_, seen, _)) = self.packets.front() {
            if self.packets.len() < max_packets && self.seen - seen <= max_bytes {
                break;
            }
            self.packets.pop_front();
        }
        self.packets.push_back((frame, self.seen, buffer));
    }

    /// The buffer of `frame`, if it is still kept.
    pub(super) fn get(&self, frame: u64) -> Option<&Bytes> {
        let index = self.packets.binary_search_by_key(&frame, |packet| packet.0).ok()?;
        Some(&self.packets[index].2)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(u64, u64, u32)]) -> FrameMap {
        let mut map = FrameMap::default();
        for (offset, frame, len) in entries {
            map.push((*offset, *frame, 0, *len), (100, 100), &mut 0);
        }
        map
    }

    fn extents(pieces: &[(u64, u64)]) -> Extents {
        let mut extents = Extents::new();
        for (offset, len) in pieces {
            extents.push(*offset, *len);
        }
        extents
    }

    #[test]
    fn pieces_find_their_packets() {
        // A hole at 30..40; packet 2 came after packet 3.
        let map = map(&[(0, 1, 10), (10, 3, 10), (20, 2, 10), (40, 4, 100), (140, 5, 5)]);
        assert_eq!(map.frames(&extents(&[(0, 1)])), [1]);
        // Two pieces: 8 bytes, then 5 of which 2 lie in the hole.
        let spans = map.spans(&extents(&[(5, 8), (27, 5)]));
        let spans: Vec<_> = spans.iter().map(|s| (s.at, s.len, s.frame)).collect();
        assert_eq!(spans, [(0, 5, 1), (5, 3, 3), (8, 3, 2)]);
        // Neighbours in one packet are one span, whatever lies between them in the stream.
        assert_eq!(map.spans(&extents(&[(41, 2), (45, 3)])).len(), 1);
        assert_eq!(map.frames(&extents(&[(9, 2)])), [1, 3]);
        assert_eq!(map.frames(&extents(&[(0, 145)])), [1, 2, 3, 4, 5]);
        assert_eq!(map.frames(&extents(&[(30, 10)])), [] as [u64; 0]);
        assert_eq!(map.frames(&extents(&[(29, 12)])), [2, 4]);
        assert_eq!(map.frames(&extents(&[(144, 1000)])), [5]);
        // Pieces of 2 at a stride of 20, which miss packet 3 (10..20) and touch the others.
        assert_eq!(map.frames(&extents(&[(5, 2), (25, 2), (45, 2)])), [1, 2, 4]);
        // A run whose pieces all lie between packet 4's beginning and end.
        assert_eq!(map.frames(&extents(&[(50, 1), (60, 1), (70, 1)])), [4]);
        assert_eq!(map.frame_at(19), Some(3));
        assert_eq!(map.frame_at(35), None);
        assert_eq!(map.frame_at(145), None);
    }

    #[test]
    fn a_map_is_bounded_and_releases() {
        let mut total = 0;
        let mut map = FrameMap::default();
        for i in 0..1000 {
            map.push((i * 10, i, 0, 10), (64, 100), &mut total);
        }
        assert_eq!((map.entries.len(), total), (64, 64));
        assert_eq!(map.frame_at(9_990), Some(999));
        assert_eq!(map.frame_at(0), None);
        let mut other = FrameMap::default();
        for i in 0..1000 {
            other.push((i * 10, i, 0, 10), (64, 100), &mut total);
        }
        assert_eq!((other.entries.len(), total), (36, 100));
        map.release(9_985, &mut total);
        assert_eq!((map.entries.len(), total), (2, 38));
        other.clear(&mut total);
        assert_eq!(total, 2);
    }

    #[test]
    fn a_ring_keeps_the_last_packets() {
        let mut ring = PacketRing::default();
        for frame in 0..100 {
            ring.count(1000);
            ring.push(frame, Bytes::from_static(b"x"), 50, 10_000);
        }
        assert_eq!(ring.len(), 11);
        assert!(ring.get(88).is_none() && ring.get(89).is_some() && ring.get(99).is_some());
    }
}
