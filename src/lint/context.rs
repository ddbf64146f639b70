//! What a check sees, and how it reports.

use super::finding::{Finding, MAX_MORE, MAX_RELATED, Place, Related, Severity};
use super::limits::{Limit, Thresholds};
use super::others::Others;
use super::rule::{Needs, Rule};
use super::rules::Memory;
use super::state::{SessionState, Side};
use super::words::Words;
use crate::analysis::{AnomalyRecord, MessageRecord};
use crate::base::{Direction, Timestamp};

/// What a check sees.
pub(super) struct Context<'a> {
    /// The session as it was before the record at hand.
    pub state: &'a SessionState,
    /// What rules keep for themselves.
    pub memory: &'a mut Memory,
    /// All sessions in short.
    pub others: &'a Others,
    /// Capture time.
    pub now: Timestamp,
    pub(super) limits: &'a Thresholds,
    pub(super) desk: Desk<'a>,
}

/// What a check of the whole capture sees.
pub(super) struct CaptureContext<'a> {
    /// All sessions in short.
    pub others: &'a Others,
    /// Capture time.
    pub now: Timestamp,
    pub(super) limits: &'a Thresholds,
    pub(super) desk: Desk<'a>,
}

/// Takes reports and makes findings of them.
pub(super) struct Desk<'a> {
    pub rule: &'static Rule,
    pub session: Option<u32>,
    pub findings: &'a mut Vec<Finding>,
    /// Indices into `findings` of this session's.
    pub open: &'a mut Vec<usize>,
    /// Findings that there was no room for.
    pub dropped: &'a mut u64,
}

/// Findings that are kept: a scan of all ports is a million sessions, and tells nothing new.
const MAX_FINDINGS: usize = 100_000;

/// What a check has found.
pub(super) struct Report {
    place: Place,
    words: Words,
    severity: Option<Severity>,
    weight: f64,
    related: Vec<Related>,
}

impl Report {
    /// Found at a place.
    pub fn new(place: Place, words: impl Into<Words>) -> Report {
        Report { place, words: words.into(), severity: None, weight: 0.0, related: Vec::new() }
    }

    /// Found in a message.
    pub fn message(record: &MessageRecord, words: impl Into<Words>) -> Report {
        Report::new(Place::of(record), words)
    }

    /// Found where an anomaly is.
    pub fn anomaly(record: &AnomalyRecord, words: impl Into<Words>) -> Report {
        Report::new(Place::of_anomaly(record, Timestamp::default()), words)
    }

    /// Who it is about.
    pub fn direction(&self) -> Option<Direction> {
        self.place.direction
    }

    /// Another severity than the rule's.
    pub fn severity(mut self, severity: Severity) -> Report {
        self.severity = Some(severity);
        self
    }

    /// An error when that holds.
    pub fn error_if(self, is_error: bool) -> Report {
        if is_error { self.severity(Severity::Error) } else { self }
    }

    /// A warning when that holds.
    pub fn warning_if(self, is_warning: bool) -> Report {
        if is_warning { self.severity(Severity::Warning) } else { self }
    }

    /// How bad it is among the finding's places: the words of the worst one stand.
    pub fn weight(mut self, weight: f64) -> Report {
        self.weight = weight;
        self
    }

    /// More evidence.
    pub fn related(mut self, what: &'static str, place: Place) -> Report {
        self.related.push(Related { what, session: None, place });
        self
    }

    /// More evidence, if there is any.
    pub fn related_if(self, what: &'static str, place: Option<&Place>) -> Report {
        match place {
            Some(place) => self.related(what, place.clone()),
            None => self,
        }
    }

    /// Evidence in another session.
    pub fn related_session(mut self, what: &'static str, session: u32, place: Place) -> Report {
        self.related.push(Related { what, session: Some(session), place });
        self
    }

    /// The bytes of the message's payload that it is about.
    pub fn field(mut self, range: std::ops::Range<usize>) -> Report {
        self.place.field = Some(range.start as u64..range.end as u64);
        self
    }
}

impl Desk<'_> {
    fn find(&mut self, direction: Option<Direction>) -> Option<&mut Finding> {
        let rule = self.rule;
        let findings = &mut *self.findings;
        let at = self.open.iter().copied().find(|at| {
            findings.get(*at).is_some_and(|f| f.rule == rule && f.place.direction == direction)
        });
        findings.get_mut(at?)
    }

    /// Makes a finding of a report, or adds it to the one there is.
    pub fn report(&mut self, report: Report) {
        let severity = report.severity.unwrap_or(self.rule.severity);
        if let Some(finding) = self.find(report.place.direction) {
            finding.count += 1;
            finding.severity = finding.severity.max(severity);
            finding.last = finding.last.max(report.place.time);
            if finding.more.len() < MAX_MORE {
                finding.more.push(report.place);
            }
            if report.weight > finding.weight {
                finding.weight = report.weight;
                finding.message = report.words;
            }
            let room = MAX_RELATED.saturating_sub(finding.related.len());
            for related in report.related.into_iter().take(room) {
                if !finding.related.contains(&related) {
                    finding.related.push(related);
                }
            }
            return;
        }
        if self.findings.len() >= MAX_FINDINGS {
            *self.dropped += 1;
            return;
        }
        self.open.push(self.findings.len());
        let last = report.place.time;
        self.findings.push(Finding {
            rule: self.rule,
            severity,
            session: self.session,
            place: report.place,
            message: report.words,
            count: 1,
            more: Vec::new(),
            last,
            related: report.related,
            weight: report.weight,
        });
    }
}

impl Context<'_> {
    /// A threshold.
    pub fn limit(&self, limit: Limit) -> f64 {
        self.limits.value(limit)
    }

    /// Makes a finding, or adds to the one there is in that direction.
    pub fn report(&mut self, report: Report) {
        self.desk.report(report);
    }

    /// Whether this rule has a finding in that direction already.
    pub fn has_reported(&mut self, direction: Direction) -> bool {
        self.desk.find(Some(direction)).is_some()
    }

    /// Counts one more where the rule has found it so often that no place is worth keeping: for
    /// what may come with each picture. False when it must be reported.
    pub fn repeats(&mut self, direction: Direction, time: Timestamp) -> bool {
        match self.desk.find(Some(direction)) {
            Some(finding) if finding.more.len() >= MAX_MORE => {
                finding.count += 1;
                finding.last = finding.last.max(time);
                true
            }
            _ => false,
        }
    }

    /// The sides that the rule may judge: for one that needs all bytes of a direction, those that
    /// were captured whole.
    pub fn sides(&self) -> impl Iterator<Item = &Side> {
        let needs = self.desk.rule.needs;
        self.state.sides.iter().filter(move |side| needs != Needs::Direction || side.is_whole())
    }
}

impl CaptureContext<'_> {
    /// Makes this rule's finding in a session worse (or milder), with other words: for what only
    /// the sessions that come after it tell.
    pub fn revise(&mut self, session: u32, severity: Severity, words: impl Into<Words>) {
        let rule = self.desk.rule;
        let mut findings = self.desk.findings.iter_mut();
        let found = findings.find(|f| f.rule == rule && f.session == Some(session));
        if let Some(finding) = found {
            finding.severity = severity;
            finding.message = words.into();
        }
    }

    /// Findings of this rule so far: session and place.
    pub fn found(&self) -> Vec<(u32, Place)> {
        let rule = self.desk.rule;
        let own = self.desk.findings.iter().filter(|f| f.rule == rule);
        own.filter_map(|f| Some((f.session?, f.place.clone()))).collect()
    }

    /// A threshold.
    pub fn limit(&self, limit: Limit) -> f64 {
        self.limits.value(limit)
    }

    /// Makes a finding, or adds to the one there is.
    pub fn report(&mut self, report: Report) {
        self.desk.report(report);
    }
}
