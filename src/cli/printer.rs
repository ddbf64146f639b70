//! Records to the output: redacted, selected, written.

use std::io::{self, BufWriter, Write};

use super::args::Format;
use super::plan::Plan;
use super::select::Select;
use crate::analysis::Record;
use crate::report::{
    CsvWriter, Detail, FieldLines, JsonWriter, NdjsonWriter, Redactor, TextWriter,
};

type Out = BufWriter<Box<dyn Write>>;

enum Writer {
    Text(Box<TextWriter<Out>>),
    Ndjson(NdjsonWriter<Out>),
    Json(JsonWriter<Out>),
    Csv(Box<CsvWriter<Out>>),
}

/// Prints records; keeps the first failure, after which it does nothing.
pub(super) struct Printer {
    writer: Writer,
    redactor: Redactor,
    select: Select,
    detail: Detail,
    failure: Option<io::Error>,
}

impl Printer {
    pub(super) fn new(plan: &mut Plan) -> Printer {
        let output = std::mem::replace(&mut plan.output, Box::new(io::sink()));
        let out = BufWriter::with_capacity(1 << 16, output);
        let writer = match plan.format {
            Format::Text if plan.summary => {
                Writer::Text(Box::new(TextWriter::summary(out, plan.colour)))
            }
            Format::Text => Writer::Text(Box::new(TextWriter::new(out, plan.colour, plan.detail))),
            Format::Ndjson => Writer::Ndjson(NdjsonWriter::new(out)),
            Format::Json => Writer::Json(JsonWriter::new(out)),
            Format::Csv => Writer::Csv(Box::new(CsvWriter::new(out))),
        };
        Printer {
            writer,
            redactor: Redactor::new(plan.show_secrets),
            select: plan.select.clone(),
            detail: plan.detail,
            failure: None,
        }
    }

    /// Prints a record, if it is wanted.
    pub(super) fn record(&mut self, mut record: Record) {
        if self.failure.is_some() {
            return;
        }
        // Before selection: records that are not printed teach secrets too.
        let redactions = self.redactor.redact(&mut record);
        if !self.select.takes(&record) {
            return;
        }
        let fields = match &record {
            Record::Message(message) if self.detail.needs_payload() => {
                Some(FieldLines::of(message, &self.redactor, &redactions))
            }
            _ => None,
        };
        let fields = fields.as_ref();
        let result = match &mut self.writer {
            Writer::Text(writer) => writer.write(&record, fields),
            Writer::Ndjson(writer) => writer.write(&record, fields),
            Writer::Json(writer) => writer.write(&record, fields),
            Writer::Csv(writer) => writer.write(&record),
        };
        self.failure = result.err();
    }

    /// A line for standard error, without secrets.
    pub(super) fn clean(&self, line: &str) -> String {
        self.redactor.clean(line)
    }

    /// Whether printing more is of no use.
    pub(super) fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Lets a reader see what was printed so far.
    pub(super) fn flush(&mut self) {
        if self.failure.is_none() {
            let flushed = match &mut self.writer {
                Writer::Text(writer) => writer.out().flush(),
                Writer::Ndjson(writer) => writer.out().flush(),
                Writer::Json(writer) => writer.out().flush(),
                Writer::Csv(writer) => writer.flush(),
            };
            self.failure = flushed.err();
        }
    }

    /// Ends the document. `Ok(false)` when nobody reads it any more, which is no failure.
    pub(super) fn finish(mut self) -> io::Result<bool> {
        if let (Writer::Json(writer), None) = (&mut self.writer, &self.failure) {
            self.failure = writer.finish().err();
        }
        self.flush();
        match self.failure {
            None => Ok(true),
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Some(error) => Err(error),
        }
    }
}
