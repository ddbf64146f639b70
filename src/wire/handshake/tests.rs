use super::*;
use crate::base::FieldTree;

struct Sample {
    c0: u8,
    c1: Bytes1536,
    c2: Bytes1536,
    s1: Bytes1536,
    s2: Bytes1536,
}

fn half(name: &str, side: &str) -> (u8, Bytes1536, Bytes1536) {
    let path = format!("{}/tests/data/handshake/{name}.{side}.hex", env!("CARGO_MANIFEST_DIR"));
    let text: String = std::fs::read_to_string(path).unwrap().split_whitespace().collect();
    let bytes: Vec<u8> = (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    assert_eq!(bytes.len(), HANDSHAKE_LEN);
    let packet = |at: usize| *bytes[at..].first_chunk::<PACKET_LEN>().unwrap();
    (bytes[0], packet(1), packet(1 + PACKET_LEN))
}

fn sample(name: &str) -> Sample {
    let (c0, c1, c2) = half(name, "client");
    let (_, s1, s2) = half(name, "server");
    Sample { c0, c1, c2, s1, s2 }
}

fn place(packet: &Bytes1536, side: Side) -> Option<(Layout, usize)> {
    find_digest(packet, side).map(|digest| (digest.layout, digest.position))
}

#[test]
fn digests_of_real_programs_are_found() {
    use Layout::{DigestFirst, KeyFirst};
    let expected = [
        ("simple", 3, None, None),
        ("digest-first-both-signed", 3, Some((DigestFirst, 494)), Some((DigestFirst, 506))),
        ("digest-first-echo", 3, Some((DigestFirst, 494)), Some((DigestFirst, 65))),
        ("client-digest-only", 3, Some((DigestFirst, 494)), None),
        ("key-first-rtmpe", 6, Some((KeyFirst, 1383)), Some((KeyFirst, 1461))),
        ("vector-digest-first", 6, Some((DigestFirst, 652)), Some((DigestFirst, 364))),
        ("vector-key-first", 6, Some((KeyFirst, 1224)), Some((KeyFirst, 1215))),
    ];
    for (name, version, client, server) in expected {
        let s = sample(name);
        assert_eq!(s.c0, version, "{name}");
        assert_eq!(place(&s.c1, Side::Client), client, "{name}");
        assert_eq!(place(&s.s1, Side::Server), server, "{name}");
        // Each side has its own key.
        assert_eq!(place(&s.c1, Side::Server), None, "{name}");
        assert_eq!(place(&s.s1, Side::Client), None, "{name}");
    }
}

#[test]
fn signatures_and_echoes_of_real_programs_hold() {
    let exact = Echo { time: true, random: true, exact: true };
    let none = Echo { time: false, random: false, exact: false };
    // Name, whether S2 and C2 are signed, what they echo.
    let expected = [
        ("simple", None, None, exact, exact),
        ("digest-first-both-signed", Some(true), Some(true), none, none),
        ("digest-first-echo", Some(true), Some(false), none, exact),
        ("client-digest-only", Some(false), None, Echo { exact: false, ..exact }, exact),
        ("key-first-rtmpe", Some(true), Some(true), none, none),
        ("vector-digest-first", Some(true), Some(true), none, none),
        ("vector-key-first", Some(true), Some(true), none, none),
    ];
    for (name, server, client, server_echo, client_echo) in expected {
        let s = sample(name);
        let signed = |answer, peer, side: Side| {
            find_digest(peer, side.peer()).map(|d| verify_signature(answer, &d.bytes, side))
        };
        assert_eq!(signed(&s.s2, &s.c1, Side::Server), server, "{name}");
        assert_eq!(signed(&s.c2, &s.s1, Side::Client), client, "{name}");
        assert_eq!(echo(&s.s2, &s.c1), server_echo, "{name}");
        assert_eq!(echo(&s.c2, &s.s1), client_echo, "{name}");
    }
}

#[test]
fn public_keys_lie_where_the_vectors_say() {
    let begins = |key: &[u8], hex: u64| key[..8] == hex.to_be_bytes();
    for (name, layout, client, server) in [
        ("vector-digest-first", Layout::DigestFirst, 1400, 1169),
        ("vector-key-first", Layout::KeyFirst, 420, 603),
    ] {
        let s = sample(name);
        assert_eq!(layout.key_position(&s.c1), client);
        assert_eq!(layout.key_position(&s.s1), server);
        assert!(begins(layout.key(&s.c1), 0x60ec_e669_0ad2_be81));
        assert!(begins(layout.key(&s.s1), 0x72a7_f47e_80d6_954b));
    }
}

#[test]
fn what_we_sign_verifies_and_a_changed_bit_does_not() {
    for side in [Side::Client, Side::Server] {
        for layout in Layout::ALL {
            for seed in 0..50u32 {
                let mut hello = [0; PACKET_LEN];
                for (i, byte) in hello.iter_mut().enumerate() {
                    *byte = (seed.wrapping_mul(0x9e37_79b9) ^ (i as u32).wrapping_mul(0x85eb_ca6b))
                        .to_be_bytes()[1];
                }
                let mut answer = hello;
                answer.reverse();
                let digest = write_digest(&mut hello, layout, side);
                assert_eq!(find_digest(&hello, side), Some(digest));
                write_signature(&mut answer, &digest.bytes, side.peer());
                assert!(verify_signature(&answer, &digest.bytes, side.peer()));
                assert!(!verify_signature(&answer, &digest.bytes, side));
                answer[700] ^= 1;
                assert!(!verify_signature(&answer, &digest.bytes, side.peer()));
                hello[6] ^= 1;
                assert_eq!(find_digest(&hello, side), None);
            }
        }
    }
}

#[test]
fn offsets_stay_in_the_packet() {
    // The largest sums that the four bytes can give.
    for byte in 0..=255 {
        let packet = [byte; PACKET_LEN];
        for layout in Layout::ALL {
            assert!(layout.digest_position(&packet) + DIGEST_LEN <= PACKET_LEN);
            assert_eq!(layout.key(&packet).len(), KEY_LEN);
        }
        assert_eq!(find_digest(&packet, Side::Client), None);
    }
}

#[test]
fn fields_cover_the_packets() {
    let s = sample("digest-first-both-signed");
    let stream = [&[s.c0][..], &s.c1, &s.c2].concat();
    let mut tree = FieldTree::new();
    let mut r = Reader::with_fields(&stream, &mut tree);
    assert_eq!(read_version(&mut r).unwrap(), 3);
    let hello = read_hello(&mut r, Side::Client).unwrap();
    assert_eq!(hello, Hello { time: 0, version: [9, 0, 0x7c, 2] });
    read_answer(&mut r).unwrap();
    assert!(r.is_empty());
    let nodes: Vec<_> = tree.nodes().iter().map(|n| (&*n.name, n.range.clone())).collect();
    let digest = ("digest", 1 + 494..1 + 494 + 32);
    assert!(nodes.contains(&digest));
    assert!(nodes.windows(2).all(|pair| pair[0].1.end == pair[1].1.start));
    assert_eq!((nodes[0].1.start, nodes[nodes.len() - 1].1.end), (0, HANDSHAKE_LEN));
}

#[test]
fn a_cut_packet_stops_with_a_reason() {
    let s = sample("digest-first-both-signed");
    for len in 0..PACKET_LEN {
        let mut tree = FieldTree::new();
        assert!(
            read_hello(&mut Reader::with_fields(&s.c1[..len], &mut tree), Side::Client).is_err()
        );
        assert!(read_answer(&mut Reader::new(&s.c2[..len])).is_err());
    }
}
