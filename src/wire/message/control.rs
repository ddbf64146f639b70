//! Protocol control messages (section 5.4) and user control messages (section 7.1.7).

use crate::base::{Reader, Stop, StopReason, Writer};

use super::types::{LimitType, MessageType, UserControlEvent};
use super::{Body, UserControl};

/// Decodes types 1, 2, 3, 5 and 6.
pub(super) fn decode(type_id: MessageType, r: &mut Reader<'_, '_>) -> (Body, Option<Stop>) {
    match read(type_id, r) {
        Err(stop) => (Body::Unknown, Some(stop)),
        Ok((body, Some(stop))) => (body, Some(stop)),
        Ok((body, None)) => (body, trailing(r)),
    }
}

fn read(type_id: MessageType, r: &mut Reader<'_, '_>) -> Result<(Body, Option<Stop>), Stop> {
    let body = match type_id {
        MessageType::SET_CHUNK_SIZE => {
            let raw = r.u32("chunk_size")?;
            let reserved_bit = raw >> 31 == 1;
            if reserved_bit {
                r.meaning(|| format!("{} with the top bit set", raw & 0x7fff_ffff));
            }
            Body::SetChunkSize { size: raw & 0x7fff_ffff, reserved_bit }
        }
        MessageType::ABORT => Body::Abort { csid: r.u32("chunk_stream_id")? },
        MessageType::ACKNOWLEDGEMENT => {
            Body::Acknowledgement { sequence_number: r.u32("sequence_number")? }
        }
        MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => {
            Body::WindowAcknowledgementSize { size: r.u32("acknowledgement_window_size")? }
        }
        _ => {
            let size = r.u32("acknowledgement_window_size")?;
            // Some senders leave the limit type out: 4 bytes in place of 5.
            return Ok(match r.u8("limit_type") {
                Ok(limit) => {
                    let limit = LimitType(limit);
                    r.meaning(|| limit.name().into());
                    (Body::SetPeerBandwidth { size, limit: Some(limit) }, None)
                }
                Err(stop) => (Body::SetPeerBandwidth { size, limit: None }, Some(stop)),
            });
        }
    };
    Ok((body, None))
}

/// A stop for bytes after the last field, which are recorded.
fn trailing(r: &mut Reader<'_, '_>) -> Option<Stop> {
    let left = r.left() as u64;
    let stop = (left > 0).then(|| r.stop("trailing", StopReason::Trailing(left)));
    r.rest("trailing");
    stop
}

/// Decodes type 4.
pub(super) fn decode_user(r: &mut Reader<'_, '_>) -> (Body, Option<Stop>) {
    let event = match r.u16("event_type") {
        Ok(event) => UserControlEvent(event),
        Err(stop) => return (Body::Unknown, Some(stop)),
    };
    r.meaning(|| event.name().into());
    let (stream_id, buffer_ms, timestamp) = (None, None, None);
    let mut message = UserControl { event, stream_id, buffer_ms, timestamp, data: Vec::new() };
    let result = read_event(&mut message, r);
    // Data of an unknown event is not in anybody's way; after a known one it is.
    let known_ends = result == Ok(true) && !r.is_empty();
    let late = known_ends.then(|| r.stop("event_data", StopReason::Trailing(r.left() as u64)));
    message.data.extend_from_slice(r.rest("event_data"));
    (Body::UserControl(message), result.err().or(late))
}

/// Reads the event's fields; whether these are all the event has.
fn read_event(message: &mut UserControl, r: &mut Reader<'_, '_>) -> Result<bool, Stop> {
    match message.event.0 {
        0 | 1 | 2 | 4 | 0x1f | 0x20 => message.stream_id = Some(r.u32("stream_id")?),
        3 => {
            message.stream_id = Some(r.u32("stream_id")?);
            message.buffer_ms = Some(r.u32("buffer_length")?);
        }
        6 | 7 => message.timestamp = Some(r.u32("timestamp")?),
        0x1a => message.data.push(r.u8("verification_type")?),
        0x1b => {
            // The fields are for the tree; the data stays whole.
            message.data.extend_from_slice(&r.remaining()[..r.left().min(42)]);
            let read = verification_response(r);
            if read.is_err() {
                r.rest("event_data");
            }
            read?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn verification_response(r: &mut Reader<'_, '_>) -> Result<(), Stop> {
    r.u8("verification_type")?;
    r.u8("verification_version")?;
    r.u32("swf_size")?;
    r.u32("swf_size")?;
    r.bytes("swf_digest", 32)?;
    Ok(())
}

/// Encodes a user control message.
pub(super) fn encode_user(message: &UserControl) -> Vec<u8> {
    let mut w = Writer::new();
    w.u16(message.event.0);
    for value in [message.stream_id, message.buffer_ms, message.timestamp].into_iter().flatten() {
        w.u32(value);
    }
    w.bytes(&message.data);
    w.into_bytes()
}

/// Encodes a Set Peer Bandwidth message.
pub(super) fn encode_bandwidth(size: u32, limit: Option<LimitType>) -> Vec<u8> {
    let mut w = Writer::new();
    w.u32(size);
    if let Some(limit) = limit {
        w.u8(limit.0);
    }
    w.into_bytes()
}
