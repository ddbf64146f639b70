//! Numbers, times and messages in few letters.

use crate::analysis::index::{MediaKind, Row};
use crate::base::{FieldValue, Timestamp};
use crate::report::FieldLine;
use crate::tui::contract::{Ctx, TimeFormat};
use crate::wire::message::MessageType;

/// `17`, `1.2k`, `34M`.
pub fn count(n: u64) -> String {
    let short = |n: f64, unit: &str| match n < 10.0 {
        true => format!("{n:.1}{unit}"),
        false => format!("{n:.0}{unit}"),
    };
    match n {
        0..=9_999 => n.to_string(),
        10_000..=999_949 => short(n as f64 / 1e3, "k"),
        999_950..=999_949_999 => short(n as f64 / 1e6, "M"),
        _ => short(n as f64 / 1e9, "G"),
    }
}

/// `812ms`, `12.4s`, `3m05`, `1h02`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match seconds {
        s if s < 0.0 => format!("-{}", duration(-s)),
        s if s < 0.9995 => format!("{:.0}ms", s * 1000.0),
        s if s < 99.95 => format!("{s:.1}s"),
        s if s < 6000.0 => format!("{}m{:02}", whole / 60, whole % 60),
        _ => format!("{}h{:02}", whole / 3600, whole % 3600 / 60),
    }
}

/// kbit/s, in few letters.
pub fn rate(bytes: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return String::new();
    }
    let kbit = bytes as f64 * 8.0 / seconds / 1000.0;
    match kbit {
        k if k < 9_999.5 => format!("{k:.0}k"),
        k => format!("{:.1}M", k / 1000.0),
    }
}

/// The time of a row as the person wants it. `before` is the row above it.
pub fn time(ctx: &Ctx<'_>, row: &Row, before: Option<&Row>) -> String {
    match ctx.shared.times {
        TimeFormat::Relative => format!("{:.6}", ctx.seconds(row.time)),
        TimeFormat::Delta => {
            let since = before.map_or(0.0, |before| row.time.seconds_since(before.time));
            format!("+{since:.6}")
        }
        TimeFormat::Absolute => time_of_day(row.time),
        TimeFormat::Rtmp => format!("{:.3}", f64::from(row.timestamp) / 1000.0),
    }
}

/// `14:03:22.123456` in UTC.
fn time_of_day(time: Timestamp) -> String {
    let micros = time.0.div_euclid(1000);
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let day = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}.{micros:06}", day / 3600, day / 60 % 60, day % 60)
}

/// A word for the type of a message.
pub fn type_word(type_id: MessageType) -> &'static str {
    match type_id {
        MessageType::SET_CHUNK_SIZE => "chunk size",
        MessageType::ABORT => "abort",
        MessageType::ACKNOWLEDGEMENT => "ack",
        MessageType::USER_CONTROL => "user ctrl",
        MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => "window",
        MessageType::SET_PEER_BANDWIDTH => "peer bw",
        MessageType::AUDIO => "audio",
        MessageType::VIDEO => "video",
        MessageType::DATA_AMF0 => "data",
        MessageType::DATA_AMF3 => "data amf3",
        MessageType::SHARED_OBJECT_AMF0 | MessageType::SHARED_OBJECT_AMF3 => "so",
        MessageType::COMMAND_AMF0 => "command",
        MessageType::COMMAND_AMF3 => "command3",
        MessageType::AGGREGATE => "aggregate",
        _ => "unknown",
    }
}

/// What a message says, in a line.
pub fn info(ctx: &Ctx<'_>, row: &Row) -> String {
    let label = ctx.text(row.label);
    let mut words: Vec<String> = Vec::new();
    match row.type_id {
        MessageType::AUDIO | MessageType::VIDEO => {
            if row.media == MediaKind::Key {
                words.push("KEY".into());
            } else if !matches!(row.media, MediaKind::Audio | MediaKind::Inter) {
                words.push(row.media.name().into());
            }
            words.push(label.into());
            if let Some(cts) = row.composition_time().filter(|cts| *cts != 0) {
                words.push(format!("cts {cts:+}"));
            }
            for (is, word) in [(row.enhanced(), "enhanced"), (row.multitrack(), "multitrack")] {
                if is {
                    words.push(word.into());
                }
            }
        }
        type_id if type_id.is_control() => {
            if type_id == MessageType::USER_CONTROL {
                words.push(label.replace('_', " "));
            }
            if let Some(value) = row.value() {
                words.push(value.to_string());
            }
            if type_id == MessageType::SET_PEER_BANDWIDTH {
                words.push(label.into());
            }
        }
        _ => {
            words.push(label.into());
            words.push(ctx.text(row.code()).into());
        }
    }
    if let Some(session) = ctx.session()
        && let Some(request) = row.request()
        && let Some(asked) = session.rows.get(request)
    {
        words.push(format!("to {} #{}", ctx.text(asked.label), request + 1));
        if let Some(time) = session.response_time(row) {
            words.push(format!("{:.1} ms", time * 1000.0));
        }
    }
    if !row.complete() {
        words.push("[bytes missing]".into());
    }
    if row.stopped() {
        words.push("[not decoded to its end]".into());
    }
    if row.confidence() != crate::rtmp::Confidence::Exact {
        words.push(format!("[{}]", row.confidence().name()));
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// The value of a field; empty for a group.
pub fn field_value(line: &FieldLine) -> String {
    match &line.value {
        FieldValue::Uint(n) => n.to_string(),
        FieldValue::Int(n) => n.to_string(),
        FieldValue::Number(n) => n.to_string(),
        FieldValue::Text(text) if line.redacted => text.clone(),
        FieldValue::Text(text) => format!("{text:?}"),
        FieldValue::Bytes if line.redacted => "<redacted>".into(),
        FieldValue::Bytes => format!("{} bytes", line.range.len()),
        FieldValue::Group => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        let all = [0, 9_999, 10_000, 123_456, 999_950, 12_345_678, 5_000_000_000];
        assert_eq!(all.map(count), ["0", "9999", "10k", "123k", "1.0M", "12M", "5.0G"]);
        let all = [0.0, 0.0412, 1.0, 99.0, 125.0, 7384.0];
        assert_eq!(all.map(duration), ["0ms", "41ms", "1.0s", "99.0s", "2m05", "2h03"]);
        assert_eq!(rate(125_000, 1.0), "1000k");
        assert_eq!(rate(12_500_000, 2.0), "50.0M");
        assert_eq!(rate(1, 0.0), "");
    }

    #[test]
    fn times_before_1970_have_a_time_of_day() {
        assert_eq!(time_of_day(Timestamp(0)), "00:00:00.000000");
        assert_eq!(time_of_day(Timestamp(-1_000_000)), "23:59:59.999000");
    }
}
