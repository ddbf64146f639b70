//! The screen: figures of both directions, the capture, and what happened when.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{events, figures};
use crate::analysis::index::SessionIndex;
use crate::base::Direction;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{Column, cell, fit, headings, layout, paint, pane, put};

const COLUMNS: &[Column] = &[
    Column { title: "time s", width: 11, grow: 0, priority: 0, right: true },
    Column { title: "", width: 1, grow: 0, priority: 1, right: false },
    Column { title: "frame", width: 8, grow: 0, priority: 4, right: true },
    Column { title: "event", width: 24, grow: 0, priority: 2, right: false },
    Column { title: "particulars", width: 20, grow: 1, priority: 3, right: false },
];

/// Cells of a figure's name.
const NAMES: u16 = 16;

/// What an event list was made from: it is made anew only when there is more.
type Made = (u32, usize, usize, usize);

/// TCP and the capture.
#[derive(Debug, Default)]
pub struct TcpScreen {
    made: Option<Made>,
    events: Vec<events::Event>,
    confidence: [u64; 4],
    scroll: Scroll,
    list: Rect,
}

impl TcpScreen {
    fn sync<'a>(&mut self, ctx: &Ctx<'a>) -> Option<&'a SessionIndex> {
        let session = ctx.session()?;
        let things = session.tcp.events.len() + session.gaps.len() + session.anomalies.len();
        let made =
            (session.number(), things, session.rows.len(), usize::from(session.end.is_some()));
        if self.made != Some(made) {
            if self.made.is_none_or(|before| before.0 != made.0) {
                self.scroll = Scroll::default();
            }
            if self.made.is_none_or(|before| (before.0, before.1) != (made.0, made.1)) {
                self.events = events::all(session);
            }
            self.confidence = figures::confidence(session);
            self.made = Some(made);
        }
        Some(session)
    }

    fn draw_figures(
        &self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        frame: &mut Frame<'_>,
        area: Rect,
    ) -> u16 {
        let theme = ctx.theme();
        let buffer = frame.buffer_mut();
        let half = area.width.saturating_sub(NAMES) / 2;
        let arrow = theme.glyphs().right;
        let mut y = 0;
        for (direction, role) in
            [(Direction::ClientToServer, Role::Client), (Direction::ServerToClient, Role::Server)]
        {
            let x = NAMES + half * direction.index() as u16;
            let title = match direction {
                Direction::ClientToServer => format!("client {arrow} server"),
                Direction::ServerToClient => format!("server {arrow} client"),
            };
            put(buffer, area, x, y, &title, theme.style(role));
        }
        for line in figures::lines(session, area.height >= 30) {
            y += 1;
            put(buffer, area, 0, y, line.name, theme.style(Role::Name));
            for (i, (text, role)) in line.values.iter().enumerate() {
                let room = usize::from(half.saturating_sub(1));
                let x = NAMES + half * i as u16;
                put(buffer, area, x, y, &fit(text, room, theme), theme.style(*role));
            }
        }
        y += 1;
        let [exact, inferred, resynced, damaged] = self.confidence;
        put(buffer, area, 0, y, "messages", theme.style(Role::Name));
        let text = format!(
            "{exact} exact, {inferred} inferred, {resynced} found again after a gap; {damaged} damaged"
        );
        let role = if inferred + resynced + damaged > 0 { Role::Warning } else { Role::Text };
        let room = usize::from(area.width.saturating_sub(NAMES));
        put(buffer, area, NAMES, y, &fit(&text, room, theme), theme.style(role));
        for (i, (text, role)) in figures::capture(ctx).into_iter().take(3).enumerate() {
            y += 1;
            if i == 0 {
                put(buffer, area, 0, y, "capture", theme.style(Role::Name));
            }
            put(buffer, area, NAMES, y, &fit(&text, room, theme), theme.style(role));
        }
        y + 1
    }

    fn draw_events(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let title = match self.events.len() {
            0 => "no event below RTMP".to_owned(),
            n => format!("{n} events below RTMP"),
        };
        let inner = pane(frame, area, &title, ctx.focused, theme);
        if inner.height < 2 {
            return;
        }
        let buffer = frame.buffer_mut();
        let places = layout(COLUMNS, inner.width);
        headings(buffer, inner, COLUMNS, &places, None, theme);
        self.list = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        self.scroll.fit(self.list.height.into(), self.events.len());
        let glyphs = theme.glyphs();
        for y in 0..self.list.height {
            let at = self.scroll.first + usize::from(y);
            let Some(event) = self.events.get(at) else { break };
            for (column, range) in &places {
                let (text, role) = match column {
                    0 => (format!("{:.6}", ctx.seconds(event.time)), Role::Text),
                    1 => match event.direction {
                        Some(Direction::ClientToServer) => (glyphs.right.into(), Role::Client),
                        Some(Direction::ServerToClient) => (glyphs.left.into(), Role::Server),
                        None => (String::new(), Role::Text),
                    },
                    2 => (event.frame.map(|n| n.to_string()).unwrap_or_default(), Role::Text),
                    3 => (event.name.to_owned(), event.role),
                    _ => (event.detail.clone(), Role::Text),
                };
                let right = COLUMNS.get(*column).is_some_and(|column| column.right);
                cell(buffer, self.list, y, range, &text, right, theme.style(role), theme);
            }
            if at == self.scroll.selected {
                let role = if ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, self.list, y, theme.style(role));
            }
        }
    }

    fn moved(&self) -> Vec<Effect> {
        let event = self.events.get(self.scroll.selected);
        event.map(|event| Effect::Time(event.time)).into_iter().collect()
    }
}

impl Screen for TcpScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Tcp
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let Some(session) = self.sync(ctx) else {
            let style = ctx.theme().style(Role::Dim);
            put(frame.buffer_mut(), area, 0, 0, "no session yet", style);
            return;
        };
        let used = self.draw_figures(ctx, session, frame, area).min(area.height);
        let rest = Rect { y: area.y + used, height: area.height - used, ..area };
        if rest.height >= 4 {
            self.draw_events(ctx, frame, rest);
        }
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        self.sync(ctx)?;
        if self.scroll.act(action, self.events.len()).is_some() {
            return Some(self.moved());
        }
        match action {
            Action::Open => {
                let mut effects = self.moved();
                effects.push(Effect::Go(ScreenId::Timeline));
                Some(effects)
            }
            _ => None,
        }
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        if self.sync(ctx).is_none() {
            return Vec::new();
        }
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) if self.list.contains(at) => {
                let Some(line) = self.scroll.line_at(at.y - self.list.y, self.events.len()) else {
                    return Vec::new();
                };
                self.scroll.selected = line;
                match mouse {
                    Mouse::DoubleClick(_) => self.act(Action::Open, ctx).unwrap_or_default(),
                    _ => self.moved(),
                }
            }
            Mouse::Wheel { lines, .. } => {
                self.scroll.wheel(lines, self.events.len());
                self.moved()
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::Open,
            Action::Down,
            Action::Go(ScreenId::Timeline),
            Action::Go(ScreenId::Flow),
            Action::NextFinding,
        ]
    }

    fn copies(&self, ctx: &Ctx<'_>) -> Vec<(String, String)> {
        let Some(event) = self.events.get(self.scroll.selected) else { return Vec::new() };
        let text = format!("{:.6} {} {}", ctx.seconds(event.time), event.name, event.detail);
        vec![("the event".into(), text.trim_end().to_owned())]
    }
}
