//! Sums over runs of rows, at a cost that does not depend on their number.

use std::ops::Range;

use super::axis::{Clock, Window};
use super::commands::{CommandSpan, Commands};
use super::step::State;
use super::summary::Summary;
use crate::analysis::index::{Interner, MediaKind, Row, SessionIndex};
use crate::base::Timestamp;
use crate::wire::message::MessageType;

/// Rows in a block: what a query may have to go through again at either end.
const BLOCK: usize = 128;
/// Blocks, or sums of blocks, in a sum of the next level.
const FAN: usize = 16;

/// A session on a time axis; see the [module](super).
#[derive(Clone, Debug)]
pub struct Lanes {
    clock: Clock,
    /// Rows taken in.
    rows: usize,
    /// On the RTMP clock: place of each row on the axis, and the rows in that order.
    keys: Vec<i64>,
    order: Vec<u32>,
    /// Where the last coded frame stands: on the axis, and in capture time.
    anchor: Option<(i64, i64)>,
    /// The clock that `keys` come from, in the order of capture.
    unwrap: State,
    /// State before each block, and after the last whole one.
    states: Vec<State>,
    /// `levels[0]` holds whole blocks, `levels[n + 1]` sums of `FAN` of `levels[n]`.
    levels: Vec<Vec<Summary>>,
    commands: Commands,
    /// Rows of protocol control and user control messages.
    controls: Vec<u32>,
    /// Rows of coded key frames.
    keys_video: Vec<u32>,
}

impl Lanes {
    /// Nothing yet, on that clock.
    pub fn new(clock: Clock) -> Lanes {
        Lanes {
            clock,
            rows: 0,
            keys: Vec::new(),
            order: Vec::new(),
            anchor: None,
            unwrap: State::default(),
            states: vec![State::default()],
            levels: Vec::new(),
            commands: Commands::default(),
            controls: Vec::new(),
            keys_video: Vec::new(),
        }
    }

    /// Which clock the axis shows.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Takes in the rows that the session has got since the last call. Call it before anything
    /// else, always with the same session.
    pub fn update(&mut self, session: &SessionIndex, strings: &Interner) {
        // An index that was read again from the beginning, with secrets shown for example.
        if session.rows.len() < self.rows {
            *self = Lanes::new(self.clock);
        }
        let new = self.rows..session.rows.len();
        if new.is_empty() {
            return;
        }
        for number in new.clone() {
            let Some(row) = session.rows.get(number) else { break };
            match row.type_id {
                MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                    self.commands.push(number, row);
                }
                MessageType::VIDEO if row.media == MediaKind::Key => {
                    self.keys_video.push(number as u32);
                }
                kind if kind.is_control() => self.controls.push(number as u32),
                _ => {}
            }
        }
        if self.clock == Clock::Rtmp {
            self.place(session, new.clone());
        }
        self.rows = new.end;
        self.build(session, strings);
    }

    /// Gives rows their place on the RTMP clock.
    fn place(&mut self, session: &SessionIndex, new: Range<usize>) {
        let mut least = i64::MAX;
        for number in new.clone() {
            let Some(row) = session.rows.get(number) else { break };
            let time = row.time.0;
            let key = if row.media.is_coded() {
                let key = self.unwrap.unwrap(row).0.saturating_mul(1_000_000);
                if self.anchor.is_none() {
                    // What came before media stands as far before it as it came earlier.
                    for (key_before, row) in self.keys.iter_mut().zip(&session.rows) {
                        *key_before = key.saturating_sub(time.saturating_sub(row.time.0));
                    }
                    least = i64::MIN;
                }
                self.anchor = Some((key, time));
                key
            } else {
                let (key, since) = self.anchor.unwrap_or((0, session.session.time.0));
                key.saturating_add(time.saturating_sub(since))
            };
            least = least.min(key);
            self.keys.push(key);
            self.order.push(number as u32);
        }
        let keys = &self.keys;
        let key = |row: &u32| keys.get(*row as usize).copied().unwrap_or(0);
        let from =
            self.order.get(..new.start).unwrap_or_default().partition_point(|r| key(r) <= least);
        if let Some(tail) = self.order.get_mut(from..) {
            // Stable and fast on runs that are in order, which media nearly is.
            tail.sort_by_key(key);
        }
        let blocks = from / BLOCK;
        self.states.truncate(blocks + 1);
        let mut whole = blocks;
        for level in &mut self.levels {
            level.truncate(whole);
            whole /= FAN;
        }
    }

    /// Sums up blocks that have become whole.
    fn build(&mut self, session: &SessionIndex, strings: &Interner) {
        while self.states.len() * BLOCK <= self.rows {
            let block = self.states.len() - 1;
            let mut state = self.states.last().copied().unwrap_or_default();
            let mut sum = Summary::default();
            for position in block * BLOCK..(block + 1) * BLOCK {
                self.step(&mut state, &mut sum, session, strings, position);
            }
            self.states.push(state);
            let mut level = 0;
            loop {
                if self.levels.len() <= level {
                    self.levels.push(Vec::new());
                }
                let Some(sums) = self.levels.get_mut(level) else { break };
                sums.push(sum);
                if !sums.len().is_multiple_of(FAN) {
                    break;
                }
                sum = Summary::default();
                for part in sums.iter().skip(sums.len() - FAN) {
                    sum.merge(part);
                }
                level += 1;
            }
        }
    }

    fn step(
        &self,
        state: &mut State,
        sum: &mut Summary,
        session: &SessionIndex,
        strings: &Interner,
        position: usize,
    ) {
        let Some(number) = self.row_at(position) else { return };
        let Some(row) = session.rows.get(number) else { return };
        let axis = (self.at(number, row), self.clock == Clock::Capture);
        state.step(sum, session, strings, row, axis);
    }

    /// The row at a position of the axis' order.
    pub fn row_at(&self, position: usize) -> Option<usize> {
        match self.clock {
            Clock::Capture => (position < self.rows).then_some(position),
            Clock::Rtmp => self.order.get(position).map(|row| *row as usize),
        }
    }

    /// Place of a row on the axis.
    pub fn at(&self, number: usize, row: &Row) -> i64 {
        match self.clock {
            Clock::Capture => row.time.0,
            Clock::Rtmp => self.keys.get(number).copied().unwrap_or(0),
        }
    }

    /// Place of a moment of the capture on the axis.
    pub fn moment(&self, session: &SessionIndex, time: Timestamp) -> i64 {
        if self.clock == Clock::Capture {
            return time.0;
        }
        let rows = session.rows.get(..self.rows).unwrap_or_default();
        let after = rows.partition_point(|row| row.time <= time);
        let number = after.saturating_sub(1);
        match rows.get(number) {
            Some(row) => self.at(number, row).saturating_add(time.nanos_since(row.time)),
            None => time.nanos_since(session.session.time),
        }
    }

    /// All of the session.
    pub fn extent(&self, session: &SessionIndex) -> Window {
        match self.clock {
            Clock::Capture => Window::new(
                session.session.time.0,
                session.last.0.max(session.session.time.0).saturating_add(1),
            ),
            Clock::Rtmp => {
                let key = |row: Option<&u32>| row.and_then(|row| self.keys.get(*row as usize));
                let from = key(self.order.first()).copied().unwrap_or(0);
                let to = key(self.order.last()).copied().unwrap_or(0);
                let start = self.moment(session, session.session.time);
                Window::new(
                    from.min(start),
                    to.max(self.moment(session, session.last)).saturating_add(1),
                )
            }
        }
    }

    /// Positions whose place lies within a window.
    pub fn positions(&self, session: &SessionIndex, window: Window) -> Range<usize> {
        let before = |at: i64| match self.clock {
            Clock::Capture => {
                let rows = session.rows.get(..self.rows).unwrap_or_default();
                rows.partition_point(|row| row.time.0 < at)
            }
            Clock::Rtmp => self
                .order
                .partition_point(|row| self.keys.get(*row as usize).is_some_and(|key| *key < at)),
        };
        let from = before(window.from);
        from..before(window.to).max(from)
    }

    /// What the rows at a range of positions come to.
    pub fn sum(
        &self,
        session: &SessionIndex,
        strings: &Interner,
        positions: Range<usize>,
    ) -> Summary {
        let mut sum = Summary::default();
        let end = positions.end.min(self.rows);
        let first = positions.start.div_ceil(BLOCK);
        let last = end / BLOCK;
        if first >= last {
            self.walk(session, strings, positions.start..end, &mut sum);
            return sum;
        }
        self.walk(session, strings, positions.start..first * BLOCK, &mut sum);
        self.blocks(first, last, 0, &mut sum);
        self.walk(session, strings, last * BLOCK..end, &mut sum);
        sum
    }

    /// Bytes in flight and windows before a position.
    pub fn state(&self, session: &SessionIndex, strings: &Interner, position: usize) -> State {
        let position = position.min(self.rows);
        let block = (position / BLOCK).min(self.states.len().saturating_sub(1));
        let mut state = self.states.get(block).copied().unwrap_or_default();
        let mut sum = Summary::default();
        for position in block * BLOCK..position {
            self.step(&mut state, &mut sum, session, strings, position);
        }
        state
    }

    /// Row by row, from the beginning of the block since the state is known there.
    fn walk(
        &self,
        session: &SessionIndex,
        strings: &Interner,
        positions: Range<usize>,
        sum: &mut Summary,
    ) {
        if positions.is_empty() {
            return;
        }
        let mut state = self.state(session, strings, positions.start);
        for position in positions {
            self.step(&mut state, sum, session, strings, position);
        }
    }

    /// Sums `from..to` of a level, in order, by the highest levels that fit.
    fn blocks(&self, from: usize, to: usize, level: usize, sum: &mut Summary) {
        let sums = self.levels.get(level).map_or(&[][..], Vec::as_slice);
        let first = from.div_ceil(FAN);
        let last = to / FAN;
        if first >= last || level + 1 >= self.levels.len() {
            sums.iter().take(to).skip(from).for_each(|part| sum.merge(part));
            return;
        }
        sums.iter().take(first * FAN).skip(from).for_each(|part| sum.merge(part));
        self.blocks(first, last, level + 1, sum);
        sums.iter().take(to).skip(last * FAN).for_each(|part| sum.merge(part));
    }

    /// Commands that touch a window, the first `limit` of them.
    pub fn commands(
        &self,
        session: &SessionIndex,
        strings: &Interner,
        window: Window,
        limit: usize,
    ) -> Vec<CommandSpan> {
        self.commands.within(session, strings, window, |n, row| self.at(n, row), limit)
    }

    /// The command and the reply that a row is one of.
    pub fn exchange(&self, row: usize) -> Option<(usize, Option<usize>)> {
        self.commands.of(row)
    }

    /// Row numbers of the key frames, ascending.
    pub fn key_frames(&self) -> &[u32] {
        &self.keys_video
    }

    /// Row number of the last message whose place on the axis is not after `at`.
    pub fn last_row(&self, session: &SessionIndex, at: i64) -> Option<usize> {
        let window = Window { from: i64::MIN, to: at.saturating_add(1) };
        self.row_at(self.positions(session, window).end.checked_sub(1)?)
    }

    /// Row numbers of control messages within a window, the first `limit` of them.
    pub fn controls(&self, session: &SessionIndex, window: Window, limit: usize) -> Vec<usize> {
        let numbers = self.controls.iter().map(|number| *number as usize);
        let within = numbers.filter(|number| {
            session.rows.get(*number).is_some_and(|row| window.contains(self.at(*number, row)))
        });
        within.take(limit).collect()
    }
}
