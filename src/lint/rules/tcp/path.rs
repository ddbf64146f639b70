//! What the path and the receiver do to the bytes.

use super::{seconds, tcp};
use crate::analysis::{GapRecord, SessionEnd, SessionRecord, TcpRecord};
use crate::base::{Direction, GapKind, Timestamp};
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
        checks: &[Check::Tcp(burst), Check::End(loss)],
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
            let tcp = &cx.state.side(direction).tcp;
            let longest = tcp.longest_closed.as_ref().map(|(place, _)| place);
            let place = tcp.window_closed.as_ref().or(longest).cloned();
            let place = place.unwrap_or(Place::at(end.time, Some(direction)));
            cx.report(Report::new(place, words).error_if(is_error));
        }
    }
}

/// Segments that were sent again within some seconds.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    current: [Burst; 2],
    worst: [Burst; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Burst {
    from: Option<(Timestamp, u64)>,
    segments: u64,
}

fn burst(cx: &mut Context<'_>, record: &TcpRecord) {
    use crate::flow::TcpEventKind::{OutOfOrder, Retransmission};
    if !matches!(record.kind, Retransmission { .. } | OutOfOrder { .. }) {
        return;
    }
    let window = cx.limit(Limit::LossSeconds);
    let index = record.direction.index();
    let bursts = &mut cx.memory.tcp.bursts;
    let current = &mut bursts.current[index];
    let begun = current.from.filter(|(from, _)| record.time.seconds_since(*from) <= window);
    if begun.is_none() {
        *current = Burst { from: Some((record.time, record.frame)), segments: 0 };
    }
    current.segments += 1;
    if current.segments > bursts.worst[index].segments {
        bursts.worst[index] = *current;
    }
}

fn loss(cx: &mut Context<'_>, end: &SessionEnd) {
    for direction in Direction::BOTH {
        let stats = &end.tcp[direction.index()];
        // Near the receiver the second try of a lost segment is the only one to be seen: it comes
        // late, into a hole.
        let again = stats.retransmissions + stats.out_of_order;
        let share = 100.0 * again as f64 / stats.packets.max(1) as f64;
        let worst = cx.memory.tcp.bursts.worst[direction.index()];
        let few = cx.limit(Limit::LossSegments);
        let many = again as f64 >= few && share >= cx.limit(Limit::LossShare);
        // A share of a long session says nothing of its bad minute.
        if !many && worst.segments as f64 <= few {
            continue;
        }
        let mut words = format!(
            "{} segments sent again and {} that came late among {} ({share:.1} %)",
            stats.retransmissions, stats.out_of_order, stats.packets
        );
        let mut place = Place::at(end.time, Some(direction));
        if let Some((from, frame)) = worst.from {
            words.push_str(&format!(
                ", {} of them within {} s",
                worst.segments,
                cx.limit(Limit::LossSeconds)
            ));
            place.time = from;
            place.frames = vec![frame];
        }
        cx.report(Report::new(place, words));
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
