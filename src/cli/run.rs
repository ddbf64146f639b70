//! From the process's arguments to its exit code.

use std::process::ExitCode;

use clap::Parser;

use super::{args, dump, plan, report, rules, sanitize};

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
        Some(args::Command::Report(args)) => report::run(args),
        Some(args::Command::Rules(args)) => rules::run(args),
        Some(args::Command::Sanitize(args)) => sanitize::run(args),
        None => plan::Plan::new(args.dump).and_then(dump::run),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("rtmpscope: {message}");
            ExitCode::from(EXIT_TROUBLE)
        }
    }
}
