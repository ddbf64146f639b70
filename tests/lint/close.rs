use rtmpscope::lint::Severity;

use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, MessageType, Outgoing, S2C};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

/// What holds no session at all.
fn nothing() -> Sample {
    Sample::Packets(Vec::new())
}

pub const ROWS: &[Row] = &[
    row("close/verdict", clean, nothing)
        .like(|f| f.message.plain().contains("closed by the client")),
    row("close/error-status-before", || Sample::File("play_missing_vod_nginx.pcap"), clean).error(),
    row("close/mid-message", || Sample::File("message_over_1MiB_nginx.pcap"), clean).error(),
    row("close/on-first-media", || codec_first(true), || codec_first(false)).error(),
    row("close/calls-pending", || asked().server_closes(), || answered().server_closes()),
    row("close/periodic", || ages(3), || ages(1)),
    row("close/graceful", clean, || Sample::File("net_publisher_killed_sigkill.pcap"))
        .like(|f| f.severity == Severity::Note),
];

/// A second of H.264, then the server closes on the first VP6 picture, or later.
fn codec_first(at_once: bool) -> Sample {
    let script = Script::publish().media(400);
    let picture = Outgoing::new(6, MessageType::VIDEO, 400, 1, vec![0x14, 0, 0, 0, 0, 0, 0]);
    let sound = Outgoing::new(4, MessageType::AUDIO, 400, 1, vec![0xb2, 0, 0, 0]);
    let script = if at_once { script.send(C2S, sound) } else { script.send(C2S, picture) };
    script.wait(if at_once { 20 } else { 700 }).server_closes()
}

/// Sessions that end after 40 s each.
fn ages(count: u16) -> Sample {
    several(
        count,
        60_000,
        || Script::publish().media(400).silence(40_000),
        |script| script.reset(S2C),
    )
}
