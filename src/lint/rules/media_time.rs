//! Timestamps.

use super::command::from_client;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule, rtmp};
use crate::lint::state::{Kind, MediaTrack, Side};
use crate::wire::message::Body;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Warning,
    escalates: None,
    spec: rtmp("5.3.1.2"),
    basis: Basis::DeFacto,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/timestamp-backwards",
        title: "Timestamps go backwards",
        explanation: "A message is older than the one before it in its track. The encoder stamps \
            by arrival, mixes clocks, or began anew on the same stream. Players drop frames until \
            time has caught up.",
        advice: "Fix the encoder's clock; publish anew after a restart.",
        covers: &["rtmp/play/timestamp-monotonic", "flv/av/timestamp-interleave"],
        checks: &[Check::Media(backwards)],
        ..BASE
    },
    Rule {
        id: "media/timestamp-jump",
        title: "Timestamps jump forward",
        escalates: Some(Severity::Error),
        explanation: "Media time went ahead by seconds while the clock did not: a switch of the \
            source, a step of the clock, an extended timestamp that was misread.",
        advice: "See whether the step is near 2^24 or 2^32 ms; otherwise look at the source.",
        checks: &[Check::Media(jump)],
        ..BASE
    },
    Rule {
        id: "media/timestamp-frozen",
        title: "Several messages carry the same timestamp",
        explanation: "Frames in a row have one timestamp: wrong units or a stuck clock at the \
            encoder. Strict receivers refuse them.",
        advice: "Look at the encoder's time base.",
        checks: &[Check::Media(frozen)],
        ..BASE
    },
    Rule {
        id: "media/timestamp-crossing",
        title: "Timestamp crosses a danger line",
        severity: Severity::Note,
        escalates: Some(Severity::Error),
        explanation: "Timestamps passed 0xFFFFFF ms (4 h 39 min 37 s), 2^31 (24 d 20 h) or 2^32 (49 \
            d 17 h), where 24-bit, signed and unsigned counters end.",
        advice: "If something broke here, restart the stream or fix the peer that cannot count on.",
        checks: &[Check::Media(crossing)],
        ..BASE
    },
    Rule {
        id: "media/timestamp-start-high",
        title: "First timestamp is far from zero",
        severity: Severity::Note,
        explanation: "The publisher's first timestamp is not near 0: some use their uptime or the \
            time of day. From 16 777 215 ms on, extended timestamps are needed from the start.",
        advice: "Harmless for most; begin at 0 if a receiver stumbles.",
        covers: &["flv/av/start-timestamp"],
        checks: &[Check::Media(start_high)],
        ..BASE
    },
    Rule {
        id: "media/interleave",
        title: "Audio and video are poorly interleaved",
        explanation: "What arrives of one kind is seconds of media time ahead of the other. \
            Receivers with ordered queues wait for the late one or drop it.",
        advice: "The encoder must send audio and video in the order of their timestamps.",
        covers: &["flv/av/timestamp-interleave"],
        checks: &[Check::Tick(interleave)],
        ..BASE
    },
    Rule {
        id: "media/track-late",
        title: "A track shows up long after the other",
        explanation: "The first audio or video came long after the first of the other kind. \
            Servers and players that settle the list of tracks early then miss it, or wait with a \
            blank picture.",
        advice: "Let the encoder begin both together; look for a device that starts slowly.",
        checks: &[Check::Media(late)],
        ..BASE
    },
    Rule {
        id: "media/audio-absent",
        title: "No audio track at all",
        severity: Severity::Note,
        explanation: "The publisher sends video only. That is allowed; some services refuse it, and \
            players start late because they look for audio.",
        advice: "Add silent audio.",
        checks: &[Check::End(no_audio)],
        ..BASE
    },
];

/// What these rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// Since when audio and video of a side are apart.
    apart: [Option<Timestamp>; 2],
}

/// The track of a coded frame, as it was.
fn track<'a>(cx: &Context<'a>, record: &MessageRecord) -> Option<&'a MediaTrack> {
    let message = &record.message;
    let (kind, tracks, coded) = match &message.body {
        Body::Video(tag) => (Kind::Video, &tag.tracks, tag.is_coded()),
        Body::Audio(tag) => (Kind::Audio, &tag.tracks, tag.is_coded()),
        _ => return None,
    };
    // A track of many in one message has no clock of its own.
    let [first] = tracks.as_slice() else { return None };
    let state: &'a crate::lint::state::SessionState = cx.state;
    let track = state.side(message.direction).track(kind, first.id.unwrap_or(0));
    track.filter(|_| coded && message.timestamp_exact)
}

fn backwards(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = track(cx, record) else { return };
    let Some(step) = track.step(record.message.timestamp).filter(|step| *step < 0) else { return };
    if cx.repeats(record.message.direction, record.message.time) {
        return;
    }
    // FFmpeg counts on at 0 where a signed number ends.
    let wrap = match -step - (1 << 31) {
        -60_000..=60_000 => ": the sender's clock has 31 bits",
        _ => "",
    };
    let words = format!("{} goes back by {} ms{wrap}", track.kind.name(), -step);
    let limit = cx.limit(Limit::BackwardsMs);
    let bad = from_client(record) && -step as f64 >= limit;
    cx.report(Report::message(record, words).weight(-step as f64).error_if(bad));
}

fn jump(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = track(cx, record).filter(|track| track.steps.count >= 10) else { return };
    let Some(last) = track.last else { return };
    let step = track.step(record.message.timestamp).unwrap_or(0) as f64;
    let wall = record.message.time.seconds_since(last.time) * 1000.0;
    let least = cx.limit(Limit::JumpSeconds) * 1000.0;
    if step > least.max(10.0 * track.steps.mean) && wall < step / 2.0 {
        // A stream that is sent as fast as it goes has no clock to compare with.
        let pace = last.time.seconds_since(track.first_message) * 1000.0;
        if (last.elapsed_ms as f64) > 2.0 * pace + least {
            return;
        }
        let words = format!("{} jumps ahead by {step:.0} ms in {wall:.0} ms", track.kind.name());
        cx.report(Report::message(record, words).weight(step).error_if(step >= 10_000.0));
    }
}

fn frozen(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = track(cx, record) else { return };
    let least = cx.limit(Limit::SameTimestamp) as u32;
    // The start-up burst of a server has a rule of its own.
    let burst = !from_client(record) && track.frames <= u64::from(track.same_timestamp) + 1;
    if track.same_timestamp + 1 < least || track.step(record.message.timestamp) != Some(0) || burst
    {
        return;
    }
    if !cx.repeats(record.message.direction, record.message.time) {
        let words = format!(
            "{} {} messages in a row at {} ms",
            track.same_timestamp + 2,
            track.kind.name(),
            record.message.timestamp
        );
        cx.report(Report::message(record, words).weight(f64::from(track.same_timestamp)));
    }
}

fn crossing(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = track(cx, record) else { return };
    let Some(last) = track.last else { return };
    let (before, now) = (last.timestamp, record.message.timestamp);
    let line = match () {
        () if before < 0x00ff_ffff && (0x00ff_ffff..0x01ff_ffff).contains(&now) => {
            "0xFFFFFF ms (4 h 39 min 37 s)"
        }
        () if before < 1 << 31 && now >= 1 << 31 && now - before < 1 << 24 => "2^31 ms (24 d 20 h)",
        () if before > u32::MAX - (1 << 24) && now < 1 << 24 => "2^32 ms (49 d 17 h)",
        () => return,
    };
    cx.report(Report::message(record, format!("{} passes {line}", track.kind.name())));
}

fn start_high(cx: &mut Context<'_>, record: &MessageRecord) {
    let Some(track) = track(cx, record).filter(|_| from_client(record)) else {
        return;
    };
    // The track exists since its configuration record; codecs without one are judged at the second
    // frame.
    let now = track.first.map_or(record.message.timestamp, |first| first.timestamp);
    let first_or_second = track.frames <= 1;
    let limit = cx.limit(Limit::StartSeconds) * 1000.0;
    if first_or_second && f64::from(now) > limit && !cx.has_reported(record.message.direction) {
        let more = if now >= 0x00ff_ffff { "; it needs extended timestamps" } else { "" };
        let words = format!("{} begins at {:.1} s{more}", track.kind.name(), f64::from(now) / 1e3);
        cx.report(Report::message(record, words));
    }
}

/// How far audio is ahead of video, in milliseconds, while both flow.
fn ahead(side: &Side, now: Timestamp) -> Option<i64> {
    let audio = side.track(Kind::Audio, 0)?.last?;
    let video = side.track(Kind::Video, 0)?.last?;
    let flows = |time: Timestamp| now.seconds_since(time) < 1.0;
    let apart = i64::from(audio.timestamp.wrapping_sub(video.timestamp) as i32);
    (flows(audio.time) && flows(video.time)).then_some(apart)
}

fn interleave(cx: &mut Context<'_>) {
    let state = cx.state;
    let limit = cx.limit(Limit::InterleaveSeconds) * 1000.0;
    let patience = cx.limit(Limit::InterleavePatience);
    for side in state.sides.iter().filter(|side| side.is_whole()) {
        let at = side.direction.index();
        let apart = ahead(side, cx.now).filter(|ms| (*ms as f64).abs() > limit);
        let Some(apart) = apart else {
            cx.memory.time.apart[at] = None;
            continue;
        };
        let since = *cx.memory.time.apart[at].get_or_insert(cx.now);
        if cx.now.seconds_since(since) >= patience {
            let (first, second) = if apart > 0 { ("audio", "video") } else { ("video", "audio") };
            let seconds = (apart as f64).abs() / 1000.0;
            let words = format!("{first} is {seconds:.1} s ahead of {second} as it arrives");
            let place = Place::at(cx.now, Some(side.direction));
            if !cx.repeats(side.direction, cx.now) {
                cx.report(Report::new(place, words).weight(seconds).error_if(seconds > 5.0));
            }
        }
    }
}

fn late(cx: &mut Context<'_>, record: &MessageRecord) {
    let (kind, other, coded) = match &record.message.body {
        Body::Video(tag) => (Kind::Video, Kind::Audio, tag.is_coded()),
        Body::Audio(tag) => (Kind::Audio, Kind::Video, tag.is_coded()),
        _ => return,
    };
    let side = cx.state.side(record.message.direction);
    let begun = |kind: Kind| side.tracks().iter().find(|t| t.kind == kind && t.frames > 0);
    let Some(first) = begun(other).and_then(|track| track.first) else { return };
    if !coded || begun(kind).is_some() {
        return;
    }
    // By the clock or by timestamps: a sender may hold back the early track.
    let waited = record.message.time.seconds_since(first.time);
    let apart = f64::from(record.message.timestamp.wrapping_sub(first.timestamp) as i32) / 1000.0;
    if waited.max(apart) >= cx.limit(Limit::TrackLateSeconds) {
        let words = format!(
            "the first {} is {apart:.1} s of media time behind the first {}, and came {waited:.1} s \
             after it",
            kind.name(),
            other.name()
        );
        let place = Place::at(first.time, Some(record.message.direction));
        let report = Report::message(record, words).related("the other track began", place);
        // A player that joins gets sound first and waits for a key frame.
        cx.report(if from_client(record) { report } else { report.severity(Severity::Note) });
    }
}

fn no_audio(cx: &mut Context<'_>, _end: &SessionEnd) {
    let client = cx.state.client();
    let seconds = client.video.span_ms() as f64 / 1000.0;
    if client.is_whole() && client.audio.messages == 0 && seconds >= cx.limit(Limit::AbsentSeconds)
    {
        let words = format!("{seconds:.0} s of video and no audio");
        let time = client.last_message.unwrap_or(cx.now);
        cx.report(Report::new(Place::at(time, Some(Direction::ClientToServer)), words));
    }
}
