//! Acknowledgements of what one direction sends.

use super::model::{AckFigures, Changed};
use crate::analysis::flowctl::AckStyle;
use crate::base::Timestamp;

/// Most changes of a value that are kept.
const MAX_CHANGES: usize = 1024;
/// What an acknowledgement may be ahead of the bytes that were seen: the reader of the capture is
/// not always where the receiver is.
const SLACK: u64 = 1 << 16;

/// Collects them. All offsets are of the acknowledged direction's stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Acks {
    figures: AckFigures,
    /// Stream bytes sent by now.
    sent: u64,
    /// Stream bytes acknowledged by now.
    acked: u64,
    /// Sent when the last Acknowledgement came.
    sent_at_ack: u64,
    last: Option<u32>,
    cumulative: u64,
    incremental: u64,
    pub dropped: u64,
}

/// Adds a change to a list that stays small.
pub(super) fn change(list: &mut Vec<Changed>, time: Timestamp, value: u32, dropped: &mut u64) {
    match list.len() < MAX_CHANGES {
        true => list.push(Changed { time, value }),
        false => *dropped += 1,
    }
}

impl Acks {
    /// The direction has sent this much.
    pub fn sent(&mut self, offset: u64) {
        self.sent = self.sent.max(offset);
        self.measure();
    }

    fn measure(&mut self) {
        self.figures.max_unacked =
            self.figures.max_unacked.max(self.sent.saturating_sub(self.acked));
        self.figures.max_distance =
            self.figures.max_distance.max(self.sent.saturating_sub(self.sent_at_ack));
    }

    /// Its sender announced a window.
    pub fn window(&mut self, time: Timestamp, size: u32) {
        change(&mut self.figures.windows, time, size, &mut self.dropped);
    }

    /// Its receiver allowed a bandwidth.
    pub fn bandwidth(&mut self, time: Timestamp, size: u32) {
        change(&mut self.figures.bandwidths, time, size, &mut self.dropped);
    }

    /// Its receiver acknowledged.
    pub fn ack(&mut self, sequence: u32) {
        self.measure();
        // Counted from the start, the low 32 bits of what was received (section 5.4.3). A value
        // below the one before is either a wrap or a count from the last one (YouTube's way).
        let base = self.acked & !0xffff_ffff | u64::from(sequence);
        let total = match base < self.acked && self.acked - base > 1 << 31 {
            true => base + (1 << 32),
            false => base,
        };
        let advances = self.last.is_none_or(|last| sequence.wrapping_sub(last) as i32 > 0)
            && total > self.acked
            && total <= self.sent + SLACK;
        let summed = self.acked + u64::from(sequence);
        // A total that stays far behind what was sent while its sum fits is an increment.
        let increment =
            summed <= self.sent + SLACK && (!advances || self.incremental > self.cumulative);
        if increment && self.last.is_some() {
            self.incremental += 1;
            self.acked = summed;
        } else {
            self.cumulative += u64::from(advances);
            self.acked = self.acked.max(total.min(self.sent + SLACK));
        }
        self.last = Some(sequence);
        self.figures.count += 1;
        self.sent_at_ack = self.sent;
    }

    /// What there is to say by now.
    pub fn finish(&self) -> AckFigures {
        let mut figures = self.figures.clone();
        figures.style = match (figures.count, self.incremental > self.cumulative) {
            (0, _) => AckStyle::None,
            (_, true) => AckStyle::Incremental,
            (_, false) => AckStyle::Cumulative,
        };
        figures.unacked = self.sent.saturating_sub(self.acked);
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        let mut acks = Acks::default();
        for n in 1..=10_u64 {
            acks.sent(n * 1_000_000);
            acks.ack((n * 1_000_000) as u32);
        }
        acks.sent(10_400_000);
        let figures = acks.finish();
        assert_eq!(figures.style, AckStyle::Cumulative);
        assert_eq!((figures.count, figures.unacked), (10, 400_000));
        assert_eq!((figures.max_unacked, figures.max_distance), (1_000_000, 1_000_000));
    }

    #[test]
    fn increments() {
        let mut acks = Acks::default();
        for n in 1..=10_u64 {
            acks.sent(n * 250_000);
            acks.ack(250_000);
        }
        let figures = acks.finish();
        assert_eq!(figures.style, AckStyle::Incremental);
        assert_eq!(figures.unacked, 0);
    }

    #[test]
    fn totals_wrap() {
        let mut acks = Acks::default();
        for n in 1..=12_u64 {
            acks.sent(n * 1_000_000_000);
            acks.ack((n * 1_000_000_000) as u32);
        }
        let figures = acks.finish();
        assert_eq!((figures.style, figures.unacked), (AckStyle::Cumulative, 0));
    }

    #[test]
    fn nobody_acknowledges() {
        let mut acks = Acks::default();
        acks.sent(5000);
        let figures = acks.finish();
        assert_eq!(
            (figures.style, figures.unacked, figures.max_distance),
            (AckStyle::None, 5000, 5000)
        );
    }
}
