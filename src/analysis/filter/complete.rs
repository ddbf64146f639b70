//! What could be typed next.

use std::ops::Range;

use super::field::{FIELDS, Field, Kind};
use super::parse::OPERATORS;
use super::token::{Token, tokens};
use super::value::{example, in_words, value_names};
use super::wireshark::{self, WIRESHARK};

/// Something that could be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The text.
    pub text: String,
    /// What it means.
    pub doc: String,
    /// Bytes of the expression that it takes the place of.
    pub replace: Range<usize>,
}

/// What fits where the cursor (a byte offset) is, best first. `seen` gives values that occur in
/// the capture, such as its command names.
pub fn complete(text: &str, cursor: usize, seen: &dyn Fn(Field) -> Vec<String>) -> Vec<Candidate> {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let before = text.get(..cursor).unwrap_or_default();
    let (mut tokens, fault) = tokens(before);
    // What is being typed: a word that touches the cursor, or a quote that is still open.
    let (prefix, start, quoted) = match (&fault, tokens.last()) {
        (Some(fault), _) => {
            let open = before.get(fault.span.start..).unwrap_or_default();
            match open.strip_prefix(['"', '\'']) {
                Some(inside) => (inside.to_owned(), fault.span.start, true),
                None => return Vec::new(),
            }
        }
        (None, Some((Token::Word(word), span))) if span.end == cursor => {
            let found = ((*word).to_owned(), span.start, false);
            tokens.pop();
            found
        }
        // `and`, `or`, `not` may be the beginning of a field's name.
        (None, Some((Token::And | Token::Or | Token::Not, span)))
            if span.end == cursor && before.ends_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            let found =
                (before.get(span.clone()).unwrap_or_default().to_owned(), span.start, false);
            tokens.pop();
            found
        }
        _ => (String::new(), cursor, false),
    };
    let replace = start..cursor;
    let candidates = match context(&tokens) {
        Context::Field if !quoted => fields(&prefix),
        Context::Operator(field) if !quoted => operators(field, &prefix),
        Context::Value(field) => values(field, &prefix, quoted, seen),
        Context::Member(field) => values(field, &prefix, quoted, seen),
        Context::Joint if !quoted => joints(&prefix),
        _ => Vec::new(),
    };
    candidates
        .into_iter()
        .map(|(text, doc)| Candidate { text, doc, replace: replace.clone() })
        .collect()
}

/// What the grammar wants next.
enum Context {
    Field,
    Operator(Field),
    Value(Field),
    /// A value of a set.
    Member(Field),
    Joint,
    Nothing,
}

fn context(tokens: &[(Token<'_>, Range<usize>)]) -> Context {
    let mut context = Context::Field;
    for (token, _) in tokens {
        context = match (context, token) {
            (Context::Field, Token::Not | Token::Open) => Context::Field,
            (Context::Field, Token::Word(name)) => match find(name) {
                Some(field) => Context::Operator(field),
                None => Context::Nothing,
            },
            (Context::Operator(_) | Context::Joint, Token::And | Token::Or) => Context::Field,
            (Context::Operator(_) | Context::Joint, Token::Close) => Context::Joint,
            (Context::Operator(field), Token::Operator(_)) => Context::Value(field),
            (Context::Operator(field), Token::Not) => Context::Operator(field),
            (Context::Operator(field), Token::Word(word))
                if matches!(
                    *word,
                    "in" | "contains" | "matches" | "eq" | "ne" | "lt" | "le" | "gt" | "ge"
                ) =>
            {
                Context::Value(field)
            }
            (Context::Value(field), Token::OpenSet) => Context::Member(field),
            (Context::Value(_), Token::Word(_) | Token::Quoted(_)) => Context::Joint,
            (Context::Member(_), Token::CloseSet) => Context::Joint,
            (Context::Member(field), _) => Context::Member(field),
            _ => Context::Nothing,
        };
    }
    context
}

fn find(name: &str) -> Option<Field> {
    Field::named(name).or_else(|| wireshark::lookup(name)?.field)
}

fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

fn fields(prefix: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = FIELDS
        .iter()
        .filter(|info| {
            begins(info.name, prefix)
                || !prefix.is_empty() && info.also.iter().any(|name| begins(name, prefix))
        })
        .map(|info| (info.name.to_owned(), info.doc.to_owned()))
        .collect();
    if begins("not", prefix) {
        found.push(("not".into(), "what follows is not so".into()));
    }
    // Wireshark's names only for those who begin to type one.
    if prefix.len() >= 2 {
        found.extend(WIRESHARK.iter().filter(|entry| begins(entry.name, prefix)).filter_map(
            |entry| {
                Some((entry.name.to_owned(), format!("the same as {}", entry.field?.info().name)))
            },
        ));
    }
    found
}

fn operators(field: Field, prefix: &str) -> Vec<(String, String)> {
    let info = field.info();
    let fits = |symbol: &str| match (info.kind, field.is_text()) {
        (Kind::Flag, _) => false,
        (_, true) => !matches!(symbol, "<" | "<=" | ">" | ">="),
        (_, false) => !matches!(symbol, "~" | "!~" | "contains"),
    };
    let mut found: Vec<_> = OPERATORS
        .iter()
        .filter(|(symbol, _)| begins(symbol, prefix) && fits(symbol))
        .map(|(symbol, doc)| ((*symbol).to_owned(), (*doc).to_owned()))
        .collect();
    found.extend(joints(prefix));
    found
}

fn joints(prefix: &str) -> Vec<(String, String)> {
    // Words only for those who begin to type one.
    let choices: &[(&str, &str)] = match prefix.is_empty() {
        true => &[("&&", "both"), ("||", "either")],
        false => &[("and", "both"), ("or", "either")],
    };
    choices
        .iter()
        .filter(|(joint, _)| begins(joint, prefix))
        .map(|(joint, doc)| ((*joint).to_owned(), (*doc).to_owned()))
        .collect()
}

fn values(
    field: Field,
    prefix: &str,
    quoted: bool,
    seen: &dyn Fn(Field) -> Vec<String>,
) -> Vec<(String, String)> {
    let info = field.info();
    let mut names = seen(field);
    let here = names.len();
    names.extend(value_names(field).into_iter().map(str::to_owned));
    let mut found: Vec<(String, String)> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        if !begins(name, prefix) || names[..i].contains(name) {
            continue;
        }
        let doc = if i < here { "in this capture" } else { in_words(info.kind) };
        found.push((written(name, quoted), doc.into()));
    }
    if let (Kind::Duration(_) | Kind::Bytes, Some(true)) =
        (info.kind, prefix.chars().next_back().map(|c| c.is_ascii_digit()))
    {
        let units: &[&str] = match info.kind {
            Kind::Bytes => &["kB", "MB", "KiB", "MiB"],
            _ => &["ms", "s", "us"],
        };
        found.extend(units.iter().map(|unit| (format!("{prefix}{unit}"), "with a unit".into())));
    }
    if found.is_empty() && prefix.is_empty() {
        // Nothing to choose from: at least what a value looks like.
        let example = example(info);
        let value = example.trim_start_matches(info.name).trim_start_matches(['=', '>', '~']);
        found.push((value.to_owned(), format!("for example; {}", info.doc)));
    }
    found
}

/// Text that holds what the lexer would cut at goes into quotes.
fn written(name: &str, quoted: bool) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-@/".contains(c));
    match plain && !quoted && !name.is_empty() && !matches!(name, "and" | "or" | "not") {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\\\"")),
    }
}
