//! Finding out the chunk size when nobody announced it, or a gap may have swallowed a Set Chunk Size.

use super::chunks::ChunkDecoder;
use super::plausible::{Chain, ChunkSize, Plausible, Verdict};
use super::search::{Found, Hunt, Search, Settled, Waiting};
use crate::wire::chunk::{
    BasicHeader, DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP, MAX_CHUNK_SIZE, MessageHeader,
};

/// Chunk sizes that software uses: the default, nginx-rtmp and OBS and FFmpeg (60000 listening),
/// SRS, Node-Media-Server and gortmplib, Flash Media Server, Wowza, and "never split".
const USUAL_CHUNK_SIZES: [u32; 10] = [
    DEFAULT_CHUNK_SIZE,
    4096,
    60_000,
    65_536,
    65_535,
    5000,
    1024,
    8192,
    10_000_000,
    MAX_CHUNK_SIZE,
];

/// Longest distance to the next header for which an unusual chunk size is looked for.
const MAX_INFERRED_CHUNK_SIZE: usize = 70_000;

/// How many such distances are tried: a byte that could be the marker comes every 256 by chance.
const MAX_DISTANCES: usize = 512;

#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    /// Any; the header itself is still too short to judge.
    Any,
    /// This chunk size.
    Is(ChunkSize),
    /// The distance to a byte that could be the header of the next chunk, from this one on.
    From(usize),
}

impl ChunkDecoder {
    /// The chunk sizes to try: the one in force, and unless it is proven all others.
    pub(super) fn sizes(&self) -> impl Iterator<Item = Size> + use<> {
        let current = self.chunk_size;
        let usual = USUAL_CHUNK_SIZES.into_iter().filter(move |size| *size != current);
        let usual = usual.map(|bytes| Size::Is(ChunkSize { bytes, markers: 2 }));
        let others = usual.chain([Size::From(1)]);
        let tried = if self.chunk_size_proven { 0 } else { usize::MAX };
        [Size::Is(self.size_in_force())].into_iter().chain(others.take(tried))
    }

    pub(super) fn size_in_force(&self) -> ChunkSize {
        ChunkSize { bytes: self.chunk_size, markers: if self.chunk_size_guessed { 2 } else { 1 } }
    }

    /// Tries the distances at which the next chunk could begin, from `distance` on.
    pub(super) fn consider_unusual(
        &self,
        plausible: &Plausible<'_>,
        position: usize,
        mut distance: usize,
        hunt: &mut Hunt,
    ) {
        for _ in 0..MAX_DISTANCES {
            let Some((found, here)) = self.marker(plausible, position, distance) else { return };
            let size = ChunkSize { bytes: found as u32, markers: 3 };
            let verdict = match here {
                true => plausible.judge(position, size, false),
                false if plausible.at_end => return,
                false => Verdict::NeedMore(plausible.data.len() + 1),
            };
            match verdict {
                Verdict::Chain(chain) => return hunt.found(position, size, chain),
                Verdict::Nothing => distance = found + 1,
                Verdict::NeedMore(needs) => {
                    let chunk_size = Size::From(found);
                    return hunt.waiting.push(Waiting { position, chunk_size, needs });
                }
            }
        }
    }

    /// Finds the chunk size by which the message of a proven header is split.
    pub(super) fn settle(
        &self,
        plausible: &Plausible<'_>,
        search: &mut Search,
        last_word: bool,
    ) -> Found {
        let Some(settled) = &mut search.settled else { return Found::Wait };
        let Settled { position, guess, needs } = *settled;
        if plausible.data.len() < needs && !last_word {
            return Found::Wait;
        }
        let mut best: Option<(Chain, u32)> = None;
        let mut next = usize::MAX;
        // The size in force has the first word, as in `find`.
        let mut open = false;
        match plausible.judge(position, self.size_in_force(), true) {
            Verdict::Chain(chain) => {
                let multi = chain.multi && chain.splits;
                return Found::At { position, chunk_size: self.chunk_size, multi };
            }
            Verdict::NeedMore(needs) => {
                open = true;
                next = needs;
            }
            Verdict::Nothing => {}
        }
        let mut judge = |size: ChunkSize| match plausible.judge(position, size, true) {
            Verdict::Chain(chain) => {
                if best.is_none_or(|(best, _)| chain.proven_at < best.proven_at) {
                    best = Some((chain, size.bytes));
                }
            }
            Verdict::NeedMore(needs) => next = next.min(needs),
            Verdict::Nothing => {}
        };
        for size in self.sizes() {
            if let Size::Is(size) = size {
                judge(size);
            }
        }
        let mut from = 1;
        for _ in 0..if self.chunk_size_proven { 0 } else { MAX_DISTANCES } {
            match self.marker(plausible, position, from) {
                Some((distance, true)) => {
                    judge(ChunkSize { bytes: distance as u32, markers: 3 });
                    from = distance + 1;
                }
                Some((_, false)) => {
                    // The message is not all there: look again after a good part of it.
                    next = next.min(plausible.data.len() + 256);
                    break;
                }
                None => break,
            }
        }
        match best.filter(|_| !open || last_word) {
            Some((chain, chunk_size)) => {
                let multi = chain.multi && chain.splits;
                Found::At { position, chunk_size, multi }
            }
            None if last_word || next == usize::MAX => {
                Found::At { position, chunk_size: guess, multi: false }
            }
            None => {
                settled.needs = next;
                // Keep what is before the header out of the way while waiting.
                match position {
                    0 => Found::Wait,
                    _ if search.predicted.is_some() => Found::Wait,
                    _ => Found::NotBefore(position),
                }
            }
        }
    }

    /// The first distance, from `from` on, at which the next chunk of the message at `position`
    /// could begin; `false` when it lies past the bytes at hand. `None` when there is none.
    fn marker(
        &self,
        plausible: &Plausible<'_>,
        position: usize,
        from: usize,
    ) -> Option<(usize, bool)> {
        let data = plausible.data.get(position..)?;
        let basic = BasicHeader::parse(data)?;
        let header = MessageHeader::parse(basic.fmt, &data[basic.len..])?;
        let length = header.length? as usize;
        if header.timestamp == Some(EXTENDED_TIMESTAMP) {
            return None;
        }
        let mut marker = crate::base::Writer::new();
        BasicHeader { fmt: 3, ..basic }.write(&mut marker);
        let marker = marker.into_bytes();
        let body = &data[basic.len + MessageHeader::len(basic.fmt)..];
        let reach = length.min(MAX_INFERRED_CHUNK_SIZE);
        let last = (reach + marker.len() - 1).min(body.len());
        let window = body.get(from.min(last)..last).unwrap_or_default();
        match window.windows(marker.len()).position(|bytes| bytes == marker) {
            Some(at) => Some((from + at, true)),
            None if body.len() < reach => Some((body.len().max(from), false)),
            None => None,
        }
    }
}
