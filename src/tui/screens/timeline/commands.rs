//! The commands' lane: as many of them as there is room for, the others counted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::analysis::index::Interner;
use crate::analysis::lanes::{CommandSpan, View};
use crate::base::Direction;
use crate::tui::screens::chart::{cells, duration, put};
use crate::tui::theme::{Role, Theme};

/// A command with a place: line of the lane, first column, cells.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Placed {
    span: usize,
    line: u16,
    from: u16,
    to: u16,
}

/// Draws the lane.
pub fn draw(buffer: &mut Buffer, area: Rect, theme: &Theme, view: &View, strings: &Interner) {
    let columns = usize::from(area.width);
    let column = |at: i64| view.window.column(at, columns) as u16;
    let mut free = vec![0_u16; usize::from(area.height)];
    // Where commands found no room: (column, how many).
    let mut left_out: Vec<(u16, u32)> = Vec::new();
    for span in &view.commands {
        let from = column(span.at);
        let wide = span.until.map_or(0, |until| column(until).saturating_sub(from) + 1);
        let needs = cells(&text(span, strings, theme, 0)).max(wide);
        let line = free.iter().position(|end| *end <= from && from + needs <= area.width);
        // What does not fit before the right edge ends there.
        let (from, line) = match line {
            None if from + needs > area.width && needs <= area.width => {
                let from = area.width - needs;
                (from, free.iter().position(|end| *end <= from))
            }
            line => (from, line),
        };
        match line {
            Some(line) => {
                let to = (from + needs).min(area.width);
                if let Some(free) = free.get_mut(line) {
                    *free = to + 1;
                }
                let placed = Placed { span: 0, line: line as u16, from, to };
                one(buffer, area, theme, span, strings, &placed);
            }
            None => match left_out.last_mut() {
                Some((at, count)) if from < *at + 4 => *count += 1,
                _ => left_out.push((from, 1)),
            },
        }
    }
    for (from, count) in left_out {
        let text = format!("+{count}");
        let line = free.iter().rposition(|end| *end <= from.max(1));
        // No room at its column: after whatever stands there, in the last line.
        let (line, at) = match line {
            Some(line) => (line, from),
            None => (free.len().saturating_sub(1), free.last().copied().unwrap_or(0)),
        };
        let len = cells(&text);
        if at + len <= area.width {
            let style = theme.style(Role::Dim);
            put(buffer, area.x + at, area.y + line as u16, len, &text, style);
            if let Some(free) = free.get_mut(line) {
                *free = at + len + 1;
            }
        }
    }
}

fn one(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    span: &CommandSpan,
    strings: &Interner,
    placed: &Placed,
) {
    let text = text(span, strings, theme, placed.to - placed.from);
    let role = match (span.failed, span.direction) {
        (true, _) => Role::Error,
        (_, Direction::ClientToServer) => Role::Command,
        (_, Direction::ServerToClient) => Role::Server,
    };
    let (x, y) = (area.x + placed.from, area.y + placed.line);
    put(buffer, x, y, placed.to - placed.from, &text, theme.style(role));
}

/// Arrow, name, how it went. Where the reply comes later, a line leads to it.
fn text(span: &CommandSpan, strings: &Interner, theme: &Theme, width: u16) -> String {
    let glyphs = theme.glyphs();
    let arrow = match span.direction {
        Direction::ClientToServer => glyphs.right,
        Direction::ServerToClient => glyphs.left,
    };
    let name = match strings.get(span.name) {
        // A status is known by its code.
        "onStatus" | "_result" | "_error" => last_word(strings.get(span.code)),
        name => name,
    };
    let head = format!("{arrow}{name}");
    let tail = match (span.response, span.failed) {
        (Some(response), failed) => {
            let sign = if failed { glyphs.cross } else { glyphs.check };
            let why = if failed { last_word(strings.get(span.code)) } else { "" };
            let gap = if why.is_empty() { "" } else { " " };
            format!("{sign}{}{gap}{why}", duration(response).replace(' ', ""))
        }
        (None, true) => glyphs.cross.to_owned(),
        (None, false) => String::new(),
    };
    let used = cells(&head) + cells(&tail);
    let fill = match (tail.is_empty(), width > used) {
        (true, _) => String::new(),
        (false, true) => glyphs.horizontal.repeat(usize::from(width - used)),
        (false, false) => " ".into(),
    };
    format!("{head}{fill}{tail}")
}

/// `BadName` of `NetStream.Publish.BadName`: the part that tells.
pub fn last_word(code: &str) -> &str {
    code.rsplit('.').next().unwrap_or(code)
}
