//! Named reads.
//!
//! Every decoder reads through [`Reader`] and says the spec's name of each field. The name serves
//! the error ([`Stop::field`]) and, when a [`FieldTree`] listens, the detail view: the same code
//! decodes at full speed and explains byte by byte.

use std::fmt;

use super::field::{FieldTree, FieldValue};

/// Why and where decoding stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The spec's name of the field that could not be read.
    pub field: &'static str,
    /// Byte offset of that field from the start of the message.
    pub at: usize,
    /// What was wrong.
    pub reason: StopReason,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.field, self.at, self.reason)
    }
}

impl std::error::Error for Stop {}

/// What was wrong with a field: a variant per distinct fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The message ends before the field does.
    Truncated {
        /// Bytes the field needs.
        needed: u64,
        /// Bytes that were left.
        left: u64,
    },
    /// A type marker that no specification defines, or that has no body to decode.
    UnknownMarker(u8),
    /// A reference to something that was not seen before.
    BadReference(u32),
    /// Values nested deeper than the limit allows.
    TooDeep,
    /// More elements than the limit allows.
    TooMany,
    /// An externalizable class whose body has no self-describing length.
    UnknownExternalizable(String),
    /// A value that the specification does not allow here.
    Invalid(u64),
    /// The message goes on for this many bytes after its last field.
    Trailing(u64),
}

impl StopReason {
    /// Stable kebab-case name.
    pub fn kind(&self) -> &'static str {
        match self {
            StopReason::Truncated { .. } => "truncated",
            StopReason::UnknownMarker(_) => "unknown-marker",
            StopReason::BadReference(_) => "bad-reference",
            StopReason::TooDeep => "too-deep",
            StopReason::TooMany => "too-many",
            StopReason::UnknownExternalizable(_) => "unknown-externalizable",
            StopReason::Invalid(_) => "invalid-value",
            StopReason::Trailing(_) => "trailing-bytes",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Truncated { needed, left } => {
                write!(f, "needs {needed} bytes, {left} left")
            }
            StopReason::UnknownMarker(marker) => write!(f, "unknown marker 0x{marker:02x}"),
            StopReason::BadReference(index) => {
                write!(f, "reference {index} to nothing seen before")
            }
            StopReason::TooDeep => f.write_str("nested too deep"),
            StopReason::TooMany => f.write_str("too many values"),
            StopReason::UnknownExternalizable(class) => {
                write!(f, "externalizable class {class:?} has no known layout")
            }
            StopReason::Invalid(value) => write!(f, "value 0x{value:x} is not allowed"),
            StopReason::Trailing(left) => write!(f, "{left} bytes too many"),
        }
    }
}

/// A cursor over the bytes of one message. Integers are big-endian unless the name says `le`.
#[derive(Debug)]
pub struct Reader<'a, 't> {
    data: &'a [u8],
    pos: usize,
    end: usize,
    fields: Option<&'t mut FieldTree>,
}

impl<'a, 't> Reader<'a, 't> {
    /// Reads `data` without recording fields.
    pub fn new(data: &'a [u8]) -> Reader<'a, 't> {
        Reader { data, pos: 0, end: data.len(), fields: None }
    }

    /// Reads `data` and records every field in `fields`.
    pub fn with_fields(data: &'a [u8], fields: &'t mut FieldTree) -> Reader<'a, 't> {
        Reader { data, pos: 0, end: data.len(), fields: Some(fields) }
    }

    /// Byte offset from the start of the message.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Bytes left.
    pub fn left(&self) -> usize {
        self.end - self.pos
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// Whether a field tree listens.
    pub fn records_fields(&self) -> bool {
        self.fields.is_some()
    }

    /// The next byte, not consumed.
    pub fn peek(&self) -> Option<u8> {
        self.remaining().first().copied()
    }

    /// What is left, not consumed.
    pub fn remaining(&self) -> &'a [u8] {
        &self.data[self.pos..self.end]
    }

    /// A [`Stop`] at the current position.
    pub fn stop(&self, field: &'static str, reason: StopReason) -> Stop {
        Stop { field, at: self.pos, reason }
    }

    fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], Stop> {
        if self.left() < len {
            let reason = StopReason::Truncated { needed: len as u64, left: self.left() as u64 };
            return Err(self.stop(field, reason));
        }
        let bytes = &self.data[self.pos..self.pos + len];
        self.pos += len;
        Ok(bytes)
    }

    fn record(&mut self, name: &'static str, start: usize, value: FieldValue) {
        if let Some(fields) = self.fields.as_deref_mut() {
            fields.leaf(name, start..self.pos, value);
        }
    }

    fn uint(&mut self, field: &'static str, len: usize) -> Result<u64, Stop> {
        let start = self.pos;
        let value = self.take(field, len)?.iter().fold(0, |acc, b| acc << 8 | u64::from(*b));
        self.record(field, start, FieldValue::Uint(value));
        Ok(value)
    }

    /// An 8-bit unsigned integer.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, Stop> {
        self.uint(field, 1).map(|v| v as u8)
    }

    /// A 16-bit unsigned integer.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, Stop> {
        self.uint(field, 2).map(|v| v as u16)
    }

    /// A 24-bit unsigned integer.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, Stop> {
        self.uint(field, 3).map(|v| v as u32)
    }

    /// A 32-bit unsigned integer.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, Stop> {
        self.uint(field, 4).map(|v| v as u32)
    }

    /// A 32-bit unsigned integer, little-endian.
    pub fn u32_le(&mut self, field: &'static str) -> Result<u32, Stop> {
        let start = self.pos;
        let bytes = self.take(field, 4)?;
        let value = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.record(field, start, FieldValue::Uint(u64::from(value)));
        Ok(value)
    }

    /// A 16-bit signed integer.
    pub fn i16(&mut self, field: &'static str) -> Result<i16, Stop> {
        let start = self.pos;
        let bytes = self.take(field, 2)?;
        let value = i16::from_be_bytes([bytes[0], bytes[1]]);
        self.record(field, start, FieldValue::Int(i64::from(value)));
        Ok(value)
    }

    /// A 24-bit signed integer (FLV's SI24).
    pub fn i24(&mut self, field: &'static str) -> Result<i32, Stop> {
        let start = self.pos;
        let b = self.take(field, 3)?;
        let value = i32::from_be_bytes([b[0], b[1], b[2], 0]) >> 8;
        self.record(field, start, FieldValue::Int(i64::from(value)));
        Ok(value)
    }

    /// An IEEE 754 double.
    pub fn f64(&mut self, field: &'static str) -> Result<f64, Stop> {
        let start = self.pos;
        let bytes = self.take(field, 8)?;
        let mut raw = [0; 8];
        raw.copy_from_slice(bytes);
        let value = f64::from_be_bytes(raw);
        self.record(field, start, FieldValue::Number(value));
        Ok(value)
    }

    /// `len` raw bytes. Nothing is allocated.
    pub fn bytes(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], Stop> {
        let start = self.pos;
        let bytes = self.take(field, len)?;
        self.record(field, start, FieldValue::Bytes);
        Ok(bytes)
    }

    /// `len` bytes of text, recorded as text (lossy UTF-8).
    pub fn text(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], Stop> {
        let start = self.pos;
        let bytes = self.take(field, len)?;
        if self.fields.is_some() {
            let text = String::from_utf8_lossy(bytes).into_owned();
            self.record(field, start, FieldValue::Text(text));
        }
        Ok(bytes)
    }

    /// Everything that is left.
    pub fn rest(&mut self, field: &'static str) -> &'a [u8] {
        let start = self.pos;
        let bytes = &self.data[self.pos..self.end];
        self.pos = self.end;
        if !bytes.is_empty() {
            self.record(field, start, FieldValue::Bytes);
        }
        bytes
    }

    /// Records a part of the byte (or bytes) read last, such as four bits of a flag byte.
    ///
    /// `len` is how many bytes back the part lies.
    pub fn part(&mut self, field: &'static str, len: usize, value: u64) {
        let start = self.pos.saturating_sub(len);
        self.record(field, start, FieldValue::Uint(value));
    }

    /// Reads without recording fields, for pieces that [`Reader::leaf`] then tells as one.
    pub fn quiet<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let fields = self.fields.take();
        let result = read(self);
        self.fields = fields;
        result
    }

    /// Records what was read since byte `start` as one field, whose name need not be the spec's
    /// (the key of an AMF property).
    pub fn leaf(
        &mut self,
        start: usize,
        field: impl FnOnce() -> (std::borrow::Cow<'static, str>, FieldValue),
    ) {
        if let Some(fields) = self.fields.as_deref_mut() {
            let (name, value) = field();
            fields.leaf(name, start..self.pos, value);
        }
    }

    /// Says in words what the field recorded last means ("AVC", "key frame").
    pub fn meaning(&mut self, meaning: impl FnOnce() -> String) {
        if let Some(fields) = self.fields.as_deref_mut() {
            fields.meaning(meaning());
        }
    }

    /// Reads a group of fields under one parent node, which stays in the tree when `read` stops.
    pub fn group<T>(
        &mut self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let Some(fields) = self.fields.as_deref_mut() else { return read(self) };
        let mark = fields.open(name.into(), self.pos);
        let result = read(self);
        let pos = self.pos;
        if let Some(fields) = self.fields.as_deref_mut() {
            fields.close(mark, pos);
        }
        result
    }

    /// Limits reading to the next `len` bytes while `read` runs, then goes on right after them.
    ///
    /// Fails with [`StopReason::Truncated`] when fewer are left; `read` need not consume all.
    pub fn within<T>(
        &mut self,
        field: &'static str,
        len: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if self.left() < len {
            let reason = StopReason::Truncated { needed: len as u64, left: self.left() as u64 };
            return Err(self.stop(field, reason));
        }
        let outer = self.end;
        let inner = self.pos + len;
        self.end = inner;
        let result = read(self);
        self.end = outer;
        if result.is_ok() {
            self.pos = inner;
        }
        result
    }
}
