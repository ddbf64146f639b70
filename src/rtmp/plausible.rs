//! Does a chain of chunk headers begin here?
//!
//! After a gap, and in a capture that starts in mid-stream, nothing says where the next chunk
//! header is. Each field of a header that could have been otherwise is evidence, counted in bits
//! (a field that would be so by chance once in 2^n tries counts n); headers must follow each other
//! at the distances that lengths and chunk size demand. Everything here depends only on bytes of
//! the stream, never on how they were cut into segments, so the same stream always decodes alike.

use super::chunk_stream::StreamTable;
use super::in_progress::media_of;
use super::stash::Holes;
use crate::wire::chunk::{BasicHeader, EXTENDED_TIMESTAMP, MessageHeader};
use crate::wire::flv;
use crate::wire::message::MessageType;

/// Evidence that a chain needs. A megabyte of noise has 2^20 places to begin, so this leaves one
/// false chain in 2^30 such megabytes.
const ENOUGH_BITS: u32 = 50;
/// Headers a chain needs while the stream goes on.
const ENOUGH_LINKS: u32 = 3;
/// Evidence with which two headers suffice.
const ENOUGH_FOR_TWO: u32 = 64;
/// How much of it must come from the headers after the first: that they stand where they do is
/// what proves the length.
const ENOUGH_AFTER_FIRST: u32 = 28;
/// The same where the second header inherits a length that is in doubt: the chain ends there.
const ENOUGH_BEFORE_DOUBT: u32 = 20;
/// How many bytes of a header and the payload after it are looked at.
const LONGEST_LOOK: usize = 26;
/// Evidence that suffices when the chain ends exactly where the stream does.
const ENOUGH_AT_END: u32 = 40;
/// Evidence that suffices where a message ended, when a hole hides what comes next.
const ENOUGH_FORESEEN: u32 = 20;
/// What it is worth that a header stands just where the captured bytes begin again.
const AFTER_HOLE: u32 = 8;
/// The longest chain that is looked at: a key frame in 128-byte chunks has this many.
const MAX_LINKS: u32 = 1000;

/// A chunk size to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkSize {
    pub bytes: u32,
    /// How many type 3 headers must stand where this size puts them. One byte each, so that the
    /// more sizes are tried, the more it takes: 1 for the size in force, 2 for one of the usual
    /// ones, 3 for any.
    pub markers: u32,
}

/// What was found at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A chain of headers.
    Chain(Chain),
    /// Not a header, and no further byte can change that.
    Nothing,
    /// Good so far; nothing new can be said before there are this many bytes.
    NeedMore(usize),
}

/// A chain of headers that convinced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// How many bytes it took: of several chains, the one that is proven first is taken, whatever
    /// else is still waiting for bytes.
    pub proven_at: usize,
    /// Enough type 3 headers stood where the chunk size puts them to prove it.
    pub multi: bool,
    /// The first message takes more than one chunk: the chunk size matters.
    pub splits: bool,
    /// How strange the first chunk stream id is: 0 one that is in use, 1 another of the one-byte
    /// form, 2 another of a longer form, which hardly any program uses, 3 a form longer than needed.
    pub stranger: u8,
}

/// What is known when looking for a chain.
pub(super) struct Plausible<'a> {
    /// The bytes to look at.
    pub data: &'a [u8],
    /// What is missing of them.
    pub holes: Holes<'a>,
    /// What was known of the chunk streams before.
    pub streams: &'a StreamTable,
    /// Timestamp of the newest message, if it is exact.
    pub clock: Option<u32>,
    /// Whether `data` ends because the stream (or what is known of it) does.
    pub at_end: bool,
    /// Whether type 3 headers carry four bytes where the extended timestamp belongs even if they
    /// are not that timestamp.
    pub any_repeat: bool,
    /// Whether the first byte of `data` is where a header is expected.
    pub foreseen: bool,
    /// Whether a hole ends where `data` begins.
    pub after_hole: bool,
    /// Whether headers may have been lost before `data`.
    pub lost: bool,
}

/// How much of the message on a simulated chunk stream is to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// Nothing: the next header begins a message.
    Done,
    /// So many bytes.
    Known(u32),
    /// Nobody knows: a gap swallowed its header.
    Tail,
}

/// A chunk stream as the simulation sees it.
#[derive(Clone, Copy)]
struct Sim {
    csid: u32,
    length: u32,
    type_id: Option<MessageType>,
    extended: Option<u32>,
    first_byte: Option<u8>,
    left: Left,
    /// A gap may have swallowed a header since: length and type may be others.
    stale: bool,
}

impl Plausible<'_> {
    /// Judges the position `at` for the given chunk size. With `prove_size` the chunk size must be
    /// proven as well if it matters.
    pub fn judge(&self, at: usize, chunk_size: ChunkSize, prove_size: bool) -> Verdict {
        self.judge_with(at, chunk_size, Vec::new(), prove_size)
    }

    /// Whether a header that can be one stands at `at`, whatever the chunk size. `None`: more bytes
    /// must tell.
    pub fn may_begin(&self, at: usize) -> Option<bool> {
        match self.link(at, u32::MAX, &mut Vec::new(), true) {
            Link::Good { .. } => Some(true),
            Link::Bad | Link::Lost => Some(false),
            Link::Cut => None,
        }
    }

    /// Judges the position `at`, supposing that before it `taken` more bytes of the message in
    /// progress on `csid` came. Ending right there is as foreseen as a header is.
    pub fn judge_after(&self, at: usize, csid: u32, taken: u32, chunk_size: ChunkSize) -> Verdict {
        let ends = self.at_end && at == self.data.len();
        let hole = self.holes.next(at).is_some_and(|hole| hole.start == at);
        if ends || hole && at < self.data.len() {
            return Verdict::Chain(Chain {
                proven_at: at,
                multi: false,
                splits: false,
                stranger: 0,
            });
        }
        let mut sims = Vec::new();
        let index = self.sim(csid, &mut sims);
        let left = &mut sims[index].left;
        *left = match *left {
            Left::Known(left) if left > taken => Left::Known(left - taken),
            Left::Tail => Left::Tail,
            _ => Left::Done,
        };
        self.judge_with(at, chunk_size, sims, false)
    }

    fn judge_with(
        &self,
        at: usize,
        chunk_size: ChunkSize,
        mut sims: Vec<Sim>,
        prove_size: bool,
    ) -> Verdict {
        let foreseen = !sims.is_empty();
        let stranger = self.stranger(at);
        // As much is it worth to stand in one place of thousands.
        let place = match at {
            0 if self.foreseen => 12,
            // Segments begin where programs begin to write: with a header, mostly.
            0 if self.after_hole => AFTER_HOLE,
            _ if self.holes.end_at(at) => AFTER_HOLE,
            _ => 0,
        };
        let (mut pos, mut bits, mut links) = (at, 0, 0);
        // Bits of the first header, and of those after it that are more than "the message goes
        // on": chunks of a message whose header was lost look like that as well.
        let (mut first, mut after) = (None, 0);
        // The length of the first message is not in doubt.
        let mut certain = false;
        let mut markers = 0;
        loop {
            let multi = markers >= chunk_size.markers;
            let splits = matches!(first, Some(First { splits: true, .. }));
            let chain = |proven_at| Verdict::Chain(Chain { proven_at, multi, splits, stranger });
            // Where the stream ends decides no earlier than that.
            let at_end = chain(self.data.len());
            if let Some(First { evidence, weak, .. }) = first
                && (multi || !splits || !prove_size)
            {
                let rest = if weak { after } else { bits - evidence };
                let long = links >= ENOUGH_LINKS && bits >= ENOUGH_BITS;
                if (long || links >= 2 && bits >= ENOUGH_FOR_TWO) && rest >= ENOUGH_AFTER_FIRST {
                    if pos <= self.data.len() {
                        return chain(pos);
                    } else if !self.at_end {
                        return Verdict::NeedMore(pos);
                    }
                }
            }
            if pos >= self.data.len() {
                return match (self.at_end, pos == self.data.len()) {
                    // The stream ends with a whole chunk: that is worth two bytes.
                    (true, true) if links > 0 && bits + 16 + place >= ENOUGH_AT_END => at_end,
                    (true, false) if bits >= ENOUGH_BITS => at_end,
                    (true, _) => Verdict::Nothing,
                    (false, _) => Verdict::NeedMore(pos + 1),
                };
            }
            match self.link(pos, chunk_size.bytes, &mut sims, links == 0 && !foreseen) {
                Link::Bad => return Verdict::Nothing,
                Link::Cut if self.at_end && bits >= ENOUGH_BITS => return at_end,
                Link::Cut if self.at_end => return Verdict::Nothing,
                Link::Cut => return Verdict::NeedMore(self.data.len() + 1),
                // Where the chain goes on was not captured. A chunk that ends just where the hole
                // begins is worth two bytes. A chain that leads past the hole has the first word.
                Link::Lost => {
                    let hole = self.holes.next(pos).unwrap_or(pos..pos);
                    let just = links > 0 && pos == hole.start && bits + 16 + place >= ENOUGH_AT_END;
                    // Only one place was looked at, and it is where the last message ended.
                    let next = self.foreseen && at == 0 && certain && bits >= ENOUGH_FORESEEN;
                    return match just || next || links > 0 && bits + place >= ENOUGH_BITS {
                        true => chain(hole.end.min(self.data.len())),
                        false => Verdict::Nothing,
                    };
                }
                Link::Good { evidence, len, continues, splits, doubtful, fmt } => {
                    match first {
                        None => {
                            certain = !doubtful;
                            let weak = fmt >= 2 && !continues;
                            first = Some(First { evidence, weak, splits });
                        }
                        Some(_) if !continues => after += evidence,
                        Some(_) => {}
                    }
                    let evidence =
                        evidence + if links > 0 && self.holes.end_at(pos) { AFTER_HOLE } else { 0 };
                    bits += evidence;
                    links += 1;
                    markers += u32::from(continues);
                    // The length that this header inherits may be another one by now, so that the
                    // chain cannot be followed further. What led here must do.
                    if let Some(First { evidence, weak: false, splits, .. }) = first
                        && doubtful
                        && links >= 2
                        && bits >= ENOUGH_BITS
                        && bits - evidence >= ENOUGH_BEFORE_DOUBT
                        && (!splits || !prove_size || markers >= chunk_size.markers)
                    {
                        let proven_at = (pos + len.min(LONGEST_LOOK)).min(self.data.len());
                        let multi = markers >= chunk_size.markers;
                        return Verdict::Chain(Chain { proven_at, multi, splits, stranger });
                    }
                    pos += len;
                }
            }
            if links >= MAX_LINKS {
                return Verdict::Nothing;
            }
        }
    }

    /// See [`Chain::stranger`].
    fn stranger(&self, at: usize) -> u8 {
        let Some(basic) = self.data.get(at..).and_then(BasicHeader::parse) else { return 3 };
        let known = self.streams.get(basic.csid).is_some_and(|stream| stream.type_id.is_some());
        match basic.len {
            // The two-byte form reaches to 319.
            3 if basic.csid < 320 => 3,
            _ if known => 0,
            1 => 1,
            _ => 2,
        }
    }

    fn sim(&self, csid: u32, sims: &mut Vec<Sim>) -> usize {
        if let Some(index) = sims.iter().position(|sim| sim.csid == csid) {
            return index;
        }
        let known = self.streams.get(csid);
        sims.push(match known {
            Some(stream) => Sim {
                csid,
                length: stream.length,
                type_id: stream.type_id,
                extended: stream.extended,
                first_byte: stream.first_byte,
                left: match &stream.partial {
                    Some(partial) => Left::Known(partial.left()),
                    None if stream.stale => Left::Tail,
                    None => Left::Done,
                },
                stale: stream.stale || self.lost,
            },
            None => Sim {
                csid,
                length: 0,
                type_id: None,
                extended: None,
                first_byte: None,
                left: Left::Done,
                stale: false,
            },
        });
        sims.len() - 1
    }

    /// Judges one header and says how far the next one is. The `first` header of a chain begins a
    /// message unless one is in progress there.
    fn link(&self, pos: usize, chunk_size: u32, sims: &mut Vec<Sim>, first: bool) -> Link {
        let hole = self.holes.next(pos).filter(|hole| hole.start < self.data.len());
        let known = hole.as_ref().map_or(self.data.len(), |hole| hole.start.max(pos));
        let data = &self.data[pos..known];
        // What lies in a hole never comes.
        let at_end = self.at_end || hole.is_some();
        let cut = if hole.is_some() { Link::Lost } else { Link::Cut };
        let Some(basic) = BasicHeader::parse(data) else { return cut };
        let Some(header) = MessageHeader::parse(basic.fmt, &data[basic.len..]) else {
            // Even a cut header can be seen to be none.
            if basic.fmt != 0 && self.streams.get(basic.csid).is_none() && basic.csid >= 64 {
                return Link::Bad;
            }
            return cut;
        };
        let mut len = basic.len + MessageHeader::len(basic.fmt);
        let index = self.sim(basic.csid, sims);
        let sim = &mut sims[index];
        let mut bits = 0;
        if first && sim.left == Left::Tail {
            sim.left = Left::Done;
        }
        if basic.fmt == 3 {
            bits += match (sim.type_id, sim.left) {
                (None, _) => return Link::Bad,
                // Which stream may go on is known to within a few: most of a byte.
                (_, Left::Known(_)) => 6,
                (_, Left::Done | Left::Tail) => 4,
            };
            if let Some(extended) = sim.extended {
                match data.get(len..len + 4) {
                    Some(bytes) if bytes == extended.to_be_bytes() => {
                        bits += 30;
                        len += 4;
                    }
                    Some(_) if self.any_repeat => len += 4,
                    Some(_) => {}
                    None => return cut,
                }
            }
        } else {
            let field = header.timestamp.unwrap_or(0);
            let mut timestamp = field;
            sim.extended = None;
            if field == EXTENDED_TIMESTAMP {
                let Some(bytes) = data.get(len..len + 4) else { return cut };
                timestamp = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                if timestamp < EXTENDED_TIMESTAMP {
                    return Link::Bad;
                }
                sim.extended = Some(timestamp);
                len += 4;
            }
            match self.timestamp_bits(basic.fmt, timestamp) {
                Some(evidence) => bits += evidence,
                None => return Link::Bad,
            }
            if let (Some(length), Some(type_id)) = (header.length, header.type_id) {
                let type_id = MessageType(type_id);
                match header_bits(basic, length, type_id, header.stream_id) {
                    Some(evidence) => bits += evidence,
                    None => return Link::Bad,
                }
                if sim.type_id == Some(type_id) {
                    bits += if basic.fmt == 0 { 4 } else { 6 };
                }
                sim.length = length;
                sim.type_id = Some(type_id);
                sim.stale = false;
            } else if sim.type_id.is_none() {
                return Link::Bad;
            } else {
                bits += 3;
            }
            if let Some(stream_id) = header.stream_id {
                bits += match stream_id {
                    _ if self.streams.knows_stream_id(stream_id) => 24,
                    0..=16 => 22,
                    17..=0xffff => 10,
                    _ => return Link::Bad,
                };
            }
            sim.left = Left::Done;
        }
        let continues = sim.left != Left::Done && basic.fmt == 3;
        let left = match sim.left {
            Left::Done => sim.length,
            Left::Known(left) => left,
            Left::Tail => u32::MAX,
        };
        let body = left.min(chunk_size);
        if !continues && let Some(type_id) = sim.type_id {
            let payload = &data[len.min(data.len())..];
            let payload = &payload[..payload.len().min(body as usize)];
            if payload.len() < (body as usize).min(8) && !at_end {
                return cut;
            }
            match payload_bits(type_id, payload, sim.first_byte) {
                Some(evidence) => bits += evidence,
                None => return Link::Bad,
            }
            if type_id.is_media() {
                sim.first_byte = payload.first().copied();
            }
        }
        sim.left = match (sim.left, left - body) {
            (Left::Tail, _) => Left::Tail,
            (_, 0) => Left::Done,
            (_, left) => Left::Known(left),
        };
        let splits = matches!(sim.left, Left::Known(_));
        let doubtful = !continues && sim.stale;
        let len = len + body as usize;
        Link::Good { evidence: bits, len, continues, splits, doubtful, fmt: basic.fmt }
    }

    fn timestamp_bits(&self, fmt: u8, timestamp: u32) -> Option<u32> {
        if fmt != 0 {
            return match timestamp {
                0..10_000 => Some(9),
                10_000..60_000 => Some(6),
                // Ten minutes without a message on a chunk stream, or a first timestamp that counts
                // from the epoch: nothing to build on. A type 2 header has nothing else to show.
                60_000..600_000 => Some(0),
                _ => (fmt == 1).then_some(0),
            };
        }
        let Some(clock) = self.clock else {
            // The top byte of the field: captures of sessions older than four hours are rare.
            return Some(u32::from(timestamp < 0x80_0000));
        };
        Some(match timestamp.wrapping_sub(clock).min(clock.wrapping_sub(timestamp)) {
            0..10_000 => 9,
            10_000..600_000 => 5,
            _ => 0,
        })
    }
}

/// The first header of a chain.
struct First {
    evidence: u32,
    /// It begins a message and says little of it (type 2 or 3).
    weak: bool,
    /// Its message takes another chunk.
    splits: bool,
}

enum Link {
    Good {
        evidence: u32,
        len: usize,
        continues: bool,
        splits: bool,
        doubtful: bool,
        fmt: u8,
    },
    Bad,
    /// More bytes must tell.
    Cut,
    /// The bytes that would tell are missing.
    Lost,
}

/// Evidence in length, type and message stream id; `None` when they cannot be.
fn header_bits(
    basic: BasicHeader,
    length: u32,
    type_id: MessageType,
    stream_id: Option<u32>,
) -> Option<u32> {
    if type_id.is_control() {
        let fits = match type_id {
            MessageType::USER_CONTROL => (6..=64).contains(&length),
            MessageType::SET_PEER_BANDWIDTH => length == 5,
            _ => length == 4,
        };
        if !fits || stream_id.is_some_and(|id| id != 0) {
            return None;
        }
        return Some(4 + 20 + if basic.csid == 2 { 5 } else { 0 });
    }
    if !type_id.is_known() || length == 0 && type_id != MessageType::AUDIO {
        return None;
    }
    // Six commands in a mebibyte would be absurd; a video frame of it is a key frame in 8K.
    let longest = match type_id {
        MessageType::VIDEO | MessageType::AGGREGATE => 8 << 20,
        MessageType::AUDIO => 1 << 18,
        _ => 1 << 20,
    };
    if length > longest {
        return None;
    }
    let length_bits = match length {
        0..0x1_0000 => 8,
        0x1_0000..0x10_0000 => 4,
        _ => 1,
    };
    Some(4 + length_bits)
}

/// Evidence in the first payload bytes; `None` when they cannot be.
fn payload_bits(type_id: MessageType, payload: &[u8], before: Option<u8>) -> Option<u32> {
    if payload.is_empty() {
        return Some(0);
    }
    let same = if before == Some(payload[0]) { 4 } else { 0 };
    if let Some(media) = media_of(type_id) {
        let bits = flv::plausible_first_bytes(media, payload);
        return (bits > 0).then_some(bits.min(14) + same);
    }
    match type_id {
        MessageType::COMMAND_AMF0 | MessageType::DATA_AMF0 => amf_name_bits(payload),
        MessageType::COMMAND_AMF3 | MessageType::DATA_AMF3 => match payload {
            [0, rest @ ..] => amf_name_bits(rest),
            _ => amf_name_bits(payload),
        },
        MessageType::AGGREGATE => matches!(payload[0], 8 | 9 | 18).then_some(6),
        MessageType::SET_CHUNK_SIZE => (payload[0] == 0).then_some(6),
        MessageType::USER_CONTROL => (payload[0] == 0).then_some(6),
        _ => Some(0),
    }
}

/// Commands and data begin with a string: marker, length, printable characters.
fn amf_name_bits(payload: &[u8]) -> Option<u32> {
    match payload {
        [2, 0, len, name @ ..] => {
            let name = &name[..name.len().min(usize::from(*len)).min(5)];
            let printable = name.iter().all(|b| (b' '..=b'~').contains(b));
            (printable && *len > 0).then_some(16 + name.len() as u32)
        }
        [2, 0] | [2] | [] => Some(4),
        _ => None,
    }
}
