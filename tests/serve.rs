//! The test server against programs that people use: FFmpeg and rtmpdump.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rtmpscope::peer::server::{Options, Server};

/// Far more than any step takes; only there so that a fault ends the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a program can be run. A machine without it tests less, and says so.
fn have(program: &str) -> bool {
    let found = Command::new(program)
        .arg("-version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("{program} is not installed: not tried");
    }
    found
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    fn start(program: &str, args: &[&str]) -> Running {
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Running(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    /// Waits for its end; `None` after too long.
    fn wait(&mut self) -> Option<bool> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().expect("ask for the status") {
                return Some(status.success());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// FFmpeg, publishing a test picture and a tone for `seconds`.
fn publisher(url: &str, seconds: &str) -> Running {
    let source = "testsrc2=size=160x90:rate=15";
    Running::start(
        "ffmpeg",
        &[
            "-v",
            "error",
            "-re",
            "-f",
            "lavfi",
            "-i",
            source,
            "-f",
            "lavfi",
            "-i",
            "sine",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "15",
            "-c:a",
            "aac",
            "-t",
            seconds,
            "-f",
            "flv",
            url,
        ],
    )
}

/// Frames of either kind in a file, as FFprobe counts them.
fn frames(file: &Path) -> (usize, usize) {
    let count = |kind: &str| {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", kind, "-show_entries", "packet=pts"])
            .args(["-of", "csv=p=0"])
            .arg(file)
            .output()
            .expect("run ffprobe");
        output.stdout.iter().filter(|byte| **byte == b'\n').count()
    };
    (count("v"), count("a"))
}

#[test]
fn ffmpeg_publishes_ffmpeg_and_rtmpdump_play() {
    if !have("ffmpeg") || !have("ffprobe") {
        return;
    }
    // How long the programs take to start is not what is tested.
    let options = Options { play_wait: PATIENCE, ..Options::default() };
    let server = Server::start(options).expect("start");
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("{}/test?token=1", server.url());
    let mut publisher = publisher(&url, "6");
    let url = format!("{}/test", server.url());
    let played = dir.path().join("played.flv");
    let dumped = dir.path().join("dumped.flv");
    // Players come before the publisher or after it: both must work, and the first waits.
    let mut ffmpeg = Running::start(
        "ffmpeg",
        &["-v", "error", "-i", &url, "-c", "copy", "-t", "2", played.to_str().unwrap()],
    );
    let mut rtmpdump = have("rtmpdump").then(|| {
        let out = dumped.to_str().unwrap();
        Running::start("rtmpdump", &["-q", "-v", "-r", &url, "-B", "2", "-o", out])
    });
    assert_eq!(ffmpeg.wait(), Some(true), "ffmpeg plays");
    if let Some(rtmpdump) = &mut rtmpdump {
        rtmpdump.wait().expect("rtmpdump ends");
    }
    assert_eq!(publisher.wait(), Some(true), "ffmpeg publishes to its end");
    let (video, audio) = frames(&played);
    assert!(video >= 25 && audio >= 50, "{video} pictures, {audio} of sound");
    if rtmpdump.is_some() {
        let (video, audio) = frames(&dumped);
        assert!(video >= 25 && audio >= 50, "rtmpdump: {video} pictures, {audio} of sound");
    }
    assert!(fs::metadata(&played).is_ok());
    assert!(server.stop(), "the server runs to the end");
}

/// The program with these arguments.
#[cfg(feature = "cli")]
fn serve(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtmpscope"));
    command.arg("serve").args(args).stdin(Stdio::null());
    command
}

#[cfg(feature = "cli")]
#[test]
fn serve_prints_its_url_and_stops_when_told() {
    use std::io::{BufRead, BufReader, Read, Write};

    let mut child = serve(&["--app", "stage", "--defect", "handshake/s2-time-wrong"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("start");
    let mut line = String::new();
    let out = child.stdout.take().expect("its output");
    let mut running = Running(child);
    BufReader::new(out).read_line(&mut line).expect("a line");
    let url = line.trim();
    let address = url.strip_prefix("rtmp://").and_then(|rest| rest.strip_suffix("/stage"));
    let address = address.unwrap_or_else(|| panic!("{url} is no URL of the application"));

    let mut client = std::net::TcpStream::connect(address).expect("connect");
    client.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut hello = [0x42; 1537];
    hello[0] = 3;
    hello[5..9].fill(0);
    client.write_all(&hello).expect("send C0 and C1");
    let mut answer = [0; 3073];
    client.read_exact(&mut answer).expect("S0, S1 and S2");
    assert_eq!(answer[0], 3);
    assert_eq!(answer[1537..1541], [0; 4], "the fault is on: the time of C1 is not echoed");
    assert_eq!(answer[1545..], hello[9..], "and only that one");

    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupt it");
    assert_eq!(running.wait(), Some(true), "it stops when it is told to");
}

#[cfg(feature = "cli")]
#[test]
fn serve_lists_its_faults_and_knows_no_others() {
    let list = serve(&["--list-defects"]).output().expect("run");
    let list = String::from_utf8(list.stdout).expect("text");
    assert!(list.lines().any(|line| line.starts_with("handshake/s2-echo-wrong")));
    assert!(list.contains("rtmp/handshake/c1-random-echo"));
    let wrong = serve(&["--defect", "handshake/s2-echo"]).output().expect("run");
    assert_eq!(wrong.status.code(), Some(2));
    let text = String::from_utf8(wrong.stderr).expect("text");
    assert!(text.contains("did you mean handshake/s2-echo-wrong?"), "{text}");
}
