//! RTMP messages: a payload and its type to a typed [`Body`], and back.

mod aggregate;
mod body;
mod command;
mod control;
mod decode;
pub mod flags;
mod media;
mod shared_object;
pub mod status;
#[cfg(test)]
mod tests;
mod types;

pub use aggregate::{EncodePart, encode_aggregate};
pub use body::{AggregatePart, Body, Command, Data, SharedObject, SharedObjectEvent, UserControl};
pub use decode::{decode, decode_prefix, encode};
pub use shared_object::event_name as shared_object_event_name;
pub use types::{LimitType, MessageType, UserControlEvent};
