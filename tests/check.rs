//! The runner of conformance cases against servers that do everything wrong, and the program's exit
//! codes.
#![cfg(feature = "cli")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rtmpscope::base::Direction;
use rtmpscope::conform::result::Run;
use rtmpscope::conform::server::Manifest;
use rtmpscope::conform::{
    self, ExpectFile, Expectations, Options, Pattern, Pick, RunError, Target,
};
use rtmpscope::peer::server::{Options as ServerOptions, Server};

/// Time limits a tenth of the usual ones.
const FAST: f64 = 0.1;

/// Far more than any of these runs takes; a run that goes on without end fails.
const BOUND: Duration = Duration::from_secs(60);

fn run(url: &str, only: &[&str], options: &Options) -> Result<Run, RunError> {
    run_told(url, only, options, &|| {})
}

fn run_told(
    url: &str,
    only: &[&str],
    options: &Options,
    told: &(dyn Fn() + Sync),
) -> Result<Run, RunError> {
    let started = Instant::now();
    let only = only.iter().map(|word| Pattern::new(word).unwrap()).collect();
    let cases = Pick { only, ..Pick::default() }.cases().unwrap();
    let target = Target::parse(url).unwrap();
    let run = conform::run(target, None, &cases, options, &|_| told());
    assert!(started.elapsed() < BOUND, "took {:?}", started.elapsed());
    run
}

fn fast() -> Options {
    Options { timeout_scale: FAST, jobs: 1, ..Options::default() }
}

/// A server made of what it does with each connection.
fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = Arc::clone(&handle);
            thread::spawn(move || handle(stream));
        }
    });
    address
}

fn refusal(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let address = serve(handle);
    run(&format!("rtmp://{address}/live"), &[], &fast()).expect_err("there is nothing to test").0
}

#[test]
fn a_server_that_is_not_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = run(&format!("rtmp://{free}/live"), &[], &fast()).unwrap_err();
    assert!(error.0.contains("cannot connect"), "{error}");
}

#[test]
fn a_server_that_says_nothing() {
    let error = refusal(|stream| {
        thread::sleep(BOUND);
        drop(stream);
    });
    assert!(error.contains("answers nothing"), "{error}");
}

#[test]
fn a_web_server() {
    let error = refusal(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    assert!(error.contains("web server"), "{error}");
}

#[test]
fn a_server_that_trickles() {
    let error = refusal(|mut stream| {
        while stream.write_all(&[3]).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(error.contains("not complete"), "{error}");
}

#[test]
fn a_server_that_floods() {
    let error = refusal(|mut stream| {
        let mut flight = vec![0; 3073];
        flight[0] = 3;
        let _ = stream.write_all(&flight);
        while stream.write_all(&[0x42; 1 << 16]).is_ok() {}
    });
    assert!(error.contains("does not accept connect"), "{error}");
}

#[test]
fn a_server_that_dies_in_the_middle() {
    let server = Mutex::new(Some(Server::start(ServerOptions::default()).unwrap()));
    let url = server.lock().unwrap().as_ref().unwrap().url();
    let run = run_told(&url, &["connect", "call"], &fast(), &|| {
        server.lock().unwrap().take().map(Server::stop);
    })
    .unwrap();
    let names: Vec<_> = run.cases.iter().map(|case| case.verdict.name()).collect();
    assert_eq!(names[..2], ["PASS", "CRASH"], "{names:?}");
    assert!(names.len() > 5 && names[2..].iter().all(|name| *name == "INCONCLUSIVE"), "{names:?}");
}

/// Several cases are under way then, and none can be tried again: it must not look like a pass.
#[test]
fn a_server_that_dies_while_cases_run_side_by_side() {
    let server = Mutex::new(Some(Server::start(ServerOptions::default()).unwrap()));
    let url = server.lock().unwrap().as_ref().unwrap().url();
    let options = Options { jobs: 4, ..fast() };
    let run = run_told(&url, &["connect", "call", "amf0"], &options, &|| {
        server.lock().unwrap().take().map(Server::stop);
    })
    .unwrap();
    let crashed: Vec<_> = run.cases.iter().filter(|case| case.verdict.name() == "CRASH").collect();
    assert_eq!(crashed.len(), 1, "{:?}", run.cases.iter().map(|c| &c.verdict).collect::<Vec<_>>());
    let lost = run.cases.iter().filter(|case| case.verdict.name() == "INCONCLUSIVE").count();
    assert!(lost > 5, "{lost}");
}

/// Whatever breaks the server is found among the cases that were under way, and none is lost.
#[test]
fn a_server_that_is_started_again_when_it_dies() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let faults = "--defect chunk/fmt0-mid-message-panics --defect chunk/fmt1-mid-message-panics";
    let line =
        format!("{} serve --listen 127.0.0.1:{port} {faults}", env!("CARGO_BIN_EXE_rtmpscope"));
    let manifest = Manifest::of_command(&line).unwrap();
    let only = vec![Pattern::new("rtmp/chunk").unwrap(), Pattern::new("handshake").unwrap()];
    let cases = Pick { only, ..Pick::default() }.cases().unwrap();
    let target = Target::parse(&format!("rtmp://127.0.0.1:{port}/live")).unwrap();
    let options = Options { jobs: 8, ..Options::default() };
    let run = conform::run(target, Some(&manifest), &cases, &options, &|_| {}).unwrap();
    let ids = |all: &mut dyn Iterator<Item = &'static str>| all.collect::<Vec<_>>();
    assert_eq!(ids(&mut run.cases.iter().map(|c| c.id)), ids(&mut cases.iter().map(|c| c.id)));
    let crashed = ids(&mut run.cases.iter().filter(|c| c.verdict.name() == "CRASH").map(|c| c.id));
    let killers = ["rtmp/chunk/fmt012-mid-message", "rtmp/chunk/fmt1-length-change-mid-message"];
    assert_eq!(crashed, killers);
}

#[test]
fn a_server_that_hangs_in_the_middle() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let behind = server.address();
    let hangs = Arc::new(AtomicBool::new(false));
    let is_hung = Arc::clone(&hangs);
    let front = serve(move |stream| {
        if is_hung.load(Ordering::SeqCst) {
            thread::sleep(BOUND);
            return;
        }
        let other = TcpStream::connect(behind).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), other.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
        let (mut from, mut to) = (other, stream);
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let url = format!("rtmp://{front}/live");
    let run =
        run_told(&url, &["connect"], &fast(), &|| hangs.store(true, Ordering::SeqCst)).unwrap();
    let names: Vec<_> = run.cases.iter().map(|case| case.verdict.name()).collect();
    assert_eq!(names[..2], ["PASS", "HANG"], "{names:?}");
    assert!(names[2..].iter().all(|name| *name == "INCONCLUSIVE"), "{names:?}");
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let sent = |seed| -> Vec<Vec<u8>> {
        let options = Options { seed, jobs: 1, ..Options::default() };
        let run = run(&server.url(), &["amf0", "rtmp/connect/twice"], &options).unwrap();
        let all = run.cases.iter().flat_map(|case| &case.transcripts);
        // C2 repeats the server's random bytes.
        all.map(|t| t.bytes(Direction::ClientToServer))
            .map(|b| [&b[..1537.min(b.len())], &b[3073.min(b.len())..]].concat())
            .collect()
    };
    let first = sent(1);
    assert!(first.len() > 20);
    assert_eq!(first, sent(1));
    assert_ne!(first, sent(2));
}

#[test]
fn expectations_are_met_or_stale() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let entry = |id: &str, result: &str, until: &str| {
        format!("[[expect]]\nid = \"{id}\"\nresult = \"{result}\"\nreason = \"r\"\n{until}\n")
    };
    let apply = |text: &str| {
        let mut run = run(&server.url(), &["rtmp/handshake/s0-version"], &fast()).unwrap();
        let file: ExpectFile = toml::from_str(text).unwrap();
        Expectations::new(file).unwrap().apply(&mut run, "2026-11-27", None);
        run.stale
    };
    assert_eq!(apply(&entry("rtmp/handshake/s0-version", "pass", "")), [""; 0]);
    let stale = apply(&entry("rtmp/handshake/s0-version", "fail", ""));
    assert!(stale[0].contains("expects fail, and there was PASS"), "{stale:?}");
    let stale = apply(&entry("rtmp/nothing/*", "fail", ""));
    assert!(stale[0].contains("matches no case"), "{stale:?}");
    let stale = apply(&entry("rtmp/handshake/*", "fail", "until = \"2026-11-26\""));
    assert!(stale[0].contains("over since"), "{stale:?}");
    // An entry for other cases than those that ran says nothing.
    assert_eq!(apply(&entry("rtmp/chunk/*", "fail", "")), [""; 0]);
}

// ---- the program ----

fn program(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .arg("check")
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn exit_codes() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let url = server.url();
    let (code, text, _) = program(&[&url, "--only", "rtmp/handshake/s0-version"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 PASS"), "{text}");
    let (code, _, error) = program(&[&url, "--only", "no-such-case"]);
    assert_eq!(code, 2);
    assert!(error.contains("no-such-case"), "{error}");
    let (code, _, error) = program(&["rtmp://127.0.0.1:1/live"]);
    assert_eq!(code, 3, "{error}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("expect.toml");
    fs::write(&file, "[[expect]]\nid = \"handshake\"\nresult = \"fail\"\nreason = \"r\"\n")
        .unwrap();
    let (code, text, _) =
        program(&[&url, "--only", "rtmp/handshake/s0-version", "--expect", file.to_str().unwrap()]);
    assert_eq!(code, 4, "{text}");
}

#[test]
fn a_failed_case_is_saved_as_a_capture_that_shows_the_fault() {
    // A server whose S0 is 7, and that is conforming otherwise.
    let server = Server::start(ServerOptions::default()).unwrap();
    let behind = server.address();
    let first = Arc::new(AtomicBool::new(true));
    let front = serve(move |stream| {
        let other = TcpStream::connect(behind).unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), other.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (other, stream);
        let mut s0 = [0; 1];
        if from.read_exact(&mut s0).is_ok() {
            // Not on the first connection, by which the probe knows that this is RTMP.
            let wrong = !first.swap(false, Ordering::SeqCst);
            let _ = to.write_all(&[if wrong { 7 } else { 3 }]);
            let _ = std::io::copy(&mut from, &mut to);
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let pcaps = dir.path().to_str().unwrap();
    let url = format!("rtmp://{front}/live");
    let arguments = [&*url, "--only", "rtmp/handshake/s0-version", "--save-pcap", pcaps];
    let (code, text, _) = program(&arguments);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("S0 is 7"), "{text}");
    let saved = dir.path().join("rtmp-handshake-s0-version.pcapng");
    let output = Command::new(env!("CARGO_BIN_EXE_rtmpscope"))
        .args(["dump", "--format", "ndjson", "--decode-as"])
        .arg(format!("tcp.port=={}", front.port()))
        .arg(&saved)
        .output()
        .unwrap();
    let dump = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{dump}");
    assert!(dump.contains("\"version\":7"), "{dump}");
}

#[test]
fn the_server_of_a_manifest_is_started_and_stopped() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let manifest = dir.path().join("server.toml");
    let program_path = env!("CARGO_BIN_EXE_rtmpscope");
    let text = format!(
        "name = \"ours\"\nstart = [\"sh\", \"-c\", \"{program_path} serve --listen 127.0.0.1:{port}; true\"]\n\
         url = \"rtmp://127.0.0.1:{port}/live\"\n"
    );
    fs::write(&manifest, text).unwrap();
    let manifest = manifest.to_str().unwrap();
    let (code, text, error) = program(&["doctor", "--server", manifest]);
    assert_eq!(code, 0, "{text}{error}");
    assert!(text.contains("stops      ok"), "{text}");
    let (code, text, error) =
        program(&["--server", manifest, "--only", "rtmp/handshake/s0-version"]);
    assert_eq!(code, 0, "{text}{error}");
    // The shell's child is gone too.
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    // And it goes when the run is stopped by a signal.
    let mut run = Command::new(program_path);
    run.args(["check", "--server", manifest, "--slow", "--only", "*idle*"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let since = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(since.elapsed() < BOUND && run.try_wait().unwrap().is_none(), "it does not start");
        thread::sleep(Duration::from_millis(10));
    }
    let status = Command::new("kill").arg(run.id().to_string()).status().unwrap();
    assert!(status.success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    // The kernel takes its time to carry out a kill.
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(since.elapsed() < BOUND, "it outlives the run");
        thread::sleep(Duration::from_millis(10));
    }
}
