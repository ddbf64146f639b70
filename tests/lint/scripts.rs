//! Beginnings and messages that several layers' samples share.

use rtmpscope::base::Packet;

use crate::support::lint::{Sample, Script};
use crate::support::{C2S, MessageType, Outgoing, Plan, Role, S2C, V, amf0};

/// After the handshake and `connect` with these members beside the usual ones.
pub fn connect(app: &str, tc_url: Option<&str>, more: Vec<(&str, V<'_>)>) -> Script {
    let mut object = vec![("app", V::Str(app)), ("flashVer", V::Str("FMLE/3.0"))];
    object.extend(tc_url.map(|url| ("tcUrl", V::Str(url))));
    object.extend(more);
    let script = Script::connected();
    script.command(C2S, &[V::Str("connect"), V::Num(1.0), V::Obj(object)]).wait(2)
}

/// The usual `connect`.
pub fn asked() -> Script {
    connect("live", Some("rtmp://media.example/live"), vec![])
}

/// The usual answer to `connect`.
pub fn answered() -> Script {
    asked().command(S2C, &[V::Str("_result"), V::Num(1.0), properties(), success(vec![])]).wait(1)
}

pub fn properties() -> V<'static> {
    V::Obj(vec![("fmsVer", V::Str("FMS/3,0,1,123")), ("capabilities", V::Num(31.0))])
}

pub fn success(more: Vec<(&'static str, V<'static>)>) -> V<'static> {
    let mut members = vec![
        ("level", V::Str("status")),
        ("code", V::Str("NetConnection.Connect.Success")),
        ("description", V::Str("Connection succeeded.")),
    ];
    members.extend(more);
    V::Obj(members)
}

/// `connect` refused with a description and more members of the information object.
pub fn refused(description: &'static str, more: Vec<(&'static str, V<'static>)>) -> Script {
    let mut members = vec![
        ("level", V::Str("error")),
        ("code", V::Str("NetConnection.Connect.Rejected")),
        ("description", V::Str(description)),
    ];
    members.extend(more);
    asked().command(S2C, &[V::Str("_error"), V::Num(1.0), V::Null, V::Obj(members)])
}

/// After createStream.
pub fn created() -> Script {
    answered()
        .command(C2S, &[V::Str("createStream"), V::Num(4.0), V::Null])
        .wait(1)
        .command(S2C, &[V::Str("_result"), V::Num(4.0), V::Null, V::Num(1.0)])
        .wait(1)
}

/// After `publish` was asked, without an answer.
pub fn publish_asked() -> Script {
    let publish = [V::Str("publish"), V::Num(5.0), V::Null, V::Str("example-key"), V::Str("live")];
    created().command_on(C2S, 1, &publish).wait(1)
}

/// After `play` was asked, without an answer.
pub fn play_asked() -> Script {
    created().command_on(C2S, 1, &[V::Str("play"), V::Num(5.0), V::Null, V::Str("example-key")])
}

/// A status of the server on a message stream.
pub trait Status {
    fn status(self, stream: u32, level: &str, code: &str) -> Script;
}

impl Status for Script {
    fn status(self, stream: u32, level: &str, code: &str) -> Script {
        let info = V::Obj(vec![
            ("level", V::Str(level)),
            ("code", V::Str(code)),
            ("description", V::Str("as it is")),
        ]);
        self.command_on(S2C, stream, &[V::Str("onStatus"), V::Num(0.0), V::Null, info])
    }
}

/// A player after metadata and codec headers.
pub fn player() -> Script {
    Script::plan(&Plan { role: Role::Play, ..Plan::new(7) })
}

/// A publisher with a stream key of its own.
pub fn keyed(key: &str) -> Script {
    Script::plan(&Plan { stream_key: key.into(), ..Plan::new(7) })
}

/// A video message.
pub fn video(timestamp: u32, payload: Vec<u8>) -> Outgoing {
    Outgoing::new(6, MessageType::VIDEO, timestamp, 1, payload)
}

/// An audio message.
pub fn audio(timestamp: u32, payload: Vec<u8>) -> Outgoing {
    Outgoing::new(4, MessageType::AUDIO, timestamp, 1, payload)
}

/// An H.264 picture of one NAL unit that begins with `head`, with a composition time.
pub fn picture(key: bool, composition: i32, head: u8) -> Vec<u8> {
    let mut out = vec![if key { 0x17 } else { 0x27 }, 1];
    out.extend(&composition.to_be_bytes()[1..]);
    out.extend([0, 0, 0, 20, head]);
    out.extend([0x55; 19]);
    out
}

/// Pictures of 25 per second from `from` ms on, for `ms`, with a key frame every `keys` of them.
pub fn pictures(mut script: Script, from: u32, ms: u32, keys: u32) -> Script {
    for at in (0..ms).step_by(40) {
        let key = at / 40 % keys == 0;
        let head = if key { 0x65 } else { 0x41 };
        script = script.send(C2S, video(from + at, picture(key, 0, head))).wait(40);
    }
    script
}

/// The same from a server, at another pace.
pub fn served(mut script: Script, ms: u32, pace: i64) -> Script {
    for at in (0..ms).step_by(40) {
        let key = at % 2000 == 0;
        let head = if key { 0x65 } else { 0x41 };
        script = script.send(S2C, video(at, picture(key, 0, head))).wait(pace);
    }
    script
}

/// AAC frames from `from` ms on, so many, so far apart.
pub fn sounds(mut script: Script, from: u32, count: u32, step: f64) -> Script {
    for at in 0..count {
        let timestamp = from + (f64::from(at) * step) as u32;
        let frame = [vec![0xaf, 1, 0x21], vec![0x33; 60]].concat();
        script = script.send(C2S, audio(timestamp, frame)).wait(step as i64);
    }
    script
}

/// onMetaData of a publisher.
pub fn metadata(script: Script, members: Vec<(&str, V<'_>)>) -> Script {
    let values = [V::Str("@setDataFrame"), V::Str("onMetaData"), V::Ecma(members)];
    let message = Outgoing::new(4, MessageType::DATA_AMF0, 0, 1, amf0(&values));
    script.send(C2S, message)
}

/// Sessions one after the other from client ports of their own, `gap_ms` apart.
pub fn several(count: u16, gap_ms: i64, one: impl Fn() -> Script, close: Close) -> Sample {
    let mut packets: Vec<Packet> = Vec::new();
    for at in 0..count {
        let mut script = one();
        script.net.client.set_port(50_000 + at);
        script.net.epoch_ns += i64::from(at) * gap_ms * 1_000_000;
        if let Sample::Packets(own) = close(script) {
            packets.extend(own);
        }
    }
    packets.sort_by_key(|packet| packet.time);
    Sample::Packets(packets)
}

/// How the sessions of [`several`] end.
pub type Close = fn(Script) -> Sample;
