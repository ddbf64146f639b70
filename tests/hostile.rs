//! Captures made to exhaust memory: each must stay below 256 MiB.
//!
//! Peak memory is `VmHWM` of `/proc/self/status`, the kernel's own high-water mark of the resident
//! set, read by the process that decoded as the last thing it does: this test runs itself again
//! with the capture's path in the environment. An address-space limit (`ulimit -v`) would count
//! memory that is reserved and never touched. Elsewhere than on Linux the captures are decoded all
//! the same, and memory is not measured.

mod support;

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rtmpscope::analysis::{Options, Pipeline, Record};
use rtmpscope::base::{LinkType, Packet, Timestamp};
use support::files::pcap_header;
use support::*;

const CAPTURE: &str = "RTMPSCOPE_HOSTILE_CAPTURE";
const LIMIT_KIB: u64 = 256 << 10;

/// Writes a connection packet by packet: hostile streams are larger than a `Scenario` should be.
struct Capture {
    trace: Trace,
    out: BufWriter<File>,
    sent: [i64; 2],
    packets: u64,
}

impl Capture {
    fn create(path: &Path) -> Capture {
        let mut scenario = Scenario::new(7);
        let flights = handshake::simple(&mut scenario.rng);
        scenario.raw(C2S, &flights.client_hello);
        scenario.raw(S2C, &flights.server);
        scenario.raw(C2S, &flights.client_reply);
        let net = Net { close: Close::Open, ..Net::default() };
        let trace = net.packetize(&scenario);
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a new file"));
        out.write_all(&pcap_header(LinkType::ETHERNET)).expect("room");
        let mut capture = Capture { trace, out, sent: [3073, 3073], packets: 0 };
        for segment in std::mem::take(&mut capture.trace.segments) {
            capture.segment(segment);
        }
        capture
    }

    fn segment(&mut self, segment: Segment) {
        self.packets += 1;
        self.trace.segments = vec![segment];
        let frame = self.trace.frames().remove(0);
        for word in [
            (frame.time_ns / 1_000_000_000) as u32,
            (frame.time_ns % 1_000_000_000) as u32,
            frame.data.len() as u32,
            frame.original_len,
        ] {
            self.out.write_all(&word.to_le_bytes()).expect("room");
        }
        self.out.write_all(&frame.data).expect("room");
    }

    /// Bytes of one direction at stream offset `seq`.
    fn at(&mut self, direction: Direction, seq: i64, payload: &[u8]) {
        let segment = Segment {
            time_ns: self.packets as i64 * 10_000,
            direction,
            seq,
            ack: self.sent[direction.reverse().index()],
            flags: packets::ACK | packets::PSH,
            payload: payload.to_vec().into(),
            offload: false,
            snaplen: None,
        };
        self.segment(segment);
    }

    /// The next bytes of the client, in segments of 60 kB, each acknowledged.
    fn send(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(60_000) {
            self.at(C2S, self.sent[0], piece);
            self.sent[0] += piece.len() as i64;
            self.at(S2C, self.sent[1], &[]);
        }
    }

    /// A whole command message in chunks of its own size.
    fn message(&mut self, type_id: MessageType, payload: &[u8]) {
        let mut out = b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\x00\xff\xff\xff".to_vec();
        out.extend_from_slice(&[3, 0, 0, 0]);
        out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        out.extend_from_slice(&[type_id.0, 0, 0, 0, 0]);
        out.extend_from_slice(payload);
        self.send(&out);
    }

    fn finish(mut self) {
        self.out.flush().expect("room");
    }
}

/// First chunk of a message that announces 16 MiB - 1 on a chunk stream of the 3-byte form.
fn first_chunk(csid: u32, type_id: u8, body: &[u8]) -> Vec<u8> {
    let id = csid - 64;
    let mut out =
        vec![1, id as u8, (id >> 8) as u8, 0, 0, 1, 0xff, 0xff, 0xff, type_id, 1, 0, 0, 0];
    out.extend_from_slice(body);
    out
}

/// Runs this test binary again to decode `path`; returns its peak memory in KiB.
fn decode_in_child(path: &Path) -> Option<u64> {
    let output = Command::new(std::env::current_exe().expect("a test binary"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CAPTURE, path)
        .output()
        .expect("the test binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "decoding failed: {text}{:?}", output.stderr);
    // The harness may have written on the same line before.
    let line = text.lines().find_map(|line| line.split("decoded ").nth(1)).expect("a report");
    line.split_whitespace().next().expect("a number").parse().ok().filter(|kib| *kib > 0)
}

/// Not a test on its own: decodes the capture named in the environment and reports peak memory.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CAPTURE) else { return };
    let mut file = std::io::BufReader::with_capacity(1 << 20, File::open(path).unwrap());
    let mut header = [0; 24];
    file.read_exact(&mut header).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut records = 0_u64;
    let mut sink = |record: Record| {
        records += 1;
        drop(record);
    };
    let mut frame = 0;
    let mut record = [0; 16];
    while file.read_exact(&mut record).is_ok() {
        let word = |i: usize| u32::from_le_bytes(record[4 * i..4 * i + 4].try_into().unwrap());
        let mut data = vec![0; word(2) as usize];
        file.read_exact(&mut data).unwrap();
        frame += 1;
        let time = Timestamp(i64::from(word(0)) * 1_000_000_000 + i64::from(word(1)));
        let link = LinkType::ETHERNET;
        let packet = Packet { frame, time, link, data: data.into(), original_len: word(3) };
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    assert!(records > 3, "the decoder said nothing");
    println!("decoded {} KiB at most, {records} records", high_water("self").unwrap_or(0));
}

/// `VmHWM` in KiB.
fn high_water(pid: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Runs the command line on the capture; returns its peak memory in KiB, polled: a lower bound.
#[cfg(feature = "cli")]
fn dump_summary(path: &Path) -> Option<u64> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["dump", "--summary"])
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    let pid = child.id().to_string();
    let mut peak = None;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            assert!(status.code().is_some(), "the binary was killed: {status}");
            break;
        }
        peak = high_water(&pid).max(peak);
        assert!(began.elapsed() < Duration::from_secs(120), "the binary hangs");
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

/// Writes a capture with `fill`, decodes it both ways, and checks memory.
fn check(name: &str, fill: impl FnOnce(&mut Capture)) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("hostile.pcap");
    let mut capture = Capture::create(&path);
    fill(&mut capture);
    capture.finish();
    let mut peaks = vec![("library", decode_in_child(&path))];
    #[cfg(feature = "cli")]
    peaks.push(("dump --summary", dump_summary(&path)));
    for (who, peak) in peaks {
        if let Some(peak) = peak {
            println!("{name}: {who} took {} MiB", peak >> 10);
            assert!(peak < LIMIT_KIB, "{name}: {who} took {} MiB", peak >> 10);
        }
    }
}

#[test]
fn every_chunk_stream_announces_16_mib() {
    for type_id in [9, 20] {
        check("65,536 chunk streams", |capture| {
            for csid in 64..=65_599 {
                capture.send(&first_chunk(csid, type_id, &[0x17; 128]));
            }
        });
    }
}

#[test]
fn every_chunk_stream_holds_4_kib() {
    check("chunk streams of 4 KiB", |capture| {
        capture.send(b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\0\0\x10\0");
        for csid in 64..=65_599 {
            capture.send(&first_chunk(csid, 20, &[2; 4096]));
        }
    });
}

#[test]
fn large_commands_at_once() {
    check("24 commands of 16 MiB at once", |capture| {
        capture.send(b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\x00\xff\xff\xff");
        for csid in 64..88 {
            let body = vec![0; 0xff_fffe];
            let mut chunk = first_chunk(csid, 20, &body);
            // One byte is missing: none ever ends.
            chunk[..3].copy_from_slice(&[1, (csid - 64) as u8, 0]);
            capture.send(&chunk[..chunk.len() - 1]);
            capture.send(b"\x02\0\0\0\0\0\x04\x01\0\0\0\0\x00\xff\xff\xfd");
        }
    });
}

#[test]
fn a_segment_2_gib_ahead() {
    check("a segment 2 GiB ahead", |capture| {
        let ahead = [1_i64 << 31, (1 << 31) - 1, 1 << 30, 1 << 28];
        for distance in ahead {
            let at = capture.sent[0] + distance;
            capture.at(C2S, at, &[0xaa; 1400]);
            // And the peer says that it has everything before it.
            let acknowledged = capture.sent[0];
            capture.sent[0] = at;
            capture.at(S2C, capture.sent[1], &[]);
            capture.sent[0] = acknowledged;
            capture.send(&[0x04; 1000]);
        }
        // A million bytes after a hole that nobody fills.
        let at = capture.sent[0] + 1000;
        for piece in 0..64 {
            capture.at(C2S, at + piece * 60_000, &[0xbb; 60_000]);
        }
    });
}

#[test]
fn endless_data_after_a_hole() {
    check("300 MB after a hole without acknowledgements", |capture| {
        let at = capture.sent[0] + 1;
        for piece in 0..5000 {
            capture.at(C2S, at + piece * 60_000, &[0xbb; 60_000]);
        }
    });
}

#[test]
fn amf_10_000_deep() {
    let deep = |open: &[u8]| open.repeat(10_000);
    check("AMF 10,000 deep", |capture| {
        let mut command = amf0(&[V::Str("connect"), V::Num(1.0)]);
        command.extend_from_slice(&deep(&[3, 0, 1, b'a']));
        capture.message(MessageType::COMMAND_AMF0, &command);
        for open in [&[10, 0, 0, 0, 1][..], &[8, 0, 0, 0, 1, 0, 1, b'a'], &[3, 0, 0, 3]] {
            capture.message(MessageType::DATA_AMF0, &deep(open));
        }
        // AMF3: arrays in arrays, objects in objects, behind the format byte and the switch.
        for open in [&[0x09, 0x03, 0x01][..], &[0x0a, 0x0b, 0x01, 0x03, b'a']] {
            let mut data = vec![0, 0x11];
            data.extend_from_slice(&deep(open));
            capture.message(MessageType::DATA_AMF3, &data);
        }
        // A message full of nothing but openings.
        capture.message(MessageType::DATA_AMF0, &[3, 0, 1, b'a'].repeat(4_000_000));
    });
}

#[test]
fn arrays_announce_4_billion() {
    check("arrays announcing 2^32-1", |capture| {
        let all = [0xff; 4];
        for marker in [0x08, 0x0a, 0x0c, 0x0f] {
            let mut data = vec![marker];
            data.extend_from_slice(&all);
            capture.message(MessageType::DATA_AMF0, &data);
            data.extend_from_slice(&[5; 1000]);
            capture.message(MessageType::DATA_AMF0, &data);
            // As many as fit the message: the values themselves must be bounded.
            data.resize(15 << 20, 5);
            capture.message(MessageType::DATA_AMF0, &data);
        }
        // AMF3 vectors, arrays, byte arrays and dictionaries of 2^28-1 members.
        for marker in [0x09, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11] {
            let mut data = vec![0, 0x11, marker];
            data.extend_from_slice(&all);
            data.resize(1 << 20, 1);
            capture.message(MessageType::DATA_AMF3, &data);
        }
    });
}
