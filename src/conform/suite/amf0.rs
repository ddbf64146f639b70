//! AMF0 in what a client sends.

use super::bytes::{NULL, boolean, command, ecma, key, long_text, member, nested_objects, num};
use super::bytes::{object, set_data_frame, strict, text};
use super::support_b::{self as support, ANY, accepted, connect, odd_connect, usual, welcome};
use crate::conform::{Case, Msg, Need, On, Outcome, State, Step, T, Verdict};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new("amf0/number/encoding", "NaN, infinity and 1e308 are numbers like others", numbers)
        .sections(&["AMF0 2.2"])
        .explain("connect with such capabilities", "_result with transaction id 1"),
    Case::new("amf0/boolean/nonzero-true", "Any byte but 0 is true", |t| {
        let body = connect(t, &[member("fpad", [1, 2])], &[]);
        accepted(t, body)
    })
    .sections(&["AMF0 2.3"])
    .explain("connect with fpad = 02", "_result"),
    Case::new("amf0/string/utf8", "Names in UTF-8 stay what they are", utf8)
        .sections(&["AMF0 1.3.1", "AMF0 2.4"])
        .needs(&[Need::Publish, Need::Play])
        .explain(
            "publish and play of a name with letters of 2, 3 and 4 bytes",
            "the player gets the stream; where the server repeats the name, it is the same",
        ),
    Case::new("amf0/string/truncated", "A string longer than its message is refused", |t| {
        let cut = command("connect", 1.0, &[b"\x03\0\x03app\x02\0\x40li"]);
        t.each([("command name", b"\x02\xff\xffab".to_vec()), ("app", cut)], |t, body| {
            odd_connect(t, body, ANY)
        })
    })
    .sections(&["AMF0 2.4"])
    .explain("a command name of 65535 bytes in a message of 5; app cut short", "no wedge"),
    Case::negative(
        "amf0/string/empty-name",
        "A command without name does no harm; nginx-rtmp, SRS and node-media-server ignore it",
        State::Connected,
        &[&[Step::Message(20, 3, On::Zero, b"\x02\0\0\0\x40\x14\0\0\0\0\0\0\x05")]],
        ANY,
    )
    .sections(&["AMF0 2.4"])
    .de_facto(),
    Case::new("amf0/long-string/accepted", "A long string stands wherever a string may", |t| {
        let members = [vec![member("app", long_text(&t.env().target.app))], usual(t, &["app"])];
        welcome(t, command("connect", 1.0, &[&object(&members.concat())]))
    })
    .sections(&["AMF0 2.14"])
    .explain("connect with app as long string", "_result"),
    Case::negative(
        "amf0/long-string/huge-length",
        "A long string of 4 GiB in a short message allocates nothing",
        State::Connected,
        &[&[Step::Command("x", 5.0, On::Zero, b"\x05\x0c\xff\xff\xff\xffabc")]],
        ANY,
    )
    .sections(&["AMF0 2.14"]),
    Case::new("amf0/object/property-order", "The order of properties means nothing", |t| {
        let mut members = vec![member("zz", num(1.0)), member("q", text("r"))];
        members.extend(usual(t, &[]).into_iter().rev());
        accepted(t, command("connect", 1.0, &[&object(&members)]))
    })
    .sections(&["AMF0 2.5"])
    .explain("connect with app last", "_result"),
    Case::new(
        "amf0/object/unknown-properties",
        "Unknown properties of every type are skipped; SRS and Flash Media Server do",
        unknown_properties,
    )
    .sections(&["AMF0 2.5"])
    .de_facto()
    .explain("connect with one more property, a connection per type of value", "_result"),
    Case::new("amf0/object/duplicate-key", "A name that comes twice does no harm", duplicate_key)
        .sections(&["AMF0 2.5"])
        .robustness()
        .explain("connect with two values of app", "no wedge; which of them counts is told"),
    Case::new("amf0/object/missing-end", "An object without end is refused or taken", |t| {
        let body = connect(t, &[], &[]);
        odd_connect(t, body[..body.len() - 3].to_vec(), ANY)
    })
    .sections(&["AMF0 2.11"])
    .explain("connect whose object just ends", "no wedge"),
    Case::new("amf0/object/empty-key-not-end", "An empty name before a value ends nothing", |t| {
        let (conn, answer) = support::ask(t, connect(t, &[member("", num(1.0))], &[]))?;
        drop(conn);
        t.expect_alive_after();
        match answer {
            support::Answer::Silence => t.fail("connect: neither a reply nor a close"),
            answer => t.fact(format!("connect with an empty name: {}", answer.words())),
        }
    })
    .sections(&["AMF0 2.5"])
    .robustness()
    .explain("connect with a number under an empty name before app", "no wedge"),
    Case::new("amf0/object/nested-depth", "Deep nesting does not exhaust the stack", |t| {
        let deep = [("100 levels", 100), ("10,000 levels", 10_000)]
            .map(|(name, levels)| (name, nested_objects(levels)));
        // Without ends, as many as fit into 1 MiB.
        let most = ("200,000 levels", [&[3][..], &b"\0\x01a\x03".repeat(200_000)].concat());
        t.each(deep.into_iter().chain([most]), |t, value| {
            let body = connect(t, &[], &[member("deep", value)]);
            odd_connect(t, body, ANY)
        })
    })
    .sections(&["AMF0 2.5"])
    .robustness()
    .explain("connect with objects in objects", "no wedge, and new connections are served"),
    Case::new(
        "amf0/ecma-array/as-command-object",
        "An ECMA array serves as command object; nginx-rtmp, SRS and node-media-server take it",
        |t| welcome(t, command("connect", 1.0, &[&ecma(4, &usual(t, &[]))])),
    )
    .sections(&["AMF0 2.10"])
    .de_facto()
    .explain("connect with an ECMA array", "_result"),
    Case::new("amf0/ecma-array/count-is-hint", "The count of an ECMA array is only a hint", |t| {
        t.each([("count 0", 0), ("count 9999", 9999), ("count 2^32-1", u32::MAX)], |t, count| {
            counted_metadata(t, count)
        })
    })
    .sections(&["AMF0 2.10", "FLV E.4.4.4"])
    .needs(&[Need::Publish, Need::Play])
    .explain("onMetaData of three members that announces others", "the player gets all three"),
    Case::new("amf0/strict-array/count-bomb", "A count alone costs nothing", |t| {
        let nulls = strict(&vec![NULL.to_vec(); 1_000_000]);
        let bombs = [("count 2^32-1", b"\x0a\xff\xff\xff\xff\x05\x05".to_vec())];
        t.each(bombs.into_iter().chain([("1,000,000 nulls", nulls)]), |t, value| {
            let body = connect(t, &[], &[member("bomb", value)]);
            odd_connect(t, body, ANY)
        })
    })
    .sections(&["AMF0 2.12"])
    .explain("connect with such an array", "no wedge, and new connections are served"),
    Case::new("amf0/reference/valid", "A reference stands for what came before", |t| {
        let more = [member("a", object(&[member("n", num(1.0))])), member("b", [7, 0, 1])];
        let body = connect(t, &more, &[]);
        welcome(t, body)
    })
    .sections(&["AMF0 2.9"])
    .explain("connect with an object a and b = reference 1 (0 is connect's own)", "_result"),
    Case::new("amf0/reference/out-of-range", "A reference to nothing, or to itself", |t| {
        t.each([("65535", [7, 0xff, 0xff]), ("to itself", [7, 0, 0])], |t, value| {
            let body = connect(t, &[member("b", value)], &[]);
            odd_connect(t, body, ANY)
        })
    })
    .sections(&["AMF0 2.9"])
    .explain("connect with reference 65535, and with 0 inside object 0", "no wedge"),
    Case::negative(
        "amf0/marker/reserved",
        "Markers that stand for no value are refused",
        State::Connected,
        &[
            &[Step::Message(20, 3, On::Zero, b"\x04\0\x01x\0\x40\x14\0\0\0\0\0\0\x05")],
            &[Step::Message(20, 3, On::Zero, b"\x0e\0\x01x\0\x40\x14\0\0\0\0\0\0\x05")],
            &[Step::Message(20, 3, On::Zero, b"\x09\0\x01x\0\x40\x14\0\0\0\0\0\0\x05")],
            &[Step::Message(20, 3, On::Zero, b"\x12\0\x01x\0\x40\x14\0\0\0\0\0\0\x05")],
            &[Step::Message(20, 3, On::Zero, b"\xff\0\x01x\0\x40\x14\0\0\0\0\0\0\x05")],
            &[Step::Command("x", 5.0, On::Zero, b"\x05\x04abc")],
            &[Step::Command("x", 5.0, On::Zero, b"\x05\x0eabc")],
            &[Step::Command("x", 5.0, On::Zero, b"\x05\x09abc")],
            &[Step::Command("x", 5.0, On::Zero, b"\x05\x12abc")],
            &[Step::Command("x", 5.0, On::Zero, b"\x05\xffabc")],
        ],
        ANY,
    )
    .sections(&["AMF0 2.1"]),
    Case::new(
        "amf0/command/trailing-bytes",
        "What follows the expected arguments is ignored; all servers tried do so",
        trailing_bytes,
    )
    .de_facto()
    .sections(&["RTMP 7.2.1.3"])
    .explain("createStream with three more values, and with a byte FF", "_result; no wedge"),
    Case::new("amf0/command/missing-fields", "A command that lacks its fields is no wedge", |t| {
        let bodies = [("connect without object", command("connect", 1.0, &[]))];
        let first = t.each(bodies, |t, body| odd_connect(t, body, ANY))?;
        let second = t.each([("createStream without transaction", ())], |t, ()| {
            let mut conn = t.connected()?;
            conn.send(Msg::new(20, text("createStream")));
            t.neg(&mut conn, ANY)
        })?;
        Ok(first.worst(second))
    })
    .sections(&["RTMP 7.2"])
    .explain("createStream without transaction id, connect without object", "no wedge"),
    Case::new("amf0/command/wrong-types", "Values of other types do no harm", wrong_types)
        .sections(&["RTMP 7.2"])
        .explain(
            "name as number; transaction id as string; command object as string; stream name as \
             number",
            "no wedge",
        ),
];

fn numbers(t: &mut T) -> Outcome {
    let values = [("NaN", f64::NAN), ("-Infinity", f64::NEG_INFINITY), ("1e308", 1e308)];
    t.each(values, |t, value| {
        let body = connect(t, &[member("capabilities", num(value))], &[]);
        accepted(t, body)
    })
}

fn utf8(t: &mut T) -> Outcome {
    let plain = t.name();
    let name = format!("{plain}-\u{fc}\u{4e2d}\u{1f600}");
    let mut publisher = t.stream()?;
    if let Err(stop) = t.publish(&mut publisher, &name) {
        return t.nonstrict(format!("publish: {}", stop.text()));
    }
    t.send_headers(&mut publisher);
    let id = publisher.stream_id;
    publisher.send(Msg::video(40, t.picture("key", true, 200)).on(id));
    let mut player = t.stream()?;
    t.play(&mut player, &name)?;
    publisher.send(Msg::video(400, t.picture("key", true, 200)).on(id));
    player.expect("video", |message| message.type_id.is_media())?;
    let mangled = [&publisher, &player].into_iter().flat_map(|c| c.messages()).any(|message| {
        let has = |part: &str| message.payload.windows(part.len()).any(|w| w == part.as_bytes());
        has(&plain) && !has(&name)
    });
    t.strict_if(!mangled, "the server repeats the name with other bytes")
}

fn unknown_properties(t: &mut T) -> Outcome {
    let inner = object(&[member("n", num(1.0))]);
    let typed = [&[0x10][..], &key("C"), &inner[1..]].concat();
    let values = [
        ("number", num(1.5)),
        ("boolean", boolean(true)),
        ("string", text("s")),
        ("object", inner.clone()),
        ("null", vec![5]),
        ("undefined", vec![6]),
        ("ECMA array", ecma(1, &[member("n", num(1.0))])),
        ("strict array", strict(&[num(1.0), text("s")])),
        ("date", [&[11][..], &[0; 10]].concat()),
        ("long string", long_text("s")),
        ("unsupported", vec![13]),
        ("XML", [&[15][..], &long_text("<a/>")[1..]].concat()),
        ("typed object", typed),
        ("reference", vec![7, 0, 0]),
    ];
    let mut refused = Vec::new();
    for (name, value) in values {
        match support::ask(t, connect(t, &[member("extra", value)], &[]))?.1 {
            support::Answer::Result(_) => {}
            support::Answer::Silence => return t.fail(format!("{name}: no reply, no close")),
            _ => refused.push(name),
        }
    }
    t.strict_if(refused.is_empty(), format!("refused: {}", refused.join(", ")))
}

fn duplicate_key(t: &mut T) -> Outcome {
    t.expect_alive_after();
    let other = member("app", text("no-such-app-of-mine"));
    let first = support::ask(t, connect(t, &[], std::slice::from_ref(&other)))?.1;
    let last = support::ask(t, connect(t, &[other], &[]))?.1;
    if [&first, &last].iter().any(|answer| matches!(answer, support::Answer::Silence)) {
        return t.fail("connect: neither a reply nor a close");
    }
    let (first, last) = (first.words(), last.words());
    t.fact(format!("the right app first: {first}; the right app last: {last}"))
}

fn counted_metadata(t: &mut T, count: u32) -> Outcome {
    let members = [("width", 4321.0), ("height", 180.0), ("framerate", 25.0)]
        .map(|(name, value)| member(name, num(value)));
    let mut relay = t.relay()?;
    let body = set_data_frame(&ecma(count, &members));
    let got = support::through(t, &mut relay, &[(18, body)])?.got;
    let whole = got.iter().any(|frame| {
        members.iter().all(|member| frame.payload.windows(member.len()).any(|w| w == &member[..]))
    });
    t.pass_if(whole, "the player does not get the three members")
}

fn trailing_bytes(t: &mut T) -> Outcome {
    let more = [&num(1.0)[..], &text("more"), &boolean(true)].concat();
    let mut conn = t.connected()?;
    conn.send(Msg::new(20, command("createStream", 7.0, &[NULL, &more])));
    let first = support::answer(&mut conn, 7.0)?;
    let first = Verdict::pass_if(
        matches!(first, support::Answer::Result(_)),
        format!("with three more values: {}", first.words()),
    );
    let mut conn = t.connected()?;
    conn.send(Msg::new(20, command("createStream", 8.0, &[NULL, &[0xff]])));
    Ok(first.worst(t.neg(&mut conn, ANY)?.of("with a byte FF")))
}

fn wrong_types(t: &mut T) -> Outcome {
    let bodies = [
        ("name as number", [&num(7.0)[..], &num(2.0), NULL].concat()),
        ("transaction as string", [&text("createStream")[..], &text("2"), NULL].concat()),
        ("object as string", command("createStream", 2.0, &[&text("x")])),
        ("stream name as number", command("publish", 2.0, &[NULL, &num(7.0), &text("live")])),
        ("stream name as boolean", command("publish", 2.0, &[NULL, &boolean(false)])),
    ];
    t.each(bodies, |t, body| {
        let mut conn = t.stream()?;
        conn.send(Msg::new(20, body).csid(8).on(conn.stream_id));
        t.neg(&mut conn, ANY)
    })
}
