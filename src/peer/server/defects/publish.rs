//! Faults of publishing.

use super::connect::astray;
use super::defect::{Defect, Flag, Reaction, flag, ignore, on, output, wedge};
use crate::wire::amf::Value;

pub(super) const ROWS: &[Defect] = &[
    output("publish/silent", "does not say Publish.Start", &["rtmp/publish/start"], |s| {
        !s.is_status("NetStream.Publish.Start") || s.stream_id == 0
    }),
    output(
        "publish/status-on-stream-0",
        "tells the status of a stream on message stream 0",
        &["rtmp/publish/onstatus-shape", "rtmp/play/msid-of-media"],
        |s| {
            if s.is_call("onStatus") {
                s.stream_id = 0;
            }
            true
        },
    ),
    output(
        "publish/status-with-transaction",
        "tells statuses with transaction id 5",
        &["rtmp/publish/onstatus-shape"],
        |s| {
            if s.is_call("onStatus")
                && let Some(command) = s.command_mut()
            {
                command.transaction_id = Some(5.0);
            }
            true
        },
    ),
    output(
        "publish/status-without-level",
        "tells statuses without a level",
        &["rtmp/publish/onstatus-shape"],
        |s| {
            if s.is_call("onStatus") {
                s.drop_info("level");
            }
            true
        },
    ),
    ignore(
        "publish/transaction-must-be-0",
        "ignores publish with a transaction id",
        &["rtmp/publish/txn-nonzero"],
        |s| s.command("publish").is_some_and(|c| c.transaction_id != Some(0.0)),
    ),
    ignore(
        "publish/type-must-be-told",
        "ignores publish without a type",
        &["rtmp/publish/type-omitted"],
        |s| s.command("publish").is_some_and(|c| c.arguments.len() < 2),
    ),
    wedge(
        "publish/invalid-type-wedges",
        "is stuck at publish with an unknown type",
        &["rtmp/publish/type-invalid"],
        |s| match s.argument("publish", 1) {
            None => false,
            Some(Value::String(kind)) => !["live", "record", "append"].iter().any(|k| kind == k),
            Some(_) => true,
        },
    ),
    wedge(
        "publish/record-wedges",
        "is stuck at publish as record or append",
        &["rtmp/publish/record-append"],
        |s| s.text("publish", 1).is_some_and(|kind| kind == b"record" || kind == b"append"),
    ),
    flag(
        "publish/query-is-name",
        "takes the query for a part of the name",
        &["rtmp/publish/name-with-query"],
        Flag::QueryIsName,
    ),
    wedge(
        "publish/empty-name-wedges",
        "is stuck at publish without a name",
        &["rtmp/publish/empty-name"],
        |s| s.text("publish", 0).is_some_and(<[u8]>::is_empty),
    ),
    wedge(
        "publish/odd-name-wedges",
        "is stuck at a name that is a path, holds a NUL or is long",
        &["rtmp/publish/path-traversal-name"],
        |s| {
            s.text("publish", 0).is_some_and(|name| {
                name.windows(2).any(|pair| pair == b"..")
                    || name.iter().any(u8::is_ascii_control)
                    || name.len() > 1000
            })
        },
    ),
    on(
        Reaction::Panic,
        "publish/odd-name-panics",
        "dies of a name that is a path",
        &["rtmp/publish/path-traversal-name"],
        |s| {
            let name = s.text("publish", 0);
            name.is_some_and(|name| name.windows(3).any(|part| part == b"../"))
        },
    ),
    flag(
        "publish/names-are-shared",
        "lets everybody publish a name and mixes what comes",
        &["rtmp/publish/duplicate-name", "robust/name/concurrency-race"],
        Flag::NamesAreShared,
    ),
    flag(
        "publish/name-stays-taken",
        "frees a name only when the connection ends",
        &["rtmp/publish/republish-after-close"],
        Flag::DeleteKeepsName,
    ),
    flag(
        "publish/name-outlives-connection",
        "keeps a name taken when the connection ends",
        &["rtmp/publish/abrupt-disconnect", "robust/tcp/half-close"],
        Flag::HangUpKeepsName,
    ),
    flag(
        "publish/fcunpublish-keeps-name",
        "does nothing at FCUnpublish and deleteStream",
        &["rtmp/publish/fcunpublish", "rtmp/publish/republish-after-close"],
        Flag::FcUnpublishKeeps,
    ),
    wedge(
        "publish/stream-not-created-wedges",
        "is stuck at publish on a stream that was not created",
        &["rtmp/publish/stream-not-created"],
        |s| astray(s, "publish") && s.stream() != 0,
    ),
    flag(
        "publish/any-stream-publishes",
        "lets any message stream publish, and takes media from all of them",
        &["rtmp/publish/stream-not-created", "robust/message/unknown-msid-media"],
        Flag::AnyStreamPublishes,
    ),
    flag(
        "publish/early-media-relayed",
        "keeps media that comes before publish",
        &["rtmp/publish/media-before-publish"],
        Flag::EarlyMediaRelayed,
    ),
    on(
        Reaction::LoseRest,
        "publish/pipelined-media-lost",
        "loses what comes in one segment with publish",
        &["rtmp/publish/pipelined-media"],
        |s| s.is_command("publish"),
    ),
    flag(
        "publish/data-frame-prefix-kept",
        "relays @setDataFrame with the metadata",
        &["rtmp/publish/metadata-setdataframe"],
        Flag::KeepsDataFramePrefix,
    ),
    ignore(
        "publish/metadata-lost",
        "relays no metadata",
        &["rtmp/publish/metadata-setdataframe"],
        |s| s.data().is_some(),
    ),
    flag(
        "publish/plain-metadata-lost",
        "relays metadata only with @setDataFrame",
        &["rtmp/publish/metadata-plain"],
        Flag::PlainMetadataLost,
    ),
    flag(
        "publish/first-metadata-stays",
        "gives late players the first metadata of a stream",
        &["rtmp/publish/second-metadata"],
        Flag::FirstMetadataStays,
    ),
    wedge(
        "publish/on-stream-0-wedges",
        "is stuck at publish on message stream 0",
        &["rtmp/publish/command-on-msid0"],
        |s| s.is_command("publish") && s.stream() == 0,
    ),
    wedge(
        "publish/second-stream-wedges",
        "is stuck when a connection publishes twice",
        &["rtmp/publish/two-streams-one-connection"],
        |s| s.publishes && s.is_command("publish"),
    ),
];
