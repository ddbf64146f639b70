//! Media and data from publishers to players.

use bytes::Bytes;

use super::connection::{Content, Sending, Stream, csid};
use super::control::{event, stream_event};
use super::defects::Flag;
use super::engine::{ConnId, Engine};
use super::hub::{Seat, config_key};
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::message::{AggregatePart, Body, Data, MessageType};

/// `@setDataFrame` as an AMF0 string.
const SET_DATA_FRAME: &[u8] = b"\x02\x00\x0d@setDataFrame";

impl Engine {
    /// Audio or video came.
    pub(super) fn media(
        &mut self,
        id: ConnId,
        msid: u32,
        type_id: MessageType,
        timestamp: u32,
        payload: Bytes,
        body: &Body,
    ) {
        let Some(key) = self.publication(id, msid) else {
            return self.early_media(id, type_id, payload);
        };
        let skew = self.conn(id).map_or(0, |connection| connection.skew);
        let timestamp = timestamp.wrapping_add(skew);
        let Some(publication) = self.hub.get_mut(&key) else { return };
        let wrapped = publication.timestamp > timestamp.saturating_add(1 << 31);
        if wrapped && self.faults.has(Flag::WrapDropped) {
            return;
        }
        publication.timestamp = timestamp;
        let config = config_key(body);
        let kind = match (&config, type_id) {
            (Some(_), _) => Kind::Config,
            (None, MessageType::VIDEO) => Kind::of_video(body),
            _ => Kind::Audio,
        };
        if let Some(config) = &config
            && self.faults.has(Flag::OldConfigStays)
            && publication.configs.contains_key(config)
        {
            return;
        }
        if let Some(config) = config.filter(|c| {
            let first = self.faults.has(Flag::FirstConfigStays);
            !(first && publication.configs.contains_key(c))
        }) {
            publication.keep(config, type_id, payload.clone());
        }
        let players = publication.players.clone();
        publication.has_video |= matches!(kind, Kind::Key | Kind::Inter);
        for seat in players {
            self.relay(seat, type_id, timestamp, &payload, kind);
        }
    }

    /// Media on a stream that does not publish is nobody's, but for faults.
    fn early_media(&mut self, id: ConnId, type_id: MessageType, payload: Bytes) {
        let any_stream = self.faults.has(Flag::AnyStreamPublishes);
        let keeps = self.faults.has(Flag::EarlyMediaRelayed);
        let Some(connection) = self.conn(id) else { return };
        if keeps && connection.early.len() < 16 {
            connection.early.push((type_id, payload.clone()));
        }
        let published = connection.streams.values().find_map(|stream| match stream {
            Stream::Publishing(key) => Some(key.clone()),
            _ => None,
        });
        let Some(key) = published.filter(|_| any_stream) else { return };
        let Some(publication) = self.hub.get(&key) else { return };
        let timestamp = publication.timestamp;
        for seat in publication.players.clone() {
            self.relay(seat, type_id, timestamp, &payload, Kind::Key);
        }
    }

    /// Several messages in one.
    pub(super) fn aggregate(
        &mut self,
        id: ConnId,
        msid: u32,
        message: &Message,
        parts: &[AggregatePart],
    ) {
        if self.faults.has(Flag::AggregateIgnored) {
            return;
        }
        // The first part's time is the aggregate's: differences count (section 7.1.6).
        let base = parts.first().map_or(0, |part| part.timestamp);
        for part in parts {
            let timestamp = message.timestamp.wrapping_add(part.timestamp.wrapping_sub(base));
            let Some(payload) = message.payload.get(part.range.clone()) else { continue };
            let payload = message.payload.slice_ref(payload);
            match &part.body {
                Body::Audio(_) | Body::Video(_) => {
                    self.media(id, msid, part.type_id, timestamp, payload, &part.body);
                }
                Body::Data(data) => {
                    self.metadata(id, msid, part.type_id, timestamp, payload, data);
                }
                _ => {}
            }
        }
    }

    /// A data message came.
    pub(super) fn data(&mut self, id: ConnId, msid: u32, message: &Message, data: &Data) {
        let payload = message.payload.clone();
        self.metadata(id, msid, message.type_id, message.timestamp, payload, data);
    }

    fn metadata(
        &mut self,
        id: ConnId,
        msid: u32,
        type_id: MessageType,
        timestamp: u32,
        payload: Bytes,
        data: &Data,
    ) {
        let Some(key) = self.publication(id, msid) else { return };
        let Some(publication) = self.hub.get_mut(&key) else { return };
        // Old FFmpeg sends four zero bytes: no handler, no use.
        let Some(mut name) = data.name() else { return };
        let mut payload = payload;
        if *name == "@clearDataFrame" {
            publication.metadata = None;
            return;
        }
        if *name == "@setDataFrame" {
            let Some(inner) = data.values.get(1).and_then(Value::as_text) else { return };
            name = inner;
            if !self.faults.has(Flag::KeepsDataFramePrefix) {
                payload = without_prefix(type_id, payload);
            }
        } else if self.faults.has(Flag::PlainMetadataLost) {
            return;
        }
        let stays = publication.metadata.is_some() && self.faults.has(Flag::FirstMetadataStays);
        if *name == "onMetaData" && !stays {
            publication.metadata = Some((type_id, payload.clone()));
        }
        for seat in publication.players.clone() {
            self.relay(seat, type_id, timestamp, &payload, Kind::Config);
        }
    }

    /// Sends a player what it needs before coded frames.
    pub(super) fn catch_up(&mut self, id: ConnId, msid: u32) {
        let Some(player) = self.player((id, msid)) else { return };
        let key = player.key.clone();
        let Some(publication) = self.hub.get(&key) else { return };
        let (has_video, timestamp) = (publication.has_video, publication.timestamp);
        let first = publication.metadata.iter().chain(publication.configs.values());
        let first: Vec<_> = first.cloned().collect();
        let headers = !self.faults.has(Flag::NoHeadersForLate);
        for (type_id, payload) in first.into_iter().filter(|_| headers) {
            self.relay((id, msid), type_id, timestamp, &payload, Kind::Config);
        }
        let needs_key = has_video && !self.faults.has(Flag::StartsWithInter);
        if let Some(player) = self.player((id, msid)) {
            player.needs_key = needs_key;
        }
    }

    fn relay(
        &mut self,
        seat: Seat,
        type_id: MessageType,
        timestamp: u32,
        payload: &Bytes,
        kind: Kind,
    ) {
        let (id, msid) = seat;
        let slow = self.options.max_backlog / 4;
        let Some(connection) = self.conn(id) else { return };
        let crowded = connection.backlog + connection.out.len() > slow;
        let Some(player) = self.player(seat) else { return };
        let wanted = match type_id {
            MessageType::AUDIO => player.audio,
            MessageType::VIDEO => player.video,
            _ => true,
        };
        if player.paused || !wanted {
            return;
        }
        // Behind a client that does not read, only a key frame makes sense again.
        if crowded && kind != Kind::Config {
            player.needs_key |= matches!(kind, Kind::Key | Kind::Inter);
            return;
        }
        match kind {
            Kind::Key => player.needs_key = false,
            Kind::Inter if player.needs_key => return,
            _ => {}
        }
        if kind != Kind::Config {
            let first = *player.first.get_or_insert(timestamp);
            let played = timestamp.wrapping_sub(first);
            if player.duration.is_some_and(|duration| played > duration && played < 1 << 31) {
                return self.complete(seat);
            }
        }
        let csid = match type_id {
            MessageType::AUDIO => csid::AUDIO,
            MessageType::VIDEO => csid::VIDEO,
            _ => csid::DATA,
        };
        let content = Content::Raw(payload.clone());
        self.send(id, Sending::new(csid, type_id, timestamp, msid, content));
    }

    /// A player has had as much as it asked for.
    fn complete(&mut self, (id, msid): Seat) {
        self.end_stream(id, msid);
        self.send(id, stream_event(event::STREAM_EOF, msid));
        if let Some(connection) = self.conn(id) {
            connection.status(msid, "NetStream.Play.Stop", "Stopped playing.", b"");
        }
    }
}

/// What a message is to somebody who joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Needed whenever it comes.
    Config,
    Audio,
    /// Video can be decoded from here on.
    Key,
    /// Video that needs what came before.
    Inter,
}

impl Kind {
    fn of_video(body: &Body) -> Kind {
        match body {
            Body::Video(tag) if tag.command.is_some() || tag.frame_type == 5 => Kind::Config,
            Body::Video(tag) if matches!(tag.frame_type, 1 | 4) => Kind::Key,
            _ => Kind::Inter,
        }
    }
}

/// The payload without `@setDataFrame`, as players get it.
fn without_prefix(type_id: MessageType, payload: Bytes) -> Bytes {
    if payload.starts_with(SET_DATA_FRAME) {
        return payload.slice(SET_DATA_FRAME.len()..);
    }
    if type_id == MessageType::DATA_AMF3
        && let Some(rest) = payload.strip_prefix(&[0])
        && let Some(rest) = rest.strip_prefix(SET_DATA_FRAME)
    {
        return [&[0], rest].concat().into();
    }
    payload
}
