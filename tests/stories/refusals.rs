//! The server does not want it, and says so or not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::rig::{KEY, Process, Rig, pause};

/// Words that blame the path.
const NETWORK: &[&str] = &["packet loss", "uplink", "network"];

/// "My URL is right, but FFmpeg says Input/output error."
#[test]
fn an_application_that_does_not_exist() {
    let Some(rig) = Rig::new(&[]) else { return };
    Process::spawn(&mut rig.publisher(&format!("nope/{KEY}"), 5)).finish();
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "command/app-not-found",
        &["FFmpeg", "application", "does not exist", "nope"],
        NETWORK,
    );
    assert!(told.found("close/calls-pending"), "{}", told.all());
}

/// "It connects, says publishing, and dies", again and again.
#[test]
fn a_publish_that_is_denied() {
    let Some(rig) = Rig::new(&[]) else { return };
    for _ in 0..3 {
        Process::spawn(&mut rig.publisher(&format!("deny/{KEY}"), 5)).finish();
    }
    let told = rig.told();
    let tries: Vec<u32> = told
        .headlines
        .iter()
        .filter(|h| h.cause.is_some_and(|rule| rule.id == "publish/start-then-close"))
        .map(|h| h.session)
        .collect();
    assert_eq!(tries.len(), 3, "{}", told.all());
    told.expect(
        tries[0],
        "publish/start-then-close",
        &["nginx-rtmp", "Publish.Start", "refused the publish"],
        &["H.264", "packet loss"],
    );
    assert!(told.found("publish/reconnect-storm"), "{}", told.all());
}

/// "After a Wi-Fi drop I get Already publishing": the frozen publisher stands for the lost one.
#[test]
fn a_ghost_holds_the_name() {
    let Some(rig) = Rig::new(&[]) else { return };
    let path = format!("live/{KEY}");
    let ghost = Process::spawn(&mut rig.publisher(&path, 60));
    rig.wait_for_bytes(20_000);
    ghost.signal("STOP");
    pause(4500);
    Process::spawn(&mut rig.publisher(&path, 5)).finish();
    drop(ghost);
    let told = rig.told();
    let refused =
        told.headlines.iter().find(|h| h.cause.is_some_and(|rule| rule.id == "publish/badname"));
    let session = refused.unwrap_or_else(|| panic!("{}", told.all())).session;
    told.expect(
        session,
        "publish/badname",
        &["already in use", "of the same client", "silent for", "ghost"],
        NETWORK,
    );
}

/// "Secure streaming just hangs."
#[test]
fn rtmps_to_a_plain_port() {
    let Some(rig) = Rig::new(&[]) else { return };
    let url = rig.url(&format!("live/{KEY}")).replace("rtmp:", "rtmps:");
    let mut command = rig.ffmpeg("testsrc=size=160x90:rate=10", &["-c:v", "flv1", "-f", "flv"]);
    let mut client = Process::spawn(command.arg(&url));
    rig.wait_for_bytes(300);
    pause(1500);
    client.stop();
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "tls/clienthello-on-plain-port",
        &["RTMPS client talks to a plain RTMP port"],
        NETWORK,
    );
}

/// Its twin: a browser.
#[test]
fn http_to_an_rtmp_port() {
    let Some(rig) = Rig::new(&[]) else { return };
    let mut browser = TcpStream::connect(("127.0.0.1", rig.port)).expect("connect");
    browser.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").expect("ask");
    browser.set_read_timeout(Some(Duration::from_millis(700))).expect("a timeout");
    let _ = browser.read(&mut [0; 16]);
    drop(browser);
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(session, "http/http-client-on-rtmp-port", &["HTTP"], NETWORK);
}

/// "The player spins for ever": it plays camera2, and camera1 is on air.
#[test]
fn a_name_that_nobody_publishes() {
    let Some(rig) = Rig::new(&[("rtmpdump", "--help")]) else { return };
    let mut publisher = Process::spawn(&mut rig.publisher("live/camera1", 60));
    rig.wait_for_bytes(20_000);
    let mut command = rig.command("rtmpdump");
    command.args(["-q", "-v", "-r", &rig.url("live/camera2"), "-o", "/dev/null"]);
    let mut player = Process::spawn(&mut command);
    pause(3500);
    player.stop();
    publisher.stop();
    let told = rig.told();
    let waits = told
        .headlines
        .iter()
        .find(|h| h.cause.is_some_and(|rule| rule.id == "play/start-without-media"));
    let session = waits.unwrap_or_else(|| panic!("{}", told.all())).session;
    told.expect(
        session,
        "play/start-without-media",
        &["rtmpdump", "nginx-rtmp", "nobody publishes this name", "uses camera1"],
        NETWORK,
    );
}
