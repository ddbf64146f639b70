//! Files that the screens write: what the filter takes in a session.
//!
//! It runs beside the screens, on a thread of its own; the index is held on to for moments only.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::sync::PoisonError;

use crate::analysis::detail::MessageRequest;
use crate::analysis::ladder::Ladder;
use crate::analysis::{Begin, Options, Pipeline, Record};
use crate::base::{Packet, PacketSource, Timestamp};
use crate::capture::PcapngWriter;
use crate::flow::SegmentReader;
use crate::report::sanitize::{self, Learner, Rewriter};
use crate::report::{FlvExtractor, MediaStream, MediaSurvey, NdjsonWriter, Redactor};
use crate::tui::contract::ExportKind;
use crate::tui::run::ExportJob;

type Out = BufWriter<std::fs::File>;

/// Writes an export; gives a line that says what was written.
pub(super) fn write(job: &ExportJob) -> Result<String, String> {
    let fail = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => format!("{} exists; type another name", job.path),
        _ => format!("cannot write {}: {error}", job.path),
    };
    // A file that is there is somebody's work.
    let file = OpenOptions::new().write(true).create_new(true).open(&job.path).map_err(fail)?;
    let mut out = BufWriter::new(file);
    let written = match job.kind {
        ExportKind::Ndjson => ndjson(job, &mut out),
        ExportKind::Csv => csv(job, &mut out),
        ExportKind::Mermaid => mermaid(job, &mut out),
        ExportKind::Pcapng => pcapng(job, &mut out),
        ExportKind::Flv => flv(job, &mut out),
    };
    match written.and_then(|line| out.flush().map_err(fail).map(|()| line)) {
        Ok(line) => Ok(format!("{}: {line}", job.path)),
        Err(error) => {
            // Half a file would pass for a whole one.
            let _ = std::fs::remove_file(&job.path);
            Err(error)
        }
    }
}

/// Row numbers to be written.
fn rows(job: &ExportJob) -> Vec<usize> {
    match &job.rows {
        Some(rows) => rows.iter().map(|row| *row as usize).collect(),
        None => {
            let data = job.data.read();
            (0..data.index.session(job.session).map_or(0, |s| s.rows.len())).collect()
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn ndjson(job: &ExportJob, out: &mut Out) -> Result<String, String> {
    let mut store = job.store.clone();
    let (redactor, epoch) = {
        let data = job.data.read();
        (data.redactor.clone(), data.index.epoch)
    };
    let mut writer = NdjsonWriter::new(out);
    let mut put = |mut record: Record| {
        redactor.lock().unwrap_or_else(PoisonError::into_inner).redact(&mut record);
        writer.write(&record, None).map_err(text)
    };
    put(Record::Begin(Begin { epoch }))?;
    let rows = rows(job);
    for row in &rows {
        let request = MessageRequest::new(&job.data.read().index, job.session, *row)?;
        if let Some(request) = request {
            put(Record::Message(request.read(&mut store)?.record))?;
        }
    }
    Ok(format!("{} messages", rows.len()))
}

/// One line a message. The columns only grow at the end.
const CSV_HEAD: &str = "row,time,direction,type,type_id,timestamp,stream_id,csid,length,complete,\
                        confidence,kind,label,code,response_ms,first_frame,last_frame,chunks";

fn csv(job: &ExportJob, out: &mut Out) -> Result<String, String> {
    writeln!(out, "{CSV_HEAD}").map_err(text)?;
    let rows = rows(job);
    // A portion at a time, so that reading and drawing go on in between.
    for part in rows.chunks(1000) {
        let data = job.data.read();
        let index = &data.index;
        let Some(session) = index.session(job.session) else { break };
        for number in part {
            let Some(row) = session.rows.get(*number) else { continue };
            let place = session.place(row);
            let seconds = row.time.seconds_since(index.epoch.unwrap_or(row.time));
            let stream = row.stream_id().map(|id| id.to_string()).unwrap_or_default();
            let response = session.response_time(row);
            let response = response.map(|s| format!("{:.3}", s * 1000.0)).unwrap_or_default();
            writeln!(
                out,
                "{},{seconds:.6},{},{},{},{},{stream},{},{},{},{},{},{},{},{response},{},{},{}",
                number + 1,
                row.direction().name(),
                row.type_id.kind(),
                row.type_id.0,
                row.timestamp,
                row.csid(),
                row.length,
                row.complete(),
                row.confidence().name(),
                row.media.name(),
                quoted(index.strings.get(row.label)),
                quoted(index.strings.get(row.code())),
                place.first_frame,
                place.last_frame,
                place.chunks,
            )
            .map_err(text)?;
        }
    }
    Ok(format!("{} messages", rows.len()))
}

/// A value as RFC 4180 has it. Text from the wire that a spreadsheet would take for a formula gets
/// an apostrophe before it.
fn quoted(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = if formula { format!("'{value}") } else { value.to_owned() };
    match value.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value,
    }
}

fn mermaid(job: &ExportJob, out: &mut Out) -> Result<String, String> {
    let data = job.data.read();
    let session = data.index.session(job.session).ok_or("there is no session to be written")?;
    let ladder = Ladder::of(session, &data.index.strings);
    let words = ladder.to_mermaid(session, &data.index.strings);
    out.write_all(words.as_bytes()).map_err(text)?;
    Ok("the ladder of the session".into())
}

/// The packets of the session's connection, all of them: what a filter takes of messages does not
/// decode without the rest.
fn packets(
    job: &ExportJob,
    mut take: impl FnMut(Packet) -> Result<(), String>,
) -> Result<u64, String> {
    let (peers, first, end) = {
        let data = job.data.read();
        let session = data.index.session(job.session).ok_or("there is no session to be written")?;
        let end = session.end.as_ref().map(|end| end.time);
        (
            [session.session.client, session.session.server],
            session.session.frame,
            end.unwrap_or(Timestamp(i64::MAX)),
        )
    };
    let mut store = job.store.clone();
    let mut reader = SegmentReader::new();
    let mut next = first.max(1);
    let mut count = 0_u64;
    loop {
        let batch = store.packets(next, u64::MAX)?;
        let Some(last) = batch.last() else { break };
        next = last.frame.max(next) + 1;
        // Packets may be a little out of order.
        let is_over = last.time.nanos_since(end) > 1_000_000_000;
        for packet in batch {
            let of_session = reader.read(&packet).is_some_and(|segment| {
                peers == [segment.source, segment.destination]
                    || peers == [segment.destination, segment.source]
            });
            if of_session && packet.time <= end {
                count += 1;
                take(packet)?;
            }
        }
        if is_over {
            break;
        }
    }
    Ok(count)
}

fn pcapng(job: &ExportJob, out: &mut Out) -> Result<String, String> {
    let mut writer = PcapngWriter::new(out).map_err(text)?;
    let line = if job.show_secrets {
        let count = packets(job, |packet| writer.write(&packet).map_err(text))?;
        format!("{count} packets with all they hold")
    } else {
        let options =
            sanitize::Options { decode_as: job.decode_as.clone(), ..sanitize::Options::default() };
        let mut learner = Learner::new(options);
        packets(job, |packet| {
            learner.push(&packet);
            Ok(())
        })?;
        let mut rewriter = Rewriter::new(learner.finish());
        let count = packets(job, |packet| {
            rewriter.push(packet).iter().try_for_each(|packet| writer.write(packet).map_err(text))
        })?;
        let (rest, tally) = rewriter.finish();
        rest.iter().try_for_each(|packet| writer.write(packet).map_err(text))?;
        format!("{count} packets, {} secrets replaced", tally.secrets)
    };
    writer.finish().map_err(text)?;
    Ok(line)
}

fn flv(job: &ExportJob, out: &mut Out) -> Result<String, String> {
    let mut survey = MediaSurvey::new();
    records(job, false, |record| {
        survey.push(record);
        Ok(())
    })?;
    let stream = survey.streams().max_by_key(|stream: &&MediaStream| stream.audio + stream.video);
    let stream = stream.ok_or("the session holds no audio and no video")?.clone();
    let mut redactor = Redactor::new(job.show_secrets);
    let mut extractor = FlvExtractor::new(out, &stream).map_err(text)?;
    records(job, true, |record| {
        let mut record = record.clone();
        let redactions = redactor.redact(&mut record);
        extractor.push(&record, &redactions).map_err(text)
    })?;
    let (_, done) = extractor.finish().map_err(text)?;
    let missing = match done.is_whole() {
        true => String::new(),
        false => format!(
            "; {} messages left out, {} gaps",
            done.damaged + done.too_large,
            done.gap_count
        ),
    };
    Ok(format!("{} video and {} audio tags{missing}", done.video, done.audio))
}

/// Decodes the session's packets anew.
fn records(
    job: &ExportJob,
    payload: bool,
    mut take: impl FnMut(&Record) -> Result<(), String>,
) -> Result<(), String> {
    let mut options = Options {
        decode_as: job.decode_as.clone(),
        keys: job.keys.clone(),
        frames: false,
        ..Options::default()
    };
    options.session.keep_media = payload;
    let mut pipeline = Pipeline::new(options);
    let mut failure = None;
    let mut sink = |record: Record| {
        if failure.is_none() {
            failure = take(&record).err();
        }
    };
    packets(job, |packet| {
        pipeline.push(&packet, &mut sink);
        Ok(())
    })?;
    pipeline.finish(Vec::new(), &mut sink);
    failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Input, StoreReader};
    use crate::tui::loader::{LoadOptions, Loader, SharedData};

    fn load(name: &str) -> (SharedData, StoreReader) {
        let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
        let options = LoadOptions {
            decode_as: Vec::new(),
            keys: Default::default(),
            show_secrets: false,
            thresholds: Default::default(),
        };
        let mut loader = Loader::open(vec![Input::Path(path.into())], false, options).unwrap();
        while !loader.is_finished() {
            std::thread::yield_now();
        }
        loader.join();
        (loader.data.clone(), loader.store.clone())
    }

    fn export(kind: ExportKind, rows: Option<Vec<u32>>) -> (String, Vec<u8>) {
        let (data, store) = load("obs_publish_nginx.pcap");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out").display().to_string();
        let job = ExportJob {
            kind,
            path: path.clone(),
            session: 1,
            rows,
            data,
            store,
            show_secrets: false,
            decode_as: Vec::new(),
            keys: Default::default(),
        };
        let line = write(&job).unwrap();
        assert!(write(&job).unwrap_err().contains("exists"));
        (line, std::fs::read(path).unwrap())
    }

    #[test]
    fn what_the_filter_takes_is_written() {
        for kind in [ExportKind::Ndjson, ExportKind::Csv] {
            let (line, bytes) = export(kind, Some(vec![1, 5]));
            let text = String::from_utf8(bytes).unwrap();
            assert!(line.ends_with("2 messages"), "{line}");
            assert_eq!(text.lines().count(), 3, "{text}");
            assert!(text.contains("connect") && text.contains("NetConnection.Connect.Success"));
        }
        let (_, bytes) = export(ExportKind::Csv, None);
        let text = String::from_utf8(bytes).unwrap();
        let columns = text.lines().next().unwrap().split(',').count();
        assert!(text.lines().all(|line| line.split(',').count() == columns));
        assert_eq!(text.lines().count(), 748);
    }

    #[test]
    fn packets_are_written_without_secrets_and_decode_again() {
        let (line, bytes) = export(ExportKind::Pcapng, None);
        assert!(line.contains("secrets replaced"), "{line}");
        let (data, _) = load("obs_publish_nginx.pcap");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("again.pcapng");
        std::fs::write(&path, bytes).unwrap();
        let options = LoadOptions {
            decode_as: Vec::new(),
            keys: Default::default(),
            show_secrets: true,
            thresholds: Default::default(),
        };
        let mut again = Loader::open(vec![Input::Path(path)], false, options).unwrap();
        again.join();
        assert_eq!(again.data.read().index.messages(), data.read().index.messages());
        let stream = |data: &SharedData| data.read().index.sessions[0].facts().stream;
        assert!(stream(&again.data).is_some());
    }

    #[test]
    fn media_is_written_as_flv() {
        let (line, bytes) = export(ExportKind::Flv, None);
        assert!(bytes.starts_with(b"FLV\x01"), "{line}");
        let (data, _) = load("obs_publish_nginx.pcap");
        let data = data.read();
        let count = |id| data.index.sessions[0].rows.iter().filter(|r| r.type_id.0 == id).count();
        assert!(
            line.contains(&format!("{} video and {} audio tags", count(9), count(8))),
            "{line}"
        );
    }

    #[test]
    fn values_are_quoted() {
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("plain"), "plain");
    }
}
