//! What a screen is given and what it may ask for.
//!
//! A screen owns its scroll position and folds, nothing else. Whatever several screens share, the
//! cursor first of all, is in [`Shared`]; a screen changes it by handing back [`Effect`]s.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

use super::action::Action;
use super::detail::Detail;
use super::theme::Theme;
use crate::analysis::compare::Trails;
use crate::analysis::figures::Figures;
use crate::analysis::index::{Index, Row, SessionIndex};
use crate::base::Timestamp;
use crate::lint::Finding;

/// The screens, in the order of their number keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScreenId {
    /// 1: one line per session.
    #[default]
    Sessions,
    /// 2: lanes on one time axis.
    Timeline,
    /// 3: commands as arrows between the peers.
    Ladder,
    /// 4: messages, fields, bytes.
    Messages,
    /// 5: frames, GOPs, codec configurations.
    Media,
    /// 6: windows, acknowledgements, chunk sizes.
    Flow,
    /// 7: what is wrong and why.
    Findings,
    /// 8: TCP and the capture itself.
    Tcp,
    /// 9: two sessions side by side.
    Compare,
}

impl ScreenId {
    /// All, in order.
    pub const ALL: [ScreenId; 9] = [
        ScreenId::Sessions,
        ScreenId::Timeline,
        ScreenId::Ladder,
        ScreenId::Messages,
        ScreenId::Media,
        ScreenId::Flow,
        ScreenId::Findings,
        ScreenId::Tcp,
        ScreenId::Compare,
    ];

    /// Title on the tab line.
    pub fn title(self) -> &'static str {
        match self {
            ScreenId::Sessions => "Sessions",
            ScreenId::Timeline => "Timeline",
            ScreenId::Ladder => "Ladder",
            ScreenId::Messages => "Messages",
            ScreenId::Media => "Media",
            ScreenId::Flow => "Flow",
            ScreenId::Findings => "Findings",
            ScreenId::Tcp => "TCP",
            ScreenId::Compare => "Compare",
        }
    }

    /// Name in `--screen`, the palette and the configuration.
    pub fn name(self) -> &'static str {
        match self {
            ScreenId::Sessions => "sessions",
            ScreenId::Timeline => "timeline",
            ScreenId::Ladder => "ladder",
            ScreenId::Messages => "messages",
            ScreenId::Media => "media",
            ScreenId::Flow => "flow",
            ScreenId::Findings => "findings",
            ScreenId::Tcp => "tcp",
            ScreenId::Compare => "compare",
        }
    }

    /// The screen of that name.
    pub fn from_name(name: &str) -> Option<ScreenId> {
        ScreenId::ALL.into_iter().find(|id| id.name() == name)
    }

    /// Number key.
    pub fn number(self) -> usize {
        self as usize + 1
    }
}

/// The place that all screens look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Point in capture time; `None` before anything was chosen.
    pub time: Option<Timestamp>,
    /// Row of the current session.
    pub row: Option<usize>,
}

/// The stretch of capture time in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, later than `from`.
    pub to: Timestamp,
}

/// Which clock the time axis shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// When packets were captured.
    #[default]
    Capture,
    /// Timestamps of messages.
    Rtmp,
}

/// How times of rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since the first packet of the capture.
    #[default]
    Relative,
    /// Seconds since the row before.
    Delta,
    /// Time of day.
    Absolute,
    /// RTMP timestamp.
    Rtmp,
}

impl TimeFormat {
    /// The next one, in turn.
    pub fn next(self) -> TimeFormat {
        match self {
            TimeFormat::Relative => TimeFormat::Delta,
            TimeFormat::Delta => TimeFormat::Absolute,
            TimeFormat::Absolute => TimeFormat::Rtmp,
            TimeFormat::Rtmp => TimeFormat::Relative,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TimeFormat::Relative => "relative",
            TimeFormat::Delta => "delta",
            TimeFormat::Absolute => "absolute",
            TimeFormat::Rtmp => "rtmp",
        }
    }
}

/// A place that can be gone back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Screen it was made on.
    pub screen: ScreenId,
    /// Session number.
    pub session: u32,
    /// The cursor then.
    pub cursor: Cursor,
}

/// What was picked for comparison: a session, or a message of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Session number.
    pub session: u32,
    /// Row, when a message was picked.
    pub row: Option<usize>,
}

/// State that all screens share.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Number of the current session; 0 while there is none.
    pub session: u32,
    /// The cursor.
    pub cursor: Cursor,
    /// The stretch of time in sight; `None` means all of the session.
    pub window: Option<Window>,
    /// Clock of the axis.
    pub clock: ClockMode,
    /// How times are written.
    pub times: TimeFormat,
    /// Named places.
    pub marks: BTreeMap<char, Mark>,
    /// What was picked with Space, at most two.
    pub picked: Vec<Picked>,
    /// Whether the view is held still.
    pub paused: bool,
    /// Whether the newest is kept in sight.
    pub follow: bool,
    /// Whether secrets are shown.
    pub show_secrets: bool,
    /// Colours and glyphs.
    pub theme: Theme,
}

/// What a screen sees.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// The capture as far as it was read.
    pub index: &'a Index,
    /// The shared state.
    pub shared: &'a Shared,
    /// What was found so far.
    pub findings: &'a [Finding],
    /// Figures of the sessions.
    pub figures: &'a Figures,
    /// Steps of the sessions, to compare them by.
    pub trails: &'a Trails,
    /// Rows of the current session that the filter takes, ascending; `None` while no filter is on.
    pub matches: Option<&'a [u32]>,
    /// The message under the cursor, for screens that [want](Screen::wants_detail) it.
    pub detail: Option<&'a Detail>,
    /// Whether this screen has the focus and nothing lies above it.
    pub focused: bool,
}

impl<'a> Ctx<'a> {
    /// The current session.
    pub fn session(&self) -> Option<&'a SessionIndex> {
        self.index.session(self.shared.session)
    }

    /// Colours and glyphs.
    pub fn theme(&self) -> &'a Theme {
        &self.shared.theme
    }

    /// The row the cursor is on.
    pub fn row(&self) -> Option<&'a Row> {
        self.session()?.rows.get(self.shared.cursor.row?)
    }

    /// A string of the index.
    pub fn text(&self, symbol: crate::analysis::index::Symbol) -> &'a str {
        self.index.strings.get(symbol)
    }

    /// Whether the filter takes a row of the current session; without a filter it takes all.
    pub fn takes(&self, row: usize) -> bool {
        match self.matches {
            Some(rows) => u32::try_from(row).is_ok_and(|row| rows.binary_search(&row).is_ok()),
            None => true,
        }
    }

    /// Number of rows in sight: those that the filter takes.
    pub fn visible_rows(&self) -> usize {
        match self.matches {
            Some(rows) => rows.len(),
            None => self.session().map_or(0, |session| session.rows.len()),
        }
    }

    /// Row number of the `nth` row in sight.
    pub fn nth_visible(&self, nth: usize) -> Option<usize> {
        match self.matches {
            Some(rows) => rows.get(nth).map(|row| *row as usize),
            None => (nth < self.session()?.rows.len()).then_some(nth),
        }
    }

    /// Where a row stands among those in sight, or where it would stand.
    pub fn visible_position(&self, row: usize) -> usize {
        match self.matches {
            Some(rows) => rows.partition_point(|r| (*r as usize) < row),
            None => row,
        }
    }

    /// First and last moment of the current session.
    pub fn span(&self) -> Option<Window> {
        let session = self.session()?;
        let from = session.session.time;
        let to = session.last.max(Timestamp(from.0.saturating_add(1_000_000)));
        Some(Window { from, to })
    }

    /// The stretch of time in sight.
    pub fn window(&self) -> Option<Window> {
        self.shared.window.or_else(|| self.span())
    }

    /// Seconds since the first packet of the capture.
    pub fn seconds(&self, time: Timestamp) -> f64 {
        time.seconds_since(self.index.epoch.unwrap_or(time))
    }
}

/// A file to write, of what the filter takes in the current session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportKind {
    /// The packets of the session.
    Pcapng,
    /// A playable file.
    Flv,
    /// A JSON object per message.
    Ndjson,
    /// A line per message, values separated by commas.
    Csv,
    /// The ladder as Mermaid text.
    Mermaid,
}

/// What a screen or the application wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Another screen comes up.
    Go(ScreenId),
    /// Back to the screen before.
    Back,
    /// Another session becomes the current one; the cursor goes to its beginning.
    Session(u32),
    /// The cursor goes to a row of the current session, and to its time.
    Row(usize),
    /// The cursor goes to a time; the row becomes the last one that is not later.
    Time(Timestamp),
    /// Another stretch of time comes in sight; `None` for all.
    Window(Option<Window>),
    /// The filter becomes this text; the empty text is none.
    Filter(String),
    /// Picks, or takes back, for comparison.
    Pick(Picked),
    /// This text goes to the clipboard. The second says what it is, for the status line.
    Copy(String, String),
    /// Writes a file.
    Export(ExportKind),
    /// A line for the status.
    Status(String),
    /// A line that says what went wrong.
    Trouble(String),
    /// Reads everything again, with or without secrets.
    Reload {
        /// Whether to show them.
        show_secrets: bool,
    },
    /// Clears the terminal and draws again.
    Redraw,
    /// Leaves the program.
    Quit,
}

/// What the mouse did, in cells of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down.
    Click(Position),
    /// It went down twice at the same place.
    DoubleClick(Position),
    /// It is held and the pointer moved.
    Drag {
        /// Where it went down.
        from: Position,
        /// Where the pointer is.
        to: Position,
    },
    /// It was let go after a drag.
    Drop {
        /// Where it went down.
        from: Position,
        /// Where it was let go.
        to: Position,
    },
    /// The wheel: lines down, negative for up.
    Wheel {
        /// Where the pointer is.
        at: Position,
        /// Lines.
        lines: i32,
        /// Whether Ctrl is held, which zooms.
        zoom: bool,
    },
}

/// A screen.
pub trait Screen {
    /// Which one it is.
    fn id(&self) -> ScreenId;

    /// Draws it. It may note where it drew what, to understand clicks, and keep the cursor in sight.
    fn draw(&mut self, ctx: &Ctx<'_>, frame: &mut Frame<'_>, area: Rect);

    /// Does what is asked, if it is for this screen; `None` when it is not.
    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Option<Vec<Effect>>;

    /// Does what the mouse asks.
    fn mouse(&mut self, _mouse: Mouse, _ctx: &Ctx<'_>) -> Vec<Effect> {
        Vec::new()
    }

    /// The most useful actions here, best first: they make the hint line.
    fn hints(&self, ctx: &Ctx<'_>) -> Vec<Action>;

    /// Whether it shows the message under the cursor whole.
    fn wants_detail(&self) -> bool {
        false
    }

    /// What can be copied here: what it is, and the text. Added to the copy menu.
    fn copies(&self, _ctx: &Ctx<'_>) -> Vec<(String, String)> {
        Vec::new()
    }
}
