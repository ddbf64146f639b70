//! What an audio or video message says before its coded bytes.

use crate::wire::amf::Property;
use crate::wire::codec::CodecConfig;

/// Four characters that name a codec (Enhanced RTMP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FourCc(pub [u8; 4]);

impl std::fmt::Display for FourCc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0 {
            match byte {
                b' '..=b'~' => write!(f, "{}", byte as char)?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

/// A decoded video message.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VideoTag {
    /// FLV FrameType: 1 key, 2 inter, 3 disposable inter, 4 generated key, 5 info/command.
    pub frame_type: u8,
    /// FLV CodecID; `None` with an Enhanced RTMP header.
    pub codec_id: Option<u8>,
    /// Whether the Enhanced RTMP header is used.
    pub enhanced: bool,
    /// AVCPacketType (legacy AVC, and the vendor codec ids 12 and 13) or VideoPacketType
    /// (Enhanced; inside multitrack the inner one). `None` where the codec has no such field.
    pub packet_type: Option<u8>,
    /// Composition time offset in milliseconds, where the packet has one (0 for CodedFramesX).
    pub composition_time: Option<i32>,
    /// The command byte of frame type 5.
    pub command: Option<u8>,
    /// ModEx extensions, in order.
    pub mod_ex: Vec<ModEx>,
    /// Multitrack layout, if the message is one.
    pub multitrack: Option<Multitrack>,
    /// The tracks of the message: exactly one, with `id` `None`, when not multitrack.
    pub tracks: Vec<Track>,
    /// Metadata pairs (VideoPacketType 4), such as `colorInfo`.
    pub metadata: Vec<Property>,
}

/// A decoded audio message.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AudioTag {
    /// FLV SoundFormat; 9 means the Enhanced RTMP header.
    pub sound_format: u8,
    /// FLV SoundRate code, 0 to 3; `None` with an Enhanced header.
    pub sound_rate: Option<u8>,
    /// FLV SoundSize bit; `None` with an Enhanced header.
    pub sound_size: Option<u8>,
    /// FLV SoundType bit; `None` with an Enhanced header.
    pub sound_type: Option<u8>,
    /// Whether the Enhanced RTMP header is used.
    pub enhanced: bool,
    /// AACPacketType (legacy AAC) or AudioPacketType (Enhanced; inside multitrack the inner one).
    pub packet_type: Option<u8>,
    /// ModEx extensions, in order.
    pub mod_ex: Vec<ModEx>,
    /// Multitrack layout, if the message is one.
    pub multitrack: Option<Multitrack>,
    /// The tracks of the message: exactly one, with `id` `None`, when not multitrack.
    pub tracks: Vec<Track>,
    /// A message without payload: silence.
    pub empty: bool,
}

/// AvMultitrackType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multitrack(pub u8);

impl Multitrack {
    /// `one_track`, `many_tracks`, `many_tracks_many_codecs` or `unknown`.
    pub fn name(self) -> &'static str {
        match self.0 {
            0 => "one_track",
            1 => "many_tracks",
            2 => "many_tracks_many_codecs",
            _ => "unknown",
        }
    }
}

/// One ModEx extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModEx {
    /// ModEx type: 0 is TimestampOffsetNano.
    pub kind: u8,
    /// Nanoseconds to add to the presentation time, for type 0.
    pub nanoseconds: Option<u32>,
    /// Length of the extension's data in bytes.
    pub len: u32,
}

/// One track of a message.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Track {
    /// Track id; `None` outside multitrack.
    pub id: Option<u8>,
    /// FourCC, with an Enhanced header.
    pub fourcc: Option<FourCc>,
    /// Composition time of this track (multitrack coded frames).
    pub composition_time: Option<i32>,
    /// Where the coded bytes (or the configuration record) lie in the message payload. The end is
    /// the announced one: only the beginning of the payload may be at hand.
    pub range: std::ops::Range<usize>,
    /// Decoded configuration, for sequence starts and multichannel configurations.
    pub config: Option<TrackConfig>,
}

/// A configuration of a track.
#[derive(Clone, Debug, PartialEq)]
pub enum TrackConfig {
    /// A codec configuration record.
    Codec(CodecConfig),
    /// AudioPacketType MultichannelConfig.
    Multichannel {
        /// How channels are ordered.
        order: MultichannelOrder,
        /// Number of channels.
        channels: u8,
        /// Custom order: what each channel is.
        mapping: Vec<u8>,
        /// Native order: a bit per channel.
        flags: Option<u32>,
    },
}

/// AudioChannelOrder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultichannelOrder(pub u8);
