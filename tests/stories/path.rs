//! What the path does, and what the receiver does.

use super::rig::{KEY, Process, Rig, pause, signal};

/// 4 Mbit/s of noise that no encoder can make small.
fn heavy(rig: &Rig) -> Process {
    let more = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"];
    let mut command = rig.ffmpeg("testsrc=size=320x180:rate=25,noise=alls=80:allf=t", &more);
    command.args(["-pix_fmt", "yuv420p", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M"]);
    command.args(["-bufsize", "1M", "-g", "50", "-t", "60", "-f", "flv"]);
    Process::spawn(command.arg(rig.url(&format!("live/{KEY}"))))
}

/// "OBS drops frames and the picture lags more and more": the path carries 1.5 of 4 Mbit/s.
#[test]
fn an_uplink_that_is_too_small() {
    let link = "tc qdisc add dev lo root tbf rate 1500kbit burst 16kb latency 200ms";
    let Some(rig) = Rig::with_link(&[link]) else { return };
    let mut publisher = heavy(&rig);
    // 1.5 Mbit/s for more than the 10 s over which the pace is measured.
    rig.wait_for_bytes(2_600_000);
    publisher.stop();
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "tcp/uplink-saturated",
        &["FFmpeg", "path carries less than the encoder produces"],
        &["stopped reading", "packet loss on the path"],
    );
    assert!(told.found("media/slower-than-realtime"), "{}", told.all());
}

/// The same symptom with another culprit: the server stopped reading.
#[test]
fn a_server_that_stops_reading() {
    // Kernels differ in how much a receiver may hold: tens of megabytes would take a minute to fill.
    let buffer = "sysctl -q -w net.ipv4.tcp_rmem=4096\t131072\t262144";
    let Some(rig) = Rig::with_link(&[buffer]) else { return };
    let mut publisher = heavy(&rig);
    rig.wait_for_bytes(500_000);
    let server = rig.server_pid();
    signal(server, "STOP");
    rig.wait_for_standstill();
    pause(6000);
    signal(server, "CONT");
    rig.wait_for_bytes(200_000);
    publisher.stop();
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "tcp/zero-window-stall",
        &["receiver stopped reading", "nginx-rtmp"],
        &["packet loss", "path carries less"],
    );
}
