//! Audio and video messages: FLV tag bodies.

use crate::base::{Reader, Stop};
use crate::wire::flv::{AudioTag, VideoTag};

use super::Body;

pub(super) fn audio(r: &mut Reader<'_, '_>, total_len: usize) -> (Body, Option<Stop>) {
    let (tag, stop) = AudioTag::decode(r, total_len);
    (Body::Audio(tag), stop)
}

pub(super) fn video(r: &mut Reader<'_, '_>, total_len: usize) -> (Body, Option<Stop>) {
    let (tag, stop) = VideoTag::decode(r, total_len);
    (Body::Video(tag), stop)
}
