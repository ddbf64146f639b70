//! What a case works with.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::case::{Case, State};
use super::conn::Conn;
use super::env::{Barriers, Env, Timeouts};
use super::msg::Msg;
use super::verdict::{Outcome, Setup, Stop, Verdict};
use crate::peer::{Link, Transcript};
use crate::rtmp::Message;
use crate::wire::amf::{Property, Text, Value};
use crate::wire::codec;
use crate::wire::flv;
use crate::wire::handshake::PACKET_LEN;
use crate::wire::message::Body;

/// Bytes that depend on the seed, the case and a label, and on nothing else.
#[derive(Clone, Debug)]
pub struct Payloads {
    seed: u64,
    case: &'static str,
}

impl Payloads {
    /// For a case.
    pub fn new(seed: u64, case: &'static str) -> Payloads {
        Payloads { seed, case }
    }

    /// `count` bytes.
    pub fn bytes(&self, label: &str, count: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(count);
        fastrand::Rng::with_seed(self.number(label)).fill(out_of(&mut out, count));
        out
    }

    /// A number.
    pub fn number(&self, label: &str) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(self.case);
        hash.update([0]);
        hash.update(label);
        let digest = hash.finalize();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

fn out_of(out: &mut Vec<u8>, count: usize) -> &mut [u8] {
    out.resize(count, 0);
    out
}

/// What a case works with: connections in any state, payloads, judgement.
///
/// Set-up calls (`open` to `player`) end a case as INCONCLUSIVE through `?`; what a [`Conn`] expects
/// ends it as FAIL.
#[derive(Debug)]
pub struct T {
    env: Arc<Env>,
    case: &'static Case,
    attempt: u32,
    end: Instant,
    payloads: Payloads,
    names: Cell<u32>,
    opened: Cell<u32>,
    transcripts: RefCell<Vec<Arc<Mutex<Transcript>>>>,
    notes: RefCell<Vec<String>>,
    negative: Cell<bool>,
}

impl T {
    /// For one run of a case.
    pub fn new(env: Arc<Env>, case: &'static Case, attempt: u32) -> T {
        // A slow case waits for T_IDLE once or twice.
        let slow = if case.slow { env.timeouts.idle * 3 } else { Duration::ZERO };
        T {
            end: Instant::now() + env.timeouts.case + slow,
            payloads: Payloads::new(env.seed, case.id),
            env,
            case,
            attempt,
            names: Cell::new(0),
            opened: Cell::new(0),
            transcripts: RefCell::default(),
            notes: RefCell::default(),
            negative: Cell::new(case.is_negative()),
        }
    }

    /// What all cases share.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The case.
    pub fn case(&self) -> &'static Case {
        self.case
    }

    /// Time limits.
    pub fn timeouts(&self) -> Timeouts {
        self.env.timeouts
    }

    /// Adds a line to the result's detail, whatever the verdict.
    pub fn note(&self, text: impl Into<String>) {
        self.notes.borrow_mut().push(text.into());
    }

    /// The lines so far.
    pub fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// After this case a fresh connection must be served, or it is FAIL.
    pub fn expect_alive_after(&self) {
        self.negative.set(true);
    }

    /// Whether it must.
    pub fn is_negative(&self) -> bool {
        self.negative.get()
    }

    /// What travelled, a transcript per connection in the order they were opened.
    pub fn transcripts(&self) -> Vec<Transcript> {
        let all = self.transcripts.borrow();
        all.iter().map(|t| t.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    // ---- payloads ----

    /// `count` bytes from the seed, the case and the label.
    pub fn bytes(&self, label: &str, count: usize) -> Vec<u8> {
        self.payloads.bytes(label, count)
    }

    /// A stream name that no other case uses; another one with each call.
    pub fn name(&self) -> String {
        let count = self.names.get();
        self.names.set(count + 1);
        let number = self.payloads.number(&format!("name {} {count}", self.attempt));
        format!("{}{:012x}", self.env.target.prefix, number & 0xffff_ffff_ffff)
    }

    /// C1 of the simple handshake: time, zeros, random bytes.
    pub fn c1(&self, label: &str) -> [u8; PACKET_LEN] {
        let mut c1 = [0; PACKET_LEN];
        c1[8..].copy_from_slice(&self.bytes(label, PACKET_LEN - 8));
        c1
    }

    /// A picture: AVC in one NAL unit, `size` bytes of message.
    pub fn picture(&self, label: &str, key: bool, size: usize) -> Vec<u8> {
        let size = size.max(16);
        let mut nal = self.bytes(label, size - 9);
        nal[0] = if key { 0x65 } else { 0x41 };
        let nalus = [&((size - 9) as u32).to_be_bytes()[..], &nal].concat();
        flv::avc_frame(key, 0, &nalus)
    }

    /// An AAC frame, `size` bytes of message.
    pub fn sound(&self, label: &str, size: usize) -> Vec<u8> {
        flv::aac_frame(&self.bytes(label, size.max(3) - 2))
    }

    /// AVC sequence header.
    pub fn avc_header(&self) -> Vec<u8> {
        flv::avc_sequence_header(&codec::avc_configuration(320, 180, 25))
    }

    /// AAC sequence header.
    pub fn aac_header(&self) -> Vec<u8> {
        flv::aac_sequence_header(&codec::aac_configuration(44100, 2))
    }

    // ---- connections ----

    /// TCP only.
    pub fn open(&self) -> Result<Conn, Stop> {
        let target = &self.env.target;
        let link = Link::connect(target.address, self.env.timeouts.reply, self.env.clock)
            .map_err(|error| Stop::Setup(error.to_string()))?;
        self.transcripts.borrow_mut().push(link.transcript());
        Ok(Conn::new(link, self.env.timeouts, self.end))
    }

    /// TCP and the simple handshake.
    pub fn handshaken(&self) -> Result<Conn, Stop> {
        let mut conn = self.open()?;
        self.handshake(&mut conn).setup()?;
        Ok(conn)
    }

    /// The simple handshake on an open connection: C0 C1, waits for S0 S1 S2, C2 echoes S1.
    pub fn handshake(&self, conn: &mut Conn) -> Result<(), Stop> {
        let count = self.opened.get();
        self.opened.set(count + 1);
        let c1 = self.c1(&format!("C1 {count}"));
        self.handshake_with(conn, 3, &c1)
    }

    /// The same with C0 and C1 as given.
    pub fn handshake_with(
        &self,
        conn: &mut Conn,
        c0: u8,
        c1: &[u8; PACKET_LEN],
    ) -> Result<(), Stop> {
        conn.raw(&[&[c0], &c1[..]].concat());
        let flight = conn.read_first(1 + 2 * PACKET_LEN, self.env.timeouts.handshake)?;
        conn.raw(&flight[1..1 + PACKET_LEN]);
        conn.state = State::Handshaken;
        Ok(())
    }

    /// The command object of `connect` for an application, as an encoder sends it.
    pub fn connect_object(&self, app: &str) -> Value {
        Value::object([
            ("app", Value::string(app)),
            ("type", Value::string("nonprivate")),
            ("flashVer", Value::string("FMLE/3.0 (compatible; rtmpscope)")),
            ("tcUrl", Value::string(&self.env.target.tc_url(app))),
        ])
    }

    /// `connect`, transaction 1, with these properties added to the usual ones, or replacing them.
    pub fn connect_message(&self, more: &[(&str, Value)]) -> Msg {
        let mut object = self.connect_object(&self.env.target.app);
        if let Value::Object { properties, .. } = &mut object {
            for (name, value) in more {
                properties.retain(|property| property.name != *name);
                let (name, value) = (Text::from(*name), value.clone());
                properties.push(Property { name, value });
            }
        }
        Msg::command("connect", 1.0, object, &[])
    }

    /// Handshake and `connect`, answered with `_result`.
    pub fn connected(&self) -> Result<Conn, Stop> {
        self.connected_with(&[])
    }

    /// The same with more in the command object.
    pub fn connected_with(&self, more: &[(&str, Value)]) -> Result<Conn, Stop> {
        let mut conn = self.handshaken()?;
        conn.send(self.connect_message(more));
        conn.expect_result(1.0).setup()?;
        conn.state = State::Connected;
        Ok(conn.marked())
    }

    /// `createStream` on a connection; gives the stream id and keeps it as [`Conn::stream_id`].
    pub fn create_stream(&self, conn: &mut Conn) -> Result<u32, Stop> {
        let transaction = conn.fresh_transaction();
        conn.send(Msg::command("createStream", transaction, Value::Null, &[]));
        let reply = conn.expect_result(transaction)?;
        let id = reply.arguments.iter().find_map(Value::as_number);
        let id = id.ok_or_else(|| Stop::Fail("createStream gave no stream id".into()))?;
        conn.stream_id = id as u32;
        if conn.state == State::Connected {
            conn.state = State::Stream;
        }
        Ok(conn.stream_id)
    }

    /// Connected, with a stream.
    pub fn stream(&self) -> Result<Conn, Stop> {
        let mut conn = self.connected()?;
        self.create_stream(&mut conn).setup()?;
        Ok(conn.marked())
    }

    /// Publishing under `name`.
    pub fn publisher(&self, name: &str) -> Result<Conn, Stop> {
        let mut conn = self.stream()?;
        self.publish(&mut conn, name).setup()?;
        Ok(conn.marked())
    }

    /// `publish` on a connection with a stream; waits for `NetStream.Publish.Start`.
    pub fn publish(&self, conn: &mut Conn, name: &str) -> Result<(), Stop> {
        conn.send(self.publish_message(conn.stream_id, name));
        conn.expect_status("NetStream.Publish.Start")?;
        conn.state = State::Publishing;
        conn.name = name.to_owned();
        Ok(())
    }

    /// `publish` as a live stream, without sending it.
    pub fn publish_message(&self, stream_id: u32, name: &str) -> Msg {
        let name = format!("{name}{}", self.env.target.query);
        let arguments = [Value::string(&name), Value::string("live")];
        Msg::command("publish", 5.0, Value::Null, &arguments).csid(8).on(stream_id)
    }

    /// Playing `name`; waits for `NetStream.Play.Start`.
    pub fn player(&self, name: &str) -> Result<Conn, Stop> {
        let mut conn = self.stream()?;
        self.play(&mut conn, name).setup()?;
        Ok(conn.marked())
    }

    /// `play` on a connection with a stream; waits for `NetStream.Play.Start`.
    pub fn play(&self, conn: &mut Conn, name: &str) -> Result<(), Stop> {
        conn.send(self.play_message(conn.stream_id, name));
        conn.expect_status("NetStream.Play.Start")?;
        conn.state = State::Playing;
        conn.name = name.to_owned();
        Ok(())
    }

    /// `play` with start -2 (live, or recorded), without sending it.
    pub fn play_message(&self, stream_id: u32, name: &str) -> Msg {
        let name = format!("{name}{}", self.env.target.query);
        let arguments = [Value::string(&name), Value::Number(-2000.0)];
        Msg::command("play", 4.0, Value::Null, &arguments).csid(8).on(stream_id)
    }

    /// Metadata and codec headers of a stream, at timestamp 0.
    pub fn send_headers(&self, conn: &mut Conn) {
        let (id, time) = (conn.stream_id, 0);
        let metadata = Value::EcmaArray {
            count: 4,
            properties: [("width", 320.0), ("height", 180.0), ("framerate", 25.0)]
                .map(|(name, value)| Property { name: name.into(), value: Value::Number(value) })
                .into(),
            dense: Vec::new(),
        };
        let name = [Value::string("@setDataFrame"), Value::string("onMetaData"), metadata];
        conn.send(Msg::data(&name).csid(4).on(id).at(time));
        conn.send(Msg::video(time, self.avc_header()).on(id));
        conn.send(Msg::audio(time, self.aac_header()).on(id));
    }

    // ---- liveness ----

    /// Whether the same connection still answers: `createStream` with a fresh transaction id, or a
    /// ping, as the probe found out for the connection's state. A server that answers neither is
    /// alive when it has not closed a second later.
    pub fn alive_same(&self, conn: &mut Conn) -> bool {
        self.barrier(conn, self.env.timeouts.reply).is_ok()
    }

    /// The same with what happened instead.
    pub fn barrier(&self, conn: &mut Conn, timeout: Duration) -> Result<(), Stop> {
        let facts = &self.env.facts;
        // While media flows the ping is better where it is answered: createStream spends ids, and
        // nginx-rtmp gives the one that is in use.
        let gentle = |known: Barriers| match known.ping {
            true => Barriers { create_stream: false, ping: true },
            false => known,
        };
        let barriers = match conn.state {
            State::Publishing => gentle(facts.publishing),
            State::Playing => gentle(facts.playing),
            _ => facts.connected,
        };
        self.barrier_by(conn, barriers, timeout)
    }

    /// The same with what is answered as told.
    pub fn barrier_by(
        &self,
        conn: &mut Conn,
        barriers: Barriers,
        timeout: Duration,
    ) -> Result<(), Stop> {
        conn.release();
        if barriers.create_stream {
            let transaction = conn.fresh_transaction();
            conn.send(Msg::command("createStream", transaction, Value::Null, &[]).fmt(0));
            let answered = |message: &Message| {
                Conn::command_of(message)
                    .is_some_and(|c| c.is_reply() && c.transaction_id == Some(transaction))
            };
            conn.expect_in(timeout, "answer to createStream", answered).map(|_| ())
        } else if barriers.ping {
            let stamp = conn.fresh_transaction() as u32;
            conn.send(Msg::ping(stamp));
            let answered = |message: &Message| match &message.body {
                Body::UserControl(event) => event.event.0 == 7 && event.timestamp == Some(stamp),
                _ => false,
            };
            conn.expect_in(timeout, "answer to a ping", answered).map(|_| ())
        } else {
            let text = "weak: the server answers neither createStream nor ping in this state";
            self.note(text);
            match conn.wait_close(Duration::from_secs(1)) {
                Some(close) => Err(Stop::Fail(format!("closed ({})", close.name()))),
                None => Ok(()),
            }
        }
    }

    /// Whether a new connection is served: handshake and `connect`.
    pub fn alive_new(&self) -> bool {
        self.connected().is_ok()
    }

    // ---- verdicts ----

    /// PASS.
    pub fn pass(&self) -> Outcome {
        Ok(Verdict::Pass)
    }

    /// FAIL.
    pub fn fail(&self, text: impl Into<String>) -> Outcome {
        Ok(Verdict::Fail(text.into()))
    }

    /// NONSTRICT.
    pub fn nonstrict(&self, text: impl Into<String>) -> Outcome {
        Ok(Verdict::NonStrict(text.into()))
    }

    /// FACT.
    pub fn fact(&self, text: impl Into<String>) -> Outcome {
        Ok(Verdict::Fact(text.into()))
    }

    /// INCONCLUSIVE.
    pub fn inconclusive(&self, text: impl Into<String>) -> Outcome {
        Ok(Verdict::Inconclusive(text.into()))
    }

    /// UNSUPPORTED.
    pub fn unsupported(&self, text: impl Into<String>) -> Outcome {
        Ok(Verdict::Unsupported(text.into()))
    }

    /// PASS when `good`, else FAIL.
    pub fn pass_if(&self, good: bool, otherwise: impl Into<String>) -> Outcome {
        Ok(Verdict::pass_if(good, otherwise))
    }

    /// PASS when `good`, else NONSTRICT.
    pub fn strict_if(&self, good: bool, otherwise: impl Into<String>) -> Outcome {
        Ok(Verdict::strict_if(good, otherwise))
    }

    /// Runs a variant for each item and gives the worst verdict, with the item's name in front. A
    /// variant that stops does not keep the others from being tried.
    pub fn each<I>(
        &mut self,
        items: impl IntoIterator<Item = (&'static str, I)>,
        mut run: impl FnMut(&mut T, I) -> Outcome,
    ) -> Outcome {
        let mut worst = Verdict::Pass;
        for (name, item) in items {
            let verdict = run(self, item).unwrap_or_else(Stop::verdict);
            worst = worst.worst(verdict.of(name));
        }
        Ok(worst)
    }
}
