//! Faults that fuzzers are after: crashes, hangs, memory and processor time, by the shapes that
//! took real servers down. No conformance case needs to meet them.

use super::defect::{Defect, Flag, Reaction, bytes, damage, flag, on};
use crate::base::StopReason;
use crate::rtmp::AnomalyKind;
use crate::wire::amf::Value;
use crate::wire::message::{Body, MessageType};

pub(super) const ROWS: &[Defect] = &[
    // Chunk sizes, header forms, partial messages.
    on(
        Reaction::Panic,
        "fuzz/chunk-size-lowered",
        "dies when the chunk size drops while a message is not complete",
        &[],
        |s| {
            let low = matches!(s.message.body, Body::SetChunkSize { size: ..128, .. });
            low && s.message.offset < s.history.other_at + 4096 && s.publishing | s.publishes
        },
    ),
    on(
        Reaction::Hoard,
        "fuzz/chunk-size-allocated",
        "allocates the chunk size that a client announces",
        &[],
        |s| matches!(s.message.body, Body::SetChunkSize { size, .. } if size > 1 << 24),
    ),
    on(
        Reaction::Burn,
        "fuzz/tiny-chunks-burn",
        "needs time for each chunk of a long message",
        &[],
        |s| s.message.chunks > 512,
    ),
    damage(
        Reaction::Panic,
        "fuzz/interrupted-size-grows",
        "dies when a header within a message changes its length",
        &[],
        |a| a.kind == AnomalyKind::MessageInterrupted,
    ),
    damage(
        Reaction::Stall,
        "fuzz/abort-spins",
        "goes round in circles after Abort Message within a message",
        &[],
        |a| a.kind == AnomalyKind::MessageAborted,
    ),
    bytes(
        Reaction::Hoard,
        "fuzz/declared-length-allocated",
        "keeps the memory of messages that never end",
        &[],
        |piece| piece.pending > 1024 && piece.bytes.len() < 4096,
    ),
    // Lengths of messages and control bodies.
    on(
        Reaction::Panic,
        "fuzz/empty-chunk-size",
        "dies of Set Chunk Size without its four bytes",
        &[],
        |s| s.is(MessageType::SET_CHUNK_SIZE) && s.message.length < 4,
    ),
    on(
        Reaction::Panic,
        "fuzz/short-user-control",
        "dies of a user control message of less than six bytes",
        &[],
        |s| s.is(MessageType::USER_CONTROL) && s.message.length < 6,
    ),
    on(
        Reaction::Panic,
        "fuzz/unknown-type-after-media",
        "dies of a message type above 127 on a stream that publishes",
        &[],
        |s| s.message.type_id.0 > 127 && s.publishing,
    ),
    on(
        Reaction::Panic,
        "fuzz/aggregate-size-lies",
        "dies of an aggregate whose parts are longer than it is",
        &[],
        |s| s.is(MessageType::AGGREGATE) && s.stop().is_some(),
    ),
    // AMF types, lengths, depth.
    on(Reaction::Panic, "fuzz/truncated-array", "dies of an array that ends early", &[], |s| {
        let array = s.contains(&[8, 0]) || s.contains(&[0x0a, 0]);
        s.is_amf() && array && matches!(s.stop(), Some(StopReason::Truncated { .. }))
    }),
    on(
        Reaction::Panic,
        "fuzz/string-length-lies",
        "dies of a string of 65535 bytes that is shorter",
        &[],
        |s| s.is_amf() && s.contains(&[2, 0xff, 0xff]) && s.stop().is_some(),
    ),
    on(Reaction::Panic, "fuzz/unknown-marker", "dies of a marker that nobody defined", &[], |s| {
        s.is_amf() && matches!(s.stop(), Some(StopReason::UnknownMarker(_)))
    }),
    on(
        Reaction::Panic,
        "fuzz/stack-exhausted",
        "dies of values nested more than 64 deep",
        &[],
        |s| s.is_amf() && matches!(s.stop(), Some(StopReason::TooDeep)),
    ),
    on(
        Reaction::Hoard,
        "fuzz/array-count-allocated",
        "allocates what the count of an array says",
        &[],
        |s| s.is_amf() && s.contains(&[0x0a, 0x7f]) || s.contains(&[0x0a, 0xff]),
    ),
    on(
        Reaction::Stall,
        "fuzz/negative-length-loops",
        "goes round in circles at a length that is negative as a signed number",
        &[],
        |s| s.is_amf() && s.contains(&[0x0c, 0xff, 0xff, 0xff]),
    ),
    on(
        Reaction::Panic,
        "fuzz/name-is-no-string",
        "dies of publish with a name that is no string",
        &[],
        |s| s.argument("publish", 0).is_some_and(|name| name.as_text().is_none()),
    ),
    on(Reaction::Panic, "fuzz/no-arguments", "dies of publish and play without a name", &[], |s| {
        let bare = |name| s.command(name).is_some_and(|c| c.arguments.is_empty());
        bare("publish") || bare("play")
    }),
    on(
        Reaction::Panic,
        "fuzz/delete-stream-nan",
        "dies of deleteStream with a number that is none",
        &[],
        |s| {
            let id = s.argument("deleteStream", 0).and_then(Value::as_number);
            id.is_some_and(|id| !id.is_finite() || id < 0.0)
        },
    ),
    // Timestamps.
    on(
        Reaction::Panic,
        "fuzz/timestamp-wraps",
        "dies when the time of a stream goes back by more than 2^31",
        &[],
        |s| {
            let before = s.history.last.get(&s.message.csid).map_or(0, |last| last.1);
            s.publishing && s.is_media() && before > s.message.timestamp.saturating_add(1 << 31)
        },
    ),
    // Media configuration.
    on(
        Reaction::Panic,
        "fuzz/short-avc-configuration",
        "dies of an AVC configuration that is cut",
        &[],
        |s| s.publishing && s.starts(&[0x17, 0]) && s.message.length < 16,
    ),
    on(
        Reaction::Panic,
        "fuzz/multitrack-offsets",
        "dies of a track that is longer than its message",
        &[],
        |s| s.is_enhanced() && s.publishing && s.stop().is_some(),
    ),
    // Order, several connections, lifecycle.
    on(
        Reaction::Panic,
        "fuzz/video-without-header",
        "dies of AVC frames on a stream without their header",
        &[],
        |s| {
            let first = s.history.count(MessageType::VIDEO) == 0;
            s.publishing && first && (s.starts(&[0x17, 1]) || s.starts(&[0x27, 1]))
        },
    ),
    on(
        Reaction::Panic,
        "fuzz/play-own-stream",
        "dies when a connection that publishes plays",
        &[],
        |s| s.publishes && s.is_command("play"),
    ),
    on(
        Reaction::Stall,
        "fuzz/publish-twice",
        "goes round in circles when a stream that publishes publishes again",
        &[],
        |s| s.publishing && s.is_command("publish"),
    ),
    on(
        Reaction::Panic,
        "fuzz/create-stream-recursion",
        "dies of the thousandth createStream",
        &[],
        |s| s.history.created >= 1000,
    ),
    flag(
        "fuzz/dies-with-its-client",
        "dies when a client resets within a message",
        &[],
        Flag::PanicsOnCutMessage,
    ),
    // Resources.
    flag(
        "fuzz/backlog-unbounded",
        "keeps everything for clients that do not read",
        &[],
        Flag::BacklogUnbounded,
    ),
    on(Reaction::Hoard, "fuzz/commands-leak", "keeps memory for each unknown message", &[], |s| {
        !s.message.type_id.is_known() || matches!(s.message.body, Body::SharedObject(_))
    }),
    on(
        Reaction::Burn,
        "fuzz/pings-burn",
        "needs time for each ping after the hundredth",
        &[],
        |s| s.history.count(MessageType::USER_CONTROL) > 100 && s.is(MessageType::USER_CONTROL),
    ),
    // Names.
    on(
        Reaction::Panic,
        "fuzz/long-name",
        "dies of a stream name of 256 bytes and more",
        &[],
        |s| {
            let name = s.text("publish", 0).or(s.text("play", 0));
            name.is_some_and(|name| name.len() >= 256)
        },
    ),
    on(
        Reaction::Panic,
        "fuzz/query-with-slash",
        "dies of play with a slash in the query of the name",
        &[],
        |s| {
            let name = s.text("play", 0).unwrap_or_default();
            let mut parts = name.splitn(2, |byte| *byte == b'?');
            parts.nth(1).is_some_and(|query| query.contains(&b'/'))
        },
    ),
];
