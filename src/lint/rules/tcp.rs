//! What TCP tells of the path and of who waits for whom.

use crate::analysis::SessionEnd;
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};

pub(super) const RULES: &[Rule] = &[Rule {
    id: "tcp/zero-window-stall",
    layer: Layer::Tcp,
    title: "The receiver stopped reading",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: Some(SpecRef { document: "RFC 9293", section: "3.8.6.1" }),
    basis: Basis::Robustness,
    explanation: "This side closed its TCP receive window: its program did not read what had \
        arrived. The network is not the reason, and the sender has to wait: an encoder shows \
        dropped frames or freezes.",
    advice: "Look at the program that advertises the window of 0 at that time: a slow disk or \
        transcoder, a hook that blocks, garbage collection, a suspended process.",
    covers: &[],
    needs: Needs::Nothing,
    checks: &[Check::End(zero_window)],
}];

/// Seconds.
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

fn zero_window(cx: &mut Context<'_>, end: &SessionEnd) {
    for direction in Direction::BOTH {
        let stats = &end.tcp[direction.index()];
        let total = seconds(stats.zero_window_ns);
        if total >= cx.limit(Limit::ZeroWindowSeconds) {
            let is_error = total >= cx.limit(Limit::ZeroWindowErrorSeconds);
            let words = format!(
                "receive window closed for {total:.1} s in {} span(s)",
                stats.zero_window_spans
            );
            let place = Place::at(end.time, Some(direction));
            cx.report(Report::new(place, words).error_if(is_error));
        }
    }
}
