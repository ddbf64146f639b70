//! The Internet checksum (RFC 1071), whole and by difference (RFC 1624).

use std::ops::Range;

/// A checksum in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// Where it is.
    pub at: usize,
    /// What it covers, as far as it was captured; itself within.
    pub covers: Range<usize>,
    /// Addresses of the pseudo-header, where it has one.
    pub pseudo: Option<Range<usize>>,
    /// Protocol and length of the pseudo-header added up.
    pub constant: u32,
    /// Whether all that it covers was captured.
    pub whole: bool,
    /// UDP: 0 says that there is none.
    pub optional: bool,
}

/// The sum of 16-bit words, not folded; an odd byte at the end counts as a high one.
fn words(bytes: &[u8]) -> u32 {
    let mut pairs = bytes.chunks_exact(2);
    let mut sum = 0_u64;
    for pair in &mut pairs {
        sum += u64::from(u16::from_be_bytes([pair[0], pair[1]]));
    }
    if let [last] = pairs.remainder() {
        sum += u64::from(*last) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u32
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

impl Sum {
    fn total(&self, packet: &[u8]) -> u32 {
        let covered = packet.get(self.covers.clone()).map_or(0, words);
        let pseudo = self.pseudo.clone().and_then(|range| packet.get(range)).map_or(0, words);
        covered + pseudo + self.constant
    }

    /// Puts the checksum of `new` in its place. Where a part of what it covers was not captured,
    /// it is changed by the difference to `old`: right stays right.
    pub(super) fn renew(&self, old: &[u8], new: &mut [u8]) {
        let Some(field) = old.get(self.at..self.at + 2) else { return };
        let was = u16::from_be_bytes([field[0], field[1]]);
        if self.optional && was == 0 {
            return;
        }
        let sum = if self.whole {
            if let Some(field) = new.get_mut(self.at..self.at + 2) {
                field.fill(0);
            }
            !fold(self.total(new))
        } else {
            let before = u32::from(fold(self.total(old)));
            let after = u32::from(fold(self.total(new)));
            if before == after {
                return;
            }
            !fold(u32::from(!was) + u32::from(!(before as u16)) + after)
        };
        let sum = if self.optional && sum == 0 { 0xffff } else { sum };
        if let Some(field) = new.get_mut(self.at..self.at + 2) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 1071, section 3.
    #[test]
    fn words_are_added_as_in_the_rfc() {
        assert_eq!(words(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
        assert_eq!(words(&[0x12]), 0x1200);
    }

    #[test]
    fn a_difference_gives_what_a_whole_sum_gives() {
        let mut old = vec![0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0];
        old.extend([0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7]);
        let mut sum =
            Sum { at: 10, covers: 0..20, pseudo: None, constant: 0, whole: true, optional: false };
        let zero = old.clone();
        sum.renew(&zero, &mut old);
        assert_eq!(old[10..12], [0xb8, 0x61]);
        let mut whole = old.clone();
        whole[12..16].copy_from_slice(&[10, 0, 0, 1]);
        let mut partial = whole.clone();
        sum.renew(&old, &mut whole);
        sum.whole = false;
        sum.renew(&old, &mut partial);
        assert_eq!(whole, partial);
        assert_ne!(whole[10..12], [0xb8, 0x61]);
    }
}
