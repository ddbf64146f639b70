//! Keys to actions, after the configuration had its say.

use std::fmt;

use super::key::Key;
use super::table::TABLE;
use crate::tui::action::Action;
use crate::tui::contract::ScreenId;

/// The keys of this run.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// Per row of [`TABLE`], its keys.
    keys: Vec<Vec<Key>>,
}

/// Why a binding of the configuration cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapError {
    /// The action's name as written.
    pub action: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for KeymapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.action, self.message)
    }
}

impl Default for Keymap {
    fn default() -> Keymap {
        let parse = |text: &&str| text.parse::<Key>().ok();
        let keys = TABLE.iter().map(|row| row.keys.iter().filter_map(parse).collect()).collect();
        Keymap { keys }
    }
}

impl Keymap {
    /// Gives an action other keys. Whoever had one of these keys on the same screens loses it.
    pub fn rebind(&mut self, action: &str, keys: &[String]) -> Result<(), KeymapError> {
        let error = |message| KeymapError { action: action.to_owned(), message };
        let at = TABLE.iter().position(|row| row.name == action).ok_or_else(|| {
            let near = nearest(action);
            error(format!("there is no such action; did you mean {near}?"))
        })?;
        let keys = keys
            .iter()
            .map(|key| key.parse::<Key>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(error)?;
        let screens = TABLE[at].screens;
        for (row, held) in TABLE.iter().zip(&mut self.keys) {
            if row.screens == screens {
                held.retain(|key| !keys.contains(key));
            }
        }
        self.keys[at] = keys;
        Ok(())
    }

    /// What a key asks for on a screen: what is special to the screen comes first.
    pub fn action(&self, key: Key, screen: ScreenId) -> Option<Action> {
        let rows = || TABLE.iter().zip(&self.keys).filter(|(_, keys)| keys.contains(&key));
        rows()
            .find(|(row, _)| row.screens.contains(&screen))
            .or_else(|| rows().find(|(row, _)| row.screens.is_empty()))
            .map(|(row, _)| row.action)
    }

    /// The keys of an action.
    pub fn keys(&self, action: Action) -> &[Key] {
        let at = TABLE.iter().position(|row| row.action == action);
        at.and_then(|at| self.keys.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The first key of an action as hints show it.
    pub fn label(&self, action: Action) -> Option<String> {
        self.keys(action).first().map(|key| key.label())
    }
}

/// The name that differs least.
fn nearest(name: &str) -> &'static str {
    let distance = |row: &&super::table::Binding| {
        let common = row.name.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        let letters = name.chars().filter(|c| row.name.contains(*c)).count();
        (common * 2 + letters, std::cmp::Reverse(row.name.len().abs_diff(name.len())))
    };
    TABLE.iter().max_by_key(distance).map_or("", |row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn every_default_key_is_one_and_reaches_its_action() {
        let map = Keymap::default();
        for (row, keys) in TABLE.iter().zip(&map.keys) {
            assert_eq!(row.keys.len(), keys.len(), "{}", row.name);
            for key in keys {
                let screen = row.screens.first().copied().unwrap_or(ScreenId::Tcp);
                assert_eq!(map.action(*key, screen), Some(row.action), "{key} {}", row.name);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_rebound_key_leaves_its_old_action() {
        let mut map = Keymap::default();
        map.rebind("quit-now", &["x".into(), "q".into()]).unwrap();
        assert_eq!(map.action(key("q"), ScreenId::Sessions), Some(Action::QuitNow));
        assert_eq!(map.action(key("Q"), ScreenId::Sessions), None);
        assert!(map.keys(Action::Quit).is_empty());
        let error = map.rebind("zoom-inn", &[]).unwrap_err();
        assert!(error.to_string().contains("zoom-in?"), "{error}");
        assert!(map.rebind("quit", &["hyper-q".into()]).is_err());
    }
}
