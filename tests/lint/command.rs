use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, Plan, S2C, V};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

fn plan(change: impl FnOnce(&mut Plan)) -> Script {
    let mut plan = Plan::new(7);
    change(&mut plan);
    Script::plan(&plan)
}

pub const ROWS: &[Row] = &[
    row("command/app-not-found", || Sample::File("connect_unknown_app_nginx.pcap"), clean).error(),
    row(
        "command/app-not-found",
        || refused("application nope not found", vec![]).server_closes(),
        || Sample::File("fail_setchunk_0_nginx.pcap"),
    ),
    row(
        "command/connect-rejected",
        || refused("licence limit reached", vec![]).server_closes(),
        || Sample::File("fail_auth_adobe_crtmpserver.pcap"),
    )
    .error(),
    row(
        "command/app-holds-stream-name",
        || plan(|p| (p.app, p.stream_key) = ("live/key".into(), String::new())).capture(),
        || plan(|p| p.app = "live/europe".into()).capture(),
    ),
    row("command/app-slash", || plan(|p| p.app = "live/".into()).capture(), clean),
    row("command/app-slash", || keyed("/key").capture(), || keyed("key?path=/a").capture()),
    row(
        "command/tcurl-problem",
        || connect("live", None, vec![]).capture(),
        || connect("live", Some("rtmp://media.example:1935/live?x=1"), vec![]).capture(),
    ),
    row(
        "command/tcurl-problem",
        || connect("live", Some("rtmp://media.example/other"), vec![]).capture(),
        clean,
    ),
    row(
        "command/credentials-in-tcurl",
        || connect("live", Some("rtmp://user:word@media.example/live"), vec![]).capture(),
        || connect("live", Some("rtmp://media.example/live?user=a@b"), vec![]).capture(),
    ),
    row(
        "command/long-query",
        || keyed(&format!("key?token={}", "x".repeat(300))).capture(),
        || keyed(&format!("key?token={}", "x".repeat(200))).capture(),
    ),
    row(
        "command/query-on-wrong-part",
        || keyed("key?token=1").server_closes(),
        || keyed("key").server_closes(),
    ),
    row(
        "command/result-incomplete",
        || {
            let info = V::Obj(vec![("level", V::Str("status"))]);
            asked().command(S2C, &[V::Str("_result"), V::Num(1.0), V::Null, info]).capture()
        },
        clean,
    ),
    row(
        "command/objectencoding-raised",
        || {
            let info = success(vec![("objectEncoding", V::Num(3.0))]);
            asked().command(S2C, &[V::Str("_result"), V::Num(1.0), properties(), info]).capture()
        },
        clean,
    ),
    row(
        "command/auth-challenge",
        || Sample::File("fail_auth_adobe_crtmpserver.pcap"),
        || refused("licence limit reached", vec![]).server_closes(),
    )
    .like(|finding| finding.severity == rtmpscope::lint::Severity::Note),
    row(
        "command/auth-challenge",
        || refused("[ code=403 need auth; authmod=adobe ]", vec![]).server_closes(),
        clean,
    )
    .error(),
    row(
        "command/auth-failed",
        || Sample::File("fail_auth_adobe_crtmpserver.pcap"),
        || refused("[ authmod=adobe ] : ?reason=needauth&user=a&salt=b", vec![]).server_closes(),
    )
    .error(),
    row("command/redirect-ignored", redirect, || refused("not now", vec![]).server_closes())
        .error(),
    row("command/no-reply", || asked().silence(6000).capture(), || asked().silence(1000).capture())
        .error(),
    row(
        "command/txid-mismatch",
        || answered().command(S2C, &[V::Str("_result"), V::Num(99.0), V::Null]).capture(),
        || Sample::File("fail_setchunk_2147483648_nginx.pcap"),
    ),
    row(
        "command/createstream-odd",
        || {
            let ask = [V::Str("createStream"), V::Num(4.0), V::Null];
            let answer = [V::Str("_result"), V::Num(4.0), V::Null, V::Num(0.0)];
            answered().command(C2S, &ask).wait(1).command(S2C, &answer).capture()
        },
        || created().capture(),
    ),
    row(
        "command/status-on-wrong-stream",
        || Sample::File("rtmp_rtmpdump_play_rtmpsrv.pcap"),
        || Sample::File("rtmpdump_play_nginx.pcap"),
    ),
    row(
        "command/optional-call-kills",
        || {
            let ask = [V::Str("getStreamLength"), V::Num(6.0), V::Null, V::Str("key")];
            created().command(C2S, &ask).server_closes()
        },
        || play_asked().server_closes(),
    ),
    row(
        "command/play-codecs-undeclared",
        || served(player(), 4000, 40).capture(),
        || Sample::File("rtmpdump_play_nginx.pcap"),
    ),
];

fn redirect() -> Sample {
    let target =
        V::Obj(vec![("code", V::Num(302.0)), ("redirect", V::Str("rtmp://other.example/live"))]);
    refused("redirect", vec![("ex", target)]).server_closes()
}
