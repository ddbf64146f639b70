//! `publish` and how it is answered (section 7.2.2.6).

use super::command::{command, from_client, info, safe_code};
use crate::analysis::{End, MessageRecord, SessionEnd, Transport};
use crate::base::Direction;
use crate::lint::cause::span;
use crate::lint::context::{CaptureContext, Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::others::OtherSession;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{SessionState, StreamUse};
use crate::lint::words::Words;
use crate::wire::amf::Value;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Publish,
    title: "",
    severity: Severity::Error,
    escalates: None,
    spec: rtmp("7.2.2.6"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "publish/badname",
        title: "Stream name already in use",
        explanation: "The server says NetStream.Publish.BadName: someone publishes this name \
            already, or the server does not accept it. Often it is the encoder's own last \
            connection, which the server has not given up yet.",
        advice: "After a lost connection: wait for the server's timeout, retry with growing \
            pauses, and set drop_idle_publisher or ping on nginx-rtmp. Otherwise somebody else \
            uses the key: change it.",
        covers: &["rtmp/publish/duplicate-name"],
        checks: &[Check::Command(bad_name)],
        ..BASE
    },
    Rule {
        id: "publish/rejected",
        title: "Publish refused",
        explanation: "The server answered publish with an error status. Many encoders do not show \
            the text.",
        advice: "Read the description; look into the server's log at this time for the hook or \
            rule that refused it.",
        covers: &["rtmp/publish/onstatus-shape"],
        checks: &[Check::Command(rejected)],
        ..BASE
    },
    Rule {
        id: "publish/start-then-close",
        title: "Server said Publish.Start, then hung up",
        explanation: "The server accepted the publish and closed the connection at once. It \
            refuses like this when the check of the key, of the address or of a quota ends after \
            the answer was sent: nginx-rtmp (deny publish), Node-Media-Server (sign), lal. Encoders \
            report \"connected\" and try again for ever.",
        advice: "Check the key, the server's allow list and its on_publish hook; the server's log \
            has the reason. The media sent meanwhile is not to blame.",
        needs: Needs::Both,
        checks: &[Check::End(start_then_close)],
        ..BASE
    },
    Rule {
        id: "publish/closed-without-status",
        title: "Server hung up without giving a reason",
        explanation: "The server closed after publish was asked for and before it answered: SRS \
            (security deny, on_publish, name in use), MediaMTX and Twitch refuse a key like this.",
        advice: "Check the key, access rules and hooks, and whether someone publishes that name \
            already. The server should send an onStatus with level error first.",
        covers: &["rtmp/publish/start"],
        needs: Needs::Both,
        checks: &[Check::End(closed_without_status)],
        ..BASE
    },
    Rule {
        id: "publish/name-empty",
        title: "Empty stream key",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        explanation: "publish names no stream. All encoders that do so collide on one name.",
        advice: "Fill in the key field, or look where the encoder splits the URL.",
        covers: &["rtmp/publish/empty-name"],
        checks: &[Check::Command(name_empty)],
        ..BASE
    },
    Rule {
        id: "publish/name-odd",
        title: "Stream key has characters that break clients or servers",
        severity: Severity::Note,
        explanation: "A slash, a space, a control character, a percent escape or a second question \
            mark in the name is read differently by servers.",
        advice: "Use letters, digits, - and _ in the key; quote the URL in the shell.",
        covers: &["rtmp/publish/name-with-query"],
        checks: &[Check::Command(name_odd)],
        ..BASE
    },
    Rule {
        id: "publish/type-odd",
        title: "Publish type is not live, record or append",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        basis: Basis::Spec,
        explanation: "The third argument of publish is missing or something else. Most servers take \
            it for live.",
        advice: "Send \"live\".",
        covers: &["rtmp/publish/type-omitted", "rtmp/publish/type-invalid"],
        checks: &[Check::Command(type_odd)],
        ..BASE
    },
    Rule {
        id: "publish/second-publish",
        title: "Two publishes on one connection",
        severity: Severity::Note,
        explanation: "publish came again without deleteStream, or on a second message stream. \
            Servers with one stream per connection mix them up.",
        advice: "Use a connection per stream, or close the first one before.",
        covers: &["rtmp/publish/two-streams-one-connection"],
        checks: &[Check::Command(second)],
        ..BASE
    },
    Rule {
        id: "publish/reconnect-storm",
        title: "Client retries in a loop and fails each time",
        severity: Severity::Warning,
        explanation: "The same client came again and again for the same stream and was refused or \
            cut off each time. Nothing will change by itself.",
        advice: "Stop the encoder, remove the cause that the other findings name, start it again.",
        needs: Needs::Nothing,
        checks: &[Check::Capture(storm)],
        ..BASE
    },
    Rule {
        id: "publish/key-in-clear",
        title: "Stream key or password is readable in this capture",
        severity: Severity::Note,
        basis: Basis::Robustness,
        explanation: "The connection is not encrypted: who sees it can take over the stream.",
        advice: "Change the key if you hand on the capture, or hand on a sanitized copy; use \
            RTMPS.",
        checks: &[Check::Command(in_clear)],
        ..BASE
    },
];

/// The stream name of a publish.
fn publish_name(record: &MessageRecord) -> Option<String> {
    let command = command(record).filter(|c| from_client(record) && c.name == "publish")?;
    let name = command.arguments.first().and_then(Value::as_text);
    Some(name.map(|name| name.lossy().into_owned()).unwrap_or_default())
}

/// A stream name without its arguments.
pub(super) fn bare(name: &str) -> &str {
    name.split('?').next().unwrap_or("")
}

/// A live session that publishes the same name.
fn rival<'a>(cx: &'a Context<'_>) -> Option<&'a OtherSession> {
    let state = cx.state;
    let name = bare(state.stream_name()?);
    let app = state.connect.as_ref().and_then(|connect| connect.app.as_deref());
    cx.others.live().find(|other| {
        other.session != state.info.session
            && other.used == Some(StreamUse::Publish)
            && other.server == state.info.server
            && other.stream.as_deref().map(bare) == Some(name)
            && other.app.as_deref().map(bare) == app.map(bare)
            && !name.is_empty()
            && other.start <= state.info.time
    })
}

/// Who holds the name, in words.
fn holder(cx: &Context<'_>, other: &OtherSession) -> String {
    let silent = other.last[0].map_or(0.0, |last| cx.now.seconds_since(last));
    let age = cx.now.seconds_since(other.start);
    let session = other.session;
    let same = other.client.ip() == cx.state.info.client.ip();
    match (silent > cx.limit(Limit::GhostSeconds), same) {
        (true, true) => format!(
            "; session {session} of the same client holds it since {age:.0} s and has been silent \
             for {silent:.0} s: its own ghost"
        ),
        (true, false) => format!(
            "; session {session} from {} holds it since {age:.0} s and has been silent for \
             {silent:.0} s",
            other.client.ip()
        ),
        (false, _) => format!(
            "; session {session} from {} has been publishing it for {age:.1} s",
            other.client
        ),
    }
}

fn bad_name(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    let (code, description) = (info(command, "code"), info(command, "description"));
    if code != "NetStream.Publish.BadName" && !description.contains("already publishing") {
        return;
    }
    let words = Words::from("the server refused to publish ")
        .stream(cx.state.stream_name().unwrap_or(""))
        .text(format!(" with {} (", safe_code(&code)))
        .description(&description)
        .text("): the name is in use or not accepted");
    let rival = rival(cx).cloned();
    let mut report = match &rival {
        Some(other) => Report::message(record, words.text(holder(cx, other))),
        None => Report::message(record, words),
    };
    if let Some(other) = rival {
        let place = Place::at(other.start, Some(Direction::ClientToServer));
        report = report.related_session("who holds the name", other.session, place);
    }
    cx.report(report);
}

fn rejected(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    let (code, description) = (info(command, "code"), info(command, "description"));
    let failed = command.name == "_error" || info(command, "level") == "error";
    let answers = record.message.reply.as_ref().map(|reply| reply.command.lossy());
    let of_publish = code.starts_with("NetStream.Publish.")
        || code.starts_with("NetStream.Record.")
        || answers.is_some_and(|name| name == "publish")
        || (command.name == "onStatus" && cx.state.purpose() == Some(StreamUse::Publish));
    if !failed || !of_publish || code == "NetStream.Publish.BadName" {
        return;
    }
    if code.starts_with("NetStream.Play.") || description.contains("already publishing") {
        return;
    }
    let words = Words::from("the server refused to publish ")
        .stream(cx.state.stream_name().unwrap_or(""))
        .text(format!(": {} ", safe_code(&code)))
        .description(&description);
    cx.report(Report::message(record, words));
}

/// Where the server said that the publish started.
fn started(state: &SessionState) -> Option<Place> {
    let published = state.streams().iter().find(|s| s.used == Some(StreamUse::Publish));
    published.and_then(|stream| stream.started.clone())
}

/// Whether the client said goodbye before that.
pub(super) fn said_goodbye(state: &SessionState, closing: &Ending) -> bool {
    state.goodbye.as_ref().is_some_and(|place| place.time <= closing.time)
}

/// Whether the server gave a reason.
fn gave_reason(state: &SessionState) -> bool {
    let harmless = ["releaseStream", "_checkbw", "checkBandwidth", "getStreamLength", "FCPublish"];
    state.statuses().any(|status| {
        status.is_failure()
            && !status.answers.as_deref().is_some_and(|name| harmless.contains(&name))
    })
}

fn start_then_close(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(start) = started(state) else { return };
    let waited = closing.time.seconds_since(start.time);
    if !closing.by_server()
        || said_goodbye(state, &closing)
        || gave_reason(state)
        || waited > cx.limit(Limit::EscalateSeconds)
    {
        return;
    }
    let words = Words::from("the server said NetStream.Publish.Start for ")
        .stream(state.stream_name().unwrap_or(""))
        .text(format!(
            " and closed the connection ({}) {} later without a reason: it refused the publish \
             (key, signature, address or hook denied)",
            closing.how(),
            span(waited)
        ));
    let rival = rival(cx).cloned();
    let words = match &rival {
        Some(other) => words.text(holder(cx, other)),
        None => words,
    };
    let place = Place::at(closing.time, Some(Direction::ServerToClient));
    cx.report(Report::new(place, words).related("Publish.Start", start));
}

fn closed_without_status(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    if state.purpose() != Some(StreamUse::Publish)
        || !closing.by_server()
        || said_goodbye(state, &closing)
        || gave_reason(state)
        || started(state).is_some()
    {
        return;
    }
    let asked = state.used_stream().and_then(|stream| stream.asked.clone());
    let (what, asked) = match (asked, &state.announced) {
        (Some(place), _) => ("publish", place),
        (None, Some((_, place))) => ("FCPublish", place.clone()),
        (None, None) => return,
    };
    let waited = closing.time.seconds_since(asked.time);
    let words = Words::from(format!("the server closed the connection ({}) ", closing.how()))
        .text(format!("{} after {what} of ", span(waited)))
        .stream(state.stream_name().unwrap_or(""))
        .text(" without a status: it refused the publish");
    let rival = rival(cx).cloned();
    let words = match &rival {
        Some(other) => words.text(format!(", as the name is in use{}", holder(cx, other))),
        None => words.text(" (key, access rule or hook denied, or the name is in use)"),
    };
    let place = Place::at(closing.time, Some(Direction::ServerToClient));
    cx.report(Report::new(place, words).related("the request", asked));
}

fn name_empty(cx: &mut Context<'_>, record: &MessageRecord) {
    if publish_name(record).is_some_and(|name| bare(&name).is_empty()) {
        cx.report(Report::message(record, "publish names no stream"));
    }
}

fn name_odd(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(name) = publish_name(record) else { return };
    let odd = [
        ("a slash", bare(&name).contains('/')),
        ("white space", name.contains(char::is_whitespace)),
        ("a control character", name.contains(|c: char| c.is_control())),
        ("a percent escape", bare(&name).contains('%')),
        ("two question marks", name.matches('?').count() > 1),
        ("an argument without a value at its end", name.ends_with(['=', '&', '?'])),
    ];
    let odd: Vec<&str> = odd.into_iter().filter_map(|(what, is)| is.then_some(what)).collect();
    if !odd.is_empty() {
        let words = Words::from("stream name ").stream(&name);
        cx.report(Report::message(record, words.text(format!(" has {}", odd.join(" and ")))));
    }
}

fn type_odd(cx: &mut Context<'_>, record: &MessageRecord) {
    if publish_name(record).is_none() {
        return;
    }
    let kind = command(record).and_then(|command| command.arguments.get(1));
    let known = ["live", "record", "append", "appendWithGap"];
    let words = match kind.and_then(Value::as_text) {
        None => "publish has no type".to_owned(),
        Some(text) if known.iter().any(|k| text.0.eq_ignore_ascii_case(k.as_bytes())) => return,
        Some(text) => format!("publish has a type of {} bytes that is none of them", text.0.len()),
    };
    cx.report(Report::message(record, words));
}

fn second(cx: &mut Context<'_>, record: &MessageRecord) {
    if publish_name(record).is_none() {
        return;
    }
    let mut open = cx.state.streams().iter();
    let open = open.find(|s| s.used == Some(StreamUse::Publish) && s.closed.is_none());
    if let Some(first) = open {
        let words = format!(
            "publish on message stream {} while stream {} is being published",
            record.message.stream_id.unwrap_or(0),
            first.id
        );
        let asked = first.asked.clone();
        cx.report(Report::message(record, words).related_if("the first one", asked.as_ref()));
    }
}

fn storm(cx: &mut CaptureContext<'_>, _end: &End) {
    let window = cx.limit(Limit::StormSeconds);
    let least = cx.limit(Limit::StormSessions) as usize;
    // Sessions of publishers that ended early, by who and what.
    type Key = (std::net::IpAddr, std::net::SocketAddr, Option<String>);
    let mut tries: std::collections::BTreeMap<Key, Vec<&OtherSession>> = Default::default();
    for other in cx.others.ended().filter(|other| other.used == Some(StreamUse::Publish)) {
        let Some((end, reason)) = other.end else { continue };
        use crate::flow::EndReason::{EndOfCapture, Fin, Reset};
        let refused = other.last_status.as_ref().is_some_and(|(code, _)| {
            code.ends_with("BadName") || code.ends_with("Rejected") || code.ends_with("Failed")
        });
        let cut = matches!(
            reason,
            Fin(Direction::ServerToClient)
                | Reset(Direction::ServerToClient)
                | EndOfCapture(Some(Direction::ServerToClient))
        );
        if (refused || cut) && end.seconds_since(other.start) < window / least.max(1) as f64 {
            let name = other.stream.as_deref().map(|name| bare(name).to_owned());
            tries.entry((other.client.ip(), other.server, name)).or_default().push(other);
        }
    }
    let mut reports = Vec::new();
    for ((client, server, name), sessions) in &tries {
        let (Some(first), Some(last)) = (sessions.first(), sessions.last()) else { continue };
        let span_s = last.start.seconds_since(first.start);
        if sessions.len() < least || span_s > window * sessions.len() as f64 / least as f64 {
            continue;
        }
        let period = span_s / (sessions.len() - 1).max(1) as f64;
        let words = Words::from(format!(
            "{client} tried {} times, every {period:.1} s, to publish ",
            sessions.len()
        ))
        .stream(name.as_deref().unwrap_or(""))
        .text(format!(" to {server}, and was refused each time"));
        let mut report =
            Report::new(Place::at(first.start, Some(Direction::ClientToServer)), words);
        for other in sessions.iter().take(8) {
            let place = Place::at(other.start, Some(Direction::ClientToServer));
            report = report.related_session("a try", other.session, place);
        }
        reports.push(report);
    }
    for report in reports {
        cx.report(report);
    }
}

fn in_clear(cx: &mut Context<'_>, record: &MessageRecord) {
    // Elsewhere only a key log makes it readable.
    if !matches!(cx.state.info.transport, Transport::Rtmp | Transport::Rtmpt) {
        return;
    }
    let Some(name) = publish_name(record).filter(|name| !name.is_empty()) else { return };
    // A name such as "live" or "stream" is no secret; a token is.
    let token = name.split_once('?').is_some_and(|(_, query)| query.contains('='));
    let key = bare(&name);
    let mixed =
        key.bytes().any(|b| b.is_ascii_digit()) && key.bytes().any(|b| b.is_ascii_alphabetic());
    let secret = token || (key.len() >= 16 && mixed);
    let what = if token { "a token" } else { "the stream key" };
    let words = format!("{what} of {} bytes goes over the wire in the clear", name.len());
    cx.report(Report::message(record, words).warning_if(secret));
}
