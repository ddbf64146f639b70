//! RTMP messages: a payload and its type to a typed [`Body`], and back.

mod body;
mod types;

pub use body::{AggregatePart, Body, Command, Data, SharedObject, SharedObjectEvent, UserControl};
pub use types::{LimitType, MessageType, UserControlEvent};
