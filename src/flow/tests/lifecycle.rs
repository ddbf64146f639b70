//! Beginnings and ends of flows, their limits and counters.

use crate::base::Timestamp;
use crate::flow::{EndReason, FlowId, FlowLimits};

use super::support::*;

fn close(wire: &Wire, dir: crate::base::Direction, at: i64, ack: u64) -> Vec<u8> {
    wire.ethernet(dir, wire.header(dir, at, Some(ack), FIN), b"")
}

fn reset(wire: &Wire, dir: crate::base::Direction, at: i64) -> Vec<u8> {
    wire.ethernet(dir, wire.header(dir, at, Some(0), RST), b"")
}

#[test]
fn both_fins_end_a_flow() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([
        wire.data(C2S, 0, b"bye"),
        close(&wire, S2C, 0, 3),
        wire.ack(C2S, 3, 1),
        close(&wire, C2S, 3, 1),
    ]);
    assert_eq!(capture.first().fins, [S2C, C2S]);
    assert_eq!(capture.first().reason(), None);
    capture.all([wire.ack(S2C, 1, 4)]);
    assert_eq!(capture.first().reason(), Some(EndReason::Fin(S2C)));
    // Nothing that belongs to it opens another flow.
    capture.all([close(&wire, C2S, 3, 1), wire.ack(S2C, 1, 4), wire.data(C2S, 0, b"bye")]);
    let log = capture.finish();
    assert_eq!(log.flows.len(), 1);
    assert_eq!(log.flows[0].gap_list(C2S), []);
}

#[test]
fn a_missing_last_acknowledgement_only_delays_the_end() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([close(&wire, C2S, 0, 0), close(&wire, S2C, 0, 1)]);
    assert_eq!(capture.first().reason(), None);
    capture.wait_ms(1100);
    assert_eq!(capture.first().reason(), Some(EndReason::Fin(C2S)));
}

#[test]
fn a_fin_waits_for_what_is_before_it_and_ends_its_direction() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    let fin = wire.ethernet(C2S, wire.header(C2S, 3, Some(0), FIN), b"def");
    capture.all([fin]);
    assert!(capture.first().fins.is_empty());
    capture.all([wire.data(C2S, 0, b"abc")]);
    assert_eq!((capture.c2s(), &capture.first().fins[..]), (&b"abcdef"[..], &[C2S][..]));
    capture.all([wire.data(C2S, 6, b"more"), wire.data(S2C, 0, b"still open")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes, [b"abcdef".to_vec(), b"still open".to_vec()]);
    assert_eq!(log.flows[0].kinds(), ["data-after-fin"]);
    assert_eq!(log.flows[0].reason(), Some(EndReason::EndOfCapture(Some(C2S))));
}

#[test]
fn a_reset_ends_a_flow_after_the_slack() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), reset(&wire, S2C, 0)]);
    // Sent before the RST, recorded after it.
    capture.all([wire.data(C2S, 2, b"cd")]);
    assert_eq!(capture.first().reason(), None);
    capture.wait_ms(1100);
    assert_eq!(capture.first().reason(), Some(EndReason::Reset(S2C)));
    assert_eq!(capture.c2s(), b"abcd");
    capture.all([wire.data(C2S, 4, b"ef"), reset(&wire, S2C, 0)]);
    assert_eq!(capture.finish().flows.len(), 1);
}

#[test]
fn a_refused_connection_is_a_flow_that_was_reset() {
    let wire = Wire::default();
    let mut capture = Capture::new();
    let mut refusal = wire.header(S2C, 0, Some(0), RST);
    refusal.sequence_number = 0;
    capture.all([
        wire.ethernet(C2S, wire.header(C2S, -1, None, SYN), b""),
        wire.ethernet(S2C, refusal, b""),
    ]);
    let log = capture.finish();
    assert_eq!(log.flows.len(), 1);
    assert_eq!(log.flows[0].reason(), Some(EndReason::Reset(S2C)));
}

#[test]
fn a_reset_far_from_the_stream_is_not_believed() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(S2C, 0, b"ab"), reset(&wire, S2C, 500 << 20)]);
    capture.wait_ms(1100);
    capture.all([wire.data(S2C, 2, b"cd")]);
    let log = capture.finish();
    assert_eq!(log.flows[0].kinds(), ["implausible-reset"]);
    assert_eq!(log.flows[0].reason(), Some(EndReason::EndOfCapture(None)));
    assert_eq!(log.flows[0].bytes[1], b"abcd");
}

#[test]
fn a_connection_that_goes_on_after_a_reset_is_followed_again() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([reset(&wire, S2C, 0)]);
    capture.wait_ms(1100);
    for i in 0..200 {
        capture.all([wire.data(C2S, i, b"x")]);
    }
    let log = capture.finish();
    assert_eq!(log.flows.iter().filter(|flow| !flow.bytes[0].is_empty()).count(), 1);
    assert_eq!(log.flows.last().unwrap().bytes[0].len(), 200 - 64);
}

#[test]
fn a_new_syn_between_the_same_endpoints_is_a_new_flow() {
    let first = Wire::default();
    let second = Wire { isn: [9_000_000, 8_000_000], ..first };
    for closed in [false, true] {
        let mut capture = Capture::connected(&first);
        capture.all([first.data(C2S, 0, b"one")]);
        if closed {
            capture.all([close(&first, C2S, 3, 0), close(&first, S2C, 0, 4), first.ack(C2S, 4, 1)]);
        }
        // The same SYN again is no new connection.
        capture.all([first.handshake()[0].clone()]);
        assert_eq!(capture.log.flows.len(), 1);
        capture.all(second.handshake());
        capture.all([second.data(C2S, 0, b"two")]);
        let log = capture.finish();
        assert_eq!(log.flows.len(), 2);
        let reason = if closed { EndReason::Fin(C2S) } else { EndReason::Reused };
        assert_eq!(log.flows[0].reason(), Some(reason));
        assert_eq!(log.flows[0].bytes[0], b"one");
        assert_eq!(log.flows[1].bytes[0], b"two");
    }
}

#[test]
fn frames_of_a_flow_that_just_ended_can_be_asked_for() {
    let first = Wire::default();
    let second = Wire { isn: [9_000_000, 8_000_000], ..first };
    let mut capture = Capture::connected(&first);
    capture.all([first.data(C2S, 0, b"one")]);
    capture.all([second.handshake()[0].clone()]);
    assert_eq!(capture.first().reason(), Some(EndReason::Reused));
    assert_eq!(capture.table.frame_at(FlowId(0), C2S, 0), Some(4));
    assert!(capture.table.stats(FlowId(0)).is_some());
    capture.all([second.handshake()[1].clone()]);
    assert_eq!(capture.table.frame_at(FlowId(0), C2S, 0), None);
    assert!(capture.table.stats(FlowId(1)).is_some());
}

#[test]
fn the_other_side_may_connect_from_the_same_port_later() {
    let wire = Wire::default();
    let back = Wire { client: wire.server, server: wire.client, isn: [5, 6] };
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"one")]);
    capture.all(back.handshake());
    capture.all([back.data(C2S, 0, b"two")]);
    let log = capture.finish();
    assert_eq!(log.flows.len(), 2);
    assert_eq!(log.flows[1].info.as_ref().unwrap().client.port(), 1935);
    assert_eq!(log.flows[1].bytes[0], b"two");
}

#[test]
fn idle_flows_time_out() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 4, b"ef")]);
    capture.wait_ms(3_599_000);
    assert_eq!(capture.first().reason(), None);
    capture.wait_ms(2_000);
    assert_eq!(capture.first().reason(), Some(EndReason::Timeout));
    assert_eq!(capture.c2s(), b"abef");
    // What comes then is another flow, in the middle of its connection.
    capture.all([wire.data(C2S, 6, b"gh")]);
    let log = capture.finish();
    assert_eq!(log.flows.last().unwrap().bytes[0], b"gh");
}

#[test]
fn one_packet_with_a_wrong_time_ends_nothing() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab")]);
    let now = capture.now;
    capture.now = i64::MAX / 2000;
    capture.all([wire.data(C2S, 2, b"cd")]);
    capture.now = now;
    capture.all([wire.data(C2S, 4, b"ef"), wire.data(C2S, 6, b"gh")]);
    capture.now = i64::MIN / 2000;
    capture.all([wire.data(C2S, 8, b"ij"), wire.data(C2S, 10, b"kl")]);
    let log = capture.finish();
    assert_eq!(log.flows.len(), 1);
    assert_eq!(log.flows[0].bytes[0], b"abcdefghijkl");
}

#[test]
fn a_full_table_evicts_the_longest_idle() {
    let mut capture = Capture::with(FlowLimits { max_flows: 3, ..FlowLimits::default() });
    let wires: Vec<Wire> =
        (0..5).map(|i| Wire { client: ([10, 0, 0, 1], 30_000 + i), ..Wire::default() }).collect();
    for wire in &wires[..3] {
        capture.all(wire.handshake());
    }
    capture.all([wires[0].data(C2S, 0, b"x")]);
    capture.all(wires[3].handshake());
    capture.all(wires[4].handshake());
    let ended: Vec<bool> = capture.log.flows.iter().map(|flow| flow.end.is_some()).collect();
    assert_eq!(ended, [false, true, true, false, false]);
    assert_eq!(capture.log.flows[1].reason(), Some(EndReason::Evicted));
    assert_eq!(capture.finish().flows.len(), 5);
}

#[test]
fn an_ignored_flow_is_only_counted() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"ab"), wire.data(C2S, 10, b"kl")]);
    capture.table.ignore(FlowId(0));
    assert_eq!(capture.table.held(), 0);
    assert_eq!(capture.table.frame_at(FlowId(0), C2S, 0), None);
    capture.all([
        wire.data(C2S, 12, b"mn"),
        wire.data(C2S, 12, b"mn"),
        wire.data(S2C, 500 << 20, b"xy"),
        wire.data(C2S, 200, b"op"),
        close(&wire, C2S, 202, 0),
        close(&wire, S2C, (500 << 20) + 2, 203),
    ]);
    capture.all([wire.ack(C2S, 203, (500 << 20) + 3)]);
    assert_eq!(capture.table.held(), 0);
    let log = capture.finish();
    assert_eq!(log.flows[0].bytes, [b"ab".to_vec(), vec![]]);
    assert_eq!(log.flows[0].reason(), Some(EndReason::Fin(C2S)));
    let stats = log.flows[0].stats(C2S);
    assert_eq!((stats.retransmissions, stats.packets), (1, 8 + 1));
    assert!(log.flows[0].gaps.is_empty() && log.flows[0].anomalies.is_empty());
}

#[test]
fn zero_windows_and_round_trips_are_measured() {
    let wire = Wire::default();
    let window = |at: u64, window: u16| {
        let mut header = wire.header(S2C, 0, Some(at), 0);
        header.window_size = window;
        wire.ethernet(S2C, header, b"")
    };
    let mut capture = Capture::connected(&wire);
    let start = capture.now;
    let at_ms = |capture: &mut Capture, ms: i64, packet: Vec<u8>| {
        capture.now = start + ms * 1000 - 10;
        capture.all([packet]);
    };
    at_ms(&mut capture, 100, wire.data(C2S, 0, b"0123456789"));
    at_ms(&mut capture, 110, wire.data(C2S, 10, b"0123456789"));
    at_ms(&mut capture, 140, window(20, 0));
    at_ms(&mut capture, 150, window(20, 0));
    at_ms(&mut capture, 340, window(20, 100));
    // Karn: the acknowledgement may be for either copy.
    at_ms(&mut capture, 400, wire.data(C2S, 20, b"ab"));
    at_ms(&mut capture, 500, wire.data(C2S, 20, b"ab"));
    at_ms(&mut capture, 510, window(22, 0));
    at_ms(&mut capture, 520, wire.data(C2S, 22, b"c"));
    at_ms(&mut capture, 540, window(23, 0));
    let stats = capture.table.stats(FlowId(0)).unwrap();
    assert_eq!(stats[1].zero_window_spans, 2);
    assert_eq!(stats[1].zero_window_ns, 230_000_000);
    assert_eq!(stats[0].max_in_flight, 20);
    // The handshake's, 40 and 20 ms.
    assert_eq!(stats[0].rtt_min_ns, Some(10_000));
    assert_eq!(stats[0].rtt_max_ns, Some(40_000_000));
    assert_eq!(stats[0].rtt_mean_ns, Some((10_000 + 40_000_000 + 20_000_000) / 3));
}

#[test]
fn flows_end_in_the_order_of_their_numbers() {
    struct Ends(Vec<u32>);
    impl crate::flow::FlowSink for Ends {
        fn opened(&mut self, _: FlowId, _: &crate::flow::FlowInfo) {}
        fn data(&mut self, _: FlowId, _: crate::base::Direction, _: crate::flow::StreamData<'_>) {}
        fn gap(&mut self, _: FlowId, _: crate::flow::Gap) {}
        fn anomaly(&mut self, _: FlowId, _: crate::flow::FlowAnomaly) {}
        fn fin(&mut self, _: FlowId, _: crate::base::Direction, _: Timestamp) {}
        fn ended(
            &mut self,
            flow: FlowId,
            _: EndReason,
            _: Timestamp,
            _: &[crate::flow::DirectionStats; 2],
        ) {
            self.0.push(flow.0);
        }
    }
    let mut capture = Capture::new();
    for port in [9, 3, 7, 1, 5] {
        let wire = Wire { client: ([10, 0, 0, 1], 20_000 + port), ..Wire::default() };
        match port {
            3 | 5 => capture.all([wire.data(C2S, 0, b"x")]),
            _ => capture.all(wire.handshake()),
        }
    }
    let mut ends = Ends(Vec::new());
    capture.table.finish(&mut ends);
    assert_eq!(ends.0, [0, 1, 2, 3, 4]);
}
