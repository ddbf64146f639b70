//! A TCP connection to a server under test: never blocks for longer than it is told, tells FIN from
//! RST, and records what travels.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;

use crate::base::Direction;

use super::transcript::{Clock, Transcript};

/// Bytes read from one connection. A server that sends more to a test floods it.
const MOST_READ: u64 = 64 << 20;

/// How the other side closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// An orderly end of the stream.
    Fin,
    /// A reset. Also what a server sends that closes with input unread.
    Rst,
}

impl Close {
    /// `FIN` or `RST`.
    pub fn name(self) -> &'static str {
        match self {
            Close::Fin => "FIN",
            Close::Rst => "RST",
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub struct LinkError {
    /// Where to.
    pub server: SocketAddr,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.server, self.error)
    }
}

impl std::error::Error for LinkError {}

/// What came of waiting for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// Bytes came.
    Bytes,
    /// The server has closed.
    Closed(Close),
    /// Nothing until the deadline.
    Nothing,
    /// The server has sent more than a test reads.
    Flood,
}

/// A connection.
#[derive(Debug)]
pub struct Link {
    socket: TcpStream,
    clock: Clock,
    transcript: Arc<Mutex<Transcript>>,
    inbox: Vec<u8>,
    sent: u64,
    received: u64,
    closed: Option<Close>,
}

/// Bytes that the kernel may hold for a reader who does not read.
const LITTLE: usize = 64 << 10;

impl Link {
    /// Connects.
    pub fn connect(server: SocketAddr, timeout: Duration, clock: Clock) -> Result<Link, LinkError> {
        let fail = |error| LinkError { server, error };
        let socket = TcpStream::connect_timeout(&server, timeout).map_err(fail)?;
        socket.set_nodelay(true).map_err(fail)?;
        socket.set_nonblocking(true).map_err(fail)?;
        let client = socket.local_addr().map_err(fail)?;
        let transcript = Transcript::new(client, server, clock.now());
        Ok(Link {
            socket,
            clock,
            transcript: Arc::new(Mutex::new(transcript)),
            inbox: Vec::new(),
            sent: 0,
            received: 0,
            closed: None,
        })
    }

    /// What travelled so far; it goes on being written.
    pub fn transcript(&self) -> Arc<Mutex<Transcript>> {
        Arc::clone(&self.transcript)
    }

    /// The clock of the transcript.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Bytes sent and received.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// How the server closed, if it has.
    pub fn closed(&self) -> Option<Close> {
        self.closed
    }

    /// Bytes that came since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.inbox)
    }

    /// Sends; reads meanwhile, since a server may not read before it could write. False when not
    /// all went out: the server has closed, or does not read.
    pub fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> bool {
        while !bytes.is_empty() {
            if self.closed.is_some() {
                return false;
            }
            match (&self.socket).write(bytes) {
                Ok(written) => {
                    let (out, rest) = bytes.split_at(written);
                    self.sent += written as u64;
                    self.record(Direction::ClientToServer, out);
                    bytes = rest;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.wait(PollFlags::IN | PollFlags::OUT, deadline) {
                        return false;
                    }
                    self.read_once();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    // What the server said before it closed is still to be read.
                    while self.read_once() == Filled::Bytes {}
                    if self.closed.is_none() {
                        self.close(Close::Rst);
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Waits for bytes until the deadline; [`Link::take`] has them.
    pub fn fill(&mut self, deadline: Instant) -> Filled {
        loop {
            match self.read_once() {
                Filled::Nothing => {}
                filled => return filled,
            }
            if !self.wait(PollFlags::IN, deadline) {
                return Filled::Nothing;
            }
        }
    }

    /// Lets the kernel hold little of what is not read. Left alone it holds up to tens of megabytes
    /// (Linux, `tcp_rmem`), and a peer would not notice that nobody reads.
    pub fn hold_little(&self) {
        let _ = SockRef::from(&self.socket).set_recv_buffer_size(LITTLE);
    }

    /// Ends our direction; the server's stays open.
    pub fn finish(&mut self) {
        // The server may be gone already: then there is nothing to end.
        let _ = self.socket.shutdown(Shutdown::Write);
    }

    /// Closes with a reset.
    pub fn reset(self) {
        // Without it, dropping the socket would be an orderly end.
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }

    fn note_end(&self) {
        let mut transcript = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        transcript.ended = Some(self.clock.now());
    }

    fn read_once(&mut self) -> Filled {
        if let Some(close) = self.closed {
            return Filled::Closed(close);
        }
        if self.received >= MOST_READ {
            return Filled::Flood;
        }
        // Delayed acknowledgements make a server that waits for one (Nagle) 40 ms slower per step.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(&self.socket).set_tcp_quickack(true);
        let mut buffer = [0; 16 << 10];
        match self.socket.read(&mut buffer) {
            Ok(0) => self.close(Close::Fin),
            Ok(count) => {
                self.received += count as u64;
                self.record(Direction::ServerToClient, &buffer[..count]);
                self.inbox.extend_from_slice(&buffer[..count]);
                Filled::Bytes
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Filled::Nothing
            }
            Err(_) => self.close(Close::Rst),
        }
    }

    fn close(&mut self, close: Close) -> Filled {
        self.closed = Some(close);
        let mut transcript = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        transcript.closed = Some((self.clock.now(), close));
        Filled::Closed(close)
    }

    fn record(&self, direction: Direction, bytes: &[u8]) {
        let mut transcript = self.transcript.lock().unwrap_or_else(PoisonError::into_inner);
        transcript.push(self.clock.now(), direction, bytes);
    }

    /// Whether the socket is ready before the deadline.
    fn wait(&self, flags: PollFlags, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            let mut fds = [PollFd::new(&self.socket, flags)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(ready) if ready > 0 => return true,
                Ok(_) => return false,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.note_end();
    }
}
