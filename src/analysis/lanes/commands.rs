//! Commands as spans from request to reply.

use super::axis::Window;
use crate::analysis::index::{Interner, Row, SessionIndex, Symbol};
use crate::base::Direction;
use crate::wire::message::status::{Level, level};

/// A command, and its reply if there was one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandSpan {
    /// Row number of the command. Of a status or reply without a known request: its own.
    pub row: usize,
    /// Row number of the reply.
    pub reply: Option<usize>,
    /// Who sent the command.
    pub direction: Direction,
    /// Place of the command on the axis.
    pub at: i64,
    /// Place of the reply on the axis.
    pub until: Option<i64>,
    /// Command name.
    pub name: Symbol,
    /// Status code of the reply, or of the status itself; else the argument of the command.
    pub code: Symbol,
    /// Whether the reply, or the status itself, says no.
    pub failed: bool,
    /// Nanoseconds from the command to its reply.
    pub response: Option<i64>,
}

/// The commands of a session, in the order of their rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Commands {
    spans: Vec<(u32, u32)>,
}

/// No reply.
const NONE: u32 = u32::MAX;

impl Commands {
    /// Takes the command at row `number`.
    pub(super) fn push(&mut self, number: usize, row: &Row) {
        let Ok(number) = u32::try_from(number) else { return };
        let request = row.request().and_then(|request| u32::try_from(request).ok());
        if let Some(request) = request
            && let Ok(at) = self.spans.binary_search_by_key(&request, |span| span.0)
            && let Some(span) = self.spans.get_mut(at)
            && span.1 == NONE
        {
            span.1 = number;
            return;
        }
        self.spans.push((number, NONE));
    }

    /// Those that touch a window, first `limit`.
    pub(super) fn within(
        &self,
        session: &SessionIndex,
        strings: &Interner,
        window: Window,
        at: impl Fn(usize, &Row) -> i64,
        limit: usize,
    ) -> Vec<CommandSpan> {
        let all = self.spans.iter().filter_map(|(request, reply)| {
            let row = session.rows.get(*request as usize)?;
            let reply_row = session.rows.get(*reply as usize);
            let from = at(*request as usize, row);
            let until = reply_row.map(|row| at(*reply as usize, row));
            if from >= window.to || until.unwrap_or(from) < window.from {
                return None;
            }
            let says = reply_row.unwrap_or(row);
            Some(CommandSpan {
                row: *request as usize,
                reply: reply_row.map(|_| *reply as usize),
                direction: row.direction(),
                at: from,
                until,
                name: row.label,
                code: if says.code().is_none() { row.code() } else { says.code() },
                failed: is_failure(strings, says),
                response: reply_row.map(|reply| reply.time.nanos_since(row.time)),
            })
        });
        all.take(limit).collect()
    }

    /// The span that a row belongs to: (request, reply).
    pub(super) fn of(&self, row: usize) -> Option<(usize, Option<usize>)> {
        let row = u32::try_from(row).ok()?;
        let found = match self.spans.binary_search_by_key(&row, |span| span.0) {
            Ok(at) => self.spans.get(at),
            Err(_) => self.spans.iter().find(|span| span.1 == row),
        };
        found.map(|(request, reply)| {
            (*request as usize, (*reply != NONE).then_some(*reply as usize))
        })
    }
}

/// Whether a row is a reply or status that says no.
pub fn is_failure(strings: &Interner, row: &Row) -> bool {
    strings.get(row.label) == "_error" || level(strings.get(row.code())) == Some(Level::Error)
}
