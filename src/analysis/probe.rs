//! What does a connection speak? Told from its first bytes, never from a port alone.

use crate::base::Direction;
use crate::rtmp::{Limits, looks_like_chunks};
use crate::wire::handshake::{self, HANDSHAKE_LEN, PACKET_LEN, Side};

use super::record::Transport;
use crate::transport::http;

/// Bytes of one direction that may be held back while it is not clear what they are.
pub(super) const MAX_HELD: usize = 64 << 10;
/// The same on a port that is expected to speak RTMP.
pub(super) const MAX_HELD_EXPECTED: usize = 512 << 10;

/// The first bytes of a direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// Contiguous bytes from where the capture begins.
    pub bytes: Vec<u8>,
    /// Whether the direction's very first byte is among them (or known to be missing before).
    pub from_start: bool,
    /// Whether `bytes` ends at a hole or at the end of the connection.
    pub closed: bool,
    /// Length of a hole before `bytes`.
    pub missing: u64,
    /// Whether the SYN was captured: the place of `bytes` in the stream is then known.
    pub syn: bool,
}

/// What the first bytes told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// RTMP (or RTMPE): which directions begin with a handshake, and who the client is if the
    /// bytes tell.
    Rtmp { handshake: [bool; 2], client: Option<Direction> },
    /// Something else.
    Other(Transport),
    /// Not enough bytes to tell.
    NeedMore,
}

/// Judges the first bytes of both directions. `expected` is a port that speaks RTMP by custom or
/// by the user's word; `over` says that no more bytes will come.
pub(super) fn judge(heads: &[Head; 2], expected: bool, over: bool) -> Verdict {
    if let Some(transport) = heads.iter().find_map(|head| foreign(&head.bytes)) {
        return Verdict::Other(transport);
    }
    let shapes = [shape(&heads[0], expected, over), shape(&heads[1], expected, over)];
    let handshake = shapes.map(|shape| shape == Shape::Handshake);
    match shapes {
        // The side that is still silent, or whose beginning the capture lacks, follows.
        [Shape::Handshake, Shape::Handshake | Shape::Silent | Shape::Undecided]
        | [Shape::Silent | Shape::Undecided, Shape::Handshake] => {
            let start = |index: usize| {
                let head = &heads[index];
                handshake[index]
                    || head.bytes.first().is_none_or(|first| matches!(first, 3 | 6 | 8 | 9))
            };
            Verdict::Rtmp { handshake: [start(0), start(1)], client: None }
        }
        [Shape::Handshake, _] | [_, Shape::Handshake] => Verdict::Rtmp { handshake, client: None },
        [Shape::Chunks, _] | [_, Shape::Chunks] => Verdict::Rtmp { handshake, client: None },
        [Shape::Nothing, Shape::Nothing | Shape::Silent] | [Shape::Silent, Shape::Nothing] => {
            Verdict::Other(Transport::Unknown)
        }
        _ if over => Verdict::Other(Transport::Unknown),
        _ => Verdict::NeedMore,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Silent,
    Undecided,
    Handshake,
    Chunks,
    Nothing,
}

fn shape(head: &Head, expected: bool, over: bool) -> Shape {
    let bytes = &head.bytes[..];
    let Some(first) = bytes.first() else { return Shape::Silent };
    let closed = over || head.closed;
    if expected && head.syn && (1..HANDSHAKE_LEN as u64).contains(&head.missing) {
        // The capture lacks the beginning of what must be a handshake.
        return Shape::Handshake;
    }
    if matches!(first, 3 | 6 | 8 | 9) {
        let packet = bytes.get(1..1 + PACKET_LEN).and_then(|packet| packet.try_into().ok());
        match packet {
            Some(packet) if is_first_packet(packet) => return Shape::Handshake,
            Some(_) => {}
            // Connections end in mid-handshake; on an RTMP port that is worth showing.
            None if closed && expected && zero_field(bytes) => return Shape::Handshake,
            None if !closed => return Shape::Undecided,
            None => {}
        }
        if expected && head.from_start && *first == 3 {
            return Shape::Handshake;
        }
    }
    if head.from_start && !closed && !expected {
        return Shape::Nothing;
    }
    let limit = if expected { MAX_HELD_EXPECTED } else { MAX_HELD };
    let full = bytes.len() >= limit;
    match looks_like_chunks(bytes, closed || full, &Limits::default()) {
        Some(true) => Shape::Chunks,
        Some(false) => Shape::Nothing,
        None => Shape::Undecided,
    }
}

/// Whether bytes 4 to 7 of C1/S1 are zero, as far as the packet is there.
fn zero_field(bytes: &[u8]) -> bool {
    bytes.get(5..9).is_none_or(|field| field == [0; 4])
}

fn is_first_packet(packet: &[u8; PACKET_LEN]) -> bool {
    packet[4..8] == [0; 4]
        || handshake::find_digest(packet, Side::Client).is_some()
        || handshake::find_digest(packet, Side::Server).is_some()
}

/// Protocols that announce themselves.
fn foreign(bytes: &[u8]) -> Option<Transport> {
    const RTMPT: [&[u8]; 5] =
        [b"POST /open/", b"POST /send/", b"POST /idle/", b"POST /close/", b"POST /fcs/ident"];
    const HTTP: [&[u8]; 9] = [
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"PUT ",
        b"DELETE ",
        b"OPTIONS ",
        b"CONNECT ",
        b"PATCH ",
        b"HTTP/1.",
    ];
    let tunnel = http::begins_tunnel(bytes) || http::begins_tunnel_response(bytes);
    if tunnel || RTMPT.iter().any(|prefix| bytes.starts_with(prefix)) {
        return Some(Transport::Rtmpt);
    }
    if HTTP.iter().any(|prefix| bytes.starts_with(prefix)) {
        return Some(Transport::Http);
    }
    // A TLS record: handshake (or an alert before anything else), SSL 3.0 to TLS 1.3.
    matches!(bytes, [0x15 | 0x16, 3, 0..=4, ..]).then_some(Transport::Tls)
}
