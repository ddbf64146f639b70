//! What a key, a click or a line of the palette asks for.

use super::contract::ScreenId;

/// Something a person can ask for. [`super::keymap::TABLE`] has each one's name, keys and help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left: a column, a step in time, a fold closed.
    Left,
    /// One to the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// To the first line or the earliest time.
    Top,
    /// To the last line or the latest time.
    Bottom,
    /// Goes down into what is selected.
    Open,
    /// Goes up; closes what is open.
    Back,
    /// The next pane of the screen.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// Gives the pane all of the screen, and back.
    Maximize,
    /// Another screen.
    Go(ScreenId),
    /// The session after this one.
    NextSession,
    /// The session before this one.
    PreviousSession,
    /// Edits the filter.
    Filter,
    /// Switches the last filter off and on.
    ToggleFilter,
    /// Edits what is searched for.
    Search,
    /// To the next place that holds it.
    SearchNext,
    /// To the place before.
    SearchPrevious,
    /// To the next finding or anomaly.
    NextFinding,
    /// To the finding or anomaly before.
    PreviousFinding,
    /// To the next key frame.
    NextKeyFrame,
    /// To the key frame before.
    PreviousKeyFrame,
    /// From a command to its reply, and from a reply to its command.
    FollowReply,
    /// Less time in the same width.
    ZoomIn,
    /// More time in the same width.
    ZoomOut,
    /// All of the session.
    ZoomFit,
    /// Earlier.
    PanLeft,
    /// Later.
    PanRight,
    /// Names this place by a letter.
    Mark,
    /// Goes to a named place.
    JumpToMark,
    /// Marks for comparison.
    Pick,
    /// Compares what is marked.
    Compare,
    /// Another way to write times.
    TimeFormat,
    /// Capture time or RTMP timestamp on the axis.
    Clock,
    /// Holds the view still while capture goes on.
    Pause,
    /// Keeps the newest in sight.
    AutoScroll,
    /// The menu of what can be copied.
    Copy,
    /// The menu of what can be written to a file.
    Export,
    /// Bytes with or without their chunk headers.
    Raw,
    /// Sorts by the next column.
    SortNext,
    /// Sorts the other way.
    SortReverse,
    /// Opens or closes what is folded here.
    Fold,
    /// Opens or closes all.
    FoldAll,
    /// All actions by name.
    Palette,
    /// Keys and what they do.
    Help,
    /// The next colour theme.
    NextTheme,
    /// Reads again and shows stream names and tokens as they are.
    RevealSecrets,
    /// Reads again and hides them.
    HideSecrets,
    /// Draws everything again.
    Redraw,
    /// One screen up; leaves from the top.
    Quit,
    /// Leaves.
    QuitNow,
}
