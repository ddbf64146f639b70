//! How fast things go, and what holds them up.

use std::collections::VecDeque;

use super::{seconds, span, tcp};
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "tcp/uplink-saturated",
        layer: Layer::Tcp,
        title: "The path carries less than the encoder produces",
        severity: Severity::Error,
        escalates: None,
        spec: None,
        basis: Basis::Robustness,
        explanation: "Media time advances more slowly than the clock, while TCP holds data back \
            (round trips grow or segments are sent again) and the receiver reads what it gets. \
            The path is full: the encoder drops frames or falls behind. The server did not do it.",
        advice: "Lower the video bit rate to 70 % of the throughput measured here or less, use a \
            nearer ingest, or let the encoder adapt its bit rate.",
        covers: &[],
        needs: Needs::Nothing,
        checks: &[Check::Tick(sample), Check::End(saturated)],
    },
    Rule {
        id: "tcp/nagle-delayed-ack",
        layer: Layer::Tcp,
        title: "Each command waits some 40 ms for an ACK",
        severity: Severity::Note,
        escalates: None,
        spec: tcp("3.7.4"),
        basis: Basis::Robustness,
        explanation: "Steps of the set-up follow each other at the distance of a delayed \
            acknowledgement (40 ms on Linux, 200 ms elsewhere) though the path is short: Nagle's \
            algorithm holds each small segment until the one before it is acknowledged.",
        advice: "Set TCP_NODELAY at the sender (ffmpeg: -tcp_nodelay 1), or write the commands \
            with one send.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::Message(step), Check::End(nagle)],
    },
];

/// Media time and bytes of the last seconds, per direction.
#[derive(Debug, Default)]
pub(super) struct Pace {
    samples: [VecDeque<Sample>; 2],
    worst: [Option<Slow>; 2],
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    time: Timestamp,
    media_ms: i64,
    bytes: u64,
}

/// A window in which media was late.
#[derive(Clone, Copy, Debug)]
struct Slow {
    from: Timestamp,
    ratio: f64,
    /// Bits per second that got through.
    throughput: f64,
    /// Bits per second of media time.
    produced: f64,
    windows: u64,
}

/// Samples in a window, one a second.
const WINDOW: usize = 11;

fn sample(cx: &mut Context<'_>) {
    let ratio_limit = cx.limit(Limit::PaceRatio);
    let patience = cx.limit(Limit::PaceSeconds);
    for side in &cx.state.sides {
        let Some((_, last)) = side.media_times() else { continue };
        let index = side.direction.index();
        let pace = &mut cx.memory.tcp.pace;
        let samples = &mut pace.samples[index];
        // A pause of the sender is no lack of bandwidth: the window begins anew.
        if span(last, cx.now) > 5.0 {
            samples.clear();
            continue;
        }
        if samples.len() == WINDOW {
            samples.pop_front();
        }
        let media_ms = side.media_ms();
        samples.push_back(Sample { time: cx.now, media_ms, bytes: side.payload_bytes });
        let (Some(first), Some(last)) = (samples.front().copied(), samples.back()) else {
            continue;
        };
        let wall = span(first.time, last.time);
        let media = (last.media_ms - first.media_ms) as f64 / 1000.0;
        let bits = last.bytes.saturating_sub(first.bytes) as f64 * 8.0;
        if wall < patience || media <= 0.0 || media / wall >= ratio_limit {
            continue;
        }
        let (throughput, produced) = (bits / wall, bits / media);
        let slow = Slow { from: first.time, ratio: media / wall, throughput, produced, windows: 1 };
        let worst = pace.worst[index].get_or_insert(slow);
        worst.windows += 1;
        if slow.ratio < worst.ratio {
            *worst = Slow { windows: worst.windows, ..slow };
        }
    }
}

fn saturated(cx: &mut Context<'_>, end: &SessionEnd) {
    for direction in Direction::BOTH {
        let Some(slow) = cx.memory.tcp.pace.worst[direction.index()] else { continue };
        let stats = &end.tcp[direction.index()];
        let receiver = &end.tcp[direction.reverse().index()];
        let again = 100.0 * stats.retransmissions as f64 / stats.packets.max(1) as f64;
        let (min, mean) = (stats.rtt_min_ns.unwrap_or(0), stats.rtt_mean_ns.unwrap_or(0));
        let queues = min > 0 && mean >= min.saturating_mul(3) && mean > 20_000_000;
        let held = queues || again > cx.limit(Limit::PaceLossShare);
        // A receiver that does not read gives the same picture, and is to blame itself.
        let reads = seconds(receiver.zero_window_ns) < cx.limit(Limit::ZeroWindowSeconds);
        if held && reads {
            let words = format!(
                "media advances at {:.2} of real time: {:.0} kbit/s get through, {:.0} kbit/s are \
                 produced; at most {:.0} kbit/s would fit",
                slow.ratio,
                slow.throughput / 1000.0,
                slow.produced / 1000.0,
                slow.throughput * 0.7 / 1000.0
            );
            cx.report(Report::new(Place::at(slow.from, Some(direction)), words));
        }
    }
}

/// The distances between the messages of the set-up.
#[derive(Debug, Default)]
pub(super) struct Setup {
    last: Option<Timestamp>,
    first_wait: Option<Timestamp>,
    waits: u32,
    waited_ms: f64,
    over: bool,
}

/// Waits that are the distance of a delayed acknowledgement, in milliseconds: Linux, then Windows
/// and macOS.
const DELAYED_ACK_MS: [std::ops::RangeInclusive<f64>; 2] = [35.0..=60.0, 180.0..=220.0];

fn step(cx: &mut Context<'_>, record: &MessageRecord) {
    let handshake = cx.state.sides.iter().filter_map(|side| side.handshake.as_ref());
    let begin = handshake.map(|handshake| handshake.time).max();
    let setup = &mut cx.memory.tcp.setup;
    if setup.over {
        return;
    }
    let message = &record.message;
    if message.type_id.is_media() {
        setup.over = true;
        return;
    }
    // A message may be cut in two by the wait: its last byte counts.
    if let Some(last) = setup.last.or(begin) {
        let ms = span(last, message.time) * 1000.0;
        if DELAYED_ACK_MS.iter().any(|range| range.contains(&ms)) {
            setup.waits += 1;
            setup.waited_ms += ms;
            setup.first_wait.get_or_insert(message.time);
        }
    }
    setup.last = Some(message.time);
}

fn nagle(cx: &mut Context<'_>, end: &SessionEnd) {
    let setup = &cx.memory.tcp.setup;
    let rtt = end.tcp.iter().filter_map(|stats| stats.rtt_min_ns).min().unwrap_or(0);
    if setup.waits >= 3 && rtt < 15_000_000 {
        let words = format!(
            "{} steps of the set-up waited {:.0} ms together; the shortest round trip is {:.1} ms",
            setup.waits,
            setup.waited_ms,
            rtt as f64 / 1e6
        );
        let time = setup.first_wait.unwrap_or(end.start);
        cx.report(Report::new(Place::at(time, None), words));
    }
}
