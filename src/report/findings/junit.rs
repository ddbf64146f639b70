//! JUnit XML: a suite per session, a case for its outcome and one per finding.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite, XmlString};
use std::time::Duration;

use super::model::{FindingLine, Report, SessionLine};
use super::text::evidence;

/// The report in JUnit's XML. With `warnings` these are failures too.
pub fn junit(report: &Report, warnings: bool) -> Result<String, String> {
    let mut out = quick_junit::Report::new("rtmpscope");
    out.set_time(seconds(report.duration));
    let mut capture = TestSuite::new("capture");
    let mut read = TestCase::new("read", TestCaseStatus::success());
    read.set_classname("capture");
    if !report.capture_errors.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("damaged").set_message(report.capture_errors.join("; "));
        read.status = status;
    }
    capture.add_test_case(read);
    for finding in &report.findings {
        capture.add_test_case(case("capture", finding, warnings));
    }
    out.add_test_suite(capture);
    for session in &report.sessions {
        out.add_test_suite(suite(session, warnings));
    }
    out.to_string().map_err(|error| error.to_string())
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

fn suite(session: &SessionLine, warnings: bool) -> TestSuite {
    let name = format!("session {}", session.session);
    let mut suite = TestSuite::new(XmlString::new(&name));
    suite.set_time(seconds(session.duration));
    for (key, value) in [
        ("client", Some(session.client.as_str())),
        ("server", Some(session.server.as_str())),
        ("transport", Some(session.transport)),
        ("role", session.role.as_deref()),
        ("app", session.app.as_deref()),
        ("stream", session.stream.as_deref()),
        ("video", session.video.as_deref()),
        ("audio", session.audio.as_deref()),
    ] {
        if let Some(value) = value {
            suite.add_property((key, value));
        }
    }
    let mut outcome = TestCase::new("outcome", TestCaseStatus::success());
    outcome.set_classname(name.as_str()).set_time(seconds(session.duration));
    if session.headline.failed() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(session.headline.cause.unwrap_or("failed"));
        status.set_message(session.headline.text.as_str());
        status.set_description(session.sheet.as_str());
        outcome.status = status;
    } else {
        outcome.set_system_out(session.headline.text.as_str());
    }
    suite.add_test_case(outcome);
    for finding in &session.findings {
        suite.add_test_case(case(&name, finding, warnings));
    }
    suite
}

fn case(class: &str, finding: &FindingLine, warnings: bool) -> TestCase {
    let text = format!(
        "{}\n{}\n{}\n{}",
        finding.message,
        evidence(finding),
        finding.explanation,
        finding.advice
    );
    let fails = finding.severity == "error" || (warnings && finding.severity == "warning");
    let mut case = TestCase::new(finding.rule, TestCaseStatus::success());
    if fails {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(finding.severity).set_message(finding.title).set_description(text);
        case.status = status;
    } else {
        case.set_system_out(format!("{}: {}\n{text}", finding.severity, finding.title));
    }
    case.set_classname(class);
    case
}
