//! What TCP tells of the path and of who waits for whom.

mod close;
mod gone;
mod open;
mod pace;
mod path;

use crate::base::Timestamp;
use crate::lint::rule::{Rule, SpecRef};

/// The rules, a file per question.
pub(super) const RULES: &[&[Rule]] =
    &[open::RULES, path::RULES, pace::RULES, gone::RULES, close::RULES];

/// What the TCP rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    bursts: path::Bursts,
    pace: pace::Pace,
    setup: pace::Setup,
}

/// A section of the TCP specification.
const fn tcp(section: &'static str) -> Option<SpecRef> {
    Some(SpecRef { document: "RFC 9293", section })
}

/// Nanoseconds in seconds.
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// Seconds from one moment to another, not negative.
fn span(from: Timestamp, to: Timestamp) -> f64 {
    to.seconds_since(from).max(0.0)
}
