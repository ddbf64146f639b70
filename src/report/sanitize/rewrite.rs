//! The second reading: packets to packets that can be shown.

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::addresses::Addresses;
use super::fragments::{Held, Queue};
use super::packet::{self, Tcp};
use super::plan::{Plan, Tally};
use super::text;
use crate::analysis::Transport;
use crate::base::Packet;

/// Rewrites the packets of the capture that a [`Plan`] was made of.
#[derive(Debug)]
pub struct Rewriter {
    plan: Plan,
    queue: Queue,
    addresses: Addresses,
    /// Stream offset of the last segment of each side, to count past 2^32 by.
    last: FxHashMap<(usize, usize), i64>,
}

impl Rewriter {
    /// Before the first packet.
    pub fn new(plan: Plan) -> Rewriter {
        Rewriter {
            plan,
            queue: Queue::default(),
            addresses: Addresses::default(),
            last: FxHashMap::default(),
        }
    }

    /// Takes the next packet and gives those that are ready, in order. A packet that is a fragment
    /// waits for the others, and those behind it for it.
    pub fn push(&mut self, packet: Packet) -> Vec<Packet> {
        let layers = packet::walk(packet.link, &packet.data, packet.original_len);
        let data = packet.data.to_vec();
        let waits = layers.fragment.is_some();
        let mut held = Held { packet, layers, data, waits };
        if waits {
            self.queue.push(held);
            self.try_datagram();
        } else {
            self.whole(&mut held);
            self.queue.push(held);
        }
        self.ready(false)
    }

    /// After the last packet: what still waits, and what was done.
    pub fn finish(mut self) -> (Vec<Packet>, Tally) {
        let rest = self.ready(true);
        (rest, self.plan.tally)
    }

    fn ready(&mut self, all: bool) -> Vec<Packet> {
        let mut blanked = 0;
        let ready = self.queue.ready(all, |held| {
            // The rest of the datagram is not there: nobody knows what this is.
            if let Some(fragment) = &held.layers.fragment {
                blanked += fragment.data.len() as u64;
                let range = fragment.data.clone();
                held.data[range].fill(0);
            }
        });
        self.plan.tally.blanked += blanked;
        ready.into_iter().map(|held| self.close(held)).collect()
    }

    /// Blanks what no header and no stream accounts for.
    fn whole(&mut self, held: &mut Held) {
        let Some(tcp) = held.layers.tcp.clone() else {
            let rest = held.layers.headers.min(held.data.len());
            self.plan.tally.blanked += (held.data.len() - rest) as u64;
            held.data[rest..].fill(0);
            return;
        };
        let frame = held.packet.frame;
        // Behind the payload is padding, which some network cards fill with what they sent before.
        if let Some(padding) = held.data.get_mut(tcp.payload.end..) {
            padding.fill(0);
        }
        if let Some(payload) = held.data.get_mut(tcp.payload.clone()) {
            let changed = self.payload(&tcp, frame, payload);
            self.plan.tally.changed += u64::from(changed);
        }
    }

    /// Rewrites a datagram whose last fragment has come.
    fn try_datagram(&mut self) {
        let mut queue = std::mem::take(&mut self.queue);
        if let Some(mut parts) = queue.datagram() {
            self.datagram(&mut parts);
        }
        self.queue = queue;
    }

    fn datagram(&mut self, parts: &mut [&mut Held]) {
        let Some((addresses, protocol, frame)) = parts.last().and_then(|held| {
            let fragment = held.layers.fragment.as_ref()?;
            Some((fragment.key.0.clone(), fragment.key.2, held.packet.frame))
        }) else {
            return;
        };
        let start = addresses.len();
        let mut whole = addresses.clone();
        for held in parts.iter() {
            let Some(fragment) = &held.layers.fragment else { return };
            let at = start + fragment.offset;
            let data = &held.packet.data[fragment.data.clone()];
            whole.resize(whole.len().max(at + data.len()), 0);
            whole[at..at + data.len()].copy_from_slice(data);
        }
        let old = whole.clone();
        let layers = packet::walk_payload(protocol, &addresses, &whole);
        match &layers.tcp {
            Some(tcp) => {
                let changed = self.payload(tcp, frame, &mut whole[tcp.payload.clone()]);
                self.plan.tally.changed += u64::from(changed);
            }
            None => whole[layers.headers.max(start)..].fill(0),
        }
        // Addresses are replaced before the checksum, as `close` will in the headers.
        if self.plan.options.addresses {
            let half = start / 2;
            for at in [0, half] {
                let address = match half {
                    4 => packet::Address::V4(at),
                    _ => packet::Address::V6(at),
                };
                self.addresses.replace(&mut whole, address);
            }
        }
        for sum in layers.sums.iter().rev() {
            sum.renew(&old, &mut whole);
        }
        for held in parts {
            let Some(fragment) = &held.layers.fragment else { continue };
            let at = start + fragment.offset;
            held.data[fragment.data.clone()].copy_from_slice(&whole[at..at + fragment.data.len()]);
            held.waits = false;
        }
    }

    /// Rewrites the payload of a segment; says whether anything changed.
    fn payload(&mut self, tcp: &Tcp, frame: u64, payload: &mut [u8]) -> bool {
        if payload.is_empty() {
            return false;
        }
        let Plan { by_address, streams, net, tally, .. } = &mut self.plan;
        // The session that began last before this packet.
        let found = by_address.get(&(tcp.source, tcp.destination)).and_then(|list| {
            let after = list.partition_point(|(first, ..)| *first <= frame);
            list.get(after.checked_sub(1)?)
        });
        let Some(&(_, index, side_index)) = found else {
            tally.blanked += payload.len() as u64;
            payload.fill(0);
            return true;
        };
        let stream = &streams[index];
        let side = &stream.sides[side_index];
        let mut changed = match (stream.transport, side.base) {
            (Transport::Http | Transport::Rtmpt | Transport::Rtmpte, _) => {
                text::mask_http(payload);
                true
            }
            // Its records are ciphertext, and the names in its handshake are addresses.
            (Transport::Tls | Transport::Rtmps, None) => false,
            (_, Some(base)) => {
                let last = self.last.entry((index, side_index)).or_default();
                let near = base.wrapping_add(*last as u32);
                let offset = *last + i64::from(tcp.sequence.wrapping_sub(near) as i32);
                *last = offset.max(0);
                let (blanked, changed) = side.apply(offset, payload);
                tally.blanked += blanked;
                changed
            }
            (_, None) => {
                tally.blanked += payload.len() as u64;
                payload.fill(0);
                true
            }
        };
        if let Some((regex, names)) = net {
            let places: Vec<_> = regex.find_iter(payload).map(|found| found.range()).collect();
            for range in places {
                let Some(name) = names.get(&payload[range.clone()]) else { continue };
                payload[range].copy_from_slice(name);
                changed = true;
            }
        }
        changed
    }

    /// Replaces addresses and renews checksums.
    fn close(&mut self, mut held: Held) -> Packet {
        if self.plan.options.addresses {
            for address in &held.layers.addresses {
                self.addresses.replace(&mut held.data, *address);
            }
        }
        for sum in held.layers.sums.iter().rev() {
            sum.renew(&held.packet.data, &mut held.data);
        }
        self.plan.tally.packets += 1;
        Packet { data: Bytes::from(held.data), ..held.packet }
    }
}
