//! All RTMFP sessions of a capture: which datagram is whose.

use std::collections::VecDeque;
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use super::cipher::{Protection, open, scrambled_id};
use super::event::{Ending, Opening, RtmfpEvent, SessionId};
use super::facts;
use super::keys::{SESSION_KEYS, SessionKeys};
use super::session::{Moment, Session, Sink};
use crate::base::{Direction, Timestamp};
use crate::flow::{Datagram, Unreachable};
use crate::transport::{FactValue, KeyLog};
use crate::wire::rtmfp::{Mode, RawChunk, parse_packet};

/// Follows RTMFP through the datagrams of a capture.
///
/// Datagrams go in through [`push`](Rtmfp::push), whatever they are; what is RTMFP comes out as
/// events. A session begins with the first startup chunk that belongs to it, or in mid-stream with
/// a datagram that session keys of the key log open.
#[derive(Debug, Default)]
pub struct Rtmfp {
    sessions: FxHashMap<u32, Session>,
    next_id: u32,
    /// Whose a datagram is, by whom it is for and the id it carries.
    pub(super) routes: FxHashMap<(SocketAddr, u32), (u32, Direction)>,
    /// Startups by initiator and tag, the newest last.
    pub(super) tags: FxHashMap<(SocketAddr, Vec<u8>), Vec<u32>>,
    /// Startups by cookie.
    pub(super) cookies: FxHashMap<Vec<u8>, u32>,
    /// Sessions in the order they began, to look for silent ones.
    order: VecDeque<u32>,
    /// Sessions that closed, and when.
    closing: VecDeque<(Timestamp, u32)>,
    /// Session keys of the key log by session id, as of so many entries.
    by_id: FxHashMap<u32, Vec<[u32; 2]>>,
    known_keys: usize,
    pub(super) now: Timestamp,
}

/// A session silent for longer is over: startup gives up at 95 s, an open session is kept alive by
/// pings at a fraction of that.
const IDLE_NS: i64 = 180_000_000_000;
/// So long the far end of a closed session lingers, RFC 7016 section 3.5.5.
const LINGER_NS: i64 = 19_000_000_000;
/// Sessions followed at the same time.
const MAX_SESSIONS: usize = 4096;
/// Addresses that a session may move to.
const MAX_MOVES: u64 = 64;
/// Session keys of one session id.
const MAX_CANDIDATES: usize = 16;

impl Rtmfp {
    /// Nothing seen yet.
    pub fn new() -> Rtmfp {
        Rtmfp::default()
    }

    /// Takes a datagram; tells whether it is one of RTMFP.
    pub fn push(
        &mut self,
        datagram: &Datagram<'_>,
        keys: &KeyLog,
        sink: &mut impl FnMut(RtmfpEvent),
    ) -> bool {
        self.now = self.now.max(datagram.time);
        if !self.order.is_empty() {
            self.expire(sink);
        }
        let Some(id) = scrambled_id(datagram.payload) else { return false };
        if id == 0 {
            return self.startup(datagram, keys, sink);
        }
        match self.routes.get(&(datagram.destination, id)) {
            Some((session, direction)) => {
                let (session, direction) = (*session, *direction);
                self.session_packet(session, direction, datagram, keys, sink);
                true
            }
            None => !keys.is_empty() && self.midstream(id, datagram, keys, sink),
        }
    }

    /// Takes ICMP's word that a datagram was refused.
    pub fn unreachable(&mut self, refused: &Unreachable, sink: &mut impl FnMut(RtmfpEvent)) {
        let ends = |session: &&mut Session| {
            !session.ended
                && ((session.client, session.server) == (refused.source, refused.destination)
                    || (session.server, session.client) == (refused.source, refused.destination))
        };
        // The newest of a pair of addresses: ports are used again.
        let found = self.sessions.values_mut().filter(ends).max_by_key(|session| session.id);
        let Some(session) = found else { return };
        let direction = match session.client == refused.source {
            true => Direction::ClientToServer,
            false => Direction::ServerToClient,
        };
        let attempt = session.attempt(0xfd);
        if attempt == 1 {
            let moment = Moment { time: refused.time, frame: refused.frame };
            let fields = vec![
                ("destination", FactValue::Text(refused.destination.to_string().into())),
                ("code", FactValue::Number(u64::from(refused.code))),
            ];
            session.fact("unreachable", true, direction.reverse(), moment, fields, sink);
        }
    }

    /// The end of the capture.
    pub fn finish(&mut self, frame: u64, sink: &mut impl FnMut(RtmfpEvent)) {
        let moment = Moment { time: self.now, frame };
        while let Some(id) = self.order.pop_front() {
            self.end(id, Ending::EndOfCapture, moment, sink);
        }
        *self = Rtmfp { next_id: self.next_id, ..Rtmfp::default() };
    }

    pub(super) fn peek(&self, id: u32) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(super) fn session(&mut self, id: u32) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// A new session.
    pub(super) fn open(
        &mut self,
        (client, server): (SocketAddr, SocketAddr),
        midstream: bool,
        target: Option<super::Target>,
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) -> u32 {
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        if self.order.len() >= MAX_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.end(oldest, Ending::Evicted, moment, sink);
            self.forget(oldest);
        }
        let number = self.next_id;
        self.next_id += 1;
        let session = Session {
            id: SessionId(number),
            client,
            server,
            tag: Vec::new(),
            cookie: Vec::new(),
            target: target.clone(),
            ids: [None; 2],
            component: Vec::new(),
            far_component: Vec::new(),
            keys: None,
            asked_keys: None,
            midstream,
            last_time: datagram.time,
            ended: false,
            close_asked: None,
            closed: None,
            attempts: Default::default(),
            sides: Default::default(),
        };
        self.sessions.insert(number, session);
        self.order.push_back(number);
        let opening = Opening {
            client,
            server,
            midstream,
            time: datagram.time,
            frame: datagram.frame,
            tunnels: datagram.tunnels.clone(),
            target,
        };
        sink(RtmfpEvent::Opened(SessionId(number), opening));
        number
    }

    fn end(&mut self, id: u32, ending: Ending, moment: Moment, sink: &mut Sink<'_>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        // One that closed was ended then.
        if session.ended {
            return;
        }
        let ending = session.closed.unwrap_or(ending);
        session.finish(moment, sink);
        let traffic = session.sides.each_ref().map(|side| side.traffic);
        session.sides = Default::default();
        sink(RtmfpEvent::Ended(session.id, ending, moment.time, traffic));
    }

    /// Takes everything that leads to a session away with it.
    fn forget(&mut self, id: u32) {
        let Some(session) = self.sessions.remove(&id) else { return };
        self.routes.retain(|_, (to, _)| *to != id);
        let tag = (session.client, session.tag);
        if let Some(ids) = self.tags.get_mut(&tag) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.tags.remove(&tag);
            }
        }
        if self.cookies.get(&session.cookie) == Some(&id) {
            self.cookies.remove(&session.cookie);
        }
    }

    /// Ends sessions that are silent, as far as the oldest of them are.
    fn expire(&mut self, sink: &mut Sink<'_>) {
        while let Some((since, id)) = self.closing.front().copied()
            && self.now.nanos_since(since) > LINGER_NS
        {
            self.closing.pop_front();
            if let Some(session) = self.sessions.get(&id) {
                let moment = Moment { time: session.last_time, frame: 0 };
                self.end(id, Ending::Timeout, moment, sink);
            }
        }
        while let Some(id) = self.order.front().copied() {
            let Some(session) = self.sessions.get(&id) else {
                self.order.pop_front();
                continue;
            };
            let idle = self.now.nanos_since(session.last_time);
            if idle < IDLE_NS {
                // A busy one goes to the end of the queue, so that it does not hide silent ones;
                // one that was heard of within the last second would only go round and round.
                if idle < IDLE_NS / 2 && self.order.len() > MAX_SESSIONS / 2 {
                    self.order.rotate_left(1);
                }
                return;
            }
            self.order.pop_front();
            let moment = Moment { time: session.last_time, frame: 0 };
            self.end(id, Ending::Timeout, moment, sink);
            self.forget(id);
        }
    }

    /// Counts a datagram of a session and says who sent it, as far as addresses tell.
    pub(super) fn count(&mut self, id: u32, direction: Direction, datagram: &Datagram<'_>) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.last_time = session.last_time.max(datagram.time);
            let traffic = &mut session.sides[direction.index()].traffic;
            traffic.packets += 1;
            traffic.bytes += datagram.payload.len() as u64 + u64::from(datagram.cut);
        }
    }

    /// Takes a datagram whose id and destination belong to a session.
    fn session_packet(
        &mut self,
        id: u32,
        direction: Direction,
        datagram: &Datagram<'_>,
        log: &KeyLog,
        sink: &mut Sink<'_>,
    ) {
        self.count(id, direction, datagram);
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.ended {
            return;
        }
        session.look_for_keys(log, moment, sink);
        let index = direction.index();
        let protection = session.keys.as_ref().map(|keys| match direction {
            Direction::ClientToServer => &keys.initiator,
            Direction::ServerToClient => &keys.responder,
        });
        if let Some(opened) = protection.and_then(|own| open(datagram.payload, own).ok()) {
            let far = match direction {
                Direction::ClientToServer => session.client,
                Direction::ServerToClient => session.server,
            };
            let from = session.sides[index].sent_from.replace(datagram.source).unwrap_or(far);
            if from != datagram.source {
                self.moved(id, direction, from, datagram, sink);
            }
            let Some(session) = self.sessions.get_mut(&id) else { return };
            session.packet(direction, opened.number, &opened.packet, moment, sink);
            return self.after_packet(id, moment);
        }
        // RIKeying and Cookie Change go to the initiator's id, still under the default key.
        if direction == Direction::ServerToClient
            && let Ok(opened) = open(datagram.payload, &Protection::startup())
            && let Ok((header, chunks)) = parse_packet(&opened.packet)
            && header.mode == Mode::Startup
        {
            for chunk in chunks {
                self.answer_chunk(id, &chunk, datagram, sink);
            }
            if let Some(session) = self.sessions.get_mut(&id) {
                session.look_for_keys(log, moment, sink);
            }
            return;
        }
        let side = &mut session.sides[index];
        side.traffic.opaque_bytes += datagram.payload.len() as u64;
        if session.keys.is_some() {
            side.refused += 1;
            if side.refused == 1 {
                let fields = vec![("bytes", FactValue::Number(datagram.payload.len() as u64))];
                session.fact("not-decrypted", true, direction, moment, fields, sink);
            }
        }
    }

    /// After a packet that may have closed the session.
    fn after_packet(&mut self, id: u32, moment: Moment) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.closed.is_some() && session.attempt(0xfa) == 1 {
            self.closing.push_back((moment.time, id));
        }
    }

    /// A session goes on from another address (RFC 7016 section 3.5.4.2).
    fn moved(
        &mut self,
        id: u32,
        direction: Direction,
        from: SocketAddr,
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        let fields = vec![
            ("from", FactValue::Text(from.to_string().into())),
            ("to", FactValue::Text(datagram.source.to_string().into())),
        ];
        session.fact("address-change", false, direction, moment, fields, sink);
        // What is sent back carries the same id to the new address.
        let back = direction.reverse();
        if let Some(to) = session.ids[back.index()]
            && session.attempt(0xfb) <= MAX_MOVES
        {
            self.routes.insert((datagram.source, to), (id, back));
        }
    }

    /// A datagram of no known session: perhaps its keys are in the key log.
    fn midstream(
        &mut self,
        id: u32,
        datagram: &Datagram<'_>,
        log: &KeyLog,
        sink: &mut Sink<'_>,
    ) -> bool {
        if self.known_keys != log.len() {
            self.known_keys = log.len();
            self.by_id.clear();
            for (ids, _) in log.of_label(SESSION_KEYS) {
                let Some([a, b, c, d, e, f, g, h]) = ids.first_chunk::<8>().copied() else {
                    continue;
                };
                let pair = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
                for id in pair {
                    let pairs = self.by_id.entry(id).or_default();
                    if pairs.len() < MAX_CANDIDATES && !pairs.contains(&pair) {
                        pairs.push(pair);
                    }
                }
            }
        }
        let pairs = self.by_id.get(&id).cloned().unwrap_or_default();
        for pair in pairs {
            let entry = [pair[0].to_be_bytes(), pair[1].to_be_bytes()].concat();
            let Some(keys) = log.get(SESSION_KEYS, &entry).and_then(SessionKeys::from_entry) else {
                continue;
            };
            // Both sides may have chosen the same id, so that only the keys tell the direction.
            for (to, protection, direction) in [
                (pair[1], &keys.initiator, Direction::ClientToServer),
                (pair[0], &keys.responder, Direction::ServerToClient),
            ] {
                if to != id || open(datagram.payload, protection).is_err() {
                    continue;
                }
                let ends = match direction {
                    Direction::ClientToServer => (datagram.source, datagram.destination),
                    Direction::ServerToClient => (datagram.destination, datagram.source),
                };
                let number = self.open(ends, true, None, datagram, sink);
                self.routes.insert((ends.0, pair[0]), (number, Direction::ServerToClient));
                self.routes.insert((ends.1, pair[1]), (number, Direction::ClientToServer));
                let moment = Moment { time: datagram.time, frame: datagram.frame };
                if let Some(session) = self.sessions.get_mut(&number) {
                    session.ids = [Some(pair[1]), Some(pair[0])];
                    session.keys = Some(keys.clone());
                    let source = FactValue::Text("session keys".into());
                    let fields = facts::keys(source, &keys);
                    session.fact("keys", false, direction, moment, fields, sink);
                }
                self.session_packet(number, direction, datagram, log, sink);
                return true;
            }
        }
        false
    }

    /// Reads the chunks of a startup packet.
    fn startup(&mut self, datagram: &Datagram<'_>, log: &KeyLog, sink: &mut Sink<'_>) -> bool {
        let Ok(opened) = open(datagram.payload, &Protection::startup()) else { return false };
        let Ok((header, chunks)) = parse_packet(&opened.packet) else { return false };
        if header.mode != Mode::Startup {
            return false;
        }
        let chunks: Vec<RawChunk<'_>> = chunks;
        for chunk in &chunks {
            self.startup_chunk(chunk, datagram, log, sink);
        }
        !chunks.is_empty()
    }
}
