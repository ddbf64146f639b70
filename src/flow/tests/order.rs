//! Reordering, retransmission, overlaps.

use crate::base::Extents;
use crate::flow::{EndReason, RoleSource};

use super::support::*;

#[test]
fn segments_in_order_are_handed_on_at_once() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data_ack(C2S, 0, b"hello ", 0),
        wire.data_ack(S2C, 0, b"welcome", 6),
        wire.data_ack(C2S, 6, b"world", 7),
    ]);
    assert_eq!(capture.c2s(), b"hello world");
    assert_eq!(capture.first().frames, [vec![4, 6], vec![5]]);
    let info = capture.first().info.clone().unwrap();
    assert_eq!((info.role, info.frame), (RoleSource::Syn, 1));
    assert_eq!(info.client.to_string(), "10.0.0.1:50000");
    assert_eq!(info.server.to_string(), "10.0.0.2:1935");
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[1], b"welcome");
    assert_eq!(log.flows[0].reason(), Some(EndReason::EndOfCapture(None)));
    let stats = log.flows[0].stats(C2S);
    assert_eq!((stats.packets, stats.bytes, stats.retransmissions), (4, 11, 0));
    assert_eq!(stats.rtt_min_ns, Some(10_000));
    assert_eq!(stats.max_in_flight, 6);
}

#[test]
fn a_late_segment_fills_its_hole() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 4, b"ef"), wire.data(C2S, 6, b"gh")]);
    assert_eq!(capture.c2s(), b"ab");
    capture.all([wire.data(C2S, 2, b"cd")]);
    assert_eq!(capture.c2s(), b"abcdefgh");
    assert_eq!(capture.first().frames[0], [4, 7, 5, 6]);
    let mut extents = Extents::new();
    extents.push(1, 5);
    let flow = crate::flow::FlowId(0);
    assert_eq!(capture.table.frames(flow, C2S, &extents), [4, 5, 7]);
    assert_eq!(capture.table.frame_at(flow, C2S, 2), Some(7));
    capture.table.release(flow, C2S, 4);
    assert_eq!(capture.table.frames(flow, C2S, &extents), [5]);
    let log = capture.finish();
    assert!(log.flows[0].gaps.is_empty() && log.flows[0].anomalies.is_empty());
    assert_eq!(log.flows[0].stats(C2S).out_of_order, 1);
    assert_eq!(log.flows[0].stats(C2S).retransmissions, 0);
}

#[test]
fn retransmissions_are_counted_and_not_handed_on() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data(C2S, 0, b"abcd"),
        wire.data(C2S, 0, b"abcd"),
        wire.data(C2S, 2, b"cdef"),
        wire.data(C2S, 8, b"ij"),
        wire.data(C2S, 8, b"ij"),
        wire.data(C2S, 5, b"fghijk"),
    ]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], b"abcdefghijk");
    assert!(log.flows[0].anomalies.is_empty());
    // The last one overlaps both what was handed on and what was held.
    assert_eq!(log.flows[0].stats(C2S).retransmissions, 5);
    assert_eq!(log.flows[0].stats(C2S).conflicts, 0);
}

#[test]
fn the_first_version_of_a_byte_counts() {
    let wire = Wire::default();
    // Against what was handed on.
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"abcdef"), wire.data(C2S, 3, b"dXfgh")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], b"abcdefgh");
    let anomaly = &log.flows[0].anomalies[0];
    assert_eq!((anomaly.kind, anomaly.offset, anomaly.frame), ("conflicting-overlap", 4, 5));
    assert_eq!(anomaly.versions, Some((b"ef".to_vec(), b"Xf".to_vec())));
    assert_eq!(log.flows[0].stats(C2S).conflicts, 1);

    // Against what waits behind a hole.
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data(C2S, 4, b"ef"),
        wire.data(C2S, 2, b"cdEfgh"),
        wire.data(C2S, 7, b"Hij"),
        wire.data(C2S, 0, b"abcdeF"),
    ]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], b"abcdefghij");
    assert_eq!(log.flows[0].kinds(), ["conflicting-overlap"; 3]);
    let offsets: Vec<u64> = log.flows[0].anomalies.iter().map(|anomaly| anomaly.offset).collect();
    assert_eq!(offsets, [4, 7, 5]);
}

#[test]
fn a_long_overlap_shows_sixteen_bytes_of_each() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    let first = pattern(1000);
    for (i, part) in first.chunks(100).enumerate() {
        capture.all([wire.data(C2S, i as i64 * 100, part)]);
    }
    let mut later = first.clone();
    later[457] ^= 0xff;
    capture.all([wire.data(C2S, 0, &later)]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], first);
    let anomaly = &log.flows[0].anomalies[0];
    assert_eq!(anomaly.offset, 457);
    let versions = anomaly.versions.clone().unwrap();
    assert_eq!(versions.0, first[457..473]);
    assert_eq!(versions.1, later[457..473]);
}

#[test]
fn sequence_numbers_wrap() {
    for before in [0u32, 1, 2, 500, 1000, 1999, 2000] {
        let wire = Wire { isn: [u32::MAX.wrapping_sub(before), 5], ..Wire::default() };
        let mut capture = Capture::connected(&wire);
        let bytes = pattern(2000);
        for start in [0, 500, 1500, 1000] {
            let part = &bytes[start..start + 500];
            capture.all([wire.data(C2S, start as i64, part), wire.ack(S2C, 0, start as u64)]);
        }
        assert_eq!(capture.c2s(), bytes);
        let log = capture.finish();
        assert!(log.flows[0].anomalies.is_empty(), "{:?}", log.flows[0].anomalies);
    }
}

#[test]
fn the_offset_goes_on_beyond_32_bits() {
    // 6 GiB, of which only the ends of 8 MiB steps are captured.
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    let step = 8 << 20;
    for i in 1..=768 {
        let at = i * step;
        capture.all([
            wire.ack(S2C, 0, at as u64 - 10),
            wire.data(C2S, at - 10, b"0123456789"),
            wire.ack(S2C, 0, at as u64),
        ]);
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].next[0], 6 << 30);
    assert_eq!(log.flows[0].stats(C2S).bytes, 7680);
    assert_eq!(log.flows[0].stats(C2S).capture_lost_bytes, (6 << 30) - 7680);
    assert_eq!(log.flows[0].stats(C2S).network_lost_bytes, 0);
}

#[test]
fn keep_alives_are_not_data() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.ack(C2S, -1, 0),
        wire.data(C2S, 0, b"abc"),
        wire.ack(C2S, 2, 0),
        wire.data(C2S, 2, &[0]),
        wire.data(C2S, 3, b"def"),
    ]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0], b"abcdef");
    assert!(log.flows[0].anomalies.is_empty());
    assert_eq!(log.flows[0].stats(C2S).keep_alives, 3);
    assert_eq!(log.flows[0].stats(C2S).retransmissions, 0);
}

#[test]
fn a_syn_may_carry_data() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    capture.all([
        wire.ethernet(C2S, wire.header(C2S, -1, None, SYN), b"early"),
        wire.ethernet(S2C, wire.header(S2C, -1, Some(5), SYN), b""),
        wire.data_ack(C2S, 5, b" bird", 0),
    ]);
    assert_eq!(capture.c2s(), b"early bird");
}

#[test]
fn a_capture_that_begins_within_a_connection_begins_with_its_lowest_byte() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    capture.all([
        wire.data(S2C, 1_000_003, b"defg"),
        wire.data(S2C, 1_000_000, b"abc"),
        wire.data(S2C, 1_000_007, b"hi"),
    ]);
    assert!(capture.log.flows.is_empty());
    capture.wait_ms(1001);
    assert_eq!(capture.first().bytes[1], b"abcdefghi");
    assert_eq!(capture.first().frames[1], [2, 1, 3]);
    let info = capture.first().info.clone().unwrap();
    assert_eq!(info.role, RoleSource::Port);
    assert_eq!((info.server.port(), info.frame), (1935, 1));
    // From then on what lies before is old.
    capture.all([wire.data(S2C, 999_990, b"0123456789"), wire.data(S2C, 1_000_009, b"jk")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[1], b"abcdefghijk");
    assert_eq!(log.flows[0].stats(S2C).retransmissions, 1);
}

#[test]
fn the_first_byte_is_decided_by_packets_bytes_or_the_end_too() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    for i in 0..32 {
        capture.all([wire.data(C2S, i, b"x")]);
        assert!(capture.log.flows.is_empty());
    }
    capture.all([wire.data(C2S, 32, b"y")]);
    assert_eq!(capture.c2s().len(), 33);

    let mut capture = Capture::new();
    for i in 0..5 {
        assert!(capture.log.flows.is_empty());
        capture.all([wire.data(C2S, i * 60_000, &vec![0; 60_000])]);
    }
    assert_eq!(capture.c2s().len(), 300_000);

    let mut capture = Capture::new();
    capture.all([wire.data(C2S, 3, b"lo"), wire.data(C2S, 0, b"hel")]);
    assert_eq!(capture.finish().flows[0].bytes[0], b"hello");
}

#[test]
fn a_syn_that_comes_late_still_tells_the_roles_and_the_first_byte() {
    // Ports that would make the wrong side the server.
    let wire =
        Wire { client: ([10, 0, 0, 1], 80), server: ([10, 0, 0, 2], 4000), ..Wire::default() };
    let mut capture = Capture::new();
    let [syn, syn_ack, ack] = wire.handshake();
    capture.all([
        wire.data(C2S, 3, b"def"),
        ack,
        wire.data(S2C, 0, b"xyz"),
        syn_ack,
        syn,
        wire.data(C2S, 0, b"abc"),
    ]);
    assert_eq!(capture.c2s(), b"abcdef");
    let log = capture.finish();
    assert_eq!(log.flows.len(), 1);
    assert_eq!(log.flows[0].bytes[1], b"xyz");
    assert_eq!(log.flows[0].info.as_ref().unwrap().role, RoleSource::Syn);
    assert_eq!(log.flows[0].info.as_ref().unwrap().server.port(), 4000);
    assert!(log.flows[0].gaps.is_empty());
}
