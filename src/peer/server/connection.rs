//! What the server knows of a connection, and how it writes to it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::engine::Close;
use super::handshake::Handshaker;
use super::hub::Key;
use super::options::Options;
use super::play::Player;
use crate::base::Timestamp;
use crate::rtmp::{self, ChunkEncoder, Limits, Outgoing, Session};
use crate::wire::message::{self, Body, MessageType};

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
        let content = Content::Body(body);
        Sending { csid: csid::CONTROL, type_id, timestamp: 0, stream_id: 0, content }
    }
}

impl Connection {
    pub fn new(options: &Options, time: Timestamp) -> Connection {
        let limits = Limits {
            pending_bytes: options.max_pending,
            message_bytes: options.max_pending,
            ..Limits::default()
        };
        Connection {
            opened: time,
            handshake: Some(Handshaker::default()),
            session: Session::new(rtmp::Options { limits, keep_media: true }),
            encoder: ChunkEncoder::new(),
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
        }
    }

    /// Writes a message.
    pub fn send(&mut self, sending: Sending) {
        if self.close.is_some() {
            return;
        }
        let Sending { csid, type_id, timestamp, stream_id, content } = sending;
        let payload = match content {
            Content::Raw(bytes) => bytes,
            Content::Body(body) => match message::encode(type_id, &body) {
                Some(bytes) => bytes.into(),
                None => return,
            },
        };
        let mut message = Outgoing::new(csid, type_id, timestamp, stream_id, payload);
        if csid == csid::CONTROL {
            message = message.with_fmt(0);
        }
        // What was received fits into a message, and so does what we say ourselves.
        let _ = self.encoder.encode(message, &mut self.out);
    }

    /// Tells how much was received, if it is time to.
    pub fn acknowledge(&mut self) {
        // A window of 0 asks for an acknowledgement per byte: that is, for none that makes sense.
        let due = self.window > 0 && self.received - self.acknowledged >= u64::from(self.window);
        if due && self.handshake.is_none() {
            self.acknowledged = self.received;
            let body = Body::Acknowledgement { sequence_number: self.received as u32 };
            self.send(Sending::control(MessageType::ACKNOWLEDGEMENT, body));
        }
    }

    /// Ends the connection once what was written is out.
    pub fn close(&mut self) {
        self.close.get_or_insert(Close::Fin);
    }
}
