//! Who closed a connection, and when.

use crate::analysis::SessionEnd;
use crate::base::{Direction, Timestamp};
use crate::flow::EndReason;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseKind {
    /// FIN.
    Fin,
    /// RST.
    Reset,
    /// The capture ended first.
    CaptureEnded,
    /// Nothing came for too long, or the flow had to make room.
    Silence,
}

/// Who closed a connection, and when. The end of a session is where both sides are done; what
/// counts for the cause is who began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Who closed first.
    pub by: Option<Direction>,
    /// When.
    pub time: Timestamp,
    /// How.
    pub kind: CloseKind,
}

impl Ending {
    /// What the end of a session says.
    pub fn of(end: &SessionEnd) -> Ending {
        let fins = Direction::BOTH
            .into_iter()
            .filter_map(|direction| Some((end.tcp[direction.index()].fin_time?, direction)));
        // Where both come with the same packet time, the flow knows the order.
        let first = fins.min_by_key(|(time, direction)| {
            let named = matches!(end.reason, EndReason::Fin(d) if d == *direction);
            (*time, !named)
        });
        if let Some((time, by)) = first {
            return Ending { by: Some(by), time, kind: CloseKind::Fin };
        }
        let (by, kind) = match end.reason {
            EndReason::Fin(by) => (Some(by), CloseKind::Fin),
            EndReason::Reset(by) => (Some(by), CloseKind::Reset),
            EndReason::EndOfCapture(Some(by)) => (Some(by), CloseKind::Fin),
            EndReason::EndOfCapture(None) => (None, CloseKind::CaptureEnded),
            EndReason::Timeout | EndReason::Reused | EndReason::Evicted => {
                (None, CloseKind::Silence)
            }
        };
        Ending { by, time: end.time, kind }
    }

    /// Whether the server closed first.
    pub fn by_server(&self) -> bool {
        self.by == Some(Direction::ServerToClient)
    }

    /// Whether the client closed first.
    pub fn by_client(&self) -> bool {
        self.by == Some(Direction::ClientToServer)
    }

    /// `FIN`, `RST` or nothing.
    pub fn how(&self) -> &'static str {
        match self.kind {
            CloseKind::Fin => "FIN",
            CloseKind::Reset => "RST",
            CloseKind::CaptureEnded | CloseKind::Silence => "",
        }
    }
}
