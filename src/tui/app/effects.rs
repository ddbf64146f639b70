//! Actions to effects, effects to changes of the state.

use super::copies;
use super::overlay::{MenuItem, Overlay};
use super::state::{App, Outcome};
use crate::base::Timestamp;
use crate::tui::action::Action;
use crate::tui::contract::{
    ClockMode, Cursor, Effect, ExportKind, Mouse, Picked, ScreenId, Window,
};
use crate::tui::line::LineEdit;
use crate::tui::loader::Data;

impl App {
    /// Does what is asked: the screen first, then what is the same on all screens.
    pub fn act(&mut self, action: Action, data: &Data) -> Vec<Outcome> {
        let (ctx, screen) = self.split(data);
        let answer = screen.and_then(|screen| screen.act(action, &ctx));
        match answer {
            Some(effects) => self.apply(effects, data),
            None => self.act_anywhere(action, data),
        }
    }

    /// Takes what the mouse did.
    pub fn mouse(&mut self, mouse: Mouse, data: &Data) -> Vec<Outcome> {
        if !matches!(self.overlay, Overlay::None) {
            if matches!(mouse, Mouse::Click(_)) {
                self.overlay = Overlay::None;
                self.filter.end_draft();
            }
            return Vec::new();
        }
        if let Mouse::Click(at) = mouse
            && at.y == 0
            && let Some(tab) = crate::tui::view::tab_at(self, at.x)
        {
            return self.apply(vec![Effect::Go(tab)], data);
        }
        self.goal = None;
        let (ctx, screen) = self.split(data);
        let effects = screen.map(|screen| screen.mouse(mouse, &ctx)).unwrap_or_default();
        self.apply(effects, data)
    }

    fn act_anywhere(&mut self, action: Action, data: &Data) -> Vec<Outcome> {
        let effects = match action {
            Action::Go(screen) => vec![Effect::Go(screen)],
            Action::Back => {
                if self.search.is_running() {
                    self.search.cancel();
                    self.say("search stopped");
                    return Vec::new();
                }
                vec![Effect::Back]
            }
            Action::Quit if self.screen == ScreenId::Sessions => vec![Effect::Quit],
            Action::Quit => vec![Effect::Back],
            Action::QuitNow => vec![Effect::Quit],
            Action::Redraw => vec![Effect::Redraw],
            Action::NextSession => self.session_step(1, data),
            Action::PreviousSession => self.session_step(-1, data),
            Action::Filter => {
                self.typed(LineEdit::new(self.filter.text()), data);
                return Vec::new();
            }
            Action::ToggleFilter => {
                if !self.filter.toggle() {
                    self.trouble("there is no filter yet; / makes one");
                }
                self.filtered();
                return Vec::new();
            }
            Action::Search => {
                self.overlay = Overlay::Search(LineEdit::new(self.search.text()));
                return Vec::new();
            }
            Action::SearchNext | Action::SearchPrevious => {
                let from = (self.shared.session, self.shared.cursor.row.unwrap_or(0));
                if !self.search.again(action == Action::SearchNext, from) {
                    self.overlay = Overlay::Search(LineEdit::default());
                }
                return Vec::new();
            }
            Action::Palette => {
                self.overlay = Overlay::Palette { line: LineEdit::default(), selected: 0 };
                return Vec::new();
            }
            Action::Help => {
                self.overlay = Overlay::Help { line: LineEdit::default(), selected: 0 };
                return Vec::new();
            }
            Action::Mark => {
                self.overlay = Overlay::Mark;
                return Vec::new();
            }
            Action::JumpToMark => {
                self.overlay = Overlay::Jump;
                return Vec::new();
            }
            Action::Copy => return self.copy_menu(data),
            Action::Export => return self.export_menu(),
            Action::Pick => {
                vec![Effect::Pick(Picked { session: self.shared.session, row: None })]
            }
            Action::Compare if self.shared.picked.is_empty() => {
                self.trouble("pick two sessions with Space first");
                return Vec::new();
            }
            Action::Compare => vec![Effect::Go(ScreenId::Compare)],
            Action::TimeFormat => {
                self.shared.times = self.shared.times.next();
                self.say(format!("times: {}", self.shared.times.name()));
                return Vec::new();
            }
            Action::Clock => {
                self.shared.clock = match self.shared.clock {
                    ClockMode::Capture => ClockMode::Rtmp,
                    ClockMode::Rtmp => ClockMode::Capture,
                };
                return Vec::new();
            }
            Action::Pause => {
                self.shared.paused = !self.shared.paused;
                return Vec::new();
            }
            Action::AutoScroll => {
                self.shared.follow = !self.shared.follow;
                let state = if self.shared.follow { "on" } else { "off" };
                self.say(format!("following the newest: {state}"));
                return Vec::new();
            }
            Action::ZoomFit => vec![Effect::Window(None)],
            Action::NextTheme => {
                self.shared.theme.name = self.shared.theme.name.next();
                self.say(format!("theme: {}", self.shared.theme.name.name()));
                return Vec::new();
            }
            Action::RevealSecrets if self.shared.show_secrets => {
                self.say("they are shown already");
                return Vec::new();
            }
            Action::RevealSecrets => {
                self.overlay = Overlay::Confirm {
                    question: "Read again and show stream names, tokens and passwords? y/n".into(),
                    effect: Effect::Reload { show_secrets: true },
                };
                return Vec::new();
            }
            Action::HideSecrets => vec![Effect::Reload { show_secrets: false }],
            Action::NextFinding => self.finding_step(true, data),
            Action::PreviousFinding => self.finding_step(false, data),
            Action::NextKeyFrame => self.key_frame_step(true, data),
            Action::PreviousKeyFrame => self.key_frame_step(false, data),
            Action::FollowReply => self.follow_reply(data),
            _ => return Vec::new(),
        };
        self.apply(effects, data)
    }

    /// Changes the state.
    pub fn apply(&mut self, effects: Vec<Effect>, data: &Data) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for effect in effects {
            match effect {
                Effect::Go(screen) => self.go(screen),
                Effect::Back => match self.history.pop() {
                    Some(screen) => self.screen = screen,
                    None => self.screen = ScreenId::Sessions,
                },
                Effect::Session(number) => self.session(number, data),
                Effect::Row(row) => self.row(row, data),
                Effect::Time(time) => self.time(time, data),
                Effect::Window(window) => {
                    self.shared.window = window.filter(|window| window.from < window.to);
                }
                Effect::Filter(text) => match self.filter.set(&text) {
                    Ok(()) => self.filtered(),
                    Err(error) => self.trouble(error.to_string()),
                },
                Effect::Pick(picked) => self.pick(picked),
                Effect::Copy(text, what) => {
                    self.say(format!("copied {what} ({} bytes)", text.len()));
                    outcomes.push(Outcome::Copy(text));
                }
                Effect::Export(kind) => {
                    let path = copies::default_path(kind, self.shared.session);
                    self.overlay = Overlay::Path { kind, line: LineEdit::new(path) };
                }
                Effect::Status(text) => self.say(text),
                Effect::Trouble(text) => self.trouble(text),
                Effect::Reload { show_secrets } => outcomes.push(Outcome::Reload { show_secrets }),
                Effect::Redraw => outcomes.push(Outcome::Redraw),
                Effect::Quit => outcomes.push(Outcome::Quit),
            }
        }
        outcomes
    }

    pub(super) fn go(&mut self, screen: ScreenId) {
        if screen == self.screen {
            return;
        }
        if !self.has(screen) {
            self.trouble(format!("there is no screen {}", screen.title()));
            return;
        }
        // Up leads to the list from everywhere; a screen that is already on the way is not twice.
        self.history.retain(|old| *old != self.screen && *old != screen);
        self.history.push(self.screen);
        if screen == ScreenId::Sessions {
            self.history.clear();
        }
        self.screen = screen;
    }

    fn session(&mut self, number: u32, data: &Data) {
        if number == self.shared.session {
            return;
        }
        let Some(session) = data.index.session(number) else { return };
        self.shared.session = number;
        self.shared.window = None;
        let first =
            self.filter.matches(number).map_or(0, |rows| rows.first().map_or(0, |r| *r as usize));
        self.shared.cursor = match session.rows.get(first) {
            Some(row) => Cursor { time: Some(row.time), row: Some(first) },
            None => Cursor { time: Some(session.session.time), row: None },
        };
    }

    fn row(&mut self, row: usize, data: &Data) {
        let Some(session) = data.index.session(self.shared.session) else { return };
        let Some(found) = session.rows.get(row) else { return };
        if self.shared.cursor.row.is_none_or(|old| old.abs_diff(row) > 1) {
            self.last_place = Some(self.place());
        }
        self.shared.cursor = Cursor { time: Some(found.time), row: Some(row) };
        self.keep_in_window();
    }

    fn time(&mut self, time: Timestamp, data: &Data) {
        let Some(session) = data.index.session(self.shared.session) else { return };
        let after = session.rows.partition_point(|row| row.time <= time);
        let row = match self.filter.matches(self.shared.session) {
            Some(rows) => {
                let at = rows.partition_point(|row| (*row as usize) < after);
                rows.get(at.saturating_sub(1)).map(|row| *row as usize)
            }
            None => (!session.rows.is_empty()).then(|| after.saturating_sub(1)),
        };
        self.shared.cursor = Cursor { time: Some(time), row };
        self.keep_in_window();
    }

    /// Moves the window so that the cursor is in it.
    pub(super) fn keep_in_window(&mut self) {
        let (Some(window), Some(time)) = (self.shared.window, self.shared.cursor.time) else {
            return;
        };
        if time < window.from || time > window.to {
            let width = window.to.nanos_since(window.from);
            let from = Timestamp(time.0.saturating_sub(width / 2));
            self.shared.window = Some(Window { from, to: Timestamp(from.0.saturating_add(width)) });
        }
    }

    fn pick(&mut self, picked: Picked) {
        let list = &mut self.shared.picked;
        if let Some(at) = list.iter().position(|old| *old == picked) {
            list.remove(at);
        } else {
            if list.len() == 2 {
                list.remove(0);
            }
            list.push(picked);
            if list.len() == 2 {
                self.say("two are picked; = compares them");
            }
        }
    }

    /// The filter changed: the cursor goes to a row that it takes.
    pub(super) fn filtered(&mut self) {
        // Which rows it takes is found out slice by slice; tick() moves the cursor then.
        self.search.cancel();
    }

    fn session_step(&self, by: i64, data: &Data) -> Vec<Effect> {
        let next = i64::from(self.shared.session) + by;
        let last = data.index.sessions.len() as i64;
        let next = next.clamp(1.min(last), last);
        vec![Effect::Session(next as u32)]
    }

    fn key_frame_step(&self, forward: bool, data: &Data) -> Vec<Effect> {
        use crate::analysis::index::MediaKind;
        let Some(session) = data.index.session(self.shared.session) else { return Vec::new() };
        let here = self.shared.cursor.row.unwrap_or(0);
        let is_key = |row: &usize| session.rows[*row].media == MediaKind::Key;
        let end = session.rows.len();
        let found = match forward {
            true => (here + 1..end).find(is_key),
            false => (0..here.min(end)).rev().find(is_key),
        };
        match found {
            Some(row) => vec![Effect::Row(row)],
            None => vec![Effect::Status(match forward {
                true => "no key frame after this".into(),
                false => "no key frame before this".into(),
            })],
        }
    }

    fn finding_step(&self, forward: bool, data: &Data) -> Vec<Effect> {
        let number = self.shared.session;
        let Some(session) = data.index.session(number) else { return Vec::new() };
        let here = self.shared.cursor.time.unwrap_or(session.session.time);
        let found = data.findings.iter().filter(|finding| finding.session == Some(number));
        let findings = found.flat_map(|finding| {
            let text = format!("{}: {}", finding.rule.id, finding.message.plain());
            std::iter::once(&finding.place)
                .chain(&finding.more)
                .map(move |place| (place.time, text.clone()))
        });
        let anomalies = session
            .anomalies
            .iter()
            .filter_map(|a| Some((a.time?, format!("{}: {}", a.kind, a.detail))));
        let gaps = session
            .gaps
            .iter()
            .map(|gap| (gap.time, format!("{}: {} bytes", gap.kind.name(), gap.len)));
        let all = findings.chain(anomalies).chain(gaps);
        let next = match forward {
            true => all.filter(|(time, _)| *time > here).min_by_key(|(time, _)| *time),
            false => all.filter(|(time, _)| *time < here).max_by_key(|(time, _)| *time),
        };
        match next {
            Some((time, text)) => vec![Effect::Time(time), Effect::Status(text)],
            None => vec![Effect::Status(match forward {
                true => "nothing found after this".into(),
                false => "nothing found before this".into(),
            })],
        }
    }

    fn follow_reply(&self, data: &Data) -> Vec<Effect> {
        let Some(session) = data.index.session(self.shared.session) else { return Vec::new() };
        let Some(here) = self.shared.cursor.row else { return Vec::new() };
        let Some(row) = session.rows.get(here) else { return Vec::new() };
        let other = row.request().or_else(|| {
            let replies = session.rows.iter().enumerate().skip(here + 1);
            replies.filter(|(_, r)| r.request() == Some(here)).map(|(at, _)| at).next()
        });
        match other {
            Some(other) => vec![Effect::Row(other)],
            None => vec![Effect::Status("no reply belongs to this message".into())],
        }
    }

    fn copy_menu(&mut self, data: &Data) -> Vec<Outcome> {
        let items = copies::items(self, data);
        self.overlay = Overlay::Menu { title: "Copy", items, selected: 0 };
        Vec::new()
    }

    fn export_menu(&mut self) -> Vec<Outcome> {
        let rows = [
            (ExportKind::Pcapng, 'p', "pcapng", "the packets of the session, secrets replaced"),
            (ExportKind::Flv, 'f', "FLV", "audio and video, playable"),
            (ExportKind::Csv, 'c', "CSV", "a line per message"),
            (ExportKind::Ndjson, 'j', "NDJSON", "a JSON object per message"),
            (ExportKind::Mermaid, 'm', "Mermaid", "the ladder, to paste into an issue"),
        ];
        let item = |(kind, key, label, preview): (ExportKind, char, &str, &str)| MenuItem {
            key,
            label: label.into(),
            preview: preview.into(),
            effect: Effect::Export(kind),
        };
        let items = rows.into_iter().map(item).collect();
        self.overlay = Overlay::Menu { title: "Export", items, selected: 0 };
        Vec::new()
    }
}
