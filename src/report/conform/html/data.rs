//! What the page's script works on.

use std::collections::HashMap;

use serde::Serialize;

use crate::report::conform::matrix::{groups, labels};
use crate::report::conform::model::*;

/// All of it.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    version: &'static str,
    columns: Vec<Column<'a>>,
    groups: Vec<GroupData<'a>>,
    /// Texts of exchanges: most connections begin alike, so each is there once.
    texts: Vec<&'a str>,
}

#[derive(Serialize)]
struct Column<'a> {
    label: String,
    target: &'a str,
    facts: &'a [FactLine],
    seed: &'a str,
    started: &'a str,
    duration_ms: f64,
    shard: Option<&'a str>,
    stale: &'a [String],
    counts: Counts,
    unexpected: usize,
}

#[derive(Serialize)]
struct GroupData<'a> {
    name: String,
    title: &'static str,
    rows: Vec<RowData<'a>>,
}

#[derive(Serialize)]
struct RowData<'a> {
    id: &'a str,
    says: &'a str,
    level: Level,
    basis: Basis,
    sections: &'a [String],
    cells: Vec<Option<Cell<'a>>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    verdict: Verdict,
    status: Status,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a ExpectedLine>,
    attempts: u32,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tries: &'a [TryLine],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'a [NoteLine],
    exchange: Vec<Connection<'a>>,
}

#[derive(Serialize)]
struct Connection<'a> {
    name: &'a str,
    omitted: u64,
    /// Milliseconds, who (0 client, 1 server, 2 nobody; 4 more when it is bad), index of the text.
    lines: Vec<(f64, u8, usize)>,
}

/// The data of a page for these servers.
pub(super) fn data(columns: &[Results]) -> Data<'_> {
    let mut texts = Texts::default();
    let groups = groups(columns)
        .into_iter()
        .map(|group| GroupData {
            title: group.place.title(),
            name: group.place.name,
            rows: group
                .rows
                .into_iter()
                .map(|row| RowData {
                    id: &row.case.id,
                    says: &row.case.says,
                    level: row.case.level,
                    basis: row.case.basis,
                    sections: &row.case.sections,
                    cells: row
                        .cells
                        .into_iter()
                        .map(|case| Some(cell(case?, &mut texts)))
                        .collect(),
                })
                .collect(),
        })
        .collect();
    let columns = columns
        .iter()
        .zip(labels(columns))
        .map(|(column, label)| Column {
            label,
            target: &column.target,
            facts: &column.facts,
            seed: &column.seed,
            started: &column.started,
            duration_ms: column.duration_ms,
            shard: column.shard.as_deref(),
            stale: &column.stale,
            counts: column.counts,
            unexpected: column.with(Status::Unexpected).count(),
        })
        .collect();
    Data { version: env!("CARGO_PKG_VERSION"), columns, groups, texts: texts.all }
}

#[derive(Default)]
struct Texts<'a> {
    all: Vec<&'a str>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn add(&mut self, text: &'a str) -> usize {
        *self.index.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }
}

fn cell<'a>(case: &'a CaseLine, texts: &mut Texts<'a>) -> Cell<'a> {
    let exchange = case
        .exchange
        .iter()
        .map(|connection| Connection {
            name: &connection.name,
            omitted: connection.omitted,
            lines: connection
                .lines
                .iter()
                .map(|line| {
                    let from = match line.from {
                        From::Client => 0,
                        From::Server => 1,
                        From::Note => 2,
                    };
                    (line.at_ms, from + if line.bad { 4 } else { 0 }, texts.add(&line.text))
                })
                .collect(),
        })
        .collect();
    Cell {
        verdict: case.verdict,
        status: case.status,
        detail: &case.detail,
        duration_ms: case.duration_ms,
        expected: case.expected.as_ref(),
        attempts: case.attempts,
        tries: &case.tries,
        notes: &case.notes,
        findings: &case.findings,
        exchange,
    }
}
