//! The table.

use crate::tui::action::Action;
use crate::tui::contract::ScreenId;

/// Where help lists an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Moving about.
    Move,
    /// Screens and panes.
    Screens,
    /// Finding things.
    Find,
    /// Time.
    Time,
    /// Marks and comparison.
    Marks,
    /// Taking something along.
    Output,
    /// The view itself.
    View,
}

impl Group {
    /// Heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Group::Move => "Moving",
            Group::Screens => "Screens and panes",
            Group::Find => "Finding",
            Group::Time => "Time",
            Group::Marks => "Marks and comparison",
            Group::Output => "Copy and export",
            Group::View => "View",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What happens.
    pub action: Action,
    /// Name in the palette and the configuration.
    pub name: &'static str,
    /// Keys unless the configuration says otherwise.
    pub keys: &'static [&'static str],
    /// Screens it is for; empty for all.
    pub screens: &'static [ScreenId],
    /// One or two words for the hint line.
    pub hint: &'static str,
    /// A line for the help.
    pub help: &'static str,
    /// Where help lists it.
    pub group: Group,
}

const ALL: &[ScreenId] = &[];

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    hint: &'static str,
    help: &'static str,
    group: Group,
) -> Binding {
    Binding { action, name, keys, screens: ALL, hint, help, group }
}

const fn go(screen: ScreenId, name: &'static str, keys: &'static [&'static str]) -> Binding {
    row(Action::Go(screen), name, keys, screen_hint(screen), screen_help(screen), Group::Screens)
}

const fn screen_hint(screen: ScreenId) -> &'static str {
    match screen {
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

const fn screen_help(screen: ScreenId) -> &'static str {
    match screen {
        ScreenId::Sessions => "Sessions: one line each",
        ScreenId::Timeline => "Timeline: lanes on one time axis",
        ScreenId::Ladder => "Ladder: commands as arrows between the peers",
        ScreenId::Messages => "Messages: table, decoded fields, bytes",
        ScreenId::Media => "Media: frames, GOPs, codec configurations",
        ScreenId::Flow => "Flow control: windows, acknowledgements, chunk sizes",
        ScreenId::Findings => "Findings: what is wrong and why",
        ScreenId::Tcp => "TCP and capture: loss, retransmission, decode confidence",
        ScreenId::Compare => "Compare: two sessions, step by step",
    }
}

use Action as A;
use Group as G;

/// Every action that a key or the palette can ask for.
pub const TABLE: &[Binding] = &[
    row(A::Up, "up", &["up", "k"], "up", "Up", G::Move),
    row(A::Down, "down", &["down", "j"], "down", "Down", G::Move),
    row(A::Left, "left", &["left", "h"], "left", "Left: a column, earlier, close a node", G::Move),
    row(
        A::Right,
        "right",
        &["right", "l"],
        "right",
        "Right: a column, later, open a node",
        G::Move,
    ),
    row(A::PageUp, "page-up", &["pageup", "ctrl-b"], "page up", "A page up", G::Move),
    row(A::PageDown, "page-down", &["pagedown"], "page down", "A page down", G::Move),
    row(A::HalfUp, "half-page-up", &["ctrl-u"], "half up", "Half a page up", G::Move),
    row(A::HalfDown, "half-page-down", &["ctrl-d"], "half down", "Half a page down", G::Move),
    row(A::Top, "top", &["g", "home"], "top", "To the beginning", G::Move),
    row(A::Bottom, "bottom", &["G", "end"], "bottom", "To the end", G::Move),
    row(A::Open, "open", &["enter"], "open", "Go down into what is selected", G::Move),
    row(A::Back, "back", &["esc", "backspace"], "back", "Go up; close what is open", G::Move),
    row(
        A::FollowReply,
        "follow-reply",
        &["f"],
        "reply",
        "From a command to its reply, and back",
        G::Move,
    ),
    row(
        A::NextKeyFrame,
        "next-key-frame",
        &["}"],
        "next key",
        "To the next key frame of video",
        G::Move,
    ),
    row(
        A::PreviousKeyFrame,
        "previous-key-frame",
        &["{"],
        "prev key",
        "To the key frame before",
        G::Move,
    ),
    row(
        A::NextFinding,
        "next-finding",
        &["]"],
        "next finding",
        "To the next finding, anomaly or gap",
        G::Move,
    ),
    row(
        A::PreviousFinding,
        "previous-finding",
        &["["],
        "prev finding",
        "To the finding, anomaly or gap before",
        G::Move,
    ),
    go(ScreenId::Sessions, "sessions", &["1"]),
    go(ScreenId::Timeline, "timeline", &["2"]),
    go(ScreenId::Ladder, "ladder", &["3"]),
    go(ScreenId::Messages, "messages", &["4"]),
    go(ScreenId::Media, "media", &["5"]),
    go(ScreenId::Flow, "flow", &["6"]),
    go(ScreenId::Findings, "findings", &["7"]),
    go(ScreenId::Tcp, "tcp", &["8"]),
    go(ScreenId::Compare, "comparison", &["9"]),
    row(A::NextPane, "next-pane", &["tab"], "pane", "Next pane", G::Screens),
    row(A::PreviousPane, "previous-pane", &["shift-tab"], "pane", "Pane before", G::Screens),
    row(
        A::Maximize,
        "maximize",
        &["\\"],
        "maximize",
        "Give the pane the whole screen, and back",
        G::Screens,
    ),
    row(A::NextSession, "next-session", &[")"], "next session", "Next session", G::Screens),
    row(
        A::PreviousSession,
        "previous-session",
        &["("],
        "prev session",
        "Session before",
        G::Screens,
    ),
    row(A::Fold, "fold", &["z"], "fold", "Open or close what is folded here", G::View),
    row(A::FoldAll, "fold-all", &["Z"], "fold all", "Open or close everything", G::View),
    row(A::Filter, "filter", &["/"], "filter", "Edit the filter", G::Find),
    row(
        A::ToggleFilter,
        "toggle-filter",
        &["F"],
        "filter off/on",
        "Switch the filter off and on",
        G::Find,
    ),
    row(A::Search, "search", &["ctrl-f"], "search", "Search values and bytes", G::Find),
    row(A::SearchNext, "search-next", &["n"], "next", "To the next place found", G::Find),
    row(
        A::SearchPrevious,
        "search-previous",
        &["N"],
        "previous",
        "To the place found before",
        G::Find,
    ),
    row(A::ZoomIn, "zoom-in", &["+"], "zoom in", "Less time in the same width", G::Time),
    row(A::ZoomOut, "zoom-out", &["-"], "zoom out", "More time in the same width", G::Time),
    row(A::ZoomFit, "zoom-fit", &["0"], "fit", "All of the session", G::Time),
    row(A::PanLeft, "pan-left", &["<", ","], "earlier", "Earlier", G::Time),
    row(A::PanRight, "pan-right", &[">", "."], "later", "Later", G::Time),
    row(
        A::TimeFormat,
        "time-format",
        &["t"],
        "times",
        "Times: since the start, since the row before, time of day, RTMP timestamp",
        G::Time,
    ),
    row(
        A::Clock,
        "clock",
        &["T"],
        "clock",
        "Axis of the timeline: capture time or RTMP timestamp",
        G::Time,
    ),
    row(A::Pause, "pause", &["p"], "pause", "Hold the view still; capture goes on", G::Time),
    row(A::AutoScroll, "auto-scroll", &["A"], "follow", "Keep the newest in sight", G::Time),
    row(A::Mark, "mark", &["m"], "mark", "Name this place by the letter typed next", G::Marks),
    row(
        A::JumpToMark,
        "jump-to-mark",
        &["'"],
        "jump",
        "To the place of the letter typed next; twice for the last place",
        G::Marks,
    ),
    row(A::Pick, "pick", &["space"], "pick", "Pick for comparison", G::Marks),
    row(A::Compare, "compare", &["="], "compare", "Compare what is picked", G::Marks),
    row(
        A::Copy,
        "copy",
        &["y"],
        "copy",
        "Copy: value, JSON, filter, bytes, command line",
        G::Output,
    ),
    row(
        A::Export,
        "export",
        &["e"],
        "export",
        "Write what the filter takes: pcapng, FLV, NDJSON, CSV, Mermaid",
        G::Output,
    ),
    row(A::Raw, "raw", &["r"], "raw", "Bytes: the message, or the chunks it came in", G::View),
    row(A::SortNext, "sort", &["s"], "sort", "Sort by the next column", G::View),
    row(A::SortReverse, "sort-reverse", &["S"], "reverse", "Sort the other way", G::View),
    row(A::Palette, "palette", &[":"], "commands", "Every action by its name", G::View),
    row(A::Help, "help", &["?", "f1"], "help", "This help", G::View),
    row(A::NextTheme, "next-theme", &[], "theme", "Next colour theme", G::View),
    row(
        A::RevealSecrets,
        "reveal-secrets",
        &[],
        "reveal",
        "Read again and show stream names and tokens; asks first",
        G::View,
    ),
    row(
        A::HideSecrets,
        "hide-secrets",
        &[],
        "hide",
        "Read again and hide stream names and tokens",
        G::View,
    ),
    row(A::Redraw, "redraw", &["ctrl-l"], "redraw", "Draw everything again", G::View),
    row(A::Quit, "quit", &["q"], "quit", "One screen up; from the top, leave", G::View),
    row(A::QuitNow, "quit-now", &["Q", "ctrl-c"], "quit now", "Leave", G::View),
];

/// The row of an action.
pub fn binding(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|row| row.action == action)
}
