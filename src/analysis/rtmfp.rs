//! RTMFP sessions as sessions of the pipeline: their messages came without a chunk stream, and the
//! packets of each are known.

use std::collections::BTreeMap;

use super::flows::{Flows, Queued};
use super::live::Live;
use super::record::{Record, SessionRecord, Transport, TransportRecord};
use crate::base::Timestamp;
use crate::flow::{Datagram, DirectionStats, EndReason, FlowId, RoleSource, Unreachable};
use crate::rtmp::{Confidence, Event, Unchunked};
use crate::transport::rtmfp::{
    Ending, FlowMessage, Opening, Rtmfp, RtmfpEvent, SessionId, Target, Traffic,
};

/// No TCP flow: what it is asked for it does not have.
const NO_FLOW: FlowId = FlowId(u32::MAX);

/// RTMFP and which sessions of the pipeline its sessions are.
#[derive(Debug, Default)]
pub(super) struct RtmfpSessions {
    table: Rtmfp,
    numbers: BTreeMap<SessionId, Open>,
    /// Datagrams that were RTMFP.
    pub packets: u64,
}

#[derive(Debug)]
struct Open {
    number: u32,
    /// What was asked for, for sessions whose `connect` cannot be read.
    uri: Option<String>,
}

impl Flows {
    /// Takes a datagram of UDP.
    pub(super) fn rtmfp_datagram(&mut self, datagram: &Datagram<'_>) {
        let keys = self.options.keys.clone();
        let mut events = Vec::new();
        let taken = self.rtmfp.table.push(datagram, &keys.read(), &mut |event| events.push(event));
        self.rtmfp.packets += u64::from(taken);
        events.into_iter().for_each(|event| self.rtmfp_event(event));
    }

    /// Takes ICMP's word that a datagram was refused.
    pub(super) fn rtmfp_unreachable(&mut self, refused: &Unreachable) {
        let mut events = Vec::new();
        self.rtmfp.table.unreachable(refused, &mut |event| events.push(event));
        events.into_iter().for_each(|event| self.rtmfp_event(event));
    }

    /// The end of the capture.
    pub(super) fn rtmfp_finish(&mut self, frame: u64) {
        let mut events = Vec::new();
        self.rtmfp.table.finish(frame, &mut |event| events.push(event));
        events.into_iter().for_each(|event| self.rtmfp_event(event));
    }

    fn rtmfp_event(&mut self, event: RtmfpEvent) {
        match event {
            RtmfpEvent::Opened(id, opening) => self.rtmfp_opened(id, opening),
            RtmfpEvent::Fact(id, fact, frame) => {
                let Some(open) = self.rtmfp.numbers.get(&id) else { return };
                let session = open.number;
                if fact.odd
                    && let Some(live) = self.above.get_mut(&session)
                {
                    live.count_anomaly();
                }
                let frame = (frame > 0).then_some(frame);
                let record = Record::Transport(TransportRecord { session, frame, fact });
                self.queue.push(Queued { flow: NO_FLOW, flip: false, record });
            }
            RtmfpEvent::Message(id, message) => self.rtmfp_message(id, *message),
            RtmfpEvent::Ended(id, ending, time, traffic) => {
                self.rtmfp_ended(id, ending, time, &traffic);
            }
        }
    }

    fn rtmfp_opened(&mut self, id: SessionId, opening: Opening) {
        let (note, uri) = match opening.target {
            Some(Target::Uri(uri)) => (None, Some(uri)),
            Some(Target::Peer(peer)) => {
                let hex: String = peer.iter().map(|byte| format!("{byte:02x}")).collect();
                (Some(format!("peer {hex}")), None)
            }
            Some(Target::Hostname(name)) => (Some(format!("host {name}")), None),
            None => (None, None),
        };
        let record = SessionRecord {
            session: 0,
            client: opening.client,
            server: opening.server,
            role: RoleSource::Startup,
            transport: Transport::Rtmfp,
            midstream: opening.midstream,
            time: opening.time,
            frame: opening.frame,
            tunnels: opening.tunnels,
            note,
        };
        // There is no handshake of RTMP's own.
        let number = self.open_above(NO_FLOW, false, record, [false, false]);
        self.rtmfp.numbers.insert(id, Open { number, uri });
    }

    fn rtmfp_message(&mut self, id: SessionId, message: FlowMessage) {
        let Some(open) = self.rtmfp.numbers.get(&id) else { return };
        let Some(live) = self.above.get_mut(&open.number) else { return };
        let FlowMessage { frames, direction, time, first_time, .. } = message;
        let unchunked = Unchunked {
            direction,
            time,
            first_time,
            csid: u32::try_from(message.flow).unwrap_or(u32::MAX),
            parts: message.fragments,
            type_id: message.type_id,
            timestamp: message.timestamp,
            stream_id: message.stream_id,
            payload: message.payload,
            offset: message.offset,
            header_len: 5,
            confidence: if message.exact { Confidence::Exact } else { Confidence::Inferred },
        };
        let want_frames = self.options.frames;
        let queue = &mut self.queue;
        live.unchunked(unchunked, &mut |mut record| {
            match &mut record {
                Record::Message(record) if want_frames => record.frames = frames.clone(),
                Record::Anomaly(record) => record.frame = frames.last().copied(),
                _ => {}
            }
            queue.push(Queued { flow: NO_FLOW, flip: false, record });
        });
    }

    fn rtmfp_ended(
        &mut self,
        id: SessionId,
        ending: Ending,
        time: Timestamp,
        traffic: &[Traffic; 2],
    ) {
        let Some(open) = self.rtmfp.numbers.remove(&id) else { return };
        let reason = match ending {
            // rtmfp-cpp and librtmfp always close without asking: that is no fault.
            Ending::Closed(direction) | Ending::Aborted(direction) => EndReason::Fin(direction),
            Ending::Timeout => EndReason::Timeout,
            Ending::Evicted => EndReason::Evicted,
            Ending::EndOfCapture => EndReason::EndOfCapture(None),
        };
        let stats = traffic.map(|side| DirectionStats {
            packets: side.packets,
            bytes: side.bytes,
            ..DirectionStats::default()
        });
        self.close_above(open.number, NO_FLOW, reason, time, stats);
        if let Some(Queued { record: Record::SessionEnd(end), .. }) = self.queue.last_mut() {
            end.undecoded_bytes = traffic.map(|side| side.opaque_bytes);
            self.totals.undecoded_bytes += end.undecoded_bytes.iter().sum::<u64>();
            if end.facts.tc_url.is_none() {
                end.facts.tc_url = open.uri;
            }
        }
    }
}

impl Live {
    /// Takes a message that came without a chunk stream.
    fn unchunked(&mut self, message: Unchunked, out: &mut impl FnMut(Record)) {
        let mut events: Vec<Event> = Vec::new();
        self.session.unchunked(message, &mut |event| events.push(event));
        for event in events {
            out(self.record(event));
        }
    }
}
