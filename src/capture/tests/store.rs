use std::path::PathBuf;

use super::*;
use crate::base::PacketSource;

fn captures() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/captures");
    let entries = std::fs::read_dir(folder).expect("captures");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().contains(".pcap"));
    paths.sort();
    assert!(paths.len() > 40, "{} captures", paths.len());
    paths
}

/// What was read, and a store of it.
fn load(inputs: Vec<Input>, mut store: StoreWriter) -> (Vec<Packet>, StoreReader) {
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("opens");
    let mut packets = Vec::new();
    while let Some(packet) = capture.next_packet() {
        store.push(&packet, capture.position()).expect("stored");
        packets.push(packet);
    }
    store.flush().expect("flushed");
    (packets, store.reader())
}

fn all(reader: &mut StoreReader) -> Vec<Packet> {
    let mut packets: Vec<Packet> = Vec::new();
    loop {
        let next = packets.len() as u64 + 1;
        let more = reader.packets(next, u64::MAX).expect("read again");
        if more.is_empty() {
            return packets;
        }
        packets.extend(more);
    }
}

fn assert_same(again: &[Packet], packets: &[Packet], what: &str) {
    assert_eq!(again.len(), packets.len(), "{what}");
    for (again, packet) in again.iter().zip(packets) {
        let bare = |p: &Packet| (p.frame, p.time, p.link, p.original_len);
        assert_eq!(bare(again), bare(packet), "{what}");
        assert_eq!(again.data, packet.data, "{what} frame {}", packet.frame);
    }
}

/// Plain files from the file itself, compressed ones and spooled ones from the spool.
#[test]
fn every_capture_comes_back_as_it_was_read() {
    for path in captures() {
        let name = path.display().to_string();
        let inputs = || vec![Input::Path(path.clone())];
        for store in [StoreWriter::new(&inputs()), StoreWriter::spooled(u64::MAX)] {
            let (packets, mut reader) = load(inputs(), store.expect("a store"));
            assert_eq!(reader.len(), packets.len() as u64);
            assert_same(&all(&mut reader), &packets, &name);
            let middle = packets.len() as u64 / 2 + 1;
            let one = reader.packet(middle).expect("read again");
            assert_same(one.as_slice(), &packets[middle as usize - 1..][..1], &name);
        }
    }
}

#[test]
fn several_inputs_are_numbered_as_they_were_merged() {
    let paths = [captures()[3].clone(), captures()[20].clone()];
    let inputs = || paths.iter().map(|path| Input::Path(path.clone())).collect::<Vec<_>>();
    let (packets, mut reader) = load(inputs(), StoreWriter::new(&inputs()).expect("a store"));
    assert_same(&all(&mut reader), &packets, "merged");
}

fn numbered(frame: u64, len: usize) -> Packet {
    Packet {
        frame,
        time: Timestamp(frame as i64),
        link: LinkType::RAW,
        data: vec![frame as u8; len].into(),
        original_len: len as u32,
    }
}

#[test]
fn frames_that_are_not_there_are_none() {
    let mut store = StoreWriter::spooled(u64::MAX).expect("a store");
    let mut reader = store.reader();
    assert!(reader.is_empty());
    store.push(&numbered(1, 10), None).expect("stored");
    assert!(reader.packets(1, 9).expect("nothing flushed").is_empty());
    store.flush().expect("flushed");
    assert_eq!(reader.packets(1, 9).expect("read").len(), 1);
    assert!(reader.packets(0, 9).expect("no frame 0").is_empty());
    assert!(reader.packets(2, 9).expect("not there").is_empty());
    assert!(reader.packets(9, 2).expect("backwards").is_empty());
}

/// A reader in another thread sees whole packets only, while they are being written.
#[test]
fn a_reader_follows_the_writer() {
    let mut store = StoreWriter::spooled(u64::MAX).expect("a store");
    let mut reader = store.reader();
    const PACKETS: u64 = 20_000;
    let thread = std::thread::spawn(move || {
        let mut next = 1;
        while next <= PACKETS {
            for packet in reader.packets(next, u64::MAX).expect("read") {
                assert_eq!(packet.frame, next);
                let len = (next % 700) as usize;
                assert_eq!((packet.data.len(), packet.time.0), (len, next as i64));
                assert!(packet.data.iter().all(|&byte| byte == next as u8));
                next += 1;
            }
        }
    });
    for frame in 1..=PACKETS {
        store.push(&numbered(frame, (frame % 700) as usize), None).expect("stored");
        if frame % 97 == 0 {
            store.flush().expect("flushed");
        }
    }
    store.flush().expect("flushed");
    thread.join().expect("the reader saw every packet");
}

#[test]
fn a_limited_spool_lets_the_oldest_go_and_says_so() {
    let mut store = StoreWriter::spooled(100 << 20).expect("a store");
    // 400 MiB.
    for frame in 1..=1600 {
        store.push(&numbered(frame, 256 << 10), None).expect("stored");
    }
    store.flush().expect("flushed");
    let reader = store.reader();
    let error = reader.packet(1).expect_err("gone");
    assert!(error.contains("packet 1 is no longer kept"), "{error}");
    // 100 MiB are 400 of them.
    for frame in 1200..=1600 {
        let packet = reader.packet(frame).expect("kept").expect("there");
        assert!(packet.data.iter().all(|&byte| byte == frame as u8));
    }
}

#[test]
fn a_capture_file_that_shrank_is_named() {
    let mut file = PcapBytes::micros();
    for second in 0..10 {
        file.packet(second, &[7; 100]);
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("x.pcap");
    std::fs::write(&path, &file.bytes).expect("written");
    let inputs = || vec![Input::Path(path.clone())];
    let (_, reader) = load(inputs(), StoreWriter::new(&inputs()).expect("a store"));
    std::fs::OpenOptions::new().write(true).open(&path).and_then(|f| f.set_len(300)).expect("cut");
    assert!(reader.packet(2).expect("still there").is_some());
    let error = reader.packet(9).expect_err("cut off");
    assert!(error.contains("packet 9") && error.contains("x.pcap"), "{error}");
}
