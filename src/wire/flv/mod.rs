//! FLV audio and video tag bodies, Enhanced RTMP included.

mod tags;

pub use tags::{
    AudioTag, FourCc, ModEx, MultichannelOrder, Multitrack, Track, TrackConfig, VideoTag,
};

/// shim
pub fn plausible_first_bytes(_video: bool, _b: &[u8]) -> u32 {
    8
}
/// shim
pub fn needs_whole(_video: bool, _b: &[u8]) -> bool {
    false
}
