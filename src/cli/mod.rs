//! Arguments as typed, a validated plan, a file per subcommand.

mod args;
mod check;
mod check_results;
#[cfg(feature = "tui")]
mod config;
mod diff;
mod dump;
#[cfg(feature = "tui")]
mod export;
mod extract;
mod keylog;
#[cfg(feature = "live")]
mod live;
mod plan;
mod printer;
mod progress;
mod report;
mod rules;
mod run;
mod sanitize;
mod select;
mod serve;
#[cfg(feature = "tui")]
mod view;

pub use run::{EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE, main};
