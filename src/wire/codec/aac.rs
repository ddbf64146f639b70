//! AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1).

use super::CodecConfig;
use super::bits::Bits;
use crate::base::{Reader, Stop};

/// Sampling frequencies by index (table 1.18).
pub(super) const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/// Decodes the record that begins at the reader's position and takes all that is left.
///
/// Rate and channels are the decoder's output: with SBR twice the core's rate, with parametric
/// stereo two channels.
pub fn decode_aac(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "aac", ..CodecConfig::default() };
    config.stop = r
        .group("AudioSpecificConfig", |r| {
            let read = record(&mut Bits::new(r), &mut config);
            r.rest("trailing");
            read
        })
        .err();
    config
}

fn record(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let mut object = object_type(b)?;
    config.profile = Some(profile_name(object, false, false));
    config.sample_rate = frequency(b, "samplingFrequencyIndex")?;
    let channels = b.u("channelConfiguration", 4)?;
    config.channels = channel_count(channels);
    b.meaning(|| match channel_count(channels) {
        Some(count) => format!("{count} channels"),
        None if channels == 0 => "told by the program config element".to_owned(),
        None => "reserved".to_owned(),
    });
    let explicit = matches!(object, 5 | 29);
    let mut stereo = object == 29;
    if explicit {
        // Explicit signalling: the extension first, then the core it extends.
        let rate = frequency(b, "extensionSamplingFrequencyIndex")?;
        config.sample_rate = rate.or(config.sample_rate);
        object = object_type(b)?;
        if object == 22 {
            b.u("extensionChannelConfiguration", 4)?;
        }
        config.profile = Some(profile_name(object, true, stereo));
    }
    match object {
        1..=4 | 6 | 7 | 17 | 19..=23 => general_audio(b, object, channels, config)?,
        // Other object types have layouts of their own; what matters was said above.
        _ => return Ok(()),
    }
    if matches!(object, 17 | 19..=23) {
        b.u("epConfig", 2)?;
    }
    if !explicit && b.bits_left() >= 16 {
        stereo |= sync_extension(b, object, config)?;
    }
    if stereo && config.channels == Some(1) {
        config.channels = Some(2);
    }
    Ok(())
}

/// Backward compatible signalling (1.6.6.1): old decoders do not look behind the core's config.
fn sync_extension(
    b: &mut Bits<'_, '_, '_>,
    core: u32,
    config: &mut CodecConfig,
) -> Result<bool, Stop> {
    if b.u("syncExtensionType", 11)? != 0x2b7 {
        b.meaning(|| "no sync extension".to_owned());
        return Ok(false);
    }
    let object = object_type(b)?;
    if !matches!(object, 5 | 22) || !b.flag("sbrPresentFlag")? {
        return Ok(false);
    }
    let rate = frequency(b, "extensionSamplingFrequencyIndex")?;
    config.sample_rate = rate.or(config.sample_rate);
    let mut stereo = false;
    if object == 22 {
        b.u("extensionChannelConfiguration", 4)?;
    } else if b.bits_left() >= 12 && b.u("syncExtensionType", 11)? == 0x548 {
        stereo = b.flag("psPresentFlag")?;
    }
    config.profile = Some(profile_name(core, true, stereo));
    Ok(stereo)
}

fn object_type(b: &mut Bits<'_, '_, '_>) -> Result<u32, Stop> {
    let mut object = b.u("audioObjectType", 5)?;
    if object == 31 {
        object = 32 + b.u("audioObjectTypeExt", 6)?;
    }
    b.meaning(|| object_name(object));
    Ok(object)
}

fn frequency(b: &mut Bits<'_, '_, '_>, field: &'static str) -> Result<Option<u32>, Stop> {
    let index = b.u(field, 4)?;
    let rate = match index {
        15 => Some(b.u("samplingFrequency", 24)?).filter(|rate| *rate > 0),
        _ => FREQUENCIES.get(index as usize).copied(),
    };
    b.meaning(|| rate.map_or("reserved".to_owned(), |rate| format!("{rate} Hz")));
    Ok(rate)
}

/// Table 1.19; 0 leaves it to a program config element.
fn channel_count(configuration: u32) -> Option<u8> {
    match configuration {
        1..=6 => Some(configuration as u8),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        13 => Some(24),
        _ => None,
    }
}

fn object_name(object: u32) -> String {
    let name = match object {
        1 => "AAC Main",
        2 => "AAC LC",
        3 => "AAC SSR",
        4 => "AAC LTP",
        5 => "SBR",
        6 => "AAC Scalable",
        7 => "TwinVQ",
        8 => "CELP",
        9 => "HVXC",
        17 => "ER AAC LC",
        19 => "ER AAC LTP",
        20 => "ER AAC Scalable",
        21 => "ER TwinVQ",
        22 => "ER BSAC",
        23 => "ER AAC LD",
        29 => "PS",
        32 => "MPEG-1 Layer I",
        33 => "MPEG-1 Layer II",
        34 => "MPEG-1 Layer III",
        36 => "ALS",
        37 | 38 => "SLS",
        39 => "ER AAC ELD",
        42 => "USAC",
        _ => return format!("object type {object}"),
    };
    name.to_owned()
}

fn profile_name(core: u32, sbr: bool, stereo: bool) -> String {
    match (core, sbr, stereo) {
        (5, ..) => "HE-AAC".to_owned(),
        (29, ..) => "HE-AAC v2".to_owned(),
        (2, true, false) => "HE-AAC".to_owned(),
        (2, true, true) => "HE-AAC v2".to_owned(),
        (42, ..) => "xHE-AAC".to_owned(),
        (_, true, _) => format!("{} with SBR", object_name(core)),
        _ => object_name(core),
    }
}

/// GASpecificConfig (4.4.1).
fn general_audio(
    b: &mut Bits<'_, '_, '_>,
    object: u32,
    channels: u32,
    config: &mut CodecConfig,
) -> Result<(), Stop> {
    let short = b.flag("frameLengthFlag")?;
    b.meaning(|| if short { "960 samples" } else { "1024 samples" }.to_owned());
    if b.flag("dependsOnCoreCoder")? {
        b.u("coreCoderDelay", 14)?;
    }
    let extension = b.flag("extensionFlag")?;
    if channels == 0 {
        config.channels = program_config(b)?;
    }
    if matches!(object, 6 | 20) {
        b.u("layerNr", 3)?;
    }
    if extension {
        if object == 22 {
            b.u("numOfSubFrame", 5)?;
            b.u("layer_length", 11)?;
        }
        if matches!(object, 17 | 19 | 20 | 23) {
            b.flag("aacSectionDataResilienceFlag")?;
            b.flag("aacScalefactorDataResilienceFlag")?;
            b.flag("aacSpectralDataResilienceFlag")?;
        }
        b.flag("extensionFlag3")?;
    }
    Ok(())
}

/// program_config_element (4.4.1.1): the channels one by one; gives back how many.
fn program_config(b: &mut Bits<'_, '_, '_>) -> Result<Option<u8>, Stop> {
    b.u("element_instance_tag", 4)?;
    b.u("object_type", 2)?;
    b.u("sampling_frequency_index", 4)?;
    let front = b.u("num_front_channel_elements", 4)?;
    let side = b.u("num_side_channel_elements", 4)?;
    let back = b.u("num_back_channel_elements", 4)?;
    let lfe = b.u("num_lfe_channel_elements", 2)?;
    let associated = b.u("num_assoc_data_elements", 3)?;
    let coupling = b.u("num_valid_cc_elements", 4)?;
    if b.flag("mono_mixdown_present")? {
        b.u("mono_mixdown_element_number", 4)?;
    }
    if b.flag("stereo_mixdown_present")? {
        b.u("stereo_mixdown_element_number", 4)?;
    }
    if b.flag("matrix_mixdown_idx_present")? {
        b.u("matrix_mixdown_idx", 2)?;
        b.flag("pseudo_surround_enable")?;
    }
    let mut count = lfe as u8;
    for _ in 0..front + side + back {
        count += 1 + u8::from(b.flag("element_is_cpe")?);
        b.u("element_tag_select", 4)?;
    }
    b.skip("lfe_element_tag_select", 4 * lfe)?;
    b.skip("assoc_data_element_tag_select", 4 * associated)?;
    b.skip("cc_element_tag_select", 5 * coupling)?;
    b.align();
    let comment = b.u("comment_field_bytes", 8)?;
    b.skip("comment_field_data", 8 * comment)?;
    Ok(Some(count))
}
