//! Output formats: write-only types of their own, so that refactors do not change a format.
