//! Arguments as typed, a validated plan, a file per subcommand.

mod args;
mod dump;
mod plan;
mod printer;
mod progress;
mod report;
mod rules;
mod run;
mod sanitize;
mod select;

pub use run::{EXIT_FINDINGS, EXIT_OK, EXIT_TROUBLE, main};
