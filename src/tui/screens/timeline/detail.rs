//! What stands at the cursor, in words.

use super::commands::last_word;
use crate::analysis::index::{Row, SessionIndex};
use crate::analysis::ladder::row_text;
use crate::analysis::lanes::{Column, Lanes, MarkKind, View};
use crate::base::Direction;
use crate::lint::Severity;
use crate::tui::contract::Ctx;
use crate::tui::screens::chart::{bitrate, bytes, count, duration};
use crate::tui::theme::Role;

/// A message in one line: when, which way, what, how large, where.
pub fn message(ctx: &Ctx<'_>, session: &SessionIndex, number: usize, row: &Row) -> String {
    let way = match row.direction() {
        Direction::ClientToServer => "C",
        Direction::ServerToClient => "S",
    };
    let arrow = ctx.theme().glyphs().right;
    let peer = if way == "C" { "S" } else { "C" };
    let mut text = format!(
        "{:.6} s  {way}{arrow}{peer}  {}  {}  ts {}",
        ctx.seconds(row.time),
        row_text(session, &ctx.index.strings, row),
        bytes(row.length.into()),
        row.timestamp,
    );
    if let Some(response) = session.response_time(row) {
        text.push_str(&format!("  after {}", duration((response * 1e9) as i64)));
    }
    let place = session.place(row);
    text.push_str(&format!("  row {}, frame {}", number + 1, place.first_frame));
    if place.last_frame > place.first_frame {
        text.push_str(&format!("-{}", place.last_frame));
    }
    if !row.complete() {
        text.push_str("  damaged");
    }
    text
}

/// What a column holds.
pub fn column(column: &Column, length: i64) -> String {
    let sum = &column.sum;
    let mut parts = Vec::new();
    if sum.video.frames > 0 {
        let keys =
            if sum.video.keys > 0 { format!(" ({} K)", sum.video.keys) } else { String::new() };
        parts.push(format!("{} video{keys} {}", sum.video.frames, bytes(sum.video.bytes)));
    }
    if sum.audio.frames > 0 {
        parts.push(format!("{} audio {}", sum.audio.frames, bytes(sum.audio.bytes)));
    }
    let acks = sum.acks[0] + sum.acks[1];
    for (number, what) in [
        (sum.commands, "command"),
        (sum.control, "control message"),
        (sum.data, "data message"),
        (acks, "ack"),
    ] {
        if number > 0 {
            parts.push(count(number, what));
        }
    }
    if column.rate != [0.0; 2] {
        parts.push(bitrate(column.rate[0] + column.rate[1]));
    }
    if let Some(offset) = sum.av_offset.last() {
        parts.push(format!("A-V {offset:+} ms"));
    }
    if let Some(late) = sum.lateness.last() {
        parts.push(format!("late {late:+} ms"));
    }
    for (way, span) in ["C", "S"].into_iter().zip(&sum.flight) {
        if let Some(flight) = span.last() {
            parts.push(format!("unacked of {way} {}", bytes(flight.max(0) as u64)));
        }
    }
    if parts.is_empty() {
        parts.push("nothing".into());
    }
    format!("{} per column: {}", duration(length), parts.join(", "))
}

/// What is rare in a column: commands, gaps, anomalies; the most telling first.
pub fn events(
    ctx: &Ctx<'_>,
    session: &SessionIndex,
    lanes: &Lanes,
    view: &View,
    number: usize,
) -> Vec<(Role, String)> {
    let columns = view.columns.len();
    let here = |at: i64| view.window.contains(at) && view.window.column(at, columns) == number;
    let mut lines = Vec::new();
    for finding in ctx.findings.iter().filter(|finding| finding.session == Some(session.number())) {
        if here(lanes.moment(session, finding.place.time)) {
            let role = match finding.severity {
                Severity::Error => Role::Error,
                Severity::Warning => Role::Warning,
                _ => Role::Note,
            };
            lines.push((role, format!("{}: {}", finding.id(), finding.message.plain())));
        }
    }
    for mark in view.marks.iter().filter(|mark| here(mark.at)) {
        match mark.kind {
            MarkKind::Gap(index) => {
                if let Some(gap) = session.gaps.get(index) {
                    let text = format!(
                        "{}: {} missing, frame {}",
                        gap.kind.name(),
                        bytes(gap.len),
                        gap.frame
                    );
                    lines.push((Role::Gap, text));
                }
            }
            MarkKind::Anomaly(index) => {
                if let Some(anomaly) = session.anomalies.get(index) {
                    lines.push((Role::Warning, format!("{}: {}", anomaly.kind, anomaly.detail)));
                }
            }
            MarkKind::Start | MarkKind::Handshake(_) | MarkKind::End => {}
        }
    }
    // Missing bytes explain most of what else is odd there.
    lines.sort_by_key(|(role, _)| *role != Role::Gap);
    let spans = view.commands.iter().filter(|span| here(span.at) || span.until.is_some_and(here));
    let commands: Vec<String> = spans
        .take(32)
        .map(|span| {
            let name = ctx.text(span.name);
            let code = last_word(ctx.text(span.code));
            match (span.response, span.failed) {
                (Some(time), true) => format!("{name} refused: {code} after {}", duration(time)),
                (Some(time), false) => format!("{name} {}", duration(time)),
                (None, _) if name == "onStatus" => code.to_owned(),
                (None, _) => name.to_owned(),
            }
        })
        .collect();
    if !commands.is_empty() {
        lines.push((Role::Command, commands.join("; ")));
    }
    let controls = view.controls.iter().filter_map(|row| Some((*row, session.rows.get(*row)?)));
    let controls: Vec<String> = controls
        .filter(|(number, row)| here(lanes.at(*number, row)))
        .take(32)
        .map(|(_, row)| row_text(session, &ctx.index.strings, row))
        .collect();
    if !controls.is_empty() {
        lines.push((Role::Control, controls.join("; ")));
    }
    lines
}
