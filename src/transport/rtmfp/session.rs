//! One session: its startup, its packets, its flows.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::event::{Ending, FlowMessage, RtmfpEvent, SessionId, Target, Traffic};
use super::facts::{self, Fields};
use super::fragments::PacketFragments;
use super::keys::SessionKeys;
use super::receive::{Flow, Whole};
use crate::base::{Direction, Timestamp};
use crate::transport::{Fact, FactValue};
use crate::wire::rtmfp::{
    Chunk, FlowMetadata, Mode, RawChunk, UserData, chunk_name, group_message_name, parse_packet,
    read_vlu,
};

/// Takes what happens.
pub(super) type Sink<'a> = dyn FnMut(RtmfpEvent) + 'a;

/// When and where something was captured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub time: Timestamp,
    pub frame: u64,
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub id: SessionId,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub tag: Vec<u8>,
    pub cookie: Vec<u8>,
    pub target: Option<Target>,
    /// Ids by the direction of the packets that carry them.
    pub ids: [Option<u32>; 2],
    pub component: Vec<u8>,
    pub far_component: Vec<u8>,
    pub keys: Option<SessionKeys>,
    /// How long the key log was when keys were last looked for.
    pub asked_keys: Option<usize>,
    pub midstream: bool,
    pub last_time: Timestamp,
    /// Its end was told: later packets are passed over.
    pub ended: bool,
    pub close_asked: Option<Direction>,
    /// Closed; what the far end sent before it knew still comes.
    pub closed: Option<Ending>,
    pub attempts: BTreeMap<u8, u64>,
    pub sides: [Side; 2],
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub traffic: Traffic,
    pub flows: BTreeMap<u64, Flow>,
    fragments: PacketFragments,
    pub numbers: Numbers,
    pub offset: u64,
    /// Chunks by type.
    pub chunks: BTreeMap<u8, u64>,
    pub groups: BTreeMap<&'static str, u64>,
    /// Datagrams that do not decrypt though there are keys.
    pub refused: u64,
    pub sent_from: Option<SocketAddr>,
}

/// Session sequence numbers of a direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    pub first: Option<u64>,
    pub highest: u64,
    pub packets: u64,
    pub late: u64,
    /// A window of numbers seen, bit 0 the highest: RFC 7016 asks receivers for the like.
    window: u128,
    pub repeated: u64,
}

impl Numbers {
    /// Takes a number; false if it came before.
    fn take(&mut self, number: u64) -> bool {
        if self.first.is_none() {
            self.first = Some(number);
            self.highest = number;
            self.window = 1;
            self.packets = 1;
            return true;
        }
        if number > self.highest {
            let shift = number - self.highest;
            self.window = if shift < 128 { self.window << shift } else { 0 } | 1;
            self.highest = number;
        } else {
            let back = self.highest - number;
            // Older ones than the window cannot be told apart, and count as late.
            let bit = if back < 128 { 1_u128 << back } else { 0 };
            if self.window & bit != 0 {
                self.repeated += 1;
                return false;
            }
            self.window |= bit;
            self.late += 1;
            self.first = self.first.map(|first| first.min(number));
        }
        self.packets += 1;
        true
    }

    /// Numbers that never came.
    pub fn missing(&self) -> u64 {
        match self.first {
            Some(first) => (self.highest - first).saturating_add(1).saturating_sub(self.packets),
            None => 0,
        }
    }
}

/// Flows followed per direction; Flash opens a handful per stream.
const MAX_FLOWS: usize = 4096;
/// Bytes held of all flows of a direction.
const MAX_HELD: usize = 16 << 20;

impl Session {
    /// Tells a fact.
    pub fn fact(
        &self,
        name: &'static str,
        odd: bool,
        direction: Direction,
        moment: Moment,
        fields: Fields,
        sink: &mut Sink<'_>,
    ) {
        let fact = Fact {
            layer: "rtmfp",
            name,
            odd,
            direction,
            time: moment.time,
            offset: self.sides[direction.index()].offset,
            fields,
        };
        sink(RtmfpEvent::Fact(self.id, fact, moment.frame));
    }

    /// Which attempt at sending a startup chunk this is, from 1.
    pub fn attempt(&mut self, kind: u8) -> u64 {
        let count = self.attempts.entry(kind).or_default();
        *count += 1;
        *count
    }

    /// Takes a decrypted packet of the open session.
    pub fn packet(
        &mut self,
        direction: Direction,
        number: Option<u64>,
        packet: &[u8],
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        if let Some(number) = number
            && !self.sides[direction.index()].numbers.take(number)
        {
            return;
        }
        self.plain(direction, packet, moment, true, sink);
    }

    fn plain(
        &mut self,
        direction: Direction,
        packet: &[u8],
        moment: Moment,
        may_nest: bool,
        sink: &mut Sink<'_>,
    ) {
        let (header, chunks) = match parse_packet(packet) {
            Ok(parsed) => parsed,
            Err(stop) => {
                let fields = vec![("reason", FactValue::Text(stop.to_string().into()))];
                return self.fact("bad-packet", true, direction, moment, fields, sink);
            }
        };
        let expected = match direction {
            Direction::ClientToServer => Mode::Initiator,
            Direction::ServerToClient => Mode::Responder,
        };
        if header.mode != expected && self.attempt(0xfe) == 1 {
            let fields = vec![("mode", FactValue::Text(header.mode.name().into()))];
            self.fact("wrong-mode", true, direction, moment, fields, sink);
        }
        let mut last_data: Option<(u64, u64, u64)> = None;
        for raw in chunks {
            *self.sides[direction.index()].chunks.entry(raw.kind).or_default() += 1;
            match Chunk::parse(raw.kind, raw.payload) {
                Ok(chunk) => {
                    self.chunk(direction, chunk, moment, may_nest, &mut last_data, sink);
                }
                Err(stop) => self.bad_chunk(direction, &raw, &stop.to_string(), moment, sink),
            }
        }
    }

    fn bad_chunk(
        &self,
        direction: Direction,
        raw: &RawChunk<'_>,
        reason: &str,
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        let fields = vec![
            ("chunk", FactValue::Text(chunk_name(raw.kind).into())),
            ("reason", FactValue::Text(reason.to_owned().into())),
        ];
        self.fact("bad-chunk", true, direction, moment, fields, sink);
    }

    fn chunk(
        &mut self,
        direction: Direction,
        chunk: Chunk<'_>,
        moment: Moment,
        may_nest: bool,
        last_data: &mut Option<(u64, u64, u64)>,
        sink: &mut Sink<'_>,
    ) {
        match chunk {
            Chunk::PacketFragment { more, packet_id, number, data } => {
                let side = &mut self.sides[direction.index()];
                // A fragmented packet holds no fragments itself.
                if may_nest && let Some(packet) = side.fragments.add(packet_id, number, more, data)
                {
                    self.plain(direction, &packet, moment, false, sink);
                }
            }
            Chunk::UserData { flow, sequence, fsn_offset, data } => {
                *last_data = Some((flow, sequence, sequence - fsn_offset));
                self.user_data(direction, flow, (sequence, fsn_offset), &data, moment, sink);
            }
            Chunk::NextUserData(data) => {
                if let Some((flow, sequence, forward)) = last_data {
                    *sequence = sequence.saturating_add(1);
                    let (flow, at) = (*flow, (*sequence, *sequence - *forward));
                    self.user_data(direction, flow, at, &data, moment, sink);
                } else {
                    let fields = vec![("chunk", FactValue::Text("Next User Data".into()))];
                    self.fact("bad-chunk", true, direction, moment, fields, sink);
                }
            }
            Chunk::Ack { flow, cumulative, received, .. } => {
                let mut out = Vec::new();
                let sender = direction.reverse();
                if let Some(flow) = self.sides[sender.index()].flows.get_mut(&flow) {
                    flow.ack(cumulative, &received, moment.time, &mut out);
                }
                self.hand_on(sender, flow, out, sink);
            }
            Chunk::FlowException { flow, code } => {
                let sender = direction.reverse();
                let known = self.sides[sender.index()].flows.get_mut(&flow);
                if known.is_some_and(|flow| flow.rejected.replace(code).is_none()) {
                    let fields =
                        vec![("flow", FactValue::Number(flow)), ("code", FactValue::Number(code))];
                    self.fact("flow-exception", true, direction, moment, fields, sink);
                }
            }
            Chunk::FIHello { epd, reply, tag } => {
                let mut fields = facts::endpoint(epd);
                fields.push(("reply_to", FactValue::Text(reply.socket.to_string().into())));
                fields.push(("origin", FactValue::Text(reply.origin.name().into())));
                fields.push(("tag", FactValue::Bytes(tag.to_vec())));
                self.fact("fihello", false, direction, moment, fields, sink);
            }
            Chunk::CloseRequest if self.close_asked.is_none() => {
                self.close_asked = Some(direction);
                self.fact("close-request", false, direction, moment, Vec::new(), sink);
            }
            Chunk::MonaClose(reason) => {
                let fields = vec![("reason", FactValue::Bytes(reason.to_vec()))];
                self.fact("close-reason", false, direction, moment, fields, sink);
            }
            Chunk::CloseAck if self.closed.is_none() => {
                // rtmfp-cpp and librtmfp close so, without a request, whenever they are done.
                self.closed = Some(match self.close_asked {
                    Some(asked) => Ending::Closed(asked),
                    None => Ending::Aborted(direction),
                });
                let fields = match self.close_asked {
                    Some(_) => Vec::new(),
                    None => vec![("unasked", FactValue::Flag(true))],
                };
                self.fact("close-ack", false, direction, moment, fields, sink);
            }
            _ => {}
        }
    }

    fn user_data(
        &mut self,
        direction: Direction,
        flow_id: u64,
        at: (u64, u64),
        data: &UserData<'_>,
        moment: Moment,
        sink: &mut Sink<'_>,
    ) {
        let midstream = self.midstream;
        let side = &mut self.sides[direction.index()];
        let new = !side.flows.contains_key(&flow_id);
        if new && side.flows.len() >= MAX_FLOWS {
            return;
        }
        let room = side.flows.values().map(Flow::held_bytes).sum::<usize>() < MAX_HELD;
        let flow = side.flows.entry(flow_id).or_insert_with(|| Flow::new(midstream));
        let mut named = false;
        for option in data.options.iter().flat_map(|list| &list.options) {
            match option.kind {
                0x00 if flow.metadata.is_none() => {
                    flow.metadata = Some(FlowMetadata::parse(option.value));
                    named = true;
                }
                0x0a if flow.association.is_none() => {
                    let value = read_vlu(&mut crate::base::Reader::new(option.value), "flow_id");
                    flow.association = value.ok();
                }
                _ => {}
            }
        }
        if named || new {
            let fields = facts::flow(flow_id, flow.metadata.as_ref(), flow.association);
            self.fact("flow", false, direction, moment, fields, sink);
        }
        let side = &mut self.sides[direction.index()];
        let Some(flow) = side.flows.get_mut(&flow_id) else { return };
        let mut out = Vec::new();
        if room || data.payload.is_empty() {
            flow.data(at, data, (moment.time, moment.frame), &mut out);
        }
        self.hand_on(direction, flow_id, out, sink);
    }

    /// Hands on messages of a flow.
    fn hand_on(
        &mut self,
        direction: Direction,
        flow_id: u64,
        out: Vec<Whole>,
        sink: &mut Sink<'_>,
    ) {
        for whole in out {
            let side = &mut self.sides[direction.index()];
            let Some(flow) = side.flows.get_mut(&flow_id) else { return };
            let stream_id = match &flow.metadata {
                Some(FlowMetadata::Tc { stream_id, .. }) => {
                    Some(stream_id.map_or(0, |id| u32::try_from(id).unwrap_or(u32::MAX)))
                }
                // The flow began before the capture: what looks like RTMP is taken for it.
                None if self.midstream && looks_like_rtmp(&whole.bytes) => None,
                Some(FlowMetadata::Group(_)) => {
                    let kind = whole.bytes.first().copied();
                    let name = kind.and_then(group_message_name).unwrap_or("other");
                    *side.groups.entry(name).or_default() += 1;
                    continue;
                }
                _ => continue,
            };
            let Some(([type_id, t0, t1, t2, t3], _)) = whole.bytes.split_first_chunk::<5>() else {
                flow.figures.short += 1;
                continue;
            };
            let (type_id, timestamp) = (*type_id, u32::from_be_bytes([*t0, *t1, *t2, *t3]));
            let offset = side.offset;
            side.offset += whole.bytes.len() as u64;
            let message = FlowMessage {
                direction,
                flow: flow_id,
                stream_id,
                type_id,
                timestamp,
                time: whole.time,
                first_time: whole.first_time,
                fragments: whole.fragments,
                sequence: whole.sequence,
                frames: whole.frames,
                payload: Bytes::from(whole.bytes).slice(5..),
                offset,
                exact: !self.midstream,
            };
            sink(RtmfpEvent::Message(self.id, Box::new(message)));
        }
    }

    /// The end: hands on what waits, then the figures of flows and directions.
    pub fn finish(&mut self, moment: Moment, sink: &mut Sink<'_>) {
        self.ended = true;
        for direction in Direction::BOTH {
            let ids: Vec<u64> = self.sides[direction.index()].flows.keys().copied().collect();
            for id in ids {
                let mut out = Vec::new();
                if let Some(flow) = self.sides[direction.index()].flows.get_mut(&id) {
                    flow.finish(moment.time, &mut out);
                }
                self.hand_on(direction, id, out, sink);
                if let Some(flow) = self.sides[direction.index()].flows.get(&id) {
                    let fields = facts::flow_figures(id, flow);
                    self.fact("flow-figures", false, direction, moment, fields, sink);
                }
            }
        }
        for direction in Direction::BOTH {
            let side = &self.sides[direction.index()];
            if side.traffic.packets > 0 {
                let fields = facts::side_figures(side);
                self.fact("packet-figures", false, direction, moment, fields, sink);
            }
        }
    }
}

/// Whether a message of a flow without known metadata is of a type that RTMP knows, with enough
/// bytes for its header.
fn looks_like_rtmp(bytes: &[u8]) -> bool {
    bytes.len() >= 5 && matches!(bytes[0], 4 | 8 | 9 | 15..=20 | 22)
}
