//! SARIF 2.1.0 (OASIS): for code hosts and editors that show findings.
//!
//! Their places are lines of files. A capture has packets instead: line `n` is packet `n`.

use serde_json::{Value, json};

use super::model::{FindingLine, Place, Report};
use super::text::evidence;
use crate::lint;

/// The report as a SARIF log.
pub fn sarif(report: &Report) -> Value {
    let rules: Vec<&lint::Rule> = lint::all().collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .chain(report.sessions.iter().flat_map(|session| &session.findings))
        .map(|finding| result(report, finding, &rules))
        .collect();
    let notifications: Vec<Value> = report
        .capture_errors
        .iter()
        .map(|error| json!({ "level": "error", "message": { "text": error } }))
        .collect();
    let mut artifacts: Vec<Value> =
        report.captures.iter().map(|name| json!({ "location": { "uri": uri(name) } })).collect();
    artifacts.dedup();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.program,
                "version": report.version,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": report.capture_errors.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "artifacts": artifacts,
            "results": results,
            "columnKind": "unicodeCodePoints",
        }],
    })
}

fn level(severity: &str) -> &str {
    match severity {
        "error" | "warning" => severity,
        _ => "note",
    }
}

fn descriptor(rule: &lint::Rule) -> Value {
    let spec = rule.spec.map(|spec| format!(" ({spec})")).unwrap_or_default();
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": format!("{}{spec}", rule.explanation) },
        "help": { "text": rule.advice },
        "defaultConfiguration": { "level": level(rule.severity.name()) },
        "properties": { "tags": [rule.layer.name(), rule.basis.name()] },
    })
}

fn result(report: &Report, finding: &FindingLine, rules: &[&lint::Rule]) -> Value {
    let text = match finding.message.is_empty() {
        true => format!("{}; {}", finding.title, evidence(finding)),
        false => format!("{}: {}; {}", finding.title, finding.message, evidence(finding)),
    };
    let mut related: Vec<Value> = Vec::new();
    let more = finding.more.iter().map(|place| (finding.session, place, "also here"));
    let others = finding
        .related
        .iter()
        .map(|related| (related.session.or(finding.session), &related.place, related.what));
    for (session, place, what) in more.chain(others) {
        let location = location(report, session, place, Some(what));
        // The standard wants each once; several messages of a packet are one place here.
        if !related.contains(&location) {
            related.push(location);
        }
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [location(report, finding.session, &finding.place, None)],
        "relatedLocations": related,
        "occurrenceCount": finding.count.max(1),
        "properties": {
            "session": finding.session,
            "time": finding.place.time,
            "direction": finding.place.direction,
            "frames": finding.place.frames,
            "bytes": finding.place.bytes,
        },
    });
    if let Some(index) = rules.iter().position(|rule| rule.id == finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn location(report: &Report, session: Option<u32>, place: &Place, message: Option<&str>) -> Value {
    let mut out = json!({});
    // Packets of several captures are numbered through: which one it is in is not known here.
    if let [capture] = report.captures.as_slice() {
        let mut physical = json!({ "artifactLocation": { "uri": uri(capture), "index": 0 } });
        if let Some(first) = place.frames.first() {
            physical["region"] = json!({ "startLine": first });
        }
        out["physicalLocation"] = physical;
    }
    if let Some(session) = session {
        let side = place.direction.map(|way| format!("/{way}")).unwrap_or_default();
        out["logicalLocations"] = json!([{
            "name": format!("session {session}"),
            "fullyQualifiedName": format!("session {session}{side}"),
            "kind": "namespace",
        }]);
    }
    if let Some(message) = message {
        out["message"] = json!({ "text": message });
    }
    out
}

/// A path as a URI reference (RFC 3986).
pub(in crate::report) fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".into();
    }
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("captures/a b.pcap"), "captures/a%20b.pcap");
        assert_eq!(uri("-"), "stdin");
        assert_eq!(uri("ü:?"), "%C3%BC%3A%3F");
    }
}
