//! AMF0 or AMF3.

use super::amf3;
use crate::analysis::MessageRecord;
use crate::lint::context::{Context, Report};
use crate::lint::finding::Severity;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::rules::amf::values::walk;
use crate::rtmp::Message;
use crate::wire::amf::{State, Value, amf0};
use crate::wire::message::{Body, MessageType};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "amf/type17-format-byte",
        layer: Layer::Amf,
        title: "AMF3 message lacks the leading zero byte, or an AMF0 one has it",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "AMF" }),
        basis: Basis::DeFacto,
        explanation: "Types 15 and 17 begin with a format byte of 0 before their AMF0 values; \
            types 18 and 20 do not. nginx-rtmp and Node-Media-Server skip a byte blindly and lose \
            the first marker of this message.",
        advice: "Write the byte 0 first in types 15 and 17, and in no other.",
        covers: &["amf3/type17/format-byte", "amf3/type17/avmplus-value"],
        needs: Needs::Direction,
        checks: &[Check::Command(format), Check::Data(format)],
    },
    Rule {
        id: "amf/amf3-not-negotiated",
        layer: Layer::Amf,
        title: "AMF3 used although the peers agreed on AMF0",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "RTMP 1.0", section: "7.2.1.1" }),
        basis: Basis::Spec,
        explanation: "connect asked for objectEncoding 0, or for none, or the server said 0. A \
            server that cannot read AMF3 ignores these messages: it publishes, and metadata and \
            commands are lost.",
        advice: "Set objectEncoding to 0 in the client (NetConnection.objectEncoding in Flash), \
            or use a server that reads AMF3.",
        covers: &[],
        needs: Needs::Both,
        checks: &[Check::Command(not_negotiated), Check::Data(not_negotiated)],
    },
    Rule {
        id: "amf3/u29/ranges",
        layer: Layer::Amf,
        title: "AMF3 integer written longer than needed",
        severity: Severity::Note,
        escalates: Some(Severity::Warning),
        spec: amf3("1.3.1"),
        basis: Basis::Spec,
        explanation: "The variable-length integer has leading zero groups.",
        advice: "Harmless to most readers; a fault of the writer.",
        covers: &["amf3/u29/ranges"],
        needs: Needs::Message,
        checks: &[Check::Command(overlong), Check::Data(overlong)],
    },
];

fn is_amf3(message: &Message) -> bool {
    matches!(message.type_id, MessageType::COMMAND_AMF3 | MessageType::DATA_AMF3)
}

fn format(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let first = message.payload.first().copied();
    let words = match (is_amf3(message), first) {
        (true, Some(byte)) if byte != 0 => {
            format!("type {} begins with 0x{byte:02x}", message.type_id.0)
        }
        // A number of which the first byte of the value is a string's marker: no name is one.
        (false, Some(0)) if message.payload.get(1) == Some(&2) => {
            format!("type {} begins with the format byte", message.type_id.0)
        }
        _ => return,
    };
    cx.report(Report::message(record, words).field(0..1));
}

fn not_negotiated(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    let Some(connect) = &cx.state.connect else { return };
    let asked = connect.object_encoding.unwrap_or(0.0);
    let reply = cx.state.connect_reply.as_ref();
    let agreed = reply.and_then(|reply| reply.object_encoding).map_or(asked, |n| n.min(asked));
    if agreed != 0.0 {
        return;
    }
    let words = if is_amf3(message) {
        format!("a {} message, objectEncoding is 0", message.type_id.kind())
    } else if holds_amf3(message) {
        format!("AMF3 values in a {} message, objectEncoding is 0", message.type_id.kind())
    } else {
        return;
    };
    let report = Report::message(record, words).related("connect", connect.place.clone());
    cx.report(report.related_if("the reply", reply.map(|reply| &reply.place)));
}

/// Values that AMF0 has not.
fn holds_amf3(message: &Message) -> bool {
    let mut found = false;
    walk(&message.body, &mut |_, value| {
        found |= matches!(
            value,
            Value::Integer(_)
                | Value::ByteArray(_)
                | Value::VectorInt { .. }
                | Value::VectorUint { .. }
                | Value::VectorDouble { .. }
                | Value::VectorObject { .. }
                | Value::Dictionary { .. }
                | Value::Externalizable { .. }
        );
    });
    found
}

fn overlong(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &*record.message;
    if !matches!(message.body, Body::Command(_) | Body::Data(_)) || !holds_amf3(message) {
        return;
    }
    let mut reader = crate::base::Reader::new(&message.payload);
    let mut state = State::new();
    if is_amf3(message) && reader.peek() == Some(0) && reader.u8("format").is_err() {
        return;
    }
    while !reader.is_empty() && amf0::decode(&mut reader, &mut state).is_ok() {}
    if state.overlong() {
        let words = format!("in a {} message", message.type_id.kind());
        cx.report(Report::message(record, words));
    }
}
