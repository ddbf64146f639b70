//! A file or folder per screen. [`all`] makes them.

pub mod chart;
mod ladder;
mod list;
mod pending;
mod scroll;
#[cfg(test)]
mod testing;
mod timeline;

pub use list::all;
pub use pending::{count, field_value};
