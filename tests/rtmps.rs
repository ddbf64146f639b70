//! RTMP in TLS: streams recorded with OpenSSL, and whole captures.

use std::path::Path;

use rtmpscope::analysis::detail::{HandshakeRequest, MessageRequest};
use rtmpscope::analysis::index::Index;
use rtmpscope::analysis::{Options, Pipeline, Record, SessionEnd, Transport};
use rtmpscope::base::{Direction, Packet, PacketSource, Timestamp};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::flow::FlowId;
use rtmpscope::transport::tls::{Connection, Resumable};
use rtmpscope::transport::{FactValue, Item, KeyLog, Keys};
use serde_json::Value;

const VECTORS: &str = include_str!("data/vectors/tls.json");

fn vectors() -> Vec<Value> {
    serde_json::from_str(VECTORS).unwrap()
}

fn bytes(vector: &Value, name: &str) -> Vec<u8> {
    let text = vector[name].as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn keys(vector: &Value) -> KeyLog {
    let mut log = KeyLog::new();
    let (added, bad) = log.add_text(vector["keylog"].as_str().unwrap());
    assert!(added > 0 && bad.is_none());
    log
}

#[derive(Debug, Default)]
struct Seen {
    plain: [Vec<u8>; 2],
    places: Vec<(usize, u64, usize)>,
    gaps: u64,
    facts: Vec<String>,
}

impl Seen {
    fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Data { direction, bytes, source, .. } => {
                self.places.push((direction.index(), source.offset, bytes.len()));
                self.plain[direction.index()].extend_from_slice(bytes);
            }
            Item::Gap { len, .. } => self.gaps += len,
            Item::Readable { .. } => {}
            Item::Fact(fact) => self.facts.push(fact.name.to_owned()),
        }
    }
}

/// The steps of a handshake in a plausible order: hello, flight, the rest.
fn play(vector: &Value, keys: &KeyLog, piece: usize, cut: usize) -> Seen {
    let mut seen = Seen::default();
    let mut connection = Connection::new(FlowId(0), false);
    let mut resumable = Resumable::default();
    let streams = [bytes(vector, "c2s_stream"), bytes(vector, "s2c_stream")];
    let hello = 5 + usize::from(u16::from_be_bytes([streams[0][3], streams[0][4]]));
    let first = streams.each_ref().map(|stream| &stream[..stream.len().min(cut)]);
    let parts = [
        (Direction::ClientToServer, 0, &first[0][..first[0].len().min(hello)]),
        (Direction::ServerToClient, 0, first[1]),
        (Direction::ClientToServer, hello, first[0].get(hello..).unwrap_or_default()),
    ];
    for (direction, start, part) in parts {
        let mut offset = start;
        for piece in part.chunks(piece) {
            let time = Timestamp(0);
            let (at, mut out) = (offset as u64, |item: Item<'_>| seen.take(item));
            connection.data(direction, at, time, piece, keys, &mut resumable, &mut out);
            offset += piece.len();
        }
    }
    seen
}

#[test]
fn every_suite_opens_however_segments_cut_it() {
    let mut tried = 0;
    for vector in vectors() {
        let keys = keys(&vector);
        for piece in [1, 7, 100, 1 << 20] {
            let seen = play(&vector, &keys, piece, usize::MAX);
            let name = &vector["id"];
            assert_eq!(seen.plain[0], bytes(&vector, "expect_c2s"), "{name}");
            assert_eq!(seen.plain[1], bytes(&vector, "expect_s2c"), "{name}");
            assert_eq!(seen.facts[0], "client-hello", "{name}");
            assert!(seen.facts.iter().any(|fact| fact == "server-hello"), "{name}");
            assert!(seen.facts.iter().any(|fact| fact == "certificate"), "{name}");
            assert!(!seen.facts.iter().any(|fact| fact == "no-keys"), "{name}");
            assert_eq!(seen.gaps, 0);
        }
        tried += 1;
    }
    assert_eq!(tried, 8);
}

#[test]
fn without_keys_the_client_random_is_told() {
    for vector in vectors() {
        let seen = play(&vector, &KeyLog::new(), 50, usize::MAX);
        assert!(seen.plain.iter().all(Vec::is_empty));
        assert_eq!(seen.facts.iter().filter(|fact| *fact == "no-keys").count(), 1);
    }
}

#[test]
fn a_stream_cut_anywhere_gives_a_beginning_of_the_same() {
    for vector in vectors() {
        let keys = keys(&vector);
        let longest = bytes(&vector, "s2c_stream").len().max(bytes(&vector, "c2s_stream").len());
        for cut in 0..longest {
            let seen = play(&vector, &keys, 1 << 20, cut);
            assert!(bytes(&vector, "expect_c2s").starts_with(&seen.plain[0]));
            assert!(bytes(&vector, "expect_s2c").starts_with(&seen.plain[1]));
        }
    }
}

/// A hole before the last records: the sequence number is found again by trial.
#[test]
fn after_a_hole_records_open_again() {
    for vector in vectors() {
        let keys = keys(&vector);
        let whole = play(&vector, &keys, 1 << 20, usize::MAX);
        let client = bytes(&vector, "c2s_stream");
        let Some(&(_, last, len)) = whole.places.iter().rfind(|(index, ..)| *index == 0) else {
            panic!("nothing was opened");
        };
        // The record begins before its first ciphertext byte, after a header and perhaps an IV.
        let mut seen = Seen::default();
        let mut connection = Connection::new(FlowId(0), false);
        let mut resumable = Resumable::default();
        let hello = 5 + usize::from(u16::from_be_bytes([client[3], client[4]]));
        let server = bytes(&vector, "s2c_stream");
        let time = Timestamp(0);
        let mut feed = |direction, at: usize, part: &[u8], seen: &mut Seen| {
            let mut out = |item: Item<'_>| seen.take(item);
            connection.data(direction, at as u64, time, part, &keys, &mut resumable, &mut out);
        };
        feed(Direction::ClientToServer, 0, &client[..hello], &mut seen);
        feed(Direction::ServerToClient, 0, &server, &mut seen);
        // TLS 1.2 says with ChangeCipherSpec that keys are in use: that must be seen.
        let ccs = client.windows(6).position(|w| w == [20, 3, 3, 0, 1, 1]).map_or(hello, |p| p + 6);
        feed(Direction::ClientToServer, hello, &client[hello..ccs], &mut seen);
        let resume = last as usize - 40;
        if resume <= ccs {
            continue;
        }
        let gap = (resume - ccs) as u64;
        connection.gap(Direction::ClientToServer, time, gap, &mut |item| seen.take(item));
        let mut out = |item: Item<'_>| seen.take(item);
        let at = resume as u64;
        let rest = &client[resume..];
        connection.data(Direction::ClientToServer, at, time, rest, &keys, &mut resumable, &mut out);
        assert_eq!(seen.places.last(), Some(&(0, last, len)), "{}", vector["id"]);
    }
}

fn run(path: &Path, log: Option<&Path>) -> Vec<Record> {
    let mut records = Vec::new();
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let keys = Keys::default();
    if let Some(log) = log {
        let (added, bad) = keys.add_text(&std::fs::read_to_string(log).unwrap());
        assert!(added > 0, "{bad:?}");
    }
    let mut pipeline = Pipeline::new(Options { keys, spans: true, ..Options::default() });
    let mut sink = |record: Record| records.push(record);
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    records
}

fn ends(records: &[Record]) -> Vec<&SessionEnd> {
    records
        .iter()
        .filter_map(|record| match record {
            Record::SessionEnd(end) => Some(end),
            _ => None,
        })
        .collect()
}

/// Recordings outside the repository: their folder is named by `RTMPSCOPE_RECORDINGS`.
#[test]
fn recordings_beside_the_repository() {
    let Some(folder) = std::env::var_os("RTMPSCOPE_RECORDINGS") else { return };
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("rtmps_") || !name.ends_with(".pcap") {
            continue;
        }
        for log in [None, Some(path.with_extension("keylog"))] {
            let records = run(&path, log.as_deref());
            println!("== {name} keys {}", log.is_some());
            for end in ends(&records) {
                println!(
                    "  {} {} {:?} undecoded {:?} anomalies {}",
                    end.session,
                    end.transport.name(),
                    end.by_type,
                    end.undecoded_bytes,
                    end.anomalies
                );
                if log.is_some() {
                    assert!(end.messages.iter().sum::<u64>() > 0, "{name}");
                }
            }
            for record in &records {
                match record {
                    Record::Transport(record) => {
                        println!(
                            "    {:?} {} {}",
                            record.frame,
                            record.fact.direction.name(),
                            record.fact.name
                        );
                        if record.fact.name == "no-keys" {
                            assert!(matches!(
                                record.fact.get("client_random"),
                                Some(FactValue::Bytes(random)) if random.len() == 32
                            ));
                        }
                    }
                    Record::Message(record) => assert!(!record.frames.is_empty()),
                    _ => {}
                }
            }
        }
    }
}

/// What the packets hold, again: the same bytes through TLS, and where they were.
fn reread(path: &Path, log: &Path) -> usize {
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let keys = Keys::default();
    keys.add_text(&std::fs::read_to_string(log).unwrap());
    let mut options = Options { keys, ..Options::default() };
    options.session.keep_media = true;
    let mut pipeline = Pipeline::new(options.clone());
    let mut index = Index::new();
    index.options = options;
    let mut messages = Vec::new();
    let mut packets = Packets(Vec::new());
    let mut sink = |record: Record| {
        index.push(&record);
        if let Record::Message(record) = record {
            messages.push(record);
        }
    };
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
        packets.0.push(packet);
    }
    pipeline.finish(Vec::new(), &mut sink);
    let mut rows = std::collections::BTreeMap::new();
    let mut read = 0;
    for message in &messages {
        let row = rows.entry(message.session).or_insert(0);
        // A few of each session are enough: every one is a run of its own.
        if *row < 12 {
            let request = MessageRequest::new(&index, message.session, *row).unwrap().unwrap();
            let detail = request.read(&mut packets).unwrap();
            assert_eq!(detail.payload, message.message.payload);
            assert_eq!(detail.record.frames, message.frames);
            assert!(!detail.sources.is_empty() && !detail.headers[0].bytes.is_empty());
            read += 1;
        }
        *row += 1;
    }
    let request = HandshakeRequest::new(&index, 1, 0).unwrap().unwrap();
    assert!(request.read(&mut packets).unwrap().bytes.starts_with(&[3]));
    read
}

struct Packets(Vec<Packet>);

impl PacketSource for Packets {
    fn packets(&mut self, first: u64, last: u64) -> Result<Vec<Packet>, String> {
        let within = self.0.iter().filter(|packet| (first..=last).contains(&packet.frame));
        Ok(within.cloned().collect())
    }
}

const SAMPLES: [(&str, &[(u8, u64)]); 2] = [
    (
        "rtmps_tls13_publish_ffmpeg_gnutls_direct",
        &[(1, 2), (5, 1), (6, 1), (8, 109), (9, 42), (18, 1), (20, 11)],
    ),
    (
        "rtmps_tls12_publish_ffmpeg_pyfwd_stunnel_nginx",
        &[(1, 2), (5, 1), (6, 1), (8, 109), (9, 42), (18, 1), (20, 11)],
    ),
];

#[test]
fn recordings_decode_with_their_key_log_and_are_recognised_without() {
    for (name, counts) in SAMPLES {
        let path = Path::new("captures").join(format!("{name}.pcap"));
        let log = path.with_extension("keylog");
        let records = run(&path, Some(&log));
        let [end] = ends(&records)[..] else { panic!("{name}: one session") };
        assert_eq!(end.by_type, counts, "{name}");
        assert_eq!((end.transport, end.undecoded_bytes), (Transport::Rtmps, [0, 0]), "{name}");
        let records = run(&path, None);
        let [end] = ends(&records)[..] else { panic!("{name}: one session") };
        assert_eq!((end.transport, end.messages), (Transport::Rtmps, [0, 0]), "{name}");
        let no_keys = records.iter().find_map(|record| match record {
            Record::Transport(record) if record.fact.name == "no-keys" => Some(&record.fact),
            _ => None,
        });
        assert!(no_keys.is_some(), "{name}");
    }
}

#[test]
fn messages_are_read_again_through_tls() {
    for (name, _) in SAMPLES {
        let path = Path::new("captures").join(format!("{name}.pcap"));
        assert_eq!(reread(&path, &path.with_extension("keylog")), 12, "{name}");
    }
}
