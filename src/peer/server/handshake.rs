//! The server's side of the handshake, simple and with digests.

use super::defects::{Faults, Flag};
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
    /// S1.
    sent: Vec<u8>,
}

/// The handshake does not go on.
#[derive(Debug)]
pub(super) enum Refused {
    /// The client asked for a version that is not RTMP.
    Close,
    /// A fault: nothing happens any more.
    Wedge,
}

impl Handshaker {
    /// Takes bytes of the handshake, says how many. Appends the answer once C1 is complete.
    pub fn input(
        &mut self,
        input: &[u8],
        now_ms: u32,
        rng: &mut fastrand::Rng,
        faults: &Faults,
        out: &mut Vec<u8>,
    ) -> Result<usize, Refused> {
        if faults.has(Flag::C1MustComeWhole) && self.bytes.is_empty() && input.len() < HELLO_LEN {
            return Err(Refused::Wedge);
        }
        let len = input.len().min(HANDSHAKE_LEN - self.bytes.len());
        self.bytes.extend_from_slice(&input[..len]);
        // Versions 4 to 31 may be answered with 3 (5.2.2) or refused (5.2.5); what is older than 3
        // or printable is none.
        let version = self.bytes.first().copied().unwrap_or(3);
        match version {
            3 => {}
            0..3 if faults.has(Flag::EchoesOldVersion) => {}
            4..32 if faults.has(Flag::EchoesUnknownVersion) => {}
            6 | 8 | 9 if faults.has(Flag::WedgesOnRtmpe) => return Err(Refused::Wedge),
            32.. if faults.has(Flag::AcceptsText) => {}
            _ => return Err(Refused::Close),
        }
        if !self.answered
            && let Some(hello) = self.bytes.get(1..HELLO_LEN).and_then(|b| b.first_chunk())
        {
            self.answered = true;
            let bad_digest = hello[4..8] != [0; 4] && find_digest(hello, Side::Client).is_none();
            if bad_digest && faults.has(Flag::WedgesOnBadDigest) {
                return Err(Refused::Wedge);
            }
            let start = out.len();
            answer(hello, now_ms, rng, out);
            if let Some(answer) = out.get_mut(start..) {
                self.sent = answer.get(1..HELLO_LEN).map(<[u8]>::to_vec).unwrap_or_default();
                spoil(faults, version, hello, answer);
            }
            if faults.has(Flag::S2Short) {
                out.pop();
            }
            if faults.has(Flag::DataBeforeC2) {
                // Window Acknowledgement Size, written by hand: there are no chunks yet.
                out.extend_from_slice(&[2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0, 0, 0x26, 0x25, 0xa0]);
            }
        }
        let echo = self.bytes.get(HELLO_LEN + 8..).is_some_and(|c2| self.sent.get(8..) == Some(c2));
        if faults.has(Flag::C2MustEcho) && self.is_complete() && !echo {
            return Err(Refused::Wedge);
        }
        Ok(len)
    }

    pub fn is_complete(&self) -> bool {
        self.bytes.len() == HANDSHAKE_LEN
    }
}

/// Does to S0, S1 and S2 what faults do.
fn spoil(faults: &Faults, version: u8, hello: &Bytes1536, answer: &mut [u8]) {
    let (Some((s0, rest)), digest) = (answer.split_first_mut(), find_digest(hello, Side::Client))
    else {
        return;
    };
    let (s1, s2) = rest.split_at_mut(PACKET_LEN);
    if faults.has(Flag::S0Wrong) {
        *s0 = 6;
    } else if version != 3 && version < 32 {
        *s0 = version;
    }
    if faults.has(Flag::S1NotZero) {
        s1[4..8].copy_from_slice(&SOFTWARE);
    }
    if faults.has(Flag::S1CopiesC1) {
        s1[8..].copy_from_slice(&hello[8..]);
    }
    if faults.has(Flag::S1Constant) {
        s1[8..].fill(0x55);
    }
    if faults.has(Flag::S2TimeWrong) {
        s2[..4].fill(0);
    }
    if faults.has(Flag::S2SecondTimeZero) {
        s2[4..8].fill(0);
    }
    if faults.has(Flag::S2RandomWrong) {
        s2[8..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    }
    let flag = match digest.map(|digest| digest.layout) {
        Some(packets::Layout::KeyFirst) => Flag::BadKeyFirst,
        Some(packets::Layout::DigestFirst) => Flag::BadDigestFirst,
        None => return,
    };
    if faults.has(flag) {
        s1[8..].fill(0x55);
        s2[8..].fill(0xaa);
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
        write_signature(&mut s2, &digest.bytes, Side::Server);
    }
    out.push(3);
    out.extend_from_slice(&s1);
    out.extend_from_slice(&s2);
}
