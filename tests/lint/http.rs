use crate::support::lint::{Sample, Script};
use crate::support::{C2S, S2C};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row(
        "http/http-client-on-rtmp-port",
        || Sample::File("fail_http_client_on_rtmp_port_nginx.pcap"),
        || Sample::File("fail_tls_client_on_rtmp_port_nginx.pcap"),
    )
    .error(),
    row(
        "http/http-client-on-rtmp-port",
        || Sample::File("junk_http_get_on_1935_nginx.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
    row(
        "http/rtmpt-not-supported",
        || Sample::File("rtmpt_rtmpdump_http404.pcap"),
        || tunnel(&[("send", 0, Some(200))]).capture(),
    )
    .error(),
    row(
        "http/rtmpt-not-supported",
        || ask(Script::silent(), "/open/1", Some((200, "<html></html>"))).server_closes(),
        || tunnel(&[("send", 0, Some(200)), ("idle", 1, Some(404))]).capture(),
    )
    .error(),
    row(
        "http/rtmpt-session-lost",
        || tunnel(&[("send", 0, Some(200)), ("idle", 1, Some(404))]).capture(),
        || Sample::File("rtmpt_rtmpdump_http404.pcap"),
    )
    .error(),
    row(
        "http/rtmpt-sequence-broken",
        || tunnel(&[("send", 0, Some(200)), ("send", 2, Some(200))]).capture(),
        || tunnel(&[("send", 0, Some(200)), ("send", 1, Some(200))]).capture(),
    )
    .error(),
    row(
        "http/rtmpt-sequence-broken",
        || tunnel(&[("send", 0, Some(200)), ("send", 0, Some(200))]).capture(),
        || tunnel(&[("send", 7, Some(200)), ("idle", 8, Some(200))]).capture(),
    ),
    row("http/rtmpt-keepalive-limit", || polls(99).server_closes(), || polls(57).server_closes()),
    row("http/rtmpt-keepalive-limit", || polls(199).server_closes(), || polls(99).capture()),
    row(
        "http/rtmpt-never-closed",
        || tunnel(&[("send", 0, Some(200))]).capture(),
        || tunnel(&[("send", 0, Some(200)), ("close", 1, Some(200))]).capture(),
    ),
    row(
        "http/rtmpt-never-closed",
        || tunnel(&[("send", 0, Some(200)), ("idle", 1, None)]).capture(),
        || tunnel(&[("send", 0, Some(200)), ("close", 1, None)]).capture(),
    ),
];

/// A request, and its answer if there is one.
fn ask(script: Script, path: &str, answer: Option<(u16, &str)>) -> Script {
    let head = format!("POST {path} HTTP/1.1\r\nContent-Length: 1\r\n\r\n\0");
    let script = script.raw(C2S, head.as_bytes()).wait(1);
    let Some((status, body)) = answer else { return script };
    let len = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n\r\n{body}");
    script.raw(S2C, head.as_bytes()).wait(20)
}

/// A session with these requests; every answer is empty.
fn tunnel(requests: &[(&str, u64, Option<u16>)]) -> Script {
    let mut script = ask(Script::silent(), "/open/1", Some((200, "abc\n")));
    for (verb, seq, status) in requests {
        let path = format!("/{verb}/abc/{seq}");
        script = ask(script, &path, status.map(|status| (status, "\u{1}")));
    }
    script
}

/// A session with a send and so many idles less one, all answered.
fn polls(count: u64) -> Script {
    let verb = |seq| if seq == 0 { "send" } else { "idle" };
    let requests: Vec<_> = (0..count).map(|seq| (verb(seq), seq, Some(200))).collect();
    tunnel(&requests)
}
