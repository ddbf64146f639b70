//! Protocol control and user control messages (sections 5.4 and 7.1.7).

mod ack;
mod event;
mod ping;

use crate::lint::rule::Rule;

/// The rules, a file per question.
pub(super) const RULES: &[&[Rule]] = &[ack::RULES, ping::RULES, event::RULES];

/// What the control rules keep for themselves.
#[derive(Debug, Default)]
pub(in crate::lint) struct Memory {
    ack: ack::Acks,
    event: event::Events,
    ping: ping::Pings,
}
