//! RTMFP: vectors of real sessions, recordings with and without key logs, damage.

#[path = "support/folders.rs"]
#[allow(dead_code)]
mod folders;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rtmpscope::analysis::{Options, Pipeline, Record, Transport};
use rtmpscope::base::{Reader, Writer};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::transport::rtmfp::{
    self, Protection, SessionKeys, component_id, fingerprint, scrambled_id,
};
use rtmpscope::transport::{Fact, FactValue, KeyLog, Keys};
use rtmpscope::wire::rtmfp::{
    Address, Certificate, Chunk, EndpointDiscriminator, KeyingComponent, encode_chunk,
    encode_packet, parse_packet, read_vlu, write_vlu,
};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("data/rtmfp_vectors.json")).expect("vectors")
}

fn vector(id: &str) -> Value {
    vectors().into_iter().find(|v| v["id"] == id).unwrap_or_else(|| panic!("no vector {id}"))
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("not text: {value}"));
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn id(value: &Value) -> u32 {
    u32::from_be_bytes(hex(value).try_into().unwrap())
}

#[test]
fn numbers_of_every_length() {
    let vector = vector("rtmfp/vlu");
    for pair in vector["values"].as_array().unwrap() {
        let (value, bytes) = (pair[0].as_u64().unwrap(), hex(&pair[1]));
        let mut out = Writer::new();
        write_vlu(&mut out, value);
        assert_eq!(out.into_bytes(), bytes);
        assert_eq!(read_vlu(&mut Reader::new(&bytes), "n"), Ok(value));
        for cut in 0..bytes.len() {
            assert!(read_vlu(&mut Reader::new(&bytes[..cut]), "n").is_err());
        }
    }
    let mut out = Writer::new();
    write_vlu(&mut out, u64::MAX);
    assert_eq!(read_vlu(&mut Reader::new(&out.into_bytes()), "n"), Ok(u64::MAX));
    assert_eq!(read_vlu(&mut Reader::new(&[0x80, 0x80, 0x05]), "n"), Ok(5));
    let long = [[0xff; 30].as_slice(), &[0x7f]].concat();
    assert_eq!(read_vlu(&mut Reader::new(&long), "n"), Ok(u64::MAX));
}

#[test]
fn addresses_both_ways() {
    for example in vector("rtmfp/redirect-addresses")["examples"].as_array().unwrap() {
        let bytes = hex(&example[1]);
        let address = Address::read(&mut Reader::new(&bytes)).unwrap();
        assert!(example[0].as_str().unwrap().starts_with(&address.socket.to_string()));
        let mut out = Writer::new();
        address.write(&mut out);
        assert_eq!(out.into_bytes(), bytes);
    }
}

#[test]
fn an_ihello_under_the_default_key() {
    let vector = vector("rtmfp/ihello-default-key");
    let (packet, datagram) = (hex(&vector["plain_packet"]), hex(&vector["datagram"]));
    assert_eq!(rtmfp::seal(&packet, 0, 0, &Protection::startup()), datagram);
    assert_eq!(scrambled_id(&datagram), Some(0));
    let opened = rtmfp::open(&datagram, &Protection::startup()).unwrap();
    assert_eq!(opened.packet, packet);
    let (header, chunks) = parse_packet(&opened.packet).unwrap();
    assert_eq!((header.timestamp, header.mode.name()), (Some(0x1234), "startup"));
    let chunk = Chunk::parse(chunks[0].kind, chunks[0].payload).unwrap();
    let Chunk::IHello { epd, tag } = chunk else { panic!("{chunk:?}") };
    assert_eq!(tag, (0..16).collect::<Vec<u8>>());
    let epd = EndpointDiscriminator::parse(epd);
    assert_eq!(epd.ancillary.as_deref(), Some(&b"rtmfp://127.0.0.1/app"[..]));
    let again = encode_packet(&header, &[encode_chunk(&chunk)]);
    assert_eq!(again, packet);
    let other = self::vector("rtmfp/scramble");
    let sealed = rtmfp::seal(&packet, 0xdead_beef, 0, &Protection::startup());
    assert_eq!(sealed, hex(&other["datagram"]));
    assert_eq!(scrambled_id(&sealed), Some(0xdead_beef));
}

const LIVE: [&str; 3] =
    ["rtmfp/live-plain-checksum", "rtmfp/live-hmac-sseq", "rtmfp/live-ssn-without-hmac"];

fn live_keys(vector: &Value) -> SessionKeys {
    let mut log = KeyLog::new();
    let skic = hex(&vector["skic"]);
    log.insert(rtmfp::SHARED_SECRET, &component_id(&skic), hex(&vector["shared_secret"]));
    SessionKeys::find(&log, &skic, &hex(&vector["skrc"])).unwrap()
}

#[test]
fn keys_of_live_sessions() {
    for name in LIVE {
        let vector = vector(name);
        let keys = live_keys(&vector);
        let (skic, skrc) = (hex(&vector["skic"]), hex(&vector["skrc"]));
        let secret = hex(&vector["shared_secret"]);
        assert_eq!(keys.initiator.key[..], hex(&vector["initiator_encrypt_full"])[..16]);
        assert_eq!(keys.responder.key[..], hex(&vector["responder_encrypt_full"])[..16]);
        let len = |side: &Protection| side.hmac.map_or(0, |(_, len)| len as u64);
        assert_eq!(len(&keys.initiator), vector["initiator_hmac_len"].as_u64().unwrap());
        assert_eq!(len(&keys.responder), vector["responder_hmac_len"].as_u64().unwrap());
        let entry = SessionKeys::to_entry(&secret, &skic, &skrc);
        assert_eq!(entry[..32], hex(&vector["initiator_encrypt_full"]));
        assert_eq!(entry[64..96], hex(&vector["initiator_hmac"]));
        assert_eq!(entry[96..128], hex(&vector["responder_hmac"]));
        assert_eq!(SessionKeys::from_entry(&entry), Some(keys));
        assert_eq!(SessionKeys::from_entry(&entry[..131]), None);
        let [i, r] = SessionKeys::nonces(&secret, &skic, &skrc);
        assert_eq!(
            (i.to_vec(), r.to_vec()),
            (hex(&vector["initiator_nonce"]), hex(&vector["responder_nonce"]))
        );
        assert_eq!(
            fingerprint(&hex(&vector["initiator_cert"])).to_vec(),
            hex(&vector["fingerprint_of_initiator_cert"])
        );
        assert_eq!(KeyingComponent::parse(&skrc).encode().len(), skrc.len());
    }
}

/// Every datagram of a live session, decrypted: (from the initiator, packet, session number).
fn live_packets(vector: &Value) -> Vec<(bool, Vec<u8>, Option<u64>)> {
    let keys = live_keys(vector);
    let mut out = Vec::new();
    for (index, packet) in vector["packets"].as_array().unwrap().iter().enumerate() {
        let datagram = hex(&packet["datagram"]);
        let up = packet["dir"] == "c2s";
        let startup = Protection::startup();
        let own = if up { &keys.initiator } else { &keys.responder };
        let protection = if index < 4 { &startup } else { own };
        let opened =
            rtmfp::open(&datagram, protection).unwrap_or_else(|e| panic!("{index}: {e:?}"));
        let to = match (index, up) {
            (..3, _) => 0,
            (_, false) => id(&vector["initiator_session_id"]),
            (_, true) => id(&vector["responder_session_id"]),
        };
        assert_eq!(scrambled_id(&datagram), Some(to), "packet {index}");
        if let Some(plain) = packet.get("plaintext") {
            assert!(
                hex(plain).starts_with(&opened.packet) || opened.packet.starts_with(&hex(plain))
            );
        }
        let number = opened.number.unwrap_or(0);
        // What is sealed again is the same, padding and all.
        assert_eq!(rtmfp::seal(&opened.packet, to, number, protection), datagram);
        out.push((up, opened.packet, opened.number));
    }
    out
}

#[test]
fn live_sessions_open_chunk_by_chunk() {
    for name in LIVE {
        let vector = vector(name);
        let mut kinds = Vec::new();
        for (_, packet, _) in live_packets(&vector) {
            let (_, chunks) = parse_packet(&packet).unwrap();
            for raw in chunks {
                let chunk = Chunk::parse(raw.kind, raw.payload).unwrap();
                // The encoder gives back what was sent.
                assert_eq!(encode_chunk(&chunk)[3..], *raw.payload, "{chunk:?}");
                kinds.push(raw.kind);
                match chunk {
                    Chunk::RHello { certificate, cookie, .. } => {
                        assert_eq!(certificate, hex(&vector["responder_cert"]));
                        assert_eq!(cookie, hex(&vector["cookie"]));
                        let parsed = Certificate::parse(certificate);
                        assert!(parsed.accepts_ancillary && parsed.stop.is_none());
                        assert!(parsed.ephemeral_groups.contains(&2));
                    }
                    Chunk::IIKeying { component, certificate, session_id, .. } => {
                        assert_eq!(component, hex(&vector["skic"]));
                        assert_eq!(certificate, hex(&vector["initiator_cert"]));
                        assert_eq!(session_id, id(&vector["initiator_session_id"]));
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(kinds[..4], [0x30, 0x70, 0x38, 0x78]);
        for kind in [0x01, 0x41, 0x10, 0x51, 0x0c, 0x4c] {
            assert!(
                kinds.contains(&kind) || (kind == 0x51 && kinds.contains(&0x50)),
                "{name}: no {kind:02x}"
            );
        }
    }
}

#[test]
fn nothing_cut_or_changed_opens_or_panics() {
    for name in LIVE {
        let vector = vector(name);
        let keys = live_keys(&vector);
        for packet in vector["packets"].as_array().unwrap() {
            let datagram = hex(&packet["datagram"]);
            for protection in [&Protection::startup(), &keys.initiator, &keys.responder] {
                for cut in 0..datagram.len() {
                    assert!(rtmfp::open(&datagram[..cut], protection).is_err(), "cut at {cut}");
                }
            }
        }
        for (_, packet, _) in live_packets(&vector) {
            let (_, chunks) = parse_packet(&packet).unwrap();
            for raw in chunks {
                for cut in 0..raw.payload.len() {
                    for kind in 0..=255 {
                        let _ = Chunk::parse(kind, &raw.payload[..cut]);
                    }
                    let _ = Certificate::parse(&raw.payload[..cut]);
                    let _ = KeyingComponent::parse(&raw.payload[cut..]);
                    let _ = EndpointDiscriminator::parse(&raw.payload[cut..]);
                }
            }
            for cut in 0..packet.len() {
                let _ = parse_packet(&packet[..cut]);
            }
        }
    }
}

#[test]
fn acknowledgements_in_both_forms() {
    let received = vec![(7, 8), (12, 12), (20, 27)];
    for bitmap in [false, true] {
        let ack =
            Chunk::Ack { flow: 2, buffer: 64, cumulative: 5, received: received.clone(), bitmap };
        let bytes = encode_chunk(&ack);
        assert_eq!(Chunk::parse(bytes[0], &bytes[3..]), Ok(ack));
    }
}

/// What came of a capture.
#[derive(Debug, Default)]
struct Story {
    /// RTMFP sessions: client, server, whether its end was told.
    sessions: Vec<(String, String, bool)>,
    /// Messages of RTMFP sessions: (session, direction, type) to count.
    counts: BTreeMap<(u32, &'static str, u8), u64>,
    facts: Vec<(u32, Fact)>,
    anomalies: Vec<(u32, &'static str, String)>,
    /// RTMFP messages: (session, direction, csid, timestamp).
    messages: Vec<(u32, &'static str, u32, u32)>,
    frames_told: bool,
}

impl Story {
    fn count(&self, session: u32, direction: &'static str) -> BTreeMap<u8, u64> {
        let of = |(key, count): (&(u32, &'static str, u8), &u64)| {
            (key.0 == session && key.1 == direction).then_some((key.2, *count))
        };
        self.counts.iter().filter_map(of).collect()
    }

    fn names(&self, session: u32) -> Vec<&'static str> {
        self.facts.iter().filter(|(own, _)| *own == session).map(|(_, fact)| fact.name).collect()
    }

    fn fact(&self, session: u32, name: &str) -> &Fact {
        let found = self.facts.iter().find(|(own, fact)| *own == session && fact.name == name);
        &found.unwrap_or_else(|| panic!("session {session} has no fact {name}")).1
    }
}

fn value<'a>(fact: &'a Fact, name: &str) -> &'a FactValue {
    let found = fact.fields.iter().find(|(own, _)| *own == name);
    &found.unwrap_or_else(|| panic!("{} has no {name}", fact.name)).1
}

fn number(fact: &Fact, name: &str) -> u64 {
    match fact.fields.iter().find(|(own, _)| *own == name) {
        Some((_, FactValue::Number(number))) => *number,
        Some((_, other)) => panic!("{name} is {other:?}"),
        None => 0,
    }
}

fn read(path: &Path, key_log: Option<&str>) -> Story {
    let keys = Keys::default();
    if let Some(text) = key_log {
        let (added, bad) = keys.add_text(text);
        assert!(added > 0 && bad.is_none(), "{bad:?}");
    }
    let mut pipeline = Pipeline::new(Options { keys, ..Options::default() });
    let mut story = Story { frames_told: true, ..Story::default() };
    let mut rtmfp = BTreeMap::new();
    let mut sink = |record: Record| match record {
        Record::Session(record) if record.transport == Transport::Rtmfp => {
            rtmfp.insert(record.session, story.sessions.len());
            story.sessions.push((record.client.to_string(), record.server.to_string(), false));
        }
        Record::Message(record) if rtmfp.contains_key(&record.session) => {
            let message = &record.message;
            let direction = message.direction.name();
            let session = rtmfp[&record.session] as u32;
            story.frames_told &= !record.frames.is_empty();
            *story.counts.entry((session, direction, message.type_id.0)).or_default() += 1;
            story.messages.push((session, direction, message.csid, message.timestamp));
        }
        Record::Transport(record) => {
            let session = rtmfp[&record.session] as u32;
            story.facts.push((session, record.fact));
        }
        Record::Anomaly(record) => {
            if let Some(session) = record.session.and_then(|number| rtmfp.get(&number)) {
                story.anomalies.push((*session as u32, record.kind, record.detail));
            }
        }
        Record::SessionEnd(record) => {
            if let Some(session) = rtmfp.get(&record.session) {
                story.sessions[*session].2 = true;
            }
        }
        _ => {}
    };
    let inputs = vec![Input::Path(path.to_owned())];
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("opens");
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    story
}

const UP: &str = "client_to_server";
const DOWN: &str = "server_to_client";

/// What an independent parser counted in a recording with its key log: messages by type up and
/// down, datagrams of the session that carries them.
struct Sheet {
    name: &'static str,
    /// Which of the capture's RTMFP sessions.
    session: u32,
    sessions: usize,
    up: &'static [(u8, u64)],
    down: &'static [(u8, u64)],
    packets: u64,
}

const PUBLISH: &[(u8, u64)] = &[(8, 173), (9, 101), (18, 1), (20, 3)];
const SHORT_PUBLISH: &[(u8, u64)] = &[(8, 108), (9, 63), (18, 1), (20, 3)];
const REPLIES: &[(u8, u64)] = &[(20, 3)];

const fn publish(name: &'static str, up: &'static [(u8, u64)], packets: u64) -> Sheet {
    Sheet { name, session: 0, sessions: 1, up, down: REPLIES, packets }
}

const SHEETS: [Sheet; 12] = [
    publish("fail_rtmfp_server_killed", &[(8, 81), (9, 42), (18, 1), (20, 3)], 205),
    Sheet {
        name: "rtmfp_librtmfp_play_of_rtmp_publish_monatiny",
        session: 0,
        sessions: 1,
        up: &[(20, 5)],
        down: &[(4, 3), (8, 76), (9, 46), (18, 3), (20, 7)],
        packets: 210,
    },
    Sheet {
        name: "rtmfp_redirect_dyn_tcpublish_tcserver",
        session: 2,
        sessions: 3,
        up: SHORT_PUBLISH,
        down: REPLIES,
        packets: 291,
    },
    Sheet {
        name: "rtmfp_tcconn_play_of_rtmp_publish",
        session: 0,
        sessions: 1,
        up: &[(20, 4)],
        down: &[(4, 1), (8, 95), (9, 40), (18, 2), (20, 5)],
        packets: 153,
    },
    publish("rtmfp_tcpublish_tcserver_hmac_ssn", PUBLISH, 453),
    publish("rtmfp_tcpublish_tcserver_loss5_reorder8_client_side", PUBLISH, 474),
    publish(
        "rtmfp_tcpublish_tcserver_loss5_reorder8_nohmac_client_side",
        &[(8, 174), (9, 101), (18, 1), (20, 3)],
        488,
    ),
    publish("rtmfp_tcpublish_tcserver_loss5_reorder8_nohmac_server_side", PUBLISH, 486),
    publish("rtmfp_tcpublish_tcserver_plain", PUBLISH, 454),
    publish("rtmfp_tcpublish_tcserver_ssn_nohmac", PUBLISH, 455),
    publish("rtmfp_tcpublish_tcserver_staticdh", SHORT_PUBLISH, 290),
    Sheet {
        name: "derived_rtmfp_midsession_session_keys",
        session: 0,
        sessions: 1,
        up: &[(8, 155), (9, 91)],
        down: &[],
        packets: 393,
    },
];

/// A recording and its key log: in this repository, or among the further ones.
fn recording(name: &str) -> Option<(PathBuf, Option<String>)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut folders = vec![own];
    if !folders[0].join(format!("{name}.pcap")).exists() {
        folders.extend(folders::recordings().map(|folder| folder.join("recorded")));
    }
    let folder = folders.into_iter().find(|folder| folder.join(format!("{name}.pcap")).exists())?;
    let log = std::fs::read_to_string(folder.join(format!("{name}.keylog"))).ok();
    Some((folder.join(format!("{name}.pcap")), log))
}

#[test]
fn recordings_with_their_keys_hold_what_their_sheets_say() {
    for sheet in SHEETS {
        let Some((path, log)) = recording(sheet.name) else { continue };
        let story = read(&path, Some(&log.expect("a key log")));
        let name = sheet.name;
        assert_eq!(story.sessions.len(), sheet.sessions, "{name}");
        assert!(story.sessions.iter().all(|session| session.2), "{name}: an end is missing");
        assert_eq!(story.count(sheet.session, UP), sheet.up.iter().copied().collect(), "{name}");
        assert_eq!(
            story.count(sheet.session, DOWN),
            sheet.down.iter().copied().collect(),
            "{name}"
        );
        assert!(story.frames_told, "{name}: a message without packets");
        let figures = story
            .facts
            .iter()
            .filter(|(session, fact)| *session == sheet.session && fact.name == "packet-figures");
        let (mut packets, mut refused) = (0, 0);
        for (_, fact) in figures {
            packets += number(fact, "packets");
            refused += number(fact, "not_decrypted");
        }
        assert_eq!((packets, refused), (sheet.packets, 0), "{name}");
        assert!(story.anomalies.is_empty(), "{name}: {:?}", story.anomalies);
    }
}

/// Messages of a flow are in order of their timestamps here: these publishers send no B frames.
#[test]
fn flows_come_in_order_whatever_the_network_did() {
    let Some((path, log)) = recording("rtmfp_tcpublish_tcserver_loss5_reorder8_client_side") else {
        return;
    };
    let story = read(&path, log.as_deref());
    let mut last: BTreeMap<(u32, &str, u32), u32> = BTreeMap::new();
    for (session, direction, csid, timestamp) in story.messages {
        let before = last.insert((session, direction, csid), timestamp).unwrap_or(0);
        assert!(before <= timestamp, "flow {csid}: {timestamp} after {before}");
    }
}

#[test]
fn what_the_network_did_is_counted() {
    let name = "rtmfp_tcpublish_tcserver_loss5_reorder8_nohmac_server_side";
    let Some((path, log)) = recording(name) else { return };
    let story = read(&path, log.as_deref());
    let flows: Vec<&Fact> = story.facts.iter().map(|(_, fact)| fact).collect();
    let of = |fact: &&&Fact| fact.name == "flow-figures" && number(fact, "messages") == 173;
    let audio = flows.iter().find(of).expect("the audio flow");
    // 174 left the client, which gave one up.
    assert_eq!((number(audio, "lost"), number(audio, "repeated")), (1, 5));
    let side = flows.iter().find(|fact| fact.name == "packet-figures").unwrap();
    assert_eq!((number(side, "first_number"), number(side, "last_number")), (0, 318));
    // 311 packets: 7 twice, so that 304 of 319 came.
    assert_eq!((number(side, "missing_numbers"), number(side, "repeated_numbers")), (15, 7));
    assert_eq!(number(side, "late_numbers"), 21);
}

#[test]
fn without_keys_the_startup_is_told() {
    for sheet in SHEETS {
        let Some((path, _)) = recording(sheet.name) else { continue };
        let story = read(&path, None);
        if sheet.name.starts_with("derived_") {
            assert!(story.sessions.is_empty(), "nothing tells that this is RTMFP");
            continue;
        }
        let (name, session) = (sheet.name, sheet.session);
        assert_eq!(story.sessions.len(), sheet.sessions, "{name}");
        assert!(story.counts.is_empty());
        let names = story.names(session);
        for wanted in ["ihello", "rhello", "iikeying", "rikeying", "no-keys"] {
            assert!(names.contains(&wanted), "{name}: no {wanted}");
        }
        let FactValue::Text(uri) = value(story.fact(session, "ihello"), "uri") else { panic!() };
        assert!(uri.contains("live"), "{uri}");
        let mut packets = 0;
        for (own, fact) in &story.facts {
            if fact.name == "packet-figures" && *own == session {
                packets += number(fact, "packets");
            }
        }
        assert_eq!(packets, sheet.packets, "{name}: pairing by ids");
    }
}

#[test]
fn a_redirect_leads_from_session_to_session() {
    let (path, log) =
        recording("rtmfp_redirect_dyn_tcpublish_tcserver").expect("a capture of this repository");
    let story = read(&path, log.as_deref());
    let tag = |session, name| value(story.fact(session, name), "tag").clone();
    assert_eq!(tag(1, "ihello"), tag(0, "fihello"));
    assert_eq!(tag(1, "redirect"), tag(2, "rhello"));
    let FactValue::List(to) = value(story.fact(1, "redirect"), "to") else { panic!() };
    assert!(to[0].starts_with(&story.sessions[2].1), "{to:?}");
    let FactValue::Text(reply) = value(story.fact(0, "fihello"), "reply_to") else { panic!() };
    assert_eq!(*reply, story.sessions[2].0);
    // The redirector's own flows are no RTMP: named, counted, not decoded.
    assert_eq!(value(story.fact(0, "flow"), "carries"), &FactValue::Text("other".into()));
}

#[test]
fn startups_that_fail_say_where() {
    let own = "a capture of this repository";
    let (path, _) = recording("fail_rtmfp_no_server_icmp").expect(own);
    let story = read(&path, None);
    assert_eq!(story.names(0), ["ihello", "unreachable", "ihello", "ihello", "packet-figures"]);
    if let Some((path, _)) = recording("rtmfp_librtmfp_tcserver_cookie_failure") {
        let story = read(&path, None);
        assert!(!story.names(0).contains(&"iikeying"));
        assert_eq!(value(story.fact(0, "ihello"), "uri"), &FactValue::Text("live".into()));
    }
    let (path, log) = recording("rtmfp_tcpublish_monatiny_keying_failure").expect(own);
    let story = read(&path, log.as_deref());
    let mismatch = story.fact(0, "keying-mismatch");
    let FactValue::List(reasons) = value(mismatch, "reasons") else { panic!() };
    assert!(mismatch.odd && reasons[0].contains("group 14"), "{reasons:?}");
    let attempts = story.facts.iter().filter(|(_, fact)| fact.name == "rikeying").count();
    assert_eq!(attempts, 3);
}
