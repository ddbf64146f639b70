//! One compact sheet per session.

use std::fmt::Write;

use super::describe::{clean, milliseconds};
use super::line::{end_reason, peer_name};
use crate::analysis::{SessionEnd, SessionRecord};
use crate::base::Timestamp;

/// The sheet of a session, each line ended; `session` is what was said of it when it was first
/// seen, `epoch` second 0.
pub fn summary_sheet(
    session: Option<&SessionRecord>,
    end: &SessionEnd,
    epoch: Option<Timestamp>,
) -> String {
    let mut out = format!("session {}  {}", end.session, end.transport.name());
    if let Some(session) = session {
        let _ = write!(out, "  {} → {}", session.client, session.server);
        if session.midstream {
            out.push_str("  (begins in mid-stream)");
        }
        if !session.tunnels.is_empty() {
            let _ = write!(out, "  in {}", session.tunnels.join(", "));
        }
    }
    out.push('\n');
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<9} {text}");
        }
    };
    let facts = &end.facts;
    if let Some(note) = session.and_then(|s| s.note.as_deref()) {
        line("note", &clean(note));
    }
    let role = facts.role.as_deref().unwrap_or_default();
    line("role", role);
    line("app", &text(&facts.app));
    line("tcUrl", &text(&facts.tc_url));
    line("stream", &text(&facts.stream));
    let codecs: Vec<String> = [("video", &facts.video), ("audio", &facts.audio)]
        .into_iter()
        .filter_map(|(kind, codec)| Some(format!("{kind} {}", clean(codec.as_deref()?))))
        .collect();
    line("codecs", &codecs.join(", "));
    let from = end.start.seconds_since(epoch.unwrap_or(end.start));
    let duration = end.time.seconds_since(end.start);
    line("time", &format!("{duration:.3} s, from {from:.3} s to {:.3} s", from + duration));
    let mut messages = format!("{} from client, {} from server", end.messages[0], end.messages[1]);
    if end.damaged > 0 {
        let _ = write!(messages, ", {} damaged", end.damaged);
    }
    if end.uncertain > 0 {
        let _ = write!(messages, ", {} inferred or resynced", end.uncertain);
    }
    line("messages", &messages);
    let kinds: Vec<String> = end
        .by_type
        .iter()
        .map(|&(id, count)| {
            let kind = crate::wire::message::MessageType(id).kind();
            if kind == "unknown" {
                format!("{count} of type {id}")
            } else {
                format!("{count} {kind}")
            }
        })
        .collect();
    line("", &kinds.join(", "));
    line(
        "bytes",
        &format!("{} from client, {} from server", size(end.tcp[0].bytes), size(end.tcp[1].bytes)),
    );
    let capture_lost = end.tcp[0].capture_lost_bytes + end.tcp[1].capture_lost_bytes;
    let network_lost = end.tcp[0].network_lost_bytes + end.tcp[1].network_lost_bytes;
    let undecoded = end.undecoded_bytes[0] + end.undecoded_bytes[1];
    line(
        "loss",
        &format!("capture {capture_lost} B, network {network_lost} B; undecoded {undecoded} B"),
    );
    line("tcp", &tcp(end));
    if end.anomalies > 0 {
        line("anomalies", &end.anomalies.to_string());
    }
    line("ended", &ended(end));
    out
}

fn text(fact: &Option<String>) -> String {
    fact.as_deref().map(clean).unwrap_or_default()
}

fn tcp(end: &SessionEnd) -> String {
    let mut parts = Vec::new();
    for (name, of) in [
        ("retransmissions", [end.tcp[0].retransmissions, end.tcp[1].retransmissions]),
        ("out of order", [end.tcp[0].out_of_order, end.tcp[1].out_of_order]),
        ("zero windows", [end.tcp[0].zero_window_spans, end.tcp[1].zero_window_spans]),
        ("conflicts", [end.tcp[0].conflicts, end.tcp[1].conflicts]),
    ] {
        if of != [0, 0] {
            parts.push(format!("{name} {}/{}", of[0], of[1]));
        }
    }
    if parts.is_empty() {
        parts.push("no retransmissions".to_owned());
    }
    for (peer, stats) in ["client", "server"].iter().zip(&end.tcp) {
        if let (Some(min), Some(mean)) = (stats.rtt_min_ns, stats.rtt_mean_ns) {
            parts.push(format!(
                "rtt {peer} min {} mean {}",
                milliseconds(min as f64 / 1e9),
                milliseconds(mean as f64 / 1e9)
            ));
        }
    }
    parts.join(", ")
}

/// How it ended, in words.
pub(super) fn ended(end: &SessionEnd) -> String {
    let (reason, by) = end_reason(end.reason);
    let mut out = match (reason, by) {
        ("fin", Some(by)) => format!("closed by {} (FIN)", peer_name(by)),
        ("reset", Some(by)) => format!("reset by {} (RST)", peer_name(by)),
        ("end-of-capture", Some(by)) => {
            format!("capture ended after {} closed its side (FIN)", peer_name(by))
        }
        ("end-of-capture", None) => "capture ended first".to_owned(),
        ("reused", _) => "a new connection took its address and port".to_owned(),
        ("evicted", _) => "dropped: too many connections at once".to_owned(),
        (other, _) => other.to_owned(),
    };
    if let Some(status) = &end.facts.last_status {
        let _ = write!(out, "; last status {}", clean(status));
    }
    out
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
