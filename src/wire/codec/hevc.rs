//! HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.2.1).

use super::CodecConfig;
use super::bits::{Bits, lax_part};
use super::hevc_sps::{self, ProfileTierLevel};
use super::vui::chroma_name;
use crate::base::{Reader, Stop};

/// Decodes the record that begins at the reader's position and takes all that is left.
pub fn decode_hevc(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "hevc", ..CodecConfig::default() };
    let mut timing = Timing::default();
    let read = |r: &mut Reader<'_, '_>| record(r, &mut config, &mut timing);
    config.stop = r.group("HEVCDecoderConfigurationRecord", read).err();
    config.frame_rate = timing.sps.or(timing.vps).or(timing.average);
    config
}

/// Frame rates as record and parameter sets tell them; the sequence's own counts most.
#[derive(Default)]
struct Timing {
    average: Option<f64>,
    vps: Option<f64>,
    sps: Option<f64>,
}

fn record(
    r: &mut Reader<'_, '_>,
    config: &mut CodecConfig,
    timing: &mut Timing,
) -> Result<(), Stop> {
    super::frame::version(r, "configurationVersion", 1)?;
    let mut b = Bits::new(r);
    hevc_sps::general_profile(&mut b)?.apply(config);
    b.u("reserved", 4)?;
    b.u("min_spatial_segmentation_idc", 12)?;
    b.u("reserved", 6)?;
    b.u("parallelismType", 2)?;
    b.u("reserved", 6)?;
    config.chroma = chroma_name(b.u("chromaFormat", 2)?);
    b.u("reserved", 5)?;
    config.bit_depth = Some(b.u8("bitDepthLumaMinus8", 3)? + 8);
    b.u("reserved", 5)?;
    b.u("bitDepthChromaMinus8", 3)?;
    let average = b.u("avgFrameRate", 16)?;
    // In frames per 256 seconds; 0 is "unspecified", which all known encoders write.
    timing.average = (average > 0).then(|| f64::from(average) / 256.0);
    b.u("constantFrameRate", 2)?;
    b.u("numTemporalLayers", 3)?;
    b.u("temporalIdNested", 1)?;
    config.nal_length_size = Some(b.u8("lengthSizeMinusOne", 2)? + 1);
    let arrays = r.u8("numOfArrays")?;
    let mut first = None;
    for _ in 0..arrays {
        let stop = r.group("array", |r| array(r, config, timing))?;
        first = first.or(stop);
    }
    r.rest("trailing");
    first.map_or(Ok(()), Err)
}

/// Reads one array; the outer error ends the record, the inner one is a NAL unit's own.
fn array(
    r: &mut Reader<'_, '_>,
    config: &mut CodecConfig,
    timing: &mut Timing,
) -> Result<Option<Stop>, Stop> {
    let mut b = Bits::new(r);
    b.flag("array_completeness")?;
    b.u("reserved", 1)?;
    let kind = b.u8("NAL_unit_type", 6)?;
    b.meaning(|| nal_type_name(kind).to_owned());
    let count = r.u16("numNalus")?;
    let mut first = None;
    for _ in 0..count {
        let len = usize::from(r.u16("nalUnitLength")?);
        // The end of the record ends the loop: 65,535 units cannot be announced for free.
        let whole = r.left() >= len;
        let stop = match kind {
            32 => lax_part(r, "nalUnit", len, |r| {
                r.group("video_parameter_set", |r| hevc_sps::decode_vps(r, &mut timing.vps))
            }),
            33 => lax_part(r, "nalUnit", len, |r| {
                r.group("sequence_parameter_set", |r| {
                    hevc_sps::decode_sps(r, config, &mut timing.sps)
                })
            }),
            _ => r.bytes("nalUnit", len).err(),
        };
        match stop {
            Some(stop) if !whole => return Err(stop),
            stop => first = first.or(stop),
        }
    }
    Ok(first)
}

/// `nal_unit_type` in words (23008-2 table 7-1).
pub(super) fn nal_type_name(kind: u8) -> &'static str {
    match kind {
        0 | 1 => "TRAIL",
        2 | 3 => "TSA",
        4 | 5 => "STSA",
        6 | 7 => "RADL",
        8 | 9 => "RASL",
        16..=18 => "BLA",
        19 | 20 => "IDR",
        21 => "CRA",
        32 => "VPS",
        33 => "SPS",
        34 => "PPS",
        35 => "access unit delimiter",
        36 => "end of sequence",
        37 => "end of bitstream",
        38 => "filler data",
        39 => "prefix SEI",
        40 => "suffix SEI",
        _ => "reserved",
    }
}

impl ProfileTierLevel {
    fn apply(self, config: &mut CodecConfig) {
        config.profile = Some(self.profile);
        config.level = Some(self.level);
    }
}
