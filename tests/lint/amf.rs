use crate::support::lint::{Sample, Script};
use crate::support::{C2S, MessageType, Outgoing, V, amf0};
use crate::table::{Row, row};

pub const ROWS: &[Row] = &[
    // A string of 9 bytes of which 2 are there.
    row(
        "amf/truncated",
        || data(&[2, 0, 9, b'o', b'n']),
        || command(&[&amf0(&[V::Str("createStream"), V::Num(9.0), V::Null]), &[0x55]]),
    )
    .error(),
    row(
        "amf/extra-bytes",
        || command(&[&amf0(&[V::Str("createStream"), V::Num(9.0), V::Null]), &[0x55]]),
        || data(&[2, 0, 9, b'o', b'n']),
    ),
    row("amf0/marker/reserved", || command(&[&called(), &[0x55]]), clean).error(),
    row("amf0/reference/out-of-range", || command(&[&called(), &[7, 0, 50]]), clean).error(),
    row(
        "amf0/object/nested-depth",
        || command(&[&called(), &[3, 0, 1, b'a'].repeat(100)]),
        || command(&[&called(), &[3, 0, 1, b'a'].repeat(20), &[5], &[0, 0, 9].repeat(20)]),
    )
    .error(),
    row(
        "amf3/object/externalizable-unknown",
        || command3(&[&[0], &called(), &[0x11, 0x0a, 7, 3, b'x', 1, 2]]),
        || command3(&[&[0], &called(), &[0x11, 0x04, 5]]),
    ),
    row("amf/type17-format-byte", || command3(&[&called()]), || command3(&[&[0], &called()]))
        .error(),
    row("amf/type17-format-byte", || command(&[&[0], &called()]), clean).error(),
    row("amf/amf3-not-negotiated", || command3(&[&[0], &called()]), clean).error(),
    row(
        "amf3/u29/ranges",
        || command3(&[&[0], &called(), &[0x11, 0x04, 0x80, 0x01]]),
        || command3(&[&[0], &called(), &[0x11, 0x04, 0x01]]),
    ),
    row("amf0/command/missing-fields", || command(&[&amf0(&[V::Str("probe")])]), clean).error(),
    row(
        "robust/message/shared-object-malformed",
        || typed(3, MessageType::SHARED_OBJECT_AMF0, shared_object(200)),
        || typed(3, MessageType::SHARED_OBJECT_AMF0, shared_object(0)),
    ),
    row(
        "amf0/command/wrong-types",
        || command(&[&amf0(&[V::Num(1.0), V::Num(2.0), V::Null])]),
        clean,
    )
    .error(),
    row(
        "amf0/number/encoding",
        || command(&[&amf0(&[V::Str("probe"), V::Num(0.5), V::Null])]),
        || command(&[&amf0(&[V::Str("probe"), V::Num(5.0), V::Null])]),
    ),
    row(
        "amf/metadata-not-ecma",
        || metadata(&amf0(&[V::Obj(vec![("width", V::Num(640.0))])])),
        || metadata(&amf0(&[V::Ecma(vec![("width", V::Num(640.0))])])),
    ),
    row(
        "amf0/ecma-array/as-command-object",
        || command(&[&amf0(&[V::Str("probe"), V::Num(5.0), V::Ecma(vec![("a", V::Null)])])]),
        || command(&[&amf0(&[V::Str("probe"), V::Num(5.0), V::Obj(vec![("a", V::Null)])])]),
    ),
    row(
        "amf/ecma-count-mismatch",
        || metadata(&[8, 0, 0, 0, 0, 0, 1, b'a', 5, 0, 0, 9]),
        || metadata(&[8, 0, 0, 0, 1, 0, 1, b'a', 5, 0, 0, 9]),
    ),
    row(
        "amf/unexpected-type",
        || metadata(&date(0)),
        || metadata(&amf0(&[V::Ecma(vec![("width", V::Num(640.0))])])),
    ),
    row(
        "amf/unexpected-type",
        || metadata(&amf0(&[V::Ecma(vec![("width", V::Str("640"))])])),
        || metadata(&amf0(&[V::Ecma(vec![("encoder", V::Str("640"))])])),
    ),
    row(
        "amf0/string/utf8",
        || command(&[&called(), &[2, 0, 2, 0xc3, 0x28]]),
        || command(&[&called(), &[2, 0, 2, 0xc3, 0xa4]]),
    ),
    row(
        "amf0/object/duplicate-key",
        || command(&[&called(), &amf0(&[V::Obj(vec![("a", V::Null), ("a", V::Null)])])]),
        || command(&[&called(), &amf0(&[V::Obj(vec![("a", V::Null), ("b", V::Null)])])]),
    ),
    row(
        "amf0/object/empty-key-not-end",
        || command(&[&called(), &[3, 0, 0, 5, 0, 0, 9]]),
        || command(&[&called(), &[3, 0, 0, 9]]),
    ),
    row("amf0/date/timezone", || metadata(&date(60)), || metadata(&date(0))),
];

fn clean() -> Sample {
    Sample::File("ffmpeg_publish_nginx.pcap")
}

/// Name, transaction id and null of a command that nobody knows.
fn called() -> Vec<u8> {
    amf0(&[V::Str("probe"), V::Num(9.0), V::Null])
}

fn command(parts: &[&[u8]]) -> Sample {
    typed(3, MessageType::COMMAND_AMF0, parts.concat())
}

fn command3(parts: &[&[u8]]) -> Sample {
    typed(3, MessageType::COMMAND_AMF3, parts.concat())
}

fn data(payload: &[u8]) -> Sample {
    typed(4, MessageType::DATA_AMF0, payload.to_vec())
}

/// onMetaData with these properties.
fn metadata(properties: &[u8]) -> Sample {
    data(&[&amf0(&[V::Str("onMetaData")]), properties].concat())
}

fn typed(csid: u32, type_id: MessageType, payload: Vec<u8>) -> Sample {
    Script::publish().send(C2S, Outgoing::new(csid, type_id, 0, 1, payload)).wait(1).capture()
}

/// An ECMA array with a date in that time zone.
fn date(zone: u8) -> Vec<u8> {
    let mut out = vec![8, 0, 0, 0, 1, 0, 1, b'd', 0x0b];
    out.extend([0; 8]);
    out.extend([0, zone, 0, 0, 9]);
    out
}

/// Shared object `so` with one event Use (1) that announces so many bytes and has none.
fn shared_object(len: u8) -> Vec<u8> {
    let mut out = vec![0, 2, b's', b'o'];
    out.extend([0; 12]);
    out.extend([1, 0, 0, 0, len]);
    out
}
