//! Pieces that several screens draw.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};

use crate::tui::theme::{Role, Theme};

/// Text from the wire without characters that would steer a terminal or turn around what follows.
pub fn clean(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    match text.contains(steers) {
        true => text.chars().map(|c| if steers(c) { '?' } else { c }).collect(),
        false => Cow::Borrowed(text),
    }
}

/// Writes text into a row of an area, cut at its right edge; gives the column behind it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    if y >= area.height || x >= area.width {
        return x;
    }
    let room = usize::from(area.width - x);
    let (end, _) = buf.set_stringn(area.x + x, area.y + y, clean(text), room, style);
    end - area.x
}

/// Writes text that ends at the right edge.
pub fn put_right(buf: &mut Buffer, area: Rect, y: u16, text: &str, style: Style) {
    let width = columns(text).min(area.width);
    put(buf, area, area.width - width, y, text, style);
}

/// Columns a text takes.
pub fn columns(text: &str) -> u16 {
    u16::try_from(ratatui::text::Span::raw(clean(text)).width()).unwrap_or(u16::MAX)
}

/// Text of at most so many columns, with an ellipsis where it was cut.
pub fn fit(text: &str, width: usize, theme: &Theme) -> String {
    let text = clean(text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let dots = theme.glyphs().ellipsis;
    let keep = width.saturating_sub(dots.chars().count());
    text.chars().take(keep).chain(dots.chars().take(width)).collect()
}

/// A frame with a title; gives what is inside.
pub fn pane(frame: &mut Frame<'_>, area: Rect, title: &str, focused: bool, theme: &Theme) -> Rect {
    let role = if focused { Role::BorderFocus } else { Role::Border };
    let block = Block::bordered()
        .border_style(theme.style(role))
        .title_style(theme.style(if focused { Role::Title } else { Role::Dim }));
    let block = match (theme.ascii, focused) {
        (true, _) => block.border_set(ASCII_BORDER),
        (false, true) => block.border_type(ratatui::widgets::BorderType::Thick),
        (false, false) => block,
    };
    let room = usize::from(area.width.saturating_sub(4));
    let block = if title.is_empty() {
        block
    } else {
        block.title(format!(" {} ", fit(title, room, theme)))
    };
    let inner = block.inner(area);
    block.render(area, frame.buffer_mut());
    inner
}

const ASCII_BORDER: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// A cleared frame in the middle; gives what is inside.
pub fn popup(
    frame: &mut Frame<'_>,
    area: Rect,
    width: u16,
    height: u16,
    title: &str,
    theme: &Theme,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, frame.buffer_mut());
    pane(frame, place, title, true, theme)
}

/// Keeps a selected line in sight: gives the first line to be shown.
pub fn scrolled(first: usize, selected: usize, height: usize, total: usize) -> usize {
    let height = height.max(1);
    let first = first.min(total.saturating_sub(height));
    if selected < first {
        selected
    } else if selected >= first + height {
        selected + 1 - height
    } else {
        first
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Heading.
    pub title: &'static str,
    /// Columns it needs.
    pub width: u16,
    /// Share of what is left over; 0 for none.
    pub grow: u16,
    /// Those with the highest number go first when there is no room.
    pub priority: u8,
    /// Whether it is aligned to the right.
    pub right: bool,
}

/// Columns that fit, by index, with their place and width.
pub fn layout(columns: &[Column], width: u16) -> Vec<(usize, Range<u16>)> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| -> u32 {
        kept.iter().map(|at| u32::from(columns[*at].width) + 1).sum::<u32>().saturating_sub(1)
    };
    while needed(&kept) > u32::from(width) && kept.len() > 1 {
        let worst = kept.iter().enumerate().max_by_key(|(_, at)| columns[**at].priority);
        let Some(worst) = worst.map(|(i, _)| i) else { break };
        kept.remove(worst);
    }
    let spare = u32::from(width).saturating_sub(needed(&kept));
    let shares: u32 = kept.iter().map(|at| u32::from(columns[*at].grow)).sum();
    let mut x = 0;
    let mut out = Vec::with_capacity(kept.len());
    for at in kept {
        let column = &columns[at];
        let more = (spare * u32::from(column.grow)).checked_div(shares).unwrap_or(0) as u16;
        let end = (x + column.width + more).min(width);
        out.push((at, x..end));
        x = (end + 1).min(width);
    }
    out
}

/// Draws the heading of a table.
pub fn headings(
    buf: &mut Buffer,
    area: Rect,
    columns: &[Column],
    layout: &[(usize, Range<u16>)],
    sorted: Option<(usize, bool)>,
    theme: &Theme,
) {
    for (at, range) in layout {
        let column = &columns[*at];
        let arrow = match sorted {
            Some((by, reverse)) if by == *at => {
                if reverse {
                    theme.glyphs().down
                } else {
                    theme.glyphs().up
                }
            }
            _ => "",
        };
        let title = format!("{}{arrow}", column.title);
        cell(buf, area, 0, range, &title, column.right, theme.style(Role::Dim), theme);
    }
}

/// Draws a cell of a table.
#[expect(clippy::too_many_arguments, reason = "a cell has a place, a text and a look")]
pub fn cell(
    buf: &mut Buffer,
    area: Rect,
    y: u16,
    range: &Range<u16>,
    text: &str,
    right: bool,
    style: Style,
    theme: &Theme,
) {
    let room = range.end.saturating_sub(range.start);
    let text = fit(text, usize::from(room), theme);
    let width = columns(&text);
    let x = if right { range.start + room.saturating_sub(width) } else { range.start };
    let within = Rect { width: range.end.min(area.width), ..area };
    put(buf, within, x, y, &text, style);
}

/// Gives a whole row a style.
pub fn paint(buf: &mut Buffer, area: Rect, y: u16, style: Style) {
    if y < area.height {
        buf.set_style(Rect { y: area.y + y, height: 1, ..area }, style);
    }
}

/// Row of an area that a click hit.
pub fn row_at(area: Rect, at: Position) -> Option<u16> {
    area.contains(at).then(|| at.y - area.y)
}

/// A scroll bar in the right border of a pane: where in the whole what is shown lies.
pub fn scroll_bar(
    buf: &mut Buffer,
    area: Rect,
    first: usize,
    shown: usize,
    total: usize,
    theme: &Theme,
) {
    if total <= shown || area.height < 3 || area.width < 2 {
        return;
    }
    let height = u64::from(area.height - 2);
    let len = (height * shown as u64 / total as u64).max(1);
    let top = (height - len) * first as u64 / (total - shown) as u64;
    let x = area.right() - 1;
    for y in 0..len {
        let y = area.y + 1 + (top + y).min(height - 1) as u16;
        let glyph = if theme.ascii { "#" } else { "█" };
        buf.set_string(x, y, glyph, theme.style(Role::Border));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { title: "a", width: 5, grow: 0, priority: 0, right: false },
        Column { title: "b", width: 10, grow: 1, priority: 9, right: false },
        Column { title: "c", width: 5, grow: 3, priority: 1, right: false },
    ];

    #[test]
    fn what_matters_least_goes_first() {
        assert_eq!(layout(&COLUMNS, 22), [(0, 0..5), (1, 6..16), (2, 17..22)]);
        assert_eq!(layout(&COLUMNS, 26), [(0, 0..5), (1, 6..17), (2, 18..26)]);
        assert_eq!(layout(&COLUMNS, 21), [(0, 0..5), (2, 6..21)]);
        assert_eq!(layout(&COLUMNS, 3), [(0, 0..3)]);
        assert_eq!(layout(&COLUMNS, 0), [(0, 0..0)]);
    }

    #[test]
    fn the_selected_line_stays_in_sight() {
        assert_eq!(scrolled(0, 9, 10, 100), 0);
        assert_eq!(scrolled(0, 10, 10, 100), 1);
        assert_eq!(scrolled(50, 20, 10, 100), 20);
        assert_eq!(scrolled(95, 99, 10, 100), 90);
        assert_eq!(scrolled(5, 0, 0, 0), 0);
    }

    #[test]
    fn text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c"), "a?[2Jb?c");
        assert_eq!(clean("plain · ü"), "plain · ü");
    }
}
