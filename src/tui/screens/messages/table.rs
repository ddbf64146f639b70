//! The table: any number of rows, of which those in sight are looked at.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::analysis::index::{MediaKind, Row};
use crate::base::Direction;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, TimeFormat};
use crate::tui::screens::words;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{
    Column, cell, headings, layout, paint, pane, put, scroll_bar, scrolled,
};

const COLUMNS: &[Column] = &[
    Column { title: "#", width: 6, grow: 0, priority: 1, right: true },
    Column { title: "time", width: 12, grow: 0, priority: 2, right: true },
    Column { title: "", width: 1, grow: 0, priority: 0, right: false },
    Column { title: "type", width: 10, grow: 0, priority: 0, right: false },
    Column { title: "csid", width: 4, grow: 0, priority: 9, right: true },
    Column { title: "msid", width: 4, grow: 0, priority: 8, right: true },
    Column { title: "timestamp", width: 10, grow: 0, priority: 5, right: true },
    Column { title: "length", width: 7, grow: 0, priority: 3, right: true },
    Column { title: "frames", width: 13, grow: 0, priority: 7, right: true },
    Column { title: "chunks", width: 6, grow: 0, priority: 10, right: true },
    Column { title: "says", width: 32, grow: 1, priority: 0, right: false },
];

/// The pane.
#[derive(Debug, Default)]
pub(super) struct TablePane {
    /// Position of the first row drawn, among those in sight.
    first: usize,
    pub(super) area: Rect,
}

/// What a row looks like: its colour.
fn role(row: &Row) -> Role {
    match row.type_id.0 {
        _ if !row.complete() => Role::Gap,
        8 => Role::Audio,
        9 if row.media == MediaKind::Key => Role::KeyFrame,
        9 => Role::Video,
        17 | 20 => Role::Command,
        1..=6 => Role::Control,
        15 | 16 | 18 | 19 | 22 => Role::Data,
        _ => Role::Warning,
    }
}

impl TablePane {
    pub(super) fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect, focused: bool) {
        let theme = ctx.theme();
        let total = ctx.visible_rows();
        let all = ctx.session().map_or(0, |session| session.rows.len());
        let title = match ctx.matches {
            Some(_) => format!("{total} of {all} messages"),
            None => format!("{total} messages"),
        };
        let inner = pane(frame, area, &title, focused, theme);
        self.area = inner;
        let buf = frame.buffer_mut();
        let mut columns = [COLUMNS[0]; 11];
        columns.copy_from_slice(COLUMNS);
        columns[1].title = match ctx.shared.times {
            TimeFormat::Relative => "time",
            TimeFormat::Delta => "delta",
            TimeFormat::Absolute => "UTC",
            TimeFormat::Rtmp => "RTMP time",
        };
        if ctx.shared.times == TimeFormat::Absolute {
            columns[1].width = 15;
        }
        let places = layout(&columns, inner.width);
        headings(buf, inner, &columns, &places, None, theme);
        let Some(session) = ctx.session() else { return };
        let height = usize::from(inner.height.saturating_sub(1));
        let selected = ctx.shared.cursor.row.map_or(0, |row| ctx.visible_position(row));
        self.first = scrolled(self.first, selected.min(total.saturating_sub(1)), height, total);
        let mut before = self.first.checked_sub(1).and_then(|nth| ctx.nth_visible(nth));
        for y in 0..height {
            let Some(number) = ctx.nth_visible(self.first + y) else { break };
            let Some(row) = session.rows.get(number) else { break };
            let y = y as u16 + 1;
            let place = session.place(row);
            let role = role(row);
            for (column, range) in &places {
                let text = match *column {
                    0 => (number + 1).to_string(),
                    1 => words::time(ctx, row, before.and_then(|before| session.rows.get(before))),
                    2 => match row.direction() {
                        Direction::ClientToServer => theme.glyphs().right.to_owned(),
                        Direction::ServerToClient => theme.glyphs().left.to_owned(),
                    },
                    3 => match row.type_id.is_known() {
                        true => words::type_word(row.type_id).to_owned(),
                        false => format!("type {}", row.type_id.0),
                    },
                    4 => row.csid().to_string(),
                    5 => row.stream_id().map_or("?".to_owned(), |id| id.to_string()),
                    6 => {
                        let unsure = if row.timestamp_exact() { "" } else { "~" };
                        format!("{unsure}{}", row.timestamp)
                    }
                    7 => row.length.to_string(),
                    8 => match (place.first_frame, place.last_frame) {
                        (0, _) => String::new(),
                        (first, last) if first == last => first.to_string(),
                        (first, last) => format!("{first}-{last}"),
                    },
                    9 => place.chunks.to_string(),
                    _ => words::info(ctx, row),
                };
                let role = match *column {
                    0 | 4 | 5 | 8 | 9 => Role::Dim,
                    1 | 6 | 7 => Role::Text,
                    2 if row.direction() == Direction::ClientToServer => Role::Client,
                    2 => Role::Server,
                    10 if is_failure(ctx, row) => Role::Error,
                    _ => role,
                };
                let right = columns[*column].right;
                cell(buf, inner, y, range, &text, right, theme.style(role), theme);
            }
            let picked = |p: &crate::tui::contract::Picked| {
                p.session == ctx.shared.session && p.row == Some(number)
            };
            if ctx.shared.picked.iter().any(picked) {
                put(buf, inner, 0, y, theme.glyphs().mark, theme.style(Role::Mark));
            }
            let marks = ctx.shared.marks.iter();
            let mark = marks
                .filter(|(_, mark)| mark.session == ctx.shared.session)
                .find(|(_, mark)| mark.cursor.row == Some(number));
            if let Some((letter, _)) = mark {
                put(buf, inner, 0, y, &letter.to_string(), theme.style(Role::Mark));
            }
            if ctx.shared.cursor.row == Some(number) {
                let role = if focused { Role::Selected } else { Role::SelectedDim };
                paint(buf, inner, y, theme.style(role));
            }
            before = Some(number);
        }
        if total == 0 {
            let text = match ctx.matches {
                Some(_) if all > 0 => "The filter takes none of the messages; F switches it off.",
                _ => "No message so far.",
            };
            put(buf, inner, 1, 2, text, theme.style(Role::Dim));
        }
        scroll_bar(buf, area, self.first, height, total, theme);
    }

    pub(super) fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let page = isize::from(self.area.height.saturating_sub(2).max(1) as i16);
        Some(match action {
            Action::Up => self.step(ctx, -1),
            Action::Down => self.step(ctx, 1),
            Action::PageUp => self.step(ctx, -page),
            Action::PageDown => self.step(ctx, page),
            Action::HalfUp => self.step(ctx, -(page / 2).max(1)),
            Action::HalfDown => self.step(ctx, (page / 2).max(1)),
            Action::Top => self.step(ctx, isize::MIN),
            Action::Bottom => self.step(ctx, isize::MAX),
            _ => return None,
        })
    }

    pub(super) fn step(&self, ctx: &Ctx<'_>, by: isize) -> Vec<Effect> {
        let here = ctx.shared.cursor.row.map_or(0, |row| ctx.visible_position(row));
        let last = ctx.visible_rows().saturating_sub(1);
        let next = here.saturating_add_signed(by).min(last);
        ctx.nth_visible(next).map(Effect::Row).into_iter().collect()
    }

    pub(super) fn click(&self, ctx: &Ctx<'_>, y: u16) -> Vec<Effect> {
        let Some(y) = usize::from(y).checked_sub(1) else { return Vec::new() };
        ctx.nth_visible(self.first + y).map(Effect::Row).into_iter().collect()
    }
}

/// Whether the message reports a failure.
fn is_failure(ctx: &Ctx<'_>, row: &Row) -> bool {
    let code = ctx.text(row.code());
    let bad = ["Rejected", "Failed", "BadName", "Denied", "NotFound", "Error", "Closed"];
    row.complete()
        && matches!(row.type_id.0, 17 | 20)
        && (ctx.text(row.label) == "_error" || bad.iter().any(|word| code.contains(word)))
}
