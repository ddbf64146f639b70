//! Opus identification header (RFC 7845 5.1) and FLAC STREAMINFO (RFC 9639 8.2).

use super::CodecConfig;
use super::bits::Bits;
use super::vpx::le;
use crate::base::{FieldValue, Reader, Stop, StopReason};

/// Decodes an Opus identification header; nothing at all is allowed and says nothing.
///
/// The rate is always 48000, at which Opus decodes: the header's is that of the original input.
pub fn decode_opus(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "opus", ..CodecConfig::default() };
    config.sample_rate = Some(48_000);
    if !r.is_empty() {
        config.stop = r.group("OpusHead", |r| opus_head(r, &mut config)).err();
    }
    config
}

fn opus_head(r: &mut Reader<'_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    magic(r, b"OpusHead")?;
    let here = r.stop("version", StopReason::Invalid(0));
    let version = r.u8("version")?;
    // The upper four bits are the major version.
    if version >> 4 != 0 {
        return Err(Stop { reason: StopReason::Invalid(version.into()), ..here });
    }
    let channels = r.u8("channel_count")?;
    config.channels = Some(channels);
    le(r, "pre_skip", 2)?;
    le(r, "input_sample_rate", 4)?;
    let start = r.pos();
    let gain = r.quiet(|r| r.bytes("output_gain", 2))?;
    let gain = i16::from_le_bytes([gain[0], gain[1]]);
    r.leaf(start, || ("output_gain".into(), FieldValue::Int(gain.into())));
    let family = r.u8("channel_mapping_family")?;
    if family != 0 {
        r.u8("stream_count")?;
        r.u8("coupled_count")?;
        r.bytes("channel_mapping", channels.into())?;
    }
    r.rest("trailing");
    Ok(())
}

fn magic(r: &mut Reader<'_, '_>, expected: &'static [u8]) -> Result<(), Stop> {
    let here = r.stop("signature", StopReason::Invalid(0));
    let found = r.text("signature", expected.len())?;
    if found != expected {
        let value = found.iter().take(8).fold(0, |acc, b| acc << 8 | u64::from(*b));
        return Err(Stop { reason: StopReason::Invalid(value), ..here });
    }
    Ok(())
}

/// Decodes a FLAC sequence header: `fLaC` and the STREAMINFO metadata block by the text, the 34
/// bytes of STREAMINFO alone from FFmpeg.
pub fn decode_flac(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "flac", ..CodecConfig::default() };
    let signed = r.remaining().starts_with(b"fLa");
    let read = |r: &mut Reader<'_, '_>| {
        if signed {
            magic(r, b"fLaC")?;
            let mut b = Bits::new(r);
            b.flag("last_metadata_block")?;
            let here = b.stop("block_type", StopReason::Invalid(0));
            let kind = b.u("block_type", 7)?;
            if kind != 0 {
                return Err(Stop { reason: StopReason::Invalid(kind.into()), ..here });
            }
            b.meaning(|| "STREAMINFO".to_owned());
            r.u24("block_length")?;
        }
        stream_info(&mut Bits::new(r), &mut config)?;
        r.rest("trailing");
        Ok(())
    };
    config.stop = r.group("FlacSequenceHeader", read).err();
    config
}

fn stream_info(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    b.u("minimum_block_size", 16)?;
    b.u("maximum_block_size", 16)?;
    b.u("minimum_frame_size", 24)?;
    b.u("maximum_frame_size", 24)?;
    config.sample_rate = Some(b.u("sample_rate", 20)?).filter(|rate| *rate > 0);
    config.channels = Some(b.u8("channels_minus1", 3)? + 1);
    config.bit_depth = Some(b.u8("bits_per_sample_minus1", 5)? + 1);
    b.u64("total_samples", 36)?;
    b.skip("md5", 128)
}
