//! How connections end below RTMP.

use super::{span, tcp};
use crate::analysis::SessionEnd;
use crate::base::Direction;
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::lint::words::Words;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tcp/idle-cut",
        layer: Layer::Tcp,
        title: "A middlebox cut an idle connection",
        severity: Severity::Warning,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "The connection was closed after a silence of both sides that is as long as \
            a usual idle timer: 30 or 60 s of proxies, 240 s of Azure, 350 s of AWS load balancers, \
            5, 10 or 60 minutes of NAT.",
        advice: "Enable RTMP ping or TCP keepalive with a shorter interval than the timer, or \
            raise the timer.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::End(idle)],
    },
    Rule {
        id: "tcp/reset-hides-status",
        layer: Layer::Tcp,
        title: "The server's last words may have been destroyed by a reset",
        severity: Severity::Note,
        escalates: None,
        spec: tcp("3.6.1"),
        basis: Basis::Robustness,
        explanation: "The server sent a status and then closed while data of the client was still \
            coming in, so that its TCP answered with a RST. A RST makes the client's TCP throw away \
            what was not read yet: the encoder says \"broken pipe\" or \"connection reset\" and \
            never shows the status that this capture holds.",
        advice: "Read the status here. The server should shut down its sending side, read until \
            the client closes, and only then close.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(reset)],
    },
];

/// Idle timers of proxies, load balancers and NAT, in seconds.
const TIMERS: [f64; 7] = [30.0, 60.0, 240.0, 300.0, 350.0, 600.0, 3600.0];

fn idle(cx: &mut Context<'_>, end: &SessionEnd) {
    let last = cx.state.sides.iter().filter_map(|side| side.last_message).max();
    let (Some(last), true) = (last, matches!(end.reason, EndReason::Fin(_) | EndReason::Reset(_)))
    else {
        return;
    };
    let silence = span(last, end.time);
    let share = cx.limit(Limit::IdleTolerance) / 100.0;
    let timer = TIMERS.iter().find(|timer| (silence / **timer - 1.0).abs() <= share);
    if let Some(timer) = timer {
        let words =
            format!("closed after {silence:.1} s without a byte, near a timer of {timer} s");
        cx.report(Report::new(Place::at(end.time, None), words));
    }
}

fn reset(cx: &mut Context<'_>, end: &SessionEnd) {
    let server = Direction::ServerToClient;
    if end.reason != EndReason::Reset(server) || cx.state.goodbye.is_some() {
        return;
    }
    let last = cx.state.statuses().rfind(|status| status.direction == server);
    let Some(status) = last else { return };
    // What the client has asked since, or what it has sent for long, it has read the status for.
    if span(status.time, end.time) > cx.limit(Limit::ResetSeconds) {
        return;
    }
    let mut words = Words::from("a RST came ").text(format!(
        "{:.0} ms after {}",
        1000.0 * span(status.time, end.time),
        status.command
    ));
    if crate::wire::message::status::level(&status.code).is_some() {
        words = words.text(format!(" {}", status.code));
    } else if !status.code.is_empty() {
        words = words.text(" ").description(&status.code);
    }
    if !status.description.is_empty() {
        words = words.text(": ").description(&status.description);
    }
    let place = Place::at(end.time, Some(server));
    let report = Report::new(place, words).warning_if(status.is_failure());
    let report = report.related("the status", status.place.clone());
    cx.report(report);
}
