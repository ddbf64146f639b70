//! `rtmpscope check`: the conformance suite against a server.

mod args;
mod doctor;
mod expect;
mod explain;
mod pcap;
mod plan;
mod run;
mod text;

pub(super) use args::{CheckArgs, EXAMPLES};
pub(super) use run::run;
