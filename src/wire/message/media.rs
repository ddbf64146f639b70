//! Audio and video messages: FLV tag bodies.

use crate::base::{Reader, Stop};
use crate::wire::amf::{Property, State, Value};
use crate::wire::flv::{AudioTag, VideoTag};

use super::Body;

/// What is read of a video message once the message around it has had its share of values: enough
/// for every header there is.
pub(super) const SPENT_PREFIX: usize = 64;

pub(super) fn audio(r: &mut Reader<'_, '_>, total_len: usize) -> (Body, Option<Stop>) {
    let (tag, stop) = AudioTag::decode(r, total_len);
    (Body::Audio(tag), stop)
}

/// Metadata packets hold AMF values, each packet with limits of its own: an aggregate of such
/// packets must not multiply them.
pub(super) fn video(
    r: &mut Reader<'_, '_>,
    total_len: usize,
    state: &mut State<'_>,
) -> (Body, Option<Stop>) {
    let len = if state.is_spent() { r.left().min(SPENT_PREFIX) } else { r.left() };
    let mut stop = None;
    let mut tag = VideoTag::default();
    let outer = r.within("video", len, |r| {
        (tag, stop) = VideoTag::decode(r, total_len);
        Ok(())
    });
    state.spend(tag.metadata.iter().map(weight).sum());
    (Body::Video(tag), stop.or(outer.err()))
}

/// Values in a property, itself included.
fn weight(property: &Property) -> usize {
    values(&property.value)
}

pub(super) fn values(value: &Value) -> usize {
    1 + match value {
        Value::Object { properties, .. } => properties.iter().map(weight).sum(),
        Value::EcmaArray { properties, dense, .. } => {
            properties.iter().map(weight).chain(dense.iter().map(values)).sum()
        }
        Value::StrictArray(items)
        | Value::VectorObject { items, .. }
        | Value::Externalizable { content: items, .. } => items.iter().map(values).sum(),
        Value::Dictionary { entries, .. } => {
            entries.iter().map(|(key, value)| values(key) + values(value)).sum::<usize>()
        }
        _ => 0,
    }
}
