//! Holes: whose loss they are, and when they are given up.

use crate::base::GapKind::{Capture as InCapture, Network};
use crate::flow::FlowLimits;

use super::support::*;

#[test]
fn an_acknowledged_hole_is_capture_loss_after_32_packets() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 5, b"fg"), wire.ack(S2C, 0, 7)]);
    for _ in 0..31 {
        capture.all([wire.ack(S2C, 0, 7)]);
        assert_eq!(capture.c2s(), b"ab");
    }
    capture.all([wire.ack(S2C, 0, 7)]);
    assert_eq!(capture.c2s(), b"abfg");
    let log = capture.finish();
    assert_eq!(log.flows[0].gap_list(C2S), [(2, 3, InCapture)]);
    assert_eq!(log.flows[0].gaps[0].frame, 38);
    assert_eq!(log.flows[0].stats(C2S).capture_lost_bytes, 3);
    assert_eq!(log.flows[0].stats(C2S).bytes, 4);
}

#[test]
fn or_after_a_second_even_if_the_flow_is_silent() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 5, b"fg"), wire.ack(S2C, 0, 7)]);
    capture.wait_ms(990);
    assert_eq!(capture.c2s(), b"ab");
    capture.wait_ms(20);
    assert_eq!(capture.c2s(), b"abfg");
}

#[test]
fn data_that_comes_within_the_slack_closes_an_acknowledged_hole() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.ack(S2C, 0, 6),
        wire.data(C2S, 4, b"ef"),
        wire.data(C2S, 0, b"ab"),
        wire.data(C2S, 2, b"cd"),
    ]);
    assert_eq!(capture.c2s(), b"abcdef");
    assert!(capture.finish().flows[0].gaps.is_empty());
}

#[test]
fn many_holes_do_not_wait_for_each_other() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    // Every other segment is missing; each hole is given up 32 packets after its ACK.
    for i in 0..1000i64 {
        capture.all([wire.data(C2S, i * 20, b"0123456789"), wire.ack(S2C, 0, i as u64 * 20 + 10)]);
        assert!(capture.table.held() < 25 * 140, "{}", capture.table.held());
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].gap_list(C2S).len(), 999);
    assert_eq!(log.flows[0].stats(C2S).capture_lost_bytes, 9990);
    assert_eq!(log.flows[0].stats(C2S).network_lost_bytes, 0);
}

#[test]
fn an_unacknowledged_hole_waits_for_its_retransmission() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.ack(S2C, 0, 2)]);
    for i in 0..500 {
        capture.all([wire.data(C2S, 4 + i, b"x"), wire.ack(S2C, 0, 2)]);
    }
    capture.wait_ms(5_000);
    assert_eq!(capture.c2s(), b"ab");
    capture.all([wire.data(C2S, 2, b"cd")]);
    assert_eq!(capture.c2s().len(), 504);
    let log = capture.finish();
    assert!(log.flows[0].gaps.is_empty());
    assert_eq!(log.flows[0].stats(C2S).out_of_order, 1);
}

#[test]
fn what_was_never_acknowledged_is_network_loss_at_the_end() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data(C2S, 0, b"ab"),
        wire.data(C2S, 6, b"gh"),
        wire.ack(S2C, 0, 4),
        wire.data(C2S, 10, b"k"),
    ]);
    let log = capture.finish();
    // The peer acknowledged half of the first hole.
    let expected = [(2, 2, InCapture), (4, 2, Network), (8, 2, Network)];
    assert_eq!(log.flows[0].gap_list(C2S), expected);
    assert_eq!(log.flows[0].bytes[0], b"abghk");
    assert_eq!(log.flows[0].stats(C2S).network_lost_bytes, 4);
}

#[test]
fn an_acknowledged_tail_is_lost_at_the_end_but_a_fin_is_no_byte() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.ack(S2C, 0, 12)]);
    let log = capture.finish();
    assert_eq!(log.flows[0].gap_list(C2S), [(2, 10, InCapture)]);

    // The client's FIN is missing from the capture; its acknowledgement is not.
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.ack(S2C, 0, 3)]);
    assert_eq!(capture.finish().flows[0].gap_list(C2S), []);

    // A FIN after a hole counts as no byte of it.
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data(C2S, 0, b"ab"),
        wire.ethernet(C2S, wire.header(C2S, 9, Some(0), FIN), b""),
        wire.ack(S2C, 0, 10),
    ]);
    let log = capture.finish();
    assert_eq!(log.flows[0].gap_list(C2S), [(2, 7, InCapture)]);
    assert_eq!(log.flows[0].fins, [C2S]);
}

#[test]
fn a_one_sided_sender_that_goes_on_had_its_hole_acknowledged() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    capture.all([wire.ethernet(C2S, wire.header(C2S, -1, None, SYN), b"")]);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 4, b"ef")]);
    for i in 0..40 {
        capture.all([wire.data(C2S, 6 + i, b"x")]);
    }
    assert_eq!(capture.c2s(), b"ab");
    capture.wait_ms(2_900);
    capture.all([wire.data(C2S, 46, b"y")]);
    assert_eq!(capture.c2s(), b"ab");
    capture.wait_ms(200);
    assert_eq!(capture.c2s(), b"ab", "silence proves nothing");
    capture.all([wire.data(C2S, 47, b"z")]);
    assert_eq!(capture.c2s().len(), 46);
    assert_eq!(capture.first().gap_list(C2S), [(2, 2, InCapture)]);
    // At the end of the capture nothing proves it.
    capture.all([wire.data(C2S, 50, b"!")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].gap_list(C2S)[1], (48, 2, Network));
}

#[test]
fn or_one_that_sent_more_than_a_window() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    capture.all([wire.ethernet(C2S, wire.header(C2S, -1, None, SYN), b"")]);
    let part = vec![7; 50_000];
    for i in 0..90 {
        capture.all([wire.data(C2S, 1000 + i * 50_000, &part)]);
    }
    assert_eq!(capture.first().gap_list(C2S), [(0, 1000, InCapture)]);
    assert_eq!(capture.c2s().len(), 90 * 50_000);
}

#[test]
fn what_a_snap_length_cut_off_is_a_gap_at_once() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.cut_to = 14 + 20 + 20 + 30;
    let bytes = pattern(200);
    capture.all([wire.data(C2S, 0, &bytes[..100]), wire.data(C2S, 100, &bytes[100..])]);
    assert_eq!(capture.first().gap_list(C2S), [(30, 70, InCapture), (130, 70, InCapture)]);
    assert_eq!(capture.c2s(), [&bytes[..30], &bytes[100..130]].concat());
    // Not even the TCP header's end, then only headers.
    capture.cut_to = 53;
    let outcome = capture.push(wire.data(C2S, 200, &bytes[..10]));
    assert_eq!(outcome, crate::flow::Outcome::Undecodable("TCP header cut"));
    capture.cut_to = 54;
    capture.all([wire.data(C2S, 200, &bytes[..10]), wire.data(C2S, 220, &bytes[..10])]);
    let log = capture.finish();
    assert_eq!(
        log.flows[0].gap_list(C2S)[2..],
        [(200, 10, InCapture), (210, 10, Network), (220, 10, InCapture)]
    );
}

#[test]
fn another_copy_fills_what_a_snap_length_cut_off() {
    let wire = Wire::default();
    let bytes = pattern(100);
    // The second segment comes first and is cut; a retransmission of its end is not.
    let mut capture = Capture::connected(&wire);
    capture.cut_to = 54 + 10;
    capture.all([wire.data(C2S, 20, &bytes[20..60])]);
    capture.cut_to = usize::MAX;
    capture.all([wire.data(C2S, 30, &bytes[30..80]), wire.data(C2S, 0, &bytes[..20])]);
    assert_eq!(capture.c2s(), &bytes[..80]);
    // One segment that fills the hole and the cut behind it.
    let mut capture = Capture::connected(&wire);
    capture.cut_to = 54 + 10;
    capture.all([wire.data(C2S, 20, &bytes[20..60])]);
    capture.cut_to = usize::MAX;
    capture.all([wire.data(C2S, 0, &bytes[..50])]);
    assert_eq!(capture.c2s(), &bytes[..50]);
    assert_eq!(capture.finish().flows[0].gap_list(C2S), [(50, 10, InCapture)]);
}

#[test]
fn a_length_field_that_lies_is_not_believed() {
    // 60 bytes on the wire cannot hold 60,000.
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    let mut packet = wire.data(C2S, 0, b"abc");
    packet[16..18].copy_from_slice(&60_000u16.to_be_bytes());
    capture.all([packet, wire.data(C2S, 3, b"def")]);
    assert_eq!(capture.c2s(), b"abcdef");
    assert!(capture.finish().flows[0].gaps.is_empty());
}

#[test]
fn a_stray_segment_far_ahead_is_an_anomaly() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab")]);
    for at in [2i64 << 30, 17 << 20, 3 << 30, 1 << 31, (1 << 31) - (3 << 20)] {
        capture.all([wire.data(C2S, at, &[0; 1400]), wire.data(C2S, at, &[0; 1400])]);
        assert_eq!(capture.table.held(), 0);
    }
    capture.all([wire.data(C2S, 2, b"cd")]);
    assert_eq!(capture.c2s(), b"abcd");
    let log = capture.finish();
    assert!(log.flows[0].kinds().iter().all(|kind| *kind == "segment-out-of-window"));
    assert!(log.flows[0].anomalies.len() >= 5);
    assert!(log.flows[0].gaps.is_empty());
}

#[test]
fn a_sender_that_goes_on_far_ahead_is_believed() {
    let wire = Wire::default();
    for far in [17i64 << 20, 2 << 30, 3 << 30, (1 << 31) - 1400] {
        let mut capture = Capture::connected(&wire);
        capture.all([wire.data(C2S, 0, b"ab")]);
        let bytes = pattern(1400 * 50);
        // The first two of them are swapped.
        for i in [1, 0].into_iter().chain(2..50) {
            let part = &bytes[i * 1400..][..1400];
            capture.all([wire.data(C2S, far + i as i64 * 1400, part)]);
        }
        assert_eq!(capture.first().gap_list(C2S), [(2, far as u64 - 2, InCapture)]);
        assert_eq!(capture.c2s()[2..], bytes);
        let log = capture.finish();
        assert_eq!(log.flows[0].kinds(), ["segment-out-of-window"]);
    }
}

#[test]
fn an_acknowledgement_confirms_a_segment_far_ahead() {
    let wire = Wire::default();
    let far = 100 << 20;
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, far, b"cd")]);
    capture.all([wire.ack(S2C, 0, far as u64 + 2)]);
    capture.wait_ms(1100);
    capture.all([wire.data(C2S, far + 2, b"ef")]);
    assert_eq!(capture.c2s(), b"abcdef");
    assert_eq!(capture.finish().flows[0].gap_list(C2S), [(2, far as u64 - 2, InCapture)]);
}

#[test]
fn a_stray_acknowledgement_does_no_harm() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.ack(S2C, 0, 1 << 30)]);
    for i in 0..100 {
        capture.all([wire.data(C2S, 2 + i, b"x"), wire.ack(S2C, 0, 3 + i as u64)]);
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes[0].len(), 102);
    assert!(log.flows[0].gaps.is_empty());
}

#[test]
fn a_full_buffer_gives_up_its_hole_and_says_so() {
    let wire = Wire::default();
    let limits = FlowLimits { max_buffered: 100_000, ..FlowLimits::default() };
    let mut capture = Capture::with(limits);
    capture.all(wire.handshake());
    for i in 0..200 {
        capture.all([wire.data(C2S, 10 + i * 1000, &[5; 1000]), wire.ack(S2C, 0, 0)]);
        assert!(capture.table.held() <= 100_000);
    }
    let log = capture.finish();
    assert_eq!(log.flows[0].kinds(), ["reassembly-limit"]);
    assert_eq!(log.flows[0].gap_list(C2S), [(0, 10, Network)]);
    assert_eq!(log.flows[0].bytes[0].len(), 200_000);
}

#[test]
fn all_flows_together_hold_a_bounded_amount() {
    let limits = FlowLimits { max_buffered_total: 100_000, ..FlowLimits::default() };
    let mut capture = Capture::with(limits);
    for port in 0..300 {
        let wire = Wire { client: ([10, 0, 0, 1], 20_000 + port), ..Wire::default() };
        capture.all(wire.handshake());
        capture.all([wire.data(C2S, 10, &[5; 1000])]);
        assert!(capture.table.held() <= 100_000);
    }
    // Those whose holes were open longest lost them.
    assert_eq!(capture.log.flows[0].kinds(), ["reassembly-limit"]);
    assert_eq!(capture.log.flows[0].gap_list(C2S), [(0, 10, Network)]);
    assert!(capture.log.flows[299].anomalies.is_empty());
    let log = capture.finish();
    assert!(log.flows.iter().all(|flow| flow.bytes[0].len() == 1000));
}

#[test]
fn bytes_too_late_for_their_hole_are_told() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 4, b"ef"), wire.ack(S2C, 0, 6)]);
    capture.wait_ms(1100);
    capture.all([wire.data(C2S, 2, b"cdef")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].kinds(), ["late-segment"]);
    assert_eq!(log.flows[0].anomalies[0].offset, 2);
    assert_eq!(log.flows[0].bytes[0], b"ef");
}

#[test]
fn tiny_segments_out_of_order_cost_linear_time() {
    // Every other byte, backwards; then segments over all of them.
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    let bytes = pattern(40_000);
    for i in (1..20_000).rev() {
        capture.all([wire.data(C2S, i * 2, &bytes[i as usize * 2..][..1])]);
    }
    for _ in 0..20 {
        capture.all([wire.data(C2S, 1, &bytes[1..])]);
    }
    assert_eq!(capture.c2s(), b"");
    capture.all([wire.data(C2S, 0, &bytes[..1])]);
    assert!(capture.c2s() == bytes);
    let log = capture.finish();
    assert!(log.flows[0].anomalies.is_empty() && log.flows[0].gaps.is_empty());
}

#[test]
fn a_pause_does_not_shorten_the_slack() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.now += 60_000_000;
    // The first packets after it are out of order.
    capture.all([
        wire.ack(S2C, 0, 6),
        wire.data(C2S, 4, b"ef"),
        wire.data(C2S, 2, b"cd"),
        wire.data(C2S, 0, b"ab"),
    ]);
    assert_eq!(capture.c2s(), b"abcdef");
    // So are the first packets of a connection, hours after those of another.
    capture.now += 86_400_000_000;
    let late = Wire { client: ([10, 0, 0, 1], 40_000), ..wire };
    capture.all([late.data(C2S, 2, b"cd"), late.data(C2S, 0, b"ab")]);
    let log = capture.finish();
    assert_eq!(log.flows.len(), 2);
    assert_eq!(log.flows[1].bytes[0], b"abcd");
}

#[test]
fn a_segment_cut_to_its_header_may_lie_within_others() {
    let wire = Wire::default();
    let bytes = pattern(100);
    for at in [20, 30, 40] {
        let whole = wire.data(C2S, 20, &bytes[20..40]);
        let cut = wire.data(C2S, at, &bytes[at as usize..60]);
        for cut_first in [false, true] {
            let mut capture = Capture::connected(&wire);
            for is_cut in [cut_first, !cut_first] {
                capture.cut_to = if is_cut { 54 } else { usize::MAX };
                capture.all([if is_cut { cut.clone() } else { whole.clone() }]);
            }
            capture.cut_to = usize::MAX;
            capture.all([wire.data(C2S, 0, &bytes[..20])]);
            assert_eq!(capture.c2s(), &bytes[..40], "{at} {cut_first}");
            capture.all([wire.data(C2S, 60, &bytes[60..])]);
            let log = capture.finish();
            assert_eq!(log.flows[0].gap_list(C2S).iter().map(|gap| gap.1).sum::<u64>(), 20);
            assert_eq!(log.flows[0].next[0], 100);
        }
    }
}

/// A segment that was cut off whole can lie inside one that was not: it once kept the end of the
/// capture waiting for bytes that had been handed on.
#[test]
fn a_segment_cut_off_whole_inside_another_one() {
    let wire = Wire::default();
    for fill in [true, false] {
        let mut capture = Capture::connected(&wire);
        capture.all([wire.data(C2S, 10, b"klmnopqrst")]);
        capture.cut_to = 54;
        capture.all([wire.data(C2S, 15, b"pqrst")]);
        capture.cut_to = usize::MAX;
        if fill {
            capture.all([wire.data(C2S, 0, b"abcdefghij")]);
        }
        let log = capture.finish();
        let bytes: &[u8] = if fill { b"abcdefghijklmnopqrst" } else { b"klmnopqrst" };
        assert_eq!(log.flows[0].bytes[0], bytes);
        let gaps: &[_] = if fill { &[] } else { &[(0, 10, Network)] };
        assert_eq!(log.flows[0].gap_list(C2S), gaps);
    }
}
