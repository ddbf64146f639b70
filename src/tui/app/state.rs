//! The state.

use super::filter::FilterState;
use super::overlay::Overlay;
use super::search::SearchState;
use crate::tui::contract::{Ctx, ExportKind, Mark, Screen, ScreenId, Shared};
use crate::tui::detail::Detail;
use crate::tui::keymap::Keymap;
use crate::tui::loader::Data;
use crate::tui::screens;
use crate::tui::theme::Theme;

/// Where to begin.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Session number.
    pub session: Option<u32>,
    /// Screen.
    pub screen: Option<ScreenId>,
    /// Row, from 1 as tables show it.
    pub row: Option<usize>,
    /// Filter.
    pub filter: Option<String>,
    /// The captures as they were named, for the command line that reopens a place.
    pub captures: Vec<String>,
    /// Options of the command line that change what is read, written out.
    pub options: Vec<String>,
    /// Whether to keep the newest in sight.
    pub follow: bool,
    /// Whether secrets are shown.
    pub show_secrets: bool,
}

/// A line for the person, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The line.
    pub text: String,
    /// Whether it says that something went wrong.
    pub is_trouble: bool,
}

/// How far reading is, as the outside last said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadState {
    /// Bytes read.
    pub read: u64,
    /// Bytes there are, when that is known.
    pub total: Option<u64>,
    /// Whether the input goes on until it is stopped.
    pub live: bool,
}

/// What the outside has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Hand text to the terminal's clipboard.
    Copy(String),
    /// Write a file.
    Export {
        /// What.
        kind: ExportKind,
        /// Where.
        path: String,
        /// Session to be written.
        session: u32,
    },
    /// Read everything again.
    Reload {
        /// With secrets shown or hidden.
        show_secrets: bool,
    },
    /// Clear the terminal and draw again.
    Redraw,
    /// Leave.
    Quit,
}

/// The application.
pub struct App {
    /// What screens share.
    pub shared: Shared,
    /// Keys of this run.
    pub keymap: Keymap,
    /// What lies above the screen.
    pub overlay: Overlay,
    /// The filter.
    pub filter: FilterState,
    /// The search.
    pub search: SearchState,
    /// A line for the person.
    pub status: Option<Status>,
    /// How far reading is.
    pub load: LoadState,
    /// The current screen.
    pub screen: ScreenId,
    /// Columns of the terminal when it was drawn last.
    width: u16,
    /// Whether the last frame showed all that there will be.
    knows_all: bool,
    pub(super) screens: Vec<Box<dyn Screen>>,
    pub(super) history: Vec<ScreenId>,
    pub(super) detail: Option<Detail>,
    /// Where the cursor was before it last jumped far.
    pub(super) last_place: Option<Mark>,
    pub(super) start: Start,
    /// Session and row to go to as soon as they are read.
    pub(super) goal: Option<(u32, Option<usize>)>,
}

impl App {
    /// An application that has seen nothing.
    pub fn new(start: Start, keymap: Keymap, theme: Theme) -> App {
        let shared = Shared {
            theme,
            follow: start.follow,
            show_secrets: start.show_secrets,
            ..Shared::default()
        };
        let mut app = App {
            shared,
            keymap,
            overlay: Overlay::None,
            filter: FilterState::default(),
            search: SearchState::default(),
            status: None,
            load: LoadState::default(),
            screen: ScreenId::Sessions,
            width: 80,
            knows_all: false,
            screens: screens::all(),
            history: Vec::new(),
            detail: None,
            last_place: None,
            goal: None,
            start: start.clone(),
        };
        app.goal =
            start.session.map(|session| (session, start.row.map(|row| row.saturating_sub(1))));
        if app.goal.is_none()
            && let Some(row) = start.row
        {
            app.goal = Some((1, Some(row.saturating_sub(1))));
        }
        if let Some(screen) = start.screen.filter(|screen| app.has(*screen)) {
            app.history.push(ScreenId::Sessions);
            app.screen = screen;
        }
        if let Some(filter) = &start.filter
            && let Err(error) = app.filter.set(filter)
        {
            app.trouble(format!("--filter: {error}"));
        }
        app
    }

    /// Whether the last frame showed all that there will be.
    pub(in crate::tui) fn knows_all(&self) -> bool {
        self.knows_all
    }

    pub(in crate::tui) fn set_knows_all(&mut self, all: bool) {
        self.knows_all = all;
    }

    pub(in crate::tui) fn width(&self) -> u16 {
        self.width
    }

    pub(in crate::tui) fn set_width(&mut self, width: u16) {
        self.width = width;
    }

    /// Whether there is such a screen.
    pub fn has(&self, id: ScreenId) -> bool {
        self.screens.iter().any(|screen| screen.id() == id)
    }

    /// The screens there are, in order.
    pub fn tabs(&self) -> impl Iterator<Item = ScreenId> + '_ {
        self.screens.iter().map(|screen| screen.id())
    }

    /// What the current screen sees, and the screen.
    pub(in crate::tui) fn split<'a>(
        &'a mut self,
        data: &'a Data,
    ) -> (Ctx<'a>, Option<&'a mut Box<dyn Screen>>) {
        let wanted = self.screen;
        let detail = self.detail.as_ref().filter(|detail| {
            detail.session == self.shared.session && Some(detail.row) == self.shared.cursor.row
        });
        let ctx = Ctx {
            index: &data.index,
            shared: &self.shared,
            findings: &data.findings,
            figures: &data.figures,
            trails: &data.trails,
            matches: self.filter.matches(self.shared.session),
            detail,
            focused: matches!(self.overlay, Overlay::None),
        };
        (ctx, self.screens.iter_mut().find(|screen| screen.id() == wanted))
    }

    /// The same, to look at only.
    pub(in crate::tui) fn ctx<'a>(&'a self, data: &'a Data) -> Ctx<'a> {
        let detail = self.detail.as_ref().filter(|detail| {
            detail.session == self.shared.session && Some(detail.row) == self.shared.cursor.row
        });
        Ctx {
            index: &data.index,
            shared: &self.shared,
            findings: &data.findings,
            figures: &data.figures,
            trails: &data.trails,
            matches: self.filter.matches(self.shared.session),
            detail,
            focused: matches!(self.overlay, Overlay::None),
        }
    }

    pub(super) fn current(&self) -> Option<&dyn Screen> {
        self.screens.iter().find(|screen| screen.id() == self.screen).map(AsRef::as_ref)
    }

    /// Tells something.
    pub(in crate::tui) fn say(&mut self, text: impl Into<String>) {
        self.status = Some(Status { text: text.into(), is_trouble: false });
    }

    /// Says what went wrong.
    pub fn trouble(&mut self, text: impl Into<String>) {
        self.status = Some(Status { text: text.into(), is_trouble: true });
    }

    /// The place the cursor is at.
    pub(super) fn place(&self) -> Mark {
        Mark { screen: self.screen, session: self.shared.session, cursor: self.shared.cursor }
    }

    /// The command line that reopens this place.
    pub fn command_line(&self) -> String {
        let mut words = vec!["rtmpscope".to_owned(), "view".to_owned()];
        words.extend(self.start.captures.iter().map(|path| quote(path)));
        words.extend(self.start.options.iter().map(|option| quote(option)));
        if self.shared.session > 0 {
            words.extend(["--session".to_owned(), self.shared.session.to_string()]);
        }
        words.extend(["--screen".to_owned(), self.screen.name().to_owned()]);
        if let Some(row) = self.shared.cursor.row {
            words.extend(["--row".to_owned(), (row + 1).to_string()]);
        }
        if let Some(filter) = self.filter.active() {
            words.extend(["--filter".to_owned(), quote(filter)]);
        }
        words.join(" ")
    }

    /// Begins anew with what is read again, at the same place.
    pub fn reloaded(&mut self, show_secrets: bool) {
        self.shared.show_secrets = show_secrets;
        let session = self.shared.session;
        self.goal = (session > 0).then_some((session, self.shared.cursor.row));
        self.shared.session = 0;
        self.knows_all = false;
        self.detail = None;
        self.search.cancel();
        self.filter.restart();
    }
}

/// A word as a shell takes it.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("a/b.pcap"), "a/b.pcap");
        assert_eq!(quote("my file"), "'my file'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }
}
