use super::*;
use crate::wire::amf::amf0::{decode, decode_lax, encode};

/// A sample of every type: bytes, value.
pub(super) fn samples() -> Vec<(Vec<u8>, Value)> {
    let sample = |text: &str, value| (hex(text), value);
    vec![
        sample("00 3ff0000000000000", Value::Number(1.0)),
        sample("01 01", Value::Boolean(true)),
        sample("01 00", Value::Boolean(false)),
        sample("02 0004 6c697665", Value::string("live")),
        sample("02 0000", Value::string("")),
        sample(
            "03 0003 617070 02 0004 6c697665 0001 78 05 0000 09",
            Value::object([("app", Value::string("live")), ("x", Value::Null)]),
        ),
        sample("05", Value::Null),
        sample("06", Value::Undefined),
        sample(
            "08 00000001 0001 61 01 01 0000 09",
            Value::EcmaArray {
                count: 1,
                properties: vec![property("a", Value::Boolean(true))],
                dense: vec![],
            },
        ),
        sample(
            "0a 00000002 05 00 4000000000000000",
            Value::StrictArray(vec![Value::Null, Value::Number(2.0)]),
        ),
        sample("0b 4270000000000000 ffc4", Value::Date { millis: 1_099_511_627_776.0, zone: -60 }),
        sample("0d", Value::Unsupported),
        sample("0f 00000004 3c612f3e", Value::Xml("<a/>".into())),
        sample(
            "10 0003 466f6f 0001 78 06 0000 09",
            Value::Object {
                class: Some("Foo".into()),
                properties: vec![property("x", Value::Undefined)],
            },
        ),
        // AVM+: one value of the other encoding.
        sample("11 04 07", Value::Integer(7)),
        sample("11 0c 05 aabb", Value::ByteArray(vec![0xaa, 0xbb])),
    ]
}

#[test]
fn every_type_decodes_and_encodes() {
    for (bytes, value) in samples() {
        assert_eq!(one(&bytes, AMF0), value);
        assert_eq!(encode(&value), bytes);
    }
}

#[test]
fn any_byte_but_zero_is_true() {
    assert_eq!(one(&[1, 0x7f], AMF0), Value::Boolean(true));
}

#[test]
fn long_strings_have_their_own_marker() {
    assert_eq!(one(&hex("0c 00000002 6869"), AMF0), Value::string("hi"));
    let long = Value::String(Text(vec![b'x'; 0x1_0000]));
    let bytes = encode(&long);
    assert_eq!(bytes[..5], hex("0c 00010000"));
    assert_eq!(one(&bytes, AMF0), long);
}

#[test]
fn text_that_is_not_utf8_is_kept() {
    let value = one(&hex("02 0003 61ff62"), AMF0);
    assert_eq!(value.as_text().unwrap().0, [0x61, 0xff, 0x62]);
    assert_eq!(encode(&value), hex("02 0003 61ff62"));
}

#[test]
fn an_arrays_count_is_a_hint() {
    for count in ["00000000", "00000007", "ffffffff"] {
        let bytes = hex(&format!("08 {count} 0001 61 05 0001 62 05 0000 09"));
        assert_eq!(one(&bytes, AMF0).properties().len(), 2);
    }
}

#[test]
fn duplicate_keys_are_kept_in_order() {
    let value = one(&hex("03 0001 61 05 0001 61 06 0000 09"), AMF0);
    assert_eq!(value.properties().len(), 2);
    assert_eq!(value.get("A"), Some(&Value::Null));
}

#[test]
fn an_empty_name_without_the_end_marker_is_a_property() {
    let bytes = hex("03 0000 05 0000 09");
    let value = one(&bytes, AMF0);
    assert_eq!(value, Value::object([("", Value::Null)]));
    assert_eq!(encode(&value), bytes);
}

#[test]
fn an_object_may_end_with_the_message() {
    for (text, at) in [("03 0001 61 05", 5), ("03 0001 61 03 0001 62 05", 9)] {
        let bytes = hex(text);
        let mut state = State::new();
        let value = decode(&mut Reader::new(&bytes), &mut state).unwrap();
        assert_eq!(value.properties().len(), 1);
        assert_eq!(state.unterminated(), Some(at));
    }
    let bytes = hex("03 0001 61 05 0000 09");
    let mut state = State::new();
    decode(&mut Reader::new(&bytes), &mut state).unwrap();
    assert_eq!(state.unterminated(), None);
}

#[test]
fn references_count_containers_from_the_first() {
    // The outer object is 0, its member 1; a reference to either is an index, not a copy.
    let (values, stop) = all(&hex("03 0001 61 0a 00000000 0001 62 07 0001 0000 09 07 0000"), AMF0);
    assert_eq!(stop, None);
    assert_eq!(values[0].get("b"), Some(&Value::Reference(1)));
    assert_eq!(values[1], Value::Reference(0));
    // An object may refer to itself, nothing to what comes later.
    assert_eq!(one(&hex("03 0001 61 07 0000 0000 09"), AMF0).properties().len(), 1);
    let (values, stop) = all(&hex("03 0001 61 07 0001 0000 09"), AMF0);
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at), ("reference", 5));
    assert_eq!(stop.reason, StopReason::BadReference(1));
    assert_eq!(values, [Value::object([])]);
}

#[test]
fn reserved_and_unknown_markers_stop() {
    for (marker, kept) in [(4, Some(Value::MovieClip)), (14, Some(Value::RecordSet))] {
        let (values, stop) = all(&[5, marker, 0], AMF0);
        let stop = stop.unwrap();
        assert_eq!((stop.at, stop.reason), (1, StopReason::UnknownMarker(marker)));
        assert_eq!(values.get(1), kept.as_ref());
    }
    for marker in [9, 0x12, 0x7f, 0xff] {
        let stop = all(&[marker], AMF0).1.unwrap();
        assert_eq!(stop.reason, StopReason::UnknownMarker(marker));
    }
}

#[test]
fn a_cut_object_keeps_its_members() {
    let bytes = hex("03 0001 61 05 0001 62 03 0001 63 06 0001 64 02 0009 6162");
    let (values, stop) = all(&bytes, AMF0);
    let inner = Value::object([("c", Value::Undefined)]);
    assert_eq!(values, [Value::object([("a", Value::Null), ("b", inner)])]);
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at), ("string", 19));
    assert_eq!(stop.reason, StopReason::Truncated { needed: 9, left: 2 });
}

#[test]
fn the_field_tree_has_keys_and_ranges() {
    let bytes =
        hex("03 0003 617070 02 0004 6c697665 0001 6e 0a 00000001 00 3ff0000000000000 0000 09");
    let mut tree = FieldTree::new();
    let mut r = Reader::with_fields(&bytes, &mut tree);
    decode_lax(&mut r, &mut State::new(), "command_object").unwrap();
    let nodes: Vec<_> =
        tree.nodes().iter().map(|n| (&*n.name, n.depth, n.range.clone(), &n.value)).collect();
    let live = FieldValue::Text("live".into());
    assert_eq!(
        nodes,
        [
            ("command_object", 0, 0..bytes.len(), &FieldValue::Group),
            ("app", 1, 6..13, &live),
            ("n", 1, 16..30, &FieldValue::Group),
            ("array_count", 2, 17..21, &FieldValue::Uint(1)),
            ("[0]", 2, 21..30, &FieldValue::Number(1.0)),
        ]
    );
}
