//! Faults of AMF0 and AMF3.

use super::defect::{Defect, Flag, Reaction, flag, ignore, on, output, wedge};
use super::seen::Seen;
use crate::base::StopReason;
use crate::peer::server::connection::Sending;
use crate::wire::amf::Value;
use crate::wire::message::MessageType;

pub(super) const ROWS: &[Defect] = &[
    output(
        "amf0/transaction-inexact",
        "answers a transaction id that is off by a bit",
        &["amf0/number/encoding", "rtmp/connect/txn-echo"],
        |s| {
            if let Some(command) = s.reply_mut() {
                command.transaction_id =
                    command.transaction_id.map(|id| f64::from_bits(id.to_bits() + 1));
            }
            true
        },
    ),
    wedge(
        "amf0/nan-wedges",
        "is stuck at a connect with NaN or infinity",
        &["amf0/number/encoding"],
        |s| s.connect_has(|v| matches!(v, Value::Number(number) if !number.is_finite())),
    ),
    ignore(
        "amf0/boolean-only-one",
        "does not answer a connect with a boolean other than 0 and 1",
        &["amf0/boolean/nonzero-true"],
        |s| s.is_command("connect") && s.contains(b"fpad\x01") && !fpad_is_plain(s),
    ),
    output(
        "amf0/names-mangled",
        "answers names with ? for what is not ASCII",
        &["amf0/string/utf8"],
        mangle_names,
    ),
    wedge(
        "amf0/utf8-wedges",
        "is stuck at a stream name that is not ASCII",
        &["amf0/string/utf8"],
        |s| {
            let name = s.text("publish", 0).or(s.text("play", 0));
            name.is_some_and(|name| !name.is_ascii())
        },
    ),
    wedge(
        "amf0/truncated-string-wedges",
        "is stuck at a string that ends early",
        &["amf0/string/truncated"],
        |s| s.is_amf() && matches!(s.stop(), Some(StopReason::Truncated { needed: 2.., .. })),
    ),
    wedge(
        "amf0/empty-name-wedges",
        "is stuck at a command without a name",
        &["amf0/string/empty-name"],
        |s| s.starts(&[2, 0, 0]),
    ),
    wedge(
        "amf0/long-string-wedges",
        "is stuck at a long string",
        &["amf0/long-string/accepted", "amf0/long-string/huge-length"],
        |s| s.is_command("connect") && s.contains(&[0x0c, 0]) || huge_string(s),
    ),
    on(
        Reaction::Stall,
        "amf0/huge-string-stalls",
        "serves nobody after a string of 4 GiB",
        &["amf0/long-string/huge-length"],
        huge_string,
    ),
    ignore(
        "amf0/app-must-be-first",
        "does not answer a connect whose first property is not app",
        &["amf0/object/property-order", "amf0/object/empty-key-not-end"],
        |s| s.connect().is_some_and(|o| o.properties().first().is_none_or(|p| p.name != "app")),
    ),
    ignore(
        "amf0/rare-types-refused",
        "does not answer a connect with a date, XML or a typed object",
        &["amf0/object/unknown-properties"],
        |s| {
            s.connect_has(|v| {
                matches!(
                    v,
                    Value::Date { .. }
                        | Value::Xml(_)
                        | Value::Unsupported
                        | Value::Object { class: Some(_), .. }
                )
            })
        },
    ),
    wedge(
        "amf0/duplicate-key-wedges",
        "is stuck at a connect with two properties of a name",
        &["amf0/object/duplicate-key"],
        |s| {
            let Some(object) = s.connect() else { return false };
            let all = object.properties();
            all.iter().enumerate().any(|(i, p)| all.iter().skip(i + 1).any(|q| q.name == p.name))
        },
    ),
    wedge(
        "amf0/missing-end-wedges",
        "is stuck at an object without an end",
        &["amf0/object/missing-end", "quirk/envivio-unfinished-metadata"],
        |s| s.message.stop.as_ref().is_some_and(|stop| stop.field == "object_end_marker"),
    ),
    wedge(
        "amf0/empty-key-wedges",
        "is stuck at a property without a name",
        &["amf0/object/empty-key-not-end"],
        |s| s.connect().is_some_and(|o| o.properties().iter().any(|p| p.name.0.is_empty())),
    ),
    on(
        Reaction::Panic,
        "amf0/deep-nesting-panics",
        "dies of values nested deep",
        &["amf0/object/nested-depth", "amf3/nested-depth"],
        |s| s.is_amf() && matches!(s.stop(), Some(StopReason::TooDeep)),
    ),
    wedge(
        "amf0/ecma-array-wedges",
        "is stuck at a connect with an array for its object",
        &["amf0/ecma-array/as-command-object"],
        |s| matches!(s.connect(), Some(Value::EcmaArray { .. })),
    ),
    wedge(
        "amf0/ecma-count-believed",
        "is stuck at an array whose count is much too large",
        &["amf0/ecma-array/count-is-hint"],
        |s| {
            let wrong = |value: &Value| match value {
                Value::EcmaArray { count, properties, .. } => {
                    *count as usize > properties.len() + 1000
                }
                _ => false,
            };
            s.data().is_some_and(|data| data.values.iter().any(wrong))
        },
    ),
    on(
        Reaction::Stall,
        "amf0/array-count-believed",
        "serves nobody after an array of millions",
        &["amf0/strict-array/count-bomb"],
        |s| s.is_amf() && (s.contains(&[0x0a, 0xff, 0xff]) || too_many(s)),
    ),
    wedge(
        "amf0/reference-wedges",
        "is stuck at a connect with a reference",
        &["amf0/reference/valid", "amf0/reference/out-of-range"],
        |s| {
            let bad = matches!(s.stop(), Some(StopReason::BadReference(_)));
            s.connect_has(|v| matches!(v, Value::Reference(_))) || s.is_command("connect") && bad
        },
    ),
    on(
        Reaction::Stall,
        "amf0/bad-reference-stalls",
        "serves nobody after a reference to nothing or to itself",
        &["amf0/reference/out-of-range"],
        |s| {
            let own = |v: &Value| matches!(v, Value::Reference(0));
            s.is_amf() && matches!(s.stop(), Some(StopReason::BadReference(_)))
                || s.connect_has(own)
        },
    ),
    wedge(
        "amf0/reserved-marker-wedges",
        "is stuck at a marker that is reserved",
        &["amf0/marker/reserved"],
        |s| {
            let unknown = matches!(s.stop(), Some(StopReason::UnknownMarker(_)));
            s.is_amf() && (unknown || reserved(s))
        },
    ),
    wedge(
        "amf0/trailing-bytes-wedge",
        "is stuck at createStream with more values than it has",
        &["amf0/command/trailing-bytes"],
        |s| {
            let more = s.command("createStream").is_some_and(|c| !c.arguments.is_empty());
            more || s.is_command("createStream") && s.stop().is_some()
        },
    ),
    wedge(
        "amf0/missing-fields-wedge",
        "is stuck at a command without transaction id or object",
        &["amf0/command/missing-fields"],
        |s| {
            s.any_command().is_some_and(|c| {
                !c.name.0.is_empty() && (c.transaction_id.is_none() || c.object.is_none())
            })
        },
    ),
    wedge(
        "amf0/wrong-types-wedge",
        "is stuck at a command with a value of the wrong type",
        &["amf0/command/wrong-types"],
        |s| {
            let name = s.argument("publish", 0).or(s.argument("play", 0));
            let wrong_name = name.is_some_and(|name| name.as_text().is_none());
            let wrong_object = matches!(s.connect(), Some(Value::String(_) | Value::Number(_)));
            let invalid = matches!(s.stop(), Some(StopReason::Invalid(_)));
            wrong_name || wrong_object || s.any_command().is_some() && invalid
        },
    ),
    wedge(
        "amf3/commands-wedge",
        "is stuck at a command of type 17",
        &["amf3/type17/format-byte", "quirk/flash-amf3-commands"],
        |s| s.is(MessageType::COMMAND_AMF3),
    ),
    wedge(
        "amf3/values-wedge",
        "is stuck at a value in AMF3",
        &[
            "amf3/type17/avmplus-value",
            "amf3/u29/ranges",
            "amf3/integer/sign",
            "amf3/string/reference",
            "amf3/object/traits-forms",
            "amf3/array/dense-and-assoc",
            "amf3/vector-dictionary",
        ],
        |s| s.is_amf3() && s.contains(&[0x11]),
    ),
    flag(
        "amf3/encoding-always-3",
        "answers objectEncoding 3 whatever was asked for",
        &["amf3/object-encoding-echo"],
        Flag::EncodingAlwaysThree,
    ),
    wedge(
        "amf3/bad-reference-wedges",
        "is stuck at an AMF3 reference to nothing",
        &["amf3/string/bad-reference", "amf3/tables-reset"],
        |s| s.is_amf3() && matches!(s.stop(), Some(StopReason::BadReference(_))),
    ),
    wedge(
        "amf3/externalizable-wedges",
        "is stuck at an externalizable class",
        &["amf3/object/externalizable-unknown"],
        |s| s.is_amf() && matches!(s.stop(), Some(StopReason::UnknownExternalizable(_))),
    ),
    wedge(
        "amf3/length-bomb-wedges",
        "is stuck at an AMF3 length that the message does not have",
        &["amf3/bytearray/length-bomb"],
        |s| s.is_amf3() && (matches!(s.stop(), Some(StopReason::Truncated { .. })) || too_many(s)),
    ),
    wedge(
        "amf3/deep-nesting-wedges",
        "is stuck at AMF3 values nested deep",
        &["amf3/nested-depth"],
        |s| s.is_amf3() && matches!(s.stop(), Some(StopReason::TooDeep)),
    ),
];

fn huge_string(s: &Seen<'_>) -> bool {
    s.is_amf() && s.contains(&[0x0c, 0xff, 0xff, 0xff, 0xff])
}

fn too_many(s: &Seen<'_>) -> bool {
    matches!(s.stop(), Some(StopReason::TooMany))
}

/// Whether the boolean `fpad` is written as 0 or 1.
fn fpad_is_plain(s: &Seen<'_>) -> bool {
    s.contains(b"fpad\x01\x00") || s.contains(b"fpad\x01\x01")
}

fn reserved(s: &Seen<'_>) -> bool {
    let bad = |value: &Value| matches!(value, Value::MovieClip | Value::RecordSet);
    s.any_command().is_some_and(|c| c.arguments.iter().chain(&c.object).any(bad))
}

fn mangle_names(s: &mut Sending) -> bool {
    for value in s.command_mut().map(|c| &mut c.arguments).into_iter().flatten() {
        let Value::Object { properties, .. } = value else { continue };
        for property in properties.iter_mut().filter(|p| p.name == "details") {
            if let Value::String(text) = &mut property.value {
                text.0.iter_mut().filter(|b| !b.is_ascii()).for_each(|b| *b = b'?');
            }
        }
    }
    true
}
