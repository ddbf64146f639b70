//! From a codec's name to its decoder.

use super::{
    CodecConfig, audio_frame, decode_aac, decode_av1, decode_avc, decode_flac, decode_hevc,
    decode_opus, decode_vpx, decode_vvc, flash_video, vpx,
};
use crate::base::{Reader, Stop, StopReason};

/// Decodes the configuration record of `codec`, named as in [`CodecConfig::codec`]. `None` when
/// the codec has none.
pub fn decode_config(r: &mut Reader<'_, '_>, codec: &str) -> Option<CodecConfig> {
    Some(match codec {
        "avc" => decode_avc(r),
        "hevc" => decode_hevc(r),
        "vvc" => decode_vvc(r),
        "av1" => decode_av1(r),
        "vp8" => decode_vpx(r, "vp8"),
        "vp9" => decode_vpx(r, "vp9"),
        "aac" => decode_aac(r),
        "opus" => decode_opus(r),
        "flac" => decode_flac(r),
        _ => return None,
    })
}

/// Decodes the header of a coded frame of `codec` (`ac3`, `eac3`, `mp3`, `vp8`, `vp9`, `h263`,
/// `vp6`, `screen`, `screen2`), which stands in for the configuration record that those codecs do
/// not have or that leaves out the picture size. `None` for other codecs, and for frames that
/// tell nothing, such as inter frames.
///
/// A few bytes of the frame are enough: 16 for all of these.
pub fn decode_frame(r: &mut Reader<'_, '_>, codec: &str) -> Option<CodecConfig> {
    match codec {
        "ac3" | "eac3" => Some(audio_frame::ac3_frame(r)),
        "mp3" => Some(audio_frame::mpeg_frame(r)),
        "vp8" => vpx::vp8_frame(r),
        "vp9" => vpx::vp9_frame(r),
        "h263" => Some(flash_video::h263_frame(r)),
        "vp6" => flash_video::vp6_frame(r),
        "screen" => Some(flash_video::screen_frame(r, "screen")),
        "screen2" => Some(flash_video::screen_frame(r, "screen2")),
        _ => None,
    }
}

/// Reads a version byte that must be `expected`: another version may have another layout.
pub(super) fn version(
    r: &mut Reader<'_, '_>,
    field: &'static str,
    expected: u8,
) -> Result<(), Stop> {
    let here = r.stop(field, StopReason::Invalid(0));
    let version = r.u8(field)?;
    if version == expected {
        Ok(())
    } else {
        Err(Stop { reason: StopReason::Invalid(version.into()), ..here })
    }
}
