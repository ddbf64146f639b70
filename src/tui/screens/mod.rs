//! A file or folder per screen. [`all`] makes them.

pub mod chart;
mod compare;
mod findings;
mod flow;
mod ladder;
mod list;
mod media;
mod messages;
mod scroll;
mod sessions;
mod sheet;
mod tcp;
#[cfg(test)]
mod testing;
mod timeline;
mod words;

pub use list::all;
pub use words::{count, duration, field_value, info, rate, time, type_word};
