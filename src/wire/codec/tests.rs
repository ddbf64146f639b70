//! Golden records. Those of "recorded" origin were on the wire between the named programs;
//! "encoded" ones come out of FFmpeg 5.1 with the named encoder. Expected values are ffprobe's.

use super::encode::BitWriter;
use super::*;
use crate::base::{FieldTree, FieldValue, Reader, StopReason};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |d: u8| (d as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Codec, origin, record.
const RECORDS: &[(&str, &str, &str)] = &[
    (
        "avc",
        "recorded: ffmpeg 5.1.9 with x264 to nginx-rtmp, 320x180 at 15",
        "0164000cffe1001a6764000cacd941419f9f0110000003001000000301e0f14299600100\
         0468efbcb0fdf8f800",
    ),
    (
        "avc",
        "recorded: OBS to nginx-rtmp, 320x180",
        "0142c00cffe1001c6742c00cda05067e7c05a808080a000003000200000300291e2855400100\
         0468ce3c80",
    ),
    (
        "avc",
        "recorded: GStreamer rtmp2sink to nginx-rtmp, High 4:4:4 Predictive, 10 bits",
        "01f4000cffe1001d67f4000c90d96405067e37016a0c0c0c80000003008000000f478a152401\
         000668ebcc448440",
    ),
    (
        "avc",
        "encoded: libx264, interlaced 1920x1080 at 29.97, JVT scaling matrices, CBR HRD",
        "01640028ffe1002567640028acd94078044fde022000007d20001d4c0c080002625a0001312dc986\
         01f162d96001000668fbacb3002cfdf8f800",
    ),
    (
        "avc",
        "encoded: libx264, 640x362 at 50, 4:2:2 of 10 bits, all intra",
        "017a101fffe10017677a101fb6cb81405ff3e022000003000200000300c80801000568ee0f2c8b\
         fefafa00",
    ),
    (
        "avc",
        "encoded: libx264rgb, 64x48 at 50",
        "01f4000affe1001b67f4000a919b288f602dc0808010000003001000000640f122596001000668ebe3\
         cb22c0fff8f800",
    ),
    (
        "hevc",
        "recorded: ffmpeg 9 with x265, 320x180 at 15; its SEI array left out",
        "0101600000009000000000003cf000fcfdf8f800000f03200001001840010c01ffff016000000300\
         90000003000003003c959409210001002b42010101600000030090000003000003003ca00a080c1f3e\
         595952930bc05a020000030002000003001e1022000100064401c073c189",
    ),
    (
        "hevc",
        "encoded: libx265, 1918x1078 at 59.94, Main 10, scaling lists, HRD",
        "0102200000009000000000007bf000fcfdfafa00000f04a00001001840010c01ffff022000000300\
         90000003000003007b959809a10001003842010102200000030090000003000003007ba003c08011\
         0753365959929385e02d0100000303e90000ea606014987e0001312d0000989688a2000100064401c0\
         73c18927000100064e0181010f80",
    ),
    (
        "hevc",
        "encoded: libx265, 320x180 at 24, 4:2:2 of 12 bits",
        "0124080000009908000000007bf000fcfefcfc00000f03a00001001740010c01ffff240800000300\
         990800000300007b959809a10001002b420101240800000300990800000300007bb00a080b9f294a5959\
         a4932bc05a020000030002000003003010a2000100074401c172b46240",
    ),
    (
        "av1",
        "recorded: ffmpeg 9 with an AV1 encoder, 320x180",
        "81000c000a0b0200000521e7f66017c002",
    ),
    ("av1", "encoded: libaom, 320x180, 10 bits", "81004c000a0b000000043cfeccdaf94040"),
    ("av1", "encoded: libaom, 320x180, 4:4:4", "812000000a0a200000043cfeccdaf902"),
    ("av1", "encoded: SVT-AV1, 1280x720", "81050c000a0b0000002d4cffb3c02f8004"),
    ("av1", "encoded: libaom, still picture of 96x64", "81000c000a0618196ffed004"),
    ("vp9", "recorded: ffmpeg 9, with the box's version and flags", "010000000014820202000000"),
    ("vp9", "the same without them", "0014820202000000"),
    ("vp9", "encoded: libvpx, 10 bits", "01000000020aa20202020000"),
    ("aac", "recorded: ffmpeg 9, mono at 48000", "118856e500"),
    ("aac", "recorded: OBS, stereo at 44100", "121056e500"),
    ("aac", "recorded: GStreamer, mono at 44100", "1208"),
    ("aac", "explicit SBR: core 22050, output 44100", "2b920800"),
    ("aac", "explicit parametric stereo: core 24000 mono", "eb098800"),
    ("aac", "backward compatible SBR", "139056e5a0"),
    ("aac", "backward compatible SBR and parametric stereo", "130856e59d4880"),
    ("aac", "explicit frequency 12345 Hz", "178018 1c88"),
    (
        "aac",
        "encoded: FFmpeg, 2.1 channels by a program config element",
        "118004c4010020000d4c61766335392e33372e31303056e500",
    ),
    ("opus", "recorded: ffmpeg 9, mono", "4f707573486561640101380180bb0000000000"),
    (
        "opus",
        "5.1 channels (RFC 7845 mapping family 1)",
        "4f7075734865616401063801 80bb0000 0000 01 04 02 000401020305",
    ),
    (
        "flac",
        "recorded: ffmpeg 9, STREAMINFO alone, mono at 48000",
        "040004000000000008150bb800f00000000000000000000000000000000000000000",
    ),
    (
        "flac",
        "the same as Enhanced RTMP wants it",
        "664c614380000022040004000000000008150bb800f00000000000000000000000000000000000000000",
    ),
    (
        "vvc",
        "Main 10, level 4.0, 1920x1080 at 25, 4:2:0, by 14496-15 11.2.4.2; SPS of 2 bytes",
        "ff 0015 5f 01 02 40 00 00 0780 0438 1900 01 8f 0001 0002 0079",
    ),
];

fn record(codec: &str, origin: &str) -> Vec<u8> {
    let found = RECORDS.iter().find(|(c, o, _)| *c == codec && o.contains(origin));
    hex(found.unwrap_or_else(|| panic!("no record {codec} {origin}")).2)
}

fn decode(codec: &str, data: &[u8]) -> CodecConfig {
    decode_config(&mut Reader::new(data), codec).unwrap()
}

fn video(config: &CodecConfig) -> (&str, &str, u32, u32, Option<f64>, &'static str, u8) {
    assert_eq!(config.stop, None);
    (
        config.profile.as_deref().unwrap(),
        config.level.as_deref().unwrap(),
        config.width.unwrap(),
        config.height.unwrap(),
        config.frame_rate,
        config.chroma.unwrap(),
        config.bit_depth.unwrap(),
    )
}

#[test]
fn avc_records() {
    let get = |origin| decode("avc", &record("avc", origin));
    let config = get("ffmpeg 5.1.9");
    assert_eq!(video(&config), ("High", "1.2", 320, 180, Some(15.0), "4:2:0", 8));
    assert_eq!(config.nal_length_size, Some(4));
    let config = get("OBS");
    let expected = ("Constrained Baseline", "1.2", 320, 180, Some(10.0), "4:2:0", 8);
    assert_eq!(video(&config), expected);
    let config = get("GStreamer");
    let expected = ("High 4:4:4 Predictive", "1.2", 320, 180, Some(15.0), "4:4:4", 10);
    assert_eq!(video(&config), expected);
    let config = get("interlaced");
    let rate = Some(30_000.0 / 1001.0);
    assert_eq!(video(&config), ("High", "4.0", 1920, 1080, rate, "4:2:0", 8));
    let config = get("640x362");
    let expected = ("High 4:2:2 Intra", "3.1", 640, 362, Some(50.0), "4:2:2", 10);
    assert_eq!(video(&config), expected);
    let config = get("libx264rgb");
    let expected = ("High 4:4:4 Predictive", "1.0", 64, 48, Some(50.0), "4:4:4", 8);
    assert_eq!(video(&config), expected);
}

#[test]
fn hevc_records() {
    let get = |origin| decode("hevc", &record("hevc", origin));
    let config = get("320x180 at 15");
    assert_eq!(video(&config), ("Main", "2.0", 320, 180, Some(15.0), "4:2:0", 8));
    assert_eq!(config.nal_length_size, Some(4));
    let config = get("1918x1078");
    let rate = Some(60_000.0 / 1001.0);
    assert_eq!(video(&config), ("Main 10", "4.1", 1918, 1078, rate, "4:2:0", 10));
    let config = get("4:2:2 of 12");
    let expected = ("Range Extensions", "4.1 High", 320, 180, Some(24.0), "4:2:2", 12);
    assert_eq!(video(&config), expected);
}

#[test]
fn av1_records() {
    let get = |origin| decode("av1", &record("av1", origin));
    assert_eq!(video(&get("ffmpeg 9")), ("Main", "2.0", 320, 180, None, "4:2:0", 8));
    assert_eq!(video(&get("10 bits")), ("Main", "2.0", 320, 180, None, "4:2:0", 10));
    assert_eq!(video(&get("4:4:4")), ("High", "2.0", 320, 180, None, "4:4:4", 8));
    assert_eq!(video(&get("SVT")), ("Main", "3.1", 1280, 720, None, "4:2:0", 8));
    assert_eq!(video(&get("still")), ("Main", "2.0", 96, 64, None, "4:2:0", 8));
}

#[test]
fn av1_timing_and_operating_points() {
    let mut b = BitWriter::default();
    // Profile 0, no still picture; 1001 units of 1/60000 s per tick, 2 ticks per picture.
    b.u(0, 3).u(0, 1).u(0, 1).u(1, 1).u(1001, 32).u(60_000, 32).u(1, 1).ue(1);
    // Decoder model with delays of 10 bits; display delays; two operating points.
    b.u(1, 1).u(9, 5).u(1, 32).u(9, 5).u(9, 5).u(1, 1).u(1, 5);
    b.u(0x101, 12).u(13, 5).u(1, 1).u(1, 1).u(3, 10).u(4, 10).u(0, 1).u(1, 1).u(5, 4);
    b.u(0x001, 12).u(4, 5).u(0, 1).u(0, 1);
    // 3840x2160, frame ids, everything off, 4:2:0.
    b.u(11, 4).u(11, 4).u(3839, 12).u(2159, 12).u(1, 1).u(0, 4).u(0, 3).u(0, 3).u(0, 5);
    b.u(0, 1).u(0, 1).u(0, 3).u(0, 1).u(0, 1).u(0, 1).u(0, 1).u(1, 2).u(0, 1).u(0, 1);
    let sequence = b.into_bytes();
    let mut data = hex("810d0c00 0a");
    data.push(sequence.len() as u8);
    data.extend_from_slice(&sequence);
    let config = decode("av1", &data);
    assert_eq!(config.stop, None);
    assert_eq!((config.width, config.height), (Some(3840), Some(2160)));
    assert_eq!(config.level.as_deref(), Some("5.1 High"));
    assert_eq!(config.frame_rate, Some(60_000.0 / 2002.0));
}

#[test]
fn av1_descriptor_of_mpeg2_ts() {
    let config = decode_av1_descriptor(&mut Reader::new(&hex("8004 81284c00")));
    assert_eq!(config.stop, None);
    assert_eq!(config.profile.as_deref(), Some("High"));
    assert_eq!(config.level.as_deref(), Some("4.0"));
    assert_eq!((config.bit_depth, config.chroma), (Some(10), Some("4:2:0")));
}

#[test]
fn vpx_records_and_frames() {
    for origin in ["recorded", "without"] {
        let config = decode("vp9", &record("vp9", origin));
        assert_eq!(config.stop, None, "{origin}");
        assert_eq!(config.profile.as_deref(), Some("Profile 0"));
        assert_eq!(config.level.as_deref(), Some("2.0"));
        assert_eq!((config.bit_depth, config.chroma), (Some(8), Some("4:2:0")));
    }
    let config = decode("vp9", &record("vp9", "10 bits"));
    assert_eq!(config.profile.as_deref(), Some("Profile 2"));
    assert_eq!(config.bit_depth, Some(10));
    let frame = |codec, data: &str| decode_frame(&mut Reader::new(&hex(data)), codec);
    let size = |config: &CodecConfig| (config.width.unwrap(), config.height.unwrap());
    // Recorded: ffmpeg 9 with libvpx, 320x240, a key frame and an inter frame.
    let key = frame("vp9", "824983420013f00ef60638241c1842000a").unwrap();
    assert_eq!((key.stop.clone(), size(&key)), (None, (320, 240)));
    assert_eq!(frame("vp9", "86004092f0a12500"), None);
    // Encoded: libvpx, 176x100, profile 3 of 4:2:2 and 10 bits, profile 1 of RGB, VP8.
    let key = frame("vp9", "b124c1a10200578031b021c120e0c2c00030007f").unwrap();
    assert_eq!((size(&key), key.chroma, key.bit_depth), ((176, 100), Some("4:2:2"), Some(10)));
    assert_eq!(key.profile.as_deref(), Some("Profile 3"));
    let key = frame("vp9", "a2498342e00af006360438241c184a0008007cab").unwrap();
    assert_eq!((size(&key), key.chroma, key.bit_depth), ((176, 100), Some("4:4:4"), Some(8)));
    let key = frame("vp8", "b045009d012ab000640000070885858885848802").unwrap();
    assert_eq!((key.stop.clone(), size(&key)), (None, (176, 100)));
    assert_eq!(frame("vp8", "b145009d012ab0006400"), None);
}

#[test]
fn aac_records() {
    let get = |origin| {
        let config = decode("aac", &record("aac", origin));
        assert_eq!(config.stop, None, "{origin}");
        (config.profile.unwrap(), config.sample_rate.unwrap(), config.channels.unwrap())
    };
    assert_eq!(get("mono at 48000"), ("AAC LC".into(), 48000, 1));
    assert_eq!(get("OBS"), ("AAC LC".into(), 44100, 2));
    assert_eq!(get("GStreamer"), ("AAC LC".into(), 44100, 1));
    assert_eq!(get("explicit SBR"), ("HE-AAC".into(), 44100, 2));
    assert_eq!(get("explicit parametric"), ("HE-AAC v2".into(), 48000, 2));
    assert_eq!(get("backward compatible SBR"), ("HE-AAC".into(), 44100, 2));
    assert_eq!(get("SBR and parametric"), ("HE-AAC v2".into(), 48000, 2));
    assert_eq!(get("explicit frequency"), ("AAC LC".into(), 12345, 1));
    assert_eq!(get("2.1 channels"), ("AAC LC".into(), 48000, 3));
    // Escaped object type 42.
    let config = decode("aac", &hex("f94640"));
    assert_eq!(config.profile.as_deref(), Some("xHE-AAC"));
}

#[test]
fn opus_and_flac_records() {
    let config = decode("opus", &record("opus", "recorded"));
    assert_eq!((config.stop, config.sample_rate, config.channels), (None, Some(48000), Some(1)));
    let config = decode("opus", &record("opus", "5.1"));
    assert_eq!((config.stop, config.channels), (None, Some(6)));
    let config = decode("opus", &[]);
    assert_eq!((config.stop, config.sample_rate, config.channels), (None, Some(48000), None));
    for origin in ["recorded", "as Enhanced"] {
        let config = decode("flac", &record("flac", origin));
        assert_eq!(config.stop, None, "{origin}");
        assert_eq!((config.sample_rate, config.channels), (Some(48000), Some(1)));
        assert_eq!(config.bit_depth, Some(16));
    }
}

#[test]
fn vvc_record() {
    let config = decode("vvc", &record("vvc", "Main 10"));
    assert_eq!(video(&config), ("Main 10", "4.0", 1920, 1080, Some(25.0), "4:2:0", 10));
    let boxed = [&[0; 4], &*record("vvc", "Main 10")].concat();
    assert_eq!(decode("vvc", &boxed), config);
}

#[test]
fn audio_frame_headers() {
    let frame = |codec, data: &str| {
        let config = decode_frame(&mut Reader::new(&hex(data)), codec).unwrap();
        assert_eq!(config.stop, None);
        (config.codec, config.sample_rate.unwrap(), config.channels.unwrap())
    };
    // Recorded: ffmpeg 9, mono at 48000. Encoded: FFmpeg's ac3 and eac3.
    assert_eq!(frame("ac3", "0b77480d0c402f842bc1c77aaf5e"), ("ac3", 48000, 1));
    assert_eq!(frame("ac3", "0b7795cd944043e106bfbe79"), ("ac3", 32000, 2));
    assert_eq!(frame("eac3", "0b77037f3f87c00020fc0000"), ("eac3", 48000, 6));
    // Recorded: ffmpeg 5.1.9 with LAME, mono at 22050.
    assert_eq!(frame("mp3", "fff360c4001dd08a"), ("mp3", 22050, 1));
    assert_eq!(frame("mp3", "fffb90c0"), ("mp3", 44100, 1));
    let config = decode_frame(&mut Reader::new(&hex("ffff")), "ac3").unwrap();
    assert_eq!(config.stop.unwrap().reason, StopReason::Invalid(0xffff));
}

#[test]
fn flash_video_frame_headers() {
    let frame = |codec, data: &str| {
        let config = decode_frame(&mut Reader::new(&hex(data)), codec).unwrap();
        assert_eq!(config.stop, None);
        (config.width.unwrap(), config.height.unwrap())
    };
    // Recorded: ffmpeg 5.1.9, Sorenson H.263 to nginx-rtmp.
    assert_eq!(frame("h263", "0000840080a0005a119e72aa"), (320, 180));
    // Encoded: FFmpeg's flashsv and flashsv2.
    assert_eq!(frame("screen", "30b03064006478da"), (176, 100));
    assert_eq!(frame("screen2", "30b0306000004d10"), (176, 96));
    // By the layout of the VP6 header: quantizer 20, version 8, 15 rows and 20 columns.
    assert_eq!(frame("vp6", "28 46 0f140f14"), (320, 240));
    assert_eq!(decode_frame(&mut Reader::new(&hex("a846")), "vp6"), None);
}

/// The start of a profile_tier_level with two sub-layers above the first.
fn hevc_sps_with_sub_layers() -> BitWriter {
    let mut b = BitWriter::default();
    b.u(0x4201, 16).u(0, 4).u(2, 3).u(1, 1);
    b.u(0, 2).u(0, 1).u(1, 5).u(0x6000_0000, 32).u(0x9000_0000_0000, 48).u(93, 8);
    // One sub-layer tells profile and level, the other its level.
    b.u(0b1101, 4).u(0, 12).u(0x5a, 64).u(0xff, 24).u(60, 8).u(90, 8);
    b
}

#[test]
fn hevc_parameter_sets_with_all_branches() {
    let mut b = hevc_sps_with_sub_layers();
    b.ue(0).ue(1).ue(1280).ue(736).u(1, 1).ue(0).ue(0).ue(0).ue(8);
    b.ue(0).ue(0).ue(4).u(1, 1);
    for _ in 0..3 {
        b.ue(4).ue(2).ue(0);
    }
    b.ue(0).ue(3).ue(0).ue(3).ue(1).ue(1);
    // Scaling lists: 6 + 6 + 6 + 2; the first of each size is coded, the others are predicted.
    b.u(1, 1).u(1, 1);
    for size in 0..4 {
        b.u(1, 1);
        if size > 1 {
            b.ue(7);
        }
        for i in 0..if size == 0 { 16 } else { 64 } {
            b.ue(i % 5);
        }
        for _ in 1..if size == 3 { 2 } else { 6 } {
            b.u(0, 1).ue(0);
        }
    }
    b.u(1, 1).u(1, 1).u(1, 1).u(7, 4).u(7, 4).ue(0).ue(0).u(1, 1);
    // Pictures -1, -3 and +2; then predicted with delta -2: -3, -5, 0 (dropped), -2; then with
    // delta +1 one flag for each of those three and one more.
    b.ue(3).ue(2).ue(1).ue(0).u(1, 1).ue(1).u(1, 1).ue(1).u(1, 1);
    b.u(1, 1).u(1, 1).ue(1).u(0b1111, 4);
    b.u(1, 1).u(0, 1).ue(0).u(1, 1).u(0b01, 2).u(0b00, 2).u(1, 1);
    // Two long-term pictures.
    b.u(1, 1).ue(2).u(5, 8).u(1, 1).u(6, 8).u(0, 1).u(1, 1).u(1, 1);
    // VUI: 4:3 by numbers, overscan, colour, chroma location, display window, 25 frames.
    b.u(1, 1).u(1, 1).u(255, 8).u(4, 16).u(3, 16).u(1, 1).u(0, 1);
    b.u(1, 1).u(5, 3).u(0, 1).u(1, 1).u(1, 8).u(1, 8).u(1, 8).u(1, 1).ue(0).ue(0);
    b.u(0, 3).u(1, 1).ue(0).ue(0).ue(0).ue(0).u(1, 1).u(1, 32).u(25, 32).u(1, 1).ue(0);
    let sps = b.nal_unit();
    let mut data = record("hevc", "320x180 at 15")[..22].to_vec();
    data.extend_from_slice(&[1, 33, 0, 1]);
    data.extend_from_slice(&(sps.len() as u16).to_be_bytes());
    data.extend_from_slice(&sps);
    let config = decode("hevc", &data);
    assert_eq!(video(&config), ("Main", "3.1", 1280, 720, Some(25.0), "4:2:0", 8));
}

#[test]
fn avc_picture_order_types_and_levels() {
    let mut b = BitWriter::default();
    // Main with constraint_set3: level 1b. Picture order type 1 with a cycle of two frames.
    b.u(0x67, 8).u(77, 8).u(0x10, 8).u(11, 8).ue(0).ue(0).ue(1);
    b.u(0, 1).ue(0).ue(3).ue(2).ue(5).ue(6).ue(1).u(0, 1);
    b.ue(10).ue(8).u(1, 1).u(1, 1).u(0, 1).u(0, 1);
    let sps = b.nal_unit();
    let mut data = vec![1, 77, 0x10, 11, 0xff, 0xe1, 0, sps.len() as u8];
    data.extend_from_slice(&sps);
    data.push(0);
    let config = decode("avc", &data);
    assert_eq!(video(&config), ("Main", "1b", 176, 144, None, "4:2:0", 8));
}

#[test]
fn huge_and_impossible_sizes_do_not_overflow() {
    let record = |columns: u32, rows: u32, crop: [u32; 4]| {
        let mut b = BitWriter::default();
        b.u(0x67, 8).u(66, 8).u(0, 8).u(10, 8).ue(0).ue(0).ue(2).ue(1).u(0, 1);
        b.ue(columns).ue(rows).u(0, 1).u(0, 1).u(1, 1).u(1, 1);
        crop.iter().for_each(|c| {
            b.ue(*c);
        });
        b.u(0, 1);
        let sps = b.nal_unit();
        let mut data = vec![1, 66, 0, 10, 0xff, 0xe1, 0, sps.len() as u8];
        data.extend_from_slice(&sps);
        data.push(0);
        data
    };
    for (columns, rows, crop) in [
        (u32::MAX - 1, 0, [0; 4]),
        (0, u32::MAX - 1, [0; 4]),
        (0, 0, [u32::MAX - 1; 4]),
        (0, 0, [4, 4, 0, 0]),
    ] {
        let config = decode("avc", &record(columns, rows, crop));
        let stop = config.stop.clone().unwrap();
        assert_eq!(stop.field, "frame_cropping");
        assert!(matches!(stop.reason, StopReason::Invalid(_)));
        assert_eq!((config.width, config.height), (None, None));
        // What came before is kept.
        assert_eq!(config.level.as_deref(), Some("1.0"));
    }
    // A field-coded picture counts its rows twice.
    let config = decode("avc", &record(0, 0, [0; 4]));
    assert_eq!((config.width, config.height), (Some(16), Some(32)));
}

#[test]
fn hostile_codes_stop_at_their_field() {
    // Nothing but zeros where the parameter set id would be.
    let mut data = hex("0142c00cffe1 0044 6742c00c");
    data.resize(data.len() + 64, 0);
    data.push(0);
    let config = decode("avc", &data);
    let stop = config.stop.unwrap();
    assert_eq!((stop.field, stop.at), ("seq_parameter_set_id", 12));
    assert!(matches!(stop.reason, StopReason::Invalid(_)));
    assert_eq!(config.profile.as_deref(), Some("Constrained Baseline"));
    // An OBU size that never ends.
    let config = decode("av1", &hex("81000c00 0a ffffffffffffffffff"));
    assert_eq!(config.stop.unwrap().field, "obu_size");
    // An OBU larger than what there is.
    let config = decode("av1", &hex("81000c00 0a ffffff7f 00"));
    assert!(matches!(config.stop.unwrap().reason, StopReason::Truncated { .. }));
    // 65,535 NAL units announced, none there.
    let config =
        decode("hevc", &[&record("hevc", "320x180 at 15")[..22], &hex("01 20ffff")].concat());
    assert_eq!(config.stop.unwrap().field, "nalUnitLength");
    // Another version is another layout.
    assert_eq!(decode("avc", &[2, 1, 2, 3]).stop.unwrap().reason, StopReason::Invalid(2));
}

#[test]
fn every_record_cut_anywhere_stops_with_a_reason() {
    for (codec, origin, text) in RECORDS {
        let data = hex(text);
        let whole = decode(codec, &data);
        assert_eq!(whole.stop, None, "{codec} {origin}");
        for len in 0..data.len() {
            let config = decode(codec, &data[..len]);
            let Some(stop) = config.stop else {
                // Optional tails: the extension of High profiles and AAC's, no OBU at all,
                // what Opus may leave out.
                let optional = match *codec {
                    "avc" => len + 4 >= data.len(),
                    "aac" => len >= 2,
                    "av1" => len == 4,
                    "opus" => len == 0,
                    _ => false,
                };
                assert!(optional, "{codec} {origin} cut to {len} bytes has no stop");
                continue;
            };
            assert!(stop.at <= len, "{codec} {origin} cut to {len}: {stop}");
            assert!(!stop.field.is_empty());
        }
    }
}

#[test]
fn every_byte_corrupted_never_panics() {
    for (codec, _, text) in RECORDS {
        let data = hex(text);
        for i in 0..data.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, !data[i]] {
                let mut data = data.clone();
                data[i] = value;
                let mut tree = FieldTree::new();
                let config = decode_config(&mut Reader::with_fields(&data, &mut tree), codec);
                assert_eq!(config, decode_config(&mut Reader::new(&data), codec));
                assert!(tree.nodes().iter().all(|n| n.range.end <= data.len()));
                assert!(config.unwrap().stop.is_none_or(|stop| stop.at <= data.len()));
            }
        }
    }
}

#[test]
fn an_inner_length_that_lies_stops_or_is_noticed() {
    let data = record("avc", "ffmpeg 5.1.9");
    // The parameter set's length, one byte too many and far too many.
    for (len, field) in
        [(0x00ff, "sequenceParameterSetNALUnit"), (0xffff, "sequenceParameterSetNALUnit")]
    {
        let mut data = data.clone();
        data[6..8].copy_from_slice(&u16::to_be_bytes(len));
        let config = decode("avc", &data);
        assert_eq!(config.stop.unwrap().field, field);
        // The parameter set itself is there nevertheless.
        assert_eq!(config.width, Some(320));
    }
    let mut short = data.clone();
    short[6..8].copy_from_slice(&[0, 3]);
    let stop = decode("avc", &short).stop.unwrap();
    assert!(matches!(stop.reason, StopReason::Truncated { .. }), "{stop}");
}

#[test]
fn the_tree_explains_a_record() {
    let mut tree = FieldTree::new();
    decode_avc(&mut Reader::with_fields(&record("avc", "ffmpeg 5.1.9"), &mut tree));
    let find = |name: &str| tree.nodes().iter().find(|n| n.name == name).unwrap();
    assert_eq!(find("AVCProfileIndication").meaning.as_deref(), Some("High"));
    let width = find("pic_width_in_mbs_minus1");
    assert_eq!((&width.value, width.depth), (&FieldValue::Uint(19), 2));
    assert_eq!(find("sequenceParameterSet").range, 8..34);
    assert_eq!(find("time_scale").value, FieldValue::Uint(30));
    assert_eq!(find("pictureParameterSetNALUnit").range, 37..41);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_bytes_behind_any_beginning_never_panic(
        index in 0..RECORDS.len(),
        keep in 0..200usize,
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
    ) {
        let (codec, _, text) = RECORDS[index];
        let mut data = hex(text);
        data.truncate(keep);
        data.extend_from_slice(&noise);
        let config = decode(codec, &data);
        proptest::prop_assert!(config.stop.is_none_or(|stop| stop.at <= data.len()));
        for codec in ["ac3", "mp3", "vp8", "vp9", "h263", "vp6", "screen"] {
            let mut tree = FieldTree::new();
            let config = decode_frame(&mut Reader::with_fields(&noise, &mut tree), codec);
            proptest::prop_assert_eq!(config, decode_frame(&mut Reader::new(&noise), codec));
        }
    }
}
