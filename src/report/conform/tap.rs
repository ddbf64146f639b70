//! TAP 14: a line per case, particulars as YAML.

use std::io::{self, Write};

use super::model::{CaseLine, Results, Status, Verdict};

/// Writes the results as TAP 14, which readers of TAP 13 understand.
///
/// An expected failure is `not ok … # TODO`, a case that was not judged `ok … # SKIP`.
pub fn tap(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 14\n1..{}", results.cases.len())?;
    writeln!(out, "# {} seed {}", one_line(&results.target), results.seed)?;
    for (i, case) in results.cases.iter().enumerate() {
        point(out, i + 1, case)?;
    }
    for entry in &results.stale {
        writeln!(out, "# stale expectation: {}", one_line(entry))?;
    }
    writeln!(out, "# {}", results.counts.words())
}

fn point(out: &mut dyn Write, number: usize, case: &CaseLine) -> io::Result<()> {
    let bad = !matches!(case.status, Status::Ok);
    let directive = match (case.status, case.verdict) {
        (Status::Expected, _) => {
            let reason = case.expected.as_ref().map_or("expected", |entry| entry.reason.as_str());
            format!(" # TODO {}", escape(reason))
        }
        (Status::Ok, verdict) if verdict.is_skip() => {
            format!(" # SKIP {}: {}", verdict.name(), escape(case.summary()))
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "{} {number} - {}{directive}",
        if bad { "not ok" } else { "ok" },
        escape(&case.id)
    )?;
    if case.verdict == Verdict::Pass && !bad {
        return Ok(());
    }
    writeln!(out, "  ---")?;
    writeln!(out, "  verdict: {}", case.verdict.name())?;
    writeln!(out, "  level: {}", case.level.name())?;
    writeln!(out, "  basis: {}", case.basis.name())?;
    writeln!(out, "  sections: [{}]", quoted_list(&case.sections))?;
    writeln!(out, "  says: {}", quoted(&case.says))?;
    writeln!(out, "  message: {}", quoted(&case.detail))?;
    if case.status == Status::UnexpectedPass {
        writeln!(out, "  expectation: {}", quoted("a failure was expected"))?;
    }
    writeln!(out, "  duration_ms: {}", case.duration_ms)?;
    writeln!(out, "  ...")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A description or reason: `#` would begin a directive.
fn escape(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A JSON string, which is a YAML one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_list(items: &[String]) -> String {
    items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ")
}
