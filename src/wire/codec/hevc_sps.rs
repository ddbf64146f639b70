//! H.265 video and sequence parameter sets (ISO/IEC 23008-2 7.3.2 and annex E).

use super::CodecConfig;
use super::bits::Bits;
use super::vui;
use crate::base::{Reader, Stop, StopReason};

/// The profile, and the level with its tier, in words.
pub(super) struct ProfileTierLevel {
    pub profile: String,
    pub level: String,
}

fn profile_name(idc: u8, compatibility: u32) -> String {
    // Streams without a profile of their own say which one they obey in the flags alone.
    let idc = match idc {
        0 => (1..32).find(|i| compatibility & (0x8000_0000 >> i) != 0).unwrap_or(0),
        idc => idc,
    };
    let name = match idc {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Range Extensions",
        5 => "High Throughput",
        6 => "Multiview Main",
        7 => "Scalable Main",
        8 => "3D Main",
        9 => "Screen-Extended Main",
        10 => "Scalable Range Extensions",
        11 => "High Throughput Screen-Extended",
        _ => return format!("profile {idc}"),
    };
    name.to_owned()
}

/// The 12 bytes that the record and the parameter sets share, with the level that follows them.
pub(super) fn general_profile(b: &mut Bits<'_, '_, '_>) -> Result<ProfileTierLevel, Stop> {
    b.u("general_profile_space", 2)?;
    let high = b.flag("general_tier_flag")?;
    b.meaning(|| if high { "High tier" } else { "Main tier" }.to_owned());
    let idc = b.u8("general_profile_idc", 5)?;
    let compatibility = b.u("general_profile_compatibility_flags", 32)?;
    let profile = profile_name(idc, compatibility);
    b.meaning(|| profile.clone());
    b.u64("general_constraint_indicator_flags", 48)?;
    let idc = b.u8("general_level_idc", 8)?;
    let tier = if high { " High" } else { "" };
    let level = format!("{}.{}{tier}", idc / 30, idc % 30 / 3);
    b.meaning(|| level.clone());
    Ok(ProfileTierLevel { profile, level })
}

/// profile_tier_level() (7.3.3).
fn profile_tier_level(b: &mut Bits<'_, '_, '_>, sub_layers: u32) -> Result<ProfileTierLevel, Stop> {
    let general = general_profile(b)?;
    let mut present = [(false, false); 7];
    for flags in present.iter_mut().take(sub_layers as usize) {
        flags.0 = b.flag("sub_layer_profile_present_flag")?;
        flags.1 = b.flag("sub_layer_level_present_flag")?;
    }
    if sub_layers > 0 {
        b.skip("reserved_zero_2bits", (8 - sub_layers) * 2)?;
    }
    for (profile, level) in present {
        if profile {
            b.skip("sub_layer_profile", 88)?;
        }
        if level {
            b.u("sub_layer_level_idc", 8)?;
        }
    }
    Ok(general)
}

fn nal_header(b: &mut Bits<'_, '_, '_>, expected: u32) -> Result<(), Stop> {
    b.u("forbidden_zero_bit", 1)?;
    let here = b.stop("nal_unit_type", StopReason::Invalid(0));
    let kind = b.u("nal_unit_type", 6)?;
    if kind != expected {
        return Err(Stop { reason: StopReason::Invalid(kind.into()), ..here });
    }
    b.u("nuh_layer_id", 6)?;
    b.u("nuh_temporal_id_plus1", 3)?;
    Ok(())
}

fn sub_layers_minus1(b: &mut Bits<'_, '_, '_>, field: &'static str) -> Result<u32, Stop> {
    let here = b.stop(field, StopReason::Invalid(7));
    let value = b.u(field, 3)?;
    if value == 7 { Err(here) } else { Ok(value) }
}

fn sub_layer_ordering(b: &mut Bits<'_, '_, '_>, sub_layers: u32) -> Result<(), Stop> {
    let all = b.flag("sub_layer_ordering_info_present_flag")?;
    for _ in 0..=if all { sub_layers } else { 0 } {
        b.ue("max_dec_pic_buffering_minus1")?;
        b.ue("max_num_reorder_pics")?;
        b.ue("max_latency_increase_plus1")?;
    }
    Ok(())
}

fn timing(b: &mut Bits<'_, '_, '_>, rate: &mut Option<f64>) -> Result<(), Stop> {
    if b.flag("timing_info_present_flag")? {
        let units = b.u("num_units_in_tick", 32)?;
        let scale = b.u("time_scale", 32)?;
        *rate = vui::rate(scale.into(), units.into());
        if let Some(rate) = *rate {
            b.meaning(|| format!("{rate:.3} frames per second"));
        }
        if b.flag("poc_proportional_to_timing_flag")? {
            b.ue("num_ticks_poc_diff_one_minus1")?;
        }
    }
    Ok(())
}

/// Decodes a VPS as far as its timing.
pub(super) fn decode_vps(r: &mut Reader<'_, '_>, rate: &mut Option<f64>) -> Result<(), Stop> {
    let b = &mut Bits::nal_unit(r);
    nal_header(b, 32)?;
    b.u("vps_video_parameter_set_id", 4)?;
    b.flag("vps_base_layer_internal_flag")?;
    b.flag("vps_base_layer_available_flag")?;
    b.u("vps_max_layers_minus1", 6)?;
    let sub_layers = sub_layers_minus1(b, "vps_max_sub_layers_minus1")?;
    b.flag("vps_temporal_id_nesting_flag")?;
    b.u("vps_reserved_0xffff_16bits", 16)?;
    profile_tier_level(b, sub_layers)?;
    sub_layer_ordering(b, sub_layers)?;
    let max_layer = b.u("vps_max_layer_id", 6)?;
    let sets = b.ue_max("vps_num_layer_sets_minus1", 1023)?;
    for _ in 0..sets {
        b.skip("layer_id_included_flag", max_layer + 1)?;
    }
    timing(b, rate)
}

/// Decodes an SPS as far as its timing.
pub(super) fn decode_sps(
    r: &mut Reader<'_, '_>,
    config: &mut CodecConfig,
    rate: &mut Option<f64>,
) -> Result<(), Stop> {
    let b = &mut Bits::nal_unit(r);
    nal_header(b, 33)?;
    b.u("sps_video_parameter_set_id", 4)?;
    let sub_layers = sub_layers_minus1(b, "sps_max_sub_layers_minus1")?;
    b.flag("sps_temporal_id_nesting_flag")?;
    let general = profile_tier_level(b, sub_layers)?;
    config.profile = Some(general.profile);
    config.level = Some(general.level);
    b.ue_max("sps_seq_parameter_set_id", 15)?;
    let chroma = b.ue_max("chroma_format_idc", 3)?;
    config.chroma = vui::chroma_name(chroma);
    if chroma == 3 {
        b.flag("separate_colour_plane_flag")?;
    }
    let width = b.ue("pic_width_in_luma_samples")?;
    let height = b.ue("pic_height_in_luma_samples")?;
    let mut crop = [0; 4];
    if b.flag("conformance_window_flag")? {
        crop = [
            b.ue("conf_win_left_offset")?,
            b.ue("conf_win_right_offset")?,
            b.ue("conf_win_top_offset")?,
            b.ue("conf_win_bottom_offset")?,
        ];
    }
    let unit = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let Some((width, height)) = vui::cropped((width, height), crop, unit) else {
        return Err(b.stop("conformance_window", StopReason::Invalid(crop[0].max(crop[2]))));
    };
    b.meaning(|| format!("{width}x{height}"));
    (config.width, config.height) = (Some(width), Some(height));
    config.bit_depth = Some(b.ue_max("bit_depth_luma_minus8", 8)? as u8 + 8);
    b.ue_max("bit_depth_chroma_minus8", 8)?;
    let poc_bits = b.ue_max("log2_max_pic_order_cnt_lsb_minus4", 12)? + 4;
    sub_layer_ordering(b, sub_layers)?;
    coding_tools(b)?;
    reference_picture_sets(b)?;
    if b.flag("long_term_ref_pics_present_flag")? {
        for _ in 0..b.ue_max("num_long_term_ref_pics_sps", 32)? {
            b.u("lt_ref_pic_poc_lsb_sps", poc_bits)?;
            b.flag("used_by_curr_pic_lt_sps_flag")?;
        }
    }
    b.flag("sps_temporal_mvp_enabled_flag")?;
    b.flag("strong_intra_smoothing_enabled_flag")?;
    if b.flag("vui_parameters_present_flag")? {
        vui::display(b)?;
        b.flag("neutral_chroma_indication_flag")?;
        b.flag("field_seq_flag")?;
        b.flag("frame_field_info_present_flag")?;
        if b.flag("default_display_window_flag")? {
            b.ue("def_disp_win_left_offset")?;
            b.ue("def_disp_win_right_offset")?;
            b.ue("def_disp_win_top_offset")?;
            b.ue("def_disp_win_bottom_offset")?;
        }
        timing(b, rate)?;
    }
    Ok(())
}

fn coding_tools(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    b.ue("log2_min_luma_coding_block_size_minus3")?;
    b.ue("log2_diff_max_min_luma_coding_block_size")?;
    b.ue("log2_min_luma_transform_block_size_minus2")?;
    b.ue("log2_diff_max_min_luma_transform_block_size")?;
    b.ue("max_transform_hierarchy_depth_inter")?;
    b.ue("max_transform_hierarchy_depth_intra")?;
    if b.flag("scaling_list_enabled_flag")? && b.flag("sps_scaling_list_data_present_flag")? {
        scaling_list_data(b)?;
    }
    b.flag("amp_enabled_flag")?;
    b.flag("sample_adaptive_offset_enabled_flag")?;
    if b.flag("pcm_enabled_flag")? {
        b.u("pcm_sample_bit_depth_luma_minus1", 4)?;
        b.u("pcm_sample_bit_depth_chroma_minus1", 4)?;
        b.ue("log2_min_pcm_luma_coding_block_size_minus3")?;
        b.ue("log2_diff_max_min_pcm_luma_coding_block_size")?;
        b.flag("pcm_loop_filter_disabled_flag")?;
    }
    Ok(())
}

/// 7.3.4.
fn scaling_list_data(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    for size in 0..4u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !b.flag("scaling_list_pred_mode_flag")? {
                b.ue("scaling_list_pred_matrix_id_delta")?;
                continue;
            }
            if size > 1 {
                b.se("scaling_list_dc_coef_minus8")?;
            }
            for _ in 0..64.min(1 << (4 + (size << 1))) {
                b.se("scaling_list_delta_coef")?;
            }
        }
    }
    Ok(())
}

/// The short-term sets (7.3.7). How long a predicted set is depends on which pictures the one
/// before it holds (7.4.8), so their distances are kept.
fn reference_picture_sets(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    let count = b.ue_max("num_short_term_ref_pic_sets", 64)?;
    let mut deltas: Vec<i64> = Vec::new();
    for i in 0..count {
        if i > 0 && b.flag("inter_ref_pic_set_prediction_flag")? {
            let negative = b.flag("delta_rps_sign")?;
            let magnitude = i64::from(b.ue_max("abs_delta_rps_minus1", 0x7fff)?) + 1;
            let delta = if negative { -magnitude } else { magnitude };
            let mut next = Vec::new();
            for base in deltas.iter().copied().chain([0]) {
                let used = b.flag("used_by_curr_pic_flag")?;
                let keep = used || b.flag("use_delta_flag")?;
                if keep && base + delta != 0 {
                    next.push(base + delta);
                }
            }
            // The syntax lists pictures before the current one first, nearest first.
            next.sort_by_key(|d| (*d > 0, d.abs()));
            deltas = next;
        } else {
            let before = b.ue_max("num_negative_pics", 16)?;
            let after = b.ue_max("num_positive_pics", 16)?;
            deltas.clear();
            for (pictures, sign) in [(before, -1), (after, 1)] {
                let mut at = 0;
                for _ in 0..pictures {
                    at += sign * (i64::from(b.ue_max("delta_poc_minus1", 0x7fff)?) + 1);
                    b.flag("used_by_curr_pic_flag")?;
                    deltas.push(at);
                }
            }
        }
    }
    Ok(())
}
