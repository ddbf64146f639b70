//! Where the cursor and what is in sight go.

use super::screen::Timeline;
use crate::analysis::index::SessionIndex;
use crate::analysis::lanes::{Clock, Window};
use crate::base::Timestamp;
use crate::tui::contract::{Ctx, Effect, Window as TimeWindow};

impl Timeline {
    /// Brings another stretch into sight.
    pub(super) fn show(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        window: Window,
    ) -> Vec<Effect> {
        self.followed = None;
        let whole = self.lanes.extent(session);
        let window = window.within(whole);
        let chosen = (window != whole).then_some(window);
        match self.lanes.clock() {
            Clock::Rtmp => {
                self.rtmp = chosen;
                Vec::new()
            }
            Clock::Capture => {
                let chosen =
                    chosen.map(|w| TimeWindow { from: Timestamp(w.from), to: Timestamp(w.to) });
                if ctx.shared.window == chosen {
                    return Vec::new();
                }
                vec![Effect::Window(chosen)]
            }
        }
    }

    /// Place of the cursor on the axis; the window's beginning before anything was chosen.
    pub(super) fn at(&self, ctx: &Ctx<'_>, session: &SessionIndex, window: Window) -> i64 {
        match ctx.shared.cursor.time {
            Some(time) => self.lanes.moment(session, time),
            None => window.from,
        }
    }

    /// The cursor goes to a place on the axis.
    pub(super) fn go(&self, session: &SessionIndex, at: i64) -> Vec<Effect> {
        match self.lanes.clock() {
            Clock::Capture => vec![Effect::Time(Timestamp(at))],
            Clock::Rtmp => self.lanes.last_row(session, at).map(Effect::Row).into_iter().collect(),
        }
    }

    /// The cursor goes to a row, and what is in sight goes along.
    pub(super) fn go_row(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        number: usize,
    ) -> Vec<Effect> {
        let Some(row) = session.rows.get(number) else { return Vec::new() };
        let at = self.lanes.at(number, row);
        let window = self.window(ctx, session);
        let mut effects = vec![Effect::Row(number)];
        if !window.contains(at) {
            effects.extend(self.show(
                ctx,
                session,
                window.shift(at - window.from - window.len() / 2),
            ));
        }
        effects
    }

    /// Moves the cursor by columns; at the edge the axis moves.
    pub(super) fn step(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        columns: i64,
    ) -> Vec<Effect> {
        let window = self.window(ctx, session);
        let whole = self.lanes.extent(session);
        let width = i64::from(self.plot.width.max(1));
        let at = self.at(ctx, session, window);
        let column = window.column(at, width as usize) as i64 + columns;
        let mut window = window;
        let mut effects = Vec::new();
        if column < 0 || column >= width {
            window = window.shift(window.len() / width * columns).within(whole);
            effects = self.show(ctx, session, window);
        }
        let column = column.clamp(0, width - 1) as usize;
        effects.extend(self.go(session, window.edge(column, width as usize)));
        effects
    }

    pub(super) fn pan(&mut self, ctx: &Ctx<'_>, session: &SessionIndex, by: i64) -> Vec<Effect> {
        let window = self.window(ctx, session);
        let to = window.shift(by).within(self.lanes.extent(session));
        let at = self.at(ctx, session, window);
        let mut effects = self.show(ctx, session, to);
        if !to.contains(at) {
            effects.extend(self.go(session, at.clamp(to.from, to.to - 1)));
        }
        effects
    }

    pub(super) fn zoom(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        factor: f64,
        at: i64,
    ) -> Vec<Effect> {
        let window = self.window(ctx, session);
        let at = at.clamp(window.from, window.to);
        self.show(ctx, session, window.zoom(at, factor))
    }

    /// The key frame after (or before) the cursor.
    pub(super) fn key_frame(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        forward: bool,
    ) -> Vec<Effect> {
        let here = ctx.shared.cursor.row.unwrap_or(0) as u32;
        let keys = self.lanes.key_frames();
        let found = match forward {
            true => keys.get(keys.partition_point(|row| *row <= here)),
            false => {
                keys.partition_point(|row| *row < here).checked_sub(1).and_then(|n| keys.get(n))
            }
        };
        match found.copied() {
            Some(row) => self.go_row(ctx, session, row as usize),
            None => vec![Effect::Status("no further key frame".into())],
        }
    }

    /// From a command to its reply and back.
    pub(super) fn follow(&mut self, ctx: &Ctx<'_>, session: &SessionIndex) -> Vec<Effect> {
        let Some(here) = ctx.shared.cursor.row else { return Vec::new() };
        match self.lanes.exchange(here) {
            Some((request, Some(reply))) => {
                let to = if here == request { reply } else { request };
                self.go_row(ctx, session, to)
            }
            Some((_, None)) => vec![Effect::Status("no reply to this in the capture".into())],
            None => vec![Effect::Status("not a command: move to one first".into())],
        }
    }

    /// The gap or anomaly after (or before) the cursor.
    pub(super) fn odd(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        forward: bool,
    ) -> Vec<Effect> {
        let here = ctx.shared.cursor.time.unwrap_or(session.session.time);
        let gaps = session.gaps.iter().map(|gap| gap.time);
        let times = gaps.chain(session.anomalies.iter().filter_map(|anomaly| anomaly.time));
        let found = match forward {
            true => times.filter(|time| *time > here).min(),
            false => times.filter(|time| *time < here).max(),
        };
        let Some(time) = found else {
            return vec![Effect::Status("nothing odd further on".into())];
        };
        let window = self.window(ctx, session);
        let at = self.lanes.moment(session, time);
        let mut effects = vec![Effect::Time(time)];
        if !window.contains(at) {
            effects.extend(self.show(
                ctx,
                session,
                window.shift(at - window.from - window.len() / 2),
            ));
        }
        effects
    }
}
