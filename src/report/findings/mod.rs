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
    ClockLine, Close, ConfidenceLine, ContradictionLine, Counts, DirectionLine, Figures,
    FindingLine, HandshakeLine, Headline, MediaFigures, Place, RelatedLine, Report, ResponseLine,
    SCHEMA_VERSION, SessionLine, SetupStep, SpecLine, TrackLine,
};
pub use rules::{explain, list};
pub use sarif::sarif;
pub(in crate::report) use sarif::uri;
pub use text::{Style, text};
