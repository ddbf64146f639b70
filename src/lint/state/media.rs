//! The timestamps of one kind of media against the time they came at.

use crate::base::Timestamp;
use crate::rtmp::Message;

/// Audio or video of one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clock {
    /// Messages.
    pub messages: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// When the first one came.
    pub first_time: Option<Timestamp>,
    /// When the last one came.
    pub last_time: Option<Timestamp>,
    /// Timestamp of the first one, in milliseconds.
    pub first_timestamp: Option<u32>,
    /// Timestamp of the last one, in milliseconds.
    pub last_timestamp: Option<u32>,
    /// Timestamp of the last one with the wraps at 2^32 undone, counted from the first one.
    pub elapsed_ms: i64,
    /// The greatest `elapsed_ms`.
    pub furthest_ms: i64,
}

impl Clock {
    /// Milliseconds from the last message to one with this timestamp, modulo 2^32; negative when
    /// it goes back.
    pub fn step(&self, timestamp: u32) -> Option<i64> {
        Some(i64::from(timestamp.wrapping_sub(self.last_timestamp?) as i32))
    }

    /// Milliseconds of media time it covers.
    pub fn span_ms(&self) -> i64 {
        self.furthest_ms
    }

    pub(super) fn message(&mut self, message: &Message) {
        self.messages += 1;
        self.bytes += u64::from(message.received);
        self.first_time.get_or_insert(message.time);
        self.last_time = Some(message.time);
        if !message.timestamp_exact {
            return;
        }
        if let Some(step) = self.step(message.timestamp) {
            self.elapsed_ms += step;
            self.furthest_ms = self.furthest_ms.max(self.elapsed_ms);
        }
        self.first_timestamp.get_or_insert(message.timestamp);
        self.last_timestamp = Some(message.timestamp);
    }
}
