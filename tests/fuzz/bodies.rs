//! What each fuzz target does with its input, and what must hold whatever the input is.
//!
//! The targets under `fuzz_targets/` and the test `fuzz_seeds`, which replays the seeds with every
//! test run, share this file. It uses the public interface only.

use std::collections::BTreeMap;
use std::io::Cursor;

use bytes::Bytes;
use rtmpscope::analysis::detail::{HandshakeRequest, MessageRequest};
use rtmpscope::analysis::index::Index;
use rtmpscope::analysis::{Options, Pipeline, Record};
use rtmpscope::base::{Direction, FieldTree, LinkType, Packet, PacketSource, Reader, Timestamp};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::flow::{
    DirectionStats, EndReason, FlowAnomaly, FlowId, FlowInfo, FlowSink, FlowTable, Gap, StreamData,
};
use rtmpscope::rtmp::{Event, Message, Session};
use rtmpscope::wire::amf::{self, State, Value};
use rtmpscope::wire::codec;
use rtmpscope::wire::flv::{AudioTag, FileTags, Media, Track, VideoTag, needs_whole};
use rtmpscope::wire::message::{self, MessageType};

/// A fuzz target's work on one input; panics are findings.
pub type Body = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Body)] = &[
    ("capture_file", capture_file),
    ("link_layer", link_layer),
    ("tcp", tcp),
    ("chunk_stream", chunk_stream),
    ("message", message),
    ("amf0", amf0),
    ("amf3", amf3),
    ("flv", flv),
    ("pipeline", pipeline),
];

/// The target's code.
pub fn body(name: &str) -> Body {
    TARGETS.iter().find(|(target, _)| *target == name).expect("a known target").1
}

/// Packets taken from one input: a compressed one may unfold to very many.
const MAX_PACKETS: usize = 20_000;

// ---- captures ---------------------------------------------------------------------------------

fn open(data: &[u8]) -> Capture {
    let input = Input::Reader(Box::new(Cursor::new(data.to_vec())));
    Capture::open(vec![input], OpenOptions::default()).expect("a reader opens")
}

/// A capture file of any format: the input is the file.
pub fn capture_file(data: &[u8]) {
    let mut capture = open(data);
    let mut packets = 0;
    while let Some(packet) = capture.next_packet() {
        packets += 1;
        assert_eq!(packet.frame, packets as u64, "frames count from 1 without holes");
        if packets == MAX_PACKETS {
            return;
        }
    }
    assert_eq!(capture.packets(), packets as u64);
    // A file header alone has 24 bytes in pcap and 28 in pcapng: less is no capture.
    assert!(
        data.len() >= 24 || packets > 0 || !capture.errors().is_empty(),
        "what is no capture is not passed over in silence"
    );
    for error in capture.errors() {
        assert!(!error.to_string().is_empty());
    }
}

/// The whole passive path: the input is a capture file.
pub fn pipeline(data: &[u8]) {
    let mut capture = open(data);
    let mut checker = RecordChecker::default();
    let mut pipeline = Pipeline::new(Options { tcp: true, ..Options::default() });
    let (mut index, mut kept) = (Index::new(), Kept::default());
    let mut packets = 0;
    while let Some(packet) = capture.next_packet() {
        packets += 1;
        pipeline.push(&packet, &mut |record| {
            checker.take(&record, packets);
            index.push(&record);
        });
        kept.0.push(packet);
        if packets == MAX_PACKETS as u64 {
            break;
        }
    }
    pipeline.finish(Vec::new(), &mut |record| {
        checker.take(&record, packets);
        index.push(&record);
    });
    assert!(checker.ended, "a run has an end");
    assert_eq!(checker.open, 0, "every session that begins ends");
    read_again(&index, &mut kept);
}

/// Messages read again by [`read_again`]: each costs a walk over the packets around it.
const MAX_READ_AGAIN: usize = 200;

/// The packets of a capture, in memory.
#[derive(Default)]
struct Kept(Vec<Packet>);

impl PacketSource for Kept {
    fn packets(&mut self, first: u64, last: u64) -> Result<Vec<Packet>, String> {
        let end = last.min(self.0.len() as u64) as usize;
        let start = (first.max(1) - 1) as usize;
        Ok(self.0.get(start..end).unwrap_or_default().to_vec())
    }
}

/// What is said to be in a packet is there.
fn read_again(index: &Index, kept: &mut Kept) {
    let mut left = MAX_READ_AGAIN;
    for session in &index.sessions {
        for row in 0..session.rows.len().min(left) {
            left -= 1;
            let request = MessageRequest::new(index, session.number(), row);
            let Ok(Some(request)) = request else { continue };
            let detail = request.read(kept).expect("memory can be read");
            let message = &detail.record.message;
            assert!(detail.payload.len() as u64 <= u64::from(message.length));
            assert!(detail.payload.starts_with(&message.payload));
            check_message(message);
            for source in &detail.sources {
                if let Some(position) = source.position {
                    let packet = &kept.0[source.frame as usize - 1];
                    let place = position..position + source.range.len();
                    assert_eq!(packet.data.get(place), detail.payload.get(source.range.clone()));
                }
            }
        }
        for number in 0..session.handshakes.len() {
            let request = HandshakeRequest::new(index, session.number(), number);
            let Ok(Some(request)) = request else { continue };
            let detail = request.read(kept).expect("memory can be read");
            assert!(detail.bytes.len() <= 3073);
        }
    }
}

#[derive(Default)]
struct RecordChecker {
    begun: bool,
    ended: bool,
    sessions: u32,
    open: u32,
    messages: u64,
}

impl RecordChecker {
    fn take(&mut self, record: &Record, packets: u64) {
        assert!(!self.ended, "nothing follows the end");
        assert_eq!(matches!(record, Record::Begin(_)), !self.begun, "one beginning, first");
        let known = |session: u32| (1..=self.sessions).contains(&session);
        match record {
            Record::Begin(_) => self.begun = true,
            Record::Session(record) => {
                self.sessions += 1;
                self.open += 1;
                assert_eq!(record.session, self.sessions, "sessions count from 1");
            }
            Record::Message(record) => {
                assert!(known(record.session));
                self.messages += 1;
                check_message(&record.message);
                assert!(record.frames.is_sorted());
                assert!(record.frames.iter().all(|frame| (1..=packets).contains(frame)));
            }
            Record::Handshake(record) => assert!(known(record.session)),
            Record::Gap(record) => assert!(known(record.session) && record.len > 0),
            Record::Anomaly(record) => assert!(record.session.is_none_or(known)),
            Record::SessionEnd(record) => {
                assert!(known(record.session));
                self.open -= 1;
            }
            Record::End(record) => {
                self.ended = true;
                assert_eq!(record.packets, packets);
                assert_eq!(record.sessions, u64::from(self.sessions));
                assert_eq!(record.messages, self.messages);
            }
            _ => {}
        }
    }
}

// ---- packets and segments ---------------------------------------------------------------------

const LINKS: [LinkType; 12] = [
    LinkType::ETHERNET,
    LinkType::NULL,
    LinkType::PPP,
    LinkType::RAW_BSD_12,
    LinkType::RAW_BSD_14,
    LinkType::RAW,
    LinkType::LOOP,
    LinkType::LINUX_SLL,
    LinkType::IPV4,
    LinkType::IPV6,
    LinkType::LINUX_SLL2,
    LinkType(999),
];

/// Link layer, tunnels, IP and TCP headers: a byte for the link type, then packets, each a length
/// byte pair and as many bytes.
pub fn link_layer(data: &[u8]) {
    let Some((&link, mut rest)) = data.split_first() else { return };
    let link = LINKS[usize::from(link) % LINKS.len()];
    let mut table = FlowTable::default();
    let mut sink = FlowChecker::default();
    let mut frame = 0;
    while let [high, low, tail @ ..] = rest {
        let wanted = usize::from(u16::from_be_bytes([*high, *low]));
        let len = wanted.min(tail.len());
        let (now, later) = tail.split_at(len);
        frame += 1;
        let packet = Packet {
            frame,
            time: Timestamp(frame as i64 * 1_000_000),
            link,
            data: Bytes::copy_from_slice(now),
            // The last packet may be one that a snap length cut.
            original_len: wanted as u32,
        };
        sink.most += len as u64;
        table.push(&packet, &mut sink);
        rest = later;
    }
    table.finish(&mut sink);
    sink.conclude();
}

/// Reassembly: ten bytes describe each segment of a few connections. A payload byte is the low byte
/// of its sequence number, so that whatever is lost, repeated or reordered, the bytes that come
/// out at an offset are known but for a constant.
pub fn tcp(data: &[u8]) {
    let mut table = FlowTable::default();
    let mut sink = FlowChecker { counting: true, ..FlowChecker::default() };
    let mut time = 0;
    for (index, op) in data.chunks_exact(10).enumerate() {
        let (way, port) = (op[0] & 1, 40_000 + u16::from(op[0] >> 1 & 3));
        let flags = op[1] & 0x3f;
        // Anywhere near the start, or anywhere at all.
        let seq = match op[0] & 0x80 {
            0 => u32::from(u16::from_be_bytes([op[2], op[3]])),
            _ => u32::from_be_bytes([op[2], op[3], op[4], op[5]]),
        };
        let ack = match op[0] & 0x40 {
            0 => u32::from(u16::from_be_bytes([op[4], op[5]])),
            _ => u32::from_be_bytes([op[4], op[5], op[2], op[3]]),
        };
        let len = usize::from(u16::from_be_bytes([op[6] & 7, op[7]]));
        time += i64::from(op[8]) << (op[9] & 31);
        // The SYN has a sequence number of its own.
        let first = seq.wrapping_add(u32::from(flags & 2 != 0));
        let payload: Vec<u8> = (0..len).map(|i| first.wrapping_add(i as u32) as u8).collect();
        let window = if op[9] & 0x20 == 0 { 0xffff } else { 0 };
        let packet = segment(way == 0, port, [seq, ack], flags, window, &payload);
        sink.most += len as u64;
        let snap = if op[9] & 0x40 == 0 { 0 } else { usize::from(op[9] & 3).min(len) };
        table.push(
            &Packet {
                frame: index as u64 + 1,
                time: Timestamp(time),
                link: LinkType::RAW,
                original_len: packet.len() as u32,
                data: Bytes::from(packet).slice(..40 + len - snap),
            },
            &mut sink,
        );
    }
    table.finish(&mut sink);
    sink.conclude();
}

/// An IPv4 packet with a TCP segment. Checksums stay zero: capture points see them before the
/// network card fills them in, so nobody may judge by them.
fn segment(up: bool, port: u16, [seq, ack]: [u32; 2], flags: u8, window: u16, p: &[u8]) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend_from_slice(&(40 + p.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    let (client, server) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let (from, to) = if up { (client, server) } else { (server, client) };
    out.extend_from_slice(&from);
    out.extend_from_slice(&to);
    let (from, to) = if up { (port, 1935) } else { (1935, port) };
    out.extend_from_slice(&from.to_be_bytes());
    out.extend_from_slice(&to.to_be_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&ack.to_be_bytes());
    out.extend_from_slice(&[0x50, flags]);
    out.extend_from_slice(&window.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(p);
    out
}

/// Checks what reassembly hands on.
#[derive(Default)]
struct FlowChecker {
    flows: BTreeMap<FlowId, [Way; 2]>,
    ended: u32,
    /// Payload bytes that went in, and that came out.
    most: u64,
    seen: u64,
    /// Whether payload bytes count up with their offset.
    counting: bool,
}

#[derive(Default)]
struct Way {
    offset: u64,
    finished: bool,
    /// Payload byte minus offset.
    constant: Option<u8>,
    bytes: u64,
    lost: u64,
}

impl FlowChecker {
    fn way(&mut self, flow: FlowId, direction: Direction) -> &mut Way {
        &mut self.flows.get_mut(&flow).expect("open")[direction.index()]
    }

    fn conclude(&self) {
        assert!(self.flows.is_empty(), "every flow ends");
        assert!(self.seen <= self.most, "{} bytes of {}", self.seen, self.most);
    }
}

impl FlowSink for FlowChecker {
    fn opened(&mut self, flow: FlowId, _info: &FlowInfo) {
        let before = self.flows.insert(flow, Default::default());
        assert!(before.is_none(), "a flow opens once");
    }

    fn data(&mut self, flow: FlowId, direction: Direction, data: StreamData<'_>) {
        let counting = self.counting;
        self.seen += data.bytes.len() as u64;
        let way = self.way(flow, direction);
        assert_eq!(data.offset, way.offset, "bytes come in order");
        assert!(!data.bytes.is_empty());
        assert!(!way.finished, "nothing follows a FIN");
        way.offset += data.bytes.len() as u64;
        way.bytes += data.bytes.len() as u64;
        if counting {
            for (i, byte) in data.bytes.iter().enumerate() {
                let constant = byte.wrapping_sub((data.offset + i as u64) as u8);
                let expected = *way.constant.get_or_insert(constant);
                assert_eq!(constant, expected, "the byte at {} is another's", data.offset);
            }
        }
    }

    fn gap(&mut self, flow: FlowId, gap: Gap) {
        let way = self.way(flow, gap.direction);
        assert_eq!(gap.offset, way.offset, "gaps come in order");
        assert!(gap.len > 0);
        way.offset += gap.len;
        way.lost += gap.len;
    }

    fn anomaly(&mut self, flow: FlowId, anomaly: FlowAnomaly) {
        assert!(self.flows.contains_key(&flow));
        assert!(!anomaly.kind.is_empty());
    }

    fn fin(&mut self, flow: FlowId, direction: Direction, _time: Timestamp) {
        let way = self.way(flow, direction);
        assert!(!way.finished, "a direction finishes once");
        way.finished = true;
    }

    fn ended(
        &mut self,
        flow: FlowId,
        _reason: EndReason,
        _time: Timestamp,
        stats: &[DirectionStats; 2],
    ) {
        let ways = self.flows.remove(&flow).expect("open");
        for (way, stats) in ways.iter().zip(stats) {
            assert_eq!(way.bytes, stats.bytes);
            assert_eq!(way.lost, stats.capture_lost_bytes + stats.network_lost_bytes);
        }
        self.ended += 1;
    }
}

// ---- RTMP -------------------------------------------------------------------------------------

/// A connection's bytes: a byte of options, four of where to cut, then a direction's stream. The
/// outcome must not depend on the cuts.
pub fn chunk_stream(data: &[u8]) {
    let Some((head, stream)) = data.split_at_checked(5) else { return };
    let seed = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let whole = run_session(head[0], stream, None);
    let cut = run_session(head[0], stream, Some(seed));
    // Compared as text: two NaNs are different numbers but the same outcome.
    let text = |events: &[Event]| events.iter().map(|e| format!("{e:?}\n")).collect::<String>();
    assert_eq!(text(&whole), text(&cut), "segment boundaries change the outcome");
}

fn run_session(options: u8, stream: &[u8], cuts: Option<u32>) -> Vec<Event> {
    let direction =
        if options & 1 == 0 { Direction::ClientToServer } else { Direction::ServerToClient };
    let time = Timestamp(0);
    let mut session = Session::new(Default::default());
    let mut events = Vec::new();
    let mut before = 0_u64;
    if options & 2 != 0 {
        session.start_midstream(direction);
    } else if options & 4 != 0 {
        // A handshake that does not use up the fuzzer's bytes.
        let mut handshake = vec![0; 3073];
        handshake[0] = 3;
        session.feed(direction, time, &handshake, &mut |event| events.push(event));
        before = 3073;
    }
    let mut total = before + stream.len() as u64;
    // Perhaps a hole, somewhere.
    let hole = match options & 8 {
        0 => stream.len(),
        _ => usize::from(options >> 4) * stream.len() / 16,
    };
    feed(&mut session, direction, &stream[..hole], cuts, &mut events);
    if hole < stream.len() {
        let len = u64::from(stream[0]) * 37 + 1;
        session.gap(direction, time, len, &mut |event| events.push(event));
        total += len;
        feed(&mut session, direction, &stream[hole..], cuts, &mut events);
    }
    session.end(time, &mut |event| events.push(event));
    assert!(session.undecoded_bytes(direction) <= total);
    for event in &events {
        match event {
            Event::Message(message) => {
                check_message(message);
                for piece in message.pieces.pieces().chain(message.headers.pieces()) {
                    assert!(piece.end <= total, "{piece:?} of {total}");
                }
            }
            Event::Anomaly(anomaly) => assert!(anomaly.offset <= total),
            Event::Handshake(handshake) => assert!(handshake.end_offset <= total.max(3073)),
            _ => {}
        }
    }
    events
}

/// Feeds in one piece, or in pieces of 1 to 1500 bytes as a seed has it.
fn feed(
    session: &mut Session,
    direction: Direction,
    mut bytes: &[u8],
    cuts: Option<u32>,
    events: &mut Vec<Event>,
) {
    let mut state = cuts.unwrap_or(0);
    while !bytes.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let reach = [1, 4, 19, 150, 1500][(state >> 29) as usize % 5];
        let len = match cuts {
            Some(_) => (1 + (state >> 16) as usize % reach).min(bytes.len()),
            None => bytes.len(),
        };
        session.feed(direction, Timestamp(0), &bytes[..len], &mut |event| events.push(event));
        bytes = &bytes[len..];
    }
}

/// What holds for every message.
fn check_message(message: &Message) {
    assert!(message.received <= message.length);
    assert!(message.payload.len() as u64 <= u64::from(message.length));
    assert!(message.chunks >= 1 && message.fmt <= 3 && message.csid >= 2);
    assert!(!message.headers.is_empty(), "a message has a header");
    let missing: u64 = message.holes.iter().map(|hole| u64::from(hole.len)).sum();
    assert!(u64::from(message.received) + missing <= u64::from(message.length));
    if message.complete {
        assert_eq!(message.received, message.length);
        assert!(message.holes.is_empty());
        assert_eq!(message.pieces.len(), u64::from(message.length));
    }
    let mut end = 0;
    for hole in &message.holes {
        assert!(hole.at >= end && hole.len > 0);
        end = hole.at + hole.len;
    }
}

/// A payload of any type: the type id, then the payload.
pub fn message(data: &[u8]) {
    let Some((&type_id, payload)) = data.split_first() else { return };
    let type_id = MessageType(type_id);
    let (body, stop) = message::decode(type_id, payload, None);
    let mut fields = FieldTree::new();
    let (explained, same_stop) = message::decode(type_id, payload, Some(&mut fields));
    assert_eq!(format!("{body:?}"), format!("{explained:?}"), "listening changes the outcome");
    assert_eq!(stop, same_stop);
    check_fields(&fields, payload.len());
    if let Some(stop) = stop {
        assert!(stop.at <= payload.len(), "stopped at {} of {}", stop.at, payload.len());
    } else if let Some(bytes) = message::encode(type_id, &body).filter(|_| !refers(&body)) {
        let (again, stop) = message::decode(type_id, &bytes, None);
        assert_eq!(stop, None, "what was decoded whole can be encoded");
        assert_eq!(format!("{again:?}"), format!("{body:?}"), "encoding changes the body");
    }
}

/// Whether there is a reference in it. References count objects, per encoding: a value of AMF3 that
/// is written as AMF0, which has the same type, is counted elsewhere, and the reference is void.
fn refers(value: &impl std::fmt::Debug) -> bool {
    format!("{value:?}").contains("Reference(")
}

fn check_fields(fields: &FieldTree, len: usize) {
    assert!(fields.nodes().len() <= 100_000, "{} nodes", fields.nodes().len());
    let mut depth = 0;
    for node in fields.nodes() {
        assert!(node.range.start <= node.range.end && node.range.end <= len, "{node:?} of {len}");
        assert!(node.depth <= depth + 1, "{node:?} has no parent");
        depth = node.depth;
    }
}

/// AMF0 values one after the other.
pub fn amf0(data: &[u8]) {
    values(data, amf::amf0::decode, amf::amf0::encode);
}

/// AMF3 values one after the other.
pub fn amf3(data: &[u8]) {
    values(data, amf::amf3::decode, amf::amf3::encode);
}

type Decode =
    for<'a> fn(&mut Reader<'a, '_>, &mut State<'a>) -> Result<Value, rtmpscope::base::Stop>;

fn values(data: &[u8], decode: Decode, encode: fn(&Value) -> Vec<u8>) {
    let read = |mut r: Reader<'_, '_>, most: usize| {
        let mut state = State::new();
        let mut values = Vec::new();
        while !r.is_empty() && values.len() < most {
            match decode(&mut r, &mut state) {
                Ok(value) => values.push(value),
                Err(stop) => {
                    assert!(stop.at <= data.len());
                    return (values, false);
                }
            }
        }
        (values, true)
    };
    let (values, _) = read(Reader::new(data), usize::MAX);
    let mut fields = FieldTree::new();
    let (explained, _) = read(Reader::with_fields(data, &mut fields), usize::MAX);
    assert_eq!(format!("{values:?}"), format!("{explained:?}"), "listening changes the outcome");
    check_fields(&fields, data.len());
    if refers(&values) {
        return;
    }
    // Values that were read whole survive being written and read again.
    let written: Vec<u8> = values.iter().flat_map(encode).collect();
    let mut state = State::new();
    let mut r = Reader::new(&written);
    for value in &values {
        let again = decode(&mut r, &mut state).expect("what was written can be read");
        assert_eq!(format!("{again:?}"), format!("{value:?}"));
    }
    assert!(r.is_empty());
}

/// Audio and video messages, configuration records, FLV files: a byte says which, then the bytes.
pub fn flv(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    match kind & 3 {
        0 => tag(data, Media::Video),
        1 => tag(data, Media::Audio),
        2 => records(data),
        _ => file(data),
    }
}

fn tag(data: &[u8], media: Media) {
    let run = |r: &mut Reader<'_, '_>, len: usize| match media {
        Media::Video => {
            let (tag, stop) = VideoTag::decode(r, len);
            (format!("{tag:?}"), tag.tracks, stop)
        }
        Media::Audio => {
            let (tag, stop) = AudioTag::decode(r, len);
            (format!("{tag:?}"), tag.tracks, stop)
        }
    };
    let (tag, tracks, stop) = run(&mut Reader::new(data), data.len());
    let mut fields = FieldTree::new();
    let (explained, _, _) = run(&mut Reader::with_fields(data, &mut fields), data.len());
    assert_eq!(tag, explained, "listening changes the outcome");
    check_fields(&fields, data.len());
    for Track { range, .. } in &tracks {
        assert!(range.start <= range.end && range.end <= data.len(), "{range:?} of {}", data.len());
    }
    assert!(stop.is_none_or(|stop| stop.at <= data.len()));
    // Of what does not have to be whole, the engine keeps the first 64 bytes.
    let start = &data[..data.len().min(64)];
    if !needs_whole(media, &data[..data.len().min(16)]) {
        let (short, _, _) = run(&mut Reader::new(start), data.len());
        assert_eq!(short, tag, "the first bytes do not suffice");
    }
}

fn records(data: &[u8]) {
    const CODECS: [&str; 15] = [
        "avc", "hevc", "vvc", "av1", "vp8", "vp9", "aac", "opus", "flac", "ac3", "eac3", "mp3",
        "h263", "vp6", "screen2",
    ];
    for name in CODECS {
        for decode in [codec::decode_config, codec::decode_frame] {
            let plain = decode(&mut Reader::new(data), name);
            let mut fields = FieldTree::new();
            let explained = decode(&mut Reader::with_fields(data, &mut fields), name);
            assert_eq!(format!("{plain:?}"), format!("{explained:?}"), "{name}");
            check_fields(&fields, data.len());
        }
    }
}

fn file(data: &[u8]) {
    let mut end = 0;
    for tag in FileTags::new(data).flatten() {
        assert!(tag.offset >= end, "tags do not overlap");
        end = tag.offset + 11 + tag.data.len();
        assert!(end <= data.len());
    }
}
