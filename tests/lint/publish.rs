use rtmpscope::lint::Severity;

use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, V};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

pub const ROWS: &[Row] = &[
    row("publish/badname", || Sample::File("fail_duplicate_publisher_crtmpserver.pcap"), clean)
        .like(|f| f.severity == Severity::Error && f.message.plain().contains("session 1")),
    row(
        "publish/rejected",
        || publish_asked().status(1, "error", "NetStream.Publish.Denied").server_closes(),
        || Sample::File("fail_auth_adobe_crtmpserver.pcap"),
    )
    .error(),
    row("publish/start-then-close", || Sample::File("publish_denied_nginx.pcap"), clean).error(),
    row("publish/start-then-close", || Sample::File("fail_auth_nms4.pcap"), clean),
    row(
        "publish/closed-without-status",
        || Sample::File("fail_auth_srs_security_deny.pcap"),
        || Sample::File("publish_denied_nginx.pcap"),
    )
    .error(),
    row(
        "publish/closed-without-status",
        || Sample::File("fail_duplicate_publisher_srs.pcap"),
        || Sample::File("fail_duplicate_publisher_crtmpserver.pcap"),
    )
    .like(|f| f.message.plain().contains("the name is in use; session 1")),
    row("publish/name-empty", || keyed("").capture(), clean),
    row("publish/name-odd", || keyed("my key").capture(), || keyed("my-key?token=1").capture()),
    row("publish/type-odd", || again("loud"), || again("LIVE")),
    row("publish/second-publish", || again("live"), clean),
    row("publish/reconnect-storm", || tries(4), || tries(2)),
    row(
        "publish/key-in-clear",
        || keyed("key?token=abcdef").capture(),
        || Sample::File("play_missing_vod_nginx.pcap"),
    )
    .like(|f| f.severity == Severity::Warning),
    row("publish/key-in-clear", clean, || Sample::File("rtmp_rtmpdump_play_rtmpsrv.pcap"))
        .like(|f| f.severity == Severity::Note),
    row(
        "publish/media-before-start",
        || publish_asked().video(0, true, 500).capture(),
        || Script::publish().video(0, true, 500).capture(),
    ),
    row(
        "publish/media-after-refusal",
        || {
            let script = Script::publish().status(1, "error", "NetStream.Publish.Failed");
            script.media(1000).capture()
        },
        clean,
    ),
    row(
        "publish/no-media",
        || publish_asked().status(1, "status", "NetStream.Publish.Start").silence(6000).capture(),
        || Sample::File("publish_denied_nginx.pcap"),
    )
    .error(),
    row(
        "publish/media-gap",
        || Script::publish().media(1000).wait(7000).media(400).capture(),
        || Script::publish().media(1000).wait(2000).media(400).capture(),
    ),
    row(
        "publish/ended-without-unpublish",
        || Sample::File("net_publisher_killed_sigkill.pcap"),
        clean,
    ),
];

/// publish once more on the same stream.
fn again(kind: &str) -> Sample {
    let values = [V::Str("publish"), V::Num(9.0), V::Null, V::Str("example-key"), V::Str(kind)];
    Script::publish().command_on(C2S, 1, &values).capture()
}

/// A client that is refused again and again.
fn tries(count: u16) -> Sample {
    several(
        count,
        5000,
        || publish_asked().status(1, "error", "NetStream.Publish.BadName"),
        Script::server_closes,
    )
}
