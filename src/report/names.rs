//! The names that output uses for the numbers of audio and video headers.

use std::borrow::Cow;

use crate::wire::flv::{AudioTag, FourCc, VideoTag};

pub(super) type Name = Cow<'static, str>;

fn or_number(name: &'static str, number: u8) -> Name {
    if name.is_empty() { format!("unknown_{number}").into() } else { name.into() }
}

/// FLV FrameType.
pub(super) fn frame_type(number: u8) -> Name {
    let name = match number {
        1 => "key",
        2 => "inter",
        3 => "disposable_inter",
        4 => "generated_key",
        5 => "command",
        _ => "",
    };
    or_number(name, number)
}

/// FLV CodecID; 12 and 13 are a common extension of CDNs in China.
fn video_codec_id(number: u8) -> Name {
    let name = match number {
        2 => "h263",
        3 => "screen",
        4 => "vp6",
        5 => "vp6a",
        6 => "screen2",
        7 => "avc",
        12 => "hevc",
        13 => "av1",
        _ => "",
    };
    or_number(name, number)
}

/// FLV SoundFormat.
fn sound_format(number: u8) -> Name {
    let name = match number {
        0 => "pcm",
        1 => "adpcm",
        2 => "mp3",
        3 => "pcm_le",
        4 => "nellymoser_16k",
        5 => "nellymoser_8k",
        6 => "nellymoser",
        7 => "g711a",
        8 => "g711u",
        10 => "aac",
        11 => "speex",
        14 => "mp3_8k",
        15 => "device_specific",
        _ => "",
    };
    or_number(name, number)
}

/// The codec a FourCC stands for; an unknown one is its own name.
pub(super) fn fourcc_codec(fourcc: FourCc) -> Name {
    let name = match &fourcc.0 {
        b"avc1" => "avc",
        b"hvc1" => "hevc",
        b"vvc1" => "vvc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"ac-3" => "ac3",
        b"ec-3" => "eac3",
        b"Opus" => "opus",
        b".mp3" => "mp3",
        b"fLaC" => "flac",
        b"mp4a" => "aac",
        _ => return fourcc.to_string().into(),
    };
    name.into()
}

/// The codec of a video message; `None` for a command, and for tracks with codecs of their own.
pub(super) fn video_codec(tag: &VideoTag) -> Option<Name> {
    match tag.codec_id {
        Some(id) => Some(video_codec_id(id)),
        None => common_fourcc(tag.tracks.iter().map(|t| t.fourcc)).map(fourcc_codec),
    }
}

/// The codec of an audio message; `None` for tracks with codecs of their own.
pub(super) fn audio_codec(tag: &AudioTag) -> Option<Name> {
    if tag.enhanced {
        common_fourcc(tag.tracks.iter().map(|t| t.fourcc)).map(fourcc_codec)
    } else {
        Some(sound_format(tag.sound_format))
    }
}

/// The FourCC that all tracks share.
pub(super) fn common_fourcc(fourccs: impl IntoIterator<Item = Option<FourCc>>) -> Option<FourCc> {
    let mut fourccs = fourccs.into_iter();
    let first = fourccs.next()??;
    fourccs.all(|f| f == Some(first)).then_some(first)
}

/// AVCPacketType, or VideoPacketType with an Enhanced header.
pub(super) fn video_packet_type(tag: &VideoTag) -> Option<Name> {
    let number = tag.packet_type?;
    let name = match (tag.enhanced, number) {
        (false, 0) => "sequence_header",
        (false, 1) => "nalu",
        (false, 2) => "end_of_sequence",
        (true, 0) => "sequence_start",
        (true, 1) => "coded_frames",
        (true, 2) => "sequence_end",
        (true, 3) => "coded_frames_x",
        (true, 4) => "metadata",
        (true, 5) => "mpeg2ts_sequence_start",
        (true, 6) => "multitrack",
        (true, 7) => "mod_ex",
        _ => "",
    };
    Some(or_number(name, number))
}

/// AACPacketType, or AudioPacketType with an Enhanced header.
pub(super) fn audio_packet_type(tag: &AudioTag) -> Option<Name> {
    let number = tag.packet_type?;
    let name = match (tag.enhanced, number) {
        (false, 0) => "sequence_header",
        (false, 1) => "raw",
        (true, 0) => "sequence_start",
        (true, 1) => "coded_frames",
        (true, 2) => "sequence_end",
        (true, 4) => "multichannel_config",
        (true, 5) => "multitrack",
        (true, 7) => "mod_ex",
        _ => "",
    };
    Some(or_number(name, number))
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
pub(super) fn channel_order(number: u8) -> Name {
    let name = match number {
        0 => "unspecified",
        1 => "native",
        2 => "custom",
        _ => "",
    };
    or_number(name, number)
}

/// Shared object event type (RTMP 1.0 section 7.1.3).
pub(super) fn shared_object_event(number: u8) -> Name {
    let name = match number {
        1 => "use",
        2 => "release",
        3 => "request_change",
        4 => "change",
        5 => "success",
        6 => "send_message",
        7 => "status",
        8 => "clear",
        9 => "remove",
        10 => "request_remove",
        11 => "use_success",
        _ => "",
    };
    or_number(name, number)
}
