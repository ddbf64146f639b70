//! The program as it is run.
#![cfg(feature = "cli")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{Net, Plan, Role};
use tempfile::TempDir;

const KEY: &str = "pl4nt3dStreamKey";
const TOKEN: &str = "t0kenInTheQuery";

fn rtmpscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtmpscope"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    rtmpscope().args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json_lines(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A publish session whose key and token must not show.
fn secret_plan() -> Plan {
    let mut plan = Plan::new(7);
    plan.stream_key = format!("{KEY}?sign={TOKEN}");
    plan.app = format!("live?auth={TOKEN}");
    plan
}

fn pcap(plan: &Plan) -> Vec<u8> {
    Net::default().packetize(&plan.build()).pcap()
}

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_pipe_gets_ndjson_with_every_message() {
    let dir = TempDir::new().unwrap();
    let scenario = Plan::new(1).build();
    let capture = file(&dir, "a.pcap", &Net::default().packetize(&scenario).pcap());
    let output = run(&["dump", text(&capture)]);
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    let lines = json_lines(&output);
    assert_eq!(lines[0]["type"], "begin");
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "end");
    let messages = lines.iter().filter(|l| l["type"] == "message").count();
    assert_eq!(messages, scenario.truth().len());
    assert_eq!(last["messages"], messages);
    assert!(lines.iter().any(|l| l["type"] == "session_end" && l["role"] == "publish"));
    // The same without the word dump.
    assert_eq!(run(&[text(&capture)]).stdout, output.stdout);
}

#[test]
fn lines_are_as_the_schema_says() {
    let schema = include_str!("../docs/output.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let dir = TempDir::new().unwrap();
    let mut play = Plan::new(2);
    play.role = Role::Play;
    play.video = support::Video::Hevc;
    for (i, plan) in [Plan::new(1), play, secret_plan()].iter().enumerate() {
        let mut trace = Net::default().packetize(&plan.build());
        if i == 0 {
            // A segment of media is missing.
            let at = trace.segments.iter().rposition(|s| s.is_data()).unwrap() - 20;
            trace.segments.remove(at);
        }
        let capture = file(&dir, &format!("{i}.pcap"), &trace.pcap());
        for line in json_lines(&run(&[text(&capture), "--fields"])) {
            if let Err(error) = validator.validate(&line) {
                panic!("{error}\nat {}\nin {line:#}", error.instance_path());
            }
        }
    }
}

#[test]
fn secrets_show_only_when_asked_for() {
    let dir = TempDir::new().unwrap();
    let capture = file(&dir, "s.pcap", &pcap(&secret_plan()));
    let mut cut = pcap(&secret_plan());
    cut.truncate(cut.len() / 2);
    let cut = file(&dir, "cut.pcap", &cut);
    let hex = |s: &str| s.bytes().map(|b| format!("{b:02x} ")).collect::<String>();
    for capture in [&capture, &cut] {
        for args in [
            &["--format", "text"][..],
            &["--format", "text", "-v"],
            &["--format", "text", "-x"],
            &["--format", "text", "-xx", "--fields", "--color", "always"],
            &["--format", "text", "--summary"],
            &["--format", "ndjson"],
            &["--format", "ndjson", "--fields"],
            &["--format", "ndjson", "--summary"],
            &["--format", "json", "--fields"],
        ] {
            let args = [&["dump", text(capture)], args].concat();
            let output = run(&args);
            let all = format!("{}{}", out(&output), err(&output));
            assert!(all.contains("live") || all.contains("6c 69 76 65"), "{args:?}: {all}");
            for secret in [KEY, TOKEN] {
                assert!(!all.contains(secret), "{args:?} shows {secret}");
                assert!(!all.contains(&hex(secret)[..12]), "{args:?} shows bytes of {secret}");
                let halves = secret.split_at(secret.len() / 2);
                assert!(
                    !all.contains(halves.0) && !all.contains(halves.1),
                    "{args:?}: half of {secret}"
                );
            }
            let shown = run(&[args.as_slice(), &["--show-secrets"]].concat());
            // In hex rows it is cut in pieces.
            let in_hex = args.iter().any(|a| a.starts_with("-x"));
            assert!(in_hex || out(&shown).contains(KEY), "{args:?}");
        }
    }
    let output = run(&["dump", text(&capture), "--format", "text", "--type", "command"]);
    let lines = out(&output);
    for shown in [
        "connect app=live?auth=<auth-1> tcUrl=rtmp://media.example/live?auth=<auth-1>",
        "releaseStream <stream-1>?sign=<auth-1>",
        "publish <stream-1>?sign=<auth-1> live",
    ] {
        assert!(lines.contains(shown), "{shown} is not in\n{lines}");
    }
}

#[test]
fn text_reads_like_rtmp() {
    let dir = TempDir::new().unwrap();
    let capture = file(&dir, "t.pcap", &pcap(&Plan::new(3)));
    let lines = out(&run(&["dump", text(&capture), "--format", "text"]));
    for shown in [
        "connect app=live tcUrl=rtmp://media.example/live",
        "_result(connect) +1.99ms NetConnection.Connect.Success \"Connection succeeded.\"",
        "Set Chunk Size 4096",
        "Set Peer Bandwidth 2500000 dynamic",
        "_result(createStream) +1.00ms stream 1 ",
        "onStatus(publish) +1.00ms NetStream.Publish.Start",
        "User Control Stream Begin stream 1",
        "@setDataFrame onMetaData width=640 height=360",
        "video key avc seq-header",
        "640x360",
        "audio aac seq-header AAC LC",
        "handshake C0 C1 C2 version 3 simple",
    ] {
        assert!(lines.contains(shown), "{shown} is not in\n{lines}");
    }
    assert!(!lines.contains('\u{1b}'));
    // Columns stand still.
    let starts: Vec<_> = lines.lines().filter_map(|l| l.find(" cs")).collect();
    assert!(starts.len() > 20 && starts.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn details_below_messages() {
    let dir = TempDir::new().unwrap();
    let capture = file(&dir, "d.pcap", &pcap(&Plan::new(3)));
    let dump =
        |args: &[&str]| out(&run(&[&["dump", text(&capture), "--type", "command"], args].concat()));
    let tree = dump(&["-v"]);
    assert!(tree.contains("tcUrl") && tree.contains("\"rtmp://media.example/live\""), "{tree}");
    let hex = dump(&["-x"]);
    assert!(hex.contains("02 00 07 63 6f 6e 6e 65") && hex.contains("connect"), "{hex}");
    let fields = dump(&["--fields"]);
    let line = fields.lines().find(|l| l.contains(r#""command":"connect""#)).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let fields = line["fields"].as_array().unwrap();
    let app = fields.iter().find(|f| f["value"] == "live").unwrap();
    assert!(app["range"][1].as_u64().unwrap() <= line["length"].as_u64().unwrap());
    assert_eq!(app["frames"].as_array().unwrap().len(), 1);
    assert!(line["frames"].as_array().unwrap().contains(&app["frames"][0]));
}

#[test]
fn selection() {
    let dir = TempDir::new().unwrap();
    let a = file(&dir, "a.pcap", &pcap(&Plan::new(1)));
    let mut net = Net::default();
    net.epoch_ns += 1_000_000;
    let b = file(&dir, "b.pcap", &net.port(2935).packetize(&Plan::new(2).build()).pcap());
    let both = [text(&a), text(&b)];
    let lines = json_lines(&run(&[&["dump"], &both[..]].concat()));
    assert_eq!(lines.last().unwrap()["sessions"], 2);
    let lines =
        json_lines(&run(&[&["dump", "--session", "2", "--type", "video"], &both[..]].concat()));
    assert!(lines.iter().filter(|l| l["type"] == "message").count() > 5);
    for line in &lines {
        if line["type"] == "message" {
            assert_eq!((&line["session"], &line["kind"]), (&2.into(), &"video".into()));
        } else {
            assert!(line["session"].is_null() || line["session"] == 2);
        }
    }
    let sheet = out(&run(&[&["dump", "--summary", "--format", "text"], &both[..]].concat()));
    assert_eq!(sheet.matches("session ").count(), 2, "{sheet}");
    assert!(
        sheet.contains("role      publish") && sheet.contains("stream    <stream-1>"),
        "{sheet}"
    );
    let lines = json_lines(&run(&[&["dump", "--summary"], &both[..]].concat()));
    let types: Vec<_> = lines.iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["begin", "session", "session", "session_end", "session_end", "end"]);
}

#[test]
fn colours_are_for_terminals_or_on_demand() {
    let dir = TempDir::new().unwrap();
    let capture = file(&dir, "c.pcap", &pcap(&Plan::new(1)));
    let has_colour = |when: &str| {
        let args = ["dump", text(&capture), "--format", "text", "--color", when];
        out(&run(&args)).contains('\u{1b}')
    };
    assert!(!has_colour("auto") && !has_colour("never") && has_colour("always"));
}

#[test]
fn trouble_is_one_line_and_status_2() {
    let dir = TempDir::new().unwrap();
    let nowhere = dir.path().join("nowhere.pcap");
    let output = run(&["dump", text(&nowhere)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let message = err(&output);
    assert!(message.starts_with("rtmpscope: ") && message.contains("nowhere.pcap"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");

    let picture = file(&dir, "x.png", b"\x89PNG\r\n\x1a\n0000000000000000");
    let output = run(&["dump", text(&picture)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("x.png"), "{}", err(&output));

    assert_eq!(run(&["dump", "--no-such-option"]).status.code(), Some(2));
    let output = run(&["dump", text(&picture), "--type", "vidio"]);
    assert_eq!((output.status.code(), err(&output).lines().count()), (Some(2), 1));
}

#[test]
fn a_cut_capture_is_reported_whole_and_said_to_be_cut() {
    let dir = TempDir::new().unwrap();
    let mut bytes = pcap(&Plan::new(1));
    bytes.truncate(bytes.len() - 3);
    let capture = file(&dir, "cut.pcap", &bytes);
    let output = run(&["dump", text(&capture)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cut.pcap"), "{}", err(&output));
    let lines = json_lines(&output);
    let end = lines.last().unwrap();
    assert_eq!(end["type"], "end");
    assert_eq!(end["capture_errors"].as_array().unwrap().len(), 1);
    assert!(lines.len() > 20);
}

#[test]
fn output_to_a_file_never_over_an_input() {
    let dir = TempDir::new().unwrap();
    let capture = file(&dir, "in.pcap", &pcap(&Plan::new(1)));
    let target = dir.path().join("out.ndjson");
    let output = run(&["dump", text(&capture), "-o", text(&target)]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert_eq!(std::fs::read(&target).unwrap(), run(&["dump", text(&capture)]).stdout);
    let before = std::fs::read(&capture).unwrap();
    assert_eq!(run(&["dump", text(&capture), "-o", text(&capture)]).status.code(), Some(2));
    assert_eq!(std::fs::read(&capture).unwrap(), before);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_trouble() {
    let dir = TempDir::new().unwrap();
    let mut plan = Plan::new(1);
    plan.gops = 400;
    plan.key_size = 600;
    plan.inter_size = 100;
    let capture = file(&dir, "long.pcap", &pcap(&plan));
    let mut child = rtmpscope()
        .args(["dump", text(&capture)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
}

#[test]
fn a_growing_pipe_is_decoded_while_it_grows() {
    let bytes = pcap(&Plan::new(1));
    let mut child = rtmpscope()
        .args(["dump", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let half = bytes.len() / 2;
    input.write_all(&bytes[..half]).unwrap();
    input.flush().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"command\":\"connect\"") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the pipe is open, the output is not");
    }
    input.write_all(&bytes[half..]).unwrap();
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().last().unwrap().contains(r#""type":"end""#));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_following_with_a_whole_report() {
    let dir = TempDir::new().unwrap();
    let bytes = pcap(&Plan::new(1));
    let half = bytes.len() / 2;
    let capture = file(&dir, "grows.pcap", &bytes[..half]);
    let mut child = rtmpscope()
        .args(["dump", "--follow", text(&capture)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"command\":\"connect\"") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    let mut grows = std::fs::OpenOptions::new().append(true).open(&capture).unwrap();
    grows.write_all(&bytes[half..]).unwrap();
    // What was written later is seen too.
    while !line.contains("session_end") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0);
    }
    std::thread::sleep(Duration::from_millis(100));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().last().unwrap().contains(r#""type":"end""#), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn help_and_version() {
    let help = out(&run(&["dump", "--help"]));
    for word in ["Examples:", "--show-secrets", "--decode-as", "Exit status"] {
        assert!(help.contains(word), "{word} is not in the help");
    }
    let version = out(&run(&["--version"]));
    assert_eq!(version.trim(), concat!("rtmpscope ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_capture_without_rtmp_is_told_what_it_holds() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let whole = std::fs::read(captures.join("ffmpeg_publish_nginx.pcap")).unwrap();
    let dir = TempDir::new().unwrap();
    let empty = file(&dir, "empty.pcap", &whole[..24]);
    // Answered by a server that speaks it too; a server that is silent was meant to speak RTMP.
    let speaks = |name, client: &[u8], server: &[u8]| {
        let mut scenario = support::Scenario::new(3);
        scenario.raw(support::C2S, client);
        scenario.raw(support::S2C, server);
        let net = Net { server: ([10, 0, 0, 2], 8443).into(), ..Net::default() };
        file(&dir, name, &net.packetize(&scenario).pcap())
    };
    let hello = [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0];
    let tls = speaks("tls.pcap", &hello, &[0x16, 3, 3, 0, 5, 2, 0, 0, 1, 0]);
    let http = speaks("http.pcap", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n");
    for (capture, said) in [(http, "1 connection speaks HTTP"), (empty, "there is no packet in it")]
    {
        let output = run(&["dump", text(&capture)]);
        assert_eq!(output.status.code(), Some(0));
        let said = format!("rtmpscope: no RTMP found: {said}");
        assert!(err(&output).starts_with(&said), "{said}: {}", err(&output));
    }
    // TLS may carry RTMP: it is a session, with what can be said of it.
    let output = run(&["dump", "--format", "ndjson", text(&tls)]);
    assert!(out(&output).contains(r#""transport":"tls""#), "{}", out(&output));
    for name in
        ["fail_tls_client_on_rtmp_port_nginx.pcap", "fail_http_client_on_rtmp_port_nginx.pcap"]
    {
        let output = run(&["dump", "--format", "ndjson", text(&captures.join(name))]);
        assert!(out(&output).contains(r#""type":"session""#), "{name}: {}", err(&output));
    }
    // Something unknown on a port: the port to try is named.
    let mut scenario = support::Scenario::new(3);
    scenario.raw(support::C2S, b"SSH-2.0-OpenSSH_9.2 and so on");
    scenario.raw(support::S2C, b"SSH-2.0-OpenSSH_9.2 and so on");
    let net = Net { server: ([10, 0, 0, 2], 2222).into(), ..Net::default() };
    let capture = file(&dir, "ssh.pcap", &net.packetize(&scenario).pcap());
    let output = run(&["dump", text(&capture)]);
    assert!(err(&output).contains("--decode-as tcp.port==2222"), "{}", err(&output));
}
