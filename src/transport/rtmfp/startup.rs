//! Session startup, RFC 7016 section 3.5.1: IHello, RHello or Redirect, IIKeying, RIKeying.

use super::facts;
use super::keys::{SESSION_KEYS, SessionKeys, component_id};
use super::session::{Moment, Session, Sink};
use super::table::Rtmfp;
use crate::base::Direction;
use crate::flow::Datagram;
use crate::transport::{FactValue, KeyLog};
use crate::wire::rtmfp::{Chunk, KeyingComponent, RawChunk, chunk_name};

use Direction::{ClientToServer, ServerToClient};

/// Startups remembered of one initiator and tag: one per address that it was sent to.
const MAX_SAME_TAG: usize = 64;

impl Rtmfp {
    /// Takes a chunk of a packet with session id 0.
    pub(super) fn startup_chunk(
        &mut self,
        raw: &RawChunk<'_>,
        datagram: &Datagram<'_>,
        log: &KeyLog,
        sink: &mut Sink<'_>,
    ) {
        let chunk = match Chunk::parse(raw.kind, raw.payload) {
            Ok(chunk) => chunk,
            Err(stop) if matches!(raw.kind, 0x30 | 0x38 | 0x70 | 0x71) => {
                return self.damaged(raw, &stop.to_string(), datagram, sink);
            }
            Err(_) => return,
        };
        match chunk {
            Chunk::IHello { epd, tag } => self.ihello(epd, tag, datagram, sink),
            Chunk::RHello { tag, cookie, certificate } => {
                self.rhello(tag, cookie, certificate, datagram, sink);
            }
            Chunk::Redirect { tag, addresses } => {
                let id = self.answered(tag, datagram, sink);
                let fields = vec![
                    ("tag", FactValue::Bytes(tag.to_vec())),
                    ("to", facts::addresses(&addresses)),
                ];
                self.tell(id, "redirect", ServerToClient, fields, datagram, sink);
            }
            Chunk::IIKeying { session_id, cookie, certificate, component, .. } => {
                let id = self.iikeying(session_id, cookie, component, datagram, sink);
                let mut fields = vec![("initiator_session_id", facts::session_id(session_id))];
                facts::certificate(certificate, &mut fields);
                facts::component(component, &mut fields);
                self.tell(id, "iikeying", ClientToServer, fields, datagram, sink);
                let moment = Moment { time: datagram.time, frame: datagram.frame };
                if let Some(session) = self.session(id) {
                    session.look_for_keys(log, moment, sink);
                }
            }
            _ => {}
        }
    }

    /// Counts the datagram and tells a fact; retransmissions say which attempt they are.
    fn tell(
        &mut self,
        id: u32,
        name: &'static str,
        direction: Direction,
        mut fields: facts::Fields,
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) {
        self.count(id, direction, datagram);
        let Some(session) = self.session(id) else { return };
        let kind = match name {
            "ihello" => 0x30,
            "rhello" => 0x70,
            "redirect" => 0x71,
            "iikeying" => 0x38,
            "rikeying" => 0x78,
            _ => 0x79,
        };
        let attempt = session.attempt(kind);
        if attempt > 1 {
            fields.push(("attempt", FactValue::Number(attempt)));
        }
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        session.fact(name, false, direction, moment, fields, sink);
    }

    fn damaged(
        &mut self,
        raw: &RawChunk<'_>,
        reason: &str,
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) {
        let up = matches!(raw.kind, 0x30 | 0x38);
        let (client, server) = match up {
            true => (datagram.source, datagram.destination),
            false => (datagram.destination, datagram.source),
        };
        let id = self.startup_between(client, server, &[]);
        let id = id.unwrap_or_else(|| self.open((client, server), false, None, datagram, sink));
        let direction = if up { ClientToServer } else { ServerToClient };
        self.count(id, direction, datagram);
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        if let Some(session) = self.session(id) {
            let fields = vec![
                ("chunk", FactValue::Text(chunk_name(raw.kind).into())),
                ("reason", FactValue::Text(reason.to_owned().into())),
            ];
            session.fact("bad-chunk", true, direction, moment, fields, sink);
        }
    }

    /// A startup of an initiator with this tag that goes to `server`.
    fn startup_between(
        &mut self,
        client: std::net::SocketAddr,
        server: std::net::SocketAddr,
        tag: &[u8],
    ) -> Option<u32> {
        let ids = self.tags.get(&(client, tag.to_vec()))?.clone();
        ids.into_iter().rev().find(|id| {
            self.session(*id).is_some_and(|session| session.server == server && !session.ended)
        })
    }

    /// Notes that a session is reached by a tag.
    fn note_tag(&mut self, id: u32, client: std::net::SocketAddr, tag: &[u8]) {
        if let Some(session) = self.session(id) {
            session.tag = tag.to_vec();
        }
        let ids = self.tags.entry((client, tag.to_vec())).or_default();
        if ids.len() >= MAX_SAME_TAG {
            ids.remove(0);
        }
        ids.push(id);
    }

    fn ihello(&mut self, epd: &[u8], tag: &[u8], datagram: &Datagram<'_>, sink: &mut Sink<'_>) {
        let (client, server) = (datagram.source, datagram.destination);
        let known = self.startup_between(client, server, tag);
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.open((client, server), false, facts::target(epd), datagram, sink);
                self.note_tag(id, client, tag);
                id
            }
        };
        let mut fields = facts::endpoint(epd);
        fields.push(("tag", FactValue::Bytes(tag.to_vec())));
        self.tell(id, "ihello", ClientToServer, fields, datagram, sink);
    }

    /// The session that an answer with this tag belongs to: a new one if it comes from somewhere
    /// else than the IHello went, which is what redirection and introduction lead to.
    fn answered(&mut self, tag: &[u8], datagram: &Datagram<'_>, sink: &mut Sink<'_>) -> u32 {
        let (client, server) = (datagram.destination, datagram.source);
        if let Some(id) = self.startup_between(client, server, tag) {
            return id;
        }
        let asked = self.tags.get(&(client, tag.to_vec())).and_then(|ids| ids.last().copied());
        let before = asked.and_then(|id| {
            let session = self.session(id)?;
            Some((session.target.clone(), session.server))
        });
        let target = before.as_ref().and_then(|(target, _)| target.clone());
        let id = self.open((client, server), false, target, datagram, sink);
        self.note_tag(id, client, tag);
        if let (Some((_, asked)), Some(session)) = (before, self.session(id)) {
            let moment = Moment { time: datagram.time, frame: datagram.frame };
            let fields = vec![
                ("asked", FactValue::Text(asked.to_string().into())),
                ("tag", FactValue::Bytes(tag.to_vec())),
            ];
            session.fact("introduced", false, ServerToClient, moment, fields, sink);
        }
        id
    }

    fn rhello(
        &mut self,
        tag: &[u8],
        cookie: &[u8],
        certificate: &[u8],
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) {
        let id = self.answered(tag, datagram, sink);
        self.note_cookie(id, cookie);
        let mut fields = vec![
            ("tag", FactValue::Bytes(tag.to_vec())),
            ("cookie", FactValue::Bytes(cookie.to_vec())),
        ];
        facts::certificate(certificate, &mut fields);
        self.tell(id, "rhello", ServerToClient, fields, datagram, sink);
    }

    fn note_cookie(&mut self, id: u32, cookie: &[u8]) {
        let Some(session) = self.session(id) else { return };
        let before = std::mem::replace(&mut session.cookie, cookie.to_vec());
        if self.cookies.get(&before) == Some(&id) {
            self.cookies.remove(&before);
        }
        self.cookies.insert(cookie.to_vec(), id);
    }

    fn iikeying(
        &mut self,
        session_id: u32,
        cookie: &[u8],
        component: &[u8],
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) -> u32 {
        let (client, server) = (datagram.source, datagram.destination);
        let known = self
            .cookies
            .get(cookie)
            .copied()
            .filter(|id| self.sessions_match(*id, client, component));
        // A responder may open a new session for the same cookie when the component is another.
        let id = known.unwrap_or_else(|| {
            let id = self.open((client, server), false, None, datagram, sink);
            self.note_cookie(id, cookie);
            id
        });
        if let Some(session) = self.session(id) {
            session.component = component.to_vec();
            session.ids[ServerToClient.index()] = Some(session_id);
        }
        self.routes.insert((client, session_id), (id, ServerToClient));
        id
    }

    fn sessions_match(&self, id: u32, client: std::net::SocketAddr, component: &[u8]) -> bool {
        self.peek(id).is_some_and(|session| {
            session.client == client
                && !session.ended
                && (session.component.is_empty() || session.component == component)
        })
    }

    /// Takes a startup chunk that was sent to the initiator's session id.
    pub(super) fn answer_chunk(
        &mut self,
        id: u32,
        raw: &RawChunk<'_>,
        datagram: &Datagram<'_>,
        sink: &mut Sink<'_>,
    ) {
        let moment = Moment { time: datagram.time, frame: datagram.frame };
        let fields = match Chunk::parse(raw.kind, raw.payload) {
            Ok(Chunk::RIKeying { session_id, component, .. }) => {
                let mut fields = vec![("responder_session_id", facts::session_id(session_id))];
                facts::component(component, &mut fields);
                if let Some(session) = self.session(id) {
                    session.ids[ClientToServer.index()] = Some(session_id);
                    session.far_component = component.to_vec();
                    session.asked_keys = None;
                }
                self.routes.insert((datagram.source, session_id), (id, ClientToServer));
                ("rikeying", fields)
            }
            Ok(Chunk::CookieChange { old, new }) => {
                self.note_cookie(id, new);
                let fields = vec![
                    ("old_cookie", FactValue::Bytes(old.to_vec())),
                    ("cookie", FactValue::Bytes(new.to_vec())),
                ];
                ("cookie-change", fields)
            }
            Ok(_) => return,
            Err(stop) => {
                let fields = vec![
                    ("chunk", FactValue::Text(chunk_name(raw.kind).into())),
                    ("reason", FactValue::Text(stop.to_string().into())),
                ];
                if let Some(session) = self.session(id) {
                    session.fact("bad-chunk", true, ServerToClient, moment, fields, sink);
                }
                return;
            }
        };
        let Some(session) = self.session(id) else { return };
        let (name, mut fields) = fields;
        let attempt = session.attempt(raw.kind);
        if attempt > 1 {
            fields.push(("attempt", FactValue::Number(attempt)));
        }
        session.fact(name, false, ServerToClient, moment, fields, sink);
        if name == "rikeying" && attempt == 1 {
            let reasons = disagreements(&session.component, &session.far_component);
            if !reasons.is_empty() {
                let fields = vec![("reasons", FactValue::List(reasons))];
                session.fact("keying-mismatch", true, ServerToClient, moment, fields, sink);
            }
        }
    }
}

/// What both keying components do not agree on; the session then fails (RFC 7425 section 4.5).
fn disagreements(skic: &[u8], skrc: &[u8]) -> Vec<String> {
    let (i, r) = (KeyingComponent::parse(skic), KeyingComponent::parse(skrc));
    let mut reasons = Vec::new();
    if let (Some(ours), Some(theirs)) = (i.group(), r.group())
        && ours != theirs
    {
        reasons.push(format!(
            "Diffie-Hellman group {ours} by the initiator, {theirs} by the responder"
        ));
    }
    for (what, ours, theirs) in
        [("HMACs", i.hmac, r.hmac), ("sequence numbers", i.sequence, r.sequence)]
    {
        for (who, own, far) in [("initiator", ours, theirs), ("responder", theirs, ours)] {
            if own.refuses(far) {
                reasons.push(format!("the {who} will not send {what}, which the far end asks for"));
            }
        }
    }
    reasons
}

impl Session {
    /// Looks for the keys of the session, again when the key log has grown.
    pub(super) fn look_for_keys(&mut self, log: &KeyLog, moment: Moment, sink: &mut Sink<'_>) {
        let ready = !self.component.is_empty() && !self.far_component.is_empty();
        if self.keys.is_some() || !ready || self.asked_keys == Some(log.len()) {
            return;
        }
        let first = self.asked_keys.is_none();
        self.asked_keys = Some(log.len());
        let both =
            self.ids[1].zip(self.ids[0]).map(|(i, r)| [i.to_be_bytes(), r.to_be_bytes()].concat());
        let found = SessionKeys::find(log, &self.component, &self.far_component)
            .map(|keys| ("shared secret", keys))
            .or_else(|| {
                let entry = log.get(SESSION_KEYS, &both?)?;
                Some(("session keys", SessionKeys::from_entry(entry)?))
            });
        match found {
            Some((source, keys)) => {
                let fields = facts::keys(FactValue::Text(source.into()), &keys);
                self.keys = Some(keys);
                self.fact("keys", false, ServerToClient, moment, fields, sink);
            }
            None if first && self.attempt(0xfc) == 1 => {
                let id = component_id(&self.component);
                let fields = vec![("key_log_id", FactValue::Bytes(id.to_vec()))];
                self.fact("no-keys", false, ServerToClient, moment, fields, sink);
            }
            None => {}
        }
    }
}
