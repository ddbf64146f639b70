//! Counts of messages in real recordings, against those of an independent parser.
//!
//! The recordings are not a part of this repository, but for those in `captures/`: without the
//! others the test passes over them, loudly.
#![cfg(feature = "cli")]

#[path = "../support/folders.rs"]
mod folders;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Messages by type.
type Counts = BTreeMap<u64, u64>;
/// By direction (`source>destination`, ports only) or `total`.
type Sheet = BTreeMap<String, Counts>;

/// Recordings of which the independent parser knows less, in one direction or in total: what is
/// there, and why.
const AHEAD: [(&str, &str, &str, &str); 7] = [
    (
        "derived_gap_acked_unseen.pcap",
        "total",
        "1=2 5=1 6=1 8=167 9=61 18=1 20=11",
        "it stops at the first hole; holes_cost_what_they_touch looks at the rest",
    ),
    (
        "fail_setchunk_0_nginx.pcap",
        "40420>19450",
        "1=1 20=1",
        "the sender goes on in chunks of 128 bytes: connect can be read",
    ),
    (
        "fail_setchunk_2147483648_nginx.pcap",
        "40432>19450",
        "1=1 20=1",
        "the sender does not split connect: it can be read",
    ),
    (
        "ffmpeg_play_nginx.pcap",
        "total",
        "1=1 4=3 5=2 6=1 8=334 9=112 18=2 20=8",
        "the publisher's connection was open before the capture began: 201 audio, 70 video",
    ),
    (
        "midstream_no_handshake_nginx.pcap",
        "total",
        "4=1 8=279 9=97 20=1",
        "both connections were open before the capture began",
    ),
    (
        "relay_push_nginx_nginx_chunk4096_128.pcap",
        "total",
        "1=4 4=1 5=3 6=2 8=355 9=102 18=2 20=20",
        "the end of a connection from before: 11 audio, 4 video, 2 commands, 1 reply",
    ),
    (
        "snaplen96_publish_ffmpeg_nginx.pcap",
        "total",
        "1=1 5=1 6=1",
        "packets are cut: only control messages are whole",
    ),
];

fn counts(text: &str) -> Counts {
    let pair = |word: &str| {
        let (type_id, count) = word.split_once('=').expect("type=count");
        (type_id.parse().expect("a type"), count.parse().expect("a count"))
    };
    text.split_whitespace().map(pair).collect()
}

fn sheets() -> BTreeMap<String, Sheet> {
    let mut sheets: BTreeMap<String, Sheet> = BTreeMap::new();
    for line in include_str!("counts.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(3, ' ');
        let (Some(file), Some(direction)) = (words.next(), words.next()) else { panic!("{line}") };
        let sheet = sheets.entry(file.into()).or_default();
        sheet.insert(direction.into(), counts(words.next().unwrap_or("")));
    }
    for (file, direction, there, _) in AHEAD {
        let sheet = sheets.get_mut(file).expect("a sheet");
        let known = sheet.insert(direction.into(), counts(there)).expect("that direction");
        assert_ne!(known, counts(there), "{file} is in the list for nothing");
    }
    sheets
}

fn dump(capture: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["dump", "--format", "ndjson"])
        .arg(capture)
        .output()
        .expect("the program runs");
    let cut = capture.ends_with("derived_file_cut_in_last_packet.pcap");
    let code = if cut { 2 } else { 0 };
    assert_eq!(output.status.code(), Some(code), "{}", capture.display());
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Complete messages by direction, and in total.
fn count(lines: &[Value]) -> Sheet {
    let mut ports = BTreeMap::new();
    let mut out = Sheet::from([("total".into(), Counts::new())]);
    for line in lines {
        let session = line["session"].as_u64().unwrap_or_default();
        let port = |side: &str| {
            let text = line[side].as_str().unwrap_or_default();
            text.rsplit_once(':').unwrap_or_default().1.to_string()
        };
        match line["type"].as_str() {
            Some("session") => {
                ports.insert(session, (port("client"), port("server")));
            }
            Some("message") if line["complete"] == true => {
                let (client, server) = &ports[&session];
                let key = match line["direction"].as_str() {
                    Some("client_to_server") => format!("{client}>{server}"),
                    _ => format!("{server}>{client}"),
                };
                let type_id = match line["type_id"].as_u64().expect("a type") {
                    15 => 18,
                    17 => 20,
                    other => other,
                };
                for key in [key, "total".into()] {
                    *out.entry(key).or_default().entry(type_id).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    out
}

/// The capture, in `captures/` or among the further recordings.
fn find(name: &str, further: Option<&Path>) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let further = further.map(|folder| folder.join("recorded"));
    [Some(own), further].into_iter().flatten().map(|folder| folder.join(name)).find(|p| p.exists())
}

#[test]
fn counts_are_those_of_the_sheets() {
    let further = folders::recordings();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, sheet) in sheets() {
        let Some(path) = find(&name, further.as_deref()) else {
            assert!(further.is_none(), "{name} is not there");
            continue;
        };
        let ours = count(&dump(&path));
        compared += 1;
        for (direction, expected) in &sheet {
            let seen = ours.get(direction).cloned().unwrap_or_default();
            if seen != *expected {
                wrong.push(format!("{name} {direction}: {seen:?}, not {expected:?}"));
            }
        }
        // A sheet by direction has all of them.
        let stray = ours.keys().find(|key| *key != "total" && !sheet.contains_key(*key));
        if let (Some(stray), false) = (stray, sheet.contains_key("total")) {
            wrong.push(format!("{name} {stray}: the sheet knows nothing of it"));
        }
    }
    println!("{compared} recordings");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 50, "only {compared} recordings were compared");
}

/// Twelve packets were taken out of a recording: nothing may be missing that they did not touch,
/// but for one message after each hole.
#[test]
fn holes_cost_what_they_touch() {
    let path = |name: &str| find(name, None).expect("a capture of this repository");
    let whole = dump(&path("ffmpeg_publish_nginx.pcap"));
    let holed = dump(&path("derived_gap_acked_unseen.pcap"));
    let key = |line: &Value| (line["direction"].to_string(), line["offset"].as_u64());
    let messages = |lines: &[Value]| -> Vec<Value> {
        lines.iter().filter(|line| line["type"] == "message").cloned().collect()
    };
    let gaps: Vec<(String, u64, u64)> = holed
        .iter()
        .filter(|line| line["type"] == "gap")
        .map(|line| {
            let start = line["offset"].as_u64().expect("an offset");
            (
                line["direction"].to_string(),
                start,
                start + line["length"].as_u64().expect("a length"),
            )
        })
        .collect();
    assert_eq!(gaps.len(), 5, "{gaps:?}");
    let (whole, holed) = (messages(&whole), messages(&holed));
    let mut lost = Vec::new();
    for (index, message) in whole.iter().enumerate() {
        let (direction, start) = key(message);
        // This session's messages follow each other without interleaving.
        let next =
            whole[index + 1..].iter().find(|other| other["direction"] == message["direction"]);
        let (start, end) =
            (start.expect("an offset"), next.map_or(u64::MAX, |next| key(next).1.unwrap()));
        let touched = gaps.iter().any(|gap| gap.0 == direction && gap.1 < end && start < gap.2);
        let found =
            holed.iter().any(|other| key(other) == key(message) && other["complete"] == true);
        if !touched && !found {
            lost.push(format!("{direction} {start}..{end}"));
        }
    }
    assert!(lost.len() <= gaps.len(), "{lost:?} lost with {gaps:?}");
    for other in holed.iter().filter(|other| other["confidence"] == "exact") {
        let same =
            |message: &&Value| key(message) == key(other) && message["body"] == other["body"];
        assert!(whole.iter().any(|message| same(&message)), "exact and not there: {other}");
    }
}

/// What cannot be decoded is no reason to fail, nor to make something up.
#[test]
fn all_further_recordings_are_read() {
    let Some(further) = folders::recordings() else { return };
    for folder in ["recorded", "public"] {
        for name in folders::captures(&further.join(folder)) {
            let lines = dump(&further.join(folder).join(&name));
            assert_eq!(lines.last().expect("an end")["type"], "end", "{name}");
        }
    }
}
