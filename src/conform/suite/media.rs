//! Audio, video, metadata and aggregates (FLV Annex E).

use super::bytes::{AAC_HEADER, aac_frame, aggregate, avc_frame, avc_header, avcc, metadata, nal};
use super::bytes::{set_data_frame, text};
use super::support_b::{GO_ON, GO_ON_OR_CLOSE, each_published, flows, live, media, relayed};
use super::support_b::{survives, through};
use crate::conform::{Case, Conn, Frame, Msg, Need, Outcome, Setup, T};
use crate::rtmp::Message;
use crate::wire::message::MessageType;

const BOTH: &[Need] = &[Need::Publish, Need::Play];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new("flv/audio/header-byte", "The sound format comes out as it went in", |t| {
        // Every format that a file may have: AAC last, so that the stream ends as it began.
        let formats = [0x02, 0x12, 0x22, 0x3e, 0x72, 0x82, 0xb2, 0xaf];
        let sounds = formats.map(|head: u8| match head {
            0xaf => (8, aac_frame(7, 20)),
            head => (8, [&[head][..], &[head; 20]].concat()),
        });
        let mut relay = t.relay()?;
        let got = through(t, &mut relay, &sounds)?.got;
        let wrong = got.iter().filter(|f| f.type_id == MessageType::AUDIO).find(|f| {
            f.payload.first().is_some_and(|head| matches!(head >> 4, 12 | 13) || *head >> 4 == 9)
        });
        t.pass_if(wrong.is_none(), "the player gets a reserved sound format")
    })
    .sections(&["FLV E.4.2.1"])
    .needs(BOTH)
    .explain("PCM, ADPCM, MP3, G.711, Speex and AAC", "no reserved format at the player"),
    Case::new(
        "flv/audio/aac-sequence-first",
        "The AAC sequence header comes before the first frame",
        |t| header_before(t, 8, AAC_HEADER.to_vec(), aac_frame(3, 40)),
    )
    .sections(&["FLV E.4.2.2"])
    .needs(BOTH)
    .explain("AAC from the beginning, a late player", "the header before the first frame"),
    Case::new("flv/audio/silence", "An empty audio message is silence", |t| {
        survives(t, &[(8, Vec::new()), (8, aac_frame(1, 30))])?;
        t.pass()
    })
    .sections(&["E-RTMP v2"])
    .may()
    .needs(BOTH)
    .explain("an audio message without bytes, then media", "the stream goes on"),
    Case::new("flv/video/avc-header-min-size", "An AVC message shorter than its header", |t| {
        let cut = [("17", 1), ("17 01", 2), ("17 01 00 00", 4)];
        let cut = cut.map(|(name, len)| (name, [0x17, 1, 0, 0][..len].to_vec()));
        each_published(t, 9, cut, GO_ON_OR_CLOSE)
    })
    .sections(&["FLV E.4.3.1"])
    .explain("video 17; 17 01; 17 01 00 00", "dropped, or the server closes"),
    Case::new(
        "flv/video/avc-sequence-first",
        "The AVC sequence header comes before the first picture, as a key frame",
        |t| header_before(t, 9, avc_header(false), avc_frame(true, 0, 3, 120)),
    )
    .sections(&["FLV E.4.3.2"])
    .needs(BOTH)
    .explain("AVC from the beginning, a late player", "17 00 before the first picture"),
    Case::new("flv/video/avcc-valid", "A broken AVC configuration does no harm", |t| {
        let record = avcc(false);
        let head = [0x17, 0, 0, 0, 0];
        let mut many = record.clone();
        many[5] = 0xff;
        let broken = [
            ("empty", Vec::new()),
            ("cut after 3 bytes", record[..3].to_vec()),
            ("cut in the SPS", record[..12].to_vec()),
            ("31 SPS", many),
            ("version 0", [&[0][..], &record[1..]].concat()),
        ];
        let broken = broken.map(|(name, record)| (name, [&head[..], &record].concat()));
        each_published(t, 9, broken, GO_ON_OR_CLOSE)
    })
    .sections(&["ISO 14496-15"])
    .explain("configurations cut short, with 31 parameter sets", "dropped, or the server closes"),
    Case::new("flv/video/nalu-lengths", "Wrong lengths of NAL units do no harm", |t| {
        let head = [0x17, 1, 0, 0, 0];
        let mut long = nal(true, 9, 60);
        long[..4].copy_from_slice(&[0xff; 4]);
        let zero = [&[0; 4][..], &nal(true, 9, 60)].concat();
        let annex_b = [&[0, 0, 0, 1][..], &nal(true, 9, 60)[4..]].concat();
        let bodies = [("length 2^32-1", long), ("length 0", zero), ("Annex B", annex_b)];
        let bodies = bodies.map(|(name, body)| (name, [&head[..], &body].concat()));
        each_published(t, 9, bodies, GO_ON_OR_CLOSE)
    })
    .sections(&["FLV E.4.3.2"])
    .explain("a NAL unit of 4 GiB, of 0 bytes, start codes", "dropped, or the server closes"),
    Case::new("flv/video/composition-time", "Composition times come out as they went in", |t| {
        let frames = [(0, 1), (80, 2), (-40, 3), (-1, 4), (8_388_607, 5)];
        relayed(t, &frames.map(|(cts, mark)| (9, avc_frame(mark == 1, cts, mark, 80))))
    })
    .sections(&["FLV E.4.3.1"])
    .needs(BOTH)
    .explain("pictures with composition times 0, 80, -40, -1 and the longest", "the same bytes"),
    Case::new("flv/video/end-of-sequence", "The end of an AVC sequence does no harm", |t| {
        survives(t, &[(9, vec![0x17, 2, 0, 0, 0]), (9, avc_header(false))])?;
        t.pass()
    })
    .sections(&["FLV E.4.3.1"])
    .may()
    .needs(BOTH)
    .explain("17 02 00 00 00, a new header, media", "the stream goes on"),
    Case::new("flv/video/info-command", "A video info frame is no picture", |t| {
        each_published(t, 9, [("57 00", vec![0x57, 0]), ("57 01", vec![0x57, 1])], GO_ON)
    })
    .sections(&["FLV E.4.3.1"])
    .explain("video 57 00 and 57 01", "the connection goes on"),
    Case::new("flv/script/onmetadata-shape", "onMetaData is a name and an ECMA array", |t| {
        let mut relay = t.relay()?;
        let got = through(t, &mut relay, &[(18, set_data_frame(&metadata(640.0)))])?.got;
        let is_data = |f: &&Frame| f.type_id == MessageType::DATA_AMF0;
        let Some(data) = got.iter().rfind(is_data) else {
            return t.inconclusive("the player gets no metadata");
        };
        let name = text("onMetaData");
        let marker = data.payload.strip_prefix(&name[..]).and_then(|rest| rest.first());
        match marker {
            Some(8) => t.pass(),
            Some(3) => t.nonstrict("an object in place of an ECMA array"),
            _ => t.fail("the player gets another data message"),
        }
    })
    .sections(&["FLV E.4.4", "FLV E.5"])
    .needs(BOTH)
    .explain("@setDataFrame onMetaData with an ECMA array", "onMetaData with an ECMA array"),
    Case::new(
        "flv/script/ffmpeg-short-data",
        "Short data messages are ignored; older FFmpeg sent four zero bytes",
        |t| {
            let short = [("four zeros", vec![0; 4]), ("empty", Vec::new()), ("one byte", vec![2])];
            each_published(t, 18, short, GO_ON)
        },
    )
    .de_facto()
    .explain("data messages 00 00 00 00, of no byte, of one", "the connection goes on"),
    Case::new(
        "flv/av/codec-change-mid-stream",
        "A new codec header is relayed, and kept for later players; nginx-rtmp and SRS agree",
        |t| {
            let mut relay = t.relay()?;
            let (header, frame) = (avc_header(true), avc_frame(true, 0, 0x44, 90));
            let got = through(t, &mut relay, &[(9, header.clone()), (9, frame)])?.got;
            if !got.iter().any(|f| f.payload == header) {
                return t.nonstrict("the new header does not come out");
            }
            let mut late = t.player(&relay.publisher.name)?;
            flows(t, &mut relay.publisher, &mut late, &mut relay.time)?;
            let heads = late.messages().iter().filter(|m| m.payload.starts_with(&[0x17, 0]));
            let newest = heads.last().is_some_and(|m| m.payload[..] == header[..]);
            t.strict_if(newest, "a later player gets the old header")
        },
    )
    .de_facto()
    .needs(BOTH)
    .explain("a second AVC header in mid stream", "it comes out; a later player gets it"),
    Case::new("flv/av/start-timestamp", "A stream may begin at any time", |t| {
        let mut publisher = t.publisher(&t.name())?;
        let (id, mut time) = (publisher.stream_id, 10_000_000);
        publisher.send(media(9, time, &avc_header(false)).on(id));
        publisher.send(Msg::video(time, t.picture("first", true, 150)).on(id));
        t.barrier(&mut publisher, t.timeouts().reply).setup()?;
        let mut player = t.player(&publisher.name.clone())?;
        flows(t, &mut publisher, &mut player, &mut time)?;
        t.pass()
    })
    .sections(&["RTMP 4"])
    .may()
    .needs(BOTH)
    .explain("media from timestamp 10,000,000 on", "it comes out"),
    Case::new(
        "rtmp/aggregate/receive",
        "An aggregate is unpacked or relayed; plain statement of section 7",
        receive_aggregate,
    )
    .sections(&["RTMP 7.1.6"])
    .needs(BOTH)
    .explain("an aggregate of two sounds and two pictures", "all four with their times"),
    Case::new(
        "rtmp/aggregate/malformed",
        "A broken aggregate does no harm; nginx-rtmp and SRS drop it",
        |t| {
            let sound = aac_frame(2, 30);
            let whole = aggregate(&[(8, 40, &sound)]);
            let mut beyond = whole.clone();
            beyond[1] = 0xff;
            let mut pointer = aggregate(&[(8, 40, &sound), (8, 60, &sound)]);
            pointer[11 + sound.len()] = 0x7f;
            let bodies = [
                ("size beyond the end", beyond),
                ("size 0", aggregate(&[(8, 40, &[])])),
                ("aggregate inside", aggregate(&[(22, 40, &whole)])),
                ("wrong back pointer", pointer),
                ("no last back pointer", whole[..whole.len() - 4].to_vec()),
                ("empty", Vec::new()),
                ("cut header", whole[..7].to_vec()),
            ];
            each_published(t, 22, bodies, GO_ON_OR_CLOSE)
        },
    )
    .sections(&["RTMP 7.1.6"])
    .robustness()
    .explain(
        "sizes beyond the end and 0, an aggregate inside, wrong and missing back pointers",
        "dropped, or the server closes",
    ),
];

/// For a late player `header` must come before `frame`.
fn header_before(t: &mut T, type_id: u8, header: Vec<u8>, frame: Vec<u8>) -> Outcome {
    let mut publisher = live(t, &t.name())?;
    let id = publisher.stream_id;
    publisher.send(media(type_id, 0, &header).on(id));
    publisher.send(media(type_id, 40, &frame).on(id));
    t.barrier(&mut publisher, t.timeouts().reply).setup()?;
    let mut player = t.player(&publisher.name)?;
    (2..6).for_each(|n| {
        publisher.send(media(type_id, n * 40, &frame).on(id));
    });
    flows(t, &mut publisher, &mut player, &mut 400).setup()?;
    let first = |player: &Conn, wanted: &dyn Fn(&Message) -> bool| {
        player.messages().iter().filter(|m| m.type_id.0 == type_id).position(wanted)
    };
    let coded = first(&player, &|m| m.payload.get(1) == Some(&1));
    match (first(&player, &|m| m.payload[..] == header[..]), coded) {
        (_, None) => t.inconclusive("no frame reaches the player"),
        (Some(header), Some(coded)) if header < coded => t.pass(),
        (Some(_), _) => t.fail("the sequence header comes after the first frame"),
        (None, _) => t.fail("frames without the sequence header"),
    }
}

fn receive_aggregate(t: &mut T) -> Outcome {
    let mut relay = t.relay()?;
    let time = relay.time + 100;
    let (sounds, pictures) =
        ([1, 2].map(|mark| aac_frame(mark, 40)), [3, 4].map(|mark| avc_frame(true, 0, mark, 90)));
    // Times within an aggregate count from its first part.
    let body = aggregate(&[
        (8, 1000, &sounds[0]),
        (9, 1020, &pictures[0]),
        (8, 1040, &sounds[1]),
        (9, 1080, &pictures[1]),
    ]);
    relay.send(media(22, time, &body));
    let got = match t.collect(&mut relay) {
        Err(stop) if relay.publisher.closed().is_some() => return t.fail(stop.text().to_owned()),
        got => got?,
    };
    if got.iter().any(|f| f.type_id == MessageType::AGGREGATE && f.payload == body) {
        return t.pass();
    }
    let times: Option<Vec<u32>> = [&sounds[0], &pictures[0], &sounds[1], &pictures[1]]
        .iter()
        .map(|part| got.iter().find(|f| f.payload == **part).map(|f| f.timestamp))
        .collect();
    let Some(times) = times else { return t.nonstrict("parts of the aggregate do not come out") };
    let steps: Vec<_> = times.iter().map(|at| at.wrapping_sub(times[0])).collect();
    t.pass_if(steps == [0, 20, 40, 80], format!("times in it 0, 20, 40, 80 come out as {steps:?}"))
}
