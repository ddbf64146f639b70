//! What the first reading found: which bytes of which streams stay, and which change.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use super::patches::Patch;
use crate::analysis::Transport;

/// What blanked stream bytes become. Zeros look like the beginning of a chunk header; a type 3
/// header of a chunk stream that nobody uses is what a search for headers passes over.
pub(super) const FILLER: u8 = 0xff;

/// What to do with the payload of audio and video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// It stays.
    #[default]
    Keep,
    /// It becomes zeros, except headers, codec configurations and metadata.
    Zero,
}

/// How to sanitize.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether addresses are replaced: IP, Ethernet, and hosts in messages.
    pub addresses: bool,
    /// What to do with media.
    pub media: Media,
    /// TCP ports to be taken for RTMP whatever their bytes look like.
    pub decode_as: Vec<u16>,
}

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Distinct secrets.
    pub secrets: usize,
    /// Sessions.
    pub sessions: usize,
    /// Packets written.
    pub packets: u64,
    /// Packets of which something was changed, addresses aside.
    pub changed: u64,
    /// Bytes blanked because nothing accounts for them.
    pub blanked: u64,
}

/// One direction of a session.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Sequence number of stream offset 0.
    pub base: Option<u32>,
    /// Ranges that stay as they are, by their beginning, apart.
    pub keep: BTreeMap<u64, u64>,
    /// Media payload that becomes zeros: beginning and length, ascending.
    pub zero: Vec<(u64, u32)>,
    /// Ascending.
    pub patches: Vec<Patch<u64>>,
}

impl Side {
    /// Lets a range stay.
    pub(super) fn keep(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        // What lies before it and touches it, then what lies behind its beginning.
        if let Some((&before, &until)) = self.keep.range(..=start).next_back()
            && until >= start
        {
            start = before;
            end = end.max(until);
        }
        while let Some((&next, &until)) = self.keep.range(start..).next()
            && next <= end
        {
            end = end.max(until);
            self.keep.remove(&next);
        }
        self.keep.insert(start, end);
    }

    /// Whether a range that stays ends at `offset`.
    fn ends_at(&self, offset: u64) -> bool {
        self.keep.range(..offset).next_back().is_some_and(|(_, end)| *end == offset)
    }

    /// Changes `bytes`, which begin at stream offset `offset`, and says how many were blanked and
    /// whether anything changed.
    pub(super) fn apply(&self, offset: i64, bytes: &mut [u8]) -> (u64, bool) {
        let end = offset.saturating_add(bytes.len() as i64);
        let mut at = offset;
        let mut blanked = 0;
        let mut blank = |bytes: &mut [u8], from: i64, to: i64| {
            let range = (from - offset) as usize..(to - offset) as usize;
            if let Some(mut part) = bytes.get_mut(range) {
                // Where decoding ended there is a chunk header. It holds no text, and without it
                // the message before it would be less certain.
                if from > 0 && self.ends_at(from as u64) {
                    let header = header_len(part).min(part.len());
                    part = &mut part[header..];
                }
                blanked += part.len() as u64;
                part.fill(FILLER);
            }
        };
        let first = offset.max(0) as u64;
        let before = self.keep.range(..=first).next_back();
        let after = self.keep.range(first + 1..);
        for (&from, &to) in before.into_iter().chain(after) {
            let (from, to) = ((from as i64).max(offset), (to as i64).min(end));
            if from >= end {
                break;
            }
            if from > at {
                blank(bytes, at, from);
            }
            at = at.max(to);
        }
        if at < end {
            blank(bytes, at, end);
        }
        let mut changed = blanked > 0;
        let start = self.zero.partition_point(|(at, len)| (at + u64::from(*len)) as i64 <= offset);
        for (from, len) in &self.zero[start..] {
            let to = (*from as i64 + i64::from(*len)).min(end);
            let from = (*from as i64).max(offset);
            if from >= end {
                break;
            }
            if let Some(part) = bytes.get_mut((from - offset) as usize..(to - offset) as usize) {
                part.fill(0);
                changed = true;
            }
        }
        let start = self
            .patches
            .partition_point(|patch| ((patch.at + patch.bytes.len() as u64) as i64) <= offset);
        for patch in &self.patches[start..] {
            let from = patch.at as i64;
            if from >= end {
                break;
            }
            for (i, byte) in patch.bytes.iter().enumerate() {
                let at = from + i as i64 - offset;
                if at >= 0
                    && let Some(out) = bytes.get_mut(at as usize)
                {
                    changed |= *out != *byte;
                    *out = *byte;
                }
            }
        }
        (blanked, changed)
    }
}

/// Length of the chunk header that `bytes` begin with (RTMP 1.0, section 5.3.1).
fn header_len(bytes: &[u8]) -> usize {
    let Some(first) = bytes.first() else { return 0 };
    let basic = match first & 0x3f {
        0 => 2,
        1 => 3,
        _ => 1,
    };
    let message = match first >> 6 {
        0 => 11,
        1 => 7,
        2 => 3,
        _ => return basic,
    };
    let extended = bytes.get(basic..basic + 3) == Some(&[0xff; 3]);
    basic + message + if extended { 4 } else { 0 }
}

/// A session's streams.
#[derive(Debug)]
pub(super) struct Stream {
    pub transport: Transport,
    /// Client to server first.
    pub sides: [Side; 2],
}

/// By sender and receiver: sessions in order, each with its first packet, its stream and the side.
pub(super) type Ways = FxHashMap<(SocketAddr, SocketAddr), Vec<(u64, usize, usize)>>;

/// A search for secrets, and what stands for each.
pub(super) type Net = (Regex, FxHashMap<Vec<u8>, Vec<u8>>);

/// What the first reading found.
#[derive(Debug)]
pub struct Plan {
    pub(super) options: Options,
    pub(super) streams: Vec<Stream>,
    pub(super) by_address: Ways,
    /// Secrets that are looked for in what stays, and what stands for them.
    pub(super) net: Option<Net>,
    pub(super) tally: Tally,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let mut side = Side::default();
        side.keep(10..20);
        side.keep(30..40);
        side.keep(20..30);
        side.keep(5..6);
        assert_eq!(side.keep.into_iter().collect::<Vec<_>>(), [(5, 6), (10, 40)]);
    }

    #[test]
    fn what_nothing_accounts_for_is_blanked() {
        let mut side = Side::default();
        side.keep(4..8);
        side.patches.push(Patch { at: 6, bytes: b"XYZ".to_vec() });
        let mut bytes = *b"abcdefgh\xc0jk";
        assert_eq!(side.apply(0, &mut bytes), (5, true));
        // Behind what was decoded, a chunk header of two bytes stays.
        assert_eq!(&bytes, b"\xff\xff\xff\xffefXYZj\xff");
        // A segment that holds a part of it, and one from before the beginning.
        let mut bytes = *b"gh";
        assert_eq!(side.apply(6, &mut bytes), (0, true));
        assert_eq!(&bytes, b"XY");
        let mut bytes = *b"abcdefgh";
        assert_eq!(side.apply(-2, &mut bytes).0, 6);
        assert_eq!(&bytes, b"\xff\xff\xff\xff\xff\xffgh");
    }
}
