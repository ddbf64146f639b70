//! What goes on between keys: filters and searches, new messages, the message under the cursor.

use super::search::Found;
use super::state::{App, LoadState};
use crate::tui::contract::{Cursor, Effect};
use crate::tui::detail::{Detail, Details};
use crate::tui::loader::Data;

impl App {
    /// A slice of work; true when there is more that should not wait for a key.
    pub fn tick(&mut self, data: &Data, details: &mut dyn Details) -> bool {
        let mut more = self.filter.advance(&data.index);
        self.settle(data);
        if self.search.is_running() {
            more = true;
            let number = self.shared.session;
            let rows = self.filter.matches(number);
            match self.search.advance(data, rows, details) {
                Found::Nothing => {}
                Found::Row(row, _) => {
                    self.apply(vec![Effect::Row(row)], data);
                    self.say(format!("{}: found; n goes on", self.search.text()));
                }
                Found::Never => {
                    let text = self.search.text().to_owned();
                    self.trouble(format!("{text}: not in the messages of this session"));
                }
            }
        }
        self.fetch_detail(data, details);
        more
    }

    /// Says how far reading is.
    pub fn set_load(&mut self, load: LoadState) {
        self.load = load;
    }

    /// A first session, the place asked for, the newest row.
    fn settle(&mut self, data: &Data) {
        if self.shared.session == 0 && !data.index.sessions.is_empty() {
            let wanted = self.goal.map_or(1, |(session, _)| session);
            if data.index.session(wanted).is_some() {
                self.apply(vec![Effect::Session(wanted)], data);
            } else if data.done {
                self.trouble(format!("there is no session {wanted}"));
                self.goal = None;
                self.apply(vec![Effect::Session(1)], data);
            }
        }
        let Some(session) = data.index.session(self.shared.session) else { return };
        if let Some((number, row)) = self.goal
            && number == self.shared.session
        {
            match row {
                Some(row) if row < session.rows.len() => {
                    self.goal = None;
                    self.apply(vec![Effect::Row(row)], data);
                }
                Some(row) if data.done => {
                    self.goal = None;
                    self.trouble(format!("session {number} has no row {}", row + 1));
                }
                Some(_) => {}
                None => self.goal = None,
            }
        }
        if self.shared.cursor.row.is_none() && self.goal.is_none() && !session.rows.is_empty() {
            let time = self.shared.cursor.time.unwrap_or(session.session.time);
            self.shared.cursor = Cursor { time: Some(time), row: Some(0) };
        }
        if self.goal.is_none()
            && let Some(rows) = self.filter.matches(self.shared.session)
            && let Some(row) = self.shared.cursor.row.and_then(|row| u32::try_from(row).ok())
            && let Err(at) = rows.binary_search(&row)
            && let Some(next) = rows.get(at).or(rows.last())
        {
            // A row that the filter hides cannot be under the cursor.
            let next = *next as usize;
            self.apply(vec![Effect::Row(next)], data);
        }
        if self.shared.follow
            && !self.shared.paused
            && let Some(last) = session.rows.len().checked_sub(1)
        {
            let last = match self.filter.matches(self.shared.session) {
                Some(rows) => rows.last().map(|row| *row as usize),
                None => Some(last),
            };
            if let Some(last) = last.filter(|last| self.shared.cursor.row != Some(*last)) {
                self.apply(vec![Effect::Row(last)], data);
            }
        }
    }

    fn fetch_detail(&mut self, data: &Data, details: &mut dyn Details) {
        if !self.current().is_some_and(|screen| screen.wants_detail()) {
            return;
        }
        let (number, Some(row)) = (self.shared.session, self.shared.cursor.row) else { return };
        let there = self.detail.as_ref().is_some_and(|d| (d.session, d.row) == (number, row));
        if there || data.index.session(number).is_none() {
            return;
        }
        self.detail = Some(match details.detail(data, number, row) {
            Ok(detail) => detail,
            Err(trouble) => Detail::failed(number, row, trouble),
        });
    }
}
