//! What a flow says it is for.

use super::number::{read_vlu, write_vlu};
use crate::base::{Reader, Writer};

/// The metadata option of a flow (RFC 7016 section 2.3.11.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowMetadata {
    /// `TC`: RTMP messages, RFC 7425 section 5.1.1.
    Tc {
        /// The message stream; flows without the field belong to none.
        stream_id: Option<u64>,
        /// Whether the receiver is to take messages in network order instead of in sequence.
        network_order: bool,
    },
    /// `GR`: a NetGroup, known from implementations only.
    Group(u8),
    /// Anything else.
    Other(Vec<u8>),
}

const STREAM_ID_PRESENT: u8 = 0x04;
const NETWORK_ORDER: u8 = 0x01;

impl FlowMetadata {
    /// Tells what a metadata value is.
    pub fn parse(value: &[u8]) -> FlowMetadata {
        match value {
            [b'T', b'C', flags, rest @ ..] => {
                let stream_id = match flags & STREAM_ID_PRESENT {
                    0 => None,
                    _ => match read_vlu(&mut Reader::new(rest), "stream_id") {
                        Ok(id) => Some(id),
                        Err(_) => return FlowMetadata::Other(value.to_vec()),
                    },
                };
                FlowMetadata::Tc { stream_id, network_order: flags & NETWORK_ORDER != 0 }
            }
            [b'G', b'R', kind, ..] => FlowMetadata::Group(*kind),
            other => FlowMetadata::Other(other.to_vec()),
        }
    }

    /// The metadata value.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            FlowMetadata::Tc { stream_id, network_order } => {
                let mut out = Writer::new();
                let mut flags = if *network_order { NETWORK_ORDER } else { 0 };
                flags |= if stream_id.is_some() { STREAM_ID_PRESENT } else { 0 };
                out.bytes(b"TC").u8(flags);
                if let Some(id) = stream_id {
                    write_vlu(&mut out, *id);
                }
                out.into_bytes()
            }
            FlowMetadata::Group(kind) => vec![b'G', b'R', *kind],
            FlowMetadata::Other(value) => value.clone(),
        }
    }

    /// What the flow carries, in words.
    pub fn name(&self) -> &'static str {
        match self {
            FlowMetadata::Tc { .. } => "rtmp",
            FlowMetadata::Group(0x1c) => "netgroup report",
            FlowMetadata::Group(0x1d) => "netgroup message",
            FlowMetadata::Group(0x11) => "netgroup media report",
            FlowMetadata::Group(0x12) => "netgroup media",
            FlowMetadata::Group(0x18) => "netgroup post key",
            FlowMetadata::Group(0x19) => "netgroup post value",
            FlowMetadata::Group(_) => "netgroup",
            FlowMetadata::Other(_) => "other",
        }
    }
}

/// The name of a NetGroup message's first byte. No specification says so; implementations agree.
pub fn group_message_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x01 => "init",
        0x0a => "report",
        0x0b => "member",
        0x0c => "ask-close",
        0x0e | 0x0f => "begin",
        0x20 => "media-data",
        0x21 => "infos",
        0x22 => "fragments-map",
        0x23 => "push",
        0x2b => "pull",
        0x30 => "split-start",
        0x10 => "split-next",
        0x00 => "split-end",
        _ => return None,
    })
}
