//! What is known of a direction, a line each.

use crate::analysis::flowctl::{AckStyle, Change, DirectionFlow};
use crate::analysis::index::SessionIndex;
use crate::analysis::ladder::row_text;
use crate::base::Direction;
use crate::tui::contract::Ctx;
use crate::tui::screens::chart::{bytes, count, duration};
use crate::tui::theme::Role;
use crate::wire::message::MessageType;

/// A line: its name, what it says, and how that looks.
pub type Line = (&'static str, String, Role);

/// The lines of a direction.
pub fn lines(
    ctx: &Ctx<'_>,
    session: &SessionIndex,
    flow: &DirectionFlow,
    direction: Direction,
) -> Vec<Line> {
    let arrow = ctx.theme().glyphs().right;
    let mut lines = vec![("window", window(flow), Role::Text)];
    lines.push(("chunk size", chunk_sizes(&flow.chunk_sizes, arrow), Role::Text));
    lines.push(acks(flow, session, direction));
    lines.push(in_flight(flow));
    if let Some(percent) = flow.overhead() {
        let text = format!(
            "{percent:.2} %: {} of headers, {} in {}",
            bytes(flow.header_bytes),
            count(flow.chunks, "chunk"),
            count(flow.messages, "message"),
        );
        // The default chunk size costs about 1 %; more is an odd sender or tiny messages.
        lines.push(("overhead", text, if percent > 5.0 { Role::Warning } else { Role::Text }));
    }
    if let Some((length, number)) = flow.max_message
        && let Some(row) = session.rows.get(number)
    {
        let what = row_text(session, &ctx.index.strings, row);
        lines.push((
            "largest",
            format!("{} {what}, row {}", bytes(length.into()), number + 1),
            Role::Text,
        ));
    }
    lines.push(tcp(session, direction));
    lines
}

fn by(kind: MessageType) -> &'static str {
    match kind {
        MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => "announced by the sender",
        _ => "set by the peer's Set Peer Bandwidth",
    }
}

fn window(flow: &DirectionFlow) -> String {
    match (flow.window(), flow.windows.last()) {
        (Some(size), Some(change)) => format!("{size} B, {}", by(change.by)),
        (Some(size), None) => format!("{size} B"),
        (None, _) => "none announced: acknowledgements are not due".into(),
    }
}

/// The values one after the other, repeats once.
fn chunk_sizes(changes: &[Change], arrow: &str) -> String {
    let mut values = vec![128];
    values.extend(changes.iter().map(|change| change.value));
    values.dedup();
    let left = values.len().saturating_sub(5);
    let shown: Vec<String> = values.iter().skip(left).map(u32::to_string).collect();
    let more = if left > 0 { format!("{left} more {arrow} ") } else { String::new() };
    let sets = match changes.len() {
        0 => "never set".to_owned(),
        1 => "set once".to_owned(),
        n => format!("set {n} times"),
    };
    format!("{more}{}, {sets}", shown.join(&format!(" {arrow} ")))
}

fn acks(flow: &DirectionFlow, session: &SessionIndex, direction: Direction) -> Line {
    let peer = match direction {
        Direction::ClientToServer => "server",
        Direction::ServerToClient => "client",
    };
    if let Some(overdue) = flow.overdue(session.last).filter(|overdue| *overdue > 0) {
        let text = match flow.acks.len() {
            0 => format!("none from the {peer}, overdue for {}", duration(overdue)),
            n => format!("{n}, then overdue for {}", duration(overdue)),
        };
        return ("acks", text, Role::Warning);
    }
    if flow.style() == AckStyle::None {
        let due = flow.window().is_some_and(|window| flow.flight.sent > u64::from(window));
        let why = if due { "" } else { ", none was due" };
        return ("acks", format!("none from the {peer}{why}"), Role::Text);
    }
    let mut text = format!("{}, {}", flow.acks.len(), flow.style().name());
    let latest = flow.acks.iter().filter_map(|ack| ack.late).max();
    if let Some(late) = latest {
        text.push_str(&format!(", {} late, by up to {}", flow.late, duration(late)));
    }
    let role =
        if latest.is_some_and(|late| late > 1_000_000_000) { Role::Warning } else { Role::Text };
    ("acks", text, role)
}

fn in_flight(flow: &DirectionFlow) -> Line {
    let now = flow.flight.bytes();
    let over = flow.window().is_some_and(|window| flow.max_flight > u64::from(window));
    let text = match now {
        Some(now) => {
            let share =
                flow.window().filter(|window| *window > 0).map_or_else(String::new, |window| {
                    format!(
                        " ({:.0} % of the window)",
                        flow.max_flight as f64 * 100.0 / f64::from(window)
                    )
                });
            format!("{} unacked, at most {}{share}", bytes(now), bytes(flow.max_flight))
        }
        None => format!("{} sent; nothing to measure by", bytes(flow.flight.sent)),
    };
    ("in flight", text, if over { Role::Warning } else { Role::Text })
}

fn tcp(session: &SessionIndex, direction: Direction) -> Line {
    let samples = session.tcp.samples(direction);
    let most = samples.iter().map(|sample| sample.in_flight()).max();
    let window = samples.iter().filter_map(|sample| sample.window()).min();
    let rtt = samples.iter().filter_map(|sample| sample.rtt_ns()).max();
    let mut parts = Vec::new();
    parts.extend(most.map(|most| format!("in flight up to {}", bytes(most))));
    parts.extend(window.map(|least| format!("window down to {}", bytes(least))));
    parts.extend(rtt.map(|rtt| format!("rtt up to {}", duration(rtt))));
    if parts.is_empty() {
        parts.push("not told".into());
    }
    ("TCP", parts.join(", "), if window == Some(0) { Role::Warning } else { Role::Text })
}
