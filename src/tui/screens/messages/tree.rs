//! The decoded fields.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::report::FieldLine;
use crate::tui::action::Action;
use crate::tui::contract::Ctx;
use crate::tui::detail::Detail;
use crate::tui::screens::field_value;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{fit, paint, pane, put, scroll_bar, scrolled};

/// The pane.
#[derive(Debug, Default)]
pub(super) struct TreePane {
    first: usize,
    /// Selected line, an index of the fields; `None` for none.
    selected: Option<usize>,
    /// Closed groups.
    closed: BTreeSet<usize>,
    pub(super) area: Rect,
}

impl TreePane {
    pub(super) fn reset(&mut self) {
        let area = self.area;
        *self = TreePane { area, ..TreePane::default() };
    }

    /// Fields in sight: those in no closed group.
    fn visible(&self, detail: &Detail) -> Vec<usize> {
        let lines = detail.fields.lines();
        let mut out = Vec::with_capacity(lines.len());
        let mut hidden_below = None;
        for (at, line) in lines.iter().enumerate() {
            if hidden_below.is_some_and(|depth| line.depth > depth) {
                continue;
            }
            hidden_below = self.closed.contains(&at).then_some(line.depth);
            out.push(at);
        }
        out
    }

    pub(super) fn line<'a>(&self, detail: &'a Detail) -> Option<&'a FieldLine> {
        detail.fields.lines().get(self.selected?)
    }

    /// Selects a field and opens what it is in.
    pub(super) fn select(&mut self, field: Option<usize>, detail: &Detail) {
        self.selected = field;
        let Some(field) = field else { return };
        let lines = detail.fields.lines();
        let mut depth = lines.get(field).map_or(0, |line| line.depth);
        for at in (0..field).rev() {
            let above = lines[at].depth;
            if above < depth {
                self.closed.remove(&at);
                depth = above;
            }
        }
    }

    pub(super) fn fold(&mut self, ctx: &Ctx<'_>) {
        let (Some(detail), Some(at)) = (ctx.detail, self.selected) else { return };
        if is_group(detail, at) && !self.closed.remove(&at) {
            self.closed.insert(at);
        }
    }

    pub(super) fn fold_all(&mut self, ctx: &Ctx<'_>) {
        let Some(detail) = ctx.detail else { return };
        if self.closed.is_empty() {
            let groups = (0..detail.fields.lines().len()).filter(|at| is_group(detail, *at));
            self.closed = groups.collect();
        } else {
            self.closed.clear();
        }
        // A closed group must not hide what is selected.
        if let Some(selected) = self.selected {
            let visible = self.visible(detail);
            let at = visible.partition_point(|line| *line <= selected);
            self.selected = visible.get(at.saturating_sub(1)).copied();
        }
    }

    pub(super) fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> bool {
        let page = isize::from(self.area.height.max(1) as i16);
        match action {
            Action::Up => self.step(ctx, -1),
            Action::Down => self.step(ctx, 1),
            Action::PageUp => self.step(ctx, -page),
            Action::PageDown => self.step(ctx, page),
            Action::HalfUp => self.step(ctx, -(page / 2).max(1)),
            Action::HalfDown => self.step(ctx, (page / 2).max(1)),
            Action::Top => self.step(ctx, isize::MIN),
            Action::Bottom => self.step(ctx, isize::MAX),
            Action::Left => {
                let (Some(detail), Some(at)) = (ctx.detail, self.selected) else { return true };
                if is_group(detail, at) && !self.closed.contains(&at) {
                    self.closed.insert(at);
                } else {
                    let lines = detail.fields.lines();
                    let depth = lines.get(at).map_or(0, |line| line.depth);
                    let parent = (0..at).rev().find(|above| lines[*above].depth < depth);
                    self.selected = parent.or(self.selected);
                }
            }
            Action::Right => {
                if let Some(at) = self.selected
                    && !self.closed.remove(&at)
                {
                    self.step(ctx, 1);
                }
            }
            _ => return false,
        }
        true
    }

    pub(super) fn step(&mut self, ctx: &Ctx<'_>, by: isize) {
        let Some(detail) = ctx.detail else { return };
        let visible = self.visible(detail);
        let next = match self.selected {
            Some(selected) => {
                let here = visible.partition_point(|line| *line < selected);
                here.saturating_add_signed(by)
            }
            // The first step selects the first line.
            None if by == isize::MAX => usize::MAX,
            None => 0,
        };
        self.selected = visible.get(next.min(visible.len().saturating_sub(1))).copied();
    }

    pub(super) fn click(&mut self, ctx: &Ctx<'_>, y: u16, double: bool) {
        let Some(detail) = ctx.detail else { return };
        let Some(line) = self.visible(detail).get(self.first + usize::from(y)).copied() else {
            return;
        };
        self.selected = Some(line);
        if double {
            self.fold(ctx);
        }
    }

    pub(super) fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect, focused: bool) {
        let theme = ctx.theme();
        let Some(detail) = ctx.detail else {
            self.area = pane(frame, area, "fields", focused, theme);
            return;
        };
        let frames = detail.frame_list();
        let title = if frames.is_empty() { "fields".into() } else { format!("frames {frames}") };
        let inner = pane(frame, area, &title, focused, theme);
        self.area = inner;
        let buf = frame.buffer_mut();
        let width = usize::from(inner.width);
        if let Some(trouble) = &detail.trouble {
            put(buf, inner, 0, 0, &fit(trouble, width, theme), theme.style(Role::Warning));
            return;
        }
        let visible = self.visible(detail);
        if visible.is_empty() {
            put(buf, inner, 0, 0, &fit(&detail.words, width, theme), theme.style(Role::Text));
            return;
        }
        let height = usize::from(inner.height);
        let selected = self.selected.map_or(0, |line| visible.partition_point(|at| *at < line));
        self.first = scrolled(self.first, selected, height, visible.len());
        for (y, at) in visible.iter().skip(self.first).take(height).enumerate() {
            let y = y as u16;
            let line = &detail.fields.lines()[*at];
            let glyphs = theme.glyphs();
            let mut x = line.depth.min(20) * 2;
            if is_group(detail, *at) {
                let glyph = if self.closed.contains(at) { glyphs.closed } else { glyphs.open };
                put(buf, inner, x, y, glyph, theme.style(Role::Dim));
            }
            x = put(buf, inner, x + 2, y, &line.name, theme.style(Role::Name));
            let value = field_value(line);
            if !value.is_empty() {
                let role = if line.redacted { Role::Dim } else { Role::Value };
                let room = width.saturating_sub(usize::from(x) + 1);
                x = put(buf, inner, x + 1, y, &fit(&value, room, theme), theme.style(role));
            }
            if let Some(meaning) = &line.meaning {
                let room = width.saturating_sub(usize::from(x) + 2);
                put(buf, inner, x + 2, y, &fit(meaning, room, theme), theme.style(Role::Note));
            }
            if Some(*at) == self.selected {
                let role = if focused { Role::Selected } else { Role::SelectedDim };
                paint(buf, inner, y, theme.style(role));
            }
        }
        scroll_bar(buf, area, self.first, height, visible.len(), theme);
    }
}

/// Whether other fields are inside.
fn is_group(detail: &Detail, at: usize) -> bool {
    let lines = detail.fields.lines();
    match (lines.get(at), lines.get(at + 1)) {
        (Some(line), Some(next)) => next.depth > line.depth,
        _ => false,
    }
}
