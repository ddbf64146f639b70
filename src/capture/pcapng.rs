//! pcapng files: blocks that repeat their length at the end, in sections that may differ in byte
//! order, each with its own interfaces.
//!
//! Framing is done here, since damage has to be found and stepped over; `pcap-parser` reads the
//! options.

use pcap_parser::PcapError;
use pcap_parser::pcapng::{OptionCode, PcapNGOption, parse_option_be, parse_option_le};

use super::blocks::{Fill, Wait, Window};
use super::clock::{Decode, Unit};
use super::error::CaptureErrorKind as Kind;
use super::log::{CommentPlace, Interface, Log, SecretKind, Spot};
use super::source::{MAX_ITEM, MAX_RESYNC_ITEM, Step, Stream};
use crate::base::{LinkType, Packet, Timestamp};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;
/// Block types believed after damage: those above, name resolution, and custom blocks.
const RESYNC_TYPES: [u32; 10] = [
    SECTION_HEADER,
    INTERFACE,
    OLD_PACKET,
    SIMPLE_PACKET,
    4,
    INTERFACE_STATISTICS,
    ENHANCED_PACKET,
    DECRYPTION_SECRETS,
    0x0000_0bad,
    0x4000_0bad,
];
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Shortest block: type, length, length.
const FRAME: usize = 12;
/// Enough of a block to know its length: of a section header also the byte order.
const HEAD: usize = 12;
/// Interfaces of a section.
const MAX_INTERFACES: usize = 65_536;

/// Damage being skipped.
#[derive(Clone, Copy, Debug)]
struct Skip {
    from: Spot,
    block_type: u32,
    length: u32,
    /// The block seems right but the input ends in it: bytes present and needed.
    cut: Option<(u64, u64)>,
}

/// State of a pcapng input.
#[derive(Debug, Default)]
pub(super) struct Pcapng {
    big_endian: bool,
    sections: u32,
    interfaces: Vec<Decode>,
    /// Packets without an interface were reported in this section.
    told_unknown: bool,
    last: Timestamp,
    skip: Option<Skip>,
}

impl Pcapng {
    #[inline]
    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    #[inline]
    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u64(&self, bytes: &[u8]) -> Option<u64> {
        let bytes = *bytes.first_chunk()?;
        Some(if self.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    #[inline]
    pub(super) fn next(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Step {
        if self.skip.is_none() {
            stream.comments.clear();
            if let Some(packet) = self.quick_packet(stream) {
                return Step::Packet(packet);
            }
        }
        self.next_slowly(stream, log, wait)
    }

    /// A sound enhanced packet block that is all here and has no options.
    #[inline]
    fn quick_packet(&mut self, stream: &mut Stream) -> Option<Packet> {
        let bytes = stream.window.bytes();
        let head = bytes.first_chunk::<28>()?;
        if self.u32(head, 0)? != ENHANCED_PACKET {
            return None;
        }
        let length = self.u32(head, 4)? as usize;
        let captured = self.u32(head, 20)? as usize;
        // Options would make the block longer.
        if captured > MAX_ITEM as usize || length != 32 + captured.next_multiple_of(4) {
            return None;
        }
        if self.u32(bytes, length - 4)? as usize != length {
            return None;
        }
        let interface = *self.interfaces.get(self.u32(head, 8)? as usize)?;
        let ticks = u64::from(self.u32(head, 12)?) << 32 | u64::from(self.u32(head, 16)?);
        let original_len = self.u32(head, 24)?.max(captured as u32);
        let data = stream.window.share(28, captured);
        stream.window.skip(length);
        self.last = interface.time(ticks);
        Some(Packet { frame: 0, time: self.last, link: interface.link, data, original_len })
    }

    #[cold]
    fn next_slowly(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Step {
        loop {
            if self.skip.is_some() {
                match self.resync(stream, log, wait) {
                    Some(step) => return step,
                    None => continue,
                }
            }
            match stream.window.fill(HEAD, wait) {
                Fill::Pending => return Step::Pending,
                Fill::End(_) => return stream.end(log, HEAD as u64),
                Fill::Ready => {}
            }
            self.take_byte_order(stream.window.bytes());
            let bytes = stream.window.bytes();
            let block_type = self.u32(bytes, 0).unwrap_or(0);
            let length = self.u32(bytes, 4).unwrap_or(0);
            if !sane_length(block_type, length) {
                self.skip = Some(Skip { from: stream.spot(), block_type, length, cut: None });
                continue;
            }
            match stream.window.fill(length as usize, wait) {
                Fill::Pending => return Step::Pending,
                Fill::End(present) => {
                    let cut = Some((present as u64, u64::from(length)));
                    self.skip = Some(Skip { from: stream.spot(), block_type, length, cut });
                    continue;
                }
                Fill::Ready => {}
            }
            let trailer = self.u32(stream.window.bytes(), length as usize - 4).unwrap_or(0);
            if trailer != length {
                match self.followed(&mut stream.window, length as usize, wait) {
                    None => return Step::Pending,
                    Some(true) => stream.error(log, Kind::BlockTrailer { length, trailer }),
                    Some(false) => {
                        self.skip =
                            Some(Skip { from: stream.spot(), block_type, length, cut: None });
                        continue;
                    }
                }
            }
            let packet = self.block(stream, log, block_type, length as usize);
            stream.window.skip(length as usize);
            if let Some(packet) = packet {
                self.last = packet.time;
                return Step::Packet(packet);
            }
        }
    }

    /// A section header tells the byte order that its own length is in.
    fn take_byte_order(&mut self, bytes: &[u8]) {
        if bytes.first_chunk() == Some(&SECTION_HEADER.to_be_bytes()) {
            match bytes.get(8..).and_then(|b| b.first_chunk()).copied().map(u32::from_be_bytes) {
                Some(BYTE_ORDER) => self.big_endian = true,
                Some(order) if order.swap_bytes() == BYTE_ORDER => self.big_endian = false,
                // Damaged: the order in which the length makes sense, else the one before.
                _ => {
                    let sane = |length| sane_length(SECTION_HEADER, length);
                    if !self.u32(bytes, 4).is_some_and(sane) {
                        let swapped = self.u32(bytes, 4).map(u32::swap_bytes);
                        self.big_endian ^= swapped.is_some_and(sane);
                    }
                }
            }
        }
    }

    /// Whether a sound block, or the end, is `at` bytes ahead.
    fn followed(&self, window: &mut Window, at: usize, wait: Wait) -> Option<bool> {
        match window.fill(at + HEAD, wait) {
            Fill::Pending => None,
            Fill::End(present) => Some(present == at),
            Fill::Ready => self.sound_block(window, at, wait),
        }
    }

    /// Whether a block with a known type, a sane length and the same length at its end is `at`
    /// bytes ahead, where at least [`HEAD`] bytes are. `None` when it cannot be told yet.
    fn sound_block(&self, window: &mut Window, at: usize, wait: Wait) -> Option<bool> {
        let Some((_, length)) = self.known_head(window.bytes().get(at..)?) else {
            return Some(false);
        };
        match window.fill(at + length as usize, wait) {
            Fill::Pending => None,
            Fill::End(_) => Some(false),
            Fill::Ready => {
                let order = self.order_at(window.bytes().get(at..)?);
                Some(order.u32(window.bytes(), at + length as usize - 4) == Some(length))
            }
        }
    }

    /// With the byte order of the section header that `bytes` may begin with.
    fn order_at(&self, bytes: &[u8]) -> Pcapng {
        let mut order = Pcapng { big_endian: self.big_endian, ..Pcapng::default() };
        order.take_byte_order(bytes);
        order
    }

    /// Type and length of a block whose head looks right.
    fn known_head(&self, bytes: &[u8]) -> Option<(u32, u32)> {
        let order = self.order_at(bytes);
        let (block_type, length) = (order.u32(bytes, 0)?, order.u32(bytes, 4)?);
        let sound = RESYNC_TYPES.contains(&block_type)
            && sane_length(block_type, length)
            && length <= MAX_RESYNC_ITEM
            && length % 4 == 0
            && (block_type != SECTION_HEADER || order.u32(bytes, 8) == Some(BYTE_ORDER));
        sound.then_some((block_type, length))
    }

    /// Looks for the next block after damage. `None` when reading can go on.
    fn resync(&mut self, stream: &mut Stream, log: &mut Log, wait: Wait) -> Option<Step> {
        let skip = self.skip?;
        loop {
            if stream.window.offset() == skip.from.offset {
                stream.window.skip(1);
            }
            let bytes = stream.window.bytes();
            let scanned = (bytes.len() + 1).saturating_sub(HEAD);
            let candidate = (0..scanned)
                .find(|&at| bytes.get(at..).is_some_and(|bytes| self.known_head(bytes).is_some()));
            stream.window.skip(candidate.unwrap_or(scanned));
            if candidate.is_none() {
                match stream.window.fill(HEAD, wait) {
                    Fill::Ready => continue,
                    Fill::Pending => return Some(Step::Pending),
                    Fill::End(_) => return Some(self.give_up(stream, log, skip)),
                }
            }
            match self.sound_block(&mut stream.window, 0, wait) {
                None => return Some(Step::Pending),
                Some(false) => stream.window.skip(1),
                Some(true) => break,
            }
        }
        let skipped = stream.window.offset() - skip.from.offset;
        let Skip { block_type, length, .. } = skip;
        log.error(skip.from, Kind::BadBlock { block_type, length, skipped, resumed: true });
        self.skip = None;
        None
    }

    fn give_up(&mut self, stream: &mut Stream, log: &mut Log, skip: Skip) -> Step {
        stream.window.skip(stream.window.bytes().len());
        let skipped = stream.window.offset() - skip.from.offset;
        let Skip { block_type, length, .. } = skip;
        if let Some(kind) = stream.window.take_failure() {
            log.error(skip.from, kind);
        } else if stream.window.was_stopped() {
        } else if let Some((present, needed)) = skip.cut {
            log.error(skip.from, Kind::Cut { present, needed });
        } else {
            log.error(skip.from, Kind::BadBlock { block_type, length, skipped, resumed: false });
        }
        Step::End
    }

    /// Reads the block that begins here and is `length` bytes long, all of them here.
    fn block(
        &mut self,
        stream: &mut Stream,
        log: &mut Log,
        block_type: u32,
        length: usize,
    ) -> Option<Packet> {
        match block_type {
            ENHANCED_PACKET | OLD_PACKET | SIMPLE_PACKET => {
                return self.packet(stream, log, block_type, length);
            }
            SECTION_HEADER => self.section(stream, log, length),
            INTERFACE => self.interface(stream, log, length),
            DECRYPTION_SECRETS => self.secrets(stream, log, length),
            INTERFACE_STATISTICS => self.statistics(stream, log, length),
            // Name resolution, custom and unknown blocks say nothing about packets.
            _ => {}
        }
        None
    }

    fn section(&mut self, stream: &mut Stream, log: &mut Log, length: usize) {
        let body = &stream.window.bytes()[8..length - 4];
        if self.u32(body, 0) != Some(BYTE_ORDER) {
            let field = "the byte-order magic";
            stream.error(log, Kind::BlockBody { block_type: SECTION_HEADER, field });
        }
        if let (Some(major), Some(minor)) = (self.u16(body, 4), self.u16(body, 6))
            && major != 1
        {
            stream.error(log, Kind::Version { major, minor });
        }
        self.sections += 1;
        self.interfaces.clear();
        self.told_unknown = false;
        for option in self.options(body.get(16..).unwrap_or_default()) {
            if option.code == OptionCode::Comment {
                log.comment(stream.spot(), CommentPlace::Section, text(&option));
            }
        }
    }

    fn interface(&mut self, stream: &mut Stream, log: &mut Log, length: usize) {
        let body = &stream.window.bytes()[8..length - 4];
        let (Some(link), Some(snap_len)) = (self.u16(body, 0), self.u32(body, 4)) else {
            let kind = Kind::BlockBody { block_type: INTERFACE, field: "the interface" };
            return stream.error(log, kind);
        };
        let id = self.interfaces.len() as u32;
        let link = LinkType(u32::from(link));
        let mut decode = Decode { link, snap_len, ..Decode::ASSUMED };
        let mut interface = Interface {
            input: stream.input,
            section: self.sections.saturating_sub(1),
            id,
            link,
            snap_len,
            name: None,
            description: None,
            dropped: None,
        };
        for option in self.options(body.get(8..).unwrap_or_default()) {
            let value = option.as_bytes().unwrap_or_default();
            match option.code {
                OptionCode::Comment => {
                    log.comment(stream.spot(), CommentPlace::Interface(id), text(&option));
                }
                OptionCode::IfName => interface.name = Some(text(&option)),
                OptionCode::IfDescription => interface.description = Some(text(&option)),
                OptionCode::IfTsresol => {
                    if let &[value] = value {
                        let unit = Unit::parse(value);
                        if unit.is_none_or(|unit| unit == Unit::DoubtfulSeconds) {
                            stream.error(log, Kind::TimeResolution { interface: id, value });
                        }
                        decode.unit = unit.unwrap_or(Unit::MICROS);
                    }
                }
                OptionCode::IfTsoffset => {
                    if let Some(seconds) = self.u64(value) {
                        decode.offset = (seconds as i64).saturating_mul(1_000_000_000);
                    }
                }
                _ => {}
            }
        }
        decode.listed = log.interface(stream.spot(), interface);
        if self.interfaces.len() < MAX_INTERFACES {
            self.interfaces.push(decode);
        }
    }

    fn secrets(&mut self, stream: &mut Stream, log: &mut Log, length: usize) {
        let body = &stream.window.bytes()[8..length - 4];
        let (Some(kind), Some(announced)) = (self.u32(body, 0), self.u32(body, 4)) else {
            let kind = Kind::BlockBody { block_type: DECRYPTION_SECRETS, field: "the secrets" };
            return stream.error(log, kind);
        };
        let rest = body.get(8..).unwrap_or_default();
        let data = rest.get(..announced as usize).unwrap_or_else(|| {
            let field = "the length of the secrets";
            stream.error(log, Kind::BlockBody { block_type: DECRYPTION_SECRETS, field });
            rest
        });
        log.secret(stream.spot(), SecretKind(kind), data);
        let options = rest.get(data.len().next_multiple_of(4)..).unwrap_or_default();
        self.block_comments(stream, log, options);
    }

    fn statistics(&mut self, stream: &mut Stream, log: &mut Log, length: usize) {
        let body = &stream.window.bytes()[8..length - 4];
        let id = self.u32(body, 0).unwrap_or(u32::MAX);
        let options = body.get(12..).unwrap_or_default();
        let listed = self.interfaces.get(id as usize).and_then(|interface| interface.listed);
        for option in self.options(options) {
            let value = option.as_bytes().unwrap_or_default();
            if option.code == OptionCode::IsbIfDrop
                && let Some(dropped) = self.u64(value)
                && let Some(interface) = listed.and_then(|at| log.interfaces.get_mut(at))
            {
                interface.dropped = Some(dropped);
            }
        }
        self.block_comments(stream, log, options);
    }

    fn block_comments(&self, stream: &Stream, log: &mut Log, options: &[u8]) {
        for option in self.options(options) {
            if option.code == OptionCode::Comment {
                log.comment(stream.spot(), CommentPlace::Block, text(&option));
            }
        }
    }

    fn packet(
        &mut self,
        stream: &mut Stream,
        log: &mut Log,
        block_type: u32,
        length: usize,
    ) -> Option<Packet> {
        let block = &stream.window.bytes()[..length - 4];
        // Interface, ticks, captured and original length, and where the data begins.
        let fields = match block_type {
            SIMPLE_PACKET => self.u32(block, 8).map(|original| {
                let snap_len = self.interfaces.first().map_or(0, |interface| interface.snap_len);
                let most = if snap_len == 0 { u32::MAX } else { snap_len };
                // What is there bounds it too: a simple packet has no options.
                let captured = original.min(most).min((block.len() - 12) as u32);
                (0, None, captured, original, 12)
            }),
            _ => self.u32(block, 24).and_then(|original| {
                let id = match block_type {
                    OLD_PACKET => u32::from(self.u16(block, 8)?),
                    _ => self.u32(block, 8)?,
                };
                let (high, low) = (self.u32(block, 12)?, self.u32(block, 16)?);
                let ticks = u64::from(high) << 32 | u64::from(low);
                Some((id, Some(ticks), self.u32(block, 20)?, original, 28))
            }),
        };
        let Some((id, ticks, captured, original, start)) = fields else {
            stream.error(log, Kind::BlockBody { block_type, field: "the packet header" });
            return None;
        };
        let room = block.len() - start;
        let fits = (captured as usize).min(room);
        if fits < captured as usize {
            stream.error(log, Kind::BlockBody { block_type, field: "the captured length" });
        }
        let interface = match self.interfaces.get(id as usize) {
            Some(interface) => *interface,
            None => {
                let assumed = self.interfaces.first().copied().unwrap_or(Decode::ASSUMED);
                if !std::mem::replace(&mut self.told_unknown, true) {
                    let kind = Kind::UnknownInterface { interface: id, assumed: assumed.link };
                    stream.error(log, kind);
                }
                assumed
            }
        };
        if block_type != SIMPLE_PACKET {
            let options = block.get(start + fits.next_multiple_of(4)..).unwrap_or_default();
            let comments =
                self.options(options).filter(|option| option.code == OptionCode::Comment);
            let comments: Vec<String> = comments.map(|option| text(&option)).collect();
            stream.comments = comments;
        }
        Some(Packet {
            frame: 0,
            time: ticks.map_or(self.last, |ticks| interface.time(ticks)),
            link: interface.link,
            data: stream.window.share(start, fits),
            original_len: original.max(fits as u32),
        })
    }

    /// The options, up to the first that does not fit.
    fn options<'a>(&self, mut bytes: &'a [u8]) -> impl Iterator<Item = PcapNGOption<'a>> + use<'a> {
        let big_endian = self.big_endian;
        std::iter::from_fn(move || {
            let parsed = match big_endian {
                true => parse_option_be::<PcapError<&[u8]>>(bytes),
                false => parse_option_le::<PcapError<&[u8]>>(bytes),
            };
            let (rest, option) = parsed.ok()?;
            bytes = rest;
            (option.code != OptionCode::EndOfOpt).then_some(option)
        })
    }
}

fn sane_length(block_type: u32, length: u32) -> bool {
    let least = if block_type == SECTION_HEADER { 28 } else { FRAME as u32 };
    (least..=MAX_ITEM).contains(&length)
}

fn text(option: &PcapNGOption<'_>) -> String {
    String::from_utf8_lossy(option.as_bytes().unwrap_or_default()).into_owned()
}
