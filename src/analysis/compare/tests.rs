//! On real recordings.

use super::*;
use crate::analysis::{Options, Pipeline, Record};
use crate::base::Direction;
use crate::capture::{Capture, Input, OpenOptions};

fn trails(name: &str) -> Trails {
    let path = format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut capture =
        Capture::open(vec![Input::Path(path.into())], OpenOptions::default()).unwrap();
    let mut pipeline = Pipeline::new(Options::default());
    let mut trails = Trails::new();
    let mut sink = |record: Record| trails.push(&record);
    while let Some(packet) = capture.next_packet() {
        pipeline.push(&packet, &mut sink);
    }
    pipeline.finish(Vec::new(), &mut sink);
    trails
}

fn of(a: &str, b: &str) -> Comparison {
    let (a, b) = (trails(a), trails(b));
    compare(a.session(1).unwrap(), b.session(1).unwrap())
}

fn show(comparison: &Comparison) -> String {
    let mut out = String::new();
    for row in &comparison.rows {
        let step = row.step().unwrap();
        out += &format!(
            "{:9} {:?} {} {:?}\n",
            row.sameness.name(),
            step.direction,
            step.kind.title(),
            row.differences
                .iter()
                .map(|d| format!("{} {:?}/{:?} {}", d.name, d.a, d.b, d.weight.name()))
                .collect::<Vec<_>>()
        );
    }
    out + &format!("{:?}", comparison.first)
}

#[test]
fn look() {
    for (a, b) in [
        ("ffmpeg_publish_nginx.pcap", "publish_denied_nginx.pcap"),
        ("ffmpeg_publish_nginx.pcap", "obs_publish_nginx.pcap"),
        ("rtmpdump_play_nginx.pcap", "play_missing_stream_nginx.pcap"),
        ("ffmpeg_publish_nginx.pcap", "vlan5_publish_ffmpeg_nginx.pcap"),
        ("enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap", "ffmpeg_publish_nginx.pcap"),
        ("ffmpeg_publish_nginx.pcap", "connect_unknown_app_nginx.pcap"),
    ] {
        println!("== {a} {b}\n{}", show(&of(a, b)));
    }
}
