//! The page of `report --format html` in headless Chromium, used by mouse and keyboard.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What a browser shows of a capture's page; `None` when there is none to ask.
fn visit(capture: &str) -> Option<Value> {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().any(|name| has(name));
    if !chromium || !has("python3") {
        assert!(std::env::var_os("CI").is_none(), "chromium or python3 is missing");
        eprintln!("SKIPPED: chromium or python3 is missing");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = TempDir::new().unwrap();
    let page = dir.path().join("report.html");
    let status = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["report", "--format", "html", "-o", page.to_str().unwrap(), capture])
        .current_dir(root)
        .status()
        .unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{capture}");
    // Pictures to look at: REPORT_PICTURES=folder keeps them.
    let pictures = std::env::var("REPORT_PICTURES").unwrap_or(dir.path().display().to_string());
    let name = Path::new(capture).file_stem().unwrap().to_str().unwrap();
    let output = Command::new("python3")
        .arg(root.join("tests/support/browser.py"))
        .args([page.to_str().unwrap(), &format!("{pictures}/{name}")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{capture}: {told}");
    for size in ["1280", "1280-dark", "400", "400-dark"] {
        let picture = std::fs::metadata(format!("{pictures}/{name}-{size}.png")).unwrap();
        assert!(picture.len() > 20_000, "{capture} {size}: an empty picture");
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn check(capture: &str, seen: &Value) {
    let nothing = Value::Array(Vec::new());
    assert_eq!(seen["problems"], nothing, "{capture}: the console told of errors");
    assert_eq!(seen["requests"], nothing, "{capture}: a request left the page");
    assert_eq!(seen["nameless"], nothing, "{capture}: a control has no name");
    let length = number(&seen["length"]);
    assert!(number(&seen["wheel"]) < length * 0.9, "{capture}: the wheel does not zoom: {seen}");
    let drag = (number(&seen["drag"][0]), number(&seen["drag"][1]));
    assert!(drag.1 < drag.0 * 0.35 && drag.1 > drag.0 * 0.1, "{capture}: a drag: {drag:?}");
    assert_eq!(seen["focus"], "timeline");
    assert!((number(&seen["all"]) - length).abs() < 1e-6, "{capture}: 0 does not show all");
    assert!(number(&seen["plus"]) < length * 0.9, "{capture}: + does not zoom");
    assert!(number(&seen["pan"][1]) > number(&seen["pan"][0]), "{capture}: no panning");
    assert!(seen["readout"].as_str().unwrap().contains(" s"), "{seen}");
    for size in ["1280", "1280-dark", "400", "400-dark"] {
        let overflow = number(&seen[format!("overflow-{size}")]);
        assert!(overflow <= 0.0, "{capture}: wider than the screen at {size}: {overflow}");
    }
    if number(&seen["findings"]) > 0.0 {
        let window = (number(&seen["after_jump"][0]), number(&seen["after_jump"][1]));
        let at = number(&seen["finding_time"]);
        assert!(window.0 <= at + 1e-6 && at <= window.1 + 1e-6, "{capture}: {window:?} {at}");
        assert!((window.1 - window.0) < length * 0.9, "{capture}: the jump does not come close");
        assert!((number(&seen["cursor"]) - at).abs() < 1e-6, "{capture}: {seen}");
        assert_eq!((&seen["jump_focus"], &seen["in_view"]), (&"timeline".into(), &true.into()));
        assert!(seen["hash"].as_str().unwrap().starts_with("#s"), "{seen}");
        assert!(!seen["announced"].as_str().unwrap().is_empty());
        assert!(seen["key_finding"].is_number(), "{capture}: ] does not find: {seen}");
    }
}

#[test]
fn the_page_works_by_mouse_and_keyboard() {
    let mut findings = 0.0;
    for capture in [
        "captures/stall_zero_window_server_stopped_6s.pcap",
        "captures/hevc_aac_publish_play_srs.pcap",
    ] {
        let Some(seen) = visit(capture) else { return };
        check(capture, &seen);
        findings += number(&seen["findings"]);
        if number(&seen["sessions"]) > 1.0 {
            assert!(seen["second"].as_str().unwrap().starts_with("row-"), "{seen}");
        }
    }
    assert!(findings > 0.0, "no finding was jumped to");
}
