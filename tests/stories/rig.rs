//! nginx-rtmp, tcpdump and what else a story needs.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rtmpscope::analysis::{Options, Pipeline};
use rtmpscope::capture::{Capture, Input, OpenOptions};
use rtmpscope::lint::{Finding, Headline, Linter, Part};

/// A busy machine is slow; nothing waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Never to be printed by a report that hides secrets; a headline holds it as a secret.
pub const KEY: &str = "story-key";

const MODULES: [&str; 3] = [
    "/usr/lib/nginx/modules/ngx_rtmp_module.so",
    "/usr/share/nginx/modules/ngx_rtmp_module.so",
    "/usr/lib64/nginx/modules/ngx_rtmp_module.so",
];

/// What was captured, judged.
pub struct Told {
    pub headlines: Vec<Headline>,
    pub findings: Vec<Finding>,
}

impl Told {
    /// The sentence of a session, with secrets.
    pub fn text(&self, session: u32) -> String {
        let own = self.headlines.iter().find(|headline| headline.session == session);
        let own = own.unwrap_or_else(|| panic!("no session {session}: {}", self.all()));
        text(own)
    }

    /// Asserts the cause and words of a session.
    #[track_caller]
    pub fn expect(&self, session: u32, cause: &str, says: &[&str], never: &[&str]) {
        let said = self.text(session);
        let own = self.headlines.iter().find(|headline| headline.session == session);
        let rule = own.and_then(|headline| headline.cause).map_or("", |rule| rule.id);
        assert_eq!(rule, cause, "{said}\nall: {}", self.all());
        for word in says {
            assert!(said.contains(word), "lacks {word:?}: {said}");
        }
        for word in never {
            assert!(!said.contains(word), "must not say {word:?}: {said}");
        }
    }

    /// Whether a rule spoke.
    pub fn found(&self, rule: &str) -> bool {
        self.findings.iter().any(|finding| finding.id() == rule)
    }

    pub fn all(&self) -> String {
        let found = self.findings.iter().map(|f| format!("{} {}", f.id(), f.message.plain()));
        let said = self.headlines.iter().map(text);
        said.chain(found).collect::<Vec<_>>().join("\n")
    }
}

fn text(headline: &Headline) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) | Part::Secret(_, text) => text.clone(),
    };
    headline.words.parts().iter().map(part).collect()
}

/// Where the programs of a story run, and what they leave.
pub struct Rig {
    pub dir: tempfile::TempDir,
    pub port: u16,
    server: Option<Process>,
    capture: Option<Process>,
    namespace: Option<Namespace>,
}

impl Rig {
    /// nginx-rtmp on 127.0.0.1 and tcpdump; `None` where that cannot be, which was said aloud.
    pub fn new(more: &[(&str, &str)]) -> Option<Rig> {
        Rig::start(more, None, true)
    }

    /// The same in a network namespace whose loopback was made a link by these commands.
    pub fn with_link(link: &[&str]) -> Option<Rig> {
        let namespace = Namespace::new(link)?;
        Rig::start(&[], Some(namespace), true)
    }

    /// tcpdump only: the server is the story's own.
    pub fn without_server() -> Option<Rig> {
        Rig::start(&[], None, false)
    }

    fn start(
        more: &[(&str, &str)],
        namespace: Option<Namespace>,
        with_server: bool,
    ) -> Option<Rig> {
        let module = MODULES.into_iter().find(|path| Path::new(path).exists());
        let mut needed = vec![("tcpdump", "--version"), ("ffmpeg", "-version")];
        if with_server {
            needed.push(("nginx", "-v"));
            if module.is_none() {
                give_up("nginx's RTMP module is missing; `make test-tools` installs it");
                return None;
            }
        }
        if !has_all(&[&needed[..], more].concat()) {
            return None;
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut rig = Rig { dir, port, server: None, capture: None, namespace };
        if let (true, Some(module)) = (with_server, module) {
            rig.start_server(module);
        }
        rig.start_capture().then_some(rig)
    }

    /// A command that runs where the story does.
    pub fn command(&self, program: &str) -> Command {
        let mut command = match &self.namespace {
            Some(namespace) => namespace.command(program),
            None => Command::new(program),
        };
        command.stdin(Stdio::null());
        command
    }

    fn start_server(&mut self, module: &str) {
        let (dir, port) = (self.dir.path().display(), self.port);
        let conf = format!(
            "load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 64; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        chunk_size 4096;
        application live {{ live on; }}
        application deny {{ live on; deny publish all; }}
    }}
}}
"
        );
        let path = self.dir.path().join("nginx.conf");
        fs::write(&path, conf).expect("write nginx.conf");
        let mut command = self.command("nginx");
        command.arg("-p").arg(self.dir.path()).arg("-c").arg(path);
        let mut server = Process::spawn(&mut command);
        let pid = self.dir.path().join("nginx.pid");
        wait_until("nginx listens", || {
            assert!(server.runs(), "nginx ended: {}", self.server_log());
            pid.exists() && self.listens()
        });
        self.server = Some(server);
    }

    fn listens(&self) -> bool {
        match &self.namespace {
            None => TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
            // /proc/net/tcp of a process in there; the port is in hexadecimal, state 0A listens.
            Some(namespace) => {
                let table = fs::read_to_string(format!("/proc/{}/net/tcp", namespace.pid()));
                let wanted = format!(":{:04X} 00000000:0000 0A", self.port);
                table.unwrap_or_default().contains(&wanted)
            }
        }
    }

    pub fn server_log(&self) -> String {
        fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
    }

    fn start_capture(&mut self) -> bool {
        let file = fs::File::create(self.file()).expect("a file for the capture");
        let log = self.dir.path().join("tcpdump.log");
        let said = fs::File::create(&log).expect("a file for the log");
        let filter = format!("tcp port {}", self.port);
        let mut command = self.command("tcpdump");
        command.args(["-i", "lo", "-U", "--immediate-mode", "-s", "0", "-B", "16384", "-w", "-"]);
        command.arg(&filter).stdout(file).stderr(said);
        let mut capture = Process { child: command.spawn().expect("start tcpdump") };
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains("listening on") {
                break;
            }
            if !capture.runs() {
                assert!(text.contains("permi"), "tcpdump does not start: {text}");
                if may_capture() {
                    give_up(&format!("tcpdump may not capture although the test may: {text}"));
                } else {
                    eprintln!("SKIPPED: the system forbids capturing here: {text}");
                }
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "tcpdump does not listen: {text}");
            thread::sleep(Duration::from_millis(10));
        }
        self.capture = Some(capture);
        true
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("story.pcap")
    }

    /// Bytes captured so far.
    pub fn captured(&self) -> u64 {
        fs::metadata(self.file()).map_or(0, |data| data.len())
    }

    /// Waits until so many bytes were captured from now on.
    pub fn wait_for_bytes(&self, bytes: u64) {
        let from = self.captured();
        wait_until("media flows", || self.captured() >= from + bytes);
    }

    /// Waits until for a second nearly nothing was captured but probes.
    pub fn wait_for_standstill(&self) {
        let mut last = (self.captured(), Instant::now());
        wait_until("the flow stands still", || {
            let now = self.captured();
            if now > last.0 + 4_000 {
                last = (now, Instant::now());
            }
            last.1.elapsed() > Duration::from_secs(1)
        });
    }

    /// Waits until the capture holds this text.
    pub fn wait_for_text(&self, text: &str) {
        wait_until(text, || {
            let bytes = fs::read(self.file()).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        });
    }

    /// The server's process id.
    pub fn server_pid(&self) -> u32 {
        self.server.as_ref().expect("a server").child.id()
    }

    /// rtmp://127.0.0.1:port/path
    pub fn url(&self, path: &str) -> String {
        format!("rtmp://127.0.0.1:{}/{path}", self.port)
    }

    /// FFmpeg with an input that costs little, up to its output.
    pub fn ffmpeg(&self, input: &str, more: &[&str]) -> Command {
        let mut command = self.command("ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re"]);
        command.args(["-f", "lavfi", "-i", input]);
        command.args(more);
        command
    }

    /// A publisher of small H.264 pictures and AAC for so many seconds.
    pub fn publisher(&self, path: &str, seconds: u32) -> Command {
        let mut command = self.ffmpeg("testsrc=size=160x90:rate=10", &[]);
        command.args(["-f", "lavfi", "-i", "sine=sample_rate=44100"]);
        command.args(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]);
        command.args(["-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac"]);
        command.args(["-t", &seconds.to_string(), "-f", "flv", &self.url(path)]);
        command
    }

    /// Ends the capture and judges it.
    pub fn told(mut self) -> Told {
        // What is under way arrives: the file has not grown for a while.
        let mut last = (self.captured(), Instant::now());
        wait_until("the capture is complete", || {
            let now = self.captured();
            if now != last.0 {
                last = (now, Instant::now());
            }
            last.1.elapsed() > Duration::from_millis(400)
        });
        if let Some(mut capture) = self.capture.take() {
            capture.stop();
        }
        let mut capture = Capture::open(vec![Input::Path(self.file())], OpenOptions::default())
            .expect("open the capture");
        let mut linter = Linter::new(Default::default());
        let mut pipeline = Pipeline::new(Options { tcp: true, ..Options::default() });
        while let Some(packet) = capture.next_packet() {
            pipeline.push(&packet, &mut |record| linter.push(&record));
        }
        pipeline.finish(Vec::new(), &mut |record| linter.push(&record));
        Told { headlines: linter.headlines(), findings: linter.into_findings() }
    }
}

/// Whether all programs are there. Without them a story is passed over, loudly, except in CI,
/// where they are a part of the job.
pub fn has_all(programs: &[(&str, &str)]) -> bool {
    let lacks = |(program, flag): &&(&str, &str)| {
        let command = &mut Command::new(program);
        command.arg(flag).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_err()
    };
    let missing: Vec<&str> = programs.iter().filter(lacks).map(|(program, _)| *program).collect();
    if !missing.is_empty() {
        give_up(&format!("these are missing: {missing:?}; `make test-tools` installs them"));
    }
    missing.is_empty()
}

pub fn give_up(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{why}");
    eprintln!("SKIPPED: {why}");
}

/// Whether the kernel gives this process CAP_NET_RAW.
fn may_capture() -> bool {
    const CAP_NET_RAW: u64 = 1 << 13;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_none_or(|bits| bits & CAP_NET_RAW != 0)
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Waits until that holds.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A network namespace that lives as long as this value.
pub struct Namespace {
    keeper: Process,
    mapped: bool,
}

impl Namespace {
    /// A namespace with a loopback of MTU 1500 and these commands run; `None` where the kernel
    /// forbids it, which was said aloud.
    fn new(commands: &[&str]) -> Option<Namespace> {
        let root = fs::read_to_string("/proc/self/status")
            .is_ok_and(|status| status.contains("Uid:\t0\t0"));
        let mut command = Command::new("unshare");
        if !root {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--net", "sleep", "120"]).stdin(Stdio::null());
        let mut keeper = match command.stderr(Stdio::null()).stdout(Stdio::null()).spawn() {
            Ok(child) => Process { child },
            Err(error) => {
                give_up(&format!("unshare: {error}"));
                return None;
            }
        };
        let own = fs::read_link("/proc/self/ns/net").expect("a namespace");
        let path = format!("/proc/{}/ns/net", keeper.child.id());
        wait_until("the namespace", || {
            !keeper.runs() || fs::read_link(&path).is_ok_and(|other| other != own)
        });
        if !keeper.runs() {
            eprintln!("SKIPPED: the kernel forbids network namespaces here");
            return None;
        }
        let namespace = Namespace { keeper, mapped: !root };
        let base = ["ip link set lo mtu 1500", "ip link set lo up"];
        for line in base.iter().chain(commands) {
            let mut words = line.split(' ');
            let mut command = namespace.command(words.next().expect("a program"));
            let output = command.args(words).stdin(Stdio::null()).output().expect("run it");
            if !output.status.success() {
                let why = String::from_utf8_lossy(&output.stderr);
                eprintln!("SKIPPED: the kernel cannot do {line:?}: {why}");
                return None;
            }
        }
        Some(namespace)
    }

    fn pid(&self) -> u32 {
        self.keeper.child.id()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.pid().to_string(), "--net"]);
        if self.mapped {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--", program]);
        command
    }
}

/// A program of a story: it ends with the test, whatever happens.
pub struct Process {
    child: Child,
}

impl Process {
    pub fn spawn(command: &mut Command) -> Process {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Process { child }
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("ask for its state").is_none()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) {
        wait_until("a program ends", || !self.runs());
    }

    /// SIGTERM, so that it can say goodbye, then SIGKILL if it does not end.
    pub fn stop(&mut self) {
        if !self.runs() {
            return;
        }
        self.signal("TERM");
        let start = Instant::now();
        while self.runs() && start.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.runs() {
            // A stopped process does not see SIGTERM.
            self.signal("CONT");
            self.stop();
        }
    }
}

/// Sends a signal to a process of the story.
pub fn signal(pid: u32, name: &str) {
    let mut command = Command::new("kill");
    command.args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null());
    let _ = command.status();
}

/// Time goes by, as the user of the story lets it.
pub fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
