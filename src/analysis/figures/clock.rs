//! Timestamps against the capture clock.

use super::model::{Second, Series};
use crate::base::Timestamp;

/// A second in nanoseconds.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Most buckets of a series; beyond, two become one. Two hours of seconds.
pub(super) const MAX_BUCKETS: usize = 7200;
/// Points between which slopes are computed, at most: pairs grow with the square.
const MAX_POINTS: usize = 128;
/// Shortest span for a drift: less is jitter.
const MIN_SPAN: f64 = 10.0;

/// Buckets of equal width from a start, which grow wider when there are too many.
#[derive(Clone, Debug)]
pub(super) struct Buckets<T> {
    pub start: Option<Timestamp>,
    pub width: i64,
    pub items: Vec<T>,
}

impl<T> Default for Buckets<T> {
    fn default() -> Self {
        Buckets { start: None, width: SECOND, items: Vec::new() }
    }
}

impl<T: Default + Merge> Buckets<T> {
    /// The bucket of a time. Times before the start belong to the first one.
    pub fn at(&mut self, time: Timestamp) -> &mut T {
        let start = *self.start.get_or_insert(time);
        let since = time.nanos_since(start).max(0);
        while (since / self.width) as usize >= MAX_BUCKETS {
            self.widen();
        }
        let index = (since / self.width) as usize;
        if self.items.len() <= index {
            self.items.resize_with(index + 1, T::default);
        }
        &mut self.items[index]
    }

    fn widen(&mut self) {
        let items = std::mem::take(&mut self.items);
        let mut items = items.into_iter();
        while let Some(mut first) = items.next() {
            if let Some(second) = items.next() {
                first.merge(second);
            }
            self.items.push(first);
        }
        self.width = self.width.saturating_mul(2);
    }
}

/// Two buckets to one.
pub(super) trait Merge {
    fn merge(&mut self, other: Self);
}

impl Merge for Second {
    fn merge(&mut self, other: Second) {
        self.audio += other.audio;
        self.video += other.video;
        self.other += other.other;
        self.headers += other.headers;
    }
}

/// A mean in the making.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    pub sum: f64,
    pub count: u64,
}

impl Mean {
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    pub fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// What video and audio are ahead of the capture clock within a bucket, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ahead {
    pub video: Mean,
    pub audio: Mean,
}

impl Merge for Ahead {
    fn merge(&mut self, other: Ahead) {
        self.video.sum += other.video.sum;
        self.video.count += other.video.count;
        self.audio.sum += other.audio.sum;
        self.audio.count += other.audio.count;
    }
}

/// A series of buckets' values.
pub(super) fn series<T>(buckets: &Buckets<T>, value: impl Fn(&T) -> Option<f64>) -> Series {
    Series {
        start: buckets.start.unwrap_or_default(),
        width: buckets.width,
        values: buckets.items.iter().map(value).collect(),
    }
}

impl Series {
    /// Slope, per second: the median of the slopes between any two values (Theil and Sen's
    /// estimator). A burst at the beginning, as players get it, does not tilt it.
    pub(super) fn slope(&self) -> Option<f64> {
        let seconds = self.width as f64 / SECOND as f64;
        let step = self.values.len().div_ceil(MAX_POINTS).max(1);
        let points: Vec<(f64, f64)> = self
            .values
            .chunks(step)
            .enumerate()
            .filter_map(|(i, values)| {
                let mut mean = Mean::default();
                values.iter().flatten().for_each(|value| mean.add(*value));
                Some(((i * step) as f64 * seconds, mean.value()?))
            })
            .collect();
        let (first, last) = (points.first()?.0, points.last()?.0);
        if last - first < MIN_SPAN {
            return None;
        }
        let mut slopes: Vec<f64> = points
            .iter()
            .enumerate()
            .flat_map(|(i, (x0, y0))| {
                points.iter().skip(i + 1).map(move |(x1, y1)| (y1 - y0) / (x1 - x0))
            })
            .collect();
        let middle = slopes.len() / 2;
        slopes.sort_unstable_by(f64::total_cmp);
        slopes.get(middle).copied()
    }

    /// Smallest and largest value.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.values.iter().flatten().fold(None, |range, value| match range {
            None => Some((*value, *value)),
            Some((min, max)) => Some((value.min(min), value.max(max))),
        })
    }
}
