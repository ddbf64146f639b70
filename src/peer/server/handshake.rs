//! The server's side of the handshake, simple and with digests.

use crate::wire::handshake::{
    self as packets, Bytes1536, HANDSHAKE_LEN, PACKET_LEN, Side, find_digest, write_digest,
    write_signature,
};

/// C0 and C1.
const HELLO_LEN: usize = 1 + PACKET_LEN;
/// What S1 says in place of zeros when it carries a digest: Flash clients take it for a version
/// and want digests from 3 on.
const SOFTWARE: [u8; 4] = [4, 5, 0, 1];

/// Collects C0, C1 and C2, and answers.
#[derive(Debug, Default)]
pub(super) struct Handshaker {
    /// What came so far.
    pub bytes: Vec<u8>,
    answered: bool,
}

/// The client asked for a version that is not RTMP.
#[derive(Debug)]
pub(super) struct Refused;

impl Handshaker {
    /// Takes bytes of the handshake, says how many. Appends the answer once C1 is complete.
    pub fn input(
        &mut self,
        input: &[u8],
        now_ms: u32,
        rng: &mut fastrand::Rng,
        out: &mut Vec<u8>,
    ) -> Result<usize, Refused> {
        let len = input.len().min(HANDSHAKE_LEN - self.bytes.len());
        self.bytes.extend_from_slice(&input[..len]);
        // Versions 4 to 31 may be answered with 3 (5.2.2) or refused (5.2.5); what is older than 3
        // or printable is none.
        if self.bytes.first().is_some_and(|version| *version != 3) {
            return Err(Refused);
        }
        if !self.answered
            && let Some(hello) = self.bytes.get(1..HELLO_LEN).and_then(|b| b.first_chunk())
        {
            self.answered = true;
            answer(hello, now_ms, rng, out);
        }
        Ok(len)
    }

    pub fn is_complete(&self) -> bool {
        self.bytes.len() == HANDSHAKE_LEN
    }
}

/// Writes S0, S1 and S2.
fn answer(hello: &Bytes1536, now_ms: u32, rng: &mut fastrand::Rng, out: &mut Vec<u8>) {
    let mut s1 = [0; PACKET_LEN];
    rng.fill(&mut s1[8..]);
    s1[..4].copy_from_slice(&now_ms.to_be_bytes());
    let mut s2 = *hello;
    s2[4..8].copy_from_slice(&now_ms.to_be_bytes());
    // Without a digest, whatever stands in C1's version field, the simple form is what all
    // clients understand.
    if hello[4..8] != [0; 4]
        && let Some(digest) = find_digest(hello, Side::Client)
    {
        s1[4..8].copy_from_slice(&SOFTWARE);
        write_digest(&mut s1, digest.layout, Side::Server);
        rng.fill(&mut s2[8..]);
        write_signature(&mut s2, &digest.bytes, packets::Side::Server);
    }
    out.push(3);
    out.extend_from_slice(&s1);
    out.extend_from_slice(&s2);
}
