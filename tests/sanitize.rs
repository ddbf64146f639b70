//! `rtmpscope sanitize`: secrets are gone, everything else is as it was.
#![cfg(feature = "cli")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::session::{command, status};
use support::{C2S, Close, Cut, MessageType, Net, Outgoing, Plan, S2C, Scenario, V, amf0};
use tempfile::TempDir;

const KEY: &str = "pl4nt3dStreamKey";
const TOKEN: &str = "t0kenInTheQuery";
const SHORT: &str = "q7Z";

fn rtmpscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtmpscope")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn sanitize(dir: &TempDir, input: &Path, options: &[&str]) -> PathBuf {
    let out = dir.path().join("out.pcapng");
    let mut args = vec!["sanitize"];
    args.extend(options);
    args.extend([input.to_str().unwrap(), out.to_str().unwrap()]);
    let output = rtmpscope(&args);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", input.display());
    assert!(!told.contains(KEY) && !told.contains(TOKEN), "{told}");
    out
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A publish session that repeats its key in every way that servers do, in chunks of `chunk`
/// bytes.
fn secret_session(chunk: u32) -> Scenario {
    let mut plan = Plan::new(11);
    plan.client_chunk_size = Some(chunk);
    plan.server_chunk_size = Some(chunk);
    plan.stream_key = format!("{KEY}?sign={TOKEN}");
    plan.app = format!("live?auth={TOKEN}");
    let mut s = plan.begin();
    status(&mut s, &format!("NetStream.Publish.Start {KEY} is now published"));
    let description = format!("Stream live/{KEY} accepted, token {TOKEN}");
    let object = vec![("code", V::Str("NetStream.X")), ("description", V::Str(&description))];
    command(&mut s, S2C, 5, 1, &[V::Str("onStatus"), V::Num(0.0), V::Null, V::Obj(object)]);
    let metadata = vec![("title", V::Str(KEY)), ("width", V::Num(320.0))];
    let data = amf0(&[V::Str("@setDataFrame"), V::Str("onMetaData"), V::Obj(metadata)]);
    s.send(C2S, Outgoing::new(4, MessageType::DATA_AMF0, 0, 1, data));
    // A call of its own: nobody knows what its arguments are.
    command(&mut s, C2S, 3, 0, &[V::Str("loginUser"), V::Num(9.0), V::Null, V::Str(SHORT)]);
    plan.media(&mut s);
    plan.end(&mut s);
    s
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The records of a dump, without what an intended difference would be in.
fn records(path: &Path) -> Vec<Value> {
    let output = rtmpscope(&["dump", "--format", "ndjson", path.to_str().unwrap()]);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            hide_placeholders(&mut value);
            if let Some(object) = value.as_object_mut() {
                // A cut input is an error, the output of what was read is not.
                object.remove("capture_errors");
            }
            value
        })
        .collect()
}

/// Placeholders are numbered by the secrets of the file; which one it is does not matter here.
fn hide_placeholders(value: &mut Value) {
    match value {
        Value::String(text) => {
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some(at) = rest.find('<') {
                let (before, tail) = rest.split_at(at);
                out.push_str(before);
                match tail.find('>') {
                    Some(end) => {
                        out.push_str("<>");
                        rest = &tail[end + 1..];
                    }
                    None => break,
                }
            }
            out.push_str(rest);
            *text = out;
        }
        Value::Array(items) => items.iter_mut().for_each(hide_placeholders),
        Value::Object(members) => {
            // SRS names its members `srs_*`, and its URL ends in the same word, which is hidden.
            let named = |name: String| match name.split_once(">_") {
                Some((_, rest)) if name.starts_with('<') => format!("srs_{rest}"),
                _ => name,
            };
            *members = std::mem::take(members).into_iter().map(|(k, v)| (named(k), v)).collect();
            members.values_mut().for_each(hide_placeholders);
        }
        _ => {}
    }
}

fn assert_same(name: &str, input: &Path, output: &Path) {
    let (mut before, mut after) = (records(input), records(output));
    if name.starts_with("snaplen") {
        // A piece is missing from every packet. Where the search looks again depends on bytes that
        // were blanked; what it finds does not.
        for records in [&mut before, &mut after] {
            records.retain(|record| record["type"] == "message");
        }
    }
    for (a, b) in before.iter().zip(&after) {
        assert_eq!(a, b, "{name}");
    }
    assert_eq!(before.len(), after.len(), "{name}");
}

#[test]
fn planted_secrets_are_gone_however_they_travel() {
    let dir = TempDir::new().unwrap();
    let nets = [
        ("writes", Net::default()),
        ("bytes", Net { cut: Cut::Random(3), mss: 40, ..Net::default() }),
        ("reset", Net { close: Close::Reset, cut: Cut::Turn, ..Net::default() }),
    ];
    for (name, net) in nets {
        for chunk in [4096, 128, 5] {
            let trace = net.packetize(&secret_session(chunk));
            let input = write(&dir, "in.pcap", &trace.pcap());
            // In chunks of five bytes the key is nowhere in one piece: look for it by decoding.
            let shown = rtmpscope(&["dump", "--show-secrets", input.to_str().unwrap()]).stdout;
            assert!(holds(&shown, KEY) && holds(&shown, TOKEN) && holds(&shown, SHORT), "{name}");
            for options in [&[][..], &["--media", "zero", "--addresses"]] {
                let output = sanitize(&dir, &input, options);
                let bytes = std::fs::read(&output).unwrap();
                let shown = rtmpscope(&["dump", "--show-secrets", output.to_str().unwrap()]).stdout;
                for secret in [KEY, TOKEN, SHORT] {
                    assert!(!holds(&bytes, secret), "{name} {chunk}: {secret} in the packets");
                    assert!(!holds(&shown, secret), "{name} {chunk}: {secret} when decoded");
                }
                if options.is_empty() {
                    assert_same(name, &input, &output);
                }
            }
        }
    }
}

#[test]
fn lost_and_repeated_packets_hold_no_secret() {
    let dir = TempDir::new().unwrap();
    for seed in 0..12 {
        let net = Net { mss: 60, cut: Cut::Turn, ..Net::default() };
        let trace = net.packetize(&secret_session(128));
        let mut rng = support::Rng::new(seed);
        let mut frames = Vec::new();
        for (index, frame) in trace.frames().into_iter().enumerate() {
            // The connection's beginning stays, then packets are lost, repeated and swapped.
            match if index < 8 { 9 } else { rng.below(10) } {
                0 => {}
                1 => frames.extend([frame.clone(), frame]),
                2 if frames.len() > 8 => frames.insert(frames.len() - 1, frame),
                _ => frames.push(frame),
            }
        }
        let input = write(&dir, "in.pcap", &support::files::pcap(&frames, net.link));
        let output = sanitize(&dir, &input, &[]);
        let bytes = std::fs::read(&output).unwrap();
        assert!(!holds(&bytes, KEY) && !holds(&bytes, TOKEN), "seed {seed}");
    }
}

#[test]
fn every_recording_decodes_to_the_same() {
    let dir = TempDir::new().unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut seen = 0;
    for entry in std::fs::read_dir(captures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains(".pcap") || name == "derived_file_cut_in_last_packet.pcap" {
            continue;
        }
        // What a tunnel or datagrams carry is blanked: nothing of it is left to decode.
        if name.contains("rtmpt") || name.contains("rtmfp") {
            continue;
        }
        seen += 1;
        for options in [&[][..], &["--media", "zero"]] {
            let output = sanitize(&dir, &path, options);
            assert_same(&name, &path, &output);
        }
    }
    assert!(seen >= 50, "only {seen} captures");
}

#[test]
fn addresses_are_replaced_and_checksums_are_right() {
    let dir = TempDir::new().unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    for name in ["net_publisher_killed_sigkill.pcap", "vlan5_publish_ffmpeg_nginx.pcap"] {
        let output = sanitize(&dir, &captures.join(name), &["--addresses"]);
        let session = records(&output).into_iter().find(|r| r["type"] == "session").unwrap();
        let client = session["client"].as_str().unwrap();
        assert!(client.starts_with("10.0.0.") || client.starts_with("127.0.0.1"), "{client}");
        let tshark = Command::new("tshark")
            .args(["-r", output.to_str().unwrap()])
            .args(["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"])
            .args(["-Y", "tcp.checksum.status==0 || ip.checksum.status==0"])
            .output();
        match tshark {
            Ok(wrong) => {
                assert!(wrong.status.success(), "{name}");
                assert_eq!(String::from_utf8_lossy(&wrong.stdout), "", "{name}");
            }
            Err(_) if std::env::var_os("CI").is_none() => eprintln!("SKIPPED: no tshark"),
            Err(error) => panic!("tshark: {error}"),
        }
    }
}

#[test]
fn other_traffic_and_comments_are_left_out() {
    let dir = TempDir::new().unwrap();
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let commented = captures.join("derived_comments.pcapng");
    let output = sanitize(&dir, &commented, &[]);
    let comment = rtmpscope::capture::Capture::open(
        vec![rtmpscope::capture::Input::Path(commented)],
        Default::default(),
    )
    .map(|mut capture| {
        while capture.next_packet().is_some() {}
        capture.comments()[0].text.clone()
    })
    .unwrap();
    assert!(!holds(&std::fs::read(output).unwrap(), &comment));
    // What a port that speaks no RTMP says is nobody's business.
    let mut s = Scenario::new(1);
    s.raw(C2S, b"USER me\r\nPASS pl4nt3dStreamKey\r\n");
    s.raw(S2C, b"230 welcome me, pl4nt3dStreamKey\r\n");
    let mut net = Net::default();
    net.server.set_port(21);
    let input = write(&dir, "in.pcap", &net.packetize(&s).pcap());
    let output = sanitize(&dir, &input, &[]);
    assert!(!holds(&std::fs::read(output).unwrap(), KEY));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let dir = TempDir::new().unwrap();
    let input = write(&dir, "in.pcap", &Net::default().packetize(&secret_session(128)).pcap());
    let input = input.to_str().unwrap();
    let same = rtmpscope(&["sanitize", input, input]);
    assert_eq!(same.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&same.stderr).contains("overwrite"));
    let missing = rtmpscope(&["sanitize", "/nonexistent.pcap", "/nonexistent/out"]);
    assert_eq!(missing.status.code(), Some(2));
}
