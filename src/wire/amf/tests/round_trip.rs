use proptest::prelude::*;

use super::*;
use crate::wire::amf::{amf0, amf3};

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-zA-Z@|_]{1,12}".prop_map(|text| Text::from(text.as_str())),
        // Not UTF-8, and longer than one length byte of AMF3 can say.
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Text),
    ]
}

/// Not NaN, which equals nothing.
fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("NaN", |number| !number.is_nan())
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        double().prop_map(Value::Number),
        (-(1 << 28)..1i32 << 28).prop_map(Value::Integer),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(Value::String),
        text().prop_map(Value::Xml),
        Just(Value::string("")),
        Just(Value::Null),
        Just(Value::Undefined),
        double().prop_map(|millis| Value::Date { millis, zone: 0 }),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::ByteArray),
        (any::<bool>(), prop::collection::vec(any::<i32>(), 0..9))
            .prop_map(|(fixed, items)| Value::VectorInt { fixed, items }),
        (any::<bool>(), prop::collection::vec(any::<u32>(), 0..9))
            .prop_map(|(fixed, items)| Value::VectorUint { fixed, items }),
        (any::<bool>(), prop::collection::vec(double(), 0..9))
            .prop_map(|(fixed, items)| Value::VectorDouble { fixed, items }),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 60, 6, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..6);
        let named = |least: usize| {
            let one = (text(), inner.clone()).prop_map(|(name, value)| Property { name, value });
            prop::collection::vec(one, least..6)
        };
        prop_oneof![
            items.clone().prop_map(Value::StrictArray),
            (prop::option::of(text()), named(0))
                .prop_map(|(class, properties)| Value::Object { class, properties }),
            (named(1), items.clone()).prop_map(|(properties, dense)| Value::EcmaArray {
                count: dense.len() as u32,
                properties,
                dense,
            }),
            (any::<bool>(), text(), items.clone())
                .prop_map(|(fixed, class, items)| Value::VectorObject { fixed, class, items }),
            (any::<bool>(), prop::collection::vec((inner.clone(), inner.clone()), 0..4))
                .prop_map(|(weak, entries)| Value::Dictionary { weak, entries }),
            inner.clone().prop_map(|value| Value::Externalizable {
                class: "flex.messaging.io.ObjectProxy".into(),
                content: vec![value],
            }),
            (inner.clone(), inner).prop_map(|(first, second)| Value::Externalizable {
                class: "DSC".into(),
                content: vec![Value::object([("headers", first), ("operation", second)])],
            }),
        ]
    })
}

fn back(bytes: &[u8], read: Decoder) -> Value {
    one(bytes, read)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn amf0_round_trip(value in values()) {
        prop_assert_eq!(back(&amf0::encode(&value), AMF0), value);
    }

    #[test]
    fn amf3_round_trip(value in values()) {
        prop_assert_eq!(back(&amf3::encode(&value), AMF3), value);
    }

    #[test]
    fn any_cut_and_any_changed_byte_is_survived(
        value in values(), cut in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        for (bytes, read) in [(amf0::encode(&value), AMF0), (amf3::encode(&value), AMF3)] {
            all(&bytes[..cut.index(bytes.len())], read);
            let mut bytes = bytes;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            all(&bytes, read);
        }
    }

    #[test]
    fn random_bytes_are_survived(bytes in prop::collection::vec(0u8..0x14, 0..200)) {
        all(&bytes, AMF0);
        all(&bytes, AMF3);
    }
}
