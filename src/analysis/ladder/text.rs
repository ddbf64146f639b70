//! Steps in words.

use super::build::{MediaRun, Step, StepKind};
use crate::analysis::index::{Interner, MediaKind, Row, SessionIndex};
use crate::base::Direction;
use crate::flow::EndReason;
use crate::rtmp::Handshake;
use crate::wire::message::MessageType;

impl Step {
    /// What it says, in one line; never empty.
    pub fn text(&self, session: &SessionIndex, strings: &Interner) -> String {
        let row = |number: usize| session.rows.get(number);
        match &self.kind {
            StepKind::Start if session.session.midstream => "capture begins in mid-stream".into(),
            StepKind::Start => "connection".into(),
            StepKind::Handshake(index) => (session.handshakes.get(*index))
                .map_or_else(String::new, |record| handshake(&record.handshake)),
            StepKind::Command { row: number, .. } | StepKind::Data(number) => {
                row(*number).map_or_else(String::new, |row| command(strings, row))
            }
            StepKind::Reply { row: number, request, .. } => {
                let name = row(*request).map_or("", |row| strings.get(row.label));
                row(*number).map_or_else(String::new, |row| reply(strings, row, name))
            }
            StepKind::Control(number) => {
                row(*number).map_or_else(String::new, |row| control(strings, row))
            }
            StepKind::Media(run) => media(run, self),
            StepKind::Gap(index) => session.gaps.get(*index).map_or_else(String::new, |gap| {
                format!("{}: {} B missing", gap.kind.name(), gap.len)
            }),
            StepKind::Anomaly(index) => {
                session.anomalies.get(*index).map_or_else(String::new, |anomaly| {
                    format!("{}: {}", anomaly.kind, anomaly.detail)
                })
            }
            StepKind::End => session.end.as_ref().map_or_else(String::new, |e| end(e.reason)),
        }
    }
}

/// A message in a few words: what it is and its one telling value.
pub fn row_text(session: &SessionIndex, strings: &Interner, row: &Row) -> String {
    match row.type_id {
        MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
            match row.request().and_then(|request| session.rows.get(request)) {
                Some(request) => reply(strings, row, strings.get(request.label)),
                None => command(strings, row),
            }
        }
        MessageType::VIDEO | MessageType::AUDIO => {
            let mut text = row.type_id.kind().to_owned();
            // Of audio, the kind only says what the type already did.
            let kind = if row.media == MediaKind::Audio { "" } else { row.media.name() };
            for word in [kind, strings.get(row.label)] {
                if !word.is_empty() {
                    text.push(' ');
                    text.push_str(word);
                }
            }
            if let Some(cts) = row.composition_time().filter(|cts| *cts != 0) {
                text.push_str(&format!(" cts {cts:+}"));
            }
            text
        }
        kind if kind.is_control() => control(strings, row),
        _ => command(strings, row),
    }
}

fn handshake(handshake: &Handshake) -> String {
    let names = match handshake.direction {
        Direction::ClientToServer => "C0 C1 C2",
        Direction::ServerToClient => "S0 S1 S2",
    };
    let mut text =
        format!("handshake {names} version {} {}", handshake.version, handshake.scheme.name());
    if !handshake.complete {
        text.push_str(", incomplete");
    }
    match (handshake.valid, handshake.signature, handshake.echo) {
        (Some(false), _, _) => text.push_str(", does not match the peer's"),
        (_, Some(true), _) => text.push_str(", signed"),
        (_, _, Some(true)) => text.push_str(", echo"),
        _ => {}
    }
    text
}

fn command(strings: &Interner, row: &Row) -> String {
    let name = match strings.get(row.label) {
        "" => row.type_id.kind(),
        name => name,
    };
    match strings.get(row.code()) {
        "" => name.to_owned(),
        code => format!("{name} {code}"),
    }
}

fn reply(strings: &Interner, row: &Row, request: &str) -> String {
    let name = strings.get(row.label);
    match strings.get(row.code()) {
        "" => format!("{name}({request})"),
        code => format!("{name}({request}) {code}"),
    }
}

fn control(strings: &Interner, row: &Row) -> String {
    let value = row.value().unwrap_or(0);
    match row.type_id {
        MessageType::SET_CHUNK_SIZE => format!("Set Chunk Size {value}"),
        MessageType::ABORT => format!("Abort csid {value}"),
        MessageType::ACKNOWLEDGEMENT => format!("Acknowledgement {value}"),
        MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => format!("Window Acknowledgement Size {value}"),
        MessageType::SET_PEER_BANDWIDTH => {
            format!("Set Peer Bandwidth {value} {}", strings.get(row.label)).trim_end().to_owned()
        }
        _ => format!("{} {value}", strings.get(row.label).replace('_', " ")),
    }
}

fn media(run: &MediaRun, step: &Step) -> String {
    let mut parts = Vec::new();
    if run.video > 0 {
        parts.push(format!("{} video", run.video));
    }
    if run.keys > 0 {
        parts.push(format!("{} K", run.keys));
    }
    if run.audio > 0 {
        parts.push(format!("{} audio", run.audio));
    }
    if run.aggregates > 0 {
        parts.push(format!("{} aggregate", run.aggregates));
    }
    if run.configs > 0 {
        parts.push(format!("{} config", run.configs));
    }
    if run.damaged > 0 {
        parts.push(format!("{} damaged", run.damaged));
    }
    let seconds = run.until.seconds_since(step.time).max(0.0);
    parts.push(match seconds {
        s if s >= 1.0 => format!("{s:.1} s"),
        s => format!("{:.0} ms", s * 1e3),
    });
    parts.join(", ")
}

fn peer(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "server",
    }
}

fn end(reason: EndReason) -> String {
    match reason {
        EndReason::Fin(by) => format!("closed by {} (FIN)", peer(by)),
        EndReason::Reset(by) => format!("reset by {} (RST)", peer(by)),
        EndReason::Timeout => "idle for too long".into(),
        EndReason::Reused => "a new connection took its address and port".into(),
        EndReason::Evicted => "dropped: too many connections at once".into(),
        EndReason::EndOfCapture(Some(by)) => format!("capture ended after FIN of {}", peer(by)),
        EndReason::EndOfCapture(None) => "capture ended first".into(),
    }
}
