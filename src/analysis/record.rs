//! What the pipeline says, in the order of the output format.

use std::net::SocketAddr;

use crate::base::{Direction, GapKind, Timestamp};
use crate::flow::{DirectionStats, EndReason, FrameSpan, RoleSource, TcpEventKind};
use crate::rtmp;
use crate::transport::Fact;

/// One line of the story. `session` numbers count from 1 in the order sessions are first seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "one record is handed on at a time")]
pub enum Record {
    /// Before everything else.
    Begin(Begin),
    /// A session is first seen.
    Session(SessionRecord),
    /// One side's handshake is over.
    Handshake(HandshakeRecord),
    /// A message.
    Message(MessageRecord),
    /// Something odd.
    Anomaly(AnomalyRecord),
    /// Missing bytes.
    Gap(GapRecord),
    /// What a layer between TCP or UDP and RTMP says.
    Transport(TransportRecord),
    /// Something that TCP did; only when the pipeline was asked for it.
    Tcp(TcpRecord),
    /// A session ended.
    SessionEnd(SessionEnd),
    /// After everything else.
    End(End),
}

/// The beginning of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Time of the first packet, which is second 0; `None` for an empty capture.
    pub epoch: Option<Timestamp>,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// RTMP on TCP.
    Rtmp,
    /// RTMPE: the handshake announces version 6, 8 or 9; what follows is encrypted.
    Rtmpe,
    /// RTMPS: RTMP in TLS.
    Rtmps,
    /// RTMPT: RTMP polled through HTTP.
    Rtmpt,
    /// RTMPT in TLS.
    Rtmpts,
    /// RTMPE polled through HTTP.
    Rtmpte,
    /// RTMFP, over UDP.
    Rtmfp,
    /// TLS on a port that was expected to speak RTMP, or to a server that never answered.
    Tls,
    /// HTTP on a port that was expected to speak RTMP, or to a server that never answered.
    Http,
    /// Nothing known on a port that was expected to speak RTMP.
    Unknown,
}

impl Transport {
    /// Whether what RTMP sends is not in the TCP stream as it is.
    pub fn is_layered(self) -> bool {
        match self {
            Transport::Rtmpe
            | Transport::Rtmps
            | Transport::Rtmpt
            | Transport::Rtmpts
            | Transport::Rtmpte
            | Transport::Rtmfp => true,
            Transport::Rtmp | Transport::Tls | Transport::Http | Transport::Unknown => false,
        }
    }

    /// The lower-case name that output uses.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Rtmp => "rtmp",
            Transport::Rtmpe => "rtmpe",
            Transport::Rtmps => "rtmps",
            Transport::Rtmpt => "rtmpt",
            Transport::Rtmpts => "rtmpts",
            Transport::Rtmpte => "rtmpte",
            Transport::Rtmfp => "rtmfp",
            Transport::Tls => "tls",
            Transport::Http => "http",
            Transport::Unknown => "unknown",
        }
    }
}

/// A session is first seen.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecord {
    /// Session number.
    pub session: u32,
    /// The connecting peer.
    pub client: SocketAddr,
    /// The accepting peer.
    pub server: SocketAddr,
    /// How the roles were decided.
    pub role: RoleSource,
    /// What it speaks.
    pub transport: Transport,
    /// Whether the capture holds its beginning.
    pub midstream: bool,
    /// Time of its first packet.
    pub time: Timestamp,
    /// Number of its first packet.
    pub frame: u64,
    /// Tunnels around it, outermost first.
    pub tunnels: Vec<String>,
    /// What the first bytes told, in words: the TLS server name, the HTTP request line's method
    /// and path.
    pub note: Option<String>,
}

/// One side's handshake.
#[derive(Clone, Debug)]
pub struct HandshakeRecord {
    /// Session number.
    pub session: u32,
    /// Packets it came in.
    pub frames: Vec<u64>,
    /// TCP sequence number of its first byte; `None` when the pipeline was told not to keep track.
    pub sequence: Option<u32>,
    /// The facts.
    pub handshake: rtmp::Handshake,
}

/// A message.
#[derive(Clone, Debug)]
pub struct MessageRecord {
    /// Session number.
    pub session: u32,
    /// Packets it came in, ascending; empty when the pipeline was told not to keep track.
    pub frames: Vec<u64>,
    /// Which packet holds which bytes of the payload, in the order of the payload; empty unless
    /// the pipeline was told to keep track.
    pub spans: Vec<FrameSpan>,
    /// TCP sequence number of the first byte of its first chunk header (stream offset
    /// [`rtmp::Message::offset`]); `None` when the pipeline was told not to keep track.
    pub sequence: Option<u32>,
    /// The message.
    pub message: Box<rtmp::Message>,
}

/// Something odd.
#[derive(Clone, Debug, PartialEq)]
pub struct AnomalyRecord {
    /// Session number; `None` when it is about the capture itself.
    pub session: Option<u32>,
    /// Stable kebab-case kind.
    pub kind: &'static str,
    /// Direction it happened in.
    pub direction: Option<Direction>,
    /// When.
    pub time: Option<Timestamp>,
    /// Packet.
    pub frame: Option<u64>,
    /// Stream offset it is about.
    pub offset: Option<u64>,
    /// Chunk stream it is about.
    pub csid: Option<u32>,
    /// The particulars, in words; never payload text.
    pub detail: String,
}

/// Missing bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct GapRecord {
    /// Session number.
    pub session: u32,
    /// Direction that lacks them.
    pub direction: Direction,
    /// When it was decided that they will not come.
    pub time: Timestamp,
    /// Packet at which it was decided.
    pub frame: u64,
    /// Stream offset of the first missing byte.
    pub offset: u64,
    /// Number of missing bytes.
    pub len: u64,
    /// Why.
    pub kind: GapKind,
}

/// What a layer between TCP or UDP and RTMP says.
#[derive(Clone, Debug, PartialEq)]
pub struct TransportRecord {
    /// Session number.
    pub session: u32,
    /// Packet that holds the byte at the fact's offset, or the one that made it known.
    pub frame: Option<u64>,
    /// The fact.
    pub fact: Fact,
}

/// Something that TCP did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpRecord {
    /// Session number.
    pub session: u32,
    /// Who sent the packet; of a sample, whose bytes it is about.
    pub direction: Direction,
    /// When. A sample is told up to a tenth of a second late.
    pub time: Timestamp,
    /// Packet.
    pub frame: u64,
    /// What.
    pub kind: TcpEventKind,
}

/// A session ended.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionEnd {
    /// Session number.
    pub session: u32,
    /// How.
    pub reason: EndReason,
    /// When.
    pub time: Timestamp,
    /// Time of its first packet.
    pub start: Timestamp,
    /// What it spoke, as known at the end.
    pub transport: Transport,
    /// Messages per direction, and by type id.
    pub messages: [u64; 2],
    /// Messages per type id: (type id, count), ascending.
    pub by_type: Vec<(u8, u64)>,
    /// Messages that are not complete.
    pub damaged: u64,
    /// Messages whose confidence is not exact.
    pub uncertain: u64,
    /// Anomalies.
    pub anomalies: u64,
    /// Stream bytes that no message or handshake accounts for.
    pub undecoded_bytes: [u64; 2],
    /// TCP counters per direction.
    pub tcp: [DirectionStats; 2],
    /// What `connect` and the stream commands said.
    pub facts: SessionFacts,
}

/// What the commands of a session said: for one line per session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFacts {
    /// `app` of the connect command.
    pub app: Option<String>,
    /// `tcUrl` of the connect command.
    pub tc_url: Option<String>,
    /// Stream name of the first publish or play.
    pub stream: Option<String>,
    /// `publish`, `play`, or both joined by `+`.
    pub role: Option<String>,
    /// Video codec, as in [`crate::wire::codec::CodecConfig::codec`] or the FLV name.
    pub video: Option<String>,
    /// Audio codec.
    pub audio: Option<String>,
    /// The last status or error code of the server.
    pub last_status: Option<String>,
}

/// What the TCP flows that are not RTMP speak, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherFlows {
    /// Flows that begin with TLS records.
    pub tls: u64,
    /// Flows that begin with HTTP, but not with RTMPT's requests.
    pub http: u64,
    /// Server port of the first of the others that carries data.
    pub unknown_port: Option<u16>,
}

/// The end of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct End {
    /// Records read.
    pub packets: u64,
    /// Sessions seen.
    pub sessions: u64,
    /// Messages decoded.
    pub messages: u64,
    /// Bytes that the peer acknowledged and the capture lacks.
    pub capture_lost_bytes: u64,
    /// Bytes that were never acknowledged nor seen.
    pub network_lost_bytes: u64,
    /// Stream bytes of sessions that no message accounts for.
    pub undecoded_bytes: u64,
    /// TCP flows that are not RTMP.
    pub other_flows: u64,
    /// What those speak.
    pub others: OtherFlows,
    /// Packets that held neither TCP that could be read nor RTMFP.
    pub other_packets: u64,
    /// Time of the last packet.
    pub last: Option<Timestamp>,
    /// What ended reading early or was skipped, one line per input.
    pub capture_errors: Vec<String>,
}
