//! Findings as comments of packets: Wireshark shows them and filters by them.

use std::collections::BTreeMap;

use super::model::{FindingLine, Report};

/// Comments of one packet at most, and characters of each.
const MAX_PER_PACKET: usize = 8;

/// Comments by packet number.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    by_frame: BTreeMap<u64, Vec<String>>,
    /// Comment of the file.
    pub section: String,
}

impl Annotations {
    /// The findings of a report, each at its first packet, and where else it was found. A finding
    /// without a packet stands in the comment of the file.
    pub fn of(report: &Report) -> Annotations {
        let mut out = Annotations::default();
        for session in &report.sessions {
            let number = session.session;
            out.section.push_str(&format!("Session {number}: {}\n", session.headline.text));
        }
        let all = report.sessions.iter().flat_map(|session| &session.findings);
        for finding in report.findings.iter().chain(all) {
            out.add(finding);
        }
        out
    }

    /// The comments of a packet.
    pub fn comments(&self, frame: u64) -> &[String] {
        self.by_frame.get(&frame).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, finding: &FindingLine) {
        let FindingLine { severity, rule, title, message, advice, .. } = finding;
        let head = format!("{severity} {rule}: {title}");
        let mut text = head.clone();
        if !message.is_empty() {
            text.push_str(&format!("\n{message}"));
        }
        if finding.count > 1 {
            text.push_str(&format!("\n{} times", finding.count));
        }
        if !advice.is_empty() {
            text.push_str(&format!("\n{advice}"));
        }
        match finding.place.frames.first() {
            Some(frame) => self.comment(*frame, text),
            None => self.section.push_str(&format!("{text}\n")),
        }
        for place in &finding.more {
            if let Some(frame) = place.frames.first() {
                self.comment(*frame, format!("{head} (again)"));
            }
        }
        for related in &finding.related {
            if let Some(frame) = related.place.frames.first() {
                self.comment(*frame, format!("{rule}: {}", related.what));
            }
        }
    }

    fn comment(&mut self, frame: u64, text: String) {
        let comments = self.by_frame.entry(frame).or_default();
        if comments.len() < MAX_PER_PACKET && !comments.contains(&text) {
            comments.push(text);
        }
    }
}
