//! An expression over records as they come, without an index.

use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use super::ast::Filter;
use super::scan::{History, is_within};
use super::subject::{Pseudo, Subject};
use crate::analysis::index::{Interner, Place, row_of};
use crate::analysis::record::{AnomalyRecord, MessageRecord, Record, Transport};
use crate::base::Timestamp;
use crate::rtmp::{AnomalyKind, Message};

/// Anomalies of a session that wait for the message they lie in; older ones belong to bytes that
/// no message has.
const MAX_WAITING: usize = 64;

/// A filter for a run of records. Hand it every one of them, in order.
#[derive(Clone, Debug)]
pub struct RecordFilter {
    filter: Filter,
    strings: Interner,
    epoch: Option<Timestamp>,
    sessions: FxHashMap<u32, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    peers: [SocketAddr; 2],
    transport: Transport,
    messages: usize,
    history: History,
    anomalies: Vec<AnomalyRecord>,
    /// Packets of requests without a reply yet, by transaction id: `request` asks for them.
    requests: FxHashMap<u64, u64>,
}

impl RecordFilter {
    /// A filter that has seen nothing yet.
    pub fn new(filter: Filter) -> RecordFilter {
        RecordFilter {
            filter,
            strings: Interner::default(),
            epoch: None,
            sessions: FxHashMap::default(),
        }
    }

    /// Whether the record is selected. Beginnings and ends of sessions and of the run always are:
    /// they are what the selected lines belong to.
    pub fn takes(&mut self, record: &Record) -> bool {
        match record {
            Record::Begin(begin) => {
                self.epoch = begin.epoch;
                true
            }
            Record::Session(session) => {
                let seen = Seen {
                    peers: [session.client, session.server],
                    transport: session.transport,
                    messages: 0,
                    history: History::default(),
                    anomalies: Vec::new(),
                    requests: FxHashMap::default(),
                };
                self.sessions.insert(session.session, seen);
                true
            }
            Record::SessionEnd(end) => {
                self.sessions.remove(&end.session);
                true
            }
            Record::End(_) => true,
            Record::Tcp(_) => false,
            Record::Message(message) => self.message(message),
            Record::Handshake(record) => {
                let frames = record.frames.first().copied().zip(record.frames.last().copied());
                self.matches(record.session.into(), |subject| Subject {
                    pseudo: Some(Pseudo::Handshake),
                    direction: Some(record.handshake.direction),
                    time: Some(record.handshake.time),
                    frames,
                    ..subject
                })
            }
            Record::Gap(gap) => self.matches(gap.session.into(), |subject| Subject {
                pseudo: Some(Pseudo::Gap),
                direction: Some(gap.direction),
                time: Some(gap.time),
                frames: Some((gap.frame, gap.frame)),
                offset: Some(gap.offset),
                gap_len: Some(gap.len),
                ..subject
            }),
            Record::Transport(record) => self.matches(record.session.into(), |subject| Subject {
                pseudo: Some(Pseudo::Layer),
                direction: Some(record.fact.direction),
                time: Some(record.fact.time),
                frames: record.frame.map(|frame| (frame, frame)),
                offset: Some(record.fact.offset),
                ..subject
            }),
            Record::Anomaly(anomaly) => {
                let wanted = self.filter.needs().anomalies;
                if let Some(seen) = anomaly.session.and_then(|n| self.sessions.get_mut(&n))
                    && wanted
                {
                    if seen.anomalies.len() >= MAX_WAITING {
                        seen.anomalies.remove(0);
                    }
                    seen.anomalies.push(anomaly.clone());
                }
                let kinds = [anomaly.kind];
                self.matches(anomaly.session, |subject| Subject {
                    pseudo: Some(Pseudo::Anomaly),
                    direction: anomaly.direction,
                    time: anomaly.time,
                    frames: anomaly.frame.map(|frame| (frame, frame)),
                    offset: anomaly.offset,
                    csid: anomaly.csid,
                    anomalies: &kinds,
                    ..subject
                })
            }
        }
    }

    /// `fill` says what the record is; the filter knows its session.
    fn matches<'s>(
        &'s self,
        session: Option<u32>,
        fill: impl FnOnce(Subject<'s>) -> Subject<'s>,
    ) -> bool {
        let seen = session.and_then(|number| self.sessions.get(&number));
        self.filter.matches(&fill(Subject {
            session,
            peers: seen.map(|seen| seen.peers),
            transport: seen.map(|seen| seen.transport),
            epoch: self.epoch,
            ..Subject::empty(&self.strings)
        }))
    }

    fn message(&mut self, record: &MessageRecord) -> bool {
        let message = &*record.message;
        let row = row_of(message, &mut self.strings);
        let Some(seen) = self.sessions.get_mut(&record.session) else { return false };
        let needs = self.filter.needs();
        let number = seen.messages;
        seen.messages += 1;
        let mut subject = Subject {
            session: Some(record.session),
            peers: Some(seen.peers),
            transport: Some(seen.transport),
            direction: Some(message.direction),
            time: Some(message.time),
            epoch: self.epoch,
            row: Some(&row),
            number,
            frames: record.frames.first().copied().zip(record.frames.last().copied()),
            received: Some(message.received),
            chunks: Some(message.chunks),
            offset: Some(message.offset),
            transfer: Some(message.time.nanos_since(message.first_time).max(0)),
            response: message.reply.as_ref().map(|reply| (reply.response_time * 1e9) as i64),
            ..Subject::empty(&self.strings)
        };
        if needs.history {
            (subject.gap, subject.step, subject.delta) = seen.history.next(&row);
        }
        if needs.request {
            subject.request = seen.request(record);
        }
        let mut kinds = Vec::new();
        if needs.anomalies {
            kinds.extend(own_anomaly(message));
        }
        if needs.anomalies && !seen.anomalies.is_empty() {
            let place = Place {
                offset: message.offset,
                headers: message.headers.clone(),
                pieces: message.pieces.clone(),
                ..Place::default()
            };
            seen.anomalies.retain(|anomaly| {
                let within = is_within(anomaly, message.direction, &place);
                if within {
                    kinds.push(anomaly.kind);
                }
                !within
            });
        }
        self.filter.matches(&Subject { anomalies: &kinds, ..subject })
    }
}

/// The anomaly about the message as a whole, whose record comes after the message's.
fn own_anomaly(message: &Message) -> Option<&'static str> {
    let whole = message.complete;
    let off = message.csid != 2 || message.stream_id.is_some_and(|id| id != 0);
    match &message.stop {
        Some(_) if whole => Some(AnomalyKind::BadBody.name()),
        _ if message.type_id.is_control() && whole && off => {
            Some(AnomalyKind::ControlStream.name())
        }
        _ => None,
    }
}

impl Seen {
    /// The packet that holds the end of a reply's request; remembers requests.
    fn request(&mut self, record: &MessageRecord) -> Option<u64> {
        use crate::wire::message::Body;
        let Body::Command(command) = &record.message.body else { return None };
        if let Some(reply) = &record.message.reply {
            return self.requests.remove(&reply.transaction_id.to_bits());
        }
        if let (Some(id), Some(frame)) = (command.transaction_id, record.frames.last())
            && !command.is_reply()
            && self.requests.len() < MAX_WAITING
        {
            self.requests.insert(id.to_bits(), *frame);
        }
        None
    }
}
