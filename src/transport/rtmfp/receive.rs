//! One flow of one direction: fragments by sequence number to messages in order.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::base::Timestamp;
use crate::wire::rtmfp::{FlowMetadata, Fragmentation, UserData};

/// What a User Data chunk brought.
#[derive(Clone, Debug)]
struct Fragment {
    fragmentation: Fragmentation,
    abandoned: bool,
    bytes: Bytes,
    time: Timestamp,
    frame: u64,
}

/// A message put together.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub bytes: Vec<u8>,
    pub first_time: Timestamp,
    pub time: Timestamp,
    pub sequence: u64,
    pub fragments: u32,
    pub frames: Vec<u64>,
}

/// Figures of a flow.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowFigures {
    /// Fragments that came for the first time, and their bytes.
    pub fragments: u64,
    pub bytes: u64,
    /// Fragments that came again: retransmitted or duplicated.
    pub repeated: u64,
    /// Fragments that came after a later one.
    pub late: u64,
    /// Fragments that came after the sender had said that they would not, or long after others.
    pub too_late: u64,
    /// Sequence numbers that never came, and that the sender will not send again.
    pub lost: u64,
    /// Sequence numbers that the receiver has and the capture lacks.
    pub uncaptured: u64,
    /// Fragments sent as given up.
    pub abandoned: u64,
    /// Messages whole.
    pub messages: u64,
    /// Messages of which a part is missing.
    pub damaged: u64,
    /// Messages that are empty or too short to be RTMP.
    pub short: u64,
    /// Acknowledgements of the flow by the far end.
    pub acks: u64,
    /// Sequence numbers that those said to be missing, last told.
    pub missing_at_receiver: u64,
}

/// A flow as its receiver sees it.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub metadata: Option<FlowMetadata>,
    pub association: Option<u64>,
    /// The number to be delivered next; `None` until it is known.
    next: Option<u64>,
    held: BTreeMap<u64, Fragment>,
    held_bytes: usize,
    /// Nothing up to it will be sent again.
    forward: u64,
    highest: u64,
    /// Numbers that were passed over, the newest of them: they may come late.
    passed: BTreeSet<u64>,
    /// A hole that the receiver has, and the capture has not: since when.
    hole_acked: Option<(u64, Timestamp)>,
    pub last: Option<u64>,
    pub rejected: Option<u64>,
    /// A message begun.
    partial: Option<Whole>,
    pub figures: FlowFigures,
}

/// Bytes held of one flow while something before them is missing. rtmfp-cpp's receive buffer is
/// 2 MiB.
const MAX_HELD_BYTES: usize = 4 << 20;
/// The same in fragments, of which empty ones take no bytes.
const MAX_HELD: usize = 1 << 14;
/// No RTMP message is longer.
const MAX_MESSAGE: usize = 16 << 20;
/// Frames noted of one message.
const MAX_FRAMES: usize = 1 << 16;
/// Numbers passed over that are remembered.
const MAX_PASSED: usize = 1024;
/// A hole that was acknowledged stays open for so long: captures are not always in order.
const HOLE_WAIT_NS: i64 = 1_000_000_000;

impl Flow {
    /// A flow whose first number is 1; in the middle of a session it begins with what comes first.
    pub fn new(midstream: bool) -> Flow {
        Flow {
            metadata: None,
            association: None,
            next: (!midstream).then_some(1),
            held: BTreeMap::new(),
            held_bytes: 0,
            forward: 0,
            passed: BTreeSet::new(),
            highest: 0,
            hole_acked: None,
            last: None,
            rejected: None,
            partial: None,
            figures: FlowFigures::default(),
        }
    }

    /// What it holds, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes + self.partial.as_ref().map_or(0, |partial| partial.bytes.len())
    }

    /// Takes a User Data chunk; `out` gets messages that are whole now.
    pub fn data(
        &mut self,
        (sequence, fsn_offset): (u64, u64),
        data: &UserData<'_>,
        (time, frame): (Timestamp, u64),
        out: &mut Vec<Whole>,
    ) {
        self.forward = self.forward.max(sequence.saturating_sub(fsn_offset));
        if data.last {
            self.last = Some(sequence);
        }
        let next = *self.next.get_or_insert(sequence.max(1));
        if self.passed.remove(&sequence) {
            self.too_late(sequence, data, (time, frame), out);
        } else if sequence < next || self.held.contains_key(&sequence) {
            self.figures.repeated += 1;
        } else {
            self.figures.fragments += 1;
            self.figures.bytes += data.payload.len() as u64;
            self.figures.abandoned += u64::from(data.abandon);
            self.figures.late += u64::from(sequence < self.highest);
            self.held_bytes += data.payload.len();
            let fragment = Fragment {
                fragmentation: data.fragmentation,
                abandoned: data.abandon,
                bytes: Bytes::copy_from_slice(data.payload),
                time,
                frame,
            };
            self.held.insert(sequence, fragment);
        }
        self.highest = self.highest.max(sequence);
        self.deliver(time, out);
        while self.held_bytes > MAX_HELD_BYTES || self.held.len() > MAX_HELD {
            self.skip_hole();
            self.deliver(time, out);
        }
    }

    /// Takes an acknowledgement of the flow.
    pub fn ack(
        &mut self,
        cumulative: u64,
        received: &[(u64, u64)],
        time: Timestamp,
        out: &mut Vec<Whole>,
    ) {
        self.figures.acks += 1;
        let mut at = cumulative;
        self.figures.missing_at_receiver = 0;
        for (first, last) in received {
            let missing = first.saturating_sub(at).saturating_sub(1);
            self.figures.missing_at_receiver =
                self.figures.missing_at_receiver.saturating_add(missing);
            at = *last;
        }
        // What the receiver has and the capture lacks will not be sent again.
        if let Some(next) = self.next
            && !self.held.is_empty()
            && cumulative >= next
            && self.hole_acked.is_none_or(|(hole, _)| hole != next)
        {
            self.hole_acked = Some((next, time));
        }
        self.deliver(time, out);
    }

    /// Delivers what is in order, and passes over what the sender gave up.
    fn deliver(&mut self, time: Timestamp, out: &mut Vec<Whole>) {
        while let Some(next) = self.next {
            if let Some(fragment) = self.held.remove(&next) {
                self.held_bytes -= fragment.bytes.len();
                self.next = Some(next.saturating_add(1));
                self.fragment(next, fragment, out);
                continue;
            }
            let acked = self.hole_acked.is_some_and(|(hole, since)| {
                hole == next && time.nanos_since(since) >= HOLE_WAIT_NS
            });
            if acked || next <= self.forward {
                let first_held = self.held.keys().next().copied();
                let to = match acked {
                    true => first_held.unwrap_or(next),
                    false => self.forward.saturating_add(1).min(first_held.unwrap_or(u64::MAX)),
                };
                if to > next {
                    self.pass(next, to, acked);
                    self.next = Some(to);
                    continue;
                }
            }
            return;
        }
    }

    /// Gives up waiting for the first hole.
    fn skip_hole(&mut self) {
        if let (Some(next), Some(first)) = (self.next, self.held.keys().next().copied())
            && first > next
        {
            self.pass(next, first, false);
            self.next = Some(first);
        }
    }

    /// Passes over numbers; `acked` says that the receiver has them.
    fn pass(&mut self, from: u64, to: u64, acked: bool) {
        let count = to - from;
        let sum = if acked { &mut self.figures.uncaptured } else { &mut self.figures.lost };
        *sum = sum.saturating_add(count);
        self.passed.extend((from..to).rev().take(MAX_PASSED));
        while self.passed.len() > MAX_PASSED {
            self.passed.pop_first();
        }
        self.drop_partial();
    }

    /// A fragment that was passed over came all the same. What was sent whole is still a message;
    /// a receiver that takes messages in network order would have it.
    fn too_late(
        &mut self,
        sequence: u64,
        data: &UserData<'_>,
        (time, frame): (Timestamp, u64),
        out: &mut Vec<Whole>,
    ) {
        let figures = &mut self.figures;
        figures.too_late += 1;
        figures.fragments += 1;
        figures.bytes += data.payload.len() as u64;
        let sum = if figures.lost > 0 { &mut figures.lost } else { &mut figures.uncaptured };
        *sum = sum.saturating_sub(1);
        if data.fragmentation == Fragmentation::Whole && !data.abandon {
            figures.messages += 1;
            out.push(Whole {
                bytes: data.payload.to_vec(),
                first_time: time,
                time,
                sequence,
                fragments: 1,
                frames: vec![frame],
            });
        }
    }

    fn drop_partial(&mut self) {
        if self.partial.take().is_some() {
            self.figures.damaged += 1;
        }
    }

    /// The end of the session: what waits for holes is delivered.
    pub fn finish(&mut self, time: Timestamp, out: &mut Vec<Whole>) {
        while !self.held.is_empty() {
            self.skip_hole();
            self.deliver(time, out);
        }
        self.drop_partial();
    }

    fn fragment(&mut self, sequence: u64, fragment: Fragment, out: &mut Vec<Whole>) {
        if fragment.abandoned {
            return self.drop_partial();
        }
        let begins = matches!(fragment.fragmentation, Fragmentation::Whole | Fragmentation::Begin);
        let ends = matches!(fragment.fragmentation, Fragmentation::Whole | Fragmentation::End);
        if begins {
            self.drop_partial();
            self.partial = Some(Whole {
                bytes: Vec::new(),
                first_time: fragment.time,
                time: fragment.time,
                sequence,
                fragments: 0,
                frames: Vec::new(),
            });
        }
        // Without a beginning, it was lost or came before the capture.
        let Some(partial) = &mut self.partial else { return };
        if partial.bytes.len() + fragment.bytes.len() > MAX_MESSAGE {
            return self.drop_partial();
        }
        partial.bytes.extend_from_slice(&fragment.bytes);
        partial.fragments += 1;
        partial.time = partial.time.max(fragment.time);
        partial.first_time = partial.first_time.min(fragment.time);
        if partial.frames.len() < MAX_FRAMES && partial.frames.last() != Some(&fragment.frame) {
            partial.frames.push(fragment.frame);
        }
        if ends && let Some(mut whole) = self.partial.take() {
            whole.frames.sort_unstable();
            whole.frames.dedup();
            self.figures.messages += 1;
            out.push(whole);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(
        flow: &mut Flow,
        sequence: u64,
        offset: u64,
        part: Fragmentation,
        out: &mut Vec<Whole>,
    ) {
        let byte = [sequence as u8];
        let mut data = UserData::whole(&byte);
        data.fragmentation = part;
        flow.data((sequence, offset), &data, (Timestamp(sequence as i64), sequence), out);
    }

    #[test]
    fn fragments_in_any_order() {
        use Fragmentation::{Begin, End, Middle, Whole as All};
        let (mut flow, mut out) = (Flow::new(false), Vec::new());
        for (sequence, part) in [(4, All), (2, Middle), (3, End), (2, Middle), (1, Begin), (4, All)]
        {
            push(&mut flow, sequence, sequence, part, &mut out);
        }
        let bytes: Vec<Vec<u8>> = out.iter().map(|whole| whole.bytes.clone()).collect();
        assert_eq!(bytes, [vec![1, 2, 3], vec![4]]);
        assert_eq!((out[0].fragments, &out[0].frames[..]), (3, &[1, 2, 3][..]));
        assert_eq!((flow.figures.repeated, flow.figures.late, flow.figures.lost), (2, 3, 0));
        assert_eq!(flow.held_bytes(), 0);
    }

    #[test]
    fn what_the_sender_gave_up_is_passed_over() {
        use Fragmentation::{Begin, Whole as All};
        let (mut flow, mut out) = (Flow::new(false), Vec::new());
        push(&mut flow, 1, 1, Begin, &mut out);
        push(&mut flow, 5, 5, All, &mut out);
        assert!(out.is_empty());
        // The forward sequence number is 4 now.
        push(&mut flow, 6, 2, All, &mut out);
        assert_eq!(out.len(), 2);
        assert_eq!((flow.figures.lost, flow.figures.damaged), (3, 1));
        // One of them comes after all, and then again.
        push(&mut flow, 3, 3, All, &mut out);
        push(&mut flow, 3, 3, All, &mut out);
        assert_eq!((out.len(), &out[2].bytes[..]), (3, &[3][..]));
        let figures = &flow.figures;
        assert_eq!((figures.lost, figures.too_late, figures.repeated), (2, 1, 1));
    }

    #[test]
    fn a_hole_that_was_acknowledged_is_the_captures() {
        let (mut flow, mut out) = (Flow::new(false), Vec::new());
        push(&mut flow, 2, 2, Fragmentation::Whole, &mut out);
        flow.ack(2, &[], Timestamp(10), &mut out);
        assert!(out.is_empty());
        flow.ack(2, &[], Timestamp(10 + HOLE_WAIT_NS), &mut out);
        assert_eq!((out.len(), flow.figures.lost, flow.figures.uncaptured), (1, 0, 1));
    }

    #[test]
    fn far_numbers_cost_nothing() {
        let (mut flow, mut out) = (Flow::new(false), Vec::new());
        push(&mut flow, u64::MAX, 0, Fragmentation::Whole, &mut out);
        push(&mut flow, u64::MAX, 0, Fragmentation::Whole, &mut out);
        push(&mut flow, 1 << 40, 1, Fragmentation::Whole, &mut out);
        flow.finish(Timestamp(0), &mut out);
        assert!(out.len() <= 2);
        let mut flow = Flow::new(false);
        for sequence in 2..2 * MAX_HELD as u64 {
            push(&mut flow, sequence, sequence, Fragmentation::Whole, &mut out);
            assert!(flow.held.len() <= MAX_HELD);
        }
    }
}
