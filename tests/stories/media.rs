//! What is sent.

use super::rig::{KEY, Process, Rig, pause};
use super::support::lint::{Sample, Script, findings};
use super::support::{ExtendedTimestampHabit, FmtPolicy, Plan};

/// "It dies on the first complex scene": a key frame of noise beyond nginx-rtmp's 1 MiB.
#[test]
fn a_message_beyond_the_servers_limit() {
    let Some(rig) = Rig::new(&[]) else { return };
    let more = ["-frames:v", "8", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "4"];
    let input = "color=gray:size=1280x720:rate=10,noise=alls=100:allf=t";
    let mut command = rig.ffmpeg(input, &more);
    command.args(["-pix_fmt", "yuv444p", "-f", "flv", &rig.url(&format!("live/{KEY}"))]);
    Process::spawn(&mut command).finish();
    assert!(rig.server_log().contains("too big message"), "{}", rig.server_log());
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(
        session,
        "chunk/message-too-large",
        &["bigger than the server accepts", "nginx-rtmp", "video message"],
        &["signature", "packet loss"],
    );
    assert!(told.found("close/mid-message"), "{}", told.all());
}

/// "The stream dies every day after 4 h 39 min." FFmpeg repeats the extended timestamp; a sender
/// that leaves it out must be made.
#[test]
fn timestamps_beyond_24_bits() {
    let Some(rig) = Rig::new(&[]) else { return };
    let mut command = rig.publisher(&format!("live/{KEY}"), 2);
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let (url, arguments) = arguments.split_last().expect("a URL");
    command = rig.command("ffmpeg");
    command.args(arguments).args(["-output_ts_offset", "20000"]).arg(url);
    Process::spawn(&mut command).finish();
    let told = rig.told();
    let session = told.headlines.last().expect("a session").session;
    told.expect(session, "", &["FFmpeg", "published H.264/AAC", "nginx-rtmp"], &["failed", "But"]);
    assert!(told.found("media/timestamp-start-high"), "{}", told.all());

    let plan = Plan {
        start_timestamp: 20_000_000,
        habit: ExtendedTimestampHabit::Omit,
        fmt: FmtPolicy::Full,
        ..Plan::new(7)
    };
    let sample: Sample = Script::plan(&plan).with(|s| plan.media(s)).server_closes();
    let found = findings(sample);
    let found: Vec<&str> = found.iter().map(|finding| finding.id()).collect();
    assert!(found.contains(&"chunk/ext-ts-missing-on-type3"), "{found:?}");
}

/// "The player takes ages to start": the metadata promises audio that is never sent.
#[test]
fn a_track_that_is_only_promised() {
    let Some(rig) = Rig::new(&[("rtmpdump", "--help")]) else { return };
    let more = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"];
    let mut command = rig.ffmpeg("testsrc=size=160x90:rate=10", &more);
    command.args([
        "-pix_fmt",
        "yuv420p",
        "-t",
        "60",
        "-f",
        "flv",
        &rig.url(&format!("live/{KEY}")),
    ]);
    let mut publisher = Process::spawn(&mut command);
    rig.wait_for_bytes(20_000);
    let mut command = rig.command("rtmpdump");
    let url = rig.url(&format!("live/{KEY}"));
    command.args(["-q", "-v", "-r", &url, "-o", "/dev/null"]);
    let mut player = Process::spawn(&mut command);
    pause(4500);
    player.stop();
    publisher.stop();
    let told = rig.told();
    let player =
        told.headlines.iter().find(|h| h.cause.is_some_and(|rule| rule.id == "play/phantom-track"));
    let session = player.unwrap_or_else(|| panic!("{}", told.all())).session;
    told.expect(session, "play/phantom-track", &["no audio came", "nginx-rtmp"], &["packet loss"]);
}
