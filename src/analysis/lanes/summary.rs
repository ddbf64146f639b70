//! What a run of rows comes to. Summaries of neighbouring runs add up.

/// The range of a value over a run of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Least value.
    pub min: i64,
    /// Greatest value.
    pub max: i64,
    /// The last one.
    pub last: i64,
    /// How many there were; the others mean nothing when this is 0.
    pub count: u32,
}

impl Span {
    /// Takes one more value.
    pub fn push(&mut self, value: i64) {
        self.merge(&Span { min: value, max: value, last: value, count: 1 });
    }

    /// The last value, if there was any.
    pub fn last(&self) -> Option<i64> {
        (self.count > 0).then_some(self.last)
    }

    /// The value farthest from zero, if there was any.
    pub fn extreme(&self) -> Option<i64> {
        let far = if self.max.saturating_abs() >= self.min.saturating_abs() {
            self.max
        } else {
            self.min
        };
        (self.count > 0).then_some(far)
    }

    fn merge(&mut self, later: &Span) {
        if later.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *later;
            return;
        }
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
        self.count = self.count.saturating_add(later.count);
    }
}

/// Coded audio or video of a run of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Messages with coded frames.
    pub frames: u32,
    /// Key frames among them (video only).
    pub keys: u32,
    /// Codec configurations and other messages without coded frames.
    pub other: u32,
    /// Payload bytes of all of them.
    pub bytes: u64,
    /// Longest time, on the axis' clock and in nanoseconds, from one coded frame to the next, for
    /// which the next is in this run.
    pub max_gap: i64,
}

impl Media {
    fn merge(&mut self, later: &Media) {
        self.frames += later.frames;
        self.keys += later.keys;
        self.other += later.other;
        self.bytes += later.bytes;
        self.max_gap = self.max_gap.max(later.max_gap);
    }
}

/// A run of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages.
    pub messages: u32,
    /// Payload bytes per direction.
    pub bytes: [u64; 2],
    /// Video.
    pub video: Media,
    /// Audio.
    pub audio: Media,
    /// Data messages, shared objects, aggregates and unknown types.
    pub data: u32,
    /// Commands.
    pub commands: u32,
    /// Replies and statuses that say no.
    pub failures: u32,
    /// Protocol control and user control messages but Acknowledgements.
    pub control: u32,
    /// Acknowledgements per direction of the data they acknowledge.
    pub acks: [u32; 2],
    /// How far video's timestamps are ahead of audio's at the moment they arrive, in milliseconds;
    /// on the RTMP clock: how much earlier video of the same timestamp arrived.
    pub av_offset: Span,
    /// How much later than by its timestamps media arrived, in milliseconds, counted from the
    /// first coded frame of its direction: grows in a network stall, stays in a sender's.
    pub lateness: Span,
    /// Bytes per direction that the peer's Acknowledgements do not cover yet.
    pub flight: [Span; 2],
    /// Timestamps that went back by more than a second, or ahead by more than ten.
    pub jumps: u32,
    /// Messages that are not complete.
    pub damaged: u32,
    /// Messages whose confidence is not exact.
    pub uncertain: u32,
}

impl Summary {
    /// Adds what came later.
    pub fn merge(&mut self, later: &Summary) {
        self.messages += later.messages;
        self.bytes[0] += later.bytes[0];
        self.bytes[1] += later.bytes[1];
        self.video.merge(&later.video);
        self.audio.merge(&later.audio);
        self.data += later.data;
        self.commands += later.commands;
        self.failures += later.failures;
        self.control += later.control;
        self.acks[0] += later.acks[0];
        self.acks[1] += later.acks[1];
        self.av_offset.merge(&later.av_offset);
        self.lateness.merge(&later.lateness);
        self.flight[0].merge(&later.flight[0]);
        self.flight[1].merge(&later.flight[1]);
        self.jumps += later.jumps;
        self.damaged += later.damaged;
        self.uncertain += later.uncertain;
    }
}
