//! The engine: bytes of a connection to events.

mod event;

pub use event::{Anomaly, AnomalyKind, Confidence, Event, Handshake, Hole, Message, Reply, Scheme};
