//! Figures of both directions side by side.

use crate::analysis::index::SessionIndex;
use crate::base::{Direction, GapKind};
use crate::rtmp::Confidence;
use crate::tui::contract::Ctx;
use crate::tui::screens::chart::{bytes, count, duration};
use crate::tui::theme::Role;

/// A line: its name, a value and a look for each direction.
pub struct Line {
    /// What it counts.
    pub name: &'static str,
    /// Client to server, then server to client.
    pub values: [(String, Role); 2],
}

/// Lines that only matter when they are not 0.
const MINOR: [&str; 6] = [
    "retransmitted",
    "out of order",
    "keep-alives",
    "conflicts",
    "lost by network",
    "lost by capture",
];

/// The lines of a session. TCP's own counters are final when the session is over; until then what
/// was told so far is counted. Where there is no room for all, those that tell least are left out
/// while they tell nothing.
pub fn lines(session: &SessionIndex, all: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(end) = &session.end {
        let mut add = |name, value: fn(&crate::flow::DirectionStats) -> (String, Role)| {
            lines.push(Line { name, values: [value(&end.tcp[0]), value(&end.tcp[1])] });
        };
        add("segments", |tcp| plain(tcp.packets.to_string()));
        add("stream bytes", |tcp| plain(bytes(tcp.bytes)));
        add("retransmitted", |tcp| odd(tcp.retransmissions));
        add("out of order", |tcp| odd(tcp.out_of_order));
        add("keep-alives", |tcp| plain(tcp.keep_alives.to_string()));
        add("zero windows", |tcp| match tcp.zero_window_spans {
            0 => plain("0".into()),
            n => (format!("{n}, {} in all", duration(tcp.zero_window_ns)), Role::Warning),
        });
        add("round trip", |tcp| match (tcp.rtt_min_ns, tcp.rtt_mean_ns, tcp.rtt_max_ns) {
            (Some(min), Some(mean), Some(max)) => {
                plain(format!("{} to {}, mean {}", duration(min), duration(max), duration(mean)))
            }
            _ => plain("not known".into()),
        });
        add("most in flight", |tcp| plain(bytes(tcp.max_in_flight)));
        add("conflicts", |tcp| odd(tcp.conflicts));
    }
    for (name, kind) in
        [("lost by network", GapKind::Network), ("lost by capture", GapKind::Capture)]
    {
        let values = Direction::BOTH.map(|direction| {
            let gaps = session.gaps.iter();
            let lost: u64 = gaps
                .filter(|gap| gap.kind == kind && gap.direction == direction)
                .map(|gap| gap.len)
                .sum();
            match lost {
                0 => plain("0".into()),
                lost => (bytes(lost), Role::Gap),
            }
        });
        lines.push(Line { name, values });
    }
    if let Some(end) = &session.end {
        let values = end.undecoded_bytes.map(|left| match left {
            0 => plain("0".into()),
            left => (bytes(left), Role::Warning),
        });
        lines.push(Line { name: "not decoded", values });
    }
    if !all {
        lines.retain(|line| {
            !MINOR.contains(&line.name) || line.values.iter().any(|(text, _)| text != "0")
        });
    }
    lines
}

/// How sure the decoder is of the messages, counted.
pub fn confidence(session: &SessionIndex) -> [u64; 4] {
    let mut counts = [0; 4];
    for row in &session.rows {
        counts[match row.confidence() {
            Confidence::Exact => 0,
            Confidence::Inferred => 1,
            Confidence::Resynced => 2,
        }] += 1;
        counts[3] += u64::from(!row.complete());
    }
    counts
}

/// The capture as a whole.
pub fn capture(ctx: &Ctx<'_>) -> Vec<(String, Role)> {
    let Some(end) = &ctx.index.end else {
        return vec![("the capture is still being read".into(), Role::Dim)];
    };
    let text = format!(
        "{}, {} without TCP, {} of other protocols",
        count(end.packets, "packet"),
        end.other_packets,
        count(end.other_flows, "TCP connection")
    );
    let mut lines = vec![(text, Role::Text)];
    lines.extend(end.capture_errors.iter().map(|error| (error.clone(), Role::Error)));
    lines
}

fn plain(text: String) -> (String, Role) {
    (text, Role::Text)
}

fn odd(count: u64) -> (String, Role) {
    (count.to_string(), if count > 0 { Role::Warning } else { Role::Text })
}
