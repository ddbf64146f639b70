//! From the first packet to the first picture: what took how long.

use super::model::SetupStep;
use crate::analysis::index::{Interner, MediaKind, SessionIndex};
use crate::analysis::lanes::{CommandSpan, Lanes, Window};
use crate::base::Timestamp;
use crate::wire::message::MessageType;

/// Commands that are listed at most: a set-up has ten.
const MAX_COMMANDS: usize = 24;

/// The steps of a session in the order they began.
pub(super) fn steps(session: &SessionIndex, strings: &Interner, lanes: &Lanes) -> Vec<SetupStep> {
    let start = session.session.time;
    let seconds = |time: Timestamp| time.seconds_since(start).max(0.0);
    let mut steps = Vec::new();
    let moment = |name: &str, at, detail| SetupStep {
        name: name.into(),
        at,
        until: None,
        state: "moment",
        detail,
    };
    let name = if session.session.midstream { "capture begins" } else { "connection" };
    steps.push(moment(name, 0.0, None));
    if let Some(last) = session.handshakes.iter().map(|record| record.handshake.time).max() {
        let good = session.handshakes.iter().all(|record| record.handshake.complete);
        let both = session.handshakes.len() == 2;
        steps.push(SetupStep {
            name: "handshake".into(),
            at: 0.0,
            until: both.then(|| seconds(last)),
            state: match (both, good) {
                (true, true) => "ok",
                (true, false) => "failed",
                _ => "unanswered",
            },
            detail: session.handshakes.first().map(|r| r.handshake.scheme.name().to_owned()),
        });
    }
    let first = |wanted: &dyn Fn(MessageType, MediaKind) -> bool| {
        session.rows.iter().find(|row| wanted(row.type_id, row.media))
    };
    let coded = |kind: MessageType| move |t: MessageType, m: MediaKind| t == kind && m.is_coded();
    let audio = first(&coded(MessageType::AUDIO));
    let video = first(&coded(MessageType::VIDEO));
    let key = first(&|_, media| media == MediaKind::Key);
    let metadata = session.metadata.first().and_then(|m| session.rows.get(m.row));
    let until = [audio, video].into_iter().flatten().map(|row| row.time).min();
    let window = Window::new(start.0, until.unwrap_or(session.last).0.saturating_add(1));
    let commands = lanes.view(session, strings, window, 1).commands;
    steps.extend(
        commands.iter().take(MAX_COMMANDS).map(|span| command(span, session, strings, start)),
    );
    for (name, row) in [
        ("metadata", metadata),
        ("first audio", audio),
        ("first video", video),
        ("first key frame", key),
    ] {
        if let Some(row) = row {
            let label = strings.get(row.label);
            let detail = (!label.is_empty() && name != "metadata").then(|| label.to_owned());
            steps.push(moment(name, seconds(row.time), detail));
        }
    }
    steps.sort_by(|a, b| a.at.total_cmp(&b.at));
    steps
}

fn command(
    span: &CommandSpan,
    session: &SessionIndex,
    strings: &Interner,
    start: Timestamp,
) -> SetupStep {
    let seconds = |at: i64| Timestamp(at).seconds_since(start).max(0.0);
    let name = strings.get(span.name);
    let code = strings.get(span.code);
    // A status that answers no known command, and commands that want no answer, are moments.
    let wants_answer = session.rows.get(span.row).is_some_and(|_| {
        matches!(name, "connect" | "createStream" | "publish" | "play" | "initStream")
    });
    SetupStep {
        name: name.to_owned(),
        at: seconds(span.at),
        until: span.until.map(seconds),
        state: match (span.failed, span.until) {
            (true, _) => "failed",
            (false, Some(_)) => "ok",
            (false, None) if wants_answer => "unanswered",
            (false, None) => "moment",
        },
        detail: (!code.is_empty()).then(|| code.to_owned()),
    }
}
