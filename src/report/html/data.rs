//! What the page shows: the report, and series thinned to a size that does not depend on the
//! capture's.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::index::{Index, MediaKind, SessionIndex};
use crate::analysis::ladder::{Ladder, Step, StepKind};
use crate::analysis::lanes::{Clock, Column, Lanes, Window};
use crate::base::{Direction, Timestamp};
use crate::report::findings::{FindingLine, Judged, Report, SpecLine};
use crate::wire::message::MessageType;

/// Columns of all series together: the page stays below 5 MB, whatever the capture.
const COLUMNS: usize = 40_000;
/// Columns of a session at most and at least.
const PER_SESSION: (usize, usize) = (160, 1600);
/// Sessions with a timeline, sessions listed, findings shown with their texts.
const MAX_DETAILED: usize = 200;
const MAX_SESSIONS: usize = 1000;
const MAX_FINDINGS: usize = 1500;
/// Commands, rungs of the ladder, and groups of pictures of a session.
const MAX_COMMANDS: usize = 800;
const MAX_STEPS: usize = 500;
const MAX_GOPS: usize = 1500;

/// The data of the page.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    report: Report,
    /// The texts of the rules that have findings, each once.
    rules: BTreeMap<&'static str, RuleTexts>,
    /// What the limits left out.
    omitted: Omitted,
    detail: Vec<Detail>,
}

#[derive(Debug, Serialize)]
struct RuleTexts {
    title: &'static str,
    explanation: &'static str,
    advice: &'static str,
    basis: &'static str,
    spec: Option<SpecLine>,
}

#[derive(Debug, Default, Serialize)]
struct Omitted {
    sessions: usize,
    findings: usize,
    timelines: usize,
}

/// A session on a time axis. Times are seconds from its first packet.
#[derive(Debug, Serialize)]
struct Detail {
    session: u32,
    length: f64,
    columns: usize,
    series: Series,
    commands: Vec<Command>,
    marks: Vec<Mark>,
    /// Time, milliseconds.
    gops: Vec<(f64, u32)>,
    ladder: Vec<Rung>,
    ladder_dropped: usize,
}

/// A value per column; empty where all are 0 or nothing.
#[derive(Debug, Default, Serialize)]
struct Series {
    video_kbps: Vec<u32>,
    audio_kbps: Vec<u32>,
    keys: Vec<u32>,
    video: Vec<u32>,
    audio: Vec<u32>,
    control: Vec<u32>,
    acks: Vec<u32>,
    av_offset: Vec<Option<i64>>,
    lateness: Vec<Option<i64>>,
    flight_client: Vec<Option<i64>>,
    flight_server: Vec<Option<i64>>,
    lost: Vec<u64>,
    anomalies: Vec<u32>,
    damaged: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct Command {
    at: f64,
    until: Option<f64>,
    name: String,
    code: String,
    from_client: bool,
    failed: bool,
}

/// Something rare.
#[derive(Debug, Serialize)]
struct Mark {
    at: f64,
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Rung {
    at: f64,
    /// Seconds since the one before it.
    delta: f64,
    /// `c` from the client, `s` from the server, empty for neither.
    from: &'static str,
    kind: &'static str,
    text: String,
    /// Seconds from request to reply.
    response: Option<f64>,
    failed: bool,
}

pub(super) fn data(judged: &Judged) -> Data {
    let mut report = judged.report.clone();
    let mut omitted = Omitted::default();
    // The worst sessions first when there are too many, then in their order again.
    report.sessions.sort_by_key(|session| {
        (Reverse(session.counts.error), Reverse(session.counts.warning), session.session)
    });
    omitted.sessions = report.sessions.len().saturating_sub(MAX_SESSIONS);
    report.sessions.truncate(MAX_SESSIONS);
    let mut room = MAX_FINDINGS;
    for session in &mut report.sessions {
        let shown = session.findings.len().min(room);
        omitted.findings += session.findings.len() - shown;
        session.findings.truncate(shown);
        room -= shown;
    }
    let detailed = report.sessions.len().min(MAX_DETAILED);
    omitted.timelines = report.sessions.len() - detailed;
    let columns = (COLUMNS / detailed.max(1)).clamp(PER_SESSION.0, PER_SESSION.1);
    let mut detail: Vec<Detail> = report.sessions[..detailed]
        .iter()
        .filter_map(|line| judged.index.session(line.session))
        .map(|session| of(session, &judged.index, columns))
        .collect();
    report.sessions.sort_by_key(|session| session.session);
    detail.sort_by_key(|detail| detail.session);
    let rules = take_texts(&mut report);
    Data { report, rules, omitted, detail }
}

/// Moves the texts that findings share with their rule out of them.
fn take_texts(report: &mut Report) -> BTreeMap<&'static str, RuleTexts> {
    let mut rules = BTreeMap::new();
    let of_sessions = report.sessions.iter_mut().flat_map(|session| &mut session.findings);
    for finding in of_sessions.chain(&mut report.findings) {
        let FindingLine { title, explanation, advice, basis, spec, .. } = finding;
        rules.entry(finding.rule).or_insert(RuleTexts {
            title,
            explanation,
            advice,
            basis,
            spec: *spec,
        });
        (*title, *explanation, *advice, *basis, *spec) = ("", "", "", "", None);
    }
    rules
}

/// Seconds with microseconds: more digits would only make the page larger.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to.seconds_since(from) * 1e6).round() / 1e6
}

fn of(session: &SessionIndex, index: &Index, columns: usize) -> Detail {
    let strings = &index.strings;
    let start = session.session.time;
    let mut lanes = Lanes::new(Clock::Capture);
    lanes.update(session, strings);
    let window = Window::new(start.0, session.last.0.saturating_add(1));
    let view = lanes.view(session, strings, window, columns);
    let at = |nanos: i64| seconds(start, Timestamp(nanos));
    let commands = view
        .commands
        .iter()
        .take(MAX_COMMANDS)
        .map(|span| Command {
            at: at(span.at),
            until: span.until.map(at),
            name: strings.get(span.name).to_owned(),
            code: strings.get(span.code).to_owned(),
            from_client: span.direction == Direction::ClientToServer,
            failed: span.failed,
        })
        .collect();
    let ladder = Ladder::of(session, strings);
    let dropped = ladder.dropped + ladder.steps.len().saturating_sub(MAX_STEPS);
    let rungs =
        ladder.steps.iter().take(MAX_STEPS).map(|step| rung(step, session, index, start)).collect();
    Detail {
        session: session.number(),
        length: at(window.to),
        columns,
        series: series(&view.columns),
        commands,
        marks: marks(session, start),
        gops: gops(session, start),
        ladder: rungs,
        ladder_dropped: dropped,
    }
}

fn series(columns: &[Column]) -> Series {
    let mut out = Series::default();
    for column in columns {
        let sum = &column.sum;
        let kbps = |rate: f64| (rate / 1e3).round().clamp(0.0, f64::from(u32::MAX)) as u32;
        out.audio_kbps.push(kbps(column.rate[0]));
        out.video_kbps.push(kbps(column.rate[1]));
        out.keys.push(sum.video.keys);
        out.video.push(sum.video.frames);
        out.audio.push(sum.audio.frames);
        out.control.push(sum.control);
        out.acks.push(sum.acks[0] + sum.acks[1]);
        out.av_offset.push(sum.av_offset.extreme());
        out.lateness.push(sum.lateness.extreme());
        let most = |side: usize| (sum.flight[side].count > 0).then_some(sum.flight[side].max);
        out.flight_client.push(most(0));
        out.flight_server.push(most(1));
        out.lost.push(column.lost[0] + column.lost[1]);
        out.anomalies.push(column.anomalies);
        out.damaged.push(sum.damaged);
    }
    fn shorten<T: Default + PartialEq>(values: &mut Vec<T>) {
        if values.iter().all(|value| *value == T::default()) {
            values.clear();
        }
    }
    for counts in [
        &mut out.video_kbps,
        &mut out.audio_kbps,
        &mut out.keys,
        &mut out.video,
        &mut out.audio,
        &mut out.control,
        &mut out.acks,
        &mut out.anomalies,
        &mut out.damaged,
    ] {
        shorten(counts);
    }
    shorten(&mut out.lost);
    for values in
        [&mut out.av_offset, &mut out.lateness, &mut out.flight_client, &mut out.flight_server]
    {
        shorten(values);
    }
    out
}

/// Handshakes, the first gaps and anomalies, and the end. The columns count all of them.
fn marks(session: &SessionIndex, start: Timestamp) -> Vec<Mark> {
    const MAX_EACH: usize = 300;
    let mut out = Vec::new();
    for record in session.handshakes.iter().take(2) {
        let handshake = &record.handshake;
        let side = match handshake.direction {
            Direction::ClientToServer => "C0 C1 C2",
            Direction::ServerToClient => "S0 S1 S2",
        };
        let text = format!("handshake {side} complete");
        out.push(Mark { at: seconds(start, handshake.time), kind: "handshake", text });
    }
    for gap in session.gaps.iter().take(MAX_EACH) {
        let text = format!("{}: {} bytes missing", gap.kind.name(), gap.len);
        out.push(Mark { at: seconds(start, gap.time), kind: "gap", text });
    }
    for anomaly in session.anomalies.iter().take(MAX_EACH) {
        let at = seconds(start, anomaly.time.unwrap_or(start));
        let text = format!("{}: {}", anomaly.kind, anomaly.detail);
        out.push(Mark { at, kind: "anomaly", text });
    }
    if let Some(end) = &session.end {
        let text = crate::report::summary::ended(end);
        out.push(Mark { at: seconds(start, end.time), kind: "end", text });
    }
    out.sort_by(|a, b| a.at.total_cmp(&b.at));
    out
}

/// Groups of pictures: when each ended, and how long it was by timestamps. With too many, the
/// longest of each run stays.
fn gops(session: &SessionIndex, start: Timestamp) -> Vec<(f64, u32)> {
    let mut all: Vec<(f64, u32)> = Vec::new();
    let mut last = None;
    let mut way = None;
    let keys = session
        .rows
        .iter()
        .filter(|row| row.type_id == MessageType::VIDEO && row.media == MediaKind::Key);
    for row in keys {
        let this = (row.direction(), row.track());
        if *way.get_or_insert(this) != this {
            continue;
        }
        if let Some(before) = last {
            let ms = row.timestamp.wrapping_sub(before);
            // A clock that was set back is no group of pictures.
            if ms < 3_600_000 {
                all.push((seconds(start, row.time), ms));
            }
        }
        last = Some(row.timestamp);
    }
    let run = all.len().div_ceil(MAX_GOPS).max(1);
    all.chunks(run).filter_map(|run| run.iter().copied().max_by_key(|(_, ms)| *ms)).collect()
}

fn rung(step: &Step, session: &SessionIndex, index: &Index, start: Timestamp) -> Rung {
    let (kind, response, failed) = match &step.kind {
        StepKind::Start => ("start", None, false),
        StepKind::Handshake(_) => ("handshake", None, false),
        StepKind::Command { failed, .. } => ("command", None, *failed),
        StepKind::Reply { response, failed, .. } => ("reply", Some(*response), *failed),
        StepKind::Control(_) => ("control", None, false),
        StepKind::Data(_) => ("data", None, false),
        StepKind::Media(_) => ("media", None, false),
        StepKind::Gap(_) => ("gap", None, true),
        StepKind::Anomaly(_) => ("anomaly", None, true),
        StepKind::End => ("end", None, false),
    };
    Rung {
        at: seconds(start, step.time),
        delta: (step.delta as f64 / 1e3).round() / 1e6,
        from: match step.direction {
            Some(Direction::ClientToServer) => "c",
            Some(Direction::ServerToClient) => "s",
            None => "",
        },
        kind,
        text: step.text(session, &index.strings),
        response: response.map(|nanos| (nanos as f64 / 1e3).round() / 1e6),
        failed,
    }
}
