//! Faults to switch on: a conforming server that breaks one rule, to test those who test servers.
//!
//! A fault is a row: its name, what it does, the conformance cases that must notice, and how it is
//! done. Most rows carry a function on a message that came or goes; the others name a [`Flag`] that
//! the engine asks for in the one place that it changes.

mod amf;
mod chunk;
mod connect;
mod control;
mod defect;
mod enhanced;
mod handshake;
mod media;
mod play;
mod publish;
mod quirk;
mod resource;
mod robust;
mod seen;

pub use defect::Defect;
pub(super) use defect::{Faults, Flag, Reaction};
pub(super) use seen::{History, Piece, Seen};
