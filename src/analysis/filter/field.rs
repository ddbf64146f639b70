//! The fields one can ask for: a table.

use super::ast::Needs;
use super::names;

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "FIELDS says what each one is")]
pub enum Field {
    Type,
    Dir,
    Session,
    Stream,
    Csid,
    Fmt,
    Length,
    Received,
    Chunks,
    Ts,
    Time,
    Frame,
    Number,
    Offset,
    Gap,
    Step,
    Delta,
    Transfer,
    Response,
    Request,
    Complete,
    TsExact,
    Extended,
    Malformed,
    Confidence,
    Cmd,
    Code,
    Arg,
    Reply,
    Handler,
    Object,
    Text,
    Event,
    Value,
    ChunkSize,
    Ack,
    Window,
    Limit,
    AbortCsid,
    Codec,
    FourCc,
    Kind,
    Key,
    Cts,
    Enhanced,
    Multitrack,
    Track,
    Video,
    Audio,
    VideoFormat,
    AudioFormat,
    FrameType,
    Anomaly,
    Find,
    FindSeverity,
    FindRule,
    Ip,
    Port,
    SrcIp,
    DstIp,
    SrcPort,
    DstPort,
    Transport,
}

/// What values a field has.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Set or not: stands alone.
    Flag,
    /// A whole number.
    Number,
    /// A number of bytes; `kB`, `MB`, `KiB`, `MiB` may follow.
    Bytes,
    /// A time; `ns`, `us`, `ms`, `s`, `m`, `h` may follow. Without one the unit is this.
    Duration(Unit),
    /// Text: compared with case, in quotes or not.
    Text,
    /// A codec, by any of its names.
    Codec,
    /// An IP address.
    Address,
    /// One of these names, or its number.
    Named(&'static [(&'static str, i64)]),
    /// A message type: a name, a group such as `command`, or a number.
    Type,
    /// An event of a user control message: a name or a number.
    Event,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds, RTMP's own.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// The field.
    pub field: Field,
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub also: &'static [&'static str],
    /// What values it has.
    pub kind: Kind,
    /// What it is, in a line.
    pub doc: &'static str,
}

const fn row(
    field: Field,
    name: &'static str,
    also: &'static [&'static str],
    kind: Kind,
    doc: &'static str,
) -> FieldInfo {
    FieldInfo { field, name, also, kind, doc }
}

const MS: Kind = Kind::Duration(Unit::Milliseconds);
const SECONDS: Kind = Kind::Duration(Unit::Seconds);

/// All fields, in the order the documentation has them.
#[rustfmt::skip]
pub const FIELDS: &[FieldInfo] = &[
    row(Field::Type, "type", &[], Kind::Type, "message type: a name, a group (command, data, media, control) or a number; handshake, anomaly and gap are those lines"),
    row(Field::Dir, "dir", &["direction"], Kind::Named(names::DIRECTIONS), "who sent it: c2s or s2c"),
    row(Field::Session, "session", &[], Kind::Number, "session number, from 1"),
    row(Field::Stream, "stream", &["msid"], Kind::Number, "message stream id"),
    row(Field::Csid, "csid", &[], Kind::Number, "chunk stream id"),
    row(Field::Fmt, "fmt", &[], Kind::Number, "format (0 to 3) of its first chunk header"),
    row(Field::Length, "length", &["len", "size"], Kind::Bytes, "announced payload length"),
    row(Field::Received, "received", &[], Kind::Bytes, "payload bytes that were seen"),
    row(Field::Chunks, "chunks", &[], Kind::Number, "number of chunks"),
    row(Field::Ts, "ts", &["timestamp"], MS, "RTMP timestamp"),
    row(Field::Time, "time", &[], SECONDS, "capture time of its last byte, from the first packet on"),
    row(Field::Frame, "frame", &[], Kind::Number, "packets that hold it: true when any of them is meant"),
    row(Field::Number, "number", &["n", "message"], Kind::Number, "number of the message in its session, from 1"),
    row(Field::Offset, "offset", &[], Kind::Bytes, "stream offset of its first chunk header"),
    row(Field::Gap, "gap", &[], MS, "capture time since the previous message of the same type, direction and stream"),
    row(Field::Step, "step", &[], MS, "timestamp difference to that message; negative when timestamps go back"),
    row(Field::Delta, "delta", &[], MS, "capture time since the previous message of the session"),
    row(Field::Transfer, "transfer", &[], MS, "capture time from its first byte to its last"),
    row(Field::Response, "response", &[], MS, "of a reply: time since its request"),
    row(Field::Request, "request", &[], Kind::Number, "of a reply: packet that holds the end of its request"),
    row(Field::Complete, "complete", &[], Kind::Flag, "all of the payload was seen"),
    row(Field::TsExact, "ts.exact", &[], Kind::Flag, "the timestamp is known: no delta before it was lost"),
    row(Field::Extended, "extended", &["ts.extended"], Kind::Flag, "an extended timestamp field was used"),
    row(Field::Malformed, "malformed", &["stopped"], Kind::Flag, "the payload could not be decoded to its end"),
    row(Field::Confidence, "confidence", &[], Kind::Named(names::CONFIDENCES), "how sure the decoder is: exact < inferred < resynced"),
    row(Field::Cmd, "cmd", &["command.name"], Kind::Text, "command name"),
    row(Field::Code, "code", &["status"], Kind::Text, "status code of a reply or onStatus"),
    row(Field::Arg, "arg", &["name"], Kind::Text, "app of connect, stream name of publish and play, first text argument of other commands, as shown (redacted)"),
    row(Field::Reply, "reply", &[], Kind::Flag, "answers a request that was seen"),
    row(Field::Handler, "handler", &[], Kind::Text, "handler of a data message, such as onMetaData"),
    row(Field::Object, "object", &[], Kind::Text, "name of a shared object"),
    row(Field::Text, "text", &["amf.string"], Kind::Text, "any text the message is known by: command, code, argument, handler, codec"),
    row(Field::Event, "event", &[], Kind::Event, "event of a user control message"),
    row(Field::Value, "value", &[], Kind::Number, "value of a control message"),
    row(Field::ChunkSize, "chunksize", &[], Kind::Bytes, "value of Set Chunk Size"),
    row(Field::Ack, "ack", &[], Kind::Bytes, "sequence number of an Acknowledgement"),
    row(Field::Window, "window", &[], Kind::Bytes, "value of Window Acknowledgement Size or Set Peer Bandwidth"),
    row(Field::Limit, "limit", &[], Kind::Named(names::LIMITS), "limit type of Set Peer Bandwidth"),
    row(Field::AbortCsid, "abort.csid", &[], Kind::Number, "chunk stream of an Abort Message"),
    row(Field::Codec, "codec", &[], Kind::Codec, "codec of media: avc (or h264), hevc, av1, aac, opus, ..."),
    row(Field::FourCc, "fourcc", &[], Kind::Text, "FourCC of Enhanced RTMP media"),
    row(Field::Kind, "kind", &[], Kind::Named(names::KINDS), "what media is: key, inter, disposable, audio, seq-header, seq-end, command, metadata, silence, other"),
    row(Field::Key, "key", &["keyframe"], Kind::Flag, "a coded key frame"),
    row(Field::Cts, "cts", &[], MS, "composition time of video"),
    row(Field::Enhanced, "enhanced", &["ertmp"], Kind::Flag, "media with the Enhanced RTMP header"),
    row(Field::Multitrack, "multitrack", &[], Kind::Flag, "media with several tracks in a message"),
    row(Field::Track, "track", &[], Kind::Number, "track id of multitrack media: of its first track"),
    row(Field::Video, "video", &[], Kind::Flag, "a video message"),
    row(Field::Audio, "audio", &[], Kind::Flag, "an audio message"),
    row(Field::VideoFormat, "video.format", &[], Kind::Number, "FLV CodecID of video without the Enhanced header"),
    row(Field::AudioFormat, "audio.format", &[], Kind::Number, "FLV SoundFormat of audio without the Enhanced header"),
    row(Field::FrameType, "video.type", &["frametype"], Kind::Number, "FLV FrameType: 1 key, 2 inter, 3 disposable, 5 command; 1 for sequence headers"),
    row(Field::Anomaly, "anomaly", &[], Kind::Text, "kind of an anomaly that lies within the message, such as bad-body"),
    row(Field::Find, "find", &["finding"], Kind::Flag, "a finding points to it"),
    row(Field::FindSeverity, "find.severity", &["find.sev"], Kind::Named(names::SEVERITIES), "severity of a finding that points to it: info < warning < error"),
    row(Field::FindRule, "find.rule", &["rule"], Kind::Text, "rule of a finding that points to it"),
    row(Field::Ip, "ip", &["addr"], Kind::Address, "address of either peer"),
    row(Field::Port, "port", &[], Kind::Number, "TCP port of either peer"),
    row(Field::SrcIp, "src.ip", &[], Kind::Address, "address of the sender"),
    row(Field::DstIp, "dst.ip", &[], Kind::Address, "address of the receiver"),
    row(Field::SrcPort, "src.port", &[], Kind::Number, "TCP port of the sender"),
    row(Field::DstPort, "dst.port", &[], Kind::Number, "TCP port of the receiver"),
    row(Field::Transport, "transport", &[], Kind::Text, "what the connection speaks: rtmp, rtmpe, rtmpt, ..."),
];

impl Field {
    /// What is known of it.
    pub fn info(self) -> &'static FieldInfo {
        // Every field has a line: a test sees to it.
        FIELDS.iter().find(|info| info.field == self).unwrap_or(&FIELDS[0])
    }

    /// The field of a name; case does not matter.
    pub fn named(name: &str) -> Option<Field> {
        FIELDS
            .iter()
            .find(|info| {
                std::iter::once(&info.name).chain(info.also).any(|n| n.eq_ignore_ascii_case(name))
            })
            .map(|info| info.field)
    }

    /// What evaluation needs for it.
    pub fn needs(self) -> Needs {
        Needs {
            place: matches!(
                self,
                Field::Received | Field::Chunks | Field::Frame | Field::Offset | Field::Transfer
            ),
            history: matches!(self, Field::Gap | Field::Step | Field::Delta),
            request: matches!(self, Field::Response | Field::Request),
            anomalies: self == Field::Anomaly,
            findings: matches!(self, Field::Find | Field::FindSeverity | Field::FindRule),
        }
    }

    /// Whether its values are text.
    pub(super) fn is_text(self) -> bool {
        // Asked once per message and test: no search in the table.
        matches!(
            self,
            Field::Cmd
                | Field::Code
                | Field::Arg
                | Field::Handler
                | Field::Object
                | Field::Text
                | Field::Codec
                | Field::FourCc
                | Field::Anomaly
                | Field::FindRule
                | Field::Ip
                | Field::SrcIp
                | Field::DstIp
                | Field::Transport
        )
    }
}
