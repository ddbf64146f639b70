//! Enhanced RTMP: codecs by FourCC, tracks, extensions.

use super::command::{command, from_client, info};
use super::media_config::{audio, needs_config, video};
use super::media_payload::first_slice;
use crate::analysis::{End, MessageRecord, SessionEnd};
use crate::lint::cause::software;
use crate::lint::context::{CaptureContext, Context, Report};
use crate::lint::ending::Ending;
use crate::lint::finding::Severity;
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::state::{Kind, SessionState};
use crate::lint::words::Words;
use crate::wire::amf::Value;
use crate::wire::flv::FourCc;
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Ertmp,
    title: "",
    severity: Severity::Warning,
    escalates: Some(Severity::Error),
    spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Enhanced Video, Enhanced Audio" }),
    basis: Basis::Spec,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Message,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ertmp/not-negotiated",
        title: "Enhanced codec sent to a peer that did not announce it",
        severity: Severity::Note,
        spec: Some(SpecRef {
            document: "Enhanced RTMP v2",
            section: "Enhancing NetConnection connect",
        }),
        basis: Basis::DeFacto,
        explanation: "Codecs with a FourCC are to be sent only to a peer that lists them in \
            connect or its reply (fourCcList, videoFourCcInfoMap). Servers that know them often \
            announce nothing, so this is a warning only with a server that is known not to: \
            nginx-rtmp takes HEVC without complaint and gives its players no video.",
        advice: "Publish H.264 and AAC, or use a server that knows Enhanced RTMP.",
        covers: &["ertmp/connect/unadvertised-codec"],
        escalates: None,
        needs: Needs::Both,
        checks: &[Check::Media(not_negotiated), Check::End(closed_on_it)],
        ..BASE
    },
    Rule {
        id: "ertmp/legacy-hevc-id12",
        title: "HEVC with the unofficial codec id 12",
        explanation: "Codec id 12 (13 for AV1) is an extension of Chinese CDNs. Only receivers \
            with that patch decode it; nginx-rtmp without it drops the video.",
        advice: "Use an encoder that sends HEVC as FourCC hvc1, or publish H.264.",
        basis: Basis::DeFacto,
        checks: &[Check::Media(id12)],
        ..BASE
    },
    Rule {
        id: "ertmp/hevc-labelled-avc",
        title: "HEVC carried under the AVC codec id",
        severity: Severity::Error,
        escalates: None,
        explanation: "The message says codec id 7 (H.264) and holds an HEVC configuration record.",
        advice: "Set the encoder's RTMP output to H.264, or use one that knows Enhanced RTMP.",
        basis: Basis::DeFacto,
        checks: &[Check::Media(labelled_avc)],
        ..BASE
    },
    Rule {
        id: "ertmp/fourcc-unknown",
        title: "Unknown FourCC",
        severity: Severity::Error,
        escalates: None,
        explanation: "The four bytes name no codec of Enhanced RTMP. When they are not printable, \
            the sender probably uses the top bit of the first byte for something else (DJI).",
        advice: "Look at the sender's video settings; publish H.264.",
        covers: &["ertmp/video/unknown-fourcc"],
        checks: &[Check::Media(unknown)],
        ..BASE
    },
    Rule {
        id: "ertmp/connect-refused-on-fourcclist",
        title: "Server refused a connect that had Enhanced RTMP's properties",
        escalates: None,
        basis: Basis::DeFacto,
        explanation: "connect carries fourCcList or capsEx, and the server refused it or closed.",
        advice: "Turn Enhanced RTMP off in the encoder; if it then works, the server is too strict.",
        covers: &["ertmp/connect/fourcclist-accepted", "ertmp/connect/infomaps-accepted"],
        needs: Needs::Both,
        checks: &[Check::End(connect_refused)],
        ..BASE
    },
    Rule {
        id: "ertmp/sequence-start-missing",
        title: "Enhanced stream without SequenceStart, or with an empty one",
        severity: Severity::Error,
        escalates: None,
        explanation: "Coded frames came before the SequenceStart of their codec, or that holds no \
            configuration record (FFmpeg with libaom).",
        advice: "Update the encoder; FFmpeg: add -flags +global_header.",
        covers: &["ertmp/video/hevc-sequence", "ertmp/video/av1"],
        needs: Needs::Direction,
        checks: &[Check::Media(no_start)],
        ..BASE
    },
    Rule {
        id: "ertmp/cts-lost",
        title: "B-frames sent without composition time",
        severity: Severity::Error,
        escalates: None,
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "ExVideoTagHeader" }),
        explanation: "CodedFramesX says that all composition times are 0, and the pictures are \
            reordered: they are shown at wrong times.",
        advice: "The sender must use CodedFrames (packet type 1), or no B-frames.",
        covers: &["ertmp/video/codedframesx"],
        checks: &[Check::Media(cts_lost)],
        ..BASE
    },
    Rule {
        id: "ertmp/frame-type-zero",
        title: "Enhanced video with frame type 0",
        escalates: None,
        explanation: "Only metadata packets may have any frame type.",
        advice: "Update the encoder.",
        covers: &["ertmp/video/frametype-reserved"],
        checks: &[Check::Media(frame_type)],
        ..BASE
    },
    Rule {
        id: "ertmp/multitrack-not-negotiated",
        title: "Multitrack sent to a peer without the capability",
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Multitrack" }),
        severity: Severity::Note,
        explanation: "The receiver's capsEx lacks multitrack (2). It may drop all, or see one track.",
        advice: "Turn multitrack (the VOD track) off, or use a server that knows it.",
        covers: &["ertmp/multitrack/not-negotiated"],
        needs: Needs::Both,
        checks: &[Check::Media(multitrack)],
        ..BASE
    },
    Rule {
        id: "ertmp/twitch-vod-track",
        title: "Second audio track hidden in data messages",
        severity: Severity::Note,
        basis: Basis::DeFacto,
        explanation: "OBS's VOD track for Twitch goes as data messages with additionalMedia. Other \
            servers do not expect it and some close.",
        advice: "Turn the VOD track off for servers other than Twitch.",
        checks: &[Check::Data(vod_track)],
        ..BASE
    },
    Rule {
        id: "ertmp/metadata-packet",
        title: "Video metadata packets (HDR) present",
        severity: Severity::Note,
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Metadata Frame" }),
        explanation: "Packets of type 4 carry colorInfo. Some servers stumble over them.",
        advice: "If the receiver closes on it, publish SDR or update the receiver.",
        covers: &["ertmp/video/metadata-colorinfo"],
        checks: &[Check::Media(metadata)],
        ..BASE
    },
    Rule {
        id: "ertmp/modex-unsupported",
        title: "ModEx sent without the capability",
        escalates: None,
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "ModEx" }),
        explanation: "The receiver's capsEx lacks ModEx (4): it takes the extension for the packet.",
        advice: "Turn nanosecond timestamps off.",
        covers: &["ertmp/modex/nano-offset"],
        needs: Needs::Both,
        checks: &[Check::Media(mod_ex)],
        ..BASE
    },
    Rule {
        id: "ertmp/reconnect-ignored",
        title: "Server asked the client to reconnect; the client stayed",
        severity: Severity::Note,
        escalates: None,
        spec: Some(SpecRef { document: "Enhanced RTMP v2", section: "Reconnect Request" }),
        explanation: "The server sent NetConnection.Connect.ReconnectRequest and no new connection \
            came. Servers send it before they go down.",
        advice: "Use a client that knows it, or restart the stream by hand.",
        checks: &[Check::Command(reconnect), Check::Capture(stayed)],
        ..BASE
    },
    Rule {
        id: "ertmp/videocodecid-form",
        title: "videocodecid is written in an unusual way",
        severity: Severity::Note,
        escalates: None,
        basis: Basis::DeFacto,
        explanation: "onMetaData's videocodecid is a FourCC as a number, a text, 0, or 7 for \
            another codec. Receivers that decide by it get it wrong.",
        advice: "Receivers should look at the video messages.",
        checks: &[Check::Data(codec_id_form)],
        ..BASE
    },
];

/// What the receiver of a message announced: connect's object, or its reply's objects.
fn announced<'a>(state: &'a SessionState, record: &MessageRecord) -> Vec<&'a Value> {
    if from_client(record) {
        let reply = state.connect_reply.as_ref();
        reply.map_or(Vec::new(), |r| r.properties.iter().chain(&r.information).collect())
    } else {
        state.connect.as_ref().map_or(Vec::new(), |connect| vec![&connect.object])
    }
}

/// Whether an announcement covers a codec.
fn covers(objects: &[&Value], fourcc: FourCc) -> bool {
    let name = fourcc.to_string();
    let lists = objects.iter().filter_map(|object| object.get("fourCcList"));
    let listed = lists.filter_map(|list| match list {
        Value::StrictArray(items) => Some(items.as_slice()),
        Value::EcmaArray { dense, .. } => Some(dense.as_slice()),
        _ => None,
    });
    let in_list =
        listed.flatten().filter_map(Value::as_text).any(|t| *t == name.as_str() || *t == "*");
    let maps = ["videoFourCcInfoMap", "audioFourCcInfoMap"];
    let maps = objects.iter().flat_map(|object| maps.iter().filter_map(|map| object.get(map)));
    let in_map = maps.flat_map(Value::properties).any(|p| p.name == name.as_str() || p.name == "*");
    in_list || in_map
}

/// Bits of capsEx.
fn caps(objects: &[&Value]) -> u32 {
    let mut all = objects.iter().filter_map(|object| object.get("capsEx")?.as_number());
    all.next().filter(|caps| *caps >= 0.0).unwrap_or(0.0) as u32
}

/// The FourCC of an Enhanced message.
fn fourcc(record: &MessageRecord) -> Option<FourCc> {
    match &record.message.body {
        Body::Video(tag) if tag.enhanced => tag.tracks.first()?.fourcc,
        Body::Audio(tag) if tag.enhanced => tag.tracks.first()?.fourcc,
        _ => None,
    }
}

/// Servers that are known to drop what they do not know, or to close on it.
fn is_plain(server: Option<&str>) -> bool {
    server.is_some_and(|name| name.starts_with("nginx-rtmp") || name.starts_with("crtmpserver"))
}

fn not_negotiated(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(fourcc) = fourcc(record) else { return };
    let state = cx.state;
    let direction = record.message.direction;
    let kind = if video(record).is_some() { Kind::Video } else { Kind::Audio };
    // Once per track is enough.
    let seen = state.side(direction).tracks().iter();
    if seen.filter(|t| t.kind == kind).any(|t| t.fourcc == Some(fourcc))
        || fourcc.codec_name() == "unknown"
    {
        return;
    }
    if state.connect.is_none() || covers(&announced(state, record), fourcc) {
        return;
    }
    let server = software::server(state);
    let receiver = match from_client(record) {
        true => server.clone().unwrap_or_else(|| "the server".into()),
        false => "the client".into(),
    };
    let plain = from_client(record) && is_plain(server.as_deref());
    let known = match plain {
        true => "; it does not know Enhanced RTMP and drops such media",
        false => "",
    };
    let words = format!(
        "{} as {fourcc} to {receiver}, which announced no such codec{known}",
        software::codec(fourcc.codec_name())
    );
    cx.report(Report::message(record, words).warning_if(plain));
}

/// The server closed right after the first message of a codec that it did not announce.
fn closed_on_it(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let closing = Ending::of(end);
    if !closing.by_server() || super::publish::said_goodbye(state, &closing) {
        return;
    }
    let soon = cx.limit(Limit::EscalateSeconds);
    let enhanced = state.client().tracks().iter().filter(|track| track.fourcc.is_some());
    let newest = enhanced.max_by_key(|track| track.first_message);
    let Some((track, fourcc)) = newest.and_then(|track| Some((track, track.fourcc?))) else {
        return;
    };
    let waited = closing.time.seconds_since(track.first_message);
    let reply = state.connect_reply.as_ref();
    let objects: Vec<&Value> =
        reply.map_or(Vec::new(), |r| r.properties.iter().chain(&r.information).collect());
    if waited <= soon && !covers(&objects, fourcc) && reply.is_some() {
        let words = format!(
            "the server closed {} after the first {} message ({fourcc}), which it had not \
             announced",
            crate::lint::cause::span(waited),
            software::codec(fourcc.codec_name())
        );
        let direction = Some(crate::base::Direction::ClientToServer);
        let place = crate::lint::finding::Place::at(track.first_message, direction);
        cx.report(Report::new(place, words).severity(Severity::Error).weight(1.0));
    }
}

fn id12(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(id) = video(record).and_then(|tag| tag.codec_id).filter(|id| matches!(id, 12 | 13))
    else {
        return;
    };
    if !cx.repeats(record.message.direction, record.message.time) {
        let server = software::server(cx.state).unwrap_or_else(|| "the server".into());
        let name = if id == 12 { "H.265" } else { "AV1" };
        let words = format!("{name} as codec id {id}; {server} must have a patch to know it");
        cx.report(Report::message(record, words));
    }
}

/// Whether a sequence header with an AVC header holds an HEVC configuration record: its NAL unit
/// arrays begin at byte 22.
pub(super) fn is_hevc_record(record: &MessageRecord) -> bool {
    let Some(tag) = video(record).filter(|tag| tag.is_sequence_header()) else { return false };
    let start = tag.tracks.first().map_or(0, |track| track.range.start);
    let byte = |at: usize| record.message.payload.get(start + at).copied();
    let avc = byte(5).is_some_and(|b| b & 0xe0 == 0xe0 && b & 0x1f == 1);
    let arrays = byte(22).is_some_and(|count| (1..=16).contains(&count));
    let parameter_set = byte(23).is_some_and(|b| (32..=34).contains(&(b & 0x3f)));
    byte(0) == Some(1) && !avc && arrays && parameter_set
}

fn labelled_avc(cx: &mut Context<'_>, record: &MessageRecord) {
    let avc = video(record).is_some_and(|tag| tag.codec_id == Some(7));
    if avc && is_hevc_record(record) {
        cx.report(Report::message(record, "codec id 7 (H.264) with an HEVC configuration record"));
    }
}

fn unknown(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(fourcc) = fourcc(record).filter(|fourcc| fourcc.codec_name() == "unknown") else {
        return;
    };
    if !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, format!("FourCC {fourcc}")));
    }
}

fn connect_refused(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let Some(connect) = &state.connect else { return };
    let names = ["fourCcList", "capsEx", "videoFourCcInfoMap", "audioFourCcInfoMap"];
    let Some(name) = names.into_iter().find(|name| connect.object.get(name).is_some()) else {
        return;
    };
    let closing = Ending::of(end);
    let refused = match &state.connect_reply {
        Some(reply) => !reply.accepted,
        None => closing.by_server(),
    };
    let login = state.statuses().any(|status| status.description.contains("authmod="));
    if refused && !login {
        let words = format!("connect with {name} was refused");
        cx.report(Report::new(connect.place.clone(), words));
    }
}

fn no_start(cx: &mut Context<'_>, record: &MessageRecord) {
    if !from_client(record) {
        return;
    }
    let (kind, tracks, coded, start) = match &record.message.body {
        Body::Video(tag) if tag.enhanced => {
            (Kind::Video, &tag.tracks, tag.is_coded(), tag.is_sequence_header())
        }
        Body::Audio(tag) if tag.enhanced => {
            (Kind::Audio, &tag.tracks, tag.is_coded(), tag.is_sequence_header())
        }
        _ => return,
    };
    for track in tracks {
        let codec = track.codec_name().unwrap_or("unknown");
        let known = cx.state.client().track(kind, track.id.unwrap_or(0));
        // The record of another codec is none.
        let known = known.filter(|known| known.codec == codec);
        let words = match known.and_then(|known| known.config.as_ref()) {
            _ if start && track.range.is_empty() && needs_config(codec) => {
                format!("SequenceStart of {codec} holds no configuration")
            }
            None if coded && needs_config(codec) => {
                format!("coded {codec} before any SequenceStart")
            }
            _ => continue,
        };
        if !cx.repeats(record.message.direction, record.message.time) {
            cx.report(Report::message(record, words));
        }
    }
}

fn cts_lost(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.enhanced && tag.packet_type == Some(3)) else {
        return;
    };
    let Some((kind, _, unit)) = first_slice(cx.state, record, tag) else { return };
    let reordered = match tag.codec_name() {
        // Leading pictures are shown before the key frame that they follow.
        "hevc" => (6..=9).contains(&kind),
        "avc" => matches!(slice_type(&unit), Some(1 | 6)),
        _ => false,
    };
    if reordered && !cx.repeats(record.message.direction, record.message.time) {
        let words = "CodedFramesX holds a picture that is shown in another order";
        cx.report(Report::message(record, words));
    }
}

/// slice_type of an H.264 slice: the second Exp-Golomb number (H.264, section 7.3.3).
fn slice_type(unit: &[u8]) -> Option<u32> {
    let mut at = 8;
    let mut bit = || {
        let byte = unit.get(at / 8)?;
        let bit = byte >> (7 - at % 8) & 1;
        at += 1;
        Some(u32::from(bit))
    };
    let mut number = || {
        let mut zeros = 0;
        while bit()? == 0 {
            zeros += 1;
            if zeros > 20 {
                return None;
            }
        }
        let mut value = 1;
        for _ in 0..zeros {
            value = value << 1 | bit()?;
        }
        Some(value - 1)
    };
    number()?;
    number()
}

fn frame_type(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|tag| tag.enhanced && tag.packet_type != Some(4)) else {
        return;
    };
    if tag.frame_type == 0 && !cx.repeats(record.message.direction, record.message.time) {
        let packet = tag.packet_name().unwrap_or("packet");
        cx.report(Report::message(record, format!("{packet} with frame type 0")));
    }
}

fn multitrack(cx: &mut Context<'_>, record: &MessageRecord) {
    let many = video(record).map(|tag| tag.multitrack.is_some());
    let many = many.or(audio(record).map(|tag| tag.multitrack.is_some())).unwrap_or(false);
    let direction = record.message.direction;
    if !many || cx.state.connect.is_none() || cx.has_reported(direction) {
        return;
    }
    if caps(&announced(cx.state, record)) & 2 == 0 {
        let plain = from_client(record) && is_plain(software::server(cx.state).as_deref());
        let words = "multitrack packets; the receiver's capsEx does not have bit 2";
        cx.report(Report::message(record, words).warning_if(plain));
    }
}

fn vod_track(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Data(data) = &record.message.body else { return };
    let named = |value: &Value, name: &str| value.as_text().is_some_and(|text| *text == name);
    let names = ["additionalMedia", "processingIntents"];
    let hit = data
        .values
        .iter()
        .any(|value| names.iter().any(|name| named(value, name) || value.get(name).is_some()));
    if hit && !cx.repeats(record.message.direction, record.message.time) {
        let words = format!("data message of {} bytes with additionalMedia", record.message.length);
        cx.report(Report::message(record, words));
    }
}

fn metadata(cx: &mut Context<'_>, record: &MessageRecord) {
    let packet = video(record).is_some_and(|tag| tag.enhanced && tag.packet_type == Some(4));
    if packet && !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, "video packet of type 4 (metadata)"));
    }
}

fn mod_ex(cx: &mut Context<'_>, record: &MessageRecord) {
    let extensions = match &record.message.body {
        Body::Video(tag) => &tag.mod_ex,
        Body::Audio(tag) => &tag.mod_ex,
        _ => return,
    };
    let direction = record.message.direction;
    if extensions.is_empty() || cx.state.connect.is_none() || cx.has_reported(direction) {
        return;
    }
    let has = caps(&announced(cx.state, record));
    let nano = extensions.iter().any(|extension| extension.kind == 0);
    if has & 4 == 0 || nano && has & 8 == 0 {
        cx.report(Report::message(record, format!("ModEx packet; the receiver's capsEx is {has}")));
    }
}

fn reconnect(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(command) = command(record).filter(|_| !from_client(record)) else { return };
    if info(command, "code") == "NetConnection.Connect.ReconnectRequest" {
        let target = info(command, "tcUrl");
        let words = match target.is_empty() {
            true => Words::from("reconnect request"),
            false => Words::from("reconnect request to ").url(&target),
        };
        cx.report(Report::message(record, words));
    }
}

fn stayed(cx: &mut CaptureContext<'_>, _end: &End) {
    for (session, place) in cx.found() {
        let all = || cx.others.ended().chain(cx.others.live());
        let Some(own) = all().find(|other| other.session == session) else { continue };
        let (client, used) = (own.client.ip(), own.used);
        let end = own.end.map_or(cx.now, |(end, _)| end);
        let soon = cx.limit(Limit::ReconnectSeconds);
        let followed = all().any(|other| {
            other.client.ip() == client
                && other.used == used
                && (0.0..=soon).contains(&other.start.seconds_since(place.time))
        });
        // The next message of a busy stream is no sign of staying.
        let stayed = end.seconds_since(place.time) > 1.0;
        if !followed && stayed {
            let words = format!(
                "the server asked to reconnect; the client stayed for {:.1} s more and opened no \
                 new connection",
                end.seconds_since(place.time)
            );
            cx.revise(session, Severity::Warning, words);
        }
    }
}

fn codec_id_form(cx: &mut Context<'_>, record: &MessageRecord) {
    let Body::Data(data) = &record.message.body else { return };
    let Some(value) = data.values.iter().find_map(|value| value.get("videocodecid")) else {
        return;
    };
    let words = match value {
        Value::String(text) => format!("a text of {} bytes", text.0.len()),
        _ => match value.as_number() {
            Some(0.0) => "0".to_owned(),
            Some(number) if number > 255.0 && number < 4_294_967_296.0 => {
                format!("the FourCC {} as a number", FourCc((number as u32).to_be_bytes()))
            }
            _ => return,
        },
    };
    if !cx.repeats(record.message.direction, record.message.time) {
        cx.report(Report::message(record, format!("videocodecid is {words}")));
    }
}
