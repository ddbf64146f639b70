//! A payload and its type to a body, and back.

use crate::base::{FieldTree, Reader, Stop};
use crate::wire::amf::State;

use super::types::MessageType;
use super::{Body, aggregate, command, control, flags, media, shared_object};

/// What the parts of an aggregate share.
#[derive(Default)]
pub(super) struct Context<'a> {
    pub state: State<'a>,
    pub parts: usize,
    pub nesting: u8,
}

/// Decodes a payload as far as it goes: what there is, and where and why it stopped.
///
/// Fields are recorded in `fields`, with ranges in the payload.
pub fn decode(
    type_id: MessageType,
    payload: &[u8],
    fields: Option<&mut FieldTree>,
) -> (Body, Option<Stop>) {
    decode_prefix(type_id, payload, payload.len(), fields)
}

/// As [`decode`], of a message of `total_len` bytes whose first bytes are `payload`: of coded media
/// the engine keeps only the beginning.
pub fn decode_prefix(
    type_id: MessageType,
    payload: &[u8],
    total_len: usize,
    fields: Option<&mut FieldTree>,
) -> (Body, Option<Stop>) {
    if payload.is_empty() && total_len > 0 {
        // All that was captured is the header: nothing says which codec or command it was.
        return (Body::Unknown, None);
    }
    decode_in(type_id, payload, total_len, fields, &mut Context::default())
}

pub(super) fn decode_in<'a>(
    type_id: MessageType,
    payload: &'a [u8],
    total_len: usize,
    mut fields: Option<&mut FieldTree>,
    context: &mut Context<'a>,
) -> (Body, Option<Stop>) {
    if type_id == MessageType::AGGREGATE {
        return aggregate::decode(payload, fields, context);
    }
    let before = fields.as_deref().map_or(0, |f| f.nodes().len());
    let mut r = match fields.as_deref_mut() {
        Some(fields) => Reader::with_fields(payload, fields),
        None => Reader::new(payload),
    };
    let r = &mut r;
    let state = &mut context.state;
    state.next_message();
    let result = match type_id {
        MessageType::SET_CHUNK_SIZE
        | MessageType::ABORT
        | MessageType::ACKNOWLEDGEMENT
        | MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE
        | MessageType::SET_PEER_BANDWIDTH => control::decode(type_id, r),
        MessageType::USER_CONTROL => control::decode_user(r),
        MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => command::decode(type_id, r, state),
        MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => command::decode_data(type_id, r, state),
        MessageType::SHARED_OBJECT_AMF0 | MessageType::SHARED_OBJECT_AMF3 => {
            shared_object::decode(type_id, r, state)
        }
        MessageType::AUDIO => media::audio(r, total_len),
        MessageType::VIDEO => media::video(r, total_len, state),
        _ => {
            r.rest("payload");
            (Body::Unknown, None)
        }
    };
    if let Some(fields) = fields {
        flags::explain(&mut fields.nodes_mut()[before..]);
    }
    result
}

/// Encodes a body for a message of that type (the type says whether a format byte leads).
///
/// `None` for audio, video and unknown types, whose payload is not in the body, and for aggregates
/// that hold such a part: see [`super::encode_aggregate`].
pub fn encode(type_id: MessageType, body: &Body) -> Option<Vec<u8>> {
    let word = |value: u32| value.to_be_bytes().to_vec();
    Some(match body {
        Body::SetChunkSize { size, reserved_bit } => {
            word(size & 0x7fff_ffff | u32::from(*reserved_bit) << 31)
        }
        Body::Abort { csid } => word(*csid),
        Body::Acknowledgement { sequence_number } => word(*sequence_number),
        Body::WindowAcknowledgementSize { size } => word(*size),
        Body::SetPeerBandwidth { size, limit } => control::encode_bandwidth(*size, *limit),
        Body::UserControl(message) => control::encode_user(message),
        Body::Command(message) => command::encode(type_id, message),
        Body::Data(message) => command::encode_data(type_id, message),
        Body::SharedObject(message) => shared_object::encode(type_id, message),
        Body::Aggregate(parts) => {
            let payloads: Option<Vec<_>> =
                parts.iter().map(|part| encode(part.type_id, &part.body)).collect();
            let payloads = payloads?;
            aggregate::encode_aggregate(parts.iter().zip(&payloads).map(|(part, payload)| {
                aggregate::EncodePart {
                    type_id: part.type_id,
                    timestamp: part.timestamp,
                    stream_id: part.stream_id,
                    payload,
                    back_pointer: part.back_pointer,
                }
            }))
        }
        Body::Audio(_) | Body::Video(_) | Body::Unknown => return None,
    })
}
