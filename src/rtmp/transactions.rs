//! Which reply answers which request.

use std::collections::VecDeque;

use super::event::Reply;
use crate::base::{Direction, Timestamp};
use crate::wire::amf::Text;
use crate::wire::message::Command;

/// Requests without a reply, per direction.
#[derive(Debug)]
pub(super) struct Transactions {
    pending: [VecDeque<Pending>; 2],
    limit: usize,
}

#[derive(Debug)]
struct Pending {
    transaction_id: f64,
    stream_id: Option<u32>,
    command: Text,
    time: Timestamp,
}

/// Commands that an `onStatus` answers, by the beginning of its code (section 7.2.2).
const STATUS_ANSWERS: [(&str, &[&str]); 9] = [
    ("NetStream.Publish.", &["publish"]),
    ("NetStream.Record.", &["publish"]),
    ("NetStream.Play.Start", &["play", "play2", "receiveVideo", "receiveAudio"]),
    ("NetStream.Play.StreamNotFound", &["play", "play2"]),
    ("NetStream.Play.Failed", &["play", "play2"]),
    ("NetStream.Seek.", &["seek"]),
    ("NetStream.Pause.", &["pause", "pauseRaw"]),
    ("NetStream.Unpause.", &["pause", "pauseRaw"]),
    ("NetStream.Unpublish.", &["closeStream", "deleteStream", "FCUnpublish"]),
];

impl Transactions {
    pub fn new(limit: usize) -> Transactions {
        Transactions { pending: Default::default(), limit }
    }

    /// Takes note of a command; when it answers one, says which.
    pub fn command(
        &mut self,
        direction: Direction,
        stream_id: Option<u32>,
        time: Timestamp,
        command: &Command,
    ) -> Option<Reply> {
        let requests = &mut self.pending[direction.reverse().index()];
        let found = if command.is_reply() {
            let id = command.transaction_id?;
            requests.iter().position(|pending| pending.transaction_id == id)
        } else if command.name == "onStatus" {
            let code = command.info("code")?.lossy();
            let (_, names) = STATUS_ANSWERS.iter().find(|(begin, _)| code.starts_with(begin))?;
            requests.iter().position(|pending| {
                names.iter().any(|name| pending.command == *name)
                    && (pending.stream_id == stream_id || stream_id.is_none())
            })
        } else {
            let requests = &mut self.pending[direction.index()];
            if requests.len() >= self.limit {
                requests.pop_front();
            }
            requests.push_back(Pending {
                // NetStream commands have id 0 by the text, and librtmp counts them up.
                transaction_id: command.transaction_id.unwrap_or(0.0),
                stream_id,
                command: command.name.clone(),
                time,
            });
            return None;
        };
        let pending = requests.remove(found?)?;
        Some(Reply {
            transaction_id: pending.transaction_id,
            response_time: time.seconds_since(pending.time),
            command: pending.command,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::amf::Value;

    fn command(name: &str, id: f64, code: Option<&str>) -> Command {
        let info = code.map(|code| Value::object([("code", Value::string(code))]));
        Command {
            name: Text::from(name),
            transaction_id: Some(id),
            object: Some(Value::Null),
            arguments: info.into_iter().collect(),
        }
    }

    #[test]
    fn replies_find_their_request_by_transaction_id() {
        let mut transactions = Transactions::new(8);
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        let at = |ms: i64| Timestamp(ms * 1_000_000);
        assert_eq!(transactions.command(up, Some(0), at(0), &command("connect", 1.0, None)), None);
        transactions.command(up, Some(0), at(1), &command("createStream", 2.0, None));
        let reply = transactions.command(down, Some(0), at(5), &command("_result", 2.0, None));
        let reply = reply.unwrap();
        assert_eq!((reply.command.lossy().as_ref(), reply.response_time), ("createStream", 0.004));
        let again = transactions.command(down, Some(0), at(6), &command("_result", 2.0, None));
        assert_eq!(again, None);
        // An id that nobody asked with, and the same direction, answer nothing.
        assert_eq!(transactions.command(down, None, at(6), &command("_error", 9.0, None)), None);
        assert_eq!(transactions.command(up, None, at(6), &command("_result", 1.0, None)), None);
    }

    #[test]
    fn a_status_answers_the_stream_command() {
        let mut transactions = Transactions::new(8);
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        transactions.command(up, Some(1), Timestamp(0), &command("publish", 5.0, None));
        let status = command("onStatus", 0.0, Some("NetStream.Publish.BadName"));
        assert_eq!(transactions.command(down, Some(2), Timestamp(9), &status), None);
        let reply = transactions.command(down, Some(1), Timestamp(9), &status).unwrap();
        assert_eq!(reply.command, "publish");
    }

    #[test]
    fn forgets_the_oldest_past_the_limit() {
        let mut transactions = Transactions::new(2);
        let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
        for id in 1..=3 {
            transactions.command(up, Some(0), Timestamp(0), &command("x", f64::from(id), None));
        }
        let result = |id| command("_result", id, None);
        assert_eq!(transactions.command(down, Some(0), Timestamp(1), &result(1.0)), None);
        assert!(transactions.command(down, Some(0), Timestamp(1), &result(3.0)).is_some());
    }
}
