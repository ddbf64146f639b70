//! Where the bytes of a message lie in its stream.
//!
//! Chunk headers cut a message into pieces, up to a hundred thousand of them. Pieces of equal
//! length at equal distances (a message whose chunks nothing interleaves) are one [`Run`], so that
//! provenance costs a few words however small the chunks are.

use std::ops::Range;

/// `count` pieces of `len` bytes; piece `i` begins at stream offset `offset + i * stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Stream offset of the first piece.
    pub offset: u64,
    /// Bytes in each piece.
    pub len: u64,
    /// Distance between the beginnings of two pieces; at least `len`.
    pub stride: u64,
    /// Number of pieces, at least 1.
    pub count: u64,
}

/// The pieces of a message's payload in the order of the payload.
///
/// Offsets count the bytes of one direction of the stream from 0 (for TCP: the byte after the SYN).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extents {
    /// Most messages are one run, which then costs no allocation.
    first: Option<Run>,
    rest: Vec<Run>,
}

impl Extents {
    /// No pieces.
    pub fn new() -> Extents {
        Extents::default()
    }

    /// Appends the piece `offset..offset + len`; an empty piece is nothing.
    pub fn push(&mut self, offset: u64, len: u64) {
        if len == 0 {
            return;
        }
        let run = Run { offset, len, stride: len, count: 1 };
        let Some(last) = self.rest.last_mut().or(self.first.as_mut()) else {
            self.first = Some(run);
            return;
        };
        if last.count == 1 && last.offset + last.len == offset {
            last.len += len;
            last.stride = last.len;
        } else if last.len == len && last.count == 1 && offset > last.offset {
            last.stride = offset - last.offset;
            last.count = 2;
        } else if last.len == len && offset == last.offset + last.stride * last.count {
            last.count += 1;
        } else {
            self.rest.push(run);
        }
    }

    /// Appends a run as it is; an empty one is nothing. For rebuilding extents from their runs.
    pub fn push_run(&mut self, run: Run) {
        if run.len == 0 || run.count == 0 {
            return;
        }
        match self.first {
            None => self.first = Some(run),
            Some(_) => self.rest.push(run),
        }
    }

    /// The runs, in payload order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.first.iter().chain(&self.rest)
    }

    /// Every piece as a range of stream offsets, in payload order.
    pub fn pieces(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.runs().flat_map(|run| {
            (0..run.count).map(move |i| {
                let start = run.offset + i * run.stride;
                start..start + run.len
            })
        })
    }

    /// Total length of the pieces, in bytes.
    pub fn len(&self) -> u64 {
        self.runs().map(|run| run.len * run.count).sum()
    }

    /// Whether there are no pieces.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The stream ranges that hold bytes `range` of the payload.
    pub fn slice(&self, range: Range<u64>) -> Extents {
        let mut out = Extents::new();
        let mut at = 0;
        for run in self.runs() {
            let total = run.len * run.count;
            if at + total <= range.start {
                at += total;
                continue;
            }
            // Start at the first piece of the run that can overlap: a run may have 10^5 pieces.
            let skip = range.start.saturating_sub(at) / run.len;
            for i in skip..run.count {
                let begin = at + i * run.len;
                if begin >= range.end {
                    return out;
                }
                let from = range.start.max(begin);
                let to = range.end.min(begin + run.len);
                if from < to {
                    out.push(run.offset + i * run.stride + (from - begin), to - from);
                }
            }
            at += total;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_pieces_at_equal_distances_are_one_run() {
        let mut extents = Extents::new();
        for i in 0..1000 {
            extents.push(12 + i * 129, 128);
        }
        extents.push(12 + 1000 * 129, 17);
        assert_eq!(extents.runs().count(), 2);
        assert_eq!(extents.len(), 128_017);
        assert_eq!(extents.pieces().nth(2), Some(270..398));
        assert_eq!(extents.pieces().last(), Some(129_012..129_029));
    }

    #[test]
    fn adjoining_pieces_become_one() {
        let mut extents = Extents::new();
        extents.push(10, 5);
        extents.push(15, 5);
        assert_eq!(extents.pieces().collect::<Vec<_>>(), [10..20]);
    }

    #[test]
    fn slices_cross_pieces() {
        let mut extents = Extents::new();
        extents.push(100, 10);
        extents.push(120, 10);
        extents.push(140, 3);
        assert_eq!(extents.slice(8..12).pieces().collect::<Vec<_>>(), [108..110, 120..122]);
        assert_eq!(extents.slice(19..23).pieces().collect::<Vec<_>>(), [129..130, 140..143]);
        assert!(extents.slice(5..5).is_empty());
    }
}
