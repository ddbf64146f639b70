//! All tunnels of a capture, over all their connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;
use crate::transport::layer::{At, Item, Source};

use super::connection::Connection;
use super::tunnel::Tunnel;

pub use super::head::{begins_tunnel, begins_tunnel_response};

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

pub(super) type Sink<'s> = dyn FnMut(TunnelId, Outcome<'_>) + 's;

pub(super) const UP: Direction = Direction::ClientToServer;
pub(super) const DOWN: Direction = Direction::ServerToClient;

/// The tunnels of a capture.
#[derive(Debug, Default)]
pub struct Tunnels {
    pub(super) connections: BTreeMap<FlowId, Connection>,
    pub(super) tunnels: BTreeMap<TunnelId, Tunnel>,
    /// By id and server. Behind a load balancer the server may change: the id alone then does.
    pub(super) by_id: BTreeMap<(String, SocketAddr), TunnelId>,
    pub(super) seen: u32,
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

    pub(super) fn close(&mut self, id: TunnelId, time: Timestamp, sink: &mut Sink<'_>) {
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
}
