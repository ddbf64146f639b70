//! Messages that came without a chunk stream: RTMFP carries each on its own.

use bytes::Bytes;

use super::event::{Confidence, Event, Message};
use super::in_progress::media_of;
use super::session::Session;
use crate::base::{Direction, Extents, Timestamp};
use crate::wire::flv;
use crate::wire::message::MessageType;

/// A message as a transport hands it on.
#[derive(Clone, Debug, PartialEq)]
pub struct Unchunked {
    /// Who sent it.
    pub direction: Direction,
    /// When its last byte was captured.
    pub time: Timestamp,
    /// When its first byte was captured.
    pub first_time: Timestamp,
    /// What stands for the chunk stream id: the transport's own number.
    pub csid: u32,
    /// In how many parts it came.
    pub parts: u32,
    /// Message type.
    pub type_id: u8,
    /// Timestamp in milliseconds.
    pub timestamp: u32,
    /// Message stream.
    pub stream_id: Option<u32>,
    /// All of its payload.
    pub payload: Bytes,
    /// Bytes of the direction before it.
    pub offset: u64,
    /// Bytes of its header.
    pub header_len: u32,
    /// How sure the transport is.
    pub confidence: Confidence,
}

impl Session {
    /// Takes a message that came without a chunk stream. Payload is kept as for any other message.
    pub fn unchunked(&mut self, from: Unchunked, sink: &mut impl FnMut(Event)) {
        let options = self.options();
        let limits = &options.limits;
        let type_id = MessageType(from.type_id);
        let first = &from.payload[..from.payload.len().min(16)];
        let coded = media_of(type_id).is_some_and(|media| !flv::needs_whole(media, first));
        let most = match coded && !options.keep_media {
            true => limits.media_prefix,
            false => limits.message_bytes,
        };
        // A copy, so that the prefix does not keep the whole message in memory.
        let payload = match from.payload.len() > most {
            true => Bytes::copy_from_slice(&from.payload[..most]),
            false => from.payload.clone(),
        };
        let length = u32::try_from(from.payload.len()).unwrap_or(u32::MAX);
        let (mut headers, mut pieces) = (Extents::new(), Extents::new());
        headers.push(from.offset, u64::from(from.header_len));
        if length > 0 {
            pieces.push(from.offset + u64::from(from.header_len), u64::from(length));
        }
        let mut message = Message {
            direction: from.direction,
            time: from.time,
            first_time: from.first_time,
            csid: from.csid,
            fmt: 0,
            chunks: from.parts,
            type_id,
            timestamp: from.timestamp,
            timestamp_exact: true,
            extended_timestamp: false,
            stream_id: from.stream_id,
            length,
            received: length,
            complete: true,
            holes: Vec::new(),
            confidence: from.confidence,
            payload,
            body: crate::wire::message::Body::Unknown,
            stop: None,
            reply: None,
            offset: from.offset,
            headers,
            pieces,
        };
        let odd = self.interpret(&mut message, false);
        sink(Event::Message(Box::new(message)));
        if let Some(anomaly) = odd {
            sink(Event::Anomaly(anomaly));
        }
    }
}
