//! One connection of a case: sends anything, decodes what comes with the same engine that decodes
//! captures, and waits with a deadline.

use std::time::{Duration, Instant};

use super::case::State;
use super::env::Timeouts;
use super::msg::Msg;
use super::verdict::Stop;
use crate::base::{Direction, Timestamp, Writer};
use crate::peer::{Close, Filled, Link};
use crate::rtmp::{
    Anomaly, ChunkEncoder, Event, ExtendedTimestampHabit, Handshake, Message, MessageChunks,
    Options, Session,
};
use crate::wire::chunk::{BasicHeader, MessageHeader};
use crate::wire::handshake::PACKET_LEN;
use crate::wire::message::{Body, Command, MessageType, UserControl};

/// Bytes at the beginning of the server's stream that a case can look at as they are.
const RAW_KEPT: usize = 64 << 10;

/// How long reading what is there may take: a flood has no end.
const ABSORB: Duration = Duration::from_millis(200);

/// Messages kept for looking back.
const MESSAGES_KEPT: usize = 100_000;

/// A connection. Sending never fails: a server that has closed shows when something is expected.
#[derive(Debug)]
pub struct Conn {
    link: Link,
    session: Session,
    encoder: ChunkEncoder,
    timeouts: Timeouts,
    /// When the case is over.
    end: Instant,
    raw: Vec<u8>,
    messages: Vec<Message>,
    claimed: Vec<bool>,
    handshake: Option<Handshake>,
    anomalies: Vec<Anomaly>,
    held: Option<Vec<u8>>,
    fault: Option<String>,
    flood: bool,
    stuck: bool,
    transaction: f64,
    window: Option<u32>,
    acknowledged: u64,
    /// How far it has come.
    pub state: State,
    /// Message stream that `createStream` gave.
    pub stream_id: u32,
    /// Name it publishes or plays.
    pub name: String,
    /// Answers Ping Requests by itself; true.
    pub pongs: bool,
    /// Acknowledges by itself as the server's window asks; true.
    pub acknowledges: bool,
    /// Messages that were there when the part to be judged began: see [`Conn::mark`].
    pub marked_at: usize,
}

impl Conn {
    pub(super) fn new(link: Link, timeouts: Timeouts, end: Instant) -> Conn {
        Conn {
            link,
            session: Session::new(Options { keep_media: true, ..Options::default() }),
            encoder: ChunkEncoder::new(),
            timeouts,
            end,
            raw: Vec::new(),
            messages: Vec::new(),
            claimed: Vec::new(),
            handshake: None,
            anomalies: Vec::new(),
            held: None,
            fault: None,
            flood: false,
            stuck: false,
            transaction: 100.0,
            window: None,
            acknowledged: 0,
            state: State::Open,
            stream_id: 0,
            name: String::new(),
            pongs: true,
            acknowledges: true,
            marked_at: 0,
        }
    }

    // ---- sending ----

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Conn {
        match &mut self.held {
            Some(held) => held.extend_from_slice(bytes),
            None => self.write(bytes),
        }
        self
    }

    /// Sends bytes in pieces of so many bytes, each a segment of its own, `gap` apart.
    pub fn trickle(&mut self, bytes: &[u8], piece: usize, gap: Duration) -> &mut Conn {
        // An answer to a ping must not land in the middle of a chunk.
        let habits = (self.pongs, self.acknowledges);
        (self.pongs, self.acknowledges) = (false, false);
        for piece in bytes.chunks(piece.max(1)) {
            self.write(piece);
            self.idle(gap);
        }
        (self.pongs, self.acknowledges) = habits;
        self
    }

    /// Sends a message.
    pub fn send(&mut self, message: Msg) -> &mut Conn {
        let bytes = self.encode(message);
        self.raw(&bytes)
    }

    /// A message as bytes, without sending it; the encoder counts it as sent.
    pub fn encode(&mut self, message: Msg) -> Vec<u8> {
        let mut out = Vec::new();
        if let Err(error) = self.encoder.encode(message.0, &mut out) {
            self.fault.get_or_insert(error.to_string());
        }
        out
    }

    /// Begins a message; [`Conn::chunk`] sends it piece by piece, others in between.
    pub fn begin(&mut self, message: Msg) -> Result<MessageChunks, Stop> {
        self.encoder.begin(message.0).map_err(|error| Stop::Harness(error.to_string()))
    }

    /// Sends the next chunk of a message; false when none is left.
    pub fn chunk(&mut self, message: &mut MessageChunks) -> bool {
        let mut out = Vec::new();
        let more = message.write_next(&mut self.encoder, &mut out).is_some();
        self.raw(&out);
        more
    }

    /// Sends all chunks that are left of a message.
    pub fn rest(&mut self, message: &mut MessageChunks) -> &mut Conn {
        while self.chunk(message) {}
        self
    }

    /// Sends a chunk whose header is written as told, true or not. The encoder knows nothing of it.
    pub fn raw_chunk(
        &mut self,
        fmt: u8,
        csid: u32,
        header: MessageHeader,
        payload: &[u8],
    ) -> &mut Conn {
        let mut out = Writer::new();
        BasicHeader { fmt, csid, len: 0 }.write(&mut out);
        header.write(&mut out);
        out.bytes(payload);
        self.raw(&out.into_bytes())
    }

    /// Sends Set Chunk Size and follows it from the next chunk on.
    pub fn set_chunk_size(&mut self, size: u32) -> &mut Conn {
        let mut out = Vec::new();
        if let Err(error) = self.encoder.set_chunk_size(size, &mut out) {
            self.fault.get_or_insert(error.to_string());
        }
        self.raw(&out)
    }

    /// Writes extended timestamps otherwise. Forgets what the encoder knows of earlier headers.
    pub fn habit(&mut self, habit: ExtendedTimestampHabit) -> &mut Conn {
        let size = self.encoder.chunk_size();
        self.encoder = ChunkEncoder::new().with_habit(habit);
        // The size was in force before: it is a legal one.
        let _ = self.encoder.use_chunk_size(size);
        self
    }

    /// The encoder: chunk size and header state of what we send.
    pub fn encoder(&mut self) -> &mut ChunkEncoder {
        &mut self.encoder
    }

    /// Keeps what is sent from now on until [`Conn::release`].
    pub fn hold(&mut self) -> &mut Conn {
        self.held.get_or_insert_default();
        self
    }

    /// Sends what was held back, in one write.
    pub fn release(&mut self) -> &mut Conn {
        if let Some(held) = self.held.take() {
            self.write(&held);
        }
        self
    }

    /// Ends our direction (FIN).
    pub fn finish(&mut self) -> &mut Conn {
        self.link.finish();
        self
    }

    /// Closes with a reset.
    pub fn reset(self) {
        self.link.reset();
    }

    /// A transaction id that was not used on this connection, from 101 on.
    pub fn fresh_transaction(&mut self) -> f64 {
        self.transaction += 1.0;
        self.transaction
    }

    fn write(&mut self, bytes: &[u8]) {
        let deadline = self.deadline(self.timeouts.close);
        if !self.link.send(bytes, deadline) && self.link.closed().is_none() {
            self.stuck = true;
        }
        let time = self.link.clock().now();
        self.decode(Direction::ClientToServer, time, bytes);
        self.absorb();
    }

    // ---- what came ----

    /// All messages of the server so far, in order.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The messages since [`Conn::mark`].
    pub fn since_mark(&self) -> &[Message] {
        self.messages.get(self.marked_at..).unwrap_or_default()
    }

    /// From here on counts as the part to be judged.
    pub fn mark(&mut self) -> &mut Conn {
        self.absorb();
        self.marked_at = self.messages.len();
        self
    }

    /// The same connection, marked.
    pub(super) fn marked(mut self) -> Conn {
        self.mark();
        self
    }

    /// The server's first bytes as they came: S0, S1, S2 and what follows, 64 KiB at most.
    pub fn first_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// S1, when all of it is there.
    pub fn s1(&self) -> Option<&[u8; PACKET_LEN]> {
        self.raw.get(1..)?.first_chunk()
    }

    /// S2, when all of it is there.
    pub fn s2(&self) -> Option<&[u8; PACKET_LEN]> {
        self.raw.get(1 + PACKET_LEN..)?.first_chunk()
    }

    /// The server's handshake as the engine understood it.
    pub fn handshake_seen(&self) -> Option<&Handshake> {
        self.handshake.as_ref()
    }

    /// What was odd about the server's bytes.
    pub fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    /// How the server closed, if it has.
    pub fn closed(&self) -> Option<Close> {
        self.link.closed()
    }

    /// Whether the server stopped reading: not all could be sent in T_CLOSE.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Bytes we sent and received, handshake included.
    pub fn counts(&self) -> (u64, u64) {
        self.link.counts()
    }

    /// The chunk size the server sends with.
    pub fn server_chunk_size(&self) -> u32 {
        self.session.chunk_size(Direction::ServerToClient)
    }

    /// The time limits.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    // ---- waiting ----

    /// Waits until the server's stream has so many bytes from its beginning; gives the first
    /// `count`.
    pub fn read_first(&mut self, count: usize, timeout: Duration) -> Result<Vec<u8>, Stop> {
        let deadline = self.deadline(timeout);
        loop {
            if let Some(bytes) = self.raw.get(..count) {
                return Ok(bytes.to_vec());
            }
            let here = self.raw.len();
            self.step(deadline, || format!("{count} bytes ({here} came)"))?;
        }
    }

    /// Waits until nothing has come for `quiet`, or the server closes, `most` at the longest.
    pub fn settle(&mut self, quiet: Duration, most: Duration) -> &mut Conn {
        let end = self.deadline(most);
        loop {
            let deadline = self.deadline(quiet).min(end);
            if !matches!(self.pump(deadline), Filled::Bytes) || Instant::now() >= end {
                return self;
            }
        }
    }

    /// Reads and answers for so long, whatever comes.
    pub fn idle(&mut self, duration: Duration) -> &mut Conn {
        let deadline = self.deadline(duration);
        while matches!(self.pump(deadline), Filled::Bytes) && Instant::now() < deadline {}
        // A closed connection does not make time pass.
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        self
    }

    /// Waits for the server to close.
    pub fn wait_close(&mut self, timeout: Duration) -> Option<Close> {
        let deadline = self.deadline(timeout);
        loop {
            match self.pump(deadline) {
                Filled::Bytes if Instant::now() < deadline => {}
                Filled::Closed(close) => return Some(close),
                Filled::Bytes | Filled::Nothing | Filled::Flood => return None,
            }
        }
    }

    /// The first message not yet taken for which `wanted` holds, in T_REPLY. `what` names it when it
    /// does not come: FAIL.
    pub fn expect(
        &mut self,
        what: &str,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Message, Stop> {
        self.expect_in(self.timeouts.reply, what, wanted)
    }

    /// The same with a time limit.
    pub fn expect_in(
        &mut self,
        timeout: Duration,
        what: &str,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Message, Stop> {
        let deadline = self.deadline(timeout);
        let mut from = 0;
        self.absorb();
        loop {
            for at in from..self.messages.len() {
                if !self.claimed[at] && wanted(&self.messages[at]) {
                    self.claimed[at] = true;
                    return Ok(self.messages[at].clone());
                }
            }
            from = self.messages.len();
            self.step(deadline, || what.to_owned())?;
        }
    }

    /// The next message of a type.
    pub fn expect_type(&mut self, type_id: MessageType) -> Result<Message, Stop> {
        self.expect(type_id.kind(), |message| message.type_id == type_id)
    }

    /// The next command of that name.
    pub fn expect_command(&mut self, name: &str) -> Result<Command, Stop> {
        let message = self.expect(name, |message| {
            Conn::command_of(message).is_some_and(|command| command.name == name)
        })?;
        Ok(Conn::command_of(&message).cloned().unwrap_or_default())
    }

    /// The reply to a request: `_result` or `_error` with its transaction id.
    pub fn expect_reply(&mut self, transaction: f64) -> Result<Command, Stop> {
        let what = format!("reply to transaction {transaction}");
        let message = self.expect(&what, |message| {
            Conn::command_of(message).is_some_and(|command| {
                command.is_reply() && command.transaction_id == Some(transaction)
            })
        })?;
        Ok(Conn::command_of(&message).cloned().unwrap_or_default())
    }

    /// The reply to a request, which must be `_result`.
    pub fn expect_result(&mut self, transaction: f64) -> Result<Command, Stop> {
        let reply = self.expect_reply(transaction)?;
        if reply.name == "_result" {
            return Ok(reply);
        }
        let code = reply.info("code").map_or_else(String::new, |code| format!(" {code}"));
        Err(Stop::Fail(format!("transaction {transaction} was answered with _error{code}")))
    }

    /// The next `onStatus` whose code begins with `code`; another one with level error ends the
    /// waiting.
    pub fn expect_status(&mut self, code: &str) -> Result<Command, Stop> {
        let what = format!("onStatus {code}");
        let message = self.expect(&what, |message| {
            Conn::status_of(message)
                .is_some_and(|(seen, level)| seen.starts_with(code) || level == "error")
        })?;
        match Conn::status_of(&message) {
            Some((seen, _)) if !seen.starts_with(code) => {
                Err(Stop::Fail(format!("onStatus {seen} came in place of {code}")))
            }
            _ => Ok(Conn::command_of(&message).cloned().unwrap_or_default()),
        }
    }

    /// The command in a message.
    pub fn command_of(message: &Message) -> Option<&Command> {
        match &message.body {
            Body::Command(command) => Some(command),
            _ => None,
        }
    }

    /// Code and level of an `onStatus`.
    pub fn status_of(message: &Message) -> Option<(String, String)> {
        let command = Conn::command_of(message).filter(|command| command.name == "onStatus")?;
        let text = |name| command.info(name).map(|text| text.to_string()).unwrap_or_default();
        Some((text("code"), text("level")))
    }

    /// From now on this client reads only when it is told to, and its kernel holds little for it.
    pub fn stop_reading(&self) {
        self.link.hold_little();
    }

    /// Reads what is there and answers what asks for it, without waiting.
    pub fn absorb(&mut self) {
        let end = Instant::now() + ABSORB;
        while matches!(self.pump(Instant::now()), Filled::Bytes) && Instant::now() < end {}
    }

    fn deadline(&self, timeout: Duration) -> Instant {
        (Instant::now() + timeout).min(self.end)
    }

    /// Waits for more; says why it cannot come.
    fn step(&mut self, deadline: Instant, what: impl Fn() -> String) -> Result<(), Stop> {
        if let Some(fault) = &self.fault {
            return Err(Stop::Harness(fault.clone()));
        }
        let started = Instant::now();
        // A server that never falls silent must not keep us waiting for the right thing.
        if started >= deadline && !matches!(self.link.fill(started), Filled::Nothing) {
            return match self.pump(started) {
                Filled::Closed(close) => {
                    Err(Stop::Fail(format!("closed ({}) in place of {}", close.name(), what())))
                }
                _ => Err(Stop::Fail(format!("no {} among what keeps coming", what()))),
            };
        }
        match self.pump(deadline) {
            Filled::Bytes => Ok(()),
            Filled::Closed(close) => {
                Err(Stop::Fail(format!("closed ({}) in place of {}", close.name(), what())))
            }
            Filled::Nothing if Instant::now() >= self.end => {
                Err(Stop::Fail(format!("no {} before the case's time was up", what())))
            }
            Filled::Nothing => {
                let waited = started.elapsed().as_secs_f64();
                Err(Stop::Fail(format!("no {} after {waited:.1} s of silence", what())))
            }
            Filled::Flood => Err(Stop::Fail(format!("floods the connection: no {}", what()))),
        }
    }

    /// Waits for bytes and decodes them.
    fn pump(&mut self, deadline: Instant) -> Filled {
        if self.flood {
            return Filled::Flood;
        }
        let filled = self.link.fill(deadline);
        let bytes = self.link.take();
        if !bytes.is_empty() {
            let room = RAW_KEPT.saturating_sub(self.raw.len());
            self.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
            let time = self.link.clock().now();
            let before = self.messages.len();
            self.decode(Direction::ServerToClient, time, &bytes);
            self.answer(before);
        }
        // A stream without end must not keep a case for ever.
        if filled == Filled::Flood || self.messages.len() >= MESSAGES_KEPT {
            self.flood = true;
            return Filled::Flood;
        }
        filled
    }

    fn decode(&mut self, direction: Direction, time: Timestamp, bytes: &[u8]) {
        let Conn { session, messages, claimed, handshake, anomalies, .. } = self;
        session.feed(direction, time, bytes, &mut |event| match event {
            Event::Message(message) if message.direction == Direction::ServerToClient => {
                messages.push(*message);
                claimed.push(false);
            }
            Event::Handshake(seen) if seen.direction == Direction::ServerToClient => {
                *handshake = Some(seen);
            }
            Event::Anomaly(anomaly) if anomaly.direction == Direction::ServerToClient => {
                anomalies.push(anomaly);
            }
            _ => {}
        });
    }

    /// Answers pings and windows among the messages from `from` on.
    fn answer(&mut self, from: usize) {
        let mut pings = Vec::new();
        for message in self.messages.get(from..).unwrap_or_default() {
            match &message.body {
                Body::UserControl(UserControl { event, timestamp: Some(time), .. })
                    if event.0 == 6 =>
                {
                    pings.push(*time);
                }
                Body::WindowAcknowledgementSize { size } => self.window = Some(*size),
                _ => {}
            }
        }
        let mut out = Vec::new();
        if self.pongs {
            for time in pings {
                out.extend(self.encode(Msg::user_control(7, &time.to_be_bytes())));
            }
        }
        let received = self.link.counts().1;
        if let Some(window) = self.window.filter(|window| *window > 0 && self.acknowledges)
            && received - self.acknowledged >= u64::from(window)
        {
            self.acknowledged = received;
            out.extend(self.encode(Msg::acknowledgement(received as u32)));
        }
        if !out.is_empty() && self.link.closed().is_none() {
            let deadline = self.deadline(self.timeouts.reply);
            self.link.send(&out, deadline);
            let time = self.link.clock().now();
            self.decode(Direction::ClientToServer, time, &out);
        }
    }
}
