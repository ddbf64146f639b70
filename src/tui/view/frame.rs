//! Tabs above, the screen, a status line and hints below.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::overlays;
use super::widgets::{columns, fit, put, put_right};
use crate::tui::action::Action;
use crate::tui::app::{App, Overlay};
use crate::tui::contract::{ClockMode, ScreenId};
use crate::tui::keymap::binding;
use crate::tui::loader::Data;
use crate::tui::screens;
use crate::tui::theme::Role;

/// Narrowest terminal that is drawn on.
pub const MIN_WIDTH: u16 = 60;
/// Lowest terminal that is drawn on.
pub const MIN_HEIGHT: u16 = 20;

/// Draws everything.
pub fn draw(app: &mut App, data: &Data, frame: &mut Frame<'_>) {
    let area = frame.area();
    let theme = app.shared.theme;
    if area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        let text = format!(
            "rtmpscope needs {MIN_WIDTH}x{MIN_HEIGHT}, this is {}x{}",
            area.width, area.height
        );
        let buf = frame.buffer_mut();
        put(buf, area, 0, 0, &fit(&text, area.width.into(), &theme), theme.style(Role::Warning));
        put(buf, area, 0, 1, "Make the window larger, or q to leave.", theme.style(Role::Dim));
        return;
    }
    let line = |y| Rect { x: area.x, y, width: area.width, height: 1 };
    top(app, data, frame, line(area.y));
    let mut body = Rect { y: area.y + 1, height: area.height - 3, ..area };
    if app.screen != ScreenId::Sessions {
        headline(app, data, frame, line(body.y));
        body = Rect { y: body.y + 1, height: body.height - 1, ..body };
    }
    let (ctx, screen) = app.split(data);
    if let Some(screen) = screen {
        screen.draw(&ctx, frame, body);
    }
    status(app, data, frame, line(area.bottom() - 2));
    hints(app, data, frame, line(area.bottom() - 1));
    overlays::draw(app, data, frame, area);
}

/// Where each tab begins and ends.
fn tabs(app: &App, width: u16) -> Vec<(ScreenId, String, u16)> {
    let whole = |id: ScreenId| format!(" {} {} ", id.number(), id.title());
    let short = |id: ScreenId| match id == app.screen {
        true => whole(id),
        false => format!(" {}{:.3} ", id.number(), id.title()),
    };
    let tiny = |id: ScreenId| match id == app.screen {
        true => whole(id),
        false => format!(" {} ", id.number()),
    };
    let room = width.saturating_sub(24);
    let length = |label: &dyn Fn(ScreenId) -> String| -> u16 {
        app.tabs().map(|id| columns(&label(id))).sum()
    };
    let label: &dyn Fn(ScreenId) -> String = match () {
        () if length(&whole) <= room => &whole,
        () if length(&short) <= room => &short,
        () => &tiny,
    };
    let mut x = 0;
    app.tabs()
        .map(|id| {
            let text = label(id);
            let begin = x;
            x += columns(&text);
            (id, text, begin)
        })
        .collect()
}

/// The tab at a column of the first line.
pub fn tab_at(app: &App, x: u16) -> Option<ScreenId> {
    // The width decides which labels there are: every one of the three layouts is looked at with
    // the width that was drawn last.
    let tabs = tabs(app, app.width());
    tabs.into_iter().find(|(_, text, at)| (*at..at + columns(text)).contains(&x)).map(|(id, ..)| id)
}

fn top(app: &mut App, data: &Data, frame: &mut Frame<'_>, area: Rect) {
    app.set_width(area.width);
    let theme = app.shared.theme;
    let buf = frame.buffer_mut();
    for (id, text, x) in tabs(app, area.width) {
        let role = if id == app.screen { Role::Selected } else { Role::Dim };
        put(buf, area, x, 0, &text, theme.style(role));
    }
    let messages = data.index.messages();
    let text = match (data.done, app.load.total) {
        (true, _) => format!("{} msgs", screens::count(messages as u64)),
        (false, Some(total)) if total > 0 => {
            let percent = (app.load.read.min(total) * 100 / total).min(99);
            format!("reading {percent}% {} msgs", screens::count(messages as u64))
        }
        (false, _) => {
            let word = if app.shared.paused { "paused" } else { "live" };
            format!("{word} {} msgs", screens::count(messages as u64))
        }
    };
    let role = if data.done { Role::Dim } else { Role::Note };
    put_right(buf, area, 0, &text, theme.style(role));
}

/// Which session it is.
fn headline(app: &App, data: &Data, frame: &mut Frame<'_>, area: Rect) {
    let theme = app.shared.theme;
    let ctx = app.ctx(data);
    let buf = frame.buffer_mut();
    let Some(session) = ctx.session() else {
        put(buf, area, 0, 0, " no session yet", theme.style(Role::Dim));
        return;
    };
    let facts = session.facts();
    let glyphs = theme.glyphs();
    let mut text = format!(
        " {}/{}  {} {} {}",
        session.number(),
        data.index.sessions.len(),
        session.session.client,
        glyphs.right,
        session.session.server
    );
    let path = [facts.app.as_deref(), facts.stream.as_deref()];
    let path: Vec<&str> = path.into_iter().flatten().collect();
    if !path.is_empty() {
        text.push_str(&format!("  {}", path.join("/")));
    }
    for part in [&facts.role, &facts.video, &facts.audio].into_iter().flatten() {
        text.push_str(&format!("  {part}"));
    }
    put(buf, area, 0, 0, &fit(&text, area.width.into(), &theme), theme.style(Role::Title));
}

fn status(app: &App, data: &Data, frame: &mut Frame<'_>, area: Rect) {
    let theme = app.shared.theme;
    let ctx = app.ctx(data);
    let mut right = Vec::new();
    if app.shared.show_secrets {
        right.push("SECRETS SHOWN".to_owned());
    }
    if app.shared.paused {
        right.push("paused".to_owned());
    }
    if app.shared.follow {
        right.push("following".to_owned());
    }
    if app.shared.clock == ClockMode::Rtmp {
        right.push("RTMP clock".to_owned());
    }
    if !app.shared.picked.is_empty() {
        right.push(format!("{} picked", app.shared.picked.len()));
    }
    if app.screen != ScreenId::Sessions
        && let Some(time) = app.shared.cursor.time
    {
        right.push(format!("{:.6} s", ctx.seconds(time)));
    }
    let right = right.join("  ");
    let (text, role) = match &app.status {
        Some(status) if status.is_trouble => (status.text.clone(), Role::Error),
        Some(status) => (status.text.clone(), Role::Good),
        None if app.search.is_running() => {
            let text = format!(
                "searching {}: {} messages; Esc stops",
                app.search.text(),
                app.search.looked()
            );
            (text, Role::Note)
        }
        None if app.filter.is_on() => {
            let matches = ctx.matches.map_or(0, <[u32]>::len);
            let total = ctx.session().map_or(0, |session| session.rows.len());
            let text = format!("filter {}: {matches} of {total}", app.filter.text());
            (text, Role::Good)
        }
        None if !app.filter.text().is_empty() => {
            (format!("filter off: {}", app.filter.text()), Role::Dim)
        }
        None => match data.errors.last() {
            Some(error) => (error.clone(), Role::Warning),
            None if data.done && data.index.sessions.is_empty() => {
                ("no RTMP found; --decode-as tcp.port==N takes a port for it".into(), Role::Warning)
            }
            None => (String::new(), Role::Text),
        },
    };
    let buf = frame.buffer_mut();
    let room = usize::from(area.width.saturating_sub(columns(&right) + 2));
    put(buf, area, 0, 0, &fit(&format!(" {text}"), room, &theme), theme.style(role));
    let role = if app.shared.show_secrets { Role::Error } else { Role::Dim };
    put_right(buf, area, 0, &right, theme.style(role));
}

fn hints(app: &mut App, data: &Data, frame: &mut Frame<'_>, area: Rect) {
    let theme = app.shared.theme;
    let (ctx, screen) = app.split(data);
    let mut actions = screen.map(|screen| screen.hints(&ctx)).unwrap_or_default();
    let own: Vec<(&str, &str)> = match &app.overlay {
        Overlay::None => Vec::new(),
        Overlay::Filter { .. } => {
            vec![("Enter", "set"), ("Tab", "complete"), ("Up", "history"), ("Esc", "leave")]
        }
        Overlay::Search(_) => {
            vec![
                ("Enter", "search"),
                ("0x17 01", "bytes"),
                ("/a.b/", "expression"),
                ("Esc", "leave"),
            ]
        }
        Overlay::Palette { .. } | Overlay::Help { .. } => {
            vec![("Enter", "do it"), ("Up/Down", "select"), ("Esc", "leave")]
        }
        Overlay::Menu { .. } => vec![("Enter", "take"), ("letter", "take"), ("Esc", "leave")],
        Overlay::Path { .. } => vec![("Enter", "write"), ("Esc", "leave")],
        Overlay::Confirm { .. } => vec![("y", "yes"), ("n", "no")],
        Overlay::Mark => vec![("letter", "names this place")],
        Overlay::Jump => vec![("letter", "goes to its place"), ("'", "goes to the last place")],
    };
    let buf = frame.buffer_mut();
    let mut x = 1;
    let mut show = |buf: &mut ratatui::buffer::Buffer, key: &str, word: &str| {
        let needed = columns(key) + 1 + columns(word);
        if x + needed > area.width {
            return false;
        }
        x = put(buf, area, x, 0, key, theme.style(Role::Key)) + 1;
        x = put(buf, area, x, 0, word, theme.style(Role::Dim)) + 2;
        true
    };
    if !own.is_empty() {
        for (key, word) in own {
            show(buf, key, word);
        }
        return;
    }
    for action in [Action::Filter, Action::Palette, Action::Help, Action::Quit] {
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    // Help and the way out stay in sight whatever else there is.
    let kept = [Action::Help, Action::Quit];
    let reserve: u16 = kept
        .iter()
        .filter_map(|action| Some((app.keymap.label(*action)?, binding(*action)?.hint)))
        .map(|(key, word)| columns(&key) + columns(word) + 3)
        .sum();
    let mut used = 1;
    for action in actions {
        let Some(row) = binding(action) else { continue };
        let Some(key) = app.keymap.label(action) else { continue };
        let needed = columns(&key) + columns(row.hint) + 3;
        let limit = if kept.contains(&action) { area.width } else { area.width - reserve };
        if used + needed > limit + 2 {
            continue;
        }
        used += needed;
        show(buf, &key, row.hint);
    }
}
