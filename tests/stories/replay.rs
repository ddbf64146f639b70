//! What a program once sent, sent again: for programs that a test machine does not have.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::rig::{Process, Rig, pause};
use super::support::lint::read;

/// "HEVC: the publisher is happy, viewers get sound but no picture." FFmpeg 9's bytes to a real
/// nginx-rtmp, which takes them and gives its player no video.
#[test]
fn hevc_to_a_server_that_does_not_know_it() {
    let Some(rig) = Rig::new(&[("rtmpdump", "--help")]) else { return };
    let bytes = client_bytes("enhanced_hevc_ffmpeg9_publish_nginx_rtmp122.pcap");
    let name = stream_name(&bytes);
    let mut command = rig.command("rtmpdump");
    let url = rig.url(&format!("live/{name}"));
    command.args(["-q", "-v", "-r", &url, "-o", "/dev/null"]);
    let mut player = Process::spawn(&mut command);
    // The player's play is answered before the publisher comes.
    rig.wait_for_text("NetStream.Play.Start");

    let mut server = TcpStream::connect(("127.0.0.1", rig.port)).expect("connect");
    server.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let (hello, rest) = bytes.split_at(1537);
    server.write_all(hello).expect("C0 and C1");
    server.read_exact(&mut vec![0; 3073]).expect("S0, S1 and S2");
    // nginx-rtmp takes any C2. The stream's end is not sent: the player has to get its media first.
    let (before, after) = rest.split_at(publish_at(rest) - 12);
    server.write_all(before).expect("connect and createStream");
    // The answers: until createStream's has come, which is the last one.
    let mut answers = Vec::new();
    while !answers.windows(CREATED.len()).any(|window| window == CREATED) {
        let mut buffer = [0; 4096];
        let count = server.read(&mut buffer).expect("an answer");
        assert!(count > 0, "the server closed: {}", rig.server_log());
        answers.extend_from_slice(&buffer[..count]);
    }
    for piece in after[..after.len() - 200].chunks(8000) {
        server.write_all(piece).expect("the session");
        pause(60);
    }
    pause(700);
    player.stop();
    drop(server);
    let told = rig.told();
    let by_rule = |id: &str| {
        let found = told.headlines.iter().find(|h| h.cause.is_some_and(|rule| rule.id == id));
        found.unwrap_or_else(|| panic!("{id}: {}", told.all())).session
    };
    told.expect(
        by_rule("ertmp/not-negotiated"),
        "ertmp/not-negotiated",
        &["FFmpeg", "H.265", "hvc1", "nginx-rtmp", "drops such media"],
        &["packet loss"],
    );
    told.expect(
        by_rule("play/phantom-track"),
        "play/phantom-track",
        &["rtmpdump", "no video came"],
        &["packet loss"],
    );
}

/// `_result` with transaction id 4.
const CREATED: &[u8] = b"\x02\0\x07_result\0\x40\x10\0\0\0\0\0\0";

/// What the client of a recording sent: Ethernet, IPv4, one connection without losses.
fn client_bytes(name: &str) -> Vec<u8> {
    let mut pieces: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut first = None;
    for packet in read(name) {
        let data = &packet.data[..];
        let ip = data.get(14..).expect("an IPv4 packet");
        let header = usize::from(ip[0] & 0xf) * 4;
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[header..total];
        let from = u16::from_be_bytes([tcp[0], tcp[1]]);
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        // The SYN without ACK is the client's.
        if tcp[13] & 0x12 == 0x02 {
            first = Some((from, sequence.wrapping_add(1)));
        }
        let Some((client, start)) = first.filter(|(client, _)| *client == from) else { continue };
        let _ = client;
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        if !payload.is_empty() {
            pieces.entry(sequence.wrapping_sub(start)).or_insert_with(|| payload.to_vec());
        }
    }
    let mut bytes = Vec::new();
    for (offset, piece) in pieces {
        assert!(offset as usize <= bytes.len(), "the recording is whole");
        let known = bytes.len() - offset as usize;
        bytes.extend_from_slice(piece.get(known..).unwrap_or_default());
    }
    bytes
}

/// Where the client's `publish` begins.
fn publish_at(bytes: &[u8]) -> usize {
    let publish = b"\x02\0\x07publish";
    bytes.windows(publish.len()).position(|window| window == publish).expect("publish")
}

/// The name in the client's `publish`.
fn stream_name(bytes: &[u8]) -> String {
    // The command's name, a transaction id of 9 bytes, null, then a string.
    let name = &bytes[publish_at(bytes) + 10 + 9 + 1..];
    let len = usize::from(u16::from_be_bytes([name[1], name[2]]));
    String::from_utf8(name[3..3 + len].to_vec()).expect("a name")
}
