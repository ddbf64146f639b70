//! The handshake (RTMP 5.2), and the digest handshake that no specification describes.

use std::time::Duration;

use super::support_a::{First, answers, connects, digest_c1, first, flight, judge_digest};
use crate::conform::{Case, Conn, Outcome, Stop, T, Verdict};
use crate::wire::handshake::{HANDSHAKE_LEN, Layout, PACKET_LEN, echo};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new("rtmp/handshake/s0-version", "For a C0 of 3 the server answers S0 = 3", s0_version)
        .sections(&["RTMP 5.2.2"])
        .explain("C0 = 3 and C1", "the server's first byte is 3"),
    Case::new(
        "rtmp/handshake/s0s1s2-length",
        "The server's handshake is 1 + 1536 + 1536 bytes before anything else",
        s0s1s2_length,
    )
    .sections(&["RTMP 5.2.1", "RTMP 5.2.2", "RTMP 5.2.3", "RTMP 5.2.4"])
    .explain("C0 and C1, no C2", "exactly 3073 bytes come, then nothing for T_QUIET"),
    Case::new(
        "rtmp/handshake/s1-zero-field",
        "Bytes 4 to 7 of S1 are zero in a simple handshake",
        s1_zero_field,
    )
    .sections(&["RTMP 5.2.3"])
    .explain("a C1 whose zero field is 0", "S1's zero field is 0; NONSTRICT for another value"),
    Case::new(
        "rtmp/handshake/c1-random-echo",
        "S2 carries C1's 1528 random bytes at offset 8",
        c1_random_echo,
    )
    .sections(&["RTMP 5.2.4"])
    .explain("C0 and a C1 of random bytes", "S2 repeats C1 from byte 8 on"),
    Case::new("rtmp/handshake/s2-time-echo", "S2 begins with C1's time", s2_time_echo)
        .sections(&["RTMP 5.2.4"])
        .explain(
            "C1 with the time 0x11223344",
            "S2 begins with it; NONSTRICT otherwise, since few clients look",
        ),
    Case::new(
        "rtmp/handshake/s2-time2",
        "Bytes 4 to 7 of S2 say when the server read C1",
        s2_time2,
    )
    .sections(&["RTMP 5.2.4"])
    .explain("C1", "a FACT: zero, a copy of C1's zero field, or a time"),
    Case::new(
        "rtmp/handshake/s1-not-c1-copy",
        "S1's random bytes differ from C1's, so that each side knows its own challenge",
        s1_not_c1_copy,
    )
    .should()
    .sections(&["RTMP 5.2.3"])
    .explain("C0 and a C1 of random bytes", "S1 holds other bytes from byte 8 on"),
    Case::new(
        "rtmp/handshake/s1-varies",
        "S1's random bytes are not the same on every connection",
        s1_varies,
    )
    .should()
    .sections(&["RTMP 5.2.3"])
    .explain("two connections, one after the other, with different C1", "S1 differs"),
    Case::new(
        "rtmp/handshake/no-data-before-c2",
        "After S2 the server sends nothing until C2 is complete",
        no_data_before_c2,
    )
    .sections(&["RTMP 5.2.1"])
    .explain("C0 and C1; C2 is held back for 2 s", "3073 bytes and not one more"),
    Case::new(
        "rtmp/handshake/c2-any-content",
        "A C2 that is no exact echo is accepted: nginx-rtmp, SRS and node-media-server never look at it",
        c2_any_content,
    )
    .de_facto()
    .sections(&["RTMP 5.2.4"])
    .explain(
        "C2 as a copy of S1, as zeros, as noise; then connect",
        "connect is answered; NONSTRICT when zeros or noise are refused by a close",
    ),
    Case::new(
        "rtmp/handshake/c2-with-following-data",
        "C2 and connect in one TCP segment are both processed, as all servers known do",
        c2_with_following_data,
    )
    .de_facto()
    .sections(&["RTMP 5.2.1"])
    .explain("after S2, C2 and connect in one write", "connect is answered"),
    Case::new(
        "rtmp/handshake/c0c1-split",
        "C0 and C1 may arrive in any segmentation",
        c0c1_split,
    )
    .sections(&["RTMP 5.2.1"])
    .explain("C0, 200 ms later C1 in three pieces", "a whole handshake in T_HS; connect is answered"),
    Case::new(
        "rtmp/handshake/unsupported-version",
        "An unknown C0 (4, 31) is answered with S0 = 3, or the connection is closed",
        |t| t.each([("C0 = 4", 4), ("C0 = 31", 31)], version),
    )
    .should()
    .sections(&["RTMP 5.2.2", "RTMP 5.2.5"])
    .explain("C0 = 4, C0 = 31 with a valid C1", "S0 = 3, or a close in T_CLOSE"),
    Case::new(
        "rtmp/handshake/version-text",
        "A C0 of 32 to 255, such as the G of GET, is never taken for RTMP",
        version_text,
    )
    .sections(&["RTMP 5.2.2"])
    .explain(
        "an HTTP request; C0 = 0x47 and 1536 bytes",
        "a close, or an answer in HTTP; NONSTRICT when the server waits; FAIL for a handshake",
    ),
    Case::new(
        "rtmp/handshake/version-rtmpe",
        "C0 = 6 (RTMPE) is served or refused, as nginx-rtmp, SRS and FFmpeg do",
        version_rtmpe,
    )
    .de_facto()
    .explain("C0 = 6 and a C1 without a digest", "a close, S0 = 6 or S0 = 3"),
    Case::new(
        "rtmp/handshake/version-deprecated",
        "The obsolete C0 0, 1 and 2 are answered with S0 = 3, or the connection is closed",
        |t| t.each([("C0 = 0", 0), ("C0 = 1", 1), ("C0 = 2", 2)], version),
    )
    .should()
    .sections(&["RTMP 5.2.2"])
    .explain("C0 = 0, 1, 2 with a valid C1", "S0 = 3, or a close in T_CLOSE"),
    Case::new(
        "rtmp/handshake/digest-key-first",
        "A C1 with its digest in the second block gets a signed S2 or a plain echo: nginx-rtmp, SRS and node-media-server agree",
        |t| judge_digest(t, Layout::KeyFirst),
    )
    .de_facto()
    .explain("a C1 as Flash Player makes it, key block first", "S1 with a digest and S2 signed, or S2 an echo"),
    Case::new(
        "rtmp/handshake/digest-digest-first",
        "A C1 with its digest in the first block gets a signed S2 or a plain echo: nginx-rtmp, SRS and node-media-server agree",
        |t| judge_digest(t, Layout::DigestFirst),
    )
    .de_facto()
    .explain("a C1 as Flash Player makes it, digest block first", "S1 with a digest and S2 signed, or S2 an echo"),
    Case::new(
        "rtmp/handshake/digest-corrupt",
        "A C1 with a version but a wrong digest gets the simple handshake or a close: nginx-rtmp and SRS agree",
        digest_corrupt,
    )
    .de_facto()
    .explain("a C1 whose digest has one bit flipped", "S2 is an echo, or a close"),
    Case::new(
        "rtmp/handshake/stall-partial-c1",
        "A client that stops in the middle of C1 is dropped in the end: nginx-rtmp after 60 s, SRS after 30 s",
        |t| stall(t, 1 + 700),
    )
    .robustness()
    .level(crate::conform::Level::Should)
    .slow()
    .explain("C0 and 700 bytes of C1, then silence", "a close within T_IDLE; others are served meanwhile"),
    Case::new(
        "rtmp/handshake/stall-before-c2",
        "A client that never sends C2 is dropped in the end: nginx-rtmp after 60 s, SRS after 30 s",
        |t| stall(t, 1 + PACKET_LEN),
    )
    .robustness()
    .level(crate::conform::Level::Should)
    .slow()
    .explain("C0 and C1, then silence", "a close within T_IDLE; others are served meanwhile"),
];

fn s0_version(t: &mut T) -> Outcome {
    let mut c = t.open()?;
    c.raw(&[&[3], &t.c1("C1")[..]].concat());
    let s0 = c.read_first(1, t.timeouts().handshake)?;
    t.pass_if(s0 == [3], format!("S0 is {}", s0[0]))
}

fn s0s1s2_length(t: &mut T) -> Outcome {
    let mut c = flight(t, 3, &t.c1("C1"))?;
    let quiet = t.timeouts().quiet;
    let count = c.settle(quiet, quiet).counts().1;
    t.pass_if(count == HANDSHAKE_LEN as u64, format!("{count} bytes came before C2"))
}

fn s1_zero_field(t: &mut T) -> Outcome {
    let (s1, _) = answers(&flight(t, 3, &t.c1("C1"))?);
    t.strict_if(s1[4..8] == [0; 4], format!("S1's zero field is {:02x?}", &s1[4..8]))
}

fn c1_random_echo(t: &mut T) -> Outcome {
    let c1 = t.c1("C1");
    let (_, s2) = answers(&flight(t, 3, &c1)?);
    t.pass_if(echo(&s2, &c1).random, "S2 does not repeat the random bytes of C1")
}

fn s2_time_echo(t: &mut T) -> Outcome {
    let mut c1 = t.c1("C1");
    c1[..4].copy_from_slice(&0x1122_3344_u32.to_be_bytes());
    let (_, s2) = answers(&flight(t, 3, &c1)?);
    t.strict_if(echo(&s2, &c1).time, format!("S2 begins with {:02x?}", &s2[..4]))
}

fn s2_time2(t: &mut T) -> Outcome {
    let (s1, s2) = answers(&flight(t, 3, &t.c1("C1"))?);
    t.fact(match &s2[4..8] {
        [0, 0, 0, 0] => "zero, as C1's zero field".to_owned(),
        time2 if *time2 == s1[..4] => "the time of S1".to_owned(),
        time2 => format!("{time2:02x?}"),
    })
}

fn s1_not_c1_copy(t: &mut T) -> Outcome {
    let c1 = t.c1("C1");
    let (s1, _) = answers(&flight(t, 3, &c1)?);
    t.strict_if(s1[8..] != c1[8..], "S1 holds C1's random bytes")
}

fn s1_varies(t: &mut T) -> Outcome {
    // One after the other: rtmp-go makes its handshakes in series.
    let (one, _) = answers(&flight(t, 3, &t.c1("one"))?);
    let (two, _) = answers(&flight(t, 3, &t.c1("two"))?);
    t.strict_if(one[8..] != two[8..], "S1 is the same on two connections")
}

fn no_data_before_c2(t: &mut T) -> Outcome {
    let mut c = flight(t, 3, &t.c1("C1"))?;
    c.idle(Duration::from_secs(2));
    let more = c.counts().1 - HANDSHAKE_LEN as u64;
    let closed = c.closed().map_or("", |_| ", and the connection was closed");
    t.pass_if(more == 0 && closed.is_empty(), format!("{more} bytes came after S2{closed}"))
}

fn c2_any_content(t: &mut T) -> Outcome {
    let strict = |t: &mut T, c2: Option<[u8; PACKET_LEN]>| -> Outcome {
        let mut c = flight(t, 3, &t.c1("C1"))?;
        let c2 = c2.unwrap_or_else(|| answers(&c).0);
        let copy = c2 == answers(&c).0;
        match connects(t, c.raw(&c2)) {
            Err(_) if !copy && c.closed().is_some() => t.nonstrict("refused by a close"),
            outcome => outcome.and_then(|()| t.pass()),
        }
    };
    let noise = t.c1("noise");
    let variants =
        [("a copy of S1", None), ("zeros", Some([0; PACKET_LEN])), ("noise", Some(noise))];
    t.each(variants, |t, c2| strict(t, c2))
}

fn c2_with_following_data(t: &mut T) -> Outcome {
    let mut c = flight(t, 3, &t.c1("C1"))?;
    let (s1, _) = answers(&c);
    c.hold().raw(&s1).send(t.connect_message(&[])).release();
    c.expect_result(1.0)?;
    t.pass()
}

fn c0c1_split(t: &mut T) -> Outcome {
    let (mut c, c1) = (t.open()?, t.c1("C1"));
    c.raw(&[3]).idle(Duration::from_millis(200));
    for piece in [&c1[..333], &c1[333..1001], &c1[1001..]] {
        c.raw(piece).idle(Duration::from_millis(20));
    }
    c.read_first(HANDSHAKE_LEN, t.timeouts().handshake)?;
    let (s1, _) = answers(&c);
    connects(t, c.raw(&s1))?;
    t.pass()
}

fn version(t: &mut T, c0: u8) -> Outcome {
    let mut c = t.open()?;
    c.raw(&[&[c0], &t.c1("C1")[..]].concat());
    match first(&mut c, t.timeouts().close) {
        First::Byte(3) | First::Closed => t.pass(),
        First::Byte(s0) if s0 == c0 => t.fail(format!("S0 repeats the unknown version {c0}")),
        First::Byte(s0) => t.nonstrict(format!("S0 is {s0}")),
        First::Nothing => t.nonstrict("no answer and no close"),
    }
}

fn version_text(t: &mut T) -> Outcome {
    let long = [b"G", &t.c1("C1")[..]].concat();
    t.each([("GET", b"GET / HTTP/1.0\r\n\r\n".to_vec()), ("C0 = 0x47", long)], |t, bytes| {
        let mut c = t.open()?;
        match first(c.raw(&bytes), t.timeouts().close) {
            First::Closed => t.pass(),
            First::Nothing => t.nonstrict("waits, no close in T_CLOSE"),
            First::Byte(_) if c.read_first(5, t.timeouts().quiet) == Ok(b"HTTP/".to_vec()) => {
                t.pass()
            }
            First::Byte(_) => match c.read_first(HANDSHAKE_LEN, t.timeouts().handshake) {
                Ok(_) => t.fail("answers with an RTMP handshake"),
                Err(_) => t.nonstrict(format!("answers with {} bytes", c.counts().1)),
            },
        }
    })
}

fn version_rtmpe(t: &mut T) -> Outcome {
    let mut c = t.open()?;
    c.raw(&[&[6], &t.c1("C1")[..]].concat());
    match first(&mut c, t.timeouts().close) {
        First::Byte(3 | 6) | First::Closed => t.pass(),
        First::Byte(s0) => t.nonstrict(format!("S0 is {s0}")),
        First::Nothing => t.fail("neither answers nor closes"),
    }
}

fn digest_corrupt(t: &mut T) -> Outcome {
    let (mut c1, digest) = digest_c1(t, Layout::DigestFirst);
    c1[digest.position + 5] ^= 0x10;
    let mut c = t.open()?;
    c.raw(&[&[3], &c1[..]].concat());
    match c.read_first(HANDSHAKE_LEN, t.timeouts().close) {
        Ok(_) => t.strict_if(echo(&answers(&c).1, &c1).random, "S2 is no echo of C1"),
        Err(_) if c.closed().is_some() => t.pass(),
        Err(stop) => Err(stop),
    }
}

fn stall(t: &mut T, bytes: usize) -> Outcome {
    let mut c: Conn = t.open()?;
    c.raw(&[&[3], &t.c1("C1")[..]].concat()[..bytes]).idle(Duration::from_secs(1));
    if !t.alive_new() {
        return Err(Stop::Fail("nobody else is served meanwhile".into()));
    }
    match c.wait_close(t.timeouts().idle) {
        Some(_) => t.pass(),
        None => Ok(Verdict::NonStrict("still open after T_IDLE".into())),
    }
}
