use super::*;

fn encode(encoder: &mut ChunkEncoder, message: Outgoing) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.encode(message, &mut out).unwrap();
    out
}

fn audio(timestamp: u32, payload: &[u8]) -> Outgoing {
    Outgoing::new(4, MessageType::AUDIO, timestamp, 1, payload.to_vec())
}

#[test]
fn headers_get_shorter_as_messages_repeat() {
    let mut encoder = ChunkEncoder::new();
    let e = &mut encoder;
    assert_eq!(encode(e, audio(1000, b"ab")), b"\x04\x00\x03\xe8\0\0\x02\x08\x01\0\0\0ab");
    assert_eq!(encode(e, audio(1020, b"abc")), b"\x44\0\0\x14\0\0\x03\x08abc");
    assert_eq!(encode(e, audio(1041, b"def")), b"\x84\0\0\x15def");
    assert_eq!(encode(e, audio(1062, b"ghi")), b"\xc4ghi");
    // Backwards, another stream, another type.
    assert_eq!(encode(e, audio(1061, b"jkl"))[..4], *b"\x04\x00\x04\x25");
    assert_eq!(encode(e, Outgoing { stream_id: 2, ..audio(1061, b"jkl") })[0], 0x04);
    let video = Outgoing { stream_id: 2, type_id: MessageType::VIDEO, ..audio(1061, b"jkl") };
    assert_eq!(encode(e, video), b"\x44\0\0\0\0\0\x03\x09jkl");
}

#[test]
fn no_format_3_right_after_format_0_unless_told() {
    let mut encoder = ChunkEncoder::new();
    encode(&mut encoder, audio(20, b"a"));
    let mut told = encoder.clone();
    assert_eq!(encode(&mut encoder, audio(40, b"a")), b"\x84\0\0\x14a");
    assert_eq!(encode(&mut told, audio(40, b"b").with_fmt(3)), b"\xc4b");
}

#[test]
fn a_format_that_would_lie_is_refused() {
    let mut encoder = ChunkEncoder::new();
    let mut out = Vec::new();
    encode(&mut encoder, audio(20, b"a"));
    for (message, fmt) in [
        (audio(40, b"ab"), 2),
        (audio(41, b"a"), 3),
        (audio(40, b"a"), 4),
        (Outgoing { stream_id: 9, ..audio(40, b"a") }, 1),
    ] {
        let refused = encoder.encode(message.with_fmt(fmt), &mut out);
        assert_eq!(refused, Err(EncodeError::Format(fmt)));
    }
    assert!(out.is_empty());
    // No header yet that could tell length and type.
    let empty = Outgoing::new(7, MessageType(0), 0, 0, vec![]);
    for fmt in [2, 3] {
        let refused = encoder.encode(empty.clone().with_fmt(fmt), &mut out);
        assert_eq!(refused, Err(EncodeError::Format(fmt)));
    }
    // librtmp's first control message: format 1, the stream id left to be 0.
    let control = Outgoing::new(2, MessageType::SET_CHUNK_SIZE, 0, 0, vec![0, 0, 16, 0]);
    assert_eq!(encode(&mut encoder, control.with_fmt(1)), b"\x42\0\0\0\0\0\x04\x01\0\0\x10\0");
}

#[test]
fn chunk_stream_ids_in_every_form() {
    let basic = |csid, form| {
        basic_header_len(csid, form).map(|len| {
            let mut out = Writer::new();
            BasicHeader { fmt: 2, csid, len }.write(&mut out);
            out.into_bytes()
        })
    };
    let short = CsidForm::Shortest;
    assert_eq!(basic(2, short).unwrap(), [0x82]);
    assert_eq!(basic(63, short).unwrap(), [0xbf]);
    assert_eq!(basic(64, short).unwrap(), [0x80, 0]);
    assert_eq!(basic(319, short).unwrap(), [0x80, 255]);
    assert_eq!(basic(320, short).unwrap(), [0x81, 0, 1]);
    assert_eq!(basic(500, short).unwrap(), [0x81, 180, 1]);
    assert_eq!(basic(65_599, short).unwrap(), [0x81, 255, 255]);
    assert_eq!(basic(64, CsidForm::TwoBytes).unwrap(), [0x80, 0]);
    assert_eq!(basic(64, CsidForm::ThreeBytes).unwrap(), [0x81, 0, 0]);
    for (csid, form) in [
        (0, short),
        (1, short),
        (65_600, short),
        (63, CsidForm::TwoBytes),
        (320, CsidForm::TwoBytes),
        (63, CsidForm::ThreeBytes),
        (65_600, CsidForm::ThreeBytes),
    ] {
        assert_eq!(basic(csid, form), Err(EncodeError::ChunkStreamId(csid)));
    }
}

#[test]
fn extended_timestamps_in_every_habit() {
    let payload = [7; 130];
    for (habit, again) in [
        (ExtendedTimestampHabit::Repeat, &b"\xc4\x01\0\0\0\x07\x07"[..]),
        (ExtendedTimestampHabit::Omit, b"\xc4\x07\x07"),
        (ExtendedTimestampHabit::Zero, b"\xc4\0\0\0\0\x07\x07"),
    ] {
        let mut encoder = ChunkEncoder::new().with_habit(habit);
        let out = encode(&mut encoder, audio(0x0100_0000, &payload));
        assert_eq!(out[..16], *b"\x04\xff\xff\xff\0\0\x82\x08\x01\0\0\0\x01\0\0\0");
        assert_eq!(out[16 + 128..], *again);
    }
    // 0xFFFFFF itself needs the field, one less does not.
    let mut encoder = ChunkEncoder::new();
    assert_eq!(encode(&mut encoder, audio(0xff_fffe, b""))[1..4], [0xff, 0xff, 0xfe]);
    let out = encode(&mut encoder, audio(0xff_ffff, b"").with_fmt(0));
    assert_eq!(out[12..], [0, 0xff, 0xff, 0xff]);
    // A small delta after an absolute extended timestamp has none.
    assert_eq!(encode(&mut encoder, audio(0x0100_0009, b"")), b"\x84\0\0\x0a");
    // An extended delta only when told.
    let far = audio(0x0300_0000, b"");
    let mut told = encoder.clone();
    assert_eq!(encode(&mut encoder, far.clone())[0], 0x04);
    assert_eq!(encode(&mut told, far.with_fmt(2)), b"\x84\xff\xff\xff\x01\xff\xff\xf7");
}

#[test]
fn time_wraps() {
    let mut encoder = ChunkEncoder::new();
    encode(&mut encoder, audio(u32::MAX - 9, b""));
    assert_eq!(encode(&mut encoder, audio(10, b"")), b"\x84\0\0\x14");
}

#[test]
fn chunks_interleave_and_the_chunk_size_changes_under_way() {
    let mut encoder = ChunkEncoder::new();
    let mut out = Vec::new();
    let payload: Vec<u8> = (0..200).collect();
    let video = Outgoing::new(6, MessageType::VIDEO, 0, 1, payload.clone());
    let mut video = encoder.begin(video).unwrap();
    let first = video.write_next(&mut encoder, &mut out).unwrap();
    assert_eq!((first.header, first.payload), (0..12, 12..140));
    let busy = Outgoing::new(6, MessageType::VIDEO, 0, 1, vec![]);
    assert_eq!(encoder.encode(busy, &mut out), Err(EncodeError::Busy(6)));
    encoder.encode(audio(0, b"xyz"), &mut out).unwrap();
    encoder.set_chunk_size(50, &mut out).unwrap();
    let resume = out.len();
    let second = video.write_next(&mut encoder, &mut out).unwrap();
    assert_eq!(second.header, resume..resume + 1);
    assert_eq!(out[second.payload], payload[128..178]);
    assert!(!video.is_done());
    let third = video.write_next(&mut encoder, &mut out).unwrap();
    assert_eq!(out[third.header], [0xc6]);
    assert_eq!(out[third.payload], payload[178..]);
    assert!(video.is_done());
    assert_eq!(video.write_next(&mut encoder, &mut out), None);
    encoder.encode(Outgoing::new(6, MessageType::VIDEO, 5, 1, vec![]), &mut out).unwrap();
}

#[test]
fn after_an_abort_comes_a_whole_header() {
    let mut encoder = ChunkEncoder::new();
    let mut out = Vec::new();
    let mut lost = encoder.begin(audio(0, &[1; 300])).unwrap();
    lost.write_next(&mut encoder, &mut out);
    let at = out.len();
    encoder.abort(4, &mut out).unwrap();
    assert_eq!(out[at..], *b"\x02\0\0\0\0\0\x04\x02\0\0\0\0\0\0\0\x04");
    assert_eq!(encode(&mut encoder, audio(0, &[1; 300]))[0], 0x04);
}

#[test]
fn limits_are_refused() {
    let mut encoder = ChunkEncoder::new();
    let mut out = Vec::new();
    let long = Outgoing::new(4, MessageType::AUDIO, 0, 1, vec![0; 0x100_0000]);
    assert_eq!(encoder.encode(long, &mut out), Err(EncodeError::TooLong(0x100_0000)));
    for size in [0, 0x8000_0000] {
        assert_eq!(encoder.set_chunk_size(size, &mut out), Err(EncodeError::ChunkSize(size)));
    }
    assert!(out.is_empty());
    assert_eq!(encoder.chunk_size(), 128);
}
