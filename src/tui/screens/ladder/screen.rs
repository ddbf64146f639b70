//! The screen: steps in sight, folds, the selected one.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::draw::{self, Layout};
use crate::analysis::index::SessionIndex;
use crate::analysis::ladder::{Ladder, MediaRun, StepKind};
use crate::base::Timestamp;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Cursor, Effect, Mouse, Picked, Screen, ScreenId};
use crate::tui::screens::chart::{count, cut, put};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::paint;

/// A ladder is made anew when so many percent more rows are there: it costs a pass over all.
const GROWTH: usize = 2;

/// The ladder.
#[derive(Debug, Default)]
pub struct LadderScreen {
    ladder: Ladder,
    made: Option<Made>,
    /// Unfolded runs by their first row: rows of their messages.
    open: BTreeMap<usize, Vec<u32>>,
    /// Lines in sight: step, and message of an unfolded run.
    lines: Vec<(usize, Option<u32>)>,
    scroll: Scroll,
    /// Cursor as last seen; another one means that something else moved it.
    cursor: Option<Cursor>,
    body: Rect,
}

/// What the ladder was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    session: u32,
    rows: usize,
    ended: bool,
}

impl LadderScreen {
    fn sync<'a>(&mut self, ctx: &Ctx<'a>) -> Option<&'a SessionIndex> {
        let session = ctx.session()?;
        let now = Made {
            session: session.number(),
            rows: session.rows.len(),
            ended: session.end.is_some(),
        };
        let fresh = self.made.is_some_and(|made| {
            made.session == now.session
                && made.ended == now.ended
                && made.rows <= now.rows
                && now.rows - made.rows <= made.rows * GROWTH / 100
        });
        if !fresh {
            if self.made.is_none_or(|made| made.session != now.session) {
                *self = LadderScreen::default();
            }
            self.ladder = Ladder::of(session, &ctx.index.strings);
            self.made = Some(now);
            for (first, rows) in &mut self.open {
                let run = self.ladder.steps.iter().find_map(|step| match &step.kind {
                    StepKind::Media(run) if run.rows.start == *first => Some(run),
                    _ => None,
                });
                *rows = run.map_or_else(Vec::new, |run| messages(session, run));
            }
        }
        self.lay_out(ctx, session);
        if self.cursor != Some(ctx.shared.cursor) {
            self.cursor = Some(ctx.shared.cursor);
            self.select(ctx, session);
        }
        Some(session)
    }

    /// Which lines there are, after filter and folds.
    fn lay_out(&mut self, ctx: &Ctx<'_>, session: &SessionIndex) {
        self.lines.clear();
        for (number, step) in self.ladder.steps.iter().enumerate() {
            let taken = match &step.kind {
                StepKind::Media(run) => ctx.matches.is_none_or(|rows| {
                    let from = rows.partition_point(|row| (*row as usize) < run.rows.start);
                    let mut inside =
                        rows.iter().skip(from).take_while(|r| (**r as usize) < run.rows.end);
                    inside.any(|row| run.holds(session, *row as usize))
                }),
                _ => step.row().is_none_or(|row| ctx.takes(row)),
            };
            if !taken {
                continue;
            }
            self.lines.push((number, None));
            if let StepKind::Media(run) = &step.kind
                && let Some(rows) = self.open.get(&run.rows.start)
            {
                let rows = rows.iter().filter(|row| ctx.takes(**row as usize));
                self.lines.extend(rows.map(|row| (number, Some(*row))));
            }
        }
    }

    /// Selects the line of the cursor.
    fn select(&mut self, ctx: &Ctx<'_>, session: &SessionIndex) {
        let cursor = ctx.shared.cursor;
        let Some(row) = cursor.row else {
            let time = cursor.time.unwrap_or(session.session.time);
            let after = |line: &(usize, Option<u32>)| {
                self.ladder.steps.get(line.0).is_some_and(|step| step.time <= time)
            };
            self.scroll.selected = self.lines.partition_point(after).saturating_sub(1);
            return;
        };
        let step = self.ladder.step_of(session, row);
        let exact = self.lines.iter().position(|(_, inner)| *inner == u32::try_from(row).ok());
        let exact = exact.or_else(|| self.lines.iter().position(|line| line.0 == step));
        if let Some(line) = exact {
            self.scroll.selected = line;
        }
    }

    /// The cursor goes where the selection is.
    fn moved(&mut self, session: &SessionIndex) -> Vec<Effect> {
        let Some((number, inner)) = self.lines.get(self.scroll.selected).copied() else {
            return Vec::new();
        };
        let Some(step) = self.ladder.steps.get(number) else { return Vec::new() };
        let row = inner.map(|row| row as usize).or(step.row());
        let time = row.and_then(|row| session.rows.get(row)).map_or(step.time, |row| row.time);
        let row = row.or_else(|| self.cursor.and_then(|cursor| cursor.row));
        match inner.map(|row| row as usize).or(step.row()) {
            Some(row) => {
                self.cursor = Some(Cursor { time: Some(time), row: Some(row) });
                vec![Effect::Row(row)]
            }
            None => {
                let after = session.rows.partition_point(|row| row.time <= time);
                let last = after.checked_sub(1).or(row.map(|_| 0)).or(Some(0));
                self.cursor = Some(Cursor { time: Some(time), row: last });
                vec![Effect::Time(time)]
            }
        }
    }

    fn fold(&mut self, ctx: &Ctx<'_>, session: &SessionIndex, open: Option<bool>) -> bool {
        let Some((number, _)) = self.lines.get(self.scroll.selected).copied() else { return false };
        let Some(step) = self.ladder.steps.get(number) else { return false };
        let StepKind::Media(run) = &step.kind else { return false };
        let is_open = self.open.contains_key(&run.rows.start);
        if open.unwrap_or(!is_open) == is_open {
            return false;
        }
        match is_open {
            true => drop(self.open.remove(&run.rows.start)),
            false => drop(self.open.insert(run.rows.start, messages(session, run))),
        }
        self.lay_out(ctx, session);
        let line = self.lines.iter().position(|line| *line == (number, None));
        self.scroll.selected = line.unwrap_or(self.scroll.selected);
        true
    }

    fn fold_all(&mut self, ctx: &Ctx<'_>, session: &SessionIndex) {
        match self.open.is_empty() {
            true => {
                for step in &self.ladder.steps {
                    if let StepKind::Media(run) = &step.kind {
                        self.open.insert(run.rows.start, messages(session, run));
                    }
                }
            }
            false => self.open.clear(),
        }
        self.lay_out(ctx, session);
        self.select(ctx, session);
    }

    /// The next line that tells of trouble, or the one before.
    fn trouble(&mut self, forward: bool) -> bool {
        let is = |line: &(usize, Option<u32>)| {
            line.1.is_none() && self.ladder.steps.get(line.0).is_some_and(|step| step.is_trouble())
        };
        let here = self.scroll.selected;
        let found = match forward {
            true => self.lines.iter().skip(here + 1).position(is).map(|at| here + 1 + at),
            false => self.lines.iter().take(here).rposition(is),
        };
        self.scroll.selected = found.unwrap_or(here);
        found.is_some()
    }

    fn titles(
        &self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        area: Rect,
        layout: Layout,
        frame: &mut Frame<'_>,
    ) {
        let theme = ctx.theme();
        let buffer = frame.buffer_mut();
        let dim = theme.style(Role::Dim);
        put(
            buffer,
            area.x,
            area.y,
            layout.client,
            if layout.end >= 100 { "      time s     since" } else { "   time s    since" },
            dim,
        );
        let room = layout.server.saturating_sub(layout.client + 2) / 2;
        let client = cut(&format!("client {}", session.session.client), room, theme);
        put(buffer, area.x + layout.client, area.y, room, &client, theme.style(Role::Client));
        let server = cut(&format!("server {}", session.session.server), room, theme);
        let len = crate::tui::screens::chart::cells(&server);
        let x = (layout.server + 1).saturating_sub(len);
        put(buffer, area.x + x, area.y, len, &server, theme.style(Role::Server));
        let note = layout.end - layout.server - 2;
        let text = count(self.ladder.steps.len() as u64, "step");
        put(buffer, area.x + layout.server + 2, area.y, note, &text, dim);
    }
}

/// Rows of a run's messages.
fn messages(session: &SessionIndex, run: &MediaRun) -> Vec<u32> {
    run.rows.clone().filter(|row| run.holds(session, *row)).map(|row| row as u32).collect()
}

impl Screen for LadderScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Ladder
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let Some(session) = self.sync(ctx) else {
            put(
                frame.buffer_mut(),
                area.x,
                area.y,
                area.width,
                "no session yet",
                theme.style(Role::Dim),
            );
            return;
        };
        let layout = Layout::of(area.width);
        if area.height < 3 || layout.server + 3 > area.width {
            return;
        }
        self.titles(ctx, session, area, layout, frame);
        let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
        self.body = body;
        self.scroll.fit(body.height.into(), self.lines.len());
        let buffer = frame.buffer_mut();
        for y in 0..body.height {
            let at = self.scroll.first + usize::from(y);
            let Some((number, inner)) = self.lines.get(at).copied() else { break };
            let Some(step) = self.ladder.steps.get(number) else { break };
            let line = Rect { y: body.y + y, height: 1, ..body };
            match inner {
                Some(row) => {
                    let before = match at.checked_sub(1).and_then(|at| self.lines.get(at)) {
                        Some((_, Some(row))) => session.rows.get(*row as usize).map(|row| row.time),
                        _ => None,
                    };
                    let before: Timestamp = before.unwrap_or(step.time);
                    draw::message(buffer, line, layout, ctx, session, row as usize, before);
                }
                None => {
                    let open = match &step.kind {
                        StepKind::Media(run) if run.messages() > 1 => {
                            Some(self.open.contains_key(&run.rows.start))
                        }
                        _ => None,
                    };
                    draw::step(buffer, line, layout, ctx, session, step, open);
                }
            }
            if at == self.scroll.selected {
                let role = if ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, body, y, theme.style(role));
            }
        }
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let session = self.sync(ctx)?;
        if self.scroll.act(action, self.lines.len()).is_some() {
            return Some(self.moved(session));
        }
        Some(match action {
            Action::Fold => {
                self.fold(ctx, session, None);
                self.moved(session)
            }
            Action::Right => {
                self.fold(ctx, session, Some(true));
                self.moved(session)
            }
            Action::Left => {
                self.fold(ctx, session, Some(false));
                self.moved(session)
            }
            Action::FoldAll => {
                self.fold_all(ctx, session);
                self.moved(session)
            }
            Action::NextFinding | Action::PreviousFinding => {
                match self.trouble(action == Action::NextFinding) {
                    true => self.moved(session),
                    false => vec![Effect::Status("no further trouble in the ladder".into())],
                }
            }
            Action::Pick => {
                let row = self.lines.get(self.scroll.selected).and_then(|(step, inner)| {
                    inner.map(|row| row as usize).or(self.ladder.steps.get(*step)?.row())
                });
                vec![Effect::Pick(Picked { session: session.number(), row })]
            }
            Action::Open => {
                let mut effects = self.moved(session);
                effects.push(Effect::Go(ScreenId::Messages));
                effects
            }
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        let Some(session) = self.sync(ctx) else { return Vec::new() };
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if self.body.contains(at) => {
                let Some(line) = self.scroll.line_at(at.y - self.body.y, self.lines.len()) else {
                    return Vec::new();
                };
                self.scroll.selected = line;
                if matches!(mouse, Mouse::DoubleClick(_)) && !self.fold(ctx, session, None) {
                    let mut effects = self.moved(session);
                    effects.push(Effect::Go(ScreenId::Messages));
                    return effects;
                }
                self.moved(session)
            }
            Mouse::Wheel { lines, .. } => {
                self.scroll.wheel(lines, self.lines.len());
                self.moved(session)
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::Open,
            Action::Fold,
            Action::FoldAll,
            Action::FollowReply,
            Action::NextFinding,
            Action::Pick,
            Action::Compare,
            Action::TimeFormat,
            Action::Export,
        ]
    }

    fn copies(&self, ctx: &Ctx<'_>) -> Vec<(String, String)> {
        let Some(session) = ctx.session() else { return Vec::new() };
        let ladder = match self.made.is_some_and(|made| made.session == session.number()) {
            true => self.ladder.clone(),
            false => Ladder::of(session, &ctx.index.strings),
        };
        vec![("the ladder as Mermaid".into(), ladder.to_mermaid(session, &ctx.index.strings))]
    }
}
