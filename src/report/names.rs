//! The names that output uses for the numbers of audio and video headers.

use std::borrow::Cow;

use crate::wire::flv::{AudioTag, FourCc, MultichannelOrder, VideoTag};

pub(super) type Name = Cow<'static, str>;

fn or_number(name: &'static str, number: u8) -> Name {
    if name.is_empty() { format!("unknown_{number}").into() } else { name.into() }
}

fn known_or_number(name: &'static str, number: u8) -> Name {
    or_number(if name == "unknown" { "" } else { name }, number)
}

/// FLV FrameType.
pub(super) fn frame_type(tag: &VideoTag) -> Name {
    known_or_number(tag.frame_type_name(), tag.frame_type)
}

/// The codec a FourCC stands for; an unknown one is its own name.
pub(super) fn fourcc_codec(fourcc: FourCc) -> Name {
    match fourcc.codec_name() {
        "unknown" => fourcc.to_string().into(),
        name => name.into(),
    }
}

/// The codec of a video message; `None` for a command, and for tracks with codecs of their own.
pub(super) fn video_codec(tag: &VideoTag) -> Option<Name> {
    match tag.codec_id {
        Some(id) => Some(known_or_number(tag.codec_name(), id)),
        None => common_fourcc(tag.tracks.iter().map(|t| t.fourcc)).map(fourcc_codec),
    }
}

/// The codec of an audio message; `None` for tracks with codecs of their own.
pub(super) fn audio_codec(tag: &AudioTag) -> Option<Name> {
    if tag.enhanced {
        common_fourcc(tag.tracks.iter().map(|t| t.fourcc)).map(fourcc_codec)
    } else {
        Some(known_or_number(tag.codec_name(), tag.sound_format))
    }
}

/// The FourCC that all tracks share.
pub(super) fn common_fourcc(fourccs: impl IntoIterator<Item = Option<FourCc>>) -> Option<FourCc> {
    let mut fourccs = fourccs.into_iter();
    let first = fourccs.next()??;
    fourccs.all(|f| f == Some(first)).then_some(first)
}

/// Packet type of a video message, in the same words with and without an Enhanced header.
pub(super) fn video_packet_type(tag: &VideoTag) -> Option<Name> {
    let name = tag.packet_name()?;
    Some(tag.packet_type.map_or(name.into(), |number| known_or_number(name, number)))
}

/// Packet type of an audio message, in the same words with and without an Enhanced header.
pub(super) fn audio_packet_type(tag: &AudioTag) -> Option<Name> {
    Some(known_or_number(tag.packet_name()?, tag.packet_type?))
}

/// Sample rate in Hz that FLV's SoundRate code stands for.
///
/// Nellymoser and MP3 at 8 and 16 kHz have formats of their own, and the code says nothing then;
/// Speex is always 16 kHz.
pub(super) fn sound_rate(tag: &AudioTag) -> Option<u32> {
    let code = tag.sound_rate?;
    Some(match (tag.sound_format, code) {
        (4 | 11, _) => 16_000,
        (5 | 7 | 8 | 14, _) => 8_000,
        (_, 0) => 5_512,
        (_, 1) => 11_025,
        (_, 2) => 22_050,
        _ => 44_100,
    })
}

/// Command byte of a video message with frame type 5.
pub(super) fn video_command(number: u8) -> Name {
    let name = match number {
        0 => "start_seek",
        1 => "end_seek",
        _ => "",
    };
    or_number(name, number)
}

/// ModEx type.
pub(super) fn mod_ex(number: u8) -> Name {
    let name = if number == 0 { "timestamp_offset_nano" } else { "" };
    or_number(name, number)
}

/// AudioChannelOrder.
pub(super) fn channel_order(order: MultichannelOrder) -> Name {
    known_or_number(order.name(), order.0)
}

/// Shared object event type (RTMP 1.0 section 7.1.3).
pub(super) fn shared_object_event(number: u8) -> Name {
    known_or_number(crate::wire::message::shared_object_event_name(number), number)
}
