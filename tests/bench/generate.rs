//! A large capture of ordinary publishing: six sessions side by side, two each with chunks of 128,
//! 4096 and 60000 bytes, a third of the bytes each; full segments of 1448 bytes, an acknowledgement
//! for every second one.
//!
//! Two seconds of media per session are encoded once and repeated: their headers hold deltas only.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rtmpscope::base::{Direction, LinkType};

use crate::support::files::pcap_header;
use crate::support::packets::{Close, Net, Segment};
use crate::support::{FmtPolicy, Plan, Rng, Scenario, media};

const MSS: usize = 1448;
const CHUNK_SIZES: [Option<u32>; 3] = [None, Some(4096), Some(60_000)];
const SESSIONS: usize = 6;
/// 25 frames per second at about 6 Mbit/s, 2 seconds between key frames.
const FRAMES: u32 = 50;
const KEY_SIZE: usize = 120_000;
const INTER_SIZE: usize = 28_000;
const AUDIO_SIZE: usize = 340;

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// Length of the file.
    pub bytes: u64,
    /// Packets in it.
    pub packets: u64,
    /// RTMP messages in it that are complete.
    pub messages: u64,
}

/// Writes a capture of at least `bytes` bytes.
pub fn generate(path: &Path, bytes: u64) -> io::Result<Written> {
    let mut out = Output {
        file: BufWriter::with_capacity(1 << 20, File::create(path)?),
        now_ns: 1_700_000_000_000_000_000,
        written: Written::default(),
    };
    let header = pcap_header(LinkType::ETHERNET);
    out.file.write_all(&header)?;
    out.written.bytes = header.len() as u64;
    let mut sessions: Vec<Session> =
        (0..SESSIONS).map(|index| Session::open(index, &mut out)).collect::<io::Result<_>>()?;
    while out.written.bytes < bytes {
        // Whoever has written least goes on: a third of the bytes for each chunk size.
        let next = sessions.iter_mut().min_by_key(|session| session.bytes).expect("sessions");
        next.write(&mut out)?;
    }
    // Whole loops are not needed, whole messages are: each write is one.
    out.file.flush()?;
    Ok(out.written)
}

struct Output {
    file: BufWriter<File>,
    now_ns: i64,
    written: Written,
}

impl Output {
    fn frame(&mut self, data: &[&[u8]]) -> io::Result<()> {
        let len: usize = data.iter().map(|part| part.len()).sum();
        let mut record = [0; 16];
        record[..4].copy_from_slice(&((self.now_ns / 1_000_000_000) as u32).to_le_bytes());
        record[4..8].copy_from_slice(&((self.now_ns % 1_000_000_000) as u32).to_le_bytes());
        record[8..12].copy_from_slice(&(len as u32).to_le_bytes());
        record[12..].copy_from_slice(&(len as u32).to_le_bytes());
        self.file.write_all(&record)?;
        for part in data {
            self.file.write_all(part)?;
        }
        self.now_ns += 2000;
        self.written.bytes += 16 + len as u64;
        self.written.packets += 1;
        Ok(())
    }
}

struct Session {
    /// The media that repeats, and the ends of its messages.
    media: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
    /// Headers of both directions, Ethernet to TCP, to be patched.
    headers: [Vec<u8>; 2],
    seq: [u32; 2],
    ids: [u16; 2],
    bytes: u64,
}

impl Session {
    /// Writes the handshake, the commands and the first two seconds.
    fn open(index: usize, out: &mut Output) -> io::Result<Session> {
        let plan = Plan {
            client_chunk_size: CHUNK_SIZES[index % CHUNK_SIZES.len()],
            fmt: FmtPolicy::Explicit,
            stream_key: format!("bench-{index}"),
            ..Plan::new(index as u64)
        };
        let mut scenario = plan.begin();
        let mut rng = Rng::new(99 + index as u64);
        let frames: Vec<Vec<u8>> = (0..FRAMES)
            .map(|frame| {
                let size = if frame == 0 { KEY_SIZE } else { INTER_SIZE };
                let size = size - size / 8 + rng.below(size / 4);
                media::avc_frame(frame == 0, size, &mut rng)
            })
            .collect();
        let sounds: Vec<Vec<u8>> = (0..2 * FRAMES)
            .map(|_| {
                let size = AUDIO_SIZE - 40 + rng.below(80);
                media::aac_frame(size, &mut rng)
            })
            .collect();
        let mut timestamp = 0;
        let mut round = |scenario: &mut Scenario| {
            for (frame, sound) in frames.iter().zip(sounds.chunks(2)) {
                plan.send_video(scenario, timestamp + 40, frame.clone());
                scenario.wait_us(1);
                plan.send_audio(scenario, timestamp + 40, sound[0].clone());
                scenario.wait_us(1);
                plan.send_audio(scenario, timestamp + 60, sound[1].clone());
                scenario.wait_us(1);
                timestamp += 40;
            }
        };
        round(&mut scenario);
        let before = scenario.truth().len();
        let start = scenario.stream(Direction::ClientToServer).len();
        let net = Net {
            client: ([10, 0, 0, 1 + index as u8], 50_000 + index as u16).into(),
            server: ([10, 0, 1, 1], 1935).into(),
            close: Close::Open,
            ..Net::default()
        };
        let mut trace = net.packetize(&scenario);
        for frame in trace.frames() {
            out.frame(&[&frame.data])?;
        }
        out.written.messages += before as u64;
        let bytes = trace.segments.iter().map(|segment| segment.payload.len() as u64).sum();
        // What repeats is the second round: it begins and ends in the same state.
        round(&mut scenario);
        let stream = scenario.stream(Direction::ClientToServer);
        let ends = scenario.truth()[before..].iter().map(|t| t.end() as usize - start).collect();
        let media = stream[start..].to_vec();
        let last: Vec<Segment> = Direction::BOTH
            .map(|direction| {
                let own = trace.segments.iter().rfind(|s| s.direction == direction);
                let own = own.expect("both sides speak").clone();
                Segment { seq: own.range().end as i64, payload: Default::default(), ..own }
            })
            .to_vec();
        trace.segments = last;
        let seq = [0, 1].map(|i| {
            let len = trace.streams[i].len() as u32;
            trace.net.isn[i].wrapping_add(1).wrapping_add(len)
        });
        let mut frames = trace.frames().into_iter().map(|frame| frame.data);
        let headers = [(); 2].map(|()| frames.next().expect("one per direction"));
        Ok(Session { media, ends, next: 0, headers, seq, ids: [0x4000; 2], bytes })
    }

    /// Writes the next message.
    fn write(&mut self, out: &mut Output) -> io::Result<()> {
        let start = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = self.ends[self.next];
        self.next = (self.next + 1) % self.ends.len();
        let mut at = start;
        let mut unacknowledged = 0;
        while at < end {
            let to = end.min(at + MSS);
            self.segment(0, at..to, out)?;
            unacknowledged += 1;
            if unacknowledged == 2 || to == end {
                self.segment(1, 0..0, out)?;
                unacknowledged = 0;
            }
            at = to;
        }
        self.bytes += (end - start) as u64;
        out.written.messages += 1;
        Ok(())
    }

    fn segment(
        &mut self,
        from: usize,
        range: std::ops::Range<usize>,
        out: &mut Output,
    ) -> io::Result<()> {
        let header = &mut self.headers[from];
        let (ip, tcp) = (14, 34);
        let len = (header.len() - ip + range.len()) as u16;
        header[ip + 2..ip + 4].copy_from_slice(&len.to_be_bytes());
        self.ids[from] = self.ids[from].wrapping_add(1);
        header[ip + 4..ip + 6].copy_from_slice(&self.ids[from].to_be_bytes());
        header[ip + 10..ip + 12].copy_from_slice(&[0, 0]);
        let mut sum: u32 = header[ip..ip + 20]
            .chunks(2)
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        header[ip + 10..ip + 12].copy_from_slice(&(!sum as u16).to_be_bytes());
        header[tcp + 4..tcp + 8].copy_from_slice(&self.seq[from].to_be_bytes());
        header[tcp + 8..tcp + 12].copy_from_slice(&self.seq[1 - from].to_be_bytes());
        // Left to the network card, as in a capture taken on the sending host.
        header[tcp + 16..tcp + 18].copy_from_slice(&[0, 0]);
        self.seq[from] = self.seq[from].wrapping_add(range.len() as u32);
        out.frame(&[header, &self.media[range]])
    }
}
