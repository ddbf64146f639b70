//! A session within HTTP.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::base::{Direction, Timestamp};
use crate::flow::FlowId;
use crate::transport::layer::{At, Fact, FactValue, Item};

use super::head::Verb;
use super::order::{Oddity, Order, Piece};

/// What is known of a session.
#[derive(Debug)]
pub struct Tunnel {
    pub id: Option<String>,
    pub client: SocketAddr,
    pub server: SocketAddr,
    pub up: Order,
    pub down: Order,
    pub flows: BTreeSet<FlowId>,
    /// Flows that have not ended.
    pub open_flows: usize,
    /// Whether anything but ident was asked.
    pub only_ident: bool,
    pub refused: bool,
    /// Whether a request within the session was answered well.
    pub served: bool,
    pub closed: bool,
    /// A connection that the server closed after so many answers, as long as nothing follows.
    pub server_closed_after: Option<u64>,
    pub last: Timestamp,
    pub last_seq: Option<u64>,
    pub count: Count,
}

/// What polling costs.
#[derive(Debug, Default)]
pub struct Count {
    pub sends: u64,
    pub idles: u64,
    pub closes: u64,
    pub empty_answers: u64,
    /// Bytes of the session.
    pub payload: [u64; 2],
    /// Bytes of HTTP that carried them.
    pub http: [u64; 2],
    first: Option<Timestamp>,
    interval_max: u8,
}

impl Tunnel {
    pub fn new(client: SocketAddr, server: SocketAddr, time: Timestamp) -> Tunnel {
        Tunnel {
            id: None,
            client,
            server,
            up: Order::default(),
            down: Order::default(),
            flows: BTreeSet::new(),
            open_flows: 0,
            only_ident: true,
            refused: false,
            served: false,
            closed: false,
            server_closed_after: None,
            last: time,
            last_seq: None,
            count: Count::default(),
        }
    }

    /// Counts a request.
    pub fn asked(&mut self, verb: Verb, time: Timestamp) {
        self.only_ident &= verb == Verb::Ident;
        self.server_closed_after = None;
        self.last = time;
        let count = &mut self.count;
        count.first.get_or_insert(time);
        match verb {
            Verb::Send => count.sends += 1,
            Verb::Idle => count.idles += 1,
            Verb::Close => count.closes += 1,
            Verb::Ident | Verb::Open | Verb::Other => {}
        }
    }

    pub fn interval(&mut self, value: u8) {
        self.count.interval_max = self.count.interval_max.max(value);
    }

    /// Runs `work` on one direction's bodies and hands on what becomes due, and what is odd.
    pub fn order(
        &mut self,
        at: At,
        sink: &mut dyn FnMut(Item<'_>),
        work: impl FnOnce(&mut Order, &mut dyn FnMut(Piece<'_>)),
    ) {
        let At { direction, time: now, .. } = at;
        let order = match direction {
            Direction::ClientToServer => &mut self.up,
            Direction::ServerToClient => &mut self.down,
        };
        let payload = &mut self.count.payload[direction.index()];
        work(order, &mut |piece| match piece {
            Piece::Data { time, source, bytes } => {
                *payload += bytes.len() as u64;
                sink(Item::Data { direction, time, bytes, source });
            }
            Piece::Gap { time, len, exact } => {
                let time = if time == Timestamp::default() { now } else { time };
                sink(Item::Gap { direction, time, len, exact });
            }
        });
        for odd in order.odd.drain(..) {
            let fact = match odd {
                Oddity::Repeated { seq, same } => {
                    let fields =
                        vec![("seq", FactValue::Number(seq)), ("same_body", FactValue::Flag(same))];
                    at.fact("http", "sequence-repeated", true, fields)
                }
                Oddity::Skipped { from, to } => {
                    let fields =
                        vec![("expected", FactValue::Number(from)), ("seq", FactValue::Number(to))];
                    at.fact("http", "sequence-gap", true, fields)
                }
            };
            // Answers carry no numbers: theirs are those of the requests, told already.
            if direction == Direction::ClientToServer {
                sink(Item::Fact(fact));
            }
        }
    }

    /// The last word: what polling cost.
    pub fn summary(&self, time: Timestamp) -> Fact {
        let count = &self.count;
        let polls = count.sends + count.idles + count.closes;
        let mut fields = Vec::new();
        if let Some(id) = &self.id {
            fields.push(("session", FactValue::text(id.clone())));
        }
        fields.extend([
            ("connections", FactValue::Number(self.flows.len() as u64)),
            ("sends", FactValue::Number(count.sends)),
            ("idles", FactValue::Number(count.idles)),
            ("empty_answers", FactValue::Number(count.empty_answers)),
            ("payload_up", FactValue::Number(count.payload[0])),
            ("payload_down", FactValue::Number(count.payload[1])),
            ("http_up", FactValue::Number(count.http[0])),
            ("http_down", FactValue::Number(count.http[1])),
        ]);
        let span = self.last.nanos_since(count.first.unwrap_or(self.last)).max(0) as u64;
        if let Some(mean) = (span / 1_000_000).checked_div(polls.saturating_sub(1)) {
            fields.push(("poll_milliseconds", FactValue::Number(mean)));
        }
        if count.interval_max > 0 {
            fields.push(("interval_max", FactValue::Number(count.interval_max.into())));
        }
        if let Some(requests) = self.server_closed_after {
            fields.push(("server_closed_after", FactValue::Number(requests)));
        }
        fields.push(("closed", FactValue::Flag(self.closed)));
        let direction = Direction::ClientToServer;
        At { direction, time, offset: 0 }.fact("http", "polling", false, fields)
    }
}
