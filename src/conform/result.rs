//! What came of a run: what reports are made of.

use std::time::Duration;

use super::case::{Basis, Level};
use super::env::{Facts, Target};
use super::verdict::Verdict;
use crate::base::Timestamp;
use crate::lint::Finding;
use crate::peer::Transcript;

/// A run of the suite against one server.
#[derive(Clone, Debug)]
pub struct Run {
    /// The server.
    pub target: Target,
    /// Name of the server, from the manifest or `fmsVer`.
    pub server: Option<String>,
    /// What the probe found out.
    pub facts: Facts,
    /// Where all random bytes came from.
    pub seed: u64,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// `k` and `n` of `--shard k/n`.
    pub shard: Option<(u32, u32)>,
    /// Results in the order of the suite.
    pub cases: Vec<CaseResult>,
    /// What is wrong with the expectation file: stale or expired entries, globs that match nothing.
    pub stale: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its id.
    pub id: &'static str,
    /// The verdict. What was seen is [`Verdict::text`].
    pub verdict: Verdict,
    /// How strongly the source text asks for it.
    pub level: Level,
    /// What the requirement rests on.
    pub basis: Basis,
    /// Sections, each with its document.
    pub sections: &'static [&'static str],
    /// The requirement in one sentence.
    pub says: &'static str,
    /// Lines that the case wrote down, whatever the verdict.
    pub notes: Vec<String>,
    /// How long the last attempt took.
    pub duration: Duration,
    /// How often it was tried.
    pub attempts: u32,
    /// What the passive rules say of the server's bytes in this case.
    pub findings: Vec<Finding>,
    /// The exchange of the last attempt, a transcript per connection.
    pub transcripts: Vec<Transcript>,
    /// What the expectation file says.
    pub expectation: Expectation,
}

/// How a verdict compares with the expectation file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing is said of the case.
    #[default]
    None,
    /// As expected.
    Met {
        /// Why it is expected.
        reason: String,
        /// Where it is tracked.
        issue: Option<String>,
    },
    /// Another verdict than expected, a pass included.
    Unmet {
        /// The verdict expected.
        expected: String,
        /// Why it was.
        reason: String,
    },
}

impl CaseResult {
    /// Whether it counts against the server: a FAIL, CRASH, HANG or FLAKY that was not expected; with
    /// `strict` NONSTRICT too.
    pub fn is_unexpected(&self, strict: bool) -> bool {
        let bad = match self.verdict {
            Verdict::Fail(_) | Verdict::Crash(_) | Verdict::Hang(_) | Verdict::Flaky(_) => true,
            Verdict::NonStrict(_) => strict,
            _ => false,
        };
        bad && !matches!(self.expectation, Expectation::Met { .. })
    }

    /// The part of the id before its last slash.
    pub fn group(&self) -> &'static str {
        self.id.rsplit_once('/').map_or(self.id, |(group, _)| group)
    }
}

impl Run {
    /// How many cases have a verdict of that name.
    pub fn count(&self, verdict: &str) -> usize {
        self.cases.iter().filter(|case| case.verdict.name() == verdict).count()
    }
}
