//! Sessions whose bytes layers hand on.
//!
//! A layer calls [`Flows::open_above`] once it knows that there is a session, hands every
//! [`Item`] to [`Flows::item`] and closes it with [`Flows::close_above`]. Which flow the bytes
//! came from is said with each item, so that a session may lie over many flows and a flow may
//! hold parts of many sessions.

use super::flows::{Flows, Queued, State};
use super::live::Live;
use super::record::{Record, SessionRecord, TransportRecord};
use super::sources::SourceMap;
use super::tap::Tap;
use crate::base::{Direction, Timestamp};
use crate::flow::{DirectionStats, EndReason, FlowId, FlowTable};
use crate::transport::{Item, Source};

impl Flows {
    /// Announces a session (its number is set here) and begins to decode it. `flow` is where its
    /// first packet was, `flip` whether the session's client is that flow's server; `handshake`
    /// says of each direction whether it is seen from its beginning.
    pub(super) fn open_above(
        &mut self,
        flow: FlowId,
        flip: bool,
        mut record: SessionRecord,
        handshake: [bool; 2],
    ) -> u32 {
        self.totals.sessions += 1;
        self.sessions.push((flow, flip));
        let number = self.totals.sessions as u32;
        record.session = number;
        let mut live = Live::new(
            number,
            record.time,
            record.transport,
            handshake,
            record.midstream,
            &self.options.session,
        );
        live.flip = flip;
        live.keys = self.options.keys.clone();
        live.map = Some(Box::default());
        live.tap = self.tap_of(&record);
        self.above.insert(number, Box::new(live));
        self.queue.push(Queued { flow, flip, record: Record::Session(record) });
        number
    }

    /// What is to be caught of a session, if it is that one.
    pub(super) fn tap_of(&mut self, record: &SessionRecord) -> Option<Box<Tap>> {
        let wanted = self.catch.as_ref()?;
        if wanted.peers != [record.client, record.server] || wanted.frame != record.frame {
            return None;
        }
        Some(Box::new(Tap::new(self.catch.take()?)))
    }

    /// The session that has a tap: its flow, whether that is reversed, and itself.
    pub(super) fn tapped(&mut self) -> Option<(FlowId, bool, &mut Live)> {
        if let Some(live) = self.above.values_mut().find(|live| live.tap.is_some()) {
            let (flow, flip) = self.sessions.get(live.number as usize - 1).copied()?;
            return Some((flow, flip, live));
        }
        let (index, live) =
            self.states.iter_mut().enumerate().find_map(|(index, state)| match state {
                State::Live(live) if live.tap.is_some() => Some((index, live)),
                _ => None,
            })?;
        Some((FlowId(index as u32), live.flip, live))
    }

    /// Takes what a layer hands on for a session; `flow` is the flow of a fact.
    pub(super) fn item(&mut self, number: u32, flow: FlowId, item: Item<'_>) {
        let Some(live) = self.above.get_mut(&number) else { return };
        let flip = live.flip;
        let queue = &mut self.queue;
        let mut out = |record| queue.push(Queued { flow, flip, record });
        match item {
            Item::Data { direction, time, bytes, source } => {
                if let Some(map) = &mut live.map {
                    map[direction.index()].push(bytes.len() as u64, source);
                }
                if live.feed(direction, time, bytes, &mut self.events, &mut out) {
                    self.release_above.push(number);
                }
            }
            Item::Gap { direction, time, len, exact } => {
                // Of a gap of unknown length the engine must at least know that it is there.
                let len = len.max(1);
                if let Some(map) = &mut live.map {
                    map[direction.index()].skip(len);
                }
                live.gap(direction, time, len, exact, &mut out);
            }
            // The session's own layer says so itself.
            Item::Readable { .. } => {}
            Item::Fact(fact) => {
                if fact.odd {
                    live.count_anomaly();
                }
                out(Record::Transport(TransportRecord { session: number, frame: None, fact }));
            }
        }
    }

    /// Ends a session. `tcp` is what its flows counted, in the session's directions.
    pub(super) fn close_above(
        &mut self,
        number: u32,
        flow: FlowId,
        reason: EndReason,
        time: Timestamp,
        tcp: [DirectionStats; 2],
    ) {
        let Some(live) = self.above.get_mut(&number) else { return };
        let flip = live.flip;
        let queue = &mut self.queue;
        let mut out = |record| queue.push(Queued { flow, flip, record });
        let end = live.end(reason, time, tcp, &mut out);
        self.totals.messages += end.messages.iter().sum::<u64>();
        self.totals.undecoded_bytes += end.undecoded_bytes.iter().sum::<u64>();
        self.queue.push(Queued { flow, flip, record: Record::SessionEnd(end) });
        self.ended.push(number);
    }

    /// Where the bytes of a session lie, if layers stand between it and TCP.
    pub(super) fn map_of(&self, number: u32) -> Option<&[SourceMap; 2]> {
        self.above.get(&number)?.map.as_deref()
    }

    /// Forgets sessions that ended and what nobody needs any more of those that go on.
    pub(super) fn settle_above(&mut self, table: &mut FlowTable) {
        for number in self.ended.drain(..) {
            self.above.remove(&number);
        }
        for number in self.release_above.drain(..) {
            let Some(live) = self.above.get_mut(&number) else { continue };
            for direction in Direction::BOTH {
                let oldest = live.oldest_offset(direction);
                let Some(map) = &mut live.map else { continue };
                map[direction.index()].release(oldest);
                // What lies before the oldest byte in the same flow is older still. Other flows of
                // the session end on their own or are bounded by the table's limits.
                if let Some(Source { flow, direction, offset }) = map[direction.index()].oldest() {
                    table.release(flow, direction, offset);
                }
            }
        }
    }
}
