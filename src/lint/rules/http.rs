//! HTTP where RTMP was expected.

use crate::analysis::{SessionEnd, SessionRecord, Transport, TransportRecord};
use crate::base::Direction;
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};

/// What the rules for RTMPT keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// Requests of the session by what the tunnel said last: sends, and whether it was closed.
    polling: Option<(u64, bool)>,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "http/http-client-on-rtmp-port",
        layer: Layer::Http,
        title: "Someone sent HTTP to the RTMP port",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The client begins with an HTTP request line. An RTMP server takes its first \
        letter for the version in C0 (71 is G, 80 is P, 72 is H, 79 is O) and either closes or \
        waits for the rest of C1.",
        advice: "The URL says http:// in place of rtmp://, a web scanner found the port, or a player \
        fell back to RTMPT, which this port does not speak.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Session(http_client)],
    },
    Rule {
        id: "http/rtmpt-not-supported",
        layer: Layer::Http,
        title: "Server has no RTMPT endpoint",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "The client asked for a tunnel with POST /open/1, and the server answered as \
            a web server that knows no such path. Some clients go on all the same, with the text \
            of the error page for a session id.",
        advice: "The server (nginx-rtmp, for one) has no tunnelling. Switch the player's fallback \
            to RTMPT off, or put a server in front that speaks it.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("http", not_supported)],
    },
    Rule {
        id: "http/rtmpt-session-lost",
        layer: Layer::Http,
        title: "Tunnel session id is no longer known",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "Requests of the session were answered well, then one was refused: the server \
            does not know the session any more.",
        advice: "Requests reach different servers behind a load balancer (send all of a session to \
            one), or the server gave the session up between two polls (raise its timeout).",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("http", session_lost)],
    },
    Rule {
        id: "http/rtmpt-sequence-broken",
        layer: Layer::Http,
        title: "Tunnel requests do not count up by one",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "Every request of a session has a number, one more than the request before. \
            One is missing or came twice: the server loses bytes of the stream, or reads some \
            twice, and then finds no chunk header where one must be.",
        advice: "A client must wait for the answer before its next request, whatever connection \
            that takes; a proxy must not repeat a POST.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::Fact("http", sequence_broken)],
    },
    Rule {
        id: "http/rtmpt-keepalive-limit",
        layer: Layer::Http,
        title: "HTTP keep-alive request limit ended the tunnel",
        severity: Severity::Warning,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The server closed the connection after a round number of answers, and the \
            client took that for the end of the session. HTTP allows it: a session does not depend \
            on a connection.",
        advice: "Raise the limit (keepalive_requests in nginx). The client should connect again \
            and go on with the same session id.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("http", keepalive_limit)],
    },
    Rule {
        id: "http/rtmpt-never-closed",
        layer: Layer::Http,
        title: "The client left without closing its tunnel",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::DeFacto,
        explanation: "Polling stopped and no POST /close came. The server cannot tell a client \
            that left from one that is slow: it holds the session until a timer runs out.",
        advice: "Until then the stream name may count as taken. Have the client send /close; keep \
            the server's timer for idle tunnels short.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Fact("http", polling), Check::End(never_closed)],
    },
];

/// A round number of answers.
const LIMIT_STEP: u64 = 100;

fn not_supported(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    let words = match (fact.name, fact.text("request")) {
        ("refused", Some("open")) => {
            format!("POST /open/1 was answered with status {}", fact.number("status").unwrap_or(0))
        }
        ("bad-session-id", _) => "the answer to POST /open/1 is no session id".to_string(),
        _ => return,
    };
    cx.report(Report::new(Place::of_fact(record), words));
}

fn session_lost(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    let Some(request @ ("send" | "idle")) = fact.text("request") else { return };
    if fact.name == "refused" && fact.flag("served_before") {
        let status = fact.number("status").unwrap_or(0);
        let words = format!("POST /{request} was answered with status {status}");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn sequence_broken(cx: &mut Context<'_>, record: &TransportRecord) {
    let fact = &record.fact;
    let seq = fact.number("seq").unwrap_or(0);
    let words = match fact.name {
        "sequence-gap" => {
            format!("request {seq} where {} had to come", fact.number("expected").unwrap_or(0))
        }
        "sequence-repeated" if fact.flag("same_body") => {
            format!("request {seq} came twice with the same body")
        }
        "sequence-repeated" => format!("request {seq} came twice with different bodies"),
        _ => return,
    };
    cx.report(Report::new(Place::of_fact(record), words));
}

fn keepalive_limit(cx: &mut Context<'_>, record: &TransportRecord) {
    let Some(answers) = record.fact.number("server_closed_after") else { return };
    if answers >= LIMIT_STEP && answers.is_multiple_of(LIMIT_STEP) {
        let words = format!("the server closed the connection after {answers} answers");
        cx.report(Report::new(Place::of_fact(record), words));
    }
}

fn polling(cx: &mut Context<'_>, record: &TransportRecord) {
    if record.fact.name == "polling" {
        let sends = record.fact.number("sends").unwrap_or(0);
        cx.memory.http.polling = Some((sends, record.fact.flag("closed")));
    }
}

fn never_closed(cx: &mut Context<'_>, end: &SessionEnd) {
    let Some((sends, false)) = cx.memory.http.polling else { return };
    if sends > 0 && matches!(end.reason, EndReason::Fin(_) | EndReason::Reset(_)) {
        let place = Place::at(end.time, Some(Direction::ClientToServer));
        cx.report(Report::new(place, format!("{sends} sends and no POST /close")));
    }
}

fn http_client(cx: &mut Context<'_>, record: &SessionRecord) {
    if record.transport == Transport::Http {
        let note = record.note.as_deref().unwrap_or("HTTP");
        let port = record.server.port();
        let known = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"];
        let method = note.strip_prefix("HTTP ").filter(|method| known.contains(method));
        let words = match method {
            Some(method) => format!("an HTTP {method} request to port {port}"),
            None => format!("HTTP on port {port}"),
        };
        let direction = Some(Direction::ClientToServer);
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, direction) };
        cx.report(Report::new(place, words));
    }
}
