//! Cipher suites: names, and how records of those that can be read are protected.

/// A hash function of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    /// Length of its output, in bytes.
    pub fn len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Cbc(Hash),
    Aes256Cbc(Hash),
}

impl Protection {
    /// Length of a key, in bytes.
    pub fn key_len(self) -> usize {
        match self {
            Protection::Aes128Gcm | Protection::Aes128Cbc(_) => 16,
            _ => 32,
        }
    }
}

/// A suite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    pub id: u16,
    pub name: &'static str,
    /// `None` when it is only named.
    pub protection: Option<Protection>,
    /// Hash of key derivation.
    pub hash: Hash,
}

const fn suite(id: u16, name: &'static str, protection: Protection, hash: Hash) -> Suite {
    Suite { id, name, protection: Some(protection), hash }
}

const fn named(id: u16, name: &'static str) -> Suite {
    Suite { id, name, protection: None, hash: Hash::Sha256 }
}

use Hash::{Sha1, Sha256, Sha384};
use Protection::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm, ChaCha20Poly1305};

#[rustfmt::skip]
const SUITES: &[Suite] = &[
    suite(0x1301, "TLS_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x1302, "TLS_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    named(0x1304, "TLS_AES_128_CCM_SHA256"),
    named(0x1305, "TLS_AES_128_CCM_8_SHA256"),
    suite(0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    suite(0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    suite(0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    suite(0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Sha1), Sha256),
    suite(0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Sha1), Sha256),
    suite(0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Sha256), Sha256),
    suite(0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Sha256), Sha256),
    suite(0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Sha384), Sha384),
    suite(0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Sha256), Sha256),
    suite(0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Sha384), Sha384),
    named(0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    named(0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    named(0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM"),
    named(0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
    named(0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
    named(0x5600, "TLS_FALLBACK_SCSV"),
];

/// The suite of that number, if it is known.
pub(super) fn find(id: u16) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.id == id)
}

/// The suites of TLS 1.3 with a hash of that length.
pub(super) fn tls13_of_hash(len: usize) -> impl Iterator<Item = &'static Suite> {
    SUITES.iter().take(3).filter(move |suite| suite.hash.len() == len)
}

/// The name of a suite, or its number.
pub(super) fn name(id: u16) -> String {
    match find(id) {
        Some(suite) => suite.name.to_owned(),
        None if id & 0x0f0f == 0x0a0a && id >> 8 == id & 0xff => "GREASE".to_owned(),
        None => format!("0x{id:04x}"),
    }
}
