//! Flows whose bytes go through TLS before they are a session's.

use super::flows::{Flows, Opaque, Queued};
use super::probe::{self, Head, Verdict};
use super::probing::{Held, Probing};
#[cfg(test)]
use super::record::SessionRecord;
use super::record::{Record, Transport, TransportRecord};
use crate::base::{Direction, Timestamp};
use crate::flow::{DirectionStats, EndReason, FlowId, Gap, RoleSource, StreamData};
use crate::transport::tls::{Connection, Reading};
use crate::transport::{Fact, Item, Keys, Source};

/// Facts, gaps and events of TCP kept of a flow while it is not clear what it is, of each.
const MAX_HELD: usize = 256;
/// Records without keys by which a client has shown whether it speaks RTMP: C0 and C1 come right
/// after Finished.
const CLIENT_RECORDS: usize = 6;
/// The same of a server, whose flight and tickets come before S0 and S1.
const SERVER_RECORDS: usize = 16;

/// A flow with a layer above it.
#[derive(Debug)]
pub(super) struct Through {
    pub flip: bool,
    layer: Layer,
    upper: Upper,
    /// Nobody wants its bytes.
    pub over: bool,
}

#[derive(Debug)]
enum Layer {
    /// Changes nothing: HTTP on TCP.
    Identity,
    Tls(Box<Connection>, Keys),
}

/// What is above the layer.
#[derive(Debug)]
enum Upper {
    Undecided(Box<Undecided>),
    Session(u32),
    /// Requests of RTMPT, of any number of sessions: the one that it spoke of last.
    Tunnel(Option<u32>),
    /// It cannot be read: only facts are told.
    Opaque(Box<Opaque>),
}

#[derive(Debug)]
struct Undecided {
    probing: Probing,
    /// First bytes above the layer.
    heads: [Head; 2],
    held: Vec<Above>,
    facts: Vec<Fact>,
}

/// What a layer handed on, with its bytes.
#[derive(Debug)]
enum Above {
    Data { direction: Direction, time: Timestamp, bytes: Vec<u8>, source: Source },
    Gap { direction: Direction, time: Timestamp, len: u64 },
}

impl Above {
    fn item(&self) -> Item<'_> {
        match self {
            Above::Data { direction, time, bytes, source } => {
                Item::Data { direction: *direction, time: *time, bytes, source: *source }
            }
            Above::Gap { direction, time, len } => {
                Item::Gap { direction: *direction, time: *time, len: *len, exact: false }
            }
        }
    }
}

impl Through {
    /// TLS, of which nothing was read yet.
    pub fn tls(flow: FlowId, probing: Probing, keys: Keys) -> Through {
        // Without a SYN the ports told who the client is; the ClientHello tells better.
        let flip = probing.info.role == RoleSource::Port
            && !is_client_hello(&probing, Direction::ClientToServer)
            && is_client_hello(&probing, Direction::ServerToClient);
        let upper =
            Undecided { probing, heads: Default::default(), held: Vec::new(), facts: Vec::new() };
        Through {
            flip,
            layer: Layer::Tls(Box::new(Connection::new(flow, flip)), keys),
            upper: Upper::Undecided(Box::new(upper)),
            over: false,
        }
    }

    /// The session that the flow belongs to, once that is known.
    pub fn number(&self) -> Option<u32> {
        match &self.upper {
            Upper::Undecided(_) => None,
            Upper::Session(number) => Some(*number),
            Upper::Tunnel(number) => *number,
            Upper::Opaque(opaque) => Some(opaque.number),
        }
    }

    /// Keeps something of TCP until the session is known.
    pub fn hold(&mut self, held: Held) {
        if let Upper::Undecided(undecided) = &mut self.upper
            && undecided.probing.held.len() < MAX_HELD
        {
            undecided.probing.held.push(held);
        }
    }

    /// Counts something odd; tells whether it was done here.
    pub fn count_anomaly(&mut self) -> bool {
        match &mut self.upper {
            Upper::Opaque(opaque) => {
                opaque.anomalies += 1;
                true
            }
            _ => false,
        }
    }

    fn way(&self, direction: Direction) -> Direction {
        if self.flip { direction.reverse() } else { direction }
    }
}

impl Upper {
    fn take(&mut self, flows: &mut Flows, flow: FlowId, flip: bool, item: Item<'_>) {
        match (self, item) {
            (Upper::Session(number), item) => flows.item(*number, flow, item),
            (Upper::Tunnel(number), item) => {
                flows.tunnel_take(flow, item);
                *number = flows.tunnel_session(flow);
            }
            (Upper::Opaque(opaque), Item::Fact(fact)) => {
                opaque.anomalies += u64::from(fact.odd);
                flows.tell(flow, flip, opaque.number, fact);
            }
            (Upper::Opaque(_), _) => {}
            (Upper::Undecided(undecided), item) => undecided.take(item),
        }
    }
}

impl Undecided {
    fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Fact(fact) => {
                if self.facts.len() < MAX_HELD {
                    self.facts.push(fact);
                }
            }
            Item::Data { direction, time, bytes, source } => {
                let head = &mut self.heads[direction.index()];
                if !head.closed {
                    if head.bytes.is_empty() && head.missing == 0 {
                        (head.syn, head.from_start) = (true, true);
                    }
                    let room = probe::MAX_HELD_EXPECTED.saturating_sub(head.bytes.len());
                    head.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
                    head.closed = head.bytes.len() >= probe::MAX_HELD_EXPECTED;
                }
                self.held.push(Above::Data { direction, time, bytes: bytes.to_vec(), source });
            }
            Item::Gap { direction, time, len, .. } => {
                let head = &mut self.heads[direction.index()];
                match head.bytes.is_empty() {
                    true => head.missing += len,
                    false => head.closed = true,
                }
                self.held.push(Above::Gap { direction, time, len });
            }
            Item::Readable { .. } => {}
        }
    }
}

fn is_client_hello(probing: &Probing, direction: Direction) -> bool {
    matches!(&probing.heads[direction.index()].bytes[..], [0x16, 3, _, _, _, 1, ..])
}

impl Flows {
    /// Puts a layer that changes nothing below a session.
    #[cfg(test)]
    pub(super) fn open_identity(
        &mut self,
        flow: FlowId,
        record: SessionRecord,
        flip: bool,
        handshake: [bool; 2],
    ) -> Through {
        let number = self.open_above(flow, flip, record, handshake);
        Through { flip, layer: Layer::Identity, upper: Upper::Session(number), over: false }
    }

    pub(super) fn through_data(
        &mut self,
        through: &mut Through,
        flow: FlowId,
        direction: Direction,
        data: StreamData<'_>,
    ) {
        let way = through.way(direction);
        let flip = through.flip;
        let upper = &mut through.upper;
        match &mut through.layer {
            Layer::Identity => {
                let source = Source { flow, direction, offset: data.offset };
                let item =
                    Item::Data { direction: way, time: data.time, bytes: data.bytes, source };
                upper.take(self, flow, flip, item);
            }
            Layer::Tls(connection, keys) => {
                let mut resumable = std::mem::take(&mut self.resumable);
                let StreamData { offset, bytes, time, .. } = data;
                let mut out = |item: Item<'_>| upper.take(self, flow, flip, item);
                let keys = keys.read();
                connection.data(way, offset, time, bytes, &keys, &mut resumable, &mut out);
                drop(keys);
                self.resumable = resumable;
            }
        }
        self.decide(through, flow, false);
    }

    pub(super) fn through_gap(&mut self, through: &mut Through, flow: FlowId, gap: &Gap) {
        let (direction, time) = (through.way(gap.direction), gap.time);
        let flip = through.flip;
        let upper = &mut through.upper;
        let mut out = |item: Item<'_>| upper.take(self, flow, flip, item);
        match &mut through.layer {
            Layer::Identity => out(Item::Gap { direction, time, len: gap.len, exact: true }),
            Layer::Tls(connection, _) => connection.gap(direction, time, gap.len, &mut out),
        }
    }

    /// HTTP on TCP that carries requests of RTMPT.
    pub(super) fn open_http(&mut self, flow: FlowId, probing: &Probing) -> Through {
        let flip = probing.heads[1].bytes.starts_with(b"POST ");
        self.tunnel_open(flow, probing.record(flip, Transport::Rtmpt, false), flip);
        Through { flip, layer: Layer::Identity, upper: Upper::Tunnel(None), over: false }
    }

    pub(super) fn through_fin(
        &mut self,
        through: &mut Through,
        flow: FlowId,
        direction: Direction,
        time: Timestamp,
    ) {
        if let Upper::Tunnel(_) = through.upper {
            self.tunnel_fin(flow, through.way(direction), time);
        }
    }

    pub(super) fn through_end(
        &mut self,
        through: &mut Through,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        tcp: [DirectionStats; 2],
    ) {
        if let Upper::Undecided(undecided) = &mut through.upper {
            for head in &mut undecided.heads {
                head.closed = true;
            }
            self.decide(through, flow, true);
        }
        let flip = through.flip;
        match std::mem::replace(&mut through.upper, Upper::Session(0)) {
            Upper::Session(number) => self.close_above(number, flow, reason, time, tcp),
            Upper::Tunnel(_) => self.tunnel_end(flow, reason, time, &tcp),
            Upper::Opaque(opaque) => {
                let end = opaque.end(reason, time, tcp);
                self.totals.undecoded_bytes += end.undecoded_bytes.iter().sum::<u64>();
                self.queue.push(Queued { flow, flip, record: Record::SessionEnd(end) });
            }
            Upper::Undecided(_) => {}
        }
    }

    /// Finds out what is above a layer; `over` says that nothing more comes.
    fn decide(&mut self, through: &mut Through, flow: FlowId, over: bool) {
        let Upper::Undecided(undecided) = &through.upper else { return };
        let Layer::Tls(connection, _) = &through.layer else { return };
        let expected = undecided.probing.expected;
        let found = match connection.reading() {
            Reading::Plain => match probe::judge(&undecided.heads, true, over) {
                Verdict::NeedMore => return,
                Verdict::Rtmp { handshake, .. } => {
                    return self.open_rtmps(through, flow, handshake);
                }
                Verdict::Other(Transport::Rtmpt) => return self.open_rtmpts(through, flow),
                Verdict::Other(_) => expected.then_some(Transport::Tls),
            },
            _ if connection.looks_like_rtmp() => Some(Transport::Rtmps),
            reading => {
                let [client, server] = connection.unread();
                let enough = client >= CLIENT_RECORDS || server >= SERVER_RECORDS;
                if !over && !enough {
                    return;
                }
                // A handshake that came to nothing, or a server that never said a word, may well
                // have been meant for RTMP.
                let failed = reading == Reading::Handshake || client == 0 || server == 0;
                (expected || failed && !connection.names_http()).then_some(Transport::Tls)
            }
        };
        match found {
            Some(transport) => self.open_unread(through, flow, transport),
            None => {
                self.totals.other_flows += 1;
                self.totals.others.tls += 1;
                through.over = true;
                self.ignore.push(flow);
            }
        }
    }

    fn open_rtmps(&mut self, through: &mut Through, flow: FlowId, handshake: [bool; 2]) {
        let upper = std::mem::replace(&mut through.upper, Upper::Session(0));
        let Upper::Undecided(undecided) = upper else { return };
        let Undecided { mut probing, heads, held, facts } = *undecided;
        let flip = through.flip;
        let midstream =
            handshake.iter().zip(&heads).any(|(start, head)| !start && !head.bytes.is_empty());
        let record = probing.record(flip, Transport::Rtmps, midstream);
        let number = self.open_above(flow, flip, record, handshake);
        through.upper = Upper::Session(number);
        for fact in facts {
            self.item(number, flow, Item::Fact(fact));
        }
        self.tell_held(flow, std::mem::take(&mut probing.held), through);
        for above in held {
            through.upper.take(self, flow, flip, above.item());
        }
    }

    /// What is in TLS are requests of RTMPT.
    fn open_rtmpts(&mut self, through: &mut Through, flow: FlowId) {
        let upper = std::mem::replace(&mut through.upper, Upper::Tunnel(None));
        let Upper::Undecided(undecided) = upper else { return };
        let Undecided { probing, held, facts, .. } = *undecided;
        let flip = through.flip;
        self.tunnel_open(flow, probing.record(flip, Transport::Rtmpts, false), flip);
        for fact in facts {
            through.upper.take(self, flow, flip, Item::Fact(fact));
        }
        for above in held {
            through.upper.take(self, flow, flip, above.item());
        }
        self.tell_held(flow, probing.held, through);
    }

    /// Announces a session whose bytes cannot be read.
    fn open_unread(&mut self, through: &mut Through, flow: FlowId, transport: Transport) {
        let upper = std::mem::replace(&mut through.upper, Upper::Session(0));
        let Upper::Undecided(undecided) = upper else { return };
        let Undecided { mut probing, facts, .. } = *undecided;
        let flip = through.flip;
        let midstream = probing.info.role != RoleSource::Syn;
        let number = self.announce(flow, &probing, flip, transport, midstream);
        let mut opaque = Opaque { number, start: probing.info.time, transport, anomalies: 0 };
        for fact in facts {
            opaque.anomalies += u64::from(fact.odd);
            self.tell(flow, flip, number, fact);
        }
        through.upper = Upper::Opaque(Box::new(opaque));
        self.tell_held(flow, std::mem::take(&mut probing.held), through);
    }

    fn tell(&mut self, flow: FlowId, flip: bool, session: u32, fact: Fact) {
        let record = Record::Transport(TransportRecord { session, frame: None, fact });
        self.queue.push(Queued { flow, flip, record });
    }

    /// Tells what TCP did before the session was known.
    fn tell_held(&mut self, flow: FlowId, held: Vec<Held>, through: &mut Through) {
        let (Some(number), flip) = (through.number(), through.flip) else { return };
        for held in held {
            match held {
                Held::Data { .. } => {}
                Held::Gap(gap) => self.tell_gap(flow, flip, number, &gap),
                Held::Anomaly(anomaly) => {
                    if !through.count_anomaly()
                        && let Some(live) = self.above.get_mut(&number)
                    {
                        live.count_anomaly();
                    }
                    self.tell_anomaly(flow, flip, number, anomaly);
                }
                Held::Tcp(event) => self.tell_tcp(flow, flip, number, event),
            }
        }
    }
}

#[cfg(test)]
mod tests;
