//! From the process's arguments to its exit code.

use std::process::ExitCode;

use clap::Parser;

#[cfg(feature = "live")]
use super::live;
use super::{args, check, diff, dump, extract, plan, report, rules, sanitize, serve};
#[cfg(feature = "tui")]
use super::{config, view};

/// The report is complete: every input was read to its end.
pub const EXIT_OK: u8 = 0;
/// For commands that judge: they found something. `dump` does not judge.
pub const EXIT_FINDINGS: u8 = 1;
/// Wrong arguments, an input that cannot be opened, an output that cannot be written, or an input
/// that is damaged or cut (what could be read was reported).
pub const EXIT_TROUBLE: u8 = 2;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args = args::Cli::parse();
    let outcome = match args.command {
        Some(args::Command::Dump(args)) => plan::Plan::new(args).and_then(dump::run),
        #[cfg(feature = "live")]
        Some(args::Command::Live(args)) => live::run(args),
        Some(args::Command::Report(args)) => report::run(args),
        Some(args::Command::Check(args)) => check::run(*args),
        Some(args::Command::Serve(args)) => serve::run(args),
        Some(args::Command::Rules(args)) => rules::run(args),
        Some(args::Command::Sanitize(args)) => sanitize::run(args),
        Some(args::Command::Diff(args)) => diff::run(args),
        Some(args::Command::Extract(args)) => extract::run(args),
        #[cfg(feature = "tui")]
        Some(args::Command::View(args)) => view::run(args),
        #[cfg(feature = "tui")]
        Some(args::Command::Config(args)) => config::run(&args),
        None => bare(args.dump),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("rtmpscope: {message}");
            ExitCode::from(EXIT_TROUBLE)
        }
    }
}

/// A capture and no subcommand: on a terminal it is looked at, elsewhere printed.
fn bare(args: args::DumpArgs) -> Result<u8, String> {
    #[cfg(feature = "tui")]
    if std::io::IsTerminal::is_terminal(&std::io::stdout())
        && let Some(view) = args.as_view()
    {
        return view::run(view);
    }
    plan::Plan::new(args).and_then(dump::run)
}
