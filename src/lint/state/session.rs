//! All that is known of a session.

use super::connect::MAX_KEPT;
use super::{Connect, ConnectReply, Request, Requests, Side, Status, Stream, StreamUse, Streams};
use crate::analysis::{GapRecord, HandshakeRecord, MessageRecord, SessionRecord, TcpRecord};
use crate::base::{Direction, Timestamp};
use crate::flow::TcpEventKind;
use crate::lint::finding::Place;
use crate::wire::message::Body;

/// The first FIN or RST of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Who sent it.
    pub direction: Direction,
    /// Whether it is a RST.
    pub reset: bool,
    /// Where.
    pub place: Place,
}

/// What is known of a session: what was negotiated, asked, answered and sent.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// How it began.
    pub info: SessionRecord,
    /// Time of the last record of it.
    pub now: Timestamp,
    /// Both directions, client to server first.
    pub sides: [Side; 2],
    /// The first `connect`.
    pub connect: Option<Connect>,
    /// What the server said to it.
    pub connect_reply: Option<ConnectReply>,
    /// Who closed first below RTMP, when the pipeline tells of TCP.
    pub closing: Option<Closing>,
    /// Where the client said that it goes: FCUnpublish, closeStream, deleteStream.
    pub goodbye: Option<Place>,
    /// The stream name that releaseStream or FCPublish announced: some servers refuse a publisher
    /// before it sends `publish`. A secret.
    pub announced: Option<(String, Place)>,
    /// The first session ticket of TLS 1.3.
    pub ticket: Option<Place>,
    pub(super) requests: Requests,
    pub(super) streams: Streams,
}

impl SessionState {
    pub(in crate::lint) fn new(info: &SessionRecord) -> SessionState {
        let mut sides = Direction::BOTH.map(Side::new);
        if info.midstream {
            for side in &mut sides {
                side.gap = Some(Place::at(info.time, Some(side.direction)));
            }
        }
        SessionState {
            info: info.clone(),
            now: info.time,
            sides,
            connect: None,
            connect_reply: None,
            closing: None,
            goodbye: None,
            announced: None,
            ticket: None,
            requests: Requests::default(),
            streams: Streams::default(),
        }
    }

    /// What `direction` sent.
    pub fn side(&self, direction: Direction) -> &Side {
        &self.sides[direction.index()]
    }

    /// What the client sent.
    pub fn client(&self) -> &Side {
        &self.sides[0]
    }

    /// What the server sent.
    pub fn server(&self) -> &Side {
        &self.sides[1]
    }

    /// Commands without an answer, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Request> {
        self.requests.pending.iter()
    }

    /// The last command of a side that was no answer.
    pub fn last_request(&self, direction: Direction) -> Option<&Request> {
        self.requests.last[direction.index()].as_ref()
    }

    /// Statuses and replies, oldest first.
    pub fn statuses(&self) -> impl DoubleEndedIterator<Item = &Status> {
        self.requests.statuses.iter()
    }

    /// Message streams in the order they were first named.
    pub fn streams(&self) -> &[Stream] {
        &self.streams.all
    }

    /// The stream that was published or played first.
    pub fn used_stream(&self) -> Option<&Stream> {
        self.streams.all.iter().find(|stream| stream.used.is_some())
    }

    /// What the client came for, as far as it said: FCPublish is as good as `publish`.
    pub fn purpose(&self) -> Option<StreamUse> {
        let used = self.used_stream().and_then(|stream| stream.used);
        used.or(self.announced.as_ref().map(|_| StreamUse::Publish))
    }

    /// Name of the stream that it is about: a secret.
    pub fn stream_name(&self) -> Option<&str> {
        let used = self.used_stream().and_then(|stream| stream.name.as_deref());
        used.or(self.announced.as_ref().map(|(name, _)| name.as_str()))
    }

    /// What the side that sends media sends: the client when it publishes.
    pub fn media_side(&self) -> &Side {
        match self.client().media_messages() >= self.server().media_messages() {
            true => self.client(),
            false => self.server(),
        }
    }

    /// The message stream of that id.
    pub fn stream(&self, id: u32) -> Option<&Stream> {
        self.streams.all.iter().find(|stream| stream.id == id)
    }

    /// Whether all of both directions was captured so far. A capture that holds one direction only
    /// does not: the other side must have spoken before a client can have sent more than C0 and C1.
    pub fn is_whole(&self) -> bool {
        let silent = self.sides.iter().any(|side| !side.spoke());
        let spoke = self.sides.iter().any(|side| side.handshake.is_some());
        self.sides.iter().all(Side::is_whole) && !(silent && spoke)
    }

    pub(in crate::lint) fn handshake(&mut self, record: &HandshakeRecord) {
        let handshake = &record.handshake;
        let side = &mut self.sides[handshake.direction.index()];
        side.offset = side.offset.max(handshake.end_offset);
        side.handshake = Some(handshake.clone());
    }

    pub(in crate::lint) fn gap(&mut self, record: &GapRecord) {
        let side = &mut self.sides[record.direction.index()];
        side.gap.get_or_insert_with(|| Place::of_gap(record));
        side.offset = side.offset.max(record.offset.saturating_add(record.len));
    }

    pub(in crate::lint) fn tcp(&mut self, record: &TcpRecord) {
        let reset = record.kind == TcpEventKind::Reset;
        if self.closing.is_none() && (reset || record.kind == TcpEventKind::Fin) {
            let direction = record.direction;
            let place =
                Place { frames: vec![record.frame], ..Place::at(record.time, Some(direction)) };
            self.closing = Some(Closing { direction, reset, place });
        }
        self.sides[record.direction.index()].tcp.event(record);
    }

    pub(in crate::lint) fn message(&mut self, record: &MessageRecord) {
        let message = &*record.message;
        let place = || Place::of(record);
        let (own, peer) = (message.direction.index(), message.direction.reverse().index());
        self.sides[own].message(message, &place);
        if message.type_id.is_media() || !message.complete {
            return;
        }
        match &message.body {
            Body::Command(_) => self.command(record),
            body if message.length <= MAX_KEPT => {
                let peer_offset = self.sides[peer].offset;
                self.sides[own].control(body, peer_offset, &place);
                if let Body::UserControl(event) = body
                    && event.event.0 == 7
                {
                    self.sides[peer].pong(event.timestamp);
                }
            }
            _ => {}
        }
    }

    fn command(&mut self, record: &MessageRecord) {
        let message = &*record.message;
        let Body::Command(command) = &message.body else { return };
        let place = || Place::of(record);
        let from_client = message.direction == Direction::ClientToServer;
        if from_client && command.name == "connect" && self.connect.is_none() {
            if message.length <= MAX_KEPT {
                self.connect = Some(Connect::of(command, place()));
            }
        } else if !from_client
            && command.is_reply()
            && self.connect_reply.is_none()
            && message.length <= MAX_KEPT
            && message.reply.as_ref().is_some_and(|reply| reply.command == "connect")
        {
            self.connect_reply = Some(ConnectReply::of(command, place()));
        }
        let goodbye = ["FCUnpublish", "closeStream", "deleteStream"];
        if from_client && goodbye.iter().any(|name| command.name == *name) {
            self.goodbye = Some(place());
        } else if from_client && (command.name == "publish" || command.name == "play") {
            self.goodbye = None;
        }
        if from_client && (command.name == "releaseStream" || command.name == "FCPublish") {
            let name = command.arguments.first().and_then(|value| value.as_text());
            if let Some(name) = name {
                self.announced = Some((super::requests::text(name), place()));
            }
        }
        self.requests.command(message, command, &place);
        self.streams.command(message, command, &place);
    }
}
