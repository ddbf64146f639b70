//! One direction of a connection: bytes to records, also after gaps.

use super::cipher::{Cipher, HEADER};
use super::suites::Suite;

/// The longest fragment that anybody sends: TLS 1.2 allows 2^14 and 2048 of overhead.
const MAX_FRAGMENT: usize = (1 << 14) + 2048;
/// Sequence numbers tried after one gap, over all candidates for a record.
const MAX_TRIALS: u64 = 1 << 17;
/// Bytes of the smallest record that can hold something.
const MIN_RECORD: u64 = 22;
/// Handshake messages longer than this are not held.
pub(super) const MAX_MESSAGE: usize = 1 << 17;
/// Records whose length is remembered when they cannot be read.
const MAX_SIZES: usize = 16;

/// Which keys protect records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Epoch {
    #[default]
    Clear,
    Early,
    Handshake,
    Application,
    /// TLS 1.2 has only one.
    Tls12,
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// What is not processed yet.
    pub buffer: Vec<u8>,
    /// Stream offset of its first byte.
    pub at: u64,
    /// Bytes to pass over: the end of a record that is damaged.
    pub skip: u64,
    pub lost: Option<Lost>,
    /// Whether records are protected.
    pub protected: bool,
    pub epoch: Epoch,
    pub cipher: Option<Cipher>,
    /// The suite and the traffic secret of TLS 1.3, for the next generation.
    pub secret: Option<(&'static Suite, Vec<u8>)>,
    /// Of the next record.
    pub sequence: u64,
    /// Handshake messages that are not complete.
    pub messages: Vec<u8>,
    /// Lengths of the first protected fragments that could not be read.
    pub sizes: Vec<usize>,
    pub failures: u32,
    pub finished: bool,
    pub closed: bool,
    /// Whether bytes were handed on.
    pub delivered: bool,
}

/// It is not known where the next record begins.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    /// Stream offset of the first byte that was not understood.
    pub from: u64,
    /// Sequence numbers that may still be tried.
    pub trials: u64,
}

/// The next record of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is at that position and has that length, with its header.
    Record { at: usize, len: usize },
    /// More bytes are needed; those before that position are of no use.
    Wait { useless: usize },
    /// What comes is no record.
    Broken,
}

/// Whether that is the header of a record; its fragment's length.
fn fragment_len(bytes: &[u8]) -> Option<usize> {
    let &[20..=24, 3, 0..=4, high, low, ..] = bytes else { return None };
    let len = usize::from(u16::from_be_bytes([high, low]));
    (len <= MAX_FRAGMENT).then_some(len)
}

impl Half {
    /// The next record of `rest`, when it is known where records begin.
    pub fn next(rest: &[u8]) -> Next {
        if rest.len() < HEADER {
            return Next::Wait { useless: 0 };
        }
        match fragment_len(rest) {
            None => Next::Broken,
            Some(len) if rest.len() < HEADER + len => Next::Wait { useless: 0 },
            Some(len) => Next::Record { at: 0, len: HEADER + len },
        }
    }

    /// A place in `rest` where a record may begin, when that is not known.
    pub fn search(rest: &[u8]) -> Next {
        for at in 0..rest.len() {
            let tail = &rest[at..];
            if tail.len() < HEADER {
                return Next::Wait { useless: at };
            }
            match fragment_len(tail) {
                Some(0) | None => {}
                Some(len) if tail.len() < HEADER + len => return Next::Wait { useless: at },
                Some(len) => return Next::Record { at, len: HEADER + len },
            }
        }
        Next::Wait { useless: rest.len() }
    }

    /// Whether the bytes after a record that nothing proves look like the next one.
    pub fn is_chained(after: &[u8]) -> bool {
        after.len() < HEADER || fragment_len(after).is_some()
    }

    /// Loses track: `from` is where what is not understood begins.
    pub fn lose(&mut self, from: u64) {
        self.messages.clear();
        match &mut self.lost {
            Some(lost) => lost.trials = MAX_TRIALS,
            None => self.lost = Some(Lost { from, trials: MAX_TRIALS }),
        }
    }

    /// How many records may be missing before one at stream offset `at`.
    pub fn missing_records(&self, at: u64) -> u64 {
        self.lost.as_ref().map_or(0, |lost| {
            let bytes = at.saturating_sub(lost.from);
            (bytes / MIN_RECORD + 2).min(1 << 14).min(lost.trials)
        })
    }

    /// `len` bytes after the buffer are missing. Tells the length of a fragment that is lost when
    /// it is known to be the only one.
    pub fn gap(&mut self, len: u64) -> Option<usize> {
        if self.skip > 0 {
            let skipped = self.skip.min(len);
            self.skip -= skipped;
            self.at += skipped;
            if skipped < len {
                self.lose(self.at);
                self.at += len - skipped;
            }
            return None;
        }
        let end = self.at + self.buffer.len() as u64 + len;
        if self.lost.is_none()
            && let Some(fragment) = fragment_len(&self.buffer)
        {
            let record_end = self.at + (HEADER + fragment) as u64;
            if end <= record_end {
                self.skip = record_end - end;
                self.at = end;
                self.buffer.clear();
                self.sequence += u64::from(self.protected);
                self.messages.clear();
                return Some(fragment);
            }
        }
        self.lose(self.at);
        self.at = end;
        self.buffer.clear();
        None
    }

    /// Remembers a fragment that could not be read.
    pub fn unread(&mut self, len: usize) {
        if self.sizes.len() < MAX_SIZES {
            self.sizes.push(len);
        }
    }

    /// New keys: sequence numbers begin again.
    pub fn rekey(&mut self, cipher: Option<Cipher>) {
        self.cipher = cipher;
        self.sequence = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_within_one_record_costs_that_record() {
        let mut half = Half { protected: true, ..Half::default() };
        half.buffer = vec![23, 3, 3, 0, 100, 1, 2, 3];
        assert_eq!(half.gap(50), Some(100));
        assert_eq!((half.skip, half.at, half.sequence), (105 - 58, 58, 1));
        assert!(half.lost.is_none());
    }

    #[test]
    fn a_hole_beyond_a_record_loses_track() {
        let mut half = Half { protected: true, ..Half::default() };
        half.buffer = vec![23, 3, 3, 0, 100, 1, 2, 3];
        assert_eq!(half.gap(98), None);
        assert_eq!(half.at, 106);
        assert!(half.lost.is_some());
        let found = Half::search(&[9, 9, 23, 3, 3, 0, 1, 7]);
        assert_eq!(found, Next::Record { at: 2, len: 6 });
        assert_eq!(Half::search(&[9, 9, 23, 3, 3]), Next::Wait { useless: 1 });
    }
}
