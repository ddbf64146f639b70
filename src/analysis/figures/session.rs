//! One session's figures in the making.

use super::acks::{Acks, change};
use super::clock::{Ahead, Buckets, SECOND, series};
use super::close::Last;
use super::config::{Configs, Place};
use super::model::{
    AvFigures, Changed, ClockFigures, CloseFigures, ConfidenceFigures, Contradiction,
    DirectionFigures, HandshakeFigures, LossFigures, Response, Second, SessionFigures,
    SetupFigures, StreamFigures, TcpFigures,
};
use super::track::{Frame, Step, TrackBuilder, step};
use crate::analysis::record::{AnomalyRecord, GapRecord, SessionEnd, SessionRecord};
use crate::base::{Direction, GapKind, Timestamp};
use crate::rtmp::{Confidence, Handshake, Message};
use crate::wire::amf::Value;
use crate::wire::flv::{Track, TrackConfig};
use crate::wire::message::{Body, Command, MessageType};

/// Requests kept with their replies.
const MAX_RESPONSES: usize = 1024;
/// Message streams and tracks that get figures of their own.
const MAX_STREAMS: usize = 64;
const MAX_TRACKS: usize = 32;

/// Collects a session's figures.
#[derive(Clone, Debug)]
pub(super) struct SessionBuilder {
    session: u32,
    start: Timestamp,
    last_time: Timestamp,
    midstream: bool,
    handshake: HandshakeFigures,
    handshake_from: [Option<Timestamp>; 2],
    handshake_to: [Option<Timestamp>; 2],
    setup: SetupFigures,
    responses: Vec<Response>,
    streams: Vec<StreamBuilder>,
    directions: [DirectionBuilder; 2],
    loss: LossFigures,
    confidence: ConfidenceFigures,
    last: Last,
    close: Option<CloseFigures>,
    contradictions: Vec<Contradiction>,
    dropped: u64,
}

#[derive(Clone, Debug, Default)]
struct DirectionBuilder {
    figures: DirectionFigures,
    seconds: Buckets<Second>,
    acks: Acks,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct StreamBuilder {
    direction: Direction,
    stream_id: Option<u32>,
    tracks: Vec<TrackBuilder>,
    configs: Configs,
    clock: StreamClock,
    first: [Option<i64>; 2],
    interleave: i64,
    latest: [Option<u32>; 2],
}

/// All timestamps of a stream on one clock.
#[derive(Clone, Debug, Default)]
struct StreamClock {
    ahead: Buckets<Ahead>,
    last: Option<(Timestamp, u32)>,
    /// Timestamp of `last`, wraps undone.
    unwrapped: i64,
    /// Time and timestamp that everything is compared with.
    base: Option<(Timestamp, i64)>,
    since: Option<Timestamp>,
}

impl StreamClock {
    /// Takes a timestamp; it with wraps undone.
    fn push(&mut self, time: Timestamp, raw: u32, video: bool) -> i64 {
        let unwrapped = match self.last {
            None => i64::from(raw),
            Some((last_time, last)) => match step(last, raw, time.nanos_since(last_time)) {
                Step::By(step) => self.unwrapped + step,
                Step::Reset => {
                    // What came before is on another clock.
                    *self = StreamClock { since: Some(time), ..StreamClock::default() };
                    i64::from(raw)
                }
            },
        };
        self.last = Some((time, raw));
        self.unwrapped = unwrapped;
        let (base_time, base) = *self.base.get_or_insert((time, unwrapped));
        let ahead = (unwrapped - base) as f64 - time.nanos_since(base_time) as f64 / 1e6;
        let bucket = self.ahead.at(time);
        if video {
            bucket.video.add(ahead)
        } else {
            bucket.audio.add(ahead)
        }
        unwrapped
    }
}

impl SessionBuilder {
    pub fn new(session: &SessionRecord) -> SessionBuilder {
        let mut directions: [DirectionBuilder; 2] = Default::default();
        for direction in &mut directions {
            direction.seconds.start = Some(session.time);
        }
        SessionBuilder {
            session: session.session,
            start: session.time,
            last_time: session.time,
            midstream: session.midstream,
            handshake: HandshakeFigures::default(),
            handshake_from: [None; 2],
            handshake_to: [None; 2],
            setup: SetupFigures::default(),
            responses: Vec::new(),
            streams: Vec::new(),
            directions,
            loss: LossFigures::default(),
            confidence: ConfidenceFigures::default(),
            last: Last::default(),
            close: None,
            contradictions: Vec::new(),
            dropped: 0,
        }
    }

    fn since_start(&self, time: Timestamp) -> Option<i64> {
        Some(time.nanos_since(self.start))
    }

    pub fn handshake(&mut self, handshake: &Handshake) {
        let index = handshake.direction.index();
        self.last_time = self.last_time.max(handshake.time);
        self.directions[index].acks.sent(handshake.end_offset);
        self.handshake_from[index] = Some(handshake.first_time);
        self.handshake_to[index] = handshake.complete.then_some(handshake.time);
        match handshake.direction {
            Direction::ClientToServer => {
                self.handshake.client = Some(handshake.scheme);
                self.handshake.version = Some(handshake.version);
            }
            Direction::ServerToClient => self.handshake.server = Some(handshake.scheme),
        }
        let [client, server] = self.handshake_to;
        self.handshake.complete = client.is_some() && server.is_some();
        if let ([Some(from), _], Some(to)) = (self.handshake_from, server) {
            self.handshake.round_trip = Some(to.nanos_since(from));
        }
        if let ([Some(from), _], Some(client), Some(server)) = (self.handshake_from, client, server)
        {
            let end = client.max(server);
            self.handshake.duration = Some(end.nanos_since(from));
            self.setup.handshake = self.since_start(end);
        }
    }

    pub fn gap(&mut self, gap: &GapRecord) {
        self.last_time = self.last_time.max(gap.time);
        self.loss.gaps += 1;
        match gap.kind {
            GapKind::Capture => self.loss.capture += gap.len,
            GapKind::Network => self.loss.network += gap.len,
        }
        self.interrupt(gap.direction);
    }

    pub fn anomaly(&mut self, anomaly: &AnomalyRecord) {
        // Bytes that could not be decoded are missing as well.
        if let ("lost-sync" | "resynced", Some(direction)) = (anomaly.kind, anomaly.direction) {
            self.interrupt(direction);
        }
    }

    fn interrupt(&mut self, direction: Direction) {
        let streams = self.streams.iter_mut().filter(|stream| stream.direction == direction);
        for stream in streams {
            stream.tracks.iter_mut().for_each(TrackBuilder::interrupt);
        }
    }

    pub fn message(&mut self, message: &Message) {
        self.last_time = self.last_time.max(message.time);
        self.last.message = Some((message.direction, message.time));
        match message.confidence {
            Confidence::Exact => self.confidence.exact += 1,
            Confidence::Inferred => self.confidence.inferred += 1,
            Confidence::Resynced => self.confidence.resynced += 1,
        }
        self.confidence.damaged += u64::from(!message.complete);
        self.directions[message.direction.index()].message(message);
        let time = message.time;
        match &message.body {
            Body::Video(_) | Body::Audio(_) => {
                let bytes = u64::from(message.received);
                self.media_body(message, message.type_id, message.timestamp, &message.body, bytes);
            }
            Body::Aggregate(parts) => {
                // The first part's timestamp is the aggregate's own; the others follow at the
                // distances that theirs have (section 7.1.6).
                let first = parts.first().map_or(0, |part| part.timestamp);
                for part in parts {
                    let timestamp =
                        message.timestamp.wrapping_add(part.timestamp.wrapping_sub(first));
                    let bytes = part.range.len() as u64;
                    self.media_body(message, part.type_id, timestamp, &part.body, bytes);
                }
            }
            Body::Command(command) => self.command(message, command),
            Body::Data(data) => {
                let names = data.values.iter().filter_map(Value::as_text).take(2);
                if names.into_iter().any(|name| name == "onMetaData")
                    && let Some(value) = data.values.iter().find(|v| !v.properties().is_empty())
                {
                    let place = self.place(message);
                    let found = self.stream(message.direction, message.stream_id);
                    if let Some(stream) = found.and_then(|at| self.streams.get_mut(at)) {
                        let out = &mut self.contradictions;
                        stream.configs.metadata(place, value.properties(), out);
                    }
                }
            }
            Body::SetChunkSize { size, .. } => {
                let direction = &mut self.directions[message.direction.index()];
                change(&mut direction.figures.chunk_sizes, time, *size, &mut self.dropped);
            }
            Body::WindowAcknowledgementSize { size } => {
                self.directions[message.direction.index()].acks.window(time, *size);
            }
            Body::SetPeerBandwidth { size, .. } => {
                self.directions[message.direction.reverse().index()].acks.bandwidth(time, *size);
            }
            Body::Acknowledgement { sequence_number } => {
                self.directions[message.direction.reverse().index()].acks.ack(*sequence_number);
            }
            _ => {}
        }
    }

    fn place(&self, message: &Message) -> Place {
        Place { direction: message.direction, stream_id: message.stream_id, time: message.time }
    }

    fn media_body(
        &mut self,
        message: &Message,
        type_id: MessageType,
        timestamp: u32,
        body: &Body,
        bytes: u64,
    ) {
        let (media, tracks) = match body {
            Body::Video(tag) => (
                Media {
                    codec: tag.codec_name(),
                    enhanced: tag.enhanced,
                    key: tag.is_key() && tag.is_coded(),
                    coded: tag.is_coded(),
                    config: tag.is_sequence_header(),
                },
                &tag.tracks,
            ),
            Body::Audio(tag) => (
                Media {
                    codec: if tag.empty { "" } else { tag.codec_name() },
                    enhanced: tag.enhanced,
                    key: false,
                    coded: tag.is_coded() && !tag.empty,
                    config: tag.is_sequence_header(),
                },
                &tag.tracks,
            ),
            _ => return,
        };
        self.media(message, type_id, timestamp, tracks, bytes, media);
    }

    /// Where the stream's figures are; `None` when there are too many streams.
    fn stream(&mut self, direction: Direction, stream_id: Option<u32>) -> Option<usize> {
        let is =
            |stream: &StreamBuilder| stream.direction == direction && stream.stream_id == stream_id;
        if let Some(at) = self.streams.iter().position(is) {
            return Some(at);
        }
        if self.streams.len() >= MAX_STREAMS {
            self.dropped += 1;
            return None;
        }
        self.streams.push(StreamBuilder {
            direction,
            stream_id,
            tracks: Vec::new(),
            configs: Configs::default(),
            clock: StreamClock::default(),
            first: [None; 2],
            interleave: 0,
            latest: [None; 2],
        });
        Some(self.streams.len() - 1)
    }

    fn media(
        &mut self,
        message: &Message,
        type_id: MessageType,
        timestamp: u32,
        tracks: &[Track],
        bytes: u64,
        media: Media<'_>,
    ) {
        let (time, place) = (message.time, self.place(message));
        let video = type_id == MessageType::VIDEO;
        if media.coded {
            let since = time.nanos_since(self.start);
            let first =
                if video { &mut self.setup.first_video } else { &mut self.setup.first_audio };
            first.get_or_insert(since);
            if media.key {
                self.setup.first_key_frame.get_or_insert(since);
            }
        }
        let Some(at) = self.stream(message.direction, message.stream_id) else { return };
        let Some(stream) = self.streams.get_mut(at) else { return };
        // Timestamps that are only relative say nothing about clocks.
        if media.coded && message.timestamp_exact {
            let unwrapped = stream.clock.push(time, timestamp, video);
            stream.first[usize::from(video)].get_or_insert(unwrapped);
            if let Some(other) = stream.latest[usize::from(!video)] {
                let apart = i64::from(timestamp.wrapping_sub(other) as i32).abs();
                if apart < super::track::RESET {
                    stream.interleave = stream.interleave.max(apart);
                }
            }
            stream.latest[usize::from(video)] = Some(timestamp);
        }
        let count = tracks.len().max(1) as u64;
        for number in 0..tracks.len().max(1) {
            let track = tracks.get(number);
            let id = track.and_then(|track| track.id);
            let is = |builder: &TrackBuilder| {
                builder.figures.media == type_id && builder.figures.track == id
            };
            let found = stream.tracks.iter().position(is);
            if found.is_none() && stream.tracks.len() < MAX_TRACKS {
                stream.tracks.push(TrackBuilder::new(type_id, id));
            }
            let at = found.unwrap_or(stream.tracks.len() - 1);
            let Some(builder) = stream.tracks.get_mut(at).filter(|builder| is(builder)) else {
                self.dropped += 1;
                return;
            };
            let codec = track
                .and_then(|track| Some(track.fourcc?.codec_name()))
                .filter(|_| count > 1)
                .unwrap_or(media.codec);
            if !codec.is_empty() && builder.figures.codec != codec {
                builder.figures.codec = codec.to_owned();
                if matches!(id, None | Some(0)) {
                    stream.configs.codec(place, type_id, codec, &mut self.contradictions);
                }
            }
            builder.figures.enhanced |= media.enhanced;
            let share = match track {
                Some(track) if count > 1 => track.range.len() as u64,
                _ => bytes,
            };
            builder.push(Frame {
                time,
                timestamp,
                bytes: share,
                key: media.key,
                coded: media.coded,
                config: media.config,
                whole: message.complete,
            });
            if let Some(Track { config: Some(TrackConfig::Codec(config)), .. }) = track
                && matches!(id, None | Some(0))
            {
                stream.configs.config(place, type_id, config, &mut self.contradictions);
            }
        }
    }

    fn command(&mut self, message: &Message, command: &Command) {
        let name = command.name.lossy().into_owned();
        let from_client = message.direction == Direction::ClientToServer;
        let since = self.since_start(message.time);
        if let Some(code) = command.info("code")
            && !from_client
        {
            let code = code.lossy().into_owned();
            if self.setup.requested.is_some() && code.starts_with("NetStream.") {
                self.setup.answered = self.setup.answered.or(since);
            }
            self.last.status = Some((code, message.time));
        }
        if let Some(reply) = &message.reply {
            let request = reply.command.lossy();
            match request.as_ref() {
                "connect" => self.setup.connected = self.setup.connected.or(since),
                "createStream" => self.setup.stream_created = self.setup.stream_created.or(since),
                _ => {}
            }
            let found = self.responses.iter_mut().rev().find(|response| {
                response.direction != message.direction
                    && response.transaction_id.to_bits() == reply.transaction_id.to_bits()
                    && response.command == request
                    && response.response.is_none()
            });
            if let Some(response) = found {
                response.response = Some(message.time.nanos_since(response.time));
                response.result = Some(name != "_error");
                response.code = command.info("code").map(|code| code.lossy().into_owned());
            }
        } else if !command.is_reply() {
            if from_client {
                match &*name {
                    "connect" => self.setup.connect = self.setup.connect.or(since),
                    "publish" | "play" => self.setup.requested = self.setup.requested.or(since),
                    _ => {}
                }
            }
            // Transaction id 0 asks for no reply (section 7.1.1).
            if let Some(id) = command.transaction_id.filter(|id| *id != 0.0) {
                match self.responses.len() < MAX_RESPONSES {
                    true => self.responses.push(Response {
                        command: name.clone(),
                        transaction_id: id,
                        direction: message.direction,
                        time: message.time,
                        response: None,
                        result: None,
                        code: None,
                    }),
                    false => self.dropped += 1,
                }
            }
        }
        self.last.command[message.direction.index()] = Some((name, message.time));
    }

    pub fn end(&mut self, end: &SessionEnd) {
        self.last_time = self.last_time.max(end.time);
        self.loss.undecoded = end.undecoded_bytes.iter().sum();
        for (direction, stats) in self.directions.iter_mut().zip(&end.tcp) {
            direction.figures.tcp = Some(TcpFigures { stats: stats.clone() });
        }
        // Few servers answer the commands around publish, and nobody waits for them.
        let unanswered = self
            .responses
            .iter()
            .filter(|r| r.response.is_none())
            .filter(|r| matches!(&*r.command, "connect" | "createStream"))
            .map(|r| r.command.clone())
            .collect();
        self.close = Some(self.last.close(end, unanswered));
    }

    /// What there is to say by now.
    pub fn finish(&self) -> SessionFigures {
        let streams: Vec<_> = self.streams.iter().filter(|s| !s.tracks.is_empty()).collect();
        let mut contradictions = self.contradictions.clone();
        let mut dropped = self.dropped;
        let mut figures = Vec::with_capacity(streams.len());
        for stream in streams {
            let stream_figures = stream.finish();
            let place = Place {
                direction: stream.direction,
                stream_id: stream.stream_id,
                time: self.last_time,
            };
            let first = stream_figures.tracks.iter().find(|track| {
                track.media == MessageType::VIDEO && track.track.is_none_or(|id| id == 0)
            });
            contradictions.extend(first.and_then(|track| stream.configs.measured(place, track)));
            dropped += stream.tracks.iter().map(|track| track.dropped).sum::<u64>();
            figures.push(stream_figures);
        }
        dropped += self.directions.iter().map(|direction| direction.acks.dropped).sum::<u64>();
        SessionFigures {
            session: self.session,
            start: self.start,
            last: self.last_time,
            midstream: self.midstream,
            handshake: self.handshake.clone(),
            setup: self.setup.clone(),
            responses: self.responses.clone(),
            streams: figures,
            directions: [self.directions[0].finish(), self.directions[1].finish()],
            loss: self.loss,
            confidence: self.confidence,
            close: self.close.clone(),
            contradictions,
            dropped,
        }
    }
}

/// What a media message is.
#[derive(Clone, Copy)]
struct Media<'a> {
    codec: &'a str,
    enhanced: bool,
    key: bool,
    coded: bool,
    config: bool,
}

impl StreamBuilder {
    fn finish(&self) -> StreamFigures {
        let mut tracks: Vec<_> = self.tracks.iter().map(TrackBuilder::finish).collect();
        tracks.sort_by_key(|track| (track.media != MessageType::VIDEO, track.track));
        let ahead = &self.clock.ahead;
        let offset = series(ahead, |bucket| {
            let sum = bucket.audio.sum + bucket.video.sum;
            let count = bucket.audio.count + bucket.video.count;
            (count > 0).then(|| sum / count as f64)
        });
        let clock = ClockFigures {
            // Milliseconds a second are parts per thousand.
            drift_ppm: offset.slope().map(|slope| slope * 1000.0),
            offset,
            since: self.clock.since.or(ahead.start),
        };
        let av = match self.first {
            [Some(audio), Some(video)] => {
                let offset =
                    series(ahead, |bucket| Some(bucket.video.value()? - bucket.audio.value()?));
                Some(AvFigures {
                    start: Some(video - audio),
                    range: offset.range(),
                    drift_ppm: offset.slope().map(|slope| slope * 1000.0),
                    interleave: self.interleave,
                    offset,
                })
            }
            _ => None,
        };
        StreamFigures { direction: self.direction, stream_id: self.stream_id, tracks, av, clock }
    }
}

impl DirectionBuilder {
    fn message(&mut self, message: &Message) {
        let figures = &mut self.figures;
        let headers = message.headers.len();
        let payload = u64::from(message.received);
        figures.messages += 1;
        figures.chunks += u64::from(message.chunks);
        figures.payload += payload;
        figures.headers += headers;
        if figures.max_message.is_none_or(|max| message.length > max.value) {
            figures.max_message = Some(Changed { time: message.time, value: message.length });
        }
        let second = self.seconds.at(message.time);
        match message.type_id {
            MessageType::AUDIO => second.audio += payload,
            MessageType::VIDEO => second.video += payload,
            _ => second.other += payload,
        }
        second.headers += headers;
        let end = message
            .pieces
            .runs()
            .chain(message.headers.runs())
            .map(|run| run.offset + run.stride * run.count.saturating_sub(1) + run.len);
        self.acks.sent(end.max().unwrap_or(message.offset));
        self.first = self.first.or(Some(message.time));
        self.last = self.last.max(Some(message.time));
    }

    fn finish(&self) -> DirectionFigures {
        let mut figures = self.figures.clone();
        figures.seconds = self.seconds.items.clone();
        figures.width = self.seconds.width;
        let bits = |bytes: u64, nanos: i64| bytes as f64 * 8.0 * SECOND as f64 / nanos as f64;
        let peak = figures.seconds.iter().map(Second::total).max().unwrap_or(0);
        figures.peak_bitrate = bits(peak, figures.width);
        figures.bitrate = self
            .first
            .zip(self.last)
            .map(|(first, last)| last.nanos_since(first))
            .filter(|nanos| *nanos > 0)
            .map(|nanos| bits(figures.payload + figures.headers, nanos));
        figures.acks = self.acks.finish();
        figures
    }
}
