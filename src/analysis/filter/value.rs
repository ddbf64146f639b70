//! Values as typed: numbers with units, names, texts.

use std::net::IpAddr;
use std::ops::Range;

use super::error::{FilterError, nearest};
use super::field::{Field, FieldInfo, Kind, Unit};
use super::names;

/// Units of time in nanoseconds.
pub(super) const TIMES: &[(&str, f64)] =
    &[("ms", 1e6), ("s", 1e9), ("us", 1e3), ("ns", 1.0), ("m", 60e9), ("min", 60e9), ("h", 3600e9)];

/// Units of size in bytes.
pub(super) const SIZES: &[(&str, f64)] = &[
    ("kB", 1e3),
    ("MB", 1e6),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("B", 1.0),
    ("k", 1e3),
    ("K", 1e3),
    ("M", 1e6),
    ("GB", 1e9),
    ("GiB", 1_073_741_824.0),
];

/// Values of a field in words, for messages.
pub(super) fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "set or not",
        Kind::Number => "a number",
        Kind::Bytes => "a number of bytes",
        Kind::Duration(_) => "a time",
        Kind::Text => "text",
        Kind::Codec => "a codec",
        Kind::Address => "an address",
        Kind::Named(_) => "a name",
        Kind::Type => "a message type",
        Kind::Event => "an event",
    }
}

/// An expression that uses the field.
pub(super) fn example(info: &FieldInfo) -> String {
    let name = info.name;
    match info.kind {
        Kind::Flag => name.to_owned(),
        Kind::Number => format!("{name}==1"),
        Kind::Bytes => format!("{name}>10kB"),
        Kind::Duration(Unit::Milliseconds) => format!("{name}>500ms"),
        Kind::Duration(Unit::Seconds) => format!("{name}>3.5s"),
        Kind::Text => match info.field {
            Field::Cmd => "cmd==\"publish\"".into(),
            Field::Code => "code~\"BadName\"".into(),
            _ => format!("{name}==\"text\""),
        },
        Kind::Codec => format!("{name}==avc"),
        Kind::Address => format!("{name}==10.0.0.1"),
        Kind::Named(names) => format!("{name}=={}", names.first().map_or("", |(name, _)| name)),
        Kind::Type => format!("{name}==video"),
        Kind::Event => format!("{name}==ping_request"),
    }
}

/// The numbers that a typed value stands for: one, or several for a group of types.
pub(super) fn numbers(
    field: Field,
    typed: &str,
    span: Range<usize>,
) -> Result<Vec<i64>, FilterError> {
    let info = field.info();
    let found = match info.kind {
        Kind::Number => whole(typed).map(|n| vec![n]),
        Kind::Bytes => whole(typed).or_else(|| with_unit(typed, SIZES)).map(|n| vec![n]),
        Kind::Duration(unit) => {
            let bare = match unit {
                Unit::Milliseconds => 1e6,
                Unit::Seconds => 1e9,
            };
            decimal(typed)
                .and_then(|n| scale(n, bare))
                .or_else(|| with_unit(typed, TIMES))
                .map(|n| vec![n])
        }
        Kind::Named(names) => names
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(typed))
            .map(|(_, n)| *n)
            .or_else(|| whole(typed))
            .map(|n| vec![n]),
        Kind::Type => names::types(typed).or_else(|| whole(typed).map(|n| vec![n])),
        Kind::Event => names::event(typed).or_else(|| whole(typed)).map(|n| vec![n]),
        Kind::Flag | Kind::Text | Kind::Codec | Kind::Address => None,
    };
    found.ok_or_else(|| {
        let message = format!("{typed} is not {}", in_words(info.kind));
        let error = FilterError::new(span, message);
        let near = nearest(typed, value_names(field));
        match near {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!("write it as in {}", example(info))),
        }
    })
}

/// Text to compare a text field with: names of codecs and addresses in their usual form.
pub(super) fn text(field: Field, typed: &str, span: Range<usize>) -> Result<String, FilterError> {
    match field.info().kind {
        Kind::Codec => names::codec_name(typed)
            .map(str::to_owned)
            .or_else(|| (typed == "unknown").then(|| typed.to_owned()))
            .ok_or_else(|| {
                let error =
                    FilterError::new(span, format!("{typed} is no codec that RTMP carries"));
                match nearest(typed, value_names(field)) {
                    Some(near) => error.help(format!("did you mean {near}?")),
                    None => error.help("fourcc compares with a FourCC as it is"),
                }
            }),
        Kind::Address => {
            let address: Result<IpAddr, _> = typed.parse();
            address.map(|address| address.to_string()).map_err(|_| {
                FilterError::new(span, format!("{typed} is not an address"))
                    .help("write it as 10.0.0.1 or 2001:db8::1")
            })
        }
        _ => Ok(typed.to_owned()),
    }
}

/// Names that a field's values may have, for completion and for "did you mean".
pub(super) fn value_names(field: Field) -> Vec<&'static str> {
    match field.info().kind {
        Kind::Named(names) => names.iter().map(|(name, _)| *name).collect(),
        Kind::Type => names::type_names(),
        Kind::Event => names::event_names(),
        Kind::Codec => names::CODECS.iter().map(|codec| codec.name).collect(),
        _ => match field {
            Field::FourCc => names::CODECS.iter().filter_map(|codec| codec.fourcc).collect(),
            Field::Code => {
                crate::wire::message::status::CODES.iter().map(|(code, _)| *code).collect()
            }
            Field::Cmd => COMMANDS.to_vec(),
            Field::Handler => HANDLERS.to_vec(),
            Field::Transport => vec!["rtmp", "rtmpe", "rtmpt", "tls", "http", "unknown"],
            _ => Vec::new(),
        },
    }
}

/// Commands of the specification and of practice.
const COMMANDS: &[&str] = &[
    "connect",
    "createStream",
    "publish",
    "play",
    "onStatus",
    "_result",
    "_error",
    "releaseStream",
    "FCPublish",
    "FCUnpublish",
    "FCSubscribe",
    "onFCPublish",
    "onFCUnpublish",
    "deleteStream",
    "closeStream",
    "getStreamLength",
    "pause",
    "seek",
    "play2",
    "receiveAudio",
    "receiveVideo",
    "onBWDone",
    "_checkbw",
    "close",
];

/// Handlers of data messages.
const HANDLERS: &[&str] =
    &["onMetaData", "onTextData", "onCaption", "onCuePoint", "onFI", "|RtmpSampleAccess"];

/// Decimal, or hexadecimal after `0x`.
fn whole(typed: &str) -> Option<i64> {
    match typed.strip_prefix("0x").or(typed.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with(['+', '-']) => i64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => typed.parse().ok(),
    }
}

/// A decimal number; `inf`, `nan` and exponents are none.
fn decimal(typed: &str) -> Option<f64> {
    let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain { typed.parse().ok() } else { None }
}

fn with_unit(typed: &str, units: &[(&str, f64)]) -> Option<i64> {
    let at = typed.find(|c: char| c.is_ascii_alphabetic() || c == 'µ')?;
    let (number, unit) = typed.split_at(at);
    let unit = if unit == "µs" { "us" } else { unit };
    let (_, factor) = units.iter().find(|(name, _)| *name == unit).or_else(|| {
        // "KB" and "Ms" are how people type.
        units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))
    })?;
    scale(decimal(number)?, *factor)
}

fn scale(number: f64, factor: f64) -> Option<i64> {
    let value = (number * factor).round();
    // The largest i64 that a float holds exactly is below 2^63.
    (value.abs() < 9.2e18).then_some(value as i64)
}
