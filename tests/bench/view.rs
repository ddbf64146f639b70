//! The screens on a large capture: how soon the first one is there, how soon a key shows.
//!
//! The program measures itself (`RTMPSCOPE_TRACE`); this drives it in a tmux of its own and reads
//! what it wrote.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Keys that are pressed over and over: every screen, movement, zoom, key frames.
const KEYS: [&str; 16] =
    ["2", "+", "}", "l", "-", "0", "3", "j", "j", "4", "G", "k", "6", "7", "1", "Enter"];
/// Bars of the requirements, in milliseconds.
const FIRST_FRAME: f64 = 300.0;
const KEY_TO_PAINT: f64 = 50.0;

/// A tmux server that nobody else uses, ended when dropped.
struct Tmux(String);

impl Tmux {
    fn run(&self, args: &[&str]) -> bool {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.0, "-f", "/dev/null"]).args(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Runs the screens on `file` and prints what they took.
pub fn measure(ours: &str, file: &str, directory: &Path) {
    let trace = directory.join("view-trace.ndjson");
    let _ = std::fs::remove_file(&trace);
    let tmux = Tmux(format!("rtmpscope-bench-{}", std::process::id()));
    let variable = format!("RTMPSCOPE_TRACE={}", trace.display());
    let began = tmux.run(&[
        "new-session",
        "-d",
        "-x",
        "200",
        "-y",
        "60",
        "-s",
        "b",
        "-e",
        &variable,
        "-e",
        "RTMPSCOPE_CONFIG=/dev/null",
        ours,
        "view",
        file,
    ]);
    if !began {
        println!("rtmpscope view: tmux is not installed or cannot start");
        return;
    }
    let lines = |path: &Path| -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let limit = Instant::now() + Duration::from_secs(120);
    let mut keys = KEYS.iter().cycle();
    let loaded = loop {
        let all = lines(&trace);
        if let Some(loaded) = all.iter().find(|line| line["event"] == "loaded") {
            break loaded.clone();
        }
        if Instant::now() > limit {
            println!("rtmpscope view: not loaded within two minutes");
            return;
        }
        if !all.is_empty()
            && let Some(key) = keys.next()
        {
            tmux.run(&["send-keys", "-t", "b", key]);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    // As many again with everything loaded.
    for key in KEYS.iter().cycle().take(4 * KEYS.len()) {
        tmux.run(&["send-keys", "-t", "b", key]);
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    print(&lines(&trace), &loaded);
    drop(tmux);
    let _ = std::fs::remove_file(&trace);
}

fn print(lines: &[Value], loaded: &Value) {
    let number = |line: &Value, key: &str| line[key].as_f64().unwrap_or(f64::NAN);
    let first = lines.iter().find(|line| line["event"] == "first_frame");
    let first = first.map_or(f64::NAN, |line| number(line, "ms"));
    println!("first screen, ms         {first:>8.1}   (bar: at most {FIRST_FRAME})");
    for (loading, when) in [(true, "while loading"), (false, "when loaded")] {
        let mut took: Vec<f64> = lines
            .iter()
            .filter(|line| line["event"] == "key_to_paint" && line["loading"] == loading)
            .map(|line| number(line, "ms"))
            .collect();
        took.sort_by(f64::total_cmp);
        let Some(most) = took.last() else {
            println!("key to paint {when}: no key was pressed in time");
            continue;
        };
        let median = took[took.len() / 2];
        println!(
            "key to paint, ms         {most:>8.1}   at most, {median:.1} median, {} keys {when} \
             (bar: less than {KEY_TO_PAINT})",
            took.len()
        );
    }
    let messages = number(loaded, "messages");
    println!(
        "index, bytes a message   {:>8.1}   of {messages} messages (bar: at most 64); all read \
         after {:.0} ms",
        number(loaded, "index_bytes") / messages,
        number(loaded, "ms")
    );
}
