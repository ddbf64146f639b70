//! Results as one JSON object, and back.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::ser::{CompactFormatter, Serializer};

use super::model::{Counts, Results, SCHEMA_VERSION};

/// Writes the results as JSON, a case a line: results that are kept in a repository then differ in
/// the lines whose cases do.
pub fn json(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let head = Results { cases: Vec::new(), ..results.clone() };
    let head = serde_json::to_string_pretty(&head)?;
    // `cases` is the last field.
    let open = head.strip_suffix("[]\n}").unwrap_or(&head);
    out.write_all(open.as_bytes())?;
    for (i, case) in results.cases.iter().enumerate() {
        out.write_all(if i == 0 { b"[\n" } else { b",\n" })?;
        serde::Serialize::serialize(
            case,
            &mut Serializer::with_formatter(&mut *out, CompactFormatter),
        )?;
    }
    out.write_all(if results.cases.is_empty() { b"[]\n}\n" } else { b"\n]\n}\n" })
}

/// Reads what [`json`] wrote; the error is for people.
pub fn read(text: &str) -> Result<Results, String> {
    #[derive(Deserialize)]
    struct Head {
        schema: u32,
    }
    let head: Head = serde_json::from_str(text).map_err(|error| {
        format!("this is no result of `rtmpscope check --format json`: {error}")
    })?;
    if head.schema != SCHEMA_VERSION {
        return Err(format!(
            "its schema is {}, this rtmpscope reads {SCHEMA_VERSION}; take the rtmpscope that wrote it",
            head.schema
        ));
    }
    let mut results: Results = serde_json::from_str(text).map_err(|error| {
        format!("this is no result of `rtmpscope check --format json`: {error}")
    })?;
    // Whoever took cases out by hand need not count again.
    results.counts = Counts::of(&results.cases);
    Ok(results)
}
