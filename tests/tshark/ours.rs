//! What rtmpscope makes of a capture, in the same terms.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::pdml::{Directions, Message};

/// The output of `rtmpscope dump --format ndjson`.
pub fn lines(capture: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["dump", "--format", "ndjson"])
        .arg(capture)
        .output()
        .expect("the program runs");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Its complete messages.
pub fn decode(capture: &Path) -> Directions {
    let mut sessions = BTreeMap::new();
    let mut out = Directions::new();
    for line in lines(capture) {
        let session = line["session"].as_u64().unwrap_or_default();
        match line["type"].as_str() {
            Some("session") => {
                let address = |side: &str| {
                    let text = line[side].as_str().unwrap_or_default();
                    let (host, port) = text.rsplit_once(':').unwrap_or_default();
                    format!("{} {port}", host.trim_matches(['[', ']']))
                };
                sessions.insert(session, (address("client"), address("server")));
            }
            Some("message") if line["complete"] == true => {
                let (client, server) = &sessions[&session];
                let key = match line["direction"].as_str() {
                    Some("client_to_server") => format!("{client}>{server}"),
                    _ => format!("{server}>{client}"),
                };
                let number = |name: &str| line[name].as_u64().map(|n| n as u32);
                out.entry(key).or_default().push(Message {
                    type_id: number("type_id").unwrap_or(0) as u8,
                    fmt: number("fmt").unwrap_or(9) as u8,
                    csid: number("csid").unwrap_or(0),
                    timestamp: number("timestamp").unwrap_or(0),
                    timed: line["timestamp_exact"] != false,
                    length: number("length"),
                    stream_id: number("stream_id"),
                    frame: line["frames"]
                        .as_array()
                        .and_then(|frames| frames.last()?.as_u64())
                        .unwrap_or(0),
                    offset: line["offset"].as_u64().unwrap_or(0),
                });
            }
            _ => {}
        }
    }
    out
}

/// The ports on which its servers listen.
pub fn ports(capture: &Path) -> Vec<u16> {
    let server = |line: &Value| {
        let server = line["server"].as_str()?;
        server.rsplit_once(':')?.1.parse().ok()
    };
    let sessions = lines(capture).into_iter().filter(|line| line["type"] == "session");
    let ports: BTreeSet<u16> = sessions.filter_map(|line| server(&line)).collect();
    ports.into_iter().collect()
}

/// Messages by type.
pub fn counts(messages: &[Message]) -> BTreeMap<u8, usize> {
    let mut out = BTreeMap::new();
    for message in messages {
        *out.entry(message.type_id).or_default() += 1;
    }
    out
}

/// The first difference between two lists of the messages of one direction, if there is any.
pub fn difference(ours: &[Message], theirs: &[Message]) -> Option<String> {
    if counts(ours) != counts(theirs) {
        return Some(format!("ours {:?}, tshark {:?}", counts(ours), counts(theirs)));
    }
    let different = ours.iter().zip(theirs).find(|(ours, theirs)| !same(ours, theirs));
    different.map(|(ours, theirs)| format!("ours {ours:?}, tshark {theirs:?}"))
}

/// Whether all that both say is the same.
fn same(ours: &Message, theirs: &Message) -> bool {
    let agree = |a: Option<u32>, b: Option<u32>| b.is_none() || a == b;
    (ours.type_id, ours.fmt, ours.csid, ours.timestamp)
        == (theirs.type_id, theirs.fmt, theirs.csid, theirs.timestamp)
        && agree(ours.length, theirs.length)
        && agree(ours.stream_id, theirs.stream_id)
}

/// `source>destination` without the hosts.
pub fn ports_of(direction: &str) -> String {
    let port = |side: &str| side.rsplit_once(' ').unwrap_or_default().1.to_string();
    let (source, destination) = direction.split_once('>').unwrap_or_default();
    format!("{}>{}", port(source), port(destination))
}
