//! Screen 4: messages, the fields of one, its bytes.

mod hex;
mod screen;
mod table;
mod tree;

pub(super) use screen::Messages;
