//! Ping Request and Ping Response.

use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::wire::message::{Body, UserControl};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "control/ping-unanswered",
        layer: Layer::Control,
        title: "Ping request got no answer",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "A Ping Request (event 6) must be answered with a Ping Response (event 7). \
            The program that was asked is blocked or does not know the event. Some servers drop a \
            client that does not answer (nginx-rtmp after ping_timeout), some never notice.",
        advice: "Look at the side that was asked: a suspended process, a player whose interface \
            thread hangs, a client library without ping responses.",
        covers: &["rtmp/ucm/server-ping-answered"],
        needs: Needs::Both,
        checks: &[Check::Tick(unanswered), Check::End(unanswered_at_end)],
    },
    Rule {
        id: "control/pong-mismatch",
        layer: Layer::Control,
        title: "Ping response carries another timestamp",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "The response must repeat the timestamp of the request; the asker measures \
            the round trip by it.",
        advice: "A fault of the side that answered.",
        covers: &["rtmp/ucm/ping-response"],
        needs: Needs::Both,
        checks: &[Check::Control(mismatch)],
    },
    Rule {
        id: "control/ping-from-client",
        layer: Layer::Control,
        title: "Client pings the server",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("7.1.7"),
        basis: Basis::Spec,
        explanation: "The specification has the server ask. Relays ask as well (restream.io), and \
            servers should answer: nginx-rtmp and SRS do, Node-Media-Server does not.",
        advice: "Harmless.",
        covers: &[],
        needs: Needs::Message,
        checks: &[Check::Control(from_client)],
    },
    Rule {
        id: "robust/ping/flood",
        layer: Layer::Control,
        title: "Ping requests come in quick succession",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("7.1.7"),
        basis: Basis::Robustness,
        explanation: "A ping every few seconds is plenty. More than that is a fault, or an attack.",
        advice: "Look at the side that asks.",
        covers: &["robust/ping/flood"],
        needs: Needs::Message,
        checks: &[Check::Control(flood)],
    },
];

/// Pings that were reported or counted, per direction of the request.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// The last one that was reported as unanswered.
    reported: [Option<Timestamp>; 2],
    /// Beginning of the second that is counted, and pings in it.
    second: [Option<(Timestamp, u32)>; 2],
}

fn event(record: &MessageRecord, event: u16) -> Option<&UserControl> {
    match &record.message.body {
        Body::UserControl(control) if control.event.0 == event => Some(control),
        _ => None,
    }
}

fn unanswered_at_end(cx: &mut Context<'_>, _end: &SessionEnd) {
    unanswered(cx);
}

fn unanswered(cx: &mut Context<'_>) {
    let patience = cx.limit(Limit::PingSeconds);
    for direction in Direction::BOTH {
        let mut told = cx.memory.control.ping.reported[direction.index()];
        let side = cx.state.side(direction);
        let mut found = Vec::new();
        for (timestamp, place) in &side.pings {
            let waited = cx.now.seconds_since(place.time);
            if Some(place.time) > told && waited > patience {
                told = Some(place.time);
                let words = format!("ping request {timestamp} has no answer after {waited:.0} s");
                // It is about the side that was asked.
                let silent = Place::at(cx.now, Some(direction.reverse()));
                found.push(Report::new(silent, words).related("the request", place.clone()));
            }
        }
        cx.memory.control.ping.reported[direction.index()] = told;
        found.into_iter().for_each(|report| cx.report(report));
    }
}

fn mismatch(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(response) = event(record, 7) else { return };
    let asker = cx.state.side(record.message.direction.reverse());
    let Some((asked, place)) = asker.pings.front() else { return };
    if asker.pings.iter().any(|(timestamp, _)| Some(*timestamp) == response.timestamp) {
        return;
    }
    let words = match response.timestamp {
        Some(timestamp) => format!("{timestamp} in place of {asked}"),
        None => format!("no timestamp in place of {asked}"),
    };
    cx.report(Report::message(record, words).related("the request", place.clone()));
}

fn from_client(cx: &mut Context<'_>, record: &MessageRecord) {
    let client = record.message.direction == Direction::ClientToServer;
    if let Some(request) = event(record, 6).filter(|_| client) {
        let words = format!("ping request {}", request.timestamp.unwrap_or(0));
        cx.report(Report::message(record, words));
    }
}

fn flood(cx: &mut Context<'_>, record: &MessageRecord) {
    if event(record, 6).is_none() {
        return;
    }
    let time = record.message.time;
    let second = &mut cx.memory.control.ping.second[record.message.direction.index()];
    let (from, count) = second.get_or_insert((time, 0));
    if time.seconds_since(*from) > 1.0 {
        (*from, *count) = (time, 0);
    }
    *count += 1;
    let count = *count;
    if f64::from(count) > cx.limit(Limit::PingsPerSecond) {
        let words = format!("{count} ping requests within a second");
        cx.report(Report::message(record, words).weight(f64::from(count)));
    }
}
