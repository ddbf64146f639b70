//! The filter: what is typed, what is on, what it takes.

use crate::analysis::filter::{Candidate, Field, Filter, FilterError, Scan, complete};
use crate::analysis::index::Index;

/// Rows looked at in one go; a screen is drawn in between.
const SLICE: usize = 20_000;
/// Filters remembered.
const MAX_HISTORY: usize = 50;
/// Most values of the capture offered for a field.
const MAX_SEEN: usize = 200;

/// The filter of all message lists.
#[derive(Clone, Debug, Default)]
pub struct FilterState {
    /// The last one entered; stays when it is switched off.
    text: String,
    on: bool,
    scan: Option<Scan>,
    /// What is being typed, counted while it is typed.
    draft: Option<Scan>,
    pub(super) draft_error: Option<FilterError>,
    history: Vec<String>,
}

impl FilterState {
    /// Takes a filter; the empty text is none.
    pub fn set(&mut self, text: &str) -> Result<(), FilterError> {
        let text = text.trim();
        if text.is_empty() {
            self.on = false;
            self.text.clear();
            self.scan = None;
            return Ok(());
        }
        let filter = Filter::parse(text)?;
        let counted = self.draft.take().filter(|draft| draft.filter().text() == filter.text());
        self.scan = Some(counted.unwrap_or_else(|| Scan::new(filter)));
        self.on = true;
        self.text = text.to_owned();
        self.history.retain(|old| old != text);
        self.history.push(text.to_owned());
        if self.history.len() > MAX_HISTORY {
            self.history.remove(0);
        }
        Ok(())
    }

    /// Switches it off or on; false when there is none.
    pub fn toggle(&mut self) -> bool {
        let exists = self.scan.is_some();
        self.on = exists && !self.on;
        exists
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The text of the last filter, on or off.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, when it is on.
    pub fn active(&self) -> Option<&str> {
        self.on.then_some(self.text.as_str())
    }

    /// The filter, when it is on.
    pub fn filter(&self) -> Option<&Filter> {
        self.scan.as_ref().filter(|_| self.on).map(Scan::filter)
    }

    /// Rows of a session it takes; `None` while it is off.
    pub fn matches(&self, session: u32) -> Option<&[u32]> {
        self.scan.as_ref().filter(|_| self.on).map(|scan| scan.matches(session))
    }

    /// Filters entered before, oldest first.
    pub fn history(&self) -> &[String] {
        &self.history
    }

    /// Looks at what is typed now.
    pub(super) fn draft(&mut self, text: &str) {
        self.draft_error = None;
        if text.trim().is_empty() {
            self.draft = None;
            return;
        }
        match Filter::parse(text.trim()) {
            Ok(filter) => {
                let same = self.draft.as_ref().is_some_and(|d| d.filter().text() == filter.text());
                if !same {
                    self.draft = Some(Scan::new(filter));
                }
            }
            Err(error) => {
                self.draft = None;
                self.draft_error = Some(error);
            }
        }
    }

    /// Why what is typed is none.
    pub fn draft_error(&self) -> Option<&FilterError> {
        self.draft_error.as_ref()
    }

    /// Matches of what is typed in a session, so far.
    pub fn draft_matches(&self, session: u32) -> Option<usize> {
        self.draft.as_ref().map(|draft| draft.matches(session).len())
    }

    pub(super) fn end_draft(&mut self) {
        self.draft = None;
        self.draft_error = None;
    }

    /// Begins to look again from the first row.
    pub(super) fn restart(&mut self) {
        for scan in [&mut self.scan, &mut self.draft].into_iter().flatten() {
            *scan = Scan::new(scan.filter().clone());
        }
    }

    /// Looks at some more rows; true when there are more.
    pub(super) fn advance(&mut self, index: &Index) -> bool {
        let mut more = false;
        for scan in [&mut self.draft, &mut self.scan].into_iter().flatten() {
            let progress = scan.advance(index, None, SLICE);
            more |= progress.done < progress.total;
        }
        more
    }
}

/// What could be typed at the cursor.
pub(super) fn candidates(text: &str, cursor: usize, index: &Index, session: u32) -> Vec<Candidate> {
    complete(text, cursor, &|field| seen(field, index, session))
}

/// Values of a field that occur in the session.
fn seen(field: Field, index: &Index, session: u32) -> Vec<String> {
    let Some(session) = index.session(session) else { return Vec::new() };
    let is_command =
        |row: &&crate::analysis::index::Row| !row.type_id.is_media() && !row.type_id.is_control();
    let mut symbols = std::collections::BTreeSet::new();
    let rows = session.rows.iter();
    match field {
        Field::Cmd => symbols.extend(rows.filter(is_command).map(|row| row.label)),
        Field::Code => symbols.extend(rows.filter(is_command).map(|row| row.code())),
        Field::Codec => {
            symbols.extend(rows.filter(|row| row.type_id.is_media()).map(|row| row.label));
        }
        _ => {}
    }
    let words = symbols.into_iter().filter(|symbol| !symbol.is_none());
    words.take(MAX_SEEN).map(|symbol| index.strings.get(symbol).to_owned()).collect()
}
