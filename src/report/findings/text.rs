//! The report as text: what happened, the sheet, the set-up as bars, the findings.

use std::fmt::Write;

use super::model::{Counts, FindingLine, Place, Report, SessionLine, SetupStep};
use crate::report::describe::{clean, milliseconds};

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether colours may be used.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Columns of the bars of the set-up.
const BAR: usize = 36;

/// The report as text.
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    let sessions = report.sessions.len();
    let _ = writeln!(
        out,
        "{}: {} packets in {:.1} s, {sessions} session{}; {}",
        report.captures.join(", "),
        report.packets,
        report.duration,
        plural(sessions as u64),
        counts(&report.counts),
    );
    for error in &report.capture_errors {
        let _ = writeln!(out, "damaged: {}", clean(error));
    }
    if sessions == 0 {
        out.push_str("no RTMP found\n");
    }
    findings(&mut out, "", &report.findings, style);
    for line in &report.sessions {
        session(&mut out, line, style);
    }
    out
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn counts(counts: &Counts) -> String {
    let mut parts = Vec::new();
    for (count, name) in
        [(counts.error, "error"), (counts.warning, "warning"), (counts.note, "note")]
    {
        if count > 0 {
            parts.push(format!("{count} {name}{}", plural(count)));
        }
    }
    if parts.is_empty() { "no findings".into() } else { parts.join(", ") }
}

fn paint(style: Style, severity: &str, text: &str) -> String {
    if !style.colour {
        return text.to_owned();
    }
    let code = match severity {
        "error" => "1;31",
        "warning" => "1;33",
        "ok" => "1;32",
        "bold" => "1",
        _ => "36",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

fn session(out: &mut String, line: &SessionLine, style: Style) {
    let word = line.headline.outcome;
    let kind = match (word, line.counts.error) {
        ("failed", _) | (_, 1..) => "error",
        ("impaired", _) => "warning",
        ("fine", _) => "ok",
        _ => "note",
    };
    let _ = writeln!(
        out,
        "\n{} {}",
        paint(style, "bold", &format!("Session {}", line.session)),
        paint(style, kind, word)
    );
    wrap(out, "  ", "  ", &clean(&line.headline.text), style.width);
    if let Some(cause) = line.headline.cause {
        let _ = writeln!(out, "  ({cause})");
    }
    out.push('\n');
    let mut sheet = line.sheet.lines();
    if let Some(first) = sheet.next() {
        // `session 1  rtmp  client → server`: the number was said above.
        let rest = first.split_once("  ").map_or(first, |(_, rest)| rest);
        let _ = writeln!(out, "  {rest}");
    }
    for line in sheet {
        let _ = writeln!(out, "{line}");
    }
    waterfall(out, &line.setup);
    findings(out, "  ", &line.findings, style);
}

/// The steps of the set-up as bars on one axis.
fn waterfall(out: &mut String, steps: &[SetupStep]) {
    let end = steps.iter().map(|step| step.until.unwrap_or(step.at)).fold(0.0, f64::max);
    if steps.len() < 2 {
        return;
    }
    let name_width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0).min(24);
    let _ = writeln!(out, "\n  set-up, {} to its last step", milliseconds(end));
    let column = |at: f64| match end > 0.0 {
        true => ((at / end * BAR as f64) as usize).min(BAR - 1),
        false => 0,
    };
    for step in steps {
        let name: String = clean(&step.name).chars().take(24).collect();
        let from = column(step.at);
        let to = column(step.until.unwrap_or(step.at)).max(from);
        let mark = match (step.state, step.until) {
            ("failed", _) => "✗",
            ("unanswered", _) => "?",
            (_, Some(_)) => "█",
            _ => "◆",
        };
        // What was never answered goes on to the end.
        let to = if step.state == "unanswered" { BAR - 1 } else { to };
        let bar: String = (0..BAR)
            .map(|i| match (i >= from && i <= to, mark) {
                (true, "?") if i > from => "╌",
                (true, mark) => mark,
                (false, _) => "·",
            })
            .collect();
        let took = match step.until {
            Some(until) => format!("+{}", milliseconds(until - step.at)),
            None => String::new(),
        };
        let detail = step.detail.as_deref().map(clean).unwrap_or_default();
        let state = if step.state == "unanswered" { "no answer" } else { "" };
        let line =
            format!("  {:>9.3}  {name:<name_width$}  {bar}  {took:<8} {state}{detail}", step.at);
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn findings(out: &mut String, indent: &str, findings: &[FindingLine], style: Style) {
    for finding in findings {
        let _ = writeln!(
            out,
            "\n{indent}{} {}  {}",
            paint(style, finding.severity, finding.severity),
            paint(style, "bold", finding.rule),
            finding.title
        );
        let inner = format!("{indent}  ");
        if !finding.message.is_empty() {
            wrap(out, &inner, &inner, &clean(&finding.message), style.width);
        }
        wrap(out, &inner, &inner, &evidence(finding), style.width);
        let deeper = format!("{inner}     ");
        for (name, text) in [("why", finding.explanation), ("do", finding.advice)] {
            if !text.is_empty() {
                wrap(out, &format!("{inner}{name:<4} "), &deeper, text, style.width);
            }
        }
        if let Some(spec) = finding.spec {
            let _ = writeln!(out, "{inner}see  {}, {}", spec.document, spec.section);
        }
    }
}

/// Where a finding is, in words.
pub(super) fn evidence(finding: &FindingLine) -> String {
    let mut text = format!("at {}", place(&finding.place));
    if finding.count > 1 {
        let _ = write!(text, "; {} times, last at {:.3} s", finding.count, finding.last);
    }
    for related in &finding.related {
        let _ = write!(text, "; {} at {}", related.what, place(&related.place));
        if let Some(session) = related.session {
            let _ = write!(text, " in session {session}");
        }
    }
    text
}

fn place(place: &Place) -> String {
    let mut text = format!("{:.3} s", place.time);
    match place.direction {
        Some("client_to_server") => text.push_str(", client to server"),
        Some(_) => text.push_str(", server to client"),
        None => {}
    }
    match place.frames.as_slice() {
        [] => {}
        [one] => {
            let _ = write!(text, ", packet {one}");
        }
        many => {
            let list: Vec<String> = many.iter().map(u64::to_string).collect();
            let _ = write!(text, ", packets {}", list.join(" "));
        }
    }
    if let Some([from, to]) = place.bytes {
        let _ = write!(text, ", stream bytes {from} to {}", to.saturating_sub(1).max(from));
    }
    text
}

/// Text broken between words at the width.
fn wrap(out: &mut String, first: &str, rest: &str, text: &str, width: usize) {
    let width = width.max(40);
    let mut line = first.to_owned();
    let mut used = first.chars().count();
    let mut empty = true;
    for word in text.split_whitespace() {
        let len = word.chars().count();
        if !empty && used + 1 + len > width {
            let _ = writeln!(out, "{line}");
            line = rest.to_owned();
            used = rest.chars().count();
            empty = true;
        }
        if !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += len;
        empty = false;
    }
    let _ = writeln!(out, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words() {
        let mut out = String::new();
        wrap(&mut out, "a: ", "   ", &"word ".repeat(12), 40);
        let longest = out.lines().map(str::len).max();
        assert_eq!(longest, Some(37));
        assert!(out.lines().skip(1).all(|line| line.starts_with("   word")), "{out}");
    }

    #[test]
    fn counts_are_words() {
        assert_eq!(counts(&Counts { error: 1, warning: 2, note: 0 }), "1 error, 2 warnings");
        assert_eq!(counts(&Counts::default()), "no findings");
    }
}
