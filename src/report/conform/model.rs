//! The results of a run as JSON holds them; every other format is made of it.
//!
//! They can be read back: shards are merged and servers compared that way. `docs/check.md` and
//! `docs/check.schema.json` describe it; a test holds them together.

use serde::{Deserialize, Serialize};

/// Number of the format. Added fields do not change it, another meaning of an old one does.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run against one server gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// `rtmpscope`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The address under test.
    pub target: String,
    /// Name of the server: of the manifest, or what it called itself.
    #[serde(default)]
    pub server: Option<String>,
    /// What was found out before the first case: which barrier is answered, how fast, whether
    /// there is a play side.
    #[serde(default)]
    pub facts: Vec<FactLine>,
    /// Seed of all random bytes; text, since scripts round numbers above 2^53.
    pub seed: String,
    /// When the run began (RFC 3339).
    pub started: String,
    /// How long it took.
    pub duration_ms: f64,
    /// `k/n` for a part of the cases, else nothing.
    #[serde(default)]
    pub shard: Option<String>,
    /// Entries of the expectation file that are wrong: expired, or naming no case.
    #[serde(default)]
    pub stale: Vec<String>,
    /// Cases by verdict.
    pub counts: Counts,
    /// The cases in the order of the suite.
    pub cases: Vec<CaseLine>,
}

/// Something known about the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactLine {
    /// What.
    pub name: String,
    /// In words.
    pub value: String,
}

/// The outcome of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseLine {
    /// `area/slug`; never another meaning.
    pub id: String,
    /// What was found.
    pub verdict: Verdict,
    /// How binding it is.
    pub level: Level,
    /// Where it comes from.
    pub basis: Basis,
    /// Places in the specifications, the most telling one first.
    pub sections: Vec<String>,
    /// The requirement.
    pub says: String,
    /// What was seen; may be empty for a pass.
    pub detail: String,
    /// How long it took.
    pub duration_ms: f64,
    /// Whether this was to be expected.
    pub status: Status,
    /// What the expectation file says about it.
    #[serde(default)]
    pub expected: Option<ExpectedLine>,
    /// How often it was tried.
    #[serde(default = "once")]
    pub attempts: u32,
    /// What each try gave, when they differ.
    #[serde(default)]
    pub tries: Vec<TryLine>,
    /// What the case wrote down, whatever the verdict.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the passive rules say about the server's bytes.
    #[serde(default)]
    pub findings: Vec<NoteLine>,
    /// What was said on each connection.
    #[serde(default)]
    pub exchange: Vec<ConnectionLine>,
}

/// One try of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryLine {
    /// What it gave.
    pub verdict: Verdict,
    /// In words.
    pub detail: String,
}

/// What the expectation file says of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedLine {
    /// Whether it came like that.
    pub met: bool,
    /// What was expected, where it came otherwise.
    #[serde(default)]
    pub result: Option<String>,
    /// Why it is expected.
    pub reason: String,
    /// Where it is tracked.
    #[serde(default)]
    pub issue: Option<String>,
}

fn once() -> u32 {
    1
}

/// A finding of a passive rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteLine {
    /// Id of the rule; `rtmpscope rules explain` tells more.
    pub rule: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// What, in words.
    pub text: String,
}

/// One connection of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionLine {
    /// What it was for.
    pub name: String,
    /// In the order of time.
    pub lines: Vec<ExchangeLine>,
    /// Lines left out in the middle.
    #[serde(default)]
    pub omitted: u64,
}

/// Something said on a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExchangeLine {
    /// Milliseconds since the case began.
    pub at_ms: f64,
    /// Who.
    pub from: From,
    /// What, in RTMP terms.
    pub text: String,
    /// Whether it reports or is a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bad: bool,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// rtmpscope.
    Client,
    /// The server under test.
    Server,
    /// Nobody: what became of the connection.
    Note,
}

/// What a case gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// As required.
    Pass,
    /// Works, but not to the letter.
    Nonstrict,
    /// Not as required.
    Fail,
    /// No judgement: something to know.
    Fact,
    /// The server does not have the feature.
    Unsupported,
    /// The set-up did not succeed.
    Inconclusive,
    /// The server ended, or its log tells of a fault.
    Crash,
    /// The server serves nobody any more.
    Hang,
    /// Tries differ.
    Flaky,
}

impl Verdict {
    /// All, the worst first.
    pub const ALL: [Verdict; 9] = [
        Verdict::Crash,
        Verdict::Hang,
        Verdict::Fail,
        Verdict::Flaky,
        Verdict::Nonstrict,
        Verdict::Inconclusive,
        Verdict::Unsupported,
        Verdict::Fact,
        Verdict::Pass,
    ];

    /// The word of the output.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Nonstrict => "NONSTRICT",
            Verdict::Fail => "FAIL",
            Verdict::Fact => "FACT",
            Verdict::Unsupported => "UNSUPPORTED",
            Verdict::Inconclusive => "INCONCLUSIVE",
            Verdict::Crash => "CRASH",
            Verdict::Hang => "HANG",
            Verdict::Flaky => "FLAKY",
        }
    }

    /// Whether the case was not judged.
    pub fn is_skip(self) -> bool {
        matches!(self, Verdict::Unsupported | Verdict::Inconclusive)
    }
}

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// MUST.
    Must,
    /// SHOULD.
    Should,
    /// MAY.
    May,
}

impl Level {
    /// The word of the output.
    pub fn name(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        }
    }
}

/// Where a requirement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A specification says so.
    Spec,
    /// Implementations agree on it.
    DeFacto,
    /// Whoever sends what, the server goes on serving.
    Robustness,
}

impl Basis {
    /// The word of the output.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Spec => "spec",
            Basis::DeFacto => "de-facto",
            Basis::Robustness => "robustness",
        }
    }
}

/// Whether an outcome was to be expected: what CI asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nothing to complain of.
    Ok,
    /// Bad, and the expectation file says so.
    Expected,
    /// Bad.
    Unexpected,
    /// Good, though the expectation file says otherwise.
    UnexpectedPass,
}

/// Cases by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "one for each verdict")]
pub struct Counts {
    pub pass: u64,
    pub nonstrict: u64,
    pub fail: u64,
    pub fact: u64,
    pub unsupported: u64,
    pub inconclusive: u64,
    pub crash: u64,
    pub hang: u64,
    pub flaky: u64,
}

impl Counts {
    /// Counts cases.
    pub fn of(cases: &[CaseLine]) -> Counts {
        let mut counts = Counts::default();
        for case in cases {
            *counts.slot(case.verdict) += 1;
        }
        counts
    }

    /// Cases with a verdict.
    pub fn get(&self, verdict: Verdict) -> u64 {
        *self.clone().slot(verdict)
    }

    /// The verdicts that occur, the worst first: `2 FAIL, 1 NONSTRICT, 40 PASS`.
    pub fn words(&self) -> String {
        let some = Verdict::ALL.into_iter().filter(|verdict| self.get(*verdict) > 0);
        let parts: Vec<String> =
            some.map(|verdict| format!("{} {}", self.get(verdict), verdict.name())).collect();
        if parts.is_empty() { "no cases".to_owned() } else { parts.join(", ") }
    }

    fn slot(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Nonstrict => &mut self.nonstrict,
            Verdict::Fail => &mut self.fail,
            Verdict::Fact => &mut self.fact,
            Verdict::Unsupported => &mut self.unsupported,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Crash => &mut self.crash,
            Verdict::Hang => &mut self.hang,
            Verdict::Flaky => &mut self.flaky,
        }
    }
}

impl Results {
    /// What heads its column: the server's name, or the address.
    pub fn label(&self) -> &str {
        self.server.as_deref().unwrap_or(&self.target)
    }

    /// Cases with a status.
    pub fn with(&self, status: Status) -> impl Iterator<Item = &CaseLine> {
        self.cases.iter().filter(move |case| case.status == status)
    }
}

impl CaseLine {
    /// The id without its last part: `rtmp/chunk`.
    pub fn area(&self) -> &str {
        self.id.rsplit_once('/').map_or("", |(area, _)| area)
    }

    /// What was seen, or the requirement when there is nothing to add.
    pub fn summary(&self) -> &str {
        if self.detail.is_empty() { &self.says } else { &self.detail }
    }
}
