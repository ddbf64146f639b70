//! Faults with Enhanced RTMP.

use super::defect::{Defect, ignore, output, wedge};
use super::seen::Seen;
use crate::peer::server::connection::Sending;
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

pub(super) const ROWS: &[Defect] = &[
    ignore(
        "ertmp/fourcc-list-refused",
        "does not answer a connect with fourCcList",
        &["ertmp/connect/fourcclist-accepted"],
        |s| s.connect().is_some_and(|o| o.get("fourCcList").is_some()),
    ),
    ignore(
        "ertmp/info-maps-refused",
        "does not answer a connect with codec maps",
        &["ertmp/connect/infomaps-accepted"],
        |s| s.connect().is_some_and(|o| o.get("videoFourCcInfoMap").is_some()),
    ),
    output(
        "ertmp/undefined-caps",
        "answers capsEx with bits that nobody defined",
        &["ertmp/connect/caps-ex"],
        |s| {
            s.change_info("NetConnection.Connect.Success", "capsEx", |value| {
                *value = Value::Number(255.0);
            })
        },
    ),
    output("ertmp/hevc-damaged", "damages HEVC", &["ertmp/video/hevc-sequence"], |s| {
        damage_fourcc(s, &[b"hvc1"])
    }),
    output("ertmp/av1-damaged", "damages AV1", &["ertmp/video/av1"], |s| {
        damage_fourcc(s, &[b"av01"])
    }),
    output("ertmp/vp9-damaged", "damages VP9", &["ertmp/video/vp9"], |s| {
        damage_fourcc(s, &[b"vp09"])
    }),
    output("ertmp/avc1-damaged", "damages AVC with a FourCC", &["ertmp/video/avc1-fourcc"], |s| {
        damage_fourcc(s, &[b"avc1"])
    }),
    output("ertmp/vp8-vvc-damaged", "damages VP8 and VVC", &["ertmp/video/vp8-vvc"], |s| {
        damage_fourcc(s, &[b"vp08", b"vvc1"])
    }),
    output("ertmp/opus-damaged", "damages Opus", &["ertmp/audio/opus"], |s| {
        damage_fourcc(s, &[b"Opus"])
    }),
    output("ertmp/flac-damaged", "damages FLAC", &["ertmp/audio/flac"], |s| {
        damage_fourcc(s, &[b"fLaC"])
    }),
    output(
        "ertmp/ac3-mp3-aac-damaged",
        "damages AC-3, Enhanced AC-3, MP3 and AAC with a FourCC",
        &["ertmp/audio/ac3-eac3-mp3-aac"],
        |s| damage_fourcc(s, &[b"ac-3", b"ec-3", b".mp3", b"mp4a"]),
    ),
    output(
        "ertmp/coded-frames-x-damaged",
        "damages coded frames without composition time",
        &["ertmp/video/codedframesx"],
        |s| {
            if s.type_id == MessageType::VIDEO && s.raw_first().is_some_and(|b| b & 0x8f == 0x83) {
                s.change_raw(flip_middle);
            }
            true
        },
    ),
    wedge(
        "ertmp/sequence-end-wedges",
        "is stuck at a sequence end of video",
        &["ertmp/video/sequence-end"],
        |s| video(s, |tag, _| tag == 2),
    ),
    wedge(
        "ertmp/unknown-fourcc-wedges",
        "is stuck at a FourCC that nobody defined",
        &["ertmp/video/unknown-fourcc"],
        |s| {
            let unknown = |t: &crate::wire::flv::Track| {
                t.fourcc.is_some_and(|fourcc| !fourcc.is_video() && !fourcc.is_audio())
            };
            s.video().is_some_and(|tag| tag.enhanced && tag.tracks.iter().any(unknown))
        },
    ),
    wedge(
        "ertmp/unknown-packet-type-wedges",
        "is stuck at packet types of video from 8 on",
        &["ertmp/video/unknown-packet-type"],
        |s| video(s, |packet, _| packet >= 8),
    ),
    wedge(
        "ertmp/reserved-frame-type-wedges",
        "is stuck at the frame types 0, 6 and 7",
        &["ertmp/video/frametype-reserved"],
        |s| video(s, |packet, frame| packet != 4 && matches!(frame, 0 | 6 | 7)),
    ),
    wedge(
        "ertmp/command-frame-wedges",
        "is stuck at a command frame",
        &["ertmp/video/command-frame"],
        |s| video(s, |packet, frame| packet != 4 && frame == 5),
    ),
    wedge(
        "ertmp/truncated-header-wedges",
        "is stuck at an Enhanced header of less than five bytes",
        &["ertmp/video/truncated-header"],
        |s| s.message.length < 5 && video(s, |_, frame| frame != 5),
    ),
    output(
        "ertmp/metadata-lost",
        "relays no metadata frames",
        &["ertmp/video/metadata-colorinfo"],
        |s| s.type_id != MessageType::VIDEO || s.raw_first().is_none_or(|b| b & 0x8f != 0x84),
    ),
    wedge(
        "ertmp/metadata-frame-type-counts",
        "is stuck at metadata with frame type 5",
        &["ertmp/video/metadata-ignores-frametype"],
        |s| video(s, |packet, frame| packet == 4 && frame == 5),
    ),
    wedge(
        "ertmp/multichannel-wedges",
        "is stuck at a multichannel configuration",
        &["ertmp/audio/multichannel-config"],
        |s| audio(s, |packet| packet == 4),
    ),
    wedge(
        "ertmp/audio-sequence-end-wedges",
        "is stuck at a sequence end of audio",
        &["ertmp/audio/sequence-end"],
        |s| audio(s, |packet| packet == 2),
    ),
    wedge(
        "ertmp/unknown-audio-packet-type-wedges",
        "is stuck at unknown packet types of audio",
        &["ertmp/audio/unknown-packet-type"],
        |s| audio(s, |packet| matches!(packet, 3 | 6 | 8..)),
    ),
    output(
        "ertmp/one-track-damaged",
        "damages messages of one track",
        &["ertmp/multitrack/onetrack"],
        |s| damage_layout(s, 0),
    ),
    output(
        "ertmp/many-tracks-damaged",
        "damages messages of many tracks",
        &["ertmp/multitrack/manytracks", "ertmp/multitrack/process-all"],
        |s| damage_layout(s, 1),
    ),
    output(
        "ertmp/many-codecs-damaged",
        "damages messages of many tracks and codecs",
        &["ertmp/multitrack/manytracksmanycodecs"],
        |s| damage_layout(s, 2),
    ),
    wedge(
        "ertmp/nested-multitrack-wedges",
        "is stuck at multitrack within multitrack",
        &["ertmp/multitrack/nested-forbidden"],
        |s| {
            let inner = if s.is(MessageType::VIDEO) { 6 } else { 5 };
            layout(&s.message.payload, s.message.type_id).is_some_and(|byte| byte & 15 == inner)
        },
    ),
    wedge(
        "ertmp/bad-track-size-wedges",
        "is stuck at a track that is empty or longer than its message",
        &["ertmp/multitrack/size-bad"],
        |s| {
            let many = layout(&s.message.payload, s.message.type_id).is_some_and(|b| b >> 4 != 0);
            let empty = |t: &crate::wire::flv::Track| t.range.is_empty();
            let tracks = s.video().map(|tag| &tag.tracks).or(s.audio().map(|tag| &tag.tracks));
            many && (s.stop().is_some() || tracks.is_some_and(|tracks| tracks.iter().any(empty)))
        },
    ),
    wedge(
        "ertmp/reserved-layout-wedges",
        "is stuck at multitrack layouts from 3 on",
        &["ertmp/multitrack/reserved-type"],
        |s| layout(&s.message.payload, s.message.type_id).is_some_and(|byte| byte >> 4 > 2),
    ),
    wedge(
        "ertmp/nano-offset-wedges",
        "is stuck at a nanosecond offset",
        &["ertmp/modex/nano-offset"],
        |s| mod_ex(s) && s.message.payload.get(1) == Some(&2),
    ),
    wedge(
        "ertmp/long-modex-wedges",
        "is stuck at a ModEx of 255 bytes and more",
        &["ertmp/modex/size-forms"],
        |s| mod_ex(s) && s.message.payload.get(1).is_some_and(|size| *size >= 254),
    ),
    wedge(
        "ertmp/chained-modex-wedges",
        "is stuck at a second ModEx",
        &["ertmp/modex/chained"],
        |s| {
            s.video().is_some_and(|t| t.mod_ex.len() > 1)
                || s.audio().is_some_and(|t| t.mod_ex.len() > 1)
        },
    ),
    wedge(
        "ertmp/unknown-modex-wedges",
        "is stuck at an unknown ModEx",
        &["ertmp/modex/unknown-type"],
        |s| {
            let unknown = |m: &crate::wire::flv::ModEx| m.kind != 0;
            s.video().is_some_and(|t| t.mod_ex.iter().any(unknown))
                || s.audio().is_some_and(|t| t.mod_ex.iter().any(unknown))
        },
    ),
    wedge(
        "ertmp/truncated-modex-wedges",
        "is stuck at a ModEx that is longer than its message",
        &["ertmp/modex/truncated"],
        |s| mod_ex(s) && s.stop().is_some(),
    ),
    output(
        "ertmp/amf3-statuses",
        "tells statuses as type 17 whatever encoding was agreed",
        &["ertmp/amf3/object-encoding"],
        |s| {
            if s.is_call("onStatus") {
                s.type_id = MessageType::COMMAND_AMF3;
            }
            true
        },
    ),
];

/// Whether a video message has an Enhanced header with such packet and frame types.
fn video(s: &Seen<'_>, like: fn(u8, u8) -> bool) -> bool {
    let first = s.message.payload.first();
    s.is(MessageType::VIDEO)
        && first.is_some_and(|byte| byte & 0x80 != 0 && like(byte & 15, byte >> 4 & 7))
}

/// Whether an audio message has an Enhanced header with such a packet type.
fn audio(s: &Seen<'_>, like: fn(u8) -> bool) -> bool {
    let first = s.message.payload.first();
    s.is(MessageType::AUDIO) && first.is_some_and(|byte| byte >> 4 == 9 && like(byte & 15))
}

fn mod_ex(s: &Seen<'_>) -> bool {
    video(s, |packet, _| packet == 7) || audio(s, |packet| packet == 7)
}

/// The byte of a multitrack message that says its layout and packet type.
fn layout(payload: &[u8], type_id: MessageType) -> Option<u8> {
    let first = payload.first()?;
    let multitrack = match type_id {
        MessageType::VIDEO => first & 0x8f == 0x86,
        MessageType::AUDIO => *first == 0x95,
        _ => false,
    };
    payload.get(1).copied().filter(|_| multitrack)
}

fn damage_fourcc(s: &mut Sending, codes: &[&[u8; 4]]) -> bool {
    let named = |bytes: &[u8]| bytes.get(1..5).is_some_and(|b| codes.iter().any(|c| b == *c));
    let enhanced = match (s.type_id, s.raw_first()) {
        (MessageType::VIDEO, Some(first)) => first & 0x80 != 0,
        (MessageType::AUDIO, Some(first)) => first >> 4 == 9,
        _ => false,
    };
    if enhanced && s.raw_bytes().is_some_and(named) {
        s.change_raw(flip_middle);
    }
    true
}

fn damage_layout(s: &mut Sending, wanted: u8) -> bool {
    let found = s.raw_bytes().and_then(|bytes| layout(bytes, s.type_id));
    if found.is_some_and(|byte| byte >> 4 == wanted) {
        s.change_raw(flip_middle);
    }
    true
}

fn flip_middle(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}
