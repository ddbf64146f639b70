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
