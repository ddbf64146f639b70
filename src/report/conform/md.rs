//! Results as Markdown, for the summary page of a CI job.

use std::io::{self, Write};

use super::model::{CaseLine, Results, Status, Verdict};

/// Rows of a table at most: GitHub takes a megabyte a summary.
const MAX_ROWS: usize = 250;

/// Characters of a cell at most.
const MAX_CELL: usize = 300;

/// Writes a summary in Markdown: the totals, what was not expected, what was.
pub fn md(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let bad = results.with(Status::Unexpected).count();
    let passes = results.with(Status::UnexpectedPass).count();
    let verdict = match bad {
        0 if results.stale.is_empty() && passes == 0 => "as expected".to_owned(),
        0 => "expectations are stale".to_owned(),
        1 => "1 unexpected outcome".to_owned(),
        bad => format!("{bad} unexpected outcomes"),
    };
    writeln!(out, "## RTMP conformance of {}: {verdict}\n", cell(results.label()))?;
    writeln!(out, "{}\n", results.counts.words())?;
    let shard = results.shard.as_ref().map(|shard| format!(", shard {shard}")).unwrap_or_default();
    writeln!(
        out,
        "Target {}, {} cases in {:.1} s, seed {}{shard}.\n",
        code(&results.target),
        results.cases.len(),
        results.duration_ms / 1000.0,
        results.seed,
    )?;
    type Group = (&'static str, bool, fn(&CaseLine) -> bool);
    let groups: [Group; 5] = [
        ("Unexpected", true, |case| case.status == Status::Unexpected),
        ("Passes that were expected to fail", true, |case| case.status == Status::UnexpectedPass),
        ("Expected failures", false, |case| case.status == Status::Expected),
        ("Works, not to the letter", false, |case| {
            case.status == Status::Ok && case.verdict == Verdict::Nonstrict
        }),
        ("Not judged", false, |case| case.status == Status::Ok && case.verdict.is_skip()),
    ];
    for (title, open, belongs) in groups {
        let mut cases: Vec<&CaseLine> = results.cases.iter().filter(|case| belongs(case)).collect();
        // The worst first; the order of the suite within.
        cases.sort_by_key(|case| Verdict::ALL.iter().position(|verdict| *verdict == case.verdict));
        table(out, title, open, &cases)?;
    }
    if !results.stale.is_empty() {
        writeln!(out, "### Stale expectations\n")?;
        for entry in &results.stale {
            writeln!(out, "- {}", cell(entry))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, title: &str, open: bool, cases: &[&CaseLine]) -> io::Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    match open {
        true => writeln!(out, "### {title} ({})\n", cases.len())?,
        false => writeln!(out, "<details><summary>{title} ({})</summary>\n", cases.len())?,
    }
    writeln!(out, "| verdict | case | level | section | what was seen |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    for case in cases.iter().take(MAX_ROWS) {
        let mut seen = cell(case.summary());
        if let Some(entry) = &case.expected {
            seen.push_str(&format!(" *({})*", cell(&entry.reason)));
        }
        let section = case.sections.first().map(|section| cell(section)).unwrap_or_default();
        let (verdict, level) = (case.verdict.name(), case.level.name());
        writeln!(out, "| {verdict} | {} | {level} | {section} | {seen} |", code(&case.id))?;
    }
    writeln!(out)?;
    if cases.len() > MAX_ROWS {
        writeln!(out, "{} more are in the other formats.\n", cases.len() - MAX_ROWS)?;
    }
    if !open {
        writeln!(out, "</details>\n")?;
    }
    Ok(())
}

/// Text that stays within a cell and means nothing to Markdown or HTML.
pub(super) fn cell(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().enumerate() {
        if i == MAX_CELL {
            out.push('…');
            break;
        }
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text as code.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " "))
}
