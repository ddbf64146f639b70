//! A file or folder per screen. [`all`] makes them.

pub mod chart;
mod list;
#[cfg(test)]
mod testing;
mod timeline;

pub use list::all;
