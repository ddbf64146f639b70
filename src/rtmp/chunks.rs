//! The chunk decoder of one direction: stream bytes and gaps to messages.

use super::chunk_stream::{Partial, StreamTable};
use super::event::{Anomaly, AnomalyKind, Confidence, Event};
use super::limits::Limits;
use super::plausible::{Plausible, Verdict};
use super::search::Search;
use super::stash::Stash;
use crate::base::{Direction, Extents, Timestamp};
use crate::wire::chunk::{BasicHeader, DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP, MessageHeader};
use crate::wire::message::MessageType;

/// What the next byte is.
#[derive(Debug)]
pub(super) enum State {
    /// First byte of a chunk header.
    Header,
    /// Payload of a chunk.
    Body { csid: u32, left: u32 },
    /// Unknown: a chain of headers must be found.
    Search(Search),
}

/// How type 3 chunks treat the extended timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExtendedHabit {
    Unknown,
    /// They repeat the field (the specification; possibly with another value: gortmplib).
    Present,
    /// They leave it out (librtmp before 2024).
    Absent,
}

/// Decodes the chunk stream of one direction.
#[derive(Debug)]
pub(super) struct ChunkDecoder {
    pub(super) direction: Direction,
    pub(super) limits: Limits,
    /// Keep every payload whole.
    pub(super) keep_all: bool,
    pub(super) chunk_size: u32,
    /// False while the chunk size is a guess.
    pub(super) chunk_size_proven: bool,
    /// True when nobody announced the chunk size.
    pub(super) chunk_size_guessed: bool,
    pub(super) streams: StreamTable,
    pub(super) state: State,
    /// Stream offset of the first byte not consumed.
    pub(super) offset: u64,
    /// Bytes that wait for more, from `offset` on.
    pub(super) stash: Stash,
    /// When the newest bytes were captured.
    newest: Option<Timestamp>,
    pub(super) confidence: Confidence,
    habit: ExtendedHabit,
    /// Timestamp of the newest message with an exact one.
    pub(super) clock: Option<u32>,
    pub(super) undecoded: u64,
    pub(super) pending_bytes: usize,
    pub(super) pending_limit_told: bool,
}

/// What follows the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nobody knows yet.
    Open,
    /// A hole.
    Hole,
    /// Nothing, or so long a hole that nothing carries over it.
    Stream,
}

/// What a step of the decoder came to.
pub(super) enum Step {
    /// So many bytes were consumed.
    Consumed(usize),
    /// The bytes at hand do not suffice.
    NeedMore,
}

impl ChunkDecoder {
    pub fn new(direction: Direction, limits: Limits, keep_all: bool) -> ChunkDecoder {
        ChunkDecoder {
            direction,
            limits,
            keep_all,
            chunk_size: DEFAULT_CHUNK_SIZE,
            chunk_size_proven: true,
            chunk_size_guessed: false,
            streams: StreamTable::default(),
            state: State::Header,
            offset: 0,
            stash: Stash::default(),
            newest: None,
            confidence: Confidence::Exact,
            habit: ExtendedHabit::Unknown,
            clock: None,
            undecoded: 0,
            pending_bytes: 0,
            pending_limit_told: false,
        }
    }

    /// Begins in the middle of a stream: nothing is known.
    pub fn start_midstream(&mut self) {
        self.confidence = Confidence::Inferred;
        self.chunk_size_proven = false;
        self.chunk_size_guessed = true;
        self.state = State::Search(Search::anywhere());
    }

    /// Stream offset of the next byte that arrives.
    pub fn input_offset(&self) -> u64 {
        self.offset + self.stash.len() as u64
    }

    /// The earliest stream offset that a coming message can refer to.
    pub fn oldest_offset(&self) -> u64 {
        let pending = self.streams.in_progress().into_iter().filter_map(|csid| {
            self.streams.get(csid)?.partial.as_ref().map(|partial| partial.offset)
        });
        pending.min().unwrap_or(self.offset).min(self.offset)
    }

    /// Passes over bytes that are not chunk stream, such as ciphertext.
    pub fn skip_opaque(&mut self, len: u64) {
        self.offset += len;
        self.undecoded += len;
    }

    /// Passes over missing bytes of what is not chunk stream.
    pub fn skip_gap(&mut self, len: u64) {
        self.offset += len;
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, time: Timestamp, bytes: &[u8], out: &mut Vec<Event>) {
        self.newest = Some(time);
        if self.stash.is_empty() {
            let used = self.run(time, bytes, End::Open, out);
            if used < bytes.len() {
                self.stash.push(self.offset, time, &bytes[used..]);
            }
        } else {
            self.stash.push(self.input_offset(), time, bytes);
            self.run_stash(time, End::Open, out);
        }
    }

    /// Runs over the stash and drops what was consumed.
    fn run_stash(&mut self, time: Timestamp, end: End, out: &mut Vec<Event>) {
        let bytes = self.stash.take();
        let used = self.run(time, &bytes, end, out);
        self.stash.give_back(bytes, used, self.offset);
    }

    /// When the byte at a stream offset was captured, as far as it matters to bytes that waited.
    pub(super) fn time_at(&self, offset: u64, now: Timestamp) -> Timestamp {
        self.stash.time_at(offset, now)
    }

    /// Consumes what can be consumed of `data`, which begins at `self.offset`.
    fn run(&mut self, now: Timestamp, data: &[u8], end: End, out: &mut Vec<Event>) -> usize {
        let mut pos = 0;
        while pos < data.len() {
            let rest = &data[pos..];
            if let State::Search(_) = self.state {
                // A search sees past holes; what it finds says what they mean.
                match self.search(now, rest, end == End::Stream, out) {
                    Step::Consumed(len) => {
                        pos += len;
                        self.offset += len as u64;
                    }
                    Step::NeedMore => break,
                }
                continue;
            }
            let hole = self.stash.holes(self.offset).next(0);
            let known = match hole {
                Some(hole) if hole.start == 0 => {
                    let time = self.time_at(self.offset, now);
                    self.pass_hole(hole.end as u64, false, time, out);
                    pos += hole.end;
                    continue;
                }
                Some(hole) => &rest[..hole.start.min(rest.len())],
                None => rest,
            };
            let before_hole = known.len() < rest.len();
            if let State::Body { csid, left } = &mut self.state {
                let len = (*left as usize).min(known.len());
                let csid = *csid;
                *left -= len as u32;
                if *left == 0 {
                    self.state = State::Header;
                }
                self.absorb(csid, &known[..len], out);
                self.offset += len as u64;
                pos += len;
                if matches!(self.state, State::Header) {
                    self.chunk_ended(csid, now, out);
                }
                continue;
            }
            match self.header(now, known, before_hole || end != End::Open, out) {
                Step::Consumed(len) => {
                    pos += len;
                    self.offset += len as u64;
                }
                Step::NeedMore if before_hole => {
                    self.undecoded += known.len() as u64;
                    self.offset += known.len() as u64;
                    pos += known.len();
                    if let Some(hole) = self.stash.holes(self.offset).next(0) {
                        let time = self.time_at(self.offset, now);
                        self.pass_hole(hole.end as u64, true, time, out);
                        pos += hole.end;
                    }
                }
                Step::NeedMore => break,
            }
        }
        pos
    }

    /// The stream has a hole of `len` bytes here.
    pub fn gap(&mut self, time: Timestamp, len: u64, out: &mut Vec<Event>) {
        // That the bytes are missing is known later than what comes after them was captured: what
        // ends in the hole ends with the last byte before it.
        let time = self.newest.unwrap_or(time);
        if !self.stash.is_empty() {
            self.run_stash(time, End::Hole, out);
        }
        if !self.stash.is_empty() && matches!(self.state, State::Search(_)) {
            let room = self.limits.search_bytes.saturating_sub(self.stash.len());
            if len < room as u64 {
                self.stash.push_hole(self.input_offset(), time, len);
                self.run_stash(time, End::Open, out);
                return;
            }
            self.run_stash(time, End::Stream, out);
        }
        let cut = self.stash.len() as u64;
        self.undecoded += self.stash.captured(self.offset, cut);
        self.stash.clear();
        self.offset += cut;
        self.pass_hole(len, cut > 0, time, out);
    }

    /// Passes over a hole that begins here. With `header_cut` it cuts a header.
    fn pass_hole(&mut self, len: u64, header_cut: bool, time: Timestamp, out: &mut Vec<Event>) {
        let State::Body { csid, left } = &mut self.state else {
            self.begin_search_after_gap(len, header_cut, time, out);
            self.offset += len;
            return;
        };
        if header_cut || u64::from(*left) < len {
            self.begin_search_after_gap(len, header_cut, time, out);
            self.offset += len;
            return;
        }
        // The end of the chunk is known: only this message is hurt.
        let csid = *csid;
        *left -= len as u32;
        let ended = *left == 0;
        if let Some(partial) = self.streams.get_mut(csid).and_then(|stream| stream.partial.as_mut())
        {
            partial.skip(len as u32);
        }
        self.offset += len;
        if ended {
            self.state = State::Header;
            self.chunk_ended(csid, time, out);
        }
    }

    /// The stream is over: what is in progress ends as it is.
    pub fn finish(&mut self, time: Timestamp, out: &mut Vec<Event>) {
        if !self.stash.is_empty() {
            self.run_stash(time, End::Stream, out);
        }
        let cut = self.stash.len() as u64;
        self.undecoded += self.stash.captured(self.offset, cut);
        self.offset += cut;
        self.stash.clear();
        for csid in self.streams.in_progress() {
            self.end_partial(csid, time, out);
        }
    }

    pub(super) fn anomaly(
        &self,
        kind: AnomalyKind,
        time: Timestamp,
        csid: Option<u32>,
        detail: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Event {
        Event::Anomaly(Anomaly {
            kind,
            direction: self.direction,
            time,
            offset: self.offset,
            csid,
            detail: detail.into(),
        })
    }

    fn lost_sync(&mut self) {
        self.state = State::Search(Search::anywhere());
        if self.confidence == Confidence::Exact {
            self.confidence = Confidence::Resynced;
        }
    }

    /// Reads one chunk header; `data` begins with it.
    pub(super) fn header(
        &mut self,
        now: Timestamp,
        data: &[u8],
        at_end: bool,
        out: &mut Vec<Event>,
    ) -> Step {
        let Some(basic) = BasicHeader::parse(data) else { return Step::NeedMore };
        let Some(header) = MessageHeader::parse(basic.fmt, &data[basic.len..]) else {
            return Step::NeedMore;
        };
        let mut len = basic.len + MessageHeader::len(basic.fmt);
        let csid = basic.csid;
        let known = self.streams.get(csid);
        let continues = basic.fmt == 3 && known.is_some_and(|stream| stream.partial.is_some());
        if basic.fmt >= 2 && known.is_none_or(|stream| stream.type_id.is_none()) {
            let time = self.time_at(self.offset, now);
            let detail = format!("type {} header, the length is unknown", basic.fmt);
            out.push(self.anomaly(AnomalyKind::NoPreviousHeader, time, Some(csid), detail));
            self.undecoded += 1;
            self.lost_sync();
            return Step::Consumed(1);
        }
        if self.confidence != Confidence::Exact && basic.fmt <= 1 {
            match self.plausible(data, at_end).may_begin(0) {
                Some(true) => {}
                None if !at_end => return Step::NeedMore,
                None => {}
                Some(false) => {
                    // Found by guessing, and the guess was wrong: look again.
                    let time = self.time_at(self.offset, now);
                    let detail = "what stands where the next header must be is none";
                    out.push(self.anomaly(AnomalyKind::LostSync, time, Some(csid), detail));
                    self.lost_sync();
                    return Step::Consumed(0);
                }
            }
        }
        let doubtful =
            known.is_some_and(|stream| stream.stale && stream.partial.is_none()) && basic.fmt >= 2;
        if doubtful && let Some(step) = self.doubtful_header(basic, data, at_end) {
            return step;
        }
        let known = self.streams.get(csid);
        // Read everything before anything changes: the header may come in pieces.
        let mut extended = None;
        if header.timestamp == Some(EXTENDED_TIMESTAMP) {
            let Some(bytes) = data.get(len..len + 4) else { return Step::NeedMore };
            extended = Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            len += 4;
        } else if basic.fmt == 3
            && let Some(expected) = known.and_then(|stream| stream.extended)
        {
            let body = self.next_body_len(csid, continues);
            match self.repeats_extended(data, len, expected, csid, body, at_end) {
                Some(present) => {
                    self.note_habit(now, csid, present, data.get(len..len + 4), expected, out);
                    extended = Some(expected);
                    len += if present { 4 } else { 0 };
                }
                None => return Step::NeedMore,
            }
        }
        let time = self.time_at(self.offset, now);
        if continues {
            return self.continuation(csid, len);
        }
        self.begin_message(basic, header, extended, len, time, out);
        Step::Consumed(len)
    }

    /// Payload length of the chunk that a type 3 header on `csid` begins.
    fn next_body_len(&self, csid: u32, continues: bool) -> u32 {
        let Some(stream) = self.streams.get(csid) else { return 0 };
        let left = match &stream.partial {
            Some(partial) if continues => partial.left(),
            _ => stream.length,
        };
        left.min(self.chunk_size)
    }

    /// Whether the four bytes after a type 3 header are the extended timestamp. `None`: more bytes
    /// must tell.
    fn repeats_extended(
        &self,
        data: &[u8],
        len: usize,
        expected: u32,
        csid: u32,
        body: u32,
        at_end: bool,
    ) -> Option<bool> {
        let Some(field) = data.get(len..len + 4) else {
            return at_end.then_some(false);
        };
        if field == expected.to_be_bytes() {
            return Some(true);
        }
        match self.habit {
            ExtendedHabit::Present => return Some(true),
            ExtendedHabit::Absent => return Some(false),
            ExtendedHabit::Unknown => {}
        }
        // Either the sender leaves the field out, or it writes something else into it. The header
        // after this chunk stands in one of two places: look which.
        let full = data.len() >= self.limits.search_bytes;
        let judge = |any_repeat, at| {
            let plausible = Plausible { any_repeat, ..self.plausible(data, at_end) };
            match plausible.judge_after(at, csid, body, self.size_in_force()) {
                Verdict::NeedMore(_) if full => Verdict::Nothing,
                verdict => verdict,
            }
        };
        let absent = judge(false, len + body as usize);
        let present = judge(true, len + 4 + body as usize);
        match (absent, present) {
            (Verdict::Chain(absent), Verdict::Chain(present)) => {
                Some(present.proven_at < absent.proven_at)
            }
            (Verdict::Chain(_), _) => Some(false),
            (_, Verdict::Chain(_)) => Some(true),
            (Verdict::Nothing, Verdict::Nothing) => Some(field == [0; 4]),
            _ => None,
        }
    }

    fn note_habit(
        &mut self,
        now: Timestamp,
        csid: u32,
        present: bool,
        field: Option<&[u8]>,
        expected: u32,
        out: &mut Vec<Event>,
    ) {
        let differs = field.is_some_and(|field| field != expected.to_be_bytes());
        if self.habit != ExtendedHabit::Unknown {
            return;
        }
        let time = self.time_at(self.offset, now);
        if !present {
            self.habit = ExtendedHabit::Absent;
            let detail = "type 3 chunks do not repeat the extended timestamp";
            out.push(self.anomaly(AnomalyKind::ExtendedTimestampOmitted, time, Some(csid), detail));
        } else if differs {
            self.habit = ExtendedHabit::Present;
            let detail = "type 3 chunks carry another extended timestamp than their message";
            out.push(self.anomaly(AnomalyKind::ExtendedTimestampDiffers, time, Some(csid), detail));
        }
    }

    /// A type 3 header that continues a message.
    fn continuation(&mut self, csid: u32, len: usize) -> Step {
        let chunk_size = self.chunk_size;
        let offset = self.offset;
        let Some(stream) = self.streams.get_mut(csid) else { return Step::Consumed(len) };
        let Some(partial) = &mut stream.partial else { return Step::Consumed(len) };
        partial.chunks += 1;
        partial.headers.push(offset, len as u64);
        let body = partial.left().min(chunk_size);
        if partial.suspect {
            self.state = State::Search(Search::after_doubtful_chunk(csid, body));
            return Step::Consumed(len);
        }
        partial.pieces.push(offset + len as u64, u64::from(body));
        self.state = State::Body { csid, left: body };
        Step::Consumed(len)
    }

    /// A header that begins a message.
    fn begin_message(
        &mut self,
        basic: BasicHeader,
        header: MessageHeader,
        extended: Option<u32>,
        len: usize,
        time: Timestamp,
        out: &mut Vec<Event>,
    ) {
        let csid = basic.csid;
        if let Some(partial) = self.streams.get(csid).and_then(|stream| stream.partial.as_ref()) {
            // After a gap it is the capture that interrupts, not the sender.
            if !partial.suspect {
                let detail = format!("type {} header before the message was complete", basic.fmt);
                out.push(self.anomaly(AnomalyKind::MessageInterrupted, time, Some(csid), detail));
            }
            self.end_partial(csid, time, out);
        }
        let (chunk_size, offset) = (self.chunk_size, self.offset);
        let confidence = match self.chunk_size_proven {
            true => self.confidence,
            false => self.confidence.max(Confidence::Inferred),
        };
        let stream = self.streams.entry(csid);
        stream.stale = false;
        let value = extended.or(header.timestamp);
        let mut odd = None;
        match (basic.fmt, value) {
            (0, Some(timestamp)) => {
                stream.timestamp = timestamp;
                stream.timestamp_exact = true;
                stream.delta = timestamp;
                stream.delta_is_absolute = true;
            }
            (1 | 2, Some(delta)) => {
                if stream.type_id.is_none() && stream.stream_id.is_none() {
                    // rtmpsrv opens its chunk streams so: the absolute timestamp counts from 0.
                    stream.timestamp_exact = confidence == Confidence::Exact;
                    if stream.timestamp_exact {
                        odd = Some(AnomalyKind::Type1OpensChunkStream);
                    }
                }
                stream.timestamp = stream.timestamp.wrapping_add(delta);
                stream.delta = delta;
                stream.delta_is_absolute = false;
            }
            _ => {
                if stream.delta_is_absolute && stream.delta != 0 {
                    odd = Some(AnomalyKind::Type3AfterType0);
                }
                stream.timestamp = stream.timestamp.wrapping_add(stream.delta);
            }
        }
        if basic.fmt <= 2 {
            stream.extended = extended;
        }
        if let (Some(length), Some(type_id)) = (header.length, header.type_id) {
            stream.length = length;
            stream.type_id = Some(MessageType(type_id));
        }
        if let Some(stream_id) = header.stream_id {
            stream.stream_id = Some(stream_id);
        } else if stream.stream_id.is_none() && confidence == Confidence::Exact {
            // Nothing to inherit from since the stream began: 0 is what receivers assume.
            stream.stream_id = Some(0);
        }
        let type_id = stream.type_id.unwrap_or(MessageType(0));
        let length = stream.length;
        let mut headers = Extents::new();
        headers.push(offset, len as u64);
        let body = length.min(chunk_size);
        let mut pieces = Extents::new();
        pieces.push(offset + len as u64, u64::from(body));
        if stream.timestamp_exact && !type_id.is_control() {
            self.clock = Some(stream.timestamp);
        }
        stream.partial = Some(Box::new(Partial {
            fmt: basic.fmt,
            type_id,
            stream_id: stream.stream_id,
            timestamp: stream.timestamp,
            timestamp_exact: stream.timestamp_exact,
            extended: extended.is_some(),
            length,
            accounted: 0,
            first_time: time,
            offset,
            chunks: 1,
            payload: Vec::new(),
            keep: None,
            headers,
            pieces,
            holes: Vec::new(),
            confidence,
            suspect: false,
        }));
        match odd {
            Some(kind @ AnomalyKind::Type3AfterType0) => {
                let detail =
                    "timestamp taken as twice the absolute one; senders often mean delta 0";
                out.push(self.anomaly(kind, time, Some(csid), detail));
            }
            Some(kind) => {
                let detail = "type 1 header opens the chunk stream, message stream id taken as 0";
                out.push(self.anomaly(kind, time, Some(csid), detail));
            }
            None => {}
        }
        self.state = State::Body { csid, left: body };
        if body == 0 {
            self.state = State::Header;
            self.offset += len as u64;
            self.chunk_ended(csid, time, out);
            self.offset -= len as u64;
        }
    }

    /// Whether type 3 chunks are known to carry something else than their extended timestamp.
    pub(super) fn any_repeat(&self) -> bool {
        self.habit == ExtendedHabit::Present
    }
}
