use crate::support::handshake::{Flights, Layout, digest, simple};
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, HandshakeKind, Plan, S2C, V, amf0};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "handshake/server-silent",
        || begin(|s, f| s.raw(C2S, &f.client_hello).silence(6000)).capture(),
        || Script::connected().capture(),
    )
    .error(),
    row(
        "handshake/truncated",
        || begin(|s, f| s.raw(C2S, &f.client_hello[..1000]).silence(6000)).capture(),
        || begin(|s, f| s.raw(C2S, &f.client_hello).silence(6000)).capture(),
    )
    .error(),
    row("handshake/c2-missing", || c2_missing().server_closes(), || Script::connected().capture())
        .error(),
    row(
        "handshake/slow",
        || begin(|s, f| s.raw(C2S, &f.client_hello).wait(1500).raw(S2C, &f.server)).capture(),
        || begin(|s, f| s.raw(C2S, &f.client_hello).wait(500).raw(S2C, &f.server)).capture(),
    ),
    row("rtmp/handshake/no-data-before-c2", || early_message().capture(), clean),
    row("rtmp/handshake/client-waits-s1-s2", || hasty_client().capture(), clean),
    row("handshake/s2-not-c1", || server(|s| s[2000..2100].fill(7)).server_closes(), clean),
    row("rtmp/handshake/s2-time-echo", || server(|s| s[1537] = 99).capture(), clean),
    row(
        "handshake/digest-invalid",
        || client(|c| c[5..9].copy_from_slice(&[9, 0, 124, 2])).capture(),
        || {
            let plan = Plan { handshake: HandshakeKind::DigestFirst, ..Plan::new(7) };
            Script::plan(&plan).capture()
        },
    ),
    row("rtmp/handshake/s1-zero-field", || server(|s| s[6] = 5).capture(), clean),
    row(
        "rtmp/handshake/s1-not-c1-copy",
        || server(|s| s.copy_within(1537..3073, 1)).capture(),
        clean,
    ),
    row(
        "handshake/complex-answered-simple",
        || answered_simple().capture(),
        || {
            let plan = Plan { handshake: HandshakeKind::KeyFirst, ..Plan::new(7) };
            Script::plan(&plan).capture()
        },
    ),
    row("handshake/rtmpe", || Sample::File("nrrs_rtmpe_ffmpeg9_publish.pcap"), clean).error(),
    row("rtmp/handshake/s0-version", || server(|s| s[0] = 4).capture(), clean),
    row(
        "handshake/version-odd",
        || Script::silent().raw(C2S, &[0x24; 60]).server_closes(),
        || Script::silent().raw(C2S, &[3; 60]).server_closes(),
    )
    .error(),
];

fn clean() -> Sample {
    Script::publish().media(200).capture()
}

fn begin(build: impl FnOnce(Script, &Flights) -> Script) -> Script {
    let mut script = Script::silent();
    let flights = simple(&mut script.s.rng);
    build(script, &flights)
}

/// A handshake in which the server's packets are changed.
fn server(change: impl FnOnce(&mut Vec<u8>)) -> Script {
    begin(|script, flights| {
        let mut server = flights.server.clone();
        change(&mut server);
        let script = script.raw(C2S, &flights.client_hello).wait(1).raw(S2C, &server).wait(1);
        script.raw(C2S, &flights.client_reply)
    })
}

/// A handshake in which C0 and C1 are changed.
fn client(change: impl FnOnce(&mut Vec<u8>)) -> Script {
    begin(|script, flights| {
        let mut hello = flights.client_hello.clone();
        change(&mut hello);
        let script = script.raw(C2S, &hello).wait(1).raw(S2C, &flights.server).wait(1);
        script.raw(C2S, &flights.client_reply)
    })
}

fn c2_missing() -> Script {
    let connect = amf0(&[V::Str("connect"), V::Num(1.0), V::Obj(vec![("app", V::Str("live"))])]);
    let mut chunk = vec![3, 0, 0, 0, 0, 0, connect.len() as u8, 20, 0, 0, 0, 0];
    chunk.extend(connect);
    begin(|script, flights| {
        let script = script.raw(C2S, &flights.client_hello).wait(1).raw(S2C, &flights.server);
        script.wait(1).raw(C2S, &chunk).wait(500)
    })
}

fn early_message() -> Script {
    begin(|script, flights| {
        let script = script.raw(C2S, &flights.client_hello).wait(1).raw(S2C, &flights.server);
        let script = script.control(S2C, 5, &[0, 0x26, 0x25, 0xa0]).wait(5);
        script.raw(C2S, &flights.client_reply)
    })
}

fn hasty_client() -> Script {
    begin(|script, flights| {
        let script = script.raw(C2S, &flights.client_hello).raw(C2S, &flights.client_reply);
        let script = script.control(C2S, 5, &[0, 0x26, 0x25, 0xa0]);
        script.wait(5).raw(S2C, &flights.server)
    })
}

fn answered_simple() -> Script {
    let mut script = Script::silent();
    let client = digest(Layout::DigestFirst, &mut script.s.rng).client_hello;
    let server = simple(&mut script.s.rng);
    let script = script.raw(C2S, &client).wait(1).raw(S2C, &server.server).wait(1);
    script.raw(C2S, &server.client_reply)
}
