//! Faults that odd and hostile clients bring out.

use super::defect::{Defect, Flag, Reaction, bytes, damage, flag, on, wedge};
use crate::rtmp::AnomalyKind;
use crate::wire::message::{Body, MessageType};

pub(super) const ROWS: &[Defect] = &[
    flag(
        "robust/half-close-ignored",
        "keeps a connection whose client ended it",
        &["robust/tcp/half-close", "robust/tcp/half-close-handshake"],
        Flag::HalfCloseIgnored,
    ),
    flag(
        "robust/cut-message-panics",
        "dies when a connection ends within a message",
        &["robust/tcp/rst-midmessage", "robust/tcp/half-close-handshake"],
        Flag::PanicsOnCutMessage,
    ),
    flag(
        "robust/slow-handshakes-exhaust",
        "serves nobody while 50 handshakes are not complete",
        &["robust/slow/slow-loris", "robust/connections/many-idle"],
        Flag::HandshakesCount,
    ),
    flag(
        "robust/silence-forgiven",
        "keeps silent clients for ever",
        &["robust/slow/partial-chunk-timeout", "robust/slow/idle-publisher"],
        Flag::SilenceForgiven,
    ),
    wedge(
        "robust/unknown-type-wedges",
        "is stuck at a message type that nobody defined",
        &["robust/message/unknown-type"],
        |s| !s.message.type_id.is_known() && !matches!(s.message.type_id.0, 0 | 7),
    ),
    wedge(
        "robust/unknown-stream-wedges",
        "is stuck at media on a stream that was not created",
        &["robust/message/unknown-msid-media"],
        |s| s.is_media() && !s.created,
    ),
    wedge(
        "robust/shared-object-wedges",
        "is stuck at a shared object message",
        &["robust/message/shared-object"],
        |s| matches!(s.message.body, Body::SharedObject(_)),
    ),
    wedge(
        "robust/bad-shared-object-wedges",
        "is stuck at a damaged shared object message",
        &["robust/message/shared-object-malformed"],
        |s| match &s.message.body {
            Body::SharedObject(object) => {
                let unknown = object.events.iter().any(|event| event.event > 11);
                unknown || object.name.0.is_empty() || s.stop().is_some()
            }
            _ => false,
        },
    ),
    damage(
        Reaction::Panic,
        "robust/lost-sync-panics",
        "dies when it cannot make sense of chunks",
        &["robust/chunk/random-garbage", "robust/chunk/bit-flips"],
        |a| {
            let kinds = [
                AnomalyKind::NoPreviousHeader,
                AnomalyKind::LostSync,
                AnomalyKind::MessageInterrupted,
            ];
            kinds.contains(&a.kind)
        },
    ),
    on(
        Reaction::Panic,
        "robust/bad-body-panics",
        "dies of a command or a control message that does not decode",
        &["robust/chunk/bit-flips", "amf0/string/truncated"],
        |s| s.stop().is_some() && !s.is_media(),
    ),
    bytes(
        Reaction::Stall,
        "robust/many-messages-stall",
        "serves nobody once messages of 8 KiB in sum are not complete",
        &["robust/chunk/many-csids"],
        |piece| piece.pending > 8 << 10,
    ),
    wedge(
        "robust/many-chunks-wedge",
        "is stuck at a message of more than 4000 chunks",
        &["robust/chunk/tiny-chunks-large-message"],
        |s| s.message.chunks > 4000,
    ),
    wedge(
        "robust/chunk-size-churn-wedges",
        "is stuck after 5000 changes of the chunk size",
        &["robust/chunk/chunk-size-churn"],
        |s| {
            s.is(MessageType::SET_CHUNK_SIZE) && s.history.count(MessageType::SET_CHUNK_SIZE) > 5000
        },
    ),
    bytes(
        Reaction::Panic,
        "robust/second-handshake-panics",
        "dies of a second handshake",
        &["robust/handshake/extra-c0"],
        |piece| piece.bytes.len() >= 1024 && piece.bytes.starts_with(&[3, 0, 0, 0, 0]),
    ),
    flag(
        "robust/slots-leak",
        "serves nobody after 300 connections",
        &["robust/connections/rapid-churn"],
        Flag::SlotsLeak,
    ),
    on(
        Reaction::Stall,
        "robust/ping-flood-stalls",
        "serves nobody after 5000 pings",
        &["robust/ping/flood"],
        |s| s.is(MessageType::USER_CONTROL) && s.history.count(MessageType::USER_CONTROL) > 5000,
    ),
    wedge(
        "robust/bogus-acknowledgement-wedges",
        "is stuck at an acknowledgement of more than was sent",
        &["robust/ack/bogus-sequence"],
        |s| match s.message.body {
            Body::Acknowledgement { sequence_number } => {
                u64::from(sequence_number) > s.history.sent + 3073
            }
            _ => false,
        },
    ),
];
