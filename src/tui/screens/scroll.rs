//! A list in which one line is selected.

use crate::tui::action::Action;
use crate::tui::view::widgets::scrolled;

/// Selection and scroll position of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scroll {
    /// Selected line.
    pub selected: usize,
    /// First line in sight.
    pub first: usize,
    /// Lines in sight when last drawn.
    pub height: usize,
}

impl Scroll {
    /// Fits into `height` lines of `total`.
    pub fn fit(&mut self, height: usize, total: usize) {
        self.height = height;
        self.selected = self.selected.min(total.saturating_sub(1));
        self.first = scrolled(self.first, self.selected, height, total);
    }

    /// Moves the selection; `None` when the action is no movement.
    pub fn act(&mut self, action: Action, total: usize) -> Option<()> {
        let page = self.height.max(2) - 1;
        let last = total.saturating_sub(1);
        self.selected = match action {
            Action::Up => self.selected.saturating_sub(1),
            Action::Down => (self.selected + 1).min(last),
            Action::PageUp => self.selected.saturating_sub(page),
            Action::PageDown => (self.selected + page).min(last),
            Action::HalfUp => self.selected.saturating_sub(page.div_ceil(2)),
            Action::HalfDown => (self.selected + page.div_ceil(2)).min(last),
            Action::Top => 0,
            Action::Bottom => last,
            _ => return None,
        };
        Some(())
    }

    /// Moves by the lines of a wheel.
    pub fn wheel(&mut self, lines: i32, total: usize) {
        let to = self.selected.saturating_add_signed(lines as isize);
        self.selected = to.min(total.saturating_sub(1));
    }

    /// The line at a height above the list's bottom edge; `None` below the last.
    pub fn line_at(&self, y: u16, total: usize) -> Option<usize> {
        let line = self.first + usize::from(y);
        (usize::from(y) < self.height && line < total).then_some(line)
    }
}
