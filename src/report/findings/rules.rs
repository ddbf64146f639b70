//! The table of rules for people.

use std::fmt::Write;

use crate::lint::{self, Rule};

/// A line per rule.
pub fn list(rules: &[&'static Rule]) -> String {
    let id = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let _ = writeln!(out, "{:<id$}  {:<7}  {}", rule.id, rule.severity.name(), rule.title);
    }
    out
}

/// Everything about a rule.
pub fn explain(rule: &Rule) -> String {
    let mut out = format!("{}\n{}\n\n", rule.id, rule.title);
    let mut severity = rule.severity.name().to_owned();
    if let Some(worse) = rule.escalates {
        let _ = write!(
            severity,
            "; {} when the receiver closes the connection right after",
            worse.name()
        );
    }
    let _ = writeln!(out, "severity   {severity}");
    let _ = writeln!(out, "basis      {}", rule.basis.name());
    if let Some(spec) = rule.spec {
        let _ = writeln!(out, "see        {spec}");
    }
    let needs = match rule.needs {
        lint::Needs::Nothing => "nothing but what it reports",
        lint::Needs::Message => "the whole message",
        lint::Needs::Direction => "everything so far in the direction it is about",
        lint::Needs::Both => "everything so far in both directions",
    };
    let _ = writeln!(out, "needs      {needs}");
    if !rule.covers.is_empty() {
        let _ = writeln!(out, "covers     {}", rule.covers.join(", "));
    }
    for text in [rule.explanation, rule.advice] {
        if !text.is_empty() {
            let _ = writeln!(out, "\n{text}");
        }
    }
    out
}
