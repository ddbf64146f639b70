//! Screen 1: one line per session.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::words;
use crate::analysis::SessionFacts;
use crate::analysis::index::{MediaKind, SessionIndex};
use crate::base::Direction;
use crate::flow::EndReason;
use crate::lint::Severity;
use crate::tui::action::Action;
use crate::tui::contract::{Ctx, Effect, Mouse, Picked, Screen, ScreenId};
use crate::tui::theme::Role;
use crate::tui::view::widgets::{
    Column, cell, headings, layout, paint, pane, put, row_at, scroll_bar, scrolled,
};

const COLUMNS: &[Column] = &[
    Column { title: "#", width: 3, grow: 0, priority: 0, right: true },
    Column { title: "client", width: 15, grow: 2, priority: 1, right: false },
    Column { title: "server", width: 15, grow: 2, priority: 10, right: false },
    Column { title: "app", width: 6, grow: 1, priority: 3, right: false },
    Column { title: "stream", width: 10, grow: 1, priority: 2, right: false },
    Column { title: "role", width: 7, grow: 0, priority: 4, right: false },
    Column { title: "over", width: 6, grow: 0, priority: 13, right: false },
    Column { title: "video", width: 8, grow: 0, priority: 7, right: false },
    Column { title: "audio", width: 6, grow: 0, priority: 11, right: false },
    Column { title: "start", width: 9, grow: 0, priority: 14, right: true },
    Column { title: "dur", width: 6, grow: 0, priority: 6, right: true },
    Column { title: "bit/s", width: 6, grow: 0, priority: 8, right: true },
    Column { title: "GOP", width: 5, grow: 0, priority: 12, right: true },
    Column { title: "msgs", width: 6, grow: 0, priority: 15, right: true },
    Column { title: "found", width: 8, grow: 0, priority: 5, right: false },
    Column { title: "end", width: 9, grow: 1, priority: 9, right: false },
];

/// What a line says, for drawing and sorting.
struct Line {
    number: u32,
    facts: SessionFacts,
    seconds: f64,
    bytes: u64,
    gop: Option<f64>,
    errors: usize,
    warnings: usize,
    odd: usize,
}

/// Key frames of a session, counted as it grows.
#[derive(Clone, Copy, Debug, Default)]
struct Gops {
    looked: usize,
    last: Option<u32>,
    milliseconds: u64,
    count: u64,
}

impl Gops {
    fn look(&mut self, session: &SessionIndex) {
        for row in session.rows.iter().skip(self.looked) {
            if row.media != MediaKind::Key {
                continue;
            }
            if let Some(last) = self.last {
                // Timestamps wrap, and go back when a publisher starts anew.
                let step = row.timestamp.wrapping_sub(last) as i32;
                if let Ok(step) = u64::try_from(step)
                    && step > 0
                {
                    self.milliseconds += step;
                    self.count += 1;
                }
            }
            self.last = Some(row.timestamp);
        }
        self.looked = session.rows.len();
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.milliseconds as f64 / self.count as f64 / 1000.0)
    }
}

/// The screen.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// First line in sight.
    first: usize,
    /// Column sorted by, and whether backwards; `None` for the order of appearance.
    sorted: Option<(usize, bool)>,
    /// Session numbers in the order drawn last.
    order: Vec<u32>,
    gops: BTreeMap<u32, Gops>,
    area: Rect,
    columns: Vec<(usize, Range<u16>)>,
}

impl Sessions {
    fn line(&mut self, session: &SessionIndex, found: (usize, usize)) -> Line {
        let number = session.number();
        let gops = self.gops.entry(number).or_default();
        gops.look(session);
        Line {
            number,
            facts: session.facts(),
            seconds: session.last.seconds_since(session.session.time),
            bytes: session.payload.iter().sum(),
            gop: gops.mean(),
            errors: found.0,
            warnings: found.1,
            odd: session.anomalies.len() + session.gaps.len(),
        }
    }

    /// Puts the lines into the order asked for.
    fn sort(&self, ctx: &Ctx<'_>, lines: &mut [Line]) {
        let Some((column, reverse)) = self.sorted else { return };
        lines.sort_by(|a, b| {
            let (x, y) = match reverse {
                true => (b, a),
                false => (a, b),
            };
            let text = |line: &Line| self.text(ctx, line, column);
            match COLUMNS[column].title {
                "#" | "start" => x.number.cmp(&y.number),
                "dur" => x.seconds.total_cmp(&y.seconds),
                "bit/s" => per_second(x).total_cmp(&per_second(y)),
                "GOP" => x.gop.unwrap_or(0.0).total_cmp(&y.gop.unwrap_or(0.0)),
                "msgs" => rows(ctx, x).cmp(&rows(ctx, y)),
                "found" => (x.errors, x.warnings, x.odd).cmp(&(y.errors, y.warnings, y.odd)),
                _ => text(x).cmp(&text(y)),
            }
        });
    }

    fn text(&self, ctx: &Ctx<'_>, line: &Line, column: usize) -> String {
        let Some(session) = ctx.index.session(line.number) else { return String::new() };
        let facts = &line.facts;
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        match COLUMNS[column].title {
            "#" => line.number.to_string(),
            "client" => session.session.client.to_string(),
            "server" => session.session.server.to_string(),
            "app" => word(&facts.app),
            "stream" => word(&facts.stream),
            "role" => word(&facts.role),
            "over" => session
                .end
                .as_ref()
                .map_or(session.session.transport, |e| e.transport)
                .name()
                .into(),
            "video" => word(&facts.video),
            "audio" => word(&facts.audio),
            "start" => format!("{:.3}", ctx.seconds(session.session.time)),
            "dur" => words::duration(line.seconds),
            "bit/s" => words::rate(line.bytes, line.seconds),
            "GOP" => line.gop.map_or(String::new(), words::duration),
            "msgs" => words::count(session.rows.len() as u64),
            "found" => found(line),
            "end" => session.end.as_ref().map_or("open".into(), |end| end_word(end.reason)),
            _ => String::new(),
        }
    }

    fn step(&self, ctx: &Ctx<'_>, by: isize) -> Vec<Effect> {
        let here = self.order.iter().position(|n| *n == ctx.shared.session).unwrap_or(0);
        let last = self.order.len().saturating_sub(1);
        let next = here.saturating_add_signed(by).min(last);
        self.order.get(next).map(|number| Effect::Session(*number)).into_iter().collect()
    }
}

fn rows(ctx: &Ctx<'_>, line: &Line) -> usize {
    ctx.index.session(line.number).map_or(0, |session| session.rows.len())
}

fn per_second(line: &Line) -> f64 {
    if line.seconds > 0.0 { line.bytes as f64 / line.seconds } else { 0.0 }
}

/// `2E 1W 3a`: errors, warnings, anomalies and gaps.
fn found(line: &Line) -> String {
    let parts = [(line.errors, "E"), (line.warnings, "W"), (line.odd, "a")];
    let shown = parts.iter().filter(|(n, _)| *n > 0);
    shown.map(|(n, letter)| format!("{n}{letter}")).collect::<Vec<_>>().join(" ")
}

/// How a session ended, in a word or two.
fn end_word(reason: EndReason) -> String {
    let who = |direction| match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "server",
    };
    match reason {
        EndReason::Fin(by) => format!("{} FIN", who(by)),
        EndReason::Reset(by) => format!("{} RST", who(by)),
        EndReason::Timeout => "idle".into(),
        EndReason::Reused => "reused".into(),
        EndReason::Evicted => "evicted".into(),
        EndReason::EndOfCapture(Some(by)) => format!("{} FIN, cut", who(by)),
        EndReason::EndOfCapture(None) => "cut".into(),
    }
}

impl Screen for Sessions {
    fn id(&self) -> ScreenId {
        ScreenId::Sessions
    }

    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect) {
        let theme = ctx.theme();
        let mut found: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for finding in ctx.findings {
            let counts = found.entry(finding.session.unwrap_or(0)).or_default();
            match finding.severity {
                Severity::Error => counts.0 += 1,
                Severity::Warning => counts.1 += 1,
                Severity::Note => {}
            }
        }
        let sessions = ctx.index.sessions.iter();
        let mut lines: Vec<Line> = sessions
            .map(|session| {
                self.line(session, found.get(&session.number()).copied().unwrap_or_default())
            })
            .collect();
        self.sort(ctx, &mut lines);
        self.order = lines.iter().map(|line| line.number).collect();
        let title = match lines.len() {
            1 => "1 session".to_owned(),
            n => format!("{n} sessions"),
        };
        // With room below the list, the selected session is told in more words.
        let wanted = (lines.len() as u16).saturating_add(3).clamp(6, area.height);
        let list = match area.height - wanted.min(area.height.saturating_sub(9)) {
            below @ 9.. if !lines.is_empty() => {
                let below = Rect { y: area.bottom() - below, height: below, ..area };
                super::sheet::draw(ctx, frame, below);
                Rect { height: area.height - below.height, ..area }
            }
            _ => area,
        };
        let inner = pane(frame, list, &title, ctx.focused, theme);
        self.area = inner;
        self.columns = layout(COLUMNS, inner.width);
        let buf = frame.buffer_mut();
        headings(buf, inner, COLUMNS, &self.columns, self.sorted, theme);
        if lines.is_empty() {
            put(buf, inner, 0, 2, "No RTMP session so far.", theme.style(Role::Dim));
            return;
        }
        let height = usize::from(inner.height.saturating_sub(1));
        let selected = self.order.iter().position(|n| *n == ctx.shared.session).unwrap_or(0);
        self.first = scrolled(self.first, selected, height, lines.len());
        for (y, line) in lines.iter().skip(self.first).take(height).enumerate() {
            let y = y as u16 + 1;
            let failed = line.errors > 0;
            for (column, range) in &self.columns {
                let title = COLUMNS[*column].title;
                let role = match title {
                    "found" if failed => Role::Error,
                    "found" => Role::Warning,
                    "client" => Role::Client,
                    "server" => Role::Server,
                    "video" => Role::Video,
                    "audio" => Role::Audio,
                    "role" => Role::Command,
                    "#" | "over" | "start" => Role::Dim,
                    _ => Role::Text,
                };
                let text = self.text(ctx, line, *column);
                cell(buf, inner, y, range, &text, COLUMNS[*column].right, theme.style(role), theme);
            }
            if ctx.shared.picked.iter().any(|p| p.session == line.number && p.row.is_none()) {
                put(buf, inner, 0, y, theme.glyphs().mark, theme.style(Role::Mark));
            }
            if line.number == ctx.shared.session {
                paint(buf, inner, y, theme.style(Role::Selected));
            }
        }
        scroll_bar(buf, list, self.first, height, lines.len(), theme);
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>> {
        let page = isize::from(self.area.height.saturating_sub(2).max(1) as i16);
        Some(match action {
            Action::Up => self.step(ctx, -1),
            Action::Down => self.step(ctx, 1),
            Action::PageUp => self.step(ctx, -page),
            Action::PageDown => self.step(ctx, page),
            Action::HalfUp => self.step(ctx, -(page / 2).max(1)),
            Action::HalfDown => self.step(ctx, (page / 2).max(1)),
            Action::Top => self.step(ctx, isize::MIN),
            Action::Bottom => self.step(ctx, isize::MAX),
            Action::Open => vec![Effect::Go(ScreenId::Timeline)],
            Action::SortNext => {
                let shown: Vec<usize> = self.columns.iter().map(|(column, _)| *column).collect();
                let at = self.sorted.and_then(|(by, _)| shown.iter().position(|c| *c == by));
                let next = at.map_or(0, |at| (at + 1) % shown.len().max(1));
                self.sorted = shown.get(next).map(|column| (*column, false));
                let title = self.sorted.map_or("", |(column, _)| COLUMNS[column].title);
                vec![Effect::Status(format!("sorted by {title}; S reverses"))]
            }
            Action::SortReverse => {
                let (column, reverse) = self.sorted.unwrap_or((0, false));
                self.sorted = Some((column, !reverse));
                Vec::new()
            }
            Action::Pick => {
                vec![Effect::Pick(Picked { session: ctx.shared.session, row: None })]
            }
            _ => return None,
        })
    }

    fn mouse(&mut self, mouse: Mouse, ctx: &Ctx<'_>) -> Vec<Effect> {
        match mouse {
            Mouse::Click(at) | Mouse::DoubleClick(at) => match row_at(self.area, at) {
                Some(0) => {
                    let x = at.x - self.area.x;
                    let hit = self.columns.iter().find(|(_, range)| range.contains(&x));
                    if let Some((column, _)) = hit {
                        self.sorted = match self.sorted {
                            Some((by, reverse)) if by == *column => Some((by, !reverse)),
                            _ => Some((*column, false)),
                        };
                    }
                    Vec::new()
                }
                Some(y) => {
                    let Some(number) = self.order.get(self.first + usize::from(y) - 1) else {
                        return Vec::new();
                    };
                    let mut effects = vec![Effect::Session(*number)];
                    if matches!(mouse, Mouse::DoubleClick(_)) {
                        effects.push(Effect::Go(ScreenId::Timeline));
                    }
                    effects
                }
                None => Vec::new(),
            },
            Mouse::Wheel { lines, .. } => self.step(ctx, lines as isize),
            _ => Vec::new(),
        }
    }

    fn hints(&self, _ctx: &Ctx<'_>) -> Vec<Action> {
        vec![
            Action::Open,
            Action::Go(ScreenId::Messages),
            Action::SortNext,
            Action::Pick,
            Action::Compare,
            Action::Copy,
        ]
    }

    fn copies(&self, ctx: &Ctx<'_>) -> Vec<(String, String)> {
        let Some(session) = ctx.session() else { return Vec::new() };
        let facts = session.facts();
        let peers = format!("{} {}", session.session.client, session.session.server);
        let mut all = vec![("client and server".to_owned(), peers)];
        for (label, value) in
            [("app", facts.app), ("stream", facts.stream), ("tcUrl", facts.tc_url)]
        {
            if let Some(value) = value {
                all.push((label.to_owned(), value));
            }
        }
        all
    }
}
