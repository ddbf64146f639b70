//! Finding the next chunk header after damage.

use super::chunks::{ChunkDecoder, State, Step};
use super::event::{AnomalyKind, Confidence, Event};
use super::limits::Limits;
use super::plausible::{Plausible, Verdict};
use crate::base::Timestamp;
use crate::wire::chunk::{BasicHeader, DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE, MessageHeader};

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
        Search { predicted: None, here: false, announce: true, skipped: 0 }
    }

    /// A header is expected right here; the chunk size is in doubt.
    pub fn here() -> Search {
        Search { predicted: None, here: true, announce: false, skipped: 0 }
    }

    /// After the header of a chunk that may be shorter than the `body` bytes expected.
    pub fn after_doubtful_chunk(csid: u32, body: u32) -> Search {
        let predicted = Predicted { csid, skip: 0, body, missing: 0, chunks: 0, doubtful: true };
        Search { predicted: Some(predicted), here: false, announce: false, skipped: 0 }
    }
}

enum Found {
    At {
        position: usize,
        chunk_size: u32,
        multi: bool,
    },
    Predicted,
    /// Nothing before this position.
    NotBefore(usize),
}

impl ChunkDecoder {
    /// Sets up the search after a gap of `len` bytes that no single chunk contains.
    pub(super) fn begin_search_after_gap(&mut self, len: u64, header_cut: bool) {
        let predicted = if header_cut { None } else { self.predict(len) };
        self.state = State::Search(Search { predicted, here: false, announce: true, skipped: 0 });
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
        let State::Search(search) = &self.state else { return Step::Consumed(0) };
        let mut search = search.clone();
        // With so many bytes at hand the search does not wait for a candidate to prove itself; it
        // never looks at more, so that segment boundaries decide nothing.
        let data = &data[..data.len().min(self.limits.search_bytes)];
        let full = data.len() == self.limits.search_bytes;
        match self.find(&search, data, at_end, full) {
            Found::Predicted => {
                let Some(predicted) = search.predicted.take() else { return Step::Consumed(0) };
                self.accept_predicted(predicted, now, data, out)
            }
            Found::At { position, chunk_size, multi } => {
                if let Some(predicted) = search.predicted.take() {
                    self.give_up_doubtful(&predicted, now, out);
                }
                self.undecoded += position as u64;
                self.offset += position as u64;
                self.accept(&search, position, chunk_size, multi, now, out);
                self.offset -= position as u64;
                // In this state the header has proven itself, whatever the chunk size.
                self.state = State::Header;
                Step::Consumed(position)
            }
            Found::NotBefore(0) => Step::NeedMore,
            Found::NotBefore(position) => {
                if let Some(predicted) = search.predicted.take() {
                    self.give_up_doubtful(&predicted, now, out);
                }
                self.undecoded += position as u64;
                search.skipped += position as u64;
                search.here = false;
                self.state = State::Search(search);
                Step::Consumed(position)
            }
        }
    }

    fn find(&self, search: &Search, data: &[u8], at_end: bool, full: bool) -> Found {
        let plausible = Plausible { data, streams: &self.streams, clock: self.clock, at_end };
        let wait = |verdict| verdict == Verdict::NeedMore && !full;
        if let Some(predicted) = &search.predicted {
            let at = predicted.skip + predicted.body as usize;
            match plausible.judge_after(
                at,
                predicted.csid,
                predicted.missing + predicted.body,
                self.chunk_size,
            ) {
                Verdict::Chain { .. } => return Found::Predicted,
                verdict if wait(verdict) => return Found::NotBefore(0),
                _ => {}
            }
        }
        for position in 0..data.len() {
            if !self.may_be_header(&data[position..], at_end) {
                continue;
            }
            let mut verdicts = std::iter::once(self.chunk_size)
                .chain(USUAL_CHUNK_SIZES.into_iter().filter(|size| *size != self.chunk_size))
                .map(|size| (size, plausible.judge(position, size)));
            let found = verdicts
                .find(|(_, verdict)| matches!(verdict, Verdict::Chain { .. }) || wait(*verdict));
            match found {
                Some((chunk_size, Verdict::Chain { multi })) => {
                    return Found::At { position, chunk_size, multi };
                }
                Some(_) => return Found::NotBefore(position),
                None => {}
            }
            match self.infer_chunk_size(&plausible, position) {
                Some((chunk_size, Verdict::Chain { multi })) => {
                    return Found::At { position, chunk_size, multi };
                }
                Some((_, verdict)) if wait(verdict) => return Found::NotBefore(position),
                _ => {}
            }
        }
        Found::NotBefore(data.len())
    }

    /// A cheap look before the expensive one.
    fn may_be_header(&self, data: &[u8], at_end: bool) -> bool {
        let Some(basic) = BasicHeader::parse(data) else { return !at_end };
        let known = self.streams.get(basic.csid);
        if basic.fmt >= 2 {
            return known.is_some_and(|stream| stream.type_id.is_some());
        }
        match MessageHeader::parse(basic.fmt, &data[basic.len..]) {
            Some(header) => header
                .type_id
                .is_some_and(|type_id| crate::wire::message::MessageType(type_id).is_known()),
            None => !at_end,
        }
    }

    /// Tries the distances at which the header of a next chunk would stand.
    fn infer_chunk_size(
        &self,
        plausible: &Plausible<'_>,
        position: usize,
    ) -> Option<(u32, Verdict)> {
        let data = &plausible.data[position..];
        let basic = BasicHeader::parse(data)?;
        if basic.fmt > 1 || basic.csid > 63 || self.chunk_size_proven {
            return None;
        }
        let header = MessageHeader::parse(basic.fmt, &data[basic.len..])?;
        let length = header.length? as usize;
        let body = basic.len + MessageHeader::len(basic.fmt);
        if length <= DEFAULT_CHUNK_SIZE as usize {
            return None;
        }
        let marker = 0xc0 | basic.csid as u8;
        let reach = length.min(MAX_INFERRED_CHUNK_SIZE);
        let window = data.get(body..)?;
        let window = &window[..window.len().min(reach)];
        let mut tries = 0;
        for (distance, byte) in window.iter().enumerate().skip(1) {
            if *byte != marker {
                continue;
            }
            tries += 1;
            if tries > 512 {
                break;
            }
            match plausible.judge(position, distance as u32) {
                verdict @ Verdict::Chain { multi: true } => {
                    return Some((distance as u32, verdict));
                }
                Verdict::NeedMore if !plausible.at_end => {
                    return Some((distance as u32, Verdict::NeedMore));
                }
                _ => {}
            }
        }
        (window.len() < reach && !plausible.at_end).then_some((0, Verdict::NeedMore))
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
            let detail = format!("chunk size {chunk_size} fits, {} does not", self.chunk_size);
            out.push(self.anomaly(AnomalyKind::ChunkSizeInferred, now, None, detail));
            self.chunk_size = chunk_size;
        }
        self.chunk_size_proven |= multi;
        if lost && search.announce {
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

    /// The message that was in progress cannot be continued: hand on what there is.
    fn give_up_doubtful(&mut self, predicted: &Predicted, now: Timestamp, out: &mut Vec<Event>) {
        let Some(stream) = self.streams.get_mut(predicted.csid) else { return };
        match &stream.partial {
            Some(partial) => {
                // What is left of it is anybody's guess, but not more than this.
                stream.broken_left = partial.left();
                self.end_partial(predicted.csid, now, out);
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
    match decoder.find(&Search::anywhere(), data, at_end, at_end) {
        Found::At { .. } | Found::Predicted => Some(true),
        Found::NotBefore(_) => at_end.then_some(false),
    }
}
