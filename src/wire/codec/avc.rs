//! AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1).

use super::CodecConfig;
use super::avc_sps::{self, chroma_profile};
use super::bits::{Bits, lax_part};
use super::vui::chroma_name;
use crate::base::{Reader, Stop};

/// Decodes the record that begins at the reader's position and takes all that is left.
pub fn decode_avc(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "avc", ..CodecConfig::default() };
    let mut first = None;
    let read = |r: &mut Reader<'_, '_>| record(r, &mut config, &mut first);
    let last = r.group("AVCDecoderConfigurationRecord", read).err();
    config.stop = first.or(last);
    config
}

/// Reads the record; `first` is the first fault inside a parameter set, which does not end it.
fn record(
    r: &mut Reader<'_, '_>,
    config: &mut CodecConfig,
    first: &mut Option<Stop>,
) -> Result<(), Stop> {
    super::frame::version(r, "configurationVersion", 1)?;
    let profile = r.u8("AVCProfileIndication")?;
    // What the profile is called depends on the flags after it.
    let name = avc_sps::profile_name(profile, r.peek().unwrap_or(0));
    r.meaning(|| name.clone());
    config.profile = Some(name);
    let compatibility = r.u8("profile_compatibility")?;
    let level = r.u8("AVCLevelIndication")?;
    let name = avc_sps::level_name(profile, compatibility, level);
    r.meaning(|| name.clone());
    config.level = Some(name);
    let mut b = Bits::new(r);
    b.u("reserved", 6)?;
    config.nal_length_size = Some(b.u8("lengthSizeMinusOne", 2)? + 1);
    b.u("reserved", 3)?;
    let sps_count = b.u("numOfSequenceParameterSets", 5)?;
    for i in 0..sps_count {
        let len = r.u16("sequenceParameterSetLength")?;
        let stop = lax_part(r, "sequenceParameterSetNALUnit", len.into(), |r| {
            // Only the first counts; more are listed for the reader's eyes.
            let mut other = CodecConfig::default();
            let config = if i == 0 { &mut *config } else { &mut other };
            r.group("sequenceParameterSet", |r| avc_sps::decode(r, config))
        });
        *first = first.take().or(stop);
    }
    let pps_count = r.u8("numOfPictureParameterSets")?;
    for _ in 0..pps_count {
        let len = r.u16("pictureParameterSetLength")?;
        r.bytes("pictureParameterSetNALUnit", len.into())?;
    }
    // Required for these profiles, yet older encoders leave it out.
    if chroma_profile(profile) && r.left() >= 4 {
        let mut b = Bits::new(r);
        b.u("reserved", 6)?;
        let chroma = b.u("chroma_format", 2)?;
        config.chroma = config.chroma.or(chroma_name(chroma));
        b.u("reserved", 5)?;
        let depth = b.u8("bit_depth_luma_minus8", 3)? + 8;
        config.bit_depth = config.bit_depth.or(Some(depth));
        b.u("reserved", 5)?;
        b.u("bit_depth_chroma_minus8", 3)?;
        let count = r.u8("numOfSequenceParameterSetExt")?;
        for _ in 0..count {
            let len = r.u16("sequenceParameterSetExtLength")?;
            r.bytes("sequenceParameterSetExtNALUnit", len.into())?;
        }
    }
    r.rest("trailing");
    Ok(())
}
