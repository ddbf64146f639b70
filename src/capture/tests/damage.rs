//! What damaged captures still give, and that they say what is wrong: once.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::CaptureErrorKind as Kind;
use super::*;

const COUNT: usize = 8;

/// A pcap file of [`COUNT`] packets, and where each ends.
fn small_pcap(big: bool) -> (Vec<u8>, Vec<usize>) {
    let mut file = PcapBytes::new(0xa1b2_c3d4, big, 1);
    let ends = (0..COUNT)
        .map(|n| {
            file.packet(n as u32, &payload(n, 60 + n * 9));
            file.bytes.len()
        })
        .collect();
    (file.bytes, ends)
}

/// The same as pcapng; the first entry of the second list is where the interface block ends.
fn small_pcapng(big: bool) -> (Vec<u8>, Vec<usize>) {
    let mut ng = NgBytes::new(big);
    ng.section(&[(1, b"comment")]).interface(1, 0, &[(9, &[6])]);
    let ends = (0..COUNT)
        .map(|n| {
            let options: &[(u16, &[u8])] = if n % 2 == 0 { &[] } else { &[(1, b"note")] };
            let data = payload(n, 60 + n * 9);
            let ticks = (u64::from(START) + n as u64) * 1_000_000;
            ng.packet_with(0, ticks, &data, data.len() as u32, options);
            ng.bytes.len()
        })
        .collect();
    (ng.bytes, ends)
}

fn is_payload(packet: &Packet, n: usize) -> bool {
    packet.data == payload(n, 60 + n * 9)
}

#[test]
fn every_cut_gives_what_is_before_it_and_one_error() {
    for big in [false, true] {
        let pcap = small_pcap(big);
        let ng = small_pcapng(big);
        let section = 8 + 16 + 12 + 4 + 4;
        let whole_of = [vec![24], vec![section, section + 32]];
        for ((bytes, ends), heads) in [pcap, ng].into_iter().zip(whole_of) {
            for cut in 0..=bytes.len() {
                let (packets, capture) = read(&bytes[..cut]);
                let expected = ends.iter().filter(|&&end| end <= cut).count();
                assert_eq!(packets.len(), expected, "cut at {cut}");
                assert!(packets.iter().enumerate().all(|(n, p)| is_payload(p, n)));
                let between = ends.contains(&cut) || heads.contains(&cut);
                let errors = kinds(&capture);
                match errors.as_slice() {
                    [] => assert!(between, "silent at {cut}"),
                    [Kind::Empty] => assert_eq!(cut, 0),
                    [Kind::Cut { present, needed }] => {
                        assert!(present < needed && *present > 0, "at {cut}: {errors:?}");
                        assert!(!between, "at {cut}");
                        let error = &capture.errors()[0];
                        assert_eq!(error.packets_before, expected as u64);
                        assert!(error.offset + present <= cut as u64);
                    }
                    other => panic!("at {cut}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn every_cut_of_compressed_data_is_one_error() {
    let (bytes, _) = small_pcap(false);
    for (format, packed) in [("gzip", gzip(&bytes)), ("zstd", zstd(&bytes))] {
        let mut most = 0;
        for cut in 1..packed.len() {
            let (packets, capture) = read(&packed[..cut]);
            assert!(packets.iter().enumerate().all(|(n, p)| is_payload(p, n)));
            most = most.max(packets.len());
            match kinds(&capture).as_slice() {
                [Kind::Compression { format: named, cut: true, .. }] => assert_eq!(*named, format),
                // Fewer bytes than a magic number.
                [Kind::NotACapture { .. }] => assert!(cut < 4, "{format} at {cut}"),
                other => panic!("{format} at {cut}: {other:?}"),
            }
        }
        // gzip gives all when only its checksum is cut; a zstd frame this short is one block.
        assert_eq!(most, if format == "gzip" { COUNT } else { 0 }, "{format}");
    }
}

#[test]
fn cut_zstd_gives_the_blocks_before_the_cut() {
    let mut file = PcapBytes::micros();
    let mut state = 1_u32;
    for n in 0..400 {
        let noise: Vec<u8> = (0..1_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        file.packet(n, &noise);
    }
    let packed = zstd(&file.bytes);
    let (packets, capture) = read(&packed[..packed.len() * 3 / 4]);
    assert!((200..300).contains(&packets.len()), "{}", packets.len());
    assert!(matches!(kinds(&capture)[..], [Kind::Compression { format: "zstd", cut: true, .. }]));
}

#[test]
fn damaged_compressed_data_is_named() {
    let (bytes, _) = small_pcap(false);
    let mut packed = gzip(&bytes);
    let end = packed.len();
    packed[end - 6] ^= 0xff;
    let (packets, capture) = read(packed);
    assert_eq!(packets.len(), COUNT);
    assert!(matches!(kinds(&capture)[..], [Kind::Compression { cut: false, .. }]));
}

/// Each byte of the file set to each of several values: no panic, no hang, and a packet is lost
/// only with a word about it.
#[test]
fn every_flipped_byte_is_survived_and_told() {
    for big in [false, true] {
        for (kind, (bytes, ends), head) in
            [("pcap", small_pcap(big), 24), ("pcapng", small_pcapng(big), 44 + 32)]
        {
            for at in 0..bytes.len() {
                for change in [0x01, 0x10, 0x80, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[at] ^= change;
                    let (packets, capture) = read(damaged);
                    let at_what = format!("{kind} big {big} byte {at} ^ {change:#x}");
                    let sound = (0..COUNT).filter(|&n| packets.iter().any(|p| is_payload(p, n)));
                    let lost = COUNT - sound.count();
                    // A changed byte of packet data, or a length that still fits, is not noticed.
                    let hit = ends.iter().position(|&end| at < end).unwrap_or(COUNT);
                    let in_data = packets.len() == COUNT;
                    // A packet block whose type is now an unknown one is skipped, as it must be.
                    let starts = hit.checked_sub(1).map_or(head, |before| ends[before]);
                    let in_type = kind == "pcapng" && (starts..starts + 4).contains(&at);
                    if at >= head {
                        assert!(lost <= 1, "{at_what}: lost {lost}");
                        let kept: Vec<_> = packets.iter().filter(|p| !is_payload(p, hit)).collect();
                        assert!(kept.len() <= COUNT, "{at_what}: invented");
                    }
                    if lost > 0 && !in_data && !in_type {
                        assert!(!capture.errors().is_empty(), "{at_what}: silent");
                    }
                    assert!(capture.errors().len() <= 2, "{at_what}: {:?}", capture.errors());
                }
            }
        }
    }
}

#[test]
fn a_bad_pcap_record_is_skipped() {
    let (mut bytes, ends) = small_pcap(false);
    let third = ends[1];
    bytes[third + 8..third + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    let (packets, capture) = read(bytes);
    let numbers: Vec<_> = packets.iter().map(|p| (0..COUNT).find(|&n| is_payload(p, n))).collect();
    assert_eq!(numbers, [0, 1, 3, 4, 5, 6, 7].map(Some));
    let [error] = capture.errors() else { panic!("{:?}", capture.errors()) };
    assert_eq!((error.offset, error.packets_before), (third as u64, 2));
    let skipped = (ends[2] - ends[1]) as u64;
    assert_eq!(
        error.kind,
        Kind::BadRecord { captured_len: u32::MAX, original_len: 78, skipped, resumed: true }
    );
    let text = error.to_string();
    assert!(text.contains("after packet 2") && text.contains("skipped 94 bytes"), "{text}");
}

#[test]
fn a_bad_pcapng_block_is_skipped_and_a_bad_trailer_is_not() {
    let (bytes, ends) = small_pcapng(false);
    let mut bad = bytes.clone();
    bad[ends[1] + 6] = 9;
    let (packets, capture) = read(bad);
    assert_eq!(packets.len(), COUNT - 1);
    assert!(
        matches!(kinds(&capture)[..], [Kind::BadBlock { block_type: 6, resumed: true, skipped, .. }]
            if skipped == (ends[2] - ends[1]) as u64)
    );

    let mut bad = bytes.clone();
    bad[ends[2] - 4] ^= 4;
    let (packets, capture) = read(bad);
    assert_eq!(packets.len(), COUNT);
    assert!(matches!(kinds(&capture)[..], [Kind::BlockTrailer { .. }]));

    // A captured length beyond its block.
    let mut bad = bytes;
    bad[ends[1] + 20] = 0xff;
    let (packets, capture) = read(bad);
    assert_eq!(packets.len(), COUNT);
    assert!(matches!(kinds(&capture)[..], [Kind::BlockBody { block_type: 6, .. }]));
}

#[test]
fn time_resolutions_no_capture_uses() {
    let micros = u64::from(START) * 1_000_000;
    for (value, ticks, expected) in [
        (0, micros, at(0, 0)),
        (0, u64::from(START), at(0, 0)),
        (100, micros, at(0, 0)),
        (0xff, micros, at(0, 0)),
    ] {
        let mut ng = NgBytes::new(false);
        ng.section(&[]).interface(1, 0, &[(9, &[value])]).packet(0, ticks, b"x");
        let (packets, capture) = read(ng.bytes);
        assert_eq!(packets[0].time, expected, "{value}");
        assert_eq!(kinds(&capture), [Kind::TimeResolution { interface: 0, value }]);
    }
}

#[test]
fn packets_of_unknown_interfaces_are_kept() {
    let mut ng = NgBytes::new(false);
    ng.section(&[]).packet(3, 7, b"a").packet(3, 7, b"b").packet(0, 7, b"c");
    ng.section(&[]).interface(101, 0, &[]).packet(1, 7, b"d");
    let (packets, capture) = read(ng.bytes);
    let links: Vec<_> = packets.iter().map(|p| p.link.0).collect();
    assert_eq!(links, [1, 1, 1, 101]);
    assert_eq!(
        kinds(&capture),
        [
            Kind::UnknownInterface { interface: 3, assumed: LinkType::ETHERNET },
            Kind::UnknownInterface { interface: 1, assumed: LinkType::RAW },
        ]
    );
}

#[test]
fn what_is_no_capture_is_named() {
    let looks = |bytes: &[u8]| match kinds(&read(bytes).1).as_slice() {
        [Kind::NotACapture { looks_like, .. }] => *looks_like,
        other => panic!("{other:?}"),
    };
    assert!(looks(b"FLV\x01\x05\0\0\0\x09").is_some_and(|what| what.contains("FLV")));
    assert!(looks(b"hello, this is a log").is_some_and(|what| what.contains("text")));
    assert!(looks(&gzip(&gzip(b"x"))).is_some_and(|what| what.contains("twice")));
    assert_eq!(looks(&[0, 1, 2, 3, 4]), None);
    assert_eq!(looks(&[9]), None);
    let (_, capture) = read(&b"FLV\x01\x05"[..]);
    let text = capture.errors()[0].to_string();
    assert!(
        text.starts_with("stream: at byte 0, before any packet: this is not a capture"),
        "{text}"
    );
}

#[test]
fn a_version_nobody_knows_is_read_all_the_same() {
    let mut file = PcapBytes::micros();
    file.bytes[4] = 3;
    file.packet(0, b"x");
    let (packets, capture) = read(file.bytes);
    assert_eq!((packets.len(), kinds(&capture)), (1, vec![Kind::Version { major: 3, minor: 4 }]));
}

#[test]
fn the_list_of_errors_is_bounded() {
    let mut file = PcapBytes::micros();
    for n in 0..2_000_u32 {
        match n % 5 {
            0 => file.bytes.extend_from_slice(&[0xfe; 40]),
            _ => drop(file.packet(n, &payload(n as usize, 90))),
        }
    }
    let (packets, capture) = read(file.bytes);
    assert_eq!(packets.len(), 1_600);
    assert_eq!(capture.errors().len(), 51);
    assert!(matches!(capture.errors()[50].kind, Kind::More { count: 350 }));
}

#[test]
fn lists_of_comments_and_interfaces_are_bounded() {
    let mut ng = NgBytes::new(false);
    ng.section(&[]);
    for _ in 0..66_000 {
        ng.interface(1, 0, &[]);
    }
    for _ in 0..300 {
        ng.packet_with(0, 0, b"x", 1, &[(1, &[b'c'; 65_535])]);
    }
    let (packets, capture) = read(ng.bytes);
    assert_eq!(packets.len(), 300);
    assert_eq!(capture.interfaces().len(), 65_536);
    let bytes: usize = capture.comments().iter().map(|c| c.text.len()).sum();
    assert!(bytes <= 16 << 20 && bytes > 15 << 20);
    let limits = kinds(&capture);
    assert!(matches!(
        limits[..],
        [
            Kind::LimitReached { what: "interfaces", .. },
            Kind::LimitReached { what: "comments", .. }
        ]
    ));
}

/// Long damage costs linear time, zeros make no packets, and lengths on file cost no memory.
#[test]
fn long_damage_is_bounded() {
    let (pcap, _) = small_pcap(false);
    let (ng, _) = small_pcapng(false);
    // Heads that look right and lead nowhere, over and over.
    let mut bait = PcapBytes { big: false, long: false, bytes: Vec::new() };
    for n in 0..200_000 {
        bait.u32(START + n % 50).u32(0).u32(60_000).u32(60_001);
    }
    let mut baited_ng = Vec::new();
    for _ in 0..200_000 {
        baited_ng.extend_from_slice(&6_u32.to_le_bytes());
        baited_ng.extend_from_slice(&1_000_000_u32.to_le_bytes());
    }
    for (head, tail) in [
        (&pcap, vec![0; 4 << 20]),
        (&pcap, vec![0xff; 4 << 20]),
        (&pcap, [vec![0xff; 16], bait.bytes].concat()),
        (&ng, vec![0; 4 << 20]),
        (&ng, vec![0xff; 4 << 20]),
        (&ng, [vec![0xff; 16], baited_ng].concat()),
    ] {
        let start = Instant::now();
        let (packets, capture) = read([&head[..], &tail].concat());
        assert!(packets.len() >= COUNT && packets.len() <= COUNT + 1_000, "{}", packets.len());
        assert!(!capture.errors().is_empty());
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any bytes at all after a magic number, and any bytes within a sound file.
    #[test]
    fn any_bytes_end(
        magic in 0..6_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0..400_usize,
    ) {
        let starts: [&[u8]; 6] = [
            &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0],
            &[0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4],
            &[0x34, 0xcd, 0xb2, 0xa1, 2, 0, 3, 0],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a],
            &[0x1f, 0x8b, 8, 0],
            &[0x28, 0xb5, 0x2f, 0xfd],
        ];
        let (packets, capture) = read([starts[magic], &noise].concat());
        prop_assert!(packets.len() < 40);
        prop_assert!(!capture.errors().is_empty() || magic == 3 || !packets.is_empty() || noise.len() == 16);
        for (bytes, ends) in [small_pcap(false), small_pcapng(true)] {
            let at = at.min(bytes.len());
            let (packets, _) = read([&bytes[..at], &noise, &bytes[at..]].concat());
            let before = ends.iter().filter(|&&end| end <= at).count();
            prop_assert!(packets.len() >= before);
            prop_assert!(packets.iter().take(before).enumerate().all(|(n, p)| is_payload(p, n)));
        }
    }
}
