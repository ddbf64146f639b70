use super::arena::Arena;
use super::*;
use crate::analysis::{MessageRecord, Options, Pipeline, Record};
use crate::base::{Direction, Extents, Run};
use crate::capture::{Capture, Input, OpenOptions};
use crate::flow::TcpEventKind;
use crate::rtmp::Hole;
use crate::wire::message::{Body, MessageType};

fn load(name: &str) -> (Index, Vec<MessageRecord>) {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut index = Index::new();
    let mut messages = Vec::new();
    let mut sink = |record: Record| {
        index.push(&record);
        if let Record::Message(record) = record {
            messages.push(record);
        }
    };
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    (index, messages)
}

#[test]
fn a_place_comes_back_as_it_was() {
    let mut arena = Arena::default();
    let mut places = Vec::new();
    for i in 0..50_u64 {
        let mut place = Place {
            first_frame: i * 1000,
            last_frame: i * 1000 + i,
            transfer_us: i * i * 77,
            offset: i << (i % 40),
            chunks: i as u32 * 3,
            received: i as u32 * 5000,
            holes: (0..i as u32 % 3).map(|k| Hole { at: k * 700 + 5, len: 3 + k }).collect(),
            headers: Extents::new(),
            pieces: Extents::new(),
        };
        for k in 0..i % 5 {
            let run = Run { offset: place.offset + k * 777, len: 1 + k, stride: 200, count: 1 + k };
            place.headers.push_run(run);
            // A message whose pieces lie before its header's is impossible, yet must not get lost.
            place.pieces.push_run(Run { offset: k, len: 128, stride: 129, count: k + 1 });
        }
        places.push((arena.push(&place).unwrap(), place));
    }
    for (at, place) in places {
        // A lone piece has no stride.
        let flat = |e: &Extents| e.pieces().collect::<Vec<_>>();
        let back = arena.get(at, place.first_frame);
        assert_eq!(flat(&back.headers), flat(&place.headers));
        assert_eq!(flat(&back.pieces), flat(&place.pieces));
        let bare = |p: &Place| {
            (p.first_frame, p.last_frame, p.transfer_us, p.offset, p.chunks, p.received)
        };
        assert_eq!(bare(&back), bare(&place));
        assert_eq!(back.holes, place.holes);
    }
}

#[test]
fn rows_say_what_the_messages_say() {
    for name in [
        "ffmpeg_publish_nginx.pcap",
        "obs_publish_nginx.pcap",
        "midstream_no_handshake_nginx.pcap",
        "derived_gap_acked_unseen.pcap",
        "enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap",
    ] {
        let (index, messages) = load(name);
        assert_eq!(index.messages(), messages.len(), "{name}");
        let mut next = vec![0; index.sessions.len()];
        for record in &messages {
            let session = index.session(record.session).unwrap();
            let at = &mut next[record.session as usize - 1];
            let row = &session.rows[*at];
            *at += 1;
            let message = &record.message;
            assert_eq!(row.time, message.time);
            assert_eq!(row.direction(), message.direction);
            assert_eq!(row.type_id, message.type_id);
            assert_eq!((row.csid(), row.fmt()), (message.csid, message.fmt));
            assert_eq!(row.stream_id(), message.stream_id);
            assert_eq!((row.timestamp, row.length), (message.timestamp, message.length));
            assert_eq!(row.complete(), message.complete);
            assert_eq!(row.confidence(), message.confidence);
            let place = session.place(row);
            assert_eq!(place.pieces, message.pieces);
            assert_eq!(place.headers, message.headers);
            assert_eq!(place.holes, message.holes);
            let end = |e: &Extents| e.pieces().map(|piece| piece.end).max().unwrap_or(0);
            let end = end(&message.headers).max(end(&message.pieces));
            assert_eq!(session.end_offset(row), end);
            assert_eq!(Some(&place.first_frame), record.frames.first());
            assert_eq!(Some(&place.last_frame), record.frames.last());
            if let Body::Video(tag) = &message.body {
                assert_eq!(row.composition_time(), tag.composition_time);
            }
            if let Some(reply) = &message.reply {
                let request = &session.rows[row.request().expect("a request")];
                assert_eq!(index.strings.get(request.label), reply.command.lossy());
                let time = session.response_time(row).unwrap();
                assert!((time - reply.response_time).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn a_message_costs_at_most_64_bytes() {
    assert_eq!(size_of::<Row>(), 48);
    for name in ["obs_publish_nginx.pcap", "nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap"] {
        let (index, _) = load(name);
        let mut bytes = index.messages() * size_of::<Row>();
        bytes += index.sessions.iter().map(|s| s.arena.used()).sum::<usize>();
        let each = bytes / index.messages();
        assert!(each <= 64, "{name}: {each} bytes a message");
    }
}

#[test]
fn sessions_keep_what_is_rare() {
    let (index, _) = load("obs_publish_nginx.pcap");
    let session = &index.sessions[0];
    assert_eq!(session.handshakes.len(), 2);
    assert_eq!(session.configs.iter().filter(|c| c.media == MessageType::VIDEO).count(), 1);
    assert_eq!(session.metadata.len(), 1);
    assert!(session.end.is_some() && index.end.is_some());
    let connect = session.rows.iter().find(|row| index.strings.get(row.label) == "connect");
    assert_eq!(index.strings.get(connect.unwrap().code()), "live");
}

/// Records of a capture, with and without what TCP did.
fn records(name: &str, tcp: bool) -> Vec<Record> {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options { tcp, ..Options::default() });
    let mut records = Vec::new();
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut |record| records.push(record));
    }
    pipeline.finish(Vec::new(), &mut |record| records.push(record));
    records
}

/// What TCP did is as often told as the counters at the end say, and changes nothing else.
#[test]
fn tcp_is_kept_when_asked_for() {
    for name in [
        "net_loss3_dup2_reorder10_delay20_publish_server_side.pcap",
        "stall_zero_window_server_stopped_6s.pcap",
        "net_publisher_killed_sigkill.pcap",
        "obs_publish_nginx.pcap",
        "junk_http_get_on_1935_nginx.pcap",
    ] {
        let with = records(name, true);
        let mut index = Index::new();
        with.iter().for_each(|record| index.push(record));
        let others: Vec<String> = with
            .iter()
            .filter(|record| !matches!(record, Record::Tcp(_)))
            .map(|record| format!("{record:?}"))
            .collect();
        let without: Vec<String> =
            records(name, false).iter().map(|record| format!("{record:?}")).collect();
        assert_eq!(others, without, "{name}");
        for session in &index.sessions {
            let end = session.end.as_ref().unwrap();
            for direction in Direction::BOTH {
                let count = |kind: &str| {
                    let of = session.tcp.events.iter().filter(|e| e.direction == direction);
                    of.filter(|event| event.kind.name() == kind).count() as u64
                };
                let stats = &end.tcp[direction.index()];
                assert_eq!(count("retransmission"), stats.retransmissions, "{name}");
                assert_eq!(count("out-of-order"), stats.out_of_order, "{name}");
                assert_eq!(count("keep-alive"), stats.keep_alives, "{name}");
                assert_eq!(count("zero-window"), stats.zero_window_spans, "{name}");
                let samples = session.tcp.samples(direction);
                let most = samples.iter().map(|sample| sample.in_flight()).max().unwrap_or(0);
                assert!(most <= stats.max_in_flight, "{name}");
                assert!(samples.is_sorted_by_key(|sample| sample.time), "{name}");
            }
        }
    }
}

#[test]
fn a_stalled_receiver_shows() {
    let records = records("stall_zero_window_server_stopped_6s.pcap", true);
    let mut index = Index::new();
    records.iter().for_each(|record| index.push(record));
    let session = &index.sessions[0];
    let opened: Vec<i64> = session
        .tcp
        .events
        .iter()
        .filter(|event| event.direction == Direction::ServerToClient)
        .filter_map(|event| match event.kind {
            TcpEventKind::WindowOpen { after_ns } => Some(after_ns),
            _ => None,
        })
        .collect();
    let longest = opened.iter().max().copied().unwrap_or(0);
    assert!((1_000_000_000..7_000_000_000).contains(&longest), "{opened:?}");
    let samples = session.tcp.samples(Direction::ClientToServer);
    assert!(samples.iter().any(|sample| sample.window() == Some(0)), "{samples:?}");
    // What tshark shows too: 77, scaled by 7 bits.
    assert_eq!(samples.iter().filter_map(|sample| sample.window()).max(), Some(77 << 7));
}
