//! Playing (RTMP 7.2.2.1 to 7.2.2.8, and what players and servers agree on).

use super::support_b::{belongs_to_stream, codes, flows, live};
use super::support_b::{on_stream, through};
use crate::conform::{Case, Conn, Frame, Msg, Need, Outcome, Relay, Setup, Stop, T, Verdict};
use crate::rtmp::Message;
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

const BOTH: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/play/start",
        "play of a live name is answered with NetStream.Play.Start, then media comes; plain \
         statement of section 7",
        start,
    )
    .sections(&["RTMP 7.2.2.1"])
    .needs(BOTH)
    .explain("publish on one connection, play on another", "Play.Start, then media"),
    Case::new(
        "rtmp/play/reset-only-if-requested",
        "Play.Reset comes when reset was asked for; plain statement of section 7",
        reset_if_requested,
    )
    .sections(&["RTMP 7.2.2.1"])
    .needs(BOTH)
    .explain("play with reset false, true, and without", "Play.Reset for true alone"),
    Case::new(
        "rtmp/play/missing-stream",
        "play of an unknown name is answered with StreamNotFound",
        missing_stream,
    )
    .sections(&["RTMP 7.2.2.1"])
    .should()
    .explain("play of a made-up name", "NetStream.Play.StreamNotFound"),
    Case::new(
        "rtmp/play/start-parameter",
        "start of -2, -1 and -1000 plays live; plain statement of section 7",
        start_parameter,
    )
    .sections(&["RTMP 7.2.2.1"])
    .needs(BOTH)
    .explain(
        "play of a live name with start -2, -1, -1000, 0, 5, NaN",
        "media for the first three",
    ),
    Case::new("rtmp/play/duration-parameter", "duration limits playback", duration)
        .sections(&["RTMP 7.2.2.1"])
        .may()
        .needs(BOTH)
        .explain("play with duration 2 and 5 s of media", "nothing: what comes is told"),
    Case::new(
        "rtmp/play/sequence-headers-first",
        "A late player gets codec headers before frames, and begins with a key frame; nginx-rtmp, \
         SRS and node-media-server agree",
        headers_first,
    )
    .de_facto()
    .needs(BOTH)
    .explain("a player that joins in the middle of a GOP", "headers, then a key frame"),
    Case::new(
        "rtmp/play/payload-integrity",
        "Payloads come out as they went in; plain statement of section 5",
        |t| {
            let mut relay = t.relay()?;
            let through = through(t, &mut relay, &mixed(t))?;
            for kind in [MessageType::AUDIO, MessageType::VIDEO] {
                let of = |frames: &[Frame]| -> Vec<Vec<u8>> {
                    let of = frames.iter().filter(|f| f.type_id == kind);
                    of.map(|f| f.payload.clone()).collect()
                };
                let (sent, got) = (of(&through.sent), of(&through.got));
                if got.len() < sent.len() {
                    let (got, sent, kind) = (got.len(), sent.len(), kind.kind());
                    return t.fail(format!("{got} of {sent} {kind} messages came out"));
                }
                if sent != got {
                    return t.nonstrict(format!("{} came out changed", kind.kind()));
                }
            }
            t.pass()
        },
    )
    .sections(&["RTMP 5"])
    .needs(BOTH)
    .explain("audio and video from 3 bytes to 100 KB", "the same bytes"),
    Case::new("rtmp/play/timestamp-monotonic", "Steps between timestamps are kept", timestamps)
        .sections(&["RTMP 4"])
        .should()
        .needs(BOTH)
        .explain("audio and video with uneven steps", "the same steps"),
    Case::new(
        "rtmp/play/msid-of-media",
        "Media and status of a play come on its message stream; plain statement of section 7",
        |t| {
            let mut publisher = live(t, &t.name())?;
            // On the second stream, if there are two: 1 would be a lucky guess.
            let mut player = t.stream()?;
            t.create_stream(&mut player).setup()?;
            t.play(&mut player, &publisher.name)?;
            flows(t, &mut publisher, &mut player, &mut 0)?;
            let id = Some(player.stream_id);
            let other =
                player.messages().iter().find(|m| belongs_to_stream(m) && m.stream_id != id);
            t.pass_if(
                other.is_none(),
                match other {
                    Some(m) => format!("{} on message stream {:?}", m.type_id.kind(), m.stream_id),
                    None => String::new(),
                },
            )
        },
    )
    .sections(&["RTMP 7.2.2"])
    .needs(BOTH)
    .explain("play on the second stream of a connection", "media and status on that stream"),
];

fn start(t: &mut T) -> Outcome {
    let mut publisher = live(t, &t.name())?;
    let mut player = t.stream()?;
    player.send(t.play_message(player.stream_id, &publisher.name));
    flows(t, &mut publisher, &mut player, &mut 0)?;
    let first = |wanted: &dyn Fn(&Message) -> bool| player.messages().iter().position(wanted);
    let started = first(&|m| Conn::status_of(m).is_some_and(|(c, _)| c == "NetStream.Play.Start"));
    match (started, first(&|m| m.type_id.is_media())) {
        (None, _) => t.fail("media without Play.Start"),
        (Some(started), Some(media)) if media < started => t.nonstrict("media before Play.Start"),
        _ => t.pass(),
    }
}

/// `play` of a relayed name with these arguments after it; gives the codes that came.
fn play_with(t: &T, relay: &mut Relay, more: &[Value]) -> Result<Conn, Stop> {
    let mut player = t.stream()?;
    let name = Value::string(&relay.publisher.name);
    player.send(on_stream(&player, "play", 4.0, &[&[name], more].concat()));
    player.name = relay.publisher.name.clone();
    Ok(player)
}

fn reset_if_requested(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let mut reset = Vec::new();
    for asked in [Some(false), Some(true), None] {
        let mut more = vec![Value::Number(-2.0), Value::Number(-1.0)];
        more.extend(asked.map(Value::Boolean));
        let mut player = play_with(t, &mut relay, &more)?;
        player.expect_status("NetStream.Play")?;
        flows(t, &mut relay.publisher, &mut player, &mut relay.time)?;
        reset.push(codes(&player).iter().any(|code| code == "NetStream.Play.Reset"));
    }
    match (reset[0], reset[1]) {
        (_, false) => t.nonstrict("no Play.Reset though reset was asked for"),
        (true, true) => t.fact("Play.Reset also with reset false"),
        (false, true) => t.pass(),
    }
}

fn missing_stream(t: &mut T) -> Outcome {
    t.expect_alive_after();
    let mut player = t.stream()?;
    player.send(t.play_message(player.stream_id, &t.name()));
    let word = player.expect("answer to play", |m| {
        Conn::status_of(m).is_some_and(|(code, level)| {
            level == "error" || code.contains("NotFound") || code.ends_with("Play.Start")
        })
    });
    match word.ok().and_then(|m| Conn::status_of(&m)) {
        Some((code, _)) if code.ends_with("StreamNotFound") => t.pass(),
        Some((code, _)) if code.ends_with("Play.Start") => {
            player.settle(t.timeouts().quiet, t.timeouts().reply);
            let late = codes(&player).iter().any(|code| code.ends_with("StreamNotFound"));
            if late { t.pass() } else { t.fact("Play.Start, then it waits for a publisher") }
        }
        Some((code, _)) => t.nonstrict(format!("refused with {code}")),
        None if player.closed().is_some() => t.nonstrict("closes without a status"),
        None => t.nonstrict("waits and says nothing"),
    }
}

fn start_parameter(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let mut worst = Verdict::Pass;
    for start in [-2.0, -1.0, -1000.0, 0.0, 5.0, f64::NAN] {
        let mut player = play_with(t, &mut relay, &[Value::Number(start)])?;
        let flows = flows(t, &mut relay.publisher, &mut player, &mut relay.time);
        match flows {
            Ok(()) => {}
            Err(stop) if start < 0.0 => {
                worst = worst.worst(stop.verdict().of(&format!("start {start}")));
            }
            Err(stop) => t.note(format!("start {start}: {}", stop.text())),
        }
    }
    Ok(worst)
}

fn duration(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let mut player = play_with(t, &mut relay, &[Value::Number(-2.0), Value::Number(2.0)])?;
    if let Err(stop) = player.expect_status("NetStream.Play") {
        return t.fact(format!("play with a duration: {}", stop.text()));
    }
    for _ in 0..20 {
        t.flow(&mut relay)?;
    }
    player.settle(t.timeouts().quiet, t.timeouts().media);
    let video = player.messages().iter().filter(|m| m.type_id == MessageType::VIDEO).count();
    let ended = codes(&player).iter().any(|code| code.ends_with("Play.Stop"));
    t.fact(format!("{video} pictures of 5 s came; Play.Stop: {ended}"))
}

fn headers_first(t: &mut T) -> Outcome {
    let mut publisher = live(t, &t.name())?;
    let id = publisher.stream_id;
    let both = |publisher: &mut Conn, n: u32| {
        let (time, name) = (n * 40, format!("picture {n}"));
        publisher.send(Msg::video(time, t.picture(&name, n == 0, 150)).on(id));
        publisher.send(Msg::audio(time, t.sound(&name, 60)).on(id));
    };
    (0..10).for_each(|n| both(&mut publisher, n));
    t.barrier(&mut publisher, t.timeouts().reply).setup()?;
    let mut player = t.player(&publisher.name)?;
    (10..15).for_each(|n| both(&mut publisher, n));
    flows(t, &mut publisher, &mut player, &mut 600)?;
    let first = |starts: &[&[u8]]| {
        let starts = |m: &Message| starts.iter().any(|start| m.payload.starts_with(start));
        player.messages().iter().position(|m| m.type_id.is_media() && starts(m))
    };
    let late = |header: Option<usize>, frame: Option<usize>| {
        frame.is_some_and(|frame| header.is_none_or(|header| header > frame))
    };
    let (key, inter) = (first(&[&[0x17, 1]]), first(&[&[0x27, 1]]));
    if late(first(&[&[0x17, 0]]), first(&[&[0x17, 1], &[0x27, 1]])) {
        return t.fail("a picture before the AVC sequence header");
    }
    if late(first(&[&[0xaf, 0]]), first(&[&[0xaf, 1]])) {
        return t.fail("sound before the AAC sequence header");
    }
    t.strict_if(!late(key, inter), "video begins with an inter frame")
}

/// Sound and pictures of many sizes.
fn mixed(t: &T) -> Vec<(u8, Vec<u8>)> {
    let sizes = [16, 100, 127, 128, 129, 1000, 4096, 4097, 60_000, 100_000];
    let media = sizes.iter().flat_map(|size| {
        let name = format!("mixed {size}");
        [(9, t.picture(&name, false, *size)), (8, t.sound(&name, (*size).min(2000)))]
    });
    media.collect()
}

fn timestamps(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let mut sent = Vec::new();
    for (at, step) in [40, 40, 33, 500, 1, 0, 1000, 40].into_iter().enumerate() {
        let (time, name) = (relay.time + step, format!("step {at}"));
        sent.push(relay.send(Msg::video(time, t.picture(&name, false, 120))));
        sent.push(relay.send(Msg::audio(time, t.sound(&name, 40))));
    }
    let got = t.collect(&mut relay)?;
    let mut worst = 0;
    for kind in [MessageType::AUDIO, MessageType::VIDEO] {
        let times = |frames: &[Frame]| -> Vec<u32> {
            let of = frames.iter().filter(|f| sent.iter().any(|s| s.payload == f.payload));
            of.filter(|f| f.type_id == kind).map(|f| f.timestamp).collect()
        };
        let (sent, got) = (times(&sent), times(&got));
        if sent.len() != got.len() {
            return t.inconclusive(format!("{} of {} frames came out", got.len(), sent.len()));
        }
        for (sent, got) in sent.windows(2).zip(got.windows(2)) {
            let step = |pair: &[u32]| i64::from(pair[1].wrapping_sub(pair[0]) as i32);
            if step(got) < 0 {
                return t.fail(format!("{} goes back in time by {} ms", kind.kind(), -step(got)));
            }
            worst = worst.max((step(sent) - step(got)).abs());
        }
    }
    let text = format!("a step came out {worst} ms off");
    if worst > 1000 { t.fail(text) } else { t.strict_if(worst == 0, text) }
}
