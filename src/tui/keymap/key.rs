//! A key as people write it: `q`, `G`, `ctrl-f`, `space`, `f1`.

use std::fmt;
use std::str::FromStr;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is part of the character where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    control: bool,
    alt: bool,
}

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("insert", KeyCode::Insert),
    ("delete", KeyCode::Delete),
];

impl Key {
    /// A key of its own.
    pub fn plain(code: KeyCode) -> Key {
        Key { code, control: false, alt: false }
    }

    /// Its code.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// The character it types into a line; `None` with Ctrl or Alt.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.control && !self.alt => Some(c),
            _ => None,
        }
    }

    /// Whether it is this character with Ctrl.
    pub fn is_control(self, c: char) -> bool {
        self.control && self.code == KeyCode::Char(c)
    }

    /// What help shows: short, as on the key.
    pub fn label(self) -> String {
        match self.to_string().as_str() {
            "pageup" => "PgUp".into(),
            "backspace" => "BkSp".into(),
            "pagedown" => "PgDn".into(),
            name if name.chars().count() == 1 => name.to_owned(),
            name if !self.control && !self.alt => {
                let mut chars = name.chars();
                chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
            }
            name => name.replace("ctrl-", "^").replace("alt-", "M-"),
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Key {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Key { code, control, alt }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "f{n}"),
            _ => f.write_str("?"),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let wrong = || {
            format!(
                "there is no key {text:?}: write one character, ctrl-x, alt-x, f1 or a name such as enter, space, pageup"
            )
        };
        let mut key = Key { code: KeyCode::Null, control: false, alt: false };
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-") {
                (key.control, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (key.alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let named = rest.to_ascii_lowercase();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMES.iter().find(|(name, _)| *name == named) {
                Some((_, code)) => *code,
                None => named
                    .strip_prefix('f')
                    .and_then(|n| n.parse().ok())
                    .filter(|n| (1..=12).contains(n))
                    .map(KeyCode::F)
                    .ok_or_else(wrong)?,
            },
        };
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["q", "G", "ctrl-f", "alt-x", "space", "enter", "shift-tab", "f5", "'", "\\"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        for wrong in ["", "ctrl-", "f13", "qq", "hyper-x"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_are_short() {
        let label = |text: &str| text.parse::<Key>().unwrap().label();
        assert_eq!(["q", "ctrl-f", "enter", "pageup"].map(label), ["q", "^f", "Enter", "PgUp"]);
    }
}
