//! One datagram: session id, AES, checksum or HMAC, sequence number (RFC 7016 section 2.2, RFC 7425
//! section 4.7).

use aes::Aes128;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::{Reader, Writer};
use crate::wire::rtmfp::{read_vlu, write_vlu};

/// The key of session startup, RFC 7425 section 4.1.
pub const DEFAULT_KEY: [u8; 16] = *b"Adobe Systems 02";

const BLOCK: usize = 16;
const ID_LEN: usize = 4;

/// How one direction's packets are protected.
#[derive(Clone, PartialEq, Eq)]
pub struct Protection {
    /// AES-128 key.
    pub key: [u8; 16],
    /// HMAC-SHA256 key and the number of bytes sent; without it there is a checksum.
    pub hmac: Option<([u8; 32], usize)>,
    /// Whether packets carry a session sequence number.
    pub numbered: bool,
}

impl std::fmt::Debug for Protection {
    // Keys have no place in debug output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hmac_len = self.hmac.as_ref().map(|(_, len)| *len);
        write!(f, "Protection {{ hmac: {hmac_len:?}, numbered: {} }}", self.numbered)
    }
}

impl Protection {
    /// That of session startup.
    pub fn startup() -> Protection {
        Protection { key: DEFAULT_KEY, hmac: None, numbered: false }
    }
}

/// A datagram decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Session sequence number.
    pub number: Option<u64>,
    /// The plain packet, padding included.
    pub packet: Vec<u8>,
}

/// Why a datagram is none of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too short, or no whole number of blocks.
    Length,
    /// The HMAC is wrong.
    Hmac,
    /// The checksum is wrong.
    Checksum,
    /// The sequence number or checksum is cut off.
    Truncated,
}

/// The session id that a datagram is for: the receiver's choice, 0 at startup. Works without keys.
pub fn scrambled_id(datagram: &[u8]) -> Option<u32> {
    let words = datagram.first_chunk::<12>()?;
    let word =
        |at: usize| u32::from_be_bytes([words[at], words[at + 1], words[at + 2], words[at + 3]]);
    Some(word(0) ^ word(4) ^ word(8))
}

/// The Internet checksum (RFC 1071). Of an odd number of bytes the last counts as the low octet:
/// so does rtmfp-cpp, against RFC 1071.
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    let mut sum: u64 = 0;
    let pairs = bytes.chunks_exact(2);
    let odd = pairs.remainder().first().copied();
    for pair in pairs {
        sum += u64::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    sum += u64::from(odd.unwrap_or(0));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Decrypts a datagram and checks it.
pub fn open(datagram: &[u8], protection: &Protection) -> Result<Opened, Refusal> {
    let hmac_len = protection.hmac.as_ref().map_or(0, |(_, len)| *len);
    let body = datagram.get(ID_LEN..).ok_or(Refusal::Length)?;
    let cipher_len = body.len().checked_sub(hmac_len).ok_or(Refusal::Length)?;
    if cipher_len == 0 || !cipher_len.is_multiple_of(BLOCK) {
        return Err(Refusal::Length);
    }
    let (ciphertext, tag) = body.split_at(cipher_len);
    if let Some((key, _)) = &protection.hmac
        && !hmac(key, ciphertext)[..].starts_with(tag)
    {
        return Err(Refusal::Hmac);
    }
    let mut plain = ciphertext.to_vec();
    let decryptor = cbc::Decryptor::<Aes128>::new(&protection.key.into(), &[0; BLOCK].into());
    decryptor.decrypt_padded::<NoPadding>(&mut plain).map_err(|_| Refusal::Length)?;
    let mut r = Reader::new(&plain);
    let number = match protection.numbered {
        true => Some(read_vlu(&mut r, "session_sequence_number").map_err(|_| Refusal::Truncated)?),
        false => None,
    };
    if protection.hmac.is_none() {
        let checksum = r.u16("checksum").map_err(|_| Refusal::Truncated)?;
        if checksum != internet_checksum(r.remaining()) {
            return Err(Refusal::Checksum);
        }
    }
    let at = r.pos();
    plain.drain(..at);
    Ok(Opened { number, packet: plain })
}

/// Encrypts a plain packet for the session `id` of the receiver.
pub fn seal(packet: &[u8], id: u32, number: u64, protection: &Protection) -> Vec<u8> {
    let mut head = Writer::new();
    if protection.numbered {
        write_vlu(&mut head, number);
    }
    let checksum_len = if protection.hmac.is_none() { 2 } else { 0 };
    let len = (head.len() + checksum_len + packet.len()).max(1).next_multiple_of(BLOCK);
    let mut covered = packet.to_vec();
    covered.resize(len - head.len() - checksum_len, 0xff);
    if protection.hmac.is_none() {
        head.u16(internet_checksum(&covered));
    }
    head.bytes(&covered);
    let mut body = head.into_bytes();
    let encryptor = cbc::Encryptor::<Aes128>::new(&protection.key.into(), &[0; BLOCK].into());
    let len = body.len();
    // The buffer is a whole number of blocks, so that this cannot fail.
    let _ = encryptor.encrypt_padded::<NoPadding>(&mut body, len);
    if let Some((key, len)) = &protection.hmac {
        let tag = hmac(key, &body);
        body.extend_from_slice(&tag[..(*len).min(tag.len())]);
    }
    let words = body.iter().take(8).enumerate().fold([0_u8; 4], |mut words, (at, byte)| {
        words[at % 4] ^= byte;
        words
    });
    let mut out = (id ^ u32::from_be_bytes(words)).to_be_bytes().to_vec();
    out.extend_from_slice(&body);
    out
}

/// HMAC-SHA256.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 32],
    }
}
