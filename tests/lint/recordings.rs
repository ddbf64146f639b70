//! The recordings of clean sessions give nothing that is not explained.

use rtmpscope::lint::Severity;

use crate::support::lint::{Sample, findings};

/// Recordings in which nothing went wrong.
const CLEAN: &[&str] = &[
    "any_sll2_publish_ffmpeg_nginx.pcap",
    "any_sll_publish_ffmpeg_nginx.pcap",
    "av1_opus_publish_play_lal.pcap",
    "derived_comments.pcapng",
    "derived_nanosecond.pcapng",
    "derived_two_linktypes_eth_sll2.pcapng",
    "enhanced_h264_ac3_ffmpeg9_publish_to_ffmpeg9_listen.pcap",
    "enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap",
    "enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap",
    "ffmpeg_publish_nginx.pcap",
    "ffmpeg_publish_sorenson_mp3_nginx.pcap",
    "gst_rtmp2sink_publish_nginx.pcap",
    "gst_rtmpsink_librtmp_publish_nginx.pcap",
    "hevc_aac_publish_play_srs.pcap",
    "ipv6_publish_ffmpeg_nginx.pcap",
    "midstream_no_handshake_nginx.pcap",
    "nanosecond_publish_ffmpeg_nginx.pcap",
    "nms443_rtmpdump_play_gst_publish.pcap",
    "nrrs_rtmp_ffmpeg_publish_rtmpdump_play.pcap",
    "obs_publish_nginx.pcap",
    "oneway_client_to_server_only.pcap",
    "oneway_server_to_client_only.pcap",
    "publish_ext_timestamp_above_chunk128_ffmpeg_nginx1937.pcap",
    "rtmp-go_reconnect_request.pcap",
    "rtmp_rtmpdump_play_rtmpsrv.pcap",
    "rtmpdump_connect_with_conn_args_amf_nginx.pcap",
    "rtmpdump_play_nginx.pcap",
    "server_ping_idle_player_nginx1937.pcap",
    "snaplen96_publish_ffmpeg_nginx.pcap",
    "vlan5_publish_ffmpeg_nginx.pcap",
    "vod_play_rtmpdump_nginx_flv.pcap",
    "vp9_flac_publish_play_rtmp-go.pcap",
];

/// Warnings that say what a program really does: (file, rule, why).
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "av1_opus_publish_play_lal.pcap",
        "play/config-not-replayed",
        "lal gives players of AV1 no SequenceStart",
    ),
    (
        "obs_publish_nginx.pcap",
        "media/keyframe-interval-long",
        "x264 makes a key frame every 250 frames, and OBS sent 10 a second",
    ),
    (
        "rtmp-go_reconnect_request.pcap",
        "ertmp/reconnect-ignored",
        "FFmpeg does not know the request: the recording's subject",
    ),
    (
        "rtmp_rtmpdump_play_rtmpsrv.pcap",
        "command/status-on-wrong-stream",
        "rtmpsrv sends its statuses on message stream 0",
    ),
    (
        "rtmpdump_connect_with_conn_args_amf_nginx.pcap",
        "play/start-without-media",
        "nobody published: the recording is about connect",
    ),
    (
        "server_ping_idle_player_nginx1937.pcap",
        "play/start-without-media",
        "nobody published: the recording is about pings",
    ),
    (
        "av1_opus_publish_play_lal.pcap",
        "rtmp/ucm/stream-is-recorded",
        "lal says so of every stream",
    ),
    (
        "enhanced_h264_ac3_ffmpeg9_publish_to_ffmpeg9_listen.pcap",
        "amf0/command/missing-fields",
        "ffmpeg -listen sends onFCPublish without a transaction id",
    ),
    (
        "enhanced_hevc_opus_ffmpeg9_publish_fourcclist.pcap",
        "amf0/command/missing-fields",
        "ffmpeg -listen sends onFCPublish without a transaction id",
    ),
    (
        "enhanced_multitrack_h264_hevc_2aac_ffmpeg9_publish.pcap",
        "amf0/command/missing-fields",
        "ffmpeg -listen sends onFCPublish without a transaction id",
    ),
    (
        "nms443_rtmpdump_play_gst_publish.pcap",
        "chunk/msid-unknown",
        "Node-Media-Server 4.4.3 sends a player's media on message stream 0",
    ),
    (
        "rtmp_rtmpdump_play_rtmpsrv.pcap",
        "chunk/first-not-type0",
        "rtmpsrv opens its chunk streams with type 1 headers: the recording's subject",
    ),
];

#[test]
fn clean_recordings_have_no_unexplained_finding() {
    let mut wrong = Vec::new();
    for name in CLEAN {
        for finding in findings(Sample::File(name)) {
            let explained =
                EXPLAINED.iter().any(|(file, rule, _)| file == name && *rule == finding.id());
            if finding.severity > Severity::Note && !explained {
                let words = finding.message.plain();
                wrong.push(format!("{name}: {} {words}", finding.id()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_explained_is_there() {
    for (file, rule, why) in EXPLAINED {
        assert!(CLEAN.contains(file) && !why.is_empty());
        let name = CLEAN.iter().find(|name| *name == file).expect("a clean recording");
        let found = findings(Sample::File(name));
        assert!(found.iter().any(|finding| finding.id() == *rule), "{file}: {rule} is quiet");
    }
}
