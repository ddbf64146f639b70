use rtmpscope::lint::Severity;

use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, MessageType, Outgoing, S2C, V, amf0, media};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

/// A publisher whose codec headers were not sent.
fn bare() -> Script {
    publish_asked().status(1, "status", "NetStream.Publish.Start").wait(1)
}

pub const ROWS: &[Row] = &[
    // Configuration.
    row(
        "media/avc-config-missing",
        || bare().send(C2S, video(0, picture(true, 0, 0x65))).capture(),
        clean,
    )
    .error(),
    row("media/avc-config-invalid", cut_record, clean).error(),
    row(
        "media/aac-config-missing",
        || sounds(bare(), 0, 3, 23.2).capture(),
        || sounds(Script::publish(), 0, 3, 23.2).capture(),
    )
    .error(),
    row("media/aac-config-empty", || bare().send(C2S, audio(0, vec![0xaf, 0])).capture(), clean),
    row("media/config-changed", || another_record(true), || another_record(false))
        .like(|f| f.severity == Severity::Warning),
    row("media/config-repeated", || another_record(false), clean),
    row(
        "media/codec-unsupported-by-servers",
        || Sample::File("ffmpeg_publish_sorenson_mp3_nginx.pcap"),
        clean,
    ),
    // Payload.
    row(
        "media/annexb-payload",
        || coded(&[0, 0, 0, 1, 0x65, 1, 2, 3, 4, 5, 6, 7]),
        || coded(&[0, 0, 0, 8, 0x65, 1, 2, 3, 4, 5, 6, 7]),
    )
    .error(),
    row(
        "media/nalu-length-bad",
        || coded(&[0, 0, 0, 99, 0x65, 1, 2, 3, 4, 5, 6, 7]),
        || coded(&[0, 0, 0, 1, 0x65, 1, 2, 3, 4, 5, 6, 7]),
    )
    .error(),
    row(
        "media/key-flag-wrong",
        || Script::publish().send(C2S, video(0, picture(true, 0, 0x41))).capture(),
        || Script::publish().send(C2S, video(0, picture(true, 0, 0x65))).capture(),
    ),
    row("media/adts-in-aac", || adts(13), || adts(12)).error(),
    row("media/empty-message", clean, || Sample::File("obs_publish_nginx.pcap")),
    row(
        "media/reserved-frame-type",
        || {
            Script::publish()
                .send(C2S, video(0, vec![0x77, 1, 0, 0, 0, 0, 0, 0, 1, 0x41]))
                .capture()
        },
        clean,
    ),
    row(
        "media/aggregate",
        || Sample::File("nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap"),
        || Sample::File("rtmpdump_play_nginx.pcap"),
    ),
    // Key frames and order.
    row(
        "media/first-video-not-key",
        || Script::publish().send(C2S, video(0, picture(false, 0, 0x41))).capture(),
        clean,
    ),
    row(
        "media/keyframe-interval-long",
        || pictures(Script::publish(), 0, 13_000, 150).capture(),
        || pictures(Script::publish(), 0, 13_000, 50).capture(),
    )
    .like(|f| f.severity == Severity::Warning && f.message.plain().contains("6.0 s")),
    row("media/keyframe-interval-long", || Sample::File("obs_publish_nginx.pcap"), clean),
    row(
        "media/keyframe-interval-irregular",
        || scenes(&[10, 50, 20, 60, 15, 50, 10]),
        || scenes(&[50, 50, 50, 50, 50, 50, 50]),
    ),
    row("media/b-frames-present", clean, || {
        Sample::File("stall_zero_window_server_stopped_6s.pcap")
    }),
    row("media/cts-offset-without-reorder", || offset(120, 40), || offset(120, 0)),
    row(
        "media/cts-negative",
        || Script::publish().send(C2S, video(0, picture(true, -120, 0x65))).capture(),
        clean,
    )
    .like(|f| f.severity == Severity::Warning),
    row(
        "media/cts-implausible",
        || Script::publish().send(C2S, video(0, picture(true, 9000, 0x65))).capture(),
        clean,
    )
    .error(),
    // Timestamps.
    row("media/timestamp-backwards", || steps(&[0, 40, 80, 40, 80]), || steps(&[0, 40, 80]))
        .like(|f| f.severity == Severity::Warning),
    row("media/timestamp-backwards", || steps(&[2000, 2040, 500]), clean).error(),
    row("media/timestamp-jump", || jump(5000), || jump(500)),
    row("media/timestamp-jump", || jump(20_000), clean).error(),
    row(
        "media/timestamp-frozen",
        || steps(&[0, 40, 40, 40, 40, 40, 40, 80]),
        || steps(&[0, 40, 40, 80]),
    ),
    row("media/timestamp-crossing", || steps(&[16_777_200, 16_777_240]), clean),
    row(
        "media/timestamp-start-high",
        || Sample::File("publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap"),
        clean,
    ),
    row("media/interleave", || apart(3000), || apart(200)),
    row("media/track-late", || Sample::File("audio_2s_before_video_nginx.pcap"), clean)
        .like(|f| f.severity == Severity::Warning && f.message.plain().contains("2.0 s")),
    row(
        "media/audio-absent",
        || {
            let script = bare().send(C2S, video(0, media::avc_sequence_header()));
            pictures(script, 0, 12_000, 50).capture()
        },
        clean,
    ),
    // Rates.
    row("media/slower-than-realtime", || paced(40, 80, 25_000), lingering).error(),
    row("media/bitrate-over-profile", || falling(2000), || Script::publish().media(3000).capture())
        .set("media.bitrate-kbps", 100.0),
    row("media/bitrate-collapse", || falling(100), || falling(2000)),
    row("media/frame-gaps", || gaps(400), || gaps(80)),
    row(
        "media/aac-rate-conflict",
        || sounds(Script::publish(), 0, 80, 46.4).capture(),
        || sounds(Script::publish(), 0, 80, 23.22).capture(),
    ),
    row(
        "media/av-drift",
        || sounds(Script::publish(), 0, 1700, 23.22 * 1.01).capture(),
        || sounds(Script::publish(), 0, 1700, 23.22).capture(),
    ),
    // Metadata.
    row(
        "media/metadata-order",
        || bare().send(C2S, video(0, media::avc_sequence_header())).capture(),
        clean,
    ),
    row(
        "media/metadata-contradicts",
        || {
            let members = vec![("width", V::Num(1920.0)), ("height", V::Num(1080.0))];
            let script = metadata(bare(), members);
            script.send(C2S, video(0, media::avc_sequence_header())).capture()
        },
        || Script::publish().media(3000).capture(),
    )
    .like(|f| f.severity == Severity::Warning),
    row(
        "media/metadata-repeated",
        || {
            let size = || vec![("width", V::Num(640.0))];
            metadata(metadata(bare(), size()), size()).capture()
        },
        || metadata(Script::publish(), vec![("width", V::Num(640.0))]).capture(),
    ),
];

/// An AVC sequence header that ends within its SPS.
fn cut_record() -> Sample {
    let mut header = media::avc_sequence_header();
    header.truncate(15);
    bare().send(C2S, video(0, header)).capture()
}

/// A second sequence header after a picture: another one, or the same.
fn another_record(other: bool) -> Sample {
    let mut header = media::avc_sequence_header();
    if other {
        // Main profile in the record and in its SPS.
        header[6] = 77;
        header[14] = 77;
    }
    let script = Script::publish().send(C2S, video(0, picture(true, 0, 0x65)));
    script.send(C2S, video(40, header)).capture()
}

/// One H.264 picture with these coded bytes.
fn coded(bytes: &[u8]) -> Sample {
    let payload = [&[0x17, 1, 0, 0, 0], bytes].concat();
    Script::publish().send(C2S, video(0, payload)).capture()
}

/// An AAC frame of 13 bytes that begins like ADTS and says this length.
fn adts(len: u8) -> Sample {
    let frame = [0xff, 0xf1, 0x50, 0x80, len >> 3, len << 5, 0xfc, 1, 2, 3, 4, 5, 6];
    Script::publish().send(C2S, audio(0, [&[0xaf, 1], &frame[..]].concat())).capture()
}

/// Groups of so many pictures.
fn scenes(lens: &[u32]) -> Sample {
    let mut script = Script::publish();
    let mut at = 0;
    for len in lens {
        script = pictures(script, at, len * 40, 1000);
        at += len * 40;
    }
    script.capture()
}

/// Pictures that all have this composition time.
fn offset(count: u32, composition: i32) -> Sample {
    let mut script = Script::publish();
    for at in 0..count {
        let head = if at == 0 { 0x65 } else { 0x41 };
        script = script.send(C2S, video(at * 40, picture(at == 0, composition, head))).wait(40);
    }
    script.capture()
}

/// Pictures with these timestamps, 40 ms apart on the clock.
fn steps(timestamps: &[u32]) -> Sample {
    let mut script = Script::publish();
    for (at, timestamp) in timestamps.iter().enumerate() {
        let head = if at == 0 { 0x65 } else { 0x41 };
        script = script.send(C2S, video(*timestamp, picture(at == 0, 0, head))).wait(40);
    }
    script.capture()
}

/// Two seconds of pictures, then one that is this much later by its timestamp only.
fn jump(ms: u32) -> Sample {
    let script = pictures(Script::publish(), 0, 2000, 50);
    script.send(C2S, video(2000 + ms, picture(false, 0, 0x41))).capture()
}

/// Ten seconds of pictures and of sound that is ahead by so much.
fn apart(ms: u32) -> Sample {
    let mut script = Script::publish();
    for at in (0..10_000).step_by(40) {
        let head = if at == 0 { 0x65 } else { 0x41 };
        script = script
            .send(C2S, video(at, picture(at == 0, 0, head)))
            .send(C2S, audio(at + ms, vec![0xaf, 1, 0x21, 7, 7, 7]))
            .wait(40);
    }
    script.capture()
}

/// Pictures with this step of their timestamps and of the clock.
fn paced(step: u32, wall: i64, ms: i64) -> Sample {
    let mut script = Script::publish();
    for at in 0..(ms / wall) as u32 {
        let key = at % 50 == 0;
        let head = if key { 0x65 } else { 0x41 };
        script = script.send(C2S, video(at * step, picture(key, 0, head))).wait(wall);
    }
    script.capture()
}

/// Twelve seconds of media in time, then a connection that stays open for five.
fn lingering() -> Sample {
    let mut script = Script::publish();
    for at in 0..300_u32 {
        script = script.video(at * 40, at % 50 == 0, 500).wait(40);
    }
    for _ in 0..5 {
        // Acknowledgement.
        script = script.wait(1000).control(S2C, 3, &[0, 0, 1, 0]);
    }
    script.capture()
}

/// Forty seconds of 2000 bytes a picture, then ten of another size.
fn falling(size: usize) -> Sample {
    let mut script = Script::publish();
    for at in 0..500_u32 {
        let bytes = if at < 400 { 2000 } else { size };
        script = script.video(at * 100, at % 20 == 0, bytes).wait(100);
    }
    script.capture()
}

/// Pictures of which each twentieth comes so many ms after the one before.
fn gaps(ms: u32) -> Sample {
    let mut script = Script::publish();
    let mut timestamp = 0;
    for at in 0..200_u32 {
        let step = if at % 20 == 19 { ms } else { 40 };
        let head = if at == 0 { 0x65 } else { 0x41 };
        script =
            script.send(C2S, video(timestamp, picture(at == 0, 0, head))).wait(i64::from(step));
        timestamp += step;
    }
    script.capture()
}

/// For the layers that look at data messages.
pub fn data(values: &[V<'_>]) -> Sample {
    let message = Outgoing::new(4, MessageType::DATA_AMF0, 0, 1, amf0(values));
    Script::publish().send(C2S, message).capture()
}
