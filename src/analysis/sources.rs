//! Where the bytes of a session lie when layers stand between it and TCP.

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::Extents;
use crate::flow::{FlowTable, FrameSpan};
use crate::transport::Source;

/// Runs kept of one direction. The engine releases what it is done with; a stream that never comes
/// that far, such as one message in a million tiny records, loses its oldest packets.
const MAX_RUNS: usize = 1 << 16;

/// From offsets of one direction of a session to places in flows.
#[derive(Debug, Default)]
pub(super) struct SourceMap {
    /// Ascending and apart.
    runs: VecDeque<Run>,
    /// Offset of the next byte.
    end: u64,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    at: u64,
    len: u64,
    source: Source,
}

/// A stretch of one flow.
#[derive(Clone, Debug)]
struct Part {
    /// Bytes of the extents before it.
    at: u64,
    /// Where it begins.
    source: Source,
    extents: Extents,
}

impl SourceMap {
    /// The next `len` bytes come from `source`.
    pub fn push(&mut self, len: u64, source: Source) {
        if len == 0 {
            return;
        }
        let at = self.end;
        self.end += len;
        if let Some(last) = self.runs.back_mut()
            && last.at + last.len == at
            && last.source.flow == source.flow
            && last.source.direction == source.direction
            && last.source.offset + last.len == source.offset
        {
            last.len += len;
            return;
        }
        if self.runs.len() >= MAX_RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(Run { at, len, source });
    }

    /// The next `len` bytes are missing.
    pub fn skip(&mut self, len: u64) {
        self.end += len;
    }

    /// Nothing before `offset` will be asked for again.
    pub fn release(&mut self, offset: u64) {
        while self.runs.front().is_some_and(|run| run.at + run.len <= offset) {
            self.runs.pop_front();
        }
    }

    /// Where the oldest byte that is kept lies.
    pub fn oldest(&self) -> Option<Source> {
        self.runs.front().map(|run| run.source)
    }

    /// Where the byte at `offset` lies.
    pub fn at(&self, offset: u64) -> Option<Source> {
        self.parts(offset..offset + 1).next().map(|(_, _, source)| source)
    }

    /// The known parts of a range: offset, length and place, ascending.
    pub fn parts(&self, range: Range<u64>) -> impl Iterator<Item = (u64, u64, Source)> + '_ {
        let first = self.runs.partition_point(|run| run.at + run.len <= range.start);
        self.runs.range(first..).take_while(move |run| run.at < range.end).map(move |run| {
            let from = run.at.max(range.start);
            let to = (run.at + run.len).min(range.end);
            let offset = run.source.offset + (from - run.at);
            (from, to - from, Source { offset, ..run.source })
        })
    }

    /// The packets that hold any of the bytes `extents`, ascending, each once.
    pub fn frames(&self, table: &FlowTable, extents: &Extents) -> Vec<u64> {
        let mut frames: Vec<u64> = Vec::new();
        for part in self.located(extents) {
            let Source { flow, direction, .. } = part.source;
            frames.extend(table.frames(flow, direction, &part.extents));
        }
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// Which packet holds which bytes of `extents`, in their order.
    pub fn spans(&self, table: &FlowTable, extents: &Extents) -> Vec<FrameSpan> {
        let mut spans: Vec<FrameSpan> = Vec::new();
        for part in self.located(extents) {
            let Source { flow, direction, .. } = part.source;
            for span in table.spans(flow, direction, &part.extents) {
                let at = part.at + span.at;
                match spans.last_mut() {
                    Some(last) if last.frame == span.frame && last.at + last.len == at => {
                        last.len += span.len;
                    }
                    _ => spans.push(FrameSpan { at, ..span }),
                }
            }
        }
        spans
    }

    /// The stretches of flows that hold `extents`.
    fn located(&self, extents: &Extents) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = 0;
        for piece in extents.pieces() {
            let (start, end) = (piece.start, piece.end);
            for (offset, len, source) in self.parts(piece) {
                let at = at + (offset - start);
                match parts.last_mut() {
                    Some(part)
                        if part.source.flow == source.flow
                            && part.source.direction == source.direction
                            && part.at + part.extents.len() == at =>
                    {
                        part.extents.push(source.offset, len);
                    }
                    _ => {
                        let mut extents = Extents::new();
                        extents.push(source.offset, len);
                        parts.push(Part { at, source, extents });
                    }
                }
            }
            at += end - start;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Direction;
    use crate::flow::FlowId;

    fn source(flow: u32, offset: u64) -> Source {
        Source { flow: FlowId(flow), direction: Direction::ClientToServer, offset }
    }

    #[test]
    fn what_follows_on_below_is_one_run_and_what_was_released_is_gone() {
        let mut map = SourceMap::default();
        map.push(10, source(0, 5));
        map.push(10, source(0, 15));
        map.skip(3);
        map.push(10, source(1, 0));
        assert_eq!(map.runs.len(), 2);
        assert_eq!(map.at(12), Some(source(0, 17)));
        assert_eq!(map.at(21), None);
        let parts: Vec<_> = map.parts(18..25).collect();
        assert_eq!(parts, [(18, 2, source(0, 23)), (23, 2, source(1, 0))]);
        map.release(20);
        assert_eq!((map.at(12), map.oldest()), (None, Some(source(1, 0))));
    }
}
