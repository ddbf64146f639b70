//! What went wrong, for people and for programs: text, JSON, JUnit, SARIF, comments for Wireshark.
//!
//! ```text
//! Record ─┬─> Linter ──────────────> Finding ─┐
//!         └─> Redactor ─> Index ──────────────┴─> Report ─> text | JSON | JUnit | SARIF | HTML
//! ```

mod annotate;
mod build;
mod collect;
mod figures;
mod headline;
#[cfg(feature = "cli")]
mod junit;
mod model;
mod rules;
mod sarif;
mod setup;
mod text;

pub use annotate::Annotations;
pub use collect::{Collector, Judged};
#[cfg(feature = "cli")]
pub use junit::junit;
pub use model::{
    Close, Counts, Figures, FindingLine, Headline, MediaFigures, Place, RelatedLine, Report,
    SCHEMA_VERSION, SessionLine, SetupStep, SpecLine,
};
pub use rules::{explain, list};
pub use sarif::sarif;
pub use text::{Style, text};
