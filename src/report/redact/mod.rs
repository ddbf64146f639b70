//! Secrets are hidden by their position in the protocol, in every format.
//!
//! A hidden value becomes a numbered placeholder such as `<stream-1>`: the same secret is the same
//! placeholder within a run, so that one still sees that `FCPublish` and `publish` name the same
//! stream. What was hidden once is then looked for in free text (descriptions, metadata), which is
//! how servers repeat it. `docs/output.md` has the rules.

mod redactor;
mod rules;
mod vault;
mod words;

#[cfg(test)]
mod tests;

pub use redactor::{Redactions, Redactor};
