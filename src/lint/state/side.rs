//! One direction of a session.

use std::collections::VecDeque;

use super::media::Clock;
use super::tcp::Transmission;
use super::{Kind, MediaTrack, Tracks};
use crate::base::{Direction, Timestamp};
use crate::lint::finding::Place;
use crate::rtmp::{Handshake, Message};
use crate::wire::amf::Value;
use crate::wire::message::{Body, MessageType};

/// What one side has sent.
#[derive(Clone, Debug)]
pub struct Side {
    /// Who.
    pub direction: Direction,
    /// Its handshake, once it is over.
    pub handshake: Option<Handshake>,
    /// Where bytes are missing for the first time; the beginning, when the capture began later.
    pub gap: Option<Place>,
    /// Stream offset just past the last byte that is accounted for.
    pub offset: u64,
    /// Messages.
    pub messages: u64,
    /// Chunks.
    pub chunks: u64,
    /// Payload bytes of complete messages.
    pub payload_bytes: u64,
    /// When its first message came.
    pub first_message: Option<Timestamp>,
    /// When its last message came.
    pub last_message: Option<Timestamp>,
    /// Type and place of its last message.
    pub last: Option<(MessageType, Place)>,
    /// Chunk size in force, in bytes; 128 until it says otherwise.
    pub chunk_size: u32,
    /// Where it last changed its chunk size.
    pub chunk_size_at: Option<Place>,
    /// Chunk streams in the order they were first used.
    pub chunk_streams: Vec<ChunkStream>,
    /// Window Acknowledgement Size that it announced: how often it wants to hear.
    pub window: Option<u32>,
    /// Where it announced it.
    pub window_at: Option<Place>,
    /// Window and limit type of its last Set Peer Bandwidth.
    pub peer_bandwidth: Option<(u32, Option<u8>)>,
    /// Where it sent it.
    pub peer_bandwidth_at: Option<Place>,
    /// Its acknowledgements: how many, and the last one.
    pub acknowledgements: u64,
    /// Sequence number of the last acknowledgement and what the peer had sent by then.
    pub last_acknowledgement: Option<(u32, u64)>,
    /// Pings that it asked and nobody answered yet: event timestamp and when.
    pub pings: VecDeque<(u32, Place)>,
    /// Its audio: messages of type 8.
    pub audio: Clock,
    /// Its video: messages of type 9.
    pub video: Clock,
    /// What TCP did.
    pub tcp: Transmission,
    /// Where it sent onMetaData last, and what it said.
    pub metadata: Option<(Place, Value)>,
    /// How often it sent onMetaData.
    pub metadata_count: u64,
    /// Whether it announced a chunk size that cannot be: what follows is guesswork for its peer.
    pub bad_chunk_size: bool,
    /// Its last message, if that is not complete.
    pub cut: Option<CutMessage>,
    pub(in crate::lint) tracks: Tracks,
}

/// A message of which bytes are missing at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct CutMessage {
    /// Its type.
    pub type_id: MessageType,
    /// Announced bytes.
    pub length: u32,
    /// Bytes that came.
    pub received: u32,
    /// Where.
    pub place: Place,
}

/// A chunk stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkStream {
    /// Chunk stream id.
    pub csid: u32,
    /// Messages on it.
    pub messages: u64,
    /// A bit per message type id below 32.
    pub types: u32,
    /// Timestamp of its last message.
    pub timestamp: u32,
    /// Message stream id of its last message.
    pub stream_id: Option<u32>,
    /// Length of its last message.
    pub length: u32,
}

/// Chunk streams that are remembered: more than any program uses, and few enough to walk.
const MAX_CHUNK_STREAMS: usize = 128;

/// Open pings that are remembered.
const MAX_PINGS: usize = 16;

impl Side {
    pub(in crate::lint) fn new(direction: Direction) -> Side {
        Side {
            direction,
            handshake: None,
            gap: None,
            offset: 0,
            messages: 0,
            chunks: 0,
            payload_bytes: 0,
            first_message: None,
            last_message: None,
            last: None,
            chunk_size: 128,
            chunk_size_at: None,
            chunk_streams: Vec::new(),
            window: None,
            window_at: None,
            peer_bandwidth: None,
            peer_bandwidth_at: None,
            acknowledgements: 0,
            last_acknowledgement: None,
            pings: VecDeque::new(),
            audio: Clock::default(),
            video: Clock::default(),
            tcp: Transmission::default(),
            metadata: None,
            metadata_count: 0,
            bad_chunk_size: false,
            cut: None,
            tracks: Tracks::default(),
        }
    }

    /// Whether every byte so far was captured.
    pub fn is_whole(&self) -> bool {
        self.gap.is_none()
    }

    /// Whether anything of it was decoded.
    pub fn spoke(&self) -> bool {
        self.handshake.is_some() || self.messages > 0
    }

    /// The chunk stream of that id, if it was used.
    pub fn chunk_stream(&self, csid: u32) -> Option<&ChunkStream> {
        self.chunk_streams.iter().find(|stream| stream.csid == csid)
    }

    /// Milliseconds of media time from its first to its last audio or video message.
    pub fn media_ms(&self) -> i64 {
        self.audio.span_ms().max(self.video.span_ms())
    }

    /// Its tracks, in the order they were first seen.
    pub fn tracks(&self) -> &[MediaTrack] {
        &self.tracks.all
    }

    /// A track.
    pub fn track(&self, kind: Kind, id: u8) -> Option<&MediaTrack> {
        self.tracks.all.iter().find(|track| track.kind == kind && track.id == id)
    }

    /// Audio and video messages.
    pub fn media_messages(&self) -> u64 {
        self.audio.messages + self.video.messages
    }

    /// When the first and the last audio or video message came.
    pub fn media_times(&self) -> Option<(Timestamp, Timestamp)> {
        let clocks = [&self.audio, &self.video];
        let first = clocks.iter().filter_map(|clock| clock.first_time).min()?;
        let last = clocks.iter().filter_map(|clock| clock.last_time).max()?;
        Some((first, last))
    }

    /// Takes note of a message of this side.
    pub(super) fn message(&mut self, message: &Message, place: &impl Fn() -> Place) {
        self.messages += 1;
        self.chunks += u64::from(message.chunks);
        self.payload_bytes += u64::from(message.received);
        self.first_message.get_or_insert(message.time);
        self.last_message = Some(message.time);
        let end = message.pieces.runs().last().or(message.headers.runs().last());
        if let Some(run) = end {
            let last = run.stride.saturating_mul(run.count.saturating_sub(1));
            let end = run.offset.saturating_add(last).saturating_add(run.len);
            self.offset = self.offset.max(end);
        }
        self.chunk_stream_of(message);
        self.cut = (!message.complete && message.holes.is_empty()).then(|| CutMessage {
            type_id: message.type_id,
            length: message.length,
            received: message.received,
            place: place(),
        });
        match message.type_id {
            MessageType::AUDIO | MessageType::VIDEO => {
                let clock = match message.type_id {
                    MessageType::AUDIO => &mut self.audio,
                    _ => &mut self.video,
                };
                clock.message(message);
                self.tracks.message(message, place);
            }
            _ => self.last = Some((message.type_id, place())),
        }
    }

    /// Takes note of a control message of this side; `peer` is the offset that the other side has
    /// reached.
    pub(super) fn control(&mut self, body: &Body, peer: u64, place: &impl Fn() -> Place) {
        match body {
            Body::SetChunkSize { size, reserved_bit: false } if *size > 0 => {
                self.chunk_size = *size;
                self.chunk_size_at = Some(place());
            }
            Body::Data(data) => {
                let named = data
                    .values
                    .iter()
                    .position(|v| v.as_text().is_some_and(|name| *name == "onMetaData"));
                if let Some(value) = named.and_then(|at| data.values.get(at + 1)) {
                    self.metadata_count += 1;
                    self.metadata = Some((place(), value.clone()));
                }
            }
            Body::SetChunkSize { .. } => self.bad_chunk_size = true,
            Body::Acknowledgement { sequence_number } => {
                self.acknowledgements += 1;
                self.last_acknowledgement = Some((*sequence_number, peer));
            }
            Body::WindowAcknowledgementSize { size } => {
                self.window = Some(*size);
                self.window_at = Some(place());
            }
            Body::SetPeerBandwidth { size, limit } => {
                self.peer_bandwidth = Some((*size, limit.map(|limit| limit.0)));
                self.peer_bandwidth_at = Some(place());
            }
            Body::UserControl(event) if event.event.0 == 6 => {
                if self.pings.len() == MAX_PINGS {
                    self.pings.pop_front();
                }
                self.pings.push_back((event.timestamp.unwrap_or(0), place()));
            }
            _ => {}
        }
    }

    /// A ping response came: the request that it answers is over, and those before it, or the
    /// oldest one when it answers none.
    pub(super) fn pong(&mut self, timestamp: Option<u32>) {
        let at = self.pings.iter().position(|(asked, _)| Some(*asked) == timestamp).unwrap_or(0);
        self.pings.drain(..(at + 1).min(self.pings.len()));
    }

    fn chunk_stream_of(&mut self, message: &Message) {
        let bit = 1_u32.checked_shl(u32::from(message.type_id.0)).unwrap_or(0);
        let known = self.chunk_streams.iter().position(|stream| stream.csid == message.csid);
        let room = self.chunk_streams.len() < MAX_CHUNK_STREAMS;
        match known.and_then(|at| self.chunk_streams.get_mut(at)) {
            Some(stream) => {
                stream.messages += 1;
                stream.types |= bit;
                stream.timestamp = message.timestamp;
                stream.stream_id = message.stream_id;
                stream.length = message.length;
            }
            None if room => {
                self.chunk_streams.push(ChunkStream {
                    csid: message.csid,
                    messages: 1,
                    types: bit,
                    timestamp: message.timestamp,
                    stream_id: message.stream_id,
                    length: message.length,
                });
            }
            None => {}
        }
    }
}
