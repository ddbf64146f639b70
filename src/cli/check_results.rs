//! `check merge` and `check matrix`: results that were written as JSON, read back.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::plan::refuse_overwriting;
use super::{EXIT_FINDINGS, EXIT_OK};
use crate::report::conform::{self, Results, Status, Verdict};

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  rtmpscope check merge shard*.json -o results.json           put the shards of a run together
  rtmpscope check merge shard*.json --format junit -o results.xml
  rtmpscope check merge results.json --format html -o results.html    another format of one result
  rtmpscope check merge results.json --format md >> \"$GITHUB_STEP_SUMMARY\"

Exit status: that of the run whose results these are: 0 everything as expected; 1 a case failed that was
not expected to; 4 the expectation file is stale; 5 the server crashed or hung. 2 wrong usage, or results
that cannot be read or do not belong together.";

pub(super) const MATRIX_EXAMPLES: &str = "\
Examples:
  rtmpscope check matrix nginx.json srs.json -o matrix.html   servers side by side, cell by cell
  rtmpscope check matrix --format md *.json                   the same as a table in Markdown";

/// Formats that are made of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ResultFormat {
    /// One JSON object; `check merge` and `check matrix` read it
    Json,
    /// A JSON object per line
    Ndjson,
    /// JUnit XML
    Junit,
    /// One page that needs no other file and no network
    Html,
    /// SARIF 2.1.0
    Sarif,
    /// TAP 14
    Tap,
    /// Markdown, for the summary page of a CI job
    Md,
}

#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    /// Results of the shards of one run, or of one whole run
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// How to write them
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    format: ResultFormat,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Go on when shards are missing
    #[arg(long)]
    partial: bool,

    /// SARIF: the file of the repository that results are pinned to, such as the server's manifest
    #[arg(long, value_name = "FILE")]
    artifact: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MatrixFormat {
    /// One page that needs no other file and no network
    Html,
    /// A table in Markdown
    Md,
}

#[derive(Args, Debug)]
pub(super) struct MatrixArgs {
    /// Results of `check --format json`, a server each
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    format: MatrixFormat,

    /// Write to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// `check merge`, to the exit code of the run.
pub(super) fn merge(args: &MergeArgs) -> Result<u8, String> {
    let results = conform::merge(&read(&args.files)?, args.partial)?;
    to_output(args.output.as_deref(), &args.files, |out| {
        write(&results, args.format, args.artifact.as_deref(), out)
    })?;
    Ok(exit_code(&results))
}

/// `check matrix`.
pub(super) fn matrix(args: &MatrixArgs) -> Result<u8, String> {
    let columns: Vec<Results> =
        read(&args.files)?.into_iter().map(|(_, results)| results).collect();
    to_output(args.output.as_deref(), &args.files, |out| match args.format {
        MatrixFormat::Html => conform::html(&columns, out),
        MatrixFormat::Md => conform::matrix_md(&columns, out),
    })?;
    Ok(EXIT_OK)
}

/// Writes results in a format.
pub(super) fn write(
    results: &Results,
    format: ResultFormat,
    artifact: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        ResultFormat::Json => conform::json(results, out),
        ResultFormat::Ndjson => conform::ndjson(results, out),
        ResultFormat::Junit => conform::junit(results, out),
        ResultFormat::Html => conform::html(std::slice::from_ref(results), out),
        ResultFormat::Sarif => conform::sarif(results, artifact, out),
        ResultFormat::Tap => conform::tap(results, out),
        ResultFormat::Md => conform::md(results, out),
    }
}

/// The worst of what happened, in the order 5, 1, 4.
fn exit_code(results: &Results) -> u8 {
    let mut unexpected = results.with(Status::Unexpected).peekable();
    if unexpected.peek().is_some() {
        let broke = unexpected.any(|case| matches!(case.verdict, Verdict::Crash | Verdict::Hang));
        return if broke { 5 } else { EXIT_FINDINGS };
    }
    let stale = !results.stale.is_empty() || results.with(Status::UnexpectedPass).next().is_some();
    if stale { 4 } else { EXIT_OK }
}

fn read(files: &[PathBuf]) -> Result<Vec<(String, Results)>, String> {
    files
        .iter()
        .map(|path| {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("cannot read {shown}: {error}"))?;
            let results = conform::read(&text).map_err(|error| format!("{shown}: {error}"))?;
            Ok((shown, results))
        })
        .collect()
}

/// Writes to a file or standard output. A reader that has seen enough is no failure.
fn to_output(
    path: Option<&Path>,
    inputs: &[PathBuf],
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    let mut out: BufWriter<Box<dyn Write>> = match path {
        Some(path) => {
            refuse_overwriting("-o", path, inputs)?;
            let file = File::create(path)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            BufWriter::new(Box::new(file))
        }
        None => BufWriter::new(Box::new(io::stdout())),
    };
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(()),
    }
}
