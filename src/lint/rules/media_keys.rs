//! Key frames and the order of pictures.

use super::command::from_client;
use super::media_config::video;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::Direction;
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, SpecRef};
use crate::lint::state::{Kind, MediaTrack};

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Note,
    escalates: None,
    spec: Some(SpecRef { document: "FLV 10.1", section: "E.4.3.1" }),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/first-video-not-key",
        title: "Video starts with a frame that is no key frame",
        severity: Severity::Warning,
        explanation: "Until the next key frame there is nothing to decode: a black start, a broken \
            beginning of the recording.",
        advice: "The encoder must make a key frame when a publish starts.",
        checks: &[Check::Media(first)],
        ..BASE
    },
    Rule {
        id: "media/keyframe-interval-long",
        title: "Key frames are too far apart",
        explanation: "Viewers wait for a key frame, and HLS segments can be cut at them only. \
            x264 makes one every 250 frames by default. Services ask for 2 s (Twitch, Amazon IVS) \
            to 4 s (YouTube).",
        advice: "Set the key frame interval to 2 s: OBS has a field for it, FFmpeg -g with twice \
            the frame rate.",
        checks: &[Check::End(interval)],
        ..BASE
    },
    Rule {
        id: "media/keyframe-interval-irregular",
        title: "Key frame spacing varies",
        explanation: "The encoder also makes key frames at scene cuts. Renditions of different \
            encoders then do not align.",
        advice: "x264: scenecut=0 (FFmpeg -sc_threshold 0).",
        checks: &[Check::End(irregular)],
        ..BASE
    },
    Rule {
        id: "media/b-frames-present",
        title: "Stream uses B-frames",
        explanation: "Pictures are shown in another order than they are sent. It is fine for most; \
            WebRTC gateways and real-time services do not take it.",
        advice: "Set the number of B-frames to 0 for real-time services (tune zerolatency).",
        checks: &[Check::End(b_frames)],
        ..BASE
    },
    Rule {
        id: "media/cts-offset-without-reorder",
        title: "Constant composition offset but no B-frames",
        escalates: Some(Severity::Error),
        explanation: "All pictures carry the same composition time although none is reordered. \
            Some ingests take that for B-frames and close (Amazon IVS real-time).",
        advice: "Update the encoder, or make it send a composition time of 0.",
        checks: &[Check::End(constant_offset)],
        ..BASE
    },
    Rule {
        id: "media/cts-negative",
        title: "Negative composition time",
        explanation: "A picture is to be shown before it is decoded. MP4 and HLS muxers refuse it; \
            who reads the 24 bits unsigned gets 4 h 39 min.",
        advice: "Shift all composition times by the smallest one.",
        covers: &["flv/video/composition-time"],
        checks: &[Check::Media(negative)],
        ..BASE
    },
    Rule {
        id: "media/cts-implausible",
        title: "Composition time is huge",
        severity: Severity::Error,
        explanation: "The picture is to be shown seconds after it is decoded: the encoder mixes \
            clocks, or writes something else into this field.",
        advice: "Look at the encoder's PTS and DTS.",
        covers: &["flv/video/composition-time"],
        checks: &[Check::Media(implausible)],
        ..BASE
    },
];

/// The video tracks that may be judged.
fn tracks<'a>(cx: &Context<'a>) -> Vec<(Direction, &'a MediaTrack)> {
    let state: &'a crate::lint::state::SessionState = cx.state;
    let sides = state.sides.iter().filter(|side| side.is_whole());
    let video = sides.flat_map(|side| side.tracks().iter().map(|track| (side.direction, track)));
    video.filter(|(_, track)| track.kind == Kind::Video).collect()
}

/// Where the last picture of a track was.
fn place(direction: Direction, track: &MediaTrack) -> Place {
    Place::at(track.last.map_or(track.first_message, |last| last.time), Some(direction))
}

fn first(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(tag) = video(record).filter(|_| from_client(record)) else { return };
    let id = tag.tracks.first().and_then(|track| track.id).unwrap_or(0);
    let track = cx.state.client().track(Kind::Video, id);
    if tag.is_coded() && !tag.is_key() && track.is_none_or(|track| track.frames == 0) {
        let words = format!("the first picture is {}", tag.frame_type_name());
        cx.report(Report::message(record, words));
    }
}

fn interval(cx: &mut Context<'_>, _end: &SessionEnd) {
    let note = cx.limit(Limit::KeyframeNoteSeconds) * 1000.0;
    let warning = cx.limit(Limit::KeyframeSeconds) * 1000.0;
    let error = cx.limit(Limit::KeyframeErrorSeconds) * 1000.0;
    for (direction, track) in tracks(cx) {
        let Some(last) = track.last else { continue };
        let from = track.last_key.or(track.first).map_or(0, |frame| frame.elapsed_ms);
        let open = (last.elapsed_ms - from) as f64;
        let longest = track.key_intervals.max.max(open);
        if longest <= note {
            continue;
        }
        let words = match track.key_intervals.count {
            0 => format!("one key frame in {:.1} s", longest / 1000.0),
            _ => format!(
                "up to {:.1} s between key frames, {:.1} s on average",
                longest / 1000.0,
                track.key_intervals.mean / 1000.0
            ),
        };
        // What a server relays is the publisher's doing.
        let own = direction == Direction::ClientToServer;
        let report = Report::new(place(direction, track), words).weight(longest);
        cx.report(report.warning_if(own && longest > warning).error_if(own && longest > error));
    }
}

fn irregular(cx: &mut Context<'_>, _end: &SessionEnd) {
    let least = cx.limit(Limit::KeyframeCount) as u64;
    for (direction, track) in tracks(cx) {
        let series = &track.key_intervals;
        if series.count >= least && series.deviation() > series.mean * 0.25 {
            let words = format!(
                "{:.1} s on average, with a standard deviation of {:.1} s over {} intervals",
                series.mean / 1000.0,
                series.deviation() / 1000.0,
                series.count
            );
            cx.report(Report::new(place(direction, track), words));
        }
    }
}

fn b_frames(cx: &mut Context<'_>, _end: &SessionEnd) {
    for (direction, track) in tracks(cx) {
        if track.reorders {
            let (_, high) = track.composition.unwrap_or_default();
            let words = format!("pictures are reordered; composition times reach {high} ms");
            cx.report(Report::new(place(direction, track), words));
        }
    }
}

fn constant_offset(cx: &mut Context<'_>, _end: &SessionEnd) {
    for (direction, track) in tracks(cx) {
        let Some((low, high)) = track.composition else { continue };
        if low == high && low > 0 && track.frames >= 100 && !track.reorders {
            let words =
                format!("all {} pictures have a composition time of {low} ms", track.frames);
            cx.report(Report::new(place(direction, track), words));
        }
    }
}

/// The composition time of a message, in milliseconds.
fn composition(record: &MessageRecord) -> Option<i32> {
    let tag = video(record).filter(|tag| tag.is_coded())?;
    tag.tracks.first().and_then(|track| track.composition_time).or(tag.composition_time)
}

fn negative(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(offset) = composition(record).filter(|offset| (-5000..0).contains(offset)) else {
        return;
    };
    if !cx.repeats(record.message.direction, record.message.time) {
        let words = format!("composition time {offset} ms");
        let own = from_client(record);
        let report = Report::message(record, words).weight(f64::from(-offset));
        cx.report(report.warning_if(own && offset < -100));
    }
}

fn implausible(cx: &mut Context<'_>, record: &MessageRecord) {
    let limit = cx.limit(Limit::CompositionSeconds) * 1000.0;
    let Some(offset) = composition(record).filter(|o| f64::from(*o).abs() > limit) else { return };
    if !cx.repeats(record.message.direction, record.message.time) {
        let words = format!("composition time {offset} ms");
        cx.report(Report::message(record, words).weight(f64::from(offset).abs()));
    }
}
