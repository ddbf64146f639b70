//! From a run to its results: names, words, decoded exchanges, no secrets.

use std::time::Duration;

use super::exchange;
use super::model::*;
use crate::base::Timestamp;
use crate::conform::result::{CaseResult, Expectation, Run};
use crate::conform::{self, Facts};
use crate::lint::{SecretKind, Words};
use crate::report::Redactor;

/// How results are made of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Show stream names, tokens and passwords.
    pub show_secrets: bool,
    /// NONSTRICT is a failure.
    pub strict: bool,
}

/// The results of a run.
pub fn results(run: &Run, options: Options) -> Results {
    let (redactor, target) = redactor(run, options);
    let cases: Vec<CaseLine> = run.cases.iter().map(|case| case_line(run, case, options)).collect();
    Results {
        schema: SCHEMA_VERSION,
        program: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target,
        server: server(run, &redactor),
        facts: facts(&run.facts, &redactor),
        seed: run.seed.to_string(),
        started: rfc3339(run.started),
        duration_ms: milliseconds(run.duration),
        shard: run.shard.map(|(k, n)| format!("{k}/{n}")),
        stale: run.stale.iter().map(|entry| redactor.clean(entry)).collect(),
        counts: Counts::of(&cases),
        cases,
    }
}

/// The manifest's name for the server, or what it calls itself.
fn server(run: &Run, redactor: &Redactor) -> Option<String> {
    let name = run.server.as_deref().or(run.facts.software.as_deref())?;
    Some(redactor.clean(name))
}

/// A redactor that knows the secrets of the address, and the address without them.
///
/// Each case has its own: placeholders then count from 1, and thousands of generated names of other
/// cases are not looked for.
fn redactor(run: &Run, options: Options) -> (Redactor, String) {
    let mut redactor = Redactor::new(options.show_secrets);
    let target = &run.target;
    // What follows the application is the stream name, often a key.
    let (address, _) = target.url.split_once('?').unwrap_or((&target.url, ""));
    let base = address.strip_suffix(&target.prefix).unwrap_or(address);
    let mut words = Words::default().secret(SecretKind::Url, base);
    if !target.prefix.is_empty() || !target.query.is_empty() {
        let name = format!("{}{}", target.prefix, target.query);
        words = words.secret(SecretKind::Stream, &name);
    }
    let shown = redactor.words(&words);
    (redactor, shown)
}

fn case_line(run: &Run, case: &CaseResult, options: Options) -> CaseLine {
    let (mut redactor, _) = redactor(run, options);
    // The exchange comes first: it teaches which words are secrets.
    let exchange = exchange::lines(&case.transcripts, &mut redactor);
    let findings = case
        .findings
        .iter()
        .map(|finding| {
            let text = redactor.words(&finding.message);
            NoteLine {
                rule: finding.id().to_owned(),
                severity: finding.severity.name().to_owned(),
                text: if text.is_empty() { finding.rule.title.to_owned() } else { text },
            }
        })
        .collect();
    let tries = match &case.verdict {
        conform::Verdict::Flaky(all) => all
            .iter()
            .map(|one| TryLine { verdict: verdict(one), detail: redactor.clean(&one.text()) })
            .collect(),
        _ => Vec::new(),
    };
    CaseLine {
        id: case.id.to_owned(),
        verdict: verdict(&case.verdict),
        level: level(case.level),
        basis: basis(case.basis),
        sections: case.sections.iter().map(|&section| section.to_owned()).collect(),
        says: case.says.to_owned(),
        detail: redactor.clean(&case.verdict.text()),
        duration_ms: milliseconds(case.duration),
        status: status(case, options.strict),
        expected: expected(&case.expectation),
        attempts: case.attempts,
        tries,
        notes: case.notes.iter().map(|note| redactor.clean(note)).collect(),
        findings,
        exchange,
    }
}

fn verdict(verdict: &conform::Verdict) -> Verdict {
    match verdict {
        conform::Verdict::Pass => Verdict::Pass,
        conform::Verdict::NonStrict(_) => Verdict::Nonstrict,
        conform::Verdict::Fail(_) => Verdict::Fail,
        conform::Verdict::Fact(_) => Verdict::Fact,
        conform::Verdict::Unsupported(_) => Verdict::Unsupported,
        conform::Verdict::Inconclusive(_) => Verdict::Inconclusive,
        conform::Verdict::Crash(_) => Verdict::Crash,
        conform::Verdict::Hang(_) => Verdict::Hang,
        conform::Verdict::Flaky(_) => Verdict::Flaky,
    }
}

fn level(level: conform::Level) -> Level {
    match level {
        conform::Level::Must => Level::Must,
        conform::Level::Should => Level::Should,
        conform::Level::May => Level::May,
    }
}

fn basis(basis: conform::Basis) -> Basis {
    match basis {
        conform::Basis::Spec => Basis::Spec,
        conform::Basis::DeFacto => Basis::DeFacto,
        conform::Basis::Robustness => Basis::Robustness,
    }
}

fn status(case: &CaseResult, strict: bool) -> Status {
    if case.is_unexpected(strict) {
        return Status::Unexpected;
    }
    match (&case.expectation, verdict(&case.verdict)) {
        (Expectation::None, _) => Status::Ok,
        (Expectation::Met { .. }, Verdict::Pass | Verdict::Fact) => Status::Ok,
        (Expectation::Met { .. }, _) => Status::Expected,
        // Nothing can be said of an expectation whose case was not judged.
        (Expectation::Unmet { .. }, verdict) if verdict.is_skip() => Status::Ok,
        (Expectation::Unmet { .. }, _) => Status::UnexpectedPass,
    }
}

fn expected(expectation: &Expectation) -> Option<ExpectedLine> {
    match expectation.clone() {
        Expectation::None => None,
        Expectation::Met { reason, issue } => {
            Some(ExpectedLine { met: true, result: None, reason, issue })
        }
        Expectation::Unmet { expected, reason } => {
            Some(ExpectedLine { met: false, result: Some(expected), reason, issue: None })
        }
    }
}

fn facts(facts: &Facts, redactor: &Redactor) -> Vec<FactLine> {
    let mut out = Vec::new();
    let mut fact = |name: &str, value: String| out.push(FactLine { name: name.to_owned(), value });
    if let Some(software) = &facts.software {
        fact("software", redactor.clean(software));
    }
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    fact("accepts a publisher", yes(facts.publish));
    fact("hands streams to players", yes(facts.play));
    for (state, barriers) in [
        ("connected", facts.connected),
        ("publishing", facts.publishing),
        ("playing", facts.playing),
    ] {
        let answered = match (barriers.create_stream, barriers.ping) {
            (true, true) => "createStream, Ping Request",
            (true, false) => "createStream",
            (false, true) => "Ping Request",
            (false, false) => "nothing",
        };
        fact(&format!("answers when {state}"), answered.to_owned());
    }
    fact("slowest reply to connect", format!("{:.1} ms", milliseconds(facts.latency)));
    for note in &facts.notes {
        fact("note", redactor.clean(note));
    }
    out
}

/// Milliseconds to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// A time as RFC 3339 writes it, in UTC, to the second.
fn rfc3339(time: Timestamp) -> String {
    let seconds = time.0.div_euclid(1_000_000_000);
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        for (seconds, text) in [(0, "1970-01-01T00:00:00Z"), (951_827_696, "2000-02-29T12:34:56Z")]
        {
            assert_eq!(rfc3339(Timestamp(seconds * 1_000_000_000 + 999)), text);
        }
    }
}
