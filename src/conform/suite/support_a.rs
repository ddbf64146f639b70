//! What the cases about handshake, chunk stream, control messages and robustness share.

use std::time::Duration;

use crate::conform::{Conn, Outcome, Stop, T};
use crate::wire::handshake::{
    Bytes1536, Digest, HANDSHAKE_LEN, Layout, PACKET_LEN, Side, echo, find_digest,
    verify_signature, write_digest,
};

/// Entries of the catalogue's groups Handshake, Chunk stream, Protocol control, User control and
/// Robustness that are no cases, and why.
pub const NOT_CASES: &[(&str, &str)] = &[
    ("rtmp/handshake/client-c1-zero", "binds clients"),
    ("rtmp/handshake/client-c2-echo", "binds clients"),
    ("rtmp/handshake/client-waits-s1-s2", "binds clients"),
    ("robust/parser/self", "binds the tester: the fuzz targets and tests/hostile.rs do it"),
];

/// Opens a connection, sends C0 and C1 and waits for S0 S1 S2.
pub fn flight(t: &T, c0: u8, c1: &Bytes1536) -> Result<Conn, Stop> {
    let mut c = t.open()?;
    c.raw(&[&[c0], &c1[..]].concat());
    c.read_first(HANDSHAKE_LEN, t.timeouts().handshake)?;
    Ok(c)
}

/// S1 and S2; zeros where they did not come.
pub fn answers(c: &Conn) -> (Bytes1536, Bytes1536) {
    let none = [0; PACKET_LEN];
    (*c.s1().unwrap_or(&none), *c.s2().unwrap_or(&none))
}

/// `connect` on a connection whose handshake is done.
pub fn connects(t: &T, c: &mut Conn) -> Result<(), Stop> {
    c.send(t.connect_message(&[]));
    c.expect_result(1.0).map(|_| ())
}

/// What a server does first.
pub enum First {
    /// Sends this byte.
    Byte(u8),
    /// Closes.
    Closed,
    /// Nothing.
    Nothing,
}

/// What the server does first within `timeout`.
pub fn first(c: &mut Conn, timeout: Duration) -> First {
    match c.read_first(1, timeout) {
        Ok(bytes) => First::Byte(bytes[0]),
        Err(_) if c.closed().is_some() => First::Closed,
        Err(_) => First::Nothing,
    }
}

/// A C1 with a digest, as Flash Player 9 makes it.
pub fn digest_c1(t: &T, layout: Layout) -> (Bytes1536, Digest) {
    let mut c1 = t.c1("digest");
    c1[4..8].copy_from_slice(&[9, 0, 124, 2]);
    let digest = write_digest(&mut c1, layout, Side::Client);
    (c1, digest)
}

/// How the server answers a C1 with a digest.
pub fn judge_digest(t: &mut T, layout: Layout) -> Outcome {
    let (c1, digest) = digest_c1(t, layout);
    let (s1, s2) = answers(&flight(t, 3, &c1)?);
    let signed = verify_signature(&s2, &digest.bytes, Side::Server);
    match find_digest(&s1, Side::Server) {
        Some(found) if signed => t.note(format!("S1 has its digest {}", found.layout.name())),
        _ if echo(&s2, &c1).random => t.note("falls back to the simple handshake"),
        Some(_) => return t.fail("S1 has a digest, but S2 is neither signed nor an echo"),
        None => return t.fail("S1 has no valid digest and S2 is no echo"),
    }
    t.pass()
}
