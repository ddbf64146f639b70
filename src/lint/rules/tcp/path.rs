//! What the path and the receiver do to the bytes.

use super::{seconds, tcp};
use crate::analysis::{GapRecord, SessionEnd, SessionRecord};
use crate::base::{Direction, GapKind};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tcp/zero-window-stall",
        layer: Layer::Tcp,
        title: "The receiver stopped reading",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: tcp("3.8.6.1"),
        basis: Basis::Robustness,
        explanation: "This side closed its TCP receive window: its program did not read what had \
            arrived. The network is not the reason, and the sender has to wait: an encoder shows \
            dropped frames or freezes.",
        advice: "Look at the program that advertises the window of 0 at that time: a slow disk or \
            transcoder, a hook that blocks, garbage collection, a suspended process.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(zero_window)],
    },
    Rule {
        id: "tcp/loss-burst",
        layer: Layer::Tcp,
        title: "Packet loss on the path",
        severity: Severity::Warning,
        escalates: None,
        spec: tcp("3.8.1"),
        basis: Basis::Robustness,
        explanation: "TCP had to send many segments again. Each time what follows waits, so the \
            stream stutters even though nothing is missing in the end.",
        advice: "Wi-Fi or a mobile network, a policer, a faulty link. Compare the times with what \
            viewers saw; try a cable.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(loss)],
    },
    Rule {
        id: "tcp/capture-gap",
        layer: Layer::Tcp,
        title: "The capture misses bytes; later conclusions are weaker",
        severity: Severity::Note,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "Bytes that the peer acknowledged are not in the capture, or the capture \
            began after the connection. They were sent, so nobody is to blame for them; what \
            depends on them is not judged.",
        advice: "Capture whole packets (-s 0), with a larger buffer (tcpdump -B), on the host \
            itself instead of a mirror port, and start before the stream does.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Session(midstream), Check::Gap(gap)],
    },
];

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

fn loss(cx: &mut Context<'_>, end: &SessionEnd) {
    for direction in Direction::BOTH {
        let stats = &end.tcp[direction.index()];
        // Near the receiver the second try of a lost segment is the only one to be seen: it comes
        // late, into a hole.
        let again = stats.retransmissions + stats.out_of_order;
        let share = 100.0 * again as f64 / stats.packets.max(1) as f64;
        if again as f64 >= cx.limit(Limit::LossSegments) && share >= cx.limit(Limit::LossShare) {
            let words = format!(
                "{} segments sent again and {} that came late among {} ({share:.1} %)",
                stats.retransmissions, stats.out_of_order, stats.packets
            );
            cx.report(Report::new(Place::at(end.time, Some(direction)), words));
        }
    }
}

fn midstream(cx: &mut Context<'_>, record: &SessionRecord) {
    if record.midstream {
        let place = Place { frames: vec![record.frame], ..Place::at(record.time, None) };
        cx.report(Report::new(place, "the capture began after the connection"));
    }
}

fn gap(cx: &mut Context<'_>, record: &GapRecord) {
    if record.kind == GapKind::Capture {
        let words = format!("{} bytes were acknowledged and not captured", record.len);
        cx.report(Report::new(Place::of_gap(record), words).weight(record.len as f64));
    }
}
