//! Publishing (RTMP 7.2.2.6, and what encoders and servers agree on).

use std::time::{Duration, Instant};

use super::bytes::{NULL, command, metadata, num, set_data_frame, text};
use super::support_b::{self as support, ANY, REFUSE, codes, flows, live, media, on_stream};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Setup, Stop, T};
use crate::wire::amf::Value;
use crate::wire::message::{Body, MessageType};

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
    Case::new(
        "rtmp/publish/metadata-setdataframe",
        "@setDataFrame is stored and given to later players without the prefix, as by nginx-rtmp, \
         SRS and Flash Media Server",
        |t| match late_metadata(t, &[set_data_frame(&metadata(1234.0))])? {
            Late::Width(1234.0) => t.pass(),
            other => t.nonstrict(other.words()),
        },
    )
    .sections(&["FLV E.5"])
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("@setDataFrame onMetaData with width 1234", "a later player gets onMetaData"),
    Case::new(
        "rtmp/publish/metadata-plain",
        "onMetaData without prefix is relayed too; nginx-rtmp and SRS agree",
        |t| {
            let body = [&text("onMetaData")[..], &metadata(1234.0)].concat();
            let late = late_metadata(t, &[body])?;
            t.fact(late.words())
        },
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("onMetaData with width 1234", "nothing: what a later player gets is told"),
    Case::new(
        "rtmp/publish/second-metadata",
        "Later metadata replaces earlier; nginx-rtmp and SRS agree",
        |t| {
            let both = [1111.0, 2222.0].map(|width| set_data_frame(&metadata(width)));
            match late_metadata(t, &both)? {
                Late::Width(2222.0) => t.pass(),
                other => t.fact(other.words()),
            }
        },
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("metadata with width 1111, then 2222", "a later player gets 2222"),
    Case::new(
        "rtmp/publish/fmle-sequence",
        "createStream is answered behind releaseStream and FCPublish; FMLE, FFmpeg and OBS send so",
        fmle_sequence,
    )
    .de_facto()
    .explain("releaseStream 2, FCPublish 3, createStream 4 in one write", "_result to 4"),
    Case::new(
        "rtmp/publish/fcunpublish",
        "FCUnpublish and deleteStream end the publication, as every encoder does",
        |t| {
            let (told, name) = unpublish(t)?;
            let free = free_again(t, &name, Duration::from_secs(5));
            match (free, told) {
                (None, _) => t.fail("the name is not free"),
                (_, None) => t.nonstrict("the player is told nothing"),
                _ => t.pass(),
            }
        },
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("FCUnpublish and deleteStream", "the name is free, the player is told"),
    Case::new(
        "rtmp/publish/unpublish-notify-players",
        "Players learn of the end; nginx-rtmp and node-media-server tell them",
        |t| match unpublish(t)?.0 {
            Some(how) => {
                t.note(how);
                t.pass()
            }
            None => t.nonstrict("the player is told nothing in 10 s"),
        },
    )
    .de_facto()
    .needs(&[Need::Publish, Need::Play])
    .explain("FCUnpublish and deleteStream", "UnpublishNotify, Stream EOF, Play.Stop or a close"),
    Case::new(
        "rtmp/publish/abrupt-disconnect",
        "A publisher that is reset leaves its name; all servers tried agree",
        |t| {
            let publisher = live(t, &t.name())?;
            let name = publisher.name.clone();
            publisher.reset();
            match free_again(t, &name, Duration::from_secs(30)) {
                Some(took) if took <= Duration::from_secs(5) => t.pass(),
                Some(took) => t.nonstrict(format!("free after {:.1} s", took.as_secs_f64())),
                None => t.fail("not free after 30 s"),
            }
        },
    )
    .de_facto()
    .explain("publish, RST, publish again", "within 5 s"),
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
fn free_again(t: &T, name: &str, most: Duration) -> Option<Duration> {
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

/// What a late player gets as metadata.
enum Late {
    Width(f64),
    Prefixed,
    Other(String),
    Nothing,
}

impl Late {
    fn words(&self) -> String {
        match self {
            Late::Width(width) => format!("a later player gets onMetaData with width {width}"),
            Late::Prefixed => "a later player gets @setDataFrame".into(),
            Late::Other(name) => format!("a later player gets {name} without the width"),
            Late::Nothing => "a later player gets no metadata".into(),
        }
    }
}

/// Publishes these data messages before the codec headers; then a player joins.
fn late_metadata(t: &T, bodies: &[Vec<u8>]) -> Result<Late, Stop> {
    let name = t.name();
    let mut publisher = t.publisher(&name)?;
    for body in bodies {
        publisher.send(media(18, 0, body).on(publisher.stream_id));
    }
    publisher.send(Msg::video(0, t.avc_header()).on(publisher.stream_id));
    publisher.send(Msg::audio(0, t.aac_header()).on(publisher.stream_id));
    t.barrier(&mut publisher, t.timeouts().reply).setup()?;
    let mut player = t.player(&name)?;
    flows(t, &mut publisher, &mut player, &mut 0).setup()?;
    let data = player.messages().iter().filter_map(|m| match &m.body {
        Body::Data(data) => Some((data.name()?.to_string(), support::width(m))),
        _ => None,
    });
    let data = data.filter(|(name, width)| width.is_some() || name.ends_with("MetaData")).last();
    Ok(match data {
        Some((name, _)) if name == "@setDataFrame" => Late::Prefixed,
        Some((_, Some(width))) => Late::Width(width),
        Some((name, None)) => Late::Other(name),
        None => Late::Nothing,
    })
}

fn fmle_sequence(t: &mut T) -> Outcome {
    let mut conn = t.connected()?;
    let name = text(&t.name());
    conn.hold();
    for (method, transaction) in [("releaseStream", 2.0), ("FCPublish", 3.0)] {
        conn.send(Msg::new(20, command(method, transaction, &[NULL, &name])));
    }
    conn.send(Msg::new(20, command("createStream", 4.0, &[NULL])));
    conn.release();
    conn.expect_result(4.0)?;
    conn.settle(t.timeouts().quiet, t.timeouts().reply);
    for (method, transaction) in [("releaseStream", 2.0), ("FCPublish", 3.0)] {
        let mut replies = conn.messages().iter().filter_map(Conn::command_of);
        let reply = replies.find(|c| c.is_reply() && c.transaction_id == Some(transaction));
        let word = reply.map_or("no reply".to_owned(), |c| c.name.to_string());
        t.note(format!("{method}: {word}"));
    }
    t.pass()
}

/// Ends a relayed publication as encoders do: what the player is told, and the name.
fn unpublish(t: &T) -> Result<(Option<String>, String), Stop> {
    let mut relay = t.relay()?;
    let name = relay.publisher.name.clone();
    let id = num(relay.publisher.stream_id.into());
    let publisher = &mut relay.publisher;
    publisher.send(Msg::new(20, command("FCUnpublish", 6.0, &[NULL, &text(&name)])));
    publisher.send(Msg::new(20, command("deleteStream", 0.0, &[NULL, &id])));
    let end = ["UnpublishNotify", "Play.Stop", "Play.Complete", "StreamNotFound", "Play.Failed"];
    let told = relay.player.expect_in(t.timeouts().close, "word of the end", |m| {
        let code =
            Conn::status_of(m).is_some_and(|(code, _)| end.iter().any(|e| code.ends_with(e)));
        let eof = matches!(&m.body, Body::UserControl(event) if event.event.0 == 1);
        code || eof || (m.type_id == MessageType::DATA_AMF0 && has(&m.payload, b"Play.Complete"))
    });
    let how = match told {
        Ok(message) => Some(Conn::status_of(&message).map_or("Stream EOF".into(), |(c, _)| c)),
        Err(_) => relay.player.closed().map(|close| format!("closed ({})", close.name())),
    };
    Ok((how, name))
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}
