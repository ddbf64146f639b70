//! AMF3 in what a client sends: types 17 and 15, and values behind the AVM+ marker.

use super::bytes::{NULL, avmplus, command, flex, member, num, text};
use super::support_b::{ANY, Answer, ask, ask_as, connect, flows};
use crate::conform::{Case, Conn, Msg, Outcome, Reaction, Setup, Stop, T, Verdict};
use crate::wire::amf::Value;

const AMF3: &[&str] = &["AMF3 3"];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "amf3/type17/format-byte",
        "Type 17 is a byte 0 and AMF0; Flash sends it, nginx-rtmp, SRS and node-media-server read it",
        |t| {
            t.each([("objectEncoding 0", 0.0), ("objectEncoding 3", 3.0)], |t, encoding| {
                let body = connect(t, &[], &[member("objectEncoding", num(encoding))]);
                match ask_as(t, 17, flex(&body))?.1 {
                    Answer::Result(_) => t.pass(),
                    Answer::Silence => t.fail("connect: neither a reply nor a close"),
                    other => t.nonstrict(format!("connect: {}", other.words())),
                }
            })
        },
    )
    .sections(&["E-RTMP v2"])
    .de_facto()
    .explain("connect as type 17", "_result"),
    Case::new("amf3/type17/avmplus-value", "AMF3 values may stand in type 17", |t| {
        takes(t, b"\x0a\x0b\x01\x03k\x04\x05\x01")
    })
    .sections(&["E-RTMP v2"])
    .explain("publish as type 17 with an AMF3 object before the name", "the name is published"),
    Case::new("amf3/object-encoding-echo", "The reply tells the encoding in use", echo)
        .sections(&["RTMP 7.2.1.1", "E-RTMP v2"])
        .should()
        .explain("connect with objectEncoding 3, 0, and without", "none, 0, or what was asked for"),
    Case::new("amf3/u29/ranges", "Integers of 1 to 4 bytes are read", |t| {
        let long = [&b"\x06\x83\x11"[..], &[b'x'; 200]].concat();
        let integers = b"\x04\0\x04\x7f\x04\x81\0\x04\xff\x7f\x04\x81\x80\0\x04\xff\xff\x7f\
            \x04\x80\xc0\x80\0\x04\xff\xff\xff\xff";
        takes(t, &[&b"\x09\x13\x01"[..], integers, &long].concat())
    })
    .sections(&["AMF3 1.3.1"])
    .explain("an array of U29 of every length before the name", "the name is published"),
    Case::new("amf3/integer/sign", "Negative integers have four bytes", |t| {
        takes(t, b"\x09\x07\x01\x04\xff\xff\xff\xff\x04\xc0\x80\x80\0\x04\xbf\xff\xff\xff")
    })
    .sections(&["AMF3 3.6"])
    .explain("-1, the least and the greatest integer before the name", "the name is published"),
    Case::new("amf3/string/reference", "A string that comes again is a reference", |t| {
        takes(t, b"\x09\x05\x01\x06\x07abc\x06\0")
    })
    .sections(&["AMF3 1.3.2"])
    .explain("a string and a reference to it before the name", "the name is published"),
    Case::new("amf3/string/bad-reference", "A reference to no string does no harm", |t| {
        odd(t, [("reference 5", b"\x06\x0a".to_vec())])
    })
    .sections(&["AMF3 2.2"])
    .explain("createStream with a reference to a string that was not sent", "no wedge"),
    Case::new("amf3/object/traits-forms", "Objects have inline traits or references", |t| {
        takes(
            t,
            b"\x09\x09\x01\x0a\x23\x01\x03a\x03b\x04\x01\x04\x02\x0a\x01\x04\x03\x04\x04\
              \x0a\x0b\x01\x03k\x04\x05\x01\x0a\x02",
        )
    })
    .sections(&["AMF3 3.12"])
    .explain(
        "sealed and dynamic members, a traits and an object reference before the name",
        "the name is published",
    ),
    Case::new("amf3/object/externalizable-unknown", "An unknown class does no harm", |t| {
        odd(t, [("x.Y", b"\x0a\x07\x07x.Y\x01\x02\x03".to_vec())])
    })
    .sections(&["AMF3 3.12"])
    .robustness()
    .explain("createStream with an externalizable object of class x.Y", "no wedge"),
    Case::new("amf3/array/dense-and-assoc", "Named members of an array come first", |t| {
        takes(t, b"\x09\x05\x03k\x04\x01\x01\x04\x02\x04\x03")
    })
    .sections(&["AMF3 3.11"])
    .explain("an array with both parts before the name", "the name is published"),
    Case::new("amf3/bytearray/length-bomb", "A length alone costs nothing", |t| {
        let bombs: [(&str, &[u8]); 5] = [
            ("byte array", b"\x0c\xff\xff\xff\xff"),
            ("string", b"\x06\xff\xff\xff\xff"),
            ("vector", b"\x0d\xff\xff\xff\xff\0"),
            ("dictionary", b"\x11\xff\xff\xff\xff\0"),
            ("array", b"\x09\xff\xff\xff\xff\x01"),
        ];
        odd(t, bombs.map(|(name, bytes)| (name, bytes.to_vec())))
    })
    .sections(&["AMF3 3.14"])
    .explain("createStream with lengths of 2^28 - 1 and no data", "no wedge"),
    Case::new("amf3/nested-depth", "Deep nesting does not exhaust the stack", |t| {
        let levels = [("10,000 levels", 10_000), ("300,000 levels", 300_000)];
        odd(t, levels.map(|(name, levels)| (name, b"\x09\x03\x01".repeat(levels))))
    })
    .sections(&["AMF3 3.11"])
    .robustness()
    .explain("createStream with arrays in arrays", "no wedge, and new connections are served"),
    Case::new("amf3/vector-dictionary", "Vectors and dictionaries are read", |t| {
        takes(
            t,
            b"\x09\x0b\x01\x0d\x05\0\0\0\0\x01\xff\xff\xff\xff\x0e\x03\0\0\0\0\x01\
              \x0f\x03\0\x3f\xf0\0\0\0\0\0\0\x10\x03\0\x03*\x04\x01\x11\x03\0\x06\x03a\x04\x01",
        )
    })
    .sections(AMF3)
    .may()
    .explain("four vectors and a dictionary before the name", "the name is published"),
    Case::new("amf3/tables-reset", "References end with their message", |t| {
        t.expect_alive_after();
        let mut conn = t.connected_with(&[("objectEncoding", Value::Number(3.0))])?;
        for (transaction, value) in [(0.0, &b"\x06\x07abc"[..]), (8.0, b"\x06\0")] {
            conn.send(Msg::new(17, flex(&command("noSuchMethod", transaction, &[&avmplus(value)]))));
        }
        t.neg(&mut conn, ANY)
    })
    .sections(&["AMF3 4.1"])
    .explain("a reference to a string of the message before", "no wedge"),
];

/// Connects with objectEncoding 3; UNSUPPORTED unless the server says 3 too.
fn claimed(t: &T) -> Result<Result<Conn, Verdict>, Stop> {
    let body = connect(t, &[], &[member("objectEncoding", num(3.0))]);
    Ok(match ask(t, body)? {
        (mut conn, Answer::Result(reply)) => match encoding(&reply) {
            Some(3.0) => {
                conn.state = crate::conform::State::Connected;
                Ok(conn)
            }
            _ => Err(Verdict::Unsupported("the server does not answer objectEncoding 3".into())),
        },
        (_, other) => {
            Err(Verdict::Unsupported(format!("objectEncoding 3 is refused: {}", other.words())))
        }
    })
}

fn encoding(reply: &crate::wire::message::Command) -> Option<f64> {
    let objects = reply.arguments.iter().chain(&reply.object);
    objects.into_iter().find_map(|object| object.get("objectEncoding")?.as_number())
}

/// `publish` as type 17 whose command object is an AMF3 value: only who reads the value finds the
/// name behind it.
fn takes(t: &mut T, value: &[u8]) -> Outcome {
    t.expect_alive_after();
    let mut conn = match claimed(t)? {
        Ok(conn) => conn,
        Err(verdict) => return Ok(verdict),
    };
    t.create_stream(&mut conn).setup()?;
    let name = t.name();
    let body = command("publish", 5.0, &[&avmplus(value), &text(&name), &text("live")]);
    conn.send(Msg::new(17, flex(&body)).csid(8).on(conn.stream_id));
    if let Err(stop) = conn.expect_status("NetStream.Publish.Start") {
        if conn.closed().is_none() && t.barrier(&mut conn, t.timeouts().reply).is_err() {
            return Err(stop);
        }
        return t.nonstrict(format!("publish is not understood: {}", stop.text()));
    }
    conn.state = crate::conform::State::Publishing;
    conn.name = name.clone();
    t.send_headers(&mut conn);
    if !t.env().facts.play {
        return t.pass();
    }
    let mut player = t.player(&name)?;
    match flows(t, &mut conn, &mut player, &mut 0) {
        Ok(()) => t.pass(),
        Err(_) => t.fail("another name than the one behind the value is published"),
    }
}

/// `createStream` as type 17 whose command object is such a value.
fn odd(t: &mut T, values: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Outcome {
    t.each(values, |t, value| {
        let mut conn = t.connected_with(&[("objectEncoding", Value::Number(3.0))])?;
        let body = command("createStream", 7.0, &[&avmplus(&value), NULL]);
        conn.send(Msg::new(17, flex(&body)));
        t.neg(&mut conn, ANY)
    })
}

fn echo(t: &mut T) -> Outcome {
    let asked = [("3", Some(3.0)), ("0", Some(0.0)), ("absent", None)];
    t.each(asked, |t, asked: Option<f64>| {
        let more: Vec<_> = asked.iter().map(|n| member("objectEncoding", num(*n))).collect();
        let (mut conn, answer) = ask(t, connect(t, &[], &more))?;
        let Answer::Result(reply) = answer else {
            return t.nonstrict(format!("connect: {}", answer.words()));
        };
        let told = encoding(&reply);
        t.note(format!("asked for {asked:?}, told {told:?}"));
        if told.is_some_and(|told| told > asked.unwrap_or(0.0)) {
            return t.nonstrict(format!("{told:?} is more than was asked for"));
        }
        if told != Some(3.0) {
            return t.pass();
        }
        conn.state = crate::conform::State::Connected;
        conn.send(Msg::new(17, flex(&command("createStream", 9.0, &[NULL]))));
        let reads = t.reactions(&mut conn).contains(&Reaction::Tolerate);
        t.strict_if(reads, "says 3, and refuses type 17")
    })
}
