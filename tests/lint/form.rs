use super::scripts::*;
use crate::support::lint::{Sample, Script};
use crate::support::{C2S, V};
use crate::table::{Row, row};

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

fn multitrack() -> Sample {
    Sample::File("enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap")
}

/// Video messages of a publisher.
fn seen(payloads: &[&[u8]]) -> Sample {
    let mut script = Script::publish();
    for payload in payloads {
        script = script.send(C2S, video(0, payload.to_vec()));
    }
    script.capture()
}

/// An audio message of a publisher.
fn heard(payload: &[u8]) -> Sample {
    Script::publish().send(C2S, audio(0, payload.to_vec())).capture()
}

fn function(bits: f64) -> Sample {
    let members = vec![("videoFunction", V::Num(bits))];
    connect("live", Some("rtmp://media.example/live"), members).capture()
}

const START: &[u8] = b"\x90av01\x81\x05\x0c\0";
const TS_START: &[u8] = b"\x95av01\x80\x04\0\0";

pub const ROWS: &[Row] = &[
    row("ertmp/video/unknown-packet-type", || seen(&[b"\x9bhvc1\0\0\0\0"]), multitrack).error(),
    row("ertmp/audio/unknown-packet-type", || heard(b"\x9bmp4a\0\0"), multitrack).error(),
    row("ertmp/multitrack/reserved-type", || seen(&[b"\x96\x71hvc1\0\0\0\0"]), multitrack).error(),
    row("ertmp/multitrack/nested-forbidden", || seen(&[b"\x96\x06hvc1\0\0\0\0"]), multitrack)
        .error(),
    row("ertmp/video/mpeg2ts-exclusive", || seen(&[START, TS_START]), || seen(&[START, START]))
        .error(),
    row("ertmp/connect/videofunction", || function(64.0), || function(7.0)),
    row("flv/audio/aac-flags", || heard(&[0xae, 1, 0x21]), || heard(&[0xaf, 1, 0x21])),
    row("flv/audio/speex-flags", || heard(&[0xbe, 1, 2]), || heard(&[0xb2, 1, 2])),
    row("flv/audio/speex-flags", || heard(&[0xb7, 1, 2]), clean),
];
