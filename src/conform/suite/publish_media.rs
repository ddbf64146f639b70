//! What a publication hands on, and how it ends.

use std::time::Duration;

use super::bytes::{NULL, command, metadata, num, set_data_frame, text};
use super::publish::free_again;
use super::support_b::{self as support, flows, live, media};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Setup, Stop, T};
use crate::wire::message::{Body, MessageType};

/// The cases of this file.
pub const CASES: &[Case] = &[
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
];

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
