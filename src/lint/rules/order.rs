//! Commands in the order and on the streams that the specification gives them.

use super::command::{command, connect_answer, from_client};
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::wire::amf::Value;
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Command,
    title: "",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: rtmp("7.2.1.1"),
    basis: Basis::Spec,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Both,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "rtmp/connect/txn-is-1",
        title: "connect has another transaction id than 1",
        explanation: "The transaction id of connect is always 1. Servers that answer with a fixed \
            1 leave the client without its answer.",
        advice: "The client must send 1.",
        covers: &["rtmp/connect/txn-is-1"],
        checks: &[Check::Command(not_one)],
        ..BASE
    },
    Rule {
        id: "rtmp/connect/reply-msid0",
        title: "Answer to connect on another message stream than 0",
        explanation: "NetConnection commands and their answers belong on message stream 0.",
        advice: "The server must send it with message stream id 0.",
        covers: &["rtmp/connect/reply-msid0"],
        checks: &[Check::Command(reply_stream)],
        ..BASE
    },
    Rule {
        id: "rtmp/connect/twice",
        title: "connect sent twice on one connection",
        explanation: "A connection has one connect; servers refuse the second or mix up their \
            state.",
        advice: "The client must open a new connection.",
        covers: &["rtmp/connect/twice"],
        checks: &[Check::Command(twice)],
        ..BASE
    },
    Rule {
        id: "rtmp/connect/before-other-commands",
        title: "Command before connect",
        severity: Severity::Error,
        escalates: None,
        explanation: "connect must be the first command. Strict servers close on anything before it.",
        advice: "The client must send connect first and wait for its answer.",
        covers: &["rtmp/connect/before-other-commands"],
        checks: &[Check::Command(before_connect)],
        ..BASE
    },
    Rule {
        id: "rtmp/publish/command-on-msid0",
        title: "publish or play on message stream 0",
        spec: rtmp("7.2.2"),
        explanation: "NetStream commands belong on the message stream that createStream gave.",
        advice: "The client must use the id from the answer to createStream.",
        covers: &["rtmp/publish/command-on-msid0"],
        checks: &[Check::Command(on_zero)],
        ..BASE
    },
    Rule {
        id: "rtmp/publish/stream-not-created",
        title: "publish or play on a message stream that was never created",
        severity: Severity::Error,
        escalates: None,
        spec: rtmp("7.2.2"),
        explanation: "The message stream was not given by any answer to createStream.",
        advice: "The client must use the id from the answer to createStream.",
        covers: &["rtmp/publish/stream-not-created"],
        checks: &[Check::Command(not_created)],
        ..BASE
    },
    Rule {
        id: "rtmp/deletestream/unknown-id",
        title: "deleteStream of a message stream that does not exist",
        escalates: None,
        spec: rtmp("7.2.2.3"),
        explanation: "The number that deleteStream names was not given by createStream, or it was \
            deleted before.",
        advice: "Harmless for most servers; the client counts its streams wrong.",
        covers: &["rtmp/deletestream/unknown-id"],
        checks: &[Check::Command(delete_unknown)],
        ..BASE
    },
    Rule {
        id: "rtmp/deletestream/no-reply",
        title: "Server answered deleteStream",
        severity: Severity::Note,
        escalates: None,
        spec: rtmp("7.2.2.3"),
        explanation: "The specification says that the server sends no answer. SRS does.",
        advice: "Nothing to do.",
        covers: &["rtmp/deletestream/no-reply"],
        checks: &[Check::Command(delete_answered)],
        ..BASE
    },
    Rule {
        id: "flv/script/onmetadata-shape",
        layer: Layer::Media,
        title: "onMetaData has more than one value",
        spec: None,
        escalates: None,
        explanation: "After the name comes one array. More values confuse small parsers.",
        advice: "The sender must send the array only.",
        covers: &["flv/script/onmetadata-shape"],
        needs: Needs::Message,
        checks: &[Check::Data(metadata_shape)],
        ..BASE
    },
];

fn not_one(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|c| from_client(record) && c.name == "connect")
    else {
        return;
    };
    if let Some(id) = command.transaction_id.filter(|id| *id != 1.0) {
        cx.report(Report::message(record, format!("transaction id {id}")));
    }
}

fn reply_stream(cx: &mut Context<'_>, record: &MessageRecord) {
    let on = record.message.stream_id.unwrap_or(0);
    if connect_answer(record).is_some() && on != 0 {
        cx.report(Report::message(record, format!("the answer came on message stream {on}")));
    }
}

fn twice(cx: &mut Context<'_>, record: &MessageRecord) {
    let again = command(record).is_some_and(|c| from_client(record) && c.name == "connect");
    let Some(first) = cx.state.connect.as_ref().filter(|_| again) else { return };
    let place = first.place.clone();
    cx.report(Report::message(record, "a second connect").related("the first one", place));
}

fn before_connect(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| from_client(record)) else { return };
    let first = cx.state.connect.is_none() && cx.state.connect_reply.is_none();
    // A connect too long to be kept is one all the same.
    let seen = cx.state.last_request(record.message.direction).is_some();
    if first && !seen && !command.is_reply() && command.name != "connect" {
        cx.report(Report::message(record, "the client's first command is not connect"));
    }
}

/// Whether it is the client's publish or play, and on which message stream.
fn use_of(record: &MessageRecord) -> Option<u32> {
    let command = command(record).filter(|_| from_client(record))?;
    let named = ["publish", "play", "play2"].iter().any(|name| command.name == *name);
    named.then_some(record.message.stream_id).flatten()
}

fn on_zero(cx: &mut Context<'_>, record: &MessageRecord) {
    if use_of(record) == Some(0) {
        cx.report(Report::message(record, "the command came on message stream 0"));
    }
}

fn not_created(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(id) = use_of(record).filter(|id| *id != 0) else { return };
    if cx.state.stream(id).is_none_or(|stream| stream.created.is_none()) {
        let words = format!("message stream {id} was not given by createStream");
        cx.report(Report::message(record, words));
    }
}

fn delete_unknown(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|c| from_client(record) && c.name == "deleteStream")
    else {
        return;
    };
    let Some(id) = command.arguments.first().and_then(Value::as_number) else { return };
    let known = cx.state.streams().iter().find(|stream| f64::from(stream.id) == id);
    if known.is_none_or(|stream| stream.created.is_none()) {
        cx.report(Report::message(record, format!("deleteStream of {id}")));
    }
}

fn delete_answered(cx: &mut Context<'_>, record: &MessageRecord) {
    let reply = record.message.reply.as_ref().filter(|reply| reply.command == "deleteStream");
    if command(record).is_some_and(|c| c.name == "_result") && reply.is_some() {
        cx.report(Report::message(record, "the server answered deleteStream"));
    }
}

fn metadata_shape(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Data(data) = &record.message.body else { return };
    let named = data.values.iter().position(|v| v.as_text().is_some_and(|n| *n == "onMetaData"));
    let Some(at) = named else { return };
    let count = data.values.len() - at - 1;
    if count > 1 && !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, format!("{count} values after onMetaData")));
    }
}
