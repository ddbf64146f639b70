//! What a rule found, and where.

use std::ops::Range;

use super::rule::Rule;
use super::words::Words;
use crate::analysis::{AnomalyRecord, GapRecord, HandshakeRecord, MessageRecord, TransportRecord};
use crate::base::{Direction, Timestamp};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; harmless by itself.
    Note,
    /// Works here, breaks elsewhere or later.
    Warning,
    /// Something failed, or will.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place in the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// When.
    pub time: Timestamp,
    /// Which way the bytes went.
    pub direction: Option<Direction>,
    /// Packets, ascending, the first few; empty when the pipeline keeps no track of them.
    pub frames: Vec<u64>,
    /// Bytes of the direction's stream.
    pub bytes: Option<Range<u64>>,
    /// Bytes of the message's payload that it is about, where it is about a part of it.
    pub field: Option<Range<u64>>,
}

/// Packets that a place names at most: a message of a megabyte comes in hundreds.
const MAX_FRAMES: usize = 8;

impl Place {
    /// A moment, without bytes.
    pub fn at(time: Timestamp, direction: Option<Direction>) -> Place {
        Place { time, direction, ..Place::default() }
    }

    /// The bytes of a message from its first chunk header to its last payload byte.
    pub fn of(record: &MessageRecord) -> Place {
        let message = &record.message;
        let last = message.pieces.runs().last().or(message.headers.runs().last());
        let end = last.map_or(message.offset, |run| {
            let last = run.stride.saturating_mul(run.count.saturating_sub(1));
            run.offset.saturating_add(last).saturating_add(run.len)
        });
        Place {
            time: message.time,
            direction: Some(message.direction),
            frames: record.frames.iter().copied().take(MAX_FRAMES).collect(),
            bytes: Some(message.offset..end),
            field: None,
        }
    }

    /// The bytes of a handshake.
    pub fn of_handshake(record: &HandshakeRecord) -> Place {
        Place {
            time: record.handshake.time,
            direction: Some(record.handshake.direction),
            frames: record.frames.iter().copied().take(MAX_FRAMES).collect(),
            bytes: Some(0..record.handshake.end_offset),
            field: None,
        }
    }

    /// Where an anomaly is.
    pub fn of_anomaly(record: &AnomalyRecord, now: Timestamp) -> Place {
        Place {
            time: record.time.unwrap_or(now),
            direction: record.direction,
            frames: record.frame.into_iter().collect(),
            bytes: record.offset.map(|offset| offset..offset.saturating_add(1)),
            field: None,
        }
    }

    /// Where a layer said something.
    pub fn of_fact(record: &TransportRecord) -> Place {
        Place {
            frames: record.frame.into_iter().collect(),
            ..Place::at(record.fact.time, Some(record.fact.direction))
        }
    }

    /// The missing bytes.
    pub fn of_gap(record: &GapRecord) -> Place {
        Place {
            time: record.time,
            direction: Some(record.direction),
            frames: vec![record.frame],
            bytes: Some(record.offset..record.offset.saturating_add(record.len)),
            field: None,
        }
    }
}

/// Something else that a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What it is: `the request`, `window announced here`.
    pub what: &'static str,
    /// Its session, where it is another one.
    pub session: Option<u32>,
    /// Where it is.
    pub place: Place,
}

/// What a rule found in a session. Repeats in one direction are one finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here: the rule's severity, or more when the connection broke over it.
    pub severity: Severity,
    /// Session; `None` for the capture itself.
    pub session: Option<u32>,
    /// Where it was found first.
    pub place: Place,
    /// What was found, with the values: of the worst place.
    pub message: Words,
    /// How often it was found.
    pub count: u64,
    /// A few more places, in order.
    pub more: Vec<Place>,
    /// Where it was found last.
    pub last: Timestamp,
    /// What else it rests on.
    pub related: Vec<Related>,
    /// By how much the message was the worst one.
    pub(super) weight: f64,
}

/// Places beside the first that a finding keeps.
pub(super) const MAX_MORE: usize = 4;

/// Evidence that a finding keeps.
pub(super) const MAX_RELATED: usize = 8;

impl Finding {
    /// Id of the rule, such as `publish/badname`.
    pub fn id(&self) -> &'static str {
        self.rule.id
    }

    /// Who sent what it is about.
    pub fn direction(&self) -> Option<Direction> {
        self.place.direction
    }
}
