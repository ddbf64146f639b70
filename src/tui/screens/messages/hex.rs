//! The bytes: of the payload, or as they were sent with chunk headers between.

use std::fmt::Write;
use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use crate::tui::action::Action;
use crate::tui::contract::Ctx;
use crate::tui::detail::Detail;
use crate::tui::theme::Role;
use crate::tui::view::widgets::{pane, put, scroll_bar, scrolled};

/// Columns of the offset.
const OFFSET: u16 = 7;

/// The pane.
#[derive(Debug, Default)]
pub(super) struct HexPane {
    first: usize,
    /// The byte under the cursor: of the payload, or of the chunks when raw.
    at: usize,
    /// Whether a byte was chosen; else the field alone is highlighted.
    chosen: bool,
    /// Highlighted payload bytes.
    range: Option<Range<usize>>,
    raw: bool,
    /// Bytes per line when it was drawn last.
    per_line: usize,
    /// Whether the highlighted bytes must come in sight.
    reveal: bool,
    pub(super) area: Rect,
    /// What the current message has: its payload and chunk bytes.
    raw_to_payload: Option<usize>,
}

impl HexPane {
    /// Columns the pane wants of a screen.
    pub(super) fn width(screen: u16) -> u16 {
        let needed = |bytes: u16| OFFSET + bytes * 3 + 1 + bytes + 2;
        match screen {
            130.. => needed(16),
            _ => needed(8),
        }
    }

    pub(super) fn reset(&mut self) {
        let (raw, area, per_line) = (self.raw, self.area, self.per_line);
        *self = HexPane { raw, area, per_line, ..HexPane::default() };
    }

    pub(super) fn toggle_raw(&mut self) {
        self.raw = !self.raw;
        self.first = 0;
        self.at = 0;
        self.chosen = false;
        self.reveal = true;
    }

    /// Highlights payload bytes and brings them in sight.
    pub(super) fn select(&mut self, range: Range<usize>) {
        self.chosen = false;
        self.range = Some(range);
        self.reveal = true;
    }

    /// Highlights without moving.
    pub(super) fn highlight(&mut self, range: Option<Range<usize>>) {
        self.range = range;
    }

    /// The payload byte under the cursor; `None` in a chunk header.
    pub(super) fn byte(&self) -> Option<usize> {
        match self.raw {
            true => self.raw_to_payload,
            false => Some(self.at),
        }
    }

    fn len(&self, detail: &Detail) -> usize {
        if self.raw { detail.chunks.bytes.len() } else { detail.payload.len() }
    }

    fn place(&mut self, detail: &Detail, at: usize) {
        self.at = at.min(self.len(detail).saturating_sub(1));
        self.chosen = true;
        self.reveal = true;
        self.raw_to_payload = detail.chunks.payload_offset(self.at);
    }

    pub(super) fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> bool {
        let Some(detail) = ctx.detail else { return false };
        let line = self.per_line.max(1) as isize;
        let page = line * isize::from(self.area.height.max(1) as i16);
        let by = match action {
            Action::Left => -1,
            Action::Right => 1,
            Action::Up => -line,
            Action::Down => line,
            Action::PageUp => -page,
            Action::PageDown => page,
            Action::HalfUp => -(page / 2 / line * line).max(line),
            Action::HalfDown => (page / 2 / line * line).max(line),
            Action::Top => isize::MIN,
            Action::Bottom => isize::MAX,
            _ => return false,
        };
        // The first step shows the cursor where the highlighted bytes begin.
        if !self.chosen {
            let start = self.range.as_ref().map_or(0, |range| range.start);
            let start = if self.raw { detail.chunks.position(start).unwrap_or(0) } else { start };
            let by = if matches!(action, Action::Top | Action::Bottom) { by } else { 0 };
            self.place(detail, start.saturating_add_signed(by));
        } else {
            self.place(detail, self.at.saturating_add_signed(by));
        }
        true
    }

    pub(super) fn scroll(&mut self, ctx: &Ctx<'_>, lines: isize) {
        let Some(detail) = ctx.detail else { return };
        let total = self.len(detail).div_ceil(self.per_line.max(1));
        let last = total.saturating_sub(usize::from(self.area.height));
        self.first = self.first.saturating_add_signed(lines).min(last);
    }

    /// Puts the cursor on the byte that was clicked; false when there is none.
    pub(super) fn click(&mut self, ctx: &Ctx<'_>, at: Position) -> bool {
        let Some(detail) = ctx.detail else { return false };
        let (x, y) = (at.x - self.area.x, at.y - self.area.y);
        let text = OFFSET + self.per_line as u16 * 3 + 1;
        let column = match x {
            x if x >= text => usize::from(x - text),
            x if x >= OFFSET => usize::from((x - OFFSET) / 3),
            _ => return false,
        };
        let byte = (self.first + usize::from(y)) * self.per_line + column;
        if column >= self.per_line || byte >= self.len(detail) {
            return false;
        }
        self.place(detail, byte);
        true
    }

    pub(super) fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect, focused: bool) {
        let theme = ctx.theme();
        let detail = ctx.detail.filter(|detail| detail.trouble.is_none());
        let title = match detail {
            Some(detail) => self.title(detail),
            None => "bytes".into(),
        };
        let inner = pane(frame, area, &title, focused, theme);
        self.area = inner;
        self.per_line = match inner.width {
            w if w > OFFSET + 16 * 4 => 16,
            w if w > OFFSET + 8 * 4 => 8,
            _ => 4,
        };
        let Some(detail) = detail else { return };
        let len = self.len(detail);
        let lines = len.div_ceil(self.per_line);
        let height = usize::from(inner.height);
        if std::mem::take(&mut self.reveal) {
            let first = match (self.chosen, &self.range) {
                (true, _) => self.at,
                (false, Some(range)) if self.raw => {
                    detail.chunks.position(range.start).unwrap_or(0)
                }
                (false, Some(range)) => range.start,
                (false, None) => 0,
            };
            self.first = scrolled(self.first, first / self.per_line, height, lines);
        }
        self.first = self.first.min(lines.saturating_sub(height));
        let buf = frame.buffer_mut();
        for y in 0..height {
            let start = (self.first + y) * self.per_line;
            if start >= len {
                break;
            }
            let y = y as u16;
            put(buf, inner, 0, y, &format!("{start:06x}"), theme.style(Role::Dim));
            for column in 0..self.per_line {
                let at = start + column;
                if at >= len {
                    break;
                }
                let shown = self.shown(detail, at);
                let lit = shown.payload.is_some_and(|payload| {
                    self.range.as_ref().is_some_and(|range| range.contains(&payload))
                });
                let role = match () {
                    () if self.chosen && at == self.at => Role::Cursor,
                    () if lit => Role::Match,
                    () if shown.payload.is_none() => Role::Control,
                    () if shown.is_missing => Role::Gap,
                    () if shown.is_masked => Role::Dim,
                    () => Role::Text,
                };
                let mut style = theme.style(role);
                if shown.payload.is_none() {
                    style = style.underlined();
                }
                let x = OFFSET + column as u16 * 3;
                let (hex, text) = shown.words();
                put(buf, inner, x, y, &hex, style);
                let x = OFFSET + self.per_line as u16 * 3 + 1 + column as u16;
                put(buf, inner, x, y, &text, style);
            }
        }
        if len == 0 {
            put(buf, inner, 0, 0, "no payload", theme.style(Role::Dim));
        }
        scroll_bar(buf, area, self.first, height, lines, theme);
    }

    fn title(&self, detail: &Detail) -> String {
        let what = match self.raw {
            true => "chunks",
            false => "payload",
        };
        let range = match (self.chosen, &self.range) {
            (true, _) => self.byte().map(|byte| byte..byte + 1),
            (false, range) => range.clone(),
        };
        match range {
            Some(range) if !range.is_empty() => {
                let frames: Vec<String> =
                    detail.frames_of(&range).iter().map(u64::to_string).collect();
                let frames = match frames.len() {
                    0 => String::new(),
                    1..=4 => format!(" frame {}", frames.join(", ")),
                    n => format!(" frame {}, .. {} ({n})", frames[0], frames[n - 1]),
                };
                match range.len() {
                    1 => format!("{what} {}{frames}", range.start),
                    _ => format!("{what} {}-{}{frames}", range.start, range.end - 1),
                }
            }
            _ => format!("{what}, {} bytes", self.len(detail)),
        }
    }

    fn shown(&self, detail: &Detail, at: usize) -> Shown {
        let payload = if self.raw { detail.chunks.payload_offset(at) } else { Some(at) };
        let byte = match self.raw {
            true => detail.chunks.bytes.get(at),
            false => detail.payload.get(at),
        };
        Shown {
            byte: byte.copied().unwrap_or(0),
            payload,
            is_missing: payload.is_some_and(|payload| detail.is_missing(payload)),
            is_masked: payload.is_some_and(|payload| detail.is_masked(payload)),
        }
    }
}

/// A byte as it is drawn.
struct Shown {
    byte: u8,
    /// Its payload offset; `None` in a chunk header.
    payload: Option<usize>,
    is_missing: bool,
    is_masked: bool,
}

impl Shown {
    fn words(&self) -> (String, String) {
        match self.byte {
            _ if self.is_missing => ("--".into(), "-".into()),
            _ if self.is_masked => ("**".into(), "*".into()),
            byte @ b' '..=b'~' => (format!("{byte:02x}"), char::from(byte).to_string()),
            byte => (format!("{byte:02x}"), ".".into()),
        }
    }
}

/// Most bytes that are copied as hex.
const MAX_COPY: usize = 64 << 10;

/// Payload bytes as hex digits, as far as they may be shown.
pub(super) fn digits(detail: &Detail, range: Range<usize>) -> String {
    let mut out = String::new();
    let end = range.end.min(detail.payload.len()).min(range.start.saturating_add(MAX_COPY));
    for at in range.start..end {
        match detail.payload.get(at) {
            _ if detail.is_masked(at) => out.push_str("**"),
            Some(byte) => {
                let _ = write!(out, "{byte:02x}");
            }
            None => break,
        }
    }
    out
}
