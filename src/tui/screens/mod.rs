//! A file or folder per screen. [`all`] makes them.

mod list;
mod messages;
mod sessions;
mod sheet;
mod words;

pub use list::all;
pub use words::{count, duration, field_value, info, rate, time, type_word};
