//! The chunk stream (RTMP 5.3): what the server writes, and headers that make no sense.

use std::time::Duration;

use super::support_a::{anomaly, call, exercised, neg_alone};
use crate::conform::{Case, Conn, Msg, Need, Outcome, Reaction, State, Step, T, Verdict};
use crate::rtmp::AnomalyKind;
use crate::wire::chunk::{BasicHeader, MessageHeader};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "rtmp/chunk/basic-header-smallest",
        "Senders write the chunk stream id in as few bytes as possible",
        basic_header_smallest,
    )
    .should()
    .sections(&["RTMP 5.3.1.1"])
    .explain(
        "a stream is published and played",
        "all basic headers of the server are the shortest",
    ),
    Case::new("rtmp/chunk/fmt0-first", "The first chunk on a chunk stream has format 0", |t| {
        let kinds = [AnomalyKind::NoPreviousHeader, AnomalyKind::Type1OpensChunkStream];
        match anomaly(t, &kinds)? {
            Some(text) => t.fail(text),
            None => t.pass(),
        }
    })
    .sections(&["RTMP 5.3.1.2.1"])
    .explain(
        "a stream is published and played",
        "each chunk stream of the server begins with format 0",
    ),
    Case::new(
        "rtmp/chunk/fmt3-continuation-fmt",
        "A message's chunks after the first one have format 3",
        |t| match anomaly(t, &[AnomalyKind::MessageInterrupted])? {
            Some(text) => t.nonstrict(text),
            None => t.pass(),
        },
    )
    .should()
    .sections(&["RTMP 5.3.1.2.4"])
    .explain("large messages are published and played", "the server continues them with format 3"),
    Case::new(
        "rtmp/chunk/compact-header",
        "Senders use the shortest message header that says what is needed",
        compact_header,
    )
    .should()
    .sections(&["RTMP 5.3.1.2"])
    .explain("a stream is published and played", "a FACT: how many header bytes could be saved"),
    Case::new(
        "rtmp/chunk/fmt012-mid-message",
        "A header of format 0 in the middle of a message begins another one or ends the \
         connection: SRS, gortmplib and FFmpeg refuse it, nginx-rtmp goes on",
        fmt012_mid_message,
    )
    .de_facto()
    .explain(
        "128 of 300 bytes on chunk stream 8, then a whole createStream there with format 0",
        "closes or goes on; NONSTRICT when this connection, and nothing else, hangs",
    ),
    Case::new(
        "rtmp/chunk/fmt1-length-change-mid-message",
        "A header of format 1 with another length in the middle of a message overruns no buffer: \
         SRS and FFmpeg refuse it",
        |t| {
            let variants = [("length 100", (100, 0)), ("length 0xFFFFFF", (0xff_ffff, 128))];
            t.each(variants, fmt1_length_change)
        },
    )
    .de_facto()
    .explain(
        "128 of 300 bytes, then format 1 with length 100 and no payload, or 0xFFFFFF and 128 bytes",
        "closes or goes on; NONSTRICT when this connection, and nothing else, hangs",
    ),
    // The first variant's further ten C5 keep a reader in step that takes each for an empty message.
    Case::negative(
        "rtmp/chunk/unseen-csid-fmt1-3",
        "The first chunk on a chunk stream with format 1, 2 or 3 is refused or dropped",
        State::Connected,
        &[
            &[Step::Raw(&[0xc5; 11])],
            &[Step::Raw(b"\x85\0\0\x14")],
            &[Step::Raw(b"\x45\0\0\x14\0\0\x05\x14aaaaa")],
        ],
        &[Reaction::Close, Reaction::Tolerate],
    )
    .sections(&["RTMP 5.3.1.2.1"]),
    Case::new(
        "rtmp/chunk/zero-length-message",
        "Messages of length 0 are legal for the chunk stream: nginx-rtmp, SRS and \
         node-media-server go on",
        zero_length_message,
    )
    .de_facto()
    .sections(&["RTMP 5.3.1"])
    .needs(&[Need::Publish])
    .explain(
        "audio, video, a command, data, Set Chunk Size and user control without payload",
        "goes on after audio and video; closes or goes on after the others",
    ),
    Case::new(
        "rtmp/chunk/max-message-length",
        "A message of 0xFFFFFF bytes may be refused, but others are served meanwhile: nginx-rtmp \
         and gortmplib close",
        max_message_length,
    )
    .de_facto()
    .sections(&["RTMP 5.1", "RTMP 5.4.1"])
    .needs(&[Need::Publish])
    .explain(
        "64 KiB of a video message of 0xFFFFFF bytes, then 3 s nothing",
        "a close, or waiting",
    ),
];

fn basic_header_smallest(t: &mut T) -> Outcome {
    for c in exercised(t)? {
        let raw = c.first_bytes();
        for header in c.messages().iter().flat_map(|message| message.headers.pieces()) {
            let Some(basic) = raw.get(header.start as usize..).and_then(BasicHeader::parse) else {
                continue;
            };
            if basic.len == 3 && basic.csid < 320 {
                return t.nonstrict(format!("chunk stream {} is written in 3 bytes", basic.csid));
            }
        }
    }
    t.pass()
}

fn compact_header(t: &mut T) -> Outcome {
    let (mut spare, mut all) = (0, 0);
    for c in exercised(t)? {
        let messages = c.messages();
        all += messages.iter().map(|message| message.headers.len()).sum::<u64>();
        for (at, m) in messages.iter().enumerate() {
            let before = messages[..at].iter().rev().find(|other| other.csid == m.csid);
            let Some(before) = before.filter(|before| before.stream_id == m.stream_id) else {
                continue;
            };
            let forward = m.timestamp.wrapping_sub(before.timestamp) < 0xff_ffff;
            let alike = before.length == m.length && before.type_id == m.type_id;
            spare += match m.fmt {
                0 if forward => 4 + if alike { 4 } else { 0 },
                1 if alike => 4,
                _ => 0,
            };
        }
    }
    t.fact(format!("{spare} of {all} header bytes could be saved"))
}

/// 128 of 300 bytes of a command on chunk stream 8.
fn begun(t: &T) -> Result<Conn, crate::conform::Stop> {
    let mut c = t.connected()?;
    let transaction = c.fresh_transaction();
    let mut message = c.begin(call(transaction, 300).csid(8).fmt(0))?;
    c.chunk(&mut message);
    c.encoder().forget(8);
    Ok(c)
}

fn fmt012_mid_message(t: &mut T) -> Outcome {
    let mut c = begun(t)?;
    let transaction = c.fresh_transaction();
    c.send(call(transaction, 35).csid(8).fmt(0));
    neg_alone(t, &mut c, &[Reaction::Close, Reaction::Tolerate])
}

fn fmt1_length_change(t: &mut T, (length, payload): (u32, usize)) -> Outcome {
    let mut c = begun(t)?;
    let header = MessageHeader {
        timestamp: Some(0),
        length: Some(length),
        type_id: Some(20),
        stream_id: None,
    };
    c.raw_chunk(1, 8, header, &vec![0x78; payload]);
    neg_alone(t, &mut c, &[Reaction::Close, Reaction::Tolerate])
}

fn zero_length_message(t: &mut T) -> Outcome {
    let types = [("audio", 8), ("video", 9), ("command", 20), ("data", 18)];
    let control = [("Set Chunk Size", 1), ("user control", 4)];
    t.each(types.into_iter().chain(control), |t, type_id| {
        let mut c = t.publisher(&t.name())?;
        let (csid, id) = if type_id < 8 { (2, 0) } else { (5, c.stream_id) };
        c.send(Msg::new(type_id, Vec::new()).csid(csid).on(id).fmt(0));
        match type_id {
            8 | 9 => t.neg(&mut c, &[Reaction::Tolerate]),
            _ => t.neg(&mut c, &[Reaction::Close, Reaction::Tolerate]),
        }
    })
}

fn max_message_length(t: &mut T) -> Outcome {
    let mut c = t.publisher(&t.name())?;
    let header = MessageHeader {
        timestamp: Some(0),
        length: Some(0xff_ffff),
        type_id: Some(9),
        stream_id: Some(c.stream_id),
    };
    let payload = t.bytes("payload", 65_536);
    c.set_chunk_size(65_536).raw_chunk(0, 6, header, &payload).idle(Duration::from_secs(3));
    t.note(c.closed().map_or("waits for the rest", |_| "closes"));
    Ok(Verdict::pass_if(t.alive_new(), "no new connection is served meanwhile"))
}
