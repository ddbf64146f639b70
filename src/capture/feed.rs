//! Live capture in a thread of its own, so that nothing that decoding or a screen does keeps it from
//! reading what the kernel holds.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::live::{DropCounts, Live};
use super::merge::Next;
use super::rotate::RotatingWriter;
use super::stop::StopFlag;
use crate::base::Packet;

/// Bytes of packets that wait to be decoded. When they are reached the kernel's buffer fills, and
/// when that is full too, packets are dropped and counted.
const MAX_WAITING: usize = 64 << 20;
/// What a packet costs beside its bytes.
const OVERHEAD: usize = 128;
/// Packets handed over at once.
const BATCH: usize = 256;
/// How often counters are read and the file is flushed.
const EVERY: Duration = Duration::from_millis(100);

/// How a live capture stands.
#[derive(Clone, Debug, Default)]
pub struct FeedStatus {
    /// Packets captured.
    pub packets: u64,
    /// Bytes captured.
    pub bytes: u64,
    /// Bytes that wait to be decoded.
    pub waiting: usize,
    /// What was lost before it could be read.
    pub drops: DropCounts,
    /// The file that is being written, if any.
    pub file: Option<PathBuf>,
    /// What went wrong, a line each: the capture ended by itself, the file cannot be written any
    /// more (the capture goes on then).
    pub errors: Vec<String>,
}

/// When a live capture ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedLimits {
    /// After so many packets.
    pub packets: Option<u64>,
    /// After so long.
    pub time: Option<Duration>,
}

#[derive(Default)]
struct State {
    packets: VecDeque<Packet>,
    status: FeedStatus,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A live capture that goes on by itself; packets are taken from it in order.
pub struct LiveFeed {
    shared: Arc<Shared>,
    /// Taken over and not handed on yet.
    taken: VecDeque<Packet>,
    stop: StopFlag,
    thread: Option<JoinHandle<()>>,
}

impl LiveFeed {
    /// Begins; every packet is written to `writer` too, before it is handed on. `stop` is what
    /// `live` was opened with.
    pub fn start(
        live: Live,
        writer: Option<RotatingWriter>,
        limits: FeedLimits,
        stop: StopFlag,
    ) -> std::io::Result<LiveFeed> {
        let shared = Arc::new(Shared::default());
        let worker =
            Worker { live, writer, limits, stop: stop.clone(), shared: Arc::clone(&shared) };
        let thread = thread::Builder::new().name("capture".into()).spawn(move || worker.run())?;
        Ok(LiveFeed { shared, taken: VecDeque::new(), stop, thread: Some(thread) })
    }

    /// The next packet, if it comes within `timeout`. [`Next::End`] when the capture has ended and
    /// everything was handed on.
    pub fn poll_packet(&mut self, timeout: Duration) -> Next {
        if let Some(packet) = self.taken.pop_front() {
            return Next::Packet(packet);
        }
        let mut state = self.shared.state();
        if state.packets.is_empty() && !state.ended {
            let idle = |state: &mut State| state.packets.is_empty() && !state.ended;
            state = match self.shared.filled.wait_timeout_while(state, timeout, idle) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let ended = state.ended;
        std::mem::swap(&mut self.taken, &mut state.packets);
        state.status.waiting = 0;
        drop(state);
        self.shared.emptied.notify_one();
        match self.taken.pop_front() {
            Some(packet) => Next::Packet(packet),
            None if ended => Next::End,
            None => Next::Idle,
        }
    }

    /// How the capture stands.
    pub fn status(&self) -> FeedStatus {
        self.shared.state().status.clone()
    }
}

impl Drop for LiveFeed {
    fn drop(&mut self) {
        self.stop.stop();
        self.shared.emptied.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed by its own thread.
            let _ = thread.join();
        }
    }
}

struct Worker {
    live: Live,
    writer: Option<RotatingWriter>,
    limits: FeedLimits,
    stop: StopFlag,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(mut self) {
        let begin = Instant::now();
        let mut looked = begin;
        let mut batch = Vec::with_capacity(BATCH);
        let mut count = 0;
        self.look();
        loop {
            let over = self.limits.packets.is_some_and(|max| count >= max)
                || self.limits.time.is_some_and(|max| begin.elapsed() >= max);
            // Waits only when there is nothing to hand over.
            let wait = if batch.is_empty() { EVERY / 2 } else { Duration::ZERO };
            let next = if over { Next::End } else { self.live.poll_packet(wait) };
            let ended = matches!(next, Next::End);
            let idle = matches!(next, Next::Idle);
            if let Next::Packet(packet) = next {
                count += 1;
                self.write(&packet);
                batch.push(packet);
            }
            if ended || idle || batch.len() >= BATCH {
                self.hand_over(&mut batch);
            }
            if looked.elapsed() >= EVERY {
                looked = Instant::now();
                self.look();
            }
            if ended {
                break;
            }
        }
        self.finish();
    }

    fn write(&mut self, packet: &Packet) {
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.write(packet)
        {
            self.lose_writer(&error);
        }
    }

    fn lose_writer(&mut self, error: &std::io::Error) {
        if let Some(writer) = self.writer.take() {
            let line = format!(
                "cannot write {}: {error}; the capture goes on without it",
                writer.path().display()
            );
            self.shared.state().status.errors.push(line);
        }
    }

    /// Waits while too much waits to be decoded.
    fn hand_over(&mut self, batch: &mut Vec<Packet>) {
        if batch.is_empty() {
            return;
        }
        let bytes: usize = batch.iter().map(|packet| packet.data.len()).sum();
        let cost = bytes + batch.len() * OVERHEAD;
        let mut state = self.shared.state();
        while state.status.waiting > MAX_WAITING && !self.stop.is_set() {
            state = match self.shared.emptied.wait_timeout(state, EVERY) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        state.status.packets += batch.len() as u64;
        state.status.bytes += bytes as u64;
        state.status.waiting += cost;
        state.packets.extend(batch.drain(..));
        drop(state);
        self.shared.filled.notify_one();
    }

    /// Reads the counters and flushes the file.
    fn look(&mut self) {
        let drops = self.live.drops();
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.flush()
        {
            self.lose_writer(&error);
        }
        let file = self.writer.as_ref().map(|writer| writer.path().to_owned());
        let mut state = self.shared.state();
        state.status.drops = drops;
        state.status.file = file;
    }

    fn finish(&mut self) {
        self.look();
        let drops = self.live.drops();
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.finish(drops.received, drops.by_kernel + drops.by_interface)
        {
            self.lose_writer(&error);
        }
        let mut state = self.shared.state();
        if let Some(error) = self.live.error() {
            state.status.errors.push(error.to_string());
        }
        state.ended = true;
        drop(state);
        self.shared.filled.notify_one();
    }
}
