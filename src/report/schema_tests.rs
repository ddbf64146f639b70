//! What is written, what the schema says and what the documentation says are one thing.

use serde_json::Value;

use super::samples::every_record;
use super::{FieldLines, NdjsonWriter, Redactor};
use crate::analysis::Record;

const SCHEMA: &str = include_str!("../../docs/output.schema.json");
const MANUAL: &str = include_str!("../../docs/output.md");

const RECORDS: [&str; 9] =
    ["begin", "session", "handshake", "message", "anomaly", "gap", "layer", "session_end", "end"];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The lines of all sample records, as they are and redacted with fields.
fn lines() -> Vec<Value> {
    let mut writer = NdjsonWriter::new(Vec::new());
    for record in every_record() {
        writer.write(&record, None).unwrap();
    }
    let mut redactor = Redactor::new(false);
    for mut record in every_record() {
        let redactions = redactor.redact(&mut record);
        let fields = match &record {
            Record::Message(message) => Some(FieldLines::of(message, &redactor, &redactions)),
            _ => None,
        };
        writer.write(&record, fields.as_ref()).unwrap();
    }
    let text = String::from_utf8(std::mem::take(writer.out())).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_is_as_the_schema_says() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let lines = lines();
    for kind in RECORDS {
        assert!(lines.iter().any(|line| line["type"] == kind), "no sample of {kind}");
    }
    for line in lines {
        if let Err(error) = validator.validate(&line) {
            panic!("{error}\nat {}\nin {line:#}", error.instance_path());
        }
    }
}

#[test]
fn the_schema_is_strict() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let defs = &schema()["$defs"];
    for line in lines() {
        let kind = line["type"].as_str().unwrap().to_owned();
        let mut more = line.clone();
        more["more"] = Value::Null;
        assert!(!validator.is_valid(&more), "{kind} takes unknown fields");
        for name in defs[&kind]["required"].as_array().unwrap() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(name.as_str().unwrap());
            assert!(!validator.is_valid(&less), "{kind} without {name} passes");
        }
        if kind == "message" && line["kind"] != "unknown" {
            let mut wrong = line.clone();
            wrong["body"]["more"] = Value::Bool(true);
            assert!(!validator.is_valid(&wrong), "body of {} takes unknown fields", line["kind"]);
        }
    }
}

#[test]
fn every_record_and_field_is_documented() {
    let schema = schema();
    for kind in RECORDS {
        let heading = format!("### `{kind}`\n");
        let start = MANUAL.find(&heading).unwrap_or_else(|| panic!("no section for {kind}"));
        let rest = &MANUAL[start + heading.len()..];
        let section = &rest[..rest.find("\n## ").or(rest.find("\n### ")).unwrap_or(rest.len())];
        let section = &section[..section.find("\n### ").unwrap_or(section.len())];
        let fields = schema["$defs"][kind]["properties"].as_object().unwrap();
        for name in fields.keys() {
            assert!(section.contains(&format!("`{name}`")), "{kind}.{name} is not documented");
        }
    }
    // Bodies and what they are made of.
    for def in [
        "set_chunk_size",
        "abort",
        "acknowledgement",
        "user_control",
        "window_acknowledgement_size",
        "set_peer_bandwidth",
        "audio",
        "video",
        "data",
        "shared_object",
        "command",
        "aggregate",
        "codec_config",
        "multichannel_config",
        "direction_totals",
        "stop",
        "field",
        "hole",
    ] {
        for name in schema["$defs"][def]["properties"].as_object().unwrap().keys() {
            assert!(MANUAL.contains(&format!("`{name}`")), "{def}.{name} is not documented");
        }
    }
    for name in schema["$defs"]["amf_typed"]["properties"].as_object().unwrap().keys() {
        assert!(MANUAL.contains(name.as_str()), "{name} is not documented");
    }
}

#[test]
fn the_kinds_of_the_schema_are_those_of_the_program() {
    let schema = schema();
    let mut of_schema: Vec<&str> = schema["$defs"]["kind"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut of_program: Vec<&str> =
        (0..=255).map(|t| crate::wire::message::MessageType(t).kind()).collect();
    of_schema.sort_unstable();
    of_program.sort_unstable();
    of_program.dedup();
    assert_eq!(of_schema, of_program);
}

#[test]
fn json_is_one_document_of_the_same_lines() {
    let mut writer = super::JsonWriter::new(Vec::new());
    let mut ndjson = NdjsonWriter::new(Vec::new());
    for record in every_record() {
        writer.write(&record, None).unwrap();
        ndjson.write(&record, None).unwrap();
    }
    writer.finish().unwrap();
    let array: Vec<Value> = serde_json::from_slice(writer.out()).unwrap();
    let lines: Vec<Value> = String::from_utf8_lossy(ndjson.out())
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(array, lines);
    let mut empty = super::JsonWriter::new(Vec::new());
    empty.finish().unwrap();
    assert_eq!(empty.out().as_slice(), b"[]\n");
}
