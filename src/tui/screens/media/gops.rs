//! The table of groups of pictures.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::analysis::figures::{Gop, SessionFigures};
use crate::analysis::index::{MediaKind, SessionIndex};
use crate::base::Timestamp;
use crate::tui::contract::Ctx;
use crate::tui::screens::chart::{bitrate, put};
use crate::tui::screens::scroll::Scroll;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{Column, cell, headings, layout, paint};

const COLUMNS: [Column; 6] = [
    Column { title: "GOP", width: 5, grow: 0, priority: 0, right: true },
    Column { title: "time s", width: 9, grow: 0, priority: 1, right: true },
    Column { title: "length", width: 9, grow: 0, priority: 0, right: true },
    Column { title: "frames", width: 6, grow: 0, priority: 0, right: true },
    Column { title: "bitrate", width: 11, grow: 0, priority: 2, right: true },
    Column { title: "", width: 6, grow: 1, priority: 3, right: false },
];

/// A line of the table: number of the track where there are several, and the group.
pub type Line = (Option<u8>, Gop);

/// The groups of all tracks, by time.
#[derive(Debug, Default)]
pub struct Gops {
    /// The lines.
    pub lines: Vec<Line>,
    /// Selection.
    pub scroll: Scroll,
    /// Where the list is.
    pub area: Rect,
}

impl Gops {
    /// Takes the table of the figures.
    pub fn set(&mut self, figures: &SessionFigures) {
        let tracks = figures.streams.iter().flat_map(|stream| &stream.tracks);
        self.lines = tracks
            .flat_map(|track| track.gop.table.iter().map(|gop| (track.track, *gop)))
            .collect();
        self.lines.sort_by_key(|(track, gop)| (gop.time, *track));
    }

    /// Selects the group of a time.
    pub fn select(&mut self, time: Timestamp) {
        let after = self.lines.partition_point(|(_, gop)| gop.time <= time);
        self.scroll.selected = after.saturating_sub(1);
    }

    /// Row of the selected group's key frame.
    pub fn selected(&self, session: &SessionIndex) -> Option<usize> {
        let (_, gop) = self.lines.get(self.scroll.selected)?;
        let from = session.rows.partition_point(|row| row.time < gop.time);
        let same = session.rows.iter().enumerate().skip(from);
        let mut same = same.take_while(|(_, row)| row.time == gop.time);
        let key = same.clone().find(|(_, row)| {
            row.media == MediaKind::Key && i64::from(row.timestamp) == gop.timestamp
        });
        key.or_else(|| same.find(|(_, row)| row.media == MediaKind::Key)).map(|(row, _)| row)
    }

    /// Draws the table.
    pub fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect, focused: bool) {
        let theme = ctx.theme();
        let columns = layout(&COLUMNS, area.width);
        let buffer = frame.buffer_mut();
        headings(buffer, area, &COLUMNS, &columns, None, theme);
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.area = list;
        if self.lines.is_empty() {
            put(buffer, list.x, list.y, list.width, "no key frame", theme.style(Role::Dim));
            return;
        }
        // A group twice as long as most of them is what players stumble over.
        let mut lengths: Vec<i64> = self.whole().map(|gop| gop.millis).collect();
        lengths.sort_unstable();
        let usual = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
        let longest = self.lines.iter().map(|(_, gop)| gop.millis).max().unwrap_or(1).max(1);
        self.scroll.fit(list.height.into(), self.lines.len());
        for y in 0..list.height {
            let at = self.scroll.first + usize::from(y);
            let Some((track, gop)) = self.lines.get(at) else { break };
            let long = usual > 0 && gop.millis > usual * 2;
            let role = match (gop.whole, long) {
                (_, true) => Role::Warning,
                (true, _) => Role::Text,
                (false, _) => Role::Dim,
            };
            let track = track.map_or_else(String::new, |track| format!(" t{track}"));
            for (column, range) in &columns {
                let width = f64::from(range.end.saturating_sub(range.start));
                let text = match column {
                    0 => format!("{}{track}", at + 1),
                    1 => format!("{:.3}", ctx.seconds(gop.time)),
                    2 => format!("{:.3} s{}", gop.millis as f64 / 1e3, if long { "!" } else { "" }),
                    3 => gop.frames.to_string(),
                    4 => gop.bitrate().map(bitrate).unwrap_or_default(),
                    _ if !gop.whole => "open".into(),
                    _ => {
                        let full = width * gop.millis as f64 / longest as f64;
                        theme.glyphs().bars[8].repeat(full.round().max(1.0) as usize)
                    }
                };
                cell(
                    buffer,
                    list,
                    y,
                    range,
                    &text,
                    COLUMNS[*column].right,
                    theme.style(role),
                    theme,
                );
            }
            if at == self.scroll.selected {
                let role = if focused && ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, list, y, theme.style(role));
            }
        }
    }

    fn whole(&self) -> impl Iterator<Item = &Gop> {
        self.lines.iter().map(|(_, gop)| gop).filter(|gop| gop.whole)
    }
}
