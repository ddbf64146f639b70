//! What one window shows.

use super::axis::Window;
use super::commands::CommandSpan;
use super::pyramid::Lanes;
use super::step::Flight;
use super::summary::Summary;
use super::tcp::{self, TcpColumn};
use crate::analysis::index::{Interner, SessionIndex};
use crate::base::{Direction, GapKind};

/// Most commands and control messages (each) that a view lists.
const MAX_LISTED: usize = 20_000;
/// The bitrate of a shorter column is that of the second up to its end: over a millisecond, a
/// bitrate says nothing but how large a frame is.
const RATE_WINDOW: i64 = 1_000_000_000;

/// A window of a session, cut into columns.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The window.
    pub window: Window,
    /// Its columns.
    pub columns: Vec<Column>,
    /// All columns together.
    pub total: Summary,
    /// Commands that touch it.
    pub commands: Vec<CommandSpan>,
    /// Row numbers of control messages in it.
    pub controls: Vec<usize>,
    /// What is rare: handshakes, gaps, anomalies, the end.
    pub marks: Vec<Mark>,
    /// Per direction: what was sent and acknowledged, and the window in force, at its end.
    pub flight: [Flight; 2],
    /// The same at its beginning.
    pub flight_before: [Flight; 2],
}

/// One column of a view.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// Where it begins on the axis, in nanoseconds.
    pub from: i64,
    /// Number of its first row in the order of the axis (see [`Lanes::row_at`]), or of the first
    /// one after it.
    pub position: usize,
    /// What its rows come to.
    pub sum: Summary,
    /// Bits per second of audio and of video payload; of columns shorter than a second: over the
    /// second up to its end.
    pub rate: [f64; 2],
    /// Bytes that the capture missed, and that were lost on the way.
    pub lost: [u64; 2],
    /// Anomalies.
    pub anomalies: u32,
    /// TCP.
    pub tcp: TcpColumn,
}

/// Something rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Place on the axis.
    pub at: i64,
    /// Direction it is about, if it is about one.
    pub direction: Option<Direction>,
    /// What.
    pub kind: MarkKind,
}

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The session's first packet.
    Start,
    /// A side's handshake is complete: index into `SessionIndex::handshakes`.
    Handshake(usize),
    /// Missing bytes: index into `SessionIndex::gaps`.
    Gap(usize),
    /// An anomaly: index into `SessionIndex::anomalies`.
    Anomaly(usize),
    /// The session's end.
    End,
}

impl Lanes {
    /// What a window shows in that many columns.
    pub fn view(
        &self,
        session: &SessionIndex,
        strings: &Interner,
        window: Window,
        columns: usize,
    ) -> View {
        let mut view = View {
            window,
            commands: self.commands(session, strings, window, MAX_LISTED),
            controls: self.controls(session, window, MAX_LISTED),
            marks: self.marks(session, window),
            ..View::default()
        };
        let all = self.positions(session, window);
        let mut position = all.start;
        for number in 0..columns {
            let part =
                Window { from: window.edge(number, columns), to: window.edge(number + 1, columns) };
            let positions = self.positions(session, part);
            // Rows that were captured out of order would otherwise count twice or not at all.
            let end = match number + 1 == columns {
                true => all.end,
                false => positions.end.clamp(position, all.end),
            };
            let sum = self.sum(session, strings, position..end);
            view.total.merge(&sum);
            let seconds = part.len().max(1) as f64 / 1e9;
            let rate = [sum.audio.bytes, sum.video.bytes].map(|bytes| bytes as f64 * 8.0 / seconds);
            view.columns.push(Column { from: part.from, position, sum, rate, ..Column::default() });
            position = end;
        }
        if window.len() / (columns.max(1) as i64) < RATE_WINDOW {
            self.rates(session, &mut view, all.end);
        }
        for mark in &view.marks {
            let Some(column) = view.columns.get_mut(window.column(mark.at, columns)) else {
                continue;
            };
            match mark.kind {
                MarkKind::Anomaly(_) => column.anomalies += 1,
                MarkKind::Gap(index) => {
                    if let Some(gap) = session.gaps.get(index) {
                        let kind = usize::from(gap.kind == GapKind::Network);
                        if let Some(lost) = column.lost.get_mut(kind) {
                            *lost += gap.len;
                        }
                    }
                }
                _ => {}
            }
        }
        let parts = &mut view.columns;
        let at = |time| self.moment(session, time);
        tcp::fill(session, window, columns, at, |number, change| {
            if let Some(column) = parts.get_mut(number) {
                change(&mut column.tcp);
            }
        });
        view.flight_before = self.state(session, strings, all.start).flight;
        view.flight = self.state(session, strings, all.end).flight;
        view
    }

    /// Bitrates over the second up to each column's end.
    fn rates(&self, session: &SessionIndex, view: &mut View, end: usize) {
        let bytes = |position: usize| {
            let row = self.row_at(position).and_then(|number| session.rows.get(number));
            let is =
                |kind| row.filter(|row| row.type_id == kind).map_or(0, |row| row.length.into());
            [
                is(crate::wire::message::MessageType::AUDIO),
                is(crate::wire::message::MessageType::VIDEO),
            ]
        };
        let first =
            Window { from: view.window.from.saturating_sub(RATE_WINDOW), to: view.window.from };
        let mut tail = self.positions(session, first).start;
        let mut head = tail;
        let mut sum = [0_u64; 2];
        let ends: Vec<(i64, usize)> = (view.columns.iter().skip(1).map(|c| (c.from, c.position)))
            .chain([(view.window.to, end)])
            .collect();
        for (column, (until, position)) in view.columns.iter_mut().zip(ends) {
            while head < position {
                let [audio, video] = bytes(head);
                sum[0] += audio;
                sum[1] += video;
                head += 1;
            }
            while tail < head {
                let at = self.row_at(tail).and_then(|n| Some(self.at(n, session.rows.get(n)?)));
                if at.is_none_or(|at| at >= until.saturating_sub(RATE_WINDOW)) {
                    break;
                }
                let [audio, video] = bytes(tail);
                sum[0] = sum[0].saturating_sub(audio);
                sum[1] = sum[1].saturating_sub(video);
                tail += 1;
            }
            column.rate = sum.map(|bytes| bytes as f64 * 8.0 / (RATE_WINDOW as f64 / 1e9));
        }
    }

    fn marks(&self, session: &SessionIndex, window: Window) -> Vec<Mark> {
        let mut marks = Vec::new();
        let mut add = |time, direction, kind| {
            let at = self.moment(session, time);
            if window.contains(at) {
                marks.push(Mark { at, direction, kind });
            }
        };
        add(session.session.time, None, MarkKind::Start);
        for (index, record) in session.handshakes.iter().enumerate() {
            let direction = Some(record.handshake.direction);
            add(record.handshake.time, direction, MarkKind::Handshake(index));
        }
        for (index, gap) in session.gaps.iter().enumerate() {
            add(gap.time, Some(gap.direction), MarkKind::Gap(index));
        }
        for (index, anomaly) in session.anomalies.iter().enumerate() {
            if let Some(time) = anomaly.time {
                add(time, anomaly.direction, MarkKind::Anomaly(index));
            }
        }
        if let Some(end) = &session.end {
            add(end.time, None, MarkKind::End);
        }
        marks.sort_by_key(|mark| mark.at);
        marks
    }
}
