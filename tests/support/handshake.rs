//! The simple and the digest handshake, written after the public descriptions.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::rng::Rng;

const CLIENT_TEXT: &[u8] = b"Genuine Adobe Flash Player 001";
const SERVER_TEXT: &[u8] = b"Genuine Adobe Flash Media Server 001";
const TAIL: [u8; 32] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57,
    0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae,
];

/// How the digest handshake lays out C1 and S1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    DigestFirst,
    KeyFirst,
}

/// The three flights.
pub struct Flights {
    /// C0 and C1.
    pub client_hello: Vec<u8>,
    /// S0, S1 and S2.
    pub server: Vec<u8>,
    /// C2.
    pub client_reply: Vec<u8>,
}

/// Version word zero, random bytes, echoes.
pub fn simple(rng: &mut Rng) -> Flights {
    let mut c1 = vec![0, 0, 0, 1, 0, 0, 0, 0];
    c1.extend_from_slice(&rng.bytes(1528));
    let mut s1 = vec![0, 0, 0, 9, 0, 0, 0, 0];
    s1.extend_from_slice(&rng.bytes(1528));
    flights(&c1, &s1, &c1, &s1)
}

/// Digests in C1 and S1, signatures in C2 and S2.
pub fn digest(layout: Layout, rng: &mut Rng) -> Flights {
    let (c1, client_digest) = hello([0x80, 0, 7, 2], CLIENT_TEXT, layout, rng);
    let (s1, server_digest) = hello([4, 5, 0, 1], SERVER_TEXT, layout, rng);
    let s2 = reply(SERVER_TEXT, &client_digest, rng);
    let c2 = reply(CLIENT_TEXT, &server_digest, rng);
    flights(&c1, &s1, &s2, &c2)
}

fn flights(c1: &[u8], s1: &[u8], s2: &[u8], c2: &[u8]) -> Flights {
    Flights {
        client_hello: [&[3], c1].concat(),
        server: [&[3], s1, s2].concat(),
        client_reply: c2.to_vec(),
    }
}

fn hello(version: [u8; 4], text: &[u8], layout: Layout, rng: &mut Rng) -> (Vec<u8>, [u8; 32]) {
    let mut packet = rng.bytes(1536);
    packet[..4].copy_from_slice(&[0, 0, 0, 7]);
    packet[4..8].copy_from_slice(&version);
    let block = match layout {
        Layout::DigestFirst => 8,
        Layout::KeyFirst => 772,
    };
    let sum: usize = packet[block..block + 4].iter().map(|b| usize::from(*b)).sum();
    let at = block + 4 + sum % 728;
    let digest = hmac(text, &[&packet[..at], &packet[at + 32..]].concat());
    packet[at..at + 32].copy_from_slice(&digest);
    (packet, digest)
}

fn reply(text: &[u8], peer_digest: &[u8; 32], rng: &mut Rng) -> Vec<u8> {
    let mut packet = rng.bytes(1504);
    let key = hmac(&[text, &TAIL].concat(), peer_digest);
    let signature = hmac(&key, &packet);
    packet.extend_from_slice(&signature);
    packet
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
