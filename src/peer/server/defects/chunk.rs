//! Faults of the chunk stream.

use super::defect::{
    Defect, Flag, Reaction, bytes, damage, flag, ignore, on, output, reading, wedge,
};
use crate::peer::server::connection::csid;
use crate::rtmp::{AnomalyKind, CsidForm};
use crate::wire::message::{Body, MessageType};

pub(super) const ROWS: &[Defect] = &[
    flag(
        "chunk/long-chunks-unannounced",
        "sends chunks of 4096 bytes before it says so",
        &["rtmp/chunk/default-size-128"],
        Flag::LongChunksFromStart,
    ),
    flag(
        "chunk/size-shared",
        "reads with the chunk size that it sends with, after the client sets its own",
        &["rtmp/chunk/size-per-direction"],
        Flag::OneChunkSize,
    ),
    on(
        Reaction::LoseRest,
        "chunk/size-change-loses-rest",
        "loses what comes in one segment with Set Chunk Size",
        &[
            "rtmp/chunk/set-chunk-size-immediate",
            "rtmp/chunk/all-in-one-segment",
            "quirk/ffmpeg-publish",
        ],
        |s| s.is(MessageType::SET_CHUNK_SIZE),
    ),
    ignore(
        "chunk/size-change-mid-message-lost",
        "loses a message in which the chunk size changes",
        &["rtmp/chunk/set-chunk-size-mid-message"],
        |s| s.message.chunks > 1 && s.message.offset < s.history.chunk_size_at,
    ),
    wedge(
        "chunk/csid-20-wedges",
        "is stuck at chunk streams from 20 to 63",
        &["rtmp/chunk/basic-header-1byte"],
        |s| (20..64).contains(&s.message.csid),
    ),
    wedge(
        "chunk/csid-two-bytes-wedges",
        "is stuck at chunk streams from 64 to 319",
        &["rtmp/chunk/basic-header-2byte"],
        |s| (64..320).contains(&s.message.csid),
    ),
    wedge(
        "chunk/csid-three-bytes-wedges",
        "is stuck at chunk streams from 320 on",
        &["rtmp/chunk/basic-header-3byte"],
        |s| s.message.csid >= 320,
    ),
    wedge(
        "chunk/csid-overlong-wedges",
        "is stuck at an id from 64 to 319 in three bytes",
        &["rtmp/chunk/basic-header-overlong"],
        |s| {
            let overlong = |len: u64| matches!(len, 3 | 6 | 10 | 14);
            (64..320).contains(&s.message.csid)
                && s.message.headers.pieces().any(|h| overlong(h.end - h.start))
        },
    ),
    output(
        "chunk/csid-long-form",
        "writes chunk stream 70 for statuses, in three bytes",
        &["rtmp/chunk/basic-header-smallest"],
        |s| {
            if s.csid == csid::STATUS {
                (s.csid, s.csid_form) = (70, CsidForm::ThreeBytes);
            }
            true
        },
    ),
    output(
        "chunk/first-header-fmt1",
        "begins a chunk stream with a header of type 1",
        &["rtmp/chunk/fmt0-first"],
        |s| {
            if s.csid == csid::COMMAND && s.stream_id == 0 {
                s.fmt = Some(1);
            }
            true
        },
    ),
    output(
        "chunk/backwards-with-delta",
        "goes back in time with a delta of 32 bits",
        &["rtmp/chunk/fmt0-on-time-backwards"],
        |s| {
            if s.type_id.is_media() {
                s.fmt = Some(1);
            }
            true
        },
    ),
    ignore("chunk/fmt1-lost", "loses media with a header of type 1", &["rtmp/chunk/fmt1"], |s| {
        s.is_media() && s.message.fmt == 1
    }),
    ignore("chunk/fmt2-lost", "loses media with a header of type 2", &["rtmp/chunk/fmt2"], |s| {
        s.is_media() && s.message.fmt == 2
    }),
    ignore(
        "chunk/fmt3-message-lost",
        "loses media with a header of type 3",
        &["rtmp/chunk/fmt3-new-message", "rtmp/chunk/fmt3-after-fmt0"],
        |s| s.is_media() && s.message.fmt == 3,
    ),
    reading(
        "chunk/fmt3-after-fmt0-no-delta",
        "takes the delta for 0 after a header of type 0",
        &["rtmp/chunk/fmt3-after-fmt0"],
        |message, history| {
            if let (3, Some((0, timestamp, _))) = (message.fmt, history.last.get(&message.csid)) {
                message.timestamp = *timestamp;
            }
        },
    ),
    flag(
        "chunk/continuation-with-header",
        "continues messages with headers of type 1",
        &["rtmp/chunk/fmt3-continuation-fmt"],
        Flag::ContinuationsWithHeader,
    ),
    damage(
        Reaction::Wedge,
        "chunk/fmt0-mid-message-wedges",
        "is stuck at a header of type 0 within a message",
        &["rtmp/chunk/fmt012-mid-message"],
        |a| a.kind == AnomalyKind::MessageInterrupted && a.detail.starts_with("type 0"),
    ),
    damage(
        Reaction::Panic,
        "chunk/fmt0-mid-message-panics",
        "dies of a header of type 0 within a message",
        &["rtmp/chunk/fmt012-mid-message"],
        |a| a.kind == AnomalyKind::MessageInterrupted && a.detail.starts_with("type 0"),
    ),
    damage(
        Reaction::Wedge,
        "chunk/fmt1-mid-message-wedges",
        "is stuck at a header of type 1 within a message",
        &["rtmp/chunk/fmt1-length-change-mid-message"],
        |a| a.kind == AnomalyKind::MessageInterrupted && a.detail.starts_with("type 1"),
    ),
    damage(
        Reaction::Panic,
        "chunk/fmt1-mid-message-panics",
        "dies of a header of type 1 within a message",
        &["rtmp/chunk/fmt1-length-change-mid-message"],
        |a| a.kind == AnomalyKind::MessageInterrupted && a.detail.starts_with("type 1"),
    ),
    reading(
        "chunk/extended-timestamp-ignored",
        "takes 0xffffff for the time where the extended field says it",
        &["rtmp/chunk/extended-timestamp-fmt0"],
        |message, _| {
            if message.extended_timestamp && message.fmt == 0 && message.type_id.is_media() {
                message.timestamp = 0xff_ffff;
            }
        },
    ),
    reading(
        "chunk/extended-delta-absolute",
        "takes an extended delta for a time",
        &["rtmp/chunk/extended-timestamp-delta"],
        |message, history| {
            let last = history.last.get(&message.csid);
            if let (true, 1 | 2, Some((_, before, _))) =
                (message.extended_timestamp, message.fmt, last)
            {
                message.timestamp = message.timestamp.wrapping_sub(*before);
            }
        },
    ),
    ignore(
        "chunk/extended-continuation-lost",
        "loses messages of several chunks with an extended timestamp",
        &["rtmp/chunk/fmt3-extended-timestamp"],
        |s| s.message.extended_timestamp && s.message.chunks > 1,
    ),
    flag(
        "chunk/extended-timestamp-omitted",
        "leaves the extended timestamp out of chunks of type 3",
        &["rtmp/chunk/fmt3-extended-timestamp-server-output"],
        Flag::OmitsExtendedTimestamp,
    ),
    ignore(
        "chunk/interleaved-lost",
        "loses a message that another one interrupts",
        &["rtmp/chunk/interleaving"],
        |s| {
            let control = s.message.type_id.is_control();
            !control && s.message.chunks > 1 && s.message.offset < s.history.other_end
        },
    ),
    flag(
        "chunk/control-waits",
        "answers a ping within a message only after the message",
        &["rtmp/chunk/interleave-control"],
        Flag::HoldsControl,
    ),
    wedge(
        "chunk/msid-change-wedges",
        "is stuck when a chunk stream changes its message stream",
        &["rtmp/chunk/multiple-msid-one-csid"],
        |s| {
            let before = s.history.last.get(&s.message.csid).map_or(0, |last| last.2);
            before != 0 && s.stream() != 0 && before != s.stream()
        },
    ),
    output(
        "chunk/msid-big-endian",
        "writes message stream ids with the high byte first",
        &["rtmp/chunk/msid-little-endian"],
        |s| {
            s.stream_id = s.stream_id.swap_bytes();
            true
        },
    ),
    damage(
        Reaction::Wedge,
        "chunk/unseen-csid-wedges",
        "is stuck at a chunk stream that begins with type 1, 2 or 3",
        &["rtmp/chunk/unseen-csid-fmt1-3", "quirk/librtmp-control-format-1"],
        |a| {
            let kinds = [AnomalyKind::NoPreviousHeader, AnomalyKind::Type1OpensChunkStream];
            kinds.contains(&a.kind)
        },
    ),
    damage(
        Reaction::Panic,
        "chunk/unseen-csid-panics",
        "dies of a chunk stream that begins with type 2 or 3",
        &["rtmp/chunk/unseen-csid-fmt1-3", "robust/chunk/random-garbage"],
        |a| a.kind == AnomalyKind::NoPreviousHeader,
    ),
    wedge(
        "chunk/zero-length-wedges",
        "is stuck at a message without payload",
        &["rtmp/chunk/zero-length-message"],
        |s| s.message.length == 0,
    ),
    bytes(
        Reaction::Stall,
        "chunk/long-message-stalls",
        "serves nobody once a message of 32 KiB is not complete",
        &["rtmp/chunk/max-message-length", "robust/chunk/many-csids"],
        |piece| piece.pending > 32 << 10,
    ),
    bytes(
        Reaction::Wedge,
        "chunk/single-bytes-wedge",
        "is stuck when a byte comes alone",
        &["rtmp/chunk/one-byte-delivery"],
        |piece| piece.bytes.len() == 1,
    ),
    on(
        Reaction::LoseRest,
        "chunk/one-command-per-read",
        "loses what comes in one segment with a command",
        &[
            "rtmp/chunk/all-in-one-segment",
            "robust/command/pipelined-1000",
            "rtmp/publish/fmle-sequence",
        ],
        |s| s.any_command().is_some(),
    ),
    flag(
        "chunk/timestamp-wrap-lost",
        "loses media after the timestamp wrapped",
        &["rtmp/chunk/timestamp-wrap-32"],
        Flag::WrapDropped,
    ),
    reading(
        "chunk/timestamp-24-bits",
        "keeps 24 bits of media timestamps",
        &["rtmp/chunk/timestamp-cross-24bit", "rtmp/chunk/extended-timestamp-fmt0"],
        |message, _| {
            if message.type_id.is_media() {
                message.timestamp &= 0xff_ffff;
            }
        },
    ),
    wedge(
        "chunk/backwards-wedges",
        "is stuck when time goes back",
        &["rtmp/chunk/non-monotonic"],
        |s| {
            let before = s.history.last.get(&s.message.csid).map_or(0, |last| last.1);
            let back = before.wrapping_sub(s.message.timestamp);
            s.is_media() && (500..1 << 30).contains(&back)
        },
    ),
    output(
        "chunk/compact-never",
        "writes every header whole",
        &["rtmp/chunk/compact-header"],
        |s| {
            s.fmt = Some(0);
            true
        },
    ),
    output(
        "chunk/control-on-csid-3",
        "sends protocol control messages on chunk stream 3",
        &["rtmp/control/csid2-msid0"],
        |s| {
            if s.type_id.is_control() && s.type_id != MessageType::USER_CONTROL {
                s.csid = csid::COMMAND;
            }
            true
        },
    ),
    output(
        "chunk/control-on-stream-1",
        "sends protocol control messages on message stream 1",
        &["rtmp/control/csid2-msid0"],
        |s| {
            if s.type_id.is_control() && !matches!(s.body(), Some(Body::UserControl(_))) {
                s.stream_id = 1;
            }
            true
        },
    ),
];
