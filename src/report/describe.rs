//! What a message says, in one line of RTMP terms.

use std::fmt::Write;

use super::{hex, names};
use crate::analysis::{Fact, FactValue};
use crate::rtmp::{Message, Reply};
use crate::wire::amf::{Property, Value};
use crate::wire::codec::CodecConfig;
use crate::wire::flv::{AudioTag, ModEx, Track, TrackConfig, VideoTag};
use crate::wire::message::{
    AggregatePart, Body, Command, Data, MessageType, SharedObject, UserControl,
};

/// Longest text of one value; a hostile name must not fill the screen.
const MAX_VALUE: usize = 120;

/// Longest description of a status: it is there to be read.
const MAX_DESCRIPTION: usize = 300;

/// Longest text of all values of a message.
const MAX_DETAIL: usize = 500;

/// A message in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Command name or kind: `connect`, `video`, `Set Chunk Size`.
    pub head: String,
    /// The rest: values that matter, without a length.
    pub detail: String,
    /// Whether it reports a failure: `_error`, or a status of level `error`.
    pub is_error: bool,
}

/// Describes a message. Text from the wire is escaped, so that it cannot steer a terminal, and cut
/// when it is long.
pub fn describe(message: &Message) -> Description {
    let mut description = describe_body(message.type_id, &message.body, message.reply.as_ref());
    cut(&mut description.detail, MAX_DETAIL);
    description
}

fn describe_body(type_id: MessageType, body: &Body, reply: Option<&Reply>) -> Description {
    let (head, detail) = match body {
        Body::Command(command) => return describe_command(command, reply),
        Body::SetChunkSize { size, reserved_bit } => {
            let note = if *reserved_bit { " (reserved bit set)" } else { "" };
            ("Set Chunk Size", format!("{size}{note}"))
        }
        Body::Abort { csid } => ("Abort Message", format!("chunk stream {csid}")),
        Body::Acknowledgement { sequence_number } => {
            ("Acknowledgement", format!("{sequence_number}"))
        }
        Body::WindowAcknowledgementSize { size } => {
            ("Window Acknowledgement Size", format!("{size}"))
        }
        Body::SetPeerBandwidth { size, limit } => (
            "Set Peer Bandwidth",
            format!("{size} {}", limit.map_or("(no limit type)", |l| l.name())),
        ),
        Body::UserControl(control) => ("User Control", user_control(control)),
        Body::Data(data) => return describe_data(data),
        Body::SharedObject(object) => ("shared object", shared_object(object)),
        Body::Audio(tag) => ("audio", audio(tag)),
        Body::Video(tag) => ("video", video(tag)),
        Body::Aggregate(parts) => ("aggregate", aggregate(parts)),
        Body::Unknown if type_id.is_known() => (type_id.kind(), "not decoded".to_owned()),
        Body::Unknown => {
            return Description {
                head: format!("type {}", type_id.0),
                detail: "unknown message type".to_owned(),
                is_error: false,
            };
        }
    };
    Description { head: head.to_owned(), detail, is_error: false }
}

fn user_control(control: &UserControl) -> String {
    let name = match control.event.0 {
        0 => "Stream Begin",
        1 => "Stream EOF",
        2 => "Stream Dry",
        3 => "Set Buffer Length",
        4 => "Stream Is Recorded",
        6 => "Ping Request",
        7 => "Ping Response",
        0x1a => "SWF Verification Request",
        0x1b => "SWF Verification Response",
        0x1f => "Buffer Empty",
        0x20 => "Buffer Ready",
        _ => "",
    };
    let mut out = match name {
        "" => format!("event {}", control.event.0),
        name => name.to_owned(),
    };
    if let Some(id) = control.stream_id {
        let _ = write!(out, " stream {id}");
    }
    if let Some(ms) = control.buffer_ms {
        let _ = write!(out, " {ms} ms");
    }
    if let Some(timestamp) = control.timestamp {
        let _ = write!(out, " {timestamp}");
    }
    if !control.data.is_empty() {
        let _ = write!(out, " {} B of data", control.data.len());
    }
    out
}

fn describe_command(command: &Command, reply: Option<&Reply>) -> Description {
    let mut head = clean(&command.name.lossy());
    if head.is_empty() {
        head = "command without a name".to_owned();
    }
    let mut parts = Vec::new();
    if let Some(reply) = reply {
        let _ = write!(head, "({})", clean(&reply.command.lossy()));
        parts.push(format!("+{}", milliseconds(reply.response_time)));
    } else if command.is_reply()
        && let Some(id) = command.transaction_id
    {
        let _ = write!(head, "(#{id})");
    }
    let mut is_error = command.name == "_error";
    if command.name == "connect" {
        if let Some(object) = &command.object {
            parts.extend(connect(object));
        }
        parts.extend(command.arguments.iter().map(value));
    } else {
        if let Some(object) = &command.object
            && !command.is_reply()
            && !matches!(object, Value::Null | Value::Undefined)
        {
            parts.push(value(object));
        }
        // What createStream gives and deleteStream takes is a number that names a stream.
        let names_stream = command.name == "deleteStream"
            || reply.is_some_and(|r| r.command == "createStream" && command.name == "_result");
        for argument in &command.arguments {
            if let Value::Number(id) = argument
                && names_stream
            {
                parts.push(format!("stream {id}"));
                continue;
            }
            match argument.get("code").and_then(Value::as_text) {
                Some(_) => {
                    is_error |= argument
                        .get("level")
                        .and_then(Value::as_text)
                        .is_some_and(|level| *level == "error");
                    parts.push(status(argument));
                }
                None if command.is_reply()
                    && matches!(argument, Value::Undefined | Value::Null) => {}
                None => parts.push(value(argument)),
            }
        }
    }
    Description { head, detail: parts.join(" "), is_error }
}

/// The members of connect's command object that tell sessions apart, in a fixed order.
fn connect(object: &Value) -> Vec<String> {
    const SHOWN: &[&str] = &[
        "app",
        "tcUrl",
        "flashVer",
        "type",
        "swfUrl",
        "pageUrl",
        "objectEncoding",
        "fourCcList",
        "videoFourCcInfoMap",
        "audioFourCcInfoMap",
        "capsEx",
        "videoFunction",
    ];
    let mut out = Vec::new();
    for name in SHOWN {
        let Some(found) = object.get(name) else { continue };
        // AMF0 and an empty page are what everyone sends.
        let is_default = match found {
            Value::Number(number) => *name == "objectEncoding" && *number == 0.0,
            Value::String(text) => text.0.is_empty(),
            Value::Undefined | Value::Null => true,
            _ => false,
        };
        if !is_default {
            out.push(format!("{name}={}", value(found)));
        }
    }
    out
}

/// An information object: its code, its description, and its level when that is not `status`.
fn status(info: &Value) -> String {
    let text = |name| info.get(name).and_then(Value::as_text).map(|t| clean(&t.lossy()));
    let mut out = text("code").unwrap_or_default();
    if let Some(level) = text("level").filter(|level| level != "status") {
        let _ = write!(out, " level={level}");
    }
    if let Some(description) = text("description").filter(|d| !d.is_empty()) {
        let mut description = description;
        cut(&mut description, MAX_DESCRIPTION);
        let _ = write!(out, " \"{description}\"");
    }
    for name in ["details", "tcUrl"] {
        if let Some(found) = text(name).filter(|t| !t.is_empty()) {
            let _ = write!(out, " {name}={}", shortened(&found));
        }
    }
    out
}

fn describe_data(data: &Data) -> Description {
    let names = data.values.iter().take_while(|v| v.as_text().is_some()).take(2);
    let mut head = Vec::new();
    for name in names {
        head.push(name.as_text().map(|t| clean(&t.lossy())).unwrap_or_default());
        // `@setDataFrame onMetaData {…}` has two names, anything else has one.
        if head[0] != "@setDataFrame" && head[0] != "@clearDataFrame" {
            break;
        }
    }
    let values = &data.values[head.len()..];
    let detail: Vec<String> = values.iter().map(members_or_value).collect();
    let head = if head.is_empty() { "data".to_owned() } else { head.join(" ") };
    Description { head: shortened(&head), detail: detail.join(" "), is_error: false }
}

fn shared_object(object: &SharedObject) -> String {
    let mut out = format!("{} version {}", shortened(&clean(&object.name.lossy())), object.version);
    for event in &object.events {
        let _ = write!(out, " {}", names::shared_object_event(event.event));
        for name in &event.names {
            let _ = write!(out, " {}", clean(&name.lossy()));
        }
        if out.len() > MAX_DETAIL {
            break;
        }
    }
    out
}

fn video(tag: &VideoTag) -> String {
    let mut parts = Vec::new();
    // Metadata carries any frame type.
    if tag.is_command() || !tag.enhanced || tag.packet_type != Some(4) {
        parts.push(names::frame_type(tag).into_owned());
    }
    parts.extend(names::video_codec(tag).map(|c| c.into_owned()));
    parts.extend(names::video_packet_type(tag).and_then(|name| packet(&name)));
    parts.extend(tag.command.map(|c| names::video_command(c).replace('_', " ")));
    if tag.multitrack.is_none() {
        parts.extend(tag.composition_time.filter(|t| *t != 0).map(|t| format!("cts {t:+}")));
    }
    tracks(&mut parts, tag.multitrack.map(|m| m.name()), &tag.tracks, &tag.mod_ex);
    if !tag.metadata.is_empty() {
        parts.push(members(&tag.metadata));
    }
    parts.join(" ")
}

/// A packet type as text shows it; that a packet holds frames goes without saying.
fn packet(name: &str) -> Option<String> {
    match name {
        "coded_frames" | "coded_frames_x" | "command" => None,
        "sequence_start" => Some("seq-header".to_owned()),
        "sequence_end" => Some("seq-end".to_owned()),
        other => Some(other.replace('_', "-")),
    }
}

fn audio(tag: &AudioTag) -> String {
    if tag.empty {
        return "empty".to_owned();
    }
    let mut parts = Vec::new();
    parts.extend(names::audio_codec(tag).map(|c| c.into_owned()));
    parts.extend(names::audio_packet_type(tag).and_then(|name| packet(&name)));
    // AAC says 44100/2 whatever it is; the configuration knows.
    if tag.sound_format != 10
        && let (Some(rate), Some(channels)) = (names::sound_rate(tag), tag.sound_type)
    {
        parts.push(format!("{rate}/{}", channels + 1));
    }
    tracks(&mut parts, tag.multitrack.map(|m| m.name()), &tag.tracks, &tag.mod_ex);
    parts.join(" ")
}

fn tracks(
    parts: &mut Vec<String>,
    multitrack: Option<&'static str>,
    tracks: &[Track],
    mod_ex: &[ModEx],
) {
    for ex in mod_ex {
        match ex.nanoseconds {
            Some(ns) => parts.push(format!("+{ns} ns")),
            None => parts.push(format!("mod-ex {} ({} B)", names::mod_ex(ex.kind), ex.len)),
        }
    }
    let Some(multitrack) = multitrack else {
        parts.extend(tracks.iter().filter_map(|t| t.config.as_ref()).map(config));
        return;
    };
    parts.push(multitrack.replace('_', "-"));
    let mixed = names::common_fourcc(tracks.iter().map(|t| t.fourcc)).is_none();
    for track in tracks.iter().take(16) {
        let mut out = format!("[track {}", track.id.unwrap_or(0));
        if let Some(fourcc) = track.fourcc.filter(|_| mixed) {
            let _ = write!(out, " {}", names::fourcc_codec(fourcc));
        }
        if let Some(time) = track.composition_time.filter(|t| *t != 0) {
            let _ = write!(out, " cts {time:+}");
        }
        if let Some(found) = &track.config {
            let _ = write!(out, " {}", config(found));
        }
        let _ = write!(out, " {} B]", track.range.len());
        parts.push(out);
    }
}

fn config(config: &TrackConfig) -> String {
    match config {
        TrackConfig::Codec(config) => codec_config(config),
        TrackConfig::Multichannel { order, channels, .. } => {
            format!("{} channels, {} order", channels, names::channel_order(*order))
        }
    }
}

/// A codec configuration in a line: profile, size, rates.
pub fn codec_config(config: &CodecConfig) -> String {
    let mut parts = Vec::new();
    parts.extend(config.profile.clone());
    parts.extend(config.level.clone());
    if let (Some(width), Some(height)) = (config.width, config.height) {
        parts.push(format!("{width}x{height}"));
    }
    parts.extend(config.frame_rate.map(|f| format!("{} fps", (f * 1000.0).round() / 1000.0)));
    parts.extend(config.chroma.filter(|c| *c != "4:2:0").map(str::to_owned));
    parts.extend(config.bit_depth.filter(|b| *b != 8 && *b != 16).map(|b| format!("{b}-bit")));
    parts.extend(config.sample_rate.map(|rate| match config.channels {
        Some(channels) => format!("{rate}/{channels}"),
        None => rate.to_string(),
    }));
    if let Some(stop) = &config.stop {
        parts.push(format!("(config stops at {} at byte {})", stop.field, stop.at));
    }
    parts.join(" ")
}

fn aggregate(parts: &[AggregatePart]) -> String {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    for part in parts {
        let kind = part.type_id.kind();
        match counts.iter_mut().find(|(k, _)| *k == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    format!("of {} messages: {}", parts.len(), counts.join(", "))
}

/// A response time as people read it.
pub(super) fn milliseconds(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    if ms.abs() < 0.1 {
        format!("{:.0}us", ms * 1000.0)
    } else if ms.abs() < 10.0 {
        format!("{ms:.2}ms")
    } else if ms.abs() < 1000.0 {
        format!("{ms:.0}ms")
    } else {
        format!("{:.2}s", seconds)
    }
}

/// `name value` of each field, separated by commas; what is not so is left out.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the text format needs it"))]
pub(super) fn fact_values(fact: &Fact) -> String {
    let mut out = Vec::new();
    for (name, value) in &fact.fields {
        let name = name.replace('_', " ");
        match value {
            FactValue::Flag(false) => {}
            FactValue::Flag(true) => out.push(name),
            FactValue::Number(number) => out.push(format!("{name} {number}")),
            FactValue::Text(text) => out.push(format!("{name} {text}")),
            FactValue::Bytes(bytes) => out.push(format!("{name} {}", hex::digits(bytes))),
            FactValue::List(list) => out.push(format!("{name} {}", list.join(" "))),
        }
    }
    out.join(", ")
}

/// Text without anything that a terminal would act on.
pub(super) fn clean(text: &str) -> String {
    let is_steering = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(is_steering) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_steering(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn cut(text: &mut String, max: usize) {
    if text.chars().count() > max {
        *text = text.chars().take(max).collect();
        text.push('…');
    }
}

fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    cut(&mut text, MAX_VALUE);
    text
}

/// A value on one line.
pub(super) fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// The members of an object without its braces, anything else as it is.
fn members_or_value(found: &Value) -> String {
    match found {
        Value::Object { class: None, properties } => members(properties),
        Value::EcmaArray { properties, dense, .. } if dense.is_empty() => members(properties),
        other => value(other),
    }
}

fn members(properties: &[Property]) -> String {
    let mut out = String::new();
    for property in properties {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&shortened(&clean(&property.name.lossy())));
        out.push('=');
        write_value(&mut out, &property.value, 1);
        if out.len() > MAX_DETAIL * 2 {
            break;
        }
    }
    out
}

fn write_value(out: &mut String, value: &Value, depth: u32) {
    // Enough for a line: whoever wants all of it asks for the tree.
    if out.len() > MAX_DETAIL * 2 {
        return;
    }
    if depth > 4 {
        out.push('…');
        return;
    }
    match value {
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Integer(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Boolean(boolean) => {
            let _ = write!(out, "{boolean}");
        }
        Value::String(text) | Value::Xml(text) => {
            let text = shortened(&clean(&text.lossy()));
            let is_word = !text.is_empty()
                && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '{' | ','));
            if is_word {
                out.push_str(&text);
            } else {
                let _ = write!(out, "\"{}\"", text.replace('"', "\\\""));
            }
        }
        Value::Null => out.push_str("null"),
        Value::Undefined => out.push_str("undefined"),
        Value::MovieClip => out.push_str("(movie clip)"),
        Value::Unsupported => out.push_str("(unsupported)"),
        Value::RecordSet => out.push_str("(record set)"),
        Value::Reference(index) => {
            let _ = write!(out, "(reference {index})");
        }
        Value::Object { class, properties } => {
            if let Some(class) = class {
                out.push_str(&shortened(&clean(&class.lossy())));
            }
            write_members(out, properties, depth);
        }
        Value::EcmaArray { properties, dense, .. } => {
            if !dense.is_empty() {
                write_list(out, dense.iter(), depth);
            }
            write_members(out, properties, depth);
        }
        Value::StrictArray(items) => write_list(out, items.iter(), depth),
        Value::VectorObject { items, .. } => write_list(out, items.iter(), depth),
        Value::Externalizable { class, content } => {
            out.push_str(&shortened(&clean(&class.lossy())));
            write_list(out, content.iter(), depth);
        }
        Value::Date { millis, .. } => {
            let _ = write!(out, "(date {millis} ms)");
        }
        Value::ByteArray(bytes) => {
            let _ = write!(out, "({} bytes)", bytes.len());
        }
        Value::VectorInt { items, .. } => {
            let _ = write!(out, "(vector of {} int)", items.len());
        }
        Value::VectorUint { items, .. } => {
            let _ = write!(out, "(vector of {} uint)", items.len());
        }
        Value::VectorDouble { items, .. } => {
            let _ = write!(out, "(vector of {} double)", items.len());
        }
        Value::Dictionary { entries, .. } => {
            let _ = write!(out, "(dictionary of {})", entries.len());
        }
    }
}

fn write_members(out: &mut String, properties: &[Property], depth: u32) {
    out.push('{');
    for (i, property) in properties.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&shortened(&clean(&property.name.lossy())));
        out.push('=');
        write_value(out, &property.value, depth + 1);
        if out.len() > MAX_DETAIL * 2 {
            break;
        }
    }
    out.push('}');
}

fn write_list<'a>(out: &mut String, items: impl Iterator<Item = &'a Value>, depth: u32) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write_value(out, item, depth + 1);
        if out.len() > MAX_DETAIL * 2 {
            break;
        }
    }
    out.push(']');
}
