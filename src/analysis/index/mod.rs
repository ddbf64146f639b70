//! All that a viewer needs to know of a capture without reading it again: a fixed-size row per
//! message, and per session what is rare enough to be kept whole.
//!
//! Payload is not here. A row says which packets and which stream bytes hold the message, so that
//! it can be read and decoded again on demand.

mod arena;
mod build;
mod intern;
mod row;
mod session;
mod tcp;
#[cfg(test)]
mod tests;

pub use arena::Place;
pub use build::{Index, row_of};
pub use intern::{Interner, Symbol};
pub use row::{MediaKind, Row};
pub use session::{ConfigRow, MAX_KEPT, MetadataRow, SessionIndex};
pub use tcp::{TcpFacts, TcpSample};
