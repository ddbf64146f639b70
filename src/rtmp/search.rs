//! Finding the next chunk header after damage.

use super::chunks::{ChunkDecoder, State, Step};
use super::event::{AnomalyKind, Confidence, Event};
use super::limits::Limits;
use super::plausible::{Chain, ChunkSize, Plausible, Verdict};
use crate::base::Timestamp;
use crate::wire::chunk::{
    BasicHeader, DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP, MAX_CHUNK_SIZE, MessageHeader,
};
use crate::wire::message::MessageType;

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

/// How many messages to look at for one that is longer than the chunk size.
const MESSAGES_TO_INFER_FROM: usize = 8;

/// A search for the next chunk header.
#[derive(Clone, Debug)]
pub(super) struct Search {
    /// Where the header must be if nothing unexpected was in the gap.
    predicted: Option<Predicted>,
    /// The very next byte is expected to be a header, the chunk size is what is in doubt.
    here: bool,
    /// Whether what is found is news (after a gap), or just the next message.
    announce: bool,
    /// Bytes skipped so far.
    skipped: u64,
    /// Positions before this one have been looked at.
    scanned: usize,
    /// Those of them that may be headers, and how many bytes it takes to go on with them.
    waiting: Vec<Waiting>,
}

/// A position that may be a header.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    position: usize,
    chunk_size: Size,
    needs: usize,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    /// This chunk size.
    Is(ChunkSize),
    /// The distance to a byte that could be the header of the next chunk, from this one on.
    From(usize),
}

/// Where the next header is if the gap held nothing but chunks of one message.
#[derive(Clone, Debug)]
struct Predicted {
    csid: u32,
    /// Rest of a header that the gap cut, in bytes.
    skip: usize,
    /// Payload bytes before the next header.
    body: u32,
    /// Payload bytes of the message that the gap swallowed, and chunks that began in it.
    missing: u32,
    chunks: u32,
    /// No gap: the chunk belongs to a message whose length is in doubt.
    doubtful: bool,
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
            announce: false,
            skipped: 0,
            scanned: 0,
            waiting: Vec::new(),
        }
    }

    fn unforeseen(self) -> Search {
        Search { here: false, ..self }
    }

    /// After the header of a chunk that may be shorter than the `body` bytes expected.
    pub fn after_doubtful_chunk(csid: u32, body: u32) -> Search {
        let predicted = Predicted { csid, skip: 0, body, missing: 0, chunks: 0, doubtful: true };
        Search { predicted: Some(predicted), ..Search::here() }.unforeseen()
    }
}

enum Outcome {
    Chain(u32, Chain),
    Nothing,
    Wait(Waiting),
}

enum Found {
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
            && let State::Body { csid, left } = self.state
        {
            // The rest of this chunk is lost, and how much more nobody knows.
            self.give_up(csid, left, time, out);
        }
        self.state = State::Search(Search { predicted, ..Search::anywhere() });
        if self.confidence == Confidence::Exact {
            self.confidence = Confidence::Resynced;
        }
    }

    /// Walks the chunks that the gap swallowed, supposing that they all belong to the one message
    /// in progress.
    fn predict(&self, len: u64) -> Option<Predicted> {
        let (csid, mut left_in_chunk) = match &self.state {
            State::Body { csid, left } => (*csid, *left),
            State::Header => match self.streams.in_progress()[..] {
                [csid] => (csid, 0),
                _ => return None,
            },
            State::Search(_) => return None,
        };
        let stream = self.streams.get(csid)?;
        let partial = stream.partial.as_ref()?;
        if partial.suspect {
            return None;
        }
        let basic = BasicHeader { fmt: 3, csid, len: 0 };
        let mut header = crate::base::Writer::new();
        basic.write(&mut header);
        let header_len = header.len() as u64 + if stream.extended.is_some() { 4 } else { 0 };
        let mut message_left = partial.left() - left_in_chunk;
        let mut pos = u64::from(left_in_chunk);
        let mut missing = left_in_chunk;
        let mut chunks = 0;
        loop {
            if pos == len {
                return Some(Predicted {
                    csid,
                    skip: 0,
                    body: 0,
                    missing,
                    chunks,
                    doubtful: false,
                });
            }
            if message_left == 0 {
                return None;
            }
            chunks += 1;
            pos += header_len;
            if pos >= len {
                left_in_chunk = message_left.min(self.chunk_size);
                let skip = (pos - len) as usize;
                let body = left_in_chunk;
                return Some(Predicted { csid, skip, body, missing, chunks, doubtful: false });
            }
            let body = message_left.min(self.chunk_size);
            if pos + u64::from(body) > len {
                let swallowed = (len - pos) as u32;
                missing += swallowed;
                let body = body - swallowed;
                return Some(Predicted { csid, skip: 0, body, missing, chunks, doubtful: false });
            }
            pos += u64::from(body);
            message_left -= body;
            missing += body;
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
                    self.give_up(predicted.csid, 0, now, out);
                }
                self.undecoded += position as u64;
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
                    self.give_up(predicted.csid, 0, now, out);
                }
                self.undecoded += position as u64;
                search.skipped += position as u64;
                search.here = false;
                search.scanned = search.scanned.saturating_sub(position);
                search.waiting.retain_mut(|waiting| {
                    let kept = waiting.position >= position;
                    waiting.position = waiting.position.saturating_sub(position);
                    waiting.needs = waiting.needs.saturating_sub(position);
                    kept
                });
                self.state = State::Search(search);
                Step::Consumed(position)
            }
        }
    }

    /// Looks for the chain that is proven first.
    fn find(&self, search: &mut Search, data: &[u8], at_end: bool, full: bool) -> Found {
        let plausible = Plausible { data, streams: &self.streams, clock: self.clock, at_end };
        if let Some(predicted) = &search.predicted {
            let at = predicted.skip + predicted.body as usize;
            let taken = predicted.missing + predicted.body;
            match plausible.judge_after(at, predicted.csid, taken, self.size_in_force()) {
                Verdict::Chain(_) => return Found::Predicted,
                Verdict::NeedMore(_) if !full => return Found::Wait,
                _ => {}
            }
        }
        let mut best: Option<(usize, u32, Chain)> = None;
        let mut consider = |waiting: Waiting| -> Option<Waiting> {
            match self.judge(&plausible, waiting) {
                Outcome::Chain(chunk_size, chain) => {
                    if best.is_none_or(|(_, _, b)| chain.proven_at < b.proven_at) {
                        best = Some((waiting.position, chunk_size, chain));
                    }
                    None
                }
                Outcome::Nothing => None,
                Outcome::Wait(waiting) => Some(waiting),
            }
        };
        let mut waiting = Vec::new();
        for candidate in std::mem::take(&mut search.waiting) {
            if candidate.needs > data.len() && !at_end {
                waiting.push(candidate);
            } else {
                waiting.extend(consider(candidate));
            }
        }
        while search.scanned < data.len() {
            let position = search.scanned;
            match self.may_be_header(&data[position..]) {
                Some(true) => {
                    for size in self.sizes() {
                        waiting.extend(consider(Waiting { position, chunk_size: size, needs: 0 }));
                    }
                }
                Some(false) => {}
                None if at_end => {}
                None => break,
            }
            search.scanned += 1;
        }
        search.waiting = waiting;
        match best {
            Some((position, chunk_size, Chain { multi, .. })) => {
                Found::At { position, chunk_size, multi }
            }
            None if full || at_end => Found::NotBefore(data.len()),
            // What nothing waits for need not be held.
            None => match search.waiting.iter().map(|w| w.position).min().unwrap_or(search.scanned)
            {
                0 => Found::Wait,
                position if search.predicted.is_none() => Found::NotBefore(position),
                _ => Found::Wait,
            },
        }
    }

    /// The chunk sizes to try: the one in force, and unless it is proven all others.
    fn sizes(&self) -> impl Iterator<Item = Size> + use<> {
        let current = self.chunk_size;
        let usual = USUAL_CHUNK_SIZES.into_iter().filter(move |size| *size != current);
        let usual = usual.map(|bytes| Size::Is(ChunkSize { bytes, markers: 2 }));
        let others = usual.chain([Size::From(1)]);
        let tried = if self.chunk_size_proven { 0 } else { usize::MAX };
        [Size::Is(self.size_in_force())].into_iter().chain(others.take(tried))
    }

    fn size_in_force(&self) -> ChunkSize {
        ChunkSize { bytes: self.chunk_size, markers: if self.chunk_size_guessed { 2 } else { 1 } }
    }

    fn judge(&self, plausible: &Plausible<'_>, waiting: Waiting) -> Outcome {
        let Waiting { position, chunk_size, .. } = waiting;
        match chunk_size {
            Size::Is(size) => match plausible.judge(position, size) {
                Verdict::Chain(chain) => Outcome::Chain(size.bytes, chain),
                Verdict::Nothing => Outcome::Nothing,
                Verdict::NeedMore(needs) => Outcome::Wait(Waiting { needs, ..waiting }),
            },
            Size::From(distance) => self.infer_chunk_size(plausible, position, distance),
        }
    }

    /// A cheap look before the expensive one; `None` when there are too few bytes to tell.
    fn may_be_header(&self, data: &[u8]) -> Option<bool> {
        let basic = BasicHeader::parse(data)?;
        if basic.fmt >= 2 {
            let known = self.streams.get(basic.csid);
            return Some(known.is_some_and(|stream| stream.type_id.is_some()));
        }
        let header = MessageHeader::parse(basic.fmt, &data[basic.len..])?;
        Some(header.type_id.is_some_and(|type_id| MessageType(type_id).is_known()))
    }

    /// Tries the distances at which the header of a next chunk would stand, from `distance` on.
    ///
    /// The first message may be short: then the first long one after it tells.
    fn infer_chunk_size(
        &self,
        plausible: &Plausible<'_>,
        position: usize,
        mut distance: usize,
    ) -> Outcome {
        let mut at = position;
        for _ in 0..MESSAGES_TO_INFER_FROM {
            let wait = |distance, needs| {
                Outcome::Wait(Waiting { position, chunk_size: Size::From(distance), needs })
            };
            let more = |distance, needs| match plausible.at_end {
                true => Outcome::Nothing,
                false => wait(distance, needs),
            };
            let data = plausible.data.get(at..).unwrap_or_default();
            let header = BasicHeader::parse(data).and_then(|basic| {
                Some((basic, MessageHeader::parse(basic.fmt, &data[basic.len..])?))
            });
            let Some((basic, header)) = header else { return more(distance, data.len() + at + 1) };
            let Some(length) = header.length.map(|length| length as usize) else {
                return Outcome::Nothing;
            };
            if basic.csid > 63 || header.timestamp == Some(EXTENDED_TIMESTAMP) {
                return Outcome::Nothing;
            }
            let body = at + basic.len + MessageHeader::len(basic.fmt);
            let marker = 0xc0 | basic.csid as u8;
            while distance < length.min(MAX_INFERRED_CHUNK_SIZE) {
                match plausible.data.get(body + distance) {
                    None => return more(distance, body + distance + 1),
                    Some(byte) if *byte == marker => {
                        let size = ChunkSize { bytes: distance as u32, markers: 3 };
                        match plausible.judge(position, size) {
                            Verdict::Chain(chain) if chain.multi => {
                                return Outcome::Chain(size.bytes, chain);
                            }
                            Verdict::NeedMore(needs) => return wait(distance, needs),
                            _ => {}
                        }
                    }
                    Some(_) => {}
                }
                distance += 1;
            }
            if length > distance {
                return Outcome::Nothing;
            }
            at = body + length;
        }
        Outcome::Nothing
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
            let skipped = search.skipped + position as u64;
            let detail = format!("decoding goes on after {skipped} bytes");
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
        if lost && search.announce {
            // A Set Chunk Size may have been in the gap.
            self.chunk_size_proven = multi;
            for stream in self.streams.iter_mut() {
                stream.timestamp_exact = false;
                if let Some(partial) = &mut stream.partial {
                    partial.suspect = true;
                }
            }
        }
    }

    /// The gap held nothing but chunks of one message, which goes on where it had to.
    fn accept_predicted(
        &mut self,
        predicted: Predicted,
        now: Timestamp,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Step {
        let Predicted { csid, skip, body, missing, chunks, doubtful } = predicted;
        let start = skip as u64;
        let offset = self.offset;
        let Some(stream) = self.streams.get_mut(csid) else { return Step::Consumed(0) };
        let Some(partial) = &mut stream.partial else {
            // The tail of a message that was given up.
            let len = body.min(stream.broken_left);
            stream.broken_left -= len;
            self.undecoded += u64::from(len);
            self.state = State::Header;
            return Step::Consumed((len as usize).min(data.len()));
        };
        if missing > 0 {
            partial.skip(missing);
        }
        partial.chunks += chunks;
        partial.headers.push(offset, start);
        partial.pieces.push(offset + start, u64::from(body));
        let available = (body as usize).min(data.len() - skip.min(data.len()));
        self.state = State::Body { csid, left: body };
        if !doubtful {
            let detail = "the gap held chunks of one message only";
            out.push(self.anomaly(AnomalyKind::Resynced, now, Some(csid), detail));
        }
        if available == 0 && body == 0 {
            self.state = State::Header;
            self.chunk_ended(csid, now, out);
        }
        Step::Consumed(skip)
    }

    /// The message in progress on `csid` cannot be continued: hand on what there is. At least
    /// `lost` bytes of what was to come will not.
    fn give_up(&mut self, csid: u32, lost: u32, now: Timestamp, out: &mut Vec<Event>) {
        let Some(stream) = self.streams.get_mut(csid) else { return };
        match &stream.partial {
            Some(partial) => {
                stream.broken_left = partial.left() - lost.min(partial.left());
                self.end_partial(csid, now, out);
            }
            None => stream.broken_left = 0,
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
