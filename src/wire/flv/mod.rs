//! FLV audio and video tag bodies, Enhanced RTMP included, and FLV files.

mod audio;
mod encode;
mod enhanced;
mod file;
mod glance;
mod names;
mod tags;
#[cfg(test)]
mod tests;
mod video;

pub use encode::{
    EncodedTrack, aac_frame, aac_sequence_header, avc_frame, avc_sequence_header, enhanced_audio,
    enhanced_video, mod_ex_nanoseconds, multitrack_audio, multitrack_video,
};
pub use file::{FileTag, FileTags, file_header, write_tag};
pub use glance::{Media, needs_whole, plausible_first_bytes};
pub use names::channel_name;
pub use tags::{
    AudioTag, FourCc, ModEx, MultichannelOrder, Multitrack, Track, TrackConfig, VideoTag,
};
