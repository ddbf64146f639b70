//! The cases, a file per part of the catalogue.

pub mod amf0;
pub mod amf3;
pub mod chunk;
pub mod connect;
pub mod control;
pub mod ertmp;
pub mod handshake;
mod list;
pub mod media;
pub mod play;
pub mod publish;
pub mod quirk;
pub mod robust;
pub mod ucm;

pub use list::{all, find};
