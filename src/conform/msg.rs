//! Messages to be sent, written down in a line.

use bytes::Bytes;

use crate::rtmp::{CsidForm, Outgoing};
use crate::wire::amf::Value;
use crate::wire::amf::amf0::encode as encode_amf0;
use crate::wire::message::MessageType;

/// A message with every choice a sender has. Without a choice the encoder takes the usual one.
///
/// `Msg::command("createStream", 2.0, Value::Null, &[]).csid(8).fmt(0)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msg(pub Outgoing);

impl Msg {
    /// Any type, chunk stream 3, message stream 0.
    pub fn new(type_id: u8, payload: impl Into<Bytes>) -> Msg {
        Msg(Outgoing::new(3, MessageType(type_id), 0, 0, payload))
    }

    /// A control message: chunk stream 2, message stream 0, whole header.
    pub fn control(type_id: u8, payload: impl Into<Bytes>) -> Msg {
        Msg(Outgoing::new(2, MessageType(type_id), 0, 0, payload).with_fmt(0))
    }

    /// Set Chunk Size with any value; the encoder does not follow (see
    /// [`super::Conn::set_chunk_size`]).
    pub fn set_chunk_size(size: u32) -> Msg {
        Msg::control(1, size.to_be_bytes().to_vec())
    }

    /// Abort Message.
    pub fn abort(csid: u32) -> Msg {
        Msg::control(2, csid.to_be_bytes().to_vec())
    }

    /// Acknowledgement.
    pub fn acknowledgement(bytes: u32) -> Msg {
        Msg::control(3, bytes.to_be_bytes().to_vec())
    }

    /// Window Acknowledgement Size.
    pub fn window(size: u32) -> Msg {
        Msg::control(5, size.to_be_bytes().to_vec())
    }

    /// Set Peer Bandwidth.
    pub fn peer_bandwidth(size: u32, limit: u8) -> Msg {
        Msg::control(6, [&size.to_be_bytes()[..], &[limit]].concat())
    }

    /// A User Control Message.
    pub fn user_control(event: u16, data: &[u8]) -> Msg {
        Msg::control(4, [&event.to_be_bytes()[..], data].concat())
    }

    /// Ping Request.
    pub fn ping(timestamp: u32) -> Msg {
        Msg::user_control(6, &timestamp.to_be_bytes())
    }

    /// An AMF0 command: name, transaction id, command object, arguments.
    pub fn command(name: &str, transaction: f64, object: Value, arguments: &[Value]) -> Msg {
        let mut payload = encode_amf0(&Value::string(name));
        payload.extend(encode_amf0(&Value::Number(transaction)));
        payload.extend(encode_amf0(&object));
        arguments.iter().for_each(|value| payload.extend(encode_amf0(value)));
        Msg::new(20, payload)
    }

    /// An AMF0 data message.
    pub fn data(values: &[Value]) -> Msg {
        let payload: Vec<u8> = values.iter().flat_map(encode_amf0).collect();
        Msg::new(18, payload).csid(5)
    }

    /// Audio on chunk stream 4.
    pub fn audio(timestamp: u32, payload: impl Into<Bytes>) -> Msg {
        Msg::new(8, payload).csid(4).at(timestamp)
    }

    /// Video on chunk stream 6.
    pub fn video(timestamp: u32, payload: impl Into<Bytes>) -> Msg {
        Msg::new(9, payload).csid(6).at(timestamp)
    }

    /// The same as a type 17 or 15 message: a format byte 0, then AMF0.
    pub fn amf3(mut self) -> Msg {
        self.0.type_id = match self.0.type_id {
            MessageType::DATA_AMF0 => MessageType::DATA_AMF3,
            MessageType::COMMAND_AMF0 => MessageType::COMMAND_AMF3,
            other => other,
        };
        self.0.payload = [&[0], &self.0.payload[..]].concat().into();
        self
    }

    /// On another chunk stream.
    pub fn csid(mut self, csid: u32) -> Msg {
        self.0.csid = csid;
        self
    }

    /// With a timestamp, absolute.
    pub fn at(mut self, timestamp: u32) -> Msg {
        self.0.timestamp = timestamp;
        self
    }

    /// On a message stream.
    pub fn on(mut self, stream_id: u32) -> Msg {
        self.0.stream_id = stream_id;
        self
    }

    /// With a message header format. One that cannot say what the message is ends the case as our
    /// own fault: write such chunks with [`super::Conn::raw_chunk`].
    pub fn fmt(mut self, fmt: u8) -> Msg {
        self.0.fmt = Some(fmt);
        self
    }

    /// With a form of the chunk stream id.
    pub fn form(mut self, form: CsidForm) -> Msg {
        self.0.csid_form = form;
        self
    }
}
