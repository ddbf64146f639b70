//! The cases, a file per part of the catalogue.

pub mod amf0;
pub mod amf3;
mod bytes;
mod bytes_ex;
pub mod chunk;
pub mod chunk_edge;
pub mod chunk_time;
pub mod connect;
pub mod control;
pub mod ertmp;
pub mod handshake;
mod list;
pub mod media;
mod not_cases_b;
pub mod play;
pub mod play_control;
pub mod publish;
pub mod publish_media;
pub mod quirk;
pub mod robust;
pub mod robust_slow;
mod support_a;
mod support_b;
pub mod ucm;

pub use list::{all, find};
pub use not_cases_b::NOT_CASES as NOT_CASES_OF_MEDIA;
pub use support_a::NOT_CASES as NOT_CASES_OF_CHUNKS;
