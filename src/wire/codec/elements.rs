//! What coded bytes consist of: NAL units and OBUs. For the detail view only.

use super::{CodecConfig, av1, hevc, vvc};
use crate::base::Reader;

/// NAL units or OBUs listed for one frame; a picture has tens.
const MAX_ELEMENTS: usize = 1000;

/// Lists the parts of a coded frame of `codec` in the field tree; does nothing when nobody
/// listens. What is no chain of parts stays one field of bytes.
pub(crate) fn explain_elements(r: &mut Reader<'_, '_>, codec: &str) {
    if !r.records_fields() {
        return;
    }
    match codec {
        "avc" => nal_units(r, |header| avc_nal_type_name(header[0] & 0x1f)),
        "hevc" => nal_units(r, |header| hevc::nal_type_name(header[0] >> 1 & 0x3f)),
        "vvc" => nal_units(r, |header| vvc::nal_type_name(header[1] >> 3)),
        "av1" => {
            // A sequence header among them is explained, its values go nowhere.
            let _ = av1::obus(r, &mut CodecConfig::default());
        }
        _ => {}
    }
    r.rest("data");
}

fn nal_units(r: &mut Reader<'_, '_>, name: impl Fn(&[u8; 2]) -> &'static str) {
    // The length of the length is in a configuration record of long ago: nearly always 4.
    let Some(width) = [4, 2, 3, 1].into_iter().find(|width| chain(r.remaining(), *width)) else {
        return;
    };
    while r.left() > width {
        let read = r.group("nalUnit", |r| {
            let len = match width {
                1 => usize::from(r.u8("nalUnitLength")?),
                2 => usize::from(r.u16("nalUnitLength")?),
                3 => r.u24("nalUnitLength")? as usize,
                _ => r.u32("nalUnitLength")? as usize,
            };
            let header = match *r.remaining() {
                [a, b, ..] => [a, b],
                [a] => [a, 0],
                [] => return Ok(()),
            };
            r.bytes("nalUnitData", len)?;
            r.meaning(|| name(&header).to_owned());
            Ok(())
        });
        if read.is_err() {
            return;
        }
    }
}

/// Whether lengths of `width` bytes lead exactly to the end of `data`.
fn chain(mut data: &[u8], width: usize) -> bool {
    for _ in 0..MAX_ELEMENTS {
        if data.is_empty() {
            return true;
        }
        let Some((head, rest)) = data.split_at_checked(width) else { return false };
        let len = head.iter().fold(0, |acc, b| acc << 8 | usize::from(*b));
        if len == 0 {
            return false;
        }
        let Some((_, rest)) = rest.split_at_checked(len) else { return false };
        data = rest;
    }
    false
}

/// `nal_unit_type` in words (14496-10 table 7-1).
fn avc_nal_type_name(kind: u8) -> &'static str {
    match kind {
        1 => "non-IDR slice",
        2..=4 => "data partition",
        5 => "IDR slice",
        6 => "SEI",
        7 => "SPS",
        8 => "PPS",
        9 => "access unit delimiter",
        10 => "end of sequence",
        11 => "end of stream",
        12 => "filler data",
        13 => "SPS extension",
        14 => "prefix NAL unit",
        15 => "subset SPS",
        19 => "auxiliary slice",
        20 => "slice extension",
        _ => "reserved",
    }
}
