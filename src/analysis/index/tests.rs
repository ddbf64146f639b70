use super::arena::Arena;
use super::*;
use crate::analysis::{MessageRecord, Options, Pipeline, Record};
use crate::base::{Extents, Run};
use crate::capture::{Capture, Input, OpenOptions};
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
        let back = arena.get(at);
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
