//! What is wrong with an expression, where, and what may be meant.

use std::fmt;
use std::ops::Range;

/// A fault of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Bytes of the expression that are at fault; empty at its end when something is missing.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl FilterError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> FilterError {
        FilterError { span, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> FilterError {
        self.help = Some(help.into());
        self
    }

    /// The expression with the place marked below it, then the message: three lines.
    pub fn pointed(&self, text: &str) -> String {
        let before = text.get(..self.span.start).unwrap_or(text).chars().count();
        let marked = text.get(self.span.clone()).unwrap_or("").chars().count().max(1);
        format!("{text}\n{}{}\n{self}", " ".repeat(before), "^".repeat(marked))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FilterError {}

/// The candidate that is most like what was typed, if any is like it.
pub(super) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&typed, &name.to_ascii_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
