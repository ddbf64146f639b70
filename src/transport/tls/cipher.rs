//! Records opened in place.

use std::ops::Range;

use aes::cipher::{Block, BlockModeDecrypt, KeyIvInit};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::secrets;
use super::suites::{Hash, Protection, Suite};

/// Length of a record's header.
pub(super) const HEADER: usize = 5;
const TAG: usize = 16;
const BLOCK: usize = 16;

/// What opens records of one direction and epoch.
pub(super) struct Cipher {
    keyed: Keyed,
    tls13: bool,
}

impl std::fmt::Debug for Cipher {
    // Keys have no place in debug output.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher")
    }
}

enum Keyed {
    Aes128Gcm(Box<Aes128Gcm>, [u8; 12]),
    Aes256Gcm(Box<Aes256Gcm>, [u8; 12]),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>, [u8; 12]),
    Cbc { key: Vec<u8>, mac: Box<MacKey>, etm: bool },
}

/// A MAC that was keyed once.
enum MacKey {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
}

/// A record that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// The sequence number that fitted.
    pub sequence: u64,
    /// The type of its content.
    pub content: u8,
    /// Where in the fragment the plain text is; byte for byte where its ciphertext was.
    pub plain: Range<usize>,
}

impl Cipher {
    /// For TLS 1.3, from a traffic secret.
    pub fn tls13(suite: &Suite, secret: &[u8]) -> Option<Cipher> {
        let protection = suite.protection?;
        let key = secrets::expand_label(suite.hash, secret, "key", protection.key_len());
        let iv = secrets::expand_label(suite.hash, secret, "iv", 12);
        Some(Cipher { keyed: Keyed::aead(protection, &key, &iv)?, tls13: true })
    }

    /// For both directions of TLS 1.2, client first.
    pub fn tls12(
        suite: &Suite,
        master: &[u8],
        client_random: &[u8],
        server_random: &[u8],
        etm: bool,
    ) -> Option<[Cipher; 2]> {
        let protection = suite.protection?;
        let (mac_len, iv_len) = match protection {
            Protection::Aes128Gcm | Protection::Aes256Gcm => (0, 4),
            Protection::ChaCha20Poly1305 => (0, 12),
            Protection::Aes128Cbc(hash) | Protection::Aes256Cbc(hash) => (hash.len(), 0),
        };
        let key_len = protection.key_len();
        let seed = [server_random, client_random];
        let len = 2 * (mac_len + key_len + iv_len);
        let block = secrets::prf(suite.hash, master, b"key expansion", &seed, len);
        let mut rest = &block[..];
        let mut take = |len: usize| {
            let (part, after) = rest.split_at_checked(len)?;
            rest = after;
            Some(part)
        };
        let macs = [take(mac_len)?, take(mac_len)?];
        let keys = [take(key_len)?, take(key_len)?];
        let ivs = [take(iv_len)?, take(iv_len)?];
        let cipher = |index: usize| {
            let keyed = match protection {
                Protection::Aes128Cbc(hash) | Protection::Aes256Cbc(hash) => Keyed::Cbc {
                    key: keys[index].to_vec(),
                    mac: Box::new(MacKey::new(hash, macs[index])?),
                    etm,
                },
                _ => Keyed::aead(protection, keys[index], ivs[index])?,
            };
            Some(Cipher { keyed, tls13: false })
        };
        Some([cipher(0)?, cipher(1)?])
    }

    /// Bytes that a record has beside its plain text: exact for the AEADs without padding.
    pub fn overhead(&self) -> u64 {
        match &self.keyed {
            Keyed::Cbc { mac, .. } => (BLOCK + mac.len() + BLOCK / 2) as u64,
            _ if self.tls13 => 17,
            Keyed::ChaCha20Poly1305(..) => 16,
            _ => 24,
        }
    }

    /// Opens a record with the first of `sequences` that fits. Of a record that does not open the
    /// bytes are as they were, but for CBC without encrypt-then-MAC.
    pub fn open(
        &self,
        sequences: Range<u64>,
        header: [u8; HEADER],
        fragment: &mut [u8],
    ) -> Option<Opened> {
        match &self.keyed {
            Keyed::Cbc { key, mac, etm } => {
                self.open_cbc(key, mac, *etm, sequences, header, fragment)
            }
            aead => {
                let explicit = match aead {
                    Keyed::ChaCha20Poly1305(..) => 0,
                    _ if self.tls13 => 0,
                    _ => 8,
                };
                let end = fragment.len().checked_sub(TAG).filter(|end| *end >= explicit)?;
                let (head, rest) = fragment.split_at_mut(explicit);
                let (body, tag) = rest.split_at_mut(end - explicit);
                let sequence = sequences
                    .into_iter()
                    .find(|sequence| aead.open(self.tls13, *sequence, header, head, body, tag))?;
                if !self.tls13 {
                    return Some(Opened { sequence, content: header[0], plain: explicit..end });
                }
                let last = body.iter().rposition(|byte| *byte != 0)?;
                Some(Opened { sequence, content: body[last], plain: 0..last })
            }
        }
    }

    fn open_cbc(
        &self,
        key: &[u8],
        mac: &MacKey,
        etm: bool,
        sequences: Range<u64>,
        header: [u8; HEADER],
        fragment: &mut [u8],
    ) -> Option<Opened> {
        let authenticated = |sequence: u64, len: usize| {
            let mut out = [0; 13];
            out[..8].copy_from_slice(&sequence.to_be_bytes());
            out[8..11].copy_from_slice(&header[..3]);
            out[11..].copy_from_slice(&(len as u16).to_be_bytes());
            out
        };
        let mut sequences = sequences.into_iter();
        if etm {
            let end = fragment.len().checked_sub(mac.len())?;
            let (body, tag) = fragment.split_at_mut(end);
            let sequence =
                sequences.find(|&n| mac.fits(&authenticated(n, body.len()), body, tag))?;
            let plain = decrypt_cbc(key, body)?;
            return Some(Opened { sequence, content: header[0], plain });
        }
        let inside = decrypt_cbc(key, fragment)?;
        let end = inside.end.checked_sub(mac.len()).filter(|end| *end >= inside.start)?;
        let (body, rest) = fragment.split_at(end);
        let body = body.get(inside.start..)?;
        let tag = rest.get(..mac.len())?;
        let sequence = sequences.find(|&n| mac.fits(&authenticated(n, body.len()), body, tag))?;
        Some(Opened { sequence, content: header[0], plain: inside.start..end })
    }
}

/// Decrypts what follows the IV; gives the range without IV and padding.
fn decrypt_cbc(key: &[u8], fragment: &mut [u8]) -> Option<Range<usize>> {
    let (iv, body) = fragment.split_at_mut_checked(BLOCK)?;
    if body.is_empty() || !body.len().is_multiple_of(BLOCK) {
        return None;
    }
    fn run<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], body: &mut [u8]) -> Option<()> {
        let mut cipher = D::new_from_slices(key, iv).ok()?;
        for block in body.chunks_exact_mut(BLOCK) {
            let block: &mut Block<D> = block.try_into().ok()?;
            cipher.decrypt_block(block);
        }
        Some(())
    }
    match key.len() {
        16 => run::<cbc::Decryptor<aes::Aes128>>(key, iv, body)?,
        _ => run::<cbc::Decryptor<aes::Aes256>>(key, iv, body)?,
    }
    let padding = usize::from(*body.last()?) + 1;
    let len = body.len().checked_sub(padding)?;
    let good = body[len..].iter().all(|byte| usize::from(*byte) + 1 == padding);
    good.then_some(BLOCK..BLOCK + len)
}

impl Keyed {
    fn aead(protection: Protection, key: &[u8], iv: &[u8]) -> Option<Keyed> {
        let mut fixed = [0; 12];
        fixed.get_mut(..iv.len())?.copy_from_slice(iv);
        Some(match protection {
            Protection::Aes128Gcm => {
                Keyed::Aes128Gcm(Box::new(Aes128Gcm::new_from_slice(key).ok()?), fixed)
            }
            Protection::Aes256Gcm => {
                Keyed::Aes256Gcm(Box::new(Aes256Gcm::new_from_slice(key).ok()?), fixed)
            }
            Protection::ChaCha20Poly1305 => Keyed::ChaCha20Poly1305(
                Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?),
                fixed,
            ),
            Protection::Aes128Cbc(_) | Protection::Aes256Cbc(_) => return None,
        })
    }

    fn open(
        &self,
        tls13: bool,
        sequence: u64,
        header: [u8; HEADER],
        explicit: &[u8],
        body: &mut [u8],
        tag: &[u8],
    ) -> bool {
        let mut nonce = match self {
            Keyed::Aes128Gcm(_, iv) | Keyed::Aes256Gcm(_, iv) | Keyed::ChaCha20Poly1305(_, iv) => {
                *iv
            }
            Keyed::Cbc { .. } => return false,
        };
        if explicit.is_empty() {
            for (byte, part) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
                *byte ^= part;
            }
        } else {
            nonce[4..].copy_from_slice(explicit);
        }
        let mut data = [0; 13];
        let data: &[u8] = if tls13 {
            data[..HEADER].copy_from_slice(&header);
            &data[..HEADER]
        } else {
            data[..8].copy_from_slice(&sequence.to_be_bytes());
            data[8..11].copy_from_slice(&header[..3]);
            data[11..].copy_from_slice(&(body.len() as u16).to_be_bytes());
            &data
        };
        let Ok(tag) = tag.try_into() else { return false };
        let nonce = &nonce.into();
        match self {
            Keyed::Aes128Gcm(key, _) => key.decrypt_inout_detached(nonce, data, body.into(), tag),
            Keyed::Aes256Gcm(key, _) => key.decrypt_inout_detached(nonce, data, body.into(), tag),
            Keyed::ChaCha20Poly1305(key, _) => {
                key.decrypt_inout_detached(nonce, data, body.into(), tag)
            }
            Keyed::Cbc { .. } => return false,
        }
        .is_ok()
    }
}

impl MacKey {
    fn new(hash: Hash, key: &[u8]) -> Option<MacKey> {
        Some(match hash {
            Hash::Sha1 => MacKey::Sha1(Hmac::new_from_slice(key).ok()?),
            Hash::Sha256 => MacKey::Sha256(Hmac::new_from_slice(key).ok()?),
            Hash::Sha384 => MacKey::Sha384(Hmac::new_from_slice(key).ok()?),
        })
    }

    fn len(&self) -> usize {
        match self {
            MacKey::Sha1(_) => Hash::Sha1.len(),
            MacKey::Sha256(_) => Hash::Sha256.len(),
            MacKey::Sha384(_) => Hash::Sha384.len(),
        }
    }

    fn fits(&self, head: &[u8], body: &[u8], tag: &[u8]) -> bool {
        fn of<M: Mac + Clone>(mac: &M, head: &[u8], body: &[u8], tag: &[u8]) -> bool {
            let mut mac = mac.clone();
            mac.update(head);
            mac.update(body);
            mac.verify_slice(tag).is_ok()
        }
        match self {
            MacKey::Sha1(mac) => of(mac, head, body, tag),
            MacKey::Sha256(mac) => of(mac, head, body, tag),
            MacKey::Sha384(mac) => of(mac, head, body, tag),
        }
    }
}
