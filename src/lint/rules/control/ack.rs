//! Acknowledgements and windows (sections 5.4.3 to 5.4.5).

use crate::analysis::{MessageRecord, SessionEnd, Transport};
use crate::base::Direction;
use crate::flow::EndReason;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::wire::handshake::HANDSHAKE_LEN;
use crate::wire::message::Body;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "control/ack-missing",
        layer: Layer::Control,
        title: "Receiver never acknowledges; a strict sender stalls",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.3"),
        basis: Basis::Spec,
        explanation: "The sender announced a window and has sent it several times over without an \
            Acknowledgement (type 3). Most senders do not care; some (Wirecast) stop after one \
            window without any error.",
        advice: "The receiver must acknowledge each window (2500000 bytes are usual). SRS: set \
            in_ack_size. Node-Media-Server never acknowledges.",
        covers: &["rtmp/control/ack-sent", "rtmp/control/window-ack-not-acked"],
        needs: Needs::Both,
        checks: &[Check::End(missing)],
    },
    Rule {
        id: "control/ack-wraps-badly",
        layer: Layer::Control,
        title: "Byte counter broke at 2, 3.75 or 4 GB",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.4.3"),
        basis: Basis::Spec,
        explanation: "The sequence number of acknowledgements must be the bytes received, modulo \
            2^32. This one falls, sticks or begins anew when 2^31, 0xF0000000 or 2^32 bytes have \
            come. Sessions that end right there end for this reason.",
        advice: "A counter overflows in the side that acknowledges (Node-Media-Server and \
            nginx-rtmp begin anew near 0xF0000000), or in a sender that compares.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::Control(wraps)],
    },
    Rule {
        id: "control/ack-not-cumulative",
        layer: Layer::Control,
        title: "Acknowledgements carry increments, not totals",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.4.3"),
        basis: Basis::Spec,
        explanation: "The sequence number does not grow although bytes flow: it counts the bytes \
            since the last acknowledgement. A sender that does flow control by it stalls.",
        advice: "A fault of the receiver; YouTube has been seen to do so.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::Control(increments)],
    },
    Rule {
        id: "control/ack-ahead",
        layer: Layer::Control,
        title: "Peer acknowledges bytes that were never sent",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.3"),
        basis: Basis::Spec,
        explanation: "The sequence number is greater than all that the sender has sent, the \
            handshake included.",
        advice: "The receiver counts something else (bytes of several connections, bits).",
        covers: &["rtmp/control/ack-sequence", "robust/ack/bogus-sequence"],
        needs: Needs::Both,
        checks: &[Check::Control(ahead)],
    },
    Rule {
        id: "control/window-vs-bitrate",
        layer: Layer::Control,
        title: "Acknowledgement window is too big for this bit rate",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("5.4.4"),
        basis: Basis::DeFacto,
        explanation: "The receiver acknowledges once per window, so that the sender hears nothing \
            for long. Programs with a read timeout of 10 to 30 s close then.",
        advice: "Announce a smaller window, or use ping.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::End(large_window)],
    },
    Rule {
        id: "rtmp/control/window-ack-zero",
        layer: Layer::Control,
        title: "Acknowledgement window of 0 or of a few bytes",
        severity: Severity::Warning,
        escalates: Some(Severity::Error),
        spec: rtmp("5.4.4"),
        basis: Basis::Robustness,
        explanation: "The peer must acknowledge each window: with one this small it answers every \
            packet, or divides by zero.",
        advice: "2500000 is usual.",
        covers: &["rtmp/control/window-ack-zero", "rtmp/control/window-ack-one"],
        needs: Needs::Message,
        checks: &[Check::Control(small_window)],
    },
    Rule {
        id: "rtmp/control/set-peer-bandwidth-limit-type",
        layer: Layer::Control,
        title: "Set Peer Bandwidth with an undefined limit type",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("5.4.5"),
        basis: Basis::Spec,
        explanation: "The limit type must be 0 (hard), 1 (soft) or 2 (dynamic).",
        advice: "A fault of the sender. Most receivers do not look at it.",
        covers: &[
            "rtmp/control/set-peer-bandwidth-limit-type",
            "rtmp/control/set-peer-bandwidth-bad-type",
        ],
        needs: Needs::Message,
        checks: &[Check::Control(limit_type)],
    },
    Rule {
        id: "control/peer-bandwidth-ignored",
        layer: Layer::Control,
        title: "Set Peer Bandwidth not answered",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("5.4.5"),
        basis: Basis::Spec,
        explanation: "A hard or dynamic Set Peer Bandwidth that changes the window should be \
            answered with a Window Acknowledgement Size. FFmpeg never does when it publishes, \
            rtmpdump does.",
        advice: "Mostly harmless.",
        covers: &["rtmp/control/set-peer-bandwidth-reply"],
        needs: Needs::Both,
        checks: &[Check::End(unanswered)],
    },
    Rule {
        id: "rtmp/control/server-sends-winack-peerbw",
        layer: Layer::Control,
        title: "Server accepts connect without announcing a window",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: rtmp("7.2.1.1"),
        basis: Basis::Spec,
        explanation: "After connect the server should send Window Acknowledgement Size and Set \
            Peer Bandwidth. Flash clients wait for them.",
        advice: "Harmless for today's encoders.",
        covers: &["rtmp/control/server-sends-winack-peerbw"],
        needs: Needs::Both,
        checks: &[Check::End(no_window)],
    },
];

/// What the acknowledgements of each side were like.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// How often the number of each side did not grow.
    falls: [u32; 2],
}

/// Sequence number of an acknowledgement, what its sender had received, and the one before.
struct Ack {
    value: u32,
    received: u64,
    before: Option<(u32, u64)>,
}

fn ack(cx: &Context<'_>, record: &MessageRecord) -> Option<Ack> {
    let Body::Acknowledgement { sequence_number: value } = record.message.body else { return None };
    let direction = record.message.direction;
    let received = cx.state.side(direction.reverse()).offset;
    Some(Ack { value, received, before: cx.state.side(direction).last_acknowledgement })
}

fn missing(cx: &mut Context<'_>, end: &SessionEnd) {
    let windows = cx.limit(Limit::AckWindows);
    let mut found = Vec::new();
    for direction in Direction::BOTH {
        // A sender announces how often it wants to hear (type 5).
        let (sender, receiver) = (cx.state.side(direction), cx.state.side(direction.reverse()));
        let Some(window) = sender.window.filter(|window| *window > 0) else { continue };
        let from = receiver.last_acknowledgement.map_or(0, |(_, sent)| sent);
        let silent = sender.offset.saturating_sub(from) as f64 / f64::from(window);
        if silent >= windows {
            let words = format!(
                "{} bytes sent, the window is {window}, {} acknowledgement(s) came",
                sender.offset, receiver.acknowledgements
            );
            // A strict sender stops and closes: then the missing answer is what ended it.
            let last = sender.last_message.unwrap_or(end.time);
            let stalled = end.time.seconds_since(last) > 5.0
                && silent < windows + 1.0
                && matches!(end.reason, EndReason::Fin(_) | EndReason::Reset(_));
            let place = Place::at(last, Some(direction.reverse()));
            let report = Report::new(place, words).error_if(stalled);
            found.push(report.related_if("window announced here", sender.window_at.as_ref()));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

/// Counts at which byte counters of programs break.
const EDGES: [(u64, &str); 3] = [(1 << 31, "2^31"), (0xf000_0000, "0xF0000000"), (1 << 32, "2^32")];

fn wraps(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(Ack { value, received, before: Some((last, sent)) }) = ack(cx, record) else { return };
    let edge = EDGES.iter().find(|(edge, _)| sent < *edge && *edge <= received);
    let right = (received.wrapping_sub(HANDSHAKE_LEN as u64) as u32).wrapping_sub(value);
    // Within a window or two of what it should be, whatever wraps.
    let off = right.min(right.wrapping_neg());
    if let Some((_, name)) = edge
        && off > 64 << 20
    {
        let words = format!(
            "sequence number {value} after {last}, with {received} bytes received ({name} passed)"
        );
        cx.report(Report::message(record, words));
    }
}

fn increments(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(Ack { value, received, before: Some((last, sent)) }) = ack(cx, record) else { return };
    let direction = record.message.direction;
    let falls = &mut cx.memory.control.ack.falls[direction.index()];
    // Bytes came, and the number says less than half of all: not even the rest of a wrap.
    if value <= last && received > sent && u64::from(value) < received / 2 && received < 1 << 31 {
        *falls += 1;
    }
    if *falls >= 2 && value <= last {
        let words = format!("{value} after {last}, with {received} bytes received");
        cx.report(Report::message(record, words));
    }
}

fn ahead(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(Ack { value, received, .. }) = ack(cx, record) else { return };
    // What is in flight at the capture point was counted by the receiver already.
    let sender = cx.state.side(record.message.direction.reverse());
    let slack = u64::from(sender.window.unwrap_or(2_500_000)).min(1 << 24);
    let most = received.saturating_add(slack);
    if received < 1 << 31 && u64::from(value) > most {
        let words = format!("sequence number {value}, {received} bytes were sent");
        cx.report(Report::message(record, words).weight(f64::from(value)));
    }
}

fn large_window(cx: &mut Context<'_>, _end: &SessionEnd) {
    let patience = cx.limit(Limit::AckSilenceSeconds);
    let mut found = Vec::new();
    for side in &cx.state.sides {
        let (Some(window), Some((first, last))) = (side.window, side.media_times()) else {
            continue;
        };
        let seconds = last.seconds_since(first);
        if seconds < 5.0 {
            continue;
        }
        let rate = side.payload_bytes as f64 / seconds;
        let interval = f64::from(window) / rate.max(1.0);
        if interval > patience {
            let words = format!(
                "a window of {window} bytes takes {interval:.0} s at {:.0} kbit/s",
                rate * 8.0 / 1000.0
            );
            let place = Place::at(first, Some(side.direction));
            let report = Report::new(place, words).weight(interval);
            found.push(report.related_if("window announced here", side.window_at.as_ref()));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

fn small_window(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Body::WindowAcknowledgementSize { size } = record.message.body
        && size < 128
    {
        cx.report(Report::message(record, format!("window of {size} bytes")));
    }
}

fn limit_type(cx: &mut Context<'_>, record: &MessageRecord) {
    if let Body::SetPeerBandwidth { limit: Some(limit), .. } = record.message.body
        && limit.0 > 2
    {
        cx.report(Report::message(record, format!("limit type {}", limit.0)).field(4..5));
    }
}

fn unanswered(cx: &mut Context<'_>, end: &SessionEnd) {
    let mut found = Vec::new();
    for direction in Direction::BOTH {
        let (asker, asked) = (cx.state.side(direction), cx.state.side(direction.reverse()));
        let (Some((size, limit)), Some(at)) = (asker.peer_bandwidth, &asker.peer_bandwidth_at)
        else {
            continue;
        };
        let waited = end.time.seconds_since(at.time) > 1.0;
        if limit != Some(1) && asked.window.is_none() && waited {
            let words = format!("window of {size} bytes asked for, none announced in return");
            found.push(Report::new(at.clone(), words));
        }
    }
    found.into_iter().for_each(|report| cx.report(report));
}

fn no_window(cx: &mut Context<'_>, end: &SessionEnd) {
    // RFC 7425 section 5.1.2: RTMFP has its own.
    if end.transport == Transport::Rtmfp {
        return;
    }
    let server = cx.state.server();
    let Some(reply) = cx.state.connect_reply.as_ref().filter(|reply| reply.accepted) else {
        return;
    };
    let missing = match (server.window, server.peer_bandwidth) {
        (Some(_), Some(_)) => return,
        (None, Some(_)) => "Window Acknowledgement Size",
        (Some(_), None) => "Set Peer Bandwidth",
        (None, None) => "Window Acknowledgement Size and Set Peer Bandwidth",
    };
    let report = Report::new(reply.place.clone(), format!("no {missing} came"));
    cx.report(report);
}
