//! Text to tokens.

use std::borrow::Cow;
use std::ops::Range;

use super::error::FilterError;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a number with or without a unit, an address: whatever needs no quotes.
    Word(&'a str),
    /// Text in quotes, escapes undone.
    Quoted(Cow<'a, str>),
    And,
    Or,
    Not,
    Open,
    Close,
    OpenSet,
    CloseSet,
    Comma,
    /// `..` between two numbers of a set.
    Range,
    /// `==`, `!=`, `<`, `<=`, `>`, `>=`, `~`, `!~`
    Operator(&'static str),
}

const SYMBOLS: &[(&str, Token<'static>)] = &[
    ("&&", Token::And),
    ("||", Token::Or),
    ("==", Token::Operator("==")),
    ("!=", Token::Operator("!=")),
    ("!~", Token::Operator("!~")),
    ("<=", Token::Operator("<=")),
    (">=", Token::Operator(">=")),
    ("<", Token::Operator("<")),
    (">", Token::Operator(">")),
    ("~", Token::Operator("~")),
    ("!", Token::Not),
    ("(", Token::Open),
    (")", Token::Close),
    ("{", Token::OpenSet),
    ("}", Token::CloseSet),
    (",", Token::Comma),
    ("..", Token::Range),
];

/// Characters of a word: enough for addresses, rule ids, `@setDataFrame` and `seq-header`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_.:-@/#%+$".contains(c)
}

/// Cuts an expression into tokens with their places. With a fault: what came before it too.
pub(super) fn tokens(text: &str) -> (Vec<(Token<'_>, Range<usize>)>, Option<FilterError>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        match token(rest, at) {
            Ok((token, len)) => {
                tokens.push((token, at..at + len));
                at += len;
            }
            Err(error) => return (tokens, Some(error)),
        }
    }
    (tokens, None)
}

fn token(rest: &str, at: usize) -> Result<(Token<'_>, usize), FilterError> {
    if let Some((symbol, token)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        return Ok((token.clone(), symbol.len()));
    }
    let first = rest.chars().next().unwrap_or(' ');
    if first == '"' || first == '\'' {
        return quoted(rest, first, at);
    }
    if is_word(first) {
        let mut len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        // `1..5` is two words and a range.
        if let Some(dots) = rest[..len].find("..") {
            len = dots;
        }
        let word = &rest[..len];
        let token = match word {
            "and" | "AND" => Token::And,
            "or" | "OR" => Token::Or,
            "not" | "NOT" => Token::Not,
            _ => Token::Word(word),
        };
        return Ok((token, len));
    }
    let span = at..at + first.len_utf8();
    Err(match first {
        '=' => FilterError::new(span, "= is not an operator").help("write == to compare"),
        '&' => FilterError::new(span, "& is not an operator").help("write && or and"),
        '|' => FilterError::new(span, "| is not an operator").help("write || or or"),
        _ => FilterError::new(span, format!("{first} has no meaning here"))
            .help("put text into quotes"),
    })
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Token<'_>, usize), FilterError> {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => {
                return Ok((Token::Quoted(unescape(&rest[1..i], quote)), i + 1));
            }
            _ => {}
        }
    }
    Err(FilterError::new(at..at + rest.len(), "the quote is not closed")
        .help(format!("end the text with {quote}")))
}

/// Only quotes and backslashes have escapes: `\.` and `\d` belong to regular expressions.
fn unescape(text: &str, quote: char) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) if next == quote => {
                chars.next();
                plain.push(quote);
            }
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}
