//! Messages to chunks (RTMP 1.0 section 5.3).
//!
//! [`ChunkEncoder`] holds the state of one sending direction. By default it writes what the
//! specification asks for and every known receiver understands; the header format, the form of
//! the chunk stream id and the habit with extended timestamps can be chosen, so that a test server
//! or a generator can write what other programs write.
//!
//! ```
//! use rtmpscope::rtmp::{ChunkEncoder, Outgoing};
//! use rtmpscope::wire::message::MessageType;
//!
//! let mut encoder = ChunkEncoder::new();
//! let mut out = Vec::new();
//! let audio = Outgoing::new(4, MessageType::AUDIO, 20, 1, &b"\xaf\x01\x21"[..]);
//! encoder.encode(audio, &mut out)?;
//! assert_eq!(out, b"\x04\0\0\x14\0\0\x03\x08\x01\0\0\0\xaf\x01\x21");
//! # Ok::<(), rtmpscope::rtmp::EncodeError>(())
//! ```

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::base::Writer;
use crate::wire::chunk::{
    BasicHeader, DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP, MAX_CSID, MessageHeader,
};
use crate::wire::message::MessageType;

/// Longest message: the length field has 24 bits.
const MAX_LENGTH: u32 = 0xff_ffff;
/// Chunk stream of protocol control messages (section 5.4).
const CONTROL_CSID: u32 = 2;
/// Largest id of the 2-byte basic header.
const MAX_CSID_TWO_BYTES: u32 = 319;

/// What the chunks after the first one of a message, and messages that begin with format 3, carry
/// when the preceding header had an extended timestamp (section 5.3.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExtendedTimestampHabit {
    /// The field again with the same value: the specification, and most software.
    #[default]
    Repeat,
    /// No field: the 2009 draft; librtmp, and with it OBS Studio before 2024.
    Omit,
    /// The field with the value zero: gortmplib.
    Zero,
}

/// How the chunk stream id is written (section 5.3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CsidForm {
    /// In as few bytes as possible, as the specification recommends.
    #[default]
    Shortest,
    /// In 2 bytes: ids 64 to 319.
    TwoBytes,
    /// In 3 bytes: ids 64 to 65599.
    ThreeBytes,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Chunk stream id, 2 to 65599.
    pub csid: u32,
    /// Message type id.
    pub type_id: MessageType,
    /// Absolute timestamp in milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// Message stream id.
    pub stream_id: u32,
    /// Payload, at most 0xFFFFFF bytes.
    pub payload: Bytes,
    /// Format of the first chunk's message header, 0 to 3; `None` lets the encoder choose.
    pub fmt: Option<u8>,
    /// Form of the chunk stream id.
    pub csid_form: CsidForm,
}

impl Outgoing {
    /// A message whose header the encoder chooses.
    pub fn new(
        csid: u32,
        type_id: MessageType,
        timestamp: u32,
        stream_id: u32,
        payload: impl Into<Bytes>,
    ) -> Outgoing {
        Outgoing {
            csid,
            type_id,
            timestamp,
            stream_id,
            payload: payload.into(),
            fmt: None,
            csid_form: CsidForm::Shortest,
        }
    }

    /// The same with the header format `fmt`, 0 to 3.
    pub fn with_fmt(mut self, fmt: u8) -> Outgoing {
        self.fmt = Some(fmt);
        self
    }

    /// The same with the chunk stream id in `form`.
    pub fn with_csid_form(mut self, form: CsidForm) -> Outgoing {
        self.csid_form = form;
        self
    }
}

/// Why a message cannot be sent as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The chunk stream id is not in 2 to 65599, or its form cannot hold it.
    ChunkStreamId(u32),
    /// The payload is longer than 0xFFFFFF bytes.
    TooLong(usize),
    /// The header format cannot say what the message is: it would inherit other values.
    Format(u8),
    /// A message on this chunk stream has chunks left.
    Busy(u32),
    /// The chunk size is not in 1 to 0x7FFFFFFF.
    ChunkSize(u32),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::ChunkStreamId(csid) => {
                write!(f, "chunk stream id {csid} cannot be written in this form")
            }
            EncodeError::TooLong(len) => {
                write!(f, "a payload of {len} bytes is longer than a message can be")
            }
            EncodeError::Format(fmt) => {
                write!(f, "header format {fmt} would inherit other values than the message's")
            }
            EncodeError::Busy(csid) => {
                write!(f, "chunk stream {csid} is in the middle of a message")
            }
            EncodeError::ChunkSize(size) => write!(f, "chunk size {size} is out of range"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// What the receiver remembers of a chunk stream. Before its first chunk everything is zero:
/// librtmp begins csid 2 with format 1, and receivers take the missing stream id for 0.
#[derive(Clone, Copy, Debug, Default)]
struct ChunkStream {
    timestamp: u32,
    delta: u32,
    length: u32,
    type_id: u8,
    stream_id: u32,
    /// Value of the extended timestamp in the last header of format 0, 1 or 2.
    extended: Option<u32>,
    /// Whether any header was sent.
    known: bool,
    /// Whether the last header had format 0: programs disagree on the delta of a format 3 then.
    after_full: bool,
    /// Whether an abort came since the last whole message: what is kept is unspecified.
    aborted: bool,
    busy: bool,
}

/// The sending side of a chunk stream connection: chunk size and header state per csid.
#[derive(Clone, Debug)]
pub struct ChunkEncoder {
    chunk_size: u32,
    habit: ExtendedTimestampHabit,
    streams: FxHashMap<u32, ChunkStream>,
}

impl Default for ChunkEncoder {
    fn default() -> ChunkEncoder {
        ChunkEncoder::new()
    }
}

impl ChunkEncoder {
    /// Chunk size 128, nothing sent yet.
    pub fn new() -> ChunkEncoder {
        ChunkEncoder {
            chunk_size: DEFAULT_CHUNK_SIZE,
            habit: ExtendedTimestampHabit::default(),
            streams: FxHashMap::default(),
        }
    }

    /// The same with another habit for extended timestamps.
    pub fn with_habit(mut self, habit: ExtendedTimestampHabit) -> ChunkEncoder {
        self.habit = habit;
        self
    }

    /// Largest payload of a chunk, in bytes.
    pub fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// From the next chunk on, cuts payloads at `size` bytes without telling the peer.
    pub fn use_chunk_size(&mut self, size: u32) -> Result<(), EncodeError> {
        if size == 0 || size > 0x7fff_ffff {
            return Err(EncodeError::ChunkSize(size));
        }
        self.chunk_size = size;
        Ok(())
    }

    /// Writes Set Chunk Size (section 5.4.1) and cuts at `size` bytes from the next chunk on, also
    /// in messages that are under way.
    pub fn set_chunk_size(&mut self, size: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if size == 0 || size > 0x7fff_ffff {
            return Err(EncodeError::ChunkSize(size));
        }
        self.encode(control(MessageType::SET_CHUNK_SIZE, size), out)?;
        self.use_chunk_size(size)
    }

    /// Writes Abort Message (section 5.4.2) for `csid` and forgets the message under way there.
    pub fn abort(&mut self, csid: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(control(MessageType::ABORT, csid), out)?;
        self.forget(csid);
        Ok(())
    }

    /// Forgets the message under way on `csid` without telling the peer. The next message there
    /// begins with format 0.
    pub fn forget(&mut self, csid: u32) {
        if let Some(stream) = self.streams.get_mut(&csid)
            && stream.busy
        {
            stream.busy = false;
            stream.aborted = true;
        }
    }

    /// Writes all chunks of a message.
    pub fn encode(&mut self, message: Outgoing, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut chunks = self.begin(message)?;
        while chunks.write_next(self, out).is_some() {}
        Ok(())
    }

    /// Begins a message. Its chunks are written one by one with [`MessageChunks::write_next`], and
    /// chunks of messages on other chunk streams may come in between.
    pub fn begin(&mut self, message: Outgoing) -> Result<MessageChunks, EncodeError> {
        let Outgoing { csid, type_id, timestamp, stream_id, payload, fmt, csid_form } = message;
        let len = basic_header_len(csid, csid_form)?;
        let length = u32::try_from(payload.len())
            .ok()
            .filter(|length| *length <= MAX_LENGTH)
            .ok_or(EncodeError::TooLong(payload.len()))?;
        let stream = self.streams.get(&csid).copied().unwrap_or_default();
        if stream.busy {
            return Err(EncodeError::Busy(csid));
        }
        let next = ChunkStream { timestamp, length, type_id: type_id.0, stream_id, ..stream };
        let fmt = match fmt {
            None => choose(&stream, &next),
            Some(fmt) if can_say(&stream, &next, fmt) => fmt,
            Some(fmt) => return Err(EncodeError::Format(fmt)),
        };
        // Section 5.3.1.2.4: the delta after a format 0 is that header's timestamp.
        let (field, delta) = match fmt {
            0 => (timestamp, timestamp),
            1 | 2 => {
                let delta = timestamp.wrapping_sub(stream.timestamp);
                (delta, delta)
            }
            _ => (0, stream.delta),
        };
        let extended = match fmt {
            3 => stream.extended,
            _ => (field >= EXTENDED_TIMESTAMP).then_some(field),
        };
        let next = ChunkStream {
            delta,
            extended,
            known: true,
            after_full: fmt == 0,
            aborted: false,
            busy: true,
            ..next
        };
        self.streams.insert(csid, next);
        let header = MessageHeader {
            timestamp: (fmt <= 2).then_some(field.min(EXTENDED_TIMESTAMP)),
            length: (fmt <= 1).then_some(length),
            type_id: (fmt <= 1).then_some(type_id.0),
            stream_id: (fmt == 0).then_some(stream_id),
        };
        Ok(MessageChunks {
            basic: BasicHeader { fmt, csid, len },
            header,
            extended,
            payload,
            sent: None,
        })
    }
}

/// A control message on its customary place: csid 2, stream 0, timestamp 0, with a whole header,
/// since receivers may have dropped the state of csid 2.
fn control(type_id: MessageType, value: u32) -> Outgoing {
    Outgoing::new(CONTROL_CSID, type_id, 0, 0, Bytes::copy_from_slice(&value.to_be_bytes()))
        .with_fmt(0)
}

/// Whether a header of format `fmt` makes a receiver in the state `before` read `message`.
fn can_say(before: &ChunkStream, message: &ChunkStream, fmt: u8) -> bool {
    let same_kind = before.length == message.length && before.type_id == message.type_id;
    let same_stream = before.stream_id == message.stream_id;
    match fmt {
        0 => true,
        1 => same_stream,
        2 => same_stream && same_kind && before.known,
        3 => {
            same_stream
                && same_kind
                && before.known
                && message.timestamp == before.timestamp.wrapping_add(before.delta)
        }
        _ => false,
    }
}

/// The shortest header that all receivers read alike.
fn choose(before: &ChunkStream, message: &ChunkStream) -> u8 {
    let delta = message.timestamp.wrapping_sub(before.timestamp);
    // Format 0 where time goes backwards (section 5.3.1.2.1), and where the delta would need the
    // extended field: SRS before 7.0.52 reads that one as an absolute timestamp.
    if !before.known
        || before.aborted
        || delta >= EXTENDED_TIMESTAMP
        || !can_say(before, message, 1)
    {
        return 0;
    }
    if !can_say(before, message, 2) {
        return 1;
    }
    // Not after format 0, whose delta is its timestamp in the specification and 0 in nginx and
    // gortmplib; not with an extended timestamp, which half of the programs omit.
    let plain = !before.after_full && before.extended.is_none();
    if plain && can_say(before, message, 3) { 3 } else { 2 }
}

/// Length of the basic header in the form asked for.
fn basic_header_len(csid: u32, form: CsidForm) -> Result<usize, EncodeError> {
    let len = match form {
        CsidForm::Shortest if csid < 64 => 1,
        CsidForm::Shortest if csid <= MAX_CSID_TWO_BYTES => 2,
        CsidForm::TwoBytes => 2,
        CsidForm::Shortest | CsidForm::ThreeBytes => 3,
    };
    let ids = match len {
        1 => 2..=63,
        2 => 64..=MAX_CSID_TWO_BYTES,
        _ => 64..=MAX_CSID,
    };
    if ids.contains(&csid) { Ok(len) } else { Err(EncodeError::ChunkStreamId(csid)) }
}

/// A message under way: an iterator of chunks that lends the encoder and the output per step.
///
/// To be written to its end, or given up with [`ChunkEncoder::abort`] or [`ChunkEncoder::forget`];
/// until then its chunk stream is busy.
#[derive(Clone, Debug)]
pub struct MessageChunks {
    basic: BasicHeader,
    header: MessageHeader,
    extended: Option<u32>,
    payload: Bytes,
    /// Payload bytes sent; `None` before the first chunk.
    sent: Option<usize>,
}

/// Where a chunk was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenChunk {
    /// Basic header, message header and extended timestamp, as a range of the output.
    pub header: Range<usize>,
    /// Chunk data, as a range of the output; may be empty.
    pub payload: Range<usize>,
}

impl MessageChunks {
    /// Chunk stream id.
    pub fn csid(&self) -> u32 {
        self.basic.csid
    }

    /// Header format of the first chunk.
    pub fn fmt(&self) -> u8 {
        self.basic.fmt
    }

    /// Whether the headers announce an extended timestamp.
    pub fn has_extended_timestamp(&self) -> bool {
        self.extended.is_some()
    }

    /// Whether all chunks were written.
    pub fn is_done(&self) -> bool {
        self.sent.is_some_and(|sent| sent >= self.payload.len())
    }

    /// Appends the next chunk to `out`, cut at the encoder's chunk size of this moment; `None` when
    /// none is left. A message without payload is one chunk without data.
    pub fn write_next(
        &mut self,
        encoder: &mut ChunkEncoder,
        out: &mut Vec<u8>,
    ) -> Option<WrittenChunk> {
        if self.is_done() {
            return None;
        }
        let begin = out.len();
        let first = self.sent.is_none();
        let fmt = if first { self.basic.fmt } else { 3 };
        let mut header = Writer::new();
        BasicHeader { fmt, ..self.basic }.write(&mut header);
        if first {
            self.header.write(&mut header);
        }
        out.extend_from_slice(&header.into_bytes());
        match (self.extended, encoder.habit) {
            (None, _) => {}
            (Some(value), _) if fmt < 3 => out.extend_from_slice(&value.to_be_bytes()),
            (Some(_), ExtendedTimestampHabit::Omit) => {}
            (Some(_), ExtendedTimestampHabit::Zero) => out.extend_from_slice(&[0; 4]),
            (Some(value), ExtendedTimestampHabit::Repeat) => {
                out.extend_from_slice(&value.to_be_bytes());
            }
        }
        let data = out.len();
        let from = self.sent.unwrap_or(0);
        let to = self.payload.len().min(from + encoder.chunk_size as usize);
        out.extend_from_slice(&self.payload[from..to]);
        self.sent = Some(to);
        if self.is_done()
            && let Some(stream) = encoder.streams.get_mut(&self.basic.csid)
        {
            stream.busy = false;
        }
        Some(WrittenChunk { header: begin..data, payload: data..out.len() })
    }
}

#[cfg(test)]
mod tests;
