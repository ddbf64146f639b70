//! The part of Video Usability Information that H.264 and H.265 share (14496-10 E.1.1,
//! 23008-2 E.2.1): how the picture is to be shown.

use super::bits::Bits;
use crate::base::Stop;

/// Width to height of one sample, for `aspect_ratio_idc` 1 to 16 (table E-1).
const ASPECT_RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// Reads from `aspect_ratio_info_present_flag` to the chroma sample locations.
pub(super) fn display(b: &mut Bits<'_, '_, '_>) -> Result<(), Stop> {
    if b.flag("aspect_ratio_info_present_flag")? {
        let idc = b.u8("aspect_ratio_idc", 8)?;
        if idc == 255 {
            b.u("sar_width", 16)?;
            b.u("sar_height", 16)?;
        } else if let Some((w, h)) = ASPECT_RATIOS.get(usize::from(idc).wrapping_sub(1)) {
            b.meaning(|| format!("{w}:{h}"));
        }
    }
    if b.flag("overscan_info_present_flag")? {
        b.flag("overscan_appropriate_flag")?;
    }
    if b.flag("video_signal_type_present_flag")? {
        b.u("video_format", 3)?;
        b.flag("video_full_range_flag")?;
        if b.flag("colour_description_present_flag")? {
            b.u("colour_primaries", 8)?;
            b.u("transfer_characteristics", 8)?;
            b.u("matrix_coefficients", 8)?;
        }
    }
    if b.flag("chroma_loc_info_present_flag")? {
        b.ue("chroma_sample_loc_type_top_field")?;
        b.ue("chroma_sample_loc_type_bottom_field")?;
    }
    Ok(())
}

/// `chroma_format_idc` in words.
pub(super) fn chroma_name(idc: u32) -> Option<&'static str> {
    ["4:0:0", "4:2:0", "4:2:2", "4:4:4"].get(idc as usize).copied()
}

/// Size in luma samples after cropping: `crop` holds the left, right, top and bottom offsets in
/// `unit` steps. `None` when nothing is left or it does not fit 32 bits, which only hostile
/// parameter sets do.
pub(super) fn cropped(size: (u64, u64), crop: [u64; 4], unit: (u64, u64)) -> Option<(u32, u32)> {
    let [left, right, top, bottom] = crop;
    let one = |size: u64, a: u64, b: u64, unit: u64| {
        let size = size.checked_sub(a.checked_add(b)?.checked_mul(unit)?)?;
        u32::try_from(size).ok().filter(|size| *size > 0)
    };
    Some((one(size.0, left, right, unit.0)?, one(size.1, top, bottom, unit.1)?))
}

/// A rate, unless it is a division by zero.
pub(super) fn rate(time_scale: u64, units: u64) -> Option<f64> {
    (time_scale > 0 && units > 0).then(|| time_scale as f64 / units as f64)
}
