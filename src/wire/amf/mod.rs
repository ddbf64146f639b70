//! AMF0 and AMF3 values (Action Message Format).
//!
//! A [`State`] carries the reference tables of one message; [`amf0`] and [`amf3`] read values
//! through it. Decoding is lax: a [`Cut`] holds what was decoded before it stopped.

pub mod amf0;
pub mod amf3;
mod encode;
mod flex;
mod state;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use encode::short_string;
pub use state::{Cut, MAX_COPIED_TEXT, MAX_DEPTH, MAX_VALUES, Name, State};
pub use value::{Encoding, Property, Text, Value};
