//! Opening captures, and merging several by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::blocks::{Wait, Window};
use super::error::{CaptureError, OpenError};
use super::input::{Input, Watch};
use super::log::{Comment, CommentPlace, Interface, Log, Secret};
use super::source::{Source, Step};
use super::stop::{Progress, StopFlag};
use crate::base::{Packet, Timestamp};

/// Bytes read ahead at once from a single input: large enough for few system calls and wake-ups,
/// small enough that what is in flight stays in a processor's cache.
const BLOCK: usize = 512 << 10;
/// The same for each of several inputs.
const BLOCK_OF_MANY: usize = 128 << 10;
/// Bytes read to learn the time of a file's first packet.
const GLANCE: usize = 16 << 10;
/// How long a silent followed input holds up the packets of the others.
const PATIENCE: Duration = Duration::from_millis(300);

/// How to open.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// At the end of a file wait for it to grow, until [`stop`](OpenOptions::stop) is set.
    pub follow: bool,
    /// Ends a run that waits: for a followed file to grow, or for a pipe. What was captured until
    /// then is still handed on.
    pub stop: StopFlag,
}

/// What a bounded wait for a packet came to.
#[derive(Debug)]
pub enum Next {
    /// A packet.
    Packet(Packet),
    /// None came in time; more may come.
    Idle,
    /// There are no more.
    End,
}

/// A run over one or more capture inputs: packets in time order, and what else was learnt.
///
/// Packets share the memory of the blocks they were read in. A packet kept for long keeps its whole
/// block (half a MiB) alive: copy its data instead.
pub struct Capture {
    slots: Vec<Slot>,
    /// Next packet times, earliest first; equal times in the order of the inputs.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Inputs that owe their next packet.
    owing: Vec<usize>,
    log: Log,
    frames: u64,
    progress: Progress,
    follow: bool,
}

/// One of the inputs.
struct Slot {
    state: State,
    head: Option<Head>,
    /// Since when a followed input has been silent.
    silent: Option<Instant>,
}

struct Head {
    packet: Packet,
    comments: Vec<String>,
}

enum State {
    /// Not opened for good yet: of many rotated files only those whose time has come hold memory.
    Waiting(Input, Watch),
    Open(Box<Source>),
    Over,
}

impl Capture {
    /// Opens the inputs; several are merged by capture time, each in its own order.
    ///
    /// Fails when one cannot be opened. Whether it is a capture is found out while reading, which
    /// for a pipe may take long.
    pub fn open(inputs: Vec<Input>, options: OpenOptions) -> Result<Capture, OpenError> {
        let sizes = inputs.iter().map(Input::file_size).collect::<Vec<_>>();
        let total = if options.follow { None } else { sizes.iter().copied().sum::<Option<u64>>() };
        let progress = Progress::with_total(total);
        let names = inputs.iter().map(Input::name).collect();
        let alone = inputs.len() == 1;
        let mut capture = Capture {
            slots: Vec::with_capacity(inputs.len()),
            heads: BinaryHeap::new(),
            owing: Vec::new(),
            log: Log::new(names),
            frames: 0,
            progress: progress.clone(),
            follow: options.follow,
        };
        for (index, (input, size)) in inputs.into_iter().zip(sizes).enumerate() {
            let watch = Watch {
                follow: options.follow && size.is_some(),
                stop: options.stop.clone(),
                closed: Arc::new(AtomicBool::new(false)),
                progress: progress.clone(),
            };
            let state = match input {
                Input::Path(path) if !alone && !options.follow && size.is_some() => {
                    let first = first_time(Input::Path(path.clone()))?;
                    // Without a packet it goes first, to tell why.
                    capture.heads.push(Reverse((first.unwrap_or(Timestamp(i64::MIN)), index)));
                    State::Waiting(Input::Path(path), watch)
                }
                input => {
                    capture.owing.push(index);
                    let block = if alone { BLOCK } else { BLOCK_OF_MANY };
                    let source = input.open(watch.clone())?;
                    let window = Window::threaded(source, watch, block);
                    State::Open(Box::new(Source::new(index, window)))
                }
            };
            capture.slots.push(Slot { state, head: None, silent: None });
        }
        Ok(capture)
    }

    /// The next packet; waits for it as long as it takes.
    #[inline]
    pub fn next_packet(&mut self) -> Option<Packet> {
        match self.next(Wait::Forever) {
            Next::Packet(packet) => Some(packet),
            _ => None,
        }
    }

    /// The next packet, if it comes within `timeout`: for output that should be flushed, or a
    /// screen that should be drawn, while a pipe is silent.
    pub fn poll_packet(&mut self, timeout: Duration) -> Next {
        // Far ahead is for ever.
        self.next(Instant::now().checked_add(timeout).map_or(Wait::Forever, Wait::Until))
    }

    /// Problems so far, in the order they were met.
    pub fn errors(&self) -> &[CaptureError] {
        &self.log.errors
    }

    /// Comments of pcapng inputs so far.
    pub fn comments(&self) -> &[Comment] {
        &self.log.comments
    }

    /// Decryption secrets of pcapng inputs so far.
    pub fn secrets(&self) -> &[Secret] {
        &self.log.secrets
    }

    /// Interfaces of the inputs so far.
    pub fn interfaces(&self) -> &[Interface] {
        &self.log.interfaces
    }

    /// A handle that tells how far reading is.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Packets handed on so far.
    pub fn packets(&self) -> u64 {
        self.frames
    }

    /// Where in the input, uncompressed, the data of the packet handed on last begins; `None` with
    /// several inputs. For a [`StoreWriter`](super::StoreWriter).
    #[inline]
    pub fn position(&self) -> Option<u64> {
        match self.slots.as_slice() {
            [Slot { state: State::Open(source), .. }] if self.frames > 0 => {
                Some(source.stream.window.shared())
            }
            _ => None,
        }
    }

    #[inline]
    fn next(&mut self, wait: Wait) -> Next {
        if let [Slot { state: State::Open(source), .. }] = self.slots.as_mut_slice() {
            return match source.next(&mut self.log, wait) {
                Step::Packet(mut packet) => {
                    self.frames += 1;
                    packet.frame = self.frames;
                    if !source.stream.comments.is_empty() {
                        let comments = std::mem::take(&mut source.stream.comments);
                        self.keep_comments(0, comments);
                    }
                    Next::Packet(packet)
                }
                Step::Pending => Next::Idle,
                Step::End => Next::End,
            };
        }
        self.next_of_many(wait)
    }

    fn keep_comments(&mut self, index: usize, comments: Vec<String>) {
        if let State::Open(source) = &self.slots[index].state {
            for text in comments {
                self.log.comment(source.stream.spot(), CommentPlace::Packet(self.frames), text);
            }
        }
    }

    fn next_of_many(&mut self, wait: Wait) -> Next {
        loop {
            if !self.collect(wait) {
                return Next::Idle;
            }
            let Some(Reverse((_, index))) = self.heads.pop() else {
                if self.owing.is_empty() {
                    return Next::End;
                }
                continue;
            };
            if !self.owing.contains(&index) {
                self.owing.push(index);
            }
            let slot = &mut self.slots[index];
            if let Some(Head { mut packet, comments }) = slot.head.take() {
                self.frames += 1;
                packet.frame = self.frames;
                self.keep_comments(index, comments);
                return Next::Packet(packet);
            }
            // Its time has come.
            if let State::Waiting(input, watch) = std::mem::replace(&mut slot.state, State::Over) {
                match input.open(watch.clone()) {
                    Ok(source) => {
                        let window = Window::threaded(source, watch, BLOCK_OF_MANY);
                        slot.state = State::Open(Box::new(Source::new(index, window)));
                    }
                    Err(error) => {
                        let at = super::log::Spot { input: index, offset: 0, packets: 0 };
                        let message = error.source.to_string();
                        self.log.error(at, super::error::CaptureErrorKind::Read { message });
                    }
                }
            }
        }
    }

    /// Gets the next packet of every input that owes one. Whether it is known, or waited for long
    /// enough, which packet comes next.
    fn collect(&mut self, wait: Wait) -> bool {
        let mut at = 0;
        while let Some(&index) = self.owing.get(at) {
            let Slot { state: State::Open(source), head, silent } = &mut self.slots[index] else {
                self.owing.swap_remove(at);
                continue;
            };
            // Only a followed input may stay silent for good.
            let patience = match (self.follow, wait) {
                (false, wait) => wait,
                (true, wait) => {
                    let enough = *silent.get_or_insert_with(Instant::now) + PATIENCE;
                    // When nothing is at hand, waiting for this one costs nobody anything.
                    let enough = match self.heads.is_empty() {
                        true => enough.max(Instant::now() + PATIENCE / 10),
                        false => enough,
                    };
                    match wait {
                        Wait::Until(when) => Wait::Until(when.min(enough)),
                        Wait::Forever => Wait::Until(enough),
                    }
                }
            };
            match source.next(&mut self.log, patience) {
                Step::Packet(packet) => {
                    let comments = std::mem::take(&mut source.stream.comments);
                    self.heads.push(Reverse((packet.time, index)));
                    *head = Some(Head { packet, comments });
                    *silent = None;
                    self.owing.swap_remove(at);
                }
                Step::End => {
                    self.slots[index].state = State::Over;
                    self.owing.swap_remove(at);
                }
                Step::Pending => {
                    let late = matches!(wait, Wait::Until(when) if Instant::now() >= when);
                    if !self.follow || (late && self.heads.is_empty()) {
                        return false;
                    }
                    at += 1;
                }
            }
        }
        true
    }
}

impl Iterator for Capture {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        self.next_packet()
    }
}

/// The time of the first packet of a file; `None` when it has none that can be read at once.
fn first_time(input: Input) -> Result<Option<Timestamp>, OpenError> {
    let watch = Watch::default();
    let source = input.open(watch.clone())?;
    let mut source = Source::new(0, Window::inline(source, watch, GLANCE));
    match source.next(&mut Log::new(vec![String::new()]), Wait::Forever) {
        Step::Packet(packet) => Ok(Some(packet.time)),
        _ => Ok(None),
    }
}
