use rtmpscope::analysis::Record;
use rtmpscope::base::Extents;

use crate::support::lint::{Sample, Script};
use crate::support::packets::{merge, packets};
use crate::support::{C2S, Plan, Role, S2C, V};
use crate::table::{Row, row};

const PING: &[u8] = &[0, 6, 0, 0, 0, 9];
const PONG: &[u8] = &[0, 7, 0, 0, 0, 9];

pub const ROWS: &[Row] = &[
    row(
        "control/ping-unanswered",
        || Script::publish().control(S2C, 4, PING).media(11_000).server_closes(),
        || {
            Script::publish()
                .control(S2C, 4, PING)
                .wait(9)
                .control(C2S, 4, PONG)
                .media(12_000)
                .capture()
        },
    )
    .error(),
    row(
        "control/pong-mismatch",
        || {
            Script::publish()
                .control(S2C, 4, PING)
                .wait(9)
                .control(C2S, 4, &[0, 7, 0, 0, 0, 1])
                .capture()
        },
        || Sample::File("server_ping_idle_player_nginx1937.pcap"),
    ),
    row(
        "control/ping-from-client",
        || Script::publish().control(C2S, 4, PING).capture(),
        || Script::publish().control(S2C, 4, PING).capture(),
    ),
    row("robust/ping/flood", || pings(12), || pings(4)),
    row(
        "control/ack-missing",
        || Script::publish().control(C2S, 5, &[0, 0, 0x27, 0x10]).media(2000).capture(),
        || {
            let script = Script::publish().control(C2S, 5, &[0, 0, 0x27, 0x10]).media(400);
            script.control(S2C, 3, &[0, 0, 0x40, 0]).media(400).capture()
        },
    ),
    row("control/ack-wraps-badly", || wrapped(0), || wrapped(1)).error(),
    row("control/ack-not-cumulative", || acks(&[9000, 9000, 9000]), || acks(&[9000, 18000, 40000])),
    row("control/ack-ahead", || acks(&[100_000_000]), || acks(&[9000])),
    row(
        "control/window-vs-bitrate",
        || Script::publish().control(C2S, 5, &[0, 0x26, 0x25, 0xa0]).media(8000).capture(),
        || Script::publish().control(C2S, 5, &[0, 1, 0x86, 0xa0]).media(8000).capture(),
    ),
    row(
        "rtmp/control/window-ack-zero",
        || Script::publish().control(C2S, 5, &[0; 4]).capture(),
        || Script::publish().control(C2S, 5, &[0, 1, 0, 0]).capture(),
    ),
    row(
        "rtmp/control/set-peer-bandwidth-limit-type",
        || Script::publish().control(S2C, 6, &[0, 1, 0, 0, 7]).capture(),
        || Script::publish().control(S2C, 6, &[0, 1, 0, 0, 1]).capture(),
    )
    .error(),
    row(
        "control/peer-bandwidth-ignored",
        || Script::publish().media(2000).capture(),
        || Script::publish().control(C2S, 5, &[0, 0x26, 0x25, 0xa0]).media(2000).capture(),
    ),
    row(
        "rtmp/control/server-sends-winack-peerbw",
        || accepted().capture(),
        || Script::publish().capture(),
    ),
    row(
        "control/stream-begin-odd",
        || Script::publish().control(S2C, 4, &[0, 0, 0, 0, 0, 9]).capture(),
        || Script::publish().control(S2C, 4, &[0, 0, 0, 0, 0, 0]).capture(),
    ),
    row(
        "control/stream-eof-missing",
        || play().server_closes(),
        || play().control(S2C, 4, &[0, 1, 0, 0, 0, 1]).server_closes(),
    ),
    row("rtmp/ucm/stream-is-recorded", || recorded("example-key"), || recorded("another")),
    row(
        "control/unknown-event",
        || Script::publish().control(S2C, 4, &[0, 99, 0, 0]).capture(),
        || Script::publish().control(S2C, 4, &[0, 31, 0, 0, 0, 1]).capture(),
    ),
    row(
        "rtmp/ucm/swf-verify",
        || Script::publish().control(S2C, 4, &[0, 26, 1]).capture(),
        || Script::publish().capture(),
    ),
    row(
        "rtmp/control/payload-length",
        || Script::publish().control(C2S, 3, &[0, 0]).capture(),
        || Script::publish().control(C2S, 3, &[0, 0, 0, 9]).capture(),
    )
    .error(),
    row(
        "rtmp/control/payload-length",
        || Script::publish().control(C2S, 3, &[0, 0, 0, 9, 9]).capture(),
        || Script::publish().control(S2C, 4, PING).capture(),
    ),
    row(
        "rtmp/control/abort-unknown-csid",
        || Script::publish().control(C2S, 2, &[0, 0, 0, 77]).capture(),
        || Script::publish().media(400).capture(),
    ),
];

fn pings(count: u8) -> Sample {
    let script = (0..count).fold(Script::publish(), |script, i| {
        script.control(S2C, 4, &[0, 6, 0, 0, 0, i]).wait(5).control(C2S, 4, &[0, 7, 0, 0, 0, i])
    });
    script.capture()
}

/// Acknowledgements of a server to which 15 kB are sent before each.
fn acks(values: &[u32]) -> Sample {
    let script = values.iter().fold(Script::publish(), |script, value| {
        script.media(400).control(S2C, 3, &value.to_be_bytes())
    });
    script.capture()
}

/// A publisher that has sent 2^31 bytes between two acknowledgements, of which the second one says
/// 0 or what is right.
fn wrapped(right: u32) -> Sample {
    let (moved, before) = (1_u64 << 31, 20_000_u32);
    let second = right * ((moved as u32).wrapping_add(30_000));
    let script = Script::publish().media(400).control(S2C, 3, &before.to_be_bytes()).media(400);
    let mut records = script.control(S2C, 3, &second.to_be_bytes()).capture().records();
    let mut acked = false;
    for record in &mut records {
        let Record::Message(record) = record else { continue };
        let message = &mut record.message;
        acked |= message.type_id.0 == 3;
        if acked && message.direction == C2S {
            let mut pieces = Extents::new();
            message.pieces.pieces().for_each(|p| pieces.push(p.start + moved, p.end - p.start));
            message.pieces = pieces;
            message.offset += moved;
        }
    }
    Sample::Records(records)
}

fn accepted() -> Script {
    let connect = [V::Str("connect"), V::Num(1.0), V::Obj(vec![("app", V::Str("live"))])];
    let code = vec![("level", V::Str("status")), ("code", V::Str("NetConnection.Connect.Success"))];
    let result = [V::Str("_result"), V::Num(1.0), V::Null, V::Obj(code)];
    Script::connected().command(C2S, &connect).wait(1).command(S2C, &result)
}

fn play() -> Script {
    let plan = Plan { role: Role::Play, ..Plan::new(7) };
    Script::plan(&plan).with(|s| plan.media(s))
}

/// A publisher, and a player of that stream to whom the server says Stream Is Recorded.
fn recorded(key: &str) -> Sample {
    let publisher = Script::publish().media(3000).trace();
    let plan = Plan { role: Role::Play, stream_key: key.into(), ..Plan::new(9) };
    let mut player = Script::plan(&plan).control(S2C, 4, &[0, 4, 0, 0, 0, 1]);
    player.net.client.set_port(50_001);
    player.net.epoch_ns += 1_000_000_000;
    let player = player.trace();
    let link = player.net.link;
    Sample::Packets(packets(&merge(&[&publisher, &player]), link))
}
