//! RTMPE: RTMP whose handshake agrees on RC4 keys.
//!
//! [`Rtmpe`] stands between a byte stream (TCP, or the inside of an HTTP tunnel) and the engine: the
//! handshake goes through as it is, what follows is deciphered when a key log has the keys.

mod facts;
mod fit;
mod keys;
mod keystream;
mod layer;

pub use keystream::{Keystream, MAX_SKIP};
pub use layer::Rtmpe;
