//! User control messages (RTMP 6.2, 7.1.7).

use std::time::{Duration, Instant};

use super::support_a::output;
use crate::conform::{Case, Conn, Msg, Need, Outcome, Reaction, Relay, State, Step, T, Verdict};
use crate::rtmp::Message;
use crate::wire::message::{Body, MessageType, UserControl};

use Reaction::{Close, Tolerate};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/ucm/csid2-msid0",
        "User control messages go on chunk stream 2 and message stream 0, in one chunk",
        |t| output(t, csid2_msid0),
    )
    .should()
    .sections(&["RTMP 6.2"])
    .explain("a stream is published and played", "so do the server's; NONSTRICT otherwise"),
    Case::new(
        "rtmp/ucm/payload-size",
        "User control messages have the length of their event: 6 bytes, 10 for Set Buffer Length",
        |t| output(t, payload_size),
    )
    .sections(&["RTMP 7.1.7"])
    .explain("a stream is published and played", "so have the server's"),
    Case::new(
        "rtmp/ucm/stream-begin-0",
        "Stream Begin for stream 0 follows a successful connect",
        stream_begin_0,
    )
    .should()
    .sections(&["RTMP 7.1.7", "RTMP 7.2.1.1"])
    .explain("connect", "it comes by T_QUIET after the answer; a FACT when it does not"),
    Case::new(
        "rtmp/ucm/stream-begin-play",
        "Stream Begin for the stream comes when playing starts",
        stream_begin_play,
    )
    .should()
    .sections(&["RTMP 7.2.2.1"])
    .needs(&[Need::Publish, Need::Play])
    .explain(
        "play",
        "it comes before the first media; NONSTRICT when absent, late or for another stream",
    ),
    Case::new(
        "rtmp/ucm/stream-begin-publish",
        "Stream Begin for the stream may come when publishing starts",
        stream_begin_publish,
    )
    .may()
    .sections(&["RTMP 7.3.1"])
    .needs(&[Need::Publish])
    .explain("publish", "a FACT: whether it comes"),
    Case::new(
        "rtmp/ucm/stream-eof",
        "The end of playback is told: Stream EOF, a status, or a close",
        stream_eof,
    )
    .should()
    .sections(&["RTMP 7.1.7"])
    .needs(&[Need::Publish, Need::Play])
    .explain("the publisher leaves", "the player is told within T_CLOSE; NONSTRICT when it is not"),
    Case::new(
        "rtmp/ucm/stream-is-recorded",
        "Stream Is Recorded is sent for recorded streams only",
        stream_is_recorded,
    )
    .sections(&["RTMP 7.1.7"])
    .needs(&[Need::Publish, Need::Play])
    .explain("play of a live stream", "it does not come; NONSTRICT when it does"),
    Case::new(
        "rtmp/ucm/ping-response",
        "A Ping Request is answered with its own timestamp: the text has servers ask, nginx-rtmp \
         and SRS answer too",
        ping_response,
    )
    .de_facto()
    .sections(&["RTMP 7.1.7"])
    .explain("Ping Request 0xDEADBEEF", "Ping Response 0xDEADBEEF; NONSTRICT when nothing comes"),
    Case::new(
        "rtmp/ucm/server-ping-answered",
        "A server that pings keeps a connection that answers",
        server_ping_answered,
    )
    .slow()
    .sections(&["RTMP 7.1.7"])
    .needs(&[Need::Publish, Need::Play])
    .explain(
        "two idle players for 170 s, one answers pings, the other does not",
        "the one that answers is still connected; what became of the other is noted",
    ),
    Case::new(
        "rtmp/ucm/set-buffer-length",
        "Set Buffer Length is accepted before and after play, without an answer",
        |t| t.each([("before play", State::Stream), ("after play", State::Playing)], buffer_length),
    )
    .sections(&["RTMP 7.1.7"])
    .needs(&[Need::Publish, Need::Play])
    .explain("Set Buffer Length 3000, 0 and 0xFFFFFFFF ms", "goes on"),
    Case::negative(
        "rtmp/ucm/unknown-event",
        "Unknown events are ignored: nginx-rtmp, SRS and node-media-server agree",
        State::Connected,
        &[
            &[Step::Control(4, &[0, 5, 0, 0, 0, 1])],
            &[Step::Control(4, &[0, 8, 0, 0, 0, 1])],
            &[Step::Control(4, &[0, 100, 0, 0, 0, 1])],
            &[Step::Control(4, &[0xff, 0xff, 0, 0, 0, 1])],
        ],
        &[Tolerate],
    )
    .de_facto()
    .sections(&["RTMP 6.2"])
    .explain("events 5, 8, 100 and 0xFFFF", "goes on; NONSTRICT for a close"),
    Case::negative(
        "rtmp/ucm/short-payload",
        "User control messages that are too short are ignored or refused: nginx-rtmp ignores, SRS \
         closes",
        State::Connected,
        &[
            &[Step::Control(4, &[])],
            &[Step::Control(4, &[0])],
            &[Step::Control(4, &[0, 6])],
            &[Step::Control(4, &[0, 6, 0])],
            &[Step::Control(4, &[0, 3, 0, 0, 0, 1])],
        ],
        &[Tolerate, Close],
    )
    .de_facto()
    .sections(&["RTMP 6.2"])
    .explain("0, 1, 2 and 3 bytes; Set Buffer Length without a length", "goes on or closes"),
    Case::negative(
        "rtmp/ucm/swf-verify",
        "A SWF verification nobody asked for is ignored: all servers known do",
        State::Connected,
        &[&[Step::Control(4, &SWF_VERIFICATION)]],
        &[Tolerate],
    )
    .de_facto()
    .explain("event 27 with 42 bytes", "goes on; NONSTRICT for a close"),
];

/// SWF Verification Response: version 1 twice, a size, the size again, a digest.
const SWF_VERIFICATION: [u8; 44] = {
    let mut payload = [0xa5; 44];
    let head = [0, 27, 1, 1, 0, 0, 0x10, 0, 0, 0, 0x10, 0];
    let mut at = 0;
    while at < head.len() {
        payload[at] = head[at];
        at += 1;
    }
    payload
};

/// The user control message in a message.
fn user_control(message: &Message) -> Option<&UserControl> {
    match &message.body {
        Body::UserControl(uc) => Some(uc),
        _ => None,
    }
}

/// Whether it is this event for this stream.
fn is_event(message: &Message, event: u16, stream_id: u32) -> bool {
    user_control(message).is_some_and(|uc| uc.event.0 == event && uc.stream_id == Some(stream_id))
}

fn csid2_msid0(m: &Message) -> Verdict {
    let (csid, id) = (m.csid, m.stream_id.unwrap_or_default());
    let good = m.type_id != MessageType::USER_CONTROL || (csid == 2 && id == 0 && m.chunks == 1);
    let chunks = m.chunks;
    Verdict::strict_if(good, format!("chunk stream {csid}, message stream {id}, {chunks} chunks"))
}

fn payload_size(m: &Message) -> Verdict {
    if m.type_id != MessageType::USER_CONTROL {
        return Verdict::Pass;
    }
    let event = m.payload.get(..2).map_or(u16::MAX, |b| u16::from_be_bytes([b[0], b[1]]));
    let right = match event {
        0 | 1 | 2 | 4 | 6 | 7 | 31 | 32 => 6,
        3 => 10,
        26 => 3,
        27 => 44,
        _ => m.length.max(2),
    };
    Verdict::pass_if(m.length == right, format!("event {event} has {} bytes", m.length))
}

fn stream_begin_0(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.settle(t.timeouts().quiet, t.timeouts().quiet);
    match c.messages().iter().any(|m| is_event(m, 0, 0)) {
        true => t.pass(),
        false => t.fact("not sent"),
    }
}

fn stream_begin_play(t: &mut T) -> Outcome {
    let r = t.relay()?;
    let at = |wanted: &dyn Fn(&Message) -> bool| r.player.messages().iter().position(wanted);
    let media = at(&|m| m.type_id.is_media()).unwrap_or(usize::MAX);
    match at(&|m| is_event(m, 0, r.player.stream_id)) {
        Some(begin) => t.strict_if(begin < media, "comes after the first media"),
        None if at(&|m| user_control(m).is_some_and(|uc| uc.event.0 == 0)).is_some() => {
            t.nonstrict("comes for another stream only")
        }
        None => t.nonstrict("not sent"),
    }
}

fn stream_begin_publish(t: &mut T) -> Outcome {
    let mut c = t.publisher(&t.name())?;
    c.settle(t.timeouts().quiet, t.timeouts().quiet);
    let sent = c.messages().iter().any(|m| is_event(m, 0, c.stream_id));
    t.fact(if sent { "sent" } else { "not sent" })
}

fn stream_eof(t: &mut T) -> Outcome {
    let Relay { publisher, mut player, .. } = t.relay()?;
    player.mark();
    drop(publisher);
    let id = player.stream_id;
    let told = |m: &Message| {
        let ends = ["Unpublish", "Play.Stop", "Play.Complete", "StreamNotFound", "Play.Failed"];
        let is_end = |(code, _): (String, String)| ends.iter().any(|end| code.contains(end));
        is_event(m, 1, id) || Conn::status_of(m).is_some_and(is_end)
    };
    let came = player.expect_in(t.timeouts().close, "word of the end", told);
    t.strict_if(came.is_ok() || player.closed().is_some(), "the player is told nothing")
}

fn stream_is_recorded(t: &mut T) -> Outcome {
    let r = t.relay()?;
    let sent = r.player.messages().iter().any(|m| is_event(m, 4, r.player.stream_id));
    t.strict_if(!sent, "sent for a live stream")
}

fn ping_response(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.send(Msg::ping(0xdead_beef));
    let pong = |m: &Message| user_control(m).is_some_and(|uc| uc.event.0 == 7);
    match c.expect("Ping Response", pong) {
        Err(_) if c.closed().is_some() => t.fail("closes"),
        Err(_) => t.nonstrict("not answered"),
        Ok(m) => {
            let stamp = user_control(&m).and_then(|uc| uc.timestamp);
            t.pass_if(stamp == Some(0xdead_beef), format!("answered with {stamp:x?}"))
        }
    }
}

fn server_ping_answered(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let mut silent = t.player(&r.publisher.name)?;
    silent.pongs = false;
    let (begun, mut gone) = (Instant::now(), None);
    while begun.elapsed() < t.timeouts().idle.mul_f64(1.7) && r.player.closed().is_none() {
        r.player.idle(Duration::from_millis(300));
        r.publisher.absorb();
        silent.absorb();
        gone = gone.or(silent.closed().map(|_| begun.elapsed().as_secs()));
    }
    let pings = |c: &Conn| {
        let ping = |m: &&Message| user_control(m).is_some_and(|uc| uc.event.0 == 6);
        c.messages().iter().filter(ping).count()
    };
    t.note(format!("{} pings answered, {} left unanswered", pings(&r.player), pings(&silent)));
    t.note(gone.map_or("the silent player stays".to_owned(), |s| {
        format!("the silent player is closed after {s} s")
    }));
    match (r.player.closed(), pings(&r.player)) {
        (None, 0) => t.fact("no ping came"),
        (None, _) => t.pass(),
        (Some(_), 0) => t.fact("closes an idle player without a ping"),
        (Some(_), _) => t.fail("closes a player that answers pings"),
    }
}

fn buffer_length(t: &mut T, state: State) -> Outcome {
    let (mut c, _relay) = t.at(state)?;
    for millis in [3000_u32, 0, u32::MAX] {
        let data = [c.stream_id.to_be_bytes(), millis.to_be_bytes()].concat();
        c.send(Msg::user_control(3, &data));
    }
    t.barrier(&mut c, t.timeouts().reply)?;
    t.pass()
}
