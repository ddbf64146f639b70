//! The screen: both directions, their bytes in flight, and the messages that control them.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{figures, table};
use crate::analysis::flowctl::FlowControl;
use crate::analysis::index::SessionIndex;
use crate::analysis::lanes::{Clock, Lanes, Window};
use crate::base::Direction;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::chart::{self, bytes, cut, put, put_right};
use crate::tui::screens::scroll::Scroll;
use crate::tui::screens::timeline::draw_axis;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{cell, headings, layout, paint};

/// Cells for the names of figures.
const NAMES: u16 = 11;

/// Flow control.
#[derive(Debug)]
pub struct FlowScreen {
    session: u32,
    flow: FlowControl,
    lanes: Lanes,
    entries: Vec<table::Entry>,
    /// Direction whose bytes are charted; `None` for the one with more of them.
    chosen: Option<Direction>,
    scroll: Scroll,
    list: Rect,
    /// Row of the cursor as last seen.
    row: Option<usize>,
}

impl Default for FlowScreen {
    fn default() -> FlowScreen {
        FlowScreen {
            session: 0,
            flow: FlowControl::default(),
            lanes: Lanes::new(Clock::Capture),
            entries: Vec::new(),
            chosen: None,
            scroll: Scroll::default(),
            list: Rect::ZERO,
            row: None,
        }
    }
}

impl FlowScreen {
    fn sync<'a>(&mut self, ctx: &Ctx<'a>) -> Option<&'a SessionIndex> {
        let session = ctx.session()?;
        if self.session != session.number() {
            *self = FlowScreen { session: session.number(), ..FlowScreen::default() };
        }
        let known = self.entries.len();
        self.flow.update(session);
        self.lanes.update(session, &ctx.index.strings);
        let all: usize = self
            .flow
            .directions
            .iter()
            .map(|of| of.windows.len() + of.chunk_sizes.len() + of.acks.len())
            .sum();
        if all != known {
            self.entries = table::entries(&self.flow);
        }
        if self.row != ctx.shared.cursor.row {
            self.row = ctx.shared.cursor.row;
            let row = self.row.unwrap_or(0);
            let after = self.entries.partition_point(|entry| entry.row() <= row);
            self.scroll.selected = after.saturating_sub(1);
        }
        Some(session)
    }

    fn direction(&self) -> Direction {
        self.chosen.unwrap_or_else(|| {
            let sent = |direction| self.flow.of(direction).flight.sent;
            match sent(Direction::ClientToServer) >= sent(Direction::ServerToClient) {
                true => Direction::ClientToServer,
                false => Direction::ServerToClient,
            }
        })
    }

    fn moved(&mut self) -> Vec<Effect> {
        let Some(entry) = self.entries.get(self.scroll.selected) else { return Vec::new() };
        self.row = Some(entry.row());
        vec![Effect::Row(entry.row())]
    }

    fn figures(
        &self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        frame: &mut Frame<'_>,
        area: Rect,
        of: Direction,
    ) {
        let theme = ctx.theme();
        let buffer = frame.buffer_mut();
        let (title, role) = match of {
            Direction::ClientToServer => ("client", Role::Client),
            Direction::ServerToClient => ("server", Role::Server),
        };
        let other = if title == "client" { "server" } else { "client" };
        let mark = if of == self.direction() { theme.glyphs().closed } else { " " };
        let title = format!("{mark} {title} {} {other}", theme.glyphs().right);
        put(buffer, area.x, area.y, area.width, &title, theme.style(role));
        let lines = figures::lines(ctx, session, self.flow.of(of), of);
        for (line, (name, text, role)) in
            lines.iter().enumerate().take(usize::from(area.height - 1))
        {
            let y = area.y + 1 + line as u16;
            put(buffer, area.x + 2, y, NAMES, name, theme.style(Role::Name));
            let room = area.width.saturating_sub(NAMES + 3);
            put(buffer, area.x + NAMES + 2, y, room, &cut(text, room, theme), theme.style(*role));
        }
    }

    /// Bytes in flight over time.
    fn chart(&self, ctx: &Ctx<'_>, session: &SessionIndex, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let whole = self.lanes.extent(session);
        let window =
            ctx.shared.window.map_or(whole, |window| Window::new(window.from.0, window.to.0));
        let way = self.direction().index();
        let labels = 10;
        let plot = Rect {
            x: area.x + labels,
            y: area.y + 2,
            width: area.width.saturating_sub(labels + 1),
            height: area.height.saturating_sub(2),
        };
        if plot.width < 10 || plot.height == 0 {
            return;
        }
        let buffer = frame.buffer_mut();
        let zero = ctx.index.epoch.map_or(0, |epoch| epoch.0);
        draw_axis(buffer, Rect { y: area.y, height: 2, ..plot }, theme, window, zero);
        let view = self.lanes.view(session, &ctx.index.strings, window, plot.width.into());
        let acked = self.flow.directions[way].window().is_some()
            || !self.flow.directions[way].acks.is_empty();
        let mut held = view.flight_before[way].bytes().unwrap_or(0) as f64;
        let values: Vec<f64> = (view.columns.iter())
            .map(|column| match acked {
                true => {
                    let span = column.sum.flight[way];
                    let most = if span.count > 0 { span.max.max(0) as f64 } else { held };
                    held = span.last().map_or(held, |last| last.max(0) as f64);
                    most
                }
                false => column.tcp.in_flight[way].unwrap_or(0) as f64,
            })
            .collect();
        let limit = self.flow.directions[way].window().map_or(0.0, f64::from);
        let most = values.iter().copied().fold(0.0, f64::max);
        let top = if most > limit / 8.0 { most.max(limit) } else { most };
        let value = |column: usize| values.get(column).copied().unwrap_or(0.0);
        let style = |column: usize| {
            theme.style(if limit > 0.0 && value(column) > limit {
                Role::Warning
            } else {
                Role::Data
            })
        };
        chart::bars(buffer, plot, theme, top, value, style);
        if limit > 0.0 && top >= limit {
            let up = (limit / top * f64::from(plot.height)).ceil().max(1.0) as u16;
            let y = plot.bottom().saturating_sub(up).max(plot.y);
            for (column, value) in values.iter().enumerate() {
                if *value < limit * (f64::from(up) - 1.0) / f64::from(up) {
                    let line = theme.glyphs().horizontal;
                    put(buffer, plot.x + column as u16, y, 1, line, theme.style(Role::Control));
                }
            }
        }
        for (column, part) in view.columns.iter().enumerate() {
            if part.sum.acks[way] > 0 {
                let x = plot.x + column as u16;
                put(buffer, x, area.y + 1, 1, "A", theme.style(Role::Good));
            }
        }
        let dim = theme.style(Role::Dim);
        let what = if acked { "unacked" } else { "TCP" };
        put(buffer, area.x, area.y, labels - 1, what, theme.style(Role::Name));
        put(buffer, area.x, area.y + 1, labels - 1, "A ack", dim);
        put_right(buffer, area.x, plot.y, labels - 1, &bytes(top as u64), dim);
        if plot.height > 1 {
            put_right(buffer, area.x, plot.bottom() - 1, labels - 1, "0 B", dim);
        }
        if let Some(time) = ctx.shared.cursor.time.filter(|time| window.contains(time.0)) {
            let column = window.column(time.0, plot.width.into()) as u16;
            for y in area.y + 1..plot.bottom() {
                if let Some(cell) = buffer.cell_mut((plot.x + column, y)) {
                    cell.set_style(theme.style(Role::Cursor));
                }
            }
        }
    }

    fn table(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let columns = layout(&table::COLUMNS, area.width);
        let buffer = frame.buffer_mut();
        headings(buffer, area, &table::COLUMNS, &columns, None, theme);
        let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
        self.list = list;
        self.scroll.fit(list.height.into(), self.entries.len());
        for y in 0..list.height {
            let at = self.scroll.first + usize::from(y);
            let Some(entry) = self.entries.get(at) else { break };
            let cells = entry.cells(ctx.seconds(entry.time()), theme.glyphs().right);
            for (number, range) in &columns {
                let Some(text) = cells.get(*number) else { continue };
                let right = table::COLUMNS[*number].right;
                cell(buffer, list, y, range, text, right, theme.style(entry.role()), theme);
            }
            if at == self.scroll.selected {
                let role = if ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, list, y, theme.style(role));
            }
        }
        if self.entries.is_empty() {
            let text = "no message of this session controls flow";
            put(buffer, list.x, list.y, list.width, text, theme.style(Role::Dim));
        }
    }
}

impl Screen for FlowScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Flow
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let Some(session) = self.sync(ctx) else {
            let style = ctx.theme().style(Role::Dim);
            put(frame.buffer_mut(), area.x, area.y, area.width, "no session yet", style);
            return;
        };
        if area.height < 12 {
            self.table(ctx, frame, area);
            return;
        }
        // Side by side where lines are long enough, otherwise only the direction that is charted.
        let height = 8;
        let top = Rect { height, ..area };
        match area.width >= 110 {
            true => {
                let half = area.width / 2;
                let left = Rect { width: half - 1, ..top };
                let right = Rect { x: area.x + half, width: area.width - half, ..top };
                self.figures(ctx, session, frame, left, Direction::ClientToServer);
                self.figures(ctx, session, frame, right, Direction::ServerToClient);
            }
            false => self.figures(ctx, session, frame, top, self.direction()),
        }
        let chart = Rect { y: area.y + height, height: (area.height - height) * 2 / 5, ..area };
        self.chart(ctx, session, frame, chart);
        let y = chart.bottom();
        self.table(ctx, frame, Rect { y, height: area.bottom() - y, ..area });
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        self.sync(ctx)?;
        if self.scroll.act(action, self.entries.len()).is_some() {
            return Some(self.moved());
        }
        Some(match action {
            Action::NextPane | Action::PreviousPane => {
                self.chosen = Some(self.direction().reverse());
                Vec::new()
            }
            Action::Open => {
                let mut effects = self.moved();
                effects.push(Effect::Go(ScreenId::Messages));
                effects
            }
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        self.sync(ctx);
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if self.list.contains(at) => {
                let line = self.scroll.line_at(at.y - self.list.y, self.entries.len());
                let Some(line) = line else { return Vec::new() };
                self.scroll.selected = line;
                let mut effects = self.moved();
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    effects.push(Effect::Go(ScreenId::Messages));
                }
                effects
            }
            Mouse::Wheel { lines, .. } => {
                self.scroll.wheel(lines, self.entries.len());
                self.moved()
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![Action::NextPane, Action::Open, Action::ZoomFit, Action::NextSession, Action::Copy]
    }
}
