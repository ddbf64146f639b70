//! A line that is being typed.

use ratatui::crossterm::event::KeyCode;

use super::keymap::Key;

/// Longest line, in characters: a paste of a file must not stop the program.
const MAX: usize = 4096;

/// Text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineEdit {
    text: String,
    /// Byte offset of the cursor.
    at: usize,
}

impl LineEdit {
    /// With the cursor at the end.
    pub fn new(text: impl Into<String>) -> LineEdit {
        let text = text.into();
        LineEdit { at: text.len(), text }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte offset of the cursor.
    pub fn cursor(&self) -> usize {
        self.at
    }

    /// Puts in text at the cursor.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() < MAX {
                self.text.insert(self.at, c);
                self.at += c.len_utf8();
            }
        }
    }

    /// Replaces a range of bytes; the cursor goes behind it.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        if self.text.get(range.clone()).is_some() {
            self.text.replace_range(range.clone(), text);
            self.at = range.start + text.len();
        }
    }

    /// Takes a key; false when it is none that edits.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match key.code() {
            KeyCode::Backspace => self.delete(self.before()..self.at),
            KeyCode::Delete => self.delete(self.at..self.after()),
            KeyCode::Left => self.at = self.before(),
            KeyCode::Right => self.at = self.after(),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = self.text.len(),
            _ if key.is_control('a') => self.at = 0,
            _ if key.is_control('e') => self.at = self.text.len(),
            _ if key.is_control('u') => self.delete(0..self.at),
            _ if key.is_control('k') => self.delete(self.at..self.text.len()),
            _ if key.is_control('w') => {
                let start = self.text[..self.at].trim_end();
                let start = start
                    .rfind(char::is_whitespace)
                    .map_or(0, |at| at + start[at..].chars().next().map_or(1, char::len_utf8));
                self.delete(start..self.at);
            }
            _ => return false,
        }
        true
    }

    fn delete(&mut self, range: std::ops::Range<usize>) {
        self.at = range.start;
        self.text.replace_range(range, "");
    }

    fn before(&self) -> usize {
        self.text[..self.at].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.at..].chars().next().map_or(self.at, |c| self.at + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_edit() {
        let mut line = LineEdit::new("xype vidéo  ");
        let press = |line: &mut LineEdit, keys: &[&str]| {
            for key in keys {
                assert!(line.key(key.parse().unwrap()), "{key}");
            }
        };
        press(&mut line, &["ctrl-w", "a", "home", "delete", "right", "backspace"]);
        assert_eq!((line.text(), line.cursor()), ("pe a", 0));
        press(&mut line, &["end", "left", "é", "ctrl-k"]);
        assert_eq!(line.text(), "pe é");
        press(&mut line, &["backspace", "ctrl-u"]);
        assert_eq!((line.text(), line.cursor()), ("", 0));
        assert!(!line.key("enter".parse().unwrap()));
    }
}
