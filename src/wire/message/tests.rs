//! Message bodies: golden bytes, recorded ones, round trips, hostile ones.

mod aggregate;
mod command;
mod control;
mod media;
mod shared_object;

use super::*;
use crate::base::{FieldTree, Stop, StopReason};
use crate::wire::amf::{Property, Value};

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// Decodes with and without a field tree: both must agree.
fn both(type_id: MessageType, payload: &[u8]) -> (Body, Option<Stop>) {
    let plain = decode(type_id, payload, None);
    let mut tree = FieldTree::new();
    let listed = decode(type_id, payload, Some(&mut tree));
    // As text: NaN does not equal itself.
    assert_eq!(format!("{listed:?}"), format!("{plain:?}"));
    for node in tree.nodes() {
        assert!(node.range.start <= node.range.end && node.range.end <= payload.len(), "{node:?}");
    }
    if let Some(stop) = &plain.1 {
        assert!(stop.at <= payload.len(), "{stop:?}");
    }
    plain
}

/// Decodes a sound body and sees that encoding gives the bytes back.
fn sound(type_id: MessageType, text: &str) -> Body {
    let payload = hex(text);
    let (body, stop) = both(type_id, &payload);
    assert_eq!(stop, None, "{text}");
    assert_eq!(encode(type_id, &body).unwrap(), payload, "{text}");
    body
}

/// `name range` of every node, and its meaning.
fn fields(type_id: MessageType, text: &str) -> Vec<String> {
    let mut tree = FieldTree::new();
    decode(type_id, &hex(text), Some(&mut tree));
    let show = |node: &crate::base::Field| {
        let meaning = node.meaning.as_deref().map(|m| format!(" ({m})")).unwrap_or_default();
        format!("{}{} {:?}{meaning}", " ".repeat(node.depth as usize), node.name, node.range)
    };
    tree.nodes().iter().map(show).collect()
}

struct Recorded {
    type_id: MessageType,
    capture: String,
    payload: Vec<u8>,
}

fn recorded() -> Vec<Recorded> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/message/recorded.txt");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let words: Vec<_> = line.split(' ').collect();
            Recorded {
                type_id: MessageType(words[0].parse().unwrap()),
                capture: words[1].into(),
                payload: hex(words[3]),
            }
        })
        .collect()
}

#[test]
fn recorded_messages_decode_whole_and_encode_back() {
    let all = recorded();
    assert!(all.len() > 150);
    for Recorded { type_id, capture, payload } in all {
        let (body, stop) = both(type_id, &payload);
        let name = match &body {
            Body::Command(command) => command.name.lossy().into_owned(),
            _ => type_id.kind().to_owned(),
        };
        // ffmpeg's listener ends its onFCPublish after the name.
        let bare = name == "onFCPublish" && payload.len() == 14;
        assert_eq!(stop.is_some(), bare, "{capture} {name} {stop:?}");
        if type_id != MessageType::AGGREGATE {
            assert_eq!(encode(type_id, &body).as_ref(), Some(&payload), "{capture} {name}");
        }
    }
}

#[test]
fn recorded_messages_cut_or_corrupted_do_no_harm() {
    for Recorded { type_id, payload, .. } in recorded() {
        let payload = &payload[..payload.len().min(400)];
        let (whole, _) = both(type_id, payload);
        for len in 0..payload.len() {
            let (body, stop) = both(type_id, &payload[..len]);
            // Between two values a shorter message is a sound one; it must then say less.
            assert!(stop.is_some() || body != whole, "{type_id:?} {len}");
        }
        for at in 0..payload.len() {
            for value in [0, payload[at].wrapping_add(1), 0xff] {
                let mut payload = payload.to_vec();
                payload[at] = value;
                decode(type_id, &payload, None);
                let end = payload.len().min(at + 4);
                payload[at..end].fill(value);
                decode(type_id, &payload, None);
            }
        }
    }
}

#[test]
fn unknown_types_are_left_alone() {
    for type_id in [0, 7, 10, 14, 21, 23, 255] {
        assert_eq!(both(MessageType(type_id), &[1, 2, 3]), (Body::Unknown, None));
        assert_eq!(fields(MessageType(type_id), "010203"), ["payload 0..3"]);
    }
    assert_eq!(encode(MessageType(7), &Body::Unknown), None);
}
