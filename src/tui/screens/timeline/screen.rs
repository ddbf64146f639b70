//! The screen: what is in sight, and what keys and mouse do to it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::draw::Picture;
use super::lanes::{Lane, divide};
use super::{axis, detail, legend};
use crate::analysis::index::SessionIndex;
use crate::analysis::lanes::{Clock, Lanes, View, Window};
use crate::base::{Direction, Timestamp};
use crate::tui::action::Action;
use crate::tui::contract::{ClockMode, Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::chart::{cut, duration, put};
use crate::tui::theme::Role;

/// Cells for the lanes' names.
const LABELS: u16 = 8;
/// Cells for the lanes' figures, on a terminal wide enough.
const FIGURES: u16 = 18;
/// From this width on there are figures.
const WIDE: u16 = 96;
/// How much closer one step of zoom is.
const ZOOM: f64 = 2.0;

/// The timeline.
#[derive(Debug)]
pub struct Timeline {
    pub(super) lanes: Lanes,
    /// Session that `lanes` are of.
    session: u32,
    /// Selected lane.
    lane: Lane,
    /// On the RTMP clock: what is in sight. (The shared window is capture time.)
    pub(super) rtmp: Option<Window>,
    /// Where the cursor was when last drawn, to follow it when it leaves what is in sight.
    cursor: Option<Timestamp>,
    /// When another screen moved the cursor out of sight: what was chosen then, and what is in
    /// sight instead until something else is chosen.
    pub(super) followed: Option<(Option<Window>, Window)>,
    /// The columns as last drawn: where, and of what.
    pub(super) plot: Rect,
    shown: Window,
    rows: Vec<(Lane, Rect)>,
    /// Columns of a drag that goes on.
    drag: Option<(u16, u16)>,
    view: Option<(Key, View)>,
}

/// What a view depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    session: u32,
    clock: Clock,
    window: Window,
    columns: usize,
    rows: usize,
    rare: usize,
    ended: bool,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline {
            lanes: Lanes::new(Clock::Capture),
            session: 0,
            lane: Lane::Commands,
            rtmp: None,
            cursor: None,
            followed: None,
            plot: Rect::ZERO,
            shown: Window::default(),
            rows: Vec::new(),
            drag: None,
            view: None,
        }
    }
}

impl Timeline {
    /// Follows the current session and clock.
    fn sync<'a>(&mut self, ctx: &Ctx<'a>) -> Option<&'a SessionIndex> {
        let session = ctx.session()?;
        let clock = match ctx.shared.clock {
            ClockMode::Capture => Clock::Capture,
            ClockMode::Rtmp => Clock::Rtmp,
        };
        if self.session != session.number() || self.lanes.clock() != clock {
            if self.session != session.number() {
                self.cursor = None;
            }
            self.session = session.number();
            self.rtmp = None;
            self.followed = None;
            self.lanes = Lanes::new(clock);
            self.view = None;
        }
        self.lanes.update(session, &ctx.index.strings);
        Some(session)
    }

    /// What is in sight.
    pub(super) fn window(&self, ctx: &Ctx<'_>, session: &SessionIndex) -> Window {
        let whole = self.lanes.extent(session);
        let chosen = self.chosen(ctx);
        if let Some((then, instead)) = self.followed
            && then == chosen
        {
            return instead;
        }
        let Some(window) = chosen else { return whole };
        match ctx.shared.follow && !ctx.shared.paused {
            true => window.shift(whole.to - window.to),
            false => window,
        }
    }

    fn chosen(&self, ctx: &Ctx<'_>) -> Option<Window> {
        match self.lanes.clock() {
            Clock::Capture => ctx.shared.window.map(|w| Window::new(w.from.0, w.to.0)),
            Clock::Rtmp => self.rtmp,
        }
    }

    fn view(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        window: Window,
        columns: usize,
    ) -> View {
        let key = Key {
            session: self.session,
            clock: self.lanes.clock(),
            window,
            columns,
            rows: session.rows.len(),
            rare: session.gaps.len() + session.anomalies.len() + session.handshakes.len(),
            ended: session.end.is_some(),
        };
        match self.view.take() {
            Some((old, view)) if old == key => view,
            _ => self.lanes.view(session, &ctx.index.strings, window, columns),
        }
    }

    /// Column of a cell, when it lies on the lanes or the axis.
    fn column_of(&self, at: Position) -> Option<u16> {
        self.plot.contains(at).then(|| at.x - self.plot.x)
    }

    /// What is in sight, for beside the axis.
    fn range(&self, session: &SessionIndex, window: Window) -> [String; 2] {
        let whole = self.lanes.extent(session);
        let column = window.len() / i64::from(self.plot.width.max(1));
        let shown = match window == whole {
            true => format!("all {}", duration(window.len())),
            false => format!("{} of {}", duration(window.len()), duration(whole.len())),
        };
        [shown, format!("{} a column", duration(column))]
    }

    /// What the axis counts from.
    fn zero(&self, ctx: &Ctx<'_>) -> i64 {
        match self.lanes.clock() {
            Clock::Capture => ctx.index.epoch.map_or(0, |epoch| epoch.0),
            Clock::Rtmp => 0,
        }
    }

    /// Text below the lanes.
    fn words(
        &self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        view: &View,
        column: usize,
    ) -> Vec<(Role, String)> {
        let mut lines = Vec::new();
        let here = ctx.shared.cursor.row.or_else(|| {
            self.lanes.last_row(session, self.at(ctx, session, view.window)).or(Some(0))
        });
        if let Some((number, row)) = here.and_then(|n| Some((n, session.rows.get(n)?))) {
            lines.push((Role::Text, detail::message(ctx, session, number, row)));
        }
        let events = detail::events(ctx, session, &self.lanes, view, column);
        lines.extend(events);
        if let Some(at) = view.columns.get(column) {
            let length = view.window.len() / view.columns.len().max(1) as i64;
            lines.insert(lines.len().min(1), (Role::Dim, detail::column(at, length)));
        }
        lines
    }
}

impl Screen for Timeline {
    fn id(&self) -> ScreenId {
        ScreenId::Timeline
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let buffer = frame.buffer_mut();
        let Some(session) = self.sync(ctx) else {
            put(buffer, area.x, area.y, area.width, "no session yet", theme.style(Role::Dim));
            return;
        };
        let figures = if area.width >= WIDE { FIGURES } else { 0 };
        let x = area.x + LABELS.min(area.width);
        let width = area.width.saturating_sub(LABELS + figures);
        // The axis above; below the message, its column, what is rare there, the legend.
        let below = match area.height {
            0..16 => 0,
            16..18 => 2,
            18..28 => 4,
            28..45 => 6,
            _ => 8,
        };
        let lines = area.height.saturating_sub(2 + below);
        let lanes = divide(lines);
        let used: u16 = lanes.iter().map(|(_, height)| height).sum();
        self.plot = Rect { x, y: area.y, width, height: 2 + used }.intersection(area);

        let mut window = self.window(ctx, session);
        let at = self.at(ctx, session, window);
        let moved = ctx.shared.cursor.time != self.cursor && ctx.shared.cursor.time.is_some();
        self.cursor = ctx.shared.cursor.time;
        if moved && !window.contains(at) {
            window = window.shift(at - window.from - window.len() / 2);
            window = window.within(self.lanes.extent(session));
            self.followed = Some((self.chosen(ctx), window));
        }
        self.shown = window;
        if width < 10 || area.height < 4 {
            return;
        }
        axis::draw(buffer, Rect { x, y: area.y, width, height: 2 }, theme, window, self.zero(ctx));
        let clock = self.lanes.clock().name();
        put(buffer, area.x, area.y, LABELS - 1, clock, theme.style(Role::Dim));
        put(buffer, area.x, area.y + 1, LABELS - 1, "clock", theme.style(Role::Dim));
        for (line, text) in self.range(session, window).into_iter().enumerate() {
            let y = area.y + line as u16;
            put(buffer, x + width + 1, y, figures.saturating_sub(1), &text, theme.style(Role::Dim));
        }

        let view = self.view(ctx, session, window, usize::from(width));
        let bytes = [Direction::ClientToServer, Direction::ServerToClient]
            .map(|d| session.payload[d.index()]);
        let media = match bytes[0] >= bytes[1] {
            true => Direction::ClientToServer,
            false => Direction::ServerToClient,
        };
        let picture = Picture {
            session,
            strings: &ctx.index.strings,
            lanes: &self.lanes,
            view: &view,
            theme,
            media,
            findings: ctx.findings,
        };
        let mut y = area.y + 2;
        self.rows.clear();
        for (lane, height) in lanes {
            let lane_area = Rect { x, y, width, height };
            let side = Rect { x: x + width + 1, width: figures.saturating_sub(1), ..lane_area };
            picture.lane(buffer, lane, lane_area, side);
            let role = if lane == self.lane { Role::Selected } else { Role::Name };
            let label = lane.label(theme.glyphs().minus);
            put(buffer, area.x, y, LABELS - 1, &format!("{label:<7}"), theme.style(role));
            self.rows.push((lane, Rect { x: area.x, width: area.width, ..lane_area }));
            y += height;
        }
        let column = window.column(at, usize::from(width));
        if window.contains(at) {
            for y in area.y + 1..y {
                if let Some(cell) = buffer.cell_mut((x + column as u16, y)) {
                    cell.set_style(theme.style(Role::Cursor));
                    cell.modifier.insert(Modifier::REVERSED);
                }
            }
        }
        if let Some((from, to)) = self.drag {
            let (from, to) = (from.min(to), from.max(to));
            for column in from..=to.min(width.saturating_sub(1)) {
                if let Some(cell) = buffer.cell_mut((x + column, area.y + 1)) {
                    cell.set_style(theme.style(Role::Match));
                }
            }
        }
        let bottom = area.bottom();
        let mut lines_left = bottom.saturating_sub(y);
        if lines_left > 2 {
            lines_left -= 1;
            let line = Rect { x: area.x, y: bottom - 1, width: area.width, height: 1 };
            legend::draw(buffer, line, &picture);
        }
        let words = self.words(ctx, session, &view, column);
        for (line, (role, text)) in words.iter().take(lines_left.into()).enumerate() {
            let text = cut(text, area.width, theme);
            put(buffer, area.x, y + line as u16, area.width, &text, theme.style(*role));
        }
        let key = Key {
            session: self.session,
            clock: self.lanes.clock(),
            window,
            columns: usize::from(width),
            rows: session.rows.len(),
            rare: session.gaps.len() + session.anomalies.len() + session.handshakes.len(),
            ended: session.end.is_some(),
        };
        self.view = Some((key, view));
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let session = self.sync(ctx)?;
        let window = self.window(ctx, session);
        let whole = self.lanes.extent(session);
        let page = i64::from(self.plot.width.max(4));
        let at = self.at(ctx, session, window);
        Some(match action {
            Action::Left => self.step(ctx, session, -1),
            Action::Right => self.step(ctx, session, 1),
            Action::HalfUp => self.step(ctx, session, -page / 4),
            Action::HalfDown => self.step(ctx, session, page / 4),
            Action::PageUp => self.pan(ctx, session, -window.len()),
            Action::PageDown => self.pan(ctx, session, window.len()),
            Action::PanLeft => self.pan(ctx, session, -window.len() / 4),
            Action::PanRight => self.pan(ctx, session, window.len() / 4),
            Action::Top => {
                let mut effects = self.show(ctx, session, window.shift(whole.from - window.from));
                effects.extend(self.go(session, whole.from));
                effects
            }
            Action::Bottom => {
                let mut effects = self.show(ctx, session, window.shift(whole.to - window.to));
                effects.extend(self.go(session, whole.to - 1));
                effects
            }
            Action::ZoomIn => self.zoom(ctx, session, ZOOM, at),
            Action::ZoomOut => self.zoom(ctx, session, 1.0 / ZOOM, at),
            Action::ZoomFit => self.show(ctx, session, whole),
            Action::Up | Action::PreviousPane => {
                self.lane = neighbour(&self.rows, self.lane, -1);
                Vec::new()
            }
            Action::Down | Action::NextPane => {
                self.lane = neighbour(&self.rows, self.lane, 1);
                Vec::new()
            }
            Action::NextKeyFrame => self.key_frame(ctx, session, true),
            Action::PreviousKeyFrame => self.key_frame(ctx, session, false),
            Action::NextFinding => self.odd(ctx, session, true),
            Action::PreviousFinding => self.odd(ctx, session, false),
            Action::FollowReply => self.follow(ctx, session),
            Action::Open => match (self.lane, ctx.shared.cursor.row) {
                (Lane::Flight | Lane::Control, _) => vec![Effect::Go(ScreenId::Flow)],
                (Lane::Video | Lane::Audio | Lane::Offset | Lane::Late, _) => {
                    vec![Effect::Go(ScreenId::Media)]
                }
                (Lane::Tcp, _) => vec![Effect::Go(ScreenId::Tcp)],
                (Lane::Findings, _) => vec![Effect::Go(ScreenId::Findings)],
                (_, Some(row)) => vec![Effect::Row(row), Effect::Go(ScreenId::Messages)],
                _ => vec![Effect::Go(ScreenId::Messages)],
            },
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        let Some(session) = self.sync(ctx) else { return Vec::new() };
        let width = usize::from(self.plot.width.max(1));
        let shown = self.shown;
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) => {
                self.drag = None;
                if let Some((lane, _)) = self.rows.iter().find(|(_, area)| area.contains(at)) {
                    self.lane = *lane;
                }
                let Some(column) = self.column_of(at) else { return Vec::new() };
                let mut effects = self.go(session, shown.edge(usize::from(column), width));
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    effects.push(Effect::Go(ScreenId::Messages));
                }
                effects
            }
            Mouse::Drag { from, to } => {
                self.drag = self.column_of(from).map(|from| {
                    (from, to.x.saturating_sub(self.plot.x).min(self.plot.width.saturating_sub(1)))
                });
                Vec::new()
            }
            Mouse::Drop { from, to } => {
                self.drag = None;
                let Some(from) = self.column_of(from) else { return Vec::new() };
                let to = to.x.saturating_sub(self.plot.x).min(self.plot.width.saturating_sub(1));
                let (from, to) = (from.min(to), from.max(to));
                if from == to {
                    return Vec::new();
                }
                let from = shown.edge(usize::from(from), width);
                let to = shown.edge(usize::from(to) + 1, width);
                let mut effects = self.show(ctx, session, Window::new(from, to));
                effects.extend(self.go(session, from));
                effects
            }
            Mouse::Wheel { at, lines, .. } => {
                let Some(column) = self.column_of(at) else { return Vec::new() };
                let place = shown.edge(usize::from(column), width);
                let factor = if lines < 0 { ZOOM } else { 1.0 / ZOOM };
                self.zoom(ctx, session, factor, place)
            }
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::ZoomIn,
            Action::ZoomOut,
            Action::ZoomFit,
            Action::PanLeft,
            Action::PanRight,
            Action::NextKeyFrame,
            Action::FollowReply,
            Action::NextFinding,
            Action::Clock,
            Action::Open,
        ]
    }
}

/// The lane `by` further down among those that are drawn.
fn neighbour(rows: &[(Lane, Rect)], lane: Lane, by: isize) -> Lane {
    let at = rows.iter().position(|(other, _)| *other == lane).unwrap_or(0);
    let next = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
    rows.get(next).map_or(lane, |(lane, _)| *lane)
}
