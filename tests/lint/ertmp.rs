use rtmpscope::lint::Severity;

use super::media::data;
use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, Plan, Rng, V, Video, media};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

/// One video message of a publisher.
fn sent(payload: &[u8]) -> Sample {
    Script::publish().send(C2S, video(0, payload.to_vec())).capture()
}

pub const ROWS: &[Row] = &[
    row(
        "ertmp/not-negotiated",
        || Sample::File("enhanced_hevc_ffmpeg9_publish_nginx_rtmp122.pcap"),
        clean,
    )
    .like(|f| f.severity == Severity::Warning && f.message.plain().contains("nginx-rtmp")),
    row("ertmp/not-negotiated", || Sample::File("hevc_aac_publish_play_srs.pcap"), clean)
        .like(|f| f.severity == Severity::Note),
    row(
        "ertmp/not-negotiated",
        || hevc().wait(300).server_closes(),
        || Script::publish().wait(300).server_closes(),
    )
    .error(),
    row("ertmp/legacy-hevc-id12", || sent(&id12()), clean),
    row("ertmp/hevc-labelled-avc", labelled, clean).error(),
    row(
        "ertmp/fourcc-unknown",
        || sent(b"\x91abcd\0\0\0\0\0\0\0\x05"),
        || Sample::File("vp9_flac_publish_play_rtmp-go.pcap"),
    )
    .error(),
    row(
        "ertmp/connect-refused-on-fourcclist",
        || with_list().server_closes(),
        || asked().server_closes(),
    ),
    row(
        "ertmp/sequence-start-missing",
        || sent(&media::hevc_frame(true, 60, &mut Rng::new(1))),
        || hevc().send(C2S, video(0, media::hevc_frame(true, 60, &mut Rng::new(1)))).capture(),
    )
    .error(),
    row("ertmp/cts-lost", || leading(8), || leading(1)).error(),
    row(
        "ertmp/frame-type-zero",
        || sent(b"\x83hvc1\0\0\0\x04\x02\x01\0\0"),
        || Sample::File("hevc_aac_publish_play_srs.pcap"),
    ),
    row(
        "ertmp/multitrack-not-negotiated",
        || Sample::File("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap"),
        || Sample::File("hevc_aac_publish_play_srs.pcap"),
    ),
    row("ertmp/twitch-vod-track", || data(&[V::Str("additionalMedia"), V::Obj(vec![])]), clean),
    row(
        "ertmp/metadata-packet",
        || Sample::File("enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap"),
        clean,
    ),
    row("ertmp/modex-unsupported", mod_ex, clean),
    row("ertmp/reconnect-ignored", || Sample::File("rtmp-go_reconnect_request.pcap"), clean)
        .like(|f| f.severity == Severity::Warning),
    row(
        "ertmp/videocodecid-form",
        || Sample::File("enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap"),
        clean,
    ),
];

/// A publisher of HEVC after its SequenceStart.
fn hevc() -> Script {
    Script::plan(&Plan { video: Video::Hevc, ..Plan::new(7) })
}

/// HEVC as Chinese CDNs have it.
fn id12() -> Vec<u8> {
    let mut payload = vec![0x1c, 1, 0, 0, 0, 0, 0, 0, 20, 0x26, 1];
    payload.extend([0x55; 18]);
    payload
}

/// An HEVC configuration record in an AVC sequence header.
fn labelled() -> Sample {
    let mut payload = vec![0x17, 0, 0, 0, 0];
    payload.extend([1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8]);
    payload.extend([0, 0, 0x0f, 1, 0xa0, 0, 1, 0, 4, 0x40, 1, 12, 1]);
    sent(&payload)
}

fn with_list() -> Script {
    let list = V::Strict(vec![V::Str("hvc1")]);
    connect("live", Some("rtmp://media.example/live"), vec![("fourCcList", list)])
}

/// CodedFramesX with a first NAL unit of this HEVC type.
fn leading(kind: u8) -> Sample {
    let mut payload = b"\xa3hvc1\0\0\0\x14".to_vec();
    payload.extend([kind << 1, 1]);
    payload.extend([0x55; 18]);
    hevc().send(C2S, video(0, payload)).capture()
}

/// A ModEx prelude with a nanosecond offset before coded frames.
fn mod_ex() -> Sample {
    let mut payload = vec![0x97, 2, 0, 0, 100, 0x01];
    payload.extend(b"hvc1\0\0\0\0\0\0\x04\x26\x01\0\0");
    hevc().send(C2S, video(0, payload)).capture()
}
