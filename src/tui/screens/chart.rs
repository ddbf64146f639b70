//! Bars, lines and columns of text, drawn into cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::theme::Theme;
use crate::tui::view::widgets::{clean, columns};

/// Writes text at a cell, cut at `width` cells; says how many it took.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
    let area = *buffer.area();
    if width == 0 || x >= area.right() || y >= area.bottom() || x < area.x || y < area.y {
        return 0;
    }
    let (end, _) = buffer.set_stringn(x, y, clean(text), usize::from(width), style);
    end.saturating_sub(x)
}

/// Writes text that ends at the right edge of `width` cells from `x`.
pub fn put_right(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) {
    let len = cells(text).min(width);
    put(buffer, x + width - len, y, len, text, style);
}

/// Cells that a text takes.
pub fn cells(text: &str) -> u16 {
    columns(text)
}

/// Text cut to `width` cells, with a mark where something is left out.
pub fn cut(text: &str, width: u16, theme: &Theme) -> String {
    let text = &*clean(text);
    if cells(text) <= width {
        return text.to_owned();
    }
    let mark = theme.glyphs().ellipsis;
    let room = width.saturating_sub(cells(mark));
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if cells(&out) > room {
            out.pop();
            break;
        }
    }
    if width >= cells(mark) {
        out.push_str(mark);
    }
    out
}

/// A bar per column from the bottom of `area`; `most` is as high as the area. A value above zero
/// is never invisible.
pub fn bars(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    most: f64,
    value: impl Fn(usize) -> f64,
    style: impl Fn(usize) -> Style,
) {
    let steps = f64::from(area.height) * 8.0;
    let bars = &theme.glyphs().bars;
    for column in 0..area.width {
        let value = value(usize::from(column));
        if value.is_nan() || value <= 0.0 || most <= 0.0 {
            continue;
        }
        let level = ((value / most).min(1.0) * steps).round().max(1.0) as u16;
        for up in 0..area.height {
            let part = level.saturating_sub(up * 8).min(8);
            if part == 0 {
                break;
            }
            let glyph = bars.get(usize::from(part)).copied().unwrap_or(" ");
            let y = area.bottom() - 1 - up;
            put(buffer, area.x + column, y, 1, glyph, style(usize::from(column)));
        }
    }
}

/// Heights of a line within a cell, from its bottom to its top. More fonts have Braille than scan
/// lines (U+23BA to U+23BD).
const LINE: [&str; LEVELS as usize] = ["⣀", "⠤", "⠒", "⠉"];
const LINE_ASCII: [&str; LEVELS as usize] = ["_", "-", "-", "^"];
const LEVELS: u16 = 4;

/// A line through the columns that have a value; `low` is the bottom of the area and `high` its
/// top. A column may give a range, which is drawn from end to end.
pub fn line(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    (low, high): (f64, f64),
    value: impl Fn(usize) -> Option<(f64, f64)>,
    style: impl Fn(usize) -> Style,
) {
    let glyphs = if theme.ascii { &LINE_ASCII } else { &LINE };
    let steps = (f64::from(area.height * LEVELS) - 1.0).max(1.0);
    let span = if high > low { high - low } else { 1.0 };
    let level = |value: f64| (((value - low) / span).clamp(0.0, 1.0) * steps).round() as u16;
    for column in 0..area.width {
        let Some((from, to)) = value(usize::from(column)) else { continue };
        let (from, to) = (level(from.min(to)), level(from.max(to)));
        let style = style(usize::from(column));
        for row in from / LEVELS..=to / LEVELS {
            let inner = row > from / LEVELS && row < to / LEVELS;
            let glyph = match inner {
                true => theme.glyphs().vertical,
                false if row == to / LEVELS => glyphs[usize::from(to % LEVELS)],
                false => glyphs[usize::from(from % LEVELS)],
            };
            let y = (area.bottom() - 1).saturating_sub(row).max(area.y);
            put(buffer, area.x + column, y, 1, glyph, style);
        }
    }
}

/// A number of bytes as people read it, in at most 8 characters.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        100_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..100_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A bitrate, in at most 10 characters.
pub fn bitrate(bits: f64) -> String {
    match bits {
        b if b < 1e3 => format!("{b:.0} bit/s"),
        b if b < 1e6 => format!("{:.0} kbit/s", b / 1e3),
        b if b < 1e9 => format!("{:.1} Mbit/s", b / 1e6),
        b => format!("{:.1} Gbit/s", b / 1e9),
    }
}

/// A length of time in nanoseconds, in at most 8 characters.
pub fn duration(nanos: i64) -> String {
    let seconds = nanos as f64 / 1e9;
    match seconds.abs() {
        s if s < 1e-3 => format!("{:.0} us", seconds * 1e6),
        s if s < 0.1 => format!("{:.1} ms", seconds * 1e3),
        s if s < 1.0 => format!("{:.0} ms", seconds * 1e3),
        s if s < 100.0 => format!("{seconds:.1} s"),
        s if s < 6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// A number with its noun: `1 frame`, `2 frames`.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_readable() {
        let sizes = [0, 999, 1000, 123_456, 5_000_000, 7_200_000_000].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "123 kB", "5.0 MB", "7.2 GB"]);
        let times = [750, 1_500_000, 480_000_000, -2_000_000_000, 7_200_000_000_000].map(duration);
        assert_eq!(times, ["1 us", "1.5 ms", "480 ms", "-2.0 s", "2.0 h"]);
        assert_eq!([812e3, 6.04e6].map(bitrate), ["812 kbit/s", "6.0 Mbit/s"]);
    }

    #[test]
    fn bars_fill_from_the_bottom_and_small_ones_show() {
        let area = Rect::new(0, 0, 4, 2);
        let mut buffer = Buffer::empty(area);
        let values = [0.0, 0.001, 0.5, 1.0];
        bars(&mut buffer, area, &Theme::default(), 1.0, |c| values[c], |_| Style::new());
        let line = |y| (0..4).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        assert_eq!([line(0), line(1)], ["   █", " ▁██"]);
    }

    #[test]
    fn text_is_cut_with_a_mark() {
        let theme = Theme::default();
        assert_eq!(cut("NetStream.Publish.Start", 10, &theme), "NetStream…");
        assert_eq!(cut("short", 5, &theme), "short");
        assert_eq!(cut("x", 0, &theme), "");
    }
}
