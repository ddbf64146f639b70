//! Every rule on a capture where it speaks and on one where it must not.

#[path = "../support/mod.rs"]
mod support;

mod amf;
mod chunk;
mod control;
mod handshake;
mod hostile;
mod http;
mod recordings;
mod table;
mod tcp;
mod tls;
