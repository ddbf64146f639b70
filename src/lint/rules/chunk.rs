//! The chunk stream (section 5.3).

mod extended;
mod form;
mod header;
mod size;
mod sync;

use crate::lint::rule::Rule;

/// The rules, a file per question.
pub(super) const RULES: &[&[Rule]] =
    &[sync::RULES, extended::RULES, header::RULES, form::RULES, size::RULES];

/// What the chunk rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    headers: form::Headers,
    sync: sync::Suspicion,
    size: size::Changes,
}
