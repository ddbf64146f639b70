//! Requests: which session each belongs to, and what it carries.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;
use crate::transport::layer::{At, Item, Source};

use super::connection::Pending;
use super::head::{Request, Verb};
use super::messages::{Head, Part};
use super::order::Piece;
use super::tunnel::Tunnel;
use super::tunnels::{Outcome, Sink, TunnelId, Tunnels, UP};

/// Sessions at a time; when there are more, the one that was silent longest ends.
const MAX_TUNNELS: usize = 4096;

/// Below every address.
const UNSPECIFIED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl Tunnels {
    /// Takes what the client's bytes turned out to be.
    pub(super) fn up(
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
            if ends && request.verb.is_numbered() {
                tunnel.order(at, &mut item, |order, out| order.finish(request.seq, out));
            }
        }
    }

    /// A request begins.
    pub(super) fn request(
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
            if verb.is_numbered() {
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
    pub(super) fn attempt(
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

    pub(super) fn uses(&self, flow: FlowId, id: Option<TunnelId>) -> bool {
        let connection = self.connections.get(&flow);
        connection.zip(id).is_some_and(|(connection, id)| connection.tunnels.contains(&id))
    }

    /// The session of that name.
    pub(super) fn find(
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

    pub(super) fn create(
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

    pub(super) fn join(&mut self, flow: FlowId, id: TunnelId, sink: &mut Sink<'_>) {
        let Some(tunnel) = self.tunnels.get_mut(&id) else { return };
        if tunnel.flows.insert(flow) {
            tunnel.open_flows += 1;
            sink(id, Outcome::Joined { flow });
        }
        if let Some(connection) = self.connections.get_mut(&flow) {
            connection.tunnels.insert(id);
        }
    }
}
