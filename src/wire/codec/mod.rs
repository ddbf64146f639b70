//! Codec configuration records: what a decoder must know before the first frame, and the frame
//! headers of codecs that have no such record.
//!
//! Decoding is lax: [`CodecConfig::stop`] says where and why a record could not be read on.

mod aac;
mod audio_frame;
mod av1;
mod avc;
mod avc_sps;
pub(crate) mod bits;
mod config;
mod elements;
mod encode;
mod flash_video;
mod frame;
mod hevc;
mod hevc_sps;
#[cfg(test)]
mod tests;
mod vpx;
mod vui;
mod vvc;
mod xiph;

pub use aac::decode_aac;
pub use av1::{decode_av1, decode_av1_descriptor};
pub use avc::decode_avc;
pub use config::CodecConfig;
pub(crate) use elements::explain_elements;
pub use encode::{aac_configuration, avc_configuration};
pub use frame::{decode_config, decode_frame};
pub use hevc::decode_hevc;
pub use vpx::decode_vpx;
pub use vvc::decode_vvc;
pub use xiph::{decode_flac, decode_opus};
