//! The steps of a session.

use std::net::SocketAddr;

use crate::analysis::record::Transport;
use crate::base::{Direction, Timestamp};
use crate::wire::message::MessageType;

/// What of a session can be compared.
#[derive(Clone, Debug)]
pub struct Trail {
    /// Session number.
    pub session: u32,
    /// The connecting peer.
    pub client: SocketAddr,
    /// The accepting peer.
    pub server: SocketAddr,
    /// What it speaks.
    pub transport: Transport,
    /// Whether the capture holds its beginning.
    pub midstream: bool,
    /// Time of its first packet.
    pub start: Timestamp,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Steps beyond the limit.
    pub dropped: u64,
}

/// What a step is. Steps of the same kind, by the same side, are held against each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepKind {
    /// One side's handshake.
    Handshake,
    /// A command that is no reply.
    Command(String),
    /// A reply to a request of this name.
    Reply(String),
    /// An `onStatus` event. Its code is a fact.
    Status,
    /// Set Chunk Size, Window Acknowledgement Size, Set Peer Bandwidth or Abort.
    Control(MessageType),
    /// A user control event, by name.
    Event(&'static str),
    /// A data message, by handler.
    Data(String),
    /// A codec configuration of a track.
    Config(MessageType, Option<u8>),
    /// The first coded frame of a kind.
    FirstMedia(MessageType),
    /// The first key frame.
    FirstKeyFrame,
    /// Bytes are missing here: what follows may lack steps.
    Gap,
    /// The end.
    End,
}

impl StepKind {
    /// In words, without the side.
    pub fn title(&self) -> String {
        match self {
            StepKind::Handshake => "handshake".into(),
            StepKind::Command(name) if name.is_empty() => "command without a name".into(),
            StepKind::Command(name) => name.clone(),
            StepKind::Reply(request) => format!("reply to {request}"),
            StepKind::Status => "onStatus".into(),
            StepKind::Control(kind) => kind.kind().replace('_', " "),
            StepKind::Event(name) => name.replace('_', " "),
            StepKind::Data(handler) if handler.is_empty() => "data without a handler".into(),
            StepKind::Data(handler) => handler.clone(),
            StepKind::Config(media, None) => format!("{} configuration", media.kind()),
            StepKind::Config(media, Some(track)) => {
                format!("{} configuration, track {track}", media.kind())
            }
            StepKind::FirstMedia(media) => format!("first {} frame", media.kind()),
            StepKind::FirstKeyFrame => "first key frame".into(),
            StepKind::Gap => "missing bytes".into(),
            StepKind::End => "end".into(),
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// Who did it; `None` for the end of a connection that nobody closed.
    pub direction: Option<Direction>,
    /// Nanoseconds since the session's first packet.
    pub at: i64,
    /// Row number (from 0) of its message in the session.
    pub row: Option<usize>,
    /// First packet that holds it.
    pub frame: Option<u64>,
    /// What there is to compare, in the order of the wire.
    pub facts: Vec<Fact>,
}

impl Step {
    /// A fact by name.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| &*fact.value)
    }
}

/// Something that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name: a property of `connect`, `code`, `size`, ...
    pub name: String,
    /// Its value as text, shortened.
    pub value: String,
}
