//! A TCP (or TLS) connection that carries requests of tunnels.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use crate::base::{Direction, Timestamp};
use crate::transport::layer::Source;

use super::head::Verb;
use super::messages::Messages;
use super::tunnels::TunnelId;

/// Requests without an answer on one connection. Pipelining clients have a handful.
const MAX_PENDING: usize = 256;

/// Bytes of the server held back until the request that they answer is there: captures on several
/// queues swap packets of both directions.
pub const MAX_HELD: usize = 64 << 10;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Pending {
    pub tunnel: Option<TunnelId>,
    pub verb: Verb,
    pub seq: u64,
    /// Stream offset of its head.
    pub offset: u64,
}

/// A response on its way.
#[derive(Debug)]
pub struct Answer {
    pub to: Pending,
    pub status: u16,
    /// Whether its interval byte has come.
    pub begun: bool,
    /// Body bytes behind it.
    pub len: u64,
    /// The beginning of what is no part of the session: an id, an error.
    pub text: Vec<u8>,
    pub offset: u64,
}

/// State of a connection.
#[derive(Debug)]
pub struct Connection {
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub up: Messages,
    pub down: Messages,
    pub queue: VecDeque<Pending>,
    pub request: Option<Pending>,
    pub answer: Option<Answer>,
    pub held: VecDeque<(Timestamp, Source, Vec<u8>)>,
    pub held_bytes: usize,
    /// Nothing of the client was captured.
    pub alone: bool,
    pub heard_client: bool,
    pub lost_up: bool,
    pub lost_down: bool,
    /// The session of the last request.
    pub tunnel: Option<TunnelId>,
    pub tunnels: BTreeSet<TunnelId>,
    pub requests: u64,
    pub answers: u64,
    pub first_fin: Option<Direction>,
}

impl Connection {
    pub fn new(client: SocketAddr, server: SocketAddr) -> Connection {
        Connection {
            client,
            server,
            up: Messages::new(true),
            down: Messages::new(false),
            queue: VecDeque::new(),
            request: None,
            answer: None,
            held: VecDeque::new(),
            held_bytes: 0,
            alone: false,
            heard_client: false,
            lost_up: false,
            lost_down: false,
            tunnel: None,
            tunnels: BTreeSet::new(),
            requests: 0,
            answers: 0,
            first_fin: None,
        }
    }

    pub fn expect(&mut self, pending: Pending) {
        if self.queue.len() >= MAX_PENDING {
            self.queue.pop_front();
        }
        self.queue.push_back(pending);
    }

    /// Whether what the server says must wait for the request that it answers.
    pub fn must_wait(&self) -> bool {
        self.down.is_between() && self.queue.is_empty() && !self.alone && !self.lost_up
    }

    pub fn hold(&mut self, time: Timestamp, source: Source, bytes: &[u8]) {
        self.held_bytes += bytes.len();
        self.held.push_back((time, source, bytes.to_vec()));
        if self.held_bytes > MAX_HELD && !self.heard_client {
            self.alone = true;
        } else if self.held_bytes > MAX_HELD {
            self.lost_up = true;
        }
    }
}
