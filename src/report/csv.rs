//! Messages as CSV (RFC 4180), for spreadsheets and data frames.

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::Record;
use crate::analysis::index::{Interner, row_of};
use crate::base::Timestamp;
use crate::wire::message::MessageType;

/// A line: its fields are the columns, in this order. `docs/output.md` says what they are; columns
/// are only ever added at the end.
#[derive(Serialize)]
struct Line<'a> {
    session: u32,
    time: String,
    epoch_ns: i64,
    first_frame: Option<u64>,
    last_frame: Option<u64>,
    direction: &'static str,
    type_id: u8,
    kind: &'static str,
    csid: u32,
    fmt: u8,
    stream_id: Option<u32>,
    timestamp: u32,
    timestamp_exact: bool,
    length: u32,
    received: u32,
    complete: bool,
    confidence: &'static str,
    chunks: u32,
    offset: u64,
    transfer_ms: String,
    name: &'a str,
    code: &'a str,
    value: Option<u32>,
    media: &'static str,
    codec: &'a str,
    enhanced: Option<bool>,
    track: Option<u8>,
    composition_time: Option<i32>,
    response_ms: Option<String>,
}

/// Writes messages, a line each, below a line of column names. Other records have no line.
///
/// Give it records that went through [`super::Redactor`]: it writes what it is given.
pub struct CsvWriter<W: Write> {
    out: ::csv::Writer<W>,
    strings: Interner,
    epoch: Option<Timestamp>,
    begun: bool,
}

impl<W: Write> std::fmt::Debug for CsvWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvWriter").finish_non_exhaustive()
    }
}

impl<W: Write> CsvWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> CsvWriter<W> {
        CsvWriter {
            out: ::csv::WriterBuilder::new().has_headers(true).from_writer(out),
            strings: Interner::default(),
            epoch: None,
            begun: false,
        }
    }

    /// Writes a message; learns second 0 from the beginning.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let record = match record {
            Record::Begin(begin) => {
                self.epoch = begin.epoch;
                return Ok(());
            }
            Record::End(_) if !self.begun => return self.header(),
            Record::Message(record) => record,
            _ => return Ok(()),
        };
        let message = &*record.message;
        let row = row_of(message, &mut self.strings);
        let is_media = message.type_id.is_media();
        let label = self.strings.get(row.label);
        let seconds = message.time.seconds_since(self.epoch.unwrap_or(message.time));
        let transfer = message.time.nanos_since(message.first_time).max(0);
        self.begun = true;
        self.out.serialize(Line {
            session: record.session,
            time: format!("{seconds:.6}"),
            epoch_ns: message.time.0,
            first_frame: record.frames.first().copied(),
            last_frame: record.frames.last().copied(),
            direction: message.direction.name(),
            type_id: message.type_id.0,
            kind: message.type_id.kind(),
            csid: message.csid,
            fmt: message.fmt,
            stream_id: message.stream_id,
            timestamp: message.timestamp,
            timestamp_exact: message.timestamp_exact,
            length: message.length,
            received: message.received,
            complete: message.complete,
            confidence: message.confidence.name(),
            chunks: message.chunks,
            offset: message.offset,
            transfer_ms: format!("{:.3}", transfer as f64 / 1e6),
            name: if is_media { "" } else { label },
            code: self.strings.get(row.code()),
            value: match message.type_id {
                // An event without a value has none.
                MessageType::USER_CONTROL => row.value().filter(|value| *value != 0),
                _ => row.value(),
            },
            media: row.media.name(),
            codec: if is_media { label } else { "" },
            enhanced: is_media.then(|| row.enhanced()),
            track: row.track(),
            composition_time: row.composition_time(),
            response_ms: message
                .reply
                .as_ref()
                .map(|reply| format!("{:.3}", reply.response_time * 1000.0)),
        })?;
        Ok(())
    }

    /// The column names alone, for a run without messages.
    fn header(&mut self) -> io::Result<()> {
        self.begun = true;
        self.out.write_record(COLUMNS)?;
        Ok(())
    }

    /// Hands on what is written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The names of the columns.
pub const COLUMNS: [&str; 29] = [
    "session",
    "time",
    "epoch_ns",
    "first_frame",
    "last_frame",
    "direction",
    "type_id",
    "kind",
    "csid",
    "fmt",
    "stream_id",
    "timestamp",
    "timestamp_exact",
    "length",
    "received",
    "complete",
    "confidence",
    "chunks",
    "offset",
    "transfer_ms",
    "name",
    "code",
    "value",
    "media",
    "codec",
    "enhanced",
    "track",
    "composition_time",
    "response_ms",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn written(records: &[Record]) -> String {
        let mut out = Vec::new();
        let mut writer = CsvWriter::new(&mut out);
        records.iter().for_each(|record| writer.write(record).unwrap());
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_for_each_message_and_the_documented_columns() {
        let records = super::super::samples::every_record();
        let messages = records.iter().filter(|r| matches!(r, Record::Message(_))).count();
        let text = written(&records);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), COLUMNS.as_slice());
        let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(lines.len(), messages);
        let column = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        let connect = lines.iter().find(|line| &line[column("name")] == "connect").unwrap();
        assert_eq!(&connect[column("kind")], "command_amf0");
        let documented =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/output.md"));
        let documented = documented.unwrap();
        for name in COLUMNS {
            assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/output.md");
        }
    }

    #[test]
    fn no_messages_leave_the_column_names() {
        let text = written(&[Record::End(crate::analysis::End::default())]);
        assert_eq!(text.trim_end(), COLUMNS.join(","));
    }
}
