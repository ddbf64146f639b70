//! `tcpdump -w - | rtmpscope dump -` while ffmpeg publishes to nginx-rtmp: all real programs.

#![cfg(all(unix, feature = "cli"))]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// A busy machine starts programs slowly; nothing here waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Never to be printed.
const STREAM_KEY: &str = "k3y-not-to-be-shown";

#[test]
fn a_live_pipe_decodes_while_it_grows() {
    let Some(module) = tools() else { return };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let port = free_port();
    let _server = start_nginx(dir.path(), port, module);

    let filter = format!("tcp port {port}");
    let mut capture = Process::spawn(
        Command::new("tcpdump")
            .args(["-i", loopback(), "-U", "-w", "-", &filter])
            .stdin(Stdio::null()),
    );
    let capture_log = lines(capture.child.stderr.take().expect("piped"));
    if !wait_for_tcpdump(&capture_log) {
        return;
    }
    let pipe = capture.child.stdout.take().expect("piped");
    let mut dump = Process::spawn(
        Command::new(env!("CARGO_BIN_EXE_rtmpscope")).args(["dump", "-"]).stdin(pipe),
    );
    let output = lines(dump.child.stdout.take().expect("piped"));
    let errors = lines(dump.child.stderr.take().expect("piped"));
    let mut publisher = publish(port);

    let mut seen = Vec::new();
    wait_for(&output, &mut seen, |line| line.contains("connect") && line.contains("live"));
    assert!(publisher.runs(), "the connect command came while ffmpeg published");
    assert!(dump.runs(), "and the decoder waits for more");
    // What follows comes as it happens, too.
    wait_for(&output, &mut seen, |line| line.contains("NetStream.Publish.Start"));
    wait_for(&output, &mut seen, |line| line.contains("video"));
    assert!(publisher.runs(), "the first picture came while ffmpeg published");

    publisher.stop();
    capture.stop();
    let status = dump.wait();
    seen.extend(output.iter());
    let errors: Vec<String> = errors.iter().collect();
    assert!(status.success(), "{status}: {errors:?}");
    let shown: Vec<&String> =
        seen.iter().chain(&errors).filter(|line| line.contains(STREAM_KEY)).collect();
    assert!(shown.is_empty(), "the stream key is shown: {shown:?}");
}

/// The nginx module, if all programs are there. Without them the test passes over, loudly, except
/// in CI, where they are a part of the job.
fn tools() -> Option<&'static str> {
    const MODULES: [&str; 3] = [
        "/usr/lib/nginx/modules/ngx_rtmp_module.so",
        "/usr/share/nginx/modules/ngx_rtmp_module.so",
        "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
    ];
    let module = MODULES.into_iter().find(|path| Path::new(path).exists());
    let mut missing: Vec<&str> =
        [("tcpdump", "--version"), ("ffmpeg", "-version"), ("nginx", "-v")]
            .into_iter()
            .filter(|(program, flag)| {
                Command::new(program).arg(flag).stdin(Stdio::null()).output().is_err()
            })
            .map(|(program, _)| program)
            .collect();
    if module.is_none() {
        missing.push("nginx's RTMP module");
    }
    if missing.is_empty() {
        return module;
    }
    give_up(&format!("these are missing: {missing:?}; `make test-tools` installs them"));
    None
}

fn give_up(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
    eprintln!("SKIPPED: {why}");
}

fn loopback() -> &'static str {
    if cfg!(target_os = "linux") { "lo" } else { "lo0" }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// An nginx of our own: one process, nothing outside `dir`.
fn start_nginx(dir: &Path, port: u16, module: &str) -> Process {
    let dir_text = dir.display();
    let conf = format!(
        "load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {dir_text}/nginx.pid;
error_log {dir_text}/error.log;
events {{ worker_connections 64; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{ live on; }}
    }}
}}
"
    );
    fs::write(dir.join("nginx.conf"), conf).expect("write nginx.conf");
    let mut command = Command::new("nginx");
    command.stdin(Stdio::null());
    command.arg("-p").arg(dir).arg("-c").arg(dir.join("nginx.conf"));
    let mut server = Process::spawn(&mut command);
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if !server.runs() || start.elapsed() > PATIENCE {
            let mut log = fs::read_to_string(dir.join("error.log")).unwrap_or_default();
            if let Some(mut errors) = server.child.stderr.take() {
                server.stop();
                let _ = errors.read_to_string(&mut log);
            }
            panic!("nginx does not listen: {log}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    server
}

fn publish(port: u16) -> Process {
    let url = format!("rtmp://127.0.0.1:{port}/live/{STREAM_KEY}");
    let mut command = Command::new("ffmpeg");
    command.stdin(Stdio::null());
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re"]);
    command.args(["-f", "lavfi", "-i", "testsrc=size=160x90:rate=10"]);
    // Should this test be killed, ffmpeg ends by itself.
    command.args(["-c:v", "flv1", "-g", "10", "-t", "120", "-f", "flv", &url]);
    Process::spawn(&mut command)
}

/// Waits until tcpdump listens. False: this user may not capture.
fn wait_for_tcpdump(log: &Receiver<String>) -> bool {
    let mut said = Vec::new();
    while let Ok(line) = log.recv_timeout(PATIENCE) {
        if line.contains("listening on") {
            return true;
        }
        said.push(line);
    }
    let said = said.join("\n");
    let refused = said.contains("permission") || said.contains("not permitted");
    assert!(refused, "tcpdump does not start: {said}");
    if may_capture() {
        give_up(&format!("tcpdump may not capture although this process may: {said}"));
    } else {
        eprintln!("SKIPPED: the system forbids capturing here: {said}");
    }
    false
}

/// Whether the kernel gives this process CAP_NET_RAW.
fn may_capture() -> bool {
    const CAP_NET_RAW: u64 = 1 << 13;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_none_or(|bits| bits & CAP_NET_RAW != 0)
}

/// The lines of a pipe as they come; ends with the pipe.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

#[track_caller]
fn wait_for(output: &Receiver<String>, seen: &mut Vec<String>, test: impl Fn(&str) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match output.recv_timeout(left) {
            Ok(line) => {
                let found = test(&line);
                seen.push(line);
                if found {
                    return;
                }
            }
            Err(error) => panic!("{error}; printed so far:\n{}", seen.join("\n")),
        }
    }
}

/// A program of this test: it ends with the test, whatever happens.
struct Process {
    child: Child,
}

impl Process {
    fn spawn(command: &mut Command) -> Process {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Process { child }
    }

    fn runs(&mut self) -> bool {
        self.child.try_wait().expect("ask for its state").is_none()
    }

    /// SIGTERM, so that it can flush, then SIGKILL if it does not end.
    fn stop(&mut self) {
        if !self.runs() {
            return;
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let start = Instant::now();
        while self.runs() && start.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        while self.runs() {
            assert!(start.elapsed() < PATIENCE, "{} does not end", self.child.id());
            thread::sleep(Duration::from_millis(10));
        }
        self.child.wait().expect("its status")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
