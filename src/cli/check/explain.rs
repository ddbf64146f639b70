//! `check --list` and `check explain`.

use std::fmt::Write;

use crate::conform::{Case, Pattern, suite};

/// A line per case.
pub(super) fn list(cases: &[&Case]) -> String {
    let width = cases.iter().map(|case| case.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for case in cases {
        let (level, basis) = (case.level.name(), case.basis.name());
        let slow = if case.slow { "  (slow)" } else { "" };
        let _ = writeln!(out, "{:<width$}  {level:<6}  {basis:<10}  {}{slow}", case.id, case.says);
    }
    out
}

/// Everything about cases.
pub(super) fn explain(ids: &[String]) -> Result<String, String> {
    let mut out = String::new();
    for id in ids {
        let pattern = Pattern::new(id)?;
        let before = out.len();
        for case in suite::all().filter(|case| pattern.matches(case.id)) {
            if !out.is_empty() {
                out.push('\n');
            }
            one(&mut out, case);
        }
        if out.len() == before {
            return Err(format!("no case is called {id}{}", near(id)));
        }
    }
    Ok(out)
}

fn near(id: &str) -> String {
    let slug = id.rsplit('/').next().unwrap_or(id);
    let found = suite::all()
        .map(|case| (strsim::jaro_winkler(id, case.id), case.id))
        .chain(suite::all().filter(|case| case.id.contains(slug)).map(|case| (0.9, case.id)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match found {
        Some((likeness, near)) if likeness > 0.8 => format!(" (did you mean {near}?)"),
        _ => "; rtmpscope check --list names them".into(),
    }
}

fn one(out: &mut String, case: &Case) {
    let level = case.level.name().to_uppercase();
    let basis = match case.basis {
        crate::conform::Basis::Spec => "the specification",
        crate::conform::Basis::DeFacto => "wide practice, not the text",
        crate::conform::Basis::Robustness => "robustness: no text asks for it",
    };
    let _ = writeln!(out, "{}\n  {}\n", case.id, case.says);
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {name:<8}  {text}");
        }
    };
    row("level", &level);
    row("basis", basis);
    row("sections", &case.sections.join(", "));
    // Readers of RFCs take MUST for a word of the text: section 7 has almost none.
    if case.level == crate::conform::Level::Must
        && case.sections.iter().any(|section| section.starts_with("RTMP 7"))
    {
        row("note", "section 7 of RTMP 1.0 uses no MUST here: it is a plain statement of the text");
    }
    row("sends", &case.what_is_sent());
    row("passes", &case.what_passes());
    let needs: Vec<String> =
        case.needs.iter().map(|need| format!("{need:?}").to_lowercase()).collect();
    row("needs", &needs.join(", "));
    if case.slow {
        row("slow", "runs with --slow only");
    }
    if case.alone {
        row("alone", "runs while no other case does");
    }
}
