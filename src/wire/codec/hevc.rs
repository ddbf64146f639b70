//! HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.2.1).

use super::CodecConfig;
use super::bits::{Bits, lax_part};
use super::hevc_sps::{self, ProfileTierLevel};
use super::vui::chroma_name;
use crate::base::{Reader, Stop};

/// Decodes the record that begins at the reader's position and takes all that is left.
pub fn decode_hevc(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "hevc", ..CodecConfig::default() };
    let mut found = Found::default();
    let read = |r: &mut Reader<'_, '_>| record(r, &mut config, &mut found);
    let last = r.group("HEVCDecoderConfigurationRecord", read).err();
    config.stop = found.first.take().or(last);
    config.frame_rate = found.sps.or(found.vps).or(found.average);
    config
}

/// Frame rates as record and parameter sets tell them; the sequence's own counts most.
#[derive(Default)]
struct Found {
    average: Option<f64>,
    vps: Option<f64>,
    sps: Option<f64>,
    /// The first fault inside a parameter set, which does not end the record.
    first: Option<Stop>,
}

fn record(r: &mut Reader<'_, '_>, config: &mut CodecConfig, found: &mut Found) -> Result<(), Stop> {
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
    found.average = (average > 0).then(|| f64::from(average) / 256.0);
    b.u("constantFrameRate", 2)?;
    b.u("numTemporalLayers", 3)?;
    b.u("temporalIdNested", 1)?;
    config.nal_length_size = Some(b.u8("lengthSizeMinusOne", 2)? + 1);
    let arrays = r.u8("numOfArrays")?;
    for _ in 0..arrays {
        r.group("array", |r| array(r, config, found))?;
    }
    r.rest("trailing");
    Ok(())
}

fn array(r: &mut Reader<'_, '_>, config: &mut CodecConfig, found: &mut Found) -> Result<(), Stop> {
    let mut b = Bits::new(r);
    b.flag("array_completeness")?;
    b.u("reserved", 1)?;
    let kind = b.u8("NAL_unit_type", 6)?;
    b.meaning(|| nal_type_name(kind).to_owned());
    let count = r.u16("numNalus")?;
    for _ in 0..count {
        let len = usize::from(r.u16("nalUnitLength")?);
        let stop = match kind {
            32 => lax_part(r, "nalUnit", len, |r| {
                r.group("video_parameter_set", |r| hevc_sps::decode_vps(r, &mut found.vps))
            }),
            33 => lax_part(r, "nalUnit", len, |r| {
                r.group("sequence_parameter_set", |r| {
                    hevc_sps::decode_sps(r, config, &mut found.sps)
                })
            }),
            // Nothing can follow a unit that is cut: 65,535 of them are not announced for free.
            _ => r.bytes("nalUnit", len).map(|_| None)?,
        };
        found.first = found.first.take().or(stop);
    }
    Ok(())
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
