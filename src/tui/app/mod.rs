//! The application's state and what actions do to it. No I/O: what needs some is handed back as an
//! [`Outcome`].

mod copies;
mod effects;
mod filter;
mod keys;
mod overlay;
mod search;
mod state;
mod tick;

pub use filter::FilterState;
pub use overlay::{MenuItem, Overlay};
pub(in crate::tui) use overlay::{fitting, in_palette};
pub use search::{Needle, SearchState};
pub use state::{App, LoadState, Outcome, Start, Status};
