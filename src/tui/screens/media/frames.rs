//! The frame list.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::analysis::index::{MediaKind, Row, SessionIndex};
use crate::tui::contract::Ctx;
use crate::tui::screens::scroll::Scroll;
use crate::tui::screens::{chart, time};
use crate::tui::theme::Role;
use crate::tui::view::widgets::{Column, cell, headings, layout, paint};
use crate::wire::message::MessageType;

/// How far back the frame before is looked for.
const BACK: usize = 2000;

const COLUMNS: [Column; 11] = [
    Column { title: "row", width: 6, grow: 0, priority: 5, right: true },
    Column { title: "time s", width: 11, grow: 0, priority: 0, right: true },
    Column { title: "way", width: 3, grow: 0, priority: 6, right: false },
    Column { title: "what", width: 16, grow: 0, priority: 0, right: false },
    Column { title: "codec", width: 6, grow: 0, priority: 3, right: false },
    Column { title: "ts ms", width: 9, grow: 0, priority: 0, right: true },
    Column { title: "step", width: 6, grow: 0, priority: 1, right: true },
    Column { title: "cts", width: 5, grow: 0, priority: 4, right: true },
    Column { title: "after", width: 8, grow: 0, priority: 2, right: true },
    Column { title: "bytes", width: 8, grow: 0, priority: 0, right: true },
    Column { title: "", width: 8, grow: 1, priority: 7, right: false },
];

/// Media rows in sight.
#[derive(Debug, Default)]
pub struct Frames {
    /// Their row numbers.
    pub rows: Vec<u32>,
    /// Selection.
    pub scroll: Scroll,
    /// Where the list is.
    pub area: Rect,
    made: Option<Made>,
    largest: u32,
}

/// What the list was made from. The filter's rows are told by their place and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    session: u32,
    rows: usize,
    filter: Option<(usize, usize, Option<u32>, Option<u32>)>,
}

fn is_media(row: &Row) -> bool {
    row.type_id.is_media() || row.type_id == MessageType::AGGREGATE
}

impl Frames {
    /// Follows session and filter.
    pub fn sync(&mut self, ctx: &Ctx<'_>, session: &SessionIndex) {
        let filter = ctx.matches.map(|rows| {
            (rows.as_ptr() as usize, rows.len(), rows.first().copied(), rows.last().copied())
        });
        let now = Made { session: session.number(), rows: session.rows.len(), filter };
        if self.made == Some(now) {
            return;
        }
        // Without a filter, what came before stays.
        let grows = self.made.is_some_and(|made| {
            made.session == now.session
                && made.filter.is_none()
                && now.filter.is_none()
                && made.rows <= now.rows
        });
        let from = if grows { self.made.map_or(0, |made| made.rows) } else { 0 };
        if !grows {
            self.rows.clear();
            self.largest = 0;
        }
        let all = session.rows.iter().enumerate().skip(from);
        let taken = all.filter(|(number, row)| is_media(row) && ctx.takes(*number));
        for (number, row) in taken {
            self.largest = self.largest.max(row.length);
            self.rows.push(number as u32);
        }
        self.made = Some(now);
    }

    /// Selects the frame at the cursor, or the last one before it.
    pub fn select(&mut self, row: usize) {
        self.scroll.selected = self.rows.partition_point(|r| *r as usize <= row).saturating_sub(1);
    }

    /// The selected row.
    pub fn selected(&self) -> Option<usize> {
        self.rows.get(self.scroll.selected).map(|row| *row as usize)
    }

    /// Draws the list.
    pub fn draw(
        &mut self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        frame: &mut Frame<'_>,
        area: Rect,
        focused: bool,
    ) {
        let theme = ctx.theme();
        let columns = layout(&COLUMNS, area.width);
        let buffer = frame.buffer_mut();
        headings(buffer, area, &COLUMNS, &columns, None, theme);
        let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        self.area = list;
        self.scroll.fit(list.height.into(), self.rows.len());
        for y in 0..list.height {
            let at = self.scroll.first + usize::from(y);
            let Some(number) = self.rows.get(at).map(|row| *row as usize) else { break };
            let Some(row) = session.rows.get(number) else { break };
            let role = role(row);
            for (column, range) in &columns {
                let width = range.end.saturating_sub(range.start);
                let text = self.cell(ctx, session, number, row, *column, width);
                let style = theme.style(if *column == 10 { Role::Dim } else { role });
                cell(buffer, list, y, range, &text, COLUMNS[*column].right, style, theme);
            }
            if at == self.scroll.selected {
                let role = if focused && ctx.focused { Role::Selected } else { Role::SelectedDim };
                paint(buffer, list, y, theme.style(role));
            }
        }
    }

    fn cell(
        &self,
        ctx: &Ctx<'_>,
        session: &SessionIndex,
        number: usize,
        row: &Row,
        column: usize,
        width: u16,
    ) -> String {
        let glyphs = ctx.theme().glyphs();
        let before = || before(session, number, row);
        match column {
            0 => (number + 1).to_string(),
            1 => time(ctx, row, before()),
            2 => match row.direction() {
                crate::base::Direction::ClientToServer => format!("C{}S", glyphs.right),
                crate::base::Direction::ServerToClient => format!("S{}C", glyphs.right),
            },
            3 => what(row),
            4 => ctx.text(row.label).to_owned(),
            5 => row.timestamp.to_string(),
            6 => before().map_or_else(String::new, |before| {
                format!("{:+}", row.timestamp.wrapping_sub(before.timestamp) as i32)
            }),
            7 => row.composition_time().map_or_else(String::new, |cts| cts.to_string()),
            8 => before().map_or_else(String::new, |before| {
                chart::duration(row.time.nanos_since(before.time))
            }),
            9 => row.length.to_string(),
            _ if !row.complete() => "damaged".into(),
            _ => {
                let full =
                    f64::from(width) * f64::from(row.length) / f64::from(self.largest.max(1));
                glyphs.bars[8].repeat((full.round() as usize).max(1))
            }
        }
    }
}

/// What a frame is, with its letter in front: colour is not all that tells.
fn what(row: &Row) -> String {
    match row.media {
        MediaKind::Key => "K key".into(),
        MediaKind::Audio => "  audio".into(),
        MediaKind::SequenceHeader => format!("C {} config", row.type_id.kind()),
        MediaKind::SequenceEnd => format!("E {} end", row.type_id.kind()),
        MediaKind::None => format!("  {}", row.type_id.kind()),
        MediaKind::Inter => "  inter".into(),
        MediaKind::Disposable => "  disposable".into(),
        kind => format!("  {} {}", row.type_id.kind(), kind.name()),
    }
}

fn role(row: &Row) -> Role {
    match (row.media, row.type_id) {
        _ if !row.complete() => Role::Gap,
        (MediaKind::Key, _) => Role::KeyFrame,
        (MediaKind::SequenceHeader, _) => Role::Control,
        (_, MessageType::AUDIO) => Role::Audio,
        _ => Role::Video,
    }
}

/// The coded frame of the same kind and direction before this one.
fn before<'a>(session: &'a SessionIndex, number: usize, row: &Row) -> Option<&'a Row> {
    let earlier = session.rows.get(number.saturating_sub(BACK)..number)?;
    earlier.iter().rev().find(|other| {
        other.type_id == row.type_id
            && other.direction() == row.direction()
            && other.stream_id() == row.stream_id()
            && other.media.is_coded()
    })
}
