//! Bytes of one direction that wait for more, and the holes between them.

use std::ops::Range;

use crate::base::Timestamp;

/// Bytes that wait for more. A hole that came while they waited is filled with zeros: the lengths
/// in a header on one side of it tell where the next header stands on the other side.
#[derive(Debug, Default)]
pub(super) struct Stash {
    bytes: Vec<u8>,
    /// When the bytes were captured: (stream offset, time).
    marks: Vec<(u64, Timestamp)>,
    /// Holes by stream offset, ascending.
    holes: Vec<Range<u64>>,
}

impl Stash {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds bytes that stand at a stream offset.
    pub fn push(&mut self, offset: u64, time: Timestamp, bytes: &[u8]) {
        self.marks.push((offset, time));
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds a hole; the caller bounds its length.
    pub fn push_hole(&mut self, offset: u64, time: Timestamp, len: u64) {
        self.marks.push((offset, time));
        self.holes.push(offset..offset + len);
        self.bytes.resize(self.bytes.len() + len as usize, 0);
    }

    /// Lends the bytes out; [`Stash::give_back`] returns them.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Takes the bytes back without the first `used` ones, which end at stream offset `offset`.
    pub fn give_back(&mut self, mut bytes: Vec<u8>, used: usize, offset: u64) {
        bytes.drain(..used);
        self.bytes = bytes;
        let past = self.holes.partition_point(|hole| hole.end <= offset);
        self.holes.drain(..past);
        if self.bytes.is_empty() {
            self.marks.clear();
            // A search may have grown it to half a megabyte; headers need 18 bytes.
            self.bytes.shrink_to(4096);
        } else if self.marks.len() > 64 {
            let past = self.marks.partition_point(|(at, _)| *at <= offset);
            self.marks.drain(..past.saturating_sub(1));
        }
    }

    pub fn clear(&mut self) {
        *self = Stash::default();
    }

    /// When the byte at a stream offset was captured, as far as it matters to bytes that waited.
    pub fn time_at(&self, offset: u64, now: Timestamp) -> Timestamp {
        let index = self.marks.partition_point(|(from, _)| *from <= offset);
        if index == 0 { now } else { self.marks[index - 1].1 }
    }

    /// The holes, as seen from a stream offset.
    pub fn holes(&self, offset: u64) -> Holes<'_> {
        Holes { offset, holes: &self.holes }
    }

    /// How many of the `len` bytes from a stream offset on were captured.
    pub fn captured(&self, offset: u64, len: u64) -> u64 {
        let end = offset + len;
        let first = self.holes.partition_point(|hole| hole.end <= offset);
        let inside = self.holes[first..].iter().take_while(|hole| hole.start < end);
        let missing: u64 = inside.map(|hole| hole.end.min(end) - hole.start.max(offset)).sum();
        len - missing
    }
}

/// The holes in bytes that begin at a stream offset; positions count from there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holes<'a> {
    offset: u64,
    holes: &'a [Range<u64>],
}

impl Holes<'_> {
    /// The next hole that ends after `at`, which may be in it.
    pub fn next(&self, at: usize) -> Option<Range<usize>> {
        let from = self.offset + at as u64;
        let hole = self.holes.get(self.holes.partition_point(|hole| hole.end <= from))?;
        let start = hole.start.saturating_sub(self.offset) as usize;
        Some(start..(hole.end - self.offset) as usize)
    }

    /// Whether a hole ends right at `at`.
    pub fn end_at(&self, at: usize) -> bool {
        let from = self.offset + at as u64;
        let index = self.holes.partition_point(|hole| hole.end < from);
        self.holes.get(index).is_some_and(|hole| hole.end == from)
    }
}
