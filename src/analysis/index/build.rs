//! Records in, rows out.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::arena::Place;
use super::intern::{Interner, Symbol};
use super::row::Row;
use super::session::{ConfigRow, MAX_KEPT, MetadataRow, SessionIndex};
use crate::analysis::Options;
use crate::analysis::record::{AnomalyRecord, End, MessageRecord, Record};
use crate::base::{Direction, Timestamp};
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::flv::TrackConfig;
use crate::wire::message::{Body, Command};

/// Requests of a session that may be waiting for their reply.
const MAX_WAITING: usize = 256;

/// A capture as far as it was read.
///
/// Feed it every [`Record`] of a [`crate::analysis::Pipeline`] with frames, in order. What is shown
/// of it must be redacted: hand the records through a redactor first.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Time of the first packet.
    pub epoch: Option<Timestamp>,
    /// Sessions in the order they were first seen; session number `n` is at `n - 1`.
    pub sessions: Vec<SessionIndex>,
    /// Strings of all rows.
    pub strings: Interner,
    /// What is odd about the capture itself.
    pub anomalies: Vec<AnomalyRecord>,
    /// The end of the run; `None` while it goes on.
    pub end: Option<End>,
    /// How the records were made: sessions in TLS and the like are decoded again to be shown.
    pub options: Options,
    /// Per session: requests without a reply yet.
    waiting: FxHashMap<u32, VecDeque<Waiting>>,
}

#[derive(Clone, Debug)]
struct Waiting {
    row: usize,
    direction: Direction,
    transaction_id: u64,
    name: Symbol,
}

impl Index {
    /// An empty index.
    pub fn new() -> Index {
        Index::default()
    }

    /// The session with that number.
    pub fn session(&self, number: u32) -> Option<&SessionIndex> {
        self.sessions.get((number as usize).checked_sub(1)?)
    }

    /// Number of messages so far.
    pub fn messages(&self) -> usize {
        self.sessions.iter().map(|session| session.rows.len()).sum()
    }

    /// Bytes of memory that rows and places take.
    pub fn memory(&self) -> usize {
        self.sessions.iter().map(SessionIndex::memory).sum()
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &Record) {
        match record {
            Record::Begin(begin) => self.epoch = begin.epoch,
            Record::Session(record) => {
                debug_assert_eq!(record.session as usize, self.sessions.len() + 1);
                self.sessions.push(SessionIndex::new(record.clone()));
            }
            Record::Message(record) => self.message(record),
            Record::Handshake(record) => {
                if let Some(session) = self.session_mut(record.session) {
                    session.last = session.last.max(record.handshake.time);
                    let origin = &mut session.origins[record.handshake.direction.index()];
                    if !session.session.transport.is_layered() {
                        *origin = origin.or(record.sequence);
                    }
                    keep(&mut session.handshakes, record, &mut session.dropped);
                }
            }
            Record::Gap(record) => {
                if let Some(session) = self.session_mut(record.session) {
                    session.last = session.last.max(record.time);
                    keep(&mut session.gaps, record, &mut session.dropped);
                }
            }
            Record::Anomaly(record) => match record.session {
                Some(number) => {
                    if let Some(session) = self.session_mut(number) {
                        keep(&mut session.anomalies, record, &mut session.dropped);
                    }
                }
                None => keep(&mut self.anomalies, record, &mut 0),
            },
            Record::Transport(record) => {
                if let Some(session) = self.session_mut(record.session) {
                    session.last = session.last.max(record.fact.time);
                    keep(&mut session.layers, record, &mut session.dropped);
                }
            }
            Record::Tcp(record) => {
                if let Some(session) = self.session_mut(record.session) {
                    session.tcp.push(record);
                }
            }
            Record::SessionEnd(end) => {
                self.waiting.remove(&end.session);
                if let Some(session) = self.session_mut(end.session) {
                    session.last = session.last.max(end.time);
                    session.end = Some(end.clone());
                    session.rows.shrink_to_fit();
                    session.arena.shrink();
                }
            }
            Record::End(end) => self.end = Some(end.clone()),
        }
    }

    fn session_mut(&mut self, number: u32) -> Option<&mut SessionIndex> {
        self.sessions.get_mut((number as usize).checked_sub(1)?)
    }

    fn message(&mut self, record: &MessageRecord) {
        let message = &*record.message;
        let mut row = row_of(message, &mut self.strings);
        let label = row.label;
        let Some(session) =
            (record.session as usize).checked_sub(1).and_then(|index| self.sessions.get_mut(index))
        else {
            return;
        };
        let number = session.rows.len();
        if let Body::Command(command) = &message.body {
            let waiting = self.waiting.entry(record.session).or_default();
            if let Some(reply) = &message.reply {
                let name = self.strings.find(&reply.command.lossy());
                let found = waiting.iter().rposition(|request| {
                    request.direction != message.direction
                        && request.transaction_id == reply.transaction_id.to_bits()
                        && Some(request.name) == name
                });
                if let Some(at) = found {
                    row.set_request(waiting[at].row);
                    waiting.remove(at);
                }
            } else if !command.is_reply() && command.name != "onStatus" {
                if waiting.len() >= MAX_WAITING {
                    waiting.pop_front();
                }
                waiting.push_back(Waiting {
                    row: number,
                    direction: message.direction,
                    transaction_id: command.transaction_id.unwrap_or(0.0).to_bits(),
                    name: label,
                });
            }
        }
        let transfer = message.time.nanos_since(message.first_time).max(0);
        let place = Place {
            first_frame: record.frames.first().copied().unwrap_or(0),
            last_frame: record.frames.last().copied().unwrap_or(0),
            transfer_us: transfer as u64 / 1000,
            offset: message.offset,
            chunks: message.chunks,
            received: message.received,
            holes: message.holes.clone(),
            headers: message.headers.clone(),
            pieces: message.pieces.clone(),
        };
        match session.arena.push(&place) {
            Some(at) => {
                row.place = at;
                row.first_frame = u32::try_from(place.first_frame).unwrap_or(u32::MAX);
            }
            None => {
                session.dropped += 1;
                return;
            }
        }
        session.last = session.last.max(message.time);
        let origin = &mut session.origins[message.direction.index()];
        if !session.session.transport.is_layered() {
            *origin = origin.or(record.sequence.map(|at| at.wrapping_sub(message.offset as u32)));
        }
        session.payload[message.direction.index()] += u64::from(message.received);
        session.facts.message(message);
        match &message.body {
            Body::Video(tag) => configs(session, number, record, &tag.tracks),
            Body::Audio(tag) => configs(session, number, record, &tag.tracks),
            Body::Data(data) => {
                let mut names = data.values.iter().filter_map(Value::as_text);
                if names.by_ref().take(2).any(|name| name == "onMetaData")
                    && let Some(value) = data.values.iter().find(|v| !v.properties().is_empty())
                {
                    let row = MetadataRow { row: number, pairs: value.properties().to_vec() };
                    keep(&mut session.metadata, &row, &mut session.dropped);
                }
            }
            _ => {}
        }
        session.rows.push(row);
    }
}

/// A message's row, without its place and its request.
pub fn row_of(message: &Message, strings: &mut Interner) -> Row {
    let label = label(&message.body);
    let label = strings.intern(&label);
    let code = match &message.body {
        Body::Command(command) => strings.intern(&code(command)),
        _ => Symbol::NONE,
    };
    Row::new(message, label, code)
}

fn configs(
    session: &mut SessionIndex,
    row: usize,
    record: &MessageRecord,
    tracks: &[crate::wire::flv::Track],
) {
    for track in tracks {
        if let Some(TrackConfig::Codec(config)) = &track.config {
            let config = ConfigRow {
                row,
                media: record.message.type_id,
                track: track.id,
                config: config.clone(),
            };
            keep(&mut session.configs, &config, &mut session.dropped);
        }
    }
}

fn keep<T: Clone>(list: &mut Vec<T>, item: &T, dropped: &mut u64) {
    match list.len() < MAX_KEPT {
        true => list.push(item.clone()),
        false => *dropped += 1,
    }
}

/// The word for what a message is: command, handler, object, codec or event.
fn label(body: &Body) -> std::borrow::Cow<'_, str> {
    match body {
        Body::Command(command) => command.name.lossy(),
        Body::Data(data) => {
            let mut names = data.values.iter().filter_map(Value::as_text);
            match names.next() {
                // What matters is the handler that the server is to call.
                Some(name) if name == "@setDataFrame" => {
                    names.next().map_or("@setDataFrame".into(), |inner| inner.lossy())
                }
                Some(name) => name.lossy(),
                None => "".into(),
            }
        }
        Body::SharedObject(object) => object.name.lossy(),
        Body::Video(tag) => tag.codec_name().into(),
        Body::Audio(tag) if tag.empty => "".into(),
        Body::Audio(tag) => tag.codec_name().into(),
        Body::UserControl(control) => control.event.name().into(),
        Body::SetPeerBandwidth { limit: Some(limit), .. } => limit.name().into(),
        _ => "".into(),
    }
}

/// The argument that tells most: status code, stream name or application.
fn code(command: &Command) -> String {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_text).map(|text| text.lossy().into_owned()).unwrap_or_default()
    };
    if let Some(code) = command.info("code") {
        return code.lossy().into_owned();
    }
    match command.name.lossy().as_ref() {
        "connect" => text(command.object.as_ref().and_then(|object| object.get("app"))),
        "_result" | "_error" => String::new(),
        _ => text(command.arguments.first()),
    }
}
