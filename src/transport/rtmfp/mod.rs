//! RTMFP: datagrams of UDP to messages of RTMP (RFC 7016, RFC 7425).
//!
//! [`seal`] and [`open`] are the encryption of a datagram, [`SessionKeys`] what a session agreed on.
//! [`Rtmfp`] follows all sessions of a capture: startup under the default key, and with a key log
//! everything after it.

mod cipher;
mod keys;

pub use cipher::{
    DEFAULT_KEY, Opened, Protection, Refusal, internet_checksum, open, scrambled_id, seal,
};
pub use keys::{SESSION_KEYS, SHARED_SECRET, SessionKeys, component_id, fingerprint};
