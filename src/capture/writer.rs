//! Writing captures.

use std::io::{self, Write};

use super::log::SecretKind;
use crate::base::{LinkType, Packet, Timestamp};

/// Snap length announced: the most that libpcap accepts.
const SNAP_LEN: u32 = 262_144;

/// Resolution of the times of a pcap file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// What every program reads.
    Micros,
    /// Keeps [`Timestamp`](crate::base::Timestamp) whole.
    Nanos,
}

/// Writes a pcap file, little-endian.
///
/// The format has room for times from 1970 to 2106; others are clamped.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
    link: LinkType,
    unit: TimeUnit,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. Give a buffered `out`: each part is a write of its own.
    pub fn new(mut out: W, link: LinkType, unit: TimeUnit) -> io::Result<PcapWriter<W>> {
        let magic: u32 = match unit {
            TimeUnit::Micros => 0xa1b2_c3d4,
            TimeUnit::Nanos => 0xa1b2_3c4d,
        };
        let mut head = Vec::with_capacity(24);
        head.extend_from_slice(&magic.to_le_bytes());
        head.extend_from_slice(&2_u16.to_le_bytes());
        head.extend_from_slice(&4_u16.to_le_bytes());
        head.extend_from_slice(&[0; 8]);
        head.extend_from_slice(&SNAP_LEN.to_le_bytes());
        head.extend_from_slice(&link.0.to_le_bytes());
        out.write_all(&head)?;
        Ok(PcapWriter { out, link, unit })
    }

    /// Writes a packet. A pcap file has one link type: a packet of another is an error.
    pub fn write(&mut self, packet: &Packet) -> io::Result<()> {
        if packet.link != self.link {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a pcap file of link type {} cannot hold a packet of link type {}; write pcapng",
                    self.link.0, packet.link.0
                ),
            ));
        }
        let nanos = packet.time.0.clamp(0, i64::from(u32::MAX) * 1_000_000_000 + 999_999_999);
        let fraction = (nanos % 1_000_000_000) as u32;
        let fraction = match self.unit {
            TimeUnit::Micros => fraction / 1_000,
            TimeUnit::Nanos => fraction,
        };
        let captured = length(packet)?;
        let mut head = [0; 16];
        let fields =
            [(nanos / 1_000_000_000) as u32, fraction, captured, packet.original_len.max(captured)];
        for (bytes, field) in head.chunks_exact_mut(4).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        self.out.write_all(&head)?;
        self.out.write_all(&packet.data)
    }

    /// Flushes and gives back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

fn length(packet: &Packet) -> io::Result<u32> {
    u32::try_from(packet.data.len())
        .ok()
        .filter(|&len| len <= super::source::MAX_ITEM / 2)
        .ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a packet this long fits no capture file")
        })
}

/// Writes a pcapng file: one section, little-endian, nanosecond times, an interface for each link
/// type as it is first met.
///
/// Times before 1970 are clamped.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    links: Vec<LinkType>,
    name: Option<String>,
    filter: Option<String>,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the section header. Give a buffered `out`: each block is a write of its own.
    pub fn new(out: W) -> io::Result<PcapngWriter<W>> {
        PcapngWriter::with_comment(out, None)
    }

    /// The same, with a comment on the section.
    pub fn with_comment(mut out: W, comment: Option<&str>) -> io::Result<PcapngWriter<W>> {
        let mut block = Block::new(0x0a0d_0d0a);
        block.u32(0x1a2b_3c4d);
        block.u16(1);
        block.u16(0);
        // Section length: not given.
        block.bytes(&[0xff; 8]);
        if let Some(comment) = comment {
            block.option(1, comment.as_bytes());
        }
        block.option(4, concat!("rtmpscope ", env!("CARGO_PKG_VERSION")).as_bytes());
        block.end_options();
        block.write(&mut out)?;
        Ok(PcapngWriter { out, links: Vec::new(), name: None, filter: None })
    }

    /// Says on which interface, and with which capture filter, the packets that follow were captured.
    pub fn captured_on(&mut self, name: &str, filter: Option<&str>) {
        self.name = Some(name.to_owned());
        self.filter = filter.map(str::to_owned);
    }

    /// Writes a packet.
    pub fn write(&mut self, packet: &Packet) -> io::Result<()> {
        self.write_with_comments(packet, &[])
    }

    /// Writes a packet with comments.
    pub fn write_with_comments(&mut self, packet: &Packet, comments: &[&str]) -> io::Result<()> {
        let captured = length(packet)?;
        let interface = self.interface(packet.link)?;
        let ticks = packet.time.0.max(0) as u64;
        let mut block = Block::new(6);
        block.u32(interface);
        block.u32((ticks >> 32) as u32);
        block.u32(ticks as u32);
        block.u32(captured);
        block.u32(packet.original_len.max(captured));
        block.padded(&packet.data);
        for comment in comments {
            block.option(1, comment.as_bytes());
        }
        if !comments.is_empty() {
            block.end_options();
        }
        block.write(&mut self.out)
    }

    /// Writes a decryption secrets block. Readers want it before the packets it decrypts.
    pub fn write_secrets(&mut self, kind: SecretKind, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "secrets too long"))?;
        let mut block = Block::new(10);
        block.u32(kind.0);
        block.u32(length);
        block.padded(data);
        block.write(&mut self.out)
    }

    /// Writes how many packets the first interface received and dropped until `time`. Nothing when
    /// there is no interface yet.
    pub fn write_statistics(
        &mut self,
        time: Timestamp,
        received: u64,
        dropped: u64,
    ) -> io::Result<()> {
        if self.links.is_empty() {
            return Ok(());
        }
        let ticks = time.0.max(0) as u64;
        let mut block = Block::new(5);
        block.u32(0);
        block.u32((ticks >> 32) as u32);
        block.u32(ticks as u32);
        block.option(4, &received.to_le_bytes());
        block.option(5, &dropped.to_le_bytes());
        block.end_options();
        block.write(&mut self.out)
    }

    /// What is written to: whole blocks, each in one write.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Flushes and gives back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn interface(&mut self, link: LinkType) -> io::Result<u32> {
        if let Some(at) = self.links.iter().position(|&known| known == link) {
            return Ok(at as u32);
        }
        let number = u16::try_from(link.0).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, "pcapng link types have 16 bits")
        })?;
        let mut block = Block::new(1);
        block.u16(number);
        block.u16(0);
        block.u32(SNAP_LEN);
        if let Some(name) = &self.name {
            block.option(2, name.as_bytes());
        }
        block.option(9, &[9]);
        if let Some(filter) = &self.filter {
            // The first byte says that the filter is text.
            block.option(11, &[b"\0", filter.as_bytes()].concat());
        }
        block.end_options();
        block.write(&mut self.out)?;
        self.links.push(link);
        Ok(self.links.len() as u32 - 1)
    }
}

/// A block being put together.
struct Block(Vec<u8>);

impl Block {
    fn new(block_type: u32) -> Block {
        let mut block = Block(Vec::with_capacity(64));
        block.u32(block_type);
        // Length, filled in at the end.
        block.u32(0);
        block
    }

    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// An option longer than its 16-bit length can tell is cut, at a character.
    fn option(&mut self, code: u16, value: &[u8]) {
        let mut length = value.len().min(usize::from(u16::MAX));
        while length < value.len() && value[length] & 0xc0 == 0x80 {
            length -= 1;
        }
        self.u16(code);
        self.u16(length as u16);
        self.padded(&value[..length]);
    }

    fn end_options(&mut self) {
        self.u32(0);
    }

    fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        let length = (self.0.len() + 4) as u32;
        self.0[4..8].copy_from_slice(&length.to_le_bytes());
        self.u32(length);
        out.write_all(&self.0)
    }
}
