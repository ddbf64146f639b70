//! Replays the fuzz targets' seeds, whole, cut and damaged, with every test run.
//!
//! A crash that fuzzing finds belongs into `tests/fuzz/seeds/<target>/` with a telling name: from
//! then on it is tested here. The other seeds are made by
//! `cargo test --test fuzz_seeds -- --ignored write_seeds`.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

#[path = "fuzz/bodies.rs"]
mod bodies;
mod support;

use support::{FmtPolicy, HandshakeKind, Net, Plan, Rng, V, Video};

/// Damaged variants per seed.
const VARIANTS: usize = 500;
/// Cuts per seed: every length of short ones, so many of long ones.
const CUTS: usize = 200;

fn seeds_dir(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target)
}

/// The committed seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = seeds_dir(target);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", dir.display());
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).expect("a seed"))).collect()
}

/// Runs the target; a panic is reported with a file that holds the input.
fn run(target: &str, seed: &str, variant: &str, input: &[u8]) {
    let body = bodies::body(target);
    if catch_unwind(AssertUnwindSafe(|| body(input))).is_err() {
        let file = format!("{}/{target}-{seed}-{variant}", env!("CARGO_TARGET_TMPDIR"));
        fs::write(&file, input).expect("write the input");
        panic!("{target} fails on {seed}, {variant}: see the message above; input in {file}");
    }
}

fn replay(target: &str) {
    for (name, seed) in seeds(target) {
        run(target, &name, "whole", &seed);
        let step = (seed.len() / CUTS).max(1);
        for len in (0..seed.len()).step_by(step) {
            run(target, &name, &format!("cut at {len}"), &seed[..len]);
        }
        let mut rng = Rng::new(seed.len() as u64);
        for variant in 0..VARIANTS {
            run(target, &name, &format!("variant {variant}"), &damaged(&seed, &mut rng));
        }
    }
}

/// A few changes of the kinds that fuzzers make.
fn damaged(seed: &[u8], rng: &mut Rng) -> Vec<u8> {
    const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x17, 2, 3];
    let mut bytes = seed.to_vec();
    for _ in 0..1 + rng.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.below(bytes.len());
        match rng.below(6) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = *rng.pick(&TELLING),
            2 => bytes[at] = rng.next() as u8,
            3 => {
                let end = (at + 1 + rng.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + 1 + rng.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = rng.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                for byte in bytes.iter_mut().skip(at).take(4) {
                    *byte = *rng.pick(&[0, 0xff]);
                }
            }
        }
    }
    bytes
}

macro_rules! replays {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_is_replayed_and_has_its_file() {
            let names: Vec<_> = bodies::TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
            for name in names {
                let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
                let text = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs")));
                assert!(text.expect("its file").contains(&format!("bodies::{name}(")));
                let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
                assert!(manifest.contains(&format!("name = \"{name}\"")));
            }
        }
    };
}

replays! { capture_file link_layer tcp chunk_stream message amf0 amf3 flv pipeline }

#[test]
fn seeds_are_small() {
    let all = bodies::TARGETS.iter().flat_map(|(target, _)| seeds(target));
    let total: usize = all.map(|(_, seed)| seed.len()).sum();
    assert!(total < 100_000, "{total} bytes of seeds");
}

// ---- making the seeds -------------------------------------------------------------------------

#[test]
#[ignore = "writes files into the source tree"]
fn write_seeds() {
    for (target, name, bytes) in made() {
        let dir = seeds_dir(target);
        fs::create_dir_all(&dir).expect("the folder");
        fs::write(dir.join(name), bytes).expect("the seed");
    }
}

/// A publish session of a few small messages.
fn small() -> Plan {
    Plan {
        gops: 1,
        frames_per_gop: 2,
        key_size: 400,
        inter_size: 150,
        audio_size: 40,
        client_chunk_size: None,
        ..Plan::new(7)
    }
}

fn made() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut out = Vec::new();
    let trace = Net::default().packetize(&small().build());
    let hevc = Plan {
        handshake: HandshakeKind::DigestFirst,
        video: Video::Hevc,
        fmt: FmtPolicy::Random,
        start_timestamp: 0x00ff_fff0,
        ..small()
    };
    let late = {
        let mut trace = Net::default().packetize(&small().build());
        trace.start_at(9);
        trace
    };
    out.push(("pipeline", "publish.pcap", trace.pcap()));
    out.push(("pipeline", "hevc_digest.pcapng", Net::default().packetize(&hevc.build()).pcapng()));
    out.push(("pipeline", "midstream.pcap", late.pcap()));
    // Capture files: the payload does not matter, so a few packets will do.
    let few = |len: usize| late.frames().into_iter().take(len).collect::<Vec<_>>();
    let link = late.net.link;
    let pcap = support::files::pcap(&few(3), link);
    let pcapng = support::files::pcapng(&few(3), link);
    out.push(("capture_file", "three.pcap.gz", gzip(&pcap)));
    out.push(("capture_file", "three.pcap.zst", zstd::encode_all(&*pcap, 3).expect("encodes")));
    out.push(("capture_file", "three.pcap", pcap));
    out.push(("capture_file", "three.pcapng", pcapng));
    // Packets of two link types.
    for (name, kind, skip) in [("ethernet", 0_u8, 0), ("raw", 5, 14)] {
        let mut bytes = vec![kind];
        for frame in few(4) {
            let data = &frame.data[skip..];
            bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
            bytes.extend_from_slice(data);
        }
        out.push(("link_layer", name, bytes));
    }
    out.push(("tcp", "session", tcp_session()));
    // Streams: after the handshake, and in the middle.
    let scenario = small().build();
    let chunks = &scenario.stream(support::C2S)[3073..];
    out.push(("chunk_stream", "publish", [&[4, 0, 0, 0, 9][..], chunks].concat()));
    out.push(("chunk_stream", "gap", [&[4 | 8 | 0x60, 0, 0, 0, 9][..], chunks].concat()));
    out.push(("chunk_stream", "midstream", [&[2, 0, 0, 0, 9][..], &chunks[500..]].concat()));
    out.push(("chunk_stream", "handshake", [&[0; 5][..], scenario.stream(support::C2S)].concat()));
    let random = hevc.build();
    let random = &random.stream(support::C2S)[3073..];
    out.push(("chunk_stream", "extended_timestamp", [&[4, 0, 0, 0, 9][..], random].concat()));
    for (name, bytes) in messages() {
        out.push(("message", name, bytes));
    }
    out.push(("amf0", "values", amf0_values()));
    out.push(("amf3", "values", amf3_values()));
    for (name, bytes) in media() {
        out.push(("flv", name, bytes));
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).expect("encodes");
    out.finish().expect("encodes")
}

/// SYN, SYN-ACK, data, a hole, a retransmission, FINs: see `bodies::tcp` for the layout.
fn tcp_session() -> Vec<u8> {
    let op = |way: u8, flags: u8, seq: u16, ack: u16, len: u16| {
        let [s, t] = seq.to_be_bytes();
        let [a, b] = ack.to_be_bytes();
        let [l, m] = len.to_be_bytes();
        [way, flags, s, t, a, b, l, m, 200, 12]
    };
    [
        op(0, 0x02, 1000, 0, 0),
        op(1, 0x12, 9000, 1001, 0),
        op(0, 0x10, 1001, 9001, 0),
        op(0, 0x18, 1001, 9001, 700),
        op(0, 0x18, 2001, 9001, 300),
        op(1, 0x10, 9001, 1701, 0),
        op(0, 0x18, 1601, 9001, 400),
        op(1, 0x18, 9001, 2301, 90),
        op(0, 0x10, 2301, 9091, 0),
        op(0, 0x10, 2300, 9091, 1),
        op(0, 0x18, 3000, 9091, 50),
        op(1, 0x10, 9091, 3050, 0),
        op(0, 0x11, 3050, 9091, 0),
        op(1, 0x11, 9091, 3051, 0),
        op(0, 0x10, 3051, 9092, 0),
        op(0, 0x02, 50_000, 0, 0),
        op(0, 0x18, 50_001, 0, 20),
        op(1, 0x04, 1, 50_021, 0),
    ]
    .concat()
}

/// A type id and a payload each.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let object = || V::Obj(vec![("app", V::Str("live")), ("videoCodecs", V::Num(252.0))]);
    let metadata = V::Obj(vec![("width", V::Num(1280.0)), ("encoder", V::Str("synthetic"))]);
    let part = |kind: u8, time: u8, data: &[u8]| {
        let mut out = vec![kind, 0, 0, data.len() as u8, 0, 0, time, 0, 0, 0, 0];
        out.extend_from_slice(data);
        out.extend_from_slice(&(11 + data.len() as u32).to_be_bytes());
        out
    };
    let with = |type_id: u8, payload: &[u8]| [&[type_id][..], payload].concat();
    let connect = support::amf0(&[V::Str("connect"), V::Num(1.0), object()]);
    let mut shared = vec![0, 5];
    shared.extend_from_slice(b"chat!");
    shared.extend_from_slice(&[0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0]);
    shared.extend_from_slice(&[1, 0, 0, 0, 0, 4, 0, 0, 0, 6, 0, 1, b'a', 5, 0, 0]);
    vec![
        ("connect", with(20, &connect)),
        ("connect_amf3", with(17, &[&[0][..], &connect].concat())),
        (
            "metadata",
            with(18, &support::amf0(&[V::Str("@setDataFrame"), V::Str("onMetaData"), metadata])),
        ),
        ("shared_object", with(19, &shared)),
        ("user_control", with(4, &[0, 3, 0, 0, 0, 1, 0, 0, 11, 184])),
        ("peer_bandwidth", with(6, &[0, 38, 37, 160, 2])),
        (
            "aggregate",
            with(
                22,
                &[part(8, 0, &[0xaf, 1, 1, 2, 3]), part(9, 20, &[0x27, 1, 0, 0, 0, 9])].concat(),
            ),
        ),
    ]
}

fn amf0_values() -> Vec<u8> {
    let mut out = support::amf0(&[
        V::Str("text"),
        V::Num(-1.5),
        V::Null,
        V::Obj(vec![("k", V::Str("v")), ("o", V::Obj(vec![("n", V::Num(1.0))]))]),
    ]);
    // Boolean, undefined, ECMA array, strict array, date, long string, XML, typed object,
    // reference, AMF3 inside.
    out.extend_from_slice(&[1, 1, 6]);
    out.extend_from_slice(&[8, 0, 0, 0, 1, 0, 1, b'a', 5, 0, 0, 9]);
    out.extend_from_slice(&[10, 0, 0, 0, 2, 5, 1, 0]);
    out.extend_from_slice(&[11, 0x42, 0x70, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&[12, 0, 0, 0, 2, b'h', b'i', 15, 0, 0, 0, 2, b'<', b'>']);
    out.extend_from_slice(&[16, 0, 1, b'C', 0, 1, b'x', 5, 0, 0, 9, 7, 0, 0, 17, 4, 5]);
    out
}

fn amf3_values() -> Vec<u8> {
    let mut out = vec![0, 1, 2, 3, 4, 0x81, 0x80, 0x80, 1, 5, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0];
    out.extend_from_slice(&[6, 5, b'h', b'i', 6, 0]);
    // Array with a key, object with traits, the traits again, a reference.
    out.extend_from_slice(&[9, 3, 0, 4, 1, 1, 4, 2]);
    out.extend_from_slice(&[10, 0x1b, 3, b'C', 3, b'a', 4, 7, 3, b'd', 6, 1, 1, 10, 5, 4, 8, 1]);
    out.extend_from_slice(&[10, 2, 8, 1, 0x42, 0x70, 0, 0, 0, 0, 0, 0, 12, 5, 1, 2]);
    // Vectors and a dictionary.
    out.extend_from_slice(&[13, 3, 0, 0, 0, 0, 5, 14, 3, 1, 0, 0, 0, 6]);
    out.extend_from_slice(&[15, 3, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 16, 3, 0, 1, 4, 1]);
    out.extend_from_slice(&[17, 3, 0, 6, 3, b'k', 4, 9, 11, 3, b'x']);
    out
}

/// A kind (see `bodies::flv`) and the bytes.
fn media() -> Vec<(&'static str, Vec<u8>)> {
    use rtmpscope::wire::flv::{FourCc, file_header};
    let mut rng = Rng::new(1);
    let with = |kind: u8, data: &[u8]| [&[kind][..], data].concat();
    let avc = support::media::avc_sequence_header();
    let hevc = support::media::hevc_sequence_header();
    let aac = support::media::aac_sequence_header();
    // Two tracks of one codec, behind a nanosecond offset.
    let mut multitrack = vec![0x97, 2, 0, 0, 9, 0x06, 0x11];
    multitrack.extend_from_slice(&FourCc(*b"avc1").0);
    multitrack.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 1, 1, 0, 0, 4, 0, 0, 0, 2]);
    let mut file = file_header(true, true).to_vec();
    for (kind, data) in [(9_u8, &avc), (8, &aac)] {
        let [_, a, b, c] = (data.len() as u32).to_be_bytes();
        file.extend_from_slice(&[kind, a, b, c, 0, 0, 0, 0, 0, 0, 0]);
        file.extend_from_slice(data);
        file.extend_from_slice(&(11 + data.len() as u32).to_be_bytes());
    }
    vec![
        ("avc_config", with(0, &avc)),
        ("avc_frame", with(0, &support::media::avc_frame(true, 100, &mut rng))),
        ("hevc_config", with(0, &hevc)),
        ("multitrack", with(0, &multitrack)),
        ("aac_config", with(1, &aac)),
        ("aac_frame", with(1, &support::media::aac_frame(80, &mut rng))),
        ("opus_multichannel", with(1, b"\x94Opus\x01\x06\x00\x00\x00\x3f")),
        ("avc_record", with(2, &avc[5..])),
        ("hevc_record", with(2, &hevc[5..])),
        ("file", with(3, &file)),
    ]
}
