//! Secrets planted in every position the protocol has, looked for in every format.

use super::super::samples::*;
use super::super::*;
use super::*;
use crate::analysis::{AnomalyRecord, Record, SessionEnd, SessionFacts};
use crate::base::StopReason;
use crate::rtmp::Message;
use crate::wire::amf::{Property, Text, Value};
use crate::wire::message::{
    Body, Data, MessageType, SharedObject, SharedObjectEvent, UserControl, UserControlEvent,
};

const KEY: &str = "pl4nt3dkey";
const TOKEN: &str = "t0k3nvalue";
const USER: &str = "us3rname";
const SALT: &str = "s4ltS4lt==";

fn status(code: &str, members: &[(&str, &str)]) -> Value {
    let mut properties = vec![
        Property { name: "level".into(), value: Value::string("status") },
        Property { name: "code".into(), value: Value::string(code) },
    ];
    for (name, value) in members {
        properties.push(Property { name: (*name).into(), value: Value::string(value) });
    }
    Value::Object { class: None, properties }
}

fn data(values: Vec<Value>) -> Record {
    body_record(MessageType::DATA_AMF0, Body::Data(Data { values }))
}

/// Everything every format prints of these records.
fn print(mut records: Vec<Record>, show: bool) -> String {
    let mut redactor = Redactor::new(show);
    for record in &mut records {
        redactor.redact(record);
    }
    let mut ndjson = NdjsonWriter::new(Vec::new());
    let mut json = JsonWriter::new(Vec::new());
    for record in &records {
        ndjson.write(record, None).unwrap();
        json.write(record, None).unwrap();
    }
    json.finish().unwrap();
    let mut out = String::from_utf8(std::mem::take(ndjson.out())).unwrap();
    out.push_str(std::str::from_utf8(json.out()).unwrap());
    #[cfg(feature = "cli")]
    {
        let detail = Detail::default();
        let mut text = TextWriter::new(Vec::new(), true, detail);
        let mut summary = TextWriter::summary(Vec::new(), false);
        for record in &records {
            text.write(record, None).unwrap();
            summary.write(record, None).unwrap();
        }
        out.push_str(std::str::from_utf8(text.out()).unwrap());
        out.push_str(std::str::from_utf8(summary.out()).unwrap());
    }
    out
}

fn secrets() -> [&'static str; 4] {
    [KEY, TOKEN, USER, SALT]
}

/// Prints `records` and checks that the secrets show up if and only if they are wanted.
#[track_caller]
fn hides(records: Vec<Record>) -> String {
    let open = print(records.clone(), true);
    assert!(secrets().iter().any(|s| open.contains(s)), "no secret was planted:\n{open}");
    let out = print(records, false);
    for secret in secrets() {
        let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
        assert!(!out.contains(&hex), "bytes of {secret} show in\n{out}");
        let lower = out.to_ascii_lowercase();
        assert!(!lower.contains(&secret.to_ascii_lowercase()), "{secret} shows in\n{out}");
    }
    out
}

#[test]
fn stream_names_in_every_command() {
    for name in [
        "publish",
        "play",
        "releaseStream",
        "FCPublish",
        "FCUnpublish",
        "FCSubscribe",
        "FCUnsubscribe",
        "getStreamLength",
        "DVRGetStreamInfo",
        "fcpublish",
        "PUBLISH",
    ] {
        let out = hides(vec![command(name, Some(Value::Null), vec![Value::string(KEY)])]);
        assert!(out.contains("<stream-1>") && out.contains(name), "{out}");
    }
    let options = Value::object([
        ("streamName", Value::string(KEY)),
        ("oldStreamName", Value::string(TOKEN)),
        ("transition", Value::string("switch")),
        ("start", Value::Number(-2.0)),
    ]);
    let out = hides(vec![command("play2", Some(Value::Null), vec![options])]);
    assert!(out.contains("<stream-1>") && out.contains("switch") && out.contains("-2"));
}

#[test]
fn the_same_stream_is_the_same_placeholder_and_its_query_is_hidden() {
    let argument = |s: &str| Some(vec![Value::string(s)]);
    let out = hides(vec![
        command("FCPublish", None, argument(KEY).unwrap()),
        command(
            "publish",
            None,
            vec![Value::string(&format!("{KEY}?sign={TOKEN}")), Value::string("live")],
        ),
        command("play", None, argument(&format!("mp4:{KEY}")).unwrap()),
        command("play", None, argument("another").unwrap()),
    ]);
    assert!(out.contains(r#""arguments":["<stream-1>"]"#));
    assert!(out.contains(r#""arguments":["<stream-1>?sign=<token-1>","live"]"#));
    assert!(out.contains(r#""arguments":["mp4:<stream-1>"]"#));
    assert!(out.contains(r#""arguments":["<stream-2>"]"#));
}

#[test]
fn urls_of_connect() {
    for (tc_url, app, shown) in [
        (format!("rtmp://h/live?token={TOKEN}"), "live".into(), "rtmp://h/live?token=<token-1>"),
        ("rtmp://h/live".into(), format!("live?{TOKEN}"), "live?<token-1>"),
        ("rtmp://h/live".into(), format!("live?x9={TOKEN}"), "live?<token-1>"),
        (
            format!("rtmp://h:1935/live/{KEY}"),
            format!("live/{KEY}"),
            "rtmp://h:1935/live/<token-1>",
        ),
        (
            format!("rtmp://h/live/_definst_/{KEY}"),
            "live/".into(),
            "rtmp://h/live/_definst_/<token-1>",
        ),
        (format!("rtmp://{USER}:{KEY}@h/live"), "live".into(), "rtmp://<auth-1>@h/live"),
        (format!("rtmp://{USER}:a/{KEY}?@h/live"), "live".into(), "rtmp://<auth-1>@h/live"),
        (format!("rtmp://{USER}:{KEY}/live"), "live".into(), "rtmp://<auth-1>/live"),
        (
            format!("rtmp://[::1]:1935/live%3F{KEY}"),
            "live".into(),
            "rtmp://[::1]:1935/live<token-1>",
        ),
        (format!("rtmp://h/live app={KEY}"), "live".into(), "rtmp://h/live<token-1>"),
        (format!("//h/live/{KEY}"), "/live//x".into(), "//h/<token-"),
        (
            format!(
                "rtmp://h/live?authmod=adobe&user={USER}&challenge={TOKEN}&response={SALT}&opaque={KEY}"
            ),
            format!("live?authmod=adobe&user={USER}&salt={SALT}"),
            "authmod=adobe&user=<auth-1>&",
        ),
    ] {
        let out = hides(vec![connect(&tc_url, &app)]);
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
}

#[test]
fn other_members_and_arguments_of_connect() {
    let object = Value::object([
        ("app", Value::string("live")),
        ("swfUrl", Value::string(&format!("rtmp://h/live/{KEY}"))),
        ("pageUrl", Value::string(&format!("https://{USER}@example.org/player?key={TOKEN}#{KEY}"))),
        ("flashVer", Value::string("FMLE/3.0")),
        ("secretToken", Value::Number(77_665_544.0)),
        ("myAuth", Value::string(SALT)),
        ("nested", Value::object([("deep", Value::string(KEY))])),
        ("fourCcList", Value::StrictArray(vec![Value::string("hvc1")])),
    ]);
    let arguments = vec![
        Value::string(KEY),
        Value::Number(4_711_123.0),
        Value::object([("p", Value::string(TOKEN)), ("on", Value::Boolean(true))]),
        Value::StrictArray(vec![Value::Xml(USER.into())]),
        Value::ByteArray(KEY.as_bytes().to_vec()),
        Value::Dictionary {
            weak: false,
            entries: vec![(Value::string(TOKEN), Value::Integer(4_711_123))],
        },
        Value::VectorInt { fixed: false, items: vec![4_711_123] },
        Value::Object {
            class: Some("C".into()),
            properties: vec![Property { name: KEY.into(), value: Value::Null }],
        },
    ];
    let out = hides(vec![command("connect", Some(object), arguments)]);
    for shown in ["https://<auth-1>@example.org/player?key=<token-", "FMLE/3.0", "hvc1", "true"] {
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
    let hex: String = KEY.bytes().map(|b| format!("{b:02x}")).collect();
    for number in ["77665544", "4711123", &hex] {
        assert!(!out.contains(number), "{number} in {out}");
    }
}

#[test]
fn authentication_of_adobe_and_limelight() {
    let rejected = |description: &str| {
        reply(
            "_error",
            "connect",
            vec![status("NetConnection.Connect.Rejected", &[("description", description)])],
        )
    };
    let out = hides(vec![
        rejected("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "),
        connect("rtmp://h/live", &format!("live?authmod=adobe&user={USER}")),
        rejected(&format!(
            "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user={USER}&salt={SALT}&challenge={TOKEN}&opaque={TOKEN}"
        )),
        connect(
            "rtmp://h/live",
            &format!(
                "live?authmod=llnw&user={USER}&nonce={TOKEN}&cnonce={KEY}&nc=00000001&response={SALT}"
            ),
        ),
    ]);
    assert!(out.contains("code=403 need auth; authmod=adobe"), "{out}");
    assert!(
        out.contains("?reason=needauth&user=<auth-1>&salt=<auth-2>&challenge=<auth-3>"),
        "{out}"
    );
    assert!(out.contains("live?authmod=adobe&user=<auth-1>"), "{out}");
}

#[test]
fn descriptions_that_repeat_the_stream() {
    let started = status(
        "NetStream.Play.Start",
        &[
            ("description", &format!("Started playing {}.", KEY.to_uppercase())),
            ("details", KEY),
            ("clientid", "AbC"),
        ],
    );
    let out = hides(vec![
        command("publish", None, vec![Value::string(KEY)]),
        command("onStatus", Some(Value::Null), vec![started.clone()]),
        reply("_result", "FCPublish", vec![started.clone()]),
        command("onFCPublish", None, vec![started.clone()]),
        data(vec![Value::string("onStatus"), started.clone()]),
        data(vec![Value::string("onPlayStatus"), started]),
    ]);
    assert!(out.contains("Started playing <stream-1>."), "{out}");
    assert!(out.contains(r#""details":"<stream-1>","clientid":"AbC""#), "{out}");
}

#[test]
fn descriptions_when_the_request_was_not_captured() {
    for (text, shown) in [
        (format!("{KEY} is now published."), "<token-1> is now published."),
        (format!("Stream \"live/{KEY}\" not found"), "Stream \\\"<token-1>\\\" not found"),
        (format!("no such file: /var/{KEY}.flv (404)"), "no such file: /<token-1> (<token-2>)"),
        (
            format!("Redirect to rtmp://h/live/{KEY}?k={TOKEN}"),
            "rtmp://h/live/<token-1>?k=<token-2>",
        ),
    ] {
        let info = status("NetStream.Play.Reset", &[("description", &text)]);
        let out = hides(vec![command("onStatus", None, vec![info])]);
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
    let plain = status("NetStream.Publish.Start", &[("description", "Started publishing stream.")]);
    let out = print(vec![command("onStatus", None, vec![plain])], false);
    assert!(out.contains("Started publishing stream."));
    // The place in front of the one that tells: one placeholder all the same.
    let both = status(
        "NetStream.Play.Start",
        &[("description", &format!("Playing {KEY}")), ("details", KEY)],
    );
    let out = hides(vec![command("onStatus", None, vec![both])]);
    assert!(
        out.contains("Playing <stream-1>") && out.contains(r#""details":"<stream-1>""#),
        "{out}"
    );
}

#[test]
fn reconnect_and_redirect() {
    let reconnect = status(
        "NetConnection.Connect.ReconnectRequest",
        &[("tcUrl", &format!("rtmp://other/live/{KEY}?token={TOKEN}")), ("description", "please")],
    );
    let ex = Value::object([
        ("code", Value::Number(302.0)),
        ("redirect", Value::string(&format!("rtmp://{USER}:{KEY}@other/live"))),
        ("whatever", Value::string(TOKEN)),
    ]);
    let rejected =
        Value::object([("ex", ex), ("code", Value::string("NetConnection.Connect.Rejected"))]);
    let out = hides(vec![
        command("onStatus", None, vec![reconnect]),
        reply("_error", "connect", vec![rejected]),
    ]);
    assert!(out.contains("rtmp://other/live/<token-") && out.contains("302"), "{out}");
}

#[test]
fn calls_that_nobody_knows_and_their_replies() {
    let out = hides(vec![
        command(
            "NetStreamAuthenticate.UsherToken",
            Some(Value::string(USER)),
            vec![Value::string(TOKEN)],
        ),
        reply(
            "_result",
            "NetStreamAuthenticate.UsherToken",
            vec![Value::string(KEY), Value::Number(2.0)],
        ),
        reply(
            "_result",
            "secureTokenResponse",
            vec![Value::object([("secureToken", Value::string(KEY))])],
        ),
        command("publish", None, vec![Value::Null, Value::string(KEY), Value::string(TOKEN)]),
        command("play", None, vec![Value::string("a"), Value::string(KEY)]),
        command(
            "createStream",
            Some(Value::object([("x", Value::string(KEY))])),
            vec![Value::string(KEY)],
        ),
    ]);
    assert!(out.contains("NetStreamAuthenticate.UsherToken"));
}

#[test]
fn what_was_learned_is_found_elsewhere() {
    let object = SharedObject {
        name: format!("so/{KEY}").as_str().into(),
        events: vec![SharedObjectEvent {
            event: 4,
            names: vec![KEY.into()],
            values: vec![Value::string(&format!("x {TOKEN}"))],
            data: KEY.as_bytes().to_vec(),
        }],
        ..SharedObject::default()
    };
    let mut stopped = message(MessageType::COMMAND_AMF3, Body::Command(Default::default()));
    stopped.stop = Some(crate::base::Stop {
        field: "object",
        at: 9,
        reason: StopReason::UnknownExternalizable(KEY.to_owned()),
    });
    let anomaly = AnomalyRecord {
        session: Some(1),
        kind: "bad-body",
        direction: None,
        time: None,
        frame: None,
        offset: None,
        csid: None,
        detail: format!("it said {KEY}"),
    };
    let out = hides(vec![
        connect(&format!("rtmp://h/live?token={TOKEN}"), "live"),
        command("releaseStream", None, vec![Value::string(KEY)]),
        data(vec![
            Value::string("onMetaData"),
            Value::object([
                ("title", Value::string(&format!("my {KEY} show"))),
                ("encoder", Value::string("Lavf60.3.100")),
                ("streamName", Value::string("unlearned-name")),
                ("hasKeyframes", Value::Boolean(true)),
                (KEY, Value::Null),
            ]),
        ]),
        data(vec![Value::ByteArray(format!("..{KEY}..").into_bytes())]),
        body_record(MessageType::SHARED_OBJECT_AMF0, Body::SharedObject(object)),
        record(stopped),
        body_record(
            MessageType::USER_CONTROL,
            Body::UserControl(UserControl {
                event: UserControlEvent(77),
                stream_id: None,
                buffer_ms: None,
                timestamp: None,
                data: KEY.as_bytes().to_vec(),
            }),
        ),
        command(&format!("call_{KEY}"), None, vec![]),
        reply("_result", KEY, vec![]),
        Record::Anomaly(anomaly),
        Record::End(crate::analysis::End {
            capture_errors: vec![format!("{KEY}.pcap: cut")],
            ..Default::default()
        }),
    ]);
    assert!(out.contains("Lavf60.3.100") && out.contains("my <stream-1> show"), "{out}");
    assert!(!out.contains("unlearned-name"));
}

#[test]
fn an_aggregate_hides_what_its_parts_hide() {
    let Record::Message(inner) = command("publish", None, vec![Value::string(KEY)]) else {
        panic!()
    };
    let part = crate::wire::message::AggregatePart {
        type_id: MessageType::COMMAND_AMF0,
        timestamp: 0,
        stream_id: 0,
        range: 11..30,
        back_pointer: None,
        body: inner.message.body,
    };
    hides(vec![body_record(MessageType::AGGREGATE, Body::Aggregate(vec![part]))]);
}

#[test]
fn session_lines() {
    let mut first = session();
    first.note = Some(format!("GET /live/{KEY}.flv?token={TOKEN} HTTP/1.1"));
    let end = every_record()
        .into_iter()
        .find_map(|r| if let Record::SessionEnd(end) = r { Some(end) } else { None })
        .unwrap();
    let facts = SessionFacts {
        app: Some(format!("live/{KEY}")),
        tc_url: Some(format!("rtmp://{USER}@h/live?token={TOKEN}")),
        stream: Some(KEY.to_owned()),
        last_status: Some(format!("Bad {KEY}")),
        ..SessionFacts::default()
    };
    let out = hides(vec![Record::Session(first), Record::SessionEnd(SessionEnd { facts, ..end })]);
    assert!(out.contains("GET /live/<token-1>?token=<token-2> HTTP/1.1"), "{out}");
}

#[test]
fn text_that_is_not_utf8_is_a_secret_like_any_other() {
    let mut name = KEY.as_bytes().to_vec();
    name.push(0xff);
    let value = Value::String(Text(name));
    let out = hides(vec![
        command("publish", None, vec![value.clone()]),
        data(vec![Value::string("onMetaData"), Value::object([("x", value)])]),
    ]);
    assert_eq!(out.matches("<stream-2>").count(), 0, "{out}");
}

#[test]
fn nothing_is_touched_when_secrets_are_wanted() {
    let mut redactor = Redactor::new(true);
    let mut record = command("publish", None, vec![Value::string(KEY)]);
    redactor.redact(&mut record);
    let Record::Message(record) = record else { panic!() };
    let Message { body: Body::Command(command), .. } = *record.message else { panic!() };
    assert_eq!(command.arguments, [Value::string(KEY)]);
}

#[test]
fn ordinary_sessions_stay_readable() {
    let out = print(every_record(), false);
    for shown in [
        r#""app":"live""#,
        "rtmp://localhost/live",
        "nonprivate",
        "FMLE/3.0 (compatible; Lavf60.3.100)",
        "NetConnection.Connect.Success",
        "Connection succeeded.",
        "onMetaData",
        "@setDataFrame",
        "Lavf60.3.100",
        r#""stream":"<stream-1>""#,
    ] {
        assert!(out.contains(shown), "{shown} is not in {out}");
    }
}
