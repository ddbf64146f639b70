//! `rtmpscope report` and `rtmpscope rules` as they are run: every format against its schema, exit
//! codes, secrets, comments for Wireshark.
#![cfg(feature = "cli")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::session::{command, status};
use support::{Net, Plan, S2C, V};
use tempfile::TempDir;

const KEY: &str = "pl4nt3dStreamKey";
const TOKEN: &str = "t0kenInTheQuery";
const FORMATS: [&str; 5] = ["text", "json", "html", "junit", "sarif"];

fn rtmpscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CLICOLOR_FORCE")
        // Whoever runs the tests may have thresholds of their own.
        .env("RTMPSCOPE_CONFIG", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn report(format: &str, capture: &str) -> String {
    let output = rtmpscope(&["report", "--format", format, capture]);
    assert!(matches!(output.status.code(), Some(0..=2)), "{capture}: {}", err(&output));
    assert!(!output.stdout.is_empty(), "{capture} {format}: {}", err(&output));
    out(&output)
}

fn captures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap"))
        .map(|name| format!("captures/{name}"))
        .collect();
    names.sort();
    assert!(names.len() >= 50);
    names
}

fn validator(path: &str) -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// A capture in which the receiver stops reading: something to report.
const STALL: &str = "captures/stall_zero_window_server_stopped_6s.pcap";

#[test]
fn json_of_every_capture_fits_its_schema() {
    let validator = validator("docs/report.schema.json");
    let mut findings = 0;
    for capture in captures() {
        let value: Value = serde_json::from_str(&report("json", &capture)).unwrap();
        if let Some(error) = validator.iter_errors(&value).next() {
            panic!("{capture}: {error} at {}", error.instance_path());
        }
        for session in value["sessions"].as_array().unwrap() {
            findings += session["findings"].as_array().unwrap().len();
            let counts = &session["counts"];
            let sum: u64 =
                ["error", "warning", "note"].iter().map(|s| counts[s].as_u64().unwrap()).sum();
            assert_eq!(sum as usize, session["findings"].as_array().unwrap().len());
        }
    }
    assert!(findings > 0, "no capture gave a finding to check");
    // A schema that takes anything would be no test.
    let mut value: Value = serde_json::from_str(&report("json", STALL)).unwrap();
    value["sessions"][0]["surprise"] = Value::Bool(true);
    assert!(!validator.is_valid(&value));
}

#[test]
fn sarif_of_every_capture_fits_the_standard() {
    let validator = validator("tests/data/sarif.schema.json");
    let mut results = 0;
    for capture in captures() {
        let value: Value = serde_json::from_str(&report("sarif", &capture)).unwrap();
        if let Some(error) = validator.iter_errors(&value).next() {
            panic!("{capture}: {error} at {}", error.instance_path());
        }
        let run = &value["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            results += 1;
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(rules[index]["id"], result["ruleId"], "{capture}");
        }
    }
    assert!(results > 0);
}

#[test]
fn junit_of_every_capture_can_be_read() {
    for capture in captures() {
        let text = report("junit", &capture);
        let report = quick_junit::Report::deserialize_from_str(&text)
            .unwrap_or_else(|error| panic!("{capture}: {error}"));
        assert_eq!(report.name.as_ref().map(|name| name.as_str()), Some("rtmpscope"));
        let cases: usize = report.test_suites.iter().map(|suite| suite.test_cases.len()).sum();
        assert_eq!(report.tests, cases, "{capture}");
        for suite in &report.test_suites {
            assert!(suite.test_cases.iter().all(|case| case.classname.is_some()), "{capture}");
        }
    }
    let stall = quick_junit::Report::deserialize_from_str(&report("junit", STALL)).unwrap();
    assert!(stall.failures >= 1);
}

#[test]
fn text_says_what_happened_and_what_to_do() {
    let text = report("text", STALL);
    for part in [
        "Session 1 impaired",
        "The receiver stopped reading",
        "tcp/zero-window-stall",
        "set-up",
        "handshake",
        "connect",
        "first key frame",
        "see  RFC 9293",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    let fine = report("text", "captures/ffmpeg_publish_nginx.pcap");
    assert!(fine.contains("Session 1 fine"), "{fine}");
    let denied = report("text", "captures/publish_denied_nginx.pcap");
    assert!(denied.contains("Session 1 failed"), "{denied}");
    assert!(!fine.contains('\u{1b}'));
}

#[test]
fn the_exit_status_is_what_fail_on_asks_for() {
    let code = |args: &[&str]| rtmpscope(&[&["report"], args].concat()).status.code();
    assert_eq!(code(&[STALL]), Some(1));
    assert_eq!(code(&["--rules", "-tcp", "--fail-on", "error", STALL]), Some(0));
    // The same finding as a warning.
    let mild = ["--set", "tcp.zero-window-error-s=60", "--rules", "tcp/zero-window-stall", STALL];
    assert_eq!(code(&mild), Some(0));
    assert_eq!(code(&[&["--fail-on", "warning"], &mild[..]].concat()), Some(1));
    let none = ["--set", "tcp.zero-window-s=60", "--set", "tcp.zero-window-error-s=60"];
    let only = ["--rules", "tcp/zero-window-stall", "--fail-on", "warning", STALL];
    assert_eq!(code(&[&none[..], &only[..]].concat()), Some(0));
    assert_eq!(code(&["captures/derived_file_cut_in_last_packet.pcap"]), Some(2));
    assert_eq!(code(&["/nonexistent.pcap"]), Some(2));
}

#[cfg(feature = "tui")]
#[test]
fn thresholds_come_from_the_configuration_too() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("config.toml");
    std::fs::write(&config, "[thresholds]\n\"tcp.zero-window-s\" = 60.0\n").unwrap();
    let code = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
            .args([&["report", "--rules", "tcp/zero-window-stall"], args, &[STALL]].concat())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RTMPSCOPE_CONFIG", &config)
            .output()
            .unwrap()
            .status
            .code()
    };
    let args = ["--set", "tcp.zero-window-error-s=60", "--fail-on", "warning"];
    assert_eq!(code(&args), Some(0));
    // A profile that is named on the command line counts instead.
    assert_eq!(code(&[&["--profile", "generic"], &args[..]].concat()), Some(1));
}

#[test]
fn wrong_arguments_are_told_in_one_line() {
    for (args, word) in [
        (&["--profile", "facebook", STALL][..], "youtube"),
        (&["--set", "tcp.nothing=1", STALL], "tcp.nothing"),
        (&["--set", "tcp.zero-window-s", STALL], "NAME=VALUE"),
        (&["--set", "tcp.zero-window-s=much", STALL], "much"),
        (&["--rules", "publish/unheard-of", STALL], "publish/unheard-of"),
        (&["--annotate", STALL, STALL], "overwrite"),
        (&["-o", STALL, STALL], "overwrite"),
    ] {
        let output = rtmpscope(&[&["report"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = err(&output);
        assert!(told.contains(word) && told.lines().count() == 1, "{args:?}: {told}");
    }
    assert!(std::fs::metadata(STALL).unwrap().len() > 100_000, "an input was overwritten");
}

/// A session whose secrets are in every place where servers put them, and that fails.
fn secret_capture(dir: &TempDir) -> PathBuf {
    let mut plan = Plan::new(5);
    plan.stream_key = format!("{KEY}?sign={TOKEN}");
    plan.app = format!("live?auth={TOKEN}");
    let mut s = plan.begin();
    status(&mut s, "NetStream.Publish.BadName");
    let description = format!("Stream {KEY} already publishing, token {TOKEN}");
    let object = vec![
        ("level", V::Str("error")),
        ("code", V::Str("NetStream.Publish.BadName")),
        ("description", V::Str(&description)),
        ("details", V::Str(KEY)),
    ];
    command(&mut s, S2C, 5, 1, &[V::Str("onStatus"), V::Num(0.0), V::Null, V::Obj(object)]);
    command(&mut s, S2C, 5, 1, &[V::Str(KEY), V::Num(0.0), V::Null, V::Str(TOKEN)]);
    plan.media(&mut s);
    let path = dir.path().join("in.pcap");
    std::fs::write(&path, Net::default().packetize(&s).pcap()).unwrap();
    path
}

#[test]
fn planted_secrets_are_in_no_format() {
    let dir = TempDir::new().unwrap();
    let capture = secret_capture(&dir);
    let capture = capture.to_str().unwrap();
    for format in FORMATS {
        let annotated = dir.path().join("annotated.pcapng");
        let annotated = annotated.to_str().unwrap();
        let output = rtmpscope(&["report", "--format", format, "--annotate", annotated, capture]);
        for secret in [KEY, TOKEN] {
            assert!(!out(&output).contains(secret), "{secret} in {format}");
            assert!(!err(&output).contains(secret), "{secret} in {format}");
        }
        // The packets hold them; the comments do not.
        let mut read = rtmpscope::capture::Capture::open(
            vec![rtmpscope::capture::Input::Path(annotated.into())],
            Default::default(),
        )
        .unwrap();
        while read.next_packet().is_some() {}
        for comment in read.comments() {
            assert!(!comment.text.contains(KEY) && !comment.text.contains(TOKEN));
        }
        let shown = rtmpscope(&["report", "--show-secrets", "--format", format, capture]);
        assert!(out(&shown).contains(KEY), "{format} does not show the key when asked");
    }
}

#[test]
fn wireshark_shows_findings_as_comments() {
    let dir = TempDir::new().unwrap();
    let annotated = dir.path().join("annotated.pcapng");
    let capture = "captures/obs_publish_nginx.pcap";
    let output = rtmpscope(&["report", "--annotate", annotated.to_str().unwrap(), capture]);
    assert!(output.status.success(), "{}", err(&output));
    let value: Value = serde_json::from_str(&report("json", capture)).unwrap();
    let findings = value["sessions"][0]["findings"].as_array().unwrap();
    let placed: Vec<&Value> =
        findings.iter().filter(|f| !f["place"]["frames"].as_array().unwrap().is_empty()).collect();
    assert!(!placed.is_empty(), "nothing to look for: {findings:?}");
    let tshark = Command::new("tshark")
        .args(["-r", annotated.to_str().unwrap(), "-Y", "pkt_comment"])
        .args(["-T", "fields", "-e", "frame.number", "-e", "frame.comment"])
        .output();
    let shown = match tshark {
        Ok(shown) => out(&shown),
        Err(_) if std::env::var_os("CI").is_none() => return eprintln!("SKIPPED: no tshark"),
        Err(error) => panic!("tshark: {error}"),
    };
    for finding in placed {
        let rule = finding["rule"].as_str().unwrap();
        let frame = finding["place"]["frames"][0].to_string();
        let line = shown.lines().find(|line| line.split('\t').next() == Some(frame.as_str()));
        assert!(line.is_some_and(|line| line.contains(rule)), "{rule} at {frame} not in {shown}");
    }
    // The packets are the same.
    let dump = |path: &str| out(&rtmpscope(&["dump", "--format", "text", path]));
    assert_eq!(dump(capture), dump(annotated.to_str().unwrap()));
}

#[test]
fn rules_are_listed_and_explained() {
    let list = out(&rtmpscope(&["rules"]));
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(ids.contains(&"tcp/zero-window-stall"), "{list}");
    for id in &ids {
        let told = rtmpscope(&["rules", "explain", id]);
        let text = out(&told);
        assert!(told.status.success() && text.starts_with(id), "{id}: {text}");
        assert!(text.contains("severity") && text.contains("basis"), "{text}");
    }
    let some = out(&rtmpscope(&["rules", "tcp/*"]));
    assert!(some.lines().count() < list.lines().count() && some.starts_with("tcp/"));
    let thresholds = out(&rtmpscope(&["rules", "--thresholds"]));
    assert!(thresholds.contains("tcp.zero-window-s"), "{thresholds}");
    let wrong = rtmpscope(&["rules", "explain", "zero-window-stall"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("tcp/zero-window-stall"), "{}", err(&wrong));
}

#[test]
fn the_page_is_one_file_without_addresses_to_fetch() {
    for capture in ["captures/obs_publish_nginx.pcap", "captures/junk_http_get_on_1935_nginx.pcap"]
    {
        let page = report("html", capture);
        assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'"));
        for part in ["<link rel=\"stylesheet", "src=\"", "@import", "{{"] {
            assert!(!page.contains(part), "{part}");
        }
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        let sessions = data["report"]["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), data["detail"].as_array().unwrap().len());
    }
}
