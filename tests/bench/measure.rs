//! Runs a command; takes its time and its peak memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Wall-clock time.
    pub seconds: f64,
    /// Largest resident set in KiB: `VmHWM`, polled every millisecond; `None` where there is no
    /// `/proc`.
    pub peak_kib: Option<u64>,
}

/// Why there is no [`Cost`].
#[derive(Debug)]
pub enum Failure {
    /// The program is not installed.
    Missing,
    /// It ended with this status, or could not be run.
    Failed(String),
}

/// The fastest of several runs: one when it takes longer than two seconds, else five.
pub fn fastest(command: &[&str]) -> Result<Cost, Failure> {
    let mut best = once(command)?;
    let mut runs = 1;
    while runs < 5 && best.seconds < 2.0 {
        let next = once(command)?;
        best = Cost {
            seconds: best.seconds.min(next.seconds),
            peak_kib: best.peak_kib.max(next.peak_kib),
        };
        runs += 1;
    }
    Ok(best)
}

fn once(command: &[&str]) -> Result<Cost, Failure> {
    let began = Instant::now();
    let child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Failure::Missing),
        Err(error) => return Err(Failure::Failed(error.to_string())),
    };
    let path = format!("/proc/{}/status", child.id());
    let mut peak_kib = None;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(Failure::Failed(error.to_string())),
        }
        peak_kib = high_water(&path).max(peak_kib);
        std::thread::sleep(Duration::from_millis(1));
    };
    let seconds = began.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Failure::Failed(status.to_string()));
    }
    Ok(Cost { seconds, peak_kib })
}

fn high_water(path: &str) -> Option<u64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
