//! On real recordings.

use super::*;
use crate::analysis::index::Index;
use crate::analysis::{Options, Pipeline, Record};
use crate::capture::{Capture, Input, OpenOptions};

fn load(name: &str) -> (Index, Vec<Record>) {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut index = Index::new();
    let mut records = Vec::new();
    let mut sink = |record: Record| {
        index.push(&record);
        records.push(record);
    };
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    (index, records)
}

fn rows(index: &Index, text: &str) -> Vec<(u32, usize)> {
    let filter = Filter::parse(text).unwrap_or_else(|e| panic!("{}", e.pointed(text)));
    Scan::all(&filter, index, None)
}

fn error(text: &str) -> FilterError {
    Filter::parse(text).expect_err(text)
}

/// What stands in code spans and blocks of the documentation marked as filters.
fn documented() -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter.md"));
    let text = text.expect("docs/filter.md");
    let mut inside = false;
    let mut examples = Vec::new();
    for line in text.lines() {
        match line {
            "```filter" => inside = true,
            "```" => inside = false,
            _ if inside => {
                let expression = line.split("   #").next().unwrap_or(line).trim();
                examples.push(expression.to_owned());
            }
            _ => {}
        }
    }
    examples
}

#[test]
fn every_field_has_a_line_and_a_kind_that_agrees() {
    for info in FIELDS {
        assert_eq!(Field::named(info.name), Some(info.field), "{}", info.name);
        assert_eq!(info.field.info().name, info.name);
        let text = matches!(info.kind, Kind::Text | Kind::Codec | Kind::Address);
        assert_eq!(info.field.is_text(), text, "{}", info.name);
        let example = value::example(info);
        Filter::parse(&example).unwrap_or_else(|e| panic!("{}", e.pointed(&example)));
    }
    let mut names: Vec<_> =
        FIELDS.iter().flat_map(|i| i.also.iter().chain([&i.name])).copied().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a name for two fields");
}

#[test]
fn the_documentation_is_true() {
    let examples = documented();
    assert!(examples.len() > 30, "{}", examples.len());
    for example in &examples {
        Filter::parse(example).unwrap_or_else(|e| panic!("{}", e.pointed(example)));
    }
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter.md"));
    let text = text.unwrap();
    for info in FIELDS {
        assert!(text.contains(&format!("`{}`", info.name)), "{} is not described", info.name);
    }
    for entry in WIRESHARK.iter().filter(|entry| entry.field.is_some()) {
        assert!(text.contains(&format!("`{}`", entry.name)), "{} is not described", entry.name);
    }
}

#[test]
fn selects_what_is_meant() {
    let (index, _) = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    let count = |text: &str| rows(&index, text).len();
    let by = |test: &dyn Fn(&crate::analysis::index::Row) -> bool| {
        session.rows.iter().filter(|row| test(row)).count()
    };
    let video = by(&|row| row.type_id.0 == 9);
    assert!(video > 100);
    assert_eq!(index.sessions.len(), 1);
    assert_eq!(count(""), session.rows.len());
    for text in ["type==video", "type == 9", "video", "rtmpt.header.typeid==9", "TYPE==Video"] {
        assert_eq!(count(text), video, "{text}");
    }
    assert_eq!(count("!video"), session.rows.len() - video);
    assert_eq!(count("type!=video"), session.rows.len() - video);
    assert_eq!(count("type in {audio, video}"), by(&|row| row.type_id.is_media()));
}
