//! The screens on the same file: time to the first frame, and from key to paint while it is read.
//!
//! The program measures itself (`RTMPSCOPE_TRACE`); tmux is its terminal and presses the keys.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Time between two keys.
const PACE: Duration = Duration::from_millis(25);
/// Longest time that reading may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Screens and movements, over and over.
const KEYS: &[&str] = &["4", "j", "j", "PageDown", "G", "Tab", "j", "2", "+", "l", "0", "3", "1"];

/// Prints what opening `file` in the screens takes.
pub fn measure(program: &str, file: &str) {
    let trace = Path::new(super::DIRECTORY).join("bench.trace");
    let socket = format!("rtmpscope-bench-{}", std::process::id());
    let tmux = |arguments: &[&str]| {
        Command::new("tmux").args(["-L", &socket]).args(arguments).env_remove("TMUX").output()
    };
    let line =
        format!("LC_ALL=C.UTF-8 RTMPSCOPE_TRACE='{}' '{program}' view '{file}'", trace.display());
    let started =
        tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh", "-c", &line]);
    if !started.is_ok_and(|output| output.status.success()) {
        println!("screens: tmux is not installed");
        return;
    }
    let begun = Instant::now();
    for key in KEYS.iter().cycle() {
        let text = std::fs::read_to_string(&trace).unwrap_or_default();
        if text.contains("\"loaded\"") || begun.elapsed() > PATIENCE {
            break;
        }
        let _ = tmux(&["send-keys", key]);
        sleep(PACE);
    }
    let _ = tmux(&["send-keys", "Q"]);
    sleep(PACE * 4);
    let _ = tmux(&["kill-server"]);
    println!("{}", told(&std::fs::read_to_string(&trace).unwrap_or_default()));
    let _ = std::fs::remove_file(trace);
}

/// The trace in a few lines.
fn told(trace: &str) -> String {
    let events: Vec<serde_json::Value> =
        trace.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |name: &'static str| events.iter().filter(move |e| e["event"] == name);
    let first = of("first_frame").next().and_then(|e| e["ms"].as_f64());
    let mut keys: Vec<f64> = of("key_to_paint")
        .filter(|e| e["loading"] == true)
        .filter_map(|e| e["ms"].as_f64())
        .collect();
    keys.sort_by(f64::total_cmp);
    let at = |part: usize| keys.get(keys.len().saturating_sub(1) * part / 100).copied();
    let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
    let loaded = of("loaded").next();
    let each = loaded.and_then(|e| Some(e["index_bytes"].as_f64()? / e["messages"].as_f64()?));
    let took = loaded.and_then(|e| e["ms"].as_f64());
    format!(
        "screens: first frame     {:>8} ms (bar: at most 300)\n\
         screens: key to paint    {:>8} ms median, {} ms at 99 %, {} ms worst of {} while reading (bar: below 50)\n\
         screens: all read after  {:>8} ms\n\
         screens: index           {:>8} bytes a message (bar: at most 64)",
        ms(first),
        ms(at(50)),
        ms(at(99)),
        ms(keys.last().copied()),
        keys.len(),
        ms(took),
        ms(each),
    )
}
