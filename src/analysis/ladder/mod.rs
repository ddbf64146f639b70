//! A session as arrows between its peers, runs of media folded.

mod build;
mod mermaid;
#[cfg(test)]
mod tests;
mod text;

pub use build::{Ladder, MediaRun, Step, StepKind};
pub use text::row_text;
