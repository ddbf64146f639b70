//! The rows of all layers, tried.

use std::collections::BTreeMap;

use rtmpscope::lint::{self, Finding, Severity};

use crate::support::lint::{Sample, findings_with};

/// A rule, where it speaks, and where it must not.
pub struct Row {
    pub rule: &'static str,
    pub speaks: fn() -> Sample,
    pub quiet: fn() -> Sample,
    /// What the finding must be like where it speaks.
    pub like: fn(&Finding) -> bool,
    /// A threshold of its own.
    pub set: Option<(&'static str, f64)>,
}

/// A row that asks for no more than that the rule speaks.
pub const fn row(rule: &'static str, speaks: fn() -> Sample, quiet: fn() -> Sample) -> Row {
    Row { rule, speaks, quiet, like: |_| true, set: None }
}

impl Row {
    /// The same, with that severity where it speaks.
    pub const fn error(mut self) -> Row {
        self.like = |finding| finding.severity == Severity::Error;
        self
    }

    /// The same, with a threshold changed.
    pub const fn set(mut self, name: &'static str, value: f64) -> Row {
        self.set = Some((name, value));
        self
    }

    fn findings(&self, sample: Sample) -> Vec<Finding> {
        let mut options = lint::Options::default();
        if let Some((name, value)) = self.set {
            options.thresholds.set(name, value).expect("a threshold");
        }
        findings_with(options, sample)
    }

    /// The same, with what the finding must be like where it speaks.
    pub const fn like(mut self, like: fn(&Finding) -> bool) -> Row {
        self.like = like;
        self
    }
}

fn rows() -> Vec<&'static Row> {
    let layers: &[&'static [Row]] = &[
        crate::tcp::ROWS,
        crate::tls::ROWS,
        crate::http::ROWS,
        crate::handshake::ROWS,
        crate::chunk::ROWS,
        crate::rtmfp::ROWS,
        crate::control::ROWS,
        crate::amf::ROWS,
        crate::command::ROWS,
        crate::publish::ROWS,
        crate::play::ROWS,
        crate::media::ROWS,
        crate::ertmp::ROWS,
        crate::form::ROWS,
        crate::order::ROWS,
        crate::close::ROWS,
    ];
    layers.iter().copied().flatten().collect()
}

fn say(findings: &[Finding]) -> Vec<String> {
    let line = |f: &Finding| {
        format!("  {} {} x{}: {}", f.severity.name(), f.id(), f.count, f.message.plain())
    };
    findings.iter().map(line).collect()
}

#[test]
fn every_rule_has_a_row() {
    let mut rows_of: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows() {
        *rows_of.entry(row.rule).or_default() += 1;
        assert!(lint::find(row.rule).is_some(), "{} is no rule", row.rule);
    }
    let missing: Vec<&str> =
        lint::all().map(|rule| rule.id).filter(|id| !rows_of.contains_key(id)).collect();
    assert!(missing.is_empty(), "rules without a capture that shows them: {missing:?}");
}

#[test]
fn every_rule_speaks_where_it_must_and_only_there() {
    let mut wrong = Vec::new();
    for row in rows() {
        let found = row.findings((row.speaks)());
        match found.iter().find(|finding| finding.id() == row.rule) {
            None => wrong.push(format!("{} is quiet:\n{}", row.rule, say(&found).join("\n"))),
            Some(finding) if !(row.like)(finding) => {
                wrong.push(format!(
                    "{} says\n{}",
                    row.rule,
                    say(std::slice::from_ref(finding)).join("\n")
                ));
            }
            Some(_) => {}
        }
        let found = row.findings((row.quiet)());
        let loud: Vec<_> = found.into_iter().filter(|f| f.id() == row.rule).collect();
        if !loud.is_empty() {
            wrong.push(format!(
                "{} speaks where it must not:\n{}",
                row.rule,
                say(&loud).join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
