//! Every publish and play of `captures/` as an FLV file: read back by our reader, and by ffprobe.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rtmpscope::analysis::figures::{Figures, TrackFigures};
use rtmpscope::analysis::{Options, Pipeline, Record};
use rtmpscope::base::Reader;
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::report::{Extracted, FlvExtractor, MediaStream, MediaSurvey, Redactor, StreamKey};
use rtmpscope::wire::flv::{AudioTag, FileTags, VideoTag};
use rtmpscope::wire::message::{Body, MessageType};

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|e| e != "md"))
        .collect();
    paths.sort();
    assert!(paths.len() > 40);
    paths
}

fn read(path: &Path, keep_media: bool, mut take: impl FnMut(Record)) {
    let mut capture =
        Capture::open(vec![Input::Path(path.to_owned())], OpenOptions::default()).unwrap();
    let mut options = Options { frames: false, ..Options::default() };
    options.session.keep_media = keep_media;
    let mut pipeline = Pipeline::new(options);
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut take);
    }
    pipeline.finish(Vec::new(), &mut take);
}

fn streams(path: &Path) -> Vec<MediaStream> {
    let mut survey = MediaSurvey::new();
    read(path, false, |record| survey.push(&record));
    survey.streams().cloned().collect()
}

fn extract(path: &Path, stream: &MediaStream) -> (Vec<u8>, Extracted) {
    let mut redactor = Redactor::new(false);
    let mut extractor = FlvExtractor::new(Vec::new(), stream).unwrap();
    read(path, true, |mut record| {
        let redactions = redactor.redact(&mut record);
        extractor.push(&record, &redactions).unwrap();
    });
    extractor.finish().unwrap()
}

/// Whole messages of a stream: all and coded ones, audio and video; tracks counted one by one.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Count {
    messages: [u64; 2],
    coded: [u64; 2],
    enhanced: bool,
}

impl Count {
    fn add(&mut self, body: &Body) {
        match body {
            Body::Audio(tag) if !tag.empty => {
                self.messages[0] += 1;
                self.coded[0] += if tag.is_coded() { tag.tracks.len() as u64 } else { 0 };
                self.enhanced |= tag.enhanced;
            }
            Body::Video(tag) => {
                self.messages[1] += 1;
                self.coded[1] += if tag.is_coded() { tag.tracks.len() as u64 } else { 0 };
                self.enhanced |= tag.enhanced || tag.codec_id == Some(12);
            }
            Body::Aggregate(parts) => parts.iter().for_each(|part| self.add(&part.body)),
            _ => {}
        }
    }
}

fn in_capture(path: &Path, key: StreamKey) -> Count {
    let mut count = Count::default();
    read(path, true, |record| {
        if let Record::Message(record) = record {
            let message = &record.message;
            let of = (record.session, message.stream_id, message.direction);
            if of == (key.session, key.stream_id, key.direction) && message.complete {
                count.add(&message.body);
            }
        }
    });
    count
}

fn in_file(file: &[u8]) -> Count {
    let mut count = Count::default();
    let mut last: BTreeMap<u8, u32> = BTreeMap::new();
    for tag in FileTags::new(file) {
        let tag = tag.expect("a whole tag");
        assert_eq!(tag.previous_tag_size, Some(11 + tag.data.len() as u32));
        let before = last.insert(tag.kind, tag.timestamp).unwrap_or(0);
        assert!(tag.timestamp >= before, "timestamps go back: {before}, {}", tag.timestamp);
        let mut reader = Reader::new(tag.data);
        match tag.kind {
            8 => count.add(&Body::Audio(AudioTag::decode(&mut reader, tag.data.len()).0)),
            9 => count.add(&Body::Video(VideoTag::decode(&mut reader, tag.data.len()).0)),
            18 => assert!(tag.data.starts_with(b"\x02"), "script data begins with a name"),
            kind => panic!("tag type {kind}"),
        }
    }
    count
}

#[test]
fn files_hold_what_the_captures_hold() {
    let (mut files, mut played, mut enhanced, mut aggregates) = (0, 0, 0, 0);
    for path in captures() {
        for stream in streams(&path) {
            let (file, done) = extract(&path, &stream);
            let name = format!("{} {:?}", path.display(), stream.key);
            let expected = in_capture(&path, stream.key);
            assert_eq!(in_file(&file), expected, "{name}");
            assert_eq!([done.audio, done.video], expected.messages, "{name}");
            if done.is_whole() {
                assert_eq!([stream.audio, stream.video], expected.messages, "{name}");
            }
            assert_eq!(done.resets, [], "{name}");
            files += 1;
            played += u64::from(stream.key.direction.index() == 1);
            enhanced += u64::from(expected.enhanced);
            aggregates += done.aggregates;
        }
    }
    assert!(files > 30 && played > 6 && enhanced > 4, "{files} {played} {enhanced}");
    assert!(aggregates > 0, "a server that sends aggregates");
}

#[test]
fn the_first_frame_is_at_zero() {
    for path in captures() {
        for stream in streams(&path) {
            let (file, _) = extract(&path, &stream);
            let first = FileTags::new(&file).map(Result::unwrap).find(|tag| {
                let mut reader = Reader::new(tag.data);
                match tag.kind {
                    8 => AudioTag::decode(&mut reader, tag.data.len()).0.is_coded(),
                    9 => VideoTag::decode(&mut reader, tag.data.len()).0.is_coded(),
                    _ => false,
                }
            });
            // The other kind may begin earlier by as much as they are interleaved.
            let at = first.map_or(0, |tag| tag.timestamp);
            assert!(at < 300, "{} {:?}: {at} ms", path.display(), stream.key);
        }
    }
}

#[test]
fn gaps_are_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/derived_gap_acked_unseen.pcap");
    let (_, done) = extract(&path, &streams(&path)[0]);
    assert!(!done.is_whole() && done.gap_count > 0 && done.video < 64, "{done:?}");
    assert_eq!(done.gaps.len() as u64, done.gap_count);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/message_over_1MiB_nginx.pcap");
    let (_, done) = extract(&path, &streams(&path)[0]);
    assert!(!done.is_whole() && done.damaged == 1, "{done:?}");
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/midstream_no_handshake_nginx.pcap");
    let (_, done) = extract(&path, &streams(&path)[0]);
    assert!(done.unconfigured[0] > 0 && done.unconfigured[1] > 0, "{done:?}");
}

/// Without ffprobe the test passes over, loudly, except in CI.
fn have(program: &str) -> bool {
    let found = Command::new(program).arg("-version").stdin(Stdio::null()).output().is_ok();
    if !found {
        let why = format!("{program} is missing; `make test-tools` installs it");
        assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
        eprintln!("SKIPPED: {why}");
    }
    found
}

fn keep(file: &[u8]) -> tempfile::NamedTempFile {
    let mut kept = tempfile::Builder::new().suffix(".flv").tempfile().unwrap();
    kept.write_all(file).unwrap();
    kept.flush().unwrap();
    kept
}

fn output(program: &str, args: &[&str], file: &Path) -> Vec<String> {
    let output = Command::new(program).args(args).arg(file).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Packets that ffprobe counts: audio, video.
fn ffprobe_counts(file: &Path) -> [u64; 2] {
    let args = [
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        "stream=codec_type,nb_read_packets",
        "-of",
        "csv=p=0",
    ];
    let mut counts = [0; 2];
    for line in output("ffprobe", &args, file) {
        let mut fields = line.split(',');
        let kind = fields.next().unwrap_or_default();
        let count = fields.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        match kind {
            "audio" => counts[0] += count,
            "video" => counts[1] += count,
            _ => {}
        }
    }
    counts
}

#[test]
fn ffprobe_counts_the_same_packets() {
    if !have("ffprobe") {
        return;
    }
    let mut compared = 0;
    for path in captures() {
        for stream in streams(&path) {
            let count = in_capture(&path, stream.key);
            let (file, done) = extract(&path, &stream);
            // FFmpeg before 6.1 knows no Enhanced RTMP; nobody can open AVC without its
            // configuration; and a configuration alone is no packet.
            if count.enhanced || done.unconfigured != [0, 0] || count.coded == [0, 0] {
                continue;
            }
            let kept = keep(&file);
            let name = format!("{} {:?}", path.display(), stream.key);
            assert_eq!(ffprobe_counts(kept.path()), count.coded, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 24, "{compared}");
}

/// `RTMPSCOPE_FFMPEG` names an FFmpeg that knows Enhanced RTMP with several tracks (8 and later):
/// Debian's is older.
#[test]
fn a_new_ffmpeg_counts_the_same_packets_of_enhanced_streams() {
    let Some(ffmpeg) = std::env::var_os("RTMPSCOPE_FFMPEG") else {
        eprintln!("SKIPPED: RTMPSCOPE_FFMPEG names no FFmpeg 8 or later");
        return;
    };
    let mut compared = 0;
    for path in captures() {
        for stream in streams(&path) {
            let count = in_capture(&path, stream.key);
            let (file, _) = extract(&path, &stream);
            if !count.enhanced {
                continue;
            }
            let kept = keep(&file);
            let mut counts = [0, 0];
            // With -copyinkf: a player that joined late begins with inter frames.
            for (kind, count) in ["a", "v"].iter().zip(&mut counts) {
                let output = Command::new(&ffmpeg)
                    .args(["-v", "quiet", "-i"])
                    .arg(kept.path())
                    .args(["-map", &format!("0:{kind}?"), "-copyinkf", "-c", "copy"])
                    .args(["-f", "framecrc", "-"])
                    .stdin(Stdio::null())
                    .output()
                    .unwrap();
                let text = String::from_utf8_lossy(&output.stdout);
                *count = text.lines().filter(|line| !line.starts_with('#')).count() as u64;
            }
            assert_eq!(counts, count.coded, "{} {:?}", path.display(), stream.key);
            compared += 1;
        }
    }
    assert!(compared > 6, "{compared}");
}

/// Video packets as ffprobe sees them: decoding time in milliseconds, and whether it is a key
/// frame.
fn ffprobe_video(file: &Path) -> Vec<(i64, bool)> {
    let args = [
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "packet=dts,flags",
        "-of",
        "csv=p=0",
    ];
    let line = |line: String| {
        let (dts, flags) = line.split_once(',')?;
        Some((dts.parse().ok()?, flags.starts_with('K')))
    };
    output("ffprobe", &args, file).into_iter().filter_map(line).collect()
}

fn video_figures(path: &Path) -> TrackFigures {
    let mut figures = Figures::new();
    read(path, false, |record| figures.push(&record));
    let figures = figures.session(1).unwrap();
    figures.streams[0].tracks.iter().find(|t| t.media == MessageType::VIDEO).unwrap().clone()
}

/// Numbers that were counted by hand from `ffprobe -show_packets`, and that ffprobe gives again.
#[test]
fn figures_agree_with_ffprobe() {
    if !have("ffprobe") {
        return;
    }
    for (name, frames, span, gops) in [
        ("ffmpeg_publish_nginx.pcap", 62, 4066, &[(2000, 30); 2][..]),
        ("stall_zero_window_server_stopped_6s.pcap", 225, 8960, &[(1000, 25); 8][..]),
        ("vod_play_rtmpdump_nginx_flv.pcap", 120, 7933, &[(2000, 30); 3][..]),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
        let (file, _) = extract(&path, &streams(&path)[0]);
        let kept = keep(&file);
        let packets = ffprobe_video(kept.path());
        let figures = video_figures(&path);
        let theirs = packets.last().unwrap().0 - packets[0].0;
        let keys: Vec<usize> =
            packets.iter().enumerate().filter(|(_, (_, key))| *key).map(|(at, _)| at).collect();
        let their_gops: Vec<(i64, u64)> = keys
            .windows(2)
            .map(|pair| (packets[pair[1]].0 - packets[pair[0]].0, (pair[1] - pair[0]) as u64))
            .collect();
        let ours: Vec<(i64, u64)> =
            figures.gop.table.iter().filter(|g| g.whole).map(|g| (g.millis, g.frames)).collect();
        assert_eq!(ours, their_gops, "{name}");
        assert_eq!(ours, gops, "{name}");
        assert_eq!((figures.frames, packets.len() as u64), (frames, frames), "{name}");
        let (first, last) = figures.timestamps.unwrap();
        assert_eq!((last - first, theirs), (span, span), "{name}");
        let fps = (frames - 1) as f64 * 1000.0 / span as f64;
        assert!((figures.fps_timestamp.unwrap() - fps).abs() < 1e-9, "{name}");
    }
}
