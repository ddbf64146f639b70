//! Calls and their answers.

use super::command::{command, from_client};
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::cause::span;
use crate::lint::context::{Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{Kind, Request, StreamUse};
use crate::wire::amf::Value;

/// What these rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// Calls that were reported as unanswered, by time.
    reported: Option<crate::base::Timestamp>,
}

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Command,
    title: "",
    severity: Severity::Warning,
    escalates: None,
    spec: rtmp("7.2.1"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Both,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "command/no-reply",
        title: "Server never answered a command",
        explanation: "A command with a transaction id asks for an answer. Without that of connect \
            and createStream the client is stuck; the others (releaseStream, FCPublish, _checkbw) \
            most clients do not wait for, but hardware encoders (ATEM) may.",
        advice: "Look at the server at this time: a hook that blocks, an overloaded worker, a \
            command that it does not know and should answer with _error.",
        covers: &["rtmp/call/unknown-method", "rtmp/connect/no-reply-timeout"],
        checks: &[Check::Tick(no_reply), Check::End(no_reply_at_end)],
        ..BASE
    },
    Rule {
        id: "command/txid-mismatch",
        title: "Reply carries a transaction id nobody is waiting for",
        escalates: Some(Severity::Error),
        explanation: "Clients find the call that a reply belongs to by its transaction id. A wrong \
            one is ignored, and the client waits for ever.",
        advice: "The server must repeat the transaction id of the call, and answer it once.",
        covers: &["rtmp/connect/txn-echo"],
        checks: &[Check::Command(mismatch)],
        ..BASE
    },
    Rule {
        id: "command/createstream-odd",
        title: "createStream result is unusual",
        escalates: Some(Severity::Error),
        spec: rtmp("7.2.1.3"),
        explanation: "The message stream id must be a positive whole number that is not in use.",
        advice: "Fix the server; 1 is what nearly all of them answer first.",
        covers: &["rtmp/createstream/result", "rtmp/createstream/distinct-ids"],
        checks: &[Check::Command(create_stream)],
        ..BASE
    },
    Rule {
        id: "command/status-on-wrong-stream",
        title: "onStatus sent on another message stream",
        escalates: Some(Severity::Error),
        spec: rtmp("7.2.2"),
        explanation: "A NetStream status belongs on the message stream that was published or \
            played. GStreamer's rtmp2src reports \"play failed: cancelled\" when it comes on 0.",
        advice: "The server must send it with the message stream id of the request.",
        covers: &["rtmp/publish/onstatus-shape"],
        checks: &[Check::Command(status_stream)],
        ..BASE
    },
    Rule {
        id: "command/optional-call-kills",
        title: "Server closed on an optional command",
        explanation: "The last thing the client sent was a command that servers need not know, and \
            the server closed right after it (Reolink cameras do on getStreamLength).",
        advice: "Use a client that leaves the command out, or report it to the server's maker.",
        checks: &[Check::End(optional)],
        ..BASE
    },
    Rule {
        id: "command/play-codecs-undeclared",
        title: "Player did not declare its codecs",
        severity: Severity::Note,
        spec: rtmp("7.2.1.1"),
        explanation: "connect lacks audioCodecs or videoCodecs, or says 0, and media of one kind \
            never came. Adobe's server leaves out what the player does not announce.",
        advice: "Announce the codecs in connect.",
        checks: &[Check::End(undeclared)],
        ..BASE
    },
];

/// How bad it is when a call has no answer.
fn weight(request: &Request) -> Option<Severity> {
    if request.transaction_id.unwrap_or(0.0) == 0.0 {
        return None;
    }
    match request.command.as_str() {
        "connect" | "createStream" => Some(Severity::Error),
        "releaseStream" | "FCPublish" | "FCUnpublish" | "FCSubscribe" | "FCUnsubscribe"
        | "_checkbw" | "checkBandwidth" | "getStreamLength" => Some(Severity::Note),
        // They answer with onStatus, which play and publish have rules for, or not at all.
        "publish" | "play" | "play2" | "deleteStream" | "closeStream" | "receiveAudio"
        | "receiveVideo" | "pause" | "pauseRaw" | "seek" | "close" | "onBWDone" => None,
        _ => Some(Severity::Warning),
    }
}

fn no_reply(cx: &mut Context<'_>) {
    let patience = cx.limit(Limit::ReplySeconds);
    late(cx, patience);
}

fn no_reply_at_end(cx: &mut Context<'_>, end: &SessionEnd) {
    let closing = Ending::of(end);
    // The server's own close has rules of its own: it did not forget to answer.
    if !closing.by_server() {
        let patience = cx.limit(Limit::ReplySeconds);
        late(cx, patience);
    }
}

fn late(cx: &mut Context<'_>, patience: f64) {
    let state = cx.state;
    let told = cx.memory.calls.reported;
    for request in state.pending() {
        let waited = cx.now.seconds_since(request.place.time);
        if request.direction != Direction::ClientToServer
            || waited < patience
            || told.is_some_and(|told| request.place.time <= told)
        {
            continue;
        }
        cx.memory.calls.reported = cx.memory.calls.reported.max(Some(request.place.time));
        if let Some(severity) = weight(request) {
            let words = format!("the client waits for the answer to {}", known(&request.command));
            cx.report(
                Report::new(request.place.clone(), words)
                    .severity(severity)
                    .weight(severity as u8 as f64 * 1e6 + waited),
            );
        }
    }
}

/// A command's name, if it is one that the protocol knows: another may hold anything.
fn known(name: &str) -> &str {
    const KNOWN: &[&str] = &[
        "connect",
        "createStream",
        "releaseStream",
        "FCPublish",
        "FCUnpublish",
        "FCSubscribe",
        "FCUnsubscribe",
        "_checkbw",
        "checkBandwidth",
        "getStreamLength",
        "publish",
        "play",
        "deleteStream",
        "closeStream",
        "call",
        "close",
    ];
    KNOWN.iter().copied().find(|known| *known == name).unwrap_or("a command of its own")
}

fn mismatch(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|command| command.is_reply()) else { return };
    let asker = cx.state.side(record.message.direction.reverse());
    if record.message.reply.is_some() || asker.bad_chunk_size {
        return;
    }
    let id = command.transaction_id.map_or("none".to_owned(), |id| id.to_string());
    let who = record.message.direction.reverse();
    let waiting: Vec<String> = cx
        .state
        .pending()
        .filter(|request| request.direction == who)
        .filter_map(|request| {
            Some(format!("{} for {}", request.transaction_id?, known(&request.command)))
        })
        .take(4)
        .collect();
    let open = if waiting.is_empty() { "nothing".to_owned() } else { waiting.join(", ") };
    let words = format!("{} with transaction id {id}; open are: {open}", command.name.lossy());
    cx.report(Report::message(record, words));
}

fn create_stream(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|command| command.name == "_result") else { return };
    if record.message.reply.as_ref().is_none_or(|reply| reply.command != "createStream") {
        return;
    }
    let words = match command.arguments.first().and_then(Value::as_number) {
        None => "the answer to createStream holds no number".to_owned(),
        Some(id) if id < 1.0 || id.fract() != 0.0 || id > f64::from(1 << 24) => {
            format!("createStream gave message stream {id}")
        }
        Some(id) => {
            let open = cx.state.stream(id as u32);
            if open.is_none_or(|stream| stream.used.is_none() || stream.closed.is_some()) {
                return;
            }
            format!("createStream gave message stream {id}, which is in use")
        }
    };
    cx.report(Report::message(record, words));
}

fn status_stream(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|c| !from_client(record) && c.name == "onStatus")
    else {
        return;
    };
    let code = super::command::info(command, "code");
    let wanted = match code.split('.').nth(1) {
        Some("Publish") => StreamUse::Publish,
        Some("Play") => StreamUse::Play,
        _ => return,
    };
    let mut used = cx.state.streams().iter().filter(|stream| stream.used == Some(wanted));
    let Some(first) = used.next() else { return };
    let said = record.message.stream_id.unwrap_or(0);
    if said != first.id && used.all(|stream| stream.id != said) {
        let words = format!(
            "{} came on message stream {said}; it was asked for on {}",
            super::command::safe_code(&code),
            first.id
        );
        cx.report(Report::message(record, words));
    }
}

fn optional(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let Some(last) = state.last_request(Direction::ClientToServer) else { return };
    let waited = closing.time.seconds_since(last.place.time);
    let optional = ["getStreamLength", "_checkbw", "checkBandwidth", "FCSubscribe"];
    // It must be alone: a server that closes for another reason leaves createStream open as well.
    let alone = state.pending().filter(|r| weight(r).is_some()).count() <= 1;
    if closing.by_server()
        && optional.contains(&last.command.as_str())
        && waited <= 0.5
        && alone
        && state.client().last.as_ref().is_some_and(|(_, place)| place.bytes == last.place.bytes)
        && state.client().media_messages() == 0
    {
        let words = format!("the server closed {} after {}", span(waited), last.command);
        cx.report(Report::new(last.place.clone(), words));
    }
}

fn undeclared(cx: &mut Context<'_>, _end: &SessionEnd) {
    let state = cx.state;
    let Some(connect) = state.connect.as_ref() else { return };
    let server = state.server();
    if state.purpose() != Some(StreamUse::Play) || server.media_messages() < 50 {
        return;
    }
    for (name, kind) in [("audioCodecs", Kind::Audio), ("videoCodecs", Kind::Video)] {
        let said = connect.object.get(name).and_then(Value::as_number).unwrap_or(0.0);
        let came = server.tracks().iter().any(|track| track.kind == kind && track.frames > 0);
        if said == 0.0 && !came {
            let words = format!("{name} is absent or 0, and no {} came", kind.name());
            let place =
                Place { direction: Some(Direction::ClientToServer), ..connect.place.clone() };
            cx.report(Report::new(place, words));
        }
    }
}
