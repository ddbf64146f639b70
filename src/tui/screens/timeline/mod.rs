//! Screen 2: lanes on one time axis.

mod axis;
mod commands;
mod detail;
mod draw;
mod lanes;
mod screen;
#[cfg(test)]
mod tests;

pub use screen::Timeline;
