//! `--expect`, `check expect write` and `check expect diff`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::args::ExpectCommand;
use crate::cli::{EXIT_FINDINGS, EXIT_OK};
use crate::conform::{ExpectFile, Expectations, Pattern};

const HEAD: &str = "\
# What is known to fail. Give each entry its real reason; issue, versions and until may be added.

";

/// What is read of a result.
#[derive(Deserialize)]
struct ResultFile {
    cases: Vec<CaseLine>,
}

#[derive(Deserialize)]
struct CaseLine {
    id: String,
    verdict: String,
    #[serde(default)]
    detail: String,
}

/// Reads an expectation file.
pub(super) fn read(path: &Path) -> Result<Expectations, String> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let file: ExpectFile =
        toml::from_str(&text).map_err(|error| format!("{shown}: {}", error.to_string().trim()))?;
    Expectations::new(file).map_err(|error| format!("{shown}: {error}"))
}

/// Today, in the form that expectation files use.
pub(super) fn today() -> String {
    jiff::Zoned::now().date().to_string()
}

/// Runs `check expect`.
pub(super) fn run(command: &ExpectCommand) -> Result<u8, String> {
    match command {
        ExpectCommand::Write { result, file } => write(&read_result(result)?, file),
        ExpectCommand::Diff { old, new } => Ok(diff(&read_result(old)?, &read_result(new)?)),
    }
}

fn read_result(path: &Path) -> Result<Vec<CaseLine>, String> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let result: ResultFile = serde_json::from_str(&text)
        .map_err(|error| format!("{shown} is no result of check --format json: {error}"))?;
    Ok(result.cases)
}

fn is_bad(verdict: &str) -> bool {
    matches!(verdict, "FAIL" | "CRASH" | "HANG" | "FLAKY")
}

fn write(cases: &[CaseLine], path: &Path) -> Result<u8, String> {
    let shown = path.display();
    // A comment with nothing below it would end up at the end.
    let (text, head) = match std::fs::read_to_string(path) {
        Ok(text) => (text, ""),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), HEAD),
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    let (text, added, removed) =
        refresh(&text, cases).map_err(|error| format!("{shown}: {error}"))?;
    std::fs::write(path, format!("{head}{text}"))
        .map_err(|error| format!("cannot write {shown}: {error}"))?;
    println!("{shown}: {added} added, {removed} taken away");
    Ok(EXIT_OK)
}

/// The file's text made to agree with a result; how many entries were added and taken away.
fn refresh(text: &str, cases: &[CaseLine]) -> Result<(String, usize, usize), String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{error}"))?;
    let entry = document.entry("expect").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let entries = entry.as_array_of_tables_mut().ok_or("expect is not a list of tables")?;
    let id = |table: &Table| table.get("id").and_then(Item::as_str).unwrap_or("").to_owned();
    let verdicts: BTreeMap<&str, &str> =
        cases.iter().map(|case| (case.id.as_str(), case.verdict.as_str())).collect();
    let before = entries.len();
    // A pattern may be for cases that this result does not have; an id that passes is over.
    entries.retain(|table| {
        verdicts.get(id(table).as_str()).is_none_or(|verdict| {
            is_bad(verdict) || matches!(*verdict, "INCONCLUSIVE" | "UNSUPPORTED")
        })
    });
    let removed = before - entries.len();
    let known: Vec<Pattern> =
        entries.iter().map(|table| Pattern::new(&id(table))).collect::<Result<_, _>>()?;
    let new = cases.iter().filter(|case| is_bad(&case.verdict));
    let new: Vec<_> = new.filter(|case| !known.iter().any(|p| p.matches(&case.id))).collect();
    for case in &new {
        let mut table = Table::new();
        table.insert("id", value(case.id.as_str()));
        table.insert("result", value(case.verdict.to_lowercase()));
        let reason = if case.detail.is_empty() { "seen" } else { case.detail.as_str() };
        table.insert("reason", value(reason));
        entries.push(table);
    }
    Ok((document.to_string(), new.len(), removed))
}

/// How bad a verdict is; the same as another's is no regression.
fn weight(verdict: &str) -> u8 {
    match verdict {
        "PASS" | "FACT" => 0,
        "UNSUPPORTED" | "INCONCLUSIVE" => 1,
        "NONSTRICT" => 2,
        "FLAKY" => 3,
        "FAIL" => 4,
        _ => 5,
    }
}

fn diff(old: &[CaseLine], new: &[CaseLine]) -> u8 {
    let before: BTreeMap<&str, &str> =
        old.iter().map(|case| (case.id.as_str(), case.verdict.as_str())).collect();
    let (mut worse, mut better) = (0, 0);
    for case in new {
        let was = before.get(case.id.as_str()).copied();
        match was.map(|was| weight(&case.verdict).cmp(&weight(was))) {
            Some(std::cmp::Ordering::Greater) => {
                worse += 1;
                let (id, is, detail) = (&case.id, &case.verdict, &case.detail);
                println!("{id}: {} became {is}  {detail}", was.unwrap_or(""));
            }
            Some(std::cmp::Ordering::Less) => better += 1,
            None if is_bad(&case.verdict) => {
                worse += 1;
                println!("{}: new, {}  {}", case.id, case.verdict, case.detail);
            }
            _ => {}
        }
    }
    println!("{worse} worse, {better} better, {} cases", new.len());
    if worse > 0 { EXIT_FINDINGS } else { EXIT_OK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshing_keeps_comments_and_reasons() {
        let line = |id: &str, verdict: &str| CaseLine {
            id: id.into(),
            verdict: verdict.into(),
            detail: "seen so".into(),
        };
        let text = "\
# ours
[[expect]]
id = \"rtmp/chunk/fmt1\" # a comment
result = \"fail\"
reason = \"known since 2020\"

[[expect]]
id = \"rtmp/handshake/s0-version\"
result = \"fail\"
reason = \"fixed\"
";
        let cases = [
            line("rtmp/chunk/fmt1", "FAIL"),
            line("rtmp/handshake/s0-version", "PASS"),
            line("rtmp/chunk/fmt2", "CRASH"),
        ];
        let (text, added, removed) = refresh(text, &cases).unwrap();
        assert_eq!((added, removed), (1, 1));
        assert!(text.contains("# ours") && text.contains("# a comment"));
        assert!(text.contains("known since 2020") && !text.contains("fixed"));
        let file: ExpectFile = toml::from_str(&text).unwrap();
        assert_eq!(file.expect[1].id, "rtmp/chunk/fmt2");
        assert_eq!(file.expect[1].reason, "seen so");
        // A second time there is nothing to do.
        assert_eq!(refresh(&text, &cases).unwrap(), (text.clone(), 0, 0));
    }
}
