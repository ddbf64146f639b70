//! A record to its line.

use super::body::BodyLine;
use super::fields::FieldLines;
use super::model::*;
use crate::analysis::{
    AnomalyRecord, End, GapRecord, HandshakeRecord, MessageRecord, Record, SessionEnd,
    SessionRecord, TransportRecord,
};
use crate::base::{Direction, Timestamp};
use crate::flow::{EndReason, RoleSource};

/// Version of the output format that `begin` names. It counts up when a field changes its meaning
/// or goes away, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// What is printed of each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Every field with its value and where it lies.
    pub fields: bool,
    /// Text: the bytes of every field.
    pub hex: bool,
    /// Text: all bytes of a long field, not only the first ones.
    pub all_bytes: bool,
    /// Byte ranges and packets beside the fields.
    pub ranges: bool,
}

impl Detail {
    /// Whether messages need their whole payload.
    pub fn needs_payload(self) -> bool {
        self.fields || self.hex
    }
}

/// Times in lines count from the first packet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    epoch: Option<Timestamp>,
}

impl Clock {
    pub(super) fn seconds(&self, time: Timestamp) -> f64 {
        time.seconds_since(self.epoch.unwrap_or(time))
    }

    /// Takes the epoch from the `begin` record. A program that makes records of its own may leave
    /// it out: the first time seen is second 0 then.
    pub(super) fn see(&mut self, record: &Record) {
        if let Record::Begin(begin) = record {
            self.epoch = begin.epoch;
        } else if self.epoch.is_none() {
            self.epoch = match record {
                Record::Session(r) => Some(r.time),
                Record::Message(r) => Some(r.message.time),
                Record::Handshake(r) => Some(r.handshake.time),
                Record::Gap(r) => Some(r.time),
                Record::Transport(r) => Some(r.fact.time),
                Record::Anomaly(r) => r.time,
                _ => None,
            };
        }
    }

    pub(super) fn line<'a>(
        &self,
        record: &'a Record,
        fields: Option<&'a FieldLines>,
    ) -> Option<Line<'a>> {
        Some(match record {
            Record::Begin(begin) => Line::Begin(BeginLine {
                schema: SCHEMA_VERSION,
                program: "rtmpscope",
                version: env!("CARGO_PKG_VERSION"),
                epoch_ns: begin.epoch.map(|t| t.0),
            }),
            Record::Session(r) => Line::Session(self.session(r)),
            Record::Handshake(r) => Line::Handshake(self.handshake(r)),
            Record::Message(r) => Line::Message(Box::new(self.message(r, fields))),
            Record::Anomaly(r) => Line::Anomaly(self.anomaly(r)),
            Record::Gap(r) => Line::Gap(self.gap(r)),
            Record::SessionEnd(r) => Line::SessionEnd(Box::new(self.session_end(r))),
            Record::End(r) => Line::End(self.end(r)),
            Record::Transport(r) => Line::Layer(self.layer(r)),
            // What TCP did is for figures over time, not for this list.
            Record::Tcp(_) => return None,
        })
    }

    fn session<'a>(&self, r: &'a SessionRecord) -> SessionLine<'a> {
        SessionLine {
            session: r.session,
            client: r.client.to_string(),
            server: r.server.to_string(),
            transport: r.transport.name(),
            role_from: match r.role {
                RoleSource::Syn => "syn",
                RoleSource::Port => "port",
                RoleSource::Startup => "startup",
            },
            midstream: r.midstream,
            time: self.seconds(r.time),
            epoch_ns: r.time.0,
            frame: r.frame,
            tunnels: &r.tunnels,
            note: r.note.as_deref(),
        }
    }

    fn layer<'a>(&self, r: &'a TransportRecord) -> LayerLine<'a> {
        let fact = &r.fact;
        LayerLine {
            session: r.session,
            protocol: fact.layer,
            name: fact.name,
            odd: fact.odd,
            direction: fact.direction.name(),
            time: self.seconds(fact.time),
            epoch_ns: fact.time.0,
            frame: r.frame,
            offset: fact.offset,
            values: FactValues(&fact.fields),
        }
    }

    fn handshake<'a>(&self, r: &'a HandshakeRecord) -> HandshakeLine<'a> {
        let h = &r.handshake;
        HandshakeLine {
            session: r.session,
            direction: h.direction.name(),
            time: self.seconds(h.time),
            epoch_ns: h.time.0,
            frames: &r.frames,
            version: h.version,
            scheme: h.scheme.name(),
            valid: h.valid,
            echo: h.echo,
            signature: h.signature,
            complete: h.complete,
            peer_epoch: h.epoch,
            software: h.software.map(|s| format!("{}.{}.{}.{}", s[0], s[1], s[2], s[3])),
            end_offset: h.end_offset,
        }
    }

    fn message<'a>(&self, r: &'a MessageRecord, fields: Option<&'a FieldLines>) -> MessageLine<'a> {
        let m = &*r.message;
        MessageLine {
            session: r.session,
            direction: m.direction.name(),
            time: self.seconds(m.time),
            epoch_ns: m.time.0,
            first_time: (m.first_time != m.time).then(|| self.seconds(m.first_time)),
            frames: &r.frames,
            offset: m.offset,
            csid: m.csid,
            fmt: m.fmt,
            chunks: m.chunks,
            type_id: m.type_id.0,
            kind: m.type_id.kind(),
            timestamp: m.timestamp,
            timestamp_exact: m.timestamp_exact,
            extended_timestamp: m.extended_timestamp,
            stream_id: m.stream_id,
            length: m.length,
            complete: m.complete,
            received: (!m.complete).then_some(m.received),
            holes: (!m.complete).then(|| m.holes.iter().map(HoleLine::from).collect()),
            confidence: m.confidence.name(),
            body: BodyLine { body: &m.body, reply: m.reply.as_ref() },
            stop: m.stop.as_ref().map(StopLine::from),
            fields,
        }
    }

    fn anomaly<'a>(&self, r: &'a AnomalyRecord) -> AnomalyLine<'a> {
        AnomalyLine {
            session: r.session,
            kind: r.kind,
            direction: r.direction.map(Direction::name),
            time: r.time.map(|t| self.seconds(t)),
            epoch_ns: r.time.map(|t| t.0),
            frame: r.frame,
            offset: r.offset,
            csid: r.csid,
            detail: &r.detail,
        }
    }

    fn gap(&self, r: &GapRecord) -> GapLine {
        GapLine {
            session: r.session,
            direction: r.direction.name(),
            time: self.seconds(r.time),
            epoch_ns: r.time.0,
            frame: r.frame,
            offset: r.offset,
            length: r.len,
            kind: r.kind.name(),
        }
    }

    fn session_end<'a>(&self, r: &'a SessionEnd) -> SessionEndLine<'a> {
        let (reason, ended_by) = end_reason(r.reason);
        let direction = |d: Direction| {
            let i = d.index();
            DirectionLine::new(r.messages[i], r.undecoded_bytes[i], &r.tcp[i])
        };
        let by_type = |&(type_id, messages): &(u8, u64)| TypeCount {
            type_id,
            kind: crate::wire::message::MessageType(type_id).kind(),
            messages,
        };
        SessionEndLine {
            session: r.session,
            reason,
            ended_by: ended_by.map(peer_name),
            time: self.seconds(r.time),
            epoch_ns: r.time.0,
            duration: r.time.seconds_since(r.start),
            transport: r.transport.name(),
            role: r.facts.role.as_deref(),
            app: r.facts.app.as_deref(),
            tc_url: r.facts.tc_url.as_deref(),
            stream: r.facts.stream.as_deref(),
            video: r.facts.video.as_deref(),
            audio: r.facts.audio.as_deref(),
            last_status: r.facts.last_status.as_deref(),
            messages: r.messages[0] + r.messages[1],
            bytes: r.tcp[0].bytes + r.tcp[1].bytes,
            damaged_messages: r.damaged,
            uncertain_messages: r.uncertain,
            anomalies: r.anomalies,
            capture_lost_bytes: r.tcp[0].capture_lost_bytes + r.tcp[1].capture_lost_bytes,
            network_lost_bytes: r.tcp[0].network_lost_bytes + r.tcp[1].network_lost_bytes,
            undecoded_bytes: r.undecoded_bytes[0] + r.undecoded_bytes[1],
            by_type: r.by_type.iter().map(by_type).collect(),
            client_to_server: direction(Direction::ClientToServer),
            server_to_client: direction(Direction::ServerToClient),
        }
    }

    fn end<'a>(&self, r: &'a End) -> EndLine<'a> {
        EndLine {
            packets: r.packets,
            sessions: r.sessions,
            messages: r.messages,
            capture_lost_bytes: r.capture_lost_bytes,
            network_lost_bytes: r.network_lost_bytes,
            undecoded_bytes: r.undecoded_bytes,
            other_flows: r.other_flows,
            other_packets: r.other_packets,
            duration: r.last.map(|t| self.seconds(t)),
            capture_errors: &r.capture_errors,
        }
    }
}

/// The reason's stable name, and who did it.
pub(super) fn end_reason(reason: EndReason) -> (&'static str, Option<Direction>) {
    match reason {
        EndReason::Fin(by) => ("fin", Some(by)),
        EndReason::Reset(by) => ("reset", Some(by)),
        EndReason::Timeout => ("timeout", None),
        EndReason::Reused => ("reused", None),
        EndReason::Evicted => ("evicted", None),
        EndReason::EndOfCapture(by) => ("end-of-capture", by),
    }
}

/// The peer that sends in this direction.
pub(super) fn peer_name(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "client",
        Direction::ServerToClient => "server",
    }
}
