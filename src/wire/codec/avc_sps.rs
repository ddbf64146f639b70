//! H.264 sequence parameter set (ISO/IEC 14496-10 7.3.2.1.1 and annex E).

use super::CodecConfig;
use super::bits::Bits;
use super::vui;
use crate::base::{Reader, Stop, StopReason};

/// Whether parameter sets of this profile carry chroma format and bit depth (7.3.2.1.1).
pub(super) fn chroma_profile(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 134 | 135 | 138 | 139)
}

/// `profile_idc` with its constraint flags (annex A.2), bit 7 being constraint_set0_flag.
pub(super) fn profile_name(profile: u8, constraints: u8) -> String {
    let set = |n: u8| constraints & (0x80 >> n) != 0;
    let name = match profile {
        66 if set(1) => "Constrained Baseline",
        66 => "Baseline",
        77 => "Main",
        88 => "Extended",
        100 if set(4) && set(5) => "Constrained High",
        100 if set(4) => "Progressive High",
        100 => "High",
        110 if set(3) => "High 10 Intra",
        110 => "High 10",
        122 if set(3) => "High 4:2:2 Intra",
        122 => "High 4:2:2",
        244 if set(3) => "High 4:4:4 Intra",
        244 => "High 4:4:4 Predictive",
        44 => "CAVLC 4:4:4 Intra",
        83 => "Scalable Baseline",
        86 => "Scalable High",
        118 => "Multiview High",
        128 => "Stereo High",
        134 => "MFC High",
        135 => "MFC Depth High",
        138 => "Multiview Depth High",
        139 => "Enhanced Multiview Depth High",
        _ => return format!("profile {profile}"),
    };
    name.to_owned()
}

/// `level_idc` as text; level 1b has two spellings (A.3.1).
pub(super) fn level_name(profile: u8, constraints: u8, level: u8) -> String {
    let old = matches!(profile, 66 | 77 | 88);
    match level {
        11 if old && constraints & 0x10 != 0 => "1b".to_owned(),
        9 if !old => "1b".to_owned(),
        _ => format!("{}.{}", level / 10, level % 10),
    }
}

/// Decodes the NAL unit at hand.
pub(super) fn decode(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let b = &mut Bits::nal_unit(r);
    b.u("forbidden_zero_bit", 1)?;
    b.u("nal_ref_idc", 2)?;
    let here = b.stop("nal_unit_type", StopReason::Invalid(0));
    let kind = b.u("nal_unit_type", 5)?;
    // 15 is a subset SPS, which begins the same way.
    if kind != 7 && kind != 15 {
        return Err(Stop { reason: StopReason::Invalid(kind.into()), ..here });
    }
    let profile = b.u8("profile_idc", 8)?;
    let constraints = b.u8("constraint_set_flags", 8)?;
    let name = profile_name(profile, constraints);
    b.meaning(|| name.clone());
    config.profile = Some(name);
    let level = b.u8("level_idc", 8)?;
    let name = level_name(profile, constraints, level);
    b.meaning(|| name.clone());
    config.level = Some(name);
    b.ue_max("seq_parameter_set_id", 31)?;
    let chroma = chroma(b, profile, config)?;
    b.ue_max("log2_max_frame_num_minus4", 12)?;
    picture_order(b)?;
    b.ue_max("max_num_ref_frames", 16)?;
    b.flag("gaps_in_frame_num_value_allowed_flag")?;
    let width = (b.ue("pic_width_in_mbs_minus1")? + 1) * 16;
    let units = b.ue("pic_height_in_map_units_minus1")? + 1;
    let frames_only = b.flag("frame_mbs_only_flag")?;
    // Field coding counts pairs of macroblock rows.
    let rows = if frames_only { 1 } else { 2 };
    let height = units * 16 * rows;
    if !frames_only {
        b.flag("mb_adaptive_frame_field_flag")?;
    }
    b.flag("direct_8x8_inference_flag")?;
    let mut crop = [0; 4];
    if b.flag("frame_cropping_flag")? {
        crop = [
            b.ue("frame_crop_left_offset")?,
            b.ue("frame_crop_right_offset")?,
            b.ue("frame_crop_top_offset")?,
            b.ue("frame_crop_bottom_offset")?,
        ];
    }
    let unit = match chroma {
        1 => (2, 2 * rows),
        2 => (2, rows),
        _ => (1, rows),
    };
    let Some((width, height)) = vui::cropped((width, height), crop, unit) else {
        return Err(b.stop("frame_cropping", StopReason::Invalid(crop[0].max(crop[2]))));
    };
    b.meaning(|| format!("{width}x{height}"));
    (config.width, config.height) = (Some(width), Some(height));
    if b.flag("vui_parameters_present_flag")? {
        vui_parameters(b, config)?;
    }
    Ok(())
}

/// Chroma format, bit depth and scaling matrices; gives back ChromaArrayType.
fn chroma(b: &mut Bits<'_, '_, '_>, profile: u8, config: &mut CodecConfig) -> Result<u32, Stop> {
    if !chroma_profile(profile) {
        (config.chroma, config.bit_depth) = (Some("4:2:0"), Some(8));
        return Ok(1);
    }
    let format = b.ue_max("chroma_format_idc", 3)?;
    config.chroma = vui::chroma_name(format);
    b.meaning(|| vui::chroma_name(format).unwrap_or_default().to_owned());
    let separate = format == 3 && b.flag("separate_colour_plane_flag")?;
    config.bit_depth = Some(b.ue_max("bit_depth_luma_minus8", 6)? as u8 + 8);
    b.ue_max("bit_depth_chroma_minus8", 6)?;
    b.flag("qpprime_y_zero_transform_bypass_flag")?;
    if b.flag("seq_scaling_matrix_present_flag")? {
        for i in 0..if format == 3 { 12 } else { 8 } {
            if b.flag("seq_scaling_list_present_flag")? {
                scaling_list(b, if i < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(if separate { 0 } else { format })
}

/// 7.3.2.1.1.1: values are differences; a next scale of 0 ends the list.
fn scaling_list(b: &mut Bits<'_, '_, '_>, size: u32) -> Result<(), Stop> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + b.se("delta_scale")?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

fn picture_order(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    match b.ue_max("pic_order_cnt_type", 2)? {
        0 => {
            b.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)?;
        }
        1 => {
            b.flag("delta_pic_order_always_zero_flag")?;
            b.se("offset_for_non_ref_pic")?;
            b.se("offset_for_top_to_bottom_field")?;
            for _ in 0..b.ue_max("num_ref_frames_in_pic_order_cnt_cycle", 255)? {
                b.se("offset_for_ref_frame")?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn vui_parameters(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    vui::display(b)?;
    if b.flag("timing_info_present_flag")? {
        let units = b.u("num_units_in_tick", 32)?;
        let scale = b.u("time_scale", 32)?;
        // A tick is a field: two of them make a frame.
        let rate = vui::rate(scale.into(), 2 * u64::from(units));
        config.frame_rate = rate;
        if let Some(rate) = rate {
            b.meaning(|| format!("{rate:.3} frames per second"));
        }
        b.flag("fixed_frame_rate_flag")?;
    }
    let nal = b.flag("nal_hrd_parameters_present_flag")?;
    if nal {
        hrd_parameters(b)?;
    }
    let vcl = b.flag("vcl_hrd_parameters_present_flag")?;
    if vcl {
        hrd_parameters(b)?;
    }
    if nal || vcl {
        b.flag("low_delay_hrd_flag")?;
    }
    b.flag("pic_struct_present_flag")?;
    if b.flag("bitstream_restriction_flag")? {
        b.flag("motion_vectors_over_pic_boundaries_flag")?;
        b.ue("max_bytes_per_pic_denom")?;
        b.ue("max_bits_per_mb_denom")?;
        b.ue("log2_max_mv_length_horizontal")?;
        b.ue("log2_max_mv_length_vertical")?;
        b.ue("max_num_reorder_frames")?;
        b.ue("max_dec_frame_buffering")?;
    }
    Ok(())
}

fn hrd_parameters(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    let count = b.ue_max("cpb_cnt_minus1", 31)? + 1;
    b.u("bit_rate_scale", 4)?;
    b.u("cpb_size_scale", 4)?;
    for _ in 0..count {
        b.ue("bit_rate_value_minus1")?;
        b.ue("cpb_size_value_minus1")?;
        b.flag("cbr_flag")?;
    }
    b.u("initial_cpb_removal_delay_length_minus1", 5)?;
    b.u("cpb_removal_delay_length_minus1", 5)?;
    b.u("dpb_output_delay_length_minus1", 5)?;
    b.u("time_offset_length", 5)?;
    Ok(())
}
