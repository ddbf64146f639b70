//! The cases of handshake, chunk stream, control messages and robustness: none is missing, and a
//! conforming server passes them.

use rtmpscope::conform::{self, Case, Target, Verdict, suite};
use rtmpscope::peer::server::{Options, Server};

/// Every requirement of these parts. Ids never change.
const REQUIREMENTS: &[&str] = &[
    "rtmp/handshake/s0-version",
    "rtmp/handshake/s0s1s2-length",
    "rtmp/handshake/s1-zero-field",
    "rtmp/handshake/c1-random-echo",
    "rtmp/handshake/s2-time-echo",
    "rtmp/handshake/s2-time2",
    "rtmp/handshake/s1-not-c1-copy",
    "rtmp/handshake/s1-varies",
    "rtmp/handshake/no-data-before-c2",
    "rtmp/handshake/c2-any-content",
    "rtmp/handshake/c2-with-following-data",
    "rtmp/handshake/c0c1-split",
    "rtmp/handshake/unsupported-version",
    "rtmp/handshake/version-text",
    "rtmp/handshake/version-rtmpe",
    "rtmp/handshake/version-deprecated",
    "rtmp/handshake/digest-key-first",
    "rtmp/handshake/digest-digest-first",
    "rtmp/handshake/digest-corrupt",
    "rtmp/handshake/client-c1-zero",
    "rtmp/handshake/client-c2-echo",
    "rtmp/handshake/client-waits-s1-s2",
    "rtmp/handshake/stall-partial-c1",
    "rtmp/handshake/stall-before-c2",
    "rtmp/chunk/default-size-128",
    "rtmp/chunk/size-per-direction",
    "rtmp/chunk/set-chunk-size-immediate",
    "rtmp/chunk/set-chunk-size-mid-message",
    "rtmp/chunk/basic-header-1byte",
    "rtmp/chunk/basic-header-2byte",
    "rtmp/chunk/basic-header-3byte",
    "rtmp/chunk/basic-header-overlong",
    "rtmp/chunk/basic-header-smallest",
    "rtmp/chunk/fmt0-first",
    "rtmp/chunk/fmt0-on-time-backwards",
    "rtmp/chunk/fmt1",
    "rtmp/chunk/fmt2",
    "rtmp/chunk/fmt3-new-message",
    "rtmp/chunk/fmt3-after-fmt0",
    "rtmp/chunk/fmt3-continuation-fmt",
    "rtmp/chunk/fmt012-mid-message",
    "rtmp/chunk/fmt1-length-change-mid-message",
    "rtmp/chunk/extended-timestamp-fmt0",
    "rtmp/chunk/extended-timestamp-delta",
    "rtmp/chunk/fmt3-extended-timestamp",
    "rtmp/chunk/fmt3-extended-timestamp-server-output",
    "rtmp/chunk/interleaving",
    "rtmp/chunk/interleave-control",
    "rtmp/chunk/multiple-msid-one-csid",
    "rtmp/chunk/msid-little-endian",
    "rtmp/chunk/unseen-csid-fmt1-3",
    "rtmp/chunk/zero-length-message",
    "rtmp/chunk/max-message-length",
    "rtmp/chunk/one-byte-delivery",
    "rtmp/chunk/all-in-one-segment",
    "rtmp/chunk/timestamp-wrap-32",
    "rtmp/chunk/timestamp-cross-24bit",
    "rtmp/chunk/non-monotonic",
    "rtmp/chunk/compact-header",
    "rtmp/control/csid2-msid0",
    "rtmp/control/payload-length",
    "rtmp/control/set-chunk-size-valid",
    "rtmp/control/set-chunk-size-1",
    "rtmp/control/set-chunk-size-zero",
    "rtmp/control/set-chunk-size-high-bit",
    "rtmp/control/set-chunk-size-max",
    "rtmp/control/abort-drops-partial",
    "rtmp/control/abort-unknown-csid",
    "rtmp/control/ack-sent",
    "rtmp/control/ack-sequence",
    "rtmp/control/window-ack-not-acked",
    "rtmp/control/window-ack-zero",
    "rtmp/control/window-ack-one",
    "rtmp/control/server-sends-winack-peerbw",
    "rtmp/control/set-peer-bandwidth-limit-type",
    "rtmp/control/set-peer-bandwidth-reply",
    "rtmp/control/set-peer-bandwidth-bad-type",
    "rtmp/control/reserved-type",
    "rtmp/control/timestamp-ignored",
    "rtmp/ucm/csid2-msid0",
    "rtmp/ucm/payload-size",
    "rtmp/ucm/stream-begin-0",
    "rtmp/ucm/stream-begin-play",
    "rtmp/ucm/stream-begin-publish",
    "rtmp/ucm/stream-eof",
    "rtmp/ucm/stream-is-recorded",
    "rtmp/ucm/ping-response",
    "rtmp/ucm/server-ping-answered",
    "rtmp/ucm/set-buffer-length",
    "rtmp/ucm/unknown-event",
    "rtmp/ucm/short-payload",
    "rtmp/ucm/swf-verify",
    "robust/tcp/half-close",
    "robust/tcp/half-close-handshake",
    "robust/tcp/rst-midmessage",
    "robust/slow/slow-loris",
    "robust/slow/partial-chunk-timeout",
    "robust/slow/idle-publisher",
    "robust/message/unknown-type",
    "robust/message/unknown-msid-media",
    "robust/message/shared-object",
    "robust/message/shared-object-malformed",
    "robust/chunk/random-garbage",
    "robust/chunk/bit-flips",
    "robust/chunk/many-csids",
    "robust/chunk/tiny-chunks-large-message",
    "robust/chunk/chunk-size-churn",
    "robust/handshake/extra-c0",
    "robust/connections/many-idle",
    "robust/connections/rapid-churn",
    "robust/ping/flood",
    "robust/ack/bogus-sequence",
    "robust/name/concurrency-race",
    "robust/command/pipelined-1000",
    "robust/parser/self",
];

#[test]
fn every_requirement_is_a_case_or_says_why_not() {
    for id in REQUIREMENTS {
        let excused = suite::NOT_CASES_OF_CHUNKS.iter().any(|(other, _)| other == id);
        assert_ne!(suite::find(id).is_some(), excused, "{id}");
    }
    let mine = |case: &&Case| REQUIREMENTS.contains(&case.id);
    let count = suite::all().filter(mine).count();
    assert_eq!(count + suite::NOT_CASES_OF_CHUNKS.len(), REQUIREMENTS.len(), "one of them twice");
}

#[test]
fn every_case_explains_itself() {
    for case in suite::all().filter(|case| REQUIREMENTS.contains(&case.id)) {
        assert!(!case.what_is_sent().is_empty() && !case.what_passes().is_empty(), "{}", case.id);
        let spec = case.basis == conform::Basis::Spec;
        assert!(!spec || !case.sections.is_empty(), "{} rests on no section", case.id);
    }
}

#[test]
fn a_conforming_server_passes() {
    let server = Server::start(Options::default()).expect("start");
    let target = Target::parse(&server.url()).expect("a URL");
    let quick = |case: &&'static Case| !case.slow && REQUIREMENTS.contains(&case.id);
    let cases: Vec<_> = suite::all().filter(quick).collect();
    let run = conform::run(target, None, &cases, &conform::Options::default(), &|_| {});
    for result in run.expect("a server").cases {
        let good = matches!(result.verdict, Verdict::Pass | Verdict::Fact(_));
        assert!(good, "{}: {} {}", result.id, result.verdict.name(), result.verdict.text());
    }
}
