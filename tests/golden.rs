//! Every capture of `captures/` against its expected NDJSON in `captures/expected/`, and every
//! line against the schema.
//!
//! `UPDATE_EXPECTED=1 cargo test --test golden` writes the expected output anew; read the diff.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(captures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap"))
        .collect();
    names.sort();
    names
}

fn dump(name: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtmpscope"));
    command.args(["dump", "--format", "ndjson", name]).current_dir(captures());
    // A key log beside a recording has its secrets.
    let keys = Path::new(name).with_extension("keylog");
    if captures().join(&keys).exists() {
        command.arg("--keylog").arg(keys);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let version = format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{name}: no begin line: {text:.200}");
    text.replace(&version, "\"version\":\"*\"")
}

#[test]
fn every_capture_gives_what_is_expected() {
    let mut wrong = Vec::new();
    let names = names();
    assert!(names.len() >= 50, "captures are missing: {names:?}");
    for name in &names {
        let expected = captures().join("expected").join(format!("{name}.ndjson"));
        let ours = dump(name);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &ours).unwrap();
            continue;
        }
        let theirs = std::fs::read_to_string(&expected).unwrap_or_default();
        if ours != theirs {
            let line = ours.lines().zip(theirs.lines()).position(|(a, b)| a != b);
            let at = line.unwrap_or(ours.lines().count().min(theirs.lines().count()));
            wrong.push(format!(
                "{name} line {}:\n  ours     {}\n  expected {}",
                at + 1,
                ours.lines().nth(at).unwrap_or("(end)"),
                theirs.lines().nth(at).unwrap_or("(end)"),
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_line_fits_the_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in names() {
        let expected = captures().join("expected").join(format!("{name}.ndjson"));
        let text = std::fs::read_to_string(&expected).unwrap();
        for (number, line) in text.lines().enumerate() {
            let value: Value = serde_json::from_str(line).unwrap();
            if let Err(error) = validator.validate(&value) {
                panic!("{name} line {}: {error} in {line}", number + 1);
            }
        }
    }
    // A schema that takes anything would be no test.
    let stray = serde_json::json!({"type": "gap", "session": "one"});
    assert!(!validator.is_valid(&stray));
}

#[test]
fn every_capture_has_a_line_on_its_origin() {
    let readme = std::fs::read_to_string(captures().join("README.md")).unwrap();
    for name in names() {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in captures/README.md");
    }
}
