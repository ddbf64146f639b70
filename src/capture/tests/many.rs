//! Several inputs as one.

use super::*;

fn pcap_at(seconds: &[u32], tag: &str) -> Vec<u8> {
    let mut file = PcapBytes::micros();
    for (n, &second) in seconds.iter().enumerate() {
        file.packet(second, format!("{tag}{n}").as_bytes());
    }
    file.bytes
}

fn merged(inputs: Vec<Input>) -> (Vec<String>, Capture) {
    let mut capture = Capture::open(inputs, OpenOptions::default()).expect("they open");
    let packets: Vec<Packet> = capture.by_ref().collect();
    assert!(packets.iter().zip(1..).all(|(packet, frame)| packet.frame == frame));
    (packets.iter().map(|p| String::from_utf8_lossy(&p.data).into_owned()).collect(), capture)
}

#[test]
fn merged_by_time_stable_and_each_in_its_own_order() {
    let dir = tempfile::tempdir().expect("a directory");
    // b goes back in time by itself: its order stays.
    let files = [
        ("a", pcap_at(&[1, 4, 4, 9], "a")),
        ("b", gzip(&pcap_at(&[2, 6, 3, 4], "b"))),
        ("c", pcap_at(&[4, 30, 31], "c")),
        ("d", pcap_at(&[100, 101], "d")),
    ];
    let order = ["a0", "b0", "a1", "a2", "c0", "b1", "b2", "b3", "a3", "c1", "c2", "d0", "d1"];
    let mut paths = Vec::new();
    for (name, bytes) in &files {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        paths.push(path);
    }
    let total: u64 = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let (got, capture) = merged(paths.into_iter().map(Input::Path).collect());
    assert_eq!(got, order);
    assert_eq!(kinds(&capture), []);
    assert_eq!(capture.progress().bytes_total(), Some(total));
    assert_eq!(capture.progress().bytes_read(), total);
    // The same from readers, which cannot be looked into beforehand.
    let readers = files.map(|(_, bytes)| Input::Reader(Box::new(Cursor::new(bytes)) as Box<_>));
    assert_eq!(merged(readers.into()).0, order);
}

#[test]
fn a_bad_file_among_good_ones_is_one_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let (good, bad, cut) =
        (dir.path().join("good"), dir.path().join("bad"), dir.path().join("cut"));
    std::fs::write(&good, pcap_at(&[1, 2], "g")).expect("written");
    std::fs::write(&bad, b"").expect("written");
    let bytes = pcap_at(&[1, 2, 3], "c");
    std::fs::write(&cut, &bytes[..bytes.len() - 1]).expect("written");
    let (got, capture) =
        merged(vec![Input::Path(bad), Input::Path(good), Input::Path(cut.clone())]);
    assert_eq!(got, ["g0", "c0", "g1", "c1"]);
    let errors = capture.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].input.ends_with("bad") && errors[0].kind == CaptureErrorKind::Empty);
    assert!(errors[1].input.ends_with("cut") && errors[1].packets_before == 2);
}

#[test]
fn packet_comments_carry_the_merged_number() {
    let mut ng = NgBytes::new(false);
    ng.section(&[]).interface(1, 0, &[]);
    let ticks = |seconds: u64| (u64::from(START) + seconds) * 1_000_000;
    ng.packet(0, ticks(1), b"n0").packet_with(0, ticks(5), b"n1", 2, &[(1, b"fifth")]);
    let inputs = [ng.bytes, pcap_at(&[2, 3, 4, 9], "p")];
    let readers = inputs.map(|bytes| Input::Reader(Box::new(Cursor::new(bytes)) as Box<_>));
    let (got, capture) = merged(readers.into());
    assert_eq!(got, ["n0", "p0", "p1", "p2", "n1", "p3"]);
    assert_eq!(capture.comments()[0].place, CommentPlace::Packet(5));
}

#[test]
fn many_rotated_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let inputs = (0..300_u32).rev().map(|n| {
        let path = dir.path().join(n.to_string());
        std::fs::write(&path, pcap_at(&[n * 2, n * 2 + 1], &format!("{n}-"))).expect("written");
        Input::Path(path)
    });
    let (got, capture) = merged(inputs.collect());
    assert_eq!(kinds(&capture), []);
    let expected: Vec<_> = (0..300).flat_map(|n| [format!("{n}-0"), format!("{n}-1")]).collect();
    assert_eq!(got, expected);
}

#[test]
fn no_inputs_no_packets_and_missing_ones_are_told() {
    assert_eq!(merged(Vec::new()).0, Vec::<String>::new());
    let dir = tempfile::tempdir().expect("a directory");
    let open = |path: std::path::PathBuf| {
        let error = Capture::open(vec![Input::Path(path)], OpenOptions::default());
        error.err().expect("cannot open").to_string()
    };
    assert!(open(dir.path().join("absent")).contains("there is no such file"));
    assert!(open(dir.path().to_path_buf()).contains("is a directory"));
}
