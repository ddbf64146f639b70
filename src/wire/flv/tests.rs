//! Golden messages: all "recorded" ones were on the wire between the named programs.

mod hostile;

use super::*;
use crate::base::{FieldTree, FieldValue, Reader, Stop, StopReason};
use crate::wire::codec::CodecConfig;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Where a message was recorded, its kind, its length (the text may be its beginning only), the
/// message.
const MESSAGES: &[(&str, Media, usize, &str)] = &[
    (
        "avc start: ffmpeg 5.1.9 to nginx-rtmp",
        Media::Video,
        50,
        "17000000000164000cffe1001a6764000cacd941419f9f0110000003001000000301e0f14299600100\
         0468efbcb0fdf8f800",
    ),
    ("avc key frame: ffmpeg 9", Media::Video, 3510, "1701000085000002ac0605ffffa8dc45e9bde6d9"),
    ("avc inter frame: ffmpeg 9", Media::Video, 1291, "270100010b00000502419a23188affce75289e74"),
    ("avc end: ffmpeg 5.1.9 to nginx-rtmp", Media::Video, 5, "1702000000"),
    ("h263 key frame: ffmpeg 5.1.9", Media::Video, 12565, "120000840080a0005a119e72aa030026"),
    ("h263 inter frame: ffmpeg 5.1.9", Media::Video, 7039, "220000840880a0005a31029e242af4fc"),
    ("mp3: ffmpeg 5.1.9", Media::Audio, 157, "2afff360c4001dd08a6415593000255af2d3"),
    ("aac start: ffmpeg 9, legacy", Media::Audio, 7, "af00118856e500"),
    ("aac frame: OBS, whole", Media::Audio, 8, "af01211004608c1c"),
    (
        "hevc start: ffmpeg 9, its SEI array left out",
        Media::Video,
        126,
        "90687663310101600000009000000000003cf000fcfdf8f800000f03200001001840010c01ffff0160\
         00000300 90000003000003003c959409210001002b4201010160000003009000000300000300 3ca0\
         0a080c1f3e595952930bc05a020000030002000003001e1022000100064401c073c189",
    ),
    ("hevc key frame: ffmpeg 9", Media::Video, 4532, "9168766331000085000011a82801ac64c2ecebd6"),
    ("hevc inter frame: ffmpeg 9", Media::Video, 604, "a368766331000002530001e024fd7a24084c2355"),
    (
        "hevc metadata: ffmpeg 9, empty colorInfo",
        Media::Video,
        38,
        "d468766331020009636f6c6f72496e666f03000b636f6c6f72436f6e66696703000009000009",
    ),
    ("av1 start: ffmpeg 9", Media::Video, 22, "906176303181000c000a0b0200000521e7f66017c002"),
    ("av1 key frame: ffmpeg 9", Media::Video, 6072, "91617630310a0b0200000521e7f66257c80232a3"),
    ("av1 frame of 3 bytes: ffmpeg 9, whole", Media::Video, 8, "a1617630311a01e8"),
    ("vp9 start: ffmpeg 9 to rtmp-go", Media::Video, 17, "9076703039010000000014820202000000"),
    ("vp9 key frame: ffmpeg 9", Media::Video, 6643, "9176703039824983420013f00ef60638241c1842"),
    (
        "vp9 metadata: ffmpeg 9",
        Media::Video,
        67,
        "d476703039020009636f6c6f72496e666f03000b636f6c6f72436f6e6669670300126d617472697843\
         6f656666696369656e7473000000000000000000000009000009",
    ),
    ("opus start: ffmpeg 9", Media::Audio, 24, "904f7075734f707573486561640101380180bb0000000000"),
    ("opus channels: ffmpeg 9", Media::Audio, 11, "944f707573010100000004"),
    ("opus frame: ffmpeg 9", Media::Audio, 234, "914f707573f87249472710e4c85b78278b873240a1a8"),
    ("ac3 start: ffmpeg 9, without a record", Media::Audio, 5, "9061632d33"),
    ("ac3 frame: ffmpeg 9", Media::Audio, 389, "9161632d330b77480d0c402f842bc1c77aaf5e1be7ef"),
    (
        "flac start: ffmpeg 9 to rtmp-go",
        Media::Audio,
        39,
        "90664c6143040004000000000008150bb800f00000000000000000000000000000000000000000",
    ),
    (
        "multitrack avc start: ffmpeg 9 to rtmp-server-rs",
        Media::Video,
        44,
        "960061766331010142c00dffe100166742c00dda0507ec0440000003004000000c83c50aa801000468\
         ce3c80",
    ),
    ("multitrack avc frame: ffmpeg 9", Media::Video, 5918, "96036176633101000002530605ffff4fdc45"),
    ("multitrack hevc frame: ffmpeg 9", Media::Video, 4534, "96016876633101000085000011a82801ac64"),
    ("multitrack aac start: ffmpeg 9", Media::Audio, 12, "95006d70346101118856e500"),
    ("multitrack aac channels: ffmpeg 9", Media::Audio, 13, "95046d70346101010100000004"),
];

fn message(what: &str) -> (Vec<u8>, usize) {
    let found = MESSAGES.iter().find(|(origin, ..)| origin.starts_with(what));
    let (_, _, len, text) = found.unwrap_or_else(|| panic!("no message {what}"));
    (hex(text), *len)
}

fn video_of(data: &[u8], len: usize) -> VideoTag {
    let (tag, stop) = VideoTag::decode(&mut Reader::new(data), len);
    assert_eq!(stop, None);
    tag
}

fn audio_of(data: &[u8], len: usize) -> AudioTag {
    let (tag, stop) = AudioTag::decode(&mut Reader::new(data), len);
    assert_eq!(stop, None);
    tag
}

fn video(what: &str) -> VideoTag {
    let (data, len) = message(what);
    video_of(&data, len)
}

fn audio(what: &str) -> AudioTag {
    let (data, len) = message(what);
    audio_of(&data, len)
}

fn codec(track: &Track) -> &CodecConfig {
    match &track.config {
        Some(TrackConfig::Codec(config)) => config,
        other => panic!("{other:?} is no codec configuration"),
    }
}

#[test]
fn legacy_video() {
    let tag = video("avc start");
    assert_eq!((tag.frame_type, tag.codec_id, tag.enhanced), (1, Some(7), false));
    assert_eq!((tag.packet_type, tag.composition_time), (Some(0), Some(0)));
    assert_eq!((tag.codec_name(), tag.packet_name()), ("avc", Some("sequence_start")));
    assert!(tag.is_key() && tag.is_sequence_header() && !tag.is_coded());
    assert_eq!((tag.tracks.len(), tag.tracks[0].id), (1, None));
    assert_eq!(tag.tracks[0].range, 5..50);
    assert_eq!(codec(&tag.tracks[0]).width, Some(320));

    let tag = video("avc key");
    assert!(tag.is_key() && tag.is_coded() && !tag.is_sequence_header());
    assert_eq!(tag.composition_time, Some(133));
    assert_eq!(tag.tracks[0].range, 5..3510);
    assert_eq!(tag.frame_type_name(), "key");

    let tag = video("avc end");
    assert_eq!(tag.packet_name(), Some("sequence_end"));
    assert!(!tag.is_coded());
    assert_eq!(tag.tracks[0].range, 5..5);

    let tag = video("h263 inter");
    assert_eq!((tag.codec_name(), tag.packet_name(), tag.composition_time), ("h263", None, None));
    assert!(tag.is_coded() && !tag.is_key());
    assert_eq!(tag.tracks[0].range, 1..7039);
}

#[test]
fn negative_composition_times() {
    let frame = avc_frame(false, -40, &[0, 0, 0, 1, 0x41]);
    assert_eq!(video_of(&frame, frame.len()).composition_time, Some(-40));
    let frame = enhanced_video(2, 1, FourCc::HEVC, -1, &[0]);
    assert_eq!(video_of(&frame, frame.len()).composition_time, Some(-1));
}

#[test]
fn vendor_codec_ids_have_the_body_of_avc() {
    let (data, len) = message("hevc start");
    let vendor = [&hex("1c00000000"), &data[5..]].concat();
    let tag = video_of(&vendor, len);
    assert_eq!((tag.codec_name(), tag.enhanced), ("hevc", false));
    assert_eq!((codec(&tag.tracks[0]).width, codec(&tag.tracks[0]).height), (Some(320), Some(180)));
    let (data, len) = message("av1 start");
    let tag = video_of(&[&hex("1d00000000"), &data[5..]].concat(), len);
    assert_eq!((tag.codec_name(), codec(&tag.tracks[0]).width), ("av1", Some(320)));
    let tag = video_of(&hex("2c01000050 00000001 02"), 10);
    assert_eq!((tag.composition_time, tag.is_coded()), (Some(80), true));
}

#[test]
fn flash_video_headers() {
    // Adjustment byte; with alpha channel an offset follows.
    let tag = video_of(&hex("14 c8 28460f140f14"), 100);
    assert_eq!((tag.codec_name(), tag.tracks[0].range.clone()), ("vp6", 2..100));
    let tag = video_of(&hex("25 c8 000123 28"), 100);
    assert_eq!((tag.codec_name(), tag.tracks[0].range.clone()), ("vp6a", 5..100));
    for (head, name) in [(0x13, "screen"), (0x16, "screen2"), (0x11, "jpeg"), (0x18, "unknown")] {
        let tag = video_of(&[head, 1, 2], 3);
        assert_eq!((tag.codec_name(), tag.tracks[0].range.clone()), (name, 1..3));
    }
}

#[test]
fn command_frames() {
    // As servers send it, and as FLV draws it.
    for data in [&hex("5701")[..], &hex("570000000001"), &hex("5201"), &hex("d001")] {
        let tag = video_of(data, data.len());
        assert_eq!((tag.command, tag.packet_name()), (Some(1), Some("command")), "{data:02x?}");
        assert!(tag.is_command() && !tag.is_coded() && !tag.is_sequence_header());
        assert_eq!(tag.tracks.len(), 1);
    }
}

#[test]
fn nothing_at_all() {
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&[]), 0);
    let reason = StopReason::Truncated { needed: 1, left: 0 };
    assert_eq!(stop, Some(Stop { field: "FrameType", at: 0, reason }));
    assert_eq!(tag.tracks.len(), 1);
    let tag = audio_of(&[], 0);
    assert!(tag.empty && !tag.is_coded() && !tag.is_sequence_header());
    assert_eq!((tag.channels(), tag.sample_rate_hz(), tag.packet_name()), (None, None, None));
    assert_eq!(tag.tracks[0].range, 0..0);
    // Nothing at hand is not nothing announced.
    let (tag, stop) = AudioTag::decode(&mut Reader::new(&[]), 5);
    assert!(!tag.empty && stop.is_some());
}

#[test]
fn legacy_audio() {
    let tag = audio("aac start");
    assert_eq!((tag.codec_name(), tag.packet_name()), ("aac", Some("sequence_start")));
    // The header says 44100 and stereo, the configuration knows better.
    assert_eq!((tag.sound_rate, tag.sound_type), (Some(3), Some(1)));
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(48000), Some(1)));
    let tag = audio("aac frame");
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (None, None));
    assert!(tag.is_coded());
    assert_eq!(tag.tracks[0].range, 2..8);
    let tag = audio("mp3");
    assert_eq!((tag.codec_name(), tag.packet_name()), ("mp3", None));
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(22050), Some(1)));
    assert!(tag.is_coded() && !tag.is_sequence_header());
    for (head, name, rate, channels) in [
        (0x0f, "pcm", 44100, 2),
        (0x1a, "adpcm", 22050, 1),
        (0x32, "pcm_le", 5512, 1),
        (0x42, "nellymoser", 16000, 1),
        (0x52, "nellymoser", 8000, 1),
        (0x66, "nellymoser", 11025, 1),
        (0x72, "g711a", 8000, 1),
        (0x83, "g711u", 8000, 2),
        (0xb6, "speex", 16000, 1),
        (0xee, "mp3", 8000, 1),
        (0xff, "device", 44100, 2),
        (0xcf, "unknown", 44100, 2),
    ] {
        let tag = audio_of(&[head, 0], 2);
        assert_eq!(tag.codec_name(), name);
        assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(rate), Some(channels)), "{name}");
    }
}

#[test]
fn enhanced_video_of_one_track() {
    let tag = video("hevc start");
    assert!(tag.enhanced && tag.is_key() && tag.is_sequence_header());
    assert_eq!((tag.codec_id, tag.tracks[0].fourcc), (None, Some(FourCc::HEVC)));
    assert_eq!((tag.codec_name(), tag.composition_time), ("hevc", None));
    assert_eq!(codec(&tag.tracks[0]).frame_rate, Some(15.0));
    let tag = video("hevc key");
    assert_eq!((tag.composition_time, tag.packet_name()), (Some(133), Some("coded_frames")));
    assert_eq!(tag.tracks[0].range, 8..4532);
    let tag = video("hevc inter");
    assert_eq!((tag.composition_time, tag.packet_name()), (Some(0), Some("coded_frames_x")));
    assert_eq!(tag.tracks[0].range, 5..604);
    assert!(tag.is_coded() && !tag.is_key());
    // AV1 and VP9 have no composition time in the same packet type.
    for (what, len, name) in [("av1 key", 6072, "av1"), ("vp9 key", 6643, "vp9")] {
        let tag = video(what);
        assert_eq!((tag.composition_time, tag.codec_name()), (None, name));
        assert_eq!(tag.tracks[0].range, 5..len);
    }
    assert_eq!(codec(&video("av1 start").tracks[0]).height, Some(180));
    assert_eq!(codec(&video("vp9 start").tracks[0]).bit_depth, Some(8));
    let data = enhanced_video(1, 5, FourCc::AV1, 0, &hex("8004 81284c00"));
    let tag = video_of(&data, data.len());
    assert_eq!(tag.packet_name(), Some("mpeg2ts_sequence_start"));
    assert_eq!(codec(&tag.tracks[0]).level.as_deref(), Some("4.0"));
    assert!(tag.is_sequence_header());
}

#[test]
fn metadata_packets() {
    let tag = video("vp9 metadata");
    // Frame type 5 says nothing here.
    assert_eq!((tag.frame_type, tag.command, tag.packet_name()), (5, None, Some("metadata")));
    assert!(!tag.is_command() && !tag.is_key() && !tag.is_coded() && !tag.is_sequence_header());
    assert_eq!(tag.metadata.len(), 1);
    assert_eq!(tag.metadata[0].name, "colorInfo");
    let config = tag.metadata[0].value.get("colorConfig").unwrap();
    assert_eq!(config.get("matrixCoefficients").unwrap().as_number(), Some(0.0));
    assert_eq!(video("hevc metadata").metadata.len(), 1);
    // A value that breaks off stays, with what there is of it.
    let (data, _) = message("vp9 metadata");
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&data[..60]), 60);
    assert!(stop.is_some());
    assert_eq!(tag.metadata[0].name, "colorInfo");
    // A name must be a string.
    let (_, stop) = VideoTag::decode(&mut Reader::new(b"\xd4hvc1\x05"), 6);
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at, stop.reason), ("name", 5, StopReason::UnknownMarker(5)));
}

#[test]
fn enhanced_audio_of_one_track() {
    let tag = audio("opus start");
    assert_eq!((tag.sound_format, tag.sound_rate, tag.enhanced), (9, None, true));
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(48000), Some(1)));
    let tag = audio("opus frame");
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(48000), None));
    assert_eq!((tag.tracks[0].range.clone(), tag.is_coded()), (5..234, true));
    let tag = audio("opus channels");
    assert_eq!((tag.packet_name(), tag.channels()), (Some("multichannel_config"), Some(1)));
    let expected = TrackConfig::Multichannel {
        order: MultichannelOrder(1),
        channels: 1,
        mapping: vec![],
        flags: Some(4),
    };
    assert_eq!(tag.tracks[0].config, Some(expected));
    let tag = audio("ac3 start");
    assert_eq!((tag.codec_name(), &tag.tracks[0].config), ("ac3", &None));
    let tag = audio("flac start");
    assert_eq!((tag.sample_rate_hz(), tag.channels()), (Some(48000), Some(1)));
    // Custom order: FL, FR, unused; two of three are there.
    let (tag, stop) = AudioTag::decode(&mut Reader::new(b"\x94mp4a\x02\x03\x00\x01"), 9);
    assert_eq!(stop.unwrap().field, "audioChannelMapping");
    let Some(TrackConfig::Multichannel { order, mapping, .. }) = &tag.tracks[0].config else {
        panic!("no configuration");
    };
    assert_eq!((order.name(), &mapping[..]), ("custom", &[0, 1][..]));
    assert_eq!(
        (channel_name(3), channel_name(0xfe), channel_name(30)),
        ("LFE1", "unused", "reserved")
    );
}

#[test]
fn unknown_numbers_stay_values() {
    let tag = video_of(b"\x9exxxx\x01\x02", 7);
    assert_eq!((tag.packet_type, tag.packet_name()), (Some(14), Some("unknown")));
    assert_eq!((tag.codec_name(), tag.tracks[0].fourcc), ("unknown", Some(FourCc(*b"xxxx"))));
    assert_eq!(tag.tracks[0].range, 5..7);
    assert!(!tag.is_coded());
    let tag = audio_of(b"\x96\x00\x01\x02\xff", 5);
    assert_eq!((tag.packet_type, tag.packet_name()), (Some(6), Some("unknown")));
    assert_eq!(tag.tracks[0].fourcc.unwrap().to_string(), "\\x00\\x01\\x02\\xff");
    let tag = video_of(&hex("7f09"), 2);
    assert_eq!(
        (tag.frame_type, tag.frame_type_name(), tag.codec_name()),
        (7, "unknown", "unknown")
    );
    let tag = audio_of(&hex("af09"), 2);
    assert_eq!((tag.packet_type, tag.packet_name()), (Some(9), Some("unknown")));
}

#[test]
fn mod_ex() {
    let (data, len) = message("hevc key");
    let extended = mod_ex_nanoseconds(&data, 999_999);
    let tag = video_of(&extended, len + 5);
    assert_eq!(tag.mod_ex, [ModEx { kind: 0, nanoseconds: Some(999_999), len: 3 }]);
    assert_eq!((tag.packet_type, tag.tracks[0].range.clone()), (Some(1), 13..4537));
    // Twice, audio.
    let (data, len) = message("opus frame");
    let extended = mod_ex_nanoseconds(&mod_ex_nanoseconds(&data, 1), 2);
    let tag = audio_of(&extended, len + 10);
    let offsets: Vec<_> = tag.mod_ex.iter().map(|m| m.nanoseconds.unwrap()).collect();
    assert_eq!((offsets, tag.tracks[0].range.clone()), (vec![2, 1], 15..244));
    // 255 is no size but the mark of the longer form; an unknown kind stays a value.
    for (size, prefix) in [(255, "fe"), (256, "ff00ff"), (300, "ff012b")] {
        let data = [&hex("97"), &hex(prefix), &vec![7; size][..], &hex("31"), b"hvc1", &[0; 3]];
        let data = data.concat();
        let tag = video_of(&data, data.len());
        assert_eq!(tag.mod_ex, [ModEx { kind: 3, nanoseconds: None, len: size as u32 }]);
        assert_eq!(tag.composition_time, Some(0));
    }
    // An offset of 2 bytes is none.
    let tag = video_of(b"\x97\x01\x00\x07\x02av01", 9);
    assert_eq!(tag.mod_ex, [ModEx { kind: 0, nanoseconds: None, len: 2 }]);
    // The header stops in the extension: that is what is said.
    let (tag, stop) = VideoTag::decode(&mut Reader::new(b"\x97\x50\x00"), 3);
    assert_eq!((tag.packet_name(), stop.unwrap().field), (Some("mod_ex"), "modExData"));
    // No end of extensions.
    let endless = [&[0x97][..], &[0, 0, 7].repeat(1000)].concat();
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&endless), endless.len());
    assert_eq!(stop.unwrap().reason, StopReason::TooMany);
    assert_eq!(tag.mod_ex.len(), 64);
}

#[test]
fn multitrack_of_one() {
    let tag = video("multitrack avc start");
    assert_eq!(tag.multitrack, Some(Multitrack(0)));
    assert_eq!(tag.packet_name(), Some("sequence_start"));
    assert_eq!((tag.tracks[0].id, tag.tracks[0].range.clone()), (Some(1), 7..44));
    assert_eq!(codec(&tag.tracks[0]).width, Some(320));
    let tag = video("multitrack avc frame");
    assert_eq!((tag.tracks[0].id, tag.composition_time), (Some(1), Some(0)));
    assert_eq!(tag.tracks[0].range, 7..5918);
    let tag = video("multitrack hevc frame");
    assert_eq!((tag.codec_name(), tag.composition_time), ("hevc", Some(133)));
    assert_eq!(tag.tracks[0].range, 10..4534);
    let tag = audio("multitrack aac start");
    assert_eq!((tag.sample_rate_hz(), tag.tracks[0].id), (Some(48000), Some(1)));
    assert_eq!(audio("multitrack aac channels").channels(), Some(1));
}

fn two_tracks() -> [EncodedTrack<'static>; 2] {
    let avc =
        EncodedTrack { fourcc: FourCc::AVC, id: 0, composition_time: 7, body: b"\0\0\0\x01A" };
    let vp9 = EncodedTrack { fourcc: FourCc::VP9, id: 9, composition_time: 0, body: b"frame" };
    [avc, vp9]
}

#[test]
fn multitrack_of_many() {
    let [avc, _] = two_tracks();
    let data =
        multitrack_video(1, 1, 1, &[avc, EncodedTrack { id: 5, composition_time: -3, ..avc }]);
    let tag = video_of(&data, data.len());
    assert_eq!(tag.multitrack.unwrap().name(), "many_tracks");
    let ids: Vec<_> = tag.tracks.iter().map(|t| (t.id, t.composition_time)).collect();
    assert_eq!(ids, [(Some(0), Some(7)), (Some(5), Some(-3))]);
    assert_eq!(tag.composition_time, None);
    for track in &tag.tracks {
        assert_eq!(&data[track.range.clone()], avc.body);
        assert_eq!(track.fourcc, Some(FourCc::AVC));
    }
    // Each its own codec: one has a composition time, the other has not.
    let data = multitrack_video(2, 1, 2, &two_tracks());
    let tag = video_of(&data, data.len());
    assert_eq!(tag.multitrack.unwrap().name(), "many_tracks_many_codecs");
    let tracks: Vec<_> = tag.tracks.iter().map(|t| (t.codec_name(), t.composition_time)).collect();
    assert_eq!(tracks, [(Some("avc"), Some(7)), (Some("vp9"), None)]);
    assert_eq!(&data[tag.tracks[1].range.clone()], b"frame");
    // Configurations of all tracks in one message.
    let asc = hex("1210");
    let track = EncodedTrack { fourcc: FourCc::AAC, id: 0, composition_time: 0, body: &asc };
    let opus = EncodedTrack { fourcc: FourCc::OPUS, id: 1, body: &[], ..track };
    let data = multitrack_audio(0, 2, &[track, opus]);
    let tag = audio_of(&data, data.len());
    assert_eq!(codec(&tag.tracks[0]).sample_rate, Some(44100));
    assert_eq!(codec(&tag.tracks[1]).sample_rate, Some(48000));
}

#[test]
fn multitrack_sizes_that_lie() {
    let data = multitrack_video(2, 1, 2, &two_tracks());
    // The second track's size field, then the first one's.
    let at = data.len() - 8;
    assert_eq!(&data[at..at + 3], &[0, 0, 5]);
    let mut long = data.clone();
    long[at + 2] = 6;
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&long), long.len());
    let stop = stop.unwrap();
    assert_eq!((stop.field, stop.at), ("sizeOfTrack", at));
    assert_eq!(stop.reason, StopReason::Truncated { needed: 6, left: 5 });
    assert_eq!(tag.tracks.len(), 2);
    assert_eq!(tag.tracks[1].range, at + 3..data.len());
    let mut huge = data.clone();
    huge[7..10].copy_from_slice(&[0xff; 3]);
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&huge), huge.len());
    assert_eq!(stop.unwrap().field, "sizeOfTrack");
    assert_eq!((tag.tracks.len(), tag.tracks[0].range.end), (1, data.len()));
    // A track of nothing cannot hold a composition time; the next one is there all the same.
    let mut empty = multitrack_video(1, 1, 1, &[two_tracks()[0]]);
    empty.splice(6..6, [3, 0, 0, 0]);
    let (tag, stop) = VideoTag::decode(&mut Reader::new(&empty), empty.len());
    assert_eq!(stop.unwrap().field, "compositionTimeOffset");
    assert_eq!(tag.tracks.iter().map(|t| t.id.unwrap()).collect::<Vec<_>>(), [3, 0]);
    // Multitrack inside multitrack and a reserved layout stop.
    let (_, stop) = VideoTag::decode(&mut Reader::new(b"\x96\x16avc1\x00"), 7);
    assert_eq!(stop.unwrap().reason, StopReason::Invalid(6));
    let (tag, stop) = VideoTag::decode(&mut Reader::new(b"\x96\x31avc1\x00"), 7);
    assert_eq!(stop.unwrap().reason, StopReason::Invalid(3));
    assert_eq!((tag.multitrack.unwrap().name(), tag.tracks.len()), ("unknown", 0));
    // Four-byte tracks without end.
    let many = [&b"\x95\x11Opus"[..], &[0; 4].repeat(5000)].concat();
    let (tag, stop) = AudioTag::decode(&mut Reader::new(&many), many.len());
    assert_eq!((tag.tracks.len(), stop.unwrap().reason), (256, StopReason::TooMany));
}

#[test]
fn a_beginning_is_enough_unless_the_whole_is_needed() {
    let [avc, _] = two_tracks();
    let body = [0xaa; 500];
    let long = EncodedTrack { body: &body, ..avc };
    let nalus = avc_frame(true, 0, &body);
    let samples = [
        nalus.clone(),
        enhanced_video(2, 1, FourCc::HEVC, 3, &body),
        enhanced_video(2, 3, FourCc::AVC, 0, &body),
        enhanced_video(2, 9, FourCc::AV1, 0, &body),
        mod_ex_nanoseconds(&enhanced_video(1, 1, FourCc::VP9, 0, &body), 5),
        multitrack_video(2, 1, 0, &[long]),
    ];
    for data in &samples {
        assert!(!needs_whole(Media::Video, &data[..16]));
        assert_eq!(video_of(&data[..64], data.len()), video_of(data, data.len()));
    }
    for data in [multitrack_video(2, 1, 1, &[long, long]), multitrack_video(2, 1, 2, &[long, long])]
    {
        assert!(needs_whole(Media::Video, &data[..16]));
        let (tag, stop) = VideoTag::decode(&mut Reader::new(&data[..64]), data.len());
        assert!(matches!(stop.unwrap().reason, StopReason::Truncated { .. }));
        // The first track's place is known even so.
        assert_eq!(tag.tracks[0].range, video_of(&data, data.len()).tracks[0].range);
    }
}

#[test]
fn a_reader_in_the_middle_of_a_message() {
    // As in an aggregate: ranges count from the beginning of the reader's data.
    let data = hex("ffff 270100000100000001419a ffff");
    let mut r = Reader::new(&data);
    r.u16("before").unwrap();
    let (tag, stop) = VideoTag::decode(&mut r, 11);
    assert_eq!((stop, tag.tracks[0].range.clone(), r.pos()), (None, 7..13, 13));
}

#[test]
fn the_tree_explains_a_frame() {
    let data = avc_frame(true, 80, &hex("00000002 0910 00000003 65b800"));
    let mut tree = FieldTree::new();
    VideoTag::decode(&mut Reader::with_fields(&data, &mut tree), data.len());
    let nodes = tree.nodes();
    assert_eq!(nodes[0].meaning.as_deref(), Some("key frame"));
    assert_eq!((&*nodes[1].name, nodes[1].meaning.as_deref()), ("CodecID", Some("avc")));
    assert_eq!(nodes[1].range, 0..1);
    let time = nodes.iter().find(|n| n.name == "CompositionTime").unwrap();
    assert_eq!((&time.value, time.range.clone()), (&FieldValue::Int(80), 2..5));
    let units: Vec<_> = nodes
        .iter()
        .filter(|n| n.name == "nalUnitData")
        .map(|n| (n.meaning.as_deref().unwrap(), n.range.clone()))
        .collect();
    assert_eq!(units, [("access unit delimiter", 9..11), ("IDR slice", 15..18)]);
    // What is no chain of NAL units stays bytes.
    let data = avc_frame(true, 80, &hex("00000002 0910 00"));
    let mut tree = FieldTree::new();
    VideoTag::decode(&mut Reader::with_fields(&data, &mut tree), data.len());
    let last = tree.nodes().last().unwrap();
    assert_eq!((&*last.name, last.range.clone()), ("data", 5..12));
}
