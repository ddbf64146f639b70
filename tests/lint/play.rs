use rtmpscope::lint::Severity;

use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{Plan, Role, S2C};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("rtmpdump_play_nginx.pcap")
}

pub const ROWS: &[Row] = &[
    row(
        "play/stream-not-found",
        || Sample::File("play_missing_vod_nginx.pcap"),
        || Sample::File("play_missing_stream_nginx.pcap"),
    )
    .error(),
    row(
        "play/rejected",
        || play_asked().status(1, "error", "NetStream.Play.Failed").server_closes(),
        || Sample::File("play_missing_vod_nginx.pcap"),
    )
    .error(),
    row(
        "play/start-then-close",
        || Sample::File("play_denied_nginx.pcap"),
        || Sample::File("play_missing_stream_nginx.pcap"),
    )
    .error(),
    row("play/closed-without-status", || Sample::File("fail_auth_srs_security_deny.pcap"), clean)
        .error(),
    row("play/start-without-media", || Sample::File("play_missing_stream_nginx.pcap"), clean)
        .error(),
    row("play/start-without-media", || Sample::File("fail_play_missing_srs.pcap"), clean),
    row(
        "play/start-without-media",
        || Sample::File("fail_play_missing_nms4.pcap"),
        || Sample::File("play_denied_nginx.pcap"),
    ),
    row("play/no-answer", || play_asked().silence(3000).capture(), clean).error(),
    row(
        "play/publisher-left",
        || player().status(1, "status", "NetStream.Play.UnpublishNotify").capture(),
        clean,
    ),
    row("play/wait-for-keyframe", || late_picture(6000), || late_picture(1000))
        .like(|f| f.severity == Severity::Warning),
    row(
        "play/config-not-replayed",
        || Sample::File("av1_opus_publish_play_lal.pcap"),
        || Sample::File("hevc_aac_publish_play_srs.pcap"),
    )
    .error(),
    row("play/phantom-track", || served(player(), 4000, 40).capture(), clean),
    row("play/gop-cache-same-ts", || burst(0), || burst(40)),
    row("play/server-drops-frames", || two_legs(true), || two_legs(false)),
    row(
        "play/falling-behind",
        || served(player(), 8000, 60).capture(),
        || served(player(), 12_000, 40).capture(),
    ),
];

/// Sound at once, the first picture after so many milliseconds.
fn late_picture(ms: u32) -> Sample {
    let mut script = Script::plan(&Plan { role: Role::Play, ..Plan::new(7) });
    for at in (0..ms).step_by(100) {
        script = script.send(S2C, audio(at, vec![0xaf, 1, 0x21, 7])).wait(100);
    }
    script.send(S2C, video(ms, picture(true, 0, 0x65))).capture()
}

/// A publisher and a player of its stream, to whom a tenth of the pictures does not come.
fn two_legs(drops: bool) -> Sample {
    let publisher = pictures(Script::publish(), 0, 4000, 50);
    let mut viewer = player();
    viewer.net.client.set_port(50_001);
    for at in (0..4000_u32).step_by(40) {
        let lost = drops && at > 2000 && at % 1000 > 600;
        if !lost {
            let key = at % 2000 == 0;
            let head = if key { 0x65 } else { 0x41 };
            viewer = viewer.send(S2C, video(at, picture(key, 0, head)));
        }
        viewer = viewer.wait(40);
    }
    let (Sample::Packets(mut packets), Sample::Packets(more)) =
        (publisher.capture(), viewer.capture())
    else {
        unreachable!("scripts make packets")
    };
    packets.extend(more);
    packets.sort_by_key(|packet| packet.time);
    Sample::Packets(packets)
}

/// Eight pictures at once with this step of their timestamps, then another.
fn burst(step: u32) -> Sample {
    let mut script = player();
    for at in 0..8 {
        script = script
            .send(S2C, video(at * step, picture(at == 0, 0, if at == 0 { 0x65 } else { 0x41 })));
    }
    script.wait(40).send(S2C, video(8 * step + 40, picture(false, 0, 0x41))).capture()
}
