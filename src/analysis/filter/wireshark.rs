//! Wireshark's names for our fields.

use super::field::Field;

/// A display filter field of Wireshark.
#[derive(Clone, Copy, Debug)]
pub struct WiresharkName {
    /// Its name there.
    pub name: &'static str,
    /// The field here; `None` where there is none.
    pub field: Option<Field>,
    /// Where there is none: what to write.
    pub instead: &'static str,
}

const fn same(name: &'static str, field: Field) -> WiresharkName {
    WiresharkName { name, field: Some(field), instead: "" }
}

const fn none(name: &'static str, instead: &'static str) -> WiresharkName {
    WiresharkName { name, field: None, instead }
}

/// All `rtmpt.*` fields of Wireshark 4, and those of other layers that make sense here. Where a
/// field has several names, the first one is written in translations.
pub const WIRESHARK: &[WiresharkName] = &[
    same("rtmpt.header.typeid", Field::Type),
    same("rtmpt.header.streamid", Field::Stream),
    same("rtmpt.header.csid", Field::Csid),
    same("rtmpt.header.format", Field::Fmt),
    same("rtmpt.header.bodysize", Field::Length),
    same("rtmpt.header.timestamp", Field::Ts),
    same("rtmpt.header.ets", Field::Extended),
    none("rtmpt.header.timestampdelta", "step is the difference to the message before"),
    same("rtmpt.scm.chunksize", Field::ChunkSize),
    same("rtmpt.scm.csid", Field::AbortCsid),
    same("rtmpt.scm.seq", Field::Ack),
    same("rtmpt.scm.was", Field::Window),
    same("rtmpt.scm.limittype", Field::Limit),
    same("rtmpt.ucm.eventtype", Field::Event),
    same("rtmpt.function.response", Field::Request),
    none("rtmpt.function.call", "reply selects the replies, request their requests' packets"),
    same("rtmpt.audio.format", Field::AudioFormat),
    none("rtmpt.audio.control", "audio selects audio messages, codec their codec"),
    none("rtmpt.audio.rate", "see the codec configuration: kind==seq-header && audio"),
    none("rtmpt.audio.size", "see the codec configuration: kind==seq-header && audio"),
    none("rtmpt.audio.type", "see the codec configuration: kind==seq-header && audio"),
    none("rtmpt.audio.data", "audio selects audio messages"),
    same("rtmpt.video.type", Field::FrameType),
    same("rtmpt.video.format", Field::VideoFormat),
    none("rtmpt.video.control", "kind and codec say what video is"),
    none("rtmpt.video.data", "video selects video messages"),
    none("rtmpt.handshake.c0", "type==handshake && dir==c2s"),
    none("rtmpt.handshake.c1", "type==handshake && dir==c2s"),
    none("rtmpt.handshake.c2", "type==handshake && dir==c2s"),
    none("rtmpt.handshake.s0", "type==handshake && dir==s2c"),
    none("rtmpt.handshake.s1", "type==handshake && dir==s2c"),
    none("rtmpt.handshake.s2", "type==handshake && dir==s2c"),
    none("rtmpt.tag.type", "type==aggregate selects aggregates"),
    none("rtmpt.tag.datasize", "type==aggregate selects aggregates"),
    none("rtmpt.tag.timestamp", "type==aggregate selects aggregates"),
    none("rtmpt.tag.ets", "type==aggregate selects aggregates"),
    none("rtmpt.tag.streamid", "type==aggregate selects aggregates"),
    none("rtmpt.tag.tagsize", "type==aggregate selects aggregates"),
    same("amf.string", Field::Text),
    same("frame.number", Field::Frame),
    same("frame.time_relative", Field::Time),
    same("tcp.port", Field::Port),
    same("tcp.srcport", Field::SrcPort),
    same("tcp.dstport", Field::DstPort),
    same("ip.addr", Field::Ip),
    same("ip.src", Field::SrcIp),
    same("ip.dst", Field::DstIp),
    same("ipv6.addr", Field::Ip),
    same("ipv6.src", Field::SrcIp),
    same("ipv6.dst", Field::DstIp),
    none("tcp.stream", "session numbers count RTMP connections only"),
];

/// What Wireshark's name means here.
pub(super) fn lookup(name: &str) -> Option<&'static WiresharkName> {
    WIRESHARK.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}
