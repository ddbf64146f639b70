//! The plain packet inside the encryption, RFC 7016 section 2.2.4.

use crate::base::{Reader, Stop, Writer};

/// Timestamps count in steps of this many milliseconds.
pub const TICK_MS: u64 = 4;

/// Who sent a packet: the low two bits of its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0, which no packet may have.
    Forbidden,
    /// 1: the initiator of the session.
    Initiator,
    /// 2: the responder.
    Responder,
    /// 3: session startup.
    Startup,
}

impl Mode {
    /// `forbidden`, `initiator`, `responder` or `startup`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Forbidden => "forbidden",
            Mode::Initiator => "initiator",
            Mode::Responder => "responder",
            Mode::Startup => "startup",
        }
    }
}

/// What stands before the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// Bit 80: what this packet carries is urgent.
    pub time_critical: bool,
    /// Bit 40: the far end sent urgent data lately.
    pub time_critical_reverse: bool,
    /// Bits 30, which must be 0.
    pub reserved: u8,
    /// Who sent it.
    pub mode: Mode,
    /// The sender's clock, in [ticks](TICK_MS), modulo 2^16.
    pub timestamp: Option<u16>,
    /// The timestamp received last, plus the ticks since.
    pub timestamp_echo: Option<u16>,
}

const TIME_CRITICAL: u8 = 0x80;
const TIME_CRITICAL_REVERSE: u8 = 0x40;
const RESERVED: u8 = 0x30;
const TIMESTAMP_PRESENT: u8 = 0x08;
const TIMESTAMP_ECHO_PRESENT: u8 = 0x04;

impl PacketHeader {
    /// A header with nothing but a mode.
    pub fn new(mode: Mode) -> PacketHeader {
        PacketHeader {
            time_critical: false,
            time_critical_reverse: false,
            reserved: 0,
            mode,
            timestamp: None,
            timestamp_echo: None,
        }
    }

    /// Reads a header.
    pub fn read(r: &mut Reader<'_, '_>) -> Result<PacketHeader, Stop> {
        let flags = r.u8("flags")?;
        let mode = match flags & 3 {
            0 => Mode::Forbidden,
            1 => Mode::Initiator,
            2 => Mode::Responder,
            _ => Mode::Startup,
        };
        r.meaning(|| mode.name().to_owned());
        let timestamp = match flags & TIMESTAMP_PRESENT {
            0 => None,
            _ => Some(r.u16("timestamp")?),
        };
        let timestamp_echo = match flags & TIMESTAMP_ECHO_PRESENT {
            0 => None,
            _ => Some(r.u16("timestamp_echo")?),
        };
        Ok(PacketHeader {
            time_critical: flags & TIME_CRITICAL != 0,
            time_critical_reverse: flags & TIME_CRITICAL_REVERSE != 0,
            reserved: flags & RESERVED,
            mode,
            timestamp,
            timestamp_echo,
        })
    }

    /// Appends the header.
    pub fn write(&self, out: &mut Writer) {
        let mut flags = match self.mode {
            Mode::Forbidden => 0,
            Mode::Initiator => 1,
            Mode::Responder => 2,
            Mode::Startup => 3,
        };
        flags |= self.reserved & RESERVED;
        for (set, bit) in [
            (self.time_critical, TIME_CRITICAL),
            (self.time_critical_reverse, TIME_CRITICAL_REVERSE),
            (self.timestamp.is_some(), TIMESTAMP_PRESENT),
            (self.timestamp_echo.is_some(), TIMESTAMP_ECHO_PRESENT),
        ] {
            flags |= if set { bit } else { 0 };
        }
        out.u8(flags);
        for field in [self.timestamp, self.timestamp_echo].into_iter().flatten() {
            out.u16(field);
        }
    }
}

/// A chunk as it stands in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawChunk<'a> {
    /// Its type.
    pub kind: u8,
    /// Where its type byte stands in the packet.
    pub at: usize,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Reads a packet: the header, then chunks until one does not fit, which is where the padding begins
/// (`ff ff ff` is a chunk that overruns).
pub fn parse_packet(packet: &[u8]) -> Result<(PacketHeader, Vec<RawChunk<'_>>), Stop> {
    let mut r = Reader::new(packet);
    let header = PacketHeader::read(&mut r)?;
    let mut chunks = Vec::new();
    while r.left() >= 3 {
        let at = r.pos();
        let kind = r.u8("chunk_type")?;
        let len = usize::from(r.u16("chunk_length")?);
        let Ok(payload) = r.bytes("chunk_payload", len) else { break };
        chunks.push(RawChunk { kind, at, payload });
    }
    Ok((header, chunks))
}

/// A packet of a header and encoded chunks, without padding.
pub fn encode_packet(header: &PacketHeader, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Writer::new();
    header.write(&mut out);
    for chunk in chunks {
        out.bytes(chunk);
    }
    out.into_bytes()
}
