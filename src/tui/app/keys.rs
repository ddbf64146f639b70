//! Keys to actions, and what the lines and menus above the screen make of keys.

use ratatui::crossterm::event::KeyCode;

use super::filter::candidates;
use super::overlay::{Overlay, fitting, in_palette};
use super::state::{App, Outcome};
use crate::tui::action::Action;
use crate::tui::contract::{Effect, Mark};
use crate::tui::keymap::Key;
use crate::tui::line::LineEdit;
use crate::tui::loader::Data;

impl App {
    /// Takes a key.
    pub fn key(&mut self, key: Key, data: &Data) -> Vec<Outcome> {
        self.status = None;
        // Whoever presses keys does not wait for the place asked for at the start any more.
        self.goal = None;
        if self.keymap.action(key, self.screen) == Some(Action::QuitNow) && key.typed().is_none() {
            return vec![Outcome::Quit];
        }
        match std::mem::take(&mut self.overlay) {
            Overlay::None => match self.keymap.action(key, self.screen) {
                Some(action) => self.act(action, data),
                None => Vec::new(),
            },
            Overlay::Filter { line, candidates, chosen, history } => {
                self.filter_key(key, line, candidates, chosen, history, data)
            }
            Overlay::Search(line) => self.search_key(key, line),
            Overlay::Palette { line, selected } => self.list_key(key, line, selected, true, data),
            Overlay::Help { line, selected } => self.list_key(key, line, selected, false, data),
            Overlay::Menu { title, items, selected } => {
                let picked = key
                    .typed()
                    .and_then(|c| items.iter().find(|item| item.key == c))
                    .or_else(|| items.get(selected).filter(|_| key.code() == KeyCode::Enter));
                if let Some(item) = picked {
                    let effect = item.effect.clone();
                    return self.apply(vec![effect], data);
                }
                let last = items.len().saturating_sub(1);
                let selected = match key.code() {
                    KeyCode::Down | KeyCode::Tab => (selected + 1).min(last),
                    KeyCode::Up | KeyCode::BackTab => selected.saturating_sub(1),
                    KeyCode::Char('j') => (selected + 1).min(last),
                    KeyCode::Char('k') => selected.saturating_sub(1),
                    _ => return Vec::new(),
                };
                self.overlay = Overlay::Menu { title, items, selected };
                Vec::new()
            }
            Overlay::Path { kind, mut line } => match key.code() {
                KeyCode::Enter if !line.text().trim().is_empty() => vec![Outcome::Export {
                    kind,
                    path: line.text().trim().to_owned(),
                    session: self.shared.session,
                }],
                KeyCode::Esc => Vec::new(),
                _ => {
                    line.key(key);
                    self.overlay = Overlay::Path { kind, line };
                    Vec::new()
                }
            },
            Overlay::Confirm { effect, .. } => match key.typed() {
                Some('y' | 'Y') => self.apply(vec![effect], data),
                _ => {
                    self.say("nothing done");
                    Vec::new()
                }
            },
            Overlay::Mark => {
                if let Some(c) = key.typed().filter(|c| c.is_alphanumeric()) {
                    let place = self.place();
                    self.shared.marks.insert(c, place);
                    self.say(format!("marked {c}; '{c} comes back here"));
                }
                Vec::new()
            }
            Overlay::Jump => {
                let mark = match key.typed() {
                    Some('\'') => self.last_place,
                    Some(c) => self.shared.marks.get(&c).copied(),
                    None => None,
                };
                match mark {
                    Some(mark) => self.jump(mark, data),
                    None => {
                        self.trouble("there is no such mark; m and a letter make one");
                    }
                }
                Vec::new()
            }
        }
    }

    /// Takes pasted text: lines take it, screens do not.
    pub fn paste(&mut self, text: &str, data: &Data) {
        let line = match &mut self.overlay {
            Overlay::Filter { line, .. }
            | Overlay::Search(line)
            | Overlay::Palette { line, .. }
            | Overlay::Help { line, .. }
            | Overlay::Path { line, .. } => line,
            _ => return,
        };
        line.insert(text.lines().next().unwrap_or_default());
        if let Overlay::Filter { line, .. } = &self.overlay {
            let line = line.clone();
            self.typed(line, data);
        }
    }

    fn jump(&mut self, mark: Mark, data: &Data) {
        let here = self.place();
        self.go(mark.screen);
        self.apply(vec![Effect::Session(mark.session)], data);
        self.shared.cursor = mark.cursor;
        self.keep_in_window();
        self.last_place = Some(here);
    }

    fn search_key(&mut self, key: Key, mut line: LineEdit) -> Vec<Outcome> {
        match key.code() {
            KeyCode::Esc => self.search.cancel(),
            KeyCode::Enter => {
                let from = (self.shared.session, self.shared.cursor.row.unwrap_or(0));
                if let Err(error) = self.search.begin(line.text(), from) {
                    self.trouble(error);
                    self.overlay = Overlay::Search(line);
                }
            }
            _ => {
                line.key(key);
                self.overlay = Overlay::Search(line);
            }
        }
        Vec::new()
    }

    fn filter_key(
        &mut self,
        key: Key,
        mut line: LineEdit,
        offered: Vec<crate::analysis::filter::Candidate>,
        chosen: Option<usize>,
        history: usize,
        data: &Data,
    ) -> Vec<Outcome> {
        let turn = |by: isize| -> Option<usize> {
            let n = offered.len() as isize;
            let from = chosen.map_or(if by > 0 { -1 } else { 0 }, |at| at as isize);
            (n > 0).then(|| (from + by).rem_euclid(n) as usize)
        };
        match key.code() {
            KeyCode::Esc => {
                self.filter.end_draft();
                return Vec::new();
            }
            KeyCode::Enter => match chosen.and_then(|at| offered.get(at)) {
                Some(candidate) => {
                    line.replace(candidate.replace.clone(), &candidate.text);
                    self.typed(line, data);
                }
                None => match self.filter.set(line.text()) {
                    Ok(()) => {
                        self.filter.end_draft();
                        self.filtered();
                    }
                    Err(error) => {
                        self.filter.draft(line.text());
                        self.trouble(error.to_string());
                        self.overlay =
                            Overlay::Filter { line, candidates: offered, chosen: None, history };
                    }
                },
            },
            KeyCode::Tab if offered.len() == 1 => {
                line.replace(offered[0].replace.clone(), &offered[0].text);
                self.typed(line, data);
            }
            KeyCode::Tab | KeyCode::BackTab => {
                let chosen = turn(if key.code() == KeyCode::Tab { 1 } else { -1 });
                self.overlay = Overlay::Filter { line, candidates: offered, chosen, history };
            }
            KeyCode::Up | KeyCode::Down if chosen.is_some() => {
                let chosen = turn(if key.code() == KeyCode::Down { 1 } else { -1 });
                self.overlay = Overlay::Filter { line, candidates: offered, chosen, history };
            }
            KeyCode::Up | KeyCode::Down => {
                let entries = self.filter.history();
                let at = match key.code() {
                    KeyCode::Up => history.saturating_sub(1),
                    _ => (history + 1).min(entries.len()),
                };
                let line = LineEdit::new(entries.get(at).cloned().unwrap_or_default());
                self.typed(line, data);
                if let Overlay::Filter { history, .. } = &mut self.overlay {
                    *history = at;
                }
            }
            _ => {
                line.key(key);
                self.typed(line, data);
            }
        }
        Vec::new()
    }

    /// The filter line changed.
    pub(super) fn typed(&mut self, line: LineEdit, data: &Data) {
        self.filter.draft(line.text());
        let candidates = candidates(line.text(), line.cursor(), &data.index, self.shared.session);
        let history = self.filter.history().len();
        self.overlay = Overlay::Filter { line, candidates, chosen: None, history };
    }

    fn list_key(
        &mut self,
        key: Key,
        mut line: LineEdit,
        mut selected: usize,
        is_palette: bool,
        data: &Data,
    ) -> Vec<Outcome> {
        let rows: Vec<_> =
            fitting(line.text()).into_iter().filter(|row| !is_palette || in_palette(row)).collect();
        let last = rows.len().saturating_sub(1);
        match key.code() {
            KeyCode::Esc => return Vec::new(),
            KeyCode::Enter => {
                return match rows.get(selected) {
                    Some(row) => self.act(row.action, data),
                    None => Vec::new(),
                };
            }
            KeyCode::Down | KeyCode::Tab => selected = (selected + 1).min(last),
            KeyCode::Up | KeyCode::BackTab => selected = selected.saturating_sub(1),
            KeyCode::PageDown => selected = (selected + 10).min(last),
            KeyCode::PageUp => selected = selected.saturating_sub(10),
            _ => {
                if line.key(key) {
                    selected = 0;
                }
            }
        }
        self.overlay = match is_palette {
            true => Overlay::Palette { line, selected },
            false => Overlay::Help { line, selected },
        };
        Vec::new()
    }
}
