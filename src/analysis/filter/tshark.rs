//! An expression in tshark's display filter language.

use super::ast::{Compare, Expr, Filter, Node, Test};
use super::field::Field;
use super::names;

impl Filter {
    /// A display filter for tshark and Wireshark that selects the packets in which the selected
    /// messages end, as far as Wireshark decodes them; `None` where there is none, or where the
    /// expression takes everything.
    pub fn to_tshark(&self) -> Option<String> {
        match &self.root.node {
            Node::And(parts) if parts.is_empty() => None,
            _ => write(&self.root, false),
        }
    }
}

fn write(expr: &Expr, inner: bool) -> Option<String> {
    let list = |parts: &[Expr], separator: &str| {
        let parts: Option<Vec<_>> = parts.iter().map(|part| write(part, true)).collect();
        let text = parts?.join(separator);
        Some(if inner { format!("({text})") } else { text })
    };
    match &expr.node {
        Node::And(parts) => list(parts, " && "),
        Node::Or(parts) => list(parts, " || "),
        Node::Not(inner) => Some(format!("!({})", write(inner, false)?)),
        Node::Test(test) => write_test(test),
    }
}

/// Our field, Wireshark's, and how many of our units make one of Wireshark's.
const NUMBERS: &[(Field, &str, i64)] = &[
    (Field::Type, "rtmpt.header.typeid", 1),
    (Field::Stream, "rtmpt.header.streamid", 1),
    (Field::Csid, "rtmpt.header.csid", 1),
    (Field::Fmt, "rtmpt.header.format", 1),
    (Field::Length, "rtmpt.header.bodysize", 1),
    (Field::Ts, "rtmpt.header.timestamp", 1_000_000),
    (Field::ChunkSize, "rtmpt.scm.chunksize", 1),
    (Field::AbortCsid, "rtmpt.scm.csid", 1),
    (Field::Ack, "rtmpt.scm.seq", 1),
    (Field::Window, "rtmpt.scm.was", 1),
    (Field::Limit, "rtmpt.scm.limittype", 1),
    (Field::Event, "rtmpt.ucm.eventtype", 1),
    (Field::Request, "rtmpt.function.response", 1),
    (Field::AudioFormat, "rtmpt.audio.format", 1),
    (Field::VideoFormat, "rtmpt.video.format", 1),
    (Field::FrameType, "rtmpt.video.type", 1),
    (Field::Frame, "frame.number", 1),
    (Field::Port, "tcp.port", 1),
    (Field::SrcPort, "tcp.srcport", 1),
    (Field::DstPort, "tcp.dstport", 1),
];

fn write_test(test: &Test) -> Option<String> {
    match (test.field, &test.compare) {
        (Field::Video, Compare::Present) => return Some("rtmpt.header.typeid == 9".into()),
        (Field::Audio, Compare::Present) => return Some("rtmpt.header.typeid == 8".into()),
        (Field::Extended, Compare::Present) => return Some("rtmpt.header.ets".into()),
        (Field::Reply, Compare::Present) => return Some("rtmpt.function.response".into()),
        // Sequence headers bear the same mark; their second payload byte is 0.
        (Field::Key, Compare::Present) => {
            return Some("(rtmpt.video.type == 1 && !(rtmpt.video.data[0:1] == 00))".into());
        }
        (Field::Time, Compare::Within(ranges)) => {
            return all_of(ranges, "frame.time_relative", &|n| seconds(n));
        }
        (Field::Codec, Compare::Is(codecs)) => return codec(codecs),
        (Field::Cmd, compare) => {
            return texts("amf.string", compare)
                .map(|text| format!("(rtmpt.header.typeid in {{17, 20}} && {text})"));
        }
        (Field::Text | Field::Code | Field::Arg | Field::Handler, compare) => {
            return texts("amf.string", compare);
        }
        (Field::Ip | Field::SrcIp | Field::DstIp, Compare::Is(addresses)) => {
            return addresses_in(test.field, addresses);
        }
        _ => {}
    }
    let (_, name, unit) = NUMBERS.iter().find(|(field, ..)| *field == test.field)?;
    match &test.compare {
        Compare::Present => Some((*name).to_owned()),
        Compare::Within(ranges) => all_of(ranges, name, &|n| whole(n, *unit)),
        Compare::Without(ranges) => {
            let within = all_of(ranges, name, &|n| whole(n, *unit))?;
            Some(format!("({name} && !({within}))"))
        }
        _ => None,
    }
}

/// Numbers beyond message types are ours alone.
fn whole(number: i64, unit: i64) -> Option<String> {
    (number % unit == 0).then(|| (number / unit).to_string())
}

fn seconds(number: i64) -> Option<String> {
    Some(format!("{:.9}", number as f64 / 1e9).trim_end_matches('0').trim_end_matches('.').into())
}

fn all_of(
    ranges: &[(i64, i64)],
    name: &str,
    value: &dyn Fn(i64) -> Option<String>,
) -> Option<String> {
    if name == "rtmpt.header.typeid" && ranges.iter().any(|(low, high)| low == high && *low > 255) {
        return None;
    }
    if ranges.len() > 1 && ranges.iter().all(|(low, high)| low == high) {
        let values: Option<Vec<_>> = ranges.iter().map(|(low, _)| value(*low)).collect();
        return Some(format!("{name} in {{{}}}", values?.join(", ")));
    }
    let one = |(low, high): &(i64, i64)| -> Option<String> {
        Some(match (*low, *high) {
            (low, high) if low == high => format!("{name} == {}", value(low)?),
            (i64::MIN, high) => {
                format!("{name} <= {}", value(high).or_else(|| value_below(high, value))?)
            }
            (low, i64::MAX) => {
                format!("{name} >= {}", value(low).or_else(|| value_above(low, value))?)
            }
            (low, high) => format!("({name} >= {} && {name} <= {})", value(low)?, value(high)?),
        })
    };
    let parts: Option<Vec<_>> = ranges.iter().map(one).collect();
    let parts = parts?;
    match &parts[..] {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(format!("({})", parts.join(" || "))),
    }
}

/// `ts<500ms` ends a nanosecond below a value that Wireshark can write: 499.
fn value_below(number: i64, value: &dyn Fn(i64) -> Option<String>) -> Option<String> {
    value(number.div_euclid(MILLISECOND) * MILLISECOND)
}

fn value_above(number: i64, value: &dyn Fn(i64) -> Option<String>) -> Option<String> {
    value((number.div_euclid(MILLISECOND) + 1).checked_mul(MILLISECOND)?)
}

const MILLISECOND: i64 = 1_000_000;

fn codec(names: &[String]) -> Option<String> {
    let one = |name: &String| {
        let codec = names::codec(name)?;
        let (field, number) = match (codec.video_format, codec.audio_format) {
            (Some(number), _) => ("rtmpt.video.format", number),
            (_, Some(number)) => ("rtmpt.audio.format", number),
            _ => return None,
        };
        Some(format!("{field} == {number}"))
    };
    let parts: Option<Vec<_>> = names.iter().map(one).collect();
    let parts = parts?;
    Some(if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" || ")) })
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn texts(name: &str, compare: &Compare) -> Option<String> {
    match compare {
        Compare::Present => Some(name.to_owned()),
        Compare::Is(texts) => match &texts[..] {
            [text] => Some(format!("{name} == {}", quote(text))),
            _ => {
                let texts: Vec<_> = texts.iter().map(|text| quote(text)).collect();
                Some(format!("{name} in {{{}}}", texts.join(", ")))
            }
        },
        Compare::Contains(text) => Some(format!("lower({name}) contains {}", quote(text))),
        Compare::Matches(regex) => Some(format!("{name} matches {}", quote(regex.as_str()))),
        // A message has other strings beside the one that is compared.
        _ => None,
    }
}

fn addresses_in(field: Field, addresses: &[String]) -> Option<String> {
    let one = |address: &String| {
        let layer = if address.contains(':') { "ipv6" } else { "ip" };
        let side = match field {
            Field::SrcIp => "src",
            Field::DstIp => "dst",
            _ => "addr",
        };
        format!("{layer}.{side} == {address}")
    };
    let parts: Vec<_> = addresses.iter().map(one).collect();
    Some(if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" || ")) })
}
