//! Before the first case: is it an RTMP server, and what does it do?

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::case::{Case, State};
use super::conn::Conn;
use super::env::{Barriers, Env, Facts, Timeouts};
use super::toolkit::T;
use super::verdict::{Outcome, Stop, Verdict};
use crate::wire::amf::Value;

/// The probe's own "case": it names payloads.
static PROBE: Case = Case::new("probe", "What the server does", nothing);

fn nothing(_: &mut T) -> Outcome {
    Ok(Verdict::Pass)
}

/// Connections measured.
const MEASURED: u32 = 5;

/// Finds out what a server does; `Err` says why it cannot be tested at all.
pub fn probe(env: &Env) -> Result<Facts, String> {
    // While probing, everything is assumed to be answered.
    let env = Env { facts: Facts::default(), ..env.clone() };
    let t = T::new(Arc::new(env), &PROBE, 0);
    let mut facts = Facts { publish: false, play: false, ..Facts::default() };
    let address = t.env().target.address;

    let mut conn = t.open().map_err(|stop| stop.text().to_owned())?;
    if let Err(stop) = t.handshake(&mut conn) {
        return Err(format!("{address} does not speak RTMP: {}", what_it_speaks(&conn, &stop)));
    }
    drop(conn);
    for _ in 0..MEASURED {
        let started = Instant::now();
        let conn = t.connected().map_err(|stop| {
            let app = &t.env().target.app;
            format!("{address} does not accept connect to {app}: {}", stop.text())
        })?;
        facts.latency = facts.latency.max(started.elapsed());
        facts.software = facts.software.or_else(|| software(&conn));
    }
    facts.connected = t.connected().map(|mut conn| barriers(&t, &mut conn)).unwrap_or_default();

    let name = t.name();
    match t.publisher(&name) {
        Err(stop) => facts.notes.push(format!("cannot publish: {}", stop.text())),
        Ok(mut publisher) => {
            facts.publish = true;
            facts.publishing = barriers(&t, &mut publisher);
        }
    }
    if !facts.publish {
        return Ok(facts);
    }
    // From here on with barriers that the server answers.
    let env = Env { facts: facts.clone(), ..t.env().clone() };
    let t = T::new(Arc::new(env), &PROBE, 1);
    match t.relay() {
        Err(stop) => facts.notes.push(format!("cannot play: {}", stop.text())),
        Ok(mut relay) => {
            facts.play = true;
            facts.playing = barriers(&t, &mut relay.player);
        }
    }
    Ok(facts)
}

/// Time limits from how fast the server is: the catalogue's are for the slowest. A test of a fast
/// one need not wait 10 s to see that nothing comes.
pub fn calibrate(scale: f64, latency: Duration) -> Timeouts {
    let most = Timeouts::scaled(scale);
    let of = |most: Duration, least: f64, factor: u32| {
        let least = Duration::from_secs_f64(least * scale.clamp(0.01, 100.0));
        (latency * factor).max(least).min(most)
    };
    Timeouts {
        handshake: of(most.handshake, 2.0, 100),
        reply: of(most.reply, 1.5, 100),
        quiet: of(most.quiet, 0.3, 20),
        close: of(most.close, 3.0, 200),
        media: of(most.media, 3.0, 200),
        ..most
    }
}

fn barriers(t: &T, conn: &mut Conn) -> Barriers {
    let wait = t.timeouts().reply.min(Duration::from_secs(2));
    let answers = |conn: &mut Conn, barriers| t.barrier_by(conn, barriers, wait).is_ok();
    // The ping first: createStream may give the connection another stream.
    let ping = answers(conn, Barriers { create_stream: false, ping: true });
    let create_stream = answers(conn, Barriers { create_stream: true, ping: false });
    Barriers { create_stream, ping }
}

/// `fmsVer` of the reply to `connect`.
fn software(conn: &Conn) -> Option<String> {
    let reply = conn.messages().iter().find_map(|message| {
        Conn::command_of(message).filter(|command| command.name == "_result")
    })?;
    let found = reply.object.iter().chain(&reply.arguments).find_map(|value| value.get("fmsVer"));
    found.and_then(Value::as_text).map(|text| text.lossy().chars().take(100).collect())
}

fn what_it_speaks(conn: &Conn, stop: &Stop) -> String {
    let first = conn.first_bytes();
    if first.starts_with(b"HTTP/") || first.starts_with(b"<") {
        "it answers like a web server; is the port right?".into()
    } else if first.first() == Some(&0x15) || first.first() == Some(&0x16) {
        "it answers with TLS; give the port of plain RTMP".into()
    } else if first.is_empty() {
        format!("it answers nothing to C0 C1 ({})", stop.text())
    } else {
        format!("its handshake is not complete ({})", stop.text())
    }
}

impl State {
    /// `open`, `handshaken`, `connected`, `stream`, `publishing` or `playing`.
    pub fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Handshaken => "handshaken",
            State::Connected => "connected",
            State::Stream => "stream",
            State::Publishing => "publishing",
            State::Playing => "playing",
        }
    }
}
