//! Two sessions, step by step: what one did that the other did not.
//!
//! [`Trails`] keeps of each session what can be compared, while records come; [`compare`] aligns
//! two of them. What is shown of it must be redacted: hand the records of both through the same
//! redactor first, so that equal secrets have equal placeholders.

mod align;
mod collect;
mod steps;
#[cfg(test)]
mod tests;
mod values;
mod weight;

pub use align::{Comparison, Difference, Divergence, Row, Sameness, compare};
pub use collect::Trails;
pub use steps::{Fact, Step, StepKind, Trail};
pub use weight::Weight;
