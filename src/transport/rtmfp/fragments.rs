//! Packets that came in several datagrams: chunk 7f, RFC 7016 section 2.3.1.

use std::collections::BTreeMap;

/// Fragments of packets of one direction, by packet id.
#[derive(Clone, Debug, Default)]
pub(super) struct PacketFragments {
    packets: BTreeMap<u64, Parts>,
    held: usize,
}

#[derive(Clone, Debug, Default)]
struct Parts {
    parts: BTreeMap<u64, Vec<u8>>,
    /// The last fragment's number.
    last: Option<u64>,
}

/// Packets that wait for fragments. Ids count up, so the lowest is the oldest.
const MAX_PACKETS: usize = 16;
/// Bytes of all of them: a packet is at most as long as a flow message's fragment may be.
const MAX_BYTES: usize = 1 << 20;
/// Fragments of a packet.
const MAX_PARTS: usize = 256;

impl PacketFragments {
    /// Takes a fragment; gives the packet when it is whole.
    pub fn add(&mut self, packet: u64, number: u64, more: bool, data: &[u8]) -> Option<Vec<u8>> {
        let parts = self.packets.entry(packet).or_default();
        if !more {
            parts.last = Some(number);
        }
        if parts.parts.len() < MAX_PARTS && !parts.parts.contains_key(&number) {
            self.held += data.len();
            parts.parts.insert(number, data.to_vec());
        }
        let whole = parts.last.is_some_and(|last| {
            let below = parts.parts.range(..=last).count() as u64;
            below == last.saturating_add(1)
        });
        if whole {
            let last = parts.last.unwrap_or(0);
            let out =
                parts.parts.range(..=last).flat_map(|(_, part)| part.iter().copied()).collect();
            self.remove(packet);
            return Some(out);
        }
        while self.packets.len() > MAX_PACKETS || self.held > MAX_BYTES {
            let Some(oldest) = self.packets.keys().next().copied() else { break };
            self.remove(oldest);
        }
        None
    }

    fn remove(&mut self, packet: u64) {
        if let Some(parts) = self.packets.remove(&packet) {
            self.held -= parts.parts.values().map(Vec::len).sum::<usize>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_in_any_order_and_bounded() {
        let mut fragments = PacketFragments::default();
        assert_eq!(fragments.add(7, 2, false, b"c"), None);
        assert_eq!(fragments.add(7, 0, true, b"a"), None);
        assert_eq!(fragments.add(7, 0, true, b"x"), None);
        assert_eq!(fragments.add(7, 1, true, b"b"), Some(b"abc".to_vec()));
        assert_eq!(fragments.held, 0);
        for packet in 0..1000 {
            fragments.add(packet, u64::MAX, false, &[0; 60_000]);
            assert!(fragments.held <= MAX_BYTES && fragments.packets.len() <= MAX_PACKETS);
        }
    }
}
