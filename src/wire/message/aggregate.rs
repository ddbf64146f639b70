//! Aggregate messages (section 7.1.6): messages in the order and layout of FLV tags.

use crate::base::{FieldTree, Reader, Stop, StopReason, Writer};

use super::decode::Context;
use super::types::MessageType;
use super::{AggregatePart, Body};

/// Bytes before a part's payload.
const HEADER: usize = 11;

/// Parts of one message, parts of parts included. An aggregate holds some seconds of media; the
/// parts of a 16 MiB message of empty ones would take hundreds of megabytes decoded.
const MAX_PARTS: usize = 1 << 14;

/// Aggregates inside aggregates; no sender nests them at all.
const MAX_NESTING: u8 = 4;

/// Decodes type 22. Ranges and byte positions inside a part's body count from the part's payload,
/// as they do for any message; those in the field tree and the stop, from the aggregate's.
pub(super) fn decode<'a>(
    payload: &'a [u8],
    mut fields: Option<&mut FieldTree>,
    context: &mut Context<'a>,
) -> (Body, Option<Stop>) {
    let mut parts = Vec::new();
    let mut stop = None;
    let mut at = 0;
    context.nesting += 1;
    while at < payload.len() {
        if context.nesting > MAX_NESTING || context.parts >= MAX_PARTS {
            let reason = match context.nesting > MAX_NESTING {
                true => StopReason::TooDeep,
                false => StopReason::TooMany,
            };
            stop.get_or_insert(Stop { field: "part", at, reason });
            break;
        }
        context.parts += 1;
        let mark = fields.as_deref_mut().map(|f| f.open("part".into(), at));
        let end = part(payload, at, fields.as_deref_mut(), context, &mut parts, &mut stop);
        if let (Some(fields), Some(mark)) = (fields.as_deref_mut(), mark) {
            fields.close(mark, end);
        }
        at = end;
    }
    context.nesting -= 1;
    (Body::Aggregate(parts), stop)
}

/// Decodes the part at byte `at`; where the next one begins.
fn part<'a>(
    payload: &'a [u8],
    at: usize,
    mut fields: Option<&mut FieldTree>,
    context: &mut Context<'a>,
    parts: &mut Vec<AggregatePart>,
    stop: &mut Option<Stop>,
) -> usize {
    let header = shifted(fields.as_deref_mut(), at, |fields| {
        let mut r = reader(&payload[at..payload.len().min(at + HEADER)], fields);
        header(&mut r)
    });
    let (type_id, size, timestamp, stream_id) = match header {
        Ok(header) => header,
        Err(reason) => {
            stop.get_or_insert(later(reason, at));
            return payload.len();
        }
    };
    let start = at + HEADER;
    let end = payload.len().min(start + size);
    if end - start < size {
        let reason = StopReason::Truncated { needed: size as u64, left: (end - start) as u64 };
        stop.get_or_insert(Stop { field: "data", at: start, reason });
    }
    let (body, inner) = shifted(fields.as_deref_mut(), start, |fields| {
        super::decode::decode_in(type_id, &payload[start..end], size, fields, context)
    });
    if let Some(inner) = inner {
        stop.get_or_insert(later(inner, start));
    }
    let mut part = AggregatePart {
        type_id,
        timestamp,
        stream_id,
        range: start..end,
        back_pointer: None,
        body,
    };
    let mut next = end;
    // Some senders end the message without the last back pointer.
    if end < payload.len() {
        let last = &payload[end..payload.len().min(end + 4)];
        next += last.len();
        let pointer = shifted(fields, end, |fields| reader(last, fields).u32("back_pointer"));
        match pointer {
            Ok(pointer) => part.back_pointer = Some(pointer),
            Err(inner) => {
                stop.get_or_insert(later(inner, end));
            }
        }
    }
    parts.push(part);
    next
}

fn header(r: &mut Reader<'_, '_>) -> Result<(MessageType, usize, u32, u32), Stop> {
    let type_id = MessageType(r.u8("type")?);
    r.meaning(|| type_id.kind().into());
    let size = r.u24("size")? as usize;
    // The order of FLV: the high byte comes last. The specification draws four bytes in a row.
    let low = r.u24("timestamp")?;
    let high = u32::from(r.u8("timestamp_extended")?);
    let timestamp = high << 24 | low;
    r.meaning(|| format!("{timestamp} ms"));
    Ok((type_id, size, timestamp, r.u24("stream_id")?))
}

fn reader<'a, 't>(data: &'a [u8], fields: Option<&'t mut FieldTree>) -> Reader<'a, 't> {
    match fields {
        Some(fields) => Reader::with_fields(data, fields),
        None => Reader::new(data),
    }
}

fn later(mut stop: Stop, by: usize) -> Stop {
    stop.at += by;
    stop
}

/// Runs `read`, then moves the ranges of the fields it recorded `by` bytes.
fn shifted<T>(
    mut fields: Option<&mut FieldTree>,
    by: usize,
    read: impl FnOnce(Option<&mut FieldTree>) -> T,
) -> T {
    let before = fields.as_deref().map_or(0, |f| f.nodes().len());
    let result = read(fields.as_deref_mut());
    if let Some(fields) = fields {
        for node in &mut fields.nodes_mut()[before..] {
            node.range = node.range.start + by..node.range.end + by;
        }
    }
    result
}

/// A message to be put into an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodePart<'a> {
    /// Type of the message.
    pub type_id: MessageType,
    /// Milliseconds.
    pub timestamp: u32,
    /// Message stream id; the aggregate's own counts.
    pub stream_id: u32,
    /// The message's payload.
    pub payload: &'a [u8],
    /// Back pointer after it; `None` leaves it out, 11 + length is right.
    pub back_pointer: Option<u32>,
}

/// Encodes an aggregate of ready payloads.
pub fn encode_aggregate<'a>(parts: impl IntoIterator<Item = EncodePart<'a>>) -> Vec<u8> {
    let mut w = Writer::new();
    for part in parts {
        w.u8(part.type_id.0).u24(part.payload.len() as u32);
        w.u24(part.timestamp).u8((part.timestamp >> 24) as u8).u24(part.stream_id);
        w.bytes(part.payload);
        if let Some(pointer) = part.back_pointer {
            w.u32(pointer);
        }
    }
    w.into_bytes()
}
