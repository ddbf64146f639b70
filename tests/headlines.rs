//! What is said of recordings in one sentence: the cause that the recording is about, in a user's
//! words, and nobody else blamed.

#[path = "support/mod.rs"]
mod support;

use rtmpscope::analysis::{Options, Pipeline};
use rtmpscope::lint::{Headline, Linter, Outcome, Part};
use support::lint::read;

/// A recording, the session, how it went, and words.
struct Case {
    file: &'static str,
    session: u32,
    outcome: Outcome,
    /// The rule that explains it; empty for none.
    cause: &'static str,
    says: &'static [&'static str],
    never: &'static [&'static str],
}

const fn failed(
    file: &'static str,
    session: u32,
    cause: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case { file, session, outcome: Outcome::Failed, cause, says, never: &[] }
}

const fn impaired(
    file: &'static str,
    session: u32,
    cause: &'static str,
    says: &'static [&'static str],
) -> Case {
    Case { file, session, outcome: Outcome::Impaired, cause, says, never: &[] }
}

const fn fine(file: &'static str, session: u32, says: &'static [&'static str]) -> Case {
    Case { file, session, outcome: Outcome::Fine, cause: "", says, never: &["failed", "But"] }
}

impl Case {
    const fn never(mut self, words: &'static [&'static str]) -> Case {
        self.never = words;
        self
    }
}

/// Words that blame the path.
const NETWORK: &[&str] = &["packet loss", "uplink", "network"];

const CASES: &[Case] = &[
    // Refused by word.
    fine("fail_auth_adobe_crtmpserver.pcap", 1, &["step of the login", "FFmpeg", "crtmpserver"]),
    fine("fail_auth_adobe_crtmpserver.pcap", 2, &["step of the login", "session 3"]),
    fine("fail_auth_adobe_crtmpserver.pcap", 3, &["step of the login", "session 4"]),
    failed(
        "fail_auth_adobe_crtmpserver.pcap",
        4,
        "command/auth-failed",
        &["crtmpserver", "wrong user or password", "Adobe"],
    )
    .never(&["does not exist", "session 5"]),
    failed(
        "fail_auth_adobe_crtmpserver.pcap",
        5,
        "publish/badname",
        &["BadName", "in use or not accepted"],
    )
    .never(&["has been publishing"]),
    fine(
        "fail_duplicate_publisher_crtmpserver.pcap",
        1,
        &["FFmpeg", "published H.264/AAC", "crtmpserver", "closed by the client"],
    ),
    failed(
        "fail_duplicate_publisher_crtmpserver.pcap",
        2,
        "publish/badname",
        &["already in use", "session 1 from 127.0.0.1:49322 has been publishing it"],
    )
    .never(&["ghost"]),
    failed(
        "play_missing_vod_nginx.pcap",
        1,
        "play/stream-not-found",
        &["rtmpdump", "nginx-rtmp", "stream not found", "StreamNotFound"],
    )
    .never(NETWORK),
    // Refused by deed.
    failed(
        "publish_denied_nginx.pcap",
        1,
        "publish/start-then-close",
        &["FFmpeg", "nginx-rtmp", "Publish.Start", "refused the publish"],
    )
    .never(&["middle of a message", "first video"]),
    failed(
        "derived_publish_denied.pcap.gz",
        1,
        "publish/start-then-close",
        &["Publish.Start", "refused the publish"],
    ),
    failed(
        "play_denied_nginx.pcap",
        1,
        "play/start-then-close",
        &["rtmpdump", "nginx-rtmp", "Play.Start", "refused the player"],
    )
    .never(&["nobody publishes"]),
    failed(
        "fail_auth_nms4.pcap",
        1,
        "publish/start-then-close",
        &["Node-Media-Server", "signature", "refused the publish"],
    ),
    failed("fail_auth_nms4.pcap", 2, "play/start-then-close", &["refused the player"])
        .never(&["nobody publishes"]),
    failed(
        "fail_auth_srs_security_deny.pcap",
        1,
        "publish/closed-without-status",
        &["SRS 7.0.18", "without a status", "refused the publish"],
    )
    .never(&["has been publishing"]),
    failed(
        "fail_auth_srs_security_deny.pcap",
        2,
        "play/closed-without-status",
        &["SRS 7.0.18", "without a status", "refused the player"],
    ),
    fine("fail_duplicate_publisher_srs.pcap", 1, &["published H.264/AAC", "SRS 7.0.18"]),
    failed(
        "fail_duplicate_publisher_srs.pcap",
        2,
        "publish/closed-without-status",
        &["the name is in use", "session 1 from 127.0.0.1:38258"],
    ),
    failed(
        "connect_unknown_app_nginx.pcap",
        1,
        "command/app-not-found",
        &["rtmpdump", "application", "does not exist", "instead of answering connect"],
    )
    .never(NETWORK),
    failed(
        "connect_unknown_app_nginx.pcap",
        2,
        "command/app-not-found",
        &["FFmpeg", "nginx-rtmp", "application"],
    ),
    failed(
        "fail_wrong_app_crtmpserver.pcap",
        1,
        "command/app-not-found",
        &["FFmpeg", "crtmpserver", "application"],
    ),
    failed("fail_wrong_app_crtmpserver.pcap", 2, "command/app-not-found", &["application"]),
    // Node-Media-Server takes any application: nothing failed.
    fine("fail_wrong_app_nms4.pcap", 1, &["FFmpeg", "published H.264/AAC", "Node-Media-Server"]),
    // Waits for a publisher that never comes.
    failed(
        "play_missing_stream_nginx.pcap",
        1,
        "play/start-without-media",
        &["rtmpdump", "nginx-rtmp", "nobody publishes this name"],
    )
    .never(NETWORK),
    failed(
        "fail_play_missing_nms4.pcap",
        1,
        "play/start-without-media",
        &["FFmpeg", "Node-Media-Server", "nobody publishes this name"],
    ),
    failed("fail_play_missing_nms4.pcap", 2, "play/start-without-media", &["rtmpdump"]),
    failed(
        "fail_play_missing_srs.pcap",
        1,
        "play/start-without-media",
        &["SRS 7.0.18", "nobody publishes this name"],
    ),
    failed("fail_play_missing_srs.pcap", 2, "play/start-without-media", &["rtmpdump"]),
    // The protocol.
    failed(
        "message_over_1MiB_nginx.pcap",
        1,
        "chunk/message-too-large",
        &["nginx-rtmp", "bigger than the server accepts", "2124602 bytes", "1048576"],
    )
    .never(&["key, signature"]),
    failed("fail_setchunk_0_nginx.pcap", 1, "chunk/size-invalid", &["chunk size 0"])
        .never(&["application"]),
    impaired(
        "fail_setchunk_2147483648_nginx.pcap",
        1,
        "chunk/size-invalid",
        &["top bit set", "0x80000000"],
    )
    .never(&["failed", "transaction id"]),
    impaired(
        "fail_setchunk_10485761_nginx.pcap",
        1,
        "chunk/size-too-large",
        &["connected to nginx-rtmp", "10485761"],
    )
    .never(&["failed"]),
    impaired(
        "fail_setchunk_10485761_srs.pcap",
        1,
        "chunk/size-too-large",
        &["connected to SRS 7.0.18", "10485761"],
    )
    .never(&["failed"]),
    impaired(
        "fail_setchunk_2147483647_lal.pcap",
        1,
        "chunk/size-too-large",
        &["connected to lal", "2147483647"],
    )
    .never(&["failed"]),
    impaired(
        "fail_setchunk_2147483647_nginx.pcap",
        1,
        "chunk/size-too-large",
        &["connected to nginx-rtmp", "2147483647"],
    )
    .never(&["failed"]),
    // It was no plain RTMP.
    failed(
        "fail_tls_client_on_rtmp_port_nginx.pcap",
        1,
        "tls/clienthello-on-plain-port",
        &["RTMPS client talks to a plain RTMP port"],
    ),
    failed(
        "fail_tls_client_on_rtmp_port_nginx.pcap",
        2,
        "tls/clienthello-on-plain-port",
        &["RTMPS client talks to a plain RTMP port"],
    ),
    impaired("fail_rtmfp_no_server_icmp.pcap", 1, "rtmfp/unreachable", &[]),
    failed(
        "fail_http_client_on_rtmp_port_nginx.pcap",
        1,
        "http/http-client-on-rtmp-port",
        &["HTTP"],
    ),
    failed(
        "fail_rtmpe_ffmpeg9_publish_crtmpserver.pcap",
        1,
        "handshake/rtmpe",
        &["RTMPE", "closed right after"],
    ),
    Case {
        file: "fail_rtmpe_ffmpeg9_play_crtmpserver_s1version0.pcap",
        session: 2,
        outcome: Outcome::Unreadable,
        cause: "",
        says: &["RTMPE", "encrypted"],
        never: &["failed"],
    },
    // It went on, with a fault.
    impaired(
        "stall_zero_window_server_stopped_6s.pcap",
        1,
        "tcp/zero-window-stall",
        &["FFmpeg", "nginx-rtmp", "receiver stopped reading", "window closed"],
    )
    .never(NETWORK),
    impaired(
        "audio_2s_before_video_nginx.pcap",
        1,
        "media/track-late",
        &["FFmpeg", "first video is 2.0 s of media time behind the first audio"],
    )
    .never(&["key frame"]),
    fine("audio_2s_before_video_nginx.pcap", 2, &["rtmpdump", "played H.264/AAC"]),
    impaired(
        "enhanced_hevc_ffmpeg9_publish_nginx_rtmp122.pcap",
        1,
        "ertmp/not-negotiated",
        &["FFmpeg", "published H.265/AAC", "nginx-rtmp", "hvc1", "drops such media"],
    ),
    impaired(
        "rtmp-go_reconnect_request.pcap",
        1,
        "ertmp/reconnect-ignored",
        &["rtmp-go", "asked to reconnect"],
    ),
    // Nothing was wrong.
    fine(
        "ffmpeg_publish_nginx.pcap",
        1,
        &["FFmpeg (Lavf59.27.100)", "published H.264/AAC", "nginx-rtmp", "4.0 s", "deleteStream"],
    ),
    fine(
        "gst_rtmp2sink_publish_nginx.pcap",
        1,
        &["GStreamer 1.22.0", "published H.264/AAC", "nginx-rtmp"],
    ),
    fine("rtmpdump_play_nginx.pcap", 2, &["rtmpdump", "played H.264/AAC", "nginx-rtmp"]),
    fine("hevc_aac_publish_play_srs.pcap", 1, &["published H.265/AAC", "SRS 7.0.18"]),
    fine("net_publisher_killed_sigkill.pcap", 1, &["published", "closed by the client"])
        .never(&["goodbye"]),
    impaired(
        "obs_publish_nginx.pcap",
        1,
        "media/keyframe-interval-long",
        &["OBS 29.0.2.1 published H.264/AAC", "nginx-rtmp for 14 s", "one key frame in 13.7 s"],
    ),
];

fn headlines(name: &str) -> Vec<Headline> {
    let mut linter = Linter::new(Default::default());
    let mut pipeline = Pipeline::new(Options { tcp: true, ..Options::default() });
    for packet in &read(name) {
        pipeline.push(packet, &mut |record| linter.push(&record));
    }
    pipeline.finish(Vec::new(), &mut |record| linter.push(&record));
    linter.headlines()
}

/// With secrets shown: the words are compared, and recordings hold none.
fn text(headline: &Headline) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) | Part::Secret(_, text) => text.clone(),
    };
    headline.words.parts().iter().map(part).collect()
}

#[test]
fn the_headline_names_the_cause_and_blames_nobody_else() {
    let mut wrong = Vec::new();
    for case in CASES {
        let place = format!("{} session {}", case.file, case.session);
        let all = headlines(case.file);
        let Some(headline) = all.iter().find(|headline| headline.session == case.session) else {
            wrong.push(format!("{place}: no such session among {}", all.len()));
            continue;
        };
        let said = text(headline);
        let cause = headline.cause.map_or("", |rule| rule.id);
        if headline.outcome != case.outcome || cause != case.cause {
            let how = headline.outcome.name();
            wrong.push(format!("{place}: {how} because of {cause:?}: {said}"));
        }
        for word in case.says.iter().filter(|word| !said.contains(**word)) {
            wrong.push(format!("{place}: lacks {word:?}: {said}"));
        }
        for word in case.never.iter().filter(|word| said.contains(**word)) {
            wrong.push(format!("{place}: must not say {word:?}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_failure_that_was_recorded_has_a_case() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let told = |name: &str| {
        ["fail_", "stall_", "message_over_", "audio_2s_"]
            .iter()
            .any(|start| name.starts_with(start))
            || ["_denied_", "_missing_"].iter().any(|part| name.contains(part))
    };
    let lost: Vec<String> = names
        .filter(|name| name.contains(".pcap") && told(name))
        .filter(|name| !CASES.iter().any(|case| case.file == *name))
        .collect();
    assert!(lost.is_empty(), "no case for {lost:?}");
}

#[test]
fn a_headline_hides_the_stream_name() {
    for case in CASES {
        for headline in headlines(case.file) {
            let plain = headline.words.plain();
            let secret = headline.words.parts().iter().any(|part| matches!(part, Part::Secret(..)));
            assert!(!secret || plain.contains('<'), "{}: {plain}", case.file);
        }
    }
}
