//! What a row means after the rows before it.

use super::commands::is_failure;
use super::summary::{Media, Summary};
use crate::analysis::index::{Interner, MediaKind, Row, SessionIndex};
use crate::rtmp::Confidence;
use crate::wire::message::MessageType;

/// Timestamps that go back by more than this many milliseconds begin anew.
const BACK_MS: i64 = 1_000;
/// Timestamps that run ahead of the capture clock by more than this from one frame to the next
/// were set, not counted.
const AHEAD_MS: i64 = 10_000;

/// What one direction has sent, as far as Acknowledgements tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Stream bytes sent so far.
    pub sent: u64,
    /// Bytes acknowledged so far; `None` before the first Acknowledgement.
    pub acked: Option<u64>,
    /// The window after which an Acknowledgement is due: what the sender's Window Acknowledgement
    /// Size says, or the bandwidth that the peer set for it.
    pub window: Option<u32>,
    /// Whether the sender announced the window itself.
    own_window: bool,
    /// What the sequence number of the first Acknowledgement must be added to: 0 when the capture
    /// holds the beginning of the connection.
    base: u64,
    /// Whether the last Acknowledgement could only be read as an increment (YouTube's ingest
    /// counts from the last one, others from the beginning, section 5.4.3).
    pub incremental: bool,
}

impl Flight {
    /// Bytes in flight, once there is something to measure by.
    pub fn bytes(&self) -> Option<u64> {
        match (self.acked, self.window) {
            (Some(acked), _) => Some(self.sent.saturating_sub(acked)),
            // Nobody acknowledged although a window is in force: all of it is unacknowledged.
            (None, Some(_)) => Some(self.sent),
            (None, None) => None,
        }
    }

    /// Notes that the stream was sent up to offset `end`.
    pub(in crate::analysis) fn send(&mut self, end: u64) {
        self.sent = self.sent.max(end);
    }

    /// Sets the window; `own` when the sender announced it, which the peer's wish does not undo.
    pub(in crate::analysis) fn set_window(&mut self, size: u32, own: bool) {
        if own || !self.own_window {
            self.window = Some(size);
        }
        self.own_window |= own;
    }

    /// Takes an Acknowledgement from the peer.
    pub(in crate::analysis) fn acknowledge(&mut self, sequence: u32, midstream: bool) {
        // What the peer may have counted beyond what the capture showed of the stream by then.
        const SLACK: u64 = 1 << 16;
        let sequence = u64::from(sequence);
        let Some(acked) = self.acked else {
            if midstream {
                self.base = self.sent.wrapping_sub(sequence);
            }
            self.acked = Some(self.base.wrapping_add(sequence).min(self.sent));
            return;
        };
        let counted = acked.wrapping_sub(self.base);
        let forward = u64::from((sequence as u32).wrapping_sub(counted as u32));
        let cumulative = acked.wrapping_add(forward);
        self.incremental = cumulative > self.sent.saturating_add(SLACK)
            && acked.saturating_add(sequence) <= self.sent.saturating_add(SLACK);
        self.acked = Some(match self.incremental {
            true => acked + sequence,
            false if cumulative > self.sent.saturating_add(SLACK) => acked,
            false => cumulative.max(acked),
        });
    }
}

/// The last coded frame of a kind.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// On the axis.
    at: i64,
    /// Capture time.
    time: i64,
    timestamp: u32,
}

/// The RTMP clock of one direction.
#[derive(Clone, Copy, Debug)]
struct Running {
    /// Capture time of the last coded frame.
    time: i64,
    timestamp: u32,
    /// Wraps undone.
    unwrapped: i64,
    /// Capture time in milliseconds minus timestamp at which lateness is 0.
    base: i64,
}

/// Where the rows before leave off.
#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    /// Per direction: bytes sent and acknowledged.
    pub flight: [Flight; 2],
    video: [Option<Last>; 2],
    audio: [Option<Last>; 2],
    clock: [Option<Running>; 2],
}

impl State {
    /// The timestamp of a coded frame in milliseconds with wraps undone, and whether it jumped.
    /// Call for every coded row in order.
    pub(super) fn unwrap(&mut self, row: &Row) -> (i64, bool) {
        let clock = &mut self.clock[row.direction().index()];
        let time = row.time.0;
        let Some(running) = clock else {
            let unwrapped = i64::from(row.timestamp);
            let base = time / 1_000_000 - unwrapped;
            *clock = Some(Running { time, timestamp: row.timestamp, unwrapped, base });
            return (unwrapped, false);
        };
        let forward = i64::from(row.timestamp.wrapping_sub(running.timestamp) as i32);
        let passed = time.saturating_sub(running.time) / 1_000_000;
        running.unwrapped += forward;
        let jumped = forward < -BACK_MS || forward > passed.saturating_add(AHEAD_MS);
        if jumped {
            // Lateness goes on from what it was: a new numbering is no stall.
            running.base += passed - forward;
        }
        running.time = time;
        running.timestamp = row.timestamp;
        (running.unwrapped, jumped)
    }

    /// Adds a row to a summary. `at` is its place on the axis, `arrival` whether the axis is the
    /// capture clock.
    pub(super) fn step(
        &mut self,
        sum: &mut Summary,
        session: &SessionIndex,
        strings: &Interner,
        row: &Row,
        (at, arrival): (i64, bool),
    ) {
        let way = row.direction().index();
        sum.messages += 1;
        sum.bytes[way] += u64::from(row.length);
        sum.damaged += u32::from(!row.complete());
        sum.uncertain += u32::from(row.confidence() != Confidence::Exact);
        self.flight[way].send(session.end_offset(row));
        match row.type_id {
            MessageType::VIDEO => self.media(sum, row, at, arrival),
            MessageType::AUDIO => self.media(sum, row, at, arrival),
            MessageType::COMMAND_AMF0 | MessageType::COMMAND_AMF3 => {
                sum.commands += 1;
                sum.failures += u32::from(is_failure(strings, row));
            }
            MessageType::ACKNOWLEDGEMENT => {
                let of = row.direction().reverse().index();
                sum.acks[of] += 1;
                if let Some(sequence) = row.value() {
                    self.flight[of].acknowledge(sequence, session.session.midstream);
                }
                if let Some(bytes) = self.flight[of].bytes() {
                    sum.flight[of].push(bytes as i64);
                }
            }
            kind if kind.is_control() => {
                sum.control += 1;
                self.control(row);
            }
            _ => sum.data += 1,
        }
        if let Some(bytes) = self.flight[way].bytes() {
            sum.flight[way].push(bytes as i64);
        }
    }

    fn control(&mut self, row: &Row) {
        let Some(value) = row.value() else { return };
        match row.type_id {
            MessageType::WINDOW_ACKNOWLEDGEMENT_SIZE => {
                self.flight[row.direction().index()].set_window(value, true);
            }
            MessageType::SET_PEER_BANDWIDTH => {
                self.flight[row.direction().reverse().index()].set_window(value, false);
            }
            _ => {}
        }
    }

    fn media(&mut self, sum: &mut Summary, row: &Row, at: i64, arrival: bool) {
        let way = row.direction().index();
        let video = row.type_id == MessageType::VIDEO;
        let media: &mut Media = if video { &mut sum.video } else { &mut sum.audio };
        media.bytes += u64::from(row.length);
        if !row.media.is_coded() {
            media.other += 1;
            return;
        }
        media.frames += 1;
        media.keys += u32::from(row.media == MediaKind::Key);
        let last = if video { &mut self.video[way] } else { &mut self.audio[way] };
        if let Some(last) = last {
            media.max_gap = media.max_gap.max(at.saturating_sub(last.at));
        }
        *last = Some(Last { at, time: row.time.0, timestamp: row.timestamp });
        if let (Some(video), Some(audio)) = (self.video[way], self.audio[way]) {
            sum.av_offset.push(match arrival {
                true => i64::from(video.timestamp.wrapping_sub(audio.timestamp) as i32),
                false => audio.time.saturating_sub(video.time) / 1_000_000,
            });
        }
        if !row.timestamp_exact() {
            return;
        }
        let (unwrapped, jumped) = self.unwrap(row);
        sum.jumps += u32::from(jumped);
        if let Some(clock) = &self.clock[way] {
            sum.lateness.push(row.time.0 / 1_000_000 - unwrapped - clock.base);
        }
    }
}
