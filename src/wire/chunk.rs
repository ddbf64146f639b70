//! Chunk headers (section 5.3.1).

use crate::base::Writer;

/// Value of the 24-bit timestamp field that says "the extended field follows" (section 5.3.1.3).
pub const EXTENDED_TIMESTAMP: u32 = 0xff_ffff;

/// The chunk size both directions begin with (section 5.4.1).
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// Largest chunk size that makes a difference: no message is longer (section 5.4.1).
pub const MAX_CHUNK_SIZE: u32 = 0xff_ffff;

/// Largest chunk stream id: `64 + 255 + 256 * 255`.
pub const MAX_CSID: u32 = 65_599;

/// The longest chunk header: 3 bytes basic, 11 message, 4 extended timestamp.
pub const MAX_HEADER_LEN: usize = 18;

/// Basic header (section 5.3.1.1): 1 to 3 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicHeader {
    /// Format of the message header, 0 to 3.
    pub fmt: u8,
    /// Chunk stream id, 2 to 65599.
    pub csid: u32,
    /// Bytes this header took; a longer form than needed is legal for ids 64 to 319.
    pub len: usize,
}

impl BasicHeader {
    /// Reads a basic header; `None` when `data` ends before it does.
    #[inline]
    pub fn parse(data: &[u8]) -> Option<BasicHeader> {
        let first = *data.first()?;
        let fmt = first >> 6;
        match first & 0x3f {
            0 => Some(BasicHeader { fmt, csid: 64 + u32::from(*data.get(1)?), len: 2 }),
            // Little-endian, unlike everything around it but the message stream id.
            1 => {
                let csid = 64 + u32::from(*data.get(1)?) + 256 * u32::from(*data.get(2)?);
                Some(BasicHeader { fmt, csid, len: 3 })
            }
            id => Some(BasicHeader { fmt, csid: u32::from(id), len: 1 }),
        }
    }

    /// Writes the header in the form of `len` bytes; a form too short for the id is widened.
    pub fn write(&self, out: &mut Writer) {
        let flags = self.fmt << 6;
        match (self.csid, self.len) {
            (2..=63, 0..=1) => out.u8(flags | self.csid as u8),
            (64..=319, 0..=2) => out.u8(flags).u8((self.csid - 64) as u8),
            (csid, _) => {
                let id = csid.clamp(64, MAX_CSID) - 64;
                out.u8(flags | 1).u8(id as u8).u8((id >> 8) as u8)
            }
        };
    }
}

/// Message header (section 5.3.1.2) as it stands on the wire: fields the format leaves out are
/// `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MessageHeader {
    /// The 24-bit field: absolute for format 0, a delta for 1 and 2.
    pub timestamp: Option<u32>,
    /// Message length in bytes.
    pub length: Option<u32>,
    /// Message type id.
    pub type_id: Option<u8>,
    /// Message stream id.
    pub stream_id: Option<u32>,
}

impl MessageHeader {
    /// Length of the header of format `fmt`, without an extended timestamp.
    #[inline]
    pub fn len(fmt: u8) -> usize {
        [11, 7, 3, 0][usize::from(fmt & 3)]
    }

    /// Reads the header of format `fmt`; `None` when `data` ends before it does.
    #[inline]
    pub fn parse(fmt: u8, data: &[u8]) -> Option<MessageHeader> {
        let data = data.get(..Self::len(fmt))?;
        let u24 = |at: usize| {
            u32::from(data[at]) << 16 | u32::from(data[at + 1]) << 8 | u32::from(data[at + 2])
        };
        let mut header = MessageHeader::default();
        if fmt <= 2 {
            header.timestamp = Some(u24(0));
        }
        if fmt <= 1 {
            header.length = Some(u24(3));
            header.type_id = Some(data[6]);
        }
        if fmt == 0 {
            header.stream_id = Some(u32::from_le_bytes([data[7], data[8], data[9], data[10]]));
        }
        Some(header)
    }

    /// Writes the fields that are present, in order.
    pub fn write(&self, out: &mut Writer) {
        if let Some(timestamp) = self.timestamp {
            out.u24(timestamp);
        }
        if let (Some(length), Some(type_id)) = (self.length, self.type_id) {
            out.u24(length).u8(type_id);
        }
        if let Some(stream_id) = self.stream_id {
            out.u32_le(stream_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_of_the_basic_header() {
        let parse = |bytes: &[u8]| BasicHeader::parse(bytes).map(|h| (h.fmt, h.csid, h.len));
        assert_eq!(parse(&[0x03]), Some((0, 3, 1)));
        assert_eq!(parse(&[0xff]), Some((3, 63, 1)));
        assert_eq!(parse(&[0x40, 0x00]), Some((1, 64, 2)));
        assert_eq!(parse(&[0x80, 0xff]), Some((2, 319, 2)));
        // The second byte is the low one: fq and Node-Media-Server read it the other way round.
        assert_eq!(parse(&[0x01, 0xb4, 0x01]), Some((0, 500, 3)));
        assert_eq!(parse(&[0xc1, 0xff, 0xff]), Some((3, MAX_CSID, 3)));
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0x00]), None);
        assert_eq!(parse(&[0x01, 0x00]), None);
    }

    #[test]
    fn every_id_survives_every_form_that_can_hold_it() {
        for csid in [2, 3, 63, 64, 65, 319, 320, 500, 65_535, MAX_CSID] {
            for len in 1..=3 {
                let mut out = Writer::new();
                BasicHeader { fmt: 2, csid, len }.write(&mut out);
                let bytes = out.into_bytes();
                let back = BasicHeader::parse(&bytes).unwrap();
                if csid >= 64 || len == 1 {
                    assert_eq!((back.fmt, back.csid), (2, csid));
                }
                assert_eq!(back.len, bytes.len());
            }
        }
    }

    #[test]
    fn message_headers() {
        let bytes = [0, 0, 7, 0, 1, 0, 20, 1, 0, 0, 0];
        let header = MessageHeader::parse(0, &bytes).unwrap();
        assert_eq!(
            header,
            MessageHeader {
                timestamp: Some(7),
                length: Some(256),
                type_id: Some(20),
                stream_id: Some(1)
            }
        );
        for fmt in 0..4 {
            let len = MessageHeader::len(fmt);
            let header = MessageHeader::parse(fmt, &bytes).unwrap();
            let mut out = Writer::new();
            header.write(&mut out);
            assert_eq!(out.into_bytes(), bytes[..len]);
            for cut in 0..len {
                assert_eq!(MessageHeader::parse(fmt, &bytes[..cut]), None);
            }
        }
    }
}
