//! One rung.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::analysis::index::SessionIndex;
use crate::analysis::ladder::{Step, StepKind, row_text};
use crate::base::{Direction, Timestamp};
use crate::tui::contract::{Ctx, TimeFormat};
use crate::tui::screens::chart::{bytes, cells, cut, duration, put, put_right};
use crate::tui::theme::Role;

/// Where the columns are.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Cells for the time.
    pub time: u16,
    /// Cells for the time since the step before.
    pub delta: u16,
    /// Column of the client's pole.
    pub client: u16,
    /// Column of the server's pole.
    pub server: u16,
    /// Right edge of what stands right of the server's pole.
    pub end: u16,
}

impl Layout {
    /// For an area of that width.
    pub fn of(width: u16) -> Layout {
        let wide = width >= 100;
        let (time, delta) = if wide { (12, 10) } else { (9, 9) };
        let client = time + delta + 1;
        // Figures stand right of the server's pole.
        let note = if wide { 24 } else { 9 };
        Layout {
            time,
            delta,
            client,
            server: width.saturating_sub(note + 1).max(client + 4),
            end: width,
        }
    }
}

impl Layout {
    fn is_wide(&self) -> bool {
        self.end >= 100
    }
}

/// What an arrow looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shaft {
    /// A command, control or data message.
    Single,
    /// A reply.
    Dashed,
    /// A run of media.
    Double,
}

/// How a time is written.
pub fn time(ctx: &Ctx<'_>, time: Timestamp, delta: i64) -> String {
    match ctx.shared.times {
        TimeFormat::Delta => duration(delta),
        TimeFormat::Absolute => {
            let day = time.0.rem_euclid(86_400_000_000_000);
            let (s, us) = (day / 1_000_000_000, day % 1_000_000_000 / 1_000);
            format!("{:02}:{:02}:{:02}.{:03}", s / 3600, s / 60 % 60, s % 60, us / 1000)
        }
        TimeFormat::Relative | TimeFormat::Rtmp => format!("{:.6}", ctx.seconds(time)),
    }
}

/// Draws a step.
pub fn step(
    buffer: &mut Buffer,
    area: Rect,
    layout: Layout,
    ctx: &Ctx<'_>,
    session: &SessionIndex,
    step: &Step,
    open: Option<bool>,
) {
    let theme = ctx.theme();
    let times = (time(ctx, step.time, step.delta), step.delta);
    head(buffer, area, layout, ctx, &times);
    let text = step.text(session, &ctx.index.strings);
    let role = role(step);
    let Some(direction) = step.direction else {
        return across(buffer, area, layout, ctx, &text, role);
    };
    let note = match &step.kind {
        StepKind::Reply { response, .. } if layout.is_wide() => {
            format!("after {}", duration(*response))
        }
        StepKind::Reply { response, .. } => duration(*response),
        StepKind::Media(run) => bytes(run.bytes),
        StepKind::Command { row, .. } | StepKind::Control(row) | StepKind::Data(row) => {
            session.rows.get(*row).map_or_else(String::new, |row| bytes(row.length.into()))
        }
        _ => String::new(),
    };
    put(
        buffer,
        area.x + layout.server + 2,
        area.y,
        layout.end - layout.server - 2,
        &note,
        theme.style(Role::Dim),
    );
    let text = match open {
        Some(open) => {
            let glyphs = theme.glyphs();
            format!("{} {text}", if open { glyphs.open } else { glyphs.closed })
        }
        None => text,
    };
    match step.kind {
        StepKind::Gap(_) | StepKind::Anomaly(_) => {
            beside(buffer, area, layout, ctx, direction, &text, role)
        }
        StepKind::Media(_) => {
            arrow(buffer, area, layout, ctx, (direction, Shaft::Double, false), &text, role)
        }
        StepKind::Reply { failed, .. } => {
            arrow(buffer, area, layout, ctx, (direction, Shaft::Dashed, failed), &text, role);
        }
        StepKind::Command { failed, .. } => {
            arrow(buffer, area, layout, ctx, (direction, Shaft::Single, failed), &text, role);
        }
        _ => arrow(buffer, area, layout, ctx, (direction, Shaft::Single, false), &text, role),
    }
}

/// Draws a message of an unfolded run.
pub fn message(
    buffer: &mut Buffer,
    area: Rect,
    layout: Layout,
    ctx: &Ctx<'_>,
    session: &SessionIndex,
    number: usize,
    before: Timestamp,
) {
    let Some(row) = session.rows.get(number) else { return };
    let delta = row.time.nanos_since(before);
    head(buffer, area, layout, ctx, &(time(ctx, row.time, delta), delta));
    let text = format!("{} ts {}", row_text(session, &ctx.index.strings, row), row.timestamp);
    let role = match row.media.name() {
        "key" => Role::KeyFrame,
        _ if row.type_id == crate::wire::message::MessageType::AUDIO => Role::Audio,
        _ => Role::Video,
    };
    let style = ctx.theme().style(Role::Dim);
    let room = layout.end - layout.server - 2;
    put(buffer, area.x + layout.server + 2, area.y, room, &bytes(row.length.into()), style);
    arrow(
        buffer,
        area,
        layout,
        ctx,
        (row.direction(), Shaft::Single, !row.complete()),
        &text,
        role,
    );
}

fn role(step: &Step) -> Role {
    if step.is_trouble() {
        return match step.kind {
            StepKind::Gap(_) => Role::Gap,
            StepKind::Anomaly(_) => Role::Warning,
            _ => Role::Error,
        };
    }
    match (&step.kind, step.direction) {
        (StepKind::Media(_), _) => Role::Video,
        (StepKind::Control(_), _) => Role::Control,
        (StepKind::Data(_), _) => Role::Data,
        (StepKind::Start | StepKind::End, _) => Role::Note,
        (_, Some(Direction::ServerToClient)) => Role::Server,
        (_, Some(Direction::ClientToServer)) => Role::Client,
        (_, None) => Role::Text,
    }
}

fn head(buffer: &mut Buffer, area: Rect, layout: Layout, ctx: &Ctx<'_>, times: &(String, i64)) {
    let theme = ctx.theme();
    let (text, delta) = times;
    put_right(buffer, area.x, area.y, layout.time, text, theme.style(Role::Text));
    if *delta > 0 && ctx.shared.times != TimeFormat::Delta {
        let text = format!("+{}", duration(*delta));
        // A second of silence is what one looks for.
        let role = if *delta >= 1_000_000_000 { Role::Warning } else { Role::Dim };
        put_right(buffer, area.x + layout.time, area.y, layout.delta, &text, theme.style(role));
    }
    let pole = theme.style(Role::Border);
    for x in [layout.client, layout.server] {
        put(buffer, area.x + x, area.y, 1, theme.glyphs().vertical, pole);
    }
}

/// Text on an arrow between the poles.
fn arrow(
    buffer: &mut Buffer,
    area: Rect,
    layout: Layout,
    ctx: &Ctx<'_>,
    (direction, shaft, failed): (Direction, Shaft, bool),
    text: &str,
    role: Role,
) {
    let theme = ctx.theme();
    let style = theme.style(role);
    let glyphs = theme.glyphs();
    let from = layout.client + 1;
    let room = layout.server.saturating_sub(from);
    let line = match (shaft, theme.ascii) {
        (Shaft::Single, _) => glyphs.horizontal,
        (Shaft::Dashed, false) => "╌",
        (Shaft::Dashed, true) => ".",
        (Shaft::Double, false) => "═",
        (Shaft::Double, true) => "=",
    };
    for x in from..layout.server {
        put(buffer, area.x + x, area.y, 1, line, style);
    }
    let end = match (failed, theme.ascii, direction) {
        (true, ..) => glyphs.cross,
        (_, true, Direction::ClientToServer) => ">",
        (_, true, Direction::ServerToClient) => "<",
        (_, false, Direction::ClientToServer) => "▶",
        (_, false, Direction::ServerToClient) => "◀",
    };
    let at = match direction {
        Direction::ClientToServer => layout.server - 1,
        Direction::ServerToClient => from,
    };
    put(buffer, area.x + at, area.y, 1, end, style);
    let room = room.saturating_sub(6);
    let short = text.replace("NetConnection.", "").replace("NetStream.", "");
    let text = if cells(text) > room { &short } else { text };
    let text = format!(" {} ", cut(text, room, theme));
    let len = cells(&text);
    // Near its sender, where one begins to read; a reply near the server.
    let x = match direction {
        Direction::ClientToServer => from + 2,
        Direction::ServerToClient => layout.server.saturating_sub(len + 2).max(from + 2),
    };
    put(buffer, area.x + x, area.y, len, &text, style);
}

/// Text across both poles.
fn across(buffer: &mut Buffer, area: Rect, layout: Layout, ctx: &Ctx<'_>, text: &str, role: Role) {
    let theme = ctx.theme();
    let room = layout.server.saturating_sub(layout.client + 1);
    let text = format!(" {} ", cut(text, room.saturating_sub(4), theme));
    let len = cells(&text);
    let x = layout.client + 1 + room.saturating_sub(len) / 2;
    put(buffer, area.x + x, area.y, len, &text, theme.style(role));
}

/// Text beside the pole of the sender it is about.
fn beside(
    buffer: &mut Buffer,
    area: Rect,
    layout: Layout,
    ctx: &Ctx<'_>,
    direction: Direction,
    text: &str,
    role: Role,
) {
    let theme = ctx.theme();
    let room = layout.server.saturating_sub(layout.client + 1);
    let sign = if role == Role::Gap { theme.glyphs().gap } else { "!" };
    let text = cut(&format!("{sign} {text}"), room.saturating_sub(2), theme);
    let x = match direction {
        Direction::ClientToServer => layout.client + 2,
        Direction::ServerToClient => layout.server.saturating_sub(cells(&text) + 1),
    };
    put(buffer, area.x + x, area.y, room, &text, theme.style(role));
}
