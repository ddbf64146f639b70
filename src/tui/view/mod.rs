//! The state as cells.

mod frame;
mod overlays;
pub mod widgets;

pub use frame::{MIN_HEIGHT, MIN_WIDTH, draw, tab_at};
