//! The outcome of every configuration record in one shape.

/// What a codec configuration record says.
///
/// Records differ; what a streaming engineer compares (resolution, profile, rate, channels) has a
/// field, the rest is in the field tree.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CodecConfig {
    /// `avc`, `hevc`, `vvc`, `av1`, `vp8`, `vp9`, `aac`, `opus`, `flac`, `ac3`, `eac3`, `mp3`.
    pub codec: &'static str,
    /// Profile name or number as text, such as `High` or `AAC LC`.
    pub profile: Option<String>,
    /// Level as text, such as `4.1`.
    pub level: Option<String>,
    /// Width in luma samples after cropping.
    pub width: Option<u32>,
    /// Height in luma samples after cropping.
    pub height: Option<u32>,
    /// Frames per second from VUI timing.
    pub frame_rate: Option<f64>,
    /// Chroma format, such as `4:2:0`.
    pub chroma: Option<&'static str>,
    /// Bits per sample (video: luma).
    pub bit_depth: Option<u8>,
    /// Bytes of each NAL unit's length prefix.
    pub nal_length_size: Option<u8>,
    /// Sample rate in Hz.
    pub sample_rate: Option<u32>,
    /// Number of channels.
    pub channels: Option<u8>,
    /// Why the record could not be read to its end.
    pub stop: Option<crate::base::Stop>,
}
