//! Inputs that grow while they are read.

use std::fs::{File, OpenOptions as FileOptions};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Far more than anything here takes; a test that waits this long has failed.
const BOUND: Duration = Duration::from_secs(20);

fn packet_soon(capture: &mut Capture) -> Packet {
    match capture.poll_packet(BOUND) {
        Next::Packet(packet) => packet,
        other => panic!("no packet in time: {other:?} {:?}", capture.errors()),
    }
}

fn ends_soon(capture: &mut Capture) {
    let start = Instant::now();
    match capture.poll_packet(BOUND) {
        Next::End => assert!(start.elapsed() < BOUND),
        other => panic!("no end: {other:?}"),
    }
}

fn nothing_now(capture: &mut Capture) {
    let next = capture.poll_packet(Duration::from_millis(120));
    assert!(matches!(next, Next::Idle), "{next:?}");
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = FileOptions::new().append(true).create(true).open(path).expect("it opens");
    file.write_all(bytes).expect("written");
}

fn follow(path: &Path) -> (Capture, StopFlag) {
    let stop = StopFlag::new();
    let options = OpenOptions { follow: true, stop: stop.clone() };
    (Capture::open(vec![Input::Path(path.to_owned())], options).expect("it opens"), stop)
}

/// A file header and the records, one by one.
fn pieces() -> Vec<Vec<u8>> {
    let mut file = PcapBytes::micros();
    let mut pieces = vec![std::mem::take(&mut file.bytes)];
    for n in 0..5 {
        file.packet(n, &payload(n as usize, 100));
        pieces.push(std::mem::take(&mut file.bytes));
    }
    pieces
}

#[test]
fn a_growing_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("growing");
    append(&path, b"");
    let (mut capture, stop) = follow(&path);
    let pieces = pieces();
    nothing_now(&mut capture);
    append(&path, &pieces[0]);
    nothing_now(&mut capture);
    append(&path, &pieces[1]);
    assert_eq!(packet_soon(&mut capture).data, payload(0, 100));
    // Half a record is no damage, nor a packet.
    append(&path, &pieces[2][..50]);
    nothing_now(&mut capture);
    append(&path, &pieces[2][50..]);
    assert_eq!(packet_soon(&mut capture).data, payload(1, 100));
    append(&path, &[&pieces[3][..], &pieces[4], &pieces[5][..9]].concat());
    stop.stop();
    // What was written before the stop still comes.
    assert_eq!(packet_soon(&mut capture).data, payload(2, 100));
    assert_eq!(packet_soon(&mut capture).data, payload(3, 100));
    ends_soon(&mut capture);
    assert_eq!(kinds(&capture), []);
}

#[test]
fn a_growing_compressed_file_written_by_another_thread() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("growing.gz");
    File::create(&path).expect("created");
    let (mut capture, stop) = follow(&path);
    let writer = thread::spawn(move || {
        for piece in pieces() {
            thread::sleep(Duration::from_millis(30));
            append(&path, &gzip(&piece));
        }
    });
    for n in 0..5 {
        assert_eq!(packet_soon(&mut capture).data, payload(n, 100));
    }
    writer.join().expect("written");
    stop.stop();
    ends_soon(&mut capture);
    assert_eq!(kinds(&capture), []);
}

#[test]
fn two_growing_files_do_not_wait_for_each_other_for_ever() {
    let dir = tempfile::tempdir().expect("a directory");
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let pieces = pieces();
    append(&a, &pieces[0]);
    append(&b, &pieces[0]);
    let stop = StopFlag::new();
    let options = OpenOptions { follow: true, stop: stop.clone() };
    let inputs = vec![Input::Path(a.clone()), Input::Path(b.clone())];
    let mut capture = Capture::open(inputs, options).expect("they open");
    append(&a, &pieces[1]);
    append(&a, &pieces[3]);
    assert_eq!(packet_soon(&mut capture).data, payload(0, 100));
    assert_eq!(packet_soon(&mut capture).data, payload(2, 100));
    nothing_now(&mut capture);
    append(&b, &pieces[2]);
    assert_eq!(packet_soon(&mut capture).data, payload(1, 100));
    stop.stop();
    ends_soon(&mut capture);
    assert_eq!(kinds(&capture), []);
}

#[test]
fn a_followed_file_that_is_cut_replaced_or_removed_ends_with_a_word() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let pieces = pieces();
    let begin = || {
        std::fs::write(&path, [&pieces[0][..], &pieces[1]].concat()).expect("written");
        let (mut capture, _) = follow(&path);
        assert_eq!(packet_soon(&mut capture).frame, 1);
        capture
    };
    let mut capture = begin();
    File::create(&path).expect("cut to nothing");
    ends_soon(&mut capture);
    let read = (pieces[0].len() + pieces[1].len()) as u64;
    assert_eq!(kinds(&capture), [CaptureErrorKind::FollowTruncated { read, now: 0 }]);

    let mut capture = begin();
    std::fs::remove_file(&path).expect("removed");
    ends_soon(&mut capture);
    assert_eq!(kinds(&capture), [CaptureErrorKind::FollowRemoved]);

    if cfg!(unix) {
        let mut capture = begin();
        append(&path, &pieces[2]);
        let other = dir.path().join("other");
        std::fs::write(&other, &pieces[0]).expect("written");
        std::fs::rename(&other, &path).expect("renamed");
        assert_eq!(packet_soon(&mut capture).frame, 2);
        ends_soon(&mut capture);
        assert_eq!(kinds(&capture), [CaptureErrorKind::FollowReplaced]);
    }
}

#[test]
fn a_pipe_gives_packets_before_it_is_closed() {
    for compress in [false, true] {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let mut capture =
            Capture::open(vec![Input::Reader(Box::new(reader))], OpenOptions::default())
                .expect("it opens");
        for (n, piece) in pieces().iter().enumerate() {
            let piece = if compress { zstd(piece) } else { piece.clone() };
            writer.write_all(&piece).expect("written");
            match n {
                0 => nothing_now(&mut capture),
                n => assert_eq!(packet_soon(&mut capture).data, payload(n - 1, 100)),
            }
        }
        nothing_now(&mut capture);
        drop(writer);
        ends_soon(&mut capture);
        assert_eq!(kinds(&capture), []);
    }
}

#[test]
fn a_stop_ends_a_silent_pipe_without_a_complaint() {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let stop = StopFlag::new();
    let options = OpenOptions { follow: false, stop: stop.clone() };
    let mut capture =
        Capture::open(vec![Input::Reader(Box::new(reader))], options).expect("it opens");
    let pieces = pieces();
    writer.write_all(&[&pieces[0][..], &pieces[1], &pieces[2][..30]].concat()).expect("written");
    assert_eq!(packet_soon(&mut capture).frame, 1);
    nothing_now(&mut capture);
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(60));
        stop.stop();
    });
    assert!(capture.next_packet().is_none());
    stopper.join().expect("stopped");
    assert_eq!(kinds(&capture), []);
}
