//! `connect`, `createStream` and what else goes on message stream 0 (RTMP 7.2.1).

use super::bytes::{NULL, command, member, num, object, text};
use super::support_b::{ANY, Answer, REFUSE, accepted, answer, ask, connect, odd_connect, usual};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Reaction, Setup, Stop, T, Verdict};
use crate::wire::amf::Value;
use crate::wire::message::{Command, MessageType};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/connect/success",
        "connect is answered with _result, properties and NetConnection.Connect.Success; plain \
         statement of section 7",
        success,
    )
    .sections(&["RTMP 7.2.1.1"])
    .explain("connect", "_result with both objects, level status and the code"),
    Case::new(
        "rtmp/connect/txn-echo",
        "A reply has the transaction id of its request; plain statement of section 7",
        txn_echo,
    )
    .sections(&["RTMP 7.2"])
    .explain("connect with transaction id 1, and another with 7", "the reply to the first has 1"),
    Case::new(
        "rtmp/connect/info-fields",
        "The reply's information has level, code and description; plain statement of section 7",
        |t| {
            let (_, reply) = reply(t)?;
            let lacks = |name: &&str| reply.info(name).is_none();
            let needed: Vec<_> = ["level", "code"].into_iter().filter(lacks).collect();
            if !needed.is_empty() {
                return t.fail(format!("the reply lacks {}", needed.join(" and ")));
            }
            t.strict_if(!lacks(&"description"), "the reply lacks a description")
        },
    )
    .sections(&["RTMP 7.2.1.1", "RTMP 7.2.2"])
    .explain("connect", "three strings in the reply"),
    Case::new("rtmp/connect/fmsver", "The reply's properties tell the server's version", |t| {
        let (_, reply) = reply(t)?;
        match reply.object.as_ref().and_then(|o| o.get("fmsVer")?.as_text()) {
            Some(version) => t.fact(format!("fmsVer {version}")),
            None => t.fact("no fmsVer"),
        }
    })
    .sections(&["RTMP 7.2.1.1"])
    .should()
    .explain("connect", "nothing: the version is told"),
    Case::new("rtmp/connect/invalid-app", "An unknown application is refused with _error", |t| {
        let app = member("app", text(&t.name()));
        let members = [vec![app], usual(t, &["app"])].concat();
        match ask(t, command("connect", 1.0, &[&object(&members)]))?.1 {
            Answer::Error(reply) => {
                let error = reply.info("level").is_some_and(|level| *level == "error");
                t.strict_if(error, "_error without level error")
            }
            Answer::Result(_) => t.fact("accepts any application"),
            Answer::Closed(how) => t.nonstrict(format!("closes without _error ({})", how.name())),
            Answer::Silence => t.fail("neither a reply nor a close"),
        }
    })
    .sections(&["RTMP 7.2.1.1"])
    .should()
    .explain("connect to a made-up application", "_error with level error"),
    Case::new(
        "rtmp/connect/missing-app",
        "connect without application or URL does no harm; nginx-rtmp, SRS and gortmplib close",
        |t| {
            let without = [("no app", "app"), ("no tcUrl", "tcUrl"), ("empty app", "")];
            t.each(without, |t, name| {
                let mut members = usual(t, &[name]);
                if name.is_empty() {
                    members = [vec![member("app", text(""))], usual(t, &["app"])].concat();
                }
                odd_connect(t, command("connect", 1.0, &[&object(&members)]), ANY)
            })
        },
    )
    .sections(&["RTMP 7.2.1.1"])
    .de_facto()
    .explain("connect without app, without tcUrl, with an empty app", "no wedge"),
    Case::new("rtmp/connect/reply-order", "The window comes before the reply", |t| {
        let (conn, _) = reply(t)?;
        let types: Vec<_> = conn.messages().iter().map(|m| m.type_id).collect();
        t.note(types.iter().map(|id| id.kind()).collect::<Vec<_>>().join(", "));
        let of = |wanted: &[u8]| types.iter().position(|id| wanted.contains(&id.0));
        let window = of(&[MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE.0]);
        t.strict_if(window.is_some() && window < of(&[20, 17]), "no window before the reply")
    })
    .sections(&["RTMP 7.2.1.1"])
    .should()
    .explain("connect", "Window Acknowledgement Size before _result"),
    Case::new(
        "rtmp/connect/reply-msid0",
        "Replies to connect and createStream come on message stream 0",
        |t| {
            let mut conn = t.connected()?;
            t.create_stream(&mut conn)?;
            let is_reply =
                |m: &&crate::rtmp::Message| Conn::command_of(m).is_some_and(|c| c.is_reply());
            let other = conn.messages().iter().filter(is_reply).any(|m| m.stream_id != Some(0));
            t.strict_if(!other, "a reply came on another message stream")
        },
    )
    .sections(&["RTMP 7.2.1.3"])
    .should()
    .explain("connect and createStream", "both replies on message stream 0"),
    Case::new(
        "rtmp/connect/twice",
        "A second connect is refused; nginx-rtmp closes, SRS and gortmplib ignore it",
        |t| {
            let mut conn = t.connected()?;
            conn.send(Msg::new(20, connect(t, &[], &[])));
            t.neg(&mut conn, REFUSE)
        },
    )
    .sections(&["RTMP 7.2.1.1"])
    .de_facto()
    .explain("connect, and connect again", "_error or a close"),
    Case::new(
        "rtmp/connect/before-other-commands",
        "Nothing works before connect; gortmplib closes",
        before_connect,
    )
    .sections(&["RTMP 7.2.1.1"])
    .de_facto()
    .explain("createStream, publish, audio after the handshake", "refused or ignored"),
    Case::new(
        "rtmp/connect/tcurl-forms",
        "Any form of URL is accepted; encoders and proxies send all of these",
        |t| {
            let forms = [
                ("without port", "rtmp://localhost/live"),
                ("IPv6", "rtmp://[::1]:1935/live"),
                ("query", "rtmp://localhost:1935/live?token=1&vhost=x"),
                ("other host", "rtmp://media.example.net:1935/live"),
            ];
            t.each(forms, |t, url| {
                let members = [usual(t, &["tcUrl"]), vec![member("tcUrl", text(url))]].concat();
                accepted(t, command("connect", 1.0, &[&object(&members)]))
            })
        },
    )
    .sections(&["RTMP 7.2.1.1"])
    .de_facto()
    .explain("connect with tcUrl without port, of IPv6, with query, of another host", "_result"),
    Case::new("rtmp/connect/long-values", "Long values do no harm", |t| {
        let values = [
            ("app of 1 KiB", ("app", 1024)),
            ("app of 64 KiB", ("app", 0xffff)),
            ("tcUrl of 1 KiB", ("tcUrl", 1024)),
            ("tcUrl of 64 KiB", ("tcUrl", 0xffff)),
            ("swfUrl of 1 KiB", ("swfUrl", 1024)),
            ("swfUrl of 64 KiB", ("swfUrl", 0xffff)),
        ];
        t.each(values, |t, (name, len)| {
            let members = [usual(t, &[name]), vec![member(name, text(&"x".repeat(len)))]].concat();
            odd_connect(t, command("connect", 1.0, &[&object(&members)]), ANY)
        })
    })
    .sections(&["RTMP 7.2.1.1"])
    .robustness()
    .explain("connect with app, tcUrl, swfUrl of 1 KiB and of 64 KiB - 1", "no wedge"),
    Case::new(
        "rtmp/connect/user-arguments",
        "connect takes optional arguments; plain statement of section 7",
        |t| {
            let more = object(&[member("n", num(1.0))]);
            let body = [connect(t, &[], &[]), text("user"), text("password"), more].concat();
            accepted(t, body)
        },
    )
    .sections(&["RTMP 7.2.1.1"])
    .explain("connect followed by two strings and an object", "_result"),
    Case::new(
        "rtmp/connect/no-reply-timeout",
        "A client that never sends connect is closed some time; nginx-rtmp and SRS do so",
        |t| {
            let mut conn = t.handshaken()?;
            let close = conn.wait_close(t.timeouts().idle);
            t.strict_if(close.is_some(), "still open")
        },
    )
    .de_facto()
    .slow()
    .explain("the handshake, then nothing", "the server closes before T_IDLE"),
    Case::new(
        "rtmp/call/unknown-method",
        "An unknown procedure is answered with _error, as by Flash Media Server",
        unknown_method,
    )
    .sections(&["RTMP 7.2.1.2"])
    .de_facto()
    .explain("noSuchMethod with transaction id 50", "_error with that transaction id"),
    Case::new(
        "rtmp/call/txn-zero-no-reply",
        "A call with transaction id 0 gets no reply; plain statement of section 7",
        |t| {
            let mut conn = t.connected()?;
            conn.send(Msg::new(20, command("noSuchMethod", 0.0, &[NULL])));
            no_reply_to_zero(t, &mut conn)
        },
    )
    .sections(&["RTMP 7.2.1.2"])
    .explain("noSuchMethod with transaction id 0", "no reply with transaction id 0"),
    Case::new(
        "rtmp/createstream/result",
        "createStream gives a stream id from 1 on; plain statement of section 7",
        |t| {
            let ids = [("2", 2.0), ("1000.5", 1000.5), ("2^53", 9_007_199_254_740_992.0)];
            t.each(ids, create_stream)
        },
    )
    .sections(&["RTMP 7.2.1.3"])
    .explain("createStream with transaction ids 2, 1000.5 and 2^53", "_result, null, an integer"),
    Case::new(
        "rtmp/createstream/distinct-ids",
        "Streams of one connection have different ids; plain statement of section 7",
        |t| {
            let mut conn = t.stream()?;
            let first = conn.stream_id;
            match t.create_stream(&mut conn) {
                Ok(second) => t.strict_if(first != second, format!("both are {first}")),
                Err(stop) => t.nonstrict(format!("no second stream: {}", stop.text())),
            }
        },
    )
    .sections(&["RTMP 7.2.2"])
    .explain("createStream twice", "different ids"),
    Case::new("rtmp/createstream/flood", "10,000 createStream are survived", |t| {
        let mut conn = t.connected()?;
        conn.hold();
        for n in 0..10_000 {
            conn.send(Msg::new(20, command("createStream", 1000.0 + f64::from(n), &[NULL])));
        }
        conn.release();
        if !t.alive_new() {
            return t.fail("no new connection is served meanwhile");
        }
        t.neg(&mut conn, ANY)
    })
    .sections(&["RTMP 7.2.1.3"])
    .robustness()
    .explain("10,000 createStream in one write", "no wedge; new connections are served"),
    Case::new(
        "rtmp/deletestream/no-reply",
        "deleteStream gets no reply; plain statement of section 7",
        |t| {
            let mut conn = t.stream()?;
            delete(&mut conn, 0.0, None);
            no_reply_to_zero(t, &mut conn)
        },
    )
    .sections(&["RTMP 7.2.2.3"])
    .explain("deleteStream with transaction id 0", "no reply"),
    Case::new(
        "rtmp/deletestream/unknown-id",
        "deleteStream of no stream is ignored, as by nginx-rtmp, SRS and node-media-server",
        |t| {
            let ids = [("99", 99.0), ("0", 0.0), ("-1", -1.0), ("NaN", f64::NAN)];
            t.each(ids.into_iter().chain([("2^32", 4_294_967_296.0)]), |t, id| {
                let mut conn = t.connected()?;
                delete(&mut conn, 0.0, Some(id));
                t.neg(&mut conn, &[Reaction::Tolerate, Reaction::Error])
            })
        },
    )
    .sections(&["RTMP 7.2.2.3"])
    .de_facto()
    .explain("deleteStream of 99, 0, -1, NaN, 2^32", "the connection goes on"),
    Case::new("rtmp/deletestream/other-stream", "deleteStream ends that stream alone", |t| {
        let mut relay = t.relay()?;
        let publishing = relay.publisher.stream_id;
        let other = t.create_stream(&mut relay.publisher).setup()?;
        relay.publisher.stream_id = publishing;
        if other == publishing {
            return t.inconclusive(format!("createStream always gives {other}"));
        }
        delete(&mut relay.publisher, 0.0, Some(other.into()));
        t.flow(&mut relay)?;
        t.pass()
    })
    .sections(&["RTMP 7.2.2.3"])
    .should()
    .needs(&[Need::Publish, Need::Play])
    .explain("deleteStream of another stream while publishing", "the publication goes on"),
    Case::new("rtmp/close/command", "close ends the connection or is ignored", |t| {
        let mut conn = t.connected()?;
        conn.send(Msg::new(20, command("close", 0.0, &[NULL])));
        t.neg(&mut conn, ANY)
    })
    .sections(&["RTMP 7.2.1"])
    .robustness()
    .explain("close", "no wedge"),
];

/// `connect`, and its reply, which must be `_result`.
fn reply(t: &T) -> Result<(Conn, Command), Stop> {
    let mut conn = t.handshaken()?;
    conn.send(t.connect_message(&[]));
    let reply = conn.expect_result(1.0)?;
    Ok((conn, reply))
}

fn success(t: &mut T) -> Outcome {
    let (_, reply) = reply(t)?;
    let properties = reply.object.as_ref().is_some_and(|o| !o.properties().is_empty());
    let info = |name, value| reply.info(name).is_some_and(|text| *text == value);
    let missing: Vec<_> = [
        (properties, "properties"),
        (info("level", "status"), "level status"),
        (info("code", "NetConnection.Connect.Success"), "NetConnection.Connect.Success"),
    ]
    .iter()
    .filter_map(|(there, what)| (!there).then_some(*what))
    .collect();
    t.strict_if(missing.is_empty(), format!("the reply lacks {}", missing.join(", ")))
}

fn txn_echo(t: &mut T) -> Outcome {
    let ask = |t: &T, transaction| -> Result<Option<f64>, Stop> {
        let mut conn = t.handshaken()?;
        let object = t.connect_object(&t.env().target.app);
        conn.send(Msg::command("connect", transaction, object, &[]));
        let is_reply =
            |m: &crate::rtmp::Message| Conn::command_of(m).is_some_and(Command::is_reply);
        let reply = conn.expect("reply to connect", is_reply)?;
        Ok(Conn::command_of(&reply).and_then(|c| c.transaction_id))
    };
    let seven = ask(t, 7.0);
    t.note(match seven {
        Ok(Some(id)) => format!("transaction 7 is answered with {id}"),
        Ok(None) => "transaction 7 is answered without one".to_owned(),
        Err(stop) => format!("transaction 7: {}", stop.text()),
    });
    let one = ask(t, 1.0)?;
    t.pass_if(one == Some(1.0), format!("transaction 1 is answered with {one:?}"))
}

fn before_connect(t: &mut T) -> Outcome {
    let publish = [NULL, &text(&t.name()), &text("live")].concat();
    let messages = [
        ("createStream", Msg::new(20, command("createStream", 7.0, &[NULL]))),
        ("publish", Msg::new(20, command("publish", 8.0, &[&publish])).csid(8).on(1)),
        ("audio", Msg::audio(0, t.aac_header()).on(1)),
    ];
    t.each(messages, |t, message| {
        t.expect_alive_after();
        let mut conn = t.handshaken()?;
        conn.send(message);
        // connect is the barrier: once it is answered, what came before has been read.
        conn.send(t.connect_message(&[]));
        let barrier = answer(&mut conn, 1.0)?;
        let started = |m| Conn::status_of(m).is_some_and(|(code, _)| code.ends_with(".Start"));
        if conn.messages().iter().any(started) {
            return t.fail("works before connect");
        }
        let created = |m| {
            Conn::command_of(m)
                .is_some_and(|c| c.name == "_result" && c.transaction_id == Some(7.0))
        };
        if conn.messages().iter().any(created) {
            return t.nonstrict("is answered with _result before connect");
        }
        t.pass_if(!matches!(barrier, Answer::Silence), "neither answers nor closes")
    })
}

fn unknown_method(t: &mut T) -> Outcome {
    let mut conn = t.connected()?;
    conn.send(Msg::new(20, command("noSuchMethod", 50.0, &[NULL])));
    if let Err(stop) = t.barrier(&mut conn, t.timeouts().reply) {
        return match conn.closed() {
            Some(how) => t.nonstrict(format!("closes ({})", how.name())),
            None => t.fail(stop.text().to_owned()),
        };
    }
    // The barrier's answer may overtake a slower one's.
    conn.settle(t.timeouts().quiet, t.timeouts().reply);
    let reply = conn.since_mark().iter().filter_map(Conn::command_of);
    let reply = reply.filter(|c| c.is_reply()).find(|c| c.transaction_id == Some(50.0));
    match reply.map(|c| c.name.to_string()).as_deref() {
        Some("_error") => t.pass(),
        Some(_) => t.fact("answered with _result"),
        None => t.nonstrict("is not answered"),
    }
}

/// After a request with transaction id 0, nothing may come with it.
fn no_reply_to_zero(t: &mut T, conn: &mut Conn) -> Outcome {
    t.barrier(conn, t.timeouts().reply)?;
    conn.settle(t.timeouts().quiet, t.timeouts().reply);
    let mut replies = conn.since_mark().iter().filter_map(Conn::command_of);
    let zero = replies.any(|c| c.is_reply() && c.transaction_id == Some(0.0));
    t.strict_if(!zero, "a reply came with transaction id 0")
}

fn create_stream(t: &mut T, transaction: f64) -> Outcome {
    let mut conn = t.connected()?;
    conn.send(Msg::new(20, command("createStream", transaction, &[NULL])));
    let reply = conn.expect_result(transaction)?;
    let id = reply.arguments.first().and_then(Value::as_number);
    if !id.is_some_and(|id| id >= 1.0 && id.fract() == 0.0) {
        return t.fail(format!("the stream id is {id:?}"));
    }
    let null = matches!(reply.object, Some(Value::Null));
    Ok(Verdict::strict_if(null, "the reply's command object is not null"))
}

/// `deleteStream` on message stream 0, of the connection's own stream unless told otherwise.
fn delete(conn: &mut Conn, transaction: f64, id: Option<f64>) {
    let id = id.unwrap_or(conn.stream_id.into());
    conn.mark();
    conn.send(Msg::new(20, command("deleteStream", transaction, &[NULL, &num(id)])));
}
