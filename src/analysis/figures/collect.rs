//! Records in, figures out.

use super::model::SessionFigures;
use super::session::SessionBuilder;
use crate::analysis::record::Record;

/// Collects the figures of all sessions while records come.
///
/// What is shown of them must be redacted: hand the records through a redactor first.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Session number `n` is at `n - 1`.
    sessions: Vec<SessionBuilder>,
}

impl Figures {
    /// Nothing yet.
    pub fn new() -> Figures {
        Figures::default()
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &Record) {
        match record {
            Record::Session(session) => {
                debug_assert_eq!(session.session as usize, self.sessions.len() + 1);
                self.sessions.push(SessionBuilder::new(session));
            }
            Record::Handshake(record) => {
                self.with(record.session, |session| session.handshake(&record.handshake));
            }
            Record::Message(record) => {
                self.with(record.session, |session| session.message(&record.message));
            }
            Record::Gap(record) => self.with(record.session, |session| session.gap(record)),
            Record::Anomaly(record) => {
                if let Some(number) = record.session {
                    self.with(number, |session| session.anomaly(record));
                }
            }
            Record::SessionEnd(record) => {
                self.with(record.session, |session| session.end(record));
            }
            Record::Begin(_) | Record::Transport(_) | Record::Tcp(_) | Record::End(_) => {}
        }
    }

    fn with(&mut self, number: u32, act: impl FnOnce(&mut SessionBuilder)) {
        let index = (number as usize).checked_sub(1);
        if let Some(session) = index.and_then(|index| self.sessions.get_mut(index)) {
            act(session);
        }
    }

    /// Number of sessions seen.
    pub fn sessions(&self) -> u32 {
        self.sessions.len() as u32
    }

    /// What there is to say of a session (from 1) by now.
    pub fn session(&self, number: u32) -> Option<SessionFigures> {
        Some(self.sessions.get((number as usize).checked_sub(1)?)?.finish())
    }

    /// What there is to say of all sessions by now, in order.
    pub fn all(&self) -> impl Iterator<Item = SessionFigures> + '_ {
        self.sessions.iter().map(SessionBuilder::finish)
    }
}
