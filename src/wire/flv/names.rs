//! Numbers in words, and the questions one asks of a tag.

use super::{AudioTag, FourCc, MultichannelOrder, Track, TrackConfig, VideoTag};

impl FourCc {
    /// `avc1`: H.264.
    pub const AVC: FourCc = FourCc(*b"avc1");
    /// `hvc1`: H.265.
    pub const HEVC: FourCc = FourCc(*b"hvc1");
    /// `vvc1`: H.266.
    pub const VVC: FourCc = FourCc(*b"vvc1");
    /// `av01`: AV1.
    pub const AV1: FourCc = FourCc(*b"av01");
    /// `vp08`: VP8.
    pub const VP8: FourCc = FourCc(*b"vp08");
    /// `vp09`: VP9.
    pub const VP9: FourCc = FourCc(*b"vp09");
    /// `mp4a`: AAC.
    pub const AAC: FourCc = FourCc(*b"mp4a");
    /// `.mp3`: MPEG audio layer III.
    pub const MP3: FourCc = FourCc(*b".mp3");
    /// `Opus`.
    pub const OPUS: FourCc = FourCc(*b"Opus");
    /// `fLaC`: FLAC.
    pub const FLAC: FourCc = FourCc(*b"fLaC");
    /// `ac-3`: Dolby Digital.
    pub const AC3: FourCc = FourCc(*b"ac-3");
    /// `ec-3`: Dolby Digital Plus.
    pub const EAC3: FourCc = FourCc(*b"ec-3");

    /// The codec's name as in [`crate::wire::codec::CodecConfig::codec`]; `unknown` for a FourCC
    /// that Enhanced RTMP does not define.
    pub fn codec_name(self) -> &'static str {
        match &self.0 {
            b"avc1" => "avc",
            b"hvc1" => "hevc",
            b"vvc1" => "vvc",
            b"av01" => "av1",
            b"vp08" => "vp8",
            b"vp09" => "vp9",
            b"mp4a" => "aac",
            b".mp3" => "mp3",
            b"Opus" => "opus",
            b"fLaC" => "flac",
            b"ac-3" => "ac3",
            b"ec-3" => "eac3",
            _ => "unknown",
        }
    }

    /// Whether Enhanced RTMP defines it for video.
    pub fn is_video(self) -> bool {
        matches!(self.codec_name(), "avc" | "hevc" | "vvc" | "av1" | "vp8" | "vp9")
    }

    /// Whether Enhanced RTMP defines it for audio.
    pub fn is_audio(self) -> bool {
        matches!(self.codec_name(), "aac" | "mp3" | "opus" | "flac" | "ac3" | "eac3")
    }
}

/// FLV CodecID in words. 12 and 13 are not Adobe's: Chinese CDNs and their players use them with
/// a body like AVC's.
pub(super) fn video_codec(codec_id: u8) -> &'static str {
    match codec_id {
        1 => "jpeg",
        2 => "h263",
        3 => "screen",
        4 => "vp6",
        5 => "vp6a",
        6 => "screen2",
        7 => "avc",
        12 => "hevc",
        13 => "av1",
        _ => "unknown",
    }
}

/// FLV SoundFormat in words.
pub(super) fn audio_codec(sound_format: u8) -> &'static str {
    match sound_format {
        0 => "pcm",
        1 => "adpcm",
        2 | 14 => "mp3",
        3 => "pcm_le",
        4..=6 => "nellymoser",
        7 => "g711a",
        8 => "g711u",
        10 => "aac",
        11 => "speex",
        15 => "device",
        _ => "unknown",
    }
}

/// FLV FrameType in words.
pub(super) fn frame_type(frame_type: u8) -> &'static str {
    match frame_type {
        1 => "key frame",
        2 => "inter frame",
        3 => "disposable inter frame",
        4 => "generated key frame",
        5 => "command",
        _ => "reserved",
    }
}

/// VideoPacketType in words.
pub(super) fn video_packet(packet_type: u8) -> &'static str {
    match packet_type {
        0 => "sequence_start",
        1 => "coded_frames",
        2 => "sequence_end",
        3 => "coded_frames_x",
        4 => "metadata",
        5 => "mpeg2ts_sequence_start",
        6 => "multitrack",
        7 => "mod_ex",
        _ => "unknown",
    }
}

/// AudioPacketType in words.
pub(super) fn audio_packet(packet_type: u8) -> &'static str {
    match packet_type {
        0 => "sequence_start",
        1 => "coded_frames",
        2 => "sequence_end",
        4 => "multichannel_config",
        5 => "multitrack",
        7 => "mod_ex",
        _ => "unknown",
    }
}

/// AVCPacketType and AACPacketType in Enhanced RTMP's words.
pub(super) fn legacy_packet(packet_type: u8) -> &'static str {
    match packet_type {
        0..=2 => video_packet(packet_type),
        _ => "unknown",
    }
}

impl VideoTag {
    /// The codec: `avc`, `hevc`, `vvc`, `av1`, `vp8`, `vp9`, `h263`, `vp6`, `vp6a` (with alpha
    /// channel), `screen`, `screen2`, `jpeg` or `unknown`. Of several tracks the first one's.
    pub fn codec_name(&self) -> &'static str {
        match self.codec_id {
            Some(id) => video_codec(id),
            None => first_codec(&self.tracks),
        }
    }

    /// Whether this is a key frame, or goes with one: sequence headers carry the same mark.
    pub fn is_key(&self) -> bool {
        // Metadata packets carry any frame type: Enhanced RTMP says to ignore it.
        matches!(self.frame_type, 1 | 4) && !(self.enhanced && self.packet_type == Some(4))
    }

    /// Whether this is a command (frame type 5), without video.
    pub fn is_command(&self) -> bool {
        self.frame_type == 5 && !(self.enhanced && self.packet_type == Some(4))
    }

    /// Whether this carries codec configuration.
    pub fn is_sequence_header(&self) -> bool {
        let start = match self.packet_type {
            Some(0) => true,
            Some(5) => self.enhanced,
            _ => false,
        };
        start && !self.is_command()
    }

    /// Whether this carries coded frames.
    pub fn is_coded(&self) -> bool {
        let coded = match self.packet_type {
            Some(1) => true,
            Some(3) => self.enhanced,
            Some(_) => false,
            // Codecs without packet types send nothing but frames.
            None => self.codec_id.is_some(),
        };
        coded && !self.is_command()
    }

    /// `sequence_start`, `coded_frames`, `coded_frames_x`, `sequence_end`, `metadata`,
    /// `mpeg2ts_sequence_start`, `command`; `mod_ex` or `multitrack` when the header stops there;
    /// `unknown` for a reserved number; `None` for a codec without packet types.
    pub fn packet_name(&self) -> Option<&'static str> {
        match self.packet_type {
            _ if self.is_command() => Some("command"),
            Some(kind) if self.enhanced => Some(video_packet(kind)),
            Some(kind) => Some(legacy_packet(kind)),
            None => None,
        }
    }

    /// The frame type in words: `key`, `inter`, `disposable_inter`, `generated_key`, `command`
    /// or `unknown`.
    pub fn frame_type_name(&self) -> &'static str {
        match self.frame_type {
            1 => "key",
            2 => "inter",
            3 => "disposable_inter",
            4 => "generated_key",
            5 => "command",
            _ => "unknown",
        }
    }
}

impl AudioTag {
    /// The codec: `aac`, `mp3`, `opus`, `ac3`, `eac3`, `flac`, `speex`, `nellymoser`, `g711a`,
    /// `g711u`, `pcm` (of the sender's byte order), `pcm_le`, `adpcm`, `device` or `unknown`. Of
    /// several tracks the first one's.
    pub fn codec_name(&self) -> &'static str {
        match self.enhanced {
            true => first_codec(&self.tracks),
            false if self.empty => "unknown",
            false => audio_codec(self.sound_format),
        }
    }

    /// Whether this carries codec configuration.
    pub fn is_sequence_header(&self) -> bool {
        self.packet_type == Some(0)
    }

    /// Whether this carries coded frames.
    pub fn is_coded(&self) -> bool {
        !self.empty && self.packet_type.is_none_or(|kind| kind == 1)
    }

    /// `sequence_start`, `coded_frames`, `sequence_end`, `multichannel_config`; `mod_ex` or
    /// `multitrack` when the header stops there; `unknown` for a reserved number; `None` for a
    /// codec without packet types.
    pub fn packet_name(&self) -> Option<&'static str> {
        let kind = self.packet_type?;
        Some(if self.enhanced { audio_packet(kind) } else { legacy_packet(kind) })
    }

    /// Sample rate in Hz, as far as this message tells: the configuration's, or the header's for
    /// the codecs that obey it. AAC's header says 44100 whatever the rate is and is not believed.
    pub fn sample_rate_hz(&self) -> Option<u32> {
        if let Some(TrackConfig::Codec(config)) = self.config() {
            return config.sample_rate;
        }
        match self.sound_format {
            9 if self.codec_name() == "opus" => Some(48_000),
            9 | 10 => None,
            4 | 11 => Some(16_000),
            5 | 7 | 8 | 14 => Some(8_000),
            _ => match self.sound_rate? {
                // Exactly 5512.5.
                0 => Some(5_512),
                1 => Some(11_025),
                2 => Some(22_050),
                _ => Some(44_100),
            },
        }
    }

    /// Number of channels, as far as this message tells (see [`AudioTag::sample_rate_hz`]).
    pub fn channels(&self) -> Option<u8> {
        match self.config() {
            Some(TrackConfig::Codec(config)) => return config.channels,
            Some(TrackConfig::Multichannel { channels, .. }) => return Some(*channels),
            None => {}
        }
        match self.sound_format {
            9 | 10 => None,
            4 | 5 | 11 => Some(1),
            _ => Some(self.sound_type? + 1),
        }
    }

    fn config(&self) -> Option<&TrackConfig> {
        self.tracks.first()?.config.as_ref()
    }
}

impl Track {
    /// The codec by FourCC; `None` without an Enhanced header.
    pub fn codec_name(&self) -> Option<&'static str> {
        self.fourcc.map(FourCc::codec_name)
    }
}

fn first_codec(tracks: &[Track]) -> &'static str {
    tracks.first().and_then(Track::codec_name).unwrap_or("unknown")
}

impl MultichannelOrder {
    /// `unspecified`, `native`, `custom` or `unknown`.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "unspecified",
            1 => "native",
            2 => "custom",
            _ => "unknown",
        }
    }
}

/// AudioChannel in words: which speaker a channel is for.
pub fn channel_name(channel: u8) -> &'static str {
    const NAMES: [&str; 24] = [
        "FL", "FR", "FC", "LFE1", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC",
        "TFR", "TBL", "TBC", "TBR", "LFE2", "TSL", "TSR", "BFC", "BFL", "BFR",
    ];
    match channel {
        0xfe => "unused",
        0xff => "unknown",
        _ => NAMES.get(usize::from(channel)).copied().unwrap_or("reserved"),
    }
}
