//! Publishing (RTMP 7.2.2.6, and what encoders and servers agree on).

use std::time::{Duration, Instant};

use super::bytes::{NULL, command, num, text};
use super::support_b::{self as support, ANY, REFUSE, codes, flows, live, on_stream};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Setup, T};
use crate::wire::amf::Value;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/publish/start",
        "publish is answered with NetStream.Publish.Start; plain statement of section 7",
        |t| publish_with(t, 0.0, &[Value::string("live")]),
    )
    .sections(&["RTMP 7.2.2.6"])
    .explain("publish", "onStatus NetStream.Publish.Start"),
    Case::new(
        "rtmp/publish/onstatus-shape",
        "onStatus has transaction id 0, null, level, code and description, and comes on the \
         stream; plain statement of section 7",
        onstatus_shape,
    )
    .sections(&["RTMP 7.2.2"])
    .explain("publish", "each of these"),
    Case::new(
        "rtmp/publish/txn-nonzero",
        "publish with a transaction id works; FFmpeg and librtmp send one",
        |t| publish_with(t, 5.0, &[Value::string("live")]),
    )
    .sections(&["RTMP 7.2.2.6"])
    .de_facto()
    .explain("publish with transaction id 5", "NetStream.Publish.Start"),
    Case::new(
        "rtmp/publish/type-omitted",
        "Without a type it is live; nginx-rtmp, SRS and node-media-server agree",
        |t| publish_with(t, 5.0, &[]),
    )
    .sections(&["RTMP 7.2.2.6"])
    .de_facto()
    .explain("publish with a name only", "NetStream.Publish.Start"),
    Case::new("rtmp/publish/type-invalid", "An unknown type is live or an error", |t| {
        t.each([("foo", Value::string("foo")), ("a number", Value::Number(7.0))], |t, value| {
            let name = t.name();
            odd_publish(t, &[Value::string(&name), value])
        })
    })
    .sections(&["RTMP 7.2.2.6"])
    .robustness()
    .explain("publish with type foo, with a number", "no wedge"),
    Case::new("rtmp/publish/record-append", "record and append are taken or refused", |t| {
        let mut facts = Vec::new();
        for kind in ["record", "append"] {
            let mut conn = t.stream()?;
            let arguments = [Value::string(&t.name()), Value::string(kind)];
            let message = on_stream(&conn, "publish", 0.0, &arguments);
            conn.send(message).settle(t.timeouts().quiet, t.timeouts().reply);
            facts.push(format!("{kind}: {}", codes(&conn).join(", ")));
        }
        t.fact(facts.join("; "))
    })
    .sections(&["RTMP 7.2.2.6"])
    .may()
    .explain("publish as record, as append", "nothing: the codes are told"),
    Case::new(
        "rtmp/publish/name-with-query",
        "A query after the name is not part of it; nginx-rtmp, SRS and MediaMTX agree",
        |t| {
            let name = t.name();
            let mut publisher = live(t, &format!("{name}?token=1&y=2"))?;
            let mut player = t.stream()?;
            let joined = t.play(&mut player, &name);
            match joined.and_then(|()| flows(t, &mut publisher, &mut player, &mut 0)) {
                Ok(()) => t.pass(),
                Err(stop) => t.fact(format!("the query belongs to the name: {}", stop.text())),
            }
        },
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("publish name?token=1&y=2, play name", "media flows"),
    Case::new("rtmp/publish/empty-name", "An empty name does no harm", |t| {
        odd_publish(t, &[Value::string(""), Value::string("live")])
    })
    .robustness()
    .explain("publish with an empty name", "no wedge"),
    Case::new("rtmp/publish/path-traversal-name", "A name is no path", |t| {
        let name = t.name();
        let names = [
            ("../../x", format!("../../{name}")),
            ("NUL", format!("{name}\0x")),
            ("newline", format!("{name}\nx")),
            ("64 KiB", "x".repeat(0xffff)),
        ];
        t.each(names, |t, name| odd_publish(t, &[Value::string(&name), Value::string("live")]))
    })
    .robustness()
    .explain("publish ../../x, with NUL, with newline, of 64 KiB", "no wedge"),
    Case::new(
        "rtmp/publish/duplicate-name",
        "A second publisher of a name is refused, or takes it over; nginx-rtmp answers BadName, \
         SRS closes, crtmpserver replaces",
        duplicate_name,
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("two publishers of one name, a player", "the player gets the stream of one"),
    Case::new(
        "rtmp/publish/republish-after-close",
        "A name is free again after its publisher has gone; all servers tried agree",
        |t| {
            let ways = [("deleteStream", Leave::Delete), ("closeStream", Leave::Close)];
            let worst = t.each(ways.into_iter().chain([("TCP close", Leave::Tcp)]), republish)?;
            let fcunpublish = republish(t, Leave::FcUnpublish)?;
            t.note(format!("FCUnpublish alone: {} {}", fcunpublish.name(), fcunpublish.text()));
            Ok(worst)
        },
    )
    .de_facto()
    .explain("publish, leave in each way, publish again", "within 5 s"),
    Case::new(
        "rtmp/publish/stream-not-created",
        "publish on a stream that createStream did not give is refused; plain statement of \
         section 7",
        |t| {
            t.each([("stream 7", 7), ("stream 2^32-1", u32::MAX)], |t, id| {
                let mut conn = t.connected()?;
                conn.send(t.publish_message(id, &t.name()));
                t.neg(&mut conn, REFUSE)
            })
        },
    )
    .sections(&["RTMP 7.2.1.3"])
    .explain("publish on message stream 7, and 2^32-1", "an error or a close"),
    Case::new(
        "rtmp/publish/media-before-publish",
        "Media before publish is dropped or refused, as by nginx-rtmp and SRS",
        media_before_publish,
    )
    .sections(&["RTMP 7.2.2.6"])
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("three pictures, publish, more pictures", "the player gets the later ones only"),
    Case::new(
        "rtmp/publish/pipelined-media",
        "Media right behind publish is not lost; FFmpeg and GStreamer may send so",
        pipelined_media,
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("publish, metadata, codec headers and a picture in one write", "headers come out"),
    Case::new("rtmp/publish/command-on-msid0", "publish on message stream 0 is no harm", |t| {
        let mut conn = t.stream()?;
        conn.send(t.publish_message(0, &t.name()));
        let verdict = t.neg(&mut conn, ANY)?;
        Ok(support::as_fact(verdict, said(&conn)))
    })
    .sections(&["RTMP 7.2.2"])
    .robustness()
    .explain("publish on message stream 0", "no wedge; the reaction is told"),
    Case::new("rtmp/publish/two-streams-one-connection", "Two publications share one", |t| {
        let mut conn = t.publisher(&t.name())?;
        let first = conn.stream_id;
        if t.create_stream(&mut conn).setup()? == first {
            return t.inconclusive(format!("createStream always gives {first}"));
        }
        match t.publish(&mut conn, &t.name()) {
            Ok(()) => t.fact("two publications on one connection"),
            Err(stop) => t.fact(format!("no second publication: {}", stop.text())),
        }
    })
    .sections(&["RTMP 7.2.2"])
    .may()
    .explain("publish on two streams of one connection", "nothing: the reaction is told"),
];

/// `publish` with these arguments after the name must start.
fn publish_with(t: &mut T, transaction: f64, more: &[Value]) -> Outcome {
    let mut conn = t.stream()?;
    let name = Value::string(&format!("{}{}", t.name(), t.env().target.query));
    let arguments = [std::slice::from_ref(&name), more].concat();
    conn.send(on_stream(&conn, "publish", transaction, &arguments));
    match conn.expect_status("NetStream.Publish.Start") {
        Ok(_) => t.pass(),
        Err(stop) if stop.text().to_ascii_lowercase().contains("auth") => Err(stop).setup(),
        Err(stop) => Err(stop),
    }
}

fn odd_publish(t: &mut T, arguments: &[Value]) -> Outcome {
    let mut conn = t.stream()?;
    conn.send(on_stream(&conn, "publish", 5.0, arguments));
    t.neg(&mut conn, ANY)
}

/// What a connection heard, in words.
fn said(conn: &Conn) -> String {
    match (codes(conn), conn.closed()) {
        (codes, Some(close)) => format!("{} closed ({})", codes.join(", "), close.name()),
        (codes, None) if codes.is_empty() => "no answer".into(),
        (codes, None) => codes.join(", "),
    }
}

fn onstatus_shape(t: &mut T) -> Outcome {
    let mut conn = t.stream()?;
    conn.send(t.publish_message(conn.stream_id, &t.name()));
    let status = conn.expect("onStatus", |m| Conn::status_of(m).is_some())?;
    let Some(command) = Conn::command_of(&status) else { return t.fail("no onStatus") };
    if status.stream_id != Some(conn.stream_id) {
        return t.fail(format!("it comes on message stream {:?}", status.stream_id));
    }
    if let Some(name) = ["level", "code"].iter().find(|name| command.info(name).is_none()) {
        return t.fail(format!("it has no {name}"));
    }
    let zero = command.transaction_id == Some(0.0);
    let null = matches!(command.object, Some(Value::Null));
    let wrong = [
        (!zero, "its transaction id is not 0"),
        (!null, "its command object is not null"),
        (command.info("description").is_none(), "it has no description"),
    ];
    let wrong: Vec<_> = wrong.iter().filter_map(|(is, what)| is.then_some(*what)).collect();
    t.strict_if(wrong.is_empty(), wrong.join("; "))
}

fn duplicate_name(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let mut second = t.stream()?;
    second.send(t.publish_message(second.stream_id, &relay.publisher.name));
    let started = second.expect_status("NetStream.Publish.Start");
    relay.publisher.settle(t.timeouts().quiet, t.timeouts().reply);
    let first_told = relay.publisher.closed().is_some()
        || codes(&relay.publisher).iter().any(|code| !code.ends_with("Publish.Start"));
    if let Err(stop) = started {
        t.flow(&mut relay)?;
        let word = codes(&second).join(", ");
        return t.strict_if(word.contains("BadName"), format!("refused: {} {word}", stop.text()));
    }
    if first_told {
        return t.pass();
    }
    t.send_headers(&mut second);
    let mine = t.picture("second", true, 300);
    second.send(Msg::video(relay.time + 40, mine.clone()).on(second.stream_id));
    let first_flows = t.flow(&mut relay).is_ok();
    let mixed = relay.player.since_mark().iter().any(|m| m.payload[..] == mine[..]);
    match (mixed, first_flows) {
        (true, true) => t.fail("both publish, and the player gets both"),
        (true, false) => t.nonstrict("taken over; the first publisher is not told"),
        _ => t.nonstrict("both were started, one is not relayed"),
    }
}

/// How a publisher leaves.
#[derive(Clone, Copy)]
enum Leave {
    Delete,
    Close,
    Tcp,
    FcUnpublish,
}

fn republish(t: &mut T, how: Leave) -> Outcome {
    let mut publisher = live(t, &t.name())?;
    let name = publisher.name.clone();
    let id = num(publisher.stream_id.into());
    match how {
        Leave::Delete => publisher.send(Msg::new(20, command("deleteStream", 0.0, &[NULL, &id]))),
        Leave::Close => publisher.send(on_stream(&publisher, "closeStream", 0.0, &[])),
        Leave::FcUnpublish => {
            publisher.send(Msg::new(20, command("FCUnpublish", 6.0, &[NULL, &text(&name)])))
        }
        Leave::Tcp => publisher.finish(),
    };
    // Our end stays open: only the command can have freed the name. What FCUnpublish alone does is
    // told and not judged, so a second must do.
    let most = if matches!(how, Leave::FcUnpublish) { 1 } else { 5 };
    let free = free_again(t, &name, Duration::from_secs(most));
    t.pass_if(free.is_some(), format!("not free after {most} s"))
}

/// How long it takes until the name can be published again.
pub(super) fn free_again(t: &T, name: &str, most: Duration) -> Option<Duration> {
    let started = Instant::now();
    loop {
        if t.publisher(name).is_ok() {
            return Some(started.elapsed());
        }
        if started.elapsed() > most {
            return None;
        }
        std::thread::sleep(t.timeouts().quiet);
    }
}

fn media_before_publish(t: &mut T) -> Outcome {
    t.expect_alive_after();
    let mut conn = t.stream()?;
    let early: Vec<_> = (0..3).map(|n| t.picture(&format!("early {n}"), true, 150)).collect();
    for (at, frame) in early.iter().enumerate() {
        conn.send(Msg::video(at as u32 * 40, frame.clone()).on(conn.stream_id));
    }
    let name = t.name();
    if t.publish(&mut conn, &name).is_err() {
        let refused = conn.closed().is_some();
        return t.pass_if(refused, "publish is not answered after early media");
    }
    t.send_headers(&mut conn);
    let mut player = t.player(&name)?;
    flows(t, &mut conn, &mut player, &mut 1000)?;
    let early = player.messages().iter().any(|m| early.iter().any(|f| f[..] == m.payload[..]));
    t.pass_if(!early, "the player gets media sent before publish")
}

fn pipelined_media(t: &mut T) -> Outcome {
    let name = t.name();
    let mut conn = t.stream()?;
    conn.name = name.clone();
    conn.hold();
    conn.send(t.publish_message(conn.stream_id, &name));
    t.send_headers(&mut conn);
    conn.send(Msg::video(0, t.picture("first", true, 200)).on(conn.stream_id));
    conn.release();
    conn.expect_status("NetStream.Publish.Start")?;
    conn.state = crate::conform::State::Publishing;
    let mut player = t.player(&name)?;
    flows(t, &mut conn, &mut player, &mut 0)?;
    let header = t.avc_header();
    let came = player.messages().iter().any(|m| m.payload[..] == header[..]);
    t.strict_if(came, "the codec header behind publish is lost")
}
