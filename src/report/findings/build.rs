//! The report out of what was collected.

use super::figures;
use super::model::{
    Close, Counts, FindingLine, Headline, Place, RelatedLine, Report, SCHEMA_VERSION, SessionLine,
    SpecLine,
};
use super::setup;
use crate::analysis::figures::Figures as Collected;
use crate::analysis::index::{Index, SessionIndex};
use crate::analysis::lanes::{Clock, Lanes};
use crate::base::{Direction, Timestamp};
use crate::lint::{self, Finding, Severity};
use crate::report::Redactor;
use crate::report::line::{end_reason, peer_name};
use crate::report::summary;

pub(super) fn build(
    captures: Vec<String>,
    profile: &'static str,
    (index, collected): (&Index, &Collected),
    (findings, headlines): (&[Finding], &[lint::Headline]),
    redactor: &mut Redactor,
) -> Report {
    let epoch = index.epoch.unwrap_or_default();
    let mut lines: Vec<(Option<u32>, Severity, FindingLine)> = findings
        .iter()
        .map(|finding| (finding.session, finding.severity, line(finding, epoch, redactor)))
        .collect();
    // The worst first, then in order of time.
    lines.sort_by(|a, b| {
        (a.0, std::cmp::Reverse(a.1))
            .cmp(&(b.0, std::cmp::Reverse(b.1)))
            .then(a.2.place.time.total_cmp(&b.2.place.time))
    });
    let mut of_capture = Vec::new();
    let mut by_session: Vec<Vec<FindingLine>> = vec![Vec::new(); index.sessions.len()];
    let mut counts = Counts::default();
    for (session, _, line) in lines {
        counts.add(line.severity);
        let slot = session.and_then(|s| by_session.get_mut((s as usize).checked_sub(1)?));
        slot.unwrap_or(&mut of_capture).push(line);
    }
    let end = index.end.clone().unwrap_or_default();
    let sessions = index
        .sessions
        .iter()
        .zip(by_session)
        .map(|(session, findings)| {
            let headline = headline(headlines, session.number(), redactor);
            session_line((index, collected), session, findings, (headline, epoch))
        })
        .collect();
    Report {
        schema: SCHEMA_VERSION,
        program: "rtmpscope",
        version: env!("CARGO_PKG_VERSION"),
        captures,
        profile,
        epoch_ns: index.epoch.map(|epoch| epoch.0),
        duration: end.last.map_or(0.0, |last| last.seconds_since(epoch)),
        packets: end.packets,
        messages: end.messages,
        other_flows: end.other_flows,
        capture_lost_bytes: end.capture_lost_bytes,
        network_lost_bytes: end.network_lost_bytes,
        capture_errors: end.capture_errors,
        counts,
        sessions,
        findings: of_capture,
    }
}

fn session_line(
    (index, collected): (&Index, &Collected),
    session: &SessionIndex,
    findings: Vec<FindingLine>,
    (headline, epoch): (Headline, Timestamp),
) -> SessionLine {
    let info = &session.session;
    let facts = session.facts();
    let mut lanes = Lanes::new(Clock::Capture);
    lanes.update(session, &index.strings);
    let setup = setup::steps(session, &index.strings, &lanes);
    let mut figures = figures::of(session, &index.strings, &lanes);
    let collected = collected.session(session.number());
    if let Some(collected) = &collected {
        figures::add(&mut figures, collected);
    }
    let mut close = close(session);
    if let Some(figures) = collected.and_then(|collected| collected.close) {
        close.text = figures.sentence;
    }
    let mut counts = Counts::default();
    findings.iter().for_each(|finding| counts.add(finding.severity));
    let sheet = match &session.end {
        Some(end) => summary::summary_sheet(Some(info), end, index.epoch),
        None => String::new(),
    };
    SessionLine {
        session: session.number(),
        client: info.client.to_string(),
        server: info.server.to_string(),
        transport: session.end.as_ref().map_or(info.transport, |end| end.transport).name(),
        midstream: info.midstream,
        role: facts.role,
        app: facts.app,
        tc_url: facts.tc_url,
        stream: facts.stream,
        video: facts.video,
        audio: facts.audio,
        start: info.time.seconds_since(epoch),
        duration: session.last.seconds_since(info.time),
        headline,
        close,
        setup,
        figures,
        counts,
        findings,
        sheet,
    }
}

fn close(session: &SessionIndex) -> Close {
    let Some(end) = &session.end else {
        let text = "the capture ended first".into();
        return Close { reason: "end-of-capture", by: None, text, last_status: None };
    };
    let (reason, by) = end_reason(end.reason);
    let text = summary::ended(end);
    let text = text.split("; last status").next().unwrap_or_default().to_owned();
    Close { reason, by: by.map(peer_name), text, last_status: end.facts.last_status.clone() }
}

/// What the rules say of a session in one sentence.
fn headline(headlines: &[lint::Headline], number: u32, redactor: &mut Redactor) -> Headline {
    match headlines.iter().find(|headline| headline.session == number) {
        Some(headline) => Headline {
            text: redactor.words(&headline.words),
            outcome: headline.outcome.name(),
            cause: headline.cause.map(|rule| rule.id),
        },
        None => Headline { text: "Nothing was judged".into(), outcome: "unreadable", cause: None },
    }
}

fn line(finding: &Finding, epoch: Timestamp, redactor: &mut Redactor) -> FindingLine {
    let rule = finding.rule;
    FindingLine {
        rule: rule.id,
        severity: finding.severity.name(),
        session: finding.session,
        title: rule.title,
        message: redactor.words(&finding.message),
        count: finding.count,
        place: place(&finding.place, epoch),
        more: finding.more.iter().map(|more| place(more, epoch)).collect(),
        last: finding.last.seconds_since(epoch),
        related: finding
            .related
            .iter()
            .map(|related| RelatedLine {
                what: related.what,
                session: related.session,
                place: place(&related.place, epoch),
            })
            .collect(),
        explanation: rule.explanation,
        advice: rule.advice,
        basis: rule.basis.name(),
        spec: rule.spec.map(|s| SpecLine { document: s.document, section: s.section }),
    }
}

fn place(place: &lint::Place, epoch: Timestamp) -> Place {
    Place {
        time: place.time.seconds_since(epoch),
        direction: place.direction.map(Direction::name),
        frames: place.frames.clone(),
        bytes: place.bytes.clone().map(|range| [range.start, range.end]),
        field: place.field.clone().map(|range| [range.start, range.end]),
    }
}
