//! Search in what messages say and in their bytes, a few messages at a time.

use regex::{Regex, RegexBuilder};

use crate::tui::detail::{Detail, Details};
use crate::tui::loader::Data;

/// Messages read in one go; a screen is drawn in between.
const SLICE: usize = 16;

/// What is looked for.
#[derive(Clone, Debug)]
pub enum Needle {
    /// Text or a regular expression, in names and values.
    Text(Regex),
    /// Bytes of the payload.
    Bytes(Vec<u8>),
}

impl Needle {
    /// Reads what was typed: `0x1701` or `0x 17 01` are bytes, `/expression/` a regular expression,
    /// anything else text in which case does not matter.
    pub fn parse(text: &str) -> Result<Needle, String> {
        if let Some(hex) = text.strip_prefix("0x") {
            let digits: String = hex.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
            let byte = |i: usize| digits.get(i..i + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
            return match bytes {
                Some(bytes) if !bytes.is_empty() => Ok(Needle::Bytes(bytes)),
                _ => Err(format!("{text}: write bytes as pairs of hex digits, such as 0x17 01")),
            };
        }
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let pattern = match inner {
            Some(pattern) if !pattern.is_empty() => pattern.to_owned(),
            _ => regex::escape(text),
        };
        RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(1 << 20)
            .build()
            .map(Needle::Text)
            .map_err(|_| format!("{text}: not a regular expression"))
    }

    /// The first payload bytes of the message that hold it.
    fn find(&self, detail: &Detail) -> Option<std::ops::Range<usize>> {
        match self {
            Needle::Bytes(bytes) => {
                let payload = detail.fields.payload();
                // Bytes that may not be seen may not be guessed either.
                let hit = |at: &usize| {
                    let range = *at..at + bytes.len();
                    payload.get(range.clone()) == Some(bytes)
                        && !range.clone().any(|byte| detail.fields.is_masked(byte))
                };
                let last = payload.len().checked_sub(bytes.len())?;
                (0..=last).find(hit).map(|at| at..at + bytes.len())
            }
            Needle::Text(regex) => {
                let line = detail.fields.lines().iter().find(|line| {
                    regex.is_match(&line.name)
                        || regex.is_match(&crate::tui::screens::field_value(line))
                        || line.meaning.as_deref().is_some_and(|text| regex.is_match(text))
                });
                let whole = || regex.is_match(&detail.words).then_some(0..0);
                line.map(|line| line.range.clone()).or_else(whole)
            }
        }
    }
}

/// Where a search is.
#[derive(Clone, Debug)]
struct Run {
    session: u32,
    /// The next row to be read.
    next: usize,
    /// The row it began at: there it ends after going round.
    began: usize,
    forward: bool,
    /// Whether it has gone past the end.
    wrapped: bool,
    looked: usize,
}

/// What a slice of searching came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It goes on.
    Nothing,
    /// This row holds it, in these payload bytes.
    Row(usize, std::ops::Range<usize>),
    /// No row holds it.
    Never,
}

/// The search.
#[derive(Clone, Debug, Default)]
pub struct SearchState {
    text: String,
    needle: Option<Needle>,
    run: Option<Run>,
    /// Where it was found last: session, row, payload bytes.
    pub(super) hit: Option<(u32, usize, std::ops::Range<usize>)>,
}

impl SearchState {
    /// What is searched for.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// Rows looked at.
    pub fn looked(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.looked)
    }

    /// Stops it.
    pub(super) fn cancel(&mut self) {
        self.run = None;
    }

    /// Begins at a row, which is looked at first.
    pub(super) fn begin(&mut self, text: &str, (session, row): (u32, usize)) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        self.needle = Some(Needle::parse(text)?);
        text.clone_into(&mut self.text);
        self.hit = None;
        self.run =
            Some(Run { session, next: row, began: row, forward: true, wrapped: false, looked: 0 });
        Ok(())
    }

    /// Goes on from a row, which is not looked at; false when nothing was searched for.
    pub(super) fn again(&mut self, forward: bool, (session, row): (u32, usize)) -> bool {
        if self.needle.is_none() {
            return false;
        }
        let next = if forward { row + 1 } else { row.wrapping_sub(1) };
        self.run = Some(Run { session, next, began: row, forward, wrapped: false, looked: 0 });
        true
    }

    /// Reads some more rows. `rows` are those in sight: all, or what the filter takes.
    pub(super) fn advance(
        &mut self,
        data: &Data,
        rows: Option<&[u32]>,
        details: &mut dyn Details,
    ) -> Found {
        let (Some(run), Some(needle)) = (&mut self.run, &self.needle) else {
            return Found::Nothing;
        };
        let total = data.index.session(run.session).map_or(0, |session| session.rows.len());
        for _ in 0..SLICE {
            let Some(row) = step(run, rows, total) else {
                self.run = None;
                return Found::Never;
            };
            run.looked += 1;
            if let Ok(detail) = details.detail(data, run.session, row)
                && let Some(range) = needle.find(&detail)
            {
                self.hit = Some((run.session, row, range.clone()));
                self.run = None;
                return Found::Row(row, range);
            }
        }
        Found::Nothing
    }
}

/// The next row in sight, going round once.
fn step(run: &mut Run, rows: Option<&[u32]>, total: usize) -> Option<usize> {
    loop {
        let candidate = match (rows, run.forward) {
            (None, _) => (run.next < total).then_some(run.next),
            (Some(rows), true) => {
                let at = rows.partition_point(|row| (*row as usize) < run.next);
                rows.get(at).map(|row| *row as usize)
            }
            (Some(rows), false) => {
                let at = rows.partition_point(|row| (*row as usize) <= run.next);
                at.checked_sub(1).filter(|_| run.next < total).map(|at| rows[at] as usize)
            }
        };
        let past = |row: usize| match run.forward {
            true => run.wrapped && row > run.began,
            false => run.wrapped && row < run.began,
        };
        match candidate {
            Some(row) if past(row) => return None,
            Some(row) => {
                run.next = if run.forward { row + 1 } else { row.wrapping_sub(1) };
                return Some(row);
            }
            None if run.wrapped || total == 0 => return None,
            None => {
                run.wrapped = true;
                run.next = if run.forward { 0 } else { total - 1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(start: usize, forward: bool, filter: Option<&[u32]>, total: usize) -> Vec<usize> {
        let next = if forward { start } else { start.wrapping_sub(1) };
        let mut run = Run { session: 1, next, began: start, forward, wrapped: false, looked: 0 };
        std::iter::from_fn(|| step(&mut run, filter, total)).take(50).collect()
    }

    #[test]
    fn it_goes_round_once() {
        assert_eq!(rows(2, true, None, 5), [2, 3, 4, 0, 1, 2]);
        assert_eq!(rows(2, false, None, 5), [1, 0, 4, 3, 2]);
        assert_eq!(rows(0, false, None, 3), [2, 1, 0]);
        assert_eq!(rows(2, true, Some(&[1, 3]), 5), [3, 1]);
        assert_eq!(rows(2, false, Some(&[1, 3]), 5), [1, 3]);
        assert_eq!(rows(0, true, None, 0), [0_usize; 0]);
    }

    #[test]
    fn bytes_text_and_expressions() {
        assert!(matches!(Needle::parse("0x17 01"), Ok(Needle::Bytes(b)) if b == [0x17, 1]));
        for wrong in ["0x", "0x1", "0xzz", "/(/"] {
            assert!(Needle::parse(wrong).is_err(), "{wrong}");
        }
        let Ok(Needle::Text(text)) = Needle::parse("a.b") else { panic!("text") };
        assert!(text.is_match("xA.By") && !text.is_match("axb"));
        let Ok(Needle::Text(text)) = Needle::parse("/a.b/") else { panic!("expression") };
        assert!(text.is_match("axb"));
    }
}
