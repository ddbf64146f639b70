//! Frame headers of codecs that have no configuration record: AC-3 and E-AC-3 (ETSI TS 102 366),
//! MPEG audio (ISO/IEC 11172-3, 13818-3).

use super::CodecConfig;
use super::bits::Bits;
use crate::base::{Reader, Stop, StopReason};

/// AC-3 and E-AC-3 share the sync word; `bsid`, which lies at the same bits, tells them apart.
pub(super) fn ac3_frame(r: &mut Reader<'_, '_>) -> CodecConfig {
    let extended = r.remaining().get(5).is_some_and(|b| b >> 3 > 10);
    let codec = if extended { "eac3" } else { "ac3" };
    let mut config = CodecConfig { codec, ..CodecConfig::default() };
    config.stop = r
        .group("syncframe", |r| {
            let b = &mut Bits::new(r);
            let here = b.stop("syncword", StopReason::Invalid(0));
            let sync = b.u("syncword", 16)?;
            if sync != 0x0b77 {
                return Err(Stop { reason: StopReason::Invalid(sync.into()), ..here });
            }
            if extended { eac3(b, &mut config) } else { ac3(b, &mut config) }
        })
        .err();
    config
}

/// Sampling rates by `fscod` (4.4.1.3); 3 is reserved.
const RATES: [u32; 3] = [48000, 44100, 32000];

/// Full-bandwidth channels by `acmod` (4.4.2.3).
const CHANNELS: [(u8, &str); 8] = [
    (2, "1+1"),
    (1, "1/0"),
    (2, "2/0"),
    (3, "3/0"),
    (3, "2/1"),
    (4, "3/1"),
    (4, "2/2"),
    (5, "3/2"),
];

fn acmod(b: &mut Bits<'_, '_, '_>) -> Result<(u32, u8), Stop> {
    let mode = b.u("acmod", 3)?;
    let (count, name) = CHANNELS[mode as usize & 7];
    b.meaning(|| name.to_owned());
    Ok((mode, count))
}

fn ac3(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    b.u("crc1", 16)?;
    config.sample_rate = RATES.get(b.u("fscod", 2)? as usize).copied();
    b.u("frmsizecod", 6)?;
    let bsid = b.u("bsid", 5)?;
    // Streams with bsid 9 and 10 halve the rate once and twice (annex of older decoders).
    config.sample_rate = config.sample_rate.map(|rate| rate >> bsid.saturating_sub(8).min(2));
    b.u("bsmod", 3)?;
    let (mode, count) = acmod(b)?;
    if mode & 1 != 0 && mode != 1 {
        b.u("cmixlev", 2)?;
    }
    if mode & 4 != 0 {
        b.u("surmixlev", 2)?;
    }
    if mode == 2 {
        b.u("dsurmod", 2)?;
    }
    config.channels = Some(count + u8::from(b.flag("lfeon")?));
    Ok(())
}

fn eac3(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    b.u("strmtyp", 2)?;
    b.u("substreamid", 3)?;
    b.u("frmsiz", 11)?;
    let code = b.u("fscod", 2)?;
    if code == 3 {
        config.sample_rate = RATES.get(b.u("fscod2", 2)? as usize).map(|rate| rate / 2);
    } else {
        config.sample_rate = RATES.get(code as usize).copied();
        b.u("numblkscod", 2)?;
    }
    let (_, count) = acmod(b)?;
    config.channels = Some(count + u8::from(b.flag("lfeon")?));
    b.u("bsid", 5)?;
    Ok(())
}

/// MPEG audio frame header.
pub(super) fn mpeg_frame(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "mp3", ..CodecConfig::default() };
    config.stop = r.group("frame_header", |r| mpeg(&mut Bits::new(r), &mut config)).err();
    config
}

fn mpeg(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let here = b.stop("syncword", StopReason::Invalid(0));
    let sync = b.u("syncword", 11)?;
    if sync != 0x7ff {
        return Err(Stop { reason: StopReason::Invalid(sync.into()), ..here });
    }
    let version = b.u("version", 2)?;
    let (name, divisor) = match version {
        0 => ("MPEG-2.5", 4),
        2 => ("MPEG-2", 2),
        3 => ("MPEG-1", 1),
        _ => ("reserved", 0),
    };
    b.meaning(|| name.to_owned());
    let layer = b.u("layer", 2)?;
    let number = ["", "III", "II", "I"][layer as usize & 3];
    b.meaning(|| format!("Layer {number}"));
    config.profile = Some(format!("{name} Layer {number}"));
    b.flag("protection_bit")?;
    b.u("bitrate_index", 4)?;
    let index = b.u("sampling_frequency", 2)?;
    let rate = [44100, 48000, 32000].get(index as usize).copied();
    config.sample_rate = rate.and_then(|rate: u32| rate.checked_div(divisor));
    b.flag("padding_bit")?;
    b.flag("private_bit")?;
    let mode = b.u("mode", 2)?;
    config.channels = Some(if mode == 3 { 1 } else { 2 });
    Ok(())
}
