//! A connection: both directions, their handshakes and chunk streams, and what answers what.

use super::chunks::ChunkDecoder;
use super::event::{Anomaly, AnomalyKind, Event, Message};
use super::handshake::{HandshakeReader, Packets};
use super::limits::Limits;
use super::transactions::Transactions;
use crate::base::{Direction, Timestamp};
use crate::wire::message::{self, Body};

/// How to decode.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to hold at most.
    pub limits: Limits,
    /// Keep audio and video payload whole instead of its first bytes.
    pub keep_media: bool,
}

/// One RTMP connection, decoded.
///
/// Feed it bytes and gaps of both directions in the order of time, then [`end`](Session::end) it.
/// The same bytes give the same events however they are cut into pieces.
#[derive(Debug)]
pub struct Session {
    options: Options,
    sides: [Side; 2],
    transactions: Transactions,
    scratch: Vec<Event>,
}

#[derive(Debug)]
struct Side {
    phase: Phase,
    chunks: ChunkDecoder,
    /// Whether somebody deciphers what RTMPE enciphered.
    plain: bool,
    /// Bytes of the handshake or of ciphertext: not chunk stream.
    before_chunks: u64,
    /// C1/S1 as far as it was seen, for the peer's C2/S2.
    packets: Packets,
}

#[derive(Debug)]
enum Phase {
    Handshake(Box<HandshakeReader>),
    Chunks,
    /// RTMPE after the handshake: what follows is encrypted.
    Encrypted,
}

impl Session {
    /// A connection seen from its first byte on.
    pub fn new(options: Options) -> Session {
        let side = |direction| Side {
            phase: Phase::Handshake(Box::default()),
            chunks: ChunkDecoder::new(direction, options.limits.clone(), options.keep_media),
            plain: false,
            before_chunks: 0,
            packets: Packets::default(),
        };
        Session {
            sides: Direction::BOTH.map(side),
            transactions: Transactions::new(options.limits.pending_requests),
            options,
            scratch: Vec::new(),
        }
    }

    /// Says that `direction` is not seen from its beginning: there will be no handshake, and the
    /// first chunk header has to be found. To be called before its first byte.
    pub fn start_midstream(&mut self, direction: Direction) {
        let side = &mut self.sides[direction.index()];
        side.phase = Phase::Chunks;
        side.chunks.start_midstream();
    }

    /// Says that RTMPE's ciphertext of `direction` is deciphered before it comes here: after the
    /// handshake follow chunks. To be called before the first of those bytes.
    pub fn expect_plain(&mut self, direction: Direction) {
        let side = &mut self.sides[direction.index()];
        side.plain = true;
        if matches!(side.phase, Phase::Encrypted) {
            side.phase = Phase::Chunks;
        }
    }

    /// Takes the next bytes of a direction.
    pub fn feed(
        &mut self,
        direction: Direction,
        time: Timestamp,
        mut bytes: &[u8],
        sink: &mut impl FnMut(Event),
    ) {
        let index = direction.index();
        if let Phase::Handshake(reader) = &mut self.sides[index].phase {
            let used = reader.feed(time, bytes);
            bytes = &bytes[used..];
            if !reader.is_complete() {
                return;
            }
            self.end_handshake(direction, time, sink);
        }
        let side = &mut self.sides[index];
        match side.phase {
            Phase::Chunks => {
                let mut events = std::mem::take(&mut self.scratch);
                side.chunks.feed(time, bytes, &mut events);
                self.hand_on(&mut events, sink);
            }
            Phase::Encrypted => side.chunks.skip_opaque(bytes.len() as u64),
            Phase::Handshake(_) => {}
        }
    }

    /// `len` bytes of a direction are missing.
    pub fn gap(
        &mut self,
        direction: Direction,
        time: Timestamp,
        mut len: u64,
        sink: &mut impl FnMut(Event),
    ) {
        let index = direction.index();
        if let Phase::Handshake(reader) = &mut self.sides[index].phase {
            len -= reader.gap(time, len);
            if !reader.is_complete() {
                return;
            }
            self.end_handshake(direction, time, sink);
            if len == 0 {
                return;
            }
        }
        let side = &mut self.sides[index];
        match side.phase {
            Phase::Chunks => {
                let mut events = std::mem::take(&mut self.scratch);
                side.chunks.gap(time, len, &mut events);
                self.hand_on(&mut events, sink);
            }
            Phase::Encrypted => side.chunks.skip_gap(len),
            Phase::Handshake(_) => {}
        }
    }

    /// The connection is over: handshakes and messages in progress end as they are.
    pub fn end(&mut self, time: Timestamp, sink: &mut impl FnMut(Event)) {
        for direction in Direction::BOTH {
            let side = &mut self.sides[direction.index()];
            if let Phase::Handshake(reader) = &side.phase {
                if reader.is_empty() {
                    continue;
                }
                self.end_handshake(direction, time, sink);
            }
            let mut events = std::mem::take(&mut self.scratch);
            self.sides[direction.index()].chunks.finish(time, &mut events);
            self.hand_on(&mut events, sink);
        }
    }

    /// Stream bytes of a direction that no handshake or message accounts for. Final after
    /// [`end`](Session::end).
    pub fn undecoded_bytes(&self, direction: Direction) -> u64 {
        self.sides[direction.index()].chunks.undecoded
    }

    /// The earliest stream offset that a coming event can refer to.
    pub fn oldest_offset(&self, direction: Direction) -> u64 {
        let side = &self.sides[direction.index()];
        match side.phase {
            Phase::Handshake(_) => 0,
            _ => side.chunks.oldest_offset(),
        }
    }

    /// Whether a direction's payload is RTMPE ciphertext.
    pub fn is_encrypted(&self, direction: Direction) -> bool {
        matches!(self.sides[direction.index()].phase, Phase::Encrypted)
    }

    /// The chunk size in force in a direction, in bytes.
    pub fn chunk_size(&self, direction: Direction) -> u32 {
        self.sides[direction.index()].chunks.chunk_size
    }

    fn end_handshake(
        &mut self,
        direction: Direction,
        time: Timestamp,
        sink: &mut impl FnMut(Event),
    ) {
        let peer = self.sides[direction.reverse().index()].known_packets();
        let side = &mut self.sides[direction.index()];
        let Phase::Handshake(reader) = std::mem::replace(&mut side.phase, Phase::Chunks) else {
            return;
        };
        let end_offset = reader.seen();
        side.before_chunks = end_offset;
        side.chunks.offset = end_offset;
        side.packets = reader.packets();
        let (handshake, odd) = reader.conclude(direction, time, &peer);
        if matches!(handshake.version, 6 | 8 | 9) && !side.plain {
            side.phase = Phase::Encrypted;
        }
        sink(Event::Handshake(handshake));
        for (kind, detail) in odd {
            let anomaly =
                Anomaly { kind, direction, time, offset: 0, csid: None, detail: detail.into() };
            sink(Event::Anomaly(anomaly));
        }
    }

    /// Decodes the bodies of new messages and hands everything on.
    fn hand_on(&mut self, events: &mut Vec<Event>, sink: &mut impl FnMut(Event)) {
        for mut event in events.drain(..) {
            let mut odd = None;
            if let Event::Message(message) = &mut event {
                odd = self.interpret(message, true);
            }
            sink(event);
            if let Some(anomaly) = odd {
                sink(Event::Anomaly(anomaly));
            }
        }
        self.scratch = std::mem::take(events);
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// Decodes the body; `chunked` says that the message came in a chunk stream, whose rules it
    /// has to follow.
    pub(super) fn interpret(&mut self, message: &mut Message, chunked: bool) -> Option<Anomaly> {
        let (body, stop) = message::decode_prefix(
            message.type_id,
            &message.payload,
            message.length as usize,
            None,
        );
        message.body = body;
        // What a hole or the end of the capture cut off is not the sender's fault.
        let cut = !message.complete;
        let mut odd = None;
        let mut anomaly = |kind, detail: String| {
            odd = Some(Anomaly {
                kind,
                direction: message.direction,
                time: message.time,
                offset: message.offset,
                csid: Some(message.csid),
                detail: detail.into(),
            });
        };
        if let Some(stop) = &stop
            && !cut
        {
            anomaly(AnomalyKind::BadBody, format!("{}: {stop}", message.type_id.kind()));
        } else if chunked
            && message.type_id.is_control()
            && !cut
            && (message.csid != 2 || message.stream_id.is_some_and(|id| id != 0))
        {
            let stream_id = message.stream_id.unwrap_or(0);
            let detail = format!(
                "{} on chunk stream {}, message stream {stream_id}: 2 and 0 are reserved for it",
                message.type_id.kind(),
                message.csid
            );
            anomaly(AnomalyKind::ControlStream, detail);
        }
        message.stop = stop;
        if let Body::Command(command) = &message.body {
            message.reply = self.transactions.command(
                message.direction,
                message.stream_id,
                message.time,
                command,
            );
        }
        odd
    }
}

impl Side {
    fn known_packets(&self) -> Packets {
        match &self.phase {
            Phase::Handshake(reader) => reader.packets(),
            _ => self.packets.clone(),
        }
    }
}
