//! Faults of the handshake.

use super::defect::{Defect, Flag, flag};

pub(super) const ROWS: &[Defect] = &[
    flag("handshake/s0-wrong", "answers S0 = 6", &["rtmp/handshake/s0-version"], Flag::S0Wrong),
    flag(
        "handshake/s2-short",
        "leaves out the last byte of S2",
        &["rtmp/handshake/s0s1s2-length"],
        Flag::S2Short,
    ),
    flag(
        "handshake/s1-not-zero",
        "puts a version into S1 without a digest",
        &["rtmp/handshake/s1-zero-field"],
        Flag::S1NotZero,
    ),
    flag(
        "handshake/s2-echo-wrong",
        "answers other random bytes in S2",
        &["rtmp/handshake/c1-random-echo"],
        Flag::S2RandomWrong,
    ),
    flag(
        "handshake/s2-time-wrong",
        "answers time 0 in S2",
        &["rtmp/handshake/s2-time-echo"],
        Flag::S2TimeWrong,
    ),
    flag(
        "handshake/s2-second-time-zero",
        "does not say in S2 when C1 was read",
        &["rtmp/handshake/s2-time2"],
        Flag::S2SecondTimeZero,
    ),
    flag(
        "handshake/s1-copies-c1",
        "sends C1's random bytes as its own",
        &["rtmp/handshake/s1-not-c1-copy"],
        Flag::S1CopiesC1,
    ),
    flag(
        "handshake/s1-constant",
        "sends the same S1 to everybody",
        &["rtmp/handshake/s1-varies"],
        Flag::S1Constant,
    ),
    flag(
        "handshake/data-before-c2",
        "announces its window before C2 came",
        &["rtmp/handshake/no-data-before-c2", "rtmp/handshake/s0s1s2-length"],
        Flag::DataBeforeC2,
    ),
    flag(
        "handshake/c2-must-echo",
        "is stuck at a C2 that is no echo of S1",
        &["rtmp/handshake/c2-any-content"],
        Flag::C2MustEcho,
    ),
    flag(
        "handshake/data-after-c2-lost",
        "loses what comes in one segment with C2",
        &["rtmp/handshake/c2-with-following-data", "rtmp/chunk/all-in-one-segment"],
        Flag::LosesDataAfterC2,
    ),
    flag(
        "handshake/c1-must-come-whole",
        "answers only a C0 and C1 that come in one segment",
        &["rtmp/handshake/c0c1-split"],
        Flag::C1MustComeWhole,
    ),
    flag(
        "handshake/unknown-version-echoed",
        "answers the versions 4 to 31 with the same",
        &["rtmp/handshake/unsupported-version"],
        Flag::EchoesUnknownVersion,
    ),
    flag(
        "handshake/text-accepted",
        "takes a text byte for the version",
        &["rtmp/handshake/version-text"],
        Flag::AcceptsText,
    ),
    flag(
        "handshake/rtmpe-wedges",
        "is stuck when asked for RTMPE",
        &["rtmp/handshake/version-rtmpe"],
        Flag::WedgesOnRtmpe,
    ),
    flag(
        "handshake/old-version-echoed",
        "answers the versions 0 to 2 with the same",
        &["rtmp/handshake/version-deprecated"],
        Flag::EchoesOldVersion,
    ),
    flag(
        "handshake/key-first-bad",
        "answers a digest in the second block with a version and no digest",
        &["rtmp/handshake/digest-key-first"],
        Flag::BadKeyFirst,
    ),
    flag(
        "handshake/digest-first-bad",
        "answers a digest in the first block with a version and no digest",
        &["rtmp/handshake/digest-digest-first"],
        Flag::BadDigestFirst,
    ),
    flag(
        "handshake/bad-digest-wedges",
        "is stuck at a version without a valid digest",
        &["rtmp/handshake/digest-corrupt"],
        Flag::WedgesOnBadDigest,
    ),
    flag(
        "handshake/no-timeout",
        "waits for ever for a handshake to end",
        &["rtmp/handshake/stall-partial-c1", "rtmp/handshake/stall-before-c2"],
        Flag::HandshakeNeverTimesOut,
    ),
];
