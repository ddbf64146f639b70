//! Sessions in which nothing is wrong.

use rtmpscope::lint::Severity;

use super::rig::{KEY, Process, Rig, Told, has_all};

/// No warning and no error, and the sentence says what it was.
#[track_caller]
fn clean(told: &Told, says: &[&str]) {
    let session = told.headlines.last().expect("a session").session;
    told.expect(session, "", says, &["failed", "But"]);
    let bad = told.findings.iter().filter(|finding| finding.severity > Severity::Note);
    assert_eq!(bad.count(), 0, "{}", told.all());
}

#[test]
fn ffmpeg_publishes() {
    let Some(rig) = Rig::new(&[]) else { return };
    Process::spawn(&mut rig.publisher(&format!("live/{KEY}"), 3)).finish();
    let says = ["FFmpeg (Lavf", "published H.264/AAC", "to nginx-rtmp", "closed by the client"];
    clean(&rig.told(), &says);
}

#[test]
fn gstreamer_publishes() {
    let Some(rig) = Rig::new(&[("gst-launch-1.0", "--version")]) else { return };
    if !has_all(&[("gst-inspect-1.0", "--version")]) {
        return;
    }
    let url = format!("location={}", rig.url(&format!("live/{KEY}")));
    let mut command = rig.command("gst-launch-1.0");
    command.args(["-q", "videotestsrc", "is-live=true", "num-buffers=30", "!"]);
    command.args(["video/x-raw,width=160,height=90,framerate=10/1", "!"]);
    command.args(["x264enc", "tune=zerolatency", "speed-preset=ultrafast", "key-int-max=10", "!"]);
    command.args(["flvmux", "streamable=true", "!", "rtmp2sink", &url]);
    Process::spawn(&mut command).finish();
    clean(&rig.told(), &["GStreamer", "published H.264", "to nginx-rtmp"]);
}

#[test]
fn rtmpdump_plays() {
    let Some(rig) = Rig::new(&[("rtmpdump", "--help")]) else { return };
    let path = format!("live/{KEY}");
    let mut publisher = Process::spawn(&mut rig.publisher(&path, 60));
    rig.wait_for_bytes(20_000);
    let mut command = rig.command("rtmpdump");
    command.args(["-q", "-v", "-r", &rig.url(&path), "-o", "/dev/null"]);
    let mut player = Process::spawn(&mut command);
    rig.wait_for_bytes(40_000);
    player.stop();
    publisher.stop();
    clean(&rig.told(), &["rtmpdump", "played H.264/AAC", "from nginx-rtmp"]);
}
