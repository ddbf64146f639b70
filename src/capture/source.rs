//! One input, as packets.

use super::blocks::{Fill, Wait, Window};
use super::error::CaptureErrorKind;
use super::legacy::{self, Legacy};
use super::log::{Log, Spot};
use super::pcapng::Pcapng;
use crate::base::Packet;

/// Longest record or block believed, in bytes. The longest packets there are (IPv6 jumbo segments
/// from offload) are 512 KiB; secrets and name tables of a block stay far below this as well.
pub(super) const MAX_ITEM: u32 = 16 << 20;
/// Longest record or block believed while looking for the next good one after damage.
pub(super) const MAX_RESYNC_ITEM: u32 = 1 << 20;

/// What a call for the next packet came to.
pub(super) enum Step {
    Packet(Packet),
    Pending,
    End,
}

/// The bytes of an input and the counts that both formats keep.
pub(super) struct Stream {
    pub(super) window: Window,
    pub(super) input: usize,
    /// Packets handed on.
    pub(super) packets: u64,
    /// Comments of the packet handed on last.
    pub(super) comments: Vec<String>,
}

impl Stream {
    /// Here, for the log.
    pub(super) fn spot(&self) -> Spot {
        Spot { input: self.input, offset: self.window.offset(), packets: self.packets }
    }

    pub(super) fn error(&self, log: &mut Log, kind: CaptureErrorKind) {
        log.error(self.spot(), kind);
    }

    /// Closes the input, with the bytes left over belonging to an item of `needed` bytes: one
    /// problem at most, and the deepest cause of it.
    pub(super) fn end(&mut self, log: &mut Log, needed: u64) -> Step {
        let present = self.window.bytes().len() as u64;
        if let Some(kind) = self.window.take_failure() {
            self.error(log, kind);
        } else if present > 0 && !self.window.was_stopped() {
            self.error(log, CaptureErrorKind::Cut { present, needed });
        }
        self.window.skip(present as usize);
        Step::End
    }
}

enum Format {
    /// Not known yet.
    Start,
    Pcap(Legacy),
    Pcapng(Box<Pcapng>),
    /// Nothing more to read.
    Done,
}

/// Reads the packets of one input.
pub(super) struct Source {
    pub(super) stream: Stream,
    format: Format,
}

impl Source {
    pub(super) fn new(input: usize, window: Window) -> Source {
        let stream = Stream { window, input, packets: 0, comments: Vec::new() };
        Source { stream, format: Format::Start }
    }

    /// The next packet, not numbered yet (`frame` is 0).
    #[inline]
    pub(super) fn next(&mut self, log: &mut Log, wait: Wait) -> Step {
        loop {
            let step = match &mut self.format {
                Format::Pcap(pcap) => pcap.next(&mut self.stream, log, wait),
                Format::Pcapng(pcapng) => pcapng.next(&mut self.stream, log, wait),
                Format::Done => return Step::End,
                Format::Start => match self.begin(log, wait) {
                    Some(step) => step,
                    None => continue,
                },
            };
            match step {
                Step::Packet(_) => self.stream.packets += 1,
                Step::Pending => {}
                Step::End => self.format = Format::Done,
            }
            return step;
        }
    }

    /// Tells the format by the magic number; `None` when it is known.
    #[cold]
    fn begin(&mut self, log: &mut Log, wait: Wait) -> Option<Step> {
        let stream = &mut self.stream;
        match stream.window.fill(4, wait) {
            Fill::Pending => return Some(Step::Pending),
            Fill::Ready => {}
            Fill::End(present) => {
                if let Some(kind) = stream.window.take_failure() {
                    stream.error(log, kind);
                } else if stream.window.was_stopped() {
                } else if present == 0 {
                    stream.error(log, CaptureErrorKind::Empty);
                } else if could_begin_capture(stream.window.bytes()) {
                    let needed = legacy::FILE_HEADER as u64;
                    stream.error(log, CaptureErrorKind::Cut { present: present as u64, needed });
                } else {
                    let start = stream.window.bytes().to_vec();
                    stream.error(log, CaptureErrorKind::NotACapture { start, looks_like: None });
                }
                return Some(Step::End);
            }
        }
        let bytes = stream.window.bytes();
        let magic: [u8; 4] = bytes.first_chunk().copied().unwrap_or_default();
        if magic == [0x0a, 0x0d, 0x0d, 0x0a] {
            self.format = Format::Pcapng(Box::default());
            return None;
        }
        if legacy::Magic::parse(magic).is_none() {
            let looks_like = looks_like(bytes);
            let kind = CaptureErrorKind::NotACapture { start: magic.to_vec(), looks_like };
            stream.error(log, kind);
            return Some(Step::End);
        }
        match stream.window.fill(legacy::FILE_HEADER, wait) {
            Fill::Pending => Some(Step::Pending),
            Fill::End(_) => Some(stream.end(log, legacy::FILE_HEADER as u64)),
            Fill::Ready => {
                self.format = Format::Pcap(Legacy::begin(stream, log)?);
                None
            }
        }
    }
}

/// Whether fewer than four bytes can be the start of a magic number.
fn could_begin_capture(start: &[u8]) -> bool {
    let magics = legacy::MAGICS.iter().map(|(bytes, _)| *bytes);
    magics.chain([[0x0a, 0x0d, 0x0d, 0x0a]]).any(|magic| magic.starts_with(start))
}

/// Names what people hand over by mistake.
fn looks_like(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (&[0x1f, 0x8b], "a capture compressed twice"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "a capture compressed twice"),
        (b"BZh", "bzip2 data; uncompress it first"),
        (&[0xfd, b'7', b'z', b'X'], "xz data; uncompress it first"),
        (&[0x04, 0x22, 0x4d, 0x18], "lz4 data; uncompress it first"),
        (b"PK\x03\x04", "a zip archive; unpack it first"),
        (b"FLV", "an FLV file, not a capture of one being sent"),
        (b"snoo", "a snoop capture"),
        (b"RTSS", "a Network Monitor capture"),
        (b"GMBU", "a Network Monitor capture"),
        (b"TRSN", "a Sniffer capture"),
        (b"btsn", "a Bluetooth capture"),
        (b"{", "JSON text"),
        (b"<", "XML or HTML text"),
    ];
    let known = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|&(_, name)| name);
    let text =
        || bytes.iter().take(64).all(|&b| (b' '..=b'~').contains(&b) || b"\t\r\n".contains(&b));
    known.or_else(|| text().then_some("text"))
}
