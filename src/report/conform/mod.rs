//! What conformance runs gave: text for machines and people, pages, comparisons of servers.
//!
//! ```text
//! Run ── results (redacted, decoded) ──> Results ─> JSON | NDJSON | JUnit | SARIF | TAP | Markdown | HTML
//!                        JSON read back ─┘   └─ merge (shards), matrix (servers side by side)
//! ```

mod build;
mod exchange;
mod html;
mod json;
#[cfg(feature = "cli")]
mod junit;
mod matrix;
mod md;
mod merge;
mod model;
mod ndjson;
mod sarif;
mod sections;
mod tap;
mod text;

pub use build::{Options, results};
pub use html::html;
pub use json::{json, read};
#[cfg(feature = "cli")]
pub use junit::junit;
pub use matrix::matrix_md;
pub use md::md;
pub use merge::merge;
pub use model::{
    Basis, CaseLine, ConnectionLine, Counts, ExchangeLine, ExpectedLine, FactLine, From, Level,
    NoteLine, Results, SCHEMA_VERSION, Status, TryLine, Verdict,
};
pub use ndjson::ndjson;
pub use sarif::sarif;
pub use tap::tap;
pub use text::exchange;
