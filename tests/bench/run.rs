//! Speed and memory beside `capinfos`, `tcpdump` and `tshark`, in one run on one file.
//!
//! ```text
//! cargo bench --bench passive                       # 800 MB under target/
//! cargo bench --bench passive -- --quick            # 100 MB
//! cargo bench --bench passive -- --megabytes 2000
//! cargo bench --bench passive -- --write FILE       # only writes the capture
//! ```
//!
//! Programs that are not installed are left out and named.

mod generate;
mod measure;
#[path = "../support/mod.rs"]
mod support;
mod view;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use generate::Written;
use measure::{Cost, Failure, fastest};

const DEFAULT_MB: u64 = 800;
const QUICK_MB: u64 = 100;
const OURS: &str = env!("CARGO_BIN_EXE_rtmpscope");
const DIRECTORY: &str = env!("CARGO_TARGET_TMPDIR");

/// What to do.
struct Args {
    megabytes: u64,
    write: Option<PathBuf>,
    /// `cargo test --all-targets` runs this program too, without the flag that `cargo bench` adds.
    bench: bool,
}

fn args() -> Option<Args> {
    let mut out = Args { megabytes: DEFAULT_MB, write: None, bench: false };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--bench" => out.bench = true,
            "--quick" => out.megabytes = QUICK_MB,
            "--megabytes" => out.megabytes = args.next()?.parse().ok().filter(|mb| *mb > 0)?,
            "--write" => out.write = Some(args.next()?.into()),
            _ => return None,
        }
    }
    Some(out)
}

fn main() -> ExitCode {
    let Some(args) = args() else {
        eprintln!("usage: cargo bench --bench passive -- [--quick | --megabytes N] [--write FILE]");
        return ExitCode::from(2);
    };
    if !args.bench {
        println!("to be run by `cargo bench`");
        return ExitCode::SUCCESS;
    }
    if let Some(path) = args.write {
        return match make(&path, args.megabytes * 1_000_000) {
            Some(_) => ExitCode::SUCCESS,
            None => ExitCode::FAILURE,
        };
    }
    let directory = Path::new(DIRECTORY);
    let (whole, half) = (directory.join("bench.pcap"), directory.join("bench-half.pcap"));
    let Some(written) = make(&whole, args.megabytes * 1_000_000) else {
        return ExitCode::FAILURE;
    };
    let Some(_) = make(&half, args.megabytes * 500_000) else { return ExitCode::FAILURE };
    run(Path::new(OURS), &whole, &half, &written);
    for path in [whole, half] {
        if let Err(error) = std::fs::remove_file(&path) {
            eprintln!("{}: {error}", path.display());
        }
    }
    ExitCode::SUCCESS
}

fn make(path: &Path, bytes: u64) -> Option<Written> {
    let began = Instant::now();
    match generate::generate(path, bytes) {
        Ok(written) => {
            println!(
                "{}: {} MB, {} packets, {} messages, written in {:.1} s",
                path.display(),
                written.bytes / 1_000_000,
                written.packets,
                written.messages,
                began.elapsed().as_secs_f64()
            );
            Some(written)
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            None
        }
    }
}

fn run(ours: &Path, whole: &Path, half: &Path, written: &Written) {
    warm(whole);
    warm(half);
    let (ours, file) = (ours.to_string_lossy(), whole.to_string_lossy());
    let input = format!("if={file}");
    println!("\n{:<44} {:>9} {:>9} {:>10}", "warm", "seconds", "MB/s", "peak MiB");
    let row = |name: &str, command: &[&str]| -> Option<Cost> {
        match fastest(command) {
            Ok(cost) => {
                let rate = written.bytes as f64 / 1e6 / cost.seconds;
                let peak = match cost.peak_kib {
                    Some(kib) => format!("{:.1}", kib as f64 / 1024.0),
                    None => "-".into(),
                };
                println!("{name:<44} {:>9.3} {rate:>9.0} {peak:>10}", cost.seconds);
                Some(cost)
            }
            Err(Failure::Missing) => {
                println!("{name:<44} not installed");
                None
            }
            Err(Failure::Failed(why)) => {
                println!("{name:<44} failed: {why}");
                None
            }
        }
    };
    row("dd of=/dev/null bs=1M", &["dd", &input, "of=/dev/null", "bs=1M"]);
    let capinfos = row("capinfos -c", &["capinfos", "-c", &file]);
    row("tcpdump -r FILE -w /dev/null", &["tcpdump", "-r", &file, "-w", "/dev/null"]);
    let summary = row("rtmpscope dump --summary", &[&ours, "dump", "--summary", &file]);
    row("rtmpscope dump --format ndjson", &[&ours, "dump", "--format", "ndjson", &file]);
    let page = Path::new(DIRECTORY).join("bench.html");
    let page = page.to_string_lossy();
    let html = row(
        "rtmpscope report --format html",
        &[&ours, "report", "--format", "html", "-o", &page, &file],
    );
    let fields = ["-Y", "rtmpt", "-T", "fields", "-e", "rtmpt.header.typeid"];
    let tshark: Vec<&str> = ["tshark", "-r", &file].into_iter().chain(fields).collect();
    let tshark = row("tshark -Y rtmpt -T fields", &tshark);
    println!();
    if let (Some(summary), Some(capinfos)) = (&summary, &capinfos) {
        let ratio = summary.seconds / capinfos.seconds;
        println!("--summary / capinfos     {ratio:>8.2}   (bar: at most 2)");
    }
    if let (Some(summary), Some(tshark)) = (&summary, &tshark) {
        let ratio = tshark.seconds / summary.seconds;
        println!("tshark / --summary       {ratio:>8.1}   (bar: at least 60)");
    }
    if let Some(summary) = &summary {
        let half = half.to_string_lossy();
        // Both one after the other: a busy machine slows them alike.
        if let (Ok(half), Ok(whole)) = (
            fastest(&[&ours, "dump", "--summary", &half]),
            fastest(&[&ours, "dump", "--summary", &file]),
        ) {
            let ratio = whole.seconds / half.seconds;
            println!("whole file / half file   {ratio:>8.2}   (linear: 2)");
        }
        if let Some(kib) = summary.peak_kib {
            let mib = kib as f64 / 1024.0;
            println!("peak memory in MiB       {mib:>8.1}   (bar: less than 100)");
        }
    }
    if let (Some(summary), Some(html)) = (&summary, &html) {
        let ratio = html.seconds / summary.seconds;
        println!("report html / --summary  {ratio:>8.2}   (bar: at most 2)");
        if let Ok(page) = std::fs::metadata(&*page) {
            let megabytes = page.len() as f64 / 1e6;
            println!("report html, MB          {megabytes:>8.2}   (bar: less than 5)");
        }
    }
    let _ = std::fs::remove_file(&*page);
    view::measure(&ours, &file, Path::new(DIRECTORY));
    println!("{}", verdict(&ours, &file, written));
}

/// Reads the file once, so that no program pays for the disk.
fn warm(path: &Path) {
    if let Ok(mut file) = std::fs::File::open(path) {
        let mut buffer = vec![0; 1 << 20];
        while matches!(file.read(&mut buffer), Ok(1..)) {}
    }
}

/// Whether everything was decoded, from the last line of the NDJSON output.
fn verdict(ours: &str, file: &str, written: &Written) -> String {
    let child = Command::new(ours)
        .args(["dump", "--format", "ndjson", file])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return "cannot run it again".into() };
    let mut last = String::new();
    if let Some(out) = child.stdout.take() {
        let mut out = BufReader::with_capacity(1 << 20, out);
        let mut line = String::new();
        while matches!(out.read_line(&mut line), Ok(1..)) {
            std::mem::swap(&mut last, &mut line);
            line.clear();
        }
    }
    let _ = child.wait();
    let end: serde_json::Value = serde_json::from_str(&last).unwrap_or_default();
    let count = |key: &str| end[key].as_u64();
    let lost = [count("capture_lost_bytes"), count("undecoded_bytes")];
    if count("messages") == Some(written.messages) && lost == [Some(0), Some(0)] {
        format!("decoded all of {} messages, no byte left over", written.messages)
    } else {
        format!(
            "NOT everything was decoded: {} messages are in it, the end says {end}",
            written.messages
        )
    }
}
