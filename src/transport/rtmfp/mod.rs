//! RTMFP: datagrams of UDP to messages of RTMP (RFC 7016, RFC 7425).
//!
//! [`seal`] and [`open`] are the encryption of a datagram, [`SessionKeys`] what a session agreed on.
//! [`Rtmfp`] follows all sessions of a capture: startup under the default key, and with a key log
//! everything after it.

mod cipher;
mod event;
mod facts;
mod fragments;
mod keys;
mod receive;
mod session;
mod startup;
mod table;

pub use cipher::{
    DEFAULT_KEY, Opened, Protection, Refusal, internet_checksum, open, scrambled_id, seal,
};
pub use event::{Ending, FlowMessage, Opening, RtmfpEvent, SessionId, Target, Traffic};
pub use keys::{SESSION_KEYS, SHARED_SECRET, SessionKeys, component_id, fingerprint};
pub use table::Rtmfp;
