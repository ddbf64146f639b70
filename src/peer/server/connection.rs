//! What the server knows of a connection, and how it writes to it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::defects::{Faults, Flag, History};
use super::engine::Close;
use super::handshake::Handshaker;
use super::hub::Key;
use super::options::Options;
use super::play::Player;
use crate::base::{Direction, Timestamp};
use crate::rtmp::{
    self, ChunkEncoder, CsidForm, EncodeError, ExtendedTimestampHabit, Limits, Outgoing, Session,
};
use crate::wire::amf::{Property, Value};
use crate::wire::message::{self, Body, Command, MessageType, UserControl};

/// Chunk streams that the server writes on.
pub(super) mod csid {
    pub const CONTROL: u32 = 2;
    pub const COMMAND: u32 = 3;
    pub const AUDIO: u32 = 4;
    pub const STATUS: u32 = 5;
    pub const VIDEO: u32 = 6;
    pub const DATA: u32 = 7;
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub opened: Timestamp,
    /// The handshake, until it is complete.
    pub handshake: Option<Handshaker>,
    pub session: Session,
    pub encoder: ChunkEncoder,
    /// Written, not yet polled.
    pub out: Vec<u8>,
    /// Polled, not yet taken by the client.
    pub backlog: usize,
    pub close: Option<Close>,
    /// Bytes of the client, the handshake's included.
    pub received: u64,
    /// `received` at the last acknowledgement.
    pub acknowledged: u64,
    /// The client's window: after so many bytes it wants an acknowledgement.
    pub window: u32,
    /// The window last announced to the client.
    pub announced: u32,
    /// Whether the client's last Set Peer Bandwidth was hard; `None` before the first.
    pub hard_limit: Option<bool>,
    /// The application, once `connect` succeeded.
    pub app: Option<Vec<u8>>,
    /// Whether commands go out as type 17.
    pub amf3: bool,
    /// Whether the client says that it can follow a reconnect request (Enhanced RTMP).
    pub reconnects: bool,
    pub streams: BTreeMap<u32, Stream>,
    pub next_stream: u32,
    pub last_input: Timestamp,
    /// When the client was pinged for its silence.
    pub pinged: Option<Timestamp>,
    pub faults: Faults,
    /// What faults look at; kept only if there are any.
    pub history: History,
    /// A fault made it deaf.
    pub wedged: bool,
    /// Answers that a fault holds back.
    pub held: Vec<Sending>,
    /// Media before `publish` that a fault keeps.
    pub early: Vec<(MessageType, Bytes)>,
    /// The client is gone.
    pub over: bool,
    /// What a fault adds to media timestamps.
    pub skew: u32,
    /// What the client acknowledged last.
    pub peer_acknowledged: u64,
}

/// A message stream.
#[derive(Debug, Default)]
pub(super) enum Stream {
    /// Created, nothing asked for.
    #[default]
    Idle,
    /// Publishing.
    Publishing(Key),
    /// Playing, or waiting for a publisher.
    Playing(Box<Player>),
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub csid: u32,
    pub type_id: MessageType,
    pub timestamp: u32,
    pub stream_id: u32,
    /// Header format; `None` lets the encoder choose.
    pub fmt: Option<u8>,
    pub csid_form: CsidForm,
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// To be encoded.
    Body(Body),
    /// Relayed as it is.
    Raw(Bytes),
}

impl Sending {
    /// A control message.
    pub fn control(type_id: MessageType, body: Body) -> Sending {
        Sending { fmt: Some(0), ..Sending::new(csid::CONTROL, type_id, 0, 0, Content::Body(body)) }
    }

    /// A message whose header the encoder chooses.
    pub fn new(
        csid: u32,
        type_id: MessageType,
        timestamp: u32,
        stream_id: u32,
        content: Content,
    ) -> Sending {
        let csid_form = CsidForm::Shortest;
        Sending { csid, type_id, timestamp, stream_id, fmt: None, csid_form, content }
    }

    /// The body, unless it is relayed.
    pub fn body(&self) -> Option<&Body> {
        match &self.content {
            Content::Body(body) => Some(body),
            Content::Raw(_) => None,
        }
    }

    pub fn body_mut(&mut self) -> Option<&mut Body> {
        match &mut self.content {
            Content::Body(body) => Some(body),
            Content::Raw(_) => None,
        }
    }

    pub fn command(&self) -> Option<&Command> {
        match self.body()? {
            Body::Command(command) => Some(command),
            _ => None,
        }
    }

    pub fn command_mut(&mut self) -> Option<&mut Command> {
        match self.body_mut()? {
            Body::Command(command) => Some(command),
            _ => None,
        }
    }

    /// The command, if it is an answer.
    pub fn reply_mut(&mut self) -> Option<&mut Command> {
        self.command_mut().filter(|command| command.is_reply())
    }

    /// The user control event, if it is of that type.
    pub fn event_mut(&mut self, event: u16) -> Option<&mut UserControl> {
        match self.body_mut()? {
            Body::UserControl(message) if message.event.0 == event => Some(message),
            _ => None,
        }
    }

    pub fn is_call(&self, name: &str) -> bool {
        self.command().is_some_and(|command| command.name == name)
    }

    /// Whether the information object has that code.
    pub fn is_status(&self, code: &str) -> bool {
        self.command().and_then(|command| command.info("code")).is_some_and(|found| *found == code)
    }

    fn information_mut(&mut self) -> Option<&mut Vec<Property>> {
        self.command_mut()?.arguments.iter_mut().find_map(|value| match value {
            Value::Object { properties, .. } => Some(properties),
            _ => None,
        })
    }

    /// Changes a member of the information object with that code. True: it goes out.
    pub fn change_info(&mut self, code: &str, name: &str, change: fn(&mut Value)) -> bool {
        if self.is_status(code) {
            let properties = self.information_mut().into_iter().flatten();
            properties.filter(|p| p.name == name).for_each(|p| change(&mut p.value));
        }
        true
    }

    /// Takes a member out of the information object.
    pub fn drop_info(&mut self, name: &str) {
        if let Some(properties) = self.information_mut() {
            properties.retain(|property| property.name != name);
        }
    }

    /// Says these bytes instead.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.content = Content::Raw(Bytes::copy_from_slice(bytes));
    }

    /// The bytes, if they are relayed.
    pub fn raw_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Raw(bytes) => Some(bytes),
            Content::Body(_) => None,
        }
    }

    pub fn raw_first(&self) -> Option<u8> {
        self.raw_bytes()?.first().copied()
    }

    pub fn raw_starts(&self, with: &[u8]) -> bool {
        self.raw_bytes().is_some_and(|bytes| bytes.starts_with(with))
    }

    /// Changes the bytes that are relayed.
    pub fn change_raw(&mut self, change: impl FnOnce(&mut [u8])) {
        if let Content::Raw(bytes) = &mut self.content {
            let mut copy = bytes.to_vec();
            change(&mut copy);
            *bytes = copy.into();
        }
    }
}

impl Connection {
    pub fn new(options: &Options, faults: &Faults, time: Timestamp) -> Connection {
        let mut encoder = ChunkEncoder::new();
        if faults.has(Flag::OmitsExtendedTimestamp) {
            encoder = encoder.with_habit(ExtendedTimestampHabit::Omit);
        }
        if faults.has(Flag::LongChunksFromStart) {
            let _ = encoder.use_chunk_size(options.chunk_size);
        }
        let limits = Limits {
            pending_bytes: options.max_pending,
            message_bytes: options.max_pending,
            ..Limits::default()
        };
        Connection {
            opened: time,
            handshake: Some(Handshaker::default()),
            session: Session::new(rtmp::Options { limits, keep_media: true }),
            encoder,
            out: Vec::new(),
            backlog: 0,
            close: None,
            received: 0,
            acknowledged: 0,
            window: options.window,
            announced: 0,
            hard_limit: None,
            app: None,
            amf3: false,
            reconnects: false,
            streams: BTreeMap::new(),
            next_stream: 1,
            last_input: time,
            pinged: None,
            faults: faults.clone(),
            history: History::default(),
            wedged: false,
            held: Vec::new(),
            early: Vec::new(),
            over: false,
            skew: 0,
            peer_acknowledged: 0,
        }
    }

    /// Writes a message.
    pub fn send(&mut self, sending: Sending) {
        if self.close.is_some() || self.wedged || self.owed_too_much() {
            return;
        }
        let mut sending = sending;
        if !self.faults.write(&mut sending) {
            return;
        }
        let Sending { csid, type_id, timestamp, stream_id, fmt, csid_form, content } = sending;
        let payload = match content {
            Content::Raw(bytes) => bytes,
            Content::Body(body) => match message::encode(type_id, &body) {
                Some(bytes) => bytes.into(),
                None => return,
            },
        };
        let mut message = Outgoing::new(csid, type_id, timestamp, stream_id, payload);
        message.csid_form = csid_form;
        message.fmt = fmt;
        let before = self.out.len();
        let result = match self.faults.has(Flag::ContinuationsWithHeader) {
            true => self.encode_with_headers(message.clone()),
            false => self.encoder.encode(message.clone(), &mut self.out),
        };
        // What was received fits into a message, and so does what we say ourselves. Only a fault
        // asks for a header that cannot be: the encoder knows one that can.
        if result.is_err() {
            message.fmt = None;
            let _ = self.encoder.encode(message, &mut self.out);
        }
        self.history.sent += (self.out.len() - before) as u64;
    }

    /// Writes a message that has a header of type 1 before each chunk.
    fn encode_with_headers(&mut self, message: Outgoing) -> Result<(), EncodeError> {
        let length = (message.payload.len() as u32).to_be_bytes();
        let type_id = message.type_id.0;
        let mut chunks = self.encoder.begin(message)?;
        let mut bytes = Vec::new();
        chunks.write_next(&mut self.encoder, &mut bytes);
        self.out.append(&mut bytes);
        while let Some(chunk) = chunks.write_next(&mut self.encoder, &mut bytes) {
            if let Some(first) = bytes.get(chunk.header.start).filter(|b| **b & 0x3f >= 2) {
                self.out.extend_from_slice(&[0x40 | first & 0x3f, 0, 0, 0]);
                self.out.extend_from_slice(&length[1..]);
                self.out.push(type_id);
            }
            self.out.extend_from_slice(&bytes[chunk.payload]);
            bytes.clear();
        }
        Ok(())
    }

    /// Whether a fault waits for the client's acknowledgements.
    fn owed_too_much(&self) -> bool {
        let owed = self.history.sent.saturating_sub(self.peer_acknowledged);
        self.faults.has(Flag::WaitsForAcks) && owed > 3 * u64::from(self.announced.max(1))
    }

    /// Tells how much was received, if it is time to.
    pub fn acknowledge(&mut self) {
        if self.window == 0 && self.faults.has(Flag::AcksStorm) {
            let step = 8;
            while self.acknowledged + step <= self.received {
                self.acknowledged += step;
                let body = Body::Acknowledgement { sequence_number: self.acknowledged as u32 };
                self.send(Sending::control(MessageType::ACKNOWLEDGEMENT, body));
            }
        }
        // A window of 0 asks for an acknowledgement per byte: that is, for none that makes sense.
        let since = self.received - self.acknowledged;
        let due = self.window > 0 && since >= u64::from(self.window);
        if due && self.handshake.is_none() {
            self.acknowledged = self.received;
            let increments = self.faults.has(Flag::AcksIncrements);
            let number = if increments { since } else { self.received };
            let body = Body::Acknowledgement { sequence_number: number as u32 };
            self.send(Sending::control(MessageType::ACKNOWLEDGEMENT, body));
        }
    }

    /// Bytes of messages that are not complete.
    pub fn pending(&self) -> u64 {
        if self.handshake.is_some() {
            return self.received;
        }
        let oldest = self.session.oldest_offset(Direction::ClientToServer);
        self.received.saturating_sub(oldest)
    }

    /// Ends the connection once what was written is out.
    pub fn close(&mut self) {
        self.close.get_or_insert(Close::Fin);
    }
}
