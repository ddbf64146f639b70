//! RTMFP: vectors of real sessions, recordings with and without key logs, damage.

use rtmpscope::base::{Reader, Writer};
use rtmpscope::transport::KeyLog;
use rtmpscope::transport::rtmfp::{
    self, Protection, SessionKeys, component_id, fingerprint, scrambled_id,
};
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
