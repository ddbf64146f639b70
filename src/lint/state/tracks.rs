//! Audio and video tracks of one direction: what was configured, what was sent.

use crate::base::Timestamp;
use crate::lint::finding::Place;
use crate::rtmp::Message;
use crate::wire::codec::CodecConfig;
use crate::wire::flv::{AudioTag, FourCc, TrackConfig, VideoTag};
use crate::wire::message::Body;

/// Kind of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages of type 8.
    Audio,
    /// Messages of type 9.
    Video,
}

impl Kind {
    /// `audio` or `video`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Audio => "audio",
            Kind::Video => "video",
        }
    }
}

/// A coded frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// When it came.
    pub time: Timestamp,
    /// Its timestamp in milliseconds.
    pub timestamp: u32,
    /// Milliseconds since the track's first frame, wraps undone.
    pub elapsed_ms: i64,
    /// Whether it is a key frame.
    pub key: bool,
}

/// A configuration record.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackRecord {
    /// Where it came last.
    pub place: Place,
    /// What it says.
    pub config: Option<CodecConfig>,
    /// The message's payload, the first 4096 bytes.
    pub payload: bytes::Bytes,
    /// How often this one came.
    pub count: u64,
}

/// Count, mean and spread of a series, without keeping it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Series {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The greatest one.
    pub max: f64,
    squares: f64,
}

impl Series {
    pub(in crate::lint) fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
        self.max = self.max.max(value);
    }

    /// Standard deviation.
    pub fn deviation(&self) -> f64 {
        (self.squares / (self.count.max(1) as f64)).max(0.0).sqrt()
    }
}

/// An audio or video track.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaTrack {
    /// Audio or video.
    pub kind: Kind,
    /// Track id; 0 outside multitrack.
    pub id: u8,
    /// The codec's name.
    pub codec: &'static str,
    /// Its FourCC, with an Enhanced header.
    pub fourcc: Option<FourCc>,
    /// FLV CodecID or SoundFormat, without one.
    pub legacy_id: Option<u8>,
    /// The last configuration record.
    pub config: Option<TrackRecord>,
    /// When its first message came.
    pub first_message: Timestamp,
    /// Coded frames.
    pub frames: u64,
    /// The first one.
    pub first: Option<Frame>,
    /// The last one.
    pub last: Option<Frame>,
    /// The first key frame.
    pub first_key: Option<Frame>,
    /// The last key frame.
    pub last_key: Option<Frame>,
    /// Milliseconds from key frame to key frame.
    pub key_intervals: Series,
    /// Milliseconds from frame to frame.
    pub steps: Series,
    /// How many frames in a row have the last one's timestamp.
    pub same_timestamp: u32,
    /// Composition times: smallest and greatest.
    pub composition: Option<(i32, i32)>,
    /// Whether pictures were seen to be shown in another order than they were sent.
    pub reorders: bool,
    /// Presentation time of the last picture, in milliseconds like `elapsed_ms`.
    shown_ms: i64,
}

/// Tracks that are remembered per direction: Enhanced RTMP's ids are bytes, programs use a few.
const MAX_TRACKS: usize = 16;

/// Bytes of a configuration record that are kept: real ones have a few hundred.
const MAX_RECORD: usize = 4096;

impl MediaTrack {
    fn new(kind: Kind, id: u8, time: Timestamp) -> MediaTrack {
        MediaTrack {
            kind,
            id,
            codec: "unknown",
            fourcc: None,
            legacy_id: None,
            config: None,
            first_message: time,
            frames: 0,
            first: None,
            last: None,
            first_key: None,
            last_key: None,
            key_intervals: Series::default(),
            steps: Series::default(),
            same_timestamp: 0,
            composition: None,
            reorders: false,
            shown_ms: i64::MIN,
        }
    }

    /// Milliseconds from the last frame to this timestamp, modulo 2^32.
    pub fn step(&self, timestamp: u32) -> Option<i64> {
        Some(i64::from(timestamp.wrapping_sub(self.last?.timestamp) as i32))
    }

    fn frame(&mut self, message: &Message, key: bool, composition: Option<i32>) {
        let step = self.step(message.timestamp);
        let elapsed_ms = self.last.map_or(0, |last| last.elapsed_ms) + step.unwrap_or(0);
        let frame = Frame { time: message.time, timestamp: message.timestamp, elapsed_ms, key };
        self.frames += 1;
        if let Some(step) = step {
            self.same_timestamp = if step == 0 { self.same_timestamp + 1 } else { 0 };
            if step > 0 {
                self.steps.add(step as f64);
            }
        }
        if let Some(offset) = composition {
            let (low, high) = self.composition.unwrap_or((offset, offset));
            self.composition = Some((low.min(offset), high.max(offset)));
            let shown = elapsed_ms + i64::from(offset);
            self.reorders |= shown < self.shown_ms && step.is_some_and(|step| step >= 0);
            self.shown_ms = shown;
        }
        if key {
            if let Some(last) = self.last_key {
                self.key_intervals.add((elapsed_ms - last.elapsed_ms) as f64);
            }
            self.first_key.get_or_insert(frame);
            self.last_key = Some(frame);
        }
        self.first.get_or_insert(frame);
        self.last = Some(frame);
    }

    fn configure(&mut self, message: &Message, config: Option<&TrackConfig>, place: Place) {
        let config = match config {
            Some(TrackConfig::Codec(config)) => Some(config.clone()),
            _ => None,
        };
        let kept = message.payload.len().min(MAX_RECORD);
        let payload = message.payload.get(..kept).unwrap_or_default();
        let repeated = self.config.as_ref().filter(|old| old.payload == payload);
        let count = repeated.map_or(1, |old| old.count + 1);
        let payload = match repeated {
            Some(old) => old.payload.clone(),
            None => bytes::Bytes::copy_from_slice(payload),
        };
        self.config = Some(TrackRecord { place, config, payload, count });
    }
}

/// The tracks of one direction.
#[derive(Clone, Debug, Default)]
pub(in crate::lint) struct Tracks {
    pub all: Vec<MediaTrack>,
}

impl Tracks {
    fn entry(&mut self, kind: Kind, id: u8, time: Timestamp) -> Option<&mut MediaTrack> {
        let at = self.all.iter().position(|track| track.kind == kind && track.id == id);
        if let Some(at) = at {
            return self.all.get_mut(at);
        }
        if self.all.len() == MAX_TRACKS {
            return None;
        }
        self.all.push(MediaTrack::new(kind, id, time));
        self.all.last_mut()
    }

    /// Takes note of an audio or video message.
    pub fn message(&mut self, message: &Message, place: &impl Fn() -> Place) {
        match &message.body {
            Body::Video(tag) => self.video(message, tag, place),
            Body::Audio(tag) => self.audio(message, tag, place),
            _ => {}
        }
    }

    fn video(&mut self, message: &Message, tag: &VideoTag, place: &impl Fn() -> Place) {
        if tag.is_command() {
            return;
        }
        for track in &tag.tracks {
            let id = track.id.unwrap_or(0);
            let Some(entry) = self.entry(Kind::Video, id, message.time) else { return };
            entry.codec = track.codec_name().unwrap_or_else(|| tag.codec_name());
            entry.fourcc = track.fourcc;
            entry.legacy_id = tag.codec_id;
            if tag.is_sequence_header() {
                entry.configure(message, track.config.as_ref(), place());
            } else if tag.is_coded() && message.timestamp_exact {
                let offset = track.composition_time.or(tag.composition_time);
                entry.frame(message, tag.is_key(), offset);
            }
        }
    }

    fn audio(&mut self, message: &Message, tag: &AudioTag, place: &impl Fn() -> Place) {
        if tag.empty {
            return;
        }
        for track in &tag.tracks {
            let id = track.id.unwrap_or(0);
            let Some(entry) = self.entry(Kind::Audio, id, message.time) else { return };
            entry.codec = track.codec_name().unwrap_or_else(|| tag.codec_name());
            entry.fourcc = track.fourcc;
            entry.legacy_id = (!tag.enhanced).then_some(tag.sound_format);
            if tag.is_sequence_header() {
                entry.configure(message, track.config.as_ref(), place());
            } else if tag.is_coded() && message.timestamp_exact {
                entry.frame(message, false, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_knows_its_spread() {
        let mut series = Series::default();
        for value in [1000.0, 2000.0, 3000.0] {
            series.add(value);
        }
        assert_eq!((series.count, series.mean, series.max), (3, 2000.0, 3000.0));
        assert!((series.deviation() - 816.5).abs() < 0.1);
    }
}
