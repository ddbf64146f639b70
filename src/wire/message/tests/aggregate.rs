use super::*;

/// A ping of 6 bytes at 5 ms, then an Abort at 0x01000007 ms without the back pointer.
const TWO: &str = "04 000006 000005 00 000001 0006 000cd504 00000011
    02 000004 000007 01 000001 00000005";

fn parts(body: Body) -> Vec<AggregatePart> {
    match body {
        Body::Aggregate(parts) => parts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_have_headers_ranges_and_bodies() {
    let body = sound(MessageType::AGGREGATE, TWO);
    let parts = parts(body);
    assert_eq!(parts[0].type_id, MessageType::USER_CONTROL);
    assert_eq!((parts[0].timestamp, parts[0].stream_id), (5, 1));
    assert_eq!((parts[0].range.clone(), parts[0].back_pointer), (11..17, Some(17)));
    assert_eq!((parts[1].timestamp, parts[1].back_pointer), (0x0100_0007, None));
    assert_eq!((parts[1].range.clone(), &parts[1].body), (32..36, &Body::Abort { csid: 5 }));
    assert_eq!(
        fields(MessageType::AGGREGATE, TWO)[..9],
        [
            "part 0..21",
            " type 0..1 (user_control)",
            " size 1..4",
            " timestamp 4..7",
            " timestamp_extended 7..8 (5 ms)",
            " stream_id 8..11",
            " event_type 11..13 (ping_request)",
            " timestamp 13..17",
            " back_pointer 17..21",
        ]
    );
    assert_eq!(fields(MessageType::AGGREGATE, TWO)[9], "part 21..36");
}

#[test]
fn a_recorded_aggregate_of_media() {
    let all = recorded();
    let real = all.iter().find(|r| r.type_id == MessageType::AGGREGATE).unwrap();
    let (body, stop) = both(MessageType::AGGREGATE, &real.payload);
    assert_eq!(stop, None);
    let parts = parts(body);
    assert!(!parts.is_empty());
    for part in &parts {
        assert!(part.type_id.is_media() || part.type_id == MessageType::DATA_AMF0, "{part:?}");
        assert_eq!(part.back_pointer, Some(11 + part.range.len() as u32));
    }
    assert!(parts.windows(2).all(|pair| pair[0].range.end + 4 + 11 == pair[1].range.start));
    // Media bodies do not hold their payload, but the parts say where it is.
    assert_eq!(encode(MessageType::AGGREGATE, &Body::Aggregate(parts.clone())), None);
    let again = encode_aggregate(parts.iter().map(|part| EncodePart {
        type_id: part.type_id,
        timestamp: part.timestamp,
        stream_id: part.stream_id,
        payload: &real.payload[part.range.clone()],
        back_pointer: part.back_pointer,
    }));
    assert_eq!(again, real.payload);
}

#[test]
fn cut_at_every_length() {
    let payload = hex(TWO);
    for len in 1..payload.len() {
        let (body, stop) = both(MessageType::AGGREGATE, &payload[..len]);
        assert_eq!(parts(body).len(), (len >= 11) as usize + (len >= 32) as usize, "{len}");
        assert_eq!(stop.is_none(), len == 17 || len == 21, "{len} {stop:?}");
    }
    let (body, stop) = both(MessageType::AGGREGATE, &payload[..34]);
    assert_eq!(parts(body)[1].range, 32..34);
    let stop = stop.unwrap();
    let reason = StopReason::Truncated { needed: 4, left: 2 };
    assert_eq!((stop.field, stop.at, stop.reason), ("data", 32, reason));
}

#[test]
fn a_bad_part_does_not_hide_the_next() {
    // A data message whose string is cut, then an Abort.
    let text = "12 000003 000000 00 000000 02 00ff 0000000e 02 000004 000000 00 000000 00000005";
    let (body, stop) = both(MessageType::AGGREGATE, &hex(text));
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at), ("string", 14));
    assert_eq!(parts(body)[1].body, Body::Abort { csid: 5 });
}

#[test]
fn parts_and_nesting_are_limited() {
    let mut payload = Vec::new();
    for _ in 0..20 {
        payload = encode_aggregate([EncodePart {
            type_id: MessageType::AGGREGATE,
            timestamp: 0,
            stream_id: 0,
            payload: &payload,
            back_pointer: None,
        }]);
    }
    let (body, stop) = both(MessageType::AGGREGATE, &payload);
    let stop = stop.unwrap();
    assert_eq!((stop.reason, stop.at), (StopReason::TooDeep, 44));
    assert_eq!(parts(body).len(), 1);
    // A million parts of nothing.
    let (body, stop) = decode(MessageType::AGGREGATE, &vec![0; 15 << 16], None);
    assert_eq!((parts(body).len(), stop.unwrap().reason), (1 << 14, StopReason::TooMany));
}

#[test]
fn metadata_packets_share_the_limit_on_values() {
    // Video metadata (packet type 4): a name and an array of a hundred thousand nulls.
    let nulls = 100_000;
    let mut video = hex("84 68766331 02 0001 78 0a");
    video.extend((nulls as u32).to_be_bytes());
    video.extend(vec![5; nulls]);
    let one = EncodePart {
        type_id: MessageType::VIDEO,
        timestamp: 0,
        stream_id: 0,
        payload: &video,
        back_pointer: Some(11 + video.len() as u32),
    };
    let payload = encode_aggregate(vec![one; 20]);
    let (body, _) = decode(MessageType::AGGREGATE, &payload, None);
    let parts = parts(body);
    let nulls: Vec<_> = parts
        .iter()
        .map(|part| match &part.body {
            Body::Video(tag) => match &tag.metadata[..] {
                [Property { value: Value::StrictArray(items), .. }] => items.len(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(nulls[..3], [100_000; 3]);
    assert!(nulls[3..].iter().all(|len| *len < 64), "{nulls:?}");
}
