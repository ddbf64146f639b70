//! A message again.

use bytes::Bytes;

use super::gather::{Found, Repeat, Source, Wanted, gaps};
use super::payload::{Stretch, accounted, stretches};
use crate::analysis::MessageRecord;
use crate::analysis::index::{Index, Place, Row, SessionIndex};
use crate::base::{Extents, FieldTree, PacketSource};
use crate::flow::FrameSpan;
use crate::rtmp::{Hole, Message, Reply};
use crate::wire::message::{Body, decode_prefix};

/// What is needed of an index to read a message again.
#[derive(Clone, Debug)]
pub struct MessageRequest {
    session: u32,
    row: Row,
    place: Place,
    wanted: Wanted,
    stretches: Vec<Stretch>,
    /// The request that the message answers, and seconds since. It is read too: the index does not
    /// hold transaction ids.
    answers: Option<(Box<MessageRequest>, f64)>,
}

/// A message with all of its bytes.
#[derive(Clone, Debug)]
pub struct MessageDetail {
    /// The message as the pipeline tells it, but with the whole payload: up to its first hole, also
    /// of coded media. Not redacted.
    pub record: MessageRecord,
    /// The decoded fields, with ranges in the payload. Not redacted.
    pub fields: FieldTree,
    /// The payload; where bytes are missing (see [`Message::holes`]) it is zero.
    pub payload: Bytes,
    /// Which packet holds which bytes of the payload, in order.
    pub sources: Vec<Source>,
    /// Chunk headers, in order.
    pub headers: Vec<ChunkHeader>,
    /// Bytes of headers and payload that came again, in the order they came.
    pub repeats: Vec<Repeat>,
}

/// A chunk header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkHeader {
    /// Stream offset of its first byte.
    pub offset: u64,
    /// Payload offset of the chunk's first byte.
    pub at: usize,
    /// Its bytes; what is missing of them is zero.
    pub bytes: Bytes,
    /// Which packet holds which of them; ranges count from the header's first byte.
    pub sources: Vec<Source>,
}

impl MessageRequest {
    /// For the message of row number `row` of a session. `Ok(None)` when there is none.
    pub fn new(index: &Index, session: u32, row: usize) -> Result<Option<MessageRequest>, String> {
        let Some(session) = index.session(session) else { return Ok(None) };
        let Some(row) = session.rows.get(row) else { return Ok(None) };
        let mut request = MessageRequest::of(index, session, row)?;
        let answered = row.request().and_then(|row| session.rows.get(row));
        if let (Some(answered), Some(time)) = (answered, session.response_time(row)) {
            request.answers = Some((Box::new(MessageRequest::of(index, session, answered)?), time));
        }
        Ok(Some(request))
    }

    fn of(index: &Index, session: &SessionIndex, row: &Row) -> Result<MessageRequest, String> {
        let place = session.place(row);
        let direction = row.direction();
        let ranges = place.headers.pieces().chain(place.pieces.pieces());
        let frames = place.first_frame.max(1)..place.last_frame.saturating_add(1);
        let wanted = Wanted::new(index, session, direction, frames, ranges)?;
        Ok(MessageRequest {
            session: session.number(),
            row: *row,
            stretches: stretches(&place, &gaps(session, direction)),
            place,
            wanted,
            answers: None,
        })
    }

    /// Reads it.
    pub fn read(&self, packets: &mut dyn PacketSource) -> Result<MessageDetail, String> {
        let found = self.wanted.find(packets)?;
        let (row, place) = (&self.row, &self.place);
        let mut payload = vec![0; accounted(place) as usize];
        let mut sources = Vec::new();
        for Stretch { at, stream } in &self.stretches {
            found.copy(stream.clone(), *at as usize, &mut payload, &mut sources);
        }
        let payload = Bytes::from(payload);
        let seen = payload.slice(..first_missing(&sources));
        let mut fields = FieldTree::new();
        let (body, stop) =
            decode_prefix(row.type_id, &seen, row.length as usize, Some(&mut fields));
        let mut reply = None;
        if let Some((request, response_time)) = &self.answers
            && let Body::Command(command) = request.read(packets)?.record.message.body
        {
            reply = Some(Reply {
                transaction_id: command.transaction_id.unwrap_or(0.0),
                command: command.name,
                response_time: *response_time,
            });
        }
        let first_time = found.time_at(place.offset).unwrap_or(row.time);
        let message = Message {
            direction: row.direction(),
            time: row.time,
            first_time,
            csid: row.csid(),
            fmt: row.fmt(),
            chunks: place.chunks,
            type_id: row.type_id,
            timestamp: row.timestamp,
            timestamp_exact: row.timestamp_exact(),
            extended_timestamp: row.extended_timestamp(),
            stream_id: row.stream_id(),
            length: row.length,
            received: place.received,
            complete: row.complete(),
            holes: place.holes.clone(),
            confidence: row.confidence(),
            payload: seen,
            body,
            stop,
            reply,
            offset: place.offset,
            headers: place.headers.clone(),
            pieces: place.pieces.clone(),
        };
        let record = MessageRecord {
            session: self.session,
            frames: found.frames(),
            spans: spans(&found, &place.pieces),
            sequence: self.wanted.sequence(place.offset),
            message: Box::new(message),
        };
        Ok(MessageDetail {
            record,
            fields,
            payload,
            sources,
            headers: self.headers(&found),
            repeats: found.repeats,
        })
    }

    fn headers(&self, found: &Found) -> Vec<ChunkHeader> {
        let header = |range: std::ops::Range<u64>| {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            let mut sources = Vec::new();
            found.copy(range.clone(), 0, &mut bytes, &mut sources);
            let after = self.stretches.partition_point(|s| s.stream.end <= range.end);
            let at = self.stretches.get(after).map_or_else(
                || accounted(&self.place),
                |s| s.at + range.end.saturating_sub(s.stream.start),
            );
            ChunkHeader { offset: range.start, at: at as usize, bytes: bytes.into(), sources }
        };
        self.place.headers.pieces().map(header).collect()
    }
}

impl MessageDetail {
    /// Packets that hold bytes of the message, ascending, and whether all that a packet holds of it
    /// had come before: `118, 119 (again), 121`.
    pub fn packets(&self) -> Vec<(u64, bool)> {
        let first = self.record.frames.iter().map(|frame| (*frame, false));
        let again = self.repeats.iter().map(|repeat| (repeat.frame, true));
        let mut packets: Vec<(u64, bool)> = first.chain(again).collect();
        packets.sort_unstable();
        packets.dedup_by_key(|(frame, _)| *frame);
        packets
    }

    /// The sources of bytes `range` of the payload, cut to it.
    pub fn sources_of(&self, range: std::ops::Range<usize>) -> Vec<Source> {
        let index = self.sources.partition_point(|source| source.range.end <= range.start);
        let overlapping =
            self.sources.iter().skip(index).take_while(|source| source.range.start < range.end);
        let cut = |source: &Source| {
            let (from, to) = (source.range.start.max(range.start), source.range.end.min(range.end));
            let skip = from - source.range.start;
            Source {
                range: from..to,
                offset: source.offset + skip as u64,
                frame: source.frame,
                position: source.position.map(|position| position + skip),
            }
        };
        overlapping.map(cut).filter(|source| !source.range.is_empty()).collect()
    }

    /// Missing parts of the payload.
    pub fn holes(&self) -> &[Hole] {
        &self.record.message.holes
    }
}

/// How much of the payload is there without a break. The sources are in its order.
fn first_missing(sources: &[Source]) -> usize {
    let mut end = 0;
    for source in sources {
        if source.range.start != end {
            break;
        }
        end = source.range.end;
    }
    end
}

/// As [`crate::flow::FlowTable::spans`] tells it.
fn spans(found: &Found, pieces: &Extents) -> Vec<FrameSpan> {
    let mut spans: Vec<FrameSpan> = Vec::new();
    let mut at = 0;
    for range in pieces.pieces() {
        for (offset, bytes, piece) in found.parts(range.clone()) {
            let (start, len) = (at + (offset - range.start), bytes.len() as u64);
            match spans.last_mut() {
                Some(last) if last.frame == piece.frame && last.at + last.len == start => {
                    last.len += len;
                }
                _ => spans.push(FrameSpan { at: start, len, frame: piece.frame }),
            }
        }
        at += range.end - range.start;
    }
    spans
}
