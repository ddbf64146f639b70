//! What to say of a session in one sentence.
//!
//! [`Story`] keeps what a sentence needs when a session ends; [`rank`] chooses the finding that
//! explains the end: what a peer said itself, then what broke the protocol right before, then what
//! can be inferred, then symptoms. [`headline`] writes it down, with the programs by name
//! ([`software`]).

mod headline;
mod rank;
pub mod software;
mod story;
mod words;

pub use headline::{Headline, Outcome};

pub(super) use story::Stories;
pub(super) use words::span;

#[cfg(doc)]
use story::Story;
