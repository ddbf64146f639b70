//! Flows that have not shown what they are.

use super::flows::{Flows, State};
use super::note;
use super::probe::{self, Head, Verdict};
use super::record::{SessionRecord, Transport};
use crate::base::{Direction, Timestamp};
use crate::flow::{FlowAnomaly, FlowId, FlowInfo, Gap, RoleSource, StreamData, TcpEvent};

/// Events of TCP kept of a flow while it is not clear what it is.
pub(super) const MAX_TCP_HELD: u32 = 256;

/// The port of RTMP by registration.
const RTMP_PORT: u16 = 1935;

/// A flow that has not shown what it is.
#[derive(Debug)]
pub(super) struct Probing {
    pub info: FlowInfo,
    pub expected: bool,
    pub heads: [Head; 2],
    pub held: Vec<Held>,
    /// Events of TCP among those held.
    pub tcp_held: u32,
}

/// Something that happened while probing.
#[derive(Debug)]
pub(super) enum Held {
    Data { direction: Direction, offset: u64, bytes: Vec<u8>, time: Timestamp },
    Gap(Gap),
    Anomaly(FlowAnomaly),
    Tcp(TcpEvent),
}

impl Flows {
    pub(super) fn expected(&self, info: &FlowInfo) -> bool {
        [info.client.port(), info.server.port()]
            .iter()
            .any(|port| *port == RTMP_PORT || self.options.decode_as.contains(port))
    }

    fn forced(&self, info: &FlowInfo) -> bool {
        [info.client.port(), info.server.port()]
            .iter()
            .any(|port| self.options.decode_as.contains(port))
    }

    /// Looks again at a flow that is being probed.
    pub(super) fn probe(&mut self, flow: FlowId, over: bool) {
        let Some(State::Probing(probing)) = self.states.get(flow.0 as usize) else { return };
        let expected = probing.expected;
        let mut verdict = probe::judge(&probing.heads, expected, over);
        let forced = self.forced(&probing.info);
        let known = matches!(verdict, Verdict::Rtmp { .. } | Verdict::Other(Transport::Rtmpt));
        if forced && verdict != Verdict::NeedMore && !known {
            let start = |head: &Head| matches!(head.bytes.first(), Some(3 | 6 | 8 | 9));
            let handshake = [start(&probing.heads[0]), start(&probing.heads[1])];
            verdict = Verdict::Rtmp { handshake, client: None };
        }
        match verdict {
            Verdict::NeedMore => {}
            Verdict::Rtmp { handshake, .. } => self.open_session(flow, handshake),
            Verdict::Other(Transport::Rtmpt) => self.open_tunnel(flow),
            Verdict::Other(Transport::Tls) => self.open_tls(flow),
            Verdict::Other(transport) => {
                if expected {
                    self.open_opaque(flow, transport);
                } else if !over && probing.unanswered() {
                    // A server that never says a word to it may well speak RTMP: see `ended`.
                } else {
                    self.count_other(flow, transport);
                    self.states[flow.0 as usize] = State::Ignored;
                    self.ignore.push(flow);
                }
            }
        }
    }

    fn count_other(&mut self, flow: FlowId, transport: Transport) {
        self.totals.other_flows += 1;
        let others = &mut self.totals.others;
        match (transport, self.states.get(flow.0 as usize)) {
            (Transport::Http, _) => others.http += 1,
            (_, Some(State::Probing(probing)))
                if probing.heads.iter().any(|head| !head.bytes.is_empty()) =>
            {
                others.unknown_port.get_or_insert(probing.info.server.port());
            }
            _ => {}
        }
    }

    pub(super) fn take_probing(&mut self, flow: FlowId) -> Option<Box<Probing>> {
        let state = self.states.get_mut(flow.0 as usize)?;
        match std::mem::replace(state, State::Ignored) {
            State::Probing(probing) => Some(probing),
            other => {
                *state = other;
                None
            }
        }
    }

    pub(super) fn hold(&mut self, flow: FlowId, direction: Direction, data: StreamData<'_>) {
        let Some(State::Probing(probing)) = self.states.get_mut(flow.0 as usize) else { return };
        let head = &mut probing.heads[direction.index()];
        let limit = if probing.expected { probe::MAX_HELD_EXPECTED } else { probe::MAX_HELD };
        if head.bytes.is_empty() && !head.closed {
            head.syn = probing.info.role == RoleSource::Syn;
            head.from_start = data.offset == 0 && head.syn;
        }
        if !head.closed {
            let room = limit - head.bytes.len().min(limit);
            head.bytes.extend_from_slice(&data.bytes[..data.bytes.len().min(room)]);
            head.closed = head.bytes.len() >= limit;
        }
        let StreamData { offset, bytes, time, .. } = data;
        probing.held.push(Held::Data { direction, offset, bytes: bytes.to_vec(), time });
        let held: usize = probing.held.iter().map(Held::size).sum();
        self.probe(flow, held >= 2 * limit);
    }
}

impl Probing {
    /// The session that the flow turned out to be; its number is not known here.
    pub fn record(&self, flip: bool, transport: Transport, midstream: bool) -> SessionRecord {
        let info = &self.info;
        let (client, server) =
            if flip { (info.server, info.client) } else { (info.client, info.server) };
        let heads = self.heads.each_ref().map(|head| &head.bytes[..]);
        SessionRecord {
            session: 0,
            client,
            server,
            role: info.role,
            transport,
            midstream,
            time: info.time,
            frame: info.frame,
            tunnels: info.tunnels.clone(),
            note: note::describe(transport, &heads)
                // In mid-stream the first byte is any.
                .filter(|_| !(midstream && transport == Transport::Unknown)),
        }
    }

    /// Whether the client spoke first and the server has not said a word: how a TLS or HTTP client
    /// on the plain RTMP port of a server looks, whatever the port's number.
    pub fn unanswered(&self) -> bool {
        self.info.role == RoleSource::Syn
            && !self.heads[0].bytes.is_empty()
            && self.heads[1].bytes.is_empty()
            && self.heads[1].missing == 0
    }
}

impl Held {
    fn size(&self) -> usize {
        match self {
            Held::Data { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }
}
