//! Protocol control messages (RTMP 5.4).

use super::support_a::{call, caller, output, unless_closed};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Reaction, Setup, State, Step, T, Verdict};
use crate::rtmp::Message;
use crate::wire::message::Body;

use Reaction::{Close, Tolerate};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/control/csid2-msid0",
        "Message types 1, 2, 3, 5 and 6 go on chunk stream 2 and message stream 0",
        |t| output(t, csid2_msid0),
    )
    .sections(&["RTMP 5.4"])
    .explain("a stream is published and played", "so does the server; NONSTRICT otherwise"),
    Case::new(
        "rtmp/control/payload-length",
        "Message types 1, 2, 3 and 5 have 4 bytes, type 6 has 5",
        |t| output(t, payload_length),
    )
    .sections(&["RTMP 5.4.1", "RTMP 5.4.2", "RTMP 5.4.3", "RTMP 5.4.4", "RTMP 5.4.5"])
    .explain("a stream is published and played", "all that the server sends have that length"),
    Case::new(
        "rtmp/control/set-chunk-size-valid",
        "A chunk size is 1 to 0x7FFFFFFF, the top bit 0, and should be 128 at least",
        |t| output(t, set_chunk_size_valid),
    )
    .sections(&["RTMP 5.4.1"])
    .explain("a stream is published and played", "so are the server's; NONSTRICT below 128"),
    Case::new("rtmp/control/set-chunk-size-1", "A chunk size of 1 is legal", |t| {
        t.each([("in one write", false), ("apart", true)], set_chunk_size_1)
    })
    .sections(&["RTMP 5.4.1"])
    .explain(
        "Set Chunk Size 1 and createStream in chunks of 1, in one write and apart",
        "an answer; NONSTRICT for a close",
    ),
    Case::new("rtmp/control/set-chunk-size-zero", "A chunk size of 0 is refused or ignored", |t| {
        let mut c = t.connected()?;
        let transaction = c.fresh_transaction();
        c.mark().hold().send(Msg::set_chunk_size(0)).send(call(transaction, 120));
        t.neg(&mut c, &[Close, Tolerate])
    })
    .sections(&["RTMP 5.4.1"])
    .explain("Set Chunk Size 0, then createStream", "a close, or an answer with the old size"),
    Case::new(
        "rtmp/control/set-chunk-size-high-bit",
        "A chunk size with the top bit set is refused or ignored",
        |t| {
            let variants = [("0x80000000", 0x8000_0000), ("0xFFFFFFFF", 0xffff_ffff)];
            t.each(variants, set_chunk_size_high_bit)
        },
    )
    .sections(&["RTMP 5.4.1"])
    .explain(
        "Set Chunk Size 0x80000000, 0xFFFFFFFF, then a command of 300 bytes in chunks of 128",
        "closes or goes on",
    ),
    Case::new(
        "rtmp/control/set-chunk-size-max",
        "A chunk size of 0x7FFFFFFF is legal: messages are not split",
        set_chunk_size_max,
    )
    .sections(&["RTMP 5.4.1"])
    .explain(
        "Set Chunk Size 0x7FFFFFFF, a command of 5000 bytes in a chunk",
        "an answer; NONSTRICT for a close",
    ),
    Case::new(
        "rtmp/control/abort-drops-partial",
        "Abort drops the message under way; the next one on that chunk stream is a fresh one",
        abort_drops_partial,
    )
    .sections(&["RTMP 5.4.2"])
    .explain("128 of 300 bytes on chunk stream 8, Abort 8, createStream there", "an answer"),
    Case::negative(
        "rtmp/control/abort-unknown-csid",
        "Abort for a chunk stream that is idle or was never used is ignored: nginx-rtmp, SRS and \
         node-media-server agree",
        State::Connected,
        &[
            &[Step::Control(2, &[0, 0, 0, 9])],
            &[Step::Control(2, &[0; 4])],
            &[Step::Control(2, &[0xff; 4])],
        ],
        &[Tolerate],
    )
    .de_facto()
    .sections(&["RTMP 5.4.2"])
    .explain("Abort for 9, 0 and 0xFFFFFFFF", "goes on; NONSTRICT for a close"),
    Case::new(
        "rtmp/control/ack-sent",
        "After each window of bytes that the client announced, the server acknowledges",
        ack_sent,
    )
    .sections(&["RTMP 5.4.3", "RTMP 5.4.4"])
    .needs(&[Need::Publish])
    .explain(
        "Window Acknowledgement Size 10000, then 25000 bytes",
        "two acknowledgements at least",
    ),
    Case::new(
        "rtmp/control/ack-sequence",
        "An acknowledgement says how many bytes were received so far, and never falls",
        ack_sequence,
    )
    .sections(&["RTMP 5.4.3"])
    .needs(&[Need::Publish])
    .explain(
        "Window Acknowledgement Size W = 10000, then 60000 bytes in pieces, each acknowledged for \
         by a request",
        "no number above the bytes sent, none below the one before, none more than 3073 + W below \
         what had been sent",
    ),
    Case::new(
        "rtmp/control/window-ack-not-acked",
        "A client that never acknowledges is served on, paused or closed: most servers go on",
        window_ack_not_acked,
    )
    .de_facto()
    .sections(&["RTMP 5.4.3"])
    .needs(&[Need::Publish, Need::Play])
    .explain(
        "a player that acknowledges nothing for three windows",
        "the media goes on; a FACT otherwise",
    ),
    Case::new(
        "rtmp/control/window-ack-zero",
        "A window of 0 makes no storm of acknowledgements and no division by zero",
        |t| window_storm(t, 0),
    )
    .robustness()
    .level(crate::conform::Level::Should)
    .sections(&["RTMP 5.4.4"])
    .needs(&[Need::Publish])
    .explain(
        "Window Acknowledgement Size 0, then 50 KB of media",
        "goes on or closes; FAIL above 1000 acknowledgements",
    ),
    Case::new(
        "rtmp/control/window-ack-one",
        "A window of 1 makes one acknowledgement per message or read at most",
        |t| window_storm(t, 1),
    )
    .robustness()
    .level(crate::conform::Level::Should)
    .sections(&["RTMP 5.4.4"])
    .needs(&[Need::Publish])
    .explain(
        "Window Acknowledgement Size 1, then 50 KB of media",
        "goes on or closes; FAIL above 1000 acknowledgements",
    ),
    Case::new(
        "rtmp/control/server-sends-winack-peerbw",
        "Window Acknowledgement Size and Set Peer Bandwidth come before the answer to connect",
        server_sends_winack_peerbw,
    )
    .should()
    .sections(&["RTMP 7.2.1.1"])
    .explain("connect", "both come first; NONSTRICT when one is missing or late"),
    Case::new(
        "rtmp/control/set-peer-bandwidth-limit-type",
        "The limit type of Set Peer Bandwidth is 0, 1 or 2",
        |t| output(t, limit_type),
    )
    .sections(&["RTMP 5.4.5"])
    .explain("a stream is published and played", "so are the server's"),
    Case::new(
        "rtmp/control/set-peer-bandwidth-reply",
        "Set Peer Bandwidth is answered with Window Acknowledgement Size if it changes the window",
        set_peer_bandwidth_reply,
    )
    .should()
    .sections(&["RTMP 5.4.5"])
    .explain("Set Peer Bandwidth 123456, hard", "a window of 123456; a FACT when nothing comes"),
    Case::negative(
        "rtmp/control/set-peer-bandwidth-bad-type",
        "Set Peer Bandwidth with an undefined limit type, or without one, is ignored or refused: \
         nginx-rtmp, SRS and node-media-server ignore it",
        State::Connected,
        &[
            &[Step::Control(6, &[0, 1, 0xe2, 0x40, 3])],
            &[Step::Control(6, &[0, 1, 0xe2, 0x40, 255])],
            &[Step::Control(6, &[0, 1, 0xe2, 0x40])],
        ],
        &[Tolerate, Close],
    )
    .de_facto()
    .sections(&["RTMP 5.4.5"])
    .explain("limit type 3, 255, and no limit type", "goes on or closes"),
    Case::negative(
        "rtmp/control/reserved-type",
        "Message types 0 and 7 are ignored or end the connection: nginx-rtmp, SRS and \
         node-media-server ignore them",
        State::Connected,
        &[&[Step::Control(0, &[0, 0, 0, 1])], &[Step::Control(7, &[0, 0, 0, 1])]],
        &[Tolerate, Close],
    )
    .de_facto()
    .sections(&["RTMP 5.4", "RTMP 6.1.1"])
    .explain("types 0 and 7 with 4 bytes on chunk stream 2", "goes on or closes"),
    Case::new(
        "rtmp/control/timestamp-ignored",
        "Timestamps of control messages mean nothing to media",
        timestamp_ignored,
    )
    .sections(&["RTMP 5.4"])
    .needs(&[Need::Publish, Need::Play])
    .explain(
        "Set Chunk Size at 0xFFFFFFFF between frames",
        "the player sees the frames' own steps",
    ),
];

fn csid2_msid0(m: &Message) -> Verdict {
    let (kind, csid, id) = (m.type_id.kind(), m.csid, m.stream_id.unwrap_or_default());
    let control = matches!(m.type_id.0, 1 | 2 | 3 | 5 | 6);
    let good = !control || (csid == 2 && id == 0);
    Verdict::strict_if(good, format!("{kind} on chunk stream {csid}, message stream {id}"))
}

fn payload_length(m: &Message) -> Verdict {
    let right = match m.type_id.0 {
        1 | 2 | 3 | 5 => 4,
        6 => 5,
        _ => m.length,
    };
    Verdict::pass_if(m.length == right, format!("{} of {} bytes", m.type_id.kind(), m.length))
}

fn set_chunk_size_valid(m: &Message) -> Verdict {
    match m.body {
        Body::SetChunkSize { reserved_bit: true, .. } => Verdict::Fail("the top bit is set".into()),
        Body::SetChunkSize { size: 0, .. } => Verdict::Fail("the size is 0".into()),
        Body::SetChunkSize { size, .. } => Verdict::strict_if(size >= 128, format!("size {size}")),
        _ => Verdict::Pass,
    }
}

fn limit_type(m: &Message) -> Verdict {
    match m.body {
        Body::SetPeerBandwidth { limit: Some(limit), .. } => {
            Verdict::pass_if(limit.0 <= 2, format!("limit type {}", limit.0))
        }
        _ => Verdict::Pass,
    }
}

fn set_chunk_size_1(t: &mut T, apart: bool) -> Outcome {
    let mut c = t.connected()?;
    c.hold().set_chunk_size(1);
    if apart {
        c.release().idle(t.timeouts().quiet);
    }
    // Much of it at once: a reader that shrinks its buffer first loses what it has read already.
    let transaction = c.fresh_transaction();
    c.send(call(transaction, 120));
    let came = t.barrier(&mut c, t.timeouts().reply);
    unless_closed(t, &mut c, came)
}

fn set_chunk_size_high_bit(t: &mut T, size: u32) -> Outcome {
    let mut c = caller(t, 300)?;
    let transaction = c.fresh_transaction();
    c.mark().hold().send(Msg::set_chunk_size(size)).send(call(transaction, 300));
    t.neg(&mut c, &[Close, Tolerate])
}

fn set_chunk_size_max(t: &mut T) -> Outcome {
    let mut c = caller(t, 5000)?;
    let transaction = c.fresh_transaction();
    c.hold().set_chunk_size(0x7fff_ffff).send(call(transaction, 5000)).release();
    let came = c.expect_reply(transaction);
    unless_closed(t, &mut c, came)
}

fn abort_drops_partial(t: &mut T) -> Outcome {
    let mut c = caller(t, 300)?;
    let (one, two) = (c.fresh_transaction(), c.fresh_transaction());
    let mut message = c.begin(call(one, 300).csid(8).fmt(0))?;
    c.chunk(&mut message);
    c.encoder().forget(8);
    c.send(Msg::abort(8)).send(call(two, 35).csid(8).fmt(0));
    t.expect_alive_after();
    c.expect_reply(two)?;
    t.pass()
}

/// A publisher that has announced a window, in chunks of 4096.
fn windowed(t: &T, window: u32) -> Result<Conn, crate::conform::Stop> {
    let mut c = t.publisher(&t.name())?;
    c.set_chunk_size(4096).send(Msg::window(window)).mark();
    t.send_headers(&mut c);
    Ok(c)
}

/// Sends audio of 2400 bytes, piece by piece, each followed by a request whose answer is awaited:
/// a server that reads all at once would acknowledge once.
fn pieces(t: &T, c: &mut Conn, count: u32, mut after: impl FnMut(&Conn, u64)) {
    for n in 0..count {
        let before = c.counts().0;
        let sound = t.sound(&format!("frame {n}"), 2400);
        c.send(Msg::audio(n * 20, sound).on(c.stream_id));
        if t.barrier(c, t.timeouts().reply).is_err() {
            return;
        }
        after(c, before);
    }
}

/// The acknowledgements since the mark.
fn acks(c: &Conn) -> Vec<u32> {
    let number = |m: &Message| match m.body {
        Body::Acknowledgement { sequence_number } => Some(sequence_number),
        _ => None,
    };
    c.since_mark().iter().filter_map(number).collect()
}

fn ack_sent(t: &mut T) -> Outcome {
    let mut c = windowed(t, 10_000)?;
    pieces(t, &mut c, 11, |_, _| {});
    let quiet = t.timeouts().quiet;
    c.settle(quiet, t.timeouts().reply);
    match acks(&c).len() {
        0 => t.fail("no acknowledgement"),
        1 => t.fail("one acknowledgement for two and a half windows"),
        _ => t.pass(),
    }
}

fn ack_sequence(t: &mut T) -> Outcome {
    let mut c = windowed(t, 10_000)?;
    let (mut seen, mut last, mut wrong) = (0, 0, None);
    pieces(t, &mut c, 25, |c, before| {
        let (all, sent) = (acks(c), c.counts().0);
        for ack in all.iter().skip(seen).map(|ack| u64::from(*ack)) {
            wrong = wrong.take().or(match ack {
                _ if ack > sent => Some(format!("{ack} is more than the {sent} bytes sent")),
                _ if ack < last => Some(format!("{ack} after {last}")),
                _ if ack + 3073 + 10_000 < before => Some(format!("{ack} when {before} were sent")),
                _ => None,
            });
            last = ack;
        }
        seen = all.len();
    });
    match wrong {
        _ if seen == 0 => t.inconclusive("no acknowledgement came"),
        Some(text) if text.contains("more than") => t.nonstrict(text),
        Some(text) => t.fail(text),
        None => t.pass(),
    }
}

fn window_ack_not_acked(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    t.expect_alive_after();
    r.player.acknowledges = false;
    let windows = r.player.messages().iter().filter_map(|m| match m.body {
        Body::WindowAcknowledgementSize { size } => Some(size),
        _ => None,
    });
    let window = windows.last().unwrap_or(2_500_000).min(5_000_000);
    r.publisher.set_chunk_size(65_536);
    let (from, goal) = (r.player.counts().1, u64::from(window) * 3);
    for n in 0..(goal >> 18) + 2 {
        let time = r.time;
        r.send(Msg::video(time, t.picture(&format!("frame {n}"), true, 1 << 18)));
        r.player.absorb();
    }
    let flows = t.flow(&mut r);
    let passed = r.player.counts().1 - from;
    t.note(format!("{passed} bytes of media without an acknowledgement, window {window}"));
    match flows {
        Ok(()) => t.pass(),
        Err(stop) => t.fact(stop.text()),
    }
}

fn window_storm(t: &mut T, window: u32) -> Outcome {
    let mut c = windowed(t, window)?;
    for n in 0..21 {
        let sound = t.sound(&format!("frame {n}"), 2400);
        c.send(Msg::audio(n * 20, sound).on(c.stream_id));
    }
    let verdict = t.neg(&mut c, &[Tolerate, Close])?;
    c.settle(t.timeouts().quiet, t.timeouts().quiet);
    match acks(&c).len() {
        count @ 1000.. => t.fail(format!("{count} acknowledgements of 50 KB")),
        count @ 100.. => Ok(verdict.worst(Verdict::NonStrict(format!("{count} acknowledgements")))),
        _ => Ok(verdict),
    }
}

fn server_sends_winack_peerbw(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.settle(t.timeouts().quiet, t.timeouts().quiet);
    let at = |wanted: &dyn Fn(&Message) -> bool| c.messages().iter().position(wanted);
    let result = at(&|m| Conn::command_of(m).is_some_and(|command| command.name == "_result"));
    let mut wrong = Vec::new();
    for type_id in [5, 6] {
        match at(&|m| m.type_id.0 == type_id) {
            None => wrong.push(format!("no message of type {type_id}")),
            at if at > result => wrong.push(format!("type {type_id} comes after the answer")),
            _ => {}
        }
    }
    t.strict_if(wrong.is_empty(), wrong.join(", "))
}

fn set_peer_bandwidth_reply(t: &mut T) -> Outcome {
    let mut c = t.connected()?;
    c.mark().send(Msg::peer_bandwidth(123_456, 0));
    t.barrier(&mut c, t.timeouts().reply).setup()?;
    c.settle(t.timeouts().quiet, t.timeouts().quiet);
    let window = |m: &Message| match m.body {
        Body::WindowAcknowledgementSize { size } => Some(size),
        _ => None,
    };
    match c.since_mark().iter().find_map(window) {
        Some(123_456) => t.pass(),
        Some(size) => t.nonstrict(format!("answered with a window of {size}")),
        None => t.fact("not answered"),
    }
}

fn timestamp_ignored(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let time = r.time;
    let mut sent = vec![r.send(Msg::audio(time, t.sound("before", 90)))];
    r.publisher.send(Msg::set_chunk_size(128).at(0xffff_ffff));
    sent.push(r.send(Msg::audio(time + 20, t.sound("one", 90)).fmt(0)));
    sent.push(r.send(Msg::audio(time + 40, t.sound("two", 90)).fmt(1)));
    let got = t.collect(&mut r)?;
    t.same_frames(&sent, &got)
}
