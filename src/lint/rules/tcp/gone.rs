//! Bytes that are sent again and again and never arrive.

use super::{span, tcp};
use crate::analysis::SessionEnd;
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::lint::state::{Side, Stuck};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tcp/peer-vanished",
        layer: Layer::Tcp,
        title: "The other end disappeared without closing",
        severity: Severity::Error,
        escalates: None,
        spec: tcp("3.8.3"),
        basis: Basis::Robustness,
        explanation: "The same bytes are sent again and again, and not a segment comes back: the \
            peer lost its network (Wi-Fi to mobile), its power, or its NAT entry. A server holds \
            the stream until its own timer fires, and refuses the name to the one who comes back.",
        advice: "Shorten the timers of the server (nginx-rtmp: ping, ping_timeout, \
            drop_idle_publisher; TCP keepalive), and have the encoder wait longer before it tries \
            again.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Tick(vanished), Check::End(vanished_at_end)],
    },
    Rule {
        id: "tcp/full-size-segments-lost",
        layer: Layer::Tcp,
        title: "Large packets do not get through (MTU)",
        severity: Severity::Error,
        escalates: None,
        spec: tcp("3.7.1"),
        basis: Basis::Robustness,
        explanation: "A full-size segment is sent again and again without success, while the peer \
            answers to smaller ones: somewhere on the path large packets are dropped and the \
            message that says so is dropped too (VPN, PPPoE, tunnel). It looks like a handshake \
            that times out, since C0 and C1 are 1537 bytes.",
        advice: "Lower the MTU of the interface, or clamp the MSS on the router.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::End(black_hole)],
    },
];

/// Payload bytes from which on a segment counts as a large one.
const LARGE: u64 = 1000;

/// The bytes of a side that have been sent so often that they do not arrive.
fn stuck<'a>(cx: &Context<'_>, side: &'a Side) -> Option<&'a Stuck> {
    let times = cx.limit(Limit::StuckTimes) as u32;
    let stuck = side.tcp.stuck.as_ref().filter(|stuck| stuck.count >= times)?;
    // Acknowledged after all: an outage that is over.
    let over = side.tcp.acknowledged > Some(stuck.last);
    let long = span(stuck.first.time, stuck.last) >= cx.limit(Limit::StuckSeconds);
    (long && !over).then_some(stuck)
}

/// Whether a side was heard of since.
fn heard_since(side: &Side, stuck: &Stuck) -> bool {
    side.tcp.last.max(side.last_message) > Some(stuck.first.time)
}

fn vanished_at_end(cx: &mut Context<'_>, _end: &SessionEnd) {
    vanished(cx);
}

fn vanished(cx: &mut Context<'_>) {
    let mut found = Vec::new();
    for direction in Direction::BOTH {
        let gone = direction.reverse();
        let (side, peer) = (cx.state.side(direction), cx.state.side(gone));
        let Some(stuck) = stuck(cx, side) else { continue };
        // A closed window makes probes; the peer is there.
        if heard_since(peer, stuck) || peer.tcp.window_closed.is_some() {
            continue;
        }
        let words = format!(
            "byte {} was sent {} more times in {:.1} s, nothing came back",
            stuck.offset,
            stuck.count,
            span(stuck.first.time, stuck.last)
        );
        let place = Place::at(stuck.first.time, Some(gone));
        found.push(Report::new(place, words).related("sent again", stuck.first.clone()));
    }
    for report in found {
        let direction = report.direction();
        // The end tells no more than the last second did.
        if direction.is_none_or(|direction| !cx.has_reported(direction)) {
            cx.report(report);
        }
    }
}

fn black_hole(cx: &mut Context<'_>, _end: &SessionEnd) {
    let mut found = Vec::new();
    for direction in Direction::BOTH {
        let (side, peer) = (cx.state.side(direction), cx.state.side(direction.reverse()));
        let Some(stuck) = stuck(cx, side).filter(|stuck| stuck.len >= LARGE) else { continue };
        // Acknowledgements of what came behind ask for it.
        if peer.tcp.duplicate_acks > 0 || heard_since(peer, stuck) {
            let words = format!(
                "a segment of {} bytes was sent {} more times and never acknowledged",
                stuck.len, stuck.count
            );
            found.push(Report::new(stuck.first.clone(), words));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}
