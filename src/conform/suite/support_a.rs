//! What the cases about handshake, chunk stream, control messages and robustness share.

use std::time::Duration;

use crate::conform::{Conn, Msg, Outcome, Reaction, Setup, Stop, T, Verdict};
use crate::rtmp::{AnomalyKind, Message};
use crate::wire::amf::Value;
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

/// A request of about `size` bytes on chunk stream 3: `createStream` with a long string after its
/// arguments.
pub fn call(transaction: f64, size: usize) -> Msg {
    let padding = Value::string(&"x".repeat(size.saturating_sub(29).max(1)));
    Msg::command("createStream", transaction, Value::Null, &[padding])
}

/// A connection on which such a request, sent plainly, has been answered.
pub fn caller(t: &T, size: usize) -> Result<Conn, Stop> {
    let mut c = t.connected()?;
    let transaction = c.fresh_transaction();
    c.send(call(transaction, size));
    c.expect_reply(transaction).setup()?;
    Ok(c)
}

/// PASS when it came, NONSTRICT when the server closed in its place, else FAIL.
pub fn unless_closed<V>(t: &T, c: &mut Conn, came: Result<V, Stop>) -> Outcome {
    t.expect_alive_after();
    match came {
        Ok(_) => t.pass(),
        Err(stop @ (Stop::Setup(_) | Stop::Harness(_))) => Err(stop),
        Err(stop) => match c.closed().or_else(|| c.wait_close(t.timeouts().reply)) {
            Some(close) => t.nonstrict(format!("closes ({})", close.name())),
            None => Err(stop),
        },
    }
}

/// [`T::neg`] where a connection that hangs, and nothing else, is NONSTRICT: most servers do.
pub fn neg_alone(t: &mut T, c: &mut Conn, accept: &[Reaction]) -> Outcome {
    Ok(match t.neg(c, accept)? {
        Verdict::Fail(text) => Verdict::NonStrict(text),
        verdict => verdict,
    })
}

/// Publishes audio and compares what a player gets: header format, media time, length of each
/// message. Times are counted from where the stream is, or absolute.
pub fn relayed(t: &mut T, absolute: bool, frames: &[(u8, u32, usize)]) -> Outcome {
    let mut r = t.relay()?;
    let base = if absolute { 0 } else { r.time };
    let mut sent = Vec::new();
    for (at, (fmt, time, size)) in frames.iter().enumerate() {
        let sound = t.sound(&format!("frame {at}"), *size);
        sent.push(r.send(Msg::audio(base.wrapping_add(*time), sound).fmt(*fmt)));
    }
    r.time = sent.last().map_or(r.time, |last| last.timestamp.wrapping_add(250));
    let got = t.collect(&mut r)?;
    t.same_frames(&sent, &got)
}

/// Connections on which the server has said all it can be made to say: a publisher and a player
/// between which large messages have travelled, or as far as the server goes.
pub fn exercised(t: &T) -> Result<Vec<Conn>, Stop> {
    if !t.env().facts.play {
        return Ok(vec![t.stream()?]);
    }
    let mut r = t.relay()?;
    r.publisher.set_chunk_size(4096);
    let size = (r.player.server_chunk_size() as usize * 3).clamp(10_000, 900_000);
    for at in 0..3 {
        let (time, label) = (r.time, format!("frame {at}"));
        r.send(Msg::video(time, t.picture(&label, true, size)));
        r.send(Msg::audio(time, t.sound(&label, 300)));
    }
    t.collect(&mut r).setup()?;
    Ok(vec![r.publisher, r.player])
}

/// The worst verdict over all messages that a server sent when exercised.
pub fn output(t: &mut T, judge: impl Fn(&Message) -> Verdict) -> Outcome {
    let all = exercised(t)?;
    let verdicts = all.iter().flat_map(|c| c.messages()).map(judge);
    Ok(verdicts.fold(Verdict::Pass, Verdict::worst))
}

/// The first anomaly of these kinds in what a server sent when exercised.
pub fn anomaly(t: &mut T, kinds: &[AnomalyKind]) -> Result<Option<String>, Stop> {
    let all = exercised(t)?;
    let mut found = all.iter().flat_map(|c| c.anomalies()).filter(|a| kinds.contains(&a.kind));
    Ok(found.next().map(|a| format!("at byte {}: {}", a.offset, a.detail)))
}
