//! Rates: of bits, of frames, of samples, of time itself.

use std::collections::VecDeque;

use super::media_config::video;
use crate::analysis::{MessageRecord, SessionEnd};
use crate::base::{Direction, Timestamp};
use crate::lint::context::{Context, Report};
use crate::lint::finding::{Place, Severity};
use crate::lint::limits::Limit;
use crate::lint::rule::{Basis, Check, Layer, Needs, Rule};
use crate::lint::state::{Kind, MediaTrack, SessionState};

/// A moment of a publisher.
#[derive(Clone, Copy, Debug)]
struct Sample {
    time: Timestamp,
    media_ms: i64,
    bytes: u64,
}

/// What these rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    /// The last minute, a sample a second.
    samples: VecDeque<Sample>,
    /// The slowest span: media seconds, seconds, and its end.
    slowest: Option<(f64, f64, Timestamp)>,
    /// Pictures that are missing.
    gaps: u64,
}

/// Samples that are kept.
const MAX_SAMPLES: usize = 61;

const BASE: Rule = Rule {
    id: "",
    layer: Layer::Media,
    title: "",
    severity: Severity::Warning,
    escalates: None,
    spec: None,
    basis: Basis::Robustness,
    explanation: "",
    advice: "",
    covers: &[],
    needs: Needs::Direction,
    checks: &[],
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media/slower-than-realtime",
        title: "Encoder or uplink delivers less than real time",
        severity: Severity::Error,
        explanation: "The publisher's media time advances slower than the clock: viewers fall \
            behind or see it stop. Either the encoder is too slow, or the path carries less than \
            it makes.",
        advice: "See whether the path is the limit (tcp/uplink-saturated, losses). If not, the \
            encoder's machine is too slow: a faster preset, a smaller picture.",
        checks: &[Check::Tick(sample), Check::End(slow)],
        ..BASE
    },
    Rule {
        id: "media/bitrate-over-profile",
        title: "Bit rate above the service's limit",
        explanation: "The mean of 10 s is above what the service of the profile accepts.",
        advice: "Lower the bit rate, or choose the profile of another service.",
        checks: &[Check::Tick(over)],
        ..BASE
    },
    Rule {
        id: "media/bitrate-collapse",
        title: "Bit rate fell by more than half",
        severity: Severity::Note,
        explanation: "The mean of 5 s is below half of the 30 s before: the encoder adapts to its \
            path, drops frames, or the picture stands still.",
        advice: "With losses or missing frames at this time it is the path.",
        checks: &[Check::Tick(collapse)],
        ..BASE
    },
    Rule {
        id: "media/frame-gaps",
        title: "Frames are missing",
        severity: Severity::Note,
        explanation: "The step from picture to picture is several times the usual one: the encoder \
            dropped frames, or its rate varies (screen capture).",
        advice: "Compare with the encoder's count of dropped frames; lower the bit rate if the \
            path is full.",
        checks: &[Check::Media(frame_gap)],
        ..BASE
    },
    Rule {
        id: "media/aac-rate-conflict",
        title: "Sample rate and timing of the audio disagree",
        explanation: "AAC frames of 1024 samples come at other intervals than the sample rate of \
            their configuration demands. The sound has a wrong pitch or drifts.",
        advice: "A factor of 2 is SBR (HE-AAC) signalled the wrong way; otherwise the encoder \
            writes a rate that it does not have.",
        covers: &["flv/audio/asc-valid"],
        checks: &[Check::End(rate_conflict)],
        ..BASE
    },
    Rule {
        id: "media/av-drift",
        title: "Audio samples and audio clock drift apart",
        explanation: "The timestamps of the audio advance at another rate than its samples: a \
            sound card with a clock of its own. Over hours lips and sound come apart.",
        advice: "Let the encoder resample to its clock, or take both from one device.",
        checks: &[Check::End(drift)],
        ..BASE
    },
];

fn publisher(state: &SessionState) -> bool {
    state.client().media_messages() > 0 && state.client().is_whole()
}

fn sample(cx: &mut Context<'_>) {
    if !publisher(cx.state) {
        return;
    }
    let client = cx.state.client();
    let Some((_, time)) = client.media_times() else { return };
    let now = Sample { time, media_ms: client.media_ms(), bytes: client.payload_bytes };
    let samples = &mut cx.memory.rate.samples;
    // A connection that is still open after its last picture is no slow encoder.
    if samples.back().is_some_and(|before| before.time == now.time) {
        return;
    }
    if samples.len() == MAX_SAMPLES {
        samples.pop_front();
    }
    samples.push_back(now);
    let span = cx.limit(Limit::MediaPaceSeconds);
    let past = cx.memory.rate.samples.iter().rev();
    let past = past.copied().find(|s| now.time.seconds_since(s.time) >= span);
    if let Some(past) = past {
        let media = (now.media_ms - past.media_ms) as f64 / 1000.0;
        let wall = now.time.seconds_since(past.time);
        let slowest = &mut cx.memory.rate.slowest;
        if slowest.is_none_or(|(m, w, _)| media / wall < m / w) {
            *slowest = Some((media, wall, now.time));
        }
    }
}

fn slow(cx: &mut Context<'_>, end: &SessionEnd) {
    let Some((media, wall, time)) = cx.memory.rate.slowest else { return };
    if media / wall >= cx.limit(Limit::RealTimeShare) {
        return;
    }
    let stalled = end.tcp[1].zero_window_ns as f64 / 1e9;
    // The receiver's own stall is its fault, and has a rule; silence of the encoder as well.
    if stalled > 0.5 * (wall - media) || media <= 0.0 {
        return;
    }
    let lost = end.tcp[0].retransmissions;
    let words = format!(
        "{media:.1} s of media in {wall:.1} s ({:.2} times real time); {lost} retransmissions in \
         the whole session",
        media / wall
    );
    cx.report(Report::new(Place::at(time, Some(Direction::ClientToServer)), words));
}

/// Mean bit rate in kbit/s from `from` to `to` seconds ago.
fn kbps(samples: &VecDeque<Sample>, from: f64, to: f64) -> Option<f64> {
    let now = samples.back()?;
    let ago = |s: &Sample| now.time.seconds_since(s.time);
    let first = samples.iter().rev().find(|s| ago(s) >= from)?;
    let last = samples.iter().rev().find(|s| ago(s) >= to)?;
    let seconds = last.time.seconds_since(first.time);
    (seconds > 0.0).then(|| (last.bytes - first.bytes) as f64 * 8.0 / seconds / 1000.0)
}

fn over(cx: &mut Context<'_>) {
    let limit = cx.limit(Limit::BitrateKbps);
    let rate = kbps(&cx.memory.rate.samples, 10.0, 0.0);
    if let Some(rate) = rate.filter(|rate| limit > 0.0 && *rate > limit)
        && !cx.repeats(Direction::ClientToServer, cx.now)
    {
        let words = format!("{rate:.0} kbit/s over 10 s; the limit is {limit:.0}");
        let place = Place::at(cx.now, Some(Direction::ClientToServer));
        cx.report(Report::new(place, words).weight(rate));
    }
}

fn collapse(cx: &mut Context<'_>) {
    let samples = &cx.memory.rate.samples;
    let (Some(now), Some(before)) = (kbps(samples, 5.0, 0.0), kbps(samples, 35.0, 5.0)) else {
        return;
    };
    if now < before / 2.0 && !cx.repeats(Direction::ClientToServer, cx.now) {
        let words = format!("{now:.0} kbit/s over 5 s, {before:.0} in the 30 s before");
        let place = Place::at(cx.now, Some(Direction::ClientToServer));
        cx.report(Report::new(place, words).weight(before / now.max(1.0)));
    }
}

fn frame_gap(cx: &mut Context<'_>, record: &MessageRecord) {
    let message = &record.message;
    let Some(tag) = video(record).filter(|tag| tag.is_coded() && message.timestamp_exact) else {
        return;
    };
    let [one] = tag.tracks.as_slice() else { return };
    let side = cx.state.side(message.direction);
    let Some(track) = side.track(Kind::Video, one.id.unwrap_or(0)) else { return };
    let Some(step) = track.step(message.timestamp).filter(|_| track.steps.count >= 20) else {
        return;
    };
    let usual = track.steps.mean;
    // A jump of the clock is another rule's.
    if (step as f64) < (3.0 * usual).max(100.0) || step > 10_000 {
        return;
    }
    cx.memory.rate.gaps += 1;
    let many = cx.memory.rate.gaps >= cx.limit(Limit::FrameGaps) as u64;
    if !cx.repeats(message.direction, message.time)
        || cx.memory.rate.gaps == cx.limit(Limit::FrameGaps) as u64
    {
        let words = format!("{step} ms from picture to picture; {usual:.0} ms is usual");
        let own = message.direction == Direction::ClientToServer;
        cx.report(Report::message(record, words).weight(step as f64).warning_if(many && own));
    }
}

/// The AAC track of the publisher: frames, sample rate.
fn aac(state: &SessionState) -> Option<(&MediaTrack, f64)> {
    let track = state.client().track(Kind::Audio, 0).filter(|track| track.codec == "aac")?;
    let config = track.config.as_ref()?.config.as_ref()?;
    let rate = f64::from(config.sample_rate.filter(|rate| *rate > 0)?);
    // SBR frames are twice as long at the rate that they give out.
    let plain = config.profile.as_deref().is_none_or(|p| !p.contains("HE") && !p.contains("SBR"));
    plain.then_some((track, rate))
}

fn rate_conflict(cx: &mut Context<'_>, _end: &SessionEnd) {
    let Some((track, rate)) = aac(cx.state).filter(|_| publisher(cx.state)) else { return };
    let (wanted, seen) = (1024.0 / rate * 1000.0, track.steps.mean);
    if track.steps.count < 50 || (seen / wanted - 1.0).abs() <= 0.05 {
        return;
    }
    // Frames that are missing are no conflict: then the longest step stands out.
    if track.steps.max > 4.0 * seen {
        return;
    }
    let factor = seen / wanted;
    let hint = if (factor - 2.0).abs() < 0.1 || (factor - 0.5).abs() < 0.03 {
        ": a factor of 2"
    } else {
        ""
    };
    let words = format!(
        "{seen:.2} ms from frame to frame; 1024 samples at {rate:.0} Hz are {wanted:.2} ms{hint}"
    );
    let time = track.last.map_or(cx.now, |last| last.time);
    cx.report(Report::new(Place::at(time, Some(Direction::ClientToServer)), words));
}

fn drift(cx: &mut Context<'_>, _end: &SessionEnd) {
    let Some((track, rate)) = aac(cx.state).filter(|_| publisher(cx.state)) else { return };
    let Some(last) = track.last else { return };
    let elapsed = last.elapsed_ms as f64;
    let counted = track.frames.saturating_sub(1) as f64 * 1024.0 / rate * 1000.0;
    if elapsed < cx.limit(Limit::DriftSeconds) * 1000.0 || track.steps.max > 3.0 * track.steps.mean
    {
        return;
    }
    let ppm = (elapsed / counted - 1.0) * 1e6;
    if ppm.abs() > cx.limit(Limit::DriftPpm) && ppm.abs() < 50_000.0 {
        let words = format!(
            "{:.0} ppm: {:.1} s by timestamps, {:.1} s by samples",
            ppm,
            elapsed / 1000.0,
            counted / 1000.0
        );
        let place = Place::at(last.time, Some(Direction::ClientToServer));
        cx.report(Report::new(place, words));
    }
}
