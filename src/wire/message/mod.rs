//! RTMP messages: a payload and its type to a typed [`Body`], and back.

mod body;
mod types;

pub use body::{AggregatePart, Body, Command, Data, SharedObject, SharedObjectEvent, UserControl};
pub use types::{LimitType, MessageType, UserControlEvent};
/// shim
pub fn decode(_t: MessageType, _p: &[u8], _l: usize) -> (Body, Option<crate::base::Stop>) {
    (Body::Unknown, None)
}
