//! A ladder that can be pasted into an issue.

use std::fmt::Write;

use super::build::{Ladder, Step, StepKind};
use crate::analysis::index::{Interner, SessionIndex};
use crate::base::Direction;

/// Mermaid draws no more than a few hundred arrows before it gives up (`maxTextSize`, 50 kB).
const MAX_STEPS: usize = 400;

impl Ladder {
    /// The ladder as a Mermaid sequence diagram.
    pub fn to_mermaid(&self, session: &SessionIndex, strings: &Interner) -> String {
        let mut out = String::from("sequenceDiagram\n");
        let _ = writeln!(
            out,
            "    participant C as client {}",
            escape(&session.session.client.to_string())
        );
        let _ = writeln!(
            out,
            "    participant S as server {}",
            escape(&session.session.server.to_string())
        );
        for step in self.steps.iter().take(MAX_STEPS) {
            let _ = writeln!(out, "    {}", line(step, session, strings));
        }
        let left = self.steps.len().saturating_sub(MAX_STEPS) + self.dropped;
        if left > 0 {
            let _ = writeln!(out, "    Note over C,S: {left} more steps");
        }
        out
    }
}

fn line(step: &Step, session: &SessionIndex, strings: &Interner) -> String {
    let mut text = escape(&step.text(session, strings));
    let seconds = step.time.seconds_since(session.session.time);
    if let StepKind::Reply { response, .. } = step.kind {
        let _ = write!(text, " (+{:.1} ms)", response as f64 / 1e6);
    }
    let (from, to) = match step.direction {
        Some(Direction::ClientToServer) => ("C", "S"),
        Some(Direction::ServerToClient) => ("S", "C"),
        None => return format!("Note over C,S: {seconds:.3} s {text}"),
    };
    let arrow = match step.kind {
        StepKind::Gap(_) | StepKind::Anomaly(_) => {
            return format!("Note over {from}: {seconds:.3} s {text}");
        }
        StepKind::Command { failed: true, .. } | StepKind::Reply { failed: true, .. } => "--x",
        StepKind::Reply { .. } => "-->>",
        StepKind::Media(_) => "-)",
        _ => "->>",
    };
    format!("{from}{arrow}{to}: {seconds:.3} s {text}")
}

/// Mermaid ends a message at `;`, starts a comment or an entity at `#` and reads HTML.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ';' => out.push_str("#59;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
