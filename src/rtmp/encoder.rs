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
use crate::wire::message::MessageType;

/// Chunk size of each direction before any Set Chunk Size (section 5.4.1).
const INITIAL_CHUNK_SIZE: u32 = 128;
/// Longest message, and with it the largest chunk size that makes a difference.
const MAX_LENGTH: u32 = 0xff_ffff;
/// A 24-bit timestamp field of this value says that the 32-bit field follows.
const EXTENDED: u32 = 0xff_ffff;
/// Chunk stream of protocol control messages (section 5.4).
const CONTROL_CSID: u32 = 2;
/// Largest id of the 2-byte basic header.
const MAX_CSID_TWO_BYTES: u32 = 319;
/// Largest id of the 3-byte basic header.
const MAX_CSID: u32 = 65_599;

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
            chunk_size: INITIAL_CHUNK_SIZE,
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
        let basic = BasicHeader::new(csid, csid_form)?;
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
            _ => (field >= EXTENDED).then_some(field),
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
        let mut header = Writer::new();
        let short = field.min(EXTENDED);
        if fmt <= 2 {
            header.u24(short);
        }
        if fmt <= 1 {
            header.u24(length).u8(type_id.0);
        }
        if fmt == 0 {
            header.u32_le(stream_id);
        }
        Ok(MessageChunks {
            csid,
            basic,
            fmt,
            header: header.into_bytes(),
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
    if !before.known || before.aborted || delta >= EXTENDED || !can_say(before, message, 1) {
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

/// The basic header (section 5.3.1.1) without the format bits.
#[derive(Clone, Copy, Debug)]
struct BasicHeader {
    bytes: [u8; 3],
    len: usize,
}

impl BasicHeader {
    fn new(csid: u32, form: CsidForm) -> Result<BasicHeader, EncodeError> {
        let error = Err(EncodeError::ChunkStreamId(csid));
        let long = csid.wrapping_sub(64);
        let [_, _, high, low] = long.to_be_bytes();
        let len = match form {
            CsidForm::Shortest if csid < 64 => 1,
            CsidForm::Shortest if csid <= MAX_CSID_TWO_BYTES => 2,
            CsidForm::Shortest => 3,
            CsidForm::TwoBytes if csid > MAX_CSID_TWO_BYTES => return error,
            CsidForm::TwoBytes => 2,
            CsidForm::ThreeBytes => 3,
        };
        match len {
            1 if csid >= 2 => Ok(BasicHeader { bytes: [csid as u8, 0, 0], len }),
            2 if csid >= 64 => Ok(BasicHeader { bytes: [0, low, 0], len }),
            // The one little-endian number besides the message stream id.
            3 if (64..=MAX_CSID).contains(&csid) => Ok(BasicHeader { bytes: [1, low, high], len }),
            _ => error,
        }
    }

    fn write(&self, fmt: u8, out: &mut Vec<u8>) {
        out.push(fmt << 6 | self.bytes[0]);
        out.extend_from_slice(&self.bytes[1..self.len]);
    }
}

/// A message under way: an iterator of chunks that lends the encoder and the output per step.
///
/// To be written to its end, or given up with [`ChunkEncoder::abort`] or [`ChunkEncoder::forget`];
/// until then its chunk stream is busy.
#[derive(Clone, Debug)]
pub struct MessageChunks {
    csid: u32,
    basic: BasicHeader,
    fmt: u8,
    header: Vec<u8>,
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
        self.csid
    }

    /// Header format of the first chunk.
    pub fn fmt(&self) -> u8 {
        self.fmt
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
        let fmt = if first { self.fmt } else { 3 };
        self.basic.write(fmt, out);
        if first {
            out.extend_from_slice(&self.header);
        }
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
            && let Some(stream) = encoder.streams.get_mut(&self.csid)
        {
            stream.busy = false;
        }
        Some(WrittenChunk { header: begin..data, payload: data..out.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(encoder: &mut ChunkEncoder, message: Outgoing) -> Vec<u8> {
        let mut out = Vec::new();
        encoder.encode(message, &mut out).unwrap();
        out
    }

    fn audio(timestamp: u32, payload: &[u8]) -> Outgoing {
        Outgoing::new(4, MessageType::AUDIO, timestamp, 1, payload.to_vec())
    }

    #[test]
    fn headers_get_shorter_as_messages_repeat() {
        let mut encoder = ChunkEncoder::new();
        let e = &mut encoder;
        assert_eq!(encode(e, audio(1000, b"ab")), b"\x04\x00\x03\xe8\0\0\x02\x08\x01\0\0\0ab");
        assert_eq!(encode(e, audio(1020, b"abc")), b"\x44\0\0\x14\0\0\x03\x08abc");
        assert_eq!(encode(e, audio(1041, b"def")), b"\x84\0\0\x15def");
        assert_eq!(encode(e, audio(1062, b"ghi")), b"\xc4ghi");
        // Backwards, another stream, another type.
        assert_eq!(encode(e, audio(1061, b"jkl"))[..4], *b"\x04\x00\x04\x25");
        assert_eq!(encode(e, Outgoing { stream_id: 2, ..audio(1061, b"jkl") })[0], 0x04);
        let video = Outgoing { stream_id: 2, type_id: MessageType::VIDEO, ..audio(1061, b"jkl") };
        assert_eq!(encode(e, video), b"\x44\0\0\0\0\0\x03\x09jkl");
    }

    #[test]
    fn no_format_3_right_after_format_0_unless_told() {
        let mut encoder = ChunkEncoder::new();
        encode(&mut encoder, audio(20, b"a"));
        let mut told = encoder.clone();
        assert_eq!(encode(&mut encoder, audio(40, b"a")), b"\x84\0\0\x14a");
        assert_eq!(encode(&mut told, audio(40, b"b").with_fmt(3)), b"\xc4b");
    }

    #[test]
    fn a_format_that_would_lie_is_refused() {
        let mut encoder = ChunkEncoder::new();
        let mut out = Vec::new();
        encode(&mut encoder, audio(20, b"a"));
        for (message, fmt) in [
            (audio(40, b"ab"), 2),
            (audio(41, b"a"), 3),
            (audio(40, b"a"), 4),
            (Outgoing { stream_id: 9, ..audio(40, b"a") }, 1),
        ] {
            let refused = encoder.encode(message.with_fmt(fmt), &mut out);
            assert_eq!(refused, Err(EncodeError::Format(fmt)));
        }
        assert!(out.is_empty());
        // No header yet that could tell length and type.
        let empty = Outgoing::new(7, MessageType(0), 0, 0, vec![]);
        for fmt in [2, 3] {
            let refused = encoder.encode(empty.clone().with_fmt(fmt), &mut out);
            assert_eq!(refused, Err(EncodeError::Format(fmt)));
        }
        // librtmp's first control message: format 1, the stream id left to be 0.
        let control = Outgoing::new(2, MessageType::SET_CHUNK_SIZE, 0, 0, vec![0, 0, 16, 0]);
        assert_eq!(encode(&mut encoder, control.with_fmt(1)), b"\x42\0\0\0\0\0\x04\x01\0\0\x10\0");
    }

    #[test]
    fn chunk_stream_ids_in_every_form() {
        let basic = |csid, form| {
            BasicHeader::new(csid, form).map(|basic| {
                let mut out = Vec::new();
                basic.write(2, &mut out);
                out
            })
        };
        let short = CsidForm::Shortest;
        assert_eq!(basic(2, short).unwrap(), [0x82]);
        assert_eq!(basic(63, short).unwrap(), [0xbf]);
        assert_eq!(basic(64, short).unwrap(), [0x80, 0]);
        assert_eq!(basic(319, short).unwrap(), [0x80, 255]);
        assert_eq!(basic(320, short).unwrap(), [0x81, 0, 1]);
        assert_eq!(basic(500, short).unwrap(), [0x81, 180, 1]);
        assert_eq!(basic(65_599, short).unwrap(), [0x81, 255, 255]);
        assert_eq!(basic(64, CsidForm::TwoBytes).unwrap(), [0x80, 0]);
        assert_eq!(basic(64, CsidForm::ThreeBytes).unwrap(), [0x81, 0, 0]);
        for (csid, form) in [
            (0, short),
            (1, short),
            (65_600, short),
            (63, CsidForm::TwoBytes),
            (320, CsidForm::TwoBytes),
            (63, CsidForm::ThreeBytes),
            (65_600, CsidForm::ThreeBytes),
        ] {
            assert_eq!(basic(csid, form), Err(EncodeError::ChunkStreamId(csid)));
        }
    }

    #[test]
    fn extended_timestamps_in_every_habit() {
        let payload = [7; 130];
        for (habit, again) in [
            (ExtendedTimestampHabit::Repeat, &b"\xc4\x01\0\0\0\x07\x07"[..]),
            (ExtendedTimestampHabit::Omit, b"\xc4\x07\x07"),
            (ExtendedTimestampHabit::Zero, b"\xc4\0\0\0\0\x07\x07"),
        ] {
            let mut encoder = ChunkEncoder::new().with_habit(habit);
            let out = encode(&mut encoder, audio(0x0100_0000, &payload));
            assert_eq!(out[..16], *b"\x04\xff\xff\xff\0\0\x82\x08\x01\0\0\0\x01\0\0\0");
            assert_eq!(out[16 + 128..], *again);
        }
        // 0xFFFFFF itself needs the field, one less does not.
        let mut encoder = ChunkEncoder::new();
        assert_eq!(encode(&mut encoder, audio(0xff_fffe, b""))[1..4], [0xff, 0xff, 0xfe]);
        let out = encode(&mut encoder, audio(0xff_ffff, b"").with_fmt(0));
        assert_eq!(out[12..], [0, 0xff, 0xff, 0xff]);
        // A small delta after an absolute extended timestamp has none.
        assert_eq!(encode(&mut encoder, audio(0x0100_0009, b"")), b"\x84\0\0\x0a");
        // An extended delta only when told.
        let far = audio(0x0300_0000, b"");
        let mut told = encoder.clone();
        assert_eq!(encode(&mut encoder, far.clone())[0], 0x04);
        assert_eq!(encode(&mut told, far.with_fmt(2)), b"\x84\xff\xff\xff\x01\xff\xff\xf7");
    }

    #[test]
    fn time_wraps() {
        let mut encoder = ChunkEncoder::new();
        encode(&mut encoder, audio(u32::MAX - 9, b""));
        assert_eq!(encode(&mut encoder, audio(10, b"")), b"\x84\0\0\x14");
    }

    #[test]
    fn chunks_interleave_and_the_chunk_size_changes_under_way() {
        let mut encoder = ChunkEncoder::new();
        let mut out = Vec::new();
        let payload: Vec<u8> = (0..200).collect();
        let video = Outgoing::new(6, MessageType::VIDEO, 0, 1, payload.clone());
        let mut video = encoder.begin(video).unwrap();
        let first = video.write_next(&mut encoder, &mut out).unwrap();
        assert_eq!((first.header, first.payload), (0..12, 12..140));
        let busy = Outgoing::new(6, MessageType::VIDEO, 0, 1, vec![]);
        assert_eq!(encoder.encode(busy, &mut out), Err(EncodeError::Busy(6)));
        encoder.encode(audio(0, b"xyz"), &mut out).unwrap();
        encoder.set_chunk_size(50, &mut out).unwrap();
        let resume = out.len();
        let second = video.write_next(&mut encoder, &mut out).unwrap();
        assert_eq!(second.header, resume..resume + 1);
        assert_eq!(out[second.payload], payload[128..178]);
        assert!(!video.is_done());
        let third = video.write_next(&mut encoder, &mut out).unwrap();
        assert_eq!(out[third.header], [0xc6]);
        assert_eq!(out[third.payload], payload[178..]);
        assert!(video.is_done());
        assert_eq!(video.write_next(&mut encoder, &mut out), None);
        encoder.encode(Outgoing::new(6, MessageType::VIDEO, 5, 1, vec![]), &mut out).unwrap();
    }

    #[test]
    fn after_an_abort_comes_a_whole_header() {
        let mut encoder = ChunkEncoder::new();
        let mut out = Vec::new();
        let mut lost = encoder.begin(audio(0, &[1; 300])).unwrap();
        lost.write_next(&mut encoder, &mut out);
        let at = out.len();
        encoder.abort(4, &mut out).unwrap();
        assert_eq!(out[at..], *b"\x02\0\0\0\0\0\x04\x02\0\0\0\0\0\0\0\x04");
        assert_eq!(encode(&mut encoder, audio(0, &[1; 300]))[0], 0x04);
    }

    #[test]
    fn limits_are_refused() {
        let mut encoder = ChunkEncoder::new();
        let mut out = Vec::new();
        let long = Outgoing::new(4, MessageType::AUDIO, 0, 1, vec![0; 0x100_0000]);
        assert_eq!(encoder.encode(long, &mut out), Err(EncodeError::TooLong(0x100_0000)));
        for size in [0, 0x8000_0000] {
            assert_eq!(encoder.set_chunk_size(size, &mut out), Err(EncodeError::ChunkSize(size)));
        }
        assert!(out.is_empty());
        assert_eq!(encoder.chunk_size(), 128);
    }
}
