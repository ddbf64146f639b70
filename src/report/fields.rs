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
use crate::wire::message::{Body, MessageType, decode_prefix};

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
    let message = &*record.message;
    let mut tree = FieldTree::new();
    decode_prefix(message.type_id, &message.payload, message.length as usize, Some(&mut tree));
    tree
}

impl FieldLines {
    /// Decodes the payload of a message that [`Redactor::redact`] has been through; `redactions` is
    /// what it said of this record.
    pub fn of(record: &MessageRecord, redactor: &Redactor, redactions: &Redactions) -> FieldLines {
        let mut lines = FieldLines::new(tree(record), record, redactor, redactions);
        for line in &mut lines.lines {
            line.frames = frames_of(record, &line.range);
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
                shown.extend(structure(&line, &out.payload));
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

/// Bytes around a field that no leaf of its own stands for and that hold no value: the marker an
/// object begins with, AMF0's end marker, and the field's name as an object's key.
fn structure(line: &FieldLine, payload: &[u8]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let Range { start, end } = line.range;
    if line.value == FieldValue::Group && start < end {
        out.push(start..start + 1);
        if end >= 3 && end - 3 > start && payload.get(end - 3..end) == Some(&[0, 0, 9]) {
            out.push(end - 3..end);
        }
    }
    let name = line.name.as_bytes();
    if let Some(key) = start.checked_sub(name.len())
        && !name.is_empty()
        && payload.get(key..start) == Some(name)
    {
        // The length before it: 16 bits in AMF0, one byte (or two) in AMF3.
        let before = payload[..key].len().min(2);
        let is_amf0 = before == 2 && payload[key - 2..key] == (name.len() as u16).to_be_bytes();
        let lead = if is_amf0 { 2 } else { before.min(1) };
        out.push(key - lead..start);
    }
    out
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
        // Byte arrays, and what could not be decoded; but a null or undefined is a marker only.
        FieldValue::Bytes => {
            let is_marker = line.range.len() == 1 && line.meaning.is_some();
            line.redacted |= text_matters && !is_marker;
        }
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

/// The packets that hold bytes `range` of the payload, ascending, each once.
fn frames_of(record: &MessageRecord, range: &Range<usize>) -> Vec<u64> {
    let (start, end) = (range.start as u64, range.end as u64);
    let first = record.spans.partition_point(|span| span.at + span.len <= start);
    let touching = record.spans[first..].iter().take_while(|span| span.at < end);
    let mut frames: Vec<u64> = touching.map(|span| span.frame).collect();
    frames.sort_unstable();
    frames.dedup();
    frames
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

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::super::{NdjsonWriter, Redactor};
    use super::*;
    use crate::analysis::Record;
    use crate::wire::amf::Value;
    use crate::wire::message::{Command, Data, encode};

    const KEY: &str = "pl4nt3dkey";
    const TOKEN: &str = "t0k3nvalue";

    /// A record whose payload is its body's encoding.
    fn encoded(type_id: MessageType, body: Body) -> Record {
        let payload = encode(type_id, &body).unwrap();
        let mut message = message(type_id, body);
        message.length = payload.len() as u32;
        message.received = message.length;
        message.payload = payload.into();
        record(message)
    }

    fn encoded_command(type_id: MessageType, name: &str, values: Vec<Value>) -> Record {
        encoded(
            type_id,
            Body::Command(Command {
                name: name.into(),
                transaction_id: Some(2.0),
                object: Some(values.first().cloned().unwrap_or(Value::Null)),
                arguments: values.get(1..).unwrap_or_default().to_vec(),
            }),
        )
    }

    fn fields(redactor: &mut Redactor, mut record: Record) -> (Record, FieldLines) {
        let redactions = redactor.redact(&mut record);
        let Record::Message(message) = &record else { panic!() };
        let lines = FieldLines::of(message, redactor, &redactions);
        (record, lines)
    }

    /// Prints with fields, in all formats.
    fn print(record: &Record, lines: &FieldLines) -> String {
        let mut writer = NdjsonWriter::new(Vec::new());
        writer.write(record, Some(lines)).unwrap();
        let out = String::from_utf8(std::mem::take(writer.out())).unwrap();
        #[cfg(feature = "cli")]
        {
            let mut out = out;
            for (hex, ranges) in [(false, true), (true, false)] {
                let detail = super::super::Detail { fields: true, hex, all_bytes: true, ranges };
                let mut writer = super::super::TextWriter::new(Vec::new(), false, detail);
                writer.write(record, Some(lines)).unwrap();
                out.push_str(std::str::from_utf8(writer.out()).unwrap());
            }
            out
        }
        #[cfg(not(feature = "cli"))]
        out
    }

    #[track_caller]
    fn hides(redactor: &mut Redactor, record: Record) -> String {
        let (record, lines) = fields(redactor, record);
        let out = print(&record, &lines);
        let payload = lines.payload();
        for secret in [KEY, TOKEN] {
            assert!(!out.contains(secret), "{secret} shows in\n{out}");
            let at = payload.windows(secret.len()).position(|w| w == secret.as_bytes());
            if let Some(at) = at {
                assert!(
                    (at..at + secret.len()).all(|i| lines.is_masked(i)),
                    "bytes of {secret}\n{out}"
                );
            }
        }
        out
    }

    fn connect_object() -> Value {
        Value::object([
            ("app", Value::string("live")),
            ("tcUrl", Value::string(&format!("rtmp://h/live?token={TOKEN}"))),
            ("capsEx", Value::Number(3.0)),
        ])
    }

    #[test]
    fn secrets_are_masked_in_tree_and_bytes() {
        for type_id in [MessageType::COMMAND_AMF0, MessageType::COMMAND_AMF3] {
            let mut redactor = Redactor::new(false);
            let out = hides(
                &mut redactor,
                encoded_command(type_id, "connect", vec![connect_object(), Value::string(KEY)]),
            );
            assert!(out.contains("connect") && out.contains("capsEx"), "{out}");
            assert!(out.contains("rtmp://h/live?token=<token-"), "{out}");
            assert!(out.contains(r#""redacted":true"#), "{out}");
            hides(
                &mut redactor,
                encoded_command(type_id, "publish", vec![Value::Null, Value::string(KEY)]),
            );
            // Learned before, in an unknown call, a byte array, a key, a message of unknown type.
            let bytes = Value::ByteArray(KEY.as_bytes().to_vec());
            let bytes =
                if type_id == MessageType::COMMAND_AMF3 { bytes } else { Value::string(KEY) };
            hides(&mut redactor, encoded_command(type_id, "call", vec![Value::Null, bytes]));
            let metadata = Value::object([(KEY, Value::string(&format!("a {TOKEN} b")))]);
            let data = Data { values: vec![Value::string("onMetaData"), metadata] };
            hides(&mut redactor, encoded(MessageType::DATA_AMF0, Body::Data(data)));
            let mut unknown = message(MessageType(99), Body::Unknown);
            unknown.payload = format!("xx{KEY}xx").into_bytes().into();
            hides(&mut redactor, record(unknown));
        }
    }

    #[test]
    fn a_command_cut_anywhere_hides_what_is_left_of_it() {
        let whole = encoded_command(
            MessageType::COMMAND_AMF0,
            "connect",
            vec![connect_object(), Value::string(KEY)],
        );
        let Record::Message(whole) = whole else { panic!() };
        for cut in 0..whole.message.payload.len() {
            let mut message = (*whole.message).clone();
            message.payload = message.payload.slice(..cut);
            let (body, stop) =
                crate::wire::message::decode(message.type_id, &message.payload, None);
            message.body = body;
            message.stop = stop;
            message.complete = false;
            // No prefix of a secret of more than two bytes either.
            let (record, lines) = fields(&mut Redactor::new(false), record(message));
            let out = print(&record, &lines);
            for secret in [KEY, TOKEN] {
                assert!(!out.contains(&secret[..3]), "cut at {cut}:\n{out}");
            }
        }
    }

    #[test]
    fn shown_secrets_are_shown() {
        let record = encoded_command(
            MessageType::COMMAND_AMF0,
            "publish",
            vec![Value::Null, Value::string(KEY)],
        );
        let (record, lines) = fields(&mut Redactor::new(true), record);
        let out = print(&record, &lines);
        assert!(out.contains(KEY) && !out.contains("**"), "{out}");
    }

    #[test]
    fn fields_know_their_packets() {
        let (_, lines) = fields(
            &mut Redactor::new(false),
            encoded_command(MessageType::COMMAND_AMF0, "createStream", vec![Value::Null]),
        );
        // The name takes bytes 0 to 15, the number's 8 bytes cross byte 20.
        assert_eq!(lines.lines().iter().map(|l| l.range.end).max(), Some(25));
        let first = lines.lines().first().unwrap();
        assert!(first.range.start == 0 && first.frames[0] == 7);
        let crossing =
            lines.lines().iter().find(|l| l.range.start < 20 && l.range.end > 20).unwrap();
        assert_eq!(crossing.frames, [7, 8]);
    }

    #[test]
    fn what_was_not_decoded_is_said_and_masked() {
        let mut message = message(MessageType::COMMAND_AMF0, Body::Command(Command::default()));
        message.payload = bytes::Bytes::from_static(b"\x02\x00\x04play\x02\x00\x20pl4nt3dkey");
        let (_, lines) = fields(&mut Redactor::new(false), record(message));
        assert!((10..20).all(|at| lines.is_masked(at)));
    }

    #[test]
    fn ranges_join_and_invert() {
        assert_eq!(union(vec![5..7, 1..2, 2..3, 6..9, 4..4]), [1..3, 5..9]);
        assert_eq!(complement(vec![1..3, 5..9], 12), [0..1, 3..5, 9..12]);
        assert_eq!(complement(vec![], 2), [0..2]);
        assert!(complement(vec![0..5], 3).is_empty());
    }
}
