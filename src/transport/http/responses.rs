//! Responses: which request each answers, and what it carries.

use crate::base::Timestamp;
use crate::flow::FlowId;
use crate::transport::layer::{At, FactValue, Item, Source};

use super::body::Framing;
use super::connection::{Answer, Pending};
use super::head::{MAX_ID, Response, Verb};
use super::messages::{Head, Part};
use super::order::Piece;
use super::tunnels::{DOWN, Outcome, Sink, Tunnels};

/// Bytes kept of a body that is no part of a session.
const MAX_TEXT: usize = 256;

/// The longest answer that may be an id.
const MAX_SHORT: u64 = 65;

impl Tunnels {
    /// Takes what the server's bytes turned out to be.
    pub(super) fn down(
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
    pub(super) fn response(
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
            if status == 200 && to.verb.is_numbered() {
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
        framing: Framing,
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
        let short = matches!(framing, Framing::Length(2..=MAX_SHORT));
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
        let session = answer.to.verb.is_numbered();
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
            let mut fields = vec![("status", FactValue::Number(answer.status.into()))];
            if answer.status == 200 {
                fields.push(("answer", FactValue::text(printable(&answer.text))));
            }
            return item(Item::Fact(at.fact("http", "ident", false, fields)));
        }
        if answer.status != 200 {
            let fields = vec![
                ("request", FactValue::text(verb.name())),
                ("status", FactValue::Number(answer.status.into())),
                ("served_before", FactValue::Flag(tunnel.served)),
            ];
            let known = tunnel.id.is_some();
            item(Item::Fact(at.fact("http", "refused", true, fields)));
            tunnel.refused |= !known || verb == Verb::Open;
        }
        match verb {
            Verb::Open if answer.status == 200 => {
                let name = answer.text.trim_ascii_end();
                let good = (1..=MAX_ID).contains(&name.len())
                    && name.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
                if !good {
                    tunnel.refused = true;
                    let fields = vec![("answer", FactValue::text(printable(&answer.text)))];
                    return item(Item::Fact(at.fact("http", "bad-session-id", true, fields)));
                }
                let name = String::from_utf8_lossy(name).into_owned();
                let fields = vec![("session", FactValue::text(name.clone()))];
                item(Item::Fact(at.fact("http", "open", false, fields)));
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
                    let fields = vec![("seq", FactValue::Number(answer.to.seq))];
                    item(Item::Fact(at.fact("http", "close", false, fields)));
                }
                self.answered(&answer.to, time, sink);
            }
        }
    }

    /// Nothing (more) comes in answer to a request.
    pub(super) fn answered(&mut self, to: &Pending, time: Timestamp, sink: &mut Sink<'_>) {
        let Some((id, tunnel)) = to.tunnel.and_then(|id| Some((id, self.tunnels.get_mut(&id)?)))
        else {
            return;
        };
        if to.verb.is_numbered() {
            let at = At { direction: DOWN, time, offset: to.offset };
            let mut item = |item: Item<'_>| sink(id, Outcome::Item(item));
            tunnel.order(at, &mut item, |order, out| order.settle(to.seq, out));
        }
        if to.verb == Verb::Close {
            tunnel.closed = true;
        }
    }
}

/// The first line of an answer, as far as it can be shown.
fn printable(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let line = &line[..line.len().min(80)];
    line.iter()
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { *byte as char } else { '.' })
        .collect()
}
