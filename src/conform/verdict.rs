//! What came of a case.

use std::borrow::Cow;

/// A graded outcome. The text says what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As required.
    Pass,
    /// Works, but not as required: the catalogue's WARN.
    NonStrict(String),
    /// Against the requirement.
    Fail(String),
    /// Nothing to judge: what the server does.
    Fact(String),
    /// The server does not have what the case is about.
    Unsupported(String),
    /// What has to come before did not succeed.
    Inconclusive(String),
    /// The server died.
    Crash(String),
    /// The server serves nobody any more.
    Hang(String),
    /// Another verdict when tried again; all of them, in order.
    Flaky(Vec<Verdict>),
}

impl Verdict {
    /// `PASS`, `NONSTRICT`, `FAIL`, `FACT`, `UNSUPPORTED`, `INCONCLUSIVE`, `CRASH`, `HANG` or
    /// `FLAKY`.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::NonStrict(_) => "NONSTRICT",
            Verdict::Fail(_) => "FAIL",
            Verdict::Fact(_) => "FACT",
            Verdict::Unsupported(_) => "UNSUPPORTED",
            Verdict::Inconclusive(_) => "INCONCLUSIVE",
            Verdict::Crash(_) => "CRASH",
            Verdict::Hang(_) => "HANG",
            Verdict::Flaky(_) => "FLAKY",
        }
    }

    /// What was seen, in words; empty for a plain pass.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Verdict::Pass => "".into(),
            Verdict::NonStrict(text)
            | Verdict::Fail(text)
            | Verdict::Fact(text)
            | Verdict::Unsupported(text)
            | Verdict::Inconclusive(text)
            | Verdict::Crash(text)
            | Verdict::Hang(text) => text.into(),
            Verdict::Flaky(all) => {
                let all: Vec<_> = all
                    .iter()
                    .map(|one| match &*one.text() {
                        "" => one.name().to_owned(),
                        text => format!("{} ({text})", one.name()),
                    })
                    .collect();
                format!("tried {} times: {}", all.len(), all.join(", then ")).into()
            }
        }
    }

    /// How bad it is: the order in which one of several variants decides.
    pub fn weight(&self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Fact(_) => 1,
            Verdict::Unsupported(_) => 2,
            Verdict::Inconclusive(_) => 3,
            Verdict::NonStrict(_) => 4,
            Verdict::Flaky(_) => 5,
            Verdict::Fail(_) => 6,
            Verdict::Hang(_) => 7,
            Verdict::Crash(_) => 8,
        }
    }

    /// The worse of two; the first when they are as bad.
    pub fn worst(self, other: Verdict) -> Verdict {
        if other.weight() > self.weight() { other } else { self }
    }

    /// The same with the variant it is about in front.
    pub fn of(self, variant: &str) -> Verdict {
        let tell = |text: String| format!("{variant}: {text}");
        match self {
            Verdict::Pass => Verdict::Pass,
            Verdict::NonStrict(text) => Verdict::NonStrict(tell(text)),
            Verdict::Fail(text) => Verdict::Fail(tell(text)),
            Verdict::Fact(text) => Verdict::Fact(tell(text)),
            Verdict::Unsupported(text) => Verdict::Unsupported(tell(text)),
            Verdict::Inconclusive(text) => Verdict::Inconclusive(tell(text)),
            Verdict::Crash(text) => Verdict::Crash(tell(text)),
            Verdict::Hang(text) => Verdict::Hang(tell(text)),
            flaky => flaky,
        }
    }

    /// Pass or fail.
    pub fn pass_if(good: bool, otherwise: impl Into<String>) -> Verdict {
        if good { Verdict::Pass } else { Verdict::Fail(otherwise.into()) }
    }

    /// Pass or NONSTRICT.
    pub fn strict_if(good: bool, otherwise: impl Into<String>) -> Verdict {
        if good { Verdict::Pass } else { Verdict::NonStrict(otherwise.into()) }
    }
}

/// Why a case ended before its last line. `?` does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What has to come before the case did not succeed: INCONCLUSIVE.
    Setup(String),
    /// What the case waits for did not come: FAIL.
    Fail(String),
    /// The case itself asks for what cannot be written: INCONCLUSIVE, and our fault.
    Harness(String),
}

impl Stop {
    /// The same as part of what has to come before.
    pub fn into_setup(self) -> Stop {
        match self {
            Stop::Fail(text) => Stop::Setup(text),
            other => other,
        }
    }

    /// What it means for the case.
    pub fn verdict(self) -> Verdict {
        match self {
            Stop::Setup(text) => Verdict::Inconclusive(text),
            Stop::Fail(text) => Verdict::Fail(text),
            Stop::Harness(text) => Verdict::Inconclusive(format!("fault of the case: {text}")),
        }
    }

    /// What happened.
    pub fn text(&self) -> &str {
        match self {
            Stop::Setup(text) | Stop::Fail(text) | Stop::Harness(text) => text,
        }
    }
}

/// What a case gives.
pub type Outcome = Result<Verdict, Stop>;

/// Marks a step as belonging to what has to come before: its failure is INCONCLUSIVE, not FAIL.
pub trait Setup {
    /// The same with [`Stop::Setup`] for [`Stop::Fail`].
    fn setup(self) -> Self;
}

impl<V> Setup for Result<V, Stop> {
    fn setup(self) -> Self {
        self.map_err(Stop::into_setup)
    }
}
