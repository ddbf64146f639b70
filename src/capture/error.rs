//! What can be wrong with a capture, in words that say what to do.

use std::fmt;
use std::io;

use crate::base::LinkType;

/// An input that cannot be opened.
#[derive(Debug)]
pub struct OpenError {
    /// The input as the user named it.
    pub input: String,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open {}: ", self.input)?;
        match self.source.kind() {
            io::ErrorKind::NotFound => write!(f, "there is no such file"),
            io::ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "permission denied; captures written by root are often readable by root only"
                )
            }
            io::ErrorKind::IsADirectory => {
                write!(f, "it is a directory; name the capture files in it")
            }
            _ => write!(f, "{}", self.source),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// One problem met while reading. Reading went on after it as far as its kind says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// The input as the user named it.
    pub input: String,
    /// Where, in bytes from the start of the input; of a compressed one, of its uncompressed data.
    pub offset: u64,
    /// How many packets of this input were read before the problem.
    pub packets_before: u64,
    /// What it is.
    pub kind: CaptureErrorKind,
}

/// The kinds of damage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// The input holds no bytes at all.
    Empty,
    /// The input begins with no magic number of a capture.
    NotACapture {
        /// How it begins, at most four bytes.
        start: Vec<u8>,
        /// What it seems to be instead.
        looks_like: Option<&'static str>,
    },
    /// The input ends within a file header, a packet record or a block.
    Cut {
        /// Bytes there are of the cut item.
        present: u64,
        /// Bytes it needs, as far as known.
        needed: u64,
    },
    /// A packet record of a pcap file has an impossible header.
    BadRecord {
        /// Captured length in the header, in bytes.
        captured_len: u32,
        /// Length on the wire in the header, in bytes.
        original_len: u32,
        /// Bytes skipped to get to the next record, or to the end.
        skipped: u64,
        /// Whether a next record was found.
        resumed: bool,
    },
    /// A pcapng block has an impossible length.
    BadBlock {
        /// Block type number.
        block_type: u32,
        /// Block total length it announces, in bytes.
        length: u32,
        /// Bytes skipped to get to the next block, or to the end.
        skipped: u64,
        /// Whether a next block was found.
        resumed: bool,
    },
    /// The length that ends a pcapng block differs from the one at its start. The block was read.
    BlockTrailer {
        /// Length at the start, in bytes.
        length: u32,
        /// Length at the end, in bytes.
        trailer: u32,
    },
    /// The fields of a block do not fit into it. What fits was read.
    BlockBody {
        /// Block type number.
        block_type: u32,
        /// Which field does not fit.
        field: &'static str,
    },
    /// A file header names a version other than those known. The file was read as the known one.
    Version {
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// `if_tsresol` of an interface cannot be right.
    TimeResolution {
        /// Interface number within its section.
        interface: u32,
        /// The option's byte.
        value: u8,
    },
    /// Packets name an interface that no block describes.
    UnknownInterface {
        /// Interface number that the packet names.
        interface: u32,
        /// The link type assumed for these packets.
        assumed: LinkType,
    },
    /// Compressed data is cut or damaged.
    Compression {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Whether the data just ends too early.
        cut: bool,
        /// What the decompressor said.
        message: String,
    },
    /// The system could not read on.
    Read {
        /// What it said.
        message: String,
    },
    /// A followed file became shorter than what was already read of it.
    FollowTruncated {
        /// Bytes read before.
        read: u64,
        /// Bytes it holds now.
        now: u64,
    },
    /// The name of a followed file now belongs to another file.
    FollowReplaced,
    /// A followed file was removed.
    FollowRemoved,
    /// A list that hostile input could grow without end is full.
    LimitReached {
        /// What was left out.
        what: &'static str,
        /// How much is kept.
        limit: usize,
    },
    /// More problems than are listed.
    More {
        /// How many are not listed.
        count: u64,
    },
}

impl CaptureErrorKind {
    /// What to do about it, as a sentence; empty when there is nothing to do.
    pub fn advice(&self) -> &'static str {
        use CaptureErrorKind as K;
        match self {
            K::Empty => {
                "The capture may not have been flushed yet: stop the capturing program, or let it write \
                 each packet (tcpdump -U)."
            }
            K::NotACapture { .. } => {
                "Give a pcap or pcapng file, plain or compressed with gzip or zstd; Wireshark's editcap \
                 converts other capture formats."
            }
            K::Cut { .. } => {
                "Everything before the cut was read. The writer was likely killed or the disk full; if the \
                 file was copied, compare its size with the original."
            }
            K::BadRecord { resumed: true, .. } | K::BadBlock { resumed: true, .. } => {
                "Reading resumed after the damage; packets in the skipped bytes are lost. Copy the file \
                 again, in binary mode, if there is an intact original."
            }
            K::BadRecord { .. } | K::BadBlock { .. } => {
                "Nothing readable follows. Copy the file again, in binary mode, if there is an intact \
                 original."
            }
            K::BlockTrailer { .. } | K::BlockBody { .. } => {
                "What fits was read; the program that wrote the file has a defect, or the file is damaged."
            }
            K::Version { .. } => "It was read as the current version; check a few packets.",
            K::TimeResolution { .. } => "Check the times; they may be scaled wrongly.",
            K::UnknownInterface { .. } => {
                "If no packet decodes, the link type is another one: repair the file by giving it an \
                 interface description block."
            }
            K::Compression { cut: true, .. } => {
                "Everything before the cut was read. The compressor may still be running, or the copy is \
                 incomplete."
            }
            K::Compression { .. } => {
                "What was uncompressed before the damage was read. Copy the file again if there is an \
                 intact original."
            }
            K::Read { .. } => "What was read before was handed on.",
            K::FollowTruncated { .. } | K::FollowReplaced => {
                "Following ended here: another capture was begun under this name. Start again to follow it."
            }
            K::FollowRemoved => "Following ended here; what the file held was read.",
            K::LimitReached { .. } => "This keeps hostile files from filling the memory.",
            K::More { .. } => {
                "The file is damaged in many places; a fresh copy is worth more than this one."
            }
        }
    }
}

impl fmt::Display for CaptureErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CaptureErrorKind as K;
        match self {
            K::Empty => write!(f, "the input is empty"),
            K::NotACapture { start, looks_like } => {
                write!(f, "this is not a capture: it begins with")?;
                for byte in start {
                    write!(f, " {byte:02x}")?;
                }
                match looks_like {
                    Some(what) => write!(f, ", which looks like {what}"),
                    None => Ok(()),
                }
            }
            K::Cut { present, needed } => {
                write!(
                    f,
                    "the input ends in the middle of an item: {present} of its {needed} bytes are there"
                )
            }
            K::BadRecord { captured_len, original_len, skipped, resumed } => {
                write!(
                    f,
                    "a packet record cannot be right (captured length {captured_len}, length on the wire \
                     {original_len}); skipped {skipped} bytes to {}",
                    if *resumed { "the next plausible record" } else { "the end" }
                )
            }
            K::BadBlock { block_type, length, skipped, resumed } => {
                write!(
                    f,
                    "a block cannot be right (type {block_type:#x}, length {length}); skipped {skipped} bytes \
                     to {}",
                    if *resumed { "the next sound block" } else { "the end" }
                )
            }
            K::BlockTrailer { length, trailer } => {
                write!(f, "a block of {length} bytes ends with the length {trailer}")
            }
            K::BlockBody { block_type, field } => {
                write!(f, "in a block of type {block_type:#x}, {field} does not fit")
            }
            K::Version { major, minor } => write!(f, "unknown file version {major}.{minor}"),
            K::TimeResolution { interface, value } => {
                write!(
                    f,
                    "interface {interface} has the time resolution {value:#04x} (if_tsresol), which no \
                     capture uses; took {}",
                    if *value == 0 {
                        "seconds where they make sense, else microseconds"
                    } else {
                        "microseconds"
                    }
                )
            }
            K::UnknownInterface { interface, assumed } => {
                write!(
                    f,
                    "packets name interface {interface}, which no block describes; took link type {}",
                    assumed.0
                )
            }
            K::Compression { format, cut: true, .. } => {
                write!(f, "the {format} data ends too early")
            }
            K::Compression { format, message, .. } => {
                write!(f, "the {format} data is damaged: {message}")
            }
            K::Read { message } => write!(f, "reading failed: {message}"),
            K::FollowTruncated { read, now } => {
                write!(f, "the followed file shrank to {now} bytes after {read} were read")
            }
            K::FollowReplaced => {
                write!(f, "the followed file was replaced by another of the same name")
            }
            K::FollowRemoved => write!(f, "the followed file was removed"),
            K::LimitReached { what, limit } => {
                write!(f, "more than {limit} {what}; the rest is left out")
            }
            K::More { count } => write!(f, "{count} more problems are not listed"),
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: at byte {}", self.input, self.offset)?;
        match self.packets_before {
            0 => write!(f, ", before any packet")?,
            n => write!(f, ", after packet {n}")?,
        }
        write!(f, ": {}. {}", self.kind, self.kind.advice())
    }
}

impl std::error::Error for CaptureError {}
