//! Packets in, records out.

use super::flows::{Flows, Queued};
use super::record::{Begin, End, HandshakeRecord, Record, TransportRecord};
use super::sources::SourceMap;
use super::tap::{Catch, Caught};
use crate::base::{Direction, Extents, Packet, Timestamp};
use crate::flow::{self, FlowTable, Outcome};
use crate::rtmp;
use crate::transport::{Keys, Source};

/// How to run the pipeline.
#[derive(Clone, Debug)]
pub struct Options {
    /// The engine's options.
    pub session: rtmp::Options,
    /// Reassembly's options.
    pub flow: flow::FlowLimits,
    /// TCP ports to be taken for RTMP whatever their bytes look like.
    pub decode_as: Vec<u16>,
    /// Whether records say which packets they came in.
    pub frames: bool,
    /// Whether messages say which packet holds which bytes of them.
    pub spans: bool,
    /// Whether there are records of what TCP did.
    pub tcp: bool,
    /// Secrets to read encrypted layers with.
    pub keys: Keys,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            session: rtmp::Options::default(),
            flow: flow::FlowLimits::default(),
            decode_as: Vec::new(),
            frames: true,
            spans: false,
            tcp: false,
            keys: Keys::default(),
        }
    }
}

/// The passive pipeline.
///
/// ```text
/// Packet ─> flow::FlowTable ─ bytes, gaps ─> probe ─> rtmp::Session ─ Event ─> Record
/// ```
///
/// Hand it every packet of a capture in order with [`push`](Pipeline::push), then
/// [`finish`](Pipeline::finish); it calls back with a [`Record`] for everything that happened.
pub struct Pipeline {
    table: FlowTable,
    flows: Flows,
    frames: bool,
    spans: bool,
    /// Whether bytes of a session were asked for, and those that came.
    catching: bool,
    caught: Vec<(Caught, Vec<flow::FrameSpan>)>,
    packets: u64,
    other_packets: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Pipeline {
    /// An empty pipeline.
    pub fn new(options: Options) -> Pipeline {
        let mut table = FlowTable::new(options.flow.clone());
        table.watch(options.tcp);
        Pipeline {
            table,
            frames: options.frames,
            spans: options.spans,
            flows: Flows::new(options),
            catching: false,
            caught: Vec::new(),
            packets: 0,
            other_packets: 0,
            first: None,
            last: None,
        }
    }

    /// Lets RTMP go through a layer that changes nothing.
    #[cfg(test)]
    pub(super) fn through_identity(&mut self) {
        self.flows.identity = true;
    }

    /// Takes the next packet.
    pub fn push(&mut self, packet: &Packet, sink: &mut impl FnMut(Record)) {
        if self.first.is_none() {
            self.first = Some(packet.time);
            sink(Record::Begin(Begin { epoch: Some(packet.time) }));
        }
        self.packets += 1;
        self.last = self.last.max(Some(packet.time));
        let datagrams = self.flows.rtmfp.packets;
        if self.table.push(packet, &mut self.flows) != Outcome::Tcp
            && self.flows.rtmfp.packets == datagrams
        {
            self.other_packets += 1;
        }
        if !self.flows.queue.is_empty() {
            self.hand_on(sink);
        }
        if self.catching {
            self.find_caught();
        }
        self.flows.settle(&mut self.table);
    }

    /// Asks for bytes of a session that is to come.
    pub(super) fn catch(&mut self, catch: Catch) {
        self.flows.catch = Some(catch);
        self.catching = true;
    }

    /// What was caught during the last call of [`push`](Pipeline::push), and which packets hold it.
    pub(super) fn caught(&mut self) -> Vec<(Caught, Vec<flow::FrameSpan>)> {
        std::mem::take(&mut self.caught)
    }

    /// Whether all that was asked for went by.
    pub(super) fn has_caught_all(&mut self) -> bool {
        self.flows
            .tapped()
            .is_some_and(|(.., live)| live.tap.as_ref().is_some_and(|tap| tap.is_done()))
    }

    fn find_caught(&mut self) {
        let Some((flow, flip, live)) = self.flows.tapped() else { return };
        let Some(tap) = &mut live.tap else { return };
        let direction = tap.direction();
        for caught in tap.caught.drain(..) {
            let mut extents = Extents::new();
            extents.push(caught.offset, caught.bytes.len() as u64);
            let spans = match &live.map {
                Some(maps) => maps[direction.index()].spans(&self.table, &extents),
                None => {
                    let way = if flip { direction.reverse() } else { direction };
                    self.table.spans(flow, way, &extents)
                }
            };
            self.caught.push((caught, spans));
        }
    }

    /// Ends the run: connections that are open end with the capture. `capture_errors` is what
    /// reading the capture ran into, a line each.
    pub fn finish(&mut self, capture_errors: Vec<String>, sink: &mut impl FnMut(Record)) {
        if self.first.is_none() {
            sink(Record::Begin(Begin { epoch: None }));
        }
        self.table.finish(&mut self.flows);
        self.flows.tunnels_finish(self.last.unwrap_or_default());
        self.flows.rtmfp_finish(self.packets);
        self.hand_on(sink);
        let totals = &self.flows.totals;
        sink(Record::End(End {
            packets: self.packets,
            sessions: totals.sessions,
            messages: totals.messages,
            capture_lost_bytes: totals.capture_lost_bytes,
            network_lost_bytes: totals.network_lost_bytes,
            undecoded_bytes: totals.undecoded_bytes,
            other_flows: totals.other_flows,
            others: totals.others,
            other_packets: self.other_packets,
            last: self.last,
            capture_errors,
        }));
    }

    /// The TCP sequence number of stream offset 0 of a session's direction, as far as it is known;
    /// a session that came through layers has none.
    /// It is kept until the call of [`push`](Pipeline::push) after the one that ended the session.
    pub fn sequence_base(&self, session: u32, direction: Direction) -> Option<u32> {
        if self.flows.map_of(session).is_some() {
            return None;
        }
        let (flow, flip) = self.flows.flow_of(session)?;
        self.table.sequence(flow, if flip { direction.reverse() } else { direction }, 0)
    }

    /// Hands on what the last packet caused, with the packets that the bytes came in.
    fn hand_on(&mut self, sink: &mut impl FnMut(Record)) {
        let mut queue = std::mem::take(&mut self.flows.queue);
        for Queued { flow, flip, mut record } in queue.drain(..) {
            let way = |direction: Direction| {
                if flip { direction.reverse() } else { direction }
            };
            if self.frames {
                match session_of(&record).and_then(|number| self.flows.map_of(number)) {
                    Some(map) => self.place_above(map, &mut record),
                    None => self.place(flow, way, &mut record),
                }
                if let Record::Transport(TransportRecord { frame, fact, .. }) = &mut record
                    && frame.is_none()
                {
                    *frame = self.table.frame_at(flow, way(fact.direction), fact.offset);
                }
            }
            sink(record);
        }
        self.flows.queue = queue;
    }

    /// Says in which packets a record of a session is whose stream is the flow's.
    fn place(&self, flow: flow::FlowId, way: impl Fn(Direction) -> Direction, record: &mut Record) {
        match record {
            Record::Message(record) => {
                let message = &record.message;
                let way = way(message.direction);
                if self.spans {
                    record.spans = self.table.spans(flow, way, &message.pieces);
                }
                record.sequence = self.table.sequence(flow, way, message.offset);
                record.frames = self.table.frames(flow, way, &message.headers);
                let body = self.table.frames(flow, way, &message.pieces);
                unite(&mut record.frames, body);
            }
            Record::Handshake(record) => {
                let way = way(record.handshake.direction);
                record.sequence = self.table.sequence(flow, way, 0);
                record.frames = self.table.frames(flow, way, &handshake_extents(record));
            }
            Record::Anomaly(record) if record.frame.is_none() => {
                if let (Some(direction), Some(offset)) = (record.direction, record.offset) {
                    record.frame = self.table.frame_at(flow, way(direction), offset);
                }
            }
            _ => {}
        }
    }

    /// The same of a session that layers stand below.
    fn place_above(&self, maps: &[SourceMap; 2], record: &mut Record) {
        let sequence = |source: Option<Source>| {
            let Source { flow, direction, offset } = source?;
            self.table.sequence(flow, direction, offset)
        };
        match record {
            // RTMFP: no stream lies below, and the packets came with the message.
            Record::Message(record) if !record.frames.is_empty() => {}
            Record::Message(record) => {
                let message = &record.message;
                let map = &maps[message.direction.index()];
                if self.spans {
                    record.spans = map.spans(&self.table, &message.pieces);
                }
                record.sequence = sequence(map.at(message.offset));
                record.frames = map.frames(&self.table, &message.headers);
                unite(&mut record.frames, map.frames(&self.table, &message.pieces));
            }
            Record::Handshake(record) => {
                let map = &maps[record.handshake.direction.index()];
                record.sequence = sequence(map.at(0));
                record.frames = map.frames(&self.table, &handshake_extents(record));
            }
            Record::Anomaly(record) if record.frame.is_none() => {
                if let (Some(direction), Some(offset)) = (record.direction, record.offset)
                    && let Some(source) = maps[direction.index()].at(offset)
                {
                    record.frame =
                        self.table.frame_at(source.flow, source.direction, source.offset);
                }
            }
            Record::Transport(record) if record.frame.is_none() => {
                let fact = &record.fact;
                if let Some(source) = maps[fact.direction.index()].at(fact.offset) {
                    record.frame =
                        self.table.frame_at(source.flow, source.direction, source.offset);
                }
            }
            _ => {}
        }
    }
}

fn session_of(record: &Record) -> Option<u32> {
    match record {
        Record::Message(record) => Some(record.session),
        Record::Handshake(record) => Some(record.session),
        Record::Anomaly(record) => record.session,
        // RTMPE counts in the session's stream, other layers in the flow's.
        Record::Transport(record) if record.fact.layer == "rtmpe" => Some(record.session),
        _ => None,
    }
}

fn handshake_extents(record: &HandshakeRecord) -> Extents {
    let mut extents = Extents::new();
    extents.push(0, record.handshake.end_offset);
    extents
}

fn unite(frames: &mut Vec<u64>, more: Vec<u64>) {
    if more != *frames {
        frames.extend(more);
        frames.sort_unstable();
        frames.dedup();
    }
}
