//! What happened below RTMP, in order of time.

use crate::analysis::index::SessionIndex;
use crate::base::{Direction, Timestamp};
use crate::flow::TcpEventKind;
use crate::tui::screens::chart::{count, duration};
use crate::tui::theme::Role;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// In which direction.
    pub direction: Option<Direction>,
    /// Packet.
    pub frame: Option<u64>,
    /// Its kebab-case name.
    pub name: &'static str,
    /// The particulars.
    pub detail: String,
    /// How it looks.
    pub role: Role,
}

/// TCP's events, gaps and what the decoder found odd about the stream itself.
pub fn all(session: &SessionIndex) -> Vec<Event> {
    let mut events: Vec<Event> = session
        .tcp
        .events
        .iter()
        .map(|record| Event {
            time: record.time,
            direction: Some(record.direction),
            frame: Some(record.frame),
            name: record.kind.name(),
            detail: detail(&record.kind),
            role: role(&record.kind),
        })
        .collect();
    events.extend(session.gaps.iter().map(|gap| Event {
        time: gap.time,
        direction: Some(gap.direction),
        frame: Some(gap.frame),
        name: gap.kind.name(),
        detail: format!("{} from stream offset {}", count(gap.len, "byte"), gap.offset),
        role: Role::Gap,
    }));
    events.extend(session.anomalies.iter().map(|anomaly| Event {
        time: anomaly.time.unwrap_or(session.session.time),
        direction: anomaly.direction,
        frame: anomaly.frame,
        name: anomaly.kind,
        detail: anomaly.detail.clone(),
        role: Role::Warning,
    }));
    events.sort_by_key(|event| (event.time, event.frame));
    events
}

fn detail(kind: &TcpEventKind) -> String {
    match kind {
        TcpEventKind::Retransmission { offset, len } | TcpEventKind::OutOfOrder { offset, len } => {
            format!("{} at stream offset {offset}", count(*len, "byte"))
        }
        TcpEventKind::ZeroWindow => "nothing more is taken for now".into(),
        TcpEventKind::WindowOpen { after_ns } => format!("after {}", duration(*after_ns)),
        TcpEventKind::DuplicateAck { offset } => {
            format!("third in a row, asks for stream offset {offset} of the other side")
        }
        TcpEventKind::KeepAlive
        | TcpEventKind::Fin
        | TcpEventKind::Reset
        | TcpEventKind::Sample { .. } => String::new(),
    }
}

fn role(kind: &TcpEventKind) -> Role {
    match kind {
        TcpEventKind::Reset => Role::Error,
        TcpEventKind::Retransmission { .. }
        | TcpEventKind::OutOfOrder { .. }
        | TcpEventKind::DuplicateAck { .. }
        | TcpEventKind::ZeroWindow => Role::Warning,
        TcpEventKind::WindowOpen { .. } => Role::Good,
        TcpEventKind::KeepAlive | TcpEventKind::Fin | TcpEventKind::Sample { .. } => Role::Text,
    }
}
