use super::*;
use crate::wire::amf::{MAX_COPIED_TEXT, MAX_DEPTH, MAX_VALUES};

/// Samples of both encodings with their decoder.
fn samples() -> Vec<(Vec<u8>, Decoder)> {
    let amf0 = super::amf0::samples().into_iter().map(|(bytes, _)| (bytes, AMF0));
    let amf3 = super::amf3::samples().into_iter().map(|(bytes, _)| (bytes, AMF3));
    amf0.chain(amf3).collect()
}

#[test]
fn every_sample_cut_at_every_length_stops() {
    for (bytes, read) in samples() {
        for len in 0..bytes.len() {
            let cut = &bytes[..len];
            let mut state = State::new();
            let result = read(&mut Reader::new(cut), &mut state);
            // An AMF0 object may lack its end marker, not more.
            let lax = len + 3 >= bytes.len() && state.unterminated() == Some(len);
            match result {
                Ok(_) if lax || state.unterminated().is_some() => {}
                Ok(value) => panic!("{value:?} from {cut:02x?}"),
                Err(cut) => assert!(cut.stop.at <= len, "{cut:?}"),
            }
        }
    }
}

#[test]
fn no_corrupted_byte_does_harm() {
    for (bytes, read) in samples() {
        for at in 0..bytes.len() {
            for value in [0, 1, bytes[at].wrapping_add(1), bytes[at] ^ 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                all(&bytes, read);
            }
            // Lengths of two and four bytes.
            for fill in [0, 0xff] {
                for width in [2, 4] {
                    let mut bytes = bytes.clone();
                    let end = bytes.len().min(at + width);
                    bytes[at..end].fill(fill);
                    all(&bytes, read);
                }
            }
        }
    }
}

#[test]
fn depth_is_limited() {
    for (unit, read) in [
        ("03 0001 61", AMF0),
        ("10 0000 0001 61", AMF0),
        ("08 00000001 0001 61", AMF0),
        ("0a 00000001", AMF0),
        ("09 03 01", AMF3),
        ("0a 0b 01 03 61", AMF3),
        ("10 03 00 01", AMF3),
        ("11 03 00", AMF3),
    ] {
        let (mut values, stop) = all(&hex(unit).repeat(10_000), read);
        assert_eq!(stop.unwrap().reason, StopReason::TooDeep, "{unit}");
        let mut depth = 0;
        while let Some(value) = values.pop() {
            depth += 1;
            values = match value {
                Value::Object { properties, .. } | Value::EcmaArray { properties, .. } => {
                    properties.into_iter().map(|p| p.value).collect()
                }
                Value::StrictArray(items) | Value::VectorObject { items, .. } => items,
                // A key that cannot be read has no entry to be kept in.
                Value::Dictionary { .. } => {
                    depth = MAX_DEPTH;
                    break;
                }
                other => panic!("{other:?}"),
            };
        }
        assert_eq!(depth, MAX_DEPTH, "{unit}");
    }
    // The switch does not start again from 0.
    let mut bytes = hex("0a 00000001").repeat(40);
    bytes.push(0x11);
    bytes.extend(hex("09 03 01").repeat(40));
    assert_eq!(all(&bytes, AMF0).1.unwrap().reason, StopReason::TooDeep);
    // Two deep values after one another are no deeper than one.
    let deep = [hex("0a 00000001").repeat(MAX_DEPTH as usize), vec![5]].concat();
    assert_eq!(all(&deep.repeat(2), AMF0).1, None);
}

#[test]
fn announced_counts_are_not_believed() {
    for (text, read) in [
        ("0a ffffffff 05 05", AMF0),
        ("08 ffffffff 0001 61 05", AMF0),
        ("0c ffffffff 61", AMF0),
        ("0f ffffffff 61", AMF0),
        ("06 ffffffff", AMF3),
        ("0c ffffffff", AMF3),
        ("09 ffffffff 01 01", AMF3),
        ("0a ffffffff 01", AMF3),
        ("0a ffffffff 01 01 01 01", AMF3),
        ("0a fffffffb 01 01 01 01", AMF3),
        ("0d ffffffff 00 00000001", AMF3),
        ("0e ffffffff 00 00000001", AMF3),
        ("0f ffffffff 00 0000000000000001", AMF3),
        ("10 ffffffff 00 01 01", AMF3),
        ("11 ffffffff 00 01 01", AMF3),
    ] {
        let (values, stop) = all(&hex(text), read);
        let accepted = text.starts_with("08");
        assert_eq!(stop.is_none(), accepted, "{text}: {values:?} {stop:?}");
    }
}

#[test]
fn values_are_limited() {
    let many = MAX_VALUES as usize + 10;
    let mut bytes = hex("0a 00ffffff");
    bytes.extend(vec![5; many]);
    let (values, stop) = all(&bytes, AMF0);
    assert_eq!(stop.unwrap().reason, StopReason::TooMany);
    let Value::StrictArray(items) = &values[0] else { panic!() };
    assert_eq!(items.len(), MAX_VALUES as usize - 1);
    // Without a container around them, too; and names of members count.
    assert_eq!(all(&vec![5; many], AMF0).1.unwrap().reason, StopReason::TooMany);
    let mut bytes = hex("0a fffffff3 01");
    bytes.extend(vec![1; many]);
    assert_eq!(all(&bytes, AMF3).1.unwrap().reason, StopReason::TooMany);
}

#[test]
fn references_do_not_multiply_memory() {
    // A megabyte of text and 100,000 references to it.
    let mut bytes = vec![6];
    bytes.extend(hex("80 c0 80 01"));
    bytes.extend(vec![b'x'; 1 << 20]);
    bytes.extend([6, 0].repeat(100_000));
    let (values, stop) = all(&bytes, AMF3);
    assert_eq!(stop.unwrap().reason, StopReason::TooMany);
    let text: u64 = values.iter().map(|v| v.as_text().unwrap().0.len() as u64).sum();
    assert!(text <= MAX_COPIED_TEXT, "{text}");
    // The same through a class's member name and class name.
    let mut bytes = hex("0a 13");
    bytes.extend(hex("80 c0 80 01"));
    bytes.extend(vec![b'x'; 1 << 20]);
    bytes.extend(hex("00 01"));
    bytes.extend([0x0a, 1, 1].repeat(100_000));
    assert_eq!(all(&bytes, AMF3).1.unwrap().reason, StopReason::TooMany);
    // Objects are not copied at all: many references to a large one are fine.
    let mut bytes = hex("0a 00000400");
    bytes.extend(vec![5; 1024]);
    bytes.extend(hex("07 0000").repeat(100_000));
    let (values, stop) = all(&bytes, AMF0);
    assert_eq!((values.len(), stop), (100_001, None));
}

#[test]
fn limits_are_shared_by_the_messages_of_an_aggregate() {
    let bytes = vec![5; MAX_VALUES as usize];
    let mut state = State::new();
    let mut r = Reader::new(&bytes);
    for _ in 0..MAX_VALUES {
        crate::wire::amf::amf0::decode(&mut r, &mut state).unwrap();
    }
    state.next_message();
    let stop = crate::wire::amf::amf0::decode(&mut Reader::new(&[5]), &mut state).unwrap_err();
    assert_eq!(stop.reason, StopReason::TooMany);
}
