//! One side's handshake: collecting its 3073 bytes and judging them.

use super::event::{AnomalyKind, Handshake, Scheme};
use crate::base::{Direction, Timestamp};
use crate::wire::handshake::{self, Cover, Layout, PACKET_LEN, Side};

/// C0 and C1 and C2, or S0 and S1 and S2.
const TOTAL: usize = 1 + 2 * PACKET_LEN;

/// Bytes of C2/S2 that are kept: enough to recognise a command that stands in its place.
const ANSWER: usize = 32;

/// Collects one side's handshake.
#[derive(Debug, Default)]
pub(super) struct HandshakeReader {
    /// The bytes so far; missing ones are zero.
    bytes: Vec<u8>,
    /// When the first byte was captured.
    first_time: Option<Timestamp>,
    /// Missing ranges, from and to.
    missing: Vec<(usize, usize)>,
}

/// What a side sent, for judging what the other side answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Packets {
    /// C1 or S1, if it was seen whole.
    first: Option<Box<[u8; PACKET_LEN]>>,
    /// C0 or S0, if it was seen.
    version: Option<u8>,
}

impl HandshakeReader {
    /// Takes bytes until the handshake is complete; says how many.
    pub fn feed(&mut self, time: Timestamp, bytes: &[u8]) -> usize {
        self.first_time.get_or_insert(time);
        let len = bytes.len().min(TOTAL - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..len]);
        len
    }

    /// Passes over up to `len` missing bytes; says how many belong to the handshake.
    pub fn gap(&mut self, _time: Timestamp, len: u64) -> u64 {
        let from = self.bytes.len();
        let to = TOTAL.min(from.saturating_add(len.min(TOTAL as u64) as usize));
        self.bytes.resize(to, 0);
        self.missing.push((from, to));
        (to - from) as u64
    }

    pub fn is_complete(&self) -> bool {
        self.bytes.len() == TOTAL
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Stream offset after what was taken.
    pub fn seen(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn packet(&self, index: usize) -> Option<&[u8; PACKET_LEN]> {
        let from = 1 + index * PACKET_LEN;
        let to = from + PACKET_LEN;
        if self.missing.iter().any(|(a, b)| *a < to && from < *b) {
            return None;
        }
        self.bytes.get(from..to)?.try_into().ok()
    }

    /// The first bytes of the second packet.
    fn answer(&self) -> &[u8] {
        let from = 1 + PACKET_LEN;
        let to = self.bytes.len().min(from + ANSWER);
        if self.missing.iter().any(|(a, b)| *a < to && from < *b) {
            return &[];
        }
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// What the peer's answer is judged by.
    pub fn packets(&self) -> Packets {
        Packets { first: self.packet(0).map(|packet| Box::new(*packet)), version: self.version() }
    }

    fn version(&self) -> Option<u8> {
        let seen = !self.missing.iter().any(|(from, _)| *from == 0);
        self.bytes.first().copied().filter(|_| seen)
    }

    /// Judges what was collected.
    pub fn conclude(
        &self,
        direction: Direction,
        time: Timestamp,
        peer: &Packets,
    ) -> (Handshake, Vec<(AnomalyKind, &'static str)>) {
        let from_client = direction == Direction::ClientToServer;
        let side = if from_client { Side::Client } else { Side::Server };
        let mut odd = Vec::new();
        let version = self.bytes.first().copied().unwrap_or(0);
        if self.version().is_some_and(|version| !matches!(version, 3 | 6 | 8 | 9)) {
            let detail = "the version byte is none of 3 (RTMP), 6, 8, 9 (RTMPE)";
            odd.push((AnomalyKind::HandshakeVersion, detail));
        }
        let first = self.packet(0);
        let word = |at: usize| -> Option<[u8; 4]> { first?.get(at..at + 4)?.try_into().ok() };
        let own = first.and_then(|packet| handshake::find_digest(packet, side));
        let scheme = match &own {
            Some(digest) if digest.layout == Layout::DigestFirst => Scheme::DigestFirst,
            Some(_) => Scheme::KeyFirst,
            None => Scheme::Simple,
        };
        let (mut echo, mut signature) = (None, None);
        if let (Some(second), Some(theirs)) = (self.packet(1), &peer.first) {
            echo = Some(handshake::echo(second, theirs).random);
            signature = handshake::find_digest(theirs, side.peer()).and_then(|digest| {
                // S0 decides how both sides encipher the signature.
                let decides = if from_client { peer.version } else { self.version() };
                let cover = Cover::of_version(decides.unwrap_or(version));
                Some(handshake::verify_covered_signature(second, &digest.bytes, side, cover))
            });
        }
        let valid = echo.map(|echo| echo || signature == Some(true));
        if valid == Some(false) {
            let detail = match from_client {
                true => "C2 neither echoes S1 nor is it signed",
                false => "S2 neither echoes C1 nor is it signed",
            };
            odd.push((AnomalyKind::HandshakeMismatch, detail));
        }
        let handshake = Handshake {
            direction,
            time,
            first_time: self.first_time.unwrap_or(time),
            version,
            epoch: word(0).map(u32::from_be_bytes),
            software: word(4),
            scheme,
            valid,
            echo,
            signature,
            copy: first
                .zip(peer.first.as_deref())
                .map(|(own, theirs)| handshake::echo(own, theirs).random),
            answer: self.answer().to_vec(),
            complete: self.is_complete() && self.missing.is_empty(),
            end_offset: self.seen(),
        };
        (handshake, odd)
    }
}
