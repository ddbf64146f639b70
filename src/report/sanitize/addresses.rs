//! Addresses to addresses that say nothing, the same one always to the same one.

use rustc_hash::FxHashMap;

use super::packet::Address;

/// Remembers what each address became.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    macs: FxHashMap<[u8; 6], u32>,
    v4: FxHashMap<[u8; 4], [u8; 4]>,
    v6: FxHashMap<[u8; 16], [u8; 16]>,
    /// Addresses met per range.
    counts: FxHashMap<&'static str, u32>,
}

impl Addresses {
    /// Replaces an address in a packet.
    pub(super) fn replace(&mut self, packet: &mut [u8], address: Address) {
        match address {
            Address::Mac(at) => {
                let Some(bytes) = packet.get_mut(at..at + 6) else { return };
                self.mac(bytes);
            }
            Address::V4(at) => {
                if let Some(bytes) = packet.get_mut(at..at + 4)
                    && let Ok(old) = <[u8; 4]>::try_from(&*bytes)
                {
                    bytes.copy_from_slice(&self.v4(old));
                }
            }
            Address::V6(at) => {
                if let Some(bytes) = packet.get_mut(at..at + 16)
                    && let Ok(old) = <[u8; 16]>::try_from(&*bytes)
                {
                    bytes.copy_from_slice(&self.v6(old));
                }
            }
        }
    }

    fn count(&mut self, range: &'static str) -> u32 {
        let count = self.counts.entry(range).or_default();
        *count += 1;
        *count
    }

    fn mac(&mut self, bytes: &mut [u8]) {
        let Ok(old) = <[u8; 6]>::try_from(&*bytes) else { return };
        if old == [0; 6] || old == [0xff; 6] {
            return;
        }
        if old[0] & 1 != 0 {
            // A group: its tail repeats a part of an IP address.
            bytes[3..].fill(0);
            return;
        }
        let number = match self.macs.get(&old) {
            Some(number) => *number,
            None => {
                let number = self.count("mac");
                self.macs.insert(old, number);
                number
            }
        };
        // Locally administered.
        bytes[..2].copy_from_slice(&[0x02, 0]);
        bytes[2..].copy_from_slice(&number.to_be_bytes());
    }

    /// Private ranges keep their prefix; all others become RFC 2544's 198.18.0.0/15.
    fn v4(&mut self, old: [u8; 4]) -> [u8; 4] {
        if let Some(new) = self.v4.get(&old) {
            return *new;
        }
        let (range, base, bits): (_, [u8; 4], u32) = match old {
            [0 | 127 | 224..=255, ..] => return old,
            [10, ..] => ("10", [10, 0, 0, 0], 24),
            [172, 16..=31, ..] => ("172.16", [172, 16, 0, 0], 20),
            [192, 168, ..] => ("192.168", [192, 168, 0, 0], 16),
            [169, 254, ..] => ("169.254", [169, 254, 0, 0], 16),
            _ => ("public", [198, 18, 0, 0], 17),
        };
        let number = self.count(range) & ((1 << bits) - 1);
        let new = (u32::from_be_bytes(base) | number).to_be_bytes();
        self.v4.insert(old, new);
        new
    }

    /// Link-local and unique local ones keep their prefix; all others become RFC 3849's
    /// 2001:db8::/32.
    fn v6(&mut self, old: [u8; 16]) -> [u8; 16] {
        if let Some(new) = self.v6.get(&old) {
            return *new;
        }
        let mut new = [0; 16];
        let range = match old {
            // Unspecified, loopback, and groups.
            [0xff, ..] => return old,
            _ if old[..15] == [0; 15] && old[15] <= 1 => return old,
            [0xfe, second, ..] if second & 0xc0 == 0x80 => {
                new[..2].copy_from_slice(&[0xfe, 0x80]);
                "fe80"
            }
            [first, ..] if first & 0xfe == 0xfc => {
                new[0] = 0xfd;
                "fc00"
            }
            _ => {
                new[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
                "global"
            }
        };
        let number = self.count(range);
        new[12..].copy_from_slice(&number.to_be_bytes());
        self.v6.insert(old, new);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_becomes_the_same_and_private_ones_stay_private() {
        let mut map = Addresses::default();
        assert_eq!(map.v4([127, 0, 0, 1]), [127, 0, 0, 1]);
        assert_eq!(map.v4([192, 168, 7, 9]), [192, 168, 0, 1]);
        assert_eq!(map.v4([8, 8, 8, 8]), [198, 18, 0, 1]);
        assert_eq!(map.v4([192, 168, 7, 9]), [192, 168, 0, 1]);
        assert_eq!(map.v4([192, 168, 7, 10]), [192, 168, 0, 2]);
        let mut packet = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x33, 0x33, 0xff, 1, 2, 3];
        map.replace(&mut packet, Address::Mac(0));
        map.replace(&mut packet, Address::Mac(6));
        assert_eq!(packet, [2, 0, 0, 0, 0, 1, 0x33, 0x33, 0xff, 0, 0, 0]);
        let mut link_local = [0; 16];
        link_local[..2].copy_from_slice(&[0xfe, 0x80]);
        link_local[15] = 77;
        assert_eq!(map.v6(link_local)[..2], [0xfe, 0x80]);
        assert_eq!(map.v6(link_local)[15], 1);
    }
}
