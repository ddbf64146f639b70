//! A message in 48 bytes.

use super::intern::Symbol;
use crate::base::{Direction, Timestamp};
use crate::rtmp::{Confidence, Message};
use crate::wire::message::{Body, MessageType};

/// What a media message is, or a data message about media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MediaKind {
    /// Not media.
    #[default]
    None,
    /// Coded key frame.
    Key,
    /// Coded inter frame.
    Inter,
    /// Coded inter frame that nothing refers to.
    Disposable,
    /// Coded audio.
    Audio,
    /// Codec configuration.
    SequenceHeader,
    /// End of sequence.
    SequenceEnd,
    /// Video command (frame type 5).
    Command,
    /// Enhanced RTMP metadata packet (HDR), or a multichannel configuration.
    Metadata,
    /// An audio message without payload.
    Silence,
    /// Media that the header does not classify.
    Other,
}

impl MediaKind {
    /// `key`, `inter`, … as filters and tables spell it; empty for [`MediaKind::None`].
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::None => "",
            MediaKind::Key => "key",
            MediaKind::Inter => "inter",
            MediaKind::Disposable => "disposable",
            MediaKind::Audio => "audio",
            MediaKind::SequenceHeader => "seq-header",
            MediaKind::SequenceEnd => "seq-end",
            MediaKind::Command => "command",
            MediaKind::Metadata => "metadata",
            MediaKind::Silence => "silence",
            MediaKind::Other => "other",
        }
    }

    /// Whether the message carries coded frames.
    pub fn is_coded(self) -> bool {
        matches!(self, MediaKind::Key | MediaKind::Inter | MediaKind::Disposable | MediaKind::Audio)
    }

    fn of(body: &Body) -> MediaKind {
        match body {
            Body::Video(tag) if tag.is_command() => MediaKind::Command,
            Body::Video(tag) if tag.is_sequence_header() => MediaKind::SequenceHeader,
            Body::Video(tag) if tag.is_coded() => match tag.frame_type {
                1 | 4 => MediaKind::Key,
                3 => MediaKind::Disposable,
                _ => MediaKind::Inter,
            },
            Body::Video(tag) => Self::rest(tag.packet_name()),
            Body::Audio(tag) if tag.empty => MediaKind::Silence,
            Body::Audio(tag) if tag.is_sequence_header() => MediaKind::SequenceHeader,
            Body::Audio(tag) if tag.is_coded() => MediaKind::Audio,
            Body::Audio(tag) => Self::rest(tag.packet_name()),
            _ => MediaKind::None,
        }
    }

    fn rest(packet: Option<&str>) -> MediaKind {
        match packet {
            Some("sequence_end") => MediaKind::SequenceEnd,
            Some("metadata" | "multichannel_config") => MediaKind::Metadata,
            _ => MediaKind::Other,
        }
    }
}

/// One message. Its place in the capture is a [`super::Place`] of its session.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// When its last byte was captured.
    pub time: Timestamp,
    /// Timestamp in milliseconds, modulo 2^32.
    pub timestamp: u32,
    /// Announced payload length in bytes.
    pub length: u32,
    /// Command name, name of the data message's handler or of the shared object, codec of media,
    /// value of a control message in words.
    pub label: Symbol,
    /// `extra` of commands: status code of a reply, stream name of `publish` and `play`, `app` of
    /// `connect`. Of video: composition time in milliseconds (24 bits, signed) below the track id.
    /// Of audio: the track id in the same place. Of control: the value.
    extra: u32,
    stream_id: u32,
    /// For replies: row number of the request, plus 1.
    request: u32,
    /// Message type id.
    pub type_id: MessageType,
    /// What a media message is.
    pub media: MediaKind,
    flags: u16,
    csid: u32,
    /// Where its [`super::Place`] is in the session's arena.
    pub(super) place: u32,
    /// First packet that holds a byte of it. Of a capture of more than 4,294,967,295 packets the
    /// last ones count as one.
    pub(super) first_frame: u32,
}

const DIRECTION: u16 = 1;
const COMPLETE: u16 = 1 << 1;
const TIMESTAMP_EXACT: u16 = 1 << 2;
const EXTENDED: u16 = 1 << 3;
const STOPPED: u16 = 1 << 4;
const HAS_CTS: u16 = 1 << 5;
const ENHANCED: u16 = 1 << 6;
const MULTITRACK: u16 = 1 << 7;
const HAS_TRACK: u16 = 1 << 12;
const TRACK: u32 = 24;
const CONFIDENCE: u32 = 8;
const FMT: u32 = 10;

impl Row {
    pub(super) fn new(message: &Message, label: Symbol, code: Symbol) -> Row {
        let mut extra = code.0;
        let mut flags = 0;
        let mut set = |flag, on: bool| flags |= if on { flag } else { 0 };
        set(DIRECTION, message.direction == Direction::ServerToClient);
        set(COMPLETE, message.complete);
        set(TIMESTAMP_EXACT, message.timestamp_exact);
        set(EXTENDED, message.extended_timestamp);
        set(STOPPED, message.stop.is_some());
        match &message.body {
            Body::Video(tag) => {
                set(ENHANCED, tag.enhanced);
                set(MULTITRACK, tag.multitrack.is_some());
                let track = tag.tracks.first().and_then(|track| track.id);
                set(HAS_TRACK, track.is_some());
                set(HAS_CTS, tag.composition_time.is_some());
                // FLV's composition time has 24 bits.
                let cts = tag.composition_time.unwrap_or(0) as u32 & 0xff_ffff;
                extra = u32::from(track.unwrap_or(0)) << TRACK | cts;
            }
            Body::Audio(tag) => {
                set(ENHANCED, tag.enhanced);
                set(MULTITRACK, tag.multitrack.is_some());
                let track = tag.tracks.first().and_then(|track| track.id);
                set(HAS_TRACK, track.is_some());
                extra = u32::from(track.unwrap_or(0)) << TRACK;
            }
            body => extra = control_value(body).unwrap_or(extra),
        }
        flags |= (message.confidence as u16) << CONFIDENCE | u16::from(message.fmt & 3) << FMT;
        Row {
            time: message.time,
            timestamp: message.timestamp,
            length: message.length,
            label,
            extra,
            stream_id: message.stream_id.unwrap_or(u32::MAX),
            request: 0,
            type_id: message.type_id,
            media: MediaKind::of(&message.body),
            flags,
            csid: message.csid,
            place: 0,
            first_frame: 0,
        }
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Who sent it.
    pub fn direction(&self) -> Direction {
        match self.has(DIRECTION) {
            true => Direction::ServerToClient,
            false => Direction::ClientToServer,
        }
    }

    /// Whether all of the payload was seen.
    pub fn complete(&self) -> bool {
        self.has(COMPLETE)
    }

    /// False when timestamp deltas were lost or never seen.
    pub fn timestamp_exact(&self) -> bool {
        self.has(TIMESTAMP_EXACT)
    }

    /// Whether an extended timestamp field was used.
    pub fn extended_timestamp(&self) -> bool {
        self.has(EXTENDED)
    }

    /// Whether decoding the payload stopped early.
    pub fn stopped(&self) -> bool {
        self.has(STOPPED)
    }

    /// Whether media has the Enhanced RTMP header.
    pub fn enhanced(&self) -> bool {
        self.has(ENHANCED)
    }

    /// Whether media is multitrack.
    pub fn multitrack(&self) -> bool {
        self.has(MULTITRACK)
    }

    /// How sure the decoder is.
    pub fn confidence(&self) -> Confidence {
        match self.flags >> CONFIDENCE & 3 {
            0 => Confidence::Exact,
            1 => Confidence::Inferred,
            _ => Confidence::Resynced,
        }
    }

    /// Header format (0 to 3) of its first chunk.
    pub fn fmt(&self) -> u8 {
        (self.flags >> FMT & 3) as u8
    }

    /// Chunk stream id.
    pub fn csid(&self) -> u32 {
        self.csid
    }

    /// Message stream id; `None` when a mid-stream capture never showed it.
    pub fn stream_id(&self) -> Option<u32> {
        (self.stream_id != u32::MAX).then_some(self.stream_id)
    }

    /// Composition time in milliseconds, where video has one.
    pub fn composition_time(&self) -> Option<i32> {
        self.has(HAS_CTS).then_some((self.extra << 8) as i32 >> 8)
    }

    /// Track id of multitrack media: of the message's first track.
    pub fn track(&self) -> Option<u8> {
        self.has(HAS_TRACK).then_some((self.extra >> TRACK) as u8)
    }

    /// Status code of a reply, stream name of `publish` and `play`, `app` of `connect`.
    pub fn code(&self) -> Symbol {
        match self.type_id.is_media() || self.type_id.is_control() {
            true => Symbol::NONE,
            false => Symbol(self.extra),
        }
    }

    /// Of protocol control and user control messages: chunk size, sequence number, window size,
    /// chunk stream of an Abort, or the first value of a user control event (message stream or
    /// ping timestamp).
    pub fn value(&self) -> Option<u32> {
        self.type_id.is_control().then_some(self.extra)
    }

    /// For replies: row number of the request in the same session.
    pub fn request(&self) -> Option<usize> {
        (self.request as usize).checked_sub(1)
    }

    pub(super) fn set_request(&mut self, row: usize) {
        self.request = u32::try_from(row + 1).unwrap_or(0);
    }
}

fn control_value(body: &Body) -> Option<u32> {
    match body {
        Body::SetChunkSize { size, .. }
        | Body::WindowAcknowledgementSize { size }
        | Body::SetPeerBandwidth { size, .. } => Some(*size),
        Body::Abort { csid } => Some(*csid),
        Body::Acknowledgement { sequence_number } => Some(*sequence_number),
        Body::UserControl(control) => control.stream_id.or(control.timestamp),
        _ => None,
    }
}
