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

// Stands in until the FLV decoders are merged: an inherent `decode` takes precedence over this
// trait, which can then be deleted from here to the end of the file.
trait Shim: Sized + Default {
    fn decode(r: &mut Reader<'_, '_>, _total_len: usize) -> (Self, Option<Stop>) {
        r.rest("payload");
        (Self::default(), None)
    }
}
impl Shim for AudioTag {}
impl Shim for VideoTag {}
