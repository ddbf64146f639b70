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
        match self.value(record, fields)? {
            true => self.out.write_all(b"\n"),
            false => Ok(()),
        }
    }

    /// The object without its line end; `false` when the record has none.
    pub(super) fn value(
        &mut self,
        record: &Record,
        fields: Option<&FieldLines>,
    ) -> io::Result<bool> {
        self.clock.see(record);
        let Some(line) = self.clock.line(record, fields) else { return Ok(false) };
        serde_json::to_writer(&mut self.out, &line)?;
        Ok(true)
    }

    /// The output, to flush it or write between lines.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }
}
