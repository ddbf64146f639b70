//! A session that is decoded.

use super::facts::FactsBuilder;
use super::record::{
    AnomalyRecord, HandshakeRecord, MessageRecord, Record, SessionEnd, Transport, TransportRecord,
};
use super::sources::SourceMap;
use super::tap::Tap;
use crate::base::{Direction, Timestamp};
use crate::flow::{DirectionStats, EndReason, FlowId};
use crate::rtmp::{self, Confidence, Event, Session};
use crate::transport::rtmpe::Rtmpe;
use crate::transport::{Item, Keys, Source};

/// A session that is decoded. Its directions are those of the session, whatever the flow's are.
#[derive(Debug)]
pub(super) struct Live {
    pub number: u32,
    pub start: Timestamp,
    /// Whether the session's directions are the flow's reversed.
    pub flip: bool,
    pub transport: Transport,
    pub session: Session,
    tally: Tally,
    /// RTMPE, once a first byte announces it.
    cipher: Option<Box<Rtmpe>>,
    /// Whether a direction is seen from its beginning.
    handshake: [bool; 2],
    /// Bytes that came, or are missing, of each direction.
    seen: [u64; 2],
    pub keys: Keys,
    /// Where its bytes lie, when layers stand between it and TCP; else it is the flow's stream.
    pub map: Option<Box<[SourceMap; 2]>>,
    /// Catches bytes that are to be shown.
    pub tap: Option<Box<Tap>>,
    /// Calls since old bytes were last released.
    since_release: u32,
}

/// What is counted of a session.
#[derive(Debug, Default)]
struct Tally {
    messages: [u64; 2],
    by_type: std::collections::BTreeMap<u8, u64>,
    damaged: u64,
    uncertain: u64,
    anomalies: u64,
    facts: FactsBuilder,
}

/// Calls between two releases: each costs a walk over the chunk streams.
const RELEASE_EVERY: u32 = 256;

fn is_rtmpe(version: &u8) -> bool {
    matches!(version, 6 | 8 | 9)
}

impl Live {
    /// A session of which nothing was read; `handshake` says which directions are seen from their
    /// beginning.
    pub fn new(
        number: u32,
        start: Timestamp,
        transport: Transport,
        handshake: [bool; 2],
        midstream: bool,
        options: &rtmp::Options,
    ) -> Live {
        let mut session = Session::new(options.clone());
        for direction in Direction::BOTH {
            if !handshake[direction.index()] {
                session.start_midstream(direction);
            }
        }
        let mut tally = Tally::default();
        tally.facts.midstream = midstream;
        let (flip, map) = (false, None);
        let (cipher, seen, keys) = (None, [0; 2], Keys::default());
        Live {
            number,
            start,
            flip,
            transport,
            session,
            tally,
            cipher,
            handshake,
            seen,
            keys,
            map,
            tap: None,
            since_release: 0,
        }
    }

    /// Takes the next bytes; tells whether old ones had better be released now.
    pub fn feed(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        scratch: &mut Vec<Event>,
        out: &mut impl FnMut(Record),
    ) -> bool {
        let index = direction.index();
        if self.seen[index] == 0 && self.handshake[index] && bytes.first().is_some_and(is_rtmpe) {
            self.begin_cipher(time);
        }
        let offset = self.seen[index];
        self.seen[index] += bytes.len() as u64;
        match self.handshake[index].then(|| self.cipher.take()).flatten() {
            Some(mut cipher) => {
                let source = Source { flow: FlowId(0), direction, offset };
                let keys = self.keys.clone();
                cipher.data(&keys.read(), direction, time, bytes, source, &mut |item| {
                    self.item(item, scratch, out);
                });
                self.cipher = Some(cipher);
            }
            None => {
                self.engine(direction, time, bytes, scratch);
                self.hand_on(scratch, out);
            }
        }
        self.since_release += 1;
        let due = self.since_release >= RELEASE_EVERY;
        if due {
            self.since_release = 0;
        }
        due
    }

    /// `len` bytes are missing.
    pub fn gap(
        &mut self,
        direction: Direction,
        time: Timestamp,
        len: u64,
        exact: bool,
        out: &mut impl FnMut(Record),
    ) {
        let mut events = Vec::new();
        let index = direction.index();
        self.seen[index] += len;
        match self.handshake[index].then(|| self.cipher.take()).flatten() {
            Some(mut cipher) => {
                let keys = self.keys.clone();
                cipher.gap(&keys.read(), direction, time, len, exact, &mut |item| {
                    self.item(item, &mut events, out);
                });
                self.cipher = Some(cipher);
            }
            None => {
                self.engine_gap(direction, time, len, &mut events);
                self.hand_on(&mut events, out);
            }
        }
    }

    /// A first byte announces RTMPE: what comes from now on goes through its layer.
    fn begin_cipher(&mut self, time: Timestamp) {
        if self.cipher.is_some() {
            return;
        }
        self.transport = match self.transport {
            Transport::Rtmp => Transport::Rtmpe,
            Transport::Rtmpt => Transport::Rtmpte,
            other => other,
        };
        let mut cipher = Rtmpe::new();
        for direction in Direction::BOTH {
            let missing = self.seen[direction.index()];
            if missing > 0 {
                // What came before it was a gap, which the engine knows of.
                let keys = self.keys.clone();
                cipher.gap(&keys.read(), direction, time, missing, true, &mut |_| ());
            }
        }
        self.cipher = Some(Box::new(cipher));
    }

    /// Takes what RTMPE's layer hands on.
    fn item(&mut self, item: Item<'_>, events: &mut Vec<Event>, out: &mut impl FnMut(Record)) {
        match item {
            Item::Data { direction, time, bytes, .. } => {
                self.engine(direction, time, bytes, events);
            }
            Item::Gap { direction, time, len, .. } => {
                self.engine_gap(direction, time, len, events);
            }
            Item::Readable { direction } => self.session.expect_plain(direction),
            Item::Fact(fact) => {
                self.tally.anomalies += u64::from(fact.odd);
                let session = self.number;
                out(Record::Transport(TransportRecord { session, frame: None, fact }));
            }
        }
        self.hand_on(events, out);
    }

    fn engine(
        &mut self,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        events: &mut Vec<Event>,
    ) {
        if let Some(tap) = &mut self.tap {
            tap.data(direction, time, bytes);
        }
        self.session.feed(direction, time, bytes, &mut |event| events.push(event));
    }

    fn engine_gap(
        &mut self,
        direction: Direction,
        time: Timestamp,
        len: u64,
        events: &mut Vec<Event>,
    ) {
        if let Some(tap) = &mut self.tap {
            tap.gap(direction, len);
        }
        self.session.gap(direction, time, len, &mut |event| events.push(event));
    }

    fn hand_on(&mut self, events: &mut Vec<Event>, out: &mut impl FnMut(Record)) {
        for event in events.drain(..) {
            out(self.record(event));
        }
    }

    /// The session is over.
    pub fn end(
        &mut self,
        reason: EndReason,
        time: Timestamp,
        tcp: [DirectionStats; 2],
        out: &mut impl FnMut(Record),
    ) -> SessionEnd {
        let mut events = Vec::new();
        if let Some(mut cipher) = self.cipher.take() {
            let keys = self.keys.clone();
            cipher.end(&keys.read(), time, &mut |item| self.item(item, &mut events, out));
        }
        self.session.end(time, &mut |event| events.push(event));
        for event in events {
            out(self.record(event));
        }
        let tally = std::mem::take(&mut self.tally);
        SessionEnd {
            session: self.number,
            reason,
            time,
            start: self.start,
            transport: self.transport,
            messages: tally.messages,
            by_type: tally.by_type.into_iter().collect(),
            damaged: tally.damaged,
            uncertain: tally.uncertain,
            anomalies: tally.anomalies,
            undecoded_bytes: Direction::BOTH.map(|way| self.session.undecoded_bytes(way)),
            tcp,
            facts: tally.facts.finish(),
        }
    }

    /// Counts something odd that was found below the session.
    pub fn count_anomaly(&mut self) {
        self.tally.anomalies += 1;
    }

    /// The earliest offset that a coming event can refer to.
    pub fn oldest_offset(&self, direction: Direction) -> u64 {
        self.session.oldest_offset(direction)
    }

    /// Turns an event into a record and counts it.
    pub fn record(&mut self, event: Event) -> Record {
        let session = self.number;
        match event {
            Event::Handshake(handshake) => Record::Handshake(HandshakeRecord {
                session,
                frames: Vec::new(),
                sequence: None,
                handshake,
            }),
            Event::Message(message) => {
                let tally = &mut self.tally;
                tally.messages[message.direction.index()] += 1;
                *tally.by_type.entry(message.type_id.0).or_default() += 1;
                tally.damaged += u64::from(!message.complete);
                tally.uncertain += u64::from(message.confidence != Confidence::Exact);
                tally.facts.message(&message);
                Record::Message(MessageRecord {
                    session,
                    frames: Vec::new(),
                    spans: Vec::new(),
                    sequence: None,
                    message,
                })
            }
            Event::Anomaly(anomaly) => {
                self.tally.anomalies += 1;
                Record::Anomaly(AnomalyRecord {
                    session: Some(session),
                    kind: anomaly.kind.name(),
                    direction: Some(anomaly.direction),
                    time: Some(anomaly.time),
                    frame: None,
                    offset: Some(anomaly.offset),
                    csid: anomaly.csid,
                    detail: anomaly.detail.into_owned(),
                })
            }
        }
    }
}
