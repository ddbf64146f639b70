//! Two byte streams with their turns, and every message in them.

use std::ops::Range;

use rtmpscope::base::Direction;
use rtmpscope::rtmp::{ChunkEncoder, EncodeError, ExtendedTimestampHabit, MessageChunks, Outgoing};
use rtmpscope::wire::message::MessageType;

use super::rng::Rng;

/// One message as it was sent.
#[derive(Clone, Debug)]
pub struct Truth {
    pub direction: Direction,
    pub csid: u32,
    /// Header format of the first chunk.
    pub fmt: u8,
    pub type_id: MessageType,
    pub timestamp: u32,
    pub stream_id: u32,
    pub payload: bytes::Bytes,
    pub extended_timestamp: bool,
    /// Header bytes of each chunk, as stream offsets.
    pub headers: Vec<Range<u64>>,
    /// Payload bytes of each chunk, as stream offsets; some may be empty.
    pub pieces: Vec<Range<u64>>,
    /// Whether all chunks were sent.
    pub complete: bool,
    /// The message whose header this one inherits length and type from (formats 2 and 3).
    pub inherits: Option<usize>,
    /// Set Chunk Size messages that were in force while this one was sent.
    pub chunk_size_set_by: Vec<usize>,
}

impl Truth {
    /// Stream offset of the first header byte.
    pub fn offset(&self) -> u64 {
        self.headers.first().map_or(0, |range| range.start)
    }

    /// Stream offset just past the last byte.
    pub fn end(&self) -> u64 {
        self.pieces.last().map_or(0, |range| range.end)
    }

    /// Whether any byte of the message, headers included, lies in `missing`.
    pub fn overlaps(&self, missing: &[Range<u64>]) -> bool {
        self.headers
            .iter()
            .chain(&self.pieces)
            .any(|own| missing.iter().any(|hole| own.start < hole.end && hole.start < own.end))
    }
}

/// What missing stream bytes do to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing: it must be decoded.
    Untouched,
    /// Bytes of it are missing.
    Overlap,
    /// It is whole, but its header says "as before" about a message whose header is missing.
    Inherits,
    /// It is whole, but the chunk size in force was announced in missing bytes.
    ChunkSize,
    /// It was never sent to its end.
    Aborted,
}

/// Bytes that one side wrote at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub direction: Direction,
    /// Stream offsets.
    pub range: Range<u64>,
    /// Nanoseconds since the beginning of the scenario.
    pub time_ns: i64,
}

#[derive(Debug, Default)]
struct Side {
    encoder: ChunkEncoder,
    bytes: Vec<u8>,
    chunk_size_set_by: Option<usize>,
}

/// A message under way.
#[derive(Debug)]
pub struct Open {
    index: usize,
    chunks: MessageChunks,
}

impl Open {
    /// Index of the message in [`Scenario::truth`].
    pub fn index(&self) -> usize {
        self.index
    }
}

/// A connection: what both sides write, in order.
#[derive(Debug)]
pub struct Scenario {
    sides: [Side; 2],
    truth: Vec<Truth>,
    writes: Vec<Write>,
    now_ns: i64,
    pub rng: Rng,
}

impl Scenario {
    pub fn new(seed: u64) -> Scenario {
        Scenario {
            sides: Default::default(),
            truth: Vec::new(),
            writes: Vec::new(),
            now_ns: 0,
            rng: Rng::new(seed),
        }
    }

    /// All messages in the order they began.
    pub fn truth(&self) -> &[Truth] {
        &self.truth
    }

    /// Messages of one direction in the order of their last byte, without aborted ones.
    pub fn completed(&self, direction: Direction) -> Vec<&Truth> {
        let mut list: Vec<_> =
            self.truth.iter().filter(|t| t.direction == direction && t.complete).collect();
        list.sort_by_key(|truth| truth.end());
        list
    }

    /// Everything one side wrote.
    pub fn stream(&self, direction: Direction) -> &[u8] {
        &self.sides[direction.index()].bytes
    }

    /// Who wrote what when, in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// How a side writes extended timestamps in format 3 chunks.
    pub fn set_habit(&mut self, direction: Direction, habit: ExtendedTimestampHabit) {
        let side = &mut self.sides[direction.index()];
        side.encoder = std::mem::take(&mut side.encoder).with_habit(habit);
    }

    /// Lets time pass. What a side writes at one moment is one write.
    pub fn wait_us(&mut self, microseconds: i64) {
        self.now_ns += microseconds * 1000;
    }

    /// Lets time pass.
    pub fn wait_ms(&mut self, milliseconds: i64) {
        self.wait_us(milliseconds * 1000);
    }

    /// Writes bytes that are no message: the handshake, or garbage.
    pub fn raw(&mut self, direction: Direction, bytes: &[u8]) {
        let side = &mut self.sides[direction.index()];
        let start = side.bytes.len() as u64;
        side.bytes.extend_from_slice(bytes);
        self.wrote(direction, start);
    }

    /// Sends a whole message; returns its index in [`Scenario::truth`].
    pub fn send(&mut self, direction: Direction, message: Outgoing) -> usize {
        let open = self.begin(direction, message);
        self.finish(open)
    }

    /// Begins a message without writing yet. Panics when its header format cannot say it.
    pub fn begin(&mut self, direction: Direction, message: Outgoing) -> Open {
        self.try_begin(direction, message).expect("a message that can be sent")
    }

    /// Begins a message without writing yet.
    pub fn try_begin(
        &mut self,
        direction: Direction,
        message: Outgoing,
    ) -> Result<Open, EncodeError> {
        let side = &mut self.sides[direction.index()];
        let chunks = side.encoder.begin(message.clone())?;
        let index = self.truth.len();
        let before =
            self.truth.iter().rposition(|t| t.direction == direction && t.csid == message.csid);
        self.truth.push(Truth {
            direction,
            csid: message.csid,
            fmt: chunks.fmt(),
            type_id: message.type_id,
            timestamp: message.timestamp,
            stream_id: message.stream_id,
            payload: message.payload,
            extended_timestamp: chunks.has_extended_timestamp(),
            headers: Vec::new(),
            pieces: Vec::new(),
            complete: false,
            inherits: before.filter(|_| chunks.fmt() >= 2),
            chunk_size_set_by: Vec::new(),
        });
        Ok(Open { index, chunks })
    }

    /// Writes the next chunk; false when none was left.
    pub fn step(&mut self, open: &mut Open) -> bool {
        let truth = &mut self.truth[open.index];
        let direction = truth.direction;
        let side = &mut self.sides[direction.index()];
        let start = side.bytes.len() as u64;
        let Some(chunk) = open.chunks.write_next(&mut side.encoder, &mut side.bytes) else {
            return false;
        };
        truth.headers.push(chunk.header.start as u64..chunk.header.end as u64);
        truth.pieces.push(chunk.payload.start as u64..chunk.payload.end as u64);
        truth.complete = open.chunks.is_done();
        if let Some(setter) = side.chunk_size_set_by
            && !truth.chunk_size_set_by.contains(&setter)
        {
            truth.chunk_size_set_by.push(setter);
        }
        self.wrote(direction, start);
        true
    }

    /// Writes all chunks that are left; returns the index in [`Scenario::truth`].
    pub fn finish(&mut self, mut open: Open) -> usize {
        while self.step(&mut open) {}
        open.index
    }

    /// Sends messages of different chunk streams with their chunks taking turns.
    pub fn interleave(&mut self, direction: Direction, messages: Vec<Outgoing>) {
        let mut open: Vec<Open> =
            messages.into_iter().map(|message| self.begin(direction, message)).collect();
        self.interleave_open(&mut open);
    }

    /// The same for messages that were begun already.
    pub fn interleave_open(&mut self, open: &mut [Open]) {
        let mut more = true;
        while more {
            more = false;
            for message in open.iter_mut() {
                more |= self.step(message);
            }
        }
    }

    /// Sends Set Chunk Size and obeys it.
    pub fn set_chunk_size(&mut self, direction: Direction, size: u32) {
        let payload = size.to_be_bytes().to_vec();
        let message = Outgoing::new(2, MessageType::SET_CHUNK_SIZE, 0, 0, payload).with_fmt(0);
        let index = self.send(direction, message);
        let side = &mut self.sides[direction.index()];
        side.encoder.use_chunk_size(size).expect("a chunk size in range");
        side.chunk_size_set_by = Some(index);
    }

    /// Sends Abort for a message under way and gives it up.
    pub fn abort(&mut self, open: Open) {
        let direction = self.truth[open.index].direction;
        let csid = open.chunks.csid();
        let payload = csid.to_be_bytes().to_vec();
        self.send(direction, Outgoing::new(2, MessageType::ABORT, 0, 0, payload).with_fmt(0));
        self.sides[direction.index()].encoder.forget(csid);
    }

    /// What missing bytes (per direction, as stream offsets) do to each message of the truth.
    pub fn touched(&self, missing: &[Vec<Range<u64>>; 2]) -> Vec<Touch> {
        let lost = |truth: &Truth| truth.overlaps(&missing[truth.direction.index()]);
        let mut out: Vec<Touch> = Vec::with_capacity(self.truth.len());
        for truth in &self.truth {
            let header_lost = |index: usize| {
                let before = &self.truth[index];
                let first = before.headers.first().cloned().into_iter().collect::<Vec<_>>();
                out[index] == Touch::Inherits
                    || first.iter().any(|own| {
                        missing[before.direction.index()]
                            .iter()
                            .any(|hole| own.start < hole.end && hole.start < own.end)
                    })
            };
            let touch = if !truth.complete {
                Touch::Aborted
            } else if lost(truth) {
                Touch::Overlap
            } else if truth.inherits.is_some_and(header_lost) {
                Touch::Inherits
            } else if truth.chunk_size_set_by.iter().any(|index| lost(&self.truth[*index])) {
                Touch::ChunkSize
            } else {
                Touch::Untouched
            };
            out.push(touch);
        }
        out
    }

    fn wrote(&mut self, direction: Direction, start: u64) {
        let end = self.sides[direction.index()].bytes.len() as u64;
        if let Some(last) = self.writes.last_mut()
            && last.direction == direction
            && last.time_ns == self.now_ns
            && last.range.end == start
        {
            last.range.end = end;
            return;
        }
        self.writes.push(Write { direction, range: start..end, time_ns: self.now_ns });
    }
}
