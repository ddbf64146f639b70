//! VPCodecConfigurationRecord ("VP Codec ISO Media File Format Binding" 1.0) and the VP8 and VP9
//! key frame headers, which tell the size that the record leaves out.

use super::CodecConfig;
use super::bits::Bits;
use crate::base::{Reader, Stop, StopReason};

/// Decodes the record of `codec` (`vp8` or `vp9`), with or without the version and flags of the
/// box around it: Enhanced RTMP does not say (FFmpeg sends them).
pub fn decode_vpx(r: &mut Reader<'_, '_>, codec: &'static str) -> CodecConfig {
    let mut config = CodecConfig { codec, ..CodecConfig::default() };
    config.stop = r.group("VPCodecConfigurationRecord", |r| record(r, &mut config)).err();
    config
}

fn record(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    // Without the box header the third byte begins with the bit depth, which is never 0.
    let boxed = matches!(r.remaining(), [0 | 1, 0, 0, 0, ..]);
    if boxed {
        r.u8("version")?;
        r.u24("flags")?;
    }
    let profile = r.u8("profile")?;
    config.profile = Some(format!("Profile {profile}"));
    let level = r.u8("level")?;
    if level > 0 {
        let name = format!("{}.{}", level / 10, level % 10);
        r.meaning(|| name.clone());
        config.level = Some(name);
    }
    let mut b = Bits::new(r);
    config.bit_depth = Some(b.u8("bitDepth", 4)?);
    let chroma = b.u("chromaSubsampling", 3)?;
    config.chroma = match chroma {
        0 | 1 => Some("4:2:0"),
        2 => Some("4:2:2"),
        3 => Some("4:4:4"),
        4 => Some("4:4:0"),
        _ => None,
    };
    b.flag("videoFullRangeFlag")?;
    r.u8("colourPrimaries")?;
    r.u8("transferCharacteristics")?;
    r.u8("matrixCoefficients")?;
    let len = r.u16("codecInitializationDataSize")?;
    if len > 0 {
        r.bytes("codecInitializationData", len.into())?;
    }
    r.rest("trailing");
    Ok(())
}

/// A VP8 frame (RFC 6386 9.1): `None` for an inter frame, which tells nothing.
pub(super) fn vp8_frame(r: &mut Reader<'_, '_>) -> Option<CodecConfig> {
    if r.peek()? & 1 != 0 {
        return None;
    }
    let mut config = CodecConfig { codec: "vp8", bit_depth: Some(8), ..CodecConfig::default() };
    config.chroma = Some("4:2:0");
    config.stop = r.group("frame_header", |r| vp8_key_frame(r, &mut config)).err();
    Some(config)
}

fn vp8_key_frame(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    // Little-endian: key frame (1), version (3), show_frame (1), first_part_size (19).
    let tag = le(r, "frame_tag", 3)?;
    r.meaning(|| "key frame".to_owned());
    config.profile = Some(format!("Profile {}", tag >> 1 & 7));
    let here = r.stop("start_code", StopReason::Invalid(0));
    let code = r.u24("start_code")?;
    if code != 0x9d_012a {
        return Err(Stop { reason: StopReason::Invalid(code.into()), ..here });
    }
    // The top two bits are a scaling hint.
    config.width = Some(le(r, "width", 2)? & 0x3fff);
    config.height = Some(le(r, "height", 2)? & 0x3fff);
    Ok(())
}

/// A little-endian integer of up to 4 bytes.
pub(super) fn le(r: &mut Reader<'_, '_>, field: &'static str, len: usize) -> Result<u32, Stop> {
    let start = r.pos();
    let bytes = r.quiet(|r| r.bytes(field, len))?;
    let value = bytes.iter().rev().fold(0, |acc, b| acc << 8 | u32::from(*b));
    r.leaf(start, || (field.into(), crate::base::FieldValue::Uint(value.into())));
    Ok(value)
}

/// A VP9 frame (bitstream specification 6.2): `None` for what is no key frame.
pub(super) fn vp9_frame(r: &mut Reader<'_, '_>) -> Option<CodecConfig> {
    let first = r.peek()?;
    // frame_marker 2, profile low and high bit; profile 3 has a reserved bit after them.
    let profile = first >> 5 & 1 | first >> 3 & 2;
    let flags = if profile == 3 { first << 1 } else { first };
    // show_existing_frame and a frame_type of 1 (inter) tell nothing.
    if first >> 6 != 2 || flags & 0b1100 != 0 {
        return None;
    }
    let mut config = CodecConfig { codec: "vp9", ..CodecConfig::default() };
    config.profile = Some(format!("Profile {profile}"));
    config.stop = r.group("uncompressed_header", |r| vp9_key_frame(r, profile, &mut config)).err();
    Some(config)
}

fn vp9_key_frame(
    r: &mut Reader<'_, '_>,
    profile: u8,
    config: &mut CodecConfig,
) -> Result<(), Stop> {
    let b = &mut Bits::new(r);
    b.u("frame_marker", 2)?;
    b.flag("profile_low_bit")?;
    b.flag("profile_high_bit")?;
    if profile == 3 {
        b.u("reserved_zero", 1)?;
    }
    b.flag("show_existing_frame")?;
    b.u("frame_type", 1)?;
    b.meaning(|| "key frame".to_owned());
    b.flag("show_frame")?;
    b.flag("error_resilient_mode")?;
    let here = b.stop("frame_sync_code", StopReason::Invalid(0));
    let code = b.u("frame_sync_code", 24)?;
    if code != 0x49_8342 {
        return Err(Stop { reason: StopReason::Invalid(code.into()), ..here });
    }
    config.bit_depth = Some(match profile {
        0 | 1 => 8,
        _ if b.flag("ten_or_twelve_bit")? => 12,
        _ => 10,
    });
    let (mut x, mut y) = (true, true);
    // Colour space 7 is RGB.
    if b.u("color_space", 3)? == 7 {
        (x, y) = (false, false);
        if profile & 1 == 1 {
            b.u("reserved_zero", 1)?;
        }
    } else {
        b.flag("color_range")?;
        if profile & 1 == 1 {
            x = b.flag("subsampling_x")?;
            y = b.flag("subsampling_y")?;
            b.u("reserved_zero", 1)?;
        }
    }
    config.chroma = Some(subsampling(x, y));
    config.width = Some(b.u("frame_width_minus_1", 16)? + 1);
    config.height = Some(b.u("frame_height_minus_1", 16)? + 1);
    Ok(())
}

/// Chroma format by subsampling flags.
pub(super) fn subsampling(x: bool, y: bool) -> &'static str {
    match (x, y) {
        (true, true) => "4:2:0",
        (true, false) => "4:2:2",
        (false, true) => "4:4:0",
        (false, false) => "4:4:4",
    }
}
