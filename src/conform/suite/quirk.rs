//! Byte patterns of real programs: each passes when the server copes with it. A server that does
//! not is NONSTRICT, since most of these break a rule themselves.

use std::time::Duration;

use super::bytes::{AAC_HEADER, NULL, aac_frame, avc_frame, avc_header, command, ecma, flex};
use super::bytes::{member, metadata, num, object, set_data_frame, text};
use super::bytes_ex::HVCC;
use super::support_b::{GO_ON, flows, lenient, media, publication, usual, welcome};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Setup, State, Stop, T};
use crate::rtmp::ExtendedTimestampHabit;
use crate::wire::amf::Value;

const BOTH: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new("quirk/obs-publish", "OBS Studio and librtmp: the chunk size before connect", |t| {
        let mut conn = t.handshaken()?;
        conn.hold().set_chunk_size(4096);
        conn.send(t.connect_message(&[]));
        conn.release().expect_result(1.0)?;
        encoder(t, &mut conn, 4, false)
    })
    .de_facto()
    .needs(BOTH)
    .explain("Set Chunk Size and connect in one write, publish on csid 4", "media flows"),
    Case::new("quirk/ffmpeg-publish", "FFmpeg: chunk size and three commands in one write", |t| {
        let mut conn = t.connected()?;
        conn.hold().set_chunk_size(4096);
        encoder(t, &mut conn, 8, false)
    })
    .de_facto()
    .needs(BOTH)
    .explain("Set Chunk Size, releaseStream, FCPublish, createStream in one write", "media flows"),
    Case::new(
        "quirk/gstreamer-publish",
        "GStreamer's rtmp2sink: Set Chunk Size with format 1, deleteStream with the stream's name",
        |t| {
            let mut conn = t.connected()?;
            conn.send(Msg::window(5_000_000));
            encoder(t, &mut conn, 3, true)
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("publish on csid 3, a window, Set Chunk Size 128, deleteStream name", "media flows"),
    Case::new("quirk/rtmpdump-play", "rtmpdump: windows, buffer lengths and _checkbw", |t| {
        let mut relay = t.relay()?;
        let mut player = t.connected()?;
        player.send(Msg::window(5_000_000));
        player.send(Msg::user_control(3, &[0, 0, 0, 0, 0, 0, 1, 0x2c]).fmt(1));
        player.send(Msg::new(20, command("createStream", 2.0, &[NULL])));
        player.send(Msg::new(20, command("_checkbw", 3.0, &[NULL])));
        let reply = player.expect_result(2.0)?;
        let id = reply.arguments.first().and_then(Value::as_number).unwrap_or(1.0) as u32;
        player.stream_id = id;
        player.send(t.play_message(id, &relay.publisher.name));
        let length = [&id.to_be_bytes()[..], &[0, 0, 0x8c, 0xa0]].concat();
        player.send(Msg::user_control(3, &length).fmt(1));
        flows(t, &mut relay.publisher, &mut player, &mut relay.time)?;
        t.pass()
    })
    .de_facto()
    .needs(BOTH)
    .explain("the commands of rtmpdump 2.4 up to play", "media flows"),
    Case::new("quirk/librtmp-control-format-1", "librtmp: the first control message", |t| {
        let mut conn = t.connected()?;
        conn.send(Msg::window(2_500_000).fmt(1));
        t.neg(&mut conn, GO_ON)
    })
    .de_facto()
    .explain("the first message on csid 2 with header format 1", "the connection goes on"),
    Case::new(
        "quirk/librtmp-no-extended-timestamp",
        "OBS before 2024, librtmp: no extended timestamp in the later chunks of a message",
        |t| extended(t, ExtendedTimestampHabit::Omit),
    )
    .level(crate::conform::Level::May)
    .needs(BOTH)
    .explain("a picture of many chunks after timestamp FFFFFF", "it comes out as it is"),
    Case::new(
        "quirk/gortmplib-zero-extended-timestamp",
        "MediaMTX: zero as extended timestamp in the later chunks of a message",
        |t| extended(t, ExtendedTimestampHabit::Zero),
    )
    .level(crate::conform::Level::May)
    .needs(BOTH)
    .explain("a picture of many chunks after timestamp FFFFFF", "it comes out as it is"),
    Case::new(
        "quirk/flash-amf3-commands",
        "Flash: after objectEncoding 3 every command is of type 17",
        |t| {
            let mut conn = t.connected_with(&[("objectEncoding", Value::Number(3.0))])?;
            conn.send(Msg::new(17, flex(&command("createStream", 2.0, &[NULL]))));
            let reply = match conn.expect_result(2.0) {
                Err(stop) => return t.nonstrict(format!("createStream: {}", stop.text())),
                reply => reply?,
            };
            let id = reply.arguments.first().and_then(Value::as_number);
            conn.stream_id = id.unwrap_or(1.0) as u32;
            conn.send(t.publish_message(conn.stream_id, &t.name()).amf3());
            match conn.expect_status("NetStream.Publish.Start") {
                Ok(_) => t.pass(),
                Err(stop) => t.nonstrict(format!("publish: {}", stop.text())),
            }
        },
    )
    .de_facto()
    .explain("createStream and publish as type 17", "_result and Publish.Start"),
    Case::new(
        "quirk/uniview-stray-numbers",
        "Uniview cameras: two numbers before @setDataFrame",
        |t| {
            let stray = [num(0.0), num(0.0), set_data_frame(&metadata(320.0))].concat();
            lenient(t, &[(18, stray)])
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("a data message that begins with two numbers", "the stream goes on"),
    Case::new(
        "quirk/envivio-unfinished-metadata",
        "Envivio encoders: an ECMA array without end; nginx-rtmp takes it on purpose",
        |t| {
            let whole = set_data_frame(&metadata(320.0));
            lenient(t, &[(18, whole[..whole.len() - 3].to_vec())])
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("onMetaData whose array just ends", "the stream goes on"),
    Case::new("quirk/metadata-object", "Metadata as an object in place of an array", |t| {
        let members = [member("width", num(320.0)), member("height", num(180.0))];
        lenient(t, &[(18, set_data_frame(&object(&members)))])
    })
    .de_facto()
    .needs(BOTH)
    .explain("onMetaData with an object", "the stream goes on"),
    Case::new("quirk/metadata-type-15", "Flash after objectEncoding 3: metadata as type 15", |t| {
        lenient(t, &[(15, flex(&set_data_frame(&metadata(320.0))))])
    })
    .de_facto()
    .needs(BOTH)
    .explain("@setDataFrame as type 15 with a format byte", "the stream goes on"),
    Case::new("quirk/timed-data", "FMLE and captioners: onFI, onCuePoint, onTextData", |t| {
        let value = ecma(1, &[member("text", text("words"))]);
        let names = ["onFI", "onCuePoint", "onTextData", "onCaptionInfo"];
        lenient(t, &names.map(|name| (18, [&text(name)[..], &value].concat())))
    })
    .de_facto()
    .needs(BOTH)
    .explain("four data messages with other names", "the stream goes on"),
    Case::new("quirk/empty-avc-configuration", "Cameras: an AVC header without record", |t| {
        lenient(t, &[(9, vec![0x17, 0, 0, 0, 0]), (9, avc_header(false))])
    })
    .de_facto()
    .needs(BOTH)
    .explain("video 17 00 00 00 00, then a whole header", "the stream goes on"),
    Case::new("quirk/empty-aac-configuration", "Cameras: an AAC header without record", |t| {
        lenient(t, &[(8, vec![0xaf, 0]), (8, AAC_HEADER.to_vec())])
    })
    .de_facto()
    .needs(BOTH)
    .explain("audio AF 00, then a whole header", "the stream goes on"),
    Case::new("quirk/repeated-headers", "Hardware encoders: headers before every key frame", |t| {
        let group = |mark| {
            [(9, avc_header(false)), (8, AAC_HEADER.to_vec()), (9, avc_frame(true, 0, mark, 80))]
        };
        lenient(t, &[group(1), group(2), group(3)].concat())
    })
    .de_facto()
    .needs(BOTH)
    .explain("both codec headers again before each key frame", "the stream goes on"),
    Case::new("quirk/sound-before-pictures", "Phones: seconds of sound before any picture", |t| {
        let mut conn = t.publisher(&t.name())?;
        let id = conn.stream_id;
        conn.send(media(8, 0, AAC_HEADER).on(id));
        for n in 1..100 {
            conn.send(media(8, n * 23, &aac_frame(1, 40)).on(id));
        }
        conn.send(media(9, 2300, &avc_header(false)).on(id));
        conn.send(Msg::video(2300, t.picture("first", true, 100)).on(id));
        t.barrier(&mut conn, t.timeouts().reply).setup()?;
        let mut player = t.player(&conn.name.clone())?;
        flows(t, &mut conn, &mut player, &mut 2300)?;
        t.pass()
    })
    .de_facto()
    .needs(BOTH)
    .explain("2.3 s of sound, then the AVC header and pictures", "pictures flow"),
    Case::new(
        "quirk/negative-first-timestamp",
        "FFmpeg with -copyts: the first timestamps are below zero, that is close to 2^32",
        |t| {
            let mut conn = t.publisher(&t.name())?;
            let id = conn.stream_id;
            let mut time = 0_u32.wrapping_sub(80);
            conn.send(media(9, time, &avc_header(false)).on(id));
            conn.send(Msg::video(time, t.picture("first", true, 100)).on(id));
            time = 0;
            conn.send(Msg::video(time, t.picture("second", false, 100)).on(id).fmt(0));
            t.barrier(&mut conn, t.timeouts().reply).setup()?;
            let mut player = t.player(&conn.name.clone())?;
            flows(t, &mut conn, &mut player, &mut time)?;
            t.pass()
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("media at FFFFFFB0, then from 0 on", "media flows"),
    Case::new("quirk/hevc-codec-id-12", "Chinese encoders and CDNs: HEVC as codec id 12", |t| {
        let start = [&[0x1c, 0, 0, 0, 0][..], HVCC].concat();
        let frame = |n: u8| {
            let mut frame = avc_frame(true, 0, n, 90);
            frame[0] = 0x1c;
            frame
        };
        publication(t, 9, Some(start), frame)
    })
    .level(crate::conform::Level::May)
    .needs(BOTH)
    .explain("video 1C 00 with an HEVC configuration, frames 1C 01", "the same bytes"),
    Case::new("quirk/lower-case-names", "connect with tcurl and flashver in small letters", |t| {
        let members = [
            usual(t, &["flashVer", "tcUrl"]),
            vec![
                member("flashver", text("FMLE/3.0")),
                member("tcurl", text(&t.env().target.tc_url(&t.env().target.app))),
            ],
        ];
        welcome(t, command("connect", 1.0, &[&object(&members.concat())]))
    })
    .de_facto()
    .explain("connect with flashver (as section 7 spells it) and tcurl", "_result"),
    Case::new("quirk/application-with-extras", "Players: a slash or a query after app", |t| {
        let app = t.env().target.app.clone();
        let apps = [("slash", format!("{app}/")), ("query", format!("{app}?token=1&user=2"))];
        t.each(apps, |t, app| {
            let members = [vec![member("app", text(&app))], usual(t, &["app"])].concat();
            welcome(t, command("connect", 1.0, &[&object(&members)]))
        })
    })
    .de_facto()
    .explain("connect with app live/ and live?token=1&user=2", "_result"),
    Case::new(
        "quirk/acknowledgement-flood",
        "Players that acknowledge every message for hours; MediaMTX once stalled",
        |t| {
            let mut relay = t.relay()?;
            for n in 0..20_000 {
                relay.player.send(Msg::acknowledgement(n));
            }
            if relay.player.is_stuck() {
                return t.fail("the server stops reading from the player");
            }
            t.flow(&mut relay)?;
            t.pass()
        },
    )
    .robustness()
    .needs(BOTH)
    .explain("20,000 acknowledgements while playing", "media goes on"),
];

/// The way of encoders from `releaseStream` to media: what is held back goes out first. `csid` is
/// that of `publish`; GStreamer ends with the name in place of the id.
fn encoder(t: &mut T, conn: &mut Conn, csid: u32, gstreamer: bool) -> Outcome {
    let name = t.name();
    for (method, transaction) in [("releaseStream", 2.0), ("FCPublish", 3.0)] {
        conn.send(Msg::new(20, command(method, transaction, &[NULL, &text(&name)])));
    }
    conn.send(Msg::new(20, command("createStream", 4.0, &[NULL]))).release();
    let reply = conn.expect_result(4.0)?;
    let id = reply.arguments.first().and_then(Value::as_number);
    conn.stream_id = id.ok_or_else(|| Stop::Fail("createStream gave no stream id".into()))? as u32;
    conn.send(t.publish_message(conn.stream_id, &name).csid(csid));
    conn.expect_status("NetStream.Publish.Start")?;
    (conn.state, conn.name) = (State::Publishing, name.clone());
    if gstreamer {
        conn.send(Msg::set_chunk_size(128).fmt(1));
    }
    t.send_headers(conn);
    t.barrier(conn, t.timeouts().reply)?;
    let mut player = t.player(&name)?;
    flows(t, conn, &mut player, &mut 0)?;
    conn.send(Msg::new(20, command("FCUnpublish", 5.0, &[NULL, &text(&name)])));
    let id = if gstreamer { text(&name) } else { num(conn.stream_id.into()) };
    conn.send(Msg::new(20, command("deleteStream", 6.0, &[NULL, &id]))).finish();
    conn.wait_close(Duration::from_secs(1));
    t.publisher(&name).map_err(|stop| Stop::Fail(format!("again: {}", stop.text())))?;
    t.pass()
}

/// A picture of many chunks whose timestamp needs the extended field, with another habit.
fn extended(t: &mut T, habit: ExtendedTimestampHabit) -> Outcome {
    t.expect_alive_after();
    let mut relay = t.relay()?;
    relay.publisher.habit(habit);
    relay.time = 0x0100_0000;
    let picture = t.picture("large", true, 3000);
    relay.send(Msg::video(relay.time, picture.clone()).fmt(0));
    let got = match t.collect(&mut relay) {
        Err(stop) => return t.nonstrict(stop.text().to_owned()),
        got => got?,
    };
    let whole = got.iter().any(|frame| frame.payload == picture);
    t.strict_if(whole, "the picture does not come out as it went in")
}
