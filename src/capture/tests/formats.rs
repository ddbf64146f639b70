//! What well-formed captures give.

use pcap_parser::{Block, PcapBlockOwned, PcapError};

use super::*;

#[test]
fn every_pcap_magic() {
    for (magic, nanos) in [(0xa1b2_c3d4, false), (0xa1b2_3c4d, true), (0xa1b2_cd34, false)] {
        for big in [false, true] {
            let mut file = PcapBytes::new(magic, big, 113);
            file.record(START, 5, b"first", 5);
            file.record(START + 1, 999_999, b"", 0);
            file.record(START + 2, 0, b"cut by the snap length", 1500);
            let (packets, capture) = read(file.bytes);
            assert_eq!(kinds(&capture), [], "magic {magic:#x} big {big}");
            let scale = if nanos { 1 } else { 1_000 };
            let got: Vec<_> = packets
                .iter()
                .map(|p| (p.frame, p.time, &p.data[..], p.original_len, p.link.0))
                .collect();
            let expected: Vec<(u64, Timestamp, &[u8], u32, u32)> = vec![
                (1, at(0, 5 * scale), b"first", 5, 113),
                (2, at(1, 999_999 * scale), b"", 0, 113),
                (3, at(2, 0), b"cut by the snap length", 1500, 113),
            ];
            assert_eq!(got, expected, "magic {magic:#x} big {big}");
            assert_eq!(capture.interfaces()[0].snap_len, 65_535);
        }
    }
}

#[test]
fn frame_check_flags_are_not_link_type() {
    let mut file = PcapBytes::new(0xa1b2_c3d4, false, 0x2400_0001);
    file.packet(0, b"x");
    assert_eq!(read(file.bytes).0[0].link, LinkType::ETHERNET);
}

#[test]
fn joined_pcap_files() {
    let mut file = PcapBytes::micros();
    file.packet(0, b"one");
    let mut second = PcapBytes::new(0xa1b2_3c4d, true, 101);
    second.packet(9, b"two");
    file.bytes.extend_from_slice(&second.bytes);
    let (packets, capture) = read(file.bytes);
    assert_eq!(kinds(&capture), []);
    assert_eq!(packets.len(), 2);
    assert_eq!((packets[1].link, packets[1].time), (LinkType::RAW, at(9, 5)));
}

#[test]
fn odd_but_consistent_records_are_kept() {
    // Writers that leave the original length 0, and that count nanoseconds in microsecond files.
    let mut file = PcapBytes::micros();
    for n in 0..5 {
        file.record(START + n, 0, b"no original length", 0);
    }
    let (packets, capture) = read(file.bytes);
    assert_eq!((packets.len(), kinds(&capture)), (5, vec![]));
    assert_eq!(packets[0].original_len, 18);

    let mut file = PcapBytes::micros();
    for n in 0..5 {
        file.record(START + n, 900_000_000, b"nanoseconds", 11);
    }
    assert_eq!(read(file.bytes).0.len(), 5);

    // Days of silence.
    let mut file = PcapBytes::micros();
    for n in 0..5 {
        file.packet(n * 3 * 24 * 60 * 60, b"every third day");
    }
    let (packets, capture) = read(file.bytes);
    assert_eq!((packets.len(), kinds(&capture)), (5, vec![]));
}

#[test]
fn sections_interfaces_and_times() {
    let mut file = Vec::new();
    for big in [false, true] {
        let mut ng = NgBytes::new(big);
        let seconds = u64::from(START);
        let offset = if big { 100_i64.to_be_bytes() } else { 100_i64.to_le_bytes() };
        ng.section(&[])
            .interface(1, 0, &[])
            .interface(276, 0, &[(2, b"eth0"), (3, b"uplink"), (9, &[9])])
            .interface(101, 0, &[(9, &[0x8a]), (14, &offset)])
            .interface(101, 0, &[(9, &[3])])
            .interface(101, 0, &[(9, &[12])])
            .interface(101, 0, &[(9, &[0x80 | 20])])
            .packet(0, seconds * 1_000_000 + 7, b"micro")
            .packet(1, seconds * 1_000_000_000 + 7, b"nano")
            .packet(2, (seconds - 100) * 1024 + 512, b"binary")
            .packet(3, seconds * 1_000 + 7, b"milli")
            .packet(4, 1_000_000_000_000 * 3 + 7_999, b"pico")
            .packet(5, seconds << 20 | 1 << 19, b"binary 20");
        file.extend_from_slice(&ng.bytes);
    }
    let (packets, capture) = read(file);
    assert_eq!(kinds(&capture), []);
    let expected = [
        (1, at(0, 7_000), "micro"),
        (276, at(0, 7), "nano"),
        (101, at(0, 500_000_000), "binary"),
        (101, at(0, 7_000_000), "milli"),
        (101, Timestamp(3_000_000_007), "pico"),
        (101, at(0, 500_000_000), "binary 20"),
    ];
    assert_eq!(packets.len(), 12);
    for (packet, (link, time, data)) in packets.iter().zip(expected.iter().cycle()) {
        assert_eq!((packet.link.0, packet.time, &packet.data[..]), (*link, *time, data.as_bytes()));
    }
    assert_eq!(capture.interfaces().len(), 12);
    let uplink = &capture.interfaces()[7];
    assert_eq!((uplink.section, uplink.id, uplink.name.as_deref()), (1, 1, Some("eth0")));
    assert_eq!(uplink.description.as_deref(), Some("uplink"));
}

#[test]
fn simple_and_obsolete_packets_comments_secrets_and_skipped_blocks() {
    for big in [false, true] {
        let mut ng = NgBytes::new(big);
        ng.section(&[(1, b"of the section"), (2, b"hardware")]);
        ng.interface(1, 8, &[(1, b"of the interface")]);
        ng.packet_with(0, 1_000_000, b"first", 5, &[(1, b"one"), (2, &[0; 4]), (1, b"two")]);
        // Simple packets: cut by the snap length of 8, and whole.
        let simple = [&ng.n(20)[..], b"cut to 8"].concat();
        ng.block(3, &simple);
        let simple = [&ng.n(5)[..], b"whole"].concat();
        ng.block(3, &simple);
        // The obsolete packet block, with a drop count in its second half word.
        let old = [
            &ng.h(0)[..],
            &ng.h(9),
            &ng.n(0),
            &ng.n(2_000_000),
            &ng.n(3),
            &ng.n(60),
            b"old\0",
            &ng.options(&[(1, b"of the old")]),
        ]
        .concat();
        ng.block(2, &old);
        ng.block(4, &[0; 8]);
        let dropped = if big { 77_u64.to_be_bytes() } else { 77_u64.to_le_bytes() };
        let statistics = [&ng.n(0)[..], &[0; 8], &ng.options(&[(5, &dropped)])].concat();
        ng.block(5, &statistics);
        ng.block(0x0bad_cafe, b"nobody knows");
        let secrets =
            [&ng.n(0x544c_534b)[..], &ng.n(6), b"CLIENT\0\0", &ng.options(&[(1, b"keys")])]
                .concat();
        ng.block(10, &secrets);
        let (packets, capture) = read(ng.bytes);
        assert_eq!(kinds(&capture), [], "big {big}");
        let got: Vec<_> = packets
            .iter()
            .map(|p| (p.time.0 / 1_000_000_000, &p.data[..], p.original_len))
            .collect();
        let expected: Vec<(i64, &[u8], u32)> =
            vec![(1, b"first", 5), (1, b"cut to 8", 20), (1, b"whole", 5), (2, b"old", 60)];
        assert_eq!(got, expected);
        let comments: Vec<_> =
            capture.comments().iter().map(|c| (c.place, c.text.as_str())).collect();
        assert_eq!(
            comments,
            [
                (CommentPlace::Section, "of the section"),
                (CommentPlace::Interface(0), "of the interface"),
                (CommentPlace::Packet(1), "one"),
                (CommentPlace::Packet(1), "two"),
                (CommentPlace::Packet(4), "of the old"),
                (CommentPlace::Block, "keys"),
            ]
        );
        let [secret] = capture.secrets() else { panic!("one secret") };
        assert_eq!((secret.kind, &secret.data[..]), (SecretKind::TLS_KEY_LOG, &b"CLIENT"[..]));
        assert!(!format!("{secret:?}").contains("CLIENT"));
        assert_eq!(capture.interfaces()[0].dropped, Some(77));
    }
}

#[test]
fn compressed_by_magic_in_members_and_frames() {
    let mut file = PcapBytes::micros();
    for n in 0..40 {
        file.packet(n, &payload(n as usize, 700));
    }
    let plain = read(file.bytes.clone()).0;
    let (a, b) = file.bytes.split_at(9_999);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &zstd(&file.bytes)].concat();
    for bytes in [
        gzip(&file.bytes),
        [gzip(a), gzip(b)].concat(),
        zstd(&file.bytes),
        [zstd(a), zstd(b)].concat(),
        skippable,
    ] {
        let (packets, capture) = read(bytes);
        assert_eq!(kinds(&capture), []);
        assert_eq!(packets.len(), plain.len());
        assert!(packets.iter().zip(&plain).all(|(a, b)| a.data == b.data && a.time == b.time));
    }
}

/// However the bytes arrive, the packets are the same: cut records, long ones, tiny reads.
#[test]
fn packets_do_not_depend_on_how_bytes_arrive() {
    let mut pcap = PcapBytes::new(0xa1b2_c3d4, false, 1);
    // Snap length, so that the long packets are believed.
    pcap.bytes[16..20].copy_from_slice(&3_000_000_u32.to_le_bytes());
    let mut ng = NgBytes::new(true);
    ng.section(&[]).interface(1, 0, &[]);
    let mut expected = Vec::new();
    for n in 0..900_usize {
        let len = match n {
            300 => 200_000,
            301 => 1_500_000,
            _ => n * 37 % 2_900,
        };
        let data = payload(n, len);
        pcap.packet(n as u32, &data);
        ng.packet(0, n as u64, &data);
        expected.push(data);
    }
    let dir = tempfile::tempdir().expect("a directory");
    for (name, bytes) in [("a.pcap", pcap.bytes), ("a.pcapng", ng.bytes)] {
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes).expect("written");
        let size = bytes.len() as u64;
        let mut inputs = vec![Input::Path(path.clone())];
        for most in [97, 4_096, 65_536, 200_000, 1 << 20, usize::MAX] {
            inputs.push(Input::Reader(Box::new(Trickle(Cursor::new(bytes.clone()), most))));
        }
        for input in inputs {
            let mut capture = Capture::open(vec![input], OpenOptions::default()).expect("it opens");
            let packets: Vec<Packet> = capture.by_ref().collect();
            assert_eq!(kinds(&capture), []);
            assert_eq!(packets.len(), expected.len());
            assert!(packets.iter().zip(&expected).all(|(p, data)| p.data == data[..]), "{name}");
            assert_eq!(capture.progress().bytes_read(), size);
        }
        let capture =
            Capture::open(vec![Input::Path(path)], OpenOptions::default()).expect("it opens");
        assert_eq!(capture.progress().bytes_total(), Some(size));
    }
}

fn sample_packets() -> Vec<Packet> {
    (0..20_usize)
        .map(|n| Packet {
            frame: n as u64 + 1,
            time: at(n as u32, 123_456_789),
            link: if n % 3 == 0 { LinkType::RAW } else { LinkType::ETHERNET },
            data: payload(n, n * 11).into(),
            original_len: n as u32 * 12,
        })
        .collect()
}

#[test]
fn what_is_written_reads_the_same() {
    let packets = sample_packets();
    let mut ng = PcapngWriter::with_comment(Vec::new(), Some("whole file")).expect("to memory");
    ng.write_secrets(SecretKind::TLS_KEY_LOG, b"CLIENT_RANDOM").expect("to memory");
    for packet in &packets {
        let comments: &[&str] = if packet.frame == 4 { &["look", "here"] } else { &[] };
        ng.write_with_comments(packet, comments).expect("to memory");
    }
    let (got, capture) = read(ng.finish().expect("to memory"));
    assert_eq!(kinds(&capture), []);
    assert_eq!(format!("{got:?}"), format!("{packets:?}"));
    assert_eq!(capture.interfaces().len(), 2);
    assert_eq!(capture.secrets()[0].data, "CLIENT_RANDOM");
    let comments: Vec<_> = capture.comments().iter().map(|c| (c.place, &c.text[..])).collect();
    let of_packet = CommentPlace::Packet(4);
    assert_eq!(
        comments,
        [(CommentPlace::Section, "whole file"), (of_packet, "look"), (of_packet, "here")]
    );

    for unit in [TimeUnit::Micros, TimeUnit::Nanos] {
        let mut pcap = PcapWriter::new(Vec::new(), LinkType::ETHERNET, unit).expect("to memory");
        let mut written = Vec::new();
        for packet in &packets {
            let result = pcap.write(packet);
            assert_eq!(result.is_ok(), packet.link == LinkType::ETHERNET);
            if result.is_ok() {
                written.push(packet.clone());
            }
        }
        let (got, capture) = read(pcap.finish().expect("to memory"));
        assert_eq!(kinds(&capture), []);
        assert_eq!(got.len(), written.len());
        for (got, packet) in got.iter().zip(&written) {
            let round = if unit == TimeUnit::Nanos { 1 } else { 1_000 };
            assert_eq!(got.time.0, packet.time.0 / round * round);
            assert_eq!((&got.data, got.original_len), (&packet.data, packet.original_len));
        }
    }
}

/// Another implementation agrees with the writers.
#[test]
fn pcap_parser_reads_what_is_written() {
    let packets = sample_packets();
    let mut ng = PcapngWriter::new(Vec::new()).expect("to memory");
    let mut pcap =
        PcapWriter::new(Vec::new(), LinkType::ETHERNET, TimeUnit::Nanos).expect("to memory");
    for packet in &packets {
        ng.write_with_comments(packet, &["comment"]).expect("to memory");
        let _ = pcap.write(packet);
    }
    let of = |bytes: Vec<u8>| {
        let mut reader = pcap_parser::create_reader(65_536, Cursor::new(bytes)).expect("known");
        let mut found: Vec<(i64, Vec<u8>, u32)> = Vec::new();
        loop {
            match reader.next() {
                Ok((used, block)) => {
                    match block {
                        PcapBlockOwned::Legacy(b) => {
                            let nanos = i64::from(b.ts_sec) * 1_000_000_000 + i64::from(b.ts_usec);
                            found.push((nanos, b.data.to_vec(), b.origlen));
                        }
                        PcapBlockOwned::NG(Block::EnhancedPacket(b)) => {
                            use pcap_parser::traits::PcapNGPacketBlock;
                            let nanos = i64::from(b.ts_high) << 32 | i64::from(b.ts_low);
                            found.push((nanos, b.packet_data().to_vec(), b.origlen));
                        }
                        PcapBlockOwned::NG(Block::InterfaceDescription(b)) => {
                            assert_eq!(b.if_tsresol, 9);
                        }
                        _ => {}
                    }
                    reader.consume(used);
                }
                Err(PcapError::Eof) => break found,
                Err(PcapError::Incomplete(_)) => reader.refill().expect("from memory"),
                Err(e) => panic!("{e:?}"),
            }
        }
    };
    let flat = |p: &Packet| (p.time.0, p.data.to_vec(), p.original_len);
    assert_eq!(of(ng.finish().expect("to memory")), packets.iter().map(flat).collect::<Vec<_>>());
    let ethernet = packets.iter().filter(|p| p.link == LinkType::ETHERNET);
    assert_eq!(of(pcap.finish().expect("to memory")), ethernet.map(flat).collect::<Vec<_>>());
}

#[test]
fn a_comment_too_long_for_an_option_is_cut_at_a_character() {
    let long = format!("x{}", "é".repeat(40_000));
    let mut ng = PcapngWriter::new(Vec::new()).expect("to memory");
    ng.write_with_comments(&sample_packets()[3], &[&long]).expect("to memory");
    let (_, capture) = read(ng.finish().expect("to memory"));
    assert_eq!(kinds(&capture), []);
    let text = &capture.comments()[0].text;
    assert!(text.len() > 65_000 && long.starts_with(text.as_str()));
}
