//! Payload offsets and stream offsets of a message with holes.

use std::ops::Range;

use crate::analysis::index::Place;

/// Payload bytes from `at` on that lie at `stream`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub at: u64,
    pub stream: Range<u64>,
}

/// Where the payload lies. `gaps` is what reassembly gave up, ascending.
///
/// A hole may lie within a piece (the piece is known from its chunk header) or between two (the gap
/// swallowed chunk headers), or both.
pub(super) fn stretches(place: &Place, gaps: &[Range<u64>]) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    let mut holes = place.holes.iter().peekable();
    let end = accounted(place);
    let mut at = 0;
    for piece in place.pieces.pieces() {
        let mut stream = piece.start;
        while stream < piece.end && at < end {
            if let Some(hole) = holes.next_if(|hole| u64::from(hole.at) <= at) {
                let missing = missing_from(stream, gaps).min(piece.end) - stream;
                stream += missing.min(hole.len.into());
                at += u64::from(hole.len);
                continue;
            }
            let until = holes.peek().map_or(end, |hole| end.min(hole.at.into()));
            let len = (piece.end - stream).min(until - at);
            out.push(Stretch { at, stream: stream..stream + len });
            stream += len;
            at += len;
        }
    }
    out
}

/// Payload bytes that were seen or are known to be missing.
pub(super) fn accounted(place: &Place) -> u64 {
    u64::from(place.received) + place.holes.iter().map(|hole| u64::from(hole.len)).sum::<u64>()
}

/// The first stream offset from `at` on that is in no gap.
fn missing_from(at: u64, gaps: &[Range<u64>]) -> u64 {
    let index = gaps.partition_point(|gap| gap.end <= at);
    gaps.get(index).filter(|gap| gap.start <= at).map_or(at, |gap| gap.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmp::Hole;

    fn place(pieces: &[(u64, u64)], holes: &[(u32, u32)], received: u32) -> Place {
        let mut place = Place { received, ..Place::default() };
        for (offset, len) in pieces {
            place.pieces.push(*offset, *len);
        }
        place.holes = holes.iter().map(|&(at, len)| Hole { at, len }).collect();
        place
    }

    fn map(place: &Place, gaps: &[Range<u64>]) -> Vec<(u64, Range<u64>)> {
        stretches(place, gaps).into_iter().map(|s| (s.at, s.stream)).collect()
    }

    #[test]
    fn without_holes_pieces_follow_each_other() {
        let place = place(&[(12, 128), (141, 128), (270, 5)], &[], 261);
        assert_eq!(map(&place, &[]), [(0, 12..140), (128, 141..269), (256, 270..275)]);
    }

    #[test]
    fn a_hole_within_a_chunk() {
        let place = place(&[(12, 100)], &[(40, 20)], 80);
        assert_eq!(map(&place, &[52..72]), [(0, 12..52), (60, 72..112)]);
    }

    #[test]
    fn a_hole_that_begins_with_the_chunk() {
        let place = place(&[(12, 100), (113, 100)], &[(100, 30)], 170);
        assert_eq!(map(&place, &[113..143]), [(0, 12..112), (130, 143..213)]);
    }

    /// Chunks of 100: the gap holds the end of the first, the header and all of the second, and the
    /// header of the third.
    #[test]
    fn a_hole_that_swallowed_a_chunk() {
        let place = place(&[(12, 100), (214, 100)], &[(40, 160)], 140);
        assert_eq!(map(&place, &[52..214]), [(0, 12..52), (200, 214..314)]);
    }

    /// The gap begins exactly where the first chunk ends: nothing of the next piece is missing.
    #[test]
    fn a_hole_between_two_pieces() {
        let place = place(&[(12, 100), (214, 100)], &[(100, 100)], 200);
        assert_eq!(map(&place, &[112..214]), [(0, 12..112), (200, 214..314)]);
    }

    #[test]
    fn what_was_planned_and_never_came_is_left_out() {
        let place = place(&[(12, 100)], &[], 30);
        assert_eq!(map(&place, &[]), [(0, 12..42)]);
    }
}
