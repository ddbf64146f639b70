//! What a player may ask for while it plays (RTMP 7.2.2.1 to 7.2.2.8), and what befalls it.

use std::time::Duration;

use super::bytes::{NULL, avc_frame, avc_header, command, member, num, object, text};
use super::support_b::{self as support, ANY, GO_ON, codes, flows, live, on_stream};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Relay, Setup, T};
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

const BOTH: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/play/pause-unpause",
        "pause stops media and is told, as is its end; plain statement of section 7",
        pause,
    )
    .sections(&["RTMP 7.2.2.8"])
    .needs(BOTH)
    .explain("pause true, key frames, pause false", "Pause.Notify, silence, Unpause.Notify"),
    Case::new(
        "rtmp/play/seek-live",
        "seek is answered with Seek.Notify or an error; plain statement of section 7",
        |t| {
            let mut relay = t.relay()?;
            let player = &mut relay.player;
            player.send(on_stream(player, "seek", 0.0, &[Value::Number(1000.0)]));
            let goes_on = t.barrier(player, t.timeouts().reply);
            player.settle(t.timeouts().quiet, t.timeouts().reply);
            let answered = player.since_mark().iter().any(|m| {
                Conn::command_of(m).is_some_and(|c| c.name == "_error")
                    || Conn::status_of(m).is_some_and(|(code, _)| code.contains("Seek"))
            });
            match (answered, player.closed(), goes_on) {
                (true, ..) => t.pass(),
                (_, Some(close), _) => t.nonstrict(format!("closes ({})", close.name())),
                (_, None, Ok(())) => t.fact("ignored"),
                (_, None, Err(stop)) => Err(stop),
            }
        },
    )
    .sections(&["RTMP 7.2.2.7"])
    .needs(BOTH)
    .explain("seek to 1000 while playing live", "NetStream.Seek.Notify, Seek.Failed or _error"),
    Case::new(
        "rtmp/play/receive-audio-false",
        "receiveAudio(false) stops audio alone; plain statement of section 7",
        |t| receive(t, "receiveAudio", MessageType::AUDIO),
    )
    .sections(&["RTMP 7.2.2.4"])
    .needs(BOTH)
    .explain("receiveAudio false, media, receiveAudio true, media", "no audio, then audio again"),
    Case::new(
        "rtmp/play/receive-video-false",
        "receiveVideo(false) stops video alone; plain statement of section 7",
        |t| receive(t, "receiveVideo", MessageType::VIDEO),
    )
    .sections(&["RTMP 7.2.2.5"])
    .needs(BOTH)
    .explain("receiveVideo false, media, receiveVideo true, media", "no video, then video again"),
    Case::new("rtmp/play/play2", "play2 is answered or ignored", |t| {
        let mut relay = t.relay()?;
        let name = member("streamName", text(&relay.publisher.name));
        let body = command("play2", 0.0, &[NULL, &object(&[name])]);
        relay.player.send(Msg::new(20, body).csid(8).on(relay.player.stream_id));
        t.neg(&mut relay.player, ANY)
    })
    .sections(&["RTMP 7.2.2.2"])
    .may()
    .needs(BOTH)
    .explain("play2 while playing", "no wedge"),
    Case::new(
        "rtmp/play/closestream-stops",
        "closeStream and deleteStream end delivery, and the connection can play again; plain \
         statement of section 7",
        |t| t.each([("closeStream", true), ("deleteStream", false)], stops),
    )
    .sections(&["RTMP 7.2.2"])
    .needs(BOTH)
    .explain("closeStream, key frames, createStream and play", "silence, then media"),
    Case::new("rtmp/play/while-publishing-same-conn", "One connection publishes and plays", |t| {
        let mut conn = live(t, &t.name())?;
        let mut other = live(t, &t.name())?;
        let publishing = conn.stream_id;
        if t.create_stream(&mut conn).setup()? == publishing {
            return t.inconclusive(format!("createStream always gives {publishing}"));
        }
        let flows = t.play(&mut conn, &other.name);
        match flows.and_then(|()| support::flows(t, &mut other, &mut conn, &mut 0)) {
            Ok(()) => t.fact("plays while it publishes"),
            Err(stop) => t.fact(format!("does not play while it publishes: {}", stop.text())),
        }
    })
    .robustness()
    .needs(BOTH)
    .explain("publish and play on two streams of a connection", "nothing: it is told"),
    Case::new(
        "rtmp/play/publisher-joins-later",
        "A player that waits gets media when the publisher comes",
        |t| {
            let name = t.name();
            let mut player = t.stream()?;
            player.send(t.play_message(player.stream_id, &name));
            player.idle(Duration::from_secs(1));
            let refused = codes(&player).iter().any(|code| code.contains("NotFound"));
            if refused || player.closed().is_some() {
                return t.fact("refused before the publisher comes");
            }
            let mut publisher = live(t, &name)?;
            flows(t, &mut publisher, &mut player, &mut 0)?;
            t.pass()
        },
    )
    .sections(&["RTMP 7.2.2.1"])
    .should()
    .needs(BOTH)
    .explain("play with start -2, a second later publish", "media"),
    Case::new(
        "rtmp/play/publisher-restart",
        "After a restart of the publisher players get new codec headers, or are told the end",
        restart,
    )
    .robustness()
    .needs(BOTH)
    .explain("a publisher leaves; another comes with another picture size", "no frame before it"),
    Case::new(
        "rtmp/play/fcsubscribe",
        "FCSubscribe is ignored or answered; players of CDNs send it",
        |t| {
            let mut relay = t.relay()?;
            let mut player = t.stream()?;
            let name = text(&relay.publisher.name);
            player.send(Msg::new(20, command("FCSubscribe", 0.0, &[NULL, &name])));
            let verdict = t.neg(&mut player, GO_ON)?;
            t.play(&mut player, &relay.publisher.name)?;
            flows(t, &mut relay.publisher, &mut player, &mut relay.time)?;
            Ok(verdict)
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("FCSubscribe, then play", "media"),
    Case::new(
        "rtmp/play/getstreamlength",
        "getStreamLength before play does no harm; FFmpeg sends it",
        |t| {
            let mut publisher = live(t, &t.name())?;
            let mut player = t.stream()?;
            let name = text(&publisher.name);
            player.hold();
            player.send(Msg::new(20, command("getStreamLength", 3.0, &[NULL, &name])).csid(8));
            player.send(t.play_message(player.stream_id, &publisher.name));
            player.release();
            player.name = publisher.name.clone();
            flows(t, &mut publisher, &mut player, &mut 0)?;
            t.pass()
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("getStreamLength and play in one write", "media"),
    Case::new("rtmp/play/slow-reader", "A player that stops reading harms no other", slow_reader)
        .robustness()
        .needs(BOTH)
        .explain("two players, one stops reading; 24 MB of media", "the other gets all in time"),
];

/// Sound and key frames for 1.5 s of media time; how much of each the player gets.
fn push(t: &T, relay: &mut Relay, label: &str) -> (usize, usize) {
    relay.player.settle(t.timeouts().quiet, t.timeouts().reply).mark();
    for n in 0..6 {
        let (time, name) = (relay.time + 250, format!("{label} {n}"));
        relay.send(Msg::audio(time, t.sound(&name, 60)));
        relay.send(Msg::video(time, t.picture(&name, true, 150)));
    }
    relay.player.settle(t.timeouts().quiet, t.timeouts().media);
    let came = |kind| relay.player.since_mark().iter().filter(|m| m.type_id == kind).count();
    (came(MessageType::AUDIO), came(MessageType::VIDEO))
}

fn pause(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let told = |relay: &Relay, code: &str| codes(&relay.player).iter().any(|c| c.ends_with(code));
    let flag = |relay: &mut Relay, value| {
        let arguments = [Value::Boolean(value), Value::Number(0.0)];
        relay.player.send(on_stream(&relay.player, "pause", 0.0, &arguments));
    };
    flag(&mut relay, true);
    let silent = push(t, &mut relay, "paused") == (0, 0);
    if relay.player.closed().is_some() {
        return t.nonstrict("closes");
    }
    match (told(&relay, "Pause.Notify"), silent) {
        (false, false) => return t.fact("ignored"),
        (true, false) => return t.fail("media goes on after Pause.Notify"),
        _ => {}
    }
    let paused = told(&relay, "Pause.Notify");
    flag(&mut relay, false);
    t.flow(&mut relay)?;
    let both = paused && told(&relay, "Unpause.Notify");
    t.strict_if(both, "stops and goes on, but does not tell both")
}

fn receive(t: &mut T, method: &str, kind: MessageType) -> Outcome {
    let mut relay = t.relay()?;
    let of = |(audio, video): (usize, usize)| match kind {
        MessageType::AUDIO => (audio, video),
        _ => (video, audio),
    };
    // Both kinds have to flow before one of them can be seen to stop.
    if of(push(t, &mut relay, "before")).0 == 0 {
        return t.inconclusive(format!("no {} reaches the player", kind.kind()));
    }
    relay.player.send(on_stream(&relay.player, method, 0.0, &[Value::Boolean(false)]));
    let (stopped, others) = of(push(t, &mut relay, "off"));
    if let Some(close) = relay.player.closed() {
        return t.fail(format!("closes ({})", close.name()));
    }
    if stopped > 0 || others == 0 {
        let what = if stopped > 0 { "changes nothing" } else { "stops all media" };
        return t.fail(format!("{method}(false) {what}"));
    }
    let before = codes(&relay.player).len();
    relay.player.send(on_stream(&relay.player, method, 0.0, &[Value::Boolean(true)]));
    if of(push(t, &mut relay, "on")).0 == 0 {
        return t.fail(format!("{method}(true) does not bring it back"));
    }
    let told = codes(&relay.player)[before..].join(", ");
    let both = told.contains("Seek.Notify") && told.contains("Play.Start");
    t.strict_if(both, format!("resumes without Seek.Notify and Play.Start ({told})"))
}

fn stops(t: &mut T, close: bool) -> Outcome {
    let mut relay = t.relay()?;
    let player = &mut relay.player;
    let id = num(player.stream_id.into());
    match close {
        true => player.send(on_stream(player, "closeStream", 0.0, &[])),
        false => player.send(Msg::new(20, command("deleteStream", 0.0, &[NULL, &id]))),
    };
    if push(t, &mut relay, "closed") != (0, 0) {
        return t.fail("media goes on");
    }
    relay.player.state = crate::conform::State::Connected;
    let name = relay.publisher.name.clone();
    let again = t.create_stream(&mut relay.player);
    let again = again.and_then(|_| t.play(&mut relay.player, &name));
    match again.and_then(|()| t.flow(&mut relay)) {
        Ok(()) => t.pass(),
        Err(stop) => t.nonstrict(format!("cannot play again: {}", stop.text())),
    }
}

fn restart(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let name = relay.publisher.name.clone();
    let id = num(relay.publisher.stream_id.into());
    relay.publisher.send(Msg::new(20, command("deleteStream", 0.0, &[NULL, &id]))).finish();
    relay.player.settle(t.timeouts().quiet, t.timeouts().reply).mark();
    let mut second = t.publisher(&name)?;
    let id = second.stream_id;
    let (header, frame) = (avc_header(true), avc_frame(true, 0, 0x5a, 200));
    second.send(Msg::video(0, header.clone()).on(id));
    for n in 0..8 {
        second.send(Msg::video(n * 250, frame.clone()).on(id));
    }
    relay.player.settle(t.timeouts().quiet, t.timeouts().media);
    let first =
        |payload: &[u8]| relay.player.since_mark().iter().position(|m| m.payload[..] == *payload);
    match (first(&header), first(&frame)) {
        (None, Some(_)) => t.fail("frames of the new publisher without its codec header"),
        (Some(header), Some(frame)) if header > frame => t.fail("the codec header comes late"),
        (_, Some(_)) => t.pass(),
        (_, None) => match relay.player.closed() {
            Some(close) => t.fact(format!("the player was closed ({})", close.name())),
            None => t.fact("the player gets nothing of the new publisher"),
        },
    }
}

fn slow_reader(t: &mut T) -> Outcome {
    let mut publisher = live(t, &t.name())?;
    publisher.set_chunk_size(60_000);
    let slow = t.player(&publisher.name)?;
    slow.stop_reading();
    let mut player = t.player(&publisher.name)?;
    flows(t, &mut publisher, &mut player, &mut 0).setup()?;
    let mut time = 10_000;
    for n in 0..400_u32 {
        time += 10;
        let frame = t.picture(&format!("big {}", n % 8), n % 50 == 0, 60_000);
        publisher.send(Msg::video(time, frame).on(publisher.stream_id));
        player.absorb();
    }
    if publisher.is_stuck() {
        return t.fail("the publisher is held up by the slow player");
    }
    let behind = std::time::Instant::now();
    flows(t, &mut publisher, &mut player, &mut time)?;
    let lag = behind.elapsed();
    drop(slow);
    t.pass_if(lag < Duration::from_secs(2), format!("lags by {:.1} s", lag.as_secs_f64()))
}
