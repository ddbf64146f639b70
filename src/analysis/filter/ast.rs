//! A checked expression.

use std::ops::Range;

use regex::Regex;

use super::error::FilterError;
use super::field::Field;

/// A filter expression that was read and checked.
#[derive(Clone, Debug)]
pub struct Filter {
    pub(super) text: String,
    pub(super) root: Expr,
    pub(super) needs: Needs,
}

impl Filter {
    /// Reads and checks an expression. An empty one takes everything.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let root = super::parse::parse(text)?;
        let needs = Needs::of(&root);
        Ok(Filter { text: text.to_owned(), root, needs })
    }

    /// The expression as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The checked expression.
    pub fn root(&self) -> &Expr {
        &self.root
    }

    /// What evaluation needs beyond the row.
    pub fn needs(&self) -> Needs {
        self.needs
    }
}

/// An expression and its place in the text.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum Node {
    /// All of them; none is true.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// A test of a field.
    Test(Test),
}

/// A test of a field. A message that lacks the field fails every test of it.
#[derive(Clone, Debug)]
pub struct Test {
    /// The field.
    pub field: Field,
    /// Where its name stands.
    pub span: Range<usize>,
    /// What is asked of it.
    pub compare: Compare,
}

/// What is asked of a field. Times are nanoseconds, sizes bytes, names numbers.
#[derive(Clone, Debug)]
pub enum Compare {
    /// Whether it is there; for a flag, whether it is set.
    Present,
    /// One of these ranges, ends included.
    Within(Vec<(i64, i64)>),
    /// None of these ranges.
    Without(Vec<(i64, i64)>),
    /// One of these texts.
    Is(Vec<String>),
    /// None of these texts.
    IsNot(Vec<String>),
    /// Holds this text, whatever its case.
    Contains(String),
    /// Matches this expression somewhere.
    Matches(Regex),
    /// Does not match it.
    MatchesNot(Regex),
}

/// What evaluation needs beyond a row, so that nobody computes what nobody asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The message's place: frames, offsets, chunks.
    pub place: bool,
    /// The messages before it.
    pub history: bool,
    /// The request of a reply.
    pub request: bool,
    /// Anomalies.
    pub anomalies: bool,
    /// Findings.
    pub findings: bool,
}

impl Needs {
    fn of(expr: &Expr) -> Needs {
        match &expr.node {
            Node::And(parts) | Node::Or(parts) => {
                parts.iter().map(Needs::of).fold(Needs::default(), Needs::or)
            }
            Node::Not(inner) => Needs::of(inner),
            Node::Test(test) => test.field.needs(),
        }
    }

    fn or(self, other: Needs) -> Needs {
        Needs {
            place: self.place || other.place,
            history: self.history || other.history,
            request: self.request || other.request,
            anomalies: self.anomalies || other.anomalies,
            findings: self.findings || other.findings,
        }
    }
}
