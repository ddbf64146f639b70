//! Captures are built here byte by byte, so that reader and writer do not vouch for each other.

use std::io::{Cursor, Read, Write};

use super::*;
use crate::base::{LinkType, Packet, Timestamp};

mod damage;
mod follow;
mod formats;
mod many;
mod rotate;
mod store;

/// 2024-01-01T00:00:00Z, in seconds.
const START: u32 = 1_704_067_200;

/// The bytes of a pcap file: `write` puts numbers in the file's byte order.
struct PcapBytes {
    big: bool,
    long: bool,
    bytes: Vec<u8>,
}

impl PcapBytes {
    fn new(magic: u32, big: bool, link: u32) -> PcapBytes {
        let mut file = PcapBytes { big, long: magic == 0xa1b2_cd34, bytes: Vec::new() };
        file.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(link);
        file
    }

    fn micros() -> PcapBytes {
        PcapBytes::new(0xa1b2_c3d4, false, 1)
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        let bytes = if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend_from_slice(&bytes);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        let bytes = if self.big { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend_from_slice(&bytes);
        self
    }

    fn record(&mut self, seconds: u32, fraction: u32, data: &[u8], original: u32) -> &mut Self {
        self.u32(seconds).u32(fraction).u32(data.len() as u32).u32(original);
        if self.long {
            self.u32(7).u16(0x0800).bytes.extend_from_slice(&[4, 0]);
        }
        self.bytes.extend_from_slice(data);
        self
    }

    fn packet(&mut self, seconds: u32, data: &[u8]) -> &mut Self {
        self.record(START + seconds, 5, data, data.len() as u32)
    }
}

/// Blocks of a pcapng file in one byte order.
struct NgBytes {
    big: bool,
    bytes: Vec<u8>,
}

impl NgBytes {
    fn new(big: bool) -> NgBytes {
        NgBytes { big, bytes: Vec::new() }
    }

    fn n(&self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn h(&self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn block(&mut self, block_type: u32, body: &[u8]) -> &mut Self {
        let padded = body.len().next_multiple_of(4);
        let length = self.n(padded as u32 + 12);
        self.bytes.extend_from_slice(&self.n(block_type));
        self.bytes.extend_from_slice(&length);
        self.bytes.extend_from_slice(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend_from_slice(&length);
        self
    }

    fn options(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend_from_slice(&self.h(*code));
            bytes.extend_from_slice(&self.h(value.len() as u16));
            bytes.extend_from_slice(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            bytes.extend_from_slice(&[0; 4]);
        }
        bytes
    }

    fn section(&mut self, options: &[(u16, &[u8])]) -> &mut Self {
        let mut body = Vec::new();
        body.extend_from_slice(&self.n(0x1a2b_3c4d));
        body.extend_from_slice(&self.h(1));
        body.extend_from_slice(&self.h(0));
        body.extend_from_slice(&[0xff; 8]);
        body.extend_from_slice(&self.options(options));
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(&mut self, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> &mut Self {
        let mut body = Vec::new();
        body.extend_from_slice(&self.h(link));
        body.extend_from_slice(&[0; 2]);
        body.extend_from_slice(&self.n(snap_len));
        body.extend_from_slice(&self.options(options));
        self.block(1, &body)
    }

    fn packet(&mut self, interface: u32, ticks: u64, data: &[u8]) -> &mut Self {
        self.packet_with(interface, ticks, data, data.len() as u32, &[])
    }

    fn packet_with(
        &mut self,
        interface: u32,
        ticks: u64,
        data: &[u8],
        original: u32,
        options: &[(u16, &[u8])],
    ) -> &mut Self {
        let mut body = Vec::new();
        for value in [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, original] {
            body.extend_from_slice(&self.n(value));
        }
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(&self.options(options));
        self.block(6, &body)
    }
}

fn open(bytes: impl Into<Vec<u8>>) -> Capture {
    let reader = Input::Reader(Box::new(Cursor::new(bytes.into())));
    Capture::open(vec![reader], OpenOptions::default()).expect("a reader opens")
}

/// All packets, and the run for its errors and lists.
fn read(bytes: impl Into<Vec<u8>>) -> (Vec<Packet>, Capture) {
    let mut capture = open(bytes);
    let packets = capture.by_ref().collect();
    (packets, capture)
}

fn kinds(capture: &Capture) -> Vec<CaptureErrorKind> {
    capture.errors().iter().map(|error| error.kind.clone()).collect()
}

/// Packet `n` of a test: its bytes and length are its own, and it has no zeros to speak of.
fn payload(n: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + n * 13 + (i * n) / 5) as u8 | 1).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("to memory");
    encoder.finish().expect("to memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 3).expect("to memory")
}

/// Hands on at most so many bytes a read.
struct Trickle<R>(R, usize);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let most = buf.len().min(self.1);
        self.0.read(&mut buf[..most])
    }
}

fn at(seconds: u32, nanos: i64) -> Timestamp {
    Timestamp(i64::from(START + seconds) * 1_000_000_000 + nanos)
}
