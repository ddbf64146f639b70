//! Colours and glyphs.
//!
//! Every colour has a glyph, letter or word beside it, so that nothing is lost without colour. The
//! default theme uses the terminal's own sixteen colours: whoever chose these can read them.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Text of less weight.
    Dim,
    /// Headings, the current tab.
    Title,
    /// The selected line of the pane that has the focus.
    Selected,
    /// The selected line of another pane.
    SelectedDim,
    /// Border of a pane.
    Border,
    /// Border of the pane that has the focus.
    BorderFocus,
    /// A key in hints and help.
    Key,
    /// A name in a tree.
    Name,
    /// A value in a tree.
    Value,
    /// From the client.
    Client,
    /// From the server.
    Server,
    /// Video messages.
    Video,
    /// Key frames.
    KeyFrame,
    /// Audio messages.
    Audio,
    /// Commands.
    Command,
    /// Protocol control and user control.
    Control,
    /// Data messages and shared objects.
    Data,
    /// Errors, refusals.
    Error,
    /// Warnings, what is odd.
    Warning,
    /// Notes.
    Note,
    /// Success, a valid filter.
    Good,
    /// Missing bytes.
    Gap,
    /// What a search found; highlighted bytes.
    Match,
    /// Marks and picks.
    Mark,
    /// The time axis.
    Axis,
    /// The cursor in time.
    Cursor,
}

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// The terminal's own sixteen colours.
    #[default]
    Terminal,
    /// For dark backgrounds, 24-bit.
    Dark,
    /// For light backgrounds, 24-bit.
    Light,
    /// Told apart with any colour vision (the palette of Okabe and Ito).
    ColorBlind,
    /// No colours: bold, underlined, reversed.
    Mono,
}

impl ThemeName {
    /// All of them.
    pub const ALL: [ThemeName; 5] = [
        ThemeName::Terminal,
        ThemeName::Dark,
        ThemeName::Light,
        ThemeName::ColorBlind,
        ThemeName::Mono,
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            ThemeName::Terminal => "terminal",
            ThemeName::Dark => "dark",
            ThemeName::Light => "light",
            ThemeName::ColorBlind => "color-blind",
            ThemeName::Mono => "mono",
        }
    }

    /// The theme of that name.
    pub fn from_name(name: &str) -> Option<ThemeName> {
        ThemeName::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The one after it.
    pub fn next(self) -> ThemeName {
        let at = ThemeName::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        ThemeName::ALL[(at + 1) % ThemeName::ALL.len()]
    }
}

/// Characters to draw with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Bars from empty to full: nine heights.
    pub bars: [&'static str; 9],
    /// Arrow from left to right, and back.
    pub right: &'static str,
    /// Arrow from right to left.
    pub left: &'static str,
    /// Up.
    pub up: &'static str,
    /// Down.
    pub down: &'static str,
    /// A horizontal line.
    pub horizontal: &'static str,
    /// A vertical line.
    pub vertical: &'static str,
    /// A tick of an axis.
    pub tick: &'static str,
    /// Shades from light to dark.
    pub shades: [&'static str; 3],
    /// A dot: an event.
    pub dot: &'static str,
    /// A failure.
    pub cross: &'static str,
    /// A success.
    pub check: &'static str,
    /// Something left out.
    pub ellipsis: &'static str,
    /// An open node of a tree.
    pub open: &'static str,
    /// A closed node of a tree.
    pub closed: &'static str,
    /// Missing bytes.
    pub gap: &'static str,
    /// A mark or pick.
    pub mark: &'static str,
    /// Between two things of one line.
    pub separator: &'static str,
    /// Minus.
    pub minus: &'static str,
}

/// With Unicode.
pub const UNICODE: Glyphs = Glyphs {
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    right: "→",
    left: "←",
    up: "▲",
    down: "▼",
    horizontal: "─",
    vertical: "│",
    tick: "┬",
    shades: ["░", "▒", "▓"],
    dot: "●",
    cross: "✗",
    check: "✓",
    ellipsis: "…",
    open: "▾",
    closed: "▸",
    gap: "~",
    mark: "◆",
    separator: "·",
    minus: "−",
};

/// With ASCII only.
pub const ASCII: Glyphs = Glyphs {
    bars: [" ", ".", ".", ":", ":", "=", "=", "#", "#"],
    right: ">",
    left: "<",
    up: "^",
    down: "v",
    horizontal: "-",
    vertical: "|",
    tick: "+",
    shades: [".", ":", "#"],
    dot: "*",
    cross: "x",
    check: "ok",
    ellipsis: "..",
    open: "-",
    closed: "+",
    gap: "~",
    mark: "@",
    separator: ".",
    minus: "-",
};

/// Colours and glyphs of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Which colours.
    pub name: ThemeName,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
}

impl Default for Theme {
    fn default() -> Theme {
        Theme { name: ThemeName::Terminal, ascii: false }
    }
}

impl Theme {
    /// Characters to draw with.
    pub fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }

    /// How a piece of the screen looks.
    pub fn style(&self, role: Role) -> Style {
        let plain = Style::new();
        let shape = shape(role, self.name == ThemeName::Mono);
        let colour = match self.name {
            ThemeName::Mono => None,
            ThemeName::Terminal => terminal(role),
            ThemeName::Dark => dark(role),
            ThemeName::Light => light(role),
            ThemeName::ColorBlind => color_blind(role),
        };
        let style = colour.map_or(plain, |colour| plain.fg(colour));
        style.add_modifier(shape)
    }
}

fn shape(role: Role, mono: bool) -> Modifier {
    match role {
        Role::Title | Role::BorderFocus | Role::Key => Modifier::BOLD,
        Role::Selected | Role::Cursor | Role::Match => Modifier::REVERSED,
        Role::SelectedDim => Modifier::UNDERLINED,
        Role::KeyFrame | Role::Error | Role::Mark => Modifier::BOLD,
        Role::Dim | Role::Border if mono => Modifier::DIM,
        Role::Warning | Role::Gap if mono => Modifier::UNDERLINED,
        _ => Modifier::empty(),
    }
}

fn terminal(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Value | Role::Selected | Role::SelectedDim | Role::Cursor => {
            return None;
        }
        Role::Title => return None,
        Role::Dim | Role::Border | Role::Axis => Color::DarkGray,
        Role::BorderFocus | Role::Key | Role::Name | Role::Client => Color::Cyan,
        Role::Server | Role::Audio => Color::Magenta,
        Role::Video | Role::Note => Color::Blue,
        Role::KeyFrame => Color::LightBlue,
        Role::Command | Role::Good => Color::Green,
        Role::Control | Role::Warning | Role::Match | Role::Gap => Color::Yellow,
        Role::Data => Color::LightCyan,
        Role::Error => Color::Red,
        Role::Mark => Color::LightMagenta,
    })
}

fn dark(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Value | Role::SelectedDim => Color::Rgb(0xd0, 0xd0, 0xd8),
        Role::Title => Color::Rgb(0xff, 0xff, 0xff),
        Role::Selected | Role::Cursor => Color::Rgb(0xa8, 0xc8, 0xff),
        Role::Dim | Role::Border | Role::Axis => Color::Rgb(0x80, 0x80, 0x8c),
        Role::BorderFocus | Role::Key | Role::Name | Role::Client => Color::Rgb(0x6c, 0xc8, 0xe0),
        Role::Server | Role::Audio => Color::Rgb(0xd8, 0x9c, 0xf0),
        Role::Video | Role::Note => Color::Rgb(0x82, 0xaa, 0xff),
        Role::KeyFrame => Color::Rgb(0xb0, 0xd0, 0xff),
        Role::Command | Role::Good => Color::Rgb(0x8c, 0xd8, 0x8c),
        Role::Control | Role::Warning | Role::Match | Role::Gap => Color::Rgb(0xf0, 0xc6, 0x6c),
        Role::Data => Color::Rgb(0x8c, 0xe0, 0xd0),
        Role::Error => Color::Rgb(0xff, 0x7b, 0x72),
        Role::Mark => Color::Rgb(0xff, 0x9c, 0xd8),
    })
}

fn light(role: Role) -> Option<Color> {
    Some(match role {
        Role::Text | Role::Value | Role::SelectedDim => Color::Rgb(0x20, 0x20, 0x28),
        Role::Title => Color::Rgb(0, 0, 0),
        Role::Selected | Role::Cursor => Color::Rgb(0x10, 0x40, 0x90),
        Role::Dim | Role::Border | Role::Axis => Color::Rgb(0x70, 0x70, 0x78),
        Role::BorderFocus | Role::Key | Role::Name | Role::Client => Color::Rgb(0x00, 0x60, 0x78),
        Role::Server | Role::Audio => Color::Rgb(0x80, 0x20, 0x98),
        Role::Video | Role::Note => Color::Rgb(0x10, 0x48, 0xb0),
        Role::KeyFrame => Color::Rgb(0x00, 0x28, 0x90),
        Role::Command | Role::Good => Color::Rgb(0x10, 0x68, 0x20),
        Role::Control | Role::Warning | Role::Match | Role::Gap => Color::Rgb(0x8a, 0x58, 0x00),
        Role::Data => Color::Rgb(0x00, 0x60, 0x50),
        Role::Error => Color::Rgb(0xb0, 0x10, 0x10),
        Role::Mark => Color::Rgb(0xa0, 0x10, 0x70),
    })
}

fn color_blind(role: Role) -> Option<Color> {
    const ORANGE: Color = Color::Rgb(0xe6, 0x9f, 0x00);
    const SKY: Color = Color::Rgb(0x56, 0xb4, 0xe9);
    const GREEN: Color = Color::Rgb(0x00, 0x9e, 0x73);
    const YELLOW: Color = Color::Rgb(0xf0, 0xe4, 0x42);
    const VERMILION: Color = Color::Rgb(0xd5, 0x5e, 0x00);
    const PURPLE: Color = Color::Rgb(0xcc, 0x79, 0xa7);
    Some(match role {
        Role::Text | Role::Value | Role::Selected | Role::SelectedDim | Role::Cursor => {
            return None;
        }
        Role::Title => return None,
        Role::Dim | Role::Border | Role::Axis => Color::DarkGray,
        Role::BorderFocus | Role::Key | Role::Name | Role::Client => SKY,
        Role::Server | Role::Audio | Role::Mark => PURPLE,
        Role::Video | Role::KeyFrame | Role::Note => SKY,
        Role::Command | Role::Good | Role::Data => GREEN,
        Role::Control | Role::Match => YELLOW,
        Role::Warning | Role::Gap => ORANGE,
        Role::Error => VERMILION,
    })
}
