//! The screen: the list, and the selected finding in full.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::explain::{self, letter, role, who};
use crate::analysis::index::SessionIndex;
use crate::lint::{Finding, Place, Severity};
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{Column, cell, headings, layout, paint, pane, put};

const COLUMNS: &[Column] = &[
    Column { title: "", width: 1, grow: 0, priority: 0, right: false },
    Column { title: "time s", width: 10, grow: 0, priority: 2, right: true },
    Column { title: "from", width: 6, grow: 0, priority: 4, right: false },
    Column { title: "times", width: 5, grow: 0, priority: 5, right: true },
    Column { title: "rule", width: 24, grow: 0, priority: 3, right: false },
    Column { title: "what", width: 20, grow: 1, priority: 1, right: false },
];

/// Below this width the list stands above the explanation, not beside it.
const WIDE: u16 = 150;

/// How findings are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Order {
    /// The worst first, then by time.
    #[default]
    Severity,
    /// By time.
    Time,
}

/// The findings of the current session, and those of the capture itself.
#[derive(Debug, Default)]
pub struct FindingsScreen {
    scroll: Scroll,
    order: Order,
    reverse: bool,
    /// Whether the explanation is what moves up and down.
    reading: bool,
    /// First line of the explanation in sight.
    line: usize,
    /// Lines of the explanation when last drawn.
    lines: usize,
    /// Session as last seen.
    session: u32,
    list: Rect,
    text: Rect,
}

impl FindingsScreen {
    fn found<'a>(&mut self, ctx: &Ctx<'a>) -> Vec<&'a Finding> {
        if self.session != ctx.shared.session {
            self.session = ctx.shared.session;
            self.scroll = Scroll::default();
            self.line = 0;
        }
        let mine = |finding: &&Finding| {
            finding.session.is_none_or(|session| session == ctx.shared.session)
        };
        let mut found: Vec<&Finding> = ctx.findings.iter().filter(mine).collect();
        match self.order {
            Order::Severity => {
                found.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.place.time, f.id()));
            }
            Order::Time => found.sort_by_key(|f| (f.place.time, f.id())),
        }
        if self.reverse {
            found.reverse();
        }
        found
    }

    fn draw_list(&mut self, ctx: &Ctx<'_>, found: &[&Finding], frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let count = |severity| found.iter().filter(|f| f.severity == severity).count();
        let title = format!(
            "{} found: {} error, {} warning, {} note",
            found.len(),
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note)
        );
        let inner = pane(frame, area, &title, ctx.focused && !self.reading, theme);
        let buffer = frame.buffer_mut();
        if inner.height < 2 {
            return;
        }
        let places = layout(COLUMNS, inner.width);
        let sorted = match self.order {
            Order::Severity => (0, !self.reverse),
            Order::Time => (1, self.reverse),
        };
        headings(buffer, inner, COLUMNS, &places, Some(sorted), theme);
        self.list = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        self.scroll.fit(self.list.height.into(), found.len());
        if found.is_empty() {
            let text = match ctx.index.end.is_some() {
                true => "nothing was found in this session",
                false => "nothing was found in this session so far",
            };
            put(buffer, self.list, 1, 1, text, theme.style(Role::Good));
        }
        for y in 0..self.list.height {
            let at = self.scroll.first + usize::from(y);
            let Some(finding) = found.get(at) else { break };
            let look = theme.style(role(finding.severity));
            let plain = theme.style(Role::Text);
            for (column, range) in &places {
                let (text, style) = match column {
                    0 => (letter(finding.severity).to_owned(), look),
                    1 => (format!("{:.6}", ctx.seconds(finding.place.time)), plain),
                    2 => (who(finding.direction()).to_owned(), plain),
                    3 => (finding.count.to_string(), plain),
                    4 => (finding.id().to_owned(), theme.style(Role::Name)),
                    _ => (finding.message.verbatim(), look),
                };
                let right = COLUMNS.get(*column).is_some_and(|column| column.right);
                cell(buffer, self.list, y, range, &text, right, style, theme);
            }
            if at == self.scroll.selected {
                let focused = ctx.focused && !self.reading;
                let role = if focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, self.list, y, theme.style(role));
            }
        }
    }

    fn read(&mut self, action: Action) -> bool {
        let page = usize::from(self.text.height.max(2) - 1);
        let last = self.lines.saturating_sub(self.text.height.into());
        self.line = match action {
            Action::Up => self.line.saturating_sub(1),
            Action::Down => self.line + 1,
            Action::PageUp | Action::HalfUp => self.line.saturating_sub(page),
            Action::PageDown | Action::HalfDown => self.line + page,
            Action::Top => 0,
            Action::Bottom => last,
            _ => return false,
        }
        .min(last);
        true
    }

    fn select(&mut self, ctx: &Ctx<'_>, found: &[&Finding]) -> Vec<Effect> {
        self.line = 0;
        match found.get(self.scroll.selected) {
            Some(finding) => show(ctx, &finding.place),
            None => Vec::new(),
        }
    }
}

/// The cursor goes to a place: to its message, or where there is none to its time.
fn show(ctx: &Ctx<'_>, place: &Place) -> Vec<Effect> {
    match ctx.session().and_then(|session| row_of(session, place)) {
        Some(row) => vec![Effect::Row(row)],
        None => vec![Effect::Time(place.time)],
    }
}

/// The message that a place is about: the one that begins where its bytes do.
fn row_of(session: &SessionIndex, place: &Place) -> Option<usize> {
    let start = place.bytes.as_ref()?.start;
    let direction = place.direction?;
    let first = session.rows.partition_point(|row| row.time < place.time);
    let rows = session.rows.iter().enumerate().skip(first);
    rows.take_while(|(_, row)| row.time == place.time)
        .find(|(_, row)| row.direction() == direction && session.place(row).offset == start)
        .map(|(number, _)| number)
}

impl Screen for FindingsScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Findings
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let found = self.found(ctx);
        let (list, text) = match area.width >= WIDE {
            true => {
                let width = area.width * 3 / 5;
                let rest = Rect { x: area.x + width, width: area.width - width, ..area };
                (Rect { width, ..area }, rest)
            }
            false => {
                let wanted = u16::try_from(found.len()).unwrap_or(u16::MAX).saturating_add(3);
                let height = wanted.clamp(5, (area.height / 2).max(5)).min(area.height);
                let rest = Rect { y: area.y + height, height: area.height - height, ..area };
                (Rect { height, ..area }, rest)
            }
        };
        self.draw_list(ctx, &found, frame, list);
        if text.height < 3 {
            return;
        }
        let finding = found.get(self.scroll.selected);
        let title = finding.map_or_else(String::new, |f| f.id().to_owned());
        let inner = pane(frame, text, &title, ctx.focused && self.reading, theme);
        let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
        self.text = inner;
        if let Some(finding) = finding {
            self.lines = explain::draw(ctx, finding, frame.buffer_mut(), inner, self.line);
        }
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let found = self.found(ctx);
        if self.reading && self.read(action) {
            return Some(Vec::new());
        }
        if self.scroll.act(action, found.len()).is_some() {
            return Some(self.select(ctx, &found));
        }
        Some(match action {
            Action::NextPane | Action::PreviousPane => {
                self.reading = !self.reading;
                Vec::new()
            }
            Action::NextFinding | Action::PreviousFinding => {
                let step = if action == Action::NextFinding { Action::Down } else { Action::Up };
                self.scroll.act(step, found.len());
                self.select(ctx, &found)
            }
            Action::SortNext => {
                self.order = match self.order {
                    Order::Severity => Order::Time,
                    Order::Time => Order::Severity,
                };
                Vec::new()
            }
            Action::SortReverse => {
                self.reverse = !self.reverse;
                Vec::new()
            }
            Action::Open => {
                let Some(finding) = found.get(self.scroll.selected) else {
                    return Some(Vec::new());
                };
                let mut effects = show(ctx, &finding.place);
                // What no message holds is seen best among what happened around it.
                let to = match effects.first() {
                    Some(Effect::Row(_)) => ScreenId::Messages,
                    _ => ScreenId::Timeline,
                };
                effects.push(Effect::Go(to));
                effects
            }
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        let found = self.found(ctx);
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if self.list.contains(at) => {
                self.reading = false;
                let Some(line) = self.scroll.line_at(at.y - self.list.y, found.len()) else {
                    return Vec::new();
                };
                self.scroll.selected = line;
                match mouse {
                    Mouse::DoubleClick(_) => self.act(Action::Open, ctx).unwrap_or_default(),
                    _ => self.select(ctx, &found),
                }
            }
            Mouse::Click(at) if self.text.contains(at) => {
                self.reading = true;
                Vec::new()
            }
            Mouse::Wheel { at, lines, .. } if self.text.contains(at) => {
                let last = self.lines.saturating_sub(self.text.height.into());
                self.line = self.line.saturating_add_signed(lines as isize).min(last);
                Vec::new()
            }
            Mouse::Wheel { lines, .. } => {
                self.scroll.wheel(lines, found.len());
                self.select(ctx, &found)
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::Open,
            Action::NextFinding,
            Action::NextPane,
            Action::SortNext,
            Action::Go(ScreenId::Timeline),
            Action::Copy,
        ]
    }

    fn copies(&self, ctx: &Ctx<'_>) -> Vec<(String, String)> {
        let mut screen = FindingsScreen {
            order: self.order,
            reverse: self.reverse,
            session: self.session,
            ..FindingsScreen::default()
        };
        let found = screen.found(ctx);
        let finding = found.get(self.scroll.selected);
        finding.map(|f| ("the finding".into(), explain::text(ctx, f))).into_iter().collect()
    }
}
