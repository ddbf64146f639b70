//! The chunk stream (RTMP 5.3): timestamps, extended and wrapping.

use super::support_a::relayed;
use crate::conform::{Case, Frame, Msg, Need, Outcome, Reaction, Stop, T, Verdict};
use crate::rtmp::{AnomalyKind, ExtendedTimestampHabit};

/// A relayed stream.
const RELAY: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/chunk/fmt0-on-time-backwards",
        "A timestamp that goes back needs a header of format 0",
        fmt0_on_time_backwards,
    )
    .sections(&["RTMP 5.3.1.2.1"])
    .needs(RELAY)
    .explain(
        "audio that goes back by 1000 ms",
        "the player gets it with a header of format 0; INCONCLUSIVE when its time was rewritten",
    ),
    Case::new(
        "rtmp/chunk/extended-timestamp-fmt0",
        "A timestamp of 0xFFFFFF or more is 0xFFFFFF and four bytes more",
        |t| relayed(t, true, &[(0, 0xff_fffe, 90), (0, 0xff_ffff, 90), (0, 0x100_0000, 90)]),
    )
    .sections(&["RTMP 5.3.1.3"])
    .needs(RELAY)
    .explain("audio at 00FFFFFE, 00FFFFFF and 01000000, format 0", "the player sees steps of 1"),
    Case::new(
        "rtmp/chunk/extended-timestamp-delta",
        "With formats 1 and 2 the four bytes are a delta",
        extended_timestamp_delta,
    )
    .sections(&["RTMP 5.3.1.2.5", "RTMP 5.3.1.3"])
    .needs(RELAY)
    .explain(
        "audio with format 0, then format 1 with a delta of 01000000",
        "a step of 16777216; INCONCLUSIVE when the same jump with format 0 is rewritten too",
    ),
    Case::new(
        "rtmp/chunk/fmt3-extended-timestamp",
        "Chunks of format 3 repeat the extended timestamp that their message has",
        fmt3_extended_timestamp,
    )
    .sections(&["RTMP 5.3.1.3"])
    .needs(RELAY)
    .explain(
        "a picture of 1000 bytes at 01000000 in chunks of 128, the field in each of them",
        "the player gets it intact; whether it is read without the field too is noted",
    ),
    Case::new(
        "rtmp/chunk/fmt3-extended-timestamp-server-output",
        "The server repeats the extended timestamp in its own chunks of format 3",
        fmt3_extended_timestamp_server_output,
    )
    .sections(&["RTMP 5.3.1.3"])
    .needs(RELAY)
    .explain(
        "a large picture above 01000000 is published",
        "the player's chunks of format 3 have the field; NONSTRICT when its value differs",
    ),
    Case::new(
        "rtmp/chunk/timestamp-wrap-32",
        "A stream goes on when its timestamps pass 2^32",
        timestamp_wrap_32,
    )
    .should()
    .sections(&["RTMP 4"])
    .needs(RELAY)
    .explain(
        "audio from FFFFFF00 to 00000100, with format 1 and with format 0",
        "the player goes on to get it, in small steps; NONSTRICT otherwise",
    ),
    Case::new(
        "rtmp/chunk/timestamp-cross-24bit",
        "A stream goes on when its timestamps pass 0xFFFFFF",
        |t| {
            t.each([("format 1", 1), ("format 0", 0)], |t, fmt| {
                let rest = (1..9).map(|n| (fmt, 0xff_ff00 + n * 64, 90));
                relayed(t, true, &[(0, 0xff_ff00, 90)].into_iter().chain(rest).collect::<Vec<_>>())
            })
        },
    )
    .sections(&["RTMP 5.3.1.3"])
    .needs(RELAY)
    .explain("audio from 00FFFF00 to 01000100, with format 1 and with format 0", "all comes out"),
    Case::new(
        "rtmp/chunk/non-monotonic",
        "Timestamps that go back do not end the connection: all servers known go on",
        non_monotonic,
    )
    .de_facto()
    .sections(&["RTMP 4"])
    .needs(&[Need::Publish])
    .explain("audio at 5000, then at 4000, format 0", "goes on; NONSTRICT for a close"),
];

fn fmt0_on_time_backwards(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    let (time, sounds) = (r.time + 2000, [t.sound("one", 90), t.sound("two", 90)]);
    r.send(Msg::audio(time, sounds[0].clone()));
    r.send(Msg::audio(time - 1000, sounds[1].clone()));
    t.collect(&mut r)?;
    let mut on: Vec<_> = r.player.messages().iter().collect();
    let Some(at) = on.iter().position(|m| m.payload[..] == sounds[1][..]) else {
        return t.inconclusive("the message that goes back did not come out");
    };
    let back = on[at];
    on.truncate(at);
    let before = on.iter().rev().find(|m| m.csid == back.csid).map_or(0, |m| m.timestamp);
    match back.timestamp.wrapping_sub(before) {
        _ if back.fmt == 0 => t.pass(),
        // A step back cut to 24 bits looks like one of more than four hours forward.
        0..0xf0_0000 => t.inconclusive("the server has rewritten the time"),
        step => t.fail(format!("goes back with format {} and a delta of {step}", back.fmt)),
    }
}

fn extended_timestamp_delta(t: &mut T) -> Outcome {
    let jump = |t: &mut T, fmt| relayed(t, false, &[(0, 0, 90), (fmt, 0x100_0000, 90)]);
    let verdict = jump(t, 1)?;
    if verdict == Verdict::Pass {
        return t.pass();
    }
    match jump(t, 0)? {
        Verdict::Pass => Ok(verdict),
        _ => t.inconclusive("the same jump with format 0 does not come out as it was sent either"),
    }
}

fn fmt3_extended_timestamp(t: &mut T) -> Outcome {
    let run = |t: &mut T, habit| -> Outcome {
        let mut r = t.relay()?;
        r.publisher.habit(habit);
        let sent = [r.send(Msg::video(0x100_0000, t.picture("frame", true, 1000)).fmt(0))];
        let got = t.collect(&mut r)?;
        t.same_frames(&sent, &got)
    };
    let verdict = run(t, ExtendedTimestampHabit::Repeat)?;
    let lenient = run(t, ExtendedTimestampHabit::Omit) == Ok(Verdict::Pass);
    t.note(if lenient { "reads it without the field too" } else { "needs the field" });
    Ok(verdict)
}

fn fmt3_extended_timestamp_server_output(t: &mut T) -> Outcome {
    let mut r = t.relay()?;
    r.publisher.set_chunk_size(65_536);
    let size = (r.player.server_chunk_size() as usize * 3).min(900_000);
    let time = r.time + 0x100_0000;
    let frame = r.send(Msg::video(time, t.picture("frame", true, size)).fmt(0));
    t.collect(&mut r)?;
    let mut all = r.player.messages().iter();
    let seen = all.find(|m| m.extended_timestamp && m.length as usize == frame.payload.len());
    let has = |kind| r.player.anomalies().iter().any(|anomaly| anomaly.kind == kind);
    match seen {
        _ if has(AnomalyKind::ExtendedTimestampOmitted) => t.fail("the field is missing"),
        _ if has(AnomalyKind::LostSync) => t.fail("the server's chunks cannot be read on"),
        _ if has(AnomalyKind::ExtendedTimestampDiffers) => t.nonstrict("its value differs"),
        Some(message) if message.chunks > 1 && message.complete => t.pass(),
        Some(_) => t.inconclusive("the picture came in one chunk"),
        None => t.inconclusive("the picture came without an extended timestamp"),
    }
}

fn timestamp_wrap_32(t: &mut T) -> Outcome {
    t.each([("format 1", 1), ("format 0", 0)], |t, fmt| {
        let mut r = t.relay()?;
        let mut sent: Vec<Frame> = Vec::new();
        for n in 0..13_u32 {
            let (time, fmt) = (0xffff_ff00_u32.wrapping_add(n * 40), if n == 0 { 0 } else { fmt });
            sent.push(r.send(Msg::audio(time, t.sound(&format!("frame {n}"), 90)).fmt(fmt)));
        }
        r.time = 0x200;
        match t.collect(&mut r).and_then(|got| t.same_frames(&sent, &got)) {
            Ok(Verdict::Fail(text)) | Err(Stop::Fail(text)) => t.nonstrict(text),
            outcome => outcome,
        }
    })
}

fn non_monotonic(t: &mut T) -> Outcome {
    let mut c = t.publisher(&t.name())?;
    t.send_headers(&mut c);
    let id = c.stream_id;
    c.send(Msg::audio(5000, t.sound("one", 90)).on(id).fmt(0));
    c.send(Msg::audio(4000, t.sound("two", 90)).on(id).fmt(0));
    t.neg(&mut c, &[Reaction::Tolerate])
}
