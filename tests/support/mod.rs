//! A generator of labelled synthetic captures, for every integration test.
//!
//! ```text
//! Plan ──build──> Scenario ──Net::packetize──> Trace ──faults──> Trace ──> packets, pcap, pcapng
//!                 two byte streams             TCP segments                       │
//!                 and the messages in them ──────────── check::compare <── records of the decoder
//! ```
//!
//! * [`session::Plan`] describes a session (handshake, codecs, chunk sizes, header formats, ids) and
//!   builds it; [`scenario::Scenario`] is the layer below, to put a stream together by hand: send,
//!   begin and step a message, change the chunk size under way, abort.
//! * [`packets::Net`] says how the streams travel (addresses, MSS, acknowledgements, link) and makes
//!   a [`packets::Trace`] of TCP segments; `faults` adds methods to it that do what networks and
//!   capture programs do: lose, reorder, repeat, overlap, coalesce, cut.
//! * [`check`] decodes a trace and compares it with the truth.
//!
//! Everything is a function of its arguments; randomness comes from [`rng::Rng`] and a seed. The
//! streams are written by the crate's `ChunkEncoder` (which has golden bytes of its own), all the
//! rest (AMF, handshake, media, TCP/IP, capture files) by code that shares nothing with the crate.

// Every test binary has a copy of this module and uses a part of it.
#![allow(dead_code, unused_imports, missing_docs)]

pub mod amf;
pub mod check;
pub mod faults;
pub mod files;
pub mod handshake;
pub mod lint;
pub mod media;
pub mod packets;
pub mod rng;
pub mod scenario;
pub mod session;

pub use amf::{V, amf0};
pub use check::{Outcome, compare, decode, decode_trace};
pub use packets::{Close, Cut, Net, Segment, Trace};
pub use rng::Rng;
pub use rtmpscope::base::Direction::{self, ClientToServer as C2S, ServerToClient as S2C};
pub use rtmpscope::rtmp::{CsidForm, ExtendedTimestampHabit, Outgoing};
pub use rtmpscope::wire::message::MessageType;
pub use scenario::{Scenario, Touch, Truth};
pub use session::{FmtPolicy, HandshakeKind, Plan, Role, Video};
