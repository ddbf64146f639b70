//! A small conforming RTMP server: publish, relay, play.
//!
//! [`Engine`] is the server without I/O: bytes and time go in, bytes come out. [`Server`] drives it
//! on a TCP socket with one thread.

mod command;
mod connection;
mod control;
mod defects;
mod driver;
mod engine;
mod handshake;
mod hub;
mod media;
mod options;
mod play;
mod publish;
mod reply;

pub use defects::Defect;
pub use driver::Server;
pub use engine::{Close, ConnId, Engine, Output};
pub use options::Options;
