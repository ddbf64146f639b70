//! The screen: which two, the first difference that matters, all steps.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::draw::{self, Line, Show};
use crate::analysis::compare::{Comparison, Trail, compare};
use crate::analysis::index::SessionIndex;
use crate::base::Timestamp;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::chart::{cut, put};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::paint;

/// Compare.
#[derive(Debug, Default)]
pub struct CompareScreen {
    comparison: Option<Comparison>,
    /// Sessions and numbers of their steps that the comparison is of.
    made: Option<[(u32, usize); 2]>,
    show: Show,
    lines: Vec<Line>,
    scroll: Scroll,
    list: Rect,
}

impl CompareScreen {
    /// The two sessions: those picked; of one picked, that and the current one.
    fn sessions(ctx: &Ctx<'_>) -> Option<[u32; 2]> {
        let mut numbers: Vec<u32> = ctx.shared.picked.iter().map(|picked| picked.session).collect();
        numbers.dedup();
        match numbers.as_slice() {
            [a, b, ..] => Some([*a, *b]),
            [a] if *a != ctx.shared.session => Some([*a, ctx.shared.session]),
            _ => None,
        }
    }

    fn sync(&mut self, ctx: &Ctx<'_>) {
        let trails = Self::sessions(ctx)
            .and_then(|[a, b]| Some([ctx.trails.session(a)?, ctx.trails.session(b)?]));
        let Some(trails) = trails else {
            *self = CompareScreen { show: self.show, ..CompareScreen::default() };
            return;
        };
        let now = trails.map(|trail| (trail.session, trail.steps.len()));
        if self.made == Some(now) {
            return;
        }
        let other = self.made.is_none_or(|made| made.map(|m| m.0) != now.map(|m| m.0));
        let comparison = compare(trails[0], trails[1]);
        self.lines = draw::lines(&comparison, self.show);
        if other {
            // Where one wants to look first.
            let first = comparison.first.as_ref().map_or(0, |first| first.row);
            let line = self.lines.iter().position(|line| line.row == first);
            self.scroll = Scroll { selected: line.unwrap_or(0), ..Scroll::default() };
        }
        self.comparison = Some(comparison);
        self.made = Some(now);
    }

    fn title(trail: &Trail, session: Option<&SessionIndex>, arrow: &str) -> String {
        let mut text = format!("#{} {} {arrow} {}", trail.session, trail.client, trail.server);
        if let Some(facts) = session.map(SessionIndex::facts) {
            for part in [facts.role, facts.app, facts.stream].into_iter().flatten() {
                text.push_str(&format!("  {part}"));
            }
        }
        text
    }

    /// The next line that differs, or the one before.
    fn difference(&mut self, forward: bool) -> bool {
        let Some(comparison) = &self.comparison else { return false };
        let is = |line: &Line| {
            line.fact.is_none()
                && comparison
                    .rows
                    .get(line.row)
                    .and_then(|row| row.weight)
                    .is_some_and(|weight| weight > crate::analysis::compare::Weight::Expected)
        };
        let here = self.scroll.selected;
        let found = match forward {
            true => self.lines.iter().skip(here + 1).position(is).map(|at| here + 1 + at),
            false => self.lines.iter().take(here).rposition(is),
        };
        self.scroll.selected = found.unwrap_or(here);
        found.is_some()
    }

    /// Opens the selected step in the session that has it.
    fn open(&self, ctx: &Ctx<'_>) -> Vec<Effect> {
        let Some([a, b]) = Self::sessions(ctx) else { return Vec::new() };
        let line = self.lines.get(self.scroll.selected);
        let row = line.and_then(|line| self.comparison.as_ref()?.rows.get(line.row));
        let Some(row) = row else { return Vec::new() };
        let (number, step) = match (&row.a, &row.b) {
            (Some(step), _) if a == ctx.shared.session || row.b.is_none() => (a, step),
            (_, Some(step)) => (b, step),
            (Some(step), None) => (a, step),
            (None, None) => return Vec::new(),
        };
        let Some(trail) = ctx.trails.session(number) else { return Vec::new() };
        let time = Timestamp(trail.start.0.saturating_add(step.at));
        vec![Effect::Session(number), Effect::Time(time), Effect::Go(ScreenId::Messages)]
    }

    fn no_comparison(ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let lines = [
            "Compare shows what one session did that the other did not.",
            "",
            "Pick two sessions with Space in the list of sessions (1), then =.",
            "One that is picked is compared with the one that is open.",
        ];
        let buffer = frame.buffer_mut();
        for (y, text) in lines.iter().enumerate().take(area.height.into()) {
            let role = if y == 0 { Role::Text } else { Role::Dim };
            put(buffer, area.x + 1, area.y + y as u16, area.width, text, theme.style(role));
        }
        if let [picked] = ctx.shared.picked.as_slice() {
            let text = format!("Session #{} is picked.", picked.session);
            put(buffer, area.x + 1, area.y + 5, area.width, &text, theme.style(Role::Mark));
        }
    }
}

impl Screen for CompareScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Compare
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        self.sync(ctx);
        let theme = ctx.theme();
        let (Some(comparison), Some([a, b])) = (&self.comparison, Self::sessions(ctx)) else {
            return Self::no_comparison(ctx, frame, area);
        };
        if area.height < 6 {
            return;
        }
        let buffer = frame.buffer_mut();
        let at = |y: u16| Rect { y: area.y + y, height: 1, ..area };
        let arrow = theme.glyphs().right;
        let title = |number: u32| {
            ctx.trails.session(number).map_or_else(String::new, |trail| {
                Self::title(trail, ctx.index.session(number), arrow)
            })
        };
        draw::heading(buffer, at(0), theme, [&title(a), &title(b)]);
        let (role, text) = match &comparison.first {
            Some(first) => (Role::Error, format!("First that matters: {}", first.sentence)),
            None => (Role::Good, "No difference that matters.".to_owned()),
        };
        put(
            buffer,
            area.x,
            area.y + 1,
            area.width,
            &cut(&text, area.width, theme),
            theme.style(role),
        );
        let before = comparison.first.as_ref().map(|first| first.before.join("; "));
        let before = before.filter(|text| !text.is_empty());
        let [_, minor, matters] = comparison.counts;
        let text = match before {
            Some(before) => format!("before it: {before}"),
            None => format!("{matters} that matter, {minor} minor"),
        };
        put(
            buffer,
            area.x,
            area.y + 2,
            area.width,
            &cut(&text, area.width, theme),
            theme.style(Role::Dim),
        );
        let list = Rect { y: area.y + 3, height: area.height - 5, ..area };
        self.list = list;
        self.scroll.fit(list.height.into(), self.lines.len());
        for y in 0..list.height {
            let number = self.scroll.first + usize::from(y);
            let Some(line) = self.lines.get(number) else { break };
            let place = Rect { y: list.y + y, height: 1, ..list };
            draw::line(buffer, place, theme, comparison, *line);
            if number == self.scroll.selected {
                let role = if ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, list, y, theme.style(role));
            }
        }
        let selected = self.lines.get(self.scroll.selected);
        if let Some(reason) = selected.and_then(|line| draw::reason(comparison, *line)) {
            let y = area.bottom() - 2;
            put(
                buffer,
                area.x,
                y,
                area.width,
                &cut(reason, area.width, theme),
                theme.style(Role::Note),
            );
        }
        let bottom = at(area.height - 1);
        draw::legend(buffer, bottom, theme);
        let text = format!("{} (z)", self.show.name());
        let x = area.width.saturating_sub(crate::tui::screens::chart::cells(&text));
        put(buffer, area.x + x, bottom.y, area.width, &text, theme.style(Role::Dim));
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        self.sync(ctx);
        if self.scroll.act(action, self.lines.len()).is_some() {
            return Some(Vec::new());
        }
        Some(match action {
            Action::Fold | Action::FoldAll => {
                self.show = self.show.next();
                let row = self.lines.get(self.scroll.selected).map(|line| line.row);
                if let Some(comparison) = &self.comparison {
                    self.lines = draw::lines(comparison, self.show);
                    let after = self.lines.partition_point(|line| Some(line.row) < row);
                    self.scroll.selected = after.min(self.lines.len().saturating_sub(1));
                }
                vec![Effect::Status(format!("showing {}", self.show.name()))]
            }
            Action::NextFinding | Action::PreviousFinding => {
                match self.difference(action == Action::NextFinding) {
                    true => Vec::new(),
                    false => vec![Effect::Status("no further difference".into())],
                }
            }
            Action::Open => self.open(ctx),
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        self.sync(ctx);
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if self.list.contains(at) => {
                let line = self.scroll.line_at(at.y - self.list.y, self.lines.len());
                let Some(line) = line else { return Vec::new() };
                self.scroll.selected = line;
                match mouse {
                    Mouse::DoubleClick(_) => self.open(ctx),
                    _ => Vec::new(),
                }
            }
            Mouse::Wheel { lines, .. } => {
                self.scroll.wheel(lines, self.lines.len());
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::NextFinding, Action::PreviousFinding, Action::Fold, Action::Open, Action::Back]
    }
}
