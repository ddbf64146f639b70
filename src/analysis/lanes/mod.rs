//! A session on a time axis: what each column of a timeline holds, at any zoom.
//!
//! [`Lanes`] follows a [`SessionIndex`](super::index::SessionIndex) that may still grow and answers
//! for any window in time that depends on the number of columns, not of messages: blocks of rows
//! are summed up once, blocks of blocks likewise, and what depends on earlier rows (gaps, clocks,
//! bytes in flight) goes on from the state kept at each block's beginning.

mod axis;
mod commands;
mod pyramid;
mod step;
mod summary;
mod tcp;
#[cfg(test)]
mod tests;
mod view;

#[cfg(test)]
pub(crate) use tests::load;

pub use axis::{Clock, Window};
pub use commands::{CommandSpan, is_failure};
pub use pyramid::Lanes;
pub use step::{Flight, State};
pub use summary::{Media, Span, Summary};
pub use tcp::TcpColumn;
pub use view::{Column, Mark, MarkKind, View};
