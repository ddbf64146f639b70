//! The chunk stream (RTMP 5.3): sizes, basic headers, message headers, interleaving.

use std::time::Duration;

use super::support_a::{call, caller, relayed};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Setup, Stop, T, Verdict};
use crate::wire::amf::Value;
use crate::wire::chunk::MessageHeader;
use crate::wire::message::Body;

/// A relayed stream.
const RELAY: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/chunk/default-size-128",
        "Before any Set Chunk Size, chunks carry at most 128 bytes",
        default_size_128,
    )
    .sections(&["RTMP 5.4.1"])
    .explain(
        "connect of 400 bytes in chunks of 128",
        "connect is answered, and the answer reads with 128 until the server's own Set Chunk Size",
    ),
    Case::new(
        "rtmp/chunk/size-per-direction",
        "Each direction has its own chunk size",
        size_per_direction,
    )
    .sections(&["RTMP 5.3", "RTMP 5.4.1"])
    .explain(
        "Set Chunk Size 4096 and a command of 3000 bytes in one chunk",
        "it is answered, and the answer reads with the server's own size",
    ),
    Case::new(
        "rtmp/chunk/set-chunk-size-immediate",
        "A new chunk size is in force from the next chunk on",
        set_chunk_size_immediate,
    )
    .sections(&["RTMP 5.4.1"])
    .explain("in one segment: Set Chunk Size 65536, connect of 1000 bytes in one chunk", "an answer"),
    Case::new(
        "rtmp/chunk/set-chunk-size-mid-message",
        "A size changed between two chunks of a message holds for the rest of that message",
        set_chunk_size_mid_message,
    )
    .sections(&["RTMP 5.4.1"])
    .explain(
        "128 of 600 bytes on chunk stream 5, Set Chunk Size 256, the rest in chunks of 256",
        "the command is answered",
    ),
    Case::new(
        "rtmp/chunk/basic-header-1byte",
        "Any chunk stream id of 2 to 63 is accepted, not only the customary ones",
        basic_header_1byte,
    )
    .sections(&["RTMP 5.3.1.1"])
    .explain("createStream on chunk streams 3, 8, 20 and 63", "all answered; NONSTRICT when some are"),
    Case::new(
        "rtmp/chunk/basic-header-2byte",
        "Chunk stream ids 64 to 319 in two bytes are accepted",
        |t| t.each([("csid 64", 64), ("csid 319", 319)], on_csid),
    )
    .sections(&["RTMP 5.3.1.1"])
    .explain("createStream on chunk streams 64 and 319", "both answered"),
    Case::new(
        "rtmp/chunk/basic-header-3byte",
        "Chunk stream ids 320 to 65599 in three bytes, low byte first, are accepted and kept apart",
        |t| {
            let pairs = [("csids 320 and 65599", [320, 65_599]), ("csids 322 and 577", [322, 577])];
            t.each(pairs, interleaved)
        },
    )
    .sections(&["RTMP 5.3.1.1"])
    .explain(
        "two commands in two chunks each, interleaved, on 320 and 65599, then on 322 and 577 \
         whose bytes are swapped",
        "all answered",
    ),
    Case::new(
        "rtmp/chunk/basic-header-overlong",
        "An id of 64 to 319 in the three-byte form is the same id as in two bytes",
        basic_header_overlong,
    )
    .may()
    .sections(&["RTMP 5.3.1.1"])
    .explain("a command on 100, begun in the 2-byte form, continued in the 3-byte form", "an answer"),
    Case::new("rtmp/chunk/fmt1", "A header of format 1 inherits the message stream id", |t| {
        relayed(t, false, &[(0, 0, 90), (1, 20, 120), (1, 40, 60), (1, 60, 300)])
    })
    .sections(&["RTMP 5.3.1.2.2"])
    .needs(RELAY)
    .explain("audio with format 0, then format 1 of other lengths", "the player gets all of it"),
    Case::new("rtmp/chunk/fmt2", "A header of format 2 inherits stream id, length and type", |t| {
        relayed(t, false, &[(0, 0, 90), (2, 20, 90), (2, 43, 90), (2, 60, 90)])
    })
    .sections(&["RTMP 5.3.1.2.3"])
    .needs(RELAY)
    .explain("audio with format 0, then format 2 of the same length", "the player gets all of it"),
    Case::new(
        "rtmp/chunk/fmt3-new-message",
        "A header of format 3 after a whole message begins the next one, with the same step in time",
        |t| relayed(t, false, &[(0, 0, 90), (2, 20, 90), (3, 40, 90), (3, 60, 90)]),
    )
    .sections(&["RTMP 5.3.1.2.4"])
    .needs(RELAY)
    .explain("audio: format 0, format 2 with delta 20, format 3 twice", "the player sees steps of 20"),
    Case::new(
        "rtmp/chunk/fmt3-after-fmt0",
        "Format 3 right after format 0 adds the timestamp of the latter: SRS, librtmp, FFmpeg and \
         node-media-server do; nginx-rtmp and gortmplib add 0",
        fmt3_after_fmt0,
    )
    .de_facto()
    .sections(&["RTMP 5.3.1.2.4"])
    .needs(RELAY)
    .explain("audio: format 0 with time T, then format 3", "a step of T; NONSTRICT for a step of 0"),
    Case::new(
        "rtmp/chunk/interleaving",
        "Chunks of messages on different chunk streams may be interleaved",
        |t| interleaved(t, [3, 8]),
    )
    .sections(&["RTMP 5.1", "RTMP 5.3"])
    .explain("two commands of 500 bytes on chunk streams 3 and 8, chunk by chunk", "both answered"),
    Case::new(
        "rtmp/chunk/interleave-control",
        "Control messages between the chunks of another message are acted upon at once",
        interleave_control,
    )
    .should()
    .sections(&["RTMP 5.4", "RTMP 6.2"])
    .explain(
        "a Ping Request after the first chunk of a command whose rest comes 2 s later",
        "the ping is answered first; NONSTRICT when it is answered after the command",
    ),
    Case::new(
        "rtmp/chunk/multiple-msid-one-csid",
        "Messages of several message streams may share a chunk stream",
        multiple_msid_one_csid,
    )
    .may()
    .sections(&["RTMP 5.3.1.2.5"])
    .needs(&[Need::Publish])
    .explain("publish on one stream, a data message on another, both on chunk stream 8", "goes on"),
    Case::new(
        "rtmp/chunk/msid-little-endian",
        "The message stream id is little-endian",
        msid_little_endian,
    )
    .sections(&["RTMP 5.3.1.2.5"])
    .needs(&[Need::Publish])
    .explain("publish", "onStatus comes on the stream's id; FAIL when its bytes are swapped"),
    Case::new(
        "rtmp/chunk/one-byte-delivery",
        "Any segmentation works, down to a byte per segment",
        one_byte_delivery,
    )
    .sections(&["RTMP 5.3"])
    .explain("handshake, connect and createStream byte by byte, 1 ms apart", "answers"),
    Case::new(
        "rtmp/chunk/all-in-one-segment",
        "C2, connect, createStream and publish in one write are answered in order",
        all_in_one_segment,
    )
    .sections(&["RTMP 5.3"])
    .needs(&[Need::Publish])
    .explain("all of it in one write after S2", "all answered; NONSTRICT when publish is not"),
];

fn default_size_128(t: &mut T) -> Outcome {
    let mut c = t.handshaken()?;
    let padding = Value::string(&format!("http://localhost/{}.swf", "x".repeat(300)));
    c.send(t.connect_message(&[("swfUrl", padding)]));
    c.expect_result(1.0)?;
    judge_reading(t, &c)
}

/// Whether the server's bytes read without a fault of the chunk layer.
fn judge_reading(t: &T, c: &Conn) -> Outcome {
    use crate::rtmp::AnomalyKind::{ChunkSizeInferred, LostSync, NoPreviousHeader, Resynced};
    let lost = [LostSync, Resynced, ChunkSizeInferred, NoPreviousHeader];
    match c.anomalies().iter().find(|anomaly| lost.contains(&anomaly.kind)) {
        Some(a) => t.fail(format!("at byte {} of the server's: {}", a.offset, a.detail)),
        None => t.pass(),
    }
}

fn size_per_direction(t: &mut T) -> Outcome {
    let mut c = caller(t, 3000)?;
    let transaction = c.set_chunk_size(4096).fresh_transaction();
    c.send(call(transaction, 3000));
    c.expect_reply(transaction)?;
    let copied = |m: &crate::rtmp::Message| matches!(m.body, Body::SetChunkSize { size: 4096, .. });
    if c.since_mark().iter().any(copied) {
        t.note("the server sends our chunk size back");
    }
    judge_reading(t, &c)
}

fn set_chunk_size_immediate(t: &mut T) -> Outcome {
    let mut c = t.handshaken()?;
    let padding = Value::string(&"x".repeat(800));
    let connect = t.connect_message(&[("pageUrl", padding)]);
    c.hold().set_chunk_size(65_536).send(connect).release();
    c.expect_result(1.0)?;
    t.pass()
}

fn set_chunk_size_mid_message(t: &mut T) -> Outcome {
    let mut c = caller(t, 600)?;
    let transaction = c.fresh_transaction();
    let mut message = c.begin(call(transaction, 600).csid(5))?;
    c.chunk(&mut message);
    c.set_chunk_size(256).rest(&mut message);
    c.expect_reply(transaction)?;
    t.pass()
}

/// `createStream` on a chunk stream.
fn on_csid(t: &mut T, csid: u32) -> Outcome {
    let mut c = t.connected()?;
    let transaction = c.fresh_transaction();
    c.send(call(transaction, 35).csid(csid));
    c.expect_reply(transaction)?;
    t.pass()
}

fn basic_header_1byte(t: &mut T) -> Outcome {
    let mut refused = Vec::new();
    for csid in [3, 8, 20, 63] {
        match on_csid(t, csid) {
            Err(Stop::Fail(_)) => refused.push(csid.to_string()),
            outcome => drop(outcome?),
        }
    }
    let text = format!("refused on chunk stream {}", refused.join(", "));
    if refused.len() == 4 { t.fail(text) } else { t.strict_if(refused.is_empty(), text) }
}

/// Two commands of 500 bytes, chunk by chunk in turn.
fn interleaved(t: &mut T, csids: [u32; 2]) -> Outcome {
    let mut c = caller(t, 500)?;
    let ids = [c.fresh_transaction(), c.fresh_transaction()];
    let mut one = c.begin(call(ids[0], 500).csid(csids[0]).fmt(0))?;
    let mut two = c.begin(call(ids[1], 500).csid(csids[1]).fmt(0))?;
    while c.chunk(&mut one) | c.chunk(&mut two) {}
    c.expect_reply(ids[0])?;
    c.expect_reply(ids[1])?;
    t.pass()
}

fn basic_header_overlong(t: &mut T) -> Outcome {
    let mut c = caller(t, 200)?;
    let transaction = c.fresh_transaction();
    let payload = call(transaction, 200).0.payload;
    let length = Some(payload.len() as u32);
    let header =
        MessageHeader { timestamp: Some(0), length, type_id: Some(20), stream_id: Some(0) };
    // Chunk stream 100 is 36 in two bytes (00 24), and 36 + 256 * 0 in three (01 24 00).
    c.raw_chunk(0, 100, header, &payload[..128]).raw(&[0xc1, 36, 0]).raw(&payload[128..]);
    match c.expect_reply(transaction) {
        Err(Stop::Fail(text)) => t.nonstrict(text),
        came => came.and_then(|_| t.pass()),
    }
}

fn fmt3_after_fmt0(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let time = r.time + 200;
    let sounds = [t.sound("one", 90), t.sound("two", 90)];
    r.send(Msg::audio(time, sounds[0].clone()).fmt(0));
    r.send(Msg::audio(2 * time, sounds[1].clone()).fmt(3));
    let got = t.collect(&mut r)?;
    let at = |sound: &Vec<u8>| got.iter().find(|f| f.payload == *sound).map(|f| f.timestamp);
    let (Some(one), Some(two)) = (at(&sounds[0]), at(&sounds[1])) else {
        return t.fail("not both messages came out");
    };
    match two.wrapping_sub(one) {
        step if step == time => t.pass(),
        0 => t.nonstrict("adds 0"),
        step => t.fail(format!("a step of {step} ms in place of {time} ms")),
    }
}

fn interleave_control(t: &mut T) -> Outcome {
    let mut c = caller(t, 500)?;
    let pong = |stamp| move |m: &crate::rtmp::Message| is_pong(m, stamp);
    c.send(Msg::ping(7)).expect("answer to a ping", pong(7)).setup()?;
    let transaction = c.fresh_transaction();
    let mut message = c.begin(call(transaction, 500))?;
    c.chunk(&mut message);
    c.send(Msg::ping(8));
    let at_once = c.expect_in(t.timeouts().quiet * 4, "answer to the ping", pong(8)).is_ok();
    c.rest(&mut message).expect_reply(transaction)?;
    if !at_once {
        c.expect("answer to the ping", pong(8))?;
    }
    t.strict_if(at_once, "the ping was answered after the command")
}

/// Whether it is a Ping Response with that timestamp.
fn is_pong(message: &crate::rtmp::Message, stamp: u32) -> bool {
    matches!(&message.body, Body::UserControl(uc) if uc.event.0 == 7 && uc.timestamp == Some(stamp))
}

fn multiple_msid_one_csid(t: &mut T) -> Outcome {
    let mut c = t.stream()?;
    let other = t.create_stream(&mut c).setup()?;
    let own = c.stream_id;
    if t.publish(&mut c, &t.name()).is_err() {
        return t.inconclusive("publish was not answered");
    }
    let other = if other == own { own + 1 } else { other };
    let data = Msg::data(&[Value::string("onTest"), Value::Number(1.0)]);
    c.send(data.csid(8).on(other).fmt(0));
    t.barrier(&mut c, t.timeouts().reply)?;
    t.pass()
}

fn msid_little_endian(t: &mut T) -> Outcome {
    let c = t.publisher(&t.name())?;
    let status = c.messages().iter().find(|message| Conn::status_of(message).is_some());
    let id = status.and_then(|message| message.stream_id).unwrap_or_default();
    let own = c.stream_id;
    match id {
        id if id == own => t.pass(),
        id if id == own.swap_bytes() => t.fail(format!("onStatus came on {id:#x}: {own} swapped")),
        id => t.nonstrict(format!("onStatus came on message stream {id}, not {own}")),
    }
}

fn one_byte_delivery(t: &mut T) -> Outcome {
    let (mut c, gap) = (t.open()?, Duration::from_millis(1));
    c.trickle(&[&[3], &t.c1("C1")[..]].concat(), 1, gap);
    let flight = c.read_first(3073, t.timeouts().handshake)?;
    let (connect, create) = (c.encode(t.connect_message(&[])), c.encode(call(2.0, 35)));
    c.trickle(&flight[1..1537], 1, gap).trickle(&connect, 1, gap);
    c.expect_result(1.0)?;
    c.trickle(&create, 1, gap).expect_result(2.0)?;
    t.pass()
}

fn all_in_one_segment(t: &mut T) -> Outcome {
    let (mut c, c1) = (t.open()?, t.c1("C1"));
    c.raw(&[&[3], &c1[..]].concat());
    let flight = c.read_first(3073, t.timeouts().handshake)?;
    c.hold().raw(&flight[1..1537]).set_chunk_size(4096).send(t.connect_message(&[]));
    c.send(Msg::command("createStream", 2.0, Value::Null, &[]));
    c.send(t.publish_message(1, &t.name())).release();
    c.expect_result(1.0)?;
    c.expect_result(2.0)?;
    match c.expect_status("NetStream.Publish.Start") {
        Err(Stop::Fail(text)) => t.nonstrict(format!("publish: {text}")),
        came => came.map(|_| Verdict::Pass),
    }
}
