//! What the first bytes of an audio or video message tell, at the price of a few comparisons.

use super::{FourCc, names};

/// Which kind of message the bytes are from: they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Media {
    /// Message type 8.
    Audio,
    /// Message type 9.
    Video,
}

/// Whether decoding needs the entire payload rather than its first 64 bytes: configuration
/// records, metadata, messages of several tracks. `first` holds the first 16 bytes of the payload,
/// or all of a shorter one.
pub fn needs_whole(media: Media, first: &[u8]) -> bool {
    let Some(&head) = first.first() else { return false };
    match media {
        Media::Video if head & 0x80 == 0 => {
            matches!(head & 15, 7 | 12 | 13) && head >> 4 != 5 && first.get(1) == Some(&0)
        }
        Media::Audio if head >> 4 != 9 => head >> 4 == 10 && first.get(1) == Some(&0),
        _ => match inner(media, first) {
            // The extensions go on past these bytes.
            None => true,
            Some(inner) if inner.command => false,
            Some(Inner { multitrack: Some(kind), packet_type, .. }) => {
                kind != 0 || tells(media, packet_type)
            }
            Some(Inner { packet_type, .. }) => tells(media, packet_type),
        },
    }
}

/// Whether a packet type is one whose body is decoded.
fn tells(media: Media, packet_type: u8) -> bool {
    match media {
        Media::Video => matches!(packet_type, 0 | 4 | 5),
        Media::Audio => matches!(packet_type, 0 | 4),
    }
}

/// An Enhanced header behind its extensions.
struct Inner<'a> {
    command: bool,
    packet_type: u8,
    multitrack: Option<u8>,
    /// What follows; a FourCC unless every track has one of its own.
    rest: &'a [u8],
}

fn inner(media: Media, first: &[u8]) -> Option<Inner<'_>> {
    let (&head, mut rest) = first.split_first()?;
    let mut packet_type = head & 15;
    while packet_type == 7 {
        let (size, skip) = match rest.first()? {
            255 => (usize::from(u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?])) + 1, 3),
            size => (usize::from(*size) + 1, 1),
        };
        packet_type = rest.get(skip + size)? & 15;
        rest = &rest[skip + size + 1..];
    }
    let (number, command) = match media {
        Media::Video => (6, head >> 4 & 7 == 5 && packet_type != 4),
        Media::Audio => (5, false),
    };
    let mut multitrack = None;
    if packet_type == number && !command {
        let (&layout, after) = rest.split_first()?;
        (multitrack, packet_type, rest) = (Some(layout >> 4), layout & 15, after);
    }
    Some(Inner { command, packet_type, multitrack, rest })
}

/// How strongly the first bytes of a payload speak for a message of this kind, in bits of
/// evidence: 0 is impossible, 10 is rare by chance, 30 is certain. For finding the way again
/// after a gap.
pub fn plausible_first_bytes(media: Media, first: &[u8]) -> u32 {
    let Some(&head) = first.first() else {
        // An empty audio message is silence; an empty video message says nothing.
        return u32::from(media == Media::Audio);
    };
    match media {
        Media::Video if head & 0x80 == 0 => plausible_video(head, first),
        Media::Audio if head >> 4 != 9 => plausible_audio(head, first),
        _ => plausible_enhanced(media, head, first),
    }
}

fn plausible_video(head: u8, first: &[u8]) -> u32 {
    let (frame_type, codec) = (head >> 4, head & 15);
    if !(1..=5).contains(&frame_type) || !matches!(codec, 2..=7 | 12 | 13) {
        return 0;
    }
    if frame_type == 5 {
        return if first.len() <= 6 { 3 } else { 0 };
    }
    match (codec, first) {
        (2, [_, 0, 0, third, ..]) if third & 0x80 != 0 => 18,
        (2, [_, _, _, _, ..]) => 0,
        (7 | 12 | 13, [_, kind, a, b, c, rest @ ..]) => {
            let time = i32::from_be_bytes([*a, *b, *c, 0]) >> 8;
            match kind {
                // Configuration records of AVC and HEVC begin with version 1, AV1's with 81.
                0 if time == 0 && matches!(rest, [1 | 0x81, ..]) => 36,
                // A key frame's mark, yet what follows is no record.
                0 if time == 0 && rest.is_empty() => 10,
                0 => 0,
                // Half a minute is more than any encoder reorders.
                1 if time.abs() < 30_000 => match rest {
                    // The length of the first NAL unit: less than 16 MiB.
                    [0, ..] => 20,
                    _ => 12,
                },
                2 if time == 0 => 24,
                _ => 0,
            }
        }
        (7 | 12 | 13, [_, 0..=2, ..]) => 6,
        (7 | 12 | 13, [_, _, ..]) => 0,
        _ => 2,
    }
}

fn plausible_audio(head: u8, first: &[u8]) -> u32 {
    match (head >> 4, first) {
        (9 | 12 | 13, _) => 0,
        (10, [0xaf, 0 | 1, ..]) => 15,
        (10, [_, 0 | 1, ..]) => 10,
        (10, [_, _, ..]) => 0,
        (2 | 14, [_, 0xff, second, ..]) if second & 0xe0 == 0xe0 => 14,
        // Speex is always marked 16 bits mono; FFmpeg writes the rate too.
        (11, _) if head & 3 == 2 => 4,
        _ => 1,
    }
}

fn plausible_enhanced(media: Media, head: u8, first: &[u8]) -> u32 {
    if media == Media::Video && !(1..=5).contains(&(head >> 4 & 7)) {
        return 0;
    }
    let words = match media {
        Media::Video => names::video_packet,
        Media::Audio => names::audio_packet,
    };
    if words(head & 15) == "unknown" {
        return 0;
    }
    let Some(inner) = inner(media, first) else { return 2 };
    if inner.command {
        return if first.len() <= 8 { 3 } else { 0 };
    }
    if words(inner.packet_type) == "unknown" || inner.multitrack.is_some_and(|kind| kind > 2) {
        return 0;
    }
    let Some(&fourcc) = inner.rest.first_chunk::<4>() else { return 2 };
    let fourcc = FourCc(fourcc);
    let known = match media {
        Media::Video => fourcc.is_video(),
        Media::Audio => fourcc.is_audio(),
    };
    match known {
        true => 32,
        // A FourCC of the future has letters and digits.
        false if fourcc.0.iter().all(u8::is_ascii_graphic) => 4,
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_metadata_and_many_tracks_need_the_whole_payload() {
        let video = |first: &[u8]| needs_whole(Media::Video, first);
        let audio = |first: &[u8]| needs_whole(Media::Audio, first);
        assert!(video(&[0x17, 0, 0, 0, 0, 1]));
        assert!(video(&[0x1c, 0, 0, 0, 0, 1]));
        assert!(!video(&[0x17, 1, 0, 0, 0, 1]));
        assert!(!video(&[0x57, 0]));
        assert!(!video(&[0x12, 0, 0]));
        assert!(!video(&[]));
        assert!(video(b"\x90hvc1"));
        assert!(!video(b"\x91hvc1"));
        assert!(!video(b"\xa3hvc1"));
        assert!(video(b"\xd4hvc1"));
        assert!(video(b"\x95av01"));
        assert!(!video(&[0xd0, 1]));
        // One track of coded frames, one track of configuration, many tracks.
        assert!(!video(b"\x96\x01hvc1\x01"));
        assert!(video(b"\x96\x00hvc1\x01"));
        assert!(video(b"\x96\x11hvc1\x01"));
        // A nanosecond offset before coded frames and before a configuration.
        assert!(!video(b"\xa7\x02\0\0\x07\x01hvc1"));
        assert!(video(b"\xa7\x02\0\0\x07\x00hvc1"));
        assert!(video(b"\xa7\xff\x01\0aaaaaaaaaaaa"));
        assert!(audio(&[0xaf, 0, 0x12, 0x10]));
        assert!(!audio(&[0xaf, 1, 0x12, 0x10]));
        assert!(!audio(&[0x2f, 0, 0x12, 0x10]));
        assert!(audio(b"\x90Opus"));
        assert!(audio(b"\x94Opus"));
        assert!(!audio(b"\x91Opus"));
        assert!(!audio(b"\x95\x01mp4a\x01"));
        assert!(audio(b"\x95\x21"));
    }

    #[test]
    fn real_beginnings_weigh_more_than_noise() {
        let video = |first: &[u8]| plausible_first_bytes(Media::Video, first);
        let audio = |first: &[u8]| plausible_first_bytes(Media::Audio, first);
        assert!(video(&[0x17, 0, 0, 0, 0, 1, 0x64]) >= 30);
        assert!(video(&[0x27, 1, 0, 0, 0x43, 0, 0, 2]) >= 15);
        assert!(video(b"\x91hvc1\0\0\0") >= 30);
        assert!(video(b"\x96\x01hvc1\x01") >= 30);
        assert!(audio(&[0xaf, 1, 0x21]) >= 15);
        assert!(audio(b"\x91fLaC") >= 30);
        assert!(audio(&[0x2f, 0xff, 0xf3]) >= 10);
        for impossible in [&[0x07, 1][..], &[0x67, 1], &[0x77, 1], &[0x18], &[0x17, 9], b""] {
            assert_eq!(video(impossible), 0, "{impossible:02x?}");
        }
        assert_eq!(video(b"\x91fLaC"), 4, "an audio FourCC is no video");
        assert_eq!(video(&[0x91, 0, 1, 2, 3]), 0);
        assert_eq!(video(&[0xe1, b'h', b'v', b'c', b'1']), 0);
        assert_eq!(audio(&[0xaf, 7]), 0);
        assert_eq!(audio(&[0xc0]), 0);
        assert_eq!(audio(b"\x93Opus"), 0);
    }
}
