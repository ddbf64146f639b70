//! Handshake packets C0..C2 and S0..S2 (section 5.2) and the digest handshake.
//!
//! The digest handshake is in no specification: Flash Player 9 and Flash Media Server 3 brought it
//! and everyone followed. A non-zero version in place of C1's zero field announces it; a digest and
//! (for RTMPE) a Diffie-Hellman public key lie in two 764-byte blocks, in either order, at places
//! that bytes of the blocks themselves say. Programs number the two orders differently, so they
//! have names here, not numbers.

mod cover;
pub mod rtmpe;

pub use cover::Cover;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::{Reader, Stop};

/// Bytes in C1, C2, S1 and S2.
pub const PACKET_LEN: usize = 1536;
/// Bytes in one side's handshake: C0 C1 C2 or S0 S1 S2.
pub const HANDSHAKE_LEN: usize = 1 + 2 * PACKET_LEN;
/// Bytes in a digest or a signature (HMAC-SHA-256).
pub const DIGEST_LEN: usize = 32;
/// Bytes in a Diffie-Hellman public key.
pub const KEY_LEN: usize = 128;

/// One of C1, C2, S1, S2.
pub type Bytes1536 = [u8; PACKET_LEN];

const SIGNED_LEN: usize = PACKET_LEN - DIGEST_LEN;

const CLIENT_TEXT: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER_TEXT: &[u8] = b"Genuine Adobe Flash Media Server 001";
const TAIL: [u8; 32] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57,
    0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

/// Who made a packet: says which key signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// C1, C2.
    Client,
    /// S1, S2.
    Server,
}

impl Side {
    /// Key of the digest in C1 or S1.
    fn digest_key(self) -> &'static [u8] {
        match self {
            Side::Client => CLIENT_TEXT,
            Side::Server => SERVER_TEXT,
        }
    }

    /// The other side.
    pub fn peer(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// The order of the two blocks in C1 or S1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Digest in the first block (position from byte 8), key in the second.
    DigestFirst,
    /// Key in the first block, digest in the second (position from byte 772).
    KeyFirst,
}

impl Layout {
    /// Both, in the order in which digests are looked for.
    pub const ALL: [Layout; 2] = [Layout::DigestFirst, Layout::KeyFirst];

    /// `digest-first` or `key-first`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::DigestFirst => "digest-first",
            Layout::KeyFirst => "key-first",
        }
    }

    /// Byte at which the digest begins.
    pub fn digest_position(self, packet: &Bytes1536) -> usize {
        let at = match self {
            Layout::DigestFirst => 8,
            Layout::KeyFirst => 772,
        };
        at + 4 + sum(packet, at) % 728
    }

    /// Byte at which RTMPE's public key begins.
    pub fn key_position(self, packet: &Bytes1536) -> usize {
        match self {
            Layout::DigestFirst => 772 + sum(packet, 1532) % 632,
            Layout::KeyFirst => 8 + sum(packet, 768) % 632,
        }
    }

    /// RTMPE's public key, 128 bytes big-endian; random bytes where there is none.
    pub fn key(self, packet: &Bytes1536) -> &[u8] {
        let at = self.key_position(packet);
        &packet[at..at + KEY_LEN]
    }

    /// Writes RTMPE's public key where the layout puts it. The digest comes after it: it covers
    /// the key.
    pub fn write_key(self, packet: &mut Bytes1536, key: &[u8; KEY_LEN]) {
        let at = self.key_position(packet);
        packet[at..at + KEY_LEN].copy_from_slice(key);
    }
}

fn sum(packet: &Bytes1536, at: usize) -> usize {
    packet[at..at + 4].iter().map(|b| usize::from(*b)).sum()
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC takes keys of any length: this cannot fail.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .unwrap_or_else(|_| <Hmac<Sha256> as KeyInit>::new(&Default::default()));
    parts.iter().for_each(|part| mac.update(part));
    mac
}

/// A valid digest in C1 or S1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Order of the blocks.
    pub layout: Layout,
    /// Byte at which the digest begins.
    pub position: usize,
    /// The digest.
    pub bytes: [u8; DIGEST_LEN],
}

/// Looks for a valid digest in both layouts. `None`: a simple handshake.
pub fn find_digest(packet: &Bytes1536, side: Side) -> Option<Digest> {
    Layout::ALL.into_iter().find_map(|layout| {
        let position = layout.digest_position(packet);
        let found = &packet[position..position + DIGEST_LEN];
        digest_mac(packet, position, side).verify_slice(found).ok()?;
        let mut bytes = [0; DIGEST_LEN];
        bytes.copy_from_slice(found);
        Some(Digest { layout, position, bytes })
    })
}

fn digest_mac(packet: &Bytes1536, position: usize, side: Side) -> Hmac<Sha256> {
    hmac(side.digest_key(), &[&packet[..position], &packet[position + DIGEST_LEN..]])
}

/// Writes the digest of C1 or S1 where the layout puts it. Everything else, the version and a
/// public key included, must be in place.
pub fn write_digest(packet: &mut Bytes1536, layout: Layout, side: Side) -> Digest {
    let position = layout.digest_position(packet);
    let bytes: [u8; DIGEST_LEN] = digest_mac(packet, position, side).finalize().into_bytes().into();
    packet[position..position + DIGEST_LEN].copy_from_slice(&bytes);
    Digest { layout, position, bytes }
}

/// `side` is who answers, `peer_digest` is the digest of the S1 or C1 that is answered.
fn signature(
    packet: &Bytes1536,
    peer_digest: &[u8; DIGEST_LEN],
    side: Side,
    cover: Cover,
) -> [u8; DIGEST_LEN] {
    let key = [side.digest_key(), &TAIL].concat();
    let key: [u8; DIGEST_LEN] = hmac(&key, &[peer_digest]).finalize().into_bytes().into();
    let mac = hmac(&key, &[&packet[..SIGNED_LEN]]);
    let mut signature: [u8; DIGEST_LEN] = mac.finalize().into_bytes().into();
    cover.apply(&key, &mut signature);
    signature
}

/// Whether C2 or S2 ends in a valid signature of the peer's digest.
pub fn verify_signature(packet: &Bytes1536, peer_digest: &[u8; DIGEST_LEN], side: Side) -> bool {
    verify_covered_signature(packet, peer_digest, side, Cover::None)
}

/// Writes the signature into the last 32 bytes of C2 or S2.
pub fn write_signature(packet: &mut Bytes1536, peer_digest: &[u8; DIGEST_LEN], side: Side) {
    write_covered_signature(packet, peer_digest, side, Cover::None);
}

/// Whether C2 or S2 ends in a valid signature, enciphered as RTMPE's version in S0 says.
pub fn verify_covered_signature(
    packet: &Bytes1536,
    peer_digest: &[u8; DIGEST_LEN],
    side: Side,
    cover: Cover,
) -> bool {
    packet[SIGNED_LEN..] == signature(packet, peer_digest, side, cover)
}

/// Writes the signature, enciphered as RTMPE's version in S0 says.
pub fn write_covered_signature(
    packet: &mut Bytes1536,
    peer_digest: &[u8; DIGEST_LEN],
    side: Side,
    cover: Cover,
) {
    let bytes = signature(packet, peer_digest, side, cover);
    packet[SIGNED_LEN..].copy_from_slice(&bytes);
}

/// How far C2 or S2 repeats the peer's S1 or C1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The first word: the peer's time.
    pub time: bool,
    /// Bytes 8 to 1535: the peer's random bytes.
    pub random: bool,
    /// All of it, `time2` included, which most programs do not fill in.
    pub exact: bool,
}

/// Compares C2 with S1, or S2 with C1.
pub fn echo(packet: &Bytes1536, peer: &Bytes1536) -> Echo {
    Echo { time: packet[..4] == peer[..4], random: packet[8..] == peer[8..], exact: packet == peer }
}

/// The words before the random bytes of C1 or S1 (section 5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The sender's epoch in milliseconds.
    pub time: u32,
    /// Zero, or the software's version in the digest handshake.
    pub version: [u8; 4],
}

/// The words before the random bytes of C2 or S2 (section 5.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The peer's epoch as echoed.
    pub time: u32,
    /// When the peer's packet was read, as the sender says.
    pub time2: u32,
}

/// Reads C0 or S0: 3 is RTMP; 6, 8 and 9 are RTMPE.
pub fn read_version(r: &mut Reader<'_, '_>) -> Result<u8, Stop> {
    let version = r.u8("version")?;
    r.meaning(|| match version {
        3 => "RTMP".into(),
        6 | 8 | 9 => "RTMPE".into(),
        _ => "not a version of RTMP".into(),
    });
    Ok(version)
}

/// Reads C1 or S1, with its digest as a field of its own if it has a valid one.
pub fn read_hello(r: &mut Reader<'_, '_>, side: Side) -> Result<Hello, Stop> {
    let digest = match r.remaining().first_chunk::<PACKET_LEN>() {
        Some(packet) if r.records_fields() => find_digest(packet, side),
        _ => None,
    };
    let time = r.u32("time")?;
    let bytes = r.bytes(if digest.is_some() { "version" } else { "zero" }, 4)?;
    let version = [bytes[0], bytes[1], bytes[2], bytes[3]];
    let Some(digest) = digest else {
        r.bytes("random_data", PACKET_LEN - 8)?;
        return Ok(Hello { time, version });
    };
    r.bytes("random_data", digest.position - 8)?;
    r.bytes("digest", DIGEST_LEN)?;
    r.meaning(|| format!("valid, {}", digest.layout.name()));
    r.bytes("random_data", PACKET_LEN - digest.position - DIGEST_LEN)?;
    Ok(Hello { time, version })
}

/// Reads C2 or S2.
pub fn read_answer(r: &mut Reader<'_, '_>) -> Result<Answer, Stop> {
    let answer = Answer { time: r.u32("time")?, time2: r.u32("time2")? };
    r.bytes("random_echo", PACKET_LEN - 8)?;
    Ok(answer)
}

#[cfg(test)]
mod tests;
