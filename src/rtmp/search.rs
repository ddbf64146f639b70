//! Finding the next chunk header after damage.

use super::chunk_size::Size;
use super::chunks::{ChunkDecoder, State, Step};
use super::event::{AnomalyKind, Confidence, Event};
use super::limits::Limits;
use super::plausible::{Chain, ChunkSize, Plausible, Verdict};
use super::predict::Predicted;
use crate::base::Timestamp;
use crate::wire::chunk::{BasicHeader, MessageHeader};
use crate::wire::message::MessageType;

/// A search for the next chunk header.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// Where the header must be if nothing unexpected was in the gap.
    pub(super) predicted: Option<Predicted>,
    /// The very next byte is expected to be a header, the chunk size is what is in doubt.
    pub(super) here: bool,
    /// A hole ends where the search begins.
    pub(super) after_hole: bool,
    /// Whether what is found is news (after a gap), or just the next message.
    pub(super) announce: bool,
    /// Bytes skipped so far.
    pub(super) skipped: u64,
    /// Positions before this one have been looked at.
    pub(super) scanned: usize,
    /// Those of them that may be headers, and how many bytes it takes to go on with them.
    pub(super) waiting: Vec<Waiting>,
    /// A header stands here, that is proven; what its chunk size is must still be found out.
    pub(super) settled: Option<Settled>,
}

/// A header whose message is split by a chunk size that is not known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) position: usize,
    /// What to take when nothing proves itself.
    pub(super) guess: u32,
    /// How many bytes it takes to learn more.
    pub(super) needs: usize,
}

/// A position that may be a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) position: usize,
    pub(super) chunk_size: Size,
    pub(super) needs: usize,
}

impl Search {
    /// Nothing is known about the position.
    pub fn anywhere() -> Search {
        Search { announce: true, ..Search::here() }.unforeseen()
    }

    /// A header is expected right here; the chunk size is in doubt.
    pub fn here() -> Search {
        Search {
            predicted: None,
            here: true,
            after_hole: false,
            announce: false,
            skipped: 0,
            scanned: 0,
            waiting: Vec::new(),
            settled: None,
        }
    }

    fn unforeseen(self) -> Search {
        Search { here: false, ..self }
    }

    /// After the header of a chunk that may be shorter than the `body` bytes expected.
    pub fn after_doubtful_chunk(csid: u32, body: u32) -> Search {
        let predicted =
            Predicted { csid, skip: 0, body, missing: 0, chunks: 0, doubtful: true, proven: true };
        Search { predicted: Some(predicted), ..Search::here() }.unforeseen()
    }
}

/// What a look at the candidates brought to light.
pub(super) struct Hunt {
    pub(super) best: Option<(usize, ChunkSize, Chain)>,
    pub(super) waiting: Vec<Waiting>,
}

impl Hunt {
    /// Notes a chain. The one that is proven first is taken, then the one that begins first; but
    /// the last byte before a header can make it look like one of a longer form, so that of
    /// neighbours the one whose chunk stream is familiar is taken.
    pub(super) fn found(&mut self, position: usize, chunk_size: ChunkSize, chain: Chain) {
        let better = |(p, _, c): &(usize, ChunkSize, Chain)| {
            let strange = match p.abs_diff(position) {
                0..=2 => chain.stranger.cmp(&c.stranger),
                _ => std::cmp::Ordering::Equal,
            };
            let proven = chain.proven_at.cmp(&c.proven_at);
            proven.then(strange).then(position.cmp(p)).is_lt()
        };
        if self.best.as_ref().is_none_or(better) {
            self.best = Some((position, chunk_size, chain));
        }
    }
}

pub(super) enum Found {
    At {
        position: usize,
        chunk_size: u32,
        multi: bool,
    },
    Predicted,
    /// Nothing yet.
    Wait,
    /// Nothing before this position.
    NotBefore(usize),
}

impl ChunkDecoder {
    /// Sets up the search after a gap of `len` bytes that no single chunk contains.
    pub(super) fn begin_search_after_gap(
        &mut self,
        len: u64,
        header_cut: bool,
        time: Timestamp,
        out: &mut Vec<Event>,
    ) {
        let predicted = if header_cut { None } else { self.predict(len) };
        if predicted.is_none()
            && let State::Body { csid, .. } = self.state
        {
            // The rest of this chunk is lost, and how much more nobody knows.
            self.give_up(csid, time, out);
        }
        self.state = State::Search(Search { predicted, after_hole: true, ..Search::anywhere() });
        // A Set Chunk Size may have been in the gap.
        self.chunk_size_proven = false;
        if self.confidence == Confidence::Exact {
            self.confidence = Confidence::Resynced;
        }
    }

    /// One step of the search; `data` begins at `self.offset`.
    pub(super) fn search(
        &mut self,
        now: Timestamp,
        data: &[u8],
        at_end: bool,
        out: &mut Vec<Event>,
    ) -> Step {
        let state = std::mem::replace(&mut self.state, State::Header);
        let State::Search(mut search) = state else { return Step::Consumed(0) };
        // With so many bytes at hand the search does not wait for a candidate to prove itself; it
        // never looks at more, so that segment boundaries decide nothing.
        let data = &data[..data.len().min(self.limits.search_bytes)];
        let full = data.len() == self.limits.search_bytes;
        match self.find(&mut search, data, at_end, full) {
            Found::Predicted => {
                let Some(predicted) = search.predicted.take() else { return Step::Consumed(0) };
                self.accept_predicted(predicted, now, data, out)
            }
            Found::At { position, chunk_size, multi } => {
                if let Some(predicted) = search.predicted.take() {
                    self.give_up(predicted.csid, now, out);
                }
                search.skipped += self.pass_undecoded(position);
                self.offset += position as u64;
                self.accept(&search, position, chunk_size, multi, now, out);
                self.offset -= position as u64;
                // In this state the header has proven itself, whatever the chunk size.
                self.state = State::Header;
                Step::Consumed(position)
            }
            Found::Wait => {
                self.state = State::Search(search);
                Step::NeedMore
            }
            Found::NotBefore(position) => {
                if let Some(predicted) = search.predicted.take() {
                    self.give_up(predicted.csid, now, out);
                }
                search.skipped += self.pass_undecoded(position);
                search.here = false;
                search.after_hole &= position == 0;
                search.scanned = search.scanned.saturating_sub(position);
                search.waiting.retain_mut(|waiting| {
                    let kept = waiting.position >= position;
                    waiting.position = waiting.position.saturating_sub(position);
                    waiting.needs = waiting.needs.saturating_sub(position);
                    kept
                });
                if let Some(settled) = &mut search.settled {
                    settled.position = settled.position.saturating_sub(position);
                    settled.needs = settled.needs.saturating_sub(position);
                }
                self.state = State::Search(search);
                Step::Consumed(position)
            }
        }
    }

    /// Counts what was captured of the next `len` bytes as not decoded.
    pub(super) fn pass_undecoded(&mut self, len: usize) -> u64 {
        let captured = self.stash.captured(self.offset, len as u64);
        self.undecoded += captured;
        captured
    }

    /// Looks for the chain that is proven first.
    fn find(&self, search: &mut Search, data: &[u8], at_end: bool, full: bool) -> Found {
        let foreseen = search.here && search.predicted.is_none();
        let after_hole = search.after_hole;
        let plausible = Plausible { foreseen, after_hole, ..self.plausible(data, at_end) };
        let last_word = full || at_end;
        if search.settled.is_some() {
            return self.settle(&plausible, search, last_word);
        }
        if let Some(predicted) = &search.predicted
            && (predicted.body as usize) < self.limits.search_bytes
        {
            let at = predicted.skip + predicted.body as usize;
            let taken = predicted.missing + predicted.body;
            match plausible.judge_after(at, predicted.csid, taken, self.size_in_force()) {
                Verdict::Chain(_) => return Found::Predicted,
                Verdict::NeedMore(_) if !full => return Found::Wait,
                _ => {}
            }
        }
        let plausible = Plausible { lost: !search.here, ..plausible };
        let mut hunt = Hunt { best: None, waiting: Vec::new() };
        for candidate in std::mem::take(&mut search.waiting) {
            if candidate.needs > data.len() && !at_end {
                hunt.waiting.push(candidate);
            } else {
                self.consider(&plausible, candidate, &mut hunt);
            }
        }
        let before_best =
            |hunt: &Hunt, at: usize| hunt.best.is_none_or(|best| at < best.2.proven_at);
        while search.scanned < data.len() && before_best(&hunt, search.scanned) {
            let hole = plausible.holes.next(search.scanned);
            if let Some(hole) = &hole
                && hole.start <= search.scanned
            {
                search.scanned = hole.end.min(data.len());
                continue;
            }
            let known = hole.map_or(data.len(), |hole| hole.start.min(data.len()));
            match self.looks_like_header(&data[search.scanned..known]) {
                Some(true) => {
                    let position = search.scanned;
                    let candidate = Waiting { position, chunk_size: Size::Any, needs: 0 };
                    self.consider(&plausible, candidate, &mut hunt);
                }
                Some(false) => {}
                None if at_end || known < data.len() => {}
                None => break,
            }
            search.scanned += 1;
        }
        if let Some((position, size, _)) = hunt.best
            && size.bytes != self.chunk_size
        {
            // A smaller chunk size is proven by fewer bytes than the one in force, and its proof can
            // be chance: while the one in force may still be right, it has the first word.
            match plausible.judge(position, self.size_in_force(), false) {
                Verdict::Chain(chain) => hunt.best = Some((position, self.size_in_force(), chain)),
                Verdict::NeedMore(needs) if !last_word => {
                    let chunk_size = Size::Is(size);
                    hunt.waiting.push(Waiting { position, chunk_size, needs });
                    hunt.best = None;
                }
                _ => {}
            }
        }
        search.waiting = hunt.waiting;
        match hunt.best {
            Some((position, ChunkSize { bytes: chunk_size, .. }, chain)) => {
                if !chain.splits {
                    // It fits into one chunk of any larger size: that says nothing of the size in
                    // force.
                    let length = self.length_at(&data[position..]).unwrap_or(0);
                    let chunk_size =
                        if length <= self.chunk_size { self.chunk_size } else { chunk_size };
                    return Found::At { position, chunk_size, multi: false };
                }
                if chain.multi {
                    return Found::At { position, chunk_size, multi: true };
                }
                search.settled = Some(Settled { position, guess: chunk_size, needs: 0 });
                self.settle(&plausible, search, last_word)
            }
            None if last_word => Found::NotBefore(data.len()),
            None if search.predicted.is_some() => Found::Wait,
            // What nothing waits for need not be held.
            None => {
                let first = search.waiting.iter().map(|waiting| waiting.position).min();
                match first.unwrap_or(search.scanned) {
                    0 => Found::Wait,
                    position => Found::NotBefore(position),
                }
            }
        }
    }

    /// Length of the message that the header at the beginning of `data` begins.
    fn length_at(&self, data: &[u8]) -> Option<u32> {
        let basic = BasicHeader::parse(data)?;
        let header = MessageHeader::parse(basic.fmt, &data[basic.len..])?;
        header.length.or_else(|| Some(self.streams.get(basic.csid)?.length))
    }

    /// Judges a candidate and notes what came of it.
    fn consider(&self, plausible: &Plausible<'_>, waiting: Waiting, hunt: &mut Hunt) {
        let Waiting { position, chunk_size, .. } = waiting;
        match chunk_size {
            Size::Any => match plausible.may_begin(position) {
                Some(true) => {
                    for chunk_size in self.sizes() {
                        self.consider(plausible, Waiting { chunk_size, ..waiting }, hunt);
                    }
                }
                Some(false) => {}
                None if plausible.at_end => {}
                None => hunt.waiting.push(Waiting { needs: plausible.data.len() + 1, ..waiting }),
            },
            Size::Is(size) => match plausible.judge(position, size, false) {
                Verdict::Chain(chain) => hunt.found(position, size, chain),
                Verdict::Nothing => {}
                Verdict::NeedMore(needs) => hunt.waiting.push(Waiting { needs, ..waiting }),
            },
            Size::From(distance) => self.consider_unusual(plausible, position, distance, hunt),
        }
    }

    pub(super) fn plausible<'a>(&'a self, data: &'a [u8], at_end: bool) -> Plausible<'a> {
        let streams = &self.streams;
        let any_repeat = self.any_repeat();
        Plausible {
            data,
            holes: self.stash.holes(self.offset),
            streams,
            clock: self.clock,
            at_end,
            any_repeat,
            foreseen: false,
            after_hole: false,
            lost: false,
        }
    }

    /// A cheap look before the expensive one; `None` when there are too few bytes to tell.
    fn looks_like_header(&self, data: &[u8]) -> Option<bool> {
        let basic = BasicHeader::parse(data)?;
        if basic.fmt >= 2 {
            let known = self.streams.get(basic.csid);
            return Some(known.is_some_and(|stream| stream.type_id.is_some()));
        }
        let header = MessageHeader::parse(basic.fmt, &data[basic.len..])?;
        Some(header.type_id.is_some_and(|type_id| MessageType(type_id).is_known()))
    }

    /// A type 2 or 3 header that inherits from a header before a gap. `None`: it proved itself.
    pub(super) fn doubtful_header(
        &mut self,
        basic: BasicHeader,
        data: &[u8],
        at_end: bool,
    ) -> Option<Step> {
        let data = &data[..data.len().min(self.limits.search_bytes)];
        let full = data.len() == self.limits.search_bytes;
        let plausible = self.plausible(data, at_end);
        match plausible.judge(0, self.size_in_force(), false) {
            Verdict::Chain(_) => return None,
            Verdict::NeedMore(_) if !full => return Some(Step::NeedMore),
            _ => {}
        }
        let len = basic.len + MessageHeader::len(basic.fmt);
        self.undecoded += len as u64;
        self.state = State::Search(match basic.fmt {
            // More of a message whose header the gap swallowed.
            3 => Search::after_doubtful_chunk(basic.csid, self.chunk_size),
            _ => Search::here().unforeseen(),
        });
        Some(Step::Consumed(len))
    }

    /// A chain begins at a position that was not foreseen.
    fn accept(
        &mut self,
        search: &Search,
        position: usize,
        chunk_size: u32,
        multi: bool,
        now: Timestamp,
        out: &mut Vec<Event>,
    ) {
        let lost = !search.here || position > 0;
        if lost && self.confidence == Confidence::Exact {
            self.confidence = Confidence::Resynced;
        }
        if search.announce && lost {
            let detail = format!("decoding goes on after {} bytes", search.skipped);
            out.push(self.anomaly(AnomalyKind::Resynced, now, None, detail));
        }
        if chunk_size != self.chunk_size {
            if multi {
                let detail = format!("chunk size {chunk_size} fits");
                out.push(self.anomaly(AnomalyKind::ChunkSizeInferred, now, None, detail));
            }
            self.chunk_size = chunk_size;
            self.chunk_size_guessed = true;
        }
        self.chunk_size_proven |= multi;
        if lost {
            for stream in self.streams.iter_mut() {
                stream.timestamp_exact = false;
                stream.stale = true;
                if let Some(partial) = &mut stream.partial {
                    partial.suspect = true;
                }
            }
        }
    }

    /// The message in progress on `csid` cannot be continued: hand on what there is.
    fn give_up(&mut self, csid: u32, now: Timestamp, out: &mut Vec<Event>) {
        if let Some(stream) = self.streams.get_mut(csid) {
            stream.stale = true;
            self.end_partial(csid, now, out);
        }
    }
}

/// Whether the bytes of one direction, seen from anywhere in its middle, hold a chain of chunk
/// headers. `None`: more bytes must tell. With `at_end` the answer is final.
pub fn looks_like_chunks(bytes: &[u8], at_end: bool, limits: &Limits) -> Option<bool> {
    let mut decoder =
        ChunkDecoder::new(crate::base::Direction::ClientToServer, limits.clone(), false);
    decoder.start_midstream();
    let data = &bytes[..bytes.len().min(limits.search_bytes)];
    match decoder.find(&mut Search::anywhere(), data, at_end, false) {
        Found::At { .. } | Found::Predicted => Some(true),
        Found::Wait | Found::NotBefore(_) => at_end.then_some(false),
    }
}
