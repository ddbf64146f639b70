use super::*;

/// Name `so`, version 1, persistent.
const HEAD: &str = "0002 736f 00000001 00000002 00000000";

fn object(text: &str) -> SharedObject {
    match sound(MessageType::SHARED_OBJECT_AMF0, &format!("{HEAD} {text}")) {
        Body::SharedObject(object) => object,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_event() {
    let all = object(
        "01 00000000
         02 00000000
         03 0000000c 0001 61 00 3ff0000000000000
         04 00000008 0001 61 05 0001 62 06
         05 00000003 0001 61
         06 00000006 02 0002 6869 05
         07 00000009 0004 636f6465 0001 65
         08 00000000
         09 00000003 0001 61
         0a 00000003 0001 61
         0b 00000000",
    );
    assert_eq!((all.name.lossy(), all.version, all.persistence), ("so".into(), 1, 2));
    let kinds: Vec<_> = all.events.iter().map(|e| e.event).collect();
    assert_eq!(kinds, (1..=11).collect::<Vec<u8>>());
    assert!(kinds.iter().all(|kind| shared_object_event_name(*kind) != "unknown"));
    assert!(all.events.iter().all(|event| event.data.is_empty()));
    let property = |name: &str, value| Property { name: name.into(), value };
    let change: Vec<_> = all.events[3].members().collect();
    assert_eq!(change, [property("a", Value::Null), property("b", Value::Undefined)]);
    assert_eq!(all.events[2].members().next(), Some(property("a", Value::Number(1.0))));
    assert_eq!(all.events[5].values, [Value::string("hi"), Value::Null]);
    assert_eq!(all.events[6].names, ["code", "e"]);
    assert_eq!(all.events[9].names, ["a"]);
}

#[test]
fn the_amf3_type_has_a_format_byte() {
    let text = format!("00 {HEAD} 04 00000006 0001 61 11 04 07");
    let Body::SharedObject(object) = sound(MessageType::SHARED_OBJECT_AMF3, &text) else {
        panic!()
    };
    assert_eq!(object.events[0].values, [Value::Integer(7)]);
}

#[test]
fn unknown_events_keep_their_data() {
    let object = object("63 00000002 aabb 08 00000000");
    assert_eq!((object.events[0].data.as_slice(), object.events.len()), (&[0xaa, 0xbb][..], 2));
}

#[test]
fn one_bad_event_does_not_hide_the_next() {
    // The string in the first event says that it is longer than the event.
    let payload = hex(&format!("{HEAD} 06 00000003 02 00ff 08 00000000"));
    let (body, stop) = both(MessageType::SHARED_OBJECT_AMF0, &payload);
    let Body::SharedObject(object) = body else { panic!() };
    assert_eq!(object.events.len(), 2);
    assert_eq!(object.events[1].event, 8);
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at), ("string", 24));
    // Data where there should be none.
    let payload = hex(&format!("{HEAD} 08 00000001 aa 08 00000000"));
    let (body, stop) = both(MessageType::SHARED_OBJECT_AMF0, &payload);
    let Body::SharedObject(object) = body else { panic!() };
    assert_eq!((object.events.len(), &object.events[0].data[..]), (2, &[0xaa][..]));
    assert_eq!(stop.unwrap().reason, StopReason::Trailing(1));
}

#[test]
fn cut_at_every_length() {
    let events = "03 0000000c 0001 61 00 3ff0000000000000 07 00000009 0004 636f6465 0001 65";
    let payload = hex(&format!("{HEAD} {events}"));
    let boundaries = [16, 33, payload.len()];
    for len in 0..payload.len() {
        let (_, stop) = both(MessageType::SHARED_OBJECT_AMF0, &payload[..len]);
        assert_eq!(stop.is_none(), boundaries.contains(&len), "{len} {stop:?}");
    }
    // Lengths that are not true.
    for at in 16..payload.len() {
        for fill in [0, 1, 0xff] {
            let mut payload = payload.clone();
            let end = payload.len().min(at + 4);
            payload[at..end].fill(fill);
            both(MessageType::SHARED_OBJECT_AMF0, &payload);
        }
    }
}

#[test]
fn events_are_limited() {
    let payload = [hex(HEAD), hex("08 00000000").repeat(100_000)].concat();
    let (body, stop) = decode(MessageType::SHARED_OBJECT_AMF0, &payload, None);
    let Body::SharedObject(object) = body else { panic!() };
    assert_eq!((object.events.len(), stop.unwrap().reason), (1 << 16, StopReason::TooMany));
}

#[test]
fn fields_have_names_and_ranges() {
    assert_eq!(
        fields(MessageType::SHARED_OBJECT_AMF0, &format!("{HEAD} 03 00000004 0001 61 05")),
        [
            "name 0..4",
            "version 4..8",
            "persistence 8..12 (persistent)",
            "flags 12..16",
            "event 16..25",
            " event_type 16..17 (request_change)",
            " event_data_length 17..21",
            " member_name 21..24",
            " a 24..25 (null)",
        ]
    );
}
