//! One message or handshake, read again: every byte of it, what it means, and which packet holds
//! it.
//!
//! The [index](super::index) says in which packets and at which stream offsets something lies. A
//! request takes that out of the index, so that the index need not be held on to while packets are
//! read; reading then follows the rules of reassembly: the first version of a byte wins, and what
//! reassembly gave up stays a hole even if it came later.

mod gather;
mod handshake;
mod message;
mod payload;
mod replay;

pub use gather::{Repeat, Source};
pub use handshake::{HandshakeDetail, HandshakeRequest};
pub use message::{ChunkHeader, MessageDetail, MessageRequest};
