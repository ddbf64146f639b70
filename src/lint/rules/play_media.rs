//! What a player gets, and when.

use super::command::from_client;
use super::publish::bare;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{Kind, SessionState, StreamUse};
use crate::wire::message::Body;

/// What these rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// The first picture was judged.
    judged: bool,
    /// Pictures that the publisher sent and this player did not get: gaps of them.
    skipped: u64,
}

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Play,
    title: "",
    severity: Severity::Note,
    escalates: None,
    spec: rtmp("7.2.2.1"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Both,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "play/wait-for-keyframe",
        title: "First picture came late",
        explanation: "Between Play.Start and the first key frame the viewer saw nothing. Where \
            other media came meanwhile, it is the publisher's key frame interval.",
        advice: "Shorten the encoder's key frame interval (2 s), or enable the server's GOP cache.",
        checks: &[Check::Media(first_picture)],
        ..BASE
    },
    Rule {
        id: "play/config-not-replayed",
        title: "Late joiner got frames without the codec header",
        severity: Severity::Error,
        explanation: "The server sent coded frames before the configuration record that a decoder \
            needs. Servers must keep it and send it to each player; for Enhanced RTMP codecs \
            some do not.",
        advice: "Update the server, or publish with a codec that it knows.",
        covers: &["rtmp/play/sequence-headers-first"],
        checks: &[Check::Media(no_config)],
        ..BASE
    },
    Rule {
        id: "play/phantom-track",
        title: "Metadata promises a track that never arrives",
        severity: Severity::Warning,
        explanation: "onMetaData names audio or video, even with a codec id of 0, and no message \
            of that kind came. Players buffer until their probe limit: a slow start or a spinner.",
        advice: "Publish silent audio, or make the server leave the keys out. When the publisher \
            does send it, the server drops a codec that it does not know.",
        checks: &[Check::End(phantom)],
        ..BASE
    },
    Rule {
        id: "play/gop-cache-same-ts",
        title: "Start-up burst shares one timestamp",
        explanation: "The first pictures of a player carry the same timestamp: the server's GOP \
            cache does not keep theirs. Players show them at once, or drop them.",
        advice: "Update the server or turn its GOP cache off.",
        checks: &[Check::Media(burst)],
        ..BASE
    },
    Rule {
        id: "play/server-drops-frames",
        title: "Server skipped frames for this viewer",
        explanation: "Pictures are missing on the way to the player that the publisher did send: \
            its timestamps have no such gap. Servers drop frames when a player's queue is full \
            (nginx-rtmp: out_queue).",
        advice: "A smaller bit rate, or a better path to the player; raise out_queue.",
        checks: &[Check::Media(skipped)],
        ..BASE
    },
    Rule {
        id: "play/falling-behind",
        title: "Viewer lags, and the lag grows",
        severity: Severity::Warning,
        explanation: "The media that reached the player covers less time than went by.",
        advice: "A closed window means that the player is slow, many bytes in flight that its path \
            is: a smaller bit rate helps both.",
        checks: &[Check::End(behind)],
        ..BASE
    },
];

fn plays(state: &SessionState) -> bool {
    state.purpose() == Some(StreamUse::Play)
}

fn start(state: &SessionState) -> Option<&Place> {
    let mut streams = state.streams().iter();
    streams.find(|s| s.used == Some(StreamUse::Play))?.started.as_ref()
}

fn first_picture(cx: &mut Context<'_>, record: &MessageRecord) {
    if cx.memory.play.judged || from_client(record) {
        return;
    }
    let Body::Video(tag) = &record.message.body else { return };
    if !tag.is_coded() || !tag.is_key() {
        return;
    }
    cx.memory.play.judged = true;
    let state = cx.state;
    let Some(start) = start(state).filter(|_| plays(state)) else { return };
    let waited = record.message.time.seconds_since(start.time);
    if waited < cx.limit(Limit::FirstPictureSeconds) {
        return;
    }
    let server = state.server();
    let first_media = server.media_times().map_or(record.message.time, |(first, _)| first);
    let before = first_media.seconds_since(start.time);
    let frames = server.media_messages();
    let words = format!(
        "the first key frame came {waited:.1} s after Play.Start: {before:.1} s until any media, \
         then {:.1} s and {frames} messages until a key frame",
        waited - before
    );
    let place = start.clone();
    let late = waited >= cx.limit(Limit::FirstPictureWarningSeconds) && before < waited / 2.0;
    cx.report(Report::message(record, words).related("Play.Start", place).warning_if(late));
}

fn no_config(cx: &mut Context<'_>, record: &MessageRecord) {
    if from_client(record) || !plays(cx.state) {
        return;
    }
    let (kind, id, codec, coded) = match &record.message.body {
        Body::Video(tag) => {
            let id = tag.tracks.first().and_then(|track| track.id).unwrap_or(0);
            (Kind::Video, id, tag.codec_name(), tag.is_coded())
        }
        Body::Audio(tag) => {
            let id = tag.tracks.first().and_then(|track| track.id).unwrap_or(0);
            (Kind::Audio, id, tag.codec_name(), tag.is_coded())
        }
        _ => return,
    };
    let track = cx.state.server().track(kind, id);
    if coded && super::media_config::needs_config(codec) && track.is_none_or(|t| t.config.is_none())
    {
        if cx.repeats(Direction::ServerToClient, record.message.time) {
            return;
        }
        let words = format!("coded {codec} came before its configuration record");
        cx.report(Report::message(record, words));
    }
}

fn phantom(cx: &mut Context<'_>, _end: &SessionEnd) {
    let state = cx.state;
    let server = state.server();
    let Some((place, metadata)) = server.metadata.as_ref().filter(|_| plays(state)) else { return };
    let seconds = server.media_ms() as f64 / 1000.0;
    if seconds < cx.limit(Limit::PhantomSeconds) {
        return;
    }
    let kinds = [
        (Kind::Audio, ["audiocodecid", "audiodatarate"]),
        (Kind::Video, ["videocodecid", "videodatarate"]),
    ];
    for (kind, names) in kinds {
        let promised = names.into_iter().find(|name| metadata.get(name).is_some());
        let came = server.tracks().iter().any(|track| track.kind == kind && track.frames > 0);
        if let Some(name) = promised.filter(|_| !came) {
            let words = format!(
                "onMetaData has {name}, but no {} came in {seconds:.1} s of media",
                kind.name()
            );
            cx.report(Report::new(place.clone(), words));
        }
    }
}

fn burst(cx: &mut Context<'_>, record: &MessageRecord) {
    if from_client(record) || !plays(cx.state) {
        return;
    }
    let Body::Video(tag) = &record.message.body else { return };
    let Some(track) = cx.state.server().track(Kind::Video, 0).filter(|_| tag.is_coded()) else {
        return;
    };
    let least = cx.limit(Limit::SameTimestamp) as u64;
    let same = u64::from(track.same_timestamp) + 1;
    if track.frames == same && same >= least && track.step(record.message.timestamp) != Some(0) {
        let words = format!("the first {same} pictures have the same timestamp");
        cx.report(Report::message(record, words));
    }
}

fn skipped(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    if from_client(record) || !plays(cx.state) || !message.timestamp_exact {
        return;
    }
    let Body::Video(tag) = &message.body else { return };
    let Some(track) = cx.state.server().track(Kind::Video, 0).filter(|_| tag.is_coded()) else {
        return;
    };
    let Some(step) = track.step(message.timestamp).filter(|_| track.steps.count >= 20) else {
        return;
    };
    let (step, usual) = (step as f64, track.steps.mean);
    if step < (3.0 * usual).max(100.0) || step > 10_000.0 {
        return;
    }
    let state = cx.state;
    let name = state.stream_name().map(bare);
    let publisher = cx.others.live().chain(cx.others.ended()).find(|other| {
        other.used == Some(StreamUse::Publish)
            && other.server == state.info.server
            && other.stream.as_deref().map(bare) == name
    });
    let Some(longest) = publisher.map(|p| p.longest_step_ms).filter(|ms| *ms > 0.0) else {
        return;
    };
    if longest < 0.7 * step {
        cx.memory.play.skipped += 1;
        let often = cx.memory.play.skipped >= cx.limit(Limit::FrameGaps) as u64;
        if !cx.repeats(Direction::ServerToClient, message.time) {
            let words = format!(
                "{step:.0} ms from picture to picture; the publisher's longest step is \
                 {longest:.0} ms"
            );
            cx.report(Report::message(record, words).weight(step).warning_if(often));
        }
    }
}

fn behind(cx: &mut Context<'_>, end: &SessionEnd) {
    let state = cx.state;
    let server = state.server();
    let Some((first, last)) = server.media_times().filter(|_| plays(state)) else { return };
    let wall = last.seconds_since(first);
    let media = server.media_ms() as f64 / 1000.0;
    if wall < cx.limit(Limit::MediaPaceSeconds) || media / wall >= cx.limit(Limit::BehindShare) {
        return;
    }
    let stalled = end.tcp[0].zero_window_ns as f64 / 1e9;
    let why = match () {
        () if stalled > 1.0 => format!("the player's window was closed for {stalled:.1} s"),
        () if end.tcp[1].retransmissions > 10 => "the path to the player loses packets".to_owned(),
        () => "neither its window nor losses explain it: the source may be slow".to_owned(),
    };
    let words = format!("{media:.1} s of media in {wall:.1} s; {why}");
    cx.report(Report::new(Place::at(last, Some(Direction::ServerToClient)), words));
}
