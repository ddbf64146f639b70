//! Tokens to a checked expression.

use std::ops::Range;

use super::ast::{Compare, Expr, Node, Test};
use super::error::{FilterError, nearest};
use super::field::{FIELDS, Field, Kind};
use super::token::{Token, tokens};
use super::value::{self, example, in_words};
use super::wireshark;

/// Parentheses and `!` within each other; more is a mistake, and recursion must end.
const MAX_DEPTH: usize = 100;
/// Longest expression in bytes: far more than anybody types.
const MAX_LEN: usize = 1 << 16;
/// Largest compiled regular expression in bytes.
const MAX_REGEX: usize = 1 << 20;

/// Reads and checks an expression. An empty one takes everything.
pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    if text.len() > MAX_LEN {
        return Err(FilterError::new(MAX_LEN..text.len(), "the expression is too long"));
    }
    let (tokens, fault) = tokens(text);
    if let Some(fault) = fault {
        return Err(fault);
    }
    let mut parser = Parser { tokens: &tokens, at: 0, end: text.len(), depth: 0 };
    if tokens.is_empty() {
        return Ok(Expr { node: Node::And(Vec::new()), span: 0..text.len() });
    }
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(Token::Close) => Err(FilterError::new(parser.span(), ") closes nothing")),
        Some(Token::Word(_) | Token::Quoted(_) | Token::Not | Token::Open) => {
            let span = parser.span();
            let found = text.get(span.clone()).unwrap_or_default();
            Err(FilterError::new(span, format!("&& or || is missing before {found}")))
        }
        Some(_) => Err(parser.unexpected("&& or ||")),
    }
}

/// How an operator compares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Matches,
    MatchesNot,
    Contains,
    In,
    NotIn,
}

/// Operators in symbols and in words.
pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("==", "equal"),
    ("!=", "there, and not equal"),
    ("<", "less than"),
    ("<=", "at most"),
    (">", "more than"),
    (">=", "at least"),
    ("~", "matches a regular expression"),
    ("!~", "there, and does not match a regular expression"),
    ("contains", "holds this text, whatever its case"),
    ("in", "one of a set: {a, b, 3..5}"),
];

fn operator(word: &str) -> Option<Op> {
    Some(match word {
        "==" | "eq" => Op::Eq,
        "!=" | "ne" => Op::Ne,
        "<" | "lt" => Op::Lt,
        "<=" | "le" => Op::Le,
        ">" | "gt" => Op::Gt,
        ">=" | "ge" => Op::Ge,
        "~" | "matches" => Op::Matches,
        "!~" => Op::MatchesNot,
        "contains" => Op::Contains,
        "in" => Op::In,
        _ => return None,
    })
}

struct Parser<'t, 'a> {
    tokens: &'t [(Token<'a>, Range<usize>)],
    at: usize,
    end: usize,
    depth: usize,
}

impl<'t, 'a> Parser<'t, 'a> {
    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// Place of the next token, or the end.
    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |(_, span)| span.clone())
    }

    fn accept(&mut self, token: &Token<'_>) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, wanted: &str) -> FilterError {
        match self.peek() {
            None => FilterError::new(self.span(), format!("{wanted} is missing at the end")),
            Some(_) => FilterError::new(self.span(), format!("{wanted} is expected here")),
        }
    }

    fn any(&mut self) -> Result<Expr, FilterError> {
        self.list(&Token::Or, Self::all, Node::Or)
    }

    fn all(&mut self) -> Result<Expr, FilterError> {
        self.list(&Token::And, Self::one, Node::And)
    }

    fn list(
        &mut self,
        separator: &Token<'_>,
        part: impl Fn(&mut Self) -> Result<Expr, FilterError>,
        node: fn(Vec<Expr>) -> Node,
    ) -> Result<Expr, FilterError> {
        let first = part(self)?;
        if self.peek() != Some(separator) {
            return Ok(first);
        }
        let start = first.span.start;
        let mut parts = vec![first];
        while self.accept(separator) {
            parts.push(part(self)?);
        }
        let end = parts.last().map_or(start, |last| last.span.end);
        Ok(Expr { node: node(parts), span: start..end })
    }

    fn one(&mut self) -> Result<Expr, FilterError> {
        let span = self.span();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError::new(span, "too many parentheses within each other"));
        }
        let expr = if self.accept(&Token::Not) {
            let inner = self.one()?;
            Expr { span: span.start..inner.span.end, node: Node::Not(Box::new(inner)) }
        } else if self.accept(&Token::Open) {
            let inner = self.any()?;
            let end = self.span().end;
            if !self.accept(&Token::Close) {
                let wrong = self.unexpected(")");
                return Err(wrong.help(format!("the ( at {} is open", span.start + 1)));
            }
            Expr { node: inner.node, span: span.start..end }
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Expr, FilterError> {
        let start = self.span();
        let Some(Token::Word(name)) = self.peek() else {
            return Err(self.unexpected("a field").help("such as type, cmd, key or gap"));
        };
        // A type's name alone: `media && !complete`.
        if Field::named(name).is_none()
            && let Some(types) = super::names::types(name)
            && !self.operator_follows()
        {
            self.at += 1;
            let compare = Compare::Within(types.into_iter().map(|n| (n, n)).collect());
            let test = Test { field: Field::Type, span: start.clone(), compare };
            return Ok(Expr { node: Node::Test(test), span: start });
        }
        let field = field(name, &start)?;
        self.at += 1;
        let op_span = self.span();
        let op = match self.peek() {
            Some(Token::Operator(symbol)) => operator(symbol),
            Some(Token::Word(word)) => operator(word),
            Some(Token::Not)
                if matches!(self.tokens.get(self.at + 1), Some((Token::Word("in"), _))) =>
            {
                self.at += 1;
                Some(Op::NotIn)
            }
            _ => None,
        };
        let (compare, negate) = match op {
            None => (Compare::Present, false),
            Some(op) => {
                self.at += 1;
                self.compare(field, op, op_span)?
            }
        };
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let span = start.start..end.map_or(self.end, |(_, span)| span.end);
        let test = Node::Test(Test { field, span: start, compare });
        let expr = Expr { node: test, span: span.clone() };
        Ok(match negate {
            true => Expr { node: Node::Not(Box::new(expr)), span },
            false => expr,
        })
    }

    fn operator_follows(&self) -> bool {
        match self.tokens.get(self.at + 1).map(|(token, _)| token) {
            Some(Token::Operator(_)) => true,
            Some(Token::Word(word)) => operator(word).is_some(),
            _ => false,
        }
    }

    /// What is asked, and whether the answer is turned round.
    fn compare(
        &mut self,
        field: Field,
        op: Op,
        span: Range<usize>,
    ) -> Result<(Compare, bool), FilterError> {
        let info = field.info();
        if matches!(info.kind, Kind::Flag) {
            return self.flag(field, op, span);
        }
        let ordered = matches!(op, Op::Lt | Op::Le | Op::Gt | Op::Ge);
        let on_text = matches!(op, Op::Matches | Op::MatchesNot | Op::Contains);
        if field.is_text() {
            if ordered {
                let message = format!("{} is {}: it has no order", info.name, in_words(info.kind));
                return Err(FilterError::new(span, message).help("compare with == or ~"));
            }
            return Ok((self.text_compare(field, op)?, false));
        }
        if on_text {
            let message = format!("{} is {}, not text", info.name, in_words(info.kind));
            let help = format!("write {}", example(info));
            return Err(FilterError::new(span, message).help(help));
        }
        if matches!(op, Op::In | Op::NotIn) {
            let mut ranges = Vec::new();
            self.set(|parser| {
                let (low, at) = parser.numbers(field)?;
                if !parser.accept(&Token::Range) {
                    ranges.extend(low.iter().map(|v| (*v, *v)));
                    return Ok(());
                }
                let (high, _) = parser.numbers(field)?;
                match (&low[..], &high[..]) {
                    ([low], [high]) if low <= high => ranges.push((*low, *high)),
                    _ => return Err(FilterError::new(at, "a range goes from low to high")),
                }
                Ok(())
            })?;
            let not = op == Op::NotIn;
            return Ok((
                if not { Compare::Without(ranges) } else { Compare::Within(ranges) },
                false,
            ));
        }
        let (values, at) = self.numbers(field)?;
        let same = || values.iter().map(|value| (*value, *value)).collect();
        let compare = match (op, &values[..]) {
            (Op::Eq, _) => Compare::Within(same()),
            (Op::Ne, _) => Compare::Without(same()),
            (_, [value]) => Compare::Within(match op {
                Op::Lt => value.checked_sub(1).map(|to| (i64::MIN, to)).into_iter().collect(),
                Op::Le => vec![(i64::MIN, *value)],
                Op::Gt => value.checked_add(1).map(|from| (from, i64::MAX)).into_iter().collect(),
                _ => vec![(*value, i64::MAX)],
            }),
            _ => {
                return Err(FilterError::new(at, "this name stands for several numbers")
                    .help("compare with == or in"));
            }
        };
        Ok((compare, false))
    }

    fn flag(
        &mut self,
        field: Field,
        op: Op,
        span: Range<usize>,
    ) -> Result<(Compare, bool), FilterError> {
        let name = field.info().name;
        let wrong = |span| {
            FilterError::new(span, format!("{name} is set or not"))
                .help(format!("write {name} or !{name}"))
        };
        if !matches!(op, Op::Eq | Op::Ne) {
            return Err(wrong(span));
        }
        let at = self.span();
        let set = match self.peek() {
            Some(Token::Word("true" | "1" | "yes" | "True" | "TRUE")) => true,
            Some(Token::Word("false" | "0" | "no" | "False" | "FALSE")) => false,
            _ => return Err(wrong(at)),
        };
        self.at += 1;
        Ok((Compare::Present, set != (op == Op::Eq)))
    }

    fn text_compare(&mut self, field: Field, op: Op) -> Result<Compare, FilterError> {
        if matches!(op, Op::In | Op::NotIn) {
            let mut texts = Vec::new();
            self.set(|parser| {
                let (typed, span) = parser.text(field)?;
                texts.push(value::text(field, &typed, span)?);
                Ok(())
            })?;
            let not = op == Op::NotIn;
            return Ok(if not { Compare::IsNot(texts) } else { Compare::Is(texts) });
        }
        let (typed, span) = self.text(field)?;
        let regex = |typed: &str, span: Range<usize>| {
            regex::RegexBuilder::new(typed).size_limit(MAX_REGEX).build().map_err(|error| {
                // The library's message draws over several lines; its last one says why.
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                FilterError::new(span, format!("no regular expression: {reason}"))
            })
        };
        Ok(match op {
            Op::Matches => Compare::Matches(regex(&typed, span)?),
            Op::MatchesNot => Compare::MatchesNot(regex(&typed, span)?),
            Op::Contains => Compare::Contains(typed.to_lowercase()),
            Op::Ne => Compare::IsNot(vec![value::text(field, &typed, span)?]),
            _ => Compare::Is(vec![value::text(field, &typed, span)?]),
        })
    }

    /// `{a, b}`
    fn set(
        &mut self,
        mut member: impl FnMut(&mut Self) -> Result<(), FilterError>,
    ) -> Result<(), FilterError> {
        if !self.accept(&Token::OpenSet) {
            return Err(self.unexpected("{").help("a set is written {a, b, 3..5}"));
        }
        loop {
            member(self)?;
            // Wireshark 3 had blanks in place of commas.
            if self.accept(&Token::CloseSet) {
                return Ok(());
            }
            if !self.accept(&Token::Comma)
                && !matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_)))
            {
                return Err(self.unexpected("}"));
            }
        }
    }

    fn numbers(&mut self, field: Field) -> Result<(Vec<i64>, Range<usize>), FilterError> {
        let span = self.span();
        let typed = match self.peek() {
            Some(Token::Word(word)) => *word,
            Some(Token::Quoted(text)) => text.as_ref(),
            _ => return Err(self.missing(field)),
        };
        self.at += 1;
        Ok((value::numbers(field, typed, span.clone())?, span))
    }

    fn text(&mut self, field: Field) -> Result<(String, Range<usize>), FilterError> {
        let span = self.span();
        let typed = match self.peek() {
            Some(Token::Word(word)) => (*word).to_owned(),
            Some(Token::Quoted(text)) => text.clone().into_owned(),
            _ => return Err(self.missing(field)),
        };
        self.at += 1;
        Ok((typed, span))
    }

    fn missing(&self, field: Field) -> FilterError {
        let info = field.info();
        self.unexpected(in_words(info.kind)).help(format!("such as {}", example(info)))
    }
}

/// The field of a name, ours or Wireshark's.
fn field(name: &str, span: &Range<usize>) -> Result<Field, FilterError> {
    if let Some(field) = Field::named(name) {
        return Ok(field);
    }
    if let Some(entry) = wireshark::lookup(name) {
        return entry.field.ok_or_else(|| {
            FilterError::new(span.clone(), format!("{name} has no counterpart here"))
                .help(entry.instead)
        });
    }
    let error = FilterError::new(span.clone(), format!("there is no field {name}"));
    // A value alone is a usual slip: `avc`, `publish`, `command`.
    if super::names::types(name).is_some() {
        return Err(error.help(format!("did you mean type=={name}?")));
    }
    if super::names::codec_name(name).is_some() {
        return Err(error.help(format!("did you mean codec=={name}?")));
    }
    let names = FIELDS.iter().flat_map(|info| std::iter::once(&info.name).chain(info.also));
    let wireshark = wireshark::WIRESHARK.iter().map(|entry| entry.name);
    Err(match nearest(name, names.copied().chain(wireshark)) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error.help("docs/filter.md lists the fields"),
    })
}
