use super::*;

#[test]
fn protocol_control_messages() {
    assert_eq!(
        sound(MessageType::SET_CHUNK_SIZE, "00001000"),
        Body::SetChunkSize { size: 4096, reserved_bit: false }
    );
    assert_eq!(
        sound(MessageType::SET_CHUNK_SIZE, "80000080"),
        Body::SetChunkSize { size: 128, reserved_bit: true }
    );
    assert_eq!(sound(MessageType::ABORT, "00000005"), Body::Abort { csid: 5 });
    assert_eq!(
        sound(MessageType::ACKNOWLEDGEMENT, "ffffffff"),
        Body::Acknowledgement { sequence_number: u32::MAX }
    );
    assert_eq!(
        sound(MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE, "004c4b40"),
        Body::WindowAcknowledgementSize { size: 5_000_000 }
    );
    assert_eq!(
        sound(MessageType::SET_PEER_BANDWIDTH, "004c4b4002"),
        Body::SetPeerBandwidth { size: 5_000_000, limit: Some(LimitType(2)) }
    );
    assert_eq!(
        fields(MessageType::SET_PEER_BANDWIDTH, "004c4b4002"),
        ["acknowledgement_window_size 0..4", "limit_type 4..5 (dynamic)"]
    );
    assert_eq!(
        fields(MessageType::SET_CHUNK_SIZE, "80000080"),
        ["chunk_size 0..4 (128 with the top bit set)"]
    );
}

#[test]
fn a_limit_type_may_be_missing() {
    let (body, stop) = both(MessageType::SET_PEER_BANDWIDTH, &hex("004c4b40"));
    assert_eq!(body, Body::SetPeerBandwidth { size: 5_000_000, limit: None });
    assert_eq!(stop.unwrap().field, "limit_type");
    assert_eq!(encode(MessageType::SET_PEER_BANDWIDTH, &body).unwrap(), hex("004c4b40"));
}

#[test]
fn missing_and_trailing_bytes_stop() {
    for type_id in [1, 2, 3, 5, 6] {
        for len in 0..4 {
            let (body, stop) = both(MessageType(type_id), &vec![0; len]);
            assert_eq!(body, Body::Unknown);
            let reason = StopReason::Truncated { needed: 4, left: len as u64 };
            assert_eq!(stop.unwrap().reason, reason);
        }
        let (body, stop) = both(MessageType(type_id), &[0, 0, 1, 0, 2, 9, 9]);
        assert_ne!(body, Body::Unknown);
        let (at, left) = if type_id == 6 { (5, 2) } else { (4, 3) };
        let stop = stop.unwrap();
        assert_eq!((stop.at, stop.reason), (at, StopReason::Trailing(left)));
    }
}

fn user(text: &str) -> UserControl {
    match sound(MessageType::USER_CONTROL, text) {
        Body::UserControl(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn user_control_events() {
    for event in ["0000", "0001", "0002", "0004", "001f", "0020"] {
        assert_eq!(user(&format!("{event} 00000001")).stream_id, Some(1), "{event}");
    }
    let buffer = user("0003 00000001 0000012c");
    assert_eq!((buffer.stream_id, buffer.buffer_ms), (Some(1), Some(300)));
    for event in ["0006", "0007"] {
        assert_eq!(user(&format!("{event} 000cd504")).timestamp, Some(0x0c_d504));
    }
    assert_eq!(user("001a 01").data, [1]);
    let response = format!("001b 0101 00012345 00012345 {}", "ab".repeat(32));
    assert_eq!(user(&response).data.len(), 42);
    assert_eq!(fields(MessageType::USER_CONTROL, &response).len(), 6);
    // Events nobody defined keep their data, whatever it is.
    assert_eq!(user("0005 010203").data, [1, 2, 3]);
    assert!(user("ffff").data.is_empty());
    assert_eq!(
        fields(MessageType::USER_CONTROL, "0003 00000001 0000012c"),
        ["event_type 0..2 (set_buffer_length)", "stream_id 2..6", "buffer_length 6..10"]
    );
}

#[test]
fn user_control_events_cut_or_too_long_keep_what_is_there() {
    for (text, field) in [
        ("0000 0000", "stream_id"),
        ("0003 00000001 0001", "buffer_length"),
        ("0006", "timestamp"),
        ("001a", "verification_type"),
        ("001b 0101 000123", "swf_size"),
    ] {
        let payload = hex(text);
        let (body, stop) = both(MessageType::USER_CONTROL, &payload);
        assert_eq!(stop.unwrap().field, field);
        // Nothing is lost.
        assert_eq!(encode(MessageType::USER_CONTROL, &body).unwrap(), payload);
    }
    let payload = hex("0000 00000001 aabb");
    let (body, stop) = both(MessageType::USER_CONTROL, &payload);
    let stop = stop.unwrap();
    assert_eq!((stop.at, stop.reason), (6, StopReason::Trailing(2)));
    assert_eq!(encode(MessageType::USER_CONTROL, &body).unwrap(), payload);
    for len in 0..2 {
        let (body, stop) = both(MessageType::USER_CONTROL, &vec![0; len]);
        assert_eq!((body, stop.unwrap().field), (Body::Unknown, "event_type"));
    }
}
