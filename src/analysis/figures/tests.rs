//! On real recordings; what ffprobe says of them is in `tests/extract.rs`.

use super::*;
use crate::analysis::{Options, Pipeline, Record};
use crate::base::Direction;
use crate::capture::{Capture, Input, OpenOptions};
use crate::wire::message::MessageType;

fn load(name: &str) -> Figures {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut figures = Figures::new();
    let mut sink = |record: Record| figures.push(&record);
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    figures
}

fn only(name: &str) -> SessionFigures {
    let figures = load(name);
    assert_eq!(figures.sessions(), 1, "{name}");
    figures.session(1).unwrap()
}

fn track(figures: &SessionFigures, media: MessageType) -> &TrackFigures {
    let [stream] = &figures.streams[..] else { panic!("{} streams", figures.streams.len()) };
    stream.tracks.iter().find(|track| track.media == media).unwrap()
}

#[test]
fn a_live_publish_in_numbers() {
    let figures = only("obs_publish_nginx.pcap");
    let video = track(&figures, MessageType::VIDEO);
    assert_eq!((video.messages, video.frames, video.key_frames, video.configs), (139, 138, 1, 1));
    assert_eq!(video.timestamps, Some((0, 13_700)));
    assert_eq!(video.fps_timestamp, Some(10.0));
    assert!((video.fps_arrival.unwrap() - 9.92).abs() < 0.01);
    assert_eq!(video.gop.table.len(), 1);
    assert!(!video.gop.table[0].whole && video.gop.millis.is_none());
    assert_eq!((video.backwards, video.repeated, video.interruptions), (0, 0, 0));
    let audio = track(&figures, MessageType::AUDIO);
    // AAC has 1024 samples in a frame: 44100 / 1024.
    assert!((audio.fps_timestamp.unwrap() - 43.07).abs() < 0.01);
    let av = figures.streams[0].av.as_ref().unwrap();
    assert_eq!((av.start, av.interleave), (Some(0), 99));
    // Both are made by one clock.
    assert!(av.drift_ppm.unwrap().abs() < 700.0, "{:?}", av.drift_ppm);
    assert!(figures.streams[0].clock.drift_ppm.unwrap().abs() < 700.0);
    let names: Vec<_> = figures.responses.iter().map(|r| (&*r.command, r.response)).collect();
    assert_eq!(
        names,
        [
            ("connect", Some(1_064_000)),
            ("releaseStream", None),
            ("FCPublish", None),
            ("createStream", Some(177_000)),
            ("publish", Some(811_000)),
        ]
    );
    let setup = &figures.setup;
    let order = [
        setup.handshake,
        setup.connect,
        setup.connected,
        setup.stream_created,
        setup.requested,
        setup.answered,
        setup.first_key_frame,
        setup.first_audio,
    ];
    assert!(order.is_sorted() && order[0].is_some(), "{order:?}");
    assert_eq!(figures.handshake.round_trip, Some(431_000));
    assert_eq!(figures.confidence.share(), Some(1.0));
    assert_eq!(figures.loss, LossFigures::default());
    let close = figures.close.as_ref().unwrap();
    assert!(close.sentence.starts_with("the client closed the connection"), "{}", close.sentence);
    assert!(close.unanswered.is_empty());
    let sent = &figures.directions[Direction::ClientToServer.index()];
    let seconds: u64 = sent.seconds.iter().map(Second::total).sum();
    assert_eq!(seconds, sent.payload + sent.headers);
    assert_eq!(sent.chunk_sizes.last().map(|size| size.value), Some(4096));
    assert!(sent.overhead().unwrap() > 0.0 && sent.overhead().unwrap() < 10.0);
    // nginx-rtmp acknowledges only every 5 MB.
    assert_eq!(sent.acks.count, 0);
    assert!(sent.acks.max_unacked >= seconds + 3073);
}

#[test]
fn figures_leave_lost_bytes_out() {
    let whole = only("ffmpeg_publish_nginx.pcap");
    let lossy = only("derived_gap_acked_unseen.pcap");
    let (a, b) = (track(&whole, MessageType::VIDEO), track(&lossy, MessageType::VIDEO));
    assert_eq!(a.interruptions, 0);
    assert!(b.interruptions > 0 && b.frames < a.frames);
    // The recording is the same one with packets taken out: what remains has the same pace.
    assert!((a.fps_timestamp.unwrap() - b.fps_timestamp.unwrap()).abs() < 0.5);
    assert_eq!(a.largest_step, b.largest_step);
    assert!(lossy.loss.capture > 0 && lossy.loss.network == 0);
    assert!(lossy.confidence.share().unwrap() < 1.0);
}

#[test]
fn a_denied_publish_says_how_it_ended() {
    let all = load("publish_denied_nginx.pcap");
    let sentences: Vec<_> = all.all().filter_map(|f| Some(f.close?.sentence)).collect();
    assert!(
        sentences.iter().all(|s| s.contains("the server reset the connection")),
        "{sentences:?}"
    );
    assert!(all.all().all(|f| f.streams.is_empty() && f.setup.first_video.is_none()));
}

#[test]
fn multitrack_media_is_counted_by_track() {
    let figures = only("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap");
    let tracks = &figures.streams[0].tracks;
    let codecs: Vec<_> = tracks.iter().map(|t| (t.media.kind(), t.track, &*t.codec)).collect();
    assert!(codecs.contains(&("video", Some(1), "hevc")), "{codecs:?}");
    assert!(tracks.iter().all(|track| track.frames > 10), "{codecs:?}");
}
