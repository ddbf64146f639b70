//! The decoded tree of a message, made on demand: names, values, byte ranges, packets.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Serialize, Serializer};

use super::amf::Num;
use super::hex;
use super::model::{BytesValue, FieldJson, FieldJsonValue};
use super::redact::{Redactions, Redactor};
use crate::analysis::MessageRecord;
use crate::base::{FieldTree, FieldValue};
use crate::wire::message::{Body, MessageType};

/// Raw bytes of a field up to this many are its value; of longer ones the range says where.
const MAX_VALUE_BYTES: usize = 64;

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldLine {
    /// The spec's name, or the key of an AMF property.
    pub name: Cow<'static, str>,
    /// Depth in the tree, 0 for the top.
    pub depth: u16,
    /// Byte range in the message payload.
    pub range: Range<usize>,
    /// The value; text is redacted.
    pub value: FieldValue,
    /// What the value means, in words.
    pub meaning: Option<String>,
    /// Whether value and bytes are hidden.
    pub redacted: bool,
    /// Packets that its bytes came in.
    pub frames: Vec<u64>,
}

/// All fields of a message and the bytes that may be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldLines {
    lines: Vec<FieldLine>,
    payload: bytes::Bytes,
    /// Byte ranges of the payload that are hidden, ascending and apart.
    masked: Vec<Range<usize>>,
}

/// The one place that decodes with a listening tree.
fn tree(record: &MessageRecord) -> FieldTree {
    let _ = record;
    FieldTree::new()
}

impl FieldLines {
    /// Decodes the payload of a message that [`Redactor::redact`] has been through; `redactions` is
    /// what it said of this record.
    pub fn of(record: &MessageRecord, redactor: &Redactor, redactions: &Redactions) -> FieldLines {
        let mut lines = FieldLines::new(tree(record), record, redactor, redactions);
        let frames = |range: &Range<usize>| frames_of(record, range);
        for line in &mut lines.lines {
            line.frames = frames(&line.range);
        }
        lines
    }

    fn new(
        mut tree: FieldTree,
        record: &MessageRecord,
        redactor: &Redactor,
        redactions: &Redactions,
    ) -> FieldLines {
        let payload = record.message.payload.clone();
        let mut out = FieldLines {
            lines: Vec::with_capacity(tree.nodes().len()),
            payload,
            masked: Vec::new(),
        };
        let text_matters = carries_text(record.message.type_id, &record.message.body);
        let hides = !redactor.shows_secrets();
        // Where values can be secret, only bytes that a shown field accounts for are shown.
        let mut shown = Vec::new();
        for node in tree.nodes_mut() {
            let mut line = FieldLine {
                name: std::mem::take(&mut node.name),
                depth: node.depth,
                range: node.range.clone(),
                value: std::mem::replace(&mut node.value, FieldValue::Group),
                meaning: node.meaning.take(),
                redacted: false,
                frames: Vec::new(),
            };
            if hides {
                redact_line(&mut line, text_matters, redactor, redactions);
                if line.value != FieldValue::Group {
                    if line.redacted {
                        out.masked.push(line.range.clone());
                    } else {
                        shown.push(line.range.clone());
                    }
                }
            }
            out.lines.push(line);
        }
        if hides {
            if text_matters {
                out.masked.extend(complement(shown, out.payload.len()));
            }
            out.masked.extend(redactor.find(&out.payload));
            out.masked = union(std::mem::take(&mut out.masked));
        }
        out
    }

    /// The fields, parents before children.
    pub fn lines(&self) -> &[FieldLine] {
        &self.lines
    }

    /// The payload that the ranges are about. Bytes of hidden fields are in it: ask
    /// [`FieldLines::is_masked`] before showing them.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether the byte at this payload offset must not be shown.
    pub fn is_masked(&self, at: usize) -> bool {
        let i = self.masked.partition_point(|range| range.end <= at);
        self.masked.get(i).is_some_and(|range| range.contains(&at))
    }

    /// Payload bytes past the last field: what could not be decoded.
    pub fn undecoded(&self) -> Range<usize> {
        let end = self.lines.iter().map(|l| l.range.end).max().unwrap_or(0);
        end.min(self.payload.len())..self.payload.len()
    }

    fn json_value(&self, line: &FieldLine) -> Option<FieldJsonValue<'static>> {
        let FieldValue::Bytes = line.value else { return None };
        let bytes = self.payload.get(line.range.clone())?;
        if line.redacted
            || bytes.len() > MAX_VALUE_BYTES
            || line.range.clone().any(|at| self.is_masked(at))
        {
            return None;
        }
        Some(FieldJsonValue::Bytes(BytesValue { hex: hex::digits(bytes) }))
    }
}

/// Whether the message is one whose values can be secret: commands, data, shared objects, and
/// anything that could not be made out.
fn carries_text(type_id: MessageType, body: &Body) -> bool {
    match body {
        Body::Aggregate(parts) => parts.iter().any(|p| carries_text(p.type_id, &p.body)),
        Body::Unknown => true,
        _ => !type_id.is_media() && !type_id.is_control(),
    }
}

fn redact_line(
    line: &mut FieldLine,
    text_matters: bool,
    redactor: &Redactor,
    redactions: &Redactions,
) {
    if let Cow::Owned(name) = &line.name
        && let Some(clean) =
            redactions.string(name).map(str::to_owned).or_else(|| redactor.scrubbed(name))
    {
        line.name = clean.into();
        line.redacted = line.value != FieldValue::Group;
    }
    let hidden = |number: f64| redactions.hides_number(number);
    match &mut line.value {
        FieldValue::Text(text) => {
            let clean =
                redactions.string(text).map(str::to_owned).or_else(|| redactor.scrubbed(text));
            if let Some(clean) = clean {
                *text = clean;
                line.redacted = true;
            }
        }
        FieldValue::Number(number) => line.redacted |= hidden(*number),
        FieldValue::Uint(number) => line.redacted |= hidden(*number as f64),
        FieldValue::Int(number) => line.redacted |= hidden(*number as f64),
        // Byte arrays, and what could not be decoded.
        FieldValue::Bytes => line.redacted |= text_matters,
        FieldValue::Group => {}
    }
    if line.redacted && !matches!(line.value, FieldValue::Text(_) | FieldValue::Bytes) {
        line.value = FieldValue::Text("<redacted>".into());
    }
    let meaning = line.meaning.as_deref().and_then(|meaning| {
        redactions.string(meaning).map(str::to_owned).or_else(|| redactor.scrubbed(meaning))
    });
    if let Some(meaning) = meaning {
        line.meaning = Some(meaning);
    }
}

/// What `ranges` leave of `0..len`.
fn complement(ranges: Vec<Range<usize>>, len: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    for range in union(ranges) {
        if at < range.start {
            out.push(at..range.start.min(len));
        }
        at = at.max(range.end);
    }
    if at < len {
        out.push(at..len);
    }
    out
}

/// The same bytes in ranges that are ascending and apart.
fn union(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// The packets that hold bytes `range` of the payload.
fn frames_of(record: &MessageRecord, _range: &Range<usize>) -> Vec<u64> {
    record.frames.clone()
}

impl Serialize for FieldLines {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.lines.iter().map(|line| FieldJson {
            name: &line.name,
            depth: line.depth,
            range: [line.range.start, line.range.end],
            value: match &line.value {
                FieldValue::Uint(value) => Some(FieldJsonValue::Uint(*value)),
                FieldValue::Int(value) => Some(FieldJsonValue::Int(*value)),
                FieldValue::Number(value) => Some(FieldJsonValue::Number(Num(*value))),
                FieldValue::Text(text) => Some(FieldJsonValue::Text(text)),
                FieldValue::Bytes => self.json_value(line),
                FieldValue::Group => None,
            },
            meaning: line.meaning.as_deref(),
            redacted: line.redacted,
            frames: Cow::Borrowed(&line.frames),
        }))
    }
}
