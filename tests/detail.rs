//! A message that is read again is the message that was read: every byte, and where it came from.

mod support;

use rtmpscope::analysis::detail::{HandshakeRequest, MessageDetail, MessageRequest, Source};
use rtmpscope::analysis::index::Index;
use rtmpscope::analysis::{HandshakeRecord, MessageRecord, Options, Pipeline, Record};
use rtmpscope::base::{LinkType, Packet, PacketSource};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use support::*;

/// Packets in memory, a few at a time.
struct Packets(Vec<Packet>);

impl PacketSource for Packets {
    fn packets(&mut self, first: u64, last: u64) -> Result<Vec<Packet>, String> {
        let last = last.min(first.saturating_add(6)).min(self.0.len() as u64);
        let range = (first.max(1) - 1).min(last) as usize..last as usize;
        Ok(self.0[range].to_vec())
    }
}

fn names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/captures");
    let entries = std::fs::read_dir(folder).expect("captures");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().expect("UTF-8")).collect();
    names.retain(|name| name.contains(".pcap"));
    names.sort();
    names
}

fn packets(name: &str) -> Vec<Packet> {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let inputs = vec![Input::Path(path.into())];
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("opens");
    let mut packets = Vec::new();
    while let Some(packet) = capture.next_packet() {
        packets.push(packet);
    }
    packets
}

struct Told {
    index: Index,
    messages: Vec<MessageRecord>,
    handshakes: Vec<HandshakeRecord>,
}

fn run(packets: &[Packet], keep_media: bool) -> Told {
    let mut options = Options { spans: keep_media, ..Options::default() };
    options.session.keep_media = keep_media;
    let mut pipeline = Pipeline::new(options);
    let (mut index, mut messages, mut handshakes) = (Index::new(), Vec::new(), Vec::new());
    let mut sink = |record: Record| {
        index.push(&record);
        match record {
            Record::Message(record) => messages.push(record),
            Record::Handshake(record) => handshakes.push(record),
            _ => {}
        }
    };
    for packet in packets {
        pipeline.push(packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    Told { index, messages, handshakes }
}

/// Checks every message of the packets against a pipeline that keeps payloads; gives their number.
fn check(packets: Vec<Packet>, what: &str) -> usize {
    let whole = run(&packets, true);
    let index = run(&packets, false).index;
    let mut source = Packets(packets);
    let mut rows = vec![0; index.sessions.len()];
    for record in &whole.messages {
        let row = &mut rows[record.session as usize - 1];
        let what = format!("{what} session {} row {row}", record.session);
        let request = MessageRequest::new(&index, record.session, *row).expect(&what);
        let detail = request.expect(&what).read(&mut source).expect(&what);
        *row += 1;
        assert_eq!(detail.record.message, record.message, "{what}");
        assert_eq!(detail.record.spans, record.spans, "{what}");
        assert_eq!(detail.record.frames, record.frames, "{what}");
        // What several connections carried has no place in the sequence numbers of one.
        if detail.record.sequence.is_some() || !what.starts_with("rtmpt") {
            assert_eq!(detail.record.sequence, record.sequence, "{what}");
        }
        assert!(detail.payload.starts_with(&record.message.payload), "{what}");
        let holes: u32 = detail.holes().iter().map(|hole| hole.len).sum();
        assert_eq!(detail.payload.len() as u32, record.message.received + holes, "{what}");
        check_sources(&detail, &mut source, &what);
    }
    for (number, record) in whole.handshakes.iter().enumerate() {
        let of_session = whole.handshakes[..number].iter().filter(|h| h.session == record.session);
        let request = HandshakeRequest::new(&index, record.session, of_session.count());
        let detail = request.expect(what).expect(what).read(&mut source).expect(what);
        for part in &detail.sources {
            let bytes = &detail.bytes[part.range.clone()];
            check_source(part, bytes, &mut source, what);
        }
        if record.handshake.complete {
            assert_eq!(detail.bytes[0], record.handshake.version, "{what}");
            let seen: usize = detail.sources.iter().map(|part| part.range.len()).sum();
            assert_eq!(seen, 3073, "{what}");
        }
    }
    whole.messages.len()
}

/// The bytes are in the packets where the detail says.
fn check_sources(detail: &MessageDetail, source: &mut Packets, what: &str) {
    let mut seen = 0;
    for part in &detail.sources {
        check_source(part, &detail.payload[part.range.clone()], source, what);
        assert_eq!(detail.sources_of(part.range.clone()), std::slice::from_ref(part), "{what}");
        seen += part.range.len();
    }
    assert_eq!(seen, detail.record.message.received as usize, "{what}");
    for header in &detail.headers {
        for part in &header.sources {
            check_source(part, &header.bytes[part.range.clone()], source, what);
        }
    }
    if let Some(first) = detail.headers.first()
        && detail.record.message.complete
    {
        assert_eq!(first.bytes[0] >> 6, detail.record.message.fmt, "{what}");
        assert!(detail.headers[1..].iter().all(|header| header.bytes[0] >> 6 == 3), "{what}");
        assert_eq!(first.at, 0, "{what}");
        assert!(detail.headers.is_sorted_by(|a, b| a.at < b.at), "{what}");
    }
}

fn check_source(part: &Source, bytes: &[u8], source: &mut Packets, what: &str) {
    let packet = &source.packets(part.frame, part.frame).expect("there")[0];
    if let Some(position) = part.position {
        let at = position..position + bytes.len();
        assert_eq!(&packet.data[at], bytes, "{what} frame {}", part.frame);
    }
}

/// Every message of every capture, not a sample.
#[test]
fn every_message_of_every_capture_is_read_again_as_it_was() {
    let mut messages = 0;
    for name in names() {
        messages += check(packets(&name), &name);
    }
    assert!(messages > 10_000, "{messages}");
}

/// Retransmissions are told apart from what came first.
#[test]
fn what_came_again_is_listed() {
    let packets = packets("net_loss3_dup2_reorder10_delay20_publish_server_side.pcap");
    let index = run(&packets, false).index;
    let mut source = Packets(packets);
    let mut again = 0;
    for (number, _) in index.sessions[0].rows.iter().enumerate() {
        let request = MessageRequest::new(&index, 1, number).unwrap().unwrap();
        let detail = request.read(&mut source).unwrap();
        for repeat in &detail.repeats {
            assert!(detail.packets().iter().any(|(frame, _)| *frame == repeat.frame));
        }
        again += detail.packets().iter().filter(|(_, again)| *again).count();
    }
    assert!(again > 0);
}

#[test]
fn rows_and_sessions_that_are_not_there_are_none() {
    let index = run(&packets("publish_denied_nginx.pcap"), false).index;
    for (session, row) in [(0, 0), (1, 10_000), (99, 0)] {
        assert!(MessageRequest::new(&index, session, row).unwrap().is_none());
        assert!(HandshakeRequest::new(&index, session, row.max(2)).unwrap().is_none());
    }
}

#[test]
fn a_source_that_fails_is_told() {
    struct Broken;
    impl PacketSource for Broken {
        fn packets(&mut self, _: u64, _: u64) -> Result<Vec<Packet>, String> {
            Err("the disk is gone".into())
        }
    }
    let index = run(&packets("publish_denied_nginx.pcap"), false).index;
    let request = MessageRequest::new(&index, 1, 0).unwrap().unwrap();
    assert_eq!(request.read(&mut Broken).unwrap_err(), "the disk is gone");
}

fn plan(rng: &mut Rng) -> Plan {
    let sizes = [None, Some(60_000), Some(4096), Some(500)];
    Plan {
        client_chunk_size: *rng.pick(&sizes),
        server_chunk_size: *rng.pick(&sizes),
        role: if rng.chance(50) { Role::Publish } else { Role::Play },
        video_csid: *rng.pick(&[6, 64, 320]),
        key_size: 9000,
        gops: 2,
        frames_per_gop: 4,
        interleave: rng.chance(50),
        ..Plan::new(rng.next())
    }
}

/// Everything that networks and capture programs do, one after another and mixed.
#[test]
fn messages_of_damaged_captures_are_read_again_as_they_were() {
    let mut messages = 0;
    for seed in 0..160_u64 {
        let mut rng = Rng::new(seed);
        let scenario = plan(&mut rng).build();
        let net = if rng.chance(25) { Net::default().v6() } else { Net::default() };
        let mut trace = net.packetize(&scenario);
        for fault in 0..6 {
            if seed % 8 != fault && !rng.chance(25) {
                continue;
            }
            let data = trace.data();
            let at = data[rng.below(data.len())];
            match fault {
                0 => {
                    let again = rng.below(5);
                    trace.duplicate(at, again);
                }
                1 => {
                    trace.shuffle_flights(&mut rng);
                }
                2 => {
                    trace.resplit(&mut rng, 700);
                    trace.widen(at, 600, 300);
                }
                3 => {
                    let lost: Vec<usize> = (0..3).map(|_| data[rng.below(data.len())]).collect();
                    trace.drop_from_capture(&lost);
                }
                4 => {
                    trace.lose_on_network(at, 3);
                    trace.contradict(at);
                }
                _ => {
                    trace.keep_alive(at, 1);
                }
            }
        }
        if seed % 16 == 7 {
            trace.start_at(rng.between(4, trace.segments.len() / 2));
        }
        if seed % 16 == 15 {
            trace.snaplen(200);
        }
        messages += check(trace.packets(), &format!("seed {seed}"));
    }
    assert!(messages > 2_000, "{messages}");
}

/// An Ethernet frame with IPv4 as fragments of at most `len` bytes of payload.
fn fragments(packet: &Packet, len: usize) -> Vec<Vec<u8>> {
    let (head, payload) = packet.data.split_at(34);
    let pieces = payload.chunks(len);
    let count = pieces.len();
    pieces.enumerate().map(|(number, piece)| fragment(head, number, count, len, piece)).collect()
}

fn fragment(head: &[u8], number: usize, count: usize, len: usize, piece: &[u8]) -> Vec<u8> {
    let mut frame = head.to_vec();
    let more = if number + 1 < count { 0x2000 } else { 0 };
    let place = (number * len / 8) as u16 | more;
    frame[16..18].copy_from_slice(&(20 + piece.len() as u16).to_be_bytes());
    frame[20..22].copy_from_slice(&place.to_be_bytes());
    frame.extend_from_slice(piece);
    frame
}

/// Bytes of a fragmented datagram are in the packet of its last fragment, whose predecessors have
/// to be read too.
#[test]
fn messages_in_ip_fragments_are_read_again() {
    let scenario = Plan::new(5).build();
    let mut packets = Vec::new();
    for (number, packet) in Net::default().packetize(&scenario).packets().iter().enumerate() {
        assert_eq!(packet.link, LinkType::ETHERNET);
        let mut original = packet.clone();
        let mut data = packet.data.to_vec();
        data[18..20].copy_from_slice(&(number as u16).to_be_bytes());
        original.data = data.into();
        for data in fragments(&original, 256) {
            packets.push(Packet {
                frame: packets.len() as u64 + 1,
                original_len: data.len() as u32,
                data: data.into(),
                ..original.clone()
            });
        }
    }
    assert!(check(packets, "fragments") > 10);
}
