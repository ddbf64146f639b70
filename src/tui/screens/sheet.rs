//! What is known of a session, in a few lines: below the list of sessions.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::words;
use crate::analysis::index::SessionIndex;
use crate::base::Direction;
use crate::lint::Severity;
use crate::rtmp::Confidence;
use crate::tui::contract::Ctx;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{fit, pane, put};

/// A line: a name, a value, how it looks.
type Line = (String, String, Role);

/// Draws it.
pub(super) fn draw(ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
    let theme = ctx.theme();
    let Some(session) = ctx.session() else { return };
    let title = format!("session {}", session.number());
    let inner = pane(frame, area, &title, false, theme);
    let buf = frame.buffer_mut();
    let mut lines = facts(session);
    lines.extend(found(ctx, session));
    let height = usize::from(inner.height);
    if lines.len() > height {
        let more = lines.len() + 1 - height;
        lines.truncate(height.saturating_sub(1));
        lines.push((String::new(), format!("and {more} more"), Role::Dim));
    }
    for (y, (name, value, role)) in lines.iter().enumerate() {
        let y = y as u16;
        put(buf, inner, 1, y, name, theme.style(Role::Name));
        let room = usize::from(inner.width.saturating_sub(14));
        put(buf, inner, 13, y, &fit(value, room, theme), theme.style(*role));
    }
}

fn facts(session: &SessionIndex) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |name: &str, value: String, role| {
        if !value.is_empty() {
            lines.push((name.to_owned(), value, role));
        }
    };
    let facts = session.facts();
    let record = &session.session;
    add("tcUrl", facts.tc_url.unwrap_or_default(), Role::Text);
    add("note", record.note.clone().unwrap_or_default(), Role::Text);
    add("tunnels", record.tunnels.join(", "), Role::Text);
    if record.midstream {
        add("begins", "within the connection: no handshake was captured".into(), Role::Warning);
    }
    let mut by_type = BTreeMap::new();
    for row in session.rows.iter().take(MAX_COUNTED) {
        *by_type.entry(row.type_id).or_insert(0_u64) += 1;
    }
    let counts: Vec<String> = by_type
        .iter()
        .map(|(id, n)| format!("{} {}", words::count(*n), words::type_word(*id)))
        .collect();
    add("messages", counts.join(", "), Role::Text);
    for config in session.configs.iter().take(4) {
        let kind = words::type_word(config.media);
        let track = config.track.map(|track| format!(" track {track}")).unwrap_or_default();
        add(kind, format!("{}{track}", crate::report::codec_config(&config.config)), Role::Text);
    }
    let status = facts.last_status.unwrap_or_default();
    add("last status", status, Role::Text);
    if let Some(end) = &session.end {
        for direction in Direction::BOTH {
            let tcp = &end.tcp[direction.index()];
            let who = match direction {
                Direction::ClientToServer => "client TCP",
                Direction::ServerToClient => "server TCP",
            };
            let text = format!(
                "{} bytes, {} retransmitted, {} out of order, {} zero windows",
                words::count(tcp.bytes),
                tcp.retransmissions,
                tcp.out_of_order,
                tcp.zero_window_spans
            );
            add(who, text, Role::Dim);
        }
    }
    let unsure = session.rows.iter().take(MAX_COUNTED);
    let unsure = unsure.filter(|row| row.confidence() != Confidence::Exact).count();
    if unsure > 0 {
        add("confidence", format!("{unsure} messages are inferred or resynced"), Role::Warning);
    }
    let lost: u64 = session.gaps.iter().map(|gap| gap.len).sum();
    if lost > 0 {
        let text = format!("{lost} bytes in {} gaps", session.gaps.len());
        add("missing", text, Role::Gap);
    }
    lines
}

/// Messages counted for the sheet: it is drawn with every frame.
const MAX_COUNTED: usize = 50_000;

fn found(ctx: &Ctx<'_>, session: &SessionIndex) -> Vec<Line> {
    let number = session.number();
    let mut findings: Vec<_> =
        ctx.findings.iter().filter(|finding| finding.session == Some(number)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut lines: Vec<Line> = findings
        .iter()
        .map(|finding| {
            let role = match finding.severity {
                Severity::Error => Role::Error,
                Severity::Warning => Role::Warning,
                Severity::Note => Role::Note,
            };
            let times =
                if finding.count > 1 { format!(" ({}x)", finding.count) } else { String::new() };
            let text = format!("{}: {}{times}", finding.rule.id, finding.message.plain());
            (finding.severity.name().to_owned(), text, role)
        })
        .collect();
    let mut kinds: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for anomaly in &session.anomalies {
        kinds.entry(anomaly.kind).or_insert((0, &anomaly.detail)).0 += 1;
    }
    lines.extend(kinds.into_iter().map(|(kind, (n, detail))| {
        let times = if n > 1 { format!(" ({n}x)") } else { String::new() };
        ("anomaly".to_owned(), format!("{kind}: {detail}{times}"), Role::Warning)
    }));
    lines
}
