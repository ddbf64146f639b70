//! Records in, steps out.

use super::steps::{Fact, Step, StepKind, Trail};
use super::values::{fact, flatten, plain};
use crate::analysis::record::{HandshakeRecord, MessageRecord, Record, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::flow::EndReason;
use crate::wire::amf::Value;
use crate::wire::codec::CodecConfig;
use crate::wire::flv::{Track, TrackConfig};
use crate::wire::message::{Body, Command, MessageType};

/// Steps of a session that are kept. Setting up takes about twenty; metadata and configurations
/// may be repeated for hours.
const MAX_STEPS: usize = 512;

/// Keeps the steps of all sessions while records come.
#[derive(Clone, Debug, Default)]
pub struct Trails {
    /// Session number `n` is at `n - 1`.
    sessions: Vec<Builder>,
}

#[derive(Clone, Debug)]
struct Builder {
    trail: Trail,
    messages: usize,
    /// Media whose first frame was seen: direction, type; and key frames by direction.
    seen: Vec<(Direction, StepKind)>,
    /// The message of the step that is being added.
    frame: Option<u64>,
    row: Option<usize>,
}

impl Trails {
    /// Nothing yet.
    pub fn new() -> Trails {
        Trails::default()
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &Record) {
        match record {
            Record::Session(session) => self.sessions.push(Builder {
                trail: Trail {
                    session: session.session,
                    client: session.client,
                    server: session.server,
                    transport: session.transport,
                    midstream: session.midstream,
                    start: session.time,
                    steps: Vec::new(),
                    dropped: 0,
                },
                messages: 0,
                seen: Vec::new(),
                frame: None,
                row: None,
            }),
            Record::Handshake(record) => self.with(record.session, |b| b.handshake(record)),
            Record::Message(record) => self.with(record.session, |b| b.message(record)),
            Record::Gap(record) => self.with(record.session, |b| {
                b.frame = Some(record.frame);
                b.row = None;
                let mut facts = Vec::new();
                fact(&mut facts, "bytes", record.len.to_string());
                fact(&mut facts, "kind", record.kind.name());
                b.add(StepKind::Gap, Some(record.direction), record.time, facts);
            }),
            Record::SessionEnd(record) => self.with(record.session, |b| b.end(record)),
            Record::Begin(_)
            | Record::Anomaly(_)
            | Record::Transport(_)
            | Record::Tcp(_)
            | Record::End(_) => {}
        }
    }

    fn with(&mut self, number: u32, act: impl FnOnce(&mut Builder)) {
        let index = (number as usize).checked_sub(1);
        if let Some(builder) = index.and_then(|index| self.sessions.get_mut(index)) {
            act(builder);
        }
    }

    /// The steps of a session (from 1) so far.
    pub fn session(&self, number: u32) -> Option<&Trail> {
        Some(&self.sessions.get((number as usize).checked_sub(1)?)?.trail)
    }

    /// All sessions, in order.
    pub fn all(&self) -> impl Iterator<Item = &Trail> {
        self.sessions.iter().map(|builder| &builder.trail)
    }
}

impl Builder {
    fn add(
        &mut self,
        kind: StepKind,
        direction: Option<Direction>,
        time: Timestamp,
        facts: Vec<Fact>,
    ) {
        // The end must not be missing.
        if self.trail.steps.len() >= MAX_STEPS && kind != StepKind::End {
            self.trail.dropped += 1;
            return;
        }
        let at = time.nanos_since(self.trail.start);
        let (row, frame) = (self.row, self.frame);
        self.trail.steps.push(Step { kind, direction, at, row, frame, facts });
    }

    fn handshake(&mut self, record: &HandshakeRecord) {
        let handshake = &record.handshake;
        self.frame = record.frames.first().copied();
        self.row = None;
        let mut facts = Vec::new();
        fact(&mut facts, "version", handshake.version.to_string());
        fact(&mut facts, "scheme", handshake.scheme.name());
        fact(&mut facts, "complete", handshake.complete.to_string());
        if let Some(valid) = handshake.valid {
            fact(&mut facts, "answer valid", valid.to_string());
        }
        if let Some([a, b, c, d]) = handshake.software {
            fact(&mut facts, "software", format!("{a}.{b}.{c}.{d}"));
        }
        self.add(StepKind::Handshake, Some(handshake.direction), handshake.time, facts);
    }

    fn message(&mut self, record: &MessageRecord) {
        let message = &*record.message;
        self.frame = record.frames.first().copied();
        self.row = Some(self.messages);
        self.messages += 1;
        let (direction, time) = (message.direction, message.time);
        let mut facts = Vec::new();
        let kind = match &message.body {
            Body::Command(command) => {
                if let Some(reply) = &message.reply {
                    let millis = reply.response_time * 1000.0;
                    fact(&mut facts, "response", format!("{millis:.1} ms"));
                }
                let kind = command_facts(
                    command,
                    message.reply.as_ref().map(|r| r.command.lossy().into_owned()),
                    &mut facts,
                );
                fact(&mut facts, "csid", message.csid.to_string());
                fact(&mut facts, "message stream", optional(message.stream_id));
                fact(
                    &mut facts,
                    "encoding",
                    if message.type_id == MessageType::COMMAND_AMF3 { "AMF3" } else { "AMF0" },
                );
                kind
            }
            Body::SetChunkSize { size, .. } | Body::WindowAcknowledgementSize { size } => {
                fact(&mut facts, "size", size.to_string());
                StepKind::Control(message.type_id)
            }
            Body::SetPeerBandwidth { size, limit } => {
                fact(&mut facts, "size", size.to_string());
                fact(&mut facts, "limit", limit.map_or("none", |limit| limit.name()));
                StepKind::Control(message.type_id)
            }
            Body::Abort { csid } => {
                fact(&mut facts, "csid", csid.to_string());
                StepKind::Control(message.type_id)
            }
            // Pings come when they come.
            Body::UserControl(control) if !matches!(control.event.0, 6 | 7) => {
                if let Some(id) = control.stream_id {
                    fact(&mut facts, "message stream", id.to_string());
                }
                if let Some(millis) = control.buffer_ms {
                    fact(&mut facts, "buffer", format!("{millis} ms"));
                }
                StepKind::Event(control.event.name())
            }
            Body::Data(data) => {
                let mut names = data.values.iter().filter_map(Value::as_text);
                let first = names.next().map(|name| name.lossy().into_owned()).unwrap_or_default();
                let handler = match &*first {
                    "@setDataFrame" => {
                        fact(&mut facts, "wrapped in", "@setDataFrame");
                        names.next().map(|name| name.lossy().into_owned()).unwrap_or(first)
                    }
                    _ => first,
                };
                // Captions and cue points go on for the whole session.
                if handler != "onMetaData" && self.has_data(direction, &handler) {
                    return;
                }
                for value in data.values.iter().filter(|value| !value.properties().is_empty()) {
                    flatten(&mut facts, "", value, 0);
                }
                StepKind::Data(super::values::shorten(handler))
            }
            Body::Video(tag) => {
                self.configs(record, &tag.tracks, tag.enhanced);
                if tag.is_coded() {
                    let mut facts = Vec::new();
                    fact(&mut facts, "codec", tag.codec_name());
                    fact(&mut facts, "enhanced", tag.enhanced.to_string());
                    fact(&mut facts, "multitrack", tag.multitrack.is_some().to_string());
                    fact(&mut facts, "key", tag.is_key().to_string());
                    fact(&mut facts, "timestamp", message.timestamp.to_string());
                    self.first(StepKind::FirstMedia(message.type_id), direction, time, facts);
                    if tag.is_key() {
                        let mut facts = Vec::new();
                        fact(&mut facts, "length", message.length.to_string());
                        self.first(StepKind::FirstKeyFrame, direction, time, facts);
                    }
                }
                return;
            }
            Body::Audio(tag) => {
                self.configs(record, &tag.tracks, tag.enhanced);
                if tag.is_coded() && !tag.empty {
                    let mut facts = Vec::new();
                    fact(&mut facts, "codec", tag.codec_name());
                    fact(&mut facts, "enhanced", tag.enhanced.to_string());
                    fact(&mut facts, "multitrack", tag.multitrack.is_some().to_string());
                    fact(&mut facts, "timestamp", message.timestamp.to_string());
                    self.first(StepKind::FirstMedia(message.type_id), direction, time, facts);
                }
                return;
            }
            Body::Aggregate(_) => {
                self.first(StepKind::FirstMedia(message.type_id), direction, time, facts);
                return;
            }
            _ => return,
        };
        if !message.complete {
            fact(&mut facts, "complete", "false");
        }
        self.add(kind, Some(direction), time, facts);
    }

    fn has_data(&self, direction: Direction, handler: &str) -> bool {
        self.trail.steps.iter().any(|step| {
            step.direction == Some(direction)
                && matches!(&step.kind, StepKind::Data(name) if name == handler)
        })
    }

    fn first(&mut self, kind: StepKind, direction: Direction, time: Timestamp, facts: Vec<Fact>) {
        let key = (direction, kind);
        if !self.seen.contains(&key) {
            self.seen.push(key.clone());
            self.add(key.1, Some(direction), time, facts);
        }
    }

    fn configs(&mut self, record: &MessageRecord, tracks: &[Track], enhanced: bool) {
        let message = &*record.message;
        for track in tracks {
            let Some(TrackConfig::Codec(config)) = &track.config else { continue };
            let kind = StepKind::Config(message.type_id, track.id);
            let facts = config_facts(config, enhanced);
            let last = self
                .trail
                .steps
                .iter()
                .rev()
                .find(|step| step.kind == kind && step.direction == Some(message.direction));
            // Some senders repeat it before each key frame.
            if last.is_none_or(|last| last.facts != facts) {
                self.add(kind, Some(message.direction), message.time, facts);
            }
        }
    }

    fn end(&mut self, end: &SessionEnd) {
        self.frame = None;
        self.row = None;
        self.trail.transport = end.transport;
        let (how, who) = match end.reason {
            EndReason::Fin(side) => ("closed", Some(side)),
            EndReason::Reset(side) => ("reset", Some(side)),
            EndReason::Timeout => ("silent, never closed", None),
            EndReason::Reused => ("ports used again", None),
            EndReason::Evicted => ("no longer followed", None),
            EndReason::EndOfCapture(side) => ("capture ended", side),
        };
        let mut facts = Vec::new();
        fact(&mut facts, "how", how);
        let by = match who {
            Some(Direction::ClientToServer) => "client",
            Some(Direction::ServerToClient) => "server",
            None => "nobody",
        };
        fact(&mut facts, "by", by);
        let seconds = end.time.seconds_since(end.start);
        fact(&mut facts, "after", format!("{seconds:.1} s"));
        self.add(StepKind::End, None, end.time, facts);
    }
}

fn optional(number: Option<u32>) -> String {
    number.map_or("unknown".into(), |number| number.to_string())
}

fn command_facts(command: &Command, request: Option<String>, facts: &mut Vec<Fact>) -> StepKind {
    let name = command.name.lossy().into_owned();
    if let Some(object) = &command.object {
        match object.properties().is_empty() {
            // Null is what most commands have in its place.
            true if *object == Value::Null => {}
            true => fact(facts, "command object", plain(object)),
            false => flatten(facts, "", object, 0),
        }
    }
    for (i, argument) in command.arguments.iter().enumerate() {
        match argument.properties().is_empty() {
            true => fact(facts, argument_name(&name, i), plain(argument)),
            false => flatten(facts, "", argument, 0),
        }
    }
    match (&*name, request) {
        (_, Some(request)) if command.is_reply() => {
            fact(facts, "outcome", name);
            StepKind::Reply(super::values::shorten(request))
        }
        ("onStatus", _) => StepKind::Status,
        _ if command.is_reply() => StepKind::Reply("something unseen".into()),
        _ => StepKind::Command(super::values::shorten(name)),
    }
}

/// Names of the arguments that the specification has names for (section 7.2.2).
fn argument_name(command: &str, index: usize) -> String {
    match (command, index) {
        (
            "publish" | "play" | "releaseStream" | "FCPublish" | "FCUnpublish" | "FCSubscribe"
            | "getStreamLength",
            0,
        ) => "stream name".into(),
        ("publish", 1) => "publishing type".into(),
        ("play", 1) => "start".into(),
        ("play", 2) => "duration".into(),
        ("play", 3) => "reset".into(),
        ("deleteStream", 0) => "message stream".into(),
        ("_result", 0) => "value".into(),
        _ => format!("argument {}", index + 1),
    }
}

fn config_facts(config: &CodecConfig, enhanced: bool) -> Vec<Fact> {
    let mut facts = Vec::new();
    fact(&mut facts, "codec", config.codec);
    fact(&mut facts, "enhanced", enhanced.to_string());
    let texts = [
        ("profile", config.profile.clone()),
        ("level", config.level.clone()),
        ("width", config.width.map(|n| n.to_string())),
        ("height", config.height.map(|n| n.to_string())),
        ("frame rate", config.frame_rate.map(|n| format!("{n:.3}"))),
        ("chroma", config.chroma.map(str::to_owned)),
        ("bit depth", config.bit_depth.map(|n| n.to_string())),
        ("NAL length size", config.nal_length_size.map(|n| n.to_string())),
        ("sample rate", config.sample_rate.map(|n| n.to_string())),
        ("channels", config.channels.map(|n| n.to_string())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            fact(&mut facts, name, value);
        }
    }
    if let Some(stop) = &config.stop {
        fact(&mut facts, "undecoded", stop.to_string());
    }
    facts
}
