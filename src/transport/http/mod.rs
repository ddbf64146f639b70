//! RTMPT: RTMP polled through HTTP.
//!
//! The client sends bytes in the bodies of `POST /send/ID/SEQ`, the server answers each request with
//! bytes of its own behind an interval byte; what either sends is what plain RTMP would put on TCP.
//! [`Tunnels`] takes the TCP (or TLS) connections of a capture and hands on the sessions within:
//! one may use several connections, and one connection may carry several sessions.

mod body;
mod connection;
mod head;
mod messages;
mod order;
mod requests;
mod responses;
mod tunnel;
mod tunnels;

pub use tunnels::{Outcome, TunnelId, Tunnels, begins_tunnel, begins_tunnel_response};
