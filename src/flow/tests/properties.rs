//! What must hold for any segmentation, order and duplication.

use proptest::prelude::*;

use super::support::*;

/// Cuts `len` bytes into segments at the given places.
fn segments(len: usize, cuts: &[prop::sample::Index]) -> Vec<(usize, usize)> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(len)).chain([0, len]).collect();
    places.sort_unstable();
    places.dedup();
    places.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Moves each item by at most `reach` places.
fn shuffle<T>(items: Vec<T>, moves: &[u8], reach: usize) -> Vec<T> {
    let mut keyed: Vec<(usize, T)> = items
        .into_iter()
        .enumerate()
        .map(|(i, item)| (i + usize::from(moves.get(i).copied().unwrap_or(0)) % (reach + 1), item))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any segmentation, local reordering (of the handshake and the FINs too), duplicates,
    /// overlaps with equal bytes, and acknowledgements anywhere.
    #[test]
    fn the_same_bytes_come_out(
        len in 1usize..20_000,
        isn in any::<[u32; 2]>(),
        up in cuts(),
        down in cuts(),
        again in prop::collection::vec(any::<(prop::sample::Index, u16)>(), 0..20),
        moves in prop::collection::vec(any::<u8>(), 400),
        handshake in any::<bool>(),
        fin in any::<bool>(),
    ) {
        let wire = Wire { isn, ..Wire::default() };
        let bytes = pattern(len);
        let mut packets = Vec::new();
        if handshake {
            packets.extend(wire.handshake());
        }
        for (from, to) in segments(len, &up) {
            packets.push(wire.data_ack(C2S, from as i64, &bytes[from..to], 0));
            packets.push(wire.ack(S2C, 0, to as u64));
        }
        for (from, to) in segments(len, &down) {
            packets.push(wire.data_ack(S2C, from as i64, &bytes[from..to], len as u64));
            packets.push(wire.ack(C2S, len as i64, to as u64));
        }
        // A retransmission comes right after bytes that include it, wherever they begin.
        for (place, size) in again {
            let place = place.index(packets.len());
            let upto = if handshake { place } else { 0 };
            let sent: usize = match upto {
                0 => continue,
                _ => segments(len, &up).iter().take(upto.saturating_sub(3) / 2).map(|s| s.1).max(),
            }.unwrap_or(0);
            let from = sent.saturating_sub(usize::from(size) % 3000);
            if from < sent {
                packets.insert(place, wire.data(C2S, from as i64, &bytes[from..sent]));
            }
        }
        if fin {
            packets.push(wire.ethernet(C2S, wire.header(C2S, len as i64, Some(len as u64), FIN), b""));
            packets.push(wire.ethernet(S2C, wire.header(S2C, len as i64, Some(len as u64 + 1), FIN), b""));
            packets.push(wire.ack(C2S, len as i64 + 1, len as u64 + 1));
        }
        let mut capture = Capture::new();
        capture.all(shuffle(packets, &moves, 24));
        let log = capture.finish();
        prop_assert_eq!(log.flows.len(), 1);
        let flow = &log.flows[0];
        prop_assert!(flow.gaps.is_empty(), "{:?}", flow.gaps);
        prop_assert!(flow.anomalies.is_empty(), "{:?}", flow.anomalies);
        prop_assert!(flow.bytes[0] == bytes && flow.bytes[1] == bytes);
        prop_assert_eq!(flow.fins.len(), if fin { 2 } else { 0 });
    }

    /// Of removed segments exactly their bytes are missing, and they are in gaps of the right
    /// kind: the peer acknowledged them.
    #[test]
    fn removed_segments_are_exact_gaps(
        len in 1000usize..20_000,
        up in cuts(),
        removed in prop::collection::vec(any::<bool>(), 64),
        moves in prop::collection::vec(any::<u8>(), 200),
    ) {
        let wire = Wire::default();
        let bytes = pattern(len);
        let all = segments(len, &up);
        let mut expected = Vec::new();
        let mut lost = 0;
        let mut packets = Vec::new();
        for (i, (from, to)) in all.iter().copied().enumerate() {
            if removed[i] && i + 1 < all.len() {
                lost += to - from;
            } else {
                expected.extend_from_slice(&bytes[from..to]);
                packets.push(wire.data(C2S, from as i64, &bytes[from..to]));
            }
            packets.push(wire.ack(S2C, 0, to as u64));
        }
        let mut capture = Capture::connected(&wire);
        capture.all(shuffle(packets, &moves, 24));
        let log = capture.finish();
        let flow = &log.flows[0];
        prop_assert!(flow.bytes[0] == expected);
        prop_assert_eq!(flow.stats(C2S).capture_lost_bytes, lost as u64);
        prop_assert_eq!(flow.stats(C2S).network_lost_bytes, 0);
        prop_assert_eq!(flow.next[0], len as u64);
    }

    /// Any packets at all: no panic, bounded memory, and the sink's own checks.
    #[test]
    fn anything_goes(
        packets in prop::collection::vec(
            (
                any::<bool>(),
                prop_oneof![-50i64..5000, any::<i32>().prop_map(i64::from)],
                prop::option::of(prop_oneof![0u64..5000, any::<u32>().prop_map(u64::from)]),
                0u8..8,
                0usize..300,
                prop_oneof![9 => Just(usize::MAX), 1 => 14usize..400],
                prop_oneof![9 => 0i64..100_000, 1 => -5_000_000i64..5_000_000],
            ),
            0..300,
        ),
    ) {
        let wire = Wire::default();
        let mut capture = Capture::new();
        for (up, at, ack, flags, len, cut_to, wait) in packets {
            let dir = if up { C2S } else { S2C };
            // SYN, FIN and RST together and alone, but not always.
            let flags = if len % 5 == 0 { flags } else { 0 };
            capture.cut_to = cut_to;
            capture.now += wait;
            let payload = vec![len as u8; len];
            capture.push(wire.ethernet(dir, wire.header(dir, at, ack, flags), &payload));
        }
        capture.finish();
    }

    /// Any record of any link type.
    #[test]
    fn any_bytes_are_a_packet(
        link in prop_oneof![Just(0u32), Just(1), Just(9), Just(12), Just(101), Just(113), Just(276)],
        head in prop::sample::select(vec![
            vec![], vec![0x45, 0], vec![0x60, 0, 0, 0, 0, 60, 6], vec![0, 33, 0x45], vec![2, 0, 0, 0],
        ]),
        data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut capture = Capture::new();
        capture.link = crate::base::LinkType(link);
        capture.push([head, data].concat());
        capture.finish();
    }
}
