//! Captures that can be shown to anyone: the same packets at the same times with the secrets
//! replaced by text of the same length.
//!
//! ```text
//! first reading:   Packet ─> Pipeline ─> Redactor ─> Plan (which stream bytes stay, which change)
//! second reading:  Packet ─> Rewriter ─> Packet
//! ```
//!
//! The first reading finds every secret by its position in the protocol and notes the stream bytes
//! that hold it, so that retransmissions, segments and chunk headers in between do not matter.
//! Bytes that nothing accounts for (other protocols, what could not be decoded) are blanked: what
//! nobody understands, nobody can vouch for.

mod addresses;
mod checksum;
mod fragments;
mod learn;
mod packet;
mod patches;
mod plan;
mod rewrite;
mod text;

pub use learn::Learner;
pub use plan::{Media, Options, Plan, Tally};
pub use rewrite::Rewriter;
