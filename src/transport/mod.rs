//! Unwrapping: what lies between TCP or UDP and RTMP. TLS, HTTP tunnels, RTMPE, RTMFP.
//!
//! Every layer takes bytes and gaps of flows and hands on [`Item`]s: bytes of the layer above with
//! the place they come from, and [`Fact`]s. Nothing here does I/O; keys come from [`KeyLog`].

pub mod http;
mod keylog;
mod layer;
pub mod rtmfp;
pub mod rtmpe;
pub mod tls;

pub use keylog::{KeyLog, KeyLogError, Keys};
pub use layer::{Fact, FactValue, Item, Source};
