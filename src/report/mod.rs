//! Output formats: write-only types of their own, so that refactors do not change a format.
//!
//! ```text
//! Record ─> Redactor (secrets become placeholders) ─> NdjsonWriter | JsonWriter | TextWriter
//! ```

mod amf;
mod body;
pub mod conform;
mod csv;
mod describe;
mod diff;
mod fields;
pub mod findings;
mod flv;
mod hex;
pub mod html;
mod json;
mod line;
mod model;
mod names;
mod ndjson;
mod redact;
#[cfg(test)]
mod samples;
pub mod sanitize;
#[cfg(test)]
mod schema_tests;
mod summary;
#[cfg(feature = "cli")]
mod text;

pub use csv::CsvWriter;
pub use describe::{codec_config, describe};
pub use diff::{Side, diff_json, diff_text};
pub use fields::{FieldLine, FieldLines};
pub use flv::{Extracted, FlvExtractor, MediaStream, MediaSurvey, StreamKey};
pub use json::JsonWriter;
pub use line::{Detail, SCHEMA_VERSION};
pub use ndjson::NdjsonWriter;
pub use redact::{Redactions, Redactor};
pub use summary::summary_sheet;
#[cfg(feature = "cli")]
pub use text::TextWriter;
