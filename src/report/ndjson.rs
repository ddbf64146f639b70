//! One JSON object per line.

use std::io::{self, Write};

use super::fields::FieldLines;
use super::line::Clock;
use crate::analysis::Record;

/// Writes records as newline-delimited JSON.
///
/// Give it records that went through [`super::Redactor`]: it writes what it is given. It does not
/// buffer; `out` should.
#[derive(Debug)]
pub struct NdjsonWriter<W> {
    out: W,
    clock: Clock,
}

impl<W: Write> NdjsonWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> NdjsonWriter<W> {
        NdjsonWriter { out, clock: Clock::default() }
    }

    /// Writes one line; `fields` of a message when they are wanted.
    pub fn write(&mut self, record: &Record, fields: Option<&FieldLines>) -> io::Result<()> {
        self.value(record, fields)?;
        self.out.write_all(b"\n")
    }

    /// The object without its line end.
    pub(super) fn value(&mut self, record: &Record, fields: Option<&FieldLines>) -> io::Result<()> {
        self.clock.see(record);
        serde_json::to_writer(&mut self.out, &self.clock.line(record, fields))
            .map_err(io::Error::from)
    }

    /// The output, to flush it or write between lines.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }
}
