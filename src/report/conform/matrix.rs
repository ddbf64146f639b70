//! Servers side by side: a row per case by section, a column per server.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::md::{cell, code};
use super::model::{CaseLine, Results, Verdict};
use super::sections::Place;

/// Cases of a section, each with its index in the column's cases.
pub(super) struct Group<'a> {
    pub(super) place: Place,
    pub(super) rows: Vec<Row<'a>>,
}

/// A case in every column that has it.
pub(super) struct Row<'a> {
    /// The case as the first column with it describes it.
    pub(super) case: &'a CaseLine,
    pub(super) cells: Vec<Option<&'a CaseLine>>,
}

/// The rows of all columns, grouped by section; within, in the order of the suite.
pub(super) fn groups(columns: &[Results]) -> Vec<Group<'_>> {
    let mut order: Vec<&str> = Vec::new();
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for (i, column) in columns.iter().enumerate() {
        for case in &column.cases {
            let row = rows.entry(&case.id).or_insert_with(|| {
                order.push(&case.id);
                Row { case, cells: vec![None; columns.len()] }
            });
            if let Some(cell) = row.cells.get_mut(i) {
                *cell = Some(case);
            }
        }
    }
    let mut by_place: BTreeMap<Place, Vec<Row<'_>>> = BTreeMap::new();
    for id in order {
        if let Some(row) = rows.remove(id) {
            by_place.entry(Place::of(&row.case.sections)).or_default().push(row);
        }
    }
    by_place.into_iter().map(|(place, rows)| Group { place, rows }).collect()
}

/// What heads each column, told apart by a number where servers have the same name.
pub(super) fn labels(columns: &[Results]) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let label = column.label();
        let before = columns.iter().take(out.len()).filter(|other| other.label() == label).count();
        out.push(match before {
            0 => label.to_owned(),
            n => format!("{label} ({})", n + 1),
        });
    }
    out
}

/// Writes a table of all cases and servers in Markdown, with the totals first.
pub fn matrix_md(columns: &[Results], out: &mut dyn Write) -> io::Result<()> {
    let labels = labels(columns);
    write!(out, "| |")?;
    labels.iter().try_for_each(|label| write!(out, " {} |", cell(label)))?;
    write!(out, "\n|---|")?;
    labels.iter().try_for_each(|_| write!(out, "---|"))?;
    writeln!(out)?;
    for verdict in Verdict::ALL {
        if columns.iter().any(|column| column.counts.get(verdict) > 0) {
            write!(out, "| **{}** |", verdict.name())?;
            columns.iter().try_for_each(|c| write!(out, " {} |", c.counts.get(verdict)))?;
            writeln!(out)?;
        }
    }
    for group in groups(columns) {
        write!(out, "| **{}** {} |", cell(&group.place.name), cell(group.place.title()))?;
        labels.iter().try_for_each(|_| write!(out, " |"))?;
        writeln!(out)?;
        for row in group.rows {
            write!(out, "| {} |", code(&row.case.id))?;
            for case in row.cells {
                write!(out, " {} |", case.map_or("", |case| case.verdict.name()))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}
