//! State of one chunk stream: the header that later headers inherit from, and the message in
//! progress.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::event::{Confidence, Hole, Message};
use crate::base::{Direction, Extents, Timestamp};
use crate::wire::message::{Body, MessageType};

/// One chunk stream (section 5.3.1).
#[derive(Clone, Debug)]
pub(super) struct ChunkStream {
    pub csid: u32,
    /// Timestamp of the newest message, deltas added up.
    pub timestamp: u32,
    /// Whether every delta since an absolute timestamp was seen.
    pub timestamp_exact: bool,
    /// The delta that a type 3 header repeats.
    pub delta: u32,
    /// Whether `delta` is the absolute timestamp of a type 0 header (section 5.3.1.2.4).
    pub delta_is_absolute: bool,
    /// Extended timestamp of the last type 0, 1 or 2 header, if it had one.
    pub extended: Option<u32>,
    /// Message length; type 3 and 2 headers inherit it.
    pub length: u32,
    /// Message type; `None` until a type 0 or 1 header was seen.
    pub type_id: Option<MessageType>,
    /// Message stream id; `None` until a type 0 header was seen.
    pub stream_id: Option<u32>,
    /// First payload byte of the newest media message: streams rarely change codec.
    pub first_byte: Option<u8>,
    /// The message in progress.
    pub partial: Option<Box<Partial>>,
    /// A gap may have swallowed a header since: what a type 2 or 3 header inherits is doubtful.
    pub stale: bool,
}

impl ChunkStream {
    pub fn new(csid: u32) -> ChunkStream {
        ChunkStream {
            csid,
            timestamp: 0,
            timestamp_exact: false,
            delta: 0,
            delta_is_absolute: false,
            extended: None,
            length: 0,
            type_id: None,
            stream_id: None,
            first_byte: None,
            partial: None,
            stale: false,
        }
    }
}

/// A message of which chunks are still to come.
#[derive(Clone, Debug)]
pub(super) struct Partial {
    pub fmt: u8,
    pub type_id: MessageType,
    pub stream_id: Option<u32>,
    pub timestamp: u32,
    pub timestamp_exact: bool,
    pub extended: bool,
    pub length: u32,
    /// Payload bytes accounted for, holes included.
    pub accounted: u32,
    pub first_time: Timestamp,
    pub offset: u64,
    pub chunks: u32,
    pub payload: Vec<u8>,
    /// How much of the payload to keep; `None` until its first bytes have told.
    pub keep: Option<usize>,
    pub headers: Extents,
    pub pieces: Extents,
    pub holes: Vec<Hole>,
    pub confidence: Confidence,
    /// A gap may have swallowed chunks of this message: its end must be verified.
    pub suspect: bool,
}

/// Payload bytes that tell whether a media message must be kept whole.
const DECIDING_BYTES: usize = 16;

impl Partial {
    /// Payload bytes still to come.
    pub fn left(&self) -> u32 {
        self.length - self.accounted
    }

    /// Takes payload bytes, keeping as much as `keep` says. Returns how many were kept.
    pub fn absorb(&mut self, mut bytes: &[u8], decide: impl FnOnce(&[u8]) -> usize) -> usize {
        let before = self.payload.len();
        self.accounted += bytes.len() as u32;
        if self.keep.is_none() {
            let wanted = DECIDING_BYTES.saturating_sub(self.payload.len()).min(bytes.len());
            self.payload.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            if self.payload.len() >= DECIDING_BYTES || self.left() == 0 {
                self.keep = Some(decide(&self.payload));
            }
        }
        if let Some(keep) = self.keep {
            let room = keep.saturating_sub(self.payload.len());
            if room > 0 {
                self.payload.extend_from_slice(&bytes[..room.min(bytes.len())]);
            }
        }
        self.payload.len() - before
    }

    /// Notes that `len` payload bytes are missing here. The payload is kept up to the first hole.
    pub fn skip(&mut self, len: u32) {
        self.holes.push(Hole { at: self.accounted, len });
        self.accounted += len;
        self.keep = Some(self.payload.len());
    }

    /// Ends the message, complete or not.
    pub fn into_message(mut self, direction: Direction, csid: u32, time: Timestamp) -> Message {
        let missing: u32 = self.holes.iter().map(|hole| hole.len).sum();
        let complete = self.accounted == self.length && self.holes.is_empty();
        if self.accounted < self.length {
            self.pieces = self.pieces.slice(0..u64::from(self.accounted));
        }
        Message {
            direction,
            time,
            first_time: self.first_time,
            csid,
            fmt: self.fmt,
            chunks: self.chunks,
            type_id: self.type_id,
            timestamp: self.timestamp,
            timestamp_exact: self.timestamp_exact,
            extended_timestamp: self.extended,
            stream_id: self.stream_id,
            length: self.length,
            received: self.accounted - missing,
            complete,
            holes: self.holes,
            confidence: self.confidence,
            payload: Bytes::from(self.payload),
            body: Body::Unknown,
            stop: None,
            reply: None,
            offset: self.offset,
            headers: self.headers,
            pieces: self.pieces,
        }
    }
}

/// Chunk streams by id: the one-byte ids, which is all that most software uses, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamTable {
    low: Vec<Option<Box<ChunkStream>>>,
    high: FxHashMap<u32, Box<ChunkStream>>,
}

impl StreamTable {
    pub fn get(&self, csid: u32) -> Option<&ChunkStream> {
        match csid {
            0..64 => self.low.get(csid as usize)?.as_deref(),
            _ => self.high.get(&csid).map(|stream| &**stream),
        }
    }

    pub fn get_mut(&mut self, csid: u32) -> Option<&mut ChunkStream> {
        match csid {
            0..64 => self.low.get_mut(csid as usize)?.as_deref_mut(),
            _ => self.high.get_mut(&csid).map(|stream| &mut **stream),
        }
    }

    pub fn entry(&mut self, csid: u32) -> &mut ChunkStream {
        if csid >= 64 {
            return self.high.entry(csid).or_insert_with(|| Box::new(ChunkStream::new(csid)));
        }
        if self.low.is_empty() {
            self.low.resize_with(64, || None);
        }
        self.low[csid as usize].get_or_insert_with(|| Box::new(ChunkStream::new(csid)))
    }

    /// Ids of the streams with a message in progress, ascending.
    pub fn in_progress(&self) -> Vec<u32> {
        let low = self.low.iter().flatten().filter(|s| s.partial.is_some()).map(|s| s.csid);
        let high = self.high.values().filter(|s| s.partial.is_some()).map(|s| s.csid);
        let mut ids: Vec<u32> = low.chain(high).collect();
        ids.sort_unstable();
        ids
    }

    /// All streams, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut ChunkStream> {
        let low = self.low.iter_mut().flatten().map(|stream| &mut **stream);
        low.chain(self.high.values_mut().map(|stream| &mut **stream))
    }

    /// Whether a message stream id has been seen on any stream.
    pub fn knows_stream_id(&self, stream_id: u32) -> bool {
        let low = self.low.iter().flatten().map(|stream| &**stream);
        low.chain(self.high.values().map(|stream| &**stream).take(64))
            .any(|stream| stream.stream_id == Some(stream_id))
    }
}
