use crate::support::lint::{Sample, Script};
use crate::support::packets::{ACK, RST, SYN, Segment};
use crate::support::{C2S, Direction, S2C, Trace};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    row("tcp/connect-refused", refused, || Script::silent().capture()).error(),
    row("tcp/connect-timeout", unanswered, || Sample::File("oneway_client_to_server_only.pcap"))
        .error(),
    row("tcp/probe-connection", || Script::silent().capture(), || Script::connected().capture()),
    row("tcp/proxy-protocol-preamble", || proxy().server_closes(), || Script::publish().capture())
        .error(),
    row(
        "tcp/zero-window-stall",
        || Sample::File("stall_zero_window_server_stopped_6s.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    )
    .error(),
    row(
        "tcp/loss-burst",
        || Sample::File("net_loss3_dup2_reorder10_delay20_publish_server_side.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
    row(
        "tcp/capture-gap",
        || Sample::File("derived_gap_acked_unseen.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
    // Half as fast as real time: with queues on the path, and with an encoder that is slow.
    row("tcp/uplink-saturated", || slow(100), || slow(0)),
    row(
        "tcp/nagle-delayed-ack",
        || Sample::File("ffmpeg_publish_nginx.pcap"),
        || Script::publish().media(400).capture(),
    ),
    row("tcp/peer-vanished", || again(1200, 6, false), || again(1200, 6, true)).error(),
    row("tcp/full-size-segments-lost", || again(1448, 6, true), || again(1448, 2, true)).error(),
    row(
        "tcp/idle-cut",
        || Script::publish().media(400).silence(60_100).reset(S2C),
        || Script::publish().media(400).silence(45_000).reset(S2C),
    ),
    row(
        "tcp/reset-hides-status",
        || Sample::File("publish_denied_nginx.pcap"),
        || Sample::File("ffmpeg_publish_nginx.pcap"),
    ),
];

fn segments(list: &[(i64, Direction, i64, u8)]) -> Sample {
    let Trace { net, streams, .. } = Script::silent().trace();
    let segments = list
        .iter()
        .map(|(ms, direction, seq, flags)| Segment {
            time_ns: ms * 1_000_000,
            direction: *direction,
            seq: *seq,
            ack: 0,
            flags: *flags,
            payload: Default::default(),
            offload: false,
            snaplen: None,
        })
        .collect();
    Sample::Packets(Trace { net, segments, streams }.packets())
}

fn refused() -> Sample {
    segments(&[(0, C2S, -1, SYN), (1, S2C, 0, RST | ACK)])
}

fn unanswered() -> Sample {
    segments(&[(0, C2S, -1, SYN), (1000, C2S, -1, SYN), (3000, C2S, -1, SYN)])
}

fn proxy() -> Script {
    let mut script = Script::silent();
    let hello = crate::support::handshake::simple(&mut script.s.rng).client_hello;
    script.raw(C2S, b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 1935\r\n").raw(C2S, &hello)
}

/// A publisher at half speed whose acknowledgements come so many milliseconds late after a second.
fn slow(late_ms: i64) -> Sample {
    let mut script = Script::publish();
    for picture in 0..400 {
        script = script.video(picture * 40, picture % 50 == 0, 2000).wait(80);
    }
    let mut trace = script.trace();
    for segment in &mut trace.segments {
        if segment.direction == S2C && !segment.is_data() && segment.time_ns > 1_000_000_000 {
            segment.time_ns += late_ms * 1_000_000;
        }
    }
    trace.segments.sort_by_key(|segment| segment.time_ns);
    Sample::Packets(trace.packets())
}

/// A publisher whose last segment of so many bytes is sent again and again, at growing distances,
/// with or without an answer of the server to something behind it.
fn again(len: usize, times: i64, answers: bool) -> Sample {
    let mut trace = Script::publish().media(1000).trace();
    let end = trace.streams[0].len() as i64;
    let server = trace.streams[1].len() as i64;
    let mut now = trace.segments.last().map_or(0, |segment| segment.time_ns);
    let mut push = |direction, seq, ack, flags, len: usize, wait_ms: i64| {
        now += wait_ms * 1_000_000;
        let payload = vec![7; len].into();
        let (offload, snaplen) = (false, None);
        trace.segments.push(Segment {
            time_ns: now,
            direction,
            seq,
            ack,
            flags,
            payload,
            offload,
            snaplen,
        });
    };
    push(C2S, end, server, ACK, len, 20);
    push(C2S, end + len as i64, server, ACK, 100, 1);
    for time in 0..times {
        if answers {
            push(S2C, server, end, ACK, 0, 1);
        }
        push(C2S, end, server, ACK, len, 300 << time);
    }
    Sample::Packets(trace.packets())
}
