//! VvcDecoderConfigurationRecord (ISO/IEC 14496-15:2024 11.2.4.2).

use super::CodecConfig;
use super::bits::Bits;
use super::vui::chroma_name;
use crate::base::{Reader, Stop};

/// Decodes the record that begins at the reader's position and takes all that is left.
pub fn decode_vvc(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "vvc", ..CodecConfig::default() };
    config.stop = r.group("VvcDecoderConfigurationRecord", |r| record(r, &mut config)).err();
    config
}

fn record(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    // The box in a file has version and flags before the record, whose own first bits are ones.
    if r.remaining().starts_with(&[0; 4]) {
        r.u32("versionAndFlags")?;
    }
    let mut b = Bits::new(r);
    b.u("reserved", 5)?;
    config.nal_length_size = Some(b.u8("LengthSizeMinusOne", 2)? + 1);
    if b.flag("ptl_present_flag")? {
        profile(&mut b, config)?;
    }
    let arrays = r.u8("num_of_arrays")?;
    for _ in 0..arrays {
        r.group("array", |r| {
            let mut b = Bits::new(r);
            b.flag("array_completeness")?;
            b.u("reserved", 2)?;
            let kind = b.u8("NAL_unit_type", 5)?;
            b.meaning(|| nal_type_name(kind).to_owned());
            // There is exactly one decoding capability (13) or operating point (12) unit.
            let count = if matches!(kind, 12 | 13) { 1 } else { r.u16("num_nalus")? };
            for _ in 0..count {
                let len = r.u16("nal_unit_length")?;
                r.bytes("nal_unit", len.into())?;
            }
            Ok(())
        })?;
    }
    r.rest("trailing");
    Ok(())
}

fn profile(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    b.u("ols_idx", 9)?;
    let sub_layers = b.u("num_sublayers", 3)?;
    b.u("constant_frame_rate", 2)?;
    config.chroma = chroma_name(b.u("chroma_format_idc", 2)?);
    config.bit_depth = Some(b.u8("bit_depth_minus8", 3)? + 8);
    b.u("reserved", 5)?;
    b.u("reserved", 2)?;
    let constraint_bytes = b.u("num_bytes_constraint_info", 6)?;
    let idc = b.u8("general_profile_idc", 7)?;
    let name = profile_name(idc);
    b.meaning(|| name.clone());
    config.profile = Some(name);
    let high = b.flag("general_tier_flag")?;
    let idc = b.u8("general_level_idc", 8)?;
    let tier = if high { " High" } else { "" };
    let level = format!("{}.{}{tier}", idc / 16, idc % 16 / 3);
    b.meaning(|| level.clone());
    config.level = Some(level);
    b.flag("ptl_frame_only_constraint_flag")?;
    b.flag("ptl_multi_layer_enabled_flag")?;
    b.skip("general_constraint_info", (constraint_bytes * 8).saturating_sub(2))?;
    // The flags above fill a byte even when no constraint bytes follow.
    b.align();
    let mut levels = 0;
    for _ in 1..sub_layers {
        levels += u32::from(b.flag("ptl_sublayer_level_present_flag")?);
    }
    b.align();
    for _ in 0..levels {
        b.u("sublayer_level_idc", 8)?;
    }
    for _ in 0..b.u("ptl_num_sub_profiles", 8)? {
        b.u("general_sub_profile_idc", 32)?;
    }
    config.width = Some(b.u("max_picture_width", 16)?).filter(|v| *v > 0);
    config.height = Some(b.u("max_picture_height", 16)?).filter(|v| *v > 0);
    let average = b.u("avg_frame_rate", 16)?;
    config.frame_rate = (average > 0).then(|| f64::from(average) / 256.0);
    Ok(())
}

fn profile_name(idc: u8) -> String {
    let name = match idc {
        1 => "Main 10",
        17 => "Multilayer Main 10",
        33 => "Main 10 4:4:4",
        49 => "Multilayer Main 10 4:4:4",
        65 => "Main 10 Still Picture",
        97 => "Main 10 4:4:4 Still Picture",
        _ => return format!("profile {idc}"),
    };
    name.to_owned()
}

/// `nal_unit_type` in words (23090-3 table 5).
pub(super) fn nal_type_name(kind: u8) -> &'static str {
    match kind {
        0 => "TRAIL",
        1 => "STSA",
        2 => "RADL",
        3 => "RASL",
        7 | 8 => "IDR",
        9 => "CRA",
        10 => "GDR",
        12 => "operating point information",
        13 => "decoding capability information",
        14 => "VPS",
        15 => "SPS",
        16 => "PPS",
        17 | 18 => "adaptation parameter set",
        19 => "picture header",
        20 => "access unit delimiter",
        21 => "end of sequence",
        22 => "end of bitstream",
        23 => "prefix SEI",
        24 => "suffix SEI",
        25 => "filler data",
        _ => "reserved",
    }
}
