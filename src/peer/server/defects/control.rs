//! Faults of protocol control and user control messages.

use super::defect::{Defect, Flag, Reaction, damage, flag, ignore, on, output, wedge};
use crate::peer::server::connection::csid;
use crate::rtmp::AnomalyKind;
use crate::wire::message::{Body, LimitType, MessageType};

pub(super) const ROWS: &[Defect] = &[
    output(
        "control/window-of-three-bytes",
        "writes its window with three bytes",
        &["rtmp/control/payload-length"],
        |s| {
            if s.type_id == MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE {
                s.raw(&[0x26, 0x25, 0xa0]);
            }
            true
        },
    ),
    output(
        "control/chunk-size-top-bit",
        "announces its chunk size with the top bit set",
        &["rtmp/control/set-chunk-size-valid"],
        |s| {
            if let Some(Body::SetChunkSize { reserved_bit, .. }) = s.body_mut() {
                *reserved_bit = true;
            }
            true
        },
    ),
    wedge(
        "control/small-chunk-size-wedges",
        "is stuck at a chunk size below 128",
        &["rtmp/control/set-chunk-size-1"],
        |s| matches!(s.message.body, Body::SetChunkSize { size: 1..128, .. }),
    ),
    damage(
        Reaction::Wedge,
        "control/chunk-size-zero-wedges",
        "is stuck at a chunk size of 0",
        &["rtmp/control/set-chunk-size-zero"],
        |a| a.kind == AnomalyKind::InvalidChunkSize && a.detail.contains("0x00000000"),
    ),
    damage(
        Reaction::Wedge,
        "control/chunk-size-top-bit-wedges",
        "is stuck at a chunk size with the top bit set",
        &["rtmp/control/set-chunk-size-high-bit"],
        |a| a.kind == AnomalyKind::InvalidChunkSize && !a.detail.contains("0x00000000"),
    ),
    wedge(
        "control/huge-chunk-size-wedges",
        "is stuck at a chunk size of more than 10 MiB",
        &["rtmp/control/set-chunk-size-max"],
        |s| {
            let huge = 10 << 20;
            matches!(s.message.body, Body::SetChunkSize { size, reserved_bit: false } if size > huge)
        },
    ),
    damage(
        Reaction::Wedge,
        "control/abort-wedges",
        "is stuck when a message is aborted",
        &["rtmp/control/abort-drops-partial"],
        |a| a.kind == AnomalyKind::MessageAborted,
    ),
    damage(
        Reaction::Wedge,
        "control/abort-of-nothing-wedges",
        "is stuck at Abort Message for an idle chunk stream",
        &["rtmp/control/abort-unknown-csid"],
        |a| a.kind == AnomalyKind::AbortOfNothing,
    ),
    output(
        "control/never-acknowledges",
        "sends no acknowledgements",
        &["rtmp/control/ack-sent"],
        |s| s.type_id != MessageType::ACKNOWLEDGEMENT,
    ),
    flag(
        "control/acknowledges-increments",
        "acknowledges what came since the last acknowledgement",
        &["rtmp/control/ack-sequence"],
        Flag::AcksIncrements,
    ),
    flag(
        "control/waits-for-acknowledgements",
        "sends no more once the client owes three acknowledgements",
        &["rtmp/control/window-ack-not-acked"],
        Flag::WaitsForAcks,
    ),
    flag(
        "control/window-zero-storm",
        "acknowledges every few bytes when the window is 0",
        &["rtmp/control/window-ack-zero"],
        Flag::AcksStorm,
    ),
    wedge(
        "control/window-one-wedges",
        "is stuck at a window of 1",
        &["rtmp/control/window-ack-one"],
        |s| matches!(s.message.body, Body::WindowAcknowledgementSize { size: 1 }),
    ),
    output(
        "control/no-window",
        "does not announce its window",
        &["rtmp/control/server-sends-winack-peerbw", "rtmp/connect/reply-order"],
        |s| s.type_id != MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE,
    ),
    output(
        "control/limit-type-3",
        "sends Set Peer Bandwidth with limit type 3",
        &["rtmp/control/set-peer-bandwidth-limit-type"],
        |s| {
            if let Some(Body::SetPeerBandwidth { limit, .. }) = s.body_mut() {
                *limit = Some(LimitType(3));
            }
            true
        },
    ),
    ignore(
        "control/bandwidth-ignored",
        "does not answer Set Peer Bandwidth",
        &["rtmp/control/set-peer-bandwidth-reply"],
        |s| s.is(MessageType::SET_PEER_BANDWIDTH),
    ),
    wedge(
        "control/bad-limit-type-wedges",
        "is stuck at Set Peer Bandwidth with an unknown limit type",
        &["rtmp/control/set-peer-bandwidth-bad-type"],
        |s| match s.message.body {
            Body::SetPeerBandwidth { limit, .. } => limit.is_none_or(|limit| limit.0 > 2),
            _ => false,
        },
    ),
    wedge(
        "control/reserved-type-wedges",
        "is stuck at message types 0 and 7",
        &["rtmp/control/reserved-type"],
        |s| matches!(s.message.type_id.0, 0 | 7),
    ),
    flag(
        "control/timestamp-counts",
        "adds the timestamp of a control message to media",
        &["rtmp/control/timestamp-ignored"],
        Flag::ControlTimeCounts,
    ),
];

pub(super) const USER_ROWS: &[Defect] = &[
    output(
        "ucm/on-csid-3",
        "sends user control messages on chunk stream 3",
        &["rtmp/ucm/csid2-msid0"],
        |s| {
            if s.type_id == MessageType::USER_CONTROL {
                s.csid = csid::COMMAND;
            }
            true
        },
    ),
    output(
        "ucm/event-too-long",
        "writes Stream Begin with four bytes more",
        &["rtmp/ucm/payload-size"],
        |s| {
            if let Some(event) = s.event_mut(0) {
                event.data = vec![0; 4];
            }
            true
        },
    ),
    output(
        "ucm/no-stream-begin-0",
        "sends no Stream Begin after connect",
        &["rtmp/ucm/stream-begin-0"],
        |s| s.event_mut(0).is_none_or(|event| event.stream_id != Some(0)),
    ),
    output(
        "ucm/no-stream-begin",
        "sends no Stream Begin for streams",
        &["rtmp/ucm/stream-begin-play", "rtmp/ucm/stream-begin-publish"],
        |s| s.event_mut(0).is_none_or(|event| event.stream_id == Some(0)),
    ),
    flag(
        "ucm/no-notice",
        "does not tell players that the publisher left",
        &[
            "rtmp/ucm/stream-eof",
            "rtmp/publish/unpublish-notify-players",
            "rtmp/publish/fcunpublish",
        ],
        Flag::NoNotice,
    ),
    flag(
        "ucm/live-is-recorded",
        "says Stream Is Recorded of live streams",
        &["rtmp/ucm/stream-is-recorded"],
        Flag::LiveIsRecorded,
    ),
    output("ucm/pong-wrong", "answers pings with another time", &["rtmp/ucm/ping-response"], |s| {
        if let Some(event) = s.event_mut(7) {
            event.timestamp = event.timestamp.map(|time| time.wrapping_add(1));
        }
        true
    }),
    flag(
        "ucm/pong-not-enough",
        "drops idle clients although they answer pings",
        &["rtmp/ucm/server-ping-answered"],
        Flag::PingsAlthoughAnswered,
    ),
    wedge(
        "ucm/buffer-length-wedges",
        "is stuck at Set Buffer Length",
        &["rtmp/ucm/set-buffer-length"],
        |s| s.user().is_some_and(|event| event.event.0 == 3),
    ),
    wedge(
        "ucm/unknown-event-wedges",
        "is stuck at an unknown event",
        &["rtmp/ucm/unknown-event"],
        |s| s.user().is_some_and(|event| event.event.name() == "unknown"),
    ),
    on(
        Reaction::Wedge,
        "ucm/short-payload-wedges",
        "is stuck at an event that ends early",
        &["rtmp/ucm/short-payload"],
        |s| s.is(MessageType::USER_CONTROL) && s.stop().is_some(),
    ),
    wedge(
        "ucm/swf-verification-wedges",
        "is stuck at an SWF verification response",
        &["rtmp/ucm/swf-verify"],
        |s| s.user().is_some_and(|event| event.event.0 == 0x1b),
    ),
];
