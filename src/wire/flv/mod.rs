//! FLV audio and video tag bodies, Enhanced RTMP included.

mod tags;

pub use tags::{
    AudioTag, FourCc, ModEx, MultichannelOrder, Multitrack, Track, TrackConfig, VideoTag,
};
