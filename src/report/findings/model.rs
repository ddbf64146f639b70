//! The report as it is written in JSON; the other formats are made of it.
//!
//! `docs/report.md` and `docs/report.schema.json` describe it; a test holds them together.

use serde::Serialize;

/// Number of the format. Added fields do not change it, another meaning of an old one does.
pub const SCHEMA_VERSION: u32 = 1;

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// `rtmpscope`.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Names of the captures.
    pub captures: Vec<String>,
    /// Whose thresholds counted.
    pub profile: &'static str,
    /// Time of the first packet, nanoseconds since 1970.
    pub epoch_ns: Option<i64>,
    /// Seconds from the first packet to the last.
    pub duration: f64,
    /// Packets read.
    pub packets: u64,
    /// Messages decoded.
    pub messages: u64,
    /// TCP connections that are not RTMP.
    pub other_flows: u64,
    /// Bytes that the capture missed.
    pub capture_lost_bytes: u64,
    /// Bytes that were lost on the way.
    pub network_lost_bytes: u64,
    /// What reading the captures ran into.
    pub capture_errors: Vec<String>,
    /// Findings by severity.
    pub counts: Counts,
    /// Sessions in the order they began.
    pub sessions: Vec<SessionLine>,
    /// Findings about the capture itself.
    pub findings: Vec<FindingLine>,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Errors.
    pub error: u64,
    /// Warnings.
    pub warning: u64,
    /// Notes.
    pub note: u64,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, severity: &str) {
        match severity {
            "error" => self.error += 1,
            "warning" => self.warning += 1,
            _ => self.note += 1,
        }
    }
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionLine {
    /// Number, from 1.
    pub session: u32,
    /// The connecting peer.
    pub client: String,
    /// The accepting peer.
    pub server: String,
    /// What it speaks.
    pub transport: &'static str,
    /// Whether the capture begins within it.
    pub midstream: bool,
    /// `publish`, `play`, or both.
    pub role: Option<String>,
    /// Application.
    pub app: Option<String>,
    /// URL of `connect`.
    pub tc_url: Option<String>,
    /// Stream name.
    pub stream: Option<String>,
    /// Video codec.
    pub video: Option<String>,
    /// Audio codec.
    pub audio: Option<String>,
    /// Seconds from the first packet of the capture to the session's.
    pub start: f64,
    /// Seconds from its first packet to its last.
    pub duration: f64,
    /// What happened, in a sentence.
    pub headline: Headline,
    /// How it ended.
    pub close: Close,
    /// From the first packet to the first picture.
    pub setup: Vec<SetupStep>,
    /// Figures.
    pub figures: Figures,
    /// Findings by severity.
    pub counts: Counts,
    /// Findings, the worst first.
    pub findings: Vec<FindingLine>,
    /// The sheet that `dump --summary` prints.
    #[serde(skip)]
    pub sheet: String,
}

/// What happened in a session, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// The sentence.
    pub text: String,
    /// `fine`, `impaired`, `failed`, or `unreadable`.
    pub outcome: &'static str,
    /// The rule whose finding explains it.
    pub cause: Option<&'static str>,
}

impl Headline {
    /// Whether the session did not do what it came for.
    pub fn failed(&self) -> bool {
        self.outcome == "failed"
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Close {
    /// Stable name.
    pub reason: &'static str,
    /// `client` or `server`.
    pub by: Option<&'static str>,
    /// In words.
    pub text: String,
    /// The last status or error code of the server.
    pub last_status: Option<String>,
}

/// A step of the set-up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SetupStep {
    /// What: `handshake`, `connect`, `first key frame`.
    pub name: String,
    /// Seconds from the session's first packet to its beginning.
    pub at: f64,
    /// Seconds from the session's first packet to its end; absent for a moment and for what was
    /// never answered.
    pub until: Option<f64>,
    /// `ok`, `failed`, `unanswered`, or `moment`.
    pub state: &'static str,
    /// Its answer: a status code, a codec.
    pub detail: Option<String>,
}

/// Figures of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Messages from client and server.
    pub messages: [u64; 2],
    /// TCP payload bytes from client and server.
    pub bytes: [u64; 2],
    /// Messages that are not whole.
    pub damaged_messages: u64,
    /// Messages found by inference or after a gap.
    pub uncertain_messages: u64,
    /// Bytes that the capture missed.
    pub capture_lost_bytes: u64,
    /// Bytes that were lost on the way.
    pub network_lost_bytes: u64,
    /// Bytes that nothing accounts for.
    pub undecoded_bytes: u64,
    /// Retransmitted segments from client and server.
    pub retransmissions: [u64; 2],
    /// Seconds with a closed receive window at client and server.
    pub zero_window_seconds: [f64; 2],
    /// Mean round-trip time in milliseconds, of segments from client and from server.
    pub rtt_ms: [Option<f64>; 2],
    /// Share of the stream that is no payload, in percent, from client and server.
    pub overhead_percent: [Option<f64>; 2],
    /// Video.
    pub video: MediaFigures,
    /// Audio.
    pub audio: MediaFigures,
    /// How far video is ahead of audio by timestamps as they arrive, in milliseconds: least,
    /// greatest, last.
    pub av_offset_ms: Option<[i64; 3]>,
    /// How much later than by its timestamps media arrived at most, in milliseconds.
    pub lateness_ms: Option<i64>,
    /// The handshake.
    pub handshake: HandshakeLine,
    /// Requests and how long their replies took.
    pub responses: Vec<ResponseLine>,
    /// What client and server sent.
    pub directions: Vec<DirectionLine>,
    /// Tracks of media.
    pub tracks: Vec<TrackLine>,
    /// Audio against video, and timestamps against the capture clock, per stream.
    pub clocks: Vec<ClockLine>,
    /// Messages by how sure the decoder was.
    pub confidence: ConfidenceLine,
    /// Where metadata and codec configurations disagree.
    pub contradictions: Vec<ContradictionLine>,
}

/// The handshake.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HandshakeLine {
    /// `simple`, `digest-first` or `key-first`.
    pub client: Option<&'static str>,
    /// The same of the server.
    pub server: Option<&'static str>,
    /// The client's version byte.
    pub version: Option<u8>,
    /// Milliseconds from the client's first byte to the server's last.
    pub round_trip_ms: Option<f64>,
    /// Whether both sides were seen whole.
    pub complete: bool,
}

/// A request and its reply.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResponseLine {
    /// Command name.
    pub command: String,
    /// Who asked.
    pub direction: &'static str,
    /// Seconds from the session's first packet.
    pub at: f64,
    /// Milliseconds to the reply; absent when none came.
    pub response_ms: Option<f64>,
    /// Whether the reply was `_result`.
    pub result: Option<bool>,
    /// Status code of the reply.
    pub code: Option<String>,
}

/// What one direction sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DirectionLine {
    /// Which.
    pub direction: &'static str,
    /// Chunks.
    pub chunks: u64,
    /// Payload bytes.
    pub payload: u64,
    /// Bytes of chunk headers.
    pub headers: u64,
    /// Share of chunk headers, in percent.
    pub overhead_percent: Option<f64>,
    /// Kilobits per second, mean and greatest.
    pub kbps: Option<f64>,
    /// The same of the busiest second.
    pub peak_kbps: f64,
    /// Chunk sizes set.
    pub chunk_sizes: Vec<u32>,
    /// Bytes of the largest message.
    pub max_message: Option<u32>,
    /// Windows in force for it.
    pub ack_windows: Vec<u32>,
    /// `none`, `cumulative` or `incremental`.
    pub ack_style: &'static str,
    /// Acknowledgements of what it sent.
    pub acks: u64,
    /// Most bytes sent and not acknowledged by RTMP.
    pub max_unacked: u64,
    /// Most bytes between two Acknowledgements.
    pub max_ack_distance: u64,
    /// Late segments.
    pub out_of_order: u64,
}

/// A track of media.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackLine {
    /// Who sends it.
    pub direction: &'static str,
    /// Message stream.
    pub stream_id: Option<u32>,
    /// `audio` or `video`.
    pub media: &'static str,
    /// Track id; absent outside multitrack.
    pub track: Option<u8>,
    /// Codec.
    pub codec: String,
    /// Whether the Enhanced RTMP header is used.
    pub enhanced: bool,
    /// Coded frames.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Codec configurations.
    pub configs: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Kilobits per second.
    pub kbps: Option<f64>,
    /// Frames per second by timestamps.
    pub fps_timestamp: Option<f64>,
    /// Frames per second as they arrived.
    pub fps_arrival: Option<f64>,
    /// Milliseconds of a group of pictures: least, mean, greatest.
    pub gop_ms: Option<[f64; 3]>,
    /// Frames of a group of pictures: least, mean, greatest.
    pub gop_frames: Option<[f64; 3]>,
    /// Longest wait for a frame, in milliseconds.
    pub largest_gap_ms: Option<f64>,
    /// Interarrival jitter (RFC 3550) at the end, in milliseconds.
    pub jitter_ms: Option<f64>,
    /// Greatest jitter, in milliseconds.
    pub max_jitter_ms: f64,
    /// Timestamps that went back.
    pub backwards: u64,
    /// Timestamps equal to the one before.
    pub repeated: u64,
    /// Timestamps that started anew.
    pub resets: u64,
    /// Intervals that lost bytes fall into, which no figure counts.
    pub interruptions: u64,
}

/// Clocks of a stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockLine {
    /// Who sends it.
    pub direction: &'static str,
    /// Message stream.
    pub stream_id: Option<u32>,
    /// First video timestamp minus first audio timestamp, in milliseconds.
    pub av_start_ms: Option<i64>,
    /// Video minus audio over time: least and greatest, in milliseconds.
    pub av_range_ms: Option<[f64; 2]>,
    /// How fast that grows, in parts per million.
    pub av_drift_ppm: Option<f64>,
    /// Largest difference between neighbouring audio and video messages, in milliseconds.
    pub interleave_ms: Option<i64>,
    /// How much faster timestamps run than the capture clock, in parts per million.
    pub clock_drift_ppm: Option<f64>,
}

/// Messages by how sure the decoder was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConfidenceLine {
    /// Every byte leads there.
    pub exact: u64,
    /// Mid-stream.
    pub inferred: u64,
    /// Found again after a gap.
    pub resynced: u64,
    /// Messages with missing payload.
    pub damaged: u64,
}

/// Metadata and codec configuration disagree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContradictionLine {
    /// Name in the metadata.
    pub name: &'static str,
    /// What the metadata says.
    pub metadata: String,
    /// What else says otherwise, and what.
    pub actual: String,
    /// Where that is from.
    pub source: &'static str,
}

/// Figures of audio or video.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MediaFigures {
    /// Coded frames.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Seconds from the session's first packet to the first coded frame.
    pub first: Option<f64>,
    /// Seconds from the session's first packet to the first key frame.
    pub first_key: Option<f64>,
    /// Kilobits per second from the first frame to the last.
    pub kbps: Option<f64>,
    /// Frames per second by timestamps.
    pub fps: Option<f64>,
    /// Milliseconds between key frames: least, mean, greatest.
    pub gop_ms: Option<[f64; 3]>,
    /// Longest time in seconds from one frame to the next.
    pub max_gap: f64,
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingLine {
    /// The rule's id.
    pub rule: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// Session; absent for the capture itself.
    pub session: Option<u32>,
    /// The rule's title.
    pub title: &'static str,
    /// What was found, with the values.
    pub message: String,
    /// How often.
    pub count: u64,
    /// Where first.
    pub place: Place,
    /// A few more places.
    pub more: Vec<Place>,
    /// Seconds from the first packet of the capture to the last time it was found.
    pub last: f64,
    /// What else it rests on.
    pub related: Vec<RelatedLine>,
    /// What it means.
    pub explanation: &'static str,
    /// Probable cause and what to do.
    pub advice: &'static str,
    /// `spec`, `de-facto` or `robustness`.
    pub basis: &'static str,
    /// Where the specification speaks of it.
    pub spec: Option<SpecLine>,
}

/// A section of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SpecLine {
    /// The document.
    pub document: &'static str,
    /// Its section.
    pub section: &'static str,
}

/// A place in the capture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// Seconds from the first packet of the capture.
    pub time: f64,
    /// `client_to_server` or `server_to_client`.
    pub direction: Option<&'static str>,
    /// Packets, by number.
    pub frames: Vec<u64>,
    /// Stream offsets: the first, and one past the last.
    pub bytes: Option<[u64; 2]>,
    /// The same within the message.
    pub field: Option<[u64; 2]>,
}

/// What else a finding rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelatedLine {
    /// What it is.
    pub what: &'static str,
    /// Its session, where it is another one.
    pub session: Option<u32>,
    /// Where it is.
    pub place: Place,
}
