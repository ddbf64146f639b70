//! What was asked, what was answered.

use std::collections::VecDeque;

use crate::base::{Direction, Timestamp};
use crate::lint::finding::Place;
use crate::rtmp::Message;
use crate::wire::message::Command;

/// A command that expects an answer, or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who asked.
    pub direction: Direction,
    /// Command name.
    pub command: String,
    /// Transaction id; `None` when it had none.
    pub transaction_id: Option<f64>,
    /// Message stream it was sent on.
    pub stream_id: Option<u32>,
    /// Where.
    pub place: Place,
}

/// An `onStatus`, or a reply with an information object.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Who sent it.
    pub direction: Direction,
    /// When.
    pub time: Timestamp,
    /// `onStatus`, `_result` or `_error`.
    pub command: String,
    /// Message stream.
    pub stream_id: Option<u32>,
    /// `code`; empty when it has none.
    pub code: String,
    /// `level`; empty when it has none.
    pub level: String,
    /// `description`: may repeat a stream name.
    pub description: String,
    /// The command that it answers.
    pub answers: Option<String>,
    /// Where.
    pub place: Place,
}

impl Status {
    /// Whether it says that something went wrong.
    pub fn is_failure(&self) -> bool {
        self.command == "_error" || self.level == "error"
    }
}

/// Requests and statuses of a session.
#[derive(Clone, Debug, Default)]
pub(in crate::lint) struct Requests {
    pub pending: VecDeque<Request>,
    pub last: [Option<Request>; 2],
    pub statuses: VecDeque<Status>,
}

/// Requests without an answer that are remembered.
const MAX_PENDING: usize = 64;

/// Statuses that are remembered: the first and the last ones tell.
const MAX_STATUSES: usize = 64;

/// Bytes kept of a text of the payload.
const MAX_TEXT: usize = 1024;

/// A text of the payload, cut to what a rule can use.
pub(in crate::lint) fn text(text: &crate::wire::amf::Text) -> String {
    let end = text.0.len().min(MAX_TEXT);
    String::from_utf8_lossy(&text.0[..end]).into_owned()
}

impl Requests {
    /// Takes note of a command.
    pub fn command(&mut self, message: &Message, command: &Command, place: &impl Fn() -> Place) {
        if let Some(reply) = &message.reply {
            let asked = message.direction.reverse();
            let at = self.pending.iter().position(|request| {
                request.direction == asked
                    && request.transaction_id.unwrap_or(0.0) == reply.transaction_id
                    && reply.command == request.command.as_str()
            });
            if let Some(at) = at {
                self.pending.remove(at);
            }
        }
        if command.is_reply() || command.name == "onStatus" {
            let info = |name: &str| command.info(name).map(text).unwrap_or_default();
            if self.statuses.len() == MAX_STATUSES {
                // The middle of a long list says least.
                self.statuses.remove(MAX_STATUSES / 2);
            }
            self.statuses.push_back(Status {
                direction: message.direction,
                time: message.time,
                command: text(&command.name),
                stream_id: message.stream_id,
                code: info("code"),
                level: info("level"),
                description: info("description"),
                answers: message.reply.as_ref().map(|reply| text(&reply.command)),
                place: place(),
            });
            return;
        }
        let request = Request {
            direction: message.direction,
            command: text(&command.name),
            transaction_id: command.transaction_id,
            stream_id: message.stream_id,
            place: place(),
        };
        self.last[message.direction.index()] = Some(request.clone());
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(request);
    }
}
