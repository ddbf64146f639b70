//! Runs `check` to its exit code.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{CheckArgs, CheckCommand, CheckFormat};
use super::text::Style;
use super::{doctor, expect, explain, pcap, plan, text};
use crate::cli::args::Color;
use crate::cli::check_results::{self, ResultFormat};
use crate::cli::{EXIT_FINDINGS, EXIT_OK};
use crate::conform::result::Run;
use crate::conform::{self, Options};
use crate::report::conform as report;

/// The server cannot be reached or started.
pub(super) const EXIT_UNREACHABLE: u8 = 3;
/// The expectation file is stale.
pub(super) const EXIT_STALE: u8 = 4;
/// Stopped by a signal, as shells tell it for Ctrl-C.
const EXIT_STOPPED: i32 = 130;
/// The server crashed or hung.
pub(super) const EXIT_CRASH: u8 = 5;

/// Runs to an exit code; `Err` is wrong usage.
pub(in crate::cli) fn run(args: CheckArgs) -> Result<u8, String> {
    match &args.command {
        Some(CheckCommand::Explain { ids }) => return print(&explain::explain(ids)?),
        Some(CheckCommand::Doctor(target)) => return doctor::doctor(target),
        Some(CheckCommand::Expect(command)) => return expect::run(command),
        Some(CheckCommand::Merge(args)) => return check_results::merge(args),
        Some(CheckCommand::Matrix(args)) => return check_results::matrix(args),
        None => {}
    }
    stop_servers_with_us()?;
    let pick = plan::pick(&args.pick)?;
    let cases = pick.cases()?;
    if args.list {
        return print(&explain::list(&cases));
    }
    let bench = plan::bench(&args.target)?;
    let expectations = args.expect.as_deref().map(expect::read).transpose()?;
    let output: Box<dyn Write> = match &args.output {
        Some(path) => {
            let file = File::create(path);
            Box::new(file.map_err(|error| format!("cannot write {}: {error}", path.display()))?)
        }
        None => Box::new(io::stdout()),
    };
    let options = Options {
        jobs: args.jobs.clamp(1, 64),
        retries: args.retries,
        seed: args.seed.unwrap_or_else(random_seed),
        timeout_scale: args.timeout_scale,
        shard: pick.shard,
    };
    let bar = progress(cases.len());
    let told = |_: &conform::result::CaseResult| bar.inc(1);
    let ran = conform::run(bench.target, bench.manifest.as_ref(), &cases, &options, &told);
    bar.finish_and_clear();
    let mut run = match ran {
        Ok(run) => run,
        Err(error) => {
            eprintln!("rtmpscope: {error}");
            return Ok(EXIT_UNREACHABLE);
        }
    };
    if let Some(expectations) = &expectations {
        let version = bench.manifest.as_ref().and_then(|manifest| manifest.version.clone());
        let version = version.or_else(|| run.facts.software.clone());
        expectations.apply(&mut run, &expect::today(), version.as_deref());
    }
    if let Some(dir) = &args.save_pcap {
        for case in run.cases.iter().filter(|case| case.is_unexpected(args.strict)) {
            pcap::save(dir, case)?;
        }
    }
    write(&run, &args, BufWriter::new(output))?;
    Ok(exit_code(&run, args.strict))
}

/// A server under test must not outlive a run that is stopped by Ctrl-C or a CI job's time limit.
pub(super) fn stop_servers_with_us() -> Result<(), String> {
    ctrlc::set_handler(|| {
        crate::conform::server::kill_all();
        std::process::exit(EXIT_STOPPED);
    })
    .map_err(|error| format!("cannot handle signals: {error}"))
}

fn write(run: &Run, args: &CheckArgs, mut out: BufWriter<Box<dyn Write>>) -> Result<(), String> {
    let format = match args.format {
        CheckFormat::Text => None,
        CheckFormat::Json => Some(ResultFormat::Json),
        CheckFormat::Ndjson => Some(ResultFormat::Ndjson),
        CheckFormat::Junit => Some(ResultFormat::Junit),
        CheckFormat::Html => Some(ResultFormat::Html),
        CheckFormat::Sarif => Some(ResultFormat::Sarif),
        CheckFormat::Tap => Some(ResultFormat::Tap),
        CheckFormat::Md => Some(ResultFormat::Md),
    };
    let written = match format {
        None => text::write(run, style(args), &mut out),
        Some(format) => {
            let options = report::Options { show_secrets: args.show_secrets, strict: args.strict };
            let artifact = args.target.server.as_ref().map(|path| path.display().to_string());
            let results = report::results(run, options);
            check_results::write(&results, format, artifact.as_deref(), &mut out)
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(()),
    }
}

/// The worst of what happened, in the order 5, 1, 4.
fn exit_code(run: &Run, strict: bool) -> u8 {
    let mut unexpected = run.cases.iter().filter(|case| case.is_unexpected(strict)).peekable();
    if unexpected.peek().is_none() {
        return if run.stale.is_empty() { EXIT_OK } else { EXIT_STALE };
    }
    match unexpected.any(|case| matches!(case.verdict.name(), "CRASH" | "HANG")) {
        true => EXIT_CRASH,
        false => EXIT_FINDINGS,
    }
}

fn style(args: &CheckArgs) -> Style {
    let colour = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            args.output.is_none()
                && io::stdout().is_terminal()
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    };
    Style { colour, verbose: args.verbose, strict: args.strict, show_secrets: args.show_secrets }
}

/// Small enough for every reader of JSON.
fn random_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 % 1_000_000_000
}

fn progress(count: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} cases  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn print(text: &str) -> Result<u8, String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        _ => Ok(EXIT_OK),
    }
}
