//! Where messages lie, in about a dozen bytes each.
//!
//! Variable-length numbers, relative where that makes them small: one byte in most places. A
//! message of a hundred thousand chunks is still a few runs.

use crate::base::{Extents, Run};
use crate::rtmp::Hole;

/// Where a message lies in the capture and in its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// First packet that holds a byte of it; 0 when that is not known.
    pub first_frame: u64,
    /// Last packet that holds a byte of it.
    pub last_frame: u64,
    /// Time from its first byte's packet to its last byte's, in microseconds.
    pub transfer_us: u64,
    /// Stream offset of the first byte of its first chunk header.
    pub offset: u64,
    /// Number of chunks.
    pub chunks: u32,
    /// Payload bytes that were seen.
    pub received: u32,
    /// Parts of the payload that are missing in between.
    pub holes: Vec<Hole>,
    /// Chunk headers in the stream; the first one begins at `offset`.
    pub headers: Extents,
    /// Payload pieces in the stream.
    pub pieces: Extents,
}

/// Most runs, and holes, that are kept of a message; of one more cut up the rest is left out.
const MAX_RUNS: usize = 4096;

/// What a place begins with: which numbers are there, and how many runs (3: a number tells).
const FRAMES: u8 = 1;
const TRANSFER: u8 = 1 << 1;
const CHUNKS: u8 = 1 << 2;
/// How much was received, and the holes: when that is not simply all that the pieces hold.
const RECEIVED: u8 = 1 << 3;
const HEADER_RUNS: u8 = 4;
const PIECE_RUNS: u8 = 6;

/// The places of a session's messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
}

impl Arena {
    /// Bytes held.
    pub(super) fn len(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back what growing took in advance.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Bytes in use.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps a place but for its first packet; `None` when the arena is full (4 GiB).
    pub(super) fn push(&mut self, place: &Place) -> Option<u32> {
        let at = u32::try_from(self.bytes.len()).ok()?;
        let frames = place.last_frame.saturating_sub(place.first_frame);
        let runs = [&place.headers, &place.pieces].map(|e| e.runs().count().min(MAX_RUNS));
        let mut flags = 0;
        let mut set = |flag, on: bool| flags |= if on { flag } else { 0 };
        set(FRAMES, frames > 0);
        set(TRANSFER, place.transfer_us > 0);
        set(CHUNKS, place.chunks != 1);
        let damaged = u64::from(place.received) != place.pieces.len() || !place.holes.is_empty();
        set(RECEIVED, damaged);
        for (shift, runs) in [HEADER_RUNS, PIECE_RUNS].into_iter().zip(runs) {
            flags |= (runs.min(3) as u8) << shift;
        }
        self.bytes.push(flags);
        self.number(place.offset);
        for (flag, number) in [
            (FRAMES, frames),
            (TRANSFER, place.transfer_us),
            (CHUNKS, place.chunks.into()),
            (RECEIVED, place.received.into()),
        ] {
            if flags & flag != 0 {
                self.number(number);
            }
        }
        if damaged {
            let holes = place.holes.len().min(MAX_RUNS);
            self.number(holes as u64);
            let mut from = 0;
            for hole in place.holes.iter().take(holes) {
                self.number(u64::from(hole.at.wrapping_sub(from)));
                self.number(hole.len.into());
                from = hole.at;
            }
        }
        self.extents(&place.headers, runs[0], None);
        let end = place.headers.runs().next().map_or(place.offset, |run| run.offset + run.len);
        self.extents(&place.pieces, runs[1], Some(end));
        Some(at)
    }

    /// The place that begins at `at`, of a message whose first packet the row knows.
    pub(super) fn get(&self, at: u32, first_frame: u64) -> Place {
        let mut numbers = Numbers { bytes: self.bytes.get(at as usize..).unwrap_or_default() };
        let Some((&flags, rest)) = numbers.bytes.split_first() else { return Place::default() };
        numbers.bytes = rest;
        let offset = numbers.next();
        let mut optional = |flag| (flags & flag != 0).then(|| numbers.next());
        let mut place = Place {
            first_frame,
            last_frame: first_frame + optional(FRAMES).unwrap_or(0),
            transfer_us: optional(TRANSFER).unwrap_or(0),
            chunks: optional(CHUNKS).map_or(1, |chunks| chunks as u32),
            offset,
            ..Place::default()
        };
        let received = optional(RECEIVED);
        if received.is_some() {
            let mut from = 0_u32;
            for _ in 0..numbers.next() {
                let hole = Hole {
                    at: from.wrapping_add(numbers.next() as u32),
                    len: numbers.next() as u32,
                };
                from = hole.at;
                place.holes.push(hole);
            }
        }
        place.headers = numbers.extents(flags >> HEADER_RUNS & 3, offset, true);
        let end = place.headers.runs().next().map_or(offset, |run| run.offset + run.len);
        place.pieces = numbers.extents(flags >> PIECE_RUNS & 3, end, false);
        place.received = received.unwrap_or_else(|| place.pieces.len()) as u32;
        place
    }

    /// Stream offset just past the last byte of the place that begins at `at`; cheaper than all
    /// of it.
    pub(super) fn end(&self, at: u32) -> u64 {
        let mut numbers = Numbers { bytes: self.bytes.get(at as usize..).unwrap_or_default() };
        let Some((&flags, rest)) = numbers.bytes.split_first() else { return 0 };
        numbers.bytes = rest;
        let offset = numbers.next();
        for flag in [FRAMES, TRANSFER, CHUNKS, RECEIVED] {
            if flags & flag != 0 {
                numbers.next();
            }
        }
        if flags & RECEIVED != 0 {
            // Holes: a count, then two numbers each.
            for _ in 0..numbers.next() {
                numbers.next();
                numbers.next();
            }
        }
        let mut end = offset;
        let mut first_end = None;
        numbers.runs(flags >> HEADER_RUNS & 3, offset, true, |run| {
            first_end.get_or_insert(run.offset + run.len);
            end = end.max(run.offset + run.stride * (run.count - 1) + run.len);
        });
        numbers.runs(flags >> PIECE_RUNS & 3, first_end.unwrap_or(offset), false, |run| {
            end = end.max(run.offset + run.stride * (run.count - 1) + run.len);
        });
        end
    }

    /// Seven bits a byte, least significant first, the top bit set in all but the last.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// `from` is where the first run is expected; `None` where it is known to be.
    fn extents(&mut self, extents: &Extents, runs: usize, mut from: Option<u64>) {
        if runs >= 3 {
            self.number(runs as u64);
        }
        for run in extents.runs().take(runs) {
            if let Some(from) = from {
                self.number(zigzag(run.offset.wrapping_sub(from) as i64));
            }
            self.number(run.len << 1 | u64::from(run.count > 1));
            if run.count > 1 {
                self.number(run.count);
                self.number(run.stride - run.len);
            }
            from = Some(run.offset + run.stride * (run.count - 1) + run.len);
        }
    }
}

struct Numbers<'a> {
    bytes: &'a [u8],
}

impl Numbers<'_> {
    fn next(&mut self) -> u64 {
        let mut number = 0;
        let mut shift = 0;
        while let Some((&byte, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 || shift > 63 {
                break;
            }
        }
        number
    }

    fn extents(&mut self, runs: u8, from: u64, known: bool) -> Extents {
        let mut extents = Extents::new();
        self.runs(runs, from, known, |run| extents.push_run(run));
        extents
    }

    fn runs(&mut self, runs: u8, mut from: u64, mut known: bool, mut each: impl FnMut(Run)) {
        let runs = if runs < 3 { runs.into() } else { self.next() };
        for _ in 0..runs {
            let offset = match std::mem::take(&mut known) {
                true => from,
                false => from.wrapping_add(unzigzag(self.next()) as u64),
            };
            let word = self.next();
            let len = word >> 1;
            let (count, stride) = match word & 1 {
                1 => (self.next(), len + self.next()),
                _ => (1, len),
            };
            each(Run { offset, len, stride, count });
            from = offset + stride * (count - 1) + len;
        }
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
