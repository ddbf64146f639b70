//! The bodies of one direction of a session, in the order of their numbers.

use std::collections::{BTreeMap, VecDeque};

use crate::base::Timestamp;
use crate::transport::layer::Source;

/// Bodies that wait for one with a lower number. One request in flight is the rule, two are known.
const MAX_WAITING: usize = 32;

/// Bytes of them.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// Bodies that are remembered to tell a repeated request from a client that does not count.
const REMEMBERED: usize = 16;

/// A piece of a body.
#[derive(Debug)]
pub enum Piece<'a> {
    Data { time: Timestamp, source: Source, bytes: &'a [u8] },
    Gap { time: Timestamp, len: u64, exact: bool },
}

#[derive(Debug)]
enum Held {
    Data { time: Timestamp, source: Source, bytes: Vec<u8> },
    Gap { time: Timestamp, len: u64, exact: bool },
}

/// Something odd about a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// It came again; whether with the same body.
    Repeated { seq: u64, same: bool },
    /// Numbers from this one up to another one never came.
    Skipped { from: u64, to: u64 },
}

#[derive(Debug, Default)]
struct Slot {
    held: Vec<Held>,
    bytes: usize,
    print: Print,
    done: bool,
    repeat: bool,
}

/// What tells two bodies apart: length and FNV-1a hash. Nobody forges a retransmission here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    len: u64,
    hash: u64,
}

impl Default for Print {
    fn default() -> Print {
        Print { len: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Print {
    fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Puts bodies in order.
#[derive(Debug, Default)]
pub struct Order {
    /// The number that is handed on next.
    next: Option<u64>,
    slots: BTreeMap<u64, Slot>,
    waiting_bytes: usize,
    past: VecDeque<(u64, Print)>,
    /// Odd numbers, for the caller to take.
    pub odd: Vec<Oddity>,
}

impl Order {
    /// A body with that number begins.
    pub fn begin(&mut self, seq: u64) {
        let next = *self.next.get_or_insert(seq);
        let repeat = seq < next || self.slots.get(&seq).is_some_and(|slot| slot.done);
        if seq < next && self.past.iter().all(|(known, _)| *known != seq) {
            // Of what came before the capture nothing is known.
            self.past.push_back((seq, Print::default()));
        }
        let slot = self.slots.entry(seq).or_default();
        if repeat && seq >= next {
            // The first one waits for its turn: it stays, the repeated one is dropped.
            self.odd.push(Oddity::Repeated { seq, same: true });
            return;
        }
        slot.repeat = repeat;
    }

    /// A piece of the body with that number.
    pub fn piece(&mut self, seq: u64, piece: Piece<'_>, sink: &mut dyn FnMut(Piece<'_>)) {
        let Some(slot) = self.slots.get_mut(&seq) else { return };
        if slot.done {
            return;
        }
        if let Piece::Data { bytes, .. } = &piece {
            slot.print.add(bytes);
        }
        if Some(seq) == self.next && !slot.repeat {
            return sink(piece);
        }
        match piece {
            Piece::Data { time, source, bytes } => {
                if slot.repeat && slot.bytes + bytes.len() > MAX_WAITING_BYTES {
                    return;
                }
                slot.bytes += bytes.len();
                self.waiting_bytes += bytes.len();
                slot.held.push(Held::Data { time, source, bytes: bytes.to_vec() });
            }
            Piece::Gap { time, len, exact } => slot.held.push(Held::Gap { time, len, exact }),
        }
        if self.waiting_bytes > MAX_WAITING_BYTES {
            self.give_up(sink);
        }
    }

    /// The body with that number is over.
    pub fn finish(&mut self, seq: u64, sink: &mut dyn FnMut(Piece<'_>)) {
        let Some(slot) = self.slots.get_mut(&seq) else { return };
        if slot.repeat {
            let Some(slot) = self.slots.remove(&seq) else { return };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(slot.bytes);
            let first = self.past.iter().find(|(known, _)| *known == seq).map(|(_, print)| *print);
            let same = slot.print.len == 0 || first == Some(slot.print);
            self.odd.push(Oddity::Repeated { seq, same });
            // A client that does not count sends something else under the last number.
            if !same && self.next == seq.checked_add(1) {
                slot.held.into_iter().for_each(|held| hand_on(held, sink));
            }
            return;
        }
        slot.done = true;
        self.advance(sink);
        if self.slots.len() > MAX_WAITING {
            self.give_up(sink);
        }
    }

    /// The body with that number is over, or there is none.
    pub fn settle(&mut self, seq: u64, sink: &mut dyn FnMut(Piece<'_>)) {
        if !self.slots.contains_key(&seq) && self.next.is_none_or(|next| next <= seq) {
            self.begin(seq);
        }
        self.finish(seq, sink);
    }

    /// Hands on what is due.
    fn advance(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some(next) = self.next {
            let Some(slot) = self.slots.get_mut(&next) else { return };
            self.waiting_bytes = self.waiting_bytes.saturating_sub(slot.bytes);
            slot.bytes = 0;
            for held in std::mem::take(&mut slot.held) {
                hand_on(held, sink);
            }
            if !slot.done {
                return;
            }
            let print = slot.print;
            self.slots.remove(&next);
            self.past.push_back((next, print));
            if self.past.len() > REMEMBERED {
                self.past.pop_front();
            }
            self.next = next.checked_add(1);
        }
    }

    /// Does not wait any longer for the numbers below the lowest one that is there.
    fn give_up(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let lowest = self.slots.iter().find(|(_, slot)| !slot.repeat).map(|(seq, _)| *seq);
        if let Some(lowest) = lowest {
            self.skip_to(lowest, sink);
        }
    }

    /// Goes on at that number, whatever is missing before it.
    pub fn skip_to(&mut self, seq: u64, sink: &mut dyn FnMut(Piece<'_>)) {
        while let Some(next) = self.next {
            if next >= seq {
                return;
            }
            let Some(lowest) = self.slots.range(next..seq).next().map(|(lowest, _)| *lowest) else {
                break;
            };
            self.hole(next, lowest, sink);
            if let Some(slot) = self.slots.get_mut(&lowest) {
                slot.done = true;
            }
            self.next = Some(lowest);
            self.advance(sink);
        }
        if let Some(next) = self.next.filter(|next| *next < seq) {
            self.hole(next, seq, sink);
        }
        self.next = Some(seq);
        self.advance(sink);
    }

    fn hole(&mut self, from: u64, to: u64, sink: &mut dyn FnMut(Piece<'_>)) {
        if from < to {
            self.odd.push(Oddity::Skipped { from, to });
            let time = self.slots.values().flat_map(|slot| &slot.held).map(held_time).min();
            let time = time.unwrap_or_default();
            sink(Piece::Gap { time, len: 1, exact: false });
        }
    }

    /// No more will come: hands on what waits.
    pub fn end(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        self.slots.retain(|_, slot| !slot.repeat);
        while let Some(lowest) = self.slots.keys().next().copied() {
            if let Some(slot) = self.slots.get_mut(&lowest) {
                slot.done = true;
            }
            self.skip_to(lowest, sink);
        }
    }
}

fn held_time(held: &Held) -> Timestamp {
    match held {
        Held::Data { time, .. } | Held::Gap { time, .. } => *time,
    }
}

fn hand_on(held: Held, sink: &mut dyn FnMut(Piece<'_>)) {
    match held {
        Held::Data { time, source, bytes } => sink(Piece::Data { time, source, bytes: &bytes }),
        Held::Gap { time, len, exact } => sink(Piece::Gap { time, len, exact }),
    }
}
