//! The screen: tracks above, three panes below.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::configs::Configs;
use super::frames::Frames;
use super::gops::Gops;
use super::tracks;
use crate::analysis::figures::SessionFigures;
use crate::analysis::index::SessionIndex;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Screen, ScreenId};
use crate::tui::screens::chart::{cut, put};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;

/// From this width on all panes are seen at once.
const WIDE: u16 = 110;
/// Figures are made anew when so many percent more rows are there.
const GROWTH: usize = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Frames,
    Gops,
    Configs,
}

impl Pane {
    const ALL: [Pane; 3] = [Pane::Frames, Pane::Gops, Pane::Configs];

    fn title(self) -> &'static str {
        match self {
            Pane::Frames => "frames",
            Pane::Gops => "GOPs",
            Pane::Configs => "configurations",
        }
    }

    fn step(self, by: usize) -> Pane {
        let at = Pane::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Pane::ALL[(at + by) % Pane::ALL.len()]
    }
}

/// Media.
#[derive(Debug, Default)]
pub struct MediaScreen {
    frames: Frames,
    gops: Gops,
    configs: Configs,
    pane: Pane,
    /// Whether the pane has all of the screen.
    maximized: bool,
    figures: Option<SessionFigures>,
    /// Session, rows and end that the figures are of.
    made: Option<(u32, usize, bool)>,
    row: Option<usize>,
}

impl MediaScreen {
    fn sync<'a>(&mut self, ctx: &Ctx<'a>) -> Option<&'a SessionIndex> {
        let session = ctx.session()?;
        let now = (session.number(), session.rows.len(), session.end.is_some());
        let fresh = self.made.is_some_and(|(number, rows, ended)| {
            number == now.0
                && ended == now.2
                && rows <= now.1
                && now.1 - rows <= rows * GROWTH / 100
        });
        if !fresh {
            self.made = Some(now);
            self.figures = ctx.figures.session(session.number());
            if let Some(figures) = &self.figures {
                self.gops.set(figures);
                self.configs.set(ctx, session, figures);
            }
        }
        self.frames.sync(ctx, session);
        if self.row != ctx.shared.cursor.row {
            self.row = ctx.shared.cursor.row;
            let row = self.row.unwrap_or(0);
            self.frames.select(row);
            if let Some(row) = session.rows.get(row) {
                self.gops.select(row.time);
            }
        }
        Some(session)
    }

    fn list(&mut self) -> (&mut Scroll, usize) {
        match self.pane {
            Pane::Frames => (&mut self.frames.scroll, self.frames.rows.len()),
            Pane::Gops => (&mut self.gops.scroll, self.gops.lines.len()),
            Pane::Configs => (&mut self.configs.scroll, self.configs.lines.len()),
        }
    }

    /// The cursor goes where the selection of the pane is.
    fn moved(&mut self, session: &SessionIndex) -> Vec<Effect> {
        let row = match self.pane {
            Pane::Frames => self.frames.selected(),
            Pane::Gops => self.gops.selected(session),
            Pane::Configs => self.configs.selected(),
        };
        let Some(row) = row else { return Vec::new() };
        self.row = Some(row);
        if self.pane != Pane::Frames {
            self.frames.select(row);
        }
        if self.pane != Pane::Gops
            && let Some(row) = session.rows.get(row)
        {
            self.gops.select(row.time);
        }
        vec![Effect::Row(row)]
    }

    fn pane_at(&self, at: ratatui::layout::Position) -> Option<(Pane, u16)> {
        let areas = [
            (Pane::Frames, self.frames.area),
            (Pane::Gops, self.gops.area),
            (Pane::Configs, self.configs.area),
        ];
        areas
            .into_iter()
            .find(|(_, area)| area.contains(at))
            .map(|(pane, area)| (pane, at.y - area.y))
    }

    fn draw_pane(
        &mut self,
        pane: Pane,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        frame: &mut Frame<'_>,
        area: Rect,
    ) {
        let focused = pane == self.pane;
        match pane {
            Pane::Frames => self.frames.draw(ctx, session, frame, area, focused),
            Pane::Gops => self.gops.draw(ctx, frame, area, focused),
            Pane::Configs => self.configs.draw(ctx, frame, area, focused),
        }
    }

    /// The names of the panes, where only one is seen.
    fn tabs(&self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let mut x = area.x;
        for pane in Pane::ALL {
            let role = if pane == self.pane { Role::Selected } else { Role::Dim };
            let text = format!(" {} ", pane.title());
            x += put(
                frame.buffer_mut(),
                x,
                area.y,
                area.right().saturating_sub(x),
                &text,
                theme.style(role),
            );
            x += 1;
        }
    }
}

impl Screen for MediaScreen {
    fn id(&self) -> ScreenId {
        ScreenId::Media
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
        let minus = theme.glyphs().minus;
        let lines = self.figures.as_ref().map(|figures| tracks::lines(session, figures, minus));
        let lines = lines.unwrap_or_default();
        let shown = match self.maximized {
            true => 0,
            false => (lines.len() as u16).min(area.height / 3),
        };
        for (y, (role, text)) in lines.iter().take(shown.into()).enumerate() {
            let text = cut(text, area.width, theme);
            put(
                frame.buffer_mut(),
                area.x,
                area.y + y as u16,
                area.width,
                &text,
                theme.style(*role),
            );
        }
        let top = area.y + shown;
        let body = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
        if body.height < 3 {
            return;
        }
        for pane in Pane::ALL {
            match pane {
                Pane::Frames => self.frames.area = Rect::ZERO,
                Pane::Gops => self.gops.area = Rect::ZERO,
                Pane::Configs => self.configs.area = Rect::ZERO,
            }
        }
        if area.width < WIDE || self.maximized {
            self.tabs(ctx, frame, Rect { height: 1, ..body });
            let inner = Rect { y: body.y + 1, height: body.height - 1, ..body };
            self.draw_pane(self.pane, ctx, session, frame, inner);
            return;
        }
        let left = body.width * 3 / 5;
        let body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        self.draw_pane(Pane::Frames, ctx, session, frame, Rect { width: left - 1, ..body });
        let style = theme.style(Role::Border);
        for y in body.y..body.bottom() {
            put(frame.buffer_mut(), body.x + left, y, 1, theme.glyphs().vertical, style);
        }
        let x = body.x + left + 2;
        let half = body.height / 2;
        let right = Rect { x, width: body.right().saturating_sub(x), ..body };
        self.draw_pane(Pane::Gops, ctx, session, frame, Rect { height: half, ..right });
        let below = Rect { y: right.y + half, height: right.height - half, ..right };
        self.draw_pane(Pane::Configs, ctx, session, frame, below);
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let session = self.sync(ctx)?;
        let (scroll, total) = self.list();
        if scroll.act(action, total).is_some() {
            return Some(self.moved(session));
        }
        Some(match action {
            Action::NextPane => {
                self.pane = self.pane.step(1);
                Vec::new()
            }
            Action::PreviousPane => {
                self.pane = self.pane.step(2);
                Vec::new()
            }
            Action::Maximize => {
                self.maximized = !self.maximized;
                Vec::new()
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
            Mouse::Click(at) | Mouse::DoubleClick(at) => {
                let Some((pane, y)) = self.pane_at(at) else { return Vec::new() };
                self.pane = pane;
                let (scroll, total) = self.list();
                let Some(line) = scroll.line_at(y, total) else { return Vec::new() };
                scroll.selected = line;
                let mut effects = self.moved(session);
                if matches!(mouse, Mouse::DoubleClick(_)) {
                    effects.push(Effect::Go(ScreenId::Messages));
                }
                effects
            }
            Mouse::Wheel { at, lines, .. } => {
                if let Some((pane, _)) = self.pane_at(at) {
                    self.pane = pane;
                }
                let (scroll, total) = self.list();
                scroll.wheel(lines, total);
                self.moved(session)
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::NextPane,
            Action::Open,
            Action::NextKeyFrame,
            Action::PreviousKeyFrame,
            Action::Maximize,
            Action::Filter,
            Action::TimeFormat,
        ]
    }
}
