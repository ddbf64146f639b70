//! Rows of the comparison as lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::analysis::compare::{Comparison, Difference, Row, Sameness, Step, Weight};
use crate::base::Direction;
use crate::tui::screens::chart::{cells, cut, put, put_right};
use crate::tui::theme::{Role, Theme};

/// A line: a step, or one of its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Row of the comparison.
    pub row: usize,
    /// Number of the difference; `None` for the step itself.
    pub fact: Option<usize>,
}

/// What is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// All steps; of their facts, those whose differences are not to be expected.
    #[default]
    Steps,
    /// Only steps that differ.
    Differences,
    /// All steps, all facts that differ.
    All,
}

impl Show {
    /// The next one.
    pub fn next(self) -> Show {
        match self {
            Show::Steps => Show::Differences,
            Show::Differences => Show::All,
            Show::All => Show::Steps,
        }
    }

    /// What it shows.
    pub fn name(self) -> &'static str {
        match self {
            Show::Steps => "all steps",
            Show::Differences => "differences only",
            Show::All => "all steps, all facts",
        }
    }
}

/// The lines of a comparison.
pub fn lines(comparison: &Comparison, show: Show) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, row) in comparison.rows.iter().enumerate() {
        if show == Show::Differences && row.weight.is_none_or(|w| w == Weight::Expected) {
            continue;
        }
        lines.push(Line { row: number, fact: None });
        for (fact, difference) in row.differences.iter().enumerate() {
            if show == Show::All || difference.weight > Weight::Expected {
                lines.push(Line { row: number, fact: Some(fact) });
            }
        }
    }
    lines
}

/// Sign and look of a row.
fn sign(row: &Row, theme: &Theme) -> (&'static str, Role) {
    let glyphs = theme.glyphs();
    match (row.sameness, row.weight) {
        (Sameness::OnlyA, Some(Weight::Matters)) => (glyphs.left, Role::Error),
        (Sameness::OnlyB, Some(Weight::Matters)) => (glyphs.right, Role::Error),
        (Sameness::OnlyA, _) => (glyphs.left, Role::Warning),
        (Sameness::OnlyB, _) => (glyphs.right, Role::Warning),
        (_, Some(Weight::Matters)) => (glyphs.cross, Role::Error),
        (_, Some(Weight::Minor)) => ("~", Role::Warning),
        _ => ("=", Role::Dim),
    }
}

/// Draws a line; A stands left of the sign in the middle, B right of it.
pub fn line(buffer: &mut Buffer, area: Rect, theme: &Theme, comparison: &Comparison, line: Line) {
    let Some(row) = comparison.rows.get(line.row) else { return };
    match line.fact.and_then(|fact| row.differences.get(fact)) {
        Some(difference) => fact(buffer, area, theme, difference),
        None => step(buffer, area, theme, row),
    }
}

/// Cells of the two sides: from, width.
fn sides(area: Rect) -> [(u16, u16); 2] {
    let half = (area.width.saturating_sub(3)) / 2;
    [(area.x, half), (area.x + half + 3, area.width.saturating_sub(half + 3))]
}

fn step(buffer: &mut Buffer, area: Rect, theme: &Theme, row: &Row) {
    let (sign, role) = sign(row, theme);
    let sides = sides(area);
    put(buffer, sides[0].0 + sides[0].1 + 1, area.y, 1, sign, theme.style(role));
    for ((x, width), step) in sides.into_iter().zip([&row.a, &row.b]) {
        let Some(step) = step else { continue };
        let time = format!("{:.3}", step.at as f64 / 1e9);
        put_right(buffer, x, area.y, 8, &time, theme.style(Role::Dim));
        let (text, side) = title(step, theme);
        let role = match (role, side) {
            (Role::Dim, role) => role,
            (role, _) => role,
        };
        let room = width.saturating_sub(9);
        put(buffer, x + 9, area.y, room, &cut(&text, room, theme), theme.style(role));
    }
}

fn title(step: &Step, theme: &Theme) -> (String, Role) {
    let arrow = theme.glyphs().right;
    let (side, role) = match step.direction {
        Some(Direction::ClientToServer) => (format!("C{arrow}S "), Role::Client),
        Some(Direction::ServerToClient) => (format!("S{arrow}C "), Role::Server),
        None => (String::new(), Role::Text),
    };
    let facts = ["code", "stream name", "app", "size", "scheme", "codec", "how"];
    let essence = facts.iter().find_map(|name| step.fact(name)).unwrap_or_default();
    (format!("{side}{} {essence}", step.kind.title()).trim_end().to_owned(), role)
}

fn fact(buffer: &mut Buffer, area: Rect, theme: &Theme, difference: &Difference) {
    let role = match difference.weight {
        Weight::Matters => Role::Error,
        Weight::Minor => Role::Warning,
        Weight::Expected => Role::Dim,
    };
    let sides = sides(area);
    for ((x, width), value) in sides.into_iter().zip([&difference.a, &difference.b]) {
        let name = format!("{}:", difference.name);
        let at = 11.min(width);
        let text = format!("{name} {}", value.as_deref().unwrap_or("(none)"));
        let room = width.saturating_sub(at);
        put(buffer, x + at, area.y, room, &cut(&text, room, theme), theme.style(role));
    }
}

/// Why a line's difference matters.
pub fn reason(comparison: &Comparison, line: Line) -> Option<&'static str> {
    let row = comparison.rows.get(line.row)?;
    let reason = match line.fact {
        Some(fact) => row.differences.get(fact)?.reason,
        None => row.reason,
    };
    (!reason.is_empty()).then_some(reason)
}

/// The heading of both sides, and the line between.
pub fn heading(buffer: &mut Buffer, area: Rect, theme: &Theme, titles: [&str; 2]) {
    for ((x, width), (name, title)) in
        sides(area).into_iter().zip(["A", "B"].into_iter().zip(titles))
    {
        put(buffer, x, area.y, 1, name, theme.style(Role::Mark));
        let room = width.saturating_sub(2);
        put(buffer, x + 2, area.y, room, &cut(title, room, theme), theme.style(Role::Title));
    }
}

/// What the signs mean.
pub fn legend(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let glyphs = theme.glyphs();
    let text = format!(
        "= same  ~ minor  {} matters  {} only A  {} only B",
        glyphs.cross, glyphs.left, glyphs.right
    );
    let len = cells(&text).min(area.width);
    put(buffer, area.x, area.y, len, &text, theme.style(Role::Dim));
}
