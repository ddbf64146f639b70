//! TLS 1.2 and 1.3, read with a key log.

mod certificate;
mod cipher;
mod connection;
mod half;
mod hello;
mod keying;
mod secrets;
mod suites;

pub use connection::{Connection, Reading};
pub use keying::Resumable;
