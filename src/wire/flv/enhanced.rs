//! What Enhanced RTMP's audio and video headers share: ModEx, FourCC, multitrack.

use super::{FourCc, ModEx, Multitrack, Track};
use crate::base::{FieldValue, Reader, Stop, StopReason};
use crate::wire::codec::bits::Bits;

/// Extensions of one message; known senders use one. Each costs memory but only 3 bytes.
const MAX_MOD_EX: usize = 64;

/// Tracks of one message: as many as there are track ids.
const MAX_TRACKS: usize = 256;

/// The ModEx loop: `packet_type` is 7 at the beginning and what follows the last extension at
/// the end. `words` says a packet type in words.
pub(super) fn mod_ex(
    r: &mut Reader<'_, '_>,
    packet_type: &mut u8,
    extensions: &mut Vec<ModEx>,
    words: fn(u8) -> &'static str,
) -> Result<(), Stop> {
    while *packet_type == 7 {
        if extensions.len() >= MAX_MOD_EX {
            return Err(r.stop("modEx", StopReason::TooMany));
        }
        let (extension, next) = r.group("modEx", |r| {
            let mut size = u32::from(r.u8("modExDataSize")?) + 1;
            r.meaning(|| format!("{size} bytes"));
            if size == 256 {
                size = u32::from(r.u16("modExDataSize")?) + 1;
                r.meaning(|| format!("{size} bytes"));
            }
            let data = r.bytes("modExData", size as usize)?;
            let mut b = Bits::new(r);
            let kind = b.u8("modExType", 4)?;
            let mut nanoseconds = None;
            if kind == 0 {
                if let [a, b, c, ..] = *data {
                    nanoseconds = Some(u32::from_be_bytes([0, a, b, c]));
                }
                b.meaning(|| match nanoseconds {
                    Some(offset) => format!("TimestampOffsetNano, {offset} ns"),
                    None => "TimestampOffsetNano, too short".to_owned(),
                });
            }
            let next = b.u8("packetType", 4)?;
            b.meaning(|| words(next).to_owned());
            Ok((ModEx { kind, nanoseconds, len: size }, next))
        })?;
        extensions.push(extension);
        *packet_type = next;
    }
    Ok(())
}

/// Reads the byte after packet type Multitrack: layout and inner packet type.
pub(super) fn multitrack(
    r: &mut Reader<'_, '_>,
    packet_type: &mut u8,
    words: fn(u8) -> &'static str,
) -> Result<Multitrack, Stop> {
    let mut b = Bits::new(r);
    let kind = Multitrack(b.u8("multitrackType", 4)?);
    b.meaning(|| kind.name().to_owned());
    *packet_type = b.u8("packetType", 4)?;
    b.meaning(|| words(*packet_type).to_owned());
    Ok(kind)
}

/// A FourCC.
pub(super) fn fourcc(r: &mut Reader<'_, '_>) -> Result<FourCc, Stop> {
    let start = r.pos();
    let bytes = r.quiet(|r| r.bytes("fourCc", 4))?;
    let fourcc = FourCc([bytes[0], bytes[1], bytes[2], bytes[3]]);
    r.leaf(start, || ("fourCc".into(), FieldValue::Text(fourcc.to_string())));
    r.meaning(|| fourcc.codec_name().to_owned());
    Ok(fourcc)
}

/// Reads all tracks of a multitrack message that ends at `end`. `body` reads what follows a
/// track's own fields and fills in the track, whose range is set.
///
/// Each track with what was read of it is in `tracks`, also the one where reading stopped.
pub(super) fn tracks<'a>(
    r: &mut Reader<'a, '_>,
    end: usize,
    kind: Multitrack,
    tracks: &mut Vec<Track>,
    mut body: impl FnMut(&mut Reader<'a, '_>, &mut Track) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if kind.0 > 2 {
        // Nobody says what follows.
        let here = r.stop("multitrackType", StopReason::Invalid(kind.0.into()));
        r.rest("data");
        return Err(here);
    }
    let common = if kind.0 == 2 { None } else { Some(fourcc(r)?) };
    let mut first = None;
    loop {
        if tracks.len() >= MAX_TRACKS {
            return Err(r.stop("track", StopReason::TooMany));
        }
        let (track, stop, next) = r.group("track", |r| {
            let fourcc = match common {
                Some(fourcc) => fourcc,
                None => fourcc(r)?,
            };
            let id = r.u8("trackId")?;
            let mut cut = None;
            let mut next = end;
            if kind.0 != 0 {
                let here = r.stop("sizeOfTrack", StopReason::TooMany);
                let size = r.u24("sizeOfTrack")? as usize;
                let left = end.saturating_sub(r.pos());
                if size > left {
                    let reason = StopReason::Truncated { needed: size as u64, left: left as u64 };
                    cut = Some(Stop { reason, ..here });
                } else {
                    next = r.pos() + size;
                }
            }
            let mut track = Track {
                id: Some(id),
                fourcc: Some(fourcc),
                range: r.pos()..next,
                ..Track::default()
            };
            let stop = part(r, &mut track, &mut body);
            Ok((track, cut.or(stop), next))
        })?;
        tracks.push(track);
        // A fault inside one track leaves the next one readable.
        first = first.or(stop);
        if next >= end {
            return first.map_or(Ok(()), Err);
        }
        if r.pos() < next {
            // Only the beginning of the message is at hand.
            let needed = (next - r.pos()) as u64;
            let stop = r.stop("track", StopReason::Truncated { needed, left: r.left() as u64 });
            return Err(first.unwrap_or(stop));
        }
    }
}

/// Lets `body` read the bytes of `track` that are at hand, and goes on after them.
pub(super) fn part<'a>(
    r: &mut Reader<'a, '_>,
    track: &mut Track,
    body: &mut impl FnMut(&mut Reader<'a, '_>, &mut Track) -> Result<(), Stop>,
) -> Option<Stop> {
    let here = track.range.len().min(r.left());
    let mut stop = None;
    let outer = r.within("track", here, |r| {
        stop = body(r, track).err();
        r.rest("undecoded");
        Ok(())
    });
    stop.or(outer.err())
}
