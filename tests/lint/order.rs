use super::media::data;
use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, S2C, V};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

/// A command of the client on message stream 0.
fn call<'a>(name: &'a str, id: f64, argument: V<'a>) -> [V<'a>; 4] {
    [V::Str(name), V::Num(id), V::Null, argument]
}

pub const ROWS: &[Row] = &[
    row(
        "rtmp/connect/txn-is-1",
        || {
            let object = V::Obj(vec![("app", V::Str("live"))]);
            Script::connected().command(C2S, &[V::Str("connect"), V::Num(2.0), object]).capture()
        },
        clean,
    ),
    row(
        "rtmp/connect/reply-msid0",
        || {
            let values = [V::Str("_result"), V::Num(1.0), properties(), success(vec![])];
            asked().command_on(S2C, 5, &values).capture()
        },
        clean,
    ),
    row(
        "rtmp/connect/twice",
        || {
            let object = V::Obj(vec![("app", V::Str("live"))]);
            answered().command(C2S, &[V::Str("connect"), V::Num(1.0), object]).capture()
        },
        clean,
    ),
    row(
        "rtmp/connect/before-other-commands",
        || {
            let script = Script::connected();
            script.command(C2S, &[V::Str("createStream"), V::Num(2.0), V::Null]).capture()
        },
        clean,
    )
    .error(),
    row(
        "rtmp/publish/command-on-msid0",
        || created().command(C2S, &call("publish", 5.0, V::Str("key"))).capture(),
        clean,
    ),
    row(
        "rtmp/publish/stream-not-created",
        || created().command_on(C2S, 7, &call("publish", 5.0, V::Str("key"))).capture(),
        clean,
    )
    .error(),
    row(
        "rtmp/deletestream/unknown-id",
        || created().command(C2S, &call("deleteStream", 5.0, V::Num(7.0))).capture(),
        || created().command(C2S, &call("deleteStream", 5.0, V::Num(1.0))).capture(),
    ),
    row("rtmp/deletestream/no-reply", || Sample::File("fail_play_missing_srs.pcap"), clean),
    row(
        "flv/script/onmetadata-shape",
        || data(&[V::Str("onMetaData"), V::Obj(vec![]), V::Num(1.0)]),
        || data(&[V::Str("onMetaData"), V::Obj(vec![])]),
    ),
];
