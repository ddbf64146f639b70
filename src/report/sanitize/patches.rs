//! The bytes of a message that hold secrets, and what stands for them.

use std::ops::Range;

use super::super::redact::{Redactions, Redactor};
use super::text;
use crate::base::{FieldTree, FieldValue};
use crate::rtmp::Message;
use crate::wire::message::{Body, MessageType, decode_prefix};

/// New bytes for a range of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch<P> {
    pub at: P,
    pub bytes: Vec<u8>,
}

/// Whether the message is one whose values can be secret.
pub(super) fn carries_text(type_id: MessageType, body: &Body) -> bool {
    match body {
        Body::Aggregate(parts) => parts.iter().any(|p| carries_text(p.type_id, &p.body)),
        Body::Unknown => true,
        Body::Video(tag) => !tag.metadata.is_empty(),
        _ => !type_id.is_media() && !type_id.is_control(),
    }
}

/// What of a message's payload changes; `redactions` is what the redactor said of it.
pub(super) fn of(
    message: &Message,
    redactor: &Redactor,
    redactions: &Redactions,
    hide_hosts: bool,
) -> Vec<Patch<usize>> {
    let payload = &message.payload[..];
    let mut tree = FieldTree::new();
    decode_prefix(message.type_id, payload, message.length as usize, Some(&mut tree));
    let text_matters = !message.type_id.is_media()
        && !message.type_id.is_control()
        && message.type_id.0 != AGGREGATE;
    let mut patches = Vec::new();
    let mut end = 0;
    for node in tree.nodes() {
        end = end.max(node.range.end);
        let range = node.range.clone();
        match &node.value {
            FieldValue::Text(old) => {
                let new = redactions.string(old).map(str::to_owned);
                let new = match (new, hide_hosts) {
                    (new, true) => text::hide_hosts(new.as_deref().unwrap_or(old)).or(new),
                    (new, false) => new,
                };
                let Some(new) = new else { continue };
                patches.extend(of_text(payload, range, old, &new));
            }
            FieldValue::Number(n) if redactions.hides_number(*n) => {
                patches.extend(of_number(payload, range));
            }
            FieldValue::Int(n) if redactions.hides_number(*n as f64) => {
                patches.extend(of_number(payload, range));
            }
            FieldValue::Bytes if text_matters && range.len() > 1 => {
                let start = range.start + header_len(payload, range.start).max(1);
                patches.extend(blank(start..range.end));
            }
            _ => {}
        }
    }
    if text_matters && end < payload.len() {
        // What could not be decoded; its first byte says why.
        patches.extend(blank(end + 1..payload.len()));
    }
    // Names of members, and whatever else repeats a secret. Short ones would be found in words.
    for (range, name) in redactor.stand_ins(payload) {
        if range.len() < MIN_SEARCHED {
            continue;
        }
        let known = patches
            .iter()
            .any(|p: &Patch<usize>| p.at <= range.start && p.at + p.bytes.len() >= range.end);
        if !known && carries_text(message.type_id, &message.body) {
            patches.push(Patch { at: range.start, bytes: fit(name.unwrap_or_default(), &range) });
        }
    }
    patches
}

/// Shorter secrets are only replaced where the protocol puts them.
pub(super) const MIN_SEARCHED: usize = 8;

/// Type id of aggregate messages.
const AGGREGATE: u8 = 22;

fn blank(range: Range<usize>) -> Option<Patch<usize>> {
    (!range.is_empty()).then(|| Patch { at: range.start, bytes: vec![0; range.len()] })
}

fn fit(text: String, range: &Range<usize>) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.resize(range.len(), b'x');
    bytes
}

/// Bytes before the content of an AMF value that begins at `at`: its marker and its length. 0 for
/// what is no such value.
fn header_len(payload: &[u8], at: usize) -> usize {
    match payload.get(at) {
        Some(2) => 3,
        Some(0x0c | 0x0f) if payload.get(at + 1) == Some(&0) => 5,
        Some(0x06 | 0x07 | 0x0b | 0x0c) => {
            let length = payload.iter().skip(at + 1).take(4);
            2 + length.take(3).take_while(|byte| **byte & 0x80 != 0).count()
        }
        _ => 0,
    }
}

/// A text of `range`, whose content is at the end of it.
fn of_text(payload: &[u8], range: Range<usize>, old: &str, new: &str) -> Option<Patch<usize>> {
    let exact = range.end.checked_sub(old.len()).filter(|start| {
        *start >= range.start && payload.get(*start..range.end) == Some(old.as_bytes())
    });
    if let Some(start) = exact
        && new.len() == old.len()
    {
        return Some(Patch { at: start, bytes: new.as_bytes().to_vec() });
    }
    // Not UTF-8, or what stands for it has another length: all of it goes. A reference to a text
    // that stands elsewhere holds no bytes.
    let start = exact.unwrap_or(range.start + header_len(payload, range.start));
    (start < range.end).then(|| Patch { at: start, bytes: vec![b'x'; range.end - start] })
}

/// A number becomes 1, in the form that it has.
fn of_number(payload: &[u8], range: Range<usize>) -> Option<Patch<usize>> {
    const ONE: [u8; 8] = [0x3f, 0xf0, 0, 0, 0, 0, 0, 0];
    match (payload.get(range.start)?, range.len()) {
        (0 | 5 | 0x0b, len @ 9..) => {
            let mut bytes = ONE.to_vec();
            bytes.resize(len - 1, 0);
            Some(Patch { at: range.start + 1, bytes })
        }
        // A U29 keeps its length.
        (4, len @ 2..=5) => {
            let mut bytes = vec![0x80; len - 1];
            if let Some(first) = bytes.first_mut() {
                *first |= 1;
            }
            if let Some(last) = bytes.last_mut() {
                *last &= if len == 5 { 0xff } else { 0x7f };
            }
            Some(Patch { at: range.start + 1, bytes })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_replaced_behind_its_marker_and_length() {
        let payload = b"\x02\x00\x03key";
        let patch = of_text(payload, 0..6, "key", "s1x").unwrap();
        assert_eq!(patch, Patch { at: 3, bytes: b"s1x".to_vec() });
        let odd = b"\x02\x00\x03k\xffy";
        let patch = of_text(odd, 0..6, "k\u{fffd}y", "s1xxx").unwrap();
        assert_eq!(patch, Patch { at: 3, bytes: b"xxx".to_vec() });
        assert_eq!(of_text(b"\x06\x00", 0..2, "long text", "longer text"), None);
    }

    #[test]
    fn numbers_keep_their_form() {
        assert_eq!(of_number(&[0, 1, 2, 3, 4, 5, 6, 7, 8], 0..9).unwrap().bytes.len(), 8);
        let patch = of_number(&[4, 0x81, 0x82, 0x03], 0..4).unwrap();
        assert_eq!(patch.bytes, [0x81, 0x80, 0x00]);
        assert_eq!(of_number(&[4, 0x03], 0..2).unwrap().bytes, [0x01]);
    }
}
