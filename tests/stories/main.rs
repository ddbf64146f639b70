//! Ten stories of users, played with real programs and captured by tcpdump: what is said of each in
//! one sentence must be the true cause.
//!
//! A server on a free port of 127.0.0.1 or in a network namespace of the test's own; nothing
//! depends on how fast the machine is, only on what happened before what.

#![cfg(target_os = "linux")]

mod clean;
mod login;
mod media;
mod path;
mod refusals;
mod replay;
mod rig;

#[path = "../support/mod.rs"]
mod support;
