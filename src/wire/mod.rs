//! Stateless codecs: bytes to values and back, a file per part of the specifications.

pub mod amf;
pub mod chunk;
pub mod codec;
pub mod flv;
pub mod handshake;
pub mod message;
pub mod rtmfp;
