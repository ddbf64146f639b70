//! What travelled on the connections of a case, decoded, a line per message.

use std::collections::VecDeque;

use super::model::{ConnectionLine, ExchangeLine, From};
use crate::analysis::{MessageRecord, Record};
use crate::base::{Direction, Timestamp};
use crate::peer::Transcript;
use crate::report::{Redactor, describe};
use crate::rtmp::{self, Event, Handshake, Scheme, Session};

/// Lines kept of a connection at either end: what a flood is made of is seen from these.
const MAX_HALF: usize = 40;

/// Connections kept of a case at either end: some open hundreds, all alike.
const MAX_CONNECTIONS: usize = 8;

/// The connections of a case.
pub(super) fn lines(transcripts: &[Transcript], redactor: &mut Redactor) -> Vec<ConnectionLine> {
    let start = transcripts.iter().map(|transcript| transcript.opened).min().unwrap_or_default();
    let mut out: Vec<ConnectionLine> = transcripts
        .iter()
        .enumerate()
        .map(|(i, transcript)| connection(i, transcript, start, redactor))
        .collect();
    // A server may repeat on one connection what was secret on a later one.
    for line in out.iter_mut().flat_map(|connection| &mut connection.lines) {
        line.text = redactor.clean(&line.text);
    }
    leave_out(&mut out);
    out
}

/// Leaves out the connections in the middle. All were read, since each may teach a secret.
fn leave_out(connections: &mut Vec<ConnectionLine>) {
    let count = connections.len();
    if count <= 2 * MAX_CONNECTIONS + 1 {
        return;
    }
    let (first, last) = (MAX_CONNECTIONS + 1, count - MAX_CONNECTIONS);
    let text = format!("{} connections are left out", last + 1 - first);
    let line = ExchangeLine { at_ms: 0.0, from: From::Note, text, bad: false };
    let name = format!("connections {first} to {last}");
    let instead = ConnectionLine { name, lines: vec![line], omitted: 0 };
    connections.splice(first - 1..last, [instead]);
}

fn connection(
    index: usize,
    transcript: &Transcript,
    start: Timestamp,
    redactor: &mut Redactor,
) -> ConnectionLine {
    let mut lines = Lines { start, head: Vec::new(), tail: VecDeque::new(), omitted: 0 };
    let mut session = Session::new(rtmp::Options::default());
    let session_number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
    let mut take = |event: Event, lines: &mut Lines| match event {
        Event::Message(message) => lines.message(session_number, message, redactor),
        Event::Handshake(handshake) => lines.handshake(&handshake),
        Event::Anomaly(anomaly) => {
            let from = from(anomaly.direction);
            let text = match anomaly.detail.is_empty() {
                true => anomaly.kind.name().to_owned(),
                false => format!("{}: {}", anomaly.kind.name(), anomaly.detail),
            };
            lines.push(anomaly.time, from, text, from == From::Server);
        }
    };
    let mut last = transcript.opened;
    for entry in &transcript.entries {
        last = entry.time;
        session.feed(entry.direction, entry.time, &entry.bytes, &mut |event| {
            take(event, &mut lines);
        });
    }
    session.end(last, &mut |event| take(event, &mut lines));
    for direction in Direction::BOTH {
        let count = session.undecoded_bytes(direction);
        if count > 0 {
            let who = if direction == Direction::ClientToServer { "client" } else { "server" };
            let plural = if count == 1 { "" } else { "s" };
            let text = format!("{count} byte{plural} of the {who} are part of no message");
            lines.push(last, From::Note, text, false);
        }
    }
    if transcript.dropped > 0 {
        let text = format!("{} more bytes were not kept", transcript.dropped);
        lines.push(last, From::Note, text, false);
    }
    if let Some((time, close)) = transcript.closed {
        lines.push(time, From::Note, format!("the server closed ({})", close.name()), false);
    }
    lines.finish(format!("connection {session_number}"))
}

fn from(direction: Direction) -> From {
    match direction {
        Direction::ClientToServer => From::Client,
        Direction::ServerToClient => From::Server,
    }
}

/// Lines of a connection, the first and the last ones.
struct Lines {
    start: Timestamp,
    head: Vec<ExchangeLine>,
    tail: VecDeque<ExchangeLine>,
    omitted: u64,
}

impl Lines {
    fn push(&mut self, time: Timestamp, from: From, text: String, bad: bool) {
        let at_ms = (time.seconds_since(self.start) * 1e6).round() / 1e3;
        let line = ExchangeLine { at_ms, from, text, bad };
        if self.head.len() < MAX_HALF {
            return self.head.push(line);
        }
        if self.tail.len() == MAX_HALF {
            self.tail.pop_front();
            self.omitted += 1;
        }
        self.tail.push_back(line);
    }

    fn message(&mut self, session: u32, message: Box<rtmp::Message>, redactor: &mut Redactor) {
        let record = MessageRecord {
            session,
            frames: Vec::new(),
            spans: Vec::new(),
            sequence: None,
            message,
        };
        let mut record = Record::Message(record);
        redactor.redact(&mut record);
        let Record::Message(MessageRecord { message, .. }) = record else { return };
        let said = describe(&message);
        let stream = message.stream_id.map_or("?".to_owned(), |id| id.to_string());
        let cut = if message.complete {
            String::new()
        } else {
            format!(", only {} came", message.received)
        };
        let mut text = said.head;
        for part in [
            said.detail.as_str(),
            &format!(
                "[fmt {} csid {} msid {stream} ts {} length {}{cut}]",
                message.fmt, message.csid, message.timestamp, message.length
            ),
        ] {
            if !part.is_empty() {
                text.push(' ');
                text.push_str(part);
            }
        }
        self.push(message.time, from(message.direction), text, said.is_error);
    }

    fn handshake(&mut self, handshake: &Handshake) {
        let (packets, answer) = match handshake.direction {
            Direction::ClientToServer => ("C0 C1 C2", "C2"),
            Direction::ServerToClient => ("S0 S1 S2", "S2"),
        };
        let scheme = match handshake.scheme {
            Scheme::Simple => String::new(),
            other => format!(", {}", other.name()),
        };
        let state = match (handshake.complete, handshake.echo, handshake.signature) {
            (false, ..) => ", not complete".to_owned(),
            (_, Some(true), _) => format!(", {answer} is the echo"),
            (_, _, Some(true)) => format!(", {answer} is signed"),
            (_, Some(false), _) => format!(", {answer} is no echo"),
            _ => String::new(),
        };
        let text = format!("{packets} version {}{scheme}{state}", handshake.version);
        self.push(handshake.time, from(handshake.direction), text, false);
    }

    fn finish(mut self, name: String) -> ConnectionLine {
        // The halves of a connection with lines left out are equally long.
        self.head.extend(self.tail);
        ConnectionLine { name, lines: self.head, omitted: self.omitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_in_the_middle_are_left_out() {
        let make = |count: usize| -> Vec<ConnectionLine> {
            let one =
                |i| ConnectionLine { name: format!("connection {i}"), lines: vec![], omitted: 0 };
            (1..=count).map(one).collect()
        };
        let mut few = make(17);
        leave_out(&mut few);
        assert_eq!(few, make(17));
        let mut many = make(500);
        leave_out(&mut many);
        assert_eq!(many.len(), 17);
        assert_eq!(many[7].name, "connection 8");
        assert_eq!(many[8].name, "connections 9 to 492");
        assert_eq!(many[8].lines[0].text, "484 connections are left out");
        assert_eq!(many[9].name, "connection 493");
    }
}
