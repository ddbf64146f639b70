//! `play`, how it is answered and what comes of it (section 7.2.2.1).

use super::command::{command, from_client, info, safe_code};
use super::publish::{bare, said_goodbye};
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::cause::span;
use crate::lint::context::{Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{SessionState, Stream, StreamUse};
use crate::lint::words::Words;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Play,
    title: "",
    severity: Severity::Error,
    escalates: None,
    spec: rtmp("7.2.2.1"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "play/stream-not-found",
        title: "Stream not found",
        explanation: "The server says that it has no stream or file of that name.",
        advice: "Check spelling, letter case and slashes; whether the publisher is on; for a file, \
            whether it is where the server looks.",
        covers: &["rtmp/play/missing-stream"],
        checks: &[Check::Command(not_found)],
        ..BASE
    },
    Rule {
        id: "play/rejected",
        title: "Play refused",
        explanation: "The server answered play with an error status.",
        advice: "Read the description; look into the server's log at this time.",
        checks: &[Check::Command(rejected)],
        ..BASE
    },
    Rule {
        id: "play/start-then-close",
        title: "Server said Play.Start, then hung up",
        explanation: "The server accepted the play and closed at once, without media and without a \
            reason. nginx-rtmp (deny play), Node-Media-Server and lal refuse a player like this.",
        advice: "Check the server's allow list, its on_play hook and the token in the URL.",
        needs: Needs::Both,
        checks: &[Check::End(start_then_close)],
        ..BASE
    },
    Rule {
        id: "play/closed-without-status",
        title: "Server hung up on a player without giving a reason",
        explanation: "The server closed after play was asked for and before it answered: SRS does \
            (security deny, on_play).",
        advice: "Check access rules, hooks and the token in the URL; the server's log has the \
            reason.",
        needs: Needs::Both,
        checks: &[Check::End(closed_without_status)],
        ..BASE
    },
    Rule {
        id: "play/start-without-media",
        title: "Server said Play.Start but nothing plays",
        explanation: "The server accepted the play, but no audio and no video came. nginx-rtmp, \
            SRS and Node-Media-Server accept any name and wait for a publisher; nginx-rtmp then \
            sends no Stream Begin.",
        advice: "No publisher is on under this name: check spelling, letter case, a slash or a \
            query too many, and whether the publisher is on air.",
        covers: &["rtmp/play/missing-stream"],
        needs: Needs::Both,
        checks: &[Check::End(start_without_media)],
        ..BASE
    },
    Rule {
        id: "play/no-answer",
        title: "Server never answered play",
        explanation: "play got neither a status nor media. crtmpserver and rtmp-server-rs wait like \
            this for a stream that does not exist.",
        advice: "Check the name and whether its publisher is on.",
        covers: &["rtmp/play/start"],
        needs: Needs::Both,
        checks: &[Check::End(no_answer)],
        ..BASE
    },
    Rule {
        id: "play/publisher-left",
        title: "Publisher stopped during play",
        severity: Severity::Note,
        explanation: "The server told the player that the stream ended: UnpublishNotify, Stream \
            EOF or Play.Stop.",
        advice: "Look at the publisher's session.",
        covers: &["rtmp/publish/unpublish-notify-players"],
        checks: &[Check::Command(publisher_left)],
        ..BASE
    },
];

fn played(state: &SessionState) -> Option<&Stream> {
    state.streams().iter().find(|stream| stream.used == Some(StreamUse::Play))
}

/// Where the server said that the play started; some say it on message stream 0 (rtmpsrv).
fn started(state: &SessionState) -> Option<Place> {
    let own = played(state)?.started.clone();
    let anywhere = || state.statuses().find(|status| status.code == "NetStream.Play.Start");
    own.or_else(|| Some(anywhere()?.place.clone()))
}

/// Whether the server said that the stream is over.
fn said_over(state: &SessionState) -> bool {
    let over = ["NetStream.Play.Stop", "NetStream.Play.Complete", "NetStream.Play.UnpublishNotify"];
    state.statuses().any(|status| over.contains(&status.code.as_str()))
}

/// A published name of this capture that is nearly the one that was played.
fn near_name(cx: &Context<'_>, name: &str) -> Option<String> {
    let name = bare(name).trim_matches('/').to_ascii_lowercase();
    let all = cx.others.live().chain(cx.others.ended());
    let mut published = all.filter(|other| other.used == Some(StreamUse::Publish));
    let near = published.find_map(|other| {
        let candidate = bare(other.stream.as_deref()?).to_owned();
        let plain = candidate.trim_matches('/').to_ascii_lowercase();
        (distance(&plain, &name) <= 2 && !plain.is_empty()).then_some(candidate)
    });
    near.filter(|near| *near != name)
}

/// Edits that make one word of the other; names are short, and longer ones are cut.
fn distance(a: &str, b: &str) -> usize {
    let cut = |text: &str| text.bytes().take(64).collect::<Vec<u8>>();
    let (a, b) = (cut(a), cut(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, y) in b.iter().enumerate() {
            let keep = before + usize::from(x != y);
            let left = row.get(j).copied().unwrap_or(usize::MAX - 1);
            let Some(cell) = row.get_mut(j + 1) else { continue };
            before = *cell;
            *cell = keep.min(before + 1).min(left + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Words with a hint at a name that is nearly the same.
fn with_hint(cx: &Context<'_>, words: Words, name: &str) -> Words {
    match near_name(cx, name) {
        Some(near) => words.text("; a publisher in this capture uses ").stream(&near),
        None => words,
    }
}

fn not_found(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    let (code, description) = (info(command, "code"), info(command, "description"));
    if code != "NetStream.Play.StreamNotFound" && code != "NetStream.Play.FileNotFound" {
        return;
    }
    let name = cx.state.stream_name().unwrap_or("");
    let words = Words::from("the server has no stream ").stream(name);
    let words = words.text(format!(" ({} ", safe_code(&code))).description(&description).text(")");
    let words = with_hint(cx, words, name);
    cx.report(Report::message(record, words));
}

fn rejected(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    let (code, description) = (info(command, "code"), info(command, "description"));
    let failed = info(command, "level") == "error";
    let known = ["NetStream.Play.StreamNotFound", "NetStream.Play.FileNotFound"];
    let of_play = code.starts_with("NetStream.Play.")
        || command.name == "onStatus" && cx.state.purpose() == Some(StreamUse::Play);
    if failed && of_play && !known.contains(&code.as_str()) {
        let words = Words::from("the server refused to play ")
            .stream(cx.state.stream_name().unwrap_or(""))
            .text(format!(": {} ", safe_code(&code)))
            .description(&description);
        cx.report(Report::message(record, words));
    }
}

/// Whether the server said what is wrong.
fn gave_reason(state: &SessionState) -> bool {
    state.statuses().any(|status| status.is_failure() && status.code.starts_with("NetStream."))
}

fn start_then_close(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(start) = started(state) else { return };
    let waited = closing.time.seconds_since(start.time);
    if closing.by_server()
        && !said_goodbye(state, &closing)
        && !gave_reason(state)
        && !said_over(state)
        && state.server().media_messages() == 0
        && waited <= cx.limit(Limit::EscalateSeconds)
    {
        let words = Words::from("the server said NetStream.Play.Start for ")
            .stream(state.stream_name().unwrap_or(""))
            .text(format!(
                " and closed the connection ({}) {} later without media or a reason: it refused \
                 the player (access rule, token or hook denied)",
                closing.how(),
                span(waited)
            ));
        let place = Place::at(closing.time, Some(Direction::ServerToClient));
        cx.report(Report::new(place, words).related("Play.Start", start));
    }
}

fn closed_without_status(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(stream) = played(state) else { return };
    let Some(asked) = stream.asked.clone().filter(|_| started(state).is_none()) else { return };
    if closing.by_server()
        && !said_goodbye(state, &closing)
        && !gave_reason(state)
        && state.server().media_messages() == 0
    {
        let waited = closing.time.seconds_since(asked.time);
        let words = Words::from(format!("the server closed the connection ({}) ", closing.how()))
            .text(format!("{} after play of ", span(waited)))
            .stream(state.stream_name().unwrap_or(""))
            .text(
                " without a status: it refused the player (access rule, token or hook denied), or \
                 broke down",
            );
        let place = Place::at(closing.time, Some(Direction::ServerToClient));
        cx.report(Report::new(place, words).related("the request", asked));
    }
}

fn start_without_media(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(start) = started(state) else { return };
    let waited = closing.time.seconds_since(start.time);
    if closing.by_server()
        || state.server().media_messages() > 0
        || gave_reason(state)
        || waited < cx.limit(Limit::PlaySeconds)
    {
        return;
    }
    let name = state.stream_name().unwrap_or("");
    let words = Words::from("Play.Start for ").stream(name).text(format!(
        ", then no audio and no video for {}: nobody publishes this name",
        span(waited)
    ));
    let words = with_hint(cx, words, name);
    cx.report(Report::new(start, words));
}

fn no_answer(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(stream) = played(state) else { return };
    let Some(asked) = stream.asked.clone() else { return };
    let waited = closing.time.seconds_since(asked.time);
    if started(state).is_none()
        && stream.last_code.is_empty()
        && !closing.by_server()
        && state.server().media_messages() == 0
        && waited >= cx.limit(Limit::PlaySeconds)
    {
        let name = stream.name.as_deref().unwrap_or("");
        let words = Words::from("the server neither answered play of ")
            .stream(name)
            .text(format!(" nor sent media in {}: nobody publishes this name", span(waited)));
        let words = with_hint(cx, words, name);
        cx.report(Report::new(asked, words));
    }
}

fn publisher_left(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    let code = info(command, "code");
    let ended =
        ["NetStream.Play.UnpublishNotify", "NetStream.Play.Stop", "NetStream.Play.Complete"];
    // After the player's own deleteStream it says nothing about the publisher.
    if ended.contains(&code.as_str()) && cx.state.goodbye.is_none() {
        cx.report(Report::message(record, format!("the server says {}", safe_code(&code))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_near_by_edits() {
        assert_eq!(distance("stream", "stream"), 0);
        assert_eq!(distance("stream", "streams"), 1);
        assert_eq!(distance("Cam1", "cam2"), 2);
        assert_eq!(distance("", "abc"), 3);
    }
}
