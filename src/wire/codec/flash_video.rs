//! Frame headers of Flash's own video codecs, which tell the picture size (FLV specification
//! E.4.3.2 and SWF specification chapter 14).

use super::CodecConfig;
use super::bits::Bits;
use crate::base::{Reader, Stop, StopReason};

/// Sorenson's H.263 picture header.
pub(super) fn h263_frame(r: &mut Reader<'_, '_>) -> CodecConfig {
    let mut config = CodecConfig { codec: "h263", ..CodecConfig::default() };
    config.stop = r.group("H263VideoPacket", |r| h263(&mut Bits::new(r), &mut config)).err();
    config
}

fn h263(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    let here = b.stop("PictureStartCode", StopReason::Invalid(0));
    let code = b.u("PictureStartCode", 17)?;
    if code != 1 {
        return Err(Stop { reason: StopReason::Invalid(code.into()), ..here });
    }
    b.u("Version", 5)?;
    b.u("TemporalReference", 8)?;
    let size = match b.u("PictureSize", 3)? {
        0 => Some((b.u("CustomWidth", 8)?, b.u("CustomHeight", 8)?)),
        1 => Some((b.u("CustomWidth", 16)?, b.u("CustomHeight", 16)?)),
        2 => Some((352, 288)),
        3 => Some((176, 144)),
        4 => Some((128, 96)),
        5 => Some((320, 240)),
        6 => Some((160, 120)),
        _ => None,
    };
    (config.width, config.height) = size.unzip();
    let kind = b.u("PictureType", 2)?;
    b.meaning(|| ["intra", "inter", "disposable inter", "reserved"][kind as usize & 3].to_owned());
    b.flag("DeblockingFlag")?;
    b.u("Quantizer", 5)?;
    Ok(())
}

/// Screen video, both versions.
pub(super) fn screen_frame(r: &mut Reader<'_, '_>, codec: &'static str) -> CodecConfig {
    let mut config = CodecConfig { codec, ..CodecConfig::default() };
    let mut read = |b: &mut Bits<'_, '_, '_>| {
        let block = b.u("BlockWidth", 4)?;
        b.meaning(|| format!("{} pixels", (block + 1) * 16));
        config.width = Some(b.u("ImageWidth", 12)?);
        let block = b.u("BlockHeight", 4)?;
        b.meaning(|| format!("{} pixels", (block + 1) * 16));
        config.height = Some(b.u("ImageHeight", 12)?);
        Ok(())
    };
    let stop = r.group("ScreenVideoPacket", |r| read(&mut Bits::new(r))).err();
    CodecConfig { stop, ..config }
}

/// VP6 frame header, after FLV's adjustment byte (whose cropping is not taken off here): `None`
/// for an inter frame, which tells nothing.
pub(super) fn vp6_frame(r: &mut Reader<'_, '_>) -> Option<CodecConfig> {
    if r.peek()? & 0x80 != 0 {
        return None;
    }
    let mut config = CodecConfig { codec: "vp6", ..CodecConfig::default() };
    config.stop = r.group("VP6FrameHeader", |r| vp6(&mut Bits::new(r), &mut config)).err();
    Some(config)
}

fn vp6(b: &mut Bits<'_, '_, '_>, config: &mut CodecConfig) -> Result<(), Stop> {
    b.u("FrameMode", 1)?;
    b.meaning(|| "key frame".to_owned());
    b.u("QP", 6)?;
    let marker = b.flag("Marker")?;
    b.u("Version", 5)?;
    let version2 = b.u("Version2", 2)?;
    b.flag("Interlace")?;
    // A second partition lies at an offset, which these two flags announce.
    if marker || version2 == 0 {
        b.u("Offset", 16)?;
    }
    // In macroblocks of 16 by 16.
    let rows = b.u("DimY", 8)?;
    let columns = b.u("DimX", 8)?;
    (config.width, config.height) = (Some(columns * 16), Some(rows * 16));
    b.u("RenderY", 8)?;
    b.u("RenderX", 8)?;
    Ok(())
}
