//! Capture files, written by hand.

use rtmpscope::base::LinkType;

use super::packets::{Frame, Trace};

impl Trace {
    /// The trace as a pcap file.
    pub fn pcap(&self) -> Vec<u8> {
        pcap(&self.frames(), self.net.link)
    }

    /// The trace as a pcapng file.
    pub fn pcapng(&self) -> Vec<u8> {
        pcapng(&self.frames(), self.net.link)
    }
}

/// A little-endian pcap file with nanosecond times.
pub fn pcap(frames: &[Frame], link: LinkType) -> Vec<u8> {
    let mut out = pcap_header(link);
    for frame in frames {
        for word in [
            (frame.time_ns / 1_000_000_000) as u32,
            (frame.time_ns % 1_000_000_000) as u32,
            frame.data.len() as u32,
            frame.original_len,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&frame.data);
    }
    out
}

/// The header of such a file.
pub fn pcap_header(link: LinkType) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    out.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&262_144_u32.to_le_bytes());
    out.extend_from_slice(&link.0.to_le_bytes());
    out
}

/// A little-endian pcapng file: a section, an interface with nanosecond times, enhanced packets.
pub fn pcapng(frames: &[Frame], link: LinkType) -> Vec<u8> {
    let mut out = Vec::new();
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend_from_slice(&[1, 0, 0, 0]);
    section.extend_from_slice(&[0xff; 8]);
    block(0x0a0d_0d0a, &section, &mut out);
    let mut interface = (link.0 as u16).to_le_bytes().to_vec();
    interface.extend_from_slice(&[0, 0]);
    interface.extend_from_slice(&0_u32.to_le_bytes());
    interface.extend_from_slice(&[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]); // if_tsresol 10^-9
    block(1, &interface, &mut out);
    for frame in frames {
        let mut body = vec![0; 4];
        body.extend_from_slice(&((frame.time_ns as u64 >> 32) as u32).to_le_bytes());
        body.extend_from_slice(&(frame.time_ns as u32).to_le_bytes());
        body.extend_from_slice(&(frame.data.len() as u32).to_le_bytes());
        body.extend_from_slice(&frame.original_len.to_le_bytes());
        body.extend_from_slice(&frame.data);
        block(6, &body, &mut out);
    }
    out
}

fn block(kind: u32, body: &[u8], out: &mut Vec<u8>) {
    let padding = body.len().next_multiple_of(4) - body.len();
    let total = (12 + body.len() + padding) as u32;
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&total.to_le_bytes());
    out.extend_from_slice(body);
    out.extend_from_slice(&[0; 3][..padding]);
    out.extend_from_slice(&total.to_le_bytes());
}
