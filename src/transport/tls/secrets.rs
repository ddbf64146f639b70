//! Keys out of secrets: the PRF of TLS 1.2 and HKDF of TLS 1.3.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::suites::Hash;

/// HMAC over several parts.
pub(super) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        // HMAC takes keys of any length.
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Sha1 => of::<Hmac<Sha1>>(key, parts),
        Hash::Sha256 => of::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => of::<Hmac<Sha384>>(key, parts),
    }
}

/// `PRF(secret, label, seed)` of TLS 1.2 (RFC 5246, section 5).
pub(super) fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: &[&[u8]], len: usize) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = vec![label];
    parts.extend(seed);
    let mut a = hmac(hash, secret, &parts);
    let mut out = Vec::with_capacity(len + hash.len());
    while out.len() < len && !a.is_empty() {
        let mut input: Vec<&[u8]> = vec![&a];
        input.extend(&parts);
        out.extend(hmac(hash, secret, &input));
        a = hmac(hash, secret, &[&a]);
    }
    out.truncate(len);
    out
}

/// `HKDF-Expand-Label(secret, label, "", len)` of TLS 1.3 (RFC 8446, section 7.1). Empty when the
/// secret is too short for the hash.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, len: usize) -> Vec<u8> {
    let mut info = Vec::with_capacity(4 + 6 + label.len());
    info.extend((len as u16).to_be_bytes());
    info.push((6 + label.len()) as u8);
    info.extend(b"tls13 ");
    info.extend(label.as_bytes());
    info.push(0);
    let mut out = vec![0; len];
    let done =
        match hash {
            Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret)
                .is_ok_and(|hkdf| hkdf.expand(&info, &mut out).is_ok()),
            Hash::Sha256 | Hash::Sha1 => Hkdf::<Sha256>::from_prk(secret)
                .is_ok_and(|hkdf| hkdf.expand(&info, &mut out).is_ok()),
        };
    if done { out } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values computed with OpenSSL for the secret 00 01 … 1f.
    #[test]
    fn labels_expand() {
        let secret: Vec<u8> = (0..32).collect();
        let key = expand_label(Hash::Sha256, &secret, "key", 16);
        assert_eq!(key[..4], [0x9c, 0x97, 0x83, 0xcf]);
        assert_eq!(expand_label(Hash::Sha256, &secret, "iv", 12)[..4], [0x2f, 0x41, 0xc8, 0x46]);
        let next = expand_label(Hash::Sha256, &secret, "traffic upd", 32);
        assert_eq!(next[..4], [0x2c, 0xec, 0xd0, 0xa1]);
        assert!(expand_label(Hash::Sha384, &secret, "key", 16).is_empty());
    }
}
