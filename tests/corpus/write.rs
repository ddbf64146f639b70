//! Writes the corpus of labelled synthetic captures.
//!
//! ```text
//! cargo run --example synthetic -- DIRECTORY
//! ```
//!
//! For each entry: `NAME.pcap` (or `.pcapng`) and `NAME.json` with every message that was sent and
//! what the capture lacks of it. `captures/SYNTHETIC.md` describes the format and the entries.

mod entries;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use support::scenario::Touch;
use support::{Direction, Scenario, Trace, Truth};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(directory), None) = (args.next(), args.next()) else {
        eprintln!("usage: synthetic DIRECTORY");
        return ExitCode::from(2);
    };
    let directory = Path::new(&directory);
    let result = std::fs::create_dir_all(directory).and_then(|()| {
        for entry in entries::all() {
            let (suffix, bytes) = match entry.pcapng {
                true => ("pcapng", entry.trace.pcapng()),
                false => ("pcap", entry.trace.pcap()),
            };
            let file = format!("{}.{suffix}", entry.name);
            std::fs::write(directory.join(&file), bytes)?;
            let label = label(&entry, &file);
            let mut text = serde_json::to_string_pretty(&label)?;
            text.push('\n');
            std::fs::write(directory.join(format!("{}.json", entry.name)), text)?;
            println!("{file}: {}", entry.about);
        }
        Ok(())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", directory.display());
            ExitCode::FAILURE
        }
    }
}

/// The truth about a capture.
fn label(entry: &entries::Entry, file: &str) -> Value {
    let missing = entry.trace.missing();
    let touched = entry.scenario.touched(&missing);
    let messages: Vec<Value> = entry
        .scenario
        .truth()
        .iter()
        .zip(touched)
        .map(|(truth, touch)| message(truth, touch))
        .collect();
    let streams = Direction::BOTH.map(|direction| stream(&entry.scenario, &entry.trace, direction));
    json!({
        "label": 1,
        "capture": file,
        "about": entry.about,
        "client": entry.trace.net.client.to_string(),
        "server": entry.trace.net.server.to_string(),
        "packets": entry.trace.segments.len(),
        "streams": streams,
        "messages": messages,
    })
}

fn stream(scenario: &Scenario, trace: &Trace, direction: Direction) -> Value {
    let missing: Vec<[u64; 2]> =
        trace.missing()[direction.index()].iter().map(|range| [range.start, range.end]).collect();
    json!({
        "direction": direction.name(),
        "bytes": scenario.stream(direction).len(),
        "missing": missing,
    })
}

fn message(truth: &Truth, touch: Touch) -> Value {
    let pairs = |ranges: &[std::ops::Range<u64>]| -> Vec<[u64; 2]> {
        ranges.iter().map(|range| [range.start, range.end]).collect()
    };
    json!({
        "direction": truth.direction.name(),
        "csid": truth.csid,
        "fmt": truth.fmt,
        "type_id": truth.type_id.0,
        "timestamp": truth.timestamp,
        "extended_timestamp": truth.extended_timestamp,
        "stream_id": truth.stream_id,
        "length": truth.payload.len(),
        "sha256": sha256(&truth.payload),
        "headers": pairs(&truth.headers),
        "pieces": pairs(&truth.pieces),
        "damage": match touch {
            Touch::Untouched => "none",
            Touch::Overlap => "bytes-missing",
            Touch::Inherits => "inherited-header-missing",
            Touch::ChunkSize => "chunk-size-missing",
            Touch::Aborted => "aborted",
        },
    })
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
