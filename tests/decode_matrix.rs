//! The rows in which other decoders lose messages, no option set: every message that no loss
//! touched must be decoded, and nothing else.
//!
//! Each row is a whole session of labelled bytes; see `tests/support`.

mod support;

use rtmpscope::base::LinkType;
use rtmpscope::rtmp::Confidence;
use support::media;
use support::session::control;
use support::*;

/// Decodes and compares.
fn outcome(scenario: &Scenario, trace: &Trace) -> Outcome {
    compare(scenario, trace, &decode_trace(trace))
}

#[track_caller]
fn exact(name: &str, scenario: &Scenario, trace: &Trace) {
    outcome(scenario, trace).assert_exact(name, scenario);
}

#[track_caller]
fn perfect(name: &str, scenario: &Scenario, trace: &Trace) -> Outcome {
    let outcome = outcome(scenario, trace);
    outcome.assert_perfect(name, scenario);
    outcome
}

fn plan() -> Plan {
    Plan { gops: 3, frames_per_gop: 4, ..Plan::new(1) }
}

#[test]
fn clean() {
    for (name, plan) in [
        ("chunks of 4096 bytes", plan()),
        ("chunks of 128 bytes", Plan { client_chunk_size: None, ..plan() }),
        ("digest first", Plan { handshake: HandshakeKind::DigestFirst, ..plan() }),
        ("key first", Plan { handshake: HandshakeKind::KeyFirst, ..plan() }),
        ("play", Plan { role: Role::Play, ..plan() }),
        ("audio only", Plan { video: Video::None, ..plan() }),
    ] {
        let scenario = plan.build();
        exact(name, &scenario, &Net::default().packetize(&scenario));
        exact(name, &scenario, &Net { cut: Cut::Turn, ..Net::default() }.packetize(&scenario));
        exact(name, &scenario, &Net::default().v6().packetize(&scenario));
    }
}

#[test]
fn large_key_frame() {
    for key_size in [60_000, 1 << 20] {
        let scenario = Plan { key_size, ..plan() }.build();
        exact("large key frame", &scenario, &Net::default().packetize(&scenario));
    }
}

#[test]
fn large_chunk_sizes() {
    for size in [60_000, 65_536, 1 << 24, 0x7fff_ffff] {
        let plan = Plan {
            key_size: 90_000,
            client_chunk_size: Some(size),
            server_chunk_size: Some(size),
            ..plan()
        };
        for role in [Role::Publish, Role::Play] {
            let scenario = Plan { role, ..plan.clone() }.build();
            exact("large chunks", &scenario, &Net::default().packetize(&scenario));
        }
    }
}

#[test]
fn small_chunk_sizes() {
    for size in [1, 2, 127, 129] {
        let scenario = Plan { client_chunk_size: Some(size), ..plan() }.build();
        exact("small chunks", &scenario, &Net::default().packetize(&scenario));
    }
}

/// The first picture of the second group: a key frame.
fn second_key(scenario: &Scenario) -> &Truth {
    let keys: Vec<&Truth> = scenario
        .truth()
        .iter()
        .filter(|t| t.type_id == MessageType::VIDEO && t.payload.starts_with(&[0x17, 1]))
        .collect();
    keys[1]
}

#[test]
fn one_segment_missing_in_a_key_frame() {
    for (name, chunk_size) in [("4096", Some(4096)), ("128", None), ("60000", Some(60_000))] {
        let plan = Plan { client_chunk_size: chunk_size, key_size: 30_000, ..plan() };
        let scenario = plan.build();
        let net = Net::default();
        let whole = net.packetize(&scenario);
        let key = second_key(&scenario);
        let middle = whole.segment_at(C2S, (key.offset() + key.end()) / 2);
        let mut trace = whole.clone();
        trace.drop_from_capture(&[middle]);
        let seen = perfect(name, &scenario, &trace);
        assert_eq!(seen.untouched().len(), scenario.truth().len() - 1, "{name}");

        // Never acknowledged, and the connection ends there.
        let mut trace = whole.clone();
        trace.lose_for_good(middle);
        perfect(name, &scenario, &trace);
    }
}

#[test]
fn one_segment_missing_at_a_message_boundary() {
    let scenario = plan().build();
    let whole = Net { cut: Cut::Turn, ..Net::default() }.packetize(&scenario);
    for index in whole.data_of(C2S) {
        // The handshake's packets have a row of their own.
        let range = whole.segments[index].range();
        let touches_chunk_size = scenario.truth().iter().any(|t| {
            t.type_id == MessageType::SET_CHUNK_SIZE
                && t.direction == C2S
                && t.overlaps(std::slice::from_ref(&range))
        });
        if range.start < 3073 || touches_chunk_size {
            continue;
        }
        let mut trace = whole.clone();
        trace.drop_from_capture(&[index]);
        let seen = outcome(&scenario, &trace);
        assert!(seen.lost().len() <= 1, "segment {index}: lost {:?}", seen.lost());
        assert!(seen.invented.is_empty(), "segment {index}: {:?}", seen.invented);
        assert!(seen.lies.is_empty(), "segment {index}: {:?}", seen.lies);
    }
}

#[test]
fn handshake_segment_missing() {
    let scenario = plan().build();
    let whole = Net::default().packetize(&scenario);
    let in_handshake = |i: &usize| whole.segments[*i].range().end <= 3073;
    let handshake: Vec<usize> = whole.data().into_iter().filter(in_handshake).collect();
    assert!(handshake.len() >= 6);
    for index in handshake {
        let mut trace = whole.clone();
        trace.drop_from_capture(&[index]);
        perfect(&format!("segment {index}"), &scenario, &trace);
    }
}

#[test]
fn two_segments_swapped() {
    let scenario = Plan { key_size: 20_000, ..plan() }.build();
    let whole = Net::default().packetize(&scenario);
    let data = whole.data_of(C2S);
    for pair in data.windows(2) {
        let mut trace = whole.clone();
        trace.swap(pair[0], pair[1]);
        exact(&format!("segments {pair:?} swapped"), &scenario, &trace);
    }
}

#[test]
fn retransmissions() {
    let scenario = plan().build();
    let whole = Net::default().packetize(&scenario);
    for index in whole.data() {
        for later in [0, 3] {
            let mut trace = whole.clone();
            trace.duplicate(index, later);
            exact(&format!("segment {index} again"), &scenario, &trace);
        }
        let mut trace = whole.clone();
        trace.lose_on_network(index, 2);
        exact(&format!("segment {index} lost and sent again"), &scenario, &trace);
    }
}

#[test]
fn overlaps() {
    let scenario = plan().build();
    let whole = Net::default().packetize(&scenario);
    for index in whole.data() {
        let mut trace = whole.clone();
        trace.widen(index, 700, 0);
        exact(&format!("segment {index} with 700 old bytes"), &scenario, &trace);
        let mut trace = whole.clone();
        trace.contradict(index);
        exact(&format!("segment {index} contradicted"), &scenario, &trace);
        let mut trace = whole.clone();
        trace.keep_alive(index, index % 2);
        exact(&format!("keep-alive before segment {index}"), &scenario, &trace);
    }
}

/// Nothing may be exact when the capture has no beginning.
#[track_caller]
fn not_exact(name: &str, seen: &Outcome) {
    let exact = seen.found.iter().filter(|c| **c == Some(Confidence::Exact)).count();
    assert_eq!(exact, 0, "{name}: exact without a beginning");
}

#[test]
fn starts_after_the_handshake() {
    for cut in [Cut::Write, Cut::Turn] {
        let scenario = plan().build();
        let mut trace = Net { cut: cut.clone(), ..Net::default() }.packetize(&scenario);
        let first = scenario.truth().iter().find(|t| t.direction == C2S).unwrap().offset();
        let start = match cut {
            Cut::Write => trace.segment_at(C2S, first),
            // C2 and connect share a segment: begin with the next.
            _ => trace.segment_at(C2S, first) + 1,
        };
        trace.start_at(start);
        let seen = perfect("after the handshake", &scenario, &trace);
        not_exact("after the handshake", &seen);
    }
}

#[test]
fn starts_between_two_media_messages() {
    for chunk_size in [None, Some(4096), Some(60_000), Some(65_536), Some(1000)] {
        for role in [Role::Publish, Role::Play] {
            let plan = Plan {
                role,
                client_chunk_size: chunk_size,
                server_chunk_size: chunk_size,
                fmt: FmtPolicy::Explicit,
                key_size: 9000,
                ..plan()
            };
            let scenario = plan.build();
            let sender = plan.sender();
            let mut trace = Net::default().packetize(&scenario);
            let start = second_key(&scenario).offset();
            trace.start_at(trace.segment_at(sender, start));
            let name =
                format!("{role:?} with chunks of {chunk_size:?} from the second key frame on");
            let seen = outcome(&scenario, &trace);
            not_exact(&name, &seen);
            assert!(seen.invented.is_empty(), "{name}: {:?}", seen.invented);
            assert!(seen.lies.is_empty(), "{name}: {:?}", seen.lies);
            let lost: Vec<String> = seen
                .touch
                .iter()
                .zip(scenario.truth())
                .zip(&seen.found)
                .filter(|((_, truth), found)| {
                    truth.direction == sender && truth.offset() >= start && found.is_none()
                })
                .map(|((touch, truth), _)| format!("{touch:?} {}", check::describe(truth)))
                .collect();
            assert!(lost.is_empty(), "{name}: lost {lost:#?}");
        }
    }
}

#[test]
fn extended_timestamps_in_each_habit() {
    for habit in
        [ExtendedTimestampHabit::Repeat, ExtendedTimestampHabit::Omit, ExtendedTimestampHabit::Zero]
    {
        for start_timestamp in [0x00ff_ffff, 0x0100_0000 - 60, 0x1234_5678, u32::MAX - 60] {
            for (fmt, chunk_size) in [
                (FmtPolicy::Auto, Some(4096)),
                (FmtPolicy::Full, Some(4096)),
                (FmtPolicy::Full, None),
                (FmtPolicy::Explicit, None),
            ] {
                let plan = Plan {
                    habit,
                    start_timestamp,
                    fmt,
                    client_chunk_size: chunk_size,
                    key_size: 20_000,
                    ..plan()
                };
                let scenario = plan.build();
                let name = format!("{habit:?} {start_timestamp:#x} {fmt:?} {chunk_size:?}");
                exact(&name, &scenario, &Net::default().packetize(&scenario));
            }
        }
    }
}

#[test]
fn any_port() {
    for port in [2935, 443, 80, 554, 40_000, 60_000] {
        let scenario = plan().build();
        exact("another port", &scenario, &Net::default().port(port).packetize(&scenario));
    }
}

#[test]
fn abort_in_a_message() {
    let plan = plan();
    let mut scenario = plan.begin();
    let payload = media::avc_frame(true, 20_000, &mut scenario.rng);
    let mut open = plan.open(&mut scenario, plan.video_message(0, payload));
    scenario.step(&mut open);
    scenario.step(&mut open);
    scenario.abort(open);
    plan.media(&mut scenario);
    plan.end(&mut scenario);
    exact("abort", &scenario, &Net::default().packetize(&scenario));
}

#[test]
fn set_chunk_size_in_a_message() {
    for size in [100, 128, 5000, 60_000] {
        let plan = plan();
        let mut scenario = plan.begin();
        let payload = media::avc_frame(true, 20_000, &mut scenario.rng);
        let mut open = plan.open(&mut scenario, plan.video_message(0, payload));
        scenario.step(&mut open);
        scenario.set_chunk_size(C2S, size);
        scenario.step(&mut open);
        plan.send_audio(&mut scenario, 1, vec![0xaf, 1, 2, 3]);
        scenario.finish(open);
        plan.media(&mut scenario);
        exact("chunk size under way", &scenario, &Net::default().packetize(&scenario));
    }
}

#[test]
fn chunk_stream_ids_in_every_form() {
    for (video_csid, csid_form) in [
        (63, CsidForm::Shortest),
        (64, CsidForm::TwoBytes),
        (64, CsidForm::ThreeBytes),
        (319, CsidForm::ThreeBytes),
        (320, CsidForm::Shortest),
        (500, CsidForm::Shortest),
        (65_000, CsidForm::Shortest),
        (65_599, CsidForm::Shortest),
    ] {
        let plan = Plan { video_csid, csid_form, fmt: FmtPolicy::Random, ..plan() };
        let scenario = plan.build();
        let trace = Net::default().packetize(&scenario);
        exact("csid", &scenario, &trace);
        let records = decode_trace(&trace);
        let seen = check::messages(&records);
        assert!(seen.iter().any(|m| m.csid == video_csid));
    }
}

#[test]
fn interleaved_chunks() {
    for fmt in [FmtPolicy::Auto, FmtPolicy::Full, FmtPolicy::Random] {
        let plan = Plan {
            interleave: true,
            fmt,
            audio_size: 900,
            client_chunk_size: None,
            video_csid: 500,
            ..plan()
        };
        let scenario = plan.build();
        exact("interleaved", &scenario, &Net::default().packetize(&scenario));
    }
}

#[test]
fn enhanced_video() {
    for role in [Role::Publish, Role::Play] {
        let scenario = Plan { video: Video::Hevc, role, key_size: 40_000, ..plan() }.build();
        exact("hvc1", &scenario, &Net::default().packetize(&scenario));
    }
}

#[test]
fn aggregates_and_odd_messages() {
    let plan = plan();
    let mut scenario = plan.begin();
    let s = &mut scenario;
    let parts = [
        (9, 1000, media::avc_frame(true, 3000, &mut s.rng)),
        (8, 1010, media::aac_frame(300, &mut s.rng)),
        (9, 1040, media::avc_frame(false, 900, &mut s.rng)),
    ];
    let payload = media::aggregate(&parts);
    s.send(C2S, Outgoing::new(6, MessageType::AGGREGATE, 1000, 1, payload));
    // A type nobody knows, an empty audio message, an acknowledgement of format 1.
    s.send(C2S, Outgoing::new(9, MessageType(99), 5, 1, vec![1, 2, 3]));
    s.send(C2S, Outgoing::new(4, MessageType::AUDIO, 2000, 1, vec![]));
    control(s, S2C, 3, &[0, 0, 1, 0]);
    plan.media(s);
    exact("aggregate", &scenario, &Net::default().packetize(&scenario));
}

#[test]
fn offload_frames() {
    let scenario = Plan { key_size: 90_000, ..plan() }.build();
    let net = Net { ack_every: 100, ..Net::default() };
    for max in [16_000, 65_000] {
        let mut trace = net.packetize(&scenario);
        trace.offload(max);
        assert!(trace.segments.iter().any(|s| s.offload));
        exact("transmit offload", &scenario, &trace);
        let mut trace = net.packetize(&scenario);
        trace.coalesce(max);
        exact("receive offload", &scenario, &trace);
        let mut trace = net.clone().v6().packetize(&scenario);
        trace.offload(max);
        exact("transmit offload, IPv6", &scenario, &trace);
    }
}

#[test]
fn snap_length_cuts() {
    // Small enough to cut full segments, large enough to keep the handshake's headers.
    let scenario = Plan { key_size: 30_000, client_chunk_size: None, ..plan() }.build();
    let mut trace = Net::default().packetize(&scenario);
    trace.snaplen(1200);
    let seen = outcome(&scenario, &trace);
    assert!(!seen.untouched().is_empty());
    let holes = trace.missing().iter().map(Vec::len).sum::<usize>();
    assert!(seen.lost().len() <= holes, "lost {:?} at {holes} holes", seen.lost());
    assert!(seen.invented.is_empty() && seen.lies.is_empty(), "{seen:?}");
}

#[test]
fn one_direction_only() {
    for direction in [C2S, S2C] {
        for role in [Role::Publish, Role::Play] {
            let scenario = Plan { role, ..plan() }.build();
            let mut trace = Net::default().packetize(&scenario);
            trace.only(direction);
            exact("one direction", &scenario, &trace);
        }
    }
}

#[test]
fn link_types_and_no_syn_options() {
    for link in [LinkType::ETHERNET, LinkType::LINUX_SLL2, LinkType::RAW] {
        let scenario = plan().build();
        let net = Net { link, tcp_timestamps: false, ..Net::default() };
        exact("link type", &scenario, &net.packetize(&scenario));
        exact("link type", &scenario, &net.v6().packetize(&scenario));
    }
}

#[test]
fn sequence_numbers_wrap() {
    for isn in [u32::MAX - 4000, u32::MAX, u32::MAX - 20_000] {
        let scenario = plan().build();
        let net = Net { isn: [isn, isn.wrapping_sub(100)], ..Net::default() };
        exact("sequence wrap", &scenario, &net.packetize(&scenario));
    }
}

#[test]
fn closes() {
    for close in [Close::Fin, Close::Reset, Close::Open] {
        let scenario = plan().build();
        exact("close", &scenario, &Net { close, ..Net::default() }.packetize(&scenario));
    }
}
