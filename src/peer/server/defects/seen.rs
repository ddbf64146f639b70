//! What a fault can look at.

use std::collections::BTreeMap;

use crate::base::StopReason;
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::flv::{AudioTag, VideoTag};
use crate::wire::message::{Body, Command, Data, MessageType, UserControl};

/// A message that came, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::peer::server) struct Seen<'a> {
    pub message: &'a Message,
    pub history: &'a History,
    /// Whether `connect` succeeded.
    pub connected: bool,
    /// Whether the message's stream publishes.
    pub publishing: bool,
    /// Whether the connection publishes on another message stream.
    pub publishes: bool,
    /// Whether `createStream` gave the message's stream id.
    pub created: bool,
}

/// Bytes that came.
#[derive(Clone, Copy, Debug)]
pub(in crate::peer::server) struct Piece<'a> {
    pub bytes: &'a [u8],
    /// Bytes of messages that are not complete.
    pub pending: u64,
}

/// What a connection sent before.
#[derive(Clone, Debug, Default)]
pub(in crate::peer::server) struct History {
    /// The last message of each chunk stream: header format, timestamp, message stream.
    pub last: BTreeMap<u32, (u8, u32, u32)>,
    /// Messages by type.
    pub counts: BTreeMap<u8, u32>,
    /// Stream offset of the last Set Chunk Size.
    pub chunk_size_at: u64,
    /// Stream offset of the last message that was not a control message.
    pub other_at: u64,
    /// Where it ended.
    pub other_end: u64,
    /// `createStream` calls.
    pub created: u32,
    /// Bytes sent to the client.
    pub sent: u64,
}

impl History {
    pub fn note(&mut self, message: &Message) {
        let stream = message.stream_id.unwrap_or(0);
        self.last.insert(message.csid, (message.fmt, message.timestamp, stream));
        *self.counts.entry(message.type_id.0).or_default() += 1;
        if message.type_id == MessageType::SET_CHUNK_SIZE {
            self.chunk_size_at = message.offset;
        } else if !message.type_id.is_control() {
            self.other_at = message.offset;
            self.other_end = message.pieces.pieces().last().map_or(0, |piece| piece.end);
        }
        if matches!(&message.body, Body::Command(command) if command.name == "createStream") {
            self.created += 1;
        }
    }

    /// How many messages of a type came before.
    pub fn count(&self, type_id: MessageType) -> u32 {
        self.counts.get(&type_id.0).copied().unwrap_or(0)
    }
}

impl<'a> Seen<'a> {
    pub fn is(&self, type_id: MessageType) -> bool {
        self.message.type_id == type_id
    }

    pub fn is_media(&self) -> bool {
        self.message.type_id.is_media()
    }

    /// Message stream id.
    pub fn stream(&self) -> u32 {
        self.message.stream_id.unwrap_or(0)
    }

    pub fn any_command(&self) -> Option<&'a Command> {
        match &self.message.body {
            Body::Command(command) => Some(command),
            _ => None,
        }
    }

    /// The command, if it has that name.
    pub fn command(&self, name: &str) -> Option<&'a Command> {
        self.any_command().filter(|command| command.name == name)
    }

    pub fn is_command(&self, name: &str) -> bool {
        self.command(name).is_some()
    }

    /// An argument of a command.
    pub fn argument(&self, name: &str, index: usize) -> Option<&'a Value> {
        self.command(name)?.arguments.get(index)
    }

    /// The text that is an argument of a command.
    pub fn text(&self, name: &str, index: usize) -> Option<&'a [u8]> {
        Some(&self.argument(name, index)?.as_text()?.0)
    }

    /// The object of `connect`.
    pub fn connect(&self) -> Option<&'a Value> {
        self.command("connect")?.object.as_ref()
    }

    /// Whether a value of `connect`'s object is like that.
    pub fn connect_has(&self, like: fn(&Value) -> bool) -> bool {
        self.connect().is_some_and(|object| object.properties().iter().any(|p| like(&p.value)))
    }

    pub fn data(&self) -> Option<&'a Data> {
        match &self.message.body {
            Body::Data(data) => Some(data),
            _ => None,
        }
    }

    pub fn user(&self) -> Option<&'a UserControl> {
        match &self.message.body {
            Body::UserControl(event) => Some(event),
            _ => None,
        }
    }

    pub fn video(&self) -> Option<&'a VideoTag> {
        match &self.message.body {
            Body::Video(tag) => Some(tag),
            _ => None,
        }
    }

    pub fn audio(&self) -> Option<&'a AudioTag> {
        match &self.message.body {
            Body::Audio(tag) => Some(tag),
            _ => None,
        }
    }

    /// Why decoding stopped early.
    pub fn stop(&self) -> Option<&'a StopReason> {
        self.message.stop.as_ref().map(|stop| &stop.reason)
    }

    /// Whether the message is a command or data, which are AMF.
    pub fn is_amf(&self) -> bool {
        matches!(self.message.body, Body::Command(_) | Body::Data(_))
    }

    /// Whether the message is a command or data that may hold AMF3 values: it was sent as one of
    /// the types for it, or a value has the marker that switches.
    pub fn is_amf3(&self) -> bool {
        let types = [MessageType::COMMAND_AMF3, MessageType::DATA_AMF3];
        self.is_amf() && (types.contains(&self.message.type_id) || self.contains(&[0x11]))
    }

    /// Whether the payload begins so.
    pub fn starts(&self, bytes: &[u8]) -> bool {
        self.message.payload.starts_with(bytes)
    }

    /// Whether these bytes are anywhere in the payload.
    pub fn contains(&self, bytes: &[u8]) -> bool {
        self.message.payload.windows(bytes.len()).any(|window| window == bytes)
    }

    /// Whether a media message has an Enhanced header.
    pub fn is_enhanced(&self) -> bool {
        self.video().is_some_and(|tag| tag.enhanced) || self.audio().is_some_and(|tag| tag.enhanced)
    }
}
