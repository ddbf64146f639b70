//! Takes the records of a run and keeps what a report needs.

use super::model::Report;
use crate::analysis::Record;
use crate::analysis::figures::Figures;
use crate::analysis::index::Index;
use crate::lint::{self, Finding, Linter};
use crate::report::Redactor;

/// Takes every record of a pipeline with frames, in order.
pub struct Collector {
    linter: Linter,
    redactor: Redactor,
    index: Index,
    figures: Figures,
    profile: &'static str,
}

/// A capture that was read and judged.
pub struct Judged {
    /// The report.
    pub report: Report,
    /// Its messages, redacted.
    pub index: Index,
    /// What the rules found. Their texts may hold secrets: the report has them redacted.
    pub findings: Vec<Finding>,
}

impl Collector {
    /// Nothing yet.
    pub fn new(options: lint::Options, show_secrets: bool) -> Collector {
        Collector {
            profile: options.thresholds.profile().name(),
            linter: Linter::new(options),
            redactor: Redactor::new(show_secrets),
            index: Index::new(),
            figures: Figures::new(),
        }
    }

    /// Takes the next record.
    pub fn push(&mut self, mut record: Record) {
        // Rules look at names as they are; what they say is redacted when it is written.
        self.linter.push(&record);
        self.redactor.redact(&mut record);
        self.figures.push(&record);
        self.index.push(&record);
    }

    /// A line about the run with known secrets replaced.
    pub fn clean(&self, line: &str) -> String {
        self.redactor.clean(line)
    }

    /// After the last record. `captures` are the names of the inputs.
    pub fn finish(mut self, captures: Vec<String>) -> Judged {
        let captures = captures.iter().map(|name| self.redactor.clean_name(name)).collect();
        let headlines = self.linter.headlines();
        let findings = self.linter.into_findings();
        let report = super::build::build(
            captures,
            self.profile,
            (&self.index, &self.figures),
            (&findings, &headlines),
            &mut self.redactor,
        );
        Judged { report, index: self.index, findings }
    }
}
