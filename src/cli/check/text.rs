//! Results for people: cases by area, what is wrong with each, a summary at the end.

use std::io::{self, Write};

use crate::conform::records;
use crate::conform::result::{CaseResult, Expectation, Run};
use crate::lint::Severity;
use crate::report::{Detail, Redactor, TextWriter};

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub colour: bool,
    pub verbose: bool,
    pub strict: bool,
    pub show_secrets: bool,
}

/// The verdicts in the order of the summary, with their colours.
const VERDICTS: [(&str, &str); 9] = [
    ("PASS", "32"),
    ("NONSTRICT", "33"),
    ("FAIL", "1;31"),
    ("CRASH", "1;37;41"),
    ("HANG", "1;37;41"),
    ("FLAKY", "35"),
    ("FACT", "36"),
    ("UNSUPPORTED", "2"),
    ("INCONCLUSIVE", "2"),
];

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn verdict(self, name: &str) -> String {
        let code = VERDICTS.iter().find(|(known, _)| *known == name).map_or("", |(_, code)| code);
        self.paint(code, &format!("{name:<12}"))
    }
}

/// Writes a run.
pub(super) fn write(run: &Run, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let server = run.server.as_deref().or(run.facts.software.as_deref());
    let server = server.map_or_else(String::new, |name| format!(" ({name})"));
    writeln!(out, "{}{server}, seed {}", shown(run, style), run.seed)?;
    for note in &run.facts.notes {
        writeln!(out, "  {note}")?;
    }
    let mut group = "";
    for case in &run.cases {
        if case.group() != group {
            group = case.group();
            let cases = run.cases.iter().filter(|case| case.group() == group);
            let (good, all) =
                cases.fold((0, 0), |(good, all), case| (good + u32::from(is_pass(case)), all + 1));
            writeln!(out, "\n{} {good}/{all}", style.paint("1", group))?;
        }
        one(case, style, out)?;
    }
    summary(run, style, out)
}

/// The target's URL, without what may be secret in it.
fn shown(run: &Run, style: Style) -> String {
    let target = &run.target;
    if style.show_secrets {
        return target.url.clone();
    }
    format!("rtmp://{}/{}", target.authority, target.app)
}

fn is_pass(case: &CaseResult) -> bool {
    matches!(case.verdict.name(), "PASS" | "FACT")
}

fn one(case: &CaseResult, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let name = case.verdict.name();
    let slug = case.id.strip_prefix(case.group()).unwrap_or(case.id).trim_start_matches('/');
    let expected = match &case.expectation {
        Expectation::Met { .. } => "  (expected)",
        _ => "",
    };
    let seconds = case.duration.as_secs_f64();
    let slow = if seconds >= 1.0 { format!("  {seconds:.1} s") } else { String::new() };
    writeln!(out, "  {} {slug}{expected}{}", style.verdict(name), style.paint("2", &slow))?;
    if name != "PASS" {
        let text = case.verdict.text();
        let level = case.level.name().to_uppercase();
        let sources = [case.sections, &[case.basis.name()]].concat().join(", ");
        let seen = if text.is_empty() { String::new() } else { format!(": {text}") };
        if !matches!(name, "FACT" | "UNSUPPORTED" | "INCONCLUSIVE") {
            writeln!(out, "      {level} ({sources}): {}", case.says)?;
        }
        writeln!(out, "      seen{seen}")?;
    }
    for note in &case.notes {
        writeln!(out, "      note: {note}")?;
    }
    match &case.expectation {
        Expectation::Met { reason, issue } => {
            let issue = issue.as_ref().map_or_else(String::new, |issue| format!(" ({issue})"));
            writeln!(out, "      expected: {reason}{issue}")?;
        }
        Expectation::Unmet { expected, reason } => {
            writeln!(out, "      expected {expected}: {reason}")?;
        }
        Expectation::None => {}
    }
    let bad = case.is_unexpected(style.strict) || (style.verbose && name == "NONSTRICT");
    if bad {
        let mut redactor = Redactor::new(style.show_secrets);
        for finding in case.findings.iter().filter(|f| f.severity >= Severity::Warning) {
            let mut finding = finding.clone();
            redactor.finding(&mut finding);
            let (severity, id) = (finding.severity.name(), finding.id());
            writeln!(out, "      {severity} {id}: {}", finding.message.plain())?;
        }
    }
    if bad && style.verbose {
        exchange(case, style, out)?;
    }
    Ok(())
}

/// What was said, as `dump` prints it.
fn exchange(case: &CaseResult, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let detail = Detail { fields: false, hex: false, all_bytes: false, ranges: false };
    let mut writer = TextWriter::new(Vec::new(), style.colour, detail);
    let mut redactor = Redactor::new(style.show_secrets);
    let mut failure = None;
    records(&case.transcripts, |mut record| {
        redactor.redact(&mut record);
        if let Err(error) = writer.write(&record, None) {
            failure.get_or_insert(error);
        }
    });
    let text = std::mem::take(writer.out());
    for line in String::from_utf8_lossy(&text).lines() {
        writeln!(out, "      | {line}")?;
    }
    failure.map_or(Ok(()), Err)
}

fn summary(run: &Run, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let bad: Vec<_> = run.cases.iter().filter(|case| case.is_unexpected(style.strict)).collect();
    if !bad.is_empty() {
        writeln!(out, "\n{}", style.paint("1", "Failed"))?;
        for case in &bad {
            writeln!(out, "  {} {}", style.verdict(case.verdict.name()), case.id)?;
        }
    }
    for stale in &run.stale {
        writeln!(out, "\nstale expectation: {stale}")?;
    }
    let counts: Vec<String> = VERDICTS
        .iter()
        .map(|(name, code)| (*name, *code, run.count(name)))
        .filter(|(_, _, count)| *count > 0)
        .map(|(name, code, count)| style.paint(code, &format!("{count} {name}")))
        .collect();
    let seconds = run.duration.as_secs_f64();
    let all = run.cases.len();
    writeln!(out, "\n{all} cases in {seconds:.1} s: {}", counts.join(", "))
}
