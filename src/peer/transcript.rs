//! What travelled on a connection, with times: for `--verbose`, reports and pcapng files.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Direction, Timestamp};

use super::Close;

/// Bytes kept of one connection. What comes after is counted only.
const KEPT: usize = 16 << 20;

/// Wall-clock times that never go backwards.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: i64,
    started: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Clock {
        let base = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { base: i64::try_from(base.as_nanos()).unwrap_or(i64::MAX), started: Instant::now() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.started.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.base.saturating_add(passed))
    }
}

/// Bytes of one read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// Who sent them.
    pub direction: Direction,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The exchange of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// Our address.
    pub client: SocketAddr,
    /// The server's address.
    pub server: SocketAddr,
    /// When the connection was there.
    pub opened: Timestamp,
    /// What travelled, in order.
    pub entries: Vec<Entry>,
    /// When and how the server closed, if it did.
    pub closed: Option<(Timestamp, Close)>,
    /// When we closed, if we have.
    pub ended: Option<Timestamp>,
    /// Bytes beyond the most that are kept.
    pub dropped: u64,
    kept: usize,
}

impl Transcript {
    /// Of a connection that has just been opened.
    pub fn new(client: SocketAddr, server: SocketAddr, opened: Timestamp) -> Transcript {
        Transcript {
            ended: None,
            client,
            server,
            opened,
            entries: Vec::new(),
            closed: None,
            dropped: 0,
            kept: 0,
        }
    }

    /// Adds bytes.
    pub fn push(&mut self, time: Timestamp, direction: Direction, bytes: &[u8]) {
        let room = KEPT - self.kept;
        let (kept, rest) = bytes.split_at(bytes.len().min(room));
        self.dropped += rest.len() as u64;
        self.kept += kept.len();
        if !kept.is_empty() {
            self.entries.push(Entry { time, direction, bytes: kept.to_vec() });
        }
    }

    /// Keeps the first `kept` bytes only: of a case that passed nobody reads the media.
    pub fn trim(&mut self, kept: usize) {
        let mut left = kept;
        let mut cut = 0;
        self.entries.retain_mut(|entry| {
            let keep = entry.bytes.len().min(left);
            cut += (entry.bytes.len() - keep) as u64;
            left -= keep;
            entry.bytes.truncate(keep);
            keep > 0
        });
        self.dropped += cut;
    }

    /// All bytes of a direction.
    pub fn bytes(&self, direction: Direction) -> Vec<u8> {
        let of = self.entries.iter().filter(|entry| entry.direction == direction);
        of.flat_map(|entry| entry.bytes.iter().copied()).collect()
    }
}
