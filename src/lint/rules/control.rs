//! Protocol control and user control messages (sections 5.4 and 7.1.7).

use crate::analysis::SessionEnd;
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};

/// What the control rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// Pings of each side that were reported, by time.
    reported: [Option<crate::base::Timestamp>; 2],
}

pub(super) const RULES: &[Rule] = &[Rule {
    id: "control/ping-unanswered",
    layer: Layer::Control,
    title: "Ping request got no answer",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: rtmp("7.1.7"),
    basis: Basis::Spec,
    explanation: "A Ping Request (event 6) must be answered with a Ping Response (event 7). The \
        program that was asked is blocked or does not know the event. Some servers drop a client \
        that does not answer (nginx-rtmp after ping_timeout), some never notice.",
    advice: "Look at the side that was asked: a suspended process, a player whose interface \
        thread hangs, a client library without ping responses.",
    covers: &["rtmp/ucm/server-ping-answered", "rtmp/ucm/ping-response"],
    needs: Needs::Both,
    checks: &[Check::Tick(unanswered), Check::End(unanswered_at_end)],
}];

fn unanswered_at_end(cx: &mut Context<'_>, _end: &SessionEnd) {
    unanswered(cx);
}

fn unanswered(cx: &mut Context<'_>) {
    let patience = cx.limit(Limit::PingSeconds);
    for direction in Direction::BOTH {
        let mut told = cx.memory.control.reported[direction.index()];
        let side = &cx.state.sides[direction.index()];
        let late = side.pings.iter().filter(|(_, place)| {
            Some(place.time) > told && cx.now.seconds_since(place.time) > patience
        });
        for (timestamp, place) in late.cloned().collect::<Vec<_>>() {
            told = Some(place.time);
            let waited = cx.now.seconds_since(place.time);
            let words = format!("ping request {timestamp} has no answer after {waited:.0} s");
            cx.report(Report::new(place, words).weight(waited));
        }
        cx.memory.control.reported[direction.index()] = told;
    }
}
