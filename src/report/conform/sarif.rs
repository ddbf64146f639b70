//! SARIF 2.1.0 (OASIS): a rule per case, a result for each that was not met.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::model::{CaseLine, Level, Results, Status, Verdict};
use crate::report::findings::uri;

/// Writes the results as a SARIF log.
///
/// `artifact` is a file of the repository that results are pinned to, such as the server's manifest:
/// code hosts take no result without one. Expected failures are suppressed results.
pub fn sarif(results: &Results, artifact: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = results.cases.iter().map(descriptor).collect();
    let found: Vec<Value> = results
        .cases
        .iter()
        .enumerate()
        .filter(|(_, case)| level(case).is_some())
        .map(|(index, case)| result(results, artifact, index, case))
        .collect();
    let mut notifications: Vec<Value> = Vec::new();
    for entry in &results.stale {
        let text = format!("stale expectation: {entry}");
        notifications.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    let artifacts: Vec<Value> =
        artifact.iter().map(|path| json!({ "location": { "uri": uri(path) } })).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": results.program,
                "version": results.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "automationDetails": { "id": format!("check/{}/", results.label()) },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "artifacts": artifacts,
            "results": found,
            "columnKind": "unicodeCodePoints",
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

/// The level of a case's result; `None` when there is nothing to say of it.
fn level(case: &CaseLine) -> Option<&'static str> {
    match (case.verdict, case.level, case.status) {
        (_, _, Status::UnexpectedPass) => Some("warning"),
        (Verdict::Crash | Verdict::Hang, ..) => Some("error"),
        (Verdict::Fail, Level::Must, _) => Some("error"),
        (Verdict::Fail | Verdict::Flaky, ..) => Some("warning"),
        (Verdict::Nonstrict, _, Status::Unexpected) => Some("warning"),
        (Verdict::Nonstrict, ..) => Some("note"),
        _ => None,
    }
}

fn descriptor(case: &CaseLine) -> Value {
    let sections = case.sections.join("; ");
    let text = match sections.is_empty() {
        true => case.says.clone(),
        false => format!("{} ({sections})", case.says),
    };
    let default = match case.level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::May => "note",
    };
    let mut tags: Vec<&str> = vec![case.level.name(), case.basis.name()];
    for section in &case.sections {
        // The standard wants each once.
        if !tags.contains(&section.as_str()) {
            tags.push(section);
        }
    }
    json!({
        "id": case.id,
        "shortDescription": { "text": case.says },
        "fullDescription": { "text": text },
        "help": { "text": format!("rtmpscope check explain {}", case.id) },
        "defaultConfiguration": { "level": default },
        "properties": { "tags": tags },
    })
}

fn result(results: &Results, artifact: Option<&str>, index: usize, case: &CaseLine) -> Value {
    let text = match case.status {
        Status::UnexpectedPass => {
            format!("{}, though a failure was expected", case.verdict.name())
        }
        _ => format!("{}: {}", case.verdict.name(), case.summary()),
    };
    let mut location = json!({
        "logicalLocations": [{
            "name": case.id,
            "fullyQualifiedName": format!("{} {}", results.target, case.id),
            "kind": "resource",
        }],
    });
    if let Some(path) = artifact {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(path), "index": 0 },
            "region": { "startLine": 1 },
        });
    }
    let mut out = json!({
        "ruleId": case.id,
        "ruleIndex": index,
        "level": level(case),
        "message": { "text": text },
        "locations": [location],
        // The same case of the same server is the same result in the next run.
        "partialFingerprints": { "rtmpscopeCase/v1": format!("{} {}", results.label(), case.id) },
        "properties": {
            "verdict": case.verdict.name(),
            "status": case.status,
            "duration_ms": case.duration_ms,
        },
    });
    if case.status == Status::Expected {
        let reason = case.expected.as_ref().map_or("", |entry| entry.reason.as_str());
        out["suppressions"] = json!([{ "kind": "external", "justification": reason }]);
    }
    out
}
