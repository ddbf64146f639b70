//! What each TCP flow turned out to be, and its session.

use std::collections::BTreeMap;

use super::live::Live;
use super::pipeline::Options;
use super::probe::{self, Verdict};
use super::probing::{Held, MAX_TCP_HELD, Probing};
use super::record::{
    AnomalyRecord, GapRecord, OtherFlows, Record, SessionEnd, SessionRecord, TcpRecord, Transport,
};
use super::rtmfp::RtmfpSessions;
use super::tap::Catch;
use super::through::Through;
use super::tunnels::TunnelFlows;
use crate::base::{Direction, GapKind, Timestamp};
use crate::flow::{
    Datagram, DirectionStats, EndReason, FlowAnomaly, FlowId, FlowInfo, FlowSink, FlowTable, Gap,
    RoleSource, StreamData, TcpEvent, Unreachable,
};
use crate::rtmp::Event;
use crate::transport::tls::Resumable;
use crate::wire::handshake::HANDSHAKE_LEN;

/// A record on its way out.
#[derive(Debug)]
pub(super) struct Queued {
    pub flow: FlowId,
    /// Whether the record's directions are the flow's reversed.
    pub flip: bool,
    pub record: Record,
}

/// Sums over all sessions.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub sessions: u64,
    pub messages: u64,
    pub capture_lost_bytes: u64,
    pub network_lost_bytes: u64,
    pub undecoded_bytes: u64,
    pub other_flows: u64,
    pub others: OtherFlows,
}

/// All flows of a capture.
#[derive(Debug)]
pub(super) struct Flows {
    pub(super) options: Options,
    /// By [`FlowId`].
    pub(super) states: Vec<State>,
    /// By session number, from 1; whether its directions are the flow's reversed.
    pub(super) sessions: Vec<(FlowId, bool)>,
    pub queue: Vec<Queued>,
    pub totals: Totals,
    /// Flows whose bytes nobody needs any more.
    pub(super) ignore: Vec<FlowId>,
    /// Flows whose old bytes can be forgotten.
    release: Vec<FlowId>,
    /// Sessions that layers hand bytes to, by number: their bytes lie in any number of flows.
    pub(super) above: BTreeMap<u32, Box<Live>>,
    /// Those of them that ended since the queue was last emptied: its records refer to them.
    pub(super) ended: Vec<u32>,
    /// Those of them whose old bytes can be forgotten.
    pub(super) release_above: Vec<u32>,
    /// RTMPT.
    pub(super) tunnels: TunnelFlows,
    /// Bytes that are to be shown, until their session begins.
    pub(super) catch: Option<Catch>,
    /// What TLS sessions may resume.
    pub(super) resumable: Resumable,
    #[cfg(test)]
    pub(super) identity: bool,
    pub(super) rtmfp: RtmfpSessions,
    /// Scratch.
    pub(super) events: Vec<Event>,
}

#[derive(Debug)]
pub(super) enum State {
    Probing(Box<Probing>),
    Live(Box<Live>),
    /// Layers stand between its bytes and sessions.
    Through(Box<Through>),
    /// A session that is not decoded: only its end is told.
    Opaque(Box<Opaque>),
    Ignored,
}

/// A session of which only the end is told.
#[derive(Debug)]
pub(super) struct Opaque {
    pub number: u32,
    pub start: Timestamp,
    pub transport: Transport,
    pub anomalies: u64,
}

impl Flows {
    pub fn new(options: Options) -> Flows {
        Flows {
            options,
            states: Vec::new(),
            sessions: Vec::new(),
            queue: Vec::new(),
            totals: Totals::default(),
            ignore: Vec::new(),
            release: Vec::new(),
            above: BTreeMap::new(),
            ended: Vec::new(),
            release_above: Vec::new(),
            tunnels: TunnelFlows::default(),
            catch: None,
            resumable: Resumable::default(),
            #[cfg(test)]
            identity: false,
            rtmfp: RtmfpSessions::default(),
            events: Vec::new(),
        }
    }

    /// Tells the flow table what is no longer needed.
    pub fn settle(&mut self, table: &mut FlowTable) {
        for flow in self.ignore.drain(..) {
            table.ignore(flow);
        }
        for flow in self.release.drain(..) {
            if let Some(State::Live(live)) = self.states.get(flow.0 as usize) {
                for direction in Direction::BOTH {
                    let way = if live.flip { direction.reverse() } else { direction };
                    table.release(flow, way, live.oldest_offset(direction));
                }
            }
        }
        self.settle_above(table);
    }

    /// The flow of a session, and whether the session's directions are the flow's reversed.
    pub fn flow_of(&self, session: u32) -> Option<(FlowId, bool)> {
        self.sessions.get(session.checked_sub(1)? as usize).copied()
    }

    pub(super) fn announce(
        &mut self,
        flow: FlowId,
        probing: &Probing,
        flip: bool,
        transport: Transport,
        midstream: bool,
    ) -> u32 {
        self.totals.sessions += 1;
        self.sessions.push((flow, flip));
        let session = self.totals.sessions as u32;
        let record = probing.record(flip, transport, midstream);
        let record = Record::Session(SessionRecord { session, ..record });
        self.queue.push(Queued { flow, flip, record });
        session
    }

    pub(super) fn open_session(&mut self, flow: FlowId, mut handshake: [bool; 2]) {
        let Some(probing) = self.take_probing(flow) else { return };
        if probing.info.role == RoleSource::Syn {
            // The SYN tells where the stream begins: of a handshake whose beginning is missing the
            // end is known all the same.
            for (handshake, head) in handshake.iter_mut().zip(&probing.heads) {
                *handshake |= (1..HANDSHAKE_LEN as u64).contains(&head.missing);
            }
        }
        // Without a SYN the ports told who the client is; the handshake's first word tells better.
        let first = probing.held.iter().find_map(|held| match held {
            Held::Data { direction, .. } => Some(*direction),
            _ => None,
        });
        let flip = probing.info.role == RoleSource::Port
            && handshake == [true, true]
            && first == Some(Direction::ServerToClient);
        let encrypted = probing
            .heads
            .iter()
            .zip(handshake)
            .any(|(head, start)| start && matches!(head.bytes.first(), Some(6 | 8 | 9)));
        let transport = if encrypted { Transport::Rtmpe } else { Transport::Rtmp };
        let midstream = handshake
            .iter()
            .zip(&probing.heads)
            .any(|(handshake, head)| !handshake && !head.bytes.is_empty());
        if flip {
            handshake.reverse();
        }
        #[cfg(test)]
        if self.identity {
            let record = probing.record(flip, transport, midstream);
            let through = self.open_identity(flow, record, flip, handshake);
            self.states[flow.0 as usize] = State::Through(Box::new(through));
            return self.replay(flow, probing.held);
        }
        let number = self.announce(flow, &probing, flip, transport, midstream);
        let start = probing.info.time;
        let engine = &self.options.session;
        let mut live = Live::new(number, start, transport, handshake, midstream, engine);
        live.flip = flip;
        live.keys = self.options.keys.clone();
        live.tap = self.tap_of(&probing.record(flip, transport, midstream));
        self.states[flow.0 as usize] = State::Live(Box::new(live));
        self.replay(flow, probing.held);
    }

    /// Lets what was held while probing happen.
    pub(super) fn replay(&mut self, flow: FlowId, held: Vec<Held>) {
        for held in held {
            match held {
                Held::Data { direction, offset, bytes, time } => {
                    let data = StreamData { offset, bytes: &bytes, time, frame: 0 };
                    self.data(flow, direction, data);
                }
                Held::Gap(gap) => self.gap(flow, gap),
                Held::Anomaly(anomaly) => self.anomaly(flow, anomaly),
                Held::Tcp(event) => self.tcp(flow, event),
            }
        }
    }

    pub(super) fn open_opaque(&mut self, flow: FlowId, transport: Transport) {
        let Some(probing) = self.take_probing(flow) else { return };
        let midstream = probing.info.role != RoleSource::Syn;
        let number = self.announce(flow, &probing, false, transport, midstream);
        let start = probing.info.time;
        let opaque = Opaque { number, start, transport, anomalies: 0 };
        self.states[flow.0 as usize] = State::Opaque(Box::new(opaque));
        self.replay(flow, probing.held);
    }

    pub(super) fn tell_gap(&mut self, flow: FlowId, flip: bool, number: u32, gap: &Gap) {
        match gap.kind {
            GapKind::Capture => self.totals.capture_lost_bytes += gap.len,
            GapKind::Network => self.totals.network_lost_bytes += gap.len,
        }
        let record = Record::Gap(GapRecord {
            session: number,
            direction: if flip { gap.direction.reverse() } else { gap.direction },
            time: gap.time,
            frame: gap.frame,
            offset: gap.offset,
            len: gap.len,
            kind: gap.kind,
        });
        self.queue.push(Queued { flow, flip, record });
    }

    pub(super) fn tell_anomaly(
        &mut self,
        flow: FlowId,
        flip: bool,
        number: u32,
        anomaly: FlowAnomaly,
    ) {
        let direction = if flip { anomaly.direction.reverse() } else { anomaly.direction };
        let record = Record::Anomaly(AnomalyRecord {
            session: Some(number),
            kind: anomaly.kind,
            direction: Some(direction),
            time: Some(anomaly.time),
            frame: Some(anomaly.frame),
            offset: Some(anomaly.offset),
            csid: None,
            detail: anomaly.detail.into_owned(),
        });
        self.queue.push(Queued { flow, flip, record });
    }

    pub(super) fn tell_tcp(&mut self, flow: FlowId, flip: bool, session: u32, event: TcpEvent) {
        let TcpEvent { direction, time, frame, kind } = event;
        let direction = if flip { direction.reverse() } else { direction };
        let record = Record::Tcp(TcpRecord { session, direction, time, frame, kind });
        self.queue.push(Queued { flow, flip, record });
    }

    /// Puts TLS below whatever the flow turns out to be.
    pub(super) fn open_tls(&mut self, flow: FlowId) {
        let Some(mut probing) = self.take_probing(flow) else { return };
        let held = std::mem::take(&mut probing.held);
        let through = Through::tls(flow, *probing, self.options.keys.clone());
        self.states[flow.0 as usize] = State::Through(Box::new(through));
        self.replay(flow, held);
    }

    /// What comes on a flow are requests of RTMPT.
    pub(super) fn open_tunnel(&mut self, flow: FlowId) {
        let Some(mut probing) = self.take_probing(flow) else { return };
        let held = std::mem::take(&mut probing.held);
        let through = self.open_http(flow, &probing);
        self.states[flow.0 as usize] = State::Through(Box::new(through));
        self.replay(flow, held);
    }

    /// Lets the layer of a flow do something.
    fn through(&mut self, flow: FlowId, act: impl FnOnce(&mut Flows, &mut Through)) {
        let Some(state) = self.states.get_mut(flow.0 as usize) else { return };
        match std::mem::replace(state, State::Ignored) {
            State::Through(mut through) => {
                act(self, &mut through);
                if !through.over {
                    self.states[flow.0 as usize] = State::Through(through);
                }
            }
            other => *state = other,
        }
    }
}

impl State {
    /// Whether the session's directions are the flow's reversed.
    fn flip(&self) -> bool {
        match self {
            State::Live(live) => live.flip,
            State::Through(through) => through.flip,
            _ => false,
        }
    }
}

impl Opaque {
    pub fn end(&self, reason: EndReason, time: Timestamp, tcp: [DirectionStats; 2]) -> SessionEnd {
        SessionEnd {
            session: self.number,
            reason,
            time,
            start: self.start,
            transport: self.transport,
            messages: [0; 2],
            by_type: Vec::new(),
            damaged: 0,
            uncertain: 0,
            anomalies: self.anomalies,
            undecoded_bytes: [tcp[0].bytes, tcp[1].bytes],
            tcp,
            facts: Default::default(),
        }
    }
}

impl FlowSink for Flows {
    fn opened(&mut self, flow: FlowId, info: &FlowInfo) {
        let index = flow.0 as usize;
        if self.states.len() <= index {
            self.states.resize_with(index + 1, || State::Ignored);
        }
        self.states[index] = State::Probing(Box::new(Probing {
            info: info.clone(),
            expected: self.expected(info),
            heads: Default::default(),
            held: Vec::new(),
            tcp_held: 0,
        }));
    }

    fn data(&mut self, flow: FlowId, direction: Direction, data: StreamData<'_>) {
        let live = match self.states.get_mut(flow.0 as usize) {
            Some(State::Live(live)) => live,
            Some(State::Probing(_)) => return self.hold(flow, direction, data),
            Some(State::Through(_)) => {
                return self.through(flow, |flows, layer| {
                    flows.through_data(layer, flow, direction, data);
                });
            }
            _ => return,
        };
        let flip = live.flip;
        let direction = if flip { direction.reverse() } else { direction };
        let queue = &mut self.queue;
        let due = live.feed(direction, data.time, data.bytes, &mut self.events, &mut |record| {
            queue.push(Queued { flow, flip, record });
        });
        if due {
            self.release.push(flow);
        }
    }

    fn gap(&mut self, flow: FlowId, gap: Gap) {
        let told = match self.states.get_mut(flow.0 as usize) {
            Some(State::Live(live)) => Some((live.number, live.flip)),
            Some(State::Opaque(opaque)) => Some((opaque.number, false)),
            Some(State::Through(through)) => match through.number() {
                Some(number) => Some((number, through.flip)),
                None => {
                    through.hold(Held::Gap(gap.clone()));
                    None
                }
            },
            Some(State::Probing(probing)) => {
                let head = &mut probing.heads[gap.direction.index()];
                match head.bytes.is_empty() {
                    true => head.missing += gap.len,
                    false => head.closed = true,
                }
                probing.held.push(Held::Gap(gap));
                return self.probe(flow, false);
            }
            _ => return,
        };
        if let Some((number, flip)) = told {
            self.tell_gap(flow, flip, number, &gap);
        }
        match self.states.get_mut(flow.0 as usize) {
            Some(State::Live(live)) => {
                let flip = live.flip;
                let direction = if flip { gap.direction.reverse() } else { gap.direction };
                let queue = &mut self.queue;
                live.gap(direction, gap.time, gap.len, true, &mut |record| {
                    queue.push(Queued { flow, flip, record });
                });
            }
            Some(State::Through(_)) => {
                self.through(flow, |flows, layer| flows.through_gap(layer, flow, &gap));
            }
            _ => {}
        }
    }

    fn anomaly(&mut self, flow: FlowId, anomaly: FlowAnomaly) {
        let (number, flip) = match self.states.get_mut(flow.0 as usize) {
            Some(State::Live(live)) => {
                live.count_anomaly();
                (live.number, live.flip)
            }
            Some(State::Opaque(opaque)) => {
                opaque.anomalies += 1;
                (opaque.number, false)
            }
            Some(State::Through(through)) => {
                let Some(number) = through.number() else {
                    through.hold(Held::Anomaly(anomaly));
                    return;
                };
                if !through.count_anomaly()
                    && let Some(live) = self.above.get_mut(&number)
                {
                    live.count_anomaly();
                }
                (number, through.flip)
            }
            Some(State::Probing(probing)) => {
                probing.held.push(Held::Anomaly(anomaly));
                return;
            }
            _ => return,
        };
        self.tell_anomaly(flow, flip, number, anomaly);
    }

    fn tcp(&mut self, flow: FlowId, event: TcpEvent) {
        let (session, flip) = match self.states.get_mut(flow.0 as usize) {
            Some(State::Live(live)) => (live.number, live.flip),
            Some(State::Opaque(opaque)) => (opaque.number, false),
            Some(State::Through(through)) => match through.number() {
                Some(number) => (number, through.flip),
                None => return through.hold(Held::Tcp(event)),
            },
            Some(State::Probing(probing)) => {
                if probing.tcp_held < MAX_TCP_HELD {
                    probing.tcp_held += 1;
                    probing.held.push(Held::Tcp(event));
                }
                return;
            }
            _ => return,
        };
        self.tell_tcp(flow, flip, session, event);
    }

    fn fin(&mut self, flow: FlowId, direction: Direction, time: Timestamp) {
        self.through(flow, |flows, layer| flows.through_fin(layer, flow, direction, time));
    }
    fn datagram(&mut self, datagram: &Datagram<'_>) {
        self.rtmfp_datagram(datagram);
    }

    fn unreachable(&mut self, unreachable: &Unreachable) {
        self.rtmfp_unreachable(unreachable);
    }

    fn ended(
        &mut self,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        stats: &[DirectionStats; 2],
    ) {
        if let Some(State::Probing(probing)) = self.states.get_mut(flow.0 as usize) {
            let refused = probing.unanswered()
                && stats.iter().all(|stats| stats.packets >= 2)
                && matches!(reason, EndReason::Fin(_) | EndReason::Reset(_));
            for head in &mut probing.heads {
                head.closed = true;
            }
            match probe::judge(&probing.heads, probing.expected, true) {
                Verdict::Other(transport @ Transport::Http) if refused => {
                    self.open_opaque(flow, transport);
                }
                _ => self.probe(flow, true),
            }
        }
        let Some(state) = self.states.get_mut(flow.0 as usize) else { return };
        let (reason, stats, flip) = match state {
            State::Live(_) | State::Through(_) if state.flip() => {
                (reversed(reason), [stats[1].clone(), stats[0].clone()], true)
            }
            _ => (reason, stats.clone(), false),
        };
        let end = match std::mem::replace(state, State::Ignored) {
            State::Live(mut live) => {
                let queue = &mut self.queue;
                let end = live.end(reason, time, stats, &mut |record| {
                    queue.push(Queued { flow, flip, record });
                });
                self.totals.messages += end.messages.iter().sum::<u64>();
                end
            }
            State::Through(mut layer) => {
                return self.through_end(&mut layer, flow, reason, time, stats);
            }
            State::Opaque(opaque) => opaque.end(reason, time, stats),
            State::Probing(_) | State::Ignored => return,
        };
        self.totals.undecoded_bytes += end.undecoded_bytes.iter().sum::<u64>();
        self.queue.push(Queued { flow, flip, record: Record::SessionEnd(end) });
    }
}

/// The same end, told with client and server exchanged.
fn reversed(reason: EndReason) -> EndReason {
    match reason {
        EndReason::Fin(direction) => EndReason::Fin(direction.reverse()),
        EndReason::Reset(direction) => EndReason::Reset(direction.reverse()),
        EndReason::EndOfCapture(fin) => EndReason::EndOfCapture(fin.map(Direction::reverse)),
        other => other,
    }
}
