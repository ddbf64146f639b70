//! Bodies of Enhanced RTMP for the cases, byte by byte.

use super::bytes::{END, avcc, member, num, object, text};

/// HEVCDecoderConfigurationRecord with VPS, SPS and PPS of 1280x720.
pub(super) const HVCC: &[u8] = b"\x01\x01\x60\0\0\0\x90\0\0\0\0\0\x5d\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\x03\
\xa0\0\x01\0\x18\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x5d\x95\x98\x09\
\xa1\0\x01\0\x29\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x5d\xa0\x02\x80\x80\x2d\x16\x59\x59\xa4\x93\x2b\xc0\x5a\x70\x80\0\x01\xf4\x80\0\x3a\x98\x04\
\xa2\0\x01\0\x07\x44\x01\xc1\x72\xb4\x62\x40";
/// AV1CodecConfigurationRecord with a sequence header.
pub(super) const AV1C: &[u8] = b"\x81\x05\x0c\0\x0a\x0b\0\0\0\x24\xcf\x7f\x0d\xbf\xff\x30\x08";
/// VPCodecConfigurationRecord behind the four bytes of a full box, as FFmpeg writes it.
pub(super) const VPCC: &[u8] = b"\x01\0\0\0\0\x0a\x82\x02\x02\x02\0\0";
/// VvcDecoderConfigurationRecord without profile and parameter sets.
pub(super) const VVCC: &[u8] = b"\xfe\0";
/// Opus identification header (RFC 7845 section 5.1).
pub(super) const OPUS_HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
/// `fLaC` and STREAMINFO of 44.1 kHz stereo.
pub(super) const FLAC_HEAD: &[u8] =
    b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0\x0a\xc4\x42\xf0\0\0\0\0\
\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Video with an Enhanced header: frame type, packet type, FourCC, body as it stands.
pub(super) fn ex_video(frame: u8, packet: u8, fourcc: &str, body: &[u8]) -> Vec<u8> {
    [&[0x80 | frame << 4 | packet][..], fourcc.as_bytes(), body].concat()
}

/// Audio with an Enhanced header.
pub(super) fn ex_audio(packet: u8, fourcc: &str, body: &[u8]) -> Vec<u8> {
    [&[0x90 | packet][..], fourcc.as_bytes(), body].concat()
}

/// A coded body that begins with the composition time `cts` and ends in `len` times `mark`.
pub(super) fn coded(cts: u32, mark: u8, len: usize) -> Vec<u8> {
    let mut out = cts.to_be_bytes()[1..].to_vec();
    out.extend((len as u32).to_be_bytes());
    out.push(0x26);
    out.resize(3 + 4 + len, mark);
    out
}

/// Bytes that no codec reads: `len` times `mark`.
pub(super) fn filler(mark: u8, len: usize) -> Vec<u8> {
    vec![mark; len]
}

/// Multitrack message: `head` is the first byte, `layout` and `packet` the second, then a FourCC
/// for all (layouts 0 and 1) and the tracks (FourCC, id, body).
pub(super) fn multitrack(
    head: u8,
    layout: u8,
    packet: u8,
    tracks: &[(&str, u8, &[u8])],
) -> Vec<u8> {
    let mut out = vec![head, layout << 4 | packet];
    for (i, (fourcc, id, body)) in tracks.iter().enumerate() {
        if layout == 2 || i == 0 {
            out.extend(fourcc.as_bytes());
        }
        out.push(*id);
        if layout != 0 {
            out.extend(&(body.len() as u32).to_be_bytes()[1..]);
        }
        out.extend(*body);
    }
    out
}

/// A modifier of `kind` with `data`, as it stands between the first byte (or another modifier)
/// and what follows; `next` is the packet type behind it.
pub(super) fn modifier(kind: u8, data: &[u8], next: u8) -> Vec<u8> {
    let mut out = Vec::new();
    match data.len() {
        // 255 says that a longer size follows, so the short form ends at 255 bytes.
        len @ 1..=255 => out.push((len - 1) as u8),
        len => {
            out.push(255);
            out.extend(((len.max(1) - 1) as u16).to_be_bytes());
        }
    }
    out.extend(data);
    out.push(kind << 4 | next);
    out
}

/// A coded hvc1 key frame behind modifiers.
pub(super) fn modified(modifiers: &[u8], mark: u8) -> Vec<u8> {
    [&[0x97][..], modifiers, b"hvc1", &coded(0, mark, 60)].concat()
}

/// `colorInfo` with the colour description of HDR10.
pub(super) fn color_info() -> Vec<u8> {
    let config = object(&[
        member("bitDepth", num(10.0)),
        member("colorPrimaries", num(9.0)),
        member("transferCharacteristics", num(16.0)),
        member("matrixCoefficients", num(9.0)),
    ]);
    [&text("colorInfo")[..], &[3], &member("colorConfig", config), END].concat()
}

/// Sequence start of a video codec.
pub(super) fn video_start(fourcc: &str) -> Vec<u8> {
    let record = match fourcc {
        "hvc1" => HVCC.to_vec(),
        "av01" => AV1C.to_vec(),
        "avc1" => avcc(false),
        "vvc1" => VVCC.to_vec(),
        _ => VPCC.to_vec(),
    };
    ex_video(1, 0, fourcc, &record)
}
