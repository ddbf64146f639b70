//! Frames of one track.

use super::model::{FrameGap, Gop, GopFigures, Spread, TrackFigures};
use crate::base::Timestamp;
use crate::wire::message::MessageType;

/// Most groups of pictures in the table.
const MAX_GOPS: usize = 1 << 14;
/// A timestamp that departs from the capture clock by more milliseconds than this at once was set
/// anew: no encoder pauses so long between frames that arrive together.
pub(super) const RESET: i64 = 10_000;

/// A frame as a track takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub time: Timestamp,
    pub timestamp: u32,
    pub bytes: u64,
    pub key: bool,
    /// A coded frame, not a configuration.
    pub coded: bool,
    pub config: bool,
    /// Nothing of it is missing.
    pub whole: bool,
}

/// Collects a track's figures.
#[derive(Clone, Debug)]
pub(super) struct TrackBuilder {
    pub figures: TrackFigures,
    last: Option<Last>,
    /// Bytes are missing since the last frame.
    interrupted: bool,
    /// Intervals between frames: how many, and how long by both clocks.
    intervals: u64,
    by_timestamp: i64,
    by_arrival: i64,
    /// Bytes of the frames that begin these intervals.
    interval_bytes: u64,
    jitter: f64,
    gop: Option<Gop>,
    millis: Summary,
    frames: Summary,
    bitrate: Summary,
    pub dropped: u64,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    time: Timestamp,
    raw: u32,
    /// Wraps undone.
    timestamp: i64,
    bytes: u64,
}

/// What a step between two timestamps is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// By so many milliseconds.
    By(i64),
    /// Timestamps started anew.
    Reset,
}

/// From one timestamp to the next, both modulo 2^32, `arrival` nanoseconds apart.
pub(super) fn step(from: u32, to: u32, arrival: i64) -> Step {
    let step = i64::from(to.wrapping_sub(from) as i32);
    // A live stream that stalls goes on with a step as long as the stall.
    match (step - arrival / 1_000_000).abs() > RESET && step.abs() > RESET {
        true => Step::Reset,
        false => Step::By(step),
    }
}

impl TrackBuilder {
    pub fn new(media: MessageType, track: Option<u8>) -> TrackBuilder {
        TrackBuilder {
            figures: TrackFigures {
                media,
                track,
                codec: String::new(),
                enhanced: false,
                messages: 0,
                bytes: 0,
                frames: 0,
                key_frames: 0,
                configs: 0,
                arrival: None,
                timestamps: None,
                fps_timestamp: None,
                fps_arrival: None,
                bitrate: None,
                gop: GopFigures::default(),
                largest_gap: None,
                largest_step: None,
                jitter: None,
                max_jitter: 0,
                backwards: 0,
                repeated: 0,
                resets: 0,
                interruptions: 0,
            },
            last: None,
            interrupted: false,
            intervals: 0,
            by_timestamp: 0,
            by_arrival: 0,
            interval_bytes: 0,
            jitter: 0.0,
            gop: None,
            millis: Summary::default(),
            frames: Summary::default(),
            bitrate: Summary::default(),
            dropped: 0,
        }
    }

    /// Bytes are missing: nothing is measured from the last frame to the next.
    pub fn interrupt(&mut self) {
        if !self.interrupted && self.last.is_some() {
            self.interrupted = true;
            self.figures.interruptions += 1;
            if let Some(gop) = &mut self.gop {
                gop.whole = false;
            }
        }
    }

    pub fn push(&mut self, frame: Frame) {
        let figures = &mut self.figures;
        figures.messages += 1;
        figures.bytes += frame.bytes;
        figures.configs += u64::from(frame.config);
        if !frame.coded {
            return;
        }
        figures.frames += 1;
        figures.key_frames += u64::from(frame.key);
        let mut timestamp = i64::from(frame.timestamp);
        let mut reset = false;
        if let Some(last) = self.last {
            let arrival = frame.time.nanos_since(last.time);
            match step(last.raw, frame.timestamp, arrival) {
                Step::Reset => {
                    figures.resets += 1;
                    reset = true;
                }
                Step::By(step) => {
                    timestamp = last.timestamp + step;
                    if !self.interrupted {
                        self.interval(last, frame.time, arrival, step);
                    }
                }
            }
        }
        let figures = &mut self.figures;
        figures.arrival =
            Some((figures.arrival.map_or(frame.time, |(first, _)| first), frame.time));
        figures.timestamps =
            Some((figures.timestamps.map_or(timestamp, |(first, _)| first), timestamp));
        self.picture(&frame, timestamp, reset);
        self.interrupted = false;
        self.last =
            Some(Last { time: frame.time, raw: frame.timestamp, timestamp, bytes: frame.bytes });
    }

    fn interval(&mut self, last: Last, time: Timestamp, arrival: i64, step: i64) {
        let figures = &mut self.figures;
        figures.backwards += u64::from(step < 0);
        figures.repeated += u64::from(step == 0);
        self.intervals += 1;
        self.by_timestamp += step;
        self.by_arrival += arrival;
        self.interval_bytes += last.bytes;
        if figures.largest_gap.is_none_or(|largest| arrival > largest.gap) {
            figures.largest_gap = Some(FrameGap { time, gap: arrival });
        }
        if figures.largest_step.is_none_or(|largest| step > largest) {
            figures.largest_step = Some(step);
        }
        let difference = (arrival - step * 1_000_000).abs() as f64;
        self.jitter += (difference - self.jitter) / 16.0;
        figures.max_jitter = figures.max_jitter.max(self.jitter as i64);
    }

    fn picture(&mut self, frame: &Frame, timestamp: i64, reset: bool) {
        if self.figures.media != MessageType::VIDEO {
            return;
        }
        if let Some(gop) = &mut self.gop {
            gop.whole &= !reset && (frame.whole || frame.key);
            if !frame.key {
                gop.frames += 1;
                gop.bytes += frame.bytes;
                gop.millis = (timestamp - gop.timestamp).max(gop.millis);
                return;
            }
            if gop.whole {
                gop.millis = timestamp - gop.timestamp;
            }
        }
        if !frame.key {
            return;
        }
        let next = Gop {
            time: frame.time,
            timestamp,
            millis: 0,
            frames: 1,
            bytes: frame.bytes,
            // Bytes missing before a key frame do not touch what follows it.
            whole: frame.whole,
        };
        if let Some(gop) = self.gop.replace(next) {
            if gop.whole {
                self.millis.add(gop.millis as f64);
                self.frames.add(gop.frames as f64);
                self.bitrate.add(gop.bitrate().unwrap_or(0.0));
            }
            match self.figures.gop.table.len() < MAX_GOPS {
                true => self.figures.gop.table.push(gop),
                false => self.dropped += 1,
            }
        }
    }

    /// What there is to say by now.
    pub fn finish(&self) -> TrackFigures {
        let mut figures = self.figures.clone();
        let rate = |nanos: f64| (nanos > 0.0).then(|| self.intervals as f64 * 1e9 / nanos);
        figures.fps_timestamp = rate(self.by_timestamp as f64 * 1e6);
        figures.fps_arrival = rate(self.by_arrival as f64);
        figures.bitrate = (self.by_timestamp > 0)
            .then(|| self.interval_bytes as f64 * 8000.0 / self.by_timestamp as f64);
        figures.jitter = (self.intervals > 0).then_some(self.jitter as i64);
        figures.gop.millis = self.millis.spread();
        figures.gop.frames = self.frames.spread();
        figures.gop.bitrate = self.bitrate.spread();
        if let Some(gop) = self.gop {
            figures.gop.table.push(Gop { whole: false, ..gop });
        }
        figures
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    min: f64,
    max: f64,
    sum: f64,
    count: u64,
}

impl Summary {
    fn add(&mut self, value: f64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.sum += value;
        self.count += 1;
    }

    fn spread(&self) -> Option<Spread> {
        (self.count > 0).then(|| Spread {
            min: self.min,
            mean: self.sum / self.count as f64,
            max: self.max,
            count: self.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn video() -> TrackBuilder {
        TrackBuilder::new(MessageType::VIDEO, None)
    }

    fn frame(at: i64, timestamp: u32, key: bool) -> Frame {
        Frame {
            time: Timestamp(at * MS),
            timestamp,
            bytes: 1000,
            key,
            coded: true,
            config: false,
            whole: true,
        }
    }

    /// 25 frames a second, a key frame every second, from a timestamp on.
    fn run(track: &mut TrackBuilder, from: i64, timestamp: u32, frames: u32) {
        for n in 0..frames {
            let at = i64::from(n) * 40;
            track.push(frame(from + at, timestamp.wrapping_add(n * 40), n % 25 == 0));
        }
    }

    #[test]
    fn by_hand() {
        let mut track = video();
        run(&mut track, 500, 0, 101);
        let figures = track.finish();
        assert_eq!(figures.fps_timestamp, Some(25.0));
        assert_eq!(figures.fps_arrival, Some(25.0));
        // A frame of 1000 bytes every 40 ms.
        assert_eq!(figures.bitrate, Some(200_000.0));
        let spread = |value| Some(Spread { min: value, mean: value, max: value, count: 4 });
        assert_eq!(figures.gop.millis, spread(1000.0));
        assert_eq!(figures.gop.frames, spread(25.0));
        assert_eq!(figures.gop.table.len(), 5);
        assert_eq!(figures.jitter, Some(0));
        assert_eq!(figures.largest_gap.map(|gap| gap.gap), Some(40 * MS));
    }

    #[test]
    fn a_wrap_is_no_step_back() {
        let mut track = video();
        run(&mut track, 0, u32::MAX - 1000, 100);
        let figures = track.finish();
        assert_eq!((figures.backwards, figures.resets), (0, 0));
        assert_eq!(figures.fps_timestamp, Some(25.0));
        let (first, last) = figures.timestamps.unwrap();
        assert_eq!(last - first, 99 * 40);
        assert_eq!(figures.gop.millis.unwrap().max, 1000.0);
    }

    #[test]
    fn a_reset_is_not_measured_across() {
        let mut track = video();
        run(&mut track, 0, 3_600_000, 30);
        run(&mut track, 1200, 0, 30);
        let figures = track.finish();
        assert_eq!((figures.resets, figures.backwards), (1, 0));
        assert_eq!(figures.fps_timestamp, Some(25.0));
        assert_eq!(figures.gop.millis.unwrap().count, 2, "of four, one was cut, one is open");
        // A stall is none: both clocks go on.
        let mut track = video();
        run(&mut track, 0, 0, 30);
        run(&mut track, 61_160, 61_160, 30);
        assert_eq!(track.finish().resets, 0);
        assert_eq!(track.finish().largest_step, Some(60_000));
    }

    #[test]
    fn nothing_is_measured_across_missing_bytes() {
        let mut track = video();
        run(&mut track, 0, 0, 30);
        track.interrupt();
        track.interrupt();
        run(&mut track, 5000, 5000, 30);
        let figures = track.finish();
        assert_eq!(figures.interruptions, 1);
        assert_eq!(figures.fps_arrival, Some(25.0));
        assert_eq!(figures.largest_gap.map(|gap| gap.gap), Some(40 * MS));
        assert_eq!(figures.gop.millis.unwrap().max, 1000.0);
        assert_eq!(figures.gop.table.iter().filter(|gop| gop.whole).count(), 2);
    }

    #[test]
    fn steps_back_are_counted() {
        let mut track = video();
        track.push(frame(0, 1000, true));
        track.push(frame(40, 960, false));
        track.push(frame(80, 960, false));
        let figures = track.finish();
        assert_eq!((figures.backwards, figures.repeated), (1, 1));
        assert_eq!(figures.fps_timestamp, None, "no time has passed");
    }
}
