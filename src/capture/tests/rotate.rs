use std::path::Path;

use super::*;

fn numbered(frame: u64, len: usize) -> Packet {
    Packet {
        frame,
        time: Timestamp(i64::from(START) * 1_000_000_000 + frame as i64 * 1_000_000),
        link: LinkType::ETHERNET,
        data: vec![frame as u8; len].into(),
        original_len: len as u32,
    }
}

fn writer(dir: &Path, options: RotateOptions) -> RotatingWriter {
    let dir = dir.to_owned();
    let name = Box::new(move |number| dir.join(format!("x{number:03}.pcapng")));
    RotatingWriter::create(name, options, "lo", Some("tcp port 1935")).expect("created")
}

/// The packets of files, and the problems met.
fn read(paths: &[std::path::PathBuf]) -> (Vec<Packet>, usize) {
    let inputs = paths.iter().map(|path| Input::Path(path.clone())).collect();
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("opens");
    let mut packets = Vec::new();
    while let Some(packet) = capture.next_packet() {
        packets.push(packet);
    }
    (packets, capture.errors().len())
}

fn check(packets: &[Packet], from: u64) {
    for (number, packet) in packets.iter().enumerate() {
        let frame = from + number as u64;
        assert_eq!(packet.time, numbered(frame, 0).time);
        assert!(packet.data.iter().all(|&byte| byte == frame as u8));
    }
}

#[test]
fn files_of_a_size_hold_every_packet_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = RotateOptions { max_bytes: Some(10_000), ..RotateOptions::default() };
    let mut writer = writer(dir.path(), options);
    for frame in 1..=500 {
        writer.write(&numbered(frame, (frame % 900) as usize)).expect("written");
    }
    // Longer than a file may be.
    writer.write(&numbered(501, 20_000)).expect("written");
    writer.write(&numbered(502, 20)).expect("written");
    writer.finish(502, 0).expect("finished");
    let files = writer.files();
    assert!(files.len() > 10, "{files:?}");
    let sizes: Vec<u64> = files.iter().map(|f| f.metadata().expect("there").len()).collect();
    assert_eq!(sizes.iter().filter(|size| **size > 10_000).count(), 1, "{sizes:?}");
    let (packets, errors) = read(&files);
    assert_eq!((packets.len(), errors), (502, 0));
    check(&packets, 1);
}

#[test]
fn files_of_a_time_and_only_the_newest() {
    let dir = tempfile::tempdir().expect("a directory");
    let options =
        RotateOptions { max_ns: Some(50_000_000), max_files: Some(3), ..RotateOptions::default() };
    let mut writer = writer(dir.path(), options);
    for frame in 1..=475 {
        writer.write(&numbered(frame, 100)).expect("written");
    }
    writer.finish(475, 7).expect("finished");
    let files = writer.files();
    assert_eq!(files.len(), 3);
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 3);
    // 50 packets a file: of 475 the last three files hold 351 to 475, but the last only 25.
    let (packets, errors) = read(&files);
    assert_eq!((packets.len(), errors), (125, 0));
    check(&packets, 351);
}

/// What was flushed is whole at any time, without an end being written.
#[test]
fn a_file_can_be_read_while_it_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut writer = writer(dir.path(), RotateOptions::default());
    // Without a packet it is a capture already.
    let (packets, errors) = read(&writer.files());
    assert_eq!((packets.len(), errors), (0, 0));
    for frame in 1..=3000 {
        writer.write(&numbered(frame, 700)).expect("written");
        // Buffers are handed over by themselves now and then; what is there is whole blocks.
        if frame % 500 == 250 {
            let (packets, errors) = read(&writer.files());
            assert!(packets.len() as u64 <= frame && errors == 0);
            writer.flush().expect("flushed");
            let (packets, errors) = read(&writer.files());
            assert_eq!((packets.len() as u64, errors), (frame, 0));
            check(&packets, 1);
        }
    }
}

#[test]
fn the_file_says_where_it_was_captured_and_what_was_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut writer = writer(dir.path(), RotateOptions::default());
    writer.write(&numbered(1, 60)).expect("written");
    writer.finish(1, 42).expect("finished");
    let inputs = vec![Input::Path(writer.path().to_owned())];
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("opens");
    while capture.next_packet().is_some() {}
    let [interface] = capture.interfaces() else { panic!("{:?}", capture.interfaces()) };
    assert_eq!(interface.name.as_deref(), Some("lo"));
    assert_eq!(interface.dropped, Some(42));
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let name = Box::new(|_| "/nonexistent/x.pcapng".into());
    let error = RotatingWriter::create(name, RotateOptions::default(), "lo", None);
    let error = error.expect_err("cannot be created").to_string();
    assert!(error.contains("/nonexistent/x.pcapng"), "{error}");
}
