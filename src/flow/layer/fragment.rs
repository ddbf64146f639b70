//! IP fragments, held until their datagram is whole.
//!
//! etherparse has a pool for this, but says itself that it is not safe against hostile input.

use std::collections::BTreeMap;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::base::Timestamp;

use super::ip::Addresses;

/// Seconds after its first fragment that a datagram is given up; what Linux waits.
const TIMEOUT_NS: i64 = 30_000_000_000;

/// Bytes that all incomplete datagrams together may hold, overhead included; what Linux allows.
const MAX_HELD: usize = 4 << 20;

/// What a held fragment costs beside its bytes.
const OVERHEAD: usize = 64;

/// Longest payload that the 16-bit length fields allow.
const MAX_DATAGRAM: usize = 65_535;

/// What the fragments of one datagram share, RFC 791 section 3.2 and RFC 8200 section 4.5. VLAN
/// tags and tunnels are no part of it, as they are no part of a flow's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FragmentKey {
    pub(crate) addresses: Addresses,
    pub(crate) identification: u32,
    /// IPv4 only.
    pub(crate) protocol: Option<u8>,
}

/// A piece of a datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) key: FragmentKey,
    /// What the datagram carries, as this fragment says.
    pub(crate) protocol: u8,
    /// Where in the datagram's payload it lies, in bytes.
    pub(crate) offset: usize,
    /// Whether it is not the last one.
    pub(crate) more: bool,
    /// The captured bytes.
    pub(crate) data: &'a [u8],
    /// False when a snap length cut it.
    pub(crate) whole: bool,
}

/// Datagrams of which some fragments are still to come.
#[derive(Debug, Default)]
pub(crate) struct Defragmenter {
    datagrams: FxHashMap<FragmentKey, Datagram>,
    /// Number of the datagram to its key: the order of arrival.
    order: BTreeMap<u64, FragmentKey>,
    next_number: u64,
    held: usize,
}

#[derive(Debug)]
struct Datagram {
    number: u64,
    since: Timestamp,
    /// Pieces by offset; they do not overlap.
    pieces: BTreeMap<usize, Box<[u8]>>,
    /// Sum of the pieces' lengths.
    len: usize,
    /// Known once the last fragment was seen.
    end: Option<usize>,
    /// From the first fragment, which alone counts for IPv6.
    protocol: u8,
    held: usize,
}

impl Defragmenter {
    /// Takes a fragment; gives the protocol and payload of the datagram when this completes it.
    ///
    /// Where fragments overlap the bytes seen first count. A fragment that contradicts the length
    /// of the datagram is dropped.
    pub(crate) fn add(&mut self, fragment: &Fragment<'_>, now: Timestamp) -> Option<(u8, Bytes)> {
        self.expire(now);
        let end = fragment.offset + fragment.data.len();
        if end > MAX_DATAGRAM || fragment.data.is_empty() {
            return None;
        }
        let datagram = self.datagrams.entry(fragment.key).or_insert_with(|| {
            self.next_number += 1;
            self.order.insert(self.next_number, fragment.key);
            self.held += OVERHEAD;
            Datagram {
                number: self.next_number,
                since: now,
                pieces: BTreeMap::new(),
                len: 0,
                end: None,
                protocol: fragment.protocol,
                held: OVERHEAD,
            }
        });
        // A cut last fragment does not tell the length: its datagram never becomes whole, which
        // leaves a hole in the stream, as it should.
        if !fragment.more && fragment.whole && datagram.end.is_none() {
            datagram.end = Some(end);
        }
        if datagram.end.is_some_and(|known| end > known) {
            return None;
        }
        if fragment.offset == 0 {
            datagram.protocol = fragment.protocol;
        }
        let added = datagram.insert(fragment.offset, fragment.data);
        datagram.held += added;
        self.held += added;
        if datagram.end == Some(datagram.len) {
            let datagram = self.remove(&fragment.key)?;
            let mut whole = Vec::with_capacity(datagram.len);
            for piece in datagram.pieces.values() {
                whole.extend_from_slice(piece);
            }
            return Some((datagram.protocol, whole.into()));
        }
        while self.held > MAX_HELD {
            let Some((_, key)) = self.order.first_key_value() else { break };
            let key = *key;
            self.remove(&key);
        }
        None
    }

    /// Number of datagrams waiting.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.datagrams.len()
    }

    /// Bytes held, overhead included.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    fn remove(&mut self, key: &FragmentKey) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.order.remove(&datagram.number);
        self.held -= datagram.held;
        Some(datagram)
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some((_, key)) = self.order.first_key_value() {
            let key = *key;
            match self.datagrams.get(&key) {
                Some(datagram) if now.nanos_since(datagram.since) <= TIMEOUT_NS => return,
                _ => self.remove(&key),
            };
        }
    }
}

impl Datagram {
    /// Keeps those of the bytes that are new; gives what that costs.
    fn insert(&mut self, offset: usize, data: &[u8]) -> usize {
        let end = offset + data.len();
        let first = self.pieces.range(..=offset).next_back().map_or(offset, |(at, _)| *at);
        let mut free = Vec::new();
        let mut at = offset;
        for (begin, piece) in self.pieces.range(first..end) {
            if *begin > at {
                free.push(at..*begin);
            }
            at = at.max(begin + piece.len());
        }
        if at < end {
            free.push(at..end);
        }
        let mut cost = 0;
        for range in free {
            self.len += range.len();
            cost += range.len() + OVERHEAD;
            let piece = data[range.start - offset..range.end - offset].into();
            self.pieces.insert(range.start, piece);
        }
        cost
    }
}
