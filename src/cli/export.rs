//! Files that the screens write: what the filter takes in a session.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::sync::PoisonError;

use crate::analysis::Record;
use crate::analysis::detail::MessageRequest;
use crate::analysis::ladder::Ladder;
use crate::base::PacketSource;
use crate::capture::PcapngWriter;
use crate::flow::SegmentReader;
use crate::report::NdjsonWriter;
use crate::tui::contract::ExportKind;
use crate::tui::loader::Data;
use crate::tui::run::ExportJob;

type Out = BufWriter<std::fs::File>;

/// Writes an export; gives a line that says what was written.
pub(super) fn write(job: &ExportJob<'_>) -> Result<String, String> {
    if job.kind == ExportKind::Pcapng && !job.show_secrets {
        return Err(
            "packets hold stream names and tokens as they are: :reveal-secrets first".into()
        );
    }
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} exists; type another name", job.path),
        _ => format!("cannot write {}: {error}", job.path),
    };
    // A file that is there is somebody's work.
    let file = OpenOptions::new().write(true).create_new(true).open(job.path).map_err(fail)?;
    let mut out = BufWriter::new(file);
    let written = {
        let data = job.loader.data.read();
        match job.kind {
            ExportKind::Ndjson => ndjson(job, &data, &mut out),
            ExportKind::Mermaid => mermaid(job, &data, &mut out),
            ExportKind::Pcapng => pcapng(job, &data, &mut out),
        }
    };
    let written = written.and_then(|line| out.flush().map_err(fail).map(|()| line));
    match written {
        Ok(line) => Ok(format!("{}: {line}", job.path)),
        Err(error) => {
            // Half a file would pass for a whole one.
            let _ = std::fs::remove_file(job.path);
            Err(error)
        }
    }
}

/// Row numbers to be written.
fn rows(job: &ExportJob<'_>, data: &Data) -> Vec<usize> {
    match job.rows {
        Some(rows) => rows.iter().map(|row| *row as usize).collect(),
        None => (0..data.index.session(job.session).map_or(0, |s| s.rows.len())).collect(),
    }
}

fn ndjson(job: &ExportJob<'_>, data: &Data, out: &mut Out) -> Result<String, String> {
    let mut store = job.loader.store.clone();
    let mut writer = NdjsonWriter::new(out);
    let mut put = |mut record: Record| {
        let mut redactor = data.redactor.lock().unwrap_or_else(PoisonError::into_inner);
        redactor.redact(&mut record);
        drop(redactor);
        writer.write(&record, None).map_err(|error| error.to_string())
    };
    put(Record::Begin(crate::analysis::Begin { epoch: data.index.epoch }))?;
    let rows = rows(job, data);
    for row in &rows {
        if let Some(request) = MessageRequest::new(&data.index, job.session, *row)? {
            put(Record::Message(request.read(&mut store)?.record))?;
        }
    }
    Ok(format!("{} messages", rows.len()))
}

fn mermaid(job: &ExportJob<'_>, data: &Data, out: &mut Out) -> Result<String, String> {
    let session = data.index.session(job.session).ok_or("there is no session to be written")?;
    let ladder = Ladder::of(session, &data.index.strings);
    let text = ladder.to_mermaid(session, &data.index.strings);
    out.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok("the ladder of the session".into())
}

/// The packets of the session's connection, all of them: what a filter takes of messages does not
/// decode without the rest.
fn pcapng(job: &ExportJob<'_>, data: &Data, out: &mut Out) -> Result<String, String> {
    let session = data.index.session(job.session).ok_or("there is no session to be written")?;
    let mut writer = PcapngWriter::new(out).map_err(|error| error.to_string())?;
    let peers = [session.session.client, session.session.server];
    let end = session.end.as_ref().map_or(session.last, |end| end.time);
    let mut store = job.loader.store.clone();
    let mut reader = SegmentReader::new();
    let mut next = session.session.frame.max(1);
    let mut count = 0_u64;
    loop {
        let packets = store.packets(next, u64::MAX)?;
        let Some(last) = packets.last() else { break };
        next = last.frame.max(next) + 1;
        let is_over = last.time > end;
        for packet in packets {
            let of_session = reader.read(&packet).is_some_and(|segment| {
                peers == [segment.source, segment.destination]
                    || peers == [segment.destination, segment.source]
            });
            if of_session && packet.time <= end {
                writer.write(&packet).map_err(|error| error.to_string())?;
                count += 1;
            }
        }
        if is_over {
            break;
        }
    }
    writer.finish().map_err(|error| error.to_string())?;
    Ok(format!("{count} packets"))
}
