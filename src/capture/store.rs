//! Packets by frame number, again: a table of places, and the bytes where they already are or in
//! a spool.
//!
//! The loader writes while the screen reads. Neither the table nor the spool is in memory, so that
//! a long capture costs disk only: 32 bytes a packet, and the packets themselves unless they can be
//! read again from the capture file.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::{Bytes, BytesMut};

use super::input::Input;
use super::legacy::Magic;
use super::positional::{read_at, write_at};
use crate::base::{LinkType, Packet, PacketSource, Timestamp};

/// Bytes of a row of the table.
const ROW: usize = 32;
/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;
/// Packets read at once.
const BATCH: u64 = 4096;
/// Bytes of packets read at once; one packet may be longer.
const BATCH_BYTES: u64 = 4 << 20;
/// Neighbours with at most so many bytes between them are read in one go: record headers, and
/// short packets of other connections.
const NEAR: u64 = 4096;
/// Spool files are as long as this, so that the oldest can be let go.
const SEGMENT: u64 = 64 << 20;

/// Writes the store: one per run.
#[derive(Debug)]
pub struct StoreWriter {
    shared: Arc<Shared>,
    /// Most bytes of packets spooled.
    max_spool: u64,
    rows: Vec<u8>,
    /// Rows handed over by [`push`](StoreWriter::push).
    count: u64,
    rows_written: u64,
    /// Bytes of the last segment that are not written yet, and those that are.
    spool: Vec<u8>,
    spool_written: u64,
    /// The last segment.
    segment: Option<Segment>,
}

/// Reads the store; clones read the same one, from any thread.
#[derive(Clone, Debug)]
pub struct StoreReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    table: File,
    /// The capture file, when packets can be read from it again.
    capture: Option<(PathBuf, File)>,
    segments: RwLock<VecDeque<Segment>>,
    /// Packets that can be read.
    packets: AtomicU64,
}

/// A spool file; they are numbered from 1.
#[derive(Clone, Debug)]
struct Segment {
    number: u32,
    file: Arc<File>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    /// Offset in the capture file or the segment.
    place: u64,
    time: i64,
    link: u32,
    captured: u32,
    original: u32,
    /// Number of the segment; 0 for the capture file.
    segment: u32,
}

impl StoreWriter {
    /// A store for a run over `inputs`. A single capture file that is not compressed is read from
    /// again; of anything else the packets are spooled, without a limit.
    pub fn new(inputs: &[Input]) -> io::Result<StoreWriter> {
        match inputs {
            [Input::Path(path)] if Input::Path(path.clone()).file_size().is_some() => {
                let file = File::open(path)?;
                let capture = is_plain(&file).then(|| (path.clone(), file));
                StoreWriter::create(capture, u64::MAX)
            }
            _ => StoreWriter::create(None, u64::MAX),
        }
    }

    /// A store that spools: of live capture. It keeps the last `max_bytes` of packets or a little
    /// more; older ones cannot be read again.
    pub fn spooled(max_bytes: u64) -> io::Result<StoreWriter> {
        StoreWriter::create(None, max_bytes)
    }

    fn create(capture: Option<(PathBuf, File)>, max_spool: u64) -> io::Result<StoreWriter> {
        let shared = Shared {
            table: temporary()?,
            capture,
            segments: RwLock::default(),
            packets: AtomicU64::new(0),
        };
        Ok(StoreWriter {
            shared: Arc::new(shared),
            max_spool,
            rows: Vec::new(),
            count: 0,
            rows_written: 0,
            spool: Vec::new(),
            spool_written: 0,
            segment: None,
        })
    }

    /// A reader of what was [flushed](StoreWriter::flush).
    pub fn reader(&self) -> StoreReader {
        StoreReader { shared: Arc::clone(&self.shared) }
    }

    /// Takes the next packet; the first is frame 1. `position` is what
    /// [`Capture::position`](super::Capture::position) says right after it was read.
    pub fn push(&mut self, packet: &Packet, position: Option<u64>) -> io::Result<()> {
        let (segment, place) = match position.filter(|_| self.shared.capture.is_some()) {
            Some(position) => (0, position),
            None => self.spool(&packet.data)?,
        };
        let row = Row {
            place,
            time: packet.time.0,
            link: packet.link.0,
            captured: packet.data.len() as u32,
            original: packet.original_len,
            segment,
        };
        self.rows.extend_from_slice(&row.to_bytes());
        self.count += 1;
        if self.spool.len() >= BUFFER || self.rows.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// Lets readers see what was pushed so far. Full buffers are flushed by themselves: to be called
    /// when a reader should see packets now.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_spool()?;
        if !self.rows.is_empty() {
            write_at(&self.shared.table, &self.rows, self.rows_written * ROW as u64)?;
            self.rows.clear();
            self.rows_written = self.count;
            self.shared.packets.store(self.count, Ordering::Release);
        }
        Ok(())
    }

    /// Puts bytes into the spool; gives the segment and the place in it.
    fn spool(&mut self, bytes: &[u8]) -> io::Result<(u32, u64)> {
        let place = self.spool_written + self.spool.len() as u64;
        let number = match &self.segment {
            Some(segment) if place < SEGMENT => segment.number,
            _ => {
                self.write_spool()?;
                self.next_segment()?
            }
        };
        let place = self.spool_written + self.spool.len() as u64;
        self.spool.extend_from_slice(bytes);
        Ok((number, place))
    }

    fn next_segment(&mut self) -> io::Result<u32> {
        let number = self.segment.as_ref().map_or(1, |last| last.number + 1);
        let segment = Segment { number, file: Arc::new(temporary()?) };
        let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.push_back(segment.clone());
        // All but the last one are full.
        while (segments.len() as u64).saturating_sub(2).saturating_mul(SEGMENT) >= self.max_spool {
            segments.pop_front();
        }
        drop(segments);
        self.segment = Some(segment);
        self.spool_written = 0;
        Ok(number)
    }

    fn write_spool(&mut self) -> io::Result<()> {
        if let Some(segment) = self.segment.as_ref().filter(|_| !self.spool.is_empty()) {
            write_at(&segment.file, &self.spool, self.spool_written)?;
            self.spool_written += self.spool.len() as u64;
            self.spool.clear();
        }
        Ok(())
    }
}

impl StoreReader {
    /// Packets that can be read so far: frames 1 to this, but for those a limit let go.
    pub fn len(&self) -> u64 {
        self.shared.packets.load(Ordering::Acquire)
    }

    /// Whether there is no packet yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One packet; `None` when there is no such frame yet.
    pub fn packet(&self, frame: u64) -> Result<Option<Packet>, String> {
        Ok(self.read(frame, frame)?.pop())
    }

    fn read(&self, first: u64, last: u64) -> Result<Vec<Packet>, String> {
        let last = last.min(self.len());
        if first == 0 || first > last {
            return Ok(Vec::new());
        }
        let count = (last - first + 1).min(BATCH);
        let mut table = vec![0; count as usize * ROW];
        read_at(&self.shared.table, &mut table, (first - 1) * ROW as u64)
            .map_err(|e| format!("cannot read the table of packets again: {e}"))?;
        let rows: Vec<Row> = table.chunks_exact(ROW).filter_map(Row::from_bytes).collect();
        let mut packets = Vec::with_capacity(rows.len());
        let mut at = 0;
        let mut taken = 0;
        while at < rows.len() && taken < BATCH_BYTES {
            let together = together(&rows[at..], BATCH_BYTES - taken);
            let group = &rows[at..at + together];
            let (start, end) = (group[0].place, group[together - 1].end());
            let bytes = self.bytes(group[0].segment, start, end - start, first + at as u64)?;
            for (index, row) in group.iter().enumerate() {
                let from = (row.place - start) as usize;
                packets.push(Packet {
                    frame: first + (at + index) as u64,
                    time: Timestamp(row.time),
                    link: LinkType(row.link),
                    data: bytes.slice(from..from + row.captured as usize),
                    original_len: row.original,
                });
            }
            at += together;
            taken += end - start;
        }
        Ok(packets)
    }

    fn bytes(&self, segment: u32, at: u64, len: u64, frame: u64) -> Result<Bytes, String> {
        let mut bytes = BytesMut::zeroed(len as usize);
        if segment == 0
            && let Some((path, file)) = &self.shared.capture
        {
            read_at(file, &mut bytes, at).map_err(|e| {
                let path = path.display();
                match e.kind() {
                    io::ErrorKind::UnexpectedEof => format!(
                        "cannot read packet {frame} again: {path} is shorter than it was; open it anew"
                    ),
                    _ => format!("cannot read packet {frame} of {path} again: {e}"),
                }
            })?;
            return Ok(bytes.freeze());
        }
        let found = {
            let segments = self.shared.segments.read().unwrap_or_else(PoisonError::into_inner);
            let index = segments.front().and_then(|front| segment.checked_sub(front.number));
            index.and_then(|index| segments.get(index as usize)).cloned()
        };
        let Some(found) = found else {
            return Err(format!(
                "packet {frame} is no longer kept: the spool's limit let it go; -w FILE keeps all packets"
            ));
        };
        read_at(&found.file, &mut bytes, at)
            .map_err(|e| format!("cannot read packet {frame} from the spool: {e}"))?;
        Ok(bytes.freeze())
    }
}

impl PacketSource for StoreReader {
    fn packets(&mut self, first: u64, last: u64) -> Result<Vec<Packet>, String> {
        self.read(first, last)
    }
}

/// How many of the rows, at least one, are read in one go.
fn together(rows: &[Row], most: u64) -> usize {
    let Some(first) = rows.first() else { return 0 };
    let mut end = first.end();
    let mut count = 1;
    for row in &rows[1..] {
        let apart = row.place.checked_sub(end).filter(|apart| *apart <= NEAR);
        let fits = row.end().saturating_sub(first.place) <= most;
        if apart.is_none() || !fits || row.segment != first.segment {
            break;
        }
        end = row.end();
        count += 1;
    }
    count
}

/// Whether the file is a capture that is not compressed.
fn is_plain(file: &File) -> bool {
    let mut magic = [0; 4];
    read_at(file, &mut magic, 0).is_ok()
        && (magic == [0x0a, 0x0d, 0x0d, 0x0a] || Magic::parse(magic).is_some())
}

/// A file without a name, gone with its last handle. Not in `/tmp` unless the user says so by
/// TMPDIR: that is memory on many systems.
fn temporary() -> io::Result<File> {
    let large = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none()
        && let Ok(file) = tempfile::tempfile_in(large)
    {
        return Ok(file);
    }
    tempfile::tempfile()
}

impl Row {
    fn end(&self) -> u64 {
        self.place.saturating_add(self.captured.into())
    }

    fn to_bytes(self) -> [u8; ROW] {
        let mut bytes = [0; ROW];
        bytes[..8].copy_from_slice(&self.place.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.time.to_le_bytes());
        let words = [self.link, self.captured, self.original, self.segment];
        for (to, word) in bytes[16..].chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Row> {
        let u64_at = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let u32_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(Row {
            place: u64_at(0)?,
            time: u64_at(8)? as i64,
            link: u32_at(16)?,
            captured: u32_at(20)?,
            original: u32_at(24)?,
            segment: u32_at(28)?,
        })
    }
}
