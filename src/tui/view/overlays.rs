//! Lines, menus and questions above the screen.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::widgets::{columns, fit, pane, popup, put, put_right, scrolled};
use crate::tui::app::{App, Overlay, fitting, in_palette};
use crate::tui::contract::ExportKind;
use crate::tui::line::LineEdit;
use crate::tui::loader::Data;
use crate::tui::theme::{Role, Theme};

pub(super) fn draw(app: &App, data: &Data, frame: &mut Frame<'_>, area: Rect) {
    let theme = &app.shared.theme;
    match &app.overlay {
        Overlay::None | Overlay::Mark | Overlay::Jump => {}
        Overlay::Filter { line, .. } => filter(app, line, frame, area),
        Overlay::Search(line) => {
            let at = Rect { y: area.bottom() - 2, height: 1, ..area };
            typed(frame, at, "search ", line, Role::Text, theme);
        }
        Overlay::Palette { line, selected } => {
            actions(app, line, *selected, true, frame, area);
        }
        Overlay::Help { line, selected } => actions(app, line, *selected, false, frame, area),
        Overlay::Menu { title, items, selected } => {
            let inner = popup(frame, area, 76, items.len() as u16 + 2, title, theme);
            let buf = frame.buffer_mut();
            for (y, item) in items.iter().enumerate().take(inner.height.into()) {
                let y = y as u16;
                let x = put(buf, inner, 1, y, &item.key.to_string(), theme.style(Role::Key));
                put(buf, inner, x + 1, y, &item.label, theme.style(Role::Text));
                let room = usize::from(inner.width.saturating_sub(34));
                put(buf, inner, 33, y, &fit(&item.preview, room, theme), theme.style(Role::Dim));
                if usize::from(y) == *selected {
                    super::widgets::paint(buf, inner, y, theme.style(Role::Selected));
                }
            }
        }
        Overlay::Path { kind, line } => {
            let what = match kind {
                ExportKind::Pcapng => "the session's packets as pcapng to ",
                ExportKind::Flv => "audio and video as FLV to ",
                ExportKind::Ndjson => "messages as NDJSON to ",
                ExportKind::Csv => "messages as CSV to ",
                ExportKind::Mermaid => "the ladder as Mermaid to ",
            };
            let rows = app.ctx(data).visible_rows();
            let prompt = match kind {
                ExportKind::Ndjson | ExportKind::Csv => format!("{rows} {what}"),
                _ => what.to_owned(),
            };
            let at = Rect { y: area.bottom() - 2, height: 1, ..area };
            typed(frame, at, &prompt, line, Role::Text, theme);
        }
        Overlay::Confirm { question, .. } => {
            let width = columns(question) + 6;
            let inner = popup(frame, area, width, 3, "", theme);
            put(frame.buffer_mut(), inner, 2, 0, question, theme.style(Role::Warning));
        }
    }
}

/// A line being typed, with the terminal's cursor in it.
fn typed(
    frame: &mut Frame<'_>,
    at: Rect,
    prompt: &str,
    line: &LineEdit,
    role: Role,
    theme: &Theme,
) {
    Clear.render(at, frame.buffer_mut());
    let buf = frame.buffer_mut();
    let x = put(buf, at, 1, 0, prompt, theme.style(Role::Key));
    let room = at.width.saturating_sub(x + 1);
    let before = line.text().get(..line.cursor()).unwrap_or_default();
    let skip = columns(before).saturating_sub(room.saturating_sub(1));
    let shown: String = line.text().chars().skip(skip.into()).collect();
    put(buf, at, x, 0, &shown, theme.style(role));
    let cursor = x + columns(before).saturating_sub(skip);
    frame.set_cursor_position(Position { x: at.x + cursor.min(at.width - 1), y: at.y });
}

fn filter(app: &App, line: &LineEdit, frame: &mut Frame<'_>, area: Rect) {
    let theme = &app.shared.theme;
    let glyphs = theme.glyphs();
    let at = Rect { y: area.bottom() - 2, height: 1, ..area };
    let (role, verdict) = match (app.filter.draft_error(), line.text().trim().is_empty()) {
        (_, true) => (Role::Dim, "no filter".to_owned()),
        (Some(error), _) => (Role::Error, format!("{} {error}", glyphs.cross)),
        (None, _) => {
            let matches = app.filter.draft_matches(app.shared.session).unwrap_or(0);
            let s = if matches == 1 { "" } else { "s" };
            (Role::Good, format!("{} {matches} message{s}", glyphs.check))
        }
    };
    typed(frame, at, "filter ", line, role, theme);
    if line.text().is_empty() {
        let example = "type==video && key    cmd==\"publish\"    gap>500ms    dir==c2s";
        put(frame.buffer_mut(), at, 9, 0, example, theme.style(Role::Dim));
    }
    let below = Rect { y: area.bottom() - 3, height: 1, ..area };
    Clear.render(below, frame.buffer_mut());
    let text = fit(&verdict, usize::from(area.width.saturating_sub(2)), theme);
    put(frame.buffer_mut(), below, 1, 0, &text, theme.style(role));
    // The place of the fault, below what is typed.
    if let Some(error) = app.filter.draft_error() {
        let from = line.text().get(..error.span.start).map_or(0, columns);
        let len = line.text().get(error.span.clone()).map_or(1, columns).max(1);
        for x in from..from.saturating_add(len) {
            let x = at.x + 8 + x;
            if x < at.right()
                && let Some(cell) = frame.buffer_mut().cell_mut(Position { x, y: at.y })
            {
                cell.set_style(theme.style(Role::Error).underlined());
            }
        }
    }
    let Overlay::Filter { candidates, chosen, .. } = &app.overlay else { return };
    if candidates.is_empty() || area.height < 12 {
        return;
    }
    let height = (candidates.len() as u16).min(8) + 2;
    let width = area.width.min(72);
    let start = line.text().get(..candidates[0].replace.start).map_or(0, columns);
    let x = (area.x + 7 + start).min(area.right() - width);
    let list = Rect { x, y: below.y - height, width, height };
    Clear.render(list, frame.buffer_mut());
    let inner = pane(frame, list, "", false, theme);
    let buf = frame.buffer_mut();
    let first = scrolled(0, chosen.unwrap_or(0), inner.height.into(), candidates.len());
    let shown = candidates.iter().enumerate().skip(first).take(inner.height.into());
    for (y, (at, candidate)) in shown.enumerate() {
        let y = y as u16;
        put(buf, inner, 0, y, &fit(&candidate.text, 24, theme), theme.style(Role::Name));
        let room = usize::from(inner.width.saturating_sub(26));
        put(buf, inner, 25, y, &fit(&candidate.doc, room, theme), theme.style(Role::Dim));
        if Some(at) == *chosen {
            super::widgets::paint(buf, inner, y, theme.style(Role::Selected));
        }
    }
}

/// The palette and the help: the table, narrowed down by what is typed.
fn actions(
    app: &App,
    line: &LineEdit,
    selected: usize,
    is_palette: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let theme = &app.shared.theme;
    let rows: Vec<_> =
        fitting(line.text()).into_iter().filter(|row| !is_palette || in_palette(row)).collect();
    let title = if is_palette { "Commands" } else { "Help: type to find" };
    let height = if is_palette { 20 } else { area.height.saturating_sub(2) };
    let inner = popup(frame, area, area.width.saturating_sub(4).min(96), height, title, theme);
    if inner.height < 3 {
        return;
    }
    typed(frame, Rect { height: 1, ..inner }, ": ", line, Role::Text, theme);
    let buf = frame.buffer_mut();
    let list = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    if rows.is_empty() {
        put(buf, list, 2, 0, "nothing is called so", theme.style(Role::Dim));
        return;
    }
    // Headings between groups make sense only while the table is in its own order.
    let headed = !is_palette && line.text().trim().is_empty();
    let mut lines = Vec::new();
    let mut group = None;
    let mut selected_line = 0;
    for (at, row) in rows.iter().enumerate() {
        if headed && group != Some(row.group) {
            group = Some(row.group);
            lines.push(None);
        }
        if at == selected {
            selected_line = lines.len();
        }
        lines.push(Some((at, row)));
    }
    let first = scrolled(0, selected_line, list.height.into(), lines.len());
    let mut heading = rows.first().map(|row| row.group);
    for (y, entry) in lines.iter().enumerate().skip(first).take(list.height.into()) {
        let y_cell = (y - first) as u16;
        match entry {
            None => {
                if let Some(Some((_, row))) = lines.get(y + 1) {
                    heading = Some(row.group);
                }
                let title = heading.map_or("", |group| group.title());
                put(buf, list, 1, y_cell, title, theme.style(Role::Title));
            }
            Some((at, row)) => {
                let keys: Vec<String> =
                    app.keymap.keys(row.action).iter().map(|key| key.label()).collect();
                put(buf, list, 2, y_cell, &keys.join(" "), theme.style(Role::Key));
                put(buf, list, 15, y_cell, row.name, theme.style(Role::Name));
                let room = usize::from(list.width.saturating_sub(36));
                put(buf, list, 35, y_cell, &fit(row.help, room, theme), theme.style(Role::Text));
                if *at == selected {
                    super::widgets::paint(buf, list, y_cell, theme.style(Role::Selected));
                }
            }
        }
    }
    put_right(
        buf,
        Rect { height: 1, ..inner },
        0,
        &format!("{} ", rows.len()),
        theme.style(Role::Dim),
    );
}
