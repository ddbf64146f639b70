//! Two sessions side by side: text and JSON.

use std::fmt::Write;

use serde::Serialize;

use super::describe::clean;
use crate::analysis::compare::{Comparison, Row, Sameness, Step, Trail, Weight};
use crate::base::Direction;

/// A session and where it is from.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// Name of its capture.
    pub input: &'a str,
    /// The session.
    pub trail: &'a Trail,
}

/// The comparison for people. `all` shows what is to be expected, too.
pub fn diff_text(a: Side<'_>, b: Side<'_>, comparison: &Comparison, all: bool) -> String {
    let mut out = String::new();
    for (name, side) in [("A", a), ("B", b)] {
        let Side { input, trail } = side;
        let _ = writeln!(
            out,
            "{name}  {}, session {}: {} → {}{}",
            clean(input),
            trail.session,
            trail.client,
            trail.server,
            if trail.midstream { ", from mid-stream on" } else { "" },
        );
    }
    out.push('\n');
    match &comparison.first {
        Some(first) => {
            let _ = writeln!(out, "First difference that matters\n  {}", clean(&first.sentence));
            if !first.before.is_empty() {
                let _ = writeln!(out, "  before it: {}", clean(&first.before.join("; ")));
            }
        }
        None => out.push_str("No difference that matters.\n"),
    }
    let _ = writeln!(out, "\n   {:>9} {:>9}  step", "A", "B");
    for row in &comparison.rows {
        write_row(&mut out, row, all);
    }
    out.push_str(
        "\n= same   ~ minor difference   ! difference that matters   < only in A   > only in B\n",
    );
    out
}

fn write_row(out: &mut String, row: &Row, all: bool) {
    let Some(step) = row.step() else { return };
    let mark = match (row.sameness, row.weight) {
        (Sameness::OnlyA, _) => '<',
        (Sameness::OnlyB, _) => '>',
        (_, Some(Weight::Matters)) => '!',
        (_, Some(Weight::Minor)) => '~',
        _ => '=',
    };
    let heavy = match row.weight {
        Some(Weight::Matters) => '!',
        _ => ' ',
    };
    let time = |step: &Option<Step>| {
        step.as_ref().map_or(String::new(), |step| format!("{:.3}", step.at as f64 / 1e9))
    };
    let side = match step.direction {
        Some(Direction::ClientToServer) => "C ",
        Some(Direction::ServerToClient) => "S ",
        None => "",
    };
    let _ = write!(
        out,
        "{mark}{heavy} {:>9} {:>9}  {side}{}",
        time(&row.a),
        time(&row.b),
        clean(&step.kind.title())
    );
    if let Some(essence) = essence(step) {
        let _ = write!(out, " {}", clean(essence));
    }
    out.push('\n');
    let shown = |weight: Weight| all || weight > Weight::Expected;
    for difference in row.differences.iter().filter(|difference| shown(difference.weight)) {
        let value = |value: &Option<String>| match value {
            Some(value) => clean(value),
            None => "-".to_owned(),
        };
        let _ = write!(
            out,
            "{:25}{}: {} | {}",
            "",
            clean(&difference.name),
            value(&difference.a),
            value(&difference.b)
        );
        if difference.weight == Weight::Matters {
            let _ = write!(out, "   ({})", difference.reason);
        }
        out.push('\n');
    }
}

/// What a step is best known by: a code, a size, a codec.
fn essence(step: &Step) -> Option<&str> {
    ["code", "stream name", "app", "size", "scheme", "codec", "how"]
        .iter()
        .find_map(|name| step.fact(name))
}

/// The comparison as JSON: see `docs/diff.md`.
pub fn diff_json(a: Side<'_>, b: Side<'_>, comparison: &Comparison) -> serde_json::Result<String> {
    let [expected, minor, matters] = comparison.counts;
    serde_json::to_string_pretty(&Document {
        schema: 1,
        program: "rtmpscope",
        version: env!("CARGO_PKG_VERSION"),
        a: side(a),
        b: side(b),
        matters: comparison.matters(),
        first: comparison.first.as_ref().map(|first| First {
            row: first.row,
            sentence: &first.sentence,
            before: &first.before,
        }),
        counts: Counts { expected, minor, matters },
        rows: comparison.rows.iter().filter_map(row).collect(),
    })
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    program: &'static str,
    version: &'static str,
    a: SideObject<'a>,
    b: SideObject<'a>,
    matters: bool,
    first: Option<First<'a>>,
    counts: Counts,
    rows: Vec<RowObject<'a>>,
}

#[derive(Serialize)]
struct SideObject<'a> {
    input: &'a str,
    session: u32,
    client: String,
    server: String,
    transport: &'static str,
    midstream: bool,
    steps: usize,
    dropped: u64,
}

#[derive(Serialize)]
struct First<'a> {
    row: usize,
    sentence: &'a str,
    before: &'a [String],
}

#[derive(Serialize)]
struct Counts {
    expected: usize,
    minor: usize,
    matters: usize,
}

#[derive(Serialize)]
struct RowObject<'a> {
    step: String,
    direction: Option<&'static str>,
    sameness: &'static str,
    weight: Option<&'static str>,
    reason: Option<&'a str>,
    a: Option<StepObject<'a>>,
    b: Option<StepObject<'a>>,
    differences: Vec<DifferenceObject<'a>>,
}

#[derive(Serialize)]
struct StepObject<'a> {
    time: f64,
    message: Option<usize>,
    frame: Option<u64>,
    facts: Vec<FactObject<'a>>,
}

#[derive(Serialize)]
struct FactObject<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct DifferenceObject<'a> {
    name: &'a str,
    a: Option<&'a str>,
    b: Option<&'a str>,
    weight: &'static str,
    reason: Option<&'a str>,
}

fn side(side: Side<'_>) -> SideObject<'_> {
    let trail = side.trail;
    SideObject {
        input: side.input,
        session: trail.session,
        client: trail.client.to_string(),
        server: trail.server.to_string(),
        transport: trail.transport.name(),
        midstream: trail.midstream,
        steps: trail.steps.len(),
        dropped: trail.dropped,
    }
}

fn step(step: &Step) -> StepObject<'_> {
    StepObject {
        time: step.at as f64 / 1e9,
        message: step.row.map(|row| row + 1),
        frame: step.frame,
        facts: step
            .facts
            .iter()
            .map(|fact| FactObject { name: &fact.name, value: &fact.value })
            .collect(),
    }
}

fn row(row: &Row) -> Option<RowObject<'_>> {
    let known = row.step()?;
    let reason = |text: &'static str| (!text.is_empty()).then_some(text);
    Some(RowObject {
        step: known.kind.title(),
        direction: known.direction.map(Direction::name),
        sameness: row.sameness.name(),
        weight: row.weight.map(Weight::name),
        reason: reason(row.reason),
        a: row.a.as_ref().map(step),
        b: row.b.as_ref().map(step),
        differences: row
            .differences
            .iter()
            .map(|difference| DifferenceObject {
                name: &difference.name,
                a: difference.a.as_deref(),
                b: difference.b.as_deref(),
                weight: difference.weight.name(),
                reason: reason(difference.reason),
            })
            .collect(),
    })
}
