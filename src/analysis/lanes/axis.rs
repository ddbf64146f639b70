//! The two clocks, and a stretch of time on one of them.

/// Which clock the axis shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clock {
    /// When packets were captured, in nanoseconds since 1970.
    #[default]
    Capture,
    /// The RTMP timestamps of coded media, in nanoseconds, wraps undone. Other messages stand as
    /// far behind the last coded frame as they came after it.
    Rtmp,
}

impl Clock {
    /// The other one.
    pub fn other(self) -> Clock {
        match self {
            Clock::Capture => Clock::Rtmp,
            Clock::Rtmp => Clock::Capture,
        }
    }

    /// `capture` or `rtmp`.
    pub fn name(self) -> &'static str {
        match self {
            Clock::Capture => "capture",
            Clock::Rtmp => "rtmp",
        }
    }
}

/// A stretch of the axis, in nanoseconds of its clock: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Where it begins.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
}

impl Window {
    /// Shortest window in nanoseconds: one millisecond.
    pub const SHORTEST: i64 = 1_000_000;

    /// A window, at least [`Window::SHORTEST`] long.
    pub fn new(from: i64, to: i64) -> Window {
        Window { from, to: to.max(from.saturating_add(Window::SHORTEST)) }
    }

    /// Length in nanoseconds.
    pub fn len(self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.len() <= 0
    }

    /// Whether a time lies within.
    pub fn contains(self, at: i64) -> bool {
        self.from <= at && at < self.to
    }

    /// Where column `column` of `columns` begins.
    pub fn edge(self, column: usize, columns: usize) -> i64 {
        let at = i128::from(self.len()) * column as i128 / columns.max(1) as i128;
        self.from.saturating_add(at as i64)
    }

    /// The column of a time; times outside count as the first or the last.
    pub fn column(self, at: i64, columns: usize) -> usize {
        let columns = columns.max(1);
        let offset = i128::from(at.clamp(self.from, self.to.saturating_sub(1).max(self.from)))
            - i128::from(self.from);
        // The inverse of `edge`, whose divisions round down.
        let column = ((offset + 1) * columns as i128 - 1) / i128::from(self.len().max(1));
        (column.max(0) as usize).min(columns - 1)
    }

    /// Zoomed by `factor` (above 1: closer) so that `at` keeps its place.
    pub fn zoom(self, at: i64, factor: f64) -> Window {
        let len = ((self.len() as f64 / factor) as i64).clamp(Window::SHORTEST, i64::MAX / 8);
        let share = at.saturating_sub(self.from) as f64 / self.len().max(1) as f64;
        let from = at.saturating_sub((len as f64 * share) as i64);
        Window::new(from, from.saturating_add(len))
    }

    /// Moved by that many nanoseconds.
    pub fn shift(self, by: i64) -> Window {
        Window { from: self.from.saturating_add(by), to: self.to.saturating_add(by) }
    }

    /// Moved and cut so that it lies within `whole`.
    pub fn within(self, whole: Window) -> Window {
        if self.len() >= whole.len() {
            return whole;
        }
        let by = (whole.from - self.from).max(0) + (whole.to - self.to).min(0);
        self.shift(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_edges_agree() {
        for (len, columns) in [(1_000_000_i64, 7), (3_600_000_000_000, 160), (1_000_000, 80)] {
            let window = Window::new(-5, len - 5);
            for column in 0..columns {
                let edge = window.edge(column, columns);
                assert_eq!(window.column(edge, columns), column);
                if column > 0 {
                    assert_eq!(window.column(edge - 1, columns), column - 1);
                }
            }
            assert_eq!(window.column(i64::MIN, columns), 0);
            assert_eq!(window.column(i64::MAX, columns), columns - 1);
        }
    }

    #[test]
    fn zoom_keeps_the_place_and_the_whole_is_a_limit() {
        let whole = Window::new(0, 1_000_000_000);
        let closer = whole.zoom(250_000_000, 2.0);
        assert_eq!(closer, Window::new(125_000_000, 625_000_000));
        assert_eq!(closer.shift(-900_000_000).within(whole), Window::new(0, 500_000_000));
        assert_eq!(
            closer.shift(900_000_000).within(whole),
            Window::new(500_000_000, 1_000_000_000)
        );
        assert_eq!(closer.zoom(250_000_000, 0.01).within(whole), whole);
        assert_eq!(whole.zoom(7, 1e12).len(), Window::SHORTEST);
    }
}
