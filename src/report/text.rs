//! One line per record, for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use rustc_hash::FxHashMap;

use super::describe::{clean, describe, fact_values};
use super::fields::{FieldLine, FieldLines};
use super::hex;
use super::line::{Clock, Detail};
use super::model::stop_detail;
use super::summary::{ended, size, summary_sheet};
use crate::analysis::{
    AnomalyRecord, End, GapRecord, HandshakeRecord, MessageRecord, Record, SessionEnd,
    SessionRecord, TransportRecord,
};
use crate::base::{Direction, FieldValue, GapKind, Timestamp};
use crate::wire::message::MessageType;

/// Bytes of one field that `-x` shows unless all are wanted.
const MAX_HEX: usize = 256;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const SESSION: Style = AnsiColor::Magenta.on_default().bold();
const COMMAND: Style = AnsiColor::Cyan.on_default().bold();
const CONTROL: Style = AnsiColor::Blue.on_default();
const DATA: Style = AnsiColor::Magenta.on_default();
const VIDEO: Style = AnsiColor::Green.on_default();
const AUDIO: Style = AnsiColor::Yellow.on_default();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Writes records as lines of text.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    colour: bool,
    detail: Detail,
    summary: bool,
    clock: Clock,
    epoch: Option<Timestamp>,
    open: FxHashMap<u32, SessionRecord>,
}

impl<W: Write> TextWriter<W> {
    /// Writes to `out`: a line per record, with what `detail` asks for below each message.
    pub fn new(out: W, colour: bool, detail: Detail) -> TextWriter<W> {
        TextWriter {
            out,
            colour,
            detail,
            summary: false,
            clock: Clock::default(),
            epoch: None,
            open: FxHashMap::default(),
        }
    }

    /// Writes only a sheet per session and the totals.
    pub fn summary(out: W, colour: bool) -> TextWriter<W> {
        TextWriter { summary: true, ..TextWriter::new(out, colour, Detail::default()) }
    }

    /// Writes one record; `fields` of a message when `detail` needs them.
    pub fn write(&mut self, record: &Record, fields: Option<&FieldLines>) -> io::Result<()> {
        self.clock.see(record);
        if self.summary {
            return self.write_summary(record);
        }
        match record {
            // What TCP did is for figures over time, not for this list.
            Record::Begin(_) | Record::Tcp(_) => Ok(()),
            Record::Session(r) => self.session(r),
            Record::Handshake(r) => self.handshake(r),
            Record::Message(r) => {
                self.message(r)?;
                fields.map_or(Ok(()), |fields| self.fields(fields))
            }
            Record::Anomaly(r) => self.anomaly(r),
            Record::Gap(r) => self.gap(r),
            Record::Transport(r) => self.layer(r),
            Record::SessionEnd(r) => self.session_end(r),
            Record::End(r) => self.end(r),
        }
    }

    /// The output, to flush it.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    fn write_summary(&mut self, record: &Record) -> io::Result<()> {
        match record {
            Record::Begin(begin) => self.epoch = begin.epoch,
            Record::Session(session) => {
                self.open.insert(session.session, session.clone());
            }
            Record::SessionEnd(end) => {
                let session = self.open.remove(&end.session);
                let sheet = summary_sheet(session.as_ref(), end, self.epoch);
                let (title, rest) = sheet.split_once('\n').unwrap_or((&sheet, ""));
                let title = self.paint(SESSION, title);
                writeln!(self.out, "{title}\n{rest}")?;
            }
            Record::End(end) => self.end(end)?,
            _ => {}
        }
        Ok(())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Time, session, direction: the columns that every line begins with.
    fn columns(
        &self,
        time: Option<Timestamp>,
        session: Option<u32>,
        direction: Option<Direction>,
    ) -> String {
        let time = time.map_or(String::new(), |t| format!("{:.6}", self.clock.seconds(t)));
        let session = session.map_or(String::new(), |s| format!("#{s}"));
        let arrow = match direction {
            Some(Direction::ClientToServer) => "C→S",
            Some(Direction::ServerToClient) => "S→C",
            None => "   ",
        };
        format!(
            "{} {} {arrow}",
            self.paint(DIM, &format!("{time:>11}")),
            self.paint(BOLD, &format!("{session:<3}"))
        )
    }

    /// Lines that are no message skip the message columns.
    const SKIP: usize = 24;

    fn session(&mut self, r: &SessionRecord) -> io::Result<()> {
        let mut text = format!("{} → {}  {}", r.client, r.server, r.transport.name());
        if r.midstream {
            text.push_str(", begins in mid-stream");
        }
        if !r.tunnels.is_empty() {
            text.push_str(&format!(", in {}", r.tunnels.join(", ")));
        }
        if let Some(note) = &r.note {
            text.push_str(&format!(", {}", clean(note)));
        }
        let columns = self.columns(Some(r.time), Some(r.session), None);
        let head = self.paint(SESSION, "session");
        writeln!(self.out, "{columns} {:w$}{head} {text}", "", w = Self::SKIP)
    }

    fn handshake(&mut self, r: &HandshakeRecord) -> io::Result<()> {
        let h = &r.handshake;
        let side = match h.direction {
            Direction::ClientToServer => "C0 C1 C2",
            Direction::ServerToClient => "S0 S1 S2",
        };
        let mut text = format!("{side} version {} {}", h.version, h.scheme.name());
        if let Some(v) = h.software.filter(|v| *v != [0; 4]) {
            text.push_str(&format!(" {}.{}.{}.{}", v[0], v[1], v[2], v[3]));
        }
        text.push_str(match (h.valid, h.echo, h.signature) {
            (Some(true), _, Some(true)) => ", signed",
            (Some(true), ..) => ", echo",
            (Some(false), ..) => ", neither echo nor signed",
            (None, ..) => ", not verified",
        });
        let columns = self.columns(Some(h.time), Some(r.session), Some(h.direction));
        let head = self.paint(CONTROL, "handshake");
        let mut text = if h.valid == Some(false) { self.paint(WARN, &text) } else { text };
        if !h.complete {
            text.push_str(&self.paint(BAD, " incomplete"));
        }
        writeln!(self.out, "{columns} {:w$}{head} {text}", "", w = Self::SKIP)
    }

    fn message(&mut self, r: &MessageRecord) -> io::Result<()> {
        let m = &*r.message;
        let columns = self.columns(Some(m.time), Some(r.session), Some(m.direction));
        let stream = m.stream_id.map_or("ms?".to_owned(), |id| format!("ms{id}"));
        let timestamp = format!("{}{}", if m.timestamp_exact { "" } else { "~" }, m.timestamp);
        let d = describe(m);
        let style = match m.type_id {
            _ if d.is_error => BAD,
            MessageType::VIDEO => VIDEO,
            MessageType::AUDIO => AUDIO,
            MessageType::DATA_AMF0 | MessageType::DATA_AMF3 => DATA,
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => COMMAND,
            t if t.is_control() => CONTROL,
            _ => WARN,
        };
        let head = self.paint(style, &d.head);
        let length = self.paint(DIM, &format!("{} B", m.length));
        write!(self.out, "{columns} ")?;
        let numbers = format!("cs{:<3} {stream:<4} {timestamp:>10}   ", m.csid);
        write!(self.out, "{}{head}", self.paint(DIM, &numbers))?;
        if !d.detail.is_empty() {
            write!(self.out, " {}", d.detail)?;
        }
        // A control message's length says nothing.
        if !m.type_id.is_control() {
            write!(self.out, " {length}")?;
        }
        if m.confidence != crate::rtmp::Confidence::Exact {
            write!(self.out, " {}", self.paint(WARN, &format!("[{}]", m.confidence.name())))?;
        }
        if !m.complete {
            let missing = m.length.saturating_sub(m.received);
            let holes: Vec<String> =
                m.holes.iter().take(4).map(|h| format!("{} B at {}", h.len, h.at)).collect();
            let mut note = format!("[incomplete: {missing} B missing");
            if !holes.is_empty() {
                note.push_str(&format!(", {}", holes.join(", ")));
            }
            note.push(']');
            write!(self.out, " {}", self.paint(BAD, &note))?;
        }
        if let Some(stop) = &m.stop {
            let note = format!(
                "[{} at byte {}: {}]",
                stop.field,
                stop.at,
                clean(&stop_detail(&stop.reason))
            );
            write!(self.out, " {}", self.paint(BAD, &note))?;
        }
        writeln!(self.out)
    }

    fn anomaly(&mut self, r: &AnomalyRecord) -> io::Result<()> {
        let columns = self.columns(r.time, r.session, r.direction);
        let head = self.paint(WARN, &format!("! {}", r.kind));
        let mut place = Vec::new();
        place.extend(r.csid.map(|c| format!("chunk stream {c}")));
        place.extend(r.offset.map(|o| format!("offset {o}")));
        place.extend(r.frame.map(|f| format!("frame {f}")));
        let place = self.paint(DIM, &place.join(", "));
        let space = if place.is_empty() { "" } else { "  " };
        writeln!(
            self.out,
            "{columns} {:w$}{head} {}{space}{place}",
            "",
            clean(&r.detail),
            w = Self::SKIP
        )
    }

    fn gap(&mut self, r: &GapRecord) -> io::Result<()> {
        let columns = self.columns(Some(r.time), Some(r.session), Some(r.direction));
        let why = match r.kind {
            GapKind::Capture => "acknowledged, so the capture lost them",
            GapKind::Network => "never acknowledged",
        };
        let head = self.paint(BAD, &format!("! {}", r.kind.name()));
        let place = self.paint(DIM, &format!("offset {}, frame {}", r.offset, r.frame));
        writeln!(
            self.out,
            "{columns} {:w$}{head} {} bytes missing: {why}  {place}",
            "",
            r.len,
            w = Self::SKIP
        )
    }

    fn layer(&mut self, r: &TransportRecord) -> io::Result<()> {
        let fact = &r.fact;
        let columns = self.columns(Some(fact.time), Some(r.session), Some(fact.direction));
        let head = match fact.odd {
            true => self.paint(WARN, &format!("! {} {}", fact.layer, fact.name)),
            false => self.paint(CONTROL, &format!("{} {}", fact.layer, fact.name)),
        };
        let values = clean(&fact_values(fact));
        let space = if values.is_empty() { "" } else { " " };
        let line = format!("{columns} {:w$}{head}{space}{values}", "", w = Self::SKIP);
        writeln!(self.out, "{line}")
    }

    fn session_end(&mut self, r: &SessionEnd) -> io::Result<()> {
        let columns = self.columns(Some(r.time), Some(r.session), None);
        let head = self.paint(SESSION, "end");
        let duration = r.time.seconds_since(r.start);
        let mut text = format!(
            "{}; {duration:.3} s, {} messages, {}",
            ended(r),
            r.messages[0] + r.messages[1],
            size(r.tcp[0].bytes + r.tcp[1].bytes)
        );
        let lost: u64 = r.tcp.iter().map(|t| t.capture_lost_bytes + t.network_lost_bytes).sum();
        let undecoded = r.undecoded_bytes[0] + r.undecoded_bytes[1];
        for (count, what) in [
            (lost, "B lost"),
            (undecoded, "B undecoded"),
            (r.damaged, "messages damaged"),
            (r.anomalies, "anomalies"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        writeln!(self.out, "{columns} {:w$}{head} {text}", "", w = Self::SKIP)
    }

    fn end(&mut self, r: &End) -> io::Result<()> {
        let mut text = [(r.packets, "packet"), (r.sessions, "session"), (r.messages, "message")]
            .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
            .join(", ");
        for (count, what, after) in [
            (r.capture_lost_bytes, "byte", " lost by the capture"),
            (r.network_lost_bytes, "byte", " lost by the network"),
            (r.undecoded_bytes, "byte", " undecoded"),
            (r.other_flows, "TCP connection", " without RTMP"),
            (r.other_packets, "packet", " without TCP"),
        ] {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                text.push_str(&format!(", {count} {what}{plural}{after}"));
            }
        }
        let text = self.paint(DIM, &text);
        writeln!(self.out, "{text}")?;
        Ok(())
    }

    fn fields(&mut self, fields: &FieldLines) -> io::Result<()> {
        let mut at = 0;
        for line in fields.lines() {
            let label = self.label(line);
            if self.detail.hex && line.range.start > at {
                // Keys and markers of objects belong to what follows them.
                self.between(fields, at..line.range.start)?;
                at = line.range.start;
            }
            if line.value != FieldValue::Group {
                at = at.max(line.range.end);
            }
            if self.detail.hex && line.value != FieldValue::Group {
                self.hex_rows(fields, line, &label)?;
            } else if self.detail.hex {
                writeln!(self.out, "{:14}{}{label}", "", " ".repeat(66))?;
            } else {
                writeln!(self.out, "{:14}{label}", "")?;
            }
        }
        let rest = fields.undecoded();
        if self.detail.hex && at < rest.start {
            self.between(fields, at..rest.start)?;
        }
        if !rest.is_empty() {
            let line = FieldLine {
                name: "undecoded".into(),
                depth: 0,
                range: rest,
                value: FieldValue::Bytes,
                meaning: None,
                redacted: false,
                frames: Vec::new(),
            };
            let label = self.label(&line);
            if self.detail.hex {
                self.hex_rows(fields, &line, &label)?;
            } else {
                writeln!(self.out, "{:14}{label}", "")?;
            }
        }
        Ok(())
    }

    /// Bytes that no field stands for.
    fn between(&mut self, fields: &FieldLines, range: std::ops::Range<usize>) -> io::Result<()> {
        let line = FieldLine {
            name: "".into(),
            depth: 0,
            range,
            value: FieldValue::Bytes,
            meaning: None,
            redacted: false,
            frames: Vec::new(),
        };
        self.hex_rows(fields, &line, "")
    }

    /// `name value (meaning)`, indented by depth.
    fn label(&self, line: &FieldLine) -> String {
        let mut name: String = clean(&line.name).chars().take(80).collect();
        if name.is_empty() {
            name.push_str("\"\"");
        }
        let mut out = "  ".repeat(usize::from(line.depth).min(40));
        out.push_str(&self.paint(COMMAND, &name));
        match &line.value {
            FieldValue::Uint(value) => out.push_str(&format!(" {value}")),
            FieldValue::Int(value) => out.push_str(&format!(" {value}")),
            FieldValue::Number(value) => out.push_str(&format!(" {value}")),
            FieldValue::Text(text) => {
                let text: String = clean(text).chars().take(400).collect();
                out.push_str(&format!(" \"{text}\""));
            }
            // A null or undefined is its marker: the meaning says it.
            FieldValue::Bytes if line.range.len() == 1 && line.meaning.is_some() => {}
            FieldValue::Bytes => out.push_str(&format!(" {} B", line.range.len())),
            FieldValue::Group => {}
        }
        if let Some(meaning) = &line.meaning {
            out.push_str(&format!(" ({})", clean(meaning)));
        }
        if self.detail.ranges {
            let frames: Vec<String> = line.frames.iter().take(8).map(u64::to_string).collect();
            let more = if line.frames.len() > 8 { ",…" } else { "" };
            let place = format!(
                "  [{}..{}] frame {}{more}",
                line.range.start,
                line.range.end,
                frames.join(",")
            );
            out.push_str(&self.paint(DIM, &place));
        }
        out
    }

    fn hex_rows(&mut self, fields: &FieldLines, line: &FieldLine, label: &str) -> io::Result<()> {
        let payload = fields.payload();
        let end = line.range.end.min(payload.len());
        let start = line.range.start.min(end);
        let shown = if self.detail.all_bytes { end } else { end.min(start + MAX_HEX) };
        let mut label = Some(label);
        if start == end {
            writeln!(self.out, "{:14}{}{}", "", " ".repeat(66), label.unwrap_or_default())?;
        }
        for at in (start..shown).step_by(16) {
            let row = hex::row(&payload[at..shown.min(at + 16)], |i| fields.is_masked(at + i));
            let offset = self.paint(DIM, &format!("{at:6x}"));
            let line = format!("      {offset}  {row} {}", label.take().unwrap_or_default());
            writeln!(self.out, "{}", line.trim_end())?;
        }
        let left = line.range.end - line.range.start - (shown - start);
        if left > 0 && shown > start {
            let why = if shown < end { "-xx shows them" } else { "not kept" };
            writeln!(self.out, "{:14}… {left} more bytes ({why})", "")?;
        }
        Ok(())
    }
}
