//! AV1CodecConfigurationRecord ("AV1 Codec ISO Media File Format Binding" 2.3.3), the AV1 video
//! descriptor of MPEG-2 TS, and the sequence header OBU (AV1 bitstream specification 5.5).

use super::CodecConfig;
use super::bits::{Bits, lax_part};
use super::vpx::subsampling;
use super::vui::rate;
use crate::base::{FieldValue, Reader, Stop, StopReason};

/// Decodes the record that begins at the reader's position and takes all that is left.
pub fn decode_av1(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "av1", ..CodecConfig::default() };
    config.stop = r
        .group("AV1CodecConfigurationRecord", |r| {
            fixed(r, &mut config)?;
            let mut b = Bits::new(r);
            b.u("reserved", 3)?;
            presentation_delay(&mut b)?;
            obus(r, &mut config)
        })
        .err();
    config
}

/// Decodes the AV1 video descriptor ("Carriage of AV1 in MPEG-2 TS" 2.2), which Enhanced RTMP's
/// MPEG2TSSequenceStart carries.
pub fn decode_av1_descriptor(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "av1", ..CodecConfig::default() };
    config.stop = r
        .group("AV1_video_descriptor", |r| {
            r.u8("descriptor_tag")?;
            r.u8("descriptor_length")?;
            fixed(r, &mut config)?;
            let mut b = Bits::new(r);
            b.u("hdr_wcg_idc", 2)?;
            b.u("reserved_zeros", 1)?;
            presentation_delay(&mut b)?;
            r.rest("trailing");
            Ok(())
        })
        .err();
    config
}

/// The three bytes that record and descriptor share.
fn fixed(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let here = r.stop("version", StopReason::Invalid(0));
    let mut b = Bits::new(r);
    b.u("marker", 1)?;
    let version = b.u("version", 7)?;
    if version != 1 {
        return Err(Stop { reason: StopReason::Invalid(version.into()), ..here });
    }
    let profile = b.u8("seq_profile", 3)?;
    b.meaning(|| profile_name(profile));
    config.profile = Some(profile_name(profile));
    let level = b.u8("seq_level_idx_0", 5)?;
    let high = b.flag("seq_tier_0")?;
    config.level = Some(level_name(level, high));
    b.meaning(|| level_name(level, high));
    let high = b.flag("high_bitdepth")?;
    let twelve = b.flag("twelve_bit")?;
    config.bit_depth = Some(if high { 10 + 2 * u8::from(twelve) } else { 8 });
    let mono = b.flag("monochrome")?;
    let x = b.flag("chroma_subsampling_x")?;
    let y = b.flag("chroma_subsampling_y")?;
    config.chroma = Some(if mono { "4:0:0" } else { subsampling(x, y) });
    b.u("chroma_sample_position", 2)?;
    Ok(())
}

fn presentation_delay(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    let present = b.flag("initial_presentation_delay_present")?;
    b.u(if present { "initial_presentation_delay_minus_one" } else { "reserved" }, 4)?;
    Ok(())
}

fn profile_name(profile: u8) -> String {
    match profile {
        0 => "Main".to_owned(),
        1 => "High".to_owned(),
        2 => "Professional".to_owned(),
        _ => format!("profile {profile}"),
    }
}

/// Level index in words (annex A.3); 31 is "no limit".
fn level_name(index: u8, high: bool) -> String {
    match index {
        31 => "max".to_owned(),
        _ => format!("{}.{}{}", 2 + (index >> 2), index & 3, if high { " High" } else { "" }),
    }
}

/// `obu_type` in words (table 5.3.2).
pub(super) fn obu_name(kind: u8) -> &'static str {
    match kind {
        1 => "sequence header",
        2 => "temporal delimiter",
        3 => "frame header",
        4 => "tile group",
        5 => "metadata",
        6 => "frame",
        7 => "redundant frame header",
        8 => "tile list",
        15 => "padding",
        _ => "reserved",
    }
}

/// Reads OBUs to the end; sequence headers among them fill `config`.
pub(super) fn obus(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let mut first = None;
    while !r.is_empty() {
        let part = r.group("obu", |r| {
            let mut b = Bits::new(r);
            b.u("obu_forbidden_bit", 1)?;
            let kind = b.u8("obu_type", 4)?;
            b.meaning(|| obu_name(kind).to_owned());
            let extended = b.flag("obu_extension_flag")?;
            let sized = b.flag("obu_has_size_field")?;
            b.u("obu_reserved_1bit", 1)?;
            if extended {
                b.u("temporal_id", 3)?;
                b.u("spatial_id", 2)?;
                b.u("extension_header_reserved_3bits", 3)?;
            }
            let len = if sized { leb128(r, "obu_size")? } else { r.left() as u64 };
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            Ok(lax_part(r, "obu_payload", len, |r| {
                if kind == 1 {
                    sequence_header(r, config)
                } else {
                    r.rest("obu_payload");
                    Ok(())
                }
            }))
        });
        match part {
            Ok(stop) => first = first.or(stop),
            // A fault inside an earlier one is what went wrong first.
            Err(stop) => return Err(first.unwrap_or(stop)),
        }
    }
    first.map_or(Ok(()), Err)
}

/// leb128() (4.10.5): at most 8 bytes of 7 bits.
fn leb128(r: &mut Reader<'_, '_>, field: &'static str) -> Result<u64, Stop> {
    let start = r.pos();
    let mut value = 0;
    for i in 0..8 {
        let byte = r.quiet(|r| r.u8(field))?;
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            r.leaf(start, || (field.into(), FieldValue::Uint(value)));
            return Ok(value);
        }
    }
    Err(Stop { field, at: start, reason: StopReason::Invalid(value) })
}

/// sequence_header_obu() (5.5.1).
fn sequence_header(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let b = &mut Bits::new(r);
    let profile = b.u8("seq_profile", 3)?;
    b.meaning(|| profile_name(profile));
    config.profile = Some(profile_name(profile));
    b.flag("still_picture")?;
    let reduced = b.flag("reduced_still_picture_header")?;
    if reduced {
        let level = b.u8("seq_level_idx", 5)?;
        config.level = Some(level_name(level, false));
    } else {
        timing_and_operating_points(b, config)?;
    }
    let width_bits = b.u("frame_width_bits_minus_1", 4)? + 1;
    let height_bits = b.u("frame_height_bits_minus_1", 4)? + 1;
    config.width = Some(b.u("max_frame_width_minus_1", width_bits)? + 1);
    config.height = Some(b.u("max_frame_height_minus_1", height_bits)? + 1);
    if !reduced && b.flag("frame_id_numbers_present_flag")? {
        b.u("delta_frame_id_length_minus_2", 4)?;
        b.u("additional_frame_id_length_minus_1", 3)?;
    }
    b.flag("use_128x128_superblock")?;
    b.flag("enable_filter_intra")?;
    b.flag("enable_intra_edge_filter")?;
    if !reduced {
        inter_tools(b)?;
    }
    b.flag("enable_superres")?;
    b.flag("enable_cdef")?;
    b.flag("enable_restoration")?;
    color_config(b, profile, config)?;
    b.flag("film_grain_params_present")?;
    Ok(())
}

fn timing_and_operating_points(
    b: &mut Bits<'_, '_, '_>,
    config: &mut CodecConfig,
) -> Result<(), Stop> {
    let mut delay_bits = None;
    if b.flag("timing_info_present_flag")? {
        let units = b.u("num_units_in_display_tick", 32)?;
        let scale = b.u("time_scale", 32)?;
        // Only pictures at equal distances make a rate.
        if b.flag("equal_picture_interval")? {
            let ticks = b.ue("num_ticks_per_picture_minus_1")? + 1;
            let frames = rate(scale.into(), u64::from(units).saturating_mul(ticks));
            config.frame_rate = frames;
            if let Some(frames) = frames {
                b.meaning(|| format!("{frames:.3} frames per second"));
            }
        }
        if b.flag("decoder_model_info_present_flag")? {
            delay_bits = Some(b.u("buffer_delay_length_minus_1", 5)? + 1);
            b.u("num_units_in_decoding_tick", 32)?;
            b.u("buffer_removal_time_length_minus_1", 5)?;
            b.u("frame_presentation_time_length_minus_1", 5)?;
        }
    }
    let display_delay = b.flag("initial_display_delay_present_flag")?;
    let points = b.u("operating_points_cnt_minus_1", 5)? + 1;
    for i in 0..points {
        b.u("operating_point_idc", 12)?;
        let level = b.u8("seq_level_idx", 5)?;
        let high = level > 7 && b.flag("seq_tier")?;
        b.meaning(|| level_name(level, high));
        if i == 0 {
            config.level = Some(level_name(level, high));
        }
        if let Some(bits) = delay_bits
            && b.flag("decoder_model_present_for_this_op")?
        {
            b.u("decoder_buffer_delay", bits)?;
            b.u("encoder_buffer_delay", bits)?;
            b.flag("low_delay_mode_flag")?;
        }
        if display_delay && b.flag("initial_display_delay_present_for_this_op")? {
            b.u("initial_display_delay_minus_1", 4)?;
        }
    }
    Ok(())
}

fn inter_tools(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    b.flag("enable_interintra_compound")?;
    b.flag("enable_masked_compound")?;
    b.flag("enable_warped_motion")?;
    b.flag("enable_dual_filter")?;
    let order_hint = b.flag("enable_order_hint")?;
    if order_hint {
        b.flag("enable_jnt_comp")?;
        b.flag("enable_ref_frame_mvs")?;
    }
    // "Choose" means that every frame says for itself.
    let screen =
        b.flag("seq_choose_screen_content_tools")? || b.flag("seq_force_screen_content_tools")?;
    if screen && !b.flag("seq_choose_integer_mv")? {
        b.flag("seq_force_integer_mv")?;
    }
    if order_hint {
        b.u("order_hint_bits_minus_1", 3)?;
    }
    Ok(())
}

fn color_config(
    b: &mut Bits<'_, '_, '_>,
    profile: u8,
    config: &mut CodecConfig,
) -> Result<(), Stop> {
    let high = b.flag("high_bitdepth")?;
    let twelve = profile == 2 && high && b.flag("twelve_bit")?;
    config.bit_depth = Some(if high { 10 + 2 * u8::from(twelve) } else { 8 });
    let mono = profile != 1 && b.flag("mono_chrome")?;
    let mut rgb = false;
    if b.flag("color_description_present_flag")? {
        let primaries = b.u("color_primaries", 8)?;
        let transfer = b.u("transfer_characteristics", 8)?;
        let matrix = b.u("matrix_coefficients", 8)?;
        // BT.709 primaries, sRGB transfer, identity matrix.
        rgb = (primaries, transfer, matrix) == (1, 13, 0);
    }
    if mono {
        config.chroma = Some("4:0:0");
        b.flag("color_range")?;
        return Ok(());
    }
    let (x, y) = match profile {
        _ if rgb => (false, false),
        _ => {
            b.flag("color_range")?;
            match profile {
                0 => (true, true),
                1 => (false, false),
                _ if config.bit_depth == Some(12) => {
                    let x = b.flag("subsampling_x")?;
                    (x, x && b.flag("subsampling_y")?)
                }
                _ => (true, false),
            }
        }
    };
    config.chroma = Some(subsampling(x, y));
    if x && y {
        b.u("chroma_sample_position", 2)?;
    }
    b.flag("separate_uv_delta_q")?;
    Ok(())
}
