//! The chunk decoder against streams written by hand.

use proptest::prelude::*;

use super::chunks::ChunkDecoder;
use super::*;
use crate::base::{Direction, Timestamp};
use crate::wire::message::MessageType;

/// A type 0 message split into chunks; `repeat` follows each type 3 header.
fn message(
    csid: u8,
    timestamp: u32,
    type_id: u8,
    stream_id: u32,
    payload: &[u8],
    chunk_size: usize,
    repeat: &[u8],
) -> Vec<u8> {
    let mut out = vec![csid];
    let field = timestamp.min(0xff_ffff);
    out.extend(&field.to_be_bytes()[1..]);
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(type_id);
    out.extend(stream_id.to_le_bytes());
    if field == 0xff_ffff {
        out.extend(timestamp.to_be_bytes());
    }
    chunked(csid, out, payload, chunk_size, repeat)
}

/// A type 1 message.
fn delta(csid: u8, delta: u32, type_id: u8, payload: &[u8], chunk_size: usize) -> Vec<u8> {
    let mut out = vec![0x40 | csid];
    out.extend(&delta.to_be_bytes()[1..]);
    out.extend(&(payload.len() as u32).to_be_bytes()[1..]);
    out.push(type_id);
    chunked(csid, out, payload, chunk_size, &[])
}

fn chunked(csid: u8, mut out: Vec<u8>, payload: &[u8], size: usize, repeat: &[u8]) -> Vec<u8> {
    for (index, chunk) in payload.chunks(size).enumerate() {
        if index > 0 {
            out.push(0xc0 | csid);
            out.extend(repeat);
        }
        out.extend(chunk);
    }
    out
}

fn set_chunk_size(size: u32) -> Vec<u8> {
    message(2, 0, 1, 0, &size.to_be_bytes(), 128, &[])
}

/// An AVC frame of `len` bytes whose coded bytes are noise.
fn video(len: usize, seed: u32) -> Vec<u8> {
    let mut out = vec![0x27, 1, 0, 0, 0];
    out.extend(noise(len - 5, seed));
    out
}

fn audio(len: usize, seed: u32) -> Vec<u8> {
    let mut out = vec![0xaf, 1];
    out.extend(noise(len - 2, seed));
    out
}

fn noise(len: usize, seed: u32) -> impl Iterator<Item = u8> {
    let mut state = u64::from(seed) * 2 + 1;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    })
    .take(len)
}

#[derive(Debug, Default)]
struct Outcome {
    messages: Vec<Message>,
    anomalies: Vec<AnomalyKind>,
    undecoded: u64,
}

impl Outcome {
    fn brief(&self) -> Vec<(u32, u8, u32, u32, bool)> {
        let one = |m: &Message| (m.csid, m.type_id.0, m.timestamp, m.length, m.complete);
        self.messages.iter().map(one).collect()
    }
}

/// Input of the decoder: bytes or a gap.
enum In<'a> {
    Bytes(&'a [u8]),
    Gap(u64),
}

fn decode(midstream: bool, input: &[In<'_>], step: usize) -> Outcome {
    let limits = Limits::default();
    let mut decoder = ChunkDecoder::new(Direction::ClientToServer, limits, true);
    if midstream {
        decoder.start_midstream();
    }
    let mut events = Vec::new();
    for input in input {
        match input {
            In::Bytes(bytes) => {
                for piece in bytes.chunks(step.max(1)) {
                    decoder.feed(Timestamp(0), piece, &mut events);
                }
            }
            In::Gap(len) => decoder.gap(Timestamp(0), *len, &mut events),
        }
    }
    decoder.finish(Timestamp(0), &mut events);
    let mut outcome = Outcome { undecoded: decoder.undecoded, ..Outcome::default() };
    for event in events {
        match event {
            Event::Message(message) => outcome.messages.push(*message),
            Event::Anomaly(anomaly) => outcome.anomalies.push(anomaly.kind),
            Event::Handshake(_) => {}
        }
    }
    outcome
}

fn whole(bytes: &[u8]) -> Outcome {
    decode(false, &[In::Bytes(bytes)], usize::MAX)
}

/// A publisher's stream: Set Chunk Size, then 82 messages, the second of them 9000 bytes long.
fn publish(chunk_size: usize) -> Vec<u8> {
    let mut out = set_chunk_size(chunk_size as u32);
    out.extend(message(4, 0, 8, 1, &audio(300, 1), chunk_size, &[]));
    out.extend(message(6, 0, 9, 1, &video(9000, 2), chunk_size, &[]));
    for i in 0..40 {
        out.extend(delta(4, 23, 8, &audio(200 + i, i as u32), chunk_size));
        out.extend(delta(6, 40, 9, &video(700 + 97 * i, 100 + i as u32), chunk_size));
    }
    out
}

#[test]
fn a_message_in_chunks_with_another_between() {
    let video = video(300, 1);
    let mut stream = message(6, 1000, 9, 1, &video, 128, &[]);
    let audio = message(4, 990, 8, 1, &audio(20, 2), 128, &[]);
    // Between the first and the second chunk.
    stream.splice(12 + 128..12 + 128, audio);
    let outcome = whole(&stream);
    assert_eq!(outcome.brief(), [(4, 8, 990, 20, true), (6, 9, 1000, 300, true)]);
    assert_eq!(outcome.messages[1].payload, video);
    assert_eq!(outcome.messages[1].chunks, 3);
    let headers: Vec<_> = outcome.messages[1].headers.pieces().collect();
    assert_eq!(headers, [0..12, 172..173, 301..302]);
    assert_eq!(outcome.messages[1].pieces.len(), 300);
    assert!(outcome.anomalies.is_empty());
}

#[test]
fn chunk_size_changes_in_the_middle_of_a_message() {
    let video = video(500, 1);
    let mut stream = message(6, 0, 9, 1, &video[..256], 128, &[]);
    // The message is longer than these two chunks: 500 bytes.
    stream[5..7].copy_from_slice(&500u16.to_be_bytes());
    stream.extend(set_chunk_size(200));
    stream.push(0xc6);
    stream.extend(&video[256..456]);
    stream.push(0xc6);
    stream.extend(&video[456..]);
    let outcome = whole(&stream);
    assert_eq!(outcome.brief(), [(2, 1, 0, 4, true), (6, 9, 0, 500, true)]);
    assert_eq!(outcome.messages[1].payload, video);
}

#[test]
fn an_aborted_message_ends_and_the_stream_goes_on() {
    let mut stream = message(6, 0, 9, 1, &video(500, 1), 128, &[])[..12 + 128].to_vec();
    stream.extend(message(2, 0, 2, 0, &6u32.to_be_bytes(), 128, &[]));
    stream.extend(delta(6, 40, 9, &video(100, 2), 128));
    let outcome = whole(&stream);
    assert_eq!(outcome.brief(), [(2, 2, 0, 4, true), (6, 9, 0, 500, false), (6, 9, 40, 100, true)]);
    assert_eq!(outcome.messages[1].received, 128);
    assert_eq!(outcome.anomalies, [AnomalyKind::MessageAborted]);
}

#[test]
fn three_habits_of_extended_timestamps() {
    let payload = video(600, 7);
    let at = 0x0123_4567u32;
    for (repeat, odd) in [
        (&at.to_be_bytes()[..], None),
        (&[], Some(AnomalyKind::ExtendedTimestampOmitted)),
        (&[0; 4], Some(AnomalyKind::ExtendedTimestampDiffers)),
    ] {
        let mut stream = message(6, at, 9, 1, &payload, 128, repeat);
        stream.extend(message(
            6,
            at + 40,
            9,
            1,
            &payload,
            128,
            match odd {
                None => b"\x01\x23\x45\x8f",
                _ => repeat,
            },
        ));
        for step in [1, 7, usize::MAX] {
            let outcome = decode(false, &[In::Bytes(&stream)], step);
            assert_eq!(outcome.brief(), [(6, 9, at, 600, true), (6, 9, at + 40, 600, true)]);
            assert!(outcome.messages.iter().all(|m| m.payload == payload), "{odd:?} {step}");
            assert_eq!(outcome.anomalies, odd.into_iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn type_3_begins_a_message_with_the_last_delta() {
    let mut stream = message(4, 1000, 8, 1, &audio(10, 1), 128, &[]);
    stream.extend(delta(4, 23, 8, &audio(10, 2), 128));
    stream.push(0xc4);
    stream.extend(audio(10, 3));
    let outcome = whole(&stream);
    assert_eq!(outcome.messages[2].timestamp, 1046);
    assert!(outcome.anomalies.is_empty());
    // Right after a type 0 header the delta is that timestamp, says section 5.3.1.2.4.
    let mut stream = message(4, 1000, 8, 1, &audio(10, 1), 128, &[]);
    stream.push(0xc4);
    stream.extend(audio(10, 3));
    let outcome = whole(&stream);
    assert_eq!(outcome.messages[1].timestamp, 2000);
    assert_eq!(outcome.anomalies, [AnomalyKind::Type3AfterType0]);
}

#[test]
fn timestamps_wrap() {
    let mut stream = message(4, 0xffff_fff0, 8, 1, &audio(10, 1), 128, &[]);
    stream.extend(delta(4, 0x20, 8, &audio(10, 2), 128));
    assert_eq!(whole(&stream).messages[1].timestamp, 0x10);
}

#[test]
fn rtmpsrv_opens_chunk_streams_with_type_1() {
    let outcome = whole(&delta(3, 0, 20, b"\x02\x00\x01x", 128));
    assert_eq!(outcome.brief(), [(3, 20, 0, 4, true)]);
    assert_eq!(outcome.messages[0].stream_id, Some(0));
    assert_eq!(outcome.anomalies, [AnomalyKind::Type1OpensChunkStream]);
}

#[test]
fn a_header_without_predecessor_loses_sync_and_finds_it_again() {
    let mut stream = message(4, 0, 8, 1, &audio(300, 1), 128, &[]);
    stream.extend([0x85, 0, 0, 1, 1, 2, 3]);
    stream.extend(publish(128));
    let outcome = whole(&stream);
    assert_eq!(outcome.anomalies[..2], [AnomalyKind::NoPreviousHeader, AnomalyKind::Resynced]);
    assert_eq!(outcome.messages.len(), 84);
    assert_eq!(outcome.undecoded, 7);
    assert_eq!(outcome.messages[0].confidence, Confidence::Exact);
    assert!(outcome.messages[1..].iter().all(|m| m.confidence == Confidence::Resynced));
}

#[test]
fn invalid_chunk_sizes_are_found_out() {
    for (announced, real) in [(0, 128), (1 << 31, 128), (1 << 31, 4096), ((1 << 31) | 500, 1 << 20)]
    {
        let mut stream = set_chunk_size(announced);
        stream.extend(&publish(real)[16..]);
        let outcome = whole(&stream);
        assert_eq!(outcome.messages.len(), 83, "{announced:x} {real}");
        assert!(outcome.messages.iter().all(|m| m.complete));
        assert_eq!(outcome.anomalies[0], AnomalyKind::InvalidChunkSize);
    }
}

#[test]
fn a_gap_inside_a_chunk_hurts_one_message_only() {
    let stream = publish(4096);
    // The video message begins at 328; its first chunk's body is 340..4436.
    let (before, after) = (&stream[..1016], &stream[2464..]);
    let outcome = decode(false, &[In::Bytes(before), In::Gap(1448), In::Bytes(after)], 100);
    assert_eq!(outcome.messages.len(), 83);
    let hurt: Vec<_> = outcome.messages.iter().filter(|m| !m.complete).collect();
    assert_eq!(hurt.len(), 1);
    assert_eq!(hurt[0].holes, [Hole { at: 676, len: 1448 }]);
    assert_eq!(hurt[0].received, 9000 - 1448);
    assert!(outcome.messages.iter().all(|m| m.confidence == Confidence::Exact));
    assert_eq!(outcome.undecoded, 0);
}

#[test]
fn a_gap_over_chunks_of_one_message_is_bridged() {
    for chunk_size in [128, 4096] {
        let stream = publish(chunk_size);
        for from in [3500, 4400, 4410, 4435, 4436, 4437] {
            let parts =
                [In::Bytes(&stream[..from]), In::Gap(1448), In::Bytes(&stream[from + 1448..])];
            let outcome = decode(false, &parts, 1448);
            let hurt: Vec<_> = outcome.messages.iter().filter(|m| !m.complete).collect();
            assert_eq!(hurt.len(), 1, "{chunk_size} {from}");
            assert_eq!(hurt[0].length, 9000);
            assert_eq!(outcome.messages.len(), 83);
            let missing: u32 = hurt[0].holes.iter().map(|hole| hole.len).sum();
            assert_eq!(hurt[0].received + missing, 9000);
            assert!(missing > 1448 - 20 && missing <= 1448);
        }
    }
}

/// Every place for a gap: what it does not overlap is decoded, but for one message.
#[test]
fn a_gap_anywhere_costs_what_it_overlaps_and_at_most_one_more() {
    for chunk_size in [128, 4096] {
        let stream = publish(chunk_size);
        let truth = whole(&stream).messages;
        for from in (0..stream.len() - 1448).step_by(97) {
            let gap = from as u64..from as u64 + 1448;
            let parts =
                [In::Bytes(&stream[..from]), In::Gap(1448), In::Bytes(&stream[from + 1448..])];
            let outcome = decode(false, &parts, usize::MAX);
            let untouched: Vec<_> = truth
                .iter()
                .filter(|m| {
                    let mut bytes = m.headers.pieces().chain(m.pieces.pieces());
                    !bytes.any(|piece| piece.start < gap.end && gap.start < piece.end)
                })
                .collect();
            let found: Vec<_> = outcome.messages.iter().filter(|m| m.complete).collect();
            let same = |a: &Message, b: &Message| {
                (a.csid, a.type_id, a.offset) == (b.csid, b.type_id, b.offset)
                    && a.payload == b.payload
            };
            let lost = untouched.iter().filter(|t| !found.iter().any(|f| same(t, f))).count();
            assert!(
                lost <= 1,
                "chunk size {chunk_size}, gap at {from}: {lost} lost {:?} {:?} {:?}",
                untouched
                    .iter()
                    .filter(|t| !found.iter().any(|f| same(t, f)))
                    .map(|m| (m.offset, m.csid, m.fmt, m.length))
                    .collect::<Vec<_>>(),
                outcome.anomalies,
                outcome
                    .messages
                    .iter()
                    .filter(|m| m.offset > 13000 && m.offset < 22000)
                    .map(|m| (m.offset, m.csid, m.fmt, m.length, m.complete))
                    .collect::<Vec<_>>()
            );
            let invented = found.iter().filter(|f| !truth.iter().any(|t| same(t, f))).count();
            assert_eq!(
                invented,
                0,
                "chunk size {chunk_size}, gap at {from} {:?}",
                found
                    .iter()
                    .filter(|f| !truth.iter().any(|t| same(t, f)))
                    .map(|m| (
                        m.offset,
                        m.csid,
                        m.type_id,
                        m.length,
                        m.chunks,
                        m.confidence,
                        truth
                            .iter()
                            .filter(|t| t.offset + 1500 > m.offset && t.offset < m.offset + 3000)
                            .map(|t| (t.offset, t.csid, t.fmt, t.length))
                            .collect::<Vec<_>>()
                    ))
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn midstream_finds_the_chunk_size() {
    for chunk_size in [128, 999, 4096, 5003, 60_000, 65_536] {
        let stream = publish(chunk_size);
        let key_frame = whole(&stream).messages[2].offset as usize;
        // At a message boundary nothing is lost.
        let outcome = decode(true, &[In::Bytes(&stream[key_frame..])], 1448);
        assert_eq!(outcome.messages.len(), 81, "{chunk_size}: {:?}", outcome.anomalies);
        assert!(outcome.messages.iter().all(|m| m.complete));
        assert!(outcome.messages.iter().all(|m| m.confidence == Confidence::Inferred));
        // In the middle of the key frame it is lost, and nothing else is.
        let outcome = decode(true, &[In::Bytes(&stream[3000..])], 1448);
        assert_eq!(
            outcome.messages.iter().filter(|m| m.complete).count(),
            80,
            "{chunk_size} {:?} {:?} {}",
            outcome.brief(),
            outcome.anomalies,
            outcome.undecoded
        );
    }
}

#[test]
fn noise_is_not_a_chunk_stream() {
    for seed in 0..20 {
        let noise: Vec<u8> = noise(200_000, seed).collect();
        let outcome = decode(true, &[In::Bytes(&noise)], 1448);
        assert!(outcome.messages.is_empty(), "{:?}", outcome.brief());
        assert_eq!(outcome.undecoded, 200_000);
        assert_eq!(looks_like_chunks(&noise, true, &Limits::default()), Some(false));
    }
}

#[test]
fn many_open_messages_stay_within_the_limit() {
    let limits = Limits { pending_bytes: 100_000, ..Limits::default() };
    let mut decoder = ChunkDecoder::new(Direction::ClientToServer, limits, true);
    let mut events = Vec::new();
    for id in 0..5000u32 {
        let mut header =
            vec![1, id as u8, (id >> 8) as u8, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0];
        header.extend([2; 128]);
        decoder.feed(Timestamp(0), &header, &mut events);
    }
    decoder.finish(Timestamp(0), &mut events);
    let kept: usize = events
        .iter()
        .map(|event| if let Event::Message(m) = event { m.payload.len() } else { 0 })
        .sum();
    assert!((100_000..101_000).contains(&kept), "{kept}");
    let told = events
        .iter()
        .filter(|e| matches!(e, Event::Anomaly(a) if a.kind == AnomalyKind::PendingLimit));
    assert_eq!(told.count(), 1);
}

/// What must not depend on how bytes arrive.
fn essence(outcome: &Outcome) -> String {
    format!("{:?} {:?} {}", outcome.messages, outcome.anomalies, outcome.undecoded)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn segmentation_decides_nothing(
        chunk_size in prop_oneof![Just(128usize), Just(999), Just(4096), Just(60_000)],
        cut in 0usize..20_000,
        gap in prop_oneof![Just(0u64), 1u64..3000],
        midstream: bool,
        step in 1usize..3000,
    ) {
        let stream = publish(chunk_size);
        let (before, after) = stream.split_at(cut);
        let after = &after[gap as usize..];
        let mut parts = vec![In::Bytes(before)];
        if gap > 0 {
            parts.push(In::Gap(gap));
        }
        parts.push(In::Bytes(after));
        let a = decode(midstream, &parts, step);
        let b = decode(midstream, &parts, usize::MAX);
        prop_assert_eq!(essence(&a), essence(&b));
    }

    #[test]
    fn any_bytes_are_survived(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..600), 0u64..5000), 0..8),
        midstream: bool,
    ) {
        let mut parts = Vec::new();
        let mut total = 0;
        for (bytes, gap) in &pieces {
            parts.push(In::Bytes(bytes));
            total += bytes.len() as u64;
            if gap % 3 == 0 {
                parts.push(In::Gap(*gap));
            }
        }
        let outcome = decode(midstream, &parts, 100);
        let received: u64 = outcome.messages.iter().map(|m| u64::from(m.received)).sum();
        prop_assert!(received + outcome.undecoded <= total);
        for message in &outcome.messages {
            prop_assert!(message.payload.len() as u32 <= message.received);
            prop_assert!(message.type_id != MessageType(0) || message.fmt < 3);
        }
    }
}
