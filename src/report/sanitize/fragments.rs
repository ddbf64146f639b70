//! Packets that wait for the rest of an IP datagram: only the whole of it says which stream bytes
//! it carries.

use std::collections::VecDeque;

use super::packet::{Fragment, Layers};
use crate::base::Packet;

/// Packets held back at most: beyond, fragments are blanked.
const MAX_HELD: usize = 256;

/// A packet on its way out.
#[derive(Debug)]
pub(super) struct Held {
    pub packet: Packet,
    pub layers: Layers,
    /// The bytes to be written.
    pub data: Vec<u8>,
    /// Whether it waits for other fragments.
    pub waits: bool,
}

/// Packets in the order of the capture, some of which wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    held: VecDeque<Held>,
}

impl Queue {
    /// Adds a packet.
    pub(super) fn push(&mut self, held: Held) {
        self.held.push_back(held);
    }

    /// The packets of the datagram that the last packet is a fragment of, by their places in it,
    /// if they are all there.
    pub(super) fn datagram(&mut self) -> Option<Vec<&mut Held>> {
        let key = self.held.back()?.layers.fragment.as_ref()?.key.clone();
        let mut parts: Vec<&mut Held> = self
            .held
            .iter_mut()
            .filter(|held| held.waits && fragment(held).is_some_and(|f| f.key == key))
            .collect();
        parts.sort_by_key(|held| fragment(held).map_or(0, |f| f.offset));
        let mut at = 0;
        for held in &parts {
            let fragment = fragment(held)?;
            if fragment.offset > at {
                return None;
            }
            at = at.max(fragment.offset + fragment.data.len());
        }
        let last = parts.iter().filter_map(|held| fragment(held)).any(|f| !f.more);
        last.then_some(parts)
    }

    /// Packets that wait for nothing, from the oldest on; with `all`, or when too many are held,
    /// those that wait too, for which `give_up` is called.
    pub(super) fn ready(&mut self, all: bool, mut give_up: impl FnMut(&mut Held)) -> Vec<Held> {
        let mut out = Vec::new();
        while let Some(first) = self.held.front_mut() {
            if first.waits {
                if !all && self.held.len() <= MAX_HELD {
                    break;
                }
                if let Some(first) = self.held.front_mut() {
                    give_up(first);
                }
            }
            out.extend(self.held.pop_front());
        }
        out
    }
}

fn fragment(held: &Held) -> Option<&Fragment> {
    held.layers.fragment.as_ref()
}
