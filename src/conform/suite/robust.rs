//! What a server must survive: broken connections, floods, noise.

use std::time::{Duration, Instant};

use super::support_a::call;
use crate::conform::{Case, Conn, Msg, Need, On, Outcome, Reaction, State, Step, Stop, T};
use crate::wire::amf::Value;
use crate::wire::chunk::MessageHeader;

use Reaction::{Close, Error, Tolerate};

/// Use for the shared object `so`: its name, a version, flags, and the event without data.
const USE: &[u8] = b"\0\x02so\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0";

/// A publisher.
const PUBLISH: &[Need] = &[Need::Publish];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "robust/tcp/half-close",
        "A publisher that ends its direction is ended, and its name is free again",
        half_close,
    )
    .robustness()
    .needs(PUBLISH)
    .explain("FIN after publish", "a FIN and a free name within T_CLOSE; NONSTRICT when later"),
    Case::new(
        "robust/tcp/half-close-handshake",
        "A client that ends its direction in the handshake or in a chunk is closed",
        half_close_handshake,
    )
    .robustness()
    .explain("FIN after C0 and C1; FIN after half a chunk", "a close within T_CLOSE"),
    Case::new(
        "robust/tcp/rst-midmessage",
        "A reset in the middle of a message does no harm to others",
        rst_midmessage,
    )
    .robustness()
    .needs(PUBLISH)
    .explain("20 publishers reset in a message, at random places", "a new connection is served"),
    Case::negative(
        "robust/message/unknown-type",
        "Unknown message types are ignored: nginx-rtmp, SRS and node-media-server agree",
        State::Stream,
        &[
            &[Step::Message(10, 3, On::Zero, &[0; 8]), Step::Message(10, 8, On::Stream, &[0; 8])],
            &[Step::Message(11, 3, On::Zero, &[0; 8]), Step::Message(11, 8, On::Stream, &[0; 8])],
            &[Step::Message(13, 3, On::Zero, &[0; 8]), Step::Message(13, 8, On::Stream, &[0; 8])],
            &[Step::Message(21, 3, On::Zero, &[0; 8]), Step::Message(21, 8, On::Stream, &[0; 8])],
            &[Step::Message(23, 3, On::Zero, &[0; 8]), Step::Message(23, 8, On::Stream, &[0; 8])],
            &[Step::Message(100, 3, On::Zero, &[0; 8]), Step::Message(100, 8, On::Stream, &[0; 8])],
            &[Step::Message(255, 3, On::Zero, &[0; 8]), Step::Message(255, 8, On::Stream, &[0; 8])],
        ],
        &[Tolerate],
    )
    .de_facto()
    .sections(&["RTMP 5.1"])
    .explain("types 10, 11, 13, 21, 23, 100 and 255, on stream 0 and on another", "goes on; NONSTRICT for a close"),
    Case::new(
        "robust/message/unknown-msid-media",
        "Media on message stream 0 or on one never created is not relayed; servers with one stream \
         per connection (nginx-rtmp, gortmplib, node-media-server) do relay it",
        |t| t.each([("stream 0", 0), ("stream 77", 77)], unknown_msid_media),
    )
    .de_facto()
    .sections(&["RTMP 5.1"])
    .needs(&[Need::Publish, Need::Play])
    .explain("audio on message streams 0 and 77", "goes on or closes; NONSTRICT when it is relayed"),
    Case::new(
        "robust/message/shared-object",
        "Shared object messages are ignored where they are not supported: nginx-rtmp, SRS and \
         node-media-server ignore them",
        shared_object,
    )
    .de_facto()
    .sections(&["RTMP 7.1.3"])
    .explain("Use for the shared object so", "goes on or closes; an answer is noted"),
    Case::negative(
        "robust/message/shared-object-malformed",
        "Malformed shared object messages are refused or ignored",
        State::Connected,
        &[
            &[Step::Message(19, 3, On::Zero, b"\0\x02so\0\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff\xff\xff")],
            &[Step::Message(19, 3, On::Zero, b"\0\x02so\0\0\0\0\0\0\0\0\0\0\0\0\xc8\0\0\0\0")],
            &[Step::Message(19, 3, On::Zero, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0")],
        ],
        &[Close, Error, Tolerate],
    )
    .robustness()
    .sections(&["RTMP 7.1.3"])
    .explain("an event length beyond the end, an unknown event, an empty name", "any reaction but a hang"),
    Case::new("robust/chunk/random-garbage", "Noise after the handshake does no harm to others", random_garbage)
        .robustness()
        .explain("100 times 64 KiB of noise, each after a handshake", "a new connection is served after each 10"),
    Case::new("robust/chunk/bit-flips", "Sessions with flipped bits do no harm to others", bit_flips)
        .robustness()
        .explain("200 sessions of a publisher with 1 to 8 bits flipped", "a new connection is served after each 20"),
    Case::new(
        "robust/chunk/many-csids",
        "Messages begun on all 65,536 chunk streams do no harm to others",
        many_csids,
    )
    .robustness()
    .alone()
    .explain("a byte of a message of 0xFFFFFF bytes on each chunk stream", "a new connection is served within T_REPLY"),
    Case::new(
        "robust/chunk/tiny-chunks-large-message",
        "A message of 1 MiB in chunks of 128 bytes takes linear time",
        tiny_chunks_large_message,
    )
    .robustness()
    .needs(&[Need::Publish, Need::Play])
    .explain(
        "a picture of 1 MiB in chunks of 128 bytes",
        "the player has it in 2 s; FAIL above 10 s; NONSTRICT between, or when it is dropped and the next comes in time",
    ),
    Case::new(
        "robust/chunk/chunk-size-churn",
        "10,000 Set Chunk Size messages in a row are taken",
        chunk_size_churn,
    )
    .robustness()
    .explain("10,000 times Set Chunk Size", "any reaction but a hang"),
    Case::new(
        "robust/handshake/extra-c0",
        "A second handshake on the same connection does no harm to others",
        extra_c0,
    )
    .robustness()
    .explain(
        "C0 C1 again after the handshake, read as the header of a long message",
        "any reaction; a new connection is served",
    ),
    Case::new(
        "robust/connections/rapid-churn",
        "500 publishers one after the other are served, the last as fast as the first",
        rapid_churn,
    )
    .robustness()
    .alone()
    .needs(PUBLISH)
    .explain("500 times connect, publish, close", "all succeed; NONSTRICT when the last take 5 times as long"),
    Case::new("robust/ping/flood", "10,000 Ping Requests whose answers are not read do no harm to others", ping_flood)
        .robustness()
        .explain("10,000 Ping Requests in one write", "a new connection is served meanwhile"),
    Case::negative(
        "robust/ack/bogus-sequence",
        "Acknowledgements of what was never sent, or that go back, are ignored or refused",
        State::Connected,
        &[
            &[Step::Control(3, &[0xff; 4])],
            &[Step::Control(3, &[0, 0x10, 0, 0]), Step::Control(3, &[0; 4])],
        ],
        &[Tolerate, Close],
    )
    .robustness()
    .sections(&["RTMP 5.4.3"])
    .explain("Acknowledgement 0xFFFFFFFF; 1048576, then 0", "goes on or closes"),
    Case::new(
        "robust/name/concurrency-race",
        "Of 20 simultaneous publishers of a name one is active",
        concurrency_race,
    )
    .robustness()
    .needs(PUBLISH)
    .explain("20 times publish at once", "one is told Publish.Start; FAIL when a player gets the frames of several"),
    Case::new(
        "robust/command/pipelined-1000",
        "1000 commands in one write are answered in order",
        pipelined_1000,
    )
    .robustness()
    .explain("1000 times createStream in one write", "1000 answers, in order"),
];

fn half_close(t: &mut T) -> Outcome {
    let name = t.name();
    let mut c = t.publisher(&name)?;
    c.finish();
    let closed = c.wait_close(t.timeouts().close);
    let end = Instant::now() + t.timeouts().close;
    while Instant::now() < end {
        if t.publisher(&name).is_ok() {
            return t.strict_if(closed.is_some(), "the connection stays open; the name is free");
        }
        std::thread::sleep(t.timeouts().quiet);
    }
    t.nonstrict(format!("the name is still taken; closed: {}", closed.is_some()))
}

fn half_close_handshake(t: &mut T) -> Outcome {
    t.expect_alive_after();
    t.each([("after C0 and C1", false), ("in a chunk", true)], |t, in_chunk| {
        let mut c = if in_chunk { t.connected()? } else { t.open()? };
        let bytes =
            if in_chunk { c.encode(call(9.0, 100)) } else { [&[3], &t.c1("C1")[..]].concat() };
        let most = if in_chunk { 50 } else { bytes.len() };
        let close = c.raw(&bytes[..most]).finish().wait_close(t.timeouts().close);
        t.pass_if(close.is_some(), "no close after FIN")
    })
}

fn rst_midmessage(t: &mut T) -> Outcome {
    for n in 0..20 {
        let mut c = t.publisher(&t.name())?;
        let frame = t.picture(&format!("frame {n}"), true, 5000);
        let bytes = c.encode(Msg::video(0, frame).on(c.stream_id));
        let place = t.bytes(&format!("place {n}"), 2);
        let cut = u16::from_be_bytes([place[0], place[1]]) as usize % bytes.len();
        c.raw(&bytes[..cut]);
        c.reset();
    }
    t.pass_if(t.alive_new(), "no new connection is served")
}

fn unknown_msid_media(t: &mut T, id: u32) -> Outcome {
    let mut r = t.relay()?;
    let sound = t.sound("stray", 90);
    r.publisher.send(Msg::audio(r.time, sound.clone()).on(id).fmt(0));
    match t.collect(&mut r) {
        Ok(got) => {
            t.strict_if(got.iter().all(|f| f.payload != sound), "relayed as the publication")
        }
        Err(_) if r.publisher.closed().is_some() => t.pass(),
        Err(stop) => Err(stop),
    }
}

fn shared_object(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.mark().send(Msg::new(19, USE.to_vec()));
    let outcome = t.neg(&mut c, &[Tolerate, Close]);
    if c.since_mark().iter().any(|m| matches!(m.type_id.0, 16 | 19)) {
        t.note("answers with a shared object message");
    }
    outcome
}

fn random_garbage(t: &mut T) -> Outcome {
    for n in 0..100 {
        let mut c = t.handshaken()?;
        c.raw(&t.bytes(&format!("noise {n}"), 64 << 10)).absorb();
        if n % 10 == 9 && !t.alive_new() {
            return t.fail(format!("no new connection is served after noise {}", n - 9));
        }
    }
    t.pass()
}

fn bit_flips(t: &mut T) -> Outcome {
    for n in 0..200 {
        let mut c = t.handshaken()?;
        let mut bytes = c.encode(t.connect_message(&[]));
        bytes.extend(c.encode(Msg::command("createStream", 2.0, Value::Null, &[])));
        bytes.extend(c.encode(t.publish_message(1, &t.name())));
        for frame in 0..4 {
            bytes.extend(c.encode(Msg::audio(frame * 20, t.sound("sound", 120)).on(1)));
            bytes.extend(c.encode(Msg::video(frame * 40, t.picture("picture", true, 400)).on(1)));
        }
        let dice = t.bytes(&format!("flips {n}"), 33);
        for place in dice[1..].chunks(4).take(1 + usize::from(dice[0] % 8)) {
            let at = u32::from_be_bytes([0, place[0], place[1], place[2]]) as usize % bytes.len();
            bytes[at] ^= 1 << (place[3] % 8);
        }
        c.raw(&bytes).absorb();
        if n % 20 == 19 && !t.alive_new() {
            return t.fail(format!("no new connection is served after session {}", n - 19));
        }
    }
    t.pass()
}

fn many_csids(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.set_chunk_size(1).hold();
    let length = Some(0xff_ffff);
    let header = MessageHeader { timestamp: Some(0), length, type_id: Some(9), stream_id: Some(1) };
    for csid in 64..=65_599 {
        c.raw_chunk(0, csid, header, &[0x17]);
    }
    c.release();
    t.note(c.closed().map_or("keeps the connection", |_| "closes the connection"));
    t.pass_if(t.alive_new(), "no new connection is served")
}

fn tiny_chunks_large_message(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let begun = Instant::now();
    let time = r.time;
    let frame = r.send(Msg::video(time, t.picture("frame", true, 1 << 20)));
    let came = t.collect(&mut r)?.contains(&frame)
        || r.player.messages().iter().any(|m| m.payload[..] == frame.payload[..]);
    let took = begun.elapsed().as_secs_f64();
    t.note(format!("{took:.2} s"));
    match took {
        10.0.. => t.fail("took more than 10 s"),
        2.0.. => t.nonstrict("took more than 2 s"),
        _ => t.strict_if(came, "dropped"),
    }
}

fn chunk_size_churn(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.hold();
    for n in 0..10_000 {
        c.send(Msg::set_chunk_size(if n % 2 == 0 { 4096 } else { 128 }));
    }
    c.release();
    t.neg(&mut c, &[Close, Error, Tolerate])
}

fn extra_c0(t: &mut T) -> Outcome {
    t.expect_alive_after();
    let mut c = t.handshaken()?;
    c.raw(&[&[3], &t.c1("again")[..]].concat()).idle(t.timeouts().quiet);
    t.note(c.closed().map_or("waits for more", |_| "closes"));
    t.pass_if(t.alive_new(), "no new connection is served")
}

fn rapid_churn(t: &mut T) -> Outcome {
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < 500 && begun.elapsed() < t.timeouts().case.mul_f64(0.8) {
        let one = Instant::now();
        if let Err(stop) = t.publisher(&t.name()) {
            return t.fail(format!("publisher {}: {}", times.len() + 1, stop.text()));
        }
        times.push(one.elapsed());
    }
    let mean = |of: &[Duration]| of.iter().sum::<Duration>().div_f64(of.len().max(1) as f64);
    let last = mean(&times[times.len().saturating_sub(10)..]);
    let first = mean(&times[..times.len().min(10)]);
    t.note(format!("{} publishers, the first {first:.1?}, the last {last:.1?} each", times.len()));
    // Below that, a scheduler's moods are all there is to see.
    let slower = last > first * 5 && last > Duration::from_millis(50);
    t.strict_if(!slower && times.len() == 500, "slower and slower, or too slow for 500")
}

fn ping_flood(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    t.expect_alive_after();
    c.hold();
    for n in 0..10_000 {
        c.send(Msg::ping(n));
    }
    c.release();
    t.pass_if(t.alive_new(), "no new connection is served meanwhile")
}

fn concurrency_race(t: &mut T) -> Outcome {
    let name = t.name();
    let mut all = (0..20).map(|_| t.stream()).collect::<Result<Vec<Conn>, Stop>>()?;
    for c in &mut all {
        let publish = t.publish_message(c.stream_id, &name);
        c.mark().send(publish);
    }
    let started = |c: &mut Conn| {
        c.settle(t.timeouts().quiet / 5, t.timeouts().quiet);
        let start = |m| Conn::status_of(m).is_some_and(|(code, _)| code.ends_with("Publish.Start"));
        c.since_mark().iter().any(start) && c.closed().is_none()
    };
    let mut active: Vec<_> = all.iter_mut().filter_map(|c| started(c).then_some(c)).collect();
    match active.len() {
        0 => return t.nonstrict("none is active"),
        1 => return t.pass(),
        _ if !t.env().facts.play => return t.nonstrict("several are told Publish.Start"),
        _ => {}
    }
    let mut player = t.player(&name)?;
    let frames: Vec<_> = (0..active.len()).map(|n| t.picture(&format!("{n}"), true, 200)).collect();
    for round in 0..20 {
        for (c, frame) in active.iter_mut().zip(&frames) {
            c.send(Msg::video(round * 250, frame.clone()).on(c.stream_id));
        }
    }
    player.settle(t.timeouts().quiet, t.timeouts().media);
    let out = |frame: &&Vec<u8>| player.messages().iter().any(|m| m.payload[..] == frame[..]);
    let sources = frames.iter().filter(out).count();
    let text = format!("{} are told Publish.Start, {sources} are heard", frames.len());
    if sources > 1 { t.fail(text) } else { t.nonstrict(text) }
}

fn pipelined_1000(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.mark().hold();
    let ids: Vec<f64> = (0..1000).map(|_| c.fresh_transaction()).collect();
    for id in &ids {
        c.send(call(*id, 35));
    }
    c.release();
    let last = c.expect_reply(ids[999]);
    let replies = c.since_mark().iter().filter_map(Conn::command_of).filter(|r| r.is_reply());
    let got: Vec<f64> = replies.filter_map(|reply| reply.transaction_id).collect();
    match last {
        _ if got == ids => t.pass(),
        _ if got.len() == 1000 => t.fail("answered in another order"),
        Err(stop) => t.fail(format!("{} of 1000 answered: {}", got.len(), stop.text())),
        Ok(_) => t.fail(format!("{} of 1000 answered", got.len())),
    }
}
