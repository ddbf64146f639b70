//! Conformance: cases, what runs them against a server, and what judges the answers.
//!
//! A [`Case`] is an entry of the catalogue: an id that never changes, what it says, and either a
//! function or a row ("in this state send these bytes, accept these reactions"). [`T`] is what a
//! function works with; see `suite/handshake.rs` and `suite/chunk.rs` for one of each shape.

mod case;
mod conn;
mod env;
mod expect;
mod judge;
mod msg;
mod packets;
mod passive;
mod pick;
mod probe;
mod relay;
pub mod result;
mod runner;
pub mod server;
pub mod suite;
mod toolkit;
mod verdict;

pub use case::{Basis, Case, Level, Need, On, Reaction, Run, State, Step};
pub use conn::Conn;
pub use env::{Barriers, Env, Facts, Target, TargetError, Timeouts};
pub use expect::{ExpectEntry, ExpectFile, Expectations, Words};
pub use msg::Msg;
pub use packets::packets;
pub use passive::records;
pub use pick::{Pattern, Pick};
pub use probe::{calibrate, probe};
pub use relay::{Frame, Relay};
pub use runner::{Options, RunError, run};
pub use toolkit::{Payloads, T};
pub use verdict::{Outcome, Setup, Stop, Verdict};
