//! Each lane's picture.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::lanes::Lane;
use crate::analysis::index::{Interner, SessionIndex};
use crate::analysis::lanes::{Clock, Column, Lanes, MarkKind, Media, Span, Summary, View};
use crate::base::Direction;
use crate::flow::EndReason;
use crate::lint::{Finding, Severity};
use crate::tui::screens::chart::{self, cells, duration, put};
use crate::tui::theme::{Role, Theme};
use crate::wire::message::MessageType;

/// What the lanes are drawn from.
pub struct Picture<'a> {
    /// The session.
    pub session: &'a SessionIndex,
    /// Its strings.
    pub strings: &'a Interner,
    /// Its lanes.
    pub lanes: &'a Lanes,
    /// What is in sight.
    pub view: &'a View,
    /// Colours and glyphs.
    pub theme: &'a Theme,
    /// The direction that most media goes in.
    pub media: Direction,
    /// What was found, in all sessions.
    pub findings: &'a [Finding],
}

impl Picture<'_> {
    /// Draws a lane; `side` is the column of figures at its right, empty on a narrow terminal.
    pub fn lane(&self, buffer: &mut Buffer, lane: Lane, area: Rect, side: Rect) {
        match lane {
            Lane::Commands => {
                super::commands::draw(buffer, area, self.theme, self.view, self.strings);
            }
            Lane::Control => self.control(buffer, area),
            Lane::Video => self.video(buffer, area),
            Lane::Audio => self.audio(buffer, area),
            Lane::Offset => self.span(buffer, area, |sum| sum.av_offset, 100.0),
            Lane::Late => self.span(buffer, area, |sum| sum.lateness, 250.0),
            Lane::Rate => self.rate(buffer, area),
            Lane::Flight => self.flight(buffer, area),
            Lane::Tcp => self.tcp(buffer, area),
            Lane::Findings => self.odd(buffer, area),
        }
        for (line, text) in self.figures(lane).into_iter().enumerate().take(side.height.into()) {
            let style = self.theme.style(if line == 0 { Role::Text } else { Role::Dim });
            put(buffer, side.x, side.y + line as u16, side.width, &text, style);
        }
    }

    fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    fn sum(&self, column: usize) -> Option<&Summary> {
        self.view.columns.get(column).map(|column| &column.sum)
    }

    fn column(&self, at: i64) -> u16 {
        self.view.window.column(at, self.view.columns.len()) as u16
    }

    /// One letter a column, the most telling one.
    fn control(&self, buffer: &mut Buffer, area: Rect) {
        let mut letters: Vec<(u8, &str, Role)> = vec![(0, " ", Role::Control); area.width.into()];
        let mut offer = |column: u16, letter: (u8, &'static str, Role)| {
            if let Some(held) = letters.get_mut(usize::from(column))
                && held.0 < letter.0
            {
                *held = letter;
            }
        };
        for number in &self.view.controls {
            let Some(row) = self.session.rows.get(*number) else { continue };
            let letter = control_letter(row.type_id, self.strings.get(row.label));
            offer(self.column(self.lanes.at(*number, row)), letter);
        }
        for mark in &self.view.marks {
            if let MarkKind::Handshake(index) = mark.kind {
                let valid = self
                    .session
                    .handshakes
                    .get(index)
                    .is_none_or(|h| h.handshake.complete && h.handshake.valid != Some(false));
                let role = if valid { Role::Good } else { Role::Error };
                offer(self.column(mark.at), (9, "H", role));
            }
        }
        for (column, (_, letter, role)) in letters.into_iter().enumerate() {
            put(buffer, area.x + column as u16, area.y, 1, letter, self.style(role));
        }
    }

    fn video(&self, buffer: &mut Buffer, area: Rect) {
        let heads = Rect { height: area.height.min(1), ..area };
        let body = Rect { y: area.y + heads.height, height: area.height - heads.height, ..area };
        self.frames(buffer, body, |sum| &sum.video, Role::Video);
        // Key frames, and between two of them the length of the GOP if there is room.
        let numbers = self.lanes.key_frames();
        let at = |number: &u32| {
            let row = self.session.rows.get(*number as usize);
            row.map_or(i64::MIN, |row| self.lanes.at(*number as usize, row))
        };
        // On the capture clock they are in order, and a stream of key frames only has a million.
        let near = match self.lanes.clock() {
            Clock::Capture => {
                let from = numbers.partition_point(|number| at(number) < self.view.window.from);
                let to = numbers.partition_point(|number| at(number) < self.view.window.to);
                from..(to + 1).min(numbers.len())
            }
            Clock::Rtmp => 0..numbers.len(),
        };
        let mut keys: Vec<i64> = numbers.get(near).unwrap_or_default().iter().map(at).collect();
        // On the RTMP clock a stream that began again goes back.
        keys.sort_unstable();
        let from = keys.partition_point(|at| *at < self.view.window.from);
        let to = keys.partition_point(|at| *at < self.view.window.to);
        let mut free = 0;
        for index in from..to {
            let Some(at) = keys.get(index).copied() else { break };
            let column = self.column(at);
            if column < free {
                continue;
            }
            put(buffer, heads.x + column, heads.y, 1, "K", self.style(Role::KeyFrame));
            free = column + 1;
            let Some(next) = keys.get(index + 1) else { continue };
            let text = duration(next - at);
            let end = if *next < self.view.window.to { self.column(*next) } else { area.width };
            let len = cells(&text);
            if end.saturating_sub(column) > len + 3 {
                put(buffer, heads.x + column + 2, heads.y, len, &text, self.style(Role::Dim));
                free = column + 3 + len;
            }
        }
    }

    fn audio(&self, buffer: &mut Buffer, area: Rect) {
        self.frames(buffer, area, |sum| &sum.audio, Role::Audio);
    }

    /// Bytes per column; where frames stopped for long, shade and the length of the gap.
    fn frames(&self, buffer: &mut Buffer, area: Rect, of: impl Fn(&Summary) -> &Media, role: Role) {
        let media = |column: usize| self.sum(column).map_or_else(Media::default, |sum| *of(sum));
        let most = (0..self.view.columns.len()).map(|c| media(c).bytes).max().unwrap_or(0);
        let root = |value: u64| (value as f64).sqrt();
        let style = |column: usize| match media(column).keys {
            0 => self.style(role),
            _ => self.style(Role::KeyFrame),
        };
        // The root, so that inter frames are seen beside a key frame ten times as large.
        chart::bars(buffer, area, self.theme, root(most), |c| root(media(c).bytes), style);
        let shade = self.theme.glyphs().shades[0];
        for (from, to, gap) in self.gaps(&of) {
            let y = area.bottom().saturating_sub(1);
            for column in from..to {
                put(buffer, area.x + column, y, 1, shade, self.style(Role::Gap));
            }
            let text = format!("gap {}", duration(gap));
            let len = cells(&text);
            if to - from > len + 1 {
                let x = area.x + from + (to - from - len) / 2;
                put(buffer, x, y, len, &text, self.style(Role::Gap));
            }
        }
    }

    /// Columns without frames in which a frame was due: from, to, and the whole gap.
    pub(super) fn gaps(&self, of: impl Fn(&Summary) -> &Media) -> Vec<(u16, u16, i64)> {
        let frames = |sum: &Summary| of(sum).frames;
        let total = of(&self.view.total);
        let usual = self.view.window.len() / i64::from(total.frames.max(1));
        // Four frames late is no jitter; below 150 ms nobody notices.
        let limit = usual.saturating_mul(4).max(150_000_000);
        let mut gaps = Vec::new();
        let mut empty_since = 0;
        for (number, column) in self.view.columns.iter().enumerate() {
            if frames(&column.sum) == 0 {
                continue;
            }
            let gap = of(&column.sum).max_gap;
            if gap > limit && empty_since < number {
                gaps.push((empty_since as u16, number as u16, gap));
            }
            empty_since = number + 1;
        }
        gaps
    }

    /// A line for a value that may be on either side of zero; beyond `alarm` it is a warning.
    fn span(&self, buffer: &mut Buffer, area: Rect, of: impl Fn(&Summary) -> Span, alarm: f64) {
        let (low, high) = scale(of(&self.view.total));
        // Columns without media hold the value, so that the line does not break up when zoomed in.
        let mut held = None;
        let values: Vec<(Option<f64>, bool)> = (self.view.columns.iter())
            .map(|column| {
                let span = of(&column.sum);
                let value = (span.count > 0).then(|| (span.min as f64 + span.max as f64) / 2.0);
                held = value.or(held);
                (held, value.is_some())
            })
            .collect();
        let at = |column: usize| values.get(column).copied().unwrap_or((None, false));
        let value = |column: usize| at(column).0.map(|value| (value, value));
        let style = |column: usize| match at(column) {
            (_, false) => self.style(Role::Dim),
            (Some(value), _) if value.abs() > alarm => self.style(Role::Warning),
            _ => self.style(Role::Text),
        };
        chart::line(buffer, area, self.theme, (low, high), value, style);
    }

    /// Video above audio, in one bar: what is audio is drawn in its colour.
    fn rate(&self, buffer: &mut Buffer, area: Rect) {
        let rate = |column: usize| self.view.columns.get(column).map_or([0.0; 2], |c| c.rate);
        let all = |column: usize| rate(column)[0] + rate(column)[1];
        let most = (0..self.view.columns.len()).map(all).fold(0.0, f64::max);
        let role = |column: usize| match rate(column) {
            [audio, video] if audio > video => Role::Audio,
            _ => Role::Video,
        };
        chart::bars(buffer, area, self.theme, most, all, |c| self.style(role(c)));
        // The cells that audio fills take its colour.
        for column in 0..area.width {
            let audio = rate(usize::from(column))[0];
            let cells = (audio / most.max(1.0) * f64::from(area.height)).floor() as u16;
            for up in 0..cells.min(area.height) {
                if let Some(cell) = buffer.cell_mut((area.x + column, area.bottom() - 1 - up)) {
                    cell.set_style(self.style(Role::Audio));
                }
            }
        }
    }

    /// Bytes that the peer has not acknowledged, against the window.
    fn flight(&self, buffer: &mut Buffer, area: Rect) {
        let way = self.media.index();
        let window = self.view.flight[way].window.map_or(0.0, f64::from);
        let mut held = self.view.flight_before[way].bytes().unwrap_or(0) as f64;
        let values: Vec<f64> = (self.view.columns.iter())
            .map(|column| {
                let span = column.sum.flight[way];
                let most = if span.count > 0 { span.max.max(0) as f64 } else { held };
                held = span.last().map_or(held, |last| last.max(0) as f64);
                most
            })
            .collect();
        let flight = |column: usize| values.get(column).copied().unwrap_or(0.0);
        let most = (0..self.view.columns.len()).map(flight).fold(0.0, f64::max);
        let style = |column: usize| match flight(column) > window && window > 0.0 {
            true => self.style(Role::Warning),
            false => self.style(Role::Data),
        };
        // A window that is hardly used would flatten everything.
        let top = if most > window / 8.0 { most.max(window) } else { most };
        chart::bars(buffer, area, self.theme, top, flight, style);
    }

    /// Letters; below them, if there is room, the bytes in flight by TCP's own acknowledgements.
    fn tcp(&self, buffer: &mut Buffer, area: Rect) {
        let end = self.view.marks.iter().rfind(|mark| mark.kind == MarkKind::End);
        let end = end.map(|mark| usize::from(self.column(mark.at)));
        for (number, column) in self.view.columns.iter().enumerate() {
            if let Some((letter, role)) = self.tcp_letter(end == Some(number), column) {
                put(buffer, area.x + number as u16, area.y, 1, letter, self.style(role));
            }
        }
        if area.height < 2 {
            return;
        }
        let way = self.media.index();
        let flight = |c: usize| self.view.columns.get(c).and_then(|c| c.tcp.in_flight[way]);
        let most = (0..self.view.columns.len()).filter_map(flight).max().unwrap_or(0);
        let style = |c: usize| match self.view.columns.get(c).map(|c| c.tcp.zero_window[way]) {
            Some(true) => self.style(Role::Warning),
            _ => self.style(Role::Dim),
        };
        let bars = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let value = |c: usize| flight(c).unwrap_or(0) as f64;
        chart::bars(buffer, bars, self.theme, most as f64, value, style);
    }

    /// The most telling letter of a column.
    fn tcp_letter(&self, ends: bool, column: &Column) -> Option<(&'static str, Role)> {
        let tcp = &column.tcp;
        let reason = self.session.end.as_ref().filter(|_| ends).map(|end| end.reason);
        Some(match reason {
            _ if column.lost[1] > 0 => ("x", Role::Error),
            _ if column.lost[0] > 0 => (self.theme.glyphs().gap, Role::Gap),
            Some(EndReason::Reset(_)) => ("R", Role::Error),
            _ if tcp.reset != [false; 2] => ("R", Role::Error),
            _ if tcp.fin != [false; 2] => ("F", Role::Note),
            Some(EndReason::Fin(_)) => ("F", Role::Note),
            _ if tcp.zero_window != [false; 2] => ("0", Role::Error),
            _ if tcp.retransmissions > 0 => ("r", Role::Warning),
            _ if tcp.out_of_order > 0 => ("o", Role::Warning),
            _ if tcp.duplicate_acks > 0 => ("d", Role::Dim),
            _ if tcp.keep_alives > 0 => ("k", Role::Dim),
            Some(_) => (self.theme.glyphs().vertical, Role::Dim),
            None => return None,
        })
    }

    /// Findings in sight: their place on the axis.
    pub(super) fn found(&self) -> impl Iterator<Item = (u16, &Finding)> {
        let number = self.session.number();
        let here = self.findings.iter().filter(move |finding| finding.session == Some(number));
        here.filter_map(|finding| {
            let at = self.lanes.moment(self.session, finding.place.time);
            self.view.window.contains(at).then(|| (self.column(at), finding))
        })
    }

    fn odd(&self, buffer: &mut Buffer, area: Rect) {
        let mut cells: Vec<Option<Severity>> = vec![None; area.width.into()];
        for (number, column) in self.view.columns.iter().enumerate() {
            if column.anomalies > 0 {
                put(buffer, area.x + number as u16, area.y, 1, "!", self.style(Role::Dim));
            }
        }
        for (column, finding) in self.found() {
            if let Some(cell) = cells.get_mut(usize::from(column)) {
                *cell = (*cell).max(Some(finding.severity));
            }
        }
        for (column, severity) in cells.into_iter().enumerate() {
            let Some(severity) = severity else { continue };
            let (letter, role) = match severity {
                Severity::Error => ("E", Role::Error),
                Severity::Warning => ("W", Role::Warning),
                _ => ("N", Role::Note),
            };
            put(buffer, area.x + column as u16, area.y, 1, letter, self.style(role));
        }
    }
}

fn control_letter(kind: MessageType, event: &str) -> (u8, &'static str, Role) {
    match kind {
        MessageType::ABORT => (8, "X", Role::Error),
        MessageType::SET_CHUNK_SIZE => (7, "S", Role::Control),
        MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => (6, "W", Role::Control),
        MessageType::SET_PEER_BANDWIDTH => (5, "B", Role::Control),
        MessageType::ACKNOWLEDGEMENT => (1, "A", Role::Dim),
        _ if event.starts_with("ping") => (2, "P", Role::Dim),
        _ => (3, "U", Role::Control),
    }
}

/// Bottom and top of a lane for a value: with zero in it, unless the value is far from there.
fn scale(span: Span) -> (f64, f64) {
    if span.count == 0 {
        return (-1.0, 1.0);
    }
    let (low, high) = (span.min as f64, span.max as f64);
    let air = ((high - low) * 0.05).max(1.0);
    match low > (high - low) * 2.0 || high < (low - high) * 2.0 {
        true => (low - air, high + air),
        false => (low.min(0.0) - air, high.max(0.0) + air),
    }
}
