//! Recordings through layers: what their sessions and facts are with and without a key log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rtmpscope::analysis::{Options, Pipeline, Record, SessionEnd, SessionRecord};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::transport::{Fact, FactValue, KeyLog, Keys};

#[path = "folders.rs"]
#[expect(dead_code, reason = "lists folders for others")]
mod folders;

/// A session of a recording.
pub struct Seen {
    #[allow(dead_code)]
    pub begin: SessionRecord,
    pub end: SessionEnd,
    /// Complete messages by direction and type; data and commands of AMF3 count as those of AMF0.
    pub counts: [BTreeMap<u8, u64>; 2],
    pub facts: Vec<Fact>,
    /// Messages without a packet.
    pub unplaced: u64,
}

impl Seen {
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }

    pub fn field(&self, fact: &str, field: &str) -> Option<&FactValue> {
        value(self.fact(fact)?, field)
    }

    /// As the sheets of the recordings write it: `1=1 20=5; 8=3`.
    pub fn sheet(&self) -> String {
        let side = |counts: &BTreeMap<u8, u64>| {
            let words: Vec<String> =
                counts.iter().map(|(kind, count)| format!("{kind}={count}")).collect();
            words.join(" ")
        };
        self.counts.each_ref().map(side).join("; ")
    }
}

pub fn value<'a>(fact: &'a Fact, field: &str) -> Option<&'a FactValue> {
    fact.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
}

/// A recording of this repository, or one of the further ones if they are there.
pub fn find(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
    if own.exists() {
        return Some(own);
    }
    folders::recordings().map(|folder| folder.join("recorded").join(name))
}

/// Decodes a capture; `keys` is a key log's text.
pub fn decode(capture: &Path, keys: &str) -> Vec<Seen> {
    let mut log = KeyLog::new();
    assert_eq!(log.add_text(keys).1, None);
    let input = Input::Path(capture.to_owned());
    let mut capture = Capture::open(vec![input], OpenOptions::default()).expect("a capture");
    let packets = std::iter::from_fn(|| capture.next_packet());
    decode_packets(packets, log)
}

/// The same with the key log beside the capture.
pub fn decode_with_keys(capture: &Path) -> Vec<Seen> {
    let keys = std::fs::read_to_string(capture.with_extension("keylog")).unwrap_or_default();
    decode(capture, &keys)
}

pub fn decode_packets(
    packets: impl Iterator<Item = rtmpscope::base::Packet>,
    log: KeyLog,
) -> Vec<Seen> {
    let options = Options { keys: Keys::new(log), ..Options::default() };
    let mut pipeline = Pipeline::new(options);
    let mut open: BTreeMap<u32, Building> = BTreeMap::new();
    let mut done = BTreeMap::new();
    let mut sink = |record: Record| match record {
        Record::Session(begin) => {
            let number = begin.session;
            let (counts, facts) = (Default::default(), Vec::new());
            let building = Building { begin, counts, facts, unplaced: 0 };
            assert!(open.insert(number, building).is_none());
        }
        Record::Message(record) => {
            let building = open.get_mut(&record.session).expect("an open session");
            building.unplaced += u64::from(record.frames.is_empty());
            if record.message.complete {
                let kind = match record.message.type_id.0 {
                    15 => 18,
                    17 => 20,
                    other => other,
                };
                let counts = &mut building.counts[record.message.direction.index()];
                *counts.entry(kind).or_default() += 1;
            }
        }
        Record::Transport(record) => {
            open.get_mut(&record.session).expect("an open session").facts.push(record.fact);
        }
        Record::SessionEnd(end) => {
            let Building { begin, counts, facts, unplaced } =
                open.remove(&end.session).expect("an open session");
            done.insert(end.session, Seen { begin, end, counts, facts, unplaced });
        }
        _ => {}
    };
    for packet in packets {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    assert!(open.is_empty(), "sessions without an end");
    done.into_values().collect()
}

struct Building {
    begin: SessionRecord,
    counts: [BTreeMap<u8, u64>; 2],
    facts: Vec<Fact>,
    unplaced: u64,
}
