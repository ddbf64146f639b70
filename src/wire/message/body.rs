//! What a message says.

use super::types::{LimitType, MessageType, UserControlEvent};
use crate::wire::amf::{Text, Value};
use crate::wire::flv::{AudioTag, VideoTag};

/// A decoded payload.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// Set Chunk Size: the value with the top bit cleared; the raw bit is in `reserved_bit`.
    SetChunkSize {
        /// New maximum chunk size in bytes.
        size: u32,
        /// The top bit, which must be 0.
        reserved_bit: bool,
    },
    /// Abort Message.
    Abort {
        /// Chunk stream whose partly received message is to be dropped.
        csid: u32,
    },
    /// Acknowledgement.
    Acknowledgement {
        /// Bytes received so far, modulo 2^32.
        sequence_number: u32,
    },
    /// Window Acknowledgement Size.
    WindowAcknowledgementSize {
        /// Bytes.
        size: u32,
    },
    /// Set Peer Bandwidth.
    SetPeerBandwidth {
        /// Window in bytes.
        size: u32,
        /// How to take it; `None` when the message ends before it (4-byte form).
        limit: Option<LimitType>,
    },
    /// User Control Message.
    UserControl(UserControl),
    /// Command, either encoding.
    Command(Command),
    /// Data, either encoding.
    Data(Data),
    /// Shared object, either encoding.
    SharedObject(SharedObject),
    /// Audio.
    Audio(AudioTag),
    /// Video.
    Video(VideoTag),
    /// Aggregate.
    Aggregate(Vec<AggregatePart>),
    /// A type without a known layout; the payload says what there is to say.
    Unknown,
}

/// A User Control Message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserControl {
    /// Event type.
    pub event: UserControlEvent,
    /// Message stream, for the events that name one.
    pub stream_id: Option<u32>,
    /// Buffer length in milliseconds, for Set Buffer Length.
    pub buffer_ms: Option<u32>,
    /// Ping timestamp, for Ping Request and Ping Response.
    pub timestamp: Option<u32>,
    /// Event data that has no field above, such as the SWF verification's.
    pub data: Vec<u8>,
}

/// A command message (types 20 and 17).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Command {
    /// Command name.
    pub name: Text,
    /// Transaction id; `None` when the message ends before it or it is not a number.
    pub transaction_id: Option<f64>,
    /// Command object; `None` when the message ends before it.
    pub object: Option<Value>,
    /// Everything after the command object.
    pub arguments: Vec<Value>,
}

impl Command {
    /// `_result` or `_error`.
    pub fn is_reply(&self) -> bool {
        self.name == "_result" || self.name == "_error"
    }

    /// A string member of the information object of a reply or an `onStatus`, such as `code`.
    pub fn info(&self, name: &str) -> Option<&Text> {
        self.arguments.iter().chain(&self.object).find_map(|v| v.get(name)?.as_text())
    }
}

/// A data message (types 18 and 15).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Data {
    /// All values; the first is usually the handler's name.
    pub values: Vec<Value>,
}

impl Data {
    /// The handler's name: the first string, `@setDataFrame` included.
    pub fn name(&self) -> Option<&Text> {
        self.values.first()?.as_text()
    }
}

/// A shared object message (types 19 and 16).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SharedObject {
    /// Name of the shared object.
    pub name: Text,
    /// Its version.
    pub version: u32,
    /// First word of the flags: 2 for persistent.
    pub persistence: u32,
    /// Second word of the flags.
    pub flags: u32,
    /// Events, in order.
    pub events: Vec<SharedObjectEvent>,
}

/// One event of a shared object message.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedObjectEvent {
    /// Event type, 1 Use to 11 Use Success.
    pub event: u8,
    /// Unmarked strings of the event: the member's name, or code and level of a status.
    pub names: Vec<Text>,
    /// AMF values of the event.
    pub values: Vec<Value>,
    /// Event data that is neither: of an unknown event, or what could not be decoded.
    pub data: Vec<u8>,
}

/// One message inside an aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregatePart {
    /// Type of the message.
    pub type_id: MessageType,
    /// Timestamp as written in the part, in milliseconds.
    pub timestamp: u32,
    /// Message stream id as written in the part; the aggregate's own counts.
    pub stream_id: u32,
    /// Where the part's payload lies in the aggregate's payload.
    pub range: std::ops::Range<usize>,
    /// Back pointer after the part; `None` when the last one is missing. Should be 11 + length.
    pub back_pointer: Option<u32>,
    /// The part decoded.
    pub body: Body,
}
