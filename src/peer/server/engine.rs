//! The server without I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use super::connection::{Connection, Sending, Stream};
use super::control::ping_request;
use super::defects::{Defect, Faults, Flag, Piece, Reaction, Seen};
use super::handshake::Refused;
use super::hub::Hub;
use super::options::Options;
use crate::base::{Direction, Timestamp};
use crate::rtmp::{AnomalyKind, Event, Message};
use crate::wire::message::Body;

/// Input is taken in pieces of so many bytes, so that a client with a small window gets several
/// acknowledgements for what comes in one read, and not one per message.
const PIECE: usize = 4096;

/// Names a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// After the bytes before it were sent.
    Fin,
    /// At once.
    Reset,
}

/// What is to be done on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Bytes(ConnId, Vec<u8>),
    /// End it; the engine has forgotten it.
    Close(ConnId, Close),
}

/// The server without I/O: takes bytes of connections with the time at which they came, gives back
/// bytes to send.
///
/// ```
/// use rtmpscope::base::Timestamp;
/// use rtmpscope::peer::server::{Engine, Options, Output};
///
/// let mut engine = Engine::new(Options::default());
/// let conn = engine.open(Timestamp(0)).expect("the first connection");
/// engine.input(conn, Timestamp(1_000_000), &[&[3][..], &[0; 1536]].concat());
/// let Some(Output::Bytes(_, bytes)) = engine.poll_output() else { panic!("no answer") };
/// assert_eq!(bytes.len(), 3073);
/// ```
#[derive(Debug)]
pub struct Engine {
    pub(super) options: Options,
    pub(super) hub: Hub,
    pub(super) connections: BTreeMap<ConnId, Connection>,
    pub(super) now: Timestamp,
    pub(super) faults: Faults,
    /// A fault made it serve nobody.
    pub(super) stalled: bool,
    rng: fastrand::Rng,
    next: u64,
    /// What a fault keeps.
    hoard: Vec<Vec<u8>>,
}

impl Engine {
    /// A server without connections.
    pub fn new(options: Options) -> Engine {
        let rng = fastrand::Rng::with_seed(options.seed);
        let faults = Faults(options.defects.clone().into());
        Engine {
            faults,
            stalled: false,
            hoard: Vec::new(),
            options,
            hub: Hub::default(),
            connections: BTreeMap::new(),
            now: Timestamp(0),
            rng,
            next: 1,
        }
    }

    /// Switches these faults on and all others off, for connections to come.
    pub fn switch(&mut self, defects: Vec<&'static Defect>) {
        self.faults = Faults(defects.into());
    }

    /// A client connected; `None` when there are too many.
    pub fn open(&mut self, time: Timestamp) -> Option<ConnId> {
        if self.connections.len() >= self.options.max_connections {
            return None;
        }
        if self.faults.has(Flag::SlotsLeak) && self.next > 300 {
            self.stalled = true;
        }
        let id = ConnId(self.next);
        self.next += 1;
        self.connections.insert(id, Connection::new(&self.options, &self.faults, time));
        Some(id)
    }

    /// A client sent bytes.
    pub fn input(&mut self, conn: ConnId, time: Timestamp, bytes: &[u8]) {
        self.now = time;
        let one_size = self.faults.has(Flag::OneChunkSize);
        for piece in bytes.chunks(if one_size { 1 } else { PIECE }) {
            if !self.stalled {
                self.piece(conn, piece);
            }
        }
    }

    /// A client ended its side of the connection; what it is owed still goes out.
    pub fn half_close(&mut self, conn: ConnId, time: Timestamp) {
        if !self.faults.has(Flag::HalfCloseIgnored) {
            self.hang_up(conn, time);
        }
    }

    /// A connection is over.
    pub fn hang_up(&mut self, conn: ConnId, time: Timestamp) {
        self.now = time;
        if self.faults.has(Flag::PanicsOnCutMessage)
            && self.connections.get(&conn).is_some_and(|connection| connection.pending() > 0)
        {
            panic!("a connection ended within a message");
        }
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.over = true;
        }
        self.leave(conn);
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.close();
        }
    }

    /// Time passed.
    pub fn tick(&mut self, time: Timestamp) {
        self.now = time;
        if self.stalled {
            return;
        }
        let ids: Vec<ConnId> = self.connections.keys().copied().collect();
        for id in ids {
            self.give_up_waiting(id);
            self.check_silence(id);
        }
    }

    /// How many polled bytes of a connection the client has not taken yet.
    pub fn set_backlog(&mut self, conn: ConnId, bytes: usize) {
        let max = self.options.max_backlog;
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.backlog = bytes;
            if bytes > max && !self.faults.has(Flag::BacklogUnbounded) {
                connection.close = Some(Close::Reset);
            }
        }
    }

    /// Whether nothing is to be read while something waits to be written: a fault.
    pub(super) fn waits_for_writes(&self) -> bool {
        self.faults.has(Flag::SlowStopsAll)
    }

    /// What to do next; `None` when there is nothing.
    pub fn poll_output(&mut self) -> Option<Output> {
        let (id, connection) = self
            .connections
            .iter_mut()
            .find(|(_, connection)| !connection.out.is_empty() || connection.close.is_some())?;
        let id = *id;
        if !connection.out.is_empty() && connection.close != Some(Close::Reset) {
            let bytes = std::mem::take(&mut connection.out);
            connection.backlog += bytes.len();
            return Some(Output::Bytes(id, bytes));
        }
        self.leave(id);
        let close = self.connections.remove(&id)?.close?;
        Some(Output::Close(id, close))
    }

    /// Asks the clients that can (Enhanced RTMP, `capsEx` bit 0) to connect again, to `tc_url` if
    /// one is given. They are served until they leave. Says how many were asked.
    pub fn request_reconnect(&mut self, tc_url: Option<&str>) -> usize {
        let able = self.connections.values_mut().filter(|c| c.reconnects && c.app.is_some());
        able.map(|connection| connection.request_reconnect(tc_url)).count()
    }

    pub(super) fn conn(&mut self, id: ConnId) -> Option<&mut Connection> {
        self.connections.get_mut(&id)
    }

    pub(super) fn send(&mut self, id: ConnId, sending: Sending) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.send(sending);
        }
    }

    fn piece(&mut self, id: ConnId, piece: &[u8]) {
        let now_ms = (self.now.0 / 1_000_000) as u32;
        let mut bytes = piece;
        if self.faults.has(Flag::HandshakesCount)
            && self.connections.values().filter(|c| c.handshake.is_some()).count() > 50
        {
            return;
        }
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.close.is_some() || connection.wedged {
            return;
        }
        connection.received += bytes.len() as u64;
        connection.last_input = self.now;
        connection.pinged = None;
        let mut events = Vec::new();
        if let Some(handshake) = &mut connection.handshake {
            let out = &mut connection.out;
            match handshake.input(bytes, now_ms, &mut self.rng, &self.faults, out) {
                Ok(used) => bytes = &bytes[used..],
                Err(Refused::Close) => return connection.close(),
                Err(Refused::Wedge) => return connection.wedged = true,
            }
            if !handshake.is_complete() {
                return;
            }
            if self.faults.has(Flag::LosesDataAfterC2) {
                bytes = &[];
            }
            let seen = std::mem::take(&mut handshake.bytes);
            connection.handshake = None;
            connection.opened = self.now;
            let direction = Direction::ClientToServer;
            connection.session.feed(direction, self.now, &seen, &mut |event| events.push(event));
        }
        let direction = Direction::ClientToServer;
        connection.session.feed(direction, self.now, bytes, &mut |event| events.push(event));
        self.check_bytes(id, bytes);
        for event in events {
            let lose_rest = self.event(id, event) == Some(Reaction::LoseRest);
            let gone = |c: &Connection| c.close.is_some() || c.wedged;
            if lose_rest || self.stalled || self.connections.get(&id).is_none_or(gone) {
                return;
            }
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.acknowledge();
        }
    }

    /// Looks for faults that bytes bring out.
    fn check_bytes(&mut self, id: ConnId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if self.faults.is_empty() {
            return;
        }
        let piece = Piece { bytes, pending: connection.pending() };
        if let Some(reaction) = self.faults.on_bytes(&piece) {
            self.react(id, reaction, piece.pending);
        }
    }

    /// Does what a fault does; false if what came is to be handled all the same.
    fn react(&mut self, id: ConnId, reaction: Reaction, size: u64) -> bool {
        match reaction {
            Reaction::Ignore => return true,
            Reaction::LoseRest => return false,
            Reaction::Close => {
                if let Some(connection) = self.conn(id) {
                    connection.close();
                }
            }
            Reaction::Wedge => {
                if let Some(connection) = self.conn(id) {
                    connection.wedged = true;
                }
            }
            Reaction::Stall => self.stalled = true,
            Reaction::Panic => panic!("a fault that is switched on"),
            Reaction::Burn => {
                // Long enough to be seen, short enough to be survived.
                let begin: u64 = (0..3_000_000).fold(size, |sum, n| sum.rotate_left(5) ^ n);
                self.hoard.truncate(64 + begin as usize % 2);
                return false;
            }
            Reaction::Hoard => {
                // Bounded, so that a fuzzer's machine survives finding it.
                if self.hoard.len() < 64 {
                    self.hoard.push(vec![1; 8 << 20]);
                }
                return false;
            }
        }
        true
    }

    fn event(&mut self, id: ConnId, event: Event) -> Option<Reaction> {
        if self.faults.is_empty() {
            self.handle(id, event);
            return None;
        }
        match event {
            Event::Message(mut message) if message.complete => {
                let connection = self.connections.get(&id)?;
                let msid = message.stream_id.unwrap_or(0);
                let publishing =
                    |stream: Option<&Stream>| matches!(stream, Some(Stream::Publishing(_)));
                self.faults.read(&mut message, &connection.history);
                let seen = Seen {
                    message: &message,
                    history: &connection.history,
                    connected: connection.app.is_some(),
                    publishing: publishing(connection.streams.get(&msid)),
                    publishes: connection.streams.values().any(|s| publishing(Some(s))),
                    created: connection.streams.contains_key(&msid),
                };
                let reaction = self.faults.on_message(&seen);
                let handled =
                    reaction.is_some_and(|r| self.react(id, r, u64::from(message.length)));
                self.side_effects(id, &message);
                if !handled {
                    self.handle(id, Event::Message(message));
                }
                reaction
            }
            Event::Anomaly(anomaly) => {
                let reaction = self.faults.on_anomaly(&anomaly);
                if !reaction.is_some_and(|reaction| self.react(id, reaction, 0)) {
                    self.handle(id, Event::Anomaly(anomaly));
                }
                reaction
            }
            event => {
                self.handle(id, event);
                None
            }
        }
    }

    /// What faults remember, and change besides.
    fn side_effects(&mut self, id: ConnId, message: &Message) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.history.note(message);
        if connection.faults.has(Flag::ControlTimeCounts) && message.type_id.is_control() {
            connection.skew = connection.skew.wrapping_add(message.timestamp);
        }
        match message.body {
            Body::Acknowledgement { sequence_number } => {
                connection.peer_acknowledged = u64::from(sequence_number);
            }
            Body::SetChunkSize { .. } if connection.faults.has(Flag::OneChunkSize) => {
                // The decoder is told so in the only words that it knows.
                let header = [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
                let own = [&header[..], &connection.encoder.chunk_size().to_be_bytes()].concat();
                let direction = Direction::ClientToServer;
                connection.session.feed(direction, self.now, &own, &mut |_| {});
            }
            Body::Command(_) => {
                for answer in std::mem::take(&mut connection.held) {
                    connection.send(answer);
                }
            }
            _ => {}
        }
    }

    fn handle(&mut self, id: ConnId, event: Event) {
        match event {
            Event::Message(message) if message.complete => self.message(id, &message),
            // The decoder would search on; a server knows that the sender is at fault, and must
            // not take what lies inside a payload for a message.
            Event::Anomaly(anomaly)
                if matches!(
                    anomaly.kind,
                    AnomalyKind::NoPreviousHeader
                        | AnomalyKind::LostSync
                        | AnomalyKind::MessageInterrupted
                        | AnomalyKind::InvalidChunkSize
                        | AnomalyKind::PendingLimit
                ) =>
            {
                if let Some(connection) = self.conn(id) {
                    connection.close();
                }
            }
            _ => {}
        }
    }

    fn message(&mut self, id: ConnId, message: &Message) {
        let msid = message.stream_id.unwrap_or(0);
        match &message.body {
            Body::Command(command) => {
                self.command(id, msid, message.type_id, command, message.stop.as_ref());
            }
            Body::Data(data) => self.data(id, msid, message, data),
            Body::Audio(_) | Body::Video(_) => {
                let payload = message.payload.clone();
                self.media(id, msid, message.type_id, message.timestamp, payload, &message.body);
            }
            Body::Aggregate(parts) => self.aggregate(id, msid, message, parts),
            // Shared objects have no room on this server, unknown types no meaning.
            Body::SharedObject(_) | Body::Unknown => {}
            body => self.control(id, body),
        }
    }

    /// Ends what the connection published and played.
    pub(super) fn leave(&mut self, id: ConnId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let msids: Vec<u32> = connection.streams.keys().copied().collect();
        for msid in msids {
            self.end_stream(id, msid);
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.streams.clear();
        }
    }

    /// Ends what a message stream did; it stays and can be used again.
    pub(super) fn end_stream(&mut self, id: ConnId, msid: u32) {
        let Some(stream) = self.conn(id).and_then(|c| c.streams.get_mut(&msid)) else { return };
        match std::mem::take(stream) {
            Stream::Idle => {}
            Stream::Publishing(key) => self.unpublish(&key, (id, msid)),
            Stream::Playing(player) => self.hub.remove_player(&player.key, (id, msid)),
        }
    }

    fn check_silence(&mut self, id: ConnId) {
        let (now, options) = (self.now, &self.options);
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let since = |time: Timestamp| Duration::from_nanos(now.nanos_since(time).max(0) as u64);
        let silence = since(connection.last_input);
        // Bytes that trickle in renew nothing before `connect`: else a client could hold its place
        // for ever.
        let late = match (&connection.handshake, &connection.app) {
            (Some(_), _) => {
                since(connection.opened) >= options.handshake_timeout
                    && !self.faults.has(Flag::HandshakeNeverTimesOut)
            }
            (None, None) => {
                since(connection.opened) >= options.connect_timeout
                    && !self.faults.has(Flag::ConnectNeverTimesOut)
            }
            (None, Some(_)) => {
                let forgiven = self.faults.has(Flag::SilenceForgiven);
                let strict = self.faults.has(Flag::PingsAlthoughAnswered)
                    && since(connection.opened) >= options.idle_timeout;
                silence >= options.idle_timeout && !forgiven || strict
            }
        };
        if late {
            connection.close();
        } else if connection.app.is_some()
            && silence >= options.ping_after
            && connection.pinged.is_none()
        {
            connection.pinged = Some(now);
            connection.send(ping_request((now.0 / 1_000_000) as u32));
        }
    }
}
