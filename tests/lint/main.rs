//! Every rule on a capture where it speaks and on one where it must not.

#[path = "../support/mod.rs"]
mod support;

mod amf;
mod chunk;
mod close;
mod command;
mod control;
mod ertmp;
mod form;
mod handshake;
mod hostile;
mod http;
mod media;
mod order;
mod play;
mod publish;
mod recordings;
mod rtmfp;
mod scripts;
mod table;
mod tcp;
mod tls;
