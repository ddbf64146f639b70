use rtmpscope::analysis::{
    Fact, FactValue, Record, SessionEnd, SessionRecord, Transport, TransportRecord,
};
use rtmpscope::base::{Direction, Timestamp};
use rtmpscope::flow::{EndReason, RoleSource};

use crate::support::lint::{Sample, Script};
use crate::support::{C2S, S2C, handshake};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "tls/clienthello-on-plain-port",
        || Sample::File("fail_tls_client_on_rtmp_port_nginx.pcap"),
        || Script::silent().raw(C2S, &hello(None)).wait(1).raw(S2C, SERVER_HELLO).capture(),
    )
    .error(),
    row("tls/plain-rtmp-on-tls-port", alert, || Script::publish().capture()).error(),
    row(
        "tls/no-sni",
        || Script::silent().raw(C2S, &hello(None)).server_closes(),
        || Script::silent().raw(C2S, &hello(Some("live.example.com"))).server_closes(),
    )
    .error(),
    row("tls/certificate-refused", || alerts(C2S, 48), || alerts(S2C, 48)).error(),
    row("tls/name-mismatch", || certificate(false), || certificate(true)).error(),
    row("tls/handshake-alert", || alerts(S2C, 70), || alerts(S2C, 90)).error(),
    row(
        "tls/closed-on-session-ticket",
        || said(vec![fact("session-ticket", S2C, vec![])], C2S),
        || said(vec![fact("session-ticket", S2C, vec![])], S2C),
    )
    .error(),
    row(
        "tls/alpn-picked-http",
        || said(vec![fact("encrypted-extensions", S2C, vec![("alpn", text("h2"))])], S2C),
        || said(vec![fact("encrypted-extensions", S2C, vec![("alpn", text("x"))])], S2C),
    ),
    row(
        "tls/opaque",
        || Script::silent().raw(C2S, &hello(None)).wait(1).raw(S2C, SERVER_HELLO).capture(),
        || Script::silent().raw(C2S, &hello(None)).wait(1).capture(),
    ),
];

/// The beginning of a ServerHello: nobody reads on.
const SERVER_HELLO: &[u8] = &[0x16, 3, 3, 0, 40, 2, 0, 0, 36, 3, 3];

fn alert() -> Sample {
    let mut script = Script::silent();
    let client = handshake::simple(&mut script.s.rng).client_hello;
    script.raw(C2S, &client).wait(1).raw(S2C, &[0x15, 3, 3, 0, 2, 2, 40]).server_closes()
}

/// A TLS 1.2 ClientHello with one cipher suite.
fn hello(name: Option<&str>) -> Vec<u8> {
    let mut extensions = vec![0, 23, 0, 0];
    if let Some(name) = name {
        let len = name.len() as u16;
        extensions.extend([0, 0]);
        extensions.extend((len + 5).to_be_bytes());
        extensions.extend((len + 3).to_be_bytes());
        extensions.push(0);
        extensions.extend(len.to_be_bytes());
        extensions.extend(name.as_bytes());
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut out = vec![0x16, 3, 1];
    out.extend((body.len() as u16 + 4).to_be_bytes());
    out.push(1);
    out.extend(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend(body);
    out
}

fn text(text: &'static str) -> FactValue {
    FactValue::Text(text.into())
}

fn fact(name: &'static str, direction: Direction, fields: Vec<(&'static str, FactValue)>) -> Fact {
    let time = Timestamp(1_000_000);
    Fact { layer: "tls", name, odd: false, direction, time, offset: 0, fields }
}

/// What the pipeline says of TLS whose facts are these, without a message.
fn said(facts: Vec<Fact>, closer: Direction) -> Sample {
    let time = Timestamp(2_000_000);
    let mut records = vec![Record::Session(SessionRecord {
        session: 1,
        client: ([127, 0, 0, 1], 40000).into(),
        server: ([127, 0, 0, 1], 443).into(),
        role: RoleSource::Syn,
        transport: Transport::Rtmps,
        midstream: false,
        time: Timestamp(0),
        frame: 1,
        tunnels: vec![],
        note: None,
    })];
    for fact in facts {
        records.push(Record::Transport(TransportRecord { session: 1, frame: Some(4), fact }));
    }
    records.push(Record::SessionEnd(SessionEnd {
        session: 1,
        reason: EndReason::Fin(closer),
        time,
        start: Timestamp(0),
        transport: Transport::Rtmps,
        messages: [0; 2],
        by_type: vec![],
        damaged: 0,
        uncertain: 0,
        anomalies: 0,
        undecoded_bytes: [0; 2],
        tcp: Default::default(),
        facts: Default::default(),
    }));
    Sample::Records(records)
}

fn alerts(sender: Direction, code: u64) -> Sample {
    let fields = vec![
        ("level", text("fatal")),
        ("description", text("an_alert")),
        ("code", FactValue::Number(code)),
    ];
    said(vec![fact("alert", sender, fields)], sender)
}

fn certificate(covers: bool) -> Sample {
    let names = FactValue::List(vec!["live.example.com".into()]);
    let fields = vec![("covers_server_name", FactValue::Flag(covers)), ("names", names)];
    said(vec![fact("certificate", S2C, fields)], S2C)
}
