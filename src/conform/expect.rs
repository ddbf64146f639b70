//! Expectation files: what is known to fail, why, and until when.
//!
//! ```toml
//! [[expect]]
//! id = "rtmp/chunk/extended-*"      # a pattern
//! result = ["fail", "nonstrict"]    # or one word; `any` for whatever it is
//! reason = "omits the extended timestamp of type 3 chunks"
//! issue = "https://example.com/1"
//! versions = ">=1.1, <2"            # of the server
//! until = "2027-06-30"
//! ```
//!
//! Expected failures still run. An entry that is of no use any more is reported as stale: its cases
//! all pass, its pattern matches nothing, or its last day is over.

use serde::Deserialize;

use super::pick::Pattern;
use super::result::{Expectation, Run};
use super::suite;
use super::verdict::Verdict;

/// An expectation file as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectFile {
    /// Its entries. Of several that match a case the last one counts.
    #[serde(default)]
    pub expect: Vec<ExpectEntry>,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectEntry {
    /// Pattern of case ids.
    pub id: String,
    /// Verdicts that are expected, in lower case.
    pub result: Words,
    /// Why.
    pub reason: String,
    /// Where it is tracked.
    pub issue: Option<String>,
    /// Versions of the server it is for: `<2.1`, `>=1.2, <2`, `=1.4.3`.
    pub versions: Option<String>,
    /// The last day it counts, as in 2027-06-30.
    pub until: Option<String>,
}

/// One word or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Words {
    fn all(&self) -> &[String] {
        match self {
            Words::One(word) => std::slice::from_ref(word),
            Words::Many(words) => words,
        }
    }
}

/// The words for verdicts in files, and `any`.
const RESULTS: &[&str] = &[
    "pass",
    "nonstrict",
    "fail",
    "fact",
    "unsupported",
    "inconclusive",
    "crash",
    "hang",
    "flaky",
    "any",
];

/// A file ready for use.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    entries: Vec<(Pattern, ExpectEntry)>,
}

impl Expectations {
    /// Checks the entries of a file.
    pub fn new(file: ExpectFile) -> Result<Expectations, String> {
        let mut entries = Vec::new();
        for entry in file.expect {
            let fail = |what: String| format!("expectation {}: {what}", entry.id);
            for word in entry.result.all() {
                if !RESULTS.contains(&word.as_str()) {
                    return Err(fail(format!("result {word} is none of {}", RESULTS.join(", "))));
                }
            }
            if entry.reason.trim().is_empty() {
                return Err(fail("the reason is missing".into()));
            }
            if let Some(range) = &entry.versions {
                within("0", range).map_err(fail)?;
            }
            if entry.until.as_ref().is_some_and(|day| !is_day(day)) {
                return Err(fail("until is a day such as 2027-06-30".into()));
            }
            entries.push((Pattern::new(&entry.id)?, entry));
        }
        Ok(Expectations { entries })
    }

    /// Marks the cases of a run, and notes what is stale. `today` is a day such as 2026-11-27;
    /// `version` the server's, if it is known.
    pub fn apply(&self, run: &mut Run, today: &str, version: Option<&str>) {
        for case in &mut run.cases {
            let entry = self.entries.iter().rev().find(|(pattern, entry)| {
                pattern.matches(case.id) && is_for(entry, version) && !is_over(entry, today)
            });
            if let Some((_, entry)) = entry {
                case.expectation = judge(&case.verdict, entry);
            }
        }
        for (pattern, entry) in &self.entries {
            let id = &entry.id;
            if !suite::all().any(|case| pattern.matches(case.id)) {
                run.stale.push(format!("{id} matches no case"));
                continue;
            }
            if let Some(day) = entry.until.as_ref().filter(|_| is_over(entry, today)) {
                run.stale.push(format!("{id} is over since {day}"));
                continue;
            }
            if !is_for(entry, version) {
                continue;
            }
            let ran: Vec<_> = run.cases.iter().filter(|c| pattern.matches(c.id)).collect();
            let expected = |case: &&&super::result::CaseResult| {
                matches!(judge(&case.verdict, entry), Expectation::Met { .. })
            };
            // What could not be judged does not prove an entry wrong.
            let judged = ran
                .iter()
                .filter(|case| !matches!(case.verdict.name(), "INCONCLUSIVE" | "UNSUPPORTED"));
            if judged.clone().count() > 0 && ran.iter().filter(expected).count() == 0 {
                let seen: Vec<_> = judged.map(|case| case.verdict.name()).collect();
                let words = entry.result.all().join(" or ");
                run.stale.push(format!("{id} expects {words}, and there was {}", few(&seen)));
            }
        }
    }
}

fn few(seen: &[&str]) -> String {
    let mut all = seen.to_vec();
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}

fn judge(verdict: &Verdict, entry: &ExpectEntry) -> Expectation {
    let name = verdict.name().to_lowercase();
    let words = entry.result.all();
    if words.iter().any(|word| *word == name || word == "any") {
        Expectation::Met { reason: entry.reason.clone(), issue: entry.issue.clone() }
    } else {
        Expectation::Unmet { expected: words.join(" or "), reason: entry.reason.clone() }
    }
}

fn is_over(entry: &ExpectEntry, today: &str) -> bool {
    // Days in this form sort as text.
    entry.until.as_ref().is_some_and(|day| day.as_str() < today)
}

fn is_day(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

fn is_for(entry: &ExpectEntry, version: Option<&str>) -> bool {
    match (&entry.versions, version) {
        (None, _) => true,
        (Some(range), Some(version)) => within(version, range).unwrap_or(false),
        // An entry for some versions says nothing of an unknown one.
        (Some(_), None) => false,
    }
}

/// Whether a version lies in a range such as `>=1.2, <2`.
fn within(version: &str, range: &str) -> Result<bool, String> {
    let mut all = true;
    for part in range.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (sign, bound) = part.split_at(at);
        let order = numbers(version).cmp(&numbers(bound));
        all &= match sign.trim() {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "=" | "==" | "" if !bound.is_empty() => order.is_eq(),
            _ => return Err(format!("versions {range}: write ranges such as >=1.2, <2")),
        };
    }
    Ok(all)
}

/// The numbers of a version, trailing zeros left out: 1.2 is 1.2.0.
fn numbers(version: &str) -> Vec<u64> {
    let mut all: Vec<u64> = version
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect();
    while all.last() == Some(&0) {
        all.pop();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ranges() {
        let is = |version, range| within(version, range).unwrap();
        assert!(is("1.2.2", "<2") && !is("2.0", "<2") && is("2.0", "=2"));
        assert!(is("1.10", ">=1.9, <2") && !is("1.8.9", ">=1.9, <2"));
        assert!(within("1", "about 2").is_err());
    }

    #[test]
    fn files_are_checked() {
        let entry = |result: &str, reason: &str, until: Option<&str>| ExpectFile {
            expect: vec![ExpectEntry {
                id: "rtmp/*".into(),
                result: Words::One(result.into()),
                reason: reason.into(),
                issue: None,
                versions: None,
                until: until.map(str::to_owned),
            }],
        };
        assert!(Expectations::new(entry("fail", "known", Some("2027-06-30"))).is_ok());
        assert!(Expectations::new(entry("failed", "known", None)).unwrap_err().contains("failed"));
        assert!(Expectations::new(entry("fail", " ", None)).unwrap_err().contains("reason"));
        assert!(Expectations::new(entry("fail", "known", Some("soon"))).is_err());
    }
}
