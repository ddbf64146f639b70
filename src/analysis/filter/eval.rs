//! An expression and a subject give true or false.

use std::net::SocketAddr;

use super::ast::{Compare, Expr, Filter, Node, Test};
use super::field::Field;
use super::names;
use super::subject::Subject;
use crate::analysis::index::{MediaKind, Row};
use crate::base::Direction;
use crate::wire::message::MessageType;

impl Filter {
    /// Whether the subject is selected.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        eval(&self.root, subject)
    }
}

fn eval(expr: &Expr, subject: &Subject<'_>) -> bool {
    match &expr.node {
        Node::And(parts) => parts.iter().all(|part| eval(part, subject)),
        Node::Or(parts) => parts.iter().any(|part| eval(part, subject)),
        Node::Not(inner) => !eval(inner, subject),
        Node::Test(test) => holds(test, subject),
    }
}

fn holds(test: &Test, subject: &Subject<'_>) -> bool {
    match &test.compare {
        Compare::Present => {
            let mut there = false;
            match test.field.is_text() {
                true => texts(test.field, subject, &mut |_| there = true),
                false => numbers(test.field, subject, &mut |_, _| there = true),
            }
            there
        }
        Compare::Within(ranges) => {
            let mut any = false;
            numbers(test.field, subject, &mut |low, high| {
                any |= ranges.iter().any(|(from, to)| low <= *to && high >= *from);
            });
            any
        }
        Compare::Without(ranges) => {
            let (mut there, mut any) = (false, false);
            numbers(test.field, subject, &mut |low, high| {
                there = true;
                any |= ranges.iter().any(|(from, to)| low <= *to && high >= *from);
            });
            there && !any
        }
        Compare::Is(wanted) => some(test.field, subject, |text| wanted.iter().any(|w| w == text)),
        Compare::IsNot(unwanted) => {
            none(test.field, subject, |text| unwanted.iter().any(|w| w == text))
        }
        Compare::Contains(part) => {
            some(test.field, subject, |text| text.to_lowercase().contains(part.as_str()))
        }
        Compare::Matches(regex) => some(test.field, subject, |text| regex.is_match(text)),
        Compare::MatchesNot(regex) => none(test.field, subject, |text| regex.is_match(text)),
    }
}

fn some(field: Field, subject: &Subject<'_>, test: impl Fn(&str) -> bool) -> bool {
    let mut any = false;
    texts(field, subject, &mut |text| any = any || test(text));
    any
}

/// Whether the field is there and no value of it passes the test.
fn none(field: Field, subject: &Subject<'_>, test: impl Fn(&str) -> bool) -> bool {
    let (mut there, mut any) = (false, false);
    texts(field, subject, &mut |text| {
        there = true;
        any = any || test(text);
    });
    there && !any
}

const MILLISECOND: i64 = 1_000_000;

/// Calls back with each numeric value of a field, as a range: a message lies in several packets.
/// A flag calls back when it is set.
fn numbers(field: Field, subject: &Subject<'_>, each: &mut dyn FnMut(i64, i64)) {
    if let Field::Ip | Field::SrcIp | Field::DstIp = field {
        return;
    }
    if let Field::FindSeverity | Field::Find = field {
        if let (Some(lookup), Some(session), Some(_)) =
            (subject.findings, subject.session, subject.row)
        {
            lookup.findings(session, subject.number, &mut |severity, _| {
                each(severity.into(), severity.into());
            });
        }
        return;
    }
    if let Field::Port | Field::SrcPort | Field::DstPort = field {
        peers(field, subject, &mut |peer| each(peer.port().into(), peer.port().into()));
        return;
    }
    if field == Field::Frame {
        if let Some((first, last)) = subject.frames.filter(|(first, _)| *first > 0) {
            each(first as i64, last as i64);
        }
        return;
    }
    if let Some(value) = number(field, subject) {
        each(value, value);
    }
}

/// The value of a field that has one number.
fn number(field: Field, subject: &Subject<'_>) -> Option<i64> {
    match field {
        Field::Type => match (subject.row, subject.pseudo) {
            (Some(row), _) => Some(row.type_id.0.into()),
            (None, pseudo) => pseudo.map(|pseudo| pseudo.number()),
        },
        Field::Dir => subject.direction.map(|direction| direction.index() as i64),
        Field::Session => subject.session.map(i64::from),
        Field::Time => {
            let (time, epoch) = (subject.time?, subject.epoch?);
            Some(time.nanos_since(epoch))
        }
        Field::Gap => subject.gap,
        Field::Step => subject.step,
        Field::Delta => subject.delta,
        Field::Transfer => subject.transfer,
        Field::Response => subject.response,
        Field::Request => subject.request.map(|frame| frame as i64),
        Field::Received => subject.received.map(i64::from),
        Field::Chunks => subject.chunks.map(i64::from),
        Field::Offset => subject.offset.map(|offset| offset as i64),
        Field::Csid => subject.row.map(Row::csid).or(subject.csid).map(i64::from),
        Field::Length => match subject.row {
            Some(row) => Some(row.length.into()),
            None => subject.gap_len.map(|len| len as i64),
        },
        Field::Number => subject.row.map(|_| subject.number as i64 + 1),
        _ => of_row(field, subject.row?, subject),
    }
}

fn of_row(field: Field, row: &Row, subject: &Subject<'_>) -> Option<i64> {
    let flag = |set: bool| set.then_some(1);
    let of_type = |types: &[MessageType], value: Option<u32>| match types.contains(&row.type_id) {
        true => value.map(i64::from),
        false => None,
    };
    match field {
        Field::Stream => row.stream_id().map(i64::from),
        Field::Fmt => Some(row.fmt().into()),
        Field::Ts => Some(i64::from(row.timestamp) * MILLISECOND),
        Field::Complete => flag(row.complete()),
        Field::TsExact => flag(row.timestamp_exact()),
        Field::Extended => flag(row.extended_timestamp()),
        Field::Malformed => flag(row.stopped()),
        Field::Confidence => Some(row.confidence() as i64),
        Field::Reply => flag(row.request().is_some() || subject.response.is_some()),
        Field::Event if row.type_id == MessageType::USER_CONTROL => {
            names::event(subject.strings.get(row.label))
        }
        Field::Value => row.value().map(i64::from),
        Field::ChunkSize => of_type(&[MessageType::SET_CHUNK_SIZE], row.value()),
        Field::Ack => of_type(&[MessageType::ACKNOWLEDGEMENT], row.value()),
        Field::Window => of_type(
            &[MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE, MessageType::SET_PEER_BANDWIDTH],
            row.value(),
        ),
        Field::AbortCsid => of_type(&[MessageType::ABORT], row.value()),
        Field::Limit if row.type_id == MessageType::SET_PEER_BANDWIDTH => {
            let name = subject.strings.get(row.label);
            names::LIMITS.iter().find(|(limit, _)| *limit == name).map(|(_, number)| *number)
        }
        Field::Kind => (row.media != MediaKind::None).then_some(row.media as i64),
        Field::Key => flag(row.media == MediaKind::Key),
        Field::Cts => row.composition_time().map(|cts| i64::from(cts) * MILLISECOND),
        Field::Enhanced => flag(row.enhanced()),
        Field::Multitrack => flag(row.multitrack()),
        Field::Track => row.track().map(i64::from),
        Field::Video => flag(row.type_id == MessageType::VIDEO),
        Field::Audio => flag(row.type_id == MessageType::AUDIO),
        Field::VideoFormat if row.type_id == MessageType::VIDEO && !row.enhanced() => {
            names::codec(subject.strings.get(row.label))?.video_format
        }
        Field::AudioFormat if row.type_id == MessageType::AUDIO && !row.enhanced() => {
            names::codec(subject.strings.get(row.label))?.audio_format
        }
        Field::FrameType if row.type_id == MessageType::VIDEO => match row.media {
            MediaKind::Key | MediaKind::SequenceHeader => Some(1),
            MediaKind::Inter => Some(2),
            MediaKind::Disposable => Some(3),
            MediaKind::Command => Some(5),
            _ => None,
        },
        _ => None,
    }
}

/// Calls back with each text of a field.
fn texts(field: Field, subject: &Subject<'_>, each: &mut dyn FnMut(&str)) {
    match field {
        Field::Anomaly => subject.anomalies.iter().for_each(|kind| each(kind)),
        Field::FindRule => {
            if let (Some(lookup), Some(session), Some(_)) =
                (subject.findings, subject.session, subject.row)
            {
                lookup.findings(session, subject.number, &mut |_, rule| each(rule));
            }
        }
        Field::Ip | Field::SrcIp | Field::DstIp => {
            peers(field, subject, &mut |peer| each(&peer.ip().to_string()));
        }
        Field::Transport => subject.transport.iter().for_each(|t| each(t.name())),
        _ => {
            if let Some(row) = subject.row {
                of_row_texts(field, row, subject, each);
            }
        }
    }
}

fn of_row_texts(field: Field, row: &Row, subject: &Subject<'_>, each: &mut dyn FnMut(&str)) {
    let mut say = |text: &str| {
        if !text.is_empty() {
            each(text);
        }
    };
    let label = || subject.strings.get(row.label);
    let is_command = matches!(row.type_id, MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3);
    // Replies and on… events carry an information object, requests an argument.
    let has_code = || label().starts_with('_') || label().starts_with("on");
    match field {
        Field::Cmd if is_command => say(label()),
        Field::Code if is_command && has_code() => say(subject.strings.get(row.code())),
        Field::Arg if is_command && !has_code() => say(subject.strings.get(row.code())),
        Field::Handler
            if matches!(row.type_id, MessageType::DATA_AMF0 | MessageType::DATA_AMF3) =>
        {
            say(label());
        }
        Field::Object
            if matches!(
                row.type_id,
                MessageType::SHARED_OBJECT_AMF0 | MessageType::SHARED_OBJECT_AMF3
            ) =>
        {
            say(label());
        }
        Field::Text => {
            say(label());
            say(subject.strings.get(row.code()));
        }
        Field::Codec if row.type_id.is_media() => say(label()),
        Field::FourCc if row.type_id.is_media() && row.enhanced() => {
            if let Some(fourcc) = names::codec(label()).and_then(|codec| codec.fourcc) {
                say(fourcc);
            }
        }
        _ => {}
    }
}

fn peers(field: Field, subject: &Subject<'_>, each: &mut dyn FnMut(&SocketAddr)) {
    let Some([client, server]) = &subject.peers else { return };
    let (source, destination) = match subject.direction {
        Some(Direction::ServerToClient) => (server, client),
        Some(Direction::ClientToServer) => (client, server),
        None if matches!(field, Field::Ip | Field::Port) => (client, server),
        None => return,
    };
    if !matches!(field, Field::DstIp | Field::DstPort) {
        each(source);
    }
    if !matches!(field, Field::SrcIp | Field::SrcPort) {
        each(destination);
    }
}
