//! What the cases of commands and media share.

use crate::conform::{Conn, Frame, Msg, Outcome, Reaction, Relay, Setup, Stop, T, Verdict};
use crate::peer::Close;
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::message::Command;

use super::bytes::{command, member, object, text};

/// The usual properties of `connect`, without those named in `without`.
pub(super) fn usual(t: &T, without: &[&str]) -> Vec<Vec<u8>> {
    let app = &t.env().target.app;
    [
        ("app", app.clone()),
        ("type", "nonprivate".to_owned()),
        ("flashVer", "FMLE/3.0 (compatible; rtmpscope)".to_owned()),
        ("tcUrl", t.env().target.tc_url(app)),
    ]
    .iter()
    .filter(|(name, _)| !without.contains(name))
    .map(|(name, value)| member(name, text(value)))
    .collect()
}

/// `connect` with the usual properties between `before` and `after`.
pub(super) fn connect(t: &T, before: &[Vec<u8>], after: &[Vec<u8>]) -> Vec<u8> {
    let members = [before, &usual(t, &[]), after].concat();
    command("connect", 1.0, &[&object(&members)])
}

/// How a request was answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// `_result`.
    Result(Command),
    /// `_error`.
    Error(Command),
    /// Closed without an answer.
    Closed(Close),
    /// Neither, until T_REPLY.
    Silence,
}

impl Answer {
    /// In words.
    pub(super) fn words(&self) -> String {
        match self {
            Answer::Result(_) => "_result".into(),
            Answer::Error(reply) => {
                let code = reply.info("code").map(|code| format!(" {code}")).unwrap_or_default();
                format!("_error{code}")
            }
            Answer::Closed(close) => format!("closed without a reply ({})", close.name()),
            Answer::Silence => "no reply".into(),
        }
    }
}

/// Waits for the answer to a transaction.
pub(super) fn answer(conn: &mut Conn, transaction: f64) -> Result<Answer, Stop> {
    match conn.expect_reply(transaction) {
        Ok(reply) if reply.name == "_result" => Ok(Answer::Result(reply)),
        Ok(reply) => Ok(Answer::Error(reply)),
        Err(Stop::Fail(_)) => Ok(conn.closed().map_or(Answer::Silence, Answer::Closed)),
        Err(stop) => Err(stop),
    }
}

/// Sends `body` as a command on message stream 0 after the handshake, and waits for the answer to
/// transaction 1.
pub(super) fn ask(t: &T, body: Vec<u8>) -> Result<(Conn, Answer), Stop> {
    ask_as(t, 20, body)
}

/// The same with another message type.
pub(super) fn ask_as(t: &T, type_id: u8, body: Vec<u8>) -> Result<(Conn, Answer), Stop> {
    let mut conn = t.handshaken()?;
    conn.mark();
    conn.send(Msg::new(type_id, body));
    let answer = answer(&mut conn, 1.0)?;
    Ok((conn, answer))
}

/// `connect` must be accepted.
pub(super) fn accepted(t: &mut T, body: Vec<u8>) -> Outcome {
    match ask(t, body)?.1 {
        Answer::Result(_) => t.pass(),
        other => t.fail(format!("connect: {}", other.words())),
    }
}

/// `connect` should be accepted; a refusal is NONSTRICT, silence a failure.
pub(super) fn welcome(t: &mut T, body: Vec<u8>) -> Outcome {
    match ask(t, body)?.1 {
        Answer::Result(_) => t.pass(),
        Answer::Silence => t.fail("connect: neither a reply nor a close"),
        other => t.nonstrict(format!("connect: {}", other.words())),
    }
}

/// Any `connect` that may be refused: what matters is that the connection does not wedge. Gives
/// FACT with the answer where `tell`.
pub(super) fn odd_connect(t: &mut T, body: Vec<u8>, accept: &[Reaction]) -> Outcome {
    t.expect_alive_after();
    let (mut conn, answer) = ask(t, body)?;
    let seen = match answer {
        Answer::Result(_) => Reaction::Tolerate,
        Answer::Error(_) => Reaction::Error,
        Answer::Closed(_) => Reaction::Close,
        Answer::Silence => return t.neg(&mut conn, accept),
    };
    t.strict_if(accept.contains(&seen), format!("connect: {}", answer.words()))
}

/// Every reaction but a wedge.
pub(super) const ANY: &[Reaction] = &[Reaction::Close, Reaction::Error, Reaction::Tolerate];
/// Refuses.
pub(super) const REFUSE: &[Reaction] = &[Reaction::Close, Reaction::Error];
/// Goes on.
pub(super) const GO_ON: &[Reaction] = &[Reaction::Tolerate];
/// Goes on, or closes.
pub(super) const GO_ON_OR_CLOSE: &[Reaction] = &[Reaction::Tolerate, Reaction::Close];

/// The same as [`Verdict`] says, with what was found out as FACT in place of a pass.
pub(super) fn as_fact(verdict: Verdict, fact: impl Into<String>) -> Verdict {
    match verdict {
        Verdict::Pass => Verdict::Fact(fact.into()),
        other => other,
    }
}

/// What went through a relay: frames as sent, frames as they came out.
pub(super) struct Through {
    /// Sent, in order.
    pub(super) sent: Vec<Frame>,
    /// Came out, in order, without the codec headers that servers repeat by themselves.
    pub(super) got: Vec<Frame>,
}

/// Sends bodies (message type, payload) 40 ms apart and collects what comes out.
pub(super) fn through(t: &T, relay: &mut Relay, bodies: &[(u8, Vec<u8>)]) -> Result<Through, Stop> {
    let sent: Vec<Frame> = bodies
        .iter()
        .map(|(type_id, body)| relay.send(media(*type_id, relay.time + 40, body)))
        .collect();
    let repeated = [t.avc_header(), t.aac_header()];
    let mut got = t.collect(relay)?;
    got.retain(|frame| {
        !repeated.contains(&frame.payload) || sent.iter().any(|s| s.payload == frame.payload)
    });
    Ok(Through { sent, got })
}

/// A message of media or data on the chunk stream usual for its type.
pub(super) fn media(type_id: u8, time: u32, body: &[u8]) -> Msg {
    let csid = if type_id == 9 { 6 } else { 4 };
    Msg::new(type_id, body.to_vec()).csid(csid).at(time)
}

/// The bodies must come out as they went in.
pub(super) fn relayed(t: &mut T, bodies: &[(u8, Vec<u8>)]) -> Outcome {
    let mut relay = t.relay()?;
    let through = through(t, &mut relay, bodies)?;
    t.same_frames(&through.sent, &through.got)
}

/// The same for what a server need not know: UNSUPPORTED when it refuses the bodies or drops all.
pub(super) fn optional(t: &mut T, bodies: &[(u8, Vec<u8>)]) -> Outcome {
    t.expect_alive_after();
    let mut relay = t.relay()?;
    let through = match through(t, &mut relay, bodies) {
        Ok(through) => through,
        Err(Stop::Fail(why)) if relay.publisher.closed().is_some() => {
            return t.unsupported(format!("refused: {why}"));
        }
        Err(stop) => return Err(stop),
    };
    if through.got.is_empty() {
        return t.unsupported("not handed on: nothing of it reaches the player");
    }
    t.same_frames(&through.sent, &through.got)
}

/// After the bodies the stream must still flow: media published next reaches the player. What
/// came out is given.
pub(super) fn survives(t: &mut T, bodies: &[(u8, Vec<u8>)]) -> Result<Vec<Frame>, Stop> {
    t.expect_alive_after();
    let mut relay = t.relay()?;
    Ok(through(t, &mut relay, bodies)?.got)
}

/// Each body on a connection of its own that publishes: how the server takes it.
pub(super) fn each_published(
    t: &mut T,
    type_id: u8,
    bodies: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
    accept: &[Reaction],
) -> Outcome {
    t.each(bodies, |t, body| {
        let mut publisher = t.publisher(&t.name())?;
        t.send_headers(&mut publisher);
        publisher.mark();
        publisher.send(media(type_id, 40, &body).on(publisher.stream_id));
        t.neg(&mut publisher, accept)
    })
}

/// A message that carries a stream's media or status.
pub(super) fn belongs_to_stream(message: &Message) -> bool {
    message.type_id.is_media() || Conn::status_of(message).is_some()
}

/// Codes of all `onStatus` so far.
pub(super) fn codes(conn: &Conn) -> Vec<String> {
    conn.messages().iter().filter_map(Conn::status_of).map(|(code, _)| code).collect()
}

/// `width` of an `onMetaData` as it came out: its name, and the number.
pub(super) fn width(message: &Message) -> Option<f64> {
    let at = message.payload.windows(8).position(|bytes| bytes == b"\0\x05width\0")?;
    let bytes = message.payload.get(at + 8..at + 16)?;
    Some(f64::from_be_bytes(bytes.try_into().ok()?))
}

/// A command on a stream's own message stream, chunk stream 8.
pub(super) fn on_stream(conn: &Conn, name: &str, transaction: f64, arguments: &[Value]) -> Msg {
    Msg::command(name, transaction, Value::Null, arguments).csid(8).on(conn.stream_id)
}

/// Sends key frames, each 250 ms of media time later than `time`, until one reaches the player. For
/// connections that [`T::relay`] cannot make.
pub(super) fn flows(
    t: &T,
    publisher: &mut Conn,
    player: &mut Conn,
    time: &mut u32,
) -> Result<(), Stop> {
    let mut sent = Vec::new();
    for _ in 0..20 {
        *time = time.wrapping_add(250);
        let frame = t.picture(&format!("flow {} {time}", publisher.name), true, 200);
        publisher.send(Msg::video(*time, frame.clone()).on(publisher.stream_id));
        sent.push(frame);
        let wait = t.timeouts().quiet / 2;
        match player.expect_in(wait, "key frame at the player", |m| {
            sent.iter().any(|frame| frame[..] == m.payload[..])
        }) {
            Ok(_) => return Ok(()),
            Err(stop) if player.closed().is_some() => return Err(stop),
            Err(_) => publisher.absorb(),
        }
    }
    Err(Stop::Fail("no key frame reaches the player".into()))
}

/// Publishes under `name` as it is written, with metadata and codec headers.
pub(super) fn live(t: &T, name: &str) -> Result<Conn, Stop> {
    let mut publisher = t.publisher(name)?;
    t.send_headers(&mut publisher);
    publisher.name = name.to_owned();
    t.barrier(&mut publisher, t.timeouts().reply).setup()?;
    Ok(publisher)
}

/// A publication whose only audio or video (`type_id`) is of a codec that a server need not know:
/// `start` and frames numbered from 0 must reach a late player as they are. UNSUPPORTED when the
/// server refuses the codec, or hands on the other kind of media alone.
pub(super) fn publication(
    t: &mut T,
    type_id: u8,
    start: Option<Vec<u8>>,
    frame: impl Fn(u8) -> Vec<u8>,
) -> Outcome {
    t.expect_alive_after();
    let mut publisher = t.publisher(&t.name())?;
    let (id, other) = (publisher.stream_id, if type_id == 9 { 8 } else { 9 });
    let header = if type_id == 9 { t.aac_header() } else { t.avc_header() };
    publisher.send(media(other, 0, &header).on(id));
    let mut sent: Vec<_> = start.iter().cloned().chain([frame(0)]).collect();
    for body in &sent {
        publisher.send(media(type_id, 0, body).on(id));
    }
    if let Err(stop) = t.barrier(&mut publisher, t.timeouts().reply) {
        let closed = publisher.closed().is_some();
        return if closed { t.unsupported(format!("refused: {}", stop.text())) } else { Err(stop) };
    }
    let mut player = t.player(&publisher.name)?;
    // A second time: so a server that only forgets it for late players can be told apart.
    if let Some(start) = &start {
        publisher.send(media(type_id, 0, start).on(id));
    }
    let came = |player: &Conn, kind: u8| -> Vec<Vec<u8>> {
        let of = player.messages().iter().filter(|m| m.type_id.0 == kind);
        of.map(|m| m.payload.to_vec()).collect()
    };
    for n in 1..=20 {
        let name = format!("carrier {n}");
        let carrier = if type_id == 9 { t.sound(&name, 60) } else { t.picture(&name, true, 90) };
        sent.push(frame(n));
        publisher.send(media(type_id, u32::from(n) * 250, &frame(n)).on(id));
        publisher.send(media(other, u32::from(n) * 250, &carrier).on(id));
        let seen = came(&player, type_id).len();
        let more = |m: &Message| m.type_id.0 == type_id;
        let more = player.expect_in(t.timeouts().quiet / 2, "media", more).is_ok();
        publisher.absorb();
        if publisher.closed().is_some() {
            return t.unsupported("refused: the server closes the publisher's connection");
        }
        let enough = seen > 4 || !more && seen == 0 && came(&player, other).len() > 5;
        if enough || player.closed().is_some() {
            break;
        }
    }
    let got = came(&player, type_id);
    if let Some(changed) = got.iter().find(|body| !sent.contains(body)) {
        return t.fail(format!("a message of {} bytes came out changed", changed.len()));
    }
    let is_start = |body: &Vec<u8>| start.as_ref() == Some(body);
    match (got.iter().position(is_start), got.iter().position(|body| !is_start(body))) {
        (_, None) if got.is_empty() => t.unsupported("not handed on: the player gets none of it"),
        (_, None) => t.fail("no coded frame reaches the player"),
        (Some(head), Some(frame)) if head < frame => t.pass(),
        (Some(_), _) => t.nonstrict("a late player gets frames before the sequence start"),
        (None, _) if start.is_some() => t.fail("the sequence start does not come out"),
        _ => t.pass(),
    }
}

/// Bodies that some program sends though they are odd: the stream must go on. A server that closes
/// is NONSTRICT.
pub(super) fn lenient(t: &mut T, bodies: &[(u8, Vec<u8>)]) -> Outcome {
    t.expect_alive_after();
    let mut relay = t.relay()?;
    match through(t, &mut relay, bodies) {
        Ok(_) => t.pass(),
        Err(_) if relay.publisher.closed().is_some() => t.nonstrict("closes the publisher"),
        Err(stop) => Err(stop),
    }
}
