//! Faults of NetConnection.

use super::defect::{Defect, Flag, Reaction, flag, ignore, on, output, wedge};
use super::seen::Seen;
use crate::peer::server::connection::Sending;
use crate::wire::amf::{Text, Value};

/// Names that a command of clients has on this server.
const METHODS: &[&str] = &[
    "connect",
    "createStream",
    "deleteStream",
    "closeStream",
    "close",
    "releaseStream",
    "FCPublish",
    "FCUnpublish",
    "FCSubscribe",
    "FCUnsubscribe",
    "getStreamLength",
    "_checkbw",
    "publish",
    "play",
    "play2",
    "pause",
    "pauseRaw",
    "seek",
    "receiveAudio",
    "receiveVideo",
    "_result",
    "_error",
    "onStatus",
    "",
];

pub(super) const ROWS: &[Defect] = &[
    output(
        "connect/wrong-code",
        "answers connect with another code",
        &["rtmp/connect/success"],
        |s| {
            s.change_info("NetConnection.Connect.Success", "code", |value| {
                *value = Value::string("NetConnection.Connect.Ok");
            })
        },
    ),
    output("connect/silent", "does not answer connect", &["rtmp/connect/success"], |s| {
        !s.is_status("NetConnection.Connect.Success")
    }),
    output(
        "connect/wrong-transaction",
        "answers connect with the next transaction id",
        &["rtmp/connect/txn-echo"],
        |s| {
            if s.is_status("NetConnection.Connect.Success")
                && let Some(command) = s.command_mut()
            {
                command.transaction_id = command.transaction_id.map(|id| id + 1.0);
            }
            true
        },
    ),
    output(
        "connect/no-level",
        "answers connect without a level",
        &["rtmp/connect/info-fields", "rtmp/connect/success"],
        |s| {
            if s.is_status("NetConnection.Connect.Success") {
                s.drop_info("level");
            }
            true
        },
    ),
    output(
        "connect/no-description",
        "answers connect without a description",
        &["rtmp/connect/info-fields"],
        |s| {
            if s.is_status("NetConnection.Connect.Success") {
                s.drop_info("description");
            }
            true
        },
    ),
    output("connect/no-version", "answers connect without fmsVer", &["rtmp/connect/fmsver"], |s| {
        if let Some(Value::Object { properties, .. }) =
            s.reply_mut().and_then(|command| command.object.as_mut())
        {
            properties.retain(|p| p.name != "fmsVer");
        }
        true
    }),
    flag(
        "connect/invalid-app-silent",
        "closes without a word when the application does not exist",
        &["rtmp/connect/invalid-app"],
        Flag::InvalidAppClosesSilently,
    ),
    wedge(
        "connect/missing-app-wedges",
        "is stuck at a connect without application or URL",
        &["rtmp/connect/missing-app"],
        |s| {
            let text = |name| s.connect().and_then(|o| o.get(name)?.as_text().map(|t| t.0.len()));
            s.is_command("connect")
                && (matches!(text("app"), None | Some(0)) || text("tcUrl").is_none())
        },
    ),
    flag(
        "connect/window-after-result",
        "announces its window after the answer to connect",
        &["rtmp/control/server-sends-winack-peerbw", "rtmp/connect/reply-order"],
        Flag::WindowAfterResult,
    ),
    output(
        "connect/replies-on-stream-1",
        "answers on message stream 1",
        &["rtmp/connect/reply-msid0"],
        |s| {
            if s.reply_mut().is_some() {
                s.stream_id = 1;
            }
            true
        },
    ),
    wedge("connect/twice-wedges", "is stuck at a second connect", &["rtmp/connect/twice"], |s| {
        s.connected && s.is_command("connect")
    }),
    flag(
        "connect/not-needed",
        "lets clients publish and play without connect",
        &["rtmp/connect/before-other-commands"],
        Flag::CommandsBeforeConnect,
    ),
    wedge(
        "connect/odd-url-wedges",
        "is stuck at a URL without port, with a query or with an IPv6 address",
        &["rtmp/connect/tcurl-forms"],
        |s| {
            let url = s.connect().and_then(|o| o.get("tcUrl")?.as_text());
            url.is_some_and(|url| odd_url(&url.lossy()))
        },
    ),
    wedge(
        "connect/long-values-wedge",
        "is stuck at a connect with values of more than 1000 bytes",
        &["rtmp/connect/long-values"],
        |s| s.connect_has(|v| v.as_text().is_some_and(|text| text.0.len() > 1000)),
    ),
    ignore(
        "connect/arguments-refused",
        "does not answer a connect with arguments",
        &["rtmp/connect/user-arguments"],
        |s| s.argument("connect", 0).is_some(),
    ),
    flag(
        "connect/no-timeout",
        "waits for ever for connect",
        &["rtmp/connect/no-reply-timeout"],
        Flag::ConnectNeverTimesOut,
    ),
    flag(
        "connect/unknown-method-silent",
        "does not answer unknown methods",
        &["rtmp/call/unknown-method"],
        Flag::UnknownMethodSilent,
    ),
    wedge(
        "connect/unknown-method-wedges",
        "is stuck at an unknown method",
        &["rtmp/call/unknown-method"],
        |s| s.any_command().is_some_and(|c| METHODS.iter().all(|name| c.name != *name)),
    ),
    flag(
        "connect/transaction-0-answered",
        "answers calls with transaction id 0",
        &["rtmp/call/txn-zero-no-reply"],
        Flag::Transaction0Answered,
    ),
    output(
        "connect/stream-id-is-text",
        "gives stream ids as text",
        &["rtmp/createstream/result"],
        |s| {
            if let Some([Value::Number(id)]) = s.reply_mut().map(|c| &mut c.arguments[..]) {
                let text = Value::String(Text(id.to_string().into_bytes()));
                if let Some(first) = s.reply_mut().and_then(|c| c.arguments.first_mut()) {
                    *first = text;
                }
            }
            true
        },
    ),
    on(
        Reaction::Ignore,
        "connect/odd-transactions-silent",
        "does not answer createStream with a large or fractional id",
        &["rtmp/createstream/result"],
        |s| {
            let id = s.command("createStream").and_then(|c| c.transaction_id);
            id.is_some_and(|id| id.fract() != 0.0 || id > 1e9)
        },
    ),
    flag(
        "connect/stream-id-always-1",
        "gives every stream the id 1",
        &["rtmp/createstream/distinct-ids"],
        Flag::StreamIdAlwaysOne,
    ),
    on(
        Reaction::Stall,
        "connect/stream-flood-stalls",
        "serves nobody after 5000 streams on a connection",
        &["rtmp/createstream/flood"],
        |s| s.history.created > 5000,
    ),
    flag(
        "connect/delete-answered",
        "answers deleteStream",
        &["rtmp/deletestream/no-reply"],
        Flag::DeleteAnswered,
    ),
    wedge(
        "connect/delete-unknown-wedges",
        "is stuck at deleteStream for a stream that is not there",
        &["rtmp/deletestream/unknown-id"],
        |s| {
            let id = s.argument("deleteStream", 0).and_then(Value::as_number);
            id.is_some_and(|id| !(1.0..64.0).contains(&id))
        },
    ),
    flag(
        "connect/delete-ends-all",
        "ends all streams of a connection at deleteStream",
        &["rtmp/deletestream/other-stream"],
        Flag::DeleteEndsAll,
    ),
    wedge("connect/close-wedges", "is stuck at close", &["rtmp/close/command"], |s| {
        s.is_command("close")
    }),
    on(
        Reaction::Close,
        "connect/encoder-calls-close",
        "closes at releaseStream",
        &["rtmp/publish/fmle-sequence"],
        |s| s.is_command("releaseStream"),
    ),
    output(
        "connect/every-50th-reply-lost",
        "loses the reply to every 50th stream",
        &["robust/command/pipelined-1000"],
        every_50th,
    ),
];

fn odd_url(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    url.contains('?') || host.starts_with('[') || !host.contains(':')
}

fn every_50th(s: &mut Sending) -> bool {
    match s.reply_mut().and_then(|command| command.arguments.first()) {
        Some(Value::Number(id)) => *id == 0.0 || id % 50.0 != 0.0,
        _ => true,
    }
}

/// Whether a publish or play goes to a stream that does not exist.
pub(super) fn astray(s: &Seen<'_>, name: &str) -> bool {
    s.connected && s.is_command(name) && !s.created
}
