//! Fields that are not whole bytes: flag bytes, parameter sets, sequence headers.

use crate::base::{FieldValue, Reader, Stop, StopReason};

/// Reads bits, most significant first, through a [`Reader`] that moves on byte by byte. Dropping it
/// in the middle of a byte leaves the reader after that byte.
#[derive(Debug)]
pub(crate) struct Bits<'r, 'a, 't> {
    r: &'r mut Reader<'a, 't>,
    byte: u8,
    /// Bits of `byte` not read yet.
    left: u8,
    /// H.264 and its successors put 03 after 00 00 inside NAL units; it is no data.
    unescape: bool,
    /// Zero bytes read just before.
    zeros: u8,
}

impl<'r, 'a, 't> Bits<'r, 'a, 't> {
    /// Reads plain bits.
    pub(crate) fn new(r: &'r mut Reader<'a, 't>) -> Self {
        Bits { r, byte: 0, left: 0, unescape: false, zeros: 0 }
    }

    /// Reads the bits of a NAL unit, leaving out the emulation prevention bytes
    /// (ISO/IEC 14496-10 7.4.1).
    pub(crate) fn nal_unit(r: &'r mut Reader<'a, 't>) -> Self {
        Bits { unescape: true, ..Bits::new(r) }
    }

    /// Bits left, emulation prevention bytes counted as if they were data.
    pub(crate) fn bits_left(&self) -> usize {
        self.r.left() * 8 + usize::from(self.left)
    }

    /// Goes on at the next byte boundary.
    pub(crate) fn align(&mut self) {
        self.left = 0;
    }

    fn start(&self) -> usize {
        self.r.pos() - usize::from(self.left > 0)
    }

    fn next_byte(&mut self, field: &'static str) -> Result<(), Stop> {
        let mut byte = self.r.quiet(|r| r.u8(field))?;
        if self.unescape {
            if self.zeros >= 2 && byte == 3 {
                self.zeros = 0;
                byte = self.r.quiet(|r| r.u8(field))?;
            }
            self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        }
        self.byte = byte;
        self.left = 8;
        Ok(())
    }

    /// Reads without recording.
    fn take(&mut self, field: &'static str, count: u32) -> Result<u64, Stop> {
        debug_assert!(count <= 64);
        let (mut value, mut missing) = (0u64, count);
        while missing > 0 {
            if self.left == 0 {
                self.next_byte(field)?;
            }
            let now = missing.min(u32::from(self.left));
            let shift = u32::from(self.left) - now;
            let bits = (u64::from(self.byte) >> shift) & ((1 << now) - 1);
            value = value << now | bits;
            self.left -= now as u8;
            missing -= now;
        }
        Ok(value)
    }

    fn record(&mut self, field: &'static str, start: usize, value: FieldValue) {
        self.r.leaf(start, || (field.into(), value));
    }

    /// An unsigned integer of `count` bits, at most 64.
    pub(crate) fn u64(&mut self, field: &'static str, count: u32) -> Result<u64, Stop> {
        let start = self.start();
        let value = self.take(field, count)?;
        self.record(field, start, FieldValue::Uint(value));
        Ok(value)
    }

    /// An unsigned integer of `count` bits, at most 32.
    pub(crate) fn u(&mut self, field: &'static str, count: u32) -> Result<u32, Stop> {
        debug_assert!(count <= 32);
        self.u64(field, count).map(|v| v as u32)
    }

    /// An unsigned integer of `count` bits, at most 8.
    pub(crate) fn u8(&mut self, field: &'static str, count: u32) -> Result<u8, Stop> {
        debug_assert!(count <= 8);
        self.u64(field, count).map(|v| v as u8)
    }

    /// A one-bit flag.
    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool, Stop> {
        self.u64(field, 1).map(|v| v == 1)
    }

    /// Passes over `count` bits that nobody needs to see.
    pub(crate) fn skip(&mut self, field: &'static str, mut count: u32) -> Result<(), Stop> {
        while count > 0 {
            let now = count.min(64);
            self.take(field, now)?;
            count -= now;
        }
        Ok(())
    }

    /// The code number of an Exp-Golomb code (14496-10 9.1), and where it began. More than 32
    /// leading zeros are no value that any syntax allows.
    fn exp_golomb(&mut self, field: &'static str) -> Result<(usize, u64), Stop> {
        let start = self.start();
        let mut zeros = 0;
        while self.take(field, 1)? == 0 {
            zeros += 1;
            if zeros > 32 {
                let reason = StopReason::Invalid(zeros.into());
                return Err(Stop { field, at: start, reason });
            }
        }
        let rest = self.take(field, zeros)?;
        Ok((start, (1u64 << zeros) - 1 + rest))
    }

    /// ue(v).
    pub(crate) fn ue(&mut self, field: &'static str) -> Result<u64, Stop> {
        let (start, code) = self.exp_golomb(field)?;
        self.record(field, start, FieldValue::Uint(code));
        Ok(code)
    }

    /// ue(v) that the syntax limits to `max`.
    pub(crate) fn ue_max(&mut self, field: &'static str, max: u64) -> Result<u32, Stop> {
        let at = self.start();
        let value = self.ue(field)?;
        if value > max {
            return Err(Stop { field, at, reason: StopReason::Invalid(value) });
        }
        Ok(value as u32)
    }

    /// se(v).
    pub(crate) fn se(&mut self, field: &'static str) -> Result<i64, Stop> {
        let (start, code) = self.exp_golomb(field)?;
        let magnitude = code.div_ceil(2) as i64;
        let value = if code % 2 == 1 { magnitude } else { -magnitude };
        self.record(field, start, FieldValue::Int(value));
        Ok(value)
    }

    /// Says in words what the field read last means.
    pub(crate) fn meaning(&mut self, meaning: impl FnOnce() -> String) {
        self.r.meaning(meaning);
    }

    /// A [`Stop`] at the byte of the next bit.
    pub(crate) fn stop(&self, field: &'static str, reason: StopReason) -> Stop {
        Stop { field, at: self.start(), reason }
    }
}

/// Reads a part of at most `len` bytes as far as it goes, then goes on after it: faults in one NAL
/// unit leave the next one readable. Gives back what stopped, `read` or the end of the data.
pub(crate) fn lax_part(
    r: &mut Reader<'_, '_>,
    field: &'static str,
    len: usize,
    read: impl FnOnce(&mut Reader<'_, '_>) -> Result<(), Stop>,
) -> Option<Stop> {
    let cut = (r.left() < len).then(|| {
        let reason = StopReason::Truncated { needed: len as u64, left: r.left() as u64 };
        r.stop(field, reason)
    });
    let mut inner = None;
    let part = len.min(r.left());
    let outer = r.within(field, part, |r| {
        inner = read(r).err();
        Ok(())
    });
    cut.or(inner).or(outer.err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_of_the_standard() {
        // 14496-10 table 9-2: 1, 010, 011, 00100, 00101 are 0, 1, 2, 3, 4.
        let data = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut r = Reader::new(&data);
        let mut bits = Bits::new(&mut r);
        let codes: Vec<_> = (0..5).map(|_| bits.ue("code").unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut r = Reader::new(&data);
        let mut bits = Bits::new(&mut r);
        let codes: Vec<_> = (0..5).map(|_| bits.se("code").unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn a_run_of_zeros_is_no_code() {
        let zeros = [0; 64];
        let mut r = Reader::new(&zeros);
        let stop = Bits::new(&mut r).ue("code").unwrap_err();
        assert_eq!(stop, Stop { field: "code", at: 0, reason: StopReason::Invalid(33) });
        // The largest: 32 zeros, a one, 32 ones.
        let data = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff];
        let mut r = Reader::new(&data);
        assert_eq!(Bits::new(&mut r).ue("code").unwrap(), (1 << 33) - 2);
        let mut r = Reader::new(&data[..6]);
        let stop = Bits::new(&mut r).ue("code").unwrap_err();
        assert_eq!(stop.reason, StopReason::Truncated { needed: 1, left: 0 });
    }

    #[test]
    fn emulation_prevention_is_left_out_of_nal_units_only() {
        let data = [0, 0, 3, 1, 0, 0, 0, 3];
        let mut r = Reader::new(&data);
        assert_eq!(Bits::nal_unit(&mut r).u("word", 24).unwrap(), 1);
        assert_eq!(r.pos(), 4);
        let mut r = Reader::new(&data);
        assert_eq!(Bits::new(&mut r).u("word", 24).unwrap(), 3);
        // The escape at the very end has nothing to protect.
        let mut r = Reader::new(&data[4..]);
        let mut bits = Bits::nal_unit(&mut r);
        assert_eq!(bits.u("word", 24).unwrap(), 0);
        assert!(bits.flag("flag").is_err());
    }

    #[test]
    fn ranges_cover_the_bytes_of_a_field() {
        let mut tree = crate::base::FieldTree::new();
        let mut r = Reader::with_fields(&[0xf0, 0x0f, 0xaa], &mut tree);
        let mut bits = Bits::new(&mut r);
        bits.u("a", 4).unwrap();
        bits.u("b", 8).unwrap();
        bits.u("c", 4).unwrap();
        bits.u("d", 8).unwrap();
        let ranges: Vec<_> = tree.nodes().iter().map(|n| n.range.clone()).collect();
        assert_eq!(ranges, [0..1, 0..2, 1..2, 2..3]);
    }
}
