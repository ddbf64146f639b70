//! RTMPE: the Diffie-Hellman keys in C1 and S1, and what both sides make of the shared secret.
//!
//! In no specification either: librtmp, FFmpeg and crtmpserver agree on it. The group is the
//! 1024-bit one of RFC 2409. Nobody is authenticated (the keys that sign are in every Flash
//! Player), so all of this keeps out listeners, not interceptors.

use hmac::Mac;
use num_bigint::BigUint;

use super::{Bytes1536, DIGEST_LEN, KEY_LEN, Side, hmac};

/// Bytes in an RC4 key.
pub const RC4_KEY_LEN: usize = 16;

/// Bytes of the key stream that both sides throw away in each direction.
pub const DISCARDED: u64 = 1536;

/// The prime of RFC 2409's second group; the generator is 2.
const PRIME: [u32; 32] = [
    0xffff_ffff,
    0xffff_ffff,
    0xc90f_daa2,
    0x2168_c234,
    0xc4c6_628b,
    0x80dc_1cd1,
    0x2902_4e08,
    0x8a67_cc74,
    0x020b_bea6,
    0x3b13_9b22,
    0x514a_0879,
    0x8e34_04dd,
    0xef95_19b3,
    0xcd3a_431b,
    0x302b_0a6d,
    0xf25f_1437,
    0x4fe1_356d,
    0x6d51_c245,
    0xe485_b576,
    0x625e_7ec6,
    0xf44c_42e9,
    0xa637_ed6b,
    0x0bff_5cb6,
    0xf406_b7ed,
    0xee38_6bfb,
    0x5a89_9fa5,
    0xae9f_2411,
    0x7c4b_1fe6,
    0x4928_6651,
    0xece6_5381,
    0xffff_ffff,
    0xffff_ffff,
];

fn prime() -> BigUint {
    BigUint::new(PRIME.iter().rev().copied().collect())
}

/// Whether a version byte says RTMPE.
pub fn is_rtmpe(version: u8) -> bool {
    matches!(version, 6 | 8 | 9)
}

/// What can be said of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// 2 to p - 2: the others make a secret that anybody can guess.
    pub in_range: bool,
    /// In the subgroup that 2 generates, as every honest key is and one random number in two.
    pub in_subgroup: bool,
}

/// Looks at a public key, big-endian.
pub fn check_key(key: &[u8; KEY_LEN]) -> KeyCheck {
    let (p, y) = (prime(), BigUint::from_bytes_be(key));
    let one = BigUint::from(1u8);
    let in_range = y > one && y < &p - &one;
    let order = (&p - &one) >> 1;
    KeyCheck { in_range, in_subgroup: y.modpow(&order, &p) == one }
}

/// The public key of a private one, big-endian both.
pub fn public_key(private: &[u8]) -> [u8; KEY_LEN] {
    padded(&BigUint::from(2u8).modpow(&BigUint::from_bytes_be(private), &prime()))
}

/// The shared secret, padded with zeros in front as most programs take it.
pub fn shared_secret(peer_public: &[u8; KEY_LEN], private: &[u8]) -> [u8; KEY_LEN] {
    padded(&BigUint::from_bytes_be(peer_public).modpow(&BigUint::from_bytes_be(private), &prime()))
}

fn padded(number: &BigUint) -> [u8; KEY_LEN] {
    let bytes = number.to_bytes_be();
    let mut out = [0; KEY_LEN];
    // A number modulo p has at most 128 bytes.
    let from = KEY_LEN.saturating_sub(bytes.len());
    out.iter_mut().skip(from).zip(bytes).for_each(|(to, byte)| *to = byte);
    out
}

/// What programs do with a secret that begins with zeros: one handshake in 256 has such a one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Zeros in front (librtmp with GnuTLS or nettle).
    Left,
    /// The bytes first, zeros behind (librtmp with OpenSSL, FFmpeg).
    Right,
    /// No zeros at all.
    Without,
}

impl Padding {
    /// All, the usual one first.
    pub const ALL: [Padding; 3] = [Padding::Left, Padding::Right, Padding::Without];

    /// `left`, `right` or `none`.
    pub fn name(self) -> &'static str {
        match self {
            Padding::Left => "left",
            Padding::Right => "right",
            Padding::Without => "none",
        }
    }

    /// A secret of any length in this form.
    pub fn apply(self, secret: &[u8]) -> Vec<u8> {
        let zeros = secret.iter().take_while(|byte| **byte == 0).count();
        let bare = secret.get(zeros..).unwrap_or_default();
        let bare = &bare[..bare.len().min(KEY_LEN)];
        let mut out = Vec::with_capacity(KEY_LEN);
        match self {
            Padding::Left => {
                out.resize(KEY_LEN - bare.len(), 0);
                out.extend_from_slice(bare);
            }
            Padding::Right => {
                out.extend_from_slice(bare);
                out.resize(KEY_LEN, 0);
            }
            Padding::Without => out.extend_from_slice(bare),
        }
        out
    }
}

/// The RC4 keys of both directions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rc4Keys {
    /// Of what the client sends.
    pub client: [u8; RC4_KEY_LEN],
    /// Of what the server sends.
    pub server: [u8; RC4_KEY_LEN],
}

impl std::fmt::Debug for Rc4Keys {
    // Secrets have no place in debug output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rc4Keys(..)")
    }
}

impl Rc4Keys {
    /// From the secret, in the form that both sides take it in, and both public keys: who sends
    /// uses the receiver's.
    pub fn derive(secret: &[u8], client_public: &[u8], server_public: &[u8]) -> Rc4Keys {
        let key = |public: &[u8]| {
            let mac = hmac(secret, &[public]).finalize().into_bytes();
            let mut key = [0; RC4_KEY_LEN];
            key.iter_mut().zip(mac).for_each(|(to, byte)| *to = byte);
            key
        };
        Rc4Keys { client: key(server_public), server: key(client_public) }
    }
}

/// The body of the user control event 27 that answers a request for SWF verification: `s1` ends in
/// the key, `hash` is [`swf_hash`], `size` that of the uncompressed file.
pub fn swf_verification(s1: &Bytes1536, hash: &[u8; DIGEST_LEN], size: u32) -> [u8; 42] {
    let mac = hmac(&s1[s1.len() - DIGEST_LEN..], &[hash]).finalize().into_bytes();
    let mut out = [1; 42];
    out[2..6].copy_from_slice(&size.to_be_bytes());
    out[6..10].copy_from_slice(&size.to_be_bytes());
    out[10..].copy_from_slice(&mac);
    out
}

/// What stands for an uncompressed SWF file in SWF verification.
pub fn swf_hash(swf: &[u8]) -> [u8; DIGEST_LEN] {
    hmac(Side::Client.digest_key(), &[swf]).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_give_the_secret_away() {
        let mut key = [0; KEY_LEN];
        for (last, in_range) in [(0, false), (1, false), (2, true)] {
            key[KEY_LEN - 1] = last;
            assert_eq!(check_key(&key).in_range, in_range, "{last}");
        }
        let p_minus = |n: u8| padded(&(prime() - BigUint::from(n)));
        assert_eq!(check_key(&p_minus(1)), KeyCheck { in_range: false, in_subgroup: false });
        assert!(check_key(&p_minus(2)).in_range);
        assert!(check_key(&public_key(&[7; 100])).in_subgroup);
    }

    #[test]
    fn paddings_of_a_short_secret() {
        let secret = [&[0, 0][..], &[5; 126]].concat();
        assert_eq!(Padding::Left.apply(&secret), secret);
        assert_eq!(Padding::Right.apply(&secret), [&[5; 126][..], &[0, 0]].concat());
        assert_eq!(Padding::Without.apply(&secret), [5; 126]);
        assert_eq!(Padding::Left.apply(&secret[2..]), secret);
        assert_eq!(Padding::Left.apply(&[9; 300]).len(), KEY_LEN);
    }
}
