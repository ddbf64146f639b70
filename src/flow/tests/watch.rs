use etherparse::{TcpHeader, TcpOptionElement};

use super::support::*;
use crate::base::Direction;
use crate::flow::TcpEventKind;

fn watched() -> Capture {
    let mut capture = Capture::new();
    capture.table.watch(true);
    capture
}

fn syn(wire: &Wire, dir: Direction, scale: Option<u8>) -> Vec<u8> {
    let ack = (dir == S2C).then_some(0);
    let mut header = wire.header(dir, -1, ack, SYN);
    if let Some(shift) = scale {
        header.set_options(&[TcpOptionElement::WindowScale(shift)]).expect("an option");
    }
    wire.ethernet(dir, header, b"")
}

fn connected(wire: &Wire, scales: [Option<u8>; 2]) -> Capture {
    let mut capture = watched();
    capture.all([syn(wire, C2S, scales[0]), syn(wire, S2C, scales[1]), wire.ack(C2S, 0, 0)]);
    capture
}

fn window(wire: &Wire, dir: Direction, at: i64, ack: u64, window: u16) -> Vec<u8> {
    let header = TcpHeader { window_size: window, ..wire.header(dir, at, Some(ack), 0) };
    wire.ethernet(dir, header, b"")
}

/// Everything but samples, as direction, name and frame.
fn events(log: &Log) -> Vec<(Direction, &'static str, u64)> {
    let events = log.flows[0].tcp.iter().filter(|e| e.kind.name() != "sample");
    events.map(|e| (e.direction, e.kind.name(), e.frame)).collect()
}

#[test]
fn nothing_is_told_unless_asked_for() {
    let wire = Wire::default();
    let mut capture = Capture::connected(&wire);
    capture.all([wire.data(C2S, 0, b"abcd"), wire.data(C2S, 0, b"abcd")]);
    assert!(capture.finish().flows[0].tcp.is_empty());
}

#[test]
fn what_happened_is_told_with_its_packet() {
    let wire = Wire::default();
    let mut capture = connected(&wire, [None, None]);
    capture.all([
        wire.data_ack(C2S, 0, b"abcd", 0),                           // 4
        wire.data_ack(C2S, 8, b"efgh", 0),                           // 5: a hole before it
        wire.data_ack(C2S, 12, b"ijkl", 0),                          // 6
        window(&wire, S2C, 0, 4, 60_000),                            // 7
        window(&wire, S2C, 0, 4, 60_000),                            // 8
        window(&wire, S2C, 0, 4, 60_000),                            // 9
        window(&wire, S2C, 0, 4, 60_000), // 10: the third that repeats the first
        window(&wire, S2C, 0, 4, 60_000), // 11
        wire.data_ack(C2S, 4, b"wxyz", 0), // 12: fills the hole
        wire.data_ack(C2S, 8, b"efgh", 0), // 13: again
        window(&wire, S2C, 0, 16, 0),     // 14
        wire.data_ack(C2S, 15, b"l", 0),  // 15: a probe
        window(&wire, S2C, 0, 16, 0),     // 16
        window(&wire, S2C, 0, 16, 1000),  // 17
        wire.ethernet(C2S, wire.header(C2S, 16, Some(0), FIN), b""), // 18
        wire.ethernet(C2S, wire.header(C2S, 16, Some(0), FIN), b""), // 19
        wire.ethernet(S2C, wire.header(S2C, 0, Some(17), RST), b""), // 20
    ]);
    let log = capture.finish();
    assert_eq!(
        events(&log),
        [
            (S2C, "duplicate-ack", 10),
            (C2S, "out-of-order", 12),
            (C2S, "retransmission", 13),
            (S2C, "zero-window", 14),
            (C2S, "keep-alive", 15),
            (S2C, "window-open", 17),
            (C2S, "fin", 18),
            (S2C, "reset", 20),
        ]
    );
    let kinds: Vec<_> = log.flows[0].tcp.iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&TcpEventKind::DuplicateAck { offset: 4 }));
    assert!(kinds.contains(&TcpEventKind::OutOfOrder { offset: 4, len: 4 }));
    assert!(kinds.contains(&TcpEventKind::Retransmission { offset: 8, len: 4 }));
    assert!(kinds.contains(&TcpEventKind::WindowOpen { after_ns: 30_000 }));
}

/// In flight, window, round trip of the client's samples.
fn samples(log: &Log) -> Vec<(u64, Option<u64>, Option<i64>)> {
    let of_client = log.flows[0].tcp.iter().filter(|event| event.direction == C2S);
    let values = of_client.filter_map(|event| match event.kind {
        TcpEventKind::Sample { in_flight, window, rtt_ns } => Some((in_flight, window, rtt_ns)),
        _ => None,
    });
    values.collect()
}

/// Bursts of 5000 bytes, each acknowledged, every 60 ms.
fn bursts(wire: &Wire, capture: &mut Capture, count: u64) {
    for i in 0..count {
        for k in 0..5 {
            let at = i * 5000 + k * 1000;
            capture.push(wire.data_ack(C2S, at as i64, &pattern(1000), 0));
        }
        capture.push(window(wire, S2C, 0, (i + 1) * 5000, if i == 4 { 10 } else { 500 }));
        capture.now += 60_000;
    }
}

#[test]
fn samples_hold_the_extremes_of_their_interval_and_only_changes() {
    let wire = Wire::default();
    let mut capture = connected(&wire, [Some(7), Some(2)]);
    bursts(&wire, &mut capture, 20);
    let log = capture.finish();
    let samples = samples(&log);
    // The server's window is scaled by the server's option; once it shrank.
    assert!(samples.iter().all(|s| s.0 == 5000), "{samples:?}");
    let windows: Vec<_> = samples.iter().filter_map(|s| s.1).collect();
    assert!(windows.contains(&40) && windows.ends_with(&[2000]), "{samples:?}");
    // 1.2 seconds, but little changed.
    assert!(samples.len() <= 6, "{samples:?}");
    assert!(samples.iter().all(|s| s.2.is_some_and(|rtt| (0..1_000_000).contains(&rtt))));
}

#[test]
fn a_scale_that_one_side_did_not_offer_does_not_count() {
    let wire = Wire::default();
    let mut capture = connected(&wire, [None, Some(2)]);
    bursts(&wire, &mut capture, 3);
    assert_eq!(samples(&capture.finish()).last().and_then(|s| s.1), Some(500));
}

#[test]
fn without_the_syn_the_window_is_not_known() {
    let wire = Wire::default();
    let mut capture = watched();
    bursts(&wire, &mut capture, 30);
    let samples = samples(&capture.finish());
    assert!(!samples.is_empty() && samples.iter().all(|s| s.1.is_none()), "{samples:?}");
}
