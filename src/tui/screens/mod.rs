//! A file or folder per screen. [`all`] makes them.

mod list;

pub use list::all;
