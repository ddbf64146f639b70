//! Enhanced RTMP: what a server that knows it must do, and what one that does not must survive.

use super::bytes::{member, num, object, strict, text};
use super::bytes_ex::{FLAC_HEAD, HVCC, OPUS_HEAD, coded, color_info, ex_audio, ex_video, filler};
use super::bytes_ex::{modified, modifier, multitrack, video_start};
use super::support_b::{
    ANY, Answer, GO_ON, GO_ON_OR_CLOSE, accepted, ask, connect, each_published,
};
use super::support_b::{flows, odd_connect, optional, publication, survives};
use crate::conform::{Case, Need, Outcome, Setup, T};
use crate::wire::amf::Value;

const BOTH: &[Need] = &[Need::Publish, Need::Play];
const V2: &[&str] = &["E-RTMP v2"];
const V1: &[&str] = &["E-RTMP v1", "E-RTMP v2"];

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::new(
        "ertmp/connect/fourcclist-accepted",
        "connect with fourCcList is accepted by every server; FFmpeg sends it, SRS, nginx-rtmp and \
         node-media-server take it",
        |t| {
            let codecs = ["av01", "hvc1", "vp09"].map(text).to_vec();
            let lists = [("three", codecs), ("any", vec![text("*")]), ("none", Vec::new())];
            let worst = t.each(lists, |t, list| {
                let body = connect(t, &[], &[member("fourCcList", strict(&list))]);
                accepted(t, body)
            })?;
            let body = connect(t, &[], &[member("fourCcList", text("hvc1"))]);
            Ok(worst.worst(odd_connect(t, body, ANY)?.of("a string")))
        },
    )
    .sections(V1)
    .de_facto()
    .explain("connect with fourCcList of three codecs, *, none; a string", "_result; no wedge"),
    Case::new(
        "ertmp/connect/infomaps-accepted",
        "connect with maps of codecs is accepted by every server; the same servers take it",
        |t| {
            let maps = [
                ("any", vec![member("*", num(4.0))]),
                ("two", vec![member("hvc1", num(1.0)), member("av01", num(7.0))]),
            ];
            t.each(maps, |t, map| {
                let names = ["videoFourCcInfoMap", "audioFourCcInfoMap"];
                let maps = names.map(|name| member(name, object(&map)));
                let body = connect(t, &[], &maps);
                accepted(t, body)
            })
        },
    )
    .sections(V2)
    .de_facto()
    .explain("connect with videoFourCcInfoMap and audioFourCcInfoMap", "_result"),
    Case::new("ertmp/connect/caps-ex", "capsEx in the reply has defined bits only", caps_ex)
        .sections(V2)
        .should()
        .explain("connect with capsEx 15", "no capsEx in the reply, or one of bits 1, 2, 4, 8"),
    Case::new(
        "ertmp/amf3/object-encoding",
        "After objectEncoding 0 only the message types of AMF0 come",
        |t| {
            let mut relay = t.relay()?;
            let mut player = t.connected_with(&[("objectEncoding", Value::Number(0.0))])?;
            t.create_stream(&mut player).setup()?;
            t.play(&mut player, &relay.publisher.name)?;
            flows(t, &mut relay.publisher, &mut player, &mut relay.time)?;
            let other = player.messages().iter().find(|m| matches!(m.type_id.0, 15..=17));
            t.pass_if(other.is_none(), "a message of AMF3 came")
        },
    )
    .sections(V2)
    .needs(BOTH)
    .explain("connect with objectEncoding 0, play", "no message of types 15, 16, 17"),
    Case::new("ertmp/video/hevc-sequence", "HEVC comes out as it went in", |t| {
        video(t, "hvc1", 1, &coded(80, 1, 90))
    })
    .sections(V1)
    .needs(BOTH)
    .explain("sequence start and coded frames of hvc1", "the same bytes"),
    Case::new("ertmp/video/av1", "AV1 comes out as it went in", |t| {
        video(t, "av01", 1, &[&[0x12, 0, 0x32][..], &filler(1, 90)].concat())
    })
    .sections(V1)
    .needs(BOTH)
    .explain("sequence start and coded frames of av01", "the same bytes"),
    Case::new("ertmp/video/vp9", "VP9 comes out as it went in", |t| {
        video(t, "vp09", 1, &[&[0x82, 0x49, 0x83, 0x42][..], &filler(1, 90)].concat())
    })
    .sections(V1)
    .needs(BOTH)
    .explain("sequence start and coded frames of vp09", "the same bytes"),
    Case::new("ertmp/video/avc1-fourcc", "AVC with FourCC comes out as it went in", |t| {
        let timed = video(t, "avc1", 1, &coded(40, 1, 90))?.of("CodedFrames");
        Ok(timed.worst(video(t, "avc1", 3, &coded(0, 1, 90)[3..])?.of("CodedFramesX")))
    })
    .sections(V2)
    .needs(BOTH)
    .explain("sequence start, coded frames with and without time of avc1", "the same bytes"),
    Case::new("ertmp/video/vp8-vvc", "VP8 and VVC come out as they went in", |t| {
        let vp8 = video(t, "vp08", 1, &filler(1, 90))?.of("vp08");
        Ok(vp8.worst(video(t, "vvc1", 1, &coded(40, 1, 90))?.of("vvc1")))
    })
    .sections(V2)
    .needs(BOTH)
    .explain("sequence start and coded frames of vp08 and vvc1", "the same bytes"),
    Case::new("ertmp/video/codedframesx", "Frames without composition time come out", |t| {
        video(t, "hvc1", 3, &coded(0, 1, 90)[3..])
    })
    .sections(V1)
    .needs(BOTH)
    .explain("sequence start and CodedFramesX of hvc1", "the same bytes"),
    Case::new("ertmp/video/sequence-end", "The end of a sequence does no harm", |t| {
        survives(t, &[(9, video_start("hvc1")), (9, ex_video(1, 2, "hvc1", &[]))])?;
        t.pass()
    })
    .sections(V1)
    .needs(BOTH)
    .explain("SequenceStart and SequenceEnd of hvc1, then media", "the stream goes on"),
    Case::new("ertmp/video/unknown-fourcc", "An unknown codec does no harm", |t| {
        let bodies = [("start", 0), ("frames", 1)];
        let bodies = bodies.map(|(name, kind)| (name, ex_video(1, kind, "zzzz", &[1, 2, 3, 4])));
        each_published(t, 9, bodies, ANY)
    })
    .sections(V2)
    .explain("sequence start and coded frames of zzzz", "no wedge"),
    Case::new("ertmp/video/unknown-packet-type", "Reserved packet types do no harm", |t| {
        let bodies = [("8", 8), ("11", 11), ("15", 15)];
        let bodies = bodies.map(|(name, kind)| (name, ex_video(1, kind, "hvc1", &[1, 2, 3, 4])));
        each_published(t, 9, bodies, ANY)
    })
    .sections(V2)
    .explain("packet types 8, 11 and 15", "no wedge"),
    Case::new("ertmp/video/frametype-reserved", "Reserved frame types do no harm", |t| {
        let bodies = [("0", 0), ("6", 6), ("7", 7)];
        let frames =
            bodies.map(|(name, frame)| (name, ex_video(frame, 1, "hvc1", &coded(0, 1, 9))));
        each_published(t, 9, frames, ANY)
    })
    .sections(V2)
    .explain("frame types 0, 6 and 7", "no wedge"),
    Case::new("ertmp/video/command-frame", "A command frame has one byte and no codec", |t| {
        each_published(t, 9, [("D0 00", vec![0xd0, 0]), ("D1 01", vec![0xd1, 1])], GO_ON_OR_CLOSE)
    })
    .sections(V2)
    .explain("video D0 00 and D1 01", "the connection goes on, or closes"),
    Case::new("ertmp/video/truncated-header", "A header cut short does no harm", |t| {
        let cut = [("1 byte", 1), ("2 bytes", 2), ("4 bytes", 4)];
        let cut = cut.map(|(name, len)| (name, b"\x90hvc1"[..len].to_vec()));
        each_published(t, 9, cut, ANY)
    })
    .sections(V1)
    .explain("90; 90 68; 90 68 76 63", "no wedge"),
    Case::new("ertmp/video/metadata-colorinfo", "colorInfo comes out", |t| {
        let frames = [(9, video_start("hvc1")), (9, ex_video(1, 4, "hvc1", &color_info()))];
        optional(t, &frames)
    })
    .sections(V1)
    .needs(BOTH)
    .explain("sequence start and colorInfo of hvc1", "the same bytes"),
    Case::new(
        "ertmp/video/metadata-ignores-frametype",
        "The frame type of a metadata packet means nothing, even 5",
        |t| each_published(t, 9, [("D4", ex_video(5, 4, "hvc1", &color_info()))], GO_ON),
    )
    .sections(V2)
    .explain("video D4 hvc1 and colorInfo", "the connection goes on"),
    Case::new("ertmp/audio/opus", "Opus comes out as it went in", |t| {
        sound(t, "Opus", Some(OPUS_HEAD), &[&[0xfc][..], &filler(1, 60)].concat())
    })
    .sections(V2)
    .needs(BOTH)
    .explain("sequence start and frames of Opus", "the same bytes"),
    Case::new("ertmp/audio/flac", "FLAC comes out as it went in", |t| {
        sound(t, "fLaC", Some(FLAC_HEAD), &[&[0xff, 0xf8][..], &filler(1, 60)].concat())
    })
    .sections(V2)
    .needs(BOTH)
    .explain("sequence start and frames of fLaC", "the same bytes"),
    Case::new("ertmp/audio/ac3-eac3-mp3-aac", "AC-3, E-AC-3, MP3 and AAC come out", |t| {
        let codecs: [(_, Codec); 4] = [
            ("ac-3", ("ac-3", None, &[0x0b, 0x77, 1, 2])),
            ("ec-3", ("ec-3", None, &[0x0b, 0x77, 1, 2])),
            (".mp3", (".mp3", None, &[0xff, 0xfb, 0x90, 0])),
            ("mp4a", ("mp4a", Some(&[0x12, 0x10]), &[0x21, 0x10])),
        ];
        t.each(codecs, |t, (fourcc, head, frame)| sound(t, fourcc, head, frame))
    })
    .sections(V2)
    .needs(BOTH)
    .explain("frames of ac-3, ec-3, .mp3 and mp4a", "the same bytes"),
    Case::new("ertmp/audio/multichannel-config", "A channel layout does no harm", |t| {
        let native = [1, 6, 0, 0, 0, 0x3f];
        let layouts: [&[u8]; 3] = [&native, &[2, 2, 0, 1], &[0, 2]];
        let start = ex_audio(0, "Opus", OPUS_HEAD);
        let bodies = layouts.map(|layout| (8, ex_audio(4, "Opus", layout)));
        survives(t, &[&[(8, start)][..], &bodies].concat())?;
        t.pass()
    })
    .sections(V2)
    .needs(BOTH)
    .explain("native, custom and unspecified layouts of Opus, then media", "the stream goes on"),
    Case::new("ertmp/audio/sequence-end", "The end of a sequence does no harm", |t| {
        survives(t, &[(8, ex_audio(0, "Opus", OPUS_HEAD)), (8, ex_audio(2, "Opus", &[]))])?;
        t.pass()
    })
    .sections(V2)
    .needs(BOTH)
    .explain("SequenceStart and SequenceEnd of Opus, then media", "the stream goes on"),
    Case::new("ertmp/audio/unknown-packet-type", "Reserved packet types do no harm", |t| {
        let bodies = [("3", 3), ("6", 6), ("8", 8), ("15", 15)];
        let bodies = bodies.map(|(name, kind)| (name, ex_audio(kind, "Opus", &[1, 2, 3, 4])));
        each_published(t, 8, bodies, ANY)
    })
    .sections(V2)
    .explain("packet types 3, 6, 8 and 15", "no wedge"),
    Case::new("ertmp/multitrack/onetrack", "One track of several comes out", |t| {
        let first = ex_video(1, 1, "hvc1", &coded(0, 1, 60));
        let second = multitrack(0x96, 0, 1, &[("hvc1", 1, &coded(0, 2, 60))]);
        let start = multitrack(0x96, 0, 0, &[("hvc1", 1, HVCC)]);
        optional(t, &[(9, video_start("hvc1")), (9, start), (9, first), (9, second)])
    })
    .sections(V2)
    .needs(BOTH)
    .explain("hvc1 as usual, and track 1 as OneTrack", "the same bytes"),
    Case::new("ertmp/multitrack/manytracks", "Several tracks of one codec come out", |t| {
        optional(t, &tracks(1, "hvc1"))
    })
    .sections(V2)
    .needs(BOTH)
    .explain("tracks 0 and 1 of hvc1 in one message", "the same bytes"),
    Case::new(
        "ertmp/multitrack/manytracksmanycodecs",
        "Several tracks of several codecs come out",
        |t| optional(t, &tracks(2, "av01")),
    )
    .sections(V2)
    .needs(BOTH)
    .explain("tracks of hvc1 and av01 in one message", "the same bytes"),
    Case::new("ertmp/multitrack/nested-forbidden", "A multitrack within one does no harm", |t| {
        let video = multitrack(0x96, 0, 6, &[("hvc1", 0, &[1, 0, 0, 4, 1, 2, 3, 4])]);
        let sound = multitrack(0x95, 0, 5, &[("Opus", 0, &[1, 0, 0, 4, 1, 2, 3, 4])]);
        let video = each_published(t, 9, [("video", video)], ANY)?;
        Ok(video.worst(each_published(t, 8, [("audio", sound)], ANY)?))
    })
    .sections(V2)
    .explain("inner packet type 6 (video) and 5 (audio)", "no wedge"),
    Case::new("ertmp/multitrack/size-bad", "Wrong sizes of tracks do no harm", |t| {
        let sized =
            |size: [u8; 3]| [b"\x96\x11hvc1\0"[..].to_vec(), size.to_vec(), filler(1, 20)].concat();
        let bodies = [
            ("0", sized([0, 0, 0])),
            ("beyond the message", sized([0, 1, 0])),
            ("16777215", sized([0xff; 3])),
        ];
        each_published(t, 9, bodies, ANY)
    })
    .sections(V2)
    .explain("track sizes 0, beyond the message, FFFFFF", "no wedge"),
    Case::new("ertmp/multitrack/reserved-type", "Reserved kinds of multitrack do no harm", |t| {
        let kinds = [("3", 3), ("9", 9), ("15", 15)];
        let kinds = kinds.map(|(name, kind)| {
            (name, multitrack(0x96, kind, 1, &[("hvc1", 0, &coded(0, 1, 20))]))
        });
        each_published(t, 9, kinds, ANY)
    })
    .sections(V2)
    .explain("multitrack types 3, 9 and 15", "no wedge"),
    Case::new("ertmp/multitrack/process-all", "All tracks of a message come out", |t| {
        let frames: Vec<_> = (0..4).map(|n| coded(0, n, 40)).collect();
        let all: Vec<_> = (0..4).zip(&frames).map(|(id, f)| ("hvc1", id, &f[..])).collect();
        let start: Vec<_> = (0..4).map(|id| ("hvc1", id, HVCC)).collect();
        let messages = [multitrack(0x96, 1, 0, &start), multitrack(0x96, 1, 1, &all)];
        optional(t, &messages.map(|body| (9, body)))
    })
    .sections(V2)
    .needs(BOTH)
    .explain("four tracks of hvc1 in one message", "the same bytes"),
    Case::new("ertmp/modex/nano-offset", "A frame with nanoseconds comes out", |t| {
        let body = modified(&modifier(0, &[0x0f, 0x42, 0x3f], 1), 1);
        optional(t, &[(9, video_start("hvc1")), (9, body)])
    })
    .sections(V2)
    .needs(BOTH)
    .explain("a frame of hvc1 with 999,999 ns", "the same bytes"),
    Case::new("ertmp/modex/size-forms", "Modifiers of every size are skipped", |t| {
        let sizes = [("1", 1), ("255", 255), ("256", 256), ("300", 300), ("65536", 65536)];
        let bodies =
            sizes.map(|(name, size)| (name, modified(&modifier(9, &filler(7, size), 1), 1)));
        each_published(t, 9, bodies, GO_ON_OR_CLOSE)
    })
    .sections(V2)
    .explain("modifiers of 1, 255, 256, 300 and 65,536 bytes", "the connection goes on, or closes"),
    Case::new("ertmp/modex/chained", "Several modifiers in a row are read", |t| {
        let two = [modifier(0, &[0, 0, 1], 7), modifier(0, &[0, 0, 2], 1)].concat();
        each_published(t, 9, [("two", modified(&two, 1))], GO_ON_OR_CLOSE)
    })
    .sections(V2)
    .explain("two modifiers before a frame", "the connection goes on, or closes"),
    Case::new("ertmp/modex/unknown-type", "An unknown modifier is skipped", |t| {
        each_published(t, 9, [("9", modified(&modifier(9, &[1, 2, 3, 4], 1), 1))], GO_ON)
    })
    .sections(V2)
    .explain("a modifier of type 9", "the connection goes on"),
    Case::new("ertmp/modex/truncated", "A modifier beyond the message does no harm", |t| {
        let cut = [("short form", vec![0x97, 200, 1, 2]), ("long form", vec![0x97, 255, 0xff])];
        each_published(t, 9, cut, ANY)
    })
    .sections(V2)
    .explain("modifiers longer than the message", "no wedge"),
];

/// FourCC, body of the sequence start, frame.
type Codec = (&'static str, Option<&'static [u8]>, &'static [u8]);

fn caps_ex(t: &mut T) -> Outcome {
    let body = connect(t, &[], &[member("capsEx", num(15.0))]);
    let reply = match ask(t, body)?.1 {
        Answer::Result(reply) => reply,
        other => return t.fail(format!("connect: {}", other.words())),
    };
    let objects: Vec<_> = reply.arguments.iter().chain(&reply.object).collect();
    let caps = objects.iter().find_map(|o| o.get("capsEx")?.as_number());
    t.note(match caps {
        Some(caps) => format!("capsEx {caps} in the reply"),
        None => "no capsEx in the reply".to_owned(),
    });
    let defined = caps.is_none_or(|caps| (0.0..16.0).contains(&caps) && caps.fract() == 0.0);
    t.strict_if(defined, "capsEx with undefined bits")
}

/// A publication of a video codec alone: sequence start, then coded key frames.
fn video(t: &mut T, fourcc: &str, packet: u8, body: &[u8]) -> Outcome {
    let frame = |n: u8| [&ex_video(1, packet, fourcc, body)[..], &[n]].concat();
    publication(t, 9, Some(video_start(fourcc)), frame)
}

/// A publication of an audio codec: sequence start, if the codec has one, then frames.
fn sound(t: &mut T, fourcc: &str, head: Option<&[u8]>, body: &[u8]) -> Outcome {
    let frame = |n: u8| [&ex_audio(1, fourcc, body)[..], &[n]].concat();
    publication(t, 8, head.map(|head| ex_audio(0, fourcc, head)), frame)
}

/// Sequence start and a frame of two tracks in one message, the second of the codec `other`.
fn tracks(layout: u8, other: &str) -> [(u8, Vec<u8>); 2] {
    let start = video_start(other)[5..].to_vec();
    let (one, two) = (coded(0, 1, 50), coded(0, 2, 70));
    let starts = multitrack(0x96, layout, 0, &[("hvc1", 0, HVCC), (other, 1, &start)]);
    [starts, multitrack(0x96, layout, 1, &[("hvc1", 0, &one), (other, 1, &two)])]
        .map(|body| (9, body))
}
