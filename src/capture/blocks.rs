//! A thread reads ahead in large blocks; packets are slices of them.
//!
//! Two things make this fast: no byte is copied after `read`, and blocks are used again as soon as
//! no packet refers to them, so that a gigabyte passes through a few MiB of warm memory.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};

use super::error::CaptureErrorKind;
use super::input::{ByteSource, Watch};

/// Room kept free before the bytes of a block, for the start of a record that the block before it
/// cuts: a full-size segment with offload still fits.
const HEADROOM: usize = 64 << 10;
/// Reads go to a page boundary: the kernel copies measurably faster to one.
const PAGE: usize = 4096;
/// Blocks read ahead.
const SLOTS: usize = 2;
/// Blocks kept for reuse while packets still refer to them; older ones are left to their packets.
const MAX_RETIRED: usize = 24;
/// How often a wait looks at the stop flag.
const STOP_POLL: Duration = Duration::from_millis(50);

enum Piece {
    /// A large block: bytes `start..end` of `data` count, at least [`HEADROOM`] is before them, and
    /// all of `data` is initialised, so that it can be read into again without clearing it.
    Block {
        data: BytesMut,
        start: usize,
        end: usize,
    },
    /// What little a read returned, in memory of its own: a slow pipe would otherwise pin a whole
    /// block for each packet.
    Small(Bytes),
    Failed(CaptureErrorKind),
}

/// Reads blocks.
struct Pump {
    source: ByteSource,
    reuse: Receiver<BytesMut>,
    block_size: usize,
    /// Filled before, not handed on.
    spare: Option<BytesMut>,
    done: bool,
}

impl Pump {
    fn next(&mut self) -> Option<Piece> {
        if self.done {
            return None;
        }
        let spare = self.spare.take().or_else(|| self.reuse.try_recv().ok());
        let whole = HEADROOM + PAGE + self.block_size;
        let mut data = spare.unwrap_or_else(|| BytesMut::zeroed(whole));
        let start = HEADROOM + data[HEADROOM..].as_ptr().align_offset(PAGE).min(PAGE);
        let full = start + self.block_size;
        let mut end = start;
        while end < full {
            match self.source.read(&mut data[end..full]) {
                Ok(0) => {
                    self.done = true;
                    break;
                }
                Ok(n) => end += n,
                Err(kind) if end == start => {
                    self.done = true;
                    return Some(Piece::Failed(kind));
                }
                // The bytes before the failure go first; the source ends after a failure, so the
                // failure itself has to be kept.
                Err(kind) => {
                    self.source.failure = Some(kind);
                    break;
                }
            }
            if self.source.prompt {
                break;
            }
        }
        if end == start {
            return None;
        }
        if end - start < self.block_size / 4 {
            let small = Bytes::copy_from_slice(&data[start..end]);
            self.spare = Some(data);
            return Some(Piece::Small(small));
        }
        Some(Piece::Block { data, start, end })
    }
}

enum Feed {
    Thread {
        pieces: Receiver<Piece>,
        reuse: Sender<BytesMut>,
    },
    /// In this thread, for a short look.
    Inline {
        pump: Box<Pump>,
        reuse: Sender<BytesMut>,
    },
}

/// How long a call may wait for bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    Forever,
    Until(Instant),
}

/// What a call for more bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// As many as asked for are there.
    Ready,
    /// The input ended; so many are left.
    End(usize),
    /// Not yet.
    Pending,
}

/// The unread bytes of an input, as far as they are here.
pub(super) struct Window {
    feed: Feed,
    watch: Watch,
    block: Bytes,
    pos: usize,
    end: usize,
    /// Position of `pos` in the input.
    offset: u64,
    /// Position of what was shared last in the input.
    shared: u64,
    /// `block` is one of the large blocks, whole.
    recyclable: bool,
    retired: VecDeque<Bytes>,
    ended: bool,
    failure: Option<CaptureErrorKind>,
}

impl Window {
    /// Reads in a thread of its own.
    pub(super) fn threaded(source: ByteSource, watch: Watch, block_size: usize) -> Window {
        let (reuse, returned) = mpsc::channel();
        let (to, pieces): (SyncSender<Piece>, _) = mpsc::sync_channel(SLOTS);
        let mut pump = Pump { source, reuse: returned, block_size, spare: None, done: false };
        thread::spawn(move || {
            while let Some(piece) = pump.next() {
                if to.send(piece).is_err() {
                    break;
                }
            }
        });
        Window::new(Feed::Thread { pieces, reuse }, watch)
    }

    /// Reads in the calling thread.
    pub(super) fn inline(source: ByteSource, watch: Watch, block_size: usize) -> Window {
        let (reuse, returned) = mpsc::channel();
        let pump = Pump { source, reuse: returned, block_size, spare: None, done: false };
        Window::new(Feed::Inline { pump: Box::new(pump), reuse }, watch)
    }

    fn new(feed: Feed, watch: Watch) -> Window {
        Window {
            feed,
            watch,
            block: Bytes::new(),
            pos: 0,
            end: 0,
            offset: 0,
            shared: 0,
            recyclable: false,
            retired: VecDeque::new(),
            ended: false,
            failure: None,
        }
    }

    /// The bytes that are here.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.block[self.pos..self.end]
    }

    /// Position of the first of [`bytes`](Window::bytes) in the input.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// A part of [`bytes`](Window::bytes), shared.
    #[inline]
    pub(super) fn share(&mut self, from: usize, len: usize) -> Bytes {
        self.shared = self.offset + from as u64;
        let from = self.pos + from;
        self.block.slice(from..from + len)
    }

    /// Position in the input of what was [shared](Window::share) last.
    pub(super) fn shared(&self) -> u64 {
        self.shared
    }

    /// Goes past `n` of [`bytes`](Window::bytes).
    #[inline]
    pub(super) fn skip(&mut self, n: usize) {
        debug_assert!(n <= self.end - self.pos);
        self.pos += n;
        self.offset += n as u64;
    }

    /// Why the input ended early; told once.
    pub(super) fn take_failure(&mut self) -> Option<CaptureErrorKind> {
        self.failure.take()
    }

    /// Whether the end that was met is one that was asked for, so that half a record is no damage.
    pub(super) fn was_stopped(&self) -> bool {
        self.watch.stop.is_set()
    }

    /// Makes at least `n` bytes be here.
    #[inline]
    pub(super) fn fill(&mut self, n: usize, wait: Wait) -> Fill {
        if self.end - self.pos >= n { Fill::Ready } else { self.fill_slowly(n, wait) }
    }

    #[cold]
    fn fill_slowly(&mut self, n: usize, wait: Wait) -> Fill {
        while self.end - self.pos < n {
            if self.ended {
                return Fill::End(self.end - self.pos);
            }
            match self.receive(wait) {
                Ok(Some(Piece::Failed(kind))) => {
                    self.failure = Some(kind);
                    self.ended = true;
                }
                Ok(Some(piece)) => self.accept(piece),
                Ok(None) => self.ended = true,
                Err(Waited) => return Fill::Pending,
            }
        }
        Fill::Ready
    }

    fn receive(&mut self, wait: Wait) -> Result<Option<Piece>, Waited> {
        let pieces = match &mut self.feed {
            Feed::Inline { pump, .. } => return Ok(pump.next()),
            Feed::Thread { pieces, .. } => pieces,
        };
        match pieces.try_recv() {
            Ok(piece) => return Ok(Some(piece)),
            Err(TryRecvError::Disconnected) => return Ok(None),
            Err(TryRecvError::Empty) => {}
        }
        loop {
            let left = match wait {
                Wait::Forever => STOP_POLL,
                Wait::Until(when) => when.saturating_duration_since(Instant::now()).min(STOP_POLL),
            };
            match pieces.recv_timeout(left) {
                Ok(piece) => return Ok(Some(piece)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // A followed file ends by itself, after what was written until then; a pipe may be
            // silent for ever.
            if self.watch.stop.is_set() && !self.watch.follow {
                return Ok(None);
            }
            if matches!(wait, Wait::Until(when) if Instant::now() >= when) {
                return Err(Waited);
            }
        }
    }

    /// Puts a piece behind the bytes that are here.
    fn accept(&mut self, piece: Piece) {
        let carry = self.end - self.pos;
        match piece {
            Piece::Small(small) if carry == 0 => {
                let end = small.len();
                self.replace(small, 0, end, false);
            }
            Piece::Small(small) => self.join(&small),
            Piece::Block { mut data, start, end } if carry <= start => {
                data[start - carry..start].copy_from_slice(self.bytes());
                self.replace(data.freeze(), start - carry, end, true);
            }
            Piece::Block { data, start, end } => {
                self.join(&data[start..end]);
                self.give_back(data);
            }
            Piece::Failed(kind) => self.failure = Some(kind),
        }
    }

    fn replace(&mut self, block: Bytes, pos: usize, end: usize, recyclable: bool) {
        let old = std::mem::replace(&mut self.block, block);
        if self.recyclable {
            self.retired.push_back(old);
        }
        (self.pos, self.end, self.recyclable) = (pos, end, recyclable);
        for _ in 0..self.retired.len() {
            let Some(oldest) = self.retired.pop_front() else { break };
            match oldest.try_into_mut() {
                Ok(free) => self.give_back(free),
                Err(held) => self.retired.push_back(held),
            }
        }
        if self.retired.len() > MAX_RETIRED {
            self.retired.pop_front();
        }
    }

    fn give_back(&mut self, block: BytesMut) {
        match &self.feed {
            Feed::Thread { reuse, .. } | Feed::Inline { reuse, .. } => {
                // Fails when the thread has ended, and then needs none.
                let _ = reuse.send(block);
            }
        }
    }

    /// A record longer than the headroom: joins pieces, growing only by bytes that are there.
    fn join(&mut self, more: &[u8]) {
        let block = std::mem::take(&mut self.block);
        let mut joined = match block.try_into_mut() {
            // No packet refers to it: it grows in place, so that many small pieces cost linear time.
            Ok(mut own) if !self.recyclable => {
                own.truncate(self.end);
                own.advance(self.pos);
                own
            }
            Ok(own) => {
                let carry = BytesMut::from(&own[self.pos..self.end]);
                self.give_back(own);
                carry
            }
            Err(held) => {
                let carry = BytesMut::from(&held[self.pos..self.end]);
                if self.recyclable {
                    self.retired.push_back(held);
                }
                carry
            }
        };
        joined.extend_from_slice(more);
        (self.pos, self.end, self.recyclable) = (0, joined.len(), false);
        self.block = joined.freeze();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Ends a thread that waits for a file to grow.
        self.watch.closed.store(true, Ordering::SeqCst);
    }
}

struct Waited;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{Cursor, Read};

    use super::super::input::Input;
    use super::*;

    fn window(reader: impl Read + Send + 'static, prompt: bool, block_size: usize) -> Window {
        let watch = Watch::default();
        let input = Input::Reader(Box::new(reader));
        let mut source = input.open(watch.clone()).expect("a reader opens");
        source.prompt = prompt;
        Window::inline(source, watch, block_size)
    }

    /// Blocks pass through the same memory again, unless a packet still needs it.
    #[test]
    fn blocks_are_used_again() {
        for held in [0, 3] {
            let bytes: Vec<u8> = (0..8_u32 << 20).map(|i| (i / 1000) as u8).collect();
            let mut window = window(Cursor::new(bytes.clone()), false, 64 << 10);
            let mut places = HashSet::new();
            let mut kept = VecDeque::new();
            let mut at = 0;
            while window.fill(1000, Wait::Forever) == Fill::Ready {
                let packet = window.share(0, 1000);
                window.skip(1000);
                places.insert(packet.as_ptr() as usize / (32 << 10));
                kept.push_back((at, packet));
                at += 1000;
                if kept.len() > held * 64 {
                    kept.pop_front();
                }
                assert!(kept.iter().take(2).all(|(at, p)| p == &bytes[*at..at + 1000]));
            }
            assert_eq!(at, bytes.len() / 1000 * 1000);
            // 128 blocks were read.
            assert!(places.len() < 40, "{held}: {}", places.len());
        }
    }

    #[test]
    fn small_reads_do_not_pin_large_blocks() {
        let mut window = window(Cursor::new(vec![7; 10_000]), true, 1 << 20);
        assert_eq!(window.fill(5_000, Wait::Forever), Fill::Ready);
        assert!(!window.recyclable);
        assert_eq!(window.fill(20_000, Wait::Forever), Fill::End(10_000));
    }

    /// An item far longer than a block, in tiny pieces, costs linear time.
    #[test]
    fn a_long_item_is_joined_in_linear_time() {
        struct Tiny(usize);
        impl Read for Tiny {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                let n = buf.len().min(100).min(self.0);
                buf[..n].fill(3);
                self.0 -= n;
                Ok(n)
            }
        }
        let start = Instant::now();
        let mut window = window(Tiny(12 << 20), true, 64 << 10);
        assert_eq!(window.fill(12 << 20, Wait::Forever), Fill::Ready);
        assert!(window.bytes().iter().all(|&b| b == 3));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}
