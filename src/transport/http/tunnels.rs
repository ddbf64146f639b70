//! All tunnels of a capture, over all their connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;
use crate::transport::layer::{FactValue, Item, Source};

use super::connection::{Answer, Connection, Pending};
use super::head::{MAX_ID, Request, Response, Verb};
use super::messages::{Head, Part};
use super::order::Piece;
use super::tunnel::{At, Tunnel, number, text};

pub use super::head::{begins_tunnel, begins_tunnel_response};

/// Bytes kept of a body that is no part of a session.
const MAX_TEXT: usize = 256;

/// Sessions at a time; when there are more, the one that was silent longest ends.
const MAX_TUNNELS: usize = 4096;

/// A session, by the order in which they were first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TunnelId(pub u32);

/// What happens to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// It is first seen; always before everything else of it.
    Opened {
        /// The connection of its first request.
        flow: FlowId,
        /// Its beginning was not captured.
        midstream: bool,
        /// When.
        time: Timestamp,
    },
    /// It uses one more connection.
    Joined {
        /// That connection.
        flow: FlowId,
    },
    /// Bytes, gaps and facts.
    Item(Item<'a>),
    /// It is over; nothing follows.
    Closed {
        /// When.
        time: Timestamp,
    },
}

type Sink<'s> = dyn FnMut(TunnelId, Outcome<'_>) + 's;

const UP: Direction = Direction::ClientToServer;
const DOWN: Direction = Direction::ServerToClient;

/// The tunnels of a capture.
#[derive(Debug, Default)]
pub struct Tunnels {
    connections: BTreeMap<FlowId, Connection>,
    tunnels: BTreeMap<TunnelId, Tunnel>,
    /// By id and server. Behind a load balancer the server may change: the id alone then does.
    by_id: BTreeMap<(String, SocketAddr), TunnelId>,
    seen: u32,
}

impl Tunnels {
    /// No connections yet.
    pub fn new() -> Tunnels {
        Tunnels::default()
    }

    /// A connection that carries requests of tunnels.
    pub fn opened(&mut self, flow: FlowId, client: SocketAddr, server: SocketAddr) {
        self.connections.insert(flow, Connection::new(client, server));
    }

    /// The session of the last request on a connection.
    pub fn current(&self, flow: FlowId) -> Option<TunnelId> {
        self.connections.get(&flow)?.tunnel
    }

    /// Takes the next bytes of a connection.
    pub fn data(
        &mut self,
        flow: FlowId,
        direction: Direction,
        time: Timestamp,
        bytes: &[u8],
        source: Source,
        sink: &mut Sink<'_>,
    ) {
        match direction {
            Direction::ClientToServer => {
                self.feed_up(flow, time, bytes, source, sink);
                self.release(flow, sink);
            }
            Direction::ServerToClient => {
                let Some(connection) = self.connections.get_mut(&flow) else { return };
                if !connection.held.is_empty() {
                    connection.hold(time, source, bytes);
                    return self.release(flow, sink);
                }
                self.feed_down(flow, time, bytes, source, sink);
            }
        }
    }

    /// `len` bytes of a connection are missing.
    pub fn gap(
        &mut self,
        flow: FlowId,
        direction: Direction,
        time: Timestamp,
        len: u64,
        sink: &mut Sink<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        let mut parts = Vec::new();
        match direction {
            Direction::ClientToServer => {
                connection.up.gap(len, &mut |part| parts.push(part));
                self.up(flow, time, parts, &[], None, sink);
                self.release(flow, sink);
            }
            Direction::ServerToClient => {
                connection.down.gap(len, &mut |part| parts.push(part));
                self.down(flow, time, parts, &[], None, sink);
            }
        }
    }

    /// One side of a connection has said all.
    pub fn fin(
        &mut self,
        flow: FlowId,
        direction: Direction,
        time: Timestamp,
        sink: &mut Sink<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        connection.first_fin.get_or_insert(direction);
        if direction == DOWN && connection.held.is_empty() {
            let mut parts = Vec::new();
            connection.down.end(&mut |part| parts.push(part));
            self.down(flow, time, parts, &[], None, sink);
        }
    }

    /// A connection is over.
    pub fn ended(&mut self, flow: FlowId, time: Timestamp, sink: &mut Sink<'_>) {
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        match connection.heard_client {
            true => connection.lost_up = true,
            false => connection.alone = true,
        }
        self.release(flow, sink);
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        let (mut up, mut down) = (Vec::new(), Vec::new());
        connection.up.end(&mut |part| up.push(part));
        connection.down.end(&mut |part| down.push(part));
        self.up(flow, time, up, &[], None, sink);
        self.down(flow, time, down, &[], None, sink);
        let Some(connection) = self.connections.remove(&flow) else { return };
        // What was not answered may be asked again on another connection, or never.
        for pending in &connection.queue {
            self.answered(pending, time, sink);
        }
        for id in connection.tunnels {
            let Some(tunnel) = self.tunnels.get_mut(&id) else { continue };
            tunnel.open_flows = tunnel.open_flows.saturating_sub(1);
            if connection.first_fin == Some(DOWN) && !tunnel.closed && connection.tunnel == Some(id)
            {
                tunnel.server_closed_after = Some(connection.answers);
            }
            let over =
                tunnel.closed || tunnel.refused || (tunnel.id.is_none() && !tunnel.only_ident);
            if over && tunnel.open_flows == 0 {
                self.close(id, time, sink);
            }
        }
    }

    /// The capture is over.
    pub fn finish(&mut self, time: Timestamp, sink: &mut Sink<'_>) {
        for flow in self.connections.keys().copied().collect::<Vec<_>>() {
            self.ended(flow, time, sink);
        }
        for id in self.tunnels.keys().copied().collect::<Vec<_>>() {
            self.close(id, time, sink);
        }
    }

    fn close(&mut self, id: TunnelId, time: Timestamp, sink: &mut Sink<'_>) {
        let Some(mut tunnel) = self.tunnels.remove(&id) else { return };
        let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
        for direction in Direction::BOTH {
            let at = At { direction, time, offset: 0 };
            tunnel.order(at, &mut item, |order, out| order.end(out));
        }
        item(Item::Fact(tunnel.summary(time)));
        if let Some(name) = tunnel.id {
            let key = (name, tunnel.server);
            if self.by_id.get(&key) == Some(&id) {
                self.by_id.remove(&key);
            }
        }
        sink(id, Outcome::Closed { time });
    }

    /// Feeds what was held back while it may.
    fn release(&mut self, flow: FlowId, sink: &mut Sink<'_>) {
        loop {
            let Some(connection) = self.connections.get_mut(&flow) else { return };
            if connection.must_wait() {
                return;
            }
            let Some((time, source, bytes)) = connection.held.pop_front() else { return };
            connection.held_bytes -= bytes.len();
            self.feed_down(flow, time, &bytes, source, sink);
        }
    }

    fn feed_up(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        bytes: &[u8],
        source: Source,
        sink: &mut Sink<'_>,
    ) {
        let mut at = 0;
        while at < bytes.len() {
            let Some(connection) = self.connections.get_mut(&flow) else { return };
            connection.heard_client = true;
            let (rest, mut parts) = (&bytes[at..], Vec::new());
            let used = connection.up.feed(rest, &mut |part| parts.push(part));
            let source = source.part(at);
            self.up(flow, time, parts, rest, Some(source), sink);
            at += used.max(1);
        }
    }

    fn feed_down(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        bytes: &[u8],
        source: Source,
        sink: &mut Sink<'_>,
    ) {
        let mut at = 0;
        while at < bytes.len() {
            let Some(connection) = self.connections.get_mut(&flow) else { return };
            let rest = &bytes[at..];
            let source = source.part(at);
            if connection.must_wait() {
                connection.held_bytes += rest.len();
                connection.held.push_front((time, source, rest.to_vec()));
                return;
            }
            let mut parts = Vec::new();
            let used = connection.down.feed(rest, &mut |part| parts.push(part));
            self.down(flow, time, parts, rest, Some(source), sink);
            at += used.max(1);
        }
    }

    /// Takes what the client's bytes turned out to be.
    fn up(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        parts: Vec<Part>,
        bytes: &[u8],
        source: Option<Source>,
        sink: &mut Sink<'_>,
    ) {
        for part in parts {
            if let Part::Head(Head::Request(request), len) = part {
                let offset = source.map_or(0, |source| source.offset);
                self.request(flow, time, request, len as u64, offset, sink);
                continue;
            }
            let Some(connection) = self.connections.get_mut(&flow) else { return };
            if part == Part::Lost {
                connection.lost_up = true;
                connection.request = None;
                continue;
            }
            let Some(request) = connection.request.clone() else { continue };
            let ends = matches!(part, Part::End(_));
            let counted = if let Part::Body { len, .. } = part { len as u64 } else { 0 };
            if ends {
                connection.request = None;
            }
            let Some(id) = request.tunnel else { continue };
            let Some(tunnel) = self.tunnels.get_mut(&id) else { continue };
            let at = At { direction: UP, time, offset: request.offset };
            let sends = request.verb == Verb::Send;
            let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
            tunnel.order(at, &mut item, |order, out| match (part, source) {
                (Part::Body { from, len }, Some(source)) if sends => {
                    let data = bytes.get(from..from + len).unwrap_or_default();
                    let source = source.part(from);
                    order.piece(request.seq, Piece::Data { time, source, bytes: data }, out);
                }
                (Part::Missing(len), _) if sends => {
                    order.piece(request.seq, Piece::Gap { time, len, exact: true }, out);
                }
                _ => {}
            });
            tunnel.count.http[0] += counted;
            if ends && matches!(request.verb, Verb::Send | Verb::Idle | Verb::Close) {
                tunnel.order(at, &mut item, |order, out| order.finish(request.seq, out));
            }
        }
    }

    /// A request begins.
    fn request(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        request: Request,
        len: u64,
        offset: u64,
        sink: &mut Sink<'_>,
    ) {
        let Request { verb, id: name, seq, .. } = request;
        let id = match verb {
            Verb::Other => None,
            Verb::Ident | Verb::Open => self.attempt(flow, verb, time, sink),
            _ => self.find(flow, &name, time, sink),
        };
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        connection.requests += 1;
        let lost = std::mem::take(&mut connection.lost_up);
        let mut pending = Pending { tunnel: id, verb, seq: 0, offset };
        if let Some((id, tunnel)) = id.and_then(|id| Some((id, self.tunnels.get_mut(&id)?))) {
            connection.tunnel = Some(id);
            tunnel.asked(verb, time);
            tunnel.count.http[0] += len;
            if matches!(verb, Verb::Send | Verb::Idle | Verb::Close) {
                let next = tunnel.last_seq.map_or(0, |last| last.saturating_add(1));
                pending.seq = seq.unwrap_or(next);
                tunnel.last_seq = Some(pending.seq);
                let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
                if lost {
                    for direction in Direction::BOTH {
                        let at = At { direction, time, offset };
                        tunnel.order(at, &mut item, |order, out| order.skip_to(pending.seq, out));
                    }
                }
                let at = At { direction: UP, time, offset };
                tunnel.order(at, &mut item, |order, _| order.begin(pending.seq));
            }
        }
        connection.request = Some(pending.clone());
        connection.expect(pending);
    }

    /// The session that an ident or open begins.
    fn attempt(
        &mut self,
        flow: FlowId,
        verb: Verb,
        time: Timestamp,
        sink: &mut Sink<'_>,
    ) -> Option<TunnelId> {
        let connection = self.connections.get(&flow)?;
        let (client, server) = (connection.client, connection.server);
        // Ident may have been asked on another connection.
        let same = |tunnel: &Tunnel| {
            tunnel.id.is_none()
                && tunnel.only_ident
                && tunnel.client.ip() == client.ip()
                && tunnel.server == server
        };
        let known = self.tunnels.iter().rev().find(|(_, tunnel)| same(tunnel)).map(|(id, _)| *id);
        let id = known.filter(|_| verb == Verb::Open || self.uses(flow, known));
        let id = id.unwrap_or_else(|| self.create(flow, client, server, false, time, sink));
        self.join(flow, id, sink);
        Some(id)
    }

    fn uses(&self, flow: FlowId, id: Option<TunnelId>) -> bool {
        let connection = self.connections.get(&flow);
        connection.zip(id).is_some_and(|(connection, id)| connection.tunnels.contains(&id))
    }

    /// The session of that name.
    fn find(
        &mut self,
        flow: FlowId,
        name: &str,
        time: Timestamp,
        sink: &mut Sink<'_>,
    ) -> Option<TunnelId> {
        let connection = self.connections.get(&flow)?;
        let (client, server) = (connection.client, connection.server);
        let key = (name.to_owned(), server);
        let id = self.by_id.get(&key).copied().or_else(|| {
            let mut others = self.by_id.range((name.to_owned(), UNSPECIFIED)..);
            let found = others.next().filter(|((other, _), _)| other == name).map(|(_, id)| *id);
            found.filter(|_| others.next().is_none_or(|((other, _), _)| other != name))
        });
        // A client that took an error page for its id goes on where it was refused.
        let refused = connection.tunnel.filter(|id| {
            self.tunnels.get(id).is_some_and(|tunnel| tunnel.refused && tunnel.id.is_none())
        });
        let id = id.or(refused).unwrap_or_else(|| {
            let id = self.create(flow, client, server, true, time, sink);
            if let Some(tunnel) = self.tunnels.get_mut(&id) {
                tunnel.id = Some(key.0.clone());
            }
            self.by_id.insert(key, id);
            id
        });
        self.join(flow, id, sink);
        Some(id)
    }

    fn create(
        &mut self,
        flow: FlowId,
        client: SocketAddr,
        server: SocketAddr,
        midstream: bool,
        time: Timestamp,
        sink: &mut Sink<'_>,
    ) -> TunnelId {
        if self.tunnels.len() >= MAX_TUNNELS {
            let oldest = self.tunnels.iter().min_by_key(|(_, tunnel)| tunnel.last);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.close(oldest, time, sink);
            }
        }
        let id = TunnelId(self.seen);
        self.seen += 1;
        self.tunnels.insert(id, Tunnel::new(client, server, time));
        sink(id, Outcome::Opened { flow, midstream, time });
        id
    }

    fn join(&mut self, flow: FlowId, id: TunnelId, sink: &mut Sink<'_>) {
        let Some(tunnel) = self.tunnels.get_mut(&id) else { return };
        if tunnel.flows.insert(flow) {
            tunnel.open_flows += 1;
            sink(id, Outcome::Joined { flow });
        }
        if let Some(connection) = self.connections.get_mut(&flow) {
            connection.tunnels.insert(id);
        }
    }

    /// Takes what the server's bytes turned out to be.
    fn down(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        parts: Vec<Part>,
        bytes: &[u8],
        source: Option<Source>,
        sink: &mut Sink<'_>,
    ) {
        for part in parts {
            let offset = source.map_or(0, |source| source.offset);
            match part {
                Part::Head(Head::Response(response), len) => {
                    self.response(flow, time, response, len as u64, offset, sink);
                }
                Part::Head(..) => {}
                Part::Lost => {
                    if let Some(connection) = self.connections.get_mut(&flow) {
                        connection.lost_down = true;
                        connection.answer = None;
                    }
                }
                Part::Body { from, len } => {
                    let data = bytes.get(from..from + len).unwrap_or_default();
                    let source = source.map(|source| source.part(from));
                    self.body(flow, time, data, source, sink);
                }
                Part::Missing(len) => self.missing(flow, time, len, sink),
                Part::End(_) => {
                    let connection = self.connections.get_mut(&flow);
                    if let Some(answer) = connection.and_then(|it| it.answer.take()) {
                        self.end_answer(time, answer, sink);
                    }
                }
            }
        }
    }

    /// A response begins.
    fn response(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        response: Response,
        len: u64,
        offset: u64,
        sink: &mut Sink<'_>,
    ) {
        let Response { status, fcs, framing } = response;
        if (100..200).contains(&status) {
            return;
        }
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        if std::mem::take(&mut connection.lost_down) {
            // Clients wait for the answer: this one is that to the last request.
            while connection.queue.len() > 1 {
                let Some(pending) = connection.queue.pop_front() else { break };
                let Some(id) = pending.tunnel else { continue };
                if let Some(tunnel) = self.tunnels.get_mut(&id) {
                    let at = At { direction: DOWN, time, offset };
                    let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
                    tunnel.order(at, &mut item, |order, out| {
                        order.skip_to(pending.seq.saturating_add(1), out);
                    });
                }
            }
        }
        let mut to = connection.queue.pop_front();
        if to.is_none() && connection.alone && fcs {
            to = self.unasked(flow, time, framing, offset, sink);
        }
        let Some(to) = to else { return };
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        connection.answers += 1;
        if let Some((id, tunnel)) = to.tunnel.and_then(|id| Some((id, self.tunnels.get_mut(&id)?)))
        {
            tunnel.count.http[1] += len;
            if status == 200 && matches!(to.verb, Verb::Send | Verb::Idle | Verb::Close) {
                let at = At { direction: DOWN, time, offset };
                let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
                tunnel.order(at, &mut item, |order, _| order.begin(to.seq));
            }
        }
        connection.answer =
            Some(Answer { to, status, begun: false, len: 0, text: Vec::new(), offset });
    }

    /// What a response answers of which no request was captured.
    fn unasked(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        framing: super::body::Framing,
        offset: u64,
        sink: &mut Sink<'_>,
    ) -> Option<Pending> {
        let connection = self.connections.get(&flow)?;
        let (client, server) = (connection.client, connection.server);
        if let Some(id) = connection.tunnel {
            let tunnel = self.tunnels.get_mut(&id)?;
            let seq = tunnel.last_seq.map_or(0, |last| last.saturating_add(1));
            tunnel.last_seq = Some(seq);
            tunnel.last = time;
            return Some(Pending { tunnel: Some(id), verb: Verb::Idle, seq, offset });
        }
        // An id is short; the first bytes of a session, S0 S1 S2, are not.
        let short = matches!(framing, super::body::Framing::Length(2..=MAX_SHORT));
        let id = self.create(flow, client, server, !short, time, sink);
        self.join(flow, id, sink);
        self.connections.get_mut(&flow)?.tunnel = Some(id);
        if short {
            return Some(Pending { tunnel: Some(id), verb: Verb::Open, seq: 0, offset });
        }
        self.tunnels.get_mut(&id)?.last_seq = Some(0);
        Some(Pending { tunnel: Some(id), verb: Verb::Idle, seq: 0, offset })
    }

    /// Bytes of a response's body.
    fn body(
        &mut self,
        flow: FlowId,
        time: Timestamp,
        bytes: &[u8],
        source: Option<Source>,
        sink: &mut Sink<'_>,
    ) {
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        let Some(answer) = &mut connection.answer else { return };
        let Some(id) = answer.to.tunnel else { return };
        let Some(tunnel) = self.tunnels.get_mut(&id) else { return };
        tunnel.count.http[1] += bytes.len() as u64;
        let session = matches!(answer.to.verb, Verb::Send | Verb::Idle | Verb::Close);
        if answer.status != 200 || !session {
            let room = MAX_TEXT.saturating_sub(answer.text.len());
            answer.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
            return;
        }
        let mut from = 0;
        if let (false, Some(first)) = (answer.begun, bytes.first()) {
            answer.begun = true;
            tunnel.interval(*first);
            from = 1;
        }
        let rest = &bytes[from..];
        answer.len += rest.len() as u64;
        if let (Some(source), false) = (source, rest.is_empty()) {
            let (seq, source) = (answer.to.seq, source.part(from));
            let at = At { direction: DOWN, time, offset: answer.offset };
            let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
            tunnel.order(at, &mut item, |order, out| {
                order.piece(seq, Piece::Data { time, source, bytes: rest }, out);
            });
        }
    }

    /// Bytes of a response's body are missing.
    fn missing(&mut self, flow: FlowId, time: Timestamp, mut len: u64, sink: &mut Sink<'_>) {
        let Some(connection) = self.connections.get_mut(&flow) else { return };
        let Some(answer) = &mut connection.answer else { return };
        if !answer.begun {
            answer.begun = true;
            len = len.saturating_sub(1);
        }
        let Some((id, tunnel)) =
            answer.to.tunnel.and_then(|id| Some((id, self.tunnels.get_mut(&id)?)))
        else {
            return;
        };
        answer.len += len;
        if len > 0 {
            let (seq, at) = (answer.to.seq, At { direction: DOWN, time, offset: answer.offset });
            let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
            tunnel.order(at, &mut item, |order, out| {
                order.piece(seq, Piece::Gap { time, len, exact: true }, out);
            });
        }
    }

    /// A response is over.
    fn end_answer(&mut self, time: Timestamp, answer: Answer, sink: &mut Sink<'_>) {
        let Some(id) = answer.to.tunnel else { return };
        let Some(tunnel) = self.tunnels.get_mut(&id) else { return };
        tunnel.last = tunnel.last.max(time);
        let at = At { direction: DOWN, time, offset: answer.offset };
        let verb = answer.to.verb;
        let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
        if verb == Verb::Ident {
            let mut fields = vec![("status", number(answer.status.into()))];
            if answer.status == 200 {
                fields.push(("answer", text(printable(&answer.text))));
            }
            return item(Item::Fact(at.fact("ident", false, fields)));
        }
        if answer.status != 200 {
            let fields = vec![
                ("request", text(verb.name())),
                ("status", number(answer.status.into())),
                ("served-before", FactValue::Flag(tunnel.served)),
            ];
            let known = tunnel.id.is_some();
            item(Item::Fact(at.fact("refused", true, fields)));
            tunnel.refused |= !known || verb == Verb::Open;
        }
        match verb {
            Verb::Open if answer.status == 200 => {
                let name = answer.text.trim_ascii_end();
                let good = (1..=MAX_ID).contains(&name.len())
                    && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
                if !good {
                    tunnel.refused = true;
                    let fields = vec![("answer", text(printable(&answer.text)))];
                    return item(Item::Fact(at.fact("bad-session-id", true, fields)));
                }
                let name = String::from_utf8_lossy(name).into_owned();
                let fields = vec![("session", text(name.clone()))];
                item(Item::Fact(at.fact("open", false, fields)));
                tunnel.id = Some(name.clone());
                self.by_id.insert((name, tunnel.server), id);
            }
            Verb::Open | Verb::Ident | Verb::Other => {}
            Verb::Send | Verb::Idle | Verb::Close => {
                tunnel.served |= answer.status == 200;
                if answer.status == 200 && answer.len == 0 {
                    tunnel.count.empty_answers += 1;
                }
                if verb == Verb::Close {
                    tunnel.closed = true;
                    let fields = vec![("seq", number(answer.to.seq))];
                    item(Item::Fact(at.fact("close", false, fields)));
                }
                self.answered(&answer.to, time, sink);
            }
        }
    }

    /// Nothing (more) comes in answer to a request.
    fn answered(&mut self, to: &Pending, time: Timestamp, sink: &mut Sink<'_>) {
        let Some((id, tunnel)) = to.tunnel.and_then(|id| Some((id, self.tunnels.get_mut(&id)?)))
        else {
            return;
        };
        if matches!(to.verb, Verb::Send | Verb::Idle | Verb::Close) {
            let at = At { direction: DOWN, time, offset: to.offset };
            let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
            tunnel.order(at, &mut item, |order, out| order.settle(to.seq, out));
        }
        if to.verb == Verb::Close {
            tunnel.closed = true;
        }
    }
}

/// The longest answer that may be an id.
const MAX_SHORT: u64 = 65;

/// Below every address.
const UNSPECIFIED: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0);

/// The first line of an answer, as far as it can be shown.
fn printable(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = &line[..line.len().min(80)];
    line.iter()
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { *byte as char } else { '.' })
        .collect()
}
