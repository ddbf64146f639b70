//! A small typed language that selects messages: `type==video && key && gap>500ms`.
//!
//! [`Filter::parse`] reads and checks an expression; [`Scan`] runs it over an
//! [`Index`](crate::analysis::index::Index), [`RecordFilter`] over records as they come;
//! [`complete`] says what could be typed next; [`Filter::to_tshark`] translates. `docs/filter.md`
//! describes the language for users.

mod ast;
mod complete;
mod error;
mod eval;
mod field;
mod names;
mod parse;
mod record;
mod scan;
mod subject;
#[cfg(test)]
mod tests;
mod token;
mod tshark;
mod value;
mod wireshark;

pub use ast::{Compare, Expr, Filter, Needs, Node, Test};
pub use complete::{Candidate, complete};
pub use error::FilterError;
pub use field::{FIELDS, Field, FieldInfo, Kind, Unit};
pub use record::RecordFilter;
pub use scan::{Scan, ScanProgress};
pub use subject::{FindingLookup, Pseudo, Subject};
pub use wireshark::{WIRESHARK, WiresharkName};
