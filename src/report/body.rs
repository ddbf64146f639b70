//! The `body` of a message line.

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::amf::{Amf, AmfList, Hex, Members, Num, Str};
use super::model::StopLine;
use super::names::{self, Name};
use crate::rtmp::Reply;
use crate::wire::codec::CodecConfig;
use crate::wire::flv::{AudioTag, ModEx, Track, TrackConfig, VideoTag};
use crate::wire::message::{
    AggregatePart, Body, Command, SharedObject, SharedObjectEvent, UserControl,
};

/// Writes a body; a command's says what it answers.
pub(super) struct BodyLine<'a> {
    pub body: &'a Body,
    pub reply: Option<&'a Reply>,
}

impl Serialize for BodyLine<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.body {
            Body::SetChunkSize { size, reserved_bit } => {
                ChunkSize { size: *size, reserved_bit: *reserved_bit }.serialize(s)
            }
            Body::Abort { csid } => Abort { csid: *csid }.serialize(s),
            Body::Acknowledgement { sequence_number } => {
                Acknowledgement { sequence_number: *sequence_number }.serialize(s)
            }
            Body::WindowAcknowledgementSize { size } => {
                WindowSize { size: *size, limit: None }.serialize(s)
            }
            Body::SetPeerBandwidth { size, limit } => {
                WindowSize { size: *size, limit: limit.map(|l| limit_name(l.0, l.name())) }
                    .serialize(s)
            }
            Body::UserControl(event) => UserControlLine::from(event).serialize(s),
            Body::Command(command) => CommandLine::new(command, self.reply).serialize(s),
            Body::Data(data) => DataLine {
                name: data.name().map(Str),
                values: AmfList(match data.name() {
                    Some(_) => &data.values[1..],
                    None => &data.values,
                }),
            }
            .serialize(s),
            Body::SharedObject(object) => SharedObjectLine::from(object).serialize(s),
            Body::Audio(tag) => AudioLine::from(tag).serialize(s),
            Body::Video(tag) => VideoLine::from(tag).serialize(s),
            Body::Aggregate(parts) => AggregateLine { messages: Parts(parts) }.serialize(s),
            Body::Unknown => Empty {}.serialize(s),
        }
    }
}

fn limit_name(number: u8, name: &'static str) -> Name {
    if name == "unknown" { format!("unknown_{number}").into() } else { name.into() }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct ChunkSize {
    size: u32,
    #[serde(skip_serializing_if = "is_false")]
    reserved_bit: bool,
}

#[derive(Serialize)]
struct Abort {
    csid: u32,
}

#[derive(Serialize)]
struct Acknowledgement {
    sequence_number: u32,
}

#[derive(Serialize)]
struct WindowSize {
    size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Name>,
}

#[derive(Serialize)]
struct UserControlLine<'a> {
    event: &'static str,
    event_type: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Hex<'a>>,
}

impl<'a> From<&'a UserControl> for UserControlLine<'a> {
    fn from(control: &'a UserControl) -> Self {
        UserControlLine {
            event: control.event.name(),
            event_type: control.event.0,
            stream_id: control.stream_id,
            buffer_ms: control.buffer_ms,
            timestamp: control.timestamp,
            data: (!control.data.is_empty()).then_some(Hex(&control.data)),
        }
    }
}

#[derive(Serialize)]
struct CommandLine<'a> {
    command: Str<'a>,
    transaction_id: Option<Num>,
    object: Option<Amf<'a>>,
    arguments: AmfList<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_transaction_id: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<f64>,
}

impl<'a> CommandLine<'a> {
    fn new(command: &'a Command, reply: Option<&'a Reply>) -> Self {
        CommandLine {
            command: Str(&command.name),
            transaction_id: command.transaction_id.map(Num),
            object: command.object.as_ref().map(Amf),
            arguments: AmfList(&command.arguments),
            reply_to: reply.map(|r| Str(&r.command)),
            reply_transaction_id: reply
                .filter(|r| Some(r.transaction_id) != command.transaction_id)
                .map(|r| Num(r.transaction_id)),
            response_time: reply.map(|r| r.response_time),
        }
    }
}

#[derive(Serialize)]
struct DataLine<'a> {
    name: Option<Str<'a>>,
    values: AmfList<'a>,
}

#[derive(Serialize)]
struct SharedObjectLine<'a> {
    name: Str<'a>,
    version: u32,
    persistence: u32,
    flags: u32,
    events: Vec<SharedObjectEventLine<'a>>,
}

#[derive(Serialize)]
struct SharedObjectEventLine<'a> {
    event: Name,
    event_type: u8,
    names: Vec<Str<'a>>,
    values: AmfList<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_length: Option<usize>,
}

impl<'a> From<&'a SharedObject> for SharedObjectLine<'a> {
    fn from(object: &'a SharedObject) -> Self {
        let event = |e: &'a SharedObjectEvent| SharedObjectEventLine {
            event: names::shared_object_event(e.event),
            event_type: e.event,
            names: e.names.iter().map(Str).collect(),
            values: AmfList(&e.values),
            // Not the bytes: they were not decoded, so nobody knows whether they are secret.
            data_length: (!e.data.is_empty()).then_some(e.data.len()),
        };
        SharedObjectLine {
            name: Str(&object.name),
            version: object.version,
            persistence: object.persistence,
            flags: object.flags,
            events: object.events.iter().map(event).collect(),
        }
    }
}

#[derive(Serialize)]
struct VideoLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fourcc: Option<String>,
    frame_type: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_type: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    composition_time: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<ConfigLine<'a>>,
    #[serde(skip_serializing_if = "is_empty_mod_ex")]
    mod_ex: ModExList<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multitrack: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracks: Option<Tracks<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Members<'a>>,
}

impl<'a> From<&'a VideoTag> for VideoLine<'a> {
    fn from(tag: &'a VideoTag) -> Self {
        let fourcc = names::common_fourcc(tag.tracks.iter().map(|t| t.fourcc));
        VideoLine {
            codec: names::video_codec(tag),
            fourcc: fourcc.map(|f| f.to_string()),
            frame_type: names::frame_type(tag),
            packet_type: names::video_packet_type(tag),
            composition_time: tag.composition_time,
            command: tag.command.map(names::video_command),
            config: single_config(tag.multitrack.is_some(), &tag.tracks),
            mod_ex: ModExList(&tag.mod_ex),
            multitrack: tag.multitrack.map(|m| m.name()),
            tracks: tag.multitrack.map(|_| Tracks(&tag.tracks)),
            metadata: (!is_empty(&tag.metadata)).then_some(Members(&tag.metadata)),
        }
    }
}

#[derive(Serialize)]
struct AudioLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fourcc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packet_type: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u8>,
    #[serde(skip_serializing_if = "is_false")]
    empty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<ConfigLine<'a>>,
    #[serde(skip_serializing_if = "is_empty_mod_ex")]
    mod_ex: ModExList<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multitrack: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracks: Option<Tracks<'a>>,
}

impl<'a> From<&'a AudioTag> for AudioLine<'a> {
    fn from(tag: &'a AudioTag) -> Self {
        let fourcc = names::common_fourcc(tag.tracks.iter().map(|t| t.fourcc));
        AudioLine {
            codec: if tag.empty { None } else { names::audio_codec(tag) },
            fourcc: fourcc.map(|f| f.to_string()),
            packet_type: names::audio_packet_type(tag),
            rate: names::sound_rate(tag),
            channels: tag.sound_type.map(|t| t + 1),
            bits: tag.sound_size.map(|size| if size == 0 { 8 } else { 16 }),
            empty: tag.empty,
            config: single_config(tag.multitrack.is_some(), &tag.tracks),
            mod_ex: ModExList(&tag.mod_ex),
            multitrack: tag.multitrack.map(|m| m.name()),
            tracks: tag.multitrack.map(|_| Tracks(&tag.tracks)),
        }
    }
}

fn single_config(multitrack: bool, tracks: &[Track]) -> Option<ConfigLine<'_>> {
    if multitrack { None } else { tracks.first()?.config.as_ref().map(ConfigLine::from) }
}

struct ModExList<'a>(&'a [ModEx]);

fn is_empty_mod_ex(list: &ModExList<'_>) -> bool {
    list.0.is_empty()
}

impl Serialize for ModExList<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line {
            kind: Name,
            #[serde(skip_serializing_if = "Option::is_none")]
            nanoseconds: Option<u32>,
            length: u32,
        }
        s.collect_seq(self.0.iter().map(|m| Line {
            kind: names::mod_ex(m.kind),
            nanoseconds: m.nanoseconds,
            length: m.len,
        }))
    }
}

struct Tracks<'a>(&'a [Track]);

impl Serialize for Tracks<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            id: Option<u8>,
            #[serde(skip_serializing_if = "Option::is_none")]
            codec: Option<Name>,
            #[serde(skip_serializing_if = "Option::is_none")]
            fourcc: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            composition_time: Option<i32>,
            length: usize,
            #[serde(skip_serializing_if = "Option::is_none")]
            config: Option<ConfigLine<'a>>,
        }
        s.collect_seq(self.0.iter().map(|t| Line {
            id: t.id,
            codec: t.fourcc.map(names::fourcc_codec),
            fourcc: t.fourcc.map(|f| f.to_string()),
            composition_time: t.composition_time,
            length: t.range.len(),
            config: t.config.as_ref().map(ConfigLine::from),
        }))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum ConfigLine<'a> {
    Codec(Box<CodecLine<'a>>),
    Multichannel(MultichannelLine<'a>),
}

#[derive(Serialize)]
struct CodecLine<'a> {
    codec: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_rate: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chroma: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit_depth: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nal_length_size: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_rate: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<StopLine>,
}

#[derive(Serialize)]
struct MultichannelLine<'a> {
    order: Name,
    channels: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u32>,
}

impl<'a> From<&'a TrackConfig> for ConfigLine<'a> {
    fn from(config: &'a TrackConfig) -> Self {
        match config {
            TrackConfig::Codec(config) => ConfigLine::Codec(Box::new(config.into())),
            TrackConfig::Multichannel { order, channels, mapping, flags } => {
                ConfigLine::Multichannel(MultichannelLine {
                    order: names::channel_order(*order),
                    channels: *channels,
                    mapping: (!mapping.is_empty()).then_some(mapping),
                    flags: *flags,
                })
            }
        }
    }
}

impl<'a> From<&'a CodecConfig> for CodecLine<'a> {
    fn from(config: &'a CodecConfig) -> Self {
        CodecLine {
            codec: config.codec,
            profile: config.profile.as_deref(),
            level: config.level.as_deref(),
            width: config.width,
            height: config.height,
            frame_rate: config.frame_rate.map(Num),
            chroma: config.chroma,
            bit_depth: config.bit_depth,
            nal_length_size: config.nal_length_size,
            sample_rate: config.sample_rate,
            channels: config.channels,
            stop: config.stop.as_ref().map(StopLine::from),
        }
    }
}

#[derive(Serialize)]
struct AggregateLine<'a> {
    messages: Parts<'a>,
}

struct Parts<'a>(&'a [AggregatePart]);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            type_id: u8,
            kind: &'static str,
            timestamp: u32,
            stream_id: u32,
            length: usize,
            back_pointer: Option<u32>,
            body: BodyLine<'a>,
        }
        let mut seq = s.serialize_seq(Some(self.0.len()))?;
        for part in self.0 {
            seq.serialize_element(&Line {
                type_id: part.type_id.0,
                kind: part.type_id.kind(),
                timestamp: part.timestamp,
                stream_id: part.stream_id,
                length: part.range.len(),
                back_pointer: part.back_pointer,
                body: BodyLine { body: &part.body, reply: None },
            })?;
        }
        seq.end()
    }
}
