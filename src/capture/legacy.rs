//! pcap files: a file header, then records of a 16-byte header and the packet.
//!
//! Record headers are decoded here rather than by `pcap-parser`: a header has to be judged
//! (is it plausible? does a plausible one follow?) to read on after damage.

use bytes::Bytes;

use super::blocks::{Fill, Wait, Window};
use super::error::CaptureErrorKind;
use super::log::{Interface, Log, Spot};
use super::source::{MAX_ITEM, MAX_RESYNC_ITEM, Step, Stream};
use crate::base::{LinkType, Packet, Timestamp};

/// Length of the file header, in bytes.
pub(super) const FILE_HEADER: usize = 24;
/// Records longer than this were never written by libpcap, whatever the snap length says.
const LIBPCAP_MAX: u32 = 262_144;
/// Neighbouring records further apart than this, in seconds, get a second look.
const NEAR: u32 = 24 * 60 * 60;
/// The first record after damage is at most this far, in seconds, from the last one before it.
const YEAR: u32 = 366 * NEAR;
/// Records in a row that must look right to resume after damage.
const CHAIN: usize = 3;

/// What a magic number tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Magic {
    big_endian: bool,
    nanos: bool,
    /// The record headers of Alexey Kuznetzov's patched libpcap: 8 bytes of interface, protocol and
    /// packet type follow the usual 16.
    long_records: bool,
}

const fn magic(big_endian: bool, nanos: bool, long_records: bool) -> Magic {
    Magic { big_endian, nanos, long_records }
}

/// The magic numbers, as they stand in the file.
pub(super) const MAGICS: [([u8; 4], Magic); 6] = [
    ([0xd4, 0xc3, 0xb2, 0xa1], magic(false, false, false)),
    ([0xa1, 0xb2, 0xc3, 0xd4], magic(true, false, false)),
    ([0x4d, 0x3c, 0xb2, 0xa1], magic(false, true, false)),
    ([0xa1, 0xb2, 0x3c, 0x4d], magic(true, true, false)),
    ([0x34, 0xcd, 0xb2, 0xa1], magic(false, false, true)),
    ([0xa1, 0xb2, 0xcd, 0x34], magic(true, false, true)),
];

impl Magic {
    pub(super) fn parse(bytes: [u8; 4]) -> Option<Magic> {
        MAGICS.iter().find(|(magic, _)| *magic == bytes).map(|&(_, magic)| magic)
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }
}

/// A record header.
#[derive(Clone, Copy, Debug)]
struct Record {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

/// Damage being skipped.
#[derive(Clone, Copy, Debug)]
struct Skip {
    from: Spot,
    record: Record,
    /// The record seems right but the input ends in it.
    cut: Option<(u64, u64)>,
}

/// State of a pcap input.
#[derive(Debug)]
pub(super) struct Legacy {
    magic: Magic,
    /// Length of a record header, in bytes.
    header: usize,
    link: LinkType,
    /// Fractions of a second in a second.
    unit: u32,
    /// Longest record believed.
    limit: u32,
    /// Files of version 2.3 and before may have the two lengths swapped.
    old_order: bool,
    last: Option<u32>,
    skip: Option<Skip>,
}

impl Legacy {
    /// Reads the file header, whose bytes are there.
    pub(super) fn begin(stream: &mut Stream, log: &mut Log) -> Option<Legacy> {
        let head: [u8; FILE_HEADER] = stream.window.bytes().first_chunk().copied()?;
        let [
            m0,
            m1,
            m2,
            m3,
            a0,
            a1,
            b0,
            b1,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            l0,
            l1,
            l2,
            l3,
        ] = head;
        let magic = Magic::parse([m0, m1, m2, m3])?;
        let (major, minor) = (magic.u16([a0, a1]), magic.u16([b0, b1]));
        if major != 2 {
            stream.error(log, CaptureErrorKind::Version { major, minor });
        }
        let snap_len = magic.u32([s0, s1, s2, s3]);
        // The upper bits tell the length of the frame check sequence, which IP lengths exclude.
        let link = LinkType(magic.u32([l0, l1, l2, l3]) & 0x03ff_ffff);
        let interface = Interface {
            input: stream.input,
            section: 0,
            id: 0,
            link,
            snap_len,
            name: None,
            description: None,
            dropped: None,
        };
        log.interface(stream.spot(), interface);
        stream.window.skip(FILE_HEADER);
        Some(Legacy {
            magic,
            header: if magic.long_records { 24 } else { 16 },
            link,
            unit: if magic.nanos { 1_000_000_000 } else { 1_000_000 },
            limit: snap_len.clamp(LIBPCAP_MAX, MAX_ITEM),
            old_order: major == 2 && minor <= 3,
            last: None,
            skip: None,
        })
    }

    #[inline]
    pub(super) fn next(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Step {
        if self.skip.is_none() {
            let bytes = stream.window.bytes();
            if let Some(record) = self.record(bytes) {
                let total = self.header + record.captured as usize;
                if total <= bytes.len() && self.clean(record, self.last) {
                    return self.take(stream, record);
                }
            }
        }
        self.next_slowly(stream, log, wait)
    }

    #[inline]
    fn record(&self, bytes: &[u8]) -> Option<Record> {
        let &[s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3] =
            bytes.first_chunk::<16>()?;
        let u32 = |bytes| self.magic.u32(bytes);
        Some(Record {
            seconds: u32([s0, s1, s2, s3]),
            fraction: u32([f0, f1, f2, f3]),
            captured: u32([c0, c1, c2, c3]),
            original: u32([o0, o1, o2, o3]),
        })
    }

    /// Whether nothing about the record is odd.
    #[inline]
    fn clean(&self, record: Record, last: Option<u32>) -> bool {
        record.captured <= self.limit
            && record.captured <= record.original
            && record.fraction < self.unit
            && last.is_none_or(|last| record.seconds.abs_diff(last) <= NEAR)
    }

    /// Whether the record may follow an odd one: it is right by itself and not years away, or odd
    /// in the same way at about the same time (some writers fill in no original length, or count in
    /// nanoseconds). Of a header read at a wrong place the time is the part least likely to fit.
    fn may_follow(&self, record: Record, odd: Record) -> bool {
        let gap = record.seconds.abs_diff(odd.seconds);
        let sound = record.captured > 0
            && record.captured <= record.original
            && record.fraction < self.unit;
        let alike = record.seconds != 0 && gap <= NEAR;
        record.captured <= self.limit && (sound && gap <= YEAR || alike)
    }

    #[inline]
    fn take(&mut self, stream: &mut Stream, record: Record) -> Step {
        let captured = record.captured as usize;
        let data = stream.window.share(self.header, captured);
        stream.window.skip(self.header + captured);
        self.hand_on(record, data)
    }

    #[inline]
    fn hand_on(&mut self, record: Record, data: Bytes) -> Step {
        self.last = Some(record.seconds);
        let scale = if self.magic.nanos { 1 } else { 1_000 };
        let nanos = i64::from(record.seconds) * 1_000_000_000 + i64::from(record.fraction) * scale;
        Step::Packet(Packet {
            frame: 0,
            time: Timestamp(nanos),
            link: self.link,
            data,
            original_len: record.original.max(record.captured),
        })
    }

    /// Everything but a clean record whose bytes are all here.
    #[cold]
    fn next_slowly(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Step {
        loop {
            if self.skip.is_some() {
                match self.resync(stream, log, wait) {
                    Some(step) => return step,
                    None => continue,
                }
            }
            match stream.window.fill(self.header, wait) {
                Fill::Pending => return Step::Pending,
                Fill::End(_) => return stream.end(log, self.header as u64),
                Fill::Ready => {}
            }
            let Some(mut record) = self.record(stream.window.bytes()) else {
                return Step::End;
            };
            if self.old_order && record.captured > record.original {
                std::mem::swap(&mut record.captured, &mut record.original);
            }
            if !self.clean(record, self.last) && self.concatenated(stream) {
                match stream.window.fill(FILE_HEADER, wait) {
                    Fill::Pending => return Step::Pending,
                    Fill::End(_) => return stream.end(log, FILE_HEADER as u64),
                    Fill::Ready => {}
                }
                match Legacy::begin(stream, log) {
                    Some(next) => *self = next,
                    None => return Step::End,
                }
                continue;
            }
            if record.captured > self.limit {
                self.skip = Some(Skip { from: stream.spot(), record, cut: None });
                continue;
            }
            let total = self.header + record.captured as usize;
            match stream.window.fill(total, wait) {
                Fill::Pending => return Step::Pending,
                Fill::End(present) => {
                    let sound = self.clean(record, self.last);
                    let cut = sound.then_some((present as u64, total as u64));
                    self.skip = Some(Skip { from: stream.spot(), record, cut });
                    continue;
                }
                Fill::Ready => {}
            }
            if !self.clean(record, self.last) {
                match self.odd_but_followed(stream, record, total, wait) {
                    None => return Step::Pending,
                    Some(true) => {}
                    Some(false) => {
                        self.skip = Some(Skip { from: stream.spot(), record, cut: None });
                        continue;
                    }
                }
            }
            return self.take(stream, record);
        }
    }

    /// Whether a file header stands where a record should: two files were joined by `cat`.
    fn concatenated(&self, stream: &Stream) -> bool {
        let bytes = stream.window.bytes();
        let magic = bytes.first_chunk::<4>().and_then(|&bytes| Magic::parse(bytes));
        let version = bytes.get(4..8).and_then(|b| b.first_chunk::<4>());
        match (magic, version) {
            (Some(magic), Some(&[a, b, c, d])) => {
                magic.u16([a, b]) == 2 && (2..=4).contains(&magic.u16([c, d]))
            }
            _ => false,
        }
    }

    /// Whether the record that ends `total` bytes ahead is followed by another, or by the end.
    /// `None` when that cannot be told yet.
    fn odd_but_followed(
        &self,
        stream: &mut Stream,
        record: Record,
        total: usize,
        wait: Wait,
    ) -> Option<bool> {
        match stream.window.fill(total + self.header, wait) {
            Fill::Pending => None,
            Fill::End(present) => Some(present == total),
            Fill::Ready => {
                let next = stream.window.bytes().get(total..).and_then(|b| self.record(b));
                Some(next.is_some_and(|next| self.may_follow(next, record)))
            }
        }
    }

    /// Looks for the next record after damage. `None` when reading can go on.
    fn resync(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Option<Step> {
        let skip = self.skip?;
        loop {
            if stream.window.offset() == skip.from.offset {
                stream.window.skip(1);
            }
            let bytes = stream.window.bytes();
            let candidate = (0..(bytes.len() + 1).saturating_sub(self.header)).find(|&at| {
                let record = bytes.get(at..).and_then(|b| self.record(b));
                record.is_some_and(|record| self.plausible(record, self.last, YEAR))
            });
            let scanned = (bytes.len() + 1).saturating_sub(self.header);
            stream.window.skip(candidate.unwrap_or(scanned));
            if candidate.is_none() {
                match stream.window.fill(self.header, wait) {
                    Fill::Ready => continue,
                    Fill::Pending => return Some(Step::Pending),
                    Fill::End(_) => return Some(self.give_up(stream, log, skip)),
                }
            }
            match self.chain(&mut stream.window, wait) {
                None => return Some(Step::Pending),
                Some(false) => stream.window.skip(1),
                Some(true) => break,
            }
        }
        let skipped = stream.window.offset() - skip.from.offset;
        log.error(skip.from, bad_record(skip.record, skipped, true));
        self.last = self.record(stream.window.bytes()).map(|record| record.seconds);
        self.skip = None;
        None
    }

    fn plausible(&self, record: Record, last: Option<u32>, near: u32) -> bool {
        record.captured > 0
            && record.captured <= self.limit.min(MAX_RESYNC_ITEM)
            && record.captured <= record.original
            && record.original <= MAX_ITEM
            && record.fraction < self.unit
            && last.is_none_or(|last| record.seconds.abs_diff(last) <= near)
    }

    /// Whether [`CHAIN`] plausible records begin here, or fewer that end with the input.
    fn chain(&self, window: &mut Window, wait: Wait) -> Option<bool> {
        let (mut at, mut last, mut near) = (0, self.last, YEAR);
        for found in 0..CHAIN {
            match window.fill(at + self.header, wait) {
                Fill::Pending => return None,
                Fill::End(present) => return Some(at == present || found > 1),
                Fill::Ready => {}
            }
            let record = window.bytes().get(at..).and_then(|b| self.record(b));
            let Some(record) = record.filter(|&record| self.plausible(record, last, near)) else {
                return Some(false);
            };
            (last, near) = (Some(record.seconds), NEAR);
            at += self.header + record.captured as usize;
        }
        Some(true)
    }

    fn give_up(&mut self, stream: &mut Stream, log: &mut Log, skip: Skip) -> Step {
        stream.window.skip(stream.window.bytes().len());
        let skipped = stream.window.offset() - skip.from.offset;
        if let Some(kind) = stream.window.take_failure() {
            log.error(skip.from, kind);
        } else if stream.window.was_stopped() {
        } else if let Some((present, needed)) = skip.cut {
            log.error(skip.from, CaptureErrorKind::Cut { present, needed });
        } else {
            log.error(skip.from, bad_record(skip.record, skipped, false));
        }
        Step::End
    }
}

fn bad_record(record: Record, skipped: u64, resumed: bool) -> CaptureErrorKind {
    let (captured_len, original_len) = (record.captured, record.original);
    CaptureErrorKind::BadRecord { captured_len, original_len, skipped, resumed }
}
