use super::*;
use crate::wire::amf::amf3::{decode, encode};

fn object(class: &str, properties: Vec<Property>) -> Value {
    Value::Object { class: (!class.is_empty()).then(|| class.into()), properties }
}

/// A sample of every type: bytes, value.
pub(super) fn samples() -> Vec<(Vec<u8>, Value)> {
    let sample = |text: &str, value| (hex(text), value);
    vec![
        sample("00", Value::Undefined),
        sample("01", Value::Null),
        sample("02", Value::Boolean(false)),
        sample("03", Value::Boolean(true)),
        sample("04 7f", Value::Integer(127)),
        sample("05 3ff8000000000000", Value::Number(1.5)),
        sample("06 09 6c697665", Value::string("live")),
        sample("06 01", Value::string("")),
        sample("08 01 4270000000000000", Value::Date { millis: 1_099_511_627_776.0, zone: 0 }),
        sample("09 05 01 01 04 02", Value::StrictArray(vec![Value::Null, Value::Integer(2)])),
        sample(
            "09 03 03 61 03 01 02",
            Value::EcmaArray {
                count: 1,
                properties: vec![property("a", Value::Boolean(true))],
                dense: vec![Value::Boolean(false)],
            },
        ),
        sample("0a 0b 01 03 61 01 01", object("", vec![property("a", Value::Null)])),
        sample("0a 0b 07 466f6f 01", object("Foo", vec![])),
        sample("0b 09 3c612f3e", Value::Xml("<a/>".into())),
        sample("0c 07 010203", Value::ByteArray(vec![1, 2, 3])),
        sample("0d 05 01 00000001 ffffffff", Value::VectorInt { fixed: true, items: vec![1, -1] }),
        sample("0e 03 00 ffffffff", Value::VectorUint { fixed: false, items: vec![u32::MAX] }),
        sample("0f 03 00 3ff8000000000000", Value::VectorDouble { fixed: false, items: vec![1.5] }),
        sample(
            "10 05 00 03 2a 01 02",
            Value::VectorObject {
                fixed: false,
                class: "*".into(),
                items: vec![Value::Null, Value::Boolean(false)],
            },
        ),
        sample(
            "11 03 01 06 03 61 04 05",
            Value::Dictionary {
                weak: true,
                entries: vec![(Value::string("a"), Value::Integer(5))],
            },
        ),
        sample(
            "0a 07 43 666c65782e6d6573736167696e672e696f2e4172726179436f6c6c656374696f6e 09 03 01 01",
            Value::Externalizable {
                class: "flex.messaging.io.ArrayCollection".into(),
                content: vec![Value::StrictArray(vec![Value::Null])],
            },
        ),
        // An acknowledgement: body and message id, then a correlation id, then nothing.
        sample(
            "0a 07 07 44534b 11 01 06 05 6964 02 0c 03 ff 00",
            Value::Externalizable {
                class: "DSK".into(),
                content: vec![Value::object([
                    ("body", Value::Null),
                    ("messageId", Value::string("id")),
                    ("correlationIdBytes", Value::ByteArray(vec![0xff])),
                ])],
            },
        ),
        // A command with its second flag byte.
        sample(
            "0a 07 07 445343 80 01 0c 03 01 00 01 04 05",
            Value::Externalizable {
                class: "DSC".into(),
                content: vec![Value::object([
                    ("clientIdBytes", Value::ByteArray(vec![1])),
                    ("operation", Value::Integer(5)),
                ])],
            },
        ),
    ]
}

#[test]
fn every_type_decodes_and_encodes() {
    for (bytes, value) in samples() {
        assert_eq!(one(&bytes, AMF3), value);
        assert_eq!(encode(&value), bytes);
    }
    assert_eq!(one(&hex("07 09 3c612f3e"), AMF3), Value::Xml("<a/>".into()));
}

#[test]
fn integers_have_29_bits_and_a_sign() {
    for (text, value) in [
        ("04 00", 0),
        ("04 7f", 0x7f),
        ("04 8100", 0x80),
        ("04 ff7f", 0x3fff),
        ("04 818000", 0x4000),
        ("04 ffff7f", 0x1f_ffff),
        ("04 80c08000", 0x20_0000),
        ("04 bfffffff", 0x0fff_ffff),
        ("04 c0808000", -0x1000_0000),
        ("04 ffffffff", -1),
    ] {
        let mut state = State::new();
        let bytes = hex(text);
        let decoded = decode(&mut Reader::new(&bytes), &mut state).unwrap();
        assert_eq!(decoded, Value::Integer(value), "{text}");
        assert_eq!(encode(&decoded), bytes);
        assert!(!state.overlong(), "{text}");
    }
    // 29 bits do not hold these.
    assert_eq!(one(&encode(&Value::Integer(0x1000_0000)), AMF3), Value::Number(268_435_456.0));
}

#[test]
fn integers_may_be_longer_than_needed() {
    for text in ["04 8005", "04 808005", "04 80808005", "04 81808000"] {
        let mut state = State::new();
        let bytes = hex(text);
        decode(&mut Reader::new(&bytes), &mut state).unwrap();
        assert_eq!(state.overlong(), text != "04 81808000", "{text}");
    }
    assert_eq!(one(&hex("04 80808005"), AMF3), Value::Integer(5));
}

#[test]
fn strings_are_referred_to_by_index() {
    // The empty string is never in the table.
    let (values, stop) = all(&hex("06 01 06 03 61 06 03 62 06 00 06 02"), AMF3);
    assert_eq!(stop, None);
    let texts: Vec<_> = values.iter().map(|v| v.as_text().unwrap().lossy()).collect();
    assert_eq!(texts, ["", "a", "b", "a", "b"]);
    let stop = all(&hex("06 03 61 06 02"), AMF3).1.unwrap();
    assert_eq!((stop.field, stop.at, stop.reason), ("string", 4, StopReason::BadReference(1)));
}

#[test]
fn tables_last_for_the_message() {
    // Two AVM+ values in AMF0: the second refers to the first one's string.
    let (values, stop) = all(&hex("11 06 03 61 05 11 06 00"), AMF0);
    assert_eq!(stop, None);
    assert_eq!(values, [Value::string("a"), Value::Null, Value::string("a")]);
}

#[test]
fn objects_of_every_kind_share_one_table() {
    // Date 0, byte array 1, XML 2, vector 3, array 4, object 5 which refers to itself.
    let bytes = "08 01 0000000000000000  0c 01  07 01  0d 01 00  09 01 01
                 0a 0b 01 03 61 0a 0a 01  08 00 0c 02 07 04 0d 06 09 08 0a 0a";
    let (values, stop) = all(&hex(bytes), AMF3);
    assert_eq!(stop, None);
    assert_eq!(values[5].get("a"), Some(&Value::Reference(5)));
    let references: Vec<_> = (0..6).map(Value::Reference).collect();
    assert_eq!(values[6..], references);
    let (_, stop) = all(&hex("09 01 01 0a 02"), AMF3);
    assert_eq!(stop.unwrap().reason, StopReason::BadReference(1));
}

#[test]
fn traits_are_referred_to_by_index() {
    // Foo { sealed a, b; dynamic }, then another of the same class.
    let bytes = "0a 2b 07 466f6f 03 61 03 62 04 01 04 02 03 63 04 03 01  0a 01 04 05 04 06 01";
    let (values, stop) = all(&hex(bytes), AMF3);
    assert_eq!(stop, None);
    let int = |name, value| property(name, Value::Integer(value));
    assert_eq!(values[0], object("Foo", vec![int("a", 1), int("b", 2), int("c", 3)]));
    assert_eq!(values[1], object("Foo", vec![int("a", 5), int("b", 6)]));
    let stop = all(&hex("0a 05"), AMF3).1.unwrap();
    assert_eq!((stop.field, stop.reason), ("traits_reference", StopReason::BadReference(1)));
}

#[test]
fn sealed_members_may_have_an_empty_name() {
    let value = object("", vec![property("", Value::Null), property("a", Value::Undefined)]);
    assert_eq!(one(&encode(&value), AMF3), value);
}

#[test]
fn an_unknown_externalizable_class_ends_decoding() {
    let (values, stop) = all(&hex("0a 07 07 466f6f 01 02"), AMF3);
    assert_eq!(values, [Value::Externalizable { class: "Foo".into(), content: vec![] }]);
    let stop = stop.unwrap();
    assert_eq!(stop.at, 6);
    assert_eq!(stop.reason, StopReason::UnknownExternalizable("Foo".into()));
}

#[test]
fn unknown_markers_stop() {
    for marker in [0x12, 0x80, 0xff] {
        let stop = all(&[1, marker], AMF3).1.unwrap();
        assert_eq!((stop.at, stop.reason), (1, StopReason::UnknownMarker(marker)));
    }
}

#[test]
fn the_field_tree_has_keys_and_ranges() {
    let bytes = hex("0a 2b 07 466f6f 03 61 03 62 04 01 06 05 6869 03 63 09 03 01 03 01");
    let mut tree = FieldTree::new();
    decode(&mut Reader::with_fields(&bytes, &mut tree), &mut State::new()).unwrap();
    let nodes: Vec<_> = tree.nodes().iter().map(|n| (&*n.name, n.depth, n.range.clone())).collect();
    assert_eq!(
        nodes,
        [
            ("value", 0, 0..23),
            ("traits", 1, 1..10),
            ("a", 1, 10..12),
            ("b", 1, 12..16),
            ("c", 1, 18..22),
            ("count", 2, 19..20),
            ("[0]", 2, 21..22),
        ]
    );
}
