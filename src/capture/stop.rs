//! Handles that outlive a call: to end a run from elsewhere, and to watch how far it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Ends reading from another thread or a signal handler; clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// A flag that is not set.
    pub fn new() -> StopFlag {
        StopFlag::default()
    }

    /// Asks the reader to end: what was captured so far is still handed on.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether [`stop`](StopFlag::stop) was called.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Debug, Default)]
struct Counters {
    read: AtomicU64,
    /// 0 when unknown.
    total: AtomicU64,
}

/// How much of the inputs has been read; clones watch the same run from any thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

impl Progress {
    pub(super) fn with_total(total: Option<u64>) -> Progress {
        let progress = Progress::default();
        progress.0.total.store(total.unwrap_or(0), Ordering::Relaxed);
        progress
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes read from the inputs, as they are stored (compressed bytes of a compressed input).
    /// Reading runs a few MiB ahead of the packets handed on.
    pub fn bytes_read(&self) -> u64 {
        self.0.read.load(Ordering::Relaxed)
    }

    /// Bytes that all inputs hold together; unknown with a pipe, and when following.
    pub fn bytes_total(&self) -> Option<u64> {
        Some(self.0.total.load(Ordering::Relaxed)).filter(|&total| total > 0)
    }
}
