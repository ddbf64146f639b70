//! JUnit XML: a suite per area, a case per case.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::model::{CaseLine, Results, Status, Verdict};
use super::text::exchange;

/// Writes the results as JUnit XML.
///
/// A crash or hang is an error, another unexpected outcome a failure. What was not judged, and
/// failures that the expectation file names, are skipped with the reason.
pub fn junit(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut report = Report::new("rtmpscope check");
    report.set_time(milliseconds(results.duration_ms));
    let mut suites: Vec<TestSuite> = Vec::new();
    for case in &results.cases {
        let area = if case.area().is_empty() { "cases" } else { case.area() };
        // Cases that need the server alone come later than the others of their area.
        let at = suites.iter().position(|suite| suite.name.as_str() == area);
        let at = at.unwrap_or_else(|| {
            suites.push(suite(results, area));
            suites.len() - 1
        });
        if let Some(suite) = suites.get_mut(at) {
            suite.add_test_case(test_case(case, area));
        }
    }
    if !results.stale.is_empty() {
        suites.push(about_the_run(results));
    }
    for mut suite in suites {
        let spent = suite.test_cases.iter().filter_map(|case| case.time).sum();
        suite.set_time(spent);
        report.add_test_suite(suite);
    }
    report.serialize(out).map_err(io::Error::other)
}

fn suite(results: &Results, area: &str) -> TestSuite {
    let mut suite = TestSuite::new(XmlString::new(area));
    suite.add_property(("target", results.target.as_str()));
    suite.add_property(("seed", results.seed.as_str()));
    if let Some(server) = &results.server {
        suite.add_property(("server", server.as_str()));
    }
    suite
}

fn milliseconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0) / 1000.0).unwrap_or_default()
}

fn test_case(case: &CaseLine, area: &str) -> TestCase {
    let mut out = TestCase::new(case.id.as_str(), status(case));
    out.set_classname(area).set_time(milliseconds(case.duration_ms));
    for (name, value) in [
        ("verdict", case.verdict.name()),
        ("level", case.level.name()),
        ("basis", case.basis.name()),
    ] {
        out.add_property((name, value));
    }
    if !case.sections.is_empty() {
        out.add_property(("sections", case.sections.join("; ").as_str()));
    }
    if case.status == Status::Ok && !case.verdict.is_skip() {
        if !case.detail.is_empty() {
            out.set_system_out(case.detail.as_str());
        }
    } else {
        let text = exchange(case);
        if !text.is_empty() {
            out.set_system_out(text);
        }
    }
    out
}

fn status(case: &CaseLine) -> TestCaseStatus {
    let verdict = case.verdict;
    match case.status {
        Status::Ok if verdict.is_skip() => {
            skipped(format!("{}: {}", verdict.name(), case.summary()))
        }
        Status::Ok => TestCaseStatus::success(),
        Status::Expected => {
            let reason = case.expected.as_ref().map_or("", |entry| entry.reason.as_str());
            skipped(format!("expected {}: {reason}: {}", verdict.name(), case.summary()))
        }
        Status::UnexpectedPass => non_success(
            NonSuccessKind::Failure,
            "UNEXPECTED-PASS",
            format!("{}, though the expectation file names a failure", verdict.name()),
            case,
        ),
        Status::Unexpected => {
            let kind = match verdict {
                Verdict::Crash | Verdict::Hang => NonSuccessKind::Error,
                _ => NonSuccessKind::Failure,
            };
            non_success(kind, verdict.name(), case.summary().to_owned(), case)
        }
    }
}

fn skipped(message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn non_success(
    kind: NonSuccessKind,
    name: &str,
    message: String,
    case: &CaseLine,
) -> TestCaseStatus {
    let mut text = format!("{}\n{}", case.says, case.sections.join("; "));
    for (i, one) in case.tries.iter().enumerate() {
        text.push_str(&format!("\ntry {}: {} {}", i + 1, one.verdict.name(), one.detail));
    }
    for note in &case.notes {
        text.push_str(&format!("\n{note}"));
    }
    for note in &case.findings {
        text.push_str(&format!("\n{} {}: {}", note.severity, note.rule, note.text));
    }
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(name).set_message(message).set_description(text);
    status
}

/// What is wrong with the run and not with a case.
fn about_the_run(results: &Results) -> TestSuite {
    let mut suite = suite(results, "run");
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("stale").set_message("expectations are stale");
    status.set_description(results.stale.join("\n"));
    let mut case = TestCase::new("expectations", status);
    case.set_classname("run");
    suite.add_test_case(case);
    suite
}
