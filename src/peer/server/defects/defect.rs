//! What a fault is, and which are switched on.

use std::fmt;

use super::seen::{History, Piece, Seen};
use super::{
    amf, chunk, connect, control, enhanced, handshake, media, play, publish, quirk, resource,
    robust,
};
use crate::peer::server::connection::Sending;
use crate::rtmp::{Anomaly, Message};

/// A deliberate fault of the server.
#[derive(Clone, Copy)]
pub struct Defect {
    /// Its name: area and slug, in kebab case.
    pub name: &'static str,
    /// What the server does then.
    pub does: &'static str,
    /// Ids of the conformance cases that must notice. Faults that only load, time and chance bring
    /// out have none.
    pub cases: &'static [&'static str],
    pub(in crate::peer::server) fault: Fault,
}

impl Defect {
    /// All of them, area by area.
    pub fn all() -> impl Iterator<Item = &'static Defect> {
        let areas = [
            handshake::ROWS,
            chunk::ROWS,
            control::ROWS,
            control::USER_ROWS,
            amf::ROWS,
            connect::ROWS,
            publish::ROWS,
            play::ROWS,
            media::ROWS,
            enhanced::ROWS,
            robust::ROWS,
            quirk::ROWS,
            resource::ROWS,
        ];
        areas.into_iter().flatten()
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<&'static Defect> {
        Defect::all().find(|defect| defect.name == name)
    }
}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Defect {
    fn eq(&self, other: &Defect) -> bool {
        self.name == other.name
    }
}

impl Eq for Defect {}

/// How a fault is done.
#[derive(Clone, Copy)]
pub(in crate::peer::server) enum Fault {
    /// Reacts to a message that came.
    Message(Reaction, fn(&Seen<'_>) -> bool),
    /// Reacts to damage in the chunk stream.
    Anomaly(Reaction, fn(&Anomaly) -> bool),
    /// Reacts to bytes that came, after they were decoded.
    Bytes(Reaction, fn(&Piece<'_>) -> bool),
    /// Reads a message wrong.
    Reading(fn(&mut Message, &History)),
    /// Changes a message to be sent; false holds it back.
    Output(fn(&mut Sending) -> bool),
    /// Is asked for where it matters.
    Flag(Flag),
}

/// What the server does in place of the right thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::peer::server) enum Reaction {
    /// Does nothing.
    Ignore,
    /// Handles the message and loses what came with it.
    LoseRest,
    /// Closes the connection.
    Close,
    /// Keeps the connection open and never looks at it again.
    Wedge,
    /// Serves nobody any more.
    Stall,
    /// Dies.
    Panic,
    /// Is busy for a while.
    Burn,
    /// Takes memory and keeps it.
    Hoard,
}

/// Faults that are asked for where they matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(in crate::peer::server) enum Flag {
    // Handshake.
    S0Wrong,
    S2Short,
    S1NotZero,
    S2RandomWrong,
    S2TimeWrong,
    S2SecondTimeZero,
    S1CopiesC1,
    S1Constant,
    DataBeforeC2,
    C2MustEcho,
    LosesDataAfterC2,
    C1MustComeWhole,
    EchoesUnknownVersion,
    AcceptsText,
    WedgesOnRtmpe,
    EchoesOldVersion,
    BadKeyFirst,
    BadDigestFirst,
    WedgesOnBadDigest,
    HandshakeNeverTimesOut,
    // Chunk stream and control.
    LongChunksFromStart,
    OneChunkSize,
    OmitsExtendedTimestamp,
    ContinuationsWithHeader,
    HoldsControl,
    AcksIncrements,
    AcksStorm,
    WaitsForAcks,
    ControlTimeCounts,
    // Connection.
    WindowAfterResult,
    CommandsBeforeConnect,
    ConnectNeverTimesOut,
    InvalidAppClosesSilently,
    EncodingAlwaysThree,
    UnknownMethodSilent,
    Transaction0Answered,
    StreamIdAlwaysOne,
    DeleteAnswered,
    DeleteEndsAll,
    // Publishing.
    QueryIsName,
    NamesAreShared,
    DeleteKeepsName,
    HangUpKeepsName,
    NoNotice,
    FcUnpublishKeeps,
    EarlyMediaRelayed,
    KeepsDataFramePrefix,
    FirstMetadataStays,
    FirstConfigStays,
    OldConfigStays,
    PlainMetadataLost,
    AnyStreamPublishes,
    // Playing.
    LiveIsRecorded,
    ResetAlways,
    NeverNotFound,
    NeverWaits,
    NotFoundCloses,
    StartMustBeMinus2,
    DurationIgnored,
    NoHeadersForLate,
    StartsWithInter,
    PauseIgnored,
    ReceiveAudioIgnored,
    ReceiveVideoIgnored,
    CloseKeepsPlaying,
    SlowStopsAll,
    // Media.
    WrapDropped,
    AggregateIgnored,
    // Robustness.
    HalfCloseIgnored,
    PanicsOnCutMessage,
    SilenceForgiven,
    PingsAlthoughAnswered,
    SlotsLeak,
    HandshakesCount,
    BacklogUnbounded,
}

/// A row whose fault reacts to a message.
pub(super) const fn on(
    reaction: Reaction,
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    when: fn(&Seen<'_>) -> bool,
) -> Defect {
    Defect { name, does, cases, fault: Fault::Message(reaction, when) }
}

/// A row: the connection is stuck after such a message.
pub(super) const fn wedge(
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    when: fn(&Seen<'_>) -> bool,
) -> Defect {
    on(Reaction::Wedge, name, does, cases, when)
}

/// A row: such a message is not acted upon.
pub(super) const fn ignore(
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    when: fn(&Seen<'_>) -> bool,
) -> Defect {
    on(Reaction::Ignore, name, does, cases, when)
}

/// A row whose fault reacts to damage in the chunk stream.
pub(super) const fn damage(
    reaction: Reaction,
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    when: fn(&Anomaly) -> bool,
) -> Defect {
    Defect { name, does, cases, fault: Fault::Anomaly(reaction, when) }
}

/// A row whose fault reacts to bytes.
pub(super) const fn bytes(
    reaction: Reaction,
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    when: fn(&Piece<'_>) -> bool,
) -> Defect {
    Defect { name, does, cases, fault: Fault::Bytes(reaction, when) }
}

/// A row whose fault reads messages wrong.
pub(super) const fn reading(
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    change: fn(&mut Message, &History),
) -> Defect {
    Defect { name, does, cases, fault: Fault::Reading(change) }
}

/// A row whose fault changes what is sent; false holds it back.
pub(super) const fn output(
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    change: fn(&mut Sending) -> bool,
) -> Defect {
    Defect { name, does, cases, fault: Fault::Output(change) }
}

/// A row whose fault is asked for where it matters.
pub(super) const fn flag(
    name: &'static str,
    does: &'static str,
    cases: &'static [&'static str],
    flag: Flag,
) -> Defect {
    Defect { name, does, cases, fault: Fault::Flag(flag) }
}

/// The faults that are switched on.
#[derive(Clone, Debug, Default)]
pub(in crate::peer::server) struct Faults(pub std::sync::Arc<[&'static Defect]>);

impl Faults {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, flag: Flag) -> bool {
        self.0.iter().any(|d| matches!(d.fault, Fault::Flag(on) if on == flag))
    }

    pub fn on_message(&self, seen: &Seen<'_>) -> Option<Reaction> {
        self.0.iter().find_map(|defect| match defect.fault {
            Fault::Message(reaction, when) if when(seen) => Some(reaction),
            _ => None,
        })
    }

    pub fn on_anomaly(&self, anomaly: &Anomaly) -> Option<Reaction> {
        self.0.iter().find_map(|defect| match defect.fault {
            Fault::Anomaly(reaction, when) if when(anomaly) => Some(reaction),
            _ => None,
        })
    }

    pub fn on_bytes(&self, piece: &Piece<'_>) -> Option<Reaction> {
        self.0.iter().find_map(|defect| match defect.fault {
            Fault::Bytes(reaction, when) if when(piece) => Some(reaction),
            _ => None,
        })
    }

    pub fn read(&self, message: &mut Message, history: &History) {
        for defect in self.0.iter() {
            if let Fault::Reading(change) = defect.fault {
                change(message, history);
            }
        }
    }

    /// Whether the message goes out.
    pub fn write(&self, sending: &mut Sending) -> bool {
        self.0.iter().all(|defect| match defect.fault {
            Fault::Output(change) => change(sending),
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let mut names = BTreeSet::new();
        for defect in Defect::all() {
            assert!(names.insert(defect.name), "{} is there twice", defect.name);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/".contains(c);
            assert!(defect.name.chars().all(plain) && defect.name.contains('/'), "{defect:?}");
            assert!(!defect.does.is_empty() && !defect.does.ends_with('.'), "{defect:?}");
            assert_eq!(Defect::from_name(defect.name), Some(defect));
        }
    }
}
