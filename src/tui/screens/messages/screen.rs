//! The three panes together.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::hex::HexPane;
use super::table::TablePane;
use super::tree::TreePane;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Picked, Screen, ScreenId};
use crate::tui::screens::field_value;
use crate::tui::view::widgets::row_at;

/// A pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Pane {
    #[default]
    Table,
    Tree,
    Hex,
}

/// The screen.
#[derive(Debug, Default)]
pub(in crate::tui::screens) struct Messages {
    pane: Pane,
    maximized: bool,
    table: TablePane,
    tree: TreePane,
    hex: HexPane,
    /// The message that tree and bytes are about.
    shown: Option<(u32, usize)>,
}

impl Messages {
    /// Another message: tree and bytes begin anew.
    fn follow(&mut self, ctx: &Ctx<'_>) {
        let now = ctx.detail.map(|detail| (detail.session, detail.row));
        if now != self.shown {
            self.shown = now;
            self.tree.reset();
            self.hex.reset();
        }
    }

    /// Selects in the bytes what is selected in the tree.
    fn tree_to_hex(&mut self, ctx: &Ctx<'_>) {
        if let Some(detail) = ctx.detail
            && let Some(line) = self.tree.line(detail)
        {
            self.hex.select(line.range.clone());
        }
    }

    /// Selects in the tree what the byte belongs to.
    fn hex_to_tree(&mut self, ctx: &Ctx<'_>) {
        if let Some(detail) = ctx.detail
            && let Some(byte) = self.hex.byte()
        {
            let field = detail.field_at(byte);
            self.tree.select(field, detail);
            let range = field.and_then(|at| detail.fields.lines().get(at));
            self.hex.highlight(range.map(|line| line.range.clone()));
        }
    }

    fn areas(&self, area: Rect) -> [Rect; 3] {
        let none = Rect { height: 0, ..area };
        if self.maximized {
            return match self.pane {
                Pane::Table => [area, none, none],
                Pane::Tree => [none, area, none],
                Pane::Hex => [none, none, area],
            };
        }
        let top = (area.height * 45 / 100).max(6);
        let table = Rect { height: top, ..area };
        let below = Rect { y: area.y + top, height: area.height - top, ..area };
        let hex = HexPane::width(area.width);
        let tree = Rect { width: area.width - hex, ..below };
        let hex = Rect { x: below.x + tree.width, width: hex, ..below };
        [table, tree, hex]
    }

    fn turn(&mut self, by: usize) {
        const PANES: [Pane; 3] = [Pane::Table, Pane::Tree, Pane::Hex];
        let at = PANES.iter().position(|pane| *pane == self.pane).unwrap_or(0);
        self.pane = PANES[(at + by) % PANES.len()];
    }
}

impl Screen for Messages {
    fn id(&self) -> ScreenId {
        ScreenId::Messages
    }

    fn wants_detail(&self) -> bool {
        !(self.maximized && self.pane == Pane::Table)
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        self.follow(ctx);
        let [table, tree, hex] = self.areas(area);
        let focus = |pane| ctx.focused && self.pane == pane;
        let focus = [focus(Pane::Table), focus(Pane::Tree), focus(Pane::Hex)];
        if table.height > 0 {
            self.table.draw(ctx, frame, table, focus[0]);
        }
        if tree.height > 0 {
            self.tree.draw(ctx, frame, tree, focus[1]);
        }
        if hex.height > 0 {
            self.hex.draw(ctx, frame, hex, focus[2]);
        }
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        self.follow(ctx);
        match action {
            Action::NextPane => self.turn(1),
            Action::PreviousPane => self.turn(2),
            Action::Maximize => self.maximized = !self.maximized,
            Action::Raw => self.hex.toggle_raw(),
            Action::Fold if self.pane == Pane::Tree => self.tree.fold(ctx),
            Action::FoldAll => self.tree.fold_all(ctx),
            Action::Pick => {
                let (session, row) = (ctx.shared.session, ctx.shared.cursor.row);
                return Some(vec![Effect::Pick(Picked { session, row })]);
            }
            Action::Open if self.pane == Pane::Table => self.pane = Pane::Tree,
            Action::Open if self.pane == Pane::Tree => self.tree.fold(ctx),
            Action::Back if self.pane != Pane::Table || self.maximized => {
                self.maximized = false;
                self.pane = Pane::Table;
            }
            _ => {
                let effects = match self.pane {
                    Pane::Table => return self.table.act(action, ctx),
                    Pane::Tree => self.tree.act(action, ctx),
                    Pane::Hex => self.hex.act(action, ctx),
                };
                if !effects {
                    return None;
                }
                match self.pane {
                    Pane::Tree => self.tree_to_hex(ctx),
                    _ => self.hex_to_tree(ctx),
                }
            }
        }
        Some(Vec::new())
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        self.follow(ctx);
        let at = match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) => at,
            Mouse::Wheel { at, .. } => at,
            Mouse::Drag { .. } | Mouse::Drop { .. } => return Vec::new(),
        };
        let hit = |area: Rect| row_at(area, at);
        if let Some(y) = hit(self.table.area) {
            if let Mouse::Wheel { lines, .. } = mouse {
                return self.table.step(ctx, lines as isize);
            }
            self.pane = Pane::Table;
            return self.table.click(ctx, y);
        }
        if let Some(y) = hit(self.tree.area) {
            if let Mouse::Wheel { lines, .. } = mouse {
                self.tree.step(ctx, lines as isize);
            } else {
                self.pane = Pane::Tree;
                self.tree.click(ctx, y, matches!(mouse, Mouse::DoubleClick(_)));
            }
            self.tree_to_hex(ctx);
            return Vec::new();
        }
        if hit(self.hex.area).is_some() {
            if let Mouse::Wheel { lines, .. } = mouse {
                self.hex.scroll(ctx, lines as isize);
            } else {
                self.pane = Pane::Hex;
                if self.hex.click(ctx, at) {
                    self.hex_to_tree(ctx);
                }
            }
        }
        Vec::new()
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        match self.pane {
            Pane::Table => vec![
                Action::Open,
                Action::NextPane,
                Action::FollowReply,
                Action::NextKeyFrame,
                Action::TimeFormat,
                Action::Search,
                Action::Copy,
            ],
            Pane::Tree => {
                vec![Action::NextPane, Action::Fold, Action::Maximize, Action::Raw, Action::Copy]
            }
            Pane::Hex => vec![Action::NextPane, Action::Raw, Action::Maximize, Action::Copy],
        }
    }

    fn copies(&self, ctx: &Ctx<'_>) -> Vec<(String, String)> {
        let Some(detail) = ctx.detail else { return Vec::new() };
        let mut all = Vec::new();
        let line = self.tree.line(detail);
        if let Some(line) = line {
            let value = match field_value(line).trim_matches('"') {
                "" => line.meaning.clone().unwrap_or_default(),
                value => value.to_owned(),
            };
            if !value.is_empty() {
                all.push((format!("value of {}", line.name), value));
            }
        }
        let range = line.map_or(0..detail.payload.len(), |line| line.range.clone());
        let hex = super::hex::digits(detail, range);
        if !hex.is_empty() {
            all.push(("bytes as hex".into(), hex));
        }
        all.push(("the message in words".into(), detail.words.clone()));
        if !detail.frames.is_empty() {
            all.push(("frame numbers".into(), detail.frame_list()));
        }
        all
    }
}
