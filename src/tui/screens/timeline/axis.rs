//! Ticks at round times.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::analysis::lanes::Window;
use crate::tui::screens::chart::{cells, put};
use crate::tui::theme::{Role, Theme};

/// Steps between ticks, in milliseconds; all that people count time in.
const STEPS: [i64; 26] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000,
    120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000,
    86_400_000,
];

/// Cells between two ticks, at least: a label and some air.
const APART: i64 = 12;

/// A tick: its column and what it says.
pub type Tick = (u16, String);

/// Ticks of a window of `columns`, at round times since `zero`.
pub fn ticks(window: Window, zero: i64, columns: u16) -> Vec<Tick> {
    let columns = i64::from(columns.max(1));
    let per_tick = (i128::from(window.len()) * i128::from(APART) / i128::from(columns)) as i64;
    let step = STEPS.iter().map(|ms| ms * 1_000_000).find(|step| *step >= per_tick);
    // Longer than days: whole days.
    let day = 86_400_000_000_000;
    let step = step.unwrap_or_else(|| (per_tick / day + 1) * day);
    let mut at = (window.from.saturating_sub(zero)).div_euclid(step).saturating_mul(step);
    let mut ticks = Vec::new();
    while ticks.len() <= columns as usize {
        let time = zero.saturating_add(at);
        if time >= window.to {
            break;
        }
        if time >= window.from {
            let column = window.column(time, columns as usize);
            ticks.push((column as u16, label(at, step)));
        }
        at = at.saturating_add(step);
    }
    ticks
}

/// A time as precise as the step asks for.
pub fn label(nanos: i64, step: i64) -> String {
    let ms = nanos.div_euclid(1_000_000);
    let sign = if nanos < 0 { "-" } else { "" };
    let abs = ms.unsigned_abs();
    let (seconds, milli) = (abs / 1000, abs % 1000);
    let clock = match seconds {
        0..60 => format!("{seconds}"),
        60..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    };
    let unit = if seconds < 60 { " s" } else { "" };
    match step / 1_000_000 {
        1000.. => format!("{sign}{clock}{unit}"),
        100.. => format!("{sign}{clock}.{}{unit}", milli / 100),
        10.. => format!("{sign}{clock}.{:02}{unit}", milli / 10),
        _ => format!("{sign}{clock}.{milli:03}{unit}"),
    }
}

/// Draws labels and, below them, the axis; `area` is two lines high.
pub fn draw(buffer: &mut Buffer, area: Rect, theme: &Theme, window: Window, zero: i64) {
    let style = theme.style(Role::Axis);
    let glyphs = theme.glyphs();
    for x in area.x..area.right() {
        put(buffer, x, area.y + 1, 1, glyphs.horizontal, style);
    }
    let mut free = area.x;
    for (column, text) in ticks(window, zero, area.width) {
        let x = area.x + column;
        put(buffer, x, area.y + 1, 1, glyphs.tick, style);
        let len = cells(&text);
        if x >= free && x + len <= area.right() {
            put(buffer, x, area.y, len, &text, style);
            free = x + len + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from_ms: i64, to_ms: i64, columns: u16) -> Vec<String> {
        let window = Window::new(from_ms * 1_000_000, to_ms * 1_000_000);
        ticks(window, 0, columns).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_stand_at_round_times_at_any_zoom() {
        assert_eq!(labels(0, 13_000, 72), ["0 s", "5 s", "10 s"]);
        assert_eq!(labels(3_210, 3_260, 60), ["3.21 s", "3.22 s", "3.23 s", "3.24 s", "3.25 s"]);
        assert_eq!(labels(0, 4 * 3_600_000, 60)[..3], ["0 s", "1:00:00", "2:00:00"]);
        assert_eq!(labels(0, 400_000, 60)[1..3], ["2:00", "4:00"]);
        assert_eq!(labels(-1_500, 500, 50), ["-1.5 s", "-1.0 s", "-0.5 s", "0.0 s"]);
        assert!(labels(0, 1, 200).len() <= 2);
        assert!(labels(0, i64::MAX / 2_000_000, 80).len() < 9);
    }

    #[test]
    fn ticks_leave_room_for_their_labels() {
        for (len, columns) in [(1, 80), (999, 61), (12_345, 150), (5_000_000, 200)] {
            let window = Window::new(0, len * 1_000_000);
            let ticks = ticks(window, 0, columns);
            assert!(ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 11), "{len} {columns}");
        }
    }
}
