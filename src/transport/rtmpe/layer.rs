//! The layer: handshakes go through, what follows is deciphered.

use crate::base::{Direction, Timestamp};
use crate::transport::keylog::KeyLog;
use crate::transport::layer::{At, FactValue, Item, Source};
use crate::wire::handshake::rtmpe::is_rtmpe;
use crate::wire::handshake::{Bytes1536, HANDSHAKE_LEN, PACKET_LEN};

use super::facts;
use super::fit;
use super::keys::{self, Candidate};
use super::keystream::Keystream;

/// Ciphertext held back per direction until it is clear which keys fit.
const MAX_HELD: usize = 256 << 10;

/// Takes both directions of a connection that speaks RTMPE (or plain RTMP, which it hands on as it
/// is) from their first bytes on.
#[derive(Debug, Default)]
pub struct Rtmpe {
    halves: [Half; 2],
    candidates: Vec<Candidate>,
    /// Whether the key log was asked.
    asked: bool,
    /// The candidate that fitted one direction.
    chosen: Option<usize>,
    told_no_keys: bool,
    /// Reused for deciphering.
    scratch: Vec<u8>,
}

#[derive(Debug, Default)]
struct Half {
    /// Handshake bytes; missing ones are zero.
    handshake: Vec<u8>,
    missing: Vec<(usize, usize)>,
    /// Offset below of the first byte.
    offset: u64,
    hello_told: bool,
    answer_told: bool,
    phase: Phase,
    held: Vec<Held>,
    held_bytes: usize,
    /// Whether the first bytes after the handshake are missing.
    beheaded: bool,
    opaque: Opaque,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Handshake,
    /// Ciphertext comes, and it is not clear whether it can be read.
    Waiting,
    Cipher(Box<Keystream>),
    /// Not RTMPE after all: bytes go through as they are.
    Plain,
    /// Never to be read: ciphertext goes through for the engine to count.
    Opaque,
    /// It was read, and the place in the key stream is lost.
    Lost,
}

#[derive(Debug)]
enum Held {
    Data { time: Timestamp, source: Source, bytes: Vec<u8> },
    Gap { time: Timestamp, len: u64, exact: bool },
}

/// Ciphertext that nobody can read.
#[derive(Debug, Default)]
struct Opaque {
    bytes: u64,
    pieces: u64,
    span: Option<(Timestamp, Timestamp)>,
}

type Sink<'s> = dyn FnMut(Item<'_>) + 's;

impl Half {
    fn packet(&self, index: usize) -> Option<&Bytes1536> {
        let from = 1 + index * PACKET_LEN;
        let to = from + PACKET_LEN;
        if self.missing.iter().any(|(a, b)| *a < to && from < *b) {
            return None;
        }
        self.handshake.get(from..to)?.try_into().ok()
    }

    fn version(&self) -> Option<u8> {
        let missing = self.missing.iter().any(|(from, _)| *from == 0);
        self.handshake.first().copied().filter(|_| !missing)
    }

    /// Whether C1 or S1 is there, or will never be.
    fn first_settled(&self) -> bool {
        self.handshake.len() > PACKET_LEN
    }
}

impl Rtmpe {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Rtmpe {
        Rtmpe::default()
    }

    /// Takes the next bytes of a direction.
    pub fn data(
        &mut self,
        log: &KeyLog,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        source: Source,
        sink: &mut Sink<'_>,
    ) {
        let half = &mut self.halves[direction.index()];
        let mut used = 0;
        if let Phase::Handshake = half.phase {
            if half.handshake.is_empty() {
                half.offset = source.offset;
            }
            used = bytes.len().min(HANDSHAKE_LEN - half.handshake.len());
            half.handshake.extend_from_slice(&bytes[..used]);
            if used > 0 {
                let source = source.part(0);
                sink(Item::Data { direction, time, bytes: &bytes[..used], source });
            }
            self.look(direction, time, sink);
        }
        let rest = &bytes[used..];
        if !rest.is_empty() {
            self.after(log, direction, time, rest, source.part(used), sink);
        }
        // What one direction brings may settle what the other waits for.
        let other = direction.reverse();
        if !self.halves[other.index()].held.is_empty() {
            self.decide(log, other, time, false, sink);
        }
    }

    /// `len` bytes of a direction are missing; that is a guess unless `exact`.
    pub fn gap(
        &mut self,
        log: &KeyLog,
        direction: Direction,
        time: Timestamp,
        len: u64,
        exact: bool,
        sink: &mut Sink<'_>,
    ) {
        let half = &mut self.halves[direction.index()];
        let mut len = len;
        if let Phase::Handshake = half.phase {
            let from = half.handshake.len();
            let taken = len.min((HANDSHAKE_LEN - from) as u64);
            let to = from + taken as usize;
            half.handshake.resize(to, 0);
            half.missing.push((from, to));
            len -= taken;
            sink(Item::Gap { direction, time, len: taken, exact });
            self.look(direction, time, sink);
            if len == 0 {
                return;
            }
        }
        let half = &mut self.halves[direction.index()];
        match &mut half.phase {
            Phase::Waiting => {
                half.beheaded |= half.held_bytes == 0;
                half.held.push(Held::Gap { time, len, exact });
                self.decide(log, direction, time, !exact, sink);
            }
            Phase::Cipher(keystream) => {
                sink(Item::Gap { direction, time, len, exact });
                if !exact || !keystream.skip(len) {
                    self.lose(direction, time, sink);
                }
            }
            _ => sink(Item::Gap { direction, time, len, exact }),
        }
    }

    /// No more bytes will come.
    pub fn end(&mut self, log: &KeyLog, time: Timestamp, sink: &mut Sink<'_>) {
        for direction in Direction::BOTH {
            if matches!(self.halves[direction.index()].phase, Phase::Waiting) {
                self.decide(log, direction, time, true, sink);
            }
        }
        for direction in Direction::BOTH {
            let half = &self.halves[direction.index()];
            let at = At { direction, time, offset: half.offset };
            let Some((first, last)) = half.opaque.span else { continue };
            let fields = vec![
                ("bytes", FactValue::Number(half.opaque.bytes)),
                ("segments", FactValue::Number(half.opaque.pieces)),
                (
                    "milliseconds",
                    FactValue::Number(last.nanos_since(first).max(0) as u64 / 1_000_000),
                ),
            ];
            sink(Item::Fact(at.fact("rtmpe", "unread", false, fields)));
        }
    }

    /// Looks at what has come of the handshakes.
    fn look(&mut self, direction: Direction, time: Timestamp, sink: &mut Sink<'_>) {
        let [client, server] = &mut self.halves;
        let (own, peer) = match direction {
            Direction::ClientToServer => (client, server),
            Direction::ServerToClient => (server, client),
        };
        let encrypted = own.version().or(peer.version()).is_some_and(is_rtmpe);
        let at = At { direction, time, offset: own.offset };
        if encrypted && !own.hello_told && own.first_settled() {
            own.hello_told = true;
            if let (Some(version), Some(packet)) = (own.version(), own.packet(0)) {
                sink(Item::Fact(facts::hello(at, version, packet)));
            }
        }
        if !own.hello_told
            && own.version() == Some(3)
            && direction == Direction::ServerToClient
            && peer.version().is_some_and(is_rtmpe)
        {
            own.hello_told = true;
            let fields = vec![("version", FactValue::Number(3))];
            sink(Item::Fact(at.fact("rtmpe", "downgrade", true, fields)));
        }
        if own.handshake.len() == HANDSHAKE_LEN && matches!(own.phase, Phase::Handshake) {
            own.phase = match encrypted {
                true => Phase::Waiting,
                false => Phase::Plain,
            };
        }
        if encrypted {
            // C2 may have come before S1, where packets were reordered.
            self.judge_answer(direction, time, sink);
            self.judge_answer(direction.reverse(), time, sink);
        }
    }

    fn judge_answer(&mut self, direction: Direction, time: Timestamp, sink: &mut Sink<'_>) {
        let server_version = self.halves[1].version();
        let own = &self.halves[direction.index()];
        let peer = &self.halves[direction.reverse().index()];
        if own.answer_told {
            return;
        }
        let (Some(answer), Some(hello)) = (own.packet(1), peer.packet(0)) else { return };
        let at = At { direction, time, offset: own.offset };
        let version = server_version.or(own.version()).unwrap_or(6);
        if let Some(fact) = facts::answer(at, version, answer, hello) {
            sink(Item::Fact(fact));
        }
        self.halves[direction.index()].answer_told = true;
    }

    /// Whether the server answered an RTMPE client with plain RTMP.
    fn downgraded(&self) -> bool {
        self.halves[1].version().is_some_and(|version| !is_rtmpe(version))
    }

    /// Takes bytes after the handshake.
    fn after(
        &mut self,
        log: &KeyLog,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        source: Source,
        sink: &mut Sink<'_>,
    ) {
        let half = &mut self.halves[direction.index()];
        match &mut half.phase {
            Phase::Cipher(keystream) => {
                self.scratch.clear();
                self.scratch.extend_from_slice(bytes);
                keystream.apply(&mut self.scratch);
                sink(Item::Data { direction, time, bytes: &self.scratch, source });
            }
            Phase::Waiting => {
                half.held_bytes += bytes.len();
                half.held.push(Held::Data { time, source, bytes: bytes.to_vec() });
                let full = half.held_bytes >= MAX_HELD;
                self.decide(log, direction, time, full, sink);
            }
            Phase::Plain | Phase::Handshake => sink(Item::Data { direction, time, bytes, source }),
            Phase::Opaque => {
                half.opaque.count(time, bytes.len());
                sink(Item::Data { direction, time, bytes, source });
            }
            Phase::Lost => {
                half.opaque.count(time, bytes.len());
                sink(Item::Gap { direction, time, len: bytes.len() as u64, exact: true });
            }
        }
    }

    /// Looks for keys that fit what is held; with `last` no more can be waited for.
    fn decide(
        &mut self,
        log: &KeyLog,
        direction: Direction,
        time: Timestamp,
        last: bool,
        sink: &mut Sink<'_>,
    ) {
        if !matches!(self.halves[direction.index()].phase, Phase::Waiting) {
            return;
        }
        if self.downgraded() {
            sink(Item::Readable { direction });
            return self.release(direction, Phase::Plain, sink);
        }
        let [client, server] = &self.halves;
        let at = At { direction, time, offset: self.halves[direction.index()].offset };
        if !self.asked {
            let c1 = client.packet(0);
            let ready = client.first_settled()
                && (server.first_settled() || c1.is_some_and(|c1| keys::has_rc4_keys(log, c1)));
            if !ready && !last {
                return;
            }
            self.candidates = keys::candidates(log, c1, server.packet(0));
            self.asked = true;
        }
        if self.candidates.is_empty() {
            if !self.told_no_keys {
                self.told_no_keys = true;
                sink(Item::Fact(facts::no_keys(at, self.halves[0].packet(0))));
            }
            return self.release(direction, Phase::Opaque, sink);
        }
        let order = self.chosen.into_iter().chain(0..self.candidates.len());
        let mut open = false;
        let mut fitting = None;
        for index in order {
            match self.fits(direction, index, last) {
                Some(true) => {
                    fitting = Some(index);
                    break;
                }
                Some(false) => {}
                None => open = true,
            }
        }
        match fitting {
            Some(index) => {
                if self.chosen.is_none() {
                    sink(Item::Fact(facts::keys(at, &self.candidates[index])));
                }
                self.chosen = Some(index);
                let key = self.candidates[index].keys[direction.index()];
                let phase = match key.and_then(|key| Keystream::new(&key)) {
                    Some(keystream) => Phase::Cipher(Box::new(keystream)),
                    None => Phase::Opaque,
                };
                sink(Item::Readable { direction });
                self.release(direction, phase, sink);
            }
            None if open && !last => {}
            None => {
                let tried = FactValue::Number(self.candidates.len() as u64);
                sink(Item::Fact(at.fact("rtmpe", "keys-do-not-fit", true, vec![("tried", tried)])));
                self.release(direction, Phase::Opaque, sink);
            }
        }
    }

    /// Whether a candidate makes RTMP of what is held of a direction.
    fn fits(&mut self, direction: Direction, index: usize, last: bool) -> Option<bool> {
        let half = &self.halves[direction.index()];
        let key = self.candidates.get(index)?.keys[direction.index()];
        let Some(mut keystream) = key.and_then(|key| Keystream::new(&key)) else {
            return Some(false);
        };
        let first = self.chosen == Some(index);
        self.scratch.clear();
        for held in &half.held {
            match held {
                Held::Data { bytes, .. } => {
                    let from = self.scratch.len();
                    self.scratch.extend_from_slice(bytes);
                    keystream.apply(&mut self.scratch[from..]);
                }
                // What comes before the first byte is passed over, what comes after one is not
                // needed.
                Held::Gap { len, exact, .. } if self.scratch.is_empty() => {
                    if !exact || !keystream.skip(*len) {
                        return Some(false);
                    }
                }
                Held::Gap { .. } => break,
            }
        }
        if half.beheaded {
            return fit::continues(&self.scratch, last);
        }
        match fit::begins(&self.scratch) {
            // Less than a header until the end: the keys that fitted the other side will do.
            None if last => Some(first),
            fits => fits,
        }
    }

    /// Goes on to `phase` and hands on what was held.
    fn release(&mut self, direction: Direction, phase: Phase, sink: &mut Sink<'_>) {
        let half = &mut self.halves[direction.index()];
        let held = std::mem::take(&mut half.held);
        half.held_bytes = 0;
        half.phase = phase;
        for held in held {
            match held {
                Held::Data { time, source, bytes } => {
                    self.after(&KeyLog::default(), direction, time, &bytes, source, sink);
                }
                Held::Gap { time, len, exact } => {
                    self.gap(&KeyLog::default(), direction, time, len, exact, sink);
                }
            }
        }
    }

    /// The place in the key stream is lost.
    fn lose(&mut self, direction: Direction, time: Timestamp, sink: &mut Sink<'_>) {
        let half = &mut self.halves[direction.index()];
        half.phase = Phase::Lost;
        let at = At { direction, time, offset: half.offset };
        sink(Item::Fact(at.fact("rtmpe", "lost-position", true, Vec::new())));
    }
}

impl Opaque {
    fn count(&mut self, time: Timestamp, len: usize) {
        self.bytes += len as u64;
        self.pieces += 1;
        let (first, _) = *self.span.get_or_insert((time, time));
        self.span = Some((first, time));
    }
}
