//! `dump --filter`, `dump --format csv`, `diff` and `extract` as they are run.
#![cfg(feature = "cli")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::{Net, Plan};
use tempfile::TempDir;

const KEY: &str = "pl4nt3dStreamKey";
const TOKEN: &str = "t0kenInTheQuery";

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtmpscope")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn capture(name: &str) -> String {
    format!("{}/captures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn secret(dir: &TempDir, name: &str, seed: u64) -> PathBuf {
    let mut plan = Plan::new(seed);
    plan.stream_key = format!("{KEY}?sign={TOKEN}");
    plan.app = format!("live?auth={TOKEN}");
    let path = dir.path().join(name);
    std::fs::write(&path, Net::default().packetize(&plan.build()).pcap()).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_filter_leaves_out_the_rest() {
    let path = capture("obs_publish_nginx.pcap");
    let lines = |filter: &str| -> Vec<Value> {
        let output = run(&["dump", "--format", "ndjson", "--filter", filter, &path]);
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""), "{filter}");
        out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let keys = lines("video && key");
    let messages: Vec<_> = keys.iter().filter(|line| line["type"] == "message").collect();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["kind"], "video");
    // What the message belongs to stays.
    assert!(keys.iter().any(|line| line["type"] == "session"));
    assert_eq!(keys.last().unwrap()["type"], "end");
    assert_eq!(lines("type==handshake").iter().filter(|l| l["type"] == "handshake").count(), 2);
    let output = run(&["dump", "--filter", "vidio && key", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("at 1: there is no field vidio; did you mean video?"));
}

#[test]
fn csv_has_a_line_for_each_message() {
    let path = capture("ffmpeg_publish_nginx.pcap");
    let output = run(&["dump", "--format", "csv", "--filter", "video", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let table = out(&output);
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("session,time,epoch_ns,first_frame,"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 64);
    assert!(lines.iter().all(|line| line.contains(",video,") && line.contains(",avc,")));
}

#[test]
fn diff_says_what_matters() {
    let (good, bad) = (capture("ffmpeg_publish_nginx.pcap"), capture("publish_denied_nginx.pcap"));
    let output = run(&["diff", &good, &bad]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let shown = out(&output);
    assert!(shown.contains("client: connect: app live in A, deny in B"), "{shown}");
    let same = run(&["diff", &good, &good, "--session-a", "1", "--session-b", "1"]);
    assert_eq!(same.status.code(), Some(0), "{}", out(&same));
    assert!(out(&same).contains("No difference that matters."));
    let json = run(&["diff", "--format", "json", &good, &bad]);
    let json: Value = serde_json::from_str(&out(&json)).unwrap();
    assert_eq!(json["matters"], true);
    let first = json["first"]["row"].as_u64().unwrap() as usize;
    assert_eq!(json["rows"][first]["weight"], "matters");
    assert_eq!(json["rows"][first]["step"], "connect");
    let several = run(&["diff", &good, &capture("rtmpdump_play_nginx.pcap")]);
    assert_eq!(several.status.code(), Some(2));
    assert!(err(&several).contains("--session-b"), "{}", err(&several));
    let none = run(&["diff", &good, &bad, "--session-b", "7"]);
    assert!(err(&none).contains("has no session 7"), "{}", err(&none));
}

#[test]
fn extract_chooses_or_lists() {
    let dir = TempDir::new().unwrap();
    let flv = dir.path().join("out.flv");
    let output = run(&["extract", &capture("ffmpeg_publish_nginx.pcap"), "-o", text(&flv)]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("64 video, 174 audio and 1 metadata tags, 4.104 s"));
    assert_eq!(&std::fs::read(&flv).unwrap()[..5], b"FLV\x01\x05");
    let two = capture("rtmpdump_play_nginx.pcap");
    let listed = run(&["extract", &two, "-o", text(&flv)]);
    assert_eq!(listed.status.code(), Some(2));
    assert!(err(&listed).contains("--session 2 --stream 1 --dir s2c"), "{}", err(&listed));
    let chosen = run(&["extract", &two, "--session", "2", "-o", text(&flv)]);
    assert_eq!(chosen.status.code(), Some(0), "{}", err(&chosen));
    let lossy = capture("derived_gap_acked_unseen.pcap");
    let lossy = run(&["extract", &lossy, "-o", text(&flv)]);
    assert_eq!(lossy.status.code(), Some(1));
    assert!(err(&lossy).contains("bytes are missing at 0.670 s (capture-loss)"), "{}", err(&lossy));
    let empty = run(&["extract", &capture("play_denied_nginx.pcap"), "-o", text(&flv)]);
    assert!(err(&empty).contains("holds no audio and no video"), "{}", err(&empty));
}

#[test]
fn secrets_stay_hidden() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (secret(&dir, "a.pcap", 7), secret(&dir, "b.pcap", 8));
    let flv = dir.path().join("out.flv");
    let two = dir.path().join("two.pcap");
    std::fs::copy(capture("rtmpdump_play_nginx.pcap"), &two).unwrap();
    for args in [
        &["dump", "--format", "csv", text(&a)][..],
        &["dump", "--filter", "cmd", "--format", "text", text(&a)],
        &["diff", "-v", text(&a), text(&b)],
        &["diff", "--format", "json", text(&a), text(&b)],
        &["extract", text(&a), "-o", text(&flv)],
        &["extract", text(&a), "--session", "9", "-o", text(&flv)],
    ] {
        let output = run(args);
        let all = out(&output) + &err(&output);
        assert!(!all.is_empty(), "{args:?}");
        for secret in [KEY, TOKEN] {
            assert!(!all.contains(secret), "{args:?} shows {secret}: {all}");
        }
    }
    let shown = run(&["diff", "-v", "--show-secrets", text(&a), text(&b)]);
    assert!(out(&shown).contains(KEY), "the secrets are in there");
    // The same key in both captures has the same placeholder: no difference.
    let hidden = out(&run(&["diff", text(&a), text(&b)]));
    assert!(!hidden.contains("stream name:"), "{hidden}");
}
