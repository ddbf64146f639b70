//! Audio and video messages written: the mirror of the decoders, for tests and generators.

use super::FourCc;
use crate::base::Writer;

/// AVC sequence header: FLV header, then an AVCDecoderConfigurationRecord.
pub fn avc_sequence_header(record: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    w.u8(0x17).u8(0).u24(0).bytes(record);
    w.into_bytes()
}

/// AVC frame: `nalus` are NAL units with their length prefixes, `composition_time` is in
/// milliseconds.
pub fn avc_frame(key: bool, composition_time: i32, nalus: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    w.u8(if key { 0x17 } else { 0x27 }).u8(1).u24(composition_time as u32).bytes(nalus);
    w.into_bytes()
}

/// AAC sequence header: FLV header, then an AudioSpecificConfig.
pub fn aac_sequence_header(config: &[u8]) -> Vec<u8> {
    [&[0xaf, 0], config].concat()
}

/// AAC frame without ADTS header.
pub fn aac_frame(raw: &[u8]) -> Vec<u8> {
    [&[0xaf, 1], raw].concat()
}

/// Video with an Enhanced header of one track. `composition_time` goes before the body of coded
/// frames (packet type 1) of avc1, hvc1 and vvc1, and nowhere else.
pub fn enhanced_video(
    frame_type: u8,
    packet_type: u8,
    fourcc: FourCc,
    composition_time: i32,
    body: &[u8],
) -> Vec<u8> {
    let mut w = Writer::new();
    w.u8(0x80 | (frame_type & 7) << 4 | packet_type & 15).bytes(&fourcc.0);
    composition(&mut w, packet_type, fourcc, composition_time);
    w.bytes(body);
    w.into_bytes()
}

fn composition(w: &mut Writer, packet_type: u8, fourcc: FourCc, composition_time: i32) {
    if packet_type == 1 && matches!(fourcc.codec_name(), "avc" | "hevc" | "vvc") {
        w.u24(composition_time as u32);
    }
}

/// Audio with an Enhanced header of one track.
pub fn enhanced_audio(packet_type: u8, fourcc: FourCc, body: &[u8]) -> Vec<u8> {
    let mut w = Writer::new();
    w.u8(0x90 | packet_type & 15).bytes(&fourcc.0).bytes(body);
    w.into_bytes()
}

/// Puts a TimestampOffsetNano extension into a message with an Enhanced header, video or audio.
pub fn mod_ex_nanoseconds(message: &[u8], nanoseconds: u32) -> Vec<u8> {
    let Some((head, rest)) = message.split_first() else { return Vec::new() };
    let mut w = Writer::new();
    w.u8(head & 0xf0 | 7).u8(2).u24(nanoseconds).u8(head & 15).bytes(rest);
    w.into_bytes()
}

/// A track to be written.
#[derive(Clone, Copy, Debug)]
pub struct EncodedTrack<'a> {
    /// Codec; unless every track may have its own, the first track's counts for all.
    pub fourcc: FourCc,
    /// Track id.
    pub id: u8,
    /// Composition time in milliseconds, where the packet has one.
    pub composition_time: i32,
    /// Coded bytes or configuration record.
    pub body: &'a [u8],
}

/// Video of several tracks. `layout` is 0 for one track, 1 for many, 2 for many of different
/// codecs; without tracks nothing is written.
pub fn multitrack_video(
    frame_type: u8,
    packet_type: u8,
    layout: u8,
    tracks: &[EncodedTrack<'_>],
) -> Vec<u8> {
    multitrack(0x80 | (frame_type & 7) << 4 | 6, packet_type, layout, tracks)
}

/// Audio of several tracks; see [`multitrack_video`].
pub fn multitrack_audio(packet_type: u8, layout: u8, tracks: &[EncodedTrack<'_>]) -> Vec<u8> {
    multitrack(0x95, packet_type, layout, tracks)
}

fn multitrack(head: u8, packet_type: u8, layout: u8, tracks: &[EncodedTrack<'_>]) -> Vec<u8> {
    let Some(first) = tracks.first() else { return Vec::new() };
    let mut w = Writer::new();
    w.u8(head).u8(layout << 4 | packet_type & 15);
    if layout != 2 {
        w.bytes(&first.fourcc.0);
    }
    for track in tracks {
        let mut body = Writer::new();
        composition(&mut body, packet_type, track.fourcc, track.composition_time);
        body.bytes(track.body);
        if layout == 2 {
            w.bytes(&track.fourcc.0);
        }
        w.u8(track.id);
        if layout != 0 {
            w.u24(body.len() as u32);
        }
        w.bytes(&body.into_bytes());
    }
    w.into_bytes()
}
