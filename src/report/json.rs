//! One JSON document: an array of the objects that NDJSON writes as lines.

use std::io::{self, Write};

use super::fields::FieldLines;
use super::ndjson::NdjsonWriter;
use crate::analysis::Record;

/// Writes records as elements of one JSON array, one per line, as they come.
#[derive(Debug)]
pub struct JsonWriter<W> {
    inner: NdjsonWriter<W>,
    any: bool,
}

impl<W: Write> JsonWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> JsonWriter<W> {
        JsonWriter { inner: NdjsonWriter::new(out), any: false }
    }

    /// Writes one element.
    pub fn write(&mut self, record: &Record, fields: Option<&FieldLines>) -> io::Result<()> {
        if matches!(record, Record::Tcp(_)) {
            return Ok(());
        }
        self.inner.out().write_all(if self.any { b",\n" } else { b"[\n" })?;
        self.any = true;
        self.inner.value(record, fields).map(|_| ())
    }

    /// Ends the array.
    pub fn finish(&mut self) -> io::Result<()> {
        self.inner.out().write_all(if self.any { b"\n]\n" } else { b"[]\n" })
    }

    /// The output, to flush it.
    pub fn out(&mut self) -> &mut W {
        self.inner.out()
    }
}
