//! What there is to say of a session, in numbers.

use crate::analysis::flowctl::AckStyle;
use crate::base::{Direction, Timestamp};
use crate::flow::{DirectionStats, EndReason};
use crate::rtmp::Scheme;
use crate::wire::message::MessageType;

/// All figures of a session. Times within are nanoseconds unless they say otherwise.
#[derive(Clone, Debug)]
pub struct SessionFigures {
    /// Session number.
    pub session: u32,
    /// Time of its first packet.
    pub start: Timestamp,
    /// Time of the last thing that happened.
    pub last: Timestamp,
    /// Whether the capture holds its beginning.
    pub midstream: bool,
    /// The handshake.
    pub handshake: HandshakeFigures,
    /// When the steps of setting up were reached.
    pub setup: SetupFigures,
    /// Requests and their replies, in order of the requests.
    pub responses: Vec<Response>,
    /// Media of each direction and message stream.
    pub streams: Vec<StreamFigures>,
    /// What each direction sent, by [`Direction::index`].
    pub directions: [DirectionFigures; 2],
    /// Missing and undecoded bytes.
    pub loss: LossFigures,
    /// How sure the decoder was.
    pub confidence: ConfidenceFigures,
    /// How it ended; `None` while it goes on.
    pub close: Option<CloseFigures>,
    /// Where metadata and codec configurations disagree.
    pub contradictions: Vec<Contradiction>,
    /// Things that did not fit the limits and are not in these lists.
    pub dropped: u64,
}

/// The handshake.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HandshakeFigures {
    /// What the client did; `None` when it was not captured.
    pub client: Option<Scheme>,
    /// What the server did.
    pub server: Option<Scheme>,
    /// The client's version byte.
    pub version: Option<u8>,
    /// From the client's first byte to the server's last.
    pub round_trip: Option<i64>,
    /// From its first byte to the last byte of either side.
    pub duration: Option<i64>,
    /// Whether both sides were seen whole.
    pub complete: bool,
}

/// When the steps of setting up were reached, from the session's first packet on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetupFigures {
    /// Handshake of both sides over.
    pub handshake: Option<i64>,
    /// `connect` sent.
    pub connect: Option<i64>,
    /// Its reply.
    pub connected: Option<i64>,
    /// `createStream` answered.
    pub stream_created: Option<i64>,
    /// First `publish` or `play` sent.
    pub requested: Option<i64>,
    /// First status after it: `NetStream.Publish.Start`, `NetStream.Play.Start` or a refusal.
    pub answered: Option<i64>,
    /// First coded audio.
    pub first_audio: Option<i64>,
    /// First coded video.
    pub first_video: Option<i64>,
    /// First coded key frame.
    pub first_key_frame: Option<i64>,
}

/// A request and its reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// Command name.
    pub command: String,
    /// Transaction id.
    pub transaction_id: f64,
    /// Who asked.
    pub direction: Direction,
    /// When the request was complete.
    pub time: Timestamp,
    /// Time to the reply; `None` when none came.
    pub response: Option<i64>,
    /// Whether the reply is `_result`, rather than `_error`.
    pub result: Option<bool>,
    /// Status code of the reply, if it has one.
    pub code: Option<String>,
}

/// Media of one direction and message stream.
#[derive(Clone, Debug)]
pub struct StreamFigures {
    /// Who sends.
    pub direction: Direction,
    /// Message stream id; `None` when a mid-stream capture never showed it.
    pub stream_id: Option<u32>,
    /// Its tracks: video before audio, by track id.
    pub tracks: Vec<TrackFigures>,
    /// Audio against video; `None` when there is only one of them.
    pub av: Option<AvFigures>,
    /// Timestamps against the capture clock.
    pub clock: ClockFigures,
}

/// One track.
#[derive(Clone, Debug)]
pub struct TrackFigures {
    /// Audio or video.
    pub media: MessageType,
    /// Track id; `None` outside multitrack.
    pub track: Option<u8>,
    /// Codec, by its last message.
    pub codec: String,
    /// Whether the Enhanced RTMP header is used.
    pub enhanced: bool,
    /// Messages, configuration and damaged ones included.
    pub messages: u64,
    /// Payload bytes of all messages that were seen. Of a message with several tracks, its share.
    pub bytes: u64,
    /// Coded frames.
    pub frames: u64,
    /// Coded key frames.
    pub key_frames: u64,
    /// Configurations sent.
    pub configs: u64,
    /// First and last frame: capture times.
    pub arrival: Option<(Timestamp, Timestamp)>,
    /// First and last frame: timestamps in milliseconds, wraps undone, resets followed.
    pub timestamps: Option<(i64, i64)>,
    /// Frames per second of the sender's timestamps.
    pub fps_timestamp: Option<f64>,
    /// Frames per second as they arrived.
    pub fps_arrival: Option<f64>,
    /// Mean bits per second over the track's timestamps.
    pub bitrate: Option<f64>,
    /// Groups of pictures.
    pub gop: GopFigures,
    /// Longest wait for a frame.
    pub largest_gap: Option<FrameGap>,
    /// Largest step between timestamps of neighbouring frames, in milliseconds.
    pub largest_step: Option<i64>,
    /// Interarrival jitter (RFC 3550, section 6.4.1) at the end.
    pub jitter: Option<i64>,
    /// Largest jitter.
    pub max_jitter: i64,
    /// Timestamps below the frame's before (not wraps, not resets).
    pub backwards: u64,
    /// Timestamps equal to the frame's before.
    pub repeated: u64,
    /// Timestamps that jumped by more than ten seconds against the capture clock.
    pub resets: u64,
    /// Lost or undecoded bytes fell between frames: intervals that no figure counts.
    pub interruptions: u64,
}

/// The longest wait for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameGap {
    /// When it ended.
    pub time: Timestamp,
    /// How long it was.
    pub gap: i64,
}

/// Smallest, mean and largest of something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Largest.
    pub max: f64,
    /// Of how many.
    pub count: u64,
}

/// Groups of pictures of a track.
#[derive(Clone, Debug, Default)]
pub struct GopFigures {
    /// Length in milliseconds, of whole ones.
    pub millis: Option<Spread>,
    /// Frames, of whole ones.
    pub frames: Option<Spread>,
    /// Bits per second, of whole ones.
    pub bitrate: Option<Spread>,
    /// The table; when there are too many, the first ones.
    pub table: Vec<Gop>,
}

/// A group of pictures: a key frame and what depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gop {
    /// When its key frame arrived.
    pub time: Timestamp,
    /// Timestamp of its key frame in milliseconds, wraps undone.
    pub timestamp: i64,
    /// To the next key frame, in milliseconds of the sender's clock. Of the last one, to its last
    /// frame.
    pub millis: i64,
    /// Frames, the key frame included.
    pub frames: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Whether nothing is missing of it, and another key frame ended it.
    pub whole: bool,
}

impl Gop {
    /// Bits per second.
    pub fn bitrate(&self) -> Option<f64> {
        (self.millis > 0).then(|| self.bytes as f64 * 8000.0 / self.millis as f64)
    }
}

/// Audio against video. Positive offsets: video is ahead (its timestamps are larger).
#[derive(Clone, Debug, Default)]
pub struct AvFigures {
    /// Timestamp of the first video frame minus that of the first audio frame, in milliseconds.
    pub start: Option<i64>,
    /// Video minus audio over time, in milliseconds: what each is ahead of the capture clock,
    /// compared.
    pub offset: Series,
    /// Smallest and largest of that.
    pub range: Option<(f64, f64)>,
    /// How fast it grows, in parts per million; `None` for less than ten seconds.
    pub drift_ppm: Option<f64>,
    /// Largest timestamp difference between neighbouring audio and video messages, in
    /// milliseconds: what a receiver must buffer.
    pub interleave: i64,
}

/// Timestamps against the capture clock.
#[derive(Clone, Debug, Default)]
pub struct ClockFigures {
    /// How much faster timestamps run than the capture clock, in parts per million; `None` for
    /// less than ten seconds.
    pub drift_ppm: Option<f64>,
    /// Timestamps minus capture clock over time, in milliseconds, from 0.
    pub offset: Series,
    /// Since when: the last time that timestamps started anew.
    pub since: Option<Timestamp>,
}

/// Values at equal distances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Time of the first one.
    pub start: Timestamp,
    /// Distance in nanoseconds.
    pub width: i64,
    /// Means; `None` where there is nothing.
    pub values: Vec<Option<f64>>,
}

/// Bytes that one direction sent in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Audio payload.
    pub audio: u64,
    /// Video payload.
    pub video: u64,
    /// Other payload.
    pub other: u64,
    /// Chunk headers.
    pub headers: u64,
}

impl Second {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.audio + self.video + self.other + self.headers
    }
}

/// A value that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// When.
    pub time: Timestamp,
    /// To what.
    pub value: u32,
}

/// What one direction sent.
#[derive(Clone, Debug, Default)]
pub struct DirectionFigures {
    /// Messages.
    pub messages: u64,
    /// Chunks.
    pub chunks: u64,
    /// Payload bytes that were seen.
    pub payload: u64,
    /// Chunk header bytes.
    pub headers: u64,
    /// Bytes over time: [`DirectionFigures::width`] each, from the session's start on.
    pub seconds: Vec<Second>,
    /// Nanoseconds of one of them: a second, or more for a long session.
    pub width: i64,
    /// Most bits per second within one of them.
    pub peak_bitrate: f64,
    /// Mean bits per second from first to last message.
    pub bitrate: Option<f64>,
    /// Chunk sizes set; 128 before the first.
    pub chunk_sizes: Vec<Changed>,
    /// Largest message in bytes and when it came.
    pub max_message: Option<Changed>,
    /// Acknowledgements of what it sent.
    pub acks: AckFigures,
    /// TCP; `None` while the session goes on.
    pub tcp: Option<TcpFigures>,
}

impl DirectionFigures {
    /// Chunk headers as a share of all bytes, in percent.
    pub fn overhead(&self) -> Option<f64> {
        let all = self.headers + self.payload;
        (all > 0).then(|| self.headers as f64 * 100.0 / all as f64)
    }
}

/// Acknowledgements of what one direction sent.
#[derive(Clone, Debug, PartialEq)]
pub struct AckFigures {
    /// Windows in force for it: its sender's Window Acknowledgement Size.
    pub windows: Vec<Changed>,
    /// What the peer allowed by Set Peer Bandwidth.
    pub bandwidths: Vec<Changed>,
    /// Acknowledgements that came.
    pub count: u64,
    /// How they count.
    pub style: AckStyle,
    /// Most bytes that were sent and not acknowledged; of the whole direction when no
    /// Acknowledgement ever came.
    pub max_unacked: u64,
    /// The same at the end.
    pub unacked: u64,
    /// Most bytes between two Acknowledgements, or before the first.
    pub max_distance: u64,
}

impl Default for AckFigures {
    fn default() -> AckFigures {
        AckFigures {
            windows: Vec::new(),
            bandwidths: Vec::new(),
            count: 0,
            style: AckStyle::None,
            max_unacked: 0,
            unacked: 0,
            max_distance: 0,
        }
    }
}

/// TCP of one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct TcpFigures {
    /// Counters of reassembly.
    pub stats: DirectionStats,
}

/// Missing and undecoded bytes: three numbers that are never added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossFigures {
    /// Gaps.
    pub gaps: u64,
    /// The peer acknowledged them: the capture missed them.
    pub capture: u64,
    /// Lost on the way.
    pub network: u64,
    /// Seen, and part of no message.
    pub undecoded: u64,
}

/// Messages by how sure the decoder was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfidenceFigures {
    /// Every byte leads there.
    pub exact: u64,
    /// Mid-stream.
    pub inferred: u64,
    /// Found again after a gap.
    pub resynced: u64,
    /// Messages with missing payload.
    pub damaged: u64,
}

impl ConfidenceFigures {
    /// Share of messages that are exact and whole, 0 to 1.
    pub fn share(&self) -> Option<f64> {
        let all = self.exact + self.inferred + self.resynced;
        (all > 0).then(|| self.exact.saturating_sub(self.damaged) as f64 / all as f64)
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CloseFigures {
    /// What TCP says.
    pub reason: EndReason,
    /// When.
    pub time: Timestamp,
    /// Last command of either side, by direction: name and time.
    pub last_command: [Option<(String, Timestamp)>; 2],
    /// The server's last status code, and when it came.
    pub last_status: Option<(String, Timestamp)>,
    /// Who sent the last message, and when it was complete.
    pub last_message: Option<(Direction, Timestamp)>,
    /// From the last message to the end.
    pub idle: Option<i64>,
    /// Requests that were never answered.
    pub unanswered: Vec<String>,
    /// All of that in a sentence.
    pub sentence: String,
}

/// Metadata and codec configuration disagree.
#[derive(Clone, Debug, PartialEq)]
pub struct Contradiction {
    /// Who sent both.
    pub direction: Direction,
    /// Message stream.
    pub stream_id: Option<u32>,
    /// Name in the metadata, such as `width`.
    pub name: &'static str,
    /// What the metadata says.
    pub metadata: String,
    /// What the configuration, the codec or the timestamps say.
    pub actual: String,
    /// Where that is from: `configuration`, `codec` or `timestamps`.
    pub source: &'static str,
    /// When the second of the two came.
    pub time: Timestamp,
}
