//! Faults with FLV bodies and aggregates.

use super::defect::{Defect, Flag, flag, ignore, output, reading, wedge};
use super::seen::Seen;
use crate::peer::server::connection::Sending;
use crate::wire::message::{Body, MessageType};

pub(super) const ROWS: &[Defect] = &[
    output(
        "media/reserved-sound-format",
        "relays audio as sound format 12",
        &["flv/audio/header-byte"],
        |s| first_byte(s, MessageType::AUDIO, |byte| byte & 0x0f | 0xc0),
    ),
    output(
        "media/aac-header-lost",
        "relays no AAC header",
        &["flv/audio/aac-sequence-first", "rtmp/play/sequence-headers-first"],
        |s| s.type_id != MessageType::AUDIO || !s.raw_starts(&[0xaf, 0]),
    ),
    output(
        "media/avc-header-lost",
        "relays no AVC header",
        &["flv/video/avc-sequence-first", "rtmp/play/sequence-headers-first"],
        |s| s.type_id != MessageType::VIDEO || !s.raw_starts(&[0x17, 0]),
    ),
    output(
        "media/avc-header-no-key",
        "marks the AVC header as an inter frame",
        &["flv/video/avc-sequence-first"],
        |s| {
            if s.type_id == MessageType::VIDEO && s.raw_starts(&[0x17, 0]) {
                s.change_raw(|bytes| bytes[0] = 0x27);
            }
            true
        },
    ),
    output("media/reserved-codec", "relays video as codec 9", &["flv/video/header-byte"], |s| {
        first_byte(s, MessageType::VIDEO, |byte| byte & 0xf0 | 9)
    }),
    wedge(
        "media/silence-wedges",
        "is stuck at audio without payload",
        &["flv/audio/silence", "rtmp/chunk/zero-length-message"],
        |s| s.is(MessageType::AUDIO) && s.message.length == 0,
    ),
    wedge(
        "media/short-avc-wedges",
        "is stuck at AVC with less than five bytes",
        &["flv/video/avc-header-min-size"],
        |s| s.is(MessageType::VIDEO) && (1..5).contains(&s.message.length) && avc(s),
    ),
    wedge(
        "media/bad-avc-configuration-wedges",
        "is stuck at a damaged AVC configuration",
        &["flv/video/avcc-valid"],
        |s| (s.starts(&[0x17, 0]) && s.message.length >= 5) && s.stop().is_some(),
    ),
    wedge(
        "media/bad-nal-length-wedges",
        "is stuck at a NAL unit that is longer than its message",
        &["flv/video/nalu-lengths"],
        |s| {
            let payload = &s.message.payload;
            let nal = payload.get(5..9).and_then(|b| b.first_chunk::<4>());
            let long = nal.is_some_and(|n| u32::from_be_bytes(*n) as usize > payload.len());
            let annex_b = payload.get(5..9) == Some(&[0, 0, 0, 1]);
            avc(s) && payload.get(1) == Some(&1) && (long || annex_b)
        },
    ),
    output(
        "media/composition-time-lost",
        "writes 0 for the composition time",
        &["flv/video/composition-time"],
        |s| {
            if s.type_id == MessageType::VIDEO
                && (s.raw_starts(&[0x17, 1]) || s.raw_starts(&[0x27, 1]))
            {
                s.change_raw(|bytes| {
                    if let [_, _, a, b, c, ..] = bytes {
                        (*a, *b, *c) = (0, 0, 0);
                    }
                });
            }
            true
        },
    ),
    wedge(
        "media/end-of-sequence-wedges",
        "is stuck at an AVC end of sequence",
        &["flv/video/end-of-sequence"],
        |s| avc(s) && s.message.payload.get(1) == Some(&2),
    ),
    wedge(
        "media/info-frame-wedges",
        "is stuck at a video command frame",
        &["flv/video/info-command"],
        |s| s.video().is_some_and(|tag| tag.frame_type == 5 && !tag.enhanced),
    ),
    output(
        "media/metadata-renamed",
        "relays metadata under another name",
        &["flv/script/onmetadata-shape"],
        |s| {
            if s.type_id == MessageType::DATA_AMF0 {
                s.change_raw(|bytes| {
                    if let Some(name) = bytes.get_mut(3..13)
                        && name == b"onMetaData"
                    {
                        name.copy_from_slice(b"onTextData");
                    }
                });
            }
            true
        },
    ),
    wedge(
        "media/short-data-wedges",
        "is stuck at a data message without a name",
        &["flv/script/ffmpeg-short-data", "quirk/uniview-stray-numbers"],
        |s| s.data().is_some_and(|data| data.name().is_none()),
    ),
    flag(
        "media/first-header-stays",
        "gives late players the first codec header of a stream",
        &["flv/av/codec-change-mid-stream"],
        Flag::FirstConfigStays,
    ),
    ignore(
        "media/late-start-lost",
        "loses media with timestamps from 5,000,000 on",
        &["flv/av/start-timestamp"],
        |s| s.is_media() && (5_000_000..0x1000_0000).contains(&s.message.timestamp),
    ),
    flag(
        "media/aggregate-ignored",
        "ignores aggregates",
        &["rtmp/aggregate/receive"],
        Flag::AggregateIgnored,
    ),
    reading(
        "media/aggregate-at-once",
        "gives all that is in an aggregate its own time",
        &["rtmp/aggregate/receive"],
        |message, _| {
            if let Body::Aggregate(parts) = &mut message.body {
                parts.iter_mut().for_each(|part| part.timestamp = 0);
            }
        },
    ),
    wedge(
        "media/bad-aggregate-wedges",
        "is stuck at a damaged aggregate",
        &["rtmp/aggregate/malformed"],
        |s| s.is(MessageType::AGGREGATE) && s.stop().is_some(),
    ),
];

/// Legacy AVC.
fn avc(s: &Seen<'_>) -> bool {
    s.is(MessageType::VIDEO) && s.message.payload.first().is_some_and(|b| b & 0x8f == 7)
}

fn first_byte(s: &mut Sending, type_id: MessageType, change: fn(u8) -> u8) -> bool {
    if s.type_id == type_id {
        s.change_raw(|bytes| {
            if let Some(first) = bytes.first_mut() {
                *first = change(*first);
            }
        });
    }
    true
}
