//! rtmpscope reads, explains and tests RTMP.
//!
//! One sans-IO decoder serves everything: [`rtmp::Session::feed`] takes bytes with a direction and
//! a time and gives back [`rtmp::Event`]s. The capture reader, and later the proxy, the client and
//! the fuzzer, all stand on it.
//!
//! ```text
//! capture ─ Packet ─> flow ─ stream bytes / gaps ─> rtmp::Session ─ Event ─> analysis ─ Record ─> report
//! ```
//!
//! Each module is a room, and `tests/architecture.rs` holds the table of who may use whom
//! (`docs/architecture.md` says why).
#![forbid(unsafe_code)]
// The examples of the README are compiled with the tests.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod analysis;
pub mod base;
pub mod capture;
#[cfg(feature = "cli")]
pub mod cli;
pub mod conform;
pub mod flow;
pub mod lint;
pub mod peer;
pub mod report;
pub mod rtmp;
pub mod transport;
#[cfg(feature = "tui")]
pub mod tui;
pub mod wire;
