//! Results as newline-delimited JSON: the run, its cases, the totals.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::model::Results;

/// Writes a line for the run, one for each case, and one for the totals.
pub fn ndjson(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut run = serde_json::to_value(Results { cases: Vec::new(), ..results.clone() })?;
    if let Value::Object(fields) = &mut run {
        for totals in ["cases", "counts", "duration_ms", "stale"] {
            fields.remove(totals);
        }
    }
    line(out, "run", run)?;
    for case in &results.cases {
        line(out, "case", serde_json::to_value(case)?)?;
    }
    let Results { counts, duration_ms, stale, .. } = results;
    let end = json!({ "counts": counts, "duration_ms": duration_ms, "stale": stale });
    line(out, "end", end)
}

/// An object with its type in front.
fn line(out: &mut dyn Write, kind: &str, value: Value) -> io::Result<()> {
    let body = value.to_string();
    let rest = body.strip_prefix('{').unwrap_or(&body);
    writeln!(out, "{{\"type\":\"{kind}\",{rest}")
}
