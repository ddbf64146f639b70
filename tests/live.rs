//! `rtmpscope live` on the loopback interface: what it shows is what it writes, whatever ends it.

#![cfg(all(unix, feature = "live", feature = "cli"))]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use support::{C2S, Plan, Scenario};

/// A busy machine is slow; nothing here waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

fn rtmpscope(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rtmpscope")).args(args).output().expect("runs")
}

fn loopback() -> &'static str {
    if cfg!(target_os = "linux") { "lo" } else { "lo0" }
}

/// Without the right to capture the test passes over, loudly, except in CI.
fn give_up(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
    eprintln!("SKIPPED: {why}");
}

/// A running `rtmpscope live` on the loopback interface.
struct Live {
    child: Child,
    output: Receiver<String>,
    errors: Receiver<String>,
    seen: Vec<String>,
}

impl Live {
    /// `None` when this user may not capture.
    fn start(port: u16, args: &[&str]) -> Option<Live> {
        let filter = format!("tcp port {port}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
            .args(["live", "-i", loopback(), "-f", &filter, "--format", "ndjson"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let output = lines(child.stdout.take().expect("piped"));
        let errors = lines(child.stderr.take().expect("piped"));
        let first = errors.recv_timeout(PATIENCE).unwrap_or_default();
        if first.contains("not permitted") {
            let _ = child.wait();
            give_up(&first);
            return None;
        }
        assert!(first.contains("capturing tcp port"), "{first}");
        Some(Live { child, output, errors, seen: Vec::new() })
    }

    /// Reads output until so many messages were seen.
    fn wait_for_messages(&mut self, count: usize) {
        let until = Instant::now() + PATIENCE;
        while messages(&self.seen) < count {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("{} of {count} messages came", messages(&self.seen)),
            }
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(status.success());
    }

    /// Ends it as Ctrl-C does: its output, exit code and errors.
    fn interrupt(mut self) -> (Vec<String>, i32, Vec<String>) {
        self.signal("-INT");
        let status = self.child.wait().expect("ends");
        let mut seen = std::mem::take(&mut self.seen);
        seen.extend(self.output.iter());
        (seen, status.code().unwrap_or(-1), self.errors.iter().collect())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn messages(lines: &[String]) -> usize {
    lines.iter().filter(|line| line.contains(r#""type":"message""#)).count()
}

/// Both peers of a connection, in this process.
struct Server(TcpListener);

impl Server {
    fn new() -> Server {
        Server(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("its address").port()
    }

    /// Plays a scenario over TCP, each write read before the next.
    fn play(&self, scenario: &Scenario) {
        let mut client = TcpStream::connect(self.0.local_addr().expect("bound")).expect("connects");
        let (mut server, _) = self.0.accept().expect("accepts");
        let mut buffer = Vec::new();
        for write in scenario.writes() {
            let range = write.range.start as usize..write.range.end as usize;
            let bytes = &scenario.stream(write.direction)[range];
            let (from, to) = match write.direction == C2S {
                true => (&mut client, &mut server),
                false => (&mut server, &mut client),
            };
            buffer.resize(bytes.len(), 0);
            for (sent, received) in bytes.chunks(16 << 10).zip(buffer.chunks_mut(16 << 10)) {
                from.write_all(sent).expect("sent");
                to.read_exact(received).expect("received");
            }
            assert!(buffer == bytes);
        }
    }
}

fn dump(files: &[PathBuf]) -> (Vec<String>, i32) {
    let mut args = vec!["dump", "--format", "ndjson"];
    args.extend(files.iter().map(|file| file.to_str().expect("UTF-8")));
    let output = rtmpscope(&args);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (text.lines().map(str::to_owned).collect(), output.status.code().unwrap_or(-1))
}

#[test]
fn what_is_shown_is_what_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("out.pcapng");
    let server = Server::new();
    let args = ["-w", file.to_str().expect("UTF-8")];
    let Some(mut live) = Live::start(server.port(), &args) else { return };
    let mut count = 0;
    for seed in 0..3 {
        let scenario = Plan::new(seed).build();
        server.play(&scenario);
        count += scenario.truth().len();
    }
    live.wait_for_messages(count);
    let (shown, code, errors) = live.interrupt();
    assert_eq!(code, 0, "{errors:?}");
    let last = errors.last().expect("the counts");
    assert!(last.contains("0 dropped by the kernel") && last.contains("out.pcapng"), "{last}");
    assert_eq!(messages(&shown), count);
    let (again, code) = dump(&[file]);
    assert_eq!(code, 0);
    assert_eq!(shown, again);
}

/// SIGKILL while packets come: the file holds whole packets only, and can be read.
#[test]
fn a_file_survives_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("out.pcapng");
    let server = Server::new();
    let args = ["-w", file.to_str().expect("UTF-8")];
    let Some(mut live) = Live::start(server.port(), &args) else { return };
    let port = server.port();
    let (enough, over) = mpsc::channel::<()>();
    let player = thread::spawn(move || {
        let scenario = Plan::new(7).build();
        let mut rounds = 0;
        while over.try_recv() == Err(mpsc::TryRecvError::Empty) && rounds < 10_000 {
            server.play(&scenario);
            rounds += 1;
        }
    });
    let one = Plan::new(7).build().truth().len();
    live.wait_for_messages(2 * one);
    // Until the file was flushed at least once with a session in it.
    let until = Instant::now() + PATIENCE;
    while size(&file) < 50_000 {
        assert!(Instant::now() < until, "nothing is written to the file");
        thread::sleep(Duration::from_millis(5));
    }
    live.signal("-KILL");
    let _ = live.child.wait();
    drop(enough);
    player.join().expect("the player ended");
    let (lines, code) = dump(&[file]);
    assert_eq!(code, 0, "port {port}: the file is damaged");
    assert!(messages(&lines) > 0, "port {port}");
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |meta| meta.len())
}

#[test]
fn files_are_rotated_and_the_newest_are_kept() {
    const MOST: u64 = 64 << 10;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("night.pcapng");
    let server = Server::new();
    let args = ["-w", file.to_str().expect("UTF-8"), "--rotate-size", "64k", "--files", "4"];
    let Some(mut live) = Live::start(server.port(), &args) else { return };
    let scenario = Plan { gops: 3, key_size: 20_000, ..Plan::new(3) }.build();
    for _ in 0..8 {
        server.play(&scenario);
    }
    live.wait_for_messages(8 * scenario.truth().len());
    let (_, code, errors) = live.interrupt();
    assert_eq!(code, 0, "{errors:?}");
    let entries = std::fs::read_dir(dir.path()).expect("a directory");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in &files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(name.starts_with("night_000") && name.ends_with(".pcapng"), "{name}");
        let (_, code) = dump(std::slice::from_ref(file));
        assert_eq!(code, 0, "{name}");
    }
    assert!(files[..3].iter().all(|file| size(file) <= MOST), "{files:?}");
    let (lines, code) = dump(&files);
    assert!(code == 0 && messages(&lines) > 10);
}

#[test]
fn it_ends_by_itself_after_so_many_packets() {
    let server = Server::new();
    let Some(mut live) = Live::start(server.port(), &["--count", "25"]) else { return };
    server.play(&Plan::new(1).build());
    let status = live.child.wait().expect("ends");
    let errors: Vec<String> = live.errors.iter().collect();
    assert!(status.success(), "{errors:?}");
    assert!(errors[0].starts_with("rtmpscope: 25 packets captured"), "{errors:?}");
    let end: Vec<String> = live.output.iter().collect();
    assert!(end.last().expect("an end").contains(r#""packets":25"#));
}

#[test]
fn without_the_right_it_says_how_to_get_it() {
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
    let tried = Command::new("setpriv")
        .args(user)
        .arg(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["live", "-i", loopback()])
        .stdin(Stdio::null())
        .output();
    let output = match tried {
        Ok(output) => output,
        Err(error) => return give_up(&format!("setpriv (util-linux) does not run: {error}")),
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.starts_with("setpriv:") {
        return give_up(text.trim());
    }
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("sudo setcap cap_net_raw,cap_net_admin+ep /"), "{text}");
    assert!(text.trim().lines().count() == 1, "{text}");
}

#[test]
fn interfaces_are_listed_for_people_and_programs() {
    let text = rtmpscope(&["live", "--list-interfaces"]);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(loopback()));
    let Some(line) = line else { return give_up("this user sees no interfaces") };
    assert!(line.contains("loopback") && line.contains("127.0.0.1"), "{line}");
    let json = rtmpscope(&["live", "--list-interfaces", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let list = json.as_array().expect("a list");
    let found = list.iter().find(|item| item["name"] == loopback()).expect("the loopback");
    assert_eq!(found["loopback"], true);
    assert_eq!(list.len(), text.lines().count());
}

#[test]
fn wrong_arguments_are_explained() {
    for (args, word) in [
        (&["live"][..], "--interface"),
        (&["live", "-i", "nosuch0"], "nosuch0"),
        (&["live", "-i", "lo", "--rotate-size", "1M"], "--write"),
        (&["live", "-i", "lo", "-w", "x", "--files", "3"], "--rotate-size"),
        (&["live", "-i", "lo", "-w", "x", "--rotate-size", "much"], "100M"),
        (&["live", "-i", "lo", "-w", "-"], "tcpdump"),
    ] {
        let output = rtmpscope(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(word), "{args:?}: {text}");
    }
}

/// A terminal of our own.
struct Tmux(String);

impl Tmux {
    /// `None` when there is no tmux.
    fn start(command: &str) -> Option<Tmux> {
        let tmux = Tmux(format!("rtmpscope-live-{}", std::process::id()));
        let size = ["-x", "120", "-y", "40"];
        let status = Command::new("tmux")
            .args(["-L", &tmux.0, "-f", "/dev/null", "new-session", "-d"])
            .args(size)
            .arg(command)
            .status();
        match status {
            Ok(status) if status.success() => Some(tmux),
            other => {
                give_up(&format!("tmux does not run: {other:?}"));
                None
            }
        }
    }

    fn run(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.0]).args(args).output().expect("tmux");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &str) {
        self.run(&["send-keys", keys]);
    }

    /// Waits for a screen that shows what is wanted.
    fn wait_for(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.run(&["capture-pane", "-p"]);
            if is_there(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "waited for {what}:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Sessions appear, a pause holds the view and not the capture, and at the end the screens counted
/// what the file holds.
#[test]
#[cfg(feature = "tui")]
fn the_screens_show_a_running_capture() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("out.pcapng");
    let server = Server::new();
    // The right to capture is found out without screens first.
    match Live::start(server.port(), &[]) {
        Some(live) => drop(live),
        None => return,
    }
    let program = env!("CARGO_BIN_EXE_rtmpscope");
    let (port, path) = (server.port(), file.display());
    // A configuration of the person who runs the tests must not count.
    let home = dir.path().display();
    let command = format!(
        "env HOME={home} XDG_CONFIG_HOME={home} LC_ALL=C.UTF-8 {program} live -i {} \
         -f 'tcp port {port}' -w {path}",
        loopback()
    );
    let Some(tmux) = Tmux::start(&command) else { return };
    tmux.wait_for("the screens", |screen| screen.contains("1 Sessions") && screen.contains("live"));
    let scenario = Plan::new(11).build();
    let each = scenario.truth().len();
    server.play(&scenario);
    let shown = |count: usize| move |screen: &str| screen.contains(&format!("live {count} msgs"));
    tmux.wait_for("the first session", shown(each));
    tmux.keys("p");
    tmux.wait_for("the pause", |screen| screen.contains(&format!("paused {each} msgs")));
    server.play(&scenario);
    server.play(&scenario);
    tmux.keys("p");
    let screen = tmux.wait_for("all sessions", shown(3 * each));
    assert!(screen.contains("3 sessions"), "{screen}");
    tmux.keys("q");
    let until = Instant::now() + PATIENCE;
    while tmux.run(&["list-sessions"]).contains("windows") {
        assert!(Instant::now() < until, "q does not leave");
        thread::sleep(Duration::from_millis(20));
    }
    let (lines, code) = dump(&[file]);
    assert_eq!((messages(&lines), code), (3 * each, 0));
}
