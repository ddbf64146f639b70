//! Judgements: what of a session is wrong, whose fault it probably is, and what to do about it.
//!
//! ```text
//! analysis::Record ──> Linter ── keeps ──> SessionState (what was negotiated, asked, sent)
//!                        │                      │ read by
//!                        └── hands records to ──┴──> checks of the Rules ──> Finding
//! ```
//!
//! A [`Rule`] is a row: an id, a title in a user's words, texts, and the functions that look for
//! it. State is kept once, by the engine; a check is a few lines. What a check says never holds a
//! secret in plain text: [`Words`] mark stream names and tokens, so that the output can hide them.

mod cause;
mod context;
mod ending;
mod finding;
mod limits;
mod linter;
mod others;
mod rule;
mod rules;
mod state;
mod words;

#[cfg(test)]
mod tests;

pub use cause::{Headline, Outcome, software};
pub use ending::{CloseKind, Ending};
pub use finding::{Finding, Place, Related, Severity};
pub use limits::{Limit, Profile, Thresholds, UnknownName};
pub use linter::{Linter, Options};
pub use others::{OtherSession, Others};
pub use rule::{Basis, Layer, Needs, Rule, SpecRef};
pub use rules::{all, find, select};
pub use state::{
    ChunkStream, Clock, Closing, Connect, ConnectReply, CutMessage, Frame, Kind, MediaTrack,
    Request, Series, SessionState, Side, Status, Stream, StreamUse, Stuck, TrackRecord,
    Transmission,
};
pub use words::{Part, SecretKind, Words};
