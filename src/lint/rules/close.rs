//! How connections end.

use super::publish::said_goodbye;
use crate::analysis::{End, SessionEnd};
use crate::base::Direction;
use crate::lint::cause::span;
use crate::lint::context::{CaptureContext, Context, Report};
use crate::lint::ending::{CloseKind, Ending};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::others::OtherSession;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::lint::state::{Kind, SessionState, Side};
use crate::lint::words::Words;
use crate::wire::message::MessageType;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Close,
    title: "",
    severity: Severity::Note,
    escalates: None,
    spec: None,
    basis: Basis::Robustness,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Nothing,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "close/verdict",
        title: "Who ended the session, when, and after what",
        explanation: "Every session gets it: who closed first and how, its age and bytes, the last \
            message of each side, calls that were open.",
        advice: "Nothing to do by itself.",
        checks: &[Check::End(verdict)],
        ..BASE
    },
    Rule {
        id: "close/error-status-before",
        title: "Session ended because of a status",
        severity: Severity::Error,
        explanation: "The server sent a status of level error and then one of the sides closed.",
        advice: "The description says what the server did not like.",
        needs: Needs::Message,
        checks: &[Check::End(error_status)],
        ..BASE
    },
    Rule {
        id: "close/mid-message",
        title: "Connection was cut in the middle of a message",
        explanation: "The last message is not complete. When its receiver closed, it may be the \
            message that it did not accept; when its sender did, it was killed or gave up.",
        advice: "Look at the size and the type of that message.",
        needs: Needs::Both,
        checks: &[Check::End(mid_message)],
        ..BASE
    },
    Rule {
        id: "close/on-first-media",
        title: "Server closed on the first message of a kind",
        severity: Severity::Error,
        explanation: "The server closed right after the first audio, video or metadata message: it \
            does not accept that format. Older MediaMTX and Nimble close on Enhanced RTMP.",
        advice: "Publish H.264 and AAC, or update the server.",
        needs: Needs::Both,
        checks: &[Check::End(first_media)],
        ..BASE
    },
    Rule {
        id: "close/calls-pending",
        title: "Closed while a request was unanswered",
        severity: Severity::Warning,
        explanation: "The connection ended while the client still waited for an answer.",
        advice: "See which call it was; a server that refuses should answer with _error.",
        needs: Needs::Both,
        checks: &[Check::End(pending)],
        ..BASE
    },
    Rule {
        id: "close/periodic",
        title: "Sessions die at the same age or byte count",
        severity: Severity::Warning,
        explanation: "Several sessions ended at nearly the same age or byte count, or at a number \
            that is known for it: 30, 60, 350 s are idle timers of proxies, 4 h 39 min 37 s is \
            where 24-bit timestamps end, 2^31 and 2^32 bytes are counters.",
        advice: "Look for the timer or the counter of that size on the way.",
        checks: &[Check::Capture(periodic)],
        ..BASE
    },
    Rule {
        id: "close/graceful",
        title: "Normal end",
        explanation: "The client said FCUnpublish, closeStream or deleteStream and closed. A reset \
            by the client right after that is normal: FFmpeg does not read the server's last \
            status.",
        advice: "Nothing to do.",
        checks: &[Check::End(graceful)],
        ..BASE
    },
];

fn last_words(side: &Side) -> String {
    match (&side.last, side.last_message) {
        (Some((type_id, _)), _) => type_id.kind().to_string(),
        (None, Some(_)) => "media".to_owned(),
        (None, None) => "nothing".to_owned(),
    }
}

fn verdict(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let who = match (closing.by, closing.kind) {
        (Some(Direction::ClientToServer), _) => "closed by the client",
        (Some(Direction::ServerToClient), _) => "closed by the server",
        (None, CloseKind::CaptureEnded) => "still open when the capture ended",
        (None, _) => "given up: nothing came any more",
    };
    let how =
        if closing.how().is_empty() { String::new() } else { format!(" ({})", closing.how()) };
    let age = closing.time.seconds_since(end.start);
    let words = Words::from(format!(
        "{who}{how} after {}; {} bytes from the client, {} from the server; last: {} and {}",
        span(age),
        end.tcp[0].bytes,
        end.tcp[1].bytes,
        last_words(state.client()),
        last_words(state.server()),
    ));
    cx.report(Report::new(Place::at(closing.time, closing.by), words));
}

fn error_status(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let last = state.statuses().rev().find(|status| {
        let optional = ["releaseStream", "_checkbw", "checkBandwidth", "getStreamLength"];
        status.direction == Direction::ServerToClient
            && status.is_failure()
            && !status.answers.as_deref().is_some_and(|name| optional.contains(&name))
    });
    let Some(status) = last.filter(|_| closing.by.is_some()) else { return };
    if closing.time.seconds_since(status.time) <= cx.limit(Limit::StatusSeconds) {
        let login = status.description.contains("authmod=");
        let words = Words::from(format!("{} ", super::command::safe_code(&status.code)))
            .description(&status.description)
            .text(format!(", {} before the end", span(closing.time.seconds_since(status.time))));
        let report = Report::new(status.place.clone(), words);
        // A login is refused twice before it succeeds.
        cx.report(if login { report.severity(Severity::Note) } else { report });
    }
}

fn mid_message(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    if closing.by.is_none() {
        return;
    }
    for side in &state.sides {
        let Some(cut) = &side.cut else { continue };
        let receiver = closing.by == Some(side.direction.reverse());
        // A client that stops writes its last command into a closing connection.
        let media = cut.type_id.is_media() || cut.type_id == MessageType::AGGREGATE;
        let bad = media && !said_goodbye(state, &closing);
        let words = format!(
            "{} message of {} bytes, of which {} came; the {} closed",
            cut.type_id.kind(),
            cut.length,
            cut.received,
            if receiver { "receiver" } else { "sender" }
        );
        let report = Report::new(cut.place.clone(), words).warning_if(bad);
        cx.report(report.error_if(bad && receiver));
    }
}

fn first_media(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    let client = state.client();
    // One message of a kind more or less: FFmpeg sends a codec header and a few frames at once.
    let Some((first, last)) = client.media_times() else { return };
    let soon = cx.limit(Limit::FirstMediaSeconds);
    if !closing.by_server()
        || said_goodbye(state, &closing)
        || closing.time.seconds_since(first) > cx.limit(Limit::EscalateSeconds)
        || closing.time.seconds_since(last) > soon
        || refused(state)
    {
        return;
    }
    let started = state.used_stream().and_then(|stream| stream.started.as_ref());
    // With a start just before, the publish itself was refused.
    if started.is_none_or(|start| first.seconds_since(start.time) < 0.0) {
        return;
    }
    let newest = client.tracks().iter().max_by_key(|track| track.first_message);
    let Some(track) = newest else { return };
    let waited = closing.time.seconds_since(track.first_message);
    let usual = matches!(track.codec, "avc" | "aac") && track.fourcc.is_none();
    if waited <= soon && !usual {
        let kind = match track.kind {
            Kind::Audio => "audio",
            Kind::Video => "video",
        };
        let words = format!(
            "the server closed {} after the first {kind} message ({})",
            span(waited),
            track.codec
        );
        let place = Place::at(closing.time, Some(Direction::ServerToClient));
        cx.report(Report::new(place, words));
    }
}

fn refused(state: &SessionState) -> bool {
    state.statuses().any(|status| status.is_failure() && status.code.starts_with("NetStream."))
}

fn pending(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    if !closing.by_server() || said_goodbye(state, &closing) {
        return;
    }
    let open = state.pending().find(|request| {
        request.direction == Direction::ClientToServer
            && ["connect", "createStream"].contains(&request.command.as_str())
    });
    if let Some(request) = open {
        let waited = closing.time.seconds_since(request.place.time);
        let words = format!("{} was unanswered for {}", request.command, span(waited));
        cx.report(Report::new(request.place.clone(), words));
    }
}

/// Ages in seconds at which connections are known to die, and why.
const AGES: &[(f64, &str)] = &[
    (30.0, "30 s: an idle timer"),
    (60.0, "60 s: an idle timer of a proxy"),
    (240.0, "240 s: the idle timer of Azure's load balancer"),
    (350.0, "350 s: the idle timer of AWS load balancers"),
    (1800.0, "30 min"),
    (16_777.215, "4 h 39 min 37 s: where 24-bit timestamps end"),
    (86_400.0, "24 h: a limit of the service"),
    (172_800.0, "48 h: a limit of the service"),
];

/// Byte counts at which connections are known to die, and why.
const BYTES: &[(f64, &str)] = &[
    (2_147_483_648.0, "2^31 bytes: a signed counter"),
    (4_026_531_840.0, "3.75 GiB: Node-Media-Server's acknowledgement counter"),
    (4_294_967_296.0, "2^32 bytes: an unsigned counter"),
];

fn age(other: &OtherSession) -> Option<f64> {
    Some(other.end?.0.seconds_since(other.start))
}

fn near(value: f64, table: &[(f64, &'static str)], share: f64) -> Option<&'static str> {
    let close = |known: f64| (value - known).abs() <= known * share;
    table.iter().find(|(known, _)| close(*known)).map(|(_, what)| *what)
}

fn periodic(cx: &mut CaptureContext<'_>, _end: &End) {
    use crate::flow::EndReason::{Fin, Reset};
    let least = cx.limit(Limit::PeriodicSessions) as usize;
    let ended: Vec<&OtherSession> = cx
        .others
        .ended()
        .filter(|other| matches!(other.end, Some((_, Fin(_) | Reset(_)))))
        // Short sessions agree because they do the same thing.
        .filter(|other| age(other).is_some_and(|age| age >= 20.0))
        .collect();
    let mut found: Vec<(usize, Report)> = Vec::new();
    for (at, first) in ended.iter().enumerate() {
        let Some(own) = age(first) else { continue };
        let alike: Vec<&&OtherSession> = ended
            .iter()
            .skip(at)
            .filter(|other| {
                let close = age(other).is_some_and(|age| (age - own).abs() <= own * 0.02);
                other.server == first.server && other.used == first.used && close
            })
            .collect();
        let known = near(own, AGES, 0.02).or(near(first.bytes[0] as f64, BYTES, 0.01));
        if alike.len() >= least || alike.len() >= 2 && known.is_some() {
            let why = known.map(|why| format!(" ({why})")).unwrap_or_default();
            let words =
                format!("{} sessions ended at an age of about {own:.0} s{why}", alike.len());
            let mut report = Report::new(Place::at(first.start, None), words);
            for other in alike.iter().take(8) {
                let place = Place::at(other.start, None);
                report = report.related_session("a session", other.session, place);
            }
            found.push((alike.len(), report));
        }
    }
    if let Some((_, report)) = found.into_iter().max_by_key(|(count, _)| *count) {
        cx.report(report);
    }
}

fn graceful(cx: &mut Context<'_>, end: &SessionEnd) {
    let closing = Ending::of(end);
    if said_goodbye(cx.state, &closing) && closing.by.is_some() {
        let who = if closing.by_client() { "client" } else { "server" };
        let words = format!("the client said goodbye, and the {who} closed");
        cx.report(Report::new(Place::at(closing.time, closing.by), words));
    }
}
