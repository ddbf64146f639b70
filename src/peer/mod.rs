//! Both ends of a connection, played by us: a link that sends and records bytes, and a conforming
//! server whose faults can be switched on one by one.

mod link;
pub mod server;
mod transcript;

pub use link::{Close, Filled, Link, LinkError};
pub use transcript::{Clock, Entry, Transcript};
