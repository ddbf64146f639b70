//! Writing a capture that goes on: whole blocks only, so that the file can be read at any time, and
//! a new file when one is full.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::writer::PcapngWriter;
use crate::base::{Packet, Timestamp};

/// Bytes gathered before they are written, in one go.
const BUFFER: usize = 256 << 10;

/// When a file is full. The default is never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotateOptions {
    /// Most bytes of a file. A packet that is longer has a file of its own.
    pub max_bytes: Option<u64>,
    /// Most nanoseconds, in capture time, from a file's first packet to its last.
    pub max_ns: Option<i64>,
    /// Files kept: when there are more, the oldest is deleted.
    pub max_files: Option<usize>,
}

impl RotateOptions {
    /// Whether there can be more than one file.
    pub fn rotates(&self) -> bool {
        self.max_bytes.is_some() || self.max_ns.is_some()
    }
}

/// Writes packets to pcapng files, one after another.
///
/// What was written ends with a whole block at any time, also when the program is killed: what is
/// lost then is what was not [flushed](RotatingWriter::flush).
pub struct RotatingWriter {
    options: RotateOptions,
    /// Names the file of a number, from 1.
    name: Box<dyn FnMut(u32) -> PathBuf + Send>,
    interface: String,
    filter: Option<String>,
    number: u32,
    out: PcapngWriter<Blocks>,
    path: PathBuf,
    /// Time of the first packet of this file.
    first: Option<Timestamp>,
    last: Timestamp,
    /// Finished files that were not deleted.
    older: VecDeque<PathBuf>,
}

impl std::fmt::Debug for RotatingWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RotatingWriter({})", self.path.display())
    }
}

/// Gathers whole blocks.
#[derive(Debug)]
struct Blocks {
    file: File,
    gathered: Vec<u8>,
    written: u64,
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.gathered.is_empty() {
            self.file.write_all(&self.gathered)?;
            self.written += self.gathered.len() as u64;
            self.gathered.clear();
        }
        Ok(())
    }
}

impl RotatingWriter {
    /// Creates the first file. `name` is asked for the path of each file by its number, from 1;
    /// `interface` and `filter` are noted in the files.
    pub fn create(
        mut name: Box<dyn FnMut(u32) -> PathBuf + Send>,
        options: RotateOptions,
        interface: &str,
        filter: Option<&str>,
    ) -> io::Result<RotatingWriter> {
        let path = name(1);
        Ok(RotatingWriter {
            out: open(&path, interface, filter)?,
            options,
            name,
            interface: interface.to_owned(),
            filter: filter.map(str::to_owned),
            number: 1,
            path,
            first: None,
            last: Timestamp(0),
            older: VecDeque::new(),
        })
    }

    /// Writes a packet; begins a new file before it when this one is full.
    pub fn write(&mut self, packet: &Packet) -> io::Result<()> {
        if let Some(first) = self.first
            && self.is_full(first, packet)
        {
            self.rotate()?;
        }
        self.first.get_or_insert(packet.time);
        self.last = packet.time;
        self.out.write(packet)?;
        if self.out.out().gathered.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands what was written to the system: from then on it outlives this program.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.out().flush()
    }

    /// Ends the last file with the counts of the capture.
    pub fn finish(&mut self, received: u64, dropped: u64) -> io::Result<()> {
        self.out.write_statistics(self.last, received, dropped)?;
        self.flush()
    }

    /// The file that is being written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files there are, oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        self.older.iter().chain([&self.path]).cloned().collect()
    }

    fn is_full(&mut self, first: Timestamp, packet: &Packet) -> bool {
        let blocks = self.out.out();
        // A packet block is 32 bytes and the packet, padded.
        let block = 32 + packet.data.len().next_multiple_of(4) as u64;
        let bytes = blocks.written + blocks.gathered.len() as u64 + block;
        self.options.max_bytes.is_some_and(|max| bytes > max)
            || self.options.max_ns.is_some_and(|max| packet.time.nanos_since(first) >= max)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
        self.number += 1;
        let path = (self.name)(self.number);
        self.out = open(&path, &self.interface, self.filter.as_deref())?;
        self.first = None;
        self.older.push_back(std::mem::replace(&mut self.path, path));
        if let Some(max) = self.options.max_files {
            while self.older.len() >= max.max(1)
                && let Some(oldest) = self.older.pop_front()
            {
                // Someone may have taken it away before.
                let _ = std::fs::remove_file(oldest);
            }
        }
        Ok(())
    }
}

/// The new file with its section header, which is there at once: a file without a packet is a
/// capture too.
fn open(path: &Path, interface: &str, filter: Option<&str>) -> io::Result<PcapngWriter<Blocks>> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    let file = File::create(path).map_err(named)?;
    let blocks = Blocks { file, gathered: Vec::with_capacity(BUFFER), written: 0 };
    let mut out = PcapngWriter::new(blocks)?;
    out.captured_on(interface, filter);
    out.out().flush().map_err(named)?;
    Ok(out)
}
