//! How a session ended, in a sentence.

use super::model::CloseFigures;
use crate::analysis::record::SessionEnd;
use crate::base::{Direction, Timestamp};
use crate::flow::EndReason;

/// What is remembered for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Last {
    pub command: [Option<(String, Timestamp)>; 2],
    pub status: Option<(String, Timestamp)>,
    pub message: Option<(Direction, Timestamp)>,
}

impl Last {
    /// The end, told.
    pub fn close(&self, end: &SessionEnd, unanswered: Vec<String>) -> CloseFigures {
        let idle = self.message.map(|(_, time)| end.time.nanos_since(time).max(0));
        let mut sentence = match end.reason {
            EndReason::Fin(side) => format!("the {} closed the connection", peer(side)),
            EndReason::Reset(side) => format!("the {} reset the connection", peer(side)),
            EndReason::Timeout => "the connection fell silent and never closed".to_owned(),
            EndReason::Reused => "a new connection took its ports before it closed".to_owned(),
            EndReason::Evicted => "too many connections were open to follow it on".to_owned(),
            EndReason::EndOfCapture(Some(side)) => {
                format!("the {} closed its side, then the capture ended", peer(side))
            }
            EndReason::EndOfCapture(None) => "the capture ended while it was open".to_owned(),
        };
        match (self.message, idle) {
            (Some((side, _)), Some(idle)) => {
                sentence += &format!(
                    " {} after the last message, which the {} sent",
                    seconds(idle),
                    peer(side)
                );
            }
            _ => sentence += ", without a single message",
        }
        let mut particulars = Vec::new();
        if let Some((code, time)) = &self.status {
            let ago = seconds(end.time.nanos_since(*time).max(0));
            particulars.push(format!("the server's last status was {code}, {ago} before"));
        }
        let [client, server] = &self.command;
        if let Some((name, time)) = client {
            let ago = seconds(end.time.nanos_since(*time).max(0));
            particulars.push(format!("the client's last command was {name}, {ago} before"));
        } else if let Some((name, _)) = server {
            particulars.push(format!("the server's last command was {name}"));
        }
        if !unanswered.is_empty() {
            particulars.push(format!("no reply came to {}", unanswered.join(", ")));
        }
        let lost: u64 = end.tcp.iter().map(|tcp| tcp.network_lost_bytes).sum();
        if lost > 0 {
            particulars.push(format!("{lost} bytes never arrived"));
        }
        if !particulars.is_empty() {
            sentence += &format!("; {}", particulars.join("; "));
        }
        CloseFigures {
            reason: end.reason,
            time: end.time,
            last_command: self.command.clone(),
            last_status: self.status.clone(),
            last_message: self.message,
            idle,
            unanswered,
            sentence,
        }
    }
}

fn peer(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "server",
    }
}

/// `180 us`, `40 ms`, `3.2 s`.
fn seconds(nanos: i64) -> String {
    if nanos < 1_000_000 {
        format!("{} us", nanos / 1000)
    } else if nanos < 1_000_000_000 {
        format!("{} ms", nanos / 1_000_000)
    } else {
        format!("{:.1} s", nanos as f64 / 1e9)
    }
}
