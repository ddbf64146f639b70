//! C0 C1 C2 and S0 S1 S2 (section 5.2): whether they were finished, whether they are right.

mod content;
mod progress;

use crate::lint::rule::Rule;

/// The rules, a file per question.
pub(super) const RULES: &[&[Rule]] = &[progress::RULES, content::RULES];
