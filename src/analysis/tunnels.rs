//! RTMPT: sessions that lie over HTTP connections.

use std::collections::BTreeMap;

use super::flows::Flows;
use super::record::{SessionRecord, Transport};
use crate::base::{Direction, Timestamp};
use crate::flow::{DirectionStats, EndReason, FlowId};
use crate::transport::http::{Outcome, TunnelId, Tunnels};
use crate::transport::{Fact, Item, Source};

/// Facts that are kept until the first byte of a session tells what it speaks.
const MAX_FACTS: usize = 64;

/// The tunnels of a capture.
#[derive(Debug, Default)]
pub(super) struct TunnelFlows {
    layer: Tunnels,
    sessions: BTreeMap<TunnelId, TunnelSession>,
    /// Connections that carry them: what a session on it would be announced as.
    flows: BTreeMap<FlowId, TunnelFlow>,
    /// Outcomes of one call, for their order.
    scratch: Vec<(TunnelId, Owned)>,
}

#[derive(Debug)]
struct TunnelFlow {
    record: SessionRecord,
    flip: bool,
    tunnels: Vec<TunnelId>,
    /// What layers below HTTP said before there was a session.
    facts: Vec<Fact>,
}

#[derive(Debug)]
struct TunnelSession {
    /// 0 before it is announced.
    number: u32,
    flow: FlowId,
    flip: bool,
    record: SessionRecord,
    facts: Vec<Fact>,
    tcp: [DirectionStats; 2],
    reason: EndReason,
}

/// An [`Outcome`] that can be kept.
#[derive(Debug)]
enum Owned {
    Opened { flow: FlowId, midstream: bool, time: Timestamp },
    Joined(FlowId),
    Data { direction: Direction, time: Timestamp, bytes: Vec<u8>, source: Source },
    Gap { direction: Direction, time: Timestamp, len: u64, exact: bool },
    Fact(Fact),
    Closed(Timestamp),
}

impl Flows {
    /// A connection turned out to carry requests of tunnels. `record` is what a session on it would
    /// be announced as.
    pub(super) fn tunnel_open(&mut self, flow: FlowId, record: SessionRecord, flip: bool) {
        let tunnels = &mut self.tunnels;
        tunnels.layer.opened(flow, record.client, record.server);
        tunnels
            .flows
            .insert(flow, TunnelFlow { record, flip, tunnels: Vec::new(), facts: Vec::new() });
    }

    /// The session that a connection last carried requests of, once it is announced.
    pub(super) fn tunnel_session(&self, flow: FlowId) -> Option<u32> {
        let tunnel = self.tunnels.layer.current(flow)?;
        Some(self.tunnels.sessions.get(&tunnel)?.number).filter(|number| *number > 0)
    }

    /// Takes what comes on a connection, in the directions of HTTP.
    pub(super) fn tunnel_take(&mut self, flow: FlowId, item: Item<'_>) {
        match item {
            Item::Data { direction, time, bytes, source } => self
                .with_tunnels(|layer, sink| layer.data(flow, direction, time, bytes, source, sink)),
            Item::Gap { direction, time, len, .. } => {
                self.with_tunnels(|layer, sink| layer.gap(flow, direction, time, len, sink));
            }
            Item::Readable { .. } => {}
            Item::Fact(fact) => match self.tunnels.layer.current(flow) {
                Some(tunnel) => self.tunnel_outcome(tunnel, Owned::Fact(fact)),
                None => {
                    let flow = self.tunnels.flows.get_mut(&flow);
                    if let Some(flow) = flow.filter(|flow| flow.facts.len() < MAX_FACTS) {
                        flow.facts.push(fact);
                    }
                }
            },
        }
    }

    /// One side of a connection has said all.
    pub(super) fn tunnel_fin(&mut self, flow: FlowId, direction: Direction, time: Timestamp) {
        self.with_tunnels(|layer, sink| layer.fin(flow, direction, time, sink));
    }

    /// A connection is over.
    pub(super) fn tunnel_end(
        &mut self,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        tcp: &[DirectionStats; 2],
    ) {
        let used = self.tunnels.flows.get(&flow).map(|flow| flow.tunnels.clone());
        for tunnel in used.unwrap_or_default() {
            if let Some(session) = self.tunnels.sessions.get_mut(&tunnel) {
                session.reason = reason;
                for (sum, stats) in session.tcp.iter_mut().zip(tcp) {
                    add(sum, stats);
                }
            }
        }
        self.with_tunnels(|layer, sink| layer.ended(flow, time, sink));
        self.tunnels.flows.remove(&flow);
    }

    /// The capture is over: sessions may outlive all their connections.
    pub(super) fn tunnels_finish(&mut self, time: Timestamp) {
        self.with_tunnels(|layer, sink| layer.finish(time, sink));
    }

    fn with_tunnels(
        &mut self,
        act: impl FnOnce(&mut Tunnels, &mut dyn FnMut(TunnelId, Outcome<'_>)),
    ) {
        let mut outcomes = std::mem::take(&mut self.tunnels.scratch);
        act(&mut self.tunnels.layer, &mut |tunnel, outcome| {
            outcomes.extend(Owned::of(outcome).map(|outcome| (tunnel, outcome)));
        });
        for (tunnel, outcome) in outcomes.drain(..) {
            self.tunnel_outcome(tunnel, outcome);
        }
        self.tunnels.scratch = outcomes;
    }

    fn tunnel_outcome(&mut self, tunnel: TunnelId, outcome: Owned) {
        match outcome {
            Owned::Opened { flow, midstream, time } => {
                let Some(own) = self.tunnels.flows.get_mut(&flow) else { return };
                let record = SessionRecord { midstream, time, ..own.record.clone() };
                let facts = std::mem::take(&mut own.facts);
                let session = TunnelSession {
                    number: 0,
                    flow,
                    flip: own.flip,
                    record,
                    facts,
                    tcp: Default::default(),
                    reason: EndReason::EndOfCapture(None),
                };
                self.tunnels.sessions.insert(tunnel, session);
            }
            Owned::Joined(flow) => {
                if let Some(flow) = self.tunnels.flows.get_mut(&flow) {
                    flow.tunnels.push(tunnel);
                }
            }
            Owned::Data { direction, time, bytes, source } => {
                let item = Item::Data { direction, time, bytes: &bytes, source };
                self.tunnel_item(tunnel, item);
            }
            Owned::Gap { direction, time, len, exact } => {
                self.tunnel_item(tunnel, Item::Gap { direction, time, len, exact });
            }
            Owned::Fact(fact) => {
                let Some(session) = self.tunnels.sessions.get_mut(&tunnel) else { return };
                if session.number == 0 && session.facts.len() < MAX_FACTS {
                    return session.facts.push(fact);
                }
                self.tunnel_item(tunnel, Item::Fact(fact));
            }
            Owned::Closed(time) => {
                self.tunnel_announce(tunnel, None);
                let Some(session) = self.tunnels.sessions.remove(&tunnel) else { return };
                let TunnelSession { number, flow, tcp, reason, .. } = session;
                self.close_above(number, flow, reason, time, tcp);
            }
        }
    }

    fn tunnel_item(&mut self, tunnel: TunnelId, item: Item<'_>) {
        let first = match &item {
            Item::Data { bytes, .. } => bytes.first().copied(),
            _ => None,
        };
        self.tunnel_announce(tunnel, first);
        let Some(session) = self.tunnels.sessions.get(&tunnel) else { return };
        let (number, flow) = (session.number, session.flow);
        self.item(number, flow, item);
    }

    /// Announces a session if it is not yet: its first byte tells what is in the tunnel.
    fn tunnel_announce(&mut self, tunnel: TunnelId, first: Option<u8>) {
        let Some(session) = self.tunnels.sessions.get_mut(&tunnel) else { return };
        if session.number > 0 {
            return;
        }
        let mut record = session.record.clone();
        if matches!(first, Some(6 | 8 | 9)) && !record.midstream {
            if record.transport == Transport::Rtmpt {
                record.transport = Transport::Rtmpte;
            }
        }
        let (flow, flip, facts) = (session.flow, session.flip, std::mem::take(&mut session.facts));
        let number = self.open_above(flow, flip, record.clone(), [!record.midstream; 2]);
        if let Some(session) = self.tunnels.sessions.get_mut(&tunnel) {
            session.number = number;
        }
        for fact in facts {
            self.item(number, flow, Item::Fact(fact));
        }
    }
}

impl Owned {
    fn of(outcome: Outcome<'_>) -> Option<Owned> {
        Some(match outcome {
            Outcome::Opened { flow, midstream, time } => Owned::Opened { flow, midstream, time },
            Outcome::Joined { flow } => Owned::Joined(flow),
            Outcome::Closed { time } => Owned::Closed(time),
            Outcome::Item(Item::Data { direction, time, bytes, source }) => {
                Owned::Data { direction, time, bytes: bytes.to_vec(), source }
            }
            Outcome::Item(Item::Gap { direction, time, len, exact }) => {
                Owned::Gap { direction, time, len, exact }
            }
            // Tunnels decipher nothing.
            Outcome::Item(Item::Readable { .. }) => return None,
            Outcome::Item(Item::Fact(fact)) => Owned::Fact(fact),
        })
    }
}

/// Adds the counters of one more connection.
fn add(sum: &mut DirectionStats, stats: &DirectionStats) {
    sum.packets += stats.packets;
    sum.bytes += stats.bytes;
    sum.retransmissions += stats.retransmissions;
    sum.out_of_order += stats.out_of_order;
    sum.keep_alives += stats.keep_alives;
    sum.zero_window_spans += stats.zero_window_spans;
    sum.zero_window_ns += stats.zero_window_ns;
    let least = |a: Option<i64>, b: Option<i64>| a.into_iter().chain(b).min();
    sum.rtt_min_ns = least(sum.rtt_min_ns, stats.rtt_min_ns);
    sum.rtt_max_ns = sum.rtt_max_ns.max(stats.rtt_max_ns);
    // Of means over connections the last one is as good as any.
    sum.rtt_mean_ns = stats.rtt_mean_ns.or(sum.rtt_mean_ns);
    sum.max_in_flight = sum.max_in_flight.max(stats.max_in_flight);
    sum.capture_lost_bytes += stats.capture_lost_bytes;
    sum.network_lost_bytes += stats.network_lost_bytes;
    sum.conflicts += stats.conflicts;
    sum.fin_time = stats.fin_time.or(sum.fin_time);
}
