//! All that is known of a session.

use super::connect::MAX_KEPT;
use super::{Connect, ConnectReply, Request, Requests, Side, Status, Stream, Streams};
use crate::analysis::{GapRecord, HandshakeRecord, MessageRecord, SessionRecord};
use crate::base::{Direction, Timestamp};
use crate::lint::finding::Place;
use crate::wire::message::Body;

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
    /// Where the client said that it goes: FCUnpublish, closeStream, deleteStream.
    pub goodbye: Option<Place>,
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
            goodbye: None,
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
            body => {
                let peer_offset = self.sides[peer].offset;
                self.sides[own].control(body, peer_offset, &place);
                if let Body::UserControl(event) = body
                    && event.event.0 == 7
                {
                    self.sides[peer].pong(event.timestamp);
                }
            }
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
        self.requests.command(message, command, &place);
        self.streams.command(message, command, &place);
    }
}
