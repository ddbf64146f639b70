//! RTMPE against vectors: made ones of both layouts, and live handshakes of rtmpdump 2.4.

#[path = "support/unwrapped.rs"]
mod unwrapped;

use rtmpscope::analysis::Transport;
use rtmpscope::base::{Direction, Timestamp};
use rtmpscope::flow::FlowId;
use rtmpscope::transport::rtmpe::{Keystream, Rtmpe};
use rtmpscope::transport::{Fact, FactValue, Item, KeyLog, Source};
use rtmpscope::wire::handshake::rtmpe::{self, Padding, Rc4Keys};
use rtmpscope::wire::handshake::{
    self, Bytes1536, Cover, Layout, Side, find_digest, verify_covered_signature,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use unwrapped::Seen;

fn vectors(prefix: &str) -> Vec<Value> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("data/vectors/rtmpe.json")).expect("vectors");
    let found: Vec<Value> = all
        .into_iter()
        .filter(|vector| vector["id"].as_str().expect("an id").starts_with(prefix))
        .collect();
    assert!(!found.is_empty(), "no vector {prefix}");
    found
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("a byte"))
        .collect()
}

fn packet(value: &Value) -> Box<Bytes1536> {
    hex(value).into_boxed_slice().try_into().expect("1536 bytes")
}

fn key(packet: &Bytes1536, layout: Layout) -> [u8; 128] {
    layout.key(packet).try_into().expect("128 bytes")
}

/// Bytes of C2 or S2 as the vectors describe them: SHA-256 of a label and a counter.
fn body(label: &str, signature: &[u8]) -> Box<Bytes1536> {
    let mut bytes: Vec<u8> = (0u32..47)
        .flat_map(|block| Sha256::digest([label.as_bytes(), &block.to_be_bytes()].concat()))
        .collect();
    bytes.truncate(1504);
    bytes.extend(signature);
    bytes.into_boxed_slice().try_into().expect("1536 bytes")
}

#[test]
fn made_handshakes_of_both_layouts() {
    for vector in vectors("rtmpe/handshake") {
        let layout = [Layout::DigestFirst, Layout::KeyFirst]
            [vector["scheme"].as_u64().expect("a scheme") as usize];
        let (c1, s1) = (packet(&vector["c1"]), packet(&vector["s1"]));
        for (side, packet, name) in [(Side::Client, &c1, "client"), (Side::Server, &s1, "server")] {
            let digest = find_digest(packet, side).expect("a digest");
            assert_eq!(digest.layout, layout);
            assert_eq!(
                Some(digest.position as u64),
                vector[format!("{name}_digest_offset")].as_u64()
            );
            let position = layout.key_position(packet) as u64;
            assert_eq!(Some(position), vector[format!("{name}_dh_offset")].as_u64());
            let public = key(packet, layout);
            assert_eq!(public[..], hex(&vector[format!("{name}_dh_public")]));
            let private = hex(&vector[format!("{name}_dh_private")]);
            assert_eq!(rtmpe::public_key(&private), public);
            let check = rtmpe::check_key(&public);
            assert!(check.in_range && check.in_subgroup);
            let mut again = **packet;
            layout.write_key(&mut again, &public);
            assert_eq!(handshake::write_digest(&mut again, layout, side).bytes, digest.bytes);
            assert_eq!(again, **packet);
        }
        let (client, server) = (key(&c1, layout), key(&s1, layout));
        let secret = hex(&vector["shared_secret"]);
        let client_private = hex(&vector["client_dh_private"]);
        assert_eq!(rtmpe::shared_secret(&server, &client_private)[..], secret);
        let server_private = hex(&vector["server_dh_private"]);
        assert_eq!(rtmpe::shared_secret(&client, &server_private)[..], secret);
        let keys = Rc4Keys::derive(&Padding::Left.apply(&secret), &client, &server);
        assert_eq!(keys.client[..], hex(&vector["rc4_key_c2s"]));
        assert_eq!(keys.server[..], hex(&vector["rc4_key_s2c"]));
        for (key, name) in [(keys.client, "c2s"), (keys.server, "s2c")] {
            let mut stream = [0; 32];
            Keystream::new(&key).expect("a key").apply(&mut stream);
            assert_eq!(stream[..], hex(&vector[format!("keystream_{name}_at_1536")]));
        }
        let mut message = hex(&vector["set_chunk_size_plain"]);
        Keystream::new(&keys.client).expect("a key").apply(&mut message);
        assert_eq!(message, hex(&vector["set_chunk_size_cipher_c2s"]));
        for (version, signatures) in vector["signatures"].as_object().expect("signatures") {
            let cover = Cover::of_version(version.parse().expect("a version"));
            let sides = [(Side::Server, "s2", "S2", &c1), (Side::Client, "c2", "C2", &s1)];
            for (side, name, label, answered) in sides {
                let signature = hex(&signatures[format!("{name}_signature")]);
                let mut packet = body(label, &signature);
                let digest = find_digest(answered, side.peer()).expect("a digest").bytes;
                assert!(
                    verify_covered_signature(&packet, &digest, side, cover),
                    "{name} {version}"
                );
                for other in [Cover::None, Cover::Xtea, Cover::Blowfish] {
                    let holds = verify_covered_signature(&packet, &digest, side, other);
                    assert_eq!(holds, other == cover);
                }
                packet[1504..].fill(0);
                handshake::write_covered_signature(&mut packet, &digest, side, cover);
                assert_eq!(packet[1504..], signature);
            }
        }
    }
}

#[test]
fn swf_verification() {
    let [vector] = &vectors("rtmpe/swf")[..] else { panic!("one vector") };
    let swf = hex(&vector["swf"]);
    let hash = rtmpe::swf_hash(&swf);
    assert_eq!(hash[..], hex(&vector["swf_hash"]));
    let mut s1 = [0; 1536];
    s1[1504..].copy_from_slice(&hex(&vector["s1_last32"]));
    let body = rtmpe::swf_verification(&s1, &hash, swf.len() as u32);
    let event = hex(&vector["user_control_event_27"]);
    assert_eq!([&[0, 27][..], &body].concat(), event);
}

/// What the layer handed on: plain text per direction, whether it said so, and names of facts.
#[derive(Default)]
struct Run {
    layer: Rtmpe,
    bytes: [Vec<u8>; 2],
    gaps: [u64; 2],
    readable: [bool; 2],
    facts: Vec<Fact>,
    offsets: [u64; 2],
}

const C2S: Direction = Direction::ClientToServer;
const S2C: Direction = Direction::ServerToClient;

impl Run {
    fn data(&mut self, log: &KeyLog, direction: Direction, bytes: &[u8]) {
        let offset = &mut self.offsets[direction.index()];
        let source = Source { flow: FlowId(0), direction, offset: *offset };
        *offset += bytes.len() as u64;
        let Run { layer, bytes: out, gaps, readable, facts, .. } = self;
        let mut sink = collect(out, gaps, readable, facts);
        layer.data(log, direction, Timestamp(7), bytes, source, &mut sink);
    }

    fn gap(&mut self, log: &KeyLog, direction: Direction, len: u64) {
        self.offsets[direction.index()] += len;
        let Run { layer, bytes, gaps, readable, facts, .. } = self;
        let mut sink = collect(bytes, gaps, readable, facts);
        layer.gap(log, direction, Timestamp(7), len, true, &mut sink);
    }

    fn end(&mut self, log: &KeyLog) {
        let Run { layer, bytes, gaps, readable, facts, .. } = self;
        layer.end(log, Timestamp(8), &mut collect(bytes, gaps, readable, facts));
    }

    fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }

    fn field(&self, fact: &str, field: &str) -> Option<&FactValue> {
        self.fact(fact)?.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }
}

fn collect(
    bytes: &mut [Vec<u8>; 2],
    gaps: &mut [u64; 2],
    readable: &mut [bool; 2],
    facts: &mut Vec<Fact>,
) -> impl FnMut(Item<'_>) {
    move |item| match item {
        Item::Data { direction, bytes: data, .. } => {
            bytes[direction.index()].extend_from_slice(data)
        }
        Item::Gap { direction, len, .. } => gaps[direction.index()] += len,
        Item::Readable { direction } => readable[direction.index()] = true,
        Item::Fact(fact) => facts.push(fact),
    }
}

struct Live {
    /// C0 C1, S0 S1 S2, C2.
    handshake: [Vec<u8>; 3],
    cipher: Vec<u8>,
    plain: Vec<u8>,
    id: Vec<u8>,
    vector: Value,
}

fn live() -> Vec<Live> {
    let live = |vector: Value| {
        let part = |name: &str| hex(&vector[name]);
        let c1 = packet(&vector["c1"]);
        Live {
            handshake: [
                [part("c0"), part("c1")].concat(),
                [part("s0"), part("s1"), part("s2")].concat(),
                part("c2"),
            ],
            cipher: part("c2s_ciphertext"),
            plain: part("c2s_plaintext"),
            id: find_digest(&c1, Side::Client).expect("a digest").bytes.to_vec(),
            vector,
        }
    };
    vectors("rtmpe/live").into_iter().map(live).collect()
}

/// Runs a live handshake, cut into pieces of `step` bytes.
fn run(live: &Live, log: &KeyLog, step: usize) -> Run {
    let mut run = Run::default();
    let [hello, answer, signature] = &live.handshake;
    let client = [&signature[..], &live.cipher].concat();
    for (direction, bytes) in [(C2S, hello), (S2C, answer), (C2S, &client)] {
        bytes.chunks(step).for_each(|piece| run.data(log, direction, piece));
    }
    run.end(log);
    run
}

fn text(text: &'static str) -> FactValue {
    FactValue::Text(text.into())
}

#[test]
fn live_handshakes_of_all_versions() {
    for live in live() {
        for (label, value) in [
            (
                "RTMPE_RC4_KEYS",
                ["rc4_key_c2s", "rc4_key_s2c"].map(|n| hex(&live.vector[n])).concat(),
            ),
            ("RTMPE_SHARED_SECRET", hex(&live.vector["shared_secret"])),
            ("RTMPE_SERVER_DH_PRIVATE", hex(&live.vector["server_dh_private"])),
        ] {
            let mut log = KeyLog::new();
            log.insert(label, &live.id, value);
            for step in [1, 700, 1 << 20] {
                let run = run(&live, &log, step);
                assert_eq!(run.bytes[0][3073..], live.plain, "{label}");
                assert!(run.readable[0]);
                assert_eq!(run.field("keys", "label"), Some(&text(label)));
                assert!(run.fact("unread").is_none());
            }
        }
    }
}

#[test]
fn facts_without_keys() {
    let ciphers = ["none", "xtea", "blowfish"];
    for (live, cipher) in live().iter().zip(ciphers) {
        let run = run(live, &KeyLog::new(), 1000);
        assert_eq!(run.bytes[0][3073..], live.cipher);
        assert!(!run.readable[0]);
        for hello in ["c1", "s1"] {
            assert_eq!(run.field(hello, "digest"), Some(&text("valid")));
            assert_eq!(run.field(hello, "layout"), Some(&text("key-first")));
            assert_eq!(run.field(hello, "key_in_range"), Some(&FactValue::Flag(true)));
            assert_eq!(run.field(hello, "key_in_subgroup"), Some(&FactValue::Flag(true)));
        }
        for answer in ["c2", "s2"] {
            assert_eq!(run.field(answer, "signature"), Some(&text("valid")), "{answer}");
            assert_eq!(run.field(answer, "signature_cipher"), Some(&text(cipher)));
        }
        assert!(run.fact("no-keys").is_some());
        let bytes = FactValue::Number(live.cipher.len() as u64);
        assert_eq!(run.field("unread", "bytes"), Some(&bytes));
        assert!(run.facts.iter().all(|fact| !fact.odd));
    }
}

#[test]
fn keys_of_another_connection_do_not_fit() {
    let live = &live()[0];
    let mut log = KeyLog::new();
    log.insert("RTMPE_RC4_KEYS", &live.id, vec![7; 32]);
    let run = run(live, &log, 1000);
    assert!(run.fact("keys-do-not-fit").is_some_and(|fact| fact.odd));
    assert!(!run.readable[0]);
    assert_eq!(run.bytes[0][3073..], live.cipher);
}

#[test]
fn a_secret_that_begins_with_zeros_in_all_paddings() {
    let live = &live()[0];
    let (c1, s1) = (packet(&live.vector["c1"]), packet(&live.vector["s1"]));
    let (client, server) = (key(&c1, Layout::KeyFirst), key(&s1, Layout::KeyFirst));
    let mut secret = hex(&live.vector["shared_secret"]);
    secret[..2].fill(0);
    let mut log = KeyLog::new();
    log.insert("RTMPE_SHARED_SECRET", &live.id, secret.clone());
    for padding in Padding::ALL {
        // What a peer that pads that way would have sent.
        let keys = Rc4Keys::derive(&padding.apply(&secret), &client, &server);
        let mut cipher = live.plain.clone();
        Keystream::new(&keys.client).expect("a key").apply(&mut cipher);
        let mut run = Run::default();
        let [hello, answer, signature] = &live.handshake;
        run.data(&log, C2S, hello);
        run.data(&log, S2C, answer);
        run.data(&log, C2S, &[&signature[..], &cipher].concat());
        run.end(&log);
        assert_eq!(run.bytes[0][3073..], live.plain);
        assert_eq!(run.field("keys", "padding"), Some(&text(padding.name())));
    }
}

#[test]
fn a_hole_in_the_ciphertext_costs_what_it_covers() {
    let live = &live()[1];
    let keys = ["rc4_key_c2s", "rc4_key_s2c"].map(|name| hex(&live.vector[name])).concat();
    let mut log = KeyLog::new();
    log.insert("RTMPE_RC4_KEYS", &live.id, keys);
    let [hello, answer, signature] = &live.handshake;
    let mut run = Run::default();
    run.data(&log, C2S, hello);
    run.data(&log, S2C, answer);
    run.data(&log, C2S, signature);
    run.data(&log, C2S, &live.cipher[..60]);
    run.gap(&log, C2S, 100);
    run.data(&log, C2S, &live.cipher[160..]);
    run.end(&log);
    assert_eq!(run.gaps[0], 100);
    assert_eq!(run.bytes[0][3073..], [&live.plain[..60], &live.plain[160..]].concat());
}

#[test]
fn c1_that_was_not_captured_has_all_keys_tried() {
    let live = &live()[2];
    let keys = ["rc4_key_c2s", "rc4_key_s2c"].map(|name| hex(&live.vector[name])).concat();
    let mut log = KeyLog::new();
    log.insert("RTMPE_RC4_KEYS", &[1; 32], vec![9; 32]);
    log.insert("RTMPE_RC4_KEYS", &live.id, keys);
    let [hello, answer, signature] = &live.handshake;
    let mut run = Run::default();
    run.gap(&log, C2S, hello.len() as u64);
    run.data(&log, S2C, answer);
    run.data(&log, C2S, &[&signature[..], &live.cipher].concat());
    run.end(&log);
    assert_eq!(run.bytes[0][1536..], live.plain);
}

#[test]
fn plain_rtmp_goes_through() {
    let log = KeyLog::new();
    let mut run = Run::default();
    let hello = [&[3][..], &[0; 3072], b"chunks"].concat();
    run.data(&log, C2S, &hello);
    run.data(&log, S2C, &hello);
    run.end(&log);
    assert_eq!(run.bytes, [hello.clone(), hello]);
    assert!(run.facts.is_empty());
}

#[test]
fn a_server_that_answers_with_version_3_downgrades() {
    let live = &live()[0];
    let log = KeyLog::new();
    let mut run = Run::default();
    let [hello, answer, signature] = &live.handshake;
    let answer = [&[3][..], &answer[1..], b"chunks"].concat();
    run.data(&log, C2S, hello);
    run.data(&log, S2C, &answer);
    run.data(&log, C2S, &[&signature[..], &live.plain].concat());
    run.end(&log);
    assert!(run.fact("downgrade").is_some_and(|fact| fact.odd));
    assert_eq!(run.readable, [true, false]);
    assert_eq!(run.bytes[0][3073..], live.plain);
    assert_eq!(run.bytes[1], answer);
}

/// Recordings with key logs: messages by type from the client and from the server, as an
/// independent parser counted them.
const SHEETS: &[(&str, &[&str])] = &[
    (
        "rtmpe_gst_rtmpsink_publish_monatiny.pcap",
        &["8=109 9=64 18=18 20=7; 1=1 3=1 4=2 5=1 6=1 20=5"],
    ),
    ("rtmpe_rtmpdump_play_crtmpserver.pcap", &["4=2 5=1 20=6; 4=2 5=1 6=1 8=66 9=35 18=2 20=7"]),
    ("rtmpe_rtmpdump_play_crtmpserver_s1version0.pcap", &["4=2 5=1 20=6; 4=1 5=1 6=1 20=5"]),
    ("rtmpe_rtmpdump_rtmpsrv_type8.pcap", &["4=2 5=1 20=5; 4=2 20=4", "4=2 5=1 20=3; 4=1 20=2"]),
    (
        "rtmpe_type6_zleadingzero_rtmpdump_play_pyproxy.pcap",
        &["4=2 5=1 20=5; 1=1 4=2 5=1 6=1 8=43 9=2 18=2 20=4"],
    ),
    (
        "rtmpe_type8_rtmpdump_play_pyproxy.pcap",
        &["4=2 5=1 20=5; 1=1 4=1 5=1 6=1 8=82 9=39 18=2 20=3"],
    ),
    ("rtmpe_type9_gst_publish_pyproxy.pcap", &["8=109 9=64 18=18 20=7; 1=1 5=1 6=1 20=3"]),
];

fn encrypted(name: &str, seen: Vec<Seen>) -> Vec<Seen> {
    let found: Vec<Seen> =
        seen.into_iter().filter(|seen| seen.end.transport == Transport::Rtmpe).collect();
    assert!(!found.is_empty(), "{name}");
    found
}

#[test]
fn recordings_with_key_logs_have_the_counts_of_their_sheets() {
    for (name, sheets) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        let seen = encrypted(name, unwrapped::decode_with_keys(&path));
        let counts: Vec<String> = seen.iter().map(Seen::sheet).collect();
        assert_eq!(counts, *sheets, "{name}");
        for seen in seen {
            assert_eq!(seen.field("s2", "signature"), Some(&text("valid")), "{name}");
            assert_eq!(seen.field("c2", "signature"), Some(&text("valid")), "{name}");
            assert_eq!(seen.unplaced, 0, "{name}");
            assert_eq!((seen.end.damaged, seen.end.uncertain), (0, 0), "{name}");
            assert_eq!(seen.end.undecoded_bytes, [0, 0], "{name}");
        }
    }
}

#[test]
fn recordings_without_key_logs_show_their_handshakes() {
    for (name, sheets) in SHEETS {
        let Some(path) = unwrapped::find(name) else { continue };
        let seen = encrypted(name, unwrapped::decode(&path, ""));
        assert_eq!(seen.len(), sheets.len(), "{name}");
        for seen in seen {
            assert_eq!(seen.sheet(), "; ", "{name}");
            assert!(seen.fact("no-keys").is_some(), "{name}");
            for hello in ["c1", "s1"] {
                assert_eq!(seen.field(hello, "key_in_subgroup"), Some(&FactValue::Flag(true)));
            }
            assert!(seen.fact("unread").is_some(), "{name}");
        }
    }
}

#[test]
fn a_client_that_enciphers_with_a_wrong_key() {
    let name = "fail_rtmpe_ffmpeg9_play_crtmpserver_s1version0.pcap";
    let path = unwrapped::find(name).expect("a capture of this repository");
    let keys = "RTMPE_RC4_KEYS b148841cb4fbc3271dd023102a10e485e60fd58a1766fb70e2f1a5cd7200c80a \
        2ca57a18fe6b0b48a9ed786eda688bce32ab9d18e000ce9450542846eb6e91c0";
    let [seen] = &encrypted(name, unwrapped::decode(&path, keys))[..] else { panic!("one") };
    assert_eq!(seen.sheet(), "; ");
    assert_eq!(seen.field("s2", "signature"), Some(&text("valid")));
    assert_eq!(seen.field("c2", "signature"), Some(&text("invalid")));
    assert!(seen.fact("keys-do-not-fit").is_some_and(|fact| fact.odd));
}

/// Handshakes and ciphertext with bytes changed, lost and cut off: nothing may panic, and every
/// byte comes out as a byte or as part of a gap.
#[test]
fn hostile_bytes() {
    let mut rng = fastrand::Rng::with_seed(6);
    let live = live();
    for round in 0..400 {
        let live = &live[round % live.len()];
        let keys = ["rc4_key_c2s", "rc4_key_s2c"].map(|name| hex(&live.vector[name])).concat();
        let mut log = KeyLog::new();
        log.insert("RTMPE_RC4_KEYS", &live.id, keys);
        log.insert("RTMPE_SHARED_SECRET", &live.id, vec![0; rng.usize(0..200)]);
        let [hello, answer, signature] = &live.handshake;
        let mut run = Run::default();
        let mut fed = 0;
        for (direction, bytes) in
            [(C2S, hello), (S2C, answer), (C2S, signature), (C2S, &live.cipher)]
        {
            let mut bytes = bytes.clone();
            for _ in 0..rng.usize(0..3) {
                let at = rng.usize(0..bytes.len());
                match rng.bool() {
                    true => bytes[at] = rng.u8(..),
                    false => bytes.truncate(at.max(1)),
                }
            }
            let cut = rng.usize(0..=bytes.len());
            for piece in [&bytes[..cut], &bytes[cut..]] {
                run.data(&log, direction, piece);
                fed += piece.len() as u64;
                if rng.u8(0..8) == 0 {
                    let len = rng.u64(1..4000);
                    run.gap(&log, direction, len);
                    fed += len;
                }
            }
        }
        run.end(&log);
        let out = run.bytes.concat().len() as u64 + run.gaps.iter().sum::<u64>();
        assert_eq!(out, fed);
    }
}
