//! The message under the cursor, whole: fields, bytes, and the packets they came in.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::loader::Data;
use crate::analysis::Record;
use crate::analysis::detail::{MessageDetail, MessageRequest};
use crate::base::PacketSource;
use crate::report::{FieldLines, Redactor, describe};

/// A packet that holds bytes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameUse {
    /// Frame number.
    pub frame: u64,
    /// Whether it only repeats bytes that came before.
    pub repeated: bool,
}

/// Bytes of the chunk stream in order: headers of chunks and the payload between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkBytes {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Per stretch of `bytes`: its range, and the payload offset of its first byte; `None` for a
    /// chunk header.
    pub parts: Vec<(Range<usize>, Option<usize>)>,
}

impl ChunkBytes {
    fn push(&mut self, bytes: &[u8], payload: Option<usize>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.parts.push((start..self.bytes.len(), payload));
    }

    /// Payload offset of a byte; `None` in a chunk header.
    pub fn payload_offset(&self, at: usize) -> Option<usize> {
        let part = self.parts.partition_point(|(range, _)| range.end <= at);
        let (range, payload) = self.parts.get(part)?;
        range.contains(&at).then(|| payload.map(|offset| offset + (at - range.start)))?
    }

    /// Where a payload byte lies.
    pub fn position(&self, payload: usize) -> Option<usize> {
        let holds = |(range, offset): &(Range<usize>, Option<usize>)| {
            let offset = (*offset)?;
            let within = payload.checked_sub(offset)?;
            (within < range.len()).then(|| range.start + within)
        };
        self.parts.iter().find_map(holds)
    }
}

/// A message, whole.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Its session.
    pub session: u32,
    /// Its row.
    pub row: usize,
    /// What it says, in words.
    pub words: String,
    /// Decoded fields and the payload; bytes of secrets are masked.
    pub fields: FieldLines,
    /// The payload; bytes that are missing are zero.
    pub payload: bytes::Bytes,
    /// Missing payload bytes.
    pub holes: Vec<Range<usize>>,
    /// From this payload byte on nothing may be shown.
    hide_from: usize,
    /// The bytes as they were sent.
    pub chunks: ChunkBytes,
    /// The packets that hold it, ascending.
    pub frames: Vec<FrameUse>,
    /// Which packet holds which payload bytes: range and frame, ascending.
    pub spans: Vec<(Range<usize>, u64)>,
    /// What is wrong: bytes that cannot be read again.
    pub trouble: Option<String>,
}

impl Detail {
    /// Frames that hold these payload bytes.
    pub fn frames_of(&self, range: &Range<usize>) -> Vec<u64> {
        let mut frames: Vec<u64> = self
            .spans
            .iter()
            .filter(|(span, _)| span.start < range.end && range.start < span.end)
            .map(|(_, frame)| *frame)
            .collect();
        frames.dedup();
        frames
    }

    /// `118, 119(r), 121`; long lists are cut in the middle.
    pub fn frame_list(&self) -> String {
        let word = |frame: &FrameUse| match frame.repeated {
            true => format!("{}(r)", frame.frame),
            false => frame.frame.to_string(),
        };
        let words: Vec<String> = self.frames.iter().map(word).collect();
        match words.len() {
            0..=12 => words.join(", "),
            n => format!(
                "{}, … {} more …, {}",
                words[..6].join(", "),
                n - 9,
                words[n - 3..].join(", ")
            ),
        }
    }

    /// The innermost field that holds a payload byte.
    pub fn field_at(&self, byte: usize) -> Option<usize> {
        let lines = self.fields.lines().iter().enumerate();
        lines
            .filter(|(_, line)| line.range.contains(&byte))
            .max_by_key(|(at, line)| (line.depth, *at))
            .map(|(at, _)| at)
    }
}

/// Reads messages again.
pub trait Details {
    /// The message of a row; `Err` says why it cannot be read.
    fn detail(&mut self, data: &Data, session: u32, row: usize) -> Result<Detail, String>;
}

impl<P: PacketSource> Details for P {
    fn detail(&mut self, data: &Data, session: u32, row: usize) -> Result<Detail, String> {
        let request = MessageRequest::new(&data.index, session, row)?
            .ok_or_else(|| format!("session {session} has no row {}", row + 1))?;
        let read = request.read(self)?;
        Ok(Detail::of(session, row, read, &data.redactor))
    }
}

impl Detail {
    /// A message that could not be read again.
    pub fn failed(session: u32, row: usize, trouble: String) -> Detail {
        Detail { session, row, trouble: Some(trouble), ..Detail::default() }
    }

    /// Takes a message that was read again; hides its secrets.
    fn of(session: u32, row: usize, read: MessageDetail, redactor: &Mutex<Redactor>) -> Detail {
        let mut redactor = redactor.lock().unwrap_or_else(PoisonError::into_inner);
        let mut record = Record::Message(read.record);
        let redactions = redactor.redact(&mut record);
        let Record::Message(record) = record else { return Detail::default() };
        let fields = FieldLines::of(&record, &redactor, &redactions);
        let said = describe(&record.message);
        let mut chunks = ChunkBytes::default();
        for (i, header) in read.headers.iter().enumerate() {
            chunks.push(&header.bytes, None);
            let end = read.headers.get(i + 1).map_or(read.payload.len(), |next| next.at);
            if let Some(bytes) = read.payload.get(header.at..end) {
                chunks.push(bytes, Some(header.at));
            }
        }
        let mut frames: Vec<FrameUse> =
            record.frames.iter().map(|frame| FrameUse { frame: *frame, repeated: false }).collect();
        for repeat in &read.repeats {
            if !record.frames.contains(&repeat.frame) {
                frames.push(FrameUse { frame: repeat.frame, repeated: true });
            }
        }
        frames.sort_by_key(|frame| frame.frame);
        frames.dedup();
        let hole = |hole: &crate::rtmp::Hole| {
            hole.at as usize..(hole.at as usize).saturating_add(hole.len as usize)
        };
        let is_media = record.message.type_id.is_media() || record.message.type_id.is_control();
        Detail {
            session,
            row,
            words: format!("{} {}", said.head, said.detail),
            holes: record.message.holes.iter().map(hole).collect(),
            // What lies behind a hole was not decoded, so nobody knows what of it is secret.
            hide_from: match is_media || redactor.shows_secrets() {
                true => usize::MAX,
                false => fields.payload().len(),
            },
            spans: read.sources.into_iter().map(|source| (source.range, source.frame)).collect(),
            payload: read.payload,
            fields,
            chunks,
            frames,
            trouble: None,
        }
    }

    /// Whether a payload byte must not be shown.
    pub fn is_masked(&self, at: usize) -> bool {
        at >= self.hide_from || self.fields.is_masked(at)
    }

    /// Whether a payload byte was not captured.
    pub fn is_missing(&self, at: usize) -> bool {
        self.holes.iter().any(|hole| hole.contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_offsets_lead_through_chunk_headers() {
        let chunks = ChunkBytes {
            bytes: vec![0; 12 + 128 + 1 + 72],
            parts: vec![(0..12, None), (12..140, Some(0)), (140..141, None), (141..213, Some(128))],
        };
        assert_eq!(chunks.payload_offset(11), None);
        assert_eq!(chunks.payload_offset(12), Some(0));
        assert_eq!(chunks.payload_offset(140), None);
        assert_eq!(chunks.payload_offset(141), Some(128));
        assert_eq!(chunks.payload_offset(213), None);
        for payload in 0..200 {
            let at = chunks.position(payload).unwrap();
            assert_eq!(chunks.payload_offset(at), Some(payload));
        }
        assert_eq!(chunks.position(200), None);
    }
}
