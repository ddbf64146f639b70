//! Codec configuration records: what a decoder must know before the first frame.

mod config;

pub use config::CodecConfig;
