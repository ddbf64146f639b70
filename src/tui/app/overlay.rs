//! What lies above the screen: lines to type into, menus, questions.

use crate::analysis::filter::Candidate;
use crate::tui::action::Action;
use crate::tui::contract::Effect;
use crate::tui::keymap::{Binding, TABLE};
use crate::tui::line::LineEdit;

/// A line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub struct MenuItem {
    /// Key that picks it.
    pub key: char,
    /// What it is.
    pub label: String,
    /// What it would give: shown beside it.
    pub preview: String,
    /// What happens.
    pub effect: Effect,
}

/// What lies above the screen.
#[derive(Clone, Debug, Default)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The filter is typed.
    Filter {
        /// The line.
        line: LineEdit,
        /// What could be typed next.
        candidates: Vec<Candidate>,
        /// Which of them is chosen.
        chosen: Option<usize>,
        /// Position in the history; its length when at the line itself.
        history: usize,
    },
    /// What is searched for is typed.
    Search(LineEdit),
    /// Actions by name.
    Palette {
        /// What is typed.
        line: LineEdit,
        /// Selected line.
        selected: usize,
    },
    /// Keys.
    Help {
        /// What is typed to narrow it down.
        line: LineEdit,
        /// Selected line.
        selected: usize,
    },
    /// Things to choose from.
    Menu {
        /// Heading.
        title: &'static str,
        /// The things.
        items: Vec<MenuItem>,
        /// Selected line.
        selected: usize,
    },
    /// The path of a file to be written is typed.
    Path {
        /// What is to be written.
        kind: crate::tui::contract::ExportKind,
        /// The path.
        line: LineEdit,
    },
    /// A question that `y` answers with yes.
    Confirm {
        /// The question.
        question: String,
        /// What happens then.
        effect: Effect,
    },
    /// The next key names a mark.
    Mark,
    /// The next key names the mark to go to.
    Jump,
}

/// Rows of the table that fit what was typed, best first: all of its words occur in name, keys or
/// help.
pub fn fitting(typed: &str) -> Vec<&'static Binding> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let rank = |row: &Binding| -> Option<usize> {
        let help = row.help.to_lowercase();
        let all = words
            .iter()
            .all(|word| row.name.contains(word) || help.contains(word) || row.keys.contains(word));
        let first = words.first().copied().unwrap_or_default();
        all.then(|| match () {
            () if words.is_empty() => 0,
            () if row.name == typed => 0,
            () if row.keys.contains(&first) => 1,
            () if row.name.starts_with(first) => 2,
            () if row.name.contains(first) => 3,
            () => 4,
        })
    };
    let mut rows: Vec<(usize, &Binding)> =
        TABLE.iter().filter_map(|row| Some((rank(row)?, row))).collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Whether the palette offers an action: those that only make sense with a hand on the keys are
/// left to help.
pub fn in_palette(row: &Binding) -> bool {
    !matches!(
        row.action,
        Action::Up | Action::Down | Action::Left | Action::Right | Action::Palette | Action::Back
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_down() {
        assert_eq!(fitting("").len(), TABLE.len());
        assert_eq!(fitting("zoom fit")[0].action, Action::ZoomFit);
        assert_eq!(fitting("reveal")[0].action, Action::RevealSecrets);
        assert_eq!(fitting("pcapng")[0].action, Action::Export);
        assert!(fitting("xyzzy").is_empty());
    }
}
