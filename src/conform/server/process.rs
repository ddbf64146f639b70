//! Starting and stopping.

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use regex::RegexSet;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use super::manifest::{CRASH_PATTERNS, Manifest, Ready};
use super::watch::Watch;
use crate::peer::{Clock, Filled, Link};
use crate::wire::handshake::{HANDSHAKE_LEN, PACKET_LEN};

/// How often something is looked at that does not announce itself.
const POLL: Duration = Duration::from_millis(5);

/// Groups that run. A signal ends this program without unwinding, and they must not outlive it.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Kills every server that was started and still runs: for the handler of a signal.
pub fn kill_all() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Why a server is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A running server, the leader of a process group. Dropping it kills the group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Option<Pid>,
    watch: Watch,
    manifest: Manifest,
    exit: Option<ExitStatus>,
}

impl Process {
    /// Starts a server and waits until it is ready at `address`.
    pub fn start(manifest: &Manifest, address: SocketAddr) -> Result<Process, StartError> {
        let fail = |what: String| StartError(what);
        let (program, arguments) =
            manifest.start.split_first().ok_or_else(|| fail("nothing to start".into()))?;
        // Otherwise a stranger on that port would be tested.
        if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
            return Err(fail(format!("{address} is taken already; stop what listens there")));
        }
        let set = |patterns: &[String]| {
            RegexSet::new(patterns).map_err(|error| fail(format!("server.toml: {error}")))
        };
        let mut patterns: Vec<String> = CRASH_PATTERNS.iter().map(|&text| text.into()).collect();
        patterns.extend(manifest.crash_patterns.iter().cloned());
        let ready = manifest.ready_pattern.as_ref();
        let ready = ready.map(|pattern| set(std::slice::from_ref(pattern))).transpose()?;
        let watch = Watch::new(set(&patterns)?, ready);

        let mut command = Command::new(program);
        command.args(arguments).envs(&manifest.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Children of the server must die with it: nginx's worker outlives a killed master.
        command.process_group(0);
        if let Some(dir) = &manifest.dir {
            command.current_dir(dir);
        }
        for log in &manifest.logs {
            watch.file(manifest.dir.as_deref().map_or_else(|| log.clone(), |dir| dir.join(log)));
        }
        let mut child =
            command.spawn().map_err(|error| fail(format!("cannot start {program}: {error}")))?;
        if let Some(stream) = child.stdout.take() {
            watch.follow(stream);
        }
        if let Some(stream) = child.stderr.take() {
            watch.follow(stream);
        }
        let group = Pid::from_raw(child.id() as i32);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).extend(group);
        let mut process = Process { child, group, watch, manifest: manifest.clone(), exit: None };
        process.wait_ready(address)?;
        Ok(process)
    }

    /// Its name for messages.
    pub fn name(&self) -> &str {
        match &*self.manifest.name {
            "" => self.manifest.start.first().map_or("the server", String::as_str),
            name => name,
        }
    }

    /// How it ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten();
        }
        self.exit
    }

    /// What says that it crashed since the last call: its exit, or lines of its output.
    pub fn crash(&mut self) -> Option<String> {
        let exit = self.exited();
        if exit.is_some() {
            // Its last words are still on their way through the pipe.
            thread::sleep(Duration::from_millis(50));
        }
        let lines = self.watch.crashes();
        let exit = exit.map(|exit| describe(self.name(), exit));
        let all: Vec<String> = exit.into_iter().chain(lines.into_iter().take(3)).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// The last lines it wrote.
    pub fn tail(&self, count: usize) -> Vec<String> {
        self.watch.tail(count)
    }

    /// Stops the whole group: the signal of the manifest, then KILL. True when the signal sufficed.
    pub fn stop(mut self) -> bool {
        self.stop_group()
    }

    fn stop_group(&mut self) -> bool {
        let signal = match &*self.manifest.stop {
            "INT" => Signal::INT,
            "QUIT" => Signal::QUIT,
            "HUP" => Signal::HUP,
            "KILL" => Signal::KILL,
            _ => Signal::TERM,
        };
        let Some(group) = self.group.take() else { return true };
        // Not before it is gone: a signal may come while we wait.
        let gone = || {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            running.retain(|other| *other != group);
        };
        let grace = Duration::from_secs_f64(self.manifest.stop_seconds.clamp(0.0, 60.0));
        let deadline = Instant::now() + grace;
        // Errors mean that nobody is left, which is what is wanted.
        let _ = kill_process_group(group, signal);
        while Instant::now() < deadline {
            let leader = self.exited().is_some();
            if leader && test_kill_process_group(group).is_err() {
                gone();
                return true;
            }
            thread::sleep(POLL);
        }
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
        gone();
        false
    }

    fn wait_ready(&mut self, address: SocketAddr) -> Result<(), StartError> {
        let limit = Duration::from_secs_f64(self.manifest.ready_seconds.clamp(0.1, 600.0));
        let deadline = Instant::now() + limit;
        loop {
            if let Some(exit) = self.exited() {
                thread::sleep(Duration::from_millis(50));
                let last = self.tail(1).pop().unwrap_or_default();
                let how = describe(self.name(), exit);
                return Err(StartError(format!("{how} before it was ready: {last}")));
            }
            let ready = match self.manifest.ready {
                Ready::Tcp => {
                    TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
                }
                Ready::Handshake => answers(address),
                Ready::Log => self.watch.is_ready(),
            };
            if ready {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let seconds = limit.as_secs_f64();
                let name = self.name();
                return Err(StartError(format!(
                    "{name} was not ready at {address} after {seconds} s; is the address right?"
                )));
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop_group();
    }
}

/// Whether a server answers C0 C1.
fn answers(address: SocketAddr) -> bool {
    let second = Duration::from_secs(1);
    let Ok(mut link) = Link::connect(address, second, Clock::start()) else { return false };
    let deadline = Instant::now() + second;
    let mut hello = [0; 1 + PACKET_LEN];
    hello[0] = 3;
    link.send(&hello, deadline);
    while link.counts().1 < HANDSHAKE_LEN as u64 {
        if link.fill(deadline) != Filled::Bytes {
            return false;
        }
    }
    true
}

fn describe(name: &str, exit: ExitStatus) -> String {
    match (exit.signal(), exit.code()) {
        (Some(signal), _) => format!("{name} was killed by signal {signal}"),
        (_, Some(code)) => format!("{name} exited with status {code}"),
        _ => format!("{name} exited"),
    }
}
