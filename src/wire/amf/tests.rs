//! Both encodings from the outside: golden bytes, round trips, hostile input.

mod amf0;
mod amf3;
mod hostile;
mod round_trip;

use super::*;
use crate::base::{FieldTree, FieldValue, Reader, Stop, StopReason};

type Decoder = for<'a> fn(&mut Reader<'a, '_>, &mut State<'a>) -> Result<Value, Cut>;

const AMF0: Decoder = |r, state| super::amf0::decode_lax(r, state, "value");
const AMF3: Decoder = |r, state| super::amf3::decode_lax(r, state, "value");

fn run(mut r: Reader<'_, '_>, read: Decoder) -> (Vec<Value>, Option<Stop>) {
    let (mut state, mut values) = (State::new(), Vec::new());
    while !r.is_empty() {
        match read(&mut r, &mut state) {
            Ok(value) => values.push(value),
            Err(cut) => {
                values.extend(cut.value);
                return (values, Some(cut.stop));
            }
        }
    }
    (values, None)
}

/// Decodes all values of the bytes, with and without a field tree: both must agree.
fn all(bytes: &[u8], read: Decoder) -> (Vec<Value>, Option<Stop>) {
    let plain = run(Reader::new(bytes), read);
    let mut tree = FieldTree::new();
    let listed = run(Reader::with_fields(bytes, &mut tree), read);
    // As text: NaN does not equal itself.
    assert_eq!(format!("{listed:?}"), format!("{plain:?}"));
    for node in tree.nodes() {
        assert!(node.range.start <= node.range.end && node.range.end <= bytes.len(), "{node:?}");
    }
    plain
}

fn one(bytes: &[u8], read: Decoder) -> Value {
    let (mut values, stop) = all(bytes, read);
    assert_eq!((values.len(), stop), (1, None), "{bytes:02x?}");
    values.remove(0)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

fn property(name: &str, value: Value) -> Property {
    Property { name: name.into(), value }
}
