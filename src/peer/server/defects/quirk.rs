//! Faults with byte patterns of real programs.

use super::defect::{Defect, Reaction, damage, ignore, on, wedge};
use super::seen::Seen;
use crate::rtmp::AnomalyKind;
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

pub(super) const ROWS: &[Defect] = &[
    wedge(
        "quirk/chunk-size-before-connect-wedges",
        "is stuck at Set Chunk Size before connect",
        &["quirk/obs-publish"],
        |s| !s.connected && s.is(MessageType::SET_CHUNK_SIZE),
    ),
    wedge(
        "quirk/chunk-size-fmt1-wedges",
        "is stuck at Set Chunk Size with a header of type 1",
        &["quirk/gstreamer-publish"],
        |s| s.is(MessageType::SET_CHUNK_SIZE) && s.message.fmt == 1,
    ),
    wedge("quirk/checkbw-wedges", "is stuck at _checkbw", &["quirk/rtmpdump-play"], |s| {
        s.is_command("_checkbw")
    }),
    damage(
        Reaction::Wedge,
        "quirk/no-extended-timestamp-wedges",
        "is stuck when chunks of type 3 leave out the extended timestamp",
        &["quirk/librtmp-no-extended-timestamp"],
        |a| a.kind == AnomalyKind::ExtendedTimestampOmitted,
    ),
    damage(
        Reaction::Wedge,
        "quirk/other-extended-timestamp-wedges",
        "is stuck when chunks of type 3 have another extended timestamp",
        &["quirk/gortmplib-zero-extended-timestamp"],
        |a| a.kind == AnomalyKind::ExtendedTimestampDiffers,
    ),
    wedge(
        "quirk/metadata-object-wedges",
        "is stuck at metadata in an object",
        &["quirk/metadata-object"],
        |s| s.data().is_some_and(|d| d.values.iter().any(|v| matches!(v, Value::Object { .. }))),
    ),
    wedge(
        "quirk/data-amf3-wedges",
        "is stuck at data messages of type 15",
        &["quirk/metadata-type-15"],
        |s| s.is(MessageType::DATA_AMF3),
    ),
    wedge(
        "quirk/timed-data-wedges",
        "is stuck at data that is no metadata",
        &["quirk/timed-data"],
        |s| {
            let name = s.data().and_then(|data| data.name());
            name.is_some_and(|name| *name != "onMetaData" && *name != "@setDataFrame")
        },
    ),
    wedge(
        "quirk/empty-avc-header-wedges",
        "is stuck at an AVC header without a record",
        &["quirk/empty-avc-configuration"],
        |s| s.is(MessageType::VIDEO) && s.starts(&[0x17, 0]) && s.message.length == 5,
    ),
    wedge(
        "quirk/empty-aac-header-wedges",
        "is stuck at an AAC header without a record",
        &["quirk/empty-aac-configuration"],
        |s| s.is(MessageType::AUDIO) && s.starts(&[0xaf, 0]) && s.message.length == 2,
    ),
    wedge(
        "quirk/second-header-wedges",
        "is stuck at an AVC header after pictures",
        &["quirk/repeated-headers", "flv/av/codec-change-mid-stream"],
        |s| {
            let header = s.is(MessageType::VIDEO) && s.starts(&[0x17, 0]);
            header && s.history.count(MessageType::VIDEO) > 1
        },
    ),
    ignore(
        "quirk/late-video-lost",
        "loses pictures that come after 50 messages of sound",
        &["quirk/sound-before-pictures"],
        |s| s.is(MessageType::VIDEO) && s.history.count(MessageType::AUDIO) > 50,
    ),
    on(
        Reaction::Panic,
        "quirk/negative-start-panics",
        "dies when media begins below zero",
        &["quirk/negative-first-timestamp"],
        |s| {
            let first = s.history.count(MessageType::VIDEO) == 0;
            s.is(MessageType::VIDEO) && first && s.message.timestamp >= 1 << 31
        },
    ),
    wedge(
        "quirk/codec-id-12-wedges",
        "is stuck at HEVC as codec 12",
        &["quirk/hevc-codec-id-12"],
        |s| s.video().is_some_and(|tag| tag.codec_id == Some(12)),
    ),
    ignore(
        "quirk/case-counts",
        "does not answer a connect with tcurl in small letters",
        &["quirk/lower-case-names"],
        |s| s.connect().is_some_and(|o| o.properties().iter().any(|p| p.name == "tcurl")),
    ),
    ignore(
        "quirk/app-as-it-is",
        "does not answer a connect whose application has a slash or a query",
        &["quirk/application-with-extras"],
        odd_app,
    ),
    wedge(
        "quirk/acknowledgements-wedge",
        "is stuck after 10,000 acknowledgements",
        &["quirk/acknowledgement-flood"],
        |s| {
            let type_id = MessageType::ACKNOWLEDGEMENT;
            s.is(type_id) && s.history.count(type_id) > 10_000
        },
    ),
];

fn odd_app(s: &Seen<'_>) -> bool {
    let app = s.connect().and_then(|object| object.get("app")?.as_text());
    app.is_some_and(|app| app.0.iter().any(|byte| matches!(byte, b'/' | b'?')))
}
