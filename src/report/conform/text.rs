//! The exchange of a case in lines of text.

use std::fmt::Write;

use super::model::{CaseLine, From};

/// What was said on the connections of a case; empty when nothing was recorded.
pub fn exchange(case: &CaseLine) -> String {
    let mut out = String::new();
    for connection in &case.exchange {
        let _ = writeln!(out, "{}", connection.name);
        let half = connection.lines.len() / 2;
        for (i, line) in connection.lines.iter().enumerate() {
            if connection.omitted > 0 && i == half {
                let _ = writeln!(out, "  {:>10}    ... {} more", "", connection.omitted);
            }
            let arrow = match line.from {
                From::Client => "-->",
                From::Server => "<--",
                From::Note => "   ",
            };
            let _ = writeln!(out, "  {:>10.3} {arrow} {}", line.at_ms, line.text);
        }
    }
    out
}
